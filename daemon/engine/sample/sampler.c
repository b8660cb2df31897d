/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sampler.h"

#include "philox.h"
#include "sampler-exp.h"
#include "sampler-penalties.h"
#include "wly-error.h"

#include <math.h>

/* Where the kept tokens end in the order of falling logits: @id is the last one among those with its logit. */
typedef struct {
  float logit;
  guint id;
} Cut;

struct WlySampler {
  WlySamplerOptions options;
  guint n_vocab;
  double min_p_distance; /* below the largest logit, to min_p of its probability */
  WlySamplerPenalties *penalties;
  float *logits; /* [n_vocab] with the penalties */
  Cut *heap;     /* [n_vocab] */
};

static const Cut cut_keeps_all = { -G_MAXFLOAT, G_MAXUINT };

/* Whether @a stands before @b in the order of falling logits. */
static inline gboolean
cut_before (Cut a, Cut b)
{
  return a.logit > b.logit || (a.logit == b.logit && a.id < b.id);
}

static inline gboolean
cut_keeps (Cut cut, float logit, guint id)
{
  return logit > cut.logit || (logit == cut.logit && id <= cut.id);
}

/* ---- life ---- */

/* The largest distance d with exp (-d) >= min_p, by the very function that weighs the tokens. */
static double
min_p_distance (double min_p)
{
  double low  = 0;
  double high = 708;

  if (min_p <= 0)
    return INFINITY;
  if (wly_sampler_exp (-high) >= min_p)
    return high;
  for (int i = 0; i < 64; i++) {
    double middle = (low + high) / 2;

    if (wly_sampler_exp (-middle) >= min_p)
      low = middle;
    else
      high = middle;
  }
  return low;
}

WlySampler *
wly_sampler_new (const WlySamplerOptions *options, guint n_vocab)
{
  WlySampler *sampler = g_new0 (WlySampler, 1);

  sampler->options        = *options;
  sampler->n_vocab        = n_vocab;
  sampler->min_p_distance = min_p_distance (options->min_p);
  sampler->penalties      = wly_sampler_penalties_new (options, n_vocab);
  sampler->logits         = g_new (float, n_vocab);
  if ((options->top_k > 0 && options->top_k < n_vocab) || options->top_p < 1)
    sampler->heap = g_new (Cut, n_vocab);
  return sampler;
}

void
wly_sampler_free (WlySampler *sampler)
{
  if (sampler == NULL)
    return;
  wly_sampler_penalties_free (sampler->penalties);
  g_free (sampler->logits);
  g_free (sampler->heap);
  g_free (sampler);
}

void
wly_sampler_accept (WlySampler *sampler, gint32 token)
{
  wly_sampler_penalties_accept (sampler->penalties, token);
}

/* ---- selection ---- */

/* Restores a heap whose entry @at may have to sink.  @first: the first in order is at the top, else the last. */
static void
heap_sink (Cut *heap, guint n, guint at, gboolean first)
{
  Cut entry = heap[at];

  for (guint child = 2 * at + 1; child < n; child = 2 * at + 1) {
    if (child + 1 < n && cut_before (heap[child + 1], heap[child]) == first)
      child++;
    if (cut_before (entry, heap[child]) == first)
      break;
    heap[at] = heap[child];
    at       = child;
  }
  heap[at] = entry;
}

static void
heap_build (Cut *heap, guint n, gboolean first)
{
  for (guint i = n / 2; i-- > 0;)
    heap_sink (heap, n, i, first);
}

/* Leaves the @k first in order in the heap, with the last of them at the top; returns how many there are. */
static guint
select_top_k (WlySampler *sampler, guint k)
{
  const float *logits = sampler->logits;
  Cut *heap           = sampler->heap;
  guint n             = 0;

  for (guint i = 0; i < sampler->n_vocab; i++) {
    Cut entry = { logits[i], i };

    if (n < k) {
      heap[n++] = entry;
      if (n == k)
        heap_build (heap, n, FALSE);
    } else if (cut_before (entry, heap[0])) {
      heap[0] = entry;
      heap_sink (heap, n, 0, FALSE);
    }
  }
  return n;
}

/* How far the set reaches whose probabilities make up top_p of all entries in the heap. */
static Cut
select_top_p (WlySampler *sampler, guint n, float largest)
{
  Cut *heap    = sampler->heap;
  double total = 0;
  double sum   = 0;
  Cut cut;

  for (guint i = 0; i < n; i++)
    total += wly_sampler_exp ((double)heap[i].logit - largest);
  heap_build (heap, n, TRUE);
  do {
    cut     = heap[0];
    heap[0] = heap[--n];
    heap_sink (heap, n, 0, TRUE);
    sum += wly_sampler_exp ((double)cut.logit - largest);
  } while (n > 0 && sum < sampler->options.top_p * total && (double)largest - heap[0].logit <= sampler->min_p_distance);
  return cut;
}

static Cut
select_cut (WlySampler *sampler, float largest)
{
  const WlySamplerOptions *options = &sampler->options;
  Cut cut                          = cut_keeps_all;
  guint n                          = sampler->n_vocab;

  if (options->top_k > 0 && options->top_k < n) {
    n   = select_top_k (sampler, options->top_k);
    cut = sampler->heap[0];
  } else if (options->top_p < 1) {
    for (guint i = 0; i < n; i++)
      sampler->heap[i] = (Cut){ sampler->logits[i], i };
  }
  if (options->top_p < 1)
    cut = select_top_p (sampler, n, largest);
  return cut;
}

/* ---- drawing ---- */

static void
forbid_others (WlySampler *sampler, const guint32 *allowed)
{
  if (allowed == NULL)
    return;
  for (guint i = 0; i < sampler->n_vocab; i++)
    if ((allowed[i / 32] >> (i % 32) & 1) == 0)
      sampler->logits[i] = -INFINITY;
}

/* Copies, penalises, and finds the first in order; FALSE: there is nothing to draw from. */
static gboolean
find_largest (WlySampler *sampler, const float *logits, const guint32 *allowed, guint *ret_largest)
{
  float largest = -INFINITY;
  guint at      = 0;
  float odd     = 0;

  /* x - x is 0 for every number but NaN and infinities; minus infinity is let through. */
  for (guint i = 0; i < sampler->n_vocab; i++) {
    sampler->logits[i] = logits[i];
    odd += logits[i] == -INFINITY ? 0 : logits[i] - logits[i];
  }
  if (odd != 0 || isnan (odd))
    return FALSE;
  forbid_others (sampler, allowed);
  wly_sampler_penalties_apply (sampler->penalties, sampler->logits);
  for (guint i = 0; i < sampler->n_vocab; i++) {
    if (sampler->logits[i] > largest) {
      largest = sampler->logits[i];
      at      = i;
    }
  }
  *ret_largest = at;
  return largest > -INFINITY && largest < INFINITY;
}

static double
weight_of (const WlySampler *sampler, Cut cut, guint id, float largest)
{
  float logit = sampler->logits[id];

  if (!cut_keeps (cut, logit, id) || (double)largest - logit > sampler->min_p_distance)
    return 0;
  return wly_sampler_exp (((double)logit - largest) / sampler->options.temperature);
}

gint32
wly_sampler_draw (WlySampler *sampler, const float *logits, const guint32 *allowed, guint64 index, GError **error)
{
  double total = 0;
  double sum   = 0;
  guint chosen;
  float largest;
  double goal;
  Cut cut;

  if (!find_largest (sampler, logits, allowed, &chosen)) {
    g_set_error (error, WLY_ERROR, WLY_ERROR_NUMERIC_FAULT,
                 "The model gave no usable probabilities for token %" G_GUINT64_FORMAT
                 ": a logit is not a number, or no token is allowed",
                 index);
    return -1;
  }
  if (sampler->options.temperature <= 0)
    return (gint32)chosen;

  largest = sampler->logits[chosen];
  cut     = select_cut (sampler, largest);
  for (guint i = 0; i < sampler->n_vocab; i++)
    total += weight_of (sampler, cut, i, largest);
  goal = wly_philox_uniform (sampler->options.seed, index) * total;
  for (guint i = 0; i < sampler->n_vocab; i++) {
    double weight = weight_of (sampler, cut, i, largest);

    if (weight <= 0)
      continue;
    chosen = i;
    sum += weight;
    if (sum > goal)
      break;
  }
  return (gint32)chosen;
}
