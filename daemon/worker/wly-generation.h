/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * One answer in the making: from the prompt's tokens to the last frame of text.
 *
 * The main thread makes it and tells woollyd about it; between wly_stepper_begin() and the stepper's `finished` it
 * belongs to the step thread.
 */
#pragma once

#include "grammar/constraint.h"
#include "wly-batch.h"
#include "wly-emitter.h"
#include "wly-opened.h"
#include "wly-pieces.h"
#include "wly-sampling.h"
#include "wly-session.h"
#include "wly-stream.h"

G_BEGIN_DECLS

typedef enum {
  WLY_GENERATION_PREFILL,
  WLY_GENERATION_GENERATING,
  WLY_GENERATION_PAUSED,
  WLY_GENERATION_DONE,
  WLY_GENERATION_CANCELLED,
  WLY_GENERATION_FAILED,
} WlyGenerationState;

/* The words of Worker1.GenerationChanged. */
const char *wly_generation_state_name (WlyGenerationState state);

typedef struct {
  gint references; /* atomic */
  guint64 number;
  WlySession *session;
  WlyOpened *opened;
  WlyStream *stream;
  int cancelled; /* atomic: somebody wants it to end */

  /* what was asked for */
  GVariant *options; /* scopes GENERATE and WORKER, checked */
  WlySampling sampling;
  guint max_tokens;
  gboolean ignore_end;
  WlyPriority priority;
  guint weight;
  GArray *prompt;      /* gint32: what is added to the session */
  WlyGrammar *grammar; /* what the text is held to; NULL: nothing */

  /* step thread */
  WlySampler *sampler;
  WlyConstraint *constraint; /* of `grammar` */
  WlyEmitter *emitter;
  WlyOutputParser *parser; /* NULL: all of the answer is text; made by the text thread */
  WlyGenerationState state;
  gboolean preempted; /* waits until others leave room */
  guint64 virtual_time;
  guint64 order;
  guint n_step_tokens;   /* in the batch that runs; under the stepper's lock */
  gboolean at_beginning; /* the answer begins a text, and so without the space of its first token */
  gboolean committed;    /* a token was generated, so the prompt stays */
  guint n_before;        /* tokens of the session before the prompt; more than there are until it was added */
  GArray *before;        /* those tokens, where some of them were dropped for the prompt */
  gint64 progress_us;    /* when the reader was last told of the prefill */

  /* what came of it */
  guint n_in, n_cached, n_out, n_dropped, n_used;
  gint64 begun_us, first_us, last_us;
  GArray *logprobs;   /* WlySamplerLogprob of its tokens; NULL: not wanted */
  const char *reason; /* stop, length, context, cancelled, error */
  GError *error;
  char *device;
} WlyGeneration;

/* @options are checked; @stream is taken over.  Error: WLY_ERROR_INVALID_ARGS for a stop text, or a token that is none
 * of the vocabulary. */
WlyGeneration *wly_generation_new (guint64 number, WlySession *session, WlyOpened *opened, WlyStream *stream,
                                   GVariant *options, const char *device, GError **error);
WlyGeneration *wly_generation_ref (WlyGeneration *generation);
void wly_generation_unref (WlyGeneration *generation); /* NULL is fine */

/* ---- step thread ---- */

/* Adds the prompt to the session.  FALSE: it has ended, with an error. */
gboolean wly_generation_start (WlyGeneration *generation);
/* Tokens of it that wait to be computed. */
guint wly_generation_n_pending (const WlyGeneration *generation);
/* A step has computed a part of the prompt: tells the reader, now and then. */
void wly_generation_progress (WlyGeneration *generation);
/* A step gave the logits behind its last token: draws the next one, commits it, streams its text.  FALSE: it has ended.
 */
gboolean wly_generation_advance (WlyGeneration *generation, const float *logits);
/* Ends it with a reason, or with an error (which is taken over): what was held back is streamed, and where no token
 * was generated the session is as it was before. */
void wly_generation_end (WlyGeneration *generation, const char *reason, GError *error);

/* ---- once it has ended ---- */

/* It failed after all; the error is taken over. */
void wly_generation_set_error (WlyGeneration *generation, GError *error);
WlyGenerationState wly_generation_final_state (const WlyGeneration *generation);
/* Scope RESULT; floating. */
GVariant *wly_generation_result (const WlyGeneration *generation);
/* The frames behind the text: usage, and end or error. */
void wly_generation_write_end (WlyGeneration *generation);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (WlyGeneration, wly_generation_unref)

G_END_DECLS
