/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A conversation.  Its past is a memory file of token ids that the worker writes and woollyd never reads; it outlives
 * the worker, and the next worker computes it again.
 *
 * Signal "changed" ().
 */
#pragma once

#include "wly-account.h"
#include "wly-model.h"

G_BEGIN_DECLS

#define WLY_TYPE_SESSION (wly_session_get_type ())
G_DECLARE_FINAL_TYPE (WlySession, wly_session, WLY, SESSION, GObject)

typedef enum {
  WLY_SESSION_IDLE,
  WLY_SESSION_WAITING,
  WLY_SESSION_GENERATING,
} WlySessionState;

/* @options: checked, of scope SESSION. */
WlySession *wly_session_new (WlyModel *model, WlyAccount *account, GVariant *options, GError **error);

WlyModel *wly_session_get_model (WlySession *session);
WlyAccount *wly_session_get_account (WlySession *session);
guint64 wly_session_get_number (WlySession *session);
GVariant *wly_session_get_options (WlySession *session);
WlySessionState wly_session_get_state (WlySession *session);
guint32 wly_session_get_context_size (WlySession *session);
guint32 wly_session_get_context_used (WlySession *session);

/* One thing at a time: WLY_ERROR_BUSY while something runs, WLY_ERROR_CLOSED after wly_session_close(). */
gboolean wly_session_begin (WlySession *session, GError **error);
void wly_session_set_state (WlySession *session, WlySessionState state);
void wly_session_set_context_used (WlySession *session, guint32 n_tokens);
void wly_session_end (WlySession *session);

/* Answers TRUE once nothing runs, at the latest after @timeout_ms, whatever runs then.  The end of a stream reaches its
 * reader by another way than it reaches woollyd, and may be there first: who goes on at once shall not find it busy. */
void wly_session_wait_async (WlySession *session, guint timeout_ms, GAsyncReadyCallback callback, gpointer user_data);
gboolean wly_session_wait_finish (WlySession *session, GAsyncResult *result, GError **error);

/* Makes it known to the model's worker, which must be ready, with its past; nothing is done where it is already. */
void wly_session_open_async (WlySession *session, GAsyncReadyCallback callback, gpointer user_data);
gboolean wly_session_open_finish (WlySession *session, GAsyncResult *result, GError **error);

/* A new session with the same past.  @options: those of scope SESSION that shall differ. */
void wly_session_fork_async (WlySession *session, GVariant *options, GAsyncReadyCallback callback, gpointer user_data);
WlySession *wly_session_fork_finish (WlySession *session, GAsyncResult *result, GError **error);

void wly_session_truncate_async (WlySession *session, guint32 n_tokens, GAsyncReadyCallback callback,
                                 gpointer user_data);
gboolean wly_session_truncate_finish (WlySession *session, GAsyncResult *result, GError **error);

/* How long the past is now: whether a worker that died had begun with an answer. */
gboolean wly_session_get_n_tokens (WlySession *session, guint32 *ret_n_tokens, GError **error);

/* The past as it is now: little-endian int32, as the worker wrote them. (transfer full) */
GBytes *wly_session_get_tokens (WlySession *session, GError **error);

/* Puts this past in the place of the other one. */
gboolean wly_session_set_tokens (WlySession *session, GBytes *tokens, GError **error);

void wly_session_close (WlySession *session);
gboolean wly_session_is_closed (WlySession *session);

G_END_DECLS
