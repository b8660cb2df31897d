/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "olmo-graph.h"

static int
olmo_describe (const struct wlp_metadata *metadata, struct wlp_builder *builder, struct wlp_error *error)
{
  struct olmo_params params;
  int code = olmo_params_read (metadata, &params, error);

  if (code == 0)
    olmo_graph_describe (builder, &params);
  return code;
}

static const char *const olmo_architectures[] = { "olmo", "olmo2", "olmoe", NULL };

static const struct wlp_arch_ops olmo_ops = {
  .version       = WLP_ARCH_VERSION,
  .architectures = olmo_architectures,
  .describe      = olmo_describe,
};

static const struct wlp_plugin olmo_plugin = {
  .version = WLP_PLUGIN_VERSION,
  .kind    = WLP_KIND_ARCH,
  .name    = "olmo",
  .release = "1",
  .summary = "OLMo 1 to 3 and OLMoE",
  .license = "LGPL-2.1-or-later",
  .ops     = &olmo_ops,
};

WLP_PLUGIN_NOTE (WLP_KIND_ARCH, "olmo");

const struct wlp_plugin *
wlp_plugin_enum (uint32_t index)
{
  return index == 0 ? &olmo_plugin : NULL;
}
