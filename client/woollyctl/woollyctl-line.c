/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "woollyctl-line.h"

#include "woollyctl-output.h"

#include "config.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#ifdef HAVE_LIBEDIT
#include <histedit.h>
#include <wchar.h>
#endif

#define PROMPT      "> "
#define MAX_HISTORY 500

struct _WoollyctlLine {
  GString *pending; /* bytes that were read and are no line yet */
  GCancellable *cancellable;
  gboolean interactive;
#ifdef HAVE_LIBEDIT
  EditLine *editor;
  History *history;
#endif
};

/* One byte of standard input; 0 at its end, -1 when the cancellable was cancelled. */
static int
read_byte (WoollyctlLine *self, char *ret_byte)
{
  while (TRUE) {
    struct pollfd fds[2] = { { .fd = STDIN_FILENO, .events = POLLIN },
                             { .fd = g_cancellable_get_fd (self->cancellable), .events = POLLIN } };
    int n                = poll (fds, 2, -1);
    gssize got;

    g_cancellable_release_fd (self->cancellable);
    if (g_cancellable_is_cancelled (self->cancellable))
      return -1;
    if (n < 0 && errno == EINTR)
      continue;
    got = read (STDIN_FILENO, ret_byte, 1);
    if (got < 0 && (errno == EINTR || errno == EAGAIN))
      continue;
    return got > 0;
  }
}

static WoollyctlLineKind
read_plain (WoollyctlLine *self, char **ret_line)
{
  char byte = 0;
  int n;

  if (self->interactive)
    woollyctl_output_text (PROMPT);
  while ((n = read_byte (self, &byte)) > 0 && byte != '\n')
    g_string_append_c (self->pending, byte);
  if (n < 0) {
    g_string_truncate (self->pending, 0);
    return WOOLLYCTL_LINE_INTERRUPTED;
  }
  if (n == 0 && self->pending->len == 0)
    return WOOLLYCTL_LINE_END;
  *ret_line = g_strdup (self->pending->str);
  g_string_truncate (self->pending, 0);
  return WOOLLYCTL_LINE_TEXT;
}

#ifdef HAVE_LIBEDIT

static const char *
prompt_cb (EditLine *editor)
{
  return PROMPT;
}

/* Instead of libedit's own reading, which Ctrl-C could not end: signals go to another thread. */
static int
get_character_cb (EditLine *editor, wchar_t *ret_character)
{
  WoollyctlLine *self = NULL;
  mbstate_t state     = { 0 };
  size_t used         = (size_t)-2;

  el_get (editor, EL_CLIENTDATA, &self);
  while (used == (size_t)-2) {
    char byte = 0;
    int n     = read_byte (self, &byte);

    if (n <= 0)
      return n;
    used = mbrtowc (ret_character, &byte, 1, &state);
    if (used == (size_t)-1) {
      *ret_character = L'?';
      return 1;
    }
  }
  return 1;
}

static WoollyctlLineKind
read_edited (WoollyctlLine *self, char **ret_line)
{
  HistEvent event;
  int count        = 0;
  const char *line = el_gets (self->editor, &count);

  if (g_cancellable_is_cancelled (self->cancellable))
    return WOOLLYCTL_LINE_INTERRUPTED;
  if (line == NULL || count <= 0)
    return WOOLLYCTL_LINE_END;
  *ret_line = g_strndup (line, (gsize)count);
  g_strchomp (*ret_line);
  if (**ret_line != '\0')
    history (self->history, &event, H_ENTER, *ret_line);
  return WOOLLYCTL_LINE_TEXT;
}

static void
start_editor (WoollyctlLine *self)
{
  HistEvent event;

  self->editor  = el_init ("woollyctl", stdin, stdout, stderr);
  self->history = history_init ();
  history (self->history, &event, H_SETSIZE, MAX_HISTORY);
  el_set (self->editor, EL_CLIENTDATA, self);
  el_set (self->editor, EL_PROMPT, prompt_cb);
  el_set (self->editor, EL_EDITOR, "emacs");
  el_set (self->editor, EL_SIGNAL, 0);
  el_set (self->editor, EL_HIST, history, self->history);
  el_set (self->editor, EL_GETCFN, get_character_cb);
}

#endif

WoollyctlLine *
woollyctl_line_new (void)
{
  WoollyctlLine *self = g_new0 (WoollyctlLine, 1);

  self->pending     = g_string_new (NULL);
  self->interactive = isatty (STDIN_FILENO) && isatty (STDOUT_FILENO);
#ifdef HAVE_LIBEDIT
  if (self->interactive && woollyctl_output_has_terminal ())
    start_editor (self);
#endif
  return self;
}

void
woollyctl_line_free (WoollyctlLine *self)
{
#ifdef HAVE_LIBEDIT
  g_clear_pointer (&self->editor, el_end);
  g_clear_pointer (&self->history, history_end);
#endif
  g_string_free (self->pending, TRUE);
  g_free (self);
}

WoollyctlLineKind
woollyctl_line_read (WoollyctlLine *self, GCancellable *cancellable, char **ret_line)
{
  self->cancellable = cancellable;
#ifdef HAVE_LIBEDIT
  if (self->editor != NULL)
    return read_edited (self, ret_line);
#endif
  return read_plain (self, ret_line);
}
