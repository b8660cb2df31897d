/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Data for callbacks that may outlive an object.  Private.
 */
#pragma once

#include <glib-object.h>

G_BEGIN_DECLS

GWeakRef *woolly_weak_new (gpointer object);
void woolly_weak_free (gpointer weak);

G_END_DECLS
