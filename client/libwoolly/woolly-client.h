/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>
#include <gio/gunixfdlist.h>

#include <woolly-generation.h>
#include <woolly-hold.h>
#include <woolly-input.h>
#include <woolly-model.h>
#include <woolly-session.h>
#include <woolly-version.h>

G_BEGIN_DECLS

/**
 * WoollyClientFlags:
 * @WOOLLY_CLIENT_NONE: nothing special
 * @WOOLLY_CLIENT_DO_NOT_START: never start the service: calls fail while it does not run
 *
 * How a client behaves.
 */
typedef enum /*< flags >*/ {
  WOOLLY_CLIENT_NONE         = 0,
  WOOLLY_CLIENT_DO_NOT_START = 1 << 0,
} WoollyClientFlags;

#define WOOLLY_TYPE_CLIENT (woolly_client_get_type ())
WOOLLY_AVAILABLE_IN_ALL
G_DECLARE_FINAL_TYPE (WoollyClient, woolly_client, WOOLLY, CLIENT, GObject)

WOOLLY_AVAILABLE_IN_ALL
WoollyClient *woolly_client_new (GDBusConnection *connection, WoollyClientFlags flags, GCancellable *cancellable,
                                 GError **error);
WOOLLY_AVAILABLE_IN_ALL
void woolly_client_new_async (GDBusConnection *connection, WoollyClientFlags flags, GCancellable *cancellable,
                              GAsyncReadyCallback callback, gpointer user_data);
WOOLLY_AVAILABLE_IN_ALL
WoollyClient *woolly_client_new_finish (GAsyncResult *result, GError **error);

WOOLLY_AVAILABLE_IN_ALL
GDBusConnection *woolly_client_get_connection (WoollyClient *self);
WOOLLY_AVAILABLE_IN_ALL
gboolean woolly_client_get_running (WoollyClient *self);
WOOLLY_AVAILABLE_IN_ALL
const char *woolly_client_get_version (WoollyClient *self);
WOOLLY_AVAILABLE_IN_ALL
guint woolly_client_get_interface_version (WoollyClient *self);
WOOLLY_AVAILABLE_IN_ALL
GListModel *woolly_client_get_models (WoollyClient *self);

WOOLLY_AVAILABLE_IN_ALL
WoollyModel *woolly_client_resolve_model (WoollyClient *self, const char *name, GCancellable *cancellable,
                                          GError **error);
WOOLLY_AVAILABLE_IN_ALL
void woolly_client_resolve_model_async (WoollyClient *self, const char *name, GCancellable *cancellable,
                                        GAsyncReadyCallback callback, gpointer user_data);
WOOLLY_AVAILABLE_IN_ALL
WoollyModel *woolly_client_resolve_model_finish (WoollyClient *self, GAsyncResult *result, GError **error);

WOOLLY_AVAILABLE_IN_ALL
WoollyModel *woolly_client_open_files (WoollyClient *self, GUnixFDList *files, GCancellable *cancellable,
                                       GError **error);
WOOLLY_AVAILABLE_IN_ALL
void woolly_client_open_files_async (WoollyClient *self, GUnixFDList *files, GCancellable *cancellable,
                                     GAsyncReadyCallback callback, gpointer user_data);
WOOLLY_AVAILABLE_IN_ALL
WoollyModel *woolly_client_open_files_finish (WoollyClient *self, GAsyncResult *result, GError **error);

WOOLLY_AVAILABLE_IN_ALL
WoollyModel *woolly_client_open_path (WoollyClient *self, const char *path, GCancellable *cancellable, GError **error);
WOOLLY_AVAILABLE_IN_ALL
void woolly_client_open_path_async (WoollyClient *self, const char *path, GCancellable *cancellable,
                                    GAsyncReadyCallback callback, gpointer user_data);
WOOLLY_AVAILABLE_IN_ALL
WoollyModel *woolly_client_open_path_finish (WoollyClient *self, GAsyncResult *result, GError **error);

WOOLLY_AVAILABLE_IN_ALL
WoollySession *woolly_client_open_session (WoollyClient *self, const char *model, GVariant *options,
                                           GCancellable *cancellable, GError **error);
WOOLLY_AVAILABLE_IN_ALL
void woolly_client_open_session_async (WoollyClient *self, const char *model, GVariant *options,
                                       GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data);
WOOLLY_AVAILABLE_IN_ALL
WoollySession *woolly_client_open_session_finish (WoollyClient *self, GAsyncResult *result, GError **error);

WOOLLY_AVAILABLE_IN_ALL
WoollyGeneration *woolly_client_generate (WoollyClient *self, const char *model, WoollyInput *input, GVariant *options,
                                          GCancellable *cancellable, GError **error);
WOOLLY_AVAILABLE_IN_ALL
void woolly_client_generate_async (WoollyClient *self, const char *model, WoollyInput *input, GVariant *options,
                                   GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data);
WOOLLY_AVAILABLE_IN_ALL
WoollyGeneration *woolly_client_generate_finish (WoollyClient *self, GAsyncResult *result, GError **error);

WOOLLY_AVAILABLE_IN_ALL
char *woolly_client_generate_text (WoollyClient *self, const char *model, WoollyInput *input, GVariant *options,
                                   GVariant **ret_result, GCancellable *cancellable, GError **error);
WOOLLY_AVAILABLE_IN_ALL
void woolly_client_generate_text_async (WoollyClient *self, const char *model, WoollyInput *input, GVariant *options,
                                        GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data);
WOOLLY_AVAILABLE_IN_ALL
char *woolly_client_generate_text_finish (WoollyClient *self, GAsyncResult *result, GVariant **ret_result,
                                          GError **error);

WOOLLY_AVAILABLE_IN_ALL
WoollyHold *woolly_client_hold_model (WoollyClient *self, const char *model, GVariant *options,
                                      GCancellable *cancellable, GError **error);
WOOLLY_AVAILABLE_IN_ALL
void woolly_client_hold_model_async (WoollyClient *self, const char *model, GVariant *options,
                                     GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data);
WOOLLY_AVAILABLE_IN_ALL
WoollyHold *woolly_client_hold_model_finish (WoollyClient *self, GAsyncResult *result, GError **error);

WOOLLY_AVAILABLE_IN_ALL
GVariant *woolly_client_estimate_model (WoollyClient *self, const char *model, GVariant *options,
                                        GCancellable *cancellable, GError **error);
WOOLLY_AVAILABLE_IN_ALL
void woolly_client_estimate_model_async (WoollyClient *self, const char *model, GVariant *options,
                                         GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data);
WOOLLY_AVAILABLE_IN_ALL
GVariant *woolly_client_estimate_model_finish (WoollyClient *self, GAsyncResult *result, GError **error);

WOOLLY_AVAILABLE_IN_ALL
char *woolly_client_render_template (WoollyClient *self, const char *source, WoollyInput *input, GVariant **ret_trusted,
                                     GCancellable *cancellable, GError **error);
WOOLLY_AVAILABLE_IN_ALL
void woolly_client_render_template_async (WoollyClient *self, const char *source, WoollyInput *input,
                                          GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data);
WOOLLY_AVAILABLE_IN_ALL
char *woolly_client_render_template_finish (WoollyClient *self, GAsyncResult *result, GVariant **ret_trusted,
                                            GError **error);

WOOLLY_AVAILABLE_IN_ALL
GVariant *woolly_client_list_plugins (WoollyClient *self, GCancellable *cancellable, GError **error);
WOOLLY_AVAILABLE_IN_ALL
void woolly_client_list_plugins_async (WoollyClient *self, GCancellable *cancellable, GAsyncReadyCallback callback,
                                       gpointer user_data);
WOOLLY_AVAILABLE_IN_ALL
GVariant *woolly_client_list_plugins_finish (WoollyClient *self, GAsyncResult *result, GError **error);

WOOLLY_AVAILABLE_IN_ALL
GVariant *woolly_client_list_devices (WoollyClient *self, GCancellable *cancellable, GError **error);
WOOLLY_AVAILABLE_IN_ALL
void woolly_client_list_devices_async (WoollyClient *self, GCancellable *cancellable, GAsyncReadyCallback callback,
                                       gpointer user_data);
WOOLLY_AVAILABLE_IN_ALL
GVariant *woolly_client_list_devices_finish (WoollyClient *self, GAsyncResult *result, GError **error);

WOOLLY_AVAILABLE_IN_ALL
gboolean woolly_client_fetch_memory (WoollyClient *self, guint64 *ret_in_use, guint64 *ret_budget,
                                     GCancellable *cancellable, GError **error);
WOOLLY_AVAILABLE_IN_ALL
void woolly_client_fetch_memory_async (WoollyClient *self, GCancellable *cancellable, GAsyncReadyCallback callback,
                                       gpointer user_data);
WOOLLY_AVAILABLE_IN_ALL
gboolean woolly_client_fetch_memory_finish (WoollyClient *self, GAsyncResult *result, guint64 *ret_in_use,
                                            guint64 *ret_budget, GError **error);

G_END_DECLS
