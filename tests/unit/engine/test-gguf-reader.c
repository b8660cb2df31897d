/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gguf-bytes.h"
#include "wly-error.h"
#include "wly-test-data.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <sys/stat.h>

/* One key of each type, named after it. */
static GByteArray *
build_all_types (guint32 version)
{
  GByteArray *bytes     = new_model (0, 21);
  const float one_half  = 0.5f;
  const double quarters = 0.25, huge = 1e300;
  const guint32 f32_bits[] = { 0x3f800000, 0x40000000 };

  bytes->data[4] = (guint8)version;
  put_key (bytes, "u8", WLY_GGUF_U8);
  put_u8 (bytes, 200);
  put_key (bytes, "i8", WLY_GGUF_I8);
  put_u8 (bytes, 0xfe);
  put_key (bytes, "u16", WLY_GGUF_U16);
  put_bytes (bytes, "\x01\x80", 2);
  put_key (bytes, "i16", WLY_GGUF_I16);
  put_bytes (bytes, "\x01\x80", 2);
  put_key_u32 (bytes, "u32", 0xfffffff0);
  put_key (bytes, "i32", WLY_GGUF_I32);
  put_u32 (bytes, 0xfffffff0);
  put_key (bytes, "f32", WLY_GGUF_F32);
  put_bytes (bytes, &one_half, 4);
  put_key (bytes, "bool", WLY_GGUF_BOOL);
  put_u8 (bytes, 1);
  put_key_string (bytes, "string", "héllo");
  put_key (bytes, "u64", WLY_GGUF_U64);
  put_u64 (bytes, G_GUINT64_CONSTANT (1) << 63);
  put_key (bytes, "u64-small", WLY_GGUF_U64);
  put_u64 (bytes, 77);
  put_key (bytes, "i64", WLY_GGUF_I64);
  put_u64 (bytes, (guint64)-5);
  put_key (bytes, "f64", WLY_GGUF_F64);
  put_bytes (bytes, &quarters, 8);
  put_key (bytes, "f64-huge", WLY_GGUF_F64);
  put_bytes (bytes, &huge, 8);
  put_key (bytes, "bytes", WLY_GGUF_ARRAY);
  put_u32 (bytes, WLY_GGUF_I8);
  put_u64 (bytes, 3);
  put_bytes (bytes, "\x01\xff\x7f", 3);
  put_key (bytes, "longs", WLY_GGUF_ARRAY);
  put_u32 (bytes, WLY_GGUF_U64);
  put_u64 (bytes, 2);
  put_u64 (bytes, 5);
  put_u64 (bytes, G_GUINT64_CONSTANT (1) << 40);
  put_key (bytes, "floats", WLY_GGUF_ARRAY);
  put_u32 (bytes, WLY_GGUF_F32);
  put_u64 (bytes, 2);
  put_bytes (bytes, f32_bits, 8);
  put_key (bytes, "bools", WLY_GGUF_ARRAY);
  put_u32 (bytes, WLY_GGUF_BOOL);
  put_u64 (bytes, 2);
  put_bytes (bytes, "\x01\x00", 2);
  put_key (bytes, "strings", WLY_GGUF_ARRAY);
  put_u32 (bytes, WLY_GGUF_STRING);
  put_u64 (bytes, 3);
  put_string (bytes, "one");
  put_string (bytes, "");
  put_string (bytes, "\xff");
  put_key (bytes, "nothing", WLY_GGUF_ARRAY);
  put_u32 (bytes, WLY_GGUF_STRING);
  put_u64 (bytes, 0);
  return bytes;
}

static void
test_integers (gconstpointer version)
{
  g_autoptr (WlyGguf) gguf = open_good (build_all_types (GPOINTER_TO_UINT (version)));
  guint32 u32              = 0;
  guint64 u64              = 0;

  g_assert_true (wly_gguf_get_u32 (gguf, "u8", &u32));
  g_assert_cmpuint (u32, ==, 200);
  g_assert_true (wly_gguf_get_u32 (gguf, "u16", &u32));
  g_assert_cmpuint (u32, ==, 0x8001);
  g_assert_true (wly_gguf_get_u32 (gguf, "u32", &u32));
  g_assert_cmpuint (u32, ==, 0xfffffff0);
  g_assert_true (wly_gguf_get_u32 (gguf, "u64-small", &u32));
  g_assert_cmpuint (u32, ==, 77);
  g_assert_true (wly_gguf_get_u64 (gguf, "u64", &u64));
  g_assert_cmpuint (u64, ==, G_GUINT64_CONSTANT (1) << 63);
  g_assert_false (wly_gguf_get_u32 (gguf, "u64", &u32));
  g_assert_false (wly_gguf_get_u32 (gguf, "i8", &u32));
  g_assert_false (wly_gguf_get_u64 (gguf, "i64", &u64));
  g_assert_false (wly_gguf_get_u32 (gguf, "f32", &u32));
  g_assert_false (wly_gguf_get_u32 (gguf, "bool", &u32));
  g_assert_false (wly_gguf_get_u32 (gguf, "string", &u32));
  g_assert_false (wly_gguf_get_u32 (gguf, "bytes", &u32));
  g_assert_false (wly_gguf_get_u32 (gguf, "missing", &u32));
}

static void
test_other_values (void)
{
  g_autoptr (WlyGguf) gguf = open_good (build_all_types (3));
  g_autofree char *text    = wly_gguf_dup_string (gguf, "string");
  float f32                = 0;
  gboolean boolean         = FALSE;
  WlyGgufType type;
  gsize n;

  g_assert_cmpstr (text, ==, "héllo");
  g_assert_null (wly_gguf_dup_string (gguf, "u8"));
  g_assert_true (wly_gguf_get_f32 (gguf, "f32", &f32) && f32 == 0.5f);
  g_assert_true (wly_gguf_get_f32 (gguf, "f64", &f32) && f32 == 0.25f);
  g_assert_true (wly_gguf_get_f32 (gguf, "i8", &f32) && f32 == -2.0f);
  g_assert_false (wly_gguf_get_f32 (gguf, "f64-huge", &f32));
  g_assert_false (wly_gguf_get_f32 (gguf, "u32", &f32)); /* a float does not hold it */
  g_assert_false (wly_gguf_get_f32 (gguf, "bool", &f32));
  g_assert_true (wly_gguf_get_bool (gguf, "bool", &boolean) && boolean);
  g_assert_false (wly_gguf_get_bool (gguf, "u8", &boolean));
  g_assert_cmpstr (wly_gguf_key (gguf, 9, &type), ==, "string");
  g_assert_cmpint (type, ==, WLY_GGUF_STRING);
  g_assert_null (wly_gguf_key (gguf, 21, &type));
  g_assert_nonnull (wly_gguf_key_value (gguf, 9, &n));
  g_assert_cmpuint (n, ==, 8 + strlen ("héllo"));
}

static void
test_arrays (void)
{
  g_autoptr (WlyGguf) gguf          = open_good (build_all_types (3));
  g_autofree gint32 *integers       = NULL;
  g_autofree float *floats          = NULL;
  g_autofree WlyGgufString *strings = NULL;
  g_autofree WlyGgufString *nothing = NULL;
  gint32 *refused                   = NULL;
  gsize n                           = 0;

  g_assert_true (wly_gguf_get_array_i32 (gguf, "bytes", &integers, &n));
  g_assert_cmpuint (n, ==, 3);
  g_assert_cmpint (integers[0], ==, 1);
  g_assert_cmpint (integers[1], ==, -1);
  g_assert_cmpint (integers[2], ==, 127);
  g_assert_false (wly_gguf_get_array_i32 (gguf, "longs", &refused, &n)); /* one does not fit */
  g_assert_false (wly_gguf_get_array_i32 (gguf, "floats", &refused, &n));
  g_assert_false (wly_gguf_get_array_i32 (gguf, "strings", &refused, &n));
  g_assert_false (wly_gguf_get_array_i32 (gguf, "u8", &refused, &n));
  g_assert_true (wly_gguf_get_array_f32 (gguf, "floats", &floats, &n));
  g_assert_true (n == 2 && floats[0] == 1.0f && floats[1] == 2.0f);
  g_assert_true (wly_gguf_get_array_string (gguf, "strings", &strings, &n));
  g_assert_cmpuint (n, ==, 3);
  g_assert_cmpmem (strings[0].data, strings[0].n_bytes, "one", 3);
  g_assert_cmpuint (strings[1].n_bytes, ==, 0);
  g_assert_cmpmem (strings[2].data, strings[2].n_bytes, "\xff", 1);
  g_assert_true (wly_gguf_get_array_string (gguf, "nothing", &nothing, &n));
  g_assert_cmpuint (n, ==, 0);
}

/* What plugins see, with the reason of each refusal. */
static void
test_metadata (void)
{
  g_autoptr (WlyGguf) gguf           = open_good (build_all_types (3));
  const struct wlp_metadata *view    = wly_gguf_metadata (gguf);
  const struct wlp_metadata_ops *ops = view->ops;
  struct wlp_shape shape;
  uint32_t u32, u32s[3];
  uint64_t length;
  float f32, f32s[3];
  char text[4];
  int boolean;

  g_assert_cmpuint (ops->version, ==, WLP_METADATA_VERSION);
  g_assert_cmpstr (ops->architecture (view), ==, "test");
  g_assert_cmpint (ops->get_u32 (view, "u64-small", &u32), ==, 0);
  g_assert_cmpint (ops->get_u32 (view, "missing", &u32), ==, -ENOENT);
  g_assert_cmpint (ops->get_u32 (view, "string", &u32), ==, -EINVAL);
  g_assert_cmpint (ops->get_u32 (view, "i8", &u32), ==, -ERANGE);
  g_assert_cmpint (ops->get_f32 (view, "f64-huge", &f32), ==, -ERANGE);
  g_assert_cmpint (ops->get_f32 (view, "string", &f32), ==, -EINVAL);
  g_assert_cmpint (ops->get_bool (view, "u8", &boolean), ==, -EINVAL);
  g_assert_cmpint (ops->get_bool (view, "bool", &boolean), ==, 0);
  g_assert_cmpint (ops->get_string (view, "string", text, sizeof text), ==, -ERANGE);
  g_assert_cmpstr (text, ==, "hé");
  g_assert_cmpint (ops->get_string (view, "u8", text, sizeof text), ==, -EINVAL);
  g_assert_cmpint (ops->get_string (view, "string", text, 0), ==, -ERANGE);
  g_assert_cmpint (ops->get_array_length (view, "longs", &length), ==, 0);
  g_assert_cmpuint (length, ==, 2);
  g_assert_cmpint (ops->get_array_length (view, "u8", &length), ==, -EINVAL);
  g_assert_cmpint (ops->get_array_length (view, "missing", &length), ==, -ENOENT);
  g_assert_cmpint (ops->get_array_u32 (view, "longs", 0, 1, u32s), ==, 0);
  g_assert_cmpint (ops->get_array_u32 (view, "longs", 1, 1, u32s), ==, -ERANGE); /* 2^40 */
  g_assert_cmpint (ops->get_array_u32 (view, "longs", 0, 3, u32s), ==, -ERANGE);
  g_assert_cmpint (ops->get_array_u32 (view, "longs", G_MAXUINT64, 1, u32s), ==, -ERANGE);
  g_assert_cmpint (ops->get_array_u32 (view, "longs", 1, G_MAXUINT64, u32s), ==, -ERANGE);
  g_assert_cmpint (ops->get_array_u32 (view, "bools", 0, 2, u32s), ==, 0);
  g_assert_true (u32s[0] == 1 && u32s[1] == 0);
  g_assert_cmpint (ops->get_array_u32 (view, "bools", 0, 3, u32s), ==, -ERANGE);
  g_assert_cmpint (ops->get_array_u32 (view, "bools", 1, 2, u32s), ==, -ERANGE);
  g_assert_cmpint (ops->get_array_u32 (view, "bools", 2, 0, u32s), ==, 0);
  g_assert_cmpint (ops->get_array_u32 (view, "bools", 3, 0, u32s), ==, -ERANGE);
  g_assert_cmpint (ops->get_array_f32 (view, "floats", 1, 2, f32s), ==, -ERANGE);
  g_assert_cmpint (ops->get_array_u32 (view, "strings", 0, 1, u32s), ==, -EINVAL);
  g_assert_cmpint (ops->get_array_f32 (view, "floats", 1, 1, f32s), ==, 0);
  g_assert_true (f32s[0] == 2.0f);
  g_assert_cmpint (ops->get_tensor (view, "missing", &shape), ==, -ENOENT);
}

static GByteArray *
build_one_tensor (void)
{
  const guint64 ne[2] = { 4, 2 };
  GByteArray *bytes   = new_model (1, 1);

  put_tensor (bytes, "some.weight", 2, ne, WLP_TYPE_F32, 32);
  pad (bytes, 32);
  put_zeros (bytes, 32);
  for (guint i = 0; i < 32; i++)
    put_u8 (bytes, (guint8)(i + 1));
  return bytes;
}

static void
test_tensor (void)
{
  g_autoptr (WlyGguf) gguf    = open_good (build_one_tensor ());
  const WlyGgufTensor *tensor = wly_gguf_find_tensor (gguf, "some.weight");
  struct wlp_weight_source source;
  struct wlp_shape shape;
  guint8 read[32];

  g_assert_nonnull (tensor);
  g_assert_true (tensor == wly_gguf_tensor (gguf, 0));
  g_assert_null (wly_gguf_tensor (gguf, 1));
  g_assert_null (wly_gguf_find_tensor (gguf, "some.weigh"));
  g_assert_cmpuint (tensor->n_bytes, ==, 32);
  g_assert_cmpuint (*(const guint8 *)wly_gguf_tensor_data (gguf, tensor), ==, 1);
  wly_gguf_tensor_source (gguf, tensor, &source);
  g_assert_cmpint (pread (source.fd, read, 32, (off_t)source.offset), ==, 32);
  g_assert_cmpmem (read, 32, source.map, 32);
  g_assert_cmpint (fcntl (source.fd, F_GETFD) & FD_CLOEXEC, !=, 0);
  g_assert_cmpint (wly_gguf_metadata (gguf)->ops->get_tensor (wly_gguf_metadata (gguf), "some.weight", &shape), ==, 0);
  g_assert_true (shape.n_dims == 2 && shape.ne[0] == 4 && shape.ne[1] == 2 && shape.ne[2] == 1 && shape.ne[3] == 1);
  g_assert_cmpuint (wly_gguf_n_parameters (gguf), ==, 8);
  g_assert_cmpuint (wly_gguf_data_bytes (gguf), ==, 32);
  g_assert_cmpstr (wly_gguf_quantization (gguf), ==, "F32");
}

static void
test_no_regular_file (void)
{
  int fds[2];
  const int null = open ("/dev/zero", O_RDONLY | O_CLOEXEC), folder = open ("/", O_RDONLY | O_CLOEXEC);
  const int closed = -1;

  g_assert_cmpint (pipe (fds), ==, 0);
  for (guint i = 0; i < 3; i++) {
    g_autoptr (GError) error = NULL;

    g_assert_null (wly_gguf_open ((const int *[]){ &fds[0], &null, &folder }[i], 1, &error));
    g_assert_error (error, WLY_ERROR, WLY_ERROR_INVALID_MODEL);
    g_assert_nonnull (strstr (error->message, "regular file"));
  }
  {
    g_autoptr (GError) error = NULL;

    g_assert_null (wly_gguf_open (&closed, 1, &error));
    g_assert_error (error, WLY_ERROR, WLY_ERROR_FAILED);
  }
  close (fds[0]);
  close (fds[1]);
  close (null);
  close (folder);
}

static guint
count_fds (void)
{
  g_autoptr (GDir) folder = g_dir_open ("/proc/self/fd", 0, NULL);
  guint n                 = 0;

  while (g_dir_read_name (folder) != NULL)
    n++;
  return n;
}

/* A file that was refused leaves nothing behind, and one that was opened goes with the last reference. */
static void
test_descriptors (void)
{
  const guint before       = count_fds ();
  g_autoptr (GError) error = NULL;
  GByteArray *bytes        = build_one_tensor ();
  WlyGguf *gguf            = open_data (bytes->data, bytes->len, &error);

  g_assert_no_error (error);
  g_assert_cmpuint (count_fds (), ==, before + 1);
  g_assert_true (wly_gguf_ref (gguf) == gguf);
  wly_gguf_unref (gguf);
  g_assert_cmpuint (count_fds (), ==, before + 1);
  wly_gguf_unref (gguf);
  g_assert_cmpuint (count_fds (), ==, before);
  g_assert_null (open_data (bytes->data, bytes->len - 1, &error));
  g_assert_cmpuint (count_fds (), ==, before);
  wly_gguf_unref (NULL);
  g_byte_array_unref (bytes);
}

static void
test_changed (void)
{
  GByteArray *bytes             = build_one_tensor ();
  const int fd                  = memory_file (bytes->data, bytes->len);
  g_autoptr (GError) error      = NULL;
  g_autoptr (WlyGguf) gguf      = wly_gguf_open (&fd, 1, &error);
  const struct timespec times[] = { { .tv_nsec = UTIME_OMIT }, { .tv_sec = 1000 } };
  WlyGgufIdentity identity;
  struct stat status;

  g_assert_no_error (error);
  g_assert_cmpint (fstat (fd, &status), ==, 0);
  wly_gguf_identity (gguf, 0, &identity);
  g_assert_cmpuint (identity.inode, ==, status.st_ino);
  g_assert_cmpuint (identity.device, ==, status.st_dev);
  g_assert_cmpuint (identity.n_bytes, ==, bytes->len);
  g_assert_cmpint (identity.modified_us / G_USEC_PER_SEC, ==, status.st_mtim.tv_sec);

  g_assert_cmpint (fchmod (fd, 0600), ==, 0); /* no change of what is in it */
  g_assert_true (wly_gguf_check_unchanged (gguf, &error));
  g_assert_cmpint (futimens (fd, times), ==, 0);
  g_assert_false (wly_gguf_check_unchanged (gguf, &error));
  g_assert_error (error, WLY_ERROR, WLY_ERROR_MODEL_CHANGED);
  g_clear_error (&error);
  g_clear_pointer (&gguf, wly_gguf_unref);

  gguf = wly_gguf_open (&fd, 1, &error);
  g_assert_no_error (error);
  g_assert_cmpint (ftruncate (fd, (off_t)bytes->len - 1), ==, 0);
  g_assert_false (wly_gguf_check_unchanged (gguf, &error));
  g_assert_error (error, WLY_ERROR, WLY_ERROR_MODEL_CHANGED);
  close (fd);
  g_byte_array_unref (bytes);
}

/* The bundled model. */
static void
test_real_file (void)
{
  g_autofree char *path            = wly_test_data_path ("../../data/models/woolly-tiny-Q8_0.gguf");
  g_autoptr (GError) error         = NULL;
  const int fd                     = open (path, O_RDONLY | O_CLOEXEC);
  g_autoptr (WlyGguf) gguf         = wly_gguf_open (&fd, 1, &error);
  g_autofree WlyGgufString *tokens = NULL;
  guint32 n_layers                 = 0;
  gsize n                          = 0;

  g_assert_no_error (error);
  close (fd);
  assert_sound (gguf);
  g_assert_cmpstr (wly_gguf_quantization (gguf), ==, "Q8_0");
  g_assert_true (wly_gguf_get_u32 (gguf, "llama.block_count", &n_layers));
  g_assert_cmpuint (n_layers, ==, 4);
  g_assert_true (wly_gguf_get_array_string (gguf, "tokenizer.ggml.tokens", &tokens, &n));
  g_assert_cmpuint (n, ==, 1024);
  g_assert_cmpuint (wly_gguf_n_parameters (gguf), ==, 3672320);
  g_assert_cmpuint (wly_gguf_n_parts (gguf), ==, 1);
}

static void
test_quantization (void)
{
  GByteArray *named          = new_model (0, 2);
  GByteArray *unknown        = new_model (0, 2);
  g_autoptr (WlyGguf) none   = open_good (new_model (0, 1));
  g_autoptr (WlyGguf) q4_k_m = NULL;
  g_autoptr (WlyGguf) odd    = NULL;

  put_key_u32 (named, "general.file_type", 15);
  q4_k_m = open_good (named);
  put_key_u32 (unknown, "general.file_type", 4242);
  odd = open_good (unknown);
  g_assert_cmpstr (wly_gguf_quantization (q4_k_m), ==, "Q4_K_M");
  g_assert_cmpstr (wly_gguf_quantization (odd), ==, "none");
  g_assert_cmpstr (wly_gguf_quantization (none), ==, "none");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_data_func ("/engine/gguf-reader/integers/version-2", GUINT_TO_POINTER (2), test_integers);
  g_test_add_data_func ("/engine/gguf-reader/integers/version-3", GUINT_TO_POINTER (3), test_integers);
  g_test_add_func ("/engine/gguf-reader/other-values", test_other_values);
  g_test_add_func ("/engine/gguf-reader/arrays", test_arrays);
  g_test_add_func ("/engine/gguf-reader/metadata", test_metadata);
  g_test_add_func ("/engine/gguf-reader/tensor", test_tensor);
  g_test_add_func ("/engine/gguf-reader/no-regular-file", test_no_regular_file);
  g_test_add_func ("/engine/gguf-reader/descriptors", test_descriptors);
  g_test_add_func ("/engine/gguf-reader/changed", test_changed);
  g_test_add_func ("/engine/gguf-reader/real-file", test_real_file);
  g_test_add_func ("/engine/gguf-reader/quantization", test_quantization);
  return g_test_run ();
}
