/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wly-bus-caller.h"

#include "wly-bus-names.h"
#include "woolly-names.h"

#include <unistd.h>

#define DRIVER_TIMEOUT_MS 5000

struct _WlyBusCaller {
  GObject parent_instance;
  WlyBusCallers *callers; /* NULL once it has gone */
  char *name;
  char *app;
  char *process; /* NULL: not known */
  WlyCallerKind kind;
  WlyAccount *account;
  guint subscription;
};

struct WlyBusCallers {
  GDBusConnection *connection;
  WlyAccounts *accounts;
  GHashTable *by_name; /* name -> WlyBusCaller */
  WlyBusNames *names;
  gboolean forced;
  WlyCallerKind forced_kind;
};

enum { SIGNAL_GONE, N_SIGNALS };
static guint signals[N_SIGNALS];

G_DEFINE_FINAL_TYPE (WlyBusCaller, wly_bus_caller, G_TYPE_OBJECT)

const char *
wly_bus_caller_get_name (WlyBusCaller *self)
{
  return self->name;
}

const char *
wly_bus_caller_get_app (WlyBusCaller *self)
{
  return self->app;
}

WlyCallerKind
wly_bus_caller_get_kind (WlyBusCaller *self)
{
  return self->kind;
}

WlyAccount *
wly_bus_caller_get_account (WlyBusCaller *self)
{
  return self->account;
}

gboolean
wly_bus_caller_is_gone (WlyBusCaller *self)
{
  return self->callers == NULL;
}

static void
leave (WlyBusCaller *caller)
{
  g_autoptr (WlyBusCaller) self = g_object_ref (caller);
  WlyBusCallers *callers        = self->callers;

  if (callers == NULL)
    return;
  self->callers = NULL;
  g_dbus_connection_signal_unsubscribe (callers->connection, self->subscription);
  g_hash_table_remove (callers->by_name, self->name);
  g_signal_emit (self, signals[SIGNAL_GONE], 0);
}

static void
owner_changed_cb (GDBusConnection *connection, const char *sender, const char *path, const char *interface,
                  const char *signal, GVariant *parameters, gpointer data)
{
  const char *new_owner = NULL;

  if (!g_variant_is_of_type (parameters, G_VARIANT_TYPE ("(sss)")))
    return;
  g_variant_get (parameters, "(&s&s&s)", NULL, NULL, &new_owner);
  if (new_owner[0] == '\0')
    leave (data);
}

static GVariant *
ask_driver (WlyBusCallers *self, const char *method, const char *name, const char *type)
{
  return g_dbus_connection_call_sync (self->connection, "org.freedesktop.DBus", "/org/freedesktop/DBus",
                                      "org.freedesktop.DBus", method, g_variant_new ("(s)", name),
                                      G_VARIANT_TYPE (type), G_DBUS_CALL_FLAGS_NONE, DRIVER_TIMEOUT_MS, NULL, NULL);
}

/* FALSE: it is not on the bus any more. */
static gboolean
identify (WlyBusCallers *self, WlyBusCaller *caller)
{
  g_autoptr (GVariant) reply       = ask_driver (self, "GetConnectionCredentials", caller->name, "(a{sv})");
  g_autoptr (GVariant) still       = NULL;
  g_autoptr (GVariant) credentials = NULL;
  guint32 pid = 0, uid = G_MAXUINT32;
  gboolean has_owner = FALSE;

  if (reply == NULL)
    return FALSE;
  g_variant_get (reply, "(@a{sv})", &credentials);
  caller->kind = WLY_CALLER_UNKNOWN;
  if (g_variant_lookup (credentials, "ProcessID", "u", &pid) && g_variant_lookup (credentials, "UnixUserID", "u", &uid)
      && uid == getuid ()) {
    g_free (caller->app);
    caller->kind = wly_bus_identity_of_pid (pid, wly_bus_names_latest_us (self->names, caller->name), &caller->app,
                                            &caller->process);
  }
  /* the number belongs to this caller only if it was still there when the process was looked at */
  still = ask_driver (self, "NameHasOwner", caller->name, "(b)");
  if (still != NULL)
    g_variant_get (still, "(b)", &has_owner);
  if (self->forced)
    caller->kind = self->forced_kind;
  return has_owner;
}

static const char *
account_of (WlyBusCaller *caller)
{
  return caller->process != NULL ? caller->process : caller->name;
}

WlyBusCaller *
wly_bus_callers_get (WlyBusCallers *self, const char *name)
{
  WlyBusCaller *caller = g_hash_table_lookup (self->by_name, name);
  g_autofree char *key = NULL;

  if (caller != NULL)
    return caller;
  wly_bus_names_saw (self->names, name, wly_bus_identity_now_us ());
  caller          = g_object_new (WLY_TYPE_BUS_CALLER, NULL);
  caller->callers = self;
  caller->name    = g_strdup (name);
  caller->app     = g_strdup ("");
  g_hash_table_insert (self->by_name, caller->name, caller);
  /* first watched, then asked: it cannot leave in between without being seen */
  caller->subscription = g_dbus_connection_signal_subscribe (
      self->connection, "org.freedesktop.DBus", "org.freedesktop.DBus", "NameOwnerChanged", "/org/freedesktop/DBus",
      name, G_DBUS_SIGNAL_FLAGS_NONE, owner_changed_cb, caller, NULL);
  if (!identify (self, caller)) {
    leave (caller);
    return NULL;
  }
  key = g_strdup_printf ("%s:%s", wly_bus_identity_kind_to_string (caller->kind),
                         caller->kind == WLY_CALLER_UNKNOWN ? caller->name : caller->app);
  /* However many connections it has: a sandboxed app is known by its id; the name of a host program says little, so
   * each process counts for itself, and only who has the same name shares prefixes. */
  caller->account =
      wly_account_new (self->accounts, caller->kind == WLY_CALLER_SANDBOXED ? key : account_of (caller), key);
  g_debug ("caller %s is %s (%s)", name, caller->app, wly_bus_identity_kind_to_string (caller->kind));
  return caller;
}

WlyBusCallers *
wly_bus_callers_new (GDBusConnection *connection, WlyAccounts *accounts)
{
  WlyBusCallers *self = g_new0 (WlyBusCallers, 1);
  const char *kind    = g_getenv (WOOLLY_ENV_TEST_CALLER);

  self->connection  = g_object_ref (connection);
  self->accounts    = accounts;
  self->names       = wly_bus_names_new ();
  self->by_name     = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, g_object_unref);
  self->forced      = g_strcmp0 (kind, "sandboxed") == 0 || g_strcmp0 (kind, "unknown") == 0;
  self->forced_kind = g_strcmp0 (kind, "sandboxed") == 0 ? WLY_CALLER_SANDBOXED : WLY_CALLER_UNKNOWN;
  wly_bus_names_saw (self->names, g_dbus_connection_get_unique_name (connection), wly_bus_identity_now_us ());
  return self;
}

void
wly_bus_callers_free (WlyBusCallers *self)
{
  GHashTableIter iter;
  gpointer caller;

  if (self == NULL)
    return;
  /* each one that leaves changes the table */
  for (g_hash_table_iter_init (&iter, self->by_name); g_hash_table_iter_next (&iter, NULL, &caller);
       g_hash_table_iter_init (&iter, self->by_name))
    leave (caller);
  g_hash_table_unref (self->by_name);
  wly_bus_names_free (self->names);
  g_object_unref (self->connection);
  g_free (self);
}

static void
wly_bus_caller_finalize (GObject *object)
{
  WlyBusCaller *self = WLY_BUS_CALLER (object);

  g_free (self->name);
  g_free (self->app);
  g_free (self->process);
  g_clear_pointer (&self->account, wly_account_unref);
  G_OBJECT_CLASS (wly_bus_caller_parent_class)->finalize (object);
}

static void
wly_bus_caller_class_init (WlyBusCallerClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = wly_bus_caller_finalize;
  signals[SIGNAL_GONE] =
      g_signal_new ("gone", WLY_TYPE_BUS_CALLER, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
}

static void
wly_bus_caller_init (WlyBusCaller *self)
{
}
