/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kv-pool.h"

#include "wly-error.h"

#include <errno.h>
#include <string.h>

/* ---- content ---- */

/* Keyed by a number drawn for each cache, so that nobody can choose tokens that collide. */
static guint
block_hash (gconstpointer key)
{
  const WlyKvBlock *block = key;
  const guint64 factor    = G_GUINT64_CONSTANT (0x9fb21c651e98df25);
  guint64 h               = block->pool->cache->hash_seed ^ block->salt;

  h = (h ^ block->parent) * factor;
  for (guint i = 0; i < WLP_BLOCK_POSITIONS; i++) {
    h = (h ^ (guint32)block->tokens[i]) * factor;
    h ^= h >> 35;
  }
  return (guint)(h ^ (h >> 32));
}

static gboolean
block_equal (gconstpointer a, gconstpointer b)
{
  const WlyKvBlock *x = a;
  const WlyKvBlock *y = b;

  return x->parent == y->parent && x->salt == y->salt && memcmp (x->tokens, y->tokens, sizeof x->tokens) == 0;
}

static void
block_describe (WlyKvBlock *block, WlyKvPool *pool, guint64 parent, guint64 salt, const gint32 *tokens)
{
  block->pool   = pool;
  block->parent = parent;
  block->salt   = salt;
  memcpy (block->tokens, tokens, sizeof block->tokens);
}

/* ---- pools ---- */

void
wly_kv_pool_free (WlyKvPool *pool)
{
  if (pool == NULL)
    return;
  for (guint g = 0; g < pool->cache->program->n_groups; g++)
    pool->cache->ops->cache_free (pool->caches[g]);
  g_hash_table_unref (pool->known);
  g_ptr_array_unref (pool->blocks);
  g_free (pool);
}

static gboolean
pool_create_caches (WlyKvPool *pool, guint64 block_bytes, GError **error)
{
  WlyKvCache *cache      = pool->cache;
  struct wlp_error fault = { { 0 } };

  pool->n_blocks = (guint)CLAMP (cache->max_bytes / block_bytes, 1, G_MAXINT32);
  for (guint g = 0; g < cache->program->n_groups; g++) {
    enum wlp_type type = cache->program->groups[g].kind == WLP_CACHE_STATE ? WLP_TYPE_F32 : pool->type;
    int code           = cache->ops->cache_create (cache->model, g, type, pool->n_blocks, &pool->caches[g], &fault);

    if (code < 0) {
      g_set_error (error, WLY_ERROR, code == -ENOTSUP ? WLY_ERROR_NOT_SUPPORTED : WLY_ERROR_NO_MEMORY,
                   "No key-value cache of type %u with %u blocks: %s", pool->type, pool->n_blocks,
                   fault.message[0] != '\0' ? fault.message : g_strerror (-code));
      pool->caches[g] = NULL;
      return FALSE;
    }
    pool->block_bytes += cache->ops->cache_block_bytes (pool->caches[g]);
  }
  return TRUE;
}

static WlyKvPool *
pool_new (WlyKvCache *cache, enum wlp_type type, GError **error)
{
  guint64 position_bytes = wly_kv_cache_position_bytes (cache->program, type);
  WlyKvPool *pool;

  if (cache->program->n_groups > 0 && position_bytes == 0) {
    g_set_error (error, WLY_ERROR, WLY_ERROR_NOT_SUPPORTED, "The key-value cache cannot be of tensor type %u", type);
    return NULL;
  }
  pool         = g_new0 (WlyKvPool, 1);
  pool->cache  = cache;
  pool->type   = type;
  pool->blocks = g_ptr_array_new_with_free_func (g_free);
  pool->known  = g_hash_table_new (block_hash, block_equal);
  g_queue_init (&pool->unused);
  if (!pool_create_caches (pool, MAX (position_bytes, 1) * WLP_BLOCK_POSITIONS, error))
    g_clear_pointer (&pool, wly_kv_pool_free);
  return pool;
}

WlyKvPool *
wly_kv_pool_get (WlyKvCache *cache, enum wlp_type type, GError **error)
{
  WlyKvPool *pool;

  for (guint i = 0; i < cache->pools->len; i++) {
    pool = g_ptr_array_index (cache->pools, i);
    if (pool->type == type)
      return pool;
  }
  pool = pool_new (cache, type, error);
  if (pool != NULL)
    g_ptr_array_add (cache->pools, pool);
  return pool;
}

/* ---- holding and giving back ---- */

static void
pool_give_back (WlyKvPool *pool, WlyKvBlock *block)
{
  WlyKvCache *cache = pool->cache;

  for (guint g = 0; g < cache->program->n_groups; g++)
    cache->ops->cache_discard (pool->caches[g], block->number);
  cache->held_bytes -= pool->block_bytes;
  g_queue_push_head_link (&pool->unused, &block->link);
}

void
wly_kv_block_forget (WlyKvBlock *block)
{
  if (block->serial == 0)
    return;
  g_hash_table_remove (block->pool->known, block);
  block->serial = 0;
}

gboolean
wly_kv_cache_evict (WlyKvCache *cache)
{
  GList *link = g_queue_pop_head_link (&cache->retained);
  WlyKvBlock *block;

  if (link == NULL)
    return FALSE;
  block = link->data;
  cache->retained_bytes -= block->pool->block_bytes;
  wly_kv_block_forget (block);
  pool_give_back (block->pool, block);
  return TRUE;
}

static WlyKvBlock *
pool_grow (WlyKvPool *pool)
{
  WlyKvBlock *block = g_new0 (WlyKvBlock, 1);

  block->pool      = pool;
  block->number    = pool->blocks->len;
  block->link.data = block;
  g_ptr_array_add (pool->blocks, block);
  return block;
}

WlyKvBlock *
wly_kv_pool_take (WlyKvPool *pool, GError **error)
{
  WlyKvCache *cache = pool->cache;
  WlyKvBlock *block;
  GList *link;

  while (cache->held_bytes + pool->block_bytes > cache->max_bytes && wly_kv_cache_evict (cache))
    ;
  if (cache->held_bytes + pool->block_bytes > cache->max_bytes
      || (g_queue_is_empty (&pool->unused) && pool->blocks->len >= pool->n_blocks)) {
    g_set_error (error, WLY_ERROR, WLY_ERROR_NO_MEMORY,
                 "The key-value cache of %" G_GUINT64_FORMAT " MiB is full and every block of it is in use",
                 cache->max_bytes >> 20);
    return NULL;
  }
  link          = g_queue_pop_head_link (&pool->unused);
  block         = link != NULL ? link->data : pool_grow (pool);
  block->n_refs = 1;
  block->serial = 0;
  cache->held_bytes += pool->block_bytes;
  return block;
}

WlyKvBlock *
wly_kv_pool_take_copy (WlyKvPool *pool, const WlyKvBlock *block, GError **error)
{
  WlyKvCache *cache = pool->cache;
  WlyKvBlock *copy  = wly_kv_pool_take (pool, error);
  int code          = 0;

  if (copy == NULL)
    return NULL;
  for (guint g = 0; code == 0 && g < cache->program->n_groups; g++)
    code = cache->ops->cache_copy (pool->caches[g], block->number, copy->number);
  if (code != 0) {
    g_set_error (error, WLY_ERROR, WLY_ERROR_FAILED, "A block of the key-value cache cannot be copied: %s",
                 g_strerror (-code));
    g_clear_pointer (&copy, wly_kv_block_unref);
  }
  return copy;
}

WlyKvBlock *
wly_kv_block_ref (WlyKvBlock *block)
{
  if (block->n_refs++ == 0) {
    g_queue_unlink (&block->pool->cache->retained, &block->link);
    block->pool->cache->retained_bytes -= block->pool->block_bytes;
  }
  return block;
}

void
wly_kv_block_unref (WlyKvBlock *block)
{
  g_return_if_fail (block->n_refs > 0);
  if (--block->n_refs > 0)
    return;
  if (block->serial == 0) {
    pool_give_back (block->pool, block);
    return;
  }
  g_queue_push_tail_link (&block->pool->cache->retained, &block->link);
  block->pool->cache->retained_bytes += block->pool->block_bytes;
}

/* ---- sharing ---- */

WlyKvBlock *
wly_kv_pool_find (WlyKvPool *pool, guint64 parent, guint64 salt, const gint32 *tokens)
{
  WlyKvBlock key;
  WlyKvBlock *block;

  block_describe (&key, pool, parent, salt, tokens);
  block = g_hash_table_lookup (pool->known, &key);
  return block != NULL ? wly_kv_block_ref (block) : NULL;
}

WlyKvBlock *
wly_kv_pool_publish (WlyKvPool *pool, WlyKvBlock *block, guint64 parent, guint64 salt, const gint32 *tokens)
{
  WlyKvBlock *known;

  g_return_val_if_fail (block->serial == 0, block);
  known = wly_kv_pool_find (pool, parent, salt, tokens);
  if (known != NULL) {
    wly_kv_block_unref (block);
    return known;
  }
  block_describe (block, pool, parent, salt, tokens);
  block->serial = pool->cache->next_serial++;
  g_hash_table_add (pool->known, block);
  return block;
}
