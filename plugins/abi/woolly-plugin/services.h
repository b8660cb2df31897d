/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What the host hands to a plugin.  A plugin links against nothing of the host.
 */
#pragma once

#include "plugin.h"

#ifdef __cplusplus
extern "C" {
#endif

#define WLP_SERVICES_VERSION 4u

enum wlp_log_level {
  WLP_LOG_WARNING = 1,
  WLP_LOG_INFO    = 2,
  WLP_LOG_DEBUG   = 3,
};

/* What the CPU can do and the operating system has switched on (XCR0 asked), after the user's mask. */
enum wlp_cpu_feature {
  WLP_CPU_SSE42      = 1u << 0,
  WLP_CPU_AVX2       = 1u << 1, /* with FMA and F16C */
  WLP_CPU_AVXVNNI    = 1u << 2,
  WLP_CPU_AVX512     = 1u << 3, /* F, BW, DQ, VL */
  WLP_CPU_AVX512VNNI = 1u << 4,
  WLP_CPU_AVX512BF16 = 1u << 5,
  WLP_CPU_NEON       = 1u << 16,
  WLP_CPU_DOTPROD    = 1u << 17,
  WLP_CPU_I8MM       = 1u << 18,
  WLP_CPU_SVE        = 1u << 19,
};

struct wlp_services {
  uint32_t version; /* WLP_SERVICES_VERSION */
  void *host;       /* first argument of each function below */

  /* (any thread) One line, no new-line.  Never prompt or output text. */
  void (*log) (void *host, enum wlp_log_level level, const char *message);

  /* (any thread) Memory that is accounted to the model; @alignment is a power of two.  The bytes are zero.  NULL: the
   * budget is spent.  free() takes the size back and accepts NULL. */
  void *(*alloc) (void *host, size_t n_bytes, size_t alignment);
  void (*free) (void *host, void *memory, size_t n_bytes);

  uint64_t cpu_features; /* enum wlp_cpu_feature, ORed */
  uint32_t n_threads;    /* threads that the backend should compute with, the submitting one included; >= 1 */
  uint32_t n_cpus;       /* entries in cpus; 0: no preference */
  const uint32_t *cpus;  /* CPU numbers to run on, best first */
  int32_t nice;          /* nice level of the backend's threads */

  /* (any thread, since version 2, optional) These bytes of a weight's map will not be read for now, for the backend has
   * them in a layout of its own: their memory may go back to the system.  Reading them again is fine.  Only for weights
   * that have a file. */
  void (*source_idle) (void *host, const void *bytes, size_t n_bytes);

  /* (any thread, since version 3, optional: NULL where nobody looks) What @name says was done from @begin_ns to @end_ns
   * of CLOCK_MONOTONIC, for the timeline of a profiler. */
  void (*mark) (void *host, const char *name, uint64_t begin_ns, uint64_t end_ns);

  /* (since version 4) Where cores are of two kinds: the first n_fast_threads threads should keep to the first
   * n_fast_cpus CPUs, which are fast, and the others to the rest; and only the first ones should compute what does not
   * get faster by more of them, like a decode, which waits for memory.  0, or all: no difference is made. */
  uint32_t n_fast_cpus;
  uint32_t n_fast_threads;
};

#ifdef __cplusplus
}
#endif
