/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "token/pre-split-runs.h"

#include "token/scan.h"

#include <string.h>

static const WlyCodeRange cased_letters[] = {
  { 0x41, 0x5a },       { 0x61, 0x7a },       { 0xb5, 0xb5 },       { 0xc0, 0xd6 },       { 0xd8, 0xf6 },
  { 0xf8, 0x1ba },      { 0x1bc, 0x1bf },     { 0x1c4, 0x293 },     { 0x295, 0x2af },     { 0x370, 0x373 },
  { 0x376, 0x377 },     { 0x37b, 0x37d },     { 0x37f, 0x37f },     { 0x386, 0x386 },     { 0x388, 0x38a },
  { 0x38c, 0x38c },     { 0x38e, 0x3a1 },     { 0x3a3, 0x3f5 },     { 0x3f7, 0x481 },     { 0x48a, 0x52f },
  { 0x531, 0x556 },     { 0x10a0, 0x10c5 },   { 0x13a0, 0x13f5 },   { 0x13f8, 0x13fd },   { 0x1c90, 0x1cba },
  { 0x1cbd, 0x1cbf },   { 0x1d00, 0x1d2b },   { 0x1d6b, 0x1d77 },   { 0x1d79, 0x1d9a },   { 0x1e00, 0x1f15 },
  { 0x1f18, 0x1f1d },   { 0x1f20, 0x1f45 },   { 0x1f48, 0x1f4d },   { 0x1f50, 0x1f57 },   { 0x1f59, 0x1f59 },
  { 0x1f5b, 0x1f5b },   { 0x1f5d, 0x1f5d },   { 0x1f5f, 0x1f7d },   { 0x1f80, 0x1fb4 },   { 0x1fb6, 0x1fbc },
  { 0x1fbe, 0x1fbe },   { 0x1fc2, 0x1fc4 },   { 0x1fc6, 0x1fcc },   { 0x1fd0, 0x1fd3 },   { 0x1fd6, 0x1fdb },
  { 0x1fe0, 0x1fec },   { 0x1ff2, 0x1ff4 },   { 0x1ff6, 0x1ffc },   { 0x2102, 0x2102 },   { 0x2107, 0x2107 },
  { 0x210a, 0x2113 },   { 0x2115, 0x2115 },   { 0x2119, 0x211d },   { 0x2124, 0x2124 },   { 0x2126, 0x2126 },
  { 0x2128, 0x2128 },   { 0x212a, 0x212d },   { 0x212f, 0x2134 },   { 0x2139, 0x2139 },   { 0x213c, 0x213f },
  { 0x2145, 0x2149 },   { 0x214e, 0x214e },   { 0x2183, 0x2184 },   { 0x2c00, 0x2c7b },   { 0x2c7e, 0x2ce4 },
  { 0x2ceb, 0x2cee },   { 0x2cf2, 0x2cf3 },   { 0xa640, 0xa66d },   { 0xa680, 0xa69b },   { 0xa722, 0xa76f },
  { 0xa771, 0xa787 },   { 0xa78b, 0xa78e },   { 0xab70, 0xabbf },   { 0xfb00, 0xfb06 },   { 0xfb13, 0xfb17 },
  { 0xff21, 0xff3a },   { 0xff41, 0xff5a },   { 0x10400, 0x1044f }, { 0x104b0, 0x104d3 }, { 0x104d8, 0x104fb },
  { 0x10c80, 0x10cb2 }, { 0x10cc0, 0x10cf2 }, { 0x118a0, 0x118df }, { 0x1e900, 0x1e943 },
};

static const WlyCodeRange signs[] = {
  { 0x21, 0x2f }, { 0x3a, 0x7e }, { 0x2018, 0x201f }, { 0x3000, 0x3002 }, { 0xff01, 0xff0f }, { 0xff1a, 0xff5e },
};
static const WlyCodeRange cjk[]           = { { 0x800, 0x9fa5 }, { 0xac00, 0xd7ff } };
static const WlyCodeRange cjk_kana[]      = { { 0x3040, 0x30ff }, { 0x4e00, 0x9fa5 } };
static const WlyCodeRange newlines[]      = { { '\n', '\n' }, { '\r', '\r' } };
static const WlyCodeRange falcon_signs[]  = { { '$', '$' }, { '+', '+' }, { '<', '>' }, { '^', '^' },
                                              { '`', '`' }, { '|', '|' }, { '~', '~' } };
static const WlyCodeRange default_signs[] = { { '$', '$' }, { '+', '+' }, { '<', '>' },
                                              { '^', '^' }, { '|', '|' }, { '~', '~' } };

static const WlyCodeRange ascii_signs[] = { { '!', '/' }, { ':', '@' }, { '[', '`' }, { '{', '~' } };
static const WlyCodeRange hangul[]      = { { 0x3131, 0x318e }, { 0xac00, 0xd7a3 } };
static const WlyCodeRange bopomofo[]    = { { 0x3105, 0x312f } };
static const WlyCodeRange wide_signs[]  = { { 0x2014, 0x2014 }, { 0x2018, 0x2019 }, { 0x201c, 0x201d },
                                            { 0x2026, 0x2026 }, { 0x3001, 0x303f }, { 0xfe30, 0xfe4f },
                                            { 0xff01, 0xff01 }, { 0xff0c, 0xff0c }, { 0xff1a, 0xff1b } };
static const WlyCodeRange asian[]       = { { 0xe40, 0xeff },   { 0x1000, 0x109f }, { 0x1100, 0x11ff },
                                            { 0x1780, 0x17ff }, { 0x2f00, 0x2fdf }, { 0x3040, 0x30ff },
                                            { 0x3400, 0x4dbf }, { 0x4e00, 0xfaff }, { 0xff65, 0xff9f } };

const WlyCodeSet wly_pre_split_runs_cased_letters = { cased_letters, G_N_ELEMENTS (cased_letters) };
const WlyCodeSet wly_pre_split_runs_signs         = { signs, G_N_ELEMENTS (signs) };
const WlyCodeSet wly_pre_split_runs_cjk           = { cjk, G_N_ELEMENTS (cjk) };
const WlyCodeSet wly_pre_split_runs_cjk_kana      = { cjk_kana, G_N_ELEMENTS (cjk_kana) };
const WlyCodeSet wly_pre_split_runs_newlines      = { newlines, G_N_ELEMENTS (newlines) };
const WlyCodeSet wly_pre_split_runs_falcon_signs  = { falcon_signs, G_N_ELEMENTS (falcon_signs) };
const WlyCodeSet wly_pre_split_runs_default_signs = { default_signs, G_N_ELEMENTS (default_signs) };

const WlyCodeSet wly_pre_split_runs_ascii_signs = { ascii_signs, G_N_ELEMENTS (ascii_signs) };
const WlyCodeSet wly_pre_split_runs_asian       = { asian, G_N_ELEMENTS (asian) };

static const WlyCodeSet hangul_set             = { hangul, G_N_ELEMENTS (hangul) };
static const WlyCodeSet bopomofo_set           = { bopomofo, G_N_ELEMENTS (bopomofo) };
static const WlyCodeSet wide_signs_set         = { wide_signs, G_N_ELEMENTS (wide_signs) };
static const WlyCodeSet *const youtu_sets[]    = { &hangul_set, &wide_signs_set, &bopomofo_set,
                                                   &wly_pre_split_runs_cjk_kana, NULL };
const WlyPreSplitSets wly_pre_split_runs_youtu = { youtu_sets };

static gboolean
set_has (const WlyCodeSet *set, guint32 code)
{
  gsize low = 0, high = set->n_ranges;

  while (low < high) {
    const gsize middle = (low + high) / 2;

    if (code > set->ranges[middle].last)
      low = middle + 1;
    else if (code < set->ranges[middle].first)
      high = middle;
    else
      return TRUE;
  }
  return FALSE;
}

static gboolean
has (const WlyPreSplitRun *run, WlyScanCharacter character)
{
  if (character.n_bytes == 0)
    return FALSE;
  if (wly_scan_is (character, run->classes))
    return TRUE;
  /* expressions see white space above ASCII as a vertical tab, which is in no set */
  return run->codes != NULL && set_has (run->codes, character.code)
         && !(character.code >= 0x80 && wly_scan_is (character, WLY_SCAN_SPACES));
}

/* The end of a match at @start, @start where there is none. */
static gsize
run_match (WlyScan *scan, gsize start, const WlyPreSplitRun *run)
{
  WlyScanCharacter character = wly_scan_at (scan, start);
  gsize place                = start;
  guint n                    = 0;

  if (run->space && wly_scan_is (character, WLY_SCAN_SPACES)) {
    place += character.n_bytes;
    character = wly_scan_at (scan, place);
    if (!has (run, character)) /* the space alone, if it is in the set: no set has one */
      return start;
  }
  for (; has (run, character) && (run->max == 0 || n < run->max); n++) {
    place += character.n_bytes;
    character = wly_scan_at (scan, place);
  }
  return place;
}

gsize
wly_pre_split_runs_of (WlyScan *scan, gsize start, gconstpointer rules)
{
  const WlyPreSplitRun *run = rules;
  gsize place               = run_match (scan, start, run);

  if (place > start)
    return place;
  /* a match begins with the first of its set, or with the space before that */
  for (gsize space = scan->end;;) {
    const WlyScanCharacter character = wly_scan_at (scan, place);

    if (character.n_bytes == 0)
      return place;
    if (has (run, character))
      return space < place && space > start ? space : place;
    space = run->space && wly_scan_is (character, WLY_SCAN_SPACES) ? place : scan->end;
    place += character.n_bytes;
  }
}

/* The set that the character is in, NULL: none, or no character. */
static const WlyCodeSet *
find_set (const WlyPreSplitSets *rules, WlyScanCharacter character)
{
  if (character.n_bytes == 0 || (character.code >= 0x80 && wly_scan_is (character, WLY_SCAN_SPACES)))
    return NULL;
  for (gsize i = 0; rules->sets[i] != NULL; i++)
    if (set_has (rules->sets[i], character.code))
      return rules->sets[i];
  return NULL;
}

gsize
wly_pre_split_runs_of_sets (WlyScan *scan, gsize start, gconstpointer rules)
{
  WlyScanCharacter character = wly_scan_at (scan, start);
  const WlyCodeSet *set      = find_set (rules, character);
  gsize place                = start;

  do {
    place += character.n_bytes;
    character = wly_scan_at (scan, place);
  } while (character.n_bytes != 0 && find_set (rules, character) == set);
  return place;
}

gsize
wly_pre_split_runs_lines (WlyScan *scan, gsize start, gconstpointer rules)
{
  const char *text = scan->text + start;
  const gsize n    = scan->end - start;
  const char *end;
  gsize length = 0;

  if (*text != '\n') {
    end    = memchr (text, '\n', n);
    length = end == NULL ? n : (gsize)(end - text);
  } else {
    while (length < n && text[length] == '\n')
      length++;
  }
  scan->n_steps += length;
  return start + length;
}

gsize
wly_pre_split_runs_end_space (WlyScan *scan, gsize start, gconstpointer rules)
{
  gsize space = wly_scan_run (scan, start, WLY_SCAN_SPACES), place = space;

  if (space == scan->end)
    return space;
  while (place < scan->end) {
    const gsize next = wly_scan_run (scan, place, 0xffffu & ~WLY_SCAN_SPACES);

    if (next == scan->end)
      return next;
    place = wly_scan_run (scan, next, WLY_SCAN_SPACES);
    if (place == scan->end)
      return next;
  }
  return place;
}

static gboolean
three_digits_at (WlyScan *scan, gsize place)
{
  for (gsize i = 0; i < 3; i++) {
    const guint32 code = wly_scan_at (scan, place + i).code;

    if (code < '0' || code > '9')
      return FALSE;
  }
  return TRUE;
}

gsize
wly_pre_split_runs_three_digits (WlyScan *scan, gsize start, gconstpointer rules)
{
  gsize place = start;

  if (three_digits_at (scan, start))
    return start + 3;
  do
    place += wly_scan_at (scan, place).n_bytes;
  while (place < scan->end && !three_digits_at (scan, place));
  return place;
}

static gboolean
is_bloom (WlyScanCharacter character)
{
  switch (character.code) {
  case '(':
  case ')':
  case '|':
  case '.':
  case ',':
  case '!':
  case '?':
  case 0x2026:
  case 0x3002:
  case 0xff0c:
  case 0x3001:
  case 0x964:
  case 0x6d4:
  case 0x60c:
    return FALSE;
  default:
    return character.n_bytes != 0 && !wly_scan_is (character, WLY_SCAN_SPACES);
  }
}

gsize
wly_pre_split_runs_bloom (WlyScan *scan, gsize start, gconstpointer rules)
{
  WlyScanCharacter character = wly_scan_at (scan, start), next;
  gsize place                = start;

  /* what matches nothing, up to the next match */
  for (;; character = next) {
    next = wly_scan_at (scan, place + character.n_bytes);
    if (character.n_bytes == 0 || is_bloom (character) || (character.code == ' ' && is_bloom (next)))
      break;
    place += character.n_bytes;
  }
  if (place > start)
    return place;
  place += character.n_bytes;
  for (character = wly_scan_at (scan, place); is_bloom (character); character = wly_scan_at (scan, place))
    place += character.n_bytes;
  return place;
}
