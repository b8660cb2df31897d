/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What libFuzzer, and replay.c in its place, calls of a harness.
 */
#pragma once

#include <glib.h>
#include <string.h>

/* Once, before all inputs; a harness that has nothing to prepare leaves it out. */
int LLVMFuzzerInitialize (int *argc, char ***argv) __attribute__ ((weak));

/* One input; returns 0. */
int LLVMFuzzerTestOneInput (const guint8 *data, gsize n_bytes);

/* A dictionary in GVariant's text form; NULL: it is none.  GLib's parser wants UTF-8, and takes halves of surrogate
 * pairs for characters.  (transfer full) */
static inline GVariant *
fuzz_parse_dictionary (const char *text)
{
  if (!g_utf8_validate (text, -1, NULL) || strstr (text, "\\u") != NULL || strstr (text, "\\U") != NULL)
    return NULL;
  return g_variant_parse (G_VARIANT_TYPE_VARDICT, text, NULL, NULL, NULL);
}
