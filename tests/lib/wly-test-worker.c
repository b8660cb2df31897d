/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wly-test-worker.h"

#include "wly-os.h"
#include "woolly-names.h"
#include "woolly-stream.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gunixfdlist.h>
#include <glib-unix.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* Of a stream: little, so that a reader that does not read is noticed soon. */
#define SOCKET_BYTES 8192

struct WlyTestWorker {
  GPid pid;
  GDBusConnection *connection;
  WlyRpcWorker1 *proxy;
  GHashTable *generations; /* number: WlyTestGeneration* */
  guint64 n_generations;
};

/* ---- processes ---- */

static GPtrArray *
worker_arguments (const char *const *arguments)
{
  GPtrArray *argv      = g_ptr_array_new_with_free_func (g_free);
  const char *plugins  = g_getenv ("WOOLLY_TEST_PLUGINS");
  g_auto (GStrv) files = g_strsplit (plugins != NULL ? plugins : "", ":", -1);

  g_assert_nonnull (g_getenv (WOOLLY_ENV_WORKER));
  g_ptr_array_add (argv, g_strdup (g_getenv (WOOLLY_ENV_WORKER)));
  for (gsize i = 0; arguments != NULL && arguments[i] != NULL; i++)
    g_ptr_array_add (argv, g_strdup (arguments[i]));
  for (gsize i = 0; (arguments == NULL || !g_strv_contains (arguments, "plugin")) && files[i] != NULL; i++) {
    g_ptr_array_add (argv, g_strdup ("--plugin"));
    g_ptr_array_add (argv, g_strdup (files[i]));
  }
  g_ptr_array_add (argv, NULL);
  return argv;
}

/* @fds become 3, 4, …. */
static GPid
spawn (const char *const *arguments, const int *fds, gsize n_fds)
{
  g_autoptr (GPtrArray) argv = worker_arguments (arguments);
  g_autoptr (GError) error   = NULL;
  g_autofree int *targets    = g_new (int, n_fds);
  GPid pid;

  for (gsize i = 0; i < n_fds; i++)
    targets[i] = WOOLLY_WORKER_FD + (int)i;
  g_spawn_async_with_pipes_and_fds (NULL, (const char *const *)argv->pdata, NULL, G_SPAWN_DO_NOT_REAP_CHILD, NULL, NULL,
                                    -1, -1, -1, fds, targets, n_fds, &pid, NULL, NULL, NULL, &error);
  g_assert_no_error (error);
  return pid;
}

static int
reap (GPid pid)
{
  int status;

  while (waitpid (pid, &status, 0) < 0)
    g_assert_cmpint (errno, ==, EINTR);
  return status;
}

static void
changed_cb (WlyRpcWorker1 *proxy, guint64 number, const char *state, GVariant *result, gpointer data)
{
  WlyTestWorker *worker         = data;
  WlyTestGeneration *generation = g_hash_table_lookup (worker->generations, &number);

  if (generation == NULL)
    return;
  g_assert_null (generation->result);
  g_ptr_array_add (generation->states, g_strdup (state));
  if (g_str_equal (state, "done") || g_str_equal (state, "cancelled") || g_str_equal (state, "failed"))
    generation->result = g_variant_ref (result);
  else
    g_assert_cmpuint (g_variant_n_children (result), ==, 0);
}

WlyTestWorker *
wly_test_worker_new (void)
{
  WlyTestWorker *worker                = g_new0 (WlyTestWorker, 1);
  g_autoptr (GError) error             = NULL;
  g_autoptr (GSocket) socket           = NULL;
  g_autoptr (GSocketConnection) stream = NULL;
  int fds[2];

  g_assert_cmpint (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), ==, 0);
  worker->pid = spawn (NULL, &fds[1], 1);
  close (fds[1]);
  socket = g_socket_new_from_fd (fds[0], &error);
  g_assert_no_error (error);
  stream             = g_socket_connection_factory_create_connection (socket);
  worker->connection = g_dbus_connection_new_sync (G_IO_STREAM (stream), NULL,
                                                   G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT, NULL, NULL, &error);
  g_assert_no_error (error);
  worker->proxy = wly_rpc_worker1_proxy_new_sync (worker->connection, G_DBUS_PROXY_FLAGS_DO_NOT_LOAD_PROPERTIES, NULL,
                                                  WOOLLY_WORKER_OBJECT_PATH, NULL, &error);
  g_assert_no_error (error);
  g_dbus_proxy_set_default_timeout (G_DBUS_PROXY (worker->proxy), G_MAXINT);
  worker->generations = g_hash_table_new (g_int64_hash, g_int64_equal);
  g_signal_connect (worker->proxy, "generation-changed", G_CALLBACK (changed_cb), worker);
  return worker;
}

/* They may live longer than their worker. */
static void
forget_generations (WlyTestWorker *worker)
{
  GHashTableIter iter;
  gpointer generation;

  g_hash_table_iter_init (&iter, worker->generations);
  while (g_hash_table_iter_next (&iter, NULL, &generation))
    ((WlyTestGeneration *)generation)->worker = NULL;
}

int
wly_test_worker_end (WlyTestWorker *worker)
{
  int status;

  g_signal_handlers_disconnect_by_data (worker->proxy, worker);
  if (!g_dbus_connection_is_closed (worker->connection))
    g_dbus_connection_close_sync (worker->connection, NULL, NULL);
  status = reap (worker->pid);
  forget_generations (worker);
  g_object_unref (worker->proxy);
  g_object_unref (worker->connection);
  g_hash_table_unref (worker->generations);
  g_free (worker);
  return status;
}

void
wly_test_worker_free (WlyTestWorker *worker)
{
  int status = wly_test_worker_end (worker);

  g_assert_true (WIFEXITED (status));
  g_assert_cmpint (WEXITSTATUS (status), ==, 0);
}

GPid
wly_test_worker_pid (WlyTestWorker *worker)
{
  return worker->pid;
}

WlyRpcWorker1 *
wly_test_worker_proxy (WlyTestWorker *worker)
{
  return worker->proxy;
}

void
wly_test_worker_kill (WlyTestWorker *worker)
{
  kill (worker->pid, SIGKILL);
}

guint
wly_test_worker_n_fds (WlyTestWorker *worker)
{
  g_autofree char *path = g_strdup_printf ("/proc/%d/fd", worker->pid);
  g_autoptr (GDir) dir  = g_dir_open (path, 0, NULL);
  guint n               = 0;

  g_assert_nonnull (dir);
  while (g_dir_read_name (dir) != NULL)
    n++;
  return n;
}

/* ---- descriptors ---- */

int
wly_test_file (const char *path)
{
  int fd = open (path, O_RDONLY | O_CLOEXEC);

  g_assert_cmpint (fd, >=, 0);
  return fd;
}

GUnixFDList *
wly_test_fd_list (int fd)
{
  GUnixFDList *list = g_unix_fd_list_new ();

  g_assert_cmpint (g_unix_fd_list_append (list, fd, NULL), ==, 0);
  return list;
}

int
wly_test_body (const char *text)
{
  g_autoptr (GError) error   = NULL;
  g_autoptr (GVariant) value = g_variant_parse (G_VARIANT_TYPE_VARDICT, text, NULL, NULL, &error);
  int fd;

  g_assert_no_error (error);
  fd = wly_os_memfd_new_sealed ("body", g_variant_get_data (value), g_variant_get_size (value), &error);
  g_assert_no_error (error);
  return fd;
}

static GVariant *
options_of (const char *text)
{
  g_autoptr (GError) error = NULL;
  GVariant *value          = g_variant_parse (G_VARIANT_TYPE_VARDICT, text != NULL ? text : "{}", NULL, NULL, &error);

  g_assert_no_error (error);
  return value;
}

/* ---- models ---- */

GVariant *
wly_test_worker_open (WlyTestWorker *worker, int fd, GError **error)
{
  g_autoptr (GUnixFDList) fds = wly_test_fd_list (fd);
  const gint32 index          = 0;
  GVariant *info              = NULL;

  wly_rpc_worker1_call_open_sync (worker->proxy,
                                  g_variant_new_fixed_array (G_VARIANT_TYPE_HANDLE, &index, 1, sizeof index), fds,
                                  &info, NULL, NULL, error);
  return info;
}

GVariant *
wly_test_worker_load (WlyTestWorker *worker, const char *options, GError **error)
{
  g_autoptr (GVariant) dict = options_of (options);
  GVariant *info            = NULL;

  wly_rpc_worker1_call_load_sync (worker->proxy, dict, &info, NULL, error);
  return info;
}

WlyTestWorker *
wly_test_worker_new_loaded (int fd, const char *options)
{
  WlyTestWorker *worker       = wly_test_worker_new ();
  g_autoptr (GError) error    = NULL;
  g_autoptr (GVariant) opened = wly_test_worker_open (worker, fd, &error);
  g_autoptr (GVariant) loaded = NULL;

  g_assert_no_error (error);
  loaded = wly_test_worker_load (worker, options, &error);
  g_assert_no_error (error);
  close (fd);
  return worker;
}

/* ---- sessions ---- */

gboolean
wly_test_worker_open_session (WlyTestWorker *worker, guint64 number, int *tokens_fd, const char *options,
                              GError **error)
{
  g_autoptr (GVariant) dict   = options_of (options);
  g_autoptr (GVariant) info   = NULL;
  g_autoptr (GUnixFDList) fds = NULL;

  if (*tokens_fd < 0)
    *tokens_fd = wly_os_memfd_new ("tokens", error);
  g_assert_cmpint (*tokens_fd, >=, 0);
  fds = wly_test_fd_list (*tokens_fd);
  return wly_rpc_worker1_call_open_session_sync (worker->proxy, number, g_variant_new_handle (0), dict, fds, &info,
                                                 NULL, NULL, error);
}

GArray *
wly_test_tokens (int tokens_fd)
{
  GArray *tokens = g_array_new (FALSE, FALSE, sizeof (gint32));
  gint32 token;

  for (off_t at = 0; pread (tokens_fd, &token, sizeof token, at) == sizeof token; at += sizeof token) {
    token = GINT32_FROM_LE (token);
    g_array_append_val (tokens, token);
  }
  return tokens;
}

/* ---- streams ---- */

/* Reads what is there, once for each time that the main context is iterated. */
static void
read_stream (WlyTestGeneration *generation)
{
  guint8 buffer[65536];
  gssize n;

  if (generation->fd < 0 || generation->ended)
    return;
  n = recv (generation->fd, buffer, sizeof buffer, MSG_DONTWAIT);
  if (n > 0)
    g_byte_array_append (generation->bytes, buffer, (guint)n);
  else if (n == 0 || (errno != EAGAIN && errno != EINTR))
    generation->ended = TRUE;
}

WlyTestGeneration *
wly_test_generate_fds (WlyTestWorker *worker, guint64 session, const char *body, const int *fds, gsize n_fds,
                       const char *options, GError **error)
{
  g_autoptr (GVariant) dict     = options_of (options);
  g_autoptr (GUnixFDList) list  = g_unix_fd_list_new ();
  g_autofree gint32 *handles    = g_new (gint32, n_fds + 1);
  int body_fd                   = wly_test_body (body);
  WlyTestGeneration *generation = g_new0 (WlyTestGeneration, 1);
  const int n_socket_bytes      = SOCKET_BYTES;
  GVariant *handle_array;
  int ends[2];

  g_assert_cmpint (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), ==, 0);
  g_assert_cmpint (setsockopt (ends[1], SOL_SOCKET, SO_SNDBUF, &n_socket_bytes, sizeof n_socket_bytes), ==, 0);
  g_unix_fd_list_append (list, body_fd, NULL);
  g_unix_fd_list_append (list, ends[1], NULL);
  for (gsize i = 0; i < n_fds; i++)
    handles[i] = g_unix_fd_list_append (list, fds[i], NULL);
  close (body_fd);
  close (ends[1]);
  generation->number = ++worker->n_generations;
  generation->worker = worker;
  generation->fd     = ends[0];
  generation->bytes  = g_byte_array_new ();
  generation->states = g_ptr_array_new_with_free_func (g_free);
  g_hash_table_insert (worker->generations, &generation->number, generation);
  handle_array = g_variant_new_fixed_array (G_VARIANT_TYPE_HANDLE, handles, n_fds, sizeof (gint32));
  if (wly_rpc_worker1_call_generate_sync (worker->proxy, generation->number, session, g_variant_new_handle (0),
                                          handle_array, g_variant_new_handle (1), dict, list, NULL, NULL, error)) {
    wly_test_generation_read (generation, TRUE);
    return generation;
  }
  wly_test_generation_free (generation);
  return NULL;
}

WlyTestGeneration *
wly_test_generate (WlyTestWorker *worker, guint64 session, const char *body, const char *options)
{
  g_autoptr (GError) error      = NULL;
  WlyTestGeneration *generation = wly_test_generate_fds (worker, session, body, NULL, 0, options, &error);

  g_assert_no_error (error);
  return generation;
}

void
wly_test_generation_free (WlyTestGeneration *generation)
{
  if (generation == NULL)
    return;
  if (generation->worker != NULL)
    g_hash_table_remove (generation->worker->generations, &generation->number);
  wly_test_generation_hang_up (generation);
  g_byte_array_unref (generation->bytes);
  g_ptr_array_unref (generation->states);
  g_clear_pointer (&generation->result, g_variant_unref);
  g_clear_pointer (&generation->last, g_variant_unref);
  g_clear_pointer (&generation->usage, g_variant_unref);
  if (generation->text != NULL)
    g_string_free (generation->text, TRUE);
  g_clear_pointer (&generation->types, g_array_unref);
  g_free (generation);
}

static gboolean
readable_cb (gint fd, GIOCondition condition, gpointer data)
{
  WlyTestGeneration *generation = data;

  read_stream (generation);
  if (!generation->ended)
    return G_SOURCE_CONTINUE;
  generation->source = 0;
  return G_SOURCE_REMOVE;
}

void
wly_test_generation_read (WlyTestGeneration *generation, gboolean reading)
{
  g_clear_handle_id (&generation->source, g_source_remove);
  if (reading && generation->fd >= 0 && !generation->ended)
    generation->source = g_unix_fd_add (generation->fd, G_IO_IN | G_IO_HUP, readable_cb, generation);
}

void
wly_test_generation_hang_up (WlyTestGeneration *generation)
{
  wly_test_generation_read (generation, FALSE);
  if (generation->fd >= 0)
    close (generation->fd);
  generation->fd = -1;
}

/* Splits the stream into its frames. */
static void
parse_frames (WlyTestGeneration *generation)
{
  const guint8 *at  = generation->bytes->data;
  const guint8 *end = at + generation->bytes->len;

  generation->text  = g_string_new (NULL);
  generation->types = g_array_new (FALSE, FALSE, sizeof (guint));
  while (at < end) {
    guint32 length = 0;
    guint type     = 0;

    g_assert_cmpuint (end - at, >=, WOOLLY_FRAME_HEADER);
    g_assert_cmpint (woolly_frame_parse (at, &length, &type), ==, 0);
    at += WOOLLY_FRAME_HEADER;
    g_assert_cmpuint (end - at, >=, length);
    if (type == WOOLLY_FRAME_TEXT) {
      g_assert_true (g_utf8_validate_len ((const char *)at, length, NULL));
      g_string_append_len (generation->text, (const char *)at, length);
    } else {
      g_autoptr (GBytes) payload = g_bytes_new (at, length);

      g_clear_pointer (&generation->last, g_variant_unref);
      generation->last = g_variant_ref_sink (g_variant_new_from_bytes (G_VARIANT_TYPE_VARDICT, payload, FALSE));
      g_assert_true (g_variant_is_normal_form (generation->last));
      if (type == WOOLLY_FRAME_USAGE)
        generation->usage = g_variant_ref (generation->last);
    }
    if (type != WOOLLY_FRAME_TEXT || generation->types->len == 0
        || g_array_index (generation->types, guint, generation->types->len - 1) != type)
      g_array_append_val (generation->types, type);
    at += length;
  }
}

/* Whether its worker may still say something. */
static gboolean
is_alive (WlyTestGeneration *generation)
{
  return generation->worker != NULL && !g_dbus_connection_is_closed (generation->worker->connection);
}

void
wly_test_generation_wait (WlyTestGeneration *generation)
{
  while ((generation->result == NULL && is_alive (generation)) || (generation->source != 0 && !generation->ended))
    g_main_context_iteration (NULL, TRUE);
  if (generation->ended && generation->text == NULL && generation->bytes->len >= WOOLLY_FRAME_HEADER
      && generation->bytes->data[4] == WOOLLY_STREAM_VERSION)
    parse_frames (generation);
}

gboolean
wly_test_generation_had_state (WlyTestGeneration *generation, const char *state)
{
  for (guint i = 0; i < generation->states->len; i++)
    if (g_str_equal (g_ptr_array_index (generation->states, i), state))
      return TRUE;
  return FALSE;
}

const char *
wly_test_generation_last_state (WlyTestGeneration *generation)
{
  return generation->states->len > 0 ? g_ptr_array_index (generation->states, generation->states->len - 1) : "";
}

void
wly_test_generation_wait_state (WlyTestGeneration *generation, const char *state)
{
  while (generation->result == NULL && is_alive (generation) && !wly_test_generation_had_state (generation, state))
    g_main_context_iteration (NULL, TRUE);
}

void
wly_test_generation_wait_bytes (WlyTestGeneration *generation, guint n_bytes)
{
  while (generation->bytes->len < n_bytes && !generation->ended)
    g_main_context_iteration (NULL, TRUE);
}

/* ---- results ---- */

guint32
wly_test_result_u32 (GVariant *result, const char *key)
{
  guint32 value = 0;

  g_assert_nonnull (result);
  g_assert_true (g_variant_lookup (result, key, "u", &value));
  return value;
}

guint64
wly_test_result_u64 (GVariant *result, const char *key)
{
  guint64 value = 0;

  g_assert_nonnull (result);
  g_assert_true (g_variant_lookup (result, key, "t", &value));
  return value;
}

const char *
wly_test_result_string (GVariant *result, const char *key)
{
  const char *value = "";

  g_assert_nonnull (result);
  g_variant_lookup (result, key, "&s", &value);
  return value;
}

char *
wly_test_answer (WlyTestWorker *worker, guint64 session, const char *body, const char *options)
{
  g_autoptr (WlyTestGeneration) generation = wly_test_generate (worker, session, body, options);

  wly_test_generation_wait (generation);
  if (!g_str_equal (wly_test_generation_last_state (generation), "done"))
    g_error ("%s: %s", wly_test_generation_last_state (generation),
             wly_test_result_string (generation->result, "message"));
  return g_strdup (generation->text->str);
}

/* ---- probes ---- */

GVariant *
wly_test_probe (const char *const *arguments, const int *fds, gsize n_fds, int *ret_status)
{
  g_autofree int *all          = g_new (int, n_fds + 1);
  g_autoptr (GByteArray) bytes = g_byte_array_new ();
  g_autoptr (GBytes) answer    = NULL;
  int pipe_fds[2];
  guint8 buffer[4096];
  gssize n;
  GPid pid;

  g_assert_cmpint (pipe2 (pipe_fds, O_CLOEXEC), ==, 0);
  all[0] = pipe_fds[1];
  if (n_fds > 0)
    memcpy (all + 1, fds, n_fds * sizeof (int));
  pid = spawn (arguments, all, n_fds + 1);
  close (pipe_fds[1]);
  while ((n = read (pipe_fds[0], buffer, sizeof buffer)) > 0)
    g_byte_array_append (bytes, buffer, (guint)n);
  close (pipe_fds[0]);
  *ret_status = reap (pid);
  answer      = g_byte_array_free_to_bytes (g_steal_pointer (&bytes));
  return g_variant_ref_sink (g_variant_new_from_bytes (G_VARIANT_TYPE_VARDICT, answer, FALSE));
}
