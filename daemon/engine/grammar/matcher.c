/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "grammar/matcher.h"

#include <string.h>

#define NODES_MAX    1000000 /* within one token */
#define PLACES_MAX   60000
#define NODES_TIDY   200000 /* between tokens */
#define PLACES_TIDY  20000
#define CLOSURE_MAX  16384   /* stacks that are looked at for one byte */
#define WORK_MAX     3000000 /* and for one token */
#define PURE_END(at) ((at)->final && (at)->n_edges == 0)

static guint32
mix (guint32 hash, guint32 value)
{
  hash = (hash ^ value) * 0x9e3779b1u;
  return hash ^ hash >> 15;
}

/* ---- life ---- */

static void
start_empty (WlyMatcher *matcher)
{
  matcher->n_places    = 1;
  matcher->n_nodes     = 1;
  matcher->n_closures  = 0;
  matcher->place_mask  = 1023;
  matcher->node_mask   = 1023;
  matcher->place_table = g_new0 (guint32, matcher->place_mask + 1);
  matcher->node_table  = g_new0 (guint32, matcher->node_mask + 1);
  memset (matcher->seen, 0, matcher->n_nodes_room * sizeof *matcher->seen);
}

WlyMatcher *
wly_matcher_new (const WlyAutomaton *automaton)
{
  WlyMatcher *matcher = g_new0 (WlyMatcher, 1);

  matcher->automaton      = automaton;
  matcher->n_places_room  = 64;
  matcher->n_nodes_room   = 256;
  matcher->places         = g_new0 (WlyPlaceInfo, matcher->n_places_room);
  matcher->nodes          = g_new0 (WlyMatcherNode, matcher->n_nodes_room);
  matcher->seen           = g_new0 (guint32, matcher->n_nodes_room);
  matcher->pending        = g_array_new (FALSE, FALSE, sizeof (guint32));
  matcher->kept           = g_array_new (FALSE, FALSE, sizeof (guint32));
  matcher->places[0].cost = WLY_AUTOMATON_COST_NONE;
  start_empty (matcher);
  return matcher;
}

static void
forget (WlyMatcher *matcher)
{
  for (guint32 i = 1; i < matcher->n_places; i++) {
    g_free (matcher->places[i].nodes);
    g_free (matcher->places[i].next);
    g_free (matcher->places[i].mask);
    g_free (matcher->places[i].short_mask);
  }
  g_free (matcher->place_table);
  g_free (matcher->node_table);
}

void
wly_matcher_free (WlyMatcher *matcher)
{
  if (matcher == NULL)
    return;
  forget (matcher);
  g_free (matcher->places);
  g_free (matcher->nodes);
  g_free (matcher->seen);
  g_array_unref (matcher->pending);
  g_array_unref (matcher->kept);
  g_free (matcher);
}

gsize
wly_matcher_bytes (const WlyMatcher *matcher)
{
  gsize n = matcher->n_places_room * sizeof *matcher->places
            + matcher->n_nodes_room * (sizeof *matcher->nodes + sizeof *matcher->seen)
            + (matcher->place_mask + (gsize)matcher->node_mask + 2) * sizeof (guint32);

  for (guint32 i = 1; i < matcher->n_places; i++)
    n +=
        matcher->places[i].n_nodes * sizeof (guint32) + (matcher->places[i].next != NULL ? 256 * sizeof (WlyPlace) : 0);
  return n;
}

void
wly_matcher_begin (WlyMatcher *matcher)
{
  matcher->work = 0;
}

gboolean
wly_matcher_failed (const WlyMatcher *matcher)
{
  return matcher->failed;
}

/* ---- stacks ---- */

static guint32
hash_node (const WlyMatcherNode *node)
{
  return mix (mix (mix (0, node->state), node->count), node->parent);
}

static void
grow_nodes (WlyMatcher *matcher)
{
  if (matcher->n_nodes == matcher->n_nodes_room) {
    matcher->nodes = g_renew (WlyMatcherNode, matcher->nodes, 2 * (gsize)matcher->n_nodes_room);
    matcher->seen  = g_renew (guint32, matcher->seen, 2 * (gsize)matcher->n_nodes_room);
    memset (matcher->seen + matcher->n_nodes_room, 0, matcher->n_nodes_room * sizeof *matcher->seen);
    matcher->n_nodes_room *= 2;
  }
  if (2 * matcher->n_nodes <= matcher->node_mask)
    return;
  g_free (matcher->node_table);
  matcher->node_mask  = 2 * matcher->node_mask + 1;
  matcher->node_table = g_new0 (guint32, matcher->node_mask + 1);
  for (guint32 i = 1; i < matcher->n_nodes; i++) {
    guint32 at = hash_node (&matcher->nodes[i]) & matcher->node_mask;

    while (matcher->node_table[at] != 0)
      at = (at + 1) & matcher->node_mask;
    matcher->node_table[at] = i;
  }
}

/* The node of a stack; 0: it would be too high, or there are too many. */
static guint32
find_node (WlyMatcher *matcher, WlyState state, guint32 count, guint32 parent)
{
  const WlyStateInfo *info = wly_automaton_state (matcher->automaton, state);
  WlyMatcherNode node      = { .state = state, .count = count, .parent = parent };
  guint32 at;
  guint64 cost;

  grow_nodes (matcher);
  node.depth = parent != 0 ? matcher->nodes[parent].depth + 1 : 0;
  if (node.depth + info->height > WLY_MATCHER_DEPTH_MAX)
    return 0;
  for (at = hash_node (&node) & matcher->node_mask; matcher->node_table[at] != 0; at = (at + 1) & matcher->node_mask) {
    const WlyMatcherNode *other = &matcher->nodes[matcher->node_table[at]];

    if (other->state == state && other->count == count && other->parent == parent)
      return matcher->node_table[at];
  }
  if (matcher->n_nodes >= NODES_MAX) {
    matcher->failed = TRUE;
    return 0;
  }
  cost      = (guint64)wly_automaton_cost (matcher->automaton, state, count) + matcher->nodes[parent].cost;
  node.cost = (guint32)MIN (cost, WLY_AUTOMATON_COST_NONE - 1);
  matcher->node_table[at]          = matcher->n_nodes;
  matcher->nodes[matcher->n_nodes] = node;
  return matcher->n_nodes++;
}

/* ---- closures ---- */

static void
add_pending (WlyMatcher *matcher, guint32 node)
{
  if (node == 0 || matcher->seen[node] == matcher->n_closures)
    return;
  matcher->seen[node] = matcher->n_closures;
  g_array_append_val (matcher->pending, node);
}

static void
enter_loop (WlyMatcher *matcher, const WlyMatcherNode *node, const WlyEdge *edge)
{
  gboolean endless = edge->max == WLY_AUTOMATON_ENDLESS;
  guint32 count    = endless ? MIN (node->count + 1, edge->min) : node->count + 1;

  if (node->count >= edge->min)
    add_pending (matcher, find_node (matcher, edge->to, 0, node->parent));
  if (endless || node->count < edge->max) {
    guint32 frame = find_node (matcher, node->state, count, node->parent);

    if (frame != 0)
      add_pending (matcher, find_node (matcher, edge->what, 0, frame));
  }
}

static void
enter_rule (WlyMatcher *matcher, const WlyMatcherNode *node, const WlyEdge *edge)
{
  guint32 frame = node->parent;

  if (!PURE_END (wly_automaton_state (matcher->automaton, edge->to))) {
    frame = find_node (matcher, edge->to, 0, node->parent);
    if (frame == 0)
      return;
  }
  add_pending (matcher, find_node (matcher, edge->what, 0, frame));
}

/* How many plain characters a stack takes and stands where it stood. */
static guint32
plain_room (const WlyMatcher *matcher, const WlyMatcherNode *node)
{
  const WlyStateInfo *info = wly_automaton_state (matcher->automaton, node->state);
  const WlyEdge *edge      = wly_automaton_edges (matcher->automaton, node->state);

  if ((info->plain & 1) != 0)
    return G_MAXUINT32;
  if ((info->plain & 2) == 0 || info->n_edges == 0 || edge->kind != WLY_EDGE_LOOP)
    return 0;
  return edge->max == WLY_AUTOMATON_ENDLESS ? G_MAXUINT32 : edge->max - MIN (node->count, edge->max);
}

/* Follows what needs no reading from the nodes in `pending`; those that read go to `kept`. */
static void
close_pending (WlyMatcher *matcher, WlyPlaceInfo *ret_info)
{
  ret_info->cost = WLY_AUTOMATON_COST_NONE;
  for (guint i = 0; i < matcher->pending->len && !matcher->failed; i++) {
    guint32 id                = g_array_index (matcher->pending, guint32, i);
    const WlyMatcherNode node = matcher->nodes[id];
    const WlyStateInfo *info  = wly_automaton_state (matcher->automaton, node.state);
    const WlyEdge *edges      = wly_automaton_edges (matcher->automaton, node.state);
    gboolean reads            = FALSE;

    ret_info->cost  = MIN (ret_info->cost, node.cost);
    ret_info->plain = MAX (ret_info->plain, plain_room (matcher, &node));
    ret_info->free |= (info->plain & 4) != 0;
    if (info->final && node.parent == 0)
      ret_info->ends = TRUE;
    else if (info->final)
      add_pending (matcher, node.parent);
    for (guint32 e = 0; e < info->n_edges; e++) {
      if (edges[e].kind == WLY_EDGE_EMPTY)
        add_pending (matcher, find_node (matcher, edges[e].to, 0, node.parent));
      else if (edges[e].kind == WLY_EDGE_CALL)
        enter_rule (matcher, &node, &edges[e]);
      else if (edges[e].kind == WLY_EDGE_LOOP)
        enter_loop (matcher, &node, &edges[e]);
      else
        reads = TRUE;
    }
    if (reads)
      g_array_append_val (matcher->kept, id);
    if (i >= CLOSURE_MAX || ++matcher->work > WORK_MAX)
      matcher->failed = TRUE;
  }
}

/* Whether all that reads is of one string: characters within its frame, or its closing quote. */
static gboolean
is_string (const WlyMatcher *matcher, const GArray *nodes)
{
  guint32 string = 0;

  for (guint i = 0; i < nodes->len; i++) {
    const guint32 id           = g_array_index (nodes, guint32, i);
    const WlyMatcherNode *node = &matcher->nodes[id];
    const guint8 own           = wly_automaton_state (matcher->automaton, node->state)->plain;
    guint32 frame              = (own & 8) != 0 ? id : node->parent;

    if ((own & 16) != 0)
      continue;
    if (frame == 0 || (string != 0 && frame != string)
        || (wly_automaton_state (matcher->automaton, matcher->nodes[frame].state)->plain & 8) == 0)
      return FALSE;
    string = frame;
  }
  return string != 0;
}

static int
compare_ids (gconstpointer a, gconstpointer b)
{
  guint32 x = *(const guint32 *)a;
  guint32 y = *(const guint32 *)b;

  return x < y ? -1 : x > y;
}

static guint32
hash_place (const WlyPlaceInfo *info)
{
  guint32 hash = mix (mix (1, info->ends), info->plain);

  for (guint32 i = 0; i < info->n_nodes; i++)
    hash = mix (hash, info->nodes[i]);
  return hash;
}

static gboolean
same_place (const WlyPlaceInfo *a, const WlyPlaceInfo *b)
{
  return a->n_nodes == b->n_nodes && a->ends == b->ends && a->plain == b->plain
         && (a->n_nodes == 0 || memcmp (a->nodes, b->nodes, a->n_nodes * sizeof *a->nodes) == 0);
}

static void
grow_places (WlyMatcher *matcher)
{
  if (matcher->n_places == matcher->n_places_room) {
    matcher->n_places_room *= 2;
    matcher->places = g_renew (WlyPlaceInfo, matcher->places, matcher->n_places_room);
  }
  if (2 * matcher->n_places <= matcher->place_mask)
    return;
  g_free (matcher->place_table);
  matcher->place_mask  = 2 * matcher->place_mask + 1;
  matcher->place_table = g_new0 (guint32, matcher->place_mask + 1);
  for (guint32 i = 1; i < matcher->n_places; i++) {
    guint32 at = hash_place (&matcher->places[i]) & matcher->place_mask;

    while (matcher->place_table[at] != 0)
      at = (at + 1) & matcher->place_mask;
    matcher->place_table[at] = i;
  }
}

/* The place with these nodes; copies what @info points to. */
static WlyPlace
find_place (WlyMatcher *matcher, const WlyPlaceInfo *info)
{
  WlyPlaceInfo *place;
  guint32 at;

  grow_places (matcher);
  for (at = hash_place (info) & matcher->place_mask; matcher->place_table[at] != 0; at = (at + 1) & matcher->place_mask)
    if (same_place (info, &matcher->places[matcher->place_table[at]]))
      return matcher->place_table[at];
  if (matcher->n_places >= PLACES_MAX) {
    matcher->failed = TRUE;
    return 0;
  }
  matcher->place_table[at] = matcher->n_places;
  place                    = &matcher->places[matcher->n_places];
  *place                   = *info;
  place->nodes             = g_memdup2 (info->nodes, info->n_nodes * sizeof *info->nodes);
  return matcher->n_places++;
}

/* The place of what is in `pending`; empties it. */
static WlyPlace
settle (WlyMatcher *matcher)
{
  WlyPlaceInfo info = { 0 };
  WlyPlace place    = 0;

  g_array_set_size (matcher->kept, 0);
  close_pending (matcher, &info);
  g_array_set_size (matcher->pending, 0);
  g_array_sort (matcher->kept, compare_ids);
  info.nodes   = (guint32 *)(void *)matcher->kept->data;
  info.n_nodes = matcher->kept->len;
  info.string  = info.plain > 0 && !info.ends && is_string (matcher, matcher->kept);
  if (!matcher->failed && (info.ends || info.n_nodes > 0))
    place = find_place (matcher, &info);
  return place;
}

/* ---- steps ---- */

WlyPlace
wly_matcher_start (WlyMatcher *matcher)
{
  matcher->n_closures++;
  add_pending (matcher, find_node (matcher, matcher->automaton->start, 0, 0));
  return settle (matcher);
}

/* Bytes from @low to @high that all edges looked at so far treat as they do @byte. */
static void
narrow (const WlyEdge *edge, guint8 byte, guint *low, guint *high)
{
  if (edge->high < byte) {
    *low = MAX (*low, edge->high + 1u);
  } else if (edge->low > byte) {
    *high = MIN (*high, edge->low - 1u);
  } else {
    *low  = MAX (*low, edge->low);
    *high = MIN (*high, edge->high);
  }
}

WlyPlace
wly_matcher_step_slowly (WlyMatcher *matcher, WlyPlace place, guint8 byte)
{
  const WlyPlaceInfo info = *wly_matcher_get (matcher, place);
  guint low = 0, high = 255;
  WlyPlace next;

  if (matcher->failed || info.n_nodes == 0)
    return 0;
  matcher->n_closures++;
  for (guint32 i = 0; i < info.n_nodes; i++) {
    const WlyMatcherNode node = matcher->nodes[info.nodes[i]];
    const WlyEdge *edges      = wly_automaton_edges (matcher->automaton, node.state);
    guint32 n_edges           = wly_automaton_state (matcher->automaton, node.state)->n_edges;

    for (guint32 e = 0; e < n_edges; e++) {
      if (edges[e].kind != WLY_EDGE_BYTES)
        continue;
      narrow (&edges[e], byte, &low, &high);
      if (edges[e].low <= byte && byte <= edges[e].high)
        add_pending (matcher, find_node (matcher, edges[e].to, 0, node.parent));
    }
  }
  next = settle (matcher);
  if (matcher->places[place].next == NULL) {
    matcher->places[place].next = g_new (WlyPlace, 256);
    memset (matcher->places[place].next, 0xff, 256 * sizeof (WlyPlace));
  }
  for (guint other = low; other <= high; other++)
    matcher->places[place].next[other] = next;
  return next;
}

WlyPlace
wly_matcher_step_token (WlyMatcher *matcher, WlyPlace place, gint32 token)
{
  const WlyPlaceInfo info = *wly_matcher_get (matcher, place);

  if (matcher->failed)
    return 0;
  matcher->n_closures++;
  for (guint32 i = 0; i < info.n_nodes; i++) {
    const WlyMatcherNode node = matcher->nodes[info.nodes[i]];
    const WlyEdge *edges      = wly_automaton_edges (matcher->automaton, node.state);
    guint32 n_edges           = wly_automaton_state (matcher->automaton, node.state)->n_edges;

    for (guint32 e = 0; e < n_edges; e++)
      if (edges[e].kind == WLY_EDGE_TOKEN && edges[e].what == (guint32)token)
        add_pending (matcher, find_node (matcher, edges[e].to, 0, node.parent));
  }
  return settle (matcher);
}

void
wly_matcher_tokens (WlyMatcher *matcher, WlyPlace place, GArray *ret_tokens)
{
  const WlyPlaceInfo *info = wly_matcher_get (matcher, place);

  for (guint32 i = 0; i < info->n_nodes; i++) {
    WlyState state       = matcher->nodes[info->nodes[i]].state;
    const WlyEdge *edges = wly_automaton_edges (matcher->automaton, state);
    guint32 n_edges      = wly_automaton_state (matcher->automaton, state)->n_edges;

    for (guint32 e = 0; e < n_edges; e++)
      if (edges[e].kind == WLY_EDGE_TOKEN)
        g_array_append_val (ret_tokens, edges[e].what);
  }
}

/* ---- the shortest way to the end ---- */

typedef struct {
  WlyState state;
  guint32 count;
} Frame;

/* The stack of a node, its bottom first. */
static GArray *
copy_stack (const WlyMatcher *matcher, guint32 node)
{
  GArray *stack = g_array_new (FALSE, FALSE, sizeof (Frame));
  guint32 n     = matcher->nodes[node].depth + 1;

  g_array_set_size (stack, n);
  for (; node != 0; node = matcher->nodes[node].parent)
    g_array_index (stack, Frame, --n) = (Frame){ matcher->nodes[node].state, matcher->nodes[node].count };
  return stack;
}

/* Whether the way from @a is to be taken rather than that from @b: by what they are, not by when they were met. */
static gboolean
is_before (const WlyMatcher *matcher, guint32 a, guint32 b)
{
  if (matcher->nodes[a].cost != matcher->nodes[b].cost)
    return matcher->nodes[a].cost < matcher->nodes[b].cost;
  while (a != b) {
    const WlyMatcherNode *x = &matcher->nodes[a];
    const WlyMatcherNode *y = &matcher->nodes[b];

    if (x->state != y->state)
      return x->state < y->state;
    if (x->count != y->count)
      return x->count < y->count;
    a = x->parent;
    b = y->parent;
  }
  return FALSE;
}

static guint32
cheapest_node (const WlyMatcher *matcher, WlyPlace place)
{
  const WlyPlaceInfo *info = wly_matcher_get (matcher, place);
  guint32 best             = 0;

  for (guint32 i = 0; i < info->n_nodes; i++)
    if (best == 0 || is_before (matcher, info->nodes[i], best))
      best = info->nodes[i];
  return best;
}

static guint8
choose_byte (const WlyEdge *edge, const guint8 *usable)
{
  for (guint byte = edge->low; byte <= edge->high; byte++)
    if (usable[byte])
      return (guint8)byte;
  return edge->low;
}

/* Takes the best edge of the top of the stack. */
static void
follow_best (const WlyAutomaton *automaton, GArray *stack, const guint8 *usable, GString *text, GArray *tokens)
{
  Frame *top               = &g_array_index (stack, Frame, stack->len - 1);
  const WlyStateInfo *info = wly_automaton_state (automaton, top->state);
  const WlyEdge *edge      = &g_array_index (automaton->edges, WlyEdge, info->best);
  Frame inner              = { edge->what, 0 };

  if (info->final) {
    g_array_set_size (stack, stack->len - 1);
    return;
  }
  if (edge->kind == WLY_EDGE_LOOP && top->count < edge->min) {
    top->count++;
    g_array_append_val (stack, inner);
    return;
  }
  *top = (Frame){ edge->to, 0 };
  if (edge->kind == WLY_EDGE_BYTES) {
    g_string_append_c (text, (char)choose_byte (edge, usable));
  } else if (edge->kind == WLY_EDGE_TOKEN) {
    const gint32 place_and_token[] = { (gint32)text->len, (gint32)edge->what };

    g_array_append_vals (tokens, place_and_token, 2);
    g_string_append_c (text, '\0');
  } else if (edge->kind == WLY_EDGE_CALL) {
    g_array_append_val (stack, inner);
  }
}

gboolean
wly_matcher_shortest (WlyMatcher *matcher, WlyPlace place, gsize n_max, const guint8 *usable, GString *ret_text,
                      GArray *ret_tokens)
{
  guint32 node             = cheapest_node (matcher, place);
  g_autoptr (GArray) stack = NULL;

  if (wly_matcher_get (matcher, place)->ends)
    return TRUE;
  if (node == 0 || matcher->nodes[node].cost > n_max)
    return FALSE;
  stack = copy_stack (matcher, node);
  while (stack->len > 0 && ret_text->len <= n_max)
    follow_best (matcher->automaton, stack, usable, ret_text, ret_tokens);
  return stack->len == 0;
}

/* ---- counts that do not matter ---- */

/* The count that stands for this one, for texts of up to @n_bytes: they go through so many rounds at most. */
static guint32
settle_count (const WlyMatcher *matcher, const Frame *frame, guint32 n_bytes)
{
  const WlyStateInfo *info = wly_automaton_state (matcher->automaton, frame->state);
  const WlyEdge *edge      = wly_automaton_edges (matcher->automaton, frame->state);
  guint32 round_bytes, n;

  if (frame->count == 0 || info->n_edges == 0 || edge->kind != WLY_EDGE_LOOP)
    return frame->count;
  round_bytes = wly_automaton_state (matcher->automaton, edge->what)->cost;
  if (round_bytes == 0)
    return frame->count;
  n = n_bytes / round_bytes;
  if (frame->count < edge->min)
    return edge->min - frame->count > n ? MAX (edge->min - n - 1, 1) : frame->count;
  if (edge->max == WLY_AUTOMATON_ENDLESS || edge->max - frame->count <= n)
    return frame->count;
  return MAX (MAX (edge->min, 1), edge->max - n - 1);
}

static guint32
settle_node (WlyMatcher *matcher, guint32 node, guint32 n_bytes)
{
  g_autoptr (GArray) stack = copy_stack (matcher, node);
  guint32 settled          = 0;
  gboolean same            = TRUE;

  for (guint f = 0; f < stack->len; f++) {
    Frame *frame  = &g_array_index (stack, Frame, f);
    guint32 count = settle_count (matcher, frame, n_bytes);

    same &= count == frame->count;
    frame->count = count;
  }
  if (same)
    return node;
  for (guint f = 0; f < stack->len; f++)
    settled =
        find_node (matcher, g_array_index (stack, Frame, f).state, g_array_index (stack, Frame, f).count, settled);
  return settled;
}

WlyPlace
wly_matcher_settled (WlyMatcher *matcher, WlyPlace place, guint32 n_bytes)
{
  WlyPlaceInfo info         = *wly_matcher_get (matcher, place);
  g_autofree guint32 *nodes = NULL;
  guint32 cost              = info.ends ? 0 : WLY_AUTOMATON_COST_NONE;
  gboolean same             = TRUE;
  WlyPlace settled;

  if (info.settled != 0)
    return info.settled;
  nodes = g_new (guint32, info.n_nodes + 1);
  for (guint32 i = 0; i < info.n_nodes; i++) {
    nodes[i] = settle_node (matcher, info.nodes[i], n_bytes);
    same &= nodes[i] == info.nodes[i];
    cost = MIN (cost, matcher->nodes[nodes[i]].cost);
  }
  qsort (nodes, info.n_nodes, sizeof *nodes, compare_ids);
  info.nodes      = nodes;
  info.next       = NULL;
  info.mask       = NULL;
  info.short_mask = NULL;
  info.n_tokens   = 0;
  info.cost       = cost;
  if (info.plain != G_MAXUINT32)
    info.plain = MIN (info.plain, n_bytes + 1);
  settled                        = same ? place : find_place (matcher, &info);
  matcher->places[place].settled = settled;
  return settled;
}

/* ---- tidying ---- */

gboolean
wly_matcher_tidy (WlyMatcher *matcher, WlyPlace *place, gboolean always)
{
  WlyPlaceInfo info;
  g_autofree guint32 *nodes    = NULL;
  g_autoptr (GPtrArray) stacks = NULL;

  if (!always && matcher->n_nodes < NODES_TIDY && matcher->n_places < PLACES_TIDY)
    return FALSE;
  info   = *wly_matcher_get (matcher, *place);
  stacks = g_ptr_array_new_with_free_func ((GDestroyNotify)g_array_unref);
  for (guint32 i = 0; i < info.n_nodes; i++)
    g_ptr_array_add (stacks, copy_stack (matcher, info.nodes[i]));
  forget (matcher);
  start_empty (matcher);
  nodes = g_new (guint32, info.n_nodes + 1);
  for (guint32 i = 0; i < info.n_nodes; i++) {
    const GArray *stack = stacks->pdata[i];

    nodes[i] = 0;
    for (guint f = 0; f < stack->len; f++) {
      const Frame *frame = &g_array_index (stack, Frame, f);

      nodes[i] = find_node (matcher, frame->state, frame->count, nodes[i]);
    }
  }
  qsort (nodes, info.n_nodes, sizeof *nodes, compare_ids);
  info.nodes      = nodes;
  info.next       = NULL;
  info.mask       = NULL;
  info.short_mask = NULL;
  info.settled    = 0;
  *place          = find_place (matcher, &info);
  return TRUE;
}
