/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "broken.h"

#include <stdlib.h>

static const struct wlp_backend_ops ops = BROKEN_OPS (broken_open);
static const struct wlp_plugin plugin   = BROKEN_PLUGIN ("abort-in-enum", &ops);

WLP_PLUGIN_NOTE (WLP_KIND_BACKEND, "abort-in-enum");

const struct wlp_plugin *
wlp_plugin_enum (uint32_t index)
{
  if (index == 0)
    abort ();
  return index == 0 ? &plugin : NULL;
}
