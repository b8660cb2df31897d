/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Source to nodes.  Recursion is bounded by WLY_TEMPLATE_MAX_DEPTH.
 */
#pragma once

#include "template/template-ast.h"
#include "template/template-lexer.h"

G_BEGIN_DECLS

/* @source: valid UTF-8 without NUL.  @ast is zeroed; clear it on failure, too.  Errors: WLY_ERROR_TEMPLATE_FAILED. */
gboolean wly_template_parser_run (const char *source, gsize n_bytes, WlyTemplateAst *ast, GError **error);
void wly_template_parser_clear (WlyTemplateAst *ast);

/* ---- for the parts of the parser ---- */

typedef struct {
  WlyTemplateLexer lexer;
  WlyTemplateToken token; /* the one to look at */
  WlyTemplateAst *ast;
  guint depth;
  guint n_loops; /* blocks around that break may end */
  gboolean soft; /* in a branch: a filter that is not known fails when it is run, elsewhere at once */
  char *unknown; /* the first one that fails at once */
  guint8 uses;   /* WLY_TEMPLATE_USES_: names that were read since somebody cleared it */
  GError **error;
} WlyTemplateParser;

gboolean wly_template_parser_fail (WlyTemplateParser *parser, const char *format, ...) G_GNUC_PRINTF (2, 3);
gboolean wly_template_parser_next (WlyTemplateParser *parser);
/* Whether the token is this sign or name; take: and goes on if so. */
gboolean wly_template_parser_is (const WlyTemplateParser *parser, char first, char second);
gboolean wly_template_parser_is_name (const WlyTemplateParser *parser, const char *name);
/* Takes the sign, or fails. */
gboolean wly_template_parser_expect (WlyTemplateParser *parser, char first);
gboolean wly_template_parser_expect_name (WlyTemplateParser *parser, const char *name);
/* A new node; 0: there are too many, and the error is set. */
guint32 wly_template_parser_add (WlyTemplateParser *parser, WlyTemplateNodeKind kind);
WlyTemplateNode *wly_template_parser_node (WlyTemplateParser *parser, guint32 node); /* until the next is added */
/* Puts @node behind *last along next; the first is *first. */
void wly_template_parser_link (WlyTemplateParser *parser, guint32 *first, guint32 *last, guint32 node);
/* Gives the node the token's text, and goes on. */
gboolean wly_template_parser_take_text (WlyTemplateParser *parser, guint32 node);
gboolean wly_template_parser_enter (WlyTemplateParser *parser); /* then --depth */

/* template-statements.c: up to a tag that ends a body, whose name is then the token, or to the end. */
gboolean wly_template_statements_parse (WlyTemplateParser *parser, guint32 *ret_first);

/* template-expression.c: 0: the error is set.  A tuple is an expression with commas outside of brackets. */
guint32 wly_template_expression_parse (WlyTemplateParser *parser);
guint32 wly_template_expression_parse_tuple (WlyTemplateParser *parser);
/* The same without "a if b else c" at its top: what a loop goes through. */
guint32 wly_template_expression_parse_plain (WlyTemplateParser *parser);
guint32 wly_template_expression_parse_plain_tuple (WlyTemplateParser *parser);
/* Filters of a block, at the first one's name. */
guint32 wly_template_expression_parse_filters (WlyTemplateParser *parser);
/* What set and for assign to: a name, name.name where @attributes, or a TUPLE of them. */
guint32 wly_template_expression_parse_target (WlyTemplateParser *parser, gboolean attributes);

G_END_DECLS
