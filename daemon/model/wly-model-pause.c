/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wly-model-pause.h"

#include "wly-error.h"

struct WlyModelPause {
  WlyQuarantine *quarantine;
  WlyModelPauseOverCb over;
  gpointer user_data;
  guint timer;
};

WlyModelPause *
wly_model_pause_new (WlyQuarantine *quarantine, WlyModelPauseOverCb over, gpointer user_data)
{
  WlyModelPause *self = g_new0 (WlyModelPause, 1);

  self->quarantine = quarantine;
  self->over       = over;
  self->user_data  = user_data;
  return self;
}

void
wly_model_pause_free (WlyModelPause *self)
{
  wly_model_pause_end (self);
  g_free (self);
}

static gboolean
over_cb (gpointer data)
{
  WlyModelPause *self = data;

  self->timer = 0;
  self->over (self->user_data);
  return G_SOURCE_REMOVE;
}

static void
begin (WlyModelPause *self, gint64 left_us)
{
  self->timer = g_timeout_add ((guint)(left_us / 1000 + 1), over_cb, self);
}

gboolean
wly_model_pause_check (WlyModelPause *self, const char *identity, GError **error)
{
  gint64 now_us   = g_get_monotonic_time ();
  gint64 left_us  = wly_quarantine_left_us (self->quarantine, identity, now_us);
  gint64 pause_us = wly_quarantine_pause_us (self->quarantine, identity, now_us);

  wly_model_pause_end (self);
  if (left_us > 0) {
    g_set_error (error, WLY_ERROR, WLY_ERROR_MODEL_QUARANTINED,
                 "the worker process died again and again with this model; it is left alone for %" G_GINT64_FORMAT
                 " s, or until its file changes or the quarantine is cleared",
                 left_us / G_USEC_PER_SEC + 1);
    begin (self, left_us);
  } else if (pause_us > 0) {
    begin (self, pause_us);
  }
  return left_us <= 0 && pause_us <= 0;
}

void
wly_model_pause_end (WlyModelPause *self)
{
  g_clear_handle_id (&self->timer, g_source_remove);
}
