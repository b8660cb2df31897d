/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wly-model-context.h"

#include "wly-os.h"

#define PROBES_AT_ONCE   2
#define PROBE_TIMEOUT_MS 5000
#define FALLBACK_BUDGET  (G_GUINT64_CONSTANT (2) << 30) /* where the machine does not tell what it has */

static guint64
budget_bytes (WlySettings *settings)
{
  guint64 budget = wly_settings_get_uint64 (settings, "memory", "budget");
  guint64 total, available;

  if (budget != 0)
    return budget;
  return wly_os_memory (&total, &available) ? total / 2 : FALLBACK_BUDGET;
}

static gint64
idle_us (WlySettings *settings)
{
  return (gint64)wly_settings_get_uint32 (settings, "models", "idle-timeout") * G_USEC_PER_SEC;
}

WlyModelContext *
wly_model_context_new (WlySettings *settings)
{
  WlyModelContext *self = g_rc_box_new0 (WlyModelContext);

  self->settings   = g_object_ref (settings);
  self->prober     = wly_prober_new (PROBES_AT_ONCE, PROBE_TIMEOUT_MS);
  self->plugins    = wly_plugins_new (self->prober);
  self->residency  = wly_residency_new (budget_bytes (settings), idle_us (settings));
  self->quarantine = wly_quarantine_new (settings);
  return self;
}

WlyModelContext *
wly_model_context_ref (WlyModelContext *self)
{
  return g_rc_box_acquire (self);
}

static void
context_clear (gpointer data)
{
  WlyModelContext *self = data;

  g_object_unref (self->settings);
  g_object_unref (self->prober);
  g_object_unref (self->plugins);
  g_object_unref (self->residency);
  wly_quarantine_free (self->quarantine);
}

void
wly_model_context_unref (WlyModelContext *self)
{
  g_rc_box_release_full (self, context_clear);
}

void
wly_model_context_configure (WlyModelContext *self)
{
  wly_residency_configure (self->residency, budget_bytes (self->settings), idle_us (self->settings));
}
