/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What all parts of the parser share.
 */
#include "template/template-parser.h"

#include "wly-error.h"

#include <stdarg.h>
#include <string.h>

gboolean
wly_template_parser_fail (WlyTemplateParser *parser, const char *format, ...)
{
  g_autofree char *text = NULL;
  va_list arguments;

  va_start (arguments, format);
  text = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  if (parser->error == NULL || *parser->error == NULL)
    g_set_error (parser->error, WLY_ERROR, WLY_ERROR_TEMPLATE_FAILED, "chat template, line %u: %s", parser->token.line,
                 text);
  return FALSE;
}

gboolean
wly_template_parser_next (WlyTemplateParser *parser)
{
  return wly_template_lexer_next (&parser->lexer, &parser->token, parser->error);
}

gboolean
wly_template_parser_is (const WlyTemplateParser *parser, char first, char second)
{
  return parser->token.kind == WLY_TEMPLATE_TOKEN_OPERATOR
         && parser->token.sign == WLY_TEMPLATE_OPERATOR (first, second);
}

gboolean
wly_template_parser_is_name (const WlyTemplateParser *parser, const char *name)
{
  return parser->token.kind == WLY_TEMPLATE_TOKEN_NAME && parser->token.n_bytes == strlen (name)
         && memcmp (parser->token.text, name, parser->token.n_bytes) == 0;
}

gboolean
wly_template_parser_expect (WlyTemplateParser *parser, char first)
{
  if (!wly_template_parser_is (parser, first, 0))
    return wly_template_parser_fail (parser, "\"%c\" is missing", first);
  return wly_template_parser_next (parser);
}

gboolean
wly_template_parser_expect_name (WlyTemplateParser *parser, const char *name)
{
  if (!wly_template_parser_is_name (parser, name))
    return wly_template_parser_fail (parser, "\"%s\" is missing", name);
  return wly_template_parser_next (parser);
}

guint32
wly_template_parser_add (WlyTemplateParser *parser, WlyTemplateNodeKind kind)
{
  const WlyTemplateNode node = { .kind = kind, .line = parser->token.line };

  if (parser->ast->nodes->len >= WLY_TEMPLATE_MAX_NODES) {
    wly_template_parser_fail (parser, "the template is too large");
    return 0;
  }
  g_array_append_val (parser->ast->nodes, node);
  return parser->ast->nodes->len - 1;
}

WlyTemplateNode *
wly_template_parser_node (WlyTemplateParser *parser, guint32 node)
{
  return &g_array_index (parser->ast->nodes, WlyTemplateNode, node);
}

void
wly_template_parser_link (WlyTemplateParser *parser, guint32 *first, guint32 *last, guint32 node)
{
  if (*last == 0)
    *first = node;
  else
    wly_template_parser_node (parser, *last)->next = node;
  *last = node;
}

gboolean
wly_template_parser_take_text (WlyTemplateParser *parser, guint32 node)
{
  const WlyTemplateToken *token = &parser->token;
  WlyTemplateNode *place        = wly_template_parser_node (parser, node);
  g_autofree char *name         = NULL;

  place->n_bytes = token->n_bytes;
  if (token->kind == WLY_TEMPLATE_TOKEN_NAME) {
    name        = g_strndup (token->text, token->n_bytes);
    place->text = g_string_chunk_insert_const (parser->ast->texts, name);
  } else {
    place->text = g_string_chunk_insert_len (parser->ast->texts, token->text, (gssize)token->n_bytes);
  }
  return wly_template_parser_next (parser);
}

gboolean
wly_template_parser_enter (WlyTemplateParser *parser)
{
  if (parser->depth == WLY_TEMPLATE_MAX_DEPTH)
    return wly_template_parser_fail (parser, "more than %d blocks or brackets stand in each other",
                                     WLY_TEMPLATE_MAX_DEPTH);
  parser->depth++;
  return TRUE;
}

gboolean
wly_template_parser_run (const char *source, gsize n_bytes, WlyTemplateAst *ast, GError **error)
{
  const WlyTemplateNode none = { 0 };
  WlyTemplateParser parser   = { .ast = ast, .error = error };
  gboolean done;

  ast->nodes = g_array_new (FALSE, FALSE, sizeof (WlyTemplateNode));
  ast->texts = g_string_chunk_new (4096);
  g_array_append_val (ast->nodes, none);
  ast->name_loop    = g_string_chunk_insert_const (ast->texts, "loop");
  ast->name_caller  = g_string_chunk_insert_const (ast->texts, "caller");
  ast->name_varargs = g_string_chunk_insert_const (ast->texts, "varargs");
  ast->name_kwargs  = g_string_chunk_insert_const (ast->texts, "kwargs");
  wly_template_lexer_init (&parser.lexer, source, n_bytes);
  done = wly_template_parser_next (&parser) && wly_template_statements_parse (&parser, &ast->root);
  if (done && parser.token.kind != WLY_TEMPLATE_TOKEN_END)
    done = wly_template_parser_fail (&parser, "a tag ends a block that did not begin");
  if (done && parser.unknown != NULL)
    done = wly_template_parser_fail (&parser, "%s", parser.unknown);
  g_free (parser.unknown);
  wly_template_lexer_clear (&parser.lexer);
  return done;
}

void
wly_template_parser_clear (WlyTemplateAst *ast)
{
  g_clear_pointer (&ast->nodes, g_array_unref);
  g_clear_pointer (&ast->texts, g_string_chunk_free);
}
