/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What the broken plugins have in common: a backend whose every function but one refuses.
 */
#pragma once

#include "woolly-plugin/backend.h"

#include <errno.h>

static inline int
broken_open (const struct wlp_services *services, struct wlp_backend **ret_backend, struct wlp_error *error)
{
  return wlp_error_set (error, -ENODEV, "this backend never works");
}

static inline void
broken_close (struct wlp_backend *backend)
{
}

static inline int
broken_device (struct wlp_backend *backend, uint32_t index, struct wlp_device *ret_device)
{
  return -ENOENT;
}

static inline int
broken_supports (struct wlp_backend *backend, uint32_t device, const struct wlp_program *program,
                 const struct wlp_op *op, const struct wlp_weight_source *sources)
{
  return 0;
}

static inline int
broken_plan (struct wlp_backend *backend, const struct wlp_plan_request *request, struct wlp_model **ret_model,
             struct wlp_error *error)
{
  return -ENODEV;
}

static inline void
broken_model_free (struct wlp_model *model)
{
}

static inline int
broken_model_memory (struct wlp_model *model, struct wlp_memory *ret_memory)
{
  return -ENODEV;
}

static inline int
broken_cache_create (struct wlp_model *model, uint32_t group, enum wlp_type type, uint32_t n_blocks,
                     struct wlp_cache **ret_cache, struct wlp_error *error)
{
  return -ENODEV;
}

static inline void
broken_cache_free (struct wlp_cache *cache)
{
}

static inline uint64_t
broken_cache_block_bytes (struct wlp_cache *cache)
{
  return 0;
}

static inline int
broken_cache_copy (struct wlp_cache *cache, uint32_t from_block, uint32_t to_block)
{
  return -ENODEV;
}

static inline int
broken_cache_discard (struct wlp_cache *cache, uint32_t block)
{
  return -ENODEV;
}

static inline int
broken_cache_export (struct wlp_cache *cache, uint32_t block, void *memory, uint64_t n_bytes)
{
  return -ENODEV;
}

static inline int
broken_cache_import (struct wlp_cache *cache, uint32_t block, const void *memory, uint64_t n_bytes)
{
  return -ENODEV;
}

static inline int
broken_submit (struct wlp_model *model, const struct wlp_batch *batch, struct wlp_error *error)
{
  return -ENODEV;
}

static inline int
broken_wait (struct wlp_model *model, struct wlp_error *error)
{
  return -ENODEV;
}

/* A complete table with this open(). */
#define BROKEN_OPS(open_function)                                                                                      \
  {                                                                                                                    \
    .version = WLP_BACKEND_VERSION, .open = (open_function), .close = broken_close, .device = broken_device,           \
    .supports = broken_supports, .plan = broken_plan, .model_free = broken_model_free,                                 \
    .model_memory = broken_model_memory, .cache_create = broken_cache_create, .cache_free = broken_cache_free,         \
    .cache_block_bytes = broken_cache_block_bytes, .cache_copy = broken_cache_copy,                                    \
    .cache_discard = broken_cache_discard, .cache_export = broken_cache_export, .cache_import = broken_cache_import,   \
    .submit = broken_submit, .wait = broken_wait,                                                                      \
  }

#define BROKEN_PLUGIN(plugin_name, plugin_ops)                                                                         \
  {                                                                                                                    \
    .version = WLP_PLUGIN_VERSION, .kind = WLP_KIND_BACKEND, .name = (plugin_name), .release = "1",                    \
    .summary = "Broken, for tests", .license = "LGPL-2.1-or-later", .ops = (plugin_ops),                               \
  }
