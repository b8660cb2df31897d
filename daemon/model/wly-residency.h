/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Which models stay in memory: a byte budget and a time-out, the least recently used one leaves first, never a busy or
 * a held one.  Knows bytes and times, not models.
 */
#pragma once

#include <glib-object.h>

G_BEGIN_DECLS

#define WLY_TYPE_RESIDENCY (wly_residency_get_type ())
G_DECLARE_FINAL_TYPE (WlyResidency, wly_residency, WLY, RESIDENCY, GObject)

typedef struct WlyResident WlyResident;

/* Asks the owner to free its memory soon; it says so with wly_residency_set_bytes (resident, 0).
 * @why: for the log. */
typedef void (*WlyResidentEvictCb) (const char *why, gpointer user_data);

typedef enum {
  WLY_ADMISSION_YES,  /* the bytes are booked */
  WLY_ADMISSION_WAIT, /* memory will become free; "room" tells when to ask again */
  WLY_ADMISSION_NO,   /* error is set */
} WlyAdmission;

/* Signals: "room" (): memory has become free; "booked" (): one was admitted, so there is less that nobody has. */
WlyResidency *wly_residency_new (guint64 budget_bytes, gint64 idle_us);
void wly_residency_configure (WlyResidency *residency, guint64 budget_bytes, gint64 idle_us);
guint64 wly_residency_get_budget (WlyResidency *residency);
guint64 wly_residency_get_total_bytes (WlyResidency *residency); /* booked by all */
/* Weights may be larger in memory than in the file: one may use @own_bytes, booked for them, and what nobody has
 * booked. */
guint64 wly_residency_get_share (WlyResidency *residency, guint64 own_bytes);

/* @name: for messages. */
WlyResident *wly_residency_add (WlyResidency *residency, const char *name, WlyResidentEvictCb evict,
                                gpointer user_data);
void wly_residency_remove (WlyResident *resident);

/* Books what it needs, asking idle ones to leave where that is what it takes.
 * Errors: WLY_ERROR_NO_MEMORY where it cannot fit whoever leaves. */
WlyAdmission wly_residency_admit (WlyResidency *residency, WlyResident *resident, guint64 n_bytes, GError **error);

/* What it really holds; 0: it has left. */
void wly_residency_set_bytes (WlyResident *resident, guint64 n_bytes);
guint64 wly_residency_get_bytes (WlyResident *resident);

/* While it is busy or held, it stays.  Ending either counts as use. */
void wly_residency_set_use (WlyResident *resident, gboolean busy, gboolean held);

/* Asks those to leave that were idle for too long at this time.  Called by a timer; by tests with times of their own.
 */
void wly_residency_expire (WlyResidency *residency, gint64 now_us);

G_END_DECLS
