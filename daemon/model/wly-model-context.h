/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What all models share.
 */
#pragma once

#include "wly-plugins.h"
#include "wly-prober.h"
#include "wly-quarantine.h"
#include "wly-residency.h"
#include "wly-settings.h"

G_BEGIN_DECLS

typedef struct { /* reference-counted by g_rc_box */
  WlySettings *settings;
  WlyProber *prober;
  WlyPlugins *plugins;
  WlyResidency *residency;
  WlyQuarantine *quarantine;
} WlyModelContext;

WlyModelContext *wly_model_context_new (WlySettings *settings);
WlyModelContext *wly_model_context_ref (WlyModelContext *context);
void wly_model_context_unref (WlyModelContext *context);

/* Takes over settings that changed. */
void wly_model_context_configure (WlyModelContext *context);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (WlyModelContext, wly_model_context_unref)

G_END_DECLS
