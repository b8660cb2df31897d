/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bert-graph.h"

static int
bert_describe (const struct wlp_metadata *metadata, struct wlp_builder *builder, struct wlp_error *error)
{
  struct bert_params params;
  int code = bert_params_read (metadata, &params, error);

  if (code == 0)
    bert_graph_describe (builder, &params);
  return code;
}

static const char *const bert_architectures[] = { "bert", "nomic-bert", "nomic-bert-moe", NULL };

static const struct wlp_arch_ops bert_ops = {
  .version       = WLP_ARCH_VERSION,
  .architectures = bert_architectures,
  .describe      = bert_describe,
};

static const struct wlp_plugin bert_plugin = {
  .version = WLP_PLUGIN_VERSION,
  .kind    = WLP_KIND_ARCH,
  .name    = "bert",
  .release = "1",
  .summary = "BERT and its children that make embeddings",
  .license = "LGPL-2.1-or-later",
  .ops     = &bert_ops,
};

WLP_PLUGIN_NOTE (WLP_KIND_ARCH, "bert");

const struct wlp_plugin *
wlp_plugin_enum (uint32_t index)
{
  return index == 0 ? &bert_plugin : NULL;
}
