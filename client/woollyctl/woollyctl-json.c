/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "woollyctl-json.h"

#include "woollyctl-output.h"

#include <json-glib/json-glib.h>

void
woollyctl_json_print (GVariant *value)
{
  g_autoptr (GVariant) sunk = g_variant_ref_sink (value);
  g_autoptr (JsonNode) root = json_gvariant_serialize (sunk);
  g_autofree char *text     = json_to_string (root, TRUE);
  g_autofree char *line     = g_strconcat (text, "\n", NULL);

  woollyctl_output_text (line);
}
