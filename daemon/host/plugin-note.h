/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The note of a plugin, read from the file: nothing of the object is mapped or run.
 *
 *   ELF64 header, little-endian  ->  program headers  ->  PT_NOTE segments  ->  u32 owner_bytes, descriptor_bytes,
 * type; owner and descriptor, each padded to 4 (8 in a segment aligned so)
 *
 * Source: System V ABI, ELF-64 object file format; the note itself: woolly-plugin/plugin.h.
 */
#pragma once

#include "woolly-plugin/plugin.h"

#include <glib.h>

G_BEGIN_DECLS

/* FALSE: @ret_reason (transfer full) says why not.  @ret_note->name is terminated and of [a-z0-9_-] only.  Any content
 * of the file is fine: nothing is trusted, and no more than 72 KiB are read. */
gboolean wly_plugin_note_read (int fd, struct wlp_note *ret_note, char **ret_reason);

G_END_DECLS
