/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "woolly-plugin/plugin.h"

WLP_PLUGIN_NOTE (WLP_KIND_BACKEND, "no-symbol");
