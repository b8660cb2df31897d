/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "plugin-note.h"

#include <elf.h>
#include <string.h>
#include <unistd.h>

#define MAX_SEGMENTS   128
#define MAX_NOTE_BYTES 65536

static gboolean
refuse (char **ret_reason, const char *reason)
{
  *ret_reason = g_strdup (reason);
  return FALSE;
}

static gboolean
read_at (int fd, guint64 offset, void *memory, gsize n_bytes)
{
  gsize n_done = 0;

  if (offset > G_MAXINT64 - n_bytes)
    return FALSE;
  while (n_done < n_bytes) {
    gssize n = pread (fd, (char *)memory + n_done, n_bytes - n_done, (off_t)(offset + n_done));

    if (n <= 0)
      return FALSE;
    n_done += (gsize)n;
  }
  return TRUE;
}

static gboolean
is_our_machine (const Elf64_Ehdr *header)
{
#if defined(__x86_64__)
  return GUINT16_FROM_LE (header->e_machine) == EM_X86_64;
#elif defined(__aarch64__)
  return GUINT16_FROM_LE (header->e_machine) == EM_AARCH64;
#else
  return TRUE; /* dlopen() will tell */
#endif
}

static gboolean
read_header (int fd, Elf64_Ehdr *header, char **ret_reason)
{
  if (!read_at (fd, 0, header, sizeof *header) || memcmp (header->e_ident, ELFMAG, SELFMAG) != 0)
    return refuse (ret_reason, "it is not an ELF object");
  if (header->e_ident[EI_CLASS] != ELFCLASS64 || header->e_ident[EI_DATA] != ELFDATA2LSB)
    return refuse (ret_reason, "it is not a 64-bit little-endian object");
  if (GUINT16_FROM_LE (header->e_type) != ET_DYN || !is_our_machine (header))
    return refuse (ret_reason, "it is not a shared object for this machine");
  if (GUINT16_FROM_LE (header->e_phentsize) != sizeof (Elf64_Phdr) || GUINT16_FROM_LE (header->e_phnum) == 0
      || GUINT16_FROM_LE (header->e_phnum) > MAX_SEGMENTS)
    return refuse (ret_reason, "its program headers cannot be");
  return TRUE;
}

static gsize
padded (gsize n_bytes, gsize alignment)
{
  return (n_bytes + alignment - 1) & ~(alignment - 1);
}

/* The descriptor of our note in a segment; NULL: none, or it is cut off. */
static const struct wlp_note *
find_note (const guint8 *segment, gsize n_bytes, gsize alignment)
{
  gsize at = 0;

  while (n_bytes - at >= 3 * sizeof (guint32)) {
    guint32 head[3];
    gsize n_owner;
    gsize n_descriptor;

    memcpy (head, segment + at, sizeof head);
    at += sizeof head;
    n_owner      = padded (GUINT32_FROM_LE (head[0]), alignment);
    n_descriptor = padded (GUINT32_FROM_LE (head[1]), alignment);
    if (n_owner > n_bytes - at || n_descriptor > n_bytes - at - n_owner)
      return NULL;
    if (GUINT32_FROM_LE (head[0]) == sizeof WLP_NOTE_OWNER && GUINT32_FROM_LE (head[1]) >= sizeof (struct wlp_note)
        && GUINT32_FROM_LE (head[2]) == WLP_NOTE_TYPE
        && memcmp (segment + at, WLP_NOTE_OWNER, sizeof WLP_NOTE_OWNER) == 0)
      return (const struct wlp_note *)(const void *)(segment + at + n_owner);
    at += n_owner + n_descriptor;
  }
  return NULL;
}

static gboolean
read_segment (int fd, const Elf64_Phdr *segment, struct wlp_note *ret_note)
{
  guint64 n_bytes            = GUINT64_FROM_LE (segment->p_filesz);
  gsize alignment            = GUINT64_FROM_LE (segment->p_align) == 8 ? 8 : 4;
  g_autofree guint8 *content = NULL;
  const struct wlp_note *note;

  if (GUINT32_FROM_LE (segment->p_type) != PT_NOTE || n_bytes > MAX_NOTE_BYTES)
    return FALSE;
  content = g_malloc (n_bytes + 1);
  if (!read_at (fd, GUINT64_FROM_LE (segment->p_offset), content, n_bytes))
    return FALSE;
  note = find_note (content, n_bytes, alignment);
  if (note != NULL)
    memcpy (ret_note, note, sizeof *ret_note);
  return note != NULL;
}

static gboolean
name_is_sound (const char name[WLP_NAME_MAX])
{
  gsize n = strnlen (name, WLP_NAME_MAX);

  return n > 0 && n < WLP_NAME_MAX && strspn (name, "abcdefghijklmnopqrstuvwxyz0123456789_-") == n;
}

gboolean
wly_plugin_note_read (int fd, struct wlp_note *ret_note, char **ret_reason)
{
  Elf64_Ehdr header;
  Elf64_Phdr segments[MAX_SEGMENTS];
  gboolean is_found = FALSE;
  guint n;

  if (!read_header (fd, &header, ret_reason))
    return FALSE;
  n = GUINT16_FROM_LE (header.e_phnum);
  if (!read_at (fd, GUINT64_FROM_LE (header.e_phoff), segments, n * sizeof *segments))
    return refuse (ret_reason, "its program headers lie outside the file");
  for (guint i = 0; i < n && !is_found; i++)
    is_found = read_segment (fd, &segments[i], ret_note);
  if (!is_found)
    return refuse (ret_reason, "it has no note " WLP_NOTE_SECTION ", so it is not a plugin of Woolly");
  ret_note->abi_major = GUINT32_FROM_LE (ret_note->abi_major);
  ret_note->abi_minor = GUINT32_FROM_LE (ret_note->abi_minor);
  ret_note->kind      = GUINT32_FROM_LE (ret_note->kind);
  if (!name_is_sound (ret_note->name))
    return refuse (ret_reason, "the name in its note cannot be: wanted are small letters, digits, - and _");
  return TRUE;
}
