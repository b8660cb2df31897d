/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wly-sampling.h"

#include "wly-error.h"
#include "wly-options.h"

#include <math.h>
#include <string.h>
#include <sys/random.h>

/* What a bias of -100 or less means: never. */
#define BIAS_NEVER (-100.0)

/* Values as the table writes them. */
static const struct {
  const char *preset, *key, *value;
} presets[] = {
  { "precise", "temperature", "0.3" }, { "precise", "top-k", "uint32 20" },  { "precise", "top-p", "0.9" },
  { "precise", "min-p", "0.1" },       { "creative", "temperature", "1.2" }, { "creative", "top-k", "uint32 0" },
  { "creative", "top-p", "1.0" },      { "creative", "min-p", "0.05" },      { "creative", "dry-multiplier", "0.8" },
};

/* The options with those of the preset that are not given. */
static GVariant *
add_preset (GVariant *options)
{
  g_autofree char *preset    = wly_options_dup_string (WLY_SCOPE_GENERATE, options, "preset");
  g_auto (GVariantDict) dict = G_VARIANT_DICT_INIT (options);

  for (gsize i = 0; i < G_N_ELEMENTS (presets); i++)
    if (g_str_equal (presets[i].preset, preset) && !wly_options_has (options, presets[i].key))
      g_variant_dict_insert_value (&dict, presets[i].key, g_variant_parse (NULL, presets[i].value, NULL, NULL, NULL));
  return g_variant_ref_sink (g_variant_dict_end (&dict));
}

static guint64
random_seed (void)
{
  guint64 seed;

  if (getrandom (&seed, sizeof seed, 0) != (gssize)sizeof seed)
    seed = (guint64)g_random_int () << 32 | g_random_int ();
  return seed >> 11; /* the option's range: below 2^53 */
}

static double
get_double (GVariant *options, const char *key)
{
  return wly_options_get_double (WLY_SCOPE_GENERATE, options, key);
}

static guint
get_uint (GVariant *options, const char *key)
{
  return wly_options_get_uint32 (WLY_SCOPE_GENERATE, options, key);
}

static void
read_numbers (WlySamplerOptions *sampler, GVariant *options)
{
  sampler->temperature          = get_double (options, "temperature");
  sampler->temperature_range    = get_double (options, "temperature-range");
  sampler->temperature_exponent = get_double (options, "temperature-exponent");
  sampler->top_k                = get_uint (options, "top-k");
  sampler->top_p                = get_double (options, "top-p");
  sampler->min_p                = get_double (options, "min-p");
  sampler->top_n_sigma          = get_double (options, "top-n-sigma");
  sampler->typical_p            = get_double (options, "typical-p");
  sampler->xtc_probability      = get_double (options, "xtc-probability");
  sampler->xtc_threshold        = get_double (options, "xtc-threshold");
  sampler->repetition_penalty   = get_double (options, "repetition-penalty");
  sampler->frequency_penalty    = get_double (options, "frequency-penalty");
  sampler->presence_penalty     = get_double (options, "presence-penalty");
  sampler->repetition_window    = get_uint (options, "repetition-window");
  sampler->dry_multiplier       = get_double (options, "dry-multiplier");
  sampler->dry_base             = get_double (options, "dry-base");
  sampler->dry_allowed_length   = get_uint (options, "dry-allowed-length");
  sampler->dry_window           = get_uint (options, "dry-window");
  sampler->mirostat             = wly_options_get_boolean (WLY_SCOPE_GENERATE, options, "mirostat");
  sampler->mirostat_tau         = get_double (options, "mirostat-tau");
  sampler->mirostat_eta         = get_double (options, "mirostat-eta");
  sampler->seed =
      wly_options_has (options, "seed") ? wly_options_get_uint64 (WLY_SCOPE_GENERATE, options, "seed") : random_seed ();
}

static void
read_order (WlySamplerOptions *sampler, GVariant *options)
{
  g_auto (GStrv) names = wly_options_dup_strv (WLY_SCOPE_GENERATE, options, "samplers");

  for (gsize i = 0; names[i] != NULL && i < WLY_SAMPLER_N_KINDS; i++)
    sampler->order[sampler->n_order++] = (guint8)wly_sampler_kind (names[i]);
}

/* ---- tokens ---- */

static gboolean
check_token (const char *key, guint32 token, guint32 n_vocab, GError **error)
{
  if (token < n_vocab)
    return TRUE;
  g_set_error (error, WLY_ERROR, WLY_ERROR_INVALID_ARGS, "Option “%s”: there is no token %u; the vocabulary has %u",
               key, token, n_vocab);
  return FALSE;
}

static gboolean
read_biases (WlySampling *sampling, GVariant *options, guint32 n_vocab, GError **error)
{
  g_autoptr (GVariant) all = g_variant_lookup_value (options, "logit-bias", G_VARIANT_TYPE ("a{ud}"));
  GVariantIter iter;
  guint32 token;
  double bias;

  if (all == NULL)
    return TRUE;
  sampling->biases = g_new (WlySamplerBias, g_variant_n_children (all) + 1);
  g_variant_iter_init (&iter, all);
  while (g_variant_iter_next (&iter, "{ud}", &token, &bias)) {
    if (!check_token ("logit-bias", token, n_vocab, error))
      return FALSE;
    if (!isfinite (bias) || fabs (bias) > -BIAS_NEVER) {
      g_set_error (error, WLY_ERROR, WLY_ERROR_INVALID_ARGS,
                   "Option “logit-bias”: the bias of token %u must be from %g to %g", token, BIAS_NEVER, -BIAS_NEVER);
      return FALSE;
    }
    sampling->biases[sampling->sampler.n_biases++] =
        (WlySamplerBias){ token, bias <= BIAS_NEVER ? -INFINITY : (float)bias };
  }
  sampling->sampler.biases = sampling->biases;
  return TRUE;
}

static gboolean
read_stops (WlySampling *sampling, GVariant *options, guint32 n_vocab, GError **error)
{
  g_autoptr (GVariant) all = g_variant_lookup_value (options, "stop-tokens", G_VARIANT_TYPE ("au"));
  const guint32 *tokens;

  if (all == NULL)
    return TRUE;
  tokens          = g_variant_get_fixed_array (all, &sampling->n_stops, sizeof *tokens);
  sampling->stops = g_memdup2 (tokens, sampling->n_stops * sizeof *tokens);
  for (gsize i = 0; i < sampling->n_stops; i++)
    if (!check_token ("stop-tokens", sampling->stops[i], n_vocab, error))
      return FALSE;
  return TRUE;
}

void
wly_sampling_find_breakers (WlySampling *sampling, GVariant *options, const WlyTokenizer *tokenizer)
{
  g_auto (GStrv) texts      = wly_options_dup_strv (WLY_SCOPE_GENERATE, options, "dry-breakers");
  g_autoptr (GString) bytes = g_string_new (NULL);
  const guint32 n_vocab     = wly_tokenizer_n_vocab (tokenizer);

  if (sampling->sampler.dry_multiplier <= 0)
    return;
  sampling->breakers = g_new0 (guint32, n_vocab / 32 + 1);
  for (guint32 id = 0; id < n_vocab; id++) {
    g_string_truncate (bytes, 0);
    wly_tokenizer_decode (tokenizer, (gint32)id, FALSE, TRUE, bytes);
    for (gsize i = 0; texts[i] != NULL; i++)
      if (*texts[i] != '\0' && memmem (bytes->str, bytes->len, texts[i], strlen (texts[i])) != NULL)
        sampling->breakers[id / 32] |= 1u << (id % 32);
  }
  sampling->sampler.dry_breakers = sampling->breakers;
}

gboolean
wly_sampling_read (WlySampling *sampling, GVariant *options, const WlyTokenizer *tokenizer, GError **error)
{
  g_autoptr (GVariant) all = add_preset (options);
  const guint32 n_vocab    = wly_tokenizer_n_vocab (tokenizer);

  *sampling = (WlySampling){ 0 };
  read_numbers (&sampling->sampler, all);
  read_order (&sampling->sampler, all);
  sampling->n_top_logprobs = get_uint (all, "top-logprobs");
  sampling->logprobs = sampling->n_top_logprobs > 0 || wly_options_get_boolean (WLY_SCOPE_GENERATE, all, "logprobs");
  return read_biases (sampling, all, n_vocab, error) && read_stops (sampling, all, n_vocab, error);
}

void
wly_sampling_clear (WlySampling *sampling)
{
  g_clear_pointer (&sampling->biases, g_free);
  g_clear_pointer (&sampling->breakers, g_free);
  g_clear_pointer (&sampling->stops, g_free);
}

gboolean
wly_sampling_stops (const WlySampling *sampling, gint32 token)
{
  for (gsize i = 0; i < sampling->n_stops; i++)
    if ((gint32)sampling->stops[i] == token)
      return TRUE;
  return FALSE;
}
