/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wly-error.h"
#include "wly-os.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define SEALS (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

int
wly_os_memfd_new (const char *name, GError **error)
{
  int fd = memfd_create (name, MFD_CLOEXEC | MFD_ALLOW_SEALING);

  if (fd < 0)
    g_set_error (error, WLY_ERROR, WLY_ERROR_NO_MEMORY, "No memory file: %s", g_strerror (errno));
  return fd;
}

gboolean
wly_os_write_all (int fd, const void *data, gsize n_bytes)
{
  const guint8 *at = data;

  while (n_bytes > 0) {
    gssize n = write (fd, at, n_bytes);

    if (n < 0 && errno == EINTR)
      continue;
    if (n <= 0)
      return FALSE;
    at += n;
    n_bytes -= (gsize)n;
  }
  return TRUE;
}

gboolean
wly_os_memfd_seal (int fd, GError **error)
{
  if (lseek (fd, 0, SEEK_SET) == 0 && fcntl (fd, F_ADD_SEALS, SEALS) == 0)
    return TRUE;
  g_set_error (error, WLY_ERROR, WLY_ERROR_NO_MEMORY, "Sealing a memory file: %s", g_strerror (errno));
  return FALSE;
}

int
wly_os_memfd_new_sealed (const char *name, const void *data, gsize n_bytes, GError **error)
{
  int fd = wly_os_memfd_new (name, error);

  if (fd < 0)
    return -1;
  if (!wly_os_write_all (fd, data, n_bytes))
    g_set_error (error, WLY_ERROR, WLY_ERROR_NO_MEMORY, "Writing a memory file: %s", g_strerror (errno));
  else if (wly_os_memfd_seal (fd, error))
    return fd;
  close (fd);
  return -1;
}

typedef struct {
  void *map;
  gsize n_bytes;
} Mapping;

static void
unmap (gpointer data)
{
  Mapping *mapping = data;

  munmap (mapping->map, mapping->n_bytes);
  g_free (mapping);
}

static GBytes *
map_fd (int fd, gsize n_bytes)
{
  void *map = mmap (NULL, n_bytes, PROT_READ, MAP_PRIVATE, fd, 0);
  Mapping *mapping;

  if (map == MAP_FAILED)
    return NULL;
  mapping          = g_new (Mapping, 1);
  mapping->map     = map;
  mapping->n_bytes = n_bytes;
  return g_bytes_new_with_free_func (map, n_bytes, unmap, mapping);
}

/* Reads from the start of the file, wherever its owner's position is. */
static GBytes *
read_copy (int fd, gsize n_bytes, GError **error)
{
  g_autofree guint8 *data = g_try_malloc (n_bytes);
  gsize at                = 0;

  if (data == NULL) {
    g_set_error (error, WLY_ERROR, WLY_ERROR_NO_MEMORY, "No memory for a body of %" G_GSIZE_FORMAT " bytes", n_bytes);
    return NULL;
  }
  while (at < n_bytes) {
    gssize n = pread (fd, data + at, n_bytes - at, (off_t)at);

    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0) {
      g_set_error (error, WLY_ERROR, WLY_ERROR_INVALID_ARGS, "Reading a descriptor: %s", g_strerror (errno));
      return NULL;
    }
    if (n == 0)
      break; /* cut since it was measured: what is there counts */
    at += (gsize)n;
  }
  return g_bytes_new_take (g_steal_pointer (&data), at);
}

GBytes *
wly_os_read_fd (int fd, gsize max_bytes, GError **error)
{
  struct stat status;
  int seals;

  if (fstat (fd, &status) != 0 || !S_ISREG (status.st_mode)) {
    g_set_error_literal (error, WLY_ERROR, WLY_ERROR_INVALID_ARGS,
                         "A body's descriptor must be a regular file or a memfd");
    return NULL;
  }
  if (status.st_size < 0 || (guint64)status.st_size > max_bytes) {
    g_set_error (error, WLY_ERROR, WLY_ERROR_INVALID_ARGS,
                 "A body may have %" G_GSIZE_FORMAT " bytes, this one has %" G_GINT64_FORMAT, max_bytes,
                 (gint64)status.st_size);
    return NULL;
  }
  if (status.st_size == 0)
    return g_bytes_new (NULL, 0);
  seals = fcntl (fd, F_GET_SEALS);
  if (seals >= 0 && (seals & (F_SEAL_SHRINK | F_SEAL_WRITE)) == (F_SEAL_SHRINK | F_SEAL_WRITE)) {
    GBytes *bytes = map_fd (fd, (gsize)status.st_size);

    if (bytes != NULL)
      return bytes;
  }
  return read_copy (fd, (gsize)status.st_size, error);
}

gboolean
wly_os_die_with_parent (int parent_pid)
{
  if (prctl (PR_SET_PDEATHSIG, 9 /* SIGKILL */) != 0)
    return FALSE;
  /* the parent may have gone before the call above */
  return parent_pid <= 0 || getppid () == parent_pid;
}

void
wly_os_keep_memory_private (void)
{
  const struct rlimit none = { 0, 0 };

  setrlimit (RLIMIT_CORE, &none);
  prctl (PR_SET_DUMPABLE, 0);
}

gboolean
wly_os_lease_file (int fd)
{
  return fcntl (fd, F_SETLEASE, F_RDLCK) == 0;
}

/* The second number of a file that the kernel has for a process; 0 where it cannot be read. */
static guint64
second_number (int pid, const char *name)
{
  g_autofree char *path = g_strdup_printf ("/proc/%d/%s", pid, name);
  g_autofree char *text = NULL;
  guint64 first, second;

  if (!g_file_get_contents (path, &text, NULL, NULL)
      || sscanf (text, "%" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT, &first, &second) != 2)
    return 0;
  return second;
}

guint64
wly_os_resident_bytes (int pid)
{
  return second_number (pid, "statm") * (guint64)sysconf (_SC_PAGESIZE);
}

gint64
wly_os_run_delay_us (int pid)
{
  return (gint64)(second_number (pid, "schedstat") / 1000);
}

gboolean
wly_os_memory (guint64 *ret_total, guint64 *ret_available)
{
  g_autofree char *text = NULL;
  const char *total, *available;
  guint64 total_kib, available_kib;

  if (!g_file_get_contents ("/proc/meminfo", &text, NULL, NULL))
    return FALSE;
  total     = strstr (text, "MemTotal:");
  available = strstr (text, "MemAvailable:");
  if (total == NULL || available == NULL || sscanf (total, "MemTotal: %" G_GUINT64_FORMAT, &total_kib) != 1
      || sscanf (available, "MemAvailable: %" G_GUINT64_FORMAT, &available_kib) != 1)
    return FALSE;
  *ret_total     = total_kib * 1024;
  *ret_available = available_kib * 1024;
  return TRUE;
}
