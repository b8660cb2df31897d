/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

#include <woolly-input.h>
#include <woolly-version.h>

G_BEGIN_DECLS

#define WOOLLY_TYPE_MODEL (woolly_model_get_type ())
WOOLLY_AVAILABLE_IN_ALL
G_DECLARE_FINAL_TYPE (WoollyModel, woolly_model, WOOLLY, MODEL, GObject)

WOOLLY_AVAILABLE_IN_ALL
const char *woolly_model_get_object_path (WoollyModel *self);
WOOLLY_AVAILABLE_IN_ALL
const char *woolly_model_get_id (WoollyModel *self);
WOOLLY_AVAILABLE_IN_ALL
const char *woolly_model_get_name (WoollyModel *self);
WOOLLY_AVAILABLE_IN_ALL
char **woolly_model_dup_files (WoollyModel *self);
WOOLLY_AVAILABLE_IN_ALL
const char *woolly_model_get_architecture (WoollyModel *self);
WOOLLY_AVAILABLE_IN_ALL
const char *woolly_model_get_quantization (WoollyModel *self);
WOOLLY_AVAILABLE_IN_ALL
const char *woolly_model_get_license (WoollyModel *self);
WOOLLY_AVAILABLE_IN_ALL
const char *woolly_model_get_organization (WoollyModel *self);
WOOLLY_AVAILABLE_IN_ALL
const char *woolly_model_get_description (WoollyModel *self);
WOOLLY_AVAILABLE_IN_ALL
const char *woolly_model_get_url (WoollyModel *self);
WOOLLY_AVAILABLE_IN_ALL
const char *woolly_model_get_pooling (WoollyModel *self);
WOOLLY_AVAILABLE_IN_ALL
guint64 woolly_model_get_parameters (WoollyModel *self);
WOOLLY_AVAILABLE_IN_ALL
guint64 woolly_model_get_size (WoollyModel *self);
WOOLLY_AVAILABLE_IN_ALL
guint woolly_model_get_context_length (WoollyModel *self);
WOOLLY_AVAILABLE_IN_ALL
guint woolly_model_get_vocabulary_size (WoollyModel *self);
WOOLLY_AVAILABLE_IN_ALL
char **woolly_model_dup_capabilities (WoollyModel *self);
WOOLLY_AVAILABLE_IN_ALL
const char *woolly_model_get_state (WoollyModel *self);
WOOLLY_AVAILABLE_IN_ALL
double woolly_model_get_load_progress (WoollyModel *self);
WOOLLY_AVAILABLE_IN_ALL
const char *woolly_model_get_device (WoollyModel *self);
WOOLLY_AVAILABLE_IN_ALL
guint64 woolly_model_get_memory_in_use (WoollyModel *self);
WOOLLY_AVAILABLE_IN_ALL
guint woolly_model_get_queue_length (WoollyModel *self);
WOOLLY_AVAILABLE_IN_ALL
GError *woolly_model_dup_last_error (WoollyModel *self);

WOOLLY_AVAILABLE_IN_ALL
gboolean woolly_model_refresh (WoollyModel *self, GCancellable *cancellable, GError **error);
WOOLLY_AVAILABLE_IN_ALL
void woolly_model_refresh_async (WoollyModel *self, GCancellable *cancellable, GAsyncReadyCallback callback,
                                 gpointer user_data);
WOOLLY_AVAILABLE_IN_ALL
gboolean woolly_model_refresh_finish (WoollyModel *self, GAsyncResult *result, GError **error);

WOOLLY_AVAILABLE_IN_ALL
gboolean woolly_model_load (WoollyModel *self, GVariant *options, GCancellable *cancellable, GError **error);
WOOLLY_AVAILABLE_IN_ALL
void woolly_model_load_async (WoollyModel *self, GVariant *options, GCancellable *cancellable,
                              GAsyncReadyCallback callback, gpointer user_data);
WOOLLY_AVAILABLE_IN_ALL
gboolean woolly_model_load_finish (WoollyModel *self, GAsyncResult *result, GError **error);

WOOLLY_AVAILABLE_IN_ALL
gboolean woolly_model_unload (WoollyModel *self, GCancellable *cancellable, GError **error);
WOOLLY_AVAILABLE_IN_ALL
void woolly_model_unload_async (WoollyModel *self, GCancellable *cancellable, GAsyncReadyCallback callback,
                                gpointer user_data);
WOOLLY_AVAILABLE_IN_ALL
gboolean woolly_model_unload_finish (WoollyModel *self, GAsyncResult *result, GError **error);

WOOLLY_AVAILABLE_IN_ALL
guint32 *woolly_model_tokenize (WoollyModel *self, WoollyInput *input, GVariant *options, gsize *n_tokens,
                                GCancellable *cancellable, GError **error);
WOOLLY_AVAILABLE_IN_ALL
void woolly_model_tokenize_async (WoollyModel *self, WoollyInput *input, GVariant *options, GCancellable *cancellable,
                                  GAsyncReadyCallback callback, gpointer user_data);
WOOLLY_AVAILABLE_IN_ALL
guint32 *woolly_model_tokenize_finish (WoollyModel *self, GAsyncResult *result, gsize *n_tokens, GError **error);

WOOLLY_AVAILABLE_IN_ALL
GBytes *woolly_model_detokenize (WoollyModel *self, const guint32 *tokens, gsize n_tokens, GVariant *options,
                                 GCancellable *cancellable, GError **error);
WOOLLY_AVAILABLE_IN_ALL
void woolly_model_detokenize_async (WoollyModel *self, const guint32 *tokens, gsize n_tokens, GVariant *options,
                                    GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data);
WOOLLY_AVAILABLE_IN_ALL
GBytes *woolly_model_detokenize_finish (WoollyModel *self, GAsyncResult *result, GError **error);

WOOLLY_AVAILABLE_IN_ALL
GBytes *woolly_model_embed (WoollyModel *self, const char *const *texts, GVariant *options, guint *dimensions,
                            GCancellable *cancellable, GError **error);
WOOLLY_AVAILABLE_IN_ALL
void woolly_model_embed_async (WoollyModel *self, const char *const *texts, GVariant *options,
                               GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data);
WOOLLY_AVAILABLE_IN_ALL
GBytes *woolly_model_embed_finish (WoollyModel *self, GAsyncResult *result, guint *dimensions, GError **error);

WOOLLY_AVAILABLE_IN_ALL
double *woolly_model_rerank (WoollyModel *self, const char *query, const char *const *documents, GVariant *options,
                             gsize *n_scores, GCancellable *cancellable, GError **error);
WOOLLY_AVAILABLE_IN_ALL
void woolly_model_rerank_async (WoollyModel *self, const char *query, const char *const *documents, GVariant *options,
                                GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data);
WOOLLY_AVAILABLE_IN_ALL
double *woolly_model_rerank_finish (WoollyModel *self, GAsyncResult *result, gsize *n_scores, GError **error);

WOOLLY_AVAILABLE_IN_ALL
gboolean woolly_model_count (WoollyModel *self, WoollyInput *input, GVariant *options, guint64 *ret_count,
                             GCancellable *cancellable, GError **error);
WOOLLY_AVAILABLE_IN_ALL
void woolly_model_count_async (WoollyModel *self, WoollyInput *input, GVariant *options, GCancellable *cancellable,
                               GAsyncReadyCallback callback, gpointer user_data);
WOOLLY_AVAILABLE_IN_ALL
gboolean woolly_model_count_finish (WoollyModel *self, GAsyncResult *result, guint64 *ret_count, GError **error);

WOOLLY_AVAILABLE_IN_ALL
char *woolly_model_render (WoollyModel *self, WoollyInput *input, GVariant **ret_trusted, GCancellable *cancellable,
                           GError **error);
WOOLLY_AVAILABLE_IN_ALL
void woolly_model_render_async (WoollyModel *self, WoollyInput *input, GCancellable *cancellable,
                                GAsyncReadyCallback callback, gpointer user_data);
WOOLLY_AVAILABLE_IN_ALL
char *woolly_model_render_finish (WoollyModel *self, GAsyncResult *result, GVariant **ret_trusted, GError **error);

WOOLLY_AVAILABLE_IN_ALL
GVariant *woolly_model_list_users (WoollyModel *self, GCancellable *cancellable, GError **error);
WOOLLY_AVAILABLE_IN_ALL
void woolly_model_list_users_async (WoollyModel *self, GCancellable *cancellable, GAsyncReadyCallback callback,
                                    gpointer user_data);
WOOLLY_AVAILABLE_IN_ALL
GVariant *woolly_model_list_users_finish (WoollyModel *self, GAsyncResult *result, GError **error);

G_END_DECLS
