/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wly-generation.h"

#include "sample/sampler-logprobs.h"
#include "wly-error.h"
#include "wly-options.h"
#include "wly-trace.h"
#include "wly-utf8.h"

#include <string.h>

#define PROGRESS_INTERVAL_US (100 * 1000)
#define MESSAGE_BYTES_MAX    1024
#define LOGPROBS_MAX         8192   /* in the result */
#define LOGPROB_NEVER        -1e300 /* JSON has no infinity */
#define LOGPROB_TEXT_MAX     256    /* bytes of a token that are shown */

static const char *const state_names[] = { "prefill", "generating", "paused", "done", "cancelled", "failed" };

const char *
wly_generation_state_name (WlyGenerationState state)
{
  return state_names[state];
}

static void
read_options (WlyGeneration *generation)
{
  GVariant *options         = generation->options;
  g_autofree char *priority = wly_options_dup_string (WLY_SCOPE_GENERATE, options, "priority");

  generation->max_tokens = wly_options_get_uint32 (WLY_SCOPE_GENERATE, options, "max-tokens");
  generation->ignore_end = wly_options_get_boolean (WLY_SCOPE_GENERATE, options, "ignore-end");
  generation->priority   = wly_batch_priority (priority);
  generation->weight     = wly_options_get_uint32 (WLY_SCOPE_WORKER, options, "weight");
}

WlyGeneration *
wly_generation_new (guint64 number, WlySession *session, WlyOpened *opened, WlyStream *stream, GVariant *options,
                    const char *device, GError **error)
{
  g_auto (GStrv) stops      = wly_options_dup_strv (WLY_SCOPE_GENERATE, options, "stop");
  WlyGeneration *generation = g_new0 (WlyGeneration, 1);

  generation->references = 1;
  generation->number     = number;
  generation->session    = wly_session_ref (session);
  generation->opened     = wly_opened_ref (opened);
  generation->stream     = stream;
  generation->options    = g_variant_ref (options);
  generation->prompt     = g_array_new (FALSE, FALSE, sizeof (gint32));
  generation->device     = g_strdup (device);
  generation->begun_us   = g_get_monotonic_time ();
  generation->state      = WLY_GENERATION_PREFILL;
  generation->n_before   = G_MAXUINT;
  if (wly_opened_is_pooled (opened)) {
    g_set_error_literal (error, WLY_ERROR, WLY_ERROR_NOT_SUPPORTED,
                         "This model makes embeddings or scores, no text: its file names a pooling");
    wly_generation_unref (generation);
    return NULL;
  }
  if (!wly_emitter_check_stops ((const char *const *)stops, error)
      || !wly_sampling_read (&generation->sampling, options, wly_opened_tokenizer (opened, NULL), error)) {
    wly_generation_unref (generation);
    return NULL;
  }
  if (generation->sampling.logprobs)
    generation->logprobs = g_array_new (FALSE, FALSE, sizeof (WlySamplerLogprob));
  generation->emitter = wly_emitter_new ((const char *const *)stops);
  read_options (generation);
  return generation;
}

WlyGeneration *
wly_generation_ref (WlyGeneration *generation)
{
  g_atomic_int_inc (&generation->references);
  return generation;
}

void
wly_generation_unref (WlyGeneration *generation)
{
  if (generation == NULL || !g_atomic_int_dec_and_test (&generation->references))
    return;
  wly_sampler_free (generation->sampler);
  wly_constraint_free (generation->constraint);
  wly_grammar_unref (generation->grammar);
  wly_sampling_clear (&generation->sampling);
  g_clear_pointer (&generation->logprobs, g_array_unref);
  wly_emitter_free (generation->emitter);
  wly_output_parser_free (generation->parser);
  g_array_unref (generation->prompt);
  g_clear_pointer (&generation->before, g_array_unref);
  g_clear_error (&generation->error);
  g_variant_unref (generation->options);
  wly_stream_unref (generation->stream);
  wly_session_unref (generation->session);
  wly_opened_unref (generation->opened);
  g_free (generation->device);
  g_free (generation);
}

/* ---- text ---- */

static gboolean
append_bytes (const WlyGeneration *generation, gint32 token, gboolean first, GString *bytes)
{
  gsize before = bytes->len;

  wly_tokenizer_decode (wly_opened_tokenizer (generation->opened, NULL), token, first, FALSE, bytes);
  return bytes->len > before;
}

/* Whether what follows the session stands at a beginning: behind nothing, or behind a token without text. */
static gboolean
is_at_beginning (const WlyGeneration *generation)
{
  g_autoptr (GString) bytes = g_string_new (NULL);
  guint n                   = wly_session_n_tokens (generation->session);

  return n == 0 || !append_bytes (generation, wly_sequence_tokens (generation->session->sequence)[n - 1], FALSE, bytes);
}

/* Whether the @n_out-th token of the answer (from 1) loses a space that begins it.  No later one does, behind a token
 * without text neither: two words would become one. */
static gboolean
is_first (const WlyGeneration *generation, guint n_out)
{
  return n_out == 1 && generation->at_beginning;
}

/* ---- what the text is held to ---- */

/* How many tokens with text may still come. */
static guint32
n_left (const WlyGeneration *generation)
{
  const WlySession *session = generation->session;
  guint n_tokens            = wly_session_n_tokens (session);
  guint32 n                 = generation->max_tokens - MIN (generation->max_tokens, generation->n_out);

  return session->drop_oldest ? n : MIN (n, session->context - MIN (session->context, n_tokens));
}

/* Where no text of the constraint fits, that is said before anything is computed. */
static gboolean
begin_constraint (WlyGeneration *generation, GError **error)
{
  guint32 left = n_left (generation);
  guint32 shortest;

  if (generation->grammar == NULL)
    return TRUE;
  generation->constraint = wly_constraint_new (generation->grammar, wly_opened_token_trie (generation->opened),
                                               generation->session->n_vocab, generation->at_beginning);
  shortest               = wly_constraint_shortest (generation->constraint);
  if (shortest <= left)
    return TRUE;
  if (shortest == G_MAXUINT32)
    g_set_error_literal (error, WLY_ERROR, WLY_ERROR_NOT_SUPPORTED,
                         "The model's vocabulary cannot write any text that the constraint allows");
  else if (left < generation->max_tokens)
    g_set_error (error, WLY_ERROR, WLY_ERROR_CONTEXT_FULL,
                 "The shortest text that the constraint allows has %u tokens, and the context has room for %u",
                 shortest, left);
  else
    g_set_error (error, WLY_ERROR, WLY_ERROR_INVALID_ARGS,
                 "Option “max-tokens”: the shortest text that the constraint allows has %u tokens, not %u", shortest,
                 left);
  return FALSE;
}

/* @n_before: how often the token was drawn before. */
static gint32
draw_among (WlyGeneration *generation, const float *logits, const guint32 *allowed, guint n_before, GError **error)
{
  return wly_sampler_draw (generation->sampler, logits, allowed, generation->n_out + n_before * WLY_SAMPLER_AGAIN,
                           error);
}

/* Where nearly every token may come, a mask is made only when one is drawn that may not; where one is drawn behind
 * which there would not be room for an end, the exact one. */
static gint32
draw_token (WlyGeneration *generation, const float *logits, GError **error)
{
  WlyConstraint *constraint = generation->constraint;
  guint32 left              = n_left (generation);
  guint n_before            = 0;
  const guint32 *allowed;
  gint32 token;

  if (constraint == NULL || wly_constraint_is_free (constraint, left)) {
    token = draw_among (generation, logits, NULL, n_before++, error);
    if (token < 0 || constraint == NULL || wly_constraint_fits (constraint, token, left))
      return token;
  }
  allowed = wly_constraint_mask (constraint, left, error);
  if (allowed == NULL)
    return -1;
  token = draw_among (generation, logits, allowed, n_before++, error);
  if (token < 0 || wly_constraint_fits (constraint, token, left))
    return token;
  allowed = wly_constraint_mask_exact (constraint, left, error);
  return allowed != NULL ? draw_among (generation, logits, allowed, n_before, error) : -1;
}

/* ---- start ---- */

static void
write_progress (WlyGeneration *generation, guint n_done)
{
  g_auto (GVariantDict) dict = G_VARIANT_DICT_INIT (NULL);

  g_variant_dict_insert (&dict, "done", "u", n_done);
  g_variant_dict_insert (&dict, "total", "u", generation->n_in);
  g_variant_dict_insert (&dict, "cached", "u", generation->n_cached);
  wly_stream_write (generation->stream, WOOLLY_FRAME_PREFILL, g_variant_dict_end (&dict));
  generation->progress_us = g_get_monotonic_time ();
}

/* What penalties and DRY look at. */
static void
feed_sampler (WlyGeneration *generation)
{
  WlySequence *sequence = generation->session->sequence;
  guint n               = wly_sequence_n_tokens (sequence);
  guint window = MIN (n, MAX (generation->sampling.sampler.repetition_window, generation->sampling.sampler.dry_window));

  for (guint i = n - window; i < n; i++)
    wly_sampler_accept (generation->sampler, wly_sequence_tokens (sequence)[i]);
}

static gboolean
add_prompt (WlyGeneration *generation, GError **error)
{
  WlySession *session = generation->session;
  GArray *prompt      = generation->prompt;

  if (!wly_gguf_check_unchanged (wly_opened_gguf (generation->opened), error))
    return FALSE;
  generation->n_before = wly_session_n_tokens (session);
  generation->before   = g_array_new (FALSE, FALSE, sizeof (gint32));
  if (generation->n_before > 0)
    g_array_append_vals (generation->before, wly_sequence_tokens (session->sequence), generation->n_before);
  /* room for one token of the answer, or there is no point */
  return wly_session_append (session, (const gint32 *)(const void *)prompt->data, prompt->len, 1,
                             &generation->n_dropped, error)
         && wly_session_need_output (session, error);
}

gboolean
wly_generation_start (WlyGeneration *generation)
{
  GError *error = NULL;

  if (generation->session->sequence == NULL)
    error = g_error_new_literal (WLY_ERROR, WLY_ERROR_CLOSED, "The session was closed");
  else if (add_prompt (generation, &error)) {
    generation->at_beginning = is_at_beginning (generation);
    begin_constraint (generation, &error);
  }
  if (error != NULL) {
    wly_generation_end (generation, "error", error);
    return FALSE;
  }
  if (generation->n_dropped == 0)
    g_clear_pointer (&generation->before, g_array_unref);
  generation->n_in     = wly_session_n_tokens (generation->session);
  generation->n_cached = wly_sequence_n_computed (generation->session->sequence);
  generation->sampler  = wly_sampler_new (&generation->sampling.sampler, generation->session->n_vocab);
  feed_sampler (generation);
  write_progress (generation, generation->n_cached);
  return TRUE;
}

guint
wly_generation_n_pending (const WlyGeneration *generation)
{
  const WlySequence *sequence = generation->session->sequence;

  return wly_sequence_n_tokens (sequence) - wly_sequence_n_computed (sequence);
}

void
wly_generation_progress (WlyGeneration *generation)
{
  /* what is computed again while it generates (after a drop, or a loss of its blocks) is no news to the reader */
  if (generation->n_out == 0 && g_get_monotonic_time () - generation->progress_us >= PROGRESS_INTERVAL_US)
    write_progress (generation, wly_sequence_n_computed (generation->session->sequence));
}

/* ---- one token ---- */

/* Takes the tokens back that lie wholly in the last @n_behind bytes: the reader did not get them. */
static void
take_back (WlyGeneration *generation, gsize n_behind)
{
  WlySession *session       = generation->session;
  guint n                   = wly_session_n_tokens (session);
  g_autoptr (GString) bytes = g_string_new (NULL);

  for (guint n_out = generation->n_out; n_out > 0 && n > 0; n_out--, n--) {
    g_string_truncate (bytes, 0);
    append_bytes (generation, wly_sequence_tokens (session->sequence)[n - 1], is_first (generation, n_out), bytes);
    if (bytes->len > n_behind)
      break;
    n_behind -= bytes->len;
  }
  wly_session_truncate (session, n);
}

/* (transfer full) What a token reads as. */
static char *
token_text (const WlyGeneration *generation, guint token)
{
  g_autoptr (GString) bytes = g_string_new (NULL);
  gsize n_clean;

  wly_tokenizer_decode (wly_opened_tokenizer (generation->opened, NULL), (gint32)token, FALSE, TRUE, bytes);
  return wly_utf8_clean (bytes->str, MIN (bytes->len, LOGPROB_TEXT_MAX), &n_clean);
}

/* How likely the model found the token, before it is streamed. */
static void
write_logprobs (WlyGeneration *generation, gint32 token, const float *logits)
{
  const guint n_vocab               = generation->session->n_vocab;
  const guint n_top                 = MIN (generation->sampling.n_top_logprobs, n_vocab);
  g_autofree WlySamplerLogprob *top = g_new (WlySamplerLogprob, n_top + 1);
  g_autofree char *text             = NULL;
  g_auto (GVariantDict) dict        = G_VARIANT_DICT_INIT (NULL);
  g_auto (GVariantBuilder) list     = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE ("a(usd)"));

  if (generation->logprobs == NULL)
    return;
  wly_sampler_logprobs_get (logits, n_vocab, (guint)token, n_top, &top[n_top], top);
  if (generation->logprobs->len == LOGPROBS_MAX)
    g_array_remove_index (generation->logprobs, 0);
  g_array_append_val (generation->logprobs, top[n_top]);
  for (guint i = 0; i < n_top; i++) {
    g_autofree char *other = token_text (generation, top[i].id);

    g_variant_builder_add (&list, "(usd)", top[i].id, other, MAX (top[i].logprob, LOGPROB_NEVER));
  }
  text = token_text (generation, (guint)token);
  g_variant_dict_insert (&dict, "token", "u", (guint32)token);
  g_variant_dict_insert (&dict, "text", "s", text);
  g_variant_dict_insert (&dict, "logprob", "d", MAX (top[n_top].logprob, LOGPROB_NEVER));
  g_variant_dict_insert_value (&dict, "top", g_variant_builder_end (&list));
  wly_stream_write (generation->stream, WOOLLY_FRAME_LOGPROBS, g_variant_dict_end (&dict));
}

/* Streams the token's text; TRUE: a stop text was found. */
static gboolean
stream_token (WlyGeneration *generation, gint32 token)
{
  g_autoptr (GString) bytes = g_string_new (NULL);
  g_autoptr (GString) text  = g_string_new (NULL);
  gsize n_behind            = 0;
  gboolean stopped;

  if (!append_bytes (generation, token, is_first (generation, generation->n_out), bytes) && generation->parser != NULL)
    wly_pieces_append_mark (generation->opened, token, bytes);
  stopped = wly_emitter_push (generation->emitter, bytes->str, bytes->len, text, &n_behind);
  if (stopped)
    take_back (generation, n_behind);
  wly_pieces_write (generation->parser, generation->stream, text->str, text->len);
  return stopped;
}

static void
note_time (WlyGeneration *generation)
{
  generation->last_us = g_get_monotonic_time ();
  if (generation->first_us != 0)
    return;
  generation->first_us = generation->last_us;
  write_progress (generation, generation->n_in);
}

static gboolean
commit_token (WlyGeneration *generation, gint32 token, GError **error)
{
  WlySession *session = generation->session;

  generation->committed = TRUE;
  g_clear_pointer (&generation->before, g_array_unref);
  return wly_session_append (session, &token, 1, 0, &generation->n_dropped, error)
         && wly_session_store (session, error);
}

static gboolean
accept_token (WlyGeneration *generation, gint32 token, GError **error)
{
  return generation->constraint == NULL || wly_constraint_accept (generation->constraint, token, error);
}

/* The text of the constraint is whole, and the model need not say so any more. */
static gboolean
is_whole (const WlyGeneration *generation)
{
  return generation->constraint != NULL && wly_constraint_must_end (generation->constraint)
         && (generation->n_out >= generation->max_tokens || !wly_opened_token_trie (generation->opened)->has_ends);
}

/* The reason to end with, NULL: to go on. */
static const char *
reason_to_end (WlyGeneration *generation, gint32 token, const float *logits)
{
  WlySession *session = generation->session;

  if ((!generation->ignore_end || generation->constraint != NULL)
      && wly_tokenizer_is_end (wly_opened_tokenizer (generation->opened, NULL), token))
    return "stop";
  if (wly_sampling_stops (&generation->sampling, token))
    return "stop";
  generation->n_out++;
  write_logprobs (generation, token, logits);
  if (stream_token (generation, token) || is_whole (generation))
    return "stop";
  if (generation->n_out >= generation->max_tokens)
    return "length";
  if (!session->drop_oldest && wly_session_n_tokens (session) >= session->context)
    return "context";
  return NULL;
}

gboolean
wly_generation_advance (WlyGeneration *generation, const float *logits)
{
  const guint64 begin_ns = wly_trace_begin ();
  GError *error          = NULL;
  const char *reason     = NULL;
  gint32 token           = draw_token (generation, logits, &error);

  wly_trace_end (begin_ns, "sample", "generation %" G_GUINT64_FORMAT, generation->number);
  note_time (generation);
  if (error == NULL && accept_token (generation, token, &error) && commit_token (generation, token, &error)) {
    wly_sampler_accept (generation->sampler, token);
    reason = reason_to_end (generation, token, logits);
  }
  if (error == NULL && reason == NULL)
    return TRUE;
  wly_generation_end (generation, reason != NULL ? reason : "error", error);
  return FALSE;
}

/* ---- end ---- */

/* The session as it was before the prompt. */
static void
take_prompt_back (WlyGeneration *generation)
{
  g_autoptr (GError) error = NULL;

  if (generation->before == NULL)
    wly_session_truncate (generation->session, generation->n_before);
  else if (!wly_session_replace (generation->session, (const gint32 *)(const void *)generation->before->data,
                                 generation->before->len, &error))
    g_warning ("session %" G_GUINT64_FORMAT ": %s", generation->session->number, error->message);
}

static void
settle_session (WlyGeneration *generation)
{
  g_autoptr (GError) error = NULL;

  if (generation->session->sequence == NULL)
    return;
  if (!generation->committed)
    take_prompt_back (generation);
  /* after a stop text, tokens were taken back, and the file must not have them either */
  if (!wly_session_store (generation->session, &error))
    g_warning ("session %" G_GUINT64_FORMAT ": %s", generation->session->number, error->message);
  generation->n_used = wly_session_n_tokens (generation->session);
}

void
wly_generation_end (WlyGeneration *generation, const char *reason, GError *error)
{
  g_autoptr (GString) text = g_string_new (NULL);

  wly_emitter_finish (generation->emitter, text);
  wly_pieces_write (generation->parser, generation->stream, text->str, text->len);
  wly_pieces_finish (generation->parser, generation->stream);
  settle_session (generation);
  generation->reason = reason;
  wly_generation_set_error (generation, error);
}

void
wly_generation_set_error (WlyGeneration *generation, GError *error)
{
  g_clear_error (&generation->error);
  generation->error = error;
  if (error == NULL)
    return;
  generation->reason = "error";
  /* it goes into frames and messages, and may name what a file holds */
  if (strlen (error->message) > MESSAGE_BYTES_MAX)
    error->message[MESSAGE_BYTES_MAX] = '\0';
  if (!g_utf8_validate (error->message, -1, NULL)) {
    char *clean = g_utf8_make_valid (error->message, -1);

    g_free (error->message);
    error->message = clean;
  }
}

WlyGenerationState
wly_generation_final_state (const WlyGeneration *generation)
{
  if (generation->error != NULL)
    return WLY_GENERATION_FAILED;
  return g_str_equal (generation->reason, "cancelled") ? WLY_GENERATION_CANCELLED : WLY_GENERATION_DONE;
}

static const char *
error_name (const WlyGeneration *generation)
{
  return wly_error_dbus_name (generation->error->domain == WLY_ERROR ? (WlyErrorCode)generation->error->code
                                                                     : WLY_ERROR_FAILED);
}

/* a(ud) */
static GVariant *
result_logprobs (const WlyGeneration *generation)
{
  g_auto (GVariantBuilder) list = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE ("a(ud)"));

  for (guint i = 0; i < generation->logprobs->len; i++) {
    const WlySamplerLogprob *entry = &g_array_index (generation->logprobs, WlySamplerLogprob, i);

    g_variant_builder_add (&list, "(ud)", entry->id, MAX (entry->logprob, LOGPROB_NEVER));
  }
  return g_variant_builder_end (&list);
}

GVariant *
wly_generation_result (const WlyGeneration *generation)
{
  g_auto (GVariantDict) dict = G_VARIANT_DICT_INIT (NULL);
  gint64 first_us            = generation->first_us != 0 ? generation->first_us : g_get_monotonic_time ();

  g_variant_dict_insert (&dict, "tokens-in", "u", generation->n_in);
  g_variant_dict_insert (&dict, "tokens-cached", "u", generation->n_cached);
  g_variant_dict_insert (&dict, "tokens-out", "u", generation->n_out);
  g_variant_dict_insert (&dict, "tokens-dropped", "u", generation->n_dropped);
  g_variant_dict_insert (&dict, "context-used", "u", generation->n_used);
  g_variant_dict_insert (&dict, "context-size", "u", generation->session->context);
  g_variant_dict_insert (&dict, "seed", "t", generation->sampling.sampler.seed);
  g_variant_dict_insert (&dict, "queue-us", "t",
                         wly_options_get_uint64 (WLY_SCOPE_WORKER, generation->options, "queue-us"));
  g_variant_dict_insert (&dict, "load-us", "t",
                         wly_options_get_uint64 (WLY_SCOPE_WORKER, generation->options, "load-us"));
  g_variant_dict_insert (&dict, "prefill-us", "t", (guint64)(first_us - generation->begun_us));
  g_variant_dict_insert (&dict, "decode-us", "t",
                         (guint64)(generation->first_us != 0 ? generation->last_us - generation->first_us : 0));
  g_variant_dict_insert (&dict, "device", "s", generation->device);
  if (generation->logprobs != NULL)
    g_variant_dict_insert_value (&dict, "logprobs", result_logprobs (generation));
  g_variant_dict_insert (&dict, "reason", "s", generation->reason);
  if (generation->error != NULL) {
    g_variant_dict_insert (&dict, "error", "s", error_name (generation));
    g_variant_dict_insert (&dict, "message", "s", generation->error->message);
  }
  return g_variant_dict_end (&dict);
}

void
wly_generation_write_end (WlyGeneration *generation)
{
  g_auto (GVariantDict) dict = G_VARIANT_DICT_INIT (NULL);

  wly_stream_write (generation->stream, WOOLLY_FRAME_USAGE, wly_generation_result (generation));
  if (generation->error != NULL) {
    g_variant_dict_insert (&dict, "name", "s", error_name (generation));
    g_variant_dict_insert (&dict, "message", "s", generation->error->message);
  } else if (g_str_equal (generation->reason, "cancelled")) {
    g_variant_dict_insert (&dict, "name", "s", wly_error_dbus_name (WLY_ERROR_CANCELLED));
    g_variant_dict_insert (&dict, "message", "s", "The generation was cancelled");
  } else {
    g_variant_dict_insert (&dict, "reason", "s", generation->reason);
    wly_stream_write (generation->stream, WOOLLY_FRAME_END, g_variant_dict_end (&dict));
    return;
  }
  wly_stream_write (generation->stream, WOOLLY_FRAME_ERROR, g_variant_dict_end (&dict));
}
