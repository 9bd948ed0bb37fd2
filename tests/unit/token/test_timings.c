/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Histograms: what they say of durations, and how far off it may be. */

#include <check.h>
#include <stdlib.h>

#include "agent/token/timings.h"
#include "provider/wire/catalogue.h"

START_TEST(a_percentile_is_near_the_duration_it_stands_for)
{
    static const gint64 durations_us[] = {1, 7, 8, 15, 16, 100, 999, 69000, 163000, 2200000};
    gint64 wanted = durations_us[_i];
    SignetHistogram histogram = {0};
    gint64 got;

    for (guint i = 0; i < 10; i++)
        signet_histogram_add(&histogram, wanted);
    got = signet_histogram_percentile(&histogram, 50);
    ck_assert_int_le(ABS(got - wanted) * 100, wanted * 13 / 2 + 1);
}
END_TEST

START_TEST(percentiles_tell_the_usual_from_the_slow)
{
    SignetHistogram histogram = {0};

    for (guint i = 0; i < 90; i++)
        signet_histogram_add(&histogram, 100);
    for (guint i = 0; i < 10; i++)
        signet_histogram_add(&histogram, 5000);
    ck_assert_int_lt(signet_histogram_percentile(&histogram, 50), 110);
    ck_assert_int_lt(signet_histogram_percentile(&histogram, 90), 110);
    ck_assert_int_gt(signet_histogram_percentile(&histogram, 91), 4500);
    ck_assert_uint_eq(histogram.n, 100);
}
END_TEST

START_TEST(without_durations_there_is_no_percentile)
{
    const SignetHistogram histogram = {0};

    ck_assert_int_eq(signet_histogram_percentile(&histogram, 50), 0);
}
END_TEST

START_TEST(the_longest_and_the_impossible_have_a_place)
{
    SignetHistogram histogram = {0};

    signet_histogram_add(&histogram, G_MAXINT64);
    signet_histogram_add(&histogram, -5);
    ck_assert_int_eq(signet_histogram_percentile(&histogram, 50), 0);
    ck_assert_int_gt(signet_histogram_percentile(&histogram, 100), 100 * G_USEC_PER_SEC);
}
END_TEST

START_TEST(full_counts_are_halved_and_keep_their_proportions)
{
    SignetHistogram histogram = {0};

    signet_histogram_add(&histogram, 100);
    for (guint i = 0; i < SIGNET_TIMINGS_STEPS; i++)
        histogram.steps[i] *= 3000000000u;
    signet_histogram_add(&histogram, 5000);
    histogram.n = G_MAXUINT32;
    signet_histogram_add(&histogram, 5000);
    ck_assert_uint_eq(histogram.n, 1500000001u);
    ck_assert_int_lt(signet_histogram_percentile(&histogram, 95), 110);
}
END_TEST

START_TEST(each_operation_and_key_type_has_its_own_row)
{
    SignetTimings *timings = g_new0(SignetTimings, 1);
    g_autoptr(GVariant) rows = NULL;
    guint64 p50 = 0, p95 = 0;
    guint n = 0;

    signet_timings_add(timings, SIGNET_TIMED_SIGN, SIGNET_KEY_EC_P256, 300);
    signet_timings_add(timings, SIGNET_TIMED_SIGN, SIGNET_KEY_EC_P256, 300);
    signet_timings_add(timings, SIGNET_TIMED_GENERATE, SIGNET_KEY_RSA_2048, 2000000);
    signet_timings_add(timings, SIGNET_TIMED_SIGN, 4711, 1);
    rows = g_variant_ref_sink(signet_timings_to_variant(timings));
    g_free(timings);
    ck_assert_uint_eq(g_variant_n_children(rows), 2);
    ck_assert(g_variant_lookup(rows, "ec:P-256 sign", "(ttu)", &p50, &p95, &n));
    ck_assert_uint_eq(n, 2);
    ck_assert(p50 > 270 && p50 < 330 && p95 == p50);
    ck_assert(g_variant_lookup(rows, "rsa:2048 generate", "(ttu)", &p50, &p95, &n));
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("timings");
    TCase *tc = tcase_create("timings");
    SRunner *runner;
    int failed;

    tcase_add_loop_test(tc, a_percentile_is_near_the_duration_it_stands_for, 0, 10);
    tcase_add_test(tc, percentiles_tell_the_usual_from_the_slow);
    tcase_add_test(tc, without_durations_there_is_no_percentile);
    tcase_add_test(tc, the_longest_and_the_impossible_have_a_place);
    tcase_add_test(tc, full_counts_are_halved_and_keep_their_proportions);
    tcase_add_test(tc, each_operation_and_key_type_has_its_own_row);
    suite_add_tcase(suite, tc);
    runner = srunner_create(suite);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
