/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "grammar/constraint.h"

#include "grammar/masks.h"
#include "wly-error.h"

#define NEAR_TOKENS 8 /* so close to the end of the budget the exact mask is asked for at once */

struct WlyConstraint {
  WlyGrammar *grammar;
  WlyMasks *masks;
  WlyPlace place;
  gboolean first;
  GArray *plan; /* gint32: a way to the end from here, where there is one */
};

WlyConstraint *
wly_constraint_new (WlyGrammar *grammar, WlyTokenTrie *trie, guint32 n_vocab, gboolean first)
{
  WlyConstraint *constraint = g_new0 (WlyConstraint, 1);

  constraint->grammar = wly_grammar_ref (grammar);
  constraint->masks   = wly_masks_take (grammar, trie, n_vocab);
  constraint->place   = wly_matcher_start (constraint->masks->matcher);
  constraint->first   = first && trie->drops_space;
  constraint->plan    = g_array_new (FALSE, FALSE, sizeof (gint32));
  return constraint;
}

void
wly_constraint_free (WlyConstraint *constraint)
{
  if (constraint == NULL)
    return;
  wly_masks_give_back (constraint->masks, constraint->grammar);
  wly_grammar_unref (constraint->grammar);
  g_array_unref (constraint->plan);
  g_free (constraint);
}

static const WlyPlaceInfo *
here (const WlyConstraint *constraint)
{
  return wly_matcher_get (constraint->masks->matcher, constraint->place);
}

/* Tokens that are enough to end the text from the present place, where nothing was written yet. */
static guint32
count_first (WlyConstraint *constraint)
{
  g_autoptr (GArray) plan = g_array_new (FALSE, FALSE, sizeof (gint32));

  if (wly_constraint_may_end (constraint))
    return 0;
  return wly_masks_plan (constraint->masks, constraint->place, TRUE, plan) ? plan->len : WLY_MASKS_NEVER;
}

/* ---- masks ---- */

static gboolean
check (WlyConstraint *constraint, const guint32 *mask, GError **error)
{
  guint32 any = 0;

  if (wly_matcher_failed (constraint->masks->matcher)) {
    g_set_error_literal (error, WLY_ERROR, WLY_ERROR_INVALID_ARGS,
                         "The constraint is too ambiguous: too many ways to read the text so far are open at once");
    return FALSE;
  }
  for (guint32 w = 0; w < constraint->masks->n_words && any == 0; w++)
    any = mask[w];
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
  WlyMasks *masks = constraint->masks;

  wly_matcher_begin (masks->matcher);
  if (constraint->plan->len == 0 || constraint->plan->len > budget)
    if (!wly_masks_plan (masks, constraint->place, constraint->first, constraint->plan))
      g_array_set_size (constraint->plan, 0);
  wly_masks_make_exact (masks, constraint->place, constraint->first, budget);
  if (constraint->plan->len > 0 && constraint->plan->len <= budget)
    wly_masks_allow (masks->scratch, g_array_index (constraint->plan, gint32, 0));
  return check (constraint, masks->scratch, error) ? masks->scratch : NULL;
}

static gboolean
is_near_end (WlyConstraint *constraint, guint32 budget)
{
  return wly_constraint_shortest (constraint) + (guint64)NEAR_TOKENS >= budget;
}

gboolean
wly_constraint_is_free (WlyConstraint *constraint, guint32 budget)
{
  wly_matcher_begin (constraint->masks->matcher);
  if (!here (constraint)->free || is_near_end (constraint, budget))
    return FALSE;
  wly_masks_tidy (constraint->masks, &constraint->place);
  return TRUE;
}

const guint32 *
wly_constraint_mask (WlyConstraint *constraint, guint32 budget, GError **error)
{
  const guint32 *mask;

  wly_matcher_begin (constraint->masks->matcher);
  if (is_near_end (constraint, budget))
    return wly_constraint_mask_exact (constraint, budget, error);
  mask = wly_masks_get (constraint->masks, &constraint->place, constraint->first);
  return check (constraint, mask, error) ? mask : NULL;
}

/* ---- tokens ---- */

/* The place behind a token; 0: it may not come. */
static WlyPlace
behind (WlyConstraint *constraint, gint32 token)
{
  WlyMatcher *matcher = constraint->masks->matcher;
  GString *text       = constraint->masks->text;
  WlyPlace place      = wly_matcher_step_token (matcher, constraint->place, token);

  if (place != 0)
    return place;
  place = constraint->place;
  g_string_truncate (text, 0);
  wly_tokenizer_decode (constraint->masks->trie->tokenizer, token, constraint->first, FALSE, text);
  if (text->len == 0)
    return 0;
  for (gsize i = 0; i < text->len && place != 0; i++)
    place = wly_matcher_step (matcher, place, (guint8)text->str[i]);
  return place;
}

static gboolean
is_end (const WlyConstraint *constraint, gint32 token)
{
  return wly_tokenizer_is_end (constraint->masks->trie->tokenizer, token);
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
  return place != 0 && wly_masks_ends_within (constraint->masks, place, budget - 1);
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
  return constraint->place != 0 && here (constraint)->ends;
}

gboolean
wly_constraint_must_end (const WlyConstraint *constraint)
{
  return wly_constraint_may_end (constraint) && here (constraint)->n_nodes == 0;
}

guint32
wly_constraint_shortest (WlyConstraint *constraint)
{
  return constraint->first ? count_first (constraint) : wly_masks_count_tokens (constraint->masks, constraint->place);
}
