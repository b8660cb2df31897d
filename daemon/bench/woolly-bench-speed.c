/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * woolly-bench speed -m FILE: how fast this machine computes the model.
 */
#include "config.h"

#include "woolly-bench-cmds.h"

#include "bench-bus.h"
#include "bench-model.h"
#include "bench-report.h"
#include "wly-error.h"

#include <glib/gi18n.h>
#include <string.h>

#define MAX_TOKENS  1048576
#define MAX_BATCH   1024
#define WARM_STEPS  2
#define WARM_ROUNDS 16

typedef struct {
  BenchOptions options;
  char *prefill;
  char *decode;
  char *depth;
  char *batch;
  char *first_token;
  int repetitions;
  int chunk;
  gboolean json;
  gboolean csv;
  gboolean profile;
  gboolean no_limits;
  gboolean bus;
  gboolean vs;
  char **peers;
  int pairs;
} Arguments;

/* What the lists say. */
typedef struct {
  GArray *prefill;
  GArray *decode;
  GArray *depth;
  GArray *batch;
  GArray *first_token;
} Lists;

static void
arguments_clear (Arguments *arguments)
{
  bench_options_clear (&arguments->options);
  g_free (arguments->prefill);
  g_free (arguments->decode);
  g_free (arguments->depth);
  g_free (arguments->batch);
  g_free (arguments->first_token);
  g_strfreev (arguments->peers);
}

static void
lists_clear (Lists *lists)
{
  g_clear_pointer (&lists->prefill, g_array_unref);
  g_clear_pointer (&lists->decode, g_array_unref);
  g_clear_pointer (&lists->depth, g_array_unref);
  g_clear_pointer (&lists->batch, g_array_unref);
  g_clear_pointer (&lists->first_token, g_array_unref);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Arguments, arguments_clear)
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Lists, lists_clear)

static gboolean
parse (int argc, char **argv, Arguments *ret)
{
  g_autofree GOptionEntry *shared =
      bench_options_entries (&ret->options, N_ ("Type of the key-value cache: f16 (the default), f32 or q8_0"),
                             N_ ("int8 (the default) or f32 (exact to rounding)"));
  const GOptionEntry entries[] = {
    { "prefill", 0, 0, G_OPTION_ARG_STRING, &ret->prefill, N_ ("Lengths of prompts; 0: none (512)"), N_ ("N,…") },
    { "decode", 0, 0, G_OPTION_ARG_STRING, &ret->decode, N_ ("Numbers of generated tokens; 0: none (64)"), N_ ("N,…") },
    { "depth", 0, 0, G_OPTION_ARG_STRING, &ret->depth, N_ ("Tokens that stand before them (0)"), N_ ("N,…") },
    { "batch", 0, 0, G_OPTION_ARG_STRING, &ret->batch, N_ ("Sequences at once (1)"), N_ ("N,…") },
    { "first-token", 0, 0, G_OPTION_ARG_STRING, &ret->first_token,
      N_ ("Load once more for each, and time the first token of such a prompt"), N_ ("N,…") },
    { "bus", 0, 0, G_OPTION_ARG_NONE, &ret->bus, N_ ("Time first tokens through the service, too"), NULL },
    { "repetitions", 'r', 0, G_OPTION_ARG_INT, &ret->repetitions, N_ ("Runs of each test (5)"), N_ ("N") },
    { "chunk", 0, 0, G_OPTION_ARG_INT, &ret->chunk, N_ ("Most tokens in one step (512)"), N_ ("N") },
    { "profile", 0, 0, G_OPTION_ARG_NONE, &ret->profile, N_ ("Print what each operator takes"), NULL },
    { "no-limits", 0, 0, G_OPTION_ARG_NONE, &ret->no_limits, N_ ("Do not measure the machine itself"), NULL },
    { "vs", 0, 0, G_OPTION_ARG_NONE, &ret->vs, N_ ("Run another engine's benchmark in turn, and print ratios"), NULL },
    { "peer", 0, 0, G_OPTION_ARG_STRING_ARRAY, &ret->peers,
      N_ ("Which one, with options of its own (llama-bench); may be given again"), N_ ("COMMAND") },
    { "pairs", 0, 0, G_OPTION_ARG_INT, &ret->pairs, N_ ("Pairs of runs, each first in turn (5)"), N_ ("N") },
    { "json", 0, 0, G_OPTION_ARG_NONE, &ret->json, N_ ("Print JSON"), NULL },
    { "csv", 0, 0, G_OPTION_ARG_NONE, &ret->csv, N_ ("Print comma-separated values"), NULL },
    { NULL },
  };

  ret->repetitions = 5;
  ret->chunk       = 512;
  ret->pairs       = 5;
  if (!woolly_bench_parse (&argc, &argv, shared, entries, NULL,
                           _ ("Measures how fast a model computes: prompts, generation, loading, memory.")))
    return FALSE;
  if (argc == 1 && ret->options.model != NULL && ret->repetitions > 0 && ret->pairs > 0 && ret->chunk > 0
      && ret->chunk <= MAX_TOKENS && ret->options.n_threads >= 0 && !(ret->json && ret->csv))
    return TRUE;
  g_printerr (_ ("woolly-bench speed: wanted is -m FILE, and whole numbers; “--help” lists the options\n"));
  return FALSE;
}

static gboolean
parse_lists (const Arguments *arguments, Lists *ret)
{
  const struct {
    const char *option, *text, *otherwise;
    guint min, max;
    GArray **ret;
  } rows[] = {
    { "--prefill", arguments->prefill, "512", 0, MAX_TOKENS, &ret->prefill },
    { "--decode", arguments->decode, "64", 0, MAX_TOKENS, &ret->decode },
    { "--depth", arguments->depth, "0", 0, MAX_TOKENS, &ret->depth },
    { "--batch", arguments->batch, "1", 1, MAX_BATCH, &ret->batch },
    { "--first-token", arguments->first_token, "0", 0, MAX_TOKENS, &ret->first_token },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    const char *text = rows[i].text != NULL ? rows[i].text : rows[i].otherwise;

    *rows[i].ret = bench_options_numbers ("speed", rows[i].option, text, rows[i].min, rows[i].max);
    if (*rows[i].ret == NULL)
      return FALSE;
  }
  return TRUE;
}

static guint
greatest (const GArray *numbers)
{
  guint most = 0;

  for (guint i = 0; i < numbers->len; i++)
    most = MAX (most, g_array_index (numbers, guint, i));
  return most;
}

/* ---- loading ---- */

/* Opens the file and loads the model for sequences of @n_positions. */
static BenchEngine *
load (const Arguments *arguments, const BenchChoice *choice, guint n_positions, guint batch, WlyGguf **ret_gguf,
      GError **error)
{
  BenchEngineOptions options = choice->engine;
  g_autoptr (WlyGguf) gguf   = bench_model_open (arguments->options.model, error);
  BenchEngine *engine;

  if (gguf == NULL)
    return NULL;
  options.max_batch_tokens = MAX ((guint)arguments->chunk, batch);
  options.max_sequences    = batch;
  options.max_positions    = n_positions;
  options.kv               = choice->kv;
  engine                   = bench_engine_new (gguf, &options, error);
  if (engine != NULL)
    *ret_gguf = g_steal_pointer (&gguf);
  return engine;
}

static gboolean
first_step (BenchEngine *engine, const BenchChoice *choice, BenchFirstToken *first, gint64 start, GError **error)
{
  g_autoptr (BenchSpeed) speed   = bench_speed_new (engine, choice->kv);
  g_autoptr (BenchResult) result = NULL;
  const BenchTest test           = { .kind = BENCH_PREFILL, .n = first->n_tokens, .batch = 1 };

  result        = bench_result_new (&test);
  first->load_s = (double)(g_get_monotonic_time () - start) / G_USEC_PER_SEC;
  if (!bench_speed_run (speed, result, error))
    return FALSE;
  first->total_s = (double)(g_get_monotonic_time () - start) / G_USEC_PER_SEC;
  return TRUE;
}

/* A model that is loaded for this, and let go. */
static gboolean
time_first_token (const Arguments *arguments, const BenchChoice *choice, guint n, GArray *firsts, GError **error)
{
  const gint64 start             = g_get_monotonic_time ();
  BenchFirstToken first          = { .n_tokens = n };
  g_autoptr (WlyGguf) gguf       = NULL;
  g_autoptr (BenchEngine) engine = load (arguments, choice, n + 1, 1, &gguf, error);

  if (engine == NULL || !first_step (engine, choice, &first, start, error))
    return FALSE;
  g_array_append_val (firsts, first);
  return TRUE;
}

/* Through the service: a prompt of one token, and those of the list. */
static gboolean
time_bus (const Arguments *arguments, const Lists *lists, GArray *firsts, GError **error)
{
  for (guint i = 0; i <= lists->first_token->len; i++) {
    const guint n         = i == 0 ? 1 : g_array_index (lists->first_token, guint, i - 1);
    BenchFirstToken first = { 0 };

    if (n == 0)
      continue;
    if (!bench_bus_first_token (arguments->options.model, n, &first, error))
      return FALSE;
    g_array_append_val (firsts, first);
  }
  return TRUE;
}

/* ---- tests ---- */

static void
add_tests (GPtrArray *results, BenchKind kind, const GArray *lengths, guint depth, guint batch)
{
  for (guint i = 0; i < lengths->len; i++) {
    const BenchTest test = { .kind = kind, .n = g_array_index (lengths, guint, i), .depth = depth, .batch = batch };

    if (test.n > 0)
      g_ptr_array_add (results, bench_result_new (&test));
  }
}

static GPtrArray *
list_tests (const Lists *lists)
{
  GPtrArray *results = g_ptr_array_new_with_free_func ((GDestroyNotify)bench_result_free);

  for (guint d = 0; d < lists->depth->len; d++) {
    for (guint b = 0; b < lists->batch->len; b++) {
      const guint depth = g_array_index (lists->depth, guint, d);
      const guint batch = g_array_index (lists->batch, guint, b);

      add_tests (results, BENCH_PREFILL, lists->prefill, depth, batch);
      add_tests (results, BENCH_DECODE, lists->decode, depth, batch);
    }
  }
  return results;
}

/* Each kind of step before it is timed: memory is touched, threads are up.  Again while that packs more weights, of
 * which a backend may do some with each step; a mixture goes on touching experts, so there is an end to it. */
static gboolean
warm_up (BenchSpeed *speed, WlyNetwork *network, const BenchTest *test, GError **error)
{
  struct wlp_memory memory = { 0 };
  BenchTest brief          = *test;
  guint64 packed;
  guint n_rounds = 0;

  if (brief.kind == BENCH_DECODE)
    brief.n = MIN (brief.n, WARM_STEPS);
  wly_network_memory (network, &memory);
  do {
    g_autoptr (BenchResult) result = bench_result_new (&brief);

    packed = memory.packed_bytes;
    if (!bench_speed_run (speed, result, error))
      return FALSE;
    wly_network_memory (network, &memory);
  } while (memory.packed_bytes > packed && ++n_rounds < WARM_ROUNDS);
  return TRUE;
}

/* ---- beside a peer ---- */

/* The programs to compare with, (transfer full) array of BenchPeer: looked for before anything is measured. */
static GPtrArray *
find_peers (const Arguments *arguments, GError **error)
{
  const char *const otherwise[] = { "llama-bench", NULL };
  const char *const *commands   = arguments->peers != NULL ? (const char *const *)arguments->peers
                                  : arguments->vs          ? otherwise
                                                           : otherwise + 1;
  g_autoptr (GPtrArray) peers   = g_ptr_array_new_with_free_func ((GDestroyNotify)bench_peer_free);

  for (guint i = 0; commands[i] != NULL; i++) {
    BenchPeer *peer = bench_peer_new (commands[i], error);

    if (peer == NULL)
      return NULL;
    g_ptr_array_add (peers, peer);
  }
  return g_steal_pointer (&peers);
}

static gboolean
run_versus (const Arguments *arguments, BenchReport *report, BenchSpeed *speed, GPtrArray *peers, GError **error)
{
  for (guint p = 0; p < peers->len; p++) {
    const BenchPeer *peer = g_ptr_array_index (peers, p);

    for (guint i = 0; i < report->results->len; i++) {
      const BenchTest *test = &((BenchResult *)g_ptr_array_index (report->results, i))->test;
      BenchVersus *versus;

      if (!bench_peer_can (peer, test)) {
        g_printerr (_ ("woolly-bench speed: “%s” has no %s at depth %u of %u sequences; it is left out\n"),
                    peer->command, test->kind == BENCH_PREFILL ? "prefill" : "decode", test->depth, test->batch);
        continue;
      }
      versus = bench_versus_new (test, peer);
      g_ptr_array_add (report->versus, versus);
      for (int pair = 0; pair < arguments->pairs; pair++)
        if (!bench_versus_run (versus, speed, report->path, report->n_threads, error))
          return FALSE;
    }
  }
  return TRUE;
}

/* ---- all of it ---- */

static gboolean
run_tests (const Arguments *arguments, BenchReport *report, BenchEngine *engine, GPtrArray *peers, GError **error)
{
  g_autoptr (BenchSpeed) speed = bench_speed_new (engine, report->choice->kv);

  for (guint i = 0; i < report->results->len; i++) {
    BenchResult *result = g_ptr_array_index (report->results, i);

    if (!warm_up (speed, engine->network, &result->test, error))
      return FALSE;
    for (guint r = 0; r < (guint)arguments->repetitions; r++)
      if (!bench_speed_run (speed, result, error))
        return FALSE;
  }
  wly_network_memory (engine->network, &report->memory); /* with the sequences there */
  return run_versus (arguments, report, speed, peers, error);
}

/* Resident bytes of this process at most, since the last call with @again. */
static guint64
peak_bytes (gboolean again)
{
  g_autofree char *text = NULL;
  const char *line;

  if (again)
    g_file_set_contents_full ("/proc/self/clear_refs", "5", 1, G_FILE_SET_CONTENTS_NONE, 0600, NULL);
  if (!g_file_get_contents ("/proc/self/status", &text, NULL, NULL))
    return 0;
  line = strstr (text, "VmHWM:");
  return line != NULL ? g_ascii_strtoull (line + strlen ("VmHWM:"), NULL, 10) * 1024 : 0;
}

static gboolean
load_and_run (const Arguments *arguments, const Lists *lists, BenchReport *report, GPtrArray *peers,
              BenchEngine **ret_engine, WlyGguf **ret_gguf, GError **error)
{
  const guint n_tokens  = MAX (MAX (greatest (lists->prefill), greatest (lists->decode)), 1);
  BenchFirstToken first = { .n_tokens = 1 };
  const gint64 start    = g_get_monotonic_time ();

  *ret_engine =
      load (arguments, report->choice, greatest (lists->depth) + n_tokens, greatest (lists->batch), ret_gguf, error);
  if (*ret_engine == NULL || !first_step (*ret_engine, report->choice, &first, start, error))
    return FALSE;
  g_array_prepend_val (report->first_tokens, first);
  report->gguf      = *ret_gguf;
  report->engine    = *ret_engine;
  report->n_threads = wly_host_services_get ((*ret_engine)->services)->n_threads;
  return run_tests (arguments, report, *ret_engine, peers, error);
}

/* Before and behind the tests: a limit that a disturbed second gave would make the shares look better than they are. */
static void
measure_limits (const Arguments *arguments, guint n_threads, BenchLimits *limits)
{
  BenchLimits now;

  bench_limits_measure (n_threads, arguments->options.isa, &now);
  if (limits->n_threads == 0)
    *limits = now;
  else
    bench_limits_merge (limits, &now);
}

static gboolean
measure (const Arguments *arguments, const Lists *lists, const BenchChoice *choice, GError **error)
{
  g_autoptr (GArray) firsts      = g_array_new (FALSE, FALSE, sizeof (BenchFirstToken));
  g_autoptr (GArray) bus         = g_array_new (FALSE, FALSE, sizeof (BenchFirstToken));
  g_autoptr (GPtrArray) results  = list_tests (lists);
  g_autoptr (GPtrArray) versus   = g_ptr_array_new_with_free_func ((GDestroyNotify)bench_versus_free);
  g_autoptr (GPtrArray) peers    = find_peers (arguments, error);
  g_autoptr (WlyGguf) gguf       = NULL;
  g_autoptr (BenchEngine) engine = NULL;
  BenchLimits limits             = { 0 };
  BenchReport report             = { .path         = arguments->options.model,
                                     .choice       = choice,
                                     .chunk        = (guint)arguments->chunk,
                                     .with_profile = arguments->profile,
                                     .results      = results,
                                     .versus       = versus,
                                     .first_tokens = firsts,
                                     .bus          = bus };

  if (peers == NULL || (arguments->bus && !time_bus (arguments, lists, bus, error)))
    return FALSE;
  if (!arguments->no_limits)
    measure_limits (arguments, choice->engine.n_threads, &limits);
  peak_bytes (TRUE);
  for (guint i = 0; i < lists->first_token->len; i++) {
    const guint n = g_array_index (lists->first_token, guint, i);

    if (n > 0 && !time_first_token (arguments, choice, n, firsts, error))
      return FALSE;
  }
  if (!load_and_run (arguments, lists, &report, peers, &engine, &gguf, error))
    return FALSE;
  report.peak_bytes = peak_bytes (FALSE);
  if (!arguments->no_limits) {
    measure_limits (arguments, choice->engine.n_threads, &limits);
    report.limits = &limits;
  }
  (arguments->json ? bench_report_json : arguments->csv ? bench_report_csv : bench_report_text) (&report);
  return TRUE;
}

int
woolly_bench_speed (int argc, char **argv)
{
  g_auto (Arguments) arguments = { 0 };
  g_auto (Lists) lists         = { 0 };
  g_autoptr (GError) error     = NULL;
  BenchChoice choice;

  if (!parse (argc, argv, &arguments) || !parse_lists (&arguments, &lists)
      || !bench_options_choose (&arguments.options, "speed", "f16", "int8", &choice))
    return WOOLLY_BENCH_USAGE;
  if (!measure (&arguments, &lists, &choice, &error))
    return woolly_bench_fail (error);
  return WOOLLY_BENCH_OK;
}
