/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What a session holds, through everything that happens to it.
 */
#include "wly-error.h"
#include "wly-os.h"
#include "wly-test-model.h"
#include "wly-test-worker.h"

#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define GREEDY "'temperature': <0.0>"

static WlyTestWorker *
make_worker (const char *load_options)
{
  WlyTestModel model;

  wly_test_model_init (&model);
  model.n_embd   = 64;
  model.n_ff     = 128;
  model.head_dim = 16;
  return wly_test_worker_new_loaded (wly_test_model_memory (&model), load_options);
}

static int
open_session (WlyTestWorker *worker, guint64 number, const char *options)
{
  g_autoptr (GError) error = NULL;
  int tokens               = -1;

  wly_test_worker_open_session (worker, number, &tokens, options, &error);
  g_assert_no_error (error);
  return tokens;
}

static char *
answer (WlyTestWorker *worker, guint64 session, const char *body, const char *options, guint n)
{
  g_autofree char *filled = g_strdup_printf ("{%s, 'max-tokens': <uint32 %u>}", options, n);

  return wly_test_answer (worker, session, body, filled);
}

static void
assert_same_tokens (int a, int b)
{
  g_autoptr (GArray) x = wly_test_tokens (a);
  g_autoptr (GArray) y = wly_test_tokens (b);

  g_assert_cmpmem (x->data, x->len * sizeof (gint32), y->data, y->len * sizeof (gint32));
}

static guint
n_tokens (int fd)
{
  g_autoptr (GArray) tokens = wly_test_tokens (fd);

  return tokens->len;
}

static int
copy_tokens (int fd)
{
  g_autoptr (GArray) tokens = wly_test_tokens (fd);
  g_autoptr (GError) error  = NULL;
  int copy                  = wly_os_memfd_new ("copy", &error);

  g_assert_no_error (error);
  g_assert_cmpint (pwrite (copy, tokens->data, tokens->len * sizeof (gint32), 0), ==,
                   (gssize)(tokens->len * sizeof (gint32)));
  return copy;
}

/* Another worker with the token file goes on as the first one would have, greedy or drawn, prompt or conversation. */
static void
test_replay (void)
{
  static const struct {
    const char *body, *options;
  } cases[] = {
    { "{'prompt': <''>}", GREEDY },
    { "{'prompt': <''>}", "'seed': <@t 3>" },
    { "{'messages': <[{'role': <'user'>, 'content': <'and then?'>}]>}", "'seed': <@t 4>" },
  };
  WlyTestWorker *first = make_worker (NULL);
  WlyTestWorker *second;
  int tokens[G_N_ELEMENTS (cases)], copies[G_N_ELEMENTS (cases)];
  char *wanted[G_N_ELEMENTS (cases)];

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree char *begin = NULL;

    tokens[i] = open_session (first, i, NULL);
    begin     = answer (first, i, "{'messages': <[{'role': <'user'>, 'content': <'once'>}]>}", cases[i].options, 90);
    copies[i] = copy_tokens (tokens[i]);
    wanted[i] = answer (first, i, cases[i].body, cases[i].options, 30);
    g_assert_cmpuint (strlen (begin), >, 0);
  }
  wly_test_worker_kill (first);
  g_assert_true (WIFSIGNALED (wly_test_worker_end (first)));
  second = make_worker (NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (GError) error = NULL;
    g_autofree char *text    = NULL;

    g_assert_true (wly_test_worker_open_session (second, i, &copies[i], NULL, &error));
    text = answer (second, i, cases[i].body, cases[i].options, 30);
    g_assert_cmpstr (text, ==, wanted[i]);
    assert_same_tokens (tokens[i], copies[i]);
    g_free (wanted[i]);
    close (tokens[i]);
    close (copies[i]);
  }
  wly_test_worker_free (second);
}

/* One long answer is the same as two halves. */
static void
test_halves (void)
{
  WlyTestWorker *worker   = make_worker (NULL);
  int whole               = open_session (worker, 1, NULL);
  int halves              = open_session (worker, 2, NULL);
  g_autofree char *all    = answer (worker, 1, "{'prompt': <'a sheep'>}", GREEDY, 100);
  g_autofree char *begin  = answer (worker, 2, "{'prompt': <'a sheep'>}", GREEDY, 50);
  g_autofree char *end    = answer (worker, 2, "{'prompt': <''>}", GREEDY, 50);
  g_autofree char *joined = g_strconcat (begin, end, NULL);

  g_assert_cmpstr (all, ==, joined);
  assert_same_tokens (whole, halves);
  close (whole);
  close (halves);
  wly_test_worker_free (worker);
}

static void
test_bad_files (void)
{
  WlyTestWorker *worker    = make_worker (NULL);
  g_autoptr (GError) error = NULL;
  const gint32 outside[]   = { GINT32_TO_LE (1), GINT32_TO_LE (1 << 20) };
  const gint32 negative[]  = { GINT32_TO_LE (-1) };
  int fd                   = wly_os_memfd_new ("bad", &error);
  int none[2];

  g_assert_cmpint (pwrite (fd, outside, sizeof outside, 0), ==, sizeof outside);
  g_assert_false (wly_test_worker_open_session (worker, 1, &fd, NULL, &error));
  g_assert_nonnull (strstr (error->message, "Token 1"));
  g_clear_error (&error);
  g_assert_cmpint (ftruncate (fd, 0), ==, 0);
  g_assert_cmpint (pwrite (fd, negative, sizeof negative, 0), ==, sizeof negative);
  g_assert_false (wly_test_worker_open_session (worker, 1, &fd, NULL, &error));
  g_clear_error (&error);
  g_assert_cmpint (ftruncate (fd, 1 << 20), ==, 0);
  g_assert_false (wly_test_worker_open_session (worker, 1, &fd, NULL, &error));
  {
    g_autofree char *name = g_dbus_error_get_remote_error (error);

    g_assert_cmpstr (name, ==, wly_error_dbus_name (WLY_ERROR_CONTEXT_FULL));
  }
  g_clear_error (&error);
  g_assert_cmpint (pipe (none), ==, 0);
  g_assert_false (wly_test_worker_open_session (worker, 1, &none[0], NULL, &error));
  g_clear_error (&error);

  /* half a token at the end is what a worker that died left behind */
  g_assert_cmpint (ftruncate (fd, 6), ==, 0);
  g_assert_cmpint (pwrite (fd, outside, 4, 0), ==, 4);
  g_assert_true (wly_test_worker_open_session (worker, 1, &fd, NULL, &error));
  g_assert_cmpint (lseek (fd, 0, SEEK_END), ==, 4);
  close (none[0]);
  close (none[1]);
  close (fd);
  wly_test_worker_free (worker);
}

static gboolean
fork_session (WlyTestWorker *worker, guint64 number, guint64 copy, int *tokens, const char *options, GError **error)
{
  g_autoptr (GUnixFDList) fds = NULL;

  *tokens = wly_os_memfd_new ("fork", error);
  fds     = wly_test_fd_list (*tokens);
  return wly_rpc_worker1_call_fork_session_sync (wly_test_worker_proxy (worker), number, copy, g_variant_new_handle (0),
                                                 g_variant_new_parsed (options), fds, NULL, NULL, error);
}

static void
test_fork (void)
{
  WlyTestWorker *worker    = make_worker (NULL);
  int tokens               = open_session (worker, 1, NULL);
  g_autofree char *begin   = answer (worker, 1, "{'prompt': <'a sheep'>}", GREEDY, 70);
  g_autoptr (GError) error = NULL;
  g_autofree char *first = NULL, *second = NULL, *third = NULL;
  int copy, other;

  g_assert_true (fork_session (worker, 1, 2, &copy, "@a{sv} {}", &error));
  g_assert_true (fork_session (worker, 1, 3, &other, "{'context': <uint32 256>, 'overflow': <'drop-oldest'>}", &error));
  g_assert_no_error (error);
  assert_same_tokens (tokens, copy);
  assert_same_tokens (tokens, other);
  first  = answer (worker, 1, "{'prompt': <''>}", GREEDY, 30);
  second = answer (worker, 2, "{'prompt': <''>}", GREEDY, 30);
  third  = answer (worker, 3, "{'prompt': <''>}", GREEDY, 30);
  g_assert_cmpstr (first, ==, second);
  g_assert_cmpstr (first, ==, third);
  close (tokens);
  tokens = open_session (worker, 4, NULL);
  g_assert_false (fork_session (worker, 9, 5, &copy, "@a{sv} {}", &error));
  g_clear_error (&error);
  g_assert_false (fork_session (worker, 1, 4, &copy, "@a{sv} {}", &error));
  g_clear_error (&error);
  g_assert_false (fork_session (worker, 1, 6, &copy, "{'context': <uint32 16>}", &error));
  close (tokens);
  close (copy);
  close (other);
  wly_test_worker_free (worker);
}

static void
test_truncate (void)
{
  WlyTestWorker *worker      = make_worker (NULL);
  int tokens                 = open_session (worker, 1, NULL);
  int fresh                  = open_session (worker, 2, NULL);
  g_autofree char *wanted    = answer (worker, 2, "{'prompt': <'a sheep'>}", GREEDY, 40);
  g_autofree char *begin     = answer (worker, 1, "{'prompt': <'a sheep'>}", GREEDY, 10);
  guint n_before             = n_tokens (tokens);
  g_autoptr (GError) error   = NULL;
  g_autofree char *elsewhere = answer (worker, 1, "{'prompt': <' and a goat'>}", GREEDY, 80);
  g_autofree char *again     = NULL;
  g_autofree char *joined    = NULL;
  WlyRpcWorker1 *proxy       = wly_test_worker_proxy (worker);

  g_assert_false (wly_rpc_worker1_call_truncate_session_sync (proxy, 1, n_tokens (tokens) + 1, NULL, &error));
  g_clear_error (&error);
  g_assert_true (wly_rpc_worker1_call_truncate_session_sync (proxy, 1, n_before, NULL, &error));
  g_assert_cmpuint (n_tokens (tokens), ==, n_before);
  again  = answer (worker, 1, "{'prompt': <''>}", GREEDY, 30);
  joined = g_strconcat (begin, again, NULL);
  g_assert_cmpstr (joined, ==, wanted);
  assert_same_tokens (tokens, fresh);
  g_assert_true (wly_rpc_worker1_call_truncate_session_sync (proxy, 1, 0, NULL, &error));
  g_assert_cmpuint (n_tokens (tokens), ==, 0);
  close (tokens);
  close (fresh);
  wly_test_worker_free (worker);
}

/* Full: an error for a prompt, an end with its own reason for an answer. */
static void
test_context_full (void)
{
  WlyTestWorker *worker                  = make_worker (NULL);
  int tokens                             = open_session (worker, 1, "{'context': <uint32 64>}");
  g_autofree char *long_text             = g_strnfill (300, 'x');
  g_autofree char *body                  = g_strdup_printf ("{'prompt': <'%s'>}", long_text);
  g_autoptr (WlyTestGeneration) too_long = wly_test_generate (worker, 1, body, NULL);
  g_autoptr (WlyTestGeneration) filling  = NULL;
  g_autoptr (WlyTestGeneration) more     = NULL;

  wly_test_generation_wait (too_long);
  g_assert_cmpstr (wly_test_generation_last_state (too_long), ==, "failed");
  g_assert_cmpstr (wly_test_result_string (too_long->result, "error"), ==,
                   wly_error_dbus_name (WLY_ERROR_CONTEXT_FULL));
  g_assert_cmpstr (wly_test_result_string (too_long->last, "name"), ==, wly_error_dbus_name (WLY_ERROR_CONTEXT_FULL));
  g_assert_cmpuint (n_tokens (tokens), ==, 0);
  filling = wly_test_generate (worker, 1, "{'prompt': <'a sheep'>}", "{'temperature': <0.0>}");
  wly_test_generation_wait (filling);
  g_assert_cmpstr (wly_test_generation_last_state (filling), ==, "done");
  g_assert_cmpstr (wly_test_result_string (filling->result, "reason"), ==, "context");
  g_assert_cmpuint (wly_test_result_u32 (filling->result, "context-used"), ==, 64);
  g_assert_cmpuint (wly_test_result_u32 (filling->result, "context-size"), ==, 64);
  g_assert_cmpuint (wly_test_result_u32 (filling->result, "tokens-dropped"), ==, 0);
  g_assert_cmpuint (n_tokens (tokens), ==, 64);
  more = wly_test_generate (worker, 1, "{'prompt': <'x'>}", NULL);
  wly_test_generation_wait (more);
  g_assert_cmpstr (wly_test_generation_last_state (more), ==, "failed");
  g_assert_cmpuint (n_tokens (tokens), ==, 64);
  close (tokens);
  wly_test_worker_free (worker);
}

/* The oldest go, the first one stays, and what was dropped is counted; another worker goes on the same. */
static void
test_drop_oldest (void)
{
  const char *options      = "{'context': <uint32 64>, 'overflow': <'drop-oldest'>}";
  WlyTestWorker *worker    = make_worker (NULL);
  int tokens               = open_session (worker, 1, options);
  g_autoptr (GError) error = NULL;
  g_autoptr (WlyTestGeneration) generation =
      wly_test_generate (worker, 1, "{'prompt': <'a sheep'>}", "{'temperature': <0.0>, 'max-tokens': <uint32 200>}");
  g_autoptr (GArray) stored = NULL;
  g_autofree char *here = NULL, *there = NULL;
  guint n_in;
  int copy;

  wly_test_generation_wait (generation);
  g_assert_cmpstr (wly_test_result_string (generation->result, "reason"), ==, "length");
  stored = wly_test_tokens (tokens);
  n_in   = wly_test_result_u32 (generation->result, "tokens-in");
  g_assert_cmpint (g_array_index (stored, gint32, 0), ==, WLY_TEST_TOKEN_BOS);
  g_assert_cmpuint (stored->len, <=, 64);
  g_assert_cmpuint (wly_test_result_u32 (generation->result, "tokens-dropped"), ==, n_in + 200 - stored->len);
  copy = copy_tokens (tokens);
  g_assert_true (wly_test_worker_open_session (worker, 2, &copy, options, &error));
  here  = answer (worker, 1, "{'prompt': <''>}", GREEDY, 100);
  there = answer (worker, 2, "{'prompt': <''>}", GREEDY, 100);
  g_assert_cmpstr (here, ==, there);
  assert_same_tokens (tokens, copy);
  close (copy);
  close (tokens);
  wly_test_worker_free (worker);
}

/* A prompt that makes the oldest go, and is then cancelled before it is answered, leaves all as it was. */
static void
test_drop_undone (void)
{
  WlyTestWorker *worker     = make_worker (NULL);
  int tokens                = open_session (worker, 1, "{'context': <uint32 64>, 'overflow': <'drop-oldest'>}");
  g_autofree char *begin    = answer (worker, 1, "{'prompt': <'a sheep'>}", GREEDY, 40);
  int before                = copy_tokens (tokens);
  g_autofree char *too_long = g_strnfill (2000, 'x');
  g_autofree char *body     = g_strdup_printf ("{'prompt': <'%s'>}", too_long);
  g_autoptr (WlyTestGeneration) generation = wly_test_generate (worker, 1, body, NULL);

  wly_test_generation_wait (generation);
  g_assert_cmpstr (wly_test_result_string (generation->result, "error"), ==,
                   wly_error_dbus_name (WLY_ERROR_CONTEXT_FULL));
  assert_same_tokens (tokens, before);
  close (before);
  close (tokens);
  wly_test_worker_free (worker);
}

/* Three plain characters from the midst of a text: what is no UTF-8 in it was replaced when it was written. */
static char *
pick_stop (const char *text)
{
  const char *at = text + strlen (text) / 2;

  while (!g_ascii_isalnum (at[0]) || !g_ascii_isalnum (at[1]) || !g_ascii_isalnum (at[2]))
    at++;
  return g_strndup (at, 3);
}

/* Text up to the stop text, and the session holds no token behind it. */
static void
test_stop (void)
{
  WlyTestWorker *worker         = make_worker (NULL);
  int whole                     = open_session (worker, 1, NULL);
  int cut                       = open_session (worker, 2, NULL);
  g_autofree char *all          = answer (worker, 1, "{'prompt': <'a sheep'>}", GREEDY, 60);
  g_autofree char *stop         = pick_stop (all);
  g_autoptr (GArray) all_tokens = NULL, cut_tokens = NULL;
  g_auto (GVariantDict) dict               = G_VARIANT_DICT_INIT (NULL);
  const char *const stops[]                = { stop, NULL };
  g_autoptr (GVariant) values              = NULL;
  g_autofree char *options                 = NULL;
  g_autofree char *wanted                  = NULL;
  g_autoptr (WlyTestGeneration) generation = NULL;

  g_variant_dict_insert (&dict, "temperature", "d", 0.0);
  g_variant_dict_insert (&dict, "max-tokens", "u", 60);
  g_variant_dict_insert_value (&dict, "stop", g_variant_new_strv (stops, -1));
  values     = g_variant_ref_sink (g_variant_dict_end (&dict));
  options    = g_variant_print (values, TRUE);
  generation = wly_test_generate (worker, 2, "{'prompt': <'a sheep'>}", options);
  wly_test_generation_wait (generation);
  wanted = g_strndup (all, (gsize)(strstr (all, stop) - all));
  g_assert_cmpstr (generation->text->str, ==, wanted);
  g_assert_cmpstr (wly_test_result_string (generation->result, "reason"), ==, "stop");
  all_tokens = wly_test_tokens (whole);
  cut_tokens = wly_test_tokens (cut);
  g_assert_cmpuint (cut_tokens->len, <, all_tokens->len);
  g_assert_cmpuint (cut_tokens->len, ==, wly_test_result_u32 (generation->result, "context-used"));
  g_assert_cmpmem (cut_tokens->data, cut_tokens->len * 4, all_tokens->data, cut_tokens->len * 4);
  close (whole);
  close (cut);
  wly_test_worker_free (worker);
}

/* A conversation in two calls, and in one whose past was written down as text. */
static void
test_conversation (void)
{
  WlyTestWorker *worker = make_worker (NULL);
  int tokens            = open_session (worker, 1, NULL);
  g_autofree char *first =
      answer (worker, 1,
              "{'messages': <[{'role': <'system'>, 'content': <'be brief'>}, {'role': <'user'>, 'content': <'hi'>}]>}",
              GREEDY, 12);
  guint n_first           = n_tokens (tokens);
  g_autofree char *second = answer (worker, 1, "{'messages': <[{'role': <'user'>, 'content': <'more'>}]>}", GREEDY, 12);
  g_autoptr (GArray) all  = wly_test_tokens (tokens);

  /* the answer was cut by its length: the template's end of an answer comes first, then the new message */
  g_assert_cmpint (g_array_index (all, gint32, 0), ==, WLY_TEST_TOKEN_BOS);
  g_assert_cmpint (g_array_index (all, gint32, 1), ==, WLY_TEST_TOKEN_SYSTEM);
  g_assert_cmpint (g_array_index (all, gint32, n_first), ==, WLY_TEST_TOKEN_END);
  g_assert_cmpint (g_array_index (all, gint32, n_first + 1), ==, WLY_TEST_TOKEN_USER);
  g_assert_cmpuint (all->len, >, n_first + 12);
  close (tokens);
  wly_test_worker_free (worker);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/worker/session/replay", test_replay);
  g_test_add_func ("/worker/session/halves", test_halves);
  g_test_add_func ("/worker/session/bad-files", test_bad_files);
  g_test_add_func ("/worker/session/fork", test_fork);
  g_test_add_func ("/worker/session/truncate", test_truncate);
  g_test_add_func ("/worker/session/context-full", test_context_full);
  g_test_add_func ("/worker/session/drop-oldest", test_drop_oldest);
  g_test_add_func ("/worker/session/drop-undone", test_drop_undone);
  g_test_add_func ("/worker/session/stop", test_stop);
  g_test_add_func ("/worker/session/conversation", test_conversation);
  return g_test_run ();
}
