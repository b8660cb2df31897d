/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wly-embed.h"

#include "wly-error.h"

#include <math.h>
#include <string.h>

enum wlp_pool
wly_embed_pooling (WlyNetwork *network)
{
  return (enum wlp_pool)wly_network_program (network)->limits.pooling;
}

guint
wly_embed_width (WlyNetwork *network)
{
  return wly_network_program (network)->output_width;
}

static guint
n_tokens_of (const GPtrArray *texts, guint index)
{
  return ((const GArray *)g_ptr_array_index (texts, index))->len;
}

/* How a text that no batch takes is refused; a causal network reads it in several steps, where its context has room. */
static gboolean
check_length (WlyNetwork *network, guint number, guint n_tokens, GError **error)
{
  const guint positions = wly_network_max_positions (network), step = wly_network_max_batch_tokens (network);

  if (n_tokens > positions)
    g_set_error (error, WLY_ERROR, WLY_ERROR_INVALID_ARGS,
                 "Text %u has %u tokens; the model's context takes at most %u", number, n_tokens, positions);
  else if (n_tokens > step && wly_network_program (network)->limits.causal == 0)
    g_set_error (error, WLY_ERROR, WLY_ERROR_INVALID_ARGS,
                 "Text %u has %u tokens; this model reads a text in one step, of at most %u: the setting batch-tokens "
                 "makes it larger",
                 number, n_tokens, step);
  else
    return TRUE;
  return FALSE;
}

/* How many texts from @first on share a batch; 0: the first is larger than one. */
static guint
count_fitting (WlyNetwork *network, const GPtrArray *texts, guint first)
{
  const guint limit = wly_network_max_batch_tokens (network), positions = wly_network_max_positions (network);
  guint n = 0, sum = 0;

  while (first + n < texts->len && n < wly_network_max_sequences (network)
         && n_tokens_of (texts, first + n) <= limit - sum && n_tokens_of (texts, first + n) <= positions)
    sum += n_tokens_of (texts, first + n++);
  return n;
}

static WlySequence *
make_sequence (WlyNetwork *network, const GArray *tokens, GError **error)
{
  g_autoptr (WlySequence) sequence =
      wly_sequence_new (wly_network_cache (network), WLP_TYPE_F16, 0, MAX (tokens->len, 1), error);

  if (sequence == NULL
      || !wly_sequence_append (sequence, (const gint32 *)(const void *)tokens->data, tokens->len, NULL, error))
    return NULL;
  /* pooling wants all of its tokens in this step */
  wly_sequence_invalidate (sequence);
  return g_steal_pointer (&sequence);
}

static gboolean
compute (WlyNetwork *network, const GPtrArray *texts, guint first, guint n, float *rows, GError **error)
{
  const guint width               = wly_embed_width (network);
  g_autofree WlyStepItem *items   = g_new0 (WlyStepItem, n);
  g_autoptr (GPtrArray) sequences = g_ptr_array_new_with_free_func ((GDestroyNotify)wly_sequence_free);

  for (guint i = 0; i < n; i++) {
    WlySequence *sequence = make_sequence (network, g_ptr_array_index (texts, first + i), error);

    if (sequence == NULL)
      return FALSE;
    g_ptr_array_add (sequences, sequence);
    items[i] = (WlyStepItem){ .sequence = sequence, .n_tokens = n_tokens_of (texts, first + i), .want_output = TRUE };
  }
  if (!wly_network_step (network, items, n, NULL, error))
    return FALSE;
  for (guint i = 0; i < n; i++)
    memcpy (rows + (gsize)i * width, items[i].output, width * sizeof *rows);
  return TRUE;
}

/* As many of them as there is memory for: *n gets smaller. */
static gboolean
compute_together (WlyNetwork *network, const GPtrArray *texts, guint first, guint *n, float *rows, GError **error)
{
  for (;; *n /= 2) {
    g_autoptr (GError) failed = NULL;

    if (compute (network, texts, first, *n, rows, &failed))
      return TRUE;
    if (*n == 1 || !g_error_matches (failed, WLY_ERROR, WLY_ERROR_NO_MEMORY)) {
      g_propagate_error (error, g_steal_pointer (&failed));
      return FALSE;
    }
  }
}

/* A text that is larger than a batch, one after the other: of a causal network no token hangs on those behind it. */
static gboolean
compute_in_steps (WlyNetwork *network, const GArray *tokens, float *row, GError **error)
{
  const guint width = wly_embed_width (network), limit = wly_network_max_batch_tokens (network);
  const enum wlp_pool pooling      = wly_embed_pooling (network);
  g_autoptr (WlySequence) sequence = make_sequence (network, tokens, error);
  g_autofree double *sums          = g_new0 (double, width);

  if (sequence == NULL)
    return FALSE;
  for (guint done = 0; done < tokens->len;) {
    WlyStepItem item = { .sequence = sequence, .n_tokens = MIN (limit, tokens->len - done), .want_output = TRUE };
    double share     = pooling == WLP_POOL_MEAN ? (double)item.n_tokens / tokens->len : 1;

    if (!wly_network_step (network, &item, 1, NULL, error))
      return FALSE;
    done += item.n_tokens;
    if (pooling == WLP_POOL_LAST && done < tokens->len)
      continue;
    for (guint i = 0; i < width; i++)
      sums[i] += share * item.output[i];
    /* the first token is all that the others want */
    if (pooling != WLP_POOL_MEAN)
      break;
  }
  for (guint i = 0; i < width; i++)
    row[i] = (float)sums[i];
  return TRUE;
}

static gboolean
all_finite (const float *rows, gsize n)
{
  for (gsize i = 0; i < n; i++)
    if (!isfinite (rows[i]))
      return FALSE;
  return TRUE;
}

gboolean
wly_embed_compute (WlyNetwork *network, const GPtrArray *texts, guint first, guint *ret_n, float **ret_rows,
                   GError **error)
{
  const guint width      = wly_embed_width (network);
  const guint fitting    = count_fitting (network, texts, first);
  guint n                = MAX (fitting, 1);
  g_autofree float *rows = NULL;

  if (!check_length (network, first, n_tokens_of (texts, first), error))
    return FALSE;
  rows = g_new (float, (gsize)n *width);
  if (fitting > 0 ? !compute_together (network, texts, first, &n, rows, error)
                  : !compute_in_steps (network, g_ptr_array_index (texts, first), rows, error))
    return FALSE;
  if (!all_finite (rows, (gsize)n * width)) {
    g_set_error (error, WLY_ERROR, WLY_ERROR_NUMERIC_FAULT, "The model gave no numbers for a text from number %u on",
                 first);
    return FALSE;
  }
  *ret_n    = n;
  *ret_rows = g_steal_pointer (&rows);
  return TRUE;
}

void
wly_embed_finish (float *rows, guint n_rows, guint n_width, guint width, gboolean normalise)
{
  for (guint row = 0; row < n_rows; row++) {
    const float *from = rows + (gsize)row * n_width;
    float *to         = rows + (gsize)row * width;
    double sum        = 0;

    memmove (to, from, width * sizeof *to);
    for (guint i = 0; i < width; i++)
      sum += (double)to[i] * to[i];
    for (guint i = 0; normalise && sum > 0 && i < width; i++)
      to[i] = (float)(to[i] / sqrt (sum));
  }
}
