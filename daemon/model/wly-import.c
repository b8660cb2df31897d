/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wly-import.h"

#include "wly-error.h"
#include "wly-foreign.h"
#include "wly-model-files.h"
#include "wly-os.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define CHUNK_BYTES    (1024 * 1024)
#define PROGRESS_MS    250
#define MAX_NAME_BYTES 200 /* a hidden name is longer, and file systems take 255 */
#define RANDOM_DIGITS  8
#define PART_SUFFIX    ".part"

struct _WlyImport {
  GObject parent_instance;
  WlyModelContext *context;
  char *app; /* who is copying, for itself: what lasts long must not keep the app's other files waiting */
  int fd;
  char *folder;
  char *path;   /* the final one */
  char *hidden; /* while it is copied */
  int out;      /* of the hidden one, locked: whoever finds it unlocked may remove it */
  guint64 total_bytes;
  GMutex mutex;
  guint64 done_bytes; /* under the mutex */
  gboolean published;
  GCancellable *cancellable;
  guint progress_timer;
};

enum { SIGNAL_PROGRESS, N_SIGNALS };
static guint signals[N_SIGNALS];

G_DEFINE_FINAL_TYPE (WlyImport, wly_import, G_TYPE_OBJECT)

char *
wly_import_check_name (const char *name)
{
  gsize n_bytes = strlen (name);

  if (n_bytes == 0 || n_bytes > MAX_NAME_BYTES || name[0] == '.' || strchr (name, '/') != NULL
      || !g_utf8_validate (name, -1, NULL) || g_str_equal (name, ".gguf"))
    return NULL;
  for (const char *c = name; *c != '\0'; c++)
    if (g_ascii_iscntrl (*c))
      return NULL;
  return g_str_has_suffix (name, ".gguf") ? g_strdup (name) : g_strconcat (name, ".gguf", NULL);
}

/* As set_paths() makes them. */
static gboolean
is_hidden_name (const char *name)
{
  gsize n_bytes     = strlen (name);
  const gsize n_end = strlen (".gguf.") + RANDOM_DIGITS + strlen (PART_SUFFIX);
  const char *end   = name + n_bytes - n_end;

  if (n_bytes <= n_end || name[0] != '.' || !g_str_has_prefix (end, ".gguf.") || !g_str_has_suffix (name, PART_SUFFIX))
    return FALSE;
  end += strlen (".gguf.");
  return strspn (end, "0123456789abcdef") == RANDOM_DIGITS;
}

void
wly_import_clean (const char *folder)
{
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  const char *name;

  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL) {
    g_autofree char *path = is_hidden_name (name) ? g_build_filename (folder, name, NULL) : NULL;
    int fd                = path != NULL ? open (path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY) : -1;
    if (fd < 0)
      continue;
    if (flock (fd, LOCK_EX | LOCK_NB) == 0 && g_unlink (path) == 0)
      g_message ("%s was left behind by an import that did not end, and is removed", path);
    close (fd);
  }
}

static char *
name_of_fd (int fd)
{
  g_autofree char *link = g_strdup_printf ("/proc/self/fd/%d", fd);
  g_autofree char *path = g_file_read_link (link, NULL);

  return path != NULL ? g_path_get_basename (path) : NULL;
}

static gboolean
set_paths (WlyImport *self, const char *name, GError **error)
{
  g_autofree char *checked = name != NULL ? wly_import_check_name (name) : NULL;
  g_autofree char *random  = NULL;

  if (checked == NULL) {
    g_set_error (error, WLY_ERROR, WLY_ERROR_INVALID_ARGS, "name: “%s” cannot be the name of a model file",
                 name != NULL ? name : "");
    return FALSE;
  }
  self->folder = wly_settings_dup_models_directory (self->context->settings);
  self->path   = g_build_filename (self->folder, checked, NULL);
  random       = g_strdup_printf (".%s.%08x" PART_SUFFIX, checked, g_random_int ());
  self->hidden = g_build_filename (self->folder, random, NULL);
  if (!g_file_test (self->path, G_FILE_TEST_EXISTS))
    return TRUE;
  g_set_error (error, WLY_ERROR, WLY_ERROR_INVALID_ARGS, "name: there is a file %s already", self->path);
  return FALSE;
}

static gpointer
look_thread (gpointer data, GError **error)
{
  WlyImport *self = data;
  struct stat status;

  if (fstat (self->fd, &status) == 0 && S_ISREG (status.st_mode)) {
    self->total_bytes = (guint64)status.st_size;
    return g_object_ref (self);
  }
  g_set_error_literal (error, WLY_ERROR, WLY_ERROR_INVALID_ARGS, "file: not a regular file");
  return NULL;
}

void
wly_import_new_async (WlyModelContext *context, const char *app, int fd, const char *name, GAsyncReadyCallback callback,
                      gpointer user_data)
{
  g_autoptr (WlyImport) self = g_object_new (WLY_TYPE_IMPORT, NULL);
  g_autofree char *own       = name == NULL ? name_of_fd (fd) : NULL;
  GError *error              = NULL;
  WlyForeignWork work        = { look_thread, self, g_object_unref, g_object_unref };

  self->context = wly_model_context_ref (context);
  self->app     = g_strconcat ("import of ", app, NULL);
  self->fd      = fcntl (fd, F_DUPFD_CLOEXEC, 3);
  if (!set_paths (self, name != NULL ? name : own, &error)) {
    g_task_report_error (NULL, callback, user_data, NULL, error);
    return;
  }
  g_object_ref (self);
  wly_foreign_run_async (NULL, app, wly_settings_get_uint32 (context->settings, "limits", "file-ms"), &work, NULL,
                         callback, user_data);
}

WlyImport *
wly_import_new_finish (GAsyncResult *result, GError **error)
{
  return wly_foreign_run_finish (result, error);
}

static void
set_errno (GError **error, const char *what, const char *path)
{
  int code = errno;

  g_set_error (error, WLY_ERROR, code == EACCES ? WLY_ERROR_ACCESS_DENIED : WLY_ERROR_FAILED, "%s %s: %s", what, path,
               g_strerror (code));
}

/* FALSE and errno where it cannot be made, or another instance found it before it was locked. */
static gboolean
make_hidden (WlyImport *self)
{
  struct stat status;

  self->out = open (self->hidden, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (self->out < 0)
    return FALSE;
  flock (self->out, LOCK_EX); /* a file system without locks has files that stay */
  if (fstat (self->out, &status) == 0 && status.st_nlink > 0)
    return TRUE;
  errno = EAGAIN;
  return FALSE;
}

static gboolean
copy (WlyImport *self, GError **error)
{
  g_autofree char *buffer = g_malloc (CHUNK_BYTES);
  guint64 at              = 0;

  while (!g_cancellable_set_error_if_cancelled (self->cancellable, error)) {
    gssize n = pread (self->fd, buffer, CHUNK_BYTES, (off_t)at);
    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0) {
      set_errno (error, "cannot read the file for", self->path);
      return FALSE;
    }
    if (n == 0)
      return TRUE;
    if (!wly_os_write_all (self->out, buffer, (gsize)n)) {
      set_errno (error, "cannot write", self->hidden);
      return FALSE;
    }
    at += (guint64)n;
    g_mutex_lock (&self->mutex);
    self->done_bytes = at;
    g_mutex_unlock (&self->mutex);
  }
  return FALSE;
}

static gpointer
copy_thread (gpointer data, GError **error)
{
  WlyImport *self = data;

  if (g_mkdir_with_parents (self->folder, 0700) != 0) {
    set_errno (error, "cannot make the folder", self->folder);
    return NULL;
  }
  if (!make_hidden (self)) {
    set_errno (error, "cannot make", self->hidden);
    return NULL;
  }
  if (!copy (self, error))
    return NULL;
  if (fsync (self->out) == 0)
    return GINT_TO_POINTER (TRUE);
  set_errno (error, "cannot write", self->hidden);
  return NULL;
}

static void
give_up (WlyImport *self, GTask *task, const GError *error)
{
  g_unlink (self->hidden);
  g_clear_handle_id (&self->progress_timer, g_source_remove);
  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    g_task_return_new_error (task, WLY_ERROR, WLY_ERROR_CANCELLED, "the import was cancelled");
  else
    g_task_return_error (task, g_error_copy (error));
}

/* Under its name, unless another one has it by now; and on disk. */
static gboolean
publish (WlyImport *self, GError **error)
{
  int folder;

  if (renameat2 (AT_FDCWD, self->hidden, AT_FDCWD, self->path, RENAME_NOREPLACE) != 0) {
    set_errno (error, "cannot name the file", self->path);
    return FALSE;
  }
  self->published = TRUE;
  folder          = open (self->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder >= 0) {
    fsync (folder);
    close (folder);
  }
  return TRUE;
}

static void
probed_cb (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (GTask) task     = data;
  WlyImport *self            = g_task_get_source_object (task);
  g_autoptr (GError) error   = NULL;
  g_autoptr (GVariant) reply = wly_prober_run_finish (WLY_PROBER (source), result, &error);

  if (reply == NULL || !publish (self, &error)) {
    give_up (self, task, error);
    return;
  }
  g_clear_handle_id (&self->progress_timer, g_source_remove);
  g_task_return_pointer (task, g_strdup (self->path), g_free);
}

static void
copied_cb (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (GTask) task          = data;
  WlyImport *self                 = WLY_IMPORT (source);
  const char *const arguments[]   = { "model", NULL };
  const char *const paths[]       = { self->hidden, NULL };
  g_autoptr (WlyModelFiles) files = NULL;
  g_autoptr (GUnixFDList) fds     = NULL;
  g_autoptr (GError) error        = NULL;

  if (wly_foreign_run_finish (result, &error) == NULL) {
    give_up (self, task, error);
    return;
  }
  files = wly_model_files_new (paths, 0);
  fds   = wly_model_files_open (files, &error);
  if (fds == NULL)
    give_up (self, task, error);
  else
    wly_prober_run_async (self->context->prober, arguments, g_unix_fd_list_peek_fds (fds, NULL), 1, self->cancellable,
                          probed_cb, g_steal_pointer (&task));
}

static gboolean
progress_cb (gpointer data)
{
  g_signal_emit (data, signals[SIGNAL_PROGRESS], 0);
  return G_SOURCE_CONTINUE;
}

void
wly_import_run_async (WlyImport *self, GAsyncReadyCallback callback, gpointer user_data)
{
  GTask *task         = g_task_new (self, NULL, callback, user_data);
  WlyForeignWork work = { copy_thread, g_object_ref (self), g_object_unref, NULL };

  self->progress_timer = g_timeout_add (PROGRESS_MS, progress_cb, self);
  wly_foreign_run_async (self, self->app, 0, &work, self->cancellable, copied_cb, task);
}

char *
wly_import_run_finish (WlyImport *self, GAsyncResult *result, GError **error)
{
  return g_task_propagate_pointer (G_TASK (result), error);
}

void
wly_import_cancel (WlyImport *self)
{
  g_cancellable_cancel (self->cancellable);
}

void
wly_import_get_progress (WlyImport *self, guint64 *ret_done, guint64 *ret_total)
{
  g_mutex_lock (&self->mutex);
  *ret_done = self->done_bytes;
  g_mutex_unlock (&self->mutex);
  *ret_total = self->total_bytes;
}

static void
wly_import_finalize (GObject *object)
{
  WlyImport *self = WLY_IMPORT (object);

  g_clear_handle_id (&self->progress_timer, g_source_remove);
  if (self->fd >= 0)
    wly_foreign_close (self->fd);
  /* a copy that was given up before its thread came back: by then it may have made the file */
  if (self->out >= 0 && !self->published)
    g_unlink (self->hidden);
  if (self->out >= 0)
    close (self->out);
  g_free (self->app);
  g_free (self->folder);
  g_free (self->path);
  g_free (self->hidden);
  g_object_unref (self->cancellable);
  g_mutex_clear (&self->mutex);
  wly_model_context_unref (self->context);
  G_OBJECT_CLASS (wly_import_parent_class)->finalize (object);
}

static void
wly_import_class_init (WlyImportClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = wly_import_finalize;
  signals[SIGNAL_PROGRESS] =
      g_signal_new ("progress", WLY_TYPE_IMPORT, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
}

static void
wly_import_init (WlyImport *self)
{
  self->fd          = -1;
  self->out         = -1;
  self->cancellable = g_cancellable_new ();
  g_mutex_init (&self->mutex);
}
