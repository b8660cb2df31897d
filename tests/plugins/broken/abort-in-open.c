/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "broken.h"

#include <stdlib.h>

static int
abort_open (const struct wlp_services *services, struct wlp_backend **ret_backend, struct wlp_error *error)
{
  abort ();
}

static const struct wlp_backend_ops ops = BROKEN_OPS (abort_open);
static const struct wlp_plugin plugin   = BROKEN_PLUGIN ("abort-in-open", &ops);

WLP_PLUGIN_NOTE (WLP_KIND_BACKEND, "abort-in-open");

const struct wlp_plugin *
wlp_plugin_enum (uint32_t index)
{
  return index == 0 ? &plugin : NULL;
}
