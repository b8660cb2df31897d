/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Weights in the layout that the kernels want, kept in one arena of 2 MB pages.
 *
 * A panel is packed when a batch first touches it, by the thread that computes with it: so the first answer does not
 * wait for the whole model, and a mixture's experts cost memory once they are used.  When all of a matrix is packed the
 * host is told that the file's bytes are idle, and takes their pages back.  What may not be packed now is packed into
 * the thread's scratch memory each time; the bits are the same.
 *
 * New pages cost little (10 GB/s) where the machine has them, and a lot (0.3 GB/s) in a virtual machine whose host does
 * not; so each batch has an allowance of time for them, a small one at first, twice as much with every batch.
 *
 * The limit is the setting pack-bytes, or a share of the machine's memory, until the host sets another.  Matrices have
 * room below it as wholes: of one that is packed in part both forms would stay in memory.  Layers run in turns, so
 * nothing is gained by replacing one layer by the next: who has room keeps it, until the limit falls.  Then the
 * matrices go first that were not used for the longest time.
 */
#include "cpu-model.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define MEMORY_SHARE 2u /* by default the panels may take half of the machine's memory */

#define HUGE_BYTES ((size_t)2 << 20)

#define FIRST_ALLOWANCE_NS 100000000u /* of a thread, for new pages in the first batch */
#define LAST_ALLOWANCE_NS  (FIRST_ALLOWANCE_NS << 8)

static uint64_t
n_panels_of (const struct cpu_matrix *matrix)
{
  return matrix->n_experts * matrix->n_panels;
}

static uint64_t
bytes_of (const struct cpu_matrix *matrix)
{
  return n_panels_of (matrix) * matrix->panel_bytes;
}

static uint64_t
source_bytes_of (const struct cpu_matrix *matrix)
{
  return matrix->n_experts * matrix->n_rows * matrix->row_bytes;
}

static bool
is_cancelled (const struct wlp_model *model, uint64_t done, uint64_t total)
{
  return model->request.progress != NULL && model->request.progress (model->request.user, done, total) != 0;
}

static void
pack_panel (const struct wlp_model *model, const struct cpu_matrix *matrix, uint64_t expert, uint64_t panel,
            uint8_t *ret_panel)
{
  const unsigned rows  = model->linear->rows;
  const uint64_t first = panel * rows, left = matrix->n_rows - first;

  matrix->format->pack (matrix->type, matrix->data + expert * matrix->expert_bytes + first * matrix->row_bytes,
                        matrix->row_bytes, left < rows ? (unsigned)left : rows, matrix->k, ret_panel);
}

/* ---- while a batch runs ---- */

/* Has the system give the pages of @n_bytes at @at, and clocks it.  A page that another thread packs into meanwhile
 * keeps its content. */
static void
touch_pages (struct cpu_panels *panels, size_t at, size_t n_bytes, unsigned thread)
{
  size_t page;
  uint64_t start;

  for (page = at / HUGE_BYTES; page * HUGE_BYTES < at + n_bytes; page++) {
    if (__atomic_load_n (&panels->is_backed[page], __ATOMIC_RELAXED) != 0)
      continue;
    start = cpu_now_ns ();
    __atomic_fetch_or (panels->arena + (page * HUGE_BYTES > at ? page * HUGE_BYTES : at), 0, __ATOMIC_RELAXED);
    __atomic_store_n (&panels->is_backed[page], 1, __ATOMIC_RELAXED);
    panels->spent[thread].ns += cpu_now_ns () - start;
  }
}

/* Whether panel number @i of the matrix lies in the arena, by now. */
static bool
pack_one (struct wlp_model *model, struct cpu_matrix *matrix, uint64_t i, unsigned thread)
{
  struct cpu_panels *panels = &model->panels;
  uint8_t *panel            = matrix->packed + i * matrix->panel_bytes;

  if (matrix->is_packed[i] != 0)
    return true;
  if (panels->spent[thread].ns > panels->allowance_ns)
    return false;
  touch_pages (panels, (size_t)(panel - panels->arena), matrix->panel_bytes, thread);
  pack_panel (model, matrix, i / matrix->n_panels, i % matrix->n_panels, panel);
  matrix->is_packed[i] = 1;
  __atomic_add_fetch (&matrix->n_packed, 1, __ATOMIC_RELAXED);
  __atomic_add_fetch (&panels->packed_bytes, matrix->panel_bytes, __ATOMIC_RELAXED);
  return true;
}

const uint8_t *
cpu_panels_get (struct wlp_model *model, struct cpu_matrix *matrix, uint64_t expert, uint64_t panel, uint64_t n,
                unsigned thread, uint8_t *scratch)
{
  const uint64_t first = expert * matrix->n_panels + panel;
  uint64_t i           = 0;

  if (matrix->has_room)
    while (i < n && pack_one (model, matrix, first + i, thread))
      i++;
  if (i == n)
    return matrix->packed + first * matrix->panel_bytes;
  for (i = 0; i < n; i++)
    pack_panel (model, matrix, expert, panel + i, scratch + i * matrix->panel_bytes);
  return scratch;
}

void
cpu_panels_begin (struct wlp_model *model)
{
  struct cpu_panels *panels = &model->panels;
  unsigned i;

  if (panels->n_batches++ > 0 && panels->allowance_ns < LAST_ALLOWANCE_NS)
    panels->allowance_ns *= 2;
  for (i = 0; panels->spent != NULL && i < cpu_n_threads (model); i++)
    panels->spent[i].ns = 0;
}

void
cpu_panels_settle (struct wlp_model *model, struct cpu_matrix *matrix)
{
  const struct wlp_services *services = model->services;
  uint64_t expert;

  matrix->last_use = model->panels.n_batches;
  if (matrix->source_idle || !matrix->is_mapped || services->version < 2 || services->source_idle == NULL
      || __atomic_load_n (&matrix->n_packed, __ATOMIC_RELAXED) < n_panels_of (matrix))
    return;
  matrix->source_idle = true;
  model->panels.idle_bytes += source_bytes_of (matrix);
  for (expert = 0; expert < matrix->n_experts; expert++)
    services->source_idle (services->host, matrix->data + expert * matrix->expert_bytes,
                           matrix->n_rows * matrix->row_bytes);
}

bool
cpu_panels_grew (struct wlp_model *model)
{
  struct cpu_panels *panels   = &model->panels;
  const uint64_t packed_bytes = __atomic_load_n (&panels->packed_bytes, __ATOMIC_RELAXED);
  const bool grew             = packed_bytes > panels->seen_bytes;

  panels->seen_bytes = packed_bytes;
  return grew;
}

/* ---- room below the limit ---- */

/* Whole pages go back to the system; the arena's addresses stay. */
static void
unpack_matrix (struct wlp_model *model, struct cpu_matrix *matrix)
{
  const uintptr_t page  = (uintptr_t)sysconf (_SC_PAGESIZE);
  const uintptr_t start = (uintptr_t)matrix->packed, end = start + bytes_of (matrix);
  const uintptr_t first = (start + page - 1) / page * page, last = end / page * page;

  memset (matrix->is_packed, 0, n_panels_of (matrix));
  if (first < last)
    madvise ((void *)first, last - first, MADV_DONTNEED);
  memset (model->panels.is_backed + (start - (uintptr_t)model->panels.arena) / HUGE_BYTES, 0,
          (end - start + HUGE_BYTES - 1) / HUGE_BYTES);
  model->panels.packed_bytes -= matrix->n_packed * matrix->panel_bytes;
  if (matrix->source_idle)
    model->panels.idle_bytes -= source_bytes_of (matrix);
  matrix->n_packed    = 0;
  matrix->source_idle = false;
  matrix->has_room    = false;
}

/* The one that was not used for the longest time; of those the last one. */
static struct cpu_matrix *
find_oldest (struct cpu_plan *plan)
{
  struct cpu_matrix *oldest = NULL;
  uint32_t i;

  for (i = 0; i < plan->n_matrices; i++) {
    struct cpu_matrix *matrix = &plan->matrices[i];

    if (matrix->has_room && (oldest == NULL || matrix->last_use <= oldest->last_use))
      oldest = matrix;
  }
  return oldest;
}

/* Who has room, after the limit has changed: those that had it, as far as it goes, and what is left to the others in
 * their order, those without experts first. */
static void
share_room (struct wlp_model *model)
{
  struct cpu_plan *plan = &model->plan;
  const uint64_t limit  = model->panels.limit;
  struct cpu_matrix *matrix;
  uint64_t total = 0;
  unsigned experts;
  uint32_t i;

  for (i = 0; i < plan->n_matrices; i++)
    total += plan->matrices[i].has_room ? bytes_of (&plan->matrices[i]) : 0;
  while (total > limit && (matrix = find_oldest (plan)) != NULL) {
    total -= bytes_of (matrix);
    unpack_matrix (model, matrix);
  }
  for (experts = 0; experts < 2; experts++) {
    for (i = 0; i < plan->n_matrices; i++) {
      matrix = &plan->matrices[i];
      if (matrix->packed == NULL || matrix->has_room || (matrix->n_experts > 1) != (experts == 1)
          || bytes_of (matrix) > limit - total)
        continue;
      matrix->has_room = true;
      total += bytes_of (matrix);
    }
  }
}

uint64_t
cpu_panels_limit (struct wlp_model *model, uint64_t n_bytes)
{
  struct cpu_panels *panels = &model->panels;
  const uint64_t before = panels->packed_bytes, others = model->owned_bytes + model->constant_bytes;

  panels->limit        = n_bytes > others ? n_bytes - others : 0;
  panels->allowance_ns = FIRST_ALLOWANCE_NS;
  share_room (model);
  cpu_panels_grew (model);
  return before - panels->packed_bytes;
}

/* ---- before and after ---- */

/* Addresses for all panels, of which each takes memory when it is packed; where the host has fewer, for the first ones.
 */
static void
reserve (struct wlp_model *model)
{
  struct cpu_panels *panels = &model->panels;
  uint64_t total = 0, offset = 0;
  uint32_t i;

  for (i = 0; i < model->plan.n_matrices; i++)
    total += bytes_of (&model->plan.matrices[i]);
  while (total > 0 && panels->arena == NULL) {
    panels->arena_bytes = total;
    panels->arena       = model->services->alloc (model->services->host, panels->arena_bytes, HUGE_BYTES);
    total /= 2;
  }
  if (panels->arena == NULL)
    return;
  panels->is_backed = calloc (panels->arena_bytes / HUGE_BYTES + 2, 1);
  panels->spent     = calloc (cpu_n_threads (model), sizeof panels->spent[0]);
  if (panels->is_backed == NULL || panels->spent == NULL)
    return;
#ifdef MADV_HUGEPAGE
  madvise (panels->arena, panels->arena_bytes / HUGE_BYTES * HUGE_BYTES, MADV_HUGEPAGE); /* a wish */
#endif
  for (i = 0; i < model->plan.n_matrices; i++) {
    struct cpu_matrix *matrix = &model->plan.matrices[i];

    if (bytes_of (matrix) > panels->arena_bytes - offset)
      continue;
    matrix->is_packed = calloc (n_panels_of (matrix), 1);
    if (matrix->is_packed == NULL)
      continue;
    matrix->packed = panels->arena + offset;
    offset += bytes_of (matrix);
  }
}

struct pack_job {
  struct wlp_model *model;
  struct cpu_matrix *matrix;
};

static void
pack_thread (void *data, unsigned thread)
{
  const struct pack_job *job = data;
  struct cpu_range range     = cpu_share (n_panels_of (job->matrix), thread, cpu_n_threads (job->model));

  for (; range.first < range.end; range.first++)
    pack_one (job->model, job->matrix, range.first, thread);
}

/* All of it before the first batch. */
static int
pack_now (struct wlp_model *model, struct wlp_error *error)
{
  const uint64_t start = cpu_now_ns ();
  uint64_t total = 0, done = 0;
  uint32_t i;

  for (i = 0; i < model->plan.n_matrices; i++)
    total += model->plan.matrices[i].has_room ? bytes_of (&model->plan.matrices[i]) : 0;
  for (i = 0; i < model->plan.n_matrices; i++) {
    struct pack_job job = { model, &model->plan.matrices[i] };

    if (!job.matrix->has_room)
      continue;
    if (is_cancelled (model, done, total))
      return wlp_error_set (error, -ECANCELED, "loading was stopped");
    cpu_pool_enter (model->backend->pool, 0);
    cpu_pool_run (model->backend->pool, pack_thread, &job);
    cpu_pool_leave (model->backend->pool);
    cpu_panels_settle (model, job.matrix);
    done += bytes_of (job.matrix);
  }
  if (cpu_panels_grew (model))
    cpu_profile_mark (model, "pack", start, cpu_now_ns ());
  return 0;
}

static uint64_t
share_of_memory (void)
{
  return (uint64_t)sysconf (_SC_PHYS_PAGES) * (uint64_t)sysconf (_SC_PAGESIZE) / MEMORY_SHARE;
}

/* Only a stop is an error: what finds no room runs from the map. */
int
cpu_panels_open (struct wlp_model *model, struct wlp_error *error)
{
  int status = 0;

  if (model->pack != CPU_PACK_NO)
    reserve (model);
  cpu_panels_limit (model, model->panels.limit != 0 ? model->panels.limit : share_of_memory ());
  model->panels.allowance_ns = UINT64_MAX;
  if (model->pack == CPU_PACK_LOAD)
    status = pack_now (model, error);
  model->panels.allowance_ns = FIRST_ALLOWANCE_NS;
  return status == 0 && is_cancelled (model, 1, 1) ? wlp_error_set (error, -ECANCELED, "loading was stopped") : status;
}

void
cpu_panels_close (struct wlp_model *model)
{
  uint32_t i;

  for (i = 0; i < model->plan.n_matrices; i++)
    free (model->plan.matrices[i].is_packed);
  free (model->panels.is_backed);
  free (model->panels.spent);
  model->services->free (model->services->host, model->panels.arena, model->panels.arena_bytes);
}
