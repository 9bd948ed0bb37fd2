/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Time, passed in so that tests can own it. */

#pragma once

#include <glib.h>

typedef struct {
    gint64 (*now_s)(gpointer data); /* wall clock, seconds since 1970 */
    gpointer data;
    gint64 (*utc_offset_s)(gint64 now_s, gpointer data); /* (nullable) of local time; NULL: UTC */
} SignetClock;

/* 2026-07-01: no clock that has been set says less. */
#define SIGNET_CLOCK_FLOOR_S G_GINT64_CONSTANT(1782864000)

gint64 signet_clock_now(const SignetClock *clock);
/* What is to be added to UTC for local time, at this moment. */
gint64 signet_clock_utc_offset(const SignetClock *clock);
/* The machine's own. */
const SignetClock *signet_clock_system(void);
