/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

#include <woolly-event.h>

G_BEGIN_DECLS

#define WOOLLY_TYPE_STREAM (woolly_stream_get_type ())
WOOLLY_AVAILABLE_IN_ALL
G_DECLARE_FINAL_TYPE (WoollyStream, woolly_stream, WOOLLY, STREAM, GObject)

WOOLLY_AVAILABLE_IN_ALL
WoollyStream *woolly_stream_new (int fd);

WOOLLY_AVAILABLE_IN_ALL
WoollyEvent *woolly_stream_read (WoollyStream *self, GCancellable *cancellable, GError **error);
WOOLLY_AVAILABLE_IN_ALL
void woolly_stream_read_async (WoollyStream *self, GCancellable *cancellable, GAsyncReadyCallback callback,
                               gpointer user_data);
WOOLLY_AVAILABLE_IN_ALL
WoollyEvent *woolly_stream_read_finish (WoollyStream *self, GAsyncResult *result, GError **error);

WOOLLY_AVAILABLE_IN_ALL
void woolly_stream_close (WoollyStream *self);

G_END_DECLS
