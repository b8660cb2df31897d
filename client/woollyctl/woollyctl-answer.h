/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A generation on its way to a person: the text as it comes, progress beside it, Ctrl-C.
 */
#pragma once

#include "woollyctl-cmds.h"

#include <glib.h>
#include <woolly.h>

G_BEGIN_DECLS

typedef struct {
  GString *text;      /* what came; NULL unless it is wanted */
  GString *reasoning; /* the same of the thoughts before it */
  GPtrArray *calls;   /* GVariant: frames of calls of tools */
  GVariant *result;   /* scope RESULT; NULL where the service told none */
  GError *error;      /* why it ended early */
} WoollyctlAnswer;

/* Reads to the end.  Prints the text as it comes, or keeps it in @answer where @keep is set. */
void woollyctl_answer_read (WoollyctlAnswer *answer, WoollyGeneration *generation, gboolean keep);
void woollyctl_answer_clear (WoollyctlAnswer *answer);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (WoollyctlAnswer, woollyctl_answer_clear)

/* Reads to the end and prints: the text as it comes, or all of it as one object where @json is set. */
WoollyctlExit woollyctl_answer_print (WoollyGeneration *generation, gboolean json);

G_END_DECLS
