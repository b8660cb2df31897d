/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Expressions, loosest first: choice, or, and, not, comparison, + - , ~ , * / // %, sign, **, postfix, atom.
 */
#include "template/template-parser.h"

#include <string.h>

/* How tight operators bind; chains are built in loops, so that only brackets recurse. */
typedef enum {
  LEVEL_OR,
  LEVEL_AND,
  LEVEL_NOT,
  LEVEL_COMPARE,
  LEVEL_ADD,
  LEVEL_CONCAT,
  LEVEL_MULTIPLY,
  LEVEL_SIGN,
  LEVEL_POWER,
} Level;

static guint32 parse_level (WlyTemplateParser *parser, Level level);

static guint32
add_two (WlyTemplateParser *parser, WlyTemplateNodeKind kind, guint32 sign, guint32 left, guint32 right)
{
  const guint32 node = left == 0 || right == 0 ? 0 : wly_template_parser_add (parser, kind);

  if (node == 0)
    return 0;
  wly_template_parser_node (parser, node)->sign = sign;
  wly_template_parser_node (parser, node)->a    = left;
  wly_template_parser_node (parser, node)->b    = right;
  return node;
}

/* Items up to @close, along next; behind *ret_first, 0 where there are none.  Dictionaries: key, value, … */
static gboolean
parse_items (WlyTemplateParser *parser, char close, gboolean dict, guint32 *ret_first)
{
  guint32 last   = 0, item;
  gboolean value = FALSE;

  *ret_first = 0;
  while (!wly_template_parser_is (parser, close, 0)) {
    item = wly_template_expression_parse (parser);
    if (item == 0)
      return FALSE;
    if (last == 0)
      *ret_first = item;
    else
      wly_template_parser_node (parser, last)->next = item;
    last = item;
    if (dict && !value) {
      if (!wly_template_parser_expect (parser, ':'))
        return FALSE;
      value = TRUE;
      continue;
    }
    value = FALSE;
    if (!wly_template_parser_is (parser, ',', 0))
      break;
    if (!wly_template_parser_next (parser))
      return FALSE;
  }
  if (value)
    return wly_template_parser_fail (parser, "the value of a key is missing");
  return wly_template_parser_expect (parser, close);
}

/* Behind "(": arguments up to ")". */
static gboolean
parse_arguments (WlyTemplateParser *parser, guint32 *ret_first)
{
  guint32 last = 0;

  *ret_first = 0;
  while (!wly_template_parser_is (parser, ')', 0)) {
    const guint32 argument = wly_template_parser_add (parser, WLY_TEMPLATE_NODE_ARGUMENT);
    guint32 value          = argument == 0 ? 0 : wly_template_expression_parse (parser);
    WlyTemplateNode *name  = wly_template_parser_node (parser, value);

    if (value == 0)
      return FALSE;
    if (name->kind == WLY_TEMPLATE_NODE_NAME && wly_template_parser_is (parser, '=', 0)) {
      wly_template_parser_node (parser, argument)->text = name->text;
      if (!wly_template_parser_next (parser))
        return FALSE;
      value = wly_template_expression_parse (parser);
      if (value == 0)
        return FALSE;
    }
    wly_template_parser_node (parser, argument)->a = value;
    if (last == 0)
      *ret_first = argument;
    else
      wly_template_parser_node (parser, last)->next = argument;
    last = argument;
    if (!wly_template_parser_is (parser, ',', 0))
      break;
    if (!wly_template_parser_next (parser))
      return FALSE;
  }
  return wly_template_parser_expect (parser, ')');
}

/* Strings side by side are one. */
static guint32
parse_text (WlyTemplateParser *parser)
{
  const guint32 node         = wly_template_parser_add (parser, WLY_TEMPLATE_NODE_TEXT);
  g_autoptr (GString) joined = g_string_new (NULL);

  if (node == 0)
    return 0;
  while (parser->token.kind == WLY_TEMPLATE_TOKEN_STRING) {
    g_string_append_len (joined, parser->token.text, (gssize)parser->token.n_bytes);
    if (!wly_template_parser_next (parser))
      return 0;
  }
  wly_template_parser_node (parser, node)->text =
      g_string_chunk_insert_len (parser->ast->texts, joined->str, (gssize)joined->len);
  wly_template_parser_node (parser, node)->n_bytes = joined->len;
  return node;
}

static guint32
parse_name (WlyTemplateParser *parser)
{
  static const struct {
    const char *name;
    WlyTemplateNodeKind kind;
    gint64 value;
  } words[] = {
    { "true", WLY_TEMPLATE_NODE_BOOLEAN, 1 },  { "True", WLY_TEMPLATE_NODE_BOOLEAN, 1 },
    { "false", WLY_TEMPLATE_NODE_BOOLEAN, 0 }, { "False", WLY_TEMPLATE_NODE_BOOLEAN, 0 },
    { "none", WLY_TEMPLATE_NODE_NONE, 0 },     { "None", WLY_TEMPLATE_NODE_NONE, 0 },
  };
  guint32 node;

  for (gsize i = 0; i < G_N_ELEMENTS (words); i++) {
    if (wly_template_parser_is_name (parser, words[i].name)) {
      node = wly_template_parser_add (parser, words[i].kind);
      if (node == 0)
        return 0;
      wly_template_parser_node (parser, node)->integer = words[i].value;
      return wly_template_parser_next (parser) ? node : 0;
    }
  }
  node = wly_template_parser_add (parser, WLY_TEMPLATE_NODE_NAME);
  return node != 0 && wly_template_parser_take_text (parser, node) ? node : 0;
}

static guint32
parse_number (WlyTemplateParser *parser)
{
  const gboolean real = parser->token.kind == WLY_TEMPLATE_TOKEN_FLOAT;
  const guint32 node  = wly_template_parser_add (parser, real ? WLY_TEMPLATE_NODE_FLOAT : WLY_TEMPLATE_NODE_INTEGER);

  if (node == 0)
    return 0;
  if (real)
    wly_template_parser_node (parser, node)->real = parser->token.real;
  else
    wly_template_parser_node (parser, node)->integer = parser->token.integer;
  return wly_template_parser_next (parser) ? node : 0;
}

/* At "(", "[" or "{". */
static guint32
parse_brackets (WlyTemplateParser *parser)
{
  const char open = (char)parser->token.sign;
  guint32 node, items;

  if (!wly_template_parser_enter (parser) || !wly_template_parser_next (parser))
    return 0;
  if (open == '(' && !wly_template_parser_is (parser, ')', 0)) {
    node = wly_template_expression_parse_tuple (parser);
    if (node == 0 || !wly_template_parser_expect (parser, ')'))
      return 0;
    parser->depth--;
    return node;
  }
  node = wly_template_parser_add (parser, open == '{' ? WLY_TEMPLATE_NODE_DICT : WLY_TEMPLATE_NODE_LIST);
  if (node == 0 || !parse_items (parser, open == '{' ? '}' : open == '[' ? ']' : ')', open == '{', &items))
    return 0;
  wly_template_parser_node (parser, node)->a = items;
  parser->depth--;
  return node;
}

static guint32
parse_atom (WlyTemplateParser *parser)
{
  switch (parser->token.kind) {
  case WLY_TEMPLATE_TOKEN_STRING:
    return parse_text (parser);
  case WLY_TEMPLATE_TOKEN_INTEGER:
  case WLY_TEMPLATE_TOKEN_FLOAT:
    return parse_number (parser);
  case WLY_TEMPLATE_TOKEN_NAME:
    return parse_name (parser);
  case WLY_TEMPLATE_TOKEN_OPERATOR:
    if (wly_template_parser_is (parser, '(', 0) || wly_template_parser_is (parser, '[', 0)
        || wly_template_parser_is (parser, '{', 0))
      return parse_brackets (parser);
    break;
  default:
    break;
  }
  wly_template_parser_fail (parser, "an expression is missing");
  return 0;
}

/* Behind "[" of an index or slice of @left. */
static guint32
parse_index (WlyTemplateParser *parser, guint32 left)
{
  guint32 parts[3] = { 0 }, node;
  guint n_colons   = 0;

  while (!wly_template_parser_is (parser, ']', 0)) {
    if (wly_template_parser_is (parser, ':', 0)) {
      if (++n_colons > 2) {
        wly_template_parser_fail (parser, "a slice has too many parts");
        return 0;
      }
      if (!wly_template_parser_next (parser))
        return 0;
      continue;
    }
    if (parts[n_colons] != 0)
      break;
    parts[n_colons] = wly_template_expression_parse (parser);
    if (parts[n_colons] == 0)
      return 0;
  }
  if (n_colons == 0 && parts[0] == 0) {
    wly_template_parser_fail (parser, "an index is missing");
    return 0;
  }
  node = wly_template_parser_add (parser, n_colons == 0 ? WLY_TEMPLATE_NODE_INDEX : WLY_TEMPLATE_NODE_SLICE);
  if (node == 0)
    return 0;
  wly_template_parser_node (parser, node)->a = left;
  wly_template_parser_node (parser, node)->b = parts[0];
  wly_template_parser_node (parser, node)->c = parts[1];
  wly_template_parser_node (parser, node)->d = parts[2];
  return wly_template_parser_expect (parser, ']') ? node : 0;
}

/* A name, and arguments in brackets if there are any: of a filter, a test or an attribute. */
static guint32
parse_named (WlyTemplateParser *parser, WlyTemplateNodeKind kind, guint32 left)
{
  const guint32 node = wly_template_parser_add (parser, kind);
  guint32 arguments  = 0;

  if (node == 0)
    return 0;
  if (parser->token.kind != WLY_TEMPLATE_TOKEN_NAME) {
    wly_template_parser_fail (parser, "a name is missing");
    return 0;
  }
  wly_template_parser_node (parser, node)->a = left;
  if (!wly_template_parser_take_text (parser, node))
    return 0;
  if (kind != WLY_TEMPLATE_NODE_ATTRIBUTE && wly_template_parser_is (parser, '(', 0)
      && (!wly_template_parser_next (parser) || !parse_arguments (parser, &arguments)))
    return 0;
  wly_template_parser_node (parser, node)->b = arguments;
  return node;
}

static guint32
parse_call (WlyTemplateParser *parser, guint32 left)
{
  const guint32 node = wly_template_parser_add (parser, WLY_TEMPLATE_NODE_CALL);
  guint32 arguments;

  if (node == 0 || !parse_arguments (parser, &arguments))
    return 0;
  wly_template_parser_node (parser, node)->a = left;
  wly_template_parser_node (parser, node)->b = arguments;
  return node;
}

/* .name, [index], (arguments) behind @left. */
static guint32
parse_postfix (WlyTemplateParser *parser, guint32 left)
{
  while (left != 0) {
    const gboolean dot = wly_template_parser_is (parser, '.', 0), index = wly_template_parser_is (parser, '[', 0);

    if (!dot && !index && !wly_template_parser_is (parser, '(', 0))
      return left;
    if (!wly_template_parser_enter (parser) || !wly_template_parser_next (parser))
      return 0;
    if (dot)
      left = parse_named (parser, WLY_TEMPLATE_NODE_ATTRIBUTE, left);
    else
      left = index ? parse_index (parser, left) : parse_call (parser, left);
    parser->depth--;
  }
  return 0;
}

/* One argument of a test may stand without brackets: is divisibleby 3. */
static gboolean
begins_argument (const WlyTemplateParser *parser)
{
  static const char *const words[] = { "and", "else", "if", "in", "is", "not", "or" };

  for (gsize i = 0; i < G_N_ELEMENTS (words); i++)
    if (wly_template_parser_is_name (parser, words[i]))
      return FALSE;
  return (parser->token.kind >= WLY_TEMPLATE_TOKEN_NAME && parser->token.kind <= WLY_TEMPLATE_TOKEN_FLOAT)
         || wly_template_parser_is (parser, '[', 0) || wly_template_parser_is (parser, '{', 0);
}

/* "is not name argument" behind @left, at "is". */
static guint32
parse_test (WlyTemplateParser *parser, guint32 left)
{
  gboolean negative;
  guint32 node, argument;

  if (!wly_template_parser_next (parser))
    return 0;
  negative = wly_template_parser_is_name (parser, "not");
  if (negative && !wly_template_parser_next (parser))
    return 0;
  node = parse_named (parser, WLY_TEMPLATE_NODE_TEST, left);
  if (node == 0)
    return 0;
  wly_template_parser_node (parser, node)->integer = negative;
  if (wly_template_parser_node (parser, node)->b != 0 || !begins_argument (parser))
    return node;
  argument = wly_template_parser_add (parser, WLY_TEMPLATE_NODE_ARGUMENT);
  left     = argument == 0 ? 0 : parse_postfix (parser, parse_atom (parser));
  if (left == 0)
    return 0;
  wly_template_parser_node (parser, argument)->a = left;
  wly_template_parser_node (parser, node)->b     = argument;
  return node;
}

/* Filters and tests bind tighter than every sign but "." and its like. */
static guint32
parse_filtered (WlyTemplateParser *parser)
{
  guint32 left = parse_postfix (parser, parse_atom (parser));

  while (left != 0) {
    if (wly_template_parser_is (parser, '|', 0)) {
      left = wly_template_parser_next (parser) ? parse_named (parser, WLY_TEMPLATE_NODE_FILTER, left) : 0;
      left = parse_postfix (parser, left);
    } else if (wly_template_parser_is_name (parser, "is")) {
      left = parse_test (parser, left);
    } else {
      return left;
    }
  }
  return 0;
}

/* At "not", "-" or "+". */
static guint32
parse_prefix (WlyTemplateParser *parser, Level level)
{
  const gboolean not = level == LEVEL_NOT, plus = wly_template_parser_is (parser, '+', 0);
  guint32 node, operand;

  if (!wly_template_parser_enter (parser) || !wly_template_parser_next (parser))
    return 0;
  operand = parse_level (parser, level);
  parser->depth--;
  if (operand == 0 || plus)
    return operand;
  node = wly_template_parser_add (parser, not ? WLY_TEMPLATE_NODE_NOT : WLY_TEMPLATE_NODE_NEGATIVE);
  if (node != 0)
    wly_template_parser_node (parser, node)->a = operand;
  return node;
}

/* Whether the token is an sign of the level. */
static gboolean
is_at_level (const WlyTemplateParser *parser, Level level)
{
  static const char *const signs[] = {
    [LEVEL_ADD]      = "+-",
    [LEVEL_CONCAT]   = "~",
    [LEVEL_MULTIPLY] = "*/%",
  };
  const guint32 sign = parser->token.sign;

  if (level == LEVEL_OR || level == LEVEL_AND)
    return wly_template_parser_is_name (parser, level == LEVEL_OR ? "or" : "and");
  if (parser->token.kind != WLY_TEMPLATE_TOKEN_OPERATOR)
    return FALSE;
  if (level == LEVEL_POWER)
    return sign == WLY_TEMPLATE_OPERATOR ('*', '*');
  if (sign == WLY_TEMPLATE_OPERATOR ('/', '/'))
    return level == LEVEL_MULTIPLY;
  return sign < 256 && sign != 0 && strchr (signs[level], (char)sign) != NULL;
}

static gboolean
is_comparison (const WlyTemplateParser *parser)
{
  static const guint32 operators[] = {
    WLY_TEMPLATE_OPERATOR ('=', '='), WLY_TEMPLATE_OPERATOR ('!', '='), WLY_TEMPLATE_OPERATOR ('<', '='),
    WLY_TEMPLATE_OPERATOR ('>', '='), WLY_TEMPLATE_OPERATOR ('<', 0),   WLY_TEMPLATE_OPERATOR ('>', 0),
  };

  for (gsize i = 0; i < G_N_ELEMENTS (operators); i++)
    if (parser->token.kind == WLY_TEMPLATE_TOKEN_OPERATOR && parser->token.sign == operators[i])
      return TRUE;
  return FALSE;
}

/* Behind @left: one comparison, "in" or "not in"; *ret_node is @left where there is none. */
static gboolean
parse_comparison (WlyTemplateParser *parser, guint32 left, guint32 *ret_node)
{
  const gboolean negative = wly_template_parser_is_name (parser, "not");
  const guint32 sign      = parser->token.sign;

  *ret_node = left;
  if (is_comparison (parser)) {
    if (!wly_template_parser_next (parser))
      return FALSE;
    *ret_node = add_two (parser, WLY_TEMPLATE_NODE_COMPARE, sign, left, parse_level (parser, LEVEL_ADD));
    return *ret_node != 0;
  }
  if (!negative && !wly_template_parser_is_name (parser, "in"))
    return TRUE;
  if (!wly_template_parser_next (parser) || (negative && !wly_template_parser_expect_name (parser, "in")))
    return FALSE;
  *ret_node = add_two (parser, WLY_TEMPLATE_NODE_IN, 0, left, parse_level (parser, LEVEL_ADD));
  if (*ret_node == 0)
    return FALSE;
  wly_template_parser_node (parser, *ret_node)->integer = negative;
  return TRUE;
}

static guint32
parse_comparisons (WlyTemplateParser *parser)
{
  guint32 left = parse_level (parser, LEVEL_ADD), node;

  if (left == 0 || !parse_comparison (parser, left, &node))
    return 0;
  if (node != left && (is_comparison (parser) || wly_template_parser_is_name (parser, "in"))) {
    wly_template_parser_fail (parser, "comparisons of more than two are not supported");
    return 0;
  }
  return node;
}

static guint32
parse_level (WlyTemplateParser *parser, Level level)
{
  guint32 left;

  if (level == LEVEL_NOT)
    return wly_template_parser_is_name (parser, "not") ? parse_prefix (parser, level) : parse_comparisons (parser);
  if (level == LEVEL_SIGN) {
    if (wly_template_parser_is (parser, '-', 0) || wly_template_parser_is (parser, '+', 0))
      return parse_prefix (parser, level);
    level = LEVEL_POWER;
  }
  left = level == LEVEL_POWER ? parse_filtered (parser) : parse_level (parser, level + 1);
  while (left != 0 && is_at_level (parser, level)) {
    const WlyTemplateNodeKind kind = level == LEVEL_OR    ? WLY_TEMPLATE_NODE_OR
                                     : level == LEVEL_AND ? WLY_TEMPLATE_NODE_AND
                                                          : WLY_TEMPLATE_NODE_BINARY;
    const guint32 sign             = parser->token.sign;
    guint32 right;

    if (!wly_template_parser_next (parser))
      return 0;
    right = level == LEVEL_POWER ? parse_filtered (parser) : parse_level (parser, level + 1);
    left  = add_two (parser, kind, sign, left, right);
  }
  return left;
}

guint32
wly_template_expression_parse_plain (WlyTemplateParser *parser)
{
  guint32 node;

  if (!wly_template_parser_enter (parser))
    return 0;
  node = parse_level (parser, LEVEL_OR);
  parser->depth--;
  return node;
}

guint32
wly_template_expression_parse (WlyTemplateParser *parser)
{
  const guint32 left = wly_template_expression_parse_plain (parser);
  guint32 node, condition, other = 0;

  if (left == 0 || !wly_template_parser_is_name (parser, "if"))
    return left;
  if (!wly_template_parser_enter (parser) || !wly_template_parser_next (parser))
    return 0;
  condition = wly_template_expression_parse_plain (parser);
  if (condition == 0)
    return 0;
  if (wly_template_parser_is_name (parser, "else")) {
    other = wly_template_parser_next (parser) ? wly_template_expression_parse (parser) : 0;
    if (other == 0)
      return 0;
  }
  node = add_two (parser, WLY_TEMPLATE_NODE_CHOICE, 0, left, condition);
  if (node != 0)
    wly_template_parser_node (parser, node)->c = other;
  parser->depth--;
  return node;
}

guint32
wly_template_expression_parse_tuple (WlyTemplateParser *parser)
{
  const guint32 first = wly_template_expression_parse (parser);
  guint32 node, last = first, item;

  if (first == 0 || !wly_template_parser_is (parser, ',', 0))
    return first;
  node = wly_template_parser_add (parser, WLY_TEMPLATE_NODE_LIST);
  if (node == 0)
    return 0;
  wly_template_parser_node (parser, node)->a = first;
  while (wly_template_parser_is (parser, ',', 0)) {
    if (!wly_template_parser_next (parser))
      return 0;
    if (wly_template_parser_is (parser, ')', 0) || parser->token.kind == WLY_TEMPLATE_TOKEN_BLOCK_END)
      break;
    item = wly_template_expression_parse (parser);
    if (item == 0)
      return 0;
    wly_template_parser_node (parser, last)->next = item;
    last                                          = item;
  }
  return node;
}
