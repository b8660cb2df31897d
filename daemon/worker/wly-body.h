/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The body of a request: what a caller wants read or continued, as it came by descriptor, checked.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct {
  GVariant *messages; /* aa{sv} as templates read them, contents inline; NULL where it is a prompt */
  GVariant *given;    /* a{sv}: further variables of the template, as templates read them */
  GBytes *prompt;     /* UTF-8 without NUL; NULL where it is messages */
  gboolean special;
  gboolean add_generation_prompt;
  gboolean go_on; /* the last message is an answer that the model continues */
} WlyBody;

/* Reads the a{sv} of scope INPUT in @body_fd; handles in it index @fds.  Descriptors stay the caller's.
 * Errors: WLY_ERROR_INVALID_ARGS (no such dictionary, a key, a handle, not one of messages, conversation and prompt, a
 * JSON text that is none, more than WOOLLY_BODY_BYTES in all), WLY_ERROR_INVALID_TEXT. */
gboolean wly_body_read (int body_fd, const int *fds, gsize n_fds, WlyBody *ret_body, GError **error);
/* The tools that were given with messages, av; (transfer full), NULL: none. */
GVariant *wly_body_tools (const WlyBody *body);
void wly_body_clear (WlyBody *body);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (WlyBody, wly_body_clear)

G_END_DECLS
