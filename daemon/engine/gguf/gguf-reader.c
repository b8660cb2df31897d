/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gguf/gguf-private.h"

#include "wly-error.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAGIC_BYTES 4u
#define MIN_VERSION 2u
#define MAX_VERSION 3u
/* Descriptors 0 to 2 belong to the process, 3 and up may be promised to others while a worker starts. */
#define MIN_FD 3

typedef struct {
  guint32 version;
  guint64 n_tensors;
  guint64 n_keys;
} Header;

static gint64
timespec_us (const struct timespec *time)
{
  return (gint64)time->tv_sec * G_USEC_PER_SEC + time->tv_nsec / 1000;
}

static void
identity_from_stat (WlyGgufIdentity *identity, const struct stat *status)
{
  identity->device      = (guint64)status->st_dev;
  identity->inode       = (guint64)status->st_ino;
  identity->n_bytes     = (guint64)status->st_size;
  identity->modified_us = timespec_us (&status->st_mtim);
  identity->changed_us  = timespec_us (&status->st_ctim);
}

static gboolean
map_part (WlyGgufPart *part, int fd, GError **error)
{
  struct stat status;
  void *map;

  part->fd = fcntl (fd, F_DUPFD_CLOEXEC, MIN_FD);
  if (part->fd < 0 || fstat (part->fd, &status) != 0) {
    g_set_error (error, WLY_ERROR, WLY_ERROR_FAILED, "cannot use the file descriptor: %s", g_strerror (errno));
    return FALSE;
  }
  if (!S_ISREG (status.st_mode)) {
    g_set_error (error, WLY_ERROR, WLY_ERROR_INVALID_MODEL, "not a regular file");
    return FALSE;
  }
  if (status.st_size < (off_t)MAGIC_BYTES || (guint64)status.st_size > G_MAXSIZE) {
    g_set_error (error, WLY_ERROR, WLY_ERROR_INVALID_MODEL, "a file of %" G_GINT64_FORMAT " bytes is no GGUF file",
                 (gint64)status.st_size);
    return FALSE;
  }
  identity_from_stat (&part->identity, &status);
  part->n_bytes = (gsize)status.st_size;
  map           = mmap (NULL, part->n_bytes, PROT_READ, MAP_PRIVATE, part->fd, 0);
  if (map == MAP_FAILED) {
    g_set_error (error, WLY_ERROR, errno == ENOMEM ? WLY_ERROR_NO_MEMORY : WLY_ERROR_FAILED, "cannot map the file: %s",
                 g_strerror (errno));
    return FALSE;
  }
  part->map = map;
  return TRUE;
}

static gboolean
check_magic (const guint8 *magic, GError **error)
{
  if (memcmp (magic, "GGUF", MAGIC_BYTES) == 0)
    return TRUE;
  if (memcmp (magic, "vers", MAGIC_BYTES) == 0) {
    g_set_error (error, WLY_ERROR, WLY_ERROR_INVALID_MODEL,
                 "not a GGUF file; it looks like a Git LFS pointer, fetch the file itself");
    return FALSE;
  }
  g_set_error (error, WLY_ERROR, WLY_ERROR_INVALID_MODEL,
               "not a GGUF file: it begins with the bytes %02x %02x %02x %02x, expected \"GGUF\"", magic[0], magic[1],
               magic[2], magic[3]);
  return FALSE;
}

static gboolean
parse_header (WlyGgufCursor *cursor, Header *ret_header, GError **error)
{
  const guint8 *magic = wly_gguf_cursor_take (cursor, MAGIC_BYTES);

  if (magic != NULL && !check_magic (magic, error))
    return FALSE;
  if (magic == NULL || !wly_gguf_cursor_take_u32 (cursor, &ret_header->version)) {
    g_set_error (error, WLY_ERROR, WLY_ERROR_INVALID_MODEL, "the file ends inside its header");
    return FALSE;
  }
  if (GUINT32_SWAP_LE_BE (ret_header->version) >= 1 && GUINT32_SWAP_LE_BE (ret_header->version) <= MAX_VERSION) {
    g_set_error (error, WLY_ERROR, WLY_ERROR_UNSUPPORTED_MODEL,
                 "a big-endian GGUF file; only little-endian ones can be read");
    return FALSE;
  }
  if (ret_header->version < MIN_VERSION || ret_header->version > MAX_VERSION) {
    g_set_error (error, WLY_ERROR, WLY_ERROR_UNSUPPORTED_MODEL, "GGUF version %u, expected %u or %u",
                 ret_header->version, MIN_VERSION, MAX_VERSION);
    return FALSE;
  }
  if (!wly_gguf_cursor_take_u64 (cursor, &ret_header->n_tensors)
      || !wly_gguf_cursor_take_u64 (cursor, &ret_header->n_keys)) {
    g_set_error (error, WLY_ERROR, WLY_ERROR_INVALID_MODEL, "the file ends inside its header");
    return FALSE;
  }
  return TRUE;
}

static gboolean
find_alignment (const WlyGgufKeys *keys, gsize *ret_alignment, GError **error)
{
  const WlyGgufKey *key = wly_gguf_keys_find (keys, "general.alignment");
  guint64 value         = WLY_GGUF_ALIGNMENT;

  if (key != NULL && key->type != WLY_GGUF_U32) {
    g_set_error (error, WLY_ERROR, WLY_ERROR_INVALID_MODEL, "key \"general.alignment\": type %s, expected u32",
                 wly_gguf_type_name (key->type));
    return FALSE;
  }
  if (key != NULL)
    wly_gguf_value_u64 (key, &value);
  if (value < WLY_GGUF_MIN_ALIGNMENT || value > WLY_GGUF_MAX_ALIGNMENT || (value & (value - 1)) != 0) {
    g_set_error (error, WLY_ERROR, WLY_ERROR_INVALID_MODEL,
                 "key \"general.alignment\": %" G_GUINT64_FORMAT ", expected a power of two from %u to %u", value,
                 WLY_GGUF_MIN_ALIGNMENT, WLY_GGUF_MAX_ALIGNMENT);
    return FALSE;
  }
  *ret_alignment = (gsize)value;
  return TRUE;
}

/* The data begins at the next aligned place; a file without tensors may end before it. */
static gboolean
find_data (WlyGgufPart *part, gsize header_bytes, GError **error)
{
  gsize end;

  if (!g_size_checked_add (&end, header_bytes, part->alignment - 1))
    end = G_MAXSIZE;
  end &= ~(part->alignment - 1);
  if (end <= part->n_bytes) {
    part->data_offset = end;
    return TRUE;
  }
  part->data_offset = part->n_bytes;
  if (part->n_tensors == 0)
    return TRUE;
  g_set_error (error, WLY_ERROR, WLY_ERROR_INVALID_MODEL,
               "the file ends before the data of its tensors; is the file complete?");
  return FALSE;
}

static gboolean
parse_part (WlyGguf *gguf, guint number, WlyGgufKeys *keys, guint64 *ret_split_tensors, GError **error)
{
  WlyGgufPart *part    = &gguf->parts[number];
  WlyGgufCursor cursor = { .data = part->map, .n_bytes = part->n_bytes };
  Header header;

  if (!parse_header (&cursor, &header, error) || !wly_gguf_keys_parse (keys, &cursor, header.n_keys, error)
      || !wly_gguf_split_check (keys, number, gguf->n_parts, ret_split_tensors, error)
      || !find_alignment (keys, &part->alignment, error))
    return FALSE;
  part->n_tensors    = header.n_tensors;
  part->first_tensor = gguf->tensors->len;
  return wly_gguf_tensors_parse (gguf, number, &cursor, error) && find_data (part, cursor.at, error)
         && wly_gguf_tensors_place (gguf, number, error);
}

static gboolean
find_architecture (WlyGguf *gguf, GError **error)
{
  gguf->architecture = wly_gguf_dup_string (gguf, "general.architecture");
  if (gguf->architecture != NULL && gguf->architecture[0] != '\0')
    return TRUE;
  g_set_error (error, WLY_ERROR, WLY_ERROR_INVALID_MODEL,
               "key \"general.architecture\": expected a string; without it the file is no model");
  return FALSE;
}

static gboolean
check_names (WlyGguf *gguf, guint64 n_split_tensors, GError **error)
{
  const char *twice = wly_gguf_index_sort (&gguf->tensor_index);

  if (twice != NULL) {
    g_autofree char *name = wly_gguf_display_name (twice, strlen (twice));

    g_set_error (error, WLY_ERROR, WLY_ERROR_INVALID_MODEL, "tensor \"%s\": stands in the file twice, expected once",
                 name);
    return FALSE;
  }
  if (gguf->n_parts > 1 && n_split_tensors != G_MAXUINT64 && n_split_tensors != gguf->tensors->len) {
    g_set_error (error, WLY_ERROR, WLY_ERROR_INVALID_MODEL,
                 "key \"split.tensors.count\": %" G_GUINT64_FORMAT " tensors, but the files hold %u", n_split_tensors,
                 gguf->tensors->len);
    return FALSE;
  }
  return TRUE;
}

static gboolean
parse_parts (WlyGguf *gguf, GError **error)
{
  guint64 n_split_tensors = G_MAXUINT64, unused;

  if (!parse_part (gguf, 0, &gguf->keys, &n_split_tensors, error) || !find_architecture (gguf, error))
    return FALSE;
  for (guint i = 1; i < gguf->n_parts; i++) {
    WlyGgufKeys keys  = { 0 };
    const gboolean ok = parse_part (gguf, i, &keys, &unused, error);

    wly_gguf_keys_finish (&keys);
    if (!ok) {
      g_prefix_error (error, "file %u of %u: ", i + 1, gguf->n_parts);
      return FALSE;
    }
  }
  return check_names (gguf, n_split_tensors, error);
}

WlyGguf *
wly_gguf_open (const int *fds, guint n_fds, GError **error)
{
  g_autoptr (WlyGguf) gguf = g_new0 (WlyGguf, 1);

  g_atomic_ref_count_init (&gguf->refs);
  gguf->metadata.ops = &wly_gguf_metadata_ops;
  gguf->tensors      = g_array_new (FALSE, FALSE, sizeof (WlyGgufTensor));
  gguf->tensor_names = g_string_chunk_new (4096);
  wly_gguf_index_init (&gguf->tensor_index, 0);
  if (n_fds == 0 || n_fds > WLY_GGUF_MAX_PARTS) {
    g_set_error (error, WLY_ERROR, WLY_ERROR_INVALID_MODEL, "%u files, expected 1 to %u", n_fds, WLY_GGUF_MAX_PARTS);
    return NULL;
  }
  gguf->parts = g_new0 (WlyGgufPart, n_fds);
  for (guint i = 0; i < n_fds; i++)
    gguf->parts[i].fd = -1;
  gguf->n_parts = n_fds;
  for (guint i = 0; i < n_fds; i++)
    if (!map_part (&gguf->parts[i], fds[i], error))
      return NULL;
  if (!parse_parts (gguf, error) || !wly_gguf_check_unchanged (gguf, error))
    return NULL;
  return g_steal_pointer (&gguf);
}

WlyGguf *
wly_gguf_ref (WlyGguf *gguf)
{
  g_atomic_ref_count_inc (&gguf->refs);
  return gguf;
}

void
wly_gguf_unref (WlyGguf *gguf)
{
  if (gguf == NULL || !g_atomic_ref_count_dec (&gguf->refs))
    return;
  for (guint i = 0; i < gguf->n_parts; i++) {
    if (gguf->parts[i].map != NULL)
      munmap ((void *)gguf->parts[i].map, gguf->parts[i].n_bytes);
    if (gguf->parts[i].fd >= 0)
      close (gguf->parts[i].fd);
  }
  wly_gguf_keys_finish (&gguf->keys);
  wly_gguf_index_finish (&gguf->tensor_index);
  g_array_unref (gguf->tensors);
  g_string_chunk_free (gguf->tensor_names);
  g_free (gguf->architecture);
  g_free (gguf->parts);
  g_free (gguf);
}

gboolean
wly_gguf_check_unchanged (WlyGguf *gguf, GError **error)
{
  for (guint i = 0; i < gguf->n_parts; i++) {
    WlyGgufIdentity now;
    struct stat status;

    if (fstat (gguf->parts[i].fd, &status) != 0) {
      g_set_error (error, WLY_ERROR, WLY_ERROR_FAILED, "cannot look at the model's file: %s", g_strerror (errno));
      return FALSE;
    }
    identity_from_stat (&now, &status);
    /* not the time of change: a rename or another hard link moves it, too */
    if (now.n_bytes != gguf->parts[i].identity.n_bytes || now.modified_us != gguf->parts[i].identity.modified_us) {
      g_set_error (error, WLY_ERROR, WLY_ERROR_MODEL_CHANGED,
                   "file %u of %u was written to while it was open (%" G_GUINT64_FORMAT
                   " bytes then, %" G_GUINT64_FORMAT " now); load the model again",
                   i + 1, gguf->n_parts, gguf->parts[i].identity.n_bytes, now.n_bytes);
      return FALSE;
    }
  }
  return TRUE;
}

guint
wly_gguf_n_parts (const WlyGguf *gguf)
{
  return gguf->n_parts;
}

void
wly_gguf_identity (const WlyGguf *gguf, guint part, WlyGgufIdentity *ret_identity)
{
  *ret_identity = gguf->parts[part].identity;
}

guint64
wly_gguf_n_tensors (const WlyGguf *gguf)
{
  return gguf->tensors->len;
}

const WlyGgufTensor *
wly_gguf_tensor (const WlyGguf *gguf, guint64 index)
{
  return index < gguf->tensors->len ? &g_array_index (gguf->tensors, WlyGgufTensor, index) : NULL;
}

const WlyGgufTensor *
wly_gguf_find_tensor (const WlyGguf *gguf, const char *name)
{
  guint32 number;

  return wly_gguf_index_find (&gguf->tensor_index, name, &number) ? wly_gguf_tensor (gguf, number) : NULL;
}

const void *
wly_gguf_tensor_data (const WlyGguf *gguf, const WlyGgufTensor *tensor)
{
  return gguf->parts[tensor->part].map + tensor->offset;
}

void
wly_gguf_tensor_source (const WlyGguf *gguf, const WlyGgufTensor *tensor, struct wlp_weight_source *ret_source)
{
  *ret_source = (struct wlp_weight_source){
    .shape   = tensor->shape,
    .fd      = gguf->parts[tensor->part].fd,
    .offset  = tensor->offset,
    .n_bytes = tensor->n_bytes,
    .map     = wly_gguf_tensor_data (gguf, tensor),
  };
}
