/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kv-pool.h"
#include "wly-error.h"

#include <string.h>

struct WlySequence {
  WlyKvPool *pool;
  guint64 salt;
  guint max_positions;
  GArray *tokens;
  guint n_computed;
  guint n_known;       /* leading blocks that are full and known; the others are the sequence's own, or a fork's too */
  guint n_blocks;      /* n_computed positions fill them, but for those that a step has reserved */
  WlyKvBlock **blocks; /* [room for max_positions] */
  guint32 *numbers;    /* the same as the backend wants it */
};

#define POSITIONS         WLP_BLOCK_POSITIONS
#define BLOCKS_FOR(count) (((count) + POSITIONS - 1) / POSITIONS)

static const struct wlp_program *
sequence_program (const WlySequence *sequence)
{
  return sequence->pool->cache->program;
}

/* Without a causal network a position's content hangs on the tokens behind it. */
static gboolean
can_share (const WlySequence *sequence)
{
  return sequence_program (sequence)->n_groups > 0 && sequence_program (sequence)->limits.causal;
}

static void
set_block (WlySequence *sequence, guint index, WlyKvBlock *block)
{
  sequence->blocks[index]  = block;
  sequence->numbers[index] = block->number;
}

/* From the last one on, so that of a prefix the end is forgotten first. */
static void
drop_blocks (WlySequence *sequence, guint n_left)
{
  while (sequence->n_blocks > n_left)
    wly_kv_block_unref (sequence->blocks[--sequence->n_blocks]);
}

/* Where the sequence can go on that computed up to @position: a state cannot be taken back within a block. */
static guint
resume_point (const WlySequence *sequence, guint position)
{
  return sequence->pool->cache->has_state ? position / POSITIONS * POSITIONS : position;
}

/* ---- life ---- */

static WlySequence *
sequence_alloc (WlyKvPool *pool, guint64 salt, guint max_positions)
{
  WlySequence *sequence = g_new0 (WlySequence, 1);

  sequence->pool          = pool;
  sequence->salt          = salt;
  sequence->max_positions = max_positions;
  sequence->tokens        = g_array_new (FALSE, FALSE, sizeof (gint32));
  sequence->blocks        = g_new0 (WlyKvBlock *, BLOCKS_FOR ((gsize)max_positions));
  sequence->numbers       = g_new0 (guint32, BLOCKS_FOR ((gsize)max_positions));
  return sequence;
}

WlySequence *
wly_sequence_new (WlyKvCache *cache, enum wlp_type type, guint64 salt, guint max_positions, GError **error)
{
  WlyKvPool *pool = wly_kv_pool_get (cache, type, error);
  guint64 n_bytes;

  if (pool == NULL)
    return NULL;
  if (max_positions == 0 || max_positions > G_MAXINT32) {
    g_set_error (error, WLY_ERROR, WLY_ERROR_INVALID_ARGS, "A context of %u positions cannot be", max_positions);
    return NULL;
  }
  n_bytes = BLOCKS_FOR ((guint64)max_positions) * pool->block_bytes;
  if (n_bytes > cache->max_bytes) {
    g_set_error (error, WLY_ERROR, WLY_ERROR_NO_MEMORY,
                 "A context of %u positions takes %" G_GUINT64_FORMAT
                 " MiB, but the whole key-value cache has %" G_GUINT64_FORMAT
                 " MiB; ask for a shorter context or allow more memory",
                 max_positions, (n_bytes + (1 << 20) - 1) >> 20, cache->max_bytes >> 20);
    return NULL;
  }
  return sequence_alloc (pool, salt, max_positions);
}

WlySequence *
wly_sequence_fork (WlySequence *sequence, GError **error)
{
  WlySequence *fork = sequence_alloc (sequence->pool, sequence->salt, sequence->max_positions);

  g_array_append_vals (fork->tokens, sequence->tokens->data, sequence->tokens->len);
  fork->n_computed = sequence->n_computed;
  fork->n_known    = sequence->n_known;
  fork->n_blocks   = sequence->n_blocks;
  for (guint i = 0; i < sequence->n_blocks; i++)
    set_block (fork, i, wly_kv_block_ref (sequence->blocks[i]));
  return fork;
}

void
wly_sequence_free (WlySequence *sequence)
{
  if (sequence == NULL)
    return;
  drop_blocks (sequence, 0);
  g_array_unref (sequence->tokens);
  g_free (sequence->blocks);
  g_free (sequence->numbers);
  g_free (sequence);
}

WlyKvCache *
wly_sequence_cache (const WlySequence *sequence)
{
  return sequence->pool->cache;
}

guint
wly_sequence_max_positions (const WlySequence *sequence)
{
  return sequence->max_positions;
}

guint
wly_sequence_n_tokens (const WlySequence *sequence)
{
  return sequence->tokens->len;
}

guint
wly_sequence_n_computed (const WlySequence *sequence)
{
  return sequence->n_computed;
}

const gint32 *
wly_sequence_tokens (const WlySequence *sequence)
{
  return (const gint32 *)(const void *)sequence->tokens->data;
}

/* ---- tokens ---- */

/* What block @index is known behind; 0 for the first one, and where the block before it was forgotten. */
static guint64
parent_serial (const WlySequence *sequence, guint index)
{
  return index > 0 ? sequence->blocks[index - 1]->serial : 0;
}

/* Takes the known block over that holds the next positions; FALSE: there is none. */
static gboolean
adopt_one (WlySequence *sequence)
{
  guint index    = sequence->n_computed / POSITIONS;
  guint n_tokens = sequence->tokens->len;
  guint target   = MIN ((index + 1) * POSITIONS, n_tokens - 1);
  guint64 parent;
  WlyKvBlock *block;

  if ((guint64)(index + 1) * POSITIONS > n_tokens || sequence->n_known < index || sequence->n_computed + 1 >= n_tokens)
    return FALSE;
  if (resume_point (sequence, target) <= sequence->n_computed)
    return FALSE;
  parent = parent_serial (sequence, index);
  if (index > 0 && parent == 0)
    return FALSE;
  block = wly_kv_pool_find (sequence->pool, parent, sequence->salt, wly_sequence_tokens (sequence) + index * POSITIONS);
  if (block == NULL)
    return FALSE;
  drop_blocks (sequence, index);
  set_block (sequence, index, block);
  sequence->n_blocks   = index + 1;
  sequence->n_computed = target;
  sequence->n_known    = sequence->n_computed / POSITIONS;
  return sequence->n_known > index;
}

guint
wly_sequence_adopt (WlySequence *sequence)
{
  guint before = sequence->n_computed;

  if (can_share (sequence))
    while (adopt_one (sequence))
      ;
  return sequence->n_computed - before;
}

gboolean
wly_sequence_append (WlySequence *sequence, const gint32 *tokens, guint n, guint *ret_n_cached, GError **error)
{
  guint n_vocab = sequence_program (sequence)->limits.n_vocab;
  guint n_cached;

  if (n > sequence->max_positions - sequence->tokens->len) {
    g_set_error (error, WLY_ERROR, WLY_ERROR_CONTEXT_FULL,
                 "%u tokens more do not fit: the context has %u positions and %u are taken", n, sequence->max_positions,
                 sequence->tokens->len);
    return FALSE;
  }
  for (guint i = 0; i < n; i++) {
    if (tokens[i] < 0 || (guint)tokens[i] >= n_vocab) {
      g_set_error (error, WLY_ERROR, WLY_ERROR_INVALID_ARGS, "Token id %d is outside the vocabulary of %u", tokens[i],
                   n_vocab);
      return FALSE;
    }
  }
  g_array_append_vals (sequence->tokens, tokens, n);
  n_cached = wly_sequence_adopt (sequence);
  if (ret_n_cached != NULL)
    *ret_n_cached = n_cached;
  return TRUE;
}

void
wly_sequence_truncate (WlySequence *sequence, guint n_tokens)
{
  if (n_tokens >= sequence->tokens->len)
    return;
  g_array_set_size (sequence->tokens, n_tokens);
  if (sequence->n_computed > n_tokens)
    sequence->n_computed = resume_point (sequence, n_tokens);
  sequence->n_known = MIN (sequence->n_known, sequence->n_computed / POSITIONS);
  drop_blocks (sequence, BLOCKS_FOR (sequence->n_computed));
}

void
wly_sequence_invalidate (WlySequence *sequence)
{
  for (guint i = 0; i < sequence->n_blocks; i++)
    wly_kv_block_forget (sequence->blocks[i]);
  sequence->n_computed = 0;
  sequence->n_known    = 0;
  drop_blocks (sequence, 0);
}

/* ---- steps ---- */

/* A block of this sequence alone that holds what block @index holds. */
static gboolean
make_private (WlySequence *sequence, guint index, GError **error)
{
  WlyKvBlock *block = sequence->blocks[index];
  WlyKvBlock *copy;

  if (block->n_refs == 1 && block->serial == 0)
    return TRUE;
  copy = wly_kv_pool_take_copy (sequence->pool, block, error);
  if (copy == NULL)
    return FALSE;
  set_block (sequence, index, copy);
  sequence->n_known = MIN (sequence->n_known, index);
  wly_kv_block_unref (block);
  return TRUE;
}

gboolean
wly_sequence_reserve (WlySequence *sequence, guint n, GError **error)
{
  guint n_blocks = BLOCKS_FOR (sequence->n_computed + n);

  if (sequence_program (sequence)->n_groups == 0 || n == 0)
    return TRUE;
  if (sequence->n_computed % POSITIONS != 0 && !make_private (sequence, sequence->n_computed / POSITIONS, error))
    return FALSE;
  while (sequence->n_blocks < n_blocks) {
    WlyKvBlock *block = wly_kv_pool_take (sequence->pool, error);

    if (block == NULL) {
      wly_sequence_cancel (sequence);
      return FALSE;
    }
    set_block (sequence, sequence->n_blocks++, block);
  }
  return TRUE;
}

void
wly_sequence_describe (const WlySequence *sequence, struct wlp_sequence *ret_sequence)
{
  memset (ret_sequence, 0, sizeof *ret_sequence);
  for (guint g = 0; g < sequence_program (sequence)->n_groups; g++) {
    ret_sequence->caches[g]   = sequence->pool->caches[g];
    ret_sequence->blocks[g]   = sequence->numbers;
    ret_sequence->n_blocks[g] = sequence->n_blocks;
  }
}

void
wly_sequence_commit (WlySequence *sequence, guint n)
{
  const gint32 *tokens = wly_sequence_tokens (sequence);

  g_return_if_fail (n <= sequence->tokens->len - sequence->n_computed);
  sequence->n_computed += n;
  if (!can_share (sequence))
    return;
  for (; sequence->n_known < sequence->n_computed / POSITIONS; sequence->n_known++) {
    guint index       = sequence->n_known;
    guint64 parent    = parent_serial (sequence, index);
    WlyKvBlock *block = sequence->blocks[index];

    if (index > 0 && parent == 0)
      break;
    set_block (sequence, index,
               wly_kv_pool_publish (sequence->pool, block, parent, sequence->salt, tokens + index * POSITIONS));
  }
}

void
wly_sequence_cancel (WlySequence *sequence)
{
  sequence->n_computed = resume_point (sequence, sequence->n_computed);
  drop_blocks (sequence, BLOCKS_FOR (sequence->n_computed));
}
