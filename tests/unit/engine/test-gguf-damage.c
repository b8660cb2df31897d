/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Files that were cut short or filled with noise: refused with a reason, or sound.
 */
#include "gguf-bytes.h"
#include "wly-error.h"
#include "wly-test-data.h"
#include "wly-test-model.h"
#include "wly-test-random.h"

#define N_CUTS  200u
#define N_FLIPS 4000u

/* A small model of our own; its bytes. */
static GBytes *
make_model (void)
{
  WlyTestModel model;
  g_autoptr (GMappedFile) file = NULL;
  g_autoptr (GError) error     = NULL;
  int fd;
  GBytes *bytes;

  wly_test_model_init (&model);
  model.n_embd   = 64;
  model.n_ff     = 64;
  model.head_dim = 16;
  model.n_layers = 1;
  model.type     = WLP_TYPE_Q4_0;
  fd             = wly_test_model_memory (&model);
  file           = g_mapped_file_new_from_fd (fd, FALSE, &error);
  g_assert_no_error (error);
  bytes = g_bytes_new (g_mapped_file_get_contents (file), g_mapped_file_get_length (file));
  close (fd);
  return bytes;
}

/* Where the data begins and where the last tensor ends. */
static void
find_data (const guint8 *data, gsize n, gsize *ret_begin, gsize *ret_end)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (WlyGguf) gguf = open_data (data, n, &error);
  const WlyGgufTensor *last;

  g_assert_no_error (error);
  last       = wly_gguf_tensor (gguf, wly_gguf_n_tensors (gguf) - 1);
  *ret_begin = (gsize)wly_gguf_tensor (gguf, 0)->offset;
  *ret_end   = (gsize)(last->offset + last->n_bytes);
}

static void
assert_cut_is_refused (const guint8 *data, gsize n)
{
  g_autoptr (GError) error = NULL;

  if (open_data (data, n, &error) != NULL)
    g_error ("a file cut to %" G_GSIZE_FORMAT " bytes was accepted", n);
  g_assert_error (error, WLY_ERROR, WLY_ERROR_INVALID_MODEL);
}

/* Every place in the header, and the last bytes. */
static void
test_cuts (void)
{
  g_autoptr (GBytes) bytes = make_model ();
  gsize n, begin, end;
  const guint8 *data = g_bytes_get_data (bytes, &n);

  find_data (data, n, &begin, &end);
  for (gsize cut = 0; cut < begin; cut += 3)
    assert_cut_is_refused (data, cut);
  for (gsize cut = begin; cut < end; cut += (end - begin) / 50)
    assert_cut_is_refused (data, cut);
  assert_cut_is_refused (data, end - 1);
}

static void
test_cuts_of_real_file (void)
{
  g_autofree char *path    = wly_test_data_path ("../../data/models/woolly-tiny-Q8_0.gguf");
  g_autoptr (GBytes) bytes = wly_test_data_read (path);
  gsize n;
  const guint8 *data   = g_bytes_get_data (bytes, &n);
  WlyTestRandom random = { .state = 11 };

  for (guint i = 0; i < N_CUTS; i++)
    assert_cut_is_refused (data, wly_test_random_below (&random, (guint32)n));
}

/* One to eight bytes changed, most of them in the header; @data is put right again. */
static void
flip_and_open (guint8 *data, gsize n, gsize n_header, WlyTestRandom *random, guint *n_accepted)
{
  const guint n_flips      = 1 + wly_test_random_below (random, 8);
  g_autoptr (GError) error = NULL;
  g_autoptr (WlyGguf) gguf = NULL;
  gsize at[8];
  guint8 old[8];

  for (guint i = 0; i < n_flips; i++) {
    const gsize range = wly_test_random_below (random, 8) == 0 ? n : n_header;

    at[i]       = wly_test_random_below (random, (guint32)range);
    old[i]      = data[at[i]];
    data[at[i]] = (guint8)wly_test_random_u64 (random);
  }
  gguf = open_data (data, n, &error);
  for (guint i = n_flips; i > 0; i--)
    data[at[i - 1]] = old[i - 1];
  if (gguf == NULL) {
    g_assert_true (g_error_matches (error, WLY_ERROR, WLY_ERROR_INVALID_MODEL)
                   || g_error_matches (error, WLY_ERROR, WLY_ERROR_UNSUPPORTED_MODEL));
    g_assert_true (g_utf8_validate (error->message, -1, NULL));
    return;
  }
  assert_sound (gguf);
  (*n_accepted)++;
}

static void
test_flips (void)
{
  g_autoptr (GBytes) bytes = make_model ();
  gsize n, n_header, end;
  const guint8 *original  = g_bytes_get_data (bytes, &n);
  g_autofree guint8 *data = g_memdup2 (original, n);
  WlyTestRandom random    = { .state = 5 };
  guint n_accepted        = 0;

  find_data (original, n, &n_header, &end);
  for (guint i = 0; i < N_FLIPS; i++)
    flip_and_open (data, n, n_header, &random, &n_accepted);
  g_assert_cmpmem (data, n, original, n);
  /* both happen, else this looks at nothing */
  g_assert_cmpuint (n_accepted, >, N_FLIPS / 100);
  g_assert_cmpuint (n_accepted, <, N_FLIPS - N_FLIPS / 100);
}

static void
test_noise (void)
{
  WlyTestRandom random = { .state = 9 };
  guint8 data[512];

  for (guint i = 0; i < 2000; i++) {
    g_autoptr (GError) error = NULL;
    g_autoptr (WlyGguf) gguf = NULL;
    const guint counts[4]    = { 0, 1, 2, wly_test_random_below (&random, 100) };

    wly_test_random_bytes (&random, data, sizeof data);
    memcpy (data, "GGUF\x03\0\0\0", 8);
    memset (data + 8, 0, 16);
    data[8]  = (guint8)counts[wly_test_random_below (&random, 4)];
    data[16] = (guint8)counts[wly_test_random_below (&random, 4)];
    gguf     = open_data (data, sizeof data, &error);
    g_assert_null (gguf); /* random bytes do not say general.architecture */
    g_assert_true (error->domain == WLY_ERROR);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/engine/gguf-damage/cuts", test_cuts);
  g_test_add_func ("/engine/gguf-damage/cuts-of-real-file", test_cuts_of_real_file);
  g_test_add_func ("/engine/gguf-damage/flips", test_flips);
  g_test_add_func ("/engine/gguf-damage/noise", test_noise);
  return g_test_run ();
}
