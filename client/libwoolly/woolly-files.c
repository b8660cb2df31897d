/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "woolly-files.h"

#include "woolly-error-private.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* "-00001-of-00003.gguf" */
#define DIGITS    5
#define SUFFIX    "-00001-of-00003.gguf"
#define TOTAL_AT  (1 + DIGITS + (sizeof "-of-" - 1))
#define MAX_PARTS 250 /* one D-Bus message takes no more descriptors */

static gboolean
read_digits (const char *text, guint *ret_value)
{
  guint value = 0;

  for (guint i = 0; i < DIGITS; i++) {
    if (!g_ascii_isdigit (text[i]))
      return FALSE;
    value = value * 10 + (guint)(text[i] - '0');
  }
  *ret_value = value;
  return TRUE;
}

/* Whether the name is one of a split file; *ret_stem is what comes before the numbers. */
static gboolean
parse_split_name (const char *path, char **ret_stem, guint *ret_total)
{
  gsize n            = strlen (path);
  gsize n_suffix     = sizeof SUFFIX - 1;
  guint number       = 0;
  const char *suffix = path + n - MIN (n, n_suffix);

  if (n <= n_suffix || suffix[0] != '-' || !read_digits (suffix + 1, &number)
      || strncmp (suffix + 1 + DIGITS, "-of-", 4) != 0 || !read_digits (suffix + TOTAL_AT, ret_total)
      || !g_str_equal (suffix + TOTAL_AT + DIGITS, ".gguf"))
    return FALSE;
  *ret_stem = g_strndup (path, n - n_suffix);
  return number >= 1 && number <= *ret_total;
}

static gboolean
append_file (GUnixFDList *files, const char *path, GError **error)
{
  g_autofree char *shown = g_filename_display_name (path);
  struct stat info;
  int fd = open (path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
  int handle;

  if (fd < 0) {
    g_set_error (error, WOOLLY_ERROR, errno == EACCES ? WOOLLY_ERROR_ACCESS_DENIED : WOOLLY_ERROR_NOT_FOUND,
                 "The file “%s” cannot be opened: %s", shown, g_strerror (errno));
    return FALSE;
  }
  if (fstat (fd, &info) != 0 || !S_ISREG (info.st_mode)) {
    g_set_error (error, WOOLLY_ERROR, WOOLLY_ERROR_INVALID_MODEL, "“%s” is not a regular file", shown);
    close (fd);
    return FALSE;
  }
  handle = g_unix_fd_list_append (files, fd, error);
  close (fd);
  return handle >= 0;
}

GUnixFDList *
woolly_files_open (const char *path, GError **error)
{
  g_autoptr (GUnixFDList) files = g_unix_fd_list_new ();
  g_autofree char *stem         = NULL;
  guint total                   = 0;

  if (!parse_split_name (path, &stem, &total))
    return append_file (files, path, error) ? g_steal_pointer (&files) : NULL;

  if (total > MAX_PARTS) {
    g_set_error (error, WOOLLY_ERROR, WOOLLY_ERROR_INVALID_MODEL, "A model of %u files is not supported, at most %d",
                 total, MAX_PARTS);
    return NULL;
  }
  for (guint i = 1; i <= total; i++) {
    g_autofree char *part = g_strdup_printf ("%s-%05u-of-%05u.gguf", stem, i, total);

    if (!append_file (files, part, error))
      return NULL;
  }
  return g_steal_pointer (&files);
}
