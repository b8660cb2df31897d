/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Renders many templates: wly-render-cases FILE, a JSON list of objects with template (a text) and input (an object of
 * variables).  A line for each: a JSON string of what was rendered, or an object with the member error.  The clock
 * stands at 2026-11-22 09:30.
 */
#include "template/chat-input.h"
#include "template/chat-template.h"
#include "json/json.h"

#include <stdio.h>
#include <string.h>

#define NOW 1795339800

static gboolean
render (const WlyJson *json, WlyJsonId id, GString *out, GError **error)
{
  const WlyJsonId source                    = wly_json_find (json, id, "template");
  const WlyJsonId given                     = wly_json_find (json, id, "input");
  g_autoptr (WlyChatTemplate) chat_template = NULL;
  g_autoptr (GVariant) variables            = g_variant_ref_sink (g_variant_new_parsed ("{'_now': <int64 %x>}", NOW));
  g_autoptr (GVariant) value                = NULL;
  g_auto (WlyRendered) rendered             = { 0 };
  gsize n_bytes;
  const char *text = wly_json_text (json, source, &n_bytes);

  value = wly_chat_input_value (json, given, error);
  if (value == NULL)
    return FALSE;
  g_variant_ref_sink (value);
  chat_template = wly_chat_template_new (text, n_bytes, error);
  if (chat_template == NULL
      || !wly_chat_template_render (chat_template, &(WlyChatInput){ NULL, value, variables, FALSE }, &rendered, error))
    return FALSE;
  wly_json_write_string (out, rendered.text, rendered.n_bytes);
  return TRUE;
}

int
main (int argc, char **argv)
{
  g_autoptr (WlyJson) json  = NULL;
  g_autoptr (GError) error  = NULL;
  g_autoptr (GString) out   = g_string_new (NULL);
  g_autofree char *contents = NULL;
  gsize n_bytes;

  if (argc != 2 || !g_file_get_contents (argv[1], &contents, &n_bytes, &error)
      || (json = wly_json_new (contents, n_bytes, WLY_CHAT_INPUT_DEPTH + 2, &error)) == NULL) {
    fprintf (stderr, "wly-render-cases: %s\n", error != NULL ? error->message : "one FILE is needed");
    return 1;
  }
  for (WlyJsonId id = wly_json_get (json, WLY_JSON_ROOT)->first; id != 0; id = wly_json_get (json, id)->next) {
    g_autoptr (GError) failure = NULL;

    if (!render (json, id, out, &failure)) {
      g_string_append (out, "{\"error\": ");
      wly_json_write_string (out, failure->message, strlen (failure->message));
      g_string_append_c (out, '}');
    }
    g_string_append_c (out, '\n');
  }
  fputs (out->str, stdout);
  return 0;
}
