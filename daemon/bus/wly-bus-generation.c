/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wly-bus-generation.h"

#include "wly-bus-interfaces.h"
#include "woolly-names.h"

#include <unistd.h>

static GVariant *
property_cb (gpointer data, WlyBusCaller *caller, const char *name)
{
  WlyBusGeneration *self = data;

  if (g_str_equal (name, "State"))
    return g_variant_new_string (wly_request_state_to_string (wly_request_get_state (self->request)));
  if (g_str_equal (name, "QueuePosition"))
    return g_variant_new_uint32 (wly_request_get_position (self->request));
  return g_variant_ref (wly_request_get_result (self->request));
}

static void
cancel_cb (gpointer data, WlyBusCaller *caller, GVariant *parameters, GDBusMethodInvocation *invocation)
{
  WlyBusGeneration *self = data;

  wly_request_cancel (self->request);
  g_dbus_method_invocation_return_value (invocation, NULL);
}

static void
release_cb (gpointer data, WlyBusCaller *caller, GVariant *parameters, GDBusMethodInvocation *invocation)
{
  WlyBusGeneration *self = data;

  wly_bus_list_remove (self->bus->generations, self, (GDestroyNotify)wly_bus_generation_free);
  g_dbus_method_invocation_return_value (invocation, NULL); /* last: then it is unknown already */
}

static const WlyBusMethod methods[] = {
  { "Cancel", cancel_cb },
  { "Release", release_cb },
  { NULL, NULL },
};

static void
changed_cb (WlyRequest *request, gpointer data)
{
  WlyBusGeneration *self = data;

  wly_bus_object_changed (self->object);
}

static void
ended_cb (WlyRequest *request, gpointer data)
{
  WlyBusGeneration *self = data;

  wly_bus_object_changed (self->object);
  wly_bus_touch (self->bus);
}

static void
gone_cb (WlyBusCaller *caller, gpointer data)
{
  WlyBusGeneration *self = data;

  wly_bus_list_remove (self->bus->generations, self, (GDestroyNotify)wly_bus_generation_free);
}

static WlyBusGeneration *
generation_new (WlyBus *bus, WlyBusCaller *caller, WlyRequest *request, GError **error)
{
  WlyBusGeneration *self = g_new0 (WlyBusGeneration, 1);

  self->bus     = bus;
  self->caller  = g_object_ref (caller);
  self->request = g_object_ref (request);
  self->path    = g_strdup_printf ("%s/%" G_GUINT64_FORMAT, WOOLLY_PATH_GENERATIONS, wly_request_get_number (request));
  self->object =
      wly_bus_object_new (&bus->shared, &org_woolly_woolly1_generation_interface, methods, property_cb, self);
  self->gone_handler = g_signal_connect (caller, "gone", G_CALLBACK (gone_cb), self);
  g_signal_connect (request, "changed", G_CALLBACK (changed_cb), self);
  g_signal_connect (request, "ended", G_CALLBACK (ended_cb), self);
  if (wly_bus_object_export (self->object, self->path, wly_bus_caller_get_name (caller), error))
    return self;
  wly_bus_generation_free (self);
  return NULL;
}

void
wly_bus_generation_begin (WlyBusCall *call, WlySession *session, gboolean owns_session)
{
  WlyAccount *account         = wly_bus_caller_get_account (call->caller);
  g_autoptr (GError) error    = NULL;
  g_autoptr (WlyRequest) made = NULL;
  WlyRequestInput input       = { session, owns_session, call->body_fd, call->fds, call->options };
  WlyBusGeneration *self;
  int stream;

  if (wly_bus_caller_is_gone (call->caller) || !wly_account_take_object (account, &error)) {
    if (error == NULL)
      error = g_error_new_literal (G_IO_ERROR, G_IO_ERROR_CLOSED, "the caller has left the bus");
    wly_bus_call_fail (call, error);
    return;
  }
  call->body_fd = -1; /* the request's now */
  wly_bus_call_uncount (call);
  made = wly_request_new (wly_bus_get_queue (wly_session_get_model (session)), call->bus->settings, &input, &stream,
                          &error);
  if (made == NULL) {
    wly_account_give_object (account);
    wly_bus_call_fail (call, error);
    return;
  }
  self = generation_new (call->bus, call->caller, made, &error); /* owns the booked object */
  if (self == NULL) {
    close (stream);
    wly_bus_call_fail (call, error);
    return;
  }
  g_ptr_array_add (call->bus->generations, self);
  wly_bus_call_return_fd (call, g_variant_new ("(oh)", self->path, 0), stream);
}

void
wly_bus_generation_free (WlyBusGeneration *self)
{
  g_signal_handlers_disconnect_by_data (self->request, self);
  g_signal_handler_disconnect (self->caller, self->gone_handler);
  wly_bus_object_unexport (self->object);
  wly_request_cancel (self->request);
  wly_account_give_object (wly_bus_caller_get_account (self->caller));
  wly_bus_touch (self->bus);
  g_object_unref (self->object);
  g_object_unref (self->request);
  g_object_unref (self->caller);
  g_free (self->path);
  g_free (self);
}
