/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wly-catalogue-scan.h"

#include <string.h>

#define SUFFIX           ".gguf"
#define SPLIT_TAIL_BYTES 15 /* -00001-of-00003 */
#define MAX_ENTRIES      4096

/* A model of several parts while they are collected; a single file is a set of one. */
typedef struct {
  char *key;
  char *stem;
  guint n_parts;
  GPtrArray *paths; /* by part; NULL where one is missing */
} Set;

typedef struct {
  GPtrArray *sets;
  GHashTable *by_key; /* not owning */
} Scan;

static void
set_free (gpointer data)
{
  Set *set = data;

  g_free (set->key);
  g_free (set->stem);
  for (guint i = 0; i < set->paths->len; i++)
    g_free (set->paths->pdata[i]);
  g_ptr_array_unref (set->paths);
  g_free (set);
}

void
wly_catalogue_scan_entry_free (WlyScanEntry *entry)
{
  g_free (entry->id);
  g_free (entry->key);
  wly_model_files_unref (entry->files);
  g_free (entry);
}

static gboolean
parse_digits (const char *text, guint *ret_number)
{
  guint number = 0;

  for (gsize i = 0; i < 5; i++) {
    if (!g_ascii_isdigit (text[i]))
      return FALSE;
    number = number * 10 + (guint)(text[i] - '0');
  }
  *ret_number = number;
  return TRUE;
}

gboolean
wly_catalogue_parse_split (const char *file_name, char **ret_stem, guint *ret_part, guint *ret_n_parts)
{
  gsize n = strlen (file_name);
  const char *tail;

  if (n <= SPLIT_TAIL_BYTES + strlen (SUFFIX) || !g_str_has_suffix (file_name, SUFFIX))
    return FALSE;
  tail = file_name + n - strlen (SUFFIX) - SPLIT_TAIL_BYTES;
  if (tail[0] != '-' || !parse_digits (tail + 1, ret_part) || memcmp (tail + 6, "-of-", 4) != 0
      || !parse_digits (tail + 10, ret_n_parts))
    return FALSE;
  if (*ret_part < 1 || *ret_part > *ret_n_parts || *ret_n_parts > WLY_MODEL_MAX_FILES)
    return FALSE;
  *ret_stem = g_strndup (file_name, (gsize)(tail - file_name));
  return TRUE;
}

static void
add_file (Scan *scan, const char *path)
{
  g_autofree char *name   = g_path_get_basename (path);
  g_autofree char *folder = g_path_get_dirname (path);
  g_autofree char *stem   = NULL;
  g_autofree char *key    = NULL;
  guint part = 1, n_parts = 1;
  Set *set;

  if (name[0] == '.' || !g_str_has_suffix (name, SUFFIX) || strlen (name) == strlen (SUFFIX)
      || !g_file_test (path, G_FILE_TEST_IS_REGULAR))
    return;
  if (wly_catalogue_parse_split (name, &stem, &part, &n_parts)) {
    key = g_strdup_printf ("%s/%s*%u", folder, stem, n_parts);
  } else {
    stem = g_strndup (name, strlen (name) - strlen (SUFFIX));
    key  = g_strdup (path);
  }
  set = g_hash_table_lookup (scan->by_key, key);
  if (set == NULL) {
    if (scan->sets->len >= MAX_ENTRIES)
      return;
    set          = g_new0 (Set, 1);
    set->key     = g_steal_pointer (&key);
    set->stem    = g_steal_pointer (&stem);
    set->n_parts = n_parts;
    set->paths   = g_ptr_array_new ();
    g_ptr_array_set_size (set->paths, (int)n_parts);
    g_ptr_array_add (scan->sets, set);
    g_hash_table_insert (scan->by_key, set->key, set);
  }
  if (set->paths->pdata[part - 1] == NULL)
    set->paths->pdata[part - 1] = g_strdup (path);
}

static int
compare_strings (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *)a, *(const char *const *)b);
}

static void
add_source (Scan *scan, const char *source)
{
  g_autoptr (GDir) dir        = g_dir_open (source, 0, NULL);
  g_autoptr (GPtrArray) paths = g_ptr_array_new_with_free_func (g_free);
  const char *name;

  if (dir == NULL) {
    add_file (scan, source);
    return;
  }
  while ((name = g_dir_read_name (dir)) != NULL && paths->len < MAX_ENTRIES)
    if (g_str_has_suffix (name, SUFFIX))
      g_ptr_array_add (paths, g_build_filename (source, name, NULL));
  g_ptr_array_sort (paths, compare_strings); /* ids must not hang on the order of a folder */
  for (guint i = 0; i < paths->len; i++)
    add_file (scan, paths->pdata[i]);
}

/* The stem where it is free, else with a mark that comes from the path and so stays the same. */
static char *
make_id (const Set *set, GHashTable *ids)
{
  g_autofree char *stem = g_filename_display_name (set->stem);
  g_autofree char *hash = NULL;

  if (!g_hash_table_contains (ids, stem))
    return g_steal_pointer (&stem);
  hash = g_compute_checksum_for_string (G_CHECKSUM_SHA256, set->key, -1);
  return g_strdup_printf ("%s~%.8s", stem, hash);
}

static WlyScanEntry *
make_entry (const Set *set, GHashTable *ids)
{
  WlyScanEntry *entry         = g_new0 (WlyScanEntry, 1);
  g_autoptr (GPtrArray) paths = g_ptr_array_new ();

  for (guint i = 0; i < set->paths->len; i++)
    if (set->paths->pdata[i] != NULL)
      g_ptr_array_add (paths, set->paths->pdata[i]);
  g_ptr_array_add (paths, NULL);
  entry->key   = g_strdup (set->key);
  entry->files = wly_model_files_new ((const char *const *)paths->pdata, set->n_parts - (paths->len - 1));
  entry->id    = make_id (set, ids);
  g_hash_table_add (ids, g_strdup (entry->id));
  return entry;
}

static int
compare_entries (gconstpointer a, gconstpointer b)
{
  const WlyScanEntry *entry_a = *(WlyScanEntry *const *)a, *entry_b = *(WlyScanEntry *const *)b;

  return strcmp (entry_a->id, entry_b->id);
}

GPtrArray *
wly_catalogue_scan (const char *const *sources)
{
  Scan scan = { g_ptr_array_new_with_free_func (set_free), g_hash_table_new (g_str_hash, g_str_equal) };
  g_autoptr (GHashTable) ids = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  GPtrArray *entries         = g_ptr_array_new_with_free_func ((GDestroyNotify)wly_catalogue_scan_entry_free);

  for (gsize i = 0; sources[i] != NULL; i++)
    add_source (&scan, sources[i]);
  for (guint i = 0; i < scan.sets->len; i++)
    g_ptr_array_add (entries, make_entry (scan.sets->pdata[i], ids));
  g_ptr_array_sort (entries, compare_entries);
  g_hash_table_unref (scan.by_key);
  g_ptr_array_unref (scan.sets);
  return entries;
}
