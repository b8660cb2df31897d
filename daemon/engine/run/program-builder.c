/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "program-builder.h"

#include "wly-error.h"

#include <string.h>

/* ---- texts ---- */

void
wly_program_builder_fail (WlyProgramBuilder *builder, const char *format, ...)
{
  va_list args;

  if (builder->error != NULL)
    return;
  va_start (args, format);
  builder->error = g_error_new_valist (WLY_ERROR, WLY_ERROR_INVALID_MODEL, format, args);
  va_end (args);
}

char *
wly_program_shape_text (guint32 n_dims, const guint64 *ne)
{
  GString *text = g_string_new ("[");

  while (n_dims > 1 && ne[n_dims - 1] == 1)
    n_dims--;
  for (guint32 i = 0; i < n_dims; i++)
    g_string_append_printf (text, "%s%" G_GUINT64_FORMAT, i > 0 ? ", " : "", ne[i]);
  g_string_append_c (text, ']');
  return g_string_free (text, FALSE);
}

/* ---- what the plugin calls ---- */

static WlyProgramBuilder *
self (struct wlp_builder *base)
{
  return (WlyProgramBuilder *)base;
}

static gboolean
shape_is (const struct wlp_shape *shape, guint32 n_dims, const guint64 *ne)
{
  for (guint32 i = 0; i < WLP_MAX_DIMS; i++)
    if (shape->ne[i] != (i < n_dims ? ne[i] : 1))
      return FALSE;
  return TRUE;
}

static wlp_weight
builder_add_weight (WlyProgramBuilder *builder, const char *name, const struct wlp_weight_source *source)
{
  wlp_weight number           = builder->weights->len;
  struct wlp_weight_info info = { name, source->shape };

  g_array_append_val (builder->weights, info);
  g_array_append_val (builder->sources, *source);
  g_hash_table_insert (builder->weight_numbers, (gpointer)name, GUINT_TO_POINTER (number));
  return number;
}

static wlp_weight
builder_weight (struct wlp_builder *base, const char *name, uint32_t flags, uint32_t n_dims, const uint64_t *ne)
{
  WlyProgramBuilder *builder      = self (base);
  struct wlp_weight_source source = { 0 };
  g_autofree char *wanted         = NULL;
  g_autofree char *found          = NULL;
  const char *kept_name           = NULL;
  gpointer known;

  if (builder->error != NULL)
    return WLP_NONE;
  if (name == NULL || n_dims < 1 || n_dims > WLP_MAX_DIMS) {
    wly_program_builder_fail (builder, "The architecture plugin asks for a tensor without a name or shape");
    return WLP_NONE;
  }
  wanted = wly_program_shape_text (n_dims, ne);
  if (!builder->lookup (builder->user_data, name, &source, &kept_name)) {
    if ((flags & WLP_WEIGHT_OPTIONAL) == 0)
      wly_program_builder_fail (builder, "Tensor %s is missing; wanted is one of shape %s", name, wanted);
    return WLP_NONE;
  }
  if (!shape_is (&source.shape, n_dims, ne)) {
    found = wly_program_shape_text (source.shape.n_dims, source.shape.ne);
    wly_program_builder_fail (builder, "Tensor %s has the shape %s; wanted is %s", name, found, wanted);
    return WLP_NONE;
  }
  if (g_hash_table_lookup_extended (builder->weight_numbers, name, NULL, &known))
    return GPOINTER_TO_UINT (known);
  return builder_add_weight (builder, kept_name, &source);
}

static gboolean
check_group (WlyProgramBuilder *builder, const struct wlp_cache_group *group)
{
  gboolean is_state = group->kind == WLP_CACHE_STATE;

  if (builder->groups->len >= WLP_MAX_GROUPS)
    wly_program_builder_fail (builder, "The network has more than %d cache groups", WLP_MAX_GROUPS);
  else if (group->kind < WLP_CACHE_PAGED || group->kind > WLP_CACHE_STATE)
    wly_program_builder_fail (builder, "Cache group %u is of unknown kind %u", builder->groups->len, group->kind);
  else if (group->n_layers == 0 || group->n_layers > WLY_PROGRAM_MAX_OPS || group->key_width == 0
           || group->key_width > WLY_PROGRAM_MAX_WIDTH || group->value_width > WLY_PROGRAM_MAX_WIDTH)
    wly_program_builder_fail (builder, "Cache group %u: %u layers of %u + %u values cannot be", builder->groups->len,
                              group->n_layers, group->key_width, group->value_width);
  else if (!is_state
           && (group->head_dim_k == 0 || group->head_dim_v == 0 || group->key_width % group->head_dim_k != 0
               || group->value_width % group->head_dim_v != 0 || group->value_width == 0
               || group->key_width / group->head_dim_k != group->value_width / group->head_dim_v))
    wly_program_builder_fail (builder, "Cache group %u: %u keys and %u values are not whole heads of %u and %u",
                              builder->groups->len, group->key_width, group->value_width, group->head_dim_k,
                              group->head_dim_v);
  else if (is_state && group->value_width != 0)
    wly_program_builder_fail (builder, "Cache group %u: a state has no values", builder->groups->len);
  else if (group->kind == WLP_CACHE_WINDOW && group->window == 0)
    wly_program_builder_fail (builder, "Cache group %u: a window of 0 positions cannot be", builder->groups->len);
  return builder->error == NULL;
}

static uint32_t
builder_cache_group (struct wlp_builder *base, const struct wlp_cache_group *group)
{
  WlyProgramBuilder *builder = self (base);
  guint number               = builder->groups->len;

  if (builder->error != NULL || !check_group (builder, group))
    return WLP_NONE;
  builder->written[number] = g_ptr_array_new ();
  g_ptr_array_set_size (builder->written[number], (gint)group->n_layers);
  g_array_append_val (builder->groups, *group);
  return number;
}

static void
builder_limits (struct wlp_builder *base, const struct wlp_limits *limits)
{
  WlyProgramBuilder *builder = self (base);

  if (builder->error != NULL)
    return;
  builder->limits     = *limits;
  builder->has_limits = TRUE;
  if (limits->n_positions == 0)
    builder->limits.n_positions = 1;
  if (limits->n_vocab == 0 || limits->n_vocab > G_MAXINT32 || limits->n_embd == 0 || limits->n_ctx_train == 0
      || limits->n_ctx_train > G_MAXINT32 || limits->n_positions > 5 || limits->pooling > WLP_POOL_RANK)
    wly_program_builder_fail (builder,
                              "The limits of the model cannot be: %u tokens in the vocabulary, %u values wide, "
                              "a context of %u positions, %u positions for each token, pooling %u",
                              limits->n_vocab, limits->n_embd, limits->n_ctx_train, limits->n_positions,
                              limits->pooling);
}

static void
builder_layer (struct wlp_builder *base, uint32_t layer)
{
  self (base)->layer = layer;
}

static wlp_value
builder_op (struct wlp_builder *base, const struct wlp_op *op)
{
  WlyProgramBuilder *builder                     = self (base);
  struct wlp_value_info outputs[WLP_MAX_OUTPUTS] = { { 0 } };
  wlp_value first                                = builder->values->len;
  struct wlp_op copy                             = *op;

  if (builder->error != NULL)
    return WLP_NONE;
  if (builder->ops->len >= WLY_PROGRAM_MAX_OPS) {
    wly_program_builder_fail (builder, "The network has more than %u operators", WLY_PROGRAM_MAX_OPS);
    return WLP_NONE;
  }
  copy.layer = builder->layer;
  if (!wly_program_check_op (builder, &copy, outputs))
    return WLP_NONE;
  for (guint i = 0; i < WLP_MAX_OUTPUTS; i++) {
    copy.out[i] = outputs[i].width > 0 ? builder->values->len : WLP_NONE;
    if (outputs[i].width > 0)
      g_array_append_val (builder->values, outputs[i]);
  }
  g_array_append_val (builder->ops, copy);
  return outputs[0].width > 0 ? first : WLP_NONE;
}

static void
builder_fail (struct wlp_builder *base, const char *message)
{
  wly_program_builder_fail (self (base), "%s", message);
}

static const struct wlp_builder_ops builder_ops = {
  .version     = WLP_BUILDER_VERSION,
  .weight      = builder_weight,
  .cache_group = builder_cache_group,
  .limits      = builder_limits,
  .layer       = builder_layer,
  .op          = builder_op,
  .fail        = builder_fail,
};

/* ---- life ---- */

WlyProgramBuilder *
wly_program_builder_new (WlyTensorLookupFunc lookup, gpointer user_data)
{
  WlyProgramBuilder *builder = g_new0 (WlyProgramBuilder, 1);

  builder->base.ops       = &builder_ops;
  builder->lookup         = lookup;
  builder->user_data      = user_data;
  builder->ops            = g_array_new (FALSE, TRUE, sizeof (struct wlp_op));
  builder->values         = g_array_new (FALSE, TRUE, sizeof (struct wlp_value_info));
  builder->weights        = g_array_new (FALSE, TRUE, sizeof (struct wlp_weight_info));
  builder->sources        = g_array_new (FALSE, TRUE, sizeof (struct wlp_weight_source));
  builder->groups         = g_array_new (FALSE, TRUE, sizeof (struct wlp_cache_group));
  builder->weight_numbers = g_hash_table_new (g_str_hash, g_str_equal);
  builder->layer          = WLP_NONE;
  return builder;
}

void
wly_program_builder_free (WlyProgramBuilder *builder)
{
  if (builder == NULL)
    return;
  g_array_unref (builder->ops);
  g_array_unref (builder->values);
  g_array_unref (builder->weights);
  g_array_unref (builder->sources);
  g_array_unref (builder->groups);
  g_hash_table_unref (builder->weight_numbers);
  for (guint g = 0; g < WLP_MAX_GROUPS; g++)
    g_clear_pointer (&builder->written[g], g_ptr_array_unref);
  g_clear_error (&builder->error);
  g_free (builder);
}

/* ---- the whole ---- */

static const guint64 *
weight_extents (const WlyProgramBuilder *builder, wlp_weight weight)
{
  return g_array_index (builder->weights, struct wlp_weight_info, weight).shape.ne;
}

static void
finish_embed (WlyProgramBuilder *builder, const struct wlp_op *op)
{
  const guint64 *tokens = weight_extents (builder, op->weight[0]);

  if (tokens[0] != builder->limits.n_embd || tokens[1] < builder->limits.n_vocab)
    wly_program_builder_fail (
        builder, "The embeddings are %" G_GUINT64_FORMAT " rows of %" G_GUINT64_FORMAT "; wanted are %u rows of %u",
        tokens[1], tokens[0], builder->limits.n_vocab, builder->limits.n_embd);
  else if (op->weight[1] != WLP_NONE && weight_extents (builder, op->weight[1])[1] < builder->limits.n_ctx_train)
    wly_program_builder_fail (
        builder, "There are position embeddings for %" G_GUINT64_FORMAT " positions only, but the context has %u",
        weight_extents (builder, op->weight[1])[1], builder->limits.n_ctx_train);
}

/* Each section that turns pairs has its position, where a token has more than one. */
static void
finish_rope (WlyProgramBuilder *builder, const struct wlp_op *op)
{
  for (guint i = 0;
       op->p.rope.kind == WLP_ROPE_MROPE && builder->limits.n_positions > 1 && i < G_N_ELEMENTS (op->p.rope.sections);
       i++)
    if (op->p.rope.sections[i] > 0 && builder->limits.n_positions < i + 2)
      wly_program_builder_fail (builder, "Section %u of a rope operator has no position: a token has %u", i,
                                builder->limits.n_positions);
}

static void
finish_groups (WlyProgramBuilder *builder)
{
  for (guint g = 0; g < builder->groups->len; g++) {
    const struct wlp_cache_group *group = &g_array_index (builder->groups, struct wlp_cache_group, g);

    for (guint i = 0; i < group->n_layers; i++)
      if (g_ptr_array_index (builder->written[g], i) == NULL)
        wly_program_builder_fail (builder, "No operator uses layer %u of cache group %u", i, g);
  }
}

gboolean
wly_program_builder_finish (WlyProgramBuilder *builder)
{
  if (builder->error != NULL)
    return FALSE;
  if (!builder->has_limits)
    wly_program_builder_fail (builder, "The architecture plugin told no limits of the model");
  else if (builder->output_width == 0)
    wly_program_builder_fail (builder, "The network has no output");
  for (guint i = 0; i < builder->ops->len && builder->error == NULL; i++) {
    const struct wlp_op *op = &g_array_index (builder->ops, struct wlp_op, i);

    if (op->kind == WLP_OP_EMBED)
      finish_embed (builder, op);
    else if (op->kind == WLP_OP_ROPE)
      finish_rope (builder, op);
    else if (op->kind == WLP_OP_LOGITS && builder->output_width != builder->limits.n_vocab)
      wly_program_builder_fail (builder, "There are %u logits for a vocabulary of %u", builder->output_width,
                                builder->limits.n_vocab);
  }
  finish_groups (builder);
  return builder->error == NULL;
}
