/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Conversations in JSON, as chat templates know them, to the GVariants that chat-template takes.
 *
 * JSON        GVariant
 * null        a maybe variant, nothing
 * a number    x, or d where it has a fraction, an exponent or more than 64 bits
 * a list      av
 * an object   a{sv}, in the order of its keys
 */
#pragma once

#include "json/json.h"

G_BEGIN_DECLS

/* Lists and objects in each other. */
#define WLY_CHAT_INPUT_DEPTH 20

/* The value of a JSON text; floating.  NULL: it is no JSON, is too deep, or a string holds a NUL.  Errors:
 * WLY_ERROR_INVALID_ARGS. */
GVariant *wly_chat_input_read (const char *text, gsize n_bytes, GError **error);
/* The same of a part of a document that is not deeper. */
GVariant *wly_chat_input_value (const WlyJson *json, WlyJsonId id, GError **error);

/* The other way: appends a value of these types as JSON without white space. */
void wly_chat_input_write (GVariant *value, GString *out);

G_END_DECLS
