/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "woolly-model-private.h"

#include "woolly-call.h"
#include "woolly-error-private.h"
#include "woolly-sync.h"
#include "woolly-values.h"

#include "introspection/woolly-names.h"

/**
 * WoollyModel:
 *
 * A model that the service can run.
 *
 * Its properties follow the service's, in the main context that was the thread's default when the client was made;
 * [method@Woolly.Model.refresh] reads them at once. Files, memory and queue length change without a notification.
 */
struct _WoollyModel {
  GObject parent_instance;

  WoollyBus *bus;
  char *path;
  WoollyValues *values;
};

G_DEFINE_FINAL_TYPE (WoollyModel, woolly_model, G_TYPE_OBJECT)

/**
 * WoollyModel:id:
 *
 * Name in the catalogue, unique.
 */
/**
 * WoollyModel:name:
 *
 * Name that the file gives itself.
 */
/**
 * WoollyModel:files:
 *
 * Paths of its files, as far as this program may know them.
 */
/**
 * WoollyModel:architecture:
 *
 * Kind of network, as `llama`.
 */
/**
 * WoollyModel:quantization:
 *
 * Type of most weights, as `Q4_K_M`.
 */
/**
 * WoollyModel:license:
 *
 * Licence that the file names.
 */
/**
 * WoollyModel:organization:
 *
 * Who made it, as the file says.
 */
/**
 * WoollyModel:description:
 *
 * What the file says about it.
 */
/**
 * WoollyModel:url:
 *
 * Where the file says that more is to be read.
 */
/**
 * WoollyModel:pooling:
 *
 * How one row is made of a text's: `mean`, `cls`, `last`, `rank`; empty for a model that generates.
 */
/**
 * WoollyModel:parameters:
 *
 * Number of weights.
 */
/**
 * WoollyModel:size:
 *
 * Bytes of its files.
 */
/**
 * WoollyModel:context-length:
 *
 * Positions that it was trained for.
 */
/**
 * WoollyModel:vocabulary-size:
 *
 * Number of token ids.
 */
/**
 * WoollyModel:capabilities:
 *
 * Of `generate`, `chat`, `embed`, `rerank`.
 */
/**
 * WoollyModel:state:
 *
 * `unknown`, `available`, `opening`, `opened`, `loading`, `ready`, `unloading`, `quarantined` or `failed`.
 */
/**
 * WoollyModel:load-progress:
 *
 * Share of the load that is done.
 */
/**
 * WoollyModel:device:
 *
 * Device that it runs on; empty unless it is loaded.
 */
/**
 * WoollyModel:memory-in-use:
 *
 * Bytes that it holds in memory.
 */
/**
 * WoollyModel:queue-length:
 *
 * Requests that wait or run.
 */
static const WoollyValueSpec specs[] = {
  { "Id", "s", "id" },
  { "Name", "s", "name" },
  { "Files", "as", "files" },
  { "Architecture", "s", "architecture" },
  { "Quantization", "s", "quantization" },
  { "License", "s", "license" },
  { "Organization", "s", "organization" },
  { "Description", "s", "description" },
  { "Url", "s", "url" },
  { "Pooling", "s", "pooling" },
  { "Parameters", "t", "parameters" },
  { "Size", "t", "size" },
  { "ContextLength", "u", "context-length" },
  { "VocabularySize", "u", "vocabulary-size" },
  { "Capabilities", "as", "capabilities" },
  { "State", "s", "state" },
  { "LoadProgress", "d", "load-progress" },
  { "Device", "s", "device" },
  { "MemoryInUse", "t", "memory-in-use" },
  { "QueueLength", "u", "queue-length" },
  { "LastError", "(ss)", NULL },
};

static void
woolly_model_get_gobject_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  woolly_values_get_property (WOOLLY_MODEL (object)->values, id, value);
}

static void
woolly_model_finalize (GObject *object)
{
  WoollyModel *self = WOOLLY_MODEL (object);

  g_clear_pointer (&self->values, woolly_values_free);
  g_clear_object (&self->bus);
  g_free (self->path);
  G_OBJECT_CLASS (woolly_model_parent_class)->finalize (object);
}

static void
woolly_model_class_init (WoollyModelClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->finalize     = woolly_model_finalize;
  object_class->get_property = woolly_model_get_gobject_property;
  woolly_values_install_properties (object_class, specs, G_N_ELEMENTS (specs));
}

static void
woolly_model_init (WoollyModel *self)
{
}

WoollyModel *
woolly_model_new (WoollyBus *bus, const char *path, GVariant *properties)
{
  WoollyModel *self = g_object_new (WOOLLY_TYPE_MODEL, NULL);

  self->bus    = g_object_ref (bus);
  self->path   = g_strdup (path);
  self->values = woolly_values_new (bus, path, WOOLLY_INTERFACE_MODEL, specs, G_N_ELEMENTS (specs), G_OBJECT (self));
  if (properties != NULL)
    woolly_values_update (self->values, properties);
  return self;
}

WoollyBus *
woolly_model_get_bus (WoollyModel *self)
{
  return self->bus;
}

void
woolly_model_update (WoollyModel *self, GVariant *properties)
{
  woolly_values_update (self->values, properties);
}

void
woolly_model_set_offline (WoollyModel *self)
{
  static const char *const settled[] = { "available", "unknown", "quarantined", "failed", "", NULL };
  g_auto (GVariantDict) dict         = G_VARIANT_DICT_INIT (NULL);
  g_autoptr (GVariant) properties    = NULL;

  if (!g_strv_contains (settled, woolly_model_get_state (self)))
    g_variant_dict_insert (&dict, "State", "s", "available");
  g_variant_dict_insert (&dict, "LoadProgress", "d", 0.0);
  g_variant_dict_insert (&dict, "Device", "s", "");
  g_variant_dict_insert (&dict, "MemoryInUse", "t", (guint64)0);
  g_variant_dict_insert (&dict, "QueueLength", "u", 0u);
  properties = g_variant_ref_sink (g_variant_dict_end (&dict));
  woolly_values_update (self->values, properties);
}

/**
 * woolly_model_get_object_path:
 * @self: a model
 *
 * The model's D-Bus object. Wherever a model's name is asked for, this is one that is never ambiguous.
 *
 * Returns: (transfer none): an object path
 */
const char *
woolly_model_get_object_path (WoollyModel *self)
{
  g_return_val_if_fail (WOOLLY_IS_MODEL (self), NULL);

  return self->path;
}

/**
 * woolly_model_get_id:
 * @self: a model
 *
 * See [property@Woolly.Model:id].
 *
 * Returns: (transfer none): the id
 */
const char *
woolly_model_get_id (WoollyModel *self)
{
  g_return_val_if_fail (WOOLLY_IS_MODEL (self), NULL);

  return woolly_values_get_string (self->values, "Id");
}

/**
 * woolly_model_get_name:
 * @self: a model
 *
 * See [property@Woolly.Model:name].
 *
 * Returns: (transfer none): the name
 */
const char *
woolly_model_get_name (WoollyModel *self)
{
  g_return_val_if_fail (WOOLLY_IS_MODEL (self), NULL);

  return woolly_values_get_string (self->values, "Name");
}

/**
 * woolly_model_dup_files: (get-property files)
 * @self: a model
 *
 * See [property@Woolly.Model:files].
 *
 * Returns: (transfer full) (array zero-terminated=1) (element-type filename): paths
 */
char **
woolly_model_dup_files (WoollyModel *self)
{
  g_return_val_if_fail (WOOLLY_IS_MODEL (self), NULL);

  return woolly_values_dup_strv (self->values, "Files");
}

/**
 * woolly_model_get_architecture:
 * @self: a model
 *
 * See [property@Woolly.Model:architecture].
 *
 * Returns: (transfer none): the architecture
 */
const char *
woolly_model_get_architecture (WoollyModel *self)
{
  g_return_val_if_fail (WOOLLY_IS_MODEL (self), NULL);

  return woolly_values_get_string (self->values, "Architecture");
}

/**
 * woolly_model_get_quantization:
 * @self: a model
 *
 * See [property@Woolly.Model:quantization].
 *
 * Returns: (transfer none): the type
 */
const char *
woolly_model_get_quantization (WoollyModel *self)
{
  g_return_val_if_fail (WOOLLY_IS_MODEL (self), NULL);

  return woolly_values_get_string (self->values, "Quantization");
}

/**
 * woolly_model_get_license:
 * @self: a model
 *
 * See [property@Woolly.Model:license].
 *
 * Returns: (transfer none): the licence
 */
const char *
woolly_model_get_license (WoollyModel *self)
{
  g_return_val_if_fail (WOOLLY_IS_MODEL (self), NULL);

  return woolly_values_get_string (self->values, "License");
}

/**
 * woolly_model_get_organization:
 * @self: a model
 *
 * See [property@Woolly.Model:organization].
 *
 * Returns: (transfer none): who made it
 */
const char *
woolly_model_get_organization (WoollyModel *self)
{
  g_return_val_if_fail (WOOLLY_IS_MODEL (self), NULL);

  return woolly_values_get_string (self->values, "Organization");
}

/**
 * woolly_model_get_description:
 * @self: a model
 *
 * See [property@Woolly.Model:description].
 *
 * Returns: (transfer none): the description
 */
const char *
woolly_model_get_description (WoollyModel *self)
{
  g_return_val_if_fail (WOOLLY_IS_MODEL (self), NULL);

  return woolly_values_get_string (self->values, "Description");
}

/**
 * woolly_model_get_url:
 * @self: a model
 *
 * See [property@Woolly.Model:url].
 *
 * Returns: (transfer none): the address
 */
const char *
woolly_model_get_url (WoollyModel *self)
{
  g_return_val_if_fail (WOOLLY_IS_MODEL (self), NULL);

  return woolly_values_get_string (self->values, "Url");
}

/**
 * woolly_model_get_pooling:
 * @self: a model
 *
 * See [property@Woolly.Model:pooling].
 *
 * Returns: (transfer none): the kind of pooling
 */
const char *
woolly_model_get_pooling (WoollyModel *self)
{
  g_return_val_if_fail (WOOLLY_IS_MODEL (self), NULL);

  return woolly_values_get_string (self->values, "Pooling");
}

/**
 * woolly_model_get_parameters:
 * @self: a model
 *
 * See [property@Woolly.Model:parameters].
 *
 * Returns: number of weights
 */
guint64
woolly_model_get_parameters (WoollyModel *self)
{
  g_return_val_if_fail (WOOLLY_IS_MODEL (self), 0);

  return woolly_values_get_number (self->values, "Parameters");
}

/**
 * woolly_model_get_size:
 * @self: a model
 *
 * See [property@Woolly.Model:size].
 *
 * Returns: bytes
 */
guint64
woolly_model_get_size (WoollyModel *self)
{
  g_return_val_if_fail (WOOLLY_IS_MODEL (self), 0);

  return woolly_values_get_number (self->values, "Size");
}

/**
 * woolly_model_get_context_length:
 * @self: a model
 *
 * See [property@Woolly.Model:context-length].
 *
 * Returns: positions
 */
guint
woolly_model_get_context_length (WoollyModel *self)
{
  g_return_val_if_fail (WOOLLY_IS_MODEL (self), 0);

  return (guint)woolly_values_get_number (self->values, "ContextLength");
}

/**
 * woolly_model_get_vocabulary_size:
 * @self: a model
 *
 * See [property@Woolly.Model:vocabulary-size].
 *
 * Returns: number of token ids
 */
guint
woolly_model_get_vocabulary_size (WoollyModel *self)
{
  g_return_val_if_fail (WOOLLY_IS_MODEL (self), 0);

  return (guint)woolly_values_get_number (self->values, "VocabularySize");
}

/**
 * woolly_model_dup_capabilities: (get-property capabilities)
 * @self: a model
 *
 * See [property@Woolly.Model:capabilities].
 *
 * Returns: (transfer full) (array zero-terminated=1): words
 */
char **
woolly_model_dup_capabilities (WoollyModel *self)
{
  g_return_val_if_fail (WOOLLY_IS_MODEL (self), NULL);

  return woolly_values_dup_strv (self->values, "Capabilities");
}

/**
 * woolly_model_get_state:
 * @self: a model
 *
 * See [property@Woolly.Model:state].
 *
 * Returns: (transfer none): a word
 */
const char *
woolly_model_get_state (WoollyModel *self)
{
  g_return_val_if_fail (WOOLLY_IS_MODEL (self), NULL);

  return woolly_values_get_string (self->values, "State");
}

/**
 * woolly_model_get_load_progress:
 * @self: a model
 *
 * See [property@Woolly.Model:load-progress].
 *
 * Returns: 0 to 1
 */
double
woolly_model_get_load_progress (WoollyModel *self)
{
  g_return_val_if_fail (WOOLLY_IS_MODEL (self), 0);

  return woolly_values_get_double (self->values, "LoadProgress");
}

/**
 * woolly_model_get_device:
 * @self: a model
 *
 * See [property@Woolly.Model:device].
 *
 * Returns: (transfer none): name of a device, or an empty string
 */
const char *
woolly_model_get_device (WoollyModel *self)
{
  g_return_val_if_fail (WOOLLY_IS_MODEL (self), NULL);

  return woolly_values_get_string (self->values, "Device");
}

/**
 * woolly_model_get_memory_in_use:
 * @self: a model
 *
 * See [property@Woolly.Model:memory-in-use].
 *
 * Returns: bytes
 */
guint64
woolly_model_get_memory_in_use (WoollyModel *self)
{
  g_return_val_if_fail (WOOLLY_IS_MODEL (self), 0);

  return woolly_values_get_number (self->values, "MemoryInUse");
}

/**
 * woolly_model_get_queue_length:
 * @self: a model
 *
 * See [property@Woolly.Model:queue-length].
 *
 * Returns: number of requests
 */
guint
woolly_model_get_queue_length (WoollyModel *self)
{
  g_return_val_if_fail (WOOLLY_IS_MODEL (self), 0);

  return (guint)woolly_values_get_number (self->values, "QueueLength");
}

/**
 * woolly_model_dup_last_error:
 * @self: a model
 *
 * What failed last with this model.
 *
 * Returns: (transfer full) (nullable): an error, or %NULL where nothing did
 */
GError *
woolly_model_dup_last_error (WoollyModel *self)
{
  const char *name    = "";
  const char *message = "";
  GVariant *value;

  g_return_val_if_fail (WOOLLY_IS_MODEL (self), NULL);

  value = woolly_values_get (self->values, "LastError");
  if (value != NULL)
    g_variant_get (value, "(&s&s)", &name, &message);
  return *name != '\0' ? woolly_error_new_from_name (name, message) : NULL;
}

/**
 * woolly_model_refresh_async:
 * @self: a model
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async): called when it is done
 * @user_data: for the callback
 *
 * Reads all properties anew.
 */
void
woolly_model_refresh_async (WoollyModel *self, GCancellable *cancellable, GAsyncReadyCallback callback,
                            gpointer user_data)
{
  g_return_if_fail (WOOLLY_IS_MODEL (self));

  woolly_values_refresh (self->values, TRUE, g_task_new (self, cancellable, callback, user_data));
}

/**
 * woolly_model_refresh_finish:
 * @self: a model
 * @result: what the callback got
 * @error: return location
 *
 * Ends [method@Woolly.Model.refresh_async].
 *
 * Returns: whether the properties were read
 */
gboolean
woolly_model_refresh_finish (WoollyModel *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), FALSE);

  return g_task_propagate_boolean (G_TASK (result), error);
}

/**
 * woolly_model_refresh:
 * @self: a model
 * @cancellable: (nullable): a cancellable
 * @error: return location
 *
 * As [method@Woolly.Model.refresh_async], blocking the thread.
 *
 * Returns: whether the properties were read
 */
gboolean
woolly_model_refresh (WoollyModel *self, GCancellable *cancellable, GError **error)
{
  g_auto (WoollySync) sync = WOOLLY_SYNC_INIT;

  g_return_val_if_fail (WOOLLY_IS_MODEL (self), FALSE);

  woolly_sync_begin (&sync);
  woolly_model_refresh_async (self, cancellable, woolly_sync_cb, &sync);
  return woolly_model_refresh_finish (self, woolly_sync_wait (&sync), error);
}
