/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Blocks of key-value cache: numbers, reference counts, prefix sharing.  The backend owns the bytes.
 *
 * A block holds WLP_BLOCK_POSITIONS positions of all layers of a cache group; the groups of a program are numbered
 * alike, so that one block number stands for the same positions in each of them (a window group keeps all its positions
 * for now).  A full block is known by its tokens, the block before it, the salt of its session and the cache type; a
 * sequence with the same prefix takes it over, which gives the very bytes that computing would.  What is compared are
 * the tokens themselves: a hash only finds the candidate.  Unreferenced known blocks stay until their room is needed,
 * the least recently used first.  A block that others see is never written: a writer gets a copy first.
 *
 * A network with a recurrent state keeps one in each block, behind the last position of it that was computed.  It lies
 * in the same blocks as keys and values, so it is shared, copied and kept as they are; but a sequence goes back to the
 * end of a full block only, and computes what is behind it again.
 *
 * One thread at a time for a cache and all its sequences.
 */
#pragma once

#include "woolly-plugin/backend.h"

#include <glib.h>

G_BEGIN_DECLS

typedef struct WlyKvCache WlyKvCache;   /* all blocks of one model, every group and type */
typedef struct WlySequence WlySequence; /* one past: its tokens and its blocks */

/* @max_bytes bounds what all blocks may take; @ops, @model and @program stay valid as long as the cache. */
WlyKvCache *wly_kv_cache_new (const struct wlp_backend_ops *ops, struct wlp_model *model,
                              const struct wlp_program *program, guint64 max_bytes, GError **error);
void wly_kv_cache_free (WlyKvCache *cache);                    /* sequences are gone by then; NULL is fine */
guint64 wly_kv_cache_bytes (const WlyKvCache *cache);          /* held, shared ones counted once */
guint64 wly_kv_cache_retained_bytes (const WlyKvCache *cache); /* of these: held by no sequence, may go at any time */
guint64 wly_kv_cache_max_bytes (const WlyKvCache *cache);
/* Gives up blocks that no sequence holds until @n_bytes are free; returns how many were. */
guint64 wly_kv_cache_trim (WlyKvCache *cache, guint64 n_bytes);
/* Bytes of one position of all groups in this type; 0: not a type for caches. */
guint64 wly_kv_cache_position_bytes (const struct wlp_program *program, enum wlp_type type);

/* @max_positions: the session's context.  Errors: WLY_ERROR_NO_MEMORY (more than the whole cache),
 * WLY_ERROR_NOT_SUPPORTED (the type). */
WlySequence *wly_sequence_new (WlyKvCache *cache, enum wlp_type type, guint64 salt, guint max_positions,
                               GError **error);
/* Shares all blocks; the first to write into a shared one gets a copy of it. */
WlySequence *wly_sequence_fork (WlySequence *sequence, GError **error);
void wly_sequence_free (WlySequence *sequence); /* NULL is fine */

guint wly_sequence_max_positions (const WlySequence *sequence);
/* Tokens that were appended; of these, n_computed are in the cache. */
guint wly_sequence_n_tokens (const WlySequence *sequence);
guint wly_sequence_n_computed (const WlySequence *sequence);
const gint32 *wly_sequence_tokens (const WlySequence *sequence);
/* Appends tokens that are to be computed; takes over shared blocks where the prefix is known.  Returns how many
 * of them need no computing; the last appended token always needs it.  Error: WLY_ERROR_CONTEXT_FULL. */
gboolean wly_sequence_append (WlySequence *sequence, const gint32 *tokens, guint n, guint *ret_n_cached,
                              GError **error);
/* Looks again for known blocks, which other sequences may have computed since; returns how many tokens that saved. */
guint wly_sequence_adopt (WlySequence *sequence);
/* Forgets all tokens from @n_tokens on.  With a state, up to a block of those before are to be computed again. */
void wly_sequence_truncate (WlySequence *sequence, guint n_tokens);
/* Has all tokens computed again, on the next step: for blocks whose content is lost. */
void wly_sequence_invalidate (WlySequence *sequence);

/* ---- for a step ---- */

WlyKvCache *wly_sequence_cache (const WlySequence *sequence);
/* Makes room for the next @n tokens: blocks of its own for all positions that will be written.
 * Errors: WLY_ERROR_NO_MEMORY, and nothing has changed. */
gboolean wly_sequence_reserve (WlySequence *sequence, guint n, GError **error);
/* Where its blocks lie, until it is next changed. */
void wly_sequence_describe (const WlySequence *sequence, struct wlp_sequence *ret_sequence);
/* The next @n tokens are in the cache now: full blocks become known. */
void wly_sequence_commit (WlySequence *sequence, guint n);
/* They are not: gives back what the reservation took.  With a state, what the sequence had of the last block is to be
 * computed again. */
void wly_sequence_cancel (WlySequence *sequence);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (WlyKvCache, wly_kv_cache_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WlySequence, wly_sequence_free)

G_END_DECLS
