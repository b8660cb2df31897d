/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What the conformance tests share: models on the device that WOOLLY_TEST_DEVICE names.
 */
#pragma once

#include "bench-engine.h"
#include "bench-logits.h"
#include "bench-model.h"
#include "wly-test-data.h"

/* The device under test. */
const char *conformance_device (void);

/* The bundled model. */
char *conformance_bundled_model (void);

/* Fails the test where something goes wrong. */
WlyGguf *conformance_model (const char *path);
BenchEngine *conformance_engine (WlyGguf *gguf, const BenchEngineOptions *options);
BenchLogits *conformance_logits (const char *path);

/* Logits of these tokens with these options, in chunks; the engine is made for it. */
BenchLogits *conformance_compute (WlyGguf *gguf, BenchEngineOptions options, const gint32 *tokens, guint n_tokens,
                                  enum wlp_type type, guint chunk);

/* How far the device is from this file of logits. */
BenchAgreement conformance_agreement (const char *model, const char *logits, enum wlp_type type, guint chunk);
