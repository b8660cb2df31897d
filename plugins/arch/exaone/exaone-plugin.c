/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "exaone-graph.h"

/* The host calls this once for each load. */
static int
exaone_describe (const struct wlp_metadata *metadata, struct wlp_builder *builder, struct wlp_error *error)
{
  struct exaone_params params;
  int code = exaone_params_read (metadata, &params, error);

  if (code == 0)
    exaone_graph_describe (builder, &params);
  return code;
}

/* Values of general.architecture that this plugin serves. */
static const char *const exaone_architectures[] = { "exaone", "exaone4", NULL };

static const struct wlp_arch_ops exaone_ops = {
  .version       = WLP_ARCH_VERSION,
  .architectures = exaone_architectures,
  .describe      = exaone_describe,
};

static const struct wlp_plugin exaone_plugin = {
  .version = WLP_PLUGIN_VERSION,
  .kind    = WLP_KIND_ARCH,
  .name    = "exaone",
  .release = "1",
  .summary = "EXAONE 3 to 4", /* one line for people */
  .license = "LGPL-2.1-or-later",
  .ops     = &exaone_ops,
};

WLP_PLUGIN_NOTE (WLP_KIND_ARCH, "exaone");

const struct wlp_plugin *
wlp_plugin_enum (uint32_t index)
{
  return index == 0 ? &exaone_plugin : NULL;
}
