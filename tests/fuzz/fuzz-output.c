/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Any text as what a model writes, whole and in pieces: the first byte is the way of writing calls and thoughts, the
 * second one where it is cut, and whether there are tools and open thoughts.  What stands before a NUL is a template
 * that is asked for the way instead.
 */
#include "fuzz.h"

#include "../unit/engine/output-fixture.h"

#include <string.h>

static WlyOutputFormat *formats[256];
static guint n_formats;

int
LLVMFuzzerInitialize (int *argc, char ***argv)
{
  for (; wly_fixture_output_samples[n_formats].name != NULL; n_formats++)
    formats[n_formats] = wly_fixture_output_format (wly_fixture_output_samples[n_formats].source);
  return 0;
}

static void
check_output (const WlyOutputFormat *format, const char *output, guint8 flags)
{
  WlyFixtureCut cut = {
    .first = flags >> 2, .second = (flags >> 2) + 3, .no_calls = flags & 1, .reasoning = flags & 2
  };
  g_autofree char *pieces = wly_fixture_parse_output (format, &cut, output);
  g_autofree char *singly = NULL;

  cut.singly = TRUE;
  singly     = wly_fixture_parse_output (format, &cut, output);
  g_assert_cmpstr (singly, ==, pieces);
  for (gsize n = strlen (output); n > 0 && g_str_is_ascii (output); n /= 2) {
    wly_output_format_begins_reasoning (format, output, n);
    wly_output_format_has_mark (format, output, n);
  }
}

static void
check_template (const char *source, const char *output, guint8 flags)
{
  const gsize n_bytes                       = strlen (source);
  g_autoptr (WlyChatTemplate) chat_template = wly_chat_template_new (source, n_bytes, NULL);
  g_autoptr (GVariant) variables            = g_variant_ref_sink (g_variant_new_parsed ("@a{sv} {}"));
  g_autoptr (WlyOutputFormat) format        = NULL;

  if (chat_template == NULL)
    return;
  format = wly_output_format_new (chat_template, source, n_bytes, variables);
  g_assert_nonnull (format);
  check_output (format, output, flags);
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize n_bytes)
{
  g_autofree char *text = NULL;
  const char *output;
  gsize n_first;

  if (n_bytes < 2)
    return 0;
  text = g_malloc0 (n_bytes - 1);
  memcpy (text, data + 2, n_bytes - 2);
  n_first = strlen (text);
  output  = n_first < n_bytes - 2 ? text + n_first + 1 : text;
  if (!g_utf8_validate (output, -1, NULL))
    return 0;
  if (output == text)
    check_output (formats[data[0] % n_formats], output, data[1]);
  else
    check_template (text, output, data[1]);
  return 0;
}
