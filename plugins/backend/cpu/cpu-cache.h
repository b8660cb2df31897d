/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The bytes of one cache group: blocks of WLP_BLOCK_POSITIONS positions, all layers of the group in each.
 *
 * A block is, for each layer, the keys of each head as tiles of 16 positions (kernels/attention.h), then the values of
 * each head as rows.  Address space for all blocks is taken at once; memory comes as blocks are written and goes back
 * when they are discarded.
 */
#pragma once

#include "woolly-plugin/program.h"
#include "woolly-plugin/services.h"

#include <stddef.h>

/* Where things lie in a block. */
struct cpu_cache_layout {
  uint32_t type; /* WLP_TYPE_F32, F16 or Q8_0 */
  uint32_t n_layers;
  uint32_t n_heads; /* of keys and values */
  uint32_t head_dim_k;
  uint32_t head_dim_v;
  size_t tile_bytes;  /* keys of 16 positions of one head */
  size_t row_bytes;   /* a value of one head */
  size_t values_at;   /* from the start of a layer */
  size_t layer_bytes; /* keys and values of one layer */
  size_t block_bytes;
};

struct wlp_cache {
  struct wlp_cache *next; /* of the same model */
  struct wlp_model *model;
  uint32_t group;
  uint32_t n_blocks;
  struct cpu_cache_layout layout;
  uint8_t *memory;
  void *map; /* that it lies in */
  size_t n_bytes;
  uint8_t *touched; /* [n_blocks] written since they were created or discarded */
};

/* Of a group with a state: layers of @width floats, and no heads. */
int cpu_cache_state_layout_init (struct cpu_cache_layout *layout, uint32_t type, uint32_t n_layers, uint32_t width);

/* 0, -ENOTSUP (no such cache; head dimensions that are no multiple of 32 cannot be Q8_0) or -EINVAL. */
int cpu_cache_layout_init (struct cpu_cache_layout *layout, uint32_t type, uint32_t n_layers, uint32_t n_heads,
                           uint32_t head_dim_k, uint32_t head_dim_v);

int cpu_cache_new (struct wlp_model *model, uint32_t group, const struct wlp_cache_group *info, uint32_t type,
                   uint32_t n_blocks, struct wlp_cache **ret_cache, struct wlp_error *error);
void cpu_cache_free (struct wlp_cache *cache);
int cpu_cache_copy (struct wlp_cache *cache, uint32_t from_block, uint32_t to_block);
int cpu_cache_discard (struct wlp_cache *cache, uint32_t block);
int cpu_cache_export (struct wlp_cache *cache, uint32_t block, void *memory, uint64_t n_bytes);
int cpu_cache_import (struct wlp_cache *cache, uint32_t block, const void *memory, uint64_t n_bytes);
uint64_t cpu_cache_bytes (const struct wlp_cache *cache); /* of the blocks that were written */

/* The keys and values of head @head in layer @layer of a block at @block. */
static inline uint8_t *
cpu_cache_keys (const struct cpu_cache_layout *layout, uint8_t *block, uint32_t layer, uint32_t head)
{
  return block + layer * layout->layer_bytes + (size_t)head * layout->tile_bytes * (WLP_BLOCK_POSITIONS / 16);
}

static inline uint8_t *
cpu_cache_values (const struct cpu_cache_layout *layout, uint8_t *block, uint32_t layer, uint32_t head)
{
  return block + layer * layout->layer_bytes + layout->values_at
         + (size_t)head * layout->row_bytes * WLP_BLOCK_POSITIONS;
}

/* Rounds one head's key or value to the type and stores it at position @slot of a block. */
void cpu_cache_store_key (const struct cpu_cache_layout *layout, uint8_t *block, uint32_t layer, uint32_t head,
                          uint32_t slot, const float *key);
void cpu_cache_store_value (const struct cpu_cache_layout *layout, uint8_t *block, uint32_t layer, uint32_t head,
                            uint32_t slot, const float *value);
