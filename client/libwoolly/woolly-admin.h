/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

#include <woolly-client.h>
#include <woolly-job.h>
#include <woolly-model.h>
#include <woolly-version.h>

G_BEGIN_DECLS

#define WOOLLY_TYPE_ADMIN (woolly_admin_get_type ())
WOOLLY_AVAILABLE_IN_ALL
G_DECLARE_FINAL_TYPE (WoollyAdmin, woolly_admin, WOOLLY, ADMIN, GObject)

WOOLLY_AVAILABLE_IN_ALL
WoollyAdmin *woolly_admin_new (WoollyClient *client);

WOOLLY_AVAILABLE_IN_ALL
WoollyJob *woolly_admin_import (WoollyAdmin *self, int fd, GVariant *options, GCancellable *cancellable,
                                GError **error);
WOOLLY_AVAILABLE_IN_ALL
void woolly_admin_import_async (WoollyAdmin *self, int fd, GVariant *options, GCancellable *cancellable,
                                GAsyncReadyCallback callback, gpointer user_data);
WOOLLY_AVAILABLE_IN_ALL
WoollyJob *woolly_admin_import_finish (WoollyAdmin *self, GAsyncResult *result, GError **error);

WOOLLY_AVAILABLE_IN_ALL
WoollyJob *woolly_admin_pull (WoollyAdmin *self, const char *source, GVariant *options, GCancellable *cancellable,
                              GError **error);
WOOLLY_AVAILABLE_IN_ALL
void woolly_admin_pull_async (WoollyAdmin *self, const char *source, GVariant *options, GCancellable *cancellable,
                              GAsyncReadyCallback callback, gpointer user_data);
WOOLLY_AVAILABLE_IN_ALL
WoollyJob *woolly_admin_pull_finish (WoollyAdmin *self, GAsyncResult *result, GError **error);

WOOLLY_AVAILABLE_IN_ALL
gboolean woolly_admin_remove (WoollyAdmin *self, WoollyModel *model, GCancellable *cancellable, GError **error);
WOOLLY_AVAILABLE_IN_ALL
void woolly_admin_remove_async (WoollyAdmin *self, WoollyModel *model, GCancellable *cancellable,
                                GAsyncReadyCallback callback, gpointer user_data);
WOOLLY_AVAILABLE_IN_ALL
gboolean woolly_admin_remove_finish (WoollyAdmin *self, GAsyncResult *result, GError **error);

WOOLLY_AVAILABLE_IN_ALL
gboolean woolly_admin_unload (WoollyAdmin *self, WoollyModel *model, gboolean force, GCancellable *cancellable,
                              GError **error);
WOOLLY_AVAILABLE_IN_ALL
void woolly_admin_unload_async (WoollyAdmin *self, WoollyModel *model, gboolean force, GCancellable *cancellable,
                                GAsyncReadyCallback callback, gpointer user_data);
WOOLLY_AVAILABLE_IN_ALL
gboolean woolly_admin_unload_finish (WoollyAdmin *self, GAsyncResult *result, GError **error);

WOOLLY_AVAILABLE_IN_ALL
gboolean woolly_admin_clear_quarantine (WoollyAdmin *self, WoollyModel *model, GCancellable *cancellable,
                                        GError **error);
WOOLLY_AVAILABLE_IN_ALL
void woolly_admin_clear_quarantine_async (WoollyAdmin *self, WoollyModel *model, GCancellable *cancellable,
                                          GAsyncReadyCallback callback, gpointer user_data);
WOOLLY_AVAILABLE_IN_ALL
gboolean woolly_admin_clear_quarantine_finish (WoollyAdmin *self, GAsyncResult *result, GError **error);

WOOLLY_AVAILABLE_IN_ALL
GVariant *woolly_admin_fetch_settings (WoollyAdmin *self, GCancellable *cancellable, GError **error);
WOOLLY_AVAILABLE_IN_ALL
void woolly_admin_fetch_settings_async (WoollyAdmin *self, GCancellable *cancellable, GAsyncReadyCallback callback,
                                        gpointer user_data);
WOOLLY_AVAILABLE_IN_ALL
GVariant *woolly_admin_fetch_settings_finish (WoollyAdmin *self, GAsyncResult *result, GError **error);

WOOLLY_AVAILABLE_IN_ALL
gboolean woolly_admin_reload (WoollyAdmin *self, GCancellable *cancellable, GError **error);
WOOLLY_AVAILABLE_IN_ALL
void woolly_admin_reload_async (WoollyAdmin *self, GCancellable *cancellable, GAsyncReadyCallback callback,
                                gpointer user_data);
WOOLLY_AVAILABLE_IN_ALL
gboolean woolly_admin_reload_finish (WoollyAdmin *self, GAsyncResult *result, GError **error);

WOOLLY_AVAILABLE_IN_ALL
gboolean woolly_admin_quit (WoollyAdmin *self, GCancellable *cancellable, GError **error);
WOOLLY_AVAILABLE_IN_ALL
void woolly_admin_quit_async (WoollyAdmin *self, GCancellable *cancellable, GAsyncReadyCallback callback,
                              gpointer user_data);
WOOLLY_AVAILABLE_IN_ALL
gboolean woolly_admin_quit_finish (WoollyAdmin *self, GAsyncResult *result, GError **error);

G_END_DECLS
