/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wly-test-data.h"

char *
wly_test_data_path (const char *name)
{
  return g_build_filename (WLY_TEST_SOURCE_ROOT, "tests", "data", name, NULL);
}

char *
wly_test_shared_path (const char *name)
{
  const char *folder    = g_getenv ("WOOLLY_SHARED");
  g_autofree char *path = folder != NULL ? g_build_filename (folder, "data", name, NULL)
                                         : g_build_filename (WLY_TEST_SOURCE_ROOT, "..", "shared", "data", name, NULL);

  if (g_file_test (path, G_FILE_TEST_EXISTS))
    return g_steal_pointer (&path);
  g_test_skip_printf ("%s is not there", path);
  return NULL;
}

GBytes *
wly_test_data_read (const char *path)
{
  g_autoptr (GError) error = NULL;
  char *content            = NULL;
  gsize n_bytes            = 0;

  g_file_get_contents (path, &content, &n_bytes, &error);
  g_assert_no_error (error);
  return g_bytes_new_take (content, n_bytes);
}
