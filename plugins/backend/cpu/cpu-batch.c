/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A batch is checked whole before anything runs, then brought into the order in which attention takes it.
 */
#include "cpu-ops.h"

#include <errno.h>
#include <string.h>

static int
check_counts (const struct wlp_model *model, const struct wlp_batch *batch, struct wlp_error *error)
{
  const struct wlp_plan_request *request = &model->request;
  const uint32_t n_positions = model->program->limits.n_positions > 0 ? model->program->limits.n_positions : 1;

  if (batch->n_tokens == 0 || batch->n_tokens > request->max_tokens)
    return wlp_error_set (error, -EINVAL, "a batch of %u tokens: 1 to %u are planned", batch->n_tokens,
                          request->max_tokens);
  if (batch->n_rows > request->max_rows || (batch->n_rows > 0 && batch->rows == NULL))
    return wlp_error_set (error, -EINVAL, "%u wanted rows: at most %u are planned", batch->n_rows, request->max_rows);
  if (batch->n_sequences == 0 || batch->n_sequences > request->max_sequences)
    return wlp_error_set (error, -EINVAL, "a batch of %u sequences: 1 to %u are planned", batch->n_sequences,
                          request->max_sequences);
  if (batch->n_positions != n_positions || batch->positions == NULL || batch->sequence == NULL
      || batch->sequences == NULL)
    return wlp_error_set (error, -EINVAL, "%u positions for each token: the program has %u", batch->n_positions,
                          n_positions);
  if (request->cut_in != WLP_NONE ? batch->embeddings == NULL : (batch->tokens == NULL) == (batch->embeddings == NULL))
    return wlp_error_set (error, -EINVAL, "either tokens or embeddings must come in");
  if (batch->output == NULL && (batch->n_rows > 0 || (request->cut_out == WLP_NONE && model->plan.output == WLP_NONE)))
    return wlp_error_set (error, -EINVAL, "there is no room for the output");
  return 0;
}

/* How many rows the matrix of weight @index of the EMBED operator has; UINT64_MAX: there is none. */
static uint64_t
embed_rows (const struct wlp_model *model, unsigned index)
{
  uint64_t least = UINT64_MAX;
  uint32_t i;

  for (i = model->request.first_op; i < model->request.end_op; i++) {
    const struct wlp_op *op = &model->program->ops[i];

    if (op->kind == WLP_OP_EMBED && op->weight[index] != WLP_NONE
        && model->request.sources[op->weight[index]].shape.ne[1] < least)
      least = model->request.sources[op->weight[index]].shape.ne[1];
  }
  return least;
}

static int
check_tokens (const struct wlp_model *model, const struct wlp_batch *batch, struct wlp_error *error)
{
  const uint64_t n_vocab = embed_rows (model, 0), n_learned = embed_rows (model, 1);
  uint32_t i;

  for (i = 0; i < batch->n_tokens; i++) {
    const int32_t position = batch->positions[(size_t)i * batch->n_positions];

    if (batch->tokens != NULL && (batch->tokens[i] < 0 || (uint64_t)batch->tokens[i] >= n_vocab))
      return wlp_error_set (error, -EINVAL, "token %u of the batch is %d: the vocabulary has %llu", i, batch->tokens[i],
                            (unsigned long long)n_vocab);
    if (position < 0 || (uint32_t)position >= model->request.max_positions || (uint64_t)position >= n_learned)
      return wlp_error_set (error, -EINVAL, "token %u of the batch has position %d: %u are planned", i, position,
                            model->request.max_positions);
    if (batch->sequence[i] >= batch->n_sequences)
      return wlp_error_set (error, -EINVAL, "token %u of the batch belongs to sequence %u of %u", i, batch->sequence[i],
                            batch->n_sequences);
  }
  for (i = 0; i < batch->n_rows; i++)
    if (batch->rows[i] >= batch->n_tokens || (i > 0 && batch->rows[i] <= batch->rows[i - 1]))
      return wlp_error_set (error, -EINVAL, "wanted row %u is token %u: rows rise below %u", i, batch->rows[i],
                            batch->n_tokens);
  return 0;
}

/* The blocks of one group that positions @from .. @last lie in. */
static int
check_blocks (const struct wlp_model *model, const struct wlp_sequence *sequence, uint32_t group, uint32_t from,
              uint32_t last, struct wlp_error *error)
{
  const struct wlp_cache *cache = sequence->caches[group];
  uint32_t i;

  if (cache == NULL || cache->model != model || cache->group != group || sequence->blocks[group] == NULL)
    return wlp_error_set (error, -EINVAL, "a sequence has no cache of group %u", group);
  if (last / WLP_BLOCK_POSITIONS >= sequence->n_blocks[group])
    return wlp_error_set (error, -EINVAL, "position %u has no block: the table of group %u has %u", last, group,
                          sequence->n_blocks[group]);
  for (i = from / WLP_BLOCK_POSITIONS; i <= last / WLP_BLOCK_POSITIONS; i++)
    if (sequence->blocks[group][i] >= cache->n_blocks)
      return wlp_error_set (error, -EINVAL, "block %u of group %u is %u: the cache has %u", i, group,
                            sequence->blocks[group][i], cache->n_blocks);
  return 0;
}

/* First and last position of each sequence; positions of a sequence must rise. */
static int
check_order (struct wlp_model *model, const struct wlp_batch *batch, struct wlp_error *error)
{
  struct cpu_run *run = &model->run;
  uint32_t i;

  memset (run->n_of_seq, 0, batch->n_sequences * sizeof run->n_of_seq[0]);
  for (i = 0; i < batch->n_tokens; i++) {
    const uint32_t sequence = batch->sequence[i];
    const uint32_t position = (uint32_t)batch->positions[(size_t)i * batch->n_positions];

    if (run->n_of_seq[sequence] == 0)
      run->first_of_seq[sequence] = position;
    else if (position <= run->last_of_seq[sequence])
      return wlp_error_set (error, -EINVAL, "token %u of the batch is at position %u, behind %u of its sequence", i,
                            position, run->last_of_seq[sequence]);
    run->last_of_seq[sequence] = position;
    run->ordinal[i]            = run->n_of_seq[sequence]++;
  }
  return 0;
}

static int
check_caches (struct wlp_model *model, const struct wlp_batch *batch, struct wlp_error *error)
{
  const struct wlp_program *program = model->program;
  uint32_t sequence, group;
  int status;

  for (sequence = 0; sequence < batch->n_sequences; sequence++) {
    const uint32_t first = model->run.first_of_seq[sequence], last = model->run.last_of_seq[sequence];

    if (model->run.n_of_seq[sequence] == 0)
      return wlp_error_set (error, -EINVAL, "sequence %u has no token in the batch", sequence);
    for (group = 0; group < program->n_groups && group < WLP_MAX_GROUPS; group++) {
      const struct wlp_cache_group *info = &program->groups[group];
      uint32_t from                      = 0;

      if (!model->uses_group[group])
        continue;
      if (info->kind == WLP_CACHE_STATE && last - first + 1 != model->run.n_of_seq[sequence])
        return wlp_error_set (error, -EINVAL, "the positions of sequence %u leave a gap, which its state cannot",
                              sequence);
      if (info->kind == WLP_CACHE_WINDOW)
        from = first + 1 > info->window ? first + 1 - info->window : 0;
      status = check_blocks (model, &batch->sequences[sequence], group, from, last, error);
      if (status != 0)
        return status;
    }
  }
  return 0;
}

int
cpu_batch_check (struct wlp_model *model, const struct wlp_batch *batch, struct wlp_error *error)
{
  int status = check_counts (model, batch, error);

  if (status == 0)
    status = check_tokens (model, batch, error);
  if (status == 0)
    status = check_order (model, batch, error);
  return status == 0 ? check_caches (model, batch, error) : status;
}

/* Counting sort by sequence, then tiles of queries. */
static void
order_queries (struct wlp_model *model, enum cpu_domain domain)
{
  struct cpu_run *run         = &model->run;
  struct cpu_queries *queries = &run->queries[domain];
  const uint32_t n_rows       = cpu_run_rows (model, domain);
  const uint32_t n_sequences  = run->batch->n_sequences;
  uint32_t i, sequence, at = 0;

  memset (run->cursor, 0, n_sequences * sizeof run->cursor[0]);
  for (i = 0; i < n_rows; i++)
    run->cursor[run->batch->sequence[cpu_run_token (model, domain, i)]]++;
  queries->n_tiles = 0;
  for (sequence = 0; sequence < n_sequences; sequence++) {
    uint32_t left = run->cursor[sequence];

    run->cursor[sequence] = at;
    while (left > 0) {
      const uint32_t n = left < model->tile_tokens ? left : model->tile_tokens;

      queries->tiles[queries->n_tiles++] = (struct cpu_tile){ sequence, at, n };
      at += n;
      left -= n;
    }
  }
  for (i = 0; i < n_rows; i++)
    queries->order[run->cursor[run->batch->sequence[cpu_run_token (model, domain, i)]]++] = i;
}

static void
mark_blocks (struct wlp_model *model, const struct wlp_batch *batch)
{
  uint32_t i, group;

  for (i = 0; i < batch->n_tokens; i++) {
    const struct wlp_sequence *sequence = &batch->sequences[batch->sequence[i]];
    const uint32_t position             = (uint32_t)batch->positions[(size_t)i * batch->n_positions];

    for (group = 0; group < WLP_MAX_GROUPS; group++)
      if (model->uses_group[group])
        sequence->caches[group]->touched[sequence->blocks[group][position / WLP_BLOCK_POSITIONS]] = 1;
  }
}

/* The batch has been checked. */
void
cpu_batch_prepare (struct wlp_model *model, const struct wlp_batch *batch)
{
  struct cpu_run *run = &model->run;
  uint32_t i, block = 0;

  run->batch = batch;
  run->stop  = 0;
  for (i = 0; i < batch->n_sequences; i++) {
    run->scratch_of_seq[i] = block;
    block += (run->n_of_seq[i] + WLP_BLOCK_POSITIONS - 1) / WLP_BLOCK_POSITIONS;
  }
  order_queries (model, CPU_DOMAIN_TOKENS);
  order_queries (model, CPU_DOMAIN_ROWS);
  mark_blocks (model, batch);
  for (i = 0; i < model->plan.n_resources; i++)
    if (model->plan.resources[i].used && model->plan.resources[model->plan.resources[i].alias].is_output)
      model->plan.resources[i].memory = (uint8_t *)batch->output;
}
