/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Durations as people write them. */

#include "policy/duration.h"

#include <string.h>

#define MINUTE_S       ((gint64)60)
#define HOUR_S         (60 * MINUTE_S)
#define DAY_S          (24 * HOUR_S)
#define YEAR_S         (365 * DAY_S)
#define DURATION_MAX_S (100 * YEAR_S)

static gint64
unit_seconds(const char *unit, gsize length)
{
    static const struct {
        const char *name;
        gint64 seconds;
    } units[] = {
        {"s", 1}, {"min", MINUTE_S}, {"h", HOUR_S}, {"d", DAY_S}, {"w", 7 * DAY_S}, {"y", YEAR_S},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(units); i++) {
        if (strlen(units[i].name) == length && strncmp(units[i].name, unit, length) == 0)
            return units[i].seconds;
    }
    return 0;
}

gboolean
signet_duration_parse(const char *value, gint64 *ret_seconds)
{
    gint64 total = 0;
    const char *p = value;

    do {
        gsize digits = strspn(p, "0123456789");
        const char *unit = p + digits;
        gsize length = strspn(unit, "abcdefghijklmnopqrstuvwxyz");
        gint64 seconds = unit_seconds(unit, length);
        gint64 count = digits > 0 && digits <= 10 ? g_ascii_strtoll(p, NULL, 10) : -1;

        if (count < 0 || seconds == 0 || count > DURATION_MAX_S / seconds)
            return FALSE;
        total += count * seconds;
        if (total > DURATION_MAX_S)
            return FALSE;
        p = unit + length;
    } while (*p);

    *ret_seconds = total;
    return TRUE;
}
