/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "glm4-graph.h"

/* The host calls this once for each load. */
static int
glm4_describe (const struct wlp_metadata *metadata, struct wlp_builder *builder, struct wlp_error *error)
{
  struct glm4_params params;
  int code = glm4_params_read (metadata, &params, error);

  if (code == 0)
    glm4_graph_describe (builder, &params);
  return code;
}

/* Values of general.architecture that this plugin serves. */
static const char *const glm4_architectures[] = { "glm4", NULL };

static const struct wlp_arch_ops glm4_ops = {
  .version       = WLP_ARCH_VERSION,
  .architectures = glm4_architectures,
  .describe      = glm4_describe,
};

static const struct wlp_plugin glm4_plugin = {
  .version = WLP_PLUGIN_VERSION,
  .kind    = WLP_KIND_ARCH,
  .name    = "glm4",
  .release = "1",
  .summary = "GLM-4 of 2025", /* one line for people */
  .license = "LGPL-2.1-or-later",
  .ops     = &glm4_ops,
};

WLP_PLUGIN_NOTE (WLP_KIND_ARCH, "glm4");

const struct wlp_plugin *
wlp_plugin_enum (uint32_t index)
{
  return index == 0 ? &glm4_plugin : NULL;
}
