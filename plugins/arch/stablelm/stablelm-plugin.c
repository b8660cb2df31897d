/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "stablelm-graph.h"

static int
stablelm_describe (const struct wlp_metadata *metadata, struct wlp_builder *builder, struct wlp_error *error)
{
  struct stablelm_params params;
  int code = stablelm_params_read (metadata, &params, error);

  if (code == 0)
    stablelm_graph_describe (builder, &params);
  return code;
}

static const char *const stablelm_architectures[] = { "stablelm", NULL };

static const struct wlp_arch_ops stablelm_ops = {
  .version       = WLP_ARCH_VERSION,
  .architectures = stablelm_architectures,
  .describe      = stablelm_describe,
};

static const struct wlp_plugin stablelm_plugin = {
  .version = WLP_PLUGIN_VERSION,
  .kind    = WLP_KIND_ARCH,
  .name    = "stablelm",
  .release = "1",
  .summary = "StableLM 1 to 2",
  .license = "LGPL-2.1-or-later",
  .ops     = &stablelm_ops,
};

WLP_PLUGIN_NOTE (WLP_KIND_ARCH, "stablelm");

const struct wlp_plugin *
wlp_plugin_enum (uint32_t index)
{
  return index == 0 ? &stablelm_plugin : NULL;
}
