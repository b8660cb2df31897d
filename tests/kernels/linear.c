/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * kernels/linear.h: every instruction set against the C reference, bit by bit; with --few [ISA], a size for
 * each way through the loops and nothing of the reference alone, for emulators take their time; with --bench [TYPE],
 * how fast each is.
 *
 * The cases: every type, packed for integers and exact; rows that do not fill a panel, every number of tokens, k from
 * one block up; activations that are random, all at +-127, zero, not finite; weights that are random, all bits of their
 * integers set or clear; buffers that end at a guard page.  For a type of each policy: scales of weights that are
 * subnormal, zero or not finite, and rows as long as models have them.
 */
#include "kernel-check.h"

#include "linear-panel.h"
#include "linear.h"
#include "quant-blocks.h"

#define N_TOKENS        LINEAR_MAX_TOKENS
#define ALL_TYPES       48 /* numbers of types end below */
#define MAX_BLOCK_BYTES 512
#define LONG_SIZE       14336

enum pattern { PATTERN_RANDOM, PATTERN_EXTREME, PATTERN_ZERO, PATTERN_NOT_FINITE, PATTERN_SCALES, N_PATTERNS };

static const char *const pattern_names[] = { "random", "extreme", "zero", "not finite", "odd scales" };

/* A type of each policy, and of exponents in the place of floats: where a block has its scales. */
struct scales_at {
  uint32_t type;
  size_t bytes; /* of a scale */
  size_t at[2];
};

static const struct scales_at types_of_policies[] = {
  { WLP_TYPE_Q4_0, 2, { offsetof (struct wlq_block_q4_0, d), offsetof (struct wlq_block_q4_0, d) } },
  { WLP_TYPE_Q4_1, 2, { offsetof (struct wlq_block_q4_1, d), offsetof (struct wlq_block_q4_1, m) } },
  { WLP_TYPE_Q4_K, 2, { offsetof (struct wlq_block_q4_k, d), offsetof (struct wlq_block_q4_k, dmin) } },
  { WLP_TYPE_Q6_K, 2, { offsetof (struct wlq_block_q6_k, d), offsetof (struct wlq_block_q6_k, d) } },
  { WLP_TYPE_Q2_K, 2, { offsetof (struct wlq_block_q2_k, d), offsetof (struct wlq_block_q2_k, dmin) } },
  { WLP_TYPE_MXFP4, 1, { offsetof (struct wlq_block_mxfp4, exponent), offsetof (struct wlq_block_mxfp4, exponent) } },
  { WLP_TYPE_F16, 2, { 0, 0 } }, /* the value itself */
};

static const struct scales_at *
scales_of (uint32_t type)
{
  for (size_t i = 0; i < sizeof types_of_policies / sizeof types_of_policies[0]; i++)
    if (types_of_policies[i].type == type)
      return &types_of_policies[i];
  return NULL;
}

/* ---- weights ---- */

static bool
block_is_tame (uint32_t type, const struct wlq_traits *traits, const uint8_t *block)
{
  float values[WLQ_MAX_BLOCK];

  wlq_dequantize_row (type, block, traits->block, values);
  for (unsigned i = 0; i < traits->block; i++)
    if (!(values[i] > -1e4f && values[i] < 1e4f))
      return false;
  return true;
}

/* Whether a byte of a block holds integers only: setting its bits changes no scale. */
static bool
is_integer_byte (uint32_t type, const struct wlq_traits *traits, const uint8_t *block, unsigned at)
{
  float scale[2][WLQ_MAX_GROUPS] = { { 0 } }, min[2][WLQ_MAX_GROUPS] = { { 0 } };
  int8_t q[WLQ_MAX_BLOCK];
  uint8_t changed[MAX_BLOCK_BYTES];

  for (unsigned bit = 0; bit < 8; bit++) {
    memcpy (changed, block, traits->block_bytes);
    changed[at] ^= (uint8_t)(1u << bit);
    wlq_unpack_i8 (type, block, traits->block, q, scale[0], min[0]);
    wlq_unpack_i8 (type, changed, traits->block, q, scale[1], min[1]);
    if (memcmp (scale[0], scale[1], sizeof scale[0]) != 0 || memcmp (min[0], min[1], sizeof min[0]) != 0)
      return false;
  }
  return true;
}

/* The same of all bytes, found out once for each type, with the first block that comes: most of the time of the check
 * would go there. */
static const bool *
integer_bytes (uint32_t type, const struct wlq_traits *traits, const uint8_t *block)
{
  static struct {
    bool is_known;
    bool is_integer[MAX_BLOCK_BYTES];
  } types[ALL_TYPES];

  for (unsigned j = 0; j < traits->block_bytes && !types[type].is_known; j++)
    types[type].is_integer[j] = is_integer_byte (type, traits, block, j);
  types[type].is_known = true;
  return types[type].is_integer;
}

static void
fill_weights (uint32_t type, enum pattern pattern, uint64_t *random, uint8_t *row, size_t k)
{
  const struct wlq_traits *traits = wlq_traits (type);

  for (size_t i = 0; i < k; i += traits->block, row += traits->block_bytes) {
    do {
      for (unsigned j = 0; j < traits->block_bytes; j++)
        row[j] = (uint8_t)(check_random (random) >> 40);
    } while (!block_is_tame (type, traits, row));
    if (pattern != PATTERN_EXTREME || traits->group == 0)
      continue;
    for (unsigned j = 0; j < traits->block_bytes; j++)
      if (integer_bytes (type, traits, row)[j])
        row[j] = i / traits->block % 2 ? 0x00 : (traits->q_min == -128 ? 0x80 : 0xff);
  }
}

/* Row @row: subnormals, zeros and the largest; each fourth row has something else in its last block, which all of it
 * becomes. */
static void
set_scales (uint32_t type, unsigned row, uint8_t *bytes, size_t k)
{
  static const uint16_t halves[]   = { 0x0001, 0x83ff, 0x0000, 0x8000, 0x7bff, 0x0400, 0x03ff };
  static const uint16_t others[]   = { 0x7c00, 0xfc00, 0x7e00, 0x7c01 };
  static const uint8_t exponents[] = { 0, 1, 2, 254, 255 };
  const struct wlq_traits *traits  = wlq_traits (type);
  const struct scales_at *scales   = scales_of (type);
  const size_t n                   = k / traits->block;

  for (size_t i = 0; i < n; i++, bytes += traits->block_bytes)
    for (size_t part = 0; part < 2; part++) {
      const size_t number  = row + i + 3 * part;
      const uint16_t value = scales->bytes == 1           ? exponents[number % sizeof exponents]
                             : row % 4 == 3 && i + 1 == n ? others[(row / 4 + part) % 4]
                                                          : halves[number % 7];

      memcpy (bytes + scales->at[part], &value, scales->bytes);
    }
}

/* ---- activations ---- */

static void
fill_activations (enum pattern pattern, uint64_t *random, float *x, size_t k)
{
  for (size_t i = 0; i < k; i++)
    switch (pattern) {
    case PATTERN_RANDOM:
      x[i] = check_random_float (random) * (float)(1u << (check_random (random) % 8));
      break;
    case PATTERN_SCALES: /* some so small that products with scales become subnormal */
      x[i] = check_random_float (random) * (i / 32 % 3 == 1 ? 0x1p-112f : 1.0f);
      break;
    case PATTERN_EXTREME:
      x[i] = i / 32 % 3 == 0 ? 3.5f : (i % 2 ? 3.5f : -3.5f);
      break;
    case PATTERN_ZERO:
      x[i] = i / 64 % 2 ? 0.0f : (i % 3 ? 0x1p-140f : -0.0f);
      break;
    default:
      x[i] = check_random_float (random);
      if (i % 97 == 40)
        x[i] = i % 2 ? __builtin_inff () : __builtin_nanf ("");
      break;
    }
}

/* NaNs are compared as such: their sign and payload are no part of the contract. */
static bool
same_float (float a, float b)
{
  return memcmp (&a, &b, sizeof a) == 0 || (a != a && b != b);
}

/* ---- one case ---- */

struct setting {
  const struct linear_isa *isa;
  uint32_t type;
  int exact;
  size_t k;
  unsigned n_rows;
  unsigned n_tokens;
  enum pattern pattern;
};

struct run {
  struct check_buffer weights;
  struct check_buffer x[N_TOKENS];
  struct check_buffer rows[N_TOKENS]; /* quantised */
  struct check_buffer panel;
  struct check_buffer y;
};

static void
run_isa (const struct setting *s, const struct linear_isa *isa, const struct run *r, size_t row_bytes, unsigned first,
         unsigned n_rows, unsigned n_tokens, const struct check_buffer *rows, float *y)
{
  const struct linear_format *format = isa->format (s->type, s->exact);
  const void *x[N_TOKENS];

  for (unsigned t = 0; t < n_tokens; t++)
    x[t] = format->is_float ? r->x[t].at : rows[t].at;
  format->pack (s->type, (const uint8_t *)r->weights.at + first * row_bytes, row_bytes, n_rows, s->k, r->panel.at);
  format->mm (r->panel.at, s->k, n_tokens, x, y);
}

static bool
compare (const struct setting *s, struct run *r, size_t row_bytes)
{
  const struct linear_format *format    = s->isa->format (s->type, s->exact);
  const struct linear_format *reference = linear_isa_c.format (s->type, s->exact);
  struct check_buffer rows[N_TOKENS];
  bool same = true;

  for (unsigned t = 0; t < s->n_tokens; t++) {
    check_buffer_new (&r->rows[t], linear_activation_bytes (s->k) + !s->k, 4);
    check_buffer_new (&rows[t], linear_activation_bytes (s->k) + !s->k, 4);
    if (!format->is_float) {
      s->isa->quantise (r->x[t].at, s->k, r->rows[t].at);
      linear_isa_c.quantise (r->x[t].at, s->k, rows[t].at);
    }
  }
  check_buffer_new (&r->panel, format->panel_bytes (s->type, s->k), 64);
  check_buffer_new (&r->y, s->isa->rows * s->n_tokens * sizeof (float), 4);
  run_isa (s, s->isa, r, row_bytes, 0, s->n_rows, s->n_tokens, r->rows, r->y.at);
  check_buffer_free (&r->panel);
  check_buffer_new (&r->panel, reference->panel_bytes (s->type, s->k), 64);
  for (unsigned row = 0; row < s->n_rows; row++) {
    const void *x[N_TOKENS];
    float expected[N_TOKENS];

    for (unsigned t = 0; t < s->n_tokens; t++)
      x[t] = reference->is_float ? r->x[t].at : rows[t].at;
    reference->pack (s->type, (const uint8_t *)r->weights.at + row * row_bytes, row_bytes, 1, s->k, r->panel.at);
    reference->mm (r->panel.at, s->k, s->n_tokens, x, expected);
    for (unsigned t = 0; t < s->n_tokens; t++)
      same = same && same_float (((const float *)r->y.at)[t * s->isa->rows + row], expected[t]);
  }
  for (unsigned t = 0; t < s->n_tokens; t++) {
    check_buffer_free (&r->rows[t]);
    check_buffer_free (&rows[t]);
  }
  check_buffer_free (&r->panel);
  check_buffer_free (&r->y);
  return same;
}

static bool
check_setting (const struct setting *s)
{
  uint64_t random = s->k * 1000 + s->type, row_bytes;
  struct run r;
  bool same;

  wlq_row_bytes (s->type, s->k, &row_bytes);
  check_buffer_new (&r.weights, s->n_rows * row_bytes, 1);
  for (unsigned row = 0; row < s->n_rows; row++) {
    fill_weights (s->type, s->pattern, &random, (uint8_t *)r.weights.at + row * row_bytes, s->k);
    if (s->pattern == PATTERN_SCALES)
      set_scales (s->type, row, (uint8_t *)r.weights.at + row * row_bytes, s->k);
  }
  for (unsigned t = 0; t < s->n_tokens; t++)
    fill_activations (s->pattern, &random, check_buffer_new (&r.x[t], s->k * sizeof (float), 4), s->k);
  same = compare (s, &r, row_bytes);
  for (unsigned t = 0; t < s->n_tokens; t++)
    check_buffer_free (&r.x[t]);
  check_buffer_free (&r.weights);
  return same;
}

/* Lists that end with 0: all, and a few. */
static const unsigned tokens_of[2][16] = { { 1, 2, 3, 4, 5, 6, 7, 8, 9, 15, 16, 31, 32 }, { 1, 2, 4, 5, 8, 32 } };
static const size_t sizes_of[2][16]    = { { 32, 64, 96, 256, 512, 1024, 2080, 1, 7, 33, 77 }, { 96, 512, 7 } };

static void
check_type (const struct linear_isa *isa, uint32_t type, int exact, bool few)
{
  const unsigned *tokens          = tokens_of[few];
  const size_t *sizes             = sizes_of[few];
  const struct wlq_traits *traits = wlq_traits (type);

  for (int pattern = 0; pattern < N_PATTERNS; pattern++) {
    unsigned n_wrong = 0, n = 0;

    if (pattern == PATTERN_SCALES && scales_of (type) == NULL)
      continue;
    for (unsigned i = 0; sizes[i] != 0; i++) {
      if (sizes[i] % traits->block != 0 || (exact && sizes[i] > 512))
        continue;
      for (unsigned j = 0; tokens[j] != 0; j++, n++)
        n_wrong += !check_setting (&(struct setting){ isa, type, exact, sizes[i], isa->rows, tokens[j], pattern });
      for (unsigned rows = 1; rows < isa->rows;
           rows += rows < isa->rows - 2 && rows > 4 ? isa->rows - rows - 2 : 1, n++)
        n_wrong += !check_setting (&(struct setting){ isa, type, exact, sizes[i], rows, 1 + rows % 5, pattern });
    }
    check_case (n_wrong == 0 && n > 0, "linear %s %s%s %s: %u of %u differ", isa->name, traits->name,
                exact ? " exact" : "", pattern_names[pattern], n_wrong, n);
  }
}

/* Rows as long as models have them. */
static void
check_long (const struct linear_isa *isa, uint32_t type)
{
  static const unsigned tokens[] = { 1, LINEAR_MAX_TOKENS };
  unsigned n_wrong               = 0;

  for (unsigned i = 0; i < 2; i++)
    n_wrong += !check_setting (&(struct setting){ isa, type, 0, LONG_SIZE, isa->rows, tokens[i], PATTERN_RANDOM });
  check_case (n_wrong == 0, "linear %s %s rows of %u: %u of 2 differ", isa->name, wlq_type_name (type), LONG_SIZE,
              n_wrong);
}

/* Single bits of one row, from where linear-panel.h puts them: byte b of dword g has bit i of weight 4 i + b. */
static void
turn_back (unsigned n_bits, uint8_t *dwords)
{
  uint8_t turned[32] = { 0 };

  for (unsigned g = 0; g < n_bits; g++)
    for (unsigned w = 0; w < 32; w++) {
      const unsigned bit = dwords[4 * g + w % 4] >> w / 4 & 1;

      if (n_bits == 1)
        turned[w / 8] |= (uint8_t)(bit << w % 8);
      else
        turned[w] |= (uint8_t)(bit << g);
    }
  memcpy (dwords, turned, 4 * (size_t)n_bits);
}

/* Row @row of a panel of 16. */
static void
row_of_panel (uint32_t type, const uint8_t *panel, size_t k, unsigned row, uint8_t *ret_row)
{
  const struct linear_cut *cut = linear_panel_cut (type);
  const size_t float_bytes     = type == WLP_TYPE_F32 ? 4 : 2;
  const uint8_t *dwords;

  if (cut == NULL) {
    for (size_t i = 0; i < k; i++)
      memcpy (ret_row + i * float_bytes, panel + (i * LINEAR_PANEL_ROWS + row) * float_bytes, float_bytes);
    return;
  }
  dwords = panel + linear_panel_sides_bytes (cut, k);
  for (size_t i = 0; i < k / cut->block; i++, ret_row += cut->block_bytes) {
    memcpy (ret_row + cut->side_at, panel + (i * LINEAR_PANEL_ROWS + row) * cut->side_bytes, cut->side_bytes);
    for (size_t j = 0; j < cut->n_dwords; j++)
      memcpy (ret_row + cut->dwords_at + 4 * j, dwords + ((i * cut->n_dwords + j) * LINEAR_PANEL_ROWS + row) * 4, 4);
    turn_back (cut->n_bits, ret_row + cut->dwords_at + 4 * cut->bits_at);
  }
}

/* Rows of any bits can be had back from a panel, and what stands between them is not in it. */
static void
check_panel (const struct linear_isa *isa, uint32_t type)
{
  enum { GAP = 5 };
  const struct linear_format *format = isa->format (type, 0);
  const struct wlq_traits *traits    = wlq_traits (type);
  uint64_t random                    = type + 77, row_bytes;
  unsigned n_wrong                   = 0;

  for (unsigned n_rows = 1; n_rows <= isa->rows; n_rows++)
    for (size_t k = traits->block; k <= 4 * 256; k *= 2) {
      struct check_buffer in, out, panel;
      size_t size;

      wlq_row_bytes (type, k, &row_bytes);
      size = n_rows * (row_bytes + GAP) - GAP;
      check_buffer_new (&in, size, 1);
      check_buffer_new (&out, size, 1);
      check_buffer_new (&panel, format->panel_bytes (type, k), 64);
      for (size_t i = 0; i < size; i++)
        ((uint8_t *)in.at)[i] = ((uint8_t *)out.at)[i] = (uint8_t)(check_random (&random) >> 30);
      format->pack (type, in.at, row_bytes + GAP, n_rows, k, panel.at);
      for (unsigned r = 0; r < n_rows; r++) {
        memset ((uint8_t *)out.at + r * (row_bytes + GAP), 0xa5, row_bytes);
        row_of_panel (type, panel.at, k, r, (uint8_t *)out.at + r * (row_bytes + GAP));
      }
      n_wrong += memcmp (in.at, out.at, size) != 0;
      /* as large as the file's rows, but for padding */
      n_wrong += format->panel_bytes (type, k) > (isa->rows * row_bytes + 63) / 64 * 64;
      check_buffer_free (&in);
      check_buffer_free (&out);
      check_buffer_free (&panel);
    }
  check_case (n_wrong == 0, "linear %s %s rows come back from panels: %u wrong", isa->name, traits->name, n_wrong);
}

/* What a token gets does not depend on those beside it. */
static void
check_reference_alone (uint32_t type)
{
  enum { K = 512 };
  const struct linear_format *format = linear_isa_c.format (type, 0);
  static float x[N_TOKENS][K];
  static struct linear_block blocks[N_TOKENS][K / LINEAR_GROUP];
  float together[N_TOKENS], alone;
  const void *rows[N_TOKENS];
  uint64_t random  = type, row_bytes;
  unsigned n_wrong = 0;
  uint8_t *row;

  wlq_row_bytes (type, K, &row_bytes);
  row = malloc (row_bytes);
  fill_weights (type, PATTERN_RANDOM, &random, row, K);
  for (unsigned t = 0; t < N_TOKENS; t++) {
    fill_activations (PATTERN_RANDOM, &random, x[t], K);
    linear_isa_c.quantise (x[t], K, blocks[t]);
    rows[t] = format->is_float ? (const void *)x[t] : (const void *)blocks[t];
  }
  {
    void *panel = malloc (format->panel_bytes (type, K));

    format->pack (type, row, row_bytes, 1, K, panel);
    format->mm (panel, K, N_TOKENS, rows, together);
    for (unsigned t = 0; t < N_TOKENS; t++) {
      format->mm (panel, K, 1, rows + t, &alone);
      n_wrong += !same_float (alone, together[t]);
    }
    free (panel);
  }
  free (row);
  check_case (n_wrong == 0, "linear c %s: %u tokens differ alone", wlq_type_name (type), n_wrong);
}

/* A reference that is wrong in the same way everywhere would pass above: against double, with the integers themselves.
 */
static void
check_reference (uint32_t type)
{
  const struct linear_format *format = linear_isa_c.format (type, 0);
  const struct wlq_traits *traits    = wlq_traits (type);
  enum { K = 1024 };
  float x[K], w[K], y;
  double sum = 0, size = 0;
  uint64_t random = type, row_bytes;
  uint8_t *row;
  struct linear_block *blocks = malloc (linear_activation_bytes (K));
  const void *one[1];
  void *panel = aligned_alloc (64, (format->panel_bytes (type, K) + 63) / 64 * 64);

  wlq_row_bytes (type, K, &row_bytes);
  row = malloc (row_bytes);
  fill_weights (type, PATTERN_RANDOM, &random, row, K);
  fill_activations (PATTERN_RANDOM, &random, x, K);
  wlq_dequantize_row (type, row, K, w);
  linear_isa_c.quantise (x, K, blocks);
  for (int i = 0; i < K; i++) {
    const double value = format->is_float ? (double)x[i] : (double)blocks[i / 32].d * blocks[i / 32].q[i % 32];

    sum += w[i] * value;
    size += (w[i] < 0 ? -(double)w[i] : (double)w[i]) * (value < 0 ? -value : value);
  }
  one[0] = format->is_float ? (const void *)x : (const void *)blocks;
  format->pack (type, row, row_bytes, 1, K, panel);
  format->mm (panel, K, 1, one, &y);
  sum -= (double)y;
  check_case ((sum < 0 ? -sum : sum) <= size * 1e-5, "linear c %s against double", traits->name);
  free (blocks);
  free (row);
  free (panel);
}

static void
check_quantise (const struct linear_isa *isa)
{
  enum { N = 2000 };
  uint64_t random  = 5;
  unsigned n_wrong = 0;

  for (int i = 0; i < N; i++) {
    float x[LINEAR_GROUP];
    struct linear_block a, b;
    const float scale = (float)(1u << (i % 30)) * (i % 7 == 0 ? 0x1p-140f : 1.0f);

    for (int j = 0; j < LINEAR_GROUP; j++)
      x[j] =
          i % 5 == 0 ? (float)((int)(check_random (&random) % 255) - 127) * 0.5f : check_random_float (&random) * scale;
    if (i % 5 == 0)
      x[7] = 127.0f; /* values half way between two steps */
    memset (&a, 1, sizeof a);
    memset (&b, 2, sizeof b);
    isa->quantise (x, LINEAR_GROUP, &a);
    linear_isa_c.quantise (x, LINEAR_GROUP, &b);
    n_wrong += memcmp (&a, &b, sizeof a) != 0;
    for (int j = 0; j < LINEAR_GROUP && b.d > 0; j++) {
      const double off = (double)x[j] - (double)b.d * b.q[j];

      n_wrong += (off < 0 ? -off : off) > 0.5001 * (double)b.d || b.q[j] == -128;
    }
  }
  check_case (n_wrong == 0, "linear %s quantise: %u wrong", isa->name, n_wrong);
}

/* Whatever the CPU has, nothing is chosen that it lacks: by no name, by the name of each, by a name of none. */
static void
check_choose (void)
{
  static const uint64_t bits[] = { WLP_CPU_SSE42,      WLP_CPU_AVX2, WLP_CPU_AVXVNNI, WLP_CPU_AVX512,
                                   WLP_CPU_AVX512VNNI, WLP_CPU_NEON, WLP_CPU_DOTPROD, WLP_CPU_I8MM };
  const unsigned n_bits        = sizeof bits / sizeof bits[0];
  const struct linear_isa *isa, *chosen;
  unsigned n_wrong = 0, i;

  for (unsigned set = 0; set < 1u << n_bits; set++) {
    const struct linear_isa *best = NULL;
    uint64_t features             = 0;

    for (i = 0; i < n_bits; i++)
      features |= set >> i & 1 ? bits[i] : 0;
    for (i = 0; (isa = linear_isa_at (i)) != NULL; i++) {
      const bool can_run = (isa->features & ~features) == 0;

      chosen = linear_isa_choose (features, isa->name);
      n_wrong += chosen != (can_run ? isa : NULL);
      best = best == NULL && can_run ? isa : best;
    }
    n_wrong += linear_isa_choose (features, NULL) != best || linear_isa_choose (features, "") != best;
    n_wrong += linear_isa_choose (features, "nonsense") != NULL;
  }
  check_case (n_wrong == 0, "linear choice by features and name: %u wrong", n_wrong);
}

/* ---- the benchmark ---- */

static double
bench_mm (const struct linear_isa *isa, const struct linear_format *format, const void *panels, size_t panel_bytes,
          unsigned n_panels, size_t k, unsigned n, const void *const *x)
{
  float y[LINEAR_MAX_ROWS * LINEAR_MAX_TOKENS];
  double best = 1e30;

  for (int i = 0; i < 100; i++) {
    const uint64_t start = check_ticks ();
    double took;

    for (unsigned p = 0; p < n_panels; p++)
      format->mm ((const uint8_t *)panels + p * panel_bytes, k, n, x, y);
    took = (double)(check_ticks () - start);
    best = took < best ? took : best;
  }
  return (double)n_panels * isa->rows * (double)k * n / best;
}

static double
bench_pack (const struct linear_isa *isa, const struct linear_format *format, uint32_t type, const uint8_t *rows,
            size_t row_bytes, size_t k, void *panel)
{
  double best = 1e30;

  for (int i = 0; i < 100; i++) {
    const uint64_t start = check_ticks ();
    double took;

    format->pack (type, rows, row_bytes, isa->rows, k, panel);
    took = (double)(check_ticks () - start);
    best = took < best ? took : best;
  }
  return (double)isa->rows * (double)k / best;
}

static void
bench_type (const struct linear_isa *isa, uint32_t type, int exact, double ticks)
{
  enum { K = 2048, ROWS = 128 };
  const struct linear_format *format = isa->format (type, exact);
  const unsigned n_panels            = ROWS / isa->rows;
  const size_t panel_bytes           = (format->panel_bytes (type, K) + 63) / 64 * 64;
  uint64_t random                    = 1, row_bytes;
  uint8_t *rows, *panels = aligned_alloc (64, panel_bytes * n_panels);
  static float x[LINEAR_MAX_TOKENS][K];
  static struct linear_block blocks[LINEAR_MAX_TOKENS][K / LINEAR_GROUP];
  const void *pointers[LINEAR_MAX_TOKENS];

  wlq_row_bytes (type, K, &row_bytes);
  rows = malloc (row_bytes * ROWS);
  for (int r = 0; r < ROWS; r++)
    fill_weights (type, PATTERN_RANDOM, &random, rows + (size_t)r * row_bytes, K);
  for (unsigned t = 0; t < LINEAR_MAX_TOKENS; t++) {
    fill_activations (PATTERN_RANDOM, &random, x[t], K);
    isa->quantise (x[t], K, blocks[t]);
    pointers[t] = format->is_float ? (const void *)x[t] : (const void *)blocks[t];
  }
  for (unsigned p = 0; p < n_panels; p++)
    format->pack (type, rows + (size_t)p * isa->rows * row_bytes, row_bytes, isa->rows, K, panels + p * panel_bytes);
  printf ("%-6s %-7s %-9s pack %5.2f weights/cycle; MAC/cycle", isa->name, wlq_type_name (type), format->name,
          bench_pack (isa, format, type, rows, row_bytes, K, panels) * ticks);
  for (unsigned n = 1; n <= LINEAR_MAX_TOKENS; n = n < 4 ? n + 1 : n * 2)
    printf (" n=%u %5.2f", n, bench_mm (isa, format, panels, panel_bytes, n_panels, K, n, pointers) * ticks);
  printf ("\n");
  fflush (stdout);
  free (rows);
  free (panels);
}

/* Whatever can run here against the reference; the reference is not one of them. */
static void
check_isa (const struct linear_isa *isa, bool few)
{
  for (uint32_t type = 0; type < ALL_TYPES; type++) {
    if (!wlq_is_supported (type))
      continue;
    check_panel (isa, type);
    check_type (isa, type, 0, few);
    check_type (isa, type, 1, few);
    if (scales_of (type) != NULL)
      check_long (isa, type);
  }
}

static void
check_all (bool few, const char *name)
{
  const uint64_t features = check_cpu_features ();
  const struct linear_isa *isa;

  check_choose ();
  for (uint32_t type = 0; type < ALL_TYPES && !few; type++)
    if (wlq_is_supported (type)) {
      check_reference (type);
      check_reference_alone (type);
    }
  for (unsigned i = 0; (isa = linear_isa_at (i)) != NULL; i++)
    if (name != NULL && strcmp (isa->name, name) != 0) {
      continue;
    } else if ((isa->features & ~features) != 0) {
      printf ("# %s cannot run on this machine\n", isa->name);
    } else if (!few || isa != &linear_isa_c) {
      check_quantise (isa);
      if (isa != &linear_isa_c)
        check_isa (isa, few);
    }
}

static void
bench_all (const char *name)
{
  const double ticks      = check_ticks_of_cycle ();
  const uint64_t features = check_cpu_features ();
  const struct linear_isa *isa;

  for (unsigned i = 0; (isa = linear_isa_at (i)) != NULL; i++)
    for (uint32_t type = 0; type < ALL_TYPES; type++)
      if ((isa->features & ~features) == 0 && wlq_is_supported (type)
          && (name == NULL || wlq_type_from_name (name) == (int32_t)type))
        bench_type (isa, type, 0, ticks);
}

int
main (int argc, char **argv)
{
  if (argc > 1 && strcmp (argv[1], "--bench") == 0) {
    bench_all (argc > 2 ? argv[2] : NULL);
    return 0;
  }
  check_all (argc > 1 && strcmp (argv[1], "--few") == 0, argc > 2 ? argv[2] : NULL);
  return check_finish ();
}
