/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Models whose workers die again and again, by the identity of their files: a file that changed starts anew.
 */
#pragma once

#include "wly-settings.h"

G_BEGIN_DECLS

typedef struct WlyQuarantine WlyQuarantine;

/* How many deaths in which time count comes from the group [quarantine]. */
WlyQuarantine *wly_quarantine_new (WlySettings *settings);
void wly_quarantine_free (WlyQuarantine *quarantine);

/* A worker died at this time (monotonic, microseconds).  TRUE: the model is in quarantine now. */
gboolean wly_quarantine_note_death (WlyQuarantine *quarantine, const char *identity, gint64 now_us);

/* Microseconds until it is let out; 0 where it is not in. */
gint64 wly_quarantine_left_us (WlyQuarantine *quarantine, const char *identity, gint64 now_us);

/* Microseconds that the next worker should wait for: half a second after the first death, 2 s after the second, then 8;
 * 0 where there is nothing to wait for. */
gint64 wly_quarantine_pause_us (WlyQuarantine *quarantine, const char *identity, gint64 now_us);

void wly_quarantine_clear (WlyQuarantine *quarantine, const char *identity);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (WlyQuarantine, wly_quarantine_free)

G_END_DECLS
