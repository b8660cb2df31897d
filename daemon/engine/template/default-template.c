/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "template/default-template.h"

/* Of a message: its text, that of its parts one behind the other. */
#define CONTENT                                                                                                        \
  "{% macro content(m) %}{% if m.content is string %}{{ m.content }}{% else %}{% for p in m.content or [] %}"          \
  "{{ p.text or '' }}{% endfor %}{% endif %}{% endmacro %}"

/* Turns that have no place for a system message: it stands at the head of the first question. */
#define TURNS                                                                                                          \
  "{% set ns = namespace(system='') %}{% for m in messages %}{% if m.role in ['system', 'developer'] %}"               \
  "{% set ns.system = ns.system + content(m) + '\\n\\n' %}{% elif m.role == 'assistant' %}"

static const struct {
  const char *marks[3]; /* tokens that have to be there */
  const char *source;
} templates[] = {
  { { "<|im_start|>", "<|im_end|>", NULL },
    CONTENT "{% for m in messages %}{{ '<|im_start|>' + m.role + '\\n' + content(m) + '<|im_end|>\\n' }}{% endfor %}"
            "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}" },
  { { "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>" },
    CONTENT "{{ bos_token }}{% for m in messages %}{{ '<|start_header_id|>' + m.role + '<|end_header_id|>\\n\\n' + "
            "content(m) | trim + '<|eot_id|>' }}{% endfor %}"
            "{% if add_generation_prompt %}{{ '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}{% endif %}" },
  { { "<start_of_turn>", "<end_of_turn>", NULL },
    CONTENT
    "{{ bos_token }}" TURNS "{{ '<start_of_turn>model\\n' + content(m) | trim + '<end_of_turn>\\n' }}{% else %}"
    "{{ '<start_of_turn>user\\n' + ns.system + content(m) | trim + '<end_of_turn>\\n' }}{% set ns.system = '' %}"
    "{% endif %}{% endfor %}{% if add_generation_prompt %}{{ '<start_of_turn>model\\n' }}{% endif %}" },
  { { "[INST]", "[/INST]", NULL },
    CONTENT "{{ bos_token }}" TURNS "{{ ' ' + content(m) | trim + eos_token }}{% else %}"
            "{{ '[INST] ' + ns.system + content(m) + ' [/INST]' }}{% set ns.system = '' %}{% endif %}{% endfor %}" },
};

/* Ends with a name that the answer stands behind. */
static const char plain[] =
    CONTENT "{% for m in messages %}{{ m.role | capitalize + ': ' + content(m) | trim + '\\n\\n' }}{% endfor %}"
            "{% if add_generation_prompt %}{{ 'Assistant:' }}{% endif %}";

const char *
wly_default_template_source (const WlyTokenizer *tokenizer, gboolean *ret_marked)
{
  for (gsize i = 0; i < G_N_ELEMENTS (templates); i++) {
    gsize n = 0;

    while (n < G_N_ELEMENTS (templates[i].marks) && templates[i].marks[n] != NULL
           && wly_tokenizer_find (tokenizer, templates[i].marks[n]) != WLY_TOKEN_NONE)
      n++;
    *ret_marked = n == G_N_ELEMENTS (templates[i].marks) || templates[i].marks[n] == NULL;
    if (*ret_marked)
      return templates[i].source;
  }
  *ret_marked = FALSE;
  return plain;
}
