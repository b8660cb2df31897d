/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lfm2-graph.h"

static int
lfm2_describe (const struct wlp_metadata *metadata, struct wlp_builder *builder, struct wlp_error *error)
{
  struct lfm2_params params;
  int code = lfm2_params_read (metadata, &params, error);

  if (code == 0)
    lfm2_graph_describe (builder, &params);
  return code;
}

static const char *const lfm2_architectures[] = { "lfm2", "lfm2moe", NULL };

static const struct wlp_arch_ops lfm2_ops = {
  .version       = WLP_ARCH_VERSION,
  .architectures = lfm2_architectures,
  .describe      = lfm2_describe,
};

static const struct wlp_plugin lfm2_plugin = {
  .version = WLP_PLUGIN_VERSION,
  .kind    = WLP_KIND_ARCH,
  .name    = "lfm2",
  .release = "1",
  .summary = "LFM2, short convolutions beside attention",
  .license = "LGPL-2.1-or-later",
  .ops     = &lfm2_ops,
};

WLP_PLUGIN_NOTE (WLP_KIND_ARCH, "lfm2");

const struct wlp_plugin *
wlp_plugin_enum (uint32_t index)
{
  return index == 0 ? &lfm2_plugin : NULL;
}
