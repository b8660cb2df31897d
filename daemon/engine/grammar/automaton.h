/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A grammar as rules over bytes: what all languages of constraints are compiled to.
 *
 * A rule is a small automaton whose edges read a byte or a token, read nothing, call another rule, or repeat one
 * between two counts.  Text is UTF-8, so that a set of characters is a few edges over bytes.  When a grammar is
 * finished, ways from which no text can be ended are gone and for each state the shortest way to the end of its rule is
 * known.
 *
 * Building never fails by itself: beyond the limits nothing is added any more, and wly_automaton_finish() says so.
 */
#pragma once

#include "grammar/charset.h"

G_BEGIN_DECLS

#define WLY_AUTOMATON_RULES_MAX  65536
#define WLY_AUTOMATON_STATES_MAX 500000
#define WLY_AUTOMATON_EDGES_MAX  1000000
#define WLY_AUTOMATON_REPEAT_MAX 1000000 /* of a count; more is asked for by WLY_AUTOMATON_ENDLESS */
#define WLY_AUTOMATON_ENDLESS    G_MAXUINT32
#define WLY_AUTOMATON_COST_NONE  G_MAXUINT32 /* no text ends it */

typedef guint32 WlyState; /* 0 is none */
typedef guint32 WlyRule;

typedef enum {
  WLY_EDGE_BYTES, /* one byte of low .. high */
  WLY_EDGE_TOKEN, /* one token, which may have no text */
  WLY_EDGE_EMPTY,
  WLY_EDGE_CALL, /* the rule, then on */
  WLY_EDGE_LOOP, /* the rule, min to max times, then on; its state has no other edge */
} WlyEdgeKind;

typedef struct {
  guint8 kind; /* WlyEdgeKind */
  guint8 low, high;
  WlyState from, to;
  guint32 what; /* rule (its first state in a finished automaton), or token */
  guint32 min, max;
} WlyEdge;

typedef struct {
  WlyState start;
  char *name; /* NULL: one that the user did not name */
} WlyRuleInfo;

typedef struct {
  guint32 first_edge; /* of the finished automaton */
  guint32 n_edges;
  guint32 cost;   /* bytes of the shortest way to the end of the rule */
  guint32 best;   /* the edge that it begins with */
  guint16 height; /* rules in each other on that way */
  guint8 final;
  guint8 plain; /* bit 0: any number of plain characters leads back here; bit 1: a loop whose rule takes any of them;
                 * bit 2: any text may follow, but what a mark leads to; bit 3: the same as 0 or 1, of a whole string of
                 * JSON; bit 4: its closing quote alone is read */
} WlyStateInfo;

typedef struct {
  GArray *states;   /* WlyStateInfo */
  GArray *edges;    /* WlyEdge */
  GArray *rules;    /* WlyRuleInfo */
  GHashTable *sets; /* GBytes of a large set of characters: rule + 1 */
  WlyState start;   /* once finished */
  gboolean too_large;
} WlyAutomaton;

WlyAutomaton *wly_automaton_new (void);
void wly_automaton_free (WlyAutomaton *automaton); /* NULL is fine */
/* Bytes that it takes, of a finished one. */
gsize wly_automaton_bytes (const WlyAutomaton *automaton);

WlyState wly_automaton_add_state (WlyAutomaton *automaton);
/* @name is copied, NULL for rules of our own. */
WlyRule wly_automaton_add_rule (WlyAutomaton *automaton, const char *name);
WlyState wly_automaton_rule_start (const WlyAutomaton *automaton, WlyRule rule);
void wly_automaton_set_final (WlyAutomaton *automaton, WlyState state);
void wly_automaton_set_plain (WlyAutomaton *automaton, WlyState state, guint8 bit);

void wly_automaton_add_bytes (WlyAutomaton *automaton, WlyState from, guint8 low, guint8 high, WlyState to);
void wly_automaton_add_empty (WlyAutomaton *automaton, WlyState from, WlyState to);
void wly_automaton_add_token (WlyAutomaton *automaton, WlyState from, gint32 token, WlyState to);
void wly_automaton_add_call (WlyAutomaton *automaton, WlyState from, WlyRule rule, WlyState to);
/* @from must be a state without other edges. */
void wly_automaton_add_loop (WlyAutomaton *automaton, WlyState from, WlyRule rule, guint32 min, guint32 max,
                             WlyState to);
/* A text byte by byte; gives the state behind it. */
WlyState wly_automaton_add_text (WlyAutomaton *automaton, WlyState from, const char *text, gsize n_bytes);
/* One character of a settled set, as UTF-8; large sets become a rule each. */
void wly_automaton_add_set (WlyAutomaton *automaton, WlyState from, const WlyCharset *set, WlyState to);

/* Checks and settles it; nothing can be added any more.  Errors: WLY_ERROR_INVALID_ARGS (too large, left recursion, a
 * grammar that no text can end). */
gboolean wly_automaton_finish (WlyAutomaton *automaton, WlyRule root, GError **error);

static inline const WlyStateInfo *
wly_automaton_state (const WlyAutomaton *automaton, WlyState state)
{
  return &g_array_index (automaton->states, WlyStateInfo, state);
}

static inline const WlyEdge *
wly_automaton_edges (const WlyAutomaton *automaton, WlyState state)
{
  return &g_array_index (automaton->edges, WlyEdge, wly_automaton_state (automaton, state)->first_edge);
}

/* Bytes of the shortest way on from a state that is a loop with @count rounds behind it, or none. */
guint32 wly_automaton_cost (const WlyAutomaton *automaton, WlyState state, guint32 count);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (WlyAutomaton, wly_automaton_free)

G_END_DECLS
