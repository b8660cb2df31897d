/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The running of a batch: all threads walk through the steps, and meet behind each.  Small steps are done by the last
 * thread to come to such a meeting, and so cost none.
 */
#include "cpu-ops.h"

#include <errno.h>
#include <stdlib.h>

#define SERIAL_BYTES 16384u /* row steps that write less are not worth a meeting of all threads */
#define ROWS_CHUNK   4u
#define FEW_TOKENS   4u /* some fast cores do the products of these while they wait for the weights */

static void
rows_of_step (struct wlp_model *model, const struct cpu_step *step, uint64_t first, uint64_t end)
{
  uint32_t i;

  for (; first < end; first++)
    for (i = 0; i < step->n_nodes; i++)
      cpu_row_node (model, cpu_plan_node (&model->plan, step, i), (uint32_t)first);
}

static void
step_rows (struct wlp_model *model, const struct cpu_step *step, unsigned thread)
{
  struct cpu_range range;

  while (cpu_pool_take (model->backend->pool, thread, &range))
    rows_of_step (model, step, range.first, range.end);
}

static void
run_step (struct wlp_model *model, const struct cpu_step *step, unsigned thread)
{
  switch (step->kind) {
  case CPU_STEP_ROWS:
    step_rows (model, step, thread);
    break;
  case CPU_STEP_LINEAR:
    cpu_step_linear (model, step, thread);
    break;
  case CPU_STEP_GLU:
    cpu_step_glu (model, step, thread);
    break;
  case CPU_STEP_GROUP:
    cpu_step_group (model, step);
    break;
  case CPU_STEP_EXPERTS:
    cpu_step_experts (model, step, thread);
    break;
  case CPU_STEP_ATTENTION:
    cpu_step_attention (model, step, thread);
    break;
  case CPU_STEP_POOL:
    cpu_step_pool (model, step, thread);
    break;
  case CPU_STEP_STATE:
    cpu_step_state (model, step, thread);
    break;
  }
}

/* Before a step, while nobody computes. */
static void
deal_step (struct wlp_model *model, const struct cpu_step *step)
{
  uint64_t n_items = 0, chunk = 1;

  switch (step->kind) {
  case CPU_STEP_ROWS:
    n_items = cpu_run_rows (model, step->domain);
    chunk   = ROWS_CHUNK;
    break;
  case CPU_STEP_LINEAR:
    n_items = cpu_linear_items (model, step);
    break;
  case CPU_STEP_GLU:
    n_items = cpu_glu_items (model, step, &chunk);
    break;
  case CPU_STEP_EXPERTS:
    n_items = cpu_experts_items (model, step, &chunk);
    break;
  case CPU_STEP_ATTENTION:
    n_items = cpu_attention_items (model, step);
    break;
  default: /* they share by themselves */
    return;
  }
  cpu_pool_deal (model->backend->pool, n_items, chunk);
}

/* Whether one thread does the step while the others wait for it anyway. */
static bool
is_serial (const struct wlp_model *model, const struct cpu_step *step)
{
  const uint32_t n_rows = cpu_run_rows (model, step->domain);
  uint64_t n_bytes      = 0;
  uint32_t i;

  if (step->kind != CPU_STEP_ROWS)
    return step->kind == CPU_STEP_GROUP;
  for (i = 0; i < step->n_nodes; i++) {
    const struct cpu_node *node = cpu_plan_node (&model->plan, step, i);

    n_bytes += node->writes[0] != WLP_NONE ? model->plan.resources[node->writes[0]].row_bytes : 0;
  }
  return n_rows <= 1 || n_rows * n_bytes <= SERIAL_BYTES;
}

/* Behind a step. */
static void
finish_step (struct wlp_model *model, const struct cpu_step *step)
{
  const uint64_t now = cpu_now_ns ();
  uint32_t i;

  for (i = 0; i < step->n_nodes; i++) {
    const struct cpu_node *node = cpu_plan_node (&model->plan, step, i);

    if (node->kind == CPU_NODE_LINEAR || node->kind == CPU_NODE_EXPERTS)
      cpu_panels_settle (model, &model->plan.matrices[node->matrix]);
  }
  if (cpu_panels_grew (model))
    cpu_profile_mark (model, "pack", model->run.clock_ns, now);
  cpu_profile_add (model, step, model->run.clock_ns, now);
  model->run.clock_ns = now;
}

/* Between layers is where a batch can be stopped. */
static bool
is_stopped (struct wlp_model *model, uint32_t step)
{
  const struct cpu_plan *plan = &model->plan;

  if (model->run.batch->cancel != NULL && (step == 0 || plan->steps[step].layer != plan->steps[step - 1].layer)
      && __atomic_load_n (model->run.batch->cancel, __ATOMIC_RELAXED) != 0)
    model->run.stop = 1;
  return model->run.stop != 0;
}

/* Does what needs no second thread from step run.step on, and deals out the first step that does. */
static void
go_on (struct wlp_model *model)
{
  const struct cpu_plan *plan = &model->plan;
  struct cpu_run *run         = &model->run;

  for (; run->step < plan->n_steps && !is_stopped (model, run->step); run->step++) {
    const struct cpu_step *step = &plan->steps[run->step];

    if (!is_serial (model, step)) {
      deal_step (model, step);
      return;
    }
    if (step->kind == CPU_STEP_ROWS)
      rows_of_step (model, step, 0, cpu_run_rows (model, step->domain));
    else
      cpu_step_group (model, step);
    finish_step (model, step);
  }
}

/* The last thread to come from a step. */
static void
advance (void *data, unsigned thread)
{
  struct wlp_model *model = data;

  (void)thread;
  model->run.n_meetings++;
  finish_step (model, &model->plan.steps[model->run.step]);
  model->run.step++;
  go_on (model);
}

static void
run_thread (void *data, unsigned thread)
{
  struct wlp_model *model = data;

  while (model->run.step < model->plan.n_steps && !model->run.stop) {
    run_step (model, &model->plan.steps[model->run.step], thread);
    cpu_pool_meet (model->backend->pool, advance, model, thread);
  }
}

int
cpu_run_batch (struct wlp_model *model, struct wlp_error *error)
{
  cpu_panels_begin (model);
  model->run.n_threads = cpu_pool_enter (model->backend->pool, model->run.batch->n_tokens <= FEW_TOKENS);
  model->run.clock_ns  = cpu_now_ns ();
  model->run.step      = 0;
  go_on (model);
  if (model->run.step < model->plan.n_steps && !model->run.stop)
    cpu_pool_run (model->backend->pool, run_thread, model);
  cpu_pool_leave (model->backend->pool);
  return model->run.stop ? wlp_error_set (error, -ECANCELED, "the batch was stopped between layers") : 0;
}

static size_t
align_page (size_t n)
{
  return (n + 4095) / 4096 * 4096;
}

static size_t
scratch_bytes_of (struct wlp_model *model)
{
  size_t most = cpu_linear_scratch_bytes (model), n;
  uint32_t i;

  model->tile_tokens = 32;
  for (i = 0; i < model->plan.n_nodes; i++) {
    const struct cpu_node *node = &model->plan.nodes[i];

    n = 0;
    if (node->kind == CPU_NODE_ATTENTION) {
      n = cpu_attention_scratch_bytes (&node->op->p.attention);
      if (cpu_attention_tile_tokens (&node->op->p.attention) < model->tile_tokens)
        model->tile_tokens = cpu_attention_tile_tokens (&node->op->p.attention);
    } else if (node->kind == CPU_NODE_POOL) {
      n = (size_t)model->program->values[node->op->in[0]].width * sizeof (float);
    }
    most = n > most ? n : most;
  }
  return align_page (most);
}

/* For attention that is split by positions. */
static int
partials_init (struct wlp_model *model, struct wlp_error *error)
{
  const size_t n_items = (size_t)CPU_SPLIT * cpu_n_threads (model);
  uint32_t i;

  for (i = 0; i < model->plan.n_nodes; i++) {
    const struct cpu_node *node = &model->plan.nodes[i];
    const size_t n = node->kind == CPU_NODE_ATTENTION ? cpu_attention_partials (model, &node->op->p.attention) : 0;

    model->n_partials = n > model->n_partials ? n : model->n_partials;
  }
  if (model->n_partials == 0)
    return 0;
  model->run.splits = calloc (n_items, sizeof model->run.splits[0]);
  model->run.n_open = calloc (n_items, sizeof model->run.n_open[0]);
  model->partials   = model->services->alloc (model->services->host, model->n_partials * sizeof (float), 4096);
  if (model->run.splits == NULL || model->run.n_open == NULL || model->partials == NULL)
    return wlp_error_set (error, -ENOMEM, "no memory for %llu bytes of partial results of attention",
                          (unsigned long long)(model->n_partials * sizeof (float)));
  return 0;
}

/* All that a batch needs is there before the first one comes. */
int
cpu_run_init (struct wlp_model *model, struct wlp_error *error)
{
  const uint64_t n_tokens = model->request.max_tokens, n_sequences = model->request.max_sequences;
  struct cpu_run *run    = &model->run;
  const unsigned threads = cpu_n_threads (model);
  unsigned d;

  model->scratch_bytes = scratch_bytes_of (model);
  model->scratch       = model->services->alloc (model->services->host, model->scratch_bytes * threads, 4096);
  run->ordinal         = calloc (n_tokens, sizeof run->ordinal[0]);
  run->n_of_seq        = calloc (n_sequences, sizeof run->n_of_seq[0]);
  run->first_of_seq    = calloc (n_sequences, sizeof run->first_of_seq[0]);
  run->last_of_seq     = calloc (n_sequences, sizeof run->last_of_seq[0]);
  run->scratch_of_seq  = calloc (n_sequences, sizeof run->scratch_of_seq[0]);
  run->cursor          = calloc (n_sequences, sizeof run->cursor[0]);
  for (d = CPU_DOMAIN_ROWS; d <= CPU_DOMAIN_TOKENS; d++) {
    run->queries[d].order = calloc (n_tokens, sizeof run->queries[d].order[0]);
    run->queries[d].tiles = calloc (n_tokens, sizeof run->queries[d].tiles[0]);
    if (run->queries[d].order == NULL || run->queries[d].tiles == NULL)
      return wlp_error_set (error, -ENOMEM, "no memory for batches of %llu tokens", (unsigned long long)n_tokens);
  }
  model->state_bytes = n_tokens * (3 * sizeof (uint32_t) + 2 * sizeof (struct cpu_tile)) + n_sequences * 5 * 4;
  if (model->scratch == NULL || run->ordinal == NULL || run->n_of_seq == NULL || run->first_of_seq == NULL
      || run->last_of_seq == NULL || run->scratch_of_seq == NULL || run->cursor == NULL)
    return wlp_error_set (error, -ENOMEM, "no memory for batches of %llu tokens", (unsigned long long)n_tokens);
  return partials_init (model, error);
}

void
cpu_run_finish (struct wlp_model *model)
{
  struct cpu_run *run = &model->run;
  unsigned d;

  if (model->scratch != NULL)
    model->services->free (model->services->host, model->scratch, model->scratch_bytes * cpu_n_threads (model));
  if (model->partials != NULL)
    model->services->free (model->services->host, model->partials, model->n_partials * sizeof (float));
  free (run->splits);
  free (run->n_open);
  free (run->ordinal);
  free (run->n_of_seq);
  free (run->first_of_seq);
  free (run->last_of_seq);
  free (run->scratch_of_seq);
  free (run->cursor);
  for (d = CPU_DOMAIN_ROWS; d <= CPU_DOMAIN_TOKENS; d++) {
    free (run->queries[d].order);
    free (run->queries[d].tiles);
  }
}
