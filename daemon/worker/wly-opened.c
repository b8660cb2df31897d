/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wly-opened.h"

#include "plugin-host.h"
#include "template/default-template.h"
#include "wly-error.h"
#include "wly-utf8.h"

#include <string.h>

struct WlyOpened {
  gint references; /* atomic */
  WlyGguf *gguf;
  char *architecture;
  const struct wlp_arch_ops *arch; /* NULL: no plugin serves it */
  WlyTokenizer *tokenizer;         /* NULL: tokenizer_error */
  GError *tokenizer_error;
  WlyTokenTrie *trie; /* once it was asked for */
  WlyGrammarCache *grammars;
  WlyChatTemplate *chat_template; /* NULL: template_error */
  GError *template_error;
  WlyGgufString template_source; /* in the file, or static */
  gboolean chats;                /* there are marks of turns, the model's own */
  WlyOutputFormat *format;       /* NULL: no template */
  GVariant *variables;
  guint64 kv_position_bytes;
  guint32 pooling;
};

/* The file's own template, or one that its vocabulary suggests. */
static void
open_template (WlyOpened *opened)
{
  WlyGgufString *source = &opened->template_source;

  opened->chats = TRUE;
  if (!wly_gguf_get_string (opened->gguf, "tokenizer.chat_template", source)) {
    if (opened->tokenizer == NULL) {
      opened->template_error = g_error_new_literal (WLY_ERROR, WLY_ERROR_NO_TEMPLATE,
                                                    "The model has neither a chat template nor a vocabulary");
      return;
    }
    source->data    = wly_default_template_source (opened->tokenizer, &opened->chats);
    source->n_bytes = strlen (source->data);
  }
  opened->chat_template = wly_chat_template_new (source->data, source->n_bytes, &opened->template_error);
}

/* The text of a token, or "" where the model has none. */
static GVariant *
token_text (const WlyTokenizer *tokenizer, gint32 token)
{
  gsize n_bytes        = 0;
  const char *text     = token == WLY_TOKEN_NONE ? NULL : wly_tokenizer_token_text (tokenizer, token, &n_bytes);
  g_autofree char *own = text != NULL ? g_strndup (text, n_bytes) : NULL;

  return g_variant_new_string (own != NULL && g_utf8_validate (own, -1, NULL) ? own : "");
}

static void
make_variables (WlyOpened *opened)
{
  g_auto (GVariantDict) dict = G_VARIANT_DICT_INIT (NULL);

  if (opened->tokenizer != NULL) {
    g_variant_dict_insert_value (&dict, "bos_token",
                                 token_text (opened->tokenizer, wly_tokenizer_bos (opened->tokenizer)));
    g_variant_dict_insert_value (&dict, "eos_token",
                                 token_text (opened->tokenizer, wly_tokenizer_eos (opened->tokenizer)));
  }
  opened->variables = g_variant_ref_sink (g_variant_dict_end (&dict));
}

static void
find_format (WlyOpened *opened)
{
  const WlyGgufString *source = &opened->template_source;

  if (opened->chat_template != NULL)
    opened->format = wly_output_format_new (opened->chat_template, source->data, source->n_bytes, opened->variables);
}

/* What only the architecture's plugin knows; a file that it refuses can still be tokenised, and says why when it is
 * loaded. */
static void
ask_arch (WlyOpened *opened)
{
  g_autoptr (WlyProgram) program = opened->arch != NULL ? wly_program_new (opened->gguf, opened->arch, NULL) : NULL;

  if (program == NULL)
    return;
  opened->kv_position_bytes = wly_kv_cache_position_bytes (wly_program_get (program), WLP_TYPE_F16);
  opened->pooling           = wly_program_get (program)->limits.pooling;
}

WlyOpened *
wly_opened_new (const int *fds, guint n_fds, GPtrArray *plugins, GError **error)
{
  g_autoptr (WlyOpened) opened = g_new0 (WlyOpened, 1);

  opened->references = 1;
  opened->grammars   = wly_grammar_cache_new ();
  opened->gguf       = wly_gguf_open (fds, n_fds, error);
  if (opened->gguf == NULL)
    return NULL;
  opened->architecture = wly_gguf_dup_string (opened->gguf, "general.architecture");
  if (opened->architecture == NULL) {
    g_set_error_literal (error, WLY_ERROR, WLY_ERROR_INVALID_MODEL,
                         "The file has no key general.architecture, which says what kind of model it is");
    return NULL;
  }
  opened->arch      = wly_plugin_host_find_arch (plugins, opened->architecture, NULL);
  opened->tokenizer = wly_tokenizer_new (opened->gguf, &opened->tokenizer_error);
  if (g_error_matches (opened->tokenizer_error, WLY_ERROR, WLY_ERROR_INVALID_MODEL)) {
    g_propagate_error (error, g_steal_pointer (&opened->tokenizer_error));
    return NULL;
  }
  open_template (opened);
  make_variables (opened);
  find_format (opened);
  ask_arch (opened);
  return g_steal_pointer (&opened);
}

WlyOpened *
wly_opened_ref (WlyOpened *opened)
{
  g_atomic_int_inc (&opened->references);
  return opened;
}

void
wly_opened_unref (WlyOpened *opened)
{
  if (opened == NULL || !g_atomic_int_dec_and_test (&opened->references))
    return;
  g_clear_pointer (&opened->variables, g_variant_unref);
  wly_output_format_free (opened->format);
  wly_chat_template_free (opened->chat_template);
  g_clear_error (&opened->template_error);
  wly_grammar_cache_free (opened->grammars);
  wly_token_trie_unref (opened->trie);
  wly_tokenizer_free (opened->tokenizer);
  g_clear_error (&opened->tokenizer_error);
  g_free (opened->architecture);
  wly_gguf_unref (opened->gguf);
  g_free (opened);
}

static guint32
context_length (WlyOpened *opened)
{
  g_autofree char *key = g_strdup_printf ("%s.context_length", opened->architecture);
  guint32 value        = 0;

  wly_gguf_get_u32 (opened->gguf, key, &value);
  return value;
}

/* Of a file that no plugin describes, what its key says; a number that is none of them says nothing. */
static guint32
pooling_of (WlyOpened *opened)
{
  g_autofree char *key = g_strdup_printf ("%s.pooling_type", opened->architecture);
  guint32 value        = opened->pooling;

  if (value == WLP_POOL_NONE && (!wly_gguf_get_u32 (opened->gguf, key, &value) || value > WLP_POOL_RANK))
    return WLP_POOL_NONE;
  return value;
}

static const char *
pooling_name (guint32 value)
{
  switch (value) {
  case WLP_POOL_NONE:
    return "";
  case WLP_POOL_MEAN:
    return "mean";
  case WLP_POOL_CLS:
    return "cls";
  case WLP_POOL_LAST:
    return "last";
  case WLP_POOL_RANK:
    return "rank";
  default:
    return "unknown";
  }
}

gboolean
wly_opened_is_pooled (WlyOpened *opened)
{
  return pooling_of (opened) != WLP_POOL_NONE;
}

static GVariant *
capabilities (WlyOpened *opened)
{
  g_autoptr (GPtrArray) words   = g_ptr_array_new ();
  const WlyOutputFormat *format = opened->format;
  const guint32 pool            = pooling_of (opened);

  if (pool != WLP_POOL_NONE) {
    g_ptr_array_add (words, (gpointer)(pool == WLP_POOL_RANK ? "rerank" : "embed"));
  } else if (opened->tokenizer != NULL) {
    g_ptr_array_add (words, (gpointer) "generate");
    if (opened->chat_template != NULL && opened->chats)
      g_ptr_array_add (words, (gpointer) "chat");
    if (format != NULL && format->calls != WLY_CALLS_NONE)
      g_ptr_array_add (words, (gpointer) "tools");
    if (format != NULL && *format->reasoning_open != '\0')
      g_ptr_array_add (words, (gpointer) "reasoning");
  }
  return g_variant_new_strv ((const char *const *)words->pdata, words->len);
}

static void
insert_key (GVariantDict *dict, const char *name, WlyOpened *opened, const char *key)
{
  g_autofree char *text = wly_gguf_dup_string (opened->gguf, key);

  g_variant_dict_insert (dict, name, "s", text != NULL ? text : "");
}

GVariant *
wly_opened_info (WlyOpened *opened)
{
  g_auto (GVariantDict) dict = G_VARIANT_DICT_INIT (NULL);
  guint32 n_vocab            = opened->tokenizer != NULL ? wly_tokenizer_n_vocab (opened->tokenizer) : 0;

  insert_key (&dict, "Name", opened, "general.name");
  insert_key (&dict, "License", opened, "general.license");
  insert_key (&dict, "Organization", opened, "general.organization");
  insert_key (&dict, "Description", opened, "general.description");
  insert_key (&dict, "Url", opened, "general.url");
  g_variant_dict_insert (&dict, "Architecture", "s", opened->architecture);
  g_variant_dict_insert (&dict, "Quantization", "s", wly_gguf_quantization (opened->gguf));
  g_variant_dict_insert (&dict, "Pooling", "s", pooling_name (pooling_of (opened)));
  g_variant_dict_insert (&dict, "Parameters", "t", wly_gguf_n_parameters (opened->gguf));
  g_variant_dict_insert (&dict, "Size", "t", wly_gguf_file_bytes (opened->gguf));
  g_variant_dict_insert (&dict, "ContextLength", "u", context_length (opened));
  g_variant_dict_insert (&dict, "VocabularySize", "u", n_vocab);
  g_variant_dict_insert_value (&dict, "Capabilities", capabilities (opened));
  g_variant_dict_insert (&dict, "WeightsBytes", "t", wly_gguf_data_bytes (opened->gguf));
  g_variant_dict_insert (&dict, "KvBytesPerPosition", "t", opened->kv_position_bytes);
  return g_variant_dict_end (&dict);
}

WlyGguf *
wly_opened_gguf (WlyOpened *opened)
{
  return opened->gguf;
}

const WlyTokenizer *
wly_opened_tokenizer (WlyOpened *opened, GError **error)
{
  if (opened->tokenizer == NULL)
    g_propagate_error (error, g_error_copy (opened->tokenizer_error));
  return opened->tokenizer;
}

WlyTokenTrie *
wly_opened_token_trie (WlyOpened *opened)
{
  if (g_once_init_enter (&opened->trie)) {
    WlyTokenTrie *trie = wly_token_trie_new (opened->tokenizer);

    g_once_init_leave (&opened->trie, trie);
  }
  return opened->trie;
}

WlyGrammarCache *
wly_opened_grammars (WlyOpened *opened)
{
  return opened->grammars;
}

const WlyChatTemplate *
wly_opened_template (WlyOpened *opened, GError **error)
{
  if (opened->chat_template == NULL)
    g_propagate_error (error, g_error_copy (opened->template_error));
  return opened->chat_template;
}

GVariant *
wly_opened_variables (WlyOpened *opened)
{
  return opened->variables;
}

WlyProgram *
wly_opened_program (WlyOpened *opened, GError **error)
{
  if (opened->arch != NULL)
    return wly_program_new (opened->gguf, opened->arch, error);
  g_set_error (error, WLY_ERROR, WLY_ERROR_UNSUPPORTED_MODEL,
               "No plugin serves the architecture “%.*s”; “woollyctl plugins” lists those that there are",
               wly_utf8_shown (opened->architecture), opened->architecture);
  return NULL;
}

const WlyOutputFormat *
wly_opened_format (WlyOpened *opened)
{
  return opened->format;
}
