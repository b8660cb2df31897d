/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The step thread: batch after batch while there is something to compute, and asleep otherwise.
 *
 * It owns the network and every sequence.  What else has to touch them (open, fork, close a session, load) is pushed as
 * a job and runs between two steps.
 */
#pragma once

#include "run/network.h"
#include "wly-generation.h"
#include "wly-lane.h"

G_BEGIN_DECLS

typedef struct WlyStepper WlyStepper;

/* Both are called in the main thread. */
typedef struct {
  void (*changed) (WlyGeneration *generation, WlyGenerationState state, gpointer user_data);
  /* it is the main thread's again, with its reason and error set */
  void (*finished) (WlyGeneration *generation, gpointer user_data);
} WlyStepperEvents;

WlyStepper *wly_stepper_new (const WlyStepperEvents *events, gpointer user_data);
/* (main thread) Ends what is computed, does the jobs that wait, closes all sessions and frees the network; the main
 * context is iterated until all of it was told. */
void wly_stepper_free (WlyStepper *stepper);

/* ---- main thread ---- */

/* @work runs in the step thread, then @done in the main thread. */
void wly_stepper_push (WlyStepper *stepper, WlyWorkFunc work, WlyWorkFunc done, gpointer data);
/* Hands a generation over, whose prompt and stream are there. */
void wly_stepper_begin (WlyStepper *stepper, WlyGeneration *generation);
/* Has a generation end soon: in the midst of a step where most of that is its own, else after it. */
void wly_stepper_cancel (WlyStepper *stepper, WlyGeneration *generation);
/* A stream has room again. */
void wly_stepper_wake (WlyStepper *stepper);
/* Stops loading and computing, for good. */
void wly_stepper_stop (WlyStepper *stepper);

/* (any thread) Whether wly_stepper_stop() was called. */
gboolean wly_stepper_stopped (WlyStepper *stepper);

/* ---- step thread, in jobs ---- */

/* Takes the network over.  @limits: of a batch. */
void wly_stepper_set_network (WlyStepper *stepper, WlyNetwork *network, const WlyBatchLimits *limits);
WlyNetwork *wly_stepper_network (WlyStepper *stepper); /* NULL: none yet */
/* Sessions whose blocks may be taken while they are idle. */
void wly_stepper_add_session (WlyStepper *stepper, WlySession *session);
/* Ends what it generates, closes it, and lets go of it. */
void wly_stepper_close_session (WlyStepper *stepper, WlySession *session);
/* Steps that were computed so far, and those that were cancelled in their midst. */
void wly_stepper_counts (WlyStepper *stepper, guint64 *ret_n_steps, guint64 *ret_n_aborted);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (WlyStepper, wly_stepper_free)

G_END_DECLS
