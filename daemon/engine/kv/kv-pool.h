/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * All blocks of one cache type: which are free, which are known by their content, who holds them.
 */
#pragma once

#include "kv-cache.h"

G_BEGIN_DECLS

typedef struct WlyKvPool WlyKvPool;

typedef struct {
  WlyKvPool *pool;
  guint32 number;
  guint32 n_refs;
  guint64 serial; /* 0: not known by its content, may be written; else never used again for another content */
  guint64 parent; /* serial of the block before it, 0: none */
  guint64 salt;
  gint32 tokens[WLP_BLOCK_POSITIONS];
  GList link; /* in the list of the free or of the retained ones; data is this block */
} WlyKvBlock;

struct WlyKvCache {
  const struct wlp_backend_ops *ops;
  struct wlp_model *model;
  const struct wlp_program *program;
  guint64 max_bytes;
  guint64 held_bytes;
  guint64 retained_bytes;
  guint64 next_serial;
  guint64 hash_seed;
  gboolean has_state; /* a sequence cannot go on anywhere, but only behind full blocks and its last position */
  GQueue retained;    /* known blocks that nobody holds, the least recently used first */
  GPtrArray *pools;
};

struct WlyKvPool {
  WlyKvCache *cache;
  enum wlp_type type;
  struct wlp_cache *caches[WLP_MAX_GROUPS];
  guint64 block_bytes; /* of all groups */
  guint n_blocks;
  GPtrArray *blocks; /* those that were ever used, by number */
  GQueue unused;
  GHashTable *known; /* of WlyKvBlock, by content */
};

/* The pool of this type, made on first use.  Errors: WLY_ERROR_NOT_SUPPORTED, WLY_ERROR_NO_MEMORY. */
WlyKvPool *wly_kv_pool_get (WlyKvCache *cache, enum wlp_type type, GError **error);
void wly_kv_pool_free (WlyKvPool *pool);

/* A block of one's own, with one reference; gives up retained ones for it.  Error: WLY_ERROR_NO_MEMORY. */
WlyKvBlock *wly_kv_pool_take (WlyKvPool *pool, GError **error);
/* The same with the content of @block.  Errors: also WLY_ERROR_FAILED. */
WlyKvBlock *wly_kv_pool_take_copy (WlyKvPool *pool, const WlyKvBlock *block, GError **error);
WlyKvBlock *wly_kv_block_ref (WlyKvBlock *block);
void wly_kv_block_unref (WlyKvBlock *block);

/* The known block with these tokens behind @parent, with a reference; NULL: none. */
WlyKvBlock *wly_kv_pool_find (WlyKvPool *pool, guint64 parent, guint64 salt, const gint32 *tokens);
/* Makes a full block known.  Where one with this content is known already, that one comes back in its place. */
WlyKvBlock *wly_kv_pool_publish (WlyKvPool *pool, WlyKvBlock *block, guint64 parent, guint64 salt,
                                 const gint32 *tokens);
/* The content is lost: no other sequence shall find it. */
void wly_kv_block_forget (WlyKvBlock *block);

/* Gives up the block that was retained longest; FALSE where there is none. */
gboolean wly_kv_cache_evict (WlyKvCache *cache);

G_END_DECLS
