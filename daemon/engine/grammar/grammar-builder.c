/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "grammar/grammar-builder.h"

#include "grammar/grammar-private.h"

#include <string.h>

struct WlyGrammarBuilder {
  WlyAutomaton *automaton; /* NULL: finished */
  const WlyTokenizer *tokenizer;
};

WlyGrammarBuilder *
wly_grammar_builder_new (const WlyTokenizer *tokenizer)
{
  WlyGrammarBuilder *builder = g_new0 (WlyGrammarBuilder, 1);

  builder->automaton = wly_automaton_new ();
  builder->tokenizer = tokenizer;
  return builder;
}

void
wly_grammar_builder_free (WlyGrammarBuilder *builder)
{
  if (builder == NULL)
    return;
  wly_automaton_free (builder->automaton);
  g_free (builder);
}

/* A new rule with its two ends. */
static WlyRule
begin_rule (WlyGrammarBuilder *builder, WlyState *ret_start, WlyState *ret_end)
{
  WlyRule rule = wly_automaton_add_rule (builder->automaton, NULL);

  *ret_start = wly_automaton_rule_start (builder->automaton, rule);
  *ret_end   = wly_automaton_add_state (builder->automaton);
  wly_automaton_set_final (builder->automaton, *ret_end);
  return rule;
}

/* ---- control tokens ---- */

/* The token that is spelled so and writes no text; WLY_TOKEN_NONE: there is none. */
static gint32
find_control (const WlyGrammarBuilder *builder, const char *text, gsize n_bytes)
{
  g_autofree char *word     = g_strndup (text, n_bytes);
  g_autoptr (GString) bytes = g_string_new (NULL);
  gint32 token = builder->tokenizer != NULL ? wly_tokenizer_find (builder->tokenizer, word) : WLY_TOKEN_NONE;

  if (token == WLY_TOKEN_NONE)
    return token;
  wly_tokenizer_decode (builder->tokenizer, token, FALSE, FALSE, bytes);
  return bytes->len == 0 ? token : WLY_TOKEN_NONE;
}

/* The longest control token that begins here. */
static gint32
longest_control (const WlyGrammarBuilder *builder, const char *text, gsize *ret_n_bytes)
{
  for (gsize n = MIN (strlen (text), 128); n > 1; n--) {
    gint32 token = find_control (builder, text, n);

    *ret_n_bytes = n;
    if (token != WLY_TOKEN_NONE)
      return token;
  }
  return WLY_TOKEN_NONE;
}

WlyGrammarPart
wly_grammar_builder_text (WlyGrammarBuilder *builder, const char *text)
{
  WlyState at, end;
  WlyRule rule = begin_rule (builder, &at, &end);
  gsize n;

  for (; *text != '\0'; text += n) {
    gint32 token = longest_control (builder, text, &n);

    if (token != WLY_TOKEN_NONE) {
      WlyState next = wly_automaton_add_state (builder->automaton);

      wly_automaton_add_token (builder->automaton, at, token, next);
      at = next;
    } else {
      n  = 1;
      at = wly_automaton_add_text (builder->automaton, at, text, 1);
    }
  }
  wly_automaton_add_empty (builder->automaton, at, end);
  return rule;
}

/* ---- any text up to a mark ---- */

/* A mark that is a token, or begins with one. */
typedef struct {
  gint32 token;
  WlyState next;
} TokenMark;

/* Marks as a tree with, for each node, where the longest end of what was read that is a beginning of a mark stands
 * (Aho and Corasick, "Efficient string matching", 1975). */
typedef struct {
  GArray *next;   /* guint32 [256] for each node; the root is 0 */
  GArray *ends;   /* guint8: a mark ends here */
  GArray *tokens; /* TokenMark */
} Marks;

#define NO_STATE 0

static guint32 *
row_of (const Marks *marks, guint32 node)
{
  return &g_array_index (marks->next, guint32, (gsize)node * 256);
}

static guint32
add_node (Marks *marks)
{
  g_array_set_size (marks->next, marks->next->len + 256);
  g_array_set_size (marks->ends, marks->ends->len + 1);
  return marks->ends->len - 1;
}

static void
add_mark (Marks *marks, const char *text)
{
  guint32 at = 0;

  for (; *text != '\0'; text++) {
    guint32 next = row_of (marks, at)[(guint8)*text];

    if (next == 0) {
      next                              = add_node (marks);
      row_of (marks, at)[(guint8)*text] = next;
    }
    at = next;
  }
  g_array_index (marks->ends, guint8, at) = TRUE;
}

/* Fills in the ways that fall back, nearest to the root first. */
static void
complete (Marks *marks)
{
  guint32 n                 = marks->ends->len;
  g_autofree guint32 *back  = g_new0 (guint32, n);
  g_autofree guint32 *order = g_new0 (guint32, n);
  guint32 n_order           = 1;

  for (guint32 i = 0; i < n_order; i++) {
    guint32 node = order[i];

    for (guint byte = 0; byte < 256; byte++) {
      guint32 *next   = &row_of (marks, node)[byte];
      guint32 instead = node == 0 ? 0 : row_of (marks, back[node])[byte];

      if (*next != 0) {
        back[*next] = instead;
        g_array_index (marks->ends, guint8, *next) |= g_array_index (marks->ends, guint8, instead);
        order[n_order++] = *next;
      } else {
        *next = instead;
      }
    }
  }
}

/* @end NONE: where a mark would end, no way leads. */
static void
add_marks (WlyGrammarBuilder *builder, const Marks *marks, WlyState root, gboolean may_end, WlyState end)
{
  WlyAutomaton *automaton     = builder->automaton;
  guint32 n                   = marks->ends->len;
  g_autofree WlyState *states = g_new (WlyState, n);

  for (guint32 i = 0; i < n; i++)
    states[i] = i == 0 ? root : g_array_index (marks->ends, guint8, i) ? end : wly_automaton_add_state (automaton);
  for (guint32 i = 0; i < n; i++) {
    const guint32 *row = row_of (marks, i);

    if (g_array_index (marks->ends, guint8, i))
      continue;
    for (guint low = 1, high; low < 256; low = high + 1) {
      for (high = low; high < 255 && row[high + 1] == row[low];)
        high++;
      if (states[row[low]] != NO_STATE)
        wly_automaton_add_bytes (automaton, states[i], (guint8)low, (guint8)high, states[row[low]]);
    }
    for (guint t = 0; t < marks->tokens->len; t++) {
      const TokenMark *mark = &g_array_index (marks->tokens, TokenMark, t);

      wly_automaton_add_token (automaton, states[i], mark->token, mark->next);
    }
    if (may_end)
      wly_automaton_set_final (automaton, states[i]);
    wly_automaton_set_plain (automaton, states[i], 2);
  }
}

/* A mark that begins with a control token: that, then the rest of its text. */
static void
add_token_mark (WlyGrammarBuilder *builder, Marks *tree, gint32 token, const char *rest, WlyState end)
{
  TokenMark mark = { token, end };

  if (*rest != '\0') {
    WlyGrammarPart text = wly_grammar_builder_text (builder, rest);

    mark.next = wly_automaton_add_state (builder->automaton);
    wly_automaton_add_call (builder->automaton, mark.next, text, end);
  }
  g_array_append_val (tree->tokens, mark);
}

static WlyGrammarPart
add_until (WlyGrammarBuilder *builder, const char *const *marks, gboolean may_end, gboolean without)
{
  WlyState start, end;
  WlyState root = wly_automaton_add_state (builder->automaton);
  WlyRule rule  = begin_rule (builder, &start, &end);
  Marks tree    = { g_array_new (FALSE, TRUE, sizeof (guint32)), g_array_new (FALSE, TRUE, sizeof (guint8)),
                    g_array_new (FALSE, FALSE, sizeof (TokenMark)) };

  add_node (&tree);
  wly_automaton_add_empty (builder->automaton, start, root);
  for (guint i = 0; marks[i] != NULL; i++) {
    gsize n      = 0;
    gint32 token = longest_control (builder, marks[i], &n);

    if (token == WLY_TOKEN_NONE)
      add_mark (&tree, marks[i]);
    else if (!without)
      add_token_mark (builder, &tree, token, marks[i] + n, end);
  }
  complete (&tree);
  if (tree.ends->len == 1)
    wly_automaton_set_plain (builder->automaton, root, 0);
  add_marks (builder, &tree, root, may_end, without ? NO_STATE : end);
  g_array_unref (tree.next);
  g_array_unref (tree.ends);
  g_array_unref (tree.tokens);
  return rule;
}

WlyGrammarPart
wly_grammar_builder_until (WlyGrammarBuilder *builder, const char *const *marks, gboolean may_end)
{
  return add_until (builder, marks, may_end, FALSE);
}

WlyGrammarPart
wly_grammar_builder_without (WlyGrammarBuilder *builder, const char *const *marks)
{
  return add_until (builder, marks, TRUE, TRUE);
}

/* ---- parts of parts ---- */

WlyGrammarPart
wly_grammar_builder_space (WlyGrammarBuilder *builder)
{
  WlyState start, end;
  WlyRule one = begin_rule (builder, &start, &end);

  wly_automaton_add_bytes (builder->automaton, start, ' ', ' ', end);
  wly_automaton_add_bytes (builder->automaton, start, '\n', '\n', end);
  return wly_grammar_builder_repeat (builder, one, 0, 4);
}

gboolean
wly_grammar_builder_source (WlyGrammarBuilder *builder, const WlyGrammarSource *source, WlyGrammarPart *ret_part,
                            GError **error)
{
  return wly_grammar_add (builder->automaton, source, ret_part, error);
}

gboolean
wly_grammar_builder_members (WlyGrammarBuilder *builder, const char *schema, gsize n_bytes,
                             const WlyGrammarMembers *form, WlyGrammarPart *ret_part, GError **error)
{
  WlySchemaMembers members   = { .raw = form->value_close != NULL };
  g_autofree char *stop      = g_strstrip (g_strdup (members.raw ? form->value_close : ""));
  const char *const stops[2] = { stop, NULL };

  members.key_open    = wly_grammar_builder_text (builder, form->key_open);
  members.key_close   = wly_grammar_builder_text (builder, form->key_close);
  members.value_close = wly_grammar_builder_text (builder, members.raw ? form->value_close : "");
  members.separator   = form->separator != NULL ? wly_grammar_builder_text (builder, form->separator)
                                                : wly_grammar_builder_space (builder);
  members.any_text    = members.raw ? wly_grammar_builder_until (builder, stops, FALSE) : 0;
  members.stop        = stop;
  return wly_grammar_check_text ("The JSON Schema", schema, n_bytes, error)
         && wly_schema_add_members (builder->automaton, schema, n_bytes, &members, ret_part, error);
}

WlyGrammarPart
wly_grammar_builder_sequence (WlyGrammarBuilder *builder, const WlyGrammarPart *parts, guint n_parts)
{
  WlyState at, end;
  WlyRule rule = begin_rule (builder, &at, &end);

  for (guint i = 0; i < n_parts; i++) {
    WlyState next = i + 1 == n_parts ? end : wly_automaton_add_state (builder->automaton);

    wly_automaton_add_call (builder->automaton, at, parts[i], next);
    at = next;
  }
  if (n_parts == 0)
    wly_automaton_add_empty (builder->automaton, at, end);
  return rule;
}

WlyGrammarPart
wly_grammar_builder_choice (WlyGrammarBuilder *builder, const WlyGrammarPart *parts, guint n_parts)
{
  WlyState start, end;
  WlyRule rule = begin_rule (builder, &start, &end);

  for (guint i = 0; i < n_parts; i++)
    wly_automaton_add_call (builder->automaton, start, parts[i], end);
  return rule;
}

WlyGrammarPart
wly_grammar_builder_repeat (WlyGrammarBuilder *builder, WlyGrammarPart part, guint32 min, guint32 max)
{
  WlyState start, end;
  WlyRule rule  = begin_rule (builder, &start, &end);
  WlyState loop = wly_automaton_add_state (builder->automaton);

  wly_automaton_add_empty (builder->automaton, start, loop);
  wly_automaton_add_loop (builder->automaton, loop, part, min, max, end);
  return rule;
}

WlyGrammar *
wly_grammar_builder_finish (WlyGrammarBuilder *builder, WlyGrammarPart part, GError **error)
{
  g_return_val_if_fail (builder->automaton != NULL, NULL);
  return wly_grammar_take (g_steal_pointer (&builder->automaton), part, error);
}
