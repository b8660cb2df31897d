/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wly-account.h"

#include "wly-error.h"

#include <sys/random.h>

#define WEIGHT 100

struct WlyAccounts {
  grefcount ref_count;
  WlySettings *settings;
  GHashTable *salts; /* app -> guint64* */
  guint n_objects;
  guint n_requests;
};

struct WlyAccount {
  grefcount ref_count;
  WlyAccounts *all;
  char *app;
  guint64 salt;
  guint n_objects;
  guint n_requests;
};

WlyAccounts *
wly_accounts_new (WlySettings *settings)
{
  WlyAccounts *self = g_new0 (WlyAccounts, 1);

  g_ref_count_init (&self->ref_count);
  self->settings = g_object_ref (settings);
  self->salts    = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  return self;
}

void
wly_accounts_unref (WlyAccounts *self)
{
  if (self == NULL || !g_ref_count_dec (&self->ref_count))
    return;
  g_hash_table_unref (self->salts);
  g_object_unref (self->settings);
  g_free (self);
}

guint
wly_accounts_get_n_objects (WlyAccounts *self)
{
  return self->n_objects;
}

guint
wly_accounts_get_n_requests (WlyAccounts *self)
{
  return self->n_requests;
}

static guint64
salt_of_app (WlyAccounts *self, const char *app)
{
  guint64 *salt = g_hash_table_lookup (self->salts, app);

  if (salt == NULL) {
    salt = g_new (guint64, 1);
    if (getrandom (salt, sizeof *salt, 0) != (ssize_t)sizeof *salt)
      *salt = (guint64)g_random_int () << 32 | g_random_int ();
    g_hash_table_insert (self->salts, g_strdup (app), salt);
  }
  return *salt;
}

WlyAccount *
wly_account_new (WlyAccounts *accounts, const char *app)
{
  WlyAccount *self = g_new0 (WlyAccount, 1);

  g_ref_count_init (&self->ref_count);
  g_ref_count_inc (&accounts->ref_count);
  self->all  = accounts;
  self->app  = g_strdup (app);
  self->salt = salt_of_app (accounts, app);
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

static gboolean
take (WlyAccount *self, guint *own, guint *all, const char *own_key, const char *all_key, const char *what,
      GError **error)
{
  guint32 own_limit = wly_settings_get_uint32 (self->all->settings, "limits", own_key);
  guint32 all_limit = wly_settings_get_uint32 (self->all->settings, "limits", all_key);

  if (*own >= own_limit) {
    g_set_error (error, WLY_ERROR, WLY_ERROR_BUSY, "this caller has %u %s, which is as many as it may", *own, what);
    return FALSE;
  }
  if (*all >= all_limit) {
    g_set_error (error, WLY_ERROR, WLY_ERROR_BUSY, "the service has %u %s, which is as many as it takes", *all, what);
    return FALSE;
  }
  *own += 1;
  *all += 1;
  return TRUE;
}

static void
give (guint *own, guint *all)
{
  g_assert (*own > 0 && *all > 0);
  *own -= 1;
  *all -= 1;
}

gboolean
wly_account_take_object (WlyAccount *self, GError **error)
{
  return take (self, &self->n_objects, &self->all->n_objects, "objects-per-caller", "objects", "objects", error);
}

void
wly_account_give_object (WlyAccount *self)
{
  give (&self->n_objects, &self->all->n_objects);
}

gboolean
wly_account_take_request (WlyAccount *self, GError **error)
{
  return take (self, &self->n_requests, &self->all->n_requests, "requests-per-caller", "requests",
               "unfinished requests", error);
}

void
wly_account_give_request (WlyAccount *self)
{
  give (&self->n_requests, &self->all->n_requests);
}
