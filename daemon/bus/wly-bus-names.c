/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wly-bus-names.h"

#include <string.h>

/* Then every other one is forgotten: those that stay tell a little less exactly. */
#define MAX_SEEN 512

struct WlyBusNames {
  GArray *seen; /* Seen, numbers and times ascending */
};

typedef struct {
  guint64 number;
  gint64 time_us;
} Seen;

WlyBusNames *
wly_bus_names_new (void)
{
  WlyBusNames *self = g_new0 (WlyBusNames, 1);

  self->seen = g_array_new (FALSE, FALSE, sizeof (Seen));
  return self;
}

void
wly_bus_names_free (WlyBusNames *self)
{
  if (self == NULL)
    return;
  g_array_unref (self->seen);
  g_free (self);
}

/* FALSE: the bus has names of another form, of which nothing can be said. */
static gboolean
parse_number (const char *name, guint64 *ret_number)
{
  const char *dot = strrchr (name, '.');

  return name[0] == ':' && dot != NULL && g_ascii_string_to_unsigned (dot + 1, 10, 0, G_MAXUINT64, ret_number, NULL);
}

void
wly_bus_names_saw (WlyBusNames *self, const char *name, gint64 now_us)
{
  Seen seen = { 0, now_us };

  if (!parse_number (name, &seen.number)
      || (self->seen->len > 0 && seen.number <= g_array_index (self->seen, Seen, self->seen->len - 1).number))
    return;
  if (self->seen->len >= MAX_SEEN)
    for (guint i = 0; i < self->seen->len; i++)
      g_array_remove_index (self->seen, i);
  g_array_append_val (self->seen, seen);
}

gint64
wly_bus_names_latest_us (WlyBusNames *self, const char *name)
{
  guint64 number;

  if (!parse_number (name, &number))
    return G_MAXINT64;
  for (guint i = 0; i < self->seen->len; i++)
    if (g_array_index (self->seen, Seen, i).number > number)
      return g_array_index (self->seen, Seen, i).time_us;
  return G_MAXINT64;
}
