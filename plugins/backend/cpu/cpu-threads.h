/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The backend's own threads.  A job runs on all of them, or on those that are on fast cores alone, the caller being
 * thread 0; between jobs the others sleep.
 *
 * Inside a job threads meet.  Where they wait they spin for some microseconds before they sleep: less where spinning
 * was in vain of late, for others want the CPUs, and not at all where there are more threads than CPUs.  The items of a
 * step are dealt out as contiguous ranges; who is done takes chunks from the others, so a thread that lost its CPU for
 * a while holds up nobody for longer than a chunk takes.  No result depends on who computed what.
 */
#pragma once

#include "woolly-plugin/services.h"

struct cpu_pool;

/* Starts n_threads - 1 threads at the services' nice level on the services' CPUs: the first ones on fast CPUs, the rest
 * on slow ones, where there are both.  The caller of a job stays where the kernel puts it, which is a fast one for who
 * computes without a break.  0 or -EAGAIN, with @error. */
int cpu_pool_new (const struct wlp_services *services, struct cpu_pool **ret_pool, struct wlp_error *error);
void cpu_pool_free (struct cpu_pool *pool); /* NULL is fine */
unsigned cpu_pool_n_threads (const struct cpu_pool *pool);

typedef void (*cpu_job_cb) (void *data, unsigned thread);

/* (any thread) Waits until nobody else has the threads, and has them until cpu_pool_leave(): all of them, or with
 * @only_fast those on fast cores.  Returns how many: threads 0 .. n - 1. */
unsigned cpu_pool_enter (struct cpu_pool *pool, int only_fast);
void cpu_pool_leave (struct cpu_pool *pool);

/* (between the two, as what follows) Runs @job on these threads and returns when all are done. */
void cpu_pool_run (struct cpu_pool *pool, cpu_job_cb job, void *data);
/* (inside a job) Waits until all threads of the turn are here.  What they wrote before is seen by all behind it.  The
 * last one to come calls @last (NULL: nothing) while the others wait. */
void cpu_pool_meet (struct cpu_pool *pool, cpu_job_cb last, void *data, unsigned thread);

struct cpu_range {
  uint64_t first;
  uint64_t end;
};

/* The share of thread @thread in @n_items; ranges are contiguous, in the order of the threads. */
static inline struct cpu_range
cpu_share (uint64_t n_items, unsigned thread, unsigned n_threads)
{
  const uint64_t each = n_items / n_threads, rest = n_items % n_threads;
  const uint64_t first = each * thread + (thread < rest ? thread : rest);

  return (struct cpu_range){ first, first + each + (thread < rest ? 1 : 0) };
}

/* (while the other threads wait) Deals out items 0 .. n_items - 1 in chunks of @chunk. */
void cpu_pool_deal (struct cpu_pool *pool, uint64_t n_items, uint64_t chunk);
/* (inside a job) The next chunk for a thread, 0: nothing is left.  A chunk begins at a multiple of its size. */
int cpu_pool_take (struct cpu_pool *pool, unsigned thread, struct cpu_range *ret_range);
