/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wly-residency.h"

#include "wly-error.h"

struct _WlyResidency {
  GObject parent_instance;
  GPtrArray *residents; /* not owned */
  guint64 budget_bytes;
  gint64 idle_us;
  guint timer;
};

struct WlyResident {
  WlyResidency *residency;
  char *name;
  WlyResidentEvictCb evict;
  gpointer user_data;
  guint64 n_bytes;
  gint64 last_use_us;
  gboolean busy;
  gboolean held;
  gboolean leaving; /* was asked to */
};

enum { SIGNAL_ROOM, SIGNAL_BOOKED, N_SIGNALS };
static guint signals[N_SIGNALS];

G_DEFINE_FINAL_TYPE (WlyResidency, wly_residency, G_TYPE_OBJECT)

static gboolean
may_leave (const WlyResident *resident)
{
  return resident->n_bytes > 0 && !resident->busy && !resident->held && !resident->leaving;
}

static void
ask_to_leave (WlyResident *resident, const char *why)
{
  resident->leaving = TRUE;
  resident->evict (why, resident->user_data);
}

static gboolean
timer_cb (gpointer data)
{
  WlyResidency *self = data;

  self->timer = 0;
  wly_residency_expire (self, g_get_monotonic_time ());
  return G_SOURCE_REMOVE;
}

/* One timer, for the first that will have been idle for too long; none where none is. */
static void
set_timer (WlyResidency *self)
{
  gint64 first_us = G_MAXINT64;

  g_clear_handle_id (&self->timer, g_source_remove);
  for (guint i = 0; i < self->residents->len; i++) {
    WlyResident *resident = self->residents->pdata[i];
    if (may_leave (resident))
      first_us = MIN (first_us, resident->last_use_us + self->idle_us);
  }
  if (first_us != G_MAXINT64) {
    gint64 wait_ms = (first_us - g_get_monotonic_time ()) / 1000 + 1;
    self->timer    = g_timeout_add ((guint)CLAMP (wait_ms, 1, G_MAXINT), timer_cb, self);
  }
}

void
wly_residency_expire (WlyResidency *self, gint64 now_us)
{
  /* an owner may free its resident while it is asked: begin again after each */
  for (gboolean again = TRUE; again;) {
    again = FALSE;
    for (guint i = 0; i < self->residents->len && !again; i++) {
      WlyResident *resident = self->residents->pdata[i];
      if (may_leave (resident) && resident->last_use_us + self->idle_us <= now_us) {
        ask_to_leave (resident, "it was idle");
        again = TRUE;
      }
    }
  }
  set_timer (self);
}

static WlyResident *
least_recently_used (WlyResidency *self, const WlyResident *except)
{
  WlyResident *oldest = NULL;

  for (guint i = 0; i < self->residents->len; i++) {
    WlyResident *resident = self->residents->pdata[i];
    if (resident != except && may_leave (resident) && (oldest == NULL || resident->last_use_us < oldest->last_use_us))
      oldest = resident;
  }
  return oldest;
}

static guint64
sum_bytes (WlyResidency *self, const WlyResident *except, gboolean (*counts) (const WlyResident *))
{
  guint64 sum = 0;

  for (guint i = 0; i < self->residents->len; i++) {
    WlyResident *resident = self->residents->pdata[i];
    if (resident != except && counts (resident) && !g_uint64_checked_add (&sum, sum, resident->n_bytes))
      return G_MAXUINT64;
  }
  return sum;
}

static gboolean
counts_always (const WlyResident *resident)
{
  return TRUE;
}

static gboolean
counts_held (const WlyResident *resident)
{
  return resident->held;
}

static gboolean
counts_staying (const WlyResident *resident)
{
  return !resident->leaving;
}

static gboolean
fits (WlyResidency *self, guint64 others_bytes, guint64 n_bytes)
{
  return others_bytes <= self->budget_bytes && n_bytes <= self->budget_bytes - others_bytes;
}

WlyAdmission
wly_residency_admit (WlyResidency *self, WlyResident *resident, guint64 n_bytes, GError **error)
{
  guint64 held_bytes = sum_bytes (self, resident, counts_held);
  WlyResident *oldest;

  if (!fits (self, held_bytes, n_bytes)) {
    g_set_error (error, WLY_ERROR, WLY_ERROR_NO_MEMORY,
                 "%s needs %" G_GUINT64_FORMAT " MiB; the budget is %" G_GUINT64_FORMAT
                 " MiB, of which %" G_GUINT64_FORMAT " MiB are held by other models",
                 resident->name, n_bytes >> 20, self->budget_bytes >> 20, held_bytes >> 20);
    return WLY_ADMISSION_NO;
  }
  while (!fits (self, sum_bytes (self, resident, counts_staying), n_bytes)
         && (oldest = least_recently_used (self, resident)) != NULL)
    ask_to_leave (oldest, "another model needs the memory");
  if (!fits (self, sum_bytes (self, resident, counts_always), n_bytes))
    return WLY_ADMISSION_WAIT;
  resident->n_bytes     = MAX (n_bytes, 1);
  resident->leaving     = FALSE;
  resident->last_use_us = g_get_monotonic_time ();
  set_timer (self);
  g_signal_emit (self, signals[SIGNAL_BOOKED], 0);
  return WLY_ADMISSION_YES;
}

WlyResident *
wly_residency_add (WlyResidency *self, const char *name, WlyResidentEvictCb evict, gpointer user_data)
{
  WlyResident *resident = g_new0 (WlyResident, 1);

  resident->residency = g_object_ref (self);
  resident->name      = g_strdup (name);
  resident->evict     = evict;
  resident->user_data = user_data;
  g_ptr_array_add (self->residents, resident);
  return resident;
}

void
wly_residency_remove (WlyResident *resident)
{
  WlyResidency *self;

  if (resident == NULL)
    return;
  self = resident->residency;
  g_ptr_array_remove (self->residents, resident);
  set_timer (self);
  if (resident->n_bytes > 0)
    g_signal_emit (self, signals[SIGNAL_ROOM], 0);
  g_free (resident->name);
  g_free (resident);
  g_object_unref (self);
}

void
wly_residency_set_bytes (WlyResident *resident, guint64 n_bytes)
{
  gboolean room = n_bytes < resident->n_bytes;

  resident->n_bytes     = n_bytes;
  resident->leaving     = resident->leaving && n_bytes > 0;
  resident->last_use_us = g_get_monotonic_time ();
  set_timer (resident->residency);
  if (room)
    g_signal_emit (resident->residency, signals[SIGNAL_ROOM], 0);
}

guint64
wly_residency_get_bytes (WlyResident *resident)
{
  return resident->n_bytes;
}

void
wly_residency_set_use (WlyResident *resident, gboolean busy, gboolean held)
{
  gboolean freer = (resident->busy && !busy) || (resident->held && !held);

  resident->busy        = busy;
  resident->held        = held;
  resident->last_use_us = g_get_monotonic_time ();
  set_timer (resident->residency);
  /* one that may leave now is room for those who wait */
  if (freer && resident->n_bytes > 0 && !busy && !held)
    g_signal_emit (resident->residency, signals[SIGNAL_ROOM], 0);
}

void
wly_residency_configure (WlyResidency *self, guint64 budget_bytes, gint64 idle_us)
{
  self->budget_bytes = budget_bytes;
  self->idle_us      = idle_us;
  set_timer (self);
}

guint64
wly_residency_get_budget (WlyResidency *self)
{
  return self->budget_bytes;
}

guint64
wly_residency_get_total_bytes (WlyResidency *self)
{
  return sum_bytes (self, NULL, counts_always);
}

guint64
wly_residency_get_share (WlyResidency *self, guint64 own_bytes)
{
  guint64 total_bytes = wly_residency_get_total_bytes (self), sum;
  guint64 free_bytes  = total_bytes < self->budget_bytes ? self->budget_bytes - total_bytes : 0;

  return g_uint64_checked_add (&sum, own_bytes, free_bytes) ? sum : G_MAXUINT64;
}

static void
wly_residency_finalize (GObject *object)
{
  WlyResidency *self = WLY_RESIDENCY (object);

  g_clear_handle_id (&self->timer, g_source_remove);
  g_ptr_array_unref (self->residents);
  G_OBJECT_CLASS (wly_residency_parent_class)->finalize (object);
}

static void
wly_residency_class_init (WlyResidencyClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = wly_residency_finalize;
  signals[SIGNAL_ROOM] =
      g_signal_new ("room", WLY_TYPE_RESIDENCY, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
  signals[SIGNAL_BOOKED] =
      g_signal_new ("booked", WLY_TYPE_RESIDENCY, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
}

static void
wly_residency_init (WlyResidency *self)
{
  self->residents = g_ptr_array_new ();
}

WlyResidency *
wly_residency_new (guint64 budget_bytes, gint64 idle_us)
{
  WlyResidency *self = g_object_new (WLY_TYPE_RESIDENCY, NULL);

  wly_residency_configure (self, budget_bytes, idle_us);
  return self;
}
