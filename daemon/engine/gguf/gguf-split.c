/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gguf/gguf-private.h"

#include "wly-error.h"

/* "-00001-of-00003.gguf" */
#define SUFFIX_BYTES 20u
#define DIGITS       5u

/* Five decimal digits; 0 where they are no number. */
static guint
parse_digits (const char *text)
{
  guint value = 0;

  for (guint i = 0; i < DIGITS; i++) {
    if (!g_ascii_isdigit (text[i]))
      return 0;
    value = value * 10 + (guint)(text[i] - '0');
  }
  return value;
}

char **
wly_gguf_part_names (const char *file_name)
{
  const gsize n_bytes         = strlen (file_name);
  const char *suffix          = file_name + n_bytes - MIN (n_bytes, SUFFIX_BYTES);
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  const gboolean split        = n_bytes > SUFFIX_BYTES && suffix[0] == '-' && strncmp (suffix + 6, "-of-", 4) == 0
                         && strcmp (suffix + 15, ".gguf") == 0;
  const guint number = split ? parse_digits (suffix + 1) : 0;
  const guint count  = split ? parse_digits (suffix + 10) : 0;

  if (number == 0 || number > count || count > WLY_GGUF_MAX_PARTS) {
    g_ptr_array_add (names, g_strdup (file_name));
  } else if (number != 1) {
    return NULL;
  } else {
    for (guint i = 1; i <= count; i++)
      g_ptr_array_add (names,
                       g_strdup_printf ("%.*s-%05u-of-%05u.gguf", (int)(n_bytes - SUFFIX_BYTES), file_name, i, count));
  }
  g_ptr_array_add (names, NULL);
  return (char **)g_ptr_array_free (g_steal_pointer (&names), FALSE);
}

/* An absent key gives @fallback. */
static gboolean
get_number (const WlyGgufKeys *keys, const char *name, guint64 fallback, guint64 *ret_value, GError **error)
{
  const WlyGgufKey *key = wly_gguf_keys_find (keys, name);

  *ret_value = fallback;
  if (key == NULL || wly_gguf_value_u64 (key, ret_value))
    return TRUE;
  g_set_error (error, WLY_ERROR, WLY_ERROR_INVALID_MODEL, "key \"%s\": expected a whole number of at least 0", name);
  return FALSE;
}

gboolean
wly_gguf_split_check (const WlyGgufKeys *keys, guint part, guint n_parts, guint64 *ret_n_tensors, GError **error)
{
  guint64 number, count;

  if (!get_number (keys, "split.no", 0, &number, error) || !get_number (keys, "split.count", 0, &count, error)
      || !get_number (keys, "split.tensors.count", G_MAXUINT64, ret_n_tensors, error))
    return FALSE;
  if (MAX (count, 1) != n_parts) {
    g_set_error (error, WLY_ERROR, WLY_ERROR_INVALID_MODEL,
                 "key \"split.count\": the model has %" G_GUINT64_FORMAT
                 " files, but %u were given; open all of them, in order",
                 MAX (count, 1), n_parts);
    return FALSE;
  }
  if (number != part) {
    g_set_error (error, WLY_ERROR, WLY_ERROR_INVALID_MODEL,
                 "key \"split.no\": file %u of %u says that it is number %" G_GUINT64_FORMAT
                 " (counted from 0), expected %u",
                 part + 1, n_parts, number, part);
    return FALSE;
  }
  return TRUE;
}
