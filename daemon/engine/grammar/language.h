/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Regular languages over code points: first as an automaton that may have many ways on (WlyLanguage, what a regular
 * expression becomes), then as one that has one (WlyDfa), which can be combined with others.
 *
 * Two code points that no text has stand for where it begins and ends; expressions read them for ^ and $.
 */
#pragma once

#include "grammar/automaton.h"

G_BEGIN_DECLS

#define WLY_LANGUAGE_BEGIN      0x110000u
#define WLY_LANGUAGE_END        0x110001u
#define WLY_LANGUAGE_STATES_MAX 50000
#define WLY_DFA_WORK_MAX        40000000 /* some hundred milliseconds */
#define WLY_DFA_WORK_SHORT      2000000  /* where there is another way */

typedef struct {
  guint32 from, to;
  guint32 low, high; /* low > high: reads nothing */
} WlyLanguageEdge;

typedef struct {
  GArray *edges; /* WlyLanguageEdge */
  guint32 n_states;
  guint32 start, end;
} WlyLanguage;

WlyLanguage *wly_language_new (void);
void wly_language_free (WlyLanguage *language); /* NULL is fine */
guint32 wly_language_add_state (WlyLanguage *language);
void wly_language_add_range (WlyLanguage *language, guint32 from, guint32 low, guint32 high, guint32 to);
void wly_language_add_empty (WlyLanguage *language, guint32 from, guint32 to);
void wly_language_add_set (WlyLanguage *language, guint32 from, const WlyCharset *set, guint32 to);

/* One way on for each code point; state 0 is where no way on is left. */
typedef struct {
  guint32 n_states, n_parts, n_columns;
  guint32 *bounds;  /* [n_parts + 1]: part p has the code points from bounds[p] to below bounds[p + 1] */
  guint32 *columns; /* [n_parts] of `next`: parts that no state tells apart share one */
  guint32 *next;    /* [n_states][n_columns] */
  guint8 *accepts;  /* [n_states] */
  guint64 work;     /* what it took to make it, in steps of some nanoseconds */
  guint32 start;
} WlyDfa;

typedef enum {
  WLY_LANGUAGE_WHOLE, /* the text is in the language */
  WLY_LANGUAGE_PART,  /* some part of it is */
} WlyLanguageUse;

/* Without the marks: the texts themselves.  NULL: it would be too large, or more than @work_max work. */
WlyDfa *wly_dfa_new (const WlyLanguage *language, WlyLanguageUse use, guint64 work_max);
/* All texts of @min to @max characters (WLY_AUTOMATON_ENDLESS: any).  NULL: too large. */
WlyDfa *wly_dfa_new_length (guint32 min, guint32 max);
/* The texts of a list; @texts has their bytes, each ended by a NUL.  NULL: too large. */
WlyDfa *wly_dfa_new_texts (const GPtrArray *texts);
/* Texts of @a that are of @b, too, or (@without) are not.  NULL: too large. */
WlyDfa *wly_dfa_combine (const WlyDfa *a, const WlyDfa *b, gboolean without);
gboolean wly_dfa_is_empty (const WlyDfa *dfa);
gboolean wly_dfa_accepts (const WlyDfa *dfa, const char *text, gsize n_bytes);
void wly_dfa_free (WlyDfa *dfa); /* NULL is fine */

/* Writes it as edges from @from to @to; @json: within quotes, with the escapes of wly_json_write_string(). */
void wly_dfa_emit (const WlyDfa *dfa, WlyAutomaton *automaton, WlyState from, WlyState to, gboolean json);
/* The same for a language that is too large for a WlyDfa; the text as a whole, not in JSON. */
void wly_language_emit (const WlyLanguage *language, WlyAutomaton *automaton, WlyState from, WlyState to);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (WlyLanguage, wly_language_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WlyDfa, wly_dfa_free)

G_END_DECLS
