/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "token/pre-split-words.h"

#include "token/scan.h"

/* Bytes of 's|'t|'re|'ve|'m|'ll|'d at @start, where an apostrophe stands; 0: none. */
static gsize
contraction (WlyScan *scan, gsize start, gboolean any_case)
{
  const guint32 fold  = any_case ? 0x20 : 0;
  const guint32 one   = wly_scan_at (scan, start + 1).code | fold;
  const guint32 other = wly_scan_at (scan, start + 2).code | fold;

  if (one == 's' || one == 't' || one == 'm' || one == 'd')
    return 2;
  if ((one == 'r' && other == 'e') || (one == 'v' && other == 'e') || (one == 'l' && other == 'l'))
    return 3;
  return 0;
}

/* \s*[\r\n]+|\s+(?!\S)|\s+ , the first only with @newlines; @start where no white space is. */
static gsize
spaces (WlyScan *scan, gsize start, gboolean newlines)
{
  gsize place = start, last = start, newline_end = start;
  WlyScanCharacter character;

  for (character = wly_scan_at (scan, place); wly_scan_is (character, WLY_SCAN_SPACES);
       character = wly_scan_at (scan, place)) {
    last = place;
    place += character.n_bytes;
    if (wly_scan_is_newline (character))
      newline_end = place;
  }
  if (newlines && newline_end > start)
    return newline_end;
  /* the last space goes with the word behind it */
  return character.n_bytes != 0 && last > start ? last : place;
}

gsize
wly_pre_split_words_gpt2 (WlyScan *scan, gsize start, gconstpointer rules)
{
  static const guint sets[]  = { WLY_SCAN_LETTERS, WLY_SCAN_NUMBERS, WLY_SCAN_OTHERS };
  WlyScanCharacter character = wly_scan_at (scan, start);
  gsize place                = start;

  if (character.code == '\'') {
    const gsize n_bytes = contraction (scan, start, FALSE);

    if (n_bytes > 0)
      return start + n_bytes;
  }
  if (character.code == ' ') {
    place     = start + 1;
    character = wly_scan_at (scan, place);
  }
  for (gsize i = 0; i < G_N_ELEMENTS (sets); i++)
    if (wly_scan_is (character, sets[i]))
      return wly_scan_run (scan, place, sets[i]);
  return spaces (scan, start, FALSE);
}

/*  ?[others]+[\r\n]* , with @slash [\r\n/]*; @start where there is none. */
static gsize
others (WlyScan *scan, gsize start, WlyScanCharacter first, guint set, gboolean slash)
{
  gsize place = first.code == ' ' ? start + 1 : start;

  if (!wly_scan_is (first.code == ' ' ? wly_scan_at (scan, place) : first, set))
    return start;
  place = wly_scan_run (scan, place, set);
  for (;;) {
    const WlyScanCharacter character = wly_scan_at (scan, place);

    if (!wly_scan_is_newline (character) && !(slash && character.code == '/'))
      return place;
    place++;
  }
}

gsize
wly_pre_split_words_llama3 (WlyScan *scan, gsize start, gconstpointer data)
{
  const WlyPreSplitLlama3 *rules = data;
  const guint word_set           = rules->with_marks ? WLY_SCAN_LETTERS | WLY_SCAN_MARKS : WLY_SCAN_LETTERS;
  const guint other_set          = rules->with_marks ? WLY_SCAN_OTHERS & ~WLY_SCAN_MARKS : WLY_SCAN_OTHERS;
  const WlyScanCharacter first   = wly_scan_at (scan, start);
  gsize end;

  if (first.code == '\'' && (end = contraction (scan, start, TRUE)) > 0)
    return start + end;
  if (wly_scan_is (first, word_set))
    return wly_scan_run (scan, start, word_set);
  if (wly_scan_is (first, WLY_SCAN_NUMBERS))
    return wly_scan_run_at_most (scan, start, WLY_SCAN_NUMBERS, rules->max_digits);
  if (!wly_scan_is_newline (first) && wly_scan_is (wly_scan_at (scan, start + first.n_bytes), word_set))
    return wly_scan_run (scan, start + first.n_bytes, word_set);
  end = others (scan, start, first, other_set, FALSE);
  return end > start ? end : spaces (scan, start, TRUE);
}

static gboolean
is_ascii_letter (WlyScanCharacter character)
{
  return character.code < 0x80 && wly_scan_is (character, WLY_SCAN_LETTERS);
}

/* The end of a match at @start, @start where there is none. */
static gsize
deepseek3_match (WlyScan *scan, gsize start)
{
  const guint word_set         = WLY_SCAN_LETTERS | WLY_SCAN_MARKS;
  const guint sign_set         = WLY_SCAN_PUNCTUATION | WLY_SCAN_SYMBOLS;
  const WlyScanCharacter first = wly_scan_at (scan, start);
  gsize end                    = start + first.n_bytes;

  if (first.code < 0x80 && wly_scan_is (first, sign_set) && is_ascii_letter (wly_scan_at (scan, end))) {
    while (is_ascii_letter (wly_scan_at (scan, end)))
      end++;
    return end;
  }
  if (wly_scan_is (first, word_set))
    return wly_scan_run (scan, start, word_set);
  if (!wly_scan_is_newline (first) && !wly_scan_is (first, sign_set) && wly_scan_is (wly_scan_at (scan, end), word_set))
    return wly_scan_run (scan, end, word_set);
  end = others (scan, start, first, sign_set, FALSE);
  return end > start ? end : spaces (scan, start, TRUE);
}

gsize
wly_pre_split_words_deepseek3 (WlyScan *scan, gsize start, gconstpointer rules)
{
  gsize place = deepseek3_match (scan, start);

  if (place > start)
    return place;
  /* numbers, controls and the like match nothing: one piece of them up to the next match */
  do
    place += wly_scan_at (scan, place).n_bytes;
  while (place < scan->end && deepseek3_match (scan, place) == place);
  return place;
}

static gboolean
is_upper (WlyScanCharacter character)
{
  return wly_scan_is (character, WLY_SCAN_LETTERS) && !(character.code >= 'a' && character.code <= 'z');
}

static gboolean
is_lower (WlyScanCharacter character)
{
  return wly_scan_is (character, WLY_SCAN_LETTERS) && !(character.code >= 'A' && character.code <= 'Z');
}

/* U*L+|U+L* at @start, where a letter stands. */
static gsize
cased_word (WlyScan *scan, gsize start)
{
  gsize place = start, after_both = start;
  WlyScanCharacter character = wly_scan_at (scan, place);

  for (; is_upper (character); character = wly_scan_at (scan, place)) {
    place += character.n_bytes;
    if (is_lower (character))
      after_both = place; /* a letter without case, which L+ may have, too */
  }
  if (!is_lower (character))
    return after_both > start ? after_both : place;
  for (; is_lower (character); character = wly_scan_at (scan, place))
    place += character.n_bytes;
  return place;
}

gsize
wly_pre_split_words_cased (WlyScan *scan, gsize start, gconstpointer data)
{
  const WlyPreSplitCased *rules = data;
  const WlyScanCharacter first  = wly_scan_at (scan, start);
  gsize word                    = start, end;

  if (!wly_scan_is (first, WLY_SCAN_LETTERS)) {
    if (wly_scan_is (first, WLY_SCAN_NUMBERS))
      return wly_scan_run_at_most (scan, start, WLY_SCAN_NUMBERS, rules->max_digits);
    if (!wly_scan_is_newline (first))
      word = start + first.n_bytes;
  }
  if (wly_scan_is (wly_scan_at (scan, word), WLY_SCAN_LETTERS)) {
    end = cased_word (scan, word);
    if (rules->contractions && wly_scan_at (scan, end).code == '\'')
      end += contraction (scan, end, TRUE);
    return end;
  }
  end = others (scan, start, first, WLY_SCAN_OTHERS, TRUE);
  return end > start ? end : spaces (scan, start, TRUE);
}
