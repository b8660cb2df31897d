/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Blocks of key-value cache: numbers, reference counts, prefix sharing.  The backend owns the bytes.
 *
 * A block holds WLP_BLOCK_POSITIONS positions of all layers of a cache group.  A full block is known by the hash of the
 * tokens up to its end, the salt of its session and the cache type; a sequence whose prefix has the same hash takes the
 * block over.  Unreferenced full blocks stay until their room is needed, the least recently used first.
 */
#pragma once

#include "woolly-plugin/backend.h"

#include <glib.h>

G_BEGIN_DECLS

typedef struct WlyKvCache WlyKvCache;   /* all blocks of one model, every group and type */
typedef struct WlySequence WlySequence; /* one past: its tokens and its blocks */

/* @max_bytes bounds what all blocks may take. */
WlyKvCache *wly_kv_cache_new (const struct wlp_backend_ops *ops, struct wlp_model *model,
                              const struct wlp_program *program, guint64 max_bytes, GError **error);
void wly_kv_cache_free (WlyKvCache *cache);           /* sequences are gone by then; NULL is fine */
guint64 wly_kv_cache_bytes (const WlyKvCache *cache); /* in use, shared ones counted once */
guint64 wly_kv_cache_max_bytes (const WlyKvCache *cache);
/* Bytes of one position of all groups in this type. */
guint64 wly_kv_cache_position_bytes (const struct wlp_program *program, enum wlp_type type);

/* @max_positions: the session's context.  Errors: WLY_ERROR_NO_MEMORY (more than the whole cache),
 * WLY_ERROR_NOT_SUPPORTED (the type). */
WlySequence *wly_sequence_new (WlyKvCache *cache, enum wlp_type type, guint64 salt, guint max_positions,
                               GError **error);
WlySequence *wly_sequence_fork (WlySequence *sequence, GError **error); /* shares full blocks, copies the last */
void wly_sequence_free (WlySequence *sequence);                         /* NULL is fine */

guint wly_sequence_max_positions (const WlySequence *sequence);
/* Tokens that were appended; of these, n_computed are in the cache. */
guint wly_sequence_n_tokens (const WlySequence *sequence);
guint wly_sequence_n_computed (const WlySequence *sequence);
const gint32 *wly_sequence_tokens (const WlySequence *sequence);
/* Appends tokens that are to be computed; takes over shared blocks where the prefix is known.  Returns how many
 * of them need no computing; the last appended token always needs it.  Error: WLY_ERROR_CONTEXT_FULL. */
gboolean wly_sequence_append (WlySequence *sequence, const gint32 *tokens, guint n, guint *ret_n_cached,
                              GError **error);
/* Forgets all tokens from @n_tokens on. */
void wly_sequence_truncate (WlySequence *sequence, guint n_tokens);
/* Has all tokens computed again, on the next step: for blocks whose content is lost. */
void wly_sequence_invalidate (WlySequence *sequence);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (WlyKvCache, wly_kv_cache_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WlySequence, wly_sequence_free)

G_END_DECLS
