/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "network.h"
#include "program-builder.h"
#include "wly-error.h"

struct WlyProgram {
  WlyGguf *gguf;
  WlyProgramBuilder *builder; /* owns the arrays */
  struct wlp_program program;
};

static gboolean
lookup_tensor (gpointer user_data, const char *name, struct wlp_weight_source *ret_source, const char **ret_name)
{
  const WlyGguf *gguf         = user_data;
  const WlyGgufTensor *tensor = wly_gguf_find_tensor (gguf, name);

  if (tensor == NULL)
    return FALSE;
  wly_gguf_tensor_source (gguf, tensor, ret_source);
  *ret_name = tensor->name;
  return TRUE;
}

static void
program_fill (WlyProgram *self)
{
  const WlyProgramBuilder *builder = self->builder;

  self->program = (struct wlp_program){
    .version      = WLP_PROGRAM_VERSION,
    .n_ops        = builder->ops->len,
    .n_values     = builder->values->len,
    .n_weights    = builder->weights->len,
    .n_groups     = builder->groups->len,
    .output_width = builder->output_width,
    .limits       = builder->limits,
    .ops          = (const struct wlp_op *)(const void *)builder->ops->data,
    .values       = (const struct wlp_value_info *)(const void *)builder->values->data,
    .weights      = (const struct wlp_weight_info *)(const void *)builder->weights->data,
    .groups       = (const struct wlp_cache_group *)(const void *)builder->groups->data,
  };
}

/* The builder's first error goes before what the plugin makes of it. */
static gboolean
program_describe (WlyProgram *self, const struct wlp_arch_ops *arch, GError **error)
{
  const struct wlp_metadata *facts = wly_gguf_metadata (self->gguf);
  const char *architecture         = facts->ops->architecture (facts);
  struct wlp_error fault           = { { 0 } };
  int code                         = arch->describe (facts, &self->builder->base, &fault);

  if (self->builder->error == NULL && code < 0) {
    g_set_error (error, WLY_ERROR, wly_error_from_errno (code), "Architecture %s: %s", architecture,
                 fault.message[0] != '\0' ? fault.message : g_strerror (-code));
    return FALSE;
  }
  if (!wly_program_builder_finish (self->builder)) {
    g_propagate_prefixed_error (error, g_steal_pointer (&self->builder->error), "Architecture %s: ", architecture);
    return FALSE;
  }
  return TRUE;
}

WlyProgram *
wly_program_new (WlyGguf *gguf, const struct wlp_arch_ops *arch, GError **error)
{
  g_autoptr (WlyProgram) self = g_new0 (WlyProgram, 1);

  self->gguf    = wly_gguf_ref (gguf);
  self->builder = wly_program_builder_new (lookup_tensor, gguf);
  if (!program_describe (self, arch, error))
    return NULL;
  program_fill (self);
  return g_steal_pointer (&self);
}

void
wly_program_free (WlyProgram *self)
{
  if (self == NULL)
    return;
  wly_program_builder_free (self->builder);
  wly_gguf_unref (self->gguf);
  g_free (self);
}

const struct wlp_program *
wly_program_get (const WlyProgram *program)
{
  return &program->program;
}

const struct wlp_weight_source *
wly_program_sources (const WlyProgram *program)
{
  return (const struct wlp_weight_source *)(const void *)program->builder->sources->data;
}
