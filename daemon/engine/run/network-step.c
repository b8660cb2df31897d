/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * One step: items to a batch, the batch through the backend, what it did into the sequences.
 */
#include "network-private.h"
#include "wly-error.h"
#include "wly-trace.h"

#include <errno.h>

/* ---- checks ---- */

static guint
item_rows (const WlyNetwork *self, const WlyStepItem *item)
{
  if (!item->want_output)
    return 0;
  return self->one_row_each ? 1 : MAX (item->n_rows, 1);
}

static gboolean
check_item (const WlyNetwork *self, const WlyStepItem *items, guint at, GError **error)
{
  const WlyStepItem *item = &items[at];
  guint n_computed        = wly_sequence_n_computed (item->sequence);
  const char *wrong       = NULL;

  for (guint i = 0; i < at; i++)
    if (items[i].sequence == item->sequence)
      wrong = "a sequence is in the batch twice";
  if (wly_sequence_cache (item->sequence) != self->cache)
    wrong = "a sequence is of another model";
  else if (item->n_tokens == 0 || item->n_tokens > wly_sequence_n_tokens (item->sequence) - n_computed)
    wrong = "a sequence has not that many tokens to compute";
  else if (item->n_tokens > self->max_positions || n_computed > self->max_positions - item->n_tokens)
    wrong = "a sequence is longer than the model was loaded for";
  else if (item_rows (self, item) > item->n_tokens)
    wrong = "more outputs than tokens are wanted";
  if (wrong != NULL)
    g_set_error (error, WLY_ERROR, WLY_ERROR_INVALID_ARGS, "The step cannot be run: %s", wrong);
  return wrong == NULL;
}

static gboolean
check_items (const WlyNetwork *self, const WlyStepItem *items, guint n_items, GError **error)
{
  guint64 n_tokens = 0;
  guint64 n_rows   = 0;

  for (guint i = 0; i < n_items; i++) {
    if (!check_item (self, items, i, error))
      return FALSE;
    n_tokens += items[i].n_tokens;
    n_rows += item_rows (self, &items[i]);
  }
  if (n_items > 0 && n_items <= self->max_sequences && n_tokens <= self->max_tokens && n_rows <= self->max_rows)
    return TRUE;
  g_set_error (error, WLY_ERROR, WLY_ERROR_INVALID_ARGS,
               "The step cannot be run: it has %u sequences, %" G_GUINT64_FORMAT " tokens and %" G_GUINT64_FORMAT
               " outputs; the model was loaded for %u, %u and %u",
               n_items, n_tokens, n_rows, self->max_sequences, self->max_tokens, self->max_rows);
  return FALSE;
}

/* ---- room ---- */

static void
cancel_items (WlyStepItem *items, guint n_items)
{
  for (guint i = 0; i < n_items; i++)
    wly_sequence_cancel (items[i].sequence);
}

static gboolean
reserve_items (WlyStepItem *items, guint n_items, GError **error)
{
  for (guint i = 0; i < n_items; i++) {
    if (!wly_sequence_reserve (items[i].sequence, items[i].n_tokens, error)) {
      cancel_items (items, i);
      return FALSE;
    }
  }
  return TRUE;
}

/* ---- the batch ---- */

/* Adds sequence number @at with its tokens behind those that are there. */
static void
batch_add (WlyNetwork *self, struct wlp_batch *batch, const WlyStepItem *item, guint at)
{
  const gint32 *tokens = wly_sequence_tokens (item->sequence);
  guint first          = wly_sequence_n_computed (item->sequence);
  guint n_rows         = item_rows (self, item);

  wly_sequence_describe (item->sequence, &self->sequences[at]);
  for (guint i = 0; i < item->n_tokens; i++) {
    guint to = batch->n_tokens++;

    self->tokens[to]      = tokens[first + i];
    self->sequence_of[to] = at;
    for (guint p = 0; p < batch->n_positions; p++)
      self->positions[to * batch->n_positions + p] = (gint32)(first + i);
    if (item->n_tokens - i <= n_rows)
      self->rows[batch->n_rows++] = to;
  }
}

static void
batch_fill (WlyNetwork *self, struct wlp_batch *batch, WlyStepItem *items, guint n_items)
{
  guint width = wly_network_program (self)->output_width;

  *batch = (struct wlp_batch){
    .version     = WLP_BATCH_VERSION,
    .n_positions = wly_network_program (self)->limits.n_positions,
    .tokens      = self->tokens,
    .positions   = self->positions,
    .sequence    = self->sequence_of,
    .sequences   = self->sequences,
    .rows        = self->rows,
    .output      = self->output,
  };
  for (guint i = 0; i < n_items; i++) {
    guint row = self->one_row_each ? i : batch->n_rows;

    items[i].output = items[i].want_output ? self->output + (gsize)row * width : NULL;
    batch_add (self, batch, &items[i], i);
  }
  batch->n_sequences = n_items;
}

/* ---- the step ---- */

static gboolean
run_batch (WlyNetwork *self, const struct wlp_batch *batch, GError **error)
{
  struct wlp_error fault = { { 0 } };
  const guint64 begin_ns = wly_trace_begin ();
  int code               = self->ops->submit (self->model, batch, &fault);

  if (code == 0)
    code = self->ops->wait (self->model, &fault);
  wly_trace_end (begin_ns, batch->n_tokens > batch->n_sequences ? "prefill" : "decode", "tokens %u, sequences %u",
                 batch->n_tokens, batch->n_sequences);
  if (code == 0)
    return TRUE;
  if (code == -ECANCELED)
    g_set_error (error, WLY_ERROR, WLY_ERROR_CANCELLED, "The step was cancelled");
  else
    g_set_error (error, WLY_ERROR, code == -ENOMEM ? WLY_ERROR_NO_MEMORY : WLY_ERROR_FAILED, "The device failed: %s",
                 fault.message[0] != '\0' ? fault.message : g_strerror (-code));
  return FALSE;
}

gboolean
wly_network_step (WlyNetwork *self, WlyStepItem *items, guint n_items, const volatile int *cancel, GError **error)
{
  struct wlp_batch batch;

  for (guint i = 0; i < n_items; i++)
    items[i].output = NULL;
  if (!check_items (self, items, n_items, error) || !reserve_items (items, n_items, error))
    return FALSE;
  batch_fill (self, &batch, items, n_items);
  batch.cancel = cancel;
  if (!run_batch (self, &batch, error)) {
    cancel_items (items, n_items);
    for (guint i = 0; i < n_items; i++)
      items[i].output = NULL;
    return FALSE;
  }
  for (guint i = 0; i < n_items; i++)
    wly_sequence_commit (items[i].sequence, items[i].n_tokens);
  return TRUE;
}
