/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Counter-based random numbers: Philox4x32-10 (Salmon et al., "Parallel Random Numbers: As Easy as 1, 2, 3", SC 2011).
 * A number hangs on key and counter alone: no state to carry through a fork, a replay or a crash.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

static inline void
wly_philox_round (guint32 counter[4], const guint32 key[2])
{
  guint64 p0   = (guint64)0xd2511f53u * counter[0];
  guint64 p1   = (guint64)0xcd9e8d57u * counter[2];
  guint32 c[4] = { (guint32)(p1 >> 32) ^ counter[1] ^ key[0], (guint32)p1, (guint32)(p0 >> 32) ^ counter[3] ^ key[1],
                   (guint32)p0 };

  for (int i = 0; i < 4; i++)
    counter[i] = c[i];
}

/* Ten rounds, in place. */
static inline void
wly_philox (guint32 counter[4], const guint32 key[2])
{
  guint32 k[2] = { key[0], key[1] };

  for (int round = 0; round < 10; round++) {
    wly_philox_round (counter, k);
    k[0] += 0x9e3779b9u;
    k[1] += 0xbb67ae85u;
  }
}

/* Number @index of stream @stream of @seed, in [0, 1), from 53 bits. */
static inline double
wly_philox_uniform (guint64 seed, guint64 index, guint32 stream)
{
  guint32 counter[4]   = { (guint32)index, (guint32)(index >> 32), stream, 0 };
  const guint32 key[2] = { (guint32)seed, (guint32)(seed >> 32) };
  guint64 bits;

  wly_philox (counter, key);
  bits = ((guint64)counter[1] << 32 | counter[0]) >> 11;
  return (double)bits * 0x1p-53;
}

G_END_DECLS
