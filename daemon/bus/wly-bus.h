/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The service as it is seen on the bus: the root object, the listed models, and lists of what callers own.
 */
#pragma once

#include "wly-bus-object.h"
#include "wly-catalogue.h"
#include "wly-model-hold.h"
#include "wly-queue.h"

G_BEGIN_DECLS

typedef struct WlyBus WlyBus;

struct WlyBus {
  WlyBusShared shared;
  WlySettings *settings;
  char *settings_file; /* of --config, or NULL */
  WlyModelContext *context;
  WlyCatalogue *catalogue;
  WlyAccounts *accounts;
  GDBusObjectManagerServer *models; /* what is listed */
  WlyBusObject *manager;
  WlyBusObject *admin;
  GPtrArray *listed;       /* WlyBusModel*, owned: of the catalogue */
  GPtrArray *given;        /* WlyBusModel*, owned: of OpenFiles */
  GPtrArray *sessions;     /* WlyBusSession*, owned */
  GPtrArray *generations;  /* WlyBusGeneration*, owned */
  GPtrArray *holds;        /* WlyBusHold*, owned */
  GPtrArray *jobs;         /* WlyBusJob*, owned */
  guint files_filter;      /* of the connection */
  guint n_calls;           /* WlyBusCall that are not answered */
  gint64 last_activity_us; /* monotonic */
  WlyBusActivityCb activity;
  gpointer activity_data;
  void (*quit) (gpointer user_data); /* Admin.Quit */
  gpointer quit_data;
};

/* Exports everything; the bus name is not owned yet.  NULL and @error set where the connection refuses. */
WlyBus *wly_bus_new (GDBusConnection *connection, WlySettings *settings, const char *settings_file, GError **error);
void wly_bus_free (WlyBus *bus);

/* Reads settings and folders again. */
void wly_bus_reload (WlyBus *bus);

/* Nothing is open, held, in memory or under way. */
gboolean wly_bus_is_idle (WlyBus *bus);

/* Something is being computed, waited for or answered. */
gboolean wly_bus_is_working (WlyBus *bus);

/* Ends all generations. */
void wly_bus_cancel_all (WlyBus *bus);

/* Something was used, or let go: the time of being idle begins anew. */
void wly_bus_touch (WlyBus *bus);

/* Takes an item off a list, then frees it: what that calls finds the list without it. */
void wly_bus_list_remove (GPtrArray *list, gpointer item, GDestroyNotify free_func);

/* The queue of a model; lives as long as the model. */
WlyQueue *wly_bus_get_queue (WlyModel *model);

/* Object path of a model. (transfer full) */
char *wly_bus_path_of_model (WlyBus *bus, WlyModel *model);

/* The model with this path, if the caller may see it; NULL otherwise. */
WlyModel *wly_bus_find_model (WlyBus *bus, WlyBusCaller *caller, const char *path);

G_END_DECLS
