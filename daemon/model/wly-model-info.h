/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What a model's header says, as a probe or a worker told it: checked for form, not for truth.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct {
  char *name;
  char *architecture;
  char *quantization;
  char *license;
  char *organization;
  char *description;
  char *url;
  char *pooling; /* "" for a model that generates */
  guint64 n_parameters;
  guint32 context_length;
  guint32 vocabulary_size;
  char **capabilities;
  guint64 weights_bytes;
  guint64 kv_bytes_per_position; /* of an F16 cache; 0: not known */
} WlyModelInfo;

/* @dictionary: what Worker1.Open returns.  Keys of another type count as missing, long texts are cut, words that are no
 * capability are left out. (transfer full) */
WlyModelInfo *wly_model_info_new (GVariant *dictionary);
void wly_model_info_free (WlyModelInfo *info);

/* Bytes of key-value cache of @kv_type, a word of the option, for @n_positions; G_MAXUINT64 where it is more than a
 * number holds. */
guint64 wly_model_info_kv_bytes (const WlyModelInfo *info, guint64 n_positions, const char *kv_type);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (WlyModelInfo, wly_model_info_free)

G_END_DECLS
