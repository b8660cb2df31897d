/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cpu-cache.h"

#include "kernels/attention.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define TILES_OF_BLOCK (WLP_BLOCK_POSITIONS / ATTENTION_TILE)
#define MAX_HEAD_DIM   65536u
#define HUGE_BYTES     ((size_t)2 << 20)

#ifndef MAP_NORESERVE
#define MAP_NORESERVE 0
#endif

int
cpu_cache_layout_init (struct cpu_cache_layout *layout, uint32_t type, uint32_t n_layers, uint32_t n_heads,
                       uint32_t head_dim_k, uint32_t head_dim_v)
{
  unsigned __int128 block_bytes;

  if (type != WLP_TYPE_F32 && type != WLP_TYPE_F16 && type != WLP_TYPE_Q8_0)
    return -ENOTSUP;
  if (type == WLP_TYPE_Q8_0 && (head_dim_k % 32 != 0 || head_dim_v % 32 != 0))
    return -ENOTSUP;
  if (n_layers == 0 || n_heads == 0 || head_dim_k == 0 || head_dim_v == 0 || head_dim_k > MAX_HEAD_DIM
      || head_dim_v > MAX_HEAD_DIM)
    return -EINVAL;
  layout->type       = type;
  layout->n_layers   = n_layers;
  layout->n_heads    = n_heads;
  layout->head_dim_k = head_dim_k;
  layout->head_dim_v = head_dim_v;
  layout->tile_bytes = attention_tile_bytes (type, head_dim_k);
  layout->row_bytes  = attention_row_bytes (type, head_dim_v);
  block_bytes        = (unsigned __int128)n_layers * n_heads
                * (layout->tile_bytes * TILES_OF_BLOCK + layout->row_bytes * WLP_BLOCK_POSITIONS);
  if (block_bytes > SIZE_MAX / 4)
    return -EINVAL;
  layout->values_at   = (size_t)n_heads * layout->tile_bytes * TILES_OF_BLOCK;
  layout->layer_bytes = layout->values_at + (size_t)n_heads * layout->row_bytes * WLP_BLOCK_POSITIONS;
  layout->block_bytes = layout->layer_bytes * n_layers;
  return 0;
}

int
cpu_cache_state_layout_init (struct cpu_cache_layout *layout, uint32_t type, uint32_t n_layers, uint32_t width)
{
  if (type != WLP_TYPE_F32)
    return -ENOTSUP;
  if (n_layers == 0 || width == 0 || (uint64_t)n_layers * width > SIZE_MAX / 16)
    return -EINVAL;
  memset (layout, 0, sizeof *layout);
  layout->type        = type;
  layout->n_layers    = n_layers;
  layout->layer_bytes = width * sizeof (float);
  layout->block_bytes = layout->layer_bytes * n_layers;
  return 0;
}

/* Where blocks are large, they lie in large pages: attention jumps from block to block.  Small blocks would take more
 * memory than they need. */
static uint8_t *
want_huge_pages (const struct cpu_cache_layout *layout, uint8_t *map, size_t map_bytes)
{
#ifdef MADV_HUGEPAGE
  uint8_t *memory = map + (HUGE_BYTES - (uintptr_t)map % HUGE_BYTES) % HUGE_BYTES;

  if (layout->block_bytes >= HUGE_BYTES / 8) {
    madvise (memory, (map_bytes - (size_t)(memory - map)) / HUGE_BYTES * HUGE_BYTES, MADV_HUGEPAGE); /* a wish */
    return memory;
  }
#endif
  return map;
}

int
cpu_cache_new (struct wlp_model *model, uint32_t group, const struct wlp_cache_group *info, uint32_t type,
               uint32_t n_blocks, struct wlp_cache **ret_cache, struct wlp_error *error)
{
  struct cpu_cache_layout layout;
  struct wlp_cache *cache;
  size_t map_bytes;
  void *memory;
  int status;

  if (info->kind == WLP_CACHE_STATE)
    status = cpu_cache_state_layout_init (&layout, type, info->n_layers, info->key_width);
  else
    status = cpu_cache_layout_init (&layout, type, info->n_layers, info->key_width / info->head_dim_k, info->head_dim_k,
                                    info->head_dim_v);
  if (status != 0)
    return wlp_error_set (error, status, "cache group %u cannot have elements of type %u with heads of %u and %u",
                          group, type, info->head_dim_k, info->head_dim_v);
  if (n_blocks == 0 || n_blocks > SIZE_MAX / 2 / layout.block_bytes)
    return wlp_error_set (error, -EINVAL, "a cache of %u blocks of %zu bytes is out of range", n_blocks,
                          layout.block_bytes);
  cache = calloc (1, sizeof *cache);
  if (cache != NULL)
    cache->touched = calloc (n_blocks, 1);
  map_bytes = layout.block_bytes * n_blocks + HUGE_BYTES;
  memory    = mmap (NULL, map_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (cache == NULL || cache->touched == NULL || memory == MAP_FAILED) {
    if (memory != MAP_FAILED)
      munmap (memory, map_bytes);
    if (cache != NULL)
      free (cache->touched);
    free (cache);
    return wlp_error_set (error, -ENOMEM, "no address space for a cache of %u blocks of %zu bytes", n_blocks,
                          layout.block_bytes);
  }
  cache->model    = model;
  cache->group    = group;
  cache->n_blocks = n_blocks;
  cache->layout   = layout;
  cache->map      = memory;
  cache->n_bytes  = map_bytes;
  cache->memory   = want_huge_pages (&cache->layout, memory, map_bytes);
  *ret_cache      = cache;
  return 0;
}

void
cpu_cache_free (struct wlp_cache *cache)
{
  if (cache == NULL)
    return;
  munmap (cache->map, cache->n_bytes);
  free (cache->touched);
  free (cache);
}

uint64_t
cpu_cache_bytes (const struct wlp_cache *cache)
{
  uint64_t n = 0;
  uint32_t i;

  for (i = 0; i < cache->n_blocks; i++)
    n += cache->touched[i];
  return n * cache->layout.block_bytes;
}

int
cpu_cache_copy (struct wlp_cache *cache, uint32_t from_block, uint32_t to_block)
{
  const size_t n = cache->layout.block_bytes;

  if (from_block >= cache->n_blocks || to_block >= cache->n_blocks)
    return -EINVAL;
  if (from_block == to_block)
    return 0;
  memcpy (cache->memory + to_block * n, cache->memory + from_block * n, n);
  cache->touched[to_block] = 1;
  return 0;
}

/* The block reads as zeros afterwards; whole pages go back to the system. */
int
cpu_cache_discard (struct wlp_cache *cache, uint32_t block)
{
  const size_t n    = cache->layout.block_bytes;
  const size_t page = (size_t)sysconf (_SC_PAGESIZE);
  const size_t from = (size_t)block * n, to = from + n;
  const size_t first = (from + page - 1) / page * page, end = to / page * page;

  if (block >= cache->n_blocks)
    return -EINVAL;
  if (cache->touched[block] == 0)
    return 0;
  if (first >= end || madvise (cache->memory + first, end - first, MADV_DONTNEED) != 0) {
    memset (cache->memory + from, 0, n);
  } else {
    memset (cache->memory + from, 0, first - from);
    memset (cache->memory + end, 0, to - end);
  }
  cache->touched[block] = 0;
  return 0;
}

/* Where the canonical form has the key or value of one head at one position of one layer. */
static size_t
canonical_at (const struct cpu_cache_layout *layout, uint32_t layer, int is_value, uint32_t slot, uint32_t head)
{
  const size_t key_bytes = layout->tile_bytes / ATTENTION_TILE;

  if (is_value)
    return layer * layout->layer_bytes + layout->values_at
           + ((size_t)slot * layout->n_heads + head) * layout->row_bytes;
  return layer * layout->layer_bytes + ((size_t)slot * layout->n_heads + head) * key_bytes;
}

static void
move_head (const struct cpu_cache_layout *layout, uint8_t *block, uint32_t layer, uint32_t head, uint8_t *ret_memory,
           const uint8_t *memory)
{
  uint8_t *keys   = cpu_cache_keys (layout, block, layer, head);
  uint8_t *values = cpu_cache_values (layout, block, layer, head);
  uint32_t slot;

  for (slot = 0; slot < WLP_BLOCK_POSITIONS; slot++) {
    const size_t key_at   = canonical_at (layout, layer, 0, slot, head);
    const size_t value_at = canonical_at (layout, layer, 1, slot, head);
    uint8_t *tile         = keys + slot / ATTENTION_TILE * layout->tile_bytes;
    uint8_t *row          = values + slot * layout->row_bytes;

    if (ret_memory != NULL) {
      attention_get_key (layout->type, tile, layout->head_dim_k, slot % ATTENTION_TILE, ret_memory + key_at);
      memcpy (ret_memory + value_at, row, layout->row_bytes);
    } else {
      attention_set_key (layout->type, memory + key_at, layout->head_dim_k, slot % ATTENTION_TILE, tile);
      memcpy (row, memory + value_at, layout->row_bytes);
    }
  }
}

static void
move_block (struct wlp_cache *cache, uint32_t block, uint8_t *ret_memory, const uint8_t *memory)
{
  const struct cpu_cache_layout *layout = &cache->layout;
  uint8_t *state                        = cache->memory + block * layout->block_bytes;
  uint32_t layer, head;

  if (layout->n_heads == 0) /* a state */
    memcpy (ret_memory != NULL ? ret_memory : state, ret_memory != NULL ? state : memory, layout->block_bytes);
  for (layer = 0; layer < layout->n_layers; layer++)
    for (head = 0; head < layout->n_heads; head++)
      move_head (layout, cache->memory + block * layout->block_bytes, layer, head, ret_memory, memory);
}

int
cpu_cache_export (struct wlp_cache *cache, uint32_t block, void *memory, uint64_t n_bytes)
{
  if (block >= cache->n_blocks || n_bytes != cache->layout.block_bytes)
    return -EINVAL;
  move_block (cache, block, memory, NULL);
  return 0;
}

int
cpu_cache_import (struct wlp_cache *cache, uint32_t block, const void *memory, uint64_t n_bytes)
{
  if (block >= cache->n_blocks || n_bytes != cache->layout.block_bytes)
    return -EINVAL;
  move_block (cache, block, NULL, memory);
  cache->touched[block] = 1;
  return 0;
}

void
cpu_cache_store_key (const struct cpu_cache_layout *layout, uint8_t *block, uint32_t layer, uint32_t head,
                     uint32_t slot, const float *key)
{
  uint8_t *tile = cpu_cache_keys (layout, block, layer, head) + slot / ATTENTION_TILE * layout->tile_bytes;

  attention_put_key (layout->type, key, layout->head_dim_k, slot % ATTENTION_TILE, tile);
}

void
cpu_cache_store_value (const struct cpu_cache_layout *layout, uint8_t *block, uint32_t layer, uint32_t head,
                       uint32_t slot, const float *value)
{
  uint8_t *row = cpu_cache_values (layout, block, layer, head) + slot * layout->row_bytes;

  attention_put_value (layout->type, value, layout->head_dim_v, row);
}
