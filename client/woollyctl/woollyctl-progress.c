/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "woollyctl-progress.h"

#include "woollyctl-output.h"

#include <stdio.h>

#define BAR_CELLS 24

static gboolean shown;

void
woollyctl_progress_show (const char *words, guint64 done, guint64 total)
{
  char bar[BAR_CELLS + 1];
  double share = total > 0 ? (double)MIN (done, total) / (double)total : 0;

  if (!woollyctl_output_has_terminal ())
    return;
  for (int i = 0; i < BAR_CELLS; i++)
    bar[i] = i < (int)(share * BAR_CELLS) ? '#' : '.';
  bar[BAR_CELLS] = '\0';
  if (total > 0)
    fprintf (stderr, "\r\033[K%s [%s] %3d %%", words, bar, (int)(share * 100));
  else
    fprintf (stderr, "\r\033[K%s", words);
  fflush (stderr);
  shown = TRUE;
}

void
woollyctl_progress_clear (void)
{
  if (!shown)
    return;
  fputs ("\r\033[K", stderr);
  fflush (stderr);
  shown = FALSE;
}
