/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A real woolly-worker at the other end of a socket pair, for tests: in place of woollyd.
 *
 * The program is WOOLLY_WORKER, its plugins the files of WOOLLY_TEST_PLUGINS (separated by colons).  All calls wait;
 * what was not expected fails the test.
 */
#pragma once

#include "wly-rpc-worker1.h"

#include <gio/gio.h>

G_BEGIN_DECLS

typedef struct WlyTestWorker WlyTestWorker;

/* A generation as the reader of its stream and woollyd see it together. */
typedef struct {
  guint64 number;
  WlyTestWorker *worker;
  int fd;            /* the reader's end; -1: closed */
  GByteArray *bytes; /* what was read */
  gboolean ended;    /* end of file */
  guint source;      /* that reads; 0: nobody does */
  GPtrArray *states; /* char*, as GenerationChanged told them */
  GVariant *result;  /* of the final one; NULL: not yet */
  /* of a stream of frames, once it has ended */
  GString *text;
  GArray *types;  /* guint: of the frames, TEXT only once in a row */
  GVariant *last; /* values of the last frame */
  GVariant *usage;
} WlyTestGeneration;

WlyTestWorker *wly_test_worker_new (void);
/* Hangs up and waits for its end; returns the wait status. */
int wly_test_worker_end (WlyTestWorker *worker);
/* The same, and it must end cleanly. */
void wly_test_worker_free (WlyTestWorker *worker);
GPid wly_test_worker_pid (WlyTestWorker *worker);
WlyRpcWorker1 *wly_test_worker_proxy (WlyTestWorker *worker);
/* Kills it, without a word. */
void wly_test_worker_kill (WlyTestWorker *worker);
guint wly_test_worker_n_fds (WlyTestWorker *worker); /* descriptors that it has open */

/* A descriptor of a file; the caller's. */
int wly_test_file (const char *path);
/* A list of one descriptor: it is duplicated. */
GUnixFDList *wly_test_fd_list (int fd);
/* A sealed memfd with this a{sv} in GVariant's text form. */
int wly_test_body (const char *text);

GVariant *wly_test_worker_open (WlyTestWorker *worker, int fd, GError **error);
/* @options in GVariant's text form, "{'threads': <uint32 2>}". */
GVariant *wly_test_worker_load (WlyTestWorker *worker, const char *options, GError **error);
/* Both, with success; @fd is closed. */
WlyTestWorker *wly_test_worker_new_loaded (int fd, const char *options);

/* @tokens: (inout) where it points to -1, a memfd is made.  FALSE with @error set. */
gboolean wly_test_worker_open_session (WlyTestWorker *worker, guint64 number, int *tokens_fd, const char *options,
                                       GError **error);
/* The tokens in a session's memfd; (transfer full) array of gint32. */
GArray *wly_test_tokens (int tokens_fd);

/* @body and @options in GVariant's text form; @fds: what handles in the body mean.  NULL with @error where the call was
 * refused.  */
WlyTestGeneration *wly_test_generate_fds (WlyTestWorker *worker, guint64 session, const char *body, const int *fds,
                                          gsize n_fds, const char *options, GError **error);
WlyTestGeneration *wly_test_generate (WlyTestWorker *worker, guint64 session, const char *body, const char *options);
void wly_test_generation_free (WlyTestGeneration *generation);
/* Stops reading, or begins again. */
void wly_test_generation_read (WlyTestGeneration *generation, gboolean reading);
void wly_test_generation_hang_up (WlyTestGeneration *generation);
/* Until the stream has ended (where it is read) and the final state is there, or its worker has gone. */
void wly_test_generation_wait (WlyTestGeneration *generation);
/* Until it had this state, or one that is final. */
void wly_test_generation_wait_state (WlyTestGeneration *generation, const char *state);
/* Until so many bytes were read. */
void wly_test_generation_wait_bytes (WlyTestGeneration *generation, guint n_bytes);
gboolean wly_test_generation_had_state (WlyTestGeneration *generation, const char *state);
const char *wly_test_generation_last_state (WlyTestGeneration *generation);

/* Values of a result. */
guint32 wly_test_result_u32 (GVariant *result, const char *key);
guint64 wly_test_result_u64 (GVariant *result, const char *key);
const char *wly_test_result_string (GVariant *result, const char *key); /* the result's; "" where there is none */

/* The whole of a generation in one call, in a session of its own; (transfer full) its text. */
char *wly_test_answer (WlyTestWorker *worker, guint64 session, const char *body, const char *options);

/* Runs a probe; the answer, and its exit code. (transfer full) */
GVariant *wly_test_probe (const char *const *arguments, const int *fds, gsize n_fds, int *ret_status);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (WlyTestGeneration, wly_test_generation_free)

G_END_DECLS
