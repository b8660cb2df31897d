/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "token/pre-split.h"

#include "token/pre-split-groups.h"
#include "token/pre-split-runs.h"
#include "token/pre-split-words.h"
#include "token/scan.h"

static const WlyPreSplitLlama3 llama3_three           = { .max_digits = 3 };
static const WlyPreSplitLlama3 llama3_one             = { .max_digits = 1 };
static const WlyPreSplitLlama3 llama3_marks           = { .max_digits = 1, .with_marks = TRUE };
static const WlyPreSplitLlama3 llama3_all             = { .max_digits = G_MAXUINT };
static const WlyPreSplitLlama3 llama3_bare            = { .max_digits = 1, .bare_others = TRUE };
static const WlyPreSplitLlama3 llama3_steps_of_spaces = { .max_digits = 3, .stepped_spaces = TRUE };
static const WlyPreSplitCased cased_marks             = { .max_digits = 3, .contractions = TRUE, .with_marks = TRUE };
static const WlyPreSplitCased caseless_one            = {
             .max_digits = 1, .contractions = TRUE, .with_marks = TRUE, .caseless = TRUE
};
static const WlyPreSplitCased caseless_three = {
  .max_digits = 3, .contractions = TRUE, .with_marks = TRUE, .caseless = TRUE
};
static const WlyPreSplitCased cased_tekken = { .max_digits = 1 };
static const WlyPreSplitCased cased_gpt4o  = { .max_digits = 3, .contractions = TRUE };

static const WlyPreSplitRun one_number    = { .classes = WLY_SCAN_NUMBERS, .max = 1 };
static const WlyPreSplitRun three_numbers = { .classes = WLY_SCAN_NUMBERS, .max = 3 };
static const WlyPreSplitRun numbers       = { .classes = WLY_SCAN_NUMBERS };
static const WlyPreSplitRun one_newline   = { .codes = &wly_pre_split_runs_newlines, .max = 1 };
static const WlyPreSplitRun letters       = { .classes = WLY_SCAN_LETTERS, .space = TRUE };
static const WlyPreSplitRun punctuation   = { .classes = WLY_SCAN_PUNCTUATION, .space = TRUE };
static const WlyPreSplitRun cased_letters = { .codes = &wly_pre_split_runs_cased_letters, .space = TRUE };
static const WlyPreSplitRun signs         = { .codes = &wly_pre_split_runs_signs, .space = TRUE };
static const WlyPreSplitRun cjk           = { .codes = &wly_pre_split_runs_cjk };
static const WlyPreSplitRun cjk_kana      = { .codes = &wly_pre_split_runs_cjk_kana };
static const WlyPreSplitRun falcon_signs  = { .classes = WLY_SCAN_PUNCTUATION,
                                              .codes   = &wly_pre_split_runs_falcon_signs };
static const WlyPreSplitRun default_signs = { .classes = WLY_SCAN_PUNCTUATION,
                                              .codes   = &wly_pre_split_runs_default_signs };
static const WlyPreSplitRun one_sign      = { .classes = WLY_SCAN_PUNCTUATION,
                                              .codes   = &wly_pre_split_runs_ascii_signs,
                                              .max     = 1 };
static const WlyPreSplitRun asian         = { .codes = &wly_pre_split_runs_asian };
static const WlyPreSplitRun no_spaces     = { .classes = 0xffffu & ~WLY_SCAN_SPACES };

#define RUNS(rules)                                                                                                    \
  {                                                                                                                    \
    wly_pre_split_runs_of, &(rules)                                                                                    \
  }
#define GPT2                                                                                                           \
  {                                                                                                                    \
    wly_pre_split_words_gpt2, NULL                                                                                     \
  }
#define END                                                                                                            \
  {                                                                                                                    \
    NULL, NULL                                                                                                         \
  }

static const WlyPreSplitStep gpt2_steps[]      = { GPT2, END };
static const WlyPreSplitStep starcoder_steps[] = { RUNS (one_number), GPT2, END };
static const WlyPreSplitStep llama3_steps[]    = { { wly_pre_split_words_llama3, &llama3_three }, END };
static const WlyPreSplitStep qwen2_steps[]     = { { wly_pre_split_words_llama3, &llama3_one }, END };
static const WlyPreSplitStep qwen35_steps[]    = { { wly_pre_split_words_llama3, &llama3_marks }, END };
static const WlyPreSplitStep tekken_steps[]    = { { wly_pre_split_words_cased, &cased_tekken }, END };
static const WlyPreSplitStep gpt4o_steps[]     = { { wly_pre_split_words_cased, &cased_gpt4o }, END };
static const WlyPreSplitStep bloom_steps[]     = { { wly_pre_split_runs_bloom, NULL }, END };
static const WlyPreSplitStep viking_steps[]    = { { wly_pre_split_runs_bloom, NULL }, RUNS (one_number), END };

static const WlyPreSplitStep falcon_steps[] = {
  RUNS (falcon_signs),
  GPT2,
  { wly_pre_split_runs_three_digits, NULL },
  END,
};
static const WlyPreSplitStep default_steps[] = {
  RUNS (default_signs), GPT2, RUNS (numbers), { wly_pre_split_runs_three_digits, NULL }, END,
};
static const WlyPreSplitStep deepseek_llm_steps[] = {
  RUNS (one_newline), RUNS (cased_letters), RUNS (signs), { wly_pre_split_runs_end_space, NULL },
  RUNS (cjk),         RUNS (numbers),       END,
};
static const WlyPreSplitStep deepseek_coder_steps[] = {
  RUNS (one_newline), RUNS (letters), RUNS (punctuation), RUNS (cjk), RUNS (one_number), END,
};
static const WlyPreSplitStep deepseek3_steps[] = {
  RUNS (three_numbers),
  RUNS (cjk_kana),
  { wly_pre_split_words_deepseek3, NULL },
  END,
};

static const WlyPreSplitStep jais2_steps[]     = { { wly_pre_split_words_llama3, &llama3_steps_of_spaces }, END };
static const WlyPreSplitStep seed_steps[]      = { { wly_pre_split_words_llama3, &llama3_bare }, END };
static const WlyPreSplitStep granite_steps[]   = { { wly_pre_split_words_cased, &cased_marks }, END };
static const WlyPreSplitStep kimi_steps[]      = { { wly_pre_split_words_kimi, NULL }, END };
static const WlyPreSplitStep phrases_steps[]   = { { wly_pre_split_words_phrases, NULL }, END };
static const WlyPreSplitStep lines_steps[]     = { { wly_pre_split_runs_lines, NULL }, END };
static const WlyPreSplitStep no_spaces_steps[] = { RUNS (no_spaces), END };
static const WlyPreSplitStep superbpe_steps[]  = { RUNS (numbers), { wly_pre_split_groups_digits, NULL }, END };

static const WlyPreSplitStep minicpm5_steps[] = {
  RUNS (three_numbers),
  { wly_pre_split_words_llama3, &llama3_all },
  END,
};
static const WlyPreSplitStep laguna_steps[] = {
  { wly_pre_split_runs_lines, NULL },
  { wly_pre_split_words_llama3, &llama3_one },
  END,
};
static const WlyPreSplitStep youtu_steps[] = {
  { wly_pre_split_runs_of_sets, &wly_pre_split_runs_youtu },
  { wly_pre_split_words_cased, &caseless_one },
  END,
};
static const WlyPreSplitStep tiny_aya_steps[] = {
  { wly_pre_split_groups_numbers, NULL },
  { wly_pre_split_words_cased, &caseless_three },
  END,
};
static const WlyPreSplitStep afmoe_steps[] = {
  { wly_pre_split_groups_numbers, NULL },
  RUNS (asian),
  { wly_pre_split_words_deepseek3, NULL },
  END,
};
static const WlyPreSplitStep chameleon_steps[] = {
  { wly_pre_split_groups_sentinel, NULL },
  { wly_pre_split_groups_image, NULL },
  { wly_pre_split_groups_tabs, NULL },
  RUNS (one_number),
  RUNS (one_sign),
  GPT2,
  END,
};

#define LLAMA3_FLAGS (WLY_PRE_IGNORE_MERGES | WLY_PRE_ADD_BOS)
#define GEMMA4_FLAGS (WLY_PRE_FORCE_BOS | WLY_PRE_CHARACTERS | WLY_PRE_MARK_SPACES | WLY_PRE_WHOLE_NEWLINES)

static const WlyPreTokenizer pre_tokenizers[] = {
  { "default", 0, default_steps },
  { "llama-bpe", LLAMA3_FLAGS, llama3_steps },
  { "llama3", LLAMA3_FLAGS, llama3_steps },
  { "llama-v3", LLAMA3_FLAGS, llama3_steps },
  { "falcon3", LLAMA3_FLAGS, llama3_steps },
  { "falcon-h1", LLAMA3_FLAGS, llama3_steps },
  { "pixtral", LLAMA3_FLAGS, llama3_steps },
  { "midm-2.0", LLAMA3_FLAGS, llama3_steps },
  { "lfm2", LLAMA3_FLAGS, llama3_steps },
  { "jina-v5-nano", LLAMA3_FLAGS, llama3_steps },
  { "dbrx", 0, llama3_steps },
  { "smaug-bpe", 0, llama3_steps },
  { "glm4", 0, llama3_steps },
  { "chatglm-bpe", 0, llama3_steps },
  { "qwen2", 0, qwen2_steps },
  { "deepseek-r1-qwen", 0, qwen2_steps },
  { "kormo", 0, qwen2_steps },
  { "f2llmv2", 0, qwen2_steps },
  { "megrez", 0, qwen2_steps },
  { "stablelm2", 0, qwen2_steps },
  { "hunyuan", 0, qwen2_steps },
  { "solar-open", 0, qwen2_steps },
  { "grok-2", 0, qwen2_steps },
  { "qwen35", 0, qwen35_steps },
  { "tekken", LLAMA3_FLAGS, tekken_steps },
  { "gpt-4o", 0, gpt4o_steps },
  { "llama4", 0, gpt4o_steps },
  { "kanana2", 0, gpt4o_steps },
  { "talkie", 0, gpt4o_steps },
  { "minimax-m2", 0, gpt4o_steps },
  { "deepseek-llm", 0, deepseek_llm_steps },
  { "deepseek-coder", 0, deepseek_coder_steps },
  { "deepseek-v3", 0, deepseek3_steps },
  { "hunyuan-dense", 0, deepseek3_steps },
  { "joyai-llm", 0, deepseek3_steps },
  { "falcon", 0, falcon_steps },
  { "starcoder", 0, starcoder_steps },
  { "refact", 0, starcoder_steps },
  { "command-r", 0, starcoder_steps },
  { "smollm", 0, starcoder_steps },
  { "codeshell", 0, starcoder_steps },
  { "exaone", 0, starcoder_steps },
  { "minerva-7b", 0, starcoder_steps },
  { "mellum2", 0, starcoder_steps },
  { "gpt-2", 0, gpt2_steps },
  { "phi-2", 0, gpt2_steps },
  { "jina-es", 0, gpt2_steps },
  { "jina-de", 0, gpt2_steps },
  { "jina-v1-en", 0, gpt2_steps },
  { "jina-v2-es", 0, gpt2_steps },
  { "jina-v2-de", 0, gpt2_steps },
  { "jina-v2-code", 0, gpt2_steps },
  { "roberta-bpe", 0, gpt2_steps },
  { "gigachat", 0, gpt2_steps },
  { "a.x-4.0", 0, gpt2_steps },
  { "mellum", 0, gpt2_steps },
  { "modern-bert", 0, gpt2_steps },
  { "mpt", 0, gpt2_steps },
  { "olmo", 0, gpt2_steps },
  { "jais", 0, gpt2_steps },
  { "exaone4", 0, gpt2_steps },
  { "trillion", 0, gpt2_steps },
  { "granite-docling", 0, gpt2_steps },
  { "poro-chat", 0, bloom_steps },
  { "bloom", 0, bloom_steps },
  { "gpt3-finnish", 0, bloom_steps },
  { "viking", 0, viking_steps },
  { "jais-2", 0, jais2_steps },
  { "youtu", WLY_PRE_IGNORE_MERGES, youtu_steps },
  { "chameleon", WLY_PRE_ADD_BOS, chameleon_steps },
  { "granite-embed-multi-97m", WLY_PRE_IGNORE_MERGES, granite_steps },
  { "tiny_aya", 0, tiny_aya_steps },
  { "cohere2moe", 0, tiny_aya_steps },
  { "kimi-k2", WLY_PRE_NO_MERGES, kimi_steps },
  { "superbpe", 0, superbpe_steps },
  { "bailingmoe", 0, qwen2_steps },
  { "bailingmoe2", 0, qwen2_steps },
  { "llada-moe", 0, qwen2_steps },
  { "seed-coder", 0, seed_steps },
  { "afmoe", 0, afmoe_steps },
  { "laguna", 0, laguna_steps },
  { "exaone-moe", 0, phrases_steps },
  { "minicpm5", WLY_PRE_IGNORE_MERGES, minicpm5_steps },
  { "gemma4", GEMMA4_FLAGS, lines_steps },
  { "granite-embed-multi-311m", GEMMA4_FLAGS, lines_steps },
  { "sarvam-moe", WLY_PRE_CHARACTERS | WLY_PRE_MARK_SPACES, lines_steps },
  { "whitespace", WLY_PRE_CHARACTERS, no_spaces_steps },
};

const WlyPreTokenizer *
wly_pre_split_find (const char *name)
{
  for (gsize i = 0; i < G_N_ELEMENTS (pre_tokenizers); i++)
    if (g_str_equal (name, pre_tokenizers[i].name))
      return &pre_tokenizers[i];
  return NULL;
}

void
wly_pre_split_init (WlyPreSplit *split, const WlyPreTokenizer *pre, const char *text, gsize n_bytes)
{
  *split = (WlyPreSplit){ .pre = pre, .scan.text = text, .text_end = n_bytes };
}

gboolean
wly_pre_split_next (WlyPreSplit *split, gsize *ret_start, gsize *ret_end)
{
  gsize end = split->text_end;

  if (split->position == end)
    return FALSE;
  for (gsize i = 0; split->pre->steps[i].find_end != NULL; i++) {
    const WlyPreSplitStep *step = &split->pre->steps[i];

    if (split->ends[i] == split->position) {
      split->scan.end = end;
      split->ends[i]  = step->find_end (&split->scan, split->position, step->rules);
    }
    end = split->ends[i];
  }
  *ret_start      = split->position;
  *ret_end        = end;
  split->position = end;
  return TRUE;
}
