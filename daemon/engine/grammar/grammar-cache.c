/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "grammar/grammar-cache.h"

#include "grammar/masks.h"

#define ENTRIES_MAX WLY_GRAMMAR_CACHE_ENTRIES

typedef struct {
  guint64 owner;
  char *digest;
  WlyGrammar *grammar;
} Entry;

struct WlyGrammarCache {
  GMutex lock;
  guint n_entries;
  Entry entries[ENTRIES_MAX + 1]; /* the one that was used last comes last */
};

WlyGrammarCache *
wly_grammar_cache_new (void)
{
  WlyGrammarCache *cache = g_new0 (WlyGrammarCache, 1);

  g_mutex_init (&cache->lock);
  return cache;
}

/* What it takes at most: masks may come to lie with it later. */
static gsize
most_bytes (const Entry *entry)
{
  return wly_automaton_bytes (entry->grammar->automaton) + WLY_MASKS_KEPT_BYTES;
}

/* (transfer full) */
static Entry
take_out (WlyGrammarCache *cache, guint at)
{
  Entry entry = cache->entries[at];

  for (cache->n_entries--; at < cache->n_entries; at++)
    cache->entries[at] = cache->entries[at + 1];
  return entry;
}

static void
drop (WlyGrammarCache *cache, guint at)
{
  Entry entry = take_out (cache, at);

  wly_grammar_unref (entry.grammar);
  g_free (entry.digest);
}

void
wly_grammar_cache_free (WlyGrammarCache *cache)
{
  if (cache == NULL)
    return;
  while (cache->n_entries > 0)
    drop (cache, cache->n_entries - 1);
  g_mutex_clear (&cache->lock);
  g_free (cache);
}

/* The place of a digest; n_entries: there is none. */
static guint
find (const WlyGrammarCache *cache, const char *digest)
{
  guint at = 0;

  while (at < cache->n_entries && !g_str_equal (cache->entries[at].digest, digest))
    at++;
  return at;
}

/* The first of those whose owner has most bytes. */
static guint
find_next_to_go (const WlyGrammarCache *cache)
{
  guint found    = 0;
  gsize most_all = 0;

  for (guint i = 0; i < cache->n_entries; i++) {
    gsize all = 0;

    for (guint k = 0; k < cache->n_entries; k++)
      if (cache->entries[k].owner == cache->entries[i].owner)
        all += most_bytes (&cache->entries[k]);
    if (all > most_all) {
      most_all = all;
      found    = i;
    }
  }
  return found;
}

static gboolean
is_too_large (const WlyGrammarCache *cache)
{
  gsize all = 0;

  for (guint i = 0; i < cache->n_entries; i++)
    all += most_bytes (&cache->entries[i]);
  return cache->n_entries > ENTRIES_MAX || all > WLY_GRAMMAR_CACHE_BYTES;
}

WlyGrammar *
wly_grammar_cache_get (WlyGrammarCache *cache, const char *digest)
{
  WlyGrammar *grammar = NULL;
  guint at;

  g_mutex_lock (&cache->lock);
  at = find (cache, digest);
  if (at < cache->n_entries) {
    Entry entry = take_out (cache, at);

    grammar                            = wly_grammar_ref (entry.grammar);
    cache->entries[cache->n_entries++] = entry;
  }
  g_mutex_unlock (&cache->lock);
  return grammar;
}

void
wly_grammar_cache_put (WlyGrammarCache *cache, guint64 owner, const char *digest, WlyGrammar *grammar)
{
  g_mutex_lock (&cache->lock);
  if (find (cache, digest) == cache->n_entries) {
    cache->entries[cache->n_entries++] = (Entry){ owner, g_strdup (digest), wly_grammar_ref (grammar) };
    while (is_too_large (cache))
      drop (cache, find_next_to_go (cache));
  }
  g_mutex_unlock (&cache->lock);
}

gsize
wly_grammar_cache_bytes (WlyGrammarCache *cache)
{
  gsize n_bytes = 0;

  g_mutex_lock (&cache->lock);
  for (guint i = 0; i < cache->n_entries; i++)
    n_bytes += wly_grammar_bytes (cache->entries[i].grammar);
  g_mutex_unlock (&cache->lock);
  return n_bytes;
}
