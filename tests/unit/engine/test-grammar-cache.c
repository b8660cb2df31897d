/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Grammars that are kept between requests: found again, bounded, fair between apps, and the same masks as ever.
 */
#include "grammar/grammar-cache.h"

#include "grammar/constraint.h"
#include "grammar/masks.h"
#include "wly-test-random.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static WlyGguf *gguf;
static WlyTokenizer *tokenizer;
static WlyTokenTrie *trie;

static WlyGrammar *
make (WlyGrammarKind kind, const char *text)
{
  const WlyGrammarSource source = { .kind = kind, .text = text, .n_bytes = strlen (text) };
  g_autoptr (GError) error      = NULL;
  WlyGrammar *grammar           = wly_grammar_new (&source, &error);

  g_assert_no_error (error);
  return grammar;
}

static void
put (WlyGrammarCache *cache, guint64 owner, const char *digest, const char *regex)
{
  g_autoptr (WlyGrammar) grammar = make (WLY_GRAMMAR_REGEX, regex);

  wly_grammar_cache_put (cache, owner, digest, grammar);
}

static gboolean
has (WlyGrammarCache *cache, const char *digest)
{
  g_autoptr (WlyGrammar) grammar = wly_grammar_cache_get (cache, digest);

  return grammar != NULL;
}

static void
test_found (void)
{
  WlyGrammarCache *cache         = wly_grammar_cache_new ();
  g_autoptr (WlyGrammar) grammar = make (WLY_GRAMMAR_REGEX, "a+");
  g_autoptr (WlyGrammar) found   = NULL;

  g_assert_false (has (cache, "one"));
  g_assert_cmpuint (wly_grammar_cache_bytes (cache), ==, 0);
  wly_grammar_cache_put (cache, 1, "one", grammar);
  found = wly_grammar_cache_get (cache, "one");
  g_assert_true (found == grammar);
  g_assert_false (has (cache, "on"));
  g_assert_cmpuint (wly_grammar_cache_bytes (cache), ==, wly_grammar_bytes (grammar));
  /* who has it still has it when the model goes */
  wly_grammar_cache_free (cache);
  g_assert_cmpint (g_atomic_int_get (&grammar->references), ==, 2);
}

/* The one that was not used longest goes. */
static void
test_oldest_goes (void)
{
  WlyGrammarCache *cache = wly_grammar_cache_new ();

  for (guint i = 0; i < WLY_GRAMMAR_CACHE_ENTRIES + 2; i++) {
    g_autofree char *digest = g_strdup_printf ("%u", i);

    put (cache, 7, digest, "a+");
    g_assert_true (has (cache, "0"));
  }
  g_assert_false (has (cache, "1"));
  g_assert_false (has (cache, "2"));
  for (guint i = 3; i < WLY_GRAMMAR_CACHE_ENTRIES + 2; i++) {
    g_autofree char *digest = g_strdup_printf ("%u", i);

    g_assert_true (has (cache, digest));
  }
  wly_grammar_cache_free (cache);
}

/* An app that sends another one each time takes nothing from the others, and does not make it grow. */
static void
test_fair (void)
{
  WlyGrammarCache *cache = wly_grammar_cache_new ();

  put (cache, 1, "mine", "a+");
  put (cache, 2, "yours", "b+");
  for (guint i = 0; i < 50; i++) {
    g_autofree char *digest = g_strdup_printf ("other %u", i);

    put (cache, 3, digest, "[a-z]{1,4000}x");
    g_assert_cmpuint (wly_grammar_cache_bytes (cache), <=, WLY_GRAMMAR_CACHE_BYTES);
  }
  g_assert_true (has (cache, "mine"));
  g_assert_true (has (cache, "yours"));
  g_assert_true (has (cache, "other 49"));
  wly_grammar_cache_free (cache);
}

/* One that is larger than all may be is not kept. */
static void
test_too_large (void)
{
  WlyGrammarCache *cache         = wly_grammar_cache_new ();
  g_autoptr (GString) text       = g_string_new ("root ::= r0");
  g_autoptr (WlyGrammar) grammar = NULL;

  for (guint i = 0; i < 60; i++)
    g_string_append_printf (text, " | \"%u\" [a-zA-Z0-9.,;]{5000} \"%u\"", i, i);
  g_string_append (text, "\nr0 ::= (\"abcdefghijklmnopqrstuvwxyz\" | [a-m]){2000}\n");
  for (guint i = 1; i < 12; i++)
    g_string_append_printf (text, "r%u ::= \"%0*d\"\n", i, 20000, 0);
  for (guint i = 1; i < 12; i++)
    g_string_append_printf (text, "s%u ::= r%u r%u\n", i, i, i);
  grammar = make (WLY_GRAMMAR_GBNF, text->str);
  put (cache, 1, "mine", "a+");
  for (guint i = 0; i < 4; i++) {
    g_autofree char *digest = g_strdup_printf ("%u", i);

    wly_grammar_cache_put (cache, 2, digest, grammar);
    g_assert_cmpuint (wly_grammar_cache_bytes (cache), <=, WLY_GRAMMAR_CACHE_BYTES);
  }
  g_assert_cmpuint (wly_grammar_bytes (grammar), >, WLY_GRAMMAR_CACHE_BYTES / 4);
  g_assert_false (has (cache, "0"));
  g_assert_true (has (cache, "mine"));
  wly_grammar_cache_free (cache);
}

/* ---- masks that lie with a grammar ---- */

/* The masks of one text that the seed chooses, one behind the other. */
static GBytes *
run (WlyGrammar *grammar, guint64 seed, guint32 budget)
{
  g_autoptr (WlyConstraint) constraint = wly_constraint_new (grammar, trie, trie->n_vocab, FALSE);
  GByteArray *all                      = g_byte_array_new ();
  WlyTestRandom random                 = { seed };

  for (; budget > 0 && !wly_constraint_must_end (constraint); budget--) {
    g_autoptr (GError) error = NULL;
    const guint32 *mask      = wly_constraint_mask (constraint, budget, &error);
    guint32 token;

    g_assert_no_error (error);
    g_byte_array_append (all, (const guint8 *)mask, trie->n_words * (guint)sizeof *mask);
    for (guint i = 0; i < 2; i++) {
      do
        token = wly_test_random_below (&random, trie->n_vocab);
      while ((mask[token / 32] >> (token % 32) & 1) == 0);
      if (wly_constraint_fits (constraint, (gint32)token, budget))
        break;
      mask = wly_constraint_mask_exact (constraint, budget, &error);
      g_assert_no_error (error);
      g_byte_array_append (all, (const guint8 *)mask, trie->n_words * (guint)sizeof *mask);
    }
    if (wly_tokenizer_is_end (tokenizer, (gint32)token))
      break;
    g_assert_true (wly_constraint_accept (constraint, (gint32)token, &error));
  }
  return g_byte_array_free_to_bytes (all);
}

static const char *const texts[] = {
  ("root ::= (\"QXQXQ\" (x | y) | \"ZXZXZ\" (y | x)) \n x ::= \"=\" [0-9]{0,5} \"the\" \n y ::= \"=\" [0-9]{0,5} "
   "\"qzq\""),
  "root ::= ((\"aaa\" | \"a\" \"aa\" | \"bcd\") \"-\"?){1,40} [.!?] | \"x\" root \"yy\" | \"xy\" root \"y\"",
  "root ::= \"[\" (root (\",\" root)*)? \"]\" | [0-9]{1,3} | \"\\\"\" [^\"\\x00-\\x1f]{0,40} \"\\\"\"",
};

/* Masks do not hang on what was asked for before. */
static void
test_same_masks (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (texts); i++) {
    g_autoptr (WlyGrammar) kept = make (WLY_GRAMMAR_GBNF, texts[i]);

    for (guint round = 0; round < 12; round++) {
      g_autoptr (WlyGrammar) anew = make (WLY_GRAMMAR_GBNF, texts[i]);
      g_autoptr (GBytes) expected = run (anew, round % 7, 9 + round);
      g_autoptr (GBytes) got      = run (kept, round % 7, 9 + round);

      g_assert_cmpmem (g_bytes_get_data (expected, NULL), g_bytes_get_size (expected), g_bytes_get_data (got, NULL),
                       g_bytes_get_size (got));
    }
  }
}

/* Of two ways that are as short the same one is taken, whichever was met first. */
static void
test_same_way (void)
{
  g_autoptr (WlyGrammar) grammar = make (WLY_GRAMMAR_GBNF, "root ::= [ac] \"x\" | [bc] \"y\"");
  guint8 usable[256];

  memset (usable, TRUE, sizeof usable);
  for (guint i = 0; i < 2; i++) {
    WlyMatcher *matcher       = wly_matcher_new (grammar->automaton);
    WlyPlace start            = wly_matcher_start (matcher);
    g_autoptr (GString) text  = g_string_new (NULL);
    g_autoptr (GArray) tokens = g_array_new (FALSE, FALSE, sizeof (gint32));

    g_assert_cmpuint (wly_matcher_step (matcher, start, i == 0 ? 'a' : 'b'), !=, 0);
    g_assert_cmpuint (wly_matcher_step (matcher, start, i == 0 ? 'b' : 'a'), !=, 0);
    g_assert_true (wly_matcher_shortest (matcher, wly_matcher_step (matcher, start, 'c'), 10, usable, text, tokens));
    g_assert_cmpstr (text->str, ==, "x");
    wly_matcher_free (matcher);
  }
}

/* What one generation worked out the next one takes over; two at once have one each. */
static void
test_taken_over (void)
{
  g_autoptr (WlyGrammar) grammar = make (WLY_GRAMMAR_GBNF, texts[2]);
  const gsize n_bytes            = wly_grammar_bytes (grammar);
  g_autoptr (GBytes) first       = run (grammar, 3, 30);
  WlyMasks *masks                = grammar->masks;
  const gsize n_kept             = wly_grammar_bytes (grammar);
  WlyConstraint *one, *other;

  g_assert_nonnull (masks);
  masks->matcher->work = G_MAXUINT32; /* what it took counts no more */
  g_assert_cmpuint (n_kept, >, n_bytes + trie->n_words * sizeof (guint32));
  g_assert_cmpuint (n_kept, <=, n_bytes + WLY_MASKS_KEPT_BYTES);
  one = wly_constraint_new (grammar, trie, trie->n_vocab, FALSE);
  g_assert_false (wly_matcher_failed (masks->matcher));
  g_assert_null (grammar->masks);
  g_assert_cmpuint (wly_grammar_bytes (grammar), ==, n_bytes);
  other = wly_constraint_new (grammar, trie, trie->n_vocab, FALSE);
  wly_constraint_free (one);
  g_assert_true (grammar->masks == masks);
  wly_constraint_free (other);
  g_assert_nonnull (grammar->masks);
  /* masks of another size are of no use */
  one = wly_constraint_new (grammar, trie, trie->n_vocab + 100, FALSE);
  g_assert_null (grammar->masks);
  wly_constraint_free (one);
}

int
main (int argc, char **argv)
{
  int fd, status;

  g_test_init (&argc, &argv, NULL);
  fd        = open (g_getenv ("WOOLLY_BUNDLED_MODEL"), O_RDONLY | O_CLOEXEC);
  gguf      = wly_gguf_open (&fd, 1, NULL);
  tokenizer = wly_tokenizer_new (gguf, NULL);
  trie      = wly_token_trie_new (tokenizer);
  close (fd);
  g_test_add_func ("/grammar-cache/found", test_found);
  g_test_add_func ("/grammar-cache/oldest-goes", test_oldest_goes);
  g_test_add_func ("/grammar-cache/fair", test_fair);
  g_test_add_func ("/grammar-cache/too-large", test_too_large);
  g_test_add_func ("/grammar-cache/same-masks", test_same_masks);
  g_test_add_func ("/grammar-cache/same-way", test_same_way);
  g_test_add_func ("/grammar-cache/taken-over", test_taken_over);
  status = g_test_run ();
  wly_token_trie_unref (trie);
  wly_tokenizer_free (tokenizer);
  wly_gguf_unref (gguf);
  return status;
}
