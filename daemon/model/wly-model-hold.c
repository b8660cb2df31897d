/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wly-model-hold.h"

#include "wly-error.h"

#include <errno.h>
#include <glib-unix.h>
#include <sys/socket.h>
#include <unistd.h>

struct WlyModelHold {
  WlyModel *model;
  WlyHoldKind kind;
  int guard; /* our end, -1 where there is none */
  guint source;
  WlyModelHoldReleasedCb released;
  gpointer user_data;
};

WlyModelHold *
wly_model_hold_new (WlyModel *model, WlyHoldKind kind)
{
  WlyModelHold *self = g_new0 (WlyModelHold, 1);

  self->model = g_object_ref (model);
  self->kind  = kind;
  self->guard = -1;
  wly_model_add_use (model, kind == WLY_HOLD_BUSY, kind == WLY_HOLD_WARM);
  return self;
}

void
wly_model_hold_free (WlyModelHold *self)
{
  if (self == NULL)
    return;
  g_clear_handle_id (&self->source, g_source_remove);
  if (self->guard >= 0)
    close (self->guard);
  wly_model_add_use (self->model, -(self->kind == WLY_HOLD_BUSY), -(self->kind == WLY_HOLD_WARM));
  g_object_unref (self->model);
  g_free (self);
}

WlyModel *
wly_model_hold_get_model (WlyModelHold *self)
{
  return self->model;
}

static gboolean
hung_up_cb (int fd, GIOCondition condition, gpointer data)
{
  WlyModelHold *self = data;

  self->source = 0;
  self->released (self, self->user_data);
  return G_SOURCE_REMOVE;
}

int
wly_model_hold_make_guard (WlyModelHold *self, WlyModelHoldReleasedCb released, gpointer user_data, GError **error)
{
  int fds[2];

  if (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds) != 0) {
    g_set_error (error, WLY_ERROR, WLY_ERROR_FAILED, "no socket for a guard: %s", g_strerror (errno));
    return -1;
  }
  /* nobody reads: what is written to a guard must not pile up */
  shutdown (fds[0], SHUT_RD);
  self->guard     = fds[0];
  self->released  = released;
  self->user_data = user_data;
  self->source    = g_unix_fd_add (self->guard, G_IO_HUP | G_IO_ERR, hung_up_cb, self);
  return fds[1];
}
