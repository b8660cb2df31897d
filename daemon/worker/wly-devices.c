/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wly-devices.h"

#include "wly-error.h"
#include "wly-utf8.h"

#include <string.h>

typedef struct {
  const char *name;
  const struct wlp_backend_ops *ops;
  WlyHostServices *services;
  guint n_threads;
  struct wlp_backend *backend;
} Backend;

struct WlyDevices {
  GPtrArray *backends; /* Backend* */
};

static void
backend_close (Backend *self)
{
  if (self->backend != NULL)
    self->ops->close (self->backend);
  self->backend = NULL;
  g_clear_pointer (&self->services, wly_host_services_free);
}

static void
backend_free (gpointer data)
{
  backend_close (data);
  g_free (data);
}

static gboolean
backend_open (Backend *self, guint n_threads, GError **error)
{
  struct wlp_error fault = { { 0 } };
  int code;

  self->services  = wly_host_services_new (n_threads, 0, 0);
  self->n_threads = n_threads;
  code            = self->ops->open (wly_host_services_get (self->services), &self->backend, &fault);
  if (code == 0)
    return TRUE;
  self->backend = NULL;
  backend_close (self);
  g_set_error (error, WLY_ERROR, WLY_ERROR_FAILED, "The backend %s cannot be opened: %s", self->name,
               fault.message[0] != '\0' ? fault.message : g_strerror (-code));
  return FALSE;
}

WlyDevices *
wly_devices_new (GPtrArray *plugins)
{
  WlyDevices *devices = g_new0 (WlyDevices, 1);

  devices->backends = g_ptr_array_new_with_free_func (backend_free);
  for (guint i = 0; i < plugins->len; i++) {
    const WlyPluginFile *file = g_ptr_array_index (plugins, i);
    g_autoptr (GError) error  = NULL;
    Backend *backend;

    if (file->plugin == NULL || file->kind != WLP_KIND_BACKEND)
      continue;
    backend       = g_new0 (Backend, 1);
    backend->name = file->name;
    backend->ops  = file->plugin->ops;
    g_ptr_array_add (devices->backends, backend);
    if (!backend_open (backend, 1, &error)) {
      g_warning ("%s", error->message);
      g_ptr_array_remove (devices->backends, backend);
    }
  }
  return devices;
}

void
wly_devices_free (WlyDevices *devices)
{
  if (devices == NULL)
    return;
  g_ptr_array_unref (devices->backends);
  g_free (devices);
}

/* FALSE past the last one.  Texts come from a plugin: they are terminated here. */
static gboolean
read_device (const Backend *backend, guint index, struct wlp_device *ret_device)
{
  memset (ret_device, 0, sizeof *ret_device);
  ret_device->version = WLP_DEVICE_VERSION;
  if (backend->backend == NULL || backend->ops->device (backend->backend, index, ret_device) != 0)
    return FALSE;
  ret_device->id[sizeof ret_device->id - 1]                   = '\0';
  ret_device->description[sizeof ret_device->description - 1] = '\0';
  ret_device->features[sizeof ret_device->features - 1]       = '\0';
  return TRUE;
}

static void
insert_text (GVariantDict *dict, const char *key, const char *text)
{
  g_autofree char *valid = g_utf8_make_valid (text, -1);

  g_variant_dict_insert (dict, key, "s", valid);
}

static GVariant *
describe_device (const Backend *backend, const struct wlp_device *device)
{
  g_auto (GVariantDict) dict = G_VARIANT_DICT_INIT (NULL);

  insert_text (&dict, "id", device->id);
  insert_text (&dict, "backend", backend->name);
  insert_text (&dict, "description", device->description);
  insert_text (&dict, "features", device->features);
  g_variant_dict_insert (&dict, "score", "u", device->score);
  g_variant_dict_insert (&dict, "memory-total", "t", device->memory_total);
  g_variant_dict_insert (&dict, "memory-free", "t", device->memory_free);
  return g_variant_dict_end (&dict);
}

GVariant *
wly_devices_list (WlyDevices *devices)
{
  g_auto (GVariantBuilder) builder = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE ("aa{sv}"));
  struct wlp_device device;

  for (guint i = 0; i < devices->backends->len; i++)
    for (guint d = 0; read_device (g_ptr_array_index (devices->backends, i), d, &device); d++)
      g_variant_builder_add_value (&builder, describe_device (g_ptr_array_index (devices->backends, i), &device));
  return g_variant_builder_end (&builder);
}

/* The backend of the best device that fits @id; NULL: none. */
static Backend *
find_best (WlyDevices *devices, const char *id, guint *ret_index, struct wlp_device *ret_device)
{
  Backend *best = NULL;
  struct wlp_device device;

  for (guint i = 0; i < devices->backends->len; i++) {
    Backend *backend = g_ptr_array_index (devices->backends, i);

    for (guint d = 0; read_device (backend, d, &device); d++) {
      if ((id[0] != '\0' && !g_str_equal (id, device.id)) || (best != NULL && device.score <= ret_device->score))
        continue;
      best        = backend;
      *ret_index  = d;
      *ret_device = device;
    }
  }
  return best;
}

gboolean
wly_devices_choose (WlyDevices *devices, const char *id, guint n_threads, WlyDeviceChoice *ret_choice, GError **error)
{
  struct wlp_device device;
  guint index      = 0;
  Backend *backend = find_best (devices, id, &index, &device);

  if (backend == NULL && id[0] == '\0') {
    g_set_error_literal (error, WLY_ERROR, WLY_ERROR_NOT_FOUND,
                         "There is no device to compute on: no backend plugin could be opened");
    return FALSE;
  }
  if (backend == NULL) {
    g_set_error (error, WLY_ERROR, WLY_ERROR_NOT_FOUND,
                 "There is no device “%.*s”; “woollyctl plugins” lists those that there are", wly_utf8_shown (id), id);
    return FALSE;
  }
  if (device.score == 0) {
    g_set_error (error, WLY_ERROR, WLY_ERROR_NOT_SUPPORTED, "The device %s cannot be used on this computer", device.id);
    return FALSE;
  }
  /* its threads are made when it is opened, and how many was not known then */
  if (backend->n_threads != n_threads) {
    backend_close (backend);
    if (!backend_open (backend, n_threads, error))
      return FALSE;
  }
  ret_choice->ops     = backend->ops;
  ret_choice->backend = backend->backend;
  ret_choice->index   = index;
  g_strlcpy (ret_choice->id, device.id, sizeof ret_choice->id);
  g_strlcpy (ret_choice->features, device.features, sizeof ret_choice->features);
  return TRUE;
}
