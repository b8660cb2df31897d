/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wly-model-load.h"

#include "wly-options.h"

#include <string.h>

#define MIN_KV_BYTES   (16 * 1024 * 1024)
#define MAX_TEXT_BYTES 256

void
wly_model_load_clear (WlyModelLoad *load)
{
  g_clear_pointer (&load->options, g_variant_unref);
  g_free (load->device);
  memset (load, 0, sizeof *load);
}

gboolean
wly_model_load_fits (const WlyModelLoad *load, GVariant *options)
{
  return options == NULL || g_variant_n_children (options) == 0
         || (load->options != NULL && g_variant_equal (options, load->options));
}

guint64
wly_model_load_finish (WlyModelLoad *load, GVariant *info)
{
  const char *device    = "";
  guint64 weights_bytes = 0, kv_bytes = 0, sum;

  g_variant_lookup (info, "device", "&s", &device);
  g_variant_lookup (info, "weights-bytes", "t", &weights_bytes);
  g_variant_lookup (info, "kv-bytes", "t", &kv_bytes);
  g_free (load->device);
  load->device     = g_strdup (strlen (device) <= MAX_TEXT_BYTES ? device : "");
  load->done_bytes = load->total_bytes;
  return g_uint64_checked_add (&sum, weights_bytes, kv_bytes) ? sum : 0;
}

guint64
wly_model_load_estimate (const WlyModelInfo *info, WlySettings *settings, guint64 *ret_kv_bytes)
{
  guint64 most = wly_settings_get_uint64 (settings, "memory", "kv-cache");
  guint64 n_positions, kv_bytes, sum;

  *ret_kv_bytes = 0;
  if (info == NULL)
    return 0;
  n_positions = (guint64)info->context_length * wly_settings_get_uint32 (settings, "models", "max-running");
  kv_bytes    = wly_model_info_kv_bytes (info, n_positions, "f32");
  if (kv_bytes == 0) /* not known before a plugin has seen it */
    kv_bytes = most;
  *ret_kv_bytes = CLAMP (kv_bytes, MIN (MIN_KV_BYTES, most), most);
  return g_uint64_checked_add (&sum, info->weights_bytes, *ret_kv_bytes) ? sum : G_MAXUINT64;
}

GVariant *
wly_model_load_parameters (const WlyModelLoad *load, WlySettings *settings, guint64 kv_bytes)
{
  g_auto (GVariantDict) dict   = G_VARIANT_DICT_INIT (NULL);
  g_autofree char *activations = wly_options_dup_string (WLY_SCOPE_LOAD, load->options, "activations");
  g_autofree char *device      = wly_options_dup_string (WLY_SCOPE_LOAD, load->options, "device");

  if (device[0] == '\0') {
    g_free (device);
    device = g_strdup (wly_settings_get_string (settings, "compute", "device"));
  }
  g_variant_dict_insert (&dict, "threads", "u", wly_settings_get_uint32 (settings, "compute", "threads"));
  g_variant_dict_insert (&dict, "batch-tokens", "u", wly_settings_get_uint32 (settings, "compute", "batch-tokens"));
  g_variant_dict_insert (&dict, "prefill-chunk", "u", wly_settings_get_uint32 (settings, "compute", "prefill-chunk"));
  g_variant_dict_insert (&dict, "kv-bytes", "t", kv_bytes);
  g_variant_dict_insert (&dict, "pack-bytes", "t", load->pack_bytes);
  g_variant_dict_insert (&dict, "activations", "s", activations);
  g_variant_dict_insert (&dict, "device", "s", device);
  return g_variant_new ("(@a{sv})", g_variant_dict_end (&dict));
}
