/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wly-service.h"

#include "config.h"
#include "woolly-names.h"

#include <stdlib.h>
#ifdef HAVE_SYSTEMD
#include <systemd/sd-daemon.h>
#endif

#define DRAIN_US       (10 * G_USEC_PER_SEC)
#define DRAIN_POLL_MS  50
#define BUS_TIMEOUT_MS 5000

/* org.freedesktop.DBus.RequestName */
#define NAME_ALLOW_REPLACEMENT 1u
#define NAME_REPLACE_EXISTING  2u
#define NAME_DO_NOT_QUEUE      4u
#define NAME_PRIMARY_OWNER     1u
#define NAME_ALREADY_OWNER     4u

struct WlyService {
  WlyBus *bus;
  GDBusConnection *connection;
  GMainLoop *loop;
  guint lost_subscription;
  gboolean owns_name;
  guint idle_timer;
  guint drain_timer;
  gint64 drain_until_us;
  guint watchdog_timer;
};

static void
notify (const char *state)
{
#ifdef HAVE_SYSTEMD
  sd_notify (0, state);
#endif
}

/* --- the bus name --------------------------------------------------------------------------------------------------
 */

static guint32
ask_driver (WlyService *self, const char *method, GVariant *parameters, GError **error)
{
  g_autoptr (GVariant) reply = g_dbus_connection_call_sync (
      self->connection, "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus", method, parameters,
      G_VARIANT_TYPE ("(u)"), G_DBUS_CALL_FLAGS_NONE, BUS_TIMEOUT_MS, NULL, error);
  guint32 answer = 0;

  if (reply != NULL)
    g_variant_get (reply, "(u)", &answer);
  return answer;
}

static gboolean
own_name (WlyService *self, gboolean replace, GError **error)
{
  guint32 flags  = NAME_ALLOW_REPLACEMENT | NAME_DO_NOT_QUEUE | (replace ? NAME_REPLACE_EXISTING : 0);
  guint32 answer = ask_driver (self, "RequestName", g_variant_new ("(su)", WOOLLY_BUS_NAME, flags), error);

  self->owns_name = answer == NAME_PRIMARY_OWNER || answer == NAME_ALREADY_OWNER;
  return self->owns_name;
}

static void
release_name (WlyService *self)
{
  if (self->owns_name)
    ask_driver (self, "ReleaseName", g_variant_new ("(s)", WOOLLY_BUS_NAME), NULL);
  self->owns_name = FALSE;
}

static void
name_lost_cb (GDBusConnection *connection, const char *sender, const char *path, const char *interface,
              const char *signal, GVariant *parameters, gpointer data)
{
  WlyService *self = data;

  if (!self->owns_name)
    return; /* given back by ourselves */
  self->owns_name = FALSE;
  g_message ("another instance has taken over");
  wly_service_stop (self);
}

/* --- the end ---------------------------------------------------------------------------------------------------------
 */

static gboolean
drain_cb (gpointer data)
{
  WlyService *self = data;

  if (wly_bus_is_working (self->bus) && g_get_monotonic_time () < self->drain_until_us)
    return G_SOURCE_CONTINUE;
  self->drain_timer = 0;
  wly_bus_cancel_all (self->bus);
  g_main_loop_quit (self->loop);
  return G_SOURCE_REMOVE;
}

void
wly_service_stop (WlyService *self)
{
  notify ("STOPPING=1\nSTATUS=Finishing what runs");
  if (self->drain_until_us != 0) {
    g_main_loop_quit (self->loop);
    return;
  }
  release_name (self); /* new callers start a new instance */
  self->drain_until_us = g_get_monotonic_time () + DRAIN_US;
  self->drain_timer    = g_timeout_add (DRAIN_POLL_MS, drain_cb, self);
}

static void
stop_cb (gpointer data)
{
  wly_service_stop (data);
}

/* --- ending when idle
 * -------------------------------------------------------------------------------------------------- */

static void set_idle_timer (WlyService *self);

/* Ends, and loses no call: the name goes first, then what came in until then is looked at, and where there is any the
 * name is taken back. */
static void
leave (WlyService *self)
{
  gint64 before_us = self->bus->last_activity_us;

  release_name (self);
  /* the driver's answer came after every call that it had sent to us: they are in the loop's queue now */
  while (g_main_context_iteration (NULL, FALSE))
    ;
  if (self->bus->last_activity_us == before_us && wly_bus_is_idle (self->bus)) {
    g_message ("nothing to do: ending");
    notify ("STOPPING=1\nSTATUS=Idle");
    g_main_loop_quit (self->loop);
    return;
  }
  if (!own_name (self, FALSE, NULL)) {
    wly_service_stop (self); /* a new instance has it: what came to us is finished */
    return;
  }
  set_idle_timer (self);
}

static gboolean
idle_timer_cb (gpointer data)
{
  WlyService *self = data;
  gint64 limit_us  = (gint64)wly_settings_get_uint32 (self->bus->settings, "service", "idle-exit") * G_USEC_PER_SEC;

  self->idle_timer = 0;
  if (limit_us == 0 || self->drain_until_us != 0)
    return G_SOURCE_REMOVE;
  if (wly_bus_is_idle (self->bus) && g_get_monotonic_time () - self->bus->last_activity_us >= limit_us)
    leave (self);
  else if (wly_bus_is_idle (self->bus))
    set_idle_timer (self);
  /* while it is used nothing wakes up for this: the end of that use sets the timer again */
  return G_SOURCE_REMOVE;
}

static void
set_idle_timer (WlyService *self)
{
  gint64 limit_us = (gint64)wly_settings_get_uint32 (self->bus->settings, "service", "idle-exit") * G_USEC_PER_SEC;
  gint64 wait_us  = self->bus->last_activity_us + limit_us - g_get_monotonic_time ();

  if (self->idle_timer == 0 && limit_us > 0 && self->drain_until_us == 0)
    self->idle_timer = g_timeout_add ((guint)(MAX (wait_us, 0) / 1000 + 1), idle_timer_cb, self);
}

static void
activity_cb (gpointer data)
{
  set_idle_timer (data);
}

/* --- systemd
 * ------------------------------------------------------------------------------------------------------------ */

#ifdef HAVE_SYSTEMD
static gboolean
watchdog_cb (gpointer data)
{
  notify ("WATCHDOG=1");
  return G_SOURCE_CONTINUE;
}
#endif

static void
start_watchdog (WlyService *self)
{
#ifdef HAVE_SYSTEMD
  guint64 interval_us;

  if (sd_watchdog_enabled (0, &interval_us) > 0)
    self->watchdog_timer = g_timeout_add ((guint)MAX (interval_us / 2000, 1), watchdog_cb, self);
#endif
}

static void
closed_cb (GDBusConnection *connection, gboolean remote_peer_vanished, GError *error, gpointer data)
{
  WlyService *self = data;

  g_message ("the bus is gone: ending");
  self->owns_name = FALSE;
  g_main_loop_quit (self->loop);
}

WlyService *
wly_service_new (WlyBus *bus, GDBusConnection *connection, GMainLoop *loop, gboolean replace, gboolean *ret_owned,
                 GError **error)
{
  WlyService *self   = g_new0 (WlyService, 1);
  GError *name_error = NULL;

  self->bus               = bus;
  self->connection        = g_object_ref (connection);
  self->loop              = loop;
  self->lost_subscription = g_dbus_connection_signal_subscribe (
      connection, "org.freedesktop.DBus", "org.freedesktop.DBus", "NameLost", "/org/freedesktop/DBus", WOOLLY_BUS_NAME,
      G_DBUS_SIGNAL_FLAGS_NONE, name_lost_cb, self, NULL);
  g_signal_connect (connection, "closed", G_CALLBACK (closed_cb), self);
  bus->activity      = activity_cb;
  bus->activity_data = self;
  bus->quit          = stop_cb;
  bus->quit_data     = self;
  *ret_owned         = own_name (self, replace, &name_error);
  if (name_error != NULL) {
    g_propagate_error (error, name_error);
    wly_service_free (self);
    return NULL;
  }
  if (*ret_owned) {
    notify ("READY=1\nSTATUS=Ready");
    start_watchdog (self);
    wly_bus_touch (bus);
  }
  return self;
}

void
wly_service_free (WlyService *self)
{
  if (self == NULL)
    return;
  self->bus->activity = NULL;
  release_name (self);
  g_clear_handle_id (&self->idle_timer, g_source_remove);
  g_clear_handle_id (&self->drain_timer, g_source_remove);
  g_clear_handle_id (&self->watchdog_timer, g_source_remove);
  g_signal_handlers_disconnect_by_data (self->connection, self);
  g_dbus_connection_signal_unsubscribe (self->connection, self->lost_subscription);
  if (!g_dbus_connection_is_closed (self->connection))
    g_dbus_connection_flush_sync (self->connection, NULL, NULL);
  g_object_unref (self->connection);
  g_free (self);
}
