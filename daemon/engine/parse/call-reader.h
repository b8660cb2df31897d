/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * One call of a tool, or a list of them, from behind the mark that opens it: where it ends, and what is in it.
 *
 * It is looked at as it comes, each byte a few times at most.  Nothing is told of a call before it is whole.
 */
#pragma once

#include "parse/output-format.h"
#include "json/json.h"

G_BEGIN_DECLS

#define WLY_CALL_READER_DEPTH 32 /* lists and objects in each other */

typedef enum {
  WLY_CALL_MORE, /* it does not end yet */
  WLY_CALL_WHOLE,
  WLY_CALL_NONE, /* it is no call */
} WlyCallState;

typedef struct {
  const WlyOutputFormat *format;
  GVariant *tools; /* av; NULL: unknown */
  gsize open_bytes;
  gsize scanned, start; /* how far it was looked at; where the part begins that is read */
  /* lists and objects */
  guint depth;
  char quote; /* 0: not within a string */
  gboolean escaped;
  /* arguments between marks */
  guint part, json; /* what comes next; of a value, whether it is JSON */
  char *name, *key;
  GString *arguments;
} WlyCallReader;

/* All before it is forgotten.  Of the text, @open_bytes are the opening mark. */
void wly_call_reader_begin (WlyCallReader *reader, const WlyOutputFormat *format, GVariant *tools, gsize open_bytes);
void wly_call_reader_clear (WlyCallReader *reader);
/* Looks on; the text is the one of before with more at its end. */
WlyCallState wly_call_reader_scan (WlyCallReader *reader, const GString *text, gsize *ret_end);
/* What is in a whole call that ends at @end.  @ret_name: of the tool, and the document is its arguments; NULL: the
 * document is an object by the keys of the format, or a list of them.  NULL: it is no call. */
WlyJson *wly_call_reader_read (const WlyCallReader *reader, const GString *text, gsize end, char **ret_name);

/* Whether a call of this name can be told. */
gboolean wly_call_reader_is_name (const char *name);

G_END_DECLS
