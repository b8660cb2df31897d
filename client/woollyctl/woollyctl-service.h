/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The way to the service, and models as people name them.
 */
#pragma once

#include <glib.h>
#include <woolly.h>

G_BEGIN_DECLS

/* NULL after having said what is wrong; *ret_exit is the exit code then. */
WoollyClient *woollyctl_service_connect (WoollyClientFlags flags, int *ret_exit);

/* What to give the service for a name of the command line: the name itself, or, with a slash in it, the object path of
 * that file, opened.  NULL: the default model.  (transfer full), NULL with @error. */
char *woollyctl_service_name_model (WoollyClient *client, const char *name, GError **error);

/* The model itself. */
WoollyModel *woollyctl_service_find_model (WoollyClient *client, const char *name, GError **error);

/* Connects and finds a model; NULL after having said what is wrong, and *ret_exit is the exit code then.
 * (transfer full), of the client, too, which is NULL or not in either case. */
WoollyModel *woollyctl_service_open_model (const char *name, WoollyClient **ret_client, int *ret_exit);

/* Waits a moment until the service has looked into all models: right after its start it has not.  With @model, for that
 * one only. */
void woollyctl_service_settle (WoollyClient *client, WoollyModel *model);

/* The JSON conversation in a file, - is standard input; (transfer full). */
WoollyInput *woollyctl_service_read_conversation (const char *path, GError **error);

/* All of standard input. */
GBytes *woollyctl_service_read_input (GError **error);

G_END_DECLS
