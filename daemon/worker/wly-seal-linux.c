/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A list of what is allowed; anything else fails with EPERM, and what only an attacker tries ends the process.
 */
#include "wly-seal.h"

#include "config.h"
#include "wly-error.h"
#include "wly-sanitizer.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

/* Each session has its token file, each generation its stream: as many as woollyd may have of both, and more. */
#define MAX_OPEN_FILES 4096
#define MAX_FILE_BYTES (64u * 1024 * 1024) /* the token files of sessions are the only files that grow */

static gboolean
set_limit (int resource, rlim_t value, const char *name, GError **error)
{
  struct rlimit limit;

  if (getrlimit (resource, &limit) != 0 || (limit.rlim_max != RLIM_INFINITY && limit.rlim_max < value))
    return TRUE; /* it is tighter already */
  limit.rlim_cur = value;
  limit.rlim_max = value;
  if (setrlimit (resource, &limit) == 0)
    return TRUE;
  g_set_error (error, WLY_ERROR, WLY_ERROR_FAILED, "Resource limit %s: %s", name, g_strerror (errno));
  return FALSE;
}

static gboolean
set_limits (GError **error)
{
  return set_limit (RLIMIT_CORE, 0, "core", error) && set_limit (RLIMIT_NOFILE, MAX_OPEN_FILES, "nofile", error)
         && set_limit (RLIMIT_FSIZE, MAX_FILE_BYTES, "fsize", error);
}

#ifdef HAVE_SECCOMP
#include <seccomp.h>

/* Memory, threads, time and signals of this process; descriptors that are open. */
static const char *const allowed[] = {
  "brk",
  "madvise",
  "mincore",
  "mremap",
  "munmap",
  "membarrier",
  "exit",
  "exit_group",
  "futex",
  "futex_time64",
  "futex_waitv",
  "get_robust_list",
  "getpid",
  "gettid",
  "rseq",
  "sched_getaffinity",
  "sched_getparam",
  "sched_getscheduler",
  "sched_setaffinity",
  "sched_yield",
  "set_robust_list",
  "set_tid_address",
  "setpriority",
  "getpriority",
  "clock_getres",
  "clock_gettime",
  "clock_gettime64",
  "clock_nanosleep",
  "clock_nanosleep_time64",
  "gettimeofday",
  "nanosleep",
  "time",
  "times",
  "alarm",
  "setitimer",
  "restart_syscall",
  "rt_sigaction",
  "rt_sigprocmask",
  "rt_sigreturn",
  "rt_sigtimedwait",
  "sigaltstack",
  "getcpu",
  "getegid",
  "geteuid",
  "getgid",
  "getppid",
  "getrandom",
  "getrlimit",
  "getrusage",
  "getuid",
  "sysinfo",
  "uname",
  "close",
  "close_range",
  "dup",
  "dup3",
  "eventfd2",
  "fstat",
  "fstat64",
  "ftruncate",
  "ftruncate64",
  "lseek",
  "_llseek",
  "pipe2",
  "poll",
  "ppoll",
  "ppoll_time64",
  "pread64",
  "preadv",
  "pselect6",
  "pwrite64",
  "read",
  "readv",
  "select",
  "write",
  "writev",
  "getpeername",
  "getsockname",
  "getsockopt",
  "recvfrom",
  "recvmsg",
  "sendmsg",
  "sendto",
  "setsockopt",
  "shutdown",
};

/* No worker has an honest use for these. */
static const char *const deadly[] = {
  "execve",
  "execveat",
  "ptrace",
  "process_vm_readv",
  "process_vm_writev",
  "process_madvise",
  "keyctl",
  "add_key",
  "request_key",
  "io_uring_setup",
  "io_uring_enter",
  "io_uring_register",
  "userfaultfd",
  "bpf",
  "mount",
  "umount2",
  "move_mount",
  "open_tree",
  "fsopen",
  "fsmount",
  "pivot_root",
  "chroot",
  "unshare",
  "setns",
  "kexec_load",
  "kexec_file_load",
  "init_module",
  "finit_module",
  "delete_module",
  "perf_event_open",
  "pidfd_getfd",
  "open_by_handle_at",
  "name_to_handle_at",
  "reboot",
  "swapon",
  "swapoff",
  "setuid",
  "setgid",
  "setresuid",
  "setresgid",
  "setgroups",
  "fork",
  "vfork",
  "personality",
  "acct",
  "modify_ldt",
  "iopl",
  "ioperm",
  "quotactl",
  "vmsplice",
};

#if WLY_SANITIZED
/* The run-time libraries of the sanitizers look at their process, start a tracer of it, and end it loudly. */
static const char *const for_sanitizers[] = {
  "clone",
  "ptrace",
  "personality",
  "wait4",
  "waitid",
  "kill",
  "tgkill",
  "tkill",
  "readlink",
  "readlinkat",
  "prctl",
  "process_vm_readv",
  "sched_setscheduler",
  "getdents64",
  "getdents",
  "access",
  "faccessat",
  "newfstatat",
  "stat",
  "prlimit64",
  "mprotect",
  "mmap",
  "mmap2",
  "pipe",
  "msync",
  "mlock",
  "munlock",
  "getpgrp",
  "ioctl",
  "arch_prctl",
  "statx",
  "fcntl",
};
#endif

static gboolean
is_sanitizer_call (const char *name)
{
#if WLY_SANITIZED
  for (gsize i = 0; i < G_N_ELEMENTS (for_sanitizers); i++)
    if (g_str_equal (for_sanitizers[i], name))
      return TRUE;
#endif
  return FALSE;
}

/* Keeps the first error; a call that this CPU does not have needs no rule. */
static void
rule (scmp_filter_ctx filter, guint32 action, const char *name, guint n_args, const struct scmp_arg_cmp *args,
      int *result)
{
  int number = seccomp_syscall_resolve_name (name);
  int r;

  if (number == __NR_SCMP_ERROR || *result < 0)
    return;
  r = seccomp_rule_add_array (filter, action, number, n_args, args);
  if (r < 0 && r != -EDOM && r != -EACCES)
    *result = r;
}

static void
allow_if (scmp_filter_ctx filter, const char *name, struct scmp_arg_cmp arg, int *result)
{
  if (!is_sanitizer_call (name))
    rule (filter, SCMP_ACT_ALLOW, name, 1, &arg, result);
}

static void
deny_with (scmp_filter_ctx filter, const char *name, int code, int *result)
{
  if (!is_sanitizer_call (name))
    rule (filter, SCMP_ACT_ERRNO ((guint)code), name, 0, NULL, result);
}

static void
add_threads (scmp_filter_ctx filter, int *result)
{
  const scmp_datum_t thread = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD;

  allow_if (filter, "clone", SCMP_A0 (SCMP_CMP_MASKED_EQ, thread, thread), result);
  /* its flags lie in memory, where a filter cannot look; the C library then uses clone() */
  deny_with (filter, "clone3", ENOSYS, result);
  allow_if (filter, "tgkill", SCMP_A0 (SCMP_CMP_EQ, (scmp_datum_t)getpid ()), result);
  allow_if (filter, "prctl", SCMP_A0 (SCMP_CMP_EQ, PR_SET_NAME), result);
  allow_if (filter, "prctl", SCMP_A0 (SCMP_CMP_EQ, PR_GET_NAME), result);
  allow_if (filter, "prctl", SCMP_A0 (SCMP_CMP_EQ, PR_GET_DUMPABLE), result);
  allow_if (filter, "prctl", SCMP_A0 (SCMP_CMP_EQ, 0x53564d41 /* PR_SET_VMA: newer C libraries name memory */), result);
  allow_if (filter, "prlimit64", SCMP_A0 (SCMP_CMP_EQ, 0), result);
}

static void
add_descriptors (scmp_filter_ctx filter, int *result)
{
  static const int commands[] = {
    F_DUPFD, F_DUPFD_CLOEXEC, F_GETFD, F_SETFD, F_GETFL, F_SETFL, F_GET_SEALS, F_ADD_SEALS
  };

  for (gsize i = 0; i < G_N_ELEMENTS (commands); i++) {
    allow_if (filter, "fcntl", SCMP_A1 (SCMP_CMP_EQ, (scmp_datum_t)commands[i]), result);
    allow_if (filter, "fcntl64", SCMP_A1 (SCMP_CMP_EQ, (scmp_datum_t)commands[i]), result);
  }
  /* fstat() by its newer name: an empty path and a descriptor */
  allow_if (filter, "newfstatat", SCMP_A3 (SCMP_CMP_MASKED_EQ, AT_EMPTY_PATH, AT_EMPTY_PATH), result);
  /* isatty(): no terminal */
  deny_with (filter, "ioctl", ENOTTY, result);
}

static void
add_memory (scmp_filter_ctx filter, WlySealProfile profile, int *result)
{
  static const char *const calls[] = { "mmap", "mmap2", "mprotect" };

  for (gsize i = 0; i < G_N_ELEMENTS (calls); i++) {
    if (profile == WLY_SEAL_LOADER)
      rule (filter, SCMP_ACT_ALLOW, calls[i], 0, NULL, result);
    else
      allow_if (filter, calls[i], SCMP_A2 (SCMP_CMP_MASKED_EQ, PROT_EXEC, 0), result);
  }
}

/* Opening for reading. */
static void
add_reading (scmp_filter_ctx filter, int *result)
{
  static const char *const looks[] = { "access", "faccessat", "faccessat2", "readlink", "readlinkat", "stat",
                                       "lstat",  "statx",     "statfs",     "getcwd",   "getdents64", "newfstatat" };
  const scmp_datum_t writing       = O_ACCMODE | O_CREAT | O_TRUNC | O_APPEND;

  rule (filter, SCMP_ACT_ALLOW, "openat", 1, (struct scmp_arg_cmp[]){ SCMP_A2 (SCMP_CMP_MASKED_EQ, writing, O_RDONLY) },
        result);
  rule (filter, SCMP_ACT_ALLOW, "open", 1, (struct scmp_arg_cmp[]){ SCMP_A1 (SCMP_CMP_MASKED_EQ, writing, O_RDONLY) },
        result);
  for (gsize i = 0; i < G_N_ELEMENTS (looks); i++)
    if (!is_sanitizer_call (looks[i]))
      rule (filter, SCMP_ACT_ALLOW, looks[i], 0, NULL, result);
}

static int
fill_filter (scmp_filter_ctx filter, WlySealProfile profile)
{
  int result = 0;

  for (gsize i = 0; i < G_N_ELEMENTS (allowed); i++)
    rule (filter, SCMP_ACT_ALLOW, allowed[i], 0, NULL, &result);
  for (gsize i = 0; i < G_N_ELEMENTS (deadly); i++)
    if (!is_sanitizer_call (deadly[i]))
      rule (filter, SCMP_ACT_KILL_PROCESS, deadly[i], 0, NULL, &result);
#if WLY_SANITIZED
  for (gsize i = 0; i < G_N_ELEMENTS (for_sanitizers); i++)
    rule (filter, SCMP_ACT_ALLOW, for_sanitizers[i], 0, NULL, &result);
  profile = WLY_SEAL_LOADER;
#endif
  add_threads (filter, &result);
  add_descriptors (filter, &result);
  add_memory (filter, profile, &result);
  if (profile == WLY_SEAL_LOADER)
    add_reading (filter, &result);
  return result;
}

static gboolean
set_filter (WlySealProfile profile, GError **error)
{
  scmp_filter_ctx filter = seccomp_init (SCMP_ACT_ERRNO (EPERM));
  int result;

  if (filter == NULL) {
    g_set_error_literal (error, WLY_ERROR, WLY_ERROR_FAILED, "The system-call filter could not be made");
    return FALSE;
  }
  result = seccomp_attr_set (filter, SCMP_FLTATR_CTL_TSYNC, 1);
  if (result == 0)
    result = fill_filter (filter, profile);
  if (result == 0)
    result = seccomp_load (filter);
  seccomp_release (filter);
  if (result == 0)
    return TRUE;
  g_set_error (error, WLY_ERROR, WLY_ERROR_FAILED,
               "The system-call filter was refused: %s. Build with -Dseccomp=disabled for a kernel without filters",
               g_strerror (-result));
  return FALSE;
}
#else
static gboolean
set_filter (WlySealProfile profile, GError **error)
{
  g_info ("built without libseccomp: no system-call filter");
  return TRUE;
}
#endif

gboolean
wly_seal_process (WlySealProfile profile, GError **error)
{
  if (!set_limits (error))
    return FALSE;
  if (prctl (PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
    g_set_error (error, WLY_ERROR, WLY_ERROR_FAILED, "no_new_privs: %s", g_strerror (errno));
    return FALSE;
  }
  return set_filter (profile, error);
}
