/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Policies of the cache, on a backend that keeps one number for each position: which token was computed there, and in
 * what past.  A read of it tells whether a block holds what computing would have put there.
 */
#include "kv/kv-cache.h"
#include "wly-error.h"

#include <errno.h>
#include <string.h>

#define POSITIONS WLP_BLOCK_POSITIONS
#define N_VOCAB   1000

/* ---- the backend ---- */

struct wlp_cache {
  guint n_blocks;
  guint64 *content; /* [n_blocks][POSITIONS] */
  guint n_copies;
  guint n_discards;
};

static struct wlp_cache *last_cache; /* the last one created */
static guint n_caches;
static int copy_result;

static int
fake_cache_create (struct wlp_model *model, uint32_t group, enum wlp_type type, uint32_t n_blocks,
                   struct wlp_cache **ret_cache, struct wlp_error *error)
{
  if (type == WLP_TYPE_Q8_0)
    return wlp_error_set (error, -ENOTSUP, "no Q8_0 here");
  last_cache           = g_new0 (struct wlp_cache, 1);
  last_cache->n_blocks = n_blocks;
  last_cache->content  = g_new0 (guint64, n_blocks * POSITIONS);
  *ret_cache           = last_cache;
  n_caches++;
  return 0;
}

static void
fake_cache_free (struct wlp_cache *cache)
{
  if (cache == NULL)
    return;
  g_free (cache->content);
  g_free (cache);
  n_caches--;
}

static uint64_t
fake_cache_block_bytes (struct wlp_cache *cache)
{
  return 1024;
}

static int
fake_cache_copy (struct wlp_cache *cache, uint32_t from_block, uint32_t to_block)
{
  g_assert_cmpuint (from_block, <, cache->n_blocks);
  g_assert_cmpuint (to_block, <, cache->n_blocks);
  memcpy (cache->content + to_block * POSITIONS, cache->content + from_block * POSITIONS,
          POSITIONS * sizeof *cache->content);
  cache->n_copies++;
  return copy_result;
}

static int
fake_cache_discard (struct wlp_cache *cache, uint32_t block)
{
  g_assert_cmpuint (block, <, cache->n_blocks);
  memset (cache->content + block * POSITIONS, 0xee, POSITIONS * sizeof *cache->content);
  cache->n_discards++;
  return 0;
}

static const struct wlp_backend_ops fake_ops = {
  .version           = WLP_BACKEND_VERSION,
  .cache_create      = fake_cache_create,
  .cache_free        = fake_cache_free,
  .cache_block_bytes = fake_cache_block_bytes,
  .cache_copy        = fake_cache_copy,
  .cache_discard     = fake_cache_discard,
};

/* 64 positions of (1 + 1) values in F32 are 512 bytes; the backend says 1024, and its word counts. */
static struct wlp_cache_group group = {
  .kind = WLP_CACHE_PAGED, .n_layers = 1, .key_width = 1, .value_width = 1, .head_dim_k = 1, .head_dim_v = 1
};
static const struct wlp_program program = {
  .version  = WLP_PROGRAM_VERSION,
  .n_groups = 1,
  .groups   = &group,
  .limits   = { .n_vocab = N_VOCAB, .causal = 1 },
};

/* ---- computing ---- */

/* What stands at a position: its token and all before it. */
static guint64
content_after (guint64 before, gint32 token)
{
  return (before ^ (guint64)(token + 1)) * G_GUINT64_CONSTANT (0x9fb21c651e98df25) + 1;
}

static guint64 *
block_content (const struct wlp_sequence *where, guint position)
{
  guint32 block = where->blocks[0][position / POSITIONS];

  g_assert_cmpuint (position / POSITIONS, <, where->n_blocks[0]);
  return where->caches[0]->content + block * POSITIONS + position % POSITIONS;
}

/* Everything that counts as computed holds what it should. */
static void
check_content (const WlySequence *sequence)
{
  const gint32 *tokens = wly_sequence_tokens (sequence);
  struct wlp_sequence where;
  guint64 content = 0;

  wly_sequence_describe (sequence, &where);
  for (guint i = 0; i < wly_sequence_n_computed (sequence); i++) {
    content = content_after (content, tokens[i]);
    g_assert_cmphex (*block_content (&where, i), ==, content);
  }
}

static void
compute_part (WlySequence *sequence, guint n)
{
  g_autoptr (GError) error = NULL;
  const gint32 *tokens     = wly_sequence_tokens (sequence);
  guint first              = wly_sequence_n_computed (sequence);
  struct wlp_sequence where;

  check_content (sequence);
  g_assert_true (wly_sequence_reserve (sequence, n, &error));
  g_assert_no_error (error);
  check_content (sequence);
  wly_sequence_describe (sequence, &where);
  for (guint i = first; i < first + n; i++)
    *block_content (&where, i) = content_after (i > 0 ? *block_content (&where, i - 1) : 0, tokens[i]);
  wly_sequence_commit (sequence, n);
  check_content (sequence);
}

static void
compute (WlySequence *sequence)
{
  compute_part (sequence, wly_sequence_n_tokens (sequence) - wly_sequence_n_computed (sequence));
}

/* Appends @n tokens of the text @text from its position @from on; returns how many were found. */
static guint
append (WlySequence *sequence, guint text, guint from, guint n)
{
  g_autoptr (GError) error = NULL;
  gint32 tokens[2048];
  guint n_cached = 0;

  for (guint i = 0; i < n; i++)
    tokens[i] = (gint32)((text * 131 + (from + i) * 7) % N_VOCAB);
  g_assert_true (wly_sequence_append (sequence, tokens, n, &n_cached, &error));
  g_assert_no_error (error);
  return n_cached;
}

static WlyKvCache *
cache_new (guint n_blocks)
{
  g_autoptr (GError) error = NULL;
  WlyKvCache *cache        = wly_kv_cache_new (&fake_ops, NULL, &program, n_blocks * 1024, &error);

  copy_result = 0;
  g_assert_no_error (error);
  return cache;
}

static WlySequence *
sequence_new (WlyKvCache *cache, guint64 salt)
{
  g_autoptr (GError) error = NULL;
  WlySequence *sequence    = wly_sequence_new (cache, WLP_TYPE_F32, salt, 512, &error);

  g_assert_no_error (error);
  return sequence;
}

/* ---- tests ---- */

static void
test_prefix (void)
{
  g_autoptr (WlyKvCache) cache   = cache_new (32);
  g_autoptr (WlySequence) first  = sequence_new (cache, 1);
  g_autoptr (WlySequence) second = sequence_new (cache, 1);
  g_autoptr (WlySequence) other  = sequence_new (cache, 2);

  g_assert_cmpuint (append (first, 5, 0, 200), ==, 0);
  compute (first);
  g_assert_cmpuint (wly_kv_cache_bytes (cache), ==, 4 * 1024);
  /* three full blocks are found, the fourth is not full */
  g_assert_cmpuint (append (second, 5, 0, 200), ==, 192);
  compute (second);
  g_assert_cmpuint (wly_kv_cache_bytes (cache), ==, 5 * 1024);
  /* another salt finds nothing */
  g_assert_cmpuint (append (other, 5, 0, 200), ==, 0);
  compute (other);
  g_assert_cmpuint (wly_kv_cache_bytes (cache), ==, 9 * 1024);
}

/* The last token is always left to compute, and computing it does not touch the shared block. */
static void
test_last_token (void)
{
  g_autoptr (WlyKvCache) cache   = cache_new (32);
  g_autoptr (WlySequence) first  = sequence_new (cache, 1);
  g_autoptr (WlySequence) second = sequence_new (cache, 1);

  append (first, 5, 0, 128);
  compute (first);
  g_assert_cmpuint (append (second, 5, 0, 128), ==, 127);
  compute (second);
  check_content (first);
  /* the copy was given up for the block that both had */
  g_assert_cmpuint (wly_kv_cache_bytes (cache), ==, 2 * 1024);
  append (second, 6, 0, 10);
  compute (second);
  check_content (first);
}

/* The middle of a text is no prefix; neither is one that differs early. */
static void
test_no_prefix (void)
{
  g_autoptr (WlyKvCache) cache   = cache_new (32);
  g_autoptr (WlySequence) first  = sequence_new (cache, 1);
  g_autoptr (WlySequence) second = sequence_new (cache, 1);
  g_autoptr (WlySequence) third  = sequence_new (cache, 1);

  append (first, 5, 0, 256);
  compute (first);
  g_assert_cmpuint (append (second, 5, 64, 128), ==, 0);
  append (third, 5, 0, 63);
  append (third, 9, 63, 1);
  g_assert_cmpuint (append (third, 5, 64, 128), ==, 0);
  compute (third);
  compute (second);
}

/* Freed prefixes stay until their room is needed, and go from their ends. */
static void
test_retained (void)
{
  g_autoptr (WlyKvCache) cache = cache_new (8);
  g_autoptr (WlySequence) b    = NULL;
  WlySequence *a               = sequence_new (cache, 1);

  append (a, 5, 0, 330);
  compute (a);
  g_clear_pointer (&a, wly_sequence_free);
  g_assert_cmpuint (wly_kv_cache_bytes (cache), ==, 5 * 1024);
  g_assert_cmpuint (wly_kv_cache_retained_bytes (cache), ==, 5 * 1024);
  /* six blocks of another text push three of the five out */
  b = sequence_new (cache, 1);
  append (b, 6, 0, 6 * 64 - 1);
  compute (b);
  g_assert_cmpuint (wly_kv_cache_bytes (cache), ==, 8 * 1024);
  g_clear_pointer (&b, wly_sequence_free);
  a = sequence_new (cache, 1);
  g_assert_cmpuint (append (a, 5, 0, 330), ==, 128);
  compute (a);
  wly_sequence_free (a);
}

static void
test_trim (void)
{
  g_autoptr (WlyKvCache) cache = cache_new (8);
  WlySequence *a               = sequence_new (cache, 1);

  append (a, 5, 0, 256);
  compute (a);
  g_assert_cmpuint (wly_kv_cache_trim (cache, G_MAXUINT64), ==, 0);
  g_clear_pointer (&a, wly_sequence_free);
  g_assert_cmpuint (wly_kv_cache_trim (cache, 1), ==, 1024);
  g_assert_cmpuint (wly_kv_cache_trim (cache, G_MAXUINT64), ==, 3 * 1024);
  g_assert_cmpuint (wly_kv_cache_bytes (cache), ==, 0);
  g_assert_cmpuint (last_cache->n_discards, ==, 4);
}

/* Every block in use: no room, nothing changed, and room again when one lets go. */
static void
test_full (void)
{
  g_autoptr (WlyKvCache) cache = cache_new (8);
  g_autoptr (WlySequence) a    = sequence_new (cache, 1);
  g_autoptr (WlySequence) b    = sequence_new (cache, 1);
  g_autoptr (GError) error     = NULL;

  append (a, 5, 0, 6 * 64);
  compute (a);
  append (b, 6, 0, 3 * 64);
  compute_part (b, 70);
  g_assert_false (wly_sequence_reserve (b, 122, &error));
  g_assert_error (error, WLY_ERROR, WLY_ERROR_NO_MEMORY);
  g_assert_cmpuint (wly_sequence_n_computed (b), ==, 70);
  g_assert_cmpuint (wly_kv_cache_bytes (cache), ==, 8 * 1024);
  check_content (a);
  wly_sequence_truncate (a, 5 * 64);
  compute (b);
  check_content (a);
}

static void
test_too_long (void)
{
  g_autoptr (WlyKvCache) cache = cache_new (8);
  g_autoptr (WlySequence) a    = sequence_new (cache, 1);
  g_autoptr (GError) error     = NULL;
  const gint32 bad[]           = { 1, N_VOCAB };
  const gint32 negative[]      = { -1 };

  g_assert_null (wly_sequence_new (cache, WLP_TYPE_F32, 0, 513, &error));
  g_assert_error (error, WLY_ERROR, WLY_ERROR_NO_MEMORY);
  g_clear_error (&error);
  g_assert_null (wly_sequence_new (cache, WLP_TYPE_F32, 0, 0, &error));
  g_assert_error (error, WLY_ERROR, WLY_ERROR_INVALID_ARGS);
  g_clear_error (&error);
  g_assert_null (wly_sequence_new (cache, WLP_TYPE_Q8_0, 0, 64, &error));
  g_assert_error (error, WLY_ERROR, WLY_ERROR_NOT_SUPPORTED);
  g_clear_error (&error);
  g_assert_null (wly_sequence_new (cache, WLP_TYPE_Q4_0, 0, 64, &error));
  g_assert_error (error, WLY_ERROR, WLY_ERROR_NOT_SUPPORTED);
  g_clear_error (&error);

  append (a, 5, 0, 512);
  g_assert_false (wly_sequence_append (a, bad, 1, NULL, &error));
  g_assert_error (error, WLY_ERROR, WLY_ERROR_CONTEXT_FULL);
  g_clear_error (&error);
  wly_sequence_truncate (a, 100);
  g_assert_false (wly_sequence_append (a, bad, 2, NULL, &error));
  g_assert_error (error, WLY_ERROR, WLY_ERROR_INVALID_ARGS);
  g_clear_error (&error);
  g_assert_false (wly_sequence_append (a, negative, 1, NULL, &error));
  g_assert_error (error, WLY_ERROR, WLY_ERROR_INVALID_ARGS);
  g_assert_cmpuint (wly_sequence_n_tokens (a), ==, 100);
}

static void
test_fork (void)
{
  g_autoptr (WlyKvCache) cache = cache_new (32);
  g_autoptr (WlySequence) a    = sequence_new (cache, 1);
  g_autoptr (WlySequence) b    = NULL;
  g_autoptr (WlySequence) c    = NULL;

  append (a, 5, 0, 100);
  compute (a);
  b = wly_sequence_fork (a, NULL);
  c = wly_sequence_fork (b, NULL);
  g_assert_cmpuint (wly_kv_cache_bytes (cache), ==, 2 * 1024);
  append (b, 6, 100, 50);
  compute (b);
  append (a, 7, 100, 20);
  compute (a);
  check_content (b);
  check_content (c);
  g_assert_cmpuint (last_cache->n_copies, ==, 2);
  append (c, 8, 100, 3);
  compute (c);
  g_assert_cmpuint (last_cache->n_copies, ==, 2);
  check_content (a);
  check_content (b);
  g_assert_cmpuint (wly_kv_cache_bytes (cache), ==, 5 * 1024);
}

static void
test_truncate (void)
{
  g_autoptr (WlyKvCache) cache = cache_new (32);
  g_autoptr (WlySequence) a    = sequence_new (cache, 1);
  g_autoptr (WlySequence) b    = sequence_new (cache, 1);

  append (a, 5, 0, 300);
  compute (a);
  append (b, 5, 0, 300);
  compute (b);
  wly_sequence_truncate (a, 150);
  g_assert_cmpuint (wly_sequence_n_computed (a), ==, 150);
  append (a, 6, 0, 100);
  compute (a);
  check_content (b);
  wly_sequence_truncate (a, 0);
  g_assert_cmpuint (wly_sequence_n_tokens (a), ==, 0);
  g_assert_cmpuint (append (a, 5, 0, 300), ==, 256);
  compute (a);
  wly_sequence_truncate (a, 1000);
  g_assert_cmpuint (wly_sequence_n_tokens (a), ==, 300);
}

/* Tokens that were appended in parts find the blocks that they complete. */
static void
test_adopt (void)
{
  g_autoptr (WlyKvCache) cache = cache_new (32);
  g_autoptr (WlySequence) a    = sequence_new (cache, 1);
  g_autoptr (WlySequence) b    = sequence_new (cache, 1);

  append (a, 5, 0, 30);
  compute (a);
  append (b, 5, 0, 200);
  g_assert_cmpuint (wly_sequence_adopt (b), ==, 0);
  g_assert_cmpuint (append (a, 5, 30, 170), ==, 0);
  compute (a);
  g_assert_cmpuint (wly_sequence_adopt (b), ==, 192);
  compute (b);
  wly_sequence_truncate (b, 20);
  g_assert_cmpuint (append (b, 5, 20, 120), ==, 108);
  compute (b);
}

static void
test_invalidate (void)
{
  g_autoptr (WlyKvCache) cache = cache_new (32);
  g_autoptr (WlySequence) a    = sequence_new (cache, 1);
  g_autoptr (WlySequence) b    = sequence_new (cache, 1);
  g_autoptr (WlySequence) c    = sequence_new (cache, 1);

  append (a, 5, 0, 200);
  compute (a);
  append (b, 5, 0, 200);
  wly_sequence_invalidate (a);
  g_assert_cmpuint (wly_sequence_n_computed (a), ==, 0);
  g_assert_cmpuint (wly_sequence_n_tokens (a), ==, 200);
  g_assert_cmpuint (append (c, 5, 0, 200), ==, 0);
  /* what b adds stands behind blocks that nobody may find, so it is not found either */
  append (b, 5, 200, 100);
  compute (b);
  g_assert_cmpuint (wly_sequence_adopt (c), ==, 0);
  compute (a);
  g_assert_cmpuint (wly_sequence_adopt (c), ==, 192);
  compute (c);
}

static void
test_cancel (void)
{
  g_autoptr (WlyKvCache) cache = cache_new (32);
  g_autoptr (WlySequence) a    = sequence_new (cache, 1);
  guint64 before;

  append (a, 5, 0, 300);
  compute_part (a, 70);
  before = wly_kv_cache_bytes (cache);
  g_assert_true (wly_sequence_reserve (a, 200, NULL));
  g_assert_cmpuint (wly_kv_cache_bytes (cache), >, before);
  wly_sequence_cancel (a);
  g_assert_cmpuint (wly_kv_cache_bytes (cache), ==, before);
  g_assert_cmpuint (wly_sequence_n_computed (a), ==, 70);
  compute (a);
}

/* A copy that fails leaves the sequence as it was. */
static void
test_copy_fails (void)
{
  g_autoptr (WlyKvCache) cache = cache_new (32);
  g_autoptr (WlySequence) a    = sequence_new (cache, 1);
  g_autoptr (WlySequence) b    = NULL;
  g_autoptr (GError) error     = NULL;

  append (a, 5, 0, 100);
  compute (a);
  b = wly_sequence_fork (a, NULL);
  append (b, 6, 0, 1);
  copy_result = -EIO;
  g_assert_false (wly_sequence_reserve (b, 1, &error));
  g_assert_error (error, WLY_ERROR, WLY_ERROR_FAILED);
  g_assert_cmpuint (wly_kv_cache_bytes (cache), ==, 2 * 1024);
  copy_result = 0;
  compute (b);
  check_content (a);
}

/* Long random use by several apps at once: contents are checked at every step, memory at the end. */
static void
test_random (void)
{
  WlyKvCache *cache         = cache_new (40);
  WlySequence *sequences[4] = { NULL };
  g_autoptr (GRand) rand    = g_rand_new_with_seed (42);

  for (guint step = 0; step < 3000; step++) {
    WlySequence **at  = &sequences[g_rand_int_range (rand, 0, 4)];
    guint text        = (guint)g_rand_int_range (rand, 1, 3);
    guint n_positions = *at != NULL ? wly_sequence_n_tokens (*at) : 0;
    guint n           = (guint)g_rand_int_range (rand, 1, 100);
    WlySequence **to  = &sequences[g_rand_int_range (rand, 0, 4)];

    switch (g_rand_int_range (rand, 0, 12)) {
    case 0:
      g_clear_pointer (at, wly_sequence_free);
      break;
    case 1:
      if (*at != NULL && *to == NULL)
        *to = wly_sequence_fork (*at, NULL);
      break;
    case 2:
      if (*at != NULL)
        wly_sequence_truncate (*at, n_positions / 64 * 64 + n % 3);
      break;
    case 3:
      if (*at != NULL && step % 7 == 0)
        wly_sequence_invalidate (*at);
      break;
    default:
      if (*at == NULL)
        *at = sequence_new (cache, text);
      if (n_positions + n <= 512)
        append (*at, text, n_positions, n);
      n = wly_sequence_n_tokens (*at) - wly_sequence_n_computed (*at);
      if (n > 0)
        compute_part (*at, (guint)g_rand_int_range (rand, 1, (gint32)n + 1));
    }
    for (guint i = 0; i < 4; i++)
      if (sequences[i] != NULL)
        check_content (sequences[i]);
    g_assert_cmpuint (wly_kv_cache_bytes (cache), <=, wly_kv_cache_max_bytes (cache));
  }
  for (guint i = 0; i < 4; i++)
    wly_sequence_free (sequences[i]);
  g_assert_cmpuint (wly_kv_cache_bytes (cache), ==, wly_kv_cache_retained_bytes (cache));
  wly_kv_cache_free (cache);
  g_assert_cmpuint (n_caches, ==, 0);
}

static void
test_types (void)
{
  g_autoptr (WlyKvCache) cache = cache_new (32);
  g_autoptr (WlySequence) a    = sequence_new (cache, 1);
  g_autoptr (WlySequence) b    = wly_sequence_new (cache, WLP_TYPE_F16, 1, 512, NULL);

  append (a, 5, 0, 200);
  compute (a);
  g_assert_cmpuint (append (b, 5, 0, 200), ==, 0);
  compute (b);
  g_assert_cmpuint (wly_kv_cache_bytes (cache), ==, 8 * 1024);
  g_assert_cmpuint (wly_kv_cache_position_bytes (&program, WLP_TYPE_F32), ==, 8);
  g_assert_cmpuint (wly_kv_cache_position_bytes (&program, WLP_TYPE_F16), ==, 4);
  g_assert_cmpuint (wly_kv_cache_position_bytes (&program, WLP_TYPE_Q4_0), ==, 0);
}

/* A sequence goes on behind its last position, or behind a full block. */
static void
test_state (void)
{
  struct wlp_cache_group state    = { .kind = WLP_CACHE_STATE, .n_layers = 2, .key_width = 40 };
  struct wlp_program with_a_state = program;
  g_autoptr (GError) error        = NULL;
  g_autoptr (WlyKvCache) cache    = NULL;
  g_autoptr (WlySequence) a       = NULL;
  g_autoptr (WlySequence) b       = NULL;

  with_a_state.groups = &state;
  g_assert_cmpuint (wly_kv_cache_position_bytes (&with_a_state, WLP_TYPE_F16), ==, 5); /* 320 bytes for 64 */
  cache = wly_kv_cache_new (&fake_ops, NULL, &with_a_state, 64 * 1024, &error);
  g_assert_no_error (error);
  a = wly_sequence_new (cache, WLP_TYPE_F16, 0, 500, &error);
  b = wly_sequence_new (cache, WLP_TYPE_F16, 0, 500, &error);
  g_assert_no_error (error);
  append (a, 1, 0, 200);
  compute (a);
  g_assert_cmpuint (wly_sequence_n_computed (a), ==, 200);
  /* within a block that is not full, only from its start on */
  wly_sequence_truncate (a, 199);
  g_assert_cmpuint (wly_sequence_n_computed (a), ==, 192);
  wly_sequence_truncate (a, 128);
  g_assert_cmpuint (wly_sequence_n_computed (a), ==, 128);
  wly_sequence_truncate (a, 100);
  g_assert_cmpuint (wly_sequence_n_computed (a), ==, 64);
  compute (a);
  /* the last token is wanted, so a block that ends with it is of no use */
  g_assert_cmpuint (append (b, 1, 0, 64), ==, 0);
  g_assert_cmpuint (append (b, 1, 64, 1), ==, 64);
  compute (b);
  /* nobody knows what a step that failed has done to the state */
  g_assert_true (wly_sequence_append (b, wly_sequence_tokens (a) + 65, 5, NULL, &error));
  g_assert_cmpuint (wly_sequence_n_computed (b), ==, 65);
  g_assert_true (wly_sequence_reserve (b, 5, &error));
  wly_sequence_cancel (b);
  g_assert_cmpuint (wly_sequence_n_computed (b), ==, 64);
  compute (b);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/engine/kv-cache/prefix", test_prefix);
  g_test_add_func ("/engine/kv-cache/last-token", test_last_token);
  g_test_add_func ("/engine/kv-cache/no-prefix", test_no_prefix);
  g_test_add_func ("/engine/kv-cache/retained", test_retained);
  g_test_add_func ("/engine/kv-cache/trim", test_trim);
  g_test_add_func ("/engine/kv-cache/full", test_full);
  g_test_add_func ("/engine/kv-cache/too-long", test_too_long);
  g_test_add_func ("/engine/kv-cache/fork", test_fork);
  g_test_add_func ("/engine/kv-cache/truncate", test_truncate);
  g_test_add_func ("/engine/kv-cache/adopt", test_adopt);
  g_test_add_func ("/engine/kv-cache/invalidate", test_invalidate);
  g_test_add_func ("/engine/kv-cache/cancel", test_cancel);
  g_test_add_func ("/engine/kv-cache/copy-fails", test_copy_fails);
  g_test_add_func ("/engine/kv-cache/random", test_random);
  g_test_add_func ("/engine/kv-cache/types", test_types);
  g_test_add_func ("/engine/kv-cache/state", test_state);
  return g_test_run ();
}
