/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sampler-dry.h"

/* Beyond this a penalty means never. */
#define PENALTY_MAX 1e6

struct WlySamplerDry {
  double multiplier, base;
  guint allowed_length;
  const guint32 *breakers; /* bits, the options' */
  guint n_vocab;
  GArray *past; /* gint32, at most twice the window */
  guint n_window;
  guint *matches; /* [n_window] length of the match that ends at a place, counted from the end */
  guint *longest; /* [n_vocab] of the matches that a token would go on with, 0: none */
  GArray *ids;    /* guint: tokens with one */
};

WlySamplerDry *
wly_sampler_dry_new (const WlySamplerOptions *options, guint n_vocab)
{
  WlySamplerDry *dry;

  if (options->dry_multiplier <= 0 || options->dry_window == 0)
    return NULL;
  dry                 = g_new0 (WlySamplerDry, 1);
  dry->multiplier     = options->dry_multiplier;
  dry->base           = MAX (1, options->dry_base);
  dry->allowed_length = options->dry_allowed_length;
  dry->breakers       = options->dry_breakers;
  dry->n_vocab        = n_vocab;
  dry->n_window       = options->dry_window;
  dry->past           = g_array_new (FALSE, FALSE, sizeof (gint32));
  dry->ids            = g_array_new (FALSE, FALSE, sizeof (guint));
  dry->longest        = g_new0 (guint, n_vocab);
  return dry;
}

void
wly_sampler_dry_free (WlySamplerDry *dry)
{
  if (dry == NULL)
    return;
  g_array_unref (dry->past);
  g_array_unref (dry->ids);
  g_free (dry->matches);
  g_free (dry->longest);
  g_free (dry);
}

void
wly_sampler_dry_accept (WlySamplerDry *dry, gint32 token)
{
  if (dry == NULL || token < 0 || (guint)token >= dry->n_vocab)
    return;
  if (dry->past->len >= 2 * (gsize)dry->n_window)
    g_array_remove_range (dry->past, 0, dry->past->len - dry->n_window);
  g_array_append_val (dry->past, token);
}

static gboolean
breaks (const WlySamplerDry *dry, gint32 token)
{
  return dry->breakers != NULL && (dry->breakers[token / 32] >> (token % 32) & 1) != 0;
}

/* matches[i]: how many tokens before place i from the end, that one included, are those at the end; the Z-function of
 * the past read backwards, at most @limit. */
static void
find_matches (WlySamplerDry *dry, const gint32 *end, guint n, guint limit)
{
  guint left = 0, right = 0; /* of the match that reaches furthest */

  for (guint i = 1; i < n; i++) {
    guint length = i < right ? MIN (right - i, dry->matches[i - left]) : 0;

    while (i + length < n && end[-1 - (gssize)length] == end[-1 - (gssize)(i + length)])
      length++;
    dry->matches[i] = length;
    if (i + length > right) {
      left  = i;
      right = i + length;
    }
  }
  for (guint i = 1; i < n; i++)
    dry->matches[i] = MIN (dry->matches[i], limit);
}

void
wly_sampler_dry_prepare (WlySamplerDry *dry, const guint **ret_ids, guint *ret_n)
{
  guint n, limit = 0;
  const gint32 *end;

  *ret_n = 0;
  if (dry == NULL)
    return;
  for (guint i = 0; i < dry->ids->len; i++)
    dry->longest[g_array_index (dry->ids, guint, i)] = 0;
  g_array_set_size (dry->ids, 0);
  n   = MIN (dry->past->len, dry->n_window);
  end = (const gint32 *)(const void *)dry->past->data + dry->past->len;
  /* no repetition reaches over a breaker */
  while (limit < n && !breaks (dry, end[-1 - (gssize)limit]))
    limit++;
  if (limit >= MAX (1, dry->allowed_length)) {
    dry->matches = g_renew (guint, dry->matches, n);
    find_matches (dry, end, n, limit);
    for (guint i = 1; i < n; i++) {
      const guint next = (guint)end[-(gssize)i];

      if (dry->matches[i] < MAX (1, dry->allowed_length) || breaks (dry, (gint32)next))
        continue;
      if (dry->longest[next] == 0)
        g_array_append_val (dry->ids, next);
      dry->longest[next] = MAX (dry->longest[next], dry->matches[i]);
    }
  }
  *ret_ids = (const guint *)(const void *)dry->ids->data;
  *ret_n   = dry->ids->len;
}

double
wly_sampler_dry_penalty (const WlySamplerDry *dry, guint id)
{
  double penalty = 0;

  if (dry == NULL || dry->longest[id] == 0)
    return 0;
  penalty = dry->multiplier;
  for (guint i = dry->allowed_length; i < dry->longest[id] && penalty < PENALTY_MAX; i++) {
    if (dry->base == 1)
      break;
    penalty *= dry->base;
  }
  return MIN (penalty, PENALTY_MAX);
}
