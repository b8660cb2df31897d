/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Readers that are slow, stop, or go away.
 */
#include "wly-error.h"
#include "wly-stream.h"
#include "wly-test-model.h"
#include "wly-test-worker.h"
#include "woolly-stream.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* As many tokens as a socket and the buffer behind it cannot take. */
#define ENDLESS "{'max-tokens': <uint32 1000000>, 'stream': <'jsonl'>, 'seed': <@t 1>%s}"

static WlyTestWorker *
make_worker (const char *load_options)
{
  WlyTestModel model;

  wly_test_model_init (&model);
  model.n_layers = 1;
  model.n_embd   = 32;
  model.n_ff     = 32;
  model.n_head   = 2;
  model.head_dim = 16;
  model.n_ctx    = 1 << 20;
  return wly_test_worker_new_loaded (wly_test_model_memory (&model), load_options);
}

static int
open_session (WlyTestWorker *worker, guint64 number)
{
  g_autoptr (GError) error = NULL;
  int tokens               = -1;

  /* old tokens go, so that a text can be long without much to look back at */
  wly_test_worker_open_session (worker, number, &tokens, "{'context': <uint32 64>, 'overflow': <'drop-oldest'>}",
                                &error);
  g_assert_no_error (error);
  return tokens;
}

static WlyTestGeneration *
start_endless (WlyTestWorker *worker, guint64 session, const char *more)
{
  g_autofree char *options                 = g_strdup_printf (ENDLESS, more);
  g_autoptr (WlyTestGeneration) generation = wly_test_generate (worker, session, "{'prompt': <'a'>}", options);

  return g_steal_pointer (&generation);
}

/* Every line is a whole frame, in the order of a stream. */
static void
assert_whole_lines (WlyTestGeneration *generation)
{
  g_autofree char *all = g_strndup ((char *)generation->bytes->data, generation->bytes->len);
  g_auto (GStrv) lines = g_strsplit (all, "\n", -1);

  for (gsize i = 0; lines[i] != NULL && lines[i + 1] != NULL; i++) {
    g_assert_true (g_str_has_prefix (lines[i], "{\"type\":\""));
    g_assert_true (g_str_has_suffix (lines[i], "}"));
  }
}

/* Who does not read is paused; another one goes on; when it reads again, it misses nothing. */
static void
test_slow_reader (void)
{
  WlyTestWorker *worker              = make_worker (NULL);
  int tokens[]                       = { open_session (worker, 1), open_session (worker, 2) };
  g_autoptr (WlyTestGeneration) slow = start_endless (worker, 1, "");
  g_autofree char *other             = NULL;
  guint n_paused                     = 0;

  wly_test_generation_read (slow, FALSE);
  wly_test_generation_wait_state (slow, "paused");
  g_assert_null (slow->result);
  other = wly_test_answer (worker, 2, "{'prompt': <'b'>}", "{'max-tokens': <uint32 200>}");
  g_assert_cmpuint (strlen (other), >, 0);
  g_assert_cmpstr (wly_test_generation_last_state (slow), ==, "paused");
  wly_test_generation_read (slow, TRUE);
  while (!g_str_equal (wly_test_generation_last_state (slow), "generating"))
    g_main_context_iteration (NULL, TRUE);
  wly_test_generation_wait_bytes (slow, WLY_STREAM_BUFFER_BYTES);
  wly_rpc_worker1_call_cancel_sync (wly_test_worker_proxy (worker), slow->number, NULL, NULL);
  wly_test_generation_wait (slow);
  g_assert_cmpstr (wly_test_generation_last_state (slow), ==, "cancelled");
  assert_whole_lines (slow);
  for (guint i = 0; i < slow->states->len; i++)
    n_paused += g_str_equal (g_ptr_array_index (slow->states, i), "paused");
  g_assert_cmpuint (n_paused, >=, 1);
  close (tokens[0]);
  close (tokens[1]);
  wly_test_worker_free (worker);
}

static void
test_stall (void)
{
  WlyTestWorker *worker                 = make_worker (NULL);
  int tokens                            = open_session (worker, 1);
  g_autoptr (WlyTestGeneration) stalled = start_endless (worker, 1, ", 'stall-ms': <uint32 200>");
  g_autofree char *next                 = NULL;

  wly_test_generation_read (stalled, FALSE);
  wly_test_generation_wait (stalled);
  g_assert_cmpstr (wly_test_generation_last_state (stalled), ==, "failed");
  g_assert_cmpstr (wly_test_result_string (stalled->result, "error"), ==,
                   wly_error_dbus_name (WLY_ERROR_READER_STALLED));
  g_assert_cmpuint (wly_test_result_u32 (stalled->result, "tokens-out"), >, 0);
  /* what was in the socket is still there, and then nothing */
  wly_test_generation_read (stalled, TRUE);
  while (!stalled->ended)
    g_main_context_iteration (NULL, TRUE);
  g_assert_null (g_strstr_len ((char *)stalled->bytes->data, (gssize)stalled->bytes->len, "\"type\":\"end\""));
  next = wly_test_answer (worker, 1, "{'prompt': <'b'>}", "{'max-tokens': <uint32 5>}");
  close (tokens);
  wly_test_worker_free (worker);
}

/* In the prompt, in the answer, while paused, and by closing the reading half only. */
static void
test_hang_up (void)
{
  static const char *const states[] = { "prefill", "generating", "paused", "generating" };
  WlyTestWorker *worker             = make_worker (NULL);
  int tokens                        = open_session (worker, 1);

  for (gsize i = 0; i < G_N_ELEMENTS (states); i++) {
    g_autoptr (WlyTestGeneration) generation = start_endless (worker, 1, "");

    wly_test_generation_read (generation, i != 2);
    wly_test_generation_wait_state (generation, states[i]);
    if (i == 3) {
      wly_test_generation_read (generation, FALSE);
      shutdown (generation->fd, SHUT_RD);
    } else {
      wly_test_generation_hang_up (generation);
    }
    wly_test_generation_wait (generation);
    g_assert_cmpstr (wly_test_generation_last_state (generation), ==, "cancelled");
  }
  close (tokens);
  wly_test_worker_free (worker);
}

/* As soon as the end was read, the session takes the next one: it is not busy any more. */
static void
test_end_then_next (void)
{
  WlyTestWorker *worker = make_worker (NULL);
  int tokens            = open_session (worker, 1);

  for (guint i = 0; i < 50; i++) {
    g_autoptr (WlyTestGeneration) generation =
        wly_test_generate (worker, 1, "{'prompt': <'a'>}", "{'max-tokens': <uint32 2>}");

    /* the end of the stream, whatever was said on the other socket */
    while (!generation->ended)
      g_main_context_iteration (NULL, TRUE);
    g_assert_cmpuint (generation->bytes->len, >, WOOLLY_FRAME_HEADER);
  }
  close (tokens);
  wly_test_worker_free (worker);
}

/* Descriptors after many of all sorts. */
static void
test_no_leak (void)
{
  WlyTestWorker *worker = make_worker (NULL);
  int file              = wly_test_body ("@a{sv} {}");
  guint n_before, n_after;

  {
    int tokens           = open_session (worker, 1000);
    g_autofree char *one = wly_test_answer (worker, 1000, "{'prompt': <'a'>}", "{'max-tokens': <uint32 1>}");

    close (tokens);
    g_assert_true (wly_rpc_worker1_call_close_session_sync (wly_test_worker_proxy (worker), 1000, NULL, NULL));
  }
  n_before = wly_test_worker_n_fds (worker);
  for (guint i = 0; i < 200; i++) {
    int tokens               = open_session (worker, i);
    g_autoptr (GError) error = NULL;
    g_autoptr (WlyTestGeneration) generation =
        i % 4 == 0 ? wly_test_generate_fds (worker, i, "{'prompt-fd': <handle 3>}", &file, 1, NULL, &error)
                   : wly_test_generate (worker, i, "{'prompt': <'a'>}", "{'max-tokens': <uint32 3>}");

    g_assert_no_error (error);
    if (i % 4 == 1)
      wly_test_generation_hang_up (generation);
    else if (i % 4 == 2)
      wly_rpc_worker1_call_cancel_sync (wly_test_worker_proxy (worker), generation->number, NULL, NULL);
    wly_test_generation_wait (generation);
    close (tokens);
    g_assert_true (wly_rpc_worker1_call_close_session_sync (wly_test_worker_proxy (worker), i, NULL, &error));
  }
  /* the last stream is closed behind its last frame, which was read; a moment later it is not there any more */
  for (guint i = 0; i < 100 && (n_after = wly_test_worker_n_fds (worker)) > n_before; i++)
    g_usleep (10000);
  g_assert_cmpuint (n_after, <=, n_before);
  close (file);
  wly_test_worker_free (worker);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/worker/reader/slow-reader", test_slow_reader);
  g_test_add_func ("/worker/reader/stall", test_stall);
  g_test_add_func ("/worker/reader/hang-up", test_hang_up);
  g_test_add_func ("/worker/reader/end-then-next", test_end_then_next);
  g_test_add_func ("/worker/reader/no-leak", test_no_leak);
  return g_test_run ();
}
