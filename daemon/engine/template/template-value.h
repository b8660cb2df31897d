/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Values of a running template, as Python has them.
 */
#pragma once

#include "template/template-text.h"

G_BEGIN_DECLS

typedef enum {
  WLY_TEMPLATE_UNDEFINED,
  WLY_TEMPLATE_NONE,
  WLY_TEMPLATE_BOOLEAN,
  WLY_TEMPLATE_INTEGER,
  WLY_TEMPLATE_FLOAT,
  WLY_TEMPLATE_TEXT,
  WLY_TEMPLATE_LIST,
  WLY_TEMPLATE_DICT,
  WLY_TEMPLATE_NAMESPACE, /* a dictionary that set may change */
  WLY_TEMPLATE_FUNCTION,  /* a function by name */
  WLY_TEMPLATE_METHOD,    /* a function of a value */
} WlyTemplateKind;

typedef struct WlyTemplateValue WlyTemplateValue;

typedef struct {
  WlyTemplateValue *items; /* dictionaries: key, value, key, value … in order */
  gsize n_items, size;
} WlyTemplateItems;

typedef struct WlyTemplateMethod WlyTemplateMethod;

struct WlyTemplateValue {
  WlyTemplateKind kind;
  union {
    gboolean boolean;
    gint64 integer;
    double real;
    const WlyTemplateText *text;
    WlyTemplateItems *items;
    const char *function; /* its name */
    const WlyTemplateMethod *method;
  };
};

struct WlyTemplateMethod {
  WlyTemplateValue receiver;
  const char *name;
};

/* How deep lists may stand in lists where they are compared or written. */
#define WLY_TEMPLATE_VALUE_DEPTH 64

const char *wly_template_value_kind_name (const WlyTemplateValue *value); /* as Python names the type */
gboolean wly_template_value_truth (const WlyTemplateValue *value);
gboolean wly_template_value_is_number (const WlyTemplateValue *value);
double wly_template_value_number (const WlyTemplateValue *value); /* of what is one */
/* ==; what stands deeper than WLY_TEMPLATE_VALUE_DEPTH is not equal.  @n_steps counts the work. */
gboolean wly_template_value_equal (const WlyTemplateValue *left, const WlyTemplateValue *right, guint depth,
                                   guint64 *n_steps);

/* The value of a key of a dictionary; NULL: none. */
const WlyTemplateValue *wly_template_value_lookup (const WlyTemplateItems *dict, const WlyTemplateText *key);
const WlyTemplateValue *wly_template_value_lookup_name (const WlyTemplateItems *dict, const char *key);

/* New empty items; NULL: the arena is full.  Appending gives FALSE then. */
WlyTemplateItems *wly_template_items_new (WlyTemplateArena *arena, gsize size);
gboolean wly_template_items_append (WlyTemplateArena *arena, WlyTemplateItems *items, WlyTemplateValue value);
/* Sets or adds a key. */
gboolean wly_template_items_set (WlyTemplateArena *arena, WlyTemplateItems *dict, const WlyTemplateText *key,
                                 WlyTemplateValue value);

/* A value of a message or of a variable; strings are trusted or not, but roles (see there).  FALSE: the arena is full,
 * or the depth exceeded. */
gboolean wly_template_value_from_variant (WlyTemplateArena *arena, GVariant *variant, gboolean trusted, guint depth,
                                          WlyTemplateValue *ret_value);

/* Characters, not bytes. */
gsize wly_template_value_text_length (const WlyTemplateText *text);

G_END_DECLS
