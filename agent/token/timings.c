/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Histograms whose steps grow with the duration. */

#include "agent/token/timings.h"

#include "provider/wire/catalogue.h"

#define STEP_BITS 3 /* steps to each doubling: 8 */

static const guint32 TYPES[] = {
#define X(symbol, number, name, family, bits, signature_max) number,
    SIGNET_KEY_TYPES(X)
#undef X
};
G_STATIC_ASSERT(G_N_ELEMENTS(TYPES) <= SIGNET_TIMINGS_TYPES);

const char *
signet_timed_name(SignetTimed operation)
{
    switch (operation) {
#define T(symbol, name)         \
    case SIGNET_TIMED_##symbol: \
        return name;
        SIGNET_TIMED(T)
#undef T
    case SIGNET_TIMED_COUNT:
        break;
    }
    return "unknown";
}

/* Below 8 us each has a step of its own; above, the highest bit and the three after it say which.
 */
static guint
step_of(gint64 duration_us)
{
    guint64 value = (guint64)MAX(duration_us, 0);
    guint high, step;

    if (value < 1u << STEP_BITS)
        return (guint)value;
    high = g_bit_storage(value) - 1;
    step = ((high - STEP_BITS + 1) << STEP_BITS) +
           (guint)((value >> (high - STEP_BITS)) & ((1u << STEP_BITS) - 1));
    return MIN(step, SIGNET_TIMINGS_STEPS - 1);
}

/* The middle of what falls into a step. */
static gint64
value_of(guint step)
{
    guint shift;

    if (step < 2u << STEP_BITS)
        return step;
    shift = (step >> STEP_BITS) - 1;
    return (gint64)((1u << STEP_BITS) + (step & ((1u << STEP_BITS) - 1))) * (1 << shift) +
           (1 << shift) / 2;
}

static void
halve(SignetHistogram *histogram)
{
    histogram->n = 0;
    for (guint i = 0; i < SIGNET_TIMINGS_STEPS; i++)
        histogram->n += histogram->steps[i] /= 2;
}

void
signet_histogram_add(SignetHistogram *histogram, gint64 duration_us)
{
    if (histogram->n == G_MAXUINT32)
        halve(histogram);
    histogram->n++;
    histogram->steps[step_of(duration_us)]++;
}

gint64
signet_histogram_percentile(const SignetHistogram *histogram, guint percent)
{
    guint64 wanted = ((guint64)histogram->n * percent + 99) / 100;
    guint64 seen = 0;

    for (guint i = 0; i < SIGNET_TIMINGS_STEPS && wanted > 0; i++) {
        seen += histogram->steps[i];
        if (seen >= wanted)
            return value_of(i);
    }
    return 0;
}

void
signet_timings_add(SignetTimings *timings, SignetTimed operation, guint32 type, gint64 duration_us)
{
    for (guint i = 0; i < G_N_ELEMENTS(TYPES); i++) {
        if (TYPES[i] == type)
            signet_histogram_add(&timings->all[operation][i], duration_us);
    }
}

GVariant *
signet_timings_to_variant(const SignetTimings *timings)
{
    GVariantBuilder builder;

    g_variant_builder_init(&builder, G_VARIANT_TYPE("a{s(ttu)}"));
    for (guint i = 0; i < G_N_ELEMENTS(TYPES) * SIGNET_TIMED_COUNT; i++) {
        SignetTimed operation = i % SIGNET_TIMED_COUNT;
        guint type = i / SIGNET_TIMED_COUNT;
        const SignetHistogram *histogram = &timings->all[operation][type];
        g_autofree char *name = g_strdup_printf("%s %s", signet_key_type_name(TYPES[type]),
                                                signet_timed_name(operation));

        if (histogram->n > 0)
            g_variant_builder_add(
                &builder, "{s(ttu)}", name, (guint64)signet_histogram_percentile(histogram, 50),
                (guint64)signet_histogram_percentile(histogram, 95), histogram->n);
    }
    return g_variant_builder_end(&builder);
}
