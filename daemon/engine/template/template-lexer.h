/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A template to tokens, with the white-space rules that transformers sets: trim_blocks, lstrip_blocks, the last newline
 * dropped.  Source: the Jinja documentation, "Whitespace Control".
 */
#pragma once

#include "template/template-ast.h"

G_BEGIN_DECLS

typedef enum {
  WLY_TEMPLATE_TOKEN_END,
  WLY_TEMPLATE_TOKEN_DATA, /* text between tags */
  WLY_TEMPLATE_TOKEN_OUTPUT_BEGIN,
  WLY_TEMPLATE_TOKEN_OUTPUT_END,
  WLY_TEMPLATE_TOKEN_BLOCK_BEGIN,
  WLY_TEMPLATE_TOKEN_BLOCK_END,
  WLY_TEMPLATE_TOKEN_NAME,
  WLY_TEMPLATE_TOKEN_STRING,
  WLY_TEMPLATE_TOKEN_INTEGER,
  WLY_TEMPLATE_TOKEN_FLOAT,
  WLY_TEMPLATE_TOKEN_OPERATOR,
} WlyTemplateTokenKind;

typedef struct {
  WlyTemplateTokenKind kind;
  guint line;
  const char *text; /* data and names: in the source; strings: in the lexer's buffer until the next token */
  gsize n_bytes;
  guint32 sign;
  gint64 integer;
  double real;
} WlyTemplateToken;

typedef struct {
  const char *source; /* newlines are \n */
  gsize n_bytes;
  gsize place;
  guint line;
  WlyTemplateTokenKind mode; /* DATA, OUTPUT_BEGIN or BLOCK_BEGIN: where it is */
  gboolean line_starts;      /* data begins at the start of a line */
  gboolean strip;            /* white space at the start of the data goes: a tag before said so */
  guint n_open;              /* brackets */
  GString *string;
} WlyTemplateLexer;

/* @source must live as long. */
void wly_template_lexer_init (WlyTemplateLexer *lexer, const char *source, gsize n_bytes);
void wly_template_lexer_clear (WlyTemplateLexer *lexer);
/* Errors: WLY_ERROR_TEMPLATE_FAILED. */
gboolean wly_template_lexer_next (WlyTemplateLexer *lexer, WlyTemplateToken *ret_token, GError **error);

G_END_DECLS
