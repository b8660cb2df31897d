/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Expressions, loosest first: choice, or, and, not, comparison, + - , ~ , * / // %, **, filters and tests, sign,
 * postfix, atom.
 */
#include "template/template-eval.h"
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

/* "name =" of an argument at the name; FALSE: it is an expression. */
static gboolean
is_keyword (WlyTemplateParser *parser)
{
  WlyTemplateLexer lexer = parser->lexer;
  WlyTemplateToken token;
  gboolean found;

  if (parser->token.kind != WLY_TEMPLATE_TOKEN_NAME)
    return FALSE;
  lexer.string = g_string_new (NULL);
  found        = wly_template_lexer_next (&lexer, &token, NULL) && token.kind == WLY_TEMPLATE_TOKEN_OPERATOR
          && token.sign == WLY_TEMPLATE_OPERATOR ('=', 0);
  g_string_free (lexer.string, TRUE);
  return found;
}

/* One argument: a value, name=value, *values or **values; *phase counts what may still follow. */
static guint32
parse_argument (WlyTemplateParser *parser, guint *phase)
{
  const guint32 argument = wly_template_parser_add (parser, WLY_TEMPLATE_NODE_ARGUMENT);
  const gboolean star    = wly_template_parser_is (parser, '*', 0);
  const gboolean stars = wly_template_parser_is (parser, '*', '*'), keyword = is_keyword (parser);
  const guint own = stars ? 3 : star ? 2 : keyword ? 1 : 0;
  guint32 value;

  if (argument == 0)
    return 0;
  if ((own == 0 && *phase > 0) || (own == 2 && *phase >= 2) || *phase == 3) {
    wly_template_parser_fail (parser, "the arguments of a call are out of order");
    return 0;
  }
  *phase = MAX (*phase, own);
  if (keyword && (!wly_template_parser_take_text (parser, argument) || !wly_template_parser_expect (parser, '=')))
    return 0;
  if (own >= 2 && !wly_template_parser_next (parser))
    return 0;
  wly_template_parser_node (parser, argument)->sign = own >= 2 ? own - 1 : 0;
  value                                             = wly_template_expression_parse (parser);
  if (value == 0)
    return 0;
  wly_template_parser_node (parser, argument)->a = value;
  return argument;
}

/* Behind "(": arguments up to ")". */
static gboolean
parse_arguments (WlyTemplateParser *parser, guint32 *ret_first)
{
  guint32 last = 0;
  guint phase  = 0;

  *ret_first = 0;
  while (!wly_template_parser_is (parser, ')', 0)) {
    const guint32 argument = parse_argument (parser, &phase);

    if (argument == 0)
      return FALSE;
    wly_template_parser_link (parser, ret_first, &last, argument);
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

/* Remembers names that loops and macros provide only where they are read. */
static void
note_use (WlyTemplateParser *parser)
{
  static const struct {
    const char *name;
    guint8 use;
  } uses[] = {
    { "loop", WLY_TEMPLATE_USES_LOOP },
    { "caller", WLY_TEMPLATE_USES_CALLER },
    { "varargs", WLY_TEMPLATE_USES_VARARGS },
    { "kwargs", WLY_TEMPLATE_USES_KWARGS },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (uses); i++)
    if (wly_template_parser_is_name (parser, uses[i].name))
      parser->uses |= uses[i].use;
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
  note_use (parser);
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
  node = wly_template_parser_add (parser, open == '{'   ? WLY_TEMPLATE_NODE_DICT
                                          : open == '(' ? WLY_TEMPLATE_NODE_TUPLE
                                                        : WLY_TEMPLATE_NODE_LIST);
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

/* Behind "[": an expression, or up to three with colons between; *ret_slice tells which. */
static gboolean
parse_subscript (WlyTemplateParser *parser, guint32 parts[3], gboolean *ret_slice)
{
  guint n_colons = 0;

  for (;;) {
    if (wly_template_parser_is (parser, ':', 0) && n_colons < 2) {
      n_colons++;
      if (!wly_template_parser_next (parser))
        return FALSE;
      continue;
    }
    if (wly_template_parser_is (parser, ']', 0) || wly_template_parser_is (parser, ',', 0) || parts[n_colons] != 0)
      break;
    parts[n_colons] = wly_template_expression_parse (parser);
    if (parts[n_colons] == 0)
      return FALSE;
  }
  *ret_slice = n_colons > 0;
  return n_colons > 0 || parts[0] != 0 || wly_template_parser_fail (parser, "an index is missing");
}

/* Behind "[" of an index or slice of @left. */
static guint32
parse_index (WlyTemplateParser *parser, guint32 left)
{
  guint32 parts[3] = { 0 }, node;
  gboolean slice;

  if (!parse_subscript (parser, parts, &slice))
    return 0;
  if (wly_template_parser_is (parser, ',', 0)) {
    wly_template_parser_fail (parser, "an index of several parts fits no value");
    return 0;
  }
  node = wly_template_parser_add (parser, slice ? WLY_TEMPLATE_NODE_SLICE : WLY_TEMPLATE_NODE_INDEX);
  if (node == 0)
    return 0;
  wly_template_parser_node (parser, node)->a = left;
  wly_template_parser_node (parser, node)->b = parts[0];
  wly_template_parser_node (parser, node)->c = parts[1];
  wly_template_parser_node (parser, node)->d = parts[2];
  return wly_template_parser_expect (parser, ']') ? node : 0;
}

/* Names of filters and tests that nobody knows fail at once, in a branch when it is run. */
static void
check_known (WlyTemplateParser *parser, WlyTemplateNodeKind kind, const char *name)
{
  const gboolean known =
      kind == WLY_TEMPLATE_NODE_FILTER ? wly_template_filters_known (name) : wly_template_tests_known (name);

  if (!known && !parser->soft && parser->unknown == NULL)
    parser->unknown =
        g_strdup_printf ("the %s \"%s\" is not known", kind == WLY_TEMPLATE_NODE_FILTER ? "filter" : "test", name);
}

/* The name behind ".", "|" or "is". */
static gboolean
take_name (WlyTemplateParser *parser, guint32 node)
{
  if (parser->token.kind != WLY_TEMPLATE_TOKEN_NAME)
    return wly_template_parser_fail (parser, "a name is missing");
  return wly_template_parser_take_text (parser, node);
}

/* Behind ".": a name, or a whole number, which is an index. */
static guint32
parse_attribute (WlyTemplateParser *parser, guint32 left)
{
  const gboolean index = parser->token.kind == WLY_TEMPLATE_TOKEN_INTEGER;
  const guint32 node = wly_template_parser_add (parser, index ? WLY_TEMPLATE_NODE_INDEX : WLY_TEMPLATE_NODE_ATTRIBUTE);
  guint32 number;

  if (node == 0)
    return 0;
  wly_template_parser_node (parser, node)->a = left;
  if (!index)
    return take_name (parser, node) ? node : 0;
  number = parse_number (parser);
  if (number == 0)
    return 0;
  wly_template_parser_node (parser, node)->b = number;
  return node;
}

/* A name, and arguments in brackets if there are any: of a filter or a test. */
static guint32
parse_named (WlyTemplateParser *parser, WlyTemplateNodeKind kind, guint32 left)
{
  const guint32 node = wly_template_parser_add (parser, kind);
  guint32 arguments  = 0;

  if (node == 0)
    return 0;
  wly_template_parser_node (parser, node)->a = left;
  if (!take_name (parser, node))
    return 0;
  check_known (parser, kind, wly_template_parser_node (parser, node)->text);
  if (wly_template_parser_is (parser, '(', 0)
      && (!wly_template_parser_next (parser) || !parse_arguments (parser, &arguments)))
    return 0;
  wly_template_parser_node (parser, node)->b = arguments;
  return node;
}

guint32
wly_template_expression_parse_filters (WlyTemplateParser *parser)
{
  guint32 left = wly_template_parser_add (parser, WLY_TEMPLATE_NODE_CAPTURED);

  while (left != 0) {
    left = parse_named (parser, WLY_TEMPLATE_NODE_FILTER, left);
    if (left == 0 || !wly_template_parser_is (parser, '|', 0))
      return left;
    if (!wly_template_parser_next (parser))
      return 0;
  }
  return 0;
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
      left = parse_attribute (parser, left);
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
  static const char *const words[] = { "and", "else", "or" };

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

/* Signs bind tighter than filters and tests, looser than "." and its like. */
static guint32
parse_signed (WlyTemplateParser *parser)
{
  const gboolean minus = wly_template_parser_is (parser, '-', 0);
  guint32 node, operand;

  if (!minus && !wly_template_parser_is (parser, '+', 0))
    return parse_postfix (parser, parse_atom (parser));
  if (!wly_template_parser_enter (parser) || !wly_template_parser_next (parser))
    return 0;
  operand = parse_signed (parser);
  parser->depth--;
  if (operand == 0)
    return 0;
  node = wly_template_parser_add (parser, minus ? WLY_TEMPLATE_NODE_NEGATIVE : WLY_TEMPLATE_NODE_POSITIVE);
  if (node != 0)
    wly_template_parser_node (parser, node)->a = operand;
  return parse_postfix (parser, node);
}

static guint32
parse_filtered (WlyTemplateParser *parser)
{
  guint32 left = parse_signed (parser);

  while (left != 0) {
    if (wly_template_parser_is (parser, '|', 0))
      left = wly_template_parser_next (parser) ? parse_named (parser, WLY_TEMPLATE_NODE_FILTER, left) : 0;
    else if (wly_template_parser_is_name (parser, "is"))
      left = parse_test (parser, left);
    else if (wly_template_parser_is (parser, '(', 0))
      left = wly_template_parser_next (parser) ? parse_call (parser, left) : 0;
    else
      return left;
  }
  return 0;
}

/* At "not". */
static guint32
parse_not (WlyTemplateParser *parser)
{
  guint32 node, operand;

  if (!wly_template_parser_enter (parser) || !wly_template_parser_next (parser))
    return 0;
  operand = parse_level (parser, LEVEL_NOT);
  parser->depth--;
  node = operand == 0 ? 0 : wly_template_parser_add (parser, WLY_TEMPLATE_NODE_NOT);
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

/* At the sign of a comparison, "in" or "not in": a link; *ret_link is 0 where there is none. */
static gboolean
parse_link (WlyTemplateParser *parser, guint32 *ret_link)
{
  const gboolean negative = wly_template_parser_is_name (parser, "not"), signs = is_comparison (parser);
  const guint32 sign = signs ? parser->token.sign : (guint32)negative;
  guint32 right;

  *ret_link = 0;
  if (!signs && !negative && !wly_template_parser_is_name (parser, "in"))
    return TRUE;
  if (!wly_template_parser_next (parser) || (negative && !wly_template_parser_expect_name (parser, "in")))
    return FALSE;
  right     = parse_level (parser, LEVEL_ADD);
  *ret_link = right == 0 ? 0 : wly_template_parser_add (parser, WLY_TEMPLATE_NODE_COMPARE_LINK);
  if (*ret_link == 0)
    return FALSE;
  wly_template_parser_node (parser, *ret_link)->sign = sign;
  wly_template_parser_node (parser, *ret_link)->a    = right;
  return TRUE;
}

static guint32
parse_comparisons (WlyTemplateParser *parser)
{
  const guint32 left = parse_level (parser, LEVEL_ADD);
  guint32 first = 0, last = 0, link;

  while (left != 0) {
    if (!parse_link (parser, &link))
      return 0;
    if (link == 0)
      return first == 0 ? left : add_two (parser, WLY_TEMPLATE_NODE_COMPARE, 0, left, first);
    wly_template_parser_link (parser, &first, &last, link);
  }
  return 0;
}

static guint32
parse_level (WlyTemplateParser *parser, Level level)
{
  guint32 left;

  if (level == LEVEL_NOT)
    return wly_template_parser_is_name (parser, "not") ? parse_not (parser) : parse_comparisons (parser);
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

/* At "if" behind @left. */
static guint32
parse_choice (WlyTemplateParser *parser, guint32 left)
{
  guint32 node, condition, other = 0;

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
wly_template_expression_parse (WlyTemplateParser *parser)
{
  const gboolean known = parser->unknown == NULL;
  guint32 left         = wly_template_expression_parse_plain (parser);

  while (left != 0 && wly_template_parser_is_name (parser, "if")) {
    left = parse_choice (parser, left);
    if (known)
      g_clear_pointer (&parser->unknown, g_free);
  }
  return left;
}

static gboolean
ends_tuple (const WlyTemplateParser *parser)
{
  return wly_template_parser_is (parser, ')', 0) || wly_template_parser_is (parser, '=', 0)
         || wly_template_parser_is (parser, '|', 0) || wly_template_parser_is_name (parser, "in")
         || wly_template_parser_is_name (parser, "recursive") || parser->token.kind == WLY_TEMPLATE_TOKEN_BLOCK_END
         || parser->token.kind == WLY_TEMPLATE_TOKEN_OUTPUT_END;
}

/* Expressions with commas between, a comma at the end or not; one without a comma is itself. */
static guint32
parse_tuple (WlyTemplateParser *parser, guint32 (*parse_item) (WlyTemplateParser *parser))
{
  const guint32 first = parse_item (parser);
  guint32 node, last = first, head = first;

  if (first == 0 || !wly_template_parser_is (parser, ',', 0))
    return first;
  while (wly_template_parser_is (parser, ',', 0)) {
    guint32 item;

    if (!wly_template_parser_next (parser))
      return 0;
    if (ends_tuple (parser))
      break;
    item = parse_item (parser);
    if (item == 0)
      return 0;
    wly_template_parser_link (parser, &head, &last, item);
  }
  node = wly_template_parser_add (parser, WLY_TEMPLATE_NODE_TUPLE);
  if (node != 0)
    wly_template_parser_node (parser, node)->a = first;
  return node;
}

guint32
wly_template_expression_parse_tuple (WlyTemplateParser *parser)
{
  return parse_tuple (parser, wly_template_expression_parse);
}

guint32
wly_template_expression_parse_plain_tuple (WlyTemplateParser *parser)
{
  return parse_tuple (parser, wly_template_expression_parse_plain);
}

/* ---- targets ---- */

static guint32
parse_target (WlyTemplateParser *parser, gboolean attributes)
{
  static const char *const values[] = { "true", "True", "false", "False", "none", "None" };
  guint32 target, attribute;

  if (wly_template_parser_is (parser, '(', 0)) {
    if (!wly_template_parser_enter (parser) || !wly_template_parser_next (parser))
      return 0;
    target = wly_template_expression_parse_target (parser, attributes);
    parser->depth--;
    return target != 0 && wly_template_parser_expect (parser, ')') ? target : 0;
  }
  for (gsize i = 0; i < G_N_ELEMENTS (values); i++)
    if (wly_template_parser_is_name (parser, values[i]))
      return wly_template_parser_fail (parser, "\"%s\" cannot be set", values[i]);
  target = wly_template_parser_add (parser, WLY_TEMPLATE_NODE_NAME);
  if (target == 0 || !take_name (parser, target))
    return 0;
  if (!attributes || !wly_template_parser_is (parser, '.', 0))
    return target;
  attribute = wly_template_parser_add (parser, WLY_TEMPLATE_NODE_ATTRIBUTE);
  if (attribute == 0 || !wly_template_parser_next (parser) || !take_name (parser, attribute))
    return 0;
  wly_template_parser_node (parser, attribute)->a = target;
  return attribute;
}

static guint32
parse_name_target (WlyTemplateParser *parser)
{
  return parse_target (parser, FALSE);
}

static guint32
parse_any_target (WlyTemplateParser *parser)
{
  return parse_target (parser, TRUE);
}

guint32
wly_template_expression_parse_target (WlyTemplateParser *parser, gboolean attributes)
{
  return parse_tuple (parser, attributes ? parse_any_target : parse_name_target);
}
