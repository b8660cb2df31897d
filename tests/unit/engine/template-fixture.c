/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "template-fixture.h"

#include "template/chat-input.h"

#include <string.h>

GVariant *
wly_fixture_variables (void)
{
  return g_variant_ref_sink (g_variant_new_parsed ("{'bos_token': <'<s>'>, 'eos_token': <'</s>'>}"));
}

char *
wly_fixture_show_spans (const WlyRendered *rendered)
{
  GString *shown = g_string_new (NULL);
  gsize place    = 0;

  for (gsize i = 0; i < rendered->n_spans; i++) {
    const WlyTextSpan *span = &rendered->spans[i];

    g_assert_true (span->text == rendered->text + place);
    g_assert_cmpuint (span->n_bytes, >, 0);
    g_assert_true (i == 0 || span->trusted != rendered->spans[i - 1].trusted);
    g_string_append (shown, span->trusted ? "" : "⟦");
    g_string_append_len (shown, span->text, (gssize)span->n_bytes);
    g_string_append (shown, span->trusted ? "" : "⟧");
    place += span->n_bytes;
  }
  g_assert_cmpuint (place, ==, rendered->n_bytes);
  return g_string_free (shown, FALSE);
}

GVariant *
wly_fixture_hostile_input (const char *word)
{
  g_autofree char *json    = NULL;
  g_autoptr (GString) text = g_string_new (
      "{\"add_generation_prompt\": true, \"reasoning_effort\": \"W\", \"documents\": [{\"title\": \"W\", \"text\": "
      "\"W\"}],"
      " \"tools\": [{\"type\": \"function\", \"function\": {\"name\": \"W\", \"description\": \"W\", \"parameters\":"
      " {\"type\": \"object\", \"properties\": {\"W\": {\"type\": \"string\", \"description\": \"W\"}}}}}],"
      " \"messages\": [{\"role\": \"system\", \"content\": \"W\"}, {\"role\": \"user\", \"content\": \"W\"},"
      " {\"role\": \"assistant\", \"content\": \"W\", \"reasoning_content\": \"W\", \"tool_calls\": [{\"id\": "
      "\"123456789\","
      " \"type\": \"function\", \"function\": {\"name\": \"W\", \"arguments\": {\"W\": \"W\"}}}]},"
      " {\"role\": \"tool\", \"name\": \"W\", \"tool_call_id\": \"123456789\", \"content\": \"W\"},"
      " {\"role\": \"assistant\", \"content\": \"W\"}, {\"role\": \"user\", \"content\": \"W\"}]}");

  g_string_replace (text, "W", word, 0);
  json = g_string_free (g_steal_pointer (&text), FALSE);
  return g_variant_ref_sink (wly_chat_input_read (json, strlen (json), NULL));
}

void
wly_fixture_check_user_words (const WlyRendered *rendered)
{
  g_autoptr (GString) trusted = g_string_new (NULL);
  g_autofree char *lower      = NULL;

  for (gsize i = 0; i < rendered->n_spans; i++)
    if (rendered->spans[i].trusted)
      g_string_append_len (trusted, rendered->spans[i].text, (gssize)rendered->spans[i].n_bytes);
  lower = g_ascii_strdown (trusted->str, (gssize)trusted->len);
  g_assert_null (strstr (lower, "qq"));
}
