/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kv-cache.h"

#include "kv-pool.h"
#include "wly-error.h"

WlyKvCache *
wly_kv_cache_new (const struct wlp_backend_ops *ops, struct wlp_model *model, const struct wlp_program *program,
                  guint64 max_bytes, GError **error)
{
  WlyKvCache *cache = g_new0 (WlyKvCache, 1);

  cache->ops     = ops;
  cache->model   = model;
  cache->program = program;
  for (guint g = 0; g < program->n_groups; g++)
    cache->has_state = cache->has_state || program->groups[g].kind == WLP_CACHE_STATE;
  cache->max_bytes   = max_bytes;
  cache->next_serial = 1;
  cache->hash_seed   = ((guint64)g_random_int () << 32) | g_random_int ();
  cache->pools       = g_ptr_array_new_with_free_func ((GDestroyNotify)wly_kv_pool_free);
  g_queue_init (&cache->retained);
  return cache;
}

void
wly_kv_cache_free (WlyKvCache *cache)
{
  if (cache == NULL)
    return;
  g_warn_if_fail (cache->held_bytes == cache->retained_bytes);
  g_ptr_array_unref (cache->pools);
  g_free (cache);
}

guint64
wly_kv_cache_bytes (const WlyKvCache *cache)
{
  return cache->held_bytes;
}

guint64
wly_kv_cache_retained_bytes (const WlyKvCache *cache)
{
  return cache->retained_bytes;
}

guint64
wly_kv_cache_max_bytes (const WlyKvCache *cache)
{
  return cache->max_bytes;
}

guint64
wly_kv_cache_trim (WlyKvCache *cache, guint64 n_bytes)
{
  guint64 before = cache->held_bytes;

  while (before - cache->held_bytes < n_bytes && wly_kv_cache_evict (cache))
    ;
  return before - cache->held_bytes;
}

/* Bytes of @width values of this type; 0: not a type for caches. */
static guint64
row_bytes (enum wlp_type type, guint64 width)
{
  switch (type) {
  case WLP_TYPE_F32:
    return width * 4;
  case WLP_TYPE_F16:
    return width * 2;
  case WLP_TYPE_Q8_0:
    return (width + 31) / 32 * 34;
  default:
    return 0;
  }
}

guint64
wly_kv_cache_position_bytes (const struct wlp_program *program, enum wlp_type type)
{
  guint64 n_bytes = 0;

  for (guint g = 0; g < program->n_groups; g++) {
    const struct wlp_cache_group *group = &program->groups[g];

    if (group->kind == WLP_CACHE_STATE) { /* one for each block */
      n_bytes += (group->n_layers * row_bytes (WLP_TYPE_F32, group->key_width) + WLP_BLOCK_POSITIONS - 1)
                 / WLP_BLOCK_POSITIONS;
      continue;
    }
    n_bytes += group->n_layers * (row_bytes (type, group->key_width) + row_bytes (type, group->value_width));
  }
  return n_bytes;
}
