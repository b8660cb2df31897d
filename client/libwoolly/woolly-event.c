/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "woolly-event-private.h"

#include "woolly-error-private.h"

#include "introspection/woolly-stream.h"

/**
 * WoollyEvent:
 *
 * One thing that a generation says: a piece of text, progress, or the end.
 */
struct _WoollyEvent {
  WoollyEventKind kind;
  char *text;
  GVariant *values;
};

G_DEFINE_BOXED_TYPE (WoollyEvent, woolly_event, woolly_event_ref, woolly_event_unref)

/**
 * woolly_event_ref:
 * @self: an event
 *
 * Takes a reference.
 *
 * Returns: (transfer full): the event
 */
WoollyEvent *
woolly_event_ref (WoollyEvent *self)
{
  return g_atomic_rc_box_acquire (self);
}

static void
event_clear (gpointer data)
{
  WoollyEvent *self = data;

  g_free (self->text);
  g_clear_pointer (&self->values, g_variant_unref);
}

/**
 * woolly_event_unref:
 * @self: (transfer full): an event
 *
 * Gives a reference back.
 */
void
woolly_event_unref (WoollyEvent *self)
{
  g_atomic_rc_box_release_full (self, event_clear);
}

/**
 * woolly_event_get_kind:
 * @self: an event
 *
 * What the event says.
 *
 * Returns: the kind
 */
WoollyEventKind
woolly_event_get_kind (WoollyEvent *self)
{
  return self->kind;
}

/**
 * woolly_event_get_text:
 * @self: an event
 *
 * The text of [enum@Woolly.EventKind.TEXT] and [enum@Woolly.EventKind.REASONING]: whole characters, to be appended to
 * what came before.
 *
 * Returns: (nullable) (transfer none): the text
 */
const char *
woolly_event_get_text (WoollyEvent *self)
{
  return self->text;
}

/**
 * woolly_event_get_values:
 * @self: an event
 *
 * All that the other kinds say, with the keys that the interface's documentation lists.
 *
 * Returns: (nullable) (transfer none): a dictionary of type `a{sv}`
 */
GVariant *
woolly_event_get_values (WoollyEvent *self)
{
  return self->values;
}

static guint64
get_number (GVariant *values, const char *key)
{
  g_autoptr (GVariant) value = g_variant_lookup_value (values, key, NULL);

  if (value == NULL)
    return 0;
  if (g_variant_is_of_type (value, G_VARIANT_TYPE_UINT64))
    return g_variant_get_uint64 (value);
  return g_variant_is_of_type (value, G_VARIANT_TYPE_UINT32) ? g_variant_get_uint32 (value) : 0;
}

/**
 * woolly_event_get_progress:
 * @self: an event
 * @ret_done: (out) (optional): how much is done, in bytes or tokens
 * @ret_total: (out) (optional): how much there is to do
 *
 * The figures of [enum@Woolly.EventKind.LOAD] and [enum@Woolly.EventKind.PREFILL].
 *
 * Returns: whether the event tells of progress
 */
gboolean
woolly_event_get_progress (WoollyEvent *self, guint64 *ret_done, guint64 *ret_total)
{
  gboolean tells = self->kind == WOOLLY_EVENT_LOAD || self->kind == WOOLLY_EVENT_PREFILL;

  if (ret_done != NULL)
    *ret_done = tells ? get_number (self->values, "done") : 0;
  if (ret_total != NULL)
    *ret_total = tells ? get_number (self->values, "total") : 0;
  return tells;
}

/**
 * woolly_event_get_reason:
 * @self: an event
 *
 * Why the text ends, for [enum@Woolly.EventKind.END]: `stop`, `length` or `context`.
 *
 * Returns: (nullable) (transfer none): a word
 */
const char *
woolly_event_get_reason (WoollyEvent *self)
{
  const char *reason = NULL;

  if (self->kind == WOOLLY_EVENT_END)
    g_variant_lookup (self->values, "reason", "&s", &reason);
  return reason;
}

static GVariant *
read_values (guint type, const guint8 *payload, gsize n_bytes, GError **error)
{
  g_autoptr (GBytes) bytes    = g_bytes_new (payload, n_bytes);
  g_autoptr (GVariant) values = g_variant_ref_sink (g_variant_new_from_bytes (G_VARIANT_TYPE_VARDICT, bytes, FALSE));

  if (G_BYTE_ORDER == G_BIG_ENDIAN) {
    GVariant *swapped = g_variant_byteswap (values);

    g_variant_unref (values);
    values = swapped;
  }
  if (!g_variant_is_normal_form (values)) {
    g_set_error (error, WOOLLY_ERROR, WOOLLY_ERROR_FAILED, "The stream has a damaged frame of type %u", type);
    return NULL;
  }
  return g_steal_pointer (&values);
}

WoollyEvent *
woolly_event_new_from_frame (guint type, const guint8 *payload, gsize n_bytes, GError **error)
{
  g_autoptr (GVariant) values = NULL;
  const char *name            = "";
  const char *message         = "";
  WoollyEvent *self;

  if (type < WOOLLY_FRAME_TEXT || type > WOOLLY_FRAME_ERROR)
    return NULL;

  if (type == WOOLLY_FRAME_TEXT || type == WOOLLY_FRAME_REASONING) {
    if (!g_utf8_validate_len ((const char *)payload, n_bytes, NULL)) {
      g_set_error_literal (error, WOOLLY_ERROR, WOOLLY_ERROR_FAILED, "The stream has a text that is not UTF-8");
      return NULL;
    }
    self       = g_atomic_rc_box_new0 (WoollyEvent);
    self->kind = (WoollyEventKind)type;
    self->text = g_strndup ((const char *)payload, n_bytes);
    return self;
  }

  values = read_values (type, payload, n_bytes, error);
  if (values == NULL)
    return NULL;
  if (type == WOOLLY_FRAME_ERROR) {
    g_variant_lookup (values, "name", "&s", &name);
    g_variant_lookup (values, "message", "&s", &message);
    g_propagate_error (error, woolly_error_new_from_name (name, message));
    return NULL;
  }
  self         = g_atomic_rc_box_new0 (WoollyEvent);
  self->kind   = (WoollyEventKind)type;
  self->values = g_steal_pointer (&values);
  return self;
}
