/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * From the bytes of tokens to text that may be written: whole characters, and nothing of a stop text.
 *
 * What may still become a character or a stop text is held back until the next bytes decide it.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct WlyEmitter WlyEmitter;

#define WLY_STOP_BYTES_MAX 256

/* WLY_ERROR_INVALID_ARGS unless every text has 1 .. WLY_STOP_BYTES_MAX bytes.  @stops: NULL-terminated, or NULL. */
gboolean wly_emitter_check_stops (const char *const *stops, GError **error);

/* @stops are copied, and have been checked. */
WlyEmitter *wly_emitter_new (const char *const *stops);
void wly_emitter_free (WlyEmitter *emitter); /* NULL is fine */

/* The bytes of the next token; appends what may be written to @out, always whole UTF-8 without NUL.  TRUE: a stop text
 * was found, all before it is in @out, and the emitter takes nothing any more; @ret_n_behind (may be NULL) is set to
 * the number of bytes from the beginning of the stop text to the end of what was pushed. */
gboolean wly_emitter_push (WlyEmitter *emitter, const char *bytes, gsize n_bytes, GString *out, gsize *ret_n_behind);

/* Nothing follows: appends what was held back, a broken character as U+FFFD. */
void wly_emitter_finish (WlyEmitter *emitter, GString *out);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (WlyEmitter, wly_emitter_free)

G_END_DECLS
