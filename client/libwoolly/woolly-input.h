/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

#include <woolly-version.h>

G_BEGIN_DECLS

#define WOOLLY_TYPE_INPUT (woolly_input_get_type ())
WOOLLY_AVAILABLE_IN_ALL
G_DECLARE_FINAL_TYPE (WoollyInput, woolly_input, WOOLLY, INPUT, GObject)

WOOLLY_AVAILABLE_IN_ALL
WoollyInput *woolly_input_new (void);
WOOLLY_AVAILABLE_IN_ALL
WoollyInput *woolly_input_new_for_prompt (const char *prompt);
WOOLLY_AVAILABLE_IN_ALL
WoollyInput *woolly_input_new_for_message (const char *role, const char *content);

WOOLLY_AVAILABLE_IN_ALL
void woolly_input_set_prompt (WoollyInput *self, const char *prompt);
WOOLLY_AVAILABLE_IN_ALL
void woolly_input_set_prompt_bytes (WoollyInput *self, GBytes *prompt);
WOOLLY_AVAILABLE_IN_ALL
void woolly_input_set_conversation (WoollyInput *self, GBytes *json);
WOOLLY_AVAILABLE_IN_ALL
void woolly_input_add_message (WoollyInput *self, const char *role, const char *content);
WOOLLY_AVAILABLE_IN_ALL
void woolly_input_add_message_bytes (WoollyInput *self, const char *role, GBytes *content);
WOOLLY_AVAILABLE_IN_ALL
void woolly_input_set_special (WoollyInput *self, gboolean special);
WOOLLY_AVAILABLE_IN_ALL
void woolly_input_set_add_generation_prompt (WoollyInput *self, gboolean add);
WOOLLY_AVAILABLE_IN_ALL
void woolly_input_set_continue (WoollyInput *self, gboolean go_on);

G_END_DECLS
