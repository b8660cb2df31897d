/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Command lines: the keys of introspection/woolly-options.def become --key options by themselves.
 */
#pragma once

#include "woollyctl-cmds.h"

#include <glib.h>

G_BEGIN_DECLS

typedef struct _WoollyctlOptions WoollyctlOptions;

/* @arguments and @summary are what --help shows, untranslated. */
WoollyctlOptions *woollyctl_options_new (const char *arguments, const char *summary);
void woollyctl_options_free (WoollyctlOptions *options);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WoollyctlOptions, woollyctl_options_free)

/* Options of the verb's own; descriptions untranslated. */
void woollyctl_options_add (WoollyctlOptions *options, const GOptionEntry *entries);

/* --model, which gets what people name a model by. */
void woollyctl_options_add_model (WoollyctlOptions *options, char **ret_name);

/* Every key of a scope of the table. */
void woollyctl_options_add_scope (WoollyctlOptions *options, const char *scope);

/* Parses and prints what was wrong; between @min and @max arguments may be left. */
gboolean woollyctl_options_parse (WoollyctlOptions *options, int argc, char **argv, guint min, guint max);

/* What was left, as bytes; NULL-terminated (transfer none). */
char **woollyctl_options_get_rest (WoollyctlOptions *options);

/* Whether what was left is text; says which is none. */
gboolean woollyctl_options_check_rest (WoollyctlOptions *options);

/* The keys of a scope that were given, as an a{sv}; floating. */
GVariant *woollyctl_options_get (WoollyctlOptions *options, const char *scope);

G_END_DECLS
