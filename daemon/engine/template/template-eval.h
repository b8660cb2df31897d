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

#define WLY_TEMPLATE_MAX_STEPS     1000000u
#define WLY_TEMPLATE_MAX_OUTPUT    (8u << 20)
#define WLY_TEMPLATE_MAX_MEMORY    (64u << 20)
#define WLY_TEMPLATE_MAX_ARGUMENTS 16
#define WLY_TEMPLATE_MAX_RANGE     100000

typedef struct {
  const char *name;
  WlyTemplateValue value;
} WlyTemplateVariable;

/* What a statement asks the loop around it for. */
typedef enum {
  WLY_TEMPLATE_GO_ON,
  WLY_TEMPLATE_BREAK,
  WLY_TEMPLATE_CONTINUE,
} WlyTemplateSignal;

typedef struct {
  const WlyTemplateAst *ast;
  WlyTemplateArena *arena;
  WlyTemplateBuilder *output;
  GArray *variables; /* WlyTemplateVariable; inner scopes behind outer ones */
  guint scope;       /* where the innermost begins */
  GArray *chain;     /* guint32: nodes of chains that are being run */
  guint64 n_steps;
  guint line;
  WlyTemplateSignal signal;
  GError **error;
} WlyTemplateEval;

typedef struct {
  WlyTemplateValue values[WLY_TEMPLATE_MAX_ARGUMENTS];
  const char *names[WLY_TEMPLATE_MAX_ARGUMENTS]; /* NULL: by place */
  guint n;
} WlyTemplateArguments;

/* All functions below: FALSE: the error is set. */
gboolean wly_template_eval_fail (WlyTemplateEval *eval, const char *format, ...) G_GNUC_PRINTF (2, 3);
gboolean wly_template_eval_full (WlyTemplateEval *eval); /* fails: no memory is left */
gboolean wly_template_eval_step (WlyTemplateEval *eval, guint64 n_steps);

gboolean wly_template_eval_expression (WlyTemplateEval *eval, guint32 node, WlyTemplateValue *ret_value);
/* Behind the last value of this name, or with no value where there is none. */
WlyTemplateValue wly_template_eval_get (WlyTemplateEval *eval, const char *name);
void wly_template_eval_set (WlyTemplateEval *eval, const char *name, WlyTemplateValue value); /* innermost scope */
gboolean wly_template_eval_arguments (WlyTemplateEval *eval, guint32 first, WlyTemplateArguments *ret_arguments);
/* As str() of Python. */
gboolean wly_template_eval_text (WlyTemplateEval *eval, const WlyTemplateValue *value,
                                 const WlyTemplateText **ret_text);
/* .name or [name] of a value: undefined where there is none. */
gboolean wly_template_eval_attribute (WlyTemplateEval *eval, const WlyTemplateValue *value, const char *name,
                                      WlyTemplateValue *ret_value);
/* What a loop goes through: items of a list, keys of a dictionary, characters of a text. */
gboolean wly_template_eval_items (WlyTemplateEval *eval, const WlyTemplateValue *value, WlyTemplateItems **ret_items);
gboolean wly_template_eval_new_text (WlyTemplateEval *eval, const char *data, gsize n_bytes, gboolean trusted,
                                     WlyTemplateValue *ret_value);
gboolean wly_template_eval_take (WlyTemplateEval *eval, const WlyTemplateText *text, WlyTemplateValue *ret_value);
gboolean wly_template_eval_new_list (WlyTemplateEval *eval, WlyTemplateValue *ret_value);
gboolean wly_template_eval_append (WlyTemplateEval *eval, WlyTemplateValue *list, WlyTemplateValue item);

/* The argument at @place or of this name; NULL: not given. */
const WlyTemplateValue *wly_template_arguments_get (const WlyTemplateArguments *arguments, guint place,
                                                    const char *name);

/* template-operators.c */
gboolean wly_template_operators_binary (WlyTemplateEval *eval, guint32 sign, const WlyTemplateValue *left,
                                        const WlyTemplateValue *right, WlyTemplateValue *ret_value);
gboolean wly_template_operators_compare (WlyTemplateEval *eval, guint32 sign, const WlyTemplateValue *left,
                                         const WlyTemplateValue *right, gboolean *ret_result);
gboolean wly_template_operators_in (WlyTemplateEval *eval, const WlyTemplateValue *item,
                                    const WlyTemplateValue *container, gboolean *ret_result);
gboolean wly_template_operators_index (WlyTemplateEval *eval, const WlyTemplateValue *value,
                                       const WlyTemplateValue *index, WlyTemplateValue *ret_value);
/* @parts: start, stop, step; NULL: not given. */
gboolean wly_template_operators_slice (WlyTemplateEval *eval, const WlyTemplateValue *value,
                                       const WlyTemplateValue *const parts[3], WlyTemplateValue *ret_value);

/* template-filters.c, template-tests.c, template-methods.c, template-functions.c, template-json.c */
gboolean wly_template_filters_run (WlyTemplateEval *eval, const char *name, const WlyTemplateValue *value,
                                   const WlyTemplateArguments *arguments, WlyTemplateValue *ret_value);
gboolean wly_template_tests_run (WlyTemplateEval *eval, const char *name, const WlyTemplateValue *value,
                                 const WlyTemplateArguments *arguments, gboolean *ret_result);
gboolean wly_template_methods_known (const WlyTemplateValue *value, const char *name);
gboolean wly_template_methods_run (WlyTemplateEval *eval, const WlyTemplateMethod *method,
                                   const WlyTemplateArguments *arguments, WlyTemplateValue *ret_value);
/* The interned name of a function; NULL: there is none. */
const char *wly_template_functions_find (const char *name);
gboolean wly_template_functions_run (WlyTemplateEval *eval, const char *function, const WlyTemplateArguments *arguments,
                                     WlyTemplateValue *ret_value);
/* @indent: spaces of each level, negative: all in one line. */
gboolean wly_template_json_write (WlyTemplateEval *eval, const WlyTemplateValue *value, gint indent,
                                  WlyTemplateValue *ret_value);

/* Text without @characters (NULL: white space) at its start and end. */
gboolean wly_template_methods_strip (WlyTemplateEval *eval, const WlyTemplateText *text,
                                     const WlyTemplateText *characters, gboolean start, gboolean end,
                                     WlyTemplateValue *ret_value);
gboolean wly_template_methods_replace (WlyTemplateEval *eval, const WlyTemplateText *text, const WlyTemplateText *old,
                                       const WlyTemplateText *new, WlyTemplateValue *ret_value);
typedef enum {
  WLY_TEMPLATE_UPPER,
  WLY_TEMPLATE_LOWER,
  WLY_TEMPLATE_TITLE,
  WLY_TEMPLATE_CAPITALIZE,
} WlyTemplateCase;
gboolean wly_template_methods_case (WlyTemplateEval *eval, const WlyTemplateText *text, WlyTemplateCase to,
                                    WlyTemplateValue *ret_value);
gboolean wly_template_methods_dict_items (WlyTemplateEval *eval, const WlyTemplateValue *dict,
                                          WlyTemplateValue *ret_value);

/* template-run.c: statements along next. */
gboolean wly_template_run_body (WlyTemplateEval *eval, guint32 first);

G_END_DECLS
