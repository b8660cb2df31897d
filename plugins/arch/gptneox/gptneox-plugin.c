/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gptneox-graph.h"

/* The host calls this once for each load. */
static int
gptneox_describe (const struct wlp_metadata *metadata, struct wlp_builder *builder, struct wlp_error *error)
{
  struct gptneox_params params;
  int code = gptneox_params_read (metadata, &params, error);

  if (code == 0)
    gptneox_graph_describe (builder, &params);
  return code;
}

/* Values of general.architecture that this plugin serves. */
static const char *const gptneox_architectures[] = { "gptneox", NULL };

static const struct wlp_arch_ops gptneox_ops = {
  .version       = WLP_ARCH_VERSION,
  .architectures = gptneox_architectures,
  .describe      = gptneox_describe,
};

static const struct wlp_plugin gptneox_plugin = {
  .version = WLP_PLUGIN_VERSION,
  .kind    = WLP_KIND_ARCH,
  .name    = "gptneox",
  .release = "1",
  .summary = "The GPT-NeoX family: GPT-NeoX, Pythia",
  .license = "LGPL-2.1-or-later",
  .ops     = &gptneox_ops,
};

WLP_PLUGIN_NOTE (WLP_KIND_ARCH, "gptneox");

const struct wlp_plugin *
wlp_plugin_enum (uint32_t index)
{
  return index == 0 ? &gptneox_plugin : NULL;
}
