/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Any bytes as a model file: refused with a reason, or sound, and so are its vocabulary and what it makes of a text.
 */
#include "fuzz.h"

#include "../unit/engine/gguf-bytes.h"
#include "token/tokenizer.h"
#include "wly-error.h"

static void
check_refusal (const GError *error)
{
  g_assert_true (g_error_matches (error, WLY_ERROR, WLY_ERROR_INVALID_MODEL)
                 || g_error_matches (error, WLY_ERROR, WLY_ERROR_UNSUPPORTED_MODEL));
  g_assert_true (g_utf8_validate (error->message, -1, NULL));
}

static void
check_vocabulary (WlyGguf *gguf)
{
  static const char text[]           = "<s> Hello, wörld 12345! ▁ 日本 नम\n\n\tx<|im_end|>";
  const WlyTextSpan span             = { text, sizeof text - 1, TRUE };
  g_autoptr (GError) error           = NULL;
  g_autoptr (WlyTokenizer) tokenizer = wly_tokenizer_new (gguf, &error);
  g_autoptr (GArray) tokens          = g_array_new (FALSE, FALSE, sizeof (gint32));
  g_autoptr (GString) decoded        = g_string_new (NULL);

  if (tokenizer == NULL) {
    check_refusal (error);
    return;
  }
  if (!wly_tokenizer_encode (tokenizer, &span, 1, TRUE, tokens, &error))
    g_assert_nonnull (error);
  for (guint i = 0; i < tokens->len; i++) {
    const gint32 token = g_array_index (tokens, gint32, i);

    g_assert_cmpint (token, >=, 0);
    g_assert_cmpint (token, <, wly_tokenizer_n_vocab (tokenizer));
    wly_tokenizer_decode (tokenizer, token, i == 0, TRUE, decoded);
  }
  for (gint32 token = -1; token <= (gint32)wly_tokenizer_n_vocab (tokenizer); token++)
    wly_tokenizer_decode (tokenizer, token, token == 0, FALSE, decoded);
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize n_bytes)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (WlyGguf) gguf = open_data (data, n_bytes, &error);

  if (gguf == NULL) {
    check_refusal (error);
    return 0;
  }
  assert_sound (gguf);
  g_assert_nonnull (wly_gguf_quantization (gguf));
  g_assert_nonnull (wly_gguf_metadata (gguf));
  check_vocabulary (gguf);
  return 0;
}
