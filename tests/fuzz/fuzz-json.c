/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Any text as JSON, and as a conversation: what is read can be written, and reads as the same again.
 */
#include "fuzz.h"

#include "template/chat-input.h"
#include "json/json.h"

#include <string.h>

#define DEPTH 12

static void
check_pointers (const WlyJson *json)
{
  for (WlyJsonId id = WLY_JSON_ROOT; id < json->values->len; id++) {
    g_autofree char *pointer = wly_json_pointer (json, id);
    gsize n_key, n_text;

    g_assert_cmpint (wly_json_equal (json, id, WLY_JSON_ROOT), ==, wly_json_equal (json, WLY_JSON_ROOT, id));
    wly_json_key (json, id, &n_key);
    wly_json_text (json, id, &n_text);
    g_assert_cmpuint (n_key, <=, json->texts->len);
    g_assert_cmpuint (n_text, <=, json->texts->len);
    /* where a key stands twice, or holds a NUL, a pointer may lead elsewhere */
    g_assert_cmpuint (wly_json_resolve (json, pointer), <, json->values->len);
  }
}

static void
check_document (const char *text, gsize n_bytes)
{
  g_autoptr (GError) error  = NULL;
  g_autoptr (WlyJson) json  = wly_json_new (text, n_bytes, DEPTH, &error);
  g_autoptr (WlyJson) again = NULL;
  g_autoptr (GString) out   = g_string_new (NULL);
  g_autoptr (GString) twice = g_string_new (NULL);

  g_assert_true ((json == NULL) == (error != NULL));
  if (json == NULL)
    return;
  check_pointers (json);
  wly_json_write (json, WLY_JSON_ROOT, out);
  again = wly_json_new (out->str, out->len, DEPTH, &error);
  g_assert_no_error (error);
  wly_json_write (again, WLY_JSON_ROOT, twice);
  g_assert_cmpmem (twice->str, twice->len, out->str, out->len);
}

static void
check_conversation (const char *text, gsize n_bytes)
{
  g_autoptr (GError) error   = NULL;
  GVariant *value            = wly_chat_input_read (text, n_bytes, &error);
  g_autoptr (GVariant) owned = NULL;
  g_autoptr (GVariant) again = NULL;
  g_autoptr (GString) out    = g_string_new (NULL);

  g_assert_true ((value == NULL) == (error != NULL));
  if (value == NULL)
    return;
  owned = g_variant_ref_sink (value);
  wly_chat_input_write (owned, out);
  again = wly_chat_input_read (out->str, out->len, &error); /* 1.0 as 1: numbers may change their type */
  g_assert_no_error (error);
  g_variant_ref_sink (again);
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize n_bytes)
{
  check_document ((const char *)data, n_bytes);
  check_conversation ((const char *)data, n_bytes);
  return 0;
}
