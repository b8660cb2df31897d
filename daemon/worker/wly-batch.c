/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wly-batch.h"

/* One token of weight 10000 and the highest priority costs COST_UNIT / 160000: whole numbers with enough digits. */
#define COST_UNIT (G_GUINT64_CONSTANT (1) << 32)

static const guint priority_factors[] = { 16, 4, 1 };

WlyPriority
wly_batch_priority (const char *word)
{
  if (g_str_equal (word, "interactive"))
    return WLY_PRIORITY_INTERACTIVE;
  if (g_str_equal (word, "background"))
    return WLY_PRIORITY_BACKGROUND;
  return WLY_PRIORITY_NORMAL;
}

static int
compare_entries (gconstpointer a, gconstpointer b, gpointer data)
{
  const WlyBatchEntry *x = *(WlyBatchEntry *const *)a;
  const WlyBatchEntry *y = *(WlyBatchEntry *const *)b;
  const gboolean *scarce = data;

  if (!*scarce && x->prefill != y->prefill)
    return x->prefill ? 1 : -1;
  if (x->virtual_time != y->virtual_time)
    return x->virtual_time < y->virtual_time ? -1 : 1;
  if (x->priority != y->priority)
    return x->priority < y->priority ? -1 : 1;
  return x->order < y->order ? -1 : x->order > y->order;
}

guint
wly_batch_fill (WlyBatchEntry *entries, gsize n_entries, const WlyBatchLimits *limits)
{
  g_autoptr (GPtrArray) sorted = g_ptr_array_sized_new ((guint)n_entries);
  guint n_tokens = 0, n_sequences = 0, n_decoding = 0;
  gboolean scarce;

  for (gsize i = 0; i < n_entries; i++) {
    entries[i].n_take = 0;
    n_decoding += !entries[i].prefill;
    g_ptr_array_add (sorted, &entries[i]);
  }
  /* where those that decode could fill every batch, a prompt must compete with them or it would never be read */
  scarce = n_decoding >= MIN (limits->max_tokens, limits->max_sequences);
  g_ptr_array_sort_with_data (sorted, compare_entries, &scarce);
  for (guint i = 0; i < sorted->len && n_tokens < limits->max_tokens && n_sequences < limits->max_sequences; i++) {
    WlyBatchEntry *entry = g_ptr_array_index (sorted, i);
    guint room           = limits->max_tokens - n_tokens;

    entry->n_take = MIN (entry->n_pending, MIN (room, MAX (limits->prefill_chunk, 1)));
    n_tokens += entry->n_take;
    n_sequences += entry->n_take > 0;
  }
  return n_tokens;
}

guint64
wly_batch_charge (guint64 virtual_time, guint n_tokens, WlyPriority priority, guint weight)
{
  guint64 cost = COST_UNIT / ((guint64)MAX (weight, 1) * priority_factors[priority]) * n_tokens;

  return virtual_time > G_MAXUINT64 - cost ? G_MAXUINT64 : virtual_time + cost;
}
