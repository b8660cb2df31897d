/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A generation on its way to a person: the text as it comes, progress beside it, Ctrl-C.
 */
#pragma once

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

/* The text and the result as one dictionary; floating. */
GVariant *woollyctl_answer_to_dictionary (WoollyctlAnswer *answer);

G_END_DECLS
