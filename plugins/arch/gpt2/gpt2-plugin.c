/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gpt2-graph.h"

static int
gpt2_describe (const struct wlp_metadata *metadata, struct wlp_builder *builder, struct wlp_error *error)
{
  struct gpt2_params params;
  int code = gpt2_params_read (metadata, &params, error);

  if (code == 0)
    gpt2_graph_describe (builder, &params);
  return code;
}

static const char *const gpt2_architectures[] = { "gpt2", "starcoder", "starcoder2", NULL };

static const struct wlp_arch_ops gpt2_ops = {
  .version       = WLP_ARCH_VERSION,
  .architectures = gpt2_architectures,
  .describe      = gpt2_describe,
};

static const struct wlp_plugin gpt2_plugin = {
  .version = WLP_PLUGIN_VERSION,
  .kind    = WLP_KIND_ARCH,
  .name    = "gpt2",
  .release = "1",
  .summary = "GPT-2, StarCoder 1 and 2",
  .license = "LGPL-2.1-or-later",
  .ops     = &gpt2_ops,
};

WLP_PLUGIN_NOTE (WLP_KIND_ARCH, "gpt2");

const struct wlp_plugin *
wlp_plugin_enum (uint32_t index)
{
  return index == 0 ? &gpt2_plugin : NULL;
}
