/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The logits of a whole vocabulary, looked at as few times as possible: with the largest of each block at hand, what is
 * below a threshold is passed over a block at a time.
 */
#pragma once

#include "sampler-set.h"

G_BEGIN_DECLS

#define WLY_SAMPLER_SCAN_BLOCK 64u

typedef struct {
  const float *logits; /* [n_vocab] the caller's, or changed */
  float *changed;      /* [n_blocks * WLY_SAMPLER_SCAN_BLOCK], minus infinity behind the vocabulary */
  float *largest;      /* [n_blocks] of each block */
  float *heap;         /* [n_blocks] */
  guint n_vocab, n_blocks;
} WlySamplerScan;

void wly_sampler_scan_init (WlySamplerScan *scan, guint n_vocab);
void wly_sampler_scan_finish (WlySamplerScan *scan);

/* Begins with @logits [n_vocab], which stay as they are and are the scan's until the next beginning; what has no bit in
 * @allowed (NULL: all have one) becomes minus infinity.  @writable: wly_sampler_scan_set() will be called.  FALSE: a
 * logit that is allowed is NaN or plus infinity. */
gboolean wly_sampler_scan_begin (WlySamplerScan *scan, const float *logits, const guint32 *allowed, gboolean writable);
void wly_sampler_scan_set (WlySamplerScan *scan, guint id, float logit);

/* The first in falling order; FALSE: all are minus infinity. */
gboolean wly_sampler_scan_first (const WlySamplerScan *scan, WlySamplerEntry *ret_first);
/* A number that at least @k logits reach, if so many are above minus infinity; the larger the better. */
float wly_sampler_scan_floor (WlySamplerScan *scan, guint k);
/* All with logit >= @least and above minus infinity, in the order of ids. */
void wly_sampler_scan_collect (const WlySamplerScan *scan, float least, WlySamplerSet *set);

G_END_DECLS
