/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wly-model-id.h"

#include "woolly-names.h"

#include <string.h>

char *
wly_model_id_to_path (const char *id)
{
  GString *path = g_string_new (WOOLLY_PATH_MODELS "/");

  for (const char *c = id; *c != '\0'; c++) {
    if (g_ascii_isalnum (*c))
      g_string_append_c (path, *c);
    else
      g_string_append_printf (path, "_%02x", (guchar)*c);
  }
  return g_string_free (path, FALSE);
}

char *
wly_model_id_from_path (const char *path)
{
  g_autofree char *again = NULL;
  GString *id;

  if (!g_str_has_prefix (path, WOOLLY_PATH_MODELS "/"))
    return NULL;
  id = g_string_new (NULL);
  for (const char *c = path + strlen (WOOLLY_PATH_MODELS "/"); *c != '\0'; c++) {
    if (*c == '_' && g_ascii_isxdigit (c[1]) && g_ascii_isxdigit (c[2])) {
      g_string_append_c (id, (char)(g_ascii_xdigit_value (c[1]) * 16 + g_ascii_xdigit_value (c[2])));
      c += 2;
    } else {
      g_string_append_c (id, *c);
    }
  }
  again = id->len == strlen (id->str) ? wly_model_id_to_path (id->str) : NULL;
  if (g_strcmp0 (again, path) == 0)
    return g_string_free (id, FALSE);
  g_string_free (id, TRUE);
  return NULL;
}
