/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Frames of a generation's stream, in each of its forms; see introspection/woolly-stream.h.
 */
#pragma once

#include "wly-utf8.h"
#include "woolly-stream.h"

#include <glib.h>

G_BEGIN_DECLS

typedef enum {
  WLY_STREAM_FRAMES,
  WLY_STREAM_JSONL,
  WLY_STREAM_TEXT,
} WlyStreamFormat;

/* By the word of the option `stream`; a checked option is always one of them. */
WlyStreamFormat wly_stream_format_parse (const char *word);

/* Appends a TEXT or REASONING frame; @text is valid UTF-8 without NUL and is split at characters where it is too long
 * for one frame.  With WLY_STREAM_TEXT, reasoning is left out. */
void wly_frame_append_text (GByteArray *out, WlyStreamFormat format, enum woolly_frame_type type, const char *text,
                            gsize n_bytes);

/* Appends a frame of any other type; @values is an a{sv} and is sunk.  With WLY_STREAM_TEXT nothing is written. */
void wly_frame_append (GByteArray *out, WlyStreamFormat format, enum woolly_frame_type type, GVariant *values);

G_END_DECLS
