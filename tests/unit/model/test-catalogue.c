/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Names and ids, files and their identity, quarantine, folders that appear; tests/daemon looks at the whole catalogue.
 */
#include "wly-catalogue-scan.h"
#include "wly-error.h"
#include "wly-folder-watch.h"
#include "wly-import.h"
#include "wly-model-id.h"
#include "wly-model-info.h"
#include "wly-near-names.h"
#include "wly-quarantine.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void
test_split_names (void)
{
  static const struct {
    const char *name;
    gboolean split;
    guint part, n_parts;
  } cases[] = {
    { "m-00001-of-00002.gguf", TRUE, 1, 2 },
    { "m-00002-of-00002.gguf", TRUE, 2, 2 },
    { "a-b-00010-of-01024.gguf", TRUE, 10, 1024 },
    { "m-00003-of-00002.gguf", FALSE, 0, 0 },
    { "m-00000-of-00002.gguf", FALSE, 0, 0 },
    { "m-00001-of-01025.gguf", FALSE, 0, 0 },
    { "m-00001-of-99999.gguf", FALSE, 0, 0 },
    { "m-0001-of-00002.gguf", FALSE, 0, 0 },
    { "m-00001-of-0000x.gguf", FALSE, 0, 0 },
    { "-00001-of-00002.gguf", FALSE, 0, 0 },
    { "m.gguf", FALSE, 0, 0 },
    { ".gguf", FALSE, 0, 0 },
    { "", FALSE, 0, 0 },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree char *stem = NULL;
    guint part = 0, n_parts = 0;
    g_assert_cmpint (wly_catalogue_parse_split (cases[i].name, &stem, &part, &n_parts), ==, cases[i].split);
    if (cases[i].split) {
      g_assert_cmpuint (part, ==, cases[i].part);
      g_assert_cmpuint (n_parts, ==, cases[i].n_parts);
      g_assert_true (g_str_has_prefix (cases[i].name, stem));
    }
  }
}

static void
test_ids (void)
{
  static const char *const ids[] = { "woolly-tiny-Q8_0", "a", "_", "ä ö/ü", "x~0123abcd", "..", "%n" };

  for (gsize i = 0; i < G_N_ELEMENTS (ids); i++) {
    g_autofree char *path = wly_model_id_to_path (ids[i]);
    g_autofree char *back = wly_model_id_from_path (path);
    g_assert_true (g_variant_is_object_path (path));
    g_assert_cmpstr (back, ==, ids[i]);
  }
  for (const char *const *bad =
           (const char *const[]){ "/org/woolly/Woolly1/models/a_41", "/org/woolly/Woolly1/models/a_00",
                                  "/org/woolly/Woolly1/models/a_", "/org/woolly/Woolly1", "/", NULL };
       *bad != NULL; bad++)
    g_assert_null (wly_model_id_from_path (*bad));
}

static void
test_near_names (void)
{
  static const char *const names[] = { "llama-7b", "llama-13b", "mistral-7b", "woolly-tiny", NULL };
  g_autofree char *exact           = wly_near_names ("LLAMA", names);
  g_autofree char *typo            = wly_near_names ("wooly-tny", names);
  g_autofree char *none            = wly_near_names ("qwertzuiop", names);
  g_autofree char *empty           = wly_near_names ("", names);
  g_autofree char *longest         = g_strnfill (100000, 'x');

  g_assert_cmpstr (exact, ==, "“llama-13b”, “llama-7b”");
  g_assert_cmpstr (typo, ==, "“woolly-tiny”");
  g_assert_null (none);
  g_assert_null (empty);
  g_assert_null (wly_near_names (longest, names));
}

static void
test_identity (void)
{
  g_autofree char *folder     = g_dir_make_tmp ("woolly-XXXXXX", NULL);
  g_autofree char *path       = g_build_filename (folder, "m.gguf", NULL);
  g_autofree char *other      = g_build_filename (folder, "n.gguf", NULL);
  g_autofree char *fifo       = g_build_filename (folder, "fifo", NULL);
  const char *const paths[]   = { path, NULL };
  g_autoptr (GError) error    = NULL;
  g_autoptr (GUnixFDList) fds = NULL;
  g_autoptr (WlyModelFiles) a = NULL;
  g_autoptr (WlyModelFiles) b = NULL;
  g_autoptr (WlyModelFiles) c = NULL;
  int fd;

  g_assert_true (g_file_set_contents (path, "one", -1, NULL));
  a = wly_model_files_new (paths, 0);
  b = wly_model_files_new (paths, 0);
  g_assert_cmpstr (wly_model_files_get_identity (a), ==, wly_model_files_get_identity (b));
  g_assert_cmpuint (wly_model_files_get_size (a), ==, 3);
  fds = wly_model_files_open (a, &error);
  g_assert_no_error (error);
  g_assert_cmpint (g_unix_fd_list_get_length (fds), ==, 1);

  fd = open (path, O_RDONLY);
  c  = wly_model_files_new_from_fds (&fd, 1, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (wly_model_files_get_identity (c), ==, wly_model_files_get_identity (a));
  g_assert_null (wly_model_files_get_paths (c)[0]);

  g_assert_true (g_file_set_contents (other, "two", -1, NULL)); /* same size, another file */
  g_assert_cmpint (g_rename (other, path), ==, 0);
  g_assert_null (wly_model_files_open (a, &error));
  g_assert_error (error, WLY_ERROR, WLY_ERROR_MODEL_CHANGED);
  g_clear_error (&error);
  g_clear_object (&fds);
  fds = wly_model_files_open (c, &error); /* what is open stays what it was */
  g_assert_no_error (error);

  g_unlink (path);
  g_assert_null (wly_model_files_open (b, &error));
  g_assert_error (error, WLY_ERROR, WLY_ERROR_NOT_FOUND);
  g_clear_error (&error);
  close (fd);

  g_assert_cmpint (mkfifo (fifo, 0600), ==, 0);
  fd = open (fifo, O_RDONLY | O_NONBLOCK);
  g_assert_null (wly_model_files_new_from_fds (&fd, 1, &error));
  g_assert_error (error, WLY_ERROR, WLY_ERROR_INVALID_ARGS);
  close (fd);
  g_unlink (fifo);
  g_rmdir (folder);
}

static void
test_info (void)
{
  g_autofree char *longest      = g_strnfill (5000, 'x');
  const char *const words[]     = { "rerank", "fly", "chat", NULL };
  g_auto (GVariantDict) dict    = G_VARIANT_DICT_INIT (NULL);
  g_autoptr (GVariant) from     = NULL;
  g_autoptr (WlyModelInfo) info = NULL;

  g_variant_dict_insert (&dict, "Name", "s", longest);
  g_variant_dict_insert (&dict, "Architecture", "u", 7);
  g_variant_dict_insert (&dict, "Capabilities", "^as", words);
  g_variant_dict_insert (&dict, "KvBytesPerPosition", "t", G_MAXUINT64 / 2);
  from = g_variant_ref_sink (g_variant_dict_end (&dict));
  info = wly_model_info_new (from);
  g_assert_cmpuint (strlen (info->name), <=, 1024);
  g_assert_cmpstr (info->architecture, ==, "");
  g_assert_cmpuint (g_strv_length (info->capabilities), ==, 2);
  g_assert_cmpuint (wly_model_info_kv_bytes (info, 2, "f16"), ==, G_MAXUINT64 - 1);
  g_assert_cmpuint (wly_model_info_kv_bytes (info, 2, "f32"), ==, G_MAXUINT64);
  g_assert_cmpuint (wly_model_info_kv_bytes (info, 1, "q8_0"), ==, G_MAXUINT64 / 2 / 32 * 17 + 31 * 17 / 32);
  g_assert_cmpuint (wly_model_info_kv_bytes (info, 3, "f16"), ==, G_MAXUINT64);
}

static void
test_quarantine (void)
{
  g_autoptr (WlySettings) settings     = wly_settings_new ();
  g_autoptr (WlyQuarantine) quarantine = wly_quarantine_new (settings);
  const gint64 second                  = G_USEC_PER_SEC;

  g_assert_cmpint (wly_quarantine_pause_us (quarantine, "a", 0), ==, 0);
  g_assert_false (wly_quarantine_note_death (quarantine, "a", 0));
  g_assert_cmpint (wly_quarantine_pause_us (quarantine, "a", second / 10), ==, second * 4 / 10);
  g_assert_cmpint (wly_quarantine_pause_us (quarantine, "a", second), ==, 0);
  g_assert_false (wly_quarantine_note_death (quarantine, "a", 30 * second));
  g_assert_cmpint (wly_quarantine_pause_us (quarantine, "a", 30 * second), ==, 2 * second);
  g_assert_cmpint (wly_quarantine_pause_us (quarantine, "b", 30 * second), ==, 0);
  g_assert_false (wly_quarantine_note_death (quarantine, "b", 31 * second)); /* another file */
  g_assert_false (wly_quarantine_note_death (quarantine, "a", 60 * second)); /* the first one is a minute ago */
  g_assert_true (wly_quarantine_note_death (quarantine, "a", 61 * second));
  g_assert_cmpint (wly_quarantine_left_us (quarantine, "a", 61 * second), ==, 600 * second);
  g_assert_cmpint (wly_quarantine_left_us (quarantine, "b", 61 * second), ==, 0);
  g_assert_cmpint (wly_quarantine_left_us (quarantine, "a", 661 * second), ==, 0);
  wly_quarantine_clear (quarantine, "a");
  g_assert_cmpint (wly_quarantine_left_us (quarantine, "a", 61 * second), ==, 0);
}

static void
count_cb (gpointer data)
{
  ++*(guint *)data;
}

static void
wait_for (guint *count, guint at_least)
{
  while (*count < at_least)
    g_main_context_iteration (NULL, TRUE);
}

static void
test_folder_watch (void)
{
  g_autofree char *top             = g_dir_make_tmp ("woolly-XXXXXX", NULL);
  g_autofree char *middle          = g_build_filename (top, "middle", NULL);
  g_autofree char *folder          = g_build_filename (middle, "folder", NULL);
  g_autofree char *file            = g_build_filename (folder, "file", NULL);
  guint count                      = 0;
  g_autoptr (WlyFolderWatch) watch = wly_folder_watch_new (folder, count_cb, &count);

  g_assert_cmpint (g_mkdir (middle, 0700), ==, 0);
  g_assert_cmpint (g_mkdir (folder, 0700), ==, 0);
  wait_for (&count, 1);
  while (g_main_context_iteration (NULL, FALSE))
    ;
  count = 0;
  g_assert_true (g_file_set_contents (file, "x", -1, NULL));
  wait_for (&count, 1);
  while (g_main_context_iteration (NULL, FALSE))
    ;
  count = 0;
  for (guint i = 0; i < 3; i++) { /* gone and back at once: another folder by the same name */
    g_unlink (file);
    g_rmdir (folder);
    g_assert_cmpint (g_mkdir (folder, 0700), ==, 0);
    wait_for (&count, 1);
    while (g_main_context_iteration (NULL, FALSE))
      ;
    count = 0;
    g_assert_true (g_file_set_contents (file, "x", -1, NULL));
    wait_for (&count, 1);
    count = 0;
  }
  g_unlink (file);
  g_rmdir (folder);
  g_rmdir (middle);
  g_rmdir (top);
}

static void
test_import_names (void)
{
  static const struct {
    const char *name, *checked;
  } cases[] = {
    { "a.gguf", "a.gguf" }, { "a", "a.gguf" }, { "ä b", "ä b.gguf" }, { ".a.gguf", NULL },
    { "", NULL },           { "..", NULL },    { "a/b", NULL },       { "/a", NULL },
    { "a\nb", NULL },       { "\xff", NULL },  { ".gguf", NULL },
  };
  g_autofree char *longest = g_strnfill (300, 'x');

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree char *checked = wly_import_check_name (cases[i].name);
    g_assert_cmpstr (checked, ==, cases[i].checked);
  }
  g_assert_null (wly_import_check_name (longest));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/model/catalogue/split-names", test_split_names);
  g_test_add_func ("/model/catalogue/ids", test_ids);
  g_test_add_func ("/model/catalogue/near-names", test_near_names);
  g_test_add_func ("/model/catalogue/identity", test_identity);
  g_test_add_func ("/model/catalogue/info", test_info);
  g_test_add_func ("/model/catalogue/quarantine", test_quarantine);
  g_test_add_func ("/model/catalogue/folder-watch", test_folder_watch);
  g_test_add_func ("/model/catalogue/import-names", test_import_names);
  return g_test_run ();
}
