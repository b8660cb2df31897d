/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sampler-set.h"

#include "sampler-exp.h"
#include "sampler-log.h"

#include <math.h>

WlySamplerSet *
wly_sampler_set_new (guint n_vocab)
{
  WlySamplerSet *set = g_new0 (WlySamplerSet, 1);

  set->entries = g_new (WlySamplerEntry, n_vocab);
  set->spare   = g_new (WlySamplerEntry, n_vocab);
  return set;
}

void
wly_sampler_set_free (WlySamplerSet *set)
{
  if (set == NULL)
    return;
  g_free (set->entries);
  g_free (set->spare);
  g_free (set);
}

/* ---- heaps ---- */

typedef gboolean (*Before) (WlySamplerEntry a, WlySamplerEntry b);

static gboolean
falls (WlySamplerEntry a, WlySamplerEntry b)
{
  return wly_sampler_set_before (a, b);
}

static gboolean
rises (WlySamplerEntry a, WlySamplerEntry b)
{
  return wly_sampler_set_before (b, a);
}

static gboolean
by_falling_id (WlySamplerEntry a, WlySamplerEntry b)
{
  return a.id > b.id;
}

/* Restores a heap whose entry @at may have to sink; the first by @before is at the top. */
static void
heap_sink (WlySamplerEntry *heap, guint n, guint at, Before before)
{
  const WlySamplerEntry entry = heap[at];

  for (guint child = 2 * at + 1; child < n; child = 2 * at + 1) {
    if (child + 1 < n && before (heap[child + 1], heap[child]))
      child++;
    if (before (entry, heap[child]))
      break;
    heap[at] = heap[child];
    at       = child;
  }
  heap[at] = entry;
}

static void
heap_build (WlySamplerEntry *heap, guint n, Before before)
{
  for (guint i = n / 2; i-- > 0;)
    heap_sink (heap, n, i, before);
}

static WlySamplerEntry
heap_pop (WlySamplerEntry *heap, guint n, Before before)
{
  const WlySamplerEntry top = heap[0];

  heap[0] = heap[n - 1];
  heap_sink (heap, n - 1, 0, before);
  return top;
}

/* In place; @after is the opposite order. */
static void
sort (WlySamplerEntry *entries, guint n, Before after)
{
  heap_build (entries, n, after);
  for (; n > 1; n--)
    entries[n - 1] = heap_pop (entries, n, after);
}

static void
order_by_id (WlySamplerSet *set)
{
  for (guint i = 1; i < set->n; i++) {
    if (set->entries[i].id > set->entries[i - 1].id)
      continue;
    sort (set->entries, set->n, by_falling_id);
    break;
  }
  set->sorted = FALSE;
}

/* ---- sums ---- */

WlySamplerEntry
wly_sampler_set_first (const WlySamplerSet *set)
{
  WlySamplerEntry first = set->entries[0];

  for (guint i = 1; !set->sorted && i < set->n; i++)
    if (wly_sampler_set_before (set->entries[i], first))
      first = set->entries[i];
  return first;
}

double
wly_sampler_set_total (const WlySamplerSet *set)
{
  const double largest = wly_sampler_set_first (set).x;
  double total         = 0;

  for (guint i = 0; i < set->n; i++)
    total += wly_sampler_exp (set->entries[i].x - largest);
  return total;
}

/* -Σ p ln p */
static double
entropy (const WlySamplerSet *set, double largest, double total)
{
  double sum = 0;

  for (guint i = 0; i < set->n; i++) {
    const double distance = set->entries[i].x - largest;

    sum += wly_sampler_exp (distance) * distance;
  }
  return wly_sampler_log (total) - sum / total;
}

/* ---- samplers ---- */

/* Keeps those with x >= @least. */
static void
keep_from (WlySamplerSet *set, double least)
{
  guint n = 0;

  for (guint i = 0; i < set->n; i++)
    if (set->entries[i].x >= least)
      set->entries[n++] = set->entries[i];
  set->n = n;
}

void
wly_sampler_set_top_k (WlySamplerSet *set, guint k)
{
  WlySamplerEntry *heap = set->entries;

  if (k < set->n && !set->sorted) {
    /* the last of the k first so far is at the top */
    heap_build (heap, k, rises);
    for (guint i = k; i < set->n; i++) {
      if (!wly_sampler_set_before (heap[i], heap[0]))
        continue;
      heap[0] = heap[i];
      heap_sink (heap, k, 0, rises);
    }
  }
  set->n = MIN (k, set->n);
  if (!set->sorted)
    sort (heap, set->n, rises);
  set->sorted = TRUE;
}

void
wly_sampler_set_top_p (WlySamplerSet *set, double p)
{
  const double largest = wly_sampler_set_first (set).x;
  const double goal    = p * wly_sampler_set_total (set);
  WlySamplerEntry *kept;
  double sum = 0;
  guint n    = 0;

  if (set->sorted) {
    while (n < set->n && (n == 0 || sum < goal))
      sum += wly_sampler_exp (set->entries[n++].x - largest);
    set->n = n;
    return;
  }
  heap_build (set->entries, set->n, falls);
  while (n < set->n && (n == 0 || sum < goal)) {
    set->spare[n] = heap_pop (set->entries, set->n - n, falls);
    sum += wly_sampler_exp (set->spare[n++].x - largest);
  }
  kept         = set->spare;
  set->spare   = set->entries;
  set->entries = kept;
  set->n       = n;
  set->sorted  = TRUE;
}

void
wly_sampler_set_min_p (WlySamplerSet *set, double p)
{
  const double largest = wly_sampler_set_first (set).x;
  guint n              = 0;

  for (guint i = 0; i < set->n; i++)
    if (wly_sampler_exp (set->entries[i].x - largest) >= p)
      set->entries[n++] = set->entries[i];
  set->n = n;
}

void
wly_sampler_set_top_n_sigma (WlySamplerSet *set, double n)
{
  const double largest = wly_sampler_set_first (set).x;
  double sum = 0, squares = 0, mean;

  /* distances from the largest: small numbers, whose squares lose nothing */
  for (guint i = 0; i < set->n; i++)
    sum += set->entries[i].x - largest;
  mean = sum / set->n;
  for (guint i = 0; i < set->n; i++) {
    const double distance = set->entries[i].x - largest - mean;

    squares += distance * distance;
  }
  keep_from (set, largest - n * sqrt (squares / set->n));
}

void
wly_sampler_set_typical (WlySamplerSet *set, double p)
{
  const double largest   = wly_sampler_set_first (set).x;
  const double total     = wly_sampler_set_total (set);
  const double usual     = entropy (set, largest, total) - wly_sampler_log (total);
  WlySamplerEntry *order = set->spare;
  double sum             = 0;
  guint n                = 0;

  /* nearest to the usual surprise first, of equal ones the lower id; the ids of the heap are places */
  order_by_id (set);
  for (guint i = 0; i < set->n; i++)
    order[i] = (WlySamplerEntry){ -fabs (largest - set->entries[i].x - usual), i };
  heap_build (order, set->n, falls);
  while (n < set->n && (n == 0 || sum < p * total)) {
    const guint left = set->n - n;

    order[left - 1] = heap_pop (order, left, falls);
    sum += wly_sampler_exp (set->entries[order[left - 1].id].x - largest);
    n++;
  }
  for (guint i = 0; i < n; i++)
    order[i] = set->entries[order[set->n - n + i].id];
  set->spare   = set->entries;
  set->entries = order;
  set->n       = n;
}

void
wly_sampler_set_xtc (WlySamplerSet *set, double threshold)
{
  const double largest = wly_sampler_set_first (set).x;
  const double least   = threshold * wly_sampler_set_total (set);
  WlySamplerEntry last = { 0 };
  guint n_likely = 0, n = 0;

  for (guint i = 0; i < set->n; i++) {
    if (wly_sampler_exp (set->entries[i].x - largest) < least)
      continue;
    if (n_likely++ == 0 || wly_sampler_set_before (last, set->entries[i]))
      last = set->entries[i];
  }
  if (n_likely < 2)
    return;
  for (guint i = 0; i < set->n; i++)
    if (!wly_sampler_set_before (set->entries[i], last))
      set->entries[n++] = set->entries[i];
  set->n = n;
}

void
wly_sampler_set_temperature (WlySamplerSet *set, double temperature, double range, double exponent)
{
  if (range > 0 && set->n > 1) {
    const double low = MAX (0, temperature - range), high = temperature + range;
    const double first = wly_sampler_set_first (set).x;
    const double share = entropy (set, first, wly_sampler_set_total (set)) / wly_sampler_log (set->n);

    temperature = low;
    if (share > 1e-300)
      temperature += (high - low) * wly_sampler_exp (exponent * MIN (0, wly_sampler_log (share)));
  }
  if (temperature <= 0) {
    set->entries[0] = wly_sampler_set_first (set);
    set->n          = 1;
    return;
  }
  for (guint i = 0; i < set->n; i++)
    set->entries[i].x /= temperature;
}

void
wly_sampler_set_surprise (WlySamplerSet *set, double surprise)
{
  /* -log2 (exp (x - largest) / total) <= surprise */
  const double largest = wly_sampler_set_first (set).x;
  const double least   = largest + wly_sampler_log (wly_sampler_set_total (set)) - surprise * 0.6931471805599453;

  keep_from (set, MIN (least, largest));
}

guint
wly_sampler_set_draw (WlySamplerSet *set, double u, double *ret_p)
{
  const double largest = wly_sampler_set_first (set).x;
  double total = 0, sum = 0;
  guint chosen = 0;

  order_by_id (set);
  for (guint i = 0; i < set->n; i++) {
    set->entries[i].x = wly_sampler_exp (set->entries[i].x - largest);
    total += set->entries[i].x;
  }
  for (guint i = 0; i < set->n; i++) {
    if (set->entries[i].x <= 0)
      continue;
    chosen = i;
    sum += set->entries[i].x;
    if (sum > u * total)
      break;
  }
  *ret_p = set->entries[chosen].x / total;
  return set->entries[chosen].id;
}
