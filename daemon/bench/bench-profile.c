/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bench-profile.h"

BenchProfile *
bench_profile_read (WlyNetwork *network)
{
  g_autoptr (GArray) entries     = g_array_new (FALSE, TRUE, sizeof (struct wlp_profile_entry));
  BenchProfile *profile          = g_new0 (BenchProfile, 1);
  struct wlp_profile_entry entry = { { 0 } };

  while (wly_network_profile (network, entries->len, &entry))
    g_array_append_val (entries, entry);
  profile->n       = entries->len;
  profile->entries = (struct wlp_profile_entry *)(void *)g_array_free (g_steal_pointer (&entries), FALSE);
  return profile;
}

void
bench_profile_free (BenchProfile *profile)
{
  if (profile == NULL)
    return;
  g_free (profile->entries);
  g_free (profile);
}

void
bench_profile_add (BenchProfile *sum, const BenchProfile *before, const BenchProfile *after)
{
  if (sum->n == 0) {
    sum->n       = after->n;
    sum->entries = g_new0 (struct wlp_profile_entry, after->n);
  }
  for (guint i = 0; i < after->n && i < sum->n; i++) {
    const struct wlp_profile_entry none  = { { 0 } };
    const struct wlp_profile_entry *then = i < before->n ? &before->entries[i] : &none;
    const struct wlp_profile_entry *now  = &after->entries[i];
    struct wlp_profile_entry *entry      = &sum->entries[i];

    g_strlcpy (entry->name, now->name, sizeof entry->name);
    entry->n_calls += now->n_calls - then->n_calls;
    entry->time_ns += now->time_ns - then->time_ns;
    entry->n_macs += now->n_macs - then->n_macs;
    entry->n_bytes += now->n_bytes - then->n_bytes;
  }
}

struct wlp_profile_entry
bench_profile_total (const BenchProfile *profile)
{
  struct wlp_profile_entry total = { { 0 } };

  for (guint i = 0; i < profile->n; i++) {
    total.n_calls += profile->entries[i].n_calls;
    total.time_ns += profile->entries[i].time_ns;
    total.n_macs += profile->entries[i].n_macs;
    total.n_bytes += profile->entries[i].n_bytes;
  }
  return total;
}
