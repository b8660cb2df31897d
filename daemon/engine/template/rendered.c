/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "template/chat-template.h"

void
wly_rendered_clear (WlyRendered *rendered)
{
  g_clear_pointer (&rendered->text, g_free);
  g_clear_pointer (&rendered->spans, g_free);
  rendered->n_bytes = rendered->n_spans = 0;
}
