/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wly-structure.h"

#include "grammar/grammar-builder.h"
#include "wly-error.h"
#include "wly-options.h"

#include <string.h>

static const struct {
  const char *key;
  WlyGrammarKind kind;
} keys[] = {
  { "json-schema", WLY_GRAMMAR_JSON_SCHEMA },
  { "grammar", WLY_GRAMMAR_GBNF },
  { "regex", WLY_GRAMMAR_REGEX },
  { "choice", WLY_GRAMMAR_CHOICE },
};

/* Which of the keys is given; G_N_ELEMENTS (keys): none.  FALSE: more than one. */
static gboolean
find_key (GVariant *options, gsize *ret_key, GError **error)
{
  *ret_key = G_N_ELEMENTS (keys);
  for (gsize i = 0; i < G_N_ELEMENTS (keys); i++) {
    if (!wly_options_has (options, keys[i].key))
      continue;
    if (*ret_key < G_N_ELEMENTS (keys)) {
      g_set_error (error, WLY_ERROR, WLY_ERROR_INVALID_ARGS,
                   "Options “%s” and “%s” are both given; a text is held to one of them", keys[*ret_key].key,
                   keys[i].key);
      return FALSE;
    }
    *ret_key = i;
  }
  if (*ret_key < G_N_ELEMENTS (keys) || !wly_options_has (options, "constrain-after"))
    return TRUE;
  g_set_error_literal (error, WLY_ERROR, WLY_ERROR_INVALID_ARGS,
                       "Option “constrain-after” says where a constraint begins, but there is none");
  return FALSE;
}

/* Any text up to the mark, then what the source describes. */
static WlyGrammar *
make_after (const WlyTokenizer *tokenizer, const char *mark, const WlyGrammarSource *source, GError **error)
{
  g_autoptr (WlyGrammarBuilder) builder = wly_grammar_builder_new (tokenizer);
  const char *const marks[]             = { mark, NULL };
  WlyGrammarPart parts[3];

  parts[0] = wly_grammar_builder_until (builder, marks, FALSE);
  parts[1] = wly_grammar_builder_space (builder);
  if (!wly_grammar_builder_source (builder, source, &parts[2], error))
    return NULL;
  return wly_grammar_builder_finish (builder, wly_grammar_builder_sequence (builder, parts, 3), error);
}

gboolean
wly_structure_make (WlyOpened *opened, GVariant *options, WlyGrammar **ret_grammar, GError **error)
{
  const WlyTokenizer *tokenizer = wly_opened_tokenizer (opened, error);
  g_autofree char *text         = NULL;
  g_autofree char *mark         = NULL;
  g_auto (GStrv) choices        = NULL;
  WlyGrammarSource source       = { 0 };
  gsize key;

  *ret_grammar = NULL;
  if (tokenizer == NULL || !find_key (options, &key, error))
    return FALSE;
  if (key == G_N_ELEMENTS (keys))
    return TRUE;
  source.kind = keys[key].kind;
  if (source.kind == WLY_GRAMMAR_CHOICE)
    source.choices = (const char *const *)(choices = wly_options_dup_strv (WLY_SCOPE_GENERATE, options, "choice"));
  else
    source.text = text = wly_options_dup_string (WLY_SCOPE_GENERATE, options, keys[key].key);
  source.n_bytes = text != NULL ? strlen (text) : 0;
  mark           = wly_options_dup_string (WLY_SCOPE_GENERATE, options, "constrain-after");
  if (*mark != '\0')
    *ret_grammar = make_after (tokenizer, mark, &source, error);
  else
    *ret_grammar = wly_grammar_new (&source, error);
  if (*ret_grammar == NULL) {
    g_prefix_error (error, "Option “%s”: ", keys[key].key);
    return FALSE;
  }
  wly_opened_token_trie (opened); /* made here, so that no step has to wait for it */
  return TRUE;
}
