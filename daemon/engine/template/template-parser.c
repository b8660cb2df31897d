/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Statements, and what all parts of the parser share.
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

/* ---- statements ---- */

static gboolean parse_body (WlyTemplateParser *parser, guint32 *ret_first);

static gboolean
expect_block_end (WlyTemplateParser *parser)
{
  if (parser->token.kind != WLY_TEMPLATE_TOKEN_BLOCK_END)
    return wly_template_parser_fail (parser, "a tag goes on where it should end");
  return wly_template_parser_next (parser);
}

/* Ends a block: "endif %}". */
static gboolean
expect_end (WlyTemplateParser *parser, const char *name)
{
  return wly_template_parser_expect_name (parser, name) && expect_block_end (parser);
}

/* Behind "if" or "elif": the condition, its body, and all elif and else up to endif.  elifs are a chain, not a nest. */
static gboolean
parse_if (WlyTemplateParser *parser, guint32 node)
{
  for (;;) {
    guint32 condition, body, other;

    condition = wly_template_expression_parse (parser);
    if (condition == 0 || !expect_block_end (parser) || !parse_body (parser, &body))
      return FALSE;
    wly_template_parser_node (parser, node)->a = condition;
    wly_template_parser_node (parser, node)->b = body;
    if (!wly_template_parser_is_name (parser, "elif"))
      break;
    other = wly_template_parser_add (parser, WLY_TEMPLATE_NODE_IF);
    if (other == 0 || !wly_template_parser_next (parser))
      return FALSE;
    wly_template_parser_node (parser, node)->elif = other;
    node                                          = other;
  }
  if (wly_template_parser_is_name (parser, "else")) {
    guint32 body;

    if (!wly_template_parser_next (parser) || !expect_block_end (parser) || !parse_body (parser, &body))
      return FALSE;
    wly_template_parser_node (parser, node)->c = body;
  }
  return expect_end (parser, "endif");
}

/* Names, or name.name, with commas between; brackets around them are fine. */
static gboolean
parse_targets (WlyTemplateParser *parser, gboolean attributes, guint32 *ret_first)
{
  const gboolean brackets = wly_template_parser_is (parser, '(', 0);
  guint32 last            = 0, target, attribute;

  *ret_first = 0;
  if (brackets && !wly_template_parser_next (parser))
    return FALSE;
  do {
    if (last != 0 && !wly_template_parser_next (parser))
      return FALSE;
    if (parser->token.kind != WLY_TEMPLATE_TOKEN_NAME)
      return wly_template_parser_fail (parser, "the name of a variable is missing");
    target = wly_template_parser_add (parser, WLY_TEMPLATE_NODE_NAME);
    if (target == 0 || !wly_template_parser_take_text (parser, target))
      return FALSE;
    if (attributes && wly_template_parser_is (parser, '.', 0)) {
      attribute = wly_template_parser_add (parser, WLY_TEMPLATE_NODE_ATTRIBUTE);
      if (attribute == 0 || !wly_template_parser_next (parser))
        return FALSE;
      if (parser->token.kind != WLY_TEMPLATE_TOKEN_NAME)
        return wly_template_parser_fail (parser, "the name behind \".\" is missing");
      wly_template_parser_node (parser, attribute)->a = target;
      target                                          = attribute;
      if (!wly_template_parser_take_text (parser, target))
        return FALSE;
    }
    if (last == 0)
      *ret_first = target;
    else
      wly_template_parser_node (parser, last)->next = target;
    last = target;
  } while (wly_template_parser_is (parser, ',', 0));
  return !brackets || wly_template_parser_expect (parser, ')');
}

static gboolean
parse_for (WlyTemplateParser *parser, guint32 node)
{
  guint32 targets, items, condition = 0, body, other = 0;

  if (!parse_targets (parser, FALSE, &targets) || !wly_template_parser_expect_name (parser, "in"))
    return FALSE;
  items = wly_template_expression_parse_plain (parser);
  if (items == 0)
    return FALSE;
  if (wly_template_parser_is_name (parser, "if")) {
    if (!wly_template_parser_next (parser))
      return FALSE;
    condition = wly_template_expression_parse (parser);
    if (condition == 0)
      return FALSE;
  }
  if (wly_template_parser_is_name (parser, "recursive"))
    return wly_template_parser_fail (parser, "recursive loops are not supported");
  if (!expect_block_end (parser) || !parse_body (parser, &body))
    return FALSE;
  if (wly_template_parser_is_name (parser, "else")
      && (!wly_template_parser_next (parser) || !expect_block_end (parser) || !parse_body (parser, &other)))
    return FALSE;
  wly_template_parser_node (parser, node)->a = targets;
  wly_template_parser_node (parser, node)->b = items;
  wly_template_parser_node (parser, node)->c = condition;
  wly_template_parser_node (parser, node)->d = body;
  wly_template_parser_node (parser, node)->e = other;
  return expect_end (parser, "endfor");
}

static gboolean
parse_set (WlyTemplateParser *parser, guint32 node)
{
  guint32 targets, value;

  if (!parse_targets (parser, TRUE, &targets))
    return FALSE;
  if (wly_template_parser_is (parser, '=', 0)) {
    if (!wly_template_parser_next (parser))
      return FALSE;
    value = wly_template_expression_parse_tuple (parser);
    if (value == 0)
      return FALSE;
    wly_template_parser_node (parser, node)->a = targets;
    wly_template_parser_node (parser, node)->b = value;
    return expect_block_end (parser);
  }
  if (parser->token.kind != WLY_TEMPLATE_TOKEN_BLOCK_END)
    return wly_template_parser_fail (parser, "set needs \"=\"; filters of set blocks are not supported");
  if (wly_template_parser_node (parser, targets)->next != 0)
    return wly_template_parser_fail (parser, "a set block has one name");
  if (!expect_block_end (parser) || !parse_body (parser, &value))
    return FALSE;
  wly_template_parser_node (parser, node)->kind = WLY_TEMPLATE_NODE_SET_BLOCK;
  wly_template_parser_node (parser, node)->a    = targets;
  wly_template_parser_node (parser, node)->b    = value;
  return expect_end (parser, "endset");
}

/* {% generation %}: marks what training looks at; its text is as any other. */
static gboolean
parse_generation (WlyTemplateParser *parser, guint32 node)
{
  guint32 body;

  if (!expect_block_end (parser) || !parse_body (parser, &body))
    return FALSE;
  wly_template_parser_node (parser, node)->a = body;
  return expect_end (parser, "endgeneration");
}

static gboolean
parse_word (WlyTemplateParser *parser, guint32 node)
{
  return expect_block_end (parser);
}

/* A tag whose name is the token. */
static guint32
parse_tag (WlyTemplateParser *parser)
{
  static const struct {
    const char *name;
    WlyTemplateNodeKind kind;
    gboolean (*parse) (WlyTemplateParser *parser, guint32 node);
  } tags[] = {
    { "if", WLY_TEMPLATE_NODE_IF, parse_if },         { "for", WLY_TEMPLATE_NODE_FOR, parse_for },
    { "set", WLY_TEMPLATE_NODE_SET, parse_set },      { "generation", WLY_TEMPLATE_NODE_GROUP, parse_generation },
    { "break", WLY_TEMPLATE_NODE_BREAK, parse_word }, { "continue", WLY_TEMPLATE_NODE_CONTINUE, parse_word },
  };
  g_autofree char *name = NULL;

  for (gsize i = 0; i < G_N_ELEMENTS (tags); i++) {
    if (wly_template_parser_is_name (parser, tags[i].name)) {
      const guint32 node = wly_template_parser_add (parser, tags[i].kind);

      if (node == 0 || !wly_template_parser_next (parser) || !wly_template_parser_enter (parser)
          || !tags[i].parse (parser, node))
        return 0;
      parser->depth--;
      return node;
    }
  }
  name = g_strndup (parser->token.text == NULL ? "" : parser->token.text, MIN (parser->token.n_bytes, 64));
  wly_template_parser_fail (parser, "the tag \"%s\" is not supported here", name);
  return 0;
}

static guint32
parse_output (WlyTemplateParser *parser)
{
  const guint32 node = wly_template_parser_add (parser, WLY_TEMPLATE_NODE_OUTPUT);
  guint32 value;

  if (node == 0 || !wly_template_parser_next (parser))
    return 0;
  value = wly_template_expression_parse_tuple (parser);
  if (value == 0)
    return 0;
  wly_template_parser_node (parser, node)->a = value;
  if (parser->token.kind != WLY_TEMPLATE_TOKEN_OUTPUT_END) {
    wly_template_parser_fail (parser, "an expression goes on where it should end");
    return 0;
  }
  return wly_template_parser_next (parser) ? node : 0;
}

static gboolean
ends_body (const WlyTemplateParser *parser)
{
  static const char *const names[] = { "elif", "else", "endif", "endfor", "endset", "endgeneration" };

  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    if (wly_template_parser_is_name (parser, names[i]))
      return TRUE;
  return FALSE;
}

/* Statements up to a tag that ends them, whose name is then the token, or to the end. */
static gboolean
parse_body (WlyTemplateParser *parser, guint32 *ret_first)
{
  guint32 last = 0, node;

  for (*ret_first = 0; parser->token.kind != WLY_TEMPLATE_TOKEN_END; last = node) {
    if (parser->token.kind == WLY_TEMPLATE_TOKEN_DATA) {
      node = wly_template_parser_add (parser, WLY_TEMPLATE_NODE_DATA);
      if (node == 0 || !wly_template_parser_take_text (parser, node))
        return FALSE;
    } else if (parser->token.kind == WLY_TEMPLATE_TOKEN_OUTPUT_BEGIN) {
      node = parse_output (parser);
    } else {
      if (!wly_template_parser_next (parser))
        return FALSE;
      if (ends_body (parser))
        return TRUE;
      node = parse_tag (parser);
    }
    if (node == 0)
      return FALSE;
    if (last == 0)
      *ret_first = node;
    else
      wly_template_parser_node (parser, last)->next = node;
  }
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
  wly_template_lexer_init (&parser.lexer, source, n_bytes);
  done = wly_template_parser_next (&parser) && parse_body (&parser, &ast->root);
  if (done && parser.token.kind != WLY_TEMPLATE_TOKEN_END)
    done = wly_template_parser_fail (&parser, "a tag ends a block that did not begin");
  wly_template_lexer_clear (&parser.lexer);
  return done;
}

void
wly_template_parser_clear (WlyTemplateAst *ast)
{
  g_clear_pointer (&ast->nodes, g_array_unref);
  g_clear_pointer (&ast->texts, g_string_chunk_free);
}
