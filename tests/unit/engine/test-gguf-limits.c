/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * One file for each rule that a GGUF file can break, and the largest ones that keep the rules.
 */
#include "gguf-bytes.h"
#include "wly-error.h"
#include "wly-sanitizer.h"

#include <sys/resource.h>

#define ADDRESS_SPACE_BYTES (G_GUINT64_CONSTANT (256) << 20)

typedef struct {
  const char *name;
  WlyErrorCode code;
  const char *text; /* of the message */
  GByteArray *(*build) (void);
} BadFile;

static void
assert_refused (const char *name, GByteArray *bytes, WlyErrorCode code, const char *text)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (WlyGguf) gguf = open_data (bytes->data, bytes->len, &error);

  g_byte_array_unref (bytes);
  if (gguf != NULL)
    g_error ("%s: was accepted", name);
  if (!g_error_matches (error, WLY_ERROR, (gint)code) || strstr (error->message, text) == NULL)
    g_error ("%s: \"%s\" (%d), expected \"%s\" (%d)", name, error->message, error->code, text, code);
}

/* ---- the header ---- */

static GByteArray *
build_empty (void)
{
  return g_byte_array_new ();
}

static GByteArray *
build_three_bytes (void)
{
  GByteArray *bytes = g_byte_array_new ();

  put_bytes (bytes, "GGU", 3);
  return bytes;
}

static GByteArray *
build_magic_alone (void)
{
  GByteArray *bytes = g_byte_array_new ();

  put_bytes (bytes, "GGUF", 4);
  return bytes;
}

static GByteArray *
build_other_magic (void)
{
  GByteArray *bytes = new_model (0, 1);

  bytes->data[3] = 'L';
  return bytes;
}

static GByteArray *
build_lfs_pointer (void)
{
  GByteArray *bytes = g_byte_array_new ();

  put_bytes (bytes, "version https://git-lfs.github.com/spec/v1\n", 43);
  return bytes;
}

static GByteArray *
build_with_version (guint32 version)
{
  GByteArray *bytes = new_model (0, 1);

  for (int i = 0; i < 4; i++)
    bytes->data[4 + i] = (guint8)(version >> (8 * i));
  return bytes;
}

static GByteArray *
build_version_1 (void)
{
  return build_with_version (1);
}

static GByteArray *
build_version_4 (void)
{
  return build_with_version (4);
}

static GByteArray *
build_big_endian (void)
{
  return build_with_version (0x03000000);
}

static GByteArray *
build_short_header (void)
{
  GByteArray *bytes = new_file (0, 0);

  g_byte_array_set_size (bytes, 20);
  return bytes;
}

static GByteArray *
build_endless_keys (void)
{
  return new_model (0, G_MAXUINT64);
}

static GByteArray *
build_more_keys_than_bytes (void)
{
  return new_model (0, 50000);
}

static GByteArray *
build_many_keys (guint n)
{
  GByteArray *bytes = new_model (0, n);

  for (guint i = 1; i < n; i++) {
    char name[32];

    g_snprintf (name, sizeof name, "k%u", i);
    put_key_u32 (bytes, name, i);
  }
  return bytes;
}

static GByteArray *
build_too_many_keys (void)
{
  return build_many_keys (65537);
}

static GByteArray *
build_endless_tensors (void)
{
  return new_model (G_GUINT64_CONSTANT (1) << 63, 1);
}

static GByteArray *
build_more_tensors_than_bytes (void)
{
  return new_model (60000, 1);
}

static GByteArray *
build_many_tensors (guint n)
{
  GByteArray *bytes = new_model (n, 1);

  for (guint i = 0; i < n; i++) {
    char name[32];

    g_snprintf (name, sizeof name, "t%u", i);
    put_vector (bytes, name, 1, i * 32);
  }
  pad (bytes, 32);
  put_zeros (bytes, n * 32);
  return bytes;
}

static GByteArray *
build_too_many_tensors (void)
{
  return build_many_tensors (65537);
}

/* ---- keys ---- */

static GByteArray *
build_key_name (const void *name, gsize n_name, guint64 n_said)
{
  GByteArray *bytes = new_model (0, 2);

  put_u64 (bytes, n_said);
  put_bytes (bytes, name, n_name);
  put_u32 (bytes, WLY_GGUF_U8);
  put_zeros (bytes, 64);
  return bytes;
}

static GByteArray *
build_key_without_name (void)
{
  return build_key_name ("", 0, 0);
}

static GByteArray *
build_long_key (void)
{
  g_autofree char *name = g_strnfill (65536, 'k');

  return build_key_name (name, 65536, 65536);
}

static GByteArray *
build_key_beyond_file (void)
{
  return build_key_name ("key", 3, 1000);
}

static GByteArray *
build_key_length_wraps (void)
{
  return build_key_name ("key", 3, G_MAXUINT64);
}

static GByteArray *
build_key_no_utf8 (void)
{
  return build_key_name ("k\xff", 2, 2);
}

static GByteArray *
build_key_with_nul (void)
{
  return build_key_name ("k\0y", 3, 3);
}

static GByteArray *
build_key_twice (void)
{
  GByteArray *bytes = new_model (0, 3);

  put_key_u32 (bytes, "some.key", 1);
  put_key_u32 (bytes, "some.key", 1);
  return bytes;
}

static GByteArray *
build_value_type (void)
{
  GByteArray *bytes = new_model (0, 2);

  put_key (bytes, "some.key", 13);
  put_zeros (bytes, 64);
  return bytes;
}

static GByteArray *
build_value_missing (void)
{
  GByteArray *bytes = new_model (0, 2);

  put_key (bytes, "some.key", WLY_GGUF_U64);
  put_u32 (bytes, 0);
  return bytes;
}

static GByteArray *
build_string_length (guint64 n_said, gsize n_there)
{
  GByteArray *bytes = new_model (0, 2);

  put_key (bytes, "some.key", WLY_GGUF_STRING);
  put_u64 (bytes, n_said);
  put_zeros (bytes, n_there);
  return bytes;
}

static GByteArray *
build_string_beyond_file (void)
{
  return build_string_length (65, 64);
}

static GByteArray *
build_string_length_wraps (void)
{
  return build_string_length (G_MAXUINT64 - 7, 64);
}

static GByteArray *
build_string_long (void)
{
  return build_string_length ((16u << 20) + 1, (16u << 20) + 1);
}

static GByteArray *
build_array (guint32 item_type, guint64 n, gsize n_there)
{
  GByteArray *bytes = new_model (0, 2);

  put_key (bytes, "some.key", WLY_GGUF_ARRAY);
  put_u32 (bytes, item_type);
  put_u64 (bytes, n);
  put_zeros (bytes, n_there);
  return bytes;
}

static GByteArray *
build_array_of_arrays (void)
{
  return build_array (WLY_GGUF_ARRAY, 1, 64);
}

static GByteArray *
build_array_item_type (void)
{
  return build_array (99, 1, 64);
}

static GByteArray *
build_array_length_wraps (void)
{
  return build_array (WLY_GGUF_U64, G_GUINT64_CONSTANT (1) << 61, 64);
}

static GByteArray *
build_array_too_long (void)
{
  return build_array (WLY_GGUF_U8, (64u << 20) + 1, 64);
}

static GByteArray *
build_array_beyond_file (void)
{
  return build_array (WLY_GGUF_U32, 17, 64);
}

static GByteArray *
build_strings_beyond_file (void)
{
  return build_array (WLY_GGUF_STRING, 9, 64);
}

static GByteArray *
build_long_string_in_array (void)
{
  GByteArray *bytes = build_array (WLY_GGUF_STRING, 1, 0);

  put_u64 (bytes, G_MAXUINT64);
  put_zeros (bytes, 64);
  return bytes;
}

static GByteArray *
build_bool (void)
{
  GByteArray *bytes = new_model (0, 2);

  put_key (bytes, "some.key", WLY_GGUF_BOOL);
  put_u8 (bytes, 2);
  return bytes;
}

static GByteArray *
build_bool_in_array (void)
{
  GByteArray *bytes = build_array (WLY_GGUF_BOOL, 3, 2);

  put_u8 (bytes, 3);
  return bytes;
}

static GByteArray *
build_no_architecture (void)
{
  GByteArray *bytes = new_file (0, 1);

  put_key_u32 (bytes, "some.key", 1);
  return bytes;
}

static GByteArray *
build_architecture_number (void)
{
  GByteArray *bytes = new_file (0, 1);

  put_key_u32 (bytes, "general.architecture", 1);
  return bytes;
}

static GByteArray *
build_architecture_empty (void)
{
  GByteArray *bytes = new_file (0, 1);

  put_key_string (bytes, "general.architecture", "");
  return bytes;
}

static GByteArray *
build_architecture_no_utf8 (void)
{
  GByteArray *bytes = new_file (0, 1);

  put_key_string (bytes, "general.architecture", "\xc3(");
  return bytes;
}

/* ---- tensors that are wrong together ---- */

static GByteArray *
build_two_vectors (const char *first, const char *second, guint64 second_offset)
{
  GByteArray *bytes = new_model (2, 1);

  put_vector (bytes, first, 16, 0);
  put_vector (bytes, second, 16, second_offset);
  pad (bytes, 32);
  put_zeros (bytes, 256);
  return bytes;
}

static GByteArray *
build_tensor_twice (void)
{
  return build_two_vectors ("a.weight", "a.weight", 64);
}

static GByteArray *
build_overlap (void)
{
  return build_two_vectors ("a.weight", "b.weight", 32);
}

static GByteArray *
build_same_place (void)
{
  return build_two_vectors ("a.weight", "b.weight", 0);
}

static GByteArray *
build_no_data (void)
{
  GByteArray *bytes = new_model (1, 1);

  put_vector (bytes, "a.weight", 1, 0);
  return bytes;
}

#define INVALID     WLY_ERROR_INVALID_MODEL
#define UNSUPPORTED WLY_ERROR_UNSUPPORTED_MODEL

static const BadFile bad_files[] = {
  { "empty", INVALID, "0 bytes", build_empty },
  { "three-bytes", INVALID, "3 bytes", build_three_bytes },
  { "magic-alone", INVALID, "ends inside its header", build_magic_alone },
  { "other-magic", INVALID, "47 47 55 4c", build_other_magic },
  { "lfs-pointer", INVALID, "Git LFS", build_lfs_pointer },
  { "version-1", UNSUPPORTED, "version 1", build_version_1 },
  { "version-4", UNSUPPORTED, "version 4", build_version_4 },
  { "big-endian", UNSUPPORTED, "big-endian", build_big_endian },
  { "short-header", INVALID, "ends inside its header", build_short_header },
  { "endless-keys", INVALID, "18446744073709551615 keys", build_endless_keys },
  { "more-keys-than-bytes", INVALID, "50000 keys", build_more_keys_than_bytes },
  { "too-many-keys", INVALID, "65537 keys", build_too_many_keys },
  { "endless-tensors", INVALID, "9223372036854775808 tensors", build_endless_tensors },
  { "more-tensors-than-bytes", INVALID, "60000 tensors", build_more_tensors_than_bytes },
  { "too-many-tensors", INVALID, "65537 tensors", build_too_many_tensors },
  { "key-without-name", INVALID, "key 1: a name of 0 bytes", build_key_without_name },
  { "long-key", INVALID, "key 1: a name of 65536 bytes", build_long_key },
  { "key-beyond-file", INVALID, "inside the name of key 1", build_key_beyond_file },
  { "key-length-wraps", INVALID, "key 1: a name of 18446744073709551615 bytes", build_key_length_wraps },
  { "key-no-utf8", INVALID, "not valid UTF-8", build_key_no_utf8 },
  { "key-with-nul", INVALID, "holds a NUL", build_key_with_nul },
  { "key-twice", INVALID, "\"some.key\": stands in the file twice", build_key_twice },
  { "value-type", INVALID, "\"some.key\": value type 13", build_value_type },
  { "value-missing", INVALID, "\"some.key\": the file ends", build_value_missing },
  { "string-beyond-file", INVALID, "\"some.key\": the file ends", build_string_beyond_file },
  { "string-length-wraps", INVALID, "\"some.key\": a string of 18446744073709551608 bytes", build_string_length_wraps },
  { "string-long", INVALID, "\"some.key\": a string of 16777217 bytes", build_string_long },
  { "array-of-arrays", INVALID, "\"some.key\": an array of arrays", build_array_of_arrays },
  { "array-item-type", INVALID, "\"some.key\": an array of value type 99", build_array_item_type },
  { "array-length-wraps", INVALID, "\"some.key\": an array of 2305843009213693952 items", build_array_length_wraps },
  { "array-too-long", INVALID, "\"some.key\": an array of 67108865 items", build_array_too_long },
  { "array-beyond-file", INVALID, "\"some.key\": the file ends", build_array_beyond_file },
  { "strings-beyond-file", INVALID, "\"some.key\": the file ends", build_strings_beyond_file },
  { "long-string-in-array", INVALID, "\"some.key\": a string of", build_long_string_in_array },
  { "bool", INVALID, "\"some.key\": the value 2", build_bool },
  { "bool-in-array", INVALID, "\"some.key\": the value 3", build_bool_in_array },
  { "no-architecture", INVALID, "general.architecture", build_no_architecture },
  { "architecture-number", INVALID, "general.architecture", build_architecture_number },
  { "architecture-empty", INVALID, "general.architecture", build_architecture_empty },
  { "architecture-no-utf8", INVALID, "general.architecture", build_architecture_no_utf8 },
  { "tensor-twice", INVALID, "\"a.weight\": stands in the file twice", build_tensor_twice },
  { "overlap", INVALID, "\"b.weight\": its bytes overlap those of tensor \"a.weight\"", build_overlap },
  { "same-place", INVALID, "overlap", build_same_place },
  { "no-data", INVALID, "ends before the data", build_no_data },
};

static void
test_bad_file (gconstpointer data)
{
  const BadFile *file = data;

  assert_refused (file->name, file->build (), file->code, file->text);
}

/* ---- one tensor ---- */

#define TWO_TO(n) (G_GUINT64_CONSTANT (1) << (n))

typedef struct {
  const char *name;
  const char *text; /* NULL: it is fine */
  guint32 n_dims;
  guint64 ne[5];
  guint32 type;
  guint64 offset;
  gsize data_bytes;
} TensorCase;

static const TensorCase tensor_cases[] = {
  { "exact", NULL, 1, { 8 }, WLP_TYPE_F32, 0, 32 },
  { "last-byte", "32 bytes at offset 0 lie outside", 1, { 8 }, WLP_TYPE_F32, 0, 31 },
  { "at-offset", NULL, 1, { 8 }, WLP_TYPE_F32, 64, 96 },
  { "at-offset-last-byte", "lie outside", 1, { 8 }, WLP_TYPE_F32, 64, 95 },
  { "offset-wraps", "lie outside", 1, { 8 }, WLP_TYPE_F32, G_MAXUINT64 - 31, 64 },
  { "offset-half", "lie outside", 1, { 8 }, WLP_TYPE_F32, TWO_TO (63), 64 },
  { "misaligned", "offset 8, expected a multiple of 32", 1, { 8 }, WLP_TYPE_F32, 8, 64 },
  { "scalar", NULL, 0, { 0 }, WLP_TYPE_F32, 0, 4 },
  { "four-dims", NULL, 4, { 2, 2, 2, 1 }, WLP_TYPE_F32, 0, 32 },
  { "five-dims", "5 dimensions, expected at most 4", 5, { 1, 1, 1, 1, 1 }, WLP_TYPE_F32, 0, 64 },
  { "endless-dims", "dimensions", 0xffffffff, { 1 }, WLP_TYPE_F32, 0, 64 },
  { "zero-extent", "extent 1 is 0", 2, { 32, 0 }, WLP_TYPE_F32, 0, 64 },
  { "zero-first", "extent 0 is 0", 1, { 0 }, WLP_TYPE_F32, 0, 64 },
  { "product-2-64", "63 bits", 2, { TWO_TO (32), TWO_TO (32) }, WLP_TYPE_F32, 0, 64 },
  { "product-2-63", "63 bits", 1, { TWO_TO (63) }, WLP_TYPE_F32, 0, 64 },
  { "product-wraps-to-small", "63 bits", 3, { TWO_TO (22) + 1, TWO_TO (42) + 1, 4 }, WLP_TYPE_F32, 0, 64 },
  { "four-extents-wrap", "63 bits", 4, { TWO_TO (16), TWO_TO (16), TWO_TO (16), TWO_TO (16) }, WLP_TYPE_Q8_0, 0, 64 },
  { "bytes-2-64", "64 bits can count", 1, { TWO_TO (62) }, WLP_TYPE_F32, 0, 64 },
  { "bytes-wrap-to-4", "64 bits can count", 1, { TWO_TO (62) + 1 }, WLP_TYPE_F32, 0, 64 },
  { "bytes-large", "lie outside", 1, { TWO_TO (42) + 1 }, WLP_TYPE_F32, 0, 64 },
  { "block", NULL, 1, { 64 }, WLP_TYPE_Q4_0, 0, 36 },
  { "block-broken",
    "rows of 33 weights, expected a multiple of 32 for type Q4_0",
    2,
    { 33, 32 },
    WLP_TYPE_Q4_0,
    0,
    4096 },
  { "block-256-broken", "expected a multiple of 256", 2, { 128, 2 }, WLP_TYPE_Q6_K, 0, 4096 },
  { "not-runnable-type", NULL, 1, { 256 }, WLP_TYPE_IQ1_S, 0, 50 },
};

static GByteArray *
build_tensor (const TensorCase *test, const char *name)
{
  GByteArray *bytes = new_model (1, 1);

  if (test->n_dims <= G_N_ELEMENTS (test->ne)) {
    put_tensor (bytes, name, test->n_dims, test->ne, test->type, test->offset);
  } else {
    put_string (bytes, name);
    put_u32 (bytes, test->n_dims);
    put_zeros (bytes, 64);
  }
  pad (bytes, 32);
  put_zeros (bytes, test->data_bytes);
  return bytes;
}

static void
test_tensor (gconstpointer data)
{
  const TensorCase *test   = data;
  g_autoptr (WlyGguf) gguf = NULL;

  if (test->text != NULL) {
    assert_refused (test->name, build_tensor (test, "some.weight"), INVALID, test->text);
    assert_refused (test->name, build_tensor (test, "some.weight"), INVALID, "\"some.weight\"");
    return;
  }
  gguf = open_good (build_tensor (test, "some.weight"));
  assert_sound (gguf);
  g_assert_cmpuint (wly_gguf_n_tensors (gguf), ==, 1);
}

static void
test_tensor_types (void)
{
  for (guint32 type = 0; type < 300; type++) {
    const TensorCase test    = { .name = "type", .n_dims = 1, .ne = { 256 }, .type = type, .data_bytes = 4096 };
    GByteArray *bytes        = build_tensor (&test, "odd.weight");
    g_autoptr (GError) error = NULL;
    g_autoptr (WlyGguf) gguf = open_data (bytes->data, bytes->len, &error);
    g_autofree char *number  = g_strdup_printf ("type %u ", type);
    const gboolean dropped =
        type == 4 || type == 5 || (type >= 31 && type <= 33) || (type >= 36 && type <= 38) || type > 42;

    g_byte_array_unref (bytes);
    if (!dropped) {
      g_assert_no_error (error);
      assert_sound (gguf);
      continue;
    }
    g_assert_error (error, WLY_ERROR, WLY_ERROR_UNSUPPORTED_MODEL);
    g_assert_nonnull (strstr (error->message, "\"odd.weight\""));
    g_assert_nonnull (strstr (error->message, number));
  }
}

static void
test_tensor_names (void)
{
  const TensorCase test    = { .name = "name", .n_dims = 1, .ne = { 8 }, .data_bytes = 32 };
  g_autofree char *longest = g_strnfill (63, 'n');
  g_autofree char *longer  = g_strnfill (64, 'n');
  g_autoptr (WlyGguf) gguf = open_good (build_tensor (&test, longest));

  g_assert_cmpstr (wly_gguf_tensor (gguf, 0)->name, ==, longest);
  assert_refused ("64 bytes", build_tensor (&test, longer), INVALID, "tensor 0: a name of 64 bytes");
  assert_refused ("0 bytes", build_tensor (&test, ""), INVALID, "tensor 0: a name of 0 bytes");
  assert_refused ("no UTF-8", build_tensor (&test, "\xff"), INVALID, "tensor 0: the name is not valid UTF-8");
}

/* ---- alignment ---- */

static void
test_alignment (void)
{
  static const guint32 values[] = {
    0, 1, 2, 4, 7, 8, 16, 24, 32, 33, 64, 4096, 65535, 65536, 131072, 1u << 30, 1u << 31
  };

  for (gsize i = 0; i < G_N_ELEMENTS (values); i++) {
    const guint32 value = values[i];
    const gboolean good = value >= 8 && value <= 65536 && (value & (value - 1)) == 0;
    GByteArray *bytes   = new_model (2, 2);

    put_key_u32 (bytes, "general.alignment", value);
    put_vector (bytes, "a.weight", 1, 0);
    put_vector (bytes, "b.weight", 1, value);
    if (!good) {
      put_zeros (bytes, 256);
      assert_refused ("alignment", bytes, INVALID, "\"general.alignment\"");
      continue;
    }
    pad (bytes, value);
    put_zeros (bytes, value + 4);
    {
      g_autoptr (WlyGguf) gguf = open_good (bytes);

      assert_sound (gguf);
      g_assert_cmpuint (wly_gguf_tensor (gguf, 1)->offset % value, ==, 0);
    }
  }
}

static void
test_alignment_type (void)
{
  GByteArray *bytes = new_model (0, 2);

  put_key (bytes, "general.alignment", WLY_GGUF_U64);
  put_u64 (bytes, 32);
  assert_refused ("alignment type", bytes, INVALID, "\"general.alignment\": type u64, expected u32");
}

/* ---- the largest that is allowed ---- */

static void
test_most_keys (void)
{
  g_autoptr (WlyGguf) gguf = open_good (build_many_keys (65536));
  guint32 value            = 0;

  g_assert_cmpuint (wly_gguf_n_keys (gguf), ==, 65536);
  g_assert_true (wly_gguf_get_u32 (gguf, "k65535", &value));
  g_assert_cmpuint (value, ==, 65535);
  g_assert_false (wly_gguf_get_u32 (gguf, "k65536", &value));
}

static void
test_most_tensors (void)
{
  g_autoptr (WlyGguf) gguf = open_good (build_many_tensors (65536));

  assert_sound (gguf);
  g_assert_cmpuint (wly_gguf_n_tensors (gguf), ==, 65536);
}

static void
test_longest_key (void)
{
  g_autofree char *name    = g_strnfill (65535, 'k');
  g_autoptr (WlyGguf) gguf = open_good (build_key_name (name, 65535, 65535));

  g_assert_cmpstr (wly_gguf_key (gguf, 1, NULL), ==, name);
}

static void
test_longest_string (void)
{
  g_autoptr (WlyGguf) gguf = open_good (build_string_length (16u << 20, 16u << 20));
  WlyGgufString value;

  g_assert_true (wly_gguf_get_string (gguf, "some.key", &value));
  g_assert_cmpuint (value.n_bytes, ==, 16u << 20);
  g_assert_null (wly_gguf_dup_string (gguf, "some.key")); /* it is all NUL */
}

/* A message names a long key in short, and an odd one so that it can be read. */
static void
test_names_in_messages (void)
{
  g_autofree char *name    = g_strnfill (60000, 'k');
  g_autoptr (GError) error = NULL;
  g_autoptr (GError) odd   = NULL;
  GByteArray *bytes        = new_model (0, 2);

  put_key (bytes, name, 13);
  put_zeros (bytes, 8);
  g_assert_null (open_data (bytes->data, bytes->len, &error));
  g_assert_cmpuint (strlen (error->message), <, 300);
  g_assert_nonnull (strstr (error->message, "kkkk…\""));
  g_byte_array_unref (bytes);

  bytes = new_model (0, 2);
  put_key (bytes, "a\n\x1b[2Jé", 13);
  put_zeros (bytes, 8);
  g_assert_null (open_data (bytes->data, bytes->len, &odd));
  g_assert_nonnull (strstr (odd->message, "\"a\\n\\033[2Jé\""));
  g_byte_array_unref (bytes);
}

/* None of the bad files makes the reader ask for much memory: all of them are refused in little address space. */
static void
test_memory (void)
{
#if WLY_SANITIZED
  g_test_skip ("sanitizers need address space of their own");
#else
  if (!g_test_subprocess ()) {
    g_test_trap_subprocess (NULL, 0, 0);
    g_test_trap_assert_passed ();
    return;
  }
  {
    const struct rlimit limit = { ADDRESS_SPACE_BYTES, ADDRESS_SPACE_BYTES };

    g_assert_cmpint (setrlimit (RLIMIT_AS, &limit), ==, 0);
  }
  for (gsize i = 0; i < G_N_ELEMENTS (bad_files); i++)
    test_bad_file (&bad_files[i]);
  for (gsize i = 0; i < G_N_ELEMENTS (tensor_cases); i++)
    test_tensor (&tensor_cases[i]);
#endif
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (bad_files); i++) {
    g_autofree char *path = g_strconcat ("/engine/gguf-limits/file/", bad_files[i].name, NULL);

    g_test_add_data_func (path, &bad_files[i], test_bad_file);
  }
  for (gsize i = 0; i < G_N_ELEMENTS (tensor_cases); i++) {
    g_autofree char *path = g_strconcat ("/engine/gguf-limits/tensor/", tensor_cases[i].name, NULL);

    g_test_add_data_func (path, &tensor_cases[i], test_tensor);
  }
  g_test_add_func ("/engine/gguf-limits/tensor-types", test_tensor_types);
  g_test_add_func ("/engine/gguf-limits/tensor-names", test_tensor_names);
  g_test_add_func ("/engine/gguf-limits/alignment", test_alignment);
  g_test_add_func ("/engine/gguf-limits/alignment-type", test_alignment_type);
  g_test_add_func ("/engine/gguf-limits/most-keys", test_most_keys);
  g_test_add_func ("/engine/gguf-limits/most-tensors", test_most_tensors);
  g_test_add_func ("/engine/gguf-limits/longest-key", test_longest_key);
  g_test_add_func ("/engine/gguf-limits/longest-string", test_longest_string);
  g_test_add_func ("/engine/gguf-limits/names-in-messages", test_names_in_messages);
  g_test_add_func ("/engine/gguf-limits/memory", test_memory);
  return g_test_run ();
}
