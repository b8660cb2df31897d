/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * what network.c makes and network-step.c runs.
 */
#pragma once

#include "network.h"

G_BEGIN_DECLS

struct WlyNetwork {
  WlyGguf *gguf;
  WlyProgram *program;
  const struct wlp_backend_ops *ops;
  struct wlp_model *model;
  WlyKvCache *cache;
  guint max_tokens;
  guint max_sequences;
  guint max_rows;
  guint max_positions;
  gboolean one_row_each; /* pooled: a row for each sequence, not for each wanted token */

  /* One batch, made once. */
  gint32 *tokens;                 /* [max_tokens] */
  gint32 *positions;              /* [max_tokens][n_positions] */
  guint32 *sequence_of;           /* [max_tokens] */
  guint32 *rows;                  /* [max_rows] */
  struct wlp_sequence *sequences; /* [max_sequences] */
  float *output;                  /* [max_rows][output_width] */
};

G_END_DECLS
