/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * wly-make-model: writes the models of wly-test-model.h, for tests in other languages.  Built, not installed.
 */
#include "quant.h"
#include "wly-test-model.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static WlyTestModel model;
static gboolean no_template;
static char *type_name;

static gboolean
preset_cb (const char *option, const char *value, gpointer data, GError **error)
{
  if (strcmp (value, "small") == 0) {
    wly_test_model_init (&model);
    return TRUE;
  }
  if (strcmp (value, "large") == 0) {
    wly_test_model_init_large (&model);
    return TRUE;
  }
  g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE, "--preset is small or large, not %s", value);
  return FALSE;
}

static gboolean
seed_cb (const char *option, const char *value, gpointer data, GError **error)
{
  return g_ascii_string_to_unsigned (value, 10, 0, G_MAXUINT64, &model.seed, error);
}

static gboolean
factor_cb (const char *option, const char *value, gpointer data, GError **error)
{
  model.rope_factor = (float)g_ascii_strtod (value, NULL);
  return TRUE;
}

/* Options are read in order: a preset goes before what changes it. */
static const GOptionEntry entries[] = {
  { "preset", 0, 0, G_OPTION_ARG_CALLBACK, preset_cb, "small (3 MB) or large (127 MB); goes first", "NAME" },
  { "seed", 0, 0, G_OPTION_ARG_CALLBACK, seed_cb, "of the random weights", "N" },
  { "type", 0, 0, G_OPTION_ARG_STRING, &type_name, "type of the matrices, Q4_K", "TYPE" },
  { "architecture", 0, 0, G_OPTION_ARG_STRING, &model.architecture, "general.architecture", "NAME" },
  { "name", 0, 0, G_OPTION_ARG_STRING, &model.name, "general.name", "NAME" },
  { "layers", 0, 0, G_OPTION_ARG_INT, &model.n_layers, "layers", "N" },
  { "embd", 0, 0, G_OPTION_ARG_INT, &model.n_embd, "width", "N" },
  { "ff", 0, 0, G_OPTION_ARG_INT, &model.n_ff, "width of the feed-forward part", "N" },
  { "heads", 0, 0, G_OPTION_ARG_INT, &model.n_head, "heads", "N" },
  { "heads-kv", 0, 0, G_OPTION_ARG_INT, &model.n_head_kv, "heads for keys and values", "N" },
  { "head-dim", 0, 0, G_OPTION_ARG_INT, &model.head_dim, "width of a head", "N" },
  { "context", 0, 0, G_OPTION_ARG_INT, &model.n_ctx, "context length", "N" },
  { "vocab", 0, 0, G_OPTION_ARG_INT, &model.n_vocab, "pieces", "N" },
  { "experts", 0, 0, G_OPTION_ARG_INT, &model.n_expert, "experts", "N" },
  { "experts-used", 0, 0, G_OPTION_ARG_INT, &model.n_expert_used, "experts for each token", "N" },
  { "tied", 0, 0, G_OPTION_ARG_NONE, &model.tied, "output tied to the embeddings", NULL },
  { "qkv-bias", 0, 0, G_OPTION_ARG_NONE, &model.qkv_bias, "biases of q, k and v", NULL },
  { "qk-norm", 0, 0, G_OPTION_ARG_NONE, &model.qk_norm, "norms of q and k", NULL },
  { "no-vocab", 0, 0, G_OPTION_ARG_NONE, &model.no_vocab, "no tokenizer keys", NULL },
  { "rope-scaling", 0, 0, G_OPTION_ARG_STRING, &model.rope_scaling, "linear or yarn", "KIND" },
  { "rope-factor", 0, 0, G_OPTION_ARG_CALLBACK, factor_cb, "factor of the scaling", "X" },
  { "rope-context", 0, 0, G_OPTION_ARG_INT, &model.rope_n_ctx_orig, "context length before the scaling", "N" },
  { "rope-factors", 0, 0, G_OPTION_ARG_NONE, &model.rope_factors, "frequency factors as llama-3 has them", NULL },
  { "sliding-window", 0, 0, G_OPTION_ARG_INT, &model.sliding_window, "positions that are seen", "N" },
  { "template", 0, 0, G_OPTION_ARG_STRING, &model.chat_template, "chat template", "TEXT" },
  { "no-template", 0, 0, G_OPTION_ARG_NONE, &no_template, "no chat template", NULL },
  { NULL },
};

static int
fail (const char *message)
{
  g_printerr ("wly-make-model: %s\n", message);
  return 1;
}

int
main (int argc, char **argv)
{
  g_autoptr (GOptionContext) context = g_option_context_new ("OUT.gguf");
  g_autoptr (GError) error           = NULL;
  int fd;

  wly_test_model_init (&model);
  g_option_context_add_main_entries (context, entries, NULL);
  if (!g_option_context_parse (context, &argc, &argv, &error))
    return fail (error->message);
  if (argc != 2)
    return fail ("one file name is needed");
  if (type_name != NULL) {
    const gint32 type = wlq_type_from_name (type_name);

    if (type < 0 || !wlq_is_supported ((guint32)type))
      return fail ("--type: no such type, or not one that can be computed with");
    model.type = (enum wlp_type)type;
  }
  if (no_template)
    model.chat_template = NULL;
  fd = open (argv[1], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (fd < 0)
    return fail (g_strerror (errno));
  if (!wly_test_model_write (&model, fd, &error))
    return fail (error->message);
  return close (fd) == 0 ? 0 : fail (g_strerror (errno));
}
