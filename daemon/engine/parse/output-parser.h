/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What a model writes, taken apart while it comes: thoughts, calls of tools, the answer.
 *
 * Where the text is cut into pieces makes no difference but where pieces of thoughts and answer end.  What only looks
 * like a call stays text: nothing is lost.
 */
#pragma once

#include "parse/output-format.h"

G_BEGIN_DECLS

typedef enum {
  WLY_PIECE_TEXT,
  WLY_PIECE_REASONING,
  WLY_PIECE_CALL,
} WlyPieceKind;

/* One thing that was written; texts are whole UTF-8 and live until the callback returns. */
typedef struct {
  WlyPieceKind kind;
  const char *text; /* of a call: its arguments, a JSON object */
  gsize n_bytes;
  const char *id, *name; /* of a call */
} WlyPiece;

typedef void (*WlyPieceCb) (const WlyPiece *piece, gpointer user_data);

typedef struct WlyOutputParser WlyOutputParser;

/* Bytes of one call; what is longer stays text. */
#define WLY_OUTPUT_PARSER_CALL_BYTES (48u << 10)

/* @format must live as long.  @tools: those that were given, as templates read them (av); NULL: there are no calls.
 * @reasoning: the prompt has opened the thoughts. */
WlyOutputParser *wly_output_parser_new (const WlyOutputFormat *format, GVariant *tools, gboolean reasoning);
void wly_output_parser_free (WlyOutputParser *parser); /* NULL is fine */

/* Whole characters. */
void wly_output_parser_push (WlyOutputParser *parser, const char *text, gsize n_bytes, WlyPieceCb callback,
                             gpointer user_data);
/* Nothing follows. */
void wly_output_parser_finish (WlyOutputParser *parser, WlyPieceCb callback, gpointer user_data);
guint wly_output_parser_n_calls (const WlyOutputParser *parser);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (WlyOutputParser, wly_output_parser_free)

G_END_DECLS
