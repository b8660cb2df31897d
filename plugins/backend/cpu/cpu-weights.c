/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Weights: used from the host's map, read from the file where there is no map, turned into float32 where they are
 * small, packed into panels where memory allows.
 */
#include "cpu-model.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define READ_BYTES (1u << 20) /* between two calls of progress() */

static bool
is_cancelled (const struct wlp_model *model, uint64_t done, uint64_t total)
{
  return model->request.progress != NULL && model->request.progress (model->request.user, done, total) != 0;
}

/* The whole weight from the file into memory of our own. */
static int
read_weight (struct wlp_model *model, uint32_t i, uint64_t *done, uint64_t total, struct wlp_error *error)
{
  const struct wlp_weight_source *source = &model->request.sources[i];
  const char *name                       = model->program->weights[i].name;
  struct cpu_weight *weight              = &model->weights[i];
  uint64_t at;
  ssize_t n;

  weight->owned = model->services->alloc (model->services->host, source->n_bytes, 64);
  if (weight->owned == NULL)
    return wlp_error_set (error, -ENOMEM, "no memory for %s", name);
  model->packed_bytes += source->n_bytes;
  for (at = 0; at < source->n_bytes; at += (uint64_t)n) {
    const uint64_t left = source->n_bytes - at;

    if (is_cancelled (model, *done, total))
      return wlp_error_set (error, -ECANCELED, "loading was stopped");
    n = pread (source->fd, (uint8_t *)weight->owned + at, left < READ_BYTES ? left : READ_BYTES,
               (off_t)(source->offset + at));
    if (n < 0 && errno == EINTR)
      n = 0;
    else if (n <= 0)
      return wlp_error_set (error, -EIO, "cannot read %s: %s", name, n < 0 ? strerror (errno) : "the file is shorter");
    *done += (uint64_t)n;
  }
  weight->data = weight->owned;
  return 0;
}

static bool
is_used (const struct wlp_model *model, uint32_t weight)
{
  uint32_t i, j;

  for (i = model->request.first_op; i < model->request.end_op; i++)
    for (j = 0; j < WLP_MAX_WEIGHTS; j++)
      if (model->program->ops[i].weight[j] == weight)
        return true;
  return false;
}

int
cpu_weights_open (struct wlp_model *model, struct wlp_error *error)
{
  uint64_t total = 0, done = 0;
  uint32_t i;
  int status;

  model->weights = calloc (model->program->n_weights + 1, sizeof model->weights[0]);
  if (model->weights == NULL)
    return wlp_error_set (error, -ENOMEM, "no memory for %u weights", model->program->n_weights);
  for (i = 0; i < model->program->n_weights; i++)
    if (model->request.sources[i].map == NULL && is_used (model, i))
      total += model->request.sources[i].n_bytes;
  for (i = 0; i < model->program->n_weights; i++) {
    const struct wlp_weight_source *source = &model->request.sources[i];
    struct cpu_weight *weight              = &model->weights[i];

    if (!is_used (model, i))
      continue;
    status = wlq_row_bytes (source->shape.type, source->shape.ne[0], &weight->row_bytes);
    if (status != 0)
      return wlp_error_set (error, status, "%s: rows of %llu values of type %s are no whole blocks",
                            model->program->weights[i].name, (unsigned long long)source->shape.ne[0],
                            wlq_type_name (source->shape.type));
    weight->n_bytes = source->n_bytes;
    weight->data    = source->map;
    if (source->map != NULL)
      model->mapped_bytes += source->n_bytes;
    else if ((status = read_weight (model, i, &done, total, error)) != 0)
      return status;
  }
  return 0;
}

const float *
cpu_weights_floats (struct wlp_model *model, wlp_weight index)
{
  const struct wlp_shape *shape = &model->request.sources[index].shape;
  struct cpu_weight *weight     = &model->weights[index];
  const uint64_t n_rows         = weight->n_bytes / weight->row_bytes;
  uint64_t row;

  if (weight->floats != NULL)
    return weight->floats;
  if (n_rows > SIZE_MAX / 8 / shape->ne[0])
    return NULL;
  weight->n_floats = n_rows * shape->ne[0];
  weight->floats   = model->services->alloc (model->services->host, weight->n_floats * sizeof (float), 64);
  if (weight->floats == NULL)
    return NULL;
  model->constant_bytes += weight->n_floats * sizeof (float);
  for (row = 0; row < n_rows; row++)
    wlq_dequantize_row (shape->type, weight->data + row * weight->row_bytes, shape->ne[0],
                        weight->floats + row * shape->ne[0]);
  return weight->floats;
}

static uint64_t
packed_bytes_of (const struct cpu_matrix *matrix)
{
  return matrix->n_experts * matrix->n_panels * matrix->panel_bytes;
}

struct pack_job {
  struct wlp_model *model;
  struct cpu_matrix *matrix;
};

static void
pack_thread (void *data, unsigned thread)
{
  const struct pack_job *job   = data;
  struct cpu_matrix *matrix    = job->matrix;
  const unsigned rows          = job->model->linear->rows;
  const struct cpu_range range = cpu_share (matrix->n_experts * matrix->n_panels, thread, cpu_n_threads (job->model));
  uint64_t i;

  for (i = range.first; i < range.end; i++) {
    const uint64_t expert = i / matrix->n_panels, first = i % matrix->n_panels * rows;
    const uint64_t left = matrix->n_rows - first;

    matrix->format->pack (matrix->type, matrix->data + expert * matrix->expert_bytes + first * matrix->row_bytes,
                          matrix->row_bytes, left < rows ? (unsigned)left : rows, matrix->k,
                          matrix->packed + i * matrix->panel_bytes);
  }
}

/* Whether all panels together are worth their memory on this machine. */
static bool
should_pack (const struct wlp_model *model, uint64_t n_bytes)
{
  const uint64_t n_pages = (uint64_t)sysconf (_SC_PHYS_PAGES), page = (uint64_t)sysconf (_SC_PAGESIZE);

  return model->pack == CPU_PACK_YES || (model->pack == CPU_PACK_AUTO && n_bytes <= n_pages * page / CPU_PACK_SHARE);
}

/* Packs what there is memory for; the rest runs from the map.  Only a stop is an error. */
int
cpu_weights_pack (struct wlp_model *model, struct wlp_error *error)
{
  struct cpu_plan *plan = &model->plan;
  uint64_t total = 0, done = 0;
  uint32_t i;

  for (i = 0; i < plan->n_matrices; i++)
    total += packed_bytes_of (&plan->matrices[i]);
  if (!should_pack (model, total))
    return is_cancelled (model, 1, 1) ? wlp_error_set (error, -ECANCELED, "loading was stopped") : 0;
  for (i = 0; i < plan->n_matrices; i++) {
    struct cpu_matrix *matrix = &plan->matrices[i];
    struct pack_job job       = { model, matrix };
    const uint64_t n          = packed_bytes_of (matrix);

    if (is_cancelled (model, done, total))
      return wlp_error_set (error, -ECANCELED, "loading was stopped");
    matrix->packed = model->services->alloc (model->services->host, n, 64);
    if (matrix->packed == NULL)
      break;
    model->packed_bytes += n;
    cpu_pool_run (model->backend->pool, pack_thread, &job);
    done += n;
  }
  return is_cancelled (model, total, total) ? wlp_error_set (error, -ECANCELED, "loading was stopped") : 0;
}

uint64_t
cpu_weights_release (struct wlp_model *model, uint64_t n_bytes)
{
  uint64_t released = 0;
  uint32_t i;

  for (i = 0; i < model->plan.n_matrices && released < n_bytes; i++) {
    struct cpu_matrix *matrix = &model->plan.matrices[i];

    if (matrix->packed == NULL)
      continue;
    model->services->free (model->services->host, matrix->packed, packed_bytes_of (matrix));
    matrix->packed = NULL;
    released += packed_bytes_of (matrix);
  }
  model->packed_bytes -= released;
  return released;
}

void
cpu_weights_close (struct wlp_model *model)
{
  uint32_t i;

  cpu_weights_release (model, UINT64_MAX);
  for (i = 0; model->weights != NULL && i < model->program->n_weights; i++) {
    struct cpu_weight *weight = &model->weights[i];

    model->services->free (model->services->host, weight->owned, weight->n_bytes);
    model->services->free (model->services->host, weight->floats, weight->n_floats * sizeof (float));
  }
  free (model->weights);
}
