/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* When to renew, retry and retire: tables with explicit times and seeds. */

#include "policy/schedule.h"

#include "tests/unit/policy/support.h"

#define MIN_S  ((gint64)60)
#define HOUR_S (60 * MIN_S)
#define DAY_S  (24 * HOUR_S)
#define START  ((gint64)1785400000) /* July 2026 */
#define LATER  7u                   /* a generation that is spread by the jitter only */

static const SignetRotationProfile *
profile_of(const SignetPolicy *policy)
{
    return signet_policy_get_identity(policy, "id")->rotation;
}

/* Ages in seconds between which every seed must fall. */
static const struct {
    const char *lines;
    gint64 lifetime;
    gint64 earliest;
    gint64 latest;
} renewals[] = {
    {"Jitter=0%", 24 * HOUR_S, 12 * HOUR_S, 12 * HOUR_S},
    {"Jitter=0%", 10 * DAY_S - 1, 5 * DAY_S - 1, 5 * DAY_S},
    {"Jitter=0%", 10 * DAY_S, 10 * DAY_S * 2 / 3, 10 * DAY_S * 2 / 3},
    {"Jitter=0%", 90 * DAY_S, 60 * DAY_S, 60 * DAY_S},
    {"", 24 * HOUR_S, 12 * HOUR_S - 72 * MIN_S, 12 * HOUR_S},
    {"", 160 * HOUR_S, 72 * HOUR_S, 80 * HOUR_S},
    {"", 90 * DAY_S, 60 * DAY_S - 90 * DAY_S / 20, 60 * DAY_S},
    {"RenewAt=70%\nJitter=0%", 100 * DAY_S, 70 * DAY_S, 70 * DAY_S},
    {"RenewAt=70%\nJitter=10%", 100 * DAY_S, 60 * DAY_S, 70 * DAY_S},
    {"RenewAt=21d\nJitter=0%", 90 * DAY_S, 69 * DAY_S, 69 * DAY_S},
    {"RenewAt=1%\nJitter=50%", 100 * DAY_S, 0, DAY_S},
    {"", 0, 0, 0},
    {"", -5, 0, 0},
    {"", 1, 0, 1},
};

START_TEST(renewal_falls_where_the_profile_says)
{
    g_autoptr(SignetPolicy) policy = parse_profile(renewals[_i].lines);
    gint64 first = G_MAXINT64, last = G_MININT64;

    for (guint64 seed = 0; seed < 4000; seed++) {
        gint64 age = signet_schedule_renew_at(profile_of(policy), START,
                                              START + renewals[_i].lifetime, seed, LATER) -
                     START;

        first = MIN(first, age);
        last = MAX(last, age);
    }
    ck_assert_int_ge(first, renewals[_i].earliest);
    ck_assert_int_le(last, renewals[_i].latest);
    /* and the whole span is used, so that a fleet does spread */
    if (renewals[_i].latest - renewals[_i].earliest > 1000)
        ck_assert_int_gt(last - first, (renewals[_i].latest - renewals[_i].earliest) / 100 * 95);
}
END_TEST

START_TEST(renewal_before_expiry_of_a_shorter_certificate_is_auto)
{
    g_autoptr(SignetPolicy) policy = parse_profile("RenewAt=21d\nJitter=0%");

    ck_assert_int_eq(
        signet_schedule_renew_at(profile_of(policy), START, START + 6 * DAY_S, 1, LATER),
        START + 3 * DAY_S);
    ck_assert_int_eq(
        signet_schedule_renew_at(profile_of(policy), START, START + 21 * DAY_S, 1, LATER),
        START + 14 * DAY_S);
}
END_TEST

START_TEST(times_at_the_ends_of_the_range_stay_within_the_validity)
{
    static const gint64 ends[] = {G_MININT64, G_MININT64 + 1, -1,        0, 1,
                                  START,      G_MAXINT64 - 1, G_MAXINT64};
    g_autoptr(SignetPolicy) policy = parse_profile("");

    for (guint i = 0; i < G_N_ELEMENTS(ends); i++) {
        for (guint j = i; j < G_N_ELEMENTS(ends); j++) {
            gint64 at = signet_schedule_renew_at(profile_of(policy), ends[i], ends[j], 99, LATER);

            ck_assert_int_ge(at, ends[i]);
            ck_assert_int_le(at, ends[j]);
            ck_assert_int_ge(signet_schedule_critical(profile_of(policy), ends[i], ends[j]), 0);
            ck_assert_int_ge(signet_schedule_overlap(profile_of(policy), ends[j], ends[i]), 0);
        }
    }
}
END_TEST

START_TEST(seeds_differ_by_machine_and_identity_and_stay)
{
    guint64 one = signet_schedule_seed("machine-a", "wifi");

    ck_assert_uint_eq(one, signet_schedule_seed("machine-a", "wifi"));
    ck_assert_uint_ne(one, signet_schedule_seed("machine-b", "wifi"));
    ck_assert_uint_ne(one, signet_schedule_seed("machine-a", "vpn"));
    ck_assert_uint_ne(signet_schedule_seed("ab", "c"), signet_schedule_seed("a", "bc"));
}
END_TEST

START_TEST(a_fleet_spreads_evenly_over_the_jitter)
{
    g_autoptr(SignetPolicy) policy = parse_profile("");
    guint hours[8] = {0};

    for (guint machine = 0; machine < 8000; machine++) {
        g_autofree char *id = g_strdup_printf("%032x", machine);
        gint64 at = signet_schedule_renew_at(profile_of(policy), START, START + 160 * HOUR_S,
                                             signet_schedule_seed(id, "wifi"), LATER);

        hours[(at - START - 72 * HOUR_S - 1) / HOUR_S]++;
    }
    for (guint i = 0; i < G_N_ELEMENTS(hours); i++) {
        ck_assert_uint_gt(hours[i], 850);
        ck_assert_uint_lt(hours[i], 1150);
    }
}
END_TEST

static const struct {
    const char *lines;
    gint64 lifetime;
    guint attempt;
    gint64 pause; /* ± 10 % */
} retries[] = {
    {"", 0, 1, 60},
    {"", 0, 2, 120},
    {"", 0, 5, 960},
    {"", 0, 10, 6 * HOUR_S},
    {"", 0, G_MAXUINT, 6 * HOUR_S},
    {"", 24 * HOUR_S, 1, 60},
    {"", 24 * HOUR_S, 20, 3456}, /* 4 % of a day */
    {"", 10 * MIN_S, 20, 60},
    {"", 365 * DAY_S, 20, 6 * HOUR_S},
    {"RetryFirst=10s\nRetryMax=40s", 0, 1, 10},
    {"RetryFirst=10s\nRetryMax=40s", 0, 2, 20},
    {"RetryFirst=10s\nRetryMax=40s", 0, 3, 40},
    {"RetryFirst=10s\nRetryMax=40s", 0, 9, 40},
    {"RetryFirst=15min", 10 * MIN_S, 4, 15 * MIN_S},
    {"RetryFirst=1s\nRetryMax=1s", 0, 1, 1},
};

START_TEST(retries_double_up_to_the_longest_pause)
{
    g_autoptr(SignetPolicy) policy = parse_profile(retries[_i].lines);
    gint64 expected = retries[_i].pause;

    for (guint64 seed = 0; seed < 500; seed++) {
        gint64 pause = signet_schedule_retry_after(profile_of(policy), retries[_i].lifetime,
                                                   retries[_i].attempt, seed);

        ck_assert_int_ge(pause, 1);
        ck_assert_int_ge(pause, expected * 9 / 10);
        ck_assert_int_le(pause, expected + expected / 10);
    }
}
END_TEST

static const struct {
    const char *lines;
    gint64 left;
    gint64 overlap;
} overlaps[] = {
    {"", 10 * DAY_S, DAY_S},
    {"", 100 * DAY_S, DAY_S},
    {"", 10 * HOUR_S, HOUR_S},
    {"", 0, 0},
    {"", -5, 0},
    {"Overlap=2h", 10 * DAY_S, 2 * HOUR_S},
    {"Overlap=2h", HOUR_S, HOUR_S},
    {"Overlap=2h", -1, 0},
    {"Overlap=0s", 10 * DAY_S, 0},
};

START_TEST(overlap_ends_with_the_old_certificate_at_the_latest)
{
    g_autoptr(SignetPolicy) policy = parse_profile(overlaps[_i].lines);

    ck_assert_int_eq(signet_schedule_overlap(profile_of(policy), START + overlaps[_i].left, START),
                     overlaps[_i].overlap);
}
END_TEST

static const struct {
    const char *lines;
    gint64 lifetime;
    gint64 critical;
} criticals[] = {
    {"", 100 * DAY_S, 10 * DAY_S},
    {"", 2 * HOUR_S, 15 * MIN_S},
    {"", 20 * MIN_S, 5 * MIN_S},
    {"CriticalRemaining=3d", 100 * DAY_S, 3 * DAY_S},
    {"CriticalRemaining=3d", DAY_S, DAY_S},
};

START_TEST(the_alarm_sounds_when_little_remains)
{
    g_autoptr(SignetPolicy) policy = parse_profile(criticals[_i].lines);

    ck_assert_int_eq(
        signet_schedule_critical(profile_of(policy), START, START + criticals[_i].lifetime),
        criticals[_i].critical);
}
END_TEST

static const struct {
    const char *lines;
    gint64 age;
    gboolean needs_new_key;
} new_keys[] = {
    {"", 0, TRUE},
    {"NewKey=always", 0, TRUE},
    {"NewKey=never", 10000 * DAY_S, FALSE},
    {"NewKey=age:90d", 90 * DAY_S - 1, FALSE},
    {"NewKey=age:90d", 90 * DAY_S, TRUE},
    {"NewKey=age:90d", -DAY_S, FALSE}, /* the clock went back */
};

START_TEST(a_new_key_is_made_as_the_profile_says)
{
    g_autoptr(SignetPolicy) policy = parse_profile(new_keys[_i].lines);

    ck_assert_int_eq(
        signet_schedule_needs_new_key(profile_of(policy), START, START + new_keys[_i].age),
        new_keys[_i].needs_new_key);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("policy/schedule");
    TCase *cases = tcase_create("schedule");
    SRunner *runner;
    int failed;

    tcase_set_timeout(cases, 60);
    tcase_add_loop_test(cases, renewal_falls_where_the_profile_says, 0, G_N_ELEMENTS(renewals));
    tcase_add_test(cases, renewal_before_expiry_of_a_shorter_certificate_is_auto);
    tcase_add_test(cases, times_at_the_ends_of_the_range_stay_within_the_validity);
    tcase_add_test(cases, seeds_differ_by_machine_and_identity_and_stay);
    tcase_add_test(cases, a_fleet_spreads_evenly_over_the_jitter);
    tcase_add_loop_test(cases, retries_double_up_to_the_longest_pause, 0, G_N_ELEMENTS(retries));
    tcase_add_loop_test(cases, overlap_ends_with_the_old_certificate_at_the_latest, 0,
                        G_N_ELEMENTS(overlaps));
    tcase_add_loop_test(cases, the_alarm_sounds_when_little_remains, 0, G_N_ELEMENTS(criticals));
    tcase_add_loop_test(cases, a_new_key_is_made_as_the_profile_says, 0, G_N_ELEMENTS(new_keys));
    suite_add_tcase(suite, cases);
    runner = srunner_create(suite);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
