/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "parse/tool-list.h"

GVariant *
wly_tool_list_function (GVariant *tools, gsize index)
{
  g_autoptr (GVariant) child = g_variant_get_child_value (tools, index);
  g_autoptr (GVariant) tool  = g_variant_get_variant (child);
  GVariant *function;

  if (!g_variant_is_of_type (tool, G_VARIANT_TYPE_VARDICT))
    return g_variant_ref_sink (g_variant_new_array (G_VARIANT_TYPE ("{sv}"), NULL, 0));
  function = g_variant_lookup_value (tool, "function", G_VARIANT_TYPE_VARDICT);
  return function != NULL ? function : g_steal_pointer (&tool);
}

/* A member that is an object itself; (transfer full), NULL: there is none, or @object is NULL. */
static GVariant *
object_in (GVariant *object, const char *key)
{
  return object == NULL ? NULL : g_variant_lookup_value (object, key, G_VARIANT_TYPE_VARDICT);
}

gboolean
wly_tool_list_is_text (GVariant *tools, const char *name, const char *argument)
{
  const gsize n = tools == NULL ? 0 : g_variant_n_children (tools);

  for (gsize i = 0; i < n; i++) {
    g_autoptr (GVariant) function   = wly_tool_list_function (tools, i);
    g_autoptr (GVariant) parameters = object_in (function, "parameters");
    g_autoptr (GVariant) properties = object_in (parameters, "properties");
    g_autoptr (GVariant) own        = object_in (properties, argument);
    const char *text                = "";

    if (!g_variant_lookup (function, "name", "&s", &text) || !g_str_equal (text, name))
      continue;
    return own != NULL && g_variant_lookup (own, "type", "&s", &text) && g_str_equal (text, "string");
  }
  return FALSE;
}
