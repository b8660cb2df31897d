/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wly-account.h"

#define WEIGHT 100

struct WlyAccount {
  grefcount ref_count;
  WlyAccounts *all;
  char *app;
  guint64 salt;
  guint n_objects;
  guint n_requests;
};

WlyAccount *
wly_account_new (WlyAccounts *accounts, const char *app, const char *salt_app)
{
  GHashTable *known = wly_accounts_get_table (accounts);
  WlyAccount *self  = g_hash_table_lookup (known, app);

  if (self != NULL)
    return wly_account_ref (self);
  self = g_new0 (WlyAccount, 1);
  g_ref_count_init (&self->ref_count);
  self->all  = wly_accounts_ref (accounts);
  self->app  = g_strdup (app);
  self->salt = wly_accounts_get_salt (accounts, salt_app);
  g_hash_table_insert (known, self->app, self);
  return self;
}

WlyAccount *
wly_account_ref (WlyAccount *self)
{
  g_ref_count_inc (&self->ref_count);
  return self;
}

void
wly_account_unref (WlyAccount *self)
{
  if (self == NULL || !g_ref_count_dec (&self->ref_count))
    return;
  g_hash_table_remove (wly_accounts_get_table (self->all), self->app);
  wly_accounts_unref (self->all);
  g_free (self->app);
  g_free (self);
}

const char *
wly_account_get_app (WlyAccount *self)
{
  return self->app;
}

guint64
wly_account_get_salt (WlyAccount *self)
{
  return self->salt;
}

guint32
wly_account_get_weight (WlyAccount *self)
{
  return WEIGHT;
}

gboolean
wly_account_take_object (WlyAccount *self, GError **error)
{
  return wly_accounts_take (self->all, WLY_ACCOUNTS_OBJECTS, &self->n_objects, error);
}

void
wly_account_give_object (WlyAccount *self)
{
  wly_accounts_give (self->all, WLY_ACCOUNTS_OBJECTS, &self->n_objects);
}

gboolean
wly_account_take_request (WlyAccount *self, GError **error)
{
  return wly_accounts_take (self->all, WLY_ACCOUNTS_REQUESTS, &self->n_requests, error);
}

void
wly_account_give_request (WlyAccount *self)
{
  wly_accounts_give (self->all, WLY_ACCOUNTS_REQUESTS, &self->n_requests);
}
