/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What libFuzzer, and replay.c in its place, calls of a harness.
 */
#pragma once

#include <glib.h>

/* Once, before all inputs; a harness that has nothing to prepare leaves it out. */
int LLVMFuzzerInitialize (int *argc, char ***argv) __attribute__ ((weak));

/* One input; returns 0. */
int LLVMFuzzerTestOneInput (const guint8 *data, gsize n_bytes);
