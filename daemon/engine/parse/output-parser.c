/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "parse/output-parser.h"

#include "parse/call-reader.h"

#include <string.h>

typedef enum {
  STATE_TEXT,
  STATE_REASONING,
  STATE_CALL,  /* behind the mark that opens a call */
  STATE_CLOSE, /* behind a call: white space and the closing mark go */
} State;

struct WlyOutputParser {
  const WlyOutputFormat *format;
  GVariant *tools; /* NULL: nothing is a call */
  State state;
  gboolean begun;     /* something of the answer was written */
  gboolean trim;      /* white space at the start goes */
  gboolean final;     /* nothing follows */
  GString *pending;   /* not decided yet */
  WlyCallReader call; /* in STATE_CALL */
  guint n_calls;
  WlyPieceCb callback;
  gpointer user_data;
};

WlyOutputParser *
wly_output_parser_new (const WlyOutputFormat *format, GVariant *tools, gboolean reasoning)
{
  WlyOutputParser *parser = g_new0 (WlyOutputParser, 1);

  parser->format  = format;
  parser->tools   = tools != NULL && format->calls != WLY_CALLS_NONE ? g_variant_ref (tools) : NULL;
  parser->state   = reasoning ? STATE_REASONING : STATE_TEXT;
  parser->trim    = reasoning;
  parser->pending = g_string_new (NULL);
  return parser;
}

void
wly_output_parser_free (WlyOutputParser *parser)
{
  if (parser == NULL)
    return;
  g_clear_pointer (&parser->tools, g_variant_unref);
  wly_call_reader_clear (&parser->call);
  g_string_free (parser->pending, TRUE);
  g_free (parser);
}

guint
wly_output_parser_n_calls (const WlyOutputParser *parser)
{
  return parser->n_calls;
}

/* ---- pieces ---- */

/* The first bytes of what is pending, without white space at the start where it goes. */
static void
give (WlyOutputParser *parser, gsize n_bytes)
{
  const WlyPieceKind kind = parser->state == STATE_REASONING ? WLY_PIECE_REASONING : WLY_PIECE_TEXT;
  gsize start             = 0;

  while (parser->trim && start < n_bytes && g_ascii_isspace (parser->pending->str[start]))
    start++;
  if (start < n_bytes) {
    const WlyPiece piece = { kind, parser->pending->str + start, n_bytes - start, NULL, NULL };

    parser->callback (&piece, parser->user_data);
    parser->trim = FALSE;
    parser->begun |= kind == WLY_PIECE_TEXT;
  }
  g_string_erase (parser->pending, 0, (gssize)n_bytes);
}

/* The first of the marks in what is pending; its number, -1: none.  *ret_held: bytes at the end that may become one. */
static gint
find_mark (const GString *pending, const char *const *marks, guint n_marks, gsize *ret_place, gsize *ret_held)
{
  gint found = -1;

  *ret_held = 0;
  for (guint i = 0; i < n_marks; i++) {
    const gsize n  = strlen (marks[i]);
    const char *at = n == 0 ? NULL : memmem (pending->str, pending->len, marks[i], n);

    if (at != NULL && (found < 0 || (gsize)(at - pending->str) < *ret_place)) {
      found      = (gint)i;
      *ret_place = (gsize)(at - pending->str);
    }
    for (gsize held = n == 0 ? 0 : MIN (n - 1, pending->len); held > *ret_held; held--) {
      if (memcmp (pending->str + pending->len - held, marks[i], held) == 0) {
        *ret_held = held;
        break;
      }
    }
  }
  return found;
}

/* ---- thoughts and text ---- */

/* TRUE: go on with what is pending. */
static gboolean
take_reasoning (WlyOutputParser *parser)
{
  const char *const marks[] = { parser->format->reasoning_close };
  gsize place               = 0, held;

  if (find_mark (parser->pending, marks, 1, &place, &held) < 0) {
    /* white space before the closing mark is no thought */
    gsize n = parser->pending->len - (parser->final ? 0 : held);

    while (!parser->final && n > 0 && g_ascii_isspace (parser->pending->str[n - 1]))
      n--;
    give (parser, n);
    return FALSE;
  }
  {
    gsize n = place;

    while (n > 0 && g_ascii_isspace (parser->pending->str[n - 1]))
      n--;
    give (parser, n);
    g_string_erase (parser->pending, 0, (gssize)(place - n + strlen (marks[0])));
  }
  parser->state = STATE_TEXT;
  parser->trim  = TRUE;
  return TRUE;
}

static gsize
leading_space (const GString *text)
{
  gsize n = 0;

  while (n < text->len && g_ascii_isspace (text->str[n]))
    n++;
  return n;
}

/* A call without a mark begins the answer, with "{" or "[". */
static gboolean
begins_bare_call (WlyOutputParser *parser)
{
  const gsize start = leading_space (parser->pending);

  if (parser->tools == NULL || *parser->format->open != '\0' || parser->begun)
    return FALSE;
  return start < parser->pending->len
         && parser->pending->str[start] == (parser->format->calls == WLY_CALLS_OBJECT ? '{' : '[');
}

static void
begin_call (WlyOutputParser *parser, gsize open_bytes)
{
  parser->state = STATE_CALL;
  wly_call_reader_begin (&parser->call, parser->format, parser->tools, open_bytes);
}

static gboolean
take_text (WlyOutputParser *parser)
{
  const char *marks[3 + WLY_OUTPUT_FORMAT_IGNORED] = { parser->tools != NULL ? parser->format->open : "",
                                                       parser->format->reasoning_open };
  guint n_marks = 2;
  gsize place = 0, held, lead = 0;
  gint mark;

  for (gsize i = 0; parser->format->ignored[i] != NULL; i++)
    marks[n_marks++] = parser->format->ignored[i];
  if (begins_bare_call (parser)) {
    begin_call (parser, 0);
    return TRUE;
  }
  /* thoughts are only where an answer begins; white space before them is none of it */
  if (parser->begun)
    marks[1] = "";
  else
    lead = leading_space (parser->pending);
  mark = find_mark (parser->pending, marks, n_marks, &place, &held);
  if (mark < 0) {
    if (parser->final || lead + held < parser->pending->len)
      give (parser, parser->pending->len - (parser->final ? 0 : held));
    return FALSE;
  }
  if (place <= lead)
    g_string_erase (parser->pending, 0, (gssize)place);
  else
    give (parser, place);
  if (mark == 0) {
    begin_call (parser, strlen (marks[0]));
    return TRUE;
  }
  /* text before it: then it was no beginning */
  if (mark == 1 && parser->begun)
    return TRUE;
  g_string_erase (parser->pending, 0, (gssize)strlen (marks[mark]));
  parser->trim = TRUE;
  if (mark == 1)
    parser->state = STATE_REASONING;
  return TRUE;
}

/* ---- calls ---- */

/* What looked like a call is text. */
static gboolean
give_up (WlyOutputParser *parser)
{
  const gsize n = MAX (parser->call.open_bytes, 1);

  parser->state = STATE_TEXT;
  parser->begun = TRUE;
  give (parser, MIN (n, parser->pending->len));
  return parser->pending->len > 0;
}

static gboolean
give_call (WlyOutputParser *parser, const char *id, const char *name, const WlyJson *json, WlyJsonId arguments)
{
  g_autoptr (GString) text = g_string_new (NULL);
  g_autofree char *own     = g_strdup_printf ("call-%u", parser->n_calls + 1);
  WlyPiece piece           = { WLY_PIECE_CALL, NULL, 0, id != NULL ? id : own, name };
  gsize n_bytes;

  if (wly_json_kind (json, arguments) == WLY_JSON_STRING) {
    g_autoptr (WlyJson) inner = NULL;

    g_string_append (text, wly_json_text (json, arguments, &n_bytes));
    inner = wly_json_new (text->str, text->len, WLY_CALL_READER_DEPTH, NULL);
    if (inner == NULL || wly_json_kind (inner, WLY_JSON_ROOT) != WLY_JSON_OBJECT)
      return FALSE;
  } else if (wly_json_kind (json, arguments) == WLY_JSON_OBJECT) {
    wly_json_write (json, arguments, text);
  } else {
    return FALSE;
  }
  piece.text    = text->str;
  piece.n_bytes = text->len;
  parser->n_calls++;
  parser->begun = TRUE;
  parser->callback (&piece, parser->user_data);
  return TRUE;
}

static gboolean
give_object (WlyOutputParser *parser, const WlyJson *json, WlyJsonId object)
{
  const WlyJsonId name      = wly_json_find (json, object, parser->format->name_key),
                  id        = wly_json_find (json, object, "id");
  const WlyJsonId arguments = wly_json_find (json, object, parser->format->arguments_key);
  gsize n_bytes;

  if (name == 0 || arguments == 0 || wly_json_kind (json, name) != WLY_JSON_STRING
      || !wly_call_reader_is_name (wly_json_text (json, name, &n_bytes)))
    return FALSE;
  return give_call (parser,
                    id != 0 && wly_json_kind (json, id) == WLY_JSON_STRING ? wly_json_text (json, id, &n_bytes) : NULL,
                    wly_json_text (json, name, &n_bytes), json, arguments);
}

/* What is pending up to @end is whole. */
static gboolean
give_calls (WlyOutputParser *parser, gsize end)
{
  g_autofree char *name    = NULL;
  g_autoptr (WlyJson) json = wly_call_reader_read (&parser->call, parser->pending, end, &name);
  gboolean any             = FALSE;

  if (json == NULL)
    return FALSE;
  if (name != NULL)
    return give_call (parser, NULL, name, json, WLY_JSON_ROOT);
  if (wly_json_kind (json, WLY_JSON_ROOT) != WLY_JSON_ARRAY)
    return give_object (parser, json, WLY_JSON_ROOT);
  for (WlyJsonId i = wly_json_get (json, WLY_JSON_ROOT)->first; i != 0; i = wly_json_get (json, i)->next)
    any |= give_object (parser, json, i);
  return any;
}

static gboolean
take_call (WlyOutputParser *parser)
{
  gsize end;
  const WlyCallState state = wly_call_reader_scan (&parser->call, parser->pending, &end);

  if (state == WLY_CALL_MORE && parser->pending->len <= WLY_OUTPUT_PARSER_CALL_BYTES && !parser->final)
    return FALSE;
  if (state != WLY_CALL_WHOLE || !give_calls (parser, end))
    return give_up (parser);
  g_string_erase (parser->pending, 0, (gssize)end);
  parser->state = STATE_CLOSE;
  return TRUE;
}

/* Behind a call: "</tool_call>", or ";" and another one. */
static gboolean
take_close (WlyOutputParser *parser)
{
  const char *close = parser->format->close;
  const gsize n     = strlen (close);
  gsize start       = 0;

  while (start < parser->pending->len
         && (g_ascii_isspace (parser->pending->str[start]) || parser->pending->str[start] == '`'))
    start++;
  if (!parser->final && parser->pending->len - start < MAX (n, 1)
      && memcmp (parser->pending->str + start, close, parser->pending->len - start) == 0)
    return FALSE;
  if (n > 0 && parser->pending->len - start >= n && memcmp (parser->pending->str + start, close, n) == 0)
    start += n;
  g_string_erase (parser->pending, 0, (gssize)start);
  parser->state = STATE_TEXT;
  parser->trim  = TRUE;
  return TRUE;
}

/* ---- all of it ---- */

static void
run (WlyOutputParser *parser)
{
  gboolean going = TRUE;

  while (going && (parser->pending->len > 0 || parser->state == STATE_CLOSE)) {
    switch (parser->state) {
    case STATE_TEXT:
      going = take_text (parser);
      break;
    case STATE_REASONING:
      going = take_reasoning (parser);
      break;
    case STATE_CALL:
      going = take_call (parser);
      break;
    case STATE_CLOSE:
      going = take_close (parser);
      break;
    }
  }
}

void
wly_output_parser_push (WlyOutputParser *parser, const char *text, gsize n_bytes, WlyPieceCb callback,
                        gpointer user_data)
{
  parser->callback  = callback;
  parser->user_data = user_data;
  g_string_append_len (parser->pending, text, (gssize)n_bytes);
  run (parser);
}

void
wly_output_parser_finish (WlyOutputParser *parser, WlyPieceCb callback, gpointer user_data)
{
  parser->callback  = callback;
  parser->user_data = user_data;
  parser->final     = TRUE;
  run (parser);
}
