/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bench-limits.h"

#include "bench-peak.h"
#include "bench-samples.h"
#include "wly-cpu.h"
#include "wly-os.h"

#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define MIB        (1024 * 1024)
#define HUGE_BYTES ((gsize)2 * MIB)
#define MIN_BYTES  ((gsize)128 * MIB)
#define PARTS      4u /* a run reads one of so many parts of the memory, so that none is in a cache when its turn comes */
#define N_READS    24u
#define N_PEAKS    40u
#define N_CLOCKS   60u
#define RUN_NS     200000u
#define MIN_RUNS   6u
#define BUDGET_NS  250000000u /* for all runs of one figure, on a machine where others compute */

static guint64
now_ns (void)
{
  struct timespec now;

  clock_gettime (CLOCK_MONOTONIC, &now);
  return (guint64)now.tv_sec * 1000000000u + (guint64)now.tv_nsec;
}

/* ---- threads that do short runs at the same moment ---- */

typedef void (*RunFunc) (gpointer data, guint thread, guint n_threads, guint run);

typedef struct {
  guint n_threads;
  guint n_runs;
  RunFunc func;
  gpointer data;
  gint arrived;     /* at a barrier, over all of them */
  gboolean is_over; /* written by thread 0 before a barrier, read behind it */
  guint n_done;
  guint64 *times_ns; /* [n_runs] */
} Crew;

typedef struct {
  Crew *crew;
  guint number;
} Member;

/* Barrier number @index: spins, for a wake-up takes longer than a run should; and lets others in where there are more
 * threads than cores. */
static void
meet (Crew *crew, guint index)
{
  const gint goal = (gint)((index + 1) * crew->n_threads);

  g_atomic_int_inc (&crew->arrived);
  for (guint i = 0; g_atomic_int_get (&crew->arrived) < goal; i++)
    if (i % 256 == 255)
      g_thread_yield ();
}

static gpointer
member_thread (gpointer data)
{
  const Member *member = data;
  Crew *crew           = member->crew;
  const guint64 begin  = now_ns ();

  for (guint run = 0; run < crew->n_runs; run++) {
    guint64 start;

    if (member->number == 0 && run >= MIN_RUNS && now_ns () - begin > BUDGET_NS)
      crew->is_over = TRUE;
    meet (crew, 2 * run);
    if (crew->is_over)
      break;
    start = now_ns ();
    crew->func (crew->data, member->number, crew->n_threads, run);
    meet (crew, 2 * run + 1);
    if (member->number == 0)
      crew->times_ns[crew->n_done++] = MAX (now_ns () - start, 1);
  }
  return NULL;
}

/* Nanoseconds of each run; array of double, (transfer full). */
static GArray *
run_crew (guint n_threads, guint n_runs, RunFunc func, gpointer data)
{
  g_autofree guint64 *times = g_new0 (guint64, n_runs);
  Crew crew = { .n_threads = n_threads, .n_runs = n_runs, .func = func, .data = data, .times_ns = times };
  g_autofree Member *members  = g_new (Member, n_threads);
  g_autofree GThread **others = g_new (GThread *, n_threads);
  GArray *result              = g_array_new (FALSE, FALSE, sizeof (double));

  for (guint i = 0; i < n_threads; i++) {
    members[i] = (Member){ &crew, i };
    if (i > 0)
      others[i] = g_thread_new ("bench-limits", member_thread, &members[i]);
  }
  member_thread (&members[0]);
  for (guint i = 1; i < n_threads; i++)
    g_thread_join (others[i]);
  for (guint i = 0; i < crew.n_done; i++) {
    const double ns = (double)times[i];

    g_array_append_val (result, ns);
  }
  return result;
}

/* ---- cycles ---- */

#define ADDS 64

/* Each addition needs the one before: one cycle each, on every machine that there is. */
static void
run_clock (gpointer data, guint thread, guint n_threads, guint run)
{
  const guint n_rounds = *(const guint *)data;
  guint64 x            = thread;

  for (guint r = 0; r < n_rounds; r++) {
#pragma GCC unroll 64
    for (guint i = 0; i < ADDS; i++) {
      x += n_threads;
      __asm__ volatile("" : "+r"(x));
    }
  }
}

static double
measure_hz (void)
{
  guint n_rounds           = 4096;
  g_autoptr (GArray) times = run_crew (1, N_CLOCKS, run_clock, &n_rounds);

  return (double)n_rounds * ADDS / bench_samples_rank (times, 0) * 1e9;
}

/* ---- multiplications ---- */

typedef struct {
  const BenchPeak *peak;
  guint n_rounds;
} PeakRun;

static void
run_peak (gpointer data, guint thread, guint n_threads, guint run)
{
  const PeakRun *peak = data;

  peak->peak->run (peak->n_rounds);
}

static double
measure_macs (const BenchPeak *peak, guint n_threads)
{
  PeakRun run              = { peak, 256 };
  guint64 start            = now_ns ();
  g_autoptr (GArray) times = NULL;

  peak->run (run.n_rounds);
  run.n_rounds = (guint)CLAMP (256.0 * RUN_NS / (double)MAX (now_ns () - start, 1), 64, 1e7);
  times        = run_crew (n_threads, N_PEAKS, run_peak, &run);
  return (double)run.n_rounds * peak->macs * n_threads / bench_samples_rank (times, 0) * 1e9;
}

/* ---- reading ---- */

typedef struct {
  guint8 *memory;
  gsize n_bytes;
} ReadRun;

static volatile guint64 read_result;

static void
run_read (gpointer data, guint thread, guint n_threads, guint run)
{
  typedef guint64 Vector __attribute__ ((vector_size (64)));
  const ReadRun *read  = data;
  const gsize n_bytes  = read->n_bytes / PARTS / n_threads / (4 * sizeof (Vector)) * (4 * sizeof (Vector));
  const guint8 *memory = read->memory + (run % PARTS) * (read->n_bytes / PARTS) + thread * n_bytes;
  Vector sums[4]       = { { 0 } };

  for (gsize at = 0; at < n_bytes; at += sizeof sums)
    for (guint i = 0; i < 4; i++)
      sums[i] ^= *(const Vector *)(const void *)(memory + at + i * sizeof (Vector));
  read_result = (sums[0] ^ sums[1] ^ sums[2] ^ sums[3])[0];
}

/* Bytes of this process in 2 MB pages; below 0 where the system does not say. */
static gint64
huge_bytes (void)
{
  g_autofree char *text = NULL;
  const char *line;

  if (!g_file_get_contents ("/proc/self/smaps_rollup", &text, NULL, NULL))
    return -1;
  line = strstr (text, "AnonHugePages:");
  return line != NULL ? (gint64)g_ascii_strtoll (line + strlen ("AnonHugePages:"), NULL, 10) * 1024 : -1;
}

static gsize
choose_bytes (void)
{
  const long cache  = sysconf (_SC_LEVEL3_CACHE_SIZE);
  guint64 total     = 0;
  guint64 available = 0;
  gsize n_bytes     = MAX (MIN_BYTES, cache > 0 ? 4 * (gsize)cache : 0);

  if (wly_os_memory (&total, &available) && n_bytes > available / 4)
    n_bytes = available / 4;
  return MAX (n_bytes / HUGE_BYTES, PARTS) * HUGE_BYTES;
}

/* Both numbers of threads on memory of one page size. */
static gboolean
measure_reads (BenchLimits *limits, gboolean is_huge, BenchRead *ret_reads)
{
  const guint threads[] = { 1, limits->n_threads };
  const gsize room      = limits->read_bytes + HUGE_BYTES;
  const gint64 before   = huge_bytes ();
  guint8 *map           = mmap (NULL, room, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  ReadRun run           = { NULL, limits->read_bytes };

  if (map == MAP_FAILED)
    return FALSE;
  run.memory = (guint8 *)(((guintptr)map + HUGE_BYTES - 1) / HUGE_BYTES * HUGE_BYTES);
  madvise (run.memory, run.n_bytes, is_huge ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
  memset (run.memory, 1, run.n_bytes);
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++) {
    g_autoptr (GArray) times = run_crew (threads[i], N_READS, run_read, &run);
    const double n_bytes     = (double)(run.n_bytes / PARTS);

    ret_reads[i] = (BenchRead){ .n_threads   = threads[i],
                                .is_huge     = is_huge,
                                .huge_share  = before < 0 ? -1 : (double)(huge_bytes () - before) / (double)run.n_bytes,
                                .bytes_per_s = n_bytes / bench_samples_rank (times, 0) * 1e9,
                                .median      = n_bytes / bench_samples_rank (times, 0.5) * 1e9 };
  }
  munmap (map, room);
  return TRUE;
}

/* ---- all of it ---- */

void
bench_limits_measure (guint n_threads, const char *isa, BenchLimits *ret_limits)
{
  const BenchPeak *peak = bench_peak_find (isa, wly_cpu_features ());

  *ret_limits    = (BenchLimits){ .n_threads = MAX (n_threads, 1), .read_bytes = choose_bytes () };
  ret_limits->hz = measure_hz ();
  if (peak != NULL) {
    ret_limits->isa           = peak->isa;
    ret_limits->instruction   = peak->instruction;
    ret_limits->macs_per_s[0] = measure_macs (peak, 1);
    ret_limits->macs_per_s[1] = measure_macs (peak, ret_limits->n_threads);
  }
  for (guint i = 0; i < 2; i++)
    measure_reads (ret_limits, i == 1, ret_limits->reads + 2 * i);
}

void
bench_limits_merge (BenchLimits *limits, const BenchLimits *other)
{
  limits->hz = MAX (limits->hz, other->hz);
  for (guint i = 0; i < 2; i++)
    limits->macs_per_s[i] = MAX (limits->macs_per_s[i], other->macs_per_s[i]);
  for (guint i = 0; i < G_N_ELEMENTS (limits->reads); i++)
    if (other->reads[i].bytes_per_s > limits->reads[i].bytes_per_s)
      limits->reads[i] = other->reads[i];
}

double
bench_limits_read (const BenchLimits *limits)
{
  double best = 0;

  for (guint i = 0; i < G_N_ELEMENTS (limits->reads); i++)
    best = MAX (best, limits->reads[i].bytes_per_s);
  return best;
}

double
bench_limits_macs (const BenchLimits *limits)
{
  return MAX (limits->macs_per_s[0], limits->macs_per_s[1]);
}
