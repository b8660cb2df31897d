/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wly-body.h"

#include "wly-error.h"
#include "wly-frame.h"
#include "wly-options.h"
#include "wly-os.h"
#include "woolly-names.h"

#include <string.h>

/* What the handles of a body may still bring in. */
typedef struct {
  const int *fds;
  gsize n_fds;
  gsize room_bytes;
} Handles;

static GVariant *
read_dictionary (int fd, GError **error)
{
  g_autoptr (GBytes) bytes   = wly_os_read_fd (fd, WOOLLY_BODY_BYTES, error);
  g_autoptr (GVariant) value = NULL;

  if (bytes == NULL)
    return NULL;
  value = g_variant_ref_sink (g_variant_new_from_bytes (G_VARIANT_TYPE_VARDICT, bytes, FALSE));
#if G_BYTE_ORDER == G_BIG_ENDIAN
  {
    GVariant *swapped = g_variant_byteswap (value);

    g_variant_unref (value);
    value = swapped;
  }
#endif
  if (g_variant_is_normal_form (value))
    return g_steal_pointer (&value);
  g_set_error_literal (error, WLY_ERROR, WLY_ERROR_INVALID_ARGS, "The request's body is no a{sv} in normal form");
  return NULL;
}

/* The text behind a handle. */
static GBytes *
read_text (Handles *handles, gint32 handle, const char *key, GError **error)
{
  g_autoptr (GBytes) bytes = NULL;
  const char *text;
  gsize n_bytes;

  if (handle < 0 || (gsize)handle >= handles->n_fds) {
    g_set_error (error, WLY_ERROR, WLY_ERROR_INVALID_ARGS,
                 "Option %s: handle %d, but the message came with %" G_GSIZE_FORMAT " descriptors", key, handle,
                 handles->n_fds);
    return NULL;
  }
  bytes = wly_os_read_fd (handles->fds[handle], handles->room_bytes, error);
  if (bytes == NULL) {
    g_prefix_error (error, "Option %s: ", key);
    return NULL;
  }
  text = g_bytes_get_data (bytes, &n_bytes);
  handles->room_bytes -= n_bytes;
  if (!wly_utf8_check (text != NULL ? text : "", n_bytes, error)) {
    g_prefix_error (error, "Option %s: ", key);
    return NULL;
  }
  return g_steal_pointer (&bytes);
}

/* A message with its content inline, floating. */
static GVariant *
read_message (GVariant *message, gsize index, Handles *handles, GError **error)
{
  g_auto (GVariantDict) dict = G_VARIANT_DICT_INIT (NULL);
  gint32 handle;

  if (!wly_options_check (1u << WLY_SCOPE_MESSAGE, message, error)) {
    g_prefix_error (error, "Message %" G_GSIZE_FORMAT ": ", index);
    return NULL;
  }
  g_variant_dict_init (&dict, message);
  if (!g_variant_dict_contains (&dict, "role")
      || g_variant_dict_contains (&dict, "content") + g_variant_dict_contains (&dict, "content-fd") > 1) {
    g_set_error (error, WLY_ERROR, WLY_ERROR_INVALID_ARGS,
                 "Message %" G_GSIZE_FORMAT ": it needs a role, and either content or content-fd", index);
    return NULL;
  }
  if (g_variant_dict_lookup (&dict, "content-fd", "h", &handle)) {
    g_autoptr (GBytes) bytes = read_text (handles, handle, "content-fd", error);
    g_autofree char *text    = NULL;

    if (bytes == NULL) {
      g_prefix_error (error, "Message %" G_GSIZE_FORMAT ": ", index);
      return NULL;
    }
    text = g_strndup (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes));
    g_variant_dict_remove (&dict, "content-fd");
    g_variant_dict_insert (&dict, "content", "s", text);
  } else if (!g_variant_dict_contains (&dict, "content")) {
    g_variant_dict_insert (&dict, "content", "s", "");
  }
  return g_variant_dict_end (&dict);
}

static GVariant *
read_messages (GVariant *messages, Handles *handles, GError **error)
{
  g_auto (GVariantBuilder) builder = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE ("aa{sv}"));
  gsize n                          = g_variant_n_children (messages);

  if (n == 0) {
    g_set_error_literal (error, WLY_ERROR, WLY_ERROR_INVALID_ARGS, "Option messages: there is no message in it");
    return NULL;
  }
  for (gsize i = 0; i < n; i++) {
    g_autoptr (GVariant) message = g_variant_get_child_value (messages, i);
    GVariant *checked            = read_message (message, i, handles, error);

    if (checked == NULL)
      return NULL;
    g_variant_builder_add_value (&builder, checked);
  }
  return g_variant_ref_sink (g_variant_builder_end (&builder));
}

static gboolean
read_input (GVariant *dictionary, Handles *handles, WlyBody *body, GError **error)
{
  g_autoptr (GVariant) messages = g_variant_lookup_value (dictionary, "messages", G_VARIANT_TYPE ("aa{sv}"));
  g_autoptr (GVariant) prompt   = g_variant_lookup_value (dictionary, "prompt", G_VARIANT_TYPE_STRING);
  gint32 handle                 = -1;
  gboolean has_fd               = g_variant_lookup (dictionary, "prompt-fd", "h", &handle);

  if ((messages != NULL) + (prompt != NULL) + has_fd != 1) {
    g_set_error_literal (error, WLY_ERROR, WLY_ERROR_INVALID_ARGS,
                         "The input needs exactly one of messages, prompt and prompt-fd");
    return FALSE;
  }
  if (messages != NULL) {
    body->messages = read_messages (messages, handles, error);
    return body->messages != NULL;
  }
  if (has_fd) {
    body->prompt = read_text (handles, handle, "prompt-fd", error);
    return body->prompt != NULL;
  }
  body->prompt = g_variant_get_data_as_bytes (prompt);
  if (g_bytes_get_size (body->prompt) > 0) {
    /* without the terminator of the serialised form */
    GBytes *text = g_bytes_new_from_bytes (body->prompt, 0, g_bytes_get_size (body->prompt) - 1);

    g_bytes_unref (body->prompt);
    body->prompt = text;
  }
  return TRUE;
}

gboolean
wly_body_read (int body_fd, const int *fds, gsize n_fds, WlyBody *ret_body, GError **error)
{
  g_autoptr (GVariant) dictionary = read_dictionary (body_fd, error);
  g_auto (WlyBody) body           = { 0 };
  Handles handles                 = { fds, n_fds, WOOLLY_BODY_BYTES };

  if (dictionary == NULL || !wly_options_check (1u << WLY_SCOPE_INPUT, dictionary, error))
    return FALSE;
  body.special               = wly_options_get_boolean (WLY_SCOPE_INPUT, dictionary, "special");
  body.add_generation_prompt = wly_options_get_boolean (WLY_SCOPE_INPUT, dictionary, "add-generation-prompt");
  if (!read_input (dictionary, &handles, &body, error))
    return FALSE;
  *ret_body = body;
  memset (&body, 0, sizeof body);
  return TRUE;
}

void
wly_body_clear (WlyBody *body)
{
  g_clear_pointer (&body->messages, g_variant_unref);
  g_clear_pointer (&body->prompt, g_bytes_unref);
}
