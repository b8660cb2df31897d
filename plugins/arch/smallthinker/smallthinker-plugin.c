/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "smallthinker-graph.h"

/* The host calls this once for each load. */
static int
smallthinker_describe (const struct wlp_metadata *metadata, struct wlp_builder *builder, struct wlp_error *error)
{
  struct smallthinker_params params;
  int code = smallthinker_params_read (metadata, &params, error);

  if (code == 0)
    smallthinker_graph_describe (builder, &params);
  return code;
}

/* Values of general.architecture that this plugin serves. */
static const char *const smallthinker_architectures[] = { "smallthinker", NULL };

static const struct wlp_arch_ops smallthinker_ops = {
  .version       = WLP_ARCH_VERSION,
  .architectures = smallthinker_architectures,
  .describe      = smallthinker_describe,
};

static const struct wlp_plugin smallthinker_plugin = {
  .version = WLP_PLUGIN_VERSION,
  .kind    = WLP_KIND_ARCH,
  .name    = "smallthinker",
  .release = "1",
  .summary = "SmallThinker, experts chosen before the attention", /* one line for people */
  .license = "LGPL-2.1-or-later",
  .ops     = &smallthinker_ops,
};

WLP_PLUGIN_NOTE (WLP_KIND_ARCH, "smallthinker");

const struct wlp_plugin *
wlp_plugin_enum (uint32_t index)
{
  return index == 0 ? &smallthinker_plugin : NULL;
}
