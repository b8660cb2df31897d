/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What is worked out once for a grammar: the shortest way from each state to the end of its rule (Knuth, "A
 * generalization of Dijkstra's algorithm", 1977), which edges lead to an end at all, and left recursion.
 */
#include "grammar/automaton.h"
#include "wly-error.h"
#include "wly-utf8.h"

typedef struct {
  guint32 cost;
  WlyState state;
} Entry;

typedef struct {
  WlyAutomaton *automaton;
  GArray *heap;      /* Entry */
  guint32 *by_to;    /* [n_edges] edges in order of where they lead */
  guint32 *to_at;    /* [n_states + 1] */
  guint32 *by_start; /* [n_edges] calls and loops in order of the first state of their rule */
  guint32 *start_at; /* [n_states + 1] */
  guint8 *done;      /* [n_states] */
} Finish;

static WlyStateInfo *
state_of (const WlyAutomaton *automaton, WlyState state)
{
  return &g_array_index (automaton->states, WlyStateInfo, state);
}

static WlyEdge *
edge_of (const WlyAutomaton *automaton, guint32 i)
{
  return &g_array_index (automaton->edges, WlyEdge, i);
}

static gboolean
has_rule (const WlyEdge *edge)
{
  return edge->kind == WLY_EDGE_CALL || edge->kind == WLY_EDGE_LOOP;
}

static guint32
key_from (const WlyEdge *edge)
{
  return edge->from;
}

static guint32
key_to (const WlyEdge *edge)
{
  return edge->to;
}

static guint32
key_start (const WlyEdge *edge)
{
  return has_rule (edge) ? edge->what : 0;
}

/* Sorts edges by a state, keeping their order among equals; @ret_at gets where each state's begin. */
static guint32 *
sort_edges (const WlyAutomaton *automaton, guint32 (*key) (const WlyEdge *edge), guint32 **ret_at)
{
  guint32 n_states = automaton->states->len;
  guint32 *at      = g_new0 (guint32, n_states + 2);
  guint32 *order   = g_new (guint32, automaton->edges->len + 1);

  for (guint i = 0; i < automaton->edges->len; i++)
    at[key (edge_of (automaton, i)) + 2]++;
  for (guint i = 2; i < n_states + 2; i++)
    at[i] += at[i - 1];
  for (guint i = 0; i < automaton->edges->len; i++)
    order[at[key (edge_of (automaton, i)) + 1]++] = i;
  *ret_at = at;
  return order;
}

/* Puts the edges of each state together. */
static void
lay_out (WlyAutomaton *automaton)
{
  g_autofree guint32 *at    = NULL;
  g_autofree guint32 *order = sort_edges (automaton, key_from, &at);
  GArray *edges             = g_array_sized_new (FALSE, FALSE, sizeof (WlyEdge), automaton->edges->len);

  for (guint i = 0; i < automaton->edges->len; i++) {
    WlyEdge edge = *edge_of (automaton, order[i]);

    if (has_rule (&edge))
      edge.what = wly_automaton_rule_start (automaton, edge.what);
    g_array_append_val (edges, edge);
  }
  g_array_unref (automaton->edges);
  automaton->edges = edges;
  for (guint i = 0; i < automaton->states->len; i++) {
    WlyStateInfo *state = state_of (automaton, i);

    state->first_edge = at[i];
    state->n_edges    = at[i + 1] - at[i];
    state->cost       = WLY_AUTOMATON_COST_NONE;
  }
}

/* ---- shortest ways ---- */

static void
heap_push (GArray *heap, Entry entry)
{
  guint at = heap->len;

  g_array_append_val (heap, entry);
  while (at > 0 && g_array_index (heap, Entry, (at - 1) / 2).cost > entry.cost) {
    g_array_index (heap, Entry, at) = g_array_index (heap, Entry, (at - 1) / 2);
    at                              = (at - 1) / 2;
  }
  g_array_index (heap, Entry, at) = entry;
}

static Entry
heap_pop (GArray *heap)
{
  Entry *entries = &g_array_index (heap, Entry, 0);
  Entry top = entries[0], last = entries[heap->len - 1];
  guint n = heap->len - 1, at = 0;

  for (guint child = 1; child < n; child = 2 * at + 1) {
    if (child + 1 < n && entries[child + 1].cost < entries[child].cost)
      child++;
    if (entries[child].cost >= last.cost)
      break;
    entries[at] = entries[child];
    at          = child;
  }
  entries[at] = last;
  g_array_set_size (heap, n);
  return top;
}

/* One of the ends of the edge is done: perhaps that makes a shorter way. */
static void
relax (Finish *finish, guint32 i)
{
  const WlyEdge *edge = edge_of (finish->automaton, i);
  WlyStateInfo *from  = state_of (finish->automaton, edge->from);
  WlyStateInfo *to    = state_of (finish->automaton, edge->to);
  guint64 cost        = to->cost;
  guint height        = to->height;

  if (!finish->done[edge->to] || finish->done[edge->from])
    return;
  if (edge->kind == WLY_EDGE_BYTES || edge->kind == WLY_EDGE_TOKEN)
    cost++;
  if (edge->kind == WLY_EDGE_CALL || (edge->kind == WLY_EDGE_LOOP && edge->min > 0)) {
    const WlyStateInfo *start = state_of (finish->automaton, edge->what);

    if (!finish->done[edge->what])
      return;
    cost += (guint64)start->cost * (edge->kind == WLY_EDGE_LOOP ? edge->min : 1);
    height = MAX (height, start->height + 1u);
  }
  cost = MIN (cost, WLY_AUTOMATON_COST_NONE - 1);
  if (cost >= from->cost)
    return;
  from->cost   = (guint32)cost;
  from->best   = i;
  from->height = (guint16)MIN (height, G_MAXUINT16);
  heap_push (finish->heap, (Entry){ from->cost, edge->from });
}

static void
find_shortest (Finish *finish)
{
  WlyAutomaton *automaton = finish->automaton;

  for (guint i = 1; i < automaton->states->len; i++) {
    if (!state_of (automaton, i)->final)
      continue;
    state_of (automaton, i)->cost = 0;
    heap_push (finish->heap, (Entry){ 0, i });
  }
  while (finish->heap->len > 0) {
    Entry entry = heap_pop (finish->heap);

    if (finish->done[entry.state] || entry.cost != state_of (automaton, entry.state)->cost)
      continue;
    finish->done[entry.state] = TRUE;
    for (guint32 i = finish->to_at[entry.state]; i < finish->to_at[entry.state + 1]; i++)
      relax (finish, finish->by_to[i]);
    for (guint32 i = finish->start_at[entry.state]; i < finish->start_at[entry.state + 1]; i++)
      relax (finish, finish->by_start[i]);
  }
}

/* ---- what leads nowhere ---- */

static gboolean
leads_on (const WlyAutomaton *automaton, const WlyEdge *edge)
{
  return state_of (automaton, edge->to)->cost != WLY_AUTOMATON_COST_NONE
         && (!has_rule (edge) || state_of (automaton, edge->what)->cost != WLY_AUTOMATON_COST_NONE
             || (edge->kind == WLY_EDGE_LOOP && edge->min == 0));
}

static void
prune (WlyAutomaton *automaton)
{
  for (guint i = 0; i < automaton->states->len; i++) {
    WlyStateInfo *state = state_of (automaton, i);
    guint32 end         = state->first_edge + state->n_edges;

    state->n_edges = 0;
    for (guint32 e = state->first_edge; e < end; e++) {
      WlyEdge edge = *edge_of (automaton, e);

      if (state->cost == WLY_AUTOMATON_COST_NONE || !leads_on (automaton, &edge))
        continue;
      /* a loop that can do no round is a way on */
      if (edge.kind == WLY_EDGE_LOOP && state_of (automaton, edge.what)->cost == WLY_AUTOMATON_COST_NONE)
        edge.kind = WLY_EDGE_EMPTY;
      if (e == state->best)
        state->best = state->first_edge + state->n_edges;
      *edge_of (automaton, state->first_edge + state->n_edges++) = edge;
    }
  }
}

/* ---- left recursion ---- */

/* Groups of states that reach each other without reading (Tarjan, "Depth-first search and linear graph algorithms",
 * 1972): a call from one to another of a group is a rule that begins with itself. */
typedef struct {
  const WlyAutomaton *automaton;
  guint32 *number; /* [n_states] in the order of visits, 0: not visited */
  guint32 *lowest; /* [n_states] */
  guint32 *group;  /* [n_states] 0: none yet */
  GArray *open;    /* WlyState: visited, without a group */
  GArray *way;     /* Entry: a state, and in `cost` what of it was looked at */
  guint32 n_visited, n_groups;
} Groups;

/* State @n that the edge leads to without reading; 0: it leads to fewer. */
static WlyState
reached_unread (const WlyAutomaton *automaton, const WlyEdge *edge, guint n)
{
  const gboolean empty_rule = has_rule (edge) && state_of (automaton, edge->what)->cost == 0;

  if (n == 0)
    return has_rule (edge) ? edge->what : edge->kind == WLY_EDGE_EMPTY ? edge->to : 0;
  return empty_rule || (edge->kind == WLY_EDGE_LOOP && edge->min == 0) ? edge->to : 0;
}

static void
visit (Groups *groups, WlyState state)
{
  const Entry entry = { 0, state };

  groups->number[state] = groups->lowest[state] = ++groups->n_visited;
  g_array_append_val (groups->open, state);
  g_array_append_val (groups->way, entry);
}

static void
close_group (Groups *groups, WlyState state)
{
  WlyState other;

  groups->n_groups++;
  do {
    other                = g_array_index (groups->open, WlyState, groups->open->len - 1);
    groups->group[other] = groups->n_groups;
    g_array_set_size (groups->open, groups->open->len - 1);
  } while (other != state);
}

static void
leave (Groups *groups, WlyState state)
{
  if (groups->lowest[state] == groups->number[state])
    close_group (groups, state);
  g_array_set_size (groups->way, groups->way->len - 1);
  if (groups->way->len > 0) {
    WlyState parent = g_array_index (groups->way, Entry, groups->way->len - 1).state;

    groups->lowest[parent] = MIN (groups->lowest[parent], groups->lowest[state]);
  }
}

static void
find_groups (Groups *groups, WlyState start)
{
  visit (groups, start);
  while (groups->way->len > 0) {
    Entry *entry             = &g_array_index (groups->way, Entry, groups->way->len - 1);
    const WlyState state     = entry->state;
    const WlyStateInfo *info = state_of (groups->automaton, state);
    const guint32 at         = entry->cost++;
    WlyState next;

    if (at / 2 >= info->n_edges) {
      leave (groups, state);
      continue;
    }
    next = reached_unread (groups->automaton, edge_of (groups->automaton, info->first_edge + at / 2), at % 2);
    if (next == 0)
      continue;
    if (groups->number[next] == 0)
      visit (groups, next);
    else if (groups->group[next] == 0)
      groups->lowest[state] = MIN (groups->lowest[state], groups->number[next]);
  }
}

static const char *
name_in_group (const Groups *groups, guint32 group)
{
  const GArray *rules = groups->automaton->rules;

  for (guint r = 0; r < rules->len; r++) {
    const WlyRuleInfo *rule = &g_array_index (rules, WlyRuleInfo, r);

    if (rule->name != NULL && groups->group[rule->start] == group)
      return rule->name;
  }
  return "";
}

static gboolean
check_groups (const Groups *groups, GError **error)
{
  for (guint i = 0; i < groups->automaton->states->len; i++) {
    const WlyStateInfo *info = state_of (groups->automaton, i);

    for (guint e = info->first_edge; e < info->first_edge + info->n_edges; e++) {
      const WlyEdge *edge = edge_of (groups->automaton, e);
      const char *name;

      if (!has_rule (edge) || groups->group[i] == 0 || groups->group[edge->what] != groups->group[i])
        continue;
      name = name_in_group (groups, groups->group[i]);
      g_set_error (
          error, WLY_ERROR, WLY_ERROR_INVALID_ARGS,
          "Rule “%.*s” begins with itself, perhaps by way of others (left recursion); write it as a repetition",
          wly_utf8_shown (name), name);
      return FALSE;
    }
  }
  return TRUE;
}

static gboolean
check_left (const WlyAutomaton *automaton, GError **error)
{
  guint n_states             = automaton->states->len;
  g_autofree guint32 *number = g_new0 (guint32, n_states);
  g_autofree guint32 *lowest = g_new0 (guint32, n_states);
  g_autofree guint32 *group  = g_new0 (guint32, n_states);
  g_autoptr (GArray) open    = g_array_new (FALSE, FALSE, sizeof (WlyState));
  g_autoptr (GArray) way     = g_array_new (FALSE, FALSE, sizeof (Entry));
  Groups groups              = { automaton, number, lowest, group, open, way, 0, 0 };

  for (guint r = 0; r < automaton->rules->len; r++) {
    WlyState start = g_array_index (automaton->rules, WlyRuleInfo, r).start;

    if (number[start] == 0)
      find_groups (&groups, start);
  }
  return check_groups (&groups, error);
}

/* A count of something that may be empty would be so many ways to read nothing. */
static gboolean
check_loops (WlyAutomaton *automaton, GError **error)
{
  for (guint i = 0; i < automaton->edges->len; i++) {
    WlyEdge *edge = edge_of (automaton, i);

    if (edge->kind != WLY_EDGE_LOOP || state_of (automaton, edge->what)->cost != 0)
      continue;
    edge->min = 0;
    if (edge->max == WLY_AUTOMATON_ENDLESS || edge->max <= 256)
      continue;
    g_set_error (error, WLY_ERROR, WLY_ERROR_INVALID_ARGS,
                 "Up to %u repetitions of something that may be empty; at most 256, or an endless one", edge->max);
    return FALSE;
  }
  return TRUE;
}

gboolean
wly_automaton_finish (WlyAutomaton *automaton, WlyRule root, GError **error)
{
  Finish finish = { .automaton = automaton };

  if (automaton->too_large) {
    g_set_error_literal (
        error, WLY_ERROR, WLY_ERROR_INVALID_ARGS,
        "The constraint is too large: it becomes more than 65536 rules, 500000 states or 1000000 edges");
    return FALSE;
  }
  g_hash_table_remove_all (automaton->sets);
  lay_out (automaton);
  finish.heap     = g_array_new (FALSE, FALSE, sizeof (Entry));
  finish.by_to    = sort_edges (automaton, key_to, &finish.to_at);
  finish.by_start = sort_edges (automaton, key_start, &finish.start_at);
  finish.done     = g_new0 (guint8, automaton->states->len);
  find_shortest (&finish);
  g_array_unref (finish.heap);
  g_free (finish.by_to);
  g_free (finish.to_at);
  g_free (finish.by_start);
  g_free (finish.start_at);
  g_free (finish.done);
  automaton->start = wly_automaton_rule_start (automaton, root);
  if (state_of (automaton, automaton->start)->cost == WLY_AUTOMATON_COST_NONE) {
    g_set_error_literal (error, WLY_ERROR, WLY_ERROR_INVALID_ARGS,
                         "No text can fulfil the constraint: it contradicts itself, or it needs itself without end");
    return FALSE;
  }
  prune (automaton);
  return check_loops (automaton, error) && check_left (automaton, error);
}
