/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wly-model-info.h"

#include <string.h>

#define MAX_TEXT_BYTES 1024

static const char *const known_capabilities[] = { "generate", "chat", "tools", "reasoning", "embed", "rerank", NULL };

static char *
take_text (GVariant *dictionary, const char *key)
{
  const char *text = "";
  const char *end;

  g_variant_lookup (dictionary, key, "&s", &text);
  if (strlen (text) <= MAX_TEXT_BYTES)
    return g_strdup (text);
  end = g_utf8_find_prev_char (text, text + MAX_TEXT_BYTES);
  return g_strndup (text, (gsize)(end - text));
}

WlyModelInfo *
wly_model_info_new (GVariant *dictionary)
{
  WlyModelInfo *self                   = g_new0 (WlyModelInfo, 1);
  g_autofree const char **capabilities = NULL;
  g_autoptr (GStrvBuilder) builder     = g_strv_builder_new ();

  self->name         = take_text (dictionary, "Name");
  self->architecture = take_text (dictionary, "Architecture");
  self->quantization = take_text (dictionary, "Quantization");
  self->license      = take_text (dictionary, "License");
  self->organization = take_text (dictionary, "Organization");
  self->description  = take_text (dictionary, "Description");
  self->url          = take_text (dictionary, "Url");
  self->pooling      = take_text (dictionary, "Pooling");
  g_variant_lookup (dictionary, "Parameters", "t", &self->n_parameters);
  g_variant_lookup (dictionary, "ContextLength", "u", &self->context_length);
  g_variant_lookup (dictionary, "VocabularySize", "u", &self->vocabulary_size);
  g_variant_lookup (dictionary, "WeightsBytes", "t", &self->weights_bytes);
  g_variant_lookup (dictionary, "KvBytesPerPosition", "t", &self->kv_bytes_per_position);
  g_variant_lookup (dictionary, "Capabilities", "^a&s", &capabilities);
  for (gsize i = 0; known_capabilities[i] != NULL; i++)
    if (capabilities != NULL && g_strv_contains (capabilities, known_capabilities[i]))
      g_strv_builder_add (builder, known_capabilities[i]);
  self->capabilities = g_strv_builder_end (builder);
  return self;
}

void
wly_model_info_free (WlyModelInfo *self)
{
  if (self == NULL)
    return;
  g_free (self->name);
  g_free (self->architecture);
  g_free (self->quantization);
  g_free (self->license);
  g_free (self->organization);
  g_free (self->description);
  g_free (self->url);
  g_free (self->pooling);
  g_strfreev (self->capabilities);
  g_free (self);
}

guint64
wly_model_info_kv_bytes (const WlyModelInfo *self, guint64 n_positions, const char *kv_type)
{
  guint64 n_bytes;

  if (!g_uint64_checked_mul (&n_bytes, self->kv_bytes_per_position, n_positions))
    return G_MAXUINT64;
  if (g_str_equal (kv_type, "q8_0")) /* 34 bytes for 32 values */
    return n_bytes / 32 * 17 + n_bytes % 32 * 17 / 32;
  if (g_str_equal (kv_type, "f32") && !g_uint64_checked_mul (&n_bytes, n_bytes, 2))
    return G_MAXUINT64;
  return n_bytes;
}
