/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A bench for backends: small programs written by hand with random weights, run through the ABI of the real plugin, and
 * an oracle that interprets the same program in double.
 */
#pragma once

#include "wly-test-random.h"
#include "woolly-plugin/arch.h"
#include "woolly-plugin/backend.h"

#include <glib.h>

G_BEGIN_DECLS

#define LAB_MAX_SEQUENCES 4
#define LAB_MAX_POSITIONS 4096

/* A program in the making; &lab->builder goes to the sugar of arch.h. */
typedef struct {
  struct wlp_builder builder; /* first */
  struct wlp_program program; /* complete after lab_finish() */
  GArray *ops, *values, *weights, *sources, *groups;
  GPtrArray *memory;
  WlyTestRandom random;
  enum wlp_type type; /* of the matrices that are added from here on */
  guint32 layer;
} Lab;

Lab *lab_new (guint64 seed);
void lab_free (Lab *lab);
void lab_finish (Lab *lab); /* fills program */
/* A matrix, a vector around 1. */
wlp_weight lab_matrix (Lab *lab, guint64 n_in, guint64 n_out, guint64 n_expert);
wlp_weight lab_vector (Lab *lab, guint64 n);
/* The cache group for an attention; its layers grow with each call for the same shape. */
guint32 lab_group (Lab *lab, guint32 kind, guint32 n_layers, guint32 n_head_kv, guint32 dim_k, guint32 dim_v,
                   guint32 window);

/* What the backend marked for a profiler. */
typedef struct {
  char name[48];
  guint64 begin_ns, end_ns;
} LabMark;

typedef struct LabModel LabModel;

/* How to run it. */
typedef struct {
  guint n_threads;      /* 0: 1 */
  guint n_fast_threads; /* of them on fast cores; 0: cores are alike */
  const guint32 *cpus;  /* [n_cpus], of which n_fast_cpus are fast; NULL: no preference */
  guint n_cpus, n_fast_cpus;
  LabModel *beside; /* NULL, or a model whose backend this one shares; it lives longer */
  const char *isa;  /* NULL: the best */
  gboolean int8;    /* default: float activations */
  gboolean no_fuse;
  const char *pack;         /* NULL: auto */
  const char *pack_bytes;   /* NULL: what the backend likes */
  enum wlp_type cache_type; /* 0 is F32 */
  guint n_sequences;        /* 0: 1 */
  gboolean embeddings;
  gboolean no_map; /* weights from a file */
  GArray *marks;   /* of LabMark: where marks go; NULL: nobody looks */
} LabSetup;

LabModel *lab_model_new (Lab *lab, const LabSetup *setup);
void lab_model_free (LabModel *model);
struct wlp_model *lab_model_get (LabModel *model);
const struct wlp_backend_ops *lab_ops (void);
struct wlp_cache *lab_model_cache (LabModel *model, guint group);
/* Bytes of the map that the backend said it does not need for now; each time counts. */
guint64 lab_model_idle_bytes (LabModel *model);
guint32 lab_model_block (LabModel *model, guint sequence, guint index);

/* The next token of the sequence is at this position. */
void lab_model_seek (LabModel *model, guint sequence, guint position);

/* One batch: token i, of sequence sequences[i] (NULL: all 0), the next in it; want[i] (NULL: all): its row is wanted.
 * Returns the rows, [n_wanted][output_width], or of each sequence for a pooled model; (transfer full). */
float *lab_model_step (LabModel *model, const gint32 *tokens, const guint32 *sequences, const guint8 *want, guint n);
/* As above, but says what went wrong; positions continue only on success. */
int lab_model_try (LabModel *model, struct wlp_batch *batch, struct wlp_error *error);

/* All of a sequence in chunks of @chunk tokens (0: one), every row wanted. */
float *lab_run (Lab *lab, const LabSetup *setup, const gint32 *tokens, guint n, guint chunk);
/* The same by the oracle, in double. @n_positions of limits: all positions of a token are the same. */
double *lab_oracle (Lab *lab, const LabSetup *setup, const gint32 *tokens, guint n);

/* Σ (a - b)^2 / Σ b^2 is at most @bound. */
void lab_assert_close (const float *a, const double *b, gsize n, double bound);
void lab_assert_same (const float *a, const float *b, gsize n);
/* Random token ids below @n_vocab; (transfer full). */
gint32 *lab_tokens (guint64 seed, guint32 n_vocab, guint n);

G_END_DECLS
