/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Ids of models as object paths: letters and digits stay, any other byte becomes _ and two hexadecimal digits.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* "woolly-tiny-Q8_0" -> "/org/woolly/Woolly1/models/woolly_2dtiny_2dQ8_5f0". (transfer full) */
char *wly_model_id_to_path (const char *id);

/* NULL where no id gives this path. (transfer full) */
char *wly_model_id_from_path (const char *path);

G_END_DECLS
