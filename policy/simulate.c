/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* What will happen, told beforehand: the agent's own schedule, run over a time that is given. */

#include "policy/simulate.h"

#define HOUR_S ((gint64)60 * 60)
#define DAY_S  (24 * HOUR_S)

/* One identity on its way through the time. */
typedef struct {
    const SignetSimulation *simulation;
    GArray *calendar;
    guint32 generation; /* current; 0: none */
    gint64 not_before_s;
    gint64 not_after_s;
    gint64 key_created_s;
    gint64 own_end_s; /* where the issuer ends before it; 0: it does not */
} Life;

const char *
signet_calendar_kind_name(SignetCalendarKind kind)
{
    static const char *const names[] = {
#define K(symbol, name) name,
        SIGNET_CALENDAR_KINDS(K)
#undef K
    };

    return names[kind];
}

static gboolean
is_full(const Life *life)
{
    return life->calendar->len >= SIGNET_CALENDAR_MAX;
}

static void
tell(Life *life, SignetCalendarEntry entry)
{
    if (entry.at_s <= life->simulation->to_s && !is_full(life))
        g_array_append_val(life->calendar, entry);
}

static gboolean
is_ca_away(const Life *life, gint64 at_s)
{
    return at_s >= life->simulation->ca_away_s && at_s < life->simulation->ca_back_s;
}

static SignetCertificateFacts
facts_of(const Life *life)
{
    return (SignetCertificateFacts) {life->not_before_s, life->not_after_s, life->key_created_s,
                                     life->own_end_s};
}

/* The alarm and the end of the current certificate, where the next one comes too late. */
static void
pass_expiry(Life *life, gint64 at_s)
{
    const SignetCertificateFacts facts = facts_of(life);
    gint64 alarm_s =
        MAX(signet_schedule_critical_at(life->simulation->rotation, &facts), life->not_before_s);

    if (life->generation && at_s > alarm_s)
        tell(life, (SignetCalendarEntry) {.kind = SIGNET_CALENDAR_EXPIRING,
                                          .at_s = alarm_s,
                                          .generation = life->generation,
                                          .not_after_s = life->not_after_s});
    if (life->generation && at_s > life->not_after_s)
        tell(life, (SignetCalendarEntry) {.kind = SIGNET_CALENDAR_EXPIRED,
                                          .at_s = life->not_after_s,
                                          .generation = life->generation,
                                          .not_after_s = life->not_after_s});
}

/* Attempts until the CA answers; *at_s becomes the moment of the one that succeeds. */
static guint
attempt(Life *life, gint64 *at_s)
{
    const SignetSimulation *simulation = life->simulation;
    guint attempts = 1;

    if (is_ca_away(life, *at_s))
        tell(life, (SignetCalendarEntry) {.kind = SIGNET_CALENDAR_CA_AWAY,
                                          .at_s = *at_s,
                                          .generation = life->generation,
                                          .not_after_s = life->not_after_s});
    while (is_ca_away(life, *at_s)) {
        gint64 lifetime_s = life->generation ? life->not_after_s - life->not_before_s : 0;

        *at_s += signet_schedule_retry_after(simulation->rotation, lifetime_s, attempts++,
                                             simulation->seed);
    }
    return attempts;
}

static void
retire_current(Life *life, gint64 at_s)
{
    gint64 overlap_s = signet_schedule_overlap(life->simulation->rotation, life->not_after_s, at_s);

    if (life->generation)
        tell(life, (SignetCalendarEntry) {.kind = SIGNET_CALENDAR_RETIRED,
                                          .at_s = at_s + overlap_s,
                                          .generation = life->generation});
}

static void
receive(Life *life, gint64 at_s, guint attempts)
{
    const SignetSimulation *simulation = life->simulation;
    gboolean is_new_key =
        signet_schedule_needs_new_key(simulation->rotation, life->key_created_s, at_s);
    SignetCalendarKind kind = is_new_key ? SIGNET_CALENDAR_ROTATED : SIGNET_CALENDAR_RENEWED;

    if (life->generation == 0)
        kind = SIGNET_CALENDAR_ENROLLED;
    if (kind != SIGNET_CALENDAR_RENEWED)
        life->key_created_s = at_s;
    retire_current(life, at_s);
    life->generation++;
    life->not_before_s = at_s;
    life->not_after_s = at_s + simulation->lifetime_s;
    life->own_end_s = 0;
    if (at_s < simulation->issuer_end_s && simulation->issuer_end_s < life->not_after_s) {
        life->own_end_s = life->not_after_s;
        life->not_after_s = simulation->issuer_end_s;
    }
    tell(life, (SignetCalendarEntry) {.kind = kind,
                                      .at_s = at_s,
                                      .generation = life->generation,
                                      .not_after_s = life->not_after_s,
                                      .attempts = attempts});
}

static int
compare_times(gconstpointer a, gconstpointer b)
{
    const SignetCalendarEntry *left = a, *right = b;

    return (left->at_s > right->at_s) - (left->at_s < right->at_s);
}

static gint64
utc_offset_s(const SignetSimulation *simulation, gint64 at_s)
{
    if (!simulation->zone)
        return 0;
    return g_time_zone_get_offset(
        simulation->zone, g_time_zone_find_interval(simulation->zone, G_TIME_TYPE_UNIVERSAL, at_s));
}

/* As the agent's rules have it: windows count until little is left, and not in an emergency. */
static gint64
due_at(const Life *life)
{
    const SignetSimulation *simulation = life->simulation;
    const SignetCertificateFacts facts = facts_of(life);
    gint64 due_s =
        signet_schedule_due_at(simulation->rotation, &facts, simulation->seed, life->generation);
    gint64 window_s =
        signet_schedule_window_at(simulation->rotation, due_s, utc_offset_s(simulation, due_s));
    gint64 critical_s = signet_schedule_critical_at(simulation->rotation, &facts);

    return MIN(MIN(window_s, MAX(due_s, critical_s)),
               signet_schedule_recall_at(simulation->rotation, &facts, simulation->seed));
}

GArray *
signet_simulate_calendar(const SignetSimulation *simulation)
{
    Life life = {
        .simulation = simulation,
        .calendar = g_array_new(FALSE, FALSE, sizeof(SignetCalendarEntry)),
    };
    gint64 at_s = simulation->enrol_s;

    while (at_s <= simulation->to_s && !is_full(&life)) {
        guint attempts = attempt(&life, &at_s);

        pass_expiry(&life, at_s);
        if (at_s > simulation->to_s)
            break;
        receive(&life, at_s, attempts);
        at_s = due_at(&life);
        at_s = MAX(at_s, life.not_before_s + 1);
    }
    g_array_sort(life.calendar, compare_times);
    return life.calendar;
}

gint64
signet_simulate_survival_s(const SignetRotationProfile *rotation, gint64 lifetime_s)
{
    return lifetime_s - signet_schedule_renew_age(rotation, lifetime_s);
}

/* Hours from the beginning of the first enrolment. */
static void
count(const SignetFleet *fleet, guint device, GArray *hours)
{
    g_autofree char *machine_id = g_strdup_printf("%032x", device);
    guint64 seed = signet_schedule_seed(machine_id, fleet->identity);
    gint64 end_s = (gint64)hours->len * HOUR_S;
    gint64 at_s = (gint64)((double)fleet->within_s / fleet->devices * device);

    for (guint32 generation = 1; at_s < end_s; generation++) {
        gint64 next_s;

        g_array_index(hours, guint32, at_s / HOUR_S)++;
        next_s = signet_schedule_renew_at(fleet->rotation, at_s, at_s + fleet->lifetime_s, seed,
                                          generation);
        at_s = MAX(next_s, at_s + 60);
    }
}

SignetFleetLoad
signet_simulate_fleet(const SignetFleet *fleet)
{
    gint64 period_s = signet_schedule_renew_age(fleet->rotation, fleet->lifetime_s);
    gint64 n_hours = CLAMP(period_s * fleet->periods / HOUR_S, 1, 1000000);
    gint64 settled = CLAMP((2 * period_s + fleet->within_s) / HOUR_S + 1, 0, n_hours);
    SignetFleetLoad load = {
        .hours = g_array_sized_new(FALSE, TRUE, sizeof(guint32), (guint)n_hours),
        .settled = (guint)settled,
    };
    double sum = 0;

    g_array_set_size(load.hours, (guint)n_hours);
    for (guint device = 0; device < fleet->devices; device++)
        count(fleet, device, load.hours);
    for (guint hour = load.settled; hour < load.hours->len; hour++) {
        guint32 requests = g_array_index(load.hours, guint32, hour);

        load.peak = MAX(load.peak, requests);
        sum += requests;
    }
    load.mean = load.settled < load.hours->len ? sum / (load.hours->len - load.settled) : 0;
    return load;
}

void
signet_fleet_load_clear(SignetFleetLoad *load)
{
    g_clear_pointer(&load->hours, g_array_unref);
}
