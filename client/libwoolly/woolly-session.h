/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

#include <woolly-generation.h>
#include <woolly-input.h>
#include <woolly-version.h>

G_BEGIN_DECLS

#define WOOLLY_TYPE_SESSION (woolly_session_get_type ())
WOOLLY_AVAILABLE_IN_ALL
G_DECLARE_FINAL_TYPE (WoollySession, woolly_session, WOOLLY, SESSION, GObject)

WOOLLY_AVAILABLE_IN_ALL
const char *woolly_session_get_object_path (WoollySession *self);
WOOLLY_AVAILABLE_IN_ALL
const char *woolly_session_get_state (WoollySession *self);
WOOLLY_AVAILABLE_IN_ALL
guint woolly_session_get_context_size (WoollySession *self);
WOOLLY_AVAILABLE_IN_ALL
guint woolly_session_get_context_used (WoollySession *self);

WOOLLY_AVAILABLE_IN_ALL
WoollyGeneration *woolly_session_generate (WoollySession *self, WoollyInput *input, GVariant *options,
                                           GCancellable *cancellable, GError **error);
WOOLLY_AVAILABLE_IN_ALL
void woolly_session_generate_async (WoollySession *self, WoollyInput *input, GVariant *options,
                                    GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data);
WOOLLY_AVAILABLE_IN_ALL
WoollyGeneration *woolly_session_generate_finish (WoollySession *self, GAsyncResult *result, GError **error);

WOOLLY_AVAILABLE_IN_ALL
WoollySession *woolly_session_fork (WoollySession *self, GVariant *options, GCancellable *cancellable, GError **error);
WOOLLY_AVAILABLE_IN_ALL
void woolly_session_fork_async (WoollySession *self, GVariant *options, GCancellable *cancellable,
                                GAsyncReadyCallback callback, gpointer user_data);
WOOLLY_AVAILABLE_IN_ALL
WoollySession *woolly_session_fork_finish (WoollySession *self, GAsyncResult *result, GError **error);

WOOLLY_AVAILABLE_IN_ALL
gboolean woolly_session_truncate (WoollySession *self, guint n_tokens, GCancellable *cancellable, GError **error);
WOOLLY_AVAILABLE_IN_ALL
void woolly_session_truncate_async (WoollySession *self, guint n_tokens, GCancellable *cancellable,
                                    GAsyncReadyCallback callback, gpointer user_data);
WOOLLY_AVAILABLE_IN_ALL
gboolean woolly_session_truncate_finish (WoollySession *self, GAsyncResult *result, GError **error);

WOOLLY_AVAILABLE_IN_ALL
gboolean woolly_session_save (WoollySession *self, int fd, GCancellable *cancellable, GError **error);
WOOLLY_AVAILABLE_IN_ALL
void woolly_session_save_async (WoollySession *self, int fd, GCancellable *cancellable, GAsyncReadyCallback callback,
                                gpointer user_data);
WOOLLY_AVAILABLE_IN_ALL
gboolean woolly_session_save_finish (WoollySession *self, GAsyncResult *result, GError **error);

WOOLLY_AVAILABLE_IN_ALL
gboolean woolly_session_restore (WoollySession *self, int fd, GCancellable *cancellable, GError **error);
WOOLLY_AVAILABLE_IN_ALL
void woolly_session_restore_async (WoollySession *self, int fd, GCancellable *cancellable, GAsyncReadyCallback callback,
                                   gpointer user_data);
WOOLLY_AVAILABLE_IN_ALL
gboolean woolly_session_restore_finish (WoollySession *self, GAsyncResult *result, GError **error);

WOOLLY_AVAILABLE_IN_ALL
guint32 *woolly_session_fetch_tokens (WoollySession *self, gsize *n_tokens, GCancellable *cancellable, GError **error);
WOOLLY_AVAILABLE_IN_ALL
void woolly_session_fetch_tokens_async (WoollySession *self, GCancellable *cancellable, GAsyncReadyCallback callback,
                                        gpointer user_data);
WOOLLY_AVAILABLE_IN_ALL
guint32 *woolly_session_fetch_tokens_finish (WoollySession *self, GAsyncResult *result, gsize *n_tokens,
                                             GError **error);

WOOLLY_AVAILABLE_IN_ALL
gboolean woolly_session_refresh (WoollySession *self, GCancellable *cancellable, GError **error);
WOOLLY_AVAILABLE_IN_ALL
void woolly_session_refresh_async (WoollySession *self, GCancellable *cancellable, GAsyncReadyCallback callback,
                                   gpointer user_data);
WOOLLY_AVAILABLE_IN_ALL
gboolean woolly_session_refresh_finish (WoollySession *self, GAsyncResult *result, GError **error);

WOOLLY_AVAILABLE_IN_ALL
gboolean woolly_session_close (WoollySession *self, GCancellable *cancellable, GError **error);
WOOLLY_AVAILABLE_IN_ALL
void woolly_session_close_async (WoollySession *self, GCancellable *cancellable, GAsyncReadyCallback callback,
                                 gpointer user_data);
WOOLLY_AVAILABLE_IN_ALL
gboolean woolly_session_close_finish (WoollySession *self, GAsyncResult *result, GError **error);

G_END_DECLS
