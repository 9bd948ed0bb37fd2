/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Three years of a laptop: it sleeps, lies in a drawer, wakes up in 1970, changes its time zone,
 * and its CA is away for days. */

#include "tests/unit/rotate/machines.h"

#define HOUR_S  ((gint64)3600)
#define DAY_S   (24 * HOUR_S)
#define FLOOR_S (NOW_S - 30 * DAY_S)
#define YEARS   3
#define STEP_S  300 /* an agent that is awake looks at least so often here */
/* Time with the laptop awake and the CA there in which every renewal must succeed: the longest
 * pause between two attempts, and a step. */
#define PATIENCE_S (6 * HOUR_S + 40 * 60 + STEP_S)

typedef struct {
    const char *name;
    gint64 lifetime_s;
    double awake;               /* chance that it is opened in an hour in which it sleeps */
    double sleep;               /* chance that it is closed in an hour in which it is awake */
    double holiday;             /* chance that a sleep takes one to four weeks */
    double ca_outage;           /* chance per day that the CA goes away, for up to five days */
    double dead_battery;        /* chance that it wakes up in 1970, for up to an hour */
    const SignetWindow *window; /* (nullable) outside of which nothing begins before it must */
} Habit;

static const SignetWindow night = {0x7f, 22 * 60, 5 * 60};
/* Sundays from 2:00 to 3:00: an hour that is not there when summer time begins, and twice when it
 * ends. */
static const SignetWindow skipped = {1u << 6, 2 * 60, 3 * 60};

static const Habit habits[] = {
    {"a server with certificates of a day", DAY_S, 1, 0, 0, 0.01, 0.1, NULL},
    {"a laptop with certificates of a day", DAY_S, 0.15, 0.15, 0.01, 0.02, 0.05, NULL},
    {"a laptop with certificates of a week", 7 * DAY_S, 0.1, 0.2, 0.02, 0.05, 0.2, NULL},
    {"a laptop with certificates of 90 days", 90 * DAY_S, 0.1, 0.2, 0.02, 0.05, 0.2, NULL},
    {"a laptop with certificates of 398 days", 398 * DAY_S, 0.1, 0.2, 0.05, 0.05, 0.2, NULL},
    {"a gateway with a window at night", 30 * DAY_S, 1, 0, 0, 0.05, 0.1, &night},
    {"a gateway with a window where summer time begins", 10 * DAY_S, 1, 0, 0, 0.02, 0.1, &skipped},
};

typedef struct {
    const Habit *habit;
    GRand *rand;
    gint64 true_s;
    gint64 error_s; /* of the clock */
    gint64 error_until_s;
    gint64 ca_away_until_s;
    SignetMachine machine;
    SignetMachineInput input;
    gint64 live_end_s;   /* true end of the certificate that programs have */
    gint64 chance_s;     /* time in which the due renewal could have been done */
    gint64 attempts[24]; /* enrolments in each of the last hours */
    gint64 attempt_hour;
    SignetFindings findings;
    guint32 revoked;  /* this generation is, at its CA … */
    gint64 revoked_s; /* … since then; 0: none is */
    gint64 look_hour;
    guint looks_in_hour;
    guint n_looks;
    guint n_revoked;
    guint n_promotions;
    guint n_expired;
    GTimeZone *zone; /* (owned) */
    guint n_in_window;
    gint64 open_s; /* since when it could have been renewed, without a failure */
} Laptop;

static gint64
clock_of(const Laptop *laptop)
{
    return laptop->true_s + laptop->error_s;
}

static gboolean
is_lucky(Laptop *laptop, double chance)
{
    return g_rand_double(laptop->rand) < chance;
}

static gboolean
is_ca_there(const Laptop *laptop)
{
    return laptop->true_s >= laptop->ca_away_until_s;
}

static gint64
offset_of(const Laptop *laptop)
{
    gint interval = g_time_zone_find_interval(laptop->zone, G_TIME_TYPE_UNIVERSAL, laptop->true_s);

    return g_time_zone_get_offset(laptop->zone, interval);
}

static gboolean
is_in_window(const SignetWindow *window, gint64 local_s)
{
    gint64 minute = local_s / 60 % (24 * 60);
    guint today = (guint)((local_s / DAY_S + 3) % 7); /* 1970 began on a Thursday; Monday is 0 */

    if (window->begin_min < window->end_min)
        return minute >= window->begin_min && minute < window->end_min && window->days >> today & 1;
    if (minute >= window->begin_min)
        return window->days >> today & 1;
    return minute < window->end_min && window->days >> (today + 6) % 7 & 1;
}

static const SignetWindow *
window_of(const Laptop *laptop)
{
    return laptop->input.rotation->windows ? laptop->habit->window : NULL;
}

/* In the window as the clock on the wall shows it, or too late to wait for one. */
static void
check_window(Laptop *laptop)
{
    const SignetWindow *window = window_of(laptop);
    gint64 critical_s = laptop->machine.facts.not_after_s - laptop->habit->lifetime_s / 10 - 5 * 60;

    if (!window || laptop->machine.current == 0 || clock_of(laptop) >= critical_s)
        return;
    laptop->n_in_window++;
    if (!is_in_window(window, clock_of(laptop) + offset_of(laptop)))
        ck_abort_msg("%s: an enrolment outside of the window, at %" G_GINT64_FORMAT,
                     laptop->habit->name, laptop->true_s);
}

/* Never a storm: an hour and a day have room for few attempts, whatever happens. */
static void
count_attempt(Laptop *laptop)
{
    gint64 hour = laptop->true_s / HOUR_S;
    gint64 day = 0;

    for (; laptop->attempt_hour < hour; laptop->attempt_hour++)
        laptop->attempts[(laptop->attempt_hour + 1) % 24] = 0;
    laptop->attempts[hour % 24]++;
    for (guint i = 0; i < 24; i++)
        day += laptop->attempts[i];
    ck_assert_int_le(laptop->attempts[hour % 24], 10);
    ck_assert_int_le(day, 45);
}

static void
promote(Laptop *laptop, SignetMachineEvent *event)
{
    event->kind = SIGNET_EVENT_PROMOTED;
    event->facts = (SignetCertificateFacts) {
        laptop->true_s, laptop->true_s + laptop->habit->lifetime_s, clock_of(laptop)};
    laptop->live_end_s = laptop->true_s + laptop->habit->lifetime_s;
    laptop->chance_s = 0;
    laptop->n_promotions++;
}

/* Likewise with those who are asked: a day has room for a look an hour, or, when they do not
 * answer, for as many as attempts. */
static void
count_look(Laptop *laptop)
{
    gint64 hour = laptop->true_s / HOUR_S;

    if (laptop->look_hour != hour)
        laptop->looks_in_hour = 0;
    laptop->look_hour = hour;
    laptop->n_looks++;
    ck_assert_uint_le(++laptop->looks_in_hour, 8);
}

/* One in fifty is revoked, some time before it is looked at; half of them for the key's sake. */
static SignetMachineEventKind
look_around(Laptop *laptop)
{
    count_look(laptop);
    if (!is_ca_there(laptop))
        return SIGNET_EVENT_CHECK_FAILED;
    laptop->findings = (SignetFindings) {
        .looks = SIGNET_LOOK_REVOCATION,
        .standing = SIGNET_STANDING_GOOD,
        .next_update_s = laptop->true_s + 7 * DAY_S,
        .words = "OCSP",
    };
    if (!is_lucky(laptop, 0.02))
        return SIGNET_EVENT_CHECKED;
    laptop->findings.standing = SIGNET_STANDING_REVOKED;
    laptop->findings.reason = is_lucky(laptop, 0.5) ? 1 : 4;
    laptop->revoked = laptop->machine.current;
    laptop->revoked_s = laptop->true_s;
    laptop->n_revoked++;
    laptop->chance_s = 0;
    return SIGNET_EVENT_CHECKED;
}

/* Everything but the CA always works, and at once. */
static SignetMachineEvent
carry_out(Laptop *laptop, guint effects)
{
    SignetMachineEvent event = {.kind = SIGNET_EVENT_TICK, .cause = "the CA is away"};

    if (effects & (SIGNET_EFFECT_GENERATE | SIGNET_EFFECT_COPY_KEY)) {
        event.kind = SIGNET_EVENT_KEY_MADE;
    } else if (effects & SIGNET_EFFECT_ENROLL) {
        count_attempt(laptop);
        check_window(laptop);
        event.kind = is_ca_there(laptop) ? SIGNET_EVENT_ISSUED : SIGNET_EVENT_FAILED;
    } else if (effects & SIGNET_EFFECT_VERIFY) {
        event.kind = SIGNET_EVENT_VERIFIED;
    } else if (effects & SIGNET_EFFECT_PROMOTE) {
        promote(laptop, &event);
    } else if (effects & SIGNET_EFFECT_RETIRE) {
        event.kind = SIGNET_EVENT_RETIRED;
    } else if (effects & SIGNET_EFFECT_CHECK) {
        event.kind = look_around(laptop);
        event.findings = &laptop->findings;
    }
    return event;
}

static void
feed(Laptop *laptop, SignetMachineEventKind kind)
{
    SignetMachineEvent event = {.kind = kind};

    for (guint guard = 0; guard < 20; guard++) {
        SignetMachineStep result =
            signet_machine_step(&laptop->machine, &event, &laptop->input, clock_of(laptop));

        laptop->machine = result.machine;
        if (!(result.effects & SIGNET_EFFECTS_TO_DO))
            return;
        event = carry_out(laptop, result.effects);
    }
    ck_abort_msg("%s: it does not come to rest", laptop->habit->name);
}

static void
look(Laptop *laptop)
{
    SignetMachineDeadlines deadlines;

    laptop->input.utc_offset_s = offset_of(laptop);
    deadlines = signet_machine_deadlines(&laptop->machine, &laptop->input, clock_of(laptop));
    if (deadlines.tick_s <= clock_of(laptop))
        feed(laptop, SIGNET_EVENT_TICK);
    if (deadlines.check_s <= clock_of(laptop))
        feed(laptop, SIGNET_EVENT_CHECK);
    deadlines = signet_machine_deadlines(&laptop->machine, &laptop->input, clock_of(laptop));
    if (deadlines.begin_s <= clock_of(laptop))
        feed(laptop, SIGNET_EVENT_BEGIN);
}

static gint64
due_s(const Laptop *laptop)
{
    return signet_schedule_due_at(laptop->input.rotation, &laptop->machine.facts,
                                  laptop->input.seed, laptop->machine.current);
}

/* It is due, and its window is open and was a step ago, the CA is there, and nothing has failed:
 * then it has been renewed. */
static void
check_opportunity(Laptop *laptop, gboolean is_open)
{
    laptop->open_s = is_open && laptop->machine.attempt == 0 ? laptop->open_s + STEP_S : 0;
    if (laptop->open_s > 2 * STEP_S)
        ck_abort_msg("%s: not renewed in its window, in state %s: %s", laptop->habit->name,
                     signet_machine_state_name(laptop->machine.state), laptop->machine.cause);
}

/* A certificate may be expired only when there was no chance to renew it. */
static void
check(Laptop *laptop)
{
    const SignetWindow *window = window_of(laptop);
    gint64 critical_s = laptop->machine.facts.not_after_s - laptop->habit->lifetime_s / 10;
    gboolean is_due = laptop->machine.current && laptop->true_s >= due_s(laptop) &&
                      is_ca_there(laptop) && laptop->error_s == 0;
    gboolean is_open = !window || laptop->true_s >= critical_s ||
                       is_in_window(window, laptop->true_s + offset_of(laptop));

    if (is_due && is_open)
        laptop->chance_s += STEP_S;
    check_opportunity(laptop, is_due && is_open);
    if (laptop->true_s < laptop->live_end_s)
        return;
    laptop->n_expired++;
    if (laptop->chance_s > PATIENCE_S)
        ck_abort_msg("%s: expired although there were %" G_GINT64_FORMAT
                     " s to renew it, in state %s: %s",
                     laptop->habit->name, laptop->chance_s,
                     signet_machine_state_name(laptop->machine.state), laptop->machine.cause);
}

/* Opened again: for a while the clock may be wrong. */
static void
wake_up(Laptop *laptop)
{
    if (!is_lucky(laptop, laptop->habit->dead_battery))
        return;
    laptop->error_s = -laptop->true_s + 300;
    laptop->error_until_s = laptop->true_s + g_rand_int_range(laptop->rand, 1, 3600);
}

static void
sleep_a_while(Laptop *laptop)
{
    gboolean is_holiday = is_lucky(laptop, laptop->habit->holiday);

    do
        laptop->true_s += HOUR_S;
    while (!is_lucky(laptop, laptop->habit->awake));
    if (is_holiday)
        laptop->true_s += DAY_S * g_rand_int_range(laptop->rand, 7, 28);
    wake_up(laptop);
}

static void
live_an_hour(Laptop *laptop)
{
    if (is_lucky(laptop, laptop->habit->ca_outage / 24))
        laptop->ca_away_until_s =
            laptop->true_s + g_rand_int_range(laptop->rand, 1, (gint32)(5 * DAY_S));
    for (guint i = 0; i < HOUR_S / STEP_S; i++) {
        if (laptop->true_s >= laptop->error_until_s)
            laptop->error_s = 0;
        look(laptop);
        check(laptop);
        laptop->true_s += STEP_S;
    }
    if (is_lucky(laptop, laptop->habit->sleep))
        sleep_a_while(laptop);
    else if (laptop->habit->sleep <= 0 && is_lucky(laptop, 1.0 / 700)) /* a power cut */
        wake_up(laptop);
}

START_TEST(whoever_can_renew_has_a_valid_certificate)
{
    const Habit *habit = &habits[_i / 20];
    g_autoptr(GArray) windows = g_array_new(FALSE, FALSE, sizeof(SignetWindow));
    g_autoptr(GRand) rand = g_rand_new_with_seed((guint32)_i);
    SignetRotationProfile rotation = profile;
    Laptop laptop = {
        .habit = habit,
        .rand = rand,
        .true_s = NOW_S,
        .machine = signet_machine_new(NOW_S),
        .input = good_input(),
        .live_end_s = NOW_S + 10 * DAY_S, /* nothing to lose before the first one */
        .attempt_hour = NOW_S / HOUR_S,
        .zone = g_time_zone_new_identifier("CET-1CEST,M3.5.0,M10.5.0/3"),
    };

    ck_assert_ptr_nonnull(laptop.zone);
    if (habit->window)
        g_array_append_vals(windows, habit->window, 1);
    rotation.renew_kind = SIGNET_RENEW_AUTO;
    rotation.jitter_percent = 5;
    rotation.overlap_s = SIGNET_AUTO;
    rotation.windows = habit->window ? windows : NULL;
    laptop.input.rotation = &rotation;
    laptop.input.seed = (guint64)_i * 7919;
    laptop.input.clock_floor_s = FLOOR_S;
    while (laptop.true_s < NOW_S + YEARS * 365 * DAY_S)
        live_an_hour(&laptop);
    g_time_zone_unref(laptop.zone);
    ck_assert_uint_ge(laptop.n_in_window, habit->window ? laptop.n_promotions / 2 : 0);
    /* it did rotate, and not more often than twice what the lifetime asks for */
    ck_assert_uint_ge(laptop.n_promotions, (guint)(YEARS * 365 * DAY_S / habit->lifetime_s / 2));
    ck_assert_uint_le(laptop.n_promotions,
                      (guint)(YEARS * 365 * DAY_S / (habit->lifetime_s / 3)) + 4);
}
END_TEST

/* The same life, in which a certificate is revoked now and then. */
START_TEST(a_revoked_certificate_is_replaced_without_a_storm)
{
    const Habit *habit = &habits[_i / 10];
    g_autoptr(GRand) rand = g_rand_new_with_seed((guint32)_i + 1000);
    SignetRotationProfile rotation = profile;
    Laptop laptop = {
        .habit = habit,
        .rand = rand,
        .true_s = NOW_S,
        .machine = signet_machine_new(NOW_S),
        .input = good_input(),
        .live_end_s = NOW_S + 10 * DAY_S,
        .attempt_hour = NOW_S / HOUR_S,
        .zone = g_time_zone_new_identifier("CET-1CEST,M3.5.0,M10.5.0/3"),
    };

    rotation.renew_kind = SIGNET_RENEW_AUTO;
    rotation.new_key = SIGNET_NEW_KEY_NEVER;
    rotation.overlap_s = SIGNET_AUTO;
    rotation.check_s = SIGNET_AUTO;
    laptop.input.rotation = &rotation;
    laptop.input.seed = (guint64)_i * 104729;
    laptop.input.clock_floor_s = FLOOR_S;
    laptop.input.looks = SIGNET_LOOK_REVOCATION;
    while (laptop.true_s < NOW_S + YEARS * 365 * DAY_S)
        live_an_hour(&laptop);
    g_time_zone_unref(laptop.zone);
    ck_assert_uint_gt(laptop.n_revoked, 0);
    ck_assert_uint_gt(laptop.n_looks, 50 * laptop.n_revoked / 4);
    ck_assert_uint_le(laptop.n_promotions,
                      laptop.n_revoked + 4 +
                          (guint)(YEARS * 365 * DAY_S / (habit->lifetime_s / 3)));
}
END_TEST

START_TEST(a_clock_in_1970_ends_and_begins_nothing)
{
    SignetMachine machine = active_machine();
    SignetMachineInput input = good_input();
    SignetMachineEvent tick = {.kind = SIGNET_EVENT_TICK}, begin = {.kind = SIGNET_EVENT_BEGIN};

    input.clock_floor_s = FLOOR_S;
    ck_assert_int_eq(signet_machine_deadlines(&machine, &input, 300).begin_s, SIGNET_NEVER);
    ck_assert_int_eq(signet_machine_deadlines(&machine, &input, 300).tick_s, SIGNET_NEVER);
    machine = signet_machine_step(&machine, &tick, &input, 300).machine;
    ck_assert_int_eq(machine.retired[0].retire_at_s, NOW_S + 300);
    machine = signet_machine_new(300);
    ck_assert_uint_eq(signet_machine_step(&machine, &begin, &input, 300).effects, 0);
    ck_assert_uint_ne(signet_machine_step(&machine, &begin, &input, NOW_S).effects, 0);
}
END_TEST

START_TEST(a_certificate_of_a_clock_that_was_ahead_is_replaced)
{
    SignetMachine machine = active_machine();
    SignetMachineInput input = good_input();
    SignetMachineEvent begin = {.kind = SIGNET_EVENT_BEGIN};

    ck_assert_int_gt(signet_machine_deadlines(&machine, &input, NOW_S - DAY_S).begin_s, NOW_S);
    ck_assert_int_eq(signet_machine_deadlines(&machine, &input, NOW_S - DAY_S - 1).begin_s, 0);
    ck_assert_uint_eq(signet_machine_step(&machine, &begin, &input, NOW_S - DAY_S - 1).effects,
                      SIGNET_EFFECT_GENERATE);
}
END_TEST

/* Else the years would show nothing of it. */
START_TEST(a_zone_of_these_years_has_its_summer_time)
{
    Laptop laptop = {.true_s = NOW_S,
                     .zone = g_time_zone_new_identifier("CET-1CEST,M3.5.0,M10.5.0/3")};
    guint n_changes = 0;

    for (gint64 before = offset_of(&laptop); laptop.true_s < NOW_S + YEARS * 365 * DAY_S;
         laptop.true_s += HOUR_S) {
        n_changes += offset_of(&laptop) != before;
        before = offset_of(&laptop);
    }
    ck_assert_uint_eq(n_changes, 2 * YEARS);
    g_time_zone_unref(laptop.zone);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("rotate/years");
    TCase *cases = tcase_create("years");
    SRunner *runner = srunner_create(suite);

    tcase_set_timeout(cases, 120);
    tcase_add_test(cases, a_clock_in_1970_ends_and_begins_nothing);
    tcase_add_test(cases, a_certificate_of_a_clock_that_was_ahead_is_replaced);
    tcase_add_test(cases, a_zone_of_these_years_has_its_summer_time);
    tcase_add_loop_test(cases, whoever_can_renew_has_a_valid_certificate, 0,
                        20 * (int)G_N_ELEMENTS(habits));
    tcase_add_loop_test(cases, a_revoked_certificate_is_replaced_without_a_storm, 0,
                        10 * (int)G_N_ELEMENTS(habits));
    suite_add_tcase(suite, cases);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
