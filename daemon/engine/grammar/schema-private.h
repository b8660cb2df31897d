/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What the parts of the JSON Schema compiler share.
 *
 * At each place of a value several schemas may apply at once: the one there, what it refers to, the parts of allOf, and
 * one branch of each anyOf. Such a list becomes one rule, made once; what lies deeper becomes rules of its own, by a
 * queue, so that no schema can nest too deep.
 */
#pragma once

#include "grammar/grammar-private.h"
#include "grammar/language.h"
#include "json/json.h"

G_BEGIN_DECLS

typedef enum {
  WLY_SCHEMA_NULL    = 1 << 0,
  WLY_SCHEMA_BOOLEAN = 1 << 1,
  WLY_SCHEMA_INTEGER = 1 << 2,
  WLY_SCHEMA_REAL    = 1 << 3, /* numbers that are no integers */
  WLY_SCHEMA_STRING  = 1 << 4,
  WLY_SCHEMA_ARRAY   = 1 << 5,
  WLY_SCHEMA_OBJECT  = 1 << 6,
  WLY_SCHEMA_ANY     = (1 << 7) - 1,
} WlySchemaTypes;

/* A schema that applies, and which of its keywords others in the list stand for. */
typedef enum {
  WLY_SCHEMA_USED_REF = 1 << 0,
  WLY_SCHEMA_USED_ALL = 1 << 1,
  WLY_SCHEMA_USED_ANY = 1 << 2,
  WLY_SCHEMA_USED_ONE = 1 << 3,
} WlySchemaUsed;

typedef struct {
  WlyJsonId id;
  guint32 used;
} WlySchemaItem;

/* How values are written. */
typedef enum {
  WLY_SCHEMA_JSON,
  WLY_SCHEMA_PYTHON,  /* None, True and False, too, and strings between ' */
  WLY_SCHEMA_MEMBERS, /* the outermost object, by WlySchemaMembers */
  WLY_SCHEMA_RAW,     /* of its values, a string: as it is; and what stands behind a value */
  WLY_SCHEMA_MIXED, /* what may be no string: JSON, or a string that does not look so, as it is; and the same behind */
} WlySchemaForm;

typedef struct {
  WlyJson *json;
  WlyAutomaton *automaton;
  const WlySchemaMembers *members; /* NULL: all is JSON */
  WlySchemaForm form;              /* of the rule that is written */
  GHashTable *rules;               /* GBytes of WlySchemaItem: rule + 1 */
  GPtrArray *queue;                /* GBytes, in the order of `queue_rules` */
  GArray *queue_rules;
  GHashTable *told_apart; /* WlyJsonId of each oneOf that was looked at */
  GHashTable *logic;      /* of schema-logic.c: what is added to a WlyJsonId */
  guint32 n_given;        /* values of the text; those behind were added */
  guint64 work;           /* that its expressions took so far */
  WlyRule space, string, character;
  WlyRule python_string; /* between ' */
  GError *error;         /* the first */
} WlySchema;

/* Notes the first error, with the pointer of a keyword; FALSE. */
gboolean wly_schema_fail (WlySchema *schema, WlyJsonId at, const char *format, ...) G_GNUC_PRINTF (3, 4);

/* Refuses keywords that are not supported or have a value of the wrong kind. */
gboolean wly_schema_keywords_check (WlySchema *schema, WlyJsonId id);
/* Whether a keyword says nothing about values. */
gboolean wly_schema_keyword_is_free (const char *name);
/* A keyword's value, 0: it is not there. */
WlyJsonId wly_schema_get (const WlySchema *schema, const WlySchemaItem *item, const char *keyword);
/* A count; FALSE: it is not there. */
gboolean wly_schema_get_count (WlySchema *schema, const WlySchemaItem *item, const char *keyword, guint32 *ret_count);
/* Types that a list allows. */
guint wly_schema_types (const WlySchema *schema, const GArray *items);
/* The type of a value. */
guint wly_schema_type_of (const WlySchema *schema, WlyJsonId value);

/* Writes what schema-logic.c knows in terms of other keywords; before anything else. */
gboolean wly_schema_logic_read (WlySchema *schema);
/* A schema that applies where @id does; 0: none, or an error. */
WlyJsonId wly_schema_logic_get (WlySchema *schema, WlyJsonId id);
/* The schemas that one with unevaluatedItems or unevaluatedProperties (@keyword) sees: itself, and what it refers to or
 * consists of.  NULL: nothing fulfils them, or an error: which ones they are hangs on the value.  (transfer full) */
GArray *wly_schema_logic_seen (WlySchema *schema, const WlySchemaItem *item, const char *keyword);
/* The schema that a reference leads to; 0: none. */
WlyJsonId wly_schema_find_target (const WlySchema *schema, WlyJsonId ref);

/* The list with all that it refers to; FALSE: nothing can fulfil it, or an error. */
gboolean wly_schema_flatten (WlySchema *schema, GArray *items);
/* The rule of a list of schemas (WlyJsonId), in the form that parts of the one that is written have. */
WlyRule wly_schema_rule (WlySchema *schema, const GArray *ids);
WlyRule wly_schema_rule_of_form (WlySchema *schema, const GArray *ids, WlySchemaForm form);
/* The same values, in another form. */
WlyRule wly_schema_rule_of_items (WlySchema *schema, const GArray *items, WlySchemaForm form);
/* White space, none or some; a comma or a colon with white space around it.  Both give the state behind. */
WlyState wly_schema_space (WlySchema *schema, WlyState from);
WlyState wly_schema_sign (WlySchema *schema, WlyState from, char sign);
/* None, True and False, as far as values of these types may come. */
void wly_schema_python_words (WlySchema *schema, guint types, WlyState from, WlyState to);
/* Whether no value can be of both; @depth: how far to look. */
gboolean wly_schema_disjoint (WlySchema *schema, WlyJsonId a, WlyJsonId b, guint depth);

/* Each writes the values of one kind from @from to @to, by what the flattened list says of that kind. */
void wly_schema_number (WlySchema *schema, const GArray *items, gboolean reals, WlyState from, WlyState to);
void wly_schema_string (WlySchema *schema, const GArray *items, WlyState from, WlyState to);
void wly_schema_array (WlySchema *schema, const GArray *items, WlyState from, WlyState to);
void wly_schema_object (WlySchema *schema, const GArray *items, WlyState from, WlyState to);

/* The forms RAW and MIXED: what has no const and no enum; one value of those. */
void wly_schema_members_value (WlySchema *schema, const GArray *items, WlyState from, WlyState to);
void wly_schema_members_constant (WlySchema *schema, WlyJsonId value, WlyState from, WlyState to);
/* Whether a member of the outermost object is a string, by what stands at its name; it is RAW then. */
gboolean wly_schema_members_is_text (const WlySchema *schema, const char *name, gsize n_bytes);
/* The names that can be written; NULL with an error. */
WlyDfa *wly_schema_members_names (WlySchema *schema);
/* The values of a schema with const, or else enum: the list, or (@ret_one) the value itself; 0: there is none. */
WlyJsonId wly_schema_find_values (const WlySchema *schema, const GArray *items, gboolean *ret_one);
/* The value behind @after (0: the first) of a list, or with @one of the value itself; 0: none. */
WlyJsonId wly_schema_next_value (const WlySchema *schema, WlyJsonId values, gboolean one, WlyJsonId after);
/* Writes those of some values (@values: a list, or with @one the value itself) that the list allows, and all its const
 * and enum have. */
void wly_schema_values (WlySchema *schema, const GArray *items, WlyJsonId values, gboolean one, WlyState from,
                        WlyState to);

/* How two numbers of a text compare, as strcmp() says it; FALSE: one has too many digits. */
gboolean wly_schema_number_compare (const char *a, const char *b, int *ret_order);
/* The texts of a number's list (NULL with an error, or where there are none), and of a string's. */
WlyDfa *wly_schema_number_texts (WlySchema *schema, const GArray *items, gboolean reals);
/* NULL without an error: the list says nothing but lengths. */
WlyDfa *wly_schema_string_texts (WlySchema *schema, const GArray *items, gboolean lengths);
WlyDfa *wly_schema_pattern (WlySchema *schema, WlyJsonId at, const char *text, gsize n_bytes, WlyLanguageUse use);
/* Notes what it took to make one; FALSE with an error: too much in all. */
gboolean wly_schema_count_work (WlySchema *schema, WlyJsonId at, const WlyDfa *dfa);
/* The common part, either may be NULL (all texts) and is taken over; NULL with an error: too large. */
WlyDfa *wly_schema_both (WlySchema *schema, WlyJsonId at, WlyDfa *a, WlyDfa *b);

static inline const WlySchemaItem *
wly_schema_item (const GArray *items, guint i)
{
  return &g_array_index (items, WlySchemaItem, i);
}

G_END_DECLS
