/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What the kernel checks share: buffers that end at a page nobody may touch, random numbers with a fixed seed, TAP, a
 * cycle counter.  No GLib, so that a cross build runs under an emulator.
 */
#pragma once

#include "woolly-plugin/services.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#if defined(__x86_64__)
#include <cpuid.h>
#include <x86intrin.h>
#elif defined(__aarch64__)
#include <sys/auxv.h>
#endif

#define CHECK_PAGE 4096u

struct check_buffer {
  void *map;
  size_t n_map_bytes;
  void *at; /* n bytes, aligned as wished, that end right before the guard page (but for the alignment) */
};

static inline void *
check_buffer_new (struct check_buffer *buffer, size_t n_bytes, size_t alignment)
{
  const size_t size   = (n_bytes + alignment - 1) / alignment * alignment;
  const size_t n_page = (size + CHECK_PAGE - 1) / CHECK_PAGE * CHECK_PAGE;

  buffer->n_map_bytes = n_page + CHECK_PAGE;
  buffer->map         = mmap (NULL, buffer->n_map_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (buffer->map == MAP_FAILED || mprotect ((char *)buffer->map + n_page, CHECK_PAGE, PROT_NONE) != 0)
    abort ();
  buffer->at = (char *)buffer->map + n_page - size;
  return buffer->at;
}

static inline void
check_buffer_free (struct check_buffer *buffer)
{
  munmap (buffer->map, buffer->n_map_bytes);
}

static inline uint64_t
check_random (uint64_t *state)
{
  uint64_t z = *state += 0x9e3779b97f4a7c15u;

  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
  z = (z ^ z >> 27) * 0x94d049bb133111ebu;
  return z ^ z >> 31;
}

/* -1 .. 1 */
static inline float
check_random_float (uint64_t *state)
{
  return (float)(int32_t)(check_random (state) >> 32) * 0x1p-31f;
}

static inline uint64_t
check_cpu_features (void)
{
  uint64_t features = 0;
#if defined(__x86_64__)
  unsigned a, b, c, d;

  if (__builtin_cpu_supports ("avx2") && __builtin_cpu_supports ("fma"))
    features |= WLP_CPU_SSE42 | WLP_CPU_AVX2;
  if ((features & WLP_CPU_AVX2) != 0 && __get_cpuid_count (7, 1, &a, &b, &c, &d) && (a & 1u << 4) != 0)
    features |= WLP_CPU_AVXVNNI;
  if (__builtin_cpu_supports ("avx512bw") && __builtin_cpu_supports ("avx512vl") && __builtin_cpu_supports ("avx512dq"))
    features |= WLP_CPU_AVX512;
  if ((features & WLP_CPU_AVX512) != 0 && __builtin_cpu_supports ("avx512vnni"))
    features |= WLP_CPU_AVX512VNNI;
#ifdef CHECK_EMULATED
  if ((features & WLP_CPU_AVX2) != 0)
    features |= WLP_CPU_AVXVNNI | WLP_CPU_AVX512 | WLP_CPU_AVX512VNNI;
#endif
#elif defined(__aarch64__)
  features |= WLP_CPU_NEON;
  if ((getauxval (AT_HWCAP) & 1ul << 20) != 0) /* HWCAP_ASIMDDP */
    features |= WLP_CPU_DOTPROD;
  if ((getauxval (AT_HWCAP2) & 1ul << 13) != 0) /* HWCAP2_I8MM */
    features |= WLP_CPU_I8MM;
#endif
  return features;
}

/* TAP: one line for each case. */
static unsigned check_n_cases, check_n_failed;

static inline void check_case (bool passed, const char *format, ...) __attribute__ ((format (printf, 2, 3)));

static inline void
check_case (bool passed, const char *format, ...)
{
  va_list args;

  va_start (args, format);
  printf ("%sok %u - ", passed ? "" : "not ", ++check_n_cases);
  vprintf (format, args);
  printf ("\n");
  va_end (args);
  check_n_failed += !passed;
}

static inline int
check_finish (void)
{
  printf ("1..%u\n", check_n_cases);
  return check_n_failed != 0;
}

static inline uint64_t
check_ticks (void)
{
#if defined(__x86_64__)
  unsigned aux;

  return __rdtscp (&aux);
#else
  struct timespec now;

  clock_gettime (CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
#endif
}

/* Ticks of the counter in one cycle of the core: of dependent multiplications each takes three cycles (of AMD and Intel
 * since 2010, Arm's large cores), whatever the core's other thread does. */
static inline double
check_ticks_of_cycle (void)
{
  enum { N = 100, CHAIN = 16, LATENCY = 3, TRIES = 20000 };
  double best = 1e30;

  for (int i = 0; i < TRIES; i++) {
    uint64_t value = (uint64_t)i, start = check_ticks (), end;

    for (int j = 0; j < N; j++)
#pragma GCC unroll 16
      for (int m = 0; m < CHAIN; m++) {
        value *= value;
        __asm__ volatile("" : "+r"(value));
      }
    end = check_ticks ();
    if ((double)(end - start) / (N * CHAIN * LATENCY) < best)
      best = (double)(end - start) / (N * CHAIN * LATENCY);
  }
  return best;
}
