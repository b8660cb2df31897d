/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "parse/format-private.h"

#include <string.h>

#define THOUGHTS   "woolly_probe_thoughts"
#define ANSWER     "woolly_probe_answer"
#define MARK_BYTES 64
#define ROLE_BYTES 4 /* of what begins an answer, at least */

#define USER "{\"role\": \"user\", \"content\": \"?\"}"
#define ON   ", \"enable_thinking\": true, \"thinking\": true}"
#define OFF  ", \"enable_thinking\": false, \"thinking\": false}"
#define SAID                                                                                                           \
  "{\"role\": \"assistant\", \"content\": \"" ANSWER "\", \"reasoning_content\": \"" THOUGHTS                          \
  "\", \"reasoning\": \"" THOUGHTS "\", \"thinking\": \"" THOUGHTS "\"}"

/* Where a template shows nothing: marks that models are known to write, the marks of channels beside them, and what
 * gives them away in its source.  Many templates take thoughts off what the model wrote before, and so have the mark
 * that closes them, but not always the one that opens them. */
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

/* ---- what the template does ---- */

/* Text between two places, without white space at its ends; (transfer full), NULL: it is no mark. */
static char *
mark_between (const char *start, const char *end)
{
  g_autofree char *mark = g_strstrip (g_strndup (start, (gsize)(end - start)));
  const gsize n         = strlen (mark);

  if (n < 3 || n > MARK_BYTES || strchr ("<[", *mark) == NULL || strchr (">]", mark[n - 1]) == NULL
      || strpbrk (mark, "\n{}\"") != NULL)
    return NULL;
  return g_steal_pointer (&mark);
}

/* The mark that a text ends with. */
static char *
last_mark (const char *start, const char *end)
{
  const char *at = end;

  while (at > start && at[-1] != '<' && at[-1] != '[')
    at--;
  return at > start ? mark_between (at - 1, end) : NULL;
}

static gboolean
take (WlyOutputFormat *format, char *open, char *close)
{
  const gboolean found = open != NULL && close != NULL && !g_str_equal (open, close);

  if (found) {
    wly_format_probe_set (&format->reasoning_open, open);
    wly_format_probe_set (&format->reasoning_close, close);
  }
  g_free (open);
  g_free (close);
  return found;
}

/* Marks around the answer, "<think>…</think><response>…</response>". */
static void
find_around (const char *between, const char *answer, WlyOutputFormat *format)
{
  g_autofree char *open  = mark_between (between, answer);
  g_autofree char *close = wly_format_probe_first_mark (answer + strlen (ANSWER), "");

  if (open != NULL && g_str_has_prefix (close, "</")) {
    wly_format_probe_ignore (format, open);
    wly_format_probe_ignore (format, close);
  }
}

/* An answer with thoughts before it, behind the prompt for them: the marks are what stands around them. */
static gboolean
find_said (const WlyFormatProbe *probe, const WlyRendered *on, WlyOutputFormat *format)
{
  g_auto (WlyRendered) whole = { 0 };
  g_autofree char *close     = NULL;
  const char *thoughts, *answer, *behind;
  char *open;
  gsize n;

  if (!wly_format_probe_render (probe, "{\"messages\": [" USER ", " SAID "]" ON, FALSE, &whole))
    return FALSE;
  thoughts = strstr (whole.text, THOUGHTS);
  answer   = thoughts == NULL ? NULL : strstr (thoughts, ANSWER);
  if (answer == NULL)
    return FALSE;
  behind = thoughts + strlen (THOUGHTS);
  close  = wly_format_probe_first_mark (behind, "");
  n      = wly_format_probe_common (on->text, on->n_bytes, whole.text, whole.n_bytes);
  open   = mark_between (whole.text + MIN (n, (gsize)(thoughts - whole.text)), thoughts);
  /* or the prompt has it already */
  if (open == NULL)
    open = last_mark (whole.text, thoughts);
  if (*close == '\0' || strstr (behind, close) > answer)
    g_clear_pointer (&close, g_free);
  if (!take (format, open, g_strdup (close)))
    return FALSE;
  find_around (strstr (behind, close) + strlen (close), answer, format);
  return TRUE;
}

static gsize
bytes_without_space (const char *text, gsize n_bytes)
{
  while (n_bytes > 0 && g_ascii_isspace (text[n_bytes - 1]))
    n_bytes--;
  return n_bytes;
}

/* "…assistant" and "…assistant<think></think>": two marks more at the end, whatever differs before. */
static gboolean
find_at_end (const WlyRendered *on, const WlyRendered *off, WlyOutputFormat *format)
{
  const gsize n_on = bytes_without_space (on->text, on->n_bytes);
  gsize n = bytes_without_space (off->text, off->n_bytes), common = 0;
  g_autofree char *close = last_mark (off->text, off->text + n), *open = NULL;

  if (close == NULL)
    return FALSE;
  n    = bytes_without_space (off->text, n - strlen (close));
  open = last_mark (off->text, off->text + n);
  if (open == NULL)
    return FALSE;
  n = bytes_without_space (off->text, n - strlen (open));
  while (common < MIN (n, n_on) && off->text[n - common - 1] == on->text[n_on - common - 1])
    common++;
  return common >= ROLE_BYTES && take (format, g_steal_pointer (&open), g_steal_pointer (&close));
}

/* The prompt of an answer without thoughts closes them, and that of one with them may open them. */
static gboolean
find_switched (const WlyFormatProbe *probe, const WlyRendered *on, WlyOutputFormat *format)
{
  g_auto (WlyRendered) off = { 0 };
  g_autofree char *open    = NULL;
  const char *end;
  gsize n;

  if (!wly_format_probe_render (probe, "{\"messages\": [" USER "]" OFF, TRUE, &off))
    return FALSE;
  n    = wly_format_probe_common (on->text, on->n_bytes, off.text, off.n_bytes);
  end  = off.text + off.n_bytes;
  open = wly_format_probe_first_mark (off.text + n, "");
  if (n == on->n_bytes && *open != '\0') {
    const char *close = strstr (off.text + n, open) + strlen (open);

    if (take (format, g_steal_pointer (&open), mark_between (close, end)))
      return TRUE;
  }
  return take (format, mark_between (on->text + n, on->text + on->n_bytes), mark_between (off.text + n, end))
         || find_at_end (on, &off, format);
}

/* ---- what its source has ---- */

/* Marks that stand beside those of thoughts which are known. */
static void
ignore_known (WlyOutputFormat *format)
{
  for (gsize i = 0; i < G_N_ELEMENTS (reasonings); i++)
    if (g_str_equal (format->reasoning_open, reasonings[i].open))
      for (gsize k = 0; reasonings[i].ignored[k] != NULL; k++)
        wly_format_probe_ignore (format, reasonings[i].ignored[k]);
}

static void
find_in_source (const WlyFormatProbe *probe, WlyOutputFormat *format)
{
  for (gsize i = 0; i < G_N_ELEMENTS (reasonings); i++) {
    if (!wly_format_probe_has (probe, reasonings[i].in_source[0])
        && !wly_format_probe_has (probe, reasonings[i].in_source[1]))
      continue;
    wly_format_probe_set (&format->reasoning_open, reasonings[i].open);
    wly_format_probe_set (&format->reasoning_close, reasonings[i].close);
    return;
  }
}

void
wly_format_reasoning_find (const WlyFormatProbe *probe, WlyOutputFormat *format)
{
  g_auto (WlyRendered) on = { 0 };

  if (!wly_format_probe_render (probe, "{\"messages\": [" USER "]" ON, TRUE, &on)
      || (!find_said (probe, &on, format) && !find_switched (probe, &on, format)))
    find_in_source (probe, format);
  if (*format->reasoning_open == '\0')
    return;
  /* so far only those around an answer could be found */
  if (format->ignored[0] == NULL && wly_format_probe_has (probe, "<response>")) {
    wly_format_probe_ignore (format, "<response>");
    wly_format_probe_ignore (format, "</response>");
  }
  ignore_known (format);
}
