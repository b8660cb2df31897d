/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Who computes, and where: threads for fast and slow cores, models that take turns with them.  That results do not
 * depend on it is test-cpu-bits' matter.
 */
#include "backend-lab.h"
#include "cpu-model.h"
#include "wly-cpu-topology.h"

#include <sched.h>
#include <unistd.h>

#define N_VOCAB  30
#define N_TOKENS 40
#define WIDTH    128

/* Attention and a linear layer behind an embedding. */
static Lab *
small_net (void)
{
  Lab *lab                                 = lab_new (1);
  struct wlp_builder *b                    = &lab->builder;
  const guint32 group                      = lab_group (lab, WLP_CACHE_PAGED, 1, 4, 32, 32, 0);
  const struct wlp_attention_params params = { group, 0, 4, 4, 32, 32, 1, 0, 0.2f, 0, 0 };
  wlp_value x                              = wlp_embed (b, lab_matrix (lab, WIDTH, N_VOCAB, 0), 0), y;

  lab->layer = 0;
  y          = wlp_linear (b, x, lab_matrix (lab, WIDTH, WIDTH, 0), WLP_NONE);
  x          = wlp_add (b, x, wlp_attention (b, y, x, x, WLP_NONE, &params));
  lab->layer = WLP_NONE;
  wlp_logits (b, x);
  lab_finish (lab);
  return lab;
}

/* ---- how many ---- */

/* A batch of @n tokens is for @n_active of @setup's threads. */
static void
check_active (const LabSetup *setup, guint n, guint n_active)
{
  g_autofree gint32 *tokens = lab_tokens (3, N_VOCAB, n);
  Lab *lab                  = small_net ();
  LabModel *model           = lab_model_new (lab, setup);

  g_free (lab_model_step (model, tokens, NULL, NULL, n));
  g_assert_cmpuint (lab_model_get (model)->run.n_threads, ==, n_active);
  lab_model_free (model);
  lab_free (lab);
}

static void
test_active (void)
{
  const LabSetup alike = { .n_threads = 3 }, kinds = { .n_threads = 3, .n_fast_threads = 2 };
  const LabSetup wrong = { .n_threads = 3, .n_fast_threads = 7 };

  check_active (&alike, 1, 3);
  check_active (&alike, N_TOKENS, 3);
  check_active (&kinds, 1, 2);
  check_active (&kinds, 4, 2);
  check_active (&kinds, 5, 3);
  check_active (&kinds, N_TOKENS, 3);
  check_active (&wrong, 1, 3);
}

/* ---- where ---- */

/* How many threads of this process may run on CPU @cpu and nowhere else. */
static guint
n_bound_to (guint32 cpu)
{
  g_autoptr (GDir) tasks = g_dir_open ("/proc/self/task", 0, NULL);
  const char *name;
  guint n = 0;

  while ((name = g_dir_read_name (tasks)) != NULL) {
    gint64 thread;
    cpu_set_t set;

    CPU_ZERO (&set);
    if (g_ascii_string_to_signed (name, 10, 1, G_MAXINT, &thread, NULL)
        && sched_getaffinity ((pid_t)thread, sizeof set, &set) == 0)
      n += CPU_COUNT (&set) == 1 && CPU_ISSET (cpu, &set);
  }
  return n;
}

/* The caller is thread 0 and stays where it was; thread 1 is on the fast CPU, the other two on the slow one. */
static void
test_places (void)
{
  g_autofree gint32 *tokens           = lab_tokens (3, N_VOCAB, N_TOKENS);
  g_autoptr (WlyCpuTopology) topology = wly_cpu_topology_new ();
  const guint32 *cpus                 = (const guint32 *)(gconstpointer)topology->cpus->data;
  const LabSetup setup = { .n_threads = 4, .n_fast_threads = 2, .cpus = cpus, .n_cpus = 2, .n_fast_cpus = 1 };
  LabModel *model;
  Lab *lab;

  if (topology->cpus->len < 2) {
    g_test_skip ("needs two CPUs");
    return;
  }
  lab   = small_net ();
  model = lab_model_new (lab, &setup);
  g_free (lab_model_step (model, tokens, NULL, NULL, N_TOKENS));
  g_assert_cmpuint (n_bound_to (cpus[0]), ==, 1);
  g_assert_cmpuint (n_bound_to (cpus[1]), ==, 2);
  lab_model_free (model);
  lab_free (lab);
}

/* ---- turns ---- */

typedef struct {
  LabModel *model;
  const gint32 *tokens;
  const float *expected; /* [N_TOKENS][WIDTH] */
  guint chunk;
} Turns;

/* The same sequence again and again, in chunks. */
static gpointer
run_turns (gpointer data)
{
  const Turns *self = data;

  for (guint round = 0; round < 20; round++) {
    lab_model_seek (self->model, 0, 0);
    for (guint at = 0; at < N_TOKENS; at += self->chunk) {
      const guint n         = MIN (self->chunk, N_TOKENS - at);
      g_autofree float *got = lab_model_step (self->model, self->tokens + at, NULL, NULL, n);

      lab_assert_same (got, self->expected + (gsize)at * WIDTH, (gsize)n * WIDTH);
    }
  }
  return NULL;
}

/* Two models of a backend compute at once, one of them with fewer threads: each gets what it gets alone. */
static void
test_turns (void)
{
  g_autofree gint32 *tokens = lab_tokens (3, N_VOCAB, N_TOKENS);
  const LabSetup alone      = { .n_threads = 1, .int8 = TRUE, .cache_type = WLP_TYPE_F16 };
  LabSetup setup            = { .n_threads = 3, .n_fast_threads = 2, .int8 = TRUE, .cache_type = WLP_TYPE_F16 };
  Lab *lab                  = small_net ();
  g_autofree float *rows    = lab_run (lab, &alone, tokens, N_TOKENS, 0);
  Turns few                 = { lab_model_new (lab, &setup), tokens, rows, 3 };
  Turns many                = { NULL, tokens, rows, 7 };
  GThread *thread;

  setup.beside = few.model;
  many.model   = lab_model_new (lab, &setup);
  thread       = g_thread_new ("turns", run_turns, &few);
  run_turns (&many);
  g_thread_join (thread);
  lab_model_free (many.model);
  lab_model_free (few.model);
  lab_free (lab);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/backends/cpu-threads/active", test_active);
  g_test_add_func ("/backends/cpu-threads/places", test_places);
  g_test_add_func ("/backends/cpu-threads/turns", test_turns);
  return g_test_run ();
}
