/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What the CPU can do, as enum wlp_cpu_feature of the plugin ABI.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Features that the CPU has and the operating system has switched on, lowered by the environment variable
 * WOOLLY_CPU_MASK: a list of names as wly_cpu_feature_names() gives them ("sse42,avx2"), or "none". */
guint64 wly_cpu_features (void);

/* "sse42 avx2 …"; static strings, NULL-terminated (transfer container). */
const char **wly_cpu_feature_names (guint64 features);

G_END_DECLS
