/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wly-error.h"
#include "wly-options.h"
#include "woolly-names.h"

#include <math.h>
#include <string.h>

static GVariant *
parse (const char *text)
{
  g_autoptr (GError) error = NULL;
  GVariant *value          = g_variant_parse (G_VARIANT_TYPE_VARDICT, text, NULL, NULL, &error);

  g_assert_no_error (error);
  return value;
}

static void
assert_refused (guint scopes, const char *text, const char *named)
{
  g_autoptr (GVariant) options = parse (text);
  g_autoptr (GError) error     = NULL;

  g_assert_false (wly_options_check (scopes, options, &error));
  g_assert_error (error, WLY_ERROR, WLY_ERROR_INVALID_ARGS);
  g_assert_nonnull (strstr (error->message, named));
}

static void
test_refuse (void)
{
  const guint scopes = 1u << WLY_SCOPE_GENERATE;

  assert_refused (scopes, "{'no-such-key': <1>}", "no-such-key");
  assert_refused (scopes, "{'max-tokens': <'many'>}", "max-tokens");
  assert_refused (scopes, "{'max-tokens': <uint32 0>}", "max-tokens");
  assert_refused (scopes, "{'temperature': <-0.5>}", "temperature");
  assert_refused (scopes, "{'stream': <'carrier-pigeon'>}", "frames|jsonl|text");
  assert_refused (scopes, "{'seed': <uint64 1>, 'seed': <uint64 2>}", "twice");
  /* a key of another scope is not known here */
  assert_refused (scopes, "{'threads': <uint32 1>}", "threads");
}

static void
assert_number_refused (const WlyOption *option, GVariant *value)
{
  GVariantDict dict;
  g_autoptr (GVariant) options = NULL;
  g_autoptr (GError) error     = NULL;

  g_variant_dict_init (&dict, NULL);
  g_variant_dict_insert_value (&dict, option->key, value);
  options = g_variant_ref_sink (g_variant_dict_end (&dict));
  g_assert_false (wly_options_check (1u << option->scope, options, &error));
  g_assert_error (error, WLY_ERROR, WLY_ERROR_INVALID_ARGS);
  g_assert_nonnull (strstr (error->message, option->key));
}

/* Every number of the table, just outside its range. */
static void
test_ranges (void)
{
  gsize n;
  const WlyOption *table = wly_options_table (&n);

  for (gsize i = 0; i < n; i++) {
    const WlyOption *option = &table[i];

    if (option->minimum >= option->maximum)
      continue;
    if (g_str_equal (option->type, "d")) {
      assert_number_refused (option, g_variant_new_double (option->minimum - 0.001));
      assert_number_refused (option, g_variant_new_double (option->maximum + 0.001));
      assert_number_refused (option, g_variant_new_double (NAN));
      assert_number_refused (option, g_variant_new_double (INFINITY));
      assert_number_refused (option, g_variant_new_double (-INFINITY));
    } else if (g_str_equal (option->type, "u")) {
      if (option->minimum > 0)
        assert_number_refused (option, g_variant_new_uint32 ((guint32)option->minimum - 1));
      assert_number_refused (option, g_variant_new_uint32 ((guint32)option->maximum + 1));
    }
    assert_number_refused (option, g_variant_new_int16 (1));
  }
}

/* Every default of the table is a value that the table takes. */
static void
test_defaults (void)
{
  gsize n;
  const WlyOption *table = wly_options_table (&n);

  for (gsize i = 0; i < n; i++) {
    g_autoptr (GVariant) options = NULL;
    g_autoptr (GError) error     = NULL;
    GVariantDict dict;
    GVariant *value;

    if (table[i].default_text[0] == '\0')
      continue;
    value = g_variant_parse (G_VARIANT_TYPE (table[i].type), table[i].default_text, NULL, NULL, &error);
    g_assert_no_error (error);
    /* 0 and '' stand for "not given" where the range begins above */
    if (g_str_equal (table[i].default_text, "0") || g_str_equal (table[i].default_text, "''")) {
      g_variant_unref (value);
      continue;
    }
    g_variant_dict_init (&dict, NULL);
    g_variant_dict_insert_value (&dict, table[i].key, value);
    g_variant_unref (value);
    options = g_variant_ref_sink (g_variant_dict_end (&dict));
    wly_options_check (1u << table[i].scope, options, &error);
    g_assert_no_error (error);
  }
}

static void
test_get (void)
{
  g_autoptr (GVariant) options  = parse ("{'max-tokens': <uint32 7>, 'stop': <['a', 'b']>, 'context': <uint32 99>}");
  g_autoptr (GVariant) filtered = g_variant_ref_sink (wly_options_filter (1u << WLY_SCOPE_SESSION, options));
  g_auto (GStrv) stop           = wly_options_dup_strv (WLY_SCOPE_GENERATE, options, "stop");
  g_autofree char *stream       = wly_options_dup_string (WLY_SCOPE_GENERATE, options, "stream");

  g_assert_cmpuint (wly_options_get_uint32 (WLY_SCOPE_GENERATE, options, "max-tokens"), ==, 7);
  g_assert_cmpfloat (wly_options_get_double (WLY_SCOPE_GENERATE, options, "temperature"), ==, 0.8);
  g_assert_cmpfloat (wly_options_get_double (WLY_SCOPE_GENERATE, NULL, "top-p"), ==, 0.95);
  g_assert_cmpuint (g_strv_length (stop), ==, 2);
  g_assert_cmpstr (stream, ==, "frames");
  g_assert_true (wly_options_has (options, "stop"));
  g_assert_false (wly_options_has (options, "seed"));
  g_assert_cmpuint (g_variant_n_children (filtered), ==, 1);
}

static void
test_largest_seed (void)
{
  g_autoptr (GVariant) options = parse ("{'seed': <uint64 9007199254740991>}");
  g_autoptr (GError) error     = NULL;

  g_assert_true (wly_options_check (1u << WLY_SCOPE_GENERATE, options, &error));
  g_assert_cmpuint (wly_options_get_uint64 (WLY_SCOPE_GENERATE, options, "seed"), ==,
                    G_GUINT64_CONSTANT (9007199254740991));
  assert_refused (1u << WLY_SCOPE_GENERATE, "{'seed': <uint64 9007199254740992>}", "seed");
  assert_refused (1u << WLY_SCOPE_GENERATE, "{'seed': <uint64 18446744073709551615>}", "seed");
}

/* What waits in a queue with its options must not fill the memory. */
static void
test_sizes (void)
{
  g_autofree char *longest     = g_strnfill (WOOLLY_ITEM_BYTES, 'x');
  g_autofree char *too_long    = g_strnfill (WOOLLY_ITEM_BYTES + 1, 'x');
  g_autofree char *huge        = g_strnfill (WOOLLY_INLINE_BYTES, 'x');
  g_autofree char *fits        = g_strdup_printf ("{'stop': <['%s', 'b']>}", longest);
  g_autofree char *refused     = g_strdup_printf ("{'stop': <['a', '%s']>}", too_long);
  g_autofree char *together    = g_strdup_printf ("{'stop': <['%s']>}", huge);
  g_autoptr (GVariant) options = parse (fits);
  g_autoptr (GError) error     = NULL;

  g_assert_true (wly_options_check (1u << WLY_SCOPE_GENERATE, options, &error));
  g_assert_no_error (error);
  assert_refused (1u << WLY_SCOPE_GENERATE, refused, "stop");
  assert_refused (1u << WLY_SCOPE_GENERATE, together, "together");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/util/wly-options/refuse", test_refuse);
  g_test_add_func ("/util/wly-options/ranges", test_ranges);
  g_test_add_func ("/util/wly-options/defaults", test_defaults);
  g_test_add_func ("/util/wly-options/get", test_get);
  g_test_add_func ("/util/wly-options/largest-seed", test_largest_seed);
  g_test_add_func ("/util/wly-options/sizes", test_sizes);
  return g_test_run ();
}
