/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Masks against their definition, which needs no cache: a token is allowed where the text so far and its own begin a
 * text of the grammar.  And that texts always end in time.
 */
#include "grammar/constraint.h"
#include "grammar/grammar-builder.h"
#include "grammar/matcher.h"
#include "wly-error.h"
#include "wly-test-random.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static WlyGguf *gguf;
static WlyTokenizer *tokenizer;
static WlyTokenTrie *trie;

static const WlyGrammarSource sources[] = {
  { WLY_GRAMMAR_JSON_SCHEMA, "{\"type\":\"object\"}", 17, NULL },
  { WLY_GRAMMAR_JSON_SCHEMA,
    "{\"type\":\"object\",\"properties\":{\"name\":{\"type\":\"string\",\"minLength\":3,\"maxLength\":90},\"n\":{"
    "\"type\":"
    "\"array\",\"items\":{\"type\":\"integer\",\"maximum\":40},\"maxItems\":3}},\"required\":[\"name\"]}",
    0, NULL },
  { WLY_GRAMMAR_GBNF, "root ::= ([a-z]+ \" \"){2,70} [.!?]\n", 0, NULL },
  { WLY_GRAMMAR_GBNF, "root ::= \"(\" root* \")\" | .{0,3}", 0, NULL },
  { WLY_GRAMMAR_REGEX, "(?:[A-Z][a-z]* ?){1,5}: [^x]{0,80}", 0, NULL },
  { WLY_GRAMMAR_REGEX, "(?:a|b)*a(?:a|b){40}", 0, NULL },
  { WLY_GRAMMAR_REGEX, "[日本語]{2,40}", 0, NULL },
  { WLY_GRAMMAR_JSON_SCHEMA, "{\"type\":\"array\",\"items\":{\"type\":\"string\",\"maxLength\":7},\"minItems\":9}", 0,
    NULL },
  { WLY_GRAMMAR_JSON_SCHEMA, "{\"type\":[\"string\",\"null\"],\"minLength\":40}", 0, NULL },
  { WLY_GRAMMAR_JSON_SCHEMA,
    "{\"anyOf\":[{\"type\":\"string\",\"maxLength\":50},{\"type\":\"string\",\"pattern\":\"^a+$\"},{\"type\":"
    "\"string\"}]}",
    0, NULL },
};

static WlyGrammar *
make (gsize i)
{
  WlyGrammarSource source  = sources[i];
  g_autoptr (GError) error = NULL;
  WlyGrammar *grammar;

  source.n_bytes = strlen (source.text);
  grammar        = wly_grammar_new (&source, &error);
  g_assert_no_error (error);
  return grammar;
}

static gboolean
bit (const guint32 *mask, guint32 token)
{
  return (mask[token / 32] >> (token % 32) & 1) != 0;
}

static gint32
draw (const guint32 *mask, WlyTestRandom *random)
{
  guint n = 0, chosen;

  for (guint32 i = 0; i < trie->n_vocab; i++)
    n += bit (mask, i);
  g_assert_cmpuint (n, >, 0);
  chosen = wly_test_random_below (random, n);
  for (guint32 i = 0; i < trie->n_vocab; i++)
    if (bit (mask, i) && chosen-- == 0)
      return (gint32)i;
  g_assert_not_reached ();
}

/* ---- the definition ---- */

/* The place behind a text, by a matcher of its own. */
static WlyPlace
run (WlyMatcher *matcher, WlyPlace place, const char *text, gsize n_bytes)
{
  wly_matcher_begin (matcher);
  for (gsize i = 0; i < n_bytes && place != 0; i++)
    place = wly_matcher_step_slowly (matcher, place, (guint8)text[i]);
  return place;
}

static void
check_mask (WlyMatcher *matcher, WlyPlace place, gboolean first, const guint32 *mask)
{
  g_autoptr (GString) text = g_string_new (NULL);
  gboolean ends            = wly_matcher_get (matcher, place)->ends;

  for (guint32 i = 0; i < trie->n_vocab; i++) {
    gboolean expected;

    g_string_truncate (text, 0);
    wly_tokenizer_decode (tokenizer, (gint32)i, first, FALSE, text);
    if (wly_tokenizer_is_end (tokenizer, (gint32)i))
      expected = ends;
    else
      expected = text->len > 0 && run (matcher, place, text->str, text->len) != 0;
    if (bit (mask, i) != expected)
      g_error ("token %u “%s” is%s allowed", i, text->str, expected ? " not" : "");
  }
}

static void
test_definition (gconstpointer data)
{
  gsize which                          = GPOINTER_TO_SIZE (data);
  g_autoptr (WlyGrammar) grammar       = make (which);
  g_autoptr (WlyConstraint) constraint = wly_constraint_new (grammar, trie, trie->n_vocab, TRUE);
  g_autoptr (WlyMatcher) matcher       = wly_matcher_new (grammar->automaton);
  WlyPlace place                       = wly_matcher_start (matcher);
  WlyTestRandom random                 = { which };
  gboolean first                       = TRUE;

  for (guint n = 0; n < 25 && !wly_constraint_must_end (constraint); n++) {
    g_autoptr (GError) error = NULL;
    g_autoptr (GString) text = g_string_new (NULL);
    const guint32 *mask      = wly_constraint_mask (constraint, 100000, &error);
    gint32 token;

    g_assert_no_error (error);
    check_mask (matcher, place, first, mask);
    do
      token = draw (mask, &random);
    while (wly_tokenizer_is_end (tokenizer, token));
    wly_tokenizer_decode (tokenizer, token, first, FALSE, text);
    place = run (matcher, place, text->str, text->len);
    g_assert_true (wly_constraint_accept (constraint, token, &error));
    first = FALSE;
  }
}

/* The exact mask is the mask, but for tokens that do not fit. */
static void
test_exact (gconstpointer data)
{
  g_autoptr (WlyGrammar) grammar       = make (GPOINTER_TO_SIZE (data));
  g_autoptr (WlyConstraint) constraint = wly_constraint_new (grammar, trie, trie->n_vocab, FALSE);
  WlyTestRandom random                 = { 77 };

  for (guint n = 0; n < 30 && !wly_constraint_must_end (constraint); n++) {
    const guint32 budget     = wly_constraint_shortest (constraint) + 1 + n % 3;
    g_autoptr (GError) error = NULL;
    g_autofree guint32 *all  = g_memdup2 (wly_constraint_mask (constraint, 100000, &error), trie->n_words * 4);
    g_autofree guint32 *few =
        g_memdup2 (wly_constraint_mask_exact (constraint, budget, &error), trie->n_words * sizeof *few);
    gint32 token;

    g_assert_no_error (error);
    for (guint32 i = 0; i < trie->n_vocab; i++)
      g_assert_cmpint (bit (few, i), ==, bit (all, i) && wly_constraint_fits (constraint, (gint32)i, budget));
    do
      token = draw (n % 2 == 0 ? all : few, &random);
    while (wly_tokenizer_is_end (tokenizer, token) && !wly_constraint_may_end (constraint));
    if (wly_tokenizer_is_end (tokenizer, token) || !wly_constraint_accept (constraint, token, &error))
      break;
  }
}

/* Through all counts of a repetition, one character each time: what is taken as one count must be alike. */
static void
test_counts (gconstpointer data)
{
  const WlyGrammarSource source        = { .kind = WLY_GRAMMAR_GBNF, .text = data, .n_bytes = strlen (data) };
  g_autoptr (WlyGrammar) grammar       = wly_grammar_new (&source, NULL);
  g_autoptr (WlyConstraint) constraint = wly_constraint_new (grammar, trie, trie->n_vocab, FALSE);
  g_autoptr (WlyMatcher) matcher       = wly_matcher_new (grammar->automaton);
  WlyPlace place                       = wly_matcher_start (matcher);
  gint32 token                         = wly_tokenizer_find (tokenizer, "a");
  guint n                              = 0;

  for (; !wly_constraint_must_end (constraint) && n < 200; n++) {
    g_autoptr (GError) error = NULL;
    const guint32 *mask      = wly_constraint_mask (constraint, 100000, &error);

    g_assert_no_error (error);
    check_mask (matcher, place, FALSE, mask);
    if (!wly_constraint_accept (constraint, token, NULL))
      break;
    place = run (matcher, place, "a", 1);
  }
  g_assert_cmpuint (n, ==, 90);
}

/* ---- ends ---- */

static void
generate (WlyGrammar *grammar, guint64 seed, guint32 budget, GString *text)
{
  g_autoptr (WlyConstraint) constraint = wly_constraint_new (grammar, trie, trie->n_vocab, TRUE);
  WlyTestRandom random                 = { seed };
  gboolean first                       = TRUE;

  if (wly_constraint_shortest (constraint) > budget)
    return;
  while (budget > 0 && !wly_constraint_must_end (constraint)) {
    g_autoptr (GError) error = NULL;
    const guint32 *mask      = wly_constraint_mask (constraint, budget, &error);
    gint32 token;

    g_assert_no_error (error);
    token = draw (mask, &random);
    if (!wly_constraint_fits (constraint, token, budget)) {
      mask = wly_constraint_mask_exact (constraint, budget, &error);
      g_assert_no_error (error);
      token = draw (mask, &random);
      g_assert_true (wly_constraint_fits (constraint, token, budget));
    }
    if (wly_tokenizer_is_end (tokenizer, token))
      break;
    g_assert_true (wly_constraint_accept (constraint, token, &error));
    wly_tokenizer_decode (tokenizer, token, first, FALSE, text);
    first = FALSE;
    budget--;
  }
  g_assert_true (wly_constraint_may_end (constraint));
}

static void
test_ends_in_time (gconstpointer data)
{
  g_autoptr (WlyGrammar) grammar = make (GPOINTER_TO_SIZE (data));

  for (guint32 budget = 1; budget < 60; budget += 3) {
    g_autoptr (GString) text  = g_string_new (NULL);
    g_autoptr (GString) again = g_string_new (NULL);

    generate (grammar, budget, budget, text);
    generate (grammar, budget, budget, again);
    g_assert_cmpstr (text->str, ==, again->str);
  }
}

/* What is kept does not change what comes out, also where it is thrown away now and then. */
static void
test_tidy (void)
{
  g_autoptr (WlyGrammar) grammar = make (1);
  g_autoptr (WlyMatcher) one     = wly_matcher_new (grammar->automaton);
  g_autoptr (WlyMatcher) other   = wly_matcher_new (grammar->automaton);
  const char *text               = "{ \"name\" : \"some 日本 text\", \"n\": [1, 23 ,\n 4], \"x\":{\"y\":[[[{}]]]}}";
  WlyPlace a                     = wly_matcher_start (one);
  WlyPlace b                     = wly_matcher_start (other);

  for (; *text != '\0'; text++) {
    a = wly_matcher_step (one, a, (guint8)*text);
    b = wly_matcher_step (other, b, (guint8)*text);
    g_assert_cmpuint (b, !=, 0);
    g_assert_true (wly_matcher_tidy (other, &b, TRUE));
    g_assert_cmpint (wly_matcher_get (one, a)->ends, ==, wly_matcher_get (other, b)->ends);
    g_assert_cmpuint (wly_matcher_get (one, a)->n_nodes, ==, wly_matcher_get (other, b)->n_nodes);
    g_assert_cmpuint (wly_matcher_get (one, a)->cost, ==, wly_matcher_get (other, b)->cost);
  }
  g_assert_true (wly_matcher_get (one, a)->ends);
  g_assert_true (wly_matcher_get (other, b)->ends);
}

/* A grammar that opens twice as many ways with each character ends with an error, not with all memory. */
static void
test_ambiguous (void)
{
  const char *text = "root ::= a a a a a a a a a a a a a a a a a a a a a a a a a \"x\"\na ::= (b | c | d)? \nb ::= "
                     "[a-m]* \nc ::= [a-n]* c?\nd ::= \"a\" d \"b\"? | \"\"\n";
  const WlyGrammarSource source        = { .kind = WLY_GRAMMAR_GBNF, .text = text, .n_bytes = strlen (text) };
  g_autoptr (GError) error             = NULL;
  g_autoptr (WlyGrammar) grammar       = wly_grammar_new (&source, &error);
  g_autoptr (WlyConstraint) constraint = NULL;

  if (grammar == NULL)
    return;
  constraint = wly_constraint_new (grammar, trie, trie->n_vocab, FALSE);
  for (guint i = 0; i < 200; i++) {
    const guint32 *mask = wly_constraint_mask (constraint, 100000, &error);

    if (mask == NULL) {
      g_assert_error (error, WLY_ERROR, WLY_ERROR_INVALID_ARGS);
      return;
    }
    if (!wly_constraint_accept (constraint, wly_tokenizer_find (tokenizer, "a"), NULL))
      return;
  }
}

/* A text that begins with a space, where the space of a first token is not written. */
static void
test_first_space (void)
{
  const WlyGrammarSource source  = { .kind = WLY_GRAMMAR_REGEX, .text = " :a|  b", .n_bytes = 7 };
  g_autoptr (WlyGrammar) grammar = wly_grammar_new (&source, NULL);

  g_assert_true (trie->drops_space);
  for (guint32 budget = 1; budget < 6; budget++) {
    g_autoptr (GString) text = g_string_new (NULL);

    generate (grammar, budget, budget, text);
    g_assert_true (text->len == 0 || g_str_equal (text->str, " :a") || g_str_equal (text->str, "  b"));
  }
}

/* ---- tokens by name ---- */

static void
test_named_tokens (void)
{
  gint32 end = wly_tokenizer_eos (tokenizer);
  gint32 bos = wly_tokenizer_bos (tokenizer);
  gsize n_bytes;
  g_autofree char *mark                 = g_strdup (wly_tokenizer_token_text (tokenizer, bos, &n_bytes));
  const char *marks[]                   = { mark, NULL };
  g_autoptr (WlyGrammarBuilder) builder = wly_grammar_builder_new (tokenizer);
  WlyGrammarPart parts[2];
  g_autoptr (WlyGrammar) grammar       = NULL;
  g_autoptr (WlyConstraint) constraint = NULL;
  g_autoptr (GError) error             = NULL;
  const guint32 *mask;

  mark[n_bytes] = '\0';
  parts[0]      = wly_grammar_builder_until (builder, marks, FALSE);
  parts[1]      = wly_grammar_builder_text (builder, "!");
  grammar       = wly_grammar_builder_finish (builder, wly_grammar_builder_sequence (builder, parts, 2), &error);
  g_assert_no_error (error);
  constraint = wly_constraint_new (grammar, trie, trie->n_vocab, FALSE);
  mask       = wly_constraint_mask (constraint, 1000, &error);
  g_assert_true (bit (mask, (guint32)bos));
  g_assert_false (bit (mask, (guint32)end));
  g_assert_cmpuint (wly_constraint_shortest (constraint), ==, 2);
  /* two tokens are left: the mark has to come now */
  mask = wly_constraint_mask (constraint, 2, &error);
  g_assert_true (bit (mask, (guint32)bos));
  for (guint32 i = 0; i < trie->n_vocab; i++)
    g_assert_true (i == (guint32)bos || !bit (mask, i));
  g_assert_true (wly_constraint_accept (constraint, bos, &error));
  mask = wly_constraint_mask (constraint, 1000, &error);
  g_assert_false (bit (mask, (guint32)bos));
  g_assert_false (wly_constraint_accept (constraint, bos, NULL));
  g_assert_true (wly_constraint_accept (constraint, wly_tokenizer_find (tokenizer, "!"), &error));
  g_assert_true (wly_constraint_must_end (constraint));
  mask = wly_constraint_mask (constraint, 1000, &error);
  for (guint32 i = 0; i < trie->n_vocab; i++)
    g_assert_cmpint (bit (mask, i), ==, wly_tokenizer_is_end (tokenizer, (gint32)i));
}

/* ---- where nearly everything may come ---- */

/* Any text, then a call between marks, as often as one likes; a mark that is a control token, or text. */
static WlyGrammar *
make_calls (const char *mark)
{
  const char *marks[]                   = { mark, NULL };
  g_autoptr (WlyGrammarBuilder) builder = wly_grammar_builder_new (tokenizer);
  const WlyGrammarSource source         = { .kind = WLY_GRAMMAR_REGEX, .text = "\\{[ab]{0,9}\\}", .n_bytes = 13 };
  g_autoptr (GError) error              = NULL;
  WlyGrammarPart parts[2];
  WlyGrammar *grammar;

  parts[0] = wly_grammar_builder_until (builder, marks, TRUE);
  g_assert_true (wly_grammar_builder_source (builder, &source, &parts[1], &error));
  parts[0] = wly_grammar_builder_sequence (builder, parts, 2);
  parts[1] = wly_grammar_builder_without (builder, marks);
  grammar  = wly_grammar_builder_finish (builder, wly_grammar_builder_choice (builder, parts, 2), &error);
  g_assert_no_error (error);
  return grammar;
}

/* What fits without a mask is what the mask allows; returns how many do not. */
static guint
compare_fits (WlyConstraint *constraint)
{
  guint n = 0;

  for (guint32 i = 0; i < trie->n_vocab; i++) {
    g_autoptr (GError) error = NULL;
    const gboolean fits      = wly_constraint_fits (constraint, (gint32)i, 100000);
    const guint32 *mask      = wly_constraint_mask (constraint, 100000, &error);

    g_assert_no_error (error);
    g_assert_cmpint (fits, ==, bit (mask, i));
    n += !fits;
  }
  return n;
}

static void
accept_text (WlyConstraint *constraint, const char *text)
{
  for (; *text != '\0'; text++) {
    gsize n_bytes;
    gint32 token = wly_token_trie_longest (trie, text, 1, &n_bytes);

    g_assert_true (wly_constraint_fits (constraint, token, 100000));
    g_assert_true (wly_constraint_accept (constraint, token, NULL));
  }
}

static void
check_free (const char *mark, gint32 token)
{
  g_autoptr (WlyGrammar) grammar       = make_calls (mark);
  g_autoptr (WlyConstraint) constraint = wly_constraint_new (grammar, trie, trie->n_vocab, FALSE);

  for (guint n = 0; n < 3; n++) {
    g_assert_true (wly_constraint_is_free (constraint, 100000));
    g_assert_cmpuint (compare_fits (constraint), <, 20);
    /* the exact mask has to see to the end */
    g_assert_false (wly_constraint_is_free (constraint, 5));
    accept_text (constraint, n == 0 ? "so<" : "a");
  }
  if (token >= 0)
    g_assert_true (wly_constraint_accept (constraint, token, NULL));
  else
    accept_text (constraint, mark);
  for (const char *text = "{ab"; *text != '\0'; text++) {
    const char letter[] = { *text, '\0' };

    g_assert_false (wly_constraint_is_free (constraint, 100000));
    g_assert_cmpuint (compare_fits (constraint), >, trie->n_vocab / 2);
    accept_text (constraint, letter);
  }
}

static void
test_free (void)
{
  gint32 bos           = wly_tokenizer_bos (tokenizer);
  gsize n_bytes        = 0;
  const char *text     = wly_tokenizer_token_text (tokenizer, bos, &n_bytes);
  g_autofree char *bar = g_strndup (text, n_bytes);

  check_free ("<call>", -1);
  check_free (bar, bos);
}

int
main (int argc, char **argv)
{
  int fd;

  g_test_init (&argc, &argv, NULL);
  fd        = open (g_getenv ("WOOLLY_BUNDLED_MODEL"), O_RDONLY | O_CLOEXEC);
  gguf      = wly_gguf_open (&fd, 1, NULL);
  tokenizer = wly_tokenizer_new (gguf, NULL);
  trie      = wly_token_trie_new (tokenizer);
  close (fd);
  for (gsize i = 0; i < G_N_ELEMENTS (sources); i++) {
    g_autofree char *definition = g_strdup_printf ("/constraint/definition/%" G_GSIZE_FORMAT, i);
    g_autofree char *in_time    = g_strdup_printf ("/constraint/ends-in-time/%" G_GSIZE_FORMAT, i);
    g_autofree char *exact      = g_strdup_printf ("/constraint/exact/%" G_GSIZE_FORMAT, i);

    g_test_add_data_func (definition, GSIZE_TO_POINTER (i), test_definition);
    g_test_add_data_func (in_time, GSIZE_TO_POINTER (i), test_ends_in_time);
    g_test_add_data_func (exact, GSIZE_TO_POINTER (i), test_exact);
  }
  g_test_add_data_func ("/constraint/counts/few", "root ::= [a-z ]{45,90}", test_counts);
  g_test_add_data_func ("/constraint/counts/two-bytes", "root ::= (\"a\" [a-z] \"\"){22,45}", test_counts);
  g_test_add_data_func ("/constraint/counts/any", "root ::= .{45,90} \"!\"?", test_counts);
  g_test_add_func ("/constraint/tidy", test_tidy);
  g_test_add_func ("/constraint/first-space", test_first_space);
  g_test_add_func ("/constraint/ambiguous", test_ambiguous);
  g_test_add_func ("/constraint/named-tokens", test_named_tokens);
  g_test_add_func ("/constraint/free", test_free);
  int status = g_test_run ();

  wly_token_trie_unref (trie);
  wly_tokenizer_free (tokenizer);
  wly_gguf_unref (gguf);
  return status;
}
