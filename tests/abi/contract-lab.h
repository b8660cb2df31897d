/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A backend through its table of functions alone: small networks with random weights, batches by hand.
 */
#pragma once

#include "plugin-host.h"
#include "run/program-builder.h"
#include "wly-test-random.h"

/* A network that is being described, and then planned. */
typedef struct {
  WlyProgramBuilder *builder;
  struct wlp_builder *b; /* the same, for the calls of arch.h */
  GHashTable *tensors;
  WlyTestRandom random;
  struct wlp_program program;
  const struct wlp_weight_source *sources;
} ContractNet;

void contract_net_init (ContractNet *net, guint n_vocab, guint n_embd);
void contract_net_clear (ContractNet *net);
/* A float32 tensor of random weights of deviation 1 / sqrt (n_in). */
wlp_weight contract_net_weight (ContractNet *net, guint64 n_in, guint64 n_out);
/* Its rows. */
const float *contract_net_floats (const ContractNet *net, wlp_weight weight);
void contract_net_finish (ContractNet *net);

/* The device under test (WOOLLY_TEST_DEVICE), or the reference. */
typedef struct {
  const struct wlp_backend_ops *ops;
  struct wlp_backend *backend;
} ContractDevice;

const ContractDevice *contract_device (void);
const ContractDevice *contract_reference (void);

/* The whole program on a device, in the reference mode. */
struct wlp_plan_request contract_request (const ContractNet *net);
struct wlp_model *contract_plan (const ContractDevice *device, const struct wlp_plan_request *request);
struct wlp_cache *contract_cache (const ContractDevice *device, struct wlp_model *model, guint group,
                                  enum wlp_type type);

/* A batch of tokens 0 .. n - 1 of one sequence, whose blocks are @blocks; what is not so is changed afterwards. */
typedef struct {
  struct wlp_batch batch;
  gint32 tokens[256];
  gint32 positions[256 * 5];
  guint32 sequence_of[256];
  guint32 rows[256];
  guint32 blocks[8];
  struct wlp_sequence sequences[4];
  float output[256 * 64];
} ContractBatch;

void contract_batch_init (ContractBatch *batch, const ContractNet *net, guint first, guint n);
/* 0, or what submit() or wait() said. */
int contract_run (const ContractDevice *device, struct wlp_model *model, ContractBatch *batch);
