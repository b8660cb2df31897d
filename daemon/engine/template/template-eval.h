/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * One run of a compiled template: its state, expressions, and the tables of what templates can call.
 *
 * Everything costs steps; a run that has used up its own fails.  Recursion follows the nesting of the source, which the
 * parser bounds; chains such as a + b + c or a.b.c are run in a loop.
 */
#pragma once

#include "template/template-ast.h"
#include "template/template-value.h"

G_BEGIN_DECLS

#define WLY_TEMPLATE_MAX_OUTPUT    (8u << 20)
#define WLY_TEMPLATE_MAX_MEMORY    (64u << 20)
#define WLY_TEMPLATE_MAX_ARGUMENTS 32
#define WLY_TEMPLATE_MAX_RANGE     100000
#define WLY_TEMPLATE_MAX_NESTED    512 /* expressions and bodies that run in each other, across macros */

/* Names are interned by the parser, so inner scopes compare pointers; the outermost one has what came from outside. */
typedef struct {
  const char *name;
  WlyTemplateValue value;
} WlyTemplateVariable;

typedef struct WlyTemplateScope WlyTemplateScope;

struct WlyTemplateScope {
  WlyTemplateScope *parent; /* NULL: the outermost */
  WlyTemplateVariable *variables;
  guint n_variables, size;
};

/* What a statement asks the loop around it for. */
typedef enum {
  WLY_TEMPLATE_GO_ON,
  WLY_TEMPLATE_BREAK,
  WLY_TEMPLATE_CONTINUE,
} WlyTemplateSignal;

struct WlyTemplateMacro {
  const WlyTemplateNode *node;
  WlyTemplateScope *scope; /* where it was defined: what it sees */
};

struct WlyTemplateLoop {
  const WlyTemplateNode *node;
  WlyTemplateScope *scope; /* where it stands */
  const WlyTemplateItems *items;
  gsize index;
  guint depth;               /* of a recursive one, from 0 */
  WlyTemplateValue *changed; /* what changed() saw last, a tuple; NULL: nothing yet */
};

struct WlyTemplateCounter {
  WlyTemplateItems *items; /* of a cycler; a joiner has its separator */
  gsize n_used;
};

typedef struct {
  const WlyTemplateAst *ast;
  WlyTemplateArena *arena;
  WlyTemplateBuilder *output;
  WlyTemplateScope *scope; /* the innermost */
  GArray *chain;           /* guint32: nodes of chains that are being run */
  WlyTemplateValue captured;
  guint64 n_steps;
  guint n_nested;
  guint line;
  WlyTemplateSignal signal;
  GError **error;
} WlyTemplateEval;

typedef struct {
  WlyTemplateValue values[WLY_TEMPLATE_MAX_ARGUMENTS];
  const char *names[WLY_TEMPLATE_MAX_ARGUMENTS]; /* NULL: by place; those come first */
  guint n;
} WlyTemplateArguments;

/* What stands in the tables of filters and methods. */
typedef gboolean (*WlyTemplateFunction) (WlyTemplateEval *eval, const WlyTemplateValue *value,
                                         const WlyTemplateArguments *arguments, WlyTemplateValue *ret_value);

typedef struct {
  const char *name;
  WlyTemplateFunction run;
} WlyTemplateRow;

/* NULL: there is none of this name. */
const WlyTemplateRow *wly_template_eval_row (const WlyTemplateRow *rows, gsize n_rows, const char *name);

/* All functions below: FALSE: the error is set. */
gboolean wly_template_eval_fail (WlyTemplateEval *eval, const char *format, ...) G_GNUC_PRINTF (2, 3);
gboolean wly_template_eval_full (WlyTemplateEval *eval); /* fails: no memory is left */
gboolean wly_template_eval_step (WlyTemplateEval *eval, guint64 n_steps);
gboolean wly_template_eval_nest (WlyTemplateEval *eval); /* then --n_nested */

gboolean wly_template_eval_expression (WlyTemplateEval *eval, guint32 node, WlyTemplateValue *ret_value);
/* The value of this name in the innermost scope that has one, or undefined. */
WlyTemplateValue wly_template_eval_get (WlyTemplateEval *eval, const char *name);
/* In the innermost scope. */
gboolean wly_template_eval_set (WlyTemplateEval *eval, const char *name, WlyTemplateValue value);
/* A new innermost scope behind @parent. */
gboolean wly_template_eval_enter (WlyTemplateEval *eval, WlyTemplateScope *parent);
gboolean wly_template_eval_call (WlyTemplateEval *eval, const WlyTemplateValue *callee,
                                 const WlyTemplateArguments *arguments, WlyTemplateValue *ret_value);
gboolean wly_template_eval_arguments (WlyTemplateEval *eval, guint32 first, WlyTemplateArguments *ret_arguments);
gboolean wly_template_eval_append_argument (WlyTemplateEval *eval, WlyTemplateArguments *arguments, const char *name,
                                            WlyTemplateValue value);
/* .name of a value: undefined where there is none. */
gboolean wly_template_eval_attribute (WlyTemplateEval *eval, const WlyTemplateValue *value, const char *name,
                                      WlyTemplateValue *ret_value);
/* The same without items of dictionaries: methods and the like only. */
gboolean wly_template_eval_own_attribute (WlyTemplateEval *eval, const WlyTemplateValue *value, const char *name,
                                          WlyTemplateValue *ret_value);
/* value[index]. */
gboolean wly_template_eval_item (WlyTemplateEval *eval, const WlyTemplateValue *value, const WlyTemplateValue *index,
                                 WlyTemplateValue *ret_value);
/* What a loop goes through: items of a list, keys of a dictionary, characters of a text. */
gboolean wly_template_eval_items (WlyTemplateEval *eval, const WlyTemplateValue *value, WlyTemplateItems **ret_items);
gboolean wly_template_eval_new_text (WlyTemplateEval *eval, const char *data, gsize n_bytes, gboolean trusted,
                                     WlyTemplateValue *ret_value);
gboolean wly_template_eval_take (WlyTemplateEval *eval, const WlyTemplateText *text, WlyTemplateValue *ret_value);
/* Bytes @start to @end of a text. */
gboolean wly_template_eval_part (WlyTemplateEval *eval, const WlyTemplateText *text, gsize start, gsize end,
                                 WlyTemplateValue *ret_value);
/* The builder's text; the builder is empty then. */
gboolean wly_template_eval_finish (WlyTemplateEval *eval, WlyTemplateBuilder *builder, WlyTemplateValue *ret_value);
gboolean wly_template_eval_new_list (WlyTemplateEval *eval, WlyTemplateValue *ret_value);
gboolean wly_template_eval_append (WlyTemplateEval *eval, WlyTemplateValue *list, WlyTemplateValue item);
gboolean wly_template_eval_put (WlyTemplateEval *eval, WlyTemplateValue *dict, WlyTemplateValue key,
                                WlyTemplateValue value);
/* A tuple of two. */
gboolean wly_template_eval_new_pair (WlyTemplateEval *eval, WlyTemplateValue first, WlyTemplateValue second,
                                     WlyTemplateValue *ret_value);

/* template-arguments.c */
/* Fills @ret_values as Python would by a signature "a b/c d": names, those before the slash are needed.  Arguments that
 * were not given are NULL; too many, or of another name: an error.  At most 8 names. */
gboolean wly_template_arguments_bind (WlyTemplateEval *eval, const WlyTemplateArguments *arguments,
                                      const char *signature, const WlyTemplateValue **ret_values);
gboolean wly_template_arguments_text (WlyTemplateEval *eval, const WlyTemplateValue *value,
                                      const WlyTemplateText **ret_text);
/* NULL where it was not given (@value is NULL) or is none. */
gboolean wly_template_arguments_text_or_none (WlyTemplateEval *eval, const WlyTemplateValue *value,
                                              const WlyTemplateText **ret_text);
/* @fallback where it was not given (@value is NULL). */
gboolean wly_template_arguments_integer (WlyTemplateEval *eval, const WlyTemplateValue *value, gint64 fallback,
                                         gint64 *ret_integer);
/* @fallback where it was not given or is none. */
gboolean wly_template_arguments_integer_or_none (WlyTemplateEval *eval, const WlyTemplateValue *value, gint64 fallback,
                                                 gint64 *ret_integer);

/* template-operators.c */
gboolean wly_template_operators_binary (WlyTemplateEval *eval, guint32 sign, const WlyTemplateValue *left,
                                        const WlyTemplateValue *right, WlyTemplateValue *ret_value);
/* @sign: of two characters, 0: in, 1: not in. */
gboolean wly_template_operators_compare (WlyTemplateEval *eval, guint32 sign, const WlyTemplateValue *left,
                                         const WlyTemplateValue *right, gboolean *ret_result);
gboolean wly_template_operators_in (WlyTemplateEval *eval, const WlyTemplateValue *item,
                                    const WlyTemplateValue *container, gboolean *ret_result);
/* < 0, 0, > 0; @depth: 0. */
gboolean wly_template_operators_order (WlyTemplateEval *eval, const WlyTemplateValue *left,
                                       const WlyTemplateValue *right, guint depth, int *ret_order);
/* @parts: start, stop, step; NULL: not given. */
gboolean wly_template_operators_slice (WlyTemplateEval *eval, const WlyTemplateValue *value,
                                       const WlyTemplateValue *const parts[3], WlyTemplateValue *ret_value);
/* Byte of the character @index of a text. */
gsize wly_template_operators_place (const WlyTemplateText *text, gsize index);

/* template-filters.c, template-filters-list.c */
gboolean wly_template_filters_known (const char *name);
gboolean wly_template_filters_run (WlyTemplateEval *eval, const char *name, const WlyTemplateValue *value,
                                   const WlyTemplateArguments *arguments, WlyTemplateValue *ret_value);
const WlyTemplateRow *wly_template_filters_list_find (const char *name);

/* template-tests.c */
gboolean wly_template_tests_known (const char *name);
gboolean wly_template_tests_run (WlyTemplateEval *eval, const char *name, const WlyTemplateValue *value,
                                 const WlyTemplateArguments *arguments, gboolean *ret_result);

/* template-methods.c, and those of texts: template-methods-text.c, template-methods-part.c, template-methods-ask.c */
/* NULL: there is none; @ret_name: the name as a text that stays, NULL is fine. */
WlyTemplateFunction wly_template_methods_find (const WlyTemplateValue *value, const char *name, const char **ret_name);
const WlyTemplateRow *wly_template_methods_text_find (const char *name);
const WlyTemplateRow *wly_template_methods_part_find (const char *name);
const WlyTemplateRow *wly_template_methods_ask_find (const char *name);
gboolean wly_template_methods_run (WlyTemplateEval *eval, const WlyTemplateMethod *method,
                                   const WlyTemplateArguments *arguments, WlyTemplateValue *ret_value);
/* Text without @characters (NULL: white space) at its start and end. */
gboolean wly_template_methods_strip (WlyTemplateEval *eval, const WlyTemplateText *text,
                                     const WlyTemplateText *characters, gboolean start, gboolean end,
                                     WlyTemplateValue *ret_value);
/* @limit: at most so many times, negative: all. */
gboolean wly_template_methods_replace (WlyTemplateEval *eval, const WlyTemplateText *text, const WlyTemplateText *old,
                                       const WlyTemplateText *new, gint64 limit, WlyTemplateValue *ret_value);
gboolean wly_template_methods_split_lines (WlyTemplateEval *eval, const WlyTemplateText *text, gboolean keep_ends,
                                           WlyTemplateValue *ret_value);
/* In the middle of @width characters. */
gboolean wly_template_methods_center (WlyTemplateEval *eval, const WlyTemplateText *text, gint64 width,
                                      const WlyTemplateText *fill, WlyTemplateValue *ret_value);

/* template-case.c */
typedef enum {
  WLY_TEMPLATE_UPPER,
  WLY_TEMPLATE_LOWER,
  WLY_TEMPLATE_TITLE,
  WLY_TEMPLATE_CAPITALIZE,
  WLY_TEMPLATE_SWAP,
  WLY_TEMPLATE_HEADING, /* as the filter title */
} WlyTemplateCase;
gboolean wly_template_case_change (WlyTemplateEval *eval, const WlyTemplateText *text, WlyTemplateCase to,
                                   WlyTemplateValue *ret_value);
/* Whether every letter with a case has this one (or, title, begins words so), and there is one. */
gboolean wly_template_case_is (const WlyTemplateText *text, WlyTemplateCase which);

/* template-functions.c: the interned name of a function; NULL: there is none. */
const char *wly_template_functions_find (const char *name);
gboolean wly_template_functions_run (WlyTemplateEval *eval, const char *function, const WlyTemplateArguments *arguments,
                                     WlyTemplateValue *ret_value);

/* template-time.c: as strftime() in English; FALSE: it does not fit. */
gboolean wly_template_time_write (GDateTime *date_time, const char *format, char *buffer, gsize n_buffer,
                                  gsize *ret_n_bytes);

/* template-json.c: arguments as json.dumps() has them. */
gboolean wly_template_json_run (WlyTemplateEval *eval, const WlyTemplateValue *value,
                                const WlyTemplateArguments *arguments, WlyTemplateValue *ret_value);

/* template-repr.c: as str() and repr() of Python. */
gboolean wly_template_repr_text (WlyTemplateEval *eval, const WlyTemplateValue *value,
                                 const WlyTemplateText **ret_text);
gboolean wly_template_repr_run (WlyTemplateEval *eval, const WlyTemplateValue *value, WlyTemplateValue *ret_value);
/* A number as repr() writes it; @buffer of 40 bytes. */
void wly_template_repr_real (double real, char *buffer);

/* template-format.c: "%d" % values, "{}".format(arguments), and one value by a specification such as ">8". */
gboolean wly_template_format_percent (WlyTemplateEval *eval, const WlyTemplateText *format,
                                      const WlyTemplateValue *values, WlyTemplateValue *ret_value);
gboolean wly_template_format_braces (WlyTemplateEval *eval, const WlyTemplateText *format,
                                     const WlyTemplateArguments *arguments, WlyTemplateValue *ret_value);

/* template-escape.c: HTML, URLs */
gboolean wly_template_escape_html (WlyTemplateEval *eval, const WlyTemplateText *text, WlyTemplateValue *ret_value);
gboolean wly_template_escape_url (WlyTemplateEval *eval, const WlyTemplateText *text, gboolean query,
                                  WlyTemplateValue *ret_value);

/* template-run.c: statements along next. */
gboolean wly_template_run_body (WlyTemplateEval *eval, guint32 first);
gboolean wly_template_run_macro (WlyTemplateEval *eval, const WlyTemplateMacro *macro,
                                 const WlyTemplateArguments *arguments, WlyTemplateValue *ret_value);
/* loop (items) of a recursive loop. */
gboolean wly_template_run_loop (WlyTemplateEval *eval, const WlyTemplateLoop *loop, const WlyTemplateValue *items,
                                WlyTemplateValue *ret_value);

/* template-loop.c: what a loop knows; undefined where there is no such name. */
gboolean wly_template_loop_attribute (WlyTemplateEval *eval, const WlyTemplateLoop *loop, const char *name,
                                      WlyTemplateValue *ret_value);
WlyTemplateFunction wly_template_loop_method (WlyTemplateKind kind, const char *name);
gboolean wly_template_loop_next (WlyTemplateEval *eval, const WlyTemplateValue *counter, WlyTemplateValue *ret_value);

G_END_DECLS
