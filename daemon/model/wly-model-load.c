/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wly-model-load.h"

#include "wly-cpu.h"
#include "wly-options.h"

#define MIN_KV_BYTES (16 * 1024 * 1024)

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
wly_model_load_parameters (GVariant *options, WlySettings *settings, guint64 kv_bytes, guint64 pack_bytes)
{
  g_auto (GVariantDict) dict   = G_VARIANT_DICT_INIT (NULL);
  g_autofree char *activations = wly_options_dup_string (WLY_SCOPE_LOAD, options, "activations");
  g_autofree char *device      = wly_options_dup_string (WLY_SCOPE_LOAD, options, "device");
  guint32 n_threads            = wly_settings_get_uint32 (settings, "compute", "threads");

  if (device[0] == '\0') {
    g_free (device);
    device = g_strdup (wly_settings_get_string (settings, "compute", "device"));
  }
  g_variant_dict_insert (&dict, "threads", "u", n_threads != 0 ? n_threads : CLAMP (wly_cpu_n_cores (), 1, 1024));
  g_variant_dict_insert (&dict, "batch-tokens", "u", wly_settings_get_uint32 (settings, "compute", "batch-tokens"));
  g_variant_dict_insert (&dict, "prefill-chunk", "u", wly_settings_get_uint32 (settings, "compute", "prefill-chunk"));
  g_variant_dict_insert (&dict, "kv-bytes", "t", kv_bytes);
  g_variant_dict_insert (&dict, "pack-bytes", "t", pack_bytes);
  g_variant_dict_insert (&dict, "activations", "s", activations);
  g_variant_dict_insert (&dict, "device", "s", device);
  return g_variant_new ("(@a{sv})", g_variant_dict_end (&dict));
}
