/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wly-bus-embed.h"

#include "wly-bus-call.h"
#include "wly-error.h"
#include "wly-options.h"
#include "wly-os.h"

#include <sys/stat.h>

/* A batch of texts may wait for others, and take long itself. */
#define CALL_TIMEOUT_MS (30 * 60 * 1000)
#define MAX_TEXTS       4096
#define MAX_TEXT_BYTES  (16 * 1024 * 1024)

static gboolean
is_rerank (WlyBusCall *call)
{
  return g_str_equal (g_dbus_method_invocation_get_method_name (call->invocation), "Rerank");
}

static gboolean
check_texts (GVariant *texts, GError **error)
{
  const gsize n = g_variant_n_children (texts);

  if (n >= 1 && n <= MAX_TEXTS && g_variant_get_size (texts) <= MAX_TEXT_BYTES)
    return TRUE;
  g_set_error (error, WLY_ERROR, WLY_ERROR_INVALID_ARGS,
               "%" G_GSIZE_FORMAT " texts of %" G_GSIZE_FORMAT " bytes; one call takes 1 to %d, of %d bytes in all", n,
               g_variant_get_size (texts), MAX_TEXTS, MAX_TEXT_BYTES);
  return FALSE;
}

/* Whether the file is as long as the worker says; it is sealed then. */
static gboolean
seal_vectors (WlyBusCall *call, GVariant *info, GError **error)
{
  guint32 n_rows = 0, dimensions = 0;
  struct stat status;

  g_variant_lookup (info, "rows", "u", &n_rows);
  g_variant_lookup (info, "dimensions", "u", &dimensions);
  if (n_rows == g_variant_n_children (call->input) && dimensions > 0 && fstat (call->body_fd, &status) == 0
      && (guint64)status.st_size == (guint64)n_rows * dimensions * sizeof (float))
    return wly_os_memfd_seal (call->body_fd, error);
  g_set_error_literal (error, WLY_ERROR, WLY_ERROR_WORKER_LOST, "the worker's vectors are not what it says they are");
  return FALSE;
}

static void
embedded_cb (GObject *source, GAsyncResult *result, gpointer data)
{
  WlyBusCall *call           = data;
  g_autoptr (GError) error   = NULL;
  g_autoptr (GVariant) info  = NULL;
  g_autoptr (GVariant) reply = wly_worker_process_call_finish (WLY_WORKER_PROCESS (source), result, &error);
  int fd;

  if (reply != NULL) {
    info = g_variant_get_child_value (reply, 0);
    seal_vectors (call, info, &error);
  }
  if (error != NULL) {
    wly_bus_call_fail (call, error);
    return;
  }
  fd            = call->body_fd;
  call->body_fd = -1;
  wly_bus_call_return_fd (call, g_variant_new ("(h@a{sv})", 0, info), fd);
}

static void
reranked_cb (GObject *source, GAsyncResult *result, gpointer data)
{
  WlyBusCall *call            = data;
  g_autoptr (GError) error    = NULL;
  g_autoptr (GVariant) scores = NULL;
  g_autoptr (GVariant) reply  = wly_worker_process_call_finish (WLY_WORKER_PROCESS (source), result, &error);

  if (reply != NULL) {
    scores = g_variant_get_child_value (reply, 0);
    if (g_variant_n_children (scores) != g_variant_n_children (call->input))
      g_set_error_literal (&error, WLY_ERROR, WLY_ERROR_WORKER_LOST, "the worker gave another number of scores");
  }
  if (error != NULL)
    wly_bus_call_fail (call, error);
  else
    wly_bus_call_return (call, reply);
}

/* The model is loaded. */
static void
loaded_cb (GObject *source, GAsyncResult *result, gpointer data)
{
  WlyBusCall *call            = data;
  g_autoptr (GError) error    = NULL;
  g_autoptr (GUnixFDList) fds = g_unix_fd_list_new ();
  const gboolean ok           = wly_model_ensure_finish (WLY_MODEL (source), result, &error);
  WlyWorkerProcess *worker    = wly_model_get_worker (call->model);
  const char *query           = NULL;
  int handle                  = -1;

  if (is_rerank (call))
    g_variant_get_child (g_dbus_method_invocation_get_parameters (call->invocation), 0, "&s", &query);
  if (ok && worker == NULL)
    g_set_error_literal (&error, WLY_ERROR, WLY_ERROR_WORKER_LOST, "the worker process ended");
  if (error == NULL && query == NULL) {
    call->body_fd = wly_os_memfd_new ("woolly-vectors", &error);
    handle        = call->body_fd >= 0 ? g_unix_fd_list_append (fds, call->body_fd, &error) : -1;
  }
  if (error != NULL)
    wly_bus_call_fail (call, error);
  else if (query != NULL)
    wly_worker_process_call_async (
        worker, "Rerank", g_variant_new ("(s@as@a{sv})", query, call->input, wly_bus_call_worker_options (call)), fds,
        CALL_TIMEOUT_MS, reranked_cb, call);
  else
    wly_worker_process_call_async (
        worker, "Embed", g_variant_new ("(@ash@a{sv})", call->input, handle, wly_bus_call_worker_options (call)), fds,
        CALL_TIMEOUT_MS, embedded_cb, call);
}

void
wly_bus_embed_cb (gpointer data, WlyBusCaller *caller, GVariant *parameters, GDBusMethodInvocation *invocation)
{
  WlyBusModel *self        = data;
  WlyBusCall *call         = wly_bus_call_new (self->bus, caller, invocation);
  gsize n                  = g_variant_n_children (parameters);
  g_autoptr (GError) error = NULL;

  if (call == NULL)
    return;
  call->input   = g_variant_get_child_value (parameters, n - 2);
  call->options = g_variant_get_child_value (parameters, n - 1);
  if (!wly_options_check (1u << (is_rerank (call) ? WLY_SCOPE_RERANK : WLY_SCOPE_EMBED), call->options, &error)
      || !check_texts (call->input, &error)) {
    wly_bus_call_fail (call, error);
    return;
  }
  wly_bus_call_use_model (call, self->model);
  wly_model_ensure_async (self->model, TRUE, NULL, NULL, loaded_cb, call);
}
