/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "plugin-host.h"

#include "config.h"

#include <string.h>

static gint
compare_names (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *)a, *(const char *const *)b);
}

static const WlyPluginFile *
find_same (const GPtrArray *files, const WlyPluginFile *wanted)
{
  for (guint i = 0; i < files->len; i++) {
    const WlyPluginFile *file = g_ptr_array_index (files, i);

    if (file->usable && file->kind == wanted->kind && g_str_equal (file->name, wanted->name))
      return file;
  }
  return NULL;
}

static void
list_file (GPtrArray *files, const char *folder, const char *name)
{
  g_autofree char *path      = g_build_filename (folder, name, NULL);
  WlyPluginFile *file        = wly_plugin_file_new (path);
  const WlyPluginFile *first = find_same (files, file);

  if (file->usable && first != NULL) {
    file->usable = FALSE;
    file->reason = g_strdup_printf ("%s has the same name and comes first", first->path);
  }
  g_ptr_array_add (files, file);
}

/* A folder that is not there holds nothing. */
static void
list_folder (GPtrArray *files, const char *folder)
{
  g_autoptr (GDir) dir        = g_dir_open (folder, 0, NULL);
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  const char *name;

  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
    if (g_str_has_suffix (name, ".so"))
      g_ptr_array_add (names, g_strdup (name));
  g_ptr_array_sort (names, compare_names);
  for (guint i = 0; i < names->len; i++)
    list_file (files, folder, g_ptr_array_index (names, i));
}

GPtrArray *
wly_plugin_host_list (void)
{
  const char *from           = g_getenv ("WOOLLY_PLUGIN_PATH");
  g_auto (GStrv) folders     = g_strsplit (from != NULL ? from : WOOLLY_PLUGIN_DIR, ":", -1);
  const char *const places[] = { "", "arch", "backend" };
  GPtrArray *files           = g_ptr_array_new_with_free_func ((GDestroyNotify)wly_plugin_file_free);

  for (guint i = 0; folders[i] != NULL; i++) {
    for (guint j = 0; folders[i][0] != '\0' && j < G_N_ELEMENTS (places); j++) {
      g_autofree char *folder = g_build_filename (folders[i], places[j], NULL);

      list_folder (files, folder);
    }
  }
  return files;
}

const struct wlp_arch_ops *
wly_plugin_host_find_arch (GPtrArray *files, const char *architecture, const char **ret_name)
{
  for (guint i = 0; i < files->len; i++) {
    const WlyPluginFile *file      = g_ptr_array_index (files, i);
    const struct wlp_arch_ops *ops = NULL;

    if (file->plugin == NULL || file->kind != WLP_KIND_ARCH)
      continue;
    ops = file->plugin->ops;
    if (!g_strv_contains (ops->architectures, architecture))
      continue;
    if (ret_name != NULL)
      *ret_name = file->name;
    return ops;
  }
  return NULL;
}
