/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Calls as Python writes them: [f(a=1, b='x'), g()].
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* A list of calls as JSON: [{"name": "f", "arguments": {"a": 1, "b": "x"}}, …].  Values are literals: numbers, strings
 * with escapes, True, False, None, lists, tuples, dictionaries; those of JSON, too.  What is no literal makes no JSON,
 * which the reader of it finds.  FALSE: it is no such list. */
gboolean wly_call_python_to_json (const char *text, gsize n_bytes, GString *out);

/* True, False and None as JSON has them; NULL: it is another word. */
const char *wly_call_python_word (const char *word);

G_END_DECLS
