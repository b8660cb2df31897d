/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Constraints for tests in other languages, and their cost.
 *
 *     grammar-driver VOCABULARY.gguf          commands on standard input, an answer to each
 *       G KIND HEX     make a grammar: json-schema, gbnf, regex or choice (texts ended by NUL); "ok" or "error TEXT"
 *       A HEX          "yes" where the text is a whole one, "no" otherwise
 *       R SEED BUDGET  a text of random tokens that are allowed, in hexadecimal; "short N" where BUDGET is too small
 *     grammar-driver --bench VOCABULARY.gguf  first use and masks, for some schemas
 */
#include "grammar/constraint.h"
#include "grammar/grammar-builder.h"
#include "grammar/matcher.h"
#include "sample/sampler.h"
#include "wly-test-random.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

typedef struct {
  WlyGguf *gguf;
  WlyTokenizer *tokenizer;
  WlyTokenTrie *trie;
  WlyGrammar *grammar;
} Driver;

static gboolean
open_vocabulary (Driver *driver, const char *path)
{
  g_autoptr (GError) error = NULL;
  int fd                   = open (path, O_RDONLY | O_CLOEXEC);

  driver->gguf = fd >= 0 ? wly_gguf_open (&fd, 1, &error) : NULL;
  if (fd >= 0)
    close (fd);
  driver->tokenizer = driver->gguf != NULL ? wly_tokenizer_new (driver->gguf, &error) : NULL;
  if (driver->tokenizer != NULL)
    return TRUE;
  g_printerr ("%s: %s\n", path, error != NULL ? error->message : "cannot be opened");
  return FALSE;
}

static WlyGrammar *
make_grammar (const char *kind, const char *text, gsize n_bytes, GError **error)
{
  static const char *const kinds[] = { "json-schema", "gbnf", "regex", "choice" };
  g_autoptr (GPtrArray) choices    = g_ptr_array_new ();
  WlyGrammarSource source          = { .text = text, .n_bytes = n_bytes };

  while (!g_str_equal (kind, kinds[source.kind]))
    source.kind++;
  for (gsize at = 0; at < n_bytes; at += strlen (text + at) + 1)
    g_ptr_array_add (choices, (gpointer)(text + at));
  g_ptr_array_add (choices, NULL);
  source.choices = (const char *const *)choices->pdata;
  return wly_grammar_new (&source, error);
}

static gboolean
accepts (WlyGrammar *grammar, const char *text, gsize n_bytes)
{
  g_autoptr (WlyMatcher) matcher = wly_matcher_new (grammar->automaton);
  WlyPlace place                 = wly_matcher_start (matcher);

  for (gsize i = 0; i < n_bytes && place != 0; i++)
    place = wly_matcher_step (matcher, place, (guint8)text[i]);
  return place != 0 && wly_matcher_get (matcher, place)->ends;
}

/* ---- random texts ---- */

static guint
count_bits (const guint32 *mask, guint32 n_words)
{
  guint n = 0;

  for (guint32 w = 0; w < n_words; w++)
    n += (guint)__builtin_popcount (mask[w]);
  return n;
}

/* Now and then any allowed token, mostly one of few, as models do: long texts of rare tokens alone test little. */
static gint32
draw (const guint32 *mask, guint32 n_words, WlyTestRandom *random)
{
  guint n      = count_bits (mask, n_words);
  guint chosen = wly_test_random_below (random, n);

  for (guint32 w = 0; w < n_words; w++)
    for (guint bit = 0; bit < 32; bit++)
      if ((mask[w] >> bit & 1) != 0 && chosen-- == 0)
        return (gint32)(w * 32 + bit);
  return -1;
}

static gboolean
sample (Driver *driver, guint64 seed, guint32 budget, GString *text, GError **error)
{
  g_autoptr (WlyConstraint) constraint =
      wly_constraint_new (driver->grammar, driver->trie, driver->trie->n_vocab, TRUE);
  guint32 n_words      = driver->trie->n_words;
  WlyTestRandom random = { seed };
  gboolean first       = TRUE;

  while (!wly_constraint_must_end (constraint) && (budget > 0 || !wly_constraint_may_end (constraint))) {
    const guint32 *mask = wly_constraint_mask (constraint, budget, error);
    gint32 token;

    if (mask == NULL)
      return FALSE;
    token = draw (mask, n_words, &random);
    if (!wly_constraint_fits (constraint, token, budget)) {
      mask = wly_constraint_mask_exact (constraint, budget, error);
      if (mask == NULL)
        return FALSE;
      token = draw (mask, n_words, &random);
    }
    if (wly_tokenizer_is_end (driver->tokenizer, token))
      return TRUE;
    if (!wly_constraint_accept (constraint, token, error))
      return FALSE;
    wly_tokenizer_decode (driver->tokenizer, token, first, FALSE, text);
    first = FALSE;
    budget--;
  }
  return TRUE;
}

/* ---- commands ---- */

static char *
from_hex (const char *hex, gsize *ret_n_bytes)
{
  gsize n    = strlen (hex) / 2;
  char *text = g_malloc (n + 1);

  for (gsize i = 0; i < n; i++)
    text[i] = (char)(g_ascii_xdigit_value (hex[2 * i]) * 16 + g_ascii_xdigit_value (hex[2 * i + 1]));
  text[n]      = '\0';
  *ret_n_bytes = n;
  return text;
}

static void
run_sample (Driver *driver, const char *arguments)
{
  g_autoptr (GString) text  = g_string_new (NULL);
  g_autoptr (GError) error  = NULL;
  g_auto (GStrv) words      = g_strsplit (arguments, " ", -1);
  guint64 seed              = g_ascii_strtoull (words[0], NULL, 10);
  guint32 budget            = (guint32)g_ascii_strtoull (words[1], NULL, 10);
  WlyConstraint *constraint = wly_constraint_new (driver->grammar, driver->trie, driver->trie->n_vocab, TRUE);
  guint32 shortest          = wly_constraint_shortest (constraint);

  wly_constraint_free (constraint);
  if (shortest > budget) {
    printf ("short %u\n", shortest);
    return;
  }
  if (!sample (driver, seed, budget, text, &error)) {
    printf ("error %s\n", error->message);
    return;
  }
  printf ("text ");
  for (gsize i = 0; i < text->len; i++)
    printf ("%02x", (guint8)text->str[i]);
  printf ("\n");
}

static void
run_command (Driver *driver, const char *line)
{
  g_autoptr (GError) error = NULL;
  g_auto (GStrv) words     = g_strsplit (line, " ", 3);
  g_autofree char *text    = NULL;
  gsize n_bytes;

  if (words[0] == NULL || words[1] == NULL)
    return;
  if (words[0][0] == 'G' && words[2] != NULL) {
    text = from_hex (words[2], &n_bytes);
    g_clear_pointer (&driver->grammar, wly_grammar_unref);
    driver->grammar = make_grammar (words[1], text, n_bytes, &error);
    if (driver->grammar != NULL)
      printf ("ok\n");
    else
      printf ("error %s\n", error->message);
  } else if (words[0][0] == 'A') {
    text = from_hex (words[1], &n_bytes);
    printf (accepts (driver->grammar, text, n_bytes) ? "yes\n" : "no\n");
  } else {
    run_sample (driver, line + 2);
  }
  fflush (stdout);
}

static void
run_commands (Driver *driver)
{
  char *line  = NULL;
  size_t room = 0;
  ssize_t n;

  driver->trie = wly_token_trie_new (driver->tokenizer);
  while ((n = getline (&line, &room, stdin)) > 0) {
    line[strcspn (line, "\n")] = '\0';
    run_command (driver, line);
  }
  free (line);
}

/* ---- what it costs ---- */

static const struct {
  const char *name;
  const char *kind;
  const char *source;
} subjects[] = {
  { "object of a person", "json-schema",
    "{\"type\":\"object\",\"properties\":{\"name\":{\"type\":\"string\"},\"age\":{\"type\":\"integer\",\"minimum\":0},"
    "\"email\":{\"type\":\"string\",\"format\":\"email\"},\"tags\":{\"type\":\"array\",\"items\":{\"type\":\"string\"},"
    "\"maxItems\":5}},\"required\":[\"name\",\"age\"],\"additionalProperties\":false}" },
  { "strings with lengths", "json-schema",
    "{\"type\":\"array\",\"minItems\":3,\"items\":{\"type\":\"string\",\"minLength\":10,\"maxLength\":200}}" },
  { "recursive tree", "json-schema",
    "{\"$defs\":{\"n\":{\"type\":\"object\",\"properties\":{\"text\":{\"type\":\"string\"},\"children\":{\"type\":"
    "\"array\",\"items\":{\"$ref\":\"#/$defs/"
    "n\"}}},\"required\":[\"text\",\"children\"],\"additionalProperties\":false}},"
    "\"$ref\":\"#/$defs/n\"}" },
  { "any JSON", "json-schema", "{\"type\":\"object\"}" },
  { "GBNF of sentences", "gbnf", "root ::= word (\" \" word){3,40} [.!?]\nword ::= [a-zA-Z]+ | [0-9]{1,4}" },
  { "regular expression", "regex", "(?:[A-Z][a-z]+ ){2,6}\\d{4}-\\d{2}-\\d{2}: .{5,80}" },
};

static int
compare_times (gconstpointer a, gconstpointer b)
{
  double x = *(const double *)a, y = *(const double *)b;

  return x < y ? -1 : x > y;
}

static double
now_us (void)
{
  struct timespec time;

  clock_gettime (CLOCK_THREAD_CPUTIME_ID, &time);
  return (double)time.tv_sec * 1e6 + (double)time.tv_nsec / 1e3;
}

/* One text of up to 300 tokens; times of its masks, in µs. */
static void
bench_text (Driver *driver, WlyGrammar *grammar, guint64 seed, GArray *times)
{
  g_autoptr (WlyConstraint) constraint = wly_constraint_new (grammar, driver->trie, driver->trie->n_vocab, FALSE);
  g_autoptr (GError) error             = NULL;
  WlyTestRandom random                 = { seed };

  for (guint32 budget = 300; budget > 0 && !wly_constraint_must_end (constraint); budget--) {
    double begin        = now_us ();
    const guint32 *mask = wly_constraint_mask (constraint, budget, &error);
    double end, took;
    gint32 token;

    if (mask == NULL)
      g_error ("%s", error->message);
    end   = now_us ();
    token = draw (mask, driver->trie->n_words, &random);
    took  = now_us ();
    if (!wly_constraint_fits (constraint, token, budget))
      token = draw (wly_constraint_mask_exact (constraint, budget, &error), driver->trie->n_words, &random);
    if (wly_tokenizer_is_end (driver->tokenizer, token) || !wly_constraint_accept (constraint, token, &error))
      break;
    took = end - begin + now_us () - took;
    g_array_append_val (times, took);
  }
}

static void
print_times (const char *name, GArray *times)
{
  double total = 0;

  g_array_sort (times, compare_times);
  for (guint i = 0; i < times->len; i++)
    total += g_array_index (times, double, i);
  printf ("  %-6s %5u tokens: median %7.1f us, 90%% %7.1f, 99%% %7.1f, largest %7.1f, mean %7.1f\n", name, times->len,
          g_array_index (times, double, times->len / 2), g_array_index (times, double, times->len * 9 / 10),
          g_array_index (times, double, times->len * 99 / 100), g_array_index (times, double, times->len - 1),
          total / times->len);
}

/* Texts under a grammar that is made anew for each, then the same ones under one that has seen them. */
static void
bench_subject (Driver *driver, gsize k)
{
  g_autoptr (GArray) cold        = g_array_new (FALSE, FALSE, sizeof (double));
  g_autoptr (GArray) warm        = g_array_new (FALSE, FALSE, sizeof (double));
  g_autoptr (GError) error       = NULL;
  g_autoptr (WlyGrammar) grammar = NULL;
  double made                    = 0;

  for (guint round = 0; round < 4; round++) {
    double start = now_us ();

    g_clear_pointer (&grammar, wly_grammar_unref);
    grammar = make_grammar (subjects[k].kind, subjects[k].source, strlen (subjects[k].source), &error);
    if (grammar == NULL)
      g_error ("%s: %s", subjects[k].name, error->message);
    made += (now_us () - start) / 4;
    bench_text (driver, grammar, round, cold);
  }
  for (guint round = 0; round < 8; round++) {
    g_array_set_size (warm, round <= 4 ? 0 : warm->len);
    bench_text (driver, grammar, round % 4, warm);
  }
  printf ("%s: grammar made in %.1f us, %" G_GSIZE_FORMAT " KiB with its masks\n", subjects[k].name, made,
          wly_grammar_bytes (grammar) / 1024);
  print_times ("anew", cold);
  print_times ("again", warm);
}

/* A token of text before a call, with the mask of each step and without; the sampler's part as well, as it copies what
 * is masked. */
static void
bench_free (Driver *driver)
{
  const char *marks[]                   = { "<tool_call>", NULL };
  const WlySamplerOptions options       = { .temperature = 0.7, .top_k = 40, .top_p = 0.95, .min_p = 0.05 };
  guint n_vocab                         = driver->trie->n_vocab;
  g_autoptr (WlyGrammarBuilder) builder = wly_grammar_builder_new (driver->tokenizer);
  g_autoptr (WlyGrammar) grammar =
      wly_grammar_builder_finish (builder, wly_grammar_builder_without (builder, marks), NULL);
  g_autoptr (WlyConstraint) constraint = wly_constraint_new (grammar, driver->trie, n_vocab, FALSE);
  g_autofree float *logits             = g_new (float, n_vocab);
  WlySampler *sampler                  = wly_sampler_new (&options, n_vocab);
  WlyTestRandom random                 = { 1 };
  double took[2]                       = { 0, 0 };

  for (guint i = 0; i < 400; i++) {
    for (guint k = 0; k < n_vocab; k++)
      logits[k] = (float)wly_test_random_below (&random, 1000) / 100;
    for (guint free = 0; free < 2; free++) {
      const double start = now_us ();
      gboolean masked    = !wly_constraint_is_free (constraint, 1000) || !free;
      gint32 token =
          wly_sampler_draw (sampler, logits, masked ? wly_constraint_mask (constraint, 1000, NULL) : NULL, i, NULL);

      if (!wly_constraint_fits (constraint, token, 1000))
        token = wly_sampler_draw (sampler, logits, wly_constraint_mask (constraint, 1000, NULL), i, NULL);
      if (!wly_tokenizer_is_end (driver->tokenizer, token))
        wly_constraint_accept (constraint, token, NULL);
      took[free] += (now_us () - start) / 400;
    }
  }
  printf ("text before a call: %.1f us a token with masks, %.1f us without\n", took[0], took[1]);
  wly_sampler_free (sampler);
}

static void
bench (Driver *driver)
{
  double start = now_us ();

  driver->trie = wly_token_trie_new (driver->tokenizer);
  printf ("%u tokens, %u nodes, %u of them odd, tree made in %.1f ms, once for a model\n", driver->trie->n_vocab,
          driver->trie->all.n_nodes, driver->trie->odd.n_nodes, (now_us () - start) / 1e3);
  for (gsize k = 0; k < G_N_ELEMENTS (subjects); k++)
    bench_subject (driver, k);
  bench_free (driver);
}

int
main (int argc, char **argv)
{
  Driver driver     = { 0 };
  gboolean is_bench = argc == 3 && g_str_equal (argv[1], "--bench");

  if ((argc != 2 && !is_bench) || !open_vocabulary (&driver, argv[argc - 1]))
    return 2;
  if (is_bench)
    bench (&driver);
  else
    run_commands (&driver);
  wly_grammar_unref (driver.grammar);
  wly_token_trie_unref (driver.trie);
  wly_tokenizer_free (driver.tokenizer);
  wly_gguf_unref (driver.gguf);
  return 0;
}
