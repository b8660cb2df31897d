/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "llama-graph.h"

static int
llama_describe (const struct wlp_metadata *metadata, struct wlp_builder *builder, struct wlp_error *error)
{
  struct llama_params params;
  int code = llama_params_read (metadata, &params, error);

  if (code == 0)
    llama_graph_describe (builder, &params);
  return code;
}

static const char *const llama_architectures[] = { "llama",        "mistral3", "smollm3",   "granite",
                                                   "granitemoe",   "minicpm",  "internlm2", "ernie4_5",
                                                   "ernie4_5-moe", "arcee",    NULL };

static const struct wlp_arch_ops llama_ops = {
  .version       = WLP_ARCH_VERSION,
  .architectures = llama_architectures,
  .describe      = llama_describe,
};

static const struct wlp_plugin llama_plugin = {
  .version = WLP_PLUGIN_VERSION,
  .kind    = WLP_KIND_ARCH,
  .name    = "llama",
  .release = "1",
  .summary = "Llama, Mistral, SmolLM3, Granite, MiniCPM, InternLM2, ERNIE 4.5 and Arcee",
  .license = "LGPL-2.1-or-later",
  .ops     = &llama_ops,
};

WLP_PLUGIN_NOTE (WLP_KIND_ARCH, "llama");

const struct wlp_plugin *
wlp_plugin_enum (uint32_t index)
{
  return index == 0 ? &llama_plugin : NULL;
}
