/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * How far the distribution of the next token is from that of a reference, over a text.
 *
 * The text is cut into pieces of `context` tokens; each begins with the vocabulary's first token where it wants one,
 * which stands in the place of the piece's own.  Of a piece, the second half is scored: positions context / 2 to
 * context - 2, each against the token behind it.  What is left over at the end is not.  (This is what other tools do,
 * so that figures compare.)
 */
#pragma once

#include "run/network.h"

G_BEGIN_DECLS

typedef struct {
  GArray *klds;         /* double, for each position: Σ p (ln p - ln q), p the reference's */
  double nll;           /* sum of -ln q of the tokens that came */
  double nll_reference; /* sum of -ln p */
  guint64 n_same;       /* positions where both like the same token best */
} BenchKld;

typedef struct {
  guint64 n; /* positions */
  double mean;
  double mean_error; /* standard error of the mean */
  double median;
  double p99;
  double max;
  double top1; /* share of positions with the same best token */
  double ppl;
  double ppl_reference;
} BenchKldSummary;

void bench_kld_init (BenchKld *kld);
void bench_kld_clear (BenchKld *kld);

/* One position: logits of both, [n_vocab], and the token that came next. */
void bench_kld_add (BenchKld *kld, const float *ours, const float *reference, guint n_vocab, gint32 next);
BenchKldSummary bench_kld_summary (const BenchKld *kld);

/* One piece: both networks take @tokens, of which there are @n, from position 0 in one batch, with caches of these
 * types. */
gboolean bench_kld_piece (BenchKld *kld, WlyNetwork *ours, enum wlp_type kv, WlyNetwork *reference,
                          enum wlp_type reference_kv, const gint32 *tokens, guint n, GError **error);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (BenchKld, bench_kld_clear)

G_END_DECLS
