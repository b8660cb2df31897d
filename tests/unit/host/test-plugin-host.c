/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Listing, refusing and opening, with the plugins of tests/plugins.  Arguments: the folder of the sound ones, the
 * folder of the broken ones.
 */
#include "plugin-host.h"

#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

static const char *sound_dir;
static const char *broken_dir;

static WlyPluginFile *
open_broken (const char *name, const char *why, gboolean before_opening)
{
  g_autofree char *file_name = g_strconcat (name, ".so", NULL);
  g_autofree char *path      = g_build_filename (broken_dir, file_name, NULL);
  WlyPluginFile *file        = wly_plugin_file_new (path);

  g_assert_cmpint (file->usable, ==, !before_opening);
  g_assert_cmpstr (file->name, ==, name);
  g_assert_false (wly_plugin_file_open (file));
  g_assert_false (file->usable);
  g_assert_null (file->plugin);
  g_assert_nonnull (file->reason);
  if (strstr (file->reason, why) == NULL)
    g_error ("\"%s\" does not say \"%s\"", file->reason, why);
  return file;
}

static void
test_broken (void)
{
  const struct {
    const char *name;
    const char *why;
    gboolean before_opening;
  } cases[] = {
    { "wrong-abi", "version 99.", TRUE },        { "no-note", "no note", TRUE },
    { "does-not-exist", "No such file", TRUE },  { "no-symbol", "wlp_plugin_enum", FALSE },
    { "name-mismatch", "somebody-else", FALSE }, { "incomplete", "table of functions", FALSE },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    wly_plugin_file_free (open_broken (cases[i].name, cases[i].why, cases[i].before_opening));
}

/* In a child, as a probe does it. */
static void
test_abort (void)
{
  g_autofree char *path = g_build_filename (broken_dir, "abort-in-enum.so", NULL);

  if (g_test_subprocess ()) {
    g_autoptr (WlyPluginFile) file = wly_plugin_file_new (path);

    g_assert_true (file->usable);
    wly_plugin_file_open (file);
    return;
  }
  g_test_trap_subprocess (NULL, 0, G_TEST_SUBPROCESS_DEFAULT);
  g_test_trap_assert_failed ();
}

static void
test_open (void)
{
  g_autofree char *path          = g_build_filename (sound_dir, "fake.so", NULL);
  g_autoptr (WlyPluginFile) file = wly_plugin_file_new (path);

  g_assert_true (file->usable);
  g_assert_null (file->plugin);
  g_assert_cmpstr (file->name, ==, "fake");
  g_assert_cmpuint (file->kind, ==, WLP_KIND_BACKEND);
  g_assert_true (wly_plugin_file_open (file));
  g_assert_nonnull (file->plugin);
  g_assert_true (wly_plugin_file_open (file));
  g_assert_null (file->reason);
}

static void
copy_file (const char *from, const char *folder, const char *name, int mode)
{
  g_autofree char *to      = g_build_filename (folder, name, NULL);
  g_autofree char *content = NULL;
  gsize n_bytes;

  g_assert_true (g_file_get_contents (from, &content, &n_bytes, NULL));
  g_assert_true (g_file_set_contents (to, content, (gssize)n_bytes, NULL));
  g_assert_cmpint (g_chmod (to, mode), ==, 0);
}

/* With what is in it, one folder deep. */
static void
remove_folder (const char *folder)
{
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  const char *name;

  while ((name = g_dir_read_name (dir)) != NULL) {
    g_autofree char *path = g_build_filename (folder, name, NULL);

    g_assert_cmpint (g_remove (path), ==, 0);
  }
  g_assert_cmpint (g_rmdir (folder), ==, 0);
}

/* By name; of two with one name the first counts; the subfolders are looked at; what is no plugin is told so. */
static void
test_list (void)
{
  g_autofree char *first       = g_dir_make_tmp ("woolly-XXXXXX", NULL);
  g_autofree char *second      = g_dir_make_tmp ("woolly-XXXXXX", NULL);
  g_autofree char *backends    = g_build_filename (second, "backend", NULL);
  g_autofree char *fake        = g_build_filename (sound_dir, "fake.so", NULL);
  g_autofree char *text        = g_build_filename (first, "text.so", NULL);
  g_autofree char *path        = g_strdup_printf ("%s:%s:/nowhere/at/all", first, second);
  g_autoptr (GPtrArray) files  = NULL;
  const char *const expected[] = { "fake", "open-to-all", "text", "fake" };
  const char *const reasons[]  = { NULL, "everybody", "ELF", "comes first" };

  g_assert_cmpint (g_mkdir (backends, 0700), ==, 0);
  copy_file (fake, first, "fake.so", 0600);
  copy_file (fake, first, "open-to-all.so", 0666);
  copy_file (fake, first, "readme.txt", 0600);
  g_assert_true (g_file_set_contents (text, "#!/bin/sh", -1, NULL));
  copy_file (fake, backends, "other.so", 0600);
  g_setenv ("WOOLLY_PLUGIN_PATH", path, TRUE);
  files = wly_plugin_host_list ();
  g_assert_cmpuint (files->len, ==, G_N_ELEMENTS (expected));
  for (guint i = 0; i < files->len; i++) {
    const WlyPluginFile *file = g_ptr_array_index (files, i);

    g_assert_cmpstr (file->name, ==, expected[i]);
    g_assert_cmpint (file->usable, ==, reasons[i] == NULL);
    if (reasons[i] != NULL && strstr (file->reason, reasons[i]) == NULL)
      g_error ("\"%s\" does not say \"%s\"", file->reason, reasons[i]);
  }
  remove_folder (backends);
  remove_folder (second);
  remove_folder (first);
}

static void
test_find_arch (void)
{
  const char *const served[]      = { "alpaca", "vicuna", NULL };
  const struct wlp_arch_ops ops   = { .version = 1, .architectures = served };
  const struct wlp_plugin plugin  = { .version = 1, .kind = WLP_KIND_ARCH, .name = "camelids", .ops = &ops };
  const struct wlp_plugin backend = { .version = 1, .kind = WLP_KIND_BACKEND, .name = "b", .ops = &plugin };
  WlyPluginFile unopened          = { .kind = WLP_KIND_ARCH, .usable = TRUE };
  WlyPluginFile other             = { .kind = WLP_KIND_BACKEND, .usable = TRUE, .plugin = &backend };
  WlyPluginFile file              = { .name = (char *)"camelids", .kind = WLP_KIND_ARCH, .plugin = &plugin };
  g_autoptr (GPtrArray) files     = g_ptr_array_new ();
  const char *name                = NULL;

  g_ptr_array_add (files, &unopened);
  g_ptr_array_add (files, &other);
  g_ptr_array_add (files, &file);
  g_assert_true (wly_plugin_host_find_arch (files, "vicuna", &name) == &ops);
  g_assert_cmpstr (name, ==, "camelids");
  g_assert_null (wly_plugin_host_find_arch (files, "llama", NULL));
}

/* ---- services ---- */

static gboolean
is_zero (const guint8 *memory, gsize n_bytes)
{
  for (gsize i = 0; i < n_bytes; i++)
    if (memory[i] != 0)
      return FALSE;
  return TRUE;
}

static void
test_memory (void)
{
  g_autoptr (WlyHostServices) services = wly_host_services_new (2, 5, 0);
  const struct wlp_services *s         = wly_host_services_get (services);
  const gsize sizes[]                  = { 1, 63, 4096, 262143, 262144, 262145, 3000000 };
  const gsize alignments[]             = { 1, 64, 4096, 2 * 1024 * 1024 };

  g_assert_cmpuint (s->n_threads, ==, 2);
  g_assert_cmpint (s->nice, ==, 5);
  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++) {
    for (guint j = 0; j < G_N_ELEMENTS (alignments); j++) {
      guint8 *memory = s->alloc (s->host, sizes[i], alignments[j]);

      g_assert_nonnull (memory);
      g_assert_cmpuint ((guintptr)memory % alignments[j], ==, 0);
      g_assert_true (is_zero (memory, sizes[i]));
      memset (memory, 0xaa, sizes[i]);
      g_assert_cmpuint (wly_host_services_allocated_bytes (services), ==, sizes[i]);
      s->free (s->host, memory, sizes[i]);
    }
  }
  s->free (s->host, NULL, 100);
  g_assert_cmpuint (wly_host_services_allocated_bytes (services), ==, 0);
  g_assert_null (s->alloc (s->host, 0, 64));
  g_assert_null (s->alloc (s->host, 10, 3));
  g_assert_null (s->alloc (s->host, G_MAXSIZE, 64));
  g_assert_null (s->alloc (s->host, G_MAXSIZE - 100, 4096));
  g_assert_cmpuint (wly_host_services_allocated_bytes (services), ==, 0);
}

/* What is chosen for @n_threads, where CPUs 0 .. 15 make cores 0 .. 11, and CPUs 0 .. 2 @n_fast - 1 the fast ones. */
static void
check_threads (guint n_fast, guint n_threads, guint expected, guint fast_expected, guint cpus_expected)
{
  WlyCpuTopology topology      = { .n_cores = 12, .n_fast_cores = n_fast, .n_fast = n_fast == 12 ? 16 : 2 * n_fast };
  struct wlp_services services = { 0 };

  topology.cpus = g_array_new (FALSE, FALSE, sizeof (guint32));
  for (guint32 cpu = 0; cpu < 16; cpu++)
    g_array_append_val (topology.cpus, cpu);
  wly_host_choose_threads (&topology, n_threads, &services);
  g_assert_true (services.cpus == (gconstpointer)topology.cpus->data);
  g_assert_cmpuint (services.n_cpus, ==, 16);
  g_assert_cmpuint (services.n_threads, ==, expected);
  g_assert_cmpuint (services.n_fast_threads, ==, fast_expected);
  g_assert_cmpuint (services.n_fast_cpus, ==, cpus_expected);
  g_array_unref (topology.cpus);
}

static void
test_threads (void)
{
  check_threads (4, 0, 12, 4, 8);   /* by itself: slow cores for what needs many */
  check_threads (3, 0, 12, 12, 16); /* too few fast ones */
  check_threads (4, 1, 1, 1, 8);    /* as many as somebody wants, on fast ones if they are enough */
  check_threads (4, 4, 4, 4, 8);
  check_threads (4, 5, 5, 5, 16);
  check_threads (2, 2, 2, 2, 4);
  check_threads (12, 0, 12, 12, 16); /* all alike */
  check_threads (12, 100, 100, 100, 16);
}

static void
test_budget (void)
{
  g_autoptr (WlyHostServices) services = wly_host_services_new (0, 0, 1000);
  const struct wlp_services *s         = wly_host_services_get (services);
  void *first                          = s->alloc (s->host, 600, 8);

  g_assert_cmpuint (s->n_threads, >=, 1);
  g_assert_nonnull (first);
  g_assert_null (s->alloc (s->host, 401, 8));
  g_assert_cmpuint (wly_host_services_allocated_bytes (services), ==, 600);
  s->free (s->host, first, 600);
  first = s->alloc (s->host, 1000, 8);
  g_assert_nonnull (first);
  s->free (s->host, first, 1000);
}

/* Gigabytes that are not touched take no memory. */
static void
test_untouched (void)
{
  g_autoptr (WlyHostServices) services = wly_host_services_new (1, 0, 0);
  const struct wlp_services *s         = wly_host_services_get (services);
  guint8 *memory                       = s->alloc (s->host, (gsize)1 << 35, 64);

  g_assert_nonnull (memory);
  memory[(gsize)1 << 34] = 1;
  s->free (s->host, memory, (gsize)1 << 35);
}

static void
test_log (void)
{
  g_autoptr (WlyHostServices) services = wly_host_services_new (1, 0, 0);
  const struct wlp_services *s         = wly_host_services_get (services);

  if (g_test_subprocess ()) {
    s->log (s->host, WLP_LOG_DEBUG, "100 % of it");
    s->log (s->host, WLP_LOG_WARNING, "careful");
    return;
  }
  g_test_trap_subprocess (NULL, 0, G_TEST_SUBPROCESS_DEFAULT);
  g_test_trap_assert_stderr ("*careful*");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  sound_dir  = g_getenv ("WOOLLY_TEST_PLUGINS");
  broken_dir = g_getenv ("WOOLLY_TEST_BROKEN_PLUGINS");
  g_assert_nonnull (sound_dir);
  g_assert_nonnull (broken_dir);
  g_test_add_func ("/host/plugin-host/broken", test_broken);
  g_test_add_func ("/host/plugin-host/abort", test_abort);
  g_test_add_func ("/host/plugin-host/open", test_open);
  g_test_add_func ("/host/plugin-host/list", test_list);
  g_test_add_func ("/host/plugin-host/find-arch", test_find_arch);
  g_test_add_func ("/host/plugin-host/memory", test_memory);
  g_test_add_func ("/host/plugin-host/threads", test_threads);
  g_test_add_func ("/host/plugin-host/budget", test_budget);
  g_test_add_func ("/host/plugin-host/untouched", test_untouched);
  g_test_add_func ("/host/plugin-host/log", test_log);
  return g_test_run ();
}
