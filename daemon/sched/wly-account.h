/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What one app uses over all its connections, and its share in a worker's batches.
 */
#pragma once

#include "wly-accounts.h"

G_BEGIN_DECLS

typedef struct WlyAccount WlyAccount;

/* The account of @app, by which quotas and fairness go: a new one, or another reference to the one that there is.
 * @salt_app: who may share prefixes; several accounts may have the same. */
WlyAccount *wly_account_new (WlyAccounts *accounts, const char *app, const char *salt_app);
WlyAccount *wly_account_ref (WlyAccount *account);
void wly_account_unref (WlyAccount *account);

const char *wly_account_get_app (WlyAccount *account);

/* The app's random number: it keeps apps from probing each other's prompts. */
guint64 wly_account_get_salt (WlyAccount *account);
guint32 wly_account_get_weight (WlyAccount *account);

/* Books one; each must be given back.  Errors: WLY_ERROR_BUSY, at once. */
gboolean wly_account_take_object (WlyAccount *account, GError **error);
void wly_account_give_object (WlyAccount *account);
gboolean wly_account_take_request (WlyAccount *account, GError **error);
void wly_account_give_request (WlyAccount *account);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (WlyAccount, wly_account_unref)

G_END_DECLS
