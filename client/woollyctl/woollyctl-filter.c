/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "woollyctl-filter.h"

#include <string.h>

#define ESC 0x1b
#define BEL 0x07

/* 0x80 … 0x9f: the same commands as ESC and a letter, in one character. */
static WoollyctlFilterState
after_c1 (gunichar c)
{
  if (c == 0x9b)
    return WOOLLYCTL_FILTER_CONTROL;
  return c == 0x90 || c == 0x98 || (c >= 0x9d && c <= 0x9f) ? WOOLLYCTL_FILTER_STRING : WOOLLYCTL_FILTER_TEXT;
}

static WoollyctlFilterState
after_escape (gunichar c)
{
  if (c == '[')
    return WOOLLYCTL_FILTER_CONTROL;
  if (c == ']' || c == 'P' || c == 'X' || c == '^' || c == '_')
    return WOOLLYCTL_FILTER_STRING;
  if (c == ESC)
    return WOOLLYCTL_FILTER_ESCAPE;
  return c >= 0x20 && c <= 0x2f ? WOOLLYCTL_FILTER_INTERMEDIATE : WOOLLYCTL_FILTER_TEXT;
}

/* The state after a character of an unfinished command. */
static WoollyctlFilterState
inside (WoollyctlFilterState state, gunichar c)
{
  switch (state) {
  case WOOLLYCTL_FILTER_ESCAPE:
    return after_escape (c);
  case WOOLLYCTL_FILTER_CONTROL:
    if (c == ESC)
      return WOOLLYCTL_FILTER_ESCAPE;
    return c >= 0x20 && c <= 0x3f ? WOOLLYCTL_FILTER_CONTROL : WOOLLYCTL_FILTER_TEXT;
  case WOOLLYCTL_FILTER_INTERMEDIATE:
    return c >= 0x20 && c <= 0x2f ? WOOLLYCTL_FILTER_INTERMEDIATE : WOOLLYCTL_FILTER_TEXT;
  case WOOLLYCTL_FILTER_STRING:
    if (c == ESC)
      return WOOLLYCTL_FILTER_STRING_ESC;
    /* A newline ends it too, or a string that nobody ends would swallow the answer. */
    return c == BEL || c == 0x9c || c == '\n' ? WOOLLYCTL_FILTER_TEXT : WOOLLYCTL_FILTER_STRING;
  case WOOLLYCTL_FILTER_STRING_ESC:
    return c == '\\' ? WOOLLYCTL_FILTER_TEXT : after_escape (c);
  default:
    return WOOLLYCTL_FILTER_TEXT;
  }
}

void
woollyctl_filter_append (WoollyctlFilter *filter, GString *out, const char *text)
{
  for (const char *at = text; *at != '\0'; at = g_utf8_next_char (at)) {
    gunichar c = g_utf8_get_char (at);

    if (filter->state != WOOLLYCTL_FILTER_TEXT) {
      filter->state = inside (filter->state, c);
      if (c == '\n')
        g_string_append_c (out, '\n');
    } else if (c == ESC) {
      filter->state = WOOLLYCTL_FILTER_ESCAPE;
    } else if (c >= 0x80 && c <= 0x9f) {
      filter->state = after_c1 (c);
    } else if (c == '\n' || c == '\t' || (c >= 0x20 && c != 0x7f)) {
      g_string_append_unichar (out, c);
    }
  }
}
