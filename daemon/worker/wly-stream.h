/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The writing end of a generation's stream: never blocks, buffers a bounded amount, notices who hung up.
 *
 * The step thread appends and tries to send at once; what the socket does not take waits here, and the main thread
 * sends it as the reader makes room.  The owner pauses its generation while the buffer is full.
 */
#pragma once

#include "wly-frame.h"

#include <glib.h>

G_BEGIN_DECLS

/* From this many waiting bytes on the stream is full; it is again not full at half of it. */
#define WLY_STREAM_BUFFER_BYTES (256 * 1024)

typedef struct WlyStream WlyStream;

/* All are called in the main thread, never from inside a call of the owner's. */
typedef struct {
  void (*hung_up) (gpointer user_data); /* once: nobody reads any more */
  void (*stalled) (gpointer user_data); /* once: nothing was read for the time of stall_ms; the stream is closed */
  void (*drained) (gpointer user_data); /* no longer full, or empty */
} WlyStreamEvents;

/* Takes @fd over, also on failure.  Error: WLY_ERROR_INVALID_ARGS where it is no stream socket. */
WlyStream *wly_stream_new (int fd, WlyStreamFormat format, guint stall_ms, GError **error);
WlyStream *wly_stream_ref (WlyStream *stream);
void wly_stream_unref (WlyStream *stream); /* NULL is fine */

/* (main thread) Begins to watch the socket; @events stays valid until wly_stream_unwatch() or the end of the stream. */
void wly_stream_watch (WlyStream *stream, const WlyStreamEvents *events, gpointer user_data);
/* (main thread) The owner is not called any more; what waits is still sent. */
void wly_stream_unwatch (WlyStream *stream);

/* (any thread) A TEXT frame; of one that ended it does nothing. */
void wly_stream_write_text (WlyStream *stream, const char *text, gsize n_bytes);
/* The same of text or reasoning. */
void wly_stream_write_kind (WlyStream *stream, enum woolly_frame_type type, const char *text, gsize n_bytes);
/* (any thread) Any other frame; @values is sunk. */
void wly_stream_write (WlyStream *stream, enum woolly_frame_type type, GVariant *values);

gboolean wly_stream_is_full (WlyStream *stream);  /* (any thread) */
gboolean wly_stream_is_empty (WlyStream *stream); /* (any thread) all was taken by the socket, or it has ended */

/* (main thread) Nothing follows: ends when all is sent, when the reader hangs up, or stalls. */
void wly_stream_finish (WlyStream *stream);
/* (main thread) Ends at once. */
void wly_stream_close (WlyStream *stream);

/* (main thread) Streams that are not closed yet, for tests and for a clean exit. */
guint wly_stream_n_open (void);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (WlyStream, wly_stream_unref)

G_END_DECLS
