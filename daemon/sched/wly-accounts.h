/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What all callers together use, and the limits of each.
 */
#pragma once

#include "wly-settings.h"

G_BEGIN_DECLS

typedef enum {
  WLY_ACCOUNTS_OBJECTS,  /* sessions, generations, guards, private models */
  WLY_ACCOUNTS_REQUESTS, /* unfinished calls and generations */
} WlyAccountsKind;

typedef struct WlyAccounts WlyAccounts;

/* Limits come from the group [limits], as they are at the time. */
WlyAccounts *wly_accounts_new (WlySettings *settings);
WlyAccounts *wly_accounts_ref (WlyAccounts *accounts);
void wly_accounts_unref (WlyAccounts *accounts);

/* Books one, for a caller that has *own of them.  Errors: WLY_ERROR_BUSY. */
gboolean wly_accounts_take (WlyAccounts *accounts, WlyAccountsKind kind, guint *own, GError **error);
void wly_accounts_give (WlyAccounts *accounts, WlyAccountsKind kind, guint *own);
guint wly_accounts_get_count (WlyAccounts *accounts, WlyAccountsKind kind);

/* A random number that is the same for all of one app, as long as this process lives. */
guint64 wly_accounts_get_salt (WlyAccounts *accounts, const char *app);

/* app -> WlyAccount, for WlyAccount alone; neither is owned. */
GHashTable *wly_accounts_get_table (WlyAccounts *accounts);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (WlyAccounts, wly_accounts_unref)

G_END_DECLS
