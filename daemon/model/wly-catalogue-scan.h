/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Finds GGUF files in folders, joins the parts of split ones and gives each model its id.  Reads names only.
 */
#pragma once

#include "wly-model-files.h"

G_BEGIN_DECLS

typedef struct {
  char *id;  /* unique in this scan */
  char *key; /* what stays the same while the files change: the path, for split files of the set */
  WlyModelFiles *files;
} WlyScanEntry;

void wly_catalogue_scan_entry_free (WlyScanEntry *entry);

/* @sources: folders, whose own regular files NAME.gguf count, or single files; earlier ones get the plain ids.
 * (transfer full) array of WlyScanEntry*, by id. */
GPtrArray *wly_catalogue_scan (const char *const *sources);

/* "NAME-00001-of-00003.gguf": TRUE; @ret_stem (transfer full) is NAME. */
gboolean wly_catalogue_parse_split (const char *file_name, char **ret_stem, guint *ret_part, guint *ret_n_parts);

G_END_DECLS
