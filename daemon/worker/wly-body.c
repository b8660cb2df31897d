/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wly-body.h"

#include "template/chat-input.h"
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

/* ---- JSON ---- */

/* The value of a JSON text, of this type; (transfer full). */
static GVariant *
read_json (const char *text, gsize n_bytes, const char *key, const GVariantType *type, GError **error)
{
  GVariant *value = wly_chat_input_read (text, n_bytes, error);

  if (value == NULL) {
    g_prefix_error (error, "Option %s: ", key);
    return NULL;
  }
  g_variant_ref_sink (value);
  if (g_variant_is_of_type (value, type))
    return value;
  g_set_error (error, WLY_ERROR, WLY_ERROR_INVALID_ARGS, "Option %s: it is no JSON %s", key,
               g_variant_type_equal (type, G_VARIANT_TYPE_VARDICT) ? "object" : "list");
  g_variant_unref (value);
  return NULL;
}

/* Takes a JSON text out of @dict and puts its value in under another name. */
static gboolean
replace_json (GVariantDict *dict, const char *key, const char *name, const GVariantType *type, GError **error)
{
  g_autoptr (GVariant) text  = g_variant_dict_lookup_value (dict, key, G_VARIANT_TYPE_STRING);
  g_autoptr (GVariant) value = NULL;
  const char *data;
  gsize n_bytes;

  if (text == NULL)
    return TRUE;
  data  = g_variant_get_string (text, &n_bytes);
  value = read_json (data, n_bytes, key, type, error);
  if (value == NULL)
    return FALSE;
  g_variant_dict_remove (dict, key);
  g_variant_dict_insert_value (dict, name, value);
  return TRUE;
}

static void
rename_key (GVariantDict *dict, const char *key, const char *name)
{
  g_autoptr (GVariant) value = g_variant_dict_lookup_value (dict, key, NULL);

  if (value == NULL)
    return;
  g_variant_dict_remove (dict, key);
  g_variant_dict_insert_value (dict, name, value);
}

/* ---- messages ---- */

/* content, content-fd or parts as content. */
static gboolean
read_content (GVariantDict *dict, Handles *handles, GError **error)
{
  g_autoptr (GVariant) parts = g_variant_dict_lookup_value (dict, "parts", G_VARIANT_TYPE_STRING_ARRAY);
  gint32 handle;

  if (parts != NULL) {
    g_auto (GVariantBuilder) list = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE ("aa{sv}"));

    for (gsize i = 0; i < g_variant_n_children (parts); i++) {
      g_autoptr (GVariant) part = g_variant_get_child_value (parts, i);

      g_variant_builder_open (&list, G_VARIANT_TYPE_VARDICT);
      g_variant_builder_add (&list, "{sv}", "type", g_variant_new_string ("text"));
      g_variant_builder_add (&list, "{sv}", "text", part);
      g_variant_builder_close (&list);
    }
    g_variant_dict_remove (dict, "parts");
    g_variant_dict_insert_value (dict, "content", g_variant_builder_end (&list));
  } else if (g_variant_dict_lookup (dict, "content-fd", "h", &handle)) {
    g_autoptr (GBytes) bytes = read_text (handles, handle, "content-fd", error);
    g_autofree char *text    = NULL;

    if (bytes == NULL)
      return FALSE;
    text = g_strndup (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes));
    g_variant_dict_remove (dict, "content-fd");
    g_variant_dict_insert (dict, "content", "s", text);
  } else if (!g_variant_dict_contains (dict, "content")) {
    g_variant_dict_insert (dict, "content", "s", "");
  }
  return TRUE;
}

/* A message as templates read it, floating. */
static GVariant *
read_message (GVariant *message, gsize index, Handles *handles, GError **error)
{
  g_auto (GVariantDict) dict = G_VARIANT_DICT_INIT (NULL);

  if (!wly_options_check (1u << WLY_SCOPE_MESSAGE, message, error)) {
    g_prefix_error (error, "Message %" G_GSIZE_FORMAT ": ", index);
    return NULL;
  }
  g_variant_dict_init (&dict, message);
  if (!g_variant_dict_contains (&dict, "role")
      || g_variant_dict_contains (&dict, "content") + g_variant_dict_contains (&dict, "content-fd")
                 + g_variant_dict_contains (&dict, "parts")
             > 1) {
    g_set_error (error, WLY_ERROR, WLY_ERROR_INVALID_ARGS,
                 "Message %" G_GSIZE_FORMAT ": it needs a role, and one of content, content-fd and parts", index);
    return NULL;
  }
  if (!read_content (&dict, handles, error)
      || !replace_json (&dict, "tool-calls", "tool_calls", G_VARIANT_TYPE ("av"), error)) {
    g_prefix_error (error, "Message %" G_GSIZE_FORMAT ": ", index);
    return NULL;
  }
  rename_key (&dict, "tool-call-id", "tool_call_id");
  rename_key (&dict, "reasoning", "reasoning_content");
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

/* ---- a whole conversation in JSON ---- */

/* Objects in variants to dictionaries. */
static GVariant *
unpack_messages (GVariant *list, GError **error)
{
  g_auto (GVariantBuilder) builder = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE ("aa{sv}"));

  for (gsize i = 0; i < g_variant_n_children (list); i++) {
    g_autoptr (GVariant) child   = g_variant_get_child_value (list, i);
    g_autoptr (GVariant) message = g_variant_get_variant (child);

    if (!g_variant_is_of_type (message, G_VARIANT_TYPE_VARDICT)) {
      g_set_error (error, WLY_ERROR, WLY_ERROR_INVALID_ARGS,
                   "Option conversation: message %" G_GSIZE_FORMAT " is no JSON object", i);
      return NULL;
    }
    g_variant_builder_add_value (&builder, message);
  }
  return g_variant_ref_sink (g_variant_builder_end (&builder));
}

static gboolean
read_conversation (const char *text, gsize n_bytes, WlyBody *body, GError **error)
{
  g_autoptr (GVariant) object = read_json (text, n_bytes, "conversation", G_VARIANT_TYPE_VARDICT, error);
  g_auto (GVariantDict) dict  = G_VARIANT_DICT_INIT (NULL);
  g_autoptr (GVariant) list   = NULL;
  gboolean go_on;

  if (object == NULL)
    return FALSE;
  list = g_variant_lookup_value (object, "messages", G_VARIANT_TYPE ("av"));
  if (list == NULL) {
    g_set_error_literal (error, WLY_ERROR, WLY_ERROR_INVALID_ARGS,
                         "Option conversation: it has no list of the name messages");
    return FALSE;
  }
  body->messages = unpack_messages (list, error);
  if (body->messages == NULL)
    return FALSE;
  g_variant_dict_init (&dict, object);
  g_variant_dict_remove (&dict, "messages");
  if (g_variant_dict_lookup (&dict, "add_generation_prompt", "b", &body->add_generation_prompt))
    g_variant_dict_remove (&dict, "add_generation_prompt");
  if (g_variant_dict_lookup (&dict, "continue_final_message", "b", &go_on)) {
    g_variant_dict_remove (&dict, "continue_final_message");
    body->go_on |= go_on;
  }
  body->given = g_variant_ref_sink (g_variant_dict_end (&dict));
  return TRUE;
}

/* ---- variables ---- */

/* Templates know several names for the same. */
static void
insert_reasoning (GVariantDict *given, GVariant *dictionary)
{
  g_autofree char *word = wly_options_dup_string (WLY_SCOPE_INPUT, dictionary, "reasoning");
  const gboolean on     = g_str_equal (word, "on");
  guint32 budget;

  if (on || g_str_equal (word, "off")) {
    g_variant_dict_insert (given, "enable_thinking", "b", on);
    g_variant_dict_insert (given, "thinking", "b", on);
  }
  if (g_variant_lookup (dictionary, "reasoning-budget", "u", &budget))
    g_variant_dict_insert (given, "thinking_budget", "u", budget);
}

static void
insert_all (GVariantDict *given, GVariant *values)
{
  GVariantIter iter;
  const char *key;
  GVariant *value;

  g_variant_iter_init (&iter, values);
  while (g_variant_iter_next (&iter, "{&sv}", &key, &value)) {
    g_variant_dict_insert_value (given, key, value);
    g_variant_unref (value);
  }
}

/* tools, template-variables and reasoning, beside what a conversation brought. */
static gboolean
read_given (GVariant *dictionary, WlyBody *body, GError **error)
{
  g_auto (GVariantDict) given    = G_VARIANT_DICT_INIT (body->given);
  g_auto (GVariantDict) dict     = G_VARIANT_DICT_INIT (dictionary);
  g_autoptr (GVariant) tools     = NULL;
  g_autoptr (GVariant) variables = NULL;
  GVariant *all;

  if (!replace_json (&dict, "tools", "tools", G_VARIANT_TYPE ("av"), error)
      || !replace_json (&dict, "template-variables", "template-variables", G_VARIANT_TYPE_VARDICT, error))
    return FALSE;
  insert_reasoning (&given, dictionary);
  tools     = g_variant_dict_lookup_value (&dict, "tools", G_VARIANT_TYPE ("av"));
  variables = g_variant_dict_lookup_value (&dict, "template-variables", G_VARIANT_TYPE_VARDICT);
  if (tools != NULL)
    g_variant_dict_insert_value (&given, "tools", tools);
  if (variables != NULL)
    insert_all (&given, variables);
  all = g_variant_ref_sink (g_variant_dict_end (&given));
  g_clear_pointer (&body->given, g_variant_unref);
  body->given = all;
  return TRUE;
}

/* ---- all of it ---- */

/* The text of a key or of its descriptor; NULL: neither is there. */
static gboolean
read_either (GVariant *dictionary, Handles *handles, const char *key, const char *fd_key, GBytes **ret_text,
             GError **error)
{
  g_autoptr (GVariant) text = g_variant_lookup_value (dictionary, key, G_VARIANT_TYPE_STRING);
  gint32 handle             = -1;
  const char *data;
  gsize n_bytes;

  *ret_text = NULL;
  if (text != NULL) {
    data      = g_variant_get_string (text, &n_bytes);
    *ret_text = g_bytes_new (data, n_bytes);
  } else if (g_variant_lookup (dictionary, fd_key, "h", &handle)) {
    *ret_text = read_text (handles, handle, fd_key, error);
    return *ret_text != NULL;
  }
  return TRUE;
}

static gboolean
read_input (GVariant *dictionary, Handles *handles, WlyBody *body, GError **error)
{
  g_autoptr (GVariant) messages   = g_variant_lookup_value (dictionary, "messages", G_VARIANT_TYPE ("aa{sv}"));
  g_autoptr (GBytes) conversation = NULL;
  gsize n_bytes;
  const char *text;

  if ((messages != NULL) + wly_options_has (dictionary, "prompt") + wly_options_has (dictionary, "prompt-fd")
          + wly_options_has (dictionary, "conversation") + wly_options_has (dictionary, "conversation-fd")
      != 1) {
    g_set_error_literal (error, WLY_ERROR, WLY_ERROR_INVALID_ARGS,
                         "The input needs exactly one of messages, conversation, conversation-fd, prompt and "
                         "prompt-fd");
    return FALSE;
  }
  if (!read_either (dictionary, handles, "conversation", "conversation-fd", &conversation, error)
      || !read_either (dictionary, handles, "prompt", "prompt-fd", &body->prompt, error))
    return FALSE;
  if (messages != NULL) {
    body->messages = read_messages (messages, handles, error);
    if (body->messages == NULL)
      return FALSE;
  }
  if (conversation != NULL) {
    text = g_bytes_get_data (conversation, &n_bytes);
    if (!read_conversation (text, n_bytes, body, error))
      return FALSE;
  }
  return read_given (dictionary, body, error);
}

/* What is to be continued has to be an answer in one text. */
static gboolean
check_last (const WlyBody *body, GError **error)
{
  const gsize n              = body->messages == NULL ? 0 : g_variant_n_children (body->messages);
  g_autoptr (GVariant) last  = n == 0 ? NULL : g_variant_get_child_value (body->messages, n - 1);
  const char *role           = "";
  g_autoptr (GVariant) given = NULL;

  if (!body->go_on)
    return TRUE;
  if (last != NULL) {
    g_variant_lookup (last, "role", "&s", &role);
    given = g_variant_lookup_value (last, "content", G_VARIANT_TYPE_STRING);
  }
  if (given != NULL && g_str_equal (role, "assistant"))
    return TRUE;
  g_set_error_literal (error, WLY_ERROR, WLY_ERROR_INVALID_ARGS,
                       "Option continue: the last message has to be one of the assistant, with a content of one text");
  return FALSE;
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
  body.go_on                 = wly_options_get_boolean (WLY_SCOPE_INPUT, dictionary, "continue");
  if (!read_input (dictionary, &handles, &body, error) || !check_last (&body, error))
    return FALSE;
  *ret_body = body;
  memset (&body, 0, sizeof body);
  return TRUE;
}

GVariant *
wly_body_tools (const WlyBody *body)
{
  GVariant *tools = NULL;

  if (body->messages != NULL && body->given != NULL)
    tools = g_variant_lookup_value (body->given, "tools", G_VARIANT_TYPE ("av"));
  if (tools != NULL && g_variant_n_children (tools) == 0)
    g_clear_pointer (&tools, g_variant_unref);
  return tools;
}

void
wly_body_clear (WlyBody *body)
{
  g_clear_pointer (&body->messages, g_variant_unref);
  g_clear_pointer (&body->given, g_variant_unref);
  g_clear_pointer (&body->prompt, g_bytes_unref);
}
