/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "woolly-reply.h"

#include "woolly-error.h"

void
woolly_reply_free (WoollyReply *reply)
{
  g_clear_pointer (&reply->value, g_variant_unref);
  g_clear_object (&reply->fds);
  g_free (reply);
}

char *
woolly_reply_finish_text (GAsyncResult *result, GVariant **ret_more, GError **error)
{
  g_autoptr (WoollyReply) reply = g_task_propagate_pointer (G_TASK (result), error);
  char *text                    = NULL;

  if (reply != NULL)
    g_variant_get (reply->value, "(s@*)", &text, ret_more);
  return text;
}

int
woolly_reply_take_fd (WoollyReply *reply, int handle, GError **error)
{
  if (reply->fds == NULL || handle < 0 || handle >= g_unix_fd_list_get_length (reply->fds)) {
    g_set_error_literal (error, WOOLLY_ERROR, WOOLLY_ERROR_FAILED, "The service sent no file descriptor");
    return -1;
  }
  return g_unix_fd_list_get (reply->fds, handle, error);
}
