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
/* Gives the node the token's text, and goes on. */
gboolean wly_template_parser_take_text (WlyTemplateParser *parser, guint32 node);
gboolean wly_template_parser_enter (WlyTemplateParser *parser); /* then --depth */

/* template-expression.c: 0: the error is set.  A tuple is an expression with commas outside of brackets. */
guint32 wly_template_expression_parse (WlyTemplateParser *parser);
guint32 wly_template_expression_parse_tuple (WlyTemplateParser *parser);
/* The same without "a if b else c" at its top: what a loop goes through. */
guint32 wly_template_expression_parse_plain (WlyTemplateParser *parser);

G_END_DECLS
