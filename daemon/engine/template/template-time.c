/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Times in the format of strftime(), in English whatever the locale.
 */
#include "template/template-eval.h"

#include <locale.h>
#include <string.h>
#include <time.h>

static gpointer
make_locale (gpointer data)
{
  return newlocale (LC_ALL_MASK, "C", (locale_t)0);
}

gboolean
wly_template_time_write (GDateTime *date_time, const char *format, char *buffer, gsize n_buffer, gsize *ret_n_bytes)
{
  static GOnce once          = G_ONCE_INIT;
  const locale_t locale      = g_once (&once, make_locale, NULL);
  g_autofree char *formatted = g_strconcat (format, ".", NULL); /* never empty, so that 0 is an error */
  const struct tm tm         = {
            .tm_sec    = g_date_time_get_second (date_time),
            .tm_min    = g_date_time_get_minute (date_time),
            .tm_hour   = g_date_time_get_hour (date_time),
            .tm_mday   = g_date_time_get_day_of_month (date_time),
            .tm_mon    = g_date_time_get_month (date_time) - 1,
            .tm_year   = g_date_time_get_year (date_time) - 1900,
            .tm_wday   = g_date_time_get_day_of_week (date_time) % 7,
            .tm_yday   = g_date_time_get_day_of_year (date_time) - 1,
            .tm_isdst  = g_date_time_is_daylight_savings (date_time),
            .tm_gmtoff = g_date_time_get_utc_offset (date_time) / G_USEC_PER_SEC,
            .tm_zone   = g_date_time_get_timezone_abbreviation (date_time),
  };
  gsize n;

  if (locale == (locale_t)0)
    return FALSE;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
  n = strftime_l (buffer, n_buffer, formatted, &tm, locale);
#pragma GCC diagnostic pop
  if (n == 0)
    return FALSE;
  *ret_n_bytes = n - 1;
  return TRUE;
}
