/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* The words that stand after '=' in policy files: what rotation profiles alone have. */

#include <string.h>

#include "policy/canary.h"
#include "policy/duration.h"
#include "policy/value.h"

#define WINDOWS_MAX     32
#define EVERY_DAY       0x7f
#define CANARY_USER_MAX 200

static const char *const day_names[] = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};

/* 0 to 6; -1 when it is none. */
static int
find_day(const char *name)
{
    for (guint i = 0; i < G_N_ELEMENTS(day_names); i++) {
        if (g_ascii_strcasecmp(name, day_names[i]) == 0)
            return (int)i;
    }
    return -1;
}

/* "Mon", or "Fri..Mon", which goes over the weekend. */
static guint8
parse_day_range(const char *text)
{
    g_auto(GStrv) ends = g_strsplit(text, "..", 2);
    int first = find_day(ends[0] ? ends[0] : "");
    int last = ends[0] && ends[1] ? find_day(ends[1]) : first;
    guint8 days = 0;

    if (first < 0 || last < 0)
        return 0;
    for (int day = first;; day = (day + 1) % 7) {
        days |= (guint8)(1u << day);
        if (day == last)
            return days;
    }
}

/* 0: one of them is no day. */
static guint8
parse_days(const char *text)
{
    g_auto(GStrv) ranges = g_strsplit(text, ",", -1);
    guint8 days = 0;

    for (guint i = 0; ranges[i]; i++) {
        guint8 some = parse_day_range(g_strstrip(ranges[i]));

        if (some == 0)
            return 0;
        days |= some;
    }
    return days;
}

/* "22:00"; "24:00" is the end of the day. */
static gboolean
parse_minute(const char *text, guint16 *ret_minute)
{
    g_auto(GStrv) parts = g_strsplit(text, ":", 2);
    guint64 hour, minute;

    if (g_strv_length(parts) != 2 || strlen(parts[1]) != 2 ||
        !g_ascii_string_to_unsigned(parts[0], 10, 0, 24, &hour, NULL) ||
        !g_ascii_string_to_unsigned(parts[1], 10, 0, 59, &minute, NULL) ||
        hour * 60 + minute > 24 * 60)
        return FALSE;
    *ret_minute = (guint16)(hour * 60 + minute);
    return TRUE;
}

/* "Mon..Fri 22:00-05:00", "22:00-05:00" */
static gboolean
parse_window(char *text, SignetWindow *ret_window)
{
    char *space = strrchr(g_strstrip(text), ' ');
    g_auto(GStrv) times = g_strsplit(space ? space + 1 : text, "-", 2);

    if (space)
        *space = '\0';
    ret_window->days = space ? parse_days(text) : EVERY_DAY;
    return ret_window->days != 0 && g_strv_length(times) == 2 &&
           parse_minute(times[0], &ret_window->begin_min) &&
           parse_minute(times[1], &ret_window->end_min) && ret_window->begin_min < 24 * 60 &&
           ret_window->end_min > 0;
}

char *
signet_value_set_windows(const char *value, gpointer field)
{
    GArray **windows = field;
    g_auto(GStrv) items = g_strsplit(value, ";", -1);
    g_autoptr(GArray) parsed = g_array_new(FALSE, FALSE, sizeof(SignetWindow));

    for (guint i = 0; items[i]; i++) {
        SignetWindow window;

        if (!parse_window(items[i], &window) || parsed->len == WINDOWS_MAX)
            return g_strdup("write days and local times like Mon..Fri 22:00-05:00;Sat,Sun "
                            "00:00-24:00");
        g_array_append_val(parsed, window);
    }
    g_clear_pointer(windows, g_array_unref);
    *windows = g_steal_pointer(&parsed);
    return NULL;
}

char *
signet_value_set_time(const char *value, gpointer field)
{
    g_autoptr(GTimeZone) utc = g_time_zone_new_utc();
    g_autofree char *full =
        strchr(value, 'T') ? g_strdup(value) : g_strconcat(value, "T00:00:00", NULL);
    g_autoptr(GDateTime) when = *value ? g_date_time_new_from_iso8601(full, utc) : NULL;

    if (*value && !when)
        return g_strdup("not a moment; write for example 2026-12-01 or 2026-12-01T10:00:00Z (UTC)");
    *(gint64 *)field = when ? g_date_time_to_unix(when) : 0;
    return NULL;
}

char *
signet_value_set_canary(const char *value, gpointer field)
{
    char **canary = field;
    g_auto(SignetCanary) peer = {0};

    if (*value && !signet_canary_parse(value, &peer))
        return g_strdup("no peer; write tls:HOST:PORT, https://HOST/PATH, radius:HOST:PORT or "
                        "connect:HOST:PORT");
    g_free(*canary);
    *canary = *value ? g_strdup(value) : NULL;
    return NULL;
}

char *
signet_value_set_on_revoked(const char *value, gpointer field)
{
    SignetOnRevoked *on_revoked = field;

    if (g_str_equal(value, "rotate"))
        *on_revoked = SIGNET_ON_REVOKED_ROTATE;
    else if (g_str_equal(value, "notify"))
        *on_revoked = SIGNET_ON_REVOKED_NOTIFY;
    else if (g_str_equal(value, "disable"))
        *on_revoked = SIGNET_ON_REVOKED_DISABLE;
    else
        return g_strdup("write rotate, notify or disable");
    return NULL;
}

char *
signet_value_set_check(const char *value, gpointer field)
{
    gint64 *check_s = field;
    gint64 seconds = 0;

    if (g_str_equal(value, "auto"))
        *check_s = SIGNET_AUTO;
    else if (g_str_equal(value, "never"))
        *check_s = SIGNET_CHECK_NEVER;
    else if (signet_duration_parse(value, &seconds) && seconds > 0)
        *check_s = seconds;
    else
        return g_strdup("write auto, never, or a time from one look to the next like 6h");
    return NULL;
}

char *
signet_value_set_canary_user(const char *value, gpointer field)
{
    gsize length = strlen(value);

    for (gsize i = 0; i < length; i++) {
        if ((guchar)value[i] <= ' ' || value[i] == 0x7f)
            return g_strdup("a name with a space or a control character in it");
    }
    if (length == 0 || length > CANARY_USER_MAX)
        return g_strdup("no name of 1 to 200 bytes");
    char *problem = signet_value_find_bad_placeholder(value);
    return problem ? problem : signet_value_set_text(value, field);
}
