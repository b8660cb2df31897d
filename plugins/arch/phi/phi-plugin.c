/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "phi-graph.h"

static int
phi_describe (const struct wlp_metadata *metadata, struct wlp_builder *builder, struct wlp_error *error)
{
  struct phi_params params;
  int code = phi_params_read (metadata, &params, error);

  if (code == 0)
    phi_graph_describe (builder, &params);
  return code;
}

static const char *const phi_architectures[] = { "phi2", "phi3", "phimoe", NULL };

static const struct wlp_arch_ops phi_ops = {
  .version       = WLP_ARCH_VERSION,
  .architectures = phi_architectures,
  .describe      = phi_describe,
};

static const struct wlp_plugin phi_plugin = {
  .version = WLP_PLUGIN_VERSION,
  .kind    = WLP_KIND_ARCH,
  .name    = "phi",
  .release = "1",
  .summary = "Phi 1.5 to 4",
  .license = "LGPL-2.1-or-later",
  .ops     = &phi_ops,
};

WLP_PLUGIN_NOTE (WLP_KIND_ARCH, "phi");

const struct wlp_plugin *
wlp_plugin_enum (uint32_t index)
{
  return index == 0 ? &phi_plugin : NULL;
}
