/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "template/template-lexer.h"

#include "template/template-text.h"
#include "token/unicode.h"
#include "wly-error.h"

#include <string.h>

void
wly_template_lexer_init (WlyTemplateLexer *lexer, const char *source, gsize n_bytes)
{
  *lexer = (WlyTemplateLexer){
    .source      = source,
    .n_bytes     = n_bytes,
    .line        = 1,
    .mode        = WLY_TEMPLATE_TOKEN_DATA,
    .line_starts = TRUE,
    .string      = g_string_new (NULL),
  };
  if (n_bytes > 0 && source[n_bytes - 1] == '\n')
    lexer->n_bytes--;
}

void
wly_template_lexer_clear (WlyTemplateLexer *lexer)
{
  if (lexer->string != NULL)
    g_string_free (g_steal_pointer (&lexer->string), TRUE);
}

static gboolean
fail (const WlyTemplateLexer *lexer, const char *text, GError **error)
{
  g_set_error (error, WLY_ERROR, WLY_ERROR_TEMPLATE_FAILED, "chat template, line %u: %s", lexer->line, text);
  return FALSE;
}

static char
peek (const WlyTemplateLexer *lexer, gsize ahead)
{
  return lexer->place + ahead < lexer->n_bytes ? lexer->source[lexer->place + ahead] : '\0';
}

static gboolean
starts_with (const WlyTemplateLexer *lexer, const char *text)
{
  const gsize n = strlen (text);

  return lexer->n_bytes - lexer->place >= n && memcmp (lexer->source + lexer->place, text, n) == 0;
}

static void
advance (WlyTemplateLexer *lexer, gsize n)
{
  for (; n > 0; n--)
    lexer->line += lexer->source[lexer->place++] == '\n';
}

/* Bytes of the white space, as Python knows it, at @place and before @end; 0: there is none. */
static gsize
blank_at (const WlyTemplateLexer *lexer, gsize place, gsize end)
{
  gsize n;

  if (place >= end || !wly_template_text_is_space (wly_unicode_get (lexer->source + place, &n)))
    return 0;
  return n;
}

/* The same of what stands before @place and not before @start. */
static gsize
blank_before (const WlyTemplateLexer *lexer, gsize place, gsize start)
{
  gsize first = place;

  while (first > start && ((guint8)lexer->source[--first] & 0xc0) == 0x80)
    ;
  return first < place ? blank_at (lexer, first, place) : 0;
}

static gsize
skip_blanks (const WlyTemplateLexer *lexer, gsize place)
{
  for (gsize n = 1; n > 0; place += n)
    n = blank_at (lexer, place, lexer->n_bytes);
  return place;
}

/* ---- between tags ---- */

/* The place of the next "{{", "{%" or "{#", or the end. */
static gsize
find_tag (const WlyTemplateLexer *lexer, gsize place)
{
  for (; place + 1 < lexer->n_bytes; place++) {
    const char next = lexer->source[place + 1];

    if (lexer->source[place] == '{' && (next == '{' || next == '%' || next == '#'))
      return place;
  }
  return lexer->n_bytes;
}

/* The end of the data [start, end) before a tag, when the tag's sign and lstrip_blocks took theirs. */
static gsize
trim_end (const WlyTemplateLexer *lexer, gsize start, gsize end, gsize tag)
{
  const char kind = lexer->source[tag + 1], sign = tag + 2 < lexer->n_bytes ? lexer->source[tag + 2] : '\0';
  gsize place = end;

  if (sign == '-') {
    for (gsize n = 1; n > 0; place -= n)
      n = blank_before (lexer, place, start);
    return place;
  }
  if (sign == '+' || kind == '{')
    return end;
  while (place > start && lexer->source[place - 1] != '\n') {
    const gsize n = blank_before (lexer, place, start);

    if (n == 0)
      return end;
    place -= n;
  }
  return place > start || lexer->line_starts ? place : end;
}

/* Behind "%}" or "#}": trim_blocks takes a newline, the sign "-" all white space. */
static void
end_tag (WlyTemplateLexer *lexer, char sign)
{
  lexer->strip       = sign == '-';
  lexer->line_starts = FALSE;
  if (sign == '\0' && peek (lexer, 0) == '\n') {
    advance (lexer, 1);
    lexer->line_starts = TRUE;
  }
}

static gboolean
skip_comment (WlyTemplateLexer *lexer, GError **error)
{
  const char *from = lexer->source + lexer->place + 2;
  const char *end =
      lexer->n_bytes - lexer->place < 4 ? NULL : memmem (from, (gsize)(lexer->source + lexer->n_bytes - from), "#}", 2);
  char sign;

  if (end == NULL)
    return fail (lexer, "a comment has no end", error);
  sign = end > from && (end[-1] == '-' || end[-1] == '+') ? end[-1] : '\0';
  advance (lexer, (gsize)(end + 2 - (lexer->source + lexer->place)));
  end_tag (lexer, sign);
  return TRUE;
}

/* {% raw %} … {% endraw %} at @place: the tag's bytes; 0: it is another. */
static gsize
match_word_tag (const WlyTemplateLexer *lexer, gsize place, const char *word, char *ret_begin, char *ret_end)
{
  const gsize n = strlen (word), start = place;
  const char *source = lexer->source;

  *ret_begin = *ret_end = '\0';
  if (lexer->n_bytes - place < n + 4 || memcmp (source + place, "{%", 2) != 0)
    return 0;
  place += 2;
  if (source[place] == '-' || source[place] == '+')
    *ret_begin = source[place++];
  place = skip_blanks (lexer, place);
  if (lexer->n_bytes - place < n || memcmp (source + place, word, n) != 0)
    return 0;
  place += n;
  place = skip_blanks (lexer, place);
  if (place < lexer->n_bytes && (source[place] == '-' || source[place] == '+'))
    *ret_end = source[place++];
  if (lexer->n_bytes - place < 2 || memcmp (source + place, "%}", 2) != 0)
    return 0;
  return place + 2 - start;
}

/* At "{% raw %}": gives all up to "{% endraw %}" as data. */
static gboolean
next_raw (WlyTemplateLexer *lexer, gsize n_tag, char end_sign, WlyTemplateToken *token, GError **error)
{
  gsize start, end, n_end;
  char begin_sign, last_sign;

  advance (lexer, n_tag);
  lexer->strip       = end_sign == '-'; /* trim_blocks takes no newline here */
  lexer->line_starts = FALSE;
  start              = lexer->place;
  if (lexer->strip)
    start = skip_blanks (lexer, start);
  for (end = start;; end++) {
    end = find_tag (lexer, end);
    if (end == lexer->n_bytes)
      return fail (lexer, "raw has no endraw", error);
    n_end = match_word_tag (lexer, end, "endraw", &begin_sign, &last_sign);
    if (n_end > 0)
      break;
  }
  *token = (WlyTemplateToken){ WLY_TEMPLATE_TOKEN_DATA, lexer->line, lexer->source + start,
                               trim_end (lexer, start, end, end) - start };
  advance (lexer, end + n_end - lexer->place);
  end_tag (lexer, last_sign);
  return TRUE;
}

/* Sets *@ret_token to data or to the begin of a tag. */
static gboolean
next_outside (WlyTemplateLexer *lexer, WlyTemplateToken *token, GError **error)
{
  for (;;) {
    gsize start = lexer->place, tag = find_tag (lexer, start), end = tag, n_raw;
    char begin_sign, end_sign;

    if (lexer->strip)
      start = MIN (skip_blanks (lexer, start), tag);
    if (tag < lexer->n_bytes)
      end = trim_end (lexer, start, tag, tag);
    if (tag > lexer->place) {
      *token = (WlyTemplateToken){ WLY_TEMPLATE_TOKEN_DATA, lexer->line, lexer->source + start, end - start };
      advance (lexer, tag - lexer->place);
      lexer->strip = lexer->line_starts = FALSE;
      if (end > start)
        return TRUE;
    }
    if (lexer->place == lexer->n_bytes) {
      *token = (WlyTemplateToken){ WLY_TEMPLATE_TOKEN_END, lexer->line };
      return TRUE;
    }
    n_raw = match_word_tag (lexer, lexer->place, "raw", &begin_sign, &end_sign);
    if (n_raw > 0 && end_sign != '+')
      return next_raw (lexer, n_raw, end_sign, token, error);
    if (peek (lexer, 1) != '#') {
      lexer->mode = peek (lexer, 1) == '{' ? WLY_TEMPLATE_TOKEN_OUTPUT_BEGIN : WLY_TEMPLATE_TOKEN_BLOCK_BEGIN;
      *token      = (WlyTemplateToken){ lexer->mode, lexer->line };
      advance (lexer, peek (lexer, 2) == '-' || peek (lexer, 2) == '+' ? 3 : 2);
      lexer->n_open = 0;
      return TRUE;
    }
    if (!skip_comment (lexer, error))
      return FALSE;
  }
}

/* ---- inside of tags ---- */

/* Whether the tag ends here, and with which sign. */
static gboolean
at_tag_end (WlyTemplateLexer *lexer, char *ret_sign)
{
  const char *end  = lexer->mode == WLY_TEMPLATE_TOKEN_OUTPUT_BEGIN ? "}}" : "%}";
  const char first = peek (lexer, 0);

  *ret_sign = '\0';
  if (lexer->n_open > 0)
    return FALSE;
  if (starts_with (lexer, end))
    return TRUE;
  if ((first != '-' && (first != '+' || lexer->mode == WLY_TEMPLATE_TOKEN_OUTPUT_BEGIN)) || peek (lexer, 1) != end[0]
      || peek (lexer, 2) != end[1])
    return FALSE;
  *ret_sign = first;
  return TRUE;
}

static void
take_tag_end (WlyTemplateLexer *lexer, char sign, WlyTemplateToken *token)
{
  const gboolean output = lexer->mode == WLY_TEMPLATE_TOKEN_OUTPUT_BEGIN;

  token->kind = output ? WLY_TEMPLATE_TOKEN_OUTPUT_END : WLY_TEMPLATE_TOKEN_BLOCK_END;
  advance (lexer, sign == '\0' ? 2 : 3);
  lexer->mode = WLY_TEMPLATE_TOKEN_DATA;
  if (output) {
    lexer->strip       = sign == '-';
    lexer->line_starts = FALSE;
  } else {
    end_tag (lexer, sign);
  }
}

/* Hexadecimal digits behind \x, \u, \U; FALSE: too few, or no character. */
static gboolean
take_hex (WlyTemplateLexer *lexer, guint n_digits)
{
  guint32 code = 0;
  char bytes[4];

  for (guint i = 0; i < n_digits; i++) {
    if (!g_ascii_isxdigit (peek (lexer, 0)))
      return FALSE;
    code = code << 4 | (guint32)g_ascii_xdigit_value (peek (lexer, 0));
    advance (lexer, 1);
  }
  if (code == 0 || code >= 0x110000 || (code >= 0xd800 && code < 0xe000))
    return FALSE;
  g_string_append_len (lexer->string, bytes, (gssize)wly_unicode_put (code, bytes));
  return TRUE;
}

/* One to three octal digits. */
static gboolean
take_octal (WlyTemplateLexer *lexer, GError **error)
{
  guint32 code = 0;
  char bytes[4];

  for (guint i = 0; i < 3 && peek (lexer, 0) >= '0' && peek (lexer, 0) <= '7'; i++) {
    code = code << 3 | (guint32)(peek (lexer, 0) - '0');
    advance (lexer, 1);
  }
  if (code == 0)
    return fail (lexer, "an escape in a string names no character", error);
  g_string_append_len (lexer->string, bytes, (gssize)wly_unicode_put (code, bytes));
  return TRUE;
}

static gboolean
take_escape (WlyTemplateLexer *lexer, GError **error)
{
  static const char names[] = "abfnrtv\\'\"", values[] = "\a\b\f\n\r\t\v\\'\"";
  const char c     = peek (lexer, 1);
  const char *name = c == '\0' ? NULL : strchr (names, c);

  if (c == 'x' || c == 'u' || c == 'U') {
    advance (lexer, 2);
    if (!take_hex (lexer, c == 'x' ? 2 : c == 'u' ? 4 : 8))
      return fail (lexer, "an escape in a string names no character", error);
    return TRUE;
  }
  if (c >= '0' && c <= '7') {
    advance (lexer, 1);
    return take_octal (lexer, error);
  }
  if (c == 'N')
    return fail (lexer, "an escape \\N is not supported", error);
  if (name != NULL)
    g_string_append_c (lexer->string, values[name - names]);
  else if (c != '\n')
    g_string_append_c (lexer->string, '\\');
  advance (lexer, name != NULL || c == '\n' ? 2 : 1);
  return TRUE;
}

static gboolean
take_string (WlyTemplateLexer *lexer, WlyTemplateToken *token, GError **error)
{
  const char quote = peek (lexer, 0);

  g_string_truncate (lexer->string, 0);
  for (advance (lexer, 1); peek (lexer, 0) != quote;) {
    if (lexer->place >= lexer->n_bytes)
      return fail (lexer, "a string has no end", error);
    if (peek (lexer, 0) == '\\') {
      if (!take_escape (lexer, error))
        return FALSE;
      continue;
    }
    g_string_append_c (lexer->string, peek (lexer, 0));
    advance (lexer, 1);
  }
  advance (lexer, 1);
  token->kind    = WLY_TEMPLATE_TOKEN_STRING;
  token->text    = lexer->string->str;
  token->n_bytes = lexer->string->len;
  return TRUE;
}

/* 0b101, 0o17, 0xff */
static gboolean
take_based (WlyTemplateLexer *lexer, WlyTemplateToken *token, GError **error)
{
  const char sign   = peek (lexer, 1) | 0x20;
  const gint64 base = sign == 'b' ? 2 : sign == 'o' ? 8 : 16;
  gint64 value      = 0;
  guint n_digits    = 0;

  for (advance (lexer, 2);; advance (lexer, 1)) {
    const gint digit = g_ascii_xdigit_value (peek (lexer, 0));

    if (peek (lexer, 0) == '_' && g_ascii_isxdigit (peek (lexer, 1)))
      continue;
    if (digit < 0 || digit >= base)
      break;
    n_digits++;
    if (__builtin_mul_overflow (value, base, &value) || __builtin_add_overflow (value, digit, &value))
      return fail (lexer, "a number is too large", error);
  }
  token->kind    = WLY_TEMPLATE_TOKEN_INTEGER;
  token->integer = value;
  return n_digits > 0 || fail (lexer, "a number has no digits", error);
}

static gboolean
take_number (WlyTemplateLexer *lexer, WlyTemplateToken *token, GError **error)
{
  g_autoptr (GString) digits = g_string_new (NULL);
  const gboolean index       = lexer->place > 0 && lexer->source[lexer->place - 1] == '.'; /* a.0.1 */
  gboolean real              = FALSE;

  if (peek (lexer, 0) == '0' && peek (lexer, 1) != '\0' && strchr ("bBoOxX", peek (lexer, 1)) != NULL)
    return take_based (lexer, token, error);
  for (char c = peek (lexer, 0);; c = peek (lexer, 0)) {
    const gboolean fraction = c == '.' && !real && !index && g_ascii_isdigit (peek (lexer, 1));

    if (!g_ascii_isdigit (c) && c != '_' && !fraction)
      break;
    real = real || fraction;
    if (c != '_')
      g_string_append_c (digits, c);
    advance (lexer, 1);
  }
  if (!index && (peek (lexer, 0) | 0x20) == 'e'
      && (g_ascii_isdigit (peek (lexer, 1))
          || (strchr ("+-", peek (lexer, 1)) != NULL && g_ascii_isdigit (peek (lexer, 2))))) {
    real = TRUE;
    do {
      g_string_append_c (digits, peek (lexer, 0));
      advance (lexer, 1);
    } while (g_ascii_isdigit (peek (lexer, 0)) || peek (lexer, 0) == '+' || peek (lexer, 0) == '-');
  }
  token->kind = real ? WLY_TEMPLATE_TOKEN_FLOAT : WLY_TEMPLATE_TOKEN_INTEGER;
  if (real)
    token->real = g_ascii_strtod (digits->str, NULL);
  else if (!g_ascii_string_to_signed (digits->str, 10, G_MININT64, G_MAXINT64, &token->integer, NULL))
    return fail (lexer, "a number is too large", error);
  return TRUE;
}

/* Bytes of the character of a name at @place; 0: it is none. */
static gsize
name_character (const WlyTemplateLexer *lexer, gsize place)
{
  gunichar code;
  gsize n;

  if (place >= lexer->n_bytes)
    return 0;
  code = wly_unicode_get (lexer->source + place, &n);
  return code == '_' || g_unichar_isalnum (code) || (code >= 0x80 && g_unichar_ismark (code)) ? n : 0;
}

static gboolean
take_operator (WlyTemplateLexer *lexer, WlyTemplateToken *token, GError **error)
{
  static const char *const pairs[] = { "==", "!=", "<=", ">=", "**", "//" };
  const char first                 = peek (lexer, 0);
  char text[64];

  token->kind = WLY_TEMPLATE_TOKEN_OPERATOR;
  token->sign = WLY_TEMPLATE_OPERATOR (first, 0);
  for (gsize i = 0; i < G_N_ELEMENTS (pairs); i++) {
    if (starts_with (lexer, pairs[i])) {
      token->sign = WLY_TEMPLATE_OPERATOR (first, pairs[i][1]);
      advance (lexer, 2);
      return TRUE;
    }
  }
  if (first == '\0' || strchr ("+-*/%~<>=.,:|()[]{}", first) == NULL) {
    g_snprintf (text, sizeof text, "the byte 0x%02x stands where an expression goes on", (guint8)first);
    return fail (lexer, text, error);
  }
  if (strchr ("([{", first) != NULL)
    lexer->n_open++;
  else if (strchr (")]}", first) != NULL && lexer->n_open > 0)
    lexer->n_open--;
  advance (lexer, 1);
  return TRUE;
}

static gboolean
next_inside (WlyTemplateLexer *lexer, WlyTemplateToken *token, GError **error)
{
  char sign;

  advance (lexer, skip_blanks (lexer, lexer->place) - lexer->place);
  *token = (WlyTemplateToken){ .line = lexer->line };
  if (lexer->place >= lexer->n_bytes)
    return fail (lexer, "a tag has no end", error);
  if (at_tag_end (lexer, &sign)) {
    take_tag_end (lexer, sign, token);
    return TRUE;
  }
  if (peek (lexer, 0) == '\'' || peek (lexer, 0) == '"')
    return take_string (lexer, token, error);
  if (g_ascii_isdigit (peek (lexer, 0)))
    return take_number (lexer, token, error);
  if (name_character (lexer, lexer->place) == 0)
    return take_operator (lexer, token, error);
  token->kind = WLY_TEMPLATE_TOKEN_NAME;
  token->text = lexer->source + lexer->place;
  for (gsize n = 1; n > 0; advance (lexer, n))
    n = name_character (lexer, lexer->place);
  token->n_bytes = (gsize)(lexer->source + lexer->place - token->text);
  return TRUE;
}

gboolean
wly_template_lexer_next (WlyTemplateLexer *lexer, WlyTemplateToken *ret_token, GError **error)
{
  if (lexer->mode == WLY_TEMPLATE_TOKEN_DATA)
    return next_outside (lexer, ret_token, error);
  return next_inside (lexer, ret_token, error);
}
