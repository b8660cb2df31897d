/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * RWKV's vocabulary: the longest token at each place, over bytes.  The file writes tokens with the escapes of a Python
 * literal, so that bytes that are no text can stand in it.
 */
#include "token/tokenizer-private.h"

/* Each byte of a text may be looked at once for each byte of the longest token. */
#define MAX_TOKEN_BYTES 512

/* Appends what the escaped text means. */
static void
append_unescaped (GString *out, const WlyGgufString *text)
{
  for (gsize i = 0; i < text->n_bytes; i++) {
    char c = text->data[i];

    if (c == '\\' && i + 1 < text->n_bytes) {
      c = text->data[++i];
      if (c == 'x' && i + 2 < text->n_bytes && g_ascii_isxdigit (text->data[i + 1])
          && g_ascii_isxdigit (text->data[i + 2])) {
        c = (char)(g_ascii_xdigit_value (text->data[i + 1]) * 16 + g_ascii_xdigit_value (text->data[i + 2]));
        i += 2;
      } else {
        c = c == 't' ? '\t' : c == 'n' ? '\n' : c == 'r' ? '\r' : c;
      }
    }
    g_string_append_c (out, c);
  }
}

/* The meant bytes of all tokens, side by side: they replace the texts of the file. */
static void
unescape_texts (WlyTokenizer *tokenizer)
{
  WlyVocab *vocab          = &tokenizer->vocab;
  GString *bytes           = g_string_new (NULL);
  g_autofree gsize *starts = g_new (gsize, (gsize)vocab->n_tokens + 1);

  for (guint32 id = 0; id < vocab->n_tokens; id++) {
    starts[id] = bytes->len;
    append_unescaped (bytes, &vocab->texts[id]);
  }
  starts[vocab->n_tokens] = bytes->len;
  tokenizer->unescaped    = g_new (WlyGgufString, vocab->n_tokens);
  for (guint32 id = 0; id < vocab->n_tokens; id++)
    tokenizer->unescaped[id] = (WlyGgufString){ bytes->str + starts[id], starts[id + 1] - starts[id] };
  tokenizer->unescaped_bytes = g_string_free (bytes, FALSE);
}

gboolean
wly_tokenizer_rwkv_init (WlyTokenizer *tokenizer, GError **error)
{
  WlyVocab *vocab         = &tokenizer->vocab;
  g_autofree guint32 *ids = g_new (guint32, vocab->n_tokens);
  gsize n                 = 0;

  if (!wly_vocab_check_longest (vocab, MAX_TOKEN_BYTES, "RWKV's vocabulary", error)
      || !wly_vocab_read_specials (vocab, error))
    return FALSE;
  /* the field adds nothing to a text, whatever the file says */
  vocab->add_bos = FALSE;
  vocab->add_eos = FALSE;
  unescape_texts (tokenizer);
  for (guint32 id = 0; id < vocab->n_tokens; id++)
    if (wly_vocab_is_text (vocab, (gint32)id))
      ids[n++] = id;
  wly_trie_init (&tokenizer->trie, tokenizer->unescaped, ids, n);
  return TRUE;
}

void
wly_tokenizer_rwkv_encode (WlyEncoder *encoder, const char *text, gsize n_bytes)
{
  const WlyTokenizer *tokenizer = encoder->tokenizer;
  gsize n;

  for (gsize i = 0; i < n_bytes; i += n) {
    gint32 id = tokenizer->vocab.unk;

    encoder->n_steps++;
    n = wly_trie_longest (&tokenizer->trie, text + i, n_bytes - i, &id, &encoder->n_steps);
    if (id >= 0)
      wly_tokenizer_push (encoder, id);
    n = MAX (n, 1);
  }
}
