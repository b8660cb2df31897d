/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wly-bus-call.h"

#include "wly-error.h"
#include "wly-options.h"
#include "wly-os.h"
#include "woolly-names.h"

#include <unistd.h>

#define MAX_FDS 64

typedef struct {
  WlyBusCall *call;
  WlyBusResolvedCb callback;
  gpointer user_data;
} Resolving;

WlyBusCall *
wly_bus_call_new (WlyBus *bus, WlyBusCaller *caller, GDBusMethodInvocation *invocation)
{
  g_autoptr (GError) error = NULL;
  WlyBusCall *self;

  if (!wly_account_take_request (wly_bus_caller_get_account (caller), &error)) {
    wly_bus_return_error (invocation, error);
    return NULL;
  }
  self             = g_new0 (WlyBusCall, 1);
  self->bus        = bus;
  self->caller     = g_object_ref (caller);
  self->invocation = invocation;
  self->body_fd    = -1;
  bus->n_calls++;
  return self;
}

void
wly_bus_call_uncount (WlyBusCall *self)
{
  if (!self->uncounted)
    wly_account_give_request (wly_bus_caller_get_account (self->caller));
  self->uncounted = TRUE;
}

static void
call_free (WlyBusCall *self)
{
  self->bus->n_calls--;
  wly_bus_call_uncount (self);
  wly_bus_touch (self->bus);
  g_clear_pointer (&self->hold, wly_model_hold_free);
  g_clear_object (&self->model);
  g_clear_pointer (&self->input, g_variant_unref);
  g_clear_pointer (&self->options, g_variant_unref);
  if (self->body_fd >= 0)
    close (self->body_fd);
  g_clear_object (&self->fds);
  g_clear_object (&self->subject);
  g_object_unref (self->caller);
  g_free (self);
}

void
wly_bus_call_return (WlyBusCall *self, GVariant *reply)
{
  g_dbus_method_invocation_return_value (self->invocation, reply);
  call_free (self);
}

void
wly_bus_call_return_fd (WlyBusCall *self, GVariant *reply, int fd)
{
  g_autoptr (GUnixFDList) fds = g_unix_fd_list_new_from_array (&fd, 1);

  g_dbus_method_invocation_return_value_with_unix_fd_list (self->invocation, reply, fds);
  call_free (self);
}

void
wly_bus_call_fail (WlyBusCall *self, const GError *error)
{
  wly_bus_return_error (self->invocation, error);
  call_free (self);
}

GVariant *
wly_bus_call_worker_options (WlyBusCall *self)
{
  g_auto (GVariantDict) dict = G_VARIANT_DICT_INIT (self->options);

  g_variant_dict_insert (&dict, "salt", "t", wly_account_get_salt (wly_bus_caller_get_account (self->caller)));
  return g_variant_dict_end (&dict);
}

void
wly_bus_call_use_model (WlyBusCall *self, WlyModel *model)
{
  g_set_object (&self->model, model);
  if (self->hold == NULL)
    self->hold = wly_model_hold_new (model, WLY_HOLD_BUSY);
}

gboolean
wly_bus_call_take_body (WlyBusCall *self, GVariant *input, GError **error)
{
  GDBusMessage *message        = g_dbus_method_invocation_get_message (self->invocation);
  GUnixFDList *fds             = g_dbus_message_get_unix_fd_list (message);
  g_autoptr (GVariant) ordered = NULL;

  if (g_variant_get_size (input) > WOOLLY_INLINE_BYTES) {
    g_set_error (error, WLY_ERROR, WLY_ERROR_INVALID_ARGS,
                 "the input has %" G_GSIZE_FORMAT
                 " bytes; above %d it must come by descriptor (prompt-fd, content-fd, or "
                 "conversation-fd, which holds tools and template-variables as well)",
                 g_variant_get_size (input), WOOLLY_INLINE_BYTES);
    return FALSE;
  }
  if (fds != NULL && g_unix_fd_list_get_length (fds) > MAX_FDS) {
    g_set_error (error, WLY_ERROR, WLY_ERROR_INVALID_ARGS, "a message may carry %d descriptors", MAX_FDS);
    return FALSE;
  }
  if (!wly_options_check (1u << WLY_SCOPE_INPUT, input, error))
    return FALSE;
  ordered = G_BYTE_ORDER == G_LITTLE_ENDIAN ? g_variant_ref (input) : g_variant_byteswap (input);
  self->body_fd =
      wly_os_memfd_new_sealed ("woolly-body", g_variant_get_data (ordered), g_variant_get_size (ordered), error);
  if (self->body_fd < 0)
    return FALSE;
  g_set_object (&self->fds, fds);
  return TRUE;
}

static void
resolved_cb (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autofree Resolving *resolving = data;
  g_autoptr (GError) error        = NULL;
  g_autoptr (WlyModel) model      = wly_catalogue_resolve_finish (WLY_CATALOGUE (source), result, &error);

  resolving->callback (resolving->call, model, error, resolving->user_data);
}

void
wly_bus_call_resolve (WlyBusCall *self, const char *name, WlyBusResolvedCb callback, gpointer user_data)
{
  Resolving *resolving;
  WlyModel *model = name[0] == '/' ? wly_bus_find_model (self->bus, self->caller, name) : NULL;

  if (model != NULL) {
    g_autoptr (WlyModel) guard = g_object_ref (model);
    callback (self, guard, NULL, user_data);
    return;
  }
  resolving            = g_new (Resolving, 1);
  resolving->call      = self;
  resolving->callback  = callback;
  resolving->user_data = user_data;
  wly_catalogue_resolve_async (self->bus->catalogue, name, resolved_cb, resolving);
}
