/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

#include <woolly-version.h>

G_BEGIN_DECLS

/**
 * WoollyEventKind:
 * @WOOLLY_EVENT_TEXT: more of the answer
 * @WOOLLY_EVENT_REASONING: more of what the model thinks before it answers
 * @WOOLLY_EVENT_TOOL_CALL: the model wants a tool called
 * @WOOLLY_EVENT_QUEUE: requests that come first
 * @WOOLLY_EVENT_LOAD: how far the model is loaded
 * @WOOLLY_EVENT_PREFILL: how far the prompt is read
 * @WOOLLY_EVENT_USAGE: counts and times
 * @WOOLLY_EVENT_END: nothing comes after this
 *
 * What an event says. A later version of the library may know more kinds.
 */
typedef enum {
  WOOLLY_EVENT_TEXT      = 1,
  WOOLLY_EVENT_REASONING = 2,
  WOOLLY_EVENT_TOOL_CALL = 3,
  WOOLLY_EVENT_QUEUE     = 4,
  WOOLLY_EVENT_LOAD      = 5,
  WOOLLY_EVENT_PREFILL   = 6,
  WOOLLY_EVENT_USAGE     = 7,
  WOOLLY_EVENT_END       = 8,
} WoollyEventKind;

#define WOOLLY_TYPE_EVENT (woolly_event_get_type ())
typedef struct _WoollyEvent WoollyEvent;

WOOLLY_AVAILABLE_IN_ALL
GType woolly_event_get_type (void);

WOOLLY_AVAILABLE_IN_ALL
WoollyEvent *woolly_event_ref (WoollyEvent *self);
WOOLLY_AVAILABLE_IN_ALL
void woolly_event_unref (WoollyEvent *self);

WOOLLY_AVAILABLE_IN_ALL
WoollyEventKind woolly_event_get_kind (WoollyEvent *self);
WOOLLY_AVAILABLE_IN_ALL
const char *woolly_event_get_text (WoollyEvent *self);
WOOLLY_AVAILABLE_IN_ALL
GVariant *woolly_event_get_values (WoollyEvent *self);
WOOLLY_AVAILABLE_IN_ALL
gboolean woolly_event_get_progress (WoollyEvent *self, guint64 *ret_done, guint64 *ret_total);
WOOLLY_AVAILABLE_IN_ALL
const char *woolly_event_get_reason (WoollyEvent *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (WoollyEvent, woolly_event_unref)

G_END_DECLS
