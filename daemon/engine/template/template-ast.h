/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A compiled template: nodes in one array that name each other by index, 0 is none.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* How deep expressions and blocks may nest: bounds every recursion here. */
#define WLY_TEMPLATE_MAX_DEPTH 64
#define WLY_TEMPLATE_MAX_NODES (1u << 20)

/* Operators of one or two signs: the first, and the second shifted by 8. */
#define WLY_TEMPLATE_OPERATOR(first, second) ((guint32)(guint8)(first) | (guint32)(guint8)(second) << 8)

typedef enum {
  /* expressions; a, b, c, d are nodes, text is a name or text */
  WLY_TEMPLATE_NODE_TEXT = 1, /* text */
  WLY_TEMPLATE_NODE_INTEGER,  /* integer */
  WLY_TEMPLATE_NODE_FLOAT,    /* real */
  WLY_TEMPLATE_NODE_BOOLEAN,  /* integer */
  WLY_TEMPLATE_NODE_NONE,
  WLY_TEMPLATE_NODE_NAME,     /* text */
  WLY_TEMPLATE_NODE_LIST,     /* a: items along next */
  WLY_TEMPLATE_NODE_TUPLE,    /* the same */
  WLY_TEMPLATE_NODE_DICT,     /* a: key, value, key, value … along next */
  WLY_TEMPLATE_NODE_CHOICE,   /* a if b else c */
  WLY_TEMPLATE_NODE_NOT,      /* a */
  WLY_TEMPLATE_NODE_NEGATIVE, /* a */
  WLY_TEMPLATE_NODE_POSITIVE, /* a */
  WLY_TEMPLATE_NODE_CAPTURED, /* the text that a block has just written; filters of blocks begin with it */
  /* expressions that begin with another one, a: chains of them are run in a loop */
  WLY_TEMPLATE_NODE_BINARY,    /* a sign b */
  WLY_TEMPLATE_NODE_COMPARE,   /* a, then b: COMPARE_LINKs along next */
  WLY_TEMPLATE_NODE_AND,       /* a and b */
  WLY_TEMPLATE_NODE_OR,        /* a or b */
  WLY_TEMPLATE_NODE_ATTRIBUTE, /* a.text */
  WLY_TEMPLATE_NODE_INDEX,     /* a[b] */
  WLY_TEMPLATE_NODE_SLICE,     /* a[b:c:d] */
  WLY_TEMPLATE_NODE_CALL,      /* a (b: arguments along next) */
  WLY_TEMPLATE_NODE_FILTER,    /* a | text (b: arguments) */
  WLY_TEMPLATE_NODE_TEST,      /* a is text (b: arguments); integer: is not */
  /* part of a call */
  WLY_TEMPLATE_NODE_ARGUMENT, /* a; text: keyword or NULL; sign: 1: *a, 2: **a */
  /* part of a comparison: 1 < x <= 2 has two */
  WLY_TEMPLATE_NODE_COMPARE_LINK, /* sign a; sign 0: in, 1: not in */
  /* statements, along next */
  WLY_TEMPLATE_NODE_DATA,   /* text */
  WLY_TEMPLATE_NODE_OUTPUT, /* a */
  WLY_TEMPLATE_NODE_IF,     /* a: condition, b: body, c: else body, elif: an IF of its own */
  WLY_TEMPLATE_NODE_FOR,    /* a: target, b: what to go through, c: condition, d: body, e: else body; integer: flags */
  WLY_TEMPLATE_NODE_SET,    /* a: target, b: value */
  WLY_TEMPLATE_NODE_SET_BLOCK,  /* a: target, b: body, c: filters of it or 0 */
  WLY_TEMPLATE_NODE_WITH,       /* a: SETs along next, whose values are all from outside; b: body */
  WLY_TEMPLATE_NODE_SCOPE,      /* a: body in a scope of its own; b: filters of it or 0 */
  WLY_TEMPLATE_NODE_MACRO,      /* text; a: PARAMETERs, b: body; integer: flags */
  WLY_TEMPLATE_NODE_CALL_BLOCK, /* a: the call, b: a MACRO without a name, which the call sees as caller */
  WLY_TEMPLATE_NODE_REFUSED,    /* text: a tag that needs other templates */
  WLY_TEMPLATE_NODE_BREAK,
  WLY_TEMPLATE_NODE_CONTINUE,
  /* part of a macro */
  WLY_TEMPLATE_NODE_PARAMETER, /* text; a: default or 0 */
} WlyTemplateNodeKind;

/* What a loop or a macro looks at. */
enum {
  WLY_TEMPLATE_USES_LOOP    = 1,
  WLY_TEMPLATE_USES_CALLER  = 2,
  WLY_TEMPLATE_USES_VARARGS = 4,
  WLY_TEMPLATE_USES_KWARGS  = 8,
  WLY_TEMPLATE_RECURSIVE    = 16, /* a loop that is called */
};

typedef struct {
  guint16 kind;
  guint32 line;
  guint32 sign; /* WLY_TEMPLATE_OPERATOR() */
  guint32 a, b, c, d, e;
  guint32 elif;
  guint32 next;
  const char *text; /* the AST's, terminated; names are interned: equal ones are one pointer */
  gsize n_bytes;
  union {
    gint64 integer;
    double real;
  };
} WlyTemplateNode;

typedef struct {
  GArray *nodes; /* WlyTemplateNode; the first is not used */
  GStringChunk *texts;
  const char *name_loop, *name_caller, *name_varargs, *name_kwargs; /* interned */
  guint32 root;                                                     /* statements along next */
} WlyTemplateAst;

static inline const WlyTemplateNode *
wly_template_ast_node (const WlyTemplateAst *ast, guint32 index)
{
  return &g_array_index (ast->nodes, WlyTemplateNode, index);
}

G_END_DECLS
