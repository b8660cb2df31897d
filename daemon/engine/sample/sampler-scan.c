/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sampler-scan.h"

#include <math.h>
#include <string.h>
#ifdef __SSE__
#include <xmmintrin.h>
#endif

/* Vectors of the compiler: registers of any width serve. */
typedef float Floats __attribute__ ((vector_size (16)));
typedef gint32 Masks __attribute__ ((vector_size (16)));
#define LANES 4u

static inline Floats
load (const float *from)
{
  Floats values;

  memcpy (&values, from, sizeof values);
  return values;
}

/* @yes where the mask is set, else @no. */
static inline Floats
blend (Masks mask, Floats yes, Floats no)
{
  return (Floats)((mask & (Masks)yes) | (~mask & (Masks)no));
}

static inline Floats
larger (Floats a, Floats b)
{
#ifdef __SSE__
  return (Floats)_mm_max_ps ((__m128)a, (__m128)b);
#else
  return blend (a > b, a, b);
#endif
}

static inline float
largest_of (Floats values)
{
  float largest = values[0];

  for (guint i = 1; i < LANES; i++)
    largest = MAX (largest, values[i]);
  return largest;
}

void
wly_sampler_scan_init (WlySamplerScan *scan, guint n_vocab)
{
  const gsize n = (gsize)((n_vocab + WLY_SAMPLER_SCAN_BLOCK - 1) / WLY_SAMPLER_SCAN_BLOCK) * WLY_SAMPLER_SCAN_BLOCK;

  scan->n_vocab  = n_vocab;
  scan->n_blocks = (guint)(n / WLY_SAMPLER_SCAN_BLOCK);
  scan->changed  = g_new (float, n);
  scan->largest  = g_new (float, scan->n_blocks);
  scan->heap     = g_new (float, scan->n_blocks);
  for (gsize i = n_vocab; i < n; i++)
    scan->changed[i] = -INFINITY;
}

void
wly_sampler_scan_finish (WlySamplerScan *scan)
{
  g_clear_pointer (&scan->changed, g_free);
  g_clear_pointer (&scan->largest, g_free);
  g_clear_pointer (&scan->heap, g_free);
}

/* ---- the copy ---- */

/* Four logits, of which those with a bit are allowed. */
static inline Floats
forbid (Floats values, guint32 bits)
{
  const Masks lanes    = { 1, 2, 4, 8 };
  const Floats nothing = { -INFINITY, -INFINITY, -INFINITY, -INFINITY };
  const gint32 four    = (gint32)(bits & 15);
  const Masks all      = { four, four, four, four };

  return blend ((all & lanes) == lanes, values, nothing);
}

/* The largest of a block; *@sound loses the lanes that held NaN or plus infinity. */
static inline float
look_at (const float *logits, Masks *sound)
{
  const Floats limit = { G_MAXFLOAT, G_MAXFLOAT, G_MAXFLOAT, G_MAXFLOAT };
  Floats largest     = load (logits);

  *sound &= largest <= limit; /* not so for NaN */
  for (guint i = LANES; i < WLY_SAMPLER_SCAN_BLOCK; i += LANES) {
    *sound &= load (logits + i) <= limit;
    largest = larger (load (logits + i), largest);
  }
  return largest_of (largest);
}

static void
copy_allowed (WlySamplerScan *scan, const float *logits, const guint32 *allowed)
{
  guint i = 0;

  for (; i + LANES <= scan->n_vocab; i += LANES) {
    const Floats values = forbid (load (logits + i), allowed[i / 32] >> (i % 32));

    memcpy (scan->changed + i, &values, sizeof values);
  }
  for (; i < scan->n_vocab; i++)
    scan->changed[i] = (allowed[i / 32] >> (i % 32) & 1) != 0 ? logits[i] : -INFINITY;
}

gboolean
wly_sampler_scan_begin (WlySamplerScan *scan, const float *logits, const guint32 *allowed, gboolean writable)
{
  const guint n_whole = scan->n_vocab / WLY_SAMPLER_SCAN_BLOCK;
  const gsize place   = (gsize)n_whole * WLY_SAMPLER_SCAN_BLOCK;
  Masks sound         = { -1, -1, -1, -1 };

  scan->logits = allowed != NULL || writable ? scan->changed : logits;
  if (allowed != NULL)
    copy_allowed (scan, logits, allowed);
  else if (writable)
    memcpy (scan->changed, logits, scan->n_vocab * sizeof *logits);
  else
    memcpy (scan->changed + place, logits + place, (scan->n_vocab - place) * sizeof *logits);
  for (guint i = 0; i < n_whole; i++)
    scan->largest[i] = look_at (scan->logits + (gsize)i * WLY_SAMPLER_SCAN_BLOCK, &sound);
  /* the last block is looked at where it is whole */
  if (n_whole < scan->n_blocks)
    scan->largest[n_whole] = look_at (scan->changed + place, &sound);
  return (sound[0] & sound[1] & sound[2] & sound[3]) != 0;
}

void
wly_sampler_scan_set (WlySamplerScan *scan, guint id, float logit)
{
  const guint block = id / WLY_SAMPLER_SCAN_BLOCK;
  Masks sound       = { 0, 0, 0, 0 };

  scan->changed[id]    = logit;
  scan->largest[block] = look_at (scan->changed + (gsize)block * WLY_SAMPLER_SCAN_BLOCK, &sound);
}

/* ---- looking ---- */

gboolean
wly_sampler_scan_first (const WlySamplerScan *scan, WlySamplerEntry *ret_first)
{
  guint block = 0;

  for (guint i = 1; i < scan->n_blocks; i++)
    if (scan->largest[i] > scan->largest[block])
      block = i;
  for (guint i = block * WLY_SAMPLER_SCAN_BLOCK; i < scan->n_vocab && scan->largest[block] > -INFINITY; i++) {
    if (scan->logits[i] != scan->largest[block])
      continue;
    *ret_first = (WlySamplerEntry){ scan->logits[i], i };
    return scan->logits[i] < INFINITY;
  }
  return FALSE;
}

float
wly_sampler_scan_floor (WlySamplerScan *scan, guint k)
{
  float *heap = scan->heap;
  guint n     = 0;

  /* the k-th largest of the blocks' largest: as many logits reach it */
  if (k > scan->n_blocks / 2)
    return -INFINITY;
  for (guint i = 0; i < scan->n_blocks; i++) {
    const float value = scan->largest[i];
    guint at;

    if (n < k) {
      for (at = n++; at > 0 && heap[(at - 1) / 2] > value; at = (at - 1) / 2)
        heap[at] = heap[(at - 1) / 2];
      heap[at] = value;
      continue;
    }
    if (value <= heap[0])
      continue;
    at = 0;
    for (guint child = 1; child < n; child = 2 * at + 1) {
      if (child + 1 < n && heap[child + 1] < heap[child])
        child++;
      if (value <= heap[child])
        break;
      heap[at] = heap[child];
      at       = child;
    }
    heap[at] = value;
  }
  return heap[0];
}

void
wly_sampler_scan_collect (const WlySamplerScan *scan, float least, WlySamplerSet *set)
{
  guint n = 0;

  for (guint block = 0; block < scan->n_blocks; block++) {
    const guint begin = block * WLY_SAMPLER_SCAN_BLOCK, end = MIN (begin + WLY_SAMPLER_SCAN_BLOCK, scan->n_vocab);

    if (scan->largest[block] < least)
      continue;
    for (guint i = begin; i < end; i++) {
      if (scan->logits[i] >= least && scan->logits[i] > -INFINITY)
        set->entries[n++] = (WlySamplerEntry){ scan->logits[i], i };
    }
  }
  set->n      = n;
  set->sorted = FALSE;
}
