/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Takes an architecture plugin's description down, and checks it: names, shapes, widths and types of every operator.
 * What comes out fits together, so a backend need not look at shapes again.
 */
#pragma once

#include "woolly-plugin/arch.h"
#include "woolly-plugin/backend.h"

#include <glib.h>

G_BEGIN_DECLS

#define WLY_PROGRAM_MAX_OPS   65536u
#define WLY_PROGRAM_MAX_WIDTH (1u << 24) /* of a value */

#define WLY_PROGRAM_MAX_STATE_WIDTH 64u /* rows that a convolution sees */

/* Where a tensor lies; FALSE: there is none of this name. */
typedef gboolean (*WlyTensorLookupFunc) (gpointer user_data, const char *name, struct wlp_weight_source *ret_source,
                                         const char **ret_name);

typedef struct WlyProgramBuilder WlyProgramBuilder;

struct WlyProgramBuilder {
  struct wlp_builder base;
  WlyTensorLookupFunc lookup;
  gpointer user_data;
  GArray *ops;     /* struct wlp_op */
  GArray *values;  /* struct wlp_value_info */
  GArray *weights; /* struct wlp_weight_info */
  GArray *sources; /* struct wlp_weight_source */
  GArray *groups;  /* struct wlp_cache_group */
  GHashTable *weight_numbers;
  GPtrArray *written[WLP_MAX_GROUPS]; /* by layer of the group: whether an attention stores to it */
  struct wlp_limits limits;
  gboolean has_limits;
  guint32 layer;
  guint32 output_width; /* 0: no output yet */
  GError *error;        /* the first one */
};

WlyProgramBuilder *wly_program_builder_new (WlyTensorLookupFunc lookup, gpointer user_data);
void wly_program_builder_free (WlyProgramBuilder *builder); /* NULL is fine */

/* Keeps the first error: WLY_ERROR_INVALID_MODEL with the text. */
void wly_program_builder_fail (WlyProgramBuilder *builder, const char *format, ...) G_GNUC_PRINTF (2, 3);

/* What only the whole can tell.  FALSE: builder->error is set. */
gboolean wly_program_builder_finish (WlyProgramBuilder *builder);

/* In program-check.c: one operator against its inputs and weights; fills in the widths and types of its outputs (width
 * 0: none).  FALSE: builder->error is set. */
gboolean wly_program_check_op (WlyProgramBuilder *builder, const struct wlp_op *op,
                               struct wlp_value_info ret_outputs[WLP_MAX_OUTPUTS]);

/* "linear"; "operator of an unknown kind". */
const char *wly_program_op_name (guint32 kind);

/* "[256, 128]", without trailing extents of 1 beyond @n_dims; (transfer full). */
char *wly_program_shape_text (guint32 n_dims, const guint64 *ne);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (WlyProgramBuilder, wly_program_builder_free)

G_END_DECLS
