/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The verbs: each has a file woollyctl-<verb>.c with one function.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Exit codes, as the manual page says. */
typedef enum {
  WOOLLYCTL_OK          = 0,
  WOOLLYCTL_FAILED      = 1,
  WOOLLYCTL_USAGE       = 2,
  WOOLLYCTL_INTERRUPTED = 130,
} WoollyctlExit;

/* argv[0] is the verb. */
typedef WoollyctlExit (*WoollyctlVerb) (int argc, char **argv);

WoollyctlExit woollyctl_chat (int argc, char **argv);
WoollyctlExit woollyctl_devices (int argc, char **argv);
WoollyctlExit woollyctl_import (int argc, char **argv);
WoollyctlExit woollyctl_info (int argc, char **argv);
WoollyctlExit woollyctl_list (int argc, char **argv);
WoollyctlExit woollyctl_load (int argc, char **argv);
WoollyctlExit woollyctl_plugins (int argc, char **argv);
WoollyctlExit woollyctl_ps (int argc, char **argv);
WoollyctlExit woollyctl_remove (int argc, char **argv);
WoollyctlExit woollyctl_render (int argc, char **argv);
WoollyctlExit woollyctl_rerank (int argc, char **argv);
WoollyctlExit woollyctl_run (int argc, char **argv);
WoollyctlExit woollyctl_status (int argc, char **argv);
WoollyctlExit woollyctl_tokenize (int argc, char **argv);
WoollyctlExit woollyctl_embed (int argc, char **argv);
WoollyctlExit woollyctl_unload (int argc, char **argv);

G_END_DECLS
