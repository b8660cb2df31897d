/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wly-bus-identity.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define MAX_INFO_BYTES 65536
#define MAX_APP_BYTES  255

static const char *const kind_names[] = { "host", "sandboxed", "unknown" };

const char *
wly_bus_identity_kind_to_string (WlyCallerKind kind)
{
  return kind_names[kind];
}

/* A regular file of bounded size; NULL and errno otherwise.  Files of /proc say that they are empty: read, don't ask.
 */
static char *
read_file_at (int dir_fd, const char *name, gsize *ret_n_bytes)
{
  int fd                = openat (dir_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
  g_autofree char *data = NULL;
  struct stat status;
  gsize n_bytes = 0;
  gssize n      = 0;

  if (fd < 0)
    return NULL;
  if (fstat (fd, &status) != 0 || !S_ISREG (status.st_mode) || status.st_size > MAX_INFO_BYTES) {
    close (fd);
    errno = EINVAL;
    return NULL;
  }
  data = g_malloc (MAX_INFO_BYTES + 1);
  while (n_bytes <= MAX_INFO_BYTES && (n = read (fd, data + n_bytes, MAX_INFO_BYTES + 1 - n_bytes)) > 0)
    n_bytes += (gsize)n;
  close (fd);
  if (n < 0 || n_bytes > MAX_INFO_BYTES) {
    errno = EINVAL;
    return NULL;
  }
  data[n_bytes] = '\0';
  *ret_n_bytes  = n_bytes;
  return g_steal_pointer (&data);
}

static gboolean
is_app_id (const char *id)
{
  return id != NULL && id[0] != '\0' && strlen (id) <= MAX_APP_BYTES && g_utf8_validate (id, -1, NULL);
}

static char *
parse_flatpak_info (const char *data, gsize n_bytes)
{
  g_autoptr (GKeyFile) keys = g_key_file_new ();
  g_autofree char *id       = NULL;

  if (!g_key_file_load_from_data (keys, data, n_bytes, G_KEY_FILE_NONE, NULL))
    return NULL;
  id = g_key_file_get_string (keys, "Application", "name", NULL);
  return is_app_id (id) ? g_steal_pointer (&id) : NULL;
}

/* "…/snap.NAME.APP-…scope": NAME; NULL where there is none. */
static char *
find_snap (const char *cgroup)
{
  const char *at = strstr (cgroup, "/snap.");
  const char *end;
  g_autofree char *name = NULL;

  if (at == NULL)
    return NULL;
  at += strlen ("/snap.");
  end  = at + strcspn (at, "./\n");
  name = g_strndup (at, (gsize)(end - at));
  return is_app_id (name) ? g_steal_pointer (&name) : g_strdup ("snap");
}

static gboolean
same_link (int a_fd, int b_fd, const char *name)
{
  char a[256], b[256];
  gssize n_a = readlinkat (a_fd, name, a, sizeof a);
  gssize n_b = readlinkat (b_fd, name, b, sizeof b);

  return n_a > 0 && n_a == n_b && n_a < (gssize)sizeof a && memcmp (a, b, (gsize)n_a) == 0;
}

static gboolean
same_root (int root_fd, int own_proc_fd)
{
  struct stat status, own;

  return fstat (root_fd, &status) == 0 && fstatat (own_proc_fd, "root", &own, 0) == 0 && status.st_dev == own.st_dev
         && status.st_ino == own.st_ino;
}

static char *
program_name (int proc_fd)
{
  gsize n_bytes;
  g_autofree char *name = read_file_at (proc_fd, "comm", &n_bytes);

  if (name == NULL)
    return g_strdup ("");
  g_strchomp (name);
  return g_utf8_make_valid (name, -1);
}

WlyCallerKind
wly_bus_identity_read (int proc_fd, int own_proc_fd, char **ret_app)
{
  int root_fd            = openat (proc_fd, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);
  g_autofree char *info  = NULL;
  g_autofree char *group = NULL;
  char *app              = NULL;
  gsize n_bytes          = 0;
  gboolean our_root;
  int info_errno;

  *ret_app = g_strdup ("");
  if (root_fd < 0)
    return WLY_CALLER_UNKNOWN;
  info       = read_file_at (root_fd, ".flatpak-info", &n_bytes);
  info_errno = errno;
  our_root   = same_root (root_fd, own_proc_fd);
  close (root_fd);

  if (info != NULL)
    app = parse_flatpak_info (info, n_bytes);
  else if (info_errno == ENOENT && (group = read_file_at (proc_fd, "cgroup", &n_bytes)) != NULL)
    app = find_snap (group);
  if (app != NULL) {
    g_free (*ret_app);
    *ret_app = app;
    return WLY_CALLER_SANDBOXED;
  }
  if (info != NULL || info_errno != ENOENT || group == NULL || !our_root
      || !same_link (proc_fd, own_proc_fd, "ns/user"))
    return WLY_CALLER_UNKNOWN;
  g_free (*ret_app);
  *ret_app = program_name (proc_fd);
  return WLY_CALLER_HOST;
}

static gboolean
is_alive (int pid_fd)
{
  struct pollfd poll_fd = { .fd = pid_fd, .events = POLLIN };

  return poll (&poll_fd, 1, 0) == 0;
}

gint64
wly_bus_identity_now_us (void)
{
  struct timespec now = { 0 };

  clock_gettime (CLOCK_BOOTTIME, &now);
  return (gint64)now.tv_sec * G_USEC_PER_SEC + now.tv_nsec / 1000;
}

/* The 22nd value of its stat file, in clock ticks; -1 where it cannot be read.  The second one, its name, may hold
 * anything. */
static gint64
start_ticks (int proc_fd)
{
  gsize n_bytes;
  g_autofree char *stat = read_file_at (proc_fd, "stat", &n_bytes);
  const char *at        = stat != NULL ? strrchr (stat, ')') : NULL;
  guint64 ticks;

  for (int i = 2; i < 22 && at != NULL; i++) {
    at = strchr (at, ' ');
    at = at != NULL ? at + 1 : NULL;
  }
  if (at == NULL)
    return -1;
  ticks = g_ascii_strtoull (at, NULL, 10);
  return ticks < G_MAXINT64 / G_USEC_PER_SEC ? (gint64)ticks : -1;
}

static gboolean
began_before (gint64 ticks, gint64 latest_start_us)
{
  return ticks >= 0 && ticks * G_USEC_PER_SEC / sysconf (_SC_CLK_TCK) <= latest_start_us;
}

WlyCallerKind
wly_bus_identity_of_pid (guint32 pid, gint64 latest_start_us, char **ret_app, char **ret_process)
{
  g_autofree char *path = g_strdup_printf ("/proc/%u", pid);
  int pid_fd            = (int)syscall (SYS_pidfd_open, (pid_t)pid, 0);
  int proc_fd           = open (path, O_PATH | O_DIRECTORY | O_CLOEXEC);
  int own_proc_fd       = open ("/proc/self", O_PATH | O_DIRECTORY | O_CLOEXEC);
  WlyCallerKind kind    = WLY_CALLER_UNKNOWN;
  gint64 ticks          = -1;

  *ret_app     = NULL;
  *ret_process = NULL;
  if (pid_fd >= 0 && proc_fd >= 0 && own_proc_fd >= 0) {
    kind  = wly_bus_identity_read (proc_fd, own_proc_fd, ret_app);
    ticks = start_ticks (proc_fd);
    if (!is_alive (pid_fd) || !began_before (ticks, latest_start_us))
      kind = WLY_CALLER_UNKNOWN;
    else
      *ret_process = g_strdup_printf ("%u.%" G_GINT64_FORMAT, pid, ticks);
  }
  if (*ret_app == NULL)
    *ret_app = g_strdup ("");
  if (pid_fd >= 0)
    close (pid_fd);
  if (proc_fd >= 0)
    close (proc_fd);
  if (own_proc_fd >= 0)
    close (own_proc_fd);
  return kind;
}
