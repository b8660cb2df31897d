/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wly-error.h"
#include "wly-settings.h"

#include <glib/gstdio.h>
#include <string.h>

typedef struct {
  char *folder;
} Fixture;

static void
set_up (Fixture *fixture, gconstpointer data)
{
  fixture->folder = g_dir_make_tmp ("woolly-XXXXXX", NULL);
  g_assert_nonnull (fixture->folder);
}

static void
remove_tree (const char *path)
{
  g_autoptr (GDir) dir = g_dir_open (path, 0, NULL);
  const char *name;

  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL) {
    g_autofree char *child = g_build_filename (path, name, NULL);
    remove_tree (child);
  }
  g_remove (path);
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  remove_tree (fixture->folder);
  g_free (fixture->folder);
}

static void
write_file (Fixture *fixture, const char *name, const char *text)
{
  g_autofree char *path   = g_build_filename (fixture->folder, name, NULL);
  g_autofree char *folder = g_path_get_dirname (path);

  g_assert_cmpint (g_mkdir_with_parents (folder, 0700), ==, 0);
  g_assert_true (g_file_set_contents (path, text, -1, NULL));
}

static void
test_table (void)
{
  g_autoptr (WlySettings) settings = wly_settings_new ();
  g_autoptr (GVariant) all         = g_variant_ref_sink (wly_settings_to_variant (settings));
  gsize n_rows;
  const WlySettingRow *rows = wly_settings_table (&n_rows);

  g_assert_cmpuint (n_rows, >, 10);
  for (gsize i = 0; i < n_rows; i++) {
    g_autofree char *name = g_strconcat (rows[i].group, ".", rows[i].key, NULL);
    g_autoptr (GVariant) parsed =
        g_variant_parse (G_VARIANT_TYPE (rows[i].type), rows[i].default_text, NULL, NULL, NULL);
    g_autoptr (GVariant) value = g_variant_lookup_value (all, name, NULL);

    g_assert_nonnull (parsed); /* the default is of its row's type */
    g_assert_cmpuint (strlen (rows[i].documentation), >, 10);
    g_assert_cmpfloat (rows[i].minimum, <=, rows[i].maximum);
    if (g_str_equal (rows[i].key, "*"))
      continue;
    g_assert_nonnull (value);
    g_assert_true (g_variant_equal (parsed, value));
    if (rows[i].type[0] == 'u')
      g_assert_cmpfloat (g_variant_get_uint32 (value), >=, rows[i].minimum);
  }
}

/* Every number: its limits are taken, what lies beyond is not. */
static void
test_ranges (void)
{
  g_autoptr (WlySettings) settings = wly_settings_new ();
  gsize n_rows;
  const WlySettingRow *rows = wly_settings_table (&n_rows);

  for (gsize i = 0; i < n_rows; i++) {
    g_autofree char *least   = g_strdup_printf ("%.0f", rows[i].minimum);
    g_autofree char *most    = g_strdup_printf ("%.0f", rows[i].maximum);
    g_autofree char *beyond  = g_strdup_printf ("%.0f", rows[i].maximum + 1);
    g_autofree char *beneath = g_strdup_printf ("%.0f", rows[i].minimum - 1);

    if (rows[i].type[0] != 'u' && rows[i].type[0] != 't')
      continue;
    g_assert_true (wly_settings_set (settings, rows[i].group, rows[i].key, least, NULL));
    g_assert_true (wly_settings_set (settings, rows[i].group, rows[i].key, most, NULL));
    for (const char *const *bad = (const char *const[]){ beyond, beneath, "", "1.5", "nan", "0x1", "1 MiB", NULL };
         *bad != NULL; bad++) {
      g_autoptr (GError) error = NULL;
      g_assert_false (wly_settings_set (settings, rows[i].group, rows[i].key, *bad, &error));
      g_assert_error (error, WLY_ERROR, WLY_ERROR_INVALID_ARGS);
      g_assert_nonnull (strstr (error->message, rows[i].key));
    }
  }
}

static void
test_drop_ins (Fixture *fixture, gconstpointer data)
{
  g_autoptr (WlySettings) settings = wly_settings_new ();
  g_autofree char *system          = g_build_filename (fixture->folder, "system", NULL);
  g_autofree char *user            = g_build_filename (fixture->folder, "user", NULL);
  g_autofree char *nothing         = g_build_filename (fixture->folder, "nothing", NULL);
  const char *const folders[]      = { system, nothing, user, NULL };
  g_auto (GStrv) warnings          = NULL;
  g_auto (GStrv) more              = NULL;

  write_file (fixture, "system/woollyd.conf", "[limits]\nobjects=1\nrequests=1\nstall-ms=100\n[use-cases]\nchat=a\n");
  write_file (fixture, "system/woollyd.conf.d/20-b.conf", "[limits]\nobjects=3\n");
  write_file (fixture, "system/woollyd.conf.d/10-a.conf", "[limits]\nobjects=2\nrequests=2\n");
  write_file (fixture, "system/woollyd.conf.d/30-c.txt", "[limits]\nobjects=9\n");
  write_file (fixture, "user/woollyd.conf", "[use-cases]\nchat=b\n[models]\nfolders=/a; /b;\n[limits]\nobject=4\n");
  warnings = wly_settings_load_folders (settings, folders);

  g_assert_cmpuint (wly_settings_get_uint32 (settings, "limits", "objects"), ==, 3);
  g_assert_cmpuint (wly_settings_get_uint32 (settings, "limits", "requests"), ==, 2);
  g_assert_cmpuint (wly_settings_get_uint32 (settings, "limits", "stall-ms"), ==, 100);
  g_assert_cmpstr (wly_settings_get_use_case (settings, "chat"), ==, "b");
  g_assert_null (wly_settings_get_use_case (settings, "embed"));
  more = wly_settings_dup_strv (settings, "models", "folders");
  g_assert_cmpuint (g_strv_length (more), ==, 2);
  g_assert_cmpstr (more[1], ==, "/b");
  g_assert_cmpuint (g_strv_length (warnings), ==, 1);
  g_assert_nonnull (strstr (warnings[0], "user/woollyd.conf"));
  g_assert_nonnull (strstr (warnings[0], "“object”"));
}

static void
count_cb (WlySettings *settings, gpointer data)
{
  ++*(guint *)data;
}

static void
test_reload (Fixture *fixture, gconstpointer data)
{
  g_autoptr (WlySettings) settings = wly_settings_new ();
  g_autofree char *file            = g_build_filename (fixture->folder, "one.conf", NULL);
  guint n_changes                  = 0;

  g_signal_connect (settings, "changed", G_CALLBACK (count_cb), &n_changes);
  g_strfreev (wly_settings_load (settings, file)); /* a file that was asked for and is not there is worth a warning */
  write_file (fixture, "one.conf", "[service]\nidle-exit=7\n");
  g_strfreev (wly_settings_load (settings, file));
  g_assert_cmpuint (wly_settings_get_uint32 (settings, "service", "idle-exit"), ==, 7);
  write_file (fixture, "one.conf", "\xff\xfe");
  {
    g_auto (GStrv) warnings = wly_settings_load (settings, file);
    g_assert_cmpuint (g_strv_length (warnings), ==, 1);
  }
  g_assert_cmpuint (wly_settings_get_uint32 (settings, "service", "idle-exit"), ==, 300);
  g_assert_cmpuint (n_changes, ==, 3);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/model/settings/table", test_table);
  g_test_add_func ("/model/settings/ranges", test_ranges);
  g_test_add ("/model/settings/drop-ins", Fixture, NULL, set_up, test_drop_ins, tear_down);
  g_test_add ("/model/settings/reload", Fixture, NULL, set_up, test_reload, tear_down);
  return g_test_run ();
}
