/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "token/pre-split-words.h"

#include "token/scan.h"

/* Bytes of 's|'t|'re|'ve|'m|'ll|'d at @start, where an apostrophe stands; 0: none. */
static gsize
contraction (WlyScan *scan, gsize start, gboolean any_case)
{
  const guint32 fold = any_case ? 0x20 : 0;
  const guint32 one  = wly_scan_at (scan, start + 1).code | fold;
  guint32 other;

  if (one == 's' || one == 't' || one == 'm' || one == 'd')
    return 2;
  if (one != 'r' && one != 'v' && one != 'l')
    return 0; /* and the next byte may be amidst a character */
  other = wly_scan_at (scan, start + 2).code | fold;
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

/* \s*[\r\n]+|\s{512}(?!\S)|…|\s{4}(?!\S)|\s{1,2}(?!\S)|\s{1}; white space stands at @start. */
static gsize
stepped_spaces (WlyScan *scan, gsize start)
{
  gsize places[513], n = 0, step = 512, place = start;
  WlyScanCharacter character;

  if (start >= scan->run_end) {
    const gsize end = spaces (scan, start, TRUE);

    scan->run_end = wly_scan_run (scan, start, WLY_SCAN_SPACES);
    if (end > start && (scan->text[end - 1] == '\n' || scan->text[end - 1] == '\r'))
      return end;
  }
  for (; n < G_N_ELEMENTS (places) && place < scan->run_end; n++) {
    character = wly_scan_at (scan, place);
    place += character.n_bytes;
    places[n] = place;
  }
  /* the last one before a word does not count, unless it is alone */
  if (n < G_N_ELEMENTS (places) && scan->run_end < scan->end)
    n--;
  while (step > MAX (n, 1))
    step /= 2;
  return places[step - 1];
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

typedef enum {
  TAIL_NONE,
  TAIL_NEWLINES,         /* [\r\n]* */
  TAIL_NEWLINES_SLASHES, /* [\r\n/]* */
  TAIL_ONE,              /* [\r\n/]? */
} Tail;

/*  ?[others]+ and the tail; @start where there is none. */
static gsize
others (WlyScan *scan, gsize start, WlyScanCharacter first, guint set, Tail tail)
{
  gsize place = first.code == ' ' ? start + 1 : start;

  if (!wly_scan_is (first.code == ' ' ? wly_scan_at (scan, place) : first, set))
    return start;
  place = wly_scan_run (scan, place, set);
  while (tail != TAIL_NONE) {
    const WlyScanCharacter character = wly_scan_at (scan, place);

    if (!wly_scan_is_newline (character) && !(tail >= TAIL_NEWLINES_SLASHES && character.code == '/'))
      break;
    place++;
    if (tail == TAIL_ONE)
      break;
  }
  return place;
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
  end = others (scan, start, first, other_set, rules->bare_others ? TAIL_NONE : TAIL_NEWLINES);
  if (end > start)
    return end;
  return rules->stepped_spaces ? stepped_spaces (scan, start) : spaces (scan, start, TRUE);
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
  end = others (scan, start, first, sign_set, TAIL_NEWLINES);
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

/* U*L+ at @start, @start where there is none; @ret_upper is the end of U* there. */
static gsize
upper_lower (WlyScan *scan, gsize start, guint letters, gsize *ret_upper)
{
  gsize place = start, after_both = start;
  WlyScanCharacter character = wly_scan_at (scan, place);

  for (; wly_scan_is (character, letters) && !(character.code >= 'a' && character.code <= 'z');
       character = wly_scan_at (scan, place)) {
    place += character.n_bytes;
    if (!(character.code >= 'A' && character.code <= 'Z'))
      after_both = place; /* a letter without case, which L+ may have, too */
  }
  *ret_upper = place;
  if (!wly_scan_is (character, letters))
    return after_both;
  for (; wly_scan_is (character, letters) && !(character.code >= 'A' && character.code <= 'Z');
       character = wly_scan_at (scan, place))
    place += character.n_bytes;
  return place;
}

/* [^\r\n\p{L}\p{N}]?U*L+|[^\r\n\p{L}\p{N}]?U+L*; @start where there is none.  @first is no number and no newline, or
 * no letter stands behind it. */
static gsize
cased_word (WlyScan *scan, gsize start, WlyScanCharacter first, const WlyPreSplitCased *rules)
{
  const guint letters = rules->with_marks ? WLY_SCAN_LETTERS | WLY_SCAN_MARKS : WLY_SCAN_LETTERS;
  const gsize after   = start + first.n_bytes;
  gsize upper, end = start;

  if (rules->caseless && wly_scan_is (first, letters))
    return wly_scan_run (scan, start, letters);
  if (wly_scan_is (first, WLY_SCAN_LETTERS)) {
    end = upper_lower (scan, start, letters, &upper);
    return end > start ? end : upper;
  }
  if (!wly_scan_is_newline (first) && wly_scan_is (wly_scan_at (scan, after), letters)) {
    if (rules->caseless)
      return wly_scan_run (scan, after, letters);
    end = upper_lower (scan, after, letters, &upper);
    if (end > after)
      return end;
    /* a mark that could be the leading character is rather a U*L+ by itself than before U+ */
    return wly_scan_is (first, letters) ? after : upper;
  }
  return wly_scan_is (first, letters) ? after : start;
}

gsize
wly_pre_split_words_cased (WlyScan *scan, gsize start, gconstpointer data)
{
  const WlyPreSplitCased *rules = data;
  const WlyScanCharacter first  = wly_scan_at (scan, start);
  gsize end;

  if (wly_scan_is (first, WLY_SCAN_NUMBERS))
    return wly_scan_run_at_most (scan, start, WLY_SCAN_NUMBERS, rules->max_digits);
  end = cased_word (scan, start, first, rules);
  if (end > start) {
    if (rules->contractions && wly_scan_at (scan, end).code == '\'')
      end += contraction (scan, end, TRUE);
    return end;
  }
  end = others (scan, start, first, WLY_SCAN_OTHERS, TAIL_NEWLINES_SLASHES);
  return end > start ? end : spaces (scan, start, TRUE);
}

static gboolean
is_han (WlyScanCharacter character)
{
  static const struct {
    guint32 first, last;
  } ranges[] = {
    { 0x3400, 0x4dbf },   { 0x4e00, 0x9fff },   { 0xf900, 0xfaff },   { 0x20000, 0x2a6df }, { 0x2a700, 0x2b73f },
    { 0x2b740, 0x2b81f }, { 0x2b820, 0x2ceaf }, { 0x2ceb0, 0x2ebef }, { 0x2f800, 0x2fa1f },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (ranges); i++)
    if (character.code >= ranges[i].first && character.code <= ranges[i].last)
      return character.n_bytes != 0;
  return FALSE;
}

static gboolean
is_other_letter (WlyScanCharacter character)
{
  return wly_scan_is (character, WLY_SCAN_LETTERS) && !is_han (character);
}

gsize
wly_pre_split_words_kimi (WlyScan *scan, gsize start, gconstpointer rules)
{
  const WlyScanCharacter first = wly_scan_at (scan, start);
  gsize end                    = start;

  while (is_han (wly_scan_at (scan, end)))
    end += wly_scan_at (scan, end).n_bytes;
  if (end > start)
    return end;
  if (wly_scan_is (first, WLY_SCAN_NUMBERS))
    return wly_scan_run_at_most (scan, start, WLY_SCAN_NUMBERS, 3);
  if (!wly_scan_is_newline (first)
      && (is_other_letter (first) || is_other_letter (wly_scan_at (scan, start + first.n_bytes)))) {
    end = start + first.n_bytes;
    while (is_other_letter (wly_scan_at (scan, end)))
      end += wly_scan_at (scan, end).n_bytes;
    return wly_scan_at (scan, end).code == '\'' ? end + contraction (scan, end, TRUE) : end;
  }
  end = others (scan, start, first, WLY_SCAN_OTHERS, TAIL_NEWLINES);
  return end > start ? end : spaces (scan, start, TRUE);
}

/* (?:\p{L}\p{M}*(?: \p{L}\p{M}*)*)+ at @start, where a letter stands. */
static gsize
phrase (WlyScan *scan, gsize start)
{
  gsize place = start;

  for (;;) {
    const WlyScanCharacter character = wly_scan_at (scan, place);

    if (wly_scan_is (character, WLY_SCAN_LETTERS))
      place = wly_scan_run (scan, place + character.n_bytes, WLY_SCAN_MARKS);
    else if (character.code == ' ' && wly_scan_is (wly_scan_at (scan, place + 1), WLY_SCAN_LETTERS))
      place++;
    else
      return place;
  }
}

gsize
wly_pre_split_words_phrases (WlyScan *scan, gsize start, gconstpointer rules)
{
  const WlyScanCharacter first = wly_scan_at (scan, start);
  gsize end;

  if (first.code == '\'' && (end = contraction (scan, start, TRUE)) > 0)
    return start + end;
  if (wly_scan_is (first, WLY_SCAN_LETTERS))
    return phrase (scan, start);
  if (wly_scan_is (first, WLY_SCAN_NUMBERS))
    return start + first.n_bytes;
  if (!wly_scan_is_newline (first) && wly_scan_is (wly_scan_at (scan, start + first.n_bytes), WLY_SCAN_LETTERS))
    return phrase (scan, start + first.n_bytes);
  end = others (scan, start, first, WLY_SCAN_OTHERS, TAIL_ONE);
  return end > start ? end : spaces (scan, start, TRUE);
}
