/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gpt-oss-graph.h"

static int
gpt_oss_describe (const struct wlp_metadata *metadata, struct wlp_builder *builder, struct wlp_error *error)
{
  struct gpt_oss_params params;
  int code = gpt_oss_params_read (metadata, &params, error);

  if (code == 0)
    gpt_oss_graph_describe (builder, &params);
  return code;
}

static const char *const gpt_oss_architectures[] = { "gpt-oss", NULL };

static const struct wlp_arch_ops gpt_oss_ops = {
  .version       = WLP_ARCH_VERSION,
  .architectures = gpt_oss_architectures,
  .describe      = gpt_oss_describe,
};

static const struct wlp_plugin gpt_oss_plugin = {
  .version = WLP_PLUGIN_VERSION,
  .kind    = WLP_KIND_ARCH,
  .name    = "gpt-oss",
  .release = "1",
  .summary = "gpt-oss 20B and 120B",
  .license = "LGPL-2.1-or-later",
  .ops     = &gpt_oss_ops,
};

WLP_PLUGIN_NOTE (WLP_KIND_ARCH, "gpt-oss");

const struct wlp_plugin *
wlp_plugin_enum (uint32_t index)
{
  return index == 0 ? &gpt_oss_plugin : NULL;
}
