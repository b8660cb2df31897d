/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What the parts of the worker's D-Bus side share.  All of it is the main thread's.
 */
#pragma once

#include "wly-call.h"
#include "wly-lane.h"
#include "wly-rpc-worker1.h"
#include "wly-stepper.h"
#include "wly-worker.h"

G_BEGIN_DECLS

typedef enum {
  WLY_WORKER_EMPTY,
  WLY_WORKER_OPENING,
  WLY_WORKER_OPENED,
  WLY_WORKER_LOADING,
  WLY_WORKER_LOADED,
} WlyWorkerStage;

struct WlyWorker {
  GPtrArray *plugins;
  WlyDevices *devices;
  GDBusConnection *connection;
  WlyRpcWorker1 *skeleton;
  GMainLoop *loop;
  WlyLane *text;
  WlyStepper *stepper;

  WlyWorkerStage stage;
  WlyOpened *opened; /* from WLY_WORKER_OPENED on */
  WlyDeviceChoice device;
  GHashTable *sessions;    /* number: WlySession* */
  GHashTable *generations; /* number: what wly-worker-generate.c keeps of it */
  guint n_ending;          /* generations that are not in there any more, and whose last frames are not written */
};

/* Replies with an error, which is taken over. */
void wly_worker_refuse (GDBusMethodInvocation *invocation, GError *error);
/* Whether the model has come that far; else replies with an error. */
gboolean wly_worker_require (WlyWorker *worker, WlyWorkerStage stage, GDBusMethodInvocation *invocation);

/* Connect the handlers of their methods. */
void wly_worker_connect_model (WlyWorker *worker);
void wly_worker_connect_text (WlyWorker *worker);
void wly_worker_connect_sessions (WlyWorker *worker);
void wly_worker_connect_generations (WlyWorker *worker);
void wly_worker_connect_embed (WlyWorker *worker);

/* Cancels what a session generates, as far as the main thread has it. */
void wly_worker_cancel_session (WlyWorker *worker, WlySession *session);
/* Ends what is left when the worker ends. */
void wly_worker_drop_generations (WlyWorker *worker);

extern const WlyStepperEvents wly_worker_stepper_events;

G_END_DECLS
