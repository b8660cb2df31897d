/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "qwen-graph.h"

static int
qwen_describe (const struct wlp_metadata *metadata, struct wlp_builder *builder, struct wlp_error *error)
{
  struct qwen_params params;
  int code = qwen_params_read (metadata, &params, error);

  if (code == 0)
    qwen_graph_describe (builder, &params);
  return code;
}

static const char *const qwen_architectures[] = { "qwen2",   "qwen3",      "qwen2moe", "qwen3moe",      "qwen2vl",
                                                  "qwen3vl", "qwen3vlmoe", "seed_oss", "hunyuan-dense", NULL };

static const struct wlp_arch_ops qwen_ops = {
  .version       = WLP_ARCH_VERSION,
  .architectures = qwen_architectures,
  .describe      = qwen_describe,
};

static const struct wlp_plugin qwen_plugin = {
  .version = WLP_PLUGIN_VERSION,
  .kind    = WLP_KIND_ARCH,
  .name    = "qwen",
  .release = "1",
  .summary = "Qwen 2 to 3, dense and with experts, Seed-OSS, Hunyuan",
  .license = "LGPL-2.1-or-later",
  .ops     = &qwen_ops,
};

WLP_PLUGIN_NOTE (WLP_KIND_ARCH, "qwen");

const struct wlp_plugin *
wlp_plugin_enum (uint32_t index)
{
  return index == 0 ? &qwen_plugin : NULL;
}
