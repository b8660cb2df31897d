/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The settings of woollyd: keyfiles with drop-ins, checked against introspection/woolly-settings.def.
 *
 * Read in this order, later ones win: woollyd.conf and woollyd.conf.d/ *.conf of $datadir/woolly, of $sysconfdir/woolly
 * and of $XDG_CONFIG_HOME/woolly.  A file that is given by --config or WOOLLY_CONFIG is read instead of all of them.  A
 * key that is unknown or out of range is left out with a warning that names file and key; it never keeps the service
 * down.
 */
#pragma once

#include <glib-object.h>

G_BEGIN_DECLS

typedef struct {
  const char *group;
  const char *key; /* "*": any */
  const char *type;
  double minimum;
  double maximum;
  const char *default_text;
  const char *documentation;
} WlySettingRow;

/* All rows; @ret_n may not be NULL. */
const WlySettingRow *wly_settings_table (gsize *ret_n);

#define WLY_TYPE_SETTINGS (wly_settings_get_type ())
G_DECLARE_FINAL_TYPE (WlySettings, wly_settings, WLY, SETTINGS, GObject)

/* Defaults only, until wly_settings_load(). */
WlySettings *wly_settings_new (void);

/* Reads the files; @file: NULL, or the only file to read.  What was there before is forgotten.  Emits "changed".
 * (transfer full): the warnings, NULL-terminated, one text for each. */
char **wly_settings_load (WlySettings *settings, const char *file);

/* The same from these folders; for wly_settings_load() and for tests. */
char **wly_settings_load_folders (WlySettings *settings, const char *const *folders);

/* Sets one value as a file would; FALSE and WLY_ERROR_INVALID_ARGS where the table does not allow it. */
gboolean wly_settings_set (WlySettings *settings, const char *group, const char *key, const char *text, GError **error);

/* The key must be in the table and of that type. */
guint32 wly_settings_get_uint32 (WlySettings *settings, const char *group, const char *key);
guint64 wly_settings_get_uint64 (WlySettings *settings, const char *group, const char *key);
const char *wly_settings_get_string (WlySettings *settings, const char *group, const char *key);
char **wly_settings_dup_strv (WlySettings *settings, const char *group, const char *key);

/* The model of a use-case, NULL where it is not mapped. */
const char *wly_settings_get_use_case (WlySettings *settings, const char *use_case);

/* a{sv} of "group.key", every row with its value in force; floating. */
GVariant *wly_settings_to_variant (WlySettings *settings);

/* The user's model folder. (transfer full) */
char *wly_settings_dup_models_directory (WlySettings *settings);

G_END_DECLS
