/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Every tensor of every family, missing or of another shape: an error that names it, its shape and the shape wanted.
 */
#include "arch-samples.h"

#include "plugin-host.h"
#include "run/program-builder.h"

#include <glib/gstdio.h>
#include <string.h>

/* A file in which one tensor is not as it should be. */
typedef struct {
  const WlyGguf *gguf;
  const char *name; /* NULL: all is well */
  gboolean is_hidden;
  gboolean was_asked_for;
} Damage;

static GPtrArray *samples;
static GPtrArray *files;

static gboolean
lookup_cb (gpointer user_data, const char *name, struct wlp_weight_source *ret_source, const char **ret_name)
{
  Damage *damage              = user_data;
  const WlyGgufTensor *tensor = wly_gguf_find_tensor (damage->gguf, name);
  gboolean is_it              = g_strcmp0 (name, damage->name) == 0;

  damage->was_asked_for = damage->was_asked_for || is_it;
  if (tensor == NULL || (is_it && damage->is_hidden))
    return FALSE;
  wly_gguf_tensor_source (damage->gguf, tensor, ret_source);
  if (is_it)
    ret_source->shape.ne[0] += 32;
  *ret_name = tensor->name;
  return TRUE;
}

/* The error, or NULL. */
static char *
describe (Damage *damage)
{
  const struct wlp_metadata *metadata = wly_gguf_metadata ((WlyGguf *)damage->gguf);
  const struct wlp_arch_ops *arch     = wly_plugin_host_find_arch (files, metadata->ops->architecture (metadata), NULL);
  g_autoptr (WlyProgramBuilder) builder = wly_program_builder_new (lookup_cb, damage);
  struct wlp_error fault                = { { 0 } };

  g_assert_nonnull (arch);
  if (arch->describe (metadata, &builder->base, &fault) != 0)
    return g_strdup (fault.message);
  return wly_program_builder_finish (builder) ? NULL : g_strdup (builder->error->message);
}

/* Tensors that a network of the same family may lack, by the end of the name or all of it. */
static gboolean
is_optional (const char *name)
{
  static const char *const ends[]  = { ".bias", "attn_qkv.weight", "attn_q_norm.weight", "attn_k_norm.weight" };
  static const char *const names[] = { "output.weight",
                                       "rope_freqs.weight",
                                       "rope_factors_short.weight",
                                       "rope_factors_long.weight",
                                       "token_types.weight",
                                       "cls.weight",
                                       NULL };

  for (guint i = 0; i < G_N_ELEMENTS (ends); i++)
    if (g_str_has_suffix (name, ends[i]))
      return TRUE;
  return g_strv_contains (names, name) || g_str_has_suffix (name, ".ffn_norm.weight");
}

static void
assert_says (const char *error, const char *tensor, const char *word)
{
  if (error == NULL || strstr (error, word) == NULL)
    g_error ("%s: \"%s\" does not say \"%s\"", tensor, error != NULL ? error : "no error", word);
}

static void
test_missing (gconstpointer data)
{
  g_autoptr (WlyGguf) gguf = conformance_model (((const ArchSample *)data)->model);
  Damage whole             = { .gguf = gguf };
  guint n_required         = 0;

  g_assert_null (describe (&whole));
  for (guint64 i = 0; i < wly_gguf_n_tensors (gguf); i++) {
    Damage damage          = { .gguf = gguf, .name = wly_gguf_tensor (gguf, i)->name, .is_hidden = TRUE };
    g_autofree char *error = describe (&damage);

    g_assert_true (damage.was_asked_for);
    if (error == NULL) {
      g_assert_true (is_optional (damage.name));
      continue;
    }
    n_required++;
    /* without the fused tensor, the three others are */
    if (g_str_has_suffix (damage.name, "attn_qkv.weight")) {
      assert_says (error, damage.name, "attn_q.weight");
    } else {
      assert_says (error, damage.name, damage.name);
    }
    assert_says (error, damage.name, "missing");
    assert_says (error, damage.name, "wanted is one of shape [");
  }
  g_assert_cmpuint (n_required, >, 8);
}

static void
test_misshapen (gconstpointer data)
{
  g_autoptr (WlyGguf) gguf = conformance_model (((const ArchSample *)data)->model);

  for (guint64 i = 0; i < wly_gguf_n_tensors (gguf); i++) {
    const WlyGgufTensor *tensor = wly_gguf_tensor (gguf, i);
    Damage damage               = { .gguf = gguf, .name = tensor->name };
    g_autofree char *wanted     = wly_program_shape_text (tensor->shape.n_dims, tensor->shape.ne);
    g_autofree char *found      = NULL;
    g_autofree char *error      = NULL;
    guint64 ne[WLP_MAX_DIMS];

    memcpy (ne, tensor->shape.ne, sizeof ne);
    ne[0] += 32;
    found = wly_program_shape_text (tensor->shape.n_dims, ne);
    error = describe (&damage);
    assert_says (error, damage.name, damage.name);
    assert_says (error, damage.name, wanted);
    assert_says (error, damage.name, found);
  }
}

/* Keys that every family needs, and values that cannot be. */
static void
test_keys (gconstpointer data)
{
  static const char *const names[] = { "block_count", "embedding_length", "context_length", "attention.head_count" };
  g_autoptr (WlyGguf) gguf         = conformance_model (((const ArchSample *)data)->model);
  const struct wlp_metadata *facts = wly_gguf_metadata (gguf);
  g_autoptr (GBytes) bytes         = wly_test_data_read (((const ArchSample *)data)->model);

  for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
    g_autofree char *key      = g_strdup_printf ("%s.%s", facts->ops->architecture (facts), names[i]);
    g_autofree guint8 *copy   = g_memdup2 (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes));
    guint8 *place             = memmem (copy, g_bytes_get_size (bytes), key, strlen (key));
    g_autofree char *path     = NULL;
    g_autofree char *error    = NULL;
    g_autoptr (WlyGguf) other = NULL;
    g_autoptr (GError) fault  = NULL;
    Damage damage             = { 0 };
    int fd;

    g_assert_nonnull (place);
    place[strlen (key) - 1] ^= 1; /* the key has another name now */
    fd = g_file_open_tmp ("woolly-arch-XXXXXX.gguf", &path, &fault);
    g_assert_no_error (fault);
    g_close (fd, NULL);
    g_assert_true (g_file_set_contents (path, (const char *)copy, (gssize)g_bytes_get_size (bytes), NULL));
    other       = conformance_model (path);
    damage.gguf = other;
    error       = describe (&damage);
    assert_says (error, key, key);
    assert_says (error, key, "is missing");
    g_remove (path);
  }
}

int
main (int argc, char **argv)
{
  static const struct {
    const char *name;
    GTestDataFunc test;
  } cases[] = { { "missing", test_missing }, { "misshapen", test_misshapen }, { "keys", test_keys } };
  int status;

  g_test_init (&argc, &argv, NULL);
  samples = arch_samples_list ();
  files   = arch_samples_plugins ();
  for (guint c = 0; c < G_N_ELEMENTS (cases); c++)
    for (guint i = 0; i < samples->len; i++) {
      const ArchSample *sample = g_ptr_array_index (samples, i);
      g_autofree char *path    = g_strdup_printf ("/conformance/arch-tensors/%s/%s", cases[c].name, sample->name);

      g_test_add_data_func (path, sample, cases[c].test);
    }
  status = g_test_run ();
  g_ptr_array_unref (samples);
  g_ptr_array_unref (files);
  return status;
}
