/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Preloaded into woollyd: whatever asks the file system about a file whose name begins with "hung-" waits, as on a
 * mount whose program is stuck, until the file is renamed.  Duplicating a descriptor waits for nothing, as there.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define EXPORT __attribute__ ((visibility ("default")))

static void
wait_while_hung (const char *link)
{
  char target[4096];
  ssize_t n;

  if (strcmp (program_invocation_short_name, "woollyd") != 0)
    return;
  while ((n = readlink (link, target, sizeof target - 1)) > 0) {
    const char *name;
    target[n] = '\0';
    name      = strrchr (target, '/');
    if (name == NULL || strncmp (name, "/hung-", 6) != 0)
      return;
    usleep (10000);
  }
}

static void
wait_for_fd (int fd)
{
  char link[64];
  int code = errno;

  snprintf (link, sizeof link, "/proc/self/fd/%d", fd);
  wait_while_hung (link);
  errno = code;
}

/* The next definition of the function that calls it. */
#define NEXT(type) ((type)dlsym (RTLD_NEXT, __func__))

EXPORT int
close (int fd)
{
  wait_for_fd (fd);
  return NEXT (int (*) (int)) (fd);
}

EXPORT int
fstat64 (int fd, struct stat64 *status)
{
  wait_for_fd (fd);
  return NEXT (int (*) (int, struct stat64 *)) (fd, status);
}

EXPORT int
ftruncate64 (int fd, off64_t n_bytes)
{
  wait_for_fd (fd);
  return NEXT (int (*) (int, off64_t)) (fd, n_bytes);
}

EXPORT ssize_t
read (int fd, void *buffer, size_t n_bytes)
{
  wait_for_fd (fd);
  return NEXT (ssize_t (*) (int, void *, size_t)) (fd, buffer, n_bytes);
}

EXPORT ssize_t
pread64 (int fd, void *buffer, size_t n_bytes, off64_t offset)
{
  wait_for_fd (fd);
  return NEXT (ssize_t (*) (int, void *, size_t, off64_t)) (fd, buffer, n_bytes, offset);
}

EXPORT ssize_t
pwrite64 (int fd, const void *buffer, size_t n_bytes, off64_t offset)
{
  wait_for_fd (fd);
  return NEXT (ssize_t (*) (int, const void *, size_t, off64_t)) (fd, buffer, n_bytes, offset);
}

EXPORT int
open64 (const char *path, int flags, ...)
{
  mode_t mode = 0;
  va_list arguments;

  if ((flags & O_CREAT) != 0) {
    va_start (arguments, flags);
    mode = va_arg (arguments, mode_t);
    va_end (arguments);
  }
  if (strncmp (path, "/proc/self/fd/", 14) == 0)
    wait_while_hung (path);
  return NEXT (int (*) (const char *, int, ...)) (path, flags, mode);
}
