/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The first stage of a model: header, vocabulary and chat template.  No weights.
 *
 * Nothing changes after opening but what is kept of grammars, which has a lock of its own, so any thread may read it.
 */
#pragma once

#include "gguf/gguf-reader.h"
#include "grammar/grammar-cache.h"
#include "grammar/token-trie.h"
#include "parse/output-format.h"
#include "run/network.h"
#include "template/chat-template.h"
#include "token/tokenizer.h"

G_BEGIN_DECLS

typedef struct WlyOpened WlyOpened;

/* Reads the files; @plugins (of opened WlyPluginFile*) may serve the architecture.  Errors: as wly_gguf_open(), and
 * WLY_ERROR_INVALID_MODEL for a damaged vocabulary. */
WlyOpened *wly_opened_new (const int *fds, guint n_fds, GPtrArray *plugins, GError **error);
WlyOpened *wly_opened_ref (WlyOpened *opened);
void wly_opened_unref (WlyOpened *opened); /* NULL is fine */

/* The dictionary of Worker1.Open; floating. */
GVariant *wly_opened_info (WlyOpened *opened);

WlyGguf *wly_opened_gguf (WlyOpened *opened);
/* Whether it makes embeddings or scores, no text. */
gboolean wly_opened_is_pooled (WlyOpened *opened);
/* NULL with WLY_ERROR_UNSUPPORTED_MODEL where the file has none, or one of an unknown kind. */
const WlyTokenizer *wly_opened_tokenizer (WlyOpened *opened, GError **error);
/* The texts of its tokens, made at the first call, and kept; there has to be a tokeniser. */
WlyTokenTrie *wly_opened_token_trie (WlyOpened *opened);
/* What texts were held to lately. */
WlyGrammarCache *wly_opened_grammars (WlyOpened *opened);
/* The file's own, or one for its vocabulary; NULL with WLY_ERROR_NO_TEMPLATE where it has neither, or
 * WLY_ERROR_TEMPLATE_FAILED where it cannot be read. */
const WlyChatTemplate *wly_opened_template (WlyOpened *opened, GError **error);
/* How the model marks calls and thoughts; NULL: it has no template that can be read. */
const WlyOutputFormat *wly_opened_format (WlyOpened *opened);
/* What templates may read besides messages: bos_token, eos_token. */
GVariant *wly_opened_variables (WlyOpened *opened);

/* The network's program, made anew; NULL with WLY_ERROR_UNSUPPORTED_MODEL where no plugin serves the architecture, or
 * with the error of wly_program_new().  (transfer full) */
WlyProgram *wly_opened_program (WlyOpened *opened, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (WlyOpened, wly_opened_unref)

G_END_DECLS
