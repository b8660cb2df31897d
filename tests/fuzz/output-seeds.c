/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The samples of output parsers as inputs of fuzz-output, two for each: output-seeds FOLDER STAMP.
 */
#include "../unit/engine/output-fixture.h"

#define FLAGS 40 /* cut behind some bytes; tools, and no open thoughts */

static void
write_seed (const char *folder, const char *kind, guint8 number, const GString *text)
{
  g_autofree char *name    = g_strdup_printf ("%s-%u", kind, number);
  g_autofree char *path    = g_build_filename (folder, name, NULL);
  g_autoptr (GString) all  = g_string_new (NULL);
  g_autoptr (GError) error = NULL;

  g_string_append_c (all, (char)number);
  g_string_append_c (all, FLAGS);
  g_string_append_len (all, text->str, (gssize)text->len);
  g_file_set_contents (path, all->str, (gssize)all->len, &error);
  g_assert_no_error (error);
}

int
main (int argc, char **argv)
{
  g_assert_cmpint (argc, ==, 3);
  g_assert_cmpint (g_mkdir_with_parents (argv[1], 0755), ==, 0);
  for (guint8 i = 0; wly_fixture_output_samples[i].name != NULL; i++) {
    g_autoptr (GString) text = g_string_new (wly_fixture_output_samples[i].output);

    write_seed (argv[1], "sample", i, text);
    g_string_prepend_c (text, '\0');
    g_string_prepend (text, wly_fixture_output_samples[i].source);
    write_seed (argv[1], "source", i, text);
  }
  return g_file_set_contents (argv[2], "", 0, NULL) ? 0 : 1;
}
