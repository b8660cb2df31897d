/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Any source of a grammar, then a text of tokens that its masks allow: the first byte is the language, the second one
 * the seed, the rest the source.  What is allowed has to be accepted, and the text has to be whole in time.
 */
#include "fuzz.h"

#include "grammar/constraint.h"
#include "wly-test-random.h"

#include <fcntl.h>
#include <unistd.h>

static WlyTokenizer *tokenizer;
static WlyTokenTrie *trie;

int
LLVMFuzzerInitialize (int *argc, char ***argv)
{
  int fd        = open (g_getenv ("WOOLLY_BUNDLED_MODEL"), O_RDONLY | O_CLOEXEC);
  WlyGguf *gguf = wly_gguf_open (&fd, 1, NULL);

  g_assert_nonnull (gguf);
  close (fd);
  tokenizer = wly_tokenizer_new (gguf, NULL);
  trie      = wly_token_trie_new (tokenizer);
  return 0;
}

static gint32
draw (const guint32 *mask, WlyTestRandom *random)
{
  guint n = 0, chosen;

  for (guint32 w = 0; w < trie->n_words; w++)
    n += (guint)__builtin_popcount (mask[w]);
  g_assert_cmpuint (n, >, 0);
  chosen = wly_test_random_below (random, n);
  for (guint32 i = 0; i < trie->n_vocab; i++)
    if ((mask[i / 32] >> (i % 32) & 1) != 0 && chosen-- == 0)
      return (gint32)i;
  g_assert_not_reached ();
}

/* An allowed token that leaves room for an end; -1 with an error. */
static gint32
draw_fitting (WlyConstraint *constraint, guint32 budget, WlyTestRandom *random, GError **error)
{
  const guint32 *mask = wly_constraint_mask (constraint, budget, error);
  gint32 token;

  if (mask == NULL)
    return -1;
  token = draw (mask, random);
  if (wly_constraint_fits (constraint, token, budget))
    return token;
  mask = wly_constraint_mask_exact (constraint, budget, error);
  if (mask == NULL)
    return -1;
  token = draw (mask, random);
  g_assert_true (wly_constraint_fits (constraint, token, budget));
  return token;
}

static void
write_text (WlyGrammar *grammar, guint8 seed)
{
  g_autoptr (WlyConstraint) constraint = wly_constraint_new (grammar, trie, trie->n_vocab, seed & 1);
  g_autoptr (GError) error             = NULL;
  guint32 shortest                     = wly_constraint_shortest (constraint);
  WlyTestRandom random                 = { seed };

  if (shortest > 100)
    return;
  for (guint32 budget = shortest + seed % 16; budget > 0 && !wly_constraint_must_end (constraint); budget--) {
    gint32 token = draw_fitting (constraint, budget, &random, &error);

    if (token < 0) {
      g_assert_nonnull (error);
      return;
    }
    if (wly_tokenizer_is_end (tokenizer, token))
      break;
    g_assert_true (wly_constraint_accept (constraint, token, NULL));
  }
  g_assert_true (wly_constraint_may_end (constraint));
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize n_bytes)
{
  g_autoptr (WlyGrammar) grammar = NULL;
  g_autoptr (GError) error       = NULL;
  g_autofree char *text          = NULL;
  const char *choices[]          = { NULL, "other", NULL };
  WlyGrammarSource source        = { 0 };

  if (n_bytes < 2)
    return 0;
  text           = g_strndup ((const char *)data + 2, n_bytes - 2);
  choices[0]     = text;
  source.kind    = (WlyGrammarKind)(data[0] % 4);
  source.text    = text;
  source.n_bytes = strlen (text);
  source.choices = choices;
  grammar        = wly_grammar_new (&source, &error);
  g_assert_true ((grammar == NULL) == (error != NULL));
  g_assert_true (error == NULL || !g_utf8_validate (text, -1, NULL) || g_utf8_validate (error->message, -1, NULL));
  if (grammar != NULL)
    write_text (grammar, data[1]);
  return 0;
}
