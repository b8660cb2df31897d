/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * How blocks lie in a GGUF file, and the functions that unpack one block of each type.
 *
 * All members are bytes, so that blocks need no alignment and no byte order but the file's (little-endian).  The
 * source of every layout is the reference implementation of the format (ggml's block structures).
 */
#pragma once

#include "quant.h"

/* A little-endian 16-bit number: a float16 or bits. */
struct wlq_le16 {
  uint8_t byte[2];
};

/* 32 weights: d * (nibble - 8).  Byte j holds weight j in its low and weight j + 16 in its high nibble. */
struct wlq_block_q4_0 {
  struct wlq_le16 d;
  uint8_t nibbles[16];
};

/* 32 weights: d * nibble + m. */
struct wlq_block_q4_1 {
  struct wlq_le16 d;
  struct wlq_le16 m;
  uint8_t nibbles[16];
};

/* 32 weights: d * (five bits - 16); the fifth bit of weight j is bit j of `high`. */
struct wlq_block_q5_0 {
  struct wlq_le16 d;
  uint8_t high[4];
  uint8_t nibbles[16];
};

/* 32 weights: d * five bits + m. */
struct wlq_block_q5_1 {
  struct wlq_le16 d;
  struct wlq_le16 m;
  uint8_t high[4];
  uint8_t nibbles[16];
};

/* 32 weights: d * q. */
struct wlq_block_q8_0 {
  struct wlq_le16 d;
  int8_t q[32];
};

/* 32 weights: d * value of the nibble in the table of IQ4. */
struct wlq_block_iq4_nl {
  struct wlq_le16 d;
  uint8_t nibbles[16];
};

/* 32 weights: 2^(exponent - 127) * the FP4 (E2M1) number of the nibble. */
struct wlq_block_mxfp4 {
  uint8_t exponent;
  uint8_t nibbles[16];
};

/* 256 weights in 16 groups of 16: d * (scale & 15) * two bits - dmin * (scale >> 4).  In each half of 128 weights,
 * weight 32 s + l has bits 2 s and 2 s + 1 of byte l of the half's 32. */
struct wlq_block_q2_k {
  uint8_t scales[16];
  uint8_t twos[64];
  struct wlq_le16 d;
  struct wlq_le16 dmin;
};

/* 256 weights in 16 groups of 16: d * (scale - 32) * (three bits - 4).  Two bits as in Q2_K; the third of weight
 * 128 h + 32 s + l is bit 4 h + s of high[l].  Scale i, 6 bits: the low four are nibbles of scales[0..7] (all low ones,
 * then all high ones), the high two are bits 2 (i / 4) of scales[8 + i % 4]. */
struct wlq_block_q3_k {
  uint8_t high[32];
  uint8_t twos[64];
  uint8_t scales[12];
  struct wlq_le16 d;
};

/* 256 weights in 8 groups of 32: d * scale * nibble - dmin * min.  Scales and mins have 6 bits: those of groups 0-3 are
 * the low bits of bytes 0-3 and 4-7; of groups 4-7 the low four are the nibbles of bytes 8-11 and the high two the top
 * bits of bytes 0-3 and 4-7.  Groups 2 i and 2 i + 1 are the low and the high nibbles of 32 bytes. */
struct wlq_block_q4_k {
  struct wlq_le16 d;
  struct wlq_le16 dmin;
  uint8_t scales[12];
  uint8_t nibbles[128];
};

/* As Q4_K with a fifth bit: of weight l of group g it is bit g of high[l]. */
struct wlq_block_q5_k {
  struct wlq_le16 d;
  struct wlq_le16 dmin;
  uint8_t scales[12];
  uint8_t high[32];
  uint8_t nibbles[128];
};

/* 256 weights in 16 groups of 16: d * scale * (six bits - 32).  In each half of 128 weights with 64 bytes `low` and 32
 * bytes `high`: weight 32 s + l has a nibble of low[l + 32 (s % 2)], the low one for s < 2, and bits 2 s and 2 s + 1 of
 * high[l]. */
struct wlq_block_q6_k {
  uint8_t low[128];
  uint8_t high[64];
  int8_t scales[16];
  struct wlq_le16 d;
};

/* 256 weights in 8 groups of 32: d * (scale - 32) * value of the nibble in the table of IQ4.  Scale g has 6 bits:
 * nibble g of scales_low and bits 2 g of scales_high.  A group is 16 bytes as in Q4_0. */
struct wlq_block_iq4_xs {
  struct wlq_le16 d;
  struct wlq_le16 scales_high;
  uint8_t scales_low[4];
  uint8_t nibbles[128];
};

static inline uint16_t
wlq_le16_get (struct wlq_le16 value)
{
  return (uint16_t)(value.byte[0] | value.byte[1] << 8);
}

static inline void
wlq_le16_set (struct wlq_le16 *value, uint16_t number)
{
  value->byte[0] = (uint8_t)number;
  value->byte[1] = (uint8_t)(number >> 8);
}

static inline float
wlq_le16_f16 (struct wlq_le16 value)
{
  return wlq_f16_to_f32 (wlq_le16_get (value));
}

/* Unpacks one block: all its q, scales and (where the type has them) mins. */
typedef void (*wlq_unpack_fn) (const void *block, int8_t *q, float *scale, float *min);

/* quant-unpack-32.c: blocks of 32 weights */
void wlq_unpack_q4_0 (const void *block, int8_t *q, float *scale, float *min);
void wlq_unpack_q4_1 (const void *block, int8_t *q, float *scale, float *min);
void wlq_unpack_q5_0 (const void *block, int8_t *q, float *scale, float *min);
void wlq_unpack_q5_1 (const void *block, int8_t *q, float *scale, float *min);
void wlq_unpack_q8_0 (const void *block, int8_t *q, float *scale, float *min);
void wlq_unpack_iq4_nl (const void *block, int8_t *q, float *scale, float *min);
void wlq_unpack_mxfp4 (const void *block, int8_t *q, float *scale, float *min);

/* quant-unpack-256.c: blocks of 256 weights */
void wlq_unpack_q2_k (const void *block, int8_t *q, float *scale, float *min);
void wlq_unpack_q3_k (const void *block, int8_t *q, float *scale, float *min);
void wlq_unpack_q4_k (const void *block, int8_t *q, float *scale, float *min);
void wlq_unpack_q5_k (const void *block, int8_t *q, float *scale, float *min);
void wlq_unpack_q6_k (const void *block, int8_t *q, float *scale, float *min);
void wlq_unpack_iq4_xs (const void *block, int8_t *q, float *scale, float *min);

/* The values that a nibble stands for in IQ4_NL and IQ4_XS. */
extern const int8_t wlq_iq4_values[16];
