/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

#include <woolly-version.h>

G_BEGIN_DECLS

#define WOOLLY_TYPE_JOB (woolly_job_get_type ())
WOOLLY_AVAILABLE_IN_ALL
G_DECLARE_FINAL_TYPE (WoollyJob, woolly_job, WOOLLY, JOB, GObject)

WOOLLY_AVAILABLE_IN_ALL
const char *woolly_job_get_state (WoollyJob *self);
WOOLLY_AVAILABLE_IN_ALL
void woolly_job_get_progress (WoollyJob *self, guint64 *ret_done, guint64 *ret_total);
WOOLLY_AVAILABLE_IN_ALL
const char *woolly_job_get_model (WoollyJob *self);
WOOLLY_AVAILABLE_IN_ALL
GError *woolly_job_dup_error (WoollyJob *self);
WOOLLY_AVAILABLE_IN_ALL
void woolly_job_release (WoollyJob *self);

WOOLLY_AVAILABLE_IN_ALL
gboolean woolly_job_cancel (WoollyJob *self, GCancellable *cancellable, GError **error);
WOOLLY_AVAILABLE_IN_ALL
void woolly_job_cancel_async (WoollyJob *self, GCancellable *cancellable, GAsyncReadyCallback callback,
                              gpointer user_data);
WOOLLY_AVAILABLE_IN_ALL
gboolean woolly_job_cancel_finish (WoollyJob *self, GAsyncResult *result, GError **error);

WOOLLY_AVAILABLE_IN_ALL
gboolean woolly_job_refresh (WoollyJob *self, GCancellable *cancellable, GError **error);
WOOLLY_AVAILABLE_IN_ALL
void woolly_job_refresh_async (WoollyJob *self, GCancellable *cancellable, GAsyncReadyCallback callback,
                               gpointer user_data);
WOOLLY_AVAILABLE_IN_ALL
gboolean woolly_job_refresh_finish (WoollyJob *self, GAsyncResult *result, GError **error);

G_END_DECLS
