/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * kernels/vector.h: every instruction set against the C reference, bit by bit, and the reference against double; with
 * --few, fewer sizes for emulators; with --bench, how fast each is.
 */
#include "kernel-check.h"

#include "vector.h"

#include <math.h>

#define MAX_N  600
#define N_ACTS (WLP_ACT_GELU_HALF + 1) /* from 1 on; SWIGLU_OAI is for GLU only */

/* Lists that end with 0: all, and a few. */
static const uint32_t sizes_of[2][16] = { { 1, 2, 7, 15, 16, 17, 31, 64, 100, 256, 300, MAX_N },
                                          { 1, 17, 47, 100, 300 } };

/* Rows that end at a guard page. */
struct rows {
  struct check_buffer buffers[4];
  float *x, *other, *y, *gain;
  uint32_t n;
};

static void
rows_new (struct rows *rows, uint32_t n, float size, uint64_t random)
{
  float **at[4] = { &rows->x, &rows->other, &rows->y, &rows->gain };

  rows->n = n;
  for (unsigned i = 0; i < 4; i++) {
    *at[i] = check_buffer_new (&rows->buffers[i], n * sizeof (float), 4);
    for (uint32_t j = 0; j < n; j++)
      (*at[i])[j] = check_random_float (&random) * size;
  }
  if (n > 5) { /* what only a slip of the pen would treat otherwise */
    rows->x[1] = 0.0f;
    rows->x[3] = -0.0f;
    rows->x[5] = 1e-40f;
  }
}

static void
rows_free (struct rows *rows)
{
  for (unsigned i = 0; i < 4; i++)
    check_buffer_free (&rows->buffers[i]);
}

/* Function number @what of an instruction set on the rows; the results go to @y, or take the place of @x. */
enum {
  WHAT_ACTIVATE,
  WHAT_GLU     = WHAT_ACTIVATE + WLP_ACT_SWIGLU_OAI + 1,
  WHAT_SOFTCAP = WHAT_GLU + WLP_ACT_SWIGLU_OAI + 1,
  WHAT_CLAMP,
  WHAT_NORM,
  WHAT_NORM_LAYER,
  WHAT_ROTATE,
  WHAT_ROTATE_NEOX,
  WHAT_SOFTMAX,
  WHAT_MERGE,
  N_WHATS
};

static void
apply (const struct vector_isa *isa, unsigned what, struct rows *r, float *y)
{
  const struct wlp_clamp_params clamp = { -0.4f, 0.3f };
  const uint32_t from                 = r->n / 3;
  float sum                           = 0.0f;

  if (what != WHAT_MERGE) /* so that what is not written is the same as well */
    memmove (y, r->x, r->n * sizeof (float));
  if (what < WHAT_GLU)
    isa->activate (what - WHAT_ACTIVATE, r->n, r->x, y);
  else if (what < WHAT_SOFTCAP)
    isa->glu (what - WHAT_GLU, r->n, r->x, r->other, y);
  else if (what == WHAT_SOFTCAP)
    isa->softcap (2.0f, r->n, r->x, y);
  else if (what == WHAT_CLAMP)
    isa->clamp (&clamp, r->n, r->x, y);
  else if (what == WHAT_NORM)
    isa->norm (WLP_NORM_RMS, 1e-5f, r->n, r->gain, NULL, r->x, y);
  else if (what == WHAT_NORM_LAYER)
    isa->norm (WLP_NORM_LAYER, 1e-5f, r->n, r->gain, r->other, r->x, y);
  else if (what == WHAT_ROTATE)
    isa->rotate (r->n / 2, 2, 1, r->other, r->x, y);
  else if (what == WHAT_ROTATE_NEOX)
    isa->rotate (r->n / 2, 1, r->n / 2, r->other, r->x, y);
  else if (what == WHAT_SOFTMAX)
    y[0] = from > 0 ? isa->softmax (0.37f, y, from, r->n, &sum) + sum : 0.0f;
  else
    isa->merge (r->n, 0.7f, r->other, 0.6f, y);
}

static bool
same_bits (const struct vector_isa *isa, unsigned what, uint32_t n, float size, bool in_place)
{
  struct rows ours, theirs;
  bool same;

  rows_new (&ours, n, size, n + what);
  rows_new (&theirs, n, size, n + what);
  apply (isa, what, &ours, in_place ? ours.x : ours.y);
  apply (&vector_isa_c, what, &theirs, theirs.y);
  if (in_place && what == WHAT_MERGE) /* it adds to what is there */
    same = true;
  else
    same = memcmp (in_place ? ours.x : ours.y, theirs.y, n * sizeof (float)) == 0;
  rows_free (&ours);
  rows_free (&theirs);
  return same;
}

static void
check_isa (const struct vector_isa *isa, bool few)
{
  static const float magnitudes[] = { 1.0f, 30.0f, 200.0f };

  for (unsigned what = 0; what < N_WHATS; what++) {
    unsigned n_wrong = 0, n = 0;

    for (const uint32_t *size = sizes_of[few]; *size != 0; size++)
      for (unsigned j = 0; j < 6; j++, n++)
        n_wrong += !same_bits (isa, what, *size, magnitudes[j / 2], j % 2 != 0);
    check_case (n_wrong == 0 && n > 0, "vector %s function %u: %u of %u differ", isa->name, what, n_wrong, n);
  }
}

static bool
is_near (float got, double wanted, double bound)
{
  return fabs ((double)got - wanted) <= bound * (1.0 + fabs (wanted));
}

static void
check_softmax (struct rows *r)
{
  const float factor = 0.7f;
  double most = -INFINITY, total = 0;
  float sum = 0;
  bool right;

  for (uint32_t i = 5; i < r->n; i++)
    most = fmax (most, (double)(r->x[i] * factor));
  memcpy (r->y, r->x, r->n * sizeof (float));
  right = (double)vector_isa_c.softmax (factor, r->y, 5, r->n, &sum) == most;
  for (uint32_t i = 5; i < r->n; i++) {
    right = right && is_near (r->y[i], exp ((double)(r->x[i] * factor) - most), 1e-6);
    total += exp ((double)(r->x[i] * factor) - most);
  }
  check_case (right && is_near (sum, total, 1e-6), "vector c softmax against double");
}

static void
check_reference (void)
{
  struct rows r;
  double squares = 0;
  bool right     = true;

  rows_new (&r, MAX_N, 3.0f, 9);
  for (uint32_t i = 0; i < r.n; i++)
    squares += (double)r.x[i] * (double)r.x[i];
  vector_isa_c.norm (WLP_NORM_RMS, 1e-5f, r.n, r.gain, NULL, r.x, r.y);
  for (uint32_t i = 0; i < r.n; i++)
    right = right && is_near (r.y[i], (double)r.x[i] * (double)r.gain[i] / sqrt (squares / r.n + 1e-5), 1e-6);
  check_case (right, "vector c norm against double");
  vector_isa_c.glu (WLP_ACT_SILU, r.n, r.x, r.other, r.y);
  for (uint32_t i = 0, wrong = 0; i <= r.n; i++) {
    if (i == r.n)
      check_case (wrong == 0, "vector c silu against double: %u differ", wrong);
    else
      wrong += !is_near (r.y[i], (double)r.x[i] / (1.0 + exp (-(double)r.x[i])) * (double)r.other[i], 1e-6);
  }
  vector_isa_c.rotate (r.n / 2, 1, r.n / 2, r.other, r.x, r.y);
  right = is_near (r.y[7], (double)r.x[7] * (double)r.other[14] - (double)r.x[307] * (double)r.other[15], 1e-6)
          && is_near (r.y[307], (double)r.x[7] * (double)r.other[15] + (double)r.x[307] * (double)r.other[14], 1e-6);
  check_case (right, "vector c rotation against double");
  check_softmax (&r);
  rows_free (&r);
}

static void
bench_isa (const struct vector_isa *isa, double ticks)
{
  static const struct {
    const char *name;
    unsigned what;
  } list[] = { { "silu", WHAT_ACTIVATE + WLP_ACT_SILU },
               { "swiglu", WHAT_GLU + WLP_ACT_SILU },
               { "norm", WHAT_NORM },
               { "rotate", WHAT_ROTATE },
               { "rotate neox", WHAT_ROTATE_NEOX },
               { "softmax", WHAT_SOFTMAX },
               { "merge", WHAT_MERGE } };
  struct rows r;

  rows_new (&r, 512, 3.0f, 1);
  for (unsigned i = 0; i < sizeof list / sizeof list[0]; i++) {
    double best = 1e30;

    for (unsigned j = 0; j < 2000; j++) {
      const uint64_t start = check_ticks ();

      apply (isa, list[i].what, &r, r.y);
      best = fmin (best, (double)(check_ticks () - start));
    }
    printf ("%-6s %-12s %6.2f cycles a value\n", isa->name, list[i].name, best / ticks / r.n);
  }
  rows_free (&r);
}

int
main (int argc, char **argv)
{
  const bool bench        = argc > 1 && strcmp (argv[1], "--bench") == 0;
  const bool few          = argc > 1 && strcmp (argv[1], "--few") == 0;
  const double ticks      = bench ? check_ticks_of_cycle () : 0;
  const uint64_t features = check_cpu_features ();
  const struct vector_isa *isa;

  if (!bench)
    check_reference ();
  for (unsigned i = 0; (isa = vector_isa_at (i)) != NULL; i++) {
    if ((isa->features & ~features) != 0 || (few && isa == &vector_isa_c))
      continue;
    if (bench)
      bench_isa (isa, ticks);
    else
      check_isa (isa, few);
  }
  return bench ? 0 : check_finish ();
}
