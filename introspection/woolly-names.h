/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Names that two processes must agree on: bus name, paths, interfaces, environment.
 */
#pragma once

#define WOOLLY_BUS_NAME    "org.woolly.Woolly1"
#define WOOLLY_OBJECT_PATH "/org/woolly/Woolly1"

/* Children of the root: models/<id>, and what only its owner sees. */
#define WOOLLY_PATH_MODELS      WOOLLY_OBJECT_PATH "/models"
#define WOOLLY_PATH_SESSIONS    WOOLLY_OBJECT_PATH "/sessions"
#define WOOLLY_PATH_GENERATIONS WOOLLY_OBJECT_PATH "/generations"
#define WOOLLY_PATH_JOBS        WOOLLY_OBJECT_PATH "/jobs"
#define WOOLLY_PATH_FILES       WOOLLY_OBJECT_PATH "/files" /* models of OpenFiles */

#define WOOLLY_INTERFACE_MANAGER    "org.woolly.Woolly1.Manager"
#define WOOLLY_INTERFACE_ADMIN      "org.woolly.Woolly1.Admin"
#define WOOLLY_INTERFACE_MODEL      "org.woolly.Woolly1.Model"
#define WOOLLY_INTERFACE_SESSION    "org.woolly.Woolly1.Session"
#define WOOLLY_INTERFACE_GENERATION "org.woolly.Woolly1.Generation"
#define WOOLLY_INTERFACE_JOB        "org.woolly.Woolly1.Job"

/* Between woollyd and its workers, over a socket pair; never on the bus. */
#define WOOLLY_WORKER_INTERFACE   "org.woolly.Worker1"
#define WOOLLY_WORKER_OBJECT_PATH "/org/woolly/Worker1"
#define WOOLLY_WORKER_FD          3 /* the worker's end */

#define WOOLLY_ERROR_PREFIX "org.woolly.Error."

/* Bodies of requests above this many bytes come by file descriptor. */
#define WOOLLY_INLINE_BYTES (1024 * 1024)
/* Most bytes of one text in an option that is a list of texts. */
#define WOOLLY_ITEM_BYTES 4096
/* The largest body that is taken by file descriptor. */
#define WOOLLY_BODY_BYTES (128 * 1024 * 1024)

/* Environment; docs/environment.md says what each one does. */
#define WOOLLY_ENV_MODEL_PATH  "WOOLLY_MODEL_PATH"
#define WOOLLY_ENV_PLUGIN_PATH "WOOLLY_PLUGIN_PATH"
#define WOOLLY_ENV_WORKER      "WOOLLY_WORKER"
#define WOOLLY_ENV_CONFIG      "WOOLLY_CONFIG"
#define WOOLLY_ENV_TEST_CALLER "WOOLLY_TEST_CALLER_KIND"
#define WOOLLY_ENV_CPU_MASK    "WOOLLY_CPU_MASK"
#define WOOLLY_ENV_DAEMON      "WOOLLY_DAEMON"
