/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The plugin ABI of Woolly, version 1: what every plugin exports.
 *
 * A plugin is a shared object with one exported symbol, wlp_plugin_enum(), and
 * one ELF note, which the host reads before it opens the object.  Rules that
 * hold for the whole ABI:
 *
 *  - the first member of every struct that may grow is `version`; a reader uses
 *    no member younger than the version that it finds there
 *  - errors cross as negative errno; where a struct wlp_error is handed in, the
 *    callee also says what was wrong, where, and what was expected
 *  - strings are UTF-8 and belong to whoever made them unless said otherwise
 *  - no constructors, no threads and no memory before the plugin's open();
 *    memory and log lines come from the services that the host hands in
 *  - nothing is called re-entrantly: one call at a time for each object, but
 *    for those marked (any thread)
 */
#pragma once

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A plugin with another major number is refused; with a younger minor number, too. */
#define WLP_ABI_MAJOR 1u
#define WLP_ABI_MINOR 4u

#define WLP_PLUGIN_VERSION 1u
#define WLP_PLUGIN_SYMBOL  "wlp_plugin_enum"
#define WLP_NOTE_OWNER     "Woolly" /* with its NUL: 7 bytes */
#define WLP_NOTE_TYPE      1u
#define WLP_NAME_MAX       36 /* bytes of a plugin's name, NUL included */

#if defined(__GNUC__)
#define WLP_PUBLIC            __attribute__ ((visibility ("default")))
#define WLP_PRINTF(at, first) __attribute__ ((format (printf, at, first)))
#else
#define WLP_PUBLIC
#define WLP_PRINTF(at, first)
#endif

enum wlp_kind {
  WLP_KIND_ARCH    = 1, /* ops is a struct wlp_arch_ops */
  WLP_KIND_BACKEND = 2, /* ops is a struct wlp_backend_ops */
};

/* Caller's memory; message is set, and cut where it is too long, on failure only. */
struct wlp_error {
  char message[512];
};

static inline int wlp_error_set (struct wlp_error *error, int code, const char *format, ...) WLP_PRINTF (3, 4);

/* Writes the message and gives @code back, so that `return wlp_error_set (error, -EINVAL, …)` reads well. */
static inline int
wlp_error_set (struct wlp_error *error, int code, const char *format, ...)
{
  va_list args;

  if (error == NULL)
    return code;
  va_start (args, format);
  vsnprintf (error->message, sizeof error->message, format, args);
  va_end (args);
  return code;
}

/* The descriptor of the ELF note .note.woolly: little-endian, read without dlopen(). */
struct wlp_note {
  uint32_t abi_major;
  uint32_t abi_minor;
  uint32_t kind; /* enum wlp_kind of the first plugin of the object */
  char name[WLP_NAME_MAX];
};

struct wlp_plugin {
  uint32_t version; /* WLP_PLUGIN_VERSION */
  uint32_t kind;    /* enum wlp_kind */
  const char *name; /* the file's stem, "llama" */
  const char *release;
  const char *summary; /* one line for people */
  const char *license; /* SPDX */
  const void *ops;     /* by kind */
};

/* The one exported symbol: plugin number @index of this object, NULL past the last one. */
typedef const struct wlp_plugin *(*wlp_plugin_enum_fn) (uint32_t index);
WLP_PUBLIC const struct wlp_plugin *wlp_plugin_enum (uint32_t index);

/* The whole ELF note as one object: header, owner, descriptor; every part is a multiple of 4 bytes. */
struct wlp_note_section {
  uint32_t owner_bytes;
  uint32_t descriptor_bytes;
  uint32_t type;
  char owner[8];
  struct wlp_note note;
};

#if defined(__APPLE__)
#define WLP_NOTE_SECTION "__TEXT,__woolly"
#else
#define WLP_NOTE_SECTION ".note.woolly"
#endif

/* Once in a plugin, at file level: WLP_PLUGIN_NOTE (WLP_KIND_ARCH, "llama"); */
#define WLP_PLUGIN_NOTE(plugin_kind, plugin_name)                                                                      \
  __attribute__ ((section (WLP_NOTE_SECTION), used,                                                                    \
                  aligned (4))) static const struct wlp_note_section wlp_note_data = {                                 \
    7u,                                                                                                                \
    (uint32_t)sizeof (struct wlp_note),                                                                                \
    WLP_NOTE_TYPE,                                                                                                     \
    WLP_NOTE_OWNER,                                                                                                    \
    { WLP_ABI_MAJOR, WLP_ABI_MINOR, plugin_kind, plugin_name }                                                         \
  }

#ifdef __cplusplus
}
#endif
