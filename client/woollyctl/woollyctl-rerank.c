/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "woollyctl-cmds.h"
#include "woollyctl-json.h"
#include "woollyctl-options.h"
#include "woollyctl-output.h"
#include "woollyctl-service.h"
#include "woollyctl-signals.h"

#include <glib/gi18n.h>
#include <string.h>

/* A document's place in the list, and how well it answers. */
typedef struct {
  guint index;
  double score;
} Place;

/* The best first; equals in the order in which they were given. */
static int
compare_places_cb (gconstpointer a, gconstpointer b)
{
  const Place *one = a, *other = b;

  if (one->score != other->score)
    return one->score > other->score ? -1 : 1;
  return one->index < other->index ? -1 : 1;
}

/* A document takes one line. */
static void
print_lines (const Place *places, gsize n, char **documents)
{
  g_autoptr (GString) text = g_string_new (NULL);
  char number[G_ASCII_DTOSTR_BUF_SIZE];

  for (gsize i = 0; i < n; i++) {
    g_autofree char *line = g_strdelimit (g_strdup (documents[places[i].index]), "\r\n", ' ');

    g_string_append (text, g_ascii_formatd (number, sizeof number, "%.9g", places[i].score));
    g_string_append_printf (text, "\t%s\n", line);
  }
  woollyctl_output_text (text->str);
}

static void
print_json (const Place *places, gsize n, char **documents)
{
  g_auto (GVariantBuilder) rows = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE ("aa{sv}"));
  g_auto (GVariantDict) dict    = G_VARIANT_DICT_INIT (NULL);

  for (gsize i = 0; i < n; i++) {
    g_variant_builder_open (&rows, G_VARIANT_TYPE_VARDICT);
    g_variant_builder_add (&rows, "{sv}", "index", g_variant_new_uint32 (places[i].index));
    g_variant_builder_add (&rows, "{sv}", "score", g_variant_new_double (places[i].score));
    g_variant_builder_add (&rows, "{sv}", "document", g_variant_new_string (documents[places[i].index]));
    g_variant_builder_close (&rows);
  }
  g_variant_dict_insert_value (&dict, "results", g_variant_builder_end (&rows));
  woollyctl_json_print (g_variant_dict_end (&dict));
}

/* The lines of standard input; (transfer full). */
static char **
read_documents (GError **error)
{
  g_autoptr (GBytes) input = woollyctl_service_read_input (error);
  g_autofree char *text    = NULL;
  gsize n_bytes;
  const char *data;

  if (input == NULL)
    return NULL;
  data = g_bytes_get_data (input, &n_bytes);
  if (n_bytes == 0) {
    g_set_error_literal (error, WOOLLY_ERROR, WOOLLY_ERROR_INVALID_ARGS,
                         _ ("there is no document, neither on the command line nor on standard input"));
    return NULL;
  }
  n_bytes -= data[n_bytes - 1] == '\n';
  if (!g_utf8_validate_len (data, n_bytes, NULL)) {
    g_set_error_literal (error, WOOLLY_ERROR, WOOLLY_ERROR_INVALID_TEXT, _ ("standard input is not valid UTF-8 text"));
    return NULL;
  }
  text = g_strndup (data, n_bytes);
  /* of "" g_strsplit() makes nothing: one empty line is one empty document */
  return *text == '\0' ? g_strdupv ((char *[]){ text, NULL }) : g_strsplit (text, "\n", -1);
}

static gboolean
rerank (WoollyModel *model, const char *query, char **documents, GVariant *options, gboolean json, GError **error)
{
  gsize n                    = 0;
  g_autofree double *scores  = woolly_model_rerank (model, query, (const char *const *)documents, options, &n,
                                                    woollyctl_signals_get_cancellable (), error);
  g_autoptr (GArray) ordered = g_array_new (FALSE, FALSE, sizeof (Place));

  if (scores == NULL)
    return FALSE;
  for (gsize i = 0; i < MIN (n, g_strv_length (documents)); i++) {
    const Place place = { (guint)i, scores[i] };

    g_array_append_val (ordered, place);
  }
  g_array_sort (ordered, compare_places_cb);
  (json ? print_json : print_lines) ((const Place *)(const void *)ordered->data, ordered->len, documents);
  return TRUE;
}

WoollyctlExit
woollyctl_rerank (int argc, char **argv)
{
  g_autoptr (WoollyctlOptions) options = NULL;
  g_autoptr (WoollyClient) client      = NULL;
  g_autoptr (WoollyModel) model        = NULL;
  g_autoptr (GVariant) keys            = NULL;
  g_autoptr (GError) error             = NULL;
  g_autofree char *name                = NULL;
  g_auto (GStrv) lines                 = NULL;
  char **rest;
  gboolean json                = FALSE;
  int status                   = WOOLLYCTL_OK;
  const GOptionEntry entries[] = {
    { "json", 0, 0, G_OPTION_ARG_NONE, &json, N_ ("Print one object with all documents"), NULL },
    { 0 },
  };

  options = woollyctl_options_new (N_ ("QUERY [DOCUMENT…]"),
                                   N_ ("Orders documents by how well they answer the query, by a model that ranks, and "
                                       "prints the score and the text of each on a line, the best first. Without "
                                       "documents, each line of standard input is one."));
  woollyctl_options_add_model (options, &name);
  woollyctl_options_add (options, entries);
  woollyctl_options_add_scope (options, "RERANK");
  if (!woollyctl_options_parse (options, argc, argv, 1, 4097) || !woollyctl_options_check_rest (options))
    return WOOLLYCTL_USAGE;

  rest = woollyctl_options_get_rest (options);
  keys = g_variant_ref_sink (woollyctl_options_get (options, "RERANK"));
  if (rest[1] == NULL && (lines = read_documents (&error)) == NULL)
    return woollyctl_output_fail (error);
  model = woollyctl_service_open_model (name, &client, &status);
  if (model == NULL)
    return (WoollyctlExit)status;
  if (!rerank (model, rest[0], lines != NULL ? lines : rest + 1, keys, json, &error))
    return woollyctl_output_fail (error);
  return WOOLLYCTL_OK;
}
