/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "grammar/language.h"
#include "token/unicode.h"

#include <string.h>

#define STATES_MAX 20000
#define CELLS_MAX  4000000 /* states times columns */
#define N_CODES    (WLY_LANGUAGE_END + 1)

void
wly_dfa_free (WlyDfa *dfa)
{
  if (dfa == NULL)
    return;
  g_free (dfa->bounds);
  g_free (dfa->columns);
  g_free (dfa->next);
  g_free (dfa->accepts);
  g_free (dfa);
}

static int
compare_codes (gconstpointer a, gconstpointer b)
{
  guint32 x = *(const guint32 *)a;
  guint32 y = *(const guint32 *)b;

  return x < y ? -1 : x > y;
}

/* Sorted, each once, from 0 to N_CODES. */
static guint32 *
settle_bounds (GArray *codes, guint32 *ret_n_parts)
{
  const guint32 ends[] = { 0, N_CODES, WLY_LANGUAGE_BEGIN, WLY_LANGUAGE_END };
  guint32 n            = 0;
  guint32 *bounds;

  g_array_append_vals (codes, ends, G_N_ELEMENTS (ends));
  g_array_sort (codes, compare_codes);
  bounds = g_new (guint32, codes->len);
  for (guint i = 0; i < codes->len; i++)
    if (n == 0 || bounds[n - 1] != g_array_index (codes, guint32, i))
      bounds[n++] = g_array_index (codes, guint32, i);
  *ret_n_parts = n - 1;
  return bounds;
}

static guint32
part_of (const WlyDfa *dfa, guint32 code)
{
  guint32 low = 0, high = dfa->n_parts;

  while (high - low > 1) {
    guint32 middle = low + (high - low) / 2;

    if (dfa->bounds[middle] <= code)
      low = middle;
    else
      high = middle;
  }
  return low;
}

static guint32
step (const WlyDfa *dfa, guint32 state, guint32 code)
{
  return dfa->next[(gsize)state * dfa->n_columns + dfa->columns[part_of (dfa, code)]];
}

/* One without states, and a column for each part. */
static WlyDfa *
dfa_with_bounds (GArray *codes)
{
  WlyDfa *dfa = g_new0 (WlyDfa, 1);

  dfa->bounds    = settle_bounds (codes, &dfa->n_parts);
  dfa->columns   = g_new (guint32, dfa->n_parts);
  dfa->n_columns = dfa->n_parts;
  for (guint32 p = 0; p < dfa->n_parts; p++)
    dfa->columns[p] = p;
  return dfa;
}

/* Parts with equal keys share a column; gives a part of each column. */
static guint32 *
share_columns (WlyDfa *dfa, const guint64 *keys)
{
  g_autoptr (GHashTable) found = g_hash_table_new (g_int64_hash, g_int64_equal);
  guint32 *parts               = g_new (guint32, dfa->n_parts);

  dfa->n_columns = 0;
  for (guint32 p = 0; p < dfa->n_parts; p++) {
    gpointer column = g_hash_table_lookup (found, &keys[p]);

    if (column == NULL) {
      parts[dfa->n_columns] = p;
      column                = GUINT_TO_POINTER (++dfa->n_columns);
      g_hash_table_insert (found, (gpointer)&keys[p], column);
    }
    dfa->columns[p] = GPOINTER_TO_UINT (column) - 1;
  }
  return parts;
}

/* Room for one more state, which is empty; FALSE: too large. */
static gboolean
add_state (WlyDfa *dfa, guint32 *room)
{
  if (dfa->n_states >= STATES_MAX || (guint64)(dfa->n_states + 1) * dfa->n_columns > CELLS_MAX)
    return FALSE;
  if (dfa->n_states == *room) {
    *room        = MAX (16, 2 * *room);
    dfa->next    = g_renew (guint32, dfa->next, (gsize)*room * dfa->n_columns);
    dfa->accepts = g_renew (guint8, dfa->accepts, *room);
  }
  memset (dfa->next + (gsize)dfa->n_states * dfa->n_columns, 0, dfa->n_columns * sizeof (guint32));
  dfa->accepts[dfa->n_states++] = FALSE;
  return TRUE;
}

/* ---- from many ways to one ---- */

typedef struct {
  guint32 n;
  guint32 number;
  guint32 states[]; /* sorted */
} Subset;

typedef struct {
  const WlyLanguage *language;
  guint32 *first; /* [n_states + 1] where a state's edges begin in `edges` */
  WlyLanguageEdge *edges;
  guint32 *reach; /* [n_edges][2] first and last part of an edge */
  guint32 *parts; /* [n_columns] a part of each */
  WlyDfa *dfa;
  guint32 room;
  GHashTable *subsets; /* Subset: itself */
  GPtrArray *order;    /* Subset by number; owned by `subsets` */
  guint32 *seen;       /* [n_states] */
  guint32 n_seen;
  GArray *pending; /* guint32 */
  guint64 work, work_max;
} Making;

static guint
subset_hash (gconstpointer key)
{
  const Subset *subset = key;
  guint hash           = subset->n;

  for (guint32 i = 0; i < subset->n; i++)
    hash = (hash ^ subset->states[i]) * 0x9e3779b1u;
  return hash ^ hash >> 15;
}

static gboolean
subset_equal (gconstpointer a, gconstpointer b)
{
  const Subset *x = a;
  const Subset *y = b;

  return x->n == y->n && memcmp (x->states, y->states, x->n * sizeof *x->states) == 0;
}

static int
compare_edges (const void *a, const void *b)
{
  const WlyLanguageEdge *x = a;
  const WlyLanguageEdge *y = b;

  return x->from < y->from ? -1 : x->from > y->from;
}

/* Code points that lie in the same ranges of edges need one column only. */
static void
make_columns (Making *making, guint n_edges)
{
  g_autoptr (GHashTable) seen = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, NULL);
  g_autofree guint64 *keys    = g_new0 (guint64, making->dfa->n_parts);

  for (guint i = 0; i < n_edges; i++) {
    guint32 low = making->reach[2 * i], high = making->reach[2 * i + 1];
    guint64 range = (guint64)low << 32 | high;

    if (making->edges[i].low > making->edges[i].high || !g_hash_table_add (seen, g_memdup2 (&range, sizeof range)))
      continue;
    making->work += high - low + 1;
    for (guint32 p = low; p <= high; p++)
      keys[p] = (keys[p] ^ (range + 3)) * 0x9e3779b97f4a7c15u + (keys[p] >> 29);
  }
  /* the marks stay by themselves */
  keys[part_of (making->dfa, WLY_LANGUAGE_BEGIN)] = 1;
  keys[part_of (making->dfa, WLY_LANGUAGE_END)]   = 2;
  making->parts                                   = share_columns (making->dfa, keys);
}

static void
begin_making (Making *making, const WlyLanguage *language)
{
  g_autoptr (GArray) codes = g_array_new (FALSE, FALSE, sizeof (guint32));
  guint n                  = language->edges->len;

  making->language = language;
  making->edges    = g_memdup2 (language->edges->data, n * sizeof *making->edges);
  making->first    = g_new0 (guint32, language->n_states + 1);
  making->reach    = g_new0 (guint32, 2 * (gsize)n + 1);
  making->seen     = g_new0 (guint32, language->n_states);
  making->pending  = g_array_new (FALSE, FALSE, sizeof (guint32));
  making->order    = g_ptr_array_new ();
  making->subsets  = g_hash_table_new_full (subset_hash, subset_equal, g_free, NULL);
  if (n > 0)
    qsort (making->edges, n, sizeof *making->edges, compare_edges);
  for (guint i = 0; i < n; i++) {
    const guint32 bounds[] = { making->edges[i].low, making->edges[i].high + 1 };

    making->first[making->edges[i].from + 1] = i + 1;
    if (bounds[0] < bounds[1])
      g_array_append_vals (codes, bounds, 2);
  }
  for (guint32 s = 0; s < language->n_states; s++)
    making->first[s + 1] = MAX (making->first[s + 1], making->first[s]);
  making->dfa = dfa_with_bounds (codes);
  for (guint i = 0; i < n; i++) {
    if (making->edges[i].low > making->edges[i].high)
      continue;
    making->reach[2 * i]     = part_of (making->dfa, making->edges[i].low);
    making->reach[2 * i + 1] = part_of (making->dfa, making->edges[i].high);
  }
  make_columns (making, n);
}

static void
end_making (Making *making)
{
  g_free (making->edges);
  g_free (making->first);
  g_free (making->reach);
  g_free (making->parts);
  g_free (making->seen);
  g_array_unref (making->pending);
  g_ptr_array_unref (making->order);
  g_hash_table_unref (making->subsets);
}

static void
meet (Making *making, guint32 state)
{
  if (making->seen[state] == making->n_seen)
    return;
  making->seen[state] = making->n_seen;
  g_array_append_val (making->pending, state);
}

/* The number of the subset that is in `pending`, once what needs no reading is followed; FALSE: too large. */
static gboolean
settle (Making *making, guint32 *ret_number)
{
  g_autofree Subset *subset = NULL;
  Subset *found;

  *ret_number = 0;
  if (making->pending->len == 0)
    return TRUE;
  for (guint i = 0; i < making->pending->len; i++) {
    guint32 state = g_array_index (making->pending, guint32, i);

    making->work += 1 + making->first[state + 1] - making->first[state];
    for (guint32 e = making->first[state]; e < making->first[state + 1]; e++)
      if (making->edges[e].low > making->edges[e].high)
        meet (making, making->edges[e].to);
  }
  g_array_sort (making->pending, compare_codes);
  subset    = g_malloc (sizeof *subset + making->pending->len * sizeof (guint32));
  subset->n = making->pending->len;
  memcpy (subset->states, making->pending->data, subset->n * sizeof (guint32));
  found = g_hash_table_lookup (making->subsets, subset);
  if (found != NULL) {
    *ret_number = found->number;
    return TRUE;
  }
  if (making->work > making->work_max || !add_state (making->dfa, &making->room))
    return FALSE;
  *ret_number = subset->number         = making->dfa->n_states - 1;
  making->dfa->accepts[subset->number] = making->seen[making->language->end] == making->n_seen;
  g_ptr_array_add (making->order, subset);
  g_hash_table_add (making->subsets, g_steal_pointer (&subset));
  return TRUE;
}

static gboolean
make_row (Making *making, const Subset *subset)
{
  for (guint32 c = 0; c < making->dfa->n_columns; c++) {
    guint32 part = making->parts[c];
    guint32 number;

    g_array_set_size (making->pending, 0);
    making->n_seen++;
    for (guint32 i = 0; i < subset->n; i++) {
      guint32 state = subset->states[i];

      making->work += making->first[state + 1] - making->first[state];
      for (guint32 e = making->first[state]; e < making->first[state + 1]; e++)
        if (making->edges[e].low <= making->edges[e].high && making->reach[2 * e] <= part
            && part <= making->reach[2 * e + 1])
          meet (making, making->edges[e].to);
    }
    if (!settle (making, &number))
      return FALSE;
    making->dfa->next[(gsize)subset->number * making->dfa->n_columns + c] = number;
  }
  return TRUE;
}

static gboolean
make (Making *making)
{
  guint32 number;

  if (!add_state (making->dfa, &making->room))
    return FALSE;
  making->n_seen = 1;
  meet (making, making->language->start);
  if (!settle (making, &making->dfa->start))
    return FALSE;
  for (number = 0; number < making->order->len; number++)
    if (!make_row (making, making->order->pdata[number]))
      return FALSE;
  return TRUE;
}

/* Leaves the marks out: what the mark of the end leads to an end ends there. */
static void
drop_marks (WlyDfa *dfa)
{
  guint32 begin         = dfa->columns[part_of (dfa, WLY_LANGUAGE_BEGIN)];
  guint32 end           = dfa->columns[part_of (dfa, WLY_LANGUAGE_END)];
  g_autofree guint8 *is = g_memdup2 (dfa->accepts, dfa->n_states);

  for (guint32 s = 0; s < dfa->n_states; s++) {
    guint32 *row = dfa->next + (gsize)s * dfa->n_columns;

    dfa->accepts[s] = is[s] || is[row[end]];
    row[begin] = row[end] = 0;
  }
}

/* The language of texts between the marks, where the expression need not read these itself. */
static WlyLanguage *
with_marks (const WlyLanguage *language, WlyLanguageUse use)
{
  WlyLanguage *marked = wly_language_new ();
  guint32 start, end;

  g_array_append_vals (marked->edges, language->edges->data, language->edges->len);
  marked->n_states = language->n_states;
  start            = wly_language_add_state (marked);
  end              = wly_language_add_state (marked);
  if (use == WLY_LANGUAGE_PART) {
    wly_language_add_range (marked, start, 0, WLY_LANGUAGE_BEGIN, start);
    wly_language_add_range (marked, end, 0, WLY_LANGUAGE_END, end);
  }
  wly_language_add_empty (marked, start, language->start);
  wly_language_add_empty (marked, language->end, end);
  if (use == WLY_LANGUAGE_WHOLE) {
    guint32 begun = wly_language_add_state (marked);

    /* the marks may stand unread */
    wly_language_add_range (marked, start, WLY_LANGUAGE_BEGIN, WLY_LANGUAGE_BEGIN, begun);
    wly_language_add_empty (marked, begun, language->start);
    wly_language_add_range (marked, language->end, WLY_LANGUAGE_END, WLY_LANGUAGE_END, end);
  }
  marked->start = start;
  marked->end   = end;
  return marked;
}

WlyDfa *
wly_dfa_new (const WlyLanguage *language, WlyLanguageUse use, guint64 work_max)
{
  g_autoptr (WlyLanguage) marked = with_marks (language, use);
  Making making                  = { .work_max = work_max };
  gboolean made;
  WlyDfa *dfa;

  begin_making (&making, marked);
  made = make (&making);
  end_making (&making);
  dfa       = making.dfa;
  dfa->work = making.work;
  if (!made) {
    wly_dfa_free (dfa);
    return NULL;
  }
  /* every text begins with the mark of its beginning */
  dfa->start = step (dfa, dfa->start, WLY_LANGUAGE_BEGIN);
  drop_marks (dfa);
  return dfa;
}

/* ---- simple ones ---- */

WlyDfa *
wly_dfa_new_length (guint32 min, guint32 max)
{
  g_autoptr (GArray) codes = g_array_new (FALSE, FALSE, sizeof (guint32));
  g_autoptr (WlyDfa) dfa   = dfa_with_bounds (codes);
  guint32 n                = max == WLY_AUTOMATON_ENDLESS ? min : max;
  guint32 room             = 0;

  if (n >= STATES_MAX || !add_state (dfa, &room))
    return NULL;
  for (guint32 i = 0; i <= n; i++) {
    if (!add_state (dfa, &room))
      return NULL;
    dfa->accepts[i + 1] = i >= min;
    if (i > 0)
      dfa->next[(gsize)i * dfa->n_columns] = i + 1;
  }
  if (max == WLY_AUTOMATON_ENDLESS)
    dfa->next[(gsize)(n + 1) * dfa->n_columns] = n + 1;
  dfa->start = min > max ? 0 : 1;
  return g_steal_pointer (&dfa);
}

WlyDfa *
wly_dfa_new_texts (const GPtrArray *texts)
{
  g_autoptr (WlyLanguage) language = wly_language_new ();

  language->start = wly_language_add_state (language);
  language->end   = wly_language_add_state (language);
  for (guint i = 0; i < texts->len; i++) {
    const char *text = texts->pdata[i];
    guint32 at       = language->start;

    for (gsize n; *text != '\0'; text += n) {
      guint32 code = wly_unicode_get (text, &n);
      guint32 next = wly_language_add_state (language);

      wly_language_add_range (language, at, code, code, next);
      at = next;
    }
    wly_language_add_empty (language, at, language->end);
    if (language->n_states > 10 * WLY_LANGUAGE_STATES_MAX)
      return NULL;
  }
  return wly_dfa_new (language, WLY_LANGUAGE_WHOLE, WLY_DFA_WORK_MAX);
}

/* ---- two of them ---- */

static guint32
pair_number (GHashTable *numbers, GArray *pairs, guint64 pair)
{
  gpointer found = g_hash_table_lookup (numbers, &pair);

  if (found == NULL) {
    g_array_append_val (pairs, pair);
    found = GUINT_TO_POINTER (pairs->len);
    g_hash_table_insert (numbers, g_memdup2 (&pair, sizeof pair), found);
  }
  return GPOINTER_TO_UINT (found);
}

WlyDfa *
wly_dfa_combine (const WlyDfa *a, const WlyDfa *b, gboolean without)
{
  g_autoptr (GArray) codes       = g_array_new (FALSE, FALSE, sizeof (guint32));
  g_autoptr (GArray) pairs       = g_array_new (FALSE, FALSE, sizeof (guint64));
  g_autoptr (GHashTable) numbers = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, NULL);
  g_autoptr (WlyDfa) dfa         = NULL;
  g_autofree guint64 *keys       = NULL;
  g_autofree guint32 *parts      = NULL;
  guint32 room                   = 0;

  g_array_append_vals (codes, a->bounds, a->n_parts);
  g_array_append_vals (codes, b->bounds, b->n_parts);
  dfa  = dfa_with_bounds (codes);
  keys = g_new (guint64, dfa->n_parts);
  for (guint32 p = 0; p < dfa->n_parts; p++)
    keys[p] = (guint64)a->columns[part_of (a, dfa->bounds[p])] << 32 | b->columns[part_of (b, dfa->bounds[p])];
  parts = share_columns (dfa, keys);
  if (!add_state (dfa, &room))
    return NULL;
  dfa->start = pair_number (numbers, pairs, (guint64)a->start << 32 | b->start);
  for (guint i = 0; i < pairs->len; i++) {
    guint64 pair = g_array_index (pairs, guint64, i);
    guint32 x = (guint32)(pair >> 32), y = (guint32)pair;

    if (!add_state (dfa, &room))
      return NULL;
    dfa->accepts[i + 1] = a->accepts[x] && (b->accepts[y] != 0) == !without;
    for (guint32 c = 0; c < dfa->n_columns; c++) {
      guint32 to_x = a->next[(gsize)x * a->n_columns + (keys[parts[c]] >> 32)];
      guint32 to_y = b->next[(gsize)y * b->n_columns + (guint32)keys[parts[c]]];

      /* the marks lead nowhere in either */
      if (to_x != 0 && (to_y != 0 || without))
        dfa->next[(gsize)(i + 1) * dfa->n_columns + c] = pair_number (numbers, pairs, (guint64)to_x << 32 | to_y);
    }
  }
  dfa->work = 20 * (guint64)pairs->len * dfa->n_columns; /* look-ups */
  return g_steal_pointer (&dfa);
}

gboolean
wly_dfa_is_empty (const WlyDfa *dfa)
{
  g_autofree guint8 *seen    = g_new0 (guint8, dfa->n_states);
  g_autoptr (GArray) pending = g_array_new (FALSE, FALSE, sizeof (guint32));

  g_array_append_val (pending, dfa->start);
  seen[dfa->start] = TRUE;
  for (guint i = 0; i < pending->len; i++) {
    guint32 state = g_array_index (pending, guint32, i);

    if (dfa->accepts[state])
      return FALSE;
    for (guint32 c = 0; c < dfa->n_columns; c++) {
      guint32 next = dfa->next[(gsize)state * dfa->n_columns + c];

      if (!seen[next])
        g_array_append_val (pending, next);
      seen[next] = TRUE;
    }
  }
  return TRUE;
}

gboolean
wly_dfa_accepts (const WlyDfa *dfa, const char *text, gsize n_bytes)
{
  guint32 state = dfa->start;

  for (gsize at = 0, n; at < n_bytes; at += n)
    state = step (dfa, state, wly_unicode_get (text + at, &n));
  return dfa->accepts[state];
}

/* ---- into a grammar ---- */

/* What leads from a state to another, in a string of JSON: as it is, or behind a backslash. */
static void
emit_json_set (WlyAutomaton *automaton, WlyState from, const WlyCharset *set, WlyState to)
{
  static const char meant[] = "\"\\\n\r\t\b\f", letters[] = "\"\\nrtbf";
  g_autoptr (GArray) plain = g_array_copy ((GArray *)set);
  WlyState escape          = 0;

  wly_charset_cut (plain, 0x20, WLY_CHARSET_MAX);
  wly_charset_negate (plain);
  wly_charset_add (plain, '"', '"');
  wly_charset_add (plain, '\\', '\\');
  wly_charset_settle (plain);
  wly_charset_negate (plain);
  wly_automaton_add_set (automaton, from, plain, to);
  for (guint32 code = 0; code <= '\\'; code = code == 0x1f ? '"' : code == '"' ? '\\' : code + 1) {
    const char *found = code != 0 ? strchr (meant, (int)code) : NULL;

    if (!wly_charset_has (set, code, code))
      continue;
    if (escape == 0) {
      escape = wly_automaton_add_state (automaton);
      wly_automaton_add_bytes (automaton, from, '\\', '\\', escape);
    }
    if (found != NULL) {
      wly_automaton_add_bytes (automaton, escape, (guint8)letters[found - meant], (guint8)letters[found - meant], to);
    } else {
      g_autofree char *hex = g_strdup_printf ("u%04x", code);

      wly_automaton_add_empty (automaton, wly_automaton_add_text (automaton, escape, hex, 5), to);
    }
  }
}

/* The code points that lead from @state to @next. */
static WlyCharset *
set_between (const WlyDfa *dfa, guint32 state, guint32 next)
{
  WlyCharset *set    = wly_charset_new ();
  const guint32 *row = dfa->next + (gsize)state * dfa->n_columns;

  for (guint32 p = 0; p < dfa->n_parts && dfa->bounds[p] <= WLY_CHARSET_MAX; p++)
    if (row[dfa->columns[p]] == next)
      wly_charset_add (set, dfa->bounds[p], dfa->bounds[p + 1] - 1);
  wly_charset_settle (set);
  return set;
}

static void
emit_state (const WlyDfa *dfa, WlyAutomaton *automaton, const WlyState *states, guint32 state, gboolean json)
{
  g_autoptr (GHashTable) done = g_hash_table_new (NULL, NULL);

  for (guint32 c = 0; c < dfa->n_columns; c++) {
    guint32 next           = dfa->next[(gsize)state * dfa->n_columns + c];
    g_autoptr (GArray) set = NULL;

    if (next == 0 || automaton->too_large || !g_hash_table_add (done, GUINT_TO_POINTER (next)))
      continue;
    set = set_between (dfa, state, next);
    if (next == state && wly_charset_has_plain (set))
      wly_automaton_set_plain (automaton, states[state], 0);
    if (json)
      emit_json_set (automaton, states[state], set, states[next]);
    else
      wly_automaton_add_set (automaton, states[state], set, states[next]);
  }
}

void
wly_dfa_emit (const WlyDfa *dfa, WlyAutomaton *automaton, WlyState from, WlyState to, gboolean json)
{
  g_autofree WlyState *states = g_new0 (WlyState, dfa->n_states);

  if (dfa->start == 0)
    return;
  for (guint32 s = 1; s < dfa->n_states; s++)
    states[s] = wly_automaton_add_state (automaton);
  wly_automaton_add_empty (automaton, from, states[dfa->start]);
  for (guint32 s = 1; s < dfa->n_states; s++) {
    emit_state (dfa, automaton, states, s, json);
    if (dfa->accepts[s])
      wly_automaton_add_empty (automaton, states[s], to);
  }
}
