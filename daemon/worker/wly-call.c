/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wly-call.h"

#include "wly-error.h"

#include <sys/stat.h>

void
wly_call_init (WlyCall *call, WlyWorker *worker, GDBusMethodInvocation *invocation, GUnixFDList *fd_list)
{
  call->worker     = worker;
  call->invocation = g_object_ref (invocation);
  call->fd_list    = fd_list != NULL ? g_object_ref (fd_list) : NULL;
}

void
wly_call_clear (WlyCall *call)
{
  g_clear_object (&call->invocation);
  g_clear_object (&call->fd_list);
  g_clear_error (&call->error);
}

static int
fd_of (const WlyCall *call, gint32 handle)
{
  const int *fds;
  gint n = 0;

  if (call->fd_list == NULL)
    return -1;
  fds = g_unix_fd_list_peek_fds (call->fd_list, &n);
  return handle >= 0 && handle < n ? fds[handle] : -1;
}

int
wly_call_fd (const WlyCall *call, GVariant *handle)
{
  return fd_of (call, g_variant_get_handle (handle));
}

gsize
wly_call_n_text_bytes (int body_fd, gsize n_fds)
{
  struct stat status;

  if (n_fds > 0 || fstat (body_fd, &status) != 0 || status.st_size < 0)
    return G_MAXSIZE;
  return (gsize)status.st_size;
}

int *
wly_call_fds (const WlyCall *call, GVariant *handles, gsize *ret_n, GError **error)
{
  gsize n             = 0;
  const gint32 *array = g_variant_get_fixed_array (handles, &n, sizeof (gint32));
  g_autofree int *fds = g_new (int, n + 1);

  for (gsize i = 0; i < n; i++) {
    fds[i] = fd_of (call, array[i]);
    if (fds[i] < 0) {
      g_set_error (error, WLY_ERROR, WLY_ERROR_INVALID_ARGS, "Handle %d came without a descriptor", array[i]);
      return NULL;
    }
  }
  *ret_n = n;
  return g_steal_pointer (&fds);
}
