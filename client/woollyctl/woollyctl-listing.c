/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "woollyctl-listing.h"

#include "woollyctl-cmds.h"
#include "woollyctl-options.h"
#include "woollyctl-service.h"

#include <glib/gi18n.h>

WoollyClient *
woollyctl_listing_begin (const char *summary, WoollyClientFlags flags, int argc, char **argv, gboolean *ret_json,
                         int *ret_status)
{
  g_autoptr (WoollyctlOptions) options = woollyctl_options_new (NULL, summary);
  const GOptionEntry entries[]         = {
            { "json", 0, 0, G_OPTION_ARG_NONE, ret_json, N_ ("Print JSON"), NULL },
            { 0 },
  };

  woollyctl_options_add (options, entries);
  *ret_status = WOOLLYCTL_USAGE;
  if (!woollyctl_options_parse (options, argc, argv, 0, 0))
    return NULL;
  return woollyctl_service_connect (flags, ret_status);
}
