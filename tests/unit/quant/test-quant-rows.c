/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Weights of every type: against the reference implementation's values (tests/data/quants), and against random blocks
 * decoded by tests/generators/quant_samples.py.
 */
#include "quant.h"
#include "wly-test-data.h"
#include "wly-test-random.h"

#include <errno.h>
#include <math.h>

#define N_REFERENCE 8192u

/* Types 0 … 63: all numbers that the format has, and some that it has not. */
#define N_TYPES 64u

static void
assert_same_weights (const char *name, const float *got, const float *expected, gsize n)
{
  for (gsize i = 0; i < n; i++)
    if (wlq_f32_bits (got[i]) != wlq_f32_bits (expected[i]) && !(got[i] == 0.0f && expected[i] == 0.0f))
      g_error ("%s: weight %" G_GSIZE_FORMAT " is %.9g (%08x), expected %.9g (%08x)", name, i, (double)got[i],
               wlq_f32_bits (got[i]), (double)expected[i], wlq_f32_bits (expected[i]));
}

/* q, scale and min give the same weights; q stays inside what the traits say. */
static void
assert_unpacks (guint32 type, const void *row, const float *expected, gsize n)
{
  const struct wlq_traits *traits = wlq_traits (type);
  g_autofree gint8 *q             = g_new (gint8, n);
  g_autofree float *scale         = g_new (float, n);
  g_autofree float *min           = g_new0 (float, n);

  g_assert_cmpint (wlq_unpack_i8 (type, row, n, q, scale, traits->has_min ? min : NULL), ==, 0);
  for (gsize i = 0; i < n; i++) {
    const float product = scale[i / traits->group] * (float)q[i];
    const float weight  = traits->has_min ? product - min[i / traits->group] : product;

    g_assert_cmpint (q[i], >=, traits->q_min);
    g_assert_cmpint (q[i], <=, traits->q_max);
    assert_same_weights (traits->name, &weight, &expected[i], 1);
  }
}

/* Rows need no alignment, and nothing behind them is read or written. */
static void
assert_dequantizes (guint32 type, const void *row, gsize n_bytes, const float *expected, gsize n)
{
  const char *name         = wlq_type_name (type);
  g_autofree float *got    = g_new (float, n + 1);
  g_autofree guint8 *shift = g_malloc (n_bytes + 1);

  got[n] = 12345.0f;
  memcpy (shift + 1, row, n_bytes);
  g_assert_cmpint (wlq_dequantize_row (type, shift + 1, n, got), ==, 0);
  assert_same_weights (name, got, expected, n);
  g_assert_true (got[n] == 12345.0f);
  if (wlq_traits (type)->group != 0)
    assert_unpacks (type, shift + 1, expected, n);
}

static void
check_reference (const char *blocks_path, const char *floats_path, guint32 type)
{
  g_autoptr (GBytes) blocks  = wly_test_data_read (blocks_path);
  g_autoptr (GBytes) floats  = wly_test_data_read (floats_path);
  g_autofree float *expected = g_new (float, N_REFERENCE);
  const guint8 *bytes        = g_bytes_get_data (floats, NULL);
  guint64 n_bytes            = 0;

  g_assert_cmpuint (g_bytes_get_size (floats), ==, N_REFERENCE * 4);
  for (gsize i = 0; i < N_REFERENCE; i++) {
    guint32 bits;

    memcpy (&bits, bytes + 4 * i, 4);
    expected[i] = wlq_f32_from_bits (GUINT32_FROM_LE (bits));
  }
  g_assert_cmpint (wlq_row_bytes (type, N_REFERENCE, &n_bytes), ==, 0);
  g_assert_cmpuint (g_bytes_get_size (blocks), ==, n_bytes);
  if (wlq_is_supported (type))
    assert_dequantizes (type, g_bytes_get_data (blocks, NULL), n_bytes, expected, N_REFERENCE);
}

static void
test_reference (gconstpointer data)
{
  const guint32 type           = GPOINTER_TO_UINT (data);
  g_autofree char *blocks_name = g_strdup_printf ("quants/%s.blocks", wlq_type_name (type));
  g_autofree char *floats_name = g_strdup_printf ("quants/%s.f32", wlq_type_name (type));
  g_autofree char *blocks      = wly_test_data_path (blocks_name);
  g_autofree char *floats      = wly_test_data_path (floats_name);

  check_reference (blocks, floats, type);
}

static void
test_f32 (void)
{
  const guint8 row[8] = { 0, 0, 0x80, 0x3f, 0, 0, 0x20, 0xc0 }; /* 1, -2.5 */
  float got[2];

  g_assert_cmpint (wlq_dequantize_row (WLP_TYPE_F32, row, 2, got), ==, 0);
  g_assert_true (got[0] == 1.0f && got[1] == -2.5f);
}

/* Sizes of the types that are not computed with, where the reference data is there. */
static void
test_shared_sizes (void)
{
  g_autofree char *folder = wly_test_shared_path ("quants");
  guint n                 = 0;

  if (folder == NULL)
    return;
  for (guint type = 0; type < N_TYPES; type++) {
    g_autofree char *blocks = g_strdup_printf ("%s/%s.blocks", folder, wlq_type_name (type));
    g_autofree char *floats = g_strdup_printf ("%s/%s.f32", folder, wlq_type_name (type));

    if (wlq_traits (type) == NULL || !g_file_test (blocks, G_FILE_TEST_EXISTS))
      continue;
    check_reference (blocks, floats, type);
    n++;
  }
  g_assert_cmpuint (n, >, 15);
}

static guint32
take_u32 (const guint8 **at)
{
  guint32 value;

  memcpy (&value, *at, 4);
  *at += 4;
  return GUINT32_FROM_LE (value);
}

static void
test_samples (void)
{
  g_autoptr (GBytes) file = wly_test_data_read (g_getenv ("WOOLLY_QUANT_SAMPLES"));
  gsize n_file;
  const guint8 *at  = g_bytes_get_data (file, &n_file);
  const guint8 *end = at + n_file;
  guint64 seen      = 0;

  while (at < end) {
    const guint32 type = take_u32 (&at), n = take_u32 (&at), n_bytes = take_u32 (&at);
    const guint8 *row          = at;
    g_autofree float *expected = g_new (float, n);

    at += n_bytes;
    for (guint i = 0; i < n; i++)
      expected[i] = wlq_f32_from_bits (take_u32 (&at));
    assert_dequantizes (type, row, n_bytes, expected, n);
    seen |= G_GUINT64_CONSTANT (1) << type;
  }
  for (guint type = 0; type < N_TYPES; type++)
    if (wlq_traits (type) != NULL && wlq_traits (type)->group != 0)
      g_assert_true ((seen >> type & 1) != 0);
}

static void
test_traits (void)
{
  guint n_supported = 0;

  for (guint type = 0; type < N_TYPES; type++) {
    const struct wlq_traits *traits = wlq_traits (type);

    if (traits == NULL) {
      g_assert_cmpstr (wlq_type_name (type), ==, "unknown");
      g_assert_false (wlq_is_supported (type));
      continue;
    }
    g_assert_cmpint (wlq_type_from_name (traits->name), ==, type);
    g_assert_cmpuint (traits->block, <=, WLQ_MAX_BLOCK);
    g_assert_cmpuint (traits->block_bytes, >, 0);
    g_assert_cmpint (wlq_is_supported (type), ==, traits->policy != WLQ_POLICY_NONE);
    n_supported += traits->policy != WLQ_POLICY_NONE;
    if (traits->group != 0) {
      const gboolean small = traits->policy == WLQ_POLICY_SYM16 || traits->policy == WLQ_POLICY_ASYM16;
      const gboolean asym  = traits->policy == WLQ_POLICY_ASYM32 || traits->policy == WLQ_POLICY_ASYM16;

      g_assert_cmpuint (traits->group, ==, small ? 16 : 32);
      g_assert_cmpint (traits->has_min, ==, asym);
      g_assert_cmpuint (traits->block / traits->group, <=, WLQ_MAX_GROUPS);
    }
  }
  g_assert_cmpuint (n_supported, ==, 16);
  g_assert_cmpint (wlq_type_from_name ("q4_k"), ==, WLP_TYPE_Q4_K);
  g_assert_cmpint (wlq_type_from_name ("Q4"), ==, -1);
  g_assert_null (wlq_traits (4));
  g_assert_null (wlq_traits (G_MAXUINT32));
}

static void
test_refusals (void)
{
  guint64 n_bytes   = 0;
  guint8 row[256]   = { 0 };
  gint8 q[256]      = { 0 };
  float floats[256] = { 0 };

  g_assert_cmpint (wlq_row_bytes (WLP_TYPE_Q4_K, 255, &n_bytes), ==, -EINVAL);
  g_assert_cmpint (wlq_row_bytes (31, 32, &n_bytes), ==, -ENOTSUP);
  g_assert_cmpint (wlq_row_bytes (WLP_TYPE_F64, G_MAXUINT64 / 4, &n_bytes), ==, -EOVERFLOW);
  g_assert_cmpint (wlq_row_bytes (WLP_TYPE_Q6_K, 512, &n_bytes), ==, 0);
  g_assert_cmpuint (n_bytes, ==, 420);
  g_assert_cmpint (wlq_dequantize_row (WLP_TYPE_Q4_0, row, 31, floats), ==, -EINVAL);
  g_assert_cmpint (wlq_dequantize_row (WLP_TYPE_IQ2_XS, row, 256, floats), ==, -ENOTSUP);
  g_assert_cmpint (wlq_dequantize_row (G_MAXUINT32, row, 256, floats), ==, -ENOTSUP);
  g_assert_cmpint (wlq_unpack_i8 (WLP_TYPE_Q4_0, row, 16, q, floats, NULL), ==, -EINVAL);
  g_assert_cmpint (wlq_unpack_i8 (WLP_TYPE_F16, row, 32, q, floats, NULL), ==, -ENOTSUP);
  g_assert_cmpint (wlq_unpack_i8 (WLP_TYPE_Q8_K, row, 256, q, floats, floats), ==, -ENOTSUP);
  g_assert_cmpint (wlq_quantize_row_q8_0 (floats, 33, row), ==, -EINVAL);
}

static void
test_quantize_q8_0 (void)
{
  WlyTestRandom random = { .state = 3 };
  float values[32], back[32];
  guint8 row[34];

  for (guint round = 0; round < 2000; round++) {
    const float magnitude = ldexpf (1.0f, (int)wly_test_random_below (&random, 20) - 10);
    float scale, largest = 0.0f;
    gint8 q[32];

    for (guint i = 0; i < 32; i++) {
      values[i] = wly_test_random_normal (&random) * magnitude;
      largest   = MAX (largest, fabsf (values[i]));
    }
    g_assert_cmpint (wlq_quantize_row_q8_0 (values, 32, row), ==, 0);
    g_assert_cmpint (wlq_dequantize_row (WLP_TYPE_Q8_0, row, 32, back), ==, 0);
    g_assert_cmpint (wlq_unpack_i8 (WLP_TYPE_Q8_0, row, 32, q, &scale, NULL), ==, 0);
    g_assert_true (scale == wlq_f16_to_f32 (wlq_f32_to_f16 (largest / 127.0f)));
    for (guint i = 0; i < 32; i++) {
      const double steps = (double)values[i] / (double)scale;

      g_assert_cmpint (q[i], ==, (int)CLAMP (rint (steps), -127.0, 127.0));
      g_assert_true (fabs ((double)back[i] - (double)values[i]) <= (double)scale * 0.5625);
    }
  }
}

static void
test_quantize_q8_0_extremes (void)
{
  float values[32] = { 0 };
  guint8 row[34];
  float back[32];

  g_assert_cmpint (wlq_quantize_row_q8_0 (values, 32, row), ==, 0);
  for (guint i = 0; i < 34; i++)
    g_assert_cmpuint (row[i], ==, 0);

  values[0] = 3e38f;
  values[1] = -INFINITY;
  values[2] = NAN;
  g_assert_cmpint (wlq_quantize_row_q8_0 (values, 32, row), ==, 0);
  g_assert_cmpint (wlq_dequantize_row (WLP_TYPE_Q8_0, row, 32, back), ==, 0);
  g_assert_true (back[0] == 65504.0f * 127.0f);
  g_assert_true (back[1] == -65504.0f * 127.0f);
  g_assert_true (back[2] == -65504.0f * 127.0f);
  g_assert_true (back[3] == 0.0f);

  values[0] = values[1] = values[2] = 1e-9f; /* below what a float16 scale holds */
  g_assert_cmpint (wlq_quantize_row_q8_0 (values, 32, row), ==, 0);
  g_assert_cmpint (wlq_dequantize_row (WLP_TYPE_Q8_0, row, 32, back), ==, 0);
  g_assert_true (back[0] == 0.0f);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (guint type = 1; type < N_TYPES; type++)
    if (wlq_is_supported (type)) {
      g_autofree char *path = g_strconcat ("/quant/rows/reference/", wlq_type_name (type), NULL);

      g_test_add_data_func (path, GUINT_TO_POINTER (type), test_reference);
    }
  g_test_add_func ("/quant/rows/f32", test_f32);
  g_test_add_func ("/quant/rows/samples", test_samples);
  g_test_add_func ("/quant/rows/shared-sizes", test_shared_sizes);
  g_test_add_func ("/quant/rows/traits", test_traits);
  g_test_add_func ("/quant/rows/refusals", test_refusals);
  g_test_add_func ("/quant/rows/quantize-q8-0", test_quantize_q8_0);
  g_test_add_func ("/quant/rows/quantize-q8-0-extremes", test_quantize_q8_0_extremes);
  return g_test_run ();
}
