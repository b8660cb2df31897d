/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Random numbers with a fixed seed, the same on every machine (splitmix64).
 */
#pragma once

#include <glib.h>
#include <string.h>

typedef struct {
  guint64 state;
} WlyTestRandom;

static inline guint64
wly_test_random_u64 (WlyTestRandom *random)
{
  guint64 z = random->state += 0x9e3779b97f4a7c15u;

  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
  z = (z ^ z >> 27) * 0x94d049bb133111ebu;
  return z ^ z >> 31;
}

static inline guint32
wly_test_random_below (WlyTestRandom *random, guint32 n)
{
  return (guint32)((wly_test_random_u64 (random) >> 32) * n >> 32);
}

/* About normal, mean 0, deviation 1: the sum of four 16-bit numbers, so without libm and exact. */
static inline float
wly_test_random_normal (WlyTestRandom *random)
{
  const guint64 bits = wly_test_random_u64 (random);
  gint32 sum         = -2 * 0xffff;

  for (int i = 0; i < 4; i++)
    sum += (gint32)(bits >> (16 * i) & 0xffff);
  return (float)sum * (1.0f / 37837.0f); /* 65536 / sqrt (3) */
}

static inline void
wly_test_random_bytes (WlyTestRandom *random, void *ret_bytes, gsize n)
{
  guint8 *at = ret_bytes;

  while (n > 0) {
    const guint64 bits = wly_test_random_u64 (random);
    const gsize part   = MIN (n, sizeof bits);

    memcpy (at, &bits, part);
    at += part;
    n -= part;
  }
}
