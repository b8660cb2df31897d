/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Calls whose arguments stand between marks:
 *
 *     <tool_call>\n<function=name>\n<parameter=key>\nvalue\n</parameter>\n</function>\n</tool_call>
 *
 * Where one mark ends and the next one begins is seen where something else follows: another argument, another call.
 */
#include "parse/format-private.h"

#include <string.h>

/* Parts of a text. */
typedef struct {
  const char *text;
  gsize n_bytes;
} Part;

static char *
copy (Part part)
{
  return g_strndup (part.text, part.n_bytes);
}

static char *
stripped (Part part)
{
  return g_strstrip (copy (part));
}

/* What stands from @start to the next @word, which is gone over; FALSE: there is none. */
static gboolean
take_up_to (const char **start, const char *word, Part *ret_part)
{
  const char *at = strstr (*start, word);

  if (at == NULL)
    return FALSE;
  *ret_part = (Part){ *start, (gsize)(at - *start) };
  *start    = at + strlen (word);
  return TRUE;
}

static Part
behind (Part part, gsize n_bytes)
{
  return (Part){ part.text + n_bytes, part.n_bytes - n_bytes };
}

/* How much two parts have in common at their end, from a mark on. */
static gsize
common_end (Part a, Part b)
{
  gsize n = 0;

  while (n < MIN (a.n_bytes, b.n_bytes) && a.text[a.n_bytes - n - 1] == b.text[b.n_bytes - n - 1])
    n++;
  while (n > 0 && a.text[a.n_bytes - n] != '<' && a.text[a.n_bytes - n] != '[')
    n--;
  return n;
}

/* What closes a call, of all that stands behind its arguments: marks like </this>. */
static gsize
closing_marks (Part rest)
{
  gsize n = 0;

  for (gsize at = 0; at < rest.n_bytes;) {
    const char *end = rest.text[at] == '<' || rest.text[at] == '[' ? strpbrk (rest.text + at, ">]") : NULL;

    if (g_ascii_isspace (rest.text[at])) {
      at++;
      continue;
    }
    if (end == NULL || rest.text[at + 1] != '/')
      break;
    n = at = (gsize)(end - rest.text) + 1;
  }
  return n;
}

/* "<a>\n<b" to "<a>" and "<b": white space between them is any. */
static void
split (Part part, char **first, char **second)
{
  g_autofree char *text = g_strchug (copy (part));
  g_autofree char *mark = wly_format_probe_first_mark (text, "");
  const gsize n         = strlen (mark);

  if (n > 0 && g_ascii_isspace (text[n])) {
    wly_format_probe_set (first, mark);
    wly_format_probe_set (second, g_strchug (text + n));
  } else {
    wly_format_probe_set (first, g_strchomp (text));
    wly_format_probe_set (second, "");
  }
}

/* Whether a name is told from what stands behind it. */
static gboolean
ends_name (const char *mark)
{
  return *mark == '\0' || strchr ("<>{}\" \n\t", *mark) != NULL;
}

/* Marks around all calls. */
static void
find_outer (Part before, const char *close, const char *rest, const char *eos, WlyOutputFormat *format)
{
  g_autofree char *text = stripped (before);
  g_autofree char *open = wly_format_probe_first_mark (text, "");
  g_autofree char *mark = NULL;
  const char *last      = NULL;

  for (const char *at = strstr (rest, close); at != NULL; at = strstr (at + 1, close))
    last = at + strlen (close);
  if (*open == '\0' || !g_str_equal (open, text) || last == NULL)
    return;
  mark = wly_format_probe_first_mark (last, eos);
  wly_format_probe_outer (format, open, mark);
}

void
wly_format_members_find (const char *text, const char *eos, WlyOutputFormat *format)
{
  Part before, name, key, between, other_key, after;
  const char *at               = text;
  g_autofree char *key_open    = NULL;
  g_autofree char *middle      = NULL;
  g_autofree char *key_close   = NULL;
  g_autofree char *value_close = NULL;
  g_autofree char *close       = NULL;
  gsize n_close, n_end;
  gboolean two_calls;

  if (!take_up_to (&at, WLY_FORMAT_PROBE_NAME, &before) || !take_up_to (&at, WLY_FORMAT_PROBE_KEY, &name)
      || !take_up_to (&at, WLY_FORMAT_PROBE_VALUE, &key) || !take_up_to (&at, WLY_FORMAT_PROBE_OTHER_KEY, &between)
      || !take_up_to (&at, WLY_FORMAT_PROBE_OTHER_VALUE, &other_key))
    return;
  after     = (Part){ at, strlen (at) };
  two_calls = take_up_to (&at, WLY_FORMAT_PROBE_NAME, &after);

  n_close     = wly_format_probe_common (between.text, between.n_bytes, after.text, after.n_bytes);
  value_close = g_strchomp (g_strndup (after.text, n_close));
  key_open    = g_strchug (copy (behind (between, n_close)));
  key_close   = copy (key);
  middle      = copy (name);
  if (value_close[strspn (value_close, " \n\t")] == '\0' || *key_open == '\0' || !g_str_has_suffix (middle, key_open)
      || key.n_bytes != other_key.n_bytes || memcmp (key.text, other_key.text, key.n_bytes) != 0)
    return;
  middle[strlen (middle) - strlen (key_open)] = '\0';
  g_strstrip (middle);

  after = behind (after, n_close);
  n_end = two_calls ? common_end (before, after) : before.n_bytes;
  split ((Part){ before.text + before.n_bytes - n_end, n_end }, &format->open, &format->before_name);
  close = stripped ((Part){ after.text, two_calls ? after.n_bytes - n_end : closing_marks (after) });
  if (*close == '\0' || *format->open == '\0' || !ends_name (middle) || !ends_name (key_close))
    return;
  split ((Part){ close, strlen (close) }, &format->after_members, &format->close);
  if (two_calls)
    find_outer ((Part){ before.text, before.n_bytes - n_end }, close, at, eos, format);
  wly_format_probe_set (&format->key_open, key_open);
  wly_format_probe_set (&format->key_close, key_close);
  wly_format_probe_set (&format->value_close, value_close);
  wly_format_probe_set (&format->middle, middle);
  format->calls = WLY_CALLS_MEMBERS;
}
