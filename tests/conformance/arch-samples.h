/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The models that tests/generators/arch_samples.py makes at each build, listed in WOOLLY_ARCH_SAMPLES.
 */
#pragma once

#include "conformance.h"

typedef struct {
  char *name;
  char *model; /* paths */
  char *expected;
  gboolean is_pooled;
} ArchSample;

/* (transfer full) array of ArchSample*, freeing its items. */
GPtrArray *arch_samples_list (void);

/* All plugins, opened; (transfer full) array of WlyPluginFile*. */
GPtrArray *arch_samples_plugins (void);
