/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Times for people: local time, and how far away it is. */

#include "agent/ctl/when.h"

static const struct {
    gint64 seconds;
    const char *name;
} units[] = {
    {365 * 86400, "year"}, {86400, "day"}, {3600, "hour"}, {60, "minute"}, {1, "second"},
};

char *
signet_when_duration(gint64 seconds)
{
    for (gsize i = 0; i < G_N_ELEMENTS(units); i++) {
        gint64 count = seconds / units[i].seconds;

        /* "1 year" is too vague for a certificate of 398 days, and so is any month. */
        if (count >= 1 && !(count == 1 && g_str_equal(units[i].name, "year")))
            return g_strdup_printf("%" G_GINT64_FORMAT " %s%s", count, units[i].name,
                                   count == 1 ? "" : "s");
    }
    return g_strdup("0 seconds");
}

char *
signet_when_relative(gint64 time_s, gint64 now_s)
{
    g_autofree char *duration = NULL;

    if (time_s == now_s)
        return g_strdup("now");
    if (time_s > now_s) {
        duration = signet_when_duration(time_s - now_s);
        return g_strconcat("in ", duration, NULL);
    }
    duration = signet_when_duration(now_s - time_s);
    return g_strconcat(duration, " ago", NULL);
}

char *
signet_when_local(gint64 time_s)
{
    g_autoptr(GDateTime) when = NULL;

    if (time_s == 0)
        return g_strdup("never");
    when = g_date_time_new_from_unix_local(time_s);
    return when ? g_date_time_format(when, "%Y-%m-%d %H:%M:%S") : g_strdup("?");
}

char *
signet_when_full(gint64 time_s, gint64 now_s)
{
    g_autofree char *local = signet_when_local(time_s);
    g_autofree char *relative = NULL;

    if (time_s == 0)
        return g_steal_pointer(&local);
    relative = signet_when_relative(time_s, now_s);
    return g_strdup_printf("%s (%s)", local, relative);
}
