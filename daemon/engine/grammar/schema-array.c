/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Lists of a JSON Schema.
 */
#include "grammar/schema-private.h"

#define PREFIX_MAX 1024

typedef struct {
  guint32 min, max;
  guint n_prefix;     /* items that have a place of their own */
  WlyJsonId contains; /* 0: none */
  GArray *ids;        /* what applies to the item that is looked at */
  gboolean never;     /* no such item can be */
} List;

/* Whether a schema that one with unevaluatedItems sees says something of item @i; or an error. */
static gboolean
is_seen (WlySchema *schema, const WlySchemaItem *item, guint i)
{
  g_autoptr (GArray) seen = wly_schema_logic_seen (schema, item, "unevaluatedItems");

  for (guint k = 0; seen != NULL && k < seen->len; k++) {
    const WlySchemaItem *other = wly_schema_item (seen, k);
    WlyJsonId prefix           = wly_schema_get (schema, other, "prefixItems");

    if (wly_schema_get (schema, other, "contains") != 0)
      return wly_schema_fail (schema, wly_schema_get (schema, item, "unevaluatedItems"),
                              "together with “contains” it cannot be honoured");
    if (wly_schema_get (schema, other, "items") != 0
        || (prefix != 0 && wly_json_get (schema->json, prefix)->n_children > i))
      return TRUE;
  }
  return FALSE;
}

/* What applies to item @i, or (@i = n_prefix) to all behind. */
static void
find_item (WlySchema *schema, const GArray *items, List *list, guint i)
{
  g_array_set_size (list->ids, 0);
  list->never = FALSE;
  for (guint k = 0; k < items->len; k++) {
    WlyJsonId prefix = wly_schema_get (schema, wly_schema_item (items, k), "prefixItems");
    WlyJsonId rest   = wly_schema_get (schema, wly_schema_item (items, k), "items");
    WlyJsonId left   = wly_schema_get (schema, wly_schema_item (items, k), "unevaluatedItems");
    WlyJsonId at     = prefix != 0 ? wly_json_get (schema->json, prefix)->first : 0;

    for (guint n = 0; n < i && at != 0; n++)
      at = wly_json_get (schema->json, at)->next;
    if (at == 0)
      at = rest;
    if (at == 0 && left != 0 && !is_seen (schema, wly_schema_item (items, k), i))
      at = left;
    if (at == 0)
      continue;
    list->never |= wly_json_kind (schema->json, at) == WLY_JSON_FALSE;
    g_array_append_val (list->ids, at);
  }
}

static void
read_limits (WlySchema *schema, const GArray *items, List *list)
{
  for (guint i = 0; i < items->len; i++) {
    const WlySchemaItem *item = wly_schema_item (items, i);
    WlyJsonId prefix          = wly_schema_get (schema, item, "prefixItems");
    WlyJsonId contains        = wly_schema_get (schema, item, "contains");
    guint32 count;

    if (wly_schema_get_count (schema, item, "minItems", &count))
      list->min = MAX (list->min, count);
    if (wly_schema_get_count (schema, item, "maxItems", &count))
      list->max = MIN (list->max, count);
    if (prefix != 0)
      list->n_prefix = MAX (list->n_prefix, wly_json_get (schema->json, prefix)->n_children);
    if (list->n_prefix > PREFIX_MAX)
      wly_schema_fail (schema, prefix, "at most 1024 items can have a schema of their own");
    if (contains == 0 || (wly_schema_get_count (schema, item, "minContains", &count) && count == 0))
      continue;
    if (list->contains != 0 || (wly_schema_get_count (schema, item, "minContains", &count) && count > 1))
      wly_schema_fail (schema, contains, "only one contains at a place can be honoured, for one item at least");
    list->contains = contains;
  }
}

/* What can be honoured only where it says nothing. */
static void
check_unique (WlySchema *schema, const GArray *items, const List *list)
{
  for (guint i = 0; i < items->len; i++) {
    WlyJsonId unique = wly_schema_get (schema, wly_schema_item (items, i), "uniqueItems");

    if (unique != 0 && wly_json_kind (schema->json, unique) == WLY_JSON_TRUE && list->max > 1)
      wly_schema_fail (schema, unique, "uniqueItems cannot be honoured unless maxItems is 1");
  }
}

/* Items that are all alike, from @from on, where @n items stand already; the state behind them. */
static void
add_alike (WlySchema *schema, const List *list, WlyState from, guint n, WlyState to)
{
  WlyAutomaton *automaton = schema->automaton;
  WlyRule item            = wly_schema_rule (schema, list->ids);
  WlyRule more            = wly_automaton_add_rule (automaton, NULL);
  WlyState more_end       = wly_automaton_add_state (automaton);
  WlyState loop           = wly_automaton_add_state (automaton);
  guint32 min             = list->min > n ? list->min - n : 0;
  guint32 max             = list->max == WLY_AUTOMATON_ENDLESS ? list->max : list->max - MIN (list->max, n);

  if (min > WLY_AUTOMATON_REPEAT_MAX || min > max)
    return;
  if (max != WLY_AUTOMATON_ENDLESS)
    max = MIN (max, WLY_AUTOMATON_REPEAT_MAX);
  wly_automaton_add_call (automaton, wly_schema_sign (schema, wly_automaton_rule_start (automaton, more), ','), item,
                          more_end);
  wly_automaton_set_final (automaton, more_end);
  if (n > 0) {
    wly_automaton_add_empty (automaton, from, loop);
  } else {
    if (min == 0)
      wly_automaton_add_empty (automaton, from, to);
    if (max == 0)
      return;
    wly_automaton_add_call (automaton, from, item, loop);
    min = min > 0 ? min - 1 : 0;
    max = max != WLY_AUTOMATON_ENDLESS ? max - 1 : max;
  }
  wly_automaton_add_loop (automaton, loop, more, min, max, to);
}

/* Items with places of their own, then those alike. */
static void
add_items (WlySchema *schema, const GArray *items, List *list, WlyState from, WlyState to)
{
  for (guint i = 0; i < list->n_prefix && i < list->max; i++) {
    WlyState next = wly_automaton_add_state (schema->automaton);

    find_item (schema, items, list, i);
    if (i >= list->min)
      wly_automaton_add_empty (schema->automaton, from, to);
    if (list->never)
      return;
    wly_automaton_add_call (schema->automaton, i > 0 ? wly_schema_sign (schema, from, ',') : from,
                            wly_schema_rule (schema, list->ids), next);
    from = next;
  }
  if (list->n_prefix >= list->max) {
    if (list->max >= list->min)
      wly_automaton_add_empty (schema->automaton, from, to);
    return;
  }
  find_item (schema, items, list, list->n_prefix);
  if (!list->never)
    add_alike (schema, list, from, list->n_prefix, to);
  else if (list->n_prefix >= list->min)
    wly_automaton_add_empty (schema->automaton, from, to);
}

/* One more item behind @n others, from the states before (not found, found) to those after. */
static void
add_round (WlySchema *schema, const WlyState rows[2], guint32 n, WlyRule item, WlyRule found, const WlyState next[2])
{
  for (guint k = 0; k < 2; k++) {
    WlyState begin;

    if (rows[k] == 0)
      continue;
    begin = n > 0 ? wly_schema_sign (schema, rows[k], ',') : rows[k];
    wly_automaton_add_call (schema->automaton, begin, item, next[k]);
    if (k == 0)
      wly_automaton_add_call (schema->automaton, begin, found, next[1]);
  }
}

/* Any items, one that has to be there, any items; the counts of all are kept by a row of states. */
static void
add_containing (WlySchema *schema, const GArray *items, List *list, WlyState from, WlyState to)
{
  WlyAutomaton *automaton = schema->automaton;
  gboolean endless        = list->max == WLY_AUTOMATON_ENDLESS;
  guint32 n               = endless ? MAX (list->min, 1) : list->max;
  WlyState rows[2]        = { from, 0 };
  WlyRule item, found;

  if (list->n_prefix > 0 || n > 1024) {
    wly_schema_fail (schema, list->contains, "together with prefixItems, or counts above 1024, it cannot be honoured");
    return;
  }
  find_item (schema, items, list, 0);
  if (list->never)
    return;
  item = wly_schema_rule (schema, list->ids);
  g_array_append_val (list->ids, list->contains);
  found = wly_schema_rule (schema, list->ids);
  for (guint32 i = 0; i < n; i++) {
    WlyState next[2] = { wly_automaton_add_state (automaton), wly_automaton_add_state (automaton) };

    add_round (schema, rows, i, item, found, next);
    if (rows[1] != 0 && i >= list->min)
      wly_automaton_add_empty (automaton, rows[1], to);
    rows[0] = next[0];
    rows[1] = next[1];
  }
  if (endless)
    add_round (schema, rows, n, item, found, rows);
  if (rows[1] != 0 && n >= list->min)
    wly_automaton_add_empty (automaton, rows[1], to);
}

void
wly_schema_array (WlySchema *schema, const GArray *items, WlyState from, WlyState to)
{
  g_autoptr (GArray) ids  = g_array_new (FALSE, FALSE, sizeof (WlyJsonId));
  List list               = { .max = WLY_AUTOMATON_ENDLESS, .ids = ids };
  WlyAutomaton *automaton = schema->automaton;
  WlyState open           = wly_automaton_add_state (automaton);
  WlyState begin          = wly_automaton_add_state (automaton);
  WlyState end            = wly_automaton_add_state (automaton);
  WlyState close          = wly_automaton_add_state (automaton);

  read_limits (schema, items, &list);
  check_unique (schema, items, &list);
  if (schema->error != NULL)
    return;
  wly_automaton_add_bytes (automaton, from, '[', '[', open);
  wly_automaton_add_call (automaton, open, schema->space, begin);
  if (list.contains != 0)
    add_containing (schema, items, &list, begin, end);
  else
    add_items (schema, items, &list, begin, end);
  wly_automaton_add_call (automaton, end, schema->space, close);
  wly_automaton_add_bytes (automaton, close, ']', ']', to);
}
