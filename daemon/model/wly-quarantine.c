/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wly-quarantine.h"

struct WlyQuarantine {
  WlySettings *settings;
  GHashTable *records; /* identity -> Record */
};

/* How long after a death nothing is started, by how many there were in the window. */
static const gint64 pauses_us[] = { G_USEC_PER_SEC / 2, 2 * G_USEC_PER_SEC, 8 * G_USEC_PER_SEC };

typedef struct {
  GArray *deaths;  /* gint64, oldest first */
  gint64 until_us; /* 0: not in quarantine */
} Record;

static void
record_free (gpointer data)
{
  Record *record = data;

  g_array_unref (record->deaths);
  g_free (record);
}

WlyQuarantine *
wly_quarantine_new (WlySettings *settings)
{
  WlyQuarantine *self = g_new0 (WlyQuarantine, 1);

  self->settings = g_object_ref (settings);
  self->records  = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, record_free);
  return self;
}

void
wly_quarantine_free (WlyQuarantine *self)
{
  if (self == NULL)
    return;
  g_hash_table_unref (self->records);
  g_object_unref (self->settings);
  g_free (self);
}

gboolean
wly_quarantine_note_death (WlyQuarantine *self, const char *identity, gint64 now_us)
{
  Record *record   = g_hash_table_lookup (self->records, identity);
  gint64 window_us = (gint64)wly_settings_get_uint32 (self->settings, "quarantine", "window") * G_USEC_PER_SEC;

  if (record == NULL) {
    record         = g_new0 (Record, 1);
    record->deaths = g_array_new (FALSE, FALSE, sizeof (gint64));
    g_hash_table_insert (self->records, g_strdup (identity), record);
  }
  while (record->deaths->len > 0 && g_array_index (record->deaths, gint64, 0) <= now_us - window_us)
    g_array_remove_index (record->deaths, 0);
  g_array_append_val (record->deaths, now_us);
  if (record->deaths->len < wly_settings_get_uint32 (self->settings, "quarantine", "deaths"))
    return FALSE;
  record->until_us =
      now_us + (gint64)wly_settings_get_uint32 (self->settings, "quarantine", "duration") * G_USEC_PER_SEC;
  g_array_set_size (record->deaths, 0);
  return TRUE;
}

gint64
wly_quarantine_left_us (WlyQuarantine *self, const char *identity, gint64 now_us)
{
  Record *record = g_hash_table_lookup (self->records, identity);

  return record != NULL && record->until_us > now_us ? record->until_us - now_us : 0;
}

gint64
wly_quarantine_pause_us (WlyQuarantine *self, const char *identity, gint64 now_us)
{
  Record *record = g_hash_table_lookup (self->records, identity);
  guint n_deaths = record != NULL ? record->deaths->len : 0;
  gint64 last_us = n_deaths > 0 ? g_array_index (record->deaths, gint64, n_deaths - 1) : 0;

  if (n_deaths == 0)
    return 0;
  return MAX (last_us + pauses_us[MIN (n_deaths, G_N_ELEMENTS (pauses_us)) - 1] - now_us, 0);
}

void
wly_quarantine_clear (WlyQuarantine *self, const char *identity)
{
  g_hash_table_remove (self->records, identity);
}
