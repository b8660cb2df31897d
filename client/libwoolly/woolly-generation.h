/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

#include <woolly-stream.h>
#include <woolly-version.h>

G_BEGIN_DECLS

#define WOOLLY_TYPE_GENERATION (woolly_generation_get_type ())
WOOLLY_AVAILABLE_IN_ALL
G_DECLARE_FINAL_TYPE (WoollyGeneration, woolly_generation, WOOLLY, GENERATION, GObject)

WOOLLY_AVAILABLE_IN_ALL
const char *woolly_generation_get_object_path (WoollyGeneration *self);
WOOLLY_AVAILABLE_IN_ALL
WoollyStream *woolly_generation_get_stream (WoollyGeneration *self);
WOOLLY_AVAILABLE_IN_ALL
const char *woolly_generation_get_state (WoollyGeneration *self);
WOOLLY_AVAILABLE_IN_ALL
guint woolly_generation_get_queue_position (WoollyGeneration *self);

WOOLLY_AVAILABLE_IN_ALL
gboolean woolly_generation_cancel (WoollyGeneration *self, GCancellable *cancellable, GError **error);
WOOLLY_AVAILABLE_IN_ALL
void woolly_generation_cancel_async (WoollyGeneration *self, GCancellable *cancellable, GAsyncReadyCallback callback,
                                     gpointer user_data);
WOOLLY_AVAILABLE_IN_ALL
gboolean woolly_generation_cancel_finish (WoollyGeneration *self, GAsyncResult *result, GError **error);

WOOLLY_AVAILABLE_IN_ALL
GVariant *woolly_generation_fetch_result (WoollyGeneration *self, GCancellable *cancellable, GError **error);
WOOLLY_AVAILABLE_IN_ALL
void woolly_generation_fetch_result_async (WoollyGeneration *self, GCancellable *cancellable,
                                           GAsyncReadyCallback callback, gpointer user_data);
WOOLLY_AVAILABLE_IN_ALL
GVariant *woolly_generation_fetch_result_finish (WoollyGeneration *self, GAsyncResult *result, GError **error);

WOOLLY_AVAILABLE_IN_ALL
void woolly_generation_release (WoollyGeneration *self);

G_END_DECLS
