/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Who is a process?  With folders that look like /proc/PID, and with real processes.
 */
#include "wly-bus-identity.h"
#include "wly-bus-names.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define HOST_CGROUP "0::/user.slice/user-1000.slice/user@1000.service/app.slice/app-editor.scope\n"

typedef struct {
  char *folder;
  int own_fd; /* ours */
  int proc_fd;
} Fixture;

static void
write_file (Fixture *fixture, const char *name, const char *text, gssize n_bytes)
{
  g_autofree char *path = g_build_filename (fixture->folder, name, NULL);

  g_assert_true (g_file_set_contents (path, text, n_bytes, NULL));
}

static void
make (Fixture *fixture, const char *name)
{
  g_autofree char *path = g_build_filename (fixture->folder, name, NULL);

  g_assert_cmpint (g_mkdir_with_parents (path, 0700), ==, 0);
}

static void
link_to (Fixture *fixture, const char *name, const char *target)
{
  g_autofree char *path = g_build_filename (fixture->folder, name, NULL);

  g_unlink (path);
  g_assert_cmpint (symlink (target, path), ==, 0);
}

static int
open_folder (Fixture *fixture, const char *name)
{
  g_autofree char *path = g_build_filename (fixture->folder, name, NULL);
  int fd                = open (path, O_PATH | O_DIRECTORY | O_CLOEXEC);

  g_assert_cmpint (fd, >=, 0);
  return fd;
}

/* A host program: the same root folder and user namespace as ours. */
static void
set_up (Fixture *fixture, gconstpointer data)
{
  fixture->folder = g_dir_make_tmp ("woolly-XXXXXX", NULL);
  make (fixture, "host-root");
  make (fixture, "box-root");
  make (fixture, "own/ns");
  make (fixture, "proc/ns");
  link_to (fixture, "own/root", "../host-root");
  link_to (fixture, "proc/root", "../host-root");
  link_to (fixture, "own/ns/user", "user:[1]");
  link_to (fixture, "proc/ns/user", "user:[1]");
  write_file (fixture, "proc/cgroup", HOST_CGROUP, -1);
  write_file (fixture, "proc/comm", "editor\n", -1);
  fixture->own_fd  = open_folder (fixture, "own");
  fixture->proc_fd = open_folder (fixture, "proc");
}

static void
remove_tree (const char *path)
{
  g_autoptr (GDir) dir = NULL;
  const char *name;

  if (!g_file_test (path, G_FILE_TEST_IS_SYMLINK))
    dir = g_dir_open (path, 0, NULL);
  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL) {
    g_autofree char *child = g_build_filename (path, name, NULL);
    remove_tree (child);
  }
  g_remove (path);
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  close (fixture->own_fd);
  close (fixture->proc_fd);
  remove_tree (fixture->folder);
  g_free (fixture->folder);
}

static void
check (Fixture *fixture, WlyCallerKind kind, const char *app)
{
  g_autofree char *found = NULL;

  g_assert_cmpstr (wly_bus_identity_kind_to_string (wly_bus_identity_read (fixture->proc_fd, fixture->own_fd, &found)),
                   ==, wly_bus_identity_kind_to_string (kind));
  g_assert_cmpstr (found, ==, app);
}

static void
test_host (Fixture *fixture, gconstpointer data)
{
  check (fixture, WLY_CALLER_HOST, "editor");
  write_file (fixture, "proc/comm", "\xff\xfe", 2);
  check (fixture, WLY_CALLER_HOST, "\xef\xbf\xbd\xef\xbf\xbd");
}

static void
test_flatpak (Fixture *fixture, gconstpointer data)
{
  link_to (fixture, "proc/root", "../box-root");
  link_to (fixture, "proc/ns/user", "user:[2]");
  write_file (fixture, "box-root/.flatpak-info", "[Application]\nname=org.example.App\nruntime=x\n", -1);
  check (fixture, WLY_CALLER_SANDBOXED, "org.example.App");
}

/* The file is there, but says nothing that can be trusted. */
static void
test_doubtful_info (Fixture *fixture, gconstpointer data)
{
  g_autofree char *huge = g_strnfill (100000, '\n');
  g_autofree char *path = g_build_filename (fixture->folder, "host-root", ".flatpak-info", NULL);
  g_autofree char *id   = g_strnfill (300, 'x');
  g_autofree char *text = g_strdup_printf ("[Application]\nname=%s\n", id);

  for (const char *const *bad =
           (const char *const[]){ "", "nonsense", "[Application]\n", "[Application]\nname=\n", "[Instance]\nname=x\n",
                                  text, "[Application]\nname=\xff\n", huge, NULL };
       *bad != NULL; bad++) {
    write_file (fixture, "host-root/.flatpak-info", *bad, -1);
    check (fixture, WLY_CALLER_UNKNOWN, "");
  }
  g_unlink (path);
  link_to (fixture, "host-root/.flatpak-info", "../proc/comm");
  check (fixture, WLY_CALLER_UNKNOWN, "");
  g_unlink (path);
  g_assert_cmpint (mkfifo (path, 0600), ==, 0); /* must not be waited for */
  check (fixture, WLY_CALLER_UNKNOWN, "");
  g_unlink (path);
  make (fixture, "host-root/.flatpak-info");
  check (fixture, WLY_CALLER_UNKNOWN, "");
}

static void
test_other_sandboxes (Fixture *fixture, gconstpointer data)
{
  write_file (fixture, "proc/cgroup", "0::/user.slice/snap.firefox.firefox-1234.scope\n", -1);
  check (fixture, WLY_CALLER_SANDBOXED, "firefox");
  write_file (fixture, "proc/cgroup", HOST_CGROUP, -1);
  link_to (fixture, "proc/root", "../box-root"); /* a root folder of its own, and nothing that says whose */
  check (fixture, WLY_CALLER_UNKNOWN, "");
  link_to (fixture, "proc/root", "../host-root");
  link_to (fixture, "proc/ns/user", "user:[2]");
  check (fixture, WLY_CALLER_UNKNOWN, "");
}

static void
test_unreadable (Fixture *fixture, gconstpointer data)
{
  link_to (fixture, "proc/root", "../nowhere");
  check (fixture, WLY_CALLER_UNKNOWN, "");
  link_to (fixture, "proc/root", "../host-root");
  link_to (fixture, "proc/cgroup", "../nowhere");
  check (fixture, WLY_CALLER_UNKNOWN, "");
}

static void
test_own_process (void)
{
  g_autofree char *app     = NULL;
  g_autofree char *process = NULL;
  g_autofree char *again   = NULL;
  const gint64 now_us      = wly_bus_identity_now_us ();

  g_assert_cmpint (wly_bus_identity_of_pid ((guint32)getpid (), now_us, &app, &process), ==, WLY_CALLER_HOST);
  g_assert_cmpstr (app, !=, "");
  g_free (app);
  g_assert_cmpint (wly_bus_identity_of_pid ((guint32)getpid (), G_MAXINT64, &app, &again), ==, WLY_CALLER_HOST);
  g_assert_cmpstr (process, ==, again);
}

/* A process that is younger than the connection that bears its number did not make it. */
static void
test_reused_number (void)
{
  g_autofree char *app     = NULL;
  g_autofree char *process = NULL;
  gint64 connected_us;
  pid_t pid;

  connected_us = wly_bus_identity_now_us ();
  g_usleep (50 * 1000); /* some ticks of the clock by which starts are counted */
  pid = fork ();
  if (pid == 0) {
    pause ();
    _exit (0);
  }
  g_assert_cmpint (wly_bus_identity_of_pid ((guint32)pid, connected_us, &app, &process), ==, WLY_CALLER_UNKNOWN);
  g_assert_null (process);
  g_free (app);
  g_assert_cmpint (wly_bus_identity_of_pid ((guint32)pid, wly_bus_identity_now_us (), &app, &process), ==,
                   WLY_CALLER_HOST);
  kill (pid, SIGKILL);
  waitpid (pid, NULL, 0);
}

static void
test_names (void)
{
  g_autoptr (WlyBusNames) names = wly_bus_names_new ();

  g_assert_cmpint (wly_bus_names_latest_us (names, ":1.5"), ==, G_MAXINT64);
  wly_bus_names_saw (names, ":1.7", 100);
  wly_bus_names_saw (names, ":1.6", 200); /* came before, was seen later: tells nothing */
  wly_bus_names_saw (names, ":1.20", 300);
  wly_bus_names_saw (names, "org.example.Name", 400);
  g_assert_cmpint (wly_bus_names_latest_us (names, ":1.5"), ==, 100);
  g_assert_cmpint (wly_bus_names_latest_us (names, ":1.7"), ==, 300);
  g_assert_cmpint (wly_bus_names_latest_us (names, ":1.20"), ==, G_MAXINT64);
  g_assert_cmpint (wly_bus_names_latest_us (names, "org.example.Name"), ==, G_MAXINT64);
  for (int i = 100; i < 5000; i++) {
    g_autofree char *name = g_strdup_printf (":1.%d", i);
    wly_bus_names_saw (names, name, i);
  }
  /* much was forgotten; what is said stays true */
  g_assert_cmpint (wly_bus_names_latest_us (names, ":1.4998"), ==, 4999);
  g_assert_cmpint (wly_bus_names_latest_us (names, ":1.200"), >, 200);
  g_assert_cmpint (wly_bus_names_latest_us (names, ":1.200"), <, 5000);
}

/* A number whose process has ended says nothing, whatever stands there now. */
static void
test_ended_process (void)
{
  for (int i = 0; i < 100; i++) {
    g_autofree char *app     = NULL;
    g_autofree char *process = NULL;
    pid_t pid                = fork ();

    if (pid == 0)
      _exit (0);
    g_assert_cmpint (pid, >, 0);
    if (i % 2 == 0)
      g_assert_cmpint (waitpid (pid, NULL, 0), ==, pid);
    else
      waitid (P_PID, (id_t)pid, NULL, WEXITED | WNOWAIT); /* ended, and not waited for: a zombie */
    g_assert_cmpint (wly_bus_identity_of_pid ((guint32)pid, G_MAXINT64, &app, &process), ==, WLY_CALLER_UNKNOWN);
    g_assert_nonnull (app);
    if (i % 2 == 1)
      waitpid (pid, NULL, 0);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add ("/bus/identity/host", Fixture, NULL, set_up, test_host, tear_down);
  g_test_add ("/bus/identity/flatpak", Fixture, NULL, set_up, test_flatpak, tear_down);
  g_test_add ("/bus/identity/doubtful-info", Fixture, NULL, set_up, test_doubtful_info, tear_down);
  g_test_add ("/bus/identity/other-sandboxes", Fixture, NULL, set_up, test_other_sandboxes, tear_down);
  g_test_add ("/bus/identity/unreadable", Fixture, NULL, set_up, test_unreadable, tear_down);
  g_test_add_func ("/bus/identity/own-process", test_own_process);
  g_test_add_func ("/bus/identity/ended-process", test_ended_process);
  g_test_add_func ("/bus/identity/reused-number", test_reused_number);
  g_test_add_func ("/bus/names/latest", test_names);
  return g_test_run ();
}
