/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "grammar/masks.h"

#include <string.h>

#define MASK_BYTES_MAX (32u << 20) /* all masks that are kept */
#define PLAN_BYTES_MAX 65536
#define ALL_CLASSES    ((1u << WLY_TOKEN_CLASSES) - 1)
#define LONG_CLASSES   (1u << WLY_TOKEN_LONG_PLAIN | 1u << WLY_TOKEN_LONG)
#define NEVER          WLY_MASKS_NEVER

/* ---- life ---- */

static WlyMasks *
masks_new (const WlyGrammar *grammar, WlyTokenTrie *trie, guint32 n_words)
{
  WlyMasks *masks = g_new0 (WlyMasks, 1);

  masks->trie    = wly_token_trie_ref (trie);
  masks->matcher = wly_matcher_new (grammar->automaton);
  masks->n_words = n_words;
  masks->scratch = g_new0 (guint32, n_words);
  masks->way     = g_new0 (WlyPlace, trie->depth_max + 1u);
  masks->text    = g_string_new (NULL);
  masks->marks   = g_array_new (FALSE, FALSE, sizeof (gint32));
  return masks;
}

void
wly_masks_free (WlyMasks *masks)
{
  if (masks == NULL)
    return;
  wly_matcher_free (masks->matcher);
  wly_token_trie_unref (masks->trie);
  g_string_free (masks->text, TRUE);
  g_array_unref (masks->marks);
  g_free (masks->scratch);
  g_free (masks->way);
  g_free (masks);
}

WlyMasks *
wly_masks_take (WlyGrammar *grammar, WlyTokenTrie *trie, guint32 n_vocab)
{
  WlyMasks *masks = wly_grammar_swap_masks (grammar, NULL, 0);
  guint32 n_words = (MAX (n_vocab, trie->n_vocab) + 31) / 32;

  if (masks != NULL && masks->trie == trie && masks->n_words == n_words) {
    wly_matcher_begin (masks->matcher); /* what the last text took does not count against the next */
    return masks;
  }
  wly_masks_free (masks);
  return masks_new (grammar, trie, n_words);
}

void
wly_masks_give_back (WlyMasks *masks, WlyGrammar *grammar)
{
  gsize n_bytes = wly_matcher_bytes (masks->matcher) + masks->masks_bytes
                  + (masks->n_words + masks->trie->depth_max) * sizeof (guint32);

  if (!wly_matcher_failed (masks->matcher) && n_bytes <= WLY_MASKS_KEPT_BYTES)
    masks = wly_grammar_swap_masks (grammar, masks, n_bytes);
  wly_masks_free (masks);
}

/* ---- ways to the end ---- */

static gboolean
plan_part (WlyMasks *masks, gsize start, gsize end, GArray *plan)
{
  while (start < end) {
    gsize n_bytes = 0;
    gint32 token  = wly_token_trie_longest (masks->trie, masks->text->str + start, end - start, &n_bytes);

    if (token < 0)
      return FALSE;
    g_array_append_val (plan, token);
    start += n_bytes;
  }
  return TRUE;
}

gboolean
wly_masks_plan (WlyMasks *masks, WlyPlace place, gboolean first, GArray *plan)
{
  gsize start   = 0;
  gsize n_bytes = 0;

  g_string_truncate (masks->text, 0);
  g_array_set_size (masks->marks, 0);
  g_array_set_size (plan, 0);
  if (!wly_matcher_shortest (masks->matcher, place, PLAN_BYTES_MAX, masks->trie->usable, masks->text, masks->marks))
    return FALSE;
  if (first && masks->text->str[0] == ' ') {
    g_string_prepend_c (masks->text, ' ');
    for (guint i = 0; i < masks->marks->len; i += 2)
      g_array_index (masks->marks, gint32, i)++;
    /* a token that is no more than the space would write nothing */
    if (wly_token_trie_longest (masks->trie, masks->text->str, masks->text->len, &n_bytes) < 0 || n_bytes < 2)
      return FALSE;
  }
  for (guint i = 0; i < masks->marks->len; i += 2) {
    gsize at = (gsize)g_array_index (masks->marks, gint32, i);

    if (!plan_part (masks, start, at, plan))
      return FALSE;
    g_array_append_val (plan, g_array_index (masks->marks, gint32, i + 1));
    start = at + 1;
  }
  return plan_part (masks, start, masks->text->len, plan);
}

/* Tokens that are enough to end the text from a place. */
guint32
wly_masks_count_tokens (WlyMasks *masks, WlyPlace place)
{
  WlyPlaceInfo *info      = wly_matcher_get (masks->matcher, place);
  g_autoptr (GArray) plan = NULL;

  if (info->ends)
    return 0;
  if (info->n_tokens != 0)
    return info->n_tokens - 1;
  plan = g_array_new (FALSE, FALSE, sizeof (gint32));
  if (wly_masks_plan (masks, place, FALSE, plan))
    info->n_tokens = plan->len + 1;
  else
    info->n_tokens = masks->trie->writes_all && info->cost < NEVER - 1 ? info->cost + 1 : NEVER;
  return info->n_tokens == NEVER ? NEVER : info->n_tokens - 1;
}

gboolean
wly_masks_ends_within (WlyMasks *masks, WlyPlace place, guint32 n_tokens)
{
  const WlyPlaceInfo *info = wly_matcher_get (masks->matcher, place);

  return (masks->trie->writes_all && info->cost <= n_tokens) || wly_masks_count_tokens (masks, place) <= n_tokens;
}

/* ---- masks ---- */

/* Allows what can be read from a place, of these classes; @budget: and leaves room for an end. */
static void
walk_tree (WlyMasks *masks, const WlyTokenTrieWalk *tree, WlyPlace place, gboolean first, guint classes, guint32 budget,
           guint32 *mask)
{
  const WlyTokenTrie *trie = masks->trie;
  WlyMatcher *matcher      = masks->matcher;
  WlyPlace *way            = masks->way;

  way[0] = place;
  for (guint32 i = 0; i < tree->n_nodes;) {
    const WlyTokenTrieNode *node = &tree->nodes[i];
    gboolean dropped             = first && node->depth == 1 && node->byte == ' ';
    WlyPlace next;

    if ((node->classes & classes) == 0) {
      i = node->skip;
      continue;
    }
    next = dropped ? way[0] : wly_matcher_step (matcher, way[node->depth - 1], node->byte);
    if (next == 0) {
      i = node->skip;
      continue;
    }
    way[node->depth] = next;
    if (node->n_tokens > 0 && !dropped && (classes >> node->own_class & 1) != 0
        && (budget == NEVER || wly_masks_ends_within (masks, next, budget - 1)))
      for (guint t = 0; t < node->n_tokens; t++)
        wly_masks_allow (mask, trie->tokens[node->tokens + t]);
    i++;
  }
}

static void
walk (WlyMasks *masks, WlyPlace place, gboolean first, guint classes, guint32 budget, guint32 *mask)
{
  const WlyTokenTrie *trie = masks->trie;

  if ((classes & ~(WLY_TOKEN_TRIE_ODD | WLY_TOKEN_TRIE_MANY)) != 0) {
    walk_tree (masks, &trie->all, place, first, classes, budget, mask);
    return;
  }
  if ((classes & WLY_TOKEN_TRIE_ODD) != 0)
    walk_tree (masks, &trie->odd, place, first, classes, budget, mask);
  if ((classes & WLY_TOKEN_TRIE_MANY) != 0)
    walk_tree (masks, &trie->many, place, first, classes, budget, mask);
}

/* Tokens that the grammar names, and the end. */
static void
allow_named (WlyMasks *masks, WlyPlace place, guint32 budget, guint32 *mask)
{
  const WlyTokenTrie *trie = masks->trie;
  GArray *tokens           = masks->marks;

  g_array_set_size (tokens, 0);
  wly_matcher_tokens (masks->matcher, place, tokens);
  for (guint i = 0; i < tokens->len; i++) {
    gint32 token = g_array_index (tokens, gint32, i);

    if (token < 0 || (guint32)token >= trie->n_vocab)
      continue;
    if (budget == NEVER
        || wly_masks_ends_within (masks, wly_matcher_step_token (masks->matcher, place, token), budget - 1))
      wly_masks_allow (mask, token);
  }
  if (wly_matcher_get (masks->matcher, place)->ends)
    for (guint32 w = 0; w < trie->n_words; w++)
      mask[w] |= trie->ends[w];
}

static void
allow_all (const WlyMasks *masks, const guint32 *bits, const guint32 *without, guint32 *mask)
{
  for (guint32 w = 0; w < masks->trie->n_words; w++)
    mask[w] |= without != NULL ? bits[w] & ~without[w] : bits[w];
}

/* Classes that cannot come at a place: in a string with room for few characters those that have more. */
static guint
find_hopeless (const WlyPlaceInfo *info)
{
  guint hopeless = 1u << WLY_TOKEN_AGAINST;

  if (!info->string)
    return 0;
  for (guint c = WLY_TOKEN_PLAIN_1; c <= WLY_TOKEN_LONG_PLAIN; c++)
    if (wly_token_trie_class_min[c] > info->plain)
      hopeless |= 1u << c;
  return hopeless;
}

/* Fills a mask with tokens of these classes that can be read from a place: those of which any may follow are taken as
 * they are, the others are read. */
static void
fill (WlyMasks *masks, WlyPlace place, gboolean first, guint classes, guint32 *mask)
{
  const WlyPlaceInfo *info = wly_matcher_get (masks->matcher, place);
  guint c                  = 0;

  memset (mask, 0, masks->n_words * sizeof *mask);
  if (!first) {
    while (c < WLY_TOKEN_LONG_PLAIN && (classes >> (c + 1) & 1) != 0 && wly_token_trie_class_max[c + 1] <= info->plain)
      c++;
    if (c > 0)
      allow_all (masks, masks->trie->below[c], NULL, mask);
    classes &= ~((2u << c) - 2) & ~find_hopeless (info);
    if (info->string && info->plain >= WLY_TOKEN_TRIE_SHORT) {
      allow_all (masks, masks->trie->within, NULL, mask);
      classes &= ~(1u << WLY_TOKEN_WITHIN);
    }
  }
  walk (masks, place, first, classes, NEVER, mask);
}

/* Allows the plain tokens in a string behind which there is room for an end: where one of so many characters leads, all
 * of as many do.  Gives the classes that are done with. */
static guint
fill_exact (WlyMasks *masks, WlyPlace place, guint32 budget, guint32 *mask)
{
  const WlyPlaceInfo *info = wly_matcher_get (masks->matcher, place);
  guint done               = find_hopeless (info);
  WlyPlace next            = place;

  if (!info->string)
    return 0;
  for (guint c = WLY_TOKEN_PLAIN_1; c < WLY_TOKEN_PLAIN_24; c++) {
    done |= 1u << c;
    next = next != 0 ? wly_matcher_step (masks->matcher, next, 'a') : 0;
    if (next == 0 || !wly_masks_ends_within (masks, next, budget - 1))
      continue;
    allow_all (masks, masks->trie->below[c], c > WLY_TOKEN_PLAIN_1 ? masks->trie->below[c - 1] : NULL, mask);
  }
  if (next != place)
    return done;
  /* any number of them leads back here */
  if (wly_masks_ends_within (masks, place, budget - 1))
    allow_all (masks, masks->trie->below[WLY_TOKEN_LONG_PLAIN], NULL, mask);
  return done | (1u << WLY_TOKEN_PLAIN_24 | 1u << WLY_TOKEN_PLAIN_32 | 1u << WLY_TOKEN_LONG_PLAIN);
}

/* The mask of a place, in `scratch`.  What is near no end of a count is the same for tokens that are not long as at
 * other counts, and is kept there. */
static void
make_mask (WlyMasks *masks, WlyPlace place, gboolean first)
{
  gsize mask_bytes = masks->n_words * sizeof (guint32);
  WlyPlace settled = wly_matcher_settled (masks->matcher, place, WLY_TOKEN_TRIE_SHORT);
  WlyPlaceInfo *info;

  if (settled == place || settled == 0 || first) {
    fill (masks, place, first, ALL_CLASSES, masks->scratch);
  } else {
    if (wly_matcher_get (masks->matcher, settled)->short_mask == NULL) {
      fill (masks, settled, FALSE, ALL_CLASSES & ~LONG_CLASSES, masks->scratch);
      info             = wly_matcher_get (masks->matcher, settled);
      info->short_mask = g_memdup2 (masks->scratch, mask_bytes);
      masks->masks_bytes += mask_bytes;
    }
    memcpy (masks->scratch, wly_matcher_get (masks->matcher, settled)->short_mask, mask_bytes);
    walk (masks, place, FALSE, LONG_CLASSES, NEVER, masks->scratch);
  }
  allow_named (masks, place, NEVER, masks->scratch);
}

void
wly_masks_tidy (WlyMasks *masks, WlyPlace *place)
{
  if (wly_matcher_tidy (masks->matcher, place, masks->masks_bytes > MASK_BYTES_MAX))
    masks->masks_bytes = 0;
}

const guint32 *
wly_masks_get (WlyMasks *masks, WlyPlace *place, gboolean first)
{
  gsize mask_bytes = masks->n_words * sizeof (guint32);
  guint32 **kept;

  wly_masks_tidy (masks, place);
  if (!first && wly_matcher_get (masks->matcher, *place)->mask != NULL)
    return wly_matcher_get (masks->matcher, *place)->mask;
  make_mask (masks, *place, first);
  if (first || wly_matcher_failed (masks->matcher)
      || wly_matcher_settled (masks->matcher, *place, WLY_TOKEN_TRIE_SHORT) != *place)
    return masks->scratch;
  kept  = &wly_matcher_get (masks->matcher, *place)->mask;
  *kept = g_memdup2 (masks->scratch, mask_bytes);
  masks->masks_bytes += mask_bytes;
  return *kept;
}

void
wly_masks_make_exact (WlyMasks *masks, WlyPlace place, gboolean first, guint32 budget)
{
  guint done = 0;

  memset (masks->scratch, 0, masks->n_words * sizeof *masks->scratch);
  if (budget > 0 && !first)
    done = fill_exact (masks, place, budget, masks->scratch);
  if (budget > 0)
    walk (masks, place, first, ALL_CLASSES & ~done, budget, masks->scratch);
  allow_named (masks, place, MAX (budget, 1), masks->scratch);
}
