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

/* What a grammar is made of, but for the model. */
typedef struct {
  WlyOpened *opened;
  const WlyBody *body;
  GVariant *tools; /* av; NULL: none */
  gboolean in_thoughts;
  char *choice, *mark;            /* of the options; "": not given */
  const char *key;                /* that gives a source; "": none does */
  char *text;                     /* of a source but for choices */
  char **choices;                 /* NULL: none */
  const WlyGrammarSource *source; /* NULL: any text */
} Wanted;

static void
wanted_clear (Wanted *wanted)
{
  g_clear_pointer (&wanted->tools, g_variant_unref);
  g_free (wanted->choice);
  g_free (wanted->mark);
  g_free (wanted->text);
  g_strfreev (wanted->choices);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Wanted, wanted_clear)

/* Text and calls of tools, where there are tools or where one is asked for. */
static gboolean
make_calls (const Wanted *wanted, WlyGrammar **ret_grammar, GError **error)
{
  const WlyOutputFormat *format = wanted->body->messages == NULL ? NULL : wly_opened_format (wanted->opened);
  const char *choice            = wanted->choice;
  WlyCallGrammar calls          = { 0 };

  if (format == NULL) {
    if (*choice == '\0' || g_str_equal (choice, "none") || g_str_equal (choice, "auto"))
      return TRUE;
    g_set_error_literal (error, WLY_ERROR, WLY_ERROR_INVALID_ARGS,
                         "Option “tool-choice”: a call is required, and only an answer to messages, by a model with a "
                         "chat template, can have one");
    return FALSE;
  }
  calls.format      = format;
  calls.tokenizer   = wly_opened_tokenizer (wanted->opened, NULL);
  calls.tools       = wanted->tools;
  calls.choice      = *choice == '\0' ? "auto" : choice;
  calls.lenient     = *choice == '\0';
  calls.in_thoughts = wanted->in_thoughts;
  calls.answer      = wanted->source;
  return wly_call_grammar_make (&calls, ret_grammar, error);
}

/* A source by itself is held to as ever; with the option, calls may stand in its place. */
static gboolean
make (const Wanted *wanted, WlyGrammar **ret_grammar, GError **error)
{
  const gboolean marked = *wanted->mark != '\0', chosen = *wanted->choice != '\0';

  if (wanted->source == NULL)
    return make_calls (wanted, ret_grammar, error);
  if (chosen && !marked && (!make_calls (wanted, ret_grammar, error) || *ret_grammar != NULL))
    return *ret_grammar != NULL;
  if (chosen && marked && !g_str_equal (wanted->choice, "none")) {
    g_set_error_literal (error, WLY_ERROR, WLY_ERROR_INVALID_ARGS,
                         "Options “tool-choice” and “constrain-after” are both given; with tools, a text is held to "
                         "its form from its beginning or behind the model's own thoughts");
    return FALSE;
  }
  return make_plain (wly_opened_tokenizer (wanted->opened, NULL), wanted->mark, wanted->source, wanted->key,
                     ret_grammar, error);
}

/* ---- the same again ---- */

static void
add_part (GChecksum *sum, gconstpointer data, gsize n_bytes)
{
  const guint64 size = n_bytes;

  g_checksum_update (sum, (const guchar *)&size, sizeof size);
  g_checksum_update (sum, data, (gssize)n_bytes);
}

static void
add_text (GChecksum *sum, const char *text)
{
  add_part (sum, text, strlen (text));
}

/* (transfer full) Of all that a grammar is made of, and of whom it is made for. */
static char *
digest_of (const Wanted *wanted, guint64 salt)
{
  g_autoptr (GChecksum) sum = g_checksum_new (G_CHECKSUM_SHA256);
  const guint8 flags[]      = { wanted->body->messages != NULL, wanted->in_thoughts };

  add_part (sum, &salt, sizeof salt);
  add_part (sum, flags, sizeof flags);
  add_text (sum, wanted->key);
  add_text (sum, wanted->text != NULL ? wanted->text : "");
  add_text (sum, wanted->choice);
  add_text (sum, wanted->mark);
  for (gsize i = 0; wanted->choices != NULL && wanted->choices[i] != NULL; i++)
    add_text (sum, wanted->choices[i]);
  if (wanted->tools != NULL) {
    g_autoptr (GVariant) tools = g_variant_get_normal_form (wanted->tools);

    add_part (sum, g_variant_get_data (tools), g_variant_get_size (tools));
  }
  return g_strdup (g_checksum_get_string (sum));
}

gboolean
wly_structure_make (WlyOpened *opened, const WlyBody *body, const GArray *prompt, GVariant *options, guint64 salt,
                    WlyGrammar **ret_grammar, GError **error)
{
  g_auto (Wanted) wanted  = { .opened = opened, .body = body, .key = "" };
  g_autofree char *digest = NULL;
  WlyGrammarSource source = { 0 };
  WlyGrammarCache *kept   = wly_opened_grammars (opened);
  gsize key;

  *ret_grammar = NULL;
  if (wly_opened_tokenizer (opened, error) == NULL || !find_key (options, &key, error))
    return FALSE;
  wanted.choice      = wly_options_dup_string (WLY_SCOPE_GENERATE, options, "tool-choice");
  wanted.mark        = wly_options_dup_string (WLY_SCOPE_GENERATE, options, "constrain-after");
  wanted.tools       = wly_body_tools (body);
  wanted.in_thoughts = wly_pieces_in_thoughts (opened, body, prompt);
  if (key < G_N_ELEMENTS (keys)) {
    wanted.key  = keys[key].key;
    source.kind = keys[key].kind;
    if (source.kind == WLY_GRAMMAR_CHOICE)
      wanted.choices = wly_options_dup_strv (WLY_SCOPE_GENERATE, options, "choice");
    else
      wanted.text = wly_options_dup_string (WLY_SCOPE_GENERATE, options, wanted.key);
    source.choices = (const char *const *)wanted.choices;
    source.text    = wanted.text;
    source.n_bytes = wanted.text != NULL ? strlen (wanted.text) : 0;
    wanted.source  = &source;
  }
  digest       = digest_of (&wanted, salt);
  *ret_grammar = wly_grammar_cache_get (kept, digest);
  if (*ret_grammar != NULL)
    return TRUE;
  if (!make (&wanted, ret_grammar, error))
    return FALSE;
  if (*ret_grammar != NULL) {
    wly_grammar_cache_put (kept, salt, digest, *ret_grammar);
    wly_opened_token_trie (opened); /* made here, so that no step has to wait for it */
  }
  return TRUE;
}
