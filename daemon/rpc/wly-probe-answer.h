/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What a probe writes before it ends: any bytes, until they have been looked at.
 */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* The answer, an a{sv} in this machine's byte order; NULL where the bytes are none. (transfer full) */
GVariant *wly_probe_answer_new (const void *bytes, gsize n_bytes);

/* The error that an answer tells, a WLY_ERROR whatever it names. (transfer full) */
GError *wly_probe_answer_error (GVariant *answer);

G_END_DECLS
