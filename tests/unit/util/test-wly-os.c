/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wly-error.h"
#include "wly-os.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <sched.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static void
test_sealed (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) bytes = NULL;
  int fd                   = wly_os_memfd_new_sealed ("test", "wool", 4, &error);

  g_assert_no_error (error);
  g_assert_cmpint (write (fd, "x", 1), ==, -1);
  g_assert_cmpint (ftruncate (fd, 0), ==, -1);
  bytes = wly_os_read_fd (fd, 4, &error);
  g_assert_no_error (error);
  close (fd);
  g_assert_cmpmem (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes), "wool", 4);
}

/* What is read from an unsealed file does not change when its owner does. */
static void
test_unsealed (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) bytes = NULL;
  int fd                   = wly_os_memfd_new ("test", &error);

  g_assert_cmpint (write (fd, "wool", 4), ==, 4);
  bytes = wly_os_read_fd (fd, 100, &error);
  g_assert_no_error (error);
  g_assert_cmpint (ftruncate (fd, 0), ==, 0);
  g_assert_cmpmem (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes), "wool", 4);
  close (fd);
}

static void
test_refused (void)
{
  g_autoptr (GError) error = NULL;
  int fds[2];
  int fd = wly_os_memfd_new_sealed ("test", "wool", 4, NULL);

  g_assert_null (wly_os_read_fd (fd, 3, &error));
  g_assert_error (error, WLY_ERROR, WLY_ERROR_INVALID_ARGS);
  g_clear_error (&error);
  close (fd);

  g_assert_cmpint (pipe (fds), ==, 0);
  g_assert_null (wly_os_read_fd (fds[0], 100, &error));
  g_assert_error (error, WLY_ERROR, WLY_ERROR_INVALID_ARGS);
  close (fds[0]);
  close (fds[1]);
}

static void
test_process (void)
{
  guint64 total, available;

  g_assert_cmpuint (wly_os_resident_bytes (getpid ()), >, 100000);
  g_assert_true (wly_os_memory (&total, &available));
  g_assert_cmpuint (available, <=, total);
}

static int
spin_on_one_processor (gint64 milliseconds)
{
  gint64 end_us = g_get_monotonic_time () + milliseconds * 1000;
  int pid       = fork ();
  cpu_set_t set;

  if (pid != 0)
    return pid;
  CPU_ZERO (&set);
  CPU_SET (0, &set);
  sched_setaffinity (0, sizeof set, &set);
  while (g_get_monotonic_time () < end_us)
    ;
  pause ();
  return 0;
}

/* Two that want the same processor wait for each other. */
static void
test_run_delay (void)
{
  int pids[2];
  gint64 delay_us = 0;

  if (!g_file_test ("/proc/self/schedstat", G_FILE_TEST_EXISTS)) {
    g_test_skip ("this kernel does not count how long a process waits");
    return;
  }
  for (int i = 0; i < 2; i++)
    pids[i] = spin_on_one_processor (300);
  g_usleep (400 * 1000);
  for (int i = 0; i < 2; i++) {
    delay_us += wly_os_run_delay_us (pids[i]);
    kill (pids[i], SIGKILL);
    g_assert_cmpint (waitpid (pids[i], NULL, 0), ==, pids[i]);
  }
  g_assert_cmpint (delay_us, >, 1000);
  g_assert_cmpint (wly_os_run_delay_us (pids[0]), ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/util/wly-os/sealed", test_sealed);
  g_test_add_func ("/util/wly-os/unsealed", test_unsealed);
  g_test_add_func ("/util/wly-os/refused", test_refused);
  g_test_add_func ("/util/wly-os/process", test_process);
  g_test_add_func ("/util/wly-os/run-delay", test_run_delay);
  return g_test_run ();
}
