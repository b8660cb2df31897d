/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wly-options.h"

#include "wly-error.h"
#include "wly-utf8.h"
#include "woolly-names.h"

#include <math.h>
#include <string.h>

static const WlyOption table[] = {
#define WOOLLY_OPTION(scope, key, type, minimum, maximum, default_text, documentation)                                 \
  { WLY_SCOPE_##scope, key, type, minimum, maximum, default_text, documentation },
#define WOOLLY_OPTION_WORDS(scope, key, words)
#include "woolly-options.def"
#undef WOOLLY_OPTION
#undef WOOLLY_OPTION_WORDS
};

static const struct {
  WlyScope scope;
  const char *key;
  const char *words;
} words_table[] = {
#define WOOLLY_OPTION(scope, key, type, minimum, maximum, default_text, documentation)
#define WOOLLY_OPTION_WORDS(scope, key, words) { WLY_SCOPE_##scope, key, words },
#include "woolly-options.def"
#undef WOOLLY_OPTION
#undef WOOLLY_OPTION_WORDS
};

const WlyOption *
wly_options_table (gsize *ret_n)
{
  *ret_n = G_N_ELEMENTS (table);
  return table;
}

const WlyOption *
wly_options_find (WlyScope scope, const char *key)
{
  for (gsize i = 0; i < G_N_ELEMENTS (table); i++)
    if (table[i].scope == scope && g_str_equal (table[i].key, key))
      return &table[i];
  return NULL;
}

const char *
wly_options_words (const WlyOption *option)
{
  for (gsize i = 0; i < G_N_ELEMENTS (words_table); i++)
    if (words_table[i].scope == option->scope && g_str_equal (words_table[i].key, option->key))
      return words_table[i].words;
  return NULL;
}

static gboolean
word_known (const char *words, const char *word)
{
  g_auto (GStrv) list = g_strsplit (words, "|", -1);

  return g_strv_contains ((const char *const *)list, word);
}

static gboolean
check_number (const WlyOption *option, double value, GError **error)
{
  if (isfinite (value) && value >= option->minimum && value <= option->maximum)
    return TRUE;
  g_set_error (error, WLY_ERROR, WLY_ERROR_INVALID_ARGS, "Option “%s” must be from %.10g to %.10g, not %.10g",
               option->key, option->minimum, option->maximum, value);
  return FALSE;
}

/* 64-bit limits do not survive a double: the largest one stands for no limit. */
static gboolean
check_uint64 (const WlyOption *option, guint64 value, GError **error)
{
  if (option->maximum >= (double)G_MAXUINT64 && value >= option->minimum)
    return TRUE;
  return check_number (option, (double)value, error);
}

static gboolean
check_length (const WlyOption *option, gsize length, GError **error)
{
  if (length >= option->minimum && length <= option->maximum)
    return TRUE;
  g_set_error (error, WLY_ERROR, WLY_ERROR_INVALID_ARGS,
               "Option “%s” must have a length from %.0f to %.0f, not %" G_GSIZE_FORMAT, option->key, option->minimum,
               option->maximum, length);
  return FALSE;
}

static gboolean
check_string (const WlyOption *option, GVariant *value, GError **error)
{
  const char *words = wly_options_words (option);
  gsize length;
  const char *text = g_variant_get_string (value, &length);

  if (words != NULL && !word_known (words, text)) {
    g_set_error (error, WLY_ERROR, WLY_ERROR_INVALID_ARGS, "Option “%s” must be one of %s, not “%.*s”", option->key,
                 words, wly_utf8_shown (text), text);
    return FALSE;
  }
  return check_length (option, length, error);
}

/* A list of texts: as many as the table says, each of a bounded length. */
static gboolean
check_texts (const WlyOption *option, GVariant *value, GError **error)
{
  GVariantIter iter;
  const char *text;

  g_variant_iter_init (&iter, value);
  while (g_variant_iter_next (&iter, "&s", &text))
    if (strlen (text) > WOOLLY_ITEM_BYTES) {
      g_set_error (error, WLY_ERROR, WLY_ERROR_INVALID_ARGS,
                   "A text of option “%s” may have %d bytes, not %" G_GSIZE_FORMAT, option->key, WOOLLY_ITEM_BYTES,
                   strlen (text));
      return FALSE;
    }
  return TRUE;
}

/* Each a known word, none of them twice. */
static gboolean
check_words (const WlyOption *option, GVariant *value, GError **error)
{
  const char *words           = wly_options_words (option);
  g_autofree const char **all = NULL;

  if (words != NULL)
    all = g_variant_get_strv (value, NULL);
  for (gsize i = 0; all != NULL && all[i] != NULL; i++) {
    gboolean twice = FALSE;

    for (gsize j = 0; j < i; j++)
      twice = twice || g_str_equal (all[i], all[j]);
    if (word_known (words, all[i]) && !twice)
      continue;
    g_set_error (error, WLY_ERROR, WLY_ERROR_INVALID_ARGS, "Option “%s” must be of %s, each once at most, not “%.*s”",
                 option->key, words, wly_utf8_shown (all[i]), all[i]);
    return FALSE;
  }
  return TRUE;
}

static gboolean
check_value (const WlyOption *option, GVariant *value, GError **error)
{
  switch (option->type[0]) {
  case 'u':
    return check_number (option, g_variant_get_uint32 (value), error);
  case 't':
    return check_uint64 (option, g_variant_get_uint64 (value), error);
  case 'd':
    return check_number (option, g_variant_get_double (value), error);
  case 's':
    return check_string (option, value, error);
  case 'a':
    return check_length (option, g_variant_n_children (value), error)
           && (option->type[1] != 's' || (check_texts (option, value, error) && check_words (option, value, error)));
  default:
    return TRUE;
  }
}

static const WlyOption *
find_in_scopes (guint scopes, const char *key)
{
  for (gsize i = 0; i < G_N_ELEMENTS (table); i++)
    if ((scopes & (1u << table[i].scope)) != 0 && g_str_equal (table[i].key, key))
      return &table[i];
  return NULL;
}

static gboolean
check_entry (guint scopes, const char *key, GVariant *value, GError **error)
{
  const WlyOption *option = find_in_scopes (scopes, key);

  if (option == NULL) {
    g_set_error (error, WLY_ERROR, WLY_ERROR_INVALID_ARGS, "There is no option “%.*s” here", wly_utf8_shown (key), key);
    return FALSE;
  }
  if (!g_variant_is_of_type (value, G_VARIANT_TYPE (option->type))) {
    g_set_error (error, WLY_ERROR, WLY_ERROR_INVALID_ARGS, "Option “%s” must have the type %s, not %s", key,
                 option->type, g_variant_get_type_string (value));
    return FALSE;
  }
  return check_value (option, value, error);
}

gboolean
wly_options_check (guint scopes, GVariant *options, GError **error)
{
  g_autoptr (GHashTable) seen = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  GVariantIter iter;
  GVariant *value;
  const char *key;

  if (g_variant_get_size (options) > WOOLLY_INLINE_BYTES) {
    g_set_error (error, WLY_ERROR, WLY_ERROR_INVALID_ARGS,
                 "All options together may have %d bytes, these have %" G_GSIZE_FORMAT, WOOLLY_INLINE_BYTES,
                 g_variant_get_size (options));
    return FALSE;
  }
  g_variant_iter_init (&iter, options);
  while (g_variant_iter_next (&iter, "{&sv}", &key, &value)) {
    g_autoptr (GVariant) owned = value;

    if (!check_entry (scopes, key, owned, error))
      return FALSE;
    if (!g_hash_table_add (seen, g_strdup (key))) {
      g_set_error (error, WLY_ERROR, WLY_ERROR_INVALID_ARGS, "Option “%s” is given twice", key);
      return FALSE;
    }
  }
  return TRUE;
}

gboolean
wly_options_has (GVariant *options, const char *key)
{
  g_autoptr (GVariant) value = options != NULL ? g_variant_lookup_value (options, key, NULL) : NULL;

  return value != NULL;
}

/* The value in the dictionary, else the table's default; NULL where there is neither. */
static GVariant *
get_value (WlyScope scope, GVariant *options, const char *key)
{
  const WlyOption *option = wly_options_find (scope, key);
  GVariant *value         = NULL;

  g_return_val_if_fail (option != NULL, NULL);
  if (options != NULL)
    value = g_variant_lookup_value (options, key, G_VARIANT_TYPE (option->type));
  if (value == NULL && option->default_text[0] != '\0')
    value = g_variant_parse (G_VARIANT_TYPE (option->type), option->default_text, NULL, NULL, NULL);
  return value;
}

gboolean
wly_options_get_boolean (WlyScope scope, GVariant *options, const char *key)
{
  g_autoptr (GVariant) value = get_value (scope, options, key);

  return value != NULL && g_variant_get_boolean (value);
}

guint32
wly_options_get_uint32 (WlyScope scope, GVariant *options, const char *key)
{
  g_autoptr (GVariant) value = get_value (scope, options, key);

  return value != NULL ? g_variant_get_uint32 (value) : 0;
}

guint64
wly_options_get_uint64 (WlyScope scope, GVariant *options, const char *key)
{
  g_autoptr (GVariant) value = get_value (scope, options, key);

  return value != NULL ? g_variant_get_uint64 (value) : 0;
}

double
wly_options_get_double (WlyScope scope, GVariant *options, const char *key)
{
  g_autoptr (GVariant) value = get_value (scope, options, key);

  return value != NULL ? g_variant_get_double (value) : 0;
}

char *
wly_options_dup_string (WlyScope scope, GVariant *options, const char *key)
{
  g_autoptr (GVariant) value = get_value (scope, options, key);

  return value != NULL ? g_variant_dup_string (value, NULL) : g_strdup ("");
}

char **
wly_options_dup_strv (WlyScope scope, GVariant *options, const char *key)
{
  g_autoptr (GVariant) value = get_value (scope, options, key);

  return value != NULL ? g_variant_dup_strv (value, NULL) : g_new0 (char *, 1);
}

GVariant *
wly_options_filter (guint scopes, GVariant *options)
{
  GVariantBuilder builder;
  GVariantIter iter;
  GVariant *value;
  const char *key;

  g_variant_builder_init (&builder, G_VARIANT_TYPE_VARDICT);
  g_variant_iter_init (&iter, options);
  while (g_variant_iter_next (&iter, "{&sv}", &key, &value)) {
    if (find_in_scopes (scopes, key) != NULL)
      g_variant_builder_add (&builder, "{sv}", key, value);
    g_variant_unref (value);
  }
  return g_variant_builder_end (&builder);
}
