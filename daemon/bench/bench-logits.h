/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Logits against logits of a reference.
 *
 *   file  "WGL1", i32 n_tokens, i32 n_vocab, i32 tokens[n_tokens], f32 logits[n_tokens][n_vocab]; little-endian
 */
#pragma once

#include "run/network.h"

G_BEGIN_DECLS

typedef struct {
  guint n_tokens;
  guint n_vocab;
  gint32 *tokens; /* [n_tokens] */
  float *logits;  /* [n_tokens][n_vocab] */
} BenchLogits;

typedef struct {
  double nmse; /* sum of (a - b)^2 over all rows, divided by the sum of b^2; b is the reference */
  double max;  /* largest |a - b| */
  double top1; /* share of rows with the same first token */
} BenchAgreement;

/* Errors: WLY_ERROR_NOT_FOUND, WLY_ERROR_INVALID_ARGS (not such a file, or cut short). */
BenchLogits *bench_logits_read (const char *path, GError **error);
/* Feeds @tokens from position 0 in batches of @chunk (0: all at once), with a cache of @type. */
BenchLogits *bench_logits_compute (WlyNetwork *network, const gint32 *tokens, guint n_tokens, enum wlp_type type,
                                   guint chunk, GError **error);
void bench_logits_free (BenchLogits *logits); /* NULL is fine */

/* The likeliest token of a row; the first one of equals. */
guint bench_logits_first (const float *row, guint n);
/* Both have the same size. */
BenchAgreement bench_logits_compare (const BenchLogits *ours, const BenchLogits *reference);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (BenchLogits, bench_logits_free)

G_END_DECLS
