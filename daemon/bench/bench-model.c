/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "bench-model.h"

#include "wly-error.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gi18n.h>
#include <unistd.h>

static void
close_cb (gpointer fd)
{
  close (*(int *)fd);
}

static gboolean
open_part (GArray *fds, const char *path, GError **error)
{
  const int fd = open (path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

  if (fd < 0) {
    g_set_error (error, WLY_ERROR, WLY_ERROR_NOT_FOUND, _ ("cannot open %s: %s"), path, g_strerror (errno));
    return FALSE;
  }
  g_array_append_val (fds, fd);
  return TRUE;
}

GArray *
bench_model_open_parts (const char *path, GError **error)
{
  g_autofree char *base   = g_path_get_basename (path);
  g_autofree char *folder = g_path_get_dirname (path);
  g_auto (GStrv) names    = wly_gguf_part_names (base);
  g_autoptr (GArray) fds  = g_array_new (FALSE, FALSE, sizeof (int));

  g_array_set_clear_func (fds, close_cb);
  if (names == NULL) {
    g_set_error (error, WLY_ERROR, WLY_ERROR_INVALID_ARGS,
                 _ ("%s is a later part of a split model; name the first one (…-00001-of-…)"), path);
    return NULL;
  }
  if (names[1] == NULL)
    return open_part (fds, path, error) ? g_steal_pointer (&fds) : NULL;
  for (guint i = 0; names[i] != NULL; i++) {
    g_autofree char *part = g_build_filename (folder, names[i], NULL);

    if (!open_part (fds, part, error))
      return NULL;
  }
  return g_steal_pointer (&fds);
}

WlyGguf *
bench_model_open (const char *path, GError **error)
{
  g_autoptr (GArray) fds   = bench_model_open_parts (path, error);
  g_autoptr (WlyGguf) gguf = NULL;

  if (fds == NULL)
    return NULL;
  gguf = wly_gguf_open ((const int *)(void *)fds->data, fds->len, error);
  if (gguf == NULL)
    g_prefix_error (error, "%s: ", path);
  return g_steal_pointer (&gguf);
}
