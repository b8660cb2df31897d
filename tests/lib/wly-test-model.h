/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Models with random weights for tests: any shape, any type that can be computed with, the same bytes for the same
 * seed.
 *
 *   WlyTestModel model;
 *
 *   wly_test_model_init (&model);
 *   model.type = WLP_TYPE_Q4_K;
 *   path       = wly_test_model_save (&model);
 *
 * Weights have deviation 1 / sqrt (n_in), so that activations stay finite.  The vocabulary is SentencePiece's kind:
 * unk, bos, eos, 256 bytes, five control tokens of a chat, letters, words with all their beginnings, then made-up
 * pieces.  Where the output is not tied to the embeddings its rows of eos and <|end|> are zero: greedy generations
 * practically never end by themselves.
 */
#pragma once

#include "gguf/gguf-reader.h"

G_BEGIN_DECLS

/* Ids in the vocabulary. */
enum {
  WLY_TEST_TOKEN_UNK       = 0,
  WLY_TEST_TOKEN_BOS       = 1,
  WLY_TEST_TOKEN_EOS       = 2,
  WLY_TEST_TOKEN_BYTE      = 3, /* of byte 0 */
  WLY_TEST_TOKEN_SYSTEM    = 259,
  WLY_TEST_TOKEN_USER      = 260,
  WLY_TEST_TOKEN_ASSISTANT = 261,
  WLY_TEST_TOKEN_TOOL      = 262,
  WLY_TEST_TOKEN_END       = 263,
  WLY_TEST_TOKEN_FIRST     = 264, /* of the plain pieces */
};

/* A chat template that uses the control tokens. */
#define WLY_TEST_CHAT_TEMPLATE                                                                                         \
  "{% for message in messages %}<|{{ message['role'] }}|>{{ message['content'] }}<|end|>{% endfor %}"                  \
  "{% if add_generation_prompt %}<|assistant|>{% endif %}"

typedef struct {
  const char *architecture; /* prefix of the keys, too */
  const char *name;
  guint n_layers;
  guint n_embd;
  guint n_ff;
  guint n_head;
  guint n_head_kv;
  guint head_dim;
  guint n_ctx;
  guint n_vocab;  /* 0: the pieces that have a meaning; at least WLY_TEST_TOKEN_FIRST */
  guint n_expert; /* 0: dense */
  guint n_expert_used;
  enum wlp_type type; /* of matrices whose rows fit its block; others are Q8_0 or F32 */
  gboolean tied;      /* no output.weight */
  gboolean qkv_bias;  /* attn_q.bias, … */
  gboolean qk_norm;   /* attn_q_norm.weight, attn_k_norm.weight */
  gboolean no_vocab;  /* no tokenizer.* keys */
  float rope_base;
  float norm_epsilon;
  const char *rope_scaling; /* rope.scaling.type, "linear" or "yarn"; NULL: none */
  float rope_factor;
  guint rope_n_ctx_orig;
  gboolean rope_factors;     /* rope_freqs.weight, as llama-3 has it */
  guint sliding_window;      /* attention.sliding_window; 0: no such key */
  guint pooling;             /* pooling_type; 0: no such key */
  const char *chat_template; /* NULL: none */
  guint64 seed;
} WlyTestModel;

/* Llama, 2 layers of 256, 4 heads and 2 for keys, F16, with a chat template: 3 MB. */
void wly_test_model_init (WlyTestModel *model);
/* Llama, 12 layers of 768, Q8_0, 4,096 pieces: 127 MB, to see what takes time and memory. */
void wly_test_model_init_large (WlyTestModel *model);

gboolean wly_test_model_write (const WlyTestModel *model, int fd, GError **error);
/* These fail the test where something goes wrong. */
char *wly_test_model_save (const WlyTestModel *model);    /* path of a new temporary file, (transfer full) */
int wly_test_model_memory (const WlyTestModel *model);    /* descriptor of a memory file */
WlyGguf *wly_test_model_open (const WlyTestModel *model); /* in memory */

G_END_DECLS
