/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Many at once: nobody's tokens hang on what the others do.
 */
#include "wly-error.h"
#include "wly-test-model.h"
#include "wly-test-worker.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define N_SESSIONS 6

static int
model_fd (void)
{
  WlyTestModel model;

  wly_test_model_init (&model);
  model.n_embd   = 64;
  model.n_ff     = 128;
  model.head_dim = 16;
  return wly_test_model_memory (&model);
}

static char *
body_of (guint index, guint n_words)
{
  GString *text = g_string_new ("{'prompt': <'");

  for (guint i = 0; i < n_words; i++)
    g_string_append_printf (text, "%u sheep ", (index * 7 + i) % 10);
  g_string_append (text, "'>}");
  return g_string_free (text, FALSE);
}

static const char *
options_of (guint index)
{
  static const char *const options[] = {
    "{'temperature': <0.0>, 'max-tokens': <uint32 60>}",
    "{'seed': <@t 11>, 'max-tokens': <uint32 50>, 'priority': <'interactive'>}",
    "{'seed': <@t 12>, 'max-tokens': <uint32 40>, 'priority': <'background'>}",
    "{'seed': <@t 13>, 'max-tokens': <uint32 60>, 'repetition-penalty': <1.3>, 'weight': <uint32 900>}",
  };

  return options[index % G_N_ELEMENTS (options)];
}

static void
open_sessions (WlyTestWorker *worker, guint n, const char *options, int *tokens)
{
  for (guint i = 0; i < n; i++) {
    g_autoptr (GError) error = NULL;

    tokens[i] = -1;
    wly_test_worker_open_session (worker, i, &tokens[i], options, &error);
    g_assert_no_error (error);
  }
}

/* The text of each prompt by itself. */
static void
answer_alone (char **ret_texts)
{
  WlyTestWorker *worker = wly_test_worker_new_loaded (model_fd (), NULL);
  int tokens[N_SESSIONS];

  open_sessions (worker, N_SESSIONS, NULL, tokens);
  for (guint i = 0; i < N_SESSIONS; i++) {
    g_autofree char *body = body_of (i, 5 + i * 12);

    ret_texts[i] = wly_test_answer (worker, i, body, options_of (i));
    close (tokens[i]);
  }
  wly_test_worker_free (worker);
}

/* The same all at once, with these limits; one more generation is there and is cancelled on the way. */
static void
assert_together (char **texts, const char *load_options, const char *session_options)
{
  WlyTestWorker *worker = wly_test_worker_new_loaded (model_fd (), load_options);
  WlyTestGeneration *generations[N_SESSIONS];
  g_autofree char *other                  = body_of (9, 30);
  g_autoptr (WlyTestGeneration) cancelled = NULL;
  int tokens[N_SESSIONS + 1];

  open_sessions (worker, N_SESSIONS + 1, session_options, tokens);
  for (guint i = 0; i < N_SESSIONS; i++) {
    g_autofree char *body = body_of (i, 5 + i * 12);

    generations[i] = wly_test_generate (worker, i, body, options_of (i));
  }
  cancelled = wly_test_generate (worker, N_SESSIONS, other, "{'max-tokens': <uint32 1000>}");
  wly_test_generation_wait_bytes (generations[0], 80);
  wly_rpc_worker1_call_cancel_sync (wly_test_worker_proxy (worker), cancelled->number, NULL, NULL);
  for (guint i = 0; i < N_SESSIONS; i++) {
    wly_test_generation_wait (generations[i]);
    g_assert_cmpstr (wly_test_generation_last_state (generations[i]), ==, "done");
    g_assert_cmpstr (generations[i]->text->str, ==, texts[i]);
    wly_test_generation_free (generations[i]);
  }
  wly_test_generation_wait (cancelled);
  for (guint i = 0; i <= N_SESSIONS; i++)
    close (tokens[i]);
  wly_test_worker_free (worker);
}

static void
test_together (void)
{
  char *texts[N_SESSIONS];

  answer_alone (texts);
  assert_together (texts, NULL, NULL);
  assert_together (texts, "{'batch-tokens': <uint32 16>, 'prefill-chunk': <uint32 5>}", NULL);
  assert_together (texts, "{'batch-tokens': <uint32 1>}", NULL);
  assert_together (texts, "{'batch-tokens': <uint32 512>, 'prefill-chunk': <uint32 512>}", NULL);
  for (guint i = 0; i < N_SESSIONS; i++)
    g_free (texts[i]);
}

/* Not enough blocks for all: some give way, and say the same in the end. */
static void
test_little_memory (void)
{
  char *texts[N_SESSIONS];

  answer_alone (texts);
  /* 2 layers, 2 heads of 16, keys and values, 2 bytes: 256 bytes for each position, 64 positions in a block */
  assert_together (texts, "{'kv-bytes': <@t 163840>}", "{'context': <uint32 512>}");
  for (guint i = 0; i < N_SESSIONS; i++)
    g_free (texts[i]);
}

/* One that does not fit by itself is told so, when it asks. */
static void
test_no_memory (void)
{
  WlyTestWorker *worker    = wly_test_worker_new_loaded (model_fd (), "{'kv-bytes': <@t 32768>}");
  g_autoptr (GError) error = NULL;
  g_autofree char *name    = NULL;
  int tokens               = -1;

  g_assert_false (wly_test_worker_open_session (worker, 1, &tokens, "{'context': <uint32 512>}", &error));
  name = g_dbus_error_get_remote_error (error);
  g_assert_cmpstr (name, ==, wly_error_dbus_name (WLY_ERROR_NO_MEMORY));
  g_clear_error (&error);
  /* what fits is what it gets where it does not ask */
  g_assert_true (wly_test_worker_open_session (worker, 1, &tokens, NULL, &error));
  close (tokens);
  wly_test_worker_free (worker);
}

/* An idle session's blocks go first, and it goes on as if nothing had been. */
static void
test_idle_gives_way (void)
{
  WlyTestWorker *roomy     = wly_test_worker_new_loaded (model_fd (), NULL);
  WlyTestWorker *tight     = wly_test_worker_new_loaded (model_fd (), "{'kv-bytes': <@t 98304>}");
  g_autofree char *body    = body_of (1, 60);
  g_autofree char *other   = body_of (2, 60);
  const char *options      = "{'temperature': <0.0>, 'max-tokens': <uint32 40>}";
  WlyTestWorker *workers[] = { roomy, tight };
  char *texts[2];

  for (guint i = 0; i < 2; i++) {
    int tokens[2];
    g_autofree char *first = NULL, *second = NULL;

    open_sessions (workers[i], 2, "{'context': <uint32 384>}", tokens);
    first    = wly_test_answer (workers[i], 0, body, options);
    second   = wly_test_answer (workers[i], 1, other, options);
    texts[i] = wly_test_answer (workers[i], 0, "{'prompt': <' more'>}", options);
    close (tokens[0]);
    close (tokens[1]);
    wly_test_worker_free (workers[i]);
  }
  g_assert_cmpstr (texts[0], ==, texts[1]);
  g_free (texts[0]);
  g_free (texts[1]);
}

static void
assert_cancelled (WlyTestGeneration *generation)
{
  wly_test_generation_wait (generation);
  g_assert_cmpstr (wly_test_generation_last_state (generation), ==, "cancelled");
  g_assert_cmpstr (wly_test_result_string (generation->result, "reason"), ==, "cancelled");
  g_assert_cmpstr (wly_test_result_string (generation->last, "name"), ==, wly_error_dbus_name (WLY_ERROR_CANCELLED));
}

/* In the prompt: the session is as before.  In the answer: it holds what was streamed. */
static void
test_cancel (void)
{
  g_autoptr (GError) error = NULL;
  WlyTestWorker *worker;
  g_autofree char *long_body              = body_of (1, 150);
  g_autoptr (WlyTestGeneration) in_prompt = NULL, in_answer = NULL, unknown = NULL;
  g_autoptr (GArray) stored = NULL;
  WlyRpcWorker1 *proxy;
  int tokens = -1;

  g_setenv ("WOOLLY_FAKE", "slow:20", TRUE);
  worker = wly_test_worker_new_loaded (model_fd (), "{'device': <'fake'>, 'prefill-chunk': <uint32 16>}");
  g_unsetenv ("WOOLLY_FAKE");
  proxy = wly_test_worker_proxy (worker);
  g_assert_true (wly_test_worker_open_session (worker, 1, &tokens, NULL, &error));
  in_prompt = wly_test_generate (worker, 1, long_body, NULL);
  wly_test_generation_wait_state (in_prompt, "prefill");
  wly_rpc_worker1_call_cancel_sync (proxy, in_prompt->number, NULL, NULL);
  assert_cancelled (in_prompt);
  g_assert_cmpuint (wly_test_result_u32 (in_prompt->result, "tokens-out"), ==, 0);
  stored = wly_test_tokens (tokens);
  g_assert_cmpuint (stored->len, ==, 0);

  in_answer = wly_test_generate (worker, 1, "{'prompt': <'a sheep'>}", "{'max-tokens': <uint32 100000>}");
  wly_test_generation_wait_state (in_answer, "generating");
  wly_rpc_worker1_call_cancel_sync (proxy, in_answer->number, NULL, NULL);
  assert_cancelled (in_answer);
  g_array_unref (stored);
  stored = wly_test_tokens (tokens);
  g_assert_cmpuint (stored->len, ==,
                    wly_test_result_u32 (in_answer->result, "tokens-in")
                        + wly_test_result_u32 (in_answer->result, "tokens-out"));
  g_assert_cmpuint (wly_test_result_u32 (in_answer->result, "tokens-out"), >, 0);
  /* nobody minds */
  g_assert_true (wly_rpc_worker1_call_cancel_sync (proxy, 12345, NULL, &error));
  close (tokens);
  wly_test_worker_free (worker);
}

/* Behind a text that takes long to read: what is cancelled does not wait for its turn. */
static void
test_cancel_unread (void)
{
  const gsize n_bytes                   = 48 * 1024 * 1024;
  g_autoptr (GError) error              = NULL;
  WlyTestWorker *worker                 = wly_test_worker_new_loaded (model_fd (), NULL);
  g_autoptr (WlyTestGeneration) reading = NULL, behind = NULL, after = NULL, last = NULL;
  g_autofree char *text = g_malloc (n_bytes);
  int fd                = memfd_create ("text", MFD_CLOEXEC);
  int tokens[2];

  memset (text, 'a', n_bytes);
  g_assert_cmpint (write (fd, text, n_bytes), ==, n_bytes);
  open_sessions (worker, 2, NULL, tokens);
  reading = wly_test_generate_fds (worker, 0, "{'prompt-fd': <handle 0>}", &fd, 1, NULL, &error);
  g_assert_no_error (error);
  behind = wly_test_generate (worker, 1, "{'prompt': <'a sheep'>}", NULL);
  wly_rpc_worker1_call_cancel_sync (wly_test_worker_proxy (worker), behind->number, NULL, NULL);
  assert_cancelled (behind);
  g_assert_cmpuint (reading->states->len, ==, 0);
  wly_rpc_worker1_call_cancel_sync (wly_test_worker_proxy (worker), reading->number, NULL, NULL);
  assert_cancelled (reading);
  /* both sessions are free at once */
  after = wly_test_generate (worker, 0, "{'prompt': <'a goat'>}", "{'max-tokens': <uint32 2>}");
  wly_test_generation_wait (after);
  g_assert_cmpstr (wly_test_generation_last_state (after), ==, "done");
  /* what comes by descriptor waits for the long text, whose work goes on for nobody */
  g_assert_cmpint (ftruncate (fd, 3), ==, 0);
  last = wly_test_generate_fds (worker, 1, "{'prompt-fd': <handle 0>}", &fd, 1, "{'max-tokens': <uint32 1>}", &error);
  wly_test_generation_wait (last);
  g_assert_cmpstr (wly_test_generation_last_state (last), ==, "done");
  close (fd);
  for (guint i = 0; i < 2; i++)
    close (tokens[i]);
  wly_test_worker_free (worker);
}

/* Closing a session in the midst of its answer, while another one goes on. */
static void
test_close (void)
{
  g_autoptr (GError) error             = NULL;
  WlyTestWorker *worker                = wly_test_worker_new_loaded (model_fd (), NULL);
  const char *options                  = "{'temperature': <0.0>, 'max-tokens': <uint32 80>}";
  g_autoptr (WlyTestGeneration) closed = NULL, other = NULL;
  g_autofree char *alone = NULL;
  int tokens[3];

  open_sessions (worker, 3, NULL, tokens);
  alone  = wly_test_answer (worker, 2, "{'prompt': <'a goat'>}", options);
  closed = wly_test_generate (worker, 0, "{'prompt': <'a sheep'>}", "{'max-tokens': <uint32 100000>}");
  other  = wly_test_generate (worker, 1, "{'prompt': <'a goat'>}", options);
  wly_test_generation_wait_state (closed, "generating");
  g_assert_true (wly_rpc_worker1_call_close_session_sync (wly_test_worker_proxy (worker), 0, NULL, &error));
  assert_cancelled (closed);
  wly_test_generation_wait (other);
  g_assert_cmpstr (other->text->str, ==, alone);
  g_assert_false (wly_rpc_worker1_call_close_session_sync (wly_test_worker_proxy (worker), 0, NULL, &error));
  for (guint i = 0; i < 3; i++)
    close (tokens[i]);
  wly_test_worker_free (worker);
}

/* One at a time in a session. */
static void
test_busy (void)
{
  g_autoptr (GError) error            = NULL;
  WlyTestWorker *worker               = wly_test_worker_new_loaded (model_fd (), NULL);
  g_autoptr (WlyTestGeneration) first = NULL;
  g_autofree char *name               = NULL;
  int tokens                          = -1;

  g_assert_true (wly_test_worker_open_session (worker, 1, &tokens, NULL, &error));
  first = wly_test_generate (worker, 1, "{'prompt': <'a sheep'>}", "{'max-tokens': <uint32 100000>}");
  g_assert_null (wly_test_generate_fds (worker, 1, "{'prompt': <'a goat'>}", NULL, 0, NULL, &error));
  name = g_dbus_error_get_remote_error (error);
  g_assert_cmpstr (name, ==, wly_error_dbus_name (WLY_ERROR_BUSY));
  wly_test_generation_hang_up (first);
  wly_test_generation_wait (first);
  g_assert_cmpstr (wly_test_generation_last_state (first), ==, "cancelled");
  close (tokens);
  wly_test_worker_free (worker);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/worker/step/together", test_together);
  g_test_add_func ("/worker/step/little-memory", test_little_memory);
  g_test_add_func ("/worker/step/no-memory", test_no_memory);
  g_test_add_func ("/worker/step/idle-gives-way", test_idle_gives_way);
  g_test_add_func ("/worker/step/cancel", test_cancel);
  g_test_add_func ("/worker/step/cancel-unread", test_cancel_unread);
  g_test_add_func ("/worker/step/close", test_close);
  g_test_add_func ("/worker/step/busy", test_busy);
  return g_test_run ();
}
