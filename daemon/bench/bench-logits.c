/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "bench-logits.h"

#include "wly-error.h"

#include <glib/gi18n.h>
#include <math.h>
#include <string.h>

#define MAGIC        "WGL1"
#define HEADER_BYTES 12

static BenchLogits *
logits_alloc (guint n_tokens, guint n_vocab)
{
  BenchLogits *logits = g_new0 (BenchLogits, 1);

  logits->n_tokens = n_tokens;
  logits->n_vocab  = n_vocab;
  logits->tokens   = g_new0 (gint32, n_tokens);
  logits->logits   = g_new0 (float, (gsize)n_tokens *n_vocab);
  return logits;
}

void
bench_logits_free (BenchLogits *logits)
{
  if (logits == NULL)
    return;
  g_free (logits->tokens);
  g_free (logits->logits);
  g_free (logits);
}

/* ---- files ---- */

static guint32
word_at (const char *content, gsize index)
{
  guint32 word;

  memcpy (&word, content + 4 * index, sizeof word);
  return GUINT32_FROM_LE (word);
}

BenchLogits *
bench_logits_read (const char *path, GError **error)
{
  g_autofree char *content  = NULL;
  g_autoptr (GError) reason = NULL;
  BenchLogits *logits       = NULL;
  guint64 n_tokens;
  guint64 n_vocab;
  gsize n_bytes;

  if (!g_file_get_contents (path, &content, &n_bytes, &reason)) {
    g_set_error_literal (error, WLY_ERROR, WLY_ERROR_NOT_FOUND, reason->message);
    return NULL;
  }
  n_tokens = n_bytes >= HEADER_BYTES ? word_at (content, 1) : 0;
  n_vocab  = n_bytes >= HEADER_BYTES ? word_at (content, 2) : 0;
  if (n_tokens == 0 || n_vocab == 0 || n_tokens > G_MAXINT32 || n_vocab > G_MAXINT32 || memcmp (content, MAGIC, 4) != 0
      || (n_bytes - HEADER_BYTES) % 4 != 0 || (n_bytes - HEADER_BYTES) / 4 != n_tokens * (n_vocab + 1)) {
    g_set_error (error, WLY_ERROR, WLY_ERROR_INVALID_ARGS, _ ("%s is not a file of logits, or it was cut short"), path);
    return NULL;
  }
  logits = logits_alloc ((guint)n_tokens, (guint)n_vocab);
  for (gsize i = 0; i < n_tokens; i++)
    logits->tokens[i] = (gint32)word_at (content, 3 + i);
  for (gsize i = 0; i < n_tokens * n_vocab; i++) {
    guint32 bits = word_at (content, 3 + n_tokens + i);

    memcpy (&logits->logits[i], &bits, sizeof bits);
  }
  return logits;
}

/* ---- computing ---- */

static gboolean
compute_chunk (WlyNetwork *network, WlySequence *sequence, guint n, float *ret_rows, GError **error)
{
  WlyStepItem item = { .sequence = sequence, .n_tokens = n, .want_output = TRUE, .n_rows = n };

  if (!wly_network_step (network, &item, 1, NULL, error))
    return FALSE;
  memcpy (ret_rows, item.output, (gsize)n * wly_network_n_vocab (network) * sizeof (float));
  return TRUE;
}

BenchLogits *
bench_logits_compute (WlyNetwork *network, const gint32 *tokens, guint n_tokens, enum wlp_type type, guint chunk,
                      GError **error)
{
  guint n_vocab                    = wly_network_n_vocab (network);
  g_autoptr (BenchLogits) logits   = logits_alloc (n_tokens, n_vocab);
  g_autoptr (WlySequence) sequence = NULL;

  memcpy (logits->tokens, tokens, n_tokens * sizeof *tokens);
  sequence = wly_sequence_new (wly_network_cache (network), type, 0, n_tokens, error);
  if (sequence == NULL || !wly_sequence_append (sequence, tokens, n_tokens, NULL, error))
    return NULL;
  /* every row is wanted, so none may come from what another sequence left */
  wly_sequence_invalidate (sequence);
  for (guint at = 0; at < n_tokens;) {
    guint n = MIN (chunk != 0 ? chunk : n_tokens, n_tokens - at);

    if (!compute_chunk (network, sequence, n, logits->logits + (gsize)at * n_vocab, error))
      return NULL;
    at += n;
  }
  return g_steal_pointer (&logits);
}

/* ---- comparing ---- */

guint
bench_logits_first (const float *row, guint n)
{
  guint best = 0;

  for (guint i = 1; i < n; i++)
    if (row[i] > row[best])
      best = i;
  return best;
}

BenchAgreement
bench_logits_compare (const BenchLogits *ours, const BenchLogits *reference)
{
  BenchAgreement agreement = { 0 };
  double sum               = 0;
  guint n_same             = 0;

  g_return_val_if_fail (ours->n_tokens == reference->n_tokens && ours->n_vocab == reference->n_vocab, agreement);
  for (guint t = 0; t < ours->n_tokens; t++) {
    const float *a = ours->logits + (gsize)t * ours->n_vocab;
    const float *b = reference->logits + (gsize)t * ours->n_vocab;

    for (guint i = 0; i < ours->n_vocab; i++) {
      double distance = fabs ((double)a[i] - b[i]);

      agreement.nmse += distance * distance;
      agreement.max = distance <= agreement.max ? agreement.max : distance; /* so that NaN is kept */
      sum += (double)b[i] * b[i];
    }
    n_same += bench_logits_first (a, ours->n_vocab) == bench_logits_first (b, ours->n_vocab);
  }
  agreement.nmse /= sum;
  agreement.top1 = (double)n_same / ours->n_tokens;
  return agreement;
}
