/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "template/chat-template.h"

#include "template/template-eval.h"
#include "template/template-parser.h"
#include "wly-error.h"

#include <string.h>

#define MAX_SOURCE_BYTES (1u << 20)

struct WlyChatTemplate {
  WlyTemplateAst ast;
};

/* Newlines of any system as \n; (transfer full). */
static GString *
normalise_newlines (const char *source, gsize n_bytes)
{
  GString *result = g_string_sized_new (n_bytes);

  for (gsize i = 0; i < n_bytes; i++) {
    if (source[i] != '\r')
      g_string_append_c (result, source[i]);
    else if (i + 1 == n_bytes || source[i + 1] != '\n')
      g_string_append_c (result, '\n');
  }
  return result;
}

WlyChatTemplate *
wly_chat_template_new (const char *source, gsize n_bytes, GError **error)
{
  g_autoptr (WlyChatTemplate) chat_template = NULL;
  g_autoptr (GString) normal                = NULL;

  if (n_bytes > MAX_SOURCE_BYTES) {
    g_set_error (error, WLY_ERROR, WLY_ERROR_TEMPLATE_FAILED, "the chat template has more than %u bytes",
                 MAX_SOURCE_BYTES);
    return NULL;
  }
  if (!g_utf8_validate_len (source, n_bytes, NULL)) {
    g_set_error_literal (error, WLY_ERROR, WLY_ERROR_TEMPLATE_FAILED, "the chat template is not valid UTF-8");
    return NULL;
  }
  chat_template = g_new0 (WlyChatTemplate, 1);
  normal        = normalise_newlines (source, n_bytes);
  if (!wly_template_parser_run (normal->str, normal->len, &chat_template->ast, error))
    return NULL;
  return g_steal_pointer (&chat_template);
}

void
wly_chat_template_free (WlyChatTemplate *chat_template)
{
  if (chat_template == NULL)
    return;
  wly_template_parser_clear (&chat_template->ast);
  g_free (chat_template);
}

static gboolean
set_from_variant (WlyTemplateEval *eval, const char *name, GVariant *variant, gboolean trusted)
{
  WlyTemplateValue value;

  if (!wly_template_value_from_variant (eval->arena, variant, trusted, 0, &value))
    return wly_template_eval_fail (eval, "the messages are too large, or nested too deep");
  return wly_template_eval_set (eval, name, value);
}

static gboolean
set_all (WlyTemplateEval *eval, GVariant *variables, gboolean trusted)
{
  GVariantIter iter;
  const char *name;
  GVariant *value;

  if (variables == NULL)
    return TRUE;
  g_variant_iter_init (&iter, variables);
  while (g_variant_iter_next (&iter, "{&sv}", &name, &value)) {
    g_autoptr (GVariant) held = value;

    if (!set_from_variant (eval, name, value, trusted))
      return FALSE;
  }
  return TRUE;
}

static gboolean
set_variables (WlyTemplateEval *eval, const WlyChatInput *input)
{
  const WlyTemplateValue prompt = WLY_TEMPLATE_VALUE_BOOLEAN (input->add_generation_prompt);

  return wly_template_eval_enter (eval, NULL) && set_all (eval, input->variables, TRUE)
         && wly_template_eval_set (eval, "add_generation_prompt", prompt) && set_all (eval, input->given, FALSE)
         && (input->messages == NULL || set_from_variant (eval, "messages", input->messages, FALSE))
         && wly_template_eval_enter (eval, eval->scope);
}

static void
take_rendered (WlyTemplateBuilder *output, WlyRendered *ret_rendered)
{
  gsize start = 0;

  ret_rendered->n_bytes = output->bytes->len;
  ret_rendered->n_spans = output->runs->len;
  ret_rendered->text    = g_string_free (g_steal_pointer (&output->bytes), FALSE);
  ret_rendered->spans   = g_new (WlyTextSpan, output->runs->len + 1);
  for (guint i = 0; i < output->runs->len; i++) {
    const WlyTemplateRun *run = &g_array_index (output->runs, WlyTemplateRun, i);

    ret_rendered->spans[i] = (WlyTextSpan){ ret_rendered->text + start, run->end - start, run->trusted };
    start                  = run->end;
  }
}

gboolean
wly_chat_template_render (const WlyChatTemplate *chat_template, const WlyChatInput *input, WlyRendered *ret_rendered,
                          GError **error)
{
  g_autoptr (WlyTemplateArena) arena = wly_template_arena_new (WLY_TEMPLATE_MAX_MEMORY);
  g_autoptr (GArray) chain           = g_array_new (FALSE, FALSE, sizeof (guint32));
  g_auto (WlyTemplateBuilder) output = { 0 };
  WlyTemplateEval eval               = {
                  .ast    = &chat_template->ast,
                  .arena  = arena,
                  .output = &output,
                  .chain  = chain,
                  .error  = error,
  };

  *ret_rendered = (WlyRendered){ 0 };
  wly_template_builder_init (&output);
  if (!set_variables (&eval, input) || !wly_template_run_body (&eval, chat_template->ast.root))
    return FALSE;
  take_rendered (&output, ret_rendered);
  return TRUE;
}
