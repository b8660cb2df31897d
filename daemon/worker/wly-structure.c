/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wly-structure.h"

#include "grammar/grammar-builder.h"
#include "parse/call-grammar.h"
#include "wly-error.h"
#include "wly-options.h"
#include "wly-pieces.h"

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

gboolean
wly_structure_is_own (GVariant *options)
{
  for (gsize i = 0; i < G_N_ELEMENTS (keys); i++)
    if (wly_options_has (options, keys[i].key))
      return !wly_options_has (options, "tool-choice");
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

/* The text of a source, whatever else there is. */
static gboolean
make_plain (const WlyTokenizer *tokenizer, const char *mark, const WlyGrammarSource *source, const char *key,
            WlyGrammar **ret_grammar, GError **error)
{
  if (*mark != '\0')
    *ret_grammar = make_after (tokenizer, mark, source, error);
  else
    *ret_grammar = wly_grammar_new (source, error);
  if (*ret_grammar == NULL)
    g_prefix_error (error, "Option “%s”: ", key);
  return *ret_grammar != NULL;
}

/* Text and calls of tools, where there are tools or where one is asked for.  @source NULL: any text. */
static gboolean
make_calls (WlyOpened *opened, const WlyBody *body, const GArray *prompt, const char *choice,
            const WlyGrammarSource *source, WlyGrammar **ret_grammar, GError **error)
{
  g_autoptr (GVariant) tools    = wly_body_tools (body);
  const WlyOutputFormat *format = body->messages == NULL ? NULL : wly_opened_format (opened);
  WlyCallGrammar wanted         = { 0 };

  if (format == NULL) {
    if (*choice == '\0' || g_str_equal (choice, "none") || g_str_equal (choice, "auto"))
      return TRUE;
    g_set_error_literal (error, WLY_ERROR, WLY_ERROR_INVALID_ARGS,
                         "Option “tool-choice”: a call is required, and only an answer to messages, by a model with a "
                         "chat template, can have one");
    return FALSE;
  }
  wanted.format      = format;
  wanted.tokenizer   = wly_opened_tokenizer (opened, NULL);
  wanted.tools       = tools;
  wanted.choice      = *choice == '\0' ? "auto" : choice;
  wanted.lenient     = *choice == '\0';
  wanted.in_thoughts = wly_pieces_in_thoughts (opened, body, prompt);
  wanted.answer      = source;
  return wly_call_grammar_make (&wanted, ret_grammar, error);
}

/* A source by itself is held to as ever; with the option, calls may stand in its place. */
static gboolean
make (WlyOpened *opened, const WlyBody *body, const GArray *prompt, GVariant *options, const WlyGrammarSource *source,
      const char *key, WlyGrammar **ret_grammar, GError **error)
{
  g_autofree char *choice = wly_options_dup_string (WLY_SCOPE_GENERATE, options, "tool-choice");
  g_autofree char *mark   = wly_options_dup_string (WLY_SCOPE_GENERATE, options, "constrain-after");

  if (source == NULL)
    return make_calls (opened, body, prompt, choice, NULL, ret_grammar, error);
  if (*choice != '\0' && *mark == '\0'
      && (!make_calls (opened, body, prompt, choice, source, ret_grammar, error) || *ret_grammar != NULL))
    return *ret_grammar != NULL;
  if (*choice != '\0' && *mark != '\0' && !g_str_equal (choice, "none")) {
    g_set_error_literal (error, WLY_ERROR, WLY_ERROR_INVALID_ARGS,
                         "Options “tool-choice” and “constrain-after” are both given; with tools, a text is held to "
                         "its form from its beginning or behind the model's own thoughts");
    return FALSE;
  }
  return make_plain (wly_opened_tokenizer (opened, NULL), mark, source, key, ret_grammar, error);
}

gboolean
wly_structure_make (WlyOpened *opened, const WlyBody *body, const GArray *prompt, GVariant *options,
                    WlyGrammar **ret_grammar, GError **error)
{
  g_autofree char *text   = NULL;
  g_auto (GStrv) choices  = NULL;
  WlyGrammarSource source = { 0 };
  gsize key;

  *ret_grammar = NULL;
  if (wly_opened_tokenizer (opened, error) == NULL || !find_key (options, &key, error))
    return FALSE;
  if (key == G_N_ELEMENTS (keys)) {
    if (!make (opened, body, prompt, options, NULL, "", ret_grammar, error))
      return FALSE;
  } else {
    source.kind = keys[key].kind;
    if (source.kind == WLY_GRAMMAR_CHOICE)
      source.choices = (const char *const *)(choices = wly_options_dup_strv (WLY_SCOPE_GENERATE, options, "choice"));
    else
      source.text = text = wly_options_dup_string (WLY_SCOPE_GENERATE, options, keys[key].key);
    source.n_bytes = text != NULL ? strlen (text) : 0;
    if (!make (opened, body, prompt, options, &source, keys[key].key, ret_grammar, error))
      return FALSE;
  }
  if (*ret_grammar != NULL)
    wly_opened_token_trie (opened); /* made here, so that no step has to wait for it */
  return TRUE;
}
