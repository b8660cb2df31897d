/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* The word that @name was most likely meant to be; NULL where none comes near. */
const char *woollyctl_near (const char *name, const char *const *words);

G_END_DECLS
