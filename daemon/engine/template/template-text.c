/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "template/template-text.h"

#include "token/unicode.h"

#include <string.h>

#define BLOCK_BYTES 16384u

typedef struct Block {
  struct Block *next;
  gsize n_bytes, used;
  _Alignas(16) char data[];
} Block;

struct WlyTemplateArena {
  Block *blocks;
  gsize n_bytes, max_bytes;
};

WlyTemplateArena *
wly_template_arena_new (gsize max_bytes)
{
  WlyTemplateArena *arena = g_new0 (WlyTemplateArena, 1);

  arena->max_bytes = max_bytes;
  return arena;
}

void
wly_template_arena_free (WlyTemplateArena *arena)
{
  if (arena == NULL)
    return;
  while (arena->blocks != NULL) {
    Block *next = arena->blocks->next;

    g_free (arena->blocks);
    arena->blocks = next;
  }
  g_free (arena);
}

gpointer
wly_template_arena_alloc (WlyTemplateArena *arena, gsize n_bytes)
{
  Block *block = arena->blocks;
  gpointer memory;

  if (n_bytes > arena->max_bytes)
    return NULL;
  n_bytes = (n_bytes + 15) & ~(gsize)15;
  if (block == NULL || block->n_bytes - block->used < n_bytes) {
    const gsize size = MAX (n_bytes, BLOCK_BYTES);

    if (size > arena->max_bytes - arena->n_bytes)
      return NULL;
    block          = g_malloc0 (sizeof *block + size);
    block->n_bytes = size;
    block->next    = arena->blocks;
    arena->blocks  = block;
    arena->n_bytes += size;
  }
  memory = block->data + block->used;
  block->used += n_bytes;
  return memory;
}

void
wly_template_builder_init (WlyTemplateBuilder *builder)
{
  builder->bytes = g_string_new (NULL);
  builder->runs  = g_array_new (FALSE, FALSE, sizeof (WlyTemplateRun));
}

void
wly_template_builder_clear (WlyTemplateBuilder *builder)
{
  if (builder->bytes != NULL)
    g_string_free (g_steal_pointer (&builder->bytes), TRUE);
  g_clear_pointer (&builder->runs, g_array_unref);
}

void
wly_template_builder_append (WlyTemplateBuilder *builder, const char *data, gsize n_bytes, gboolean trusted)
{
  const guint n_runs = builder->runs->len;
  WlyTemplateRun run = { .trusted = trusted };

  if (n_bytes == 0)
    return;
  g_string_append_len (builder->bytes, data, (gssize)n_bytes);
  run.end = builder->bytes->len;
  if (n_runs > 0 && !g_array_index (builder->runs, WlyTemplateRun, n_runs - 1).trusted == !trusted)
    g_array_index (builder->runs, WlyTemplateRun, n_runs - 1).end = run.end;
  else
    g_array_append_val (builder->runs, run);
}

/* The run that holds the byte at @place. */
static gsize
find_run (const WlyTemplateText *text, gsize place)
{
  gsize low = 0, high = text->n_runs;

  while (low < high) {
    const gsize middle = (low + high) / 2;

    if (text->runs[middle].end <= place)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

void
wly_template_builder_append_part (WlyTemplateBuilder *builder, const WlyTemplateText *text, gsize start, gsize end)
{
  for (gsize run = find_run (text, start); start < end; run++) {
    const gsize stop = MIN (end, text->runs[run].end);

    wly_template_builder_append (builder, text->data + start, stop - start, text->runs[run].trusted);
    start = stop;
  }
}

const WlyTemplateText *
wly_template_builder_finish (WlyTemplateBuilder *builder, WlyTemplateArena *arena)
{
  const gsize n_bytes = builder->bytes->len, n_runs = builder->runs->len;
  WlyTemplateText *text = wly_template_arena_alloc (arena, sizeof *text);
  char *data            = wly_template_arena_alloc (arena, n_bytes);
  WlyTemplateRun *runs  = wly_template_arena_alloc (arena, n_runs * sizeof *runs);

  if (text != NULL && data != NULL && runs != NULL) {
    if (n_bytes > 0) {
      memcpy (data, builder->bytes->str, n_bytes);
      memcpy (runs, builder->runs->data, n_runs * sizeof *runs);
    }
    *text = (WlyTemplateText){ data, n_bytes, runs, n_runs };
  } else {
    text = NULL;
  }
  g_string_truncate (builder->bytes, 0);
  g_array_set_size (builder->runs, 0);
  return text;
}

const WlyTemplateText *
wly_template_text_new (WlyTemplateArena *arena, const char *data, gsize n_bytes, gboolean trusted)
{
  g_auto (WlyTemplateBuilder) builder = { 0 };

  wly_template_builder_init (&builder);
  wly_template_builder_append (&builder, data, n_bytes, trusted);
  return wly_template_builder_finish (&builder, arena);
}

const WlyTemplateText *
wly_template_text_part (WlyTemplateArena *arena, const WlyTemplateText *text, gsize start, gsize end)
{
  g_auto (WlyTemplateBuilder) builder = { 0 };

  if (start == 0 && end == text->n_bytes)
    return text;
  wly_template_builder_init (&builder);
  wly_template_builder_append_part (&builder, text, start, end);
  return wly_template_builder_finish (&builder, arena);
}

const WlyTemplateText *
wly_template_text_join (WlyTemplateArena *arena, const WlyTemplateText *left, const WlyTemplateText *right)
{
  g_auto (WlyTemplateBuilder) builder = { 0 };

  if (left->n_bytes == 0)
    return right;
  if (right->n_bytes == 0)
    return left;
  wly_template_builder_init (&builder);
  wly_template_builder_append_part (&builder, left, 0, left->n_bytes);
  wly_template_builder_append_part (&builder, right, 0, right->n_bytes);
  return wly_template_builder_finish (&builder, arena);
}

int
wly_template_text_compare (const WlyTemplateText *left, const WlyTemplateText *right)
{
  const gsize n   = MIN (left->n_bytes, right->n_bytes);
  const int order = n == 0 ? 0 : memcmp (left->data, right->data, n);

  return order != 0 ? order : left->n_bytes < right->n_bytes ? -1 : left->n_bytes > right->n_bytes;
}

gboolean
wly_template_text_is (const WlyTemplateText *text, const char *literal)
{
  return text->n_bytes == strlen (literal) && memcmp (text->data, literal, text->n_bytes) == 0;
}

gboolean
wly_template_text_is_trusted (const WlyTemplateText *text)
{
  return text->n_runs == 0 || (text->n_runs == 1 && text->runs[0].trusted);
}

gboolean
wly_template_text_is_space (guint32 code)
{
  return (code >= 0x1c && code <= 0x1f) || (wly_unicode_class (code) & WLY_UNICODE_SPACE) != 0;
}

gsize
wly_template_text_before (const WlyTemplateText *text, gsize place)
{
  do
    place--;
  while (((guint8)text->data[place] & 0xc0) == 0x80);
  return place;
}

gsize
wly_template_text_find (const WlyTemplateText *text, gsize start, const WlyTemplateText *part)
{
  const char *found;

  if (part->n_bytes == 0)
    return start;
  if (start >= text->n_bytes)
    return G_MAXSIZE;
  found = memmem (text->data + start, text->n_bytes - start, part->data, part->n_bytes);
  return found == NULL ? G_MAXSIZE : (gsize)(found - text->data);
}
