/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wly-catalogue.h"

#include "config.h"
#include "wly-catalogue-scan.h"
#include "wly-error.h"
#include "wly-folder-watch.h"
#include "wly-model-id.h"
#include "wly-near-names.h"
#include "woolly-names.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>

/* Several files that change together are looked at once. */
#define RESCAN_MS 200
/* Nothing is called by a longer name. */
#define MAX_NAME_BYTES 4096

struct _WlyCatalogue {
  GObject parent_instance;
  WlyModelContext *context;
  GPtrArray *models;  /* by id */
  GHashTable *by_key; /* key of the scan -> WlyModel */
  GPtrArray *watches;
  char **sources; /* what is watched */
  guint rescan_source;
  GQueue resolving; /* GTask*, task data: the name */
};

enum { SIGNAL_ADDED, SIGNAL_REMOVED, N_SIGNALS };
static guint signals[N_SIGNALS];

G_DEFINE_FINAL_TYPE (WlyCatalogue, wly_catalogue, G_TYPE_OBJECT)

static void answer_resolving (WlyCatalogue *self);

static char **
list_sources (WlyCatalogue *self)
{
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  g_autofree char *user            = wly_settings_dup_models_directory (self->context->settings);
  g_auto (GStrv) more              = wly_settings_dup_strv (self->context->settings, "models", "folders");
  const char *path                 = g_getenv (WOOLLY_ENV_MODEL_PATH);
  g_auto (GStrv) entries           = g_strsplit (path != NULL ? path : "", ":", -1);

  g_strv_builder_add (builder, user);
  for (gsize i = 0; entries[i] != NULL; i++)
    if (g_path_is_absolute (entries[i]))
      g_strv_builder_add (builder, entries[i]);
  for (gsize i = 0; more[i] != NULL; i++)
    if (g_path_is_absolute (more[i]))
      g_strv_builder_add (builder, more[i]);
  g_strv_builder_add (builder, WOOLLY_MODEL_DIR);
  return g_strv_builder_end (builder);
}

static gboolean
rescan_cb (gpointer data)
{
  WlyCatalogue *self = data;

  self->rescan_source = 0;
  wly_catalogue_rescan (self);
  return G_SOURCE_REMOVE;
}

static void
folder_changed_cb (gpointer data)
{
  WlyCatalogue *self = data;

  if (self->rescan_source == 0)
    self->rescan_source = g_timeout_add (RESCAN_MS, rescan_cb, self);
}

static void
watch_sources (WlyCatalogue *self, char **sources)
{
  if (self->sources != NULL && g_strv_equal ((const char *const *)sources, (const char *const *)self->sources))
    return;
  g_ptr_array_set_size (self->watches, 0);
  g_strfreev (self->sources);
  self->sources = g_strdupv (sources);
  for (gsize i = 0; sources[i] != NULL; i++) {
    g_autofree char *folder =
        g_str_has_suffix (sources[i], ".gguf") ? g_path_get_dirname (sources[i]) : g_strdup (sources[i]);
    g_ptr_array_add (self->watches, wly_folder_watch_new (folder, folder_changed_cb, self));
  }
}

static int
compare_models (gconstpointer a, gconstpointer b)
{
  return strcmp (wly_model_get_id (*(WlyModel *const *)a), wly_model_get_id (*(WlyModel *const *)b));
}

static void
model_changed_cb (WlyModel *model, gpointer data)
{
  answer_resolving (data);
}

static void
add_model (WlyCatalogue *self, const WlyScanEntry *entry)
{
  g_autofree char *id        = g_strdup (entry->id);
  g_autoptr (WlyModel) model = NULL;

  /* one that was found earlier keeps its id */
  if (wly_catalogue_find (self, id) != NULL) {
    g_autofree char *hash = g_compute_checksum_for_string (G_CHECKSUM_SHA256, entry->key, -1);
    g_free (id);
    id = g_strdup_printf ("%s~%.8s", entry->id, hash);
    if (wly_catalogue_find (self, id) != NULL)
      return;
  }
  model = wly_model_new (self->context, id, entry->files);
  g_signal_connect (model, "changed", G_CALLBACK (model_changed_cb), self);
  g_hash_table_insert (self->by_key, g_strdup (entry->key), g_object_ref (model));
  g_ptr_array_add (self->models, g_object_ref (model));
  g_ptr_array_sort (self->models, compare_models);
  g_signal_emit (self, signals[SIGNAL_ADDED], 0, model);
  wly_model_probe (model);
}

static void
remove_missing (WlyCatalogue *self, GHashTable *found)
{
  GHashTableIter iter;
  gpointer key, value;

  g_hash_table_iter_init (&iter, self->by_key);
  while (g_hash_table_iter_next (&iter, &key, &value)) {
    g_autoptr (WlyModel) model = NULL;
    if (g_hash_table_contains (found, key))
      continue;
    model = g_object_ref (value);
    g_hash_table_iter_remove (&iter);
    g_signal_handlers_disconnect_by_data (model, self);
    g_ptr_array_remove (self->models, model);
    g_signal_emit (self, signals[SIGNAL_REMOVED], 0, model);
  }
}

void
wly_catalogue_rescan (WlyCatalogue *self)
{
  g_auto (GStrv) sources        = list_sources (self);
  g_autoptr (GHashTable) found  = g_hash_table_new (g_str_hash, g_str_equal);
  g_autoptr (GPtrArray) entries = NULL;

  g_clear_handle_id (&self->rescan_source, g_source_remove);
  watch_sources (self, sources);
  entries = wly_catalogue_scan ((const char *const *)sources);
  for (guint i = 0; i < entries->len; i++)
    g_hash_table_add (found, ((WlyScanEntry *)entries->pdata[i])->key);
  remove_missing (self, found);
  for (guint i = 0; i < entries->len; i++) {
    const WlyScanEntry *entry = entries->pdata[i];
    WlyModel *model           = g_hash_table_lookup (self->by_key, entry->key);
    if (model != NULL)
      wly_model_set_files (model, entry->files);
    else
      add_model (self, entry);
  }
  answer_resolving (self);
}

GPtrArray *
wly_catalogue_get_models (WlyCatalogue *self)
{
  return self->models;
}

WlyModel *
wly_catalogue_find (WlyCatalogue *self, const char *id)
{
  for (guint i = 0; i < self->models->len; i++)
    if (g_str_equal (wly_model_get_id (self->models->pdata[i]), id))
      return self->models->pdata[i];
  return NULL;
}

/* --- names ------------------------------------------------------------------------------------------------------- */

static gboolean
is_usable (WlyModel *model)
{
  WlyModelState state      = wly_model_get_state (model);
  const WlyModelInfo *info = wly_model_get_info (model);

  return info != NULL && state != WLY_MODEL_FAILED && state != WLY_MODEL_QUARANTINED;
}

static gboolean
can_chat (WlyModel *model)
{
  const WlyModelInfo *info = wly_model_get_info (model);

  return is_usable (model)
         && (g_strv_contains ((const char *const *)info->capabilities, "chat")
             || g_strv_contains ((const char *const *)info->capabilities, "generate"));
}

static WlyModel *
first_model (WlyCatalogue *self, gboolean (*fits) (WlyModel *))
{
  for (guint i = 0; i < self->models->len; i++)
    if (fits (self->models->pdata[i]))
      return self->models->pdata[i];
  return NULL;
}

static WlyModel *
find_by_own_name (WlyCatalogue *self, const char *name)
{
  for (guint i = 0; i < self->models->len; i++) {
    const WlyModelInfo *info = wly_model_get_info (self->models->pdata[i]);
    if (info != NULL && info->name[0] != '\0' && g_str_equal (info->name, name))
      return self->models->pdata[i];
  }
  return NULL;
}

static gboolean
is_probing (WlyCatalogue *self)
{
  for (guint i = 0; i < self->models->len; i++)
    if (wly_model_is_probing (self->models->pdata[i]))
      return TRUE;
  return FALSE;
}

static GError *
not_found_error (WlyCatalogue *self, const char *name)
{
  g_autoptr (GPtrArray) ids = g_ptr_array_new ();
  g_autofree char *near     = NULL;

  if (self->models->len == 0)
    return g_error_new_literal (WLY_ERROR, WLY_ERROR_NOT_FOUND,
                                "there is no model; put a GGUF file into the model folder, or import one");
  if (name[0] == '\0')
    return g_error_new_literal (WLY_ERROR, WLY_ERROR_NOT_FOUND, "none of the models can generate text");
  for (guint i = 0; i < self->models->len; i++)
    g_ptr_array_add (ids, (gpointer)wly_model_get_id (self->models->pdata[i]));
  g_ptr_array_add (ids, NULL);
  near = wly_near_names (name, (const char *const *)ids->pdata);
  if (near != NULL)
    return g_error_new (WLY_ERROR, WLY_ERROR_NOT_FOUND, "no model is called “%s”; there is %s", name, near);
  return g_error_new (WLY_ERROR, WLY_ERROR_NOT_FOUND, "no model is called “%s”", name);
}

/* FALSE: it hangs on probes that still run. */
static gboolean
try_resolve (WlyCatalogue *self, const char *name, WlyModel **ret_model, GError **error)
{
  const char *use_case = wly_settings_get_use_case (self->context->settings, name[0] != '\0' ? name : "chat");

  *ret_model = wly_catalogue_find (self, name);
  if (*ret_model == NULL && use_case != NULL) {
    *ret_model = wly_catalogue_find (self, use_case);
    if (*ret_model == NULL)
      *ret_model = find_by_own_name (self, use_case);
  }
  if (*ret_model == NULL && name[0] != '\0')
    *ret_model = find_by_own_name (self, name);
  if (*ret_model != NULL)
    return TRUE;
  if (is_probing (self))
    return FALSE;
  if (name[0] == '\0' || g_str_equal (name, "chat"))
    *ret_model = first_model (self, can_chat);
  if (*ret_model == NULL && use_case != NULL)
    g_set_error (error, WLY_ERROR, WLY_ERROR_NOT_FOUND, "the settings map “%s” to “%s”, and no model is called that",
                 name[0] != '\0' ? name : "chat", use_case);
  else if (*ret_model == NULL)
    g_propagate_error (error, not_found_error (self, name));
  return TRUE;
}

static gboolean
answer_one (WlyCatalogue *self, GTask *task)
{
  g_autoptr (GError) error = NULL;
  WlyModel *model;

  if (!try_resolve (self, g_task_get_task_data (task), &model, &error))
    return FALSE;
  if (model != NULL)
    g_task_return_pointer (task, g_object_ref (model), g_object_unref);
  else
    g_task_return_error (task, g_steal_pointer (&error));
  return TRUE;
}

static void
answer_resolving (WlyCatalogue *self)
{
  GQueue tasks = self->resolving;
  GTask *task;

  if (g_queue_is_empty (&tasks))
    return;
  g_queue_init (&self->resolving);
  while ((task = g_queue_pop_head (&tasks)) != NULL) {
    if (answer_one (self, task))
      g_object_unref (task);
    else
      g_queue_push_tail (&self->resolving, task);
  }
}

void
wly_catalogue_resolve_async (WlyCatalogue *self, const char *name, GAsyncReadyCallback callback, gpointer user_data)
{
  GTask *task   = g_task_new (self, NULL, callback, user_data);
  gsize n_bytes = strlen (name);

  if (n_bytes > MAX_NAME_BYTES) {
    g_task_return_new_error (task, WLY_ERROR, WLY_ERROR_NOT_FOUND, "no model has a name of %" G_GSIZE_FORMAT " bytes",
                             n_bytes);
    g_object_unref (task);
    return;
  }
  if (g_str_has_prefix (name, WOOLLY_PATH_MODELS "/")) {
    g_autofree char *id = wly_model_id_from_path (name);
    g_task_set_task_data (task, g_strdup (id != NULL ? id : name), g_free);
  } else {
    g_task_set_task_data (task, g_strdup (name), g_free);
  }
  if (answer_one (self, task))
    g_object_unref (task);
  else
    g_queue_push_tail (&self->resolving, task);
}

WlyModel *
wly_catalogue_resolve_finish (WlyCatalogue *self, GAsyncResult *result, GError **error)
{
  return g_task_propagate_pointer (G_TASK (result), error);
}

gboolean
wly_catalogue_remove_files (WlyCatalogue *self, WlyModel *model, GError **error)
{
  g_autofree char *user    = wly_settings_dup_models_directory (self->context->settings);
  const char *const *paths = wly_model_files_get_paths (wly_model_get_files (model));

  for (gsize i = 0; paths[i] != NULL || i == 0; i++) {
    g_autofree char *folder = paths[i] != NULL ? g_path_get_dirname (paths[i]) : NULL;
    if (g_strcmp0 (folder, user) != 0) {
      g_set_error (error, WLY_ERROR, WLY_ERROR_ACCESS_DENIED, "only files in %s are removed; this model lies elsewhere",
                   user);
      return FALSE;
    }
  }
  for (gsize i = 0; paths[i] != NULL; i++)
    if (g_unlink (paths[i]) != 0 && errno != ENOENT) {
      g_set_error (error, WLY_ERROR, WLY_ERROR_FAILED, "cannot remove %s: %s", paths[i], g_strerror (errno));
      return FALSE;
    }
  wly_catalogue_rescan (self);
  return TRUE;
}

static void
wly_catalogue_dispose (GObject *object)
{
  WlyCatalogue *self = WLY_CATALOGUE (object);

  g_clear_handle_id (&self->rescan_source, g_source_remove);
  g_ptr_array_set_size (self->watches, 0);
  for (guint i = 0; i < self->models->len; i++)
    g_signal_handlers_disconnect_by_data (self->models->pdata[i], self);
  g_hash_table_remove_all (self->by_key);
  g_ptr_array_set_size (self->models, 0);
  G_OBJECT_CLASS (wly_catalogue_parent_class)->dispose (object);
}

static void
wly_catalogue_finalize (GObject *object)
{
  WlyCatalogue *self = WLY_CATALOGUE (object);

  g_ptr_array_unref (self->watches);
  g_ptr_array_unref (self->models);
  g_hash_table_unref (self->by_key);
  g_strfreev (self->sources);
  wly_model_context_unref (self->context);
  G_OBJECT_CLASS (wly_catalogue_parent_class)->finalize (object);
}

static void
wly_catalogue_class_init (WlyCatalogueClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose  = wly_catalogue_dispose;
  G_OBJECT_CLASS (klass)->finalize = wly_catalogue_finalize;
  signals[SIGNAL_ADDED]            = g_signal_new ("added", WLY_TYPE_CATALOGUE, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                                   G_TYPE_NONE, 1, WLY_TYPE_MODEL);
  signals[SIGNAL_REMOVED] = g_signal_new ("removed", WLY_TYPE_CATALOGUE, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                          G_TYPE_NONE, 1, WLY_TYPE_MODEL);
}

static void
wly_catalogue_init (WlyCatalogue *self)
{
  self->models  = g_ptr_array_new_with_free_func (g_object_unref);
  self->watches = g_ptr_array_new_with_free_func ((GDestroyNotify)wly_folder_watch_free);
  self->by_key  = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_object_unref);
  g_queue_init (&self->resolving);
}

WlyCatalogue *
wly_catalogue_new (WlyModelContext *context)
{
  WlyCatalogue *self = g_object_new (WLY_TYPE_CATALOGUE, NULL);

  self->context = wly_model_context_ref (context);
  return self;
}
