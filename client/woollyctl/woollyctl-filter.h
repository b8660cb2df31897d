/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Takes what commands a terminal out of text that a model or a model file wrote: escape sequences and control
 * characters but newline and tab.  A sequence may be cut anywhere between two pieces of text.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef enum {
  WOOLLYCTL_FILTER_TEXT,
  WOOLLYCTL_FILTER_ESCAPE,      /* after ESC */
  WOOLLYCTL_FILTER_CONTROL,     /* after ESC [: parameters up to a letter */
  WOOLLYCTL_FILTER_STRING,      /* after ESC ] and the like: up to BEL or ESC \ */
  WOOLLYCTL_FILTER_STRING_ESC,  /* there, after ESC */
  WOOLLYCTL_FILTER_INTERMEDIATE /* after ESC and a character of 0x20 to 0x2f: up to a final one */
} WoollyctlFilterState;

typedef struct {
  WoollyctlFilterState state;
} WoollyctlFilter;

/* Appends what is left of @text, which is UTF-8. */
void woollyctl_filter_append (WoollyctlFilter *filter, GString *out, const char *text);

G_END_DECLS
