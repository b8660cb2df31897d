/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The bridge that makes a blocking function of an asynchronous one.  Private.
 */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* Runs an asynchronous function to its end, in a main context of its own:
 *
 *   g_auto (WoollySync) sync = WOOLLY_SYNC_INIT;
 *   woolly_sync_begin (&sync);
 *   woolly_thing_do_async (…, woolly_sync_cb, &sync);
 *   return woolly_thing_do_finish (…, woolly_sync_wait (&sync), error);
 */
typedef struct {
  GMainContext *context;
  GAsyncResult *result;
} WoollySync;

#define WOOLLY_SYNC_INIT                                                                                               \
  {                                                                                                                    \
    NULL, NULL                                                                                                         \
  }

void woolly_sync_begin (WoollySync *sync);
void woolly_sync_cb (GObject *source, GAsyncResult *result, gpointer user_data);
GAsyncResult *woolly_sync_wait (WoollySync *sync); /* (transfer none) */
void woolly_sync_clear (WoollySync *sync);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (WoollySync, woolly_sync_clear)

G_END_DECLS
