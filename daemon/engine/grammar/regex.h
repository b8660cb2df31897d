/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Regular expressions: those of ECMA 262 with its flag u, as far as they are regular languages.
 *
 *     x  .  \d \D \w \W \s \S  \n \r \t \f \v \0  \xHH \uHHHH \u{H…}  \p{L} \P{L} (L M N P S Z)  \ before a sign
 *     [a-z] [^a-z]   ( )  (?: )  (?<name> )   |   * + ? {m} {m,} {m,n}, with a ? behind for nothing   ^ $
 *
 * \d and \w are of ASCII.  Looking ahead or behind, references back and \b are errors.
 */
#pragma once

#include "grammar/language.h"

G_BEGIN_DECLS

/* @n_bytes of valid UTF-8.  Errors: WLY_ERROR_INVALID_ARGS with the number of the character. */
WlyLanguage *wly_regex_parse (const char *text, gsize n_bytes, GError **error);

G_END_DECLS
