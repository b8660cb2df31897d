/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "attention.h"

#include "quant.h"

#include <string.h>

#define Q8_BLOCK       32
#define Q8_BLOCK_BYTES 34

/* Best first. */
static const struct attention_isa *const isas[] = {
#ifdef WOOLLY_HAVE_AVX2
  &attention_isa_avx2,
#endif
#ifdef WOOLLY_HAVE_NEON
  &attention_isa_neon,
#endif
  &attention_isa_c,
};

const struct attention_isa *
attention_isa_at (unsigned index)
{
  return index < sizeof isas / sizeof isas[0] ? isas[index] : NULL;
}

const struct attention_isa *
attention_isa_choose (uint64_t features, const char *name)
{
  const struct attention_isa *isa;
  unsigned i;

  for (i = 0; (isa = attention_isa_at (i)) != NULL; i++) {
    if ((isa->features & ~features) != 0)
      continue;
    if (name == NULL || name[0] == '\0' || strcmp (isa->name, name) == 0)
      return isa;
  }
  return NULL;
}

const struct attention_format *
attention_isa_format (const struct attention_isa *isa, uint32_t type)
{
  switch (type) {
  case WLP_TYPE_F32:
    return &isa->f32;
  case WLP_TYPE_F16:
    return &isa->f16;
  case WLP_TYPE_Q8_0:
    return &isa->q8_0;
  default:
    return NULL;
  }
}

size_t
attention_row_bytes (uint32_t type, unsigned head_dim)
{
  switch (type) {
  case WLP_TYPE_F32:
    return (size_t)head_dim * sizeof (float);
  case WLP_TYPE_F16:
    return (size_t)head_dim * sizeof (uint16_t);
  default:
    return (size_t)head_dim / Q8_BLOCK * Q8_BLOCK_BYTES;
  }
}

size_t
attention_tile_bytes (uint32_t type, unsigned head_dim)
{
  return attention_row_bytes (type, head_dim) * ATTENTION_TILE;
}

void
attention_put_value (uint32_t type, const float *value, unsigned head_dim, void *ret_row)
{
  uint16_t *halves = ret_row;
  unsigned i;

  switch (type) {
  case WLP_TYPE_F32:
    memcpy (ret_row, value, (size_t)head_dim * sizeof (float));
    return;
  case WLP_TYPE_F16:
    for (i = 0; i < head_dim; i++)
      halves[i] = wlq_f32_to_f16 (value[i]);
    return;
  default:
    wlq_quantize_row_q8_0 (value, head_dim, ret_row);
  }
}

/* One block of 32 dimensions of one position; @block of the row, in GGUF's layout. */
static void
set_key_q8_0 (const uint8_t *block, unsigned head_dim, unsigned index, unsigned lane, void *tile)
{
  uint16_t *scales = tile;
  int8_t *q        = (int8_t *)(scales + (size_t)head_dim / Q8_BLOCK * ATTENTION_TILE);
  unsigned i;

  memcpy (&scales[index * ATTENTION_TILE + lane], block, sizeof scales[0]);
  for (i = 0; i < Q8_BLOCK; i++)
    q[(index * Q8_BLOCK + i) * ATTENTION_TILE + lane] = (int8_t)block[2 + i];
}

void
attention_set_key (uint32_t type, const void *row, unsigned head_dim, unsigned lane, void *tile)
{
  unsigned i;

  switch (type) {
  case WLP_TYPE_F32:
    for (i = 0; i < head_dim; i++)
      memcpy ((float *)tile + (size_t)i * ATTENTION_TILE + lane, (const uint8_t *)row + i * sizeof (float),
              sizeof (float));
    return;
  case WLP_TYPE_F16:
    for (i = 0; i < head_dim; i++)
      memcpy ((uint16_t *)tile + (size_t)i * ATTENTION_TILE + lane, (const uint8_t *)row + i * sizeof (uint16_t),
              sizeof (uint16_t));
    return;
  default:
    for (i = 0; i < head_dim / Q8_BLOCK; i++)
      set_key_q8_0 ((const uint8_t *)row + (size_t)i * Q8_BLOCK_BYTES, head_dim, i, lane, tile);
  }
}

void
attention_put_key (uint32_t type, const float *key, unsigned head_dim, unsigned lane, void *tile)
{
  uint8_t block[Q8_BLOCK_BYTES];
  uint16_t *halves = tile;
  unsigned i;

  switch (type) {
  case WLP_TYPE_F32:
    attention_set_key (type, key, head_dim, lane, tile);
    return;
  case WLP_TYPE_F16:
    for (i = 0; i < head_dim; i++)
      halves[(size_t)i * ATTENTION_TILE + lane] = wlq_f32_to_f16 (key[i]);
    return;
  default:
    for (i = 0; i < head_dim / Q8_BLOCK; i++) {
      wlq_quantize_row_q8_0 (key + (size_t)i * Q8_BLOCK, Q8_BLOCK, block);
      set_key_q8_0 (block, head_dim, i, lane, tile);
    }
  }
}

static void
get_key_q8_0 (const void *tile, unsigned head_dim, unsigned index, unsigned lane, uint8_t *ret_block)
{
  const uint16_t *scales = tile;
  const int8_t *q        = (const int8_t *)(scales + (size_t)head_dim / Q8_BLOCK * ATTENTION_TILE);
  unsigned i;

  memcpy (ret_block, &scales[index * ATTENTION_TILE + lane], sizeof scales[0]);
  for (i = 0; i < Q8_BLOCK; i++)
    ret_block[2 + i] = (uint8_t)q[(index * Q8_BLOCK + i) * ATTENTION_TILE + lane];
}

void
attention_get_key (uint32_t type, const void *tile, unsigned head_dim, unsigned lane, void *ret_row)
{
  unsigned i;

  switch (type) {
  case WLP_TYPE_F32:
    for (i = 0; i < head_dim; i++)
      memcpy ((uint8_t *)ret_row + i * sizeof (float), (const float *)tile + (size_t)i * ATTENTION_TILE + lane,
              sizeof (float));
    return;
  case WLP_TYPE_F16:
    for (i = 0; i < head_dim; i++)
      memcpy ((uint8_t *)ret_row + i * sizeof (uint16_t), (const uint16_t *)tile + (size_t)i * ATTENTION_TILE + lane,
              sizeof (uint16_t));
    return;
  default:
    for (i = 0; i < head_dim / Q8_BLOCK; i++)
      get_key_q8_0 (tile, head_dim, i, lane, (uint8_t *)ret_row + (size_t)i * Q8_BLOCK_BYTES);
  }
}
