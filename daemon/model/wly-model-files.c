/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wly-model-files.h"

#include "wly-error.h"
#include "wly-foreign.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

struct WlyModelFiles {
  gatomicrefcount ref_count;
  char **paths;
  GUnixFDList *fds; /* NULL: by path */
  char *app;        /* who gave them; NULL where nobody did */
  char *identity;
  guint64 size_bytes;
  GError *error;
};

static void
append_identity (GString *identity, const struct stat *status)
{
  g_string_append_printf (
      identity, "%" G_GINT64_MODIFIER "x:%" G_GINT64_MODIFIER "x:%" G_GINT64_MODIFIER "x:%" G_GINT64_MODIFIER "x.%lx;",
      (guint64)status->st_dev, (guint64)status->st_ino, (guint64)status->st_size, (guint64)status->st_mtim.tv_sec,
      (unsigned long)status->st_mtim.tv_nsec);
}

WlyModelFiles *
wly_model_files_new (const char *const *paths, guint n_missing)
{
  WlyModelFiles *self = g_new0 (WlyModelFiles, 1);
  GString *identity   = g_string_new (NULL);

  g_atomic_ref_count_init (&self->ref_count);
  self->paths = g_strdupv ((char **)paths);
  for (gsize i = 0; paths[i] != NULL; i++) {
    struct stat status;
    if (stat (paths[i], &status) == 0 && S_ISREG (status.st_mode)) {
      append_identity (identity, &status);
      self->size_bytes += (guint64)status.st_size;
    } else if (self->error == NULL) {
      self->error = g_error_new (WLY_ERROR, WLY_ERROR_NOT_FOUND, "%s is gone, or no regular file", paths[i]);
    }
  }
  if (n_missing > 0 && self->error == NULL)
    self->error =
        g_error_new (WLY_ERROR, WLY_ERROR_INVALID_MODEL,
                     "%u of the parts of this split model are missing; the first one there is %s", n_missing, paths[0]);
  self->identity = g_string_free (identity, FALSE);
  return self;
}

WlyModelFiles *
wly_model_files_new_from_fds (const int *fds, gsize n_fds, GError **error)
{
  g_autoptr (WlyModelFiles) self = g_new0 (WlyModelFiles, 1);
  GString *identity              = g_string_new (NULL);

  g_atomic_ref_count_init (&self->ref_count);
  self->paths = g_new0 (char *, 1);
  self->fds   = g_unix_fd_list_new ();
  wly_foreign_guard (self->fds);
  for (gsize i = 0; i < n_fds; i++) {
    struct stat status;
    int flags = fcntl (fds[i], F_GETFL);
    if (fstat (fds[i], &status) != 0 || !S_ISREG (status.st_mode) || flags < 0 || (flags & O_ACCMODE) == O_WRONLY
        || (flags & O_PATH) != 0) {
      g_string_free (identity, TRUE);
      g_set_error (error, WLY_ERROR, WLY_ERROR_INVALID_ARGS,
                   "descriptor %" G_GSIZE_FORMAT " is not a regular file that is open for reading", i);
      return NULL;
    }
    append_identity (identity, &status);
    self->size_bytes += (guint64)status.st_size;
    if (g_unix_fd_list_append (self->fds, fds[i], error) < 0) {
      g_string_free (identity, TRUE);
      return NULL;
    }
  }
  self->identity = g_string_free (identity, FALSE);
  return g_steal_pointer (&self);
}

WlyModelFiles *
wly_model_files_ref (WlyModelFiles *self)
{
  g_atomic_ref_count_inc (&self->ref_count);
  return self;
}

void
wly_model_files_unref (WlyModelFiles *self)
{
  if (self == NULL || !g_atomic_ref_count_dec (&self->ref_count))
    return;
  g_strfreev (self->paths);
  g_clear_object (&self->fds);
  g_free (self->app);
  g_free (self->identity);
  g_clear_error (&self->error);
  g_free (self);
}

const char *const *
wly_model_files_get_paths (WlyModelFiles *self)
{
  return (const char *const *)self->paths;
}

const char *
wly_model_files_get_identity (WlyModelFiles *self)
{
  return self->identity;
}

guint64
wly_model_files_get_size (WlyModelFiles *self)
{
  return self->size_bytes;
}

const GError *
wly_model_files_get_error (WlyModelFiles *self)
{
  return self->error;
}

/* A descriptor of its own file description each time: a worker must not move the position of another one. */
static int
reopen (int fd)
{
  g_autofree char *path = g_strdup_printf ("/proc/self/fd/%d", fd);
  int again             = open (path, O_RDONLY | O_CLOEXEC);

  return again >= 0 ? again : fcntl (fd, F_DUPFD_CLOEXEC, 3);
}

static gboolean
append_open (GUnixFDList *list, int fd, const char *name, GString *identity, GError **error)
{
  struct stat status;
  gboolean ok;

  if (fd < 0) {
    g_set_error (error, WLY_ERROR, errno == EACCES ? WLY_ERROR_ACCESS_DENIED : WLY_ERROR_NOT_FOUND,
                 "cannot open %s: %s", name, g_strerror (errno));
    return FALSE;
  }
  ok = fstat (fd, &status) == 0 && S_ISREG (status.st_mode);
  if (ok)
    append_identity (identity, &status);
  else
    g_set_error (error, WLY_ERROR, WLY_ERROR_INVALID_MODEL, "%s is no regular file", name);
  ok = ok && g_unix_fd_list_append (list, fd, error) >= 0;
  close (fd);
  return ok;
}

GUnixFDList *
wly_model_files_open (WlyModelFiles *self, GError **error)
{
  g_autoptr (GUnixFDList) list = g_unix_fd_list_new ();
  GString *identity            = g_string_new (NULL);
  gboolean ok                  = self->error == NULL;
  int n_fds                    = 0;
  const int *fds               = self->fds != NULL ? g_unix_fd_list_peek_fds (self->fds, &n_fds) : NULL;

  wly_foreign_guard (list);
  if (!ok)
    g_propagate_error (error, g_error_copy (self->error));
  for (int i = 0; ok && i < n_fds; i++)
    ok = append_open (list, reopen (fds[i]), "the given file", identity, error);
  for (gsize i = 0; ok && self->paths[i] != NULL; i++)
    ok = append_open (list, open (self->paths[i], O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY), self->paths[i],
                      identity, error);
  if (ok && !g_str_equal (identity->str, self->identity)) {
    g_set_error_literal (error, WLY_ERROR, WLY_ERROR_MODEL_CHANGED, "the model's file has just changed; try again");
    ok = FALSE;
  }
  g_string_free (identity, TRUE);
  return ok ? g_steal_pointer (&list) : NULL;
}

/* --- files of an app -----------------------------------------------------------------------------------------------
 */

typedef struct {
  GUnixFDList *fds;
  char *app;
} Given;

static void
given_free (gpointer data)
{
  Given *given = data;

  g_object_unref (given->fds);
  g_free (given->app);
  g_free (given);
}

static gpointer
look_thread (gpointer data, GError **error)
{
  Given *given = data;
  int n_fds;
  const int *fds      = g_unix_fd_list_peek_fds (given->fds, &n_fds);
  WlyModelFiles *self = wly_model_files_new_from_fds (fds, (gsize)n_fds, error);

  if (self != NULL)
    self->app = g_strdup (given->app);
  return self;
}

void
wly_model_files_new_async (GUnixFDList *fds, const char *app, guint limit_ms, GAsyncReadyCallback callback,
                           gpointer user_data)
{
  Given *given        = g_new (Given, 1);
  WlyForeignWork work = { look_thread, given, given_free, (GDestroyNotify)wly_model_files_unref };

  wly_foreign_guard (fds);
  given->fds = g_object_ref (fds);
  given->app = g_strdup (app);
  wly_foreign_run_async (NULL, app, limit_ms, &work, NULL, callback, user_data);
}

WlyModelFiles *
wly_model_files_new_finish (GAsyncResult *result, GError **error)
{
  return wly_foreign_run_finish (result, error);
}

static gpointer
open_thread (gpointer data, GError **error)
{
  return wly_model_files_open (data, error);
}

void
wly_model_files_open_async (WlyModelFiles *self, guint limit_ms, GAsyncReadyCallback callback, gpointer user_data)
{
  WlyForeignWork work    = { open_thread, self, (GDestroyNotify)wly_model_files_unref, g_object_unref };
  g_autoptr (GTask) task = NULL;
  GUnixFDList *list;
  GError *error = NULL;

  wly_model_files_ref (self);
  if (self->app != NULL) {
    wly_foreign_run_async (NULL, self->app, limit_ms, &work, NULL, callback, user_data);
    return;
  }
  task = g_task_new (NULL, NULL, callback, user_data);
  list = wly_model_files_open (self, &error);
  wly_model_files_unref (self);
  if (list != NULL)
    g_task_return_pointer (task, list, g_object_unref);
  else
    g_task_return_error (task, error);
}

GUnixFDList *
wly_model_files_open_finish (GAsyncResult *result, GError **error)
{
  return g_task_propagate_pointer (G_TASK (result), error);
}
