/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "woolly-hold-private.h"

#include <unistd.h>

/**
 * WoollyHold:
 *
 * Keeps a model in memory, for as long as it, or a copy of its descriptor, is there.
 */
struct _WoollyHold {
  GObject parent_instance;

  int fd;
};

G_DEFINE_FINAL_TYPE (WoollyHold, woolly_hold, G_TYPE_OBJECT)

static void
woolly_hold_finalize (GObject *object)
{
  woolly_hold_release (WOOLLY_HOLD (object));
  G_OBJECT_CLASS (woolly_hold_parent_class)->finalize (object);
}

static void
woolly_hold_class_init (WoollyHoldClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = woolly_hold_finalize;
}

static void
woolly_hold_init (WoollyHold *self)
{
  self->fd = -1;
}

WoollyHold *
woolly_hold_new (int fd)
{
  WoollyHold *self = g_object_new (WOOLLY_TYPE_HOLD, NULL);

  self->fd = fd;
  return self;
}

/**
 * woolly_hold_get_fd:
 * @self: a hold
 *
 * The descriptor whose copies keep the model, to be handed to another process.
 *
 * Returns: a descriptor that belongs to the hold, or -1 after [method@Woolly.Hold.release]
 */
int
woolly_hold_get_fd (WoollyHold *self)
{
  g_return_val_if_fail (WOOLLY_IS_HOLD (self), -1);

  return self->fd;
}

/**
 * woolly_hold_release:
 * @self: a hold
 *
 * Lets go. Dropping the last reference does the same.
 */
void
woolly_hold_release (WoollyHold *self)
{
  g_return_if_fail (WOOLLY_IS_HOLD (self));

  if (self->fd >= 0)
    close (self->fd);
  self->fd = -1;
}
