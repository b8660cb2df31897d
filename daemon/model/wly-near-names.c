/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wly-near-names.h"

#include <string.h>

#define MAX_NAMES      3
#define MAX_NAME_BYTES 128 /* longer ones are not measured */

typedef struct {
  const char *name;
  guint distance;
} Candidate;

/* Changes of one byte that make one text of the other; @n_a and @n_b are at most MAX_NAME_BYTES. */
static guint
edit_distance (const char *a, gsize n_a, const char *b, gsize n_b)
{
  guint row[MAX_NAME_BYTES + 1];

  for (gsize j = 0; j <= n_b; j++)
    row[j] = (guint)j;
  for (gsize i = 1; i <= n_a; i++) {
    guint diagonal = row[0];
    row[0]         = (guint)i;
    for (gsize j = 1; j <= n_b; j++) {
      guint above = row[j];
      guint step  = diagonal + (a[i - 1] != b[j - 1]);
      row[j]      = MIN (step, MIN (above, row[j - 1]) + 1);
      diagonal    = above;
    }
  }
  return row[n_b];
}

static guint
distance (const char *a, const char *b)
{
  g_autofree char *lower_a = g_ascii_strdown (a, -1);
  g_autofree char *lower_b = g_ascii_strdown (b, -1);
  gsize n_a = strlen (lower_a), n_b = strlen (lower_b);

  if (n_a == 0 || n_a > MAX_NAME_BYTES || n_b > MAX_NAME_BYTES)
    return G_MAXUINT;
  if (strstr (lower_b, lower_a) != NULL || strstr (lower_a, lower_b) != NULL)
    return 1;
  return edit_distance (lower_a, n_a, lower_b, n_b);
}

static int
compare_candidates (gconstpointer a, gconstpointer b)
{
  const Candidate *candidate_a = a, *candidate_b = b;

  if (candidate_a->distance != candidate_b->distance)
    return candidate_a->distance < candidate_b->distance ? -1 : 1;
  return strcmp (candidate_a->name, candidate_b->name);
}

char *
wly_near_names (const char *name, const char *const *names)
{
  g_autoptr (GArray) candidates = g_array_new (FALSE, FALSE, sizeof (Candidate));
  GString *text;

  for (gsize i = 0; names[i] != NULL; i++) {
    Candidate candidate = { names[i], distance (name, names[i]) };
    if (candidate.distance <= MAX (2, strlen (name) / 3))
      g_array_append_val (candidates, candidate);
  }
  if (candidates->len == 0)
    return NULL;
  g_array_sort (candidates, compare_candidates);
  text = g_string_new (NULL);
  for (guint i = 0; i < MIN (candidates->len, MAX_NAMES); i++)
    g_string_append_printf (text, "%s“%s”", i > 0 ? ", " : "", g_array_index (candidates, Candidate, i).name);
  return g_string_free (text, FALSE);
}
