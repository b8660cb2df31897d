/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sampler-logprobs.h"

#include "sampler-exp.h"
#include "sampler-log.h"

#include <math.h>

/* Puts an entry where it belongs in a list of @n in falling order; returns how many there are then. */
static guint
insert (WlySamplerLogprob *top, guint n, guint n_top, WlySamplerLogprob entry)
{
  guint at;

  if (n == n_top && (n == 0 || entry.logprob <= top[n - 1].logprob))
    return n;
  n = MIN (n + 1, n_top);
  for (at = n - 1; at > 0 && top[at - 1].logprob < entry.logprob; at--)
    top[at] = top[at - 1];
  top[at] = entry;
  return n;
}

void
wly_sampler_logprobs_get (const float *logits, guint n_vocab, guint token, guint n_top, WlySamplerLogprob *ret_token,
                          WlySamplerLogprob *ret_top)
{
  double largest = -INFINITY, total = 0, logarithm;
  guint n = 0;

  for (guint i = 0; i < n_vocab; i++)
    largest = MAX (largest, (double)logits[i]);
  for (guint i = 0; i < n_vocab; i++) {
    total += wly_sampler_exp (logits[i] - largest);
    n = insert (ret_top, n, n_top, (WlySamplerLogprob){ i, logits[i] });
  }
  logarithm  = largest + wly_sampler_log (total);
  *ret_token = (WlySamplerLogprob){ token, logits[token] - logarithm };
  for (guint i = 0; i < n; i++)
    ret_top[i].logprob -= logarithm;
}
