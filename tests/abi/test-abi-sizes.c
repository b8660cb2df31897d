/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Sizes and places in the interface as they are in version 1 on 64-bit machines.  A change here is a new version.
 */
#include "woolly-plugin/arch.h"
#include "woolly-plugin/backend.h"

#include <glib.h>

#define SIZE(type, n)           _Static_assert(sizeof (type) == (n), "the size of " #type " is part of the interface")
#define OFFSET(type, member, n) _Static_assert(offsetof (type, member) == (n), #type "." #member " must stay there")

SIZE (struct wlp_error, 512);
SIZE (struct wlp_note, 48);
SIZE (struct wlp_note_section, 68);
SIZE (struct wlp_plugin, 48);
OFFSET (struct wlp_plugin, ops, 40);
SIZE (struct wlp_services, 96);
OFFSET (struct wlp_services, cpu_features, 40);
OFFSET (struct wlp_services, nice, 64);
OFFSET (struct wlp_services, source_idle, 72);
OFFSET (struct wlp_services, mark, 80);
OFFSET (struct wlp_services, n_fast_threads, 92);
SIZE (struct wlp_shape, 40);
SIZE (struct wlp_weight_source, 72);
OFFSET (struct wlp_weight_source, map, 64);
SIZE (struct wlp_metadata_ops, 80);
OFFSET (struct wlp_metadata_ops, architecture, 72);
SIZE (struct wlp_metadata, 8);
SIZE (struct wlp_builder_ops, 56);
OFFSET (struct wlp_builder_ops, fail, 48);
SIZE (struct wlp_builder, 8);
SIZE (struct wlp_arch_ops, 24);
OFFSET (struct wlp_arch_ops, describe, 16);
SIZE (struct wlp_embed_params, 4);
SIZE (struct wlp_norm_params, 12);
SIZE (struct wlp_linear_params, 24);
SIZE (struct wlp_rope_params, 56);
SIZE (struct wlp_attention_params, 52);
SIZE (struct wlp_glu_params, 4);
SIZE (struct wlp_scale_params, 4);
SIZE (struct wlp_route_params, 24);
SIZE (struct wlp_pool_params, 4);
SIZE (struct wlp_op, 176);
OFFSET (struct wlp_op, in, 8);
OFFSET (struct wlp_op, weight, 24);
OFFSET (struct wlp_op, out, 40);
OFFSET (struct wlp_op, p, 48);
SIZE (struct wlp_value_info, 8);
SIZE (struct wlp_weight_info, 48);
SIZE (struct wlp_cache_group, 28);
SIZE (struct wlp_limits, 28);
SIZE (struct wlp_program, 88);
OFFSET (struct wlp_program, limits, 24);
OFFSET (struct wlp_program, groups, 80);
SIZE (struct wlp_device, 312);
OFFSET (struct wlp_device, score, 292);
OFFSET (struct wlp_device, memory_free, 304);
SIZE (struct wlp_setting, 16);
SIZE (struct wlp_plan_request, 88);
OFFSET (struct wlp_plan_request, max_tokens, 40);
OFFSET (struct wlp_plan_request, progress, 80);
SIZE (struct wlp_adapter_list, 24);
SIZE (struct wlp_sequence, 184);
OFFSET (struct wlp_sequence, adapters, 160);
SIZE (struct wlp_batch, 88);
OFFSET (struct wlp_batch, tokens, 24);
OFFSET (struct wlp_batch, cancel, 80);
SIZE (struct wlp_memory, 40);
SIZE (struct wlp_profile_entry, 80);
SIZE (struct wlp_backend_ops, 152);
OFFSET (struct wlp_backend_ops, cache_create, 72);
OFFSET (struct wlp_backend_ops, submit, 128);
OFFSET (struct wlp_backend_ops, profile, 144);

/* `version` comes first wherever a struct may grow. */
OFFSET (struct wlp_plugin, version, 0);
OFFSET (struct wlp_services, version, 0);
OFFSET (struct wlp_metadata_ops, version, 0);
OFFSET (struct wlp_builder_ops, version, 0);
OFFSET (struct wlp_arch_ops, version, 0);
OFFSET (struct wlp_program, version, 0);
OFFSET (struct wlp_device, version, 0);
OFFSET (struct wlp_plan_request, version, 0);
OFFSET (struct wlp_batch, version, 0);
OFFSET (struct wlp_memory, version, 0);
OFFSET (struct wlp_backend_ops, version, 0);

static void
test_numbers (void)
{
  g_assert_cmpuint (WLP_ABI_MAJOR, ==, 1);
  g_assert_cmpuint (WLP_BLOCK_POSITIONS, ==, 64);
  g_assert_cmpuint (sizeof WLP_NOTE_OWNER, ==, 7);
  /* types are those of the GGUF format */
  g_assert_cmpuint (WLP_TYPE_Q8_0, ==, 8);
  g_assert_cmpuint (WLP_TYPE_Q6_K, ==, 14);
  g_assert_cmpuint (WLP_TYPE_BF16, ==, 30);
  g_assert_cmpuint (WLP_TYPE_MXFP4, ==, 39);
}

/* Parameters have room to grow inside an operator. */
static void
test_room (void)
{
  g_assert_cmpuint (sizeof (((struct wlp_op *)NULL)->p), ==, 128);
  g_assert_cmpuint (sizeof (struct wlp_rope_params), <=, 64);
}

/* The sugar fills in what it says, and no more. */
static void
test_sugar (void)
{
  struct wlp_op op = wlp_op_make (WLP_OP_NORM, 5);

  g_assert_cmpuint (op.kind, ==, WLP_OP_NORM);
  g_assert_cmpuint (op.in[0], ==, 5);
  g_assert_cmpuint (op.in[1], ==, WLP_NONE);
  g_assert_cmpuint (op.weight[0], ==, WLP_NONE);
  g_assert_cmpuint (op.out[0], ==, WLP_NONE);
  for (guint i = 0; i < G_N_ELEMENTS (op.p.reserved); i++)
    g_assert_cmpuint (op.p.reserved[i], ==, 0);
}

static void
test_error (void)
{
  struct wlp_error error;
  char longer[1000];

  memset (longer, 'a', sizeof longer);
  longer[sizeof longer - 1] = '\0';
  g_assert_cmpint (wlp_error_set (&error, -5, "tensor %s", "x"), ==, -5);
  g_assert_cmpstr (error.message, ==, "tensor x");
  wlp_error_set (&error, -5, "%s", longer);
  g_assert_cmpuint (strlen (error.message), ==, sizeof error.message - 1);
  g_assert_cmpint (wlp_error_set (NULL, -7, "nobody listens"), ==, -7);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/abi/sizes/numbers", test_numbers);
  g_test_add_func ("/abi/sizes/room", test_room);
  g_test_add_func ("/abi/sizes/sugar", test_sugar);
  g_test_add_func ("/abi/sizes/error", test_error);
  return g_test_run ();
}
