/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "woollyctl-answer.h"
#include "woollyctl-cmds.h"
#include "woollyctl-line.h"
#include "woollyctl-options.h"
#include "woollyctl-output.h"
#include "woollyctl-service.h"
#include "woollyctl-signals.h"

#include <glib/gi18n.h>
#include <string.h>
#include <unistd.h>

typedef struct {
  WoollyClient *client;
  WoollySession *session;
  char *model;
  GVariant *session_keys;
  GVariant *generate_keys;
} Chat;

static gboolean
open_session (Chat *chat, GError **error)
{
  g_clear_object (&chat->session);
  chat->session = woolly_client_open_session (chat->client, chat->model, chat->session_keys,
                                              woollyctl_signals_get_cancellable (), error);
  return chat->session != NULL;
}

static gboolean
is_interrupt (const GError *error)
{
  return g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED)
         || g_error_matches (error, WOOLLY_ERROR, WOOLLY_ERROR_CANCELLED);
}

/* One message and its answer. A failure is told, and the conversation goes on where it can. */
static gboolean
take_turn (Chat *chat, const char *line, GError **error)
{
  g_autoptr (GBytes) text                 = g_bytes_new (line, strlen (line));
  g_autoptr (WoollyInput) input           = woolly_input_new ();
  g_autoptr (WoollyGeneration) generation = NULL;
  g_auto (WoollyctlAnswer) answer         = { 0 };

  woolly_input_add_message_bytes (input, "user", text);
  generation =
      woolly_session_generate (chat->session, input, chat->generate_keys, woollyctl_signals_get_cancellable (), error);
  if (generation == NULL)
    return FALSE;
  woollyctl_answer_read (&answer, generation, FALSE);
  if (answer.error != NULL)
    g_propagate_error (error, g_steal_pointer (&answer.error));
  return error == NULL || *error == NULL;
}

static void
print_commands (void)
{
  woollyctl_output_text (
      _ ("/reset  forget the conversation and begin anew\n"
         "/quit   end, as Ctrl-D does\n"
         "/help   this list\n"
         "Ctrl-C ends an answer and keeps what was said. A line that begins with // is sent with one "
         "slash.\n"));
}

typedef enum {
  LINE_DONE,
  LINE_QUIT,
  LINE_FAILED,
} LineResult;

static LineResult
take_line (Chat *chat, const char *line, GError **error)
{
  if (*line == '\0')
    return LINE_DONE;
  if (g_str_equal (line, "/quit") || g_str_equal (line, "/exit"))
    return LINE_QUIT;
  if (g_str_equal (line, "/help")) {
    print_commands ();
    return LINE_DONE;
  }
  if (g_str_equal (line, "/reset"))
    return open_session (chat, error) ? LINE_DONE : LINE_FAILED;
  if (line[0] == '/' && line[1] != '/') {
    woollyctl_output_error (_ ("there is no command “%s”; /help lists them"), line);
    return LINE_DONE;
  }
  return take_turn (chat, line[0] == '/' ? line + 1 : line, error) ? LINE_DONE : LINE_FAILED;
}

/* Whether a conversation can go on after this. */
static gboolean
is_fatal (const GError *error)
{
  return g_error_matches (error, WOOLLY_ERROR, WOOLLY_ERROR_DISCONNECTED)
         || g_error_matches (error, WOOLLY_ERROR, WOOLLY_ERROR_CLOSED);
}

static WoollyctlExit
converse (Chat *chat)
{
  g_autoptr (WoollyctlLine) lines = woollyctl_line_new ();
  gboolean interactive            = isatty (STDIN_FILENO);
  WoollyctlExit status            = WOOLLYCTL_OK;

  while (TRUE) {
    g_autoptr (GError) error = NULL;
    g_autofree char *line    = NULL;
    LineResult result        = LINE_DONE;
    WoollyctlLineKind kind   = woollyctl_line_read (lines, woollyctl_signals_get_cancellable (), &line);

    if (kind == WOOLLYCTL_LINE_TEXT)
      result = take_line (chat, line, &error);
    else if (interactive)
      woollyctl_output_text ("\n");
    if (kind == WOOLLYCTL_LINE_END || result == LINE_QUIT)
      return status;
    if (result == LINE_FAILED && !is_interrupt (error))
      status = woollyctl_output_fail (error);
    if (kind == WOOLLYCTL_LINE_INTERRUPTED || g_cancellable_is_cancelled (woollyctl_signals_get_cancellable ())) {
      if (!interactive || woollyctl_signals_get_status () != WOOLLYCTL_INTERRUPTED)
        return woollyctl_signals_get_status ();
      woollyctl_signals_reset ();
    }
    if (result == LINE_FAILED && (is_fatal (error) || !interactive) && !is_interrupt (error))
      return status;
  }
}

/* One answer to the conversation in a file, and no more. */
static WoollyctlExit
answer_file (Chat *chat, const char *path, gboolean json)
{
  g_autoptr (WoollyGeneration) generation = NULL;
  g_autoptr (WoollyInput) input           = NULL;
  g_autoptr (GError) error                = NULL;

  input = woollyctl_service_read_conversation (path, &error);
  if (input != NULL)
    generation = woolly_session_generate (chat->session, input, chat->generate_keys,
                                          woollyctl_signals_get_cancellable (), &error);
  return generation != NULL ? woollyctl_answer_print (generation, json) : woollyctl_output_fail (error);
}

WoollyctlExit
woollyctl_chat (int argc, char **argv)
{
  g_autoptr (WoollyctlOptions) options = woollyctl_options_new (
      NULL, N_ ("Talks to a model, line by line, until the end of input. /help lists what else can be typed. What is "
                "said is written nowhere."));
  g_autoptr (GError) error     = NULL;
  g_autofree char *name        = NULL;
  g_autofree char *input       = NULL;
  gboolean json                = FALSE;
  Chat chat                    = { 0 };
  int status                   = WOOLLYCTL_OK;
  const GOptionEntry entries[] = {
    { "input", 0, 0, G_OPTION_ARG_FILENAME, &input,
      N_ ("Answer the conversation in this file once: a JSON object with messages, tools and what else the chat "
          "template "
          "reads"),
      N_ ("FILE") },
    { "json", 0, 0, G_OPTION_ARG_NONE, &json,
      N_ ("With --input: print one object with text, reasoning, tool calls and what it took"), NULL },
    { 0 },
  };

  woollyctl_options_add_model (options, &name);
  woollyctl_options_add (options, entries);
  woollyctl_options_add_scope (options, "SESSION");
  woollyctl_options_add_scope (options, "GENERATE");
  if (!woollyctl_options_parse (options, argc, argv, 0, 0))
    return WOOLLYCTL_USAGE;
  if (json && input == NULL) {
    woollyctl_output_error (_ ("--json works with --input only"));
    return WOOLLYCTL_USAGE;
  }
  chat.client = woollyctl_service_connect (WOOLLY_CLIENT_NONE, &status);
  if (chat.client == NULL)
    return (WoollyctlExit)status;
  chat.session_keys  = g_variant_ref_sink (woollyctl_options_get (options, "SESSION"));
  chat.generate_keys = g_variant_ref_sink (woollyctl_options_get (options, "GENERATE"));
  chat.model         = woollyctl_service_name_model (chat.client, name, &error);
  if (chat.model != NULL && open_session (&chat, &error))
    status = (int)(input != NULL ? answer_file (&chat, input, json) : converse (&chat));
  else
    status = (int)woollyctl_output_fail (error);

  if (chat.session != NULL)
    woolly_session_close (chat.session, NULL, NULL);
  g_clear_object (&chat.session);
  g_clear_object (&chat.client);
  g_variant_unref (chat.session_keys);
  g_variant_unref (chat.generate_keys);
  g_free (chat.model);
  return (WoollyctlExit)status;
}
