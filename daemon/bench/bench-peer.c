/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "bench-peer.h"

#include "wly-error.h"

#include <glib/gi18n.h>
#include <json-glib/json-glib.h>
#include <string.h>

#define TAIL_BYTES  400 /* of its messages, in an error */
#define MICRO_BATCH 512
#define ATTEMPTS    5 /* llama-batched-bench may end before it has written its last row */

/* Runs @argv; (transfer full) stdout, NULL on failure, and stderr where it is wanted. */
static char *
spawn (char **argv, char **ret_messages, GError **error)
{
  g_autofree char *out      = NULL;
  g_autofree char *messages = NULL;
  g_autoptr (GError) reason = NULL;
  int status                = 0;

  if (!g_spawn_sync (NULL, argv, NULL, G_SPAWN_DEFAULT, NULL, NULL, &out, &messages, &status, &reason)
      || !g_spawn_check_wait_status (status, &reason)) {
    const gsize n_bytes    = messages != NULL ? strlen (messages) : 0;
    g_autofree char *valid = g_utf8_make_valid (n_bytes > TAIL_BYTES ? messages + n_bytes - TAIL_BYTES
                                                : messages != NULL   ? messages
                                                                     : "",
                                                -1);

    g_set_error (error, WLY_ERROR, WLY_ERROR_FAILED, _ ("%s failed: %s\n%s"), argv[0], reason->message,
                 g_strchomp (valid));
    return NULL;
  }
  if (ret_messages != NULL)
    *ret_messages = g_steal_pointer (&messages);
  return g_steal_pointer (&out);
}

/* ---- the program ---- */

static char *
find_batched (const char *path)
{
  g_autofree char *folder  = g_path_get_dirname (path);
  g_autofree char *batched = g_build_filename (folder, "llama-batched-bench", NULL);

  return g_file_test (batched, G_FILE_TEST_IS_EXECUTABLE) ? g_steal_pointer (&batched) : NULL;
}

BenchPeer *
bench_peer_new (const char *command, GError **error)
{
  g_autoptr (BenchPeer) peer = g_new0 (BenchPeer, 1);
  g_autoptr (GError) reason  = NULL;
  g_autofree char *path      = NULL;
  g_autofree char *help      = NULL;

  peer->command = g_strdup (command);
  if (!g_shell_parse_argv (command, NULL, &peer->argv, &reason)) {
    g_set_error (error, WLY_ERROR, WLY_ERROR_INVALID_ARGS, _ ("“%s” is no command: %s"), command, reason->message);
    return NULL;
  }
  path = g_find_program_in_path (peer->argv[0]);
  if (path == NULL) {
    g_set_error (error, WLY_ERROR, WLY_ERROR_NOT_FOUND,
                 _ ("there is no program “%s” on the PATH to compare with; --peer names another one"), peer->argv[0]);
    return NULL;
  }
  g_free (peer->argv[0]);
  peer->argv[0]   = g_steal_pointer (&path);
  peer->batched   = find_batched (peer->argv[0]);
  help            = spawn ((char *[]){ peer->argv[0], (char *)"--help", NULL }, NULL, NULL);
  peer->has_depth = help != NULL && strstr (help, "--n-depth") != NULL;
  return g_steal_pointer (&peer);
}

void
bench_peer_free (BenchPeer *peer)
{
  if (peer == NULL)
    return;
  g_free (peer->command);
  g_strfreev (peer->argv);
  g_free (peer->batched);
  g_free (peer);
}

gboolean
bench_peer_can (const BenchPeer *peer, const BenchTest *test)
{
  if (test->batch > 1)
    return test->kind == BENCH_DECODE && peer->batched != NULL;
  return test->depth == 0 || test->kind == BENCH_DECODE || peer->has_depth;
}

/* ---- a run ---- */

static void
add (GPtrArray *argv, const char *option, guint value)
{
  g_ptr_array_add (argv, g_strdup (option));
  g_ptr_array_add (argv, g_strdup_printf ("%u", value));
}

static void
add_test (const BenchPeer *peer, GPtrArray *argv, const BenchTest *test)
{
  const gboolean is_prefill = test->kind == BENCH_PREFILL;
  const gboolean is_old     = test->depth > 0 && !peer->has_depth;

  add (argv, "-p", is_prefill ? test->n : 0);
  add (argv, "-n", is_prefill || is_old ? 0 : test->n);
  if (is_old) {
    g_ptr_array_add (argv, g_strdup ("-gp"));
    g_ptr_array_add (argv, g_strdup_printf ("%u,%u", test->depth, test->n));
  } else if (test->depth > 0) {
    add (argv, "-d", test->depth);
  }
  add (argv, "-r", 1);
  g_ptr_array_add (argv, g_strdup ("-o"));
  g_ptr_array_add (argv, g_strdup ("json"));
}

static void
add_batched_test (GPtrArray *argv, const BenchTest *test)
{
  const guint n_prompt = MAX (test->depth, 1);

  add (argv, "-npp", n_prompt);
  add (argv, "-ntg", test->n);
  add (argv, "-npl", test->batch);
  add (argv, "-c", test->batch * (n_prompt + test->n) + MICRO_BATCH);
}

double
bench_peer_run (const BenchPeer *peer, const char *model, const BenchTest *test, guint n_threads, GError **error)
{
  g_autoptr (GPtrArray) argv = g_ptr_array_new_with_free_func (g_free);
  double rate                = -1;

  g_ptr_array_add (argv, g_strdup (test->batch > 1 ? peer->batched : peer->argv[0]));
  g_ptr_array_add (argv, g_strdup ("-m"));
  g_ptr_array_add (argv, g_strdup (model));
  add (argv, "-t", n_threads);
  if (test->batch > 1)
    add_batched_test (argv, test);
  else
    add_test (peer, argv, test);
  for (guint i = 1; peer->argv[i] != NULL; i++)
    g_ptr_array_add (argv, g_strdup (peer->argv[i]));
  g_ptr_array_add (argv, NULL);

  for (guint i = 0; i < ATTEMPTS && rate < 0; i++) {
    g_autofree char *messages = NULL;
    g_autofree char *out      = spawn ((char **)argv->pdata, &messages, error);

    if (out == NULL)
      return -1;
    rate = test->batch > 1 ? bench_peer_parse_batched (out) : bench_peer_parse_json (out);
    if (rate < 0 && test->batch > 1) /* some write the table among their messages */
      rate = bench_peer_parse_batched (messages);
  }
  if (rate < 0)
    g_set_error (error, WLY_ERROR, WLY_ERROR_FAILED, _ ("%s printed no figure that is understood"),
                 (const char *)argv->pdata[0]);
  return rate;
}

double
bench_peer_parse_json (const char *text)
{
  g_autoptr (JsonParser) parser = json_parser_new ();
  JsonNode *root;
  JsonArray *tests;
  JsonNode *last;

  if (!json_parser_load_from_data (parser, text, -1, NULL))
    return -1;
  root = json_parser_get_root (parser);
  if (root == NULL || !JSON_NODE_HOLDS_ARRAY (root))
    return -1;
  tests = json_node_get_array (root);
  if (json_array_get_length (tests) == 0)
    return -1;
  last = json_array_get_element (tests, json_array_get_length (tests) - 1);
  if (!JSON_NODE_HOLDS_OBJECT (last))
    return -1;
  return json_object_get_double_member_with_default (json_node_get_object (last), "avg_ts", -1);
}

/* |    PP |     TG |    B |   N_KV |   T_PP s | S_PP t/s |   T_TG s | S_TG t/s |      T s |    S t/s | */
double
bench_peer_parse_batched (const char *text)
{
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  double rate          = -1;

  for (guint i = 0; lines[i] != NULL; i++) {
    g_auto (GStrv) cells = g_strsplit (lines[i], "|", -1);

    if (g_strv_length (cells) >= 11 && g_ascii_isdigit (g_strstrip (cells[1])[0]))
      rate = g_ascii_strtod (g_strstrip (cells[8]), NULL);
  }
  return rate;
}
