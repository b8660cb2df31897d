/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "woolly-values.h"

#include "woolly-call.h"

struct _WoollyValues {
  WoollyBus *bus;
  char *path;
  const char *interface;
  const WoollyValueSpec *specs;
  guint n_specs;
  GVariant **current; /* n_specs */
  GObject *owner;     /* not owned */
};

WoollyValues *
woolly_values_new (WoollyBus *bus, const char *path, const char *interface, const WoollyValueSpec *specs, guint n_specs,
                   GObject *owner)
{
  WoollyValues *values = g_new0 (WoollyValues, 1);

  values->bus       = g_object_ref (bus);
  values->path      = g_strdup (path);
  values->interface = interface;
  values->specs     = specs;
  values->n_specs   = n_specs;
  values->current   = g_new0 (GVariant *, n_specs);
  values->owner     = owner;
  woolly_bus_add_values (bus, path, values);
  return values;
}

void
woolly_values_free (WoollyValues *values)
{
  woolly_bus_remove_values (values->bus, values->path, values);
  for (guint i = 0; i < values->n_specs; i++)
    g_clear_pointer (&values->current[i], g_variant_unref);
  g_free (values->current);
  g_free (values->path);
  g_object_unref (values->bus);
  g_free (values);
}

const char *
woolly_values_get_interface (WoollyValues *values)
{
  return values->interface;
}

static int
find_spec (WoollyValues *values, const char *name)
{
  for (guint i = 0; i < values->n_specs; i++)
    if (g_str_equal (values->specs[i].name, name))
      return (int)i;
  return -1;
}

void
woolly_values_update (WoollyValues *values, GVariant *changed)
{
  g_autoptr (GObject) owner = g_object_ref (values->owner);
  GVariantIter iter;
  const char *name;
  GVariant *value;

  g_object_freeze_notify (owner);
  g_variant_iter_init (&iter, changed);
  while (g_variant_iter_loop (&iter, "{&sv}", &name, &value)) {
    int i = find_spec (values, name);

    if (i < 0 || !g_variant_is_of_type (value, G_VARIANT_TYPE (values->specs[i].type)))
      continue;
    if (values->current[i] != NULL && g_variant_equal (values->current[i], value))
      continue;
    g_clear_pointer (&values->current[i], g_variant_unref);
    values->current[i] = g_variant_ref (value);
    if (values->specs[i].property != NULL)
      g_object_notify (owner, values->specs[i].property);
  }
  g_object_thaw_notify (owner);
}

static void
refresh_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task        = user_data;
  g_autoptr (GError) error      = NULL;
  g_autoptr (WoollyReply) reply = g_task_propagate_pointer (G_TASK (result), &error);
  g_autoptr (GVariant) changed  = NULL;
  WoollyValues *values          = g_task_get_task_data (task);

  if (reply == NULL) {
    g_task_return_error (task, g_steal_pointer (&error));
    return;
  }
  g_variant_get (reply->value, "(@a{sv})", &changed);
  woolly_values_update (values, changed);
  g_task_return_boolean (task, TRUE);
}

void
woolly_values_refresh (WoollyValues *values, gboolean may_start, GTask *task)
{
  /* The task's source object is the owner, so that the values live as long as the task. */
  g_task_set_task_data (task, values, NULL);
  woolly_call (values->bus, values->path, "org.freedesktop.DBus.Properties", "GetAll",
               g_variant_new ("(s)", values->interface), "(a{sv})", NULL,
               may_start ? WOOLLY_CALL_NONE : WOOLLY_CALL_NO_AUTO_START,
               g_task_new (values->owner, g_task_get_cancellable (task), refresh_cb, task));
}

GVariant *
woolly_values_get (WoollyValues *values, const char *name)
{
  int i = find_spec (values, name);

  g_return_val_if_fail (i >= 0, NULL);
  return values->current[i];
}

const char *
woolly_values_get_string (WoollyValues *values, const char *name)
{
  GVariant *value = woolly_values_get (values, name);

  return value != NULL ? g_variant_get_string (value, NULL) : "";
}

char **
woolly_values_dup_strv (WoollyValues *values, const char *name)
{
  GVariant *value = woolly_values_get (values, name);

  return value != NULL ? g_variant_dup_strv (value, NULL) : g_new0 (char *, 1);
}

guint64
woolly_values_get_number (WoollyValues *values, const char *name)
{
  GVariant *value = woolly_values_get (values, name);

  if (value == NULL)
    return 0;
  return g_variant_is_of_type (value, G_VARIANT_TYPE_UINT32) ? g_variant_get_uint32 (value)
                                                             : g_variant_get_uint64 (value);
}

double
woolly_values_get_double (WoollyValues *values, const char *name)
{
  GVariant *value = woolly_values_get (values, name);

  return value != NULL ? g_variant_get_double (value) : 0;
}

static GParamSpec *
param_spec_new (const WoollyValueSpec *spec)
{
  GParamFlags flags = G_PARAM_READABLE | G_PARAM_STATIC_STRINGS | G_PARAM_EXPLICIT_NOTIFY;

  switch (spec->type[0]) {
  case 's':
  case 'o':
    return g_param_spec_string (spec->property, NULL, NULL, "", flags);
  case 'u':
    return g_param_spec_uint (spec->property, NULL, NULL, 0, G_MAXUINT, 0, flags);
  case 't':
    return g_param_spec_uint64 (spec->property, NULL, NULL, 0, G_MAXUINT64, 0, flags);
  case 'd':
    return g_param_spec_double (spec->property, NULL, NULL, 0, 1, 0, flags);
  default:
    return g_param_spec_boxed (spec->property, NULL, NULL, G_TYPE_STRV, flags);
  }
}

void
woolly_values_install_properties (GObjectClass *klass, const WoollyValueSpec *specs, guint n_specs)
{
  for (guint i = 0; i < n_specs; i++)
    if (specs[i].property != NULL)
      g_object_class_install_property (klass, i + 1, param_spec_new (&specs[i]));
}

void
woolly_values_get_property (WoollyValues *values, guint id, GValue *value)
{
  const WoollyValueSpec *spec = &values->specs[id - 1];

  switch (spec->type[0]) {
  case 's':
  case 'o':
    g_value_set_string (value, woolly_values_get_string (values, spec->name));
    break;
  case 'u':
    g_value_set_uint (value, (guint)woolly_values_get_number (values, spec->name));
    break;
  case 't':
    g_value_set_uint64 (value, woolly_values_get_number (values, spec->name));
    break;
  case 'd':
    g_value_set_double (value, woolly_values_get_double (values, spec->name));
    break;
  default:
    g_value_take_boxed (value, woolly_values_dup_strv (values, spec->name));
    break;
  }
}
