/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The reader of ELF notes, on objects made here and on every damage to them.
 */
#include "plugin-note.h"
#include "wly-os.h"

#include <elf.h>
#include <string.h>
#include <unistd.h>

#if defined(__aarch64__)
#define MACHINE EM_AARCH64
#else
#define MACHINE EM_X86_64
#endif

/* Header, two program headers, a foreign note and ours. */
typedef struct {
  Elf64_Ehdr header;
  Elf64_Phdr segments[2];
  guint32 foreign[3];
  char foreign_owner[4];
  guint8 foreign_descriptor[20];
  struct wlp_note_section note;
} Object;

static Object
object_new (void)
{
  Object object = {
    .header        = { .e_ident     = ELFMAG,
                       .e_type      = ET_DYN,
                       .e_machine   = MACHINE,
                       .e_phoff     = offsetof (Object, segments),
                       .e_phentsize = sizeof (Elf64_Phdr),
                       .e_phnum     = 2 },
    .segments      = { { .p_type = PT_LOAD, .p_filesz = 10 },
                       { .p_type   = PT_NOTE,
                         .p_offset = offsetof (Object, foreign),
                         .p_filesz = sizeof (Object) - offsetof (Object, foreign),
                         .p_align  = 4 } },
    .foreign       = { 4, 20, 3 },
    .foreign_owner = "GNU",
    .note          = { 7, sizeof (struct wlp_note), WLP_NOTE_TYPE, WLP_NOTE_OWNER, { 1, 0, WLP_KIND_ARCH, "llama" } },
  };

  object.header.e_ident[EI_CLASS] = ELFCLASS64;
  object.header.e_ident[EI_DATA]  = ELFDATA2LSB;
  return object;
}

/* NULL: read; else the reason. */
static char *
read_bytes (const void *bytes, gsize n_bytes, struct wlp_note *ret_note)
{
  int fd       = wly_os_memfd_new_sealed ("object", bytes, n_bytes, NULL);
  char *reason = NULL;

  g_assert_cmpint (fd, >=, 0);
  if (wly_plugin_note_read (fd, ret_note, &reason))
    g_assert_null (reason);
  else
    g_assert_nonnull (reason);
  close (fd);
  return reason;
}

static void
expect_refused (const Object *object, const char *why)
{
  struct wlp_note note;
  g_autofree char *reason = read_bytes (object, sizeof *object, &note);

  g_assert_nonnull (reason);
  if (strstr (reason, why) == NULL)
    g_error ("\"%s\" does not say \"%s\"", reason, why);
}

static void
test_sound (void)
{
  Object object = object_new ();
  struct wlp_note note;

  g_assert_null (read_bytes (&object, sizeof object, &note));
  g_assert_cmpstr (note.name, ==, "llama");
  g_assert_cmpuint (note.abi_major, ==, 1);
  g_assert_cmpuint (note.kind, ==, WLP_KIND_ARCH);
}

static void
test_refused (void)
{
  Object object = object_new ();

  object.header.e_ident[EI_CLASS] = ELFCLASS32;
  expect_refused (&object, "64-bit");
  object                  = object_new ();
  object.header.e_machine = EM_SPARC;
  expect_refused (&object, "machine");
  object               = object_new ();
  object.header.e_type = ET_EXEC;
  expect_refused (&object, "shared object");
  object                = object_new ();
  object.header.e_phnum = 65535;
  expect_refused (&object, "program headers");
  object                = object_new ();
  object.header.e_phoff = G_MAXUINT64 - 8;
  expect_refused (&object, "program headers");
  object                    = object_new ();
  object.header.e_phentsize = 8;
  expect_refused (&object, "program headers");
  object                      = object_new ();
  object.segments[1].p_offset = G_MAXUINT64 - 8;
  expect_refused (&object, "no note");
  object                      = object_new ();
  object.segments[1].p_filesz = G_MAXUINT64;
  expect_refused (&object, "no note");
  object            = object_new ();
  object.foreign[0] = G_MAXUINT32;
  expect_refused (&object, "no note");
  object            = object_new ();
  object.foreign[1] = G_MAXUINT32 - 2;
  expect_refused (&object, "no note");
  object                       = object_new ();
  object.note.descriptor_bytes = 8;
  expect_refused (&object, "no note");
  object               = object_new ();
  object.note.owner[0] = 'w';
  expect_refused (&object, "no note");
}

static void
test_names (void)
{
  const char *const bad[] = { "", "../llama", "Llama", "ll ama", "a\xff" };
  Object object           = object_new ();

  for (guint i = 0; i < G_N_ELEMENTS (bad); i++) {
    memset (object.note.note.name, 0, WLP_NAME_MAX);
    memcpy (object.note.note.name, bad[i], strlen (bad[i]));
    expect_refused (&object, "name");
  }
  memset (object.note.note.name, 'a', WLP_NAME_MAX);
  expect_refused (&object, "name");
}

/* Cut anywhere, it is refused or read; nothing else happens. */
static void
test_cuts (void)
{
  Object object = object_new ();
  struct wlp_note note;

  for (gsize n = 0; n < sizeof object; n++) {
    g_autofree char *reason = read_bytes (&object, n, &note);

    g_assert_nonnull (reason);
  }
}

static void
test_flips (void)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (3);

  for (guint i = 0; i < 20000; i++) {
    Object object           = object_new ();
    struct wlp_note note    = { 0 };
    g_autofree char *reason = NULL;

    for (gint n = g_rand_int_range (rand, 1, 4); n > 0; n--)
      ((guint8 *)&object)[g_rand_int_range (rand, 0, sizeof object)] = (guint8)g_rand_int (rand);
    reason = read_bytes (&object, sizeof object, &note);
    if (reason == NULL)
      g_assert_cmpuint (strnlen (note.name, WLP_NAME_MAX), <, WLP_NAME_MAX);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/host/plugin-note/sound", test_sound);
  g_test_add_func ("/host/plugin-note/refused", test_refused);
  g_test_add_func ("/host/plugin-note/names", test_names);
  g_test_add_func ("/host/plugin-note/cuts", test_cuts);
  g_test_add_func ("/host/plugin-note/flips", test_flips);
  return g_test_run ();
}
