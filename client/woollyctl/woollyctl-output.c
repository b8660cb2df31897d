/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "woollyctl-output.h"

#include "woollyctl-filter.h"
#include "woollyctl-signals.h"

#include <errno.h>
#include <glib/gi18n.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <woolly.h>

static WoollyctlFilter model_filter;
static gboolean model_wrote_newline;

/* Dying of SIGPIPE is what a shell expects; it leaves the bus, too, which cancels what is generated. */
static void
die_of_pipe (void)
{
  signal (SIGPIPE, SIG_DFL);
  raise (SIGPIPE);
  _exit (WOOLLYCTL_FAILED);
}

static void
write_all (int fd, const char *text, gsize n_bytes)
{
  while (n_bytes > 0) {
    gssize n = write (fd, text, n_bytes);

    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0 && errno == EPIPE && fd == STDOUT_FILENO)
      die_of_pipe ();
    if (n <= 0)
      break;
    text += n;
    n_bytes -= (gsize)n;
  }
  if (n_bytes > 0 && fd == STDOUT_FILENO) {
    woollyctl_output_error (_ ("standard output cannot be written: %s"), g_strerror (errno));
    _exit (WOOLLYCTL_FAILED);
  }
}

static void
write_filtered (int fd, const char *text, WoollyctlFilter *filter)
{
  g_autoptr (GString) clean = g_string_new (NULL);

  if (!isatty (fd)) {
    write_all (fd, text, strlen (text));
    return;
  }
  woollyctl_filter_append (filter, clean, text);
  write_all (fd, clean->str, clean->len);
}

void
woollyctl_output_text (const char *text)
{
  WoollyctlFilter filter = { WOOLLYCTL_FILTER_TEXT };

  write_filtered (STDOUT_FILENO, text, &filter);
}

void
woollyctl_output_model_text (const char *text)
{
  if (*text == '\0')
    return;
  write_filtered (STDOUT_FILENO, text, &model_filter);
  model_wrote_newline = g_str_has_suffix (text, "\n");
}

void
woollyctl_output_model_end (void)
{
  if (!model_wrote_newline)
    write_all (STDOUT_FILENO, "\n", 1);
  model_wrote_newline = FALSE;
  model_filter.state  = WOOLLYCTL_FILTER_TEXT;
}

void
woollyctl_output_error (const char *format, ...)
{
  WoollyctlFilter filter   = { WOOLLYCTL_FILTER_TEXT };
  g_autofree char *message = NULL;
  g_autofree char *valid   = NULL;
  g_autofree char *line    = NULL;
  va_list args;

  va_start (args, format);
  message = g_strdup_vprintf (format, args);
  va_end (args);
  valid = g_utf8_make_valid (message, -1);
  line  = g_strdup_printf ("woollyctl: %s\n", valid);
  write_filtered (STDERR_FILENO, line, &filter);
}

WoollyctlExit
woollyctl_output_fail (const GError *error)
{
  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return woollyctl_signals_get_status ();
  woollyctl_output_error ("%s", error->message);
  return WOOLLYCTL_FAILED;
}

gboolean
woollyctl_output_has_terminal (void)
{
  const char *term = g_getenv ("TERM");

  return isatty (STDERR_FILENO) && g_strcmp0 (term, "dumb") != 0;
}

char *
woollyctl_output_size (guint64 n_bytes)
{
  return g_format_size (n_bytes);
}

struct _WoollyctlTable {
  GPtrArray *rows; /* of char ** */
};

WoollyctlTable *
woollyctl_output_table_new (void)
{
  WoollyctlTable *table = g_new0 (WoollyctlTable, 1);

  table->rows = g_ptr_array_new_with_free_func ((GDestroyNotify)g_strfreev);
  return table;
}

void
woollyctl_output_table_add (WoollyctlTable *table, ...)
{
  g_autoptr (GStrvBuilder) cells = g_strv_builder_new ();
  const char *cell;
  va_list args;

  va_start (args, table);
  while ((cell = va_arg (args, const char *)) != NULL)
    g_strv_builder_add (cells, cell);
  va_end (args);
  g_ptr_array_add (table->rows, g_strv_builder_end (cells));
}

void
woollyctl_output_table_print (WoollyctlTable *table)
{
  g_autoptr (GString) out = g_string_new (NULL);
  gsize n_columns         = g_strv_length (table->rows->pdata[0]);
  g_autofree glong *width = g_new0 (glong, n_columns);

  for (guint r = 0; r < table->rows->len; r++)
    for (gsize c = 0; c < n_columns; c++)
      width[c] = MAX (width[c], g_utf8_strlen (((char **)table->rows->pdata[r])[c], -1));
  for (guint r = 0; r < table->rows->len; r++) {
    char **cells = table->rows->pdata[r];

    for (gsize c = 0; c < n_columns; c++) {
      g_string_append (out, cells[c]);
      for (glong pad = g_utf8_strlen (cells[c], -1); c + 1 < n_columns && pad < width[c] + 2; pad++)
        g_string_append_c (out, ' ');
    }
    while (out->len > 0 && out->str[out->len - 1] == ' ')
      g_string_truncate (out, out->len - 1);
    g_string_append_c (out, '\n');
  }
  woollyctl_output_text (out->str);
  g_ptr_array_unref (table->rows);
  g_free (table);
}
