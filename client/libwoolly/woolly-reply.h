/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What a call gave.  Private.
 */
#pragma once

#include <gio/gio.h>
#include <gio/gunixfdlist.h>

G_BEGIN_DECLS

typedef struct {
  GVariant *value;
  GUnixFDList *fds; /* NULL where none came */
} WoollyReply;

void woolly_reply_free (WoollyReply *reply);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WoollyReply, woolly_reply_free)

/* Ends a call that gave (s@*): a text (transfer full), and what else there is. */
char *woolly_reply_finish_text (GAsyncResult *result, GVariant **ret_more, GError **error);

/* Takes descriptor @handle out of the reply; -1 and @error set where it has none. */
int woolly_reply_take_fd (WoollyReply *reply, int handle, GError **error);

G_END_DECLS
