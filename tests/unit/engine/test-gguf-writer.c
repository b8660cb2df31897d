/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What is written is what is read; models in one file and in several.
 */
#include "gguf/gguf-writer.h"

#include "gguf-bytes.h"
#include "wly-error.h"
#include "wly-test-model.h"

#include <fcntl.h>

#define N_PARTS 3u

static WlyGguf *
open_fds (const int *fds, guint n, GError **error)
{
  WlyGguf *gguf = wly_gguf_open (fds, n, error);

  for (guint i = 0; i < n; i++)
    close (fds[i]);
  return gguf;
}

static void
test_keys (void)
{
  g_autoptr (WlyGgufWriter) writer      = wly_gguf_writer_new ();
  g_autoptr (GError) error              = NULL;
  g_autoptr (WlyGguf) gguf              = NULL;
  const gint32 integers[]               = { -1, 2 };
  const float floats[]                  = { 0.5f, -3.0f };
  const WlyGgufString strings[]         = { { "a", 1 }, { "", 0 } };
  const int fd                          = memfd_create ("written", MFD_CLOEXEC);
  g_autofree gint32 *got_integers       = NULL;
  g_autofree float *got_floats          = NULL;
  g_autofree WlyGgufString *got_strings = NULL;
  gboolean boolean                      = FALSE;
  guint32 u32                           = 0;
  float f32                             = 0;
  gsize n                               = 0;

  wly_gguf_writer_set_string (writer, "general.architecture", "tester", 4);
  wly_gguf_writer_set_u32 (writer, "u32", 1);
  wly_gguf_writer_set_bool (writer, "bool", TRUE);
  wly_gguf_writer_set_f32 (writer, "f32", 1.5f);
  wly_gguf_writer_set_array_i32 (writer, "i32s", integers, 2);
  wly_gguf_writer_set_array_f32 (writer, "f32s", floats, 2);
  wly_gguf_writer_set_array_string (writer, "strings", strings, 2);
  wly_gguf_writer_set_u32 (writer, "u32", 7); /* again: the last one counts */
  g_assert_true (wly_gguf_writer_begin (writer, fd, &error));
  g_assert_true (wly_gguf_writer_finish (writer, &error));
  gguf = open_fds (&fd, 1, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (wly_gguf_n_keys (gguf), ==, 7);
  g_assert_cmpstr (wly_gguf_key (gguf, 1, NULL), ==, "u32");
  g_assert_cmpstr (wly_gguf_metadata (gguf)->ops->architecture (wly_gguf_metadata (gguf)), ==, "test");
  g_assert_true (wly_gguf_get_u32 (gguf, "u32", &u32) && u32 == 7);
  g_assert_true (wly_gguf_get_bool (gguf, "bool", &boolean) && boolean);
  g_assert_true (wly_gguf_get_f32 (gguf, "f32", &f32) && f32 == 1.5f);
  g_assert_true (wly_gguf_get_array_i32 (gguf, "i32s", &got_integers, &n));
  g_assert_cmpmem (got_integers, n * 4, integers, sizeof integers);
  g_assert_true (wly_gguf_get_array_f32 (gguf, "f32s", &got_floats, &n));
  g_assert_cmpmem (got_floats, n * 4, floats, sizeof floats);
  g_assert_true (wly_gguf_get_array_string (gguf, "strings", &got_strings, &n));
  g_assert_true (n == 2 && got_strings[0].n_bytes == 1 && got_strings[1].n_bytes == 0);
}

/* Numbers as the keys of split files have them. */
static void
set_u16 (WlyGgufWriter *writer, const char *key, guint16 value)
{
  const guint8 bytes[2] = { (guint8)value, (guint8)(value >> 8) };

  wly_gguf_writer_set_raw (writer, key, WLY_GGUF_U16, bytes, 2);
}

typedef struct {
  guint number; /* what it says of itself */
  guint count;
  guint n_tensors;
} Split;

/* Every n-th tensor of @gguf in a memory file; the first part has all the keys, as real split files have it. */
static int
write_part (const WlyGguf *gguf, guint first, guint step, const Split *split)
{
  g_autoptr (WlyGgufWriter) writer = wly_gguf_writer_new ();
  g_autoptr (GError) error         = NULL;
  const int fd                     = memfd_create ("part", MFD_CLOEXEC);
  const guint n                    = (guint)wly_gguf_n_tensors (gguf);

  if (first == 0)
    wly_gguf_writer_copy_keys (writer, gguf);
  if (split != NULL) {
    set_u16 (writer, "split.no", (guint16)split->number);
    set_u16 (writer, "split.count", (guint16)split->count);
    wly_gguf_writer_set_u32 (writer, "split.tensors.count", split->n_tensors);
  }
  for (guint i = first; i < n; i += step) {
    const WlyGgufTensor *tensor = wly_gguf_tensor (gguf, i);

    g_assert_true (wly_gguf_writer_add_tensor (writer, tensor->name, &tensor->shape, &error));
  }
  wly_gguf_writer_begin (writer, fd, &error);
  for (guint i = first; i < n; i += step) {
    const WlyGgufTensor *tensor = wly_gguf_tensor (gguf, i);
    const guint8 *data          = wly_gguf_tensor_data (gguf, tensor);

    g_assert_true (wly_gguf_writer_write (writer, data, 1, &error)); /* in uneven pieces */
    g_assert_true (wly_gguf_writer_write (writer, data + 1, tensor->n_bytes - 1, &error));
  }
  g_assert_true (wly_gguf_writer_finish (writer, &error));
  g_assert_no_error (error);
  return fd;
}

static void
assert_same_tensors (const WlyGguf *a, const WlyGguf *b)
{
  g_assert_cmpuint (wly_gguf_n_tensors (a), ==, wly_gguf_n_tensors (b));
  g_assert_cmpuint (wly_gguf_n_parameters (a), ==, wly_gguf_n_parameters (b));
  for (guint64 i = 0; i < wly_gguf_n_tensors (a); i++) {
    const WlyGgufTensor *x = wly_gguf_tensor (a, i);
    const WlyGgufTensor *y = wly_gguf_find_tensor (b, x->name);

    g_assert_nonnull (y);
    g_assert_cmpmem (&x->shape, sizeof x->shape, &y->shape, sizeof y->shape);
    g_assert_cmpmem (wly_gguf_tensor_data (a, x), x->n_bytes, wly_gguf_tensor_data (b, y), y->n_bytes);
  }
}

static WlyGguf *
open_model (void)
{
  WlyTestModel model;

  wly_test_model_init (&model);
  model.n_layers = 1;
  model.type     = WLP_TYPE_Q5_0;
  return wly_test_model_open (&model);
}

static void
test_round_trip (void)
{
  g_autoptr (WlyGguf) model = open_model ();
  g_autoptr (GError) error  = NULL;
  const int fd              = write_part (model, 0, 1, NULL);
  g_autoptr (WlyGguf) copy  = open_fds (&fd, 1, &error);

  g_assert_no_error (error);
  assert_sound (copy);
  assert_same_tensors (model, copy);
  g_assert_cmpuint (wly_gguf_n_keys (copy), ==, wly_gguf_n_keys (model));
  for (guint64 i = 0; i < wly_gguf_n_keys (model); i++) {
    WlyGgufType type, copied_type;
    gsize n, n_copied;

    g_assert_cmpstr (wly_gguf_key (model, i, &type), ==, wly_gguf_key (copy, i, &copied_type));
    g_assert_cmpint (type, ==, copied_type);
    g_assert_true (wly_gguf_key_value (model, i, &n) != NULL && wly_gguf_key_value (copy, i, &n_copied) != NULL);
    g_assert_cmpmem (wly_gguf_key_value (model, i, &n), n, wly_gguf_key_value (copy, i, &n_copied), n_copied);
  }
}

static void
test_alignment (void)
{
  g_autoptr (WlyGgufWriter) writer = wly_gguf_writer_new ();
  g_autoptr (WlyGguf) model        = open_model ();
  g_autoptr (GError) error         = NULL;
  g_autoptr (WlyGguf) copy         = NULL;
  const WlyGgufTensor *norm        = wly_gguf_find_tensor (model, "output_norm.weight");
  const int fd                     = memfd_create ("aligned", MFD_CLOEXEC);

  wly_gguf_writer_set_string (writer, "general.architecture", "test", -1);
  wly_gguf_writer_set_u32 (writer, "general.alignment", 4096);
  g_assert_true (wly_gguf_writer_add_tensor (writer, "a", &norm->shape, &error));
  g_assert_true (wly_gguf_writer_add_tensor (writer, "b", &norm->shape, &error));
  g_assert_true (wly_gguf_writer_begin (writer, fd, &error));
  g_assert_true (wly_gguf_writer_write (writer, wly_gguf_tensor_data (model, norm), norm->n_bytes, &error));
  g_assert_false (wly_gguf_writer_finish (writer, &error)); /* one is missing */
  g_assert_error (error, WLY_ERROR, WLY_ERROR_FAILED);
  g_clear_error (&error);
  g_assert_true (wly_gguf_writer_write (writer, wly_gguf_tensor_data (model, norm), norm->n_bytes, &error));
  g_assert_true (wly_gguf_writer_finish (writer, &error));
  g_assert_false (wly_gguf_writer_write (writer, "x", 1, &error)); /* one too many */
  g_clear_error (&error);
  copy = open_fds (&fd, 1, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (wly_gguf_tensor (copy, 1)->offset, ==, 2 * 4096);
}

static void
test_refusals (void)
{
  g_autoptr (WlyGgufWriter) writer = wly_gguf_writer_new ();
  g_autofree char *long_name       = g_strnfill (64, 'n');
  const struct wlp_shape good      = { .n_dims = 1, .type = WLP_TYPE_F32, .ne = { 4 } };
  const struct wlp_shape broken    = { .n_dims = 1, .type = WLP_TYPE_Q4_0, .ne = { 33 } };
  const struct wlp_shape unknown   = { .n_dims = 1, .type = 4, .ne = { 32 } };
  const int closed                 = open ("/dev/full", O_WRONLY | O_CLOEXEC);
  g_autoptr (GError) error         = NULL;

  g_assert_false (wly_gguf_writer_add_tensor (writer, long_name, &good, NULL));
  g_assert_false (wly_gguf_writer_add_tensor (writer, "", &good, NULL));
  g_assert_false (wly_gguf_writer_add_tensor (writer, "a", &broken, NULL));
  g_assert_false (wly_gguf_writer_add_tensor (writer, "a", &unknown, NULL));
  g_assert_false (wly_gguf_writer_begin (writer, closed, &error));
  g_assert_error (error, WLY_ERROR, WLY_ERROR_FAILED);
  g_assert_nonnull (strstr (error->message, "No space left"));
  close (closed);
}

/* ---- split files ---- */

static void
make_parts (const WlyGguf *model, int *ret_fds)
{
  for (guint i = 0; i < N_PARTS; i++) {
    const Split split = { .number = i, .count = N_PARTS, .n_tensors = (guint)wly_gguf_n_tensors (model) };

    ret_fds[i] = write_part (model, i, N_PARTS, &split);
  }
}

static void
test_split (void)
{
  g_autoptr (WlyGguf) model = open_model ();
  g_autoptr (GError) error  = NULL;
  g_autoptr (WlyGguf) whole = NULL;
  const WlyGgufTensor *second;
  struct wlp_weight_source source;
  int fds[N_PARTS];
  guint8 byte;

  make_parts (model, fds);
  whole = open_fds (fds, N_PARTS, &error);
  g_assert_no_error (error);
  assert_same_tensors (model, whole);
  g_assert_cmpuint (wly_gguf_n_parts (whole), ==, N_PARTS);
  g_assert_cmpuint (wly_gguf_data_bytes (whole), ==, wly_gguf_data_bytes (model));
  second = wly_gguf_find_tensor (whole, wly_gguf_tensor (model, 1)->name);
  g_assert_cmpuint (second->part, ==, 1);
  wly_gguf_tensor_source (whole, second, &source);
  g_assert_cmpint (pread (source.fd, &byte, 1, (off_t)source.offset), ==, 1);
  g_assert_cmpuint (byte, ==, *(const guint8 *)source.map);
}

static void
assert_split_refused (const int *fds, guint n, const char *text)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (wly_gguf_open (fds, n, &error));
  g_assert_error (error, WLY_ERROR, WLY_ERROR_INVALID_MODEL);
  if (strstr (error->message, text) == NULL)
    g_error ("\"%s\", expected \"%s\"", error->message, text);
}

static void
test_split_refusals (void)
{
  g_autoptr (WlyGguf) model = open_model ();
  const Split miscounted    = { .number = 0, .count = N_PARTS, .n_tensors = 5 };
  const Split said          = { .number = 2, .count = N_PARTS };
  int fds[N_PARTS], plain, first, other;

  make_parts (model, fds);
  plain = write_part (model, 0, 1, NULL);
  first = write_part (model, 0, N_PARTS, &miscounted);
  other = write_part (model, 1, N_PARTS, &said); /* tensors of the second part as the third */
  assert_split_refused (fds, 1, "3 files, but 1 were given");
  assert_split_refused (fds, 2, "3 files, but 2 were given");
  assert_split_refused ((const int[]){ fds[0], fds[2], fds[1] }, 3, "file 2 of 3 says that it is number 2");
  assert_split_refused ((const int[]){ fds[1], fds[0], fds[2] }, 3, "file 1 of 3 says that it is number 1");
  assert_split_refused ((const int[]){ plain, fds[1], fds[2] }, 3, "1 files, but 3 were given");
  assert_split_refused ((const int[]){ fds[0], plain, fds[2] }, 3, "file 2 of 3: ");
  assert_split_refused ((const int[]){ first, fds[1], fds[2] }, 3, "\"split.tensors.count\": 5 tensors");
  assert_split_refused ((const int[]){ fds[0], fds[1], other }, 3, "stands in the file twice");
  for (guint i = 0; i < N_PARTS; i++)
    close (fds[i]);
  close (plain);
  close (first);
  close (other);
}

static void
assert_part_names (const char *name, const char *joined)
{
  g_auto (GStrv) names = wly_gguf_part_names (name);
  g_autofree char *got = names != NULL ? g_strjoinv (" ", names) : NULL;

  g_assert_cmpstr (got, ==, joined);
}

static void
test_part_names (void)
{
  assert_part_names ("m.gguf", "m.gguf");
  assert_part_names ("m-00001-of-00002.gguf", "m-00001-of-00002.gguf m-00002-of-00002.gguf");
  assert_part_names ("m-00001-of-00001.gguf", "m-00001-of-00001.gguf");
  assert_part_names ("m-00002-of-00003.gguf", NULL);
  assert_part_names ("m-00004-of-00003.gguf", "m-00004-of-00003.gguf");
  assert_part_names ("m-00000-of-00003.gguf", "m-00000-of-00003.gguf");
  assert_part_names ("m-0001-of-00003.gguf", "m-0001-of-00003.gguf");
  assert_part_names ("m-00001-of-99999.gguf", "m-00001-of-99999.gguf");
  assert_part_names ("m-0000x-of-00003.gguf", "m-0000x-of-00003.gguf");
  assert_part_names ("-00001-of-00003.gguf", "-00001-of-00003.gguf");
  assert_part_names ("", "");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/engine/gguf-writer/keys", test_keys);
  g_test_add_func ("/engine/gguf-writer/round-trip", test_round_trip);
  g_test_add_func ("/engine/gguf-writer/alignment", test_alignment);
  g_test_add_func ("/engine/gguf-writer/refusals", test_refusals);
  g_test_add_func ("/engine/gguf-writer/split", test_split);
  g_test_add_func ("/engine/gguf-writer/split-refusals", test_split_refusals);
  g_test_add_func ("/engine/gguf-writer/part-names", test_part_names);
  return g_test_run ();
}
