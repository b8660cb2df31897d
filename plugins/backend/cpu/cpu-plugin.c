/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The CPU backend: the table that the host sees.
 */
#include "cpu-model.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#ifdef __linux__
#include <sys/sysinfo.h>
#endif
#if defined(__x86_64__)
#include <cpuid.h>
#endif

#define SCORE 100 /* above nothing, below any device made for this work */

WLP_PLUGIN_NOTE (WLP_KIND_BACKEND, "cpu");

static int
cpu_open (const struct wlp_services *services, struct wlp_backend **ret_backend, struct wlp_error *error)
{
  struct wlp_backend *backend;

  if (services->version < 1)
    return wlp_error_set (error, -EINVAL, "the host's services have version %u", services->version);
  backend = calloc (1, sizeof *backend);
  if (backend == NULL)
    return wlp_error_set (error, -ENOMEM, "no memory for the backend");
  backend->services = services;
  *ret_backend      = backend;
  return 0;
}

static void
cpu_close (struct wlp_backend *backend)
{
  if (backend == NULL)
    return;
  cpu_pool_free (backend->pool);
  free (backend);
}

/* What the processor calls itself. */
static void
describe_cpu (char *text, size_t size)
{
#if defined(__x86_64__)
  unsigned brand[13] = { 0 }, i, most;
  const char *start  = (const char *)brand;

  most = __get_cpuid_max (0x80000000u, NULL);
  for (i = 0; most >= 0x80000004u && i < 3; i++)
    __get_cpuid (0x80000002u + i, &brand[4 * i], &brand[4 * i + 1], &brand[4 * i + 2], &brand[4 * i + 3]);
  while (*start == ' ')
    start++;
  snprintf (text, size, "%s", *start != '\0' ? start : "x86-64 processor");
#elif defined(__aarch64__)
  snprintf (text, size, "64-bit ARM processor");
#else
  snprintf (text, size, "processor");
#endif
}

static int
cpu_device (struct wlp_backend *backend, uint32_t index, struct wlp_device *ret_device)
{
  const struct linear_isa *isa = linear_isa_choose (backend->services->cpu_features, NULL);

  if (index > 0)
    return -ENOENT;
  snprintf (ret_device->id, sizeof ret_device->id, "cpu");
  describe_cpu (ret_device->description, sizeof ret_device->description);
  snprintf (ret_device->features, sizeof ret_device->features, "%s", isa->name);
  ret_device->score        = SCORE;
  ret_device->memory_total = 0;
  ret_device->memory_free  = 0;
#ifdef __linux__
  {
    struct sysinfo info;

    if (sysinfo (&info) == 0) {
      ret_device->memory_total = (uint64_t)info.totalram * info.mem_unit;
      ret_device->memory_free  = (uint64_t)(info.freeram + info.bufferram) * info.mem_unit;
    }
  }
#endif
  return 0;
}

static int
cpu_supports (struct wlp_backend *backend, uint32_t device, const struct wlp_program *program, const struct wlp_op *op,
              const struct wlp_weight_source *sources)
{
  (void)backend;
  return device == 0 && cpu_check_op (program, op, sources, NULL) == 0;
}

static uint64_t
cpu_cache_block_bytes (struct wlp_cache *cache)
{
  return cache->layout.block_bytes;
}

static int
cpu_submit (struct wlp_model *model, const struct wlp_batch *batch, struct wlp_error *error)
{
  int status;

  if (model->is_submitted)
    return wlp_error_set (error, -EBUSY, "a batch runs already");
  if (batch->version < WLP_BATCH_VERSION)
    return wlp_error_set (error, -EINVAL, "the batch has version %u", batch->version);
  status = cpu_batch_check (model, batch, error);
  if (status != 0)
    return status;
  cpu_batch_prepare (model, batch);
  model->is_submitted = true;
  return 0;
}

/* The caller is one of the threads, so the work is done here. */
static int
cpu_wait (struct wlp_model *model, struct wlp_error *error)
{
  int status;

  if (!model->is_submitted)
    return wlp_error_set (error, -EINVAL, "no batch was submitted");
  status              = cpu_run_batch (model, error);
  model->is_submitted = false;
  return status;
}

static const struct wlp_backend_ops cpu_ops = {
  .version           = WLP_BACKEND_VERSION,
  .open              = cpu_open,
  .close             = cpu_close,
  .device            = cpu_device,
  .supports          = cpu_supports,
  .plan              = cpu_model_plan,
  .model_free        = cpu_model_free,
  .model_memory      = cpu_model_memory,
  .limit_packed      = cpu_panels_limit,
  .cache_create      = cpu_model_cache_create,
  .cache_free        = cpu_model_cache_free,
  .cache_block_bytes = cpu_cache_block_bytes,
  .cache_copy        = cpu_cache_copy,
  .cache_discard     = cpu_cache_discard,
  .cache_export      = cpu_cache_export,
  .cache_import      = cpu_cache_import,
  .submit            = cpu_submit,
  .wait              = cpu_wait,
  .profile           = cpu_profile_get,
};

static const struct wlp_plugin cpu_plugin = {
  .version = WLP_PLUGIN_VERSION,
  .kind    = WLP_KIND_BACKEND,
  .name    = "cpu",
  .release = WOOLLY_VERSION,
  .summary = "Runs models on the processor",
  .license = "LGPL-2.1-or-later",
  .ops     = &cpu_ops,
};

const struct wlp_plugin *
wlp_plugin_enum (uint32_t index)
{
  return index == 0 ? &cpu_plugin : NULL;
}
