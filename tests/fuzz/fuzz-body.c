/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Any body and options of a request, as a worker's text thread takes them: dictionaries in GVariant's text form with a
 * NUL between them; behind a byte 0 at the start, the bytes of a body alone.
 */
#include "fuzz.h"

#include "wly-body.h"
#include "wly-error.h"
#include "wly-options.h"
#include "wly-os.h"
#include "wly-pieces.h"
#include "wly-prompt.h"
#include "wly-sampling.h"
#include "wly-structure.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define GENERATE_SCOPES (1u << WLY_SCOPE_GENERATE | 1u << WLY_SCOPE_WORKER)

static WlyOpened *opened;
static int texts[2]; /* what handles may mean: one is good */

static int
memory (const void *data, gsize n_bytes)
{
  g_autoptr (GError) error = NULL;
  const int fd             = wly_os_memfd_new_sealed ("fuzz", data, n_bytes, &error);

  g_assert_no_error (error);
  return fd;
}

int
LLVMFuzzerInitialize (int *argc, char ***argv)
{
  const int fd                  = open (g_getenv ("WOOLLY_BUNDLED_MODEL"), O_RDONLY | O_CLOEXEC);
  g_autoptr (GPtrArray) plugins = g_ptr_array_new ();

  opened = wly_opened_new (&fd, 1, plugins, NULL);
  g_assert_nonnull (opened);
  close (fd);
  texts[0] = memory ("नम text", 11);
  texts[1] = memory ("broken \xff", 8);
  return 0;
}

/* @error is looked at when the call that @done comes from has returned. */
static gboolean
is_whole (gboolean done, GError **error)
{
  g_assert_true (done == (*error == NULL));
  g_assert_true (done || ((*error)->domain == WLY_ERROR && g_utf8_validate ((*error)->message, -1, NULL)));
  return done;
}

static void
check_prompt (const WlyBody *body, guint n_past, GArray *tokens)
{
  const WlyPast past       = { n_past, 5 };
  g_autoptr (GError) error = NULL;
  const guint32 n_vocab    = wly_tokenizer_n_vocab (wly_opened_tokenizer (opened, NULL));

  g_array_set_size (tokens, 0);
  if (is_whole (wly_prompt_tokens (opened, body, &past, tokens, &error), &error))
    for (guint i = 0; i < tokens->len; i++)
      g_assert_cmpuint ((guint32)g_array_index (tokens, gint32, i), <, n_vocab);
}

static void
check_options (const WlyBody *body, const GArray *prompt, GVariant *options)
{
  g_autoptr (WlyOutputParser) parser = NULL;
  g_autoptr (WlyGrammar) grammar     = NULL;
  g_autoptr (GError) error           = NULL;
  WlySampling sampling;

  if (!is_whole (wly_options_check (GENERATE_SCOPES, options, &error), &error)
      || !is_whole (wly_structure_make (opened, body, prompt, options, 1, &grammar, &error), &error))
    return;
  if (is_whole (wly_sampling_read (&sampling, options, wly_opened_tokenizer (opened, NULL), &error), &error))
    wly_sampling_find_breakers (&sampling, options, wly_opened_tokenizer (opened, NULL));
  wly_sampling_clear (&sampling);
  parser = wly_pieces_new (opened, body, prompt, wly_structure_is_own (options));
}

static void
check_body (const void *data, gsize n_bytes, GVariant *options)
{
  const int fd               = memory (data, n_bytes);
  g_auto (WlyBody) body      = { 0 };
  g_autoptr (GError) error   = NULL;
  g_autoptr (GVariant) tools = NULL;
  g_autoptr (GArray) tokens  = g_array_new (FALSE, FALSE, sizeof (gint32));
  const gboolean read        = wly_body_read (fd, texts, G_N_ELEMENTS (texts), &body, &error);

  close (fd);
  if (!is_whole (read, &error))
    return;
  g_assert_true ((body.messages == NULL) != (body.prompt == NULL));
  tools = wly_body_tools (&body);
  check_prompt (&body, 7, tokens);
  check_prompt (&body, 0, tokens);
  if (options != NULL)
    check_options (&body, tokens, options);
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize n_bytes)
{
  g_autoptr (GVariant) body    = NULL;
  g_autoptr (GVariant) options = NULL;
  g_autofree char *text        = NULL;
  gsize n_first;

  if (n_bytes > 0 && data[0] == 0) {
    check_body (data + 1, n_bytes - 1, NULL);
    return 0;
  }
  text    = g_strndup ((const char *)data, n_bytes);
  n_first = strlen (text);
  body    = fuzz_parse_dictionary (text);
  if (body == NULL)
    return 0;
  if (n_first < n_bytes)
    options = fuzz_parse_dictionary (text + n_first + 1);
  check_body (g_variant_get_data (body), g_variant_get_size (body), options);
  return 0;
}
