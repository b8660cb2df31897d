/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "plugin-host.h"
#include "plugin-note.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static gboolean refuse (WlyPluginFile *file, const char *format, ...) G_GNUC_PRINTF (2, 3);

static gboolean
refuse (WlyPluginFile *file, const char *format, ...)
{
  va_list args;

  g_free (file->reason);
  va_start (args, format);
  file->reason = g_strdup_vprintf (format, args);
  va_end (args);
  file->usable = FALSE;
  return FALSE;
}

/* ---- before anything of it is run ---- */

/* Code that somebody else can put there is not run. */
static gboolean
check_owner (WlyPluginFile *file, const struct stat *status)
{
  if (!S_ISREG (status->st_mode))
    return refuse (file, "it is not a regular file");
  if (status->st_uid != 0 && status->st_uid != geteuid ())
    return refuse (file, "it belongs to user %u, neither to root nor to this user", (guint)status->st_uid);
  if ((status->st_mode & S_IWOTH) != 0)
    return refuse (file, "everybody may write to it");
  return TRUE;
}

static gboolean
check_note (WlyPluginFile *file, const struct wlp_note *note)
{
  g_free (file->name);
  file->name = g_strdup (note->name);
  file->kind = note->kind;
  if (note->abi_major != WLP_ABI_MAJOR || note->abi_minor > WLP_ABI_MINOR)
    return refuse (file, "it wants version %u.%u of the plugin interface; this is %u.%u", note->abi_major,
                   note->abi_minor, WLP_ABI_MAJOR, WLP_ABI_MINOR);
  if (note->kind != WLP_KIND_ARCH && note->kind != WLP_KIND_BACKEND)
    return refuse (file, "it is of unknown kind %u", note->kind);
  return TRUE;
}

static gboolean
inspect (WlyPluginFile *file)
{
  g_autofree char *reason = NULL;
  struct wlp_note note    = { 0 };
  struct stat status;
  gboolean is_read;
  int fd = open (file->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

  if (fd < 0)
    return refuse (file, "it cannot be opened: %m");
  if (fstat (fd, &status) < 0 || !check_owner (file, &status)) {
    close (fd);
    return FALSE;
  }
  is_read = wly_plugin_note_read (fd, &note, &reason);
  close (fd);
  return is_read ? check_note (file, &note) : refuse (file, "%s", reason);
}

static char *
stem_of (const char *path)
{
  g_autofree char *base = g_path_get_basename (path);
  char *dot             = strrchr (base, '.');

  if (dot != NULL && dot != base)
    *dot = '\0';
  return g_steal_pointer (&base);
}

WlyPluginFile *
wly_plugin_file_new (const char *path)
{
  WlyPluginFile *file = g_new0 (WlyPluginFile, 1);

  file->path   = g_canonicalize_filename (path, NULL);
  file->name   = stem_of (path);
  file->usable = TRUE;
  inspect (file);
  return file;
}

void
wly_plugin_file_free (WlyPluginFile *file)
{
  if (file == NULL)
    return;
  g_free (file->path);
  g_free (file->name);
  g_free (file->reason);
  g_free (file);
}

/* ---- opening ---- */

static gboolean
check_arch (WlyPluginFile *file, const struct wlp_arch_ops *ops)
{
  if (ops->version < 1 || ops->architectures == NULL || ops->architectures[0] == NULL || ops->describe == NULL)
    return refuse (file, "its table of functions is not complete");
  return TRUE;
}

static gboolean
check_backend (WlyPluginFile *file, const struct wlp_backend_ops *ops)
{
  if (ops->version < 1 || ops->open == NULL || ops->close == NULL || ops->device == NULL || ops->supports == NULL
      || ops->plan == NULL || ops->model_free == NULL || ops->model_memory == NULL || ops->cache_create == NULL
      || ops->cache_free == NULL || ops->cache_block_bytes == NULL || ops->cache_copy == NULL
      || ops->cache_discard == NULL || ops->cache_export == NULL || ops->cache_import == NULL || ops->submit == NULL
      || ops->wait == NULL)
    return refuse (file, "its table of functions is not complete");
  return TRUE;
}

static gboolean
check_plugin (WlyPluginFile *file, const struct wlp_plugin *plugin)
{
  if (plugin == NULL || plugin->version < 1 || plugin->name == NULL || plugin->ops == NULL)
    return refuse (file, "it offers nothing");
  if (plugin->kind != file->kind || strcmp (plugin->name, file->name) != 0)
    return refuse (file, "it calls itself %s of kind %u, but its note says %s of kind %u", plugin->name, plugin->kind,
                   file->name, file->kind);
  return plugin->kind == WLP_KIND_ARCH ? check_arch (file, plugin->ops) : check_backend (file, plugin->ops);
}

gboolean
wly_plugin_file_open (WlyPluginFile *file)
{
  wlp_plugin_enum_fn enumerate;
  const struct wlp_plugin *plugin;
  void *object;

  if (!file->usable || file->plugin != NULL)
    return file->usable;
  object = dlopen (file->path, RTLD_NOW | RTLD_LOCAL);
  if (object == NULL)
    return refuse (file, "it cannot be loaded: %s", dlerror ());
  enumerate = (wlp_plugin_enum_fn)dlsym (object, WLP_PLUGIN_SYMBOL);
  if (enumerate == NULL)
    return refuse (file, "it has no symbol %s", WLP_PLUGIN_SYMBOL);
  plugin = enumerate (0);
  if (!check_plugin (file, plugin))
    return FALSE;
  file->plugin = plugin;
  return TRUE;
}
