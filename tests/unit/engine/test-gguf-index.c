/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gguf/gguf-index.h"
#include "wly-test-random.h"

static void
test_find (void)
{
  WlyGgufIndex index        = { 0 };
  g_autoptr (GPtrArray) own = g_ptr_array_new_with_free_func (g_free);
  WlyTestRandom random      = { .state = 2 };
  guint32 number            = 0;

  g_assert_false (wly_gguf_index_find (&index, "x", &number));
  wly_gguf_index_init (&index, 0);
  g_assert_false (wly_gguf_index_find (&index, "x", &number));
  for (guint i = 0; i < 1000; i++) {
    g_ptr_array_add (own, g_strdup_printf ("%u.%" G_GUINT64_FORMAT, i, wly_test_random_u64 (&random)));
    wly_gguf_index_add (&index, own->pdata[i], i * 3);
  }
  g_assert_null (wly_gguf_index_sort (&index));
  for (guint i = 0; i < 1000; i++) {
    g_assert_true (wly_gguf_index_find (&index, own->pdata[i], &number));
    g_assert_cmpuint (number, ==, i * 3);
  }
  g_assert_false (wly_gguf_index_find (&index, "", &number));
  g_assert_false (wly_gguf_index_find (&index, "0.", &number));
  wly_gguf_index_finish (&index);
  wly_gguf_index_finish (&index);
}

static void
test_twice (void)
{
  WlyGgufIndex index = { 0 };

  wly_gguf_index_init (&index, 3);
  wly_gguf_index_add (&index, "a", 0);
  wly_gguf_index_add (&index, "b", 1);
  wly_gguf_index_add (&index, "a", 2);
  g_assert_cmpstr (wly_gguf_index_sort (&index), ==, "a");
  wly_gguf_index_finish (&index);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/engine/gguf-index/find", test_find);
  g_test_add_func ("/engine/gguf-index/twice", test_twice);
  return g_test_run ();
}
