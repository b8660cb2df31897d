/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wly-pieces.h"

/* Tokens at the end of a prompt that are looked at for the mark that opens thoughts. */
#define N_LAST 16

gboolean
wly_pieces_in_thoughts (WlyOpened *opened, const WlyBody *body, const GArray *prompt)
{
  const WlyOutputFormat *format = wly_opened_format (opened);
  const WlyTokenizer *tokenizer = wly_opened_tokenizer (opened, NULL);
  g_autoptr (GString) end       = g_string_new (NULL);

  if (format == NULL || body->messages == NULL || tokenizer == NULL || !(body->add_generation_prompt || body->go_on))
    return FALSE;
  for (guint i = prompt->len - MIN (prompt->len, N_LAST); i < prompt->len; i++)
    wly_tokenizer_decode (tokenizer, g_array_index (prompt, gint32, i), FALSE, TRUE, end);
  return wly_output_format_begins_reasoning (format, end->str, end->len);
}

WlyOutputParser *
wly_pieces_new (WlyOpened *opened, const WlyBody *body, const GArray *prompt, gboolean constrained)
{
  const WlyOutputFormat *format = wly_opened_format (opened);
  g_autoptr (GVariant) tools    = wly_body_tools (body);

  if (format == NULL || body->messages == NULL || wly_opened_tokenizer (opened, NULL) == NULL)
    return NULL;
  return wly_output_parser_new (format, !constrained || *format->open != '\0' ? tools : NULL,
                                wly_pieces_in_thoughts (opened, body, prompt));
}

void
wly_pieces_append_mark (WlyOpened *opened, gint32 token, GString *bytes)
{
  const WlyOutputFormat *format = wly_opened_format (opened);
  gsize n_bytes                 = 0;
  const char *text              = wly_tokenizer_token_text (wly_opened_tokenizer (opened, NULL), token, &n_bytes);

  if (format != NULL && text != NULL && wly_output_format_has_mark (format, text, n_bytes))
    g_string_append_len (bytes, text, (gssize)n_bytes);
}

static void
write_call (WlyStream *stream, const WlyPiece *piece)
{
  g_auto (GVariantDict) dict = G_VARIANT_DICT_INIT (NULL);
  g_autofree char *arguments = g_strndup (piece->text, piece->n_bytes);

  g_variant_dict_insert (&dict, "id", "s", piece->id);
  g_variant_dict_insert (&dict, "name", "s", piece->name);
  g_variant_dict_insert (&dict, "arguments", "s", arguments);
  wly_stream_write (stream, WOOLLY_FRAME_TOOL_CALL, g_variant_dict_end (&dict));
}

static void
piece_cb (const WlyPiece *piece, gpointer user_data)
{
  if (piece->kind == WLY_PIECE_CALL)
    write_call (user_data, piece);
  else
    wly_stream_write_kind (user_data, piece->kind == WLY_PIECE_REASONING ? WOOLLY_FRAME_REASONING : WOOLLY_FRAME_TEXT,
                           piece->text, piece->n_bytes);
}

void
wly_pieces_write (WlyOutputParser *parser, WlyStream *stream, const char *text, gsize n_bytes)
{
  if (parser == NULL)
    wly_stream_write_text (stream, text, n_bytes);
  else if (n_bytes > 0)
    wly_output_parser_push (parser, text, n_bytes, piece_cb, stream);
}

void
wly_pieces_finish (WlyOutputParser *parser, WlyStream *stream)
{
  if (parser != NULL)
    wly_output_parser_finish (parser, piece_cb, stream);
}
