/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A network on a backend: a program with its weights, its cache, and steps over batches of sequences.
 */
#pragma once

#include "gguf/gguf-reader.h"
#include "kv/kv-cache.h"
#include "woolly-plugin/arch.h"
#include "woolly-plugin/backend.h"

G_BEGIN_DECLS

typedef struct WlyProgram WlyProgram;
typedef struct WlyNetwork WlyNetwork;

/* Has the architecture plugin describe the file; checks every tensor, shape and type.  Errors: WLY_ERROR_INVALID_MODEL,
 * naming the tensor, its shape and the shape wanted; WLY_ERROR_UNSUPPORTED_MODEL. */
WlyProgram *wly_program_new (WlyGguf *gguf, const struct wlp_arch_ops *arch, GError **error);
void wly_program_free (WlyProgram *program); /* NULL is fine */
const struct wlp_program *wly_program_get (const WlyProgram *program);
const struct wlp_weight_source *wly_program_sources (const WlyProgram *program);

/* Called with the share of the weights done, from the loading thread; FALSE: stop, with WLY_ERROR_CANCELLED. */
typedef gboolean (*WlyLoadProgressFunc) (guint64 done_bytes, guint64 total_bytes, gpointer user_data);

typedef struct {
  const struct wlp_backend_ops *ops;
  struct wlp_backend *backend;
  guint device;
  gboolean float_activations; /* the reference mode */
  gboolean no_fusion;
  const char *isa;    /* NULL: the best one */
  const char *pack;   /* when weights are packed: NULL: as the backend likes it; "0": never, "1": now */
  guint64 pack_bytes; /* of packed weights at most; 0: as the backend likes it */
  guint max_batch_tokens;
  guint max_sequences;
  guint max_rows;      /* outputs in one step; 0: one for each sequence */
  guint max_positions; /* of one sequence; 0: as the model was trained */
  guint64 kv_bytes;
  WlyLoadProgressFunc progress; /* NULL: none */
  gpointer progress_data;
} WlyNetworkOptions;

/* Takes @program over, also on failure.  Errors: WLY_ERROR_UNSUPPORTED_MODEL (an operator or tensor type that the
 * device does not run, named), WLY_ERROR_NO_MEMORY, WLY_ERROR_CANCELLED. */
WlyNetwork *wly_network_new (WlyGguf *gguf, WlyProgram *program, const WlyNetworkOptions *options, GError **error);
void wly_network_free (WlyNetwork *network); /* its sequences are gone by then; NULL is fine */

const struct wlp_program *wly_network_program (const WlyNetwork *network);
WlyKvCache *wly_network_cache (WlyNetwork *network);
guint wly_network_n_vocab (const WlyNetwork *network);
guint wly_network_max_batch_tokens (const WlyNetwork *network);
guint wly_network_max_sequences (const WlyNetwork *network); /* in one step */
guint wly_network_max_positions (const WlyNetwork *network);
gboolean wly_network_memory (WlyNetwork *network, struct wlp_memory *ret_memory);
/* What packed weights may take from now on; returns how many bytes the backend gave up for it.  Not during a step. */
guint64 wly_network_limit_packed (WlyNetwork *network, guint64 n_bytes);
/* Entry @index of the time spent by operator; FALSE past the last one. */
gboolean wly_network_profile (WlyNetwork *network, guint index, struct wlp_profile_entry *ret_entry);

/* One sequence's share of a step: its next @n_tokens tokens that are not computed yet. */
typedef struct {
  WlySequence *sequence;
  guint n_tokens;
  gboolean want_output; /* of the last of them */
  guint n_rows;         /* with want_output: of so many of the last ones; 0 reads as 1.  A pooled model gives one row */
  float *output; /* set by the step: [n_rows][output_width], the network's, until the next step; NULL: not wanted */
} WlyStepItem;

/* Computes one batch: prefill chunks and single tokens of decoding sequences side by side; a sequence is in it once. On
 * success the sequences' n_computed has grown.  @cancel (NULL: none) is looked at between layers: WLY_ERROR_CANCELLED,
 * and nothing has changed.  Errors: WLY_ERROR_NO_MEMORY (no free block: nothing has changed), WLY_ERROR_INVALID_ARGS
 * (more than the options allow: nothing has changed), WLY_ERROR_FAILED (the device). */
gboolean wly_network_step (WlyNetwork *network, WlyStepItem *items, guint n_items, const volatile int *cancel,
                           GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (WlyProgram, wly_program_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WlyNetwork, wly_network_free)

G_END_DECLS
