/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The stream of a generation: what comes out of the file descriptor that Generate() returns.
 *
 * The descriptor is a SOCK_STREAM socket.  With the option stream=frames it carries frames: a header of 8 bytes, then
 * `length` bytes of payload.  All numbers are little-endian.
 *
 *     offset 0  u32 length   bytes of payload, 0 .. 65536
 *            4  u8  version  1; a reader gives up on another one
 *            5  u8  type     WOOLLY_FRAME_*; a reader skips types that it does not know
 *            6  u16 flags    0; a reader ignores flags that it does not know
 *
 * TEXT and REASONING carry UTF-8 text, never a part of a character, never a NUL byte.  All other types carry a GVariant
 * of type a{sv}, little-endian, in normal form; the keys of each type are below.
 *
 * With stream=jsonl each frame is one line of JSON instead: {"type":"text","text":"…"}, or {"type":"usage", …} with the
 * keys below.  With stream=text only the bytes of the text come.
 *
 * The stream ends with END or ERROR and then EOF.  EOF without either means that the writer died; the Generation object
 * says why.  A reader that hangs up cancels the generation.
 */
#pragma once

#include <stdint.h>

#define WOOLLY_STREAM_VERSION 1
#define WOOLLY_FRAME_HEADER   8
#define WOOLLY_FRAME_MAX      65536 /* bytes of payload */

enum woolly_frame_type {
  WOOLLY_FRAME_TEXT      = 1,
  WOOLLY_FRAME_REASONING = 2,
  WOOLLY_FRAME_TOOL_CALL = 3, /* id s, name s, arguments s (JSON, complete) */
  WOOLLY_FRAME_QUEUE     = 4, /* position u: requests before this one */
  WOOLLY_FRAME_LOAD      = 5, /* done t, total t: bytes */
  WOOLLY_FRAME_PREFILL   = 6, /* done u, total u, cached u: tokens of the prompt */
  WOOLLY_FRAME_USAGE     = 7, /* see woolly-options.def, results */
  WOOLLY_FRAME_END       = 8, /* reason s: "stop" | "length" | "context" */
  WOOLLY_FRAME_ERROR     = 9, /* name s (org.woolly.Error.…), message s */
  /* token u, text s (a broken character as U+FFFD), logprob d, top a(usd): the same of the likeliest; with the option
   * logprobs, before the token's text; ln of what the model itself expected, before all samplers, -1e300 for never */
  WOOLLY_FRAME_LOGPROBS = 10,
};

/* "text", "usage", …: the type as stream=jsonl writes it; in the order of the enum, from 1. */
#define WOOLLY_FRAME_NAMES                                                                                             \
  "text", "reasoning", "tool-call", "queue", "load", "prefill", "usage", "end", "error", "logprobs"

static inline void
woolly_frame_header (uint8_t header[WOOLLY_FRAME_HEADER], uint32_t length, enum woolly_frame_type type)
{
  header[0] = (uint8_t)length;
  header[1] = (uint8_t)(length >> 8);
  header[2] = (uint8_t)(length >> 16);
  header[3] = (uint8_t)(length >> 24);
  header[4] = WOOLLY_STREAM_VERSION;
  header[5] = (uint8_t)type;
  header[6] = 0;
  header[7] = 0;
}

/* Returns 0, or -1 for a header that no writer of version 1 makes. */
static inline int
woolly_frame_parse (const uint8_t header[WOOLLY_FRAME_HEADER], uint32_t *ret_length, unsigned *ret_type)
{
  uint32_t length =
      (uint32_t)header[0] | (uint32_t)header[1] << 8 | (uint32_t)header[2] << 16 | (uint32_t)header[3] << 24;

  if (header[4] != WOOLLY_STREAM_VERSION || length > WOOLLY_FRAME_MAX)
    return -1;
  *ret_length = length;
  *ret_type   = header[5];
  return 0;
}
