/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wly-cpu-topology.h"

#include <sched.h>
#include <stdio.h>
#include <unistd.h>

#define SLOW_PER_CENT 60 /* of the largest capacity: what is below belongs to cores that save power */

/* What sysfs says of a CPU. */
struct facts {
  guint core;     /* the first CPU of its core */
  guint capacity; /* relative to others; 0: the kernel does not tell */
  gboolean is_slow;
};

/* "0-7,16" */
static gboolean
list_has (const char *list, guint cpu)
{
  g_auto (GStrv) ranges = g_strsplit (list, ",", -1);
  guint first, last;
  int n;

  for (guint i = 0; ranges[i] != NULL; i++) {
    n = sscanf (ranges[i], "%u-%u", &first, &last);
    if ((n == 1 && cpu == first) || (n == 2 && cpu >= first && cpu <= last))
      return TRUE;
  }
  return FALSE;
}

/* NULL: there is none. */
static char *
read_file (const char *sysfs, const char *name)
{
  g_autofree char *path = g_build_filename (sysfs, name, NULL);
  char *text            = NULL;

  return g_file_get_contents (path, &text, NULL, NULL) ? text : NULL;
}

static guint
read_number (const char *sysfs, guint cpu, const char *name, guint otherwise)
{
  g_autofree char *path = g_strdup_printf ("devices/system/cpu/cpu%u/%s", cpu, name);
  g_autofree char *text = read_file (sysfs, path);
  guint number;

  return text != NULL && sscanf (text, "%u", &number) == 1 ? number : otherwise;
}

/* Of CPUs 0 .. n - 1.  Linux tells the capacity of each on ARM and RISC-V (Documentation/ABI/testing/
 * sysfs-devices-system-cpu), and on x86 which are performance cores, where there are others, as the CPUs that their
 * counters are for. */
static void
read_facts (const char *sysfs, guint n, struct facts *ret)
{
  g_autofree char *performance = read_file (sysfs, "devices/cpu_core/cpus");
  g_autofree char *efficiency  = read_file (sysfs, "devices/cpu_atom/cpus");
  guint most                   = 0;

  for (guint cpu = 0; cpu < n; cpu++) {
    ret[cpu].core     = read_number (sysfs, cpu, "topology/thread_siblings_list", cpu);
    ret[cpu].capacity = read_number (sysfs, cpu, "cpu_capacity", 0);
    most              = MAX (most, ret[cpu].capacity);
  }
  for (guint cpu = 0; cpu < n; cpu++)
    if (performance != NULL && efficiency != NULL)
      ret[cpu].is_slow = !list_has (performance, cpu);
    else
      ret[cpu].is_slow = ret[cpu].capacity != 0 && (guint64)ret[cpu].capacity * 100 < (guint64)most * SLOW_PER_CENT;
}

/* Whether @cpus[i] is the first of its core among those before it. */
static gboolean
is_first_of_core (const struct facts *facts, const guint32 *cpus, guint i)
{
  for (guint j = 0; j < i; j++)
    if (facts[cpus[j]].core == facts[cpus[i]].core)
      return FALSE;
  return TRUE;
}

static WlyCpuTopology *
topology (const struct facts *facts, const guint32 *allowed, guint n)
{
  WlyCpuTopology *self = g_new0 (WlyCpuTopology, 1);
  gboolean any_fast    = FALSE;

  self->cpus = g_array_new (FALSE, FALSE, sizeof (guint32));
  for (guint i = 0; i < n; i++)
    any_fast |= !facts[allowed[i]].is_slow;
  for (guint pass = 0; pass < 4; pass++)
    for (guint i = 0; i < n; i++) {
      const gboolean is_slow  = any_fast && facts[allowed[i]].is_slow; /* by themselves they are not slow */
      const gboolean is_first = is_first_of_core (facts, allowed, i);

      if (is_slow != (pass >= 2) || is_first != (pass % 2 == 0))
        continue;
      g_array_append_val (self->cpus, allowed[i]);
      self->n_fast += !is_slow;
      self->n_cores += is_first;
      self->n_fast_cores += is_first && !is_slow;
    }
  self->n_cores      = MAX (self->n_cores, 1);
  self->n_fast_cores = MAX (self->n_fast_cores, 1);
  return self;
}

/* In ascending order; returns how many. */
static guint
read_allowed (guint32 *ret)
{
  cpu_set_t set;
  guint n = 0;

  CPU_ZERO (&set);
  if (sched_getaffinity (0, sizeof set, &set) != 0)
    return 0;
  for (guint32 cpu = 0; cpu < CPU_SETSIZE; cpu++)
    if (CPU_ISSET (cpu, &set))
      ret[n++] = cpu;
  return n;
}

WlyCpuTopology *
wly_cpu_topology_new (void)
{
  static struct facts *facts; /* [CPU_SETSIZE] */
  guint32 allowed[CPU_SETSIZE];
  const guint n = read_allowed (allowed);

  if (g_once_init_enter (&facts)) {
    struct facts *of_all     = g_new0 (struct facts, CPU_SETSIZE);
    const glong n_configured = CLAMP (sysconf (_SC_NPROCESSORS_CONF), 1, CPU_SETSIZE);

    read_facts ("/sys", MAX ((guint)n_configured, n > 0 ? allowed[n - 1] + 1 : 0), of_all);
    g_once_init_leave (&facts, of_all);
  }
  return topology (facts, allowed, n);
}

WlyCpuTopology *
wly_cpu_topology_read (const char *sysfs, const guint32 *allowed, guint n)
{
  g_autofree struct facts *facts = g_new0 (struct facts, CPU_SETSIZE);

  read_facts (sysfs, CPU_SETSIZE, facts);
  return topology (facts, allowed, n);
}

void
wly_cpu_topology_free (WlyCpuTopology *self)
{
  if (self == NULL)
    return;
  g_array_unref (self->cpus);
  g_free (self);
}

guint
wly_cpu_n_cores (void)
{
  g_autoptr (WlyCpuTopology) all = wly_cpu_topology_new ();

  return all->n_cores;
}
