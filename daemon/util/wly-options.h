/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Option dictionaries against the one table, introspection/woolly-options.def.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef enum {
  WLY_SCOPE_GENERATE,
  WLY_SCOPE_INPUT,
  WLY_SCOPE_MESSAGE,
  WLY_SCOPE_SESSION,
  WLY_SCOPE_TOKENIZE,
  WLY_SCOPE_EMBED,
  WLY_SCOPE_RERANK,
  WLY_SCOPE_LOAD,
  WLY_SCOPE_WORKER,
  WLY_SCOPE_SETTING,
  WLY_SCOPE_IMPORT,
  WLY_SCOPE_PULL,
  WLY_SCOPE_RESULT,
  WLY_SCOPE_PLUGIN,
  WLY_SCOPE_DEVICE,
  WLY_SCOPE_USER,
  WLY_SCOPE_ESTIMATE,
} WlyScope;

typedef struct {
  WlyScope scope;
  const char *key;
  const char *type; /* D-Bus signature */
  double minimum;
  double maximum;
  const char *default_text; /* "" where there is none */
  const char *documentation;
} WlyOption;

/* All rows; @ret_n may not be NULL. */
const WlyOption *wly_options_table (gsize *ret_n);

/* NULL where the scope has no such key. */
const WlyOption *wly_options_find (WlyScope scope, const char *key);

/* "a|b" where the option is one of a fixed set of words, else NULL. */
const char *wly_options_words (const WlyOption *option);

/* Checks every entry of an a{sv} against the scopes, of which @scopes is a bit mask (1 << WLY_SCOPE_…).
 * Errors: WLY_ERROR_INVALID_ARGS, naming the key. */
gboolean wly_options_check (guint scopes, GVariant *options, GError **error);

/* Value of a checked dictionary, or the table's default; @options may be NULL.  The key must be in the table. */
gboolean wly_options_get_boolean (WlyScope scope, GVariant *options, const char *key);
guint32 wly_options_get_uint32 (WlyScope scope, GVariant *options, const char *key);
guint64 wly_options_get_uint64 (WlyScope scope, GVariant *options, const char *key);
double wly_options_get_double (WlyScope scope, GVariant *options, const char *key);
char *wly_options_dup_string (WlyScope scope, GVariant *options, const char *key); /* (transfer full) */
char **wly_options_dup_strv (WlyScope scope, GVariant *options, const char *key);  /* (transfer full) */
gboolean wly_options_has (GVariant *options, const char *key);

/* A copy of @options with the entries that are in @scopes only; floating. */
GVariant *wly_options_filter (guint scopes, GVariant *options);

G_END_DECLS
