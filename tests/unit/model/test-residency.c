/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wly-error.h"
#include "wly-residency.h"

#define IDLE_US G_TIME_SPAN_HOUR

/* A model that holds memory, and leaves when it is asked to, or later. */
typedef struct {
  WlyResident *resident;
  gboolean leaves_at_once;
  guint n_asked;
} Fake;

static void
evict_cb (const char *why, gpointer data)
{
  Fake *fake = data;

  g_assert_nonnull (why);
  fake->n_asked++;
  if (fake->leaves_at_once)
    wly_residency_set_bytes (fake->resident, 0);
}

static void
fakes_init (WlyResidency *residency, Fake *fakes, guint n_fakes)
{
  for (guint i = 0; i < n_fakes; i++) {
    g_autofree char *name   = g_strdup_printf ("fake-%u", i);
    fakes[i].leaves_at_once = TRUE;
    fakes[i].n_asked        = 0;
    fakes[i].resident       = wly_residency_add (residency, name, evict_cb, &fakes[i]);
  }
}

static void
fakes_clear (Fake *fakes, guint n_fakes)
{
  for (guint i = 0; i < n_fakes; i++)
    wly_residency_remove (fakes[i].resident);
}

static void
admit (WlyResidency *residency, Fake *fake, guint64 n_bytes, WlyAdmission expected)
{
  g_autoptr (GError) error = NULL;
  WlyAdmission admission   = wly_residency_admit (residency, fake->resident, n_bytes, &error);

  g_assert_cmpint (admission, ==, expected);
  if (expected == WLY_ADMISSION_NO)
    g_assert_error (error, WLY_ERROR, WLY_ERROR_NO_MEMORY);
  else
    g_assert_no_error (error);
}

/* Uses them in this order; the clock must have moved in between. */
static void
touch (Fake *fake)
{
  g_usleep (1000);
  wly_residency_set_use (fake->resident, TRUE, FALSE);
  wly_residency_set_use (fake->resident, FALSE, FALSE);
}

static void
test_least_recently_used (void)
{
  g_autoptr (WlyResidency) residency = wly_residency_new (100, IDLE_US);
  Fake fakes[4];

  fakes_init (residency, fakes, 4);
  for (guint i = 0; i < 3; i++)
    admit (residency, &fakes[i], 30, WLY_ADMISSION_YES);
  touch (&fakes[1]);
  touch (&fakes[0]);
  touch (&fakes[2]);
  admit (residency, &fakes[3], 30, WLY_ADMISSION_YES);
  g_assert_cmpuint (fakes[1].n_asked, ==, 1);
  g_assert_cmpuint (fakes[0].n_asked + fakes[2].n_asked, ==, 0);
  g_assert_cmpuint (wly_residency_get_total_bytes (residency), ==, 90);
  admit (residency, &fakes[1], 70, WLY_ADMISSION_YES); /* both that are left of the older ones, and the third */
  g_assert_cmpuint (wly_residency_get_total_bytes (residency), <=, 100);
  fakes_clear (fakes, 4);
}

static void
test_busy_and_held_stay (void)
{
  g_autoptr (WlyResidency) residency = wly_residency_new (100, IDLE_US);
  Fake fakes[4];

  fakes_init (residency, fakes, 4);
  for (guint i = 0; i < 3; i++)
    admit (residency, &fakes[i], 30, WLY_ADMISSION_YES);
  wly_residency_set_use (fakes[0].resident, TRUE, FALSE);
  wly_residency_set_use (fakes[1].resident, FALSE, TRUE);
  admit (residency, &fakes[3], 60, WLY_ADMISSION_WAIT); /* the busy one may become free */
  g_assert_cmpuint (fakes[2].n_asked, ==, 1);
  g_assert_cmpuint (fakes[0].n_asked + fakes[1].n_asked, ==, 0);
  admit (residency, &fakes[3], 71, WLY_ADMISSION_NO); /* the held one will not */
  wly_residency_set_use (fakes[0].resident, FALSE, FALSE);
  admit (residency, &fakes[3], 60, WLY_ADMISSION_YES);
  g_assert_cmpuint (fakes[0].n_asked, ==, 1);
  g_assert_cmpuint (fakes[1].n_asked, ==, 0);
  wly_residency_expire (residency, g_get_monotonic_time () + 2 * IDLE_US);
  g_assert_cmpuint (fakes[1].n_asked, ==, 0);
  fakes_clear (fakes, 4);
}

static void
room_cb (WlyResidency *residency, gpointer data)
{
  ++*(guint *)data;
}

/* Memory counts until it is really free, and nobody is asked twice. */
static void
test_slow_to_leave (void)
{
  g_autoptr (WlyResidency) residency = wly_residency_new (100, IDLE_US);
  guint n_rooms                      = 0;
  Fake fakes[2];

  fakes_init (residency, fakes, 2);
  fakes[0].leaves_at_once = FALSE;
  g_signal_connect (residency, "room", G_CALLBACK (room_cb), &n_rooms);
  admit (residency, &fakes[0], 60, WLY_ADMISSION_YES);
  admit (residency, &fakes[1], 60, WLY_ADMISSION_WAIT);
  admit (residency, &fakes[1], 60, WLY_ADMISSION_WAIT);
  g_assert_cmpuint (fakes[0].n_asked, ==, 1);
  g_assert_cmpuint (n_rooms, ==, 0);
  wly_residency_set_bytes (fakes[0].resident, 0);
  g_assert_cmpuint (n_rooms, ==, 1);
  admit (residency, &fakes[1], 60, WLY_ADMISSION_YES);
  fakes_clear (fakes, 2);
}

static void
test_limits (void)
{
  g_autoptr (WlyResidency) residency = wly_residency_new (100, IDLE_US);
  Fake fake;

  fakes_init (residency, &fake, 1);
  admit (residency, &fake, 101, WLY_ADMISSION_NO);
  admit (residency, &fake, G_MAXUINT64, WLY_ADMISSION_NO);
  admit (residency, &fake, 100, WLY_ADMISSION_YES);
  admit (residency, &fake, 50, WLY_ADMISSION_YES); /* its own bytes do not stand in its way */
  wly_residency_configure (residency, 40, IDLE_US);
  admit (residency, &fake, 50, WLY_ADMISSION_NO);
  fakes_clear (&fake, 1);
}

static void
test_idle (void)
{
  g_autoptr (WlyResidency) residency = wly_residency_new (100, IDLE_US);
  gint64 now_us                      = g_get_monotonic_time ();
  Fake fakes[2];

  fakes_init (residency, fakes, 2);
  admit (residency, &fakes[0], 10, WLY_ADMISSION_YES);
  admit (residency, &fakes[1], 10, WLY_ADMISSION_YES);
  wly_residency_expire (residency, now_us + IDLE_US - G_USEC_PER_SEC);
  g_assert_cmpuint (fakes[0].n_asked + fakes[1].n_asked, ==, 0);
  wly_residency_expire (residency, now_us + IDLE_US + 60 * G_USEC_PER_SEC);
  g_assert_cmpuint (fakes[0].n_asked, ==, 1);
  g_assert_cmpuint (fakes[1].n_asked, ==, 1);
  g_assert_cmpuint (wly_residency_get_total_bytes (residency), ==, 0);
  fakes_clear (fakes, 2);
}

/* By the real timer. */
static void
test_timer (void)
{
  g_autoptr (WlyResidency) residency = wly_residency_new (100, 20 * 1000);
  Fake fake;

  fakes_init (residency, &fake, 1);
  admit (residency, &fake, 10, WLY_ADMISSION_YES);
  while (fake.n_asked == 0)
    g_main_context_iteration (NULL, TRUE);
  fakes_clear (&fake, 1);
}

static void
booked_cb (WlyResidency *residency, gpointer data)
{
  *(guint64 *)data = wly_residency_get_share (residency, 7);
}

/* Those who use what nobody has booked hear when there is less of it. */
static void
test_booked (void)
{
  g_autoptr (WlyResidency) residency = wly_residency_new (100, G_TIME_SPAN_HOUR);
  guint64 share                      = 1000;
  Fake fakes[3];

  g_assert_cmpuint (wly_residency_get_share (residency, 7), ==, 107);
  g_assert_cmpuint (wly_residency_get_share (residency, G_MAXUINT64 - 99), ==, G_MAXUINT64);
  g_signal_connect (residency, "booked", G_CALLBACK (booked_cb), &share);
  fakes_init (residency, fakes, 3);
  admit (residency, &fakes[0], 60, WLY_ADMISSION_YES);
  g_assert_cmpuint (share, ==, 47);
  wly_residency_set_use (fakes[0].resident, TRUE, FALSE);
  share = 1000;
  admit (residency, &fakes[1], 50, WLY_ADMISSION_WAIT);
  admit (residency, &fakes[1], 101, WLY_ADMISSION_NO);
  g_assert_cmpuint (share, ==, 1000);
  admit (residency, &fakes[2], 40, WLY_ADMISSION_YES);
  g_assert_cmpuint (share, ==, 7);
  fakes_clear (fakes, 3);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/model/residency/least-recently-used", test_least_recently_used);
  g_test_add_func ("/model/residency/busy-and-held-stay", test_busy_and_held_stay);
  g_test_add_func ("/model/residency/slow-to-leave", test_slow_to_leave);
  g_test_add_func ("/model/residency/limits", test_limits);
  g_test_add_func ("/model/residency/booked", test_booked);
  g_test_add_func ("/model/residency/idle", test_idle);
  g_test_add_func ("/model/residency/timer", test_timer);
  return g_test_run ();
}
