/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wly-evict.h"

static gboolean
holds_blocks (const WlySession *session)
{
  return session->sequence != NULL && wly_sequence_n_computed (session->sequence) > 0;
}

static WlyGeneration *
find_generation (GPtrArray *generations, const WlySession *session)
{
  for (guint i = 0; i < generations->len; i++) {
    WlyGeneration *generation = g_ptr_array_index (generations, i);

    if (generation->session == session)
      return generation;
  }
  return NULL;
}

/* 0: idle, 1: it generates, but not in this step, 2: it is in the step. */
static guint
rank (const WlySession *session, GPtrArray *active, GPtrArray *in_step)
{
  return find_generation (active, session) == NULL ? 0 : find_generation (in_step, session) == NULL ? 1 : 2;
}

/* Takes all blocks of a session; a generation of it waits, or the two would take them from each other in turns. */
static void
take_blocks (WlySession *session, GPtrArray *active)
{
  WlyGeneration *generation = find_generation (active, session);

  wly_sequence_invalidate (session->sequence);
  if (generation != NULL)
    generation->preempted = TRUE;
}

static WlySession *
find_bystander (GPtrArray *sessions, GPtrArray *active, GPtrArray *in_step)
{
  WlySession *best = NULL;
  guint best_rank  = 2;

  for (guint i = 0; i < sessions->len; i++) {
    WlySession *session = g_ptr_array_index (sessions, i);
    guint session_rank  = rank (session, active, in_step);

    if (session_rank >= 2 || !holds_blocks (session))
      continue;
    if (session_rank < best_rank || (session_rank == best_rank && session->last_used < best->last_used)) {
      best      = session;
      best_rank = session_rank;
    }
  }
  return best;
}

/* Lower priority first, then who came last. */
static WlyGeneration *
find_least_urgent (GPtrArray *in_step)
{
  WlyGeneration *least = g_ptr_array_index (in_step, 0);

  for (guint i = 1; i < in_step->len; i++) {
    WlyGeneration *generation = g_ptr_array_index (in_step, i);

    if (generation->priority > least->priority
        || (generation->priority == least->priority && generation->order > least->order))
      least = generation;
  }
  return least;
}

gboolean
wly_evict_one (GPtrArray *sessions, GPtrArray *active, GPtrArray *in_step)
{
  WlySession *bystander = find_bystander (sessions, active, in_step);

  if (bystander == NULL && in_step->len >= 2)
    bystander = find_least_urgent (in_step)->session;
  if (bystander == NULL)
    return FALSE;
  take_blocks (bystander, active);
  return TRUE;
}

void
wly_evict_resume (GPtrArray *active)
{
  for (guint i = 0; i < active->len; i++)
    ((WlyGeneration *)g_ptr_array_index (active, i))->preempted = FALSE;
}
