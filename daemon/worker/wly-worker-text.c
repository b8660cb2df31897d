/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Tokenize, Detokenize, Render: in the text thread.
 */
#include "wly-worker-private.h"

#include "wly-error.h"
#include "wly-options.h"
#include "wly-prompt.h"

/* Most bytes of an array in a reply.  D-Bus takes 64 MiB; an answer beyond that would cost the connection, and with it
 * what everybody else generates. */
#define MAX_REPLY_BYTES (32 * 1024 * 1024)

typedef struct {
  WlyCall call;
  WlyOpened *opened;
  int body_fd;
  int *fds;
  gsize n_fds;
  GVariant *options;
  GVariant *tokens_in;
  WlyBody body;
  GArray *tokens;
  GByteArray *bytes;
  WlyRendered rendered;
} TextCall;

static TextCall *
text_call_new (WlyWorker *worker, GDBusMethodInvocation *invocation, GUnixFDList *fd_list)
{
  TextCall *text = g_new0 (TextCall, 1);

  wly_call_init (&text->call, worker, invocation, fd_list);
  text->opened = wly_opened_ref (worker->opened);
  text->tokens = g_array_new (FALSE, FALSE, sizeof (gint32));
  text->bytes  = g_byte_array_new ();
  return text;
}

static void
text_call_free (TextCall *text)
{
  wly_call_clear (&text->call);
  wly_opened_unref (text->opened);
  g_free (text->fds);
  g_clear_pointer (&text->options, g_variant_unref);
  g_clear_pointer (&text->tokens_in, g_variant_unref);
  wly_body_clear (&text->body);
  g_array_unref (text->tokens);
  g_byte_array_unref (text->bytes);
  wly_rendered_clear (&text->rendered);
  g_free (text);
}

/* TRUE: there was an error, which was replied; the call is gone. */
static gboolean
failed (TextCall *text)
{
  if (text->call.error == NULL)
    return FALSE;
  wly_worker_refuse (text->call.invocation, g_steal_pointer (&text->call.error));
  text_call_free (text);
  return TRUE;
}

/* Finds the body's descriptors; FALSE: the call was refused and is gone. */
static gboolean
take_body (TextCall *text, GVariant *body, GVariant *fds)
{
  text->body_fd = wly_call_fd (&text->call, body);
  if (text->body_fd < 0)
    text->call.error = g_error_new_literal (WLY_ERROR, WLY_ERROR_INVALID_ARGS, "The request came without its body");
  else
    text->fds = wly_call_fds (&text->call, fds, &text->n_fds, &text->call.error);
  return !failed (text);
}

static gboolean
take_options (TextCall *text, GVariant *options)
{
  text->options = g_variant_ref (options);
  wly_options_check (1u << WLY_SCOPE_TOKENIZE | 1u << WLY_SCOPE_WORKER, options, &text->call.error);
  return !failed (text);
}

static void
push (TextCall *text, gsize n_bytes, WlyWorkFunc work, WlyWorkFunc done)
{
  wly_lane_push (text->call.worker->text, wly_options_get_uint64 (WLY_SCOPE_WORKER, text->options, "salt"), n_bytes,
                 work, done, text);
}

/* ---- Tokenize ---- */

static void
tokenize_work (gpointer data)
{
  TextCall *text = data;

  if (wly_body_read (text->body_fd, text->fds, text->n_fds, &text->body, &text->call.error))
    wly_prompt_tokenize (
        text->opened, &text->body, wly_options_get_boolean (WLY_SCOPE_TOKENIZE, text->options, "special"),
        wly_options_get_boolean (WLY_SCOPE_TOKENIZE, text->options, "add-bos"), text->tokens, &text->call.error);
  if (text->call.error == NULL && text->tokens->len > MAX_REPLY_BYTES / sizeof (guint32))
    text->call.error = g_error_new (WLY_ERROR, WLY_ERROR_INVALID_ARGS,
                                    "The text has %u tokens, more than the %u that one answer can hold; cut it",
                                    text->tokens->len, (guint)(MAX_REPLY_BYTES / sizeof (guint32)));
}

static void
tokenize_done (gpointer data)
{
  TextCall *text = data;
  GVariant *tokens;

  if (failed (text))
    return;
  tokens = g_variant_new_fixed_array (G_VARIANT_TYPE_UINT32, text->tokens->data, text->tokens->len, sizeof (guint32));
  wly_rpc_worker1_complete_tokenize (text->call.worker->skeleton, text->call.invocation, NULL, tokens);
  text_call_free (text);
}

static gboolean
handle_tokenize_cb (WlyRpcWorker1 *skeleton, GDBusMethodInvocation *invocation, GUnixFDList *fd_list, GVariant *body,
                    GVariant *fds, GVariant *options, gpointer data)
{
  WlyWorker *worker = data;
  TextCall *text;

  if (!wly_worker_require (worker, WLY_WORKER_OPENED, invocation))
    return G_DBUS_METHOD_INVOCATION_HANDLED;
  text = text_call_new (worker, invocation, fd_list);
  if (take_body (text, body, fds) && take_options (text, options))
    push (text, wly_call_n_text_bytes (text->body_fd, text->n_fds), tokenize_work, tokenize_done);
  return G_DBUS_METHOD_INVOCATION_HANDLED;
}

/* ---- Detokenize ---- */

static void
detokenize_work (gpointer data)
{
  TextCall *text                = data;
  const WlyTokenizer *tokenizer = wly_opened_tokenizer (text->opened, &text->call.error);
  gboolean special              = wly_options_get_boolean (WLY_SCOPE_TOKENIZE, text->options, "special");
  g_autoptr (GString) bytes     = g_string_new (NULL);
  gsize n                       = 0;
  const guint32 *tokens         = g_variant_get_fixed_array (text->tokens_in, &n, sizeof (guint32));

  if (tokenizer == NULL || !wly_gguf_check_unchanged (wly_opened_gguf (text->opened), &text->call.error))
    return;
  for (gsize i = 0; i < n; i++) {
    if (tokens[i] >= wly_tokenizer_n_vocab (tokenizer)) {
      text->call.error =
          g_error_new (WLY_ERROR, WLY_ERROR_INVALID_ARGS, "Token %" G_GSIZE_FORMAT " is %u; the vocabulary has %u", i,
                       tokens[i], wly_tokenizer_n_vocab (tokenizer));
      return;
    }
    wly_tokenizer_decode (tokenizer, (gint32)tokens[i], i == 0, special, bytes);
    if (bytes->len > MAX_REPLY_BYTES) {
      text->call.error = g_error_new (WLY_ERROR, WLY_ERROR_INVALID_ARGS,
                                      "The tokens up to number %" G_GSIZE_FORMAT
                                      " make more text than the %d bytes that one answer can hold",
                                      i, MAX_REPLY_BYTES);
      return;
    }
  }
  g_byte_array_append (text->bytes, (const guint8 *)bytes->str, (guint)bytes->len);
}

static void
detokenize_done (gpointer data)
{
  TextCall *text = data;

  if (failed (text))
    return;
  wly_rpc_worker1_complete_detokenize (
      text->call.worker->skeleton, text->call.invocation,
      g_variant_new_fixed_array (G_VARIANT_TYPE_BYTE, text->bytes->data, text->bytes->len, 1));
  text_call_free (text);
}

static gboolean
handle_detokenize_cb (WlyRpcWorker1 *skeleton, GDBusMethodInvocation *invocation, GVariant *tokens, GVariant *options,
                      gpointer data)
{
  WlyWorker *worker = data;
  TextCall *text;

  if (!wly_worker_require (worker, WLY_WORKER_OPENED, invocation))
    return G_DBUS_METHOD_INVOCATION_HANDLED;
  text            = text_call_new (worker, invocation, NULL);
  text->tokens_in = g_variant_ref (tokens);
  if (take_options (text, options))
    push (text, g_variant_get_size (tokens), detokenize_work, detokenize_done);
  return G_DBUS_METHOD_INVOCATION_HANDLED;
}

/* ---- Render ---- */

static void
render_work (gpointer data)
{
  TextCall *text = data;

  if (!wly_body_read (text->body_fd, text->fds, text->n_fds, &text->body, &text->call.error))
    return;
  if (text->body.messages == NULL)
    text->call.error =
        g_error_new_literal (WLY_ERROR, WLY_ERROR_INVALID_ARGS, "Option messages: only a conversation can be rendered");
  else if (wly_prompt_render (text->opened, &text->body, &text->rendered, &text->call.error)
           && !g_utf8_validate_len (text->rendered.text, text->rendered.n_bytes, NULL))
    text->call.error = g_error_new_literal (WLY_ERROR, WLY_ERROR_TEMPLATE_FAILED,
                                            "The chat template writes something that is no UTF-8");
}

static void
render_done (gpointer data)
{
  TextCall *text = data;

  if (failed (text))
    return;
  wly_rpc_worker1_complete_render (text->call.worker->skeleton, text->call.invocation, NULL, text->rendered.text,
                                   wly_prompt_trusted (&text->rendered));
  text_call_free (text);
}

static gboolean
handle_render_cb (WlyRpcWorker1 *skeleton, GDBusMethodInvocation *invocation, GUnixFDList *fd_list, GVariant *body,
                  GVariant *fds, GVariant *options, gpointer data)
{
  WlyWorker *worker = data;
  TextCall *text;

  if (!wly_worker_require (worker, WLY_WORKER_OPENED, invocation))
    return G_DBUS_METHOD_INVOCATION_HANDLED;
  text = text_call_new (worker, invocation, fd_list);
  if (take_body (text, body, fds) && take_options (text, options))
    push (text, wly_call_n_text_bytes (text->body_fd, text->n_fds), render_work, render_done);
  return G_DBUS_METHOD_INVOCATION_HANDLED;
}

void
wly_worker_connect_text (WlyWorker *worker)
{
  g_signal_connect (worker->skeleton, "handle-tokenize", G_CALLBACK (handle_tokenize_cb), worker);
  g_signal_connect (worker->skeleton, "handle-detokenize", G_CALLBACK (handle_detokenize_cb), worker);
  g_signal_connect (worker->skeleton, "handle-render", G_CALLBACK (handle_render_cb), worker);
}
