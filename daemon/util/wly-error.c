/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wly-error.h"

#include "woolly-names.h"

#include <errno.h>
#include <string.h>

static const char *const dbus_names[] = {
#define WOOLLY_ERROR_ROW(suffix, name, meaning) WOOLLY_ERROR_PREFIX name,
#include "woolly-errors.def"
#undef WOOLLY_ERROR_ROW
};

G_DEFINE_QUARK (wly - error - quark, wly_error)

const char *
wly_error_dbus_name (WlyErrorCode code)
{
  if ((guint)code >= G_N_ELEMENTS (dbus_names))
    code = WLY_ERROR_FAILED;
  return dbus_names[code];
}

WlyErrorCode
wly_error_from_dbus_name (const char *name)
{
  for (guint i = 0; name != NULL && i < G_N_ELEMENTS (dbus_names); i++)
    if (g_str_equal (name, dbus_names[i]))
      return (WlyErrorCode)i;
  return WLY_ERROR_FAILED;
}

WlyErrorCode
wly_error_from_errno (int negative_errno)
{
  switch (-negative_errno) {
  case EINVAL:
  case ENOENT:
  case ERANGE:
    return WLY_ERROR_INVALID_MODEL;
  case ENOTSUP:
    return WLY_ERROR_UNSUPPORTED_MODEL;
  case ENOMEM:
    return WLY_ERROR_NO_MEMORY;
  case ECANCELED:
    return WLY_ERROR_CANCELLED;
  default:
    return WLY_ERROR_FAILED;
  }
}
