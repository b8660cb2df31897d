/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wly-prompt.h"

#include "wly-error.h"

#include <string.h>

#define STAND_IN "woolly-stands-here"

static void
render_plain (const WlyBody *body, WlyRendered *ret_rendered)
{
  gsize n_bytes;
  const char *text = g_bytes_get_data (body->prompt, &n_bytes);

  ret_rendered->text          = g_malloc (n_bytes + 1);
  ret_rendered->n_bytes       = n_bytes;
  ret_rendered->spans         = g_new0 (WlyTextSpan, 1);
  ret_rendered->n_spans       = 1;
  ret_rendered->text[n_bytes] = '\0';
  if (n_bytes > 0)
    memcpy (ret_rendered->text, text, n_bytes);
  ret_rendered->spans[0] = (WlyTextSpan){ ret_rendered->text, n_bytes, body->special };
}

/* A word that is in none of the messages. */
static char *
choose_stand_in (GVariant *messages)
{
  const char *data = g_variant_get_data (messages);
  gsize n_bytes    = g_variant_get_size (messages);

  for (guint i = 0;; i++) {
    g_autofree char *word = g_strdup_printf (STAND_IN "-%u", i);

    /* no message is no data */
    if (n_bytes == 0 || memmem (data, n_bytes, word, strlen (word)) == NULL)
      return g_steal_pointer (&word);
  }
}

/* The messages with @stand_in behind the text of the last one; (transfer full). */
static GVariant *
mark_end (GVariant *messages, const char *stand_in)
{
  g_auto (GVariantBuilder) builder = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE ("aa{sv}"));
  const gsize n                    = g_variant_n_children (messages);

  for (gsize i = 0; i < n; i++) {
    g_autoptr (GVariant) message = g_variant_get_child_value (messages, i);

    if (i + 1 < n) {
      g_variant_builder_add_value (&builder, message);
    } else {
      g_auto (GVariantDict) dict = G_VARIANT_DICT_INIT (message);
      g_autofree char *text      = NULL;
      const char *content        = "";

      g_variant_lookup (message, "content", "&s", &content);
      text = g_strconcat (content, stand_in, NULL);
      g_variant_dict_insert (&dict, "content", "s", text);
      g_variant_builder_add_value (&builder, g_variant_dict_end (&dict));
    }
  }
  return g_variant_ref_sink (g_variant_builder_end (&builder));
}

/* The last place of a word; NULL: none. */
static const char *
find_last (const WlyRendered *rendered, const char *word)
{
  const gsize n    = strlen (word);
  const char *next = rendered->text, *at = NULL;

  while ((next = memmem (next, rendered->n_bytes - (gsize)(next - rendered->text), word, n)) != NULL) {
    at = next;
    next += n;
  }
  return at;
}

/* Keeps what stands before @end. */
static void
cut_behind (WlyRendered *rendered, const char *end)
{
  gsize n = 0;

  while (n < rendered->n_spans && rendered->spans[n].text < end) {
    WlyTextSpan *span = &rendered->spans[n++];

    span->n_bytes = MIN (span->n_bytes, (gsize)(end - span->text));
  }
  rendered->n_spans                 = n;
  rendered->n_bytes                 = (gsize)(end - rendered->text);
  rendered->text[rendered->n_bytes] = '\0';
}

/* Up to the end of the last message's text: the mark that ends a turn, and what the template puts behind it, is not
 * written. */
static gboolean
render_to_go_on (const WlyChatTemplate *chat_template, WlyChatInput *input, WlyRendered *ret_rendered, GError **error)
{
  g_autofree char *stand_in     = choose_stand_in (input->messages);
  g_autoptr (GVariant) messages = mark_end (input->messages, stand_in);
  const char *end;

  input->messages              = messages;
  input->add_generation_prompt = FALSE;
  if (!wly_chat_template_render (chat_template, input, ret_rendered, error))
    return FALSE;
  end = find_last (ret_rendered, stand_in);
  if (end != NULL) {
    cut_behind (ret_rendered, end);
    return TRUE;
  }
  wly_rendered_clear (ret_rendered);
  g_set_error_literal (error, WLY_ERROR, WLY_ERROR_INVALID_ARGS,
                       "Option continue: the chat template does not write the last answer as it is");
  return FALSE;
}

gboolean
wly_prompt_render_template (const WlyChatTemplate *chat_template, const WlyBody *body, GVariant *variables,
                            WlyRendered *ret_rendered, GError **error)
{
  WlyChatInput input = { body->messages, body->given, variables, body->add_generation_prompt };

  if (body->go_on)
    return render_to_go_on (chat_template, &input, ret_rendered, error);
  return wly_chat_template_render (chat_template, &input, ret_rendered, error);
}

gboolean
wly_prompt_render (WlyOpened *opened, const WlyBody *body, WlyRendered *ret_rendered, GError **error)
{
  const WlyChatTemplate *chat_template;

  memset (ret_rendered, 0, sizeof *ret_rendered);
  if (!wly_gguf_check_unchanged (wly_opened_gguf (opened), error))
    return FALSE;
  if (body->messages == NULL) {
    render_plain (body, ret_rendered);
    return TRUE;
  }
  chat_template = wly_opened_template (opened, error);
  return chat_template != NULL
         && wly_prompt_render_template (chat_template, body, wly_opened_variables (opened), ret_rendered, error);
}

GVariant *
wly_prompt_trusted (const WlyRendered *rendered)
{
  g_auto (GVariantBuilder) trusted = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE ("a(tt)"));

  for (gsize i = 0; i < rendered->n_spans; i++) {
    const WlyTextSpan *span = &rendered->spans[i];

    if (span->trusted)
      g_variant_builder_add (&trusted, "(tt)", (guint64)(span->text - rendered->text), (guint64)span->n_bytes);
  }
  return g_variant_builder_end (&trusted);
}

static void
add_message (GVariantBuilder *builder, const char *role, const char *content)
{
  g_variant_builder_open (builder, G_VARIANT_TYPE_VARDICT);
  g_variant_builder_add (builder, "{sv}", "role", g_variant_new_string (role));
  g_variant_builder_add (builder, "{sv}", "content", g_variant_new_string (content));
  g_variant_builder_close (builder);
}

/* The messages behind a conversation whose last answer is @stand_in. */
static GVariant *
put_behind (GVariant *messages, const char *stand_in)
{
  g_auto (GVariantBuilder) builder = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE ("aa{sv}"));
  gsize n                          = g_variant_n_children (messages);

  add_message (&builder, "user", "?");
  add_message (&builder, "assistant", stand_in);
  for (gsize i = 0; i < n; i++) {
    g_autoptr (GVariant) message = g_variant_get_child_value (messages, i);

    g_variant_builder_add_value (&builder, message);
  }
  return g_variant_ref_sink (g_variant_builder_end (&builder));
}

/* Keeps what stands from byte @from on. */
static void
cut_before (WlyRendered *rendered, gsize from)
{
  const char *start = rendered->text + from;
  gsize n           = 0;

  for (gsize i = 0; i < rendered->n_spans; i++) {
    WlyTextSpan span = rendered->spans[i];
    const char *end  = span.text + span.n_bytes;

    if (end <= start)
      continue;
    if (span.text < start)
      span = (WlyTextSpan){ start, (gsize)(end - start), span.trusted };
    rendered->spans[n++] = span;
  }
  rendered->n_spans = n;
}

/* Whether the rest begins with the text of the past's last token, an end token; @ret_n_bytes of it. */
static gboolean
closes_twice (const WlyTokenizer *tokenizer, gint32 last_token, const WlyRendered *rendered, gsize *ret_n_bytes)
{
  const char *text;

  if (rendered->n_spans == 0 || !rendered->spans[0].trusted || !wly_tokenizer_is_end (tokenizer, last_token))
    return FALSE;
  text = wly_tokenizer_token_text (tokenizer, last_token, ret_n_bytes);
  return text != NULL && *ret_n_bytes > 0 && *ret_n_bytes <= rendered->spans[0].n_bytes
         && memcmp (rendered->spans[0].text, text, *ret_n_bytes) == 0;
}

/* What the template adds to a past for these messages. */
static gboolean
render_addition (WlyOpened *opened, const WlyTokenizer *tokenizer, const WlyBody *body, gint32 last_token,
                 WlyRendered *ret_rendered, GError **error)
{
  g_autofree char *stand_in     = choose_stand_in (body->messages);
  g_autoptr (GVariant) messages = put_behind (body->messages, stand_in);
  const WlyBody behind = { messages, body->given, NULL, body->special, body->add_generation_prompt, body->go_on };
  const char *at;
  gsize n_bytes;

  if (!wly_prompt_render (opened, &behind, ret_rendered, error))
    return FALSE;
  at = find_last (ret_rendered, stand_in);
  if (at == NULL) {
    /* a template that leaves answers out: what it makes of the messages by themselves is the best there is */
    wly_rendered_clear (ret_rendered);
    return wly_prompt_render (opened, body, ret_rendered, error);
  }
  cut_before (ret_rendered, (gsize)(at - ret_rendered->text) + strlen (stand_in));
  if (closes_twice (tokenizer, last_token, ret_rendered, &n_bytes))
    cut_before (ret_rendered, (gsize)(ret_rendered->spans[0].text - ret_rendered->text) + n_bytes);
  return TRUE;
}

gboolean
wly_prompt_tokens (WlyOpened *opened, const WlyBody *body, const WlyPast *past, GArray *tokens, GError **error)
{
  const WlyTokenizer *tokenizer = wly_opened_tokenizer (opened, error);
  g_auto (WlyRendered) rendered = { 0 };
  guint first                   = tokens->len;
  gint32 bos;

  if (tokenizer == NULL)
    return FALSE;
  if (body->messages != NULL && past->n_tokens > 0) {
    if (!render_addition (opened, tokenizer, body, past->last_token, &rendered, error))
      return FALSE;
  } else if (!wly_prompt_render (opened, body, &rendered, error)) {
    return FALSE;
  }
  if (!wly_tokenizer_encode_behind (tokenizer, past->n_tokens > 0 ? past->last_token : WLY_TOKEN_NONE, rendered.spans,
                                    rendered.n_spans, tokens, error))
    return FALSE;
  bos = wly_tokenizer_bos (tokenizer);
  if (past->n_tokens == 0 && bos != WLY_TOKEN_NONE && wly_tokenizer_add_bos (tokenizer)
      && (tokens->len == first || g_array_index (tokens, gint32, first) != bos))
    g_array_insert_val (tokens, first, bos);
  return TRUE;
}

gboolean
wly_prompt_tokenize (WlyOpened *opened, const WlyBody *body, gboolean special, gboolean add_special, GArray *tokens,
                     GError **error)
{
  const WlyTokenizer *tokenizer = wly_opened_tokenizer (opened, error);
  g_auto (WlyRendered) rendered = { 0 };

  if (tokenizer == NULL || !wly_prompt_render (opened, body, &rendered, error))
    return FALSE;
  if (body->messages == NULL)
    rendered.spans[0].trusted |= special;
  return wly_tokenizer_encode (tokenizer, rendered.spans, rendered.n_spans, add_special, tokens, error);
}
