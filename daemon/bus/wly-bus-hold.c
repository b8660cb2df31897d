/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wly-bus-hold.h"

void
wly_bus_hold_free (WlyBusHold *self)
{
  g_signal_handler_disconnect (self->caller, self->gone_handler);
  wly_model_hold_free (self->hold);
  wly_account_give_object (wly_bus_caller_get_account (self->caller));
  wly_bus_touch (self->bus);
  g_object_unref (self->caller);
  g_free (self);
}

static void
drop (WlyBusHold *self)
{
  wly_bus_list_remove (self->bus->holds, self, (GDestroyNotify)wly_bus_hold_free);
}

static void
gone_cb (WlyBusCaller *caller, gpointer data)
{
  drop (data);
}

static void
released_cb (WlyModelHold *hold, gpointer data)
{
  drop (data);
}

static WlyBusHold *
hold_new (WlyBus *bus, WlyBusCaller *caller, WlyModel *model, GError **error)
{
  WlyBusHold *self;

  if (!wly_account_take_object (wly_bus_caller_get_account (caller), error))
    return NULL;
  self               = g_new0 (WlyBusHold, 1);
  self->bus          = bus;
  self->caller       = g_object_ref (caller);
  self->hold         = wly_model_hold_new (model, WLY_HOLD_WARM);
  self->gone_handler = g_signal_connect (caller, "gone", G_CALLBACK (gone_cb), self);
  g_ptr_array_add (bus->holds, self);
  return self;
}

static WlyBusHold *
find (WlyBus *bus, WlyBusCaller *caller, WlyModel *model)
{
  for (guint i = 0; i < bus->holds->len; i++) {
    WlyBusHold *hold = bus->holds->pdata[i];
    if (!hold->guarded && hold->caller == caller && wly_model_hold_get_model (hold->hold) == model)
      return hold;
  }
  return NULL;
}

gboolean
wly_bus_hold_add (WlyBus *bus, WlyBusCaller *caller, WlyModel *model, GError **error)
{
  return find (bus, caller, model) != NULL || hold_new (bus, caller, model, error) != NULL;
}

gboolean
wly_bus_hold_remove (WlyBus *bus, WlyBusCaller *caller, WlyModel *model)
{
  WlyBusHold *hold = find (bus, caller, model);

  if (hold != NULL)
    drop (hold);
  return hold != NULL;
}

int
wly_bus_hold_add_guard (WlyBus *bus, WlyBusCaller *caller, WlyModel *model, GError **error)
{
  WlyBusHold *self = hold_new (bus, caller, model, error);
  int fd;

  if (self == NULL)
    return -1;
  self->guarded = TRUE;
  fd            = wly_model_hold_make_guard (self->hold, released_cb, self, error);
  if (fd < 0)
    drop (self);
  return fd;
}
