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

struct cpu_pool {
  const struct wlp_services *services;
  unsigned n_threads;
  unsigned n_started; /* workers[1 .. n_started] run */
  unsigned spin;
  struct gate start; /* opens for each job */
  struct gate meet;  /* opens when all have arrived */
  atomic_uint n_arrived;
  pthread_mutex_t turn; /* held for a job: models that share the pool take turns */
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
gate_wait (struct gate *gate, unsigned old, unsigned spin)
{
  for (; spin > 0; spin--) {
    if (atomic_load_explicit (&gate->number, memory_order_acquire) != old)
      return;
    cpu_relax ();
  }
  pthread_mutex_lock (&gate->mutex);
  atomic_fetch_add (&gate->n_sleepers, 1);
  while (atomic_load (&gate->number) == old)
    pthread_cond_wait (&gate->cond, &gate->mutex);
  atomic_fetch_sub (&gate->n_sleepers, 1);
  pthread_mutex_unlock (&gate->mutex);
}

/* CPUs and nice level are wishes: a sandbox may refuse them, and the results are the same. */
static void
apply_wishes (const struct wlp_services *services)
{
#ifdef __linux__
  cpu_set_t set;
  uint32_t i;

  if (services->n_cpus > 0) {
    CPU_ZERO (&set);
    for (i = 0; i < services->n_cpus; i++)
      if (services->cpus[i] < CPU_SETSIZE)
        CPU_SET (services->cpus[i], &set);
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
  unsigned seen         = 0;

  apply_wishes (pool->services);
  for (;;) {
    gate_wait (&pool->start, seen, pool->spin);
    seen++;
    if (pool->job == NULL)
      return NULL;
    pool->job (pool->data, worker->index);
    cpu_pool_barrier (pool);
  }
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
  if (pool == NULL)
    return wlp_error_set (error, -ENOMEM, "no memory for %u threads", n_threads);
  pool->services  = services;
  pool->n_threads = n_threads;
  pool->spin      = n_threads <= usable_cpus (services) ? SPIN_ROUNDS : 0;
  gate_init (&pool->start);
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
  gate_open (&pool->start);
  for (i = 1; i <= pool->n_started; i++)
    pthread_join (pool->workers[i].id, NULL);
  gate_finish (&pool->start);
  gate_finish (&pool->meet);
  pthread_mutex_destroy (&pool->turn);
  free (pool);
}

unsigned
cpu_pool_n_threads (const struct cpu_pool *pool)
{
  return pool->n_threads;
}

void
cpu_pool_run (struct cpu_pool *pool, cpu_job_cb job, void *data)
{
  pthread_mutex_lock (&pool->turn);
  pool->job  = job;
  pool->data = data;
  if (pool->n_threads > 1)
    gate_open (&pool->start);
  job (data, 0);
  cpu_pool_barrier (pool);
  pthread_mutex_unlock (&pool->turn);
}

void
cpu_pool_barrier (struct cpu_pool *pool)
{
  const unsigned round = atomic_load (&pool->meet.number);

  if (pool->n_threads == 1)
    return;
  if (atomic_fetch_add (&pool->n_arrived, 1) + 1 == pool->n_threads) {
    atomic_store (&pool->n_arrived, 0);
    gate_open (&pool->meet);
  } else {
    gate_wait (&pool->meet, round, pool->spin);
  }
}
