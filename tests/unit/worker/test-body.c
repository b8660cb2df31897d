/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wly-body.h"
#include "wly-error.h"
#include "wly-os.h"

#include <string.h>
#include <unistd.h>

static int
memfd_of (const void *data, gsize n_bytes)
{
  g_autoptr (GError) error = NULL;
  int fd                   = wly_os_memfd_new_sealed ("test", data, n_bytes, &error);

  g_assert_no_error (error);
  return fd;
}

static int
body_of (const char *text)
{
  g_autoptr (GVariant) value = g_variant_ref_sink (g_variant_new_parsed (text));

  return memfd_of (g_variant_get_data (value), g_variant_get_size (value));
}

static void
assert_refused (int body_fd, const int *fds, gsize n_fds, int code, const char *naming)
{
  g_auto (WlyBody) body    = { 0 };
  g_autoptr (GError) error = NULL;

  g_assert_false (wly_body_read (body_fd, fds, n_fds, &body, &error));
  g_assert_error (error, WLY_ERROR, code);
  g_assert_nonnull (strstr (error->message, naming));
  close (body_fd);
}

static void
test_prompt (void)
{
  g_auto (WlyBody) body    = { 0 };
  g_autoptr (GError) error = NULL;
  int fd                   = body_of ("{'prompt': <'Once upon'>, 'special': <true>}");

  g_assert_true (wly_body_read (fd, NULL, 0, &body, &error));
  g_assert_no_error (error);
  g_assert_cmpmem (g_bytes_get_data (body.prompt, NULL), g_bytes_get_size (body.prompt), "Once upon", 9);
  g_assert_null (body.messages);
  g_assert_true (body.special);
  g_assert_true (body.add_generation_prompt);
  close (fd);
}

/* What templates know by other names, and JSON whose keys stay in order. */
static void
test_tools (void)
{
  g_auto (WlyBody) body      = { 0 };
  g_autoptr (GError) error   = NULL;
  g_autofree char *messages  = NULL;
  g_autofree char *tools     = NULL;
  g_autoptr (GVariant) given = NULL;
  gboolean thinking          = TRUE;
  int fd                     = body_of (
                          "{'messages': <[{'role': <'user'>, 'parts': <['a', 'नम']>}, {'role': <'tool'>, 'tool-call-id': <'c1'>},"
                                              " {'role': <'assistant'>, 'tool-calls': <'[{\"z\": 1, \"a\": null}]'>}]>, 'reasoning': <'off'>,"
                                              " 'tools': <'[{\"z\": {}, \"b\": 2.5, \"a\": true}]'>, 'template-variables': <'{\"date\": \"today\"}'>}");

  g_assert_true (wly_body_read (fd, NULL, 0, &body, &error));
  g_assert_no_error (error);
  messages = g_variant_print (body.messages, FALSE);
  g_assert_nonnull (strstr (messages, "<[{'type': <'text'>, 'text': <'a'>}, {'type': <'text'>, 'text': <'नम'>}]>"));
  g_assert_nonnull (strstr (messages, "'tool_call_id': <'c1'>"));
  g_assert_nonnull (strstr (messages, "'tool_calls': <[<{'z': <int64 1>, 'a': <@mv nothing>}>]>"));
  given = g_variant_lookup_value (body.given, "tools", G_VARIANT_TYPE ("av"));
  g_assert_nonnull (given);
  tools = g_variant_print (given, FALSE);
  g_assert_cmpstr (tools, ==, "[<{'z': <@a{sv} {}>, 'b': <2.5>, 'a': <true>}>]");
  g_assert_true (g_variant_lookup (body.given, "enable_thinking", "b", &thinking));
  g_assert_false (thinking);
  g_assert_true (g_variant_lookup (body.given, "date", "s", NULL));
  close (fd);

  assert_refused (body_of ("{'messages': <[{'role': <'user'>}]>, 'tools': <'{}'>}"), NULL, 0, WLY_ERROR_INVALID_ARGS,
                  "tools");
  assert_refused (body_of ("{'messages': <[{'role': <'user'>, 'tool-calls': <'[1'>}]>}"), NULL, 0,
                  WLY_ERROR_INVALID_ARGS, "tool-calls");
  assert_refused (body_of ("{'conversation': <'{\"messages\": [1]}'>}"), NULL, 0, WLY_ERROR_INVALID_ARGS,
                  "conversation");
  assert_refused (body_of ("{'conversation': <'{}'>, 'prompt': <'x'>}"), NULL, 0, WLY_ERROR_INVALID_ARGS,
                  "exactly one");
}

static void
test_descriptors (void)
{
  g_auto (WlyBody) prompt      = { 0 };
  g_auto (WlyBody) messages    = { 0 };
  g_autoptr (GError) error     = NULL;
  g_autoptr (GVariant) message = NULL;
  const char *content          = NULL;
  const int fds[]              = { memfd_of ("first", 5), memfd_of ("second \xf0\x9f\x90\x91", 11) };
  int fd                       = body_of ("{'prompt-fd': <handle 1>}");

  g_assert_true (wly_body_read (fd, fds, 2, &prompt, &error));
  g_assert_no_error (error);
  g_assert_cmpmem (g_bytes_get_data (prompt.prompt, NULL), g_bytes_get_size (prompt.prompt), "second \xf0\x9f\x90\x91",
                   11);
  close (fd);

  fd = body_of ("{'messages': <[{'role': <'user'>, 'content-fd': <handle 0>}]>}");
  g_assert_true (wly_body_read (fd, fds, 2, &messages, &error));
  g_assert_no_error (error);
  message = g_variant_get_child_value (messages.messages, 0);
  g_assert_true (g_variant_lookup (message, "content", "&s", &content));
  g_assert_cmpstr (content, ==, "first");
  g_assert_null (g_variant_lookup_value (message, "content-fd", NULL));
  close (fd);
  close (fds[0]);
  close (fds[1]);
}

static void
test_refusals (void)
{
  const int fds[] = { memfd_of ("broken \xff", 8), memfd_of ("nul\0", 4) };

  assert_refused (body_of ("@a{sv} {}"), NULL, 0, WLY_ERROR_INVALID_ARGS, "exactly one");
  assert_refused (body_of ("{'prompt': <'a'>, 'prompt-fd': <handle 0>}"), fds, 2, WLY_ERROR_INVALID_ARGS,
                  "exactly one");
  assert_refused (body_of ("{'prompt': <7>}"), NULL, 0, WLY_ERROR_INVALID_ARGS, "prompt");
  assert_refused (body_of ("{'promt': <'a'>}"), NULL, 0, WLY_ERROR_INVALID_ARGS, "promt");
  assert_refused (body_of ("{'prompt-fd': <handle 2>}"), fds, 2, WLY_ERROR_INVALID_ARGS, "prompt-fd");
  assert_refused (body_of ("{'prompt-fd': <handle -1>}"), fds, 2, WLY_ERROR_INVALID_ARGS, "prompt-fd");
  assert_refused (body_of ("{'prompt-fd': <handle 0>}"), fds, 2, WLY_ERROR_INVALID_TEXT, "byte 7");
  assert_refused (body_of ("{'prompt-fd': <handle 1>}"), fds, 2, WLY_ERROR_INVALID_TEXT, "byte 3");
  assert_refused (body_of ("{'messages': <@aa{sv} []>}"), NULL, 0, WLY_ERROR_INVALID_ARGS, "no message");
  assert_refused (body_of ("{'messages': <[{'content': <'a'>}]>}"), NULL, 0, WLY_ERROR_INVALID_ARGS, "Message 0");
  assert_refused (body_of ("{'messages': <[{'role': <'user'>, 'content': <'a'>, 'content-fd': <handle 0>}]>}"), fds, 2,
                  WLY_ERROR_INVALID_ARGS, "Message 0");
  assert_refused (body_of ("{'messages': <[{'role': <'user'>, 'content': <'a'>}, {'role': <'user'>, 'nome': <'x'>}]>}"),
                  NULL, 0, WLY_ERROR_INVALID_ARGS, "Message 1");
  close (fds[0]);
  close (fds[1]);
}

/* Bytes that are no dictionary: a fixed seed, and every flip of a byte of a good one either reads or is refused. */
static void
test_garbage (void)
{
  g_autoptr (GVariant) value =
      g_variant_ref_sink (g_variant_new_parsed ("{'messages': <[{'role': <'user'>, 'content': <'hello'>}]>}"));
  gsize n_bytes           = g_variant_get_size (value);
  g_autofree guint8 *copy = g_memdup2 (g_variant_get_data (value), n_bytes);
  guint n_read            = 0;

  assert_refused (memfd_of ("garbage", 7), NULL, 0, WLY_ERROR_INVALID_ARGS, "normal form");
  for (gsize i = 0; i < n_bytes; i++) {
    for (guint bit = 0; bit < 8; bit++) {
      g_auto (WlyBody) body    = { 0 };
      g_autoptr (GError) error = NULL;
      int fd;

      copy[i] ^= (guint8)(1u << bit);
      fd = memfd_of (copy, n_bytes);
      if (wly_body_read (fd, NULL, 0, &body, &error))
        n_read++;
      else
        g_assert_true (error->domain == WLY_ERROR);
      copy[i] ^= (guint8)(1u << bit);
      close (fd);
    }
  }
  /* flips inside the two texts still read */
  g_assert_cmpuint (n_read, >, 0);
  g_assert_cmpuint (n_read, <, n_bytes * 8 / 2);
}

static void
test_too_large (void)
{
  g_autoptr (GError) error = NULL;
  int fd                   = wly_os_memfd_new ("test", &error);

  g_assert_no_error (error);
  g_assert_cmpint (ftruncate (fd, 129 * 1024 * 1024), ==, 0);
  assert_refused (fd, NULL, 0, WLY_ERROR_INVALID_ARGS, "135266304");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/worker/body/prompt", test_prompt);
  g_test_add_func ("/worker/body/descriptors", test_descriptors);
  g_test_add_func ("/worker/body/tools", test_tools);
  g_test_add_func ("/worker/body/refusals", test_refusals);
  g_test_add_func ("/worker/body/garbage", test_garbage);
  g_test_add_func ("/worker/body/too-large", test_too_large);
  return g_test_run ();
}
