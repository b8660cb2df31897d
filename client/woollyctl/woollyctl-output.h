/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What the program prints.  On a terminal, text goes through woollyctl-filter.h.
 */
#pragma once

#include "woollyctl-cmds.h"

#include <glib.h>

G_BEGIN_DECLS

/* Writes at once. A reader that went away ends the program as SIGPIPE does. */
void woollyctl_output_text (const char *text);

/* Text of a model, piece by piece, and at its end: exactly one newline more unless the text ends with one. */
void woollyctl_output_model_text (const char *text);
void woollyctl_output_model_end (void);

/* "woollyctl: …" on standard error. */
void woollyctl_output_error (const char *format, ...) G_GNUC_PRINTF (1, 2);

/* Prints the error, with a hint where there is one; returns the exit code for it. */
WoollyctlExit woollyctl_output_fail (const GError *error);

/* Whether standard error is a terminal that can draw a line anew. */
gboolean woollyctl_output_has_terminal (void);

/* "7.4 GB"; (transfer full). */
char *woollyctl_output_size (guint64 n_bytes);

/* Rows of cells, the columns aligned; the first row is the heading. */
typedef struct _WoollyctlTable WoollyctlTable;
WoollyctlTable *woollyctl_output_table_new (void);
void woollyctl_output_table_add (WoollyctlTable *table, ...) G_GNUC_NULL_TERMINATED;
void woollyctl_output_table_print (WoollyctlTable *table); /* (transfer full) */

G_END_DECLS
