/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bench-kld.h"

#include "bench-logits.h"
#include "bench-samples.h"

#include <math.h>

void
bench_kld_init (BenchKld *kld)
{
  *kld      = (BenchKld){ 0 };
  kld->klds = g_array_new (FALSE, FALSE, sizeof (double));
}

void
bench_kld_clear (BenchKld *kld)
{
  g_clear_pointer (&kld->klds, g_array_unref);
}

/* ln Σ exp (row) */
static double
log_sum (const float *row, guint n, guint best)
{
  double sum = 0;

  for (guint i = 0; i < n; i++)
    sum += exp ((double)row[i] - row[best]);
  return row[best] + log (sum);
}

void
bench_kld_add (BenchKld *kld, const float *ours, const float *reference, guint n_vocab, gint32 next)
{
  const guint best        = bench_logits_first (ours, n_vocab);
  const guint best_then   = bench_logits_first (reference, n_vocab);
  const double total      = log_sum (ours, n_vocab, best);
  const double total_then = log_sum (reference, n_vocab, best_then);
  double sum              = 0;

  for (guint i = 0; i < n_vocab; i++) {
    const double log_p = reference[i] - total_then;

    sum += exp (log_p) * (log_p - (ours[i] - total));
  }
  g_array_append_val (kld->klds, sum);
  kld->nll += total - ours[next];
  kld->nll_reference += total_then - reference[next];
  kld->n_same += best == best_then;
}

BenchKldSummary
bench_kld_summary (const BenchKld *kld)
{
  const guint n           = kld->klds->len;
  const BenchSummary klds = bench_samples_summary (kld->klds);
  BenchKldSummary summary = { .n = n, .mean = klds.mean, .median = klds.median, .max = klds.max };
  double squares          = 0;

  for (guint i = 0; i < n; i++)
    squares += pow (g_array_index (kld->klds, double, i) - klds.mean, 2);
  summary.mean_error    = n > 1 ? sqrt (squares / (n - 1) / n) : 0;
  summary.p99           = bench_samples_rank (kld->klds, 0.99);
  summary.top1          = n > 0 ? (double)kld->n_same / n : 0;
  summary.ppl           = n > 0 ? exp (kld->nll / n) : 0;
  summary.ppl_reference = n > 0 ? exp (kld->nll_reference / n) : 0;
  return summary;
}

/* Feeds the piece; the output rows of its second half are the network's. */
static const float *
feed (WlyNetwork *network, enum wlp_type kv, const gint32 *tokens, guint n, GError **error)
{
  g_autoptr (WlySequence) sequence = wly_sequence_new (wly_network_cache (network), kv, 0, n, error);
  WlyStepItem item                 = { .n_tokens = n, .want_output = TRUE, .n_rows = n - n / 2 };

  if (sequence == NULL || !wly_sequence_append (sequence, tokens, n, NULL, error))
    return NULL;
  wly_sequence_invalidate (sequence); /* every row is wanted, so none may come from what another sequence left */
  item.sequence = sequence;
  return wly_network_step (network, &item, 1, NULL, error) ? item.output : NULL;
}

gboolean
bench_kld_piece (BenchKld *kld, WlyNetwork *ours, enum wlp_type kv, WlyNetwork *reference, enum wlp_type reference_kv,
                 const gint32 *tokens, guint n, GError **error)
{
  const guint n_vocab  = wly_network_n_vocab (ours);
  const float *rows    = feed (ours, kv, tokens, n, error);
  const float *correct = rows != NULL ? feed (reference, reference_kv, tokens, n, error) : NULL;

  if (correct == NULL)
    return FALSE;
  for (guint i = 0; i + 1 < n - n / 2; i++)
    bench_kld_add (kld, rows + (gsize)i * n_vocab, correct + (gsize)i * n_vocab, n_vocab, tokens[n / 2 + i + 1]);
  return TRUE;
}
