/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "broken.h"

static const struct wlp_backend_ops ops = { .version = WLP_BACKEND_VERSION, .open = broken_open };
static const struct wlp_plugin plugin   = BROKEN_PLUGIN ("incomplete", &ops);

WLP_PLUGIN_NOTE (WLP_KIND_BACKEND, "incomplete");

const struct wlp_plugin *
wlp_plugin_enum (uint32_t index)
{
  return index == 0 ? &plugin : NULL;
}
