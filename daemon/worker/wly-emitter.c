/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wly-emitter.h"

#include "wly-error.h"
#include "wly-frame.h"

#include <string.h>

struct WlyEmitter {
  char **stops;
  GString *tail; /* not written yet; at most a stop text and a token long */
  gboolean stopped;
};

gboolean
wly_emitter_check_stops (const char *const *stops, GError **error)
{
  for (gsize i = 0; stops != NULL && stops[i] != NULL; i++) {
    gsize n_bytes = strlen (stops[i]);

    if (n_bytes == 0 || n_bytes > WLY_STOP_BYTES_MAX) {
      g_set_error (error, WLY_ERROR, WLY_ERROR_INVALID_ARGS,
                   "Option stop: text %" G_GSIZE_FORMAT " has %" G_GSIZE_FORMAT " bytes; 1 to %d are allowed", i,
                   n_bytes, WLY_STOP_BYTES_MAX);
      return FALSE;
    }
  }
  return TRUE;
}

WlyEmitter *
wly_emitter_new (const char *const *stops)
{
  WlyEmitter *emitter = g_new0 (WlyEmitter, 1);

  emitter->stops = stops != NULL ? g_strdupv ((char **)stops) : g_new0 (char *, 1);
  emitter->tail  = g_string_new (NULL);
  return emitter;
}

void
wly_emitter_free (WlyEmitter *emitter)
{
  if (emitter == NULL)
    return;
  g_strfreev (emitter->stops);
  g_string_free (emitter->tail, TRUE);
  g_free (emitter);
}

/* Writes the first bytes of the tail. */
static void
emit (WlyEmitter *emitter, gsize n_bytes, GString *out)
{
  g_autofree char *clean = NULL;
  gsize n_clean;

  if (n_bytes == 0)
    return;
  clean = wly_utf8_clean (emitter->tail->str, n_bytes, &n_clean);
  g_string_append_len (out, clean, (gssize)n_clean);
  g_string_erase (emitter->tail, 0, (gssize)n_bytes);
}

/* Place of the first stop text in the tail; FALSE: none. */
static gboolean
find_stop (const WlyEmitter *emitter, gsize *ret_at)
{
  const GString *tail = emitter->tail;
  gboolean found      = FALSE;

  for (gsize i = 0; emitter->stops[i] != NULL; i++) {
    const char *at = memmem (tail->str, tail->len, emitter->stops[i], strlen (emitter->stops[i]));

    if (at != NULL && (!found || (gsize)(at - tail->str) < *ret_at)) {
      *ret_at = (gsize)(at - tail->str);
      found   = TRUE;
    }
  }
  return found;
}

/* Bytes at the end of the tail that may be the beginning of a stop text. */
static gsize
possible_stop (const WlyEmitter *emitter)
{
  const GString *tail = emitter->tail;
  gsize longest       = 0;

  for (gsize i = 0; emitter->stops[i] != NULL; i++) {
    gsize n = MIN (strlen (emitter->stops[i]) - 1, tail->len);

    while (n > longest && memcmp (tail->str + tail->len - n, emitter->stops[i], n) != 0)
      n--;
    longest = MAX (longest, n);
  }
  return longest;
}

gboolean
wly_emitter_push (WlyEmitter *emitter, const char *bytes, gsize n_bytes, GString *out, gsize *ret_n_behind)
{
  gsize at = 0;

  if (emitter->stopped)
    return TRUE;
  g_string_append_len (emitter->tail, bytes, (gssize)n_bytes);
  if (find_stop (emitter, &at)) {
    if (ret_n_behind != NULL)
      *ret_n_behind = emitter->tail->len - at;
    emit (emitter, at, out);
    g_string_truncate (emitter->tail, 0);
    emitter->stopped = TRUE;
    return TRUE;
  }
  emit (emitter,
        MIN (wly_utf8_whole (emitter->tail->str, emitter->tail->len), emitter->tail->len - possible_stop (emitter)),
        out);
  return FALSE;
}

void
wly_emitter_finish (WlyEmitter *emitter, GString *out)
{
  emit (emitter, emitter->tail->len, out);
}
