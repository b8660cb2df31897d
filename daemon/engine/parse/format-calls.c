/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "parse/format-private.h"

#include "json/json.h"

#include <string.h>

#define JSON_DEPTH 20
#define CALL_BYTES 16384 /* what a template writes for one call; the square of it is looked at */

#define TEXT "{\"type\": \"string\", \"description\": \"d\"}"
#define TOOLS                                                                                                          \
  "\"tools\": [{\"type\": \"function\", \"function\": {\"name\": \"" WLY_FORMAT_PROBE_NAME                             \
  "\", \"description\": \"d\", \"parameters\": {\"type\": \"object\", \"properties\": {\"" WLY_FORMAT_PROBE_KEY        \
  "\": " TEXT ", \"" WLY_FORMAT_PROBE_OTHER_KEY "\": " TEXT "}, \"required\": [\"" WLY_FORMAT_PROBE_KEY "\"]}}}]"
#define USER           "{\"role\": \"user\", \"content\": \"?\"}"
#define ARGUMENT       "\"" WLY_FORMAT_PROBE_KEY "\": \"" WLY_FORMAT_PROBE_VALUE "\""
#define OTHER_ARGUMENT "\"" WLY_FORMAT_PROBE_OTHER_KEY "\": \"" WLY_FORMAT_PROBE_OTHER_VALUE "\""
#define CALL(id, arguments)                                                                                            \
  "{\"id\": \"" id "\", \"type\": \"function\", \"function\": {\"name\": \"" WLY_FORMAT_PROBE_NAME                     \
  "\", \"arguments\": {" arguments "}}}"
#define ONE_CALL      CALL ("abcdef123", ARGUMENT)
#define TWO_ARGUMENTS CALL ("abcdef123", ARGUMENT ", " OTHER_ARGUMENT)
#define TWO_CALLS     TWO_ARGUMENTS ", " CALL ("abcdef124", ARGUMENT)

/* Templates that render no call, and tell the model in words what to write for one. */
static const struct {
  const char *in_source;
  WlyCallsKind calls;
  const char *open, *close;
} instructions[] = {
  { "<|tool_call|> followed by a JSON list", WLY_CALLS_LIST, "<|tool_call|>", "" },
  { "<|tool_list_start|>", WLY_CALLS_PYTHON, "<|tool_call_start|>", "<|tool_call_end|>" },
};

/* ---- what the template makes of a call ---- */

/* What the model would write behind the prompt to make the calls, without thoughts before them; (transfer full), NULL:
 * the template knows no calls, or writes one that is too long to be one. */
static char *
render_calls (const WlyFormatProbe *probe, const WlyRendered *prompt, const WlyOutputFormat *format, const char *calls)
{
  g_autofree char *json = g_strdup_printf ("{\"messages\": [" USER ", {\"role\": \"assistant\", \"content\": \"\", "
                                           "\"tool_calls\": [%s]}], " TOOLS "}",
                                           calls);
  g_auto (WlyRendered) whole = { 0 };
  const char *start, *thoughts;
  gsize n;

  if (!wly_format_probe_render (probe, json, FALSE, &whole))
    return NULL;
  n     = wly_format_probe_common (prompt->text, prompt->n_bytes, whole.text, whole.n_bytes);
  start = whole.text + n;
  if (whole.n_bytes - n > CALL_BYTES || strstr (start, WLY_FORMAT_PROBE_NAME) == NULL)
    return NULL;
  thoughts = *format->reasoning_close != '\0' ? strstr (start, format->reasoning_close) : NULL;
  if (thoughts != NULL && thoughts < strstr (start, WLY_FORMAT_PROBE_NAME))
    start = thoughts + strlen (format->reasoning_close);
  return g_strdup (start);
}

/* ---- the form of the call ---- */

/* Bytes of the JSON value at the start of the text; 0: there is none that is whole. */
static gsize
json_length (const char *text)
{
  gboolean inside = FALSE;
  guint depth     = 0;

  for (gsize i = 0; text[i] != '\0'; i++) {
    if (inside) {
      if (text[i] == '\\' && text[i + 1] != '\0')
        i++;
      else
        inside = text[i] != '"';
    } else if (text[i] == '"') {
      inside = TRUE;
    } else if (text[i] == '{' || text[i] == '[') {
      depth++;
    } else if ((text[i] == '}' || text[i] == ']') && --depth == 0) {
      return i + 1;
    }
  }
  return 0;
}

static char *
stripped (const char *text, gsize n_bytes)
{
  return g_strstrip (g_strndup (text, n_bytes));
}

/* The keys of an object that holds the call; FALSE: it is another. */
static gboolean
find_keys (const WlyJson *json, WlyJsonId object, WlyOutputFormat *format)
{
  gsize n_bytes;

  if (wly_json_kind (json, object) != WLY_JSON_OBJECT)
    return FALSE;
  for (WlyJsonId i = wly_json_get (json, object)->first; i != 0; i = wly_json_get (json, i)->next) {
    if (wly_json_kind (json, i) == WLY_JSON_STRING && wly_json_is_text (json, i, WLY_FORMAT_PROBE_NAME)
        && *format->name_key == '\0') {
      g_free (format->name_key);
      format->name_key = g_strdup (wly_json_key (json, i, &n_bytes));
    } else if (wly_json_kind (json, i) == WLY_JSON_OBJECT && wly_json_find (json, i, WLY_FORMAT_PROBE_KEY) != 0) {
      g_free (format->arguments_key);
      format->arguments_key = g_strdup (wly_json_key (json, i, &n_bytes));
    }
  }
  format->with_id = wly_json_find (json, object, "id") != 0;
  return *format->name_key != '\0' && *format->arguments_key != '\0';
}

/* A JSON value of the text that holds the call, the widest first. */
static gboolean
find_object (const char *text, const char *eos, WlyOutputFormat *format)
{
  for (const char *start = strpbrk (text, "{["); start != NULL; start = strpbrk (start + 1, "{[")) {
    const gsize n            = json_length (start);
    g_autoptr (WlyJson) json = n == 0 ? NULL : wly_json_new (start, n, JSON_DEPTH, NULL);
    gboolean list;

    if (json == NULL)
      continue;
    list = wly_json_kind (json, WLY_JSON_ROOT) == WLY_JSON_ARRAY;
    if (!find_keys (json, list ? wly_json_get (json, WLY_JSON_ROOT)->first : WLY_JSON_ROOT, format))
      continue;
    format->calls = list ? WLY_CALLS_LIST : WLY_CALLS_OBJECT;
    g_free (format->open);
    g_free (format->close);
    format->open  = stripped (text, (gsize)(start - text));
    format->close = wly_format_probe_first_mark (start + n, eos);
    return TRUE;
  }
  return FALSE;
}

/* "<calls><call>f<sep>name…<end-call><end-calls>": marks around all calls are no part of each. */
static void
take_outer_off (WlyOutputFormat *format, const char *rest, const char *eos)
{
  g_autofree char *first = wly_format_probe_first_mark (format->open, "");
  const gsize n          = strlen (first);
  const char *close      = *format->close != '\0' ? strstr (rest, format->close) : NULL;
  g_autofree char *last  = NULL;
  char *open;

  if (n == 0 || close == NULL || !g_str_has_prefix (format->open, first)
      || (format->open[n] != '<' && format->open[n] != '['))
    return;
  last = wly_format_probe_first_mark (close + strlen (format->close), eos);
  if (*last == '\0')
    return;
  open = g_strdup (format->open + n);
  g_free (format->open);
  format->open = open;
  wly_format_probe_outer (format, first, last);
}

/* The name by itself, and the arguments as JSON behind it. */
static gboolean
find_named (const char *text, const char *eos, WlyOutputFormat *format)
{
  const char *name      = strstr (text, WLY_FORMAT_PROBE_NAME);
  const char *arguments = name == NULL ? NULL : strchr (name, '{');
  const gsize n         = arguments == NULL ? 0 : json_length (arguments);
  g_autofree char *open = NULL;

  if (n == 0 || memmem (arguments, n, WLY_FORMAT_PROBE_KEY, strlen (WLY_FORMAT_PROBE_KEY)) == NULL)
    return FALSE;
  open = stripped (text, (gsize)(name - text));
  if (*open == '\0' || arguments == name + strlen (WLY_FORMAT_PROBE_NAME))
    return FALSE;
  format->calls = WLY_CALLS_NAMED;
  g_free (format->open);
  g_free (format->middle);
  g_free (format->close);
  format->open = g_steal_pointer (&open);
  format->middle =
      stripped (name + strlen (WLY_FORMAT_PROBE_NAME), (gsize)(arguments - name) - strlen (WLY_FORMAT_PROBE_NAME));
  format->close = wly_format_probe_first_mark (arguments + n, eos);
  take_outer_off (format, arguments + n, eos);
  return TRUE;
}

/* [name(key='value')] */
static gboolean
find_python (const char *text, const char *eos, WlyOutputFormat *format)
{
  static const char begin[] = WLY_FORMAT_PROBE_NAME "(" WLY_FORMAT_PROBE_KEY "=", value[] = WLY_FORMAT_PROBE_VALUE;
  const char *name      = strstr (text, begin);
  const char *at        = name == NULL ? NULL : name + strlen (begin);
  g_autofree char *open = name == NULL ? g_strdup ("") : stripped (text, (gsize)(name - text));

  if (!g_str_has_suffix (open, "[") || (*at != '"' && *at != '\'') || !g_str_has_prefix (at + 1, value)
      || at[1 + strlen (value)] != *at || !g_str_has_prefix (at + 2 + strlen (value), ")]"))
    return FALSE;
  open[strlen (open) - 1] = '\0';
  format->calls           = WLY_CALLS_PYTHON;
  wly_format_probe_set (&format->open, g_strchomp (open));
  wly_format_probe_set (&format->name_key, "name");
  wly_format_probe_set (&format->arguments_key, "arguments");
  g_free (format->close);
  format->close = wly_format_probe_first_mark (at + 4 + strlen (value), eos);
  return TRUE;
}

/* Arguments between marks show how they are parted only where there are two of them, and calls likewise. */
static void
find_members (const WlyFormatProbe *probe, const WlyRendered *prompt, WlyOutputFormat *format)
{
  g_autofree char *two_calls = render_calls (probe, prompt, format, TWO_CALLS);
  g_autofree char *one_call  = two_calls == NULL ? render_calls (probe, prompt, format, TWO_ARGUMENTS) : NULL;

  if (two_calls != NULL || one_call != NULL)
    wly_format_members_find (two_calls != NULL ? two_calls : one_call, probe->eos, format);
}

static void
find_instruction (const WlyFormatProbe *probe, WlyOutputFormat *format)
{
  for (gsize i = 0; i < G_N_ELEMENTS (instructions); i++) {
    if (!wly_format_probe_has (probe, instructions[i].in_source))
      continue;
    format->calls = instructions[i].calls;
    wly_format_probe_set (&format->open, instructions[i].open);
    wly_format_probe_set (&format->close, instructions[i].close);
    wly_format_probe_set (&format->name_key, "name");
    wly_format_probe_set (&format->arguments_key, "arguments");
    return;
  }
}

void
wly_format_calls_find (const WlyFormatProbe *probe, WlyOutputFormat *format)
{
  g_auto (WlyRendered) prompt = { 0 };
  g_autofree char *call       = NULL;

  if (wly_format_probe_render (probe, "{\"messages\": [" USER "], " TOOLS "}", TRUE, &prompt))
    call = render_calls (probe, &prompt, format, ONE_CALL);
  if (call == NULL)
    find_instruction (probe, format);
  else if (!find_object (call, probe->eos, format) && !find_named (call, probe->eos, format)
           && !find_python (call, probe->eos, format))
    find_members (probe, &prompt, format);
}
