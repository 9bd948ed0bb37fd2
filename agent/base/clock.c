/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Time, passed in so that tests can own it. */

#include "agent/base/clock.h"

static gint64
system_now_s(gpointer data)
{
    return g_get_real_time() / G_USEC_PER_SEC;
}

static gint64
system_utc_offset_s(gint64 now_s, gpointer data)
{
    g_autoptr(GDateTime) now = g_date_time_new_from_unix_local(now_s);

    return now ? g_date_time_get_utc_offset(now) / G_USEC_PER_SEC : 0;
}

gint64
signet_clock_now(const SignetClock *clock)
{
    return clock->now_s(clock->data);
}

gint64
signet_clock_utc_offset(const SignetClock *clock)
{
    return clock->utc_offset_s ? clock->utc_offset_s(signet_clock_now(clock), clock->data) : 0;
}

const SignetClock *
signet_clock_system(void)
{
    static const SignetClock clock = {system_now_s, NULL, system_utc_offset_s};

    return &clock;
}
