/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "grammar/regex.h"

#include "grammar/grammar-private.h"
#include "token/unicode.h"
#include "wly-error.h"

#include <string.h>

#define REPEAT_MAX 5000

/* A part of the expression; its states have the numbers from `first` on. */
typedef struct {
  guint32 first;
  guint32 start, end;
} Part;

typedef struct {
  Part part;
  guint32 at; /* where the alternative that is being read ends so far */
} Group;

typedef struct {
  const char *start, *text, *end;
  WlyLanguage *language;
  GArray *groups; /* Group */
} Parser;

static gboolean
fail (const Parser *parser, GError **error, const char *what)
{
  g_set_error (error, WLY_ERROR, WLY_ERROR_INVALID_ARGS, "Regular expression, character %ld: %s",
               g_utf8_strlen (parser->start, parser->text - parser->start) + 1, what);
  return FALSE;
}

static int
peek (const Parser *parser)
{
  return parser->text < parser->end ? (guint8)*parser->text : -1;
}

static guint32
take_char (Parser *parser)
{
  gsize n;
  guint32 code = wly_unicode_get (parser->text, &n);

  parser->text += n;
  return code;
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

/* ---- escapes ---- */

static gboolean
take_hex (Parser *parser, guint n_digits, guint32 *ret_code, GError **error)
{
  guint32 code = 0;

  for (guint i = 0; i < n_digits; i++) {
    if (peek (parser) < 0 || !g_ascii_isxdigit (peek (parser)))
      return fail (parser, error, "a hexadecimal digit is wanted");
    code = code << 4 | (guint32)g_ascii_xdigit_value (*parser->text++);
  }
  *ret_code = code;
  return TRUE;
}

static gboolean
take_unicode (Parser *parser, guint32 *ret_code, GError **error)
{
  guint n = 0;

  if (!take (parser, "{"))
    return take_hex (parser, 4, ret_code, error);
  while (parser->text + n < parser->end && g_ascii_isxdigit (parser->text[n]))
    n++;
  if (n == 0 || n > 6)
    return fail (parser, error, "1 to 6 hexadecimal digits are wanted");
  if (!take_hex (parser, n, ret_code, error))
    return FALSE;
  if (*ret_code > WLY_CHARSET_MAX || !take (parser, "}"))
    return fail (parser, error, "this is no \\u{…} of a character");
  return TRUE;
}

static void
add_spaces (WlyCharset *set)
{
  static const WlyCharRange spaces[] = { { 0x09, 0x0d },     { 0x20, 0x20 },     { 0xa0, 0xa0 },     { 0x1680, 0x1680 },
                                         { 0x2000, 0x200a }, { 0x2028, 0x2029 }, { 0x202f, 0x202f }, { 0x205f, 0x205f },
                                         { 0x3000, 0x3000 }, { 0xfeff, 0xfeff } };

  g_array_append_vals (set, spaces, G_N_ELEMENTS (spaces));
}

static gboolean
add_category (Parser *parser, WlyCharset *set, GError **error)
{
  static const char letters[]      = "NLZMPS";
  static const guint8 categories[] = { WLY_UNICODE_NUMBER, WLY_UNICODE_LETTER,      WLY_UNICODE_SEPARATOR,
                                       WLY_UNICODE_MARK,   WLY_UNICODE_PUNCTUATION, WLY_UNICODE_SYMBOL };
  const char *found                = NULL;

  if (parser->end - parser->text >= 3 && parser->text[0] == '{' && parser->text[2] == '}' && parser->text[1] != '\0')
    found = strchr (letters, parser->text[1]);
  if (found == NULL)
    return fail (parser, error, "of \\p only {L}, {M}, {N}, {P}, {S} and {Z} are known");
  for (guint32 code = 0; code <= WLY_CHARSET_MAX; code++) {
    guint32 first = code;

    while (code <= WLY_CHARSET_MAX && (wly_unicode_class (code) & WLY_UNICODE_CATEGORY) == categories[found - letters])
      code++;
    if (code > first)
      wly_charset_add (set, first, code - 1);
  }
  parser->text += 3;
  return TRUE;
}

/* The set of \d, \w, \s, \p and what they are not; FALSE without an error: it is none of them. */
static gboolean
take_class_escape (Parser *parser, WlyCharset *set, GError **error)
{
  int letter = peek (parser);

  if (letter < 0 || strchr ("dDwWsSpP", letter) == NULL)
    return FALSE;
  parser->text++;
  switch (g_ascii_tolower ((char)letter)) {
  case 'w':
    wly_charset_add (set, 'a', 'z');
    wly_charset_add (set, 'A', 'Z');
    wly_charset_add (set, '_', '_');
    G_GNUC_FALLTHROUGH;
  case 'd':
    wly_charset_add (set, '0', '9');
    break;
  case 's':
    add_spaces (set);
    break;
  default:
    if (!add_category (parser, set, error))
      return FALSE;
    break;
  }
  wly_charset_settle (set);
  if (g_ascii_isupper (letter))
    wly_charset_negate (set);
  return TRUE;
}

/* Behind the backslash, one character. */
static gboolean
take_char_escape (Parser *parser, guint32 *ret_code, GError **error)
{
  static const char letters[] = "nrtfv0", meant[] = "\n\r\t\f\v\0";
  int letter = peek (parser);

  if (letter < 0)
    return fail (parser, error, "a backslash ends the expression");
  if (take (parser, "x"))
    return take_hex (parser, 2, ret_code, error);
  if (take (parser, "u"))
    return take_unicode (parser, ret_code, error);
  if (strchr (letters, letter) != NULL) {
    *ret_code = (guint8)meant[strchr (letters, letter) - letters];
    parser->text++;
    return TRUE;
  }
  if (g_ascii_isalnum (letter))
    return fail (parser, error, "this escape is not supported");
  *ret_code = take_char (parser);
  return TRUE;
}

/* ---- classes ---- */

/* One character or one set of a class; @ret_single: a character. */
static gboolean
take_class_item (Parser *parser, WlyCharset *set, guint32 *ret_code, gboolean *ret_single, GError **error)
{
  g_autoptr (GArray) own       = wly_charset_new ();
  g_autoptr (GError) own_error = NULL;

  *ret_single = TRUE;
  if (peek (parser) < 0)
    return fail (parser, error, "a class does not end");
  if (!take (parser, "\\")) {
    *ret_code = take_char (parser);
    return TRUE;
  }
  if (take (parser, "b")) {
    *ret_code = '\b';
    return TRUE;
  }
  if (take (parser, "-")) {
    *ret_code = '-';
    return TRUE;
  }
  if (take_class_escape (parser, own, &own_error)) {
    wly_charset_add_set (set, own);
    *ret_single = FALSE;
    return TRUE;
  }
  if (own_error != NULL) {
    g_propagate_error (error, g_steal_pointer (&own_error));
    return FALSE;
  }
  return take_char_escape (parser, ret_code, error);
}

/* Behind the opening bracket. */
static gboolean
take_class (Parser *parser, WlyCharset *set, GError **error)
{
  gboolean negated = take (parser, "^");

  while (!take (parser, "]")) {
    guint32 low, high;
    gboolean single, single_high;

    if (!take_class_item (parser, set, &low, &single, error))
      return FALSE;
    if (!single)
      continue;
    high = low;
    if (peek (parser) == '-' && parser->text + 1 < parser->end && parser->text[1] != ']') {
      parser->text++;
      if (!take_class_item (parser, set, &high, &single_high, error))
        return FALSE;
      if (!single_high || high < low)
        return fail (parser, error, "a range of characters runs backwards, or ends with a set");
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
  Part part = { .first = parser->language->n_states };

  part.start = wly_language_add_state (parser->language);
  part.end   = wly_language_add_state (parser->language);
  return part;
}

/* A copy of a part with all its edges, of which there are @n_edges from @first_edge on. */
static Part
copy_part (Parser *parser, const Part *part, guint32 n_states, guint first_edge, guint n_edges)
{
  guint32 offset = parser->language->n_states - part->first;

  for (guint i = 0; i < n_edges; i++) {
    WlyLanguageEdge edge = g_array_index (parser->language->edges, WlyLanguageEdge, first_edge + i);

    wly_language_add_range (parser->language, edge.from + offset, edge.low, edge.high, edge.to + offset);
  }
  parser->language->n_states += n_states;
  return (Part){ part->first + offset, part->start + offset, part->end + offset };
}

static gboolean
repeat (Parser *parser, Part *part, guint first_edge, guint32 min, guint32 max, GError **error)
{
  WlyLanguage *language = parser->language;
  guint32 n_states      = language->n_states - part->first;
  guint n_edges         = language->edges->len - first_edge;
  guint32 n_copies      = max == WLY_AUTOMATON_ENDLESS ? MAX (min, 1) : max;
  Part whole            = { .first = part->first };
  Part copy             = *part;
  guint32 at;

  if ((guint64)n_states * n_copies > WLY_LANGUAGE_STATES_MAX
      || (guint64)n_edges * n_copies > 10 * WLY_LANGUAGE_STATES_MAX)
    return fail (parser, error, "too much is repeated");
  whole.start = wly_language_add_state (language);
  whole.end   = wly_language_add_state (language);
  at          = whole.start;
  for (guint32 i = 0; i < n_copies; i++) {
    if (i > 0)
      copy = copy_part (parser, part, n_states, first_edge, n_edges);
    if (i >= min)
      wly_language_add_empty (language, at, whole.end);
    wly_language_add_empty (language, at, copy.start);
    at = copy.end;
  }
  if (max == WLY_AUTOMATON_ENDLESS)
    wly_language_add_empty (language, copy.end, copy.start);
  wly_language_add_empty (language, at, whole.end);
  *part = whole;
  return TRUE;
}

/* {m}, {m,} or {m,n}; FALSE without an error: it is none. */
static gboolean
take_counts (Parser *parser, guint32 *ret_min, guint32 *ret_max, GError **error)
{
  const char *at  = parser->text + 1;
  guint64 count[] = { 0, WLY_AUTOMATON_ENDLESS };
  gboolean comma  = FALSE;

  for (guint i = 0; i < 2; i++) {
    const char *first = at;

    for (count[i] = 0; at < parser->end && g_ascii_isdigit (*at) && at - first < 9; at++)
      count[i] = count[i] * 10 + (guint64)(*at - '0');
    if (at == first && i == 0)
      return FALSE;
    if (at == first)
      count[1] = WLY_AUTOMATON_ENDLESS;
    if (i == 0 && at < parser->end && *at == ',') {
      comma = TRUE;
      at++;
    } else if (i == 0) {
      count[1] = count[0];
      break;
    }
  }
  if (at >= parser->end || *at != '}')
    return FALSE;
  if ((comma && count[1] < count[0]) || count[0] > REPEAT_MAX
      || (count[1] > REPEAT_MAX && count[1] != WLY_AUTOMATON_ENDLESS))
    return fail (parser, error, "the counts of a repetition are up to 5000, the lower one first");
  parser->text = at + 1;
  *ret_min     = (guint32)count[0];
  *ret_max     = (guint32)count[1];
  return TRUE;
}

/* What stands behind a part. */
static gboolean
take_quantifier (Parser *parser, Part *part, guint first_edge, GError **error)
{
  g_autoptr (GError) own_error = NULL;
  guint32 min = 0, max = WLY_AUTOMATON_ENDLESS;
  int sign = peek (parser);

  if (sign == '{' && !take_counts (parser, &min, &max, &own_error)) {
    if (own_error == NULL)
      return fail (parser, error, "{ begins no count; write \\{ for the character");
    g_propagate_error (error, g_steal_pointer (&own_error));
    return FALSE;
  }
  if (sign == '*' || sign == '+' || sign == '?') {
    min = sign == '+';
    max = sign == '?' ? 1 : WLY_AUTOMATON_ENDLESS;
    parser->text++;
  } else if (sign != '{') {
    return TRUE;
  }
  take (parser, "?"); /* which way is tried first makes no difference to the language */
  if (peek (parser) == '+' || peek (parser) == '*')
    return fail (parser, error, "nothing to repeat, or a possessive quantifier");
  return repeat (parser, part, first_edge, min, max, error);
}

static gboolean
open_group (Parser *parser, GError **error)
{
  Group group;

  if (take (parser, "?")) {
    if (take (parser, "<") && peek (parser) != '=' && peek (parser) != '!') {
      while (peek (parser) > 0 && (g_ascii_isalnum (peek (parser)) || peek (parser) == '_'))
        parser->text++;
      if (!take (parser, ">"))
        return fail (parser, error, "the name of a group does not end");
    } else if (!take (parser, ":")) {
      return fail (parser, error, "looking ahead or behind, and flags, are not supported");
    }
  }
  if (parser->groups->len >= WLY_GRAMMAR_DEPTH)
    return fail (parser, error, "more than 64 groups stand in each other");
  group.part = new_part (parser);
  group.at   = group.part.start;
  g_array_append_val (parser->groups, group);
  return TRUE;
}

static Group *
top (const Parser *parser)
{
  return &g_array_index (parser->groups, Group, parser->groups->len - 1);
}

/* Puts a part behind what was read of the present alternative. */
static void
append (Parser *parser, const Part *part)
{
  wly_language_add_empty (parser->language, top (parser)->at, part->start);
  top (parser)->at = part->end;
}

static Part
close_group (Parser *parser)
{
  Part part = top (parser)->part;

  wly_language_add_empty (parser->language, top (parser)->at, part.end);
  g_array_set_size (parser->groups, parser->groups->len - 1);
  return part;
}

/* The set of one atom that is no group; FALSE with an error. */
static gboolean
take_atom (Parser *parser, WlyCharset *set, GError **error)
{
  g_autoptr (GError) own_error = NULL;
  guint32 code;

  if (take (parser, "["))
    return take_class (parser, set, error);
  if (take (parser, ".")) {
    static const WlyCharRange ends[] = { { '\n', '\n' }, { '\r', '\r' }, { 0x2028, 0x2029 } };

    g_array_append_vals (set, ends, G_N_ELEMENTS (ends));
    wly_charset_negate (set);
    return TRUE;
  }
  if (strchr ("*+?{}])", peek (parser)) != NULL)
    return fail (parser, error, "this sign means something; write a backslash before it for the character");
  if (!take (parser, "\\")) {
    code = take_char (parser);
  } else if (take_class_escape (parser, set, &own_error)) {
    return TRUE;
  } else if (own_error != NULL) {
    g_propagate_error (error, g_steal_pointer (&own_error));
    return FALSE;
  } else if (!take_char_escape (parser, &code, error)) {
    return FALSE;
  }
  wly_charset_add (set, code, code);
  wly_charset_settle (set);
  return TRUE;
}

/* What is read next: a group's sign, or a part with what stands behind it. */
static gboolean
take_next (Parser *parser, guint *first_edges, GError **error)
{
  guint first_edge       = parser->language->edges->len;
  g_autoptr (GArray) set = NULL;
  Part part;

  if (take (parser, "|")) {
    wly_language_add_empty (parser->language, top (parser)->at, top (parser)->part.end);
    top (parser)->at = top (parser)->part.start;
    return TRUE;
  }
  if (take (parser, "(")) {
    first_edges[parser->groups->len] = first_edge;
    return open_group (parser, error);
  }
  if (parser->groups->len > 1 && take (parser, ")")) {
    part       = close_group (parser);
    first_edge = first_edges[parser->groups->len];
  } else {
    gboolean begin = take (parser, "^");
    gboolean end   = !begin && take (parser, "$");

    set  = wly_charset_new ();
    part = new_part (parser);
    if (begin || end) {
      guint32 mark = begin ? WLY_LANGUAGE_BEGIN : WLY_LANGUAGE_END;

      wly_language_add_range (parser->language, part.start, mark, mark, part.end);
      append (parser, &part);
      return TRUE;
    }
    if (!take_atom (parser, set, error))
      return FALSE;
    wly_language_add_set (parser->language, part.start, set, part.end);
  }
  if (!take_quantifier (parser, &part, first_edge, error))
    return FALSE;
  append (parser, &part);
  return parser->language->n_states <= WLY_LANGUAGE_STATES_MAX || fail (parser, error, "the expression is too large");
}

WlyLanguage *
wly_regex_parse (const char *text, gsize n_bytes, GError **error)
{
  g_autoptr (WlyLanguage) language = wly_language_new ();
  g_autoptr (GArray) groups        = g_array_new (FALSE, FALSE, sizeof (Group));
  Parser parser                    = { text, text, text + n_bytes, language, groups };
  guint first_edges[WLY_GRAMMAR_DEPTH + 1];
  Group whole;
  Part part;

  whole.part = new_part (&parser);
  whole.at   = whole.part.start;
  g_array_append_val (groups, whole);
  while (parser.text < parser.end)
    if (!take_next (&parser, first_edges, error))
      return NULL;
  if (groups->len > 1) {
    fail (&parser, error, "a group does not end");
    return NULL;
  }
  part            = close_group (&parser);
  language->start = part.start;
  language->end   = part.end;
  return g_steal_pointer (&language);
}

gboolean
wly_regex_add (WlyAutomaton *automaton, const char *text, gsize n_bytes, WlyRule *ret_rule, GError **error)
{
  g_autoptr (WlyLanguage) language = wly_regex_parse (text, n_bytes, error);
  g_autoptr (WlyDfa) dfa           = NULL;
  WlyState start, end;

  if (language == NULL)
    return FALSE;
  *ret_rule = wly_automaton_add_rule (automaton, NULL);
  start     = wly_automaton_rule_start (automaton, *ret_rule);
  end       = wly_automaton_add_state (automaton);
  wly_automaton_set_final (automaton, end);
  dfa = wly_dfa_new (language, WLY_LANGUAGE_WHOLE, WLY_DFA_WORK_SHORT);
  if (dfa != NULL)
    wly_dfa_emit (dfa, automaton, start, end, FALSE);
  else
    wly_language_emit (language, automaton, start, end);
  return TRUE;
}
