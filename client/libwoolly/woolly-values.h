/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Properties of an object of the service as its owner last heard of them, and the GObject properties that show them.
 * Private.
 */
#pragma once

#include "woolly-bus.h"

#include <gio/gio.h>

G_BEGIN_DECLS

/* A D-Bus property, its type, and the GObject property that shows it (NULL: only read by a function). */
typedef struct {
  const char *name;
  const char *type; /* s, o, u, t, d, as, (ss), a{sv} */
  const char *property;
} WoollyValueSpec;

/* @owner gets the notifications and must free the values before it is gone. */
WoollyValues *woolly_values_new (WoollyBus *bus, const char *path, const char *interface, const WoollyValueSpec *specs,
                                 guint n_specs, GObject *owner);
void woolly_values_free (WoollyValues *values);

const char *woolly_values_get_interface (WoollyValues *values);

/* Takes over all entries of an a{sv} that it knows and that have the right type, and notifies of what changed. */
void woolly_values_update (WoollyValues *values, GVariant *changed);

/* Reads all properties from the service, and completes @task (transfer full) with TRUE. */
void woolly_values_refresh (WoollyValues *values, gboolean may_start, GTask *task);

/* NULL, 0 where the service did not tell; never NULL for strings and string lists. */
GVariant *woolly_values_get (WoollyValues *values, const char *name); /* (transfer none) */
const char *woolly_values_get_string (WoollyValues *values, const char *name);
char **woolly_values_dup_strv (WoollyValues *values, const char *name);
guint64 woolly_values_get_number (WoollyValues *values, const char *name); /* u and t */
double woolly_values_get_double (WoollyValues *values, const char *name);

/* GObject properties 1 … n_specs in the order of the specs. */
void woolly_values_install_properties (GObjectClass *klass, const WoollyValueSpec *specs, guint n_specs);
void woolly_values_get_property (WoollyValues *values, guint id, GValue *value);

G_END_DECLS
