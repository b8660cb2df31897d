/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Embed, Rerank: texts to tokens in the text thread, then batch after batch as jobs of the step thread, so that what
 * others ask for has its turn in between.  A text that is larger than a batch is one job, however many steps it takes.
 */
#include "wly-worker-private.h"

#include "wly-embed.h"
#include "wly-error.h"
#include "wly-options.h"
#include "wly-os.h"

#include <errno.h>
#include <math.h>
#include <string.h>

typedef struct {
  WlyCall call;
  WlyOpened *opened;
  GVariant *texts; /* as */
  char *query;     /* Rerank, else NULL */
  GVariant *options;
  int fd;           /* Embed: for the vectors, empty and at its beginning */
  GPtrArray *lists; /* GArray of gint32, a text each */
  guint next;       /* the first that is not computed yet */
  guint width;      /* of a row that is written */
  guint64 n_tokens;
  GArray *scores; /* double; Rerank */
} EmbedCall;

static EmbedCall *
embed_call_new (WlyWorker *worker, GDBusMethodInvocation *invocation, GUnixFDList *fd_list, GVariant *texts,
                GVariant *options)
{
  EmbedCall *self = g_new0 (EmbedCall, 1);

  wly_call_init (&self->call, worker, invocation, fd_list);
  self->opened  = wly_opened_ref (worker->opened);
  self->texts   = g_variant_ref (texts);
  self->options = g_variant_ref (options);
  self->fd      = -1;
  self->lists   = g_ptr_array_new_with_free_func ((GDestroyNotify)g_array_unref);
  self->scores  = g_array_new (FALSE, FALSE, sizeof (double));
  return self;
}

static void
embed_call_free (EmbedCall *self)
{
  wly_call_clear (&self->call);
  wly_opened_unref (self->opened);
  g_variant_unref (self->texts);
  g_variant_unref (self->options);
  g_ptr_array_unref (self->lists);
  g_array_unref (self->scores);
  g_free (self->query);
  g_free (self);
}

/* TRUE: there was an error, which was replied. */
static gboolean
failed (EmbedCall *self)
{
  if (self->call.error == NULL)
    return FALSE;
  wly_worker_refuse (self->call.invocation, g_steal_pointer (&self->call.error));
  embed_call_free (self);
  return TRUE;
}

/* ---- tokens ---- */

static gboolean
add_tokens (EmbedCall *self, const WlyTokenizer *tokenizer, const char *text)
{
  GArray *tokens         = g_array_new (FALSE, FALSE, sizeof (gint32));
  const WlyTextSpan span = { text, strlen (text), FALSE };

  g_ptr_array_add (self->lists, tokens);
  if (self->query != NULL ? !wly_tokenizer_encode_pair (tokenizer, self->query, text, tokens, &self->call.error)
                          : !wly_tokenizer_encode (tokenizer, &span, 1, TRUE, tokens, &self->call.error)) {
    g_prefix_error (&self->call.error, "Text %u: ", self->lists->len - 1);
    return FALSE;
  }
  if (tokens->len == 0) {
    self->call.error =
        g_error_new (WLY_ERROR, WLY_ERROR_INVALID_ARGS, "Text %u is empty: it has no tokens", self->lists->len - 1);
    return FALSE;
  }
  self->n_tokens += tokens->len;
  return TRUE;
}

static void
tokenize_work (gpointer data)
{
  EmbedCall *self               = data;
  const WlyTokenizer *tokenizer = wly_opened_tokenizer (self->opened, &self->call.error);
  GVariantIter iter;
  const char *text;

  if (tokenizer == NULL || !wly_gguf_check_unchanged (wly_opened_gguf (self->opened), &self->call.error))
    return;
  g_variant_iter_init (&iter, self->texts);
  while (g_variant_iter_next (&iter, "&s", &text))
    if (!add_tokens (self, tokenizer, text))
      return;
}

/* ---- vectors ---- */

/* Behind those that were written before. */
static gboolean
write_rows (EmbedCall *self, const float *rows, guint n)
{
  if (wly_os_write_all (self->fd, rows, (gsize)n * self->width * sizeof *rows))
    return TRUE;
  self->call.error =
      g_error_new (WLY_ERROR, WLY_ERROR_NO_MEMORY, "The vectors cannot be written: %s", g_strerror (errno));
  return FALSE;
}

static void
add_scores (EmbedCall *self, const float *rows, guint n, guint width)
{
  const gboolean normalise = wly_options_get_boolean (WLY_SCOPE_RERANK, self->options, "normalize");

  for (guint i = 0; i < n; i++) {
    double score = rows[(gsize)i * width];

    if (normalise)
      score = 1 / (1 + exp (-score));
    g_array_append_val (self->scores, score);
  }
}

/* Whether the model can do it, and as wide as it is asked for. */
static gboolean
check_model (EmbedCall *self, WlyNetwork *network)
{
  const enum wlp_pool pooling = wly_embed_pooling (network);
  const guint width           = wly_embed_width (network);
  const guint dimensions =
      self->query == NULL ? wly_options_get_uint32 (WLY_SCOPE_EMBED, self->options, "dimensions") : 0;

  if (pooling == WLP_POOL_NONE || (pooling == WLP_POOL_RANK) != (self->query != NULL)) {
    self->call.error = g_error_new (WLY_ERROR, WLY_ERROR_NOT_SUPPORTED, "This model makes %s, no %s",
                                    pooling == WLP_POOL_NONE   ? "text"
                                    : pooling == WLP_POOL_RANK ? "scores of pairs"
                                                               : "embeddings",
                                    self->query != NULL ? "scores of pairs" : "embeddings");
    return FALSE;
  }
  if (dimensions > width) {
    self->call.error = g_error_new (WLY_ERROR, WLY_ERROR_INVALID_ARGS,
                                    "Option “dimensions” is %u; the model's embeddings have %u", dimensions, width);
    return FALSE;
  }
  self->width = dimensions > 0 ? dimensions : width;
  return TRUE;
}

/* One batch. */
static void
step_work (gpointer data)
{
  EmbedCall *self        = data;
  WlyNetwork *network    = wly_stepper_network (self->call.worker->stepper);
  g_autofree float *rows = NULL;
  guint n                = 0;

  if (!check_model (self, network) || self->next == self->lists->len)
    return;
  if (wly_stepper_stopped (self->call.worker->stepper)) {
    self->call.error = g_error_new_literal (WLY_ERROR, WLY_ERROR_CANCELLED, "The model is being unloaded");
    return;
  }
  if (!wly_embed_compute (network, self->lists, self->next, &n, &rows, &self->call.error))
    return;
  if (self->query != NULL) {
    add_scores (self, rows, n, wly_embed_width (network));
  } else {
    wly_embed_finish (rows, n, wly_embed_width (network), self->width,
                      !wly_options_get_boolean (WLY_SCOPE_EMBED, self->options, "raw"));
    if (!write_rows (self, rows, n))
      return;
  }
  self->next += n;
}

static void
reply (EmbedCall *self)
{
  WlyRpcWorker1 *skeleton    = self->call.worker->skeleton;
  g_auto (GVariantDict) info = G_VARIANT_DICT_INIT (NULL);

  if (self->query != NULL) {
    wly_rpc_worker1_complete_rerank (
        skeleton, self->call.invocation,
        g_variant_new_fixed_array (G_VARIANT_TYPE_DOUBLE, self->scores->data, self->scores->len, sizeof (double)));
    return;
  }
  g_variant_dict_insert (&info, "rows", "u", self->lists->len);
  g_variant_dict_insert (&info, "dimensions", "u", self->width);
  g_variant_dict_insert (&info, "tokens", "t", self->n_tokens);
  wly_rpc_worker1_complete_embed (skeleton, self->call.invocation, NULL, g_variant_dict_end (&info));
}

static void
step_done (gpointer data)
{
  EmbedCall *self = data;

  if (failed (self))
    return;
  if (self->next < self->lists->len && wly_stepper_stopped (self->call.worker->stepper)) {
    self->call.error = g_error_new_literal (WLY_ERROR, WLY_ERROR_CANCELLED, "The model is being unloaded");
    failed (self);
    return;
  }
  if (self->next < self->lists->len) {
    wly_stepper_push (self->call.worker->stepper, step_work, step_done, self);
    return;
  }
  reply (self);
  embed_call_free (self);
}

static void
tokenize_done (gpointer data)
{
  EmbedCall *self = data;

  if (!failed (self))
    wly_stepper_push (self->call.worker->stepper, step_work, step_done, self);
}

/* ---- calls ---- */

static void
begin (EmbedCall *self, WlyScope scope)
{
  if (wly_options_check (1u << scope | 1u << WLY_SCOPE_WORKER, self->options, &self->call.error))
    wly_lane_push (self->call.worker->text, wly_options_get_uint64 (WLY_SCOPE_WORKER, self->options, "salt"),
                   g_variant_get_size (self->texts), tokenize_work, tokenize_done, self);
  else
    failed (self);
}

static gboolean
handle_embed_cb (WlyRpcWorker1 *skeleton, GDBusMethodInvocation *invocation, GUnixFDList *fd_list, GVariant *texts,
                 GVariant *vectors, GVariant *options, gpointer data)
{
  WlyWorker *worker = data;
  EmbedCall *self;

  if (!wly_worker_require (worker, WLY_WORKER_LOADED, invocation))
    return G_DBUS_METHOD_INVOCATION_HANDLED;
  self     = embed_call_new (worker, invocation, fd_list, texts, options);
  self->fd = wly_call_fd (&self->call, vectors);
  if (self->fd < 0) {
    self->call.error =
        g_error_new_literal (WLY_ERROR, WLY_ERROR_INVALID_ARGS, "The request came without a file for the vectors");
    failed (self);
  } else {
    begin (self, WLY_SCOPE_EMBED);
  }
  return G_DBUS_METHOD_INVOCATION_HANDLED;
}

static gboolean
handle_rerank_cb (WlyRpcWorker1 *skeleton, GDBusMethodInvocation *invocation, const char *query, GVariant *documents,
                  GVariant *options, gpointer data)
{
  WlyWorker *worker = data;
  EmbedCall *self;

  if (!wly_worker_require (worker, WLY_WORKER_LOADED, invocation))
    return G_DBUS_METHOD_INVOCATION_HANDLED;
  self        = embed_call_new (worker, invocation, NULL, documents, options);
  self->query = g_strdup (query);
  begin (self, WLY_SCOPE_RERANK);
  return G_DBUS_METHOD_INVOCATION_HANDLED;
}

void
wly_worker_connect_embed (WlyWorker *worker)
{
  g_signal_connect (worker->skeleton, "handle-embed", G_CALLBACK (handle_embed_cb), worker);
  g_signal_connect (worker->skeleton, "handle-rerank", G_CALLBACK (handle_rerank_cb), worker);
}
