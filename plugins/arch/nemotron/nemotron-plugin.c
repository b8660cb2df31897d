/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nemotron-graph.h"

/* The host calls this once for each load. */
static int
nemotron_describe (const struct wlp_metadata *metadata, struct wlp_builder *builder, struct wlp_error *error)
{
  struct nemotron_params params;
  int code = nemotron_params_read (metadata, &params, error);

  if (code == 0)
    nemotron_graph_describe (builder, &params);
  return code;
}

/* Values of general.architecture that this plugin serves. */
static const char *const nemotron_architectures[] = { "nemotron", NULL };

static const struct wlp_arch_ops nemotron_ops = {
  .version       = WLP_ARCH_VERSION,
  .architectures = nemotron_architectures,
  .describe      = nemotron_describe,
};

static const struct wlp_plugin nemotron_plugin = {
  .version = WLP_PLUGIN_VERSION,
  .kind    = WLP_KIND_ARCH,
  .name    = "nemotron",
  .release = "1",
  .summary = "Nemotron-4 and Minitron",
  .license = "LGPL-2.1-or-later",
  .ops     = &nemotron_ops,
};

WLP_PLUGIN_NOTE (WLP_KIND_ARCH, "nemotron");

const struct wlp_plugin *
wlp_plugin_enum (uint32_t index)
{
  return index == 0 ? &nemotron_plugin : NULL;
}
