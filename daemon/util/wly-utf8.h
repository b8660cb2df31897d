/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * UTF-8 at the edges: what comes in is checked, what goes out is whole.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Length of the longest prefix of @text that holds whole characters only: what may be sent of a text that still grows.
 * Bytes that can never become UTF-8 count as whole; see wly_utf8_clean(). */
gsize wly_utf8_whole (const char *text, gsize n_bytes);
/* Bytes that a message shows of a text from elsewhere, for “%.*s”: at most 256, of whole characters, or the message
 * would be no text itself. */
int wly_utf8_shown (const char *text);

/* The text with every byte that is not UTF-8, and every NUL, replaced by U+FFFD; (transfer full). */
char *wly_utf8_clean (const char *text, gsize n_bytes, gsize *ret_n_bytes);

/* WLY_ERROR_INVALID_TEXT, with the place, unless the text is UTF-8 without NUL. */
gboolean wly_utf8_check (const char *text, gsize n_bytes, GError **error);

G_END_DECLS
