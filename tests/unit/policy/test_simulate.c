/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* The calendar of one identity, and a million devices at one CA. */

#include "policy/simulate.h"

#include "tests/unit/policy/support.h"

#define HOUR_S ((gint64)60 * 60)
#define DAY_S  (24 * HOUR_S)
#define START  ((gint64)1785400000) /* July 2026 */

static SignetSimulation
simulation_of(const SignetPolicy *policy, gint64 lifetime_s, gint64 days)
{
    return (SignetSimulation) {
        .rotation = signet_policy_get_identity(policy, "id")->rotation,
        .lifetime_s = lifetime_s,
        .seed = 5,
        .enrol_s = START,
        .to_s = START + days * DAY_S,
    };
}

static guint
count_kind(GArray *calendar, SignetCalendarKind kind)
{
    guint n = 0;

    for (guint i = 0; i < calendar->len; i++)
        n += g_array_index(calendar, SignetCalendarEntry, i).kind == kind;
    return n;
}

START_TEST(a_calendar_tells_enrolment_rotations_and_retirements)
{
    g_autoptr(SignetPolicy) policy = parse_profile("Jitter=0%\nOverlap=1d");
    SignetSimulation simulation = simulation_of(policy, 90 * DAY_S, 130);
    g_autoptr(GArray) calendar = signet_simulate_calendar(&simulation);
    static const struct {
        SignetCalendarKind kind;
        gint64 day;
        guint32 generation;
    } expected[] = {
        {SIGNET_CALENDAR_ENROLLED, 0, 1},  {SIGNET_CALENDAR_ROTATED, 60, 2},
        {SIGNET_CALENDAR_RETIRED, 61, 1},  {SIGNET_CALENDAR_ROTATED, 120, 3},
        {SIGNET_CALENDAR_RETIRED, 121, 2},
    };

    ck_assert_uint_eq(calendar->len, G_N_ELEMENTS(expected));
    for (guint i = 0; i < calendar->len; i++) {
        const SignetCalendarEntry *entry = &g_array_index(calendar, SignetCalendarEntry, i);

        ck_assert_uint_eq(entry->kind, expected[i].kind);
        ck_assert_int_eq(entry->at_s, START + expected[i].day * DAY_S);
        ck_assert_uint_eq(entry->generation, expected[i].generation);
    }
}
END_TEST

START_TEST(a_key_that_is_kept_is_renewed_until_its_age)
{
    g_autoptr(SignetPolicy) policy = parse_profile("Jitter=0%\nNewKey=age:150d");
    SignetSimulation simulation = simulation_of(policy, 90 * DAY_S, 200);
    g_autoptr(GArray) calendar = signet_simulate_calendar(&simulation);

    ck_assert_uint_eq(count_kind(calendar, SIGNET_CALENDAR_RENEWED), 2); /* days 60 and 120 */
    ck_assert_uint_eq(count_kind(calendar, SIGNET_CALENDAR_ROTATED), 1); /* day 180 */
}
END_TEST

START_TEST(a_ca_that_is_away_for_less_than_the_survival_costs_nothing_but_attempts)
{
    g_autoptr(SignetPolicy) policy = parse_profile("Jitter=0%");
    SignetSimulation simulation = simulation_of(policy, 90 * DAY_S, 150);
    gint64 survival_s = signet_simulate_survival_s(simulation.rotation, simulation.lifetime_s);

    ck_assert_int_eq(survival_s, 30 * DAY_S);
    simulation.ca_away_s = START + 60 * DAY_S - 1;
    simulation.ca_back_s = simulation.ca_away_s + survival_s - 6 * HOUR_S - 1;
    g_autoptr(GArray) calendar = signet_simulate_calendar(&simulation);

    ck_assert_uint_eq(count_kind(calendar, SIGNET_CALENDAR_CA_AWAY), 1);
    ck_assert_uint_eq(count_kind(calendar, SIGNET_CALENDAR_EXPIRING), 1);
    ck_assert_uint_eq(count_kind(calendar, SIGNET_CALENDAR_EXPIRED), 0);
    ck_assert_uint_ge(count_kind(calendar, SIGNET_CALENDAR_ROTATED), 1);
}
END_TEST

START_TEST(a_ca_that_is_away_for_longer_is_told_with_the_day_of_expiry)
{
    g_autoptr(SignetPolicy) policy = parse_profile("");
    SignetSimulation simulation = simulation_of(policy, 10 * DAY_S, 100);

    simulation.ca_away_s = START + DAY_S;
    simulation.ca_back_s = START + 40 * DAY_S;
    g_autoptr(GArray) calendar = signet_simulate_calendar(&simulation);

    ck_assert_uint_eq(count_kind(calendar, SIGNET_CALENDAR_EXPIRED), 1);
    for (guint i = 0; i < calendar->len; i++) {
        const SignetCalendarEntry *entry = &g_array_index(calendar, SignetCalendarEntry, i);

        if (entry->kind == SIGNET_CALENDAR_EXPIRED)
            ck_assert_int_eq(entry->at_s, START + 10 * DAY_S);
        if (entry->kind == SIGNET_CALENDAR_ROTATED && entry->generation == 2)
            ck_assert_int_lt(entry->at_s, START + 40 * DAY_S + 7 * HOUR_S);
    }
}
END_TEST

START_TEST(a_calendar_is_bounded)
{
    g_autoptr(SignetPolicy) policy = parse_profile("RenewAt=1%\nOverlap=0s");
    SignetSimulation simulation = simulation_of(policy, 60, 365);
    g_autoptr(GArray) calendar = signet_simulate_calendar(&simulation);

    ck_assert_uint_eq(calendar->len, SIGNET_CALENDAR_MAX);
}
END_TEST

static const struct {
    const char *lines;
    gint64 lifetime_s;
} fleets[] = {
    {"", 24 * HOUR_S}, {"", 160 * HOUR_S},          {"", 90 * DAY_S},
    {"", 398 * DAY_S}, {"RenewAt=21d", 90 * DAY_S}, {"RenewAt=80%\nJitter=1%", 47 * DAY_S},
};

START_TEST(a_million_devices_of_one_hour_are_spread_after_two_periods)
{
    g_autoptr(SignetPolicy) policy = parse_profile(fleets[_i].lines);
    const SignetFleet fleet = {
        .rotation = signet_policy_get_identity(policy, "id")->rotation,
        .lifetime_s = fleets[_i].lifetime_s,
        .identity = "wifi",
        .devices = 1000000,
        .within_s = HOUR_S,
        .periods = 6,
    };
    g_auto(SignetFleetLoad) load = signet_simulate_fleet(&fleet);

    ck_assert_uint_eq(g_array_index(load.hours, guint32, 0), fleet.devices);
    ck_assert_uint_gt(load.hours->len, load.settled);
    ck_assert_double_gt(load.mean, 1);
    ck_assert_double_le(load.peak, 1.5 * load.mean);
}
END_TEST

START_TEST(without_jitter_a_fleet_stays_together)
{
    g_autoptr(SignetPolicy) policy = parse_profile("Jitter=0%");
    const SignetFleet fleet = {
        .rotation = signet_policy_get_identity(policy, "id")->rotation,
        .lifetime_s = 24 * HOUR_S,
        .identity = "wifi",
        .devices = 1000,
        .within_s = HOUR_S,
        .periods = 6,
    };
    g_auto(SignetFleetLoad) load = signet_simulate_fleet(&fleet);

    ck_assert_uint_ge(load.peak, 900);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("simulate");
    SRunner *runner = srunner_create(suite);
    TCase *tcase = tcase_create("simulate");
    int failed;

    tcase_set_timeout(tcase, 120);
    tcase_add_test(tcase, a_calendar_tells_enrolment_rotations_and_retirements);
    tcase_add_test(tcase, a_key_that_is_kept_is_renewed_until_its_age);
    tcase_add_test(tcase, a_ca_that_is_away_for_less_than_the_survival_costs_nothing_but_attempts);
    tcase_add_test(tcase, a_ca_that_is_away_for_longer_is_told_with_the_day_of_expiry);
    tcase_add_test(tcase, a_calendar_is_bounded);
    tcase_add_loop_test(tcase, a_million_devices_of_one_hour_are_spread_after_two_periods, 0,
                        G_N_ELEMENTS(fleets));
    tcase_add_test(tcase, without_jitter_a_fleet_stays_together);
    suite_add_tcase(suite, tcase);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
