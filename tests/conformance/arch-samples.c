/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "arch-samples.h"

#include "plugin-host.h"

#include <string.h>

static void
arch_samples_free_cb (gpointer data)
{
  ArchSample *sample = data;

  g_free (sample->name);
  g_free (sample->model);
  g_free (sample->expected);
  g_free (sample);
}

GPtrArray *
arch_samples_list (void)
{
  const char *path         = g_getenv ("WOOLLY_ARCH_SAMPLES");
  GPtrArray *samples       = g_ptr_array_new_with_free_func (arch_samples_free_cb);
  g_autoptr (GBytes) bytes = NULL;
  g_autofree char *folder  = NULL;
  g_autofree char *text    = NULL;
  g_auto (GStrv) lines     = NULL;

  g_assert_nonnull (path);
  folder = g_path_get_dirname (path);
  bytes  = wly_test_data_read (path);
  text   = g_strndup (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes));
  lines  = g_strsplit (text, "\n", -1);
  for (guint i = 0; lines[i] != NULL && lines[i][0] != '\0'; i++) {
    g_auto (GStrv) words      = g_strsplit (lines[i], " ", 2);
    g_autofree char *model    = g_strconcat (words[0], ".gguf", NULL);
    g_autofree char *expected = g_strconcat (words[0], ".logits", NULL);
    ArchSample *sample        = g_new0 (ArchSample, 1);

    sample->name      = g_strdup (words[0]);
    sample->model     = g_build_filename (folder, model, NULL);
    sample->expected  = g_build_filename (folder, expected, NULL);
    sample->is_pooled = g_strcmp0 (words[1], "pooled") == 0;
    g_ptr_array_add (samples, sample);
  }
  g_assert_cmpuint (samples->len, >, 0);
  return samples;
}

GPtrArray *
arch_samples_plugins (void)
{
  GPtrArray *files = wly_plugin_host_list ();

  for (guint i = 0; i < files->len; i++)
    wly_plugin_file_open (g_ptr_array_index (files, i));
  return files;
}
