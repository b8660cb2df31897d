/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wly-model-files.h"

#include "wly-error.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

struct WlyModelFiles {
  gatomicrefcount ref_count;
  char **paths;
  GUnixFDList *fds; /* NULL: by path */
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
