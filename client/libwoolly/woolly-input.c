/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "woolly-input-private.h"

#include "woolly-error-private.h"

#include "introspection/woolly-names.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* Texts that stay in the message; the rest of WOOLLY_INLINE_BYTES is left for roles and framing. */
#define INLINE_TEXT_BYTES (WOOLLY_INLINE_BYTES / 4 * 3)

/* The kernel takes 253 descriptors in one message. */
#define MAX_FDS 250

typedef struct {
  char *role;
  GBytes *text;
  int handle; /* -1: inline */
} Text;

/**
 * WoollyInput:
 *
 * What to generate from, or to tokenise: a plain prompt, or messages for the model's chat template.
 *
 * Large texts travel by sealed memory file, which callers need not care for.
 */
struct _WoollyInput {
  GObject parent_instance;

  Text *prompt;
  Text *conversation;
  GPtrArray *messages; /* of Text */
  gboolean special;
  gboolean add_generation_prompt;
  gboolean go_on;
};

G_DEFINE_FINAL_TYPE (WoollyInput, woolly_input, G_TYPE_OBJECT)

static Text *
text_new (const char *role, GBytes *bytes)
{
  Text *text = g_new0 (Text, 1);

  text->role = g_strdup (role);
  text->text = g_bytes_ref (bytes);
  return text;
}

static void
text_free (Text *text)
{
  g_free (text->role);
  g_bytes_unref (text->text);
  g_free (text);
}

static void
woolly_input_finalize (GObject *object)
{
  WoollyInput *self = WOOLLY_INPUT (object);

  g_clear_pointer (&self->prompt, text_free);
  g_clear_pointer (&self->conversation, text_free);
  g_ptr_array_unref (self->messages);
  G_OBJECT_CLASS (woolly_input_parent_class)->finalize (object);
}

static void
woolly_input_class_init (WoollyInputClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = woolly_input_finalize;
}

static void
woolly_input_init (WoollyInput *self)
{
  self->messages              = g_ptr_array_new_with_free_func ((GDestroyNotify)text_free);
  self->add_generation_prompt = TRUE;
}

/**
 * woolly_input_new:
 *
 * Makes an empty input, to which messages are added.
 *
 * Returns: (transfer full): a new input
 */
WoollyInput *
woolly_input_new (void)
{
  return g_object_new (WOOLLY_TYPE_INPUT, NULL);
}

/**
 * woolly_input_new_for_prompt:
 * @prompt: a text
 *
 * Makes an input of a text that the model continues, without its chat template.
 *
 * Returns: (transfer full): a new input
 */
WoollyInput *
woolly_input_new_for_prompt (const char *prompt)
{
  WoollyInput *self = woolly_input_new ();

  woolly_input_set_prompt (self, prompt);
  return self;
}

/**
 * woolly_input_new_for_message:
 * @role: `user`, `system`, `assistant`, …
 * @content: a text
 *
 * Makes an input of one message.
 *
 * Returns: (transfer full): a new input
 */
WoollyInput *
woolly_input_new_for_message (const char *role, const char *content)
{
  WoollyInput *self = woolly_input_new ();

  woolly_input_add_message (self, role, content);
  return self;
}

/**
 * woolly_input_set_prompt:
 * @self: an input
 * @prompt: a text
 *
 * Sets the text that the model continues. An input has a prompt or messages, not both.
 */
void
woolly_input_set_prompt (WoollyInput *self, const char *prompt)
{
  g_autoptr (GBytes) bytes = NULL;

  g_return_if_fail (prompt != NULL);

  bytes = g_bytes_new (prompt, strlen (prompt));
  woolly_input_set_prompt_bytes (self, bytes);
}

/**
 * woolly_input_set_prompt_bytes:
 * @self: an input
 * @prompt: UTF-8 text
 *
 * As [method@Woolly.Input.set_prompt], for text that was read from somewhere. What is no text is refused when it is
 * used.
 */
void
woolly_input_set_prompt_bytes (WoollyInput *self, GBytes *prompt)
{
  g_return_if_fail (WOOLLY_IS_INPUT (self));
  g_return_if_fail (prompt != NULL);

  g_clear_pointer (&self->prompt, text_free);
  self->prompt = text_new (NULL, prompt);
}

/**
 * woolly_input_set_conversation:
 * @self: an input
 * @json: UTF-8 text: a JSON object with the list `messages`, and whatever else the chat template reads, such as `tools`
 *
 * Sets a whole conversation in the form that chat templates know, instead of messages or a prompt. What is no JSON is
 * refused when it is used.
 */
void
woolly_input_set_conversation (WoollyInput *self, GBytes *json)
{
  g_return_if_fail (WOOLLY_IS_INPUT (self));
  g_return_if_fail (json != NULL);

  g_clear_pointer (&self->conversation, text_free);
  self->conversation = text_new (NULL, json);
}

/**
 * woolly_input_add_message:
 * @self: an input
 * @role: `user`, `system`, `assistant`, …
 * @content: a text
 *
 * Adds a message to the conversation. In a session it continues what was said before.
 */
void
woolly_input_add_message (WoollyInput *self, const char *role, const char *content)
{
  g_autoptr (GBytes) bytes = NULL;

  g_return_if_fail (content != NULL);

  bytes = g_bytes_new (content, strlen (content));
  woolly_input_add_message_bytes (self, role, bytes);
}

/**
 * woolly_input_add_message_bytes:
 * @self: an input
 * @role: `user`, `system`, `assistant`, …
 * @content: UTF-8 text
 *
 * As [method@Woolly.Input.add_message], for text that was read from somewhere.
 */
void
woolly_input_add_message_bytes (WoollyInput *self, const char *role, GBytes *content)
{
  g_return_if_fail (WOOLLY_IS_INPUT (self));
  g_return_if_fail (role != NULL);
  g_return_if_fail (content != NULL);

  g_ptr_array_add (self->messages, text_new (role, content));
}

/**
 * woolly_input_set_special:
 * @self: an input
 * @special: whether words of the prompt that spell a special token become that token
 *
 * For prompts that this program wrote itself only: never for text that comes from elsewhere.
 */
void
woolly_input_set_special (WoollyInput *self, gboolean special)
{
  g_return_if_fail (WOOLLY_IS_INPUT (self));

  self->special = special;
}

/**
 * woolly_input_set_add_generation_prompt:
 * @self: an input
 * @add: whether a conversation ends with the start of the model's answer
 *
 * It does unless it is told otherwise.
 */
void
woolly_input_set_add_generation_prompt (WoollyInput *self, gboolean add)
{
  g_return_if_fail (WOOLLY_IS_INPUT (self));

  self->add_generation_prompt = add;
}

/**
 * woolly_input_set_continue:
 * @self: an input
 * @go_on: whether the model goes on with the last message
 *
 * The last message has to be one of the `assistant`, with a content of one text. What is rendered ends with that text,
 * and what is generated is what follows it. It begins a new answer unless it is told otherwise.
 */
void
woolly_input_set_continue (WoollyInput *self, gboolean go_on)
{
  g_return_if_fail (WOOLLY_IS_INPUT (self));

  self->go_on = go_on;
}

static gboolean
check_text (Text *text, GError **error)
{
  const char *end = NULL;
  gsize n_bytes;
  const char *data = g_bytes_get_data (text->text, &n_bytes);

  if (n_bytes > 0 && !g_utf8_validate_len (data, n_bytes, &end)) {
    g_set_error (error, WOOLLY_ERROR, WOOLLY_ERROR_INVALID_TEXT, "The text %s at byte %" G_GSIZE_FORMAT,
                 *end == '\0' ? "holds a NUL" : "is not valid UTF-8", (gsize)(end - data));
    return FALSE;
  }
  if (text->role != NULL && !g_utf8_validate (text->role, -1, NULL)) {
    g_set_error_literal (error, WOOLLY_ERROR, WOOLLY_ERROR_INVALID_TEXT, "The role of a message is not valid UTF-8");
    return FALSE;
  }
  return TRUE;
}

static gboolean
write_all (int fd, const char *data, gsize n_bytes)
{
  while (n_bytes > 0) {
    gssize n = write (fd, data, n_bytes);

    if (n < 0 && errno == EINTR)
      continue;
    if (n <= 0)
      return FALSE;
    data += n;
    n_bytes -= n;
  }
  return TRUE;
}

/* Puts a text into a sealed memory file at the end of @fds. */
static gboolean
move_to_fd (Text *text, GUnixFDList *fds, GError **error)
{
  gsize n_bytes;
  const char *data = g_bytes_get_data (text->text, &n_bytes);
  int fd           = memfd_create ("woolly-text", MFD_CLOEXEC | MFD_ALLOW_SEALING);

  if (fd < 0 || !write_all (fd, data, n_bytes)
      || fcntl (fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) != 0) {
    g_set_error (error, WOOLLY_ERROR, WOOLLY_ERROR_NO_MEMORY, "A text of %" G_GSIZE_FORMAT " bytes cannot be sent: %s",
                 n_bytes, g_strerror (errno));
    if (fd >= 0)
      close (fd);
    return FALSE;
  }
  text->handle = g_unix_fd_list_append (fds, fd, error);
  close (fd);
  return text->handle >= 0;
}

static int
compare_sizes_cb (gconstpointer a, gconstpointer b)
{
  gsize size_a = g_bytes_get_size ((*(Text *const *)a)->text);
  gsize size_b = g_bytes_get_size ((*(Text *const *)b)->text);

  return size_a > size_b ? -1 : size_a < size_b;
}

/* The largest texts leave the message until the rest fits. */
static GUnixFDList *
move_large_texts (WoollyInput *self, GError **error)
{
  g_autoptr (GPtrArray) texts = g_ptr_array_new ();
  g_autoptr (GUnixFDList) fds = g_unix_fd_list_new ();
  guint64 total               = 0;

  if (self->prompt != NULL)
    g_ptr_array_add (texts, self->prompt);
  if (self->conversation != NULL)
    g_ptr_array_add (texts, self->conversation);
  g_ptr_array_extend (texts, self->messages, NULL, NULL);
  for (guint i = 0; i < texts->len; i++) {
    Text *text = texts->pdata[i];

    if (!check_text (text, error))
      return NULL;
    text->handle = -1;
    total += g_bytes_get_size (text->text);
  }
  g_ptr_array_sort (texts, compare_sizes_cb);
  for (guint i = 0; i < texts->len && total > INLINE_TEXT_BYTES; i++) {
    if (i == MAX_FDS) {
      g_set_error (error, WOOLLY_ERROR, WOOLLY_ERROR_INVALID_ARGS,
                   "The conversation is too large for one request: %u messages with %" G_GUINT64_FORMAT
                   " bytes that do not fit %d memory files",
                   texts->len, total, MAX_FDS);
      return NULL;
    }
    total -= g_bytes_get_size (((Text *)texts->pdata[i])->text);
    if (!move_to_fd (texts->pdata[i], fds, error))
      return NULL;
  }
  return g_steal_pointer (&fds);
}

static void
insert_text (GVariantDict *dict, const char *key, const char *fd_key, Text *text)
{
  if (text->handle >= 0) {
    g_variant_dict_insert (dict, fd_key, "h", text->handle);
  } else {
    gsize n_bytes;
    const char *data = g_bytes_get_data (text->text, &n_bytes);

    g_variant_dict_insert_value (dict, key, g_variant_new_take_string (g_strndup (n_bytes > 0 ? data : "", n_bytes)));
  }
}

GVariant *
woolly_input_build (WoollyInput *self, GUnixFDList **ret_fds, GError **error)
{
  g_autoptr (GUnixFDList) fds   = move_large_texts (self, error);
  g_auto (GVariantDict) dict    = G_VARIANT_DICT_INIT (NULL);
  g_auto (GVariantBuilder) rows = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE ("aa{sv}"));

  if (fds == NULL)
    return NULL;
  if (self->prompt != NULL)
    insert_text (&dict, "prompt", "prompt-fd", self->prompt);
  if (self->conversation != NULL)
    insert_text (&dict, "conversation", "conversation-fd", self->conversation);
  for (guint i = 0; i < self->messages->len; i++) {
    g_auto (GVariantDict) message = G_VARIANT_DICT_INIT (NULL);
    Text *text                    = self->messages->pdata[i];

    g_variant_dict_insert (&message, "role", "s", text->role);
    insert_text (&message, "content", "content-fd", text);
    g_variant_builder_add_value (&rows, g_variant_dict_end (&message));
  }
  if (self->messages->len > 0 || (self->prompt == NULL && self->conversation == NULL))
    g_variant_dict_insert_value (&dict, "messages", g_variant_builder_end (&rows));
  if (self->special)
    g_variant_dict_insert (&dict, "special", "b", TRUE);
  if (!self->add_generation_prompt)
    g_variant_dict_insert (&dict, "add-generation-prompt", "b", FALSE);
  if (self->go_on)
    g_variant_dict_insert (&dict, "continue", "b", TRUE);
  if (g_unix_fd_list_get_length (fds) > 0)
    *ret_fds = g_steal_pointer (&fds);
  return g_variant_dict_end (&dict);
}
