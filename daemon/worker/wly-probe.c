/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wly-probe.h"

#include "wly-body.h"
#include "wly-devices.h"
#include "wly-error.h"
#include "wly-opened.h"
#include "wly-os.h"
#include "wly-prompt.h"
#include "wly-seal.h"
#include "wly-worker-exit.h"
#include "woolly-names.h"

#include <errno.h>
#include <unistd.h>

static gboolean
write_answer (GVariant *answer)
{
  g_autoptr (GVariant) sunk   = g_variant_ref_sink (answer);
  g_autoptr (GVariant) normal = g_variant_get_normal_form (sunk);
#if G_BYTE_ORDER == G_BIG_ENDIAN
  g_autoptr (GVariant) little = g_variant_byteswap (normal);
#else
  g_autoptr (GVariant) little = g_variant_ref (normal);
#endif
  const char *data = g_variant_get_data (little);
  gsize n_bytes    = g_variant_get_size (little);

  while (n_bytes > 0) {
    gssize n = write (WOOLLY_WORKER_FD, data, n_bytes);

    if (n < 0 && errno == EINTR)
      continue;
    if (n <= 0)
      return FALSE;
    data += n;
    n_bytes -= (gsize)n;
  }
  return TRUE;
}

static int
answer_error (GError *error)
{
  g_auto (GVariantDict) dict = G_VARIANT_DICT_INIT (NULL);
  g_autofree char *message   = g_utf8_make_valid (error->message, -1);
  WlyErrorCode code          = error->domain == WLY_ERROR ? (WlyErrorCode)error->code : WLY_ERROR_FAILED;

  g_variant_dict_insert (&dict, "error-name", "s", wly_error_dbus_name (code));
  g_variant_dict_insert (&dict, "error-message", "s", message);
  write_answer (g_variant_dict_end (&dict));
  g_error_free (error);
  return WLY_WORKER_EXIT_PROBE_FAILED;
}

int
wly_probe_model (guint n_files, GPtrArray *plugins)
{
  g_autofree int *fds          = g_new (int, n_files);
  g_autoptr (WlyOpened) opened = NULL;
  GError *error                = NULL;

  for (guint i = 0; i < n_files; i++)
    fds[i] = WOOLLY_WORKER_FD + 1 + (int)i;
  opened = wly_opened_new (fds, n_files, plugins, &error);
  if (opened == NULL)
    return answer_error (error);
  return write_answer (wly_opened_info (opened)) ? WLY_WORKER_EXIT_OK : WLY_WORKER_EXIT_USAGE;
}

static gboolean
render (const int *fds, guint n_fds, WlyRendered *ret_rendered, GError **error)
{
  g_autoptr (GBytes) source                 = wly_os_read_fd (fds[0], WOOLLY_INLINE_BYTES, error);
  g_autoptr (WlyChatTemplate) chat_template = NULL;
  g_auto (WlyBody) body                     = { 0 };

  if (source == NULL || !wly_body_read (fds[1], fds + 2, n_fds - 2, &body, error))
    return FALSE;
  if (body.messages == NULL) {
    g_set_error_literal (error, WLY_ERROR, WLY_ERROR_INVALID_ARGS, "A template needs messages or a conversation");
    return FALSE;
  }
  chat_template = wly_chat_template_new (g_bytes_get_data (source, NULL), g_bytes_get_size (source), error);
  return chat_template != NULL && wly_prompt_render_template (chat_template, &body, NULL, ret_rendered, error);
}

int
wly_probe_template (guint n_files)
{
  g_autofree int *fds           = g_new (int, n_files);
  g_auto (WlyRendered) rendered = { 0 };
  g_auto (GVariantDict) dict    = G_VARIANT_DICT_INIT (NULL);
  GError *error                 = NULL;

  for (guint i = 0; i < n_files; i++)
    fds[i] = WOOLLY_WORKER_FD + 1 + (int)i;
  if (!render (fds, n_files, &rendered, &error))
    return answer_error (error);
  g_variant_dict_insert (&dict, "text", "s", rendered.text);
  g_variant_dict_insert_value (&dict, "trusted", wly_prompt_trusted (&rendered));
  return write_answer (g_variant_dict_end (&dict)) ? WLY_WORKER_EXIT_OK : WLY_WORKER_EXIT_USAGE;
}

static void
insert_text (GVariantDict *dict, const char *key, const char *text)
{
  g_autofree char *valid = g_utf8_make_valid (text != NULL ? text : "", -1);

  g_variant_dict_insert (dict, key, "s", valid);
}

static void
describe_arch (GVariantDict *dict, const struct wlp_arch_ops *ops)
{
  g_auto (GVariantBuilder) names = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE_STRING_ARRAY);

  for (gsize i = 0; ops->architectures != NULL && ops->architectures[i] != NULL; i++) {
    g_autofree char *valid = g_utf8_make_valid (ops->architectures[i], -1);

    g_variant_builder_add (&names, "s", valid);
  }
  g_variant_dict_insert_value (dict, "architectures", g_variant_builder_end (&names));
}

static void
describe_backend (GVariantDict *dict, WlyPluginFile *file)
{
  g_autoptr (GPtrArray) files    = g_ptr_array_new ();
  g_autoptr (WlyDevices) devices = NULL;

  g_ptr_array_add (files, file);
  devices = wly_devices_new (files);
  g_variant_dict_insert_value (dict, "devices", wly_devices_list (devices));
}

int
wly_probe_plugin (const char *path)
{
  g_autoptr (WlyPluginFile) file = wly_plugin_file_new (path);
  g_auto (GVariantDict) dict     = G_VARIANT_DICT_INIT (NULL);
  GError *error                  = NULL;
  gboolean usable;

  if (!wly_seal_process (WLY_SEAL_LOADER, &error))
    return answer_error (error);
  usable = file->usable && wly_plugin_file_open (file);
  insert_text (&dict, "name", file->name);
  insert_text (&dict, "file", file->path);
  insert_text (&dict, "kind", file->kind == WLP_KIND_BACKEND ? "backend" : "arch");
  insert_text (&dict, "state", usable ? "usable" : "refused");
  insert_text (&dict, "reason", usable ? "" : file->reason);
  if (usable) {
    insert_text (&dict, "release", file->plugin->release);
    insert_text (&dict, "summary", file->plugin->summary);
    if (file->kind == WLP_KIND_ARCH)
      describe_arch (&dict, file->plugin->ops);
    else
      describe_backend (&dict, file);
  }
  return write_answer (g_variant_dict_end (&dict)) ? WLY_WORKER_EXIT_OK : WLY_WORKER_EXIT_USAGE;
}
