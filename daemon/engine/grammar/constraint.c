/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "grammar/constraint.h"

#include "grammar/matcher.h"
#include "wly-error.h"

#include <string.h>

#define MASK_BYTES_MAX (32u << 20) /* all masks that are kept */
#define PLAN_BYTES_MAX 65536
#define NEAR_TOKENS    8 /* so close to the end of the budget the exact mask is asked for at once */
#define ALL_CLASSES    ((1u << WLY_TOKEN_TRIE_CLASSES) - 1)
#define LONG_CLASSES   (3u << WLY_TOKEN_TRIE_LONG_PLAIN)
#define NEVER          G_MAXUINT32

struct WlyConstraint {
  WlyGrammar *grammar;
  WlyTokenTrie *trie;
  WlyMatcher *matcher;
  WlyPlace place;
  gboolean first;
  guint32 n_words;
  guint32 *scratch;  /* [n_words] a mask that is not kept */
  WlyPlace *way;     /* [depth_max + 1] of a walk */
  gsize masks_bytes; /* of those that are kept */
  GString *text;     /* of one token, or of a way to the end */
  GArray *marks;     /* gint32: places and ids of tokens in that way */
  GArray *plan;      /* gint32: a way to the end from here, where there is one */
};

WlyConstraint *
wly_constraint_new (WlyGrammar *grammar, WlyTokenTrie *trie, guint32 n_vocab, gboolean first)
{
  WlyConstraint *constraint = g_new0 (WlyConstraint, 1);

  constraint->grammar = wly_grammar_ref (grammar);
  constraint->trie    = wly_token_trie_ref (trie);
  constraint->matcher = wly_matcher_new (grammar->automaton);
  constraint->place   = wly_matcher_start (constraint->matcher);
  constraint->first   = first && trie->drops_space;
  constraint->n_words = (MAX (n_vocab, trie->n_vocab) + 31) / 32;
  constraint->scratch = g_new0 (guint32, constraint->n_words);
  constraint->way     = g_new0 (WlyPlace, trie->depth_max + 1u);
  constraint->text    = g_string_new (NULL);
  constraint->marks   = g_array_new (FALSE, FALSE, sizeof (gint32));
  constraint->plan    = g_array_new (FALSE, FALSE, sizeof (gint32));
  return constraint;
}

void
wly_constraint_free (WlyConstraint *constraint)
{
  if (constraint == NULL)
    return;
  wly_matcher_free (constraint->matcher);
  wly_token_trie_unref (constraint->trie);
  wly_grammar_unref (constraint->grammar);
  g_string_free (constraint->text, TRUE);
  g_array_unref (constraint->marks);
  g_array_unref (constraint->plan);
  g_free (constraint->scratch);
  g_free (constraint->way);
  g_free (constraint);
}

/* ---- ways to the end ---- */

static gboolean
plan_part (WlyConstraint *constraint, gsize start, gsize end, GArray *plan)
{
  while (start < end) {
    gsize n_bytes = 0;
    gint32 token  = wly_token_trie_longest (constraint->trie, constraint->text->str + start, end - start, &n_bytes);

    if (token < 0)
      return FALSE;
    g_array_append_val (plan, token);
    start += n_bytes;
  }
  return TRUE;
}

/* The tokens of the shortest text from a place; FALSE: too long to write down, or the vocabulary cannot write it.
 * @first: of the first token a leading space is not written. */
static gboolean
make_plan (WlyConstraint *constraint, WlyPlace place, gboolean first, GArray *plan)
{
  gsize start   = 0;
  gsize n_bytes = 0;

  g_string_truncate (constraint->text, 0);
  g_array_set_size (constraint->marks, 0);
  g_array_set_size (plan, 0);
  if (!wly_matcher_shortest (constraint->matcher, place, PLAN_BYTES_MAX, constraint->trie->usable, constraint->text,
                             constraint->marks))
    return FALSE;
  if (first && constraint->text->str[0] == ' ') {
    g_string_prepend_c (constraint->text, ' ');
    for (guint i = 0; i < constraint->marks->len; i += 2)
      g_array_index (constraint->marks, gint32, i)++;
    /* a token that is no more than the space would write nothing */
    if (wly_token_trie_longest (constraint->trie, constraint->text->str, constraint->text->len, &n_bytes) < 0
        || n_bytes < 2)
      return FALSE;
  }
  for (guint i = 0; i < constraint->marks->len; i += 2) {
    gsize at = (gsize)g_array_index (constraint->marks, gint32, i);

    if (!plan_part (constraint, start, at, plan))
      return FALSE;
    g_array_append_val (plan, g_array_index (constraint->marks, gint32, i + 1));
    start = at + 1;
  }
  return plan_part (constraint, start, constraint->text->len, plan);
}

/* Tokens that are enough to end the text from the present place, where nothing was written yet. */
static guint32
count_first (WlyConstraint *constraint)
{
  g_autoptr (GArray) plan = g_array_new (FALSE, FALSE, sizeof (gint32));

  if (wly_constraint_may_end (constraint))
    return 0;
  return make_plan (constraint, constraint->place, TRUE, plan) ? plan->len : NEVER;
}

/* Tokens that are enough to end the text from a place. */
static guint32
count_tokens (WlyConstraint *constraint, WlyPlace place)
{
  WlyPlaceInfo *info      = wly_matcher_get (constraint->matcher, place);
  g_autoptr (GArray) plan = NULL;

  if (info->ends)
    return 0;
  if (info->n_tokens != 0)
    return info->n_tokens - 1;
  plan = g_array_new (FALSE, FALSE, sizeof (gint32));
  if (make_plan (constraint, place, FALSE, plan))
    info->n_tokens = plan->len + 1;
  else
    info->n_tokens = constraint->trie->writes_all && info->cost < NEVER - 1 ? info->cost + 1 : NEVER;
  return info->n_tokens == NEVER ? NEVER : info->n_tokens - 1;
}

static gboolean
ends_within (WlyConstraint *constraint, WlyPlace place, guint32 n_tokens)
{
  const WlyPlaceInfo *info = wly_matcher_get (constraint->matcher, place);

  return (constraint->trie->writes_all && info->cost <= n_tokens) || count_tokens (constraint, place) <= n_tokens;
}

/* ---- masks ---- */

static inline void
allow (guint32 *mask, gint32 token)
{
  mask[token / 32] |= 1u << (token % 32);
}

/* Allows what can be read from a place, of these classes; @budget: and leaves room for an end. */
static void
walk (WlyConstraint *constraint, WlyPlace place, guint classes, guint32 budget, guint32 *mask)
{
  const WlyTokenTrie *trie = constraint->trie;
  WlyMatcher *matcher      = constraint->matcher;
  WlyPlace *way            = constraint->way;

  way[0] = place;
  for (guint32 i = 0; i < trie->n_nodes;) {
    const WlyTokenTrieNode *node = &trie->nodes[i];
    gboolean dropped             = constraint->first && node->depth == 1 && node->byte == ' ';
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
        && (budget == NEVER || ends_within (constraint, next, budget - 1)))
      for (guint t = 0; t < node->n_tokens; t++)
        allow (mask, trie->tokens[node->tokens + t]);
    i++;
  }
}

/* Tokens that the grammar names, and the end. */
static void
allow_named (WlyConstraint *constraint, guint32 budget, guint32 *mask)
{
  const WlyTokenTrie *trie = constraint->trie;
  GArray *tokens           = constraint->marks;

  g_array_set_size (tokens, 0);
  wly_matcher_tokens (constraint->matcher, constraint->place, tokens);
  for (guint i = 0; i < tokens->len; i++) {
    gint32 token = g_array_index (tokens, gint32, i);

    if (token < 0 || (guint32)token >= trie->n_vocab)
      continue;
    if (budget == NEVER
        || ends_within (constraint, wly_matcher_step_token (constraint->matcher, constraint->place, token), budget - 1))
      allow (mask, token);
  }
  if (wly_matcher_get (constraint->matcher, constraint->place)->ends)
    for (guint32 w = 0; w < trie->n_words; w++)
      mask[w] |= trie->ends[w];
}

/* Fills a mask with tokens of these classes that can be read from a place: those of which any may follow are taken as
 * they are, the others are read. */
static void
fill (WlyConstraint *constraint, WlyPlace place, guint classes, guint32 *mask)
{
  guint32 plain = wly_matcher_get (constraint->matcher, place)->plain;
  guint c       = 0;

  while (c < WLY_TOKEN_TRIE_LONG_PLAIN && (classes >> (c + 1) & 1) != 0 && wly_token_trie_class_max[c + 1] <= plain)
    c++;
  memset (mask, 0, constraint->n_words * sizeof *mask);
  if (constraint->first)
    c = 0;
  if (c > 0)
    memcpy (mask, constraint->trie->below[c], constraint->trie->n_words * sizeof *mask);
  walk (constraint, place, classes & ~((2u << c) - 2), NEVER, mask);
}

/* The mask of the present place, in `scratch`.  What is near no end of a count is the same for tokens that are not long
 * as at other counts, and is kept there. */
static void
make_mask (WlyConstraint *constraint)
{
  gsize mask_bytes = constraint->n_words * sizeof (guint32);
  WlyPlace settled = wly_matcher_settled (constraint->matcher, constraint->place, WLY_TOKEN_TRIE_SHORT);
  WlyPlaceInfo *info;

  if (settled == constraint->place || settled == 0 || constraint->first) {
    fill (constraint, constraint->place, ALL_CLASSES, constraint->scratch);
  } else {
    if (wly_matcher_get (constraint->matcher, settled)->short_mask == NULL) {
      fill (constraint, settled, ALL_CLASSES & ~LONG_CLASSES, constraint->scratch);
      info             = wly_matcher_get (constraint->matcher, settled);
      info->short_mask = g_memdup2 (constraint->scratch, mask_bytes);
      constraint->masks_bytes += mask_bytes;
    }
    memcpy (constraint->scratch, wly_matcher_get (constraint->matcher, settled)->short_mask, mask_bytes);
    walk (constraint, constraint->place, LONG_CLASSES, NEVER, constraint->scratch);
  }
  allow_named (constraint, NEVER, constraint->scratch);
}

static gboolean
check (WlyConstraint *constraint, const guint32 *mask, GError **error)
{
  guint32 any = 0;

  if (wly_matcher_failed (constraint->matcher)) {
    g_set_error_literal (error, WLY_ERROR, WLY_ERROR_INVALID_ARGS,
                         "The constraint is too ambiguous: too many ways to read the text so far are open at once");
    return FALSE;
  }
  for (guint32 w = 0; w < constraint->n_words; w++)
    any |= mask[w];
  if (any == 0 && !wly_constraint_may_end (constraint)) {
    g_set_error_literal (error, WLY_ERROR, WLY_ERROR_NOT_SUPPORTED,
                         "No token of the model's vocabulary can go on in the text that the constraint asks for");
    return FALSE;
  }
  return TRUE;
}

const guint32 *
wly_constraint_mask_exact (WlyConstraint *constraint, guint32 budget, GError **error)
{
  wly_matcher_begin (constraint->matcher);
  if (constraint->plan->len == 0 || constraint->plan->len > budget)
    if (!make_plan (constraint, constraint->place, constraint->first, constraint->plan))
      g_array_set_size (constraint->plan, 0);
  memset (constraint->scratch, 0, constraint->n_words * sizeof *constraint->scratch);
  if (budget > 0)
    walk (constraint, constraint->place, ALL_CLASSES, budget, constraint->scratch);
  allow_named (constraint, MAX (budget, 1), constraint->scratch);

  if (constraint->plan->len > 0 && constraint->plan->len <= budget)
    allow (constraint->scratch, g_array_index (constraint->plan, gint32, 0));
  return check (constraint, constraint->scratch, error) ? constraint->scratch : NULL;
}

const guint32 *
wly_constraint_mask (WlyConstraint *constraint, guint32 budget, GError **error)
{
  gsize mask_bytes = constraint->n_words * sizeof (guint32);
  guint32 **kept;

  wly_matcher_begin (constraint->matcher);
  if (wly_constraint_shortest (constraint) + (guint64)NEAR_TOKENS >= budget)
    return wly_constraint_mask_exact (constraint, budget, error);
  if (wly_matcher_tidy (constraint->matcher, &constraint->place, constraint->masks_bytes > MASK_BYTES_MAX))
    constraint->masks_bytes = 0;
  if (constraint->first) {
    make_mask (constraint);
    return check (constraint, constraint->scratch, error) ? constraint->scratch : NULL;
  }
  kept = &wly_matcher_get (constraint->matcher, constraint->place)->mask;
  if (*kept != NULL)
    return *kept;
  make_mask (constraint);
  if (!check (constraint, constraint->scratch, error))
    return NULL;
  if (wly_matcher_settled (constraint->matcher, constraint->place, WLY_TOKEN_TRIE_SHORT) != constraint->place)
    return constraint->scratch;
  kept  = &wly_matcher_get (constraint->matcher, constraint->place)->mask;
  *kept = g_memdup2 (constraint->scratch, mask_bytes);
  constraint->masks_bytes += mask_bytes;
  return *kept;
}

/* ---- tokens ---- */

/* The place behind a token; 0: it may not come. */
static WlyPlace
behind (WlyConstraint *constraint, gint32 token)
{
  WlyPlace place = wly_matcher_step_token (constraint->matcher, constraint->place, token);

  if (place != 0)
    return place;
  place = constraint->place;
  g_string_truncate (constraint->text, 0);
  wly_tokenizer_decode (constraint->trie->tokenizer, token, constraint->first, FALSE, constraint->text);
  if (constraint->text->len == 0)
    return 0;
  for (gsize i = 0; i < constraint->text->len && place != 0; i++)
    place = wly_matcher_step (constraint->matcher, place, (guint8)constraint->text->str[i]);
  return place;
}

static gboolean
is_end (const WlyConstraint *constraint, gint32 token)
{
  return wly_tokenizer_is_end (constraint->trie->tokenizer, token);
}

gboolean
wly_constraint_fits (WlyConstraint *constraint, gint32 token, guint32 budget)
{
  WlyPlace place;

  if (is_end (constraint, token))
    return wly_constraint_may_end (constraint);
  if (budget == 0)
    return FALSE;
  if (constraint->plan->len > 0 && constraint->plan->len <= budget
      && g_array_index (constraint->plan, gint32, 0) == token)
    return TRUE;
  place = behind (constraint, token);
  return place != 0 && ends_within (constraint, place, budget - 1);
}

gboolean
wly_constraint_accept (WlyConstraint *constraint, gint32 token, GError **error)
{
  WlyPlace place;

  if (is_end (constraint, token) && wly_constraint_may_end (constraint))
    return TRUE;
  place = behind (constraint, token);
  if (place == 0) {
    g_set_error (error, WLY_ERROR, WLY_ERROR_INVALID_ARGS, "Token %d may not come here", token);
    return FALSE;
  }
  if (constraint->plan->len > 0 && g_array_index (constraint->plan, gint32, 0) == token)
    g_array_remove_index (constraint->plan, 0);
  else
    g_array_set_size (constraint->plan, 0);
  constraint->place = place;
  constraint->first = FALSE;
  return TRUE;
}

gboolean
wly_constraint_may_end (const WlyConstraint *constraint)
{
  return constraint->place != 0 && wly_matcher_get (constraint->matcher, constraint->place)->ends;
}

gboolean
wly_constraint_must_end (const WlyConstraint *constraint)
{
  return wly_constraint_may_end (constraint) && wly_matcher_get (constraint->matcher, constraint->place)->n_nodes == 0;
}

guint32
wly_constraint_shortest (WlyConstraint *constraint)
{
  return constraint->first ? count_first (constraint) : count_tokens (constraint, constraint->place);
}
