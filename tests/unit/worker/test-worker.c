/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "grammar/masks.h"
#include "wly-error.h"
#include "wly-sanitizer.h"
#include "wly-test-data.h"
#include "wly-test-model.h"
#include "wly-test-worker.h"
#include "woolly-names.h"
#include "woolly-plugin/program.h"
#include "woolly-stream.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static int
bundled_model (void)
{
  return wly_test_file (g_getenv ("WOOLLY_TEST_MODEL"));
}

static GVariant *
tokenize (WlyTestWorker *worker, const char *body, const char *options, GError **error)
{
  int fd                      = wly_test_body (body);
  g_autoptr (GUnixFDList) fds = wly_test_fd_list (fd);
  GVariant *tokens            = NULL;

  wly_rpc_worker1_call_tokenize_sync (wly_test_worker_proxy (worker), g_variant_new_handle (0),
                                      g_variant_new_array (G_VARIANT_TYPE_HANDLE, NULL, 0),
                                      g_variant_new_parsed (options), fds, &tokens, NULL, NULL, error);
  close (fd);
  return tokens;
}

static void
assert_remote_error (GError *error, WlyErrorCode code)
{
  g_autofree char *name = error != NULL ? g_dbus_error_get_remote_error (error) : NULL;

  g_assert_cmpstr (name, ==, wly_error_dbus_name (code));
}

static void
test_open (void)
{
  WlyTestWorker *worker     = wly_test_worker_new ();
  g_autoptr (GError) error  = NULL;
  int fd                    = bundled_model ();
  g_autoptr (GVariant) info = wly_test_worker_open (worker, fd, &error);
  g_autofree char **words   = NULL;

  g_assert_no_error (error);
  g_assert_cmpstr (wly_test_result_string (info, "Name"), ==, "Woolly Tiny");
  g_assert_cmpstr (wly_test_result_string (info, "Architecture"), ==, "llama");
  g_assert_cmpstr (wly_test_result_string (info, "Quantization"), ==, "Q8_0");
  g_assert_cmpuint (wly_test_result_u32 (info, "ContextLength"), ==, 1024);
  g_assert_cmpuint (wly_test_result_u32 (info, "VocabularySize"), ==, 1024);
  g_assert_cmpuint (wly_test_result_u64 (info, "Size"), ==, 3934176);
  g_assert_cmpuint (wly_test_result_u64 (info, "WeightsBytes"), <, 3934176);
  /* 4 layers, 2 heads of 64, keys and values, two bytes each */
  g_assert_cmpuint (wly_test_result_u64 (info, "KvBytesPerPosition"), ==, 4 * 2 * 64 * 2 * 2);
  g_assert_true (g_variant_lookup (info, "Capabilities", "^a&s", &words));
  g_assert_true (g_strv_contains ((const char *const *)words, "generate"));
  g_assert_true (g_strv_contains ((const char *const *)words, "chat"));
  g_assert_null (wly_test_worker_open (worker, fd, &error));
  assert_remote_error (error, WLY_ERROR_FAILED);
  close (fd);
  wly_test_worker_free (worker);
}

/* What the key of a file says that no plugin describes, and nothing where it says nothing. */
static void
test_open_pooled (void)
{
  static const struct {
    guint pooling;
    const char *word;
  } cases[] = {
    { WLP_POOL_MEAN, "embed" }, { WLP_POOL_RANK, "rerank" }, { 5, "generate" }, { G_MAXUINT32, "generate" }
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    WlyTestWorker *worker     = wly_test_worker_new ();
    g_autoptr (GError) error  = NULL;
    g_autoptr (GVariant) info = NULL;
    g_autofree char **words   = NULL;
    WlyTestModel model;
    int fd;

    wly_test_model_init (&model);
    model.architecture = "frobnicator";
    model.pooling      = cases[i].pooling;
    fd                 = wly_test_model_memory (&model);
    info               = wly_test_worker_open (worker, fd, &error);
    g_assert_no_error (error);
    g_assert_true (g_variant_lookup (info, "Capabilities", "^a&s", &words));
    g_assert_cmpstr (words[0], ==, cases[i].word);
    close (fd);
    wly_test_worker_free (worker);
  }
}

static void
test_text (void)
{
  WlyTestWorker *worker        = wly_test_worker_new ();
  g_autoptr (GError) error     = NULL;
  int fd                       = bundled_model ();
  g_autoptr (GVariant) early   = tokenize (worker, "{'prompt': <'a'>}", "@a{sv} {}", &error);
  g_autoptr (GVariant) info    = NULL;
  g_autoptr (GVariant) plain   = NULL;
  g_autoptr (GVariant) special = NULL;
  g_autoptr (GVariant) bos     = NULL;
  g_autoptr (GVariant) text    = NULL;

  g_assert_null (early);
  assert_remote_error (error, WLY_ERROR_FAILED);
  g_clear_error (&error);
  info = wly_test_worker_open (worker, fd, &error);
  g_assert_no_error (error);
  plain   = tokenize (worker, "{'prompt': <'<|user|>Once upon a time'>}", "@a{sv} {}", &error);
  special = tokenize (worker, "{'prompt': <'<|user|>Once upon a time'>}", "{'special': <true>}", &error);
  bos     = tokenize (worker, "{'prompt': <'Once upon a time'>}", "{'add-bos': <true>}", &error);
  g_assert_no_error (error);
  g_assert_cmpuint (g_variant_n_children (special), <, g_variant_n_children (plain));
  {
    g_autoptr (GVariant) first = g_variant_get_child_value (bos, 0);

    g_assert_cmpuint (g_variant_get_uint32 (first), ==, 1);
  }
  wly_rpc_worker1_call_detokenize_sync (wly_test_worker_proxy (worker), plain,
                                        g_variant_new_array (G_VARIANT_TYPE ("{sv}"), NULL, 0), &text, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpmem (g_variant_get_data (text), g_variant_get_size (text), "<|user|>Once upon a time", 24);
  g_clear_pointer (&text, g_variant_unref);
  wly_rpc_worker1_call_detokenize_sync (wly_test_worker_proxy (worker), g_variant_new_parsed ("[uint32 1, 1024]"),
                                        g_variant_new_array (G_VARIANT_TYPE ("{sv}"), NULL, 0), &text, NULL, &error);
  assert_remote_error (error, WLY_ERROR_INVALID_ARGS);
  close (fd);
  wly_test_worker_free (worker);
}

/* A token of at least this many bytes. */
static guint32
find_long_token (WlyTestWorker *worker, gsize n_bytes)
{
  for (guint32 token = 0; token < 1024; token++) {
    g_autoptr (GVariant) text = NULL;

    wly_rpc_worker1_call_detokenize_sync (wly_test_worker_proxy (worker),
                                          g_variant_new_fixed_array (G_VARIANT_TYPE_UINT32, &token, 1, sizeof token),
                                          g_variant_new_array (G_VARIANT_TYPE ("{sv}"), NULL, 0), &text, NULL, NULL);
    if (text != NULL && g_variant_get_size (text) >= n_bytes)
      return token;
  }
  g_assert_not_reached ();
}

/* More than a message can hold is refused, and does not cost the connection. */
static void
test_long_answers (void)
{
  const guint n_tokens         = 9 * 1024 * 1024;
  WlyTestWorker *worker        = wly_test_worker_new ();
  g_autoptr (GError) error     = NULL;
  int fd                       = bundled_model ();
  g_autoptr (GVariant) info    = wly_test_worker_open (worker, fd, &error);
  guint32 token                = find_long_token (worker, 4);
  g_autofree guint32 *tokens   = g_new (guint32, n_tokens);
  g_autofree char *bytes       = g_malloc (n_tokens);
  int body                     = wly_test_body ("{'prompt-fd': <handle 1>}");
  int text_fd                  = memfd_create ("text", MFD_CLOEXEC);
  g_autoptr (GUnixFDList) fds  = g_unix_fd_list_new ();
  g_autoptr (GVariant) text    = NULL;
  g_autoptr (GVariant) read    = NULL;
  g_autoptr (GVariant) as_ever = NULL;

  for (guint i = 0; i < n_tokens; i++)
    tokens[i] = token;
  wly_rpc_worker1_call_detokenize_sync (
      wly_test_worker_proxy (worker),
      g_variant_new_fixed_array (G_VARIANT_TYPE_UINT32, tokens, n_tokens, sizeof (guint32)),
      g_variant_new_array (G_VARIANT_TYPE ("{sv}"), NULL, 0), &text, NULL, &error);
  assert_remote_error (error, WLY_ERROR_INVALID_ARGS);
  g_clear_error (&error);

  memset (bytes, 1, n_tokens); /* in no merge: each byte is a token */
  g_assert_cmpint (write (text_fd, bytes, n_tokens), ==, n_tokens);
  g_unix_fd_list_append (fds, body, NULL);
  g_unix_fd_list_append (fds, text_fd, NULL);
  wly_rpc_worker1_call_tokenize_sync (
      wly_test_worker_proxy (worker), g_variant_new_handle (0), g_variant_new_parsed ("[handle 0, handle 1]"),
      g_variant_new_array (G_VARIANT_TYPE ("{sv}"), NULL, 0), fds, &read, NULL, NULL, &error);
  assert_remote_error (error, WLY_ERROR_INVALID_ARGS);
  g_clear_error (&error);

  as_ever = tokenize (worker, "{'prompt': <'Once upon a time'>}", "@a{sv} {}", &error);
  g_assert_no_error (error);
  close (text_fd);
  close (body);
  close (fd);
  wly_test_worker_free (worker);
}

static void
test_render (void)
{
  WlyTestWorker *worker       = wly_test_worker_new ();
  g_autoptr (GError) error    = NULL;
  int fd                      = bundled_model ();
  g_autoptr (GVariant) info   = wly_test_worker_open (worker, fd, &error);
  int body                    = wly_test_body ("{'messages': <[{'role': <'user'>, 'content': <'Hi <|user|>'>}]>}");
  g_autoptr (GUnixFDList) fds = wly_test_fd_list (body);
  g_autofree char *text       = NULL;
  g_autoptr (GVariant) spans  = NULL;
  g_autoptr (GVariant) wanted = g_variant_ref_sink (g_variant_new_parsed ("[(@t 0, @t 8), (19, 13)]"));

  g_assert_no_error (error);
  g_assert_false (wly_rpc_worker1_call_render_sync (
      wly_test_worker_proxy (worker), g_variant_new_handle (0), g_variant_new_array (G_VARIANT_TYPE_HANDLE, NULL, 0),
      g_variant_new_parsed ("{'salt': <'seven'>}"), fds, &text, &spans, NULL, NULL, &error));
  assert_remote_error (error, WLY_ERROR_INVALID_ARGS);
  g_clear_error (&error);
  wly_rpc_worker1_call_render_sync (wly_test_worker_proxy (worker), g_variant_new_handle (0),
                                    g_variant_new_array (G_VARIANT_TYPE_HANDLE, NULL, 0),
                                    g_variant_new_parsed ("{'salt': <@t 7>}"), fds, &text, &spans, NULL, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (text, ==, "<|user|>Hi <|user|><|assistant|>");
  g_assert_cmpvariant (spans, wanted);
  close (body);
  close (fd);
  wly_test_worker_free (worker);
}

static void
test_load (void)
{
  WlyTestWorker *worker       = wly_test_worker_new ();
  g_autoptr (GError) error    = NULL;
  int fd                      = bundled_model ();
  g_autoptr (GVariant) info   = NULL;
  g_autoptr (GVariant) loaded = NULL;
  g_autoptr (GVariant) memory = NULL;

  g_assert_null (wly_test_worker_load (worker, NULL, &error));
  assert_remote_error (error, WLY_ERROR_FAILED);
  g_clear_error (&error);
  info = wly_test_worker_open (worker, fd, &error);
  g_assert_no_error (error);
  g_assert_null (wly_test_worker_load (worker, "{'threads': <uint32 1025>}", &error));
  assert_remote_error (error, WLY_ERROR_INVALID_ARGS);
  g_clear_error (&error);
  g_assert_null (wly_test_worker_load (worker, "{'device': <'abacus'>}", &error));
  assert_remote_error (error, WLY_ERROR_NOT_FOUND);
  g_clear_error (&error);
  loaded = wly_test_worker_load (worker, "{'device': <'fake'>, 'threads': <uint32 2>}", &error);
  g_assert_no_error (error);
  g_assert_cmpstr (wly_test_result_string (loaded, "device"), ==, "fake");
  g_assert_cmpuint (wly_test_result_u32 (loaded, "max-context"), ==, 1024);
  g_assert_null (wly_test_worker_load (worker, NULL, &error));
  assert_remote_error (error, WLY_ERROR_BUSY);
  g_clear_error (&error);
  wly_rpc_worker1_call_get_memory_sync (wly_test_worker_proxy (worker), &memory, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (wly_test_result_u64 (memory, "packed-bytes") + wly_test_result_u64 (memory, "mapped-bytes"), >, 0);
  close (fd);
  wly_test_worker_free (worker);
}

/* The bundled model tells the story that its training promises; frames, lines and text say the same. */
static void
test_generate (void)
{
  WlyTestWorker *worker    = wly_test_worker_new_loaded (bundled_model (), NULL);
  const char *body         = "{'messages': <[{'role': <'user'>, 'content': <'Tell me a story about a red ball.'>}]>}";
  g_autoptr (GError) error = NULL;
  g_autoptr (WlyTestGeneration) frames = NULL, lines = NULL, text = NULL;
  int tokens[] = { -1, -1, -1 };

  for (guint i = 0; i < 3; i++)
    g_assert_true (wly_test_worker_open_session (worker, i, &tokens[i], NULL, &error));
  g_assert_no_error (error);
  frames = wly_test_generate (worker, 0, body, "{'temperature': <0.0>, 'max-tokens': <uint32 24>}");
  lines = wly_test_generate (worker, 1, body, "{'temperature': <0.0>, 'max-tokens': <uint32 24>, 'stream': <'jsonl'>}");
  text  = wly_test_generate (worker, 2, body, "{'temperature': <0.0>, 'max-tokens': <uint32 24>, 'stream': <'text'>}");
  wly_test_generation_wait (frames);
  wly_test_generation_wait (lines);
  wly_test_generation_wait (text);
  g_assert_true (g_str_has_prefix (g_strchug (frames->text->str), "Once upon a time, there was a little girl named"));
  g_byte_array_append (text->bytes, (const guint8 *)"", 1);
  g_byte_array_append (lines->bytes, (const guint8 *)"", 1);
  g_assert_cmpstr (g_strchug ((char *)text->bytes->data), ==, frames->text->str);
  g_assert_nonnull (strstr ((char *)lines->bytes->data, "{\"type\":\"end\",\"reason\":\"length\"}\n"));

  g_assert_cmpstr (wly_test_generation_last_state (frames), ==, "done");
  g_assert_true (wly_test_generation_had_state (frames, "prefill"));
  g_assert_true (wly_test_generation_had_state (frames, "generating"));
  g_assert_cmpuint (g_array_index (frames->types, guint, 0), ==, WOOLLY_FRAME_PREFILL);
  g_assert_cmpuint (g_array_index (frames->types, guint, frames->types->len - 2), ==, WOOLLY_FRAME_USAGE);
  g_assert_cmpuint (g_array_index (frames->types, guint, frames->types->len - 1), ==, WOOLLY_FRAME_END);
  g_assert_cmpstr (wly_test_result_string (frames->last, "reason"), ==, "length");
  g_assert_cmpuint (wly_test_result_u32 (frames->usage, "tokens-out"), ==, 24);
  g_assert_cmpvariant (frames->usage, frames->result);
  {
    g_autoptr (GArray) stored = wly_test_tokens (tokens[0]);

    g_assert_cmpuint (stored->len, ==, wly_test_result_u32 (frames->result, "tokens-in") + 24);
    g_assert_cmpuint (stored->len, ==, wly_test_result_u32 (frames->result, "context-used"));
    g_assert_cmpint (g_array_index (stored, gint32, 0), ==, 1);
  }
  for (guint i = 0; i < 3; i++)
    close (tokens[i]);
  wly_test_worker_free (worker);
}

/* The same seed draws the same; another one something else; none is drawn and told. */
static void
test_seed (void)
{
  WlyTestModel model;
  WlyTestWorker *worker;
  g_autoptr (GError) error = NULL;
  g_autofree char *first = NULL, *again = NULL, *other = NULL;
  g_autoptr (WlyTestGeneration) drawn = NULL;
  int tokens[]                        = { -1, -1, -1, -1 };

  wly_test_model_init (&model);
  worker = wly_test_worker_new_loaded (wly_test_model_memory (&model), NULL);
  for (guint i = 0; i < 4; i++)
    g_assert_true (wly_test_worker_open_session (worker, i, &tokens[i], NULL, &error));
  first = wly_test_answer (worker, 0, "{'prompt': <'sheep'>}", "{'seed': <@t 7>, 'max-tokens': <uint32 20>}");
  again = wly_test_answer (worker, 1, "{'prompt': <'sheep'>}", "{'seed': <@t 7>, 'max-tokens': <uint32 20>}");
  other = wly_test_answer (worker, 2, "{'prompt': <'sheep'>}", "{'seed': <@t 8>, 'max-tokens': <uint32 20>}");
  g_assert_cmpstr (first, ==, again);
  g_assert_cmpstr (first, !=, other);
  drawn = wly_test_generate (worker, 3, "{'prompt': <'sheep'>}", "{'max-tokens': <uint32 1>}");
  wly_test_generation_wait (drawn);
  g_assert_cmpuint (wly_test_result_u64 (drawn->result, "seed"), !=, 0);
  for (guint i = 0; i < 4; i++)
    close (tokens[i]);
  wly_test_worker_free (worker);
}

/* How often the threads of a process went to sleep. */
static guint64
count_sleeps (GPid pid)
{
  g_autofree char *folder = g_strdup_printf ("/proc/%d/task", pid);
  g_autoptr (GDir) dir    = g_dir_open (folder, 0, NULL);
  guint64 sum             = 0;
  const char *name;

  g_assert_nonnull (dir);
  while ((name = g_dir_read_name (dir)) != NULL) {
    g_autofree char *path = g_build_filename (folder, name, "status", NULL);
    g_autofree char *text = NULL;
    const char *line;

    g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
    line = strstr (text, "\nvoluntary_ctxt_switches:");
    g_assert_nonnull (line);
    sum += g_ascii_strtoull (line + strlen ("\nvoluntary_ctxt_switches:"), NULL, 10);
  }
  return sum;
}

/* With a session, and a generation behind it, but nothing to do: nobody wakes up. */
static void
test_idle (void)
{
  WlyTestModel model;
  WlyTestWorker *worker;
  g_autoptr (GError) error = NULL;
  g_autofree char *text    = NULL;
  guint64 before = 0, after = G_MAXUINT64;
  int tokens = -1;

  wly_test_model_init (&model);
  worker = wly_test_worker_new_loaded (wly_test_model_memory (&model), "{'threads': <uint32 2>}");
  g_assert_true (wly_test_worker_open_session (worker, 1, &tokens, NULL, &error));
  text = wly_test_answer (worker, 1, "{'prompt': <'sheep'>}", "{'max-tokens': <uint32 5>}");
  /* what it still has to put away may take a moment; then comes a time without */
  for (guint i = 0; i < 50 && after != before; i++) {
    before = count_sleeps (wly_test_worker_pid (worker));
    g_usleep (300000);
    after = count_sleeps (wly_test_worker_pid (worker));
  }
  g_assert_cmpuint (after, ==, before);
  close (tokens);
  wly_test_worker_free (worker);
}

/* Who hangs up ends it, whatever it is doing. */
static void
test_hang_up (void)
{
  WlyTestModel model;
  WlyTestWorker *worker;
  g_autoptr (GError) error                 = NULL;
  int tokens                               = -1;
  g_autoptr (WlyTestGeneration) generation = NULL;
  int status;

  wly_test_model_init (&model);
  worker = wly_test_worker_new_loaded (wly_test_model_memory (&model), NULL);
  g_assert_true (wly_test_worker_open_session (worker, 1, &tokens, NULL, &error));
  generation = wly_test_generate (worker, 1, "{'prompt': <'sheep'>}", "{'max-tokens': <uint32 100000>}");
  wly_test_generation_wait_bytes (generation, 100);
  status = wly_test_worker_end (worker);
  g_assert_true (WIFEXITED (status) && WEXITSTATUS (status) == 0);
  while (!generation->ended)
    g_main_context_iteration (NULL, TRUE);
  close (tokens);
}

static guint64
memory_bytes (WlyTestWorker *worker, const char *key)
{
  g_autoptr (GError) error    = NULL;
  g_autoptr (GVariant) memory = NULL;

  wly_rpc_worker1_call_get_memory_sync (wly_test_worker_proxy (worker), &memory, NULL, &error);
  g_assert_no_error (error);
  return wly_test_result_u64 (memory, key);
}

static guint64
packed_bytes (WlyTestWorker *worker)
{
  return memory_bytes (worker, "packed-bytes");
}

/* The grammar of the same request is made once for an app; each app has its own, and they take bounded memory. */
static void
test_grammars_are_kept (void)
{
  static const char *const salts[] = { "{'salt': <@t 1>}", "{'salt': <@t 2>}" };
  /* one takes more than all that may come to lie with it */
  const guint64 most_masks = WLY_MASKS_KEPT_BYTES;
  g_autofree char *options =
      g_strdup_printf ("{'grammar': <'root ::= \"a\" | \"b%080000d\"'>, 'max-tokens': <uint32 30>}", 0);
  WlyTestModel model;
  WlyTestWorker *worker;
  guint64 one, again, both;
  g_autofree char *text = NULL;

  wly_test_model_init (&model);
  worker = wly_test_worker_new_loaded (wly_test_model_memory (&model), NULL);
  for (guint i = 0; i < 2; i++) {
    g_autoptr (GError) error = NULL;
    int tokens               = -1;

    g_assert_true (wly_test_worker_open_session (worker, i, &tokens, salts[i], &error));
    close (tokens);
  }
  g_assert_cmpuint (memory_bytes (worker, "grammar-bytes"), ==, 0);
  text = wly_test_answer (worker, 0, "{'prompt': <'sheep'>}", options);
  g_assert_cmpstr (text, ==, "a");
  one = memory_bytes (worker, "grammar-bytes");
  g_assert_cmpuint (one, >, 2 * most_masks);
  for (guint i = 0; i < 3; i++)
    g_free (wly_test_answer (worker, 0, "{'prompt': <'goat'>}", options));
  again = memory_bytes (worker, "grammar-bytes");
  g_free (wly_test_answer (worker, 1, "{'prompt': <'sheep'>}", options));
  both = memory_bytes (worker, "grammar-bytes");
  g_assert_cmpuint (again, <=, one + most_masks);
  g_assert_cmpuint (both, >, again + most_masks);
  for (guint i = 0; i < 40; i++) {
    g_autofree char *other = g_strdup_printf ("{'regex': <'[a-z]{3,%u}'>, 'max-tokens': <uint32 9>}", 100 + i);

    g_free (wly_test_answer (worker, 1, "{'prompt': <'sheep'>}", other));
    g_assert_cmpuint (memory_bytes (worker, "grammar-bytes"), <=, 32u << 20);
  }
  wly_test_worker_free (worker);
}

static guint64
limit_weights (WlyTestWorker *worker, guint64 n_bytes)
{
  g_autoptr (GError) error = NULL;
  guint64 released         = 0;

  wly_rpc_worker1_call_limit_weights_sync (wly_test_worker_proxy (worker), n_bytes, &released, NULL, &error);
  g_assert_no_error (error);
  return released;
}

/* Packed weights are given up while a story is told, which stays the same, and packed again when they may be. */
static void
test_limit_weights (void)
{
  const char *body      = "{'prompt': <'Once upon a time'>}";
  const char *options   = "{'temperature': <0.0>, 'max-tokens': <uint32 200>, 'ignore-end': <true>}";
  WlyTestWorker *worker = wly_test_worker_new_loaded (bundled_model (), "{'device': <'cpu'>, 'threads': <uint32 2>}");
  g_autoptr (GError) error                 = NULL;
  g_autofree char *expected                = NULL;
  g_autofree char *text                    = NULL;
  g_autoptr (WlyTestGeneration) generation = NULL;
  int tokens[]                             = { -1, -1, -1 };
  guint64 full;

  for (guint i = 0; i < G_N_ELEMENTS (tokens); i++)
    g_assert_true (wly_test_worker_open_session (worker, i, &tokens[i], NULL, &error));
  expected = wly_test_answer (worker, 0, body, options);
  full     = packed_bytes (worker);
  g_assert_cmpuint (full, >, 1000000);
  g_assert_cmpuint (limit_weights (worker, full), ==, 0);
  generation = wly_test_generate (worker, 1, body, options);
  wly_test_generation_wait_bytes (generation, 100);
  g_assert_cmpuint (limit_weights (worker, full / 2), >=, full - full / 2);
  g_assert_cmpuint (packed_bytes (worker), <=, full / 2);
  wly_test_generation_wait (generation);
  g_assert_cmpstr (generation->text->str, ==, expected);
  g_assert_cmpuint (packed_bytes (worker), <=, full / 2);
  g_assert_cmpuint (limit_weights (worker, 2 * full), ==, 0);
  text = wly_test_answer (worker, 2, body, options);
  g_assert_cmpstr (text, ==, expected);
  g_assert_cmpuint (packed_bytes (worker), ==, full);
  for (guint i = 0; i < G_N_ELEMENTS (tokens); i++)
    close (tokens[i]);
  wly_test_worker_free (worker);
}

/* A limit that comes with the load holds from the start. */
static void
test_pack_bytes (void)
{
  const char *limit        = "{'device': <'cpu'>, 'threads': <uint32 2>, 'pack-bytes': <uint64 1000000>}";
  WlyTestWorker *worker    = wly_test_worker_new_loaded (bundled_model (), limit);
  g_autoptr (GError) error = NULL;
  g_autofree char *text    = NULL;
  int tokens               = -1;

  g_assert_true (wly_test_worker_open_session (worker, 1, &tokens, NULL, &error));
  text = wly_test_answer (worker, 1, "{'prompt': <'Once upon a time'>}", "{'max-tokens': <uint32 20>}");
  g_assert_cmpuint (strlen (text), >, 0);
  g_assert_cmpuint (packed_bytes (worker), <, 1200000); /* vectors as float32 are counted, too */
  close (tokens);
  wly_test_worker_free (worker);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/worker/worker/open", test_open);
  g_test_add_func ("/worker/worker/open-pooled", test_open_pooled);
  g_test_add_func ("/worker/worker/text", test_text);
  g_test_add_func ("/worker/worker/render", test_render);
  g_test_add_func ("/worker/worker/long-answers", test_long_answers);
  g_test_add_func ("/worker/worker/load", test_load);
  g_test_add_func ("/worker/worker/limit-weights", test_limit_weights);
  g_test_add_func ("/worker/worker/pack-bytes", test_pack_bytes);
  g_test_add_func ("/worker/worker/generate", test_generate);
  g_test_add_func ("/worker/worker/seed", test_seed);
  /* a sanitizer has a thread of its own that wakes up */
  if (!WLY_SANITIZED)
    g_test_add_func ("/worker/worker/idle", test_idle);
  g_test_add_func ("/worker/worker/hang-up", test_hang_up);
  g_test_add_func ("/worker/worker/grammars-are-kept", test_grammars_are_kept);
  return g_test_run ();
}
