/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The backend and the model: what the opaque handles of the ABI stand for.
 */
#pragma once

#include "cpu-plan.h"
#include "cpu-threads.h"
#include "kernels/attention.h"
#include "kernels/linear.h"
#include "kernels/vector.h"
#include "woolly-plugin/backend.h"

#include <stdbool.h>
#include <time.h>

struct wlp_backend {
  const struct wlp_services *services;
  struct cpu_pool *pool; /* NULL until the first plan */
};

/* A weight's bytes and, for those that are read as float32 throughout (gains, biases …), their copy. */
struct cpu_weight {
  const uint8_t *data;
  uint64_t n_bytes;
  uint64_t row_bytes;
  void *owned; /* read from the file, where it has no map */
  float *floats;
  uint64_t n_floats;
};

/* Queries of one sequence that an attention item takes together. */
struct cpu_tile {
  uint32_t sequence;
  uint32_t first; /* in order */
  uint32_t n;
};

/* How the chunks of positions that a tile sees are shared out among threads, for each of its items. */
struct cpu_split {
  uint32_t first; /* chunk */
  uint32_t n_chunks;
  uint32_t n_slices; /* 1: one thread takes them all */
  size_t partials;   /* where its partial results begin: those of its items, one behind another */
};

/* The queries of a domain, ordered by sequence. */
struct cpu_queries {
  uint32_t *order; /* rows of the domain */
  struct cpu_tile *tiles;
  uint32_t n_tiles;
};

struct cpu_profile {
  char name[48];
  uint64_t n_calls;
  uint64_t time_ns;
  uint64_t n_macs;
  uint64_t n_bytes;
};

/* Panels that stay packed, see cpu-panels.c. */
struct cpu_panels {
  uint8_t *arena; /* address space for them; memory comes with the first touch */
  size_t arena_bytes;
  uint64_t limit;        /* bytes that may be packed; until cpu_panels_open() the setting pack-bytes, 0: it decides */
  uint64_t packed_bytes; /* (atomic) that are */
  uint64_t seen_bytes;   /* that were, when cpu_panels_grew() looked last */
  uint64_t idle_bytes;   /* of the host's map that need not be read for now */
  uint8_t *is_backed;    /* [arena_bytes in pages] were touched; one more page at the end */
  uint64_t n_batches;
  uint64_t allowance_ns; /* for new pages, of a thread in a batch */
  struct {
    uint64_t ns;
    uint8_t apart[56]; /* a cache line each */
  } * spent;           /* [n_threads] */
};

#define CPU_SPLIT 4u /* attention with fewer items than that for each thread is split by positions, too */

/* The batch that is running. */
struct cpu_run {
  const struct wlp_batch *batch;
  uint32_t *ordinal;      /* [max_tokens] which of its sequence's tokens in the batch it is */
  uint32_t *n_of_seq;     /* [max_sequences] tokens */
  uint32_t *first_of_seq; /* [max_sequences] lowest and highest position */
  uint32_t *last_of_seq;
  uint32_t *scratch_of_seq;      /* [max_sequences] first block in the scratch cache */
  uint32_t *cursor;              /* [max_sequences] for sorting */
  struct cpu_queries queries[3]; /* by domain */
  struct cpu_split *splits;      /* [CPU_SPLIT * n_threads] of the tiles, where the attention that runs is split */
  uint32_t *n_open;              /* (atomic) [CPU_SPLIT * n_threads] slices of an item that are not done */
  uint32_t slice_chunks;         /* of a slice; 0: items are not split */
  volatile int stop;
  uint32_t n_threads;  /* that compute it, <= cpu_n_threads() */
  uint32_t step;       /* that runs */
  uint64_t clock_ns;   /* when the last one ended */
  uint64_t n_meetings; /* of all threads, since the plan */
};

struct wlp_model {
  struct wlp_backend *backend;
  const struct wlp_services *services;
  struct wlp_plan_request request;
  const struct wlp_program *program;
  const struct linear_isa *linear;
  const struct attention_isa *attention;
  const struct vector_isa *vector;
  bool exact; /* float activations */
  bool fuse;
  enum { CPU_PACK_TOUCH, CPU_PACK_NO, CPU_PACK_LOAD } pack;
  struct cpu_weight *weights;
  struct cpu_plan plan;
  uint8_t *arena;
  uint64_t arena_bytes;
  uint8_t *scratch; /* [n_threads][scratch_bytes] */
  size_t scratch_bytes;
  float *partials; /* of attention that is split, see cpu-attention.c; NULL: none is */
  size_t n_partials;
  uint64_t mapped_bytes;
  uint64_t owned_bytes; /* weights read from the file */
  uint64_t constant_bytes;
  struct cpu_panels panels;
  uint64_t state_bytes;     /* lists of the batch */
  struct wlp_cache *caches; /* all of them, through next */
  uint32_t tile_tokens;     /* queries of a tile, fit for every attention */
  bool is_submitted;
  bool uses_group[WLP_MAX_GROUPS];
  struct cpu_run run;
  struct cpu_profile *profiles;
  uint32_t n_profiles;
};

int cpu_model_plan (struct wlp_backend *backend, const struct wlp_plan_request *request, struct wlp_model **ret_model,
                    struct wlp_error *error);
void cpu_model_free (struct wlp_model *model);
int cpu_model_memory (struct wlp_model *model, struct wlp_memory *ret_memory);
int cpu_model_cache_create (struct wlp_model *model, uint32_t group, enum wlp_type type, uint32_t n_blocks,
                            struct wlp_cache **ret_cache, struct wlp_error *error);
void cpu_model_cache_free (struct wlp_cache *cache);

/* cpu-weights.c */
int cpu_weights_open (struct wlp_model *model, struct wlp_error *error);
void cpu_weights_close (struct wlp_model *model);
/* The whole weight as float32; NULL: no memory. */
const float *cpu_weights_floats (struct wlp_model *model, wlp_weight weight);

/* cpu-panels.c */
int cpu_panels_open (struct wlp_model *model, struct wlp_error *error);
void cpu_panels_close (struct wlp_model *model);
/* @n panels of one expert from @panel on: where they lie packed, or packed now, into the arena or into @scratch.  No
 * two threads ask for the same panel at once. */
const uint8_t *cpu_panels_get (struct wlp_model *model, struct cpu_matrix *matrix, uint64_t expert, uint64_t panel,
                               uint64_t n, unsigned thread, uint8_t *scratch);
/* Before a batch. */
void cpu_panels_begin (struct wlp_model *model);
/* Behind a step, by one thread: source bytes that are all packed are given back. */
void cpu_panels_settle (struct wlp_model *model, struct cpu_matrix *matrix);
/* Whether panels were packed since the last look; by one thread, while nobody computes. */
bool cpu_panels_grew (struct wlp_model *model);
/* The limit of all packed weights; returns how many bytes were given up for it.  While nobody computes. */
uint64_t cpu_panels_limit (struct wlp_model *model, uint64_t n_bytes);

/* cpu-batch.c, cpu-run.c */
int cpu_batch_check (struct wlp_model *model, const struct wlp_batch *batch, struct wlp_error *error);
void cpu_batch_prepare (struct wlp_model *model, const struct wlp_batch *batch);
int cpu_run_init (struct wlp_model *model, struct wlp_error *error);
void cpu_run_finish (struct wlp_model *model);
int cpu_run_batch (struct wlp_model *model, struct wlp_error *error);

/* cpu-profile.c */
int cpu_profile_build (struct wlp_model *model);
int cpu_profile_get (struct wlp_model *model, uint32_t index, struct wlp_profile_entry *ret_entry);
/* Behind a step, by one thread. */
void cpu_profile_add (struct wlp_model *model, const struct cpu_step *step, uint64_t begin_ns, uint64_t end_ns);
/* Shows it to a profiler where one looks. */
void cpu_profile_mark (const struct wlp_model *model, const char *name, uint64_t begin_ns, uint64_t end_ns);

static inline uint64_t
cpu_now_ns (void)
{
  struct timespec now;

  clock_gettime (CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* Rows of a domain in the running batch. */
static inline uint32_t
cpu_run_rows (const struct wlp_model *model, enum cpu_domain domain)
{
  return domain == CPU_DOMAIN_TOKENS ? model->run.batch->n_tokens
                                     : (domain == CPU_DOMAIN_ROWS ? model->run.batch->n_rows : 0);
}

/* The token that row @row of a domain stands for. */
static inline uint32_t
cpu_run_token (const struct wlp_model *model, enum cpu_domain domain, uint32_t row)
{
  return domain == CPU_DOMAIN_ROWS ? model->run.batch->rows[row] : row;
}

/* Row @row, counted in @domain, of a resource. */
static inline void *
cpu_run_row (const struct wlp_model *model, uint32_t resource, enum cpu_domain domain, uint32_t row)
{
  const struct cpu_resource *r = &model->plan.resources[resource];

  if (r->domain == CPU_DOMAIN_TOKENS)
    row = cpu_run_token (model, domain, row);
  return r->memory + (size_t)row * r->row_bytes;
}

/* All that there are. */
static inline uint32_t
cpu_n_threads (const struct wlp_model *model)
{
  return cpu_pool_n_threads (model->backend->pool);
}
