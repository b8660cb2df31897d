/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Models in words and as dictionaries for JSON.
 */
#pragma once

#include <glib.h>
#include <woolly.h>

G_BEGIN_DECLS

/* "7.2 B", "3.7 M"; (transfer full). */
char *woollyctl_describe_count (guint64 count);

/* Adds all properties of a model to an a{sv}, by the names of the GObject properties. */
void woollyctl_describe_model (WoollyModel *model, GVariantBuilder *row);

/* The same for a list; an aa{sv}, floating. */
GVariant *woollyctl_describe_models (GListModel *models);

G_END_DECLS
