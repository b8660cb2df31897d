/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gemma-graph.h"

static int
gemma_describe (const struct wlp_metadata *metadata, struct wlp_builder *builder, struct wlp_error *error)
{
  struct gemma_params params;
  int code = gemma_params_read (metadata, &params, error);

  if (code == 0)
    gemma_graph_describe (builder, &params);
  return code;
}

static const char *const gemma_architectures[] = { "gemma", "gemma2", "gemma3", "gemma-embedding", NULL };

static const struct wlp_arch_ops gemma_ops = {
  .version       = WLP_ARCH_VERSION,
  .architectures = gemma_architectures,
  .describe      = gemma_describe,
};

static const struct wlp_plugin gemma_plugin = {
  .version = WLP_PLUGIN_VERSION,
  .kind    = WLP_KIND_ARCH,
  .name    = "gemma",
  .release = "1",
  .summary = "Gemma 1 to 3, EmbeddingGemma",
  .license = "LGPL-2.1-or-later",
  .ops     = &gemma_ops,
};

WLP_PLUGIN_NOTE (WLP_KIND_ARCH, "gemma");

const struct wlp_plugin *
wlp_plugin_enum (uint32_t index)
{
  return index == 0 ? &gemma_plugin : NULL;
}
