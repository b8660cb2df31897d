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
  WLY_TEMPLATE_LIST, /* whatever has items in a row: see its flavour */
  WLY_TEMPLATE_DICT,
  WLY_TEMPLATE_NAMESPACE, /* a dictionary that set may change */
  WLY_TEMPLATE_FUNCTION,  /* a function by name */
  WLY_TEMPLATE_METHOD,    /* a function of a value */
  WLY_TEMPLATE_MACRO,
  WLY_TEMPLATE_LOOP,   /* the variable loop */
  WLY_TEMPLATE_CYCLER, /* of cycler() */
  WLY_TEMPLATE_JOINER, /* of joiner() */
} WlyTemplateKind;

/* Kinds of one kind, 0 is the plain one. */
enum {
  WLY_TEMPLATE_MARKUP = 1, /* text: what |safe and |escape give; escapes what is added to it */

  WLY_TEMPLATE_TUPLE = 1, /* list */
  WLY_TEMPLATE_GROUP,     /* list: a tuple of groupby, whose items have names */
  WLY_TEMPLATE_RANGE,     /* list: of range() */
  WLY_TEMPLATE_GENERATOR, /* list: what filters give that work item by item: always true, has no length, used once */
  WLY_TEMPLATE_KEYS,      /* list: views of a dictionary */
  WLY_TEMPLATE_VALUES,
  WLY_TEMPLATE_PAIRS,
};

typedef struct WlyTemplateValue WlyTemplateValue;

typedef struct {
  WlyTemplateValue *items; /* dictionaries: key, value, key, value … in order */
  gsize n_items, size;
  const gint64 *range; /* start, stop, step of a range */
} WlyTemplateItems;

typedef struct WlyTemplateMethod WlyTemplateMethod;
typedef struct WlyTemplateMacro WlyTemplateMacro;     /* template-eval.h */
typedef struct WlyTemplateLoop WlyTemplateLoop;       /* template-eval.h */
typedef struct WlyTemplateCounter WlyTemplateCounter; /* template-eval.h */

struct WlyTemplateValue {
  WlyTemplateKind kind;
  guint32 flavour;
  union {
    gboolean boolean;
    gint64 integer;
    double real;
    const WlyTemplateText *text;
    WlyTemplateItems *items;
    const char *function; /* its name */
    const WlyTemplateMethod *method;
    const WlyTemplateMacro *macro;
    WlyTemplateLoop *loop;
    WlyTemplateCounter *counter;
  };
};

struct WlyTemplateMethod {
  WlyTemplateValue receiver;
  const char *name;
};

#define WLY_TEMPLATE_VALUE_UNDEFINED  ((WlyTemplateValue){ .kind = WLY_TEMPLATE_UNDEFINED })
#define WLY_TEMPLATE_VALUE_NONE       ((WlyTemplateValue){ .kind = WLY_TEMPLATE_NONE })
#define WLY_TEMPLATE_VALUE_BOOLEAN(b) ((WlyTemplateValue){ .kind = WLY_TEMPLATE_BOOLEAN, .boolean = (b) })
#define WLY_TEMPLATE_VALUE_INTEGER(i) ((WlyTemplateValue){ .kind = WLY_TEMPLATE_INTEGER, .integer = (i) })
#define WLY_TEMPLATE_VALUE_FLOAT(r)   ((WlyTemplateValue){ .kind = WLY_TEMPLATE_FLOAT, .real = (r) })
#define WLY_TEMPLATE_VALUE_TEXT(t)    ((WlyTemplateValue){ .kind = WLY_TEMPLATE_TEXT, .text = (t) })

/* How deep lists may stand in lists where they are compared or written. */
#define WLY_TEMPLATE_VALUE_DEPTH 64
/* Parts of a key that is a tuple, 64 bytes of a text being one; what has more is equal to no other. */
#define WLY_TEMPLATE_VALUE_KEY_PARTS 4096

/* What a run may take. */
#define WLY_TEMPLATE_MAX_STEPS 8000000u

const char *wly_template_value_kind_name (const WlyTemplateValue *value); /* as Python names the type */
gboolean wly_template_value_truth (const WlyTemplateValue *value);
gboolean wly_template_value_is_number (const WlyTemplateValue *value);
double wly_template_value_number (const WlyTemplateValue *value); /* of what is one */
/* A whole number, or a boolean, which is one, too. */
gboolean wly_template_value_integer (const WlyTemplateValue *value, gint64 *ret_integer);
/* A sequence of items: what has a length and places, unlike views and what filters give. */
gboolean wly_template_value_is_sequence (const WlyTemplateValue *value);
/* ==; what stands deeper than WLY_TEMPLATE_VALUE_DEPTH is not equal.  @n_steps counts the work, for lists that hold one
 * list many times are larger than they look; beyond WLY_TEMPLATE_MAX_STEPS nothing is compared any more, and a run that
 * is charged with so many fails. */
gboolean wly_template_value_equal (const WlyTemplateValue *left, const WlyTemplateValue *right, guint depth,
                                   guint64 *n_steps);

/* What may be a key: no list and no dictionary. */
gboolean wly_template_value_is_key (const WlyTemplateValue *value);
/* The value of a key of a dictionary; NULL: none. */
const WlyTemplateValue *wly_template_value_lookup (const WlyTemplateItems *dict, const WlyTemplateValue *key);
const WlyTemplateValue *wly_template_value_lookup_name (const WlyTemplateItems *dict, const char *key);

/* New empty items; NULL: the arena is full.  Appending gives FALSE then. */
WlyTemplateItems *wly_template_items_new (WlyTemplateArena *arena, gsize size);
gboolean wly_template_items_append (WlyTemplateArena *arena, WlyTemplateItems *items, WlyTemplateValue value);
/* Sets or adds a key. */
gboolean wly_template_items_set (WlyTemplateArena *arena, WlyTemplateItems *dict, WlyTemplateValue key,
                                 WlyTemplateValue value);

/* A value of a message or of a variable; strings are trusted or not, but roles (see there).  FALSE: the arena is full,
 * or the depth exceeded. */
gboolean wly_template_value_from_variant (WlyTemplateArena *arena, GVariant *variant, gboolean trusted, guint depth,
                                          WlyTemplateValue *ret_value);

/* Characters, not bytes. */
gsize wly_template_value_text_length (const WlyTemplateText *text);

G_END_DECLS
