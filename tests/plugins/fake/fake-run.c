/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fake.h"

#include <errno.h>
#include <math.h>
#include <signal.h>
#include <string.h>
#include <time.h>

float *
fake_row (const struct wlp_model *model, wlp_value value, uint32_t token)
{
  return model->values[value] + (uint64_t)token * fake_width (model, value);
}

uint32_t
fake_width (const struct wlp_model *model, wlp_value value)
{
  return model->plan.program->values[value].width;
}

int
fake_submit (struct wlp_model *model, const struct wlp_batch *batch, struct wlp_error *error)
{
  int code;

  if (model->batch != NULL)
    return wlp_error_set (error, -EINVAL, "one batch at a time");
  code = fake_batch_check (model, batch, error);
  if (code == 0)
    model->batch = batch;
  return code;
}

/* ---- what may go wrong ---- */

static int
is_due (const struct wlp_model *model, int64_t after)
{
  return after >= 0 && model->n_tokens_done >= after;
}

static int
inject_faults (const struct wlp_model *model, struct wlp_error *error)
{
  const struct fake_faults *faults = &model->backend->faults;

  if (faults->slow_ms > 0) {
    const struct timespec wait = { faults->slow_ms / 1000, faults->slow_ms % 1000 * 1000000 };

    nanosleep (&wait, NULL);
  }
  if (is_due (model, faults->crash))
    raise (SIGSEGV);
  if (is_due (model, faults->lost))
    return wlp_error_set (error, -EIO, "the device is lost, as WOOLLY_FAKE asks for");
  return 0;
}

/* ---- a batch ---- */

static int
is_cancelled (const struct wlp_batch *batch)
{
  return batch->cancel != NULL && __atomic_load_n (batch->cancel, __ATOMIC_RELAXED) != 0;
}

static int
run_ops (struct wlp_model *model, struct wlp_error *error)
{
  const struct wlp_plan_request *plan = &model->plan;
  uint32_t layer                      = WLP_NONE;
  int code                            = 0;

  for (uint32_t i = plan->first_op; code == 0 && i < plan->end_op; i++) {
    const struct wlp_op *op = &plan->program->ops[i];

    if (op->layer != layer && is_cancelled (model->batch))
      return wlp_error_set (error, -ECANCELED, "cancelled before layer %u", op->layer);
    layer = op->layer;
    code  = fake_op_run (model, op, error);
  }
  return code;
}

/* Rows come in and go over at the borders of a cut program. */
static void
copy_rows_in (struct wlp_model *model)
{
  wlp_value value = model->plan.cut_in;

  if (value != WLP_NONE)
    memcpy (model->values[value], model->batch->embeddings,
            (uint64_t)model->batch->n_tokens * fake_width (model, value) * sizeof (float));
}

static void
copy_rows_out (struct wlp_model *model)
{
  wlp_value value = model->plan.cut_out;

  for (uint32_t i = 0; value != WLP_NONE && i < model->batch->n_rows; i++)
    memcpy (model->batch->output + (uint64_t)i * fake_width (model, value),
            fake_row (model, value, model->batch->rows[i]), fake_width (model, value) * sizeof (float));
}

int
fake_wait (struct wlp_model *model, struct wlp_error *error)
{
  const struct wlp_batch *batch = model->batch;
  int code;

  if (batch == NULL)
    return wlp_error_set (error, -EINVAL, "nothing was submitted");
  code = inject_faults (model, error);
  if (code == 0) {
    copy_rows_in (model);
    code = run_ops (model, error);
  }
  if (code == 0) {
    copy_rows_out (model);
    if (is_due (model, model->backend->faults.nan) && batch->n_rows > 0)
      batch->output[0] = NAN;
    model->n_tokens_done += batch->n_tokens;
  }
  model->batch = NULL;
  return code;
}
