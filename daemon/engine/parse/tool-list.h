/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The tools that came with a conversation, a list in the form that chat templates read.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* What describes the function of a tool, a{sv}; empty where it is none.  (transfer full) */
GVariant *wly_tool_list_function (GVariant *tools, gsize index);
/* Whether an argument is a string by its own schema, in so many words.  @tools NULL, or no such tool or argument: no.
 * wly_schema_members_is_text() asks the same of the schema by itself. */
gboolean wly_tool_list_is_text (GVariant *tools, const char *name, const char *argument);

G_END_DECLS
