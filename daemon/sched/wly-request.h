/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * One generation, from the queue to its end.
 *
 *   queued -> loading -> (handed to the worker) -> prefill -> generating <-> paused -> done | cancelled | failed
 *
 * Until the worker has taken it over, woollyd writes its stream: where it stands in the queue, how the load goes on,
 * the error where there is one.  From then on the worker writes alone, and its death shows as an end without END or
 * ERROR.  A worker that dies before it has taken over, and before a token of the answer was kept (none is streamed
 * before that), costs one more try, not the request.
 *
 * Signals "changed" (); "ended" (), once.
 */
#pragma once

#include "wly-queue.h"
#include "wly-session.h"

G_BEGIN_DECLS

typedef enum {
  WLY_REQUEST_QUEUED,
  WLY_REQUEST_LOADING,
  WLY_REQUEST_PREFILL,
  WLY_REQUEST_GENERATING,
  WLY_REQUEST_PAUSED,
  WLY_REQUEST_DONE,
  WLY_REQUEST_CANCELLED,
  WLY_REQUEST_FAILED,
} WlyRequestState;

typedef struct {
  WlySession *session;
  gboolean owns_session; /* one-shot: the session ends with it */
  int body_fd;           /* sealed memfd, the request's from now on */
  GUnixFDList *fds;      /* the caller's descriptors, or NULL */
  GVariant *options;     /* checked, of scope GENERATE */
} WlyRequestInput;

#define WLY_TYPE_REQUEST (wly_request_get_type ())
G_DECLARE_FINAL_TYPE (WlyRequest, wly_request, WLY, REQUEST, GObject)

/* Puts it in the model's queue.  @ret_stream: the caller's end of the stream.
 * Errors: WLY_ERROR_BUSY, at once; WLY_ERROR_CLOSED. */
WlyRequest *wly_request_new (WlyQueue *queue, WlySettings *settings, const WlyRequestInput *input, int *ret_stream,
                             GError **error);

/* Ends it at whatever stage it is; nothing happens where it has ended. */
void wly_request_cancel (WlyRequest *request);

guint64 wly_request_get_number (WlyRequest *request);
WlySession *wly_request_get_session (WlyRequest *request);
WlyRequestState wly_request_get_state (WlyRequest *request);
const char *wly_request_state_to_string (WlyRequestState state);
gboolean wly_request_has_ended (WlyRequest *request);
guint wly_request_get_position (WlyRequest *request);
GVariant *wly_request_get_result (WlyRequest *request); /* a{sv}, scope RESULT; empty until it ended */

G_END_DECLS
