/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Times as people say them. */

#include "agent/ctl/when.h"

#include <check.h>
#include <stdlib.h>

#define NOW    G_GINT64_CONSTANT(1785412805) /* 2026-07-30 12:00:05 UTC */
#define MINUTE 60
#define HOUR   (60 * MINUTE)
#define DAY    (24 * HOUR)

static const struct {
    gint64 offset;
    const char *text;
} rows[] = {
    {0, "now"},
    {1, "in 1 second"},
    {59, "in 59 seconds"},
    {-59, "59 seconds ago"},
    {MINUTE, "in 1 minute"},
    {2 * MINUTE - 1, "in 1 minute"},
    {HOUR - 1, "in 59 minutes"},
    {-HOUR, "1 hour ago"},
    {DAY - 1, "in 23 hours"},
    {3 * DAY, "in 3 days"},
    {31 * DAY, "in 31 days"},
    {59 * DAY, "in 59 days"},
    {90 * DAY, "in 90 days"},
    {-398 * DAY, "398 days ago"},
    {800 * DAY, "in 2 years"},
};

START_TEST(a_distance_is_said_in_its_largest_unit)
{
    g_autofree char *text = signet_when_relative(NOW + rows[_i].offset, NOW);

    ck_assert_str_eq(text, rows[_i].text);
}
END_TEST

START_TEST(a_time_is_local)
{
    g_autofree char *text = signet_when_local(NOW);
    g_autofree char *full = signet_when_full(NOW + 3 * DAY, NOW);

    ck_assert_str_eq(text, "2026-07-30 12:00:05");
    ck_assert_str_eq(full, "2026-08-02 12:00:05 (in 3 days)");
}
END_TEST

START_TEST(no_time_is_never)
{
    g_autofree char *text = signet_when_local(0);
    g_autofree char *full = signet_when_full(0, NOW);

    ck_assert_str_eq(text, "never");
    ck_assert_str_eq(full, "never");
}
END_TEST

START_TEST(a_time_beyond_all_calendars_is_survived)
{
    g_autofree char *late = signet_when_full(G_MAXINT64, NOW);
    g_autofree char *early = signet_when_full(G_MININT64 / 2, NOW);

    ck_assert(g_str_has_prefix(late, "? (in "));
    ck_assert(g_str_has_prefix(early, "? ("));
}
END_TEST

START_TEST(a_negative_duration_is_none)
{
    g_autofree char *text = signet_when_duration(-5);

    ck_assert_str_eq(text, "0 seconds");
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("when");
    TCase *tests = tcase_create("when");
    SRunner *runner = srunner_create(suite);
    int failed;

    (void)g_setenv("TZ", "UTC", TRUE);
    tcase_add_loop_test(tests, a_distance_is_said_in_its_largest_unit, 0, G_N_ELEMENTS(rows));
    tcase_add_test(tests, a_time_is_local);
    tcase_add_test(tests, no_time_is_never);
    tcase_add_test(tests, a_time_beyond_all_calendars_is_survived);
    tcase_add_test(tests, a_negative_duration_is_none);
    suite_add_tcase(suite, tests);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
