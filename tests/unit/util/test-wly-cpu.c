/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * CPU features, and which CPUs to compute on: machines that are not here are files of their sysfs.
 */
#include "wly-cpu-topology.h"
#include "wly-cpu.h"
#include "woolly-plugin/services.h"

#include <glib/gstdio.h>

static void
test_mask (void)
{
  g_autofree const char **none = NULL;
  guint64 all                  = wly_cpu_features ();

  g_setenv ("WOOLLY_CPU_MASK", "none", TRUE);
  g_assert_cmpuint (wly_cpu_features (), ==, 0);
  none = wly_cpu_feature_names (0);
  g_assert_null (none[0]);
  g_setenv ("WOOLLY_CPU_MASK", "sse42,neon", TRUE);
  g_assert_cmpuint (wly_cpu_features (), ==, all & (WLP_CPU_SSE42 | WLP_CPU_NEON));
  g_unsetenv ("WOOLLY_CPU_MASK");
  g_assert_cmpuint (wly_cpu_features (), ==, all);
}

/* ---- a machine of files ---- */

typedef struct {
  char *sysfs;
} Machine;

static void machine_write (const char *sysfs, const char *text, const char *format, ...) G_GNUC_PRINTF (3, 4);

static void
machine_write (const char *sysfs, const char *text, const char *format, ...)
{
  g_autofree char *name = NULL, *path = NULL, *folder = NULL;
  g_autoptr (GError) error = NULL;
  va_list args;

  va_start (args, format);
  name = g_strdup_vprintf (format, args);
  va_end (args);
  path   = g_build_filename (sysfs, "devices", name, NULL);
  folder = g_path_get_dirname (path);
  g_assert_cmpint (g_mkdir_with_parents (folder, 0755), ==, 0);
  g_file_set_contents (path, text, -1, &error);
  g_assert_no_error (error);
}

/* @siblings: "0-1" for CPU 0, … */
static void
machine_cpus (const char *sysfs, guint n, const char *const *siblings, const guint *capacities)
{
  for (guint i = 0; i < n; i++) {
    g_autofree char *capacity = capacities != NULL ? g_strdup_printf ("%u\n", capacities[i]) : NULL;

    machine_write (sysfs, siblings[i], "system/cpu/cpu%u/topology/thread_siblings_list", i);
    if (capacity != NULL)
      machine_write (sysfs, capacity, "system/cpu/cpu%u/cpu_capacity", i);
  }
}

static void
remove_tree (const char *path)
{
  g_autoptr (GDir) folder = g_dir_open (path, 0, NULL);
  const char *name;

  while (folder != NULL && (name = g_dir_read_name (folder)) != NULL) {
    g_autofree char *child = g_build_filename (path, name, NULL);

    remove_tree (child);
  }
  g_remove (path);
}

static void
machine_set_up (Machine *self, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  (void)data;
  self->sysfs = g_dir_make_tmp ("woolly-sysfs-XXXXXX", &error);
  g_assert_no_error (error);
}

static void
machine_tear_down (Machine *self, gconstpointer data)
{
  (void)data;
  remove_tree (self->sysfs);
  g_free (self->sysfs);
}

/* @cpus: in order, "0 2 1 3"; @allowed: CPUs 0 .. n - 1 that are, as bits. */
static void
check (const Machine *self, guint allowed, const char *cpus, guint n_fast, guint n_cores, guint n_fast_cores)
{
  g_autoptr (WlyCpuTopology) topology = NULL;
  g_autoptr (GString) order           = g_string_new (NULL);
  guint32 numbers[32];
  guint n = 0;

  for (guint32 cpu = 0; cpu < 32; cpu++)
    if (allowed >> cpu & 1)
      numbers[n++] = cpu;
  topology = wly_cpu_topology_read (self->sysfs, numbers, n);
  for (guint i = 0; i < topology->cpus->len; i++)
    g_string_append_printf (order, "%s%u", i > 0 ? " " : "", g_array_index (topology->cpus, guint32, i));
  g_assert_cmpstr (order->str, ==, cpus);
  g_assert_cmpuint (topology->n_fast, ==, n_fast);
  g_assert_cmpuint (topology->n_cores, ==, n_cores);
  g_assert_cmpuint (topology->n_fast_cores, ==, n_fast_cores);
}

static const char *const pairs[]        = { "0-1\n", "0-1\n", "2-3\n", "2-3\n" };
static const char *const halves[]       = { "0,2\n", "1,3\n", "0,2\n", "1,3\n" };
static const char *const singles[]      = { "0\n", "1\n", "2\n", "3\n", "4\n", "5\n", "6\n", "7\n" };
static const char *const two_and_four[] = { "0-1\n", "0-1\n", "2-3\n", "2-3\n", "4\n", "5\n", "6\n", "7\n" };

/* Cores of two CPUs, which are neighbours or not. */
static void
test_cores (Machine *self, gconstpointer data)
{
  (void)data;
  machine_cpus (self->sysfs, 4, pairs, NULL);
  check (self, 0xf, "0 2 1 3", 4, 2, 2);
  machine_cpus (self->sysfs, 4, halves, NULL);
  check (self, 0xf, "0 1 2 3", 4, 2, 2);
}

/* What a container leaves of them. */
static void
test_some_allowed (Machine *self, gconstpointer data)
{
  (void)data;
  machine_cpus (self->sysfs, 4, pairs, NULL);
  check (self, 0xa, "1 3", 2, 2, 2);
  check (self, 0xe, "1 2 3", 3, 2, 2);
  check (self, 0x3, "0 1", 2, 1, 1);
}

/* A kernel that tells nothing, and a process that may not know where it runs. */
static void
test_unknown (Machine *self, gconstpointer data)
{
  (void)data;
  check (self, 0x7, "0 1 2", 3, 3, 3);
  check (self, 0, "", 0, 1, 1);
}

/* Two performance cores of two CPUs each, four efficiency cores. */
static void
test_performance_cores (Machine *self, gconstpointer data)
{
  (void)data;
  machine_cpus (self->sysfs, 8, two_and_four, NULL);
  machine_write (self->sysfs, "0-3\n", "cpu_core/cpus");
  machine_write (self->sysfs, "4-7\n", "cpu_atom/cpus");
  check (self, 0xff, "0 2 1 3 4 5 6 7", 4, 6, 2);
  check (self, 0xcc, "2 3 6 7", 2, 3, 1);
  check (self, 0xf0, "4 5 6 7", 4, 4, 4); /* no fast one is left */
}

/* A list of performance cores without one of the others says nothing: each has its counters. */
static void
test_only_performance_cores (Machine *self, gconstpointer data)
{
  (void)data;
  machine_cpus (self->sysfs, 8, two_and_four, NULL);
  machine_write (self->sysfs, "0-3\n", "cpu_core/cpus");
  check (self, 0xff, "0 2 4 5 6 7 1 3", 8, 6, 6);
}

/* Lists with gaps. */
static void
test_lists (Machine *self, gconstpointer data)
{
  (void)data;
  machine_cpus (self->sysfs, 8, singles, NULL);
  machine_write (self->sysfs, "1,3-4,7\n", "cpu_core/cpus");
  machine_write (self->sysfs, "0,2,5-6\n", "cpu_atom/cpus");
  check (self, 0xff, "1 3 4 7 0 2 5 6", 4, 8, 4);
}

/* Little cores first, as ARM boards number them; a middle kind counts as fast. */
static void
test_capacities (Machine *self, gconstpointer data)
{
  static const guint capacities[] = { 325, 325, 325, 325, 828, 828, 828, 1024 };

  (void)data;
  machine_cpus (self->sysfs, 8, singles, capacities);
  check (self, 0xff, "4 5 6 7 0 1 2 3", 4, 8, 4);
  check (self, 0x0f, "0 1 2 3", 4, 4, 4);
}

static void
test_this_machine (void)
{
  g_autoptr (WlyCpuTopology) topology = wly_cpu_topology_new ();

  g_assert_cmpuint (topology->cpus->len, ==, g_get_num_processors ());
  g_assert_cmpuint (topology->n_cores, >=, 1);
  g_assert_cmpuint (topology->n_cores, <=, topology->cpus->len);
  g_assert_cmpuint (topology->n_fast_cores, <=, topology->n_cores);
  g_assert_cmpuint (topology->n_fast, <=, topology->cpus->len);
  g_assert_cmpuint (wly_cpu_n_cores (), ==, topology->n_cores);
}

#define ADD(path, function) g_test_add (path, Machine, NULL, machine_set_up, function, machine_tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/util/wly-cpu/mask", test_mask);
  g_test_add_func ("/util/wly-cpu-topology/this-machine", test_this_machine);
  ADD ("/util/wly-cpu-topology/cores", test_cores);
  ADD ("/util/wly-cpu-topology/some-allowed", test_some_allowed);
  ADD ("/util/wly-cpu-topology/unknown", test_unknown);
  ADD ("/util/wly-cpu-topology/performance-cores", test_performance_cores);
  ADD ("/util/wly-cpu-topology/only-performance-cores", test_only_performance_cores);
  ADD ("/util/wly-cpu-topology/lists", test_lists);
  ADD ("/util/wly-cpu-topology/capacities", test_capacities);
  return g_test_run ();
}
