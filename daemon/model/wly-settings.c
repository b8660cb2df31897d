/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wly-settings.h"

#include "config.h"
#include "wly-error.h"

#include <gio/gio.h>
#include <string.h>

#define MAX_FILE_BYTES (256 * 1024)

struct _WlySettings {
  GObject parent_instance;
  GHashTable *values; /* "group.key" -> GVariant */
};

enum { SIGNAL_CHANGED, N_SIGNALS };
static guint signals[N_SIGNALS];

G_DEFINE_FINAL_TYPE (WlySettings, wly_settings, G_TYPE_OBJECT)

static const WlySettingRow table[] = {
#define WOOLLY_SETTING(group, key, type, minimum, maximum, default_text, documentation)                                \
  { group, key, type, minimum, maximum, default_text, documentation },
#include "woolly-settings.def"
#undef WOOLLY_SETTING
};

const WlySettingRow *
wly_settings_table (gsize *ret_n)
{
  *ret_n = G_N_ELEMENTS (table);
  return table;
}

static const WlySettingRow *
find_row (const char *group, const char *key)
{
  for (gsize i = 0; i < G_N_ELEMENTS (table); i++)
    if (g_str_equal (table[i].group, group) && (g_str_equal (table[i].key, key) || g_str_equal (table[i].key, "*")))
      return &table[i];
  return NULL;
}

static char *
value_name (const char *group, const char *key)
{
  return g_strconcat (group, ".", key, NULL);
}

/* NULL: not of the row's type or out of its range. */
static GVariant *
parse_value (const WlySettingRow *row, const char *text)
{
  guint64 number;

  switch (row->type[0]) {
  case 'u':
  case 't':
    if (!g_ascii_string_to_unsigned (text, 10, (guint64)row->minimum, (guint64)row->maximum, &number, NULL))
      return NULL;
    return row->type[0] == 'u' ? g_variant_new_uint32 ((guint32)number) : g_variant_new_uint64 (number);
  case 's':
    if (strlen (text) > (gsize)row->maximum || !g_utf8_validate (text, -1, NULL))
      return NULL;
    return g_variant_new_string (text);
  default: {
    g_auto (GStrv) items             = g_strsplit (text, ";", -1);
    g_auto (GVariantBuilder) builder = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE_STRING_ARRAY);
    gsize n_items                    = 0;

    if (!g_utf8_validate (text, -1, NULL))
      return NULL;
    for (gsize i = 0; items[i] != NULL; i++) {
      g_strstrip (items[i]);
      if (items[i][0] == '\0')
        continue;
      g_variant_builder_add (&builder, "s", items[i]);
      n_items++;
    }
    return n_items > (gsize)row->maximum ? NULL : g_variant_builder_end (&builder);
  }
  }
}

gboolean
wly_settings_set (WlySettings *self, const char *group, const char *key, const char *text, GError **error)
{
  const WlySettingRow *row = find_row (group, key);
  GVariant *value;

  if (row == NULL) {
    g_set_error (error, WLY_ERROR, WLY_ERROR_INVALID_ARGS, "unknown key “%s” in group [%s]", key, group);
    return FALSE;
  }
  value = parse_value (row, text);
  if (value == NULL) {
    g_set_error (error, WLY_ERROR, WLY_ERROR_INVALID_ARGS,
                 "“%s” is no value for “%s” in group [%s] (type %s, %g to %g)", text, key, group, row->type,
                 row->minimum, row->maximum);
    return FALSE;
  }
  g_hash_table_replace (self->values, value_name (group, key), g_variant_ref_sink (value));
  return TRUE;
}

static void
warn (GPtrArray *warnings, const char *file, const char *text)
{
  g_ptr_array_add (warnings, g_strdup_printf ("%s: %s", file, text));
}

static void
load_file (WlySettings *self, const char *file, gboolean must_exist, GPtrArray *warnings)
{
  g_autoptr (GKeyFile) keys = g_key_file_new ();
  g_autoptr (GError) error  = NULL;
  g_auto (GStrv) groups     = NULL;
  g_autofree char *text     = NULL;
  gsize n_bytes             = 0;

  if (!g_file_get_contents (file, &text, &n_bytes, &error)) {
    if (must_exist || !g_error_matches (error, G_FILE_ERROR, G_FILE_ERROR_NOENT))
      warn (warnings, file, error->message);
    return;
  }
  if (n_bytes > MAX_FILE_BYTES) {
    warn (warnings, file, "larger than a configuration file may be");
    return;
  }
  if (!g_key_file_load_from_data (keys, text, n_bytes, G_KEY_FILE_NONE, &error)) {
    warn (warnings, file, error->message);
    return;
  }
  groups = g_key_file_get_groups (keys, NULL);
  for (gsize i = 0; groups[i] != NULL; i++) {
    g_auto (GStrv) names = g_key_file_get_keys (keys, groups[i], NULL, NULL);
    for (gsize j = 0; names != NULL && names[j] != NULL; j++) {
      g_autofree char *value       = g_key_file_get_value (keys, groups[i], names[j], NULL);
      g_autoptr (GError) key_error = NULL;
      if (!wly_settings_set (self, groups[i], names[j], value != NULL ? value : "", &key_error))
        warn (warnings, file, key_error->message);
    }
  }
}

static int
compare_names (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *)a, *(const char *const *)b);
}

static void
load_folder (WlySettings *self, const char *folder, GPtrArray *warnings)
{
  g_autofree char *file       = g_build_filename (folder, "woollyd.conf", NULL);
  g_autofree char *drop_ins   = g_build_filename (folder, "woollyd.conf.d", NULL);
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GDir) dir        = NULL;
  const char *name;

  load_file (self, file, FALSE, warnings);
  dir = g_dir_open (drop_ins, 0, NULL);
  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
    if (g_str_has_suffix (name, ".conf") && name[0] != '.')
      g_ptr_array_add (names, g_build_filename (drop_ins, name, NULL));
  g_ptr_array_sort (names, compare_names);
  for (guint i = 0; i < names->len; i++)
    load_file (self, names->pdata[i], FALSE, warnings);
}

static char **
finish_load (WlySettings *self, GPtrArray *warnings)
{
  g_ptr_array_add (warnings, NULL);
  g_signal_emit (self, signals[SIGNAL_CHANGED], 0);
  return (char **)g_ptr_array_free (warnings, FALSE);
}

char **
wly_settings_load_folders (WlySettings *self, const char *const *folders)
{
  GPtrArray *warnings = g_ptr_array_new ();

  g_hash_table_remove_all (self->values);
  for (gsize i = 0; folders[i] != NULL; i++)
    load_folder (self, folders[i], warnings);
  return finish_load (self, warnings);
}

char **
wly_settings_load (WlySettings *self, const char *file)
{
  g_autofree char *user = NULL;

  if (file != NULL) {
    GPtrArray *warnings = g_ptr_array_new ();
    g_hash_table_remove_all (self->values);
    load_file (self, file, TRUE, warnings);
    return finish_load (self, warnings);
  }
  user                        = g_build_filename (g_get_user_config_dir (), "woolly", NULL);
  const char *const folders[] = { WOOLLY_DATADIR "/woolly", WOOLLY_SYSCONFDIR "/woolly", user, NULL };
  return wly_settings_load_folders (self, folders);
}

static GVariant *
dup_value (WlySettings *self, const char *group, const char *key)
{
  g_autofree char *name    = value_name (group, key);
  GVariant *value          = g_hash_table_lookup (self->values, name);
  const WlySettingRow *row = find_row (group, key);

  if (value != NULL)
    return g_variant_ref (value);
  g_assert (row != NULL);
  value = g_variant_parse (G_VARIANT_TYPE (row->type), row->default_text, NULL, NULL, NULL);
  g_assert (value != NULL);
  return value;
}

guint32
wly_settings_get_uint32 (WlySettings *self, const char *group, const char *key)
{
  g_autoptr (GVariant) value = dup_value (self, group, key);
  return g_variant_get_uint32 (value);
}

guint64
wly_settings_get_uint64 (WlySettings *self, const char *group, const char *key)
{
  g_autoptr (GVariant) value = dup_value (self, group, key);
  return g_variant_get_uint64 (value);
}

const char *
wly_settings_get_string (WlySettings *self, const char *group, const char *key)
{
  g_autofree char *name = value_name (group, key);
  GVariant *value       = g_hash_table_lookup (self->values, name);

  return value != NULL ? g_variant_get_string (value, NULL) : "";
}

char **
wly_settings_dup_strv (WlySettings *self, const char *group, const char *key)
{
  g_autoptr (GVariant) value = dup_value (self, group, key);
  return g_variant_dup_strv (value, NULL);
}

const char *
wly_settings_get_use_case (WlySettings *self, const char *use_case)
{
  const char *model = wly_settings_get_string (self, "use-cases", use_case);
  return model[0] != '\0' ? model : NULL;
}

GVariant *
wly_settings_to_variant (WlySettings *self)
{
  g_auto (GVariantBuilder) builder = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE_VARDICT);
  GHashTableIter iter;
  gpointer name, value;

  for (gsize i = 0; i < G_N_ELEMENTS (table); i++) {
    g_autofree char *full = value_name (table[i].group, table[i].key);
    if (g_str_equal (table[i].key, "*"))
      continue;
    g_autoptr (GVariant) in_force = dup_value (self, table[i].group, table[i].key);
    g_variant_builder_add (&builder, "{sv}", full, in_force);
  }
  g_hash_table_iter_init (&iter, self->values);
  while (g_hash_table_iter_next (&iter, &name, &value))
    if (g_str_has_prefix (name, "use-cases."))
      g_variant_builder_add (&builder, "{sv}", name, value);
  return g_variant_builder_end (&builder);
}

char *
wly_settings_dup_models_directory (WlySettings *self)
{
  const char *set = wly_settings_get_string (self, "models", "directory");

  if (set[0] != '\0')
    return g_strdup (set);
  return g_build_filename (g_get_user_data_dir (), "woolly", "models", NULL);
}

static void
wly_settings_finalize (GObject *object)
{
  WlySettings *self = WLY_SETTINGS (object);

  g_hash_table_unref (self->values);
  G_OBJECT_CLASS (wly_settings_parent_class)->finalize (object);
}

static void
wly_settings_class_init (WlySettingsClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = wly_settings_finalize;
  signals[SIGNAL_CHANGED] =
      g_signal_new ("changed", WLY_TYPE_SETTINGS, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
}

static void
wly_settings_init (WlySettings *self)
{
  self->values = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify)g_variant_unref);
}

WlySettings *
wly_settings_new (void)
{
  return g_object_new (WLY_TYPE_SETTINGS, NULL);
}
