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

/* How many texts from @first on share a batch; 0 with an error: not even the first fits. */
static guint
count_fitting (WlyNetwork *network, const GPtrArray *texts, guint first, GError **error)
{
  const guint limit = MIN (wly_network_max_batch_tokens (network), wly_network_max_positions (network));
  guint n = 0, sum = 0;

  if (n_tokens_of (texts, first) > limit) {
    g_set_error (error, WLY_ERROR, WLY_ERROR_INVALID_ARGS, "Text %u has %u tokens; the model takes at most %u", first,
                 n_tokens_of (texts, first), limit);
    return 0;
  }
  while (first + n < texts->len && n < wly_network_max_sequences (network)
         && n_tokens_of (texts, first + n) <= wly_network_max_batch_tokens (network) - sum
         && n_tokens_of (texts, first + n) <= limit)
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
  g_autofree float *rows = NULL;
  guint n                = count_fitting (network, texts, first, error);

  if (n == 0)
    return FALSE;
  rows = g_new (float, (gsize)n *width);
  for (;;) {
    g_autoptr (GError) failed = NULL;

    if (compute (network, texts, first, n, rows, &failed))
      break;
    if (n == 1 || !g_error_matches (failed, WLY_ERROR, WLY_ERROR_NO_MEMORY)) {
      g_propagate_error (error, g_steal_pointer (&failed));
      return FALSE;
    }
    n /= 2;
  }
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
