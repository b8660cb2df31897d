/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cpu-threads.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#ifdef __linux__
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

#define SPIN_ROUNDS 2000u /* of a pause each: some 20 to 50 us */
#define CACHE_LINE  64

/* A number that only grows, and a place to sleep until it has changed. */
struct gate {
  atomic_uint number;
  atomic_uint n_sleepers;
  pthread_mutex_t mutex;
  pthread_cond_t cond;
};

struct worker {
  struct cpu_pool *pool;
  pthread_t id;
  unsigned index;
};

/* Chunks next .. end - 1 of a thread; others take from it, too. */
struct share {
  _Alignas(CACHE_LINE) atomic_uint_fast64_t next;
  uint64_t end;
};

struct cpu_pool {
  const struct wlp_services *services;
  unsigned n_threads;
  unsigned n_fast;    /* of them, the first ones */
  unsigned n_active;  /* of them, in the turn of now; set as it begins */
  unsigned n_started; /* workers[1 .. n_started] run */
  atomic_uint spin;
  unsigned spin_most;
  struct share *shares; /* [n_threads] */
  uint64_t n_items;
  uint64_t chunk;
  struct gate start[2]; /* opens for each job of fast threads, and of the others */
  struct gate meet;     /* opens when all have arrived */
  atomic_uint n_arrived;
  pthread_mutex_t turn; /* models that share the pool take turns */
  cpu_job_cb job;       /* NULL: the threads end */
  void *data;
  struct worker workers[];
};

static inline void
cpu_relax (void)
{
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause ();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

static void
gate_init (struct gate *gate)
{
  atomic_init (&gate->number, 0);
  atomic_init (&gate->n_sleepers, 0);
  pthread_mutex_init (&gate->mutex, NULL);
  pthread_cond_init (&gate->cond, NULL);
}

static void
gate_finish (struct gate *gate)
{
  pthread_cond_destroy (&gate->cond);
  pthread_mutex_destroy (&gate->mutex);
}

/* All accesses are sequentially consistent: either the opener sees the sleeper, or the sleeper sees the new number. */
static void
gate_open (struct gate *gate)
{
  atomic_fetch_add (&gate->number, 1);
  if (atomic_load (&gate->n_sleepers) == 0)
    return;
  pthread_mutex_lock (&gate->mutex);
  pthread_cond_broadcast (&gate->cond);
  pthread_mutex_unlock (&gate->mutex);
}

static void
gate_sleep (struct gate *gate, unsigned old)
{
  pthread_mutex_lock (&gate->mutex);
  atomic_fetch_add (&gate->n_sleepers, 1);
  while (atomic_load (&gate->number) == old)
    pthread_cond_wait (&gate->cond, &gate->mutex);
  atomic_fetch_sub (&gate->n_sleepers, 1);
  pthread_mutex_unlock (&gate->mutex);
}

/* How long it spins follows from how it went: success brings it up to the most, sleep down. */
static void
gate_wait (struct cpu_pool *pool, struct gate *gate, unsigned old)
{
  const unsigned most = atomic_load_explicit (&pool->spin, memory_order_relaxed);
  unsigned i;

  for (i = 0; i < most; i++) {
    if (atomic_load_explicit (&gate->number, memory_order_acquire) != old) {
      atomic_store_explicit (&pool->spin, most + (pool->spin_most - most + 7) / 8, memory_order_relaxed);
      return;
    }
    cpu_relax ();
  }
  atomic_store_explicit (&pool->spin, most > SPIN_ROUNDS / 16 ? most - most / 4 : most, memory_order_relaxed);
  gate_sleep (gate, old);
}

/* The CPUs of fast threads or of the others: entries first .. end - 1 of the services' list. */
static struct cpu_range
cpus_of (const struct wlp_services *services, int is_fast)
{
  if (services->version < 4 || services->n_fast_cpus == 0 || services->n_fast_cpus >= services->n_cpus)
    return (struct cpu_range){ 0, services->n_cpus };
  return is_fast ? (struct cpu_range){ 0, services->n_fast_cpus }
                 : (struct cpu_range){ services->n_fast_cpus, services->n_cpus };
}

/* CPUs and nice level are wishes: a sandbox may refuse them, and the results are the same. */
static void
apply_wishes (const struct wlp_services *services, int is_fast)
{
#ifdef __linux__
  struct cpu_range cpus = cpus_of (services, is_fast);
  cpu_set_t set;

  if (services->n_cpus > 0) {
    CPU_ZERO (&set);
    for (; cpus.first < cpus.end; cpus.first++)
      if (services->cpus[cpus.first] < CPU_SETSIZE)
        CPU_SET (services->cpus[cpus.first], &set);
    sched_setaffinity (0, sizeof set, &set);
  }
  if (services->nice != 0)
    setpriority (PRIO_PROCESS, (id_t)syscall (SYS_gettid), services->nice);
#endif
}

static void *
worker_thread (void *data)
{
  struct worker *worker = data;
  struct cpu_pool *pool = worker->pool;
  const int is_fast     = worker->index < pool->n_fast;
  struct gate *start    = &pool->start[is_fast ? 0 : 1];
  unsigned seen         = 0;

  apply_wishes (pool->services, is_fast);
  for (;;) {
    gate_wait (pool, start, seen);
    seen++;
    if (pool->job == NULL)
      return NULL;
    pool->job (pool->data, worker->index);
    cpu_pool_meet (pool, NULL, NULL, worker->index);
  }
}

static unsigned
fast_threads (const struct wlp_services *services, unsigned n_threads)
{
  if (services->version < 4 || services->n_fast_threads == 0 || services->n_fast_threads > n_threads)
    return n_threads;
  return services->n_fast_threads;
}

static unsigned
usable_cpus (const struct wlp_services *services)
{
#ifdef __linux__
  cpu_set_t set;

  if (sched_getaffinity (0, sizeof set, &set) == 0)
    return (unsigned)CPU_COUNT (&set);
#endif
  return services->n_cpus > 0 ? services->n_cpus : services->n_threads;
}

int
cpu_pool_new (const struct wlp_services *services, struct cpu_pool **ret_pool, struct wlp_error *error)
{
  const unsigned n_threads = services->n_threads > 0 ? services->n_threads : 1;
  struct cpu_pool *pool;
  unsigned i;
  int status;

  pool = calloc (1, sizeof *pool + n_threads * sizeof pool->workers[0]);
  if (pool != NULL)
    pool->shares = aligned_alloc (CACHE_LINE, n_threads * sizeof pool->shares[0]);
  if (pool == NULL || pool->shares == NULL) {
    free (pool);
    return wlp_error_set (error, -ENOMEM, "no memory for %u threads", n_threads);
  }
  pool->services  = services;
  pool->n_threads = n_threads;
  pool->n_fast    = fast_threads (services, n_threads);
  pool->spin_most = n_threads <= usable_cpus (services) ? SPIN_ROUNDS : 0;
  atomic_init (&pool->spin, pool->spin_most);
  gate_init (&pool->start[0]);
  gate_init (&pool->start[1]);
  gate_init (&pool->meet);
  atomic_init (&pool->n_arrived, 0);
  pthread_mutex_init (&pool->turn, NULL);
  for (i = 1; i < n_threads; i++) {
    pool->workers[i] = (struct worker){ .pool = pool, .index = i };
    status           = pthread_create (&pool->workers[i].id, NULL, worker_thread, &pool->workers[i]);
    if (status != 0) {
      cpu_pool_free (pool);
      return wlp_error_set (error, -EAGAIN, "cannot start thread %u of %u: %s", i + 1, n_threads, strerror (status));
    }
    pool->n_started = i;
  }
  *ret_pool = pool;
  return 0;
}

void
cpu_pool_free (struct cpu_pool *pool)
{
  unsigned i;

  if (pool == NULL)
    return;
  pool->job = NULL;
  gate_open (&pool->start[0]);
  gate_open (&pool->start[1]);
  for (i = 1; i <= pool->n_started; i++)
    pthread_join (pool->workers[i].id, NULL);
  gate_finish (&pool->start[0]);
  gate_finish (&pool->start[1]);
  gate_finish (&pool->meet);
  pthread_mutex_destroy (&pool->turn);
  free (pool->shares);
  free (pool);
}

unsigned
cpu_pool_n_threads (const struct cpu_pool *pool)
{
  return pool->n_threads;
}

unsigned
cpu_pool_enter (struct cpu_pool *pool, int only_fast)
{
  pthread_mutex_lock (&pool->turn);
  pool->n_active = only_fast ? pool->n_fast : pool->n_threads;
  return pool->n_active;
}

void
cpu_pool_leave (struct cpu_pool *pool)
{
  pthread_mutex_unlock (&pool->turn);
}

void
cpu_pool_run (struct cpu_pool *pool, cpu_job_cb job, void *data)
{
  pool->job  = job;
  pool->data = data;
  if (pool->n_active > 1)
    gate_open (&pool->start[0]);
  if (pool->n_active > pool->n_fast)
    gate_open (&pool->start[1]);
  job (data, 0);
  cpu_pool_meet (pool, NULL, NULL, 0);
}

void
cpu_pool_meet (struct cpu_pool *pool, cpu_job_cb last, void *data, unsigned thread)
{
  const unsigned n_active = pool->n_active; /* once all have arrived, the next turn may begin */
  const unsigned round    = atomic_load (&pool->meet.number);

  if (atomic_fetch_add (&pool->n_arrived, 1) + 1 < n_active) {
    gate_wait (pool, &pool->meet, round);
    return;
  }
  if (last != NULL)
    last (data, thread);
  atomic_store (&pool->n_arrived, 0);
  gate_open (&pool->meet);
}

void
cpu_pool_deal (struct cpu_pool *pool, uint64_t n_items, uint64_t chunk)
{
  unsigned i;

  pool->n_items = n_items;
  pool->chunk   = chunk;
  for (i = 0; i < pool->n_active; i++) {
    const struct cpu_range range = cpu_share ((n_items + chunk - 1) / chunk, i, pool->n_active);

    atomic_store_explicit (&pool->shares[i].next, range.first, memory_order_relaxed);
    pool->shares[i].end = range.end;
  }
}

static int
take_from (struct share *share, uint64_t *ret_chunk)
{
  if (atomic_load_explicit (&share->next, memory_order_relaxed) >= share->end)
    return 0;
  *ret_chunk = atomic_fetch_add_explicit (&share->next, 1, memory_order_relaxed);
  return *ret_chunk < share->end;
}

int
cpu_pool_take (struct cpu_pool *pool, unsigned thread, struct cpu_range *ret_range)
{
  uint64_t chunk = 0;
  unsigned i;

  for (i = 0; i < pool->n_active; i++)
    if (take_from (&pool->shares[(thread + i) % pool->n_active], &chunk)) {
      ret_range->first = chunk * pool->chunk;
      ret_range->end = ret_range->first + pool->chunk < pool->n_items ? ret_range->first + pool->chunk : pool->n_items;
      return 1;
    }
  return 0;
}
