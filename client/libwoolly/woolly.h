/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The whole library.
 */
#pragma once

#include <woolly-admin.h>
#include <woolly-client.h>
#include <woolly-enum-types.h>
#include <woolly-error.h>
#include <woolly-event.h>
#include <woolly-generation.h>
#include <woolly-hold.h>
#include <woolly-input.h>
#include <woolly-job.h>
#include <woolly-model.h>
#include <woolly-session.h>
#include <woolly-stream.h>
#include <woolly-version.h>
