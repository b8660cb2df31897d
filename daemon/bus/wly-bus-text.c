/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wly-bus-text.h"

#include "wly-error.h"
#include "wly-frame.h"
#include "wly-options.h"
#include "wly-request.h"

#include <errno.h>
#include <glib-unix.h>
#include <unistd.h>

#define MAX_TEXT_BYTES (16 * 1024 * 1024)
/* After the time is up: how long the worker may take to say how many tokens it made. */
#define GRACE_MS 1000

typedef struct {
  WlyBusCall *call;
  WlyRequest *request; /* NULL while the model is looked for */
  int stream;
  guint source;
  guint timer;
  gulong gone_handler;
  gboolean timed_out;
  GByteArray *text;
} Text;

static void
text_free (Text *self)
{
  g_clear_handle_id (&self->source, g_source_remove);
  g_clear_handle_id (&self->timer, g_source_remove);
  g_signal_handler_disconnect (self->call->caller, self->gone_handler);
  if (self->request != NULL) {
    g_signal_handlers_disconnect_by_data (self->request, self);
    wly_request_cancel (self->request);
    g_object_unref (self->request);
  }
  if (self->stream >= 0)
    close (self->stream);
  g_byte_array_unref (self->text);
  g_free (self);
}

static void
fail (Text *self, const GError *error)
{
  WlyBusCall *call = self->call;

  text_free (self);
  wly_bus_call_fail (call, error);
}

static void
reply_text (Text *self)
{
  WlyBusCall *call           = self->call;
  g_auto (GVariantDict) dict = G_VARIANT_DICT_INIT (wly_request_get_result (self->request));
  gsize n_bytes;
  g_autofree char *text = wly_utf8_clean ((const char *)self->text->data, self->text->len, &n_bytes);
  GVariant *result;

  if (self->timed_out) {
    g_variant_dict_insert (&dict, "reason", "s", "timeout");
    g_variant_dict_remove (&dict, "error");
    g_variant_dict_remove (&dict, "message");
  }
  result = g_variant_dict_end (&dict);
  text_free (self);
  wly_bus_call_return (call, g_variant_new ("(s@a{sv})", text, result));
}

static void
maybe_reply (Text *self)
{
  g_autoptr (GError) error = NULL;
  const char *name = NULL, *message = "the generation failed";
  GVariant *result;

  if (self->source != 0 || !wly_request_has_ended (self->request))
    return;
  result = wly_request_get_result (self->request);
  if (!self->timed_out && wly_request_get_state (self->request) != WLY_REQUEST_DONE) {
    g_variant_lookup (result, "error", "&s", &name);
    g_variant_lookup (result, "message", "&s", &message);
    error = g_error_new_literal (WLY_ERROR, wly_error_from_dbus_name (name), message);
    fail (self, error);
  } else {
    reply_text (self);
  }
}

static gboolean
read_cb (int fd, GIOCondition condition, gpointer data)
{
  Text *self = data;
  guint8 buffer[4096];
  gssize n = read (fd, buffer, sizeof buffer);

  if (n < 0 && (errno == EINTR || errno == EAGAIN))
    return G_SOURCE_CONTINUE;
  if (n > 0) {
    if (self->text->len + (gsize)n <= MAX_TEXT_BYTES)
      g_byte_array_append (self->text, buffer, (guint)n);
    return G_SOURCE_CONTINUE;
  }
  self->source = 0;
  maybe_reply (self);
  return G_SOURCE_REMOVE;
}

static void
ended_cb (WlyRequest *request, gpointer data)
{
  maybe_reply (data);
}

static gboolean
grace_over_cb (gpointer data)
{
  Text *self = data;

  self->timer = 0;
  reply_text (self);
  return G_SOURCE_REMOVE;
}

static gboolean
time_up_cb (gpointer data)
{
  Text *self = data;

  self->timed_out = TRUE;
  self->timer     = 0;
  if (self->request == NULL)
    return G_SOURCE_REMOVE; /* resolved_cb() sees it */
  self->timer = g_timeout_add (GRACE_MS, grace_over_cb, self);
  wly_request_cancel (self->request); /* may answer at once */
  return G_SOURCE_REMOVE;
}

static void
gone_cb (WlyBusCaller *caller, gpointer data)
{
  Text *self               = data;
  g_autoptr (GError) error = g_error_new_literal (WLY_ERROR, WLY_ERROR_DISCONNECTED, "the caller has left the bus");

  if (self->request != NULL)
    fail (self, error);
}

static WlyRequest *
make_request (Text *self, WlyModel *model, GError **error)
{
  WlyBusCall *call               = self->call;
  WlyAccount *account            = wly_bus_caller_get_account (call->caller);
  g_auto (GVariantDict) dict     = G_VARIANT_DICT_INIT (call->options);
  g_autoptr (GVariant) options   = NULL;
  g_autoptr (WlySession) session = wly_session_new (model, account, g_variant_new ("a{sv}", NULL), error);
  WlyRequestInput input          = { session, TRUE, call->body_fd, call->fds, NULL };

  if (session == NULL)
    return NULL;
  g_variant_dict_insert (&dict, "stream", "s", "text");
  options       = g_variant_ref_sink (g_variant_dict_end (&dict));
  input.options = options;
  call->body_fd = -1;
  wly_bus_call_uncount (call);
  return wly_request_new (wly_bus_get_queue (model), call->bus->settings, &input, &self->stream, error);
}

static void
resolved_cb (WlyBusCall *call, WlyModel *model, const GError *not_found, gpointer data)
{
  Text *self               = data;
  g_autoptr (GError) error = not_found != NULL ? g_error_copy (not_found) : NULL;

  if (error == NULL && self->timed_out)
    g_set_error_literal (&error, WLY_ERROR, WLY_ERROR_TIMED_OUT, "the model was not found in time");
  else if (error == NULL && wly_bus_caller_is_gone (call->caller))
    g_set_error_literal (&error, WLY_ERROR, WLY_ERROR_DISCONNECTED, "the caller has left the bus");
  else if (error == NULL)
    self->request = make_request (self, model, &error);
  if (error != NULL) {
    self->stream = -1;
    fail (self, error);
    return;
  }
  g_unix_set_fd_nonblocking (self->stream, TRUE, NULL);
  self->source = g_unix_fd_add (self->stream, G_IO_IN | G_IO_HUP | G_IO_ERR, read_cb, self);
  g_signal_connect (self->request, "ended", G_CALLBACK (ended_cb), self);
}

void
wly_bus_text_begin (WlyBusCall *call, const char *model)
{
  Text *self = g_new0 (Text, 1);

  self->call         = call;
  self->stream       = -1;
  self->text         = g_byte_array_new ();
  self->gone_handler = g_signal_connect (call->caller, "gone", G_CALLBACK (gone_cb), self);
  self->timer =
      g_timeout_add (wly_options_get_uint32 (WLY_SCOPE_GENERATE, call->options, "timeout-ms"), time_up_cb, self);
  wly_bus_call_resolve (call, model, resolved_cb, self);
}
