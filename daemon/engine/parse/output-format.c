/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "parse/output-format.h"

#include "template/chat-input.h"
#include "json/json.h"

#include <string.h>

#define PROBE_NAME  "woolly_probe_tool"
#define PROBE_KEY   "woolly_probe_key"
#define PROBE_VALUE "woolly_probe_value"
#define JSON_DEPTH  20
#define MARK_BYTES  64
#define CALL_BYTES  16384 /* what a template writes for one call; the square of it is looked at */

#define PROBE_TOOLS                                                                                                    \
  "\"tools\": [{\"type\": \"function\", \"function\": {\"name\": \"" PROBE_NAME "\", \"description\": \"d\", "         \
  "\"parameters\": {\"type\": \"object\", \"properties\": {\"" PROBE_KEY "\": {\"type\": \"string\", "                 \
  "\"description\": \"d\"}}, \"required\": [\"" PROBE_KEY "\"]}}}]"
#define PROBE_CALL                                                                                                     \
  "{\"role\": \"assistant\", \"content\": \"\", \"tool_calls\": [{\"id\": \"abcdef123\", \"type\": \"function\", "     \
  "\"function\": {\"name\": \"" PROBE_NAME "\", \"arguments\": {\"" PROBE_KEY "\": \"" PROBE_VALUE "\"}}}]}"
#define PROBE_USER "{\"role\": \"user\", \"content\": \"?\"}"

/* Marks around thoughts that models are known to write, the marks of channels beside them, and what gives them away in
 * the source of a template.  Most templates take thoughts off what the model wrote before, and so have the mark that
 * closes them, but not always the one that opens them. */
static const struct {
  const char *open, *close;
  const char *in_source[2]; /* either */
  const char *ignored[WLY_OUTPUT_FORMAT_OWN_IGNORED + 1];
} reasonings[] = {
  { "<|channel|>analysis<|message|>",
    "<|end|>",
    { "<|channel|>analysis", NULL },
    { "<|channel|>final<|message|>", "<|channel|>commentary", "<|start|>assistant", "<|message|>", "<|end|>",
      "<|return|>", NULL } },
  { "<think>", "</think>", { "<think>", "</think>" }, { NULL } },
  { "[THINK]", "[/THINK]", { "[THINK]", "[/THINK]" }, { NULL } },
  { "<seed:think>", "</seed:think>", { "<seed:think>", "</seed:think>" }, { NULL } },
  { "<thought>", "</thought>", { "<thought>", "</thought>" }, { NULL } },
  { "<|START_THINKING|>", "<|END_THINKING|>", { "<|START_THINKING|>", "<|END_THINKING|>" }, { NULL } },
};

/* Templates that render no call, and tell the model in words what to write for one. */
static const struct {
  const char *in_source;
  WlyCallsKind calls;
  const char *open;
} instructions[] = {
  { "<|tool_call|> followed by a JSON list", WLY_CALLS_LIST, "<|tool_call|>" },
};

/* ---- what the template makes of a call ---- */

static gboolean
render (const WlyChatTemplate *chat_template, const char *json, GVariant *variables, gboolean prompt,
        WlyRendered *ret_rendered)
{
  g_autoptr (GVariant) given = wly_chat_input_read (json, strlen (json), NULL);
  WlyChatInput input         = { NULL, NULL, variables, prompt };

  if (given == NULL)
    return FALSE;
  input.given = g_variant_ref_sink (given);
  return wly_chat_template_render (chat_template, &input, ret_rendered, NULL);
}

/* Bytes of a mark that is begun at the end and not closed: "<t" of <think> and <tool_call>. */
static gsize
begun_mark (const char *text, gsize n_bytes)
{
  for (gsize n = 1; n <= MIN (n_bytes, MARK_BYTES); n++) {
    const char c = text[n_bytes - n];

    if (c == '<' || c == '[')
      return n;
    if (c == '>' || c == ']' || g_ascii_isspace (c))
      return 0;
  }
  return 0;
}

/* What the model would write to make the call; (transfer full), NULL: the template knows no calls, or writes a call
 * that is too long to be one. */
static char *
render_call (const WlyChatTemplate *chat_template, GVariant *variables)
{
  g_auto (WlyRendered) before = { 0 }, whole = { 0 };
  gsize n = 0;

  if (!render (chat_template, "{\"messages\": [" PROBE_USER "], " PROBE_TOOLS "}", variables, TRUE, &before)
      || !render (chat_template, "{\"messages\": [" PROBE_USER ", " PROBE_CALL "], " PROBE_TOOLS "}", variables, FALSE,
                  &whole))
    return NULL;
  while (n < MIN (before.n_bytes, whole.n_bytes) && before.text[n] == whole.text[n])
    n++;
  n -= begun_mark (whole.text, n);
  if (whole.n_bytes - n > CALL_BYTES || strstr (whole.text + n, PROBE_NAME) == NULL)
    return NULL;
  return g_strdup (whole.text + n);
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

/* The first mark of the text behind a call, unless it is what ends every answer. */
static char *
first_mark (const char *text, const char *eos)
{
  const char *end;

  while (g_ascii_isspace (*text))
    text++;
  if (*text == '\0' || (*eos != '\0' && g_str_has_prefix (text, eos)))
    return g_strdup ("");
  if (*text == '`')
    text += strspn (text, "`\n");
  end = *text == '<' ? strchr (text, '>') : *text == '[' ? strchr (text, ']') : NULL;
  return end == NULL ? g_strdup ("") : g_strndup (text, (gsize)(end - text) + 1);
}

/* The keys of an object that holds the call; FALSE: it is another. */
static gboolean
find_keys (const WlyJson *json, WlyJsonId object, WlyOutputFormat *format)
{
  gsize n_bytes;

  if (wly_json_kind (json, object) != WLY_JSON_OBJECT)
    return FALSE;
  for (WlyJsonId i = wly_json_get (json, object)->first; i != 0; i = wly_json_get (json, i)->next) {
    if (wly_json_kind (json, i) == WLY_JSON_STRING && wly_json_is_text (json, i, PROBE_NAME)
        && *format->name_key == '\0') {
      g_free (format->name_key);
      format->name_key = g_strdup (wly_json_key (json, i, &n_bytes));
    } else if (wly_json_kind (json, i) == WLY_JSON_OBJECT && wly_json_find (json, i, PROBE_KEY) != 0) {
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
    format->close = first_mark (start + n, eos);
    return TRUE;
  }
  return FALSE;
}

static void
ignore (WlyOutputFormat *format, const char *mark)
{
  gsize n = 0;

  while (format->ignored[n] != NULL)
    n++;
  g_assert (n < WLY_OUTPUT_FORMAT_IGNORED);
  format->ignored[n] = mark;
}

/* "<calls><call>f<sep>name…<end-call><end-calls>": marks around all calls are no part of each. */
static void
take_outer_off (WlyOutputFormat *format, const char *rest, const char *eos)
{
  g_autofree char *first = first_mark (format->open, "");
  const gsize n          = strlen (first);
  const char *close      = *format->close != '\0' ? strstr (rest, format->close) : NULL;
  char *last, *open;

  if (n == 0 || close == NULL || !g_str_has_prefix (format->open, first)
      || (format->open[n] != '<' && format->open[n] != '['))
    return;
  last = first_mark (close + strlen (format->close), eos);
  if (*last == '\0') {
    g_free (last);
    return;
  }
  open = g_strdup (format->open + n);
  g_free (format->open);
  format->open     = open;
  format->outer[0] = g_steal_pointer (&first);
  format->outer[1] = last;
  ignore (format, format->outer[0]);
  ignore (format, format->outer[1]);
}

/* The name by itself, and the arguments as JSON behind it. */
static void
find_named (const char *text, const char *eos, WlyOutputFormat *format)
{
  const char *name      = strstr (text, PROBE_NAME);
  const char *arguments = name == NULL ? NULL : strchr (name, '{');
  const gsize n         = arguments == NULL ? 0 : json_length (arguments);
  g_autofree char *open = NULL;

  if (n == 0 || memmem (arguments, n, PROBE_KEY, strlen (PROBE_KEY)) == NULL)
    return;
  open = stripped (text, (gsize)(name - text));
  if (*open == '\0' || arguments == name + strlen (PROBE_NAME))
    return;
  format->calls = WLY_CALLS_NAMED;
  g_free (format->open);
  g_free (format->middle);
  g_free (format->close);
  format->open   = g_steal_pointer (&open);
  format->middle = stripped (name + strlen (PROBE_NAME), (gsize)(arguments - name) - strlen (PROBE_NAME));
  format->close  = first_mark (arguments + n, eos);
  take_outer_off (format, arguments + n, eos);
}

static void
set (char **text, const char *value)
{
  g_free (*text);
  *text = g_strdup (value);
}

static gboolean
has (const char *source, gsize n_bytes, const char *text)
{
  return text != NULL && memmem (source, n_bytes, text, strlen (text)) != NULL;
}

static void
find_instruction (const char *source, gsize n_bytes, WlyOutputFormat *format)
{
  for (gsize i = 0; i < G_N_ELEMENTS (instructions); i++) {
    if (!has (source, n_bytes, instructions[i].in_source))
      continue;
    format->calls = instructions[i].calls;
    set (&format->open, instructions[i].open);
    set (&format->name_key, "name");
    set (&format->arguments_key, "arguments");
    return;
  }
}

static void
find_reasoning (const char *source, gsize n_bytes, WlyOutputFormat *format)
{
  for (gsize i = 0; i < G_N_ELEMENTS (reasonings); i++) {
    if (!has (source, n_bytes, reasonings[i].in_source[0]) && !has (source, n_bytes, reasonings[i].in_source[1]))
      continue;
    set (&format->reasoning_open, reasonings[i].open);
    set (&format->reasoning_close, reasonings[i].close);
    memcpy (format->ignored, reasonings[i].ignored, sizeof reasonings[i].ignored);
    if (has (source, n_bytes, "<response>")) {
      ignore (format, "<response>");
      ignore (format, "</response>");
    }
    return;
  }
}

WlyOutputFormat *
wly_output_format_new (const WlyChatTemplate *chat_template, const char *source, gsize n_bytes, GVariant *variables)
{
  WlyOutputFormat *format = g_new0 (WlyOutputFormat, 1);
  g_autofree char *call   = render_call (chat_template, variables);
  const char *eos         = "";
  char **const texts[] = { &format->open,          &format->middle,         &format->close,          &format->name_key,
                           &format->arguments_key, &format->reasoning_open, &format->reasoning_close };

  for (gsize i = 0; i < G_N_ELEMENTS (texts); i++)
    *texts[i] = g_strdup ("");
  find_reasoning (source, n_bytes, format);
  if (call == NULL) {
    find_instruction (source, n_bytes, format);
    return format;
  }
  if (variables != NULL)
    g_variant_lookup (variables, "eos_token", "&s", &eos);
  if (*format->reasoning_close != '\0' && strstr (call, format->reasoning_close) != NULL
      && strstr (call, format->reasoning_close) < strstr (call, PROBE_NAME)) {
    /* empty thoughts that the template puts before */
    char *rest = g_strdup (strstr (call, format->reasoning_close) + strlen (format->reasoning_close));

    g_free (call);
    call = rest;
  }
  if (!find_object (call, eos, format))
    find_named (call, eos, format);
  return format;
}

void
wly_output_format_free (WlyOutputFormat *format)
{
  if (format == NULL)
    return;
  g_free (format->open);
  g_free (format->middle);
  g_free (format->close);
  g_free (format->name_key);
  g_free (format->arguments_key);
  g_free (format->reasoning_open);
  g_free (format->reasoning_close);
  g_free (format->outer[0]);
  g_free (format->outer[1]);
  g_free (format);
}

gboolean
wly_output_format_begins_reasoning (const WlyOutputFormat *format, const char *prompt, gsize n_bytes)
{
  const gsize n = strlen (format->reasoning_open);

  while (n_bytes > 0 && g_ascii_isspace (prompt[n_bytes - 1]))
    n_bytes--;
  return n > 0 && n_bytes >= n && memcmp (prompt + n_bytes - n, format->reasoning_open, n) == 0;
}

gboolean
wly_output_format_has_mark (const WlyOutputFormat *format, const char *text, gsize n_bytes)
{
  const char *const marks[] = { format->open, format->middle, format->close, format->reasoning_open,
                                format->reasoning_close };

  for (gsize i = 0; i < G_N_ELEMENTS (marks); i++)
    if (n_bytes > 0 && memmem (marks[i], strlen (marks[i]), text, n_bytes) != NULL)
      return TRUE;
  for (gsize i = 0; format->ignored[i] != NULL; i++)
    if (n_bytes > 0 && memmem (format->ignored[i], strlen (format->ignored[i]), text, n_bytes) != NULL)
      return TRUE;
  return FALSE;
}
