/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Calls of WoollyClient about chat templates that belong to no model.
 */
#include "woolly-client-private.h"

#include "woolly-call.h"
#include "woolly-input-private.h"
#include "woolly-sync.h"

#include "introspection/woolly-names.h"

/**
 * woolly_client_render_template_async:
 * @self: a client
 * @source: a chat template
 * @input: messages, or a conversation
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async): called when it is done
 * @user_data: for the callback
 *
 * Writes a conversation as a chat template does that belongs to no model.
 */
void
woolly_client_render_template_async (WoollyClient *self, const char *source, WoollyInput *input,
                                     GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (GUnixFDList) fds = NULL;
  g_autoptr (GError) error    = NULL;
  GVariant *body;
  GTask *task;

  g_return_if_fail (WOOLLY_IS_CLIENT (self));
  g_return_if_fail (source != NULL);
  g_return_if_fail (WOOLLY_IS_INPUT (input));

  task = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (task, woolly_client_render_template_async);
  body = woolly_input_build (input, &fds, &error);
  if (body == NULL) {
    g_task_return_error (task, g_steal_pointer (&error));
    g_object_unref (task);
    return;
  }
  woolly_call (woolly_client_get_bus (self), WOOLLY_OBJECT_PATH, WOOLLY_INTERFACE_MANAGER, "RenderTemplate",
               g_variant_new ("(s@a{sv})", source, body), "(sa(tt))", fds, WOOLLY_CALL_SLOW, task);
}

/**
 * woolly_client_render_template_finish:
 * @self: a client
 * @result: what the callback got
 * @ret_trusted: (out) (optional): of type `a(tt)`: where the template itself wrote, in bytes
 * @error: return location
 *
 * Ends [method@Woolly.Client.render_template_async].
 *
 * Returns: (transfer full): the prompt
 */
char *
woolly_client_render_template_finish (WoollyClient *self, GAsyncResult *result, GVariant **ret_trusted, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), NULL);

  return woolly_reply_finish_text (result, ret_trusted, error);
}

/**
 * woolly_client_render_template:
 * @self: a client
 * @source: a chat template
 * @input: messages, or a conversation
 * @ret_trusted: (out) (optional): of type `a(tt)`: where the template itself wrote, in bytes
 * @cancellable: (nullable): a cancellable
 * @error: return location
 *
 * As [method@Woolly.Client.render_template_async], blocking the thread.
 *
 * Returns: (transfer full): the prompt
 */
char *
woolly_client_render_template (WoollyClient *self, const char *source, WoollyInput *input, GVariant **ret_trusted,
                               GCancellable *cancellable, GError **error)
{
  g_auto (WoollySync) sync = WOOLLY_SYNC_INIT;

  g_return_val_if_fail (WOOLLY_IS_CLIENT (self), NULL);

  woolly_sync_begin (&sync);
  woolly_client_render_template_async (self, source, input, cancellable, woolly_sync_cb, &sync);
  return woolly_client_render_template_finish (self, woolly_sync_wait (&sync), ret_trusted, error);
}
