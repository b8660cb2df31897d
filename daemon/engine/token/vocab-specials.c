/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Tokens with a meaning: those that the file names by key, and those that files forget to name, by their well-known
 * texts, as the field does.
 */
#include "token/vocab.h"

#include "wly-error.h"

#include <string.h>

/* Ends a generation, and is no text even where the file says so. */
static const char *const end_texts[] = {
  "<|eot_id|>",
  "<|im_end|>",
  "<|end|>",
  "<|return|>",
  "<|call|>",
  "<|flush|>",
  "<|calls|>",
  "<end_of_turn>",
  "<|endoftext|>",
  "</s>",
  "<|eom_id|>",
  "<EOT>",
  "_<EOT>",
  "[EOT]",
  "[EOS]",
  "<|end_of_text|>",
  "<end_of_utterance>",
  "<eos>",
  "<turn|>",
  "<|tool_response>",
  "<｜end▁of▁sentence｜>",
  "[e~[",
  "<|fim_pad|>",
  "<fim-pad>",
  "<fim_pad>",
  "<|fim_repo|>",
  "<|repo_name|>",
  "<fim-repo>",
  "<REPO>",
  "<reponame>",
  "<|file_sep|>",
};

/* Ends nothing, but is no text either: a file's prefix, suffix and middle. */
static const char *const control_texts[] = {
  "<|fim_prefix|>",  "<fim-prefix>",  "<fim_prefix>",    "<｜fim▁begin｜>", "<PRE>",           "▁<PRE>",
  "<|code_prefix|>", "<|prefix|>",    "<|fim_suffix|>",  "<fim-suffix>",    "<fim_suffix>",    "<｜fim▁hole｜>",
  "<SUF>",           "▁<SUF>",        "<|code_suffix|>", "<|suffix|>",      "<|fim_middle|>",  "<fim-middle>",
  "<fim_middle>",    "<｜fim▁end｜>", "<MID>",           "▁<MID>",          "<|code_middle|>", "<|middle|>",
};

static gint32
find (const WlyVocab *vocab, const char *text)
{
  const gsize n_bytes = strlen (text);

  return wly_token_table_find (&vocab->table, wly_token_table_hash (text, n_bytes), text, n_bytes, NULL, 0);
}

static void
set_end (WlyVocab *vocab, gint32 id, gboolean end)
{
  if (id < 0)
    return;
  if (end)
    vocab->ends[id / 8] |= (guint8)(1 << (id % 8));
  else
    vocab->ends[id / 8] &= (guint8) ~(1 << (id % 8));
}

/* FALSE: the file names a token that is not there.  All ones is how files say none. */
static gboolean
read_id (const WlyVocab *vocab, const char *name, gint32 fallback, gint32 *ret_id, GError **error)
{
  g_autofree char *key = g_strdup_printf ("tokenizer.ggml.%s_token_id", name);
  guint32 id;

  *ret_id = fallback >= 0 && (guint32)fallback < vocab->n_tokens ? fallback : WLY_TOKEN_NONE;
  if (!wly_gguf_get_u32 (vocab->gguf, key, &id))
    return TRUE;
  if (id == G_MAXUINT32) {
    *ret_id = WLY_TOKEN_NONE;
    return TRUE;
  }
  if (id >= vocab->n_tokens) {
    g_set_error (error, WLY_ERROR, WLY_ERROR_INVALID_MODEL, "%s is %u, the vocabulary has %u tokens", key, id,
                 vocab->n_tokens);
    return FALSE;
  }
  *ret_id = (gint32)id;
  return TRUE;
}

static void
mark_by_text (WlyVocab *vocab)
{
  gint32 end;

  for (gsize i = 0; i < G_N_ELEMENTS (end_texts); i++) {
    const gint32 id = find (vocab, end_texts[i]);

    set_end (vocab, id, TRUE);
    if (id >= 0)
      vocab->types[id] = WLY_TOKEN_CONTROL;
  }
  for (gsize i = 0; i < G_N_ELEMENTS (control_texts); i++) {
    const gint32 id = find (vocab, control_texts[i]);

    if (id >= 0)
      vocab->types[id] = WLY_TOKEN_CONTROL;
  }
  /* Where a message ends with return, call or flush, end only parts its channels. */
  end = find (vocab, "<|end|>");
  if ((find (vocab, "<|call|>") >= 0 || find (vocab, "<|calls|>") >= 0)
      && (find (vocab, "<|return|>") >= 0 || find (vocab, "<|flush|>") >= 0))
    set_end (vocab, end, FALSE);
  if (find (vocab, "<|tool_response>") >= 0)
    set_end (vocab, find (vocab, "</s>"), FALSE);
}

static void
read_flag (const WlyVocab *vocab, const char *key, gboolean *ret_flag)
{
  gboolean value;

  if (wly_gguf_get_bool (vocab->gguf, key, &value))
    *ret_flag = value;
}

/* What a kind means where the file says nothing. */
typedef struct {
  gint32 bos, eos, unk, sep;
} DefaultIds;

static const DefaultIds default_ids[] = {
  [WLY_VOCAB_SPM] = { 1, 2, 0, -1 },  [WLY_VOCAB_BPE] = { -1, -1, -1, -1 },  [WLY_VOCAB_WPM] = { 101, -1, 100, 102 },
  [WLY_VOCAB_UGM] = { -1, 1, 2, -1 }, [WLY_VOCAB_RWKV] = { -1, -1, -1, -1 }, [WLY_VOCAB_PLAMO2] = { 1, 2, 0, -1 },
};

/* ---- white space beside tokens ---- */

static gboolean
has_any (const WlyVocab *vocab, const char *key, const char *const *words)
{
  g_autofree char *text  = wly_gguf_dup_string (vocab->gguf, key);
  g_autofree char *lower = text == NULL ? NULL : g_ascii_strdown (text, -1);

  for (gsize i = 0; lower != NULL && words[i] != NULL; i++)
    if (strstr (lower, words[i]) != NULL)
      return TRUE;
  return FALSE;
}

static void
set_trims_behind (WlyVocab *vocab, gint32 id, gboolean trims)
{
  if (id < 0)
    return;
  if (trims)
    vocab->trims_behind[id / 8] |= (guint8)(1 << (id % 8));
  else
    vocab->trims_behind[id / 8] &= (guint8) ~(1 << (id % 8));
}

/* Whether a token takes white space along is not in the file; models that are known to are told by what llama.cpp goes
 * by, too: Phi-3 by its name, with each token of a meaning but three; the mask token of some encoders. */
static void
read_trims (WlyVocab *vocab)
{
  static const char *const jina[] = { "jina-v2-de", "jina-v2-es", "jina-v2-code", NULL };
  static const char *const bert[] = { "nomic-bert-moe", "jina-bert-v3", NULL };
  static const char *const phi[] = { "phi-3", "phi3", NULL }, *const modern[] = { "modern-bert", NULL };
  static const char *const keeping[] = { "<unk>", "<s>", "<|endoftext|>" };

  if (has_any (vocab, "tokenizer.ggml.pre", jina) || has_any (vocab, "general.architecture", bert)) {
    vocab->trims_before = find (vocab, "<mask>");
  } else if (has_any (vocab, "general.name", phi)) {
    vocab->trims_behind = g_malloc0 (vocab->n_tokens / 8 + 1);
    for (guint32 id = 0; id < vocab->n_tokens; id++)
      set_trims_behind (vocab, (gint32)id,
                        vocab->types[id] == WLY_TOKEN_CONTROL || vocab->types[id] == WLY_TOKEN_USER_DEFINED
                            || vocab->types[id] == WLY_TOKEN_UNKNOWN);
    set_trims_behind (vocab, find (vocab, "</s>"), TRUE);
    for (gsize i = 0; i < G_N_ELEMENTS (keeping); i++)
      set_trims_behind (vocab, find (vocab, keeping[i]), FALSE);
  } else if (has_any (vocab, "general.name", modern)) {
    vocab->trims_before = find (vocab, "[MASK]");
  }
}

gboolean
wly_vocab_read_specials (WlyVocab *vocab, GError **error)
{
  static const char *const ends[] = { "eot", "eom", "fim_pad", "fim_rep", "fim_sep" };
  const DefaultIds *defaults      = &default_ids[vocab->kind];
  gint32 id;

  if (!read_id (vocab, "bos", defaults->bos, &vocab->bos, error)
      || !read_id (vocab, "eos", defaults->eos, &vocab->eos, error)
      || !read_id (vocab, "unknown", defaults->unk, &vocab->unk, error)
      || !read_id (vocab, "seperator", defaults->sep, &vocab->sep, error)
      || (vocab->kind == WLY_VOCAB_WPM && !read_id (vocab, "cls", vocab->bos, &vocab->bos, error)))
    return FALSE;
  mark_by_text (vocab);
  set_end (vocab, vocab->eos, TRUE);
  for (gsize i = 0; i < G_N_ELEMENTS (ends); i++) {
    if (!read_id (vocab, ends[i], WLY_TOKEN_NONE, &id, error))
      return FALSE;
    set_end (vocab, id, TRUE);
  }
  read_flag (vocab, "tokenizer.ggml.add_bos_token", &vocab->add_bos);
  read_flag (vocab, "tokenizer.ggml.add_eos_token", &vocab->add_eos);
  read_flag (vocab, "tokenizer.ggml.add_sep_token", &vocab->add_sep);
  read_flag (vocab, "tokenizer.ggml.add_space_prefix", &vocab->add_space_prefix);
  read_flag (vocab, "tokenizer.ggml.remove_extra_whitespaces", &vocab->remove_extra_spaces);
  read_flag (vocab, "tokenizer.ggml.normalizer.lowercase", &vocab->lowercase);
  vocab->strip_accents = vocab->lowercase;
  read_flag (vocab, "tokenizer.ggml.normalizer.strip_accents", &vocab->strip_accents);
  read_trims (vocab);
  return TRUE;
}
