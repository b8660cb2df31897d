/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "woolly-sync.h"

void
woolly_sync_begin (WoollySync *sync)
{
  sync->context = g_main_context_new ();
  g_main_context_push_thread_default (sync->context);
}

void
woolly_sync_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  WoollySync *sync = user_data;

  sync->result = g_object_ref (result);
}

GAsyncResult *
woolly_sync_wait (WoollySync *sync)
{
  while (sync->result == NULL)
    g_main_context_iteration (sync->context, TRUE);
  /* What the finish function makes belongs to the caller's main context again. */
  g_main_context_pop_thread_default (sync->context);
  return sync->result;
}

void
woolly_sync_clear (WoollySync *sync)
{
  g_clear_object (&sync->result);
  g_clear_pointer (&sync->context, g_main_context_unref);
}
