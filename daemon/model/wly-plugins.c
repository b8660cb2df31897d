/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wly-plugins.h"

#include "config.h"
#include "wly-error.h"
#include "wly-model-files.h"
#include "wly-options.h"
#include "woolly-names.h"

#include <string.h>

#define MAX_PLUGINS 256
/* A probe that took too long may have had a bad time: it is made again, after longer and longer times. */
#define FIRST_RETRY_US (2 * G_USEC_PER_SEC)
#define MAX_DOUBLINGS  8

struct _WlyPlugins {
  GObject parent_instance;
  WlyProber *prober;
  GHashTable *known; /* path -> Plugin */
  GQueue waiting;    /* GTask*: wait until all probes are done */
  guint n_probing;
};

typedef struct {
  char *path;
  char *identity;
  GVariant *answer; /* of the probe; NULL: refused, or not yet */
  char *reason;     /* why refused */
  gboolean probing;
  guint n_time_outs;
  gint64 retry_us; /* when it may be probed again as it is; 0: never */
} Plugin;

typedef struct {
  WlyPlugins *plugins;
  char *path;
  char *identity;
} ProbeData;

G_DEFINE_FINAL_TYPE (WlyPlugins, wly_plugins, G_TYPE_OBJECT)

static void
plugin_free (gpointer data)
{
  Plugin *plugin = data;

  g_free (plugin->path);
  g_free (plugin->identity);
  g_clear_pointer (&plugin->answer, g_variant_unref);
  g_free (plugin->reason);
  g_free (plugin);
}

static void
list_folder (const char *folder, GHashTable *names, GPtrArray *paths)
{
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  const char *name;

  while (dir != NULL && paths->len < MAX_PLUGINS && (name = g_dir_read_name (dir)) != NULL) {
    g_autofree char *path = NULL;
    if (name[0] == '.' || !g_str_has_suffix (name, ".so") || !g_utf8_validate (name, -1, NULL)
        || g_hash_table_contains (names, name))
      continue;
    path = g_build_filename (folder, name, NULL);
    if (!g_file_test (path, G_FILE_TEST_IS_REGULAR))
      continue;
    g_hash_table_add (names, g_strdup (name));
    g_ptr_array_add (paths, g_steal_pointer (&path));
  }
}

static int
compare_paths (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *)a, *(const char *const *)b);
}

static GPtrArray *
list_files (void)
{
  const char *path                = g_getenv (WOOLLY_ENV_PLUGIN_PATH);
  g_autoptr (GHashTable) names    = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  GPtrArray *paths                = g_ptr_array_new_with_free_func (g_free);
  g_auto (GStrv) folders          = g_strsplit (path != NULL ? path : WOOLLY_PLUGIN_DIR, ":", -1);
  static const char *const subs[] = { "", "arch", "backend" };

  for (gsize i = 0; folders[i] != NULL; i++)
    for (gsize j = 0; folders[i][0] == '/' && j < G_N_ELEMENTS (subs); j++) {
      g_autofree char *folder = g_build_filename (folders[i], subs[j], NULL);
      list_folder (folder, names, paths);
    }
  g_ptr_array_sort (paths, compare_paths);
  return paths;
}

static char *
file_stem (const char *path)
{
  g_autofree char *name = g_path_get_basename (path);

  return g_strndup (name, strlen (name) - strlen (".so"));
}

/* The probe's answer, or the refusal, as a row of scope PLUGIN; "devices" stay in. */
static GVariant *
plugin_row (const Plugin *plugin)
{
  g_auto (GVariantDict) row = G_VARIANT_DICT_INIT (NULL);
  g_autofree char *stem     = file_stem (plugin->path);
  GVariantIter iter;
  const char *key;
  GVariant *value;

  g_variant_dict_insert (&row, "name", "s", stem);
  if (plugin->answer != NULL) {
    g_variant_iter_init (&iter, plugin->answer);
    while (g_variant_iter_loop (&iter, "{&sv}", &key, &value)) {
      const WlyOption *option = wly_options_find (WLY_SCOPE_PLUGIN, key);
      gboolean devices        = g_str_equal (key, "devices") && g_variant_is_of_type (value, G_VARIANT_TYPE ("aa{sv}"));
      if (devices || (option != NULL && g_variant_is_of_type (value, G_VARIANT_TYPE (option->type))))
        g_variant_dict_insert_value (&row, key, value);
    }
  } else {
    g_variant_dict_insert (&row, "state", "s", "refused");
    g_variant_dict_insert (&row, "reason", "s", plugin->reason);
  }
  g_variant_dict_insert (&row, "file", "s", plugin->path);
  return g_variant_dict_end (&row);
}

static GVariant *
make_list (WlyPlugins *self)
{
  g_auto (GVariantBuilder) builder = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE ("aa{sv}"));
  g_autoptr (GPtrArray) paths      = list_files ();

  for (guint i = 0; i < paths->len; i++) {
    Plugin *plugin = g_hash_table_lookup (self->known, paths->pdata[i]);
    if (plugin != NULL && !plugin->probing)
      g_variant_builder_add_value (&builder, plugin_row (plugin));
  }
  return g_variant_ref_sink (g_variant_builder_end (&builder));
}

static void
answer_waiting (WlyPlugins *self)
{
  GTask *task;

  while (self->n_probing == 0 && (task = g_queue_pop_head (&self->waiting)) != NULL) {
    g_task_return_pointer (task, make_list (self), (GDestroyNotify)g_variant_unref);
    g_object_unref (task);
  }
}

static void
probed_cb (GObject *source, GAsyncResult *result, gpointer data)
{
  ProbeData *probe           = data;
  WlyPlugins *self           = probe->plugins;
  Plugin *plugin             = g_hash_table_lookup (self->known, probe->path);
  g_autoptr (GError) error   = NULL;
  g_autoptr (GVariant) reply = wly_prober_run_finish (WLY_PROBER (source), result, &error);

  self->n_probing--;
  if (plugin != NULL && g_str_equal (plugin->identity, probe->identity)) {
    plugin->probing = FALSE;
    plugin->answer  = g_steal_pointer (&reply);
    plugin->reason  = error != NULL ? g_strdup (error->message) : NULL;
    if (g_error_matches (error, WLY_ERROR, WLY_ERROR_TIMED_OUT))
      plugin->retry_us = g_get_monotonic_time () + (FIRST_RETRY_US << MIN (plugin->n_time_outs++, MAX_DOUBLINGS));
    if (error != NULL)
      g_warning ("plugin %s is refused: %s", plugin->path, plugin->reason);
  }
  answer_waiting (self);
  g_free (probe->path);
  g_free (probe->identity);
  g_free (probe);
  g_object_unref (self);
}

static void
probe_if_new (WlyPlugins *self, const char *path)
{
  const char *const paths[]       = { path, NULL };
  const char *const arguments[]   = { "plugin", path, NULL };
  g_autoptr (WlyModelFiles) files = wly_model_files_new (paths, 0);
  const char *identity            = wly_model_files_get_identity (files);
  Plugin *plugin                  = g_hash_table_lookup (self->known, path);
  gboolean known                  = plugin != NULL && g_str_equal (plugin->identity, identity);
  ProbeData *probe;

  if (known && (plugin->probing || plugin->retry_us == 0 || g_get_monotonic_time () < plugin->retry_us))
    return;
  if (!known) {
    plugin           = g_new0 (Plugin, 1);
    plugin->path     = g_strdup (path);
    plugin->identity = g_strdup (identity);
    g_hash_table_replace (self->known, g_strdup (path), plugin);
  }
  plugin->probing  = TRUE;
  plugin->retry_us = 0;
  g_clear_pointer (&plugin->reason, g_free);
  probe           = g_new0 (ProbeData, 1);
  probe->plugins  = g_object_ref (self);
  probe->path     = g_strdup (path);
  probe->identity = g_strdup (identity);
  self->n_probing++;
  wly_prober_run_async (self->prober, arguments, NULL, 0, NULL, probed_cb, probe);
}

void
wly_plugins_list_async (WlyPlugins *self, GAsyncReadyCallback callback, gpointer user_data)
{
  GTask *task                 = g_task_new (self, NULL, callback, user_data);
  g_autoptr (GPtrArray) paths = list_files ();

  for (guint i = 0; i < paths->len; i++)
    probe_if_new (self, paths->pdata[i]);
  g_queue_push_tail (&self->waiting, task);
  answer_waiting (self);
}

GVariant *
wly_plugins_list_finish (WlyPlugins *self, GAsyncResult *result, GError **error)
{
  return g_task_propagate_pointer (G_TASK (result), error);
}

char **
wly_plugins_usable_files (GVariant *list)
{
  g_autoptr (GStrvBuilder) files = g_strv_builder_new ();
  GVariantIter iter;
  GVariant *row;

  g_variant_iter_init (&iter, list);
  while (g_variant_iter_loop (&iter, "@a{sv}", &row)) {
    const char *state = "", *file = NULL;
    g_variant_lookup (row, "state", "&s", &state);
    if (g_str_equal (state, "usable") && g_variant_lookup (row, "file", "&s", &file))
      g_strv_builder_add (files, file);
  }
  return g_strv_builder_end (files);
}

static guint32
device_score (GVariant *device)
{
  guint32 score = 0;

  g_variant_lookup (device, "score", "u", &score);
  return score;
}

static int
compare_devices (gconstpointer a, gconstpointer b)
{
  guint32 score_a = device_score (*(GVariant *const *)a), score_b = device_score (*(GVariant *const *)b);

  return score_a < score_b ? 1 : score_a > score_b ? -1 : 0;
}

static GVariant *
device_row (GVariant *device)
{
  g_auto (GVariantDict) row = G_VARIANT_DICT_INIT (NULL);
  GVariantIter iter;
  const char *key;
  GVariant *value;

  g_variant_iter_init (&iter, device);
  while (g_variant_iter_loop (&iter, "{&sv}", &key, &value)) {
    const WlyOption *option = wly_options_find (WLY_SCOPE_DEVICE, key);
    if (option != NULL && g_variant_is_of_type (value, G_VARIANT_TYPE (option->type)))
      g_variant_dict_insert_value (&row, key, value);
  }
  return g_variant_ref_sink (g_variant_dict_end (&row));
}

GVariant *
wly_plugins_devices (GVariant *list)
{
  g_autoptr (GPtrArray) devices    = g_ptr_array_new_with_free_func ((GDestroyNotify)g_variant_unref);
  g_auto (GVariantBuilder) builder = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE ("aa{sv}"));
  GVariantIter iter;
  GVariant *row;

  g_variant_iter_init (&iter, list);
  while (g_variant_iter_loop (&iter, "@a{sv}", &row)) {
    g_autoptr (GVariant) of_plugin = g_variant_lookup_value (row, "devices", G_VARIANT_TYPE ("aa{sv}"));
    gsize n_devices                = of_plugin != NULL ? MIN (g_variant_n_children (of_plugin), MAX_PLUGINS) : 0;
    for (gsize i = 0; i < n_devices; i++) {
      g_autoptr (GVariant) device = g_variant_get_child_value (of_plugin, i);
      g_ptr_array_add (devices, device_row (device));
    }
  }
  g_ptr_array_sort (devices, compare_devices);
  for (guint i = 0; i < devices->len; i++)
    g_variant_builder_add_value (&builder, devices->pdata[i]);
  return g_variant_ref_sink (g_variant_builder_end (&builder));
}

static void
wly_plugins_finalize (GObject *object)
{
  WlyPlugins *self = WLY_PLUGINS (object);

  g_hash_table_unref (self->known);
  g_object_unref (self->prober);
  G_OBJECT_CLASS (wly_plugins_parent_class)->finalize (object);
}

static void
wly_plugins_class_init (WlyPluginsClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = wly_plugins_finalize;
}

static void
wly_plugins_init (WlyPlugins *self)
{
  self->known = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, plugin_free);
  g_queue_init (&self->waiting);
}

WlyPlugins *
wly_plugins_new (WlyProber *prober)
{
  WlyPlugins *self = g_object_new (WLY_TYPE_PLUGINS, NULL);

  self->prober = g_object_ref (prober);
  return self;
}
