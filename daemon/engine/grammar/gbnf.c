/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * GBNF, the grammars of llama.cpp:
 *
 *     name ::= alternatives          # to the end of the line, or on behind | and within ( )
 *     "text"  [a-z]  [^a-z]  .  name  ( )  |  * + ? {m} {m,} {m,n}  <[token id]>
 *     escapes: \n \r \t \\ \" \[ \] \xHH \uHHHH \UHHHHHHHH
 */
#include "grammar/grammar-private.h"
#include "token/unicode.h"
#include "wly-error.h"
#include "wly-utf8.h"

#include <string.h>

#define RULES_MAX 4096

typedef struct {
  WlyState start, end;
  guint8 plain; /* it is one character, and may be any plain one */
} Part;

typedef struct {
  WlyState start, end, at;
} Group;

typedef struct {
  WlyRule rule;
  gboolean defined;
  const char *place; /* where it was first named */
} Named;

typedef struct {
  const char *start, *text, *end;
  WlyAutomaton *automaton;
  GHashTable *names; /* name: Named */
  GArray *groups;    /* Group */
} Parser;

static gboolean fail_at (const Parser *parser, const char *place, GError **error, const char *format, ...)
    G_GNUC_PRINTF (4, 5);

static gboolean
fail_at (const Parser *parser, const char *place, GError **error, const char *format, ...)
{
  g_autofree char *message = NULL;
  const char *line         = parser->start;
  guint n_lines            = 1;
  va_list args;

  for (const char *at = parser->start; at < place; at++) {
    if (*at != '\n')
      continue;
    n_lines++;
    line = at + 1;
  }
  va_start (args, format);
  message = g_strdup_vprintf (format, args);
  va_end (args);
  g_set_error (error, WLY_ERROR, WLY_ERROR_INVALID_ARGS, "Grammar, line %u, column %ld: %s", n_lines,
               g_utf8_strlen (line, place - line) + 1, message);
  return FALSE;
}

static gboolean
fail (const Parser *parser, GError **error, const char *what)
{
  return fail_at (parser, parser->text, error, "%s", what);
}

static int
peek (const Parser *parser)
{
  return parser->text < parser->end ? (guint8)*parser->text : -1;
}

static gboolean
take (Parser *parser, const char *text)
{
  gsize n = strlen (text);

  if ((gsize)(parser->end - parser->text) < n || memcmp (parser->text, text, n) != 0)
    return FALSE;
  parser->text += n;
  return TRUE;
}

static gboolean
is_word (int byte)
{
  return byte > 0 && (g_ascii_isalnum (byte) || byte == '-' || byte == '_');
}

/* Spaces and comments, over the ends of lines too where @lines. */
static void
skip_space (Parser *parser, gboolean lines)
{
  for (;; parser->text++) {
    if (peek (parser) == '#')
      while (peek (parser) >= 0 && peek (parser) != '\n')
        parser->text++;
    if (peek (parser) != ' ' && peek (parser) != '\t' && peek (parser) != '\r' && !(lines && peek (parser) == '\n'))
      return;
  }
}

/* ---- characters ---- */

static gboolean
take_escape (Parser *parser, guint32 *ret_code, GError **error)
{
  static const char letters[] = "nrt\\\"[]-^", meant[] = "\n\r\t\\\"[]-^";
  int letter       = peek (parser);
  guint n_digits   = letter == 'x' ? 2 : letter == 'u' ? 4 : letter == 'U' ? 8 : 0;
  const char *find = letter > 0 ? strchr (letters, letter) : NULL;
  guint32 code     = 0;

  if (find != NULL) {
    parser->text++;
    *ret_code = (guint8)meant[find - letters];
    return TRUE;
  }
  if (n_digits == 0)
    return fail (parser, error, "unknown escape");
  parser->text++;
  for (guint i = 0; i < n_digits; i++) {
    if (peek (parser) < 0 || !g_ascii_isxdigit (peek (parser)))
      return fail (parser, error, "a hexadecimal digit is wanted");
    code = code << 4 | (guint32)g_ascii_xdigit_value (*parser->text++);
  }
  if (code > WLY_CHARSET_MAX || (code >= 0xd800 && code < 0xe000))
    return fail (parser, error, "there is no such character");
  *ret_code = code;
  return TRUE;
}

static gboolean
take_char (Parser *parser, guint32 *ret_code, GError **error)
{
  gsize n;

  if (peek (parser) < 0 || peek (parser) == '\n')
    return fail (parser, error, "a text or class does not end on its line");
  if (take (parser, "\\"))
    return take_escape (parser, ret_code, error);
  *ret_code = wly_unicode_get (parser->text, &n);
  parser->text += n;
  return TRUE;
}

static gboolean
take_class (Parser *parser, WlyCharset *set, GError **error)
{
  gboolean negated = take (parser, "^");

  while (!take (parser, "]")) {
    guint32 low, high;

    if (!take_char (parser, &low, error))
      return FALSE;
    high = low;
    if (peek (parser) == '-' && parser->text + 1 < parser->end && parser->text[1] != ']') {
      parser->text++;
      if (!take_char (parser, &high, error))
        return FALSE;
      if (high < low)
        return fail (parser, error, "a range of characters runs backwards");
    }
    wly_charset_add (set, low, high);
  }
  wly_charset_settle (set);
  if (negated)
    wly_charset_negate (set);
  return TRUE;
}

/* ---- parts ---- */

static Part
new_part (Parser *parser)
{
  Part part = { .start = wly_automaton_add_state (parser->automaton) };

  part.end = wly_automaton_add_state (parser->automaton);
  return part;
}

static gboolean
take_text (Parser *parser, Part *ret_part, GError **error)
{
  *ret_part     = new_part (parser);
  ret_part->end = ret_part->start;
  while (!take (parser, "\"")) {
    guint32 code;
    char bytes[4];

    if (!take_char (parser, &code, error))
      return FALSE;
    ret_part->end = wly_automaton_add_text (parser->automaton, ret_part->end, bytes, wly_unicode_put (code, bytes));
  }
  if (ret_part->end == ret_part->start) {
    ret_part->end = wly_automaton_add_state (parser->automaton);
    wly_automaton_add_empty (parser->automaton, ret_part->start, ret_part->end);
  }
  return TRUE;
}

static gboolean
take_set (Parser *parser, gboolean any, Part *ret_part, GError **error)
{
  g_autoptr (GArray) set = wly_charset_new ();

  if (any)
    wly_charset_negate (set);
  else if (!take_class (parser, set, error))
    return FALSE;
  *ret_part       = new_part (parser);
  ret_part->plain = wly_charset_has_plain (set);
  wly_automaton_add_set (parser->automaton, ret_part->start, set, ret_part->end);
  return TRUE;
}

/* Behind "<[". */
static gboolean
take_token (Parser *parser, Part *ret_part, GError **error)
{
  guint64 id       = 0;
  const char *from = parser->text;

  while (peek (parser) > 0 && g_ascii_isdigit (peek (parser)) && parser->text - from < 9)
    id = id * 10 + (guint64)(*parser->text++ - '0');
  if (parser->text == from || !take (parser, "]>"))
    return fail (parser, error, "a token is written <[number]>");
  *ret_part = new_part (parser);
  wly_automaton_add_token (parser->automaton, ret_part->start, (gint32)id, ret_part->end);
  return TRUE;
}

static Named *
take_name (Parser *parser, GError **error)
{
  const char *from      = parser->text;
  g_autofree char *name = NULL;
  Named *named;

  while (is_word (peek (parser)))
    parser->text++;
  if (parser->text == from) {
    fail (parser, error, "a name, a text, a class or a group is wanted");
    return NULL;
  }
  name  = g_strndup (from, (gsize)(parser->text - from));
  named = g_hash_table_lookup (parser->names, name);
  if (named != NULL)
    return named;
  if (g_hash_table_size (parser->names) >= RULES_MAX) {
    fail (parser, error, "there are more than 4096 rules");
    return NULL;
  }
  named        = g_new0 (Named, 1);
  named->rule  = wly_automaton_add_rule (parser->automaton, name);
  named->place = from;
  g_hash_table_insert (parser->names, g_steal_pointer (&name), named);
  return named;
}

static gboolean
take_reference (Parser *parser, Part *ret_part, GError **error)
{
  Named *named = take_name (parser, error);

  if (named == NULL)
    return FALSE;
  *ret_part = new_part (parser);
  wly_automaton_add_call (parser->automaton, ret_part->start, named->rule, ret_part->end);
  return TRUE;
}

/* ---- repetition ---- */

static void
repeat (Parser *parser, Part *part, guint32 min, guint32 max)
{
  WlyAutomaton *automaton = parser->automaton;
  WlyState loop;
  WlyRule rule;

  if (min == 0 && max == 1) {
    Part whole = new_part (parser);

    wly_automaton_add_empty (automaton, whole.start, part->start);
    wly_automaton_add_empty (automaton, part->end, whole.end);
    wly_automaton_add_empty (automaton, whole.start, whole.end);
    *part = whole;
    return;
  }
  if (min <= 1 && max == WLY_AUTOMATON_ENDLESS) {
    loop = wly_automaton_add_state (automaton);
    wly_automaton_add_empty (automaton, loop, part->start);
    wly_automaton_add_empty (automaton, part->end, loop);
    if (part->plain)
      wly_automaton_set_plain (automaton, loop, 0);
    *part = (Part){ min == 0 ? loop : part->start, loop, FALSE };
    return;
  }
  rule = wly_automaton_add_rule (automaton, NULL);
  wly_automaton_add_empty (automaton, wly_automaton_rule_start (automaton, rule), part->start);
  wly_automaton_set_final (automaton, part->end);
  loop = wly_automaton_add_state (automaton);
  if (part->plain)
    wly_automaton_set_plain (automaton, loop, 1);
  *part = (Part){ loop, wly_automaton_add_state (automaton), FALSE };
  wly_automaton_add_loop (automaton, loop, rule, min, max, part->end);
}

static gboolean
take_number (Parser *parser, guint32 *ret_number)
{
  guint64 number   = 0;
  const char *from = parser->text;

  while (peek (parser) > 0 && g_ascii_isdigit (peek (parser)) && parser->text - from < 9)
    number = number * 10 + (guint64)(*parser->text++ - '0');
  *ret_number = (guint32)number;
  return parser->text > from;
}

/* Behind the opening brace. */
static gboolean
take_counts (Parser *parser, guint32 *ret_min, guint32 *ret_max, GError **error)
{
  gboolean has_min, has_max = TRUE;

  skip_space (parser, TRUE);
  has_min  = take_number (parser, ret_min);
  *ret_max = *ret_min;
  skip_space (parser, TRUE);
  if (take (parser, ",")) {
    skip_space (parser, TRUE);
    has_max = take_number (parser, ret_max);
    skip_space (parser, TRUE);
    if (!has_max)
      *ret_max = WLY_AUTOMATON_ENDLESS;
  } else if (!has_min) {
    return fail (parser, error, "a count is wanted");
  }
  if (!take (parser, "}"))
    return fail (parser, error, "a count ends with }");
  if (*ret_min > WLY_AUTOMATON_REPEAT_MAX || (has_max && *ret_max > WLY_AUTOMATON_REPEAT_MAX) || *ret_max < *ret_min)
    return fail (parser, error, "the counts of a repetition are up to 1000000, the lower one first");
  return TRUE;
}

static gboolean
take_quantifier (Parser *parser, Part *part, GError **error)
{
  guint32 min = 0, max = WLY_AUTOMATON_ENDLESS;

  if (take (parser, "+"))
    min = 1;
  else if (take (parser, "?"))
    max = 1;
  else if (take (parser, "{")) {
    if (!take_counts (parser, &min, &max, error))
      return FALSE;
  } else if (!take (parser, "*"))
    return TRUE;
  repeat (parser, part, min, max);
  return peek (parser) < 0 || strchr ("*+?{", peek (parser)) == NULL
         || fail (parser, error, "a repetition is repeated; put it in a group");
}

/* ---- rules ---- */

static Group *
top (const Parser *parser)
{
  return &g_array_index (parser->groups, Group, parser->groups->len - 1);
}

static gboolean
open_group (Parser *parser, WlyState start, GError **error)
{
  Group group = { start, wly_automaton_add_state (parser->automaton), start };

  if (parser->groups->len > WLY_GRAMMAR_DEPTH)
    return fail (parser, error, "more than 64 groups stand in each other");
  g_array_append_val (parser->groups, group);
  return TRUE;
}

static Part
close_group (Parser *parser)
{
  Group group = *top (parser);

  wly_automaton_add_empty (parser->automaton, group.at, group.end);
  g_array_set_size (parser->groups, parser->groups->len - 1);
  return (Part){ group.start, group.end, FALSE };
}

static gboolean
take_part (Parser *parser, GError **error)
{
  Part part;
  gboolean done;

  if (take (parser, "("))
    return open_group (parser, wly_automaton_add_state (parser->automaton), error);
  if (take (parser, "|")) {
    wly_automaton_add_empty (parser->automaton, top (parser)->at, top (parser)->end);
    top (parser)->at = top (parser)->start;
    skip_space (parser, TRUE);
    return TRUE;
  }
  if (parser->groups->len > 1 && take (parser, ")")) {
    part = close_group (parser);
    done = TRUE;
  } else if (take (parser, "\"")) {
    done = take_text (parser, &part, error);
  } else if (take (parser, "<[")) {
    done = take_token (parser, &part, error);
  } else if (take (parser, ".")) {
    done = take_set (parser, TRUE, &part, error);
  } else if (take (parser, "[")) {
    done = take_set (parser, FALSE, &part, error);
  } else {
    done = take_reference (parser, &part, error);
  }
  skip_space (parser, parser->groups->len > 1);
  if (!done || !take_quantifier (parser, &part, error))
    return FALSE;
  wly_automaton_add_empty (parser->automaton, top (parser)->at, part.start);
  top (parser)->at = part.end;
  return TRUE;
}

/* Whether the rule goes on: not at the end of a line, unless the next one begins with an alternative. */
static gboolean
goes_on (Parser *parser)
{
  const char *here;

  skip_space (parser, parser->groups->len > 1);
  if (peek (parser) != '\n')
    return peek (parser) >= 0;
  here = parser->text;
  skip_space (parser, TRUE);
  if (peek (parser) == '|')
    return TRUE;
  parser->text = here;
  return FALSE;
}

static gboolean
take_rule (Parser *parser, GError **error)
{
  Named *named      = take_name (parser, error);
  const char *place = parser->text;

  if (named == NULL)
    return FALSE;
  skip_space (parser, FALSE);
  if (!take (parser, "::="))
    return fail (parser, error, "::= is wanted");
  if (named->defined)
    return fail_at (parser, place, error, "this rule is defined twice");
  named->defined = TRUE;
  skip_space (parser, TRUE);
  if (!open_group (parser, wly_automaton_rule_start (parser->automaton, named->rule), error))
    return FALSE;
  while (goes_on (parser))
    if (!take_part (parser, error))
      return FALSE;
  if (parser->groups->len > 1)
    return fail (parser, error, "a group does not end");
  wly_automaton_set_final (parser->automaton, close_group (parser).end);
  return TRUE;
}

/* Every rule that is named is there; gives the one called root. */
static gboolean
find_root (const Parser *parser, WlyRule *ret_root, GError **error)
{
  const Named *root = g_hash_table_lookup (parser->names, "root");
  GHashTableIter iter;
  gpointer name, value;

  g_hash_table_iter_init (&iter, parser->names);
  while (g_hash_table_iter_next (&iter, &name, &value)) {
    const Named *named = value;

    if (!named->defined)
      return fail_at (parser, named->place, error, "there is no rule “%.*s”", wly_utf8_shown (name),
                      (const char *)name);
  }
  if (root == NULL)
    return fail_at (parser, parser->end, error, "there is no rule “root”, which describes the text");
  *ret_root = root->rule;
  return TRUE;
}

gboolean
wly_gbnf_add (WlyAutomaton *automaton, const char *text, gsize n_bytes, WlyRule *ret_rule, GError **error)
{
  g_autoptr (GHashTable) names = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  g_autoptr (GArray) groups    = g_array_new (FALSE, FALSE, sizeof (Group));
  Parser parser                = { text, text, text + n_bytes, automaton, names, groups };

  for (skip_space (&parser, TRUE); peek (&parser) >= 0; skip_space (&parser, TRUE))
    if (!take_rule (&parser, error))
      return FALSE;
  return find_root (&parser, ret_rule, error);
}
