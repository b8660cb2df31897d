/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What version 1 of the interface carries, each part proven on the device under test, beside what the engine uses
 * today: rows instead of tokens, several positions for each token, programs cut in two, caches that go out and come in,
 * pooled rows, sequences of unlike caches in one batch, cancelling.
 */
#include "contract-lab.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#define N_VOCAB 40
#define N_EMBD  32
#define N       90 /* tokens: more than a block */

/* ---- networks ---- */

static wlp_value
layer (ContractNet *net, wlp_value x, guint number, const struct wlp_rope_params *rope)
{
  const struct wlp_attention_params attention = {
    .group_layer = number, .n_head = 4, .n_head_kv = 2, .head_dim_k = 8, .head_dim_v = 8, .causal = 1, .scale = 0.35f
  };
  wlp_value n;
  wlp_value q;
  wlp_value k;
  wlp_value v;

  net->b->ops->layer (net->b, number);
  n = wlp_norm (net->b, WLP_NORM_RMS, x, WLP_NONE, WLP_NONE, 0, 1e-5f);
  q = wlp_rope (net->b, wlp_linear (net->b, n, contract_net_weight (net, N_EMBD, 32), WLP_NONE), WLP_NONE, rope);
  k = wlp_rope (net->b, wlp_linear (net->b, n, contract_net_weight (net, N_EMBD, 16), WLP_NONE), WLP_NONE, rope);
  v = wlp_linear (net->b, n, contract_net_weight (net, N_EMBD, 16), WLP_NONE);
  v = wlp_attention (net->b, q, k, v, WLP_NONE, &attention);
  return wlp_add (net->b, x, wlp_linear (net->b, v, contract_net_weight (net, 32, N_EMBD), WLP_NONE));
}

static const struct wlp_rope_params plain_rope = { .kind = WLP_ROPE_NEOX, .head_dim = 8, .n_dims = 8, .base = 100 };

/* Two layers, a paged cache, logits.  @ret_border: the value between the layers. */
static void
describe_net (ContractNet *net, const struct wlp_rope_params *rope, wlp_value *ret_border)
{
  const struct wlp_cache_group group = {
    .kind = WLP_CACHE_PAGED, .n_layers = 2, .key_width = 16, .value_width = 16, .head_dim_k = 8, .head_dim_v = 8
  };
  wlp_value x;

  net->b->ops->cache_group (net->b, &group);
  x = wlp_embed (net->b, contract_net_weight (net, N_EMBD, N_VOCAB), 2);
  x = layer (net, x, 0, rope);
  if (ret_border != NULL)
    *ret_border = x;
  x = layer (net, x, 1, rope);
  net->b->ops->layer (net->b, WLP_NONE);
  wlp_logits (net->b, wlp_linear (net->b, x, contract_net_weight (net, N_EMBD, N_VOCAB), WLP_NONE));
  contract_net_finish (net);
}

/* ---- running ---- */

/* All of @batch on a device, with a cache of its own. */
static void
run_whole (const ContractDevice *device, const ContractNet *net, ContractBatch *batch, enum wlp_type type)
{
  struct wlp_plan_request request = contract_request (net);
  struct wlp_model *model         = contract_plan (device, &request);
  struct wlp_cache *cache         = contract_cache (device, model, 0, type);

  batch->sequences[0].caches[0] = cache;
  g_assert_cmpint (contract_run (device, model, batch), ==, 0);
  device->ops->cache_free (cache);
  device->ops->model_free (model);
}

static void
assert_same (const float *a, const float *b, gsize n)
{
  g_assert_cmpmem (a, n * sizeof *a, b, n * sizeof *b);
}

static void
assert_close (const float *a, const float *b, gsize n)
{
  double distance = 0;
  double size     = 0;

  for (gsize i = 0; i < n; i++) {
    distance += pow ((double)a[i] - b[i], 2);
    size += pow (b[i], 2);
  }
  g_assert_cmpfloat (size, >, 0);
  g_assert_cmpfloat (distance / size, <, 1e-10);
}

/* The device agrees with the reference, so what is compared below with itself is right in the first place. */
static void
test_reference (void)
{
  ContractNet net;
  ContractBatch ours;
  ContractBatch reference;

  contract_net_init (&net, N_VOCAB, N_EMBD);
  describe_net (&net, &plain_rope, NULL);
  contract_batch_init (&ours, &net, 0, N);
  contract_batch_init (&reference, &net, 0, N);
  run_whole (contract_device (), &net, &ours, WLP_TYPE_F32);
  run_whole (contract_reference (), &net, &reference, WLP_TYPE_F32);
  assert_close (ours.output, reference.output, N * N_VOCAB);
  contract_net_clear (&net);
}

/* ---- rows come in ---- */

static void
test_embeddings (void)
{
  ContractNet net;
  ContractBatch tokens;
  ContractBatch rows;
  float embeddings[N * N_EMBD];

  contract_net_init (&net, N_VOCAB, N_EMBD);
  describe_net (&net, &plain_rope, NULL);
  contract_batch_init (&tokens, &net, 0, N);
  contract_batch_init (&rows, &net, 0, N);
  for (guint i = 0; i < N * N_EMBD; i++)
    embeddings[i] = 2 * contract_net_floats (&net, 0)[tokens.tokens[i / N_EMBD] * N_EMBD + i % N_EMBD];
  rows.batch.tokens     = NULL;
  rows.batch.embeddings = embeddings;
  run_whole (contract_device (), &net, &tokens, WLP_TYPE_F32);
  run_whole (contract_device (), &net, &rows, WLP_TYPE_F32);
  assert_same (rows.output, tokens.output, N * N_VOCAB);
  contract_net_clear (&net);
}

/* ---- several positions for each token ---- */

static void
test_positions (void)
{
  const struct wlp_rope_params mrope = {
    .kind = WLP_ROPE_MROPE, .head_dim = 8, .n_dims = 8, .base = 100, .sections = { 2, 1, 1, 0 }
  };
  struct wlp_limits limits = {
    .n_vocab = N_VOCAB, .n_embd = N_EMBD, .n_ctx_train = 256, .n_positions = 4, .causal = 1
  };
  ContractNet net;
  ContractNet plain;
  ContractBatch batch;
  ContractBatch reference;

  contract_net_init (&plain, N_VOCAB, N_EMBD);
  describe_net (&plain, &plain_rope, NULL);
  contract_batch_init (&reference, &plain, 0, N);
  run_whole (contract_device (), &plain, &reference, WLP_TYPE_F32);
  contract_net_clear (&plain);

  contract_net_init (&net, N_VOCAB, N_EMBD);
  net.b->ops->limits (net.b, &limits);
  describe_net (&net, &mrope, NULL);
  /* all positions alike: nothing but plain rope */
  contract_batch_init (&batch, &net, 0, N);
  run_whole (contract_device (), &net, &batch, WLP_TYPE_F32);
  assert_same (batch.output, reference.output, N * N_VOCAB);
  /* a picture of 5 rows in the text: each section turns by its own position, the first one orders the cache */
  for (guint pass = 0; pass < 2; pass++) {
    ContractBatch *to = pass == 0 ? &batch : &reference;

    contract_batch_init (to, &net, 0, N);
    for (guint i = 0; i < N; i++) {
      to->positions[4 * i + 1] = 3;
      to->positions[4 * i + 2] = (gint32)(i / 5);
      to->positions[4 * i + 3] = (gint32)(i % 5);
    }
    run_whole (pass == 0 ? contract_device () : contract_reference (), &net, to, WLP_TYPE_F32);
  }
  assert_close (batch.output, reference.output, N * N_VOCAB);
  contract_net_clear (&net);
}

/* ---- a program cut in two ---- */

static void
test_cut (void)
{
  const ContractDevice *device = contract_device ();
  struct wlp_plan_request request;
  struct wlp_model *models[2];
  struct wlp_cache *caches[2];
  ContractNet net;
  ContractBatch whole;
  ContractBatch first;
  ContractBatch second;
  wlp_value border;
  guint32 cut = 0;

  contract_net_init (&net, N_VOCAB, N_EMBD);
  describe_net (&net, &plain_rope, &border);
  contract_batch_init (&whole, &net, 0, N);
  run_whole (device, &net, &whole, WLP_TYPE_F32);
  while (net.program.ops[cut].out[0] != border)
    cut++;
  request         = contract_request (&net);
  request.end_op  = cut + 1;
  request.cut_out = border;
  models[0]       = contract_plan (device, &request);
  request         = contract_request (&net);

  request.first_op = cut + 1;
  request.cut_in   = border;
  models[1]        = contract_plan (device, &request);
  caches[0]        = contract_cache (device, models[0], 0, WLP_TYPE_F32);
  caches[1]        = contract_cache (device, models[1], 0, WLP_TYPE_F32);
  contract_batch_init (&first, &net, 0, N);
  contract_batch_init (&second, &net, 0, N);
  first.sequences[0].caches[0]  = caches[0];
  second.sequences[0].caches[0] = caches[1];
  g_assert_cmpint (contract_run (device, models[0], &first), ==, 0);
  second.batch.tokens     = NULL;
  second.batch.embeddings = first.output;
  g_assert_cmpint (contract_run (device, models[1], &second), ==, 0);
  assert_same (second.output, whole.output, N * N_VOCAB);
  for (guint i = 0; i < 2; i++) {
    device->ops->cache_free (caches[i]);
    device->ops->model_free (models[i]);
  }
  contract_net_clear (&net);
}

/* ---- wanted rows ---- */

static void
test_rows (void)
{
  const guint32 wanted[] = { 0, 7, 63, 64, N - 1 };
  ContractNet net;
  ContractBatch whole;
  ContractBatch some;

  contract_net_init (&net, N_VOCAB, N_EMBD);
  describe_net (&net, &plain_rope, NULL);
  contract_batch_init (&whole, &net, 0, N);
  contract_batch_init (&some, &net, 0, N);
  memcpy (some.rows, wanted, sizeof wanted);
  some.batch.n_rows = G_N_ELEMENTS (wanted);
  for (guint i = 0; i < G_N_ELEMENTS (some.output); i++)
    some.output[i] = -77;
  run_whole (contract_device (), &net, &whole, WLP_TYPE_F32);
  run_whole (contract_device (), &net, &some, WLP_TYPE_F32);
  for (guint i = 0; i < G_N_ELEMENTS (wanted); i++)
    assert_same (some.output + i * N_VOCAB, whole.output + wanted[i] * N_VOCAB, N_VOCAB);
  g_assert_cmpfloat (some.output[G_N_ELEMENTS (wanted) * N_VOCAB], ==, -77);
  contract_net_clear (&net);
}

/* ---- caches ---- */

/* The first 80 tokens are computed; their blocks go out, into another cache at other places, and one is copied: the
 * rest of the text does not notice. */
static void
test_cache_moves (void)
{
  const ContractDevice *device = contract_device ();
  const guint32 places[8]      = { 1, 6, 0, 2, 3, 4, 5, 7 };
  const enum wlp_type types[]  = { WLP_TYPE_F32, WLP_TYPE_F16 };
  ContractNet net;
  struct wlp_plan_request request;

  contract_net_init (&net, N_VOCAB, N_EMBD);
  describe_net (&net, &plain_rope, NULL);
  request = contract_request (&net);
  for (guint t = 0; t < G_N_ELEMENTS (types); t++) {
    struct wlp_model *model  = contract_plan (device, &request);
    struct wlp_cache *from   = contract_cache (device, model, 0, types[t]);
    struct wlp_cache *to     = contract_cache (device, model, 0, types[t]);
    guint64 n_bytes          = device->ops->cache_block_bytes (from);
    g_autofree guint8 *block = g_malloc0 (n_bytes);
    struct wlp_memory memory = { .version = WLP_MEMORY_VERSION };
    ContractBatch whole;
    ContractBatch batch;

    contract_batch_init (&whole, &net, 0, N);
    run_whole (device, &net, &whole, types[t]);
    contract_batch_init (&batch, &net, 0, 80);
    batch.sequences[0].caches[0] = from;
    g_assert_cmpint (contract_run (device, model, &batch), ==, 0);
    g_assert_cmpint (device->ops->model_memory (model, &memory), ==, 0);
    g_assert_cmpuint (memory.cache_bytes, >=, 2 * n_bytes);
    g_assert_cmpuint (n_bytes, ==, 2 * 64 * 32 * (types[t] == WLP_TYPE_F32 ? 4 : 2));
    for (guint i = 0; i < 2; i++) {
      g_assert_cmpint (device->ops->cache_export (from, batch.blocks[i], block, n_bytes), ==, 0);
      g_assert_cmpint (device->ops->cache_import (to, places[i], block, n_bytes), ==, 0);
    }
    g_assert_cmpint (device->ops->cache_copy (to, 6, 3), ==, 0);
    g_assert_cmpint (device->ops->cache_discard (to, 6), ==, 0);
    g_assert_cmpint (device->ops->cache_discard (from, batch.blocks[0]), ==, 0);
    contract_batch_init (&batch, &net, 80, N - 80);
    batch.sequences[0].caches[0] = to;
    batch.blocks[0]              = 1;
    batch.blocks[1]              = 3;
    g_assert_cmpint (contract_run (device, model, &batch), ==, 0);
    assert_same (batch.output, whole.output + 80 * N_VOCAB, (N - 80) * N_VOCAB);
    device->ops->cache_free (from);
    device->ops->cache_free (to);
    device->ops->model_free (model);
  }
  contract_net_clear (&net);
}

/* The canonical form: keys of a layer, then its values, layer after layer; the same from every backend. */
static void
test_canonical_form (void)
{
  const ContractDevice *devices[] = { contract_device (), contract_reference () };
  g_autofree float *blocks        = g_new0 (float, 2 * 2 * 64 * 32);
  ContractNet net;
  struct wlp_plan_request request;

  contract_net_init (&net, N_VOCAB, N_EMBD);
  describe_net (&net, &plain_rope, NULL);
  request = contract_request (&net);
  for (guint i = 0; i < 2; i++) {
    struct wlp_model *model = contract_plan (devices[i], &request);
    struct wlp_cache *cache = contract_cache (devices[i], model, 0, WLP_TYPE_F32);
    ContractBatch batch;

    contract_batch_init (&batch, &net, 0, 64);
    batch.sequences[0].caches[0] = cache;
    g_assert_cmpint (contract_run (devices[i], model, &batch), ==, 0);
    g_assert_cmpint (
        devices[i]->ops->cache_export (cache, batch.blocks[0], blocks + i * 2 * 64 * 32, 2 * 64 * 32 * sizeof (float)),
        ==, 0);
    devices[i]->ops->cache_free (cache);
    devices[i]->ops->model_free (model);
  }
  assert_close (blocks, blocks + 2 * 64 * 32, 2 * 64 * 32);
  contract_net_clear (&net);
}

/* ---- unlike sequences in one batch ---- */

static void
test_mixed_types (void)
{
  const ContractDevice *device = contract_device ();
  struct wlp_plan_request request;
  struct wlp_model *model;
  struct wlp_cache *caches[2];
  ContractNet net;
  ContractBatch alone[2];
  ContractBatch both;

  contract_net_init (&net, N_VOCAB, N_EMBD);
  describe_net (&net, &plain_rope, NULL);
  for (guint i = 0; i < 2; i++) {
    contract_batch_init (&alone[i], &net, 0, N);
    run_whole (device, &net, &alone[i], i == 0 ? WLP_TYPE_F32 : WLP_TYPE_F16);
  }
  request   = contract_request (&net);
  model     = contract_plan (device, &request);
  caches[0] = contract_cache (device, model, 0, WLP_TYPE_F32);
  caches[1] = contract_cache (device, model, 0, WLP_TYPE_F16);
  /* the tokens of both in turns */
  contract_batch_init (&both, &net, 0, 2 * N);
  both.sequences[1]           = both.sequences[0];
  both.sequences[0].caches[0] = caches[0];
  both.sequences[1].caches[0] = caches[1];
  both.batch.n_sequences      = 2;
  for (guint i = 0; i < 2 * N; i++) {
    both.tokens[i]      = alone[0].tokens[i / 2];
    both.positions[i]   = (gint32)(i / 2);
    both.sequence_of[i] = i % 2;
  }
  g_assert_cmpint (contract_run (device, model, &both), ==, 0);
  for (guint i = 0; i < 2 * N; i++)
    assert_same (both.output + i * N_VOCAB, alone[i % 2].output + i / 2 * N_VOCAB, N_VOCAB);
  for (guint i = 0; i < 2; i++)
    device->ops->cache_free (caches[i]);
  device->ops->model_free (model);
  contract_net_clear (&net);
}

/* ---- pooled rows ---- */

/* An encoder: no cache, every token sees all of its sequence. */
static void
describe_encoder (ContractNet *net, enum wlp_pool kind, gboolean has_head)
{
  const struct wlp_attention_params attention = {
    .group = WLP_NONE, .n_head = 4, .n_head_kv = 4, .head_dim_k = 8, .head_dim_v = 8, .scale = 0.35f
  };
  struct wlp_limits limits = {
    .n_vocab = N_VOCAB, .n_embd = N_EMBD, .n_ctx_train = 256, .n_positions = 1, .pooling = kind
  };
  wlp_value x;
  wlp_value v;

  net->b->ops->limits (net->b, &limits);
  x = wlp_embed (net->b, contract_net_weight (net, N_EMBD, N_VOCAB), 1);
  net->b->ops->layer (net->b, 0);
  v = wlp_attention (net->b, wlp_linear (net->b, x, contract_net_weight (net, N_EMBD, 32), WLP_NONE),
                     wlp_linear (net->b, x, contract_net_weight (net, N_EMBD, 32), WLP_NONE),
                     wlp_linear (net->b, x, contract_net_weight (net, N_EMBD, 32), WLP_NONE), WLP_NONE, &attention);
  x = wlp_add (net->b, x, v);
  net->b->ops->layer (net->b, WLP_NONE);
  wlp_pool (net->b, kind, x, has_head ? contract_net_weight (net, N_EMBD, 3) : WLP_NONE, WLP_NONE);
  contract_net_finish (net);
}

static void
run_pooled (const ContractDevice *device, const ContractNet *net, ContractBatch *batch)
{
  struct wlp_plan_request request = contract_request (net);
  struct wlp_model *model         = contract_plan (device, &request);

  /* three sequences of unlike length, one behind the other */
  contract_batch_init (batch, net, 0, 60);
  batch->batch.n_sequences = 3;
  batch->batch.n_rows      = 3;
  for (guint i = 0; i < 60; i++) {
    batch->sequence_of[i] = i < 10 ? 0 : i < 11 ? 1 : 2;
    batch->positions[i]   = (gint32)(i < 10 ? i : i < 11 ? 0 : i - 11);
  }
  batch->rows[0] = 9;
  batch->rows[1] = 10;
  batch->rows[2] = 59;
  g_assert_cmpint (contract_run (device, model, batch), ==, 0);
  device->ops->model_free (model);
}

static void
test_pooling (void)
{
  const struct {
    enum wlp_pool kind;
    gboolean has_head;
  } cases[] = { { WLP_POOL_MEAN, FALSE },
                { WLP_POOL_CLS, FALSE },
                { WLP_POOL_LAST, FALSE },
                { WLP_POOL_RANK, TRUE },
                { WLP_POOL_NONE, FALSE } };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    ContractNet net;
    ContractBatch ours;
    ContractBatch reference;

    contract_net_init (&net, N_VOCAB, N_EMBD);
    describe_encoder (&net, cases[i].kind, cases[i].has_head);
    run_pooled (contract_device (), &net, &ours);
    run_pooled (contract_reference (), &net, &reference);
    g_assert_cmpuint (net.program.output_width, ==, cases[i].has_head ? 3 : N_EMBD);
    assert_close (ours.output, reference.output, 3 * net.program.output_width);
    contract_net_clear (&net);
  }
}

/* ---- cancelling and refusing ---- */

static void
test_cancel (void)
{
  const ContractDevice *device = contract_device ();
  const volatile int cancel    = 1;
  struct wlp_plan_request request;
  struct wlp_model *model;
  ContractNet net;
  ContractBatch whole;
  ContractBatch batch;

  contract_net_init (&net, N_VOCAB, N_EMBD);
  describe_net (&net, &plain_rope, NULL);
  contract_batch_init (&whole, &net, 0, N);
  run_whole (device, &net, &whole, WLP_TYPE_F32);
  request = contract_request (&net);
  model   = contract_plan (device, &request);
  contract_batch_init (&batch, &net, 0, N);
  batch.sequences[0].caches[0] = contract_cache (device, model, 0, WLP_TYPE_F32);
  batch.batch.cancel           = &cancel;
  g_assert_cmpint (contract_run (device, model, &batch), ==, -ECANCELED);
  batch.batch.cancel = NULL;
  g_assert_cmpint (contract_run (device, model, &batch), ==, 0);
  assert_same (batch.output, whole.output, N * N_VOCAB);
  device->ops->cache_free (batch.sequences[0].caches[0]);
  device->ops->model_free (model);
  contract_net_clear (&net);
}

static void
test_refused (void)
{
  const ContractDevice *device         = contract_device ();
  const struct wlp_setting bad_setting = { "no-such-setting", "1" };
  struct wlp_device described          = { .version = WLP_DEVICE_VERSION };
  struct wlp_error fault               = { { 0 } };
  struct wlp_model *model              = NULL;
  struct wlp_cache *cache              = NULL;
  struct wlp_plan_request request;
  ContractNet net;
  ContractBatch batch;

  contract_net_init (&net, N_VOCAB, N_EMBD);
  describe_net (&net, &plain_rope, NULL);
  g_assert_cmpint (device->ops->device (device->backend, 0, &described), ==, 0);
  g_assert_cmpuint (described.score, >, 0);
  g_assert_cmpint (device->ops->device (device->backend, 1000, &described), ==, -ENOENT);
  request            = contract_request (&net);
  request.n_settings = 1;
  request.settings   = &bad_setting;
  g_assert_cmpint (device->ops->plan (device->backend, &request, &model, &fault), ==, -EINVAL);
  g_assert_nonnull (strstr (fault.message, "no-such-setting"));

  request            = contract_request (&net);
  request.max_tokens = 16;
  request.max_rows   = 16;
  model              = contract_plan (device, &request);
  g_assert_cmpint (device->ops->cache_create (model, 0, WLP_TYPE_Q4_0, 8, &cache, &fault), ==, -ENOTSUP);
  cache = contract_cache (device, model, 0, WLP_TYPE_F32);
  contract_batch_init (&batch, &net, 0, 17);
  batch.sequences[0].caches[0] = cache;
  g_assert_cmpint (contract_run (device, model, &batch), ==, -EINVAL);
  contract_batch_init (&batch, &net, 0, 16);
  batch.sequences[0].caches[0] = cache;
  batch.tokens[3]              = N_VOCAB;
  g_assert_cmpint (contract_run (device, model, &batch), ==, -EINVAL);
  device->ops->cache_free (cache);
  device->ops->model_free (model);
  contract_net_clear (&net);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/abi/contract/reference", test_reference);
  g_test_add_func ("/abi/contract/embeddings", test_embeddings);
  g_test_add_func ("/abi/contract/positions", test_positions);
  g_test_add_func ("/abi/contract/cut", test_cut);
  g_test_add_func ("/abi/contract/rows", test_rows);
  g_test_add_func ("/abi/contract/cache-moves", test_cache_moves);
  g_test_add_func ("/abi/contract/canonical-form", test_canonical_form);
  g_test_add_func ("/abi/contract/mixed-types", test_mixed_types);
  g_test_add_func ("/abi/contract/pooling", test_pooling);
  g_test_add_func ("/abi/contract/cancel", test_cancel);
  g_test_add_func ("/abi/contract/refused", test_refused);
  return g_test_run ();
}
