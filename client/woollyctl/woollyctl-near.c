/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "woollyctl-near.h"

#include <string.h>

#define MAX_LENGTH 32

/* Letters to insert, to leave out or to change. */
static guint
distance (const char *a, const char *b)
{
  guint row[MAX_LENGTH + 1];
  gsize n_a = strlen (a);
  gsize n_b = strlen (b);

  if (n_a > MAX_LENGTH || n_b > MAX_LENGTH)
    return G_MAXUINT;
  for (gsize j = 0; j <= n_b; j++)
    row[j] = (guint)j;
  for (gsize i = 1; i <= n_a; i++) {
    guint corner = row[0];

    row[0] = (guint)i;
    for (gsize j = 1; j <= n_b; j++) {
      guint above = row[j];

      row[j] = MIN (MIN (row[j] + 1, row[j - 1] + 1), corner + (a[i - 1] != b[j - 1]));
      corner = above;
    }
  }
  return row[n_b];
}

const char *
woollyctl_near (const char *name, const char *const *words)
{
  const char *best = NULL;
  guint best_score = (guint)MIN (strlen (name), MAX_LENGTH) / 2 + 1;

  for (gsize i = 0; words[i] != NULL; i++) {
    guint score = distance (name, words[i]);

    if (score < best_score) {
      best       = words[i];
      best_score = score;
    }
  }
  return best;
}
