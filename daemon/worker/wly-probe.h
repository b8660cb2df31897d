/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * `woolly-worker --probe`: a look at something unknown, in a process that may die of it.
 *
 * The answer is one GVariant a{sv}, little-endian, in normal form, written to WOOLLY_WORKER_FD; of a failure:
 * error-name s, error-message s.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* The model whose files are the descriptors behind WOOLLY_WORKER_FD: the dictionary of Worker1.Open.  @plugins (of
 * opened WlyPluginFile*) may serve its architecture.  Returns the exit status. */
int wly_probe_model (guint n_files, GPtrArray *plugins);

/* Renders a template that belongs to no model: it is the first descriptor behind WOOLLY_WORKER_FD, the body of the
 * request (scope INPUT) the second, and @n_files - 2 that the body names follow.  The answer: text s, trusted a(tt). */
int wly_probe_template (guint n_files);

/* The plugin in this file: scope PLUGIN, and of a backend `devices` aa{sv} of scope DEVICE.  Seals the process first.
 */
int wly_probe_plugin (const char *path);

G_END_DECLS
