/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "woolly-client-private.h"

#include "woolly-call.h"
#include "woolly-enum-types.h"
#include "woolly-error-private.h"
#include "woolly-model-private.h"
#include "woolly-sync.h"
#include "woolly-weak.h"

#include "introspection/woolly-names.h"

/**
 * WoollyClient:
 *
 * The way to the service: the models, sessions, and generation without a session.
 *
 * Calls start the service where it does not run; it ends when it has nothing to do, and the next call starts it again.
 * The list of models and their properties follow the service in the main context that was the thread's default when the
 * client was made, and are to be used in that thread. The list stays when the service ends: the models are still there.
 */
struct _WoollyClient {
  GObject parent_instance;

  WoollyBus *bus;
  GListStore *models; /* sorted by id */
  char *version;
  guint interface_version;
  gboolean running;
  guint watch_id;
  guint added_id;
  guint removed_id;
};

enum {
  PROP_RUNNING = 1,
  PROP_VERSION,
  PROP_INTERFACE_VERSION,
  PROP_MODELS,
  N_PROPS,
};

static GParamSpec *properties[N_PROPS];

G_DEFINE_FINAL_TYPE (WoollyClient, woolly_client, G_TYPE_OBJECT)

static void
woolly_client_get_gobject_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  WoollyClient *self = WOOLLY_CLIENT (object);

  switch (id) {
  case PROP_RUNNING:
    g_value_set_boolean (value, self->running);
    break;
  case PROP_VERSION:
    g_value_set_string (value, self->version);
    break;
  case PROP_INTERFACE_VERSION:
    g_value_set_uint (value, self->interface_version);
    break;
  case PROP_MODELS:
    g_value_set_object (value, self->models);
    break;
  default:
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
  }
}

static void
woolly_client_dispose (GObject *object)
{
  WoollyClient *self = WOOLLY_CLIENT (object);

  g_clear_handle_id (&self->watch_id, g_bus_unwatch_name);
  if (self->bus != NULL && self->added_id != 0) {
    g_dbus_connection_signal_unsubscribe (self->bus->connection, self->added_id);
    g_dbus_connection_signal_unsubscribe (self->bus->connection, self->removed_id);
    self->added_id = self->removed_id = 0;
  }
  G_OBJECT_CLASS (woolly_client_parent_class)->dispose (object);
}

static void
woolly_client_finalize (GObject *object)
{
  WoollyClient *self = WOOLLY_CLIENT (object);

  g_clear_object (&self->models);
  g_clear_object (&self->bus);
  g_free (self->version);
  G_OBJECT_CLASS (woolly_client_parent_class)->finalize (object);
}

static void
woolly_client_class_init (WoollyClientClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GParamFlags flags          = G_PARAM_READABLE | G_PARAM_STATIC_STRINGS | G_PARAM_EXPLICIT_NOTIFY;

  object_class->dispose      = woolly_client_dispose;
  object_class->finalize     = woolly_client_finalize;
  object_class->get_property = woolly_client_get_gobject_property;

  /**
   * WoollyClient:running:
   *
   * Whether the service runs now.
   */
  properties[PROP_RUNNING] = g_param_spec_boolean ("running", NULL, NULL, FALSE, flags);
  /**
   * WoollyClient:version:
   *
   * Version of the service that was seen last, as `1.2.3`.
   */
  properties[PROP_VERSION] = g_param_spec_string ("version", NULL, NULL, "", flags);
  /**
   * WoollyClient:interface-version:
   *
   * Grows by one with each addition to the D-Bus interfaces.
   */
  properties[PROP_INTERFACE_VERSION] = g_param_spec_uint ("interface-version", NULL, NULL, 0, G_MAXUINT, 0, flags);
  /**
   * WoollyClient:models:
   *
   * All models of the catalogue.
   */
  properties[PROP_MODELS] = g_param_spec_object ("models", NULL, NULL, G_TYPE_LIST_MODEL, flags);
  g_object_class_install_properties (object_class, N_PROPS, properties);
}

static void
woolly_client_init (WoollyClient *self)
{
  self->models  = g_list_store_new (WOOLLY_TYPE_MODEL);
  self->version = g_strdup ("");
}

WoollyBus *
woolly_client_get_bus (WoollyClient *self)
{
  return self->bus;
}

static void
set_running (WoollyClient *self, gboolean running)
{
  if (self->running == running)
    return;
  self->running = running;
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_RUNNING]);
}

/* The list's model of this path (transfer full) and its place, or NULL. */
static WoollyModel *
find_model (WoollyClient *self, const char *path, guint *ret_place)
{
  guint n = g_list_model_get_n_items (G_LIST_MODEL (self->models));

  for (guint i = 0; i < n; i++) {
    g_autoptr (WoollyModel) model = g_list_model_get_item (G_LIST_MODEL (self->models), i);

    if (g_str_equal (woolly_model_get_object_path (model), path)) {
      if (ret_place != NULL)
        *ret_place = i;
      return g_steal_pointer (&model);
    }
  }
  return NULL;
}

WoollyModel *
woolly_client_adopt_model (WoollyClient *self, const char *path)
{
  WoollyModel *model = find_model (self, path, NULL);

  return model != NULL ? model : woolly_model_new (self->bus, path, NULL);
}

static int
compare_models_cb (gconstpointer a, gconstpointer b, gpointer user_data)
{
  return g_strcmp0 (woolly_model_get_id ((WoollyModel *)a), woolly_model_get_id ((WoollyModel *)b));
}

static void
add_model (WoollyClient *self, const char *path, GVariant *values)
{
  g_autoptr (WoollyModel) model = find_model (self, path, NULL);

  if (model != NULL) {
    woolly_model_update (model, values);
    return;
  }
  model = woolly_model_new (self->bus, path, values);
  g_list_store_insert_sorted (self->models, model, compare_models_cb, NULL);
}

static void
remove_model (WoollyClient *self, const char *path)
{
  guint place                   = 0;
  g_autoptr (WoollyModel) model = find_model (self, path, &place);

  if (model != NULL)
    g_list_store_remove (self->models, place);
}

/* Makes the list equal to the answer of GetManagedObjects, an a{oa{sa{sv}}}. */
static void
take_objects (WoollyClient *self, GVariant *objects)
{
  g_autoptr (GHashTable) seen = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  GVariantIter iter;
  const char *path;
  GVariant *interfaces;

  g_variant_iter_init (&iter, objects);
  while (g_variant_iter_loop (&iter, "{&o@a{sa{sv}}}", &path, &interfaces)) {
    g_autoptr (GVariant) values = g_variant_lookup_value (interfaces, WOOLLY_INTERFACE_MODEL, G_VARIANT_TYPE_VARDICT);

    if (values == NULL)
      continue;
    add_model (self, path, values);
    g_hash_table_add (seen, g_strdup (path));
  }
  for (guint i = g_list_model_get_n_items (G_LIST_MODEL (self->models)); i-- > 0;) {
    g_autoptr (WoollyModel) model = g_list_model_get_item (G_LIST_MODEL (self->models), i);

    if (!g_hash_table_contains (seen, woolly_model_get_object_path (model)))
      g_list_store_remove (self->models, i);
  }
}

static void
take_manager (WoollyClient *self, GVariant *values)
{
  const char *version       = "";
  guint32 interface_version = 0;

  g_variant_lookup (values, "Version", "&s", &version);
  g_variant_lookup (values, "InterfaceVersion", "u", &interface_version);
  if (!g_str_equal (version, self->version)) {
    g_free (self->version);
    self->version = g_strdup (version);
    g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_VERSION]);
  }
  if (interface_version != self->interface_version) {
    self->interface_version = interface_version;
    g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_INTERFACE_VERSION]);
  }
}

static void
objects_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task        = user_data;
  g_autoptr (GError) error      = NULL;
  g_autoptr (WoollyReply) reply = g_task_propagate_pointer (G_TASK (result), &error);
  g_autoptr (GVariant) objects  = NULL;
  WoollyClient *self            = g_task_get_source_object (task);

  if (reply == NULL) {
    g_task_return_error (task, g_steal_pointer (&error));
    return;
  }
  objects = g_variant_get_child_value (reply->value, 0);
  take_objects (self, objects);
  set_running (self, TRUE);
  g_task_return_boolean (task, TRUE);
}

static void
manager_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task        = user_data;
  g_autoptr (GError) error      = NULL;
  g_autoptr (WoollyReply) reply = g_task_propagate_pointer (G_TASK (result), &error);
  g_autoptr (GVariant) values   = NULL;
  WoollyClient *self            = g_task_get_source_object (task);
  GCancellable *cancellable     = g_task_get_cancellable (task);

  if (reply == NULL) {
    if (g_error_matches (error, WOOLLY_ERROR, WOOLLY_ERROR_DISCONNECTED) && !woolly_bus_may_start (self->bus))
      g_task_return_boolean (task, TRUE); /* It does not run, and nobody wants it to. */
    else
      g_task_return_error (task, g_steal_pointer (&error));
    return;
  }
  values = g_variant_get_child_value (reply->value, 0);
  take_manager (self, values);
  woolly_call (self->bus, WOOLLY_OBJECT_PATH, "org.freedesktop.DBus.ObjectManager", "GetManagedObjects", NULL,
               "(a{oa{sa{sv}}})", NULL, WOOLLY_CALL_NONE,
               g_task_new (self, cancellable, objects_cb, g_steal_pointer (&task)));
}

/* Reads the manager's properties and the list of models; @task (transfer full) gets TRUE. */
static void
read_all (WoollyClient *self, WoollyCallFlags flags, GTask *task)
{
  woolly_call (self->bus, WOOLLY_OBJECT_PATH, "org.freedesktop.DBus.Properties", "GetAll",
               g_variant_new ("(s)", WOOLLY_INTERFACE_MANAGER), "(a{sv})", NULL, flags,
               g_task_new (self, g_task_get_cancellable (task), manager_cb, task));
}

static void
read_again_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GError) error = NULL;

  if (!g_task_propagate_boolean (G_TASK (result), &error))
    g_debug ("The models could not be read: %s", error->message);
}

static void
appeared_cb (GDBusConnection *connection, const char *name, const char *owner, gpointer user_data)
{
  g_autoptr (WoollyClient) self = g_weak_ref_get (user_data);

  /* Also when it ran all the time: what changed since the first reading was perhaps never told. */
  if (self != NULL)
    read_all (self, WOOLLY_CALL_NO_AUTO_START, g_task_new (self, NULL, read_again_cb, NULL));
}

static void
vanished_cb (GDBusConnection *connection, const char *name, gpointer user_data)
{
  g_autoptr (WoollyClient) self = g_weak_ref_get (user_data);

  if (self == NULL)
    return;
  set_running (self, FALSE);
  for (guint i = 0; i < g_list_model_get_n_items (G_LIST_MODEL (self->models)); i++) {
    g_autoptr (WoollyModel) model = g_list_model_get_item (G_LIST_MODEL (self->models), i);

    woolly_model_set_offline (model);
  }
}

static void
added_cb (GDBusConnection *connection, const char *sender, const char *path, const char *interface, const char *signal,
          GVariant *params, gpointer user_data)
{
  g_autoptr (WoollyClient) self   = g_weak_ref_get (user_data);
  g_autoptr (GVariant) interfaces = NULL;
  g_autoptr (GVariant) values     = NULL;
  const char *added               = NULL;

  if (self == NULL || !g_variant_is_of_type (params, G_VARIANT_TYPE ("(oa{sa{sv}})")))
    return;
  g_variant_get (params, "(&o@a{sa{sv}})", &added, &interfaces);
  values = g_variant_lookup_value (interfaces, WOOLLY_INTERFACE_MODEL, G_VARIANT_TYPE_VARDICT);
  if (values != NULL)
    add_model (self, added, values);
}

static void
removed_cb (GDBusConnection *connection, const char *sender, const char *path, const char *interface,
            const char *signal, GVariant *params, gpointer user_data)
{
  g_autoptr (WoollyClient) self = g_weak_ref_get (user_data);
  g_autofree const char **names = NULL;
  const char *removed           = NULL;

  if (self == NULL || !g_variant_is_of_type (params, G_VARIANT_TYPE ("(oas)")))
    return;
  g_variant_get (params, "(&o^a&s)", &removed, &names);
  if (g_strv_contains (names, WOOLLY_INTERFACE_MODEL))
    remove_model (self, removed);
}

static guint
subscribe (WoollyClient *self, const char *signal, GDBusSignalCallback callback)
{
  return g_dbus_connection_signal_subscribe (
      self->bus->connection, WOOLLY_BUS_NAME, "org.freedesktop.DBus.ObjectManager", signal, WOOLLY_OBJECT_PATH, NULL,
      G_DBUS_SIGNAL_FLAGS_NONE, callback, woolly_weak_new (self), woolly_weak_free);
}

static WoollyClient *
woolly_client_construct (GDBusConnection *connection, WoollyClientFlags flags)
{
  WoollyClient *self = g_object_new (WOOLLY_TYPE_CLIENT, NULL);

  self->bus        = woolly_bus_new (connection, !(flags & WOOLLY_CLIENT_DO_NOT_START));
  self->added_id   = subscribe (self, "InterfacesAdded", added_cb);
  self->removed_id = subscribe (self, "InterfacesRemoved", removed_cb);
  self->watch_id   = g_bus_watch_name_on_connection (connection, WOOLLY_BUS_NAME, G_BUS_NAME_WATCHER_FLAGS_NONE,
                                                     appeared_cb, vanished_cb, woolly_weak_new (self), woolly_weak_free);
  /* Make GDBus know our errors before the first reply comes. */
  woolly_error_quark ();
  return self;
}

static void
no_bus (GError **error)
{
  if ((*error)->domain == G_IO_ERROR && (*error)->code == G_IO_ERROR_CANCELLED)
    return;
  g_dbus_error_strip_remote_error (*error);
  g_prefix_error (error, "There is no session bus: ");
  (*error)->domain = WOOLLY_ERROR;
  (*error)->code   = WOOLLY_ERROR_DISCONNECTED;
}

/**
 * woolly_client_new: (constructor)
 * @connection: (nullable): a message bus connection, or %NULL for the session bus
 * @flags: how the client behaves
 * @cancellable: (nullable): a cancellable
 * @error: return location
 *
 * Connects to the service and reads the list of models, blocking the thread.
 *
 * Returns: (transfer full): a new client
 */
WoollyClient *
woolly_client_new (GDBusConnection *connection, WoollyClientFlags flags, GCancellable *cancellable, GError **error)
{
  g_autoptr (GDBusConnection) owned = connection != NULL ? g_object_ref (connection) : NULL;
  g_autoptr (GError) local          = NULL;
  g_autoptr (WoollyClient) self     = NULL;
  g_auto (WoollySync) sync          = WOOLLY_SYNC_INIT;

  if (owned == NULL)
    owned = g_bus_get_sync (G_BUS_TYPE_SESSION, cancellable, &local);
  if (owned == NULL) {
    no_bus (&local);
    g_propagate_error (error, g_steal_pointer (&local));
    return NULL;
  }
  self = woolly_client_construct (owned, flags);
  woolly_sync_begin (&sync);
  read_all (self, WOOLLY_CALL_NONE, g_task_new (self, cancellable, woolly_sync_cb, &sync));
  if (!g_task_propagate_boolean (G_TASK (woolly_sync_wait (&sync)), error))
    return NULL;
  return g_steal_pointer (&self);
}

static void
read_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task   = user_data;
  g_autoptr (GError) error = NULL;

  if (g_task_propagate_boolean (G_TASK (result), &error))
    g_task_return_pointer (task, g_object_ref (source), g_object_unref);
  else
    g_task_return_error (task, g_steal_pointer (&error));
}

static void
construct_and_read (GTask *task, GDBusConnection *connection)
{
  WoollyClientFlags flags       = GPOINTER_TO_UINT (g_task_get_task_data (task));
  g_autoptr (WoollyClient) self = woolly_client_construct (connection, flags);

  read_all (self, WOOLLY_CALL_NONE, g_task_new (self, g_task_get_cancellable (task), read_cb, task));
}

static void
bus_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task                 = user_data;
  g_autoptr (GError) error               = NULL;
  g_autoptr (GDBusConnection) connection = g_bus_get_finish (result, &error);

  if (connection != NULL) {
    construct_and_read (g_steal_pointer (&task), connection);
    return;
  }
  no_bus (&error);
  g_task_return_error (task, g_steal_pointer (&error));
}

/**
 * woolly_client_new_async:
 * @connection: (nullable): a message bus connection, or %NULL for the session bus
 * @flags: how the client behaves
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async): called when it is done
 * @user_data: for the callback
 *
 * Connects to the service and reads the list of models.
 */
void
woolly_client_new_async (GDBusConnection *connection, WoollyClientFlags flags, GCancellable *cancellable,
                         GAsyncReadyCallback callback, gpointer user_data)
{
  GTask *task = g_task_new (NULL, cancellable, callback, user_data);

  g_task_set_source_tag (task, woolly_client_new_async);
  g_task_set_task_data (task, GUINT_TO_POINTER (flags), NULL);
  if (connection != NULL)
    construct_and_read (task, connection);
  else
    g_bus_get (G_BUS_TYPE_SESSION, cancellable, bus_cb, task);
}

/**
 * woolly_client_new_finish: (constructor)
 * @result: what the callback got
 * @error: return location
 *
 * Ends [func@Woolly.Client.new_async].
 *
 * Returns: (transfer full): a new client
 */
WoollyClient *
woolly_client_new_finish (GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, NULL), NULL);

  return g_task_propagate_pointer (G_TASK (result), error);
}

/**
 * woolly_client_get_connection:
 * @self: a client
 *
 * The connection that it uses. Sessions live as long as this connection.
 *
 * Returns: (transfer none): a connection
 */
GDBusConnection *
woolly_client_get_connection (WoollyClient *self)
{
  g_return_val_if_fail (WOOLLY_IS_CLIENT (self), NULL);

  return self->bus->connection;
}

/**
 * woolly_client_get_running:
 * @self: a client
 *
 * See [property@Woolly.Client:running].
 *
 * Returns: whether the service runs
 */
gboolean
woolly_client_get_running (WoollyClient *self)
{
  g_return_val_if_fail (WOOLLY_IS_CLIENT (self), FALSE);

  return self->running;
}

/**
 * woolly_client_get_version:
 * @self: a client
 *
 * See [property@Woolly.Client:version].
 *
 * Returns: (transfer none): a version
 */
const char *
woolly_client_get_version (WoollyClient *self)
{
  g_return_val_if_fail (WOOLLY_IS_CLIENT (self), NULL);

  return self->version;
}

/**
 * woolly_client_get_interface_version:
 * @self: a client
 *
 * See [property@Woolly.Client:interface-version].
 *
 * Returns: a number
 */
guint
woolly_client_get_interface_version (WoollyClient *self)
{
  g_return_val_if_fail (WOOLLY_IS_CLIENT (self), 0);

  return self->interface_version;
}

/**
 * woolly_client_get_models:
 * @self: a client
 *
 * See [property@Woolly.Client:models].
 *
 * Returns: (transfer none): a list of [class@Woolly.Model], sorted by id
 */
GListModel *
woolly_client_get_models (WoollyClient *self)
{
  g_return_val_if_fail (WOOLLY_IS_CLIENT (self), NULL);

  return G_LIST_MODEL (self->models);
}
