/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "parse/format-private.h"

#include <string.h>

/* Marks around thoughts that models are known to write, the marks of channels beside them, and what gives them away in
 * the source of a template.  Most templates take thoughts off what the model wrote before, and so have the mark that
 * closes them, but not always the one that opens them. */
static const struct {
  const char *open, *close;
  const char *in_source[2]; /* either */
  const char *ignored[WLY_OUTPUT_FORMAT_OWN_IGNORED + 1];
} reasonings[] = {
  { "<|channel|>analysis<|message|>",
    "<|end|>",
    { "<|channel|>analysis", NULL },
    { "<|channel|>final<|message|>", "<|channel|>commentary", "<|start|>assistant", "<|message|>", "<|end|>",
      "<|return|>", NULL } },
  { "<think>", "</think>", { "<think>", "</think>" }, { NULL } },
  { "[THINK]", "[/THINK]", { "[THINK]", "[/THINK]" }, { NULL } },
  { "<seed:think>", "</seed:think>", { "<seed:think>", "</seed:think>" }, { NULL } },
  { "<thought>", "</thought>", { "<thought>", "</thought>" }, { NULL } },
  { "<|START_THINKING|>", "<|END_THINKING|>", { "<|START_THINKING|>", "<|END_THINKING|>" }, { NULL } },
};

void
wly_format_reasoning_find (const WlyFormatProbe *probe, WlyOutputFormat *format)
{
  for (gsize i = 0; i < G_N_ELEMENTS (reasonings); i++) {
    if (!wly_format_probe_has (probe, reasonings[i].in_source[0])
        && !wly_format_probe_has (probe, reasonings[i].in_source[1]))
      continue;
    wly_format_probe_set (&format->reasoning_open, reasonings[i].open);
    wly_format_probe_set (&format->reasoning_close, reasonings[i].close);
    memcpy (format->ignored, reasonings[i].ignored, sizeof reasonings[i].ignored);
    if (wly_format_probe_has (probe, "<response>")) {
      wly_format_probe_ignore (format, "<response>");
      wly_format_probe_ignore (format, "</response>");
    }
    return;
  }
}
