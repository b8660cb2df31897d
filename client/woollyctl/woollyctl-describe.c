/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "woollyctl-describe.h"

char *
woollyctl_describe_count (guint64 count)
{
  static const char units[] = { ' ', 'K', 'M', 'B', 'T' };
  double number             = (double)count;
  guint unit                = 0;

  while (number >= 1000 && unit + 1 < sizeof units) {
    number /= 1000;
    unit++;
  }
  return unit == 0 ? g_strdup_printf ("%.0f", number) : g_strdup_printf ("%.1f %c", number, units[unit]);
}

static GVariant *
to_variant (const GValue *value)
{
  switch (G_VALUE_TYPE (value)) {
  case G_TYPE_STRING:
    return g_variant_new_string (g_value_get_string (value));
  case G_TYPE_UINT:
    return g_variant_new_uint32 (g_value_get_uint (value));
  case G_TYPE_UINT64:
    return g_variant_new_uint64 (g_value_get_uint64 (value));
  case G_TYPE_DOUBLE:
    return g_variant_new_double (g_value_get_double (value));
  default:
    return g_variant_new_strv (g_value_get_boxed (value), -1);
  }
}

void
woollyctl_describe_model (WoollyModel *model, GVariantBuilder *row)
{
  guint n                     = 0;
  g_autofree GParamSpec **all = g_object_class_list_properties (G_OBJECT_GET_CLASS (model), &n);
  g_autoptr (GError) error    = woolly_model_dup_last_error (model);

  for (guint i = 0; i < n; i++) {
    g_auto (GValue) value = G_VALUE_INIT;

    g_value_init (&value, all[i]->value_type);
    g_object_get_property (G_OBJECT (model), all[i]->name, &value);
    g_variant_builder_add (row, "{sv}", all[i]->name, to_variant (&value));
  }
  if (error != NULL)
    g_variant_builder_add (row, "{sv}", "error", g_variant_new_string (error->message));
}

GVariant *
woollyctl_describe_models (GListModel *models)
{
  g_auto (GVariantBuilder) rows = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE ("aa{sv}"));

  for (guint i = 0; i < g_list_model_get_n_items (models); i++) {
    g_autoptr (WoollyModel) model = g_list_model_get_item (models, i);

    g_variant_builder_open (&rows, G_VARIANT_TYPE_VARDICT);
    woollyctl_describe_model (model, &rows);
    g_variant_builder_close (&rows);
  }
  return g_variant_builder_end (&rows);
}
