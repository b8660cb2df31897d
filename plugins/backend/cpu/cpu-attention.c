/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Attention, one algorithm for prefill and decode.
 *
 * A query reads the positions it sees in chunks of 256 at absolute edges.  In a chunk: all scores, their maximum m, the
 * weights exp (score - m), their sum l in 16 lanes by position, and the weighted sum of the values o in the order of
 * the positions.  Chunks are merged in rising order into (M, L, O).  None of it depends on which other queries share
 * the item, so neither on the batch nor on the threads.
 *
 * An item of the step is a tile of consecutive queries of one sequence with up to HEADS heads that read the same keys.
 * Where there are few of them for the threads, as where one token is computed and few heads have keys of their own,
 * chunks of an item go to several threads in slices.  Their (m, l, o) lie in the model's partial results then, and who
 * comes last merges them all, in the same order.
 */
#include "cpu-math.h"
#include "cpu-ops.h"

#include <math.h>
#include <string.h>

#define CHUNK   256u
#define HEADS   8u  /* query heads of an item */
#define QUERIES 32u /* tokens times heads of an item */
#define SLICES  8u  /* for each thread, about, where items are split */

#define BLOCK WLP_BLOCK_POSITIONS
#define AHEAD BLOCK /* positions, of what is asked for before it is read: the next block lies elsewhere */

/* The positions from .. end - 1 that a query sees. */
struct sight {
  uint32_t from;
  uint32_t end;
  uint32_t position; /* its own */
  float scale;       /* of its scores */
};

struct item {
  struct wlp_model *model;
  const struct wlp_attention_params *params;
  const struct cpu_cache_layout *layout;
  const struct attention_format *format;
  uint8_t *memory;        /* of the cache */
  const uint32_t *blocks; /* NULL: first_block, first_block + 1 … */
  uint32_t first_block;
  uint32_t head_kv;
  uint32_t first_head; /* of the queries */
  uint32_t n_heads;
  uint32_t n_tokens;
  uint32_t from; /* .. end - 1: what any of them sees */
  uint32_t end;
  const float *sinks;
  struct sight sights[QUERIES];
  const float *q[QUERIES]; /* [token][head] */
  float slopes[HEADS];
  float max[QUERIES]; /* M, L of each query */
  float sum[QUERIES];
  float *total;     /* [QUERIES][head_dim_v] O of each query */
  float *scores;    /* [QUERIES][CHUNK] */
  float *own;       /* [QUERIES][head_dim_v + 2] room for a chunk's result */
  float *chunk_max; /* [QUERIES] m, l and o of the chunk: own, or a partial result */
  float *chunk_sum;
  float *chunk;    /* [QUERIES][head_dim_v] */
  float *partials; /* of its chunks, partial_floats() each; NULL: it is not split */
};

static uint32_t
heads_of_item (const struct wlp_attention_params *params)
{
  const uint32_t ratio = params->n_head / params->n_head_kv;

  return ratio < HEADS ? ratio : HEADS;
}

uint32_t
cpu_attention_tile_tokens (const struct wlp_attention_params *params)
{
  return QUERIES / heads_of_item (params);
}

static size_t
align64 (size_t n)
{
  return (n + 63) / 64 * 64;
}

size_t
cpu_attention_scratch_bytes (const struct wlp_attention_params *params)
{
  return align64 (sizeof (struct item)) + QUERIES * sizeof (float) * (CHUNK + 2 + 2 * (size_t)params->head_dim_v) + 64;
}

/* Of one chunk for one item of @n_tokens. */
static size_t
partial_floats (const struct wlp_attention_params *params, uint32_t n_tokens)
{
  return align64 (n_tokens * heads_of_item (params) * (params->head_dim_v + 2) * sizeof (float)) / sizeof (float);
}

static uint8_t *
block_of (const struct item *item, uint32_t position)
{
  const uint32_t index = position / BLOCK;
  const uint32_t block = item->blocks != NULL ? item->blocks[index] : item->first_block + index;

  return item->memory + (size_t)block * item->layout->block_bytes;
}

/* Of @n positions from @position on: which of them a query sees, as from and end inside it; 0, 0: none. */
static struct sight
sight_within (const struct sight *sight, uint32_t position, uint32_t n)
{
  const uint32_t from = sight->from > position ? sight->from - position : 0;
  const uint32_t end  = sight->end > position ? sight->end - position : 0;

  if (from >= n || end <= from)
    return (struct sight){ 0, 0, 0, 0.0f };
  return (struct sight){ from, end < n ? end : n, 0, 0.0f };
}

static const uint8_t *
keys_at (const struct item *item, uint32_t position)
{
  const uint32_t layer = item->params->group != WLP_NONE ? item->params->group_layer : 0;

  return cpu_cache_keys (item->layout, block_of (item, position), layer, item->head_kv)
         + position % BLOCK / ATTENTION_TILE * item->layout->tile_bytes;
}

static const uint8_t *
values_at (const struct item *item, uint32_t position)
{
  const uint32_t layer = item->params->group != WLP_NONE ? item->params->group_layer : 0;

  return cpu_cache_values (item->layout, block_of (item, position), layer, item->head_kv)
         + position % BLOCK * item->layout->row_bytes;
}

/* What is read AHEAD positions later while the keys of first .. end - 1 of a chunk go by, and then their values. */
static const uint8_t *
ahead_of_keys (const struct item *item, uint32_t first, uint32_t position, uint32_t end)
{
  const uint32_t next = position + AHEAD;

  if (next < end)
    return keys_at (item, next);
  return values_at (item, first + (next - end) < end ? first + (next - end) : first);
}

static const uint8_t *
ahead_of_values (const struct item *item, uint32_t position, uint32_t end)
{
  const uint32_t next = position + AHEAD;

  if (next < end)
    return values_at (item, next);
  return next < item->end ? keys_at (item, next) : values_at (item, position);
}

/* Queries that see the same part of a block go through it together. */
struct company {
  uint32_t chunk;
  uint32_t position; /* of the block, or where it begins to be seen */
  uint32_t from;     /* the part, counted from there */
  uint32_t end;
  const uint8_t *ahead;
  uint32_t n;
  uint32_t queries[ATTENTION_QUERIES];
};

static float *
scores_of (const struct item *item, const struct company *company, uint32_t i)
{
  return item->scores + company->queries[i] * CHUNK + (company->position - company->chunk) + company->from;
}

/* The part is of whole tiles. */
static void
score_keys (struct item *item, const struct company *company)
{
  const struct cpu_cache_layout *layout = item->layout;
  const float *q[ATTENTION_QUERIES];
  float *s[ATTENTION_QUERIES];
  uint32_t i;

  for (i = 0; i < company->n; i++) {
    q[i] = item->q[company->queries[i]];
    s[i] = scores_of (item, company, i);
  }
  item->format->scores (keys_at (item, company->position + company->from), company->ahead,
                        (company->end - company->from) / ATTENTION_TILE, layout->head_dim_k, company->n, q, s);
}

static void
add_values (struct item *item, const struct company *company)
{
  const struct cpu_cache_layout *layout = item->layout;
  const float *p[ATTENTION_QUERIES];
  float *o[ATTENTION_QUERIES];
  uint32_t i;

  for (i = 0; i < company->n; i++) {
    p[i] = scores_of (item, company, i);
    o[i] = item->chunk + company->queries[i] * layout->head_dim_v;
  }
  item->format->values (values_at (item, company->position + company->from), company->ahead, layout->row_bytes,
                        company->end - company->from, layout->head_dim_v, company->n, p, o);
}

/* @n_positions of a block from @position on, for all queries that see any of them; @unit: of what a part is made. */
static void
run_block (struct item *item, uint32_t chunk, uint32_t position, uint32_t n_positions, uint32_t unit,
           const uint8_t *ahead, void (*run) (struct item *item, const struct company *company))
{
  struct company company = { .chunk = chunk, .position = position, .ahead = ahead };
  uint32_t token, head;

  for (token = 0; token < item->n_tokens; token++) {
    const struct sight sight = sight_within (&item->sights[token], position, n_positions);
    const uint32_t from = sight.from / unit * unit, end = (sight.end + unit - 1) / unit * unit;

    for (head = 0; head < item->n_heads && sight.end > 0; head++) {
      if (company.n == ATTENTION_QUERIES || (company.n > 0 && (from != company.from || end != company.end))) {
        run (item, &company);
        company.n = 0;
      }
      company.from                 = from;
      company.end                  = end;
      company.queries[company.n++] = token * item->n_heads + head;
    }
  }
  if (company.n > 0)
    run (item, &company);
}

/* What some networks do to the scaled scores of positions from .. end - 1 of a chunk. */
static void
bend_scores (const struct item *item, uint32_t token, uint32_t head, uint32_t chunk, uint32_t from, uint32_t end,
             float *s)
{
  const struct wlp_attention_params *params = item->params;
  uint32_t i;

  for (i = from; i < end; i++)
    s[i] *= item->sights[token].scale;
  if (params->softcap != 0.0f)
    item->model->vector->softcap (params->softcap, end - from, s + from, s + from);
  if (params->alibi != 0.0f)
    for (i = from; i < end; i++) {
      const int32_t distance = (int32_t)(chunk + i) - (int32_t)item->sights[token].position;

      s[i] -= item->slopes[head] * (float)(distance < 0 ? -distance : distance);
    }
}

/* Scores to weights for one query in positions from .. end - 1 of a chunk; returns the maximum of the scores. */
static float
weigh_chunk (const struct item *item, uint32_t token, uint32_t head, uint32_t chunk, uint32_t from, uint32_t end,
             float *ret_sum)
{
  const struct wlp_attention_params *params = item->params;
  float *s                                  = item->scores + (token * item->n_heads + head) * CHUNK;
  float factor                              = item->sights[token].scale;

  if (params->softcap != 0.0f || params->alibi != 0.0f) {
    bend_scores (item, token, head, chunk, from, end, s);
    factor = 1.0f;
  }
  return item->model->vector->softmax (factor, s, from, end, ret_sum);
}

static void
run_chunk (struct item *item, uint32_t chunk, uint32_t from, uint32_t end)
{
  const uint32_t n_queries = item->n_tokens * item->n_heads;
  const uint32_t first     = from / ATTENTION_TILE * ATTENTION_TILE;
  uint32_t position, next, query;

  for (position = first; position < end; position = next) {
    next = (position / BLOCK + 1) * BLOCK < end ? (position / BLOCK + 1) * BLOCK : end;
    run_block (item, chunk, position, next - position, ATTENTION_TILE, ahead_of_keys (item, first, position, end),
               score_keys);
  }
  for (query = 0; query < n_queries; query++) {
    const struct sight *sight = &item->sights[query / item->n_heads];
    const uint32_t begin      = sight->from > chunk ? sight->from - chunk : 0;
    const uint32_t last       = sight->end < chunk + CHUNK ? sight->end : chunk + CHUNK;

    item->chunk_sum[query] = 0.0f;
    if (sight->end <= chunk || begin >= CHUNK || chunk + begin >= last)
      continue;
    item->chunk_max[query] = weigh_chunk (item, query / item->n_heads, query % item->n_heads, chunk, begin,
                                          last - chunk, &item->chunk_sum[query]);
  }
  memset (item->chunk, 0, n_queries * item->layout->head_dim_v * sizeof (float));
  for (position = first; position < end; position = next) {
    next = (position / BLOCK + 1) * BLOCK < end ? (position / BLOCK + 1) * BLOCK : end;
    run_block (item, chunk, position, next - position, 1, ahead_of_values (item, position, end), add_values);
  }
}

/* m, l and o of the chunk into M, L and O of the query. */
static void
merge_query (struct item *item, uint32_t query)
{
  const uint32_t dim = item->layout->head_dim_v;
  const float max = item->chunk_max[query], sum = item->chunk_sum[query];
  const float new_max   = max > item->max[query] ? max : item->max[query];
  const float old_scale = cpu_exp (item->max[query] - new_max);
  const float scale     = cpu_exp (max - new_max);

  item->model->vector->merge (dim, old_scale, item->chunk + query * dim, scale, item->total + query * dim);
  item->sum[query] = item->sum[query] * old_scale + sum * scale;
  item->max[query] = new_max;
}

static void
merge_chunk (struct item *item)
{
  uint32_t query;

  for (query = 0; query < item->n_tokens * item->n_heads; query++)
    if (item->chunk_sum[query] != 0.0f) /* NaN, too */
      merge_query (item, query);
}

/* A sink is one more score that has no value. */
static void
finish_query (struct item *item, uint32_t query, float *out)
{
  const uint32_t dim = item->layout->head_dim_v;
  float inverse, scale = 1.0f;
  uint32_t i;

  if (item->sinks != NULL) {
    const float sink    = item->sinks[item->first_head + query % item->n_heads];
    const float new_max = sink > item->max[query] ? sink : item->max[query];

    scale            = cpu_exp (item->max[query] - new_max);
    item->sum[query] = item->sum[query] * scale + cpu_exp (sink - new_max);
  }
  inverse = scale / item->sum[query];
  for (i = 0; i < dim; i++)
    out[i] = item->total[query * dim + i] * inverse;
}

/* Where the result of chunk number @index of the item goes to. */
static void
point_at (struct item *item, uint32_t index)
{
  const uint32_t n_queries = item->n_tokens * item->n_heads;
  float *result            = item->own;

  if (item->partials != NULL)
    result = item->partials + index * partial_floats (item->params, item->n_tokens);
  item->chunk_max = result;
  item->chunk_sum = result + n_queries;
  item->chunk     = result + 2 * n_queries;
}

static void
begin_totals (struct item *item)
{
  const uint32_t n_queries = item->n_tokens * item->n_heads;
  uint32_t i;

  memset (item->total, 0, n_queries * item->layout->head_dim_v * sizeof (float));
  for (i = 0; i < n_queries; i++) {
    item->max[i] = -__builtin_inff ();
    item->sum[i] = 0.0f;
  }
}

static void
finish_item (struct item *item, const struct cpu_node *node, const uint32_t *rows)
{
  uint32_t i;

  for (i = 0; i < item->n_tokens * item->n_heads; i++) {
    float *out = cpu_run_row (item->model, node->writes[0], node->domain, rows[i / item->n_heads]);

    finish_query (item, i, out + (item->first_head + i % item->n_heads) * item->layout->head_dim_v);
  }
}

/* Chunks @first .. @end - 1 of the item, merged at once where it is not split. */
static void
run_chunks (struct item *item, uint32_t first, uint32_t end)
{
  uint32_t index;

  for (index = first; index < end; index++) {
    const uint32_t chunk = index * CHUNK;

    point_at (item, index - item->from / CHUNK);
    run_chunk (item, chunk, item->from > chunk ? item->from : chunk,
               item->end < chunk + CHUNK ? item->end : chunk + CHUNK);
    if (item->partials == NULL)
      merge_chunk (item);
  }
}

/* 2^x for the slopes: x is small and negative. */
static float
slope_of_head (const struct wlp_attention_params *params, uint32_t head)
{
  uint32_t n = 1;
  float exponent;

  while (2 * n <= params->n_head)
    n *= 2;
  if (head < n)
    exponent = -params->alibi / (float)n * (float)(head + 1);
  else
    exponent = -params->alibi / 2.0f / (float)n * (float)(2 * (head - n) + 1);
  return cpu_exp (exponent * 0.69314718f);
}

/* Without a cache group, positions are the token's numbers in its sequence. */
static struct sight
sight_of (struct wlp_model *model, const struct wlp_attention_params *params, uint32_t token)
{
  const struct wlp_batch *batch = model->run.batch;
  const bool cached             = params->group != WLP_NONE;
  const uint32_t sequence       = batch->sequence[token];
  const uint32_t position =
      cached ? (uint32_t)batch->positions[(size_t)token * batch->n_positions] : model->run.ordinal[token];
  struct sight sight = { 0, position + 1, position, params->scale };
  uint32_t reach;

  if (params->temperature != 0.0f)
    sight.scale *= 1.0f + params->temperature * (float)log (1.0 + position / params->temperature_step);

  if (params->causal) {
    if (params->window != 0 && position + 1 > params->window)
      sight.from = position + 1 - params->window;
    return sight;
  }
  sight.end = cached ? model->run.last_of_seq[sequence] + 1 : model->run.n_of_seq[sequence];
  reach     = params->window / 2;
  if (params->window != 0) {
    sight.from = position > reach ? position - reach : 0;
    sight.end  = sight.end - position > reach ? position + reach + 1 : sight.end;
  }
  return sight;
}

static void
open_cache (struct item *item, const struct cpu_node *node, uint32_t sequence)
{
  struct wlp_model *model             = item->model;
  const struct wlp_sequence *seq      = &model->run.batch->sequences[sequence];
  const struct cpu_resource *resource = &model->plan.resources[node->reads[CPU_READ_STORED]];

  if (item->params->group != WLP_NONE) {
    item->layout = &seq->caches[item->params->group]->layout;
    item->memory = seq->caches[item->params->group]->memory;
    item->blocks = seq->blocks[item->params->group];
  } else {
    item->layout      = &resource->layout;
    item->memory      = resource->memory;
    item->blocks      = NULL;
    item->first_block = model->run.scratch_of_seq[sequence];
  }
  item->format = attention_isa_format (model->attention, item->layout->type);
}

static void
prepare_item (struct item *item, const struct cpu_node *node, const struct cpu_tile *tile, const uint32_t *rows)
{
  const struct wlp_attention_params *params = item->params;
  uint32_t i, head;

  open_cache (item, node, tile->sequence);
  item->n_tokens = tile->n;
  item->from     = UINT32_MAX;
  item->end      = 0;
  for (i = 0; i < tile->n; i++) {
    const float *q = cpu_run_row (item->model, node->reads[CPU_READ_Q], node->domain, rows[i]);

    item->sights[i] = sight_of (item->model, params, cpu_run_token (item->model, node->domain, rows[i]));
    item->from      = item->sights[i].from < item->from ? item->sights[i].from : item->from;
    item->end       = item->sights[i].end > item->end ? item->sights[i].end : item->end;
    for (head = 0; head < item->n_heads; head++)
      item->q[i * item->n_heads + head] = q + (size_t)(item->first_head + head) * params->head_dim_k;
  }
  if (params->alibi != 0.0f)
    for (head = 0; head < item->n_heads; head++)
      item->slopes[head] = slope_of_head (params, item->first_head + head);
}

static uint32_t
parts_of_item (const struct wlp_attention_params *params)
{
  const uint32_t ratio = params->n_head / params->n_head_kv, each = heads_of_item (params);

  return (ratio + each - 1) / each;
}

/* The chunks that the queries of a tile see. */
static struct cpu_split
chunks_of_tile (struct wlp_model *model, const struct cpu_node *node, const struct cpu_tile *tile)
{
  const uint32_t *rows   = model->run.queries[node->domain].order + tile->first;
  struct cpu_split split = { .n_slices = 1 };
  uint32_t from = UINT32_MAX, end = 0, i;

  for (i = 0; i < tile->n; i++) {
    const struct sight sight = sight_of (model, &node->op->p.attention, cpu_run_token (model, node->domain, rows[i]));

    from = sight.from < from ? sight.from : from;
    end  = sight.end > end ? sight.end : end;
  }
  split.first    = from / CHUNK;
  split.n_chunks = (end + CHUNK - 1) / CHUNK - split.first;
  return split;
}

/* Room for as many sequences of full length as there are threads to share out; if they are shorter, for more. */
size_t
cpu_attention_partials (const struct wlp_model *model, const struct wlp_attention_params *params)
{
  const uint64_t n_each    = (uint64_t)params->n_head_kv * parts_of_item (params); /* items of a sequence */
  const uint64_t n_threads = cpu_n_threads (model);
  uint64_t n_sequences = 1, n_chunks = model->request.max_positions / CHUNK + 1;

  if (n_threads == 1 || n_each >= CPU_SPLIT * n_threads)
    return 0;
  if (n_threads / n_each > 1)
    n_sequences = n_threads / n_each;
  if (n_sequences > model->request.max_sequences)
    n_sequences = model->request.max_sequences;
  if (params->window != 0 && params->window / CHUNK + 2 < n_chunks)
    n_chunks = params->window / CHUNK + 2;
  return n_chunks > 1 ? n_sequences * n_each * n_chunks * partial_floats (params, 1) : 0;
}

/* Slices of about the same length for all tiles, as long as there is room for partial results; returns how many. */
static uint64_t
split_tiles (struct wlp_model *model, const struct cpu_node *node, uint64_t n_each)
{
  const struct cpu_queries *queries = &model->run.queries[node->domain];
  struct cpu_run *run               = &model->run;
  uint64_t n_chunks = 0, n_items = 0, each, i;
  size_t used = 0, n;
  uint32_t t;

  for (t = 0; t < queries->n_tiles; t++) {
    run->splits[t] = chunks_of_tile (model, node, &queries->tiles[t]);
    n_chunks += n_each * run->splits[t].n_chunks;
  }
  each = (n_chunks + SLICES * run->n_threads - 1) / (SLICES * run->n_threads);
  for (t = 0; t < queries->n_tiles; t++) {
    struct cpu_split *split = &run->splits[t];

    n = n_each * split->n_chunks * partial_floats (&node->op->p.attention, queries->tiles[t].n);
    if (split->n_chunks > each && n <= model->n_partials - used) {
      split->n_slices = (uint32_t)((split->n_chunks + each - 1) / each);
      split->partials = used;
      used += n;
    }
    for (i = 0; i < n_each; i++)
      run->n_open[t * n_each + i] = split->n_slices;
    n_items += n_each * split->n_slices;
  }
  run->slice_chunks = (uint32_t)each;
  return n_items;
}

uint64_t
cpu_attention_items (struct wlp_model *model, const struct cpu_step *step)
{
  const struct cpu_node *node               = cpu_plan_node (&model->plan, step, 0);
  const struct wlp_attention_params *params = &node->op->p.attention;
  const uint64_t n_each                     = (uint64_t)params->n_head_kv * parts_of_item (params);
  const uint64_t n_items                    = model->run.queries[node->domain].n_tiles * n_each;

  model->run.slice_chunks = 0;
  if (model->partials == NULL || model->run.n_threads == 1 || n_items >= (uint64_t)CPU_SPLIT * model->run.n_threads)
    return n_items;
  return split_tiles (model, node, n_each);
}

/* Item number @number of a tile: which heads. */
static void
choose_heads (struct item *item, uint32_t number)
{
  const struct wlp_attention_params *params = item->params;
  const uint32_t ratio = params->n_head / params->n_head_kv, each = heads_of_item (params);
  const uint32_t part = number % parts_of_item (params);

  item->head_kv    = number / parts_of_item (params);
  item->first_head = item->head_kv * ratio + part * each;
  item->n_heads    = ratio - part * each < each ? ratio - part * each : each;
}

/* Slice @slice of an item; returns whether it was the last one to be done, and so the item is complete. */
static bool
run_slice (struct item *item, const struct cpu_split *split, uint32_t slice, uint32_t *n_open)
{
  const uint32_t each  = item->model->run.slice_chunks;
  const uint32_t first = slice * each, left = split->n_chunks - first;
  uint32_t i;

  run_chunks (item, split->first + first, split->first + first + (left < each ? left : each));
  if (__atomic_sub_fetch (n_open, 1, __ATOMIC_ACQ_REL) > 0)
    return false;
  for (i = 0; i < split->n_chunks; i++) {
    point_at (item, i);
    merge_chunk (item);
  }
  return true;
}

/* Number @number of all slices of all items. */
static void
run_number (struct item *item, const struct cpu_node *node, uint64_t number)
{
  const struct wlp_model *model     = item->model;
  const struct cpu_queries *queries = &model->run.queries[node->domain];
  const uint32_t n_each             = item->params->n_head_kv * parts_of_item (item->params);
  const bool is_shared              = model->run.slice_chunks != 0;
  const struct cpu_split *split     = model->run.splits;
  uint32_t tile = 0, n_slices = 1, i;
  const uint32_t *rows;

  if (!is_shared)
    tile = (uint32_t)(number / n_each);
  else
    for (; number >= (uint64_t)n_each * split->n_slices; tile++, split++)
      number -= (uint64_t)n_each * split->n_slices;
  if (is_shared)
    n_slices = split->n_slices;
  i    = (uint32_t)(number / n_slices % n_each);
  rows = queries->order + queries->tiles[tile].first;
  choose_heads (item, i);
  prepare_item (item, node, &queries->tiles[tile], rows);
  begin_totals (item);
  item->partials = NULL;
  if (n_slices == 1) {
    run_chunks (item, item->from / CHUNK, (item->end + CHUNK - 1) / CHUNK);
  } else {
    item->partials =
        model->partials + split->partials + (size_t)i * split->n_chunks * partial_floats (item->params, item->n_tokens);
    if (!run_slice (item, split, (uint32_t)(number % n_slices), &model->run.n_open[tile * n_each + i]))
      return;
  }
  finish_item (item, node, rows);
}

void
cpu_step_attention (struct wlp_model *model, const struct cpu_step *step, unsigned thread)
{
  const struct cpu_node *node               = cpu_plan_node (&model->plan, step, 0);
  const struct wlp_attention_params *params = &node->op->p.attention;
  uint8_t *scratch                          = model->scratch + thread * model->scratch_bytes;
  struct item *item                         = (struct item *)(void *)scratch;
  struct cpu_range range;

  item->model  = model;
  item->params = params;
  item->sinks  = node->weights[0];
  item->scores = (float *)(void *)(scratch + align64 (sizeof *item));
  item->total  = item->scores + QUERIES * CHUNK;
  item->own    = item->total + QUERIES * (size_t)params->head_dim_v;
  while (cpu_pool_take (model->backend->pool, thread, &range))
    run_number (item, node, range.first);
}

/* Keys, or values, of one token into its block: heads @head .. @end - 1, which @x begins with. */
void
cpu_op_store (struct wlp_model *model, const struct cpu_node *node, uint32_t row, uint32_t head, uint32_t end,
              const float *x)
{
  const struct wlp_batch *batch             = model->run.batch;
  const struct wlp_attention_params *params = &node->op->p.attention;
  const uint32_t sequence                   = batch->sequence[row];
  const bool is_key                         = node->kind == CPU_NODE_STORE_KEYS;
  const struct cpu_cache_layout *layout;
  uint32_t position, layer = 0;
  uint8_t *block;

  if (params->group != WLP_NONE) {
    const struct wlp_sequence *seq = &batch->sequences[sequence];
    struct wlp_cache *cache        = seq->caches[params->group];

    position = (uint32_t)batch->positions[(size_t)row * batch->n_positions];
    layout   = &cache->layout;
    block    = cache->memory + (size_t)seq->blocks[params->group][position / BLOCK] * layout->block_bytes;
    layer    = params->group_layer;
  } else {
    const struct cpu_resource *resource = &model->plan.resources[node->writes[0]];

    position = model->run.ordinal[row];
    layout   = &resource->layout;
    block = resource->memory + (size_t)(model->run.scratch_of_seq[sequence] + position / BLOCK) * layout->block_bytes;
  }
  for (; head < end; head++, x += is_key ? params->head_dim_k : params->head_dim_v)
    (is_key ? cpu_cache_store_key : cpu_cache_store_value) (layout, block, layer, head, position % BLOCK, x);
}
