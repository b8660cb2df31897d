/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wly-accounts.h"

#include "wly-error.h"

#include <sys/random.h>

struct WlyAccounts {
  grefcount ref_count;
  WlySettings *settings;
  GHashTable *salts; /* app -> guint64* */
  GHashTable *table;
  guint counts[2];
};

static const struct {
  const char *own_key;
  const char *all_key;
  const char *what;
} kinds[] = {
  [WLY_ACCOUNTS_OBJECTS]  = { "objects-per-caller", "objects", "objects" },
  [WLY_ACCOUNTS_REQUESTS] = { "requests-per-caller", "requests", "unfinished requests" },
};

WlyAccounts *
wly_accounts_new (WlySettings *settings)
{
  WlyAccounts *self = g_new0 (WlyAccounts, 1);

  g_ref_count_init (&self->ref_count);
  self->settings = g_object_ref (settings);
  self->salts    = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  self->table    = g_hash_table_new (g_str_hash, g_str_equal);
  return self;
}

GHashTable *
wly_accounts_get_table (WlyAccounts *self)
{
  return self->table;
}

WlyAccounts *
wly_accounts_ref (WlyAccounts *self)
{
  g_ref_count_inc (&self->ref_count);
  return self;
}

void
wly_accounts_unref (WlyAccounts *self)
{
  if (self == NULL || !g_ref_count_dec (&self->ref_count))
    return;
  g_hash_table_unref (self->salts);
  g_hash_table_unref (self->table);
  g_object_unref (self->settings);
  g_free (self);
}

gboolean
wly_accounts_take (WlyAccounts *self, WlyAccountsKind kind, guint *own, GError **error)
{
  guint *all = &self->counts[kind];

  if (*own >= wly_settings_get_uint32 (self->settings, "limits", kinds[kind].own_key)) {
    g_set_error (error, WLY_ERROR, WLY_ERROR_BUSY, "this app has %u %s, which is as many as it may", *own,
                 kinds[kind].what);
    return FALSE;
  }
  if (*all >= wly_settings_get_uint32 (self->settings, "limits", kinds[kind].all_key)) {
    g_set_error (error, WLY_ERROR, WLY_ERROR_BUSY, "the service has %u %s, which is as many as it takes", *all,
                 kinds[kind].what);
    return FALSE;
  }
  *own += 1;
  *all += 1;
  return TRUE;
}

void
wly_accounts_give (WlyAccounts *self, WlyAccountsKind kind, guint *own)
{
  g_assert (*own > 0 && self->counts[kind] > 0);
  *own -= 1;
  self->counts[kind] -= 1;
}

guint
wly_accounts_get_count (WlyAccounts *self, WlyAccountsKind kind)
{
  return self->counts[kind];
}

guint64
wly_accounts_get_salt (WlyAccounts *self, const char *app)
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
