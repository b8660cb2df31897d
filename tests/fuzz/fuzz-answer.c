/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Any answer of a worker that looked into a file or loaded it, as woollyd takes it: a dictionary in GVariant's text
 * form, or, behind a byte 0, the bytes of one.
 */
#include "fuzz.h"

#include "wly-error.h"
#include "wly-model-info.h"
#include "wly-model-load.h"
#include "wly-probe-answer.h"

#include <string.h>

#define TEXT_BYTES_MAX 1024 /* of one text that is kept */

static void
check_text (const char *text)
{
  g_assert_true (g_utf8_validate (text, -1, NULL));
  g_assert_cmpuint (strlen (text), <=, TEXT_BYTES_MAX);
}

static void
check_error (GVariant *answer)
{
  g_autoptr (GError) error = wly_probe_answer_error (answer);

  g_assert_true (error->domain == WLY_ERROR && wly_error_dbus_name (error->code) != NULL);
  g_assert_true (g_utf8_validate (error->message, -1, NULL));
}

static void
check_info (GVariant *answer)
{
  static const char *const kv_types[] = { "f16", "f32", "q8_0" };
  g_autoptr (WlyModelInfo) info       = wly_model_info_new (answer);
  const char *const texts[]           = { info->name,         info->architecture, info->quantization, info->license,
                                          info->organization, info->description,  info->url,          info->pooling };

  for (gsize i = 0; i < G_N_ELEMENTS (texts); i++)
    check_text (texts[i]);
  for (gsize i = 0; i < G_N_ELEMENTS (kv_types); i++)
    g_assert_cmpuint (wly_model_info_kv_bytes (info, 0, kv_types[i]), ==, 0);
  g_assert_cmpuint (wly_model_info_kv_bytes (info, G_MAXUINT32, "f32"), >=,
                    wly_model_info_kv_bytes (info, G_MAXUINT32, "f16"));
}

static void
check_load (GVariant *answer)
{
  WlyModelLoad load = { 0 };

  wly_model_load_finish (&load, answer);
  check_text (load.device);
  wly_model_load_clear (&load);
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize n_bytes)
{
  g_autoptr (GVariant) dictionary = NULL;
  g_autoptr (GVariant) answer     = NULL;
  g_autofree char *text           = NULL;

  if (n_bytes > 0 && data[0] == 0) {
    answer = wly_probe_answer_new (data + 1, n_bytes - 1);
  } else {
    text       = g_strndup ((const char *)data, n_bytes);
    dictionary = fuzz_parse_dictionary (text);
    if (dictionary != NULL)
      answer = wly_probe_answer_new (g_variant_get_data (dictionary), g_variant_get_size (dictionary));
  }
  if (answer == NULL)
    return 0;
  check_error (answer);
  check_info (answer);
  check_load (answer);
  return 0;
}
