/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Lines that a person types: with editing and a history that is never written anywhere on a terminal, else as they
 * come.
 */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

typedef enum {
  WOOLLYCTL_LINE_TEXT,
  WOOLLYCTL_LINE_END,         /* end of input */
  WOOLLYCTL_LINE_INTERRUPTED, /* the cancellable was cancelled: Ctrl-C */
} WoollyctlLineKind;

typedef struct _WoollyctlLine WoollyctlLine;

WoollyctlLine *woollyctl_line_new (void);
void woollyctl_line_free (WoollyctlLine *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WoollyctlLine, woollyctl_line_free)

/* Waits for a line; *ret_line is without its newline, and bytes, not checked text. */
WoollyctlLineKind woollyctl_line_read (WoollyctlLine *self, GCancellable *cancellable, char **ret_line);

G_END_DECLS
