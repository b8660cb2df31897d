/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Tags to nodes.  Source: the Jinja documentation, "List of Control Structures".
 */
#include "template/template-parser.h"

#include <string.h>

static gboolean
expect_block_end (WlyTemplateParser *parser)
{
  if (parser->token.kind != WLY_TEMPLATE_TOKEN_BLOCK_END)
    return wly_template_parser_fail (parser, "a tag goes on where it should end");
  return wly_template_parser_next (parser);
}

/* Behind a tag's expressions: its body, up to a tag that is one of @ends, whose name is then the token. */
static gboolean
parse_block (WlyTemplateParser *parser, guint32 *ret_body)
{
  if (wly_template_parser_is (parser, ':', 0) && !wly_template_parser_next (parser))
    return FALSE;
  return expect_block_end (parser) && wly_template_statements_parse (parser, ret_body);
}

/* Ends a block: "endif %}". */
static gboolean
expect_end (WlyTemplateParser *parser, const char *name)
{
  return wly_template_parser_expect_name (parser, name) && expect_block_end (parser);
}

static gboolean
parse_to_end (WlyTemplateParser *parser, const char *name, guint32 *ret_body)
{
  const gboolean soft = parser->soft;
  gboolean done;

  parser->soft = FALSE;
  done         = parse_block (parser, ret_body) && expect_end (parser, name);
  parser->soft = soft;
  return done;
}

/* A body that break cannot leave: that of a macro, say. */
static gboolean
parse_closed (WlyTemplateParser *parser, const char *name, guint32 *ret_body)
{
  const guint n_loops = parser->n_loops;
  gboolean done;

  parser->n_loops = 0;
  done            = parse_to_end (parser, name, ret_body);
  parser->n_loops = n_loops;
  return done;
}

/* ---- if ---- */

/* Behind "if" or "elif": the condition, its body, and all elif and else up to endif.  elifs are a chain, not a nest. */
static gboolean
parse_branches (WlyTemplateParser *parser, guint32 node)
{
  for (;;) {
    guint32 condition, body, other;

    condition = wly_template_expression_parse_plain_tuple (parser);
    if (condition == 0 || !parse_block (parser, &body))
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

    if (!wly_template_parser_next (parser) || !parse_block (parser, &body))
      return FALSE;
    wly_template_parser_node (parser, node)->c = body;
  }
  return expect_end (parser, "endif");
}

static gboolean
parse_if (WlyTemplateParser *parser, guint32 node)
{
  const gboolean soft = parser->soft;
  gboolean done;

  parser->soft = TRUE;
  done         = parse_branches (parser, node);
  parser->soft = soft;
  return done;
}

/* ---- for ---- */

static gboolean
parse_for_body (WlyTemplateParser *parser, guint32 node)
{
  const guint8 uses   = parser->uses;
  const gboolean soft = parser->soft;
  guint32 body, other = 0, flags;

  parser->uses = 0;
  parser->soft = FALSE;
  parser->n_loops++;
  if (!parse_block (parser, &body))
    return FALSE;
  parser->n_loops--;
  flags = parser->uses & WLY_TEMPLATE_USES_LOOP;
  parser->uses |= uses;
  if (wly_template_parser_is_name (parser, "else")
      && (!wly_template_parser_next (parser) || !parse_block (parser, &other)))
    return FALSE;
  parser->soft                               = soft;
  wly_template_parser_node (parser, node)->d = body;
  wly_template_parser_node (parser, node)->e = other;
  wly_template_parser_node (parser, node)->integer |= flags;
  return expect_end (parser, "endfor");
}

static gboolean
parse_for (WlyTemplateParser *parser, guint32 node)
{
  const guint32 target = wly_template_expression_parse_target (parser, FALSE);
  guint32 items, condition = 0;

  if (target == 0 || !wly_template_parser_expect_name (parser, "in"))
    return FALSE;
  items = wly_template_expression_parse_plain_tuple (parser);
  if (items == 0)
    return FALSE;
  if (wly_template_parser_is_name (parser, "if")) {
    condition = wly_template_parser_next (parser) ? wly_template_expression_parse (parser) : 0;
    if (condition == 0)
      return FALSE;
  }
  wly_template_parser_node (parser, node)->a = target;
  wly_template_parser_node (parser, node)->b = items;
  wly_template_parser_node (parser, node)->c = condition;
  if (wly_template_parser_is_name (parser, "recursive")) {
    wly_template_parser_node (parser, node)->integer = WLY_TEMPLATE_RECURSIVE | WLY_TEMPLATE_USES_LOOP;
    if (!wly_template_parser_next (parser))
      return FALSE;
  }
  return parse_for_body (parser, node);
}

static gboolean
parse_leave (WlyTemplateParser *parser, guint32 node)
{
  if (parser->n_loops == 0)
    return wly_template_parser_fail (parser, "break or continue stands outside of a loop");
  return expect_block_end (parser);
}

/* ---- set, with, blocks of text ---- */

static gboolean
parse_set (WlyTemplateParser *parser, guint32 node)
{
  const guint32 target = wly_template_expression_parse_target (parser, TRUE);
  guint32 value, filters = 0;

  if (target == 0)
    return FALSE;
  wly_template_parser_node (parser, node)->a = target;
  if (wly_template_parser_is (parser, '=', 0)) {
    value = wly_template_parser_next (parser) ? wly_template_expression_parse_tuple (parser) : 0;
    if (value == 0)
      return FALSE;
    wly_template_parser_node (parser, node)->b = value;
    return expect_block_end (parser);
  }
  if (wly_template_parser_is (parser, '|', 0)) {
    filters = wly_template_parser_next (parser) ? wly_template_expression_parse_filters (parser) : 0;
    if (filters == 0)
      return FALSE;
  }
  if (!parse_to_end (parser, "endset", &value))
    return FALSE;
  wly_template_parser_node (parser, node)->kind = WLY_TEMPLATE_NODE_SET_BLOCK;
  wly_template_parser_node (parser, node)->b    = value;
  wly_template_parser_node (parser, node)->c    = filters;
  return TRUE;
}

static gboolean
parse_with (WlyTemplateParser *parser, guint32 node)
{
  guint32 first = 0, last = 0, body;

  while (parser->token.kind != WLY_TEMPLATE_TOKEN_BLOCK_END && !wly_template_parser_is (parser, ':', 0)) {
    const guint32 set = wly_template_parser_add (parser, WLY_TEMPLATE_NODE_SET);
    guint32 target, value;

    if (set == 0 || (last != 0 && !wly_template_parser_expect (parser, ',')))
      return FALSE;
    target = wly_template_expression_parse_target (parser, FALSE);
    if (target == 0 || !wly_template_parser_expect (parser, '='))
      return FALSE;
    value = wly_template_expression_parse (parser);
    if (value == 0)
      return FALSE;
    wly_template_parser_node (parser, set)->a = target;
    wly_template_parser_node (parser, set)->b = value;
    wly_template_parser_link (parser, &first, &last, set);
  }
  if (!parse_to_end (parser, "endwith", &body))
    return FALSE;
  wly_template_parser_node (parser, node)->a = first;
  wly_template_parser_node (parser, node)->b = body;
  return TRUE;
}

static gboolean
parse_filter_block (WlyTemplateParser *parser, guint32 node)
{
  const guint32 filters = wly_template_expression_parse_filters (parser);
  guint32 body;

  if (filters == 0 || !parse_to_end (parser, "endfilter", &body))
    return FALSE;
  wly_template_parser_node (parser, node)->a = body;
  wly_template_parser_node (parser, node)->b = filters;
  return TRUE;
}

/* {% generation %}: marks what training looks at; its text is as any other. */
static gboolean
parse_generation (WlyTemplateParser *parser, guint32 node)
{
  guint32 body;

  if (!parse_closed (parser, "endgeneration", &body))
    return FALSE;
  wly_template_parser_node (parser, node)->a = body;
  return TRUE;
}

/* Nothing is escaped here, whatever the option says; it may still be an expression that fails. */
static gboolean
parse_autoescape (WlyTemplateParser *parser, guint32 node)
{
  guint32 body;

  if (wly_template_expression_parse (parser) == 0 || !parse_to_end (parser, "endautoescape", &body))
    return FALSE;
  wly_template_parser_node (parser, node)->a = body;
  return TRUE;
}

static gboolean
take_name (WlyTemplateParser *parser, guint32 node, const char *whose)
{
  if (parser->token.kind != WLY_TEMPLATE_TOKEN_NAME)
    return wly_template_parser_fail (parser, "the name of %s is missing", whose);
  return wly_template_parser_take_text (parser, node);
}

/* {% block name %}: what nobody extends stands where it is. */
static gboolean
parse_named_block (WlyTemplateParser *parser, guint32 node)
{
  guint32 body;

  if (!take_name (parser, node, "a block"))
    return FALSE;
  while (wly_template_parser_is_name (parser, "scoped") || wly_template_parser_is_name (parser, "required"))
    if (!wly_template_parser_next (parser))
      return FALSE;
  if (!parse_block (parser, &body) || !wly_template_parser_expect_name (parser, "endblock"))
    return FALSE;
  if (parser->token.kind == WLY_TEMPLATE_TOKEN_NAME
      && !wly_template_parser_expect_name (parser, wly_template_parser_node (parser, node)->text))
    return FALSE;
  wly_template_parser_node (parser, node)->a = body;
  return expect_block_end (parser);
}

/* {% print a, b %} */
static gboolean
parse_print (WlyTemplateParser *parser, guint32 node)
{
  guint32 first = 0, last = 0;

  while (parser->token.kind != WLY_TEMPLATE_TOKEN_BLOCK_END) {
    const guint32 output = wly_template_parser_add (parser, WLY_TEMPLATE_NODE_OUTPUT);
    guint32 value;

    if (output == 0 || (last != 0 && !wly_template_parser_expect (parser, ',')))
      return FALSE;
    value = wly_template_expression_parse (parser);
    if (value == 0)
      return FALSE;
    wly_template_parser_node (parser, output)->a = value;
    wly_template_parser_link (parser, &first, &last, output);
  }
  wly_template_parser_node (parser, node)->a = first;
  return expect_block_end (parser);
}

/* Tags that need other templates, which there are none of. */
static gboolean
parse_refused (WlyTemplateParser *parser, guint32 node)
{
  while (parser->token.kind != WLY_TEMPLATE_TOKEN_BLOCK_END)
    if (!wly_template_parser_next (parser))
      return FALSE;
  return expect_block_end (parser);
}

/* ---- macros ---- */

/* Behind "(": names with or without defaults up to ")". */
static gboolean
parse_parameters (WlyTemplateParser *parser, guint32 *ret_first)
{
  guint32 last      = 0;
  gboolean defaults = FALSE;

  for (*ret_first = 0; !wly_template_parser_is (parser, ')', 0);) {
    const guint32 parameter = wly_template_parser_add (parser, WLY_TEMPLATE_NODE_PARAMETER);
    guint32 value           = 0;

    if (parameter == 0 || (last != 0 && !wly_template_parser_expect (parser, ',')))
      return FALSE;
    if (!take_name (parser, parameter, "an argument"))
      return FALSE;
    if (wly_template_parser_is (parser, '=', 0)) {
      value = wly_template_parser_next (parser) ? wly_template_expression_parse (parser) : 0;
      if (value == 0)
        return FALSE;
      defaults = TRUE;
    } else if (defaults) {
      return wly_template_parser_fail (parser, "an argument without default stands behind one with a default");
    }
    wly_template_parser_node (parser, parameter)->a = value;
    wly_template_parser_link (parser, ret_first, &last, parameter);
  }
  return wly_template_parser_expect (parser, ')');
}

static gboolean
parse_macro_body (WlyTemplateParser *parser, guint32 node, const char *end)
{
  const guint8 uses = parser->uses;
  guint32 body;

  parser->uses = 0;
  if (!parse_closed (parser, end, &body))
    return FALSE;
  wly_template_parser_node (parser, node)->b       = body;
  wly_template_parser_node (parser, node)->integer = parser->uses;
  parser->uses                                     = uses | (parser->uses & WLY_TEMPLATE_USES_LOOP);
  return TRUE;
}

static gboolean
parse_macro (WlyTemplateParser *parser, guint32 node)
{
  guint32 parameters;

  if (!take_name (parser, node, "a macro") || !wly_template_parser_expect (parser, '(')
      || !parse_parameters (parser, &parameters))
    return FALSE;
  wly_template_parser_node (parser, node)->a = parameters;
  return parse_macro_body (parser, node, "endmacro");
}

static gboolean
parse_call_block (WlyTemplateParser *parser, guint32 node)
{
  const guint32 caller = wly_template_parser_add (parser, WLY_TEMPLATE_NODE_MACRO);
  guint32 parameters   = 0, call;

  if (caller == 0)
    return FALSE;
  if (wly_template_parser_is (parser, '(', 0)
      && (!wly_template_parser_next (parser) || !parse_parameters (parser, &parameters)))
    return FALSE;
  call = wly_template_expression_parse (parser);
  if (call == 0)
    return FALSE;
  if (wly_template_parser_node (parser, call)->kind != WLY_TEMPLATE_NODE_CALL)
    return wly_template_parser_fail (parser, "what a call block calls is no call");
  wly_template_parser_node (parser, node)->a   = call;
  wly_template_parser_node (parser, node)->b   = caller;
  wly_template_parser_node (parser, caller)->a = parameters;
  return parse_macro_body (parser, caller, "endcall");
}

/* ---- all tags ---- */

/* A tag whose name is the token. */
static guint32
parse_tag (WlyTemplateParser *parser)
{
  static const struct {
    const char *name;
    WlyTemplateNodeKind kind;
    gboolean (*parse) (WlyTemplateParser *parser, guint32 node);
  } tags[] = {
    { "if", WLY_TEMPLATE_NODE_IF, parse_if },
    { "for", WLY_TEMPLATE_NODE_FOR, parse_for },
    { "set", WLY_TEMPLATE_NODE_SET, parse_set },
    { "macro", WLY_TEMPLATE_NODE_MACRO, parse_macro },
    { "call", WLY_TEMPLATE_NODE_CALL_BLOCK, parse_call_block },
    { "filter", WLY_TEMPLATE_NODE_SCOPE, parse_filter_block },
    { "with", WLY_TEMPLATE_NODE_WITH, parse_with },
    { "generation", WLY_TEMPLATE_NODE_SCOPE, parse_generation },
    { "autoescape", WLY_TEMPLATE_NODE_SCOPE, parse_autoescape },
    { "block", WLY_TEMPLATE_NODE_SCOPE, parse_named_block },
    { "print", WLY_TEMPLATE_NODE_SCOPE, parse_print },
    { "break", WLY_TEMPLATE_NODE_BREAK, parse_leave },
    { "continue", WLY_TEMPLATE_NODE_CONTINUE, parse_leave },
    { "include", WLY_TEMPLATE_NODE_REFUSED, parse_refused },
    { "import", WLY_TEMPLATE_NODE_REFUSED, parse_refused },
    { "from", WLY_TEMPLATE_NODE_REFUSED, parse_refused },
    { "extends", WLY_TEMPLATE_NODE_REFUSED, parse_refused },
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
  wly_template_parser_fail (parser, "the tag \"%s\" is not known", name);
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
  return parser->token.kind == WLY_TEMPLATE_TOKEN_NAME
         && (wly_template_parser_is_name (parser, "elif") || wly_template_parser_is_name (parser, "else")
             || (parser->token.n_bytes > 3 && memcmp (parser->token.text, "end", 3) == 0));
}

gboolean
wly_template_statements_parse (WlyTemplateParser *parser, guint32 *ret_first)
{
  guint32 last = 0, node;

  for (*ret_first = 0; parser->token.kind != WLY_TEMPLATE_TOKEN_END;) {
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
    wly_template_parser_link (parser, ret_first, &last, node);
  }
  return TRUE;
}
