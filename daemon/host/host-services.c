/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "plugin-host.h"
#include "wly-cpu.h"
#include "wly-trace.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define LOG_DOMAIN  "woolly-plugin"
#define TRACE_GROUP "Woolly backend"

/* From here on memory comes from the system, zeroed page by page as it is first touched. */
#define MAP_BYTES (256 * 1024)

struct WlyHostServices {
  struct wlp_services services;
  guint64 max_bytes;
  guint64 allocated_bytes; /* atomic */
  WlyCpuTopology *topology;
};

/* ---- log ---- */

static void
services_log (void *host, enum wlp_log_level level, const char *message)
{
  GLogLevelFlags flags = level == WLP_LOG_WARNING ? G_LOG_LEVEL_WARNING
                         : level == WLP_LOG_INFO  ? G_LOG_LEVEL_INFO
                                                  : G_LOG_LEVEL_DEBUG;

  g_log_structured (LOG_DOMAIN, flags, "MESSAGE", "%s", message);
}

/* ---- memory ---- */

static gboolean
account (WlyHostServices *self, guint64 n_bytes)
{
  guint64 before = __atomic_load_n (&self->allocated_bytes, __ATOMIC_RELAXED);

  do {
    if (n_bytes > G_MAXUINT64 - before || (self->max_bytes != 0 && before + n_bytes > self->max_bytes))
      return FALSE;
  } while (!__atomic_compare_exchange_n (&self->allocated_bytes, &before, before + n_bytes, FALSE, __ATOMIC_RELAXED,
                                         __ATOMIC_RELAXED));
  return TRUE;
}

/* Maps more than is wanted, and gives back what lies before and behind the aligned part. */
static void *
map_aligned (gsize n_bytes, gsize alignment)
{
  gsize page  = (gsize)sysconf (_SC_PAGESIZE);
  gsize extra = alignment > page ? alignment : 0;
  gsize whole = (n_bytes + page - 1) & ~(page - 1);
  guint8 *base;
  guint8 *memory;

  if (whole < n_bytes || whole > G_MAXSSIZE - extra)
    return NULL;
  base = mmap (NULL, whole + extra, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (base == MAP_FAILED)
    return NULL;
  if (extra == 0)
    return base;
  memory = (guint8 *)(((guintptr)base + alignment - 1) & ~(guintptr)(alignment - 1));
  if (memory > base)
    munmap (base, (gsize)(memory - base));
  if (memory + whole < base + whole + extra)
    munmap (memory + whole, (gsize)(base + extra - memory));
  return memory;
}

static void *
services_alloc (void *host, size_t n_bytes, size_t alignment)
{
  WlyHostServices *self = host;
  void *memory          = NULL;

  if (n_bytes == 0 || alignment == 0 || (alignment & (alignment - 1)) != 0 || alignment > G_MAXSSIZE / 2
      || !account (self, n_bytes))
    return NULL;
  if (n_bytes >= MAP_BYTES)
    memory = map_aligned (n_bytes, alignment);
  else if (posix_memalign (&memory, MAX (alignment, sizeof (void *)), n_bytes) == 0)
    memset (memory, 0, n_bytes);
  else
    memory = NULL;
  if (memory == NULL)
    __atomic_fetch_sub (&self->allocated_bytes, n_bytes, __ATOMIC_RELAXED);
  return memory;
}

static void
services_free (void *host, void *memory, size_t n_bytes)
{
  WlyHostServices *self = host;

  if (memory == NULL)
    return;
  __atomic_fetch_sub (&self->allocated_bytes, n_bytes, __ATOMIC_RELAXED);
  if (n_bytes >= MAP_BYTES)
    munmap (memory, n_bytes);
  else
    free (memory);
}

/* ---- weights ---- */

/* Pages that hold nothing else leave this process; the file's content stays in the page cache while there is room. */
static void
services_source_idle (void *host, const void *bytes, size_t n_bytes)
{
  guintptr page  = (guintptr)sysconf (_SC_PAGESIZE);
  guintptr first = ((guintptr)bytes + page - 1) / page * page;
  guintptr end   = ((guintptr)bytes + n_bytes) / page * page;

  if (first < end)
    madvise ((void *)first, end - first, MADV_DONTNEED);
}

/* ---- the timeline ---- */

static void
services_mark (void *host, const char *name, uint64_t begin_ns, uint64_t end_ns)
{
  wly_trace_mark (TRACE_GROUP, name, begin_ns, end_ns, "");
}

/* ---- threads ---- */

/* Fewer fast cores may not be able to read as fast as memory can be read. */
#define MIN_FAST_CORES 4

/* By default one for each core.  Where enough cores are fast, those on slow ones are for what needs many.  Who asks for
 * a number gets it for all there is to do: on fast cores, if so many are there, otherwise anywhere. */
void
wly_host_choose_threads (const WlyCpuTopology *topology, guint n_threads, struct wlp_services *services)
{
  const gboolean by_kind =
      n_threads == 0 ? topology->n_fast_cores >= MIN_FAST_CORES : n_threads <= topology->n_fast_cores;

  services->n_cpus         = topology->cpus->len;
  services->cpus           = (const guint32 *)(gconstpointer)topology->cpus->data;
  services->n_fast_cpus    = by_kind ? topology->n_fast : topology->cpus->len;
  services->n_threads      = n_threads != 0 ? n_threads : topology->n_cores;
  services->n_fast_threads = n_threads == 0 && by_kind ? topology->n_fast_cores : services->n_threads;
}

/* ---- life ---- */

WlyHostServices *
wly_host_services_new (guint n_threads, int nice, guint64 max_bytes)
{
  WlyHostServices *self = g_new0 (WlyHostServices, 1);

  self->max_bytes = max_bytes;
  self->topology  = wly_cpu_topology_new ();
  self->services  = (struct wlp_services){
     .version      = WLP_SERVICES_VERSION,
     .host         = self,
     .log          = services_log,
     .alloc        = services_alloc,
     .free         = services_free,
     .cpu_features = wly_cpu_features (),
     .nice         = nice,
     .source_idle  = services_source_idle,
     .mark         = wly_trace_is_on () ? services_mark : NULL,
  };
  wly_host_choose_threads (self->topology, n_threads, &self->services);
  return self;
}

void
wly_host_services_free (WlyHostServices *self)
{
  if (self == NULL)
    return;
  wly_cpu_topology_free (self->topology);
  g_free (self);
}

const struct wlp_services *
wly_host_services_get (const WlyHostServices *self)
{
  return &self->services;
}

guint64
wly_host_services_allocated_bytes (const WlyHostServices *self)
{
  return __atomic_load_n (&self->allocated_bytes, __ATOMIC_RELAXED);
}
