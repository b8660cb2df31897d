/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Backend plugins: run programs on devices.  Backend > device > model (a planned program with its weights) > cache.
 *
 * The backend owns its threads, its memory and every layout; the engine owns block numbers, reference counts and
 * policy, and is the only one that unmaps or advises the model file.  submit() and the calls on caches allocate
 * nothing.
 */
#pragma once

#include "program.h"
#include "services.h"

#ifdef __cplusplus
extern "C" {
#endif

#define WLP_BACKEND_VERSION 1u
#define WLP_DEVICE_VERSION  1u
#define WLP_PLAN_VERSION    1u
#define WLP_BATCH_VERSION   1u
#define WLP_MEMORY_VERSION  1u
#define WLP_PROFILE_VERSION 1u
#define WLP_MAX_GROUPS      8

struct wlp_backend; /* a plugin's own, as are the next two */
struct wlp_model;
struct wlp_cache;

struct wlp_device {
  uint32_t version; /* set by the caller: WLP_DEVICE_VERSION */
  char id[32];      /* stable name in options and replies, "cpu", "vulkan0" */
  char description[128];
  char features[128]; /* what was chosen on it, "avx2" */
  uint32_t score;     /* the highest is chosen; 0: cannot run here */
  uint64_t memory_total;
  uint64_t memory_free;
};

/* One setting of the backend's own, as text; unknown keys are -EINVAL.  Every backend knows "activations" = "int8" |
 * "f32" (exact to rounding, the reference mode), "fuse" = "1" | "0" and "isa" = "" (best) or a name as in `features`.
 */
struct wlp_setting {
  const char *key;
  const char *value;
};

/* What to plan.  Operators first_op .. end_op - 1 are run by this model: all of them, or the layers of one side of a
 * cut; then embedding rows come in and rows of the value cut_in / cut_out go over. */
struct wlp_plan_request {
  uint32_t version; /* WLP_PLAN_VERSION */
  uint32_t device;
  const struct wlp_program *program;       /* stays valid as long as the model */
  const struct wlp_weight_source *sources; /* [program->n_weights]; stay valid as long as the model */
  uint32_t first_op;
  uint32_t end_op;
  wlp_value cut_in;       /* WLP_NONE: the program's own input */
  wlp_value cut_out;      /* WLP_NONE: the program's own output */
  uint32_t max_tokens;    /* in one batch */
  uint32_t max_rows;      /* wanted rows in one batch */
  uint32_t max_sequences; /* in one batch */
  uint32_t max_positions; /* of one sequence */
  uint32_t n_settings;
  const struct wlp_setting *settings;
  void *user; /* for progress() */
  /* (optional) Called now and then with the share of the weights done; not 0: stop with -ECANCELED. */
  int (*progress) (void *user, uint64_t done_bytes, uint64_t total_bytes);
};

/* A low-rank adapter that a sequence uses; adapters are loaded by a later minor version, `count` is 0 until then. */
struct wlp_adapter_list {
  uint32_t count;
  const uint32_t *ids;
  const float *scales;
};

/* One sequence of a batch.  Position p of group g lies in block blocks[g][p / WLP_BLOCK_POSITIONS] of caches[g].  Of a
 * state group, that block has the state behind the last position of it that was computed: a batch that begins at
 * position p reads the state of p - 1 and leaves one in each block that it gets through or ends in.  So a sequence can
 * go on behind what it computed last, or behind any full block.  Its positions follow one another without a gap. */
struct wlp_sequence {
  struct wlp_cache *caches[WLP_MAX_GROUPS]; /* by cache group; the type of the cache is the sequence's */
  const uint32_t *blocks[WLP_MAX_GROUPS];   /* block tables */
  uint32_t n_blocks[WLP_MAX_GROUPS];
  struct wlp_adapter_list adapters;
};

/* One batch.  Tokens of one sequence stand in rising position; a query sees what the cache holds before it and the
 * tokens of its own sequence in the batch up to itself. */
struct wlp_batch {
  uint32_t version; /* WLP_BATCH_VERSION */
  uint32_t n_tokens;
  uint32_t n_positions; /* for each token, as in the program's limits */
  uint32_t n_sequences;
  uint32_t n_rows;
  const int32_t *tokens;    /* [n_tokens], or NULL where rows come in */
  const float *embeddings;  /* [n_tokens][n_embd], or NULL */
  const int32_t *positions; /* [n_tokens][n_positions]; the first one orders the cache */
  const uint32_t *sequence; /* [n_tokens] index into sequences */
  const struct wlp_sequence *sequences;
  const uint32_t *rows;       /* [n_rows] tokens whose output is wanted, rising */
  float *output;              /* [n_rows][output_width], host memory; for a pooled model [n_sequences][output_width] */
  const volatile int *cancel; /* (optional) looked at between layers, by an atomic load; not 0: stop with -ECANCELED */
};

struct wlp_memory {
  uint32_t version;       /* set by the caller: WLP_MEMORY_VERSION */
  uint64_t mapped_bytes;  /* weights used in place from the file's map */
  uint64_t packed_bytes;  /* weights in layouts of the backend's own */
  uint64_t scratch_bytes; /* activations and the like */
  uint64_t cache_bytes;   /* caches, as far as touched */
};

struct wlp_profile_entry {
  char name[48]; /* operator and types, "linear q4_k" */
  uint64_t n_calls;
  uint64_t time_ns;
  uint64_t n_macs;
  uint64_t n_bytes;
};

struct wlp_backend_ops {
  uint32_t version; /* WLP_BACKEND_VERSION */

  /* @services stays valid until close(). */
  int (*open) (const struct wlp_services *services, struct wlp_backend **ret_backend, struct wlp_error *error);
  void (*close) (struct wlp_backend *backend);

  /* Device number @index; -ENOENT past the last one. */
  int (*device) (struct wlp_backend *backend, uint32_t index, struct wlp_device *ret_device);

  /* 1 where the device runs this operator with weights of these types, else 0. */
  int (*supports) (struct wlp_backend *backend, uint32_t device, const struct wlp_program *program,
                   const struct wlp_op *op, const struct wlp_weight_source *sources);

  int (*plan) (struct wlp_backend *backend, const struct wlp_plan_request *request, struct wlp_model **ret_model,
               struct wlp_error *error);
  void (*model_free) (struct wlp_model *model); /* its caches are gone by then; NULL is fine */
  int (*model_memory) (struct wlp_model *model, struct wlp_memory *ret_memory);

  /* (optional) From now on packed weights may take @n_bytes: what is beyond is given up, what is missing is packed as
   * it is used; returns how many bytes were given up.  Not while a batch runs.  A backend that has it knows the setting
   * "pack-bytes" as well, the limit to begin with. */
  uint64_t (*limit_packed) (struct wlp_model *model, uint64_t n_bytes);

  /* Room for @n_blocks blocks of cache group @group with elements of @type (WLP_TYPE_F32, F16, Q8_0; -ENOTSUP: not this
   * one; a state group is F32).  Memory is taken as blocks are first written. */
  int (*cache_create) (struct wlp_model *model, uint32_t group, enum wlp_type type, uint32_t n_blocks,
                       struct wlp_cache **ret_cache, struct wlp_error *error);
  void (*cache_free) (struct wlp_cache *cache);            /* NULL is fine */
  uint64_t (*cache_block_bytes) (struct wlp_cache *cache); /* of the canonical form, too */
  int (*cache_copy) (struct wlp_cache *cache, uint32_t from_block, uint32_t to_block);
  /* The block's content is not needed any more: its memory may go back to the system. */
  int (*cache_discard) (struct wlp_cache *cache, uint32_t block);
  /* Canonical form: for each layer of the group the keys [WLP_BLOCK_POSITIONS][key_width], then the values, in the type
   * of the cache, little-endian; of a state group, for each layer the state [key_width]. */
  int (*cache_export) (struct wlp_cache *cache, uint32_t block, void *memory, uint64_t n_bytes);
  int (*cache_import) (struct wlp_cache *cache, uint32_t block, const void *memory, uint64_t n_bytes);

  /* Starts a batch; it and what it points to stay unchanged until wait() returns.  One batch at a time.
   * -EINVAL: it does not fit the plan. */
  int (*submit) (struct wlp_model *model, const struct wlp_batch *batch, struct wlp_error *error);
  /* 0: the output rows are written.  -ECANCELED: stopped between layers; the cache positions of the batch hold
   * nothing of use.  -EIO: the device is lost. */
  int (*wait) (struct wlp_model *model, struct wlp_error *error);

  /* (optional) Entry @index of the time spent by operator since the plan; -ENOENT past the last one. */
  int (*profile) (struct wlp_model *model, uint32_t index, struct wlp_profile_entry *ret_entry);
};

#ifdef __cplusplus
}
#endif
