/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Texts of a running template: bytes that remember which of them the template wrote and which came from a message, and
 * the memory that they live in until the run ends.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Memory of one run: freed at once, limited. */
typedef struct WlyTemplateArena WlyTemplateArena;

WlyTemplateArena *wly_template_arena_new (gsize max_bytes);
void wly_template_arena_free (WlyTemplateArena *arena); /* NULL is fine */
/* Zeroed memory, aligned for anything; NULL: the limit is reached. */
gpointer wly_template_arena_alloc (WlyTemplateArena *arena, gsize n_bytes);

/* Bytes up to @end, from where the run before ended, are of one trust. */
typedef struct {
  gsize end;
  gboolean trusted;
} WlyTemplateRun;

typedef struct {
  const char *data; /* UTF-8, not terminated */
  gsize n_bytes;
  const WlyTemplateRun *runs; /* cover the text; neighbours differ */
  gsize n_runs;
} WlyTemplateText;

/* Puts texts together. */
typedef struct {
  GString *bytes;
  GArray *runs; /* WlyTemplateRun */
} WlyTemplateBuilder;

void wly_template_builder_init (WlyTemplateBuilder *builder);
void wly_template_builder_clear (WlyTemplateBuilder *builder);
void wly_template_builder_append (WlyTemplateBuilder *builder, const char *data, gsize n_bytes, gboolean trusted);
/* Bytes @start to @end of a text, each with its trust. */
void wly_template_builder_append_part (WlyTemplateBuilder *builder, const WlyTemplateText *text, gsize start,
                                       gsize end);
/* Copies the result to @arena and empties the builder; NULL: the arena is full. */
const WlyTemplateText *wly_template_builder_finish (WlyTemplateBuilder *builder, WlyTemplateArena *arena);

/* Texts in the arena; NULL: it is full. */
const WlyTemplateText *wly_template_text_new (WlyTemplateArena *arena, const char *data, gsize n_bytes,
                                              gboolean trusted);
const WlyTemplateText *wly_template_text_part (WlyTemplateArena *arena, const WlyTemplateText *text, gsize start,
                                               gsize end);
const WlyTemplateText *wly_template_text_join (WlyTemplateArena *arena, const WlyTemplateText *left,
                                               const WlyTemplateText *right);

int wly_template_text_compare (const WlyTemplateText *left, const WlyTemplateText *right); /* as memcmp() */
gboolean wly_template_text_is (const WlyTemplateText *text, const char *literal);
gboolean wly_template_text_is_trusted (const WlyTemplateText *text); /* all of it */
/* White space as str.isspace() of Python has it. */
gboolean wly_template_text_is_space (guint32 code);
/* Where the character before @place, which is not the start, begins. */
gsize wly_template_text_before (const WlyTemplateText *text, gsize place);
/* First place at or after @start; G_MAXSIZE: none. */
gsize wly_template_text_find (const WlyTemplateText *text, gsize start, const WlyTemplateText *part);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (WlyTemplateBuilder, wly_template_builder_clear)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WlyTemplateArena, wly_template_arena_free)

G_END_DECLS
