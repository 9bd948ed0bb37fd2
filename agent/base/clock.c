/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Time, passed in so that tests can own it. */

#include "agent/base/clock.h"

static gint64
system_now_s(gpointer data)
{
    return g_get_real_time() / G_USEC_PER_SEC;
}

gint64
signet_clock_now(const SignetClock *clock)
{
    return clock->now_s(clock->data);
}

const SignetClock *
signet_clock_system(void)
{
    static const SignetClock clock = {system_now_s, NULL};

    return &clock;
}
