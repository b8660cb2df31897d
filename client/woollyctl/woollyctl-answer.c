/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "woollyctl-answer.h"

#include "woollyctl-json.h"
#include "woollyctl-output.h"
#include "woollyctl-progress.h"
#include "woollyctl-signals.h"

#include <glib/gi18n.h>

static void
show_queue (WoollyEvent *event)
{
  g_autofree char *words = NULL;
  guint32 position       = 0;

  g_variant_lookup (woolly_event_get_values (event), "position", "u", &position);
  words = g_strdup_printf (g_dngettext (NULL, "%u request comes first", "%u requests come first", position), position);
  woollyctl_progress_show (words, 0, 0);
}

static void
take_event (WoollyctlAnswer *answer, WoollyEvent *event)
{
  guint64 done  = 0;
  guint64 total = 0;

  woolly_event_get_progress (event, &done, &total);
  switch (woolly_event_get_kind (event)) {
  case WOOLLY_EVENT_TEXT:
    woollyctl_progress_clear ();
    if (answer->text != NULL)
      g_string_append (answer->text, woolly_event_get_text (event));
    else
      woollyctl_output_model_text (woolly_event_get_text (event));
    break;
  case WOOLLY_EVENT_REASONING:
    if (answer->reasoning != NULL)
      g_string_append (answer->reasoning, woolly_event_get_text (event));
    break;
  case WOOLLY_EVENT_TOOL_CALL:
    if (answer->calls != NULL)
      g_ptr_array_add (answer->calls, g_variant_ref (woolly_event_get_values (event)));
    break;
  case WOOLLY_EVENT_QUEUE:
    show_queue (event);
    break;
  case WOOLLY_EVENT_LOAD:
    woollyctl_progress_show (_ ("Loading the model"), done, total);
    break;
  case WOOLLY_EVENT_PREFILL:
    woollyctl_progress_show (_ ("Reading the prompt"), done, total);
    break;
  case WOOLLY_EVENT_USAGE:
    g_clear_pointer (&answer->result, g_variant_unref);
    answer->result = g_variant_ref (woolly_event_get_values (event));
    break;
  default:
    break;
  }
}

void
woollyctl_answer_read (WoollyctlAnswer *answer, WoollyGeneration *generation, gboolean keep)
{
  WoollyStream *stream = woolly_generation_get_stream (generation);

  if (keep) {
    answer->text      = g_string_new (NULL);
    answer->reasoning = g_string_new (NULL);
    answer->calls     = g_ptr_array_new_with_free_func ((GDestroyNotify)g_variant_unref);
  }
  while (TRUE) {
    g_autoptr (WoollyEvent) event = woolly_stream_read (stream, woollyctl_signals_get_cancellable (), &answer->error);

    if (event == NULL)
      break;
    take_event (answer, event);
  }
  woollyctl_progress_clear ();
  woolly_stream_close (stream);
  if (!keep)
    woollyctl_output_model_end ();
  if (answer->result == NULL)
    answer->result = woolly_generation_fetch_result (generation, NULL, NULL);
}

void
woollyctl_answer_clear (WoollyctlAnswer *answer)
{
  if (answer->text != NULL)
    g_string_free (answer->text, TRUE);
  if (answer->reasoning != NULL)
    g_string_free (answer->reasoning, TRUE);
  answer->text = answer->reasoning = NULL;
  g_clear_pointer (&answer->calls, g_ptr_array_unref);
  g_clear_pointer (&answer->result, g_variant_unref);
  g_clear_error (&answer->error);
}

static gboolean
has_key (GVariant *result, const char *key)
{
  g_autoptr (GVariant) value = result != NULL ? g_variant_lookup_value (result, key, NULL) : NULL;

  return value != NULL;
}

static void
add_error (GVariantBuilder *row, WoollyctlAnswer *answer)
{
  gboolean interrupted = g_error_matches (answer->error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  int code             = answer->error->domain == WOOLLY_ERROR ? answer->error->code : WOOLLY_ERROR_FAILED;

  if (interrupted)
    code = WOOLLY_ERROR_CANCELLED;
  if (!has_key (answer->result, "reason"))
    g_variant_builder_add (row, "{sv}", "reason", g_variant_new_string (interrupted ? "cancelled" : "error"));
  if (!has_key (answer->result, "error"))
    g_variant_builder_add (row, "{sv}", "error", g_variant_new_string (woolly_error_get_name ((WoollyError)code)));
  if (!has_key (answer->result, "message"))
    g_variant_builder_add (row, "{sv}", "message", g_variant_new_string (answer->error->message));
}

/* The text and the result as one dictionary; floating. */
static GVariant *
to_dictionary (WoollyctlAnswer *answer)
{
  g_auto (GVariantBuilder) row = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE_VARDICT);
  gsize n                      = answer->result != NULL ? g_variant_n_children (answer->result) : 0;

  g_variant_builder_add (&row, "{sv}", "text", g_variant_new_string (answer->text != NULL ? answer->text->str : ""));
  if (answer->reasoning != NULL && answer->reasoning->len > 0)
    g_variant_builder_add (&row, "{sv}", "reasoning", g_variant_new_string (answer->reasoning->str));
  if (answer->calls != NULL && answer->calls->len > 0)
    g_variant_builder_add (
        &row, "{sv}", "tool-calls",
        g_variant_new_array (G_VARIANT_TYPE_VARDICT, (GVariant *const *)answer->calls->pdata, answer->calls->len));
  for (gsize i = 0; i < n; i++) {
    g_autoptr (GVariant) entry = g_variant_get_child_value (answer->result, i);

    g_variant_builder_add_value (&row, entry);
  }
  if (answer->error != NULL)
    add_error (&row, answer);
  return g_variant_builder_end (&row);
}

WoollyctlExit
woollyctl_answer_print (WoollyGeneration *generation, gboolean json)
{
  g_auto (WoollyctlAnswer) answer = { 0 };

  woollyctl_answer_read (&answer, generation, json);
  if (json)
    woollyctl_json_print (to_dictionary (&answer));
  return answer.error != NULL ? woollyctl_output_fail (answer.error) : WOOLLYCTL_OK;
}
