/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wly-probe-answer.h"

#include "wly-error.h"

#include <string.h>

#define MAX_MESSAGE_BYTES 1024

GVariant *
wly_probe_answer_new (const void *bytes, gsize n_bytes)
{
  g_autoptr (GBytes) data     = g_bytes_new (bytes, n_bytes);
  g_autoptr (GVariant) answer = NULL;

  if (n_bytes == 0)
    return NULL;
  answer = g_variant_ref_sink (g_variant_new_from_bytes (G_VARIANT_TYPE_VARDICT, data, FALSE));
  if (!g_variant_is_normal_form (answer))
    return NULL;
  if (G_BYTE_ORDER == G_BIG_ENDIAN)
    return g_variant_byteswap (answer);
  return g_steal_pointer (&answer);
}

GError *
wly_probe_answer_error (GVariant *answer)
{
  const char *name = NULL, *message = NULL;
  g_autofree char *cut = NULL;

  g_variant_lookup (answer, "error-name", "&s", &name);
  if (!g_variant_lookup (answer, "error-message", "&s", &message))
    message = "the probe failed without a reason";
  cut = g_utf8_make_valid (message, (gssize)MIN (strlen (message), MAX_MESSAGE_BYTES));
  return g_error_new_literal (WLY_ERROR, wly_error_from_dbus_name (name), cut);
}
