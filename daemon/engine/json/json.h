/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * JSON texts (RFC 8259) as a flat list of values that keeps the order of keys and the spelling of numbers.
 *
 * Read iteratively, within a depth and a size; no value is interpreted: a number is its text.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef enum {
  WLY_JSON_NULL,
  WLY_JSON_FALSE,
  WLY_JSON_TRUE,
  WLY_JSON_NUMBER,
  WLY_JSON_STRING,
  WLY_JSON_ARRAY,
  WLY_JSON_OBJECT,
} WlyJsonKind;

/* A value's number in its document; 0 is none, and the whole text is WLY_JSON_ROOT. */
typedef guint32 WlyJsonId;
#define WLY_JSON_ROOT 1

typedef struct {
  guint8 kind; /* WlyJsonKind */
  WlyJsonId parent, next, first;
  guint32 n_children;
  guint32 key, key_bytes;   /* place in the document's texts, where the parent is an object */
  guint32 text, text_bytes; /* strings: decoded; numbers: as they were spelled */
} WlyJsonValue;

typedef struct {
  GArray *values; /* WlyJsonValue */
  GString *texts;
} WlyJson;

/* @depth_max: lists and objects in each other; texts up to 2^31 bytes.  Errors: WLY_ERROR_INVALID_ARGS with line and
 * column. */
WlyJson *wly_json_new (const char *text, gsize n_bytes, guint depth_max, GError **error);
void wly_json_free (WlyJson *json); /* NULL is fine */
/* Another text, as if it stood in the place of the value @at, whose pointer it has.  Gives its value; 0 with @error.
 */
WlyJsonId wly_json_append (WlyJson *json, const char *text, gsize n_bytes, WlyJsonId at, GError **error);

static inline const WlyJsonValue *
wly_json_get (const WlyJson *json, WlyJsonId id)
{
  return &g_array_index (json->values, WlyJsonValue, id);
}

static inline WlyJsonKind
wly_json_kind (const WlyJson *json, WlyJsonId id)
{
  return (WlyJsonKind)wly_json_get (json, id)->kind;
}

/* The text of a string or number, and the key of a member; may hold NUL, and is ended by one. */
static inline const char *
wly_json_text (const WlyJson *json, WlyJsonId id, gsize *ret_n_bytes)
{
  *ret_n_bytes = wly_json_get (json, id)->text_bytes;
  return json->texts->str + wly_json_get (json, id)->text;
}

static inline const char *
wly_json_key (const WlyJson *json, WlyJsonId id, gsize *ret_n_bytes)
{
  *ret_n_bytes = wly_json_get (json, id)->key_bytes;
  return json->texts->str + wly_json_get (json, id)->key;
}

/* The member of an object, of equal ones the last; 0: it is no object, or has none of this name. */
WlyJsonId wly_json_find_bytes (const WlyJson *json, WlyJsonId object, const char *key, gsize n_bytes);
WlyJsonId wly_json_find (const WlyJson *json, WlyJsonId object, const char *key);
gboolean wly_json_is_text (const WlyJson *json, WlyJsonId id, const char *text);

/* "/properties/a~1b", "" for the root.  (transfer full) */
char *wly_json_pointer (const WlyJson *json, WlyJsonId id);
/* The value a pointer (RFC 6901) leads to; 0: none. */
WlyJsonId wly_json_resolve (const WlyJson *json, const char *pointer);

/* Whether two values are spelled the same but for white space, escapes and the order of keys.  An object that has a key
 * twice is equal to none. */
gboolean wly_json_equal (const WlyJson *json, WlyJsonId a, WlyJsonId b);

/* Appends a string between quotes: " and \ and what is below U+0020 escaped, each in one way only. */
void wly_json_write_string (GString *out, const char *text, gsize n_bytes);
/* Appends the value without white space. */
void wly_json_write (const WlyJson *json, WlyJsonId id, GString *out);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (WlyJson, wly_json_free)

G_END_DECLS
