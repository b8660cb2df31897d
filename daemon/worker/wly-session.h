/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A session: its past as tokens, in a sequence of the network and in the memory file that woollyd keeps.
 *
 * What is in the file is what another worker would begin with: exactly the past that the next generation sees.  A
 * prompt is written together with the first token that answers it, every later token before its text is streamed; so
 * what a reader saw is in the file, and a generation that ends before its first token leaves the session as it was.
 */
#pragma once

#include "kv/kv-cache.h"

G_BEGIN_DECLS

typedef struct {
  gint references; /* atomic */
  guint64 number;

  gboolean busy;   /* main thread: a generation or another call has it; then all below is the step thread's */
  gboolean closed; /* main thread: CloseSession was called */

  guint context; /* positions */
  enum wlp_type kv_type;
  guint64 salt;
  gboolean drop_oldest;
  gint32 keep_token; /* a first token that is never dropped: BOS; WLY_TOKEN_NONE: none */
  guint n_vocab;
  int tokens_fd;
  guint n_stored;        /* leading tokens that the file has, too */
  guint64 last_used;     /* grows with every use */
  WlySequence *sequence; /* NULL: closed */
} WlySession;

/* Takes @tokens_fd over. */
WlySession *wly_session_new (guint64 number, int tokens_fd);
WlySession *wly_session_ref (WlySession *session);
void wly_session_unref (WlySession *session); /* NULL is fine; its sequence is gone by then */

guint wly_session_n_tokens (const WlySession *session);
gint32 wly_session_last_token (const WlySession *session); /* WLY_TOKEN_NONE: there is none */

/* ---- step thread ---- */

/* Makes the sequence and takes over what is in the file.  Errors: those of wly_sequence_new(), WLY_ERROR_INVALID_ARGS
 * for a token that is not in the vocabulary, WLY_ERROR_CONTEXT_FULL. */
gboolean wly_session_open (WlySession *session, WlyKvCache *cache, GError **error);
/* The same past in @fork, whose context, type and file are set. */
gboolean wly_session_fork (WlySession *session, WlySession *fork, WlyKvCache *cache, GError **error);
void wly_session_close (WlySession *session);

/* Appends tokens.  Where they and @n_more further ones do not fit: WLY_ERROR_CONTEXT_FULL, or, where the session drops
 * the oldest, @ret_n_dropped tokens of the past are gone.  The new tokens themselves are never dropped here. */
gboolean wly_session_append (WlySession *session, const gint32 *tokens, guint n, guint n_more, guint *ret_n_dropped,
                             GError **error);
/* Forgets what comes after.  @n <= the tokens that there are. */
void wly_session_truncate (WlySession *session, guint n);
/* Puts this past in the place of the present one; what both begin with stays computed. */
gboolean wly_session_replace (WlySession *session, const gint32 *tokens, guint n, GError **error);
/* Brings the file up to date.  Error: WLY_ERROR_FAILED. */
gboolean wly_session_store (WlySession *session, GError **error);
/* Has the last token computed again where none is left to compute. */
gboolean wly_session_need_output (WlySession *session, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (WlySession, wly_session_unref)

G_END_DECLS
