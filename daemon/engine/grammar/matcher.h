/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Runs a finished grammar over bytes: a pushdown automaton whose sets of stacks are made into the states of a
 * deterministic automaton as they are met.
 *
 * A stack is a node with a parent, and equal stacks are one node, so that sets of them can be compared. What is behind
 * a byte is looked up where it was once worked out. Memory is bounded: between tokens wly_matcher_tidy() forgets all
 * but the present where there is too much.
 */
#pragma once

#include "grammar/automaton.h"

G_BEGIN_DECLS

typedef guint32 WlyPlace; /* a set of stacks; 0: none, the text cannot go on */

#define WLY_MATCHER_DEPTH_MAX 1024 /* rules in each other */

/* What stands at a place. */
typedef struct {
  guint32 *nodes;
  guint32 n_nodes;
  guint32 cost;        /* bytes of the shortest way to the end */
  guint32 plain;       /* so many plain characters and any fewer may follow; G_MAXUINT32: any number */
  gboolean string;     /* at the beginning of a character in one string of JSON, in no other place */
  gboolean ends;       /* the text may end here */
  gboolean free;       /* any text may follow, but what some marks lead to */
  WlyPlace *next;      /* [256] by byte; G_MAXUINT32: not worked out yet; NULL: none is */
  guint32 *mask;       /* of the constraint: freed with g_free() */
  guint32 n_tokens;    /* of the constraint: tokens of a way to the end; 0: not worked out */
  guint32 *short_mask; /* the same */
  WlyPlace settled;    /* see wly_matcher_settled(); 0: not worked out */
} WlyPlaceInfo;

typedef struct {
  guint32 state, count, parent;
  guint32 cost; /* bytes of the shortest way to the end of the text */
  guint32 depth;
} WlyMatcherNode;

typedef struct {
  const WlyAutomaton *automaton;
  WlyPlaceInfo *places; /* [n_places]; 0 is none */
  guint32 n_places, n_places_room;
  WlyMatcherNode *nodes; /* [n_nodes]; 0 is none */
  guint32 n_nodes, n_nodes_room;
  guint32 *place_table, *node_table; /* open addressing */
  guint32 place_mask, node_mask;
  guint32 *seen; /* [n_nodes_room] number of the last closure that met it */
  guint32 n_closures;
  GArray *pending, *kept; /* guint32: nodes of the closure that is made */
  guint64 work;           /* stacks that were looked at since wly_matcher_begin() */
  gboolean failed;
} WlyMatcher;

/* The automaton must stay. */
WlyMatcher *wly_matcher_new (const WlyAutomaton *automaton);
void wly_matcher_free (WlyMatcher *matcher); /* NULL is fine */
/* Bytes that it takes, but for what the constraint keeps at its places. */
gsize wly_matcher_bytes (const WlyMatcher *matcher);

WlyPlace wly_matcher_start (WlyMatcher *matcher);
/* What comes next is for another token: its work is limited by itself. */
void wly_matcher_begin (WlyMatcher *matcher);
WlyPlace wly_matcher_step_slowly (WlyMatcher *matcher, WlyPlace place, guint8 byte);
/* Behind a token that the grammar names by its id. */
WlyPlace wly_matcher_step_token (WlyMatcher *matcher, WlyPlace place, gint32 token);

static inline WlyPlaceInfo *
wly_matcher_get (const WlyMatcher *matcher, WlyPlace place)
{
  return &matcher->places[place];
}

/* The place that stands for this one and others that differ only in counts that no text of up to @n_bytes brings to an
 * end: between tokens of that length all is alike there.  Always the same @n_bytes. */
WlyPlace wly_matcher_settled (WlyMatcher *matcher, WlyPlace place, guint32 n_bytes);
/* Ids of tokens that the grammar names and that may follow here, with repeats. */
void wly_matcher_tokens (WlyMatcher *matcher, WlyPlace place, GArray *ret_tokens);
/* The shortest text to the end, FALSE: it has more than @n_max bytes, or there is none.  Bytes that stand in
 * @usable [256] are preferred.  Tokens named by id stand in @ret_tokens (gint32) at ret_text->len: one byte 0 each. */
gboolean wly_matcher_shortest (WlyMatcher *matcher, WlyPlace place, gsize n_max, const guint8 *usable,
                               GString *ret_text, GArray *ret_tokens);

/* Whether a limit was met: the grammar is too ambiguous.  From then on there are no ways on. */
gboolean wly_matcher_failed (const WlyMatcher *matcher);
/* Forgets all but @place, which has another number afterwards, where there is much or @always; TRUE: it did. */
gboolean wly_matcher_tidy (WlyMatcher *matcher, WlyPlace *place, gboolean always);

static inline WlyPlace
wly_matcher_step (WlyMatcher *matcher, WlyPlace place, guint8 byte)
{
  const WlyPlaceInfo *info = wly_matcher_get (matcher, place);

  if (info->next != NULL && info->next[byte] != G_MAXUINT32)
    return info->next[byte];
  return wly_matcher_step_slowly (matcher, place, byte);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (WlyMatcher, wly_matcher_free)

G_END_DECLS
