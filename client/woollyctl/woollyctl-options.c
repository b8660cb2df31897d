/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "woollyctl-options.h"

#include "woollyctl-output.h"

#include "config.h"

#include <glib/gi18n.h>
#include <math.h>
#include <string.h>

typedef struct {
  const char *scope;
  const char *key;
  const char *type;
  const char *minimum;
  const char *maximum;
  const char *default_text;
  const char *documentation;
} Row;

static const Row rows[] = {
#define WOOLLY_OPTION(scope, key, type, minimum, maximum, default_text, documentation)                                 \
  { #scope, key, type, #minimum, #maximum, default_text, documentation },
#define WOOLLY_OPTION_WORDS(scope, key, words)
#include "introspection/woolly-options.def"
#undef WOOLLY_OPTION
#undef WOOLLY_OPTION_WORDS
};

static const struct {
  const char *scope;
  const char *key;
  const char *words;
} word_rows[] = {
#define WOOLLY_OPTION(scope, key, type, minimum, maximum, default_text, documentation)
#define WOOLLY_OPTION_WORDS(scope, key, words) { #scope, key, words },
#include "introspection/woolly-options.def"
#undef WOOLLY_OPTION
#undef WOOLLY_OPTION_WORDS
};

/* Of GENERATE, but for callers that read the descriptor themselves, or do not read one at all. */
static const char *const not_here[] = { "stream", "timeout-ms", NULL };

/* Texts that are in files. */
static const char *const in_files[] = { "json-schema", "grammar", NULL };

struct _WoollyctlOptions {
  GOptionContext *context;
  GOptionGroup *group;
  GHashTable *values; /* key -> GVariant */
  GPtrArray *scopes;
  GPtrArray *strings;
  char **rest;
};

static const char *
find_words (const Row *row)
{
  for (gsize i = 0; i < G_N_ELEMENTS (word_rows); i++)
    if (g_str_equal (word_rows[i].scope, row->scope) && g_str_equal (word_rows[i].key, row->key))
      return word_rows[i].words;
  return NULL;
}

static gboolean
fail (GError **error, const Row *row, const char *text, const char *problem)
{
  g_autofree char *valid = g_utf8_make_valid (text, -1);

  g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE, "--%s “%s”: %s", row->key, valid, problem);
  return FALSE;
}

/* The table writes 2^64 - 1 as the double that comes nearest, which is 2^64. */
static guint64
whole_number (const char *text)
{
  double number = g_ascii_strtod (text, NULL);

  return number >= 18446744073709551616.0 ? G_MAXUINT64 : (guint64)number;
}

/* "0 to 10" */
static char *
describe_range (const Row *row)
{
  if (row->type[0] == 'd')
    return g_strdup_printf (_ ("%s to %s"), row->minimum, row->maximum);
  return g_strdup_printf (_ ("%" G_GUINT64_FORMAT " to %" G_GUINT64_FORMAT), whole_number (row->minimum),
                          whole_number (row->maximum));
}

static GVariant *
parse_number (const Row *row, const char *text, GError **error)
{
  guint64 low              = whole_number (row->minimum);
  guint64 high             = whole_number (row->maximum);
  guint64 number           = 0;
  g_autofree char *range   = describe_range (row);
  g_autofree char *problem = g_strdup_printf (_ ("a whole number is wanted, %s"), range);

  if (!g_ascii_string_to_unsigned (text, 10, low, high, &number, NULL)) {
    fail (error, row, text, problem);
    return NULL;
  }
  return row->type[0] == 'u' ? g_variant_new_uint32 ((guint32)number) : g_variant_new_uint64 (number);
}

static GVariant *
parse_double (const Row *row, const char *text, GError **error)
{
  char *end                = NULL;
  double number            = g_ascii_strtod (text, &end);
  g_autofree char *range   = describe_range (row);
  g_autofree char *problem = g_strdup_printf (_ ("a number is wanted, %s"), range);

  if (end == text || *end != '\0' || !isfinite (number) || number < g_ascii_strtod (row->minimum, NULL)
      || number > g_ascii_strtod (row->maximum, NULL)) {
    fail (error, row, text, problem);
    return NULL;
  }
  return g_variant_new_double (number);
}

static GVariant *
parse_string (const Row *row, const char *text, GError **error)
{
  const char *words = find_words (row);

  if (!g_utf8_validate (text, -1, NULL)) {
    fail (error, row, text, _ ("this is not valid UTF-8"));
    return NULL;
  }
  if (words != NULL) {
    g_auto (GStrv) known     = g_strsplit (words, "|", -1);
    g_autofree char *wanted  = g_strjoinv (", ", known);
    g_autofree char *problem = g_strdup_printf (_ ("one of %s is wanted"), wanted);

    if (!g_strv_contains ((const char *const *)known, text)) {
      fail (error, row, text, problem);
      return NULL;
    }
  }
  return g_variant_new_string (text);
}

/* The text of a file. */
static GVariant *
parse_file (const Row *row, const char *path, GError **error)
{
  g_autofree char *text = NULL;
  gsize n_bytes         = 0;

  if (!g_file_get_contents (path, &text, &n_bytes, error)) {
    g_prefix_error (error, "--%s: ", row->key);
    return NULL;
  }
  if (strlen (text) != n_bytes) {
    fail (error, row, path, _ ("the file holds a NUL"));
    return NULL;
  }
  return parse_string (row, text, error);
}

/* "5=-2.5": a token and a number. */
static GVariant *
parse_pair (const Row *row, const char *text, GError **error)
{
  char *end     = NULL;
  guint64 token = g_ascii_strtoull (text, &end, 10);
  char *last    = end;
  double number = 0;

  if (end != text && *end == '=')
    number = g_ascii_strtod (end + 1, &last);
  if (last == end || last == end + 1 || *last != '\0' || !isfinite (number) || !g_ascii_isdigit (*text)
      || token > G_MAXUINT32) {
    fail (error, row, text, _ ("a token id, = and a number are wanted"));
    return NULL;
  }
  return g_variant_new ("{ud}", (guint32)token, number);
}

/* One of the values that a list is of. */
static GVariant *
parse_item (const Row *row, const char *text, GError **error)
{
  guint64 number = 0;

  if (row->type[1] == '{')
    return parse_pair (row, text, error);
  if (row->type[1] == 's')
    return parse_string (row, text, error);
  if (g_ascii_string_to_unsigned (text, 10, 0, G_MAXUINT32, &number, NULL))
    return g_variant_new_uint32 ((guint32)number);
  fail (error, row, text, _ ("a token id is wanted"));
  return NULL;
}

/* Adds one value to those that were given before. */
static GVariant *
parse_one_more (const Row *row, GVariant *before, const char *text, GError **error)
{
  g_auto (GVariantBuilder) all = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE (row->type));
  gsize n                      = before != NULL ? g_variant_n_children (before) : 0;
  GVariant *item               = parse_item (row, text, error);

  if (item == NULL)
    return NULL;
  for (gsize i = 0; i < n; i++) {
    g_autoptr (GVariant) child = g_variant_get_child_value (before, i);

    g_variant_builder_add_value (&all, child);
  }
  g_variant_builder_add_value (&all, item);
  return g_variant_builder_end (&all);
}

static const Row *
find_row (WoollyctlOptions *options, const char *key)
{
  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++)
    if (g_str_equal (rows[i].key, key)
        && g_ptr_array_find_with_equal_func (options->scopes, rows[i].scope, g_str_equal, NULL))
      return &rows[i];
  return NULL;
}

static gboolean
value_cb (const char *name, const char *text, gpointer data, GError **error)
{
  WoollyctlOptions *options = data;
  const Row *row            = find_row (options, name + strlen ("--"));
  GVariant *value           = NULL;

  switch (row->type[0]) {
  case 'b':
    value = g_variant_new_boolean (TRUE);
    break;
  case 'u':
  case 't':
    value = parse_number (row, text, error);
    break;
  case 'd':
    value = parse_double (row, text, error);
    break;
  case 'a':
    value = parse_one_more (row, g_hash_table_lookup (options->values, row->key), text, error);
    break;
  default:
    value = g_strv_contains (in_files, row->key) ? parse_file (row, text, error) : parse_string (row, text, error);
    break;
  }
  if (value == NULL)
    return FALSE;
  g_hash_table_insert (options->values, (char *)row->key, g_variant_ref_sink (value));
  return TRUE;
}

WoollyctlOptions *
woollyctl_options_new (const char *arguments, const char *summary)
{
  WoollyctlOptions *options = g_new0 (WoollyctlOptions, 1);

  options->context = g_option_context_new (arguments != NULL ? _ (arguments) : NULL);
  options->group   = g_option_group_new ("main", "", "", options, NULL);
  options->values  = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, (GDestroyNotify)g_variant_unref);
  options->scopes  = g_ptr_array_new ();
  options->strings = g_ptr_array_new_with_free_func (g_free);
  g_option_group_set_translation_domain (options->group, GETTEXT_PACKAGE);
  g_option_context_set_main_group (options->context, options->group);
  g_option_context_set_summary (options->context, _ (summary));
  return options;
}

void
woollyctl_options_free (WoollyctlOptions *options)
{
  g_option_context_free (options->context);
  g_hash_table_unref (options->values);
  g_ptr_array_unref (options->scopes);
  g_ptr_array_unref (options->strings);
  g_strfreev (options->rest);
  g_free (options);
}

void
woollyctl_options_add (WoollyctlOptions *options, const GOptionEntry *entries)
{
  g_option_group_add_entries (options->group, entries);
}

void
woollyctl_options_add_model (WoollyctlOptions *options, char **ret_name)
{
  const GOptionEntry entries[] = {
    { "model", 'm', 0, G_OPTION_ARG_FILENAME, ret_name, N_ ("Id or name of a model, or a file, with a slash in it"),
      N_ ("MODEL") },
    { 0 },
  };

  woollyctl_options_add (options, entries);
}

/* "What it does (0 to 10; default 0.8)"; belongs to the options. */
static const char *
describe (WoollyctlOptions *options, const Row *row)
{
  g_autoptr (GString) range = g_string_new (NULL);
  const char *words         = find_words (row);
  g_autofree char *numbers  = describe_range (row);

  if (words != NULL)
    g_string_append (range, words);
  else if (strchr ("utd", row->type[0]) != NULL)
    g_string_append (range, numbers);
  else if (row->type[0] == 'a')
    g_string_append (range, _ ("may be given again"));
  if (*row->default_text != '\0' && row->type[0] != 'a' && row->type[0] != 'b'
      && !g_str_equal (row->default_text, "''"))
    g_string_append_printf (range, _ ("%sdefault %s"), range->len > 0 ? "; " : "", row->default_text);
  g_ptr_array_add (options->strings, range->len > 0 ? g_strdup_printf ("%s (%s)", _ (row->documentation), range->str)
                                                    : g_strdup (_ (row->documentation)));
  return options->strings->pdata[options->strings->len - 1];
}

static const char *
describe_argument (const Row *row)
{
  if (strchr ("utd", row->type[0]) != NULL)
    return _ ("NUMBER");
  return g_strv_contains (in_files, row->key) ? _ ("FILE") : _ ("TEXT");
}

void
woollyctl_options_add_scope (WoollyctlOptions *options, const char *scope)
{
  g_ptr_array_add (options->scopes, (char *)scope);
  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    GOptionEntry entries[2] = { 0 };

    if (!g_str_equal (rows[i].scope, scope) || g_strv_contains (not_here, rows[i].key))
      continue;
    entries[0].long_name = rows[i].key;
    entries[0].arg       = G_OPTION_ARG_CALLBACK;
    entries[0].arg_data  = (gpointer)value_cb;
    entries[0].flags = rows[i].type[0] == 'b' ? G_OPTION_FLAG_NO_ARG : G_OPTION_FLAG_FILENAME; /* bytes as they are */
    entries[0].description = describe (options, &rows[i]);
    if (rows[i].type[0] != 'b')
      entries[0].arg_description = describe_argument (&rows[i]);
    g_option_group_add_entries (options->group, entries);
  }
}

gboolean
woollyctl_options_parse (WoollyctlOptions *options, int argc, char **argv, guint min, guint max)
{
  g_auto (GStrv) copy       = g_new0 (char *, (gsize)argc + 1);
  g_autofree char *name     = g_strconcat ("woollyctl ", argv[0], NULL);
  g_autoptr (GError) error  = NULL;
  const GOptionEntry rest[] = {
    { G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &options->rest, NULL, NULL },
    { 0 },
  };
  guint n;

  for (int i = 0; i < argc; i++)
    copy[i] = g_strdup (argv[i]);
  g_set_prgname (name); /* what --help shows */
  g_option_group_add_entries (options->group, rest);
  if (!g_option_context_parse_strv (options->context, &copy, &error)) {
    woollyctl_output_error (_ ("%s; “%s --help” explains"), error->message, name);
    return FALSE;
  }
  if (options->rest == NULL)
    options->rest = g_new0 (char *, 1);
  n = g_strv_length (options->rest);
  if (n < min)
    woollyctl_output_error (_ ("an argument is missing; “%s --help” explains"), name);
  else if (n > max)
    woollyctl_output_error (_ ("“%s” is one argument too many; perhaps quotes are missing"), options->rest[max]);
  return n >= min && n <= max;
}

char **
woollyctl_options_get_rest (WoollyctlOptions *options)
{
  return options->rest;
}

gboolean
woollyctl_options_check_rest (WoollyctlOptions *options)
{
  for (gsize i = 0; options->rest[i] != NULL; i++) {
    if (g_utf8_validate (options->rest[i], -1, NULL))
      continue;
    woollyctl_output_error (_ ("text %u is not valid UTF-8"), (guint)(i + 1));
    return FALSE;
  }
  return TRUE;
}

GVariant *
woollyctl_options_get (WoollyctlOptions *options, const char *scope)
{
  g_auto (GVariantDict) dict = G_VARIANT_DICT_INIT (NULL);

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    GVariant *value = g_str_equal (rows[i].scope, scope) ? g_hash_table_lookup (options->values, rows[i].key) : NULL;

    if (value != NULL)
      g_variant_dict_insert_value (&dict, rows[i].key, value);
  }
  return g_variant_dict_end (&dict);
}
