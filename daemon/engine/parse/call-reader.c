/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "parse/call-reader.h"

#include "parse/call-python.h"
#include "parse/tool-list.h"

#include <string.h>

#define NAME_BYTES 256
/* What no name has in it; what stands behind one begins with it. */
#define NO_NAME " \n\t{}<>\""

/* The parts of a call whose arguments stand between marks. */
enum {
  PART_BEFORE_NAME,
  PART_NAME,
  PART_MIDDLE,
  PART_MEMBERS, /* a key, or the end */
  PART_KEY,
  PART_KEY_CLOSE,
  PART_VALUE,
};

/* Of a value, whether it is a list, an object or a string in JSON. */
enum {
  JSON_BEFORE,
  JSON_WITHIN,
  JSON_BEHIND,
  JSON_NONE,
};

void
wly_call_reader_begin (WlyCallReader *reader, const WlyOutputFormat *format, GVariant *tools, gsize open_bytes)
{
  wly_call_reader_clear (reader);
  reader->format     = format;
  reader->tools      = tools;
  reader->open_bytes = reader->scanned = open_bytes;
  if (format->calls == WLY_CALLS_MEMBERS)
    reader->arguments = g_string_new ("{");
}

void
wly_call_reader_clear (WlyCallReader *reader)
{
  g_free (reader->name);
  g_free (reader->key);
  if (reader->arguments != NULL)
    g_string_free (reader->arguments, TRUE);
  memset (reader, 0, sizeof *reader);
}

gboolean
wly_call_reader_is_name (const char *name)
{
  return *name != '\0' && strlen (name) <= NAME_BYTES && strpbrk (name, NO_NAME) == NULL;
}

/* ---- lists and objects ---- */

/* Reads on in a value of brackets or a string, which `scanned` is in, up to its end, or to the sign @stop where no
 * string is (0: none); TRUE: it is whole and ends there. */
static gboolean
scan_value (WlyCallReader *reader, const GString *text, gboolean python, char stop)
{
  while (reader->scanned < text->len) {
    const char c = text->str[reader->scanned];

    if (c == stop && stop != '\0' && reader->quote == '\0')
      return FALSE;
    reader->scanned++;

    if (reader->escaped) {
      reader->escaped = FALSE;
    } else if (reader->quote != '\0') {
      reader->escaped = c == '\\';
      if (c != reader->quote)
        continue;
      reader->quote = '\0';
      if (reader->depth == 0)
        return TRUE;
    } else if (c == '"' || (python && c == '\'')) {
      reader->quote = c;
    } else if (c == '{' || c == '[' || (python && c == '(')) {
      reader->depth++;
    } else if ((c == '}' || c == ']' || (python && c == ')')) && --reader->depth == 0) {
      return TRUE;
    }
  }
  return FALSE;
}

/* The first list or object of the text; TRUE: it is whole and ends before `scanned`. */
static gboolean
scan_brackets (WlyCallReader *reader, const GString *text)
{
  /* of other calls, a "[" before the arguments is a part of the middle mark */
  static const char *const begins[] = {
    [WLY_CALLS_OBJECT] = "{[", [WLY_CALLS_LIST] = "{[", [WLY_CALLS_NAMED] = "{", [WLY_CALLS_PYTHON] = "["
  };
  const char *signs = begins[reader->format->calls];

  if (reader->depth == 0) {
    while (reader->scanned < text->len && memchr (signs, text->str[reader->scanned], strlen (signs)) == NULL)
      reader->scanned++;
    reader->start = reader->scanned;
  }
  return scan_value (reader, text, reader->format->calls == WLY_CALLS_PYTHON, '\0');
}

/* ---- arguments between marks ---- */

static void
skip_space (WlyCallReader *reader, const GString *text)
{
  while (reader->scanned < text->len && g_ascii_isspace (text->str[reader->scanned]))
    reader->scanned++;
}

/* Whether the mark stands here. */
static WlyCallState
look_for (const WlyCallReader *reader, const GString *text, const char *mark)
{
  const gsize n = strlen (mark), given = MIN (n, text->len - reader->scanned);

  if (memcmp (text->str + reader->scanned, mark, given) != 0)
    return WLY_CALL_NONE;
  return given < n ? WLY_CALL_MORE : WLY_CALL_WHOLE;
}

static WlyCallState
take_mark (WlyCallReader *reader, const GString *text, const char *mark, guint next)
{
  const WlyCallState state = look_for (reader, text, mark);

  if (state != WLY_CALL_WHOLE)
    return state;
  reader->scanned += strlen (mark);
  reader->start = reader->scanned;
  reader->part  = next;
  return state;
}

static WlyCallState
take_name (WlyCallReader *reader, const GString *text, char **ret_name, guint next)
{
  while (reader->scanned < text->len && memchr (NO_NAME, text->str[reader->scanned], strlen (NO_NAME)) == NULL)
    reader->scanned++;
  if (reader->scanned - reader->start > NAME_BYTES)
    return WLY_CALL_NONE;
  if (reader->scanned == text->len)
    return WLY_CALL_MORE;
  g_free (*ret_name);
  *ret_name    = g_strndup (text->str + reader->start, reader->scanned - reader->start);
  reader->part = next;
  return **ret_name != '\0' ? WLY_CALL_WHOLE : WLY_CALL_NONE;
}

static WlyCallState
take_member (WlyCallReader *reader, const GString *text, gboolean *ret_end)
{
  WlyCallState key, end;

  skip_space (reader, text);
  key = take_mark (reader, text, reader->format->key_open, PART_KEY);
  if (key == WLY_CALL_WHOLE)
    return key;
  end      = take_mark (reader, text, reader->format->after_members, PART_MEMBERS);
  *ret_end = end == WLY_CALL_WHOLE;
  return key == WLY_CALL_MORE || end == WLY_CALL_MORE ? WLY_CALL_MORE : end;
}

/* The white space at one end of a mark is one of the value's, if it is there. */
static void
strip_value (const WlyOutputFormat *format, const char **value, gsize *n_bytes)
{
  const char *head = format->key_close + strlen (format->key_close);
  const gsize tail = strspn (format->value_close, " \n\t");
  gsize n          = 0;

  while (head > format->key_close && g_ascii_isspace (head[-1]))
    head--;
  n = strlen (head);
  if (n > 0 && *n_bytes >= n && memcmp (*value, head, n) == 0) {
    *value += n;
    *n_bytes -= n;
  }
  if (tail > 0 && *n_bytes >= tail && memcmp (*value + *n_bytes - tail, format->value_close, tail) == 0)
    *n_bytes -= tail;
}

/* A value that is not called a string: JSON, where it is that, or a word of Python. */
static gboolean
append_json (GString *out, const char *value, gsize n_bytes)
{
  g_autofree char *word    = n_bytes < 32 ? g_strstrip (g_strndup (value, n_bytes)) : NULL;
  const char *literal      = word == NULL ? NULL : wly_call_python_word (word);
  g_autoptr (WlyJson) json = NULL;

  if (literal != NULL) {
    g_string_append (out, literal);
    return TRUE;
  }
  json = wly_json_new (value, n_bytes, WLY_CALL_READER_DEPTH - 1, NULL);
  if (json != NULL)
    wly_json_write (json, WLY_JSON_ROOT, out);
  return json != NULL;
}

static void
append_value (WlyCallReader *reader, const GString *text, gsize end)
{
  const char *value = text->str + reader->start;
  gsize n_bytes     = end - reader->start;
  GString *out      = reader->arguments;

  strip_value (reader->format, &value, &n_bytes);
  g_string_append (out, out->len > 1 ? ", " : "");
  wly_json_write_string (out, reader->key, strlen (reader->key));
  g_string_append (out, ": ");
  if (wly_tool_list_is_text (reader->tools, reader->name, reader->key) || !append_json (out, value, n_bytes))
    wly_json_write_string (out, value, n_bytes);
}

/* A list, an object or a string in JSON, up to the mark behind it; NONE: it is another value. */
static WlyCallState
take_json (WlyCallReader *reader, const GString *text, const char *close, gsize *ret_end)
{
  if (reader->json == JSON_BEFORE) {
    skip_space (reader, text);
    if (reader->scanned == text->len)
      return WLY_CALL_MORE;
    reader->json = memchr ("[{\"", text->str[reader->scanned], 3) != NULL ? JSON_WITHIN : JSON_NONE;
  }
  if (reader->json == JSON_WITHIN) {
    if (scan_value (reader, text, FALSE, *close))
      reader->json = JSON_BEHIND;
    else if (reader->scanned < text->len)
      reader->json = JSON_NONE;
    else
      return WLY_CALL_MORE;
  }
  if (reader->json == JSON_NONE)
    return WLY_CALL_NONE;
  skip_space (reader, text);
  *ret_end = reader->scanned;
  return look_for (reader, text, close);
}

/* Any text up to the mark behind it. */
static WlyCallState
take_plain (WlyCallReader *reader, const GString *text, const char *close, gsize *ret_end)
{
  const gsize n  = strlen (close);
  const char *at = memmem (text->str + reader->scanned, text->len - reader->scanned, close, n);

  if (at == NULL) {
    /* its last bytes may begin the mark */
    reader->scanned = MAX (reader->scanned, text->len - MIN (text->len, n - 1));
    return WLY_CALL_MORE;
  }
  *ret_end = (gsize)(at - text->str);
  return WLY_CALL_WHOLE;
}

static WlyCallState
take_value (WlyCallReader *reader, const GString *text)
{
  const char *close  = reader->format->value_close + strspn (reader->format->value_close, " \n\t");
  WlyCallState state = WLY_CALL_NONE;
  gsize end          = 0;

  if (reader->json != JSON_NONE) {
    state = take_json (reader, text, close, &end);
    if (state == WLY_CALL_NONE) {
      reader->json    = JSON_NONE;
      reader->scanned = reader->start;
    }
  }
  if (state == WLY_CALL_NONE)
    state = take_plain (reader, text, close, &end);
  if (state != WLY_CALL_WHOLE)
    return state;
  append_value (reader, text, end);
  reader->scanned = end + strlen (close);
  reader->part    = PART_MEMBERS;
  return state;
}

/* A key and what stands behind it; strings are not asked whether they are JSON. */
static WlyCallState
take_key_close (WlyCallReader *reader, const GString *text)
{
  g_autofree char *mark    = g_strchomp (g_strdup (reader->format->key_close));
  const WlyCallState state = take_mark (reader, text, mark, PART_VALUE);

  reader->depth = 0;
  reader->quote = '\0';
  reader->json  = wly_tool_list_is_text (reader->tools, reader->name, reader->key) ? JSON_NONE : JSON_BEFORE;
  return state;
}

static WlyCallState
scan_members (WlyCallReader *reader, const GString *text)
{
  WlyCallState state = WLY_CALL_WHOLE;
  gboolean end       = FALSE;

  while (state == WLY_CALL_WHOLE && !end) {
    switch (reader->part) {
    case PART_BEFORE_NAME:
      skip_space (reader, text);
      state = reader->scanned == text->len ? WLY_CALL_MORE
                                           : take_mark (reader, text, reader->format->before_name, PART_NAME);
      break;
    case PART_NAME:
      state = take_name (reader, text, &reader->name, PART_MIDDLE);
      break;
    case PART_MIDDLE:
      skip_space (reader, text);
      state = take_mark (reader, text, reader->format->middle, PART_MEMBERS);
      break;
    case PART_MEMBERS:
      state = take_member (reader, text, &end);
      break;
    case PART_KEY:
      state = take_name (reader, text, &reader->key, PART_KEY_CLOSE);
      break;
    case PART_KEY_CLOSE:
      state = take_key_close (reader, text);
      break;
    default:
      state = take_value (reader, text);
      break;
    }
  }
  return state;
}

/* ---- all kinds ---- */

WlyCallState
wly_call_reader_scan (WlyCallReader *reader, const GString *text, gsize *ret_end)
{
  WlyCallState state;

  if (reader->format->calls == WLY_CALLS_MEMBERS)
    state = scan_members (reader, text);
  else
    state = scan_brackets (reader, text) ? WLY_CALL_WHOLE : WLY_CALL_MORE;
  *ret_end = reader->scanned;
  return state;
}

/* The name between the opening mark and the middle one; (transfer full), NULL: there is none. */
static char *
name_of (const WlyCallReader *reader, const GString *text)
{
  g_autofree char *head = g_strndup (text->str + reader->open_bytes, reader->start - reader->open_bytes);
  const char *middle    = reader->format->middle;
  char *end             = *middle != '\0' ? strstr (head, middle) : NULL;

  /* models put marks of their own in the middle's place, too: "name <|constrain|>json<|message|>" */
  if (*middle == '<' && end == NULL)
    end = strpbrk (head, " <");
  if (*middle != '\0' && end == NULL)
    return NULL;
  if (end != NULL)
    *end = '\0';
  g_strstrip (head);
  return wly_call_reader_is_name (head) ? g_steal_pointer (&head) : NULL;
}

WlyJson *
wly_call_reader_read (const WlyCallReader *reader, const GString *text, gsize end, char **ret_name)
{
  g_autoptr (GString) json = g_string_new (NULL);

  *ret_name = NULL;
  if (reader->format->calls == WLY_CALLS_MEMBERS) {
    *ret_name = g_strdup (reader->name);
    g_string_append_printf (json, "%s}", reader->arguments->str);
  } else if (reader->format->calls == WLY_CALLS_PYTHON) {
    if (!wly_call_python_to_json (text->str + reader->start, end - reader->start, json))
      return NULL;
  } else {
    if (reader->format->calls == WLY_CALLS_NAMED) {
      *ret_name = name_of (reader, text);
      if (*ret_name == NULL)
        return NULL;
    }
    g_string_append_len (json, text->str + reader->start, (gssize)(end - reader->start));
  }
  return wly_json_new (json->str, json->len, WLY_CALL_READER_DEPTH, NULL);
}
