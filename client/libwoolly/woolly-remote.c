/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "woolly-remote.h"

#include "woolly-call.h"

WoollyRemote *
woolly_remote_new (WoollyBus *bus, const char *path, const char *interface, const char *last_method)
{
  WoollyRemote *remote = g_atomic_rc_box_new0 (WoollyRemote);

  remote->bus         = g_object_ref (bus);
  remote->path        = g_strdup (path);
  remote->interface   = interface;
  remote->last_method = last_method;
  return remote;
}

WoollyRemote *
woolly_remote_ref (WoollyRemote *remote)
{
  return g_atomic_rc_box_acquire (remote);
}

static void
remote_clear (gpointer data)
{
  WoollyRemote *remote = data;

  woolly_remote_close (remote);
  g_object_unref (remote->bus);
  g_free (remote->path);
}

void
woolly_remote_unref (WoollyRemote *remote)
{
  g_atomic_rc_box_release_full (remote, remote_clear);
}

void
woolly_remote_close (WoollyRemote *remote)
{
  if (remote->closed || remote->last_method == NULL)
    return;
  remote->closed = TRUE;
  woolly_call_forget (remote->bus, remote->path, remote->interface, remote->last_method);
}
