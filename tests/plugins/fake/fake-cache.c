/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fake.h"
#include "quant.h"

#include <errno.h>
#include <string.h>

static const struct wlp_cache_group *
group_of (const struct wlp_cache *cache)
{
  return &cache->model->plan.program->groups[cache->group];
}

static uint32_t
width_of (const struct wlp_cache *cache, int which)
{
  return which == 0 ? group_of (cache)->key_width : group_of (cache)->value_width;
}

static int
is_state (const struct wlp_cache *cache)
{
  return group_of (cache)->kind == WLP_CACHE_STATE;
}

static void *
cache_alloc (struct wlp_model *model, uint64_t n_bytes)
{
  return model->backend->services->alloc (model->backend->services->host, n_bytes, 64);
}

static void
cache_release (struct wlp_model *model, void *memory, uint64_t n_bytes)
{
  model->backend->services->free (model->backend->services->host, memory, n_bytes);
}

static uint64_t
written_bytes (const struct wlp_cache *cache)
{
  return (uint64_t)group_of (cache)->n_layers * WLP_BLOCK_POSITIONS;
}

static uint8_t *
block_data (const struct wlp_cache *cache, uint32_t block)
{
  return cache->data + cache->block_bytes * block;
}

static uint8_t *
block_written (const struct wlp_cache *cache, uint32_t block)
{
  return cache->written + written_bytes (cache) * block;
}

/* Before a block is written, and where its content is given up. */
static int
is_empty (const struct wlp_cache *cache, uint32_t block)
{
  const uint8_t *written = block_written (cache, block);

  for (uint64_t i = 0; i < written_bytes (cache); i++)
    if (written[i])
      return 0;
  return 1;
}

static void
account_block (struct wlp_cache *cache, uint32_t block)
{
  if (is_empty (cache, block))
    cache->model->n_cache_bytes += cache->block_bytes;
}

static void
forget_block (struct wlp_cache *cache, uint32_t block)
{
  if (!is_empty (cache, block))
    cache->model->n_cache_bytes -= cache->block_bytes;
}

int
fake_cache_create (struct wlp_model *model, uint32_t group, enum wlp_type type, uint32_t n_blocks,
                   struct wlp_cache **ret_cache, struct wlp_error *error)
{
  struct wlp_cache *cache;

  if (group >= model->plan.program->n_groups || n_blocks == 0)
    return wlp_error_set (error, -EINVAL, "there is no cache group %u", group);
  if (type != WLP_TYPE_F32 && type != WLP_TYPE_F16 && type != WLP_TYPE_Q8_0)
    return wlp_error_set (error, -ENOTSUP, "no cache of type %d", (int)type);
  cache = cache_alloc (model, sizeof *cache);
  if (cache == NULL)
    return wlp_error_set (error, -ENOMEM, "no memory");
  cache->model    = model;
  cache->group    = group;
  cache->type     = type;
  cache->n_blocks = n_blocks;
  model->n_caches++;
  if (is_state (cache) && type != WLP_TYPE_F32) {
    fake_cache_free (cache);
    return wlp_error_set (error, -ENOTSUP, "a state is float32");
  }
  for (int which = 0; which < 2; which++) {
    if (width_of (cache, which) > FAKE_MAX_ROW
        || wlq_row_bytes (type, width_of (cache, which), &cache->row_bytes[which]) != 0) {
      fake_cache_free (cache);
      return wlp_error_set (error, -ENOTSUP, "rows of %u values cannot be of type %d", width_of (cache, which),
                            (int)type);
    }
  }
  cache->block_bytes = (cache->row_bytes[0] + cache->row_bytes[1]) * written_bytes (cache);
  if (is_state (cache)) /* one row for each layer, at position 0 */
    cache->block_bytes = cache->row_bytes[0] * group_of (cache)->n_layers;
  cache->data    = cache_alloc (model, cache->block_bytes * n_blocks);
  cache->written = cache_alloc (model, written_bytes (cache) * n_blocks);
  if (cache->data == NULL || cache->written == NULL) {
    fake_cache_free (cache);
    return wlp_error_set (error, -ENOMEM, "no memory for %u blocks", n_blocks);
  }
  *ret_cache = cache;
  return 0;
}

void
fake_cache_free (struct wlp_cache *cache)
{
  struct wlp_model *model;

  if (cache == NULL)
    return;
  model = cache->model;
  for (uint32_t i = 0; cache->data != NULL && cache->written != NULL && i < cache->n_blocks; i++)
    forget_block (cache, i);
  cache_release (model, cache->data, cache->block_bytes * cache->n_blocks);
  cache_release (model, cache->written, written_bytes (cache) * cache->n_blocks);
  cache_release (model, cache, sizeof *cache);
  model->n_caches--;
}

uint64_t
fake_cache_block_bytes (struct wlp_cache *cache)
{
  return cache->block_bytes;
}

int
fake_cache_copy (struct wlp_cache *cache, uint32_t from_block, uint32_t to_block)
{
  if (from_block >= cache->n_blocks || to_block >= cache->n_blocks || from_block == to_block)
    return -EINVAL;
  account_block (cache, to_block);
  memcpy (block_data (cache, to_block), block_data (cache, from_block), cache->block_bytes);
  memcpy (block_written (cache, to_block), block_written (cache, from_block), written_bytes (cache));
  return 0;
}

int
fake_cache_discard (struct wlp_cache *cache, uint32_t block)
{
  if (block >= cache->n_blocks)
    return -EINVAL;
  forget_block (cache, block);
  memset (block_data (cache, block), 0xff, cache->block_bytes);
  memset (block_written (cache, block), 0, written_bytes (cache));
  return 0;
}

int
fake_cache_export (struct wlp_cache *cache, uint32_t block, void *memory, uint64_t n_bytes)
{
  if (block >= cache->n_blocks || n_bytes != cache->block_bytes)
    return -EINVAL;
  memcpy (memory, block_data (cache, block), n_bytes);
  return 0;
}

int
fake_cache_import (struct wlp_cache *cache, uint32_t block, const void *memory, uint64_t n_bytes)
{
  if (block >= cache->n_blocks || n_bytes != cache->block_bytes)
    return -EINVAL;
  account_block (cache, block);
  memcpy (block_data (cache, block), memory, n_bytes);
  memset (block_written (cache, block), 1, written_bytes (cache));
  return 0;
}

/* ---- rows ---- */

static uint8_t *
row_at (const struct wlp_cache *cache, uint32_t block, uint32_t layer, uint32_t position, int which)
{
  uint64_t layer_bytes = (cache->row_bytes[0] + cache->row_bytes[1]) * (is_state (cache) ? 1 : WLP_BLOCK_POSITIONS);
  uint8_t *keys        = block_data (cache, block) + layer * layer_bytes;

  return keys + (which == 0 ? 0 : cache->row_bytes[0] * WLP_BLOCK_POSITIONS) + cache->row_bytes[which] * position;
}

void
fake_cache_store (struct wlp_cache *cache, uint32_t block, uint32_t layer, uint32_t position, int which,
                  const float *row)
{
  uint8_t *to    = row_at (cache, block, layer, position, which);
  uint32_t width = width_of (cache, which);

  account_block (cache, block);
  if (cache->type == WLP_TYPE_F32)
    memcpy (to, row, width * sizeof (float));
  else if (cache->type == WLP_TYPE_Q8_0)
    wlq_quantize_row_q8_0 (row, width, to);
  for (uint32_t i = 0; cache->type == WLP_TYPE_F16 && i < width; i++) {
    uint16_t half = wlq_f32_to_f16 (row[i]);

    memcpy (to + 2 * i, &half, sizeof half);
  }
  block_written (cache, block)[layer * WLP_BLOCK_POSITIONS + position] = 1;
}

int
fake_cache_load (const struct wlp_cache *cache, uint32_t block, uint32_t layer, uint32_t position, int which,
                 float *ret_row)
{
  if (!block_written (cache, block)[layer * WLP_BLOCK_POSITIONS + position])
    return 0;
  wlq_dequantize_row (cache->type, row_at (cache, block, layer, position, which), width_of (cache, which), ret_row);
  return 1;
}
