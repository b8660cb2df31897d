/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "parse/call-python.h"

#include "json/json.h"

#include <string.h>

typedef struct {
  const char *at, *end;
  GString *out;
} Source;

static void
skip_space (Source *source)
{
  while (source->at < source->end && g_ascii_isspace (*source->at))
    source->at++;
}

/* Reads a sign behind white space. */
static gboolean
take (Source *source, char sign)
{
  skip_space (source);
  if (source->at == source->end || *source->at != sign)
    return FALSE;
  source->at++;
  return TRUE;
}

/* What stands up to white space or a sign; (transfer full), "": nothing. */
static char *
take_word (Source *source)
{
  const char *start;

  skip_space (source);
  start = source->at;
  while (source->at < source->end && !g_ascii_isspace (*source->at) && strchr ("\"'()[]{},:=", *source->at) == NULL)
    source->at++;
  return g_strndup (start, (gsize)(source->at - start));
}

/* ---- strings ---- */

/* Hexadecimal digits of a number; FALSE: there are not so many. */
static gboolean
take_number (Source *source, guint n_digits, gunichar *ret_code)
{
  gunichar code = 0;

  if ((gsize)(source->end - source->at) < n_digits)
    return FALSE;
  for (guint i = 0; i < n_digits; i++) {
    if (!g_ascii_isxdigit (source->at[i]))
      return FALSE;
    code = code << 4 | (gunichar)g_ascii_xdigit_value (source->at[i]);
  }
  source->at += n_digits;
  *ret_code = code;
  return TRUE;
}

/* The other half of a pair of UTF-16, as JSON writes it. */
static gunichar
take_second_half (Source *source, gunichar high)
{
  const char *before = source->at;
  gunichar low;

  if (source->end - source->at > 2 && source->at[0] == '\\' && source->at[1] == 'u') {
    source->at += 2;
    if (take_number (source, 4, &low) && low >= 0xdc00 && low < 0xe000)
      return 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
  }
  source->at = before;
  return high;
}

/* What stands behind a backslash. */
static void
take_escape (Source *source, GString *text)
{
  static const char letters[] = "\\'\"/abfnrtv0", meant[] = "\\'\"/\a\b\f\n\r\t\v";
  const char letter    = *source->at++;
  const char *found    = strchr (letters, letter);
  const guint n_digits = letter == 'x' ? 2 : letter == 'u' ? 4 : letter == 'U' ? 8 : 0;
  gunichar code;

  if (letter != '\0' && found != NULL) {
    g_string_append_c (text, meant[found - letters]);
  } else if (n_digits > 0 && take_number (source, n_digits, &code)) {
    if (code >= 0xd800 && code < 0xdc00)
      code = take_second_half (source, code);
    g_string_append_unichar (text, code < 0x110000 && (code & 0x1ff800) != 0xd800 ? code : 0xfffd);
  } else if (letter != '\n') {
    /* as Python does; of a line break nothing stays */
    g_string_append_c (text, '\\');
    g_string_append_c (text, letter);
  }
}

static gboolean
take_string (Source *source)
{
  g_autoptr (GString) text = g_string_new (NULL);
  const char quote         = *source->at++;

  while (source->at < source->end && *source->at != quote) {
    const char c = *source->at++;

    if (c != '\\')
      g_string_append_c (text, c);
    else if (source->at < source->end)
      take_escape (source, text);
  }
  if (source->at == source->end)
    return FALSE;
  source->at++;
  wly_json_write_string (source->out, text->str, text->len);
  return TRUE;
}

/* ---- values ---- */

const char *
wly_call_python_word (const char *word)
{
  static const char *const words[][2] = { { "True", "true" }, { "False", "false" }, { "None", "null" } };

  for (gsize i = 0; i < G_N_ELEMENTS (words); i++)
    if (g_str_equal (word, words[i][0]))
      return words[i][1];
  return NULL;
}

static gboolean
take_name (Source *source)
{
  g_autofree char *word = take_word (source);
  const char *json      = wly_call_python_word (word);

  g_string_append (source->out, json != NULL ? json : word);
  return *word != '\0';
}

/* A list, tuple or dictionary ends, maybe behind a comma. */
static void
close_value (Source *source, char sign)
{
  GString *out = source->out;

  while (out->len > 0 && (out->str[out->len - 1] == ' ' || out->str[out->len - 1] == ','))
    g_string_truncate (out, out->len - 1);
  g_string_append_c (out, sign == ')' ? ']' : sign);
}

/* A value, up to the comma or the parenthesis behind it. */
static gboolean
take_value (Source *source)
{
  guint depth = 0;

  while (source->at < source->end) {
    const char c = *source->at;

    if (depth == 0 && (c == ',' || c == ')'))
      return TRUE;
    if (c == '"' || c == '\'') {
      if (!take_string (source))
        return FALSE;
      continue;
    }
    if (strchr ("[]{}(),:", c) == NULL && !g_ascii_isspace (c)) {
      if (!take_name (source))
        return FALSE;
      continue;
    }
    source->at++;
    if (c == '[' || c == '{' || c == '(') {
      depth++;
      g_string_append_c (source->out, c == '(' ? '[' : c);
    } else if (c == ']' || c == '}' || c == ')') {
      if (depth-- == 0)
        return FALSE;
      close_value (source, c);
    } else {
      g_string_append_c (source->out, c == ',' || c == ':' ? c : ' ');
    }
  }
  return FALSE;
}

/* ---- calls ---- */

/* a=1, b='x') */
static gboolean
take_arguments (Source *source)
{
  gboolean more = FALSE;

  while (!take (source, ')')) {
    g_autofree char *key = take_word (source);

    if (*key == '\0' || !take (source, '='))
      return FALSE;
    g_string_append (source->out, more ? ", " : "");
    wly_json_write_string (source->out, key, strlen (key));
    g_string_append (source->out, ": ");
    skip_space (source);
    if (!take_value (source))
      return FALSE;
    more = TRUE;
    if (!take (source, ',') && (source->at == source->end || *source->at != ')'))
      return FALSE;
  }
  return TRUE;
}

static gboolean
take_call (Source *source)
{
  g_autofree char *name = take_word (source);

  if (*name == '\0' || !take (source, '('))
    return FALSE;
  g_string_append (source->out, "{\"name\": ");
  wly_json_write_string (source->out, name, strlen (name));
  g_string_append (source->out, ", \"arguments\": {");
  if (!take_arguments (source))
    return FALSE;
  g_string_append (source->out, "}}");
  return TRUE;
}

gboolean
wly_call_python_to_json (const char *text, gsize n_bytes, GString *out)
{
  Source source = { text, text + n_bytes, out };

  if (!take (&source, '['))
    return FALSE;
  g_string_append_c (out, '[');
  do {
    if (!take_call (&source))
      return FALSE;
    skip_space (&source);
    g_string_append (out, source.at < source.end && *source.at == ',' ? ", " : "");
  } while (take (&source, ','));
  g_string_append_c (out, ']');
  return take (&source, ']') && source.at == source.end;
}
