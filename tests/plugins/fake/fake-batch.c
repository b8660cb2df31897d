/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The rules of backend.h for a batch, as far as they can be checked without computing.
 */
#include "fake.h"

#include <errno.h>

static int
check_size (const struct wlp_model *model, const struct wlp_batch *batch, struct wlp_error *error)
{
  const struct wlp_plan_request *plan = &model->plan;

  if (batch->version < 1)
    return wlp_error_set (error, -EINVAL, "a batch of version %u", batch->version);
  if (batch->n_tokens == 0 || batch->n_tokens > plan->max_tokens || batch->n_sequences == 0
      || batch->n_sequences > plan->max_sequences || batch->n_rows > plan->max_rows)
    return wlp_error_set (error, -EINVAL, "%u tokens of %u sequences with %u rows do not fit the plan", batch->n_tokens,
                          batch->n_sequences, batch->n_rows);
  if (batch->n_positions != plan->program->limits.n_positions)
    return wlp_error_set (error, -EINVAL, "%u positions for each token; the program has %u", batch->n_positions,
                          plan->program->limits.n_positions);
  if ((batch->tokens != NULL) == (batch->embeddings != NULL))
    return wlp_error_set (error, -EINVAL, "either tokens or rows come in");
  if (plan->cut_in != WLP_NONE && batch->embeddings == NULL)
    return wlp_error_set (error, -EINVAL, "the second part of a cut program takes rows");
  if (batch->positions == NULL || batch->sequence == NULL || batch->sequences == NULL
      || (batch->n_rows > 0 && (batch->rows == NULL || batch->output == NULL)))
    return wlp_error_set (error, -EINVAL, "an array is missing");
  return 0;
}

static int
check_rows (const struct wlp_batch *batch, struct wlp_error *error)
{
  for (uint32_t i = 0; i < batch->n_rows; i++)
    if (batch->rows[i] >= batch->n_tokens || (i > 0 && batch->rows[i] <= batch->rows[i - 1]))
      return wlp_error_set (error, -EINVAL, "wanted row %u does not rise, or is no token of the batch", i);
  return 0;
}

static int
check_sequence (const struct wlp_model *model, const struct wlp_sequence *sequence, struct wlp_error *error)
{
  if (sequence->adapters.count != 0)
    return wlp_error_set (error, -EINVAL, "version 1 loads no adapters, so a sequence has none");
  for (uint32_t g = 0; g < model->plan.program->n_groups; g++) {
    const struct wlp_cache *cache = sequence->caches[g];

    if (cache == NULL || cache->model != model || cache->group != g)
      return wlp_error_set (error, -EINVAL, "a sequence has no cache of group %u of this model", g);
    for (uint32_t i = 0; i < sequence->n_blocks[g]; i++)
      if (sequence->blocks[g][i] >= cache->n_blocks)
        return wlp_error_set (error, -EINVAL, "block %u lies outside the cache", sequence->blocks[g][i]);
  }
  return 0;
}

/* A block that is written in this batch belongs to one sequence alone. */
static int
check_alone (const struct wlp_model *model, const struct wlp_batch *batch, uint32_t token, struct wlp_error *error)
{
  uint32_t owner = batch->sequence[token];
  uint32_t index = (uint32_t)batch->positions[(uint64_t)token * batch->n_positions] / WLP_BLOCK_POSITIONS;

  for (uint32_t g = 0; g < model->plan.program->n_groups; g++) {
    const struct wlp_sequence *own = &batch->sequences[owner];

    if (index >= own->n_blocks[g])
      return wlp_error_set (error, -EINVAL, "token %u has no block in group %u", token, g);
    for (uint32_t s = 0; s < batch->n_sequences; s++) {
      const struct wlp_sequence *other = &batch->sequences[s];

      if (s != owner && other->caches[g] == own->caches[g] && index < other->n_blocks[g]
          && other->blocks[g][index] == own->blocks[g][index])
        return wlp_error_set (error, -EINVAL, "token %u writes into a block that sequence %u reads", token, s);
    }
  }
  return 0;
}

static int
check_token (const struct wlp_model *model, const struct wlp_batch *batch, uint32_t token, struct wlp_error *error)
{
  int32_t position = batch->positions[(uint64_t)token * batch->n_positions];

  if (batch->sequence[token] >= batch->n_sequences)
    return wlp_error_set (error, -EINVAL, "token %u is of no sequence", token);
  if (batch->tokens != NULL
      && (batch->tokens[token] < 0 || (uint32_t)batch->tokens[token] >= model->plan.program->limits.n_vocab))
    return wlp_error_set (error, -EINVAL, "token id %d is outside the vocabulary", batch->tokens[token]);
  if (position < 0 || (uint32_t)position >= model->plan.max_positions)
    return wlp_error_set (error, -EINVAL, "token %u stands at position %d", token, position);
  for (uint32_t i = token; i-- > 0;) {
    if (batch->sequence[i] != batch->sequence[token])
      continue;
    if (batch->positions[(uint64_t)i * batch->n_positions] >= position)
      return wlp_error_set (error, -EINVAL, "positions of sequence %u do not rise", batch->sequence[token]);
    break;
  }
  return check_alone (model, batch, token, error);
}

int
fake_batch_check (const struct wlp_model *model, const struct wlp_batch *batch, struct wlp_error *error)
{
  int code = check_size (model, batch, error);

  if (code == 0)
    code = check_rows (batch, error);
  for (uint32_t i = 0; code == 0 && i < batch->n_sequences; i++)
    code = check_sequence (model, &batch->sequences[i], error);
  for (uint32_t i = 0; code == 0 && i < batch->n_tokens; i++)
    code = check_token (model, batch, i, error);
  return code;
}
