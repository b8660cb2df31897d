/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "token/charsmap.h"

#include <string.h>

#define UNIT_VALUE (1u << 31)
#define UNIT_LEAF  (1u << 8)
#define UNIT_WIDE  (1u << 9)

static guint32
read_u32 (const guint8 *bytes)
{
  guint32 value;

  memcpy (&value, bytes, sizeof value);
  return GUINT32_FROM_LE (value);
}

gboolean
wly_charsmap_init (WlyCharsmap *map, const guint8 *data, gsize n_bytes)
{
  gsize n_array;

  *map = (WlyCharsmap){ 0 };
  if (n_bytes == 0)
    return TRUE;
  if (n_bytes < 4)
    return FALSE;
  n_array = read_u32 (data);
  if (n_array >= n_bytes - 4 || n_array % 4 != 0)
    return FALSE;
  map->units               = data + 4;
  map->n_units             = n_array / 4;
  map->replacements        = (const char *)data + 4 + n_array;
  map->n_replacement_bytes = n_bytes - 4 - n_array;
  return map->n_units > 0;
}

/* FALSE: there is no such unit. */
static gboolean
get_unit (const WlyCharsmap *map, guint32 index, guint32 *ret_unit)
{
  if (index >= map->n_units)
    return FALSE;
  *ret_unit = read_u32 (map->units + (gsize)index * 4);
  return TRUE;
}

static guint32
offset_of (guint32 unit)
{
  return (unit >> 10) << ((unit & UNIT_WIDE) != 0 ? 8 : 0);
}

static gboolean
get_replacement (const WlyCharsmap *map, guint32 place, const char **ret_text, gsize *ret_n_bytes)
{
  const char *text = map->replacements + place, *end;

  if (place >= map->n_replacement_bytes)
    return FALSE;
  end = memchr (text, '\0', MIN (map->n_replacement_bytes - place, WLY_CHARSMAP_MAX_BYTES + 1));
  if (end == NULL || !g_utf8_validate_len (text, (gsize)(end - text), NULL))
    return FALSE;
  *ret_text    = text;
  *ret_n_bytes = (gsize)(end - text);
  return TRUE;
}

gsize
wly_charsmap_match (const WlyCharsmap *map, const char *text, gsize n_bytes, const char **ret_replacement,
                    gsize *ret_n_replacement, guint64 *n_steps)
{
  guint32 node, unit, value = 0;
  gsize longest = 0;

  if (!get_unit (map, 0, &unit))
    return 0;
  node = offset_of (unit);
  for (gsize i = 0; i < MIN (n_bytes, WLY_CHARSMAP_MAX_BYTES); i++) {
    const guint8 byte = (guint8)text[i];

    (*n_steps)++;
    node ^= byte;
    if (!get_unit (map, node, &unit) || (unit & (UNIT_VALUE | 0xffu)) != byte)
      break;
    node ^= offset_of (unit);
    if ((unit & UNIT_LEAF) == 0)
      continue;
    if (!get_unit (map, node, &value))
      break;
    longest = i + 1;
  }
  if (longest == 0 || !get_replacement (map, value & ~UNIT_VALUE, ret_replacement, ret_n_replacement))
    return 0;
  return longest;
}
