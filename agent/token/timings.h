/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* How long operations take: a histogram for each sort of operation and type of key. A plain value:
 * no allocation, no clock; one addition for each operation. */

#pragma once

#include <glib.h>

/* T(SYMBOL, "name") */
#define SIGNET_TIMED(T)     \
    T(GENERATE, "generate") \
    T(SIGN, "sign")         \
    T(DECRYPT, "decrypt")   \
    T(DERIVE, "derive")

typedef enum {
#define T(symbol, name) SIGNET_TIMED_##symbol,
    SIGNET_TIMED(T)
#undef T
        SIGNET_TIMED_COUNT,
} SignetTimed;

const char *signet_timed_name(SignetTimed operation);

/* Eight steps to each doubling, from 1 us to two minutes: a value is off by 12.5 % at most. */
#define SIGNET_TIMINGS_STEPS 200
#define SIGNET_TIMINGS_TYPES 12 /* as many as there may be types of keys */

typedef struct {
    guint32 n;
    guint32 steps[SIGNET_TIMINGS_STEPS];
} SignetHistogram;

typedef struct {
    SignetHistogram all[SIGNET_TIMED_COUNT][SIGNET_TIMINGS_TYPES];
} SignetTimings;

/* When a count is full all are halved: what happened long ago weighs less. */
void signet_histogram_add(SignetHistogram *histogram, gint64 duration_us);
/* The duration that 'percent' of all did not exceed; 0 without any. */
gint64 signet_histogram_percentile(const SignetHistogram *histogram, guint percent);

/* type: enum signet_key_type; others are left out. */
void
signet_timings_add(SignetTimings *timings, SignetTimed operation, guint32 type, gint64 duration_us);
/* a{s(ttu)}, floating: "ec:P-256 sign" → p50 and p95 in microseconds, and of how many. */
GVariant *signet_timings_to_variant(const SignetTimings *timings);
