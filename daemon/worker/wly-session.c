/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wly-session.h"

#include "token/tokenizer.h"
#include "wly-error.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

WlySession *
wly_session_new (guint64 number, int tokens_fd)
{
  WlySession *session = g_new0 (WlySession, 1);

  session->references = 1;
  session->number     = number;
  session->tokens_fd  = tokens_fd;
  session->keep_token = WLY_TOKEN_NONE;
  return session;
}

WlySession *
wly_session_ref (WlySession *session)
{
  g_atomic_int_inc (&session->references);
  return session;
}

void
wly_session_unref (WlySession *session)
{
  if (session == NULL || !g_atomic_int_dec_and_test (&session->references))
    return;
  g_warn_if_fail (session->sequence == NULL);
  close (session->tokens_fd);
  g_free (session);
}

guint
wly_session_n_tokens (const WlySession *session)
{
  return session->sequence != NULL ? wly_sequence_n_tokens (session->sequence) : 0;
}

gint32
wly_session_last_token (const WlySession *session)
{
  guint n = wly_session_n_tokens (session);

  return n > 0 ? wly_sequence_tokens (session->sequence)[n - 1] : WLY_TOKEN_NONE;
}

/* The file's tokens, in the byte order of this machine; a part of one at the end is the write of a worker that died. */
static GArray *
read_file (WlySession *session, GError **error)
{
  g_autoptr (GArray) tokens = g_array_new (FALSE, FALSE, sizeof (gint32));
  struct stat status;
  gsize n_bytes, at = 0;

  if (fstat (session->tokens_fd, &status) != 0 || !S_ISREG (status.st_mode)) {
    g_set_error_literal (error, WLY_ERROR, WLY_ERROR_INVALID_ARGS, "The session's token file is no memfd");
    return NULL;
  }
  if ((guint64)status.st_size / sizeof (gint32) > session->context) {
    g_set_error (error, WLY_ERROR, WLY_ERROR_CONTEXT_FULL,
                 "The session holds %" G_GUINT64_FORMAT " tokens, its context has %u positions",
                 (guint64)status.st_size / sizeof (gint32), session->context);
    return NULL;
  }
  g_array_set_size (tokens, (guint)((guint64)status.st_size / sizeof (gint32)));
  n_bytes = tokens->len * sizeof (gint32);
  while (at < n_bytes) {
    gssize n = pread (session->tokens_fd, tokens->data + at, n_bytes - at, (off_t)at);

    if (n < 0 && errno == EINTR)
      continue;
    if (n <= 0) {
      g_set_error (error, WLY_ERROR, WLY_ERROR_FAILED, "Reading a session's token file: %s",
                   n < 0 ? g_strerror (errno) : "it is shorter than it was");
      return NULL;
    }
    at += (gsize)n;
  }
  for (guint i = 0; i < tokens->len; i++) {
    gint32 *token = &g_array_index (tokens, gint32, i);

    *token = GINT32_FROM_LE (*token);
    if (*token < 0 || (guint)*token >= session->n_vocab) {
      g_set_error (error, WLY_ERROR, WLY_ERROR_INVALID_ARGS, "Token %u of the session is %d; the vocabulary has %u", i,
                   *token, session->n_vocab);
      return NULL;
    }
  }
  return g_steal_pointer (&tokens);
}

gboolean
wly_session_open (WlySession *session, WlyKvCache *cache, GError **error)
{
  g_autoptr (GArray) tokens = read_file (session, error);

  if (tokens == NULL)
    return FALSE;
  session->sequence = wly_sequence_new (cache, session->kv_type, session->salt, session->context, error);
  if (session->sequence == NULL)
    return FALSE;
  if (tokens->len > 0
      && !wly_sequence_append (session->sequence, (const gint32 *)tokens->data, tokens->len, NULL, error)) {
    wly_session_close (session);
    return FALSE;
  }
  session->n_stored = tokens->len;
  return wly_session_store (session, error);
}

/* A sequence with the same past; the cache finds the blocks of it that are alike. */
static gboolean
rebuild (WlySession *session, WlySession *fork, WlyKvCache *cache, GError **error)
{
  guint n = wly_session_n_tokens (session);

  if (n > fork->context) {
    g_set_error (error, WLY_ERROR, WLY_ERROR_CONTEXT_FULL, "The session holds %u tokens, the copy's context has %u", n,
                 fork->context);
    return FALSE;
  }
  fork->sequence = wly_sequence_new (cache, fork->kv_type, fork->salt, fork->context, error);
  return fork->sequence != NULL
         && (n == 0 || wly_sequence_append (fork->sequence, wly_sequence_tokens (session->sequence), n, NULL, error));
}

gboolean
wly_session_fork (WlySession *session, WlySession *fork, WlyKvCache *cache, GError **error)
{
  gboolean made;

  if (fork->kv_type == session->kv_type && fork->salt == session->salt && fork->context == session->context) {
    fork->sequence = wly_sequence_fork (session->sequence, error);
    made           = fork->sequence != NULL;
  } else {
    made = rebuild (session, fork, cache, error);
  }
  if (made && wly_session_store (fork, error))
    return TRUE;
  wly_session_close (fork);
  return FALSE;
}

void
wly_session_close (WlySession *session)
{
  g_clear_pointer (&session->sequence, wly_sequence_free);
}

void
wly_session_truncate (WlySession *session, guint n)
{
  wly_sequence_truncate (session->sequence, n);
  session->n_stored = MIN (session->n_stored, n);
}

gboolean
wly_session_replace (WlySession *session, const gint32 *tokens, guint n, GError **error)
{
  const gint32 *present = wly_sequence_tokens (session->sequence);
  guint n_present       = wly_sequence_n_tokens (session->sequence);
  guint same            = 0;

  while (same < n && same < n_present && tokens[same] == present[same])
    same++;
  if (same < n_present)
    wly_session_truncate (session, same);
  return same == n || wly_sequence_append (session->sequence, tokens + same, n - same, NULL, error);
}

/* Drops @n tokens behind the one that is kept; those behind move down and are computed again. */
static gboolean
drop_oldest (WlySession *session, guint n_keep, guint n, GError **error)
{
  guint n_tokens           = wly_sequence_n_tokens (session->sequence);
  g_autofree gint32 *after = g_memdup2 (wly_sequence_tokens (session->sequence), n_tokens * sizeof (gint32));

  memmove (after + n_keep, after + n_keep + n, (n_tokens - n_keep - n) * sizeof (gint32));
  return wly_session_replace (session, after, n_tokens - n, error);
}

static gboolean
make_room (WlySession *session, guint n_new, guint *ret_n_dropped, GError **error)
{
  guint n_past  = wly_sequence_n_tokens (session->sequence);
  guint n_keep  = n_past > 0 && wly_sequence_tokens (session->sequence)[0] == session->keep_token;
  guint64 total = (guint64)n_past + n_new;
  guint n_drop;

  if (total <= session->context)
    return TRUE;
  if (!session->drop_oldest || (guint64)n_keep + n_new > session->context) {
    g_set_error (error, WLY_ERROR, WLY_ERROR_CONTEXT_FULL,
                 "The session holds %u tokens and %u more are to be added, which does not fit its context of %u",
                 n_past, n_new, session->context);
    return FALSE;
  }
  /* half of the context, too, so that it does not come to this again with the next token */
  n_drop = MAX ((guint)(total - session->context), MIN (n_past - n_keep, (session->context - n_keep) / 2));
  if (!drop_oldest (session, n_keep, n_drop, error))
    return FALSE;
  *ret_n_dropped += n_drop;
  return TRUE;
}

gboolean
wly_session_append (WlySession *session, const gint32 *tokens, guint n, guint n_more, guint *ret_n_dropped,
                    GError **error)
{
  if (n > session->context || n_more > session->context) {
    g_set_error (error, WLY_ERROR, WLY_ERROR_CONTEXT_FULL, "The prompt has %u tokens, the session's context %u", n,
                 session->context);
    return FALSE;
  }
  return make_room (session, n + n_more, ret_n_dropped, error)
         && (n == 0 || wly_sequence_append (session->sequence, tokens, n, NULL, error));
}

/* Writes all from the first token that the file does not have, then cuts what it has too much. */
gboolean
wly_session_store (WlySession *session, GError **error)
{
  guint n_tokens           = wly_sequence_n_tokens (session->sequence);
  guint n                  = n_tokens - session->n_stored;
  g_autofree gint32 *bytes = g_new (gint32, MAX (n, 1));
  off_t offset             = (off_t)session->n_stored * (off_t)sizeof (gint32);
  gsize at                 = 0;

  for (guint i = 0; i < n; i++)
    bytes[i] = GINT32_TO_LE (wly_sequence_tokens (session->sequence)[session->n_stored + i]);
  while (at < n * sizeof (gint32)) {
    gssize written =
        pwrite (session->tokens_fd, (const char *)bytes + at, n * sizeof (gint32) - at, offset + (off_t)at);

    if (written < 0 && errno == EINTR)
      continue;
    if (written <= 0) {
      g_set_error (error, WLY_ERROR, WLY_ERROR_FAILED, "Writing a session's token file: %s", g_strerror (errno));
      return FALSE;
    }
    at += (gsize)written;
  }
  if (ftruncate (session->tokens_fd, (off_t)n_tokens * (off_t)sizeof (gint32)) != 0) {
    g_set_error (error, WLY_ERROR, WLY_ERROR_FAILED, "Cutting a session's token file: %s", g_strerror (errno));
    return FALSE;
  }
  session->n_stored = n_tokens;
  return TRUE;
}

gboolean
wly_session_need_output (WlySession *session, GError **error)
{
  guint n = wly_sequence_n_tokens (session->sequence);
  gint32 last;

  if (n == 0) {
    g_set_error_literal (error, WLY_ERROR, WLY_ERROR_INVALID_ARGS, "There is nothing to continue: the prompt is empty");
    return FALSE;
  }
  if (wly_sequence_n_computed (session->sequence) < n)
    return TRUE;
  last = wly_sequence_tokens (session->sequence)[n - 1];
  wly_sequence_truncate (session->sequence, n - 1);
  return wly_sequence_append (session->sequence, &last, 1, NULL, error);
}
