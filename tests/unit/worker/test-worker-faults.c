/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What callers, files and devices do wrong.
 */
#include "wly-error.h"
#include "wly-os.h"
#include "wly-test-model.h"
#include "wly-test-worker.h"
#include "wly-worker-exit.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static void
init_model (WlyTestModel *model)
{
  wly_test_model_init (model);
  model->n_embd   = 64;
  model->n_ff     = 128;
  model->head_dim = 16;
}

static WlyTestWorker *
make_worker (const char *faults, const char *load_options)
{
  WlyTestModel model;
  WlyTestWorker *worker;

  init_model (&model);
  g_setenv ("WOOLLY_FAKE", faults, TRUE);
  worker = wly_test_worker_new_loaded (wly_test_model_memory (&model), load_options);
  g_unsetenv ("WOOLLY_FAKE");
  return worker;
}

static int
open_session (WlyTestWorker *worker, guint64 number)
{
  g_autoptr (GError) error = NULL;
  int tokens               = -1;

  wly_test_worker_open_session (worker, number, &tokens, NULL, &error);
  g_assert_no_error (error);
  return tokens;
}

static void
assert_failed (WlyTestGeneration *generation, WlyErrorCode code)
{
  wly_test_generation_wait (generation);
  g_assert_cmpstr (wly_test_generation_last_state (generation), ==, "failed");
  g_assert_cmpstr (wly_test_result_string (generation->result, "reason"), ==, "error");
  g_assert_cmpstr (wly_test_result_string (generation->result, "error"), ==, wly_error_dbus_name (code));
  g_assert_cmpstr (wly_test_result_string (generation->last, "name"), ==, wly_error_dbus_name (code));
  g_assert_cmpstr (wly_test_result_string (generation->last, "message"), !=, "");
}

static void
assert_still_works (WlyTestWorker *worker, guint64 session)
{
  g_autofree char *text = wly_test_answer (worker, session, "{'prompt': <'a sheep'>}", "{'max-tokens': <uint32 8>}");

  g_assert_cmpuint (strlen (text), >, 0);
}

static int
text_fd (const void *text, gsize n_bytes)
{
  g_autoptr (GError) error = NULL;
  int fd                   = wly_os_memfd_new_sealed ("text", text, n_bytes, &error);

  g_assert_no_error (error);
  return fd;
}

/* Bodies that are wrong fail with a name, on the stream and beside it, and leave the session as it was. */
static void
test_bodies (void)
{
  static const struct {
    const char *body;
    WlyErrorCode code;
  } cases[] = {
    { "@a{sv} {}", WLY_ERROR_INVALID_ARGS },
    { "{'prompt': <'a'>, 'special': <'yes'>}", WLY_ERROR_INVALID_ARGS },
    { "{'nonsense': <'a'>}", WLY_ERROR_INVALID_ARGS },
    { "{'prompt-fd': <handle 0>}", WLY_ERROR_INVALID_TEXT },
    { "{'prompt-fd': <handle 1>}", WLY_ERROR_INVALID_TEXT },
    { "{'prompt-fd': <handle 2>}", WLY_ERROR_INVALID_ARGS },
    { "{'prompt-fd': <handle 7>}", WLY_ERROR_INVALID_ARGS },
    { "{'messages': <[{'role': <'user'>, 'content-fd': <handle -5>}]>}", WLY_ERROR_INVALID_ARGS },
    { "{'messages': <[{'content': <'who says this?'>}]>}", WLY_ERROR_INVALID_ARGS },
  };
  WlyTestWorker *worker = make_worker ("", NULL);
  int tokens            = open_session (worker, 1);
  int folder            = open ("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  int fds[]             = { text_fd ("a\xc3", 2), text_fd ("a\0b", 3), folder };
  guint n_stored;

  assert_still_works (worker, 1);
  {
    g_autoptr (GArray) stored = wly_test_tokens (tokens);

    n_stored = stored->len;
  }

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (GError) error = NULL;
    g_autoptr (WlyTestGeneration) generation =
        wly_test_generate_fds (worker, 1, cases[i].body, fds, G_N_ELEMENTS (fds), NULL, &error);
    g_autoptr (GArray) stored = NULL;

    g_assert_no_error (error);
    assert_failed (generation, cases[i].code);
    stored = wly_test_tokens (tokens);
    g_assert_cmpuint (stored->len, ==, n_stored);
    g_assert_cmpuint (wly_test_result_u32 (generation->result, "context-used"), ==, n_stored);
  }
  assert_still_works (worker, 1);
  for (gsize i = 0; i < G_N_ELEMENTS (fds); i++)
    close (fds[i]);
  close (tokens);
  wly_test_worker_free (worker);
}

/* Not an a{sv} at all, with a fixed seed. */
static void
test_noise (void)
{
  WlyTestWorker *worker    = make_worker ("", NULL);
  g_autoptr (GRand) random = g_rand_new_with_seed (1);
  WlyRpcWorker1 *proxy     = wly_test_worker_proxy (worker);

  for (guint i = 0; i < 100; i++) {
    guint8 bytes[64];
    g_autoptr (GError) error    = NULL;
    g_autofree char *name       = NULL;
    g_autoptr (GVariant) tokens = NULL;
    g_autoptr (GUnixFDList) fds = NULL;
    int fd;

    for (gsize b = 0; b < sizeof bytes; b++)
      bytes[b] = (guint8)g_rand_int (random);
    fd  = text_fd (bytes, (gsize)g_rand_int_range (random, 1, sizeof bytes));
    fds = wly_test_fd_list (fd);
    g_assert_false (wly_rpc_worker1_call_tokenize_sync (
        proxy, g_variant_new_handle (0), g_variant_new_array (G_VARIANT_TYPE_HANDLE, NULL, 0),
        g_variant_new_array (G_VARIANT_TYPE ("{sv}"), NULL, 0), fds, &tokens, NULL, NULL, &error));
    name = g_dbus_error_get_remote_error (error);
    g_assert_cmpstr (name, ==, wly_error_dbus_name (WLY_ERROR_INVALID_ARGS));
    close (fd);
  }
  wly_test_worker_free (worker);
}

/* The call itself: options, numbers, descriptors that are not there or of the wrong kind. */
static void
test_calls (void)
{
  static const char *const options[] = {
    "{'temperature': <11.0>}", "{'temperature': <int32 1>}", "{'stream': <'xml'>}", "{'max-tokens': <uint32 0>}",
    "{'unknown': <1>}",        "{'stop': <['a', '']>}",      "{'top-p': <-0.1>}",   "{'priority': <'now'>}",
    "{'seed': <uint32 1>}",    "{'context': <uint32 512>}",
  };
  WlyTestWorker *worker = make_worker ("", NULL);
  int tokens            = open_session (worker, 1);

  for (gsize i = 0; i < G_N_ELEMENTS (options); i++) {
    g_autoptr (GError) error = NULL;
    g_autofree char *name    = NULL;

    g_assert_null (wly_test_generate_fds (worker, 1, "{'prompt': <'a'>}", NULL, 0, options[i], &error));
    name = g_dbus_error_get_remote_error (error);
    g_assert_cmpstr (name, ==, wly_error_dbus_name (WLY_ERROR_INVALID_ARGS));
  }
  {
    g_autoptr (GError) error = NULL;
    g_autofree char *name    = NULL;

    g_assert_null (wly_test_generate_fds (worker, 77, "{'prompt': <'a'>}", NULL, 0, NULL, &error));
    name = g_dbus_error_get_remote_error (error);
    g_assert_cmpstr (name, ==, wly_error_dbus_name (WLY_ERROR_NOT_FOUND));
  }
  {
    /* a handle that came without a descriptor */
    g_autoptr (GError) error    = NULL;
    g_autoptr (GUnixFDList) fds = wly_test_fd_list (tokens);

    g_assert_false (wly_rpc_worker1_call_generate_sync (
        wly_test_worker_proxy (worker), 900, 1, g_variant_new_handle (0),
        g_variant_new_array (G_VARIANT_TYPE_HANDLE, NULL, 0), g_variant_new_handle (9),
        g_variant_new_array (G_VARIANT_TYPE ("{sv}"), NULL, 0), fds, NULL, NULL, &error));
    g_clear_error (&error);
    /* a memfd is no stream */
    g_assert_false (wly_rpc_worker1_call_generate_sync (
        wly_test_worker_proxy (worker), 901, 1, g_variant_new_handle (0),
        g_variant_new_array (G_VARIANT_TYPE_HANDLE, NULL, 0), g_variant_new_handle (0),
        g_variant_new_array (G_VARIANT_TYPE ("{sv}"), NULL, 0), fds, NULL, NULL, &error));
  }
  assert_still_works (worker, 1);
  close (tokens);
  wly_test_worker_free (worker);
}

static void
test_nan (void)
{
  WlyTestWorker *worker = make_worker ("nan:20", "{'device': <'fake'>}");
  int tokens            = open_session (worker, 1);
  g_autoptr (WlyTestGeneration) generation =
      wly_test_generate (worker, 1, "{'prompt': <'a sheep'>}", "{'max-tokens': <uint32 100>}");

  assert_failed (generation, WLY_ERROR_NUMERIC_FAULT);
  close (tokens);
  wly_test_worker_free (worker);
}

static void
test_lost_device (void)
{
  WlyTestWorker *worker = make_worker ("lost:20", "{'device': <'fake'>}");
  int tokens            = open_session (worker, 1);
  g_autoptr (WlyTestGeneration) generation =
      wly_test_generate (worker, 1, "{'prompt': <'a sheep'>}", "{'max-tokens': <uint32 100>}");

  assert_failed (generation, WLY_ERROR_FAILED);
  close (tokens);
  wly_test_worker_free (worker);
}

/* The worker dies with what crashes in it; the tokens that were streamed are in the file. */
static void
test_crash (void)
{
  WlyTestWorker *worker = make_worker ("crash:30", "{'device': <'fake'>}");
  int tokens            = open_session (worker, 1);
  g_autoptr (WlyTestGeneration) generation =
      wly_test_generate (worker, 1, "{'prompt': <'a sheep'>}", "{'max-tokens': <uint32 100>, 'stream': <'text'>}");
  g_autoptr (GArray) stored = NULL;
  int status;

  while (!generation->ended)
    g_main_context_iteration (NULL, TRUE);
  status = wly_test_worker_end (worker);
  g_assert_true (WIFSIGNALED (status) || WEXITSTATUS (status) != 0);
  stored = wly_test_tokens (tokens);
  g_assert_cmpuint (stored->len, >=, 30);
  close (tokens);
}

/* A model's file that is cut while it is in use: the worker ends with the code that says so. */
static void
test_cut_file (void)
{
  WlyTestModel model;
  g_autofree char *path     = NULL;
  WlyTestWorker *worker     = NULL;
  g_autoptr (GError) error  = NULL;
  g_autoptr (GVariant) info = NULL, loaded = NULL;
  int fd, status;

  init_model (&model);
  path   = wly_test_model_save (&model);
  fd     = open (path, O_RDWR | O_CLOEXEC);
  worker = wly_test_worker_new ();
  info   = wly_test_worker_open (worker, fd, &error);
  g_assert_no_error (error);
  g_assert_cmpint (ftruncate (fd, 4096), ==, 0);
  loaded = wly_test_worker_load (worker, "{'device': <'fake'>}", &error);
  g_assert_null (loaded);
  status = wly_test_worker_end (worker);
  /* noticed before it was touched, or by touching it */
  g_assert_true (WIFEXITED (status));
  if (WEXITSTATUS (status) == WLY_WORKER_EXIT_OK) {
    g_autofree char *name = g_dbus_error_get_remote_error (error);

    g_assert_cmpstr (name, ==, wly_error_dbus_name (WLY_ERROR_MODEL_CHANGED));
  } else {
    g_assert_cmpint (WEXITSTATUS (status), ==, WLY_WORKER_EXIT_MODEL_CHANGED);
  }
  unlink (path);
  close (fd);
}

/* The same in the midst of an answer. */
static void
test_cut_in_use (void)
{
  WlyTestModel model;
  g_autofree char *path    = NULL;
  g_autoptr (GError) error = NULL;
  WlyTestWorker *worker;
  int fd, status, tokens;
  g_autoptr (WlyTestGeneration) generation = NULL;

  init_model (&model);
  path       = wly_test_model_save (&model);
  fd         = open (path, O_RDWR | O_CLOEXEC);
  worker     = wly_test_worker_new_loaded (dup (fd), NULL);
  tokens     = open_session (worker, 1);
  generation = wly_test_generate (worker, 1, "{'prompt': <'a'>}", "{'max-tokens': <uint32 5>}");
  wly_test_generation_wait (generation);
  g_assert_cmpstr (wly_test_generation_last_state (generation), ==, "done");
  g_assert_cmpint (ftruncate (fd, 4096), ==, 0);
  wly_test_generation_free (g_steal_pointer (&generation));
  generation = wly_test_generate (worker, 1, "{'prompt': <'a'>}", "{'max-tokens': <uint32 5>}");
  assert_failed (generation, WLY_ERROR_MODEL_CHANGED);
  status = wly_test_worker_end (worker);
  g_assert_true (WIFEXITED (status));
  unlink (path);
  close (fd);
  close (tokens);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/worker/faults/bodies", test_bodies);
  g_test_add_func ("/worker/faults/noise", test_noise);
  g_test_add_func ("/worker/faults/calls", test_calls);
  g_test_add_func ("/worker/faults/nan", test_nan);
  g_test_add_func ("/worker/faults/lost-device", test_lost_device);
  g_test_add_func ("/worker/faults/crash", test_crash);
  g_test_add_func ("/worker/faults/cut-file", test_cut_file);
  g_test_add_func ("/worker/faults/cut-in-use", test_cut_in_use);
  return g_test_run ();
}
