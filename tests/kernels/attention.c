/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * kernels/attention.h: every instruction set against the C reference, bit by bit, and the reference against double;
 * with --few, fewer sizes for emulators; with --bench, how fast each is.
 */
#include "kernel-check.h"

#include "attention.h"
#include "quant.h"

#define MAX_DIM   256
#define MAX_TILES 5 /* more than a kernel takes at once */

static const uint32_t types[] = { WLP_TYPE_F32, WLP_TYPE_F16, WLP_TYPE_Q8_0 };

static void
fill_tile (uint32_t type, unsigned dim, uint64_t *random, void *tile, void *rows)
{
  float row[MAX_DIM];

  for (unsigned lane = 0; lane < ATTENTION_TILE; lane++) {
    const float size = lane % 4 == 2 ? 0x1p-13f : 4.0f; /* subnormal values in float16, and scales */

    for (unsigned d = 0; d < dim; d++)
      row[d] = check_random_float (random) * size;
    attention_put_key (type, row, dim, lane, tile);
    attention_put_value (type, row, dim, (uint8_t *)rows + lane * attention_row_bytes (type, dim));
  }
}

struct setting {
  const struct attention_format *kernels;
  const struct attention_format *reference;
  uint32_t type;
  unsigned dim;
  unsigned n_queries;
  unsigned n_tiles;
  unsigned n_positions; /* of values */
};

static bool
check_setting (const struct setting *s, uint64_t random)
{
  struct check_buffer tiles, rows, q[ATTENTION_QUERIES], score[ATTENTION_QUERIES], p[ATTENTION_QUERIES],
      o[ATTENTION_QUERIES];
  float expected_s[ATTENTION_QUERIES][MAX_TILES * ATTENTION_TILE], expected_o[ATTENTION_QUERIES][MAX_DIM];
  const float *qs[ATTENTION_QUERIES], *ps[ATTENTION_QUERIES];
  float *ss[ATTENTION_QUERIES], *es[ATTENTION_QUERIES], *os[ATTENTION_QUERIES], *eo[ATTENTION_QUERIES];
  const size_t row_bytes  = attention_row_bytes (s->type, s->dim);
  const size_t tile_bytes = attention_tile_bytes (s->type, s->dim);
  const size_t s_bytes    = s->n_tiles * ATTENTION_TILE * sizeof (float);
  bool same               = true;

  check_buffer_new (&tiles, s->n_tiles * tile_bytes, 4);
  check_buffer_new (&rows, ATTENTION_TILE * row_bytes, 4);
  for (unsigned i = 0; i < s->n_tiles; i++)
    fill_tile (s->type, s->dim, &random, (uint8_t *)tiles.at + i * tile_bytes, rows.at);
  /* the last rows, so that the values end at the guard page */
  rows.at = (uint8_t *)rows.at + (ATTENTION_TILE - s->n_positions) * row_bytes;
  for (unsigned i = 0; i < s->n_queries; i++) {
    float *query  = check_buffer_new (&q[i], s->dim * sizeof (float), 4);
    float *weight = check_buffer_new (&p[i], s->n_positions * sizeof (float), 4);

    qs[i] = query;
    ps[i] = weight;
    ss[i] = check_buffer_new (&score[i], s_bytes, 4);
    os[i] = check_buffer_new (&o[i], s->dim * sizeof (float), 4);
    es[i] = expected_s[i];
    eo[i] = expected_o[i];
    for (unsigned d = 0; d < s->dim; d++) {
      query[d] = check_random_float (&random);
      os[i][d] = eo[i][d] = check_random_float (&random);
    }
    for (unsigned j = 0; j < s->n_positions; j++)
      weight[j] = check_random_float (&random);
  }
  s->kernels->scores (tiles.at, tiles.at, s->n_tiles, s->dim, s->n_queries, qs, ss);
  s->kernels->values (rows.at, rows.at, row_bytes, s->n_positions, s->dim, s->n_queries, ps, os);
  for (unsigned i = 0; i < s->n_queries; i++) { /* one by one: company must not matter */
    s->reference->scores (tiles.at, tiles.at, s->n_tiles, s->dim, 1, &qs[i], &es[i]);
    s->reference->values (rows.at, rows.at, row_bytes, s->n_positions, s->dim, 1, &ps[i], &eo[i]);
    same = same && memcmp (ss[i], es[i], s_bytes) == 0 && memcmp (os[i], eo[i], s->dim * sizeof (float)) == 0;
    check_buffer_free (&q[i]);
    check_buffer_free (&p[i]);
    check_buffer_free (&score[i]);
    check_buffer_free (&o[i]);
  }
  check_buffer_free (&tiles);
  check_buffer_free (&rows);
  return same;
}

/* Lists that end with 0: all, and a few. */
static const unsigned dims_of[2][16] = { { 1, 5, 8, 24, 32, 40, 64, 80, 96, 128, 192, 256 }, { 7, 32, 88, 96 } };

static void
check_type (const struct attention_isa *isa, uint32_t type, bool few)
{
  struct setting s = { .kernels   = attention_isa_format (isa, type),
                       .reference = attention_isa_format (&attention_isa_c, type),
                       .type      = type };
  unsigned n_wrong = 0, n = 0;

  for (const unsigned *dim = dims_of[few]; *dim != 0; dim++) {
    s.dim = *dim;
    if (type == WLP_TYPE_Q8_0 && s.dim % 32 != 0)
      continue;
    for (s.n_queries = 1; s.n_queries <= ATTENTION_QUERIES; s.n_queries++)
      for (s.n_positions = 1; s.n_positions <= ATTENTION_TILE; s.n_positions += 5, n++) {
        s.n_tiles = 1 + n % MAX_TILES;
        n_wrong += !check_setting (&s, s.dim);
      }
  }
  check_case (n_wrong == 0 && n > 0, "attention %s type %u: %u of %u differ", isa->name, type, n_wrong, n);
}

/* Keys go into a tile and come out as they were rounded; the reference's sums are right. */
static void
check_reference (uint32_t type)
{
  enum { DIM = 64 };
  const struct attention_format *kernels = attention_isa_format (&attention_isa_c, type);
  uint8_t *tile                          = malloc (attention_tile_bytes (type, DIM)),
          *rows                          = malloc (ATTENTION_TILE * attention_row_bytes (type, DIM));
  uint8_t *row                           = malloc (attention_row_bytes (type, DIM));
  float q[DIM], s[ATTENTION_TILE], o[DIM] = { 0 }, values[ATTENTION_TILE][DIM];
  const float *qs[1] = { q }, *ps[1] = { s };
  float *ss[1] = { s }, *os[1] = { o };
  uint64_t random = 3;
  bool right      = true;

  fill_tile (type, DIM, &random, tile, rows);
  for (int d = 0; d < DIM; d++)
    q[d] = check_random_float (&random);
  kernels->scores (tile, tile, 1, DIM, 1, qs, ss);
  for (unsigned lane = 0; lane < ATTENTION_TILE; lane++) {
    double sum = 0;

    attention_get_key (type, tile, DIM, lane, row);
    right = right && memcmp (row, rows + lane * attention_row_bytes (type, DIM), attention_row_bytes (type, DIM)) == 0;
    wlq_dequantize_row (type, row, DIM, values[lane]);
    for (int d = 0; d < DIM; d++)
      sum += (double)q[d] * (double)values[lane][d];
    right = right && sum - (double)s[lane] < 1e-5 && sum - (double)s[lane] > -1e-5;
  }
  kernels->values (rows, rows, attention_row_bytes (type, DIM), ATTENTION_TILE, DIM, 1, ps, os);
  for (int d = 0; d < DIM; d++) {
    double sum = 0;

    for (unsigned lane = 0; lane < ATTENTION_TILE; lane++)
      sum += (double)s[lane] * (double)values[lane][d];
    right = right && sum - (double)o[d] < 1e-4 && sum - (double)o[d] > -1e-4;
  }
  check_case (right, "attention c type %u against double", type);
  free (tile);
  free (rows);
  free (row);
}

static void
bench_type (const struct attention_isa *isa, uint32_t type, double ticks)
{
  enum { DIM = 128, TILES = 16, TOGETHER = 4 };
  const struct attention_format *kernels = attention_isa_format (isa, type);
  const size_t tile_bytes                = attention_tile_bytes (type, DIM);
  uint8_t *tiles = malloc (TILES * tile_bytes), *rows = malloc (TILES * tile_bytes);
  static float q[ATTENTION_QUERIES][DIM], s[ATTENTION_QUERIES][TOGETHER * ATTENTION_TILE], o[ATTENTION_QUERIES][DIM];
  const float *qs[ATTENTION_QUERIES], *ps[ATTENTION_QUERIES];
  float *ss[ATTENTION_QUERIES], *os[ATTENTION_QUERIES];
  uint64_t random = 1;

  for (int i = 0; i < TILES; i++)
    fill_tile (type, DIM, &random, tiles + (size_t)i * tile_bytes, rows + (size_t)i * tile_bytes);
  for (int i = 0; i < ATTENTION_QUERIES; i++) {
    qs[i] = q[i];
    ps[i] = ss[i] = s[i];
    os[i]         = o[i];
  }
  printf ("%-6s type %u, MAC/cycle", isa->name, type);
  for (unsigned n = 1; n <= ATTENTION_QUERIES; n++) {
    double best[2] = { 1e30, 1e30 };

    for (int i = 0; i < 600; i++) {
      const uint64_t start = check_ticks ();
      double took;

      for (int j = 0; j < TILES; j += TOGETHER)
        if (i % 2)
          kernels->scores (tiles + (size_t)j * tile_bytes, tiles, TOGETHER, DIM, n, qs, ss);
        else
          kernels->values (rows + (size_t)j * tile_bytes, rows, tile_bytes / ATTENTION_TILE, TOGETHER * ATTENTION_TILE,
                           DIM, n, ps, os);
      took        = (double)(check_ticks () - start);
      best[i % 2] = took < best[i % 2] ? took : best[i % 2];
    }
    printf ("  n=%u scores %5.2f values %5.2f", n, (double)TILES * ATTENTION_TILE * DIM * n / best[1] * ticks,
            (double)TILES * ATTENTION_TILE * DIM * n / best[0] * ticks);
  }
  printf ("\n");
  free (tiles);
  free (rows);
}

int
main (int argc, char **argv)
{
  const bool bench        = argc > 1 && strcmp (argv[1], "--bench") == 0;
  const bool few          = argc > 1 && strcmp (argv[1], "--few") == 0;
  const double ticks      = bench ? check_ticks_of_cycle () : 0;
  const uint64_t features = check_cpu_features ();
  const struct attention_isa *isa;

  for (unsigned i = 0; i < 3 && !bench; i++)
    check_reference (types[i]);
  for (unsigned i = 0; (isa = attention_isa_at (i)) != NULL; i++)
    for (unsigned j = 0; j < 3; j++) {
      if ((isa->features & ~features) != 0 || (!bench && isa == &attention_isa_c)) /* what all are compared with */
        continue;
      if (bench)
        bench_type (isa, types[j], ticks);
      else
        check_type (isa, types[j], few);
    }
  return bench ? 0 : check_finish ();
}
