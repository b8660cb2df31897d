/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Weights: used from the host's map, read from the file where there is no map, turned into float32 where they are
 * small.  cpu-panels.c packs the matrices.
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
  model->owned_bytes += source->n_bytes;
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

void
cpu_weights_close (struct wlp_model *model)
{
  uint32_t i;

  for (i = 0; model->weights != NULL && i < model->program->n_weights; i++) {
    struct cpu_weight *weight = &model->weights[i];

    model->services->free (model->services->host, weight->owned, weight->n_bytes);
    model->services->free (model->services->host, weight->floats, weight->n_floats * sizeof (float));
  }
  free (model->weights);
}
