/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "broken.h"

static const struct wlp_backend_ops ops = BROKEN_OPS (broken_open);
static const struct wlp_plugin plugin   = BROKEN_PLUGIN ("wrong-abi", &ops);

#undef WLP_ABI_MAJOR
#define WLP_ABI_MAJOR 99u
WLP_PLUGIN_NOTE (WLP_KIND_BACKEND, "wrong-abi");

const struct wlp_plugin *
wlp_plugin_enum (uint32_t index)
{
  return index == 0 ? &plugin : NULL;
}
