/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "woolly-job-private.h"

#include "woolly-call.h"
#include "woolly-error-private.h"
#include "woolly-remote.h"
#include "woolly-sync.h"
#include "woolly-values.h"

#include "introspection/woolly-names.h"

/**
 * WoollyJob:
 *
 * An import or a download. It goes on when this program ends.
 */
struct _WoollyJob {
  GObject parent_instance;

  WoollyRemote *remote;
  WoollyValues *values;
};

G_DEFINE_FINAL_TYPE (WoollyJob, woolly_job, G_TYPE_OBJECT)

/**
 * WoollyJob:kind:
 *
 * `import` or `pull`.
 */
/**
 * WoollyJob:state:
 *
 * `running`, `done`, `cancelled` or `failed`.
 */
/**
 * WoollyJob:model:
 *
 * Object path of the model that came of it; `/` until then.
 */
static const WoollyValueSpec specs[] = {
  { "Kind", "s", "kind" },      { "State", "s", "state" }, { "Model", "o", "model" },
  { "Progress", "(tt)", NULL }, { "Error", "(ss)", NULL },
};

static void
woolly_job_get_gobject_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  woolly_values_get_property (WOOLLY_JOB (object)->values, id, value);
}

static void
woolly_job_finalize (GObject *object)
{
  WoollyJob *self = WOOLLY_JOB (object);

  g_clear_pointer (&self->values, woolly_values_free);
  g_clear_pointer (&self->remote, woolly_remote_unref);
  G_OBJECT_CLASS (woolly_job_parent_class)->finalize (object);
}

static void
woolly_job_class_init (WoollyJobClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->finalize     = woolly_job_finalize;
  object_class->get_property = woolly_job_get_gobject_property;
  woolly_values_install_properties (object_class, specs, G_N_ELEMENTS (specs));
}

static void
woolly_job_init (WoollyJob *self)
{
}

WoollyJob *
woolly_job_new (WoollyBus *bus, const char *path)
{
  WoollyJob *self = g_object_new (WOOLLY_TYPE_JOB, NULL);

  self->remote = woolly_remote_new (bus, path, WOOLLY_INTERFACE_JOB, NULL);
  self->values = woolly_values_new (bus, path, WOOLLY_INTERFACE_JOB, specs, G_N_ELEMENTS (specs), G_OBJECT (self));
  return self;
}

/**
 * woolly_job_get_state:
 * @self: a job
 *
 * See [property@Woolly.Job:state].
 *
 * Returns: (transfer none): a word
 */
const char *
woolly_job_get_state (WoollyJob *self)
{
  g_return_val_if_fail (WOOLLY_IS_JOB (self), NULL);

  return woolly_values_get_string (self->values, "State");
}

/**
 * woolly_job_get_progress:
 * @self: a job
 * @ret_done: (out) (optional): bytes that are done
 * @ret_total: (out) (optional): bytes that there are, 0 where it is not known
 *
 * How far it is.
 */
void
woolly_job_get_progress (WoollyJob *self, guint64 *ret_done, guint64 *ret_total)
{
  guint64 done  = 0;
  guint64 total = 0;
  GVariant *value;

  g_return_if_fail (WOOLLY_IS_JOB (self));

  value = woolly_values_get (self->values, "Progress");
  if (value != NULL)
    g_variant_get (value, "(tt)", &done, &total);
  if (ret_done != NULL)
    *ret_done = done;
  if (ret_total != NULL)
    *ret_total = total;
}

/**
 * woolly_job_get_model:
 * @self: a job
 *
 * See [property@Woolly.Job:model].
 *
 * Returns: (transfer none): an object path
 */
const char *
woolly_job_get_model (WoollyJob *self)
{
  g_return_val_if_fail (WOOLLY_IS_JOB (self), NULL);

  return woolly_values_get_string (self->values, "Model");
}

/**
 * woolly_job_dup_error:
 * @self: a job
 *
 * Why it failed.
 *
 * Returns: (transfer full) (nullable): an error, or %NULL where it did not
 */
GError *
woolly_job_dup_error (WoollyJob *self)
{
  const char *name    = "";
  const char *message = "";
  GVariant *value;

  g_return_val_if_fail (WOOLLY_IS_JOB (self), NULL);

  value = woolly_values_get (self->values, "Error");
  if (value != NULL)
    g_variant_get (value, "(&s&s)", &name, &message);
  return *name != '\0' ? woolly_error_new_from_name (name, message) : NULL;
}

/**
 * woolly_job_release:
 * @self: a job
 *
 * Makes the service forget a finished job.
 */
void
woolly_job_release (WoollyJob *self)
{
  g_return_if_fail (WOOLLY_IS_JOB (self));

  woolly_call_forget (self->remote->bus, self->remote->path, WOOLLY_INTERFACE_JOB, "Release");
}

/**
 * woolly_job_cancel_async:
 * @self: a job
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async): called when it is done
 * @user_data: for the callback
 *
 * Ends it and removes what is not whole.
 */
void
woolly_job_cancel_async (WoollyJob *self, GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data)
{
  GTask *task;

  g_return_if_fail (WOOLLY_IS_JOB (self));

  task = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (task, woolly_job_cancel_async);
  woolly_call (self->remote->bus, self->remote->path, WOOLLY_INTERFACE_JOB, "Cancel", NULL, "()", NULL,
               WOOLLY_CALL_NO_AUTO_START, task);
}

/**
 * woolly_job_cancel_finish:
 * @self: a job
 * @result: what the callback got
 * @error: return location
 *
 * Ends [method@Woolly.Job.cancel_async].
 *
 * Returns: whether the service took it
 */
gboolean
woolly_job_cancel_finish (WoollyJob *self, GAsyncResult *result, GError **error)
{
  g_autoptr (WoollyReply) reply = NULL;

  g_return_val_if_fail (g_task_is_valid (result, self), FALSE);

  reply = g_task_propagate_pointer (G_TASK (result), error);
  return reply != NULL;
}

/**
 * woolly_job_cancel:
 * @self: a job
 * @cancellable: (nullable): a cancellable
 * @error: return location
 *
 * As [method@Woolly.Job.cancel_async], blocking the thread.
 *
 * Returns: whether the service took it
 */
gboolean
woolly_job_cancel (WoollyJob *self, GCancellable *cancellable, GError **error)
{
  g_auto (WoollySync) sync = WOOLLY_SYNC_INIT;

  g_return_val_if_fail (WOOLLY_IS_JOB (self), FALSE);

  woolly_sync_begin (&sync);
  woolly_job_cancel_async (self, cancellable, woolly_sync_cb, &sync);
  return woolly_job_cancel_finish (self, woolly_sync_wait (&sync), error);
}

/**
 * woolly_job_refresh_async:
 * @self: a job
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async): called when it is done
 * @user_data: for the callback
 *
 * Reads the properties anew.
 */
void
woolly_job_refresh_async (WoollyJob *self, GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data)
{
  GTask *task;

  g_return_if_fail (WOOLLY_IS_JOB (self));

  task = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (task, woolly_job_refresh_async);
  woolly_values_refresh (self->values, FALSE, task);
}

/**
 * woolly_job_refresh_finish:
 * @self: a job
 * @result: what the callback got
 * @error: return location
 *
 * Ends [method@Woolly.Job.refresh_async].
 *
 * Returns: whether they were read
 */
gboolean
woolly_job_refresh_finish (WoollyJob *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), FALSE);

  return g_task_propagate_boolean (G_TASK (result), error);
}

/**
 * woolly_job_refresh:
 * @self: a job
 * @cancellable: (nullable): a cancellable
 * @error: return location
 *
 * As [method@Woolly.Job.refresh_async], blocking the thread.
 *
 * Returns: whether they were read
 */
gboolean
woolly_job_refresh (WoollyJob *self, GCancellable *cancellable, GError **error)
{
  g_auto (WoollySync) sync = WOOLLY_SYNC_INIT;

  g_return_val_if_fail (WOOLLY_IS_JOB (self), FALSE);

  woolly_sync_begin (&sync);
  woolly_job_refresh_async (self, cancellable, woolly_sync_cb, &sync);
  return woolly_job_refresh_finish (self, woolly_sync_wait (&sync), error);
}
