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
    gint64 key_age; /* at not_before */
    gint64 due;     /* after not_before, of a certificate of 90 days */
} dues[] = {
    {"Jitter=0%", 0, 60 * DAY_S},
    {"Jitter=0%\nNewKey=age:30d", 0, 30 * DAY_S},
    {"Jitter=0%\nNewKey=age:30d", 10 * DAY_S, 20 * DAY_S},
    {"Jitter=0%\nNewKey=age:90d", 0, 60 * DAY_S},
    /* a key that is too old already is not a reason to rotate again and again */
    {"Jitter=0%\nNewKey=age:30d", 400 * DAY_S, 9 * DAY_S},
    {"Jitter=0%\nRotateIfIssuedBefore=2026-07-30T08:26:39Z", 0, 60 * DAY_S}, /* START - 1 s */
    {"Jitter=0%\nRotateIfIssuedBefore=2026-07-30T09:00:00Z\nRotateWithin=1s", 0, 2000},
    {"Jitter=0%\nRotateIfIssuedBefore=2026-07-30T09:00:00Z\nRotateWithin=1s\nNewKey=never", 0,
     60 * DAY_S},
    {"Jitter=0%\nRotateIfIssuedBefore=", 0, 60 * DAY_S},
};

START_TEST(the_first_of_schedule_key_age_and_emergency_counts)
{
    g_autofree char *text = g_strdup(dues[_i].lines);
    g_autoptr(SignetPolicy) policy = parse_profile(text);
    const SignetCertificateFacts facts = {START, START + 90 * DAY_S, START - dues[_i].key_age};

    ck_assert_int_eq(signet_schedule_due_at(profile_of(policy), &facts, 3, LATER),
                     START + dues[_i].due);
}
END_TEST

static const struct {
    const char *lines;
    gint64 end; /* of a certificate above it, after START */
    gint64 own;
    gint64 due;
} ends[] = {
    {"Jitter=0%", 30 * DAY_S, 90 * DAY_S, 20 * DAY_S},
    {"Jitter=0%", 8 * DAY_S, 90 * DAY_S, 4 * DAY_S},
    {"Jitter=0%", 80 * DAY_S, 90 * DAY_S, 53 * DAY_S + 8 * HOUR_S},
    {"Jitter=0%", 12 * 60, 90 * DAY_S, 10 * 60},
    {"Jitter=0%", 60, 90 * DAY_S, 10 * 60},
    {"Jitter=0%", -60, 90 * DAY_S, 10 * 60},
    {"Jitter=0%", 60, 120, 60},                                     /* it is due itself */
    {"Jitter=0%\nRenewAt=21d", 30 * DAY_S, 90 * DAY_S, 15 * DAY_S}, /* not each second */
    {"Jitter=0%\nRenewAt=21d", 9 * DAY_S, 90 * DAY_S, 4 * DAY_S + 12 * HOUR_S},
};

START_TEST(a_certificate_above_that_ends_first_counts_without_a_storm)
{
    g_autofree char *text = g_strdup(ends[_i].lines);
    g_autoptr(SignetPolicy) policy = parse_profile(text);
    const SignetCertificateFacts facts = {START, START + ends[_i].end, START, START + ends[_i].own};

    ck_assert_int_eq(signet_schedule_due_at(profile_of(policy), &facts, 3, LATER),
                     START + ends[_i].due);
}
END_TEST

START_TEST(an_end_above_is_told_as_early_as_its_own)
{
    g_autoptr(SignetPolicy) policy = parse_profile("Jitter=0%");
    SignetCertificateFacts facts = {START, START + 30 * DAY_S, START, START + 90 * DAY_S};

    ck_assert_int_eq(signet_schedule_critical_at(profile_of(policy), &facts), START + 21 * DAY_S);
    facts.own_end_s = 0;
    ck_assert_int_eq(signet_schedule_critical_at(profile_of(policy), &facts), START + 27 * DAY_S);
}
END_TEST

START_TEST(an_emergency_spreads_over_its_time_and_ends_with_the_new_key)
{
    g_autoptr(SignetPolicy) policy =
        parse_profile("RotateIfIssuedBefore=2026-07-30T09:00:00Z\nRotateWithin=10h");
    SignetCertificateFacts facts = {START, START + 90 * DAY_S, START};
    guint hours[10] = {0};

    for (guint64 seed = 0; seed < 1000; seed++)
        hours[(signet_schedule_due_at(profile_of(policy), &facts, seed, LATER) - START - 2000) /
              HOUR_S]++;
    for (guint i = 0; i < G_N_ELEMENTS(hours); i++)
        ck_assert_uint_gt(hours[i], 60);
    ck_assert(signet_schedule_needs_new_key(profile_of(policy), START, START + 3000));
    facts.key_created_s = START + 3000;
    ck_assert_int_eq(signet_schedule_recall_at(profile_of(policy), &facts, 7), G_MAXINT64);
}
END_TEST

#define MONDAY ((gint64)1785110400) /* 2026-07-27 00:00:00 UTC */

static const struct {
    const char *windows;
    gint64 at;       /* after MONDAY */
    gint64 offset;   /* of local time */
    gint64 expected; /* after MONDAY */
} windows[] = {
    {"22:00-05:00", 0, 0, 0},
    {"22:00-05:00", 5 * HOUR_S - 1, 0, 5 * HOUR_S - 1},
    {"22:00-05:00", 5 * HOUR_S, 0, 22 * HOUR_S},
    {"22:00-05:00", 12 * HOUR_S + 61, 0, 22 * HOUR_S},
    {"Mon..Fri 22:00-05:00", 5 * DAY_S + 4 * HOUR_S, 0, 5 * DAY_S + 4 * HOUR_S},
    {"Mon..Fri 22:00-05:00", 5 * DAY_S + 5 * HOUR_S, 0, 7 * DAY_S + 22 * HOUR_S},
    {"Mon..Fri 22:00-05:00", 0, 0, 22 * HOUR_S}, /* Sunday's evening is no window */
    {"Sat,Sun 00:00-24:00", 3 * DAY_S, 0, 5 * DAY_S},
    {"Sat,Sun 00:00-24:00", 7 * DAY_S - 1, 0, 7 * DAY_S - 1},
    {"Sat,Sun 00:00-24:00", 7 * DAY_S, 0, 12 * DAY_S},
    {"Fri..Mon 01:00-02:00", 2 * DAY_S, 0, 4 * DAY_S + HOUR_S},
    {"01:00-02:00;Wed 12:00-13:00", 2 * DAY_S + 3 * HOUR_S, 0, 2 * DAY_S + 12 * HOUR_S},
    {"22:00-23:00", 0, 2 * HOUR_S, 20 * HOUR_S},
    {"22:00-23:00", 0, -5 * HOUR_S, 3 * HOUR_S},
    {"22:00-23:00", 3 * HOUR_S + 30, -5 * HOUR_S, 3 * HOUR_S + 30},
    {"00:00-24:00", 12345, 0, 12345},
    {"10:00-10:00", 12345, 0, 12345},
};

START_TEST(a_window_is_found_in_local_time)
{
    g_autofree char *line = g_strconcat("Window=", windows[_i].windows, NULL);
    g_autoptr(SignetPolicy) policy = parse_profile(line);

    ck_assert_int_eq(
        signet_schedule_window_at(profile_of(policy), MONDAY + windows[_i].at, windows[_i].offset),
        MONDAY + windows[_i].expected);
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

/* From one look to the next, in seconds: between which every seed must fall. */
static const struct {
    const char *lines;
    gint64 lifetime;
    gint64 earliest;
    gint64 latest;
    gboolean looks;
} checks[] = {
    {"", 90 * DAY_S, DAY_S * 9 / 10, DAY_S, TRUE},
    {"", 10 * DAY_S, 9 * HOUR_S, 10 * HOUR_S, TRUE},
    {"", DAY_S, HOUR_S * 9 / 10, HOUR_S, TRUE},
    {"", DAY_S - 1, HOUR_S * 9 / 10, HOUR_S, FALSE},
    {"CheckRevocation=10s", HOUR_S, 9, 10, TRUE},
    {"CheckRevocation=never", 90 * DAY_S, DAY_S * 9 / 10, DAY_S, FALSE},
};

START_TEST(looks_are_spread_over_the_time_between_them)
{
    g_autoptr(SignetPolicy) policy = parse_profile(checks[_i].lines);
    const SignetRotationProfile *rotation = profile_of(policy);
    gint64 first = G_MAXINT64, last = 0;

    for (guint64 seed = 0; seed < 4000; seed++) {
        gint64 after = signet_schedule_check_after(rotation, checks[_i].lifetime, seed);
        gint64 begin = signet_schedule_check_first(rotation, checks[_i].lifetime, seed, LATER);

        ck_assert_int_ge(after, checks[_i].earliest);
        ck_assert_int_le(after, checks[_i].latest);
        first = MIN(first, begin);
        last = MAX(last, begin);
    }
    ck_assert_int_ge(first, checks[_i].latest / 2);
    ck_assert_int_le(last, checks[_i].latest);
    ck_assert_int_gt(last - first, checks[_i].latest / 2 * 9 / 10 - 2);
    ck_assert_int_eq(signet_schedule_checks_revocation(rotation, checks[_i].lifetime),
                     checks[_i].looks);
}
END_TEST

START_TEST(retry_after_of_a_window_is_bounded)
{
    ck_assert_int_eq(signet_schedule_window_after(90 * DAY_S, 1), MIN_S);
    ck_assert_int_eq(signet_schedule_window_after(90 * DAY_S, 6 * HOUR_S), 6 * HOUR_S);
    ck_assert_int_eq(signet_schedule_window_after(90 * DAY_S, G_MAXINT64), DAY_S);
    ck_assert_int_eq(signet_schedule_window_after(90 * DAY_S, 0), 6 * HOUR_S);
    ck_assert_int_eq(signet_schedule_window_after(60, 0), 10 * MIN_S);
}
END_TEST

START_TEST(a_moment_in_a_window_is_kept_and_the_whole_window_used)
{
    gint64 first = G_MAXINT64, last = 0;

    for (guint64 seed = 0; seed < 4000; seed++) {
        gint64 moment = signet_schedule_window_moment(START, START + DAY_S, seed, LATER);

        ck_assert_int_eq(moment, signet_schedule_window_moment(START, START + DAY_S, seed, LATER));
        first = MIN(first, moment);
        last = MAX(last, moment);
    }
    ck_assert_int_ge(first, START);
    ck_assert_int_lt(first, START + HOUR_S);
    ck_assert_int_gt(last, START + 23 * HOUR_S);
    ck_assert_int_lt(last, START + DAY_S);
}
END_TEST

START_TEST(a_revoked_generation_stays_for_a_minute_at_most)
{
    g_autoptr(SignetPolicy) rotating = parse_profile("");
    g_autoptr(SignetPolicy) disabling = parse_profile("OnRevoked=disable");

    ck_assert_int_eq(signet_schedule_revoked_overlap(profile_of(rotating), HOUR_S), MIN_S);
    ck_assert_int_eq(signet_schedule_revoked_overlap(profile_of(rotating), 5), 5);
    ck_assert_int_eq(signet_schedule_revoked_overlap(profile_of(disabling), HOUR_S), 0);
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
    tcase_add_loop_test(cases, looks_are_spread_over_the_time_between_them, 0,
                        G_N_ELEMENTS(checks));
    tcase_add_test(cases, retry_after_of_a_window_is_bounded);
    tcase_add_test(cases, a_moment_in_a_window_is_kept_and_the_whole_window_used);
    tcase_add_test(cases, a_revoked_generation_stays_for_a_minute_at_most);
    tcase_add_loop_test(cases, renewal_falls_where_the_profile_says, 0, G_N_ELEMENTS(renewals));
    tcase_add_test(cases, renewal_before_expiry_of_a_shorter_certificate_is_auto);
    tcase_add_test(cases, times_at_the_ends_of_the_range_stay_within_the_validity);
    tcase_add_test(cases, seeds_differ_by_machine_and_identity_and_stay);
    tcase_add_test(cases, a_fleet_spreads_evenly_over_the_jitter);
    tcase_add_loop_test(cases, the_first_of_schedule_key_age_and_emergency_counts, 0,
                        G_N_ELEMENTS(dues));
    tcase_add_loop_test(cases, a_certificate_above_that_ends_first_counts_without_a_storm, 0,
                        G_N_ELEMENTS(ends));
    tcase_add_test(cases, an_end_above_is_told_as_early_as_its_own);
    tcase_add_test(cases, an_emergency_spreads_over_its_time_and_ends_with_the_new_key);
    tcase_add_loop_test(cases, a_window_is_found_in_local_time, 0, G_N_ELEMENTS(windows));
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
