/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "broken.h"

#include <unistd.h>

static int
sleep_open (const struct wlp_services *services, struct wlp_backend **ret_backend, struct wlp_error *error)
{
  while (pause () < 0)
    ;
  return -ENODEV;
}

static const struct wlp_backend_ops ops = BROKEN_OPS (sleep_open);
static const struct wlp_plugin plugin   = BROKEN_PLUGIN ("sleep-in-open", &ops);

WLP_PLUGIN_NOTE (WLP_KIND_BACKEND, "sleep-in-open");

const struct wlp_plugin *
wlp_plugin_enum (uint32_t index)
{
  return index == 0 ? &plugin : NULL;
}
