/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What a backend says of its operators, between two moments.
 */
#pragma once

#include "run/network.h"

G_BEGIN_DECLS

typedef struct {
  guint n;
  struct wlp_profile_entry *entries; /* [n], in the order of the backend */
} BenchProfile;

/* Counters so far; none where the backend keeps none. */
BenchProfile *bench_profile_read (WlyNetwork *network);
void bench_profile_free (BenchProfile *profile); /* NULL is fine */

/* Adds to @sum what happened between @before and @after; an empty @sum takes their names over. */
void bench_profile_add (BenchProfile *sum, const BenchProfile *before, const BenchProfile *after);
/* All entries in one; its name is empty. */
struct wlp_profile_entry bench_profile_total (const BenchProfile *profile);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (BenchProfile, bench_profile_free)

G_END_DECLS
