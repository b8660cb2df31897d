/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "grammar/language.h"

WlyLanguage *
wly_language_new (void)
{
  WlyLanguage *language = g_new0 (WlyLanguage, 1);

  language->edges = g_array_new (FALSE, FALSE, sizeof (WlyLanguageEdge));
  return language;
}

void
wly_language_free (WlyLanguage *language)
{
  if (language == NULL)
    return;
  g_array_unref (language->edges);
  g_free (language);
}

guint32
wly_language_add_state (WlyLanguage *language)
{
  return language->n_states++;
}

void
wly_language_add_range (WlyLanguage *language, guint32 from, guint32 low, guint32 high, guint32 to)
{
  const WlyLanguageEdge edge = { from, to, low, high };

  g_array_append_val (language->edges, edge);
}

void
wly_language_add_empty (WlyLanguage *language, guint32 from, guint32 to)
{
  wly_language_add_range (language, from, 1, 0, to);
}

void
wly_language_add_set (WlyLanguage *language, guint32 from, const WlyCharset *set, guint32 to)
{
  for (guint i = 0; i < set->len; i++)
    wly_language_add_range (language, from, wly_charset_range (set, i)->low, wly_charset_range (set, i)->high, to);
}

/* ---- as it is, into a grammar ---- */

static gboolean
is_empty_edge (const WlyLanguageEdge *edge)
{
  return edge->low > edge->high;
}

/* Marks what reaches the end (@back) or is reached from the start without reading, the beginning of the text too. */
static guint8 *
mark_unread (const WlyLanguage *language, gboolean back)
{
  guint8 *marked   = g_new0 (guint8, language->n_states);
  gboolean changed = TRUE;
  guint32 mark     = back ? WLY_LANGUAGE_END : WLY_LANGUAGE_BEGIN;

  marked[back ? language->end : language->start] = TRUE;
  while (changed) {
    changed = FALSE;
    for (guint i = 0; i < language->edges->len; i++) {
      const WlyLanguageEdge *edge = &g_array_index (language->edges, WlyLanguageEdge, i);
      guint32 known               = back ? edge->to : edge->from;
      guint32 found               = back ? edge->from : edge->to;

      if (!marked[known] || marked[found] || !(is_empty_edge (edge) || edge->low == mark))
        continue;
      marked[found] = TRUE;
      changed       = TRUE;
    }
  }
  return marked;
}

void
wly_language_emit (const WlyLanguage *language, WlyAutomaton *automaton, WlyState from, WlyState to)
{
  g_autofree WlyState *states = g_new (WlyState, language->n_states);
  g_autofree guint8 *first    = mark_unread (language, FALSE);
  g_autofree guint8 *last     = mark_unread (language, TRUE);

  for (guint32 i = 0; i < language->n_states; i++) {
    states[i] = wly_automaton_add_state (automaton);
    if (first[i])
      wly_automaton_add_empty (automaton, from, states[i]);
    if (last[i])
      wly_automaton_add_empty (automaton, states[i], to);
  }
  for (guint i = 0; i < language->edges->len; i++) {
    const WlyLanguageEdge *edge = &g_array_index (language->edges, WlyLanguageEdge, i);
    g_autoptr (GArray) set      = NULL;

    if (is_empty_edge (edge))
      wly_automaton_add_empty (automaton, states[edge->from], states[edge->to]);
    if (is_empty_edge (edge) || edge->low > WLY_CHARSET_MAX)
      continue;
    set = wly_charset_new ();
    wly_charset_add (set, edge->low, edge->high);
    wly_charset_settle (set);
    wly_automaton_add_set (automaton, states[edge->from], set, states[edge->to]);
  }
}
