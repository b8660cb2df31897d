/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wly-error.h"
#include "wly-os.h"
#include "wly-test-model.h"
#include "wly-test-worker.h"
#include "wly-worker-exit.h"

#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *const model_arguments[] = { "--probe", "model", "--files", "1", NULL };

static GVariant *
probe_bytes (const guint8 *data, gsize n_bytes, int *ret_status)
{
  g_autoptr (GError) error = NULL;
  int fd                   = wly_os_memfd_new_sealed ("model", data, n_bytes, &error);
  GVariant *answer;

  g_assert_no_error (error);
  answer = wly_test_probe (model_arguments, &fd, 1, ret_status);
  close (fd);
  return answer;
}

/* A clean answer in normal form: what is in it, or a typed error. */
static void
assert_answered (GVariant *answer, int status)
{
  g_assert_true (WIFEXITED (status));
  g_assert_true (g_variant_is_normal_form (answer));
  if (WEXITSTATUS (status) == WLY_WORKER_EXIT_OK) {
    g_assert_cmpstr (wly_test_result_string (answer, "Architecture"), !=, "");
    return;
  }
  g_assert_cmpint (WEXITSTATUS (status), ==, WLY_WORKER_EXIT_PROBE_FAILED);
  g_assert_true (g_str_has_prefix (wly_test_result_string (answer, "error-name"), "org.woolly.Error."));
  g_assert_cmpstr (wly_test_result_string (answer, "error-message"), !=, "");
}

static void
test_model (void)
{
  int fd                      = wly_test_file (g_getenv ("WOOLLY_TEST_MODEL"));
  int status                  = -1;
  g_autoptr (GVariant) answer = wly_test_probe (model_arguments, &fd, 1, &status);

  assert_answered (answer, status);
  g_assert_cmpint (WEXITSTATUS (status), ==, WLY_WORKER_EXIT_OK);
  g_assert_cmpstr (wly_test_result_string (answer, "Name"), ==, "Woolly Tiny");
  g_assert_cmpuint (wly_test_result_u64 (answer, "KvBytesPerPosition"), ==, 2048);
  close (fd);
}

/* Every cut of the header, and then some of the data; flips with a fixed seed; noise. */
static void
test_damaged (void)
{
  WlyTestModel model;
  g_autofree char *path    = NULL;
  g_autofree char *data    = NULL;
  g_autoptr (GRand) random = g_rand_new_with_seed (2);
  gsize n_bytes;

  wly_test_model_init (&model);
  model.n_embd = 32;
  model.n_ff   = 32;
  model.n_head = 2;
  path         = wly_test_model_save (&model);
  g_assert_true (g_file_get_contents (path, &data, &n_bytes, NULL));
  for (guint i = 0; i < 40; i++) {
    gsize n_left                = (gsize)g_rand_double_range (random, 0, (double)n_bytes);
    int status                  = -1;
    g_autoptr (GVariant) answer = probe_bytes ((const guint8 *)data, n_left, &status);

    assert_answered (answer, status);
    g_assert_cmpint (WEXITSTATUS (status), ==, WLY_WORKER_EXIT_PROBE_FAILED);
  }
  for (guint i = 0; i < 40; i++) {
    gsize at                    = (gsize)g_rand_double_range (random, 0, 4096);
    char before                 = data[at];
    int status                  = -1;
    g_autoptr (GVariant) answer = NULL;

    data[at] ^= (char)(1 << g_rand_int_range (random, 0, 8));
    answer   = probe_bytes ((const guint8 *)data, n_bytes, &status);
    data[at] = before;
    assert_answered (answer, status);
  }
  for (gsize i = 0; i < n_bytes; i++)
    data[i] = (char)g_rand_int (random);
  {
    int status                  = -1;
    g_autoptr (GVariant) answer = probe_bytes ((const guint8 *)data, n_bytes, &status);

    assert_answered (answer, status);
    g_assert_cmpstr (wly_test_result_string (answer, "error-name"), ==, wly_error_dbus_name (WLY_ERROR_INVALID_MODEL));
  }
  unlink (path);
}

static void
test_plugins (void)
{
  g_auto (GStrv) paths = g_strsplit (g_getenv ("WOOLLY_TEST_PLUGINS"), ":", -1);
  guint n_arch = 0, n_backend = 0;

  for (gsize i = 0; paths[i] != NULL; i++) {
    const char *const arguments[] = { "--probe", "plugin", paths[i], NULL };
    int status                    = -1;
    g_autoptr (GVariant) answer   = wly_test_probe (arguments, NULL, 0, &status);
    g_autoptr (GVariant) devices  = g_variant_lookup_value (answer, "devices", G_VARIANT_TYPE ("aa{sv}"));
    g_autofree char **names       = NULL;

    g_assert_true (WIFEXITED (status));
    g_assert_cmpint (WEXITSTATUS (status), ==, 0);
    g_assert_cmpstr (wly_test_result_string (answer, "state"), ==, "usable");
    if (g_str_equal (wly_test_result_string (answer, "kind"), "arch")) {
      g_assert_true (g_variant_lookup (answer, "architectures", "^a&s", &names));
      g_assert_cmpuint (g_strv_length (names), >, 0);
      n_arch++;
    } else {
      g_assert_nonnull (devices);
      g_assert_cmpuint (g_variant_n_children (devices), >, 0);
      n_backend++;
    }
  }
  g_assert_cmpuint (n_arch, >, 0);
  g_assert_cmpuint (n_backend, >, 0);
}

static void
test_no_plugin (void)
{
  const char *const arguments[] = { "--probe", "plugin", "/dev/null", NULL };
  int status                    = -1;
  g_autoptr (GVariant) answer   = wly_test_probe (arguments, NULL, 0, &status);

  g_assert_true (WIFEXITED (status));
  g_assert_cmpint (WEXITSTATUS (status), ==, 0);
  g_assert_cmpstr (wly_test_result_string (answer, "state"), ==, "refused");
  g_assert_cmpstr (wly_test_result_string (answer, "reason"), !=, "");
}

static void
test_usage (void)
{
  static const char *const lines[][5] = {
    { "--probe", "soup", NULL },
    { "--probe", "model", "--files", "0", NULL },
    { "--probe", "model", "--files", "1000", NULL },
    { "--probe", "plugin", NULL },
    { "--nonsense", NULL },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (lines); i++) {
    int status                  = -1;
    g_autoptr (GVariant) answer = wly_test_probe (lines[i], NULL, 0, &status);

    g_assert_true (WIFEXITED (status));
    g_assert_cmpint (WEXITSTATUS (status), ==, WLY_WORKER_EXIT_USAGE);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/worker/probe/model", test_model);
  g_test_add_func ("/worker/probe/damaged", test_damaged);
  g_test_add_func ("/worker/probe/plugins", test_plugins);
  g_test_add_func ("/worker/probe/no-plugin", test_no_plugin);
  g_test_add_func ("/worker/probe/usage", test_usage);
  return g_test_run ();
}
