/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "command-r-graph.h"

static int
command_r_describe (const struct wlp_metadata *metadata, struct wlp_builder *builder, struct wlp_error *error)
{
  struct command_r_params params;
  int code = command_r_params_read (metadata, &params, error);

  if (code == 0)
    command_r_graph_describe (builder, &params);
  return code;
}

static const char *const command_r_architectures[] = { "command-r", "cohere2", NULL };

static const struct wlp_arch_ops command_r_ops = {
  .version       = WLP_ARCH_VERSION,
  .architectures = command_r_architectures,
  .describe      = command_r_describe,
};

static const struct wlp_plugin command_r_plugin = {
  .version = WLP_PLUGIN_VERSION,
  .kind    = WLP_KIND_ARCH,
  .name    = "command-r",
  .release = "1",
  .summary = "Command R, R+, R7B and A, Aya",
  .license = "LGPL-2.1-or-later",
  .ops     = &command_r_ops,
};

WLP_PLUGIN_NOTE (WLP_KIND_ARCH, "command-r");

const struct wlp_plugin *
wlp_plugin_enum (uint32_t index)
{
  return index == 0 ? &command_r_plugin : NULL;
}
