/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "grammar/grammar-private.h"
#include "grammar/masks.h"

#include "wly-error.h"

#include <string.h>

WlyGrammar *
wly_grammar_take (WlyAutomaton *automaton, WlyRule root, GError **error)
{
  WlyGrammar *grammar;

  if (!wly_automaton_finish (automaton, root, error)) {
    wly_automaton_free (automaton);
    return NULL;
  }
  grammar             = g_new0 (WlyGrammar, 1);
  grammar->references = 1;
  grammar->automaton  = automaton;
  return grammar;
}

WlyGrammar *
wly_grammar_ref (WlyGrammar *grammar)
{
  g_atomic_int_inc (&grammar->references);
  return grammar;
}

void
wly_grammar_unref (WlyGrammar *grammar)
{
  if (grammar == NULL || !g_atomic_int_dec_and_test (&grammar->references))
    return;
  wly_masks_free (grammar->masks);
  wly_automaton_free (grammar->automaton);
  g_free (grammar);
}

gsize
wly_grammar_bytes (WlyGrammar *grammar)
{
  return wly_automaton_bytes (grammar->automaton) + __atomic_load_n (&grammar->masks_bytes, __ATOMIC_RELAXED);
}

WlyMasks *
wly_grammar_swap_masks (WlyGrammar *grammar, WlyMasks *masks, gsize n_bytes)
{
  __atomic_store_n (&grammar->masks_bytes, n_bytes, __ATOMIC_RELAXED);
  return __atomic_exchange_n (&grammar->masks, masks, __ATOMIC_ACQ_REL);
}

/* ---- choices ---- */

/* Adds one text to the tree that begins at @start. */
static void
add_choice (WlyAutomaton *automaton, GHashTable *edges, WlyState start, const char *text)
{
  WlyState at = start;

  for (gsize i = 0; text[i] != '\0'; i++) {
    guint64 key    = (guint64)at << 8 | (guint8)text[i];
    gpointer found = g_hash_table_lookup (edges, &key);
    WlyState next  = GPOINTER_TO_UINT (found);

    if (next == 0) {
      next = wly_automaton_add_state (automaton);
      wly_automaton_add_bytes (automaton, at, (guint8)text[i], (guint8)text[i], next);
      g_hash_table_insert (edges, g_memdup2 (&key, sizeof key), GUINT_TO_POINTER (next));
    }
    at = next;
  }
  wly_automaton_set_final (automaton, at);
}

static gboolean
check_size (const char *what, gsize n_bytes, GError **error)
{
  if (n_bytes <= WLY_GRAMMAR_SOURCE_BYTES)
    return TRUE;
  g_set_error (error, WLY_ERROR, WLY_ERROR_INVALID_ARGS, "%s has %" G_GSIZE_FORMAT " bytes; at most %d are read", what,
               n_bytes, WLY_GRAMMAR_SOURCE_BYTES);
  return FALSE;
}

gboolean
wly_grammar_check_text (const char *what, const char *text, gsize n_bytes, GError **error)
{
  if (!check_size (what, n_bytes, error))
    return FALSE;
  if (g_utf8_validate_len (text, n_bytes, NULL))
    return TRUE;
  g_set_error (error, WLY_ERROR, WLY_ERROR_INVALID_TEXT, "%s is not valid UTF-8, or holds a NUL", what);
  return FALSE;
}

static gboolean
add_choices (WlyAutomaton *automaton, const char *const *choices, WlyRule *ret_rule, GError **error)
{
  g_autoptr (GHashTable) edges = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, NULL);
  gsize n_bytes                = 0;

  *ret_rule = wly_automaton_add_rule (automaton, NULL);
  for (gsize i = 0; choices[i] != NULL; i++) {
    gsize n = strlen (choices[i]);

    n_bytes += n;
    if (n == 0) {
      g_set_error (error, WLY_ERROR, WLY_ERROR_INVALID_ARGS, "Choice %" G_GSIZE_FORMAT " is empty", i + 1);
      return FALSE;
    }
    if (!wly_grammar_check_text ("A choice", choices[i], n, error)
        || !check_size ("The list of choices", n_bytes, error))
      return FALSE;
    add_choice (automaton, edges, wly_automaton_rule_start (automaton, *ret_rule), choices[i]);
  }
  if (n_bytes > 0)
    return TRUE;
  g_set_error_literal (error, WLY_ERROR, WLY_ERROR_INVALID_ARGS, "There is no choice in the list");
  return FALSE;
}

/* ---- all kinds ---- */

gboolean
wly_grammar_add (WlyAutomaton *automaton, const WlyGrammarSource *source, WlyRule *ret_rule, GError **error)
{
  switch (source->kind) {
  case WLY_GRAMMAR_JSON_SCHEMA:
    return wly_grammar_check_text ("The JSON Schema", source->text, source->n_bytes, error)
           && wly_schema_add (automaton, source->text, source->n_bytes, ret_rule, error);
  case WLY_GRAMMAR_GBNF:
    return wly_grammar_check_text ("The grammar", source->text, source->n_bytes, error)
           && wly_gbnf_add (automaton, source->text, source->n_bytes, ret_rule, error);
  case WLY_GRAMMAR_REGEX:
    return wly_grammar_check_text ("The regular expression", source->text, source->n_bytes, error)
           && wly_regex_add (automaton, source->text, source->n_bytes, ret_rule, error);
  case WLY_GRAMMAR_CHOICE:
    return add_choices (automaton, source->choices, ret_rule, error);
  }
  g_return_val_if_reached (FALSE);
}

WlyGrammar *
wly_grammar_new (const WlyGrammarSource *source, GError **error)
{
  g_autoptr (WlyAutomaton) automaton = wly_automaton_new ();
  WlyRule root                       = 0;

  if (!wly_grammar_add (automaton, source, &root, error))
    return NULL;
  return wly_grammar_take (g_steal_pointer (&automaton), root, error);
}
