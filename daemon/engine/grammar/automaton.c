/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "grammar/automaton.h"

#define LARGE_SET 24 /* ranges */

WlyAutomaton *
wly_automaton_new (void)
{
  WlyAutomaton *automaton = g_new0 (WlyAutomaton, 1);

  automaton->states = g_array_new (FALSE, TRUE, sizeof (WlyStateInfo));
  automaton->edges  = g_array_new (FALSE, TRUE, sizeof (WlyEdge));
  automaton->rules  = g_array_new (FALSE, TRUE, sizeof (WlyRuleInfo));
  automaton->sets   = g_hash_table_new_full (g_bytes_hash, g_bytes_equal, (GDestroyNotify)g_bytes_unref, NULL);
  g_array_set_size (automaton->states, 1); /* 0 is none */
  return automaton;
}

void
wly_automaton_free (WlyAutomaton *automaton)
{
  if (automaton == NULL)
    return;
  for (guint i = 0; i < automaton->rules->len; i++)
    g_free (g_array_index (automaton->rules, WlyRuleInfo, i).name);
  g_array_unref (automaton->states);
  g_array_unref (automaton->edges);
  g_array_unref (automaton->rules);
  g_hash_table_unref (automaton->sets);
  g_free (automaton);
}

/* An array has room for up to twice as many. */
static gsize
array_bytes (const GArray *array, gsize size)
{
  return 2 * (gsize)array->len * size;
}

gsize
wly_automaton_bytes (const WlyAutomaton *automaton)
{
  return array_bytes (automaton->states, sizeof (WlyStateInfo)) + array_bytes (automaton->edges, sizeof (WlyEdge))
         + array_bytes (automaton->rules, sizeof (WlyRuleInfo));
}

WlyState
wly_automaton_add_state (WlyAutomaton *automaton)
{
  if (automaton->states->len >= WLY_AUTOMATON_STATES_MAX) {
    automaton->too_large = TRUE;
    return automaton->states->len - 1;
  }
  g_array_set_size (automaton->states, automaton->states->len + 1);
  return automaton->states->len - 1;
}

WlyRule
wly_automaton_add_rule (WlyAutomaton *automaton, const char *name)
{
  WlyRuleInfo info = { wly_automaton_add_state (automaton), g_strdup (name) };

  if (automaton->rules->len >= WLY_AUTOMATON_RULES_MAX) {
    automaton->too_large = TRUE;
    g_free (info.name);
    return 0;
  }
  g_array_append_val (automaton->rules, info);
  return automaton->rules->len - 1;
}

WlyState
wly_automaton_rule_start (const WlyAutomaton *automaton, WlyRule rule)
{
  return g_array_index (automaton->rules, WlyRuleInfo, rule).start;
}

void
wly_automaton_set_final (WlyAutomaton *automaton, WlyState state)
{
  g_array_index (automaton->states, WlyStateInfo, state).final = TRUE;
}

void
wly_automaton_set_plain (WlyAutomaton *automaton, WlyState state, guint8 bit)
{
  g_array_index (automaton->states, WlyStateInfo, state).plain |= (guint8)(1u << bit);
}

static void
add_edge (WlyAutomaton *automaton, const WlyEdge *edge)
{
  if (automaton->edges->len >= WLY_AUTOMATON_EDGES_MAX)
    automaton->too_large = TRUE;
  else
    g_array_append_vals (automaton->edges, edge, 1);
}

void
wly_automaton_add_bytes (WlyAutomaton *automaton, WlyState from, guint8 low, guint8 high, WlyState to)
{
  add_edge (automaton, &(WlyEdge){ .kind = WLY_EDGE_BYTES, .from = from, .to = to, .low = low, .high = high });
}

void
wly_automaton_add_empty (WlyAutomaton *automaton, WlyState from, WlyState to)
{
  add_edge (automaton, &(WlyEdge){ .kind = WLY_EDGE_EMPTY, .from = from, .to = to });
}

void
wly_automaton_add_token (WlyAutomaton *automaton, WlyState from, gint32 token, WlyState to)
{
  add_edge (automaton, &(WlyEdge){ .kind = WLY_EDGE_TOKEN, .from = from, .to = to, .what = (guint32)token });
}

void
wly_automaton_add_call (WlyAutomaton *automaton, WlyState from, WlyRule rule, WlyState to)
{
  add_edge (automaton, &(WlyEdge){ .kind = WLY_EDGE_CALL, .from = from, .to = to, .what = rule });
}

void
wly_automaton_add_loop (WlyAutomaton *automaton, WlyState from, WlyRule rule, guint32 min, guint32 max, WlyState to)
{
  const WlyEdge edge = { .kind = WLY_EDGE_LOOP, .from = from, .to = to, .what = rule, .min = min, .max = max };

  add_edge (automaton, &edge);
}

WlyState
wly_automaton_add_text (WlyAutomaton *automaton, WlyState from, const char *text, gsize n_bytes)
{
  for (gsize i = 0; i < n_bytes; i++) {
    WlyState next = wly_automaton_add_state (automaton);

    wly_automaton_add_bytes (automaton, from, (guint8)text[i], (guint8)text[i], next);
    from = next;
  }
  return from;
}

/* ---- UTF-8 ---- */

/* What one call of wly_automaton_add_set() has made: states from which any 1, 2, 3 bytes that continue a character
 * lead to the end. */
typedef struct {
  WlyAutomaton *automaton;
  WlyState ends[4];
} Utf8;

static WlyState
any_rest (Utf8 *utf8, guint n)
{
  for (guint i = 1; i <= n; i++) {
    if (utf8->ends[i] != 0)
      continue;
    utf8->ends[i] = wly_automaton_add_state (utf8->automaton);
    wly_automaton_add_bytes (utf8->automaton, utf8->ends[i], 0x80, 0xbf, utf8->ends[i - 1]);
  }
  return utf8->ends[n];
}

/* Bytes of a code point that is written with @n bytes behind its first one. */
static guint8
lead_byte (guint32 code, guint n)
{
  static const guint8 marks[] = { 0, 0xc0, 0xe0, 0xf0 };

  return (guint8)(marks[n] | code >> (6 * n));
}

/* Codes @low .. @high whose last @n bytes (6 bits each) are still to be read from @from on, the bits above being read.
 */
static void
add_rest (Utf8 *utf8, WlyState from, guint32 low, guint32 high, guint n)
{
  while (n > 0) {
    guint shift   = 6 * (n - 1);
    guint32 mask  = (1u << shift) - 1;
    guint32 first = low >> shift & 0x3f;
    guint32 last  = high >> shift & 0x3f;
    WlyState next;

    if ((low & mask) == 0 && (high & mask) == mask) {
      wly_automaton_add_bytes (utf8->automaton, from, (guint8)(0x80 | first), (guint8)(0x80 | last),
                               any_rest (utf8, n - 1));
      return;
    }
    if (first == last) {
      next = wly_automaton_add_state (utf8->automaton);
      wly_automaton_add_bytes (utf8->automaton, from, (guint8)(0x80 | first), (guint8)(0x80 | first), next);
      from = next;
      n--;
      continue;
    }
    /* the part below the first whole block by itself, then the rest; at most one part of each kind is not whole */
    if ((low & mask) != 0) {
      next = wly_automaton_add_state (utf8->automaton);
      wly_automaton_add_bytes (utf8->automaton, from, (guint8)(0x80 | first), (guint8)(0x80 | first), next);
      add_rest (utf8, next, low, low | mask, n - 1);
      low = (low | mask) + 1;
      continue;
    }
    next = wly_automaton_add_state (utf8->automaton);
    wly_automaton_add_bytes (utf8->automaton, from, (guint8)(0x80 | last), (guint8)(0x80 | last), next);
    add_rest (utf8, next, high & ~mask, high, n - 1);
    high = (high & ~mask) - 1;
  }
}

/* Codes that are all written with @n bytes behind their first. */
static void
add_length (Utf8 *utf8, WlyState from, guint32 low, guint32 high, guint n)
{
  guint32 mask = (1u << (6 * n)) - 1;

  while (low <= high) {
    guint32 end = MIN (low | mask, high);
    WlyState next;

    if ((low & mask) == 0 && end == (low | mask)) {
      /* whole blocks together */
      guint32 last = (high & mask) == mask ? high : (high & ~mask) - 1;

      wly_automaton_add_bytes (utf8->automaton, from, lead_byte (low, n), lead_byte (last, n), any_rest (utf8, n));
      low = last + 1;
      continue;
    }
    next = wly_automaton_add_state (utf8->automaton);
    wly_automaton_add_bytes (utf8->automaton, from, lead_byte (low, n), lead_byte (low, n), next);
    add_rest (utf8, next, low, end, n);
    low = end + 1;
  }
}

static void
add_ranges (WlyAutomaton *automaton, WlyState from, const WlyCharset *set, WlyState to)
{
  static const guint32 limits[] = { 0x80, 0x800, 0x10000, 0x110000 };
  Utf8 utf8                     = { automaton, { to } };

  for (guint i = 0; i < set->len; i++) {
    WlyCharRange range = *wly_charset_range (set, i);

    for (guint n = 0; n < 4; n++) {
      guint32 low  = MAX (range.low, n == 0 ? 0 : limits[n - 1]);
      guint32 high = MIN (range.high, limits[n] - 1);

      if (low <= high)
        add_length (&utf8, from, low, high, n);
    }
  }
}

/* The rule of a large set, which may stand in many places. */
static WlyRule
rule_of_set (WlyAutomaton *automaton, const WlyCharset *set)
{
  g_autoptr (GBytes) key = g_bytes_new (set->data, set->len * sizeof (WlyCharRange));
  gpointer found         = g_hash_table_lookup (automaton->sets, key);
  WlyRule rule;
  WlyState end;

  if (found != NULL)
    return GPOINTER_TO_UINT (found) - 1;
  rule = wly_automaton_add_rule (automaton, NULL);
  end  = wly_automaton_add_state (automaton);
  add_ranges (automaton, wly_automaton_rule_start (automaton, rule), set, end);
  wly_automaton_set_final (automaton, end);
  g_hash_table_insert (automaton->sets, g_steal_pointer (&key), GUINT_TO_POINTER (rule + 1));
  return rule;
}

void
wly_automaton_add_set (WlyAutomaton *automaton, WlyState from, const WlyCharset *set, WlyState to)
{
  if (set->len > LARGE_SET)
    wly_automaton_add_call (automaton, from, rule_of_set (automaton, set), to);
  else
    add_ranges (automaton, from, set, to);
}

guint32
wly_automaton_cost (const WlyAutomaton *automaton, WlyState state, guint32 count)
{
  const WlyStateInfo *info = wly_automaton_state (automaton, state);
  const WlyEdge *edge      = wly_automaton_edges (automaton, state);
  guint64 cost;

  if (count == 0 || info->n_edges == 0 || edge->kind != WLY_EDGE_LOOP)
    return info->cost;
  cost = wly_automaton_state (automaton, edge->to)->cost;
  if (count < edge->min)
    cost += (guint64)(edge->min - count) * wly_automaton_state (automaton, edge->what)->cost;
  return (guint32)MIN (cost, WLY_AUTOMATON_COST_NONE - 1);
}
