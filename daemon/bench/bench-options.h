/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The options that verbs share: which model, and how it is computed.
 */
#pragma once

#include "bench-engine.h"

G_BEGIN_DECLS

/* What the command line said; zeroed at first.  The strings are the caller's, bench_options_clear() frees them. */
typedef struct {
  char *model;
  char *kv;
  char *activations;
  char *device;
  char *isa;
  char *pack;
  int n_threads;
  gboolean no_fusion;
} BenchOptions;

/* What it means. */
typedef struct {
  BenchEngineOptions engine; /* points into the BenchOptions */
  enum wlp_type kv;
  const char *kv_name;
} BenchChoice;

/* Entries of GOption for all fields, ended by an empty one, that point into @options; (transfer full).  @kv and
 * @activations say in --help what the default is. */
GOptionEntry *bench_options_entries (BenchOptions *options, const char *kv, const char *activations);
/* @kv and @activations stand for what was not given.  FALSE: @verb has no such choice; a message was printed. */
gboolean bench_options_choose (const BenchOptions *options, const char *verb, const char *kv, const char *activations,
                               BenchChoice *ret_choice);
void bench_options_clear (BenchOptions *options);

/* "8,32,512": numbers between @min and @max, at least one; (transfer full) array of guint.  NULL: it is none; a message
 * with @verb and @option was printed. */
GArray *bench_options_numbers (const char *verb, const char *option, const char *text, guint min, guint max);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (BenchOptions, bench_options_clear)

G_END_DECLS
