/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The tokens that are still to be chosen from, and what makes them fewer.  Each function is one sampler of sampler.h,
 * whose definitions hold.  Probabilities are softmax over what is in the set.
 *
 * Order of falling logits: of equal ones the lower id comes first.  No function empties a set.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct {
  double x; /* logit, later divided by the temperature */
  guint id;
} WlySamplerEntry;

typedef struct {
  WlySamplerEntry *entries;
  guint n;
  gboolean sorted;        /* in falling order; else in no order that counts */
  WlySamplerEntry *spare; /* as large as entries */
} WlySamplerSet;

WlySamplerSet *wly_sampler_set_new (guint n_vocab);
void wly_sampler_set_free (WlySamplerSet *set); /* NULL is fine */

/* Whether @a stands before @b in falling order. */
static inline gboolean
wly_sampler_set_before (WlySamplerEntry a, WlySamplerEntry b)
{
  return a.x > b.x || (a.x == b.x && a.id < b.id);
}

WlySamplerEntry wly_sampler_set_first (const WlySamplerSet *set);
/* Sum of exp (x - the largest). */
double wly_sampler_set_total (const WlySamplerSet *set);

void wly_sampler_set_top_k (WlySamplerSet *set, guint k);
void wly_sampler_set_top_p (WlySamplerSet *set, double p);
void wly_sampler_set_min_p (WlySamplerSet *set, double p);
void wly_sampler_set_top_n_sigma (WlySamplerSet *set, double n);
void wly_sampler_set_typical (WlySamplerSet *set, double p);
/* Without the chance, which is the caller's. */
void wly_sampler_set_xtc (WlySamplerSet *set, double threshold);
void wly_sampler_set_temperature (WlySamplerSet *set, double temperature, double range, double exponent);
/* Those whose surprise, -log2 of the probability, is at most @surprise; the first one always. */
void wly_sampler_set_surprise (WlySamplerSet *set, double surprise);

/* The token at @u of [0, 1): probabilities summed in the order of ids.  @ret_p is its own. */
guint wly_sampler_set_draw (WlySamplerSet *set, double u, double *ret_p);

G_END_DECLS
