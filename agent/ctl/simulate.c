/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* signetctl policy simulate: what the policy will lead to, for one device or for a fleet. */

#include "agent/ctl/commands.h"

#include <string.h>

#include "agent/ctl/policy-files.h"
#include "agent/ctl/table.h"
#include "agent/ctl/when.h"
#include "policy/duration.h"
#include "policy/simulate.h"

#define HOUR_S        ((gint64)60 * 60)
#define DAY_S         (24 * HOUR_S)
#define FLEET_MAX     100000000
#define FLEET_PERIODS 6
#define ROWS_MAX      48
#define BAR_WIDTH     50

/* What is asked, read. */
typedef struct {
    const char *name;
    const char *ca;
    const SignetRotationProfile *rotation;
    gint64 lifetime_s;
    gint64 within_s;
    gint64 survival_s;
    gint64 check_s; /* from one look at its revocation to the next; 0: nobody looks */
    SignetSimulation device;
} Question;

static gboolean
read_duration(const char *option, const char *text, gint64 fallback_s, gint64 *ret_s)
{
    *ret_s = fallback_s;
    if (!text || (signet_duration_parse(text, ret_s) && *ret_s > 0))
        return TRUE;
    (void)signet_ctl_refuse("cannot use '%s' as --%s; write a duration such as 36h or 90d", text,
                            option);
    return FALSE;
}

/* "2026-12-01", "2026-12-01T10:00:00Z", or "+90d" after base_s. */
static gboolean
read_time(const char *option, const char *text, gint64 base_s, gint64 *ret_s)
{
    g_autoptr(GTimeZone) zone = g_time_zone_new_local();
    g_autofree char *full = NULL;
    g_autoptr(GDateTime) when = NULL;
    gint64 after_s = 0;

    if (text[0] == '+' && signet_duration_parse(text + 1, &after_s)) {
        *ret_s = base_s + after_s;
        return TRUE;
    }
    full = strchr(text, 'T') ? g_strdup(text) : g_strconcat(text, "T00:00:00", NULL);
    when = g_date_time_new_from_iso8601(full, zone);
    if (!when) {
        (void)signet_ctl_refuse("cannot use '%s' as --%s; write 2026-12-01, 2026-12-01T10:00:00 "
                                "or +90d",
                                text, option);
        return FALSE;
    }
    *ret_s = g_date_time_to_unix(when);
    return TRUE;
}

/* As the agent does (signet_schedule_seed()). */
static guint64
device_seed(const char *identity)
{
    g_autofree char *machine_id = NULL;

    if (!g_file_get_contents("/etc/machine-id", &machine_id, NULL, NULL))
        machine_id = g_strdup(g_get_host_name());
    return signet_schedule_seed(g_strstrip(machine_id), identity);
}

static gboolean
read_times(const SignetCtl *ctl, Question *question)
{
    SignetSimulation *device = &question->device;
    gint64 period_s = signet_schedule_renew_age(question->rotation, question->lifetime_s);

    device->enrol_s = signet_ctl_now();
    if (ctl->simulate.from &&
        !read_time("from", ctl->simulate.from, device->enrol_s, &device->enrol_s))
        return FALSE;
    device->to_s = device->enrol_s + 3 * period_s + DAY_S;
    if (ctl->simulate.to && !read_time("to", ctl->simulate.to, device->enrol_s, &device->to_s))
        return FALSE;
    if (ctl->simulate.issuer_end &&
        !read_time("issuer-end", ctl->simulate.issuer_end, device->enrol_s, &device->issuer_end_s))
        return FALSE;
    if (ctl->simulate.ca_away &&
        !read_time("ca-away", ctl->simulate.ca_away, device->enrol_s, &device->ca_away_s))
        return FALSE;
    device->ca_back_s = ctl->simulate.ca_away ? device->to_s + 1 : 0;
    return !ctl->simulate.ca_back ||
           read_time("ca-back", ctl->simulate.ca_back, device->ca_away_s, &device->ca_back_s);
}

static gboolean
read_question(const SignetCtl *ctl, const SignetPolicy *policy, Question *question)
{
    const SignetIdentityPolicy *identity = signet_policy_get_identity(policy, question->name);
    const SignetCaProfile *ca = identity ? signet_policy_get_ca(policy, identity->ca) : NULL;

    if (!identity || !identity->rotation || !ca) {
        (void)signet_ctl_refuse("the policy files have no identity '%s' that rotates; see: "
                                "signetctl policy check",
                                question->name);
        return FALSE;
    }
    question->rotation = identity->rotation;
    question->ca = ca->name;
    if (!read_duration("lifetime", ctl->simulate.lifetime, ca->lifetime_s, &question->lifetime_s) ||
        !read_duration("within", ctl->simulate.within, HOUR_S, &question->within_s))
        return FALSE;
    if (question->lifetime_s <= 0) {
        (void)signet_ctl_refuse("the policy does not say how long certificates of CA '%s' live; "
                                "say it with --lifetime",
                                ca->name);
        return FALSE;
    }
    question->survival_s = signet_simulate_survival_s(question->rotation, question->lifetime_s);
    if (ca->kind != SIGNET_CA_LOCAL &&
        signet_schedule_checks_revocation(question->rotation, question->lifetime_s))
        question->check_s = signet_schedule_check_after(question->rotation, question->lifetime_s,
                                                        device_seed(question->name));
    question->device = (SignetSimulation) {
        .rotation = question->rotation,
        .lifetime_s = question->lifetime_s,
        .seed = device_seed(question->name),
    };
    return read_times(ctl, question);
}

/* --- one device --- */

static char *
describe(const SignetCalendarEntry *entry)
{
    g_autofree char *until = signet_when_local(entry->not_after_s);
    g_autofree char *tries =
        entry->attempts > 1 ? g_strdup_printf(", at attempt %u", entry->attempts) : g_strdup("");

    switch (entry->kind) {
    case SIGNET_CALENDAR_ENROLLED:
        return g_strdup_printf("enrols: generation %u, valid until %s%s", entry->generation, until,
                               tries);
    case SIGNET_CALENDAR_RENEWED:
        return g_strdup_printf("renews, same key: generation %u, valid until %s%s",
                               entry->generation, until, tries);
    case SIGNET_CALENDAR_ROTATED:
        return g_strdup_printf("rotates, new key: generation %u, valid until %s%s",
                               entry->generation, until, tries);
    case SIGNET_CALENDAR_RETIRED:
        return g_strdup_printf("overlap over: generation %u is destroyed", entry->generation);
    case SIGNET_CALENDAR_CA_AWAY:
        return g_strdup("is due, but the CA is away: tries again and again");
    case SIGNET_CALENDAR_EXPIRING:
        return g_strdup_printf("ALARM: generation %u expires on %s", entry->generation, until);
    case SIGNET_CALENDAR_EXPIRED:
        return g_strdup_printf("EXPIRED: generation %u; applications fail from now on",
                               entry->generation);
    }
    return g_strdup("?");
}

static void
print_calendar(const Question *question, const GArray *calendar)
{
    g_autoptr(SignetTable) table = signet_table_new(NULL, 2);
    g_autofree char *lifetime = signet_when_duration(question->lifetime_s);
    g_autofree char *survival = signet_when_duration(question->survival_s);
    g_autofree char *check = question->check_s ? signet_when_duration(question->check_s) : NULL;
    g_autofree char *text = NULL;

    g_print("'%s': profile '%s', CA '%s', certificates that live %s\n", question->name,
            question->rotation->name, question->ca, lifetime);
    for (guint i = 0; i < calendar->len; i++) {
        const SignetCalendarEntry *entry = &g_array_index(calendar, SignetCalendarEntry, i);
        g_autofree char *when = signet_when_local(entry->at_s);
        g_autofree char *what = describe(entry);

        signet_table_add(table, SIGNET_TABLE_ROW(when, what));
    }
    text = signet_table_to_text(table, 2);
    g_print("%sThis device survives %s without its CA, whenever that begins.\n", text, survival);
    if (check)
        g_print("Whether its certificate is revoked is looked at every %s.\n", check);
}

static void
print_calendar_csv(const GArray *calendar)
{
    g_print("time,event,generation,not_after,attempts\n");
    for (guint i = 0; i < calendar->len; i++) {
        const SignetCalendarEntry *entry = &g_array_index(calendar, SignetCalendarEntry, i);

        g_print("%" G_GINT64_FORMAT ",%s,%u,%" G_GINT64_FORMAT ",%u\n", entry->at_s,
                signet_calendar_kind_name(entry->kind), entry->generation, entry->not_after_s,
                entry->attempts);
    }
}

static void
print_calendar_json(const Question *question, const GArray *calendar)
{
    GVariantBuilder entries;
    GVariantDict dict;

    g_variant_builder_init(&entries, G_VARIANT_TYPE("aa{sv}"));
    for (guint i = 0; i < calendar->len; i++) {
        const SignetCalendarEntry *entry = &g_array_index(calendar, SignetCalendarEntry, i);
        GVariantDict row;

        g_variant_dict_init(&row, NULL);
        g_variant_dict_insert(&row, "time", "x", entry->at_s);
        g_variant_dict_insert(&row, "event", "s", signet_calendar_kind_name(entry->kind));
        g_variant_dict_insert(&row, "generation", "u", entry->generation);
        g_variant_dict_insert(&row, "not_after", "x", entry->not_after_s);
        g_variant_dict_insert(&row, "attempts", "u", entry->attempts);
        g_variant_builder_add_value(&entries, g_variant_dict_end(&row));
    }
    g_variant_dict_init(&dict, NULL);
    g_variant_dict_insert(&dict, "identity", "s", question->name);
    g_variant_dict_insert(&dict, "lifetime", "x", question->lifetime_s);
    g_variant_dict_insert(&dict, "survives_without_ca", "x", question->survival_s);
    g_variant_dict_insert(&dict, "check_revocation", "x", question->check_s);
    g_variant_dict_insert_value(&dict, "calendar", g_variant_builder_end(&entries));
    signet_ctl_print_json(g_variant_dict_end(&dict), TRUE);
}

static SignetCtlExit
tell_device(const SignetCtl *ctl, const Question *question)
{
    g_autoptr(GTimeZone) zone = g_time_zone_new_local();
    SignetSimulation device = question->device;
    g_autoptr(GArray) calendar = NULL;

    device.zone = zone;
    calendar = signet_simulate_calendar(&device);
    if (ctl->is_json)
        print_calendar_json(question, calendar);
    else if (ctl->simulate.is_csv)
        print_calendar_csv(calendar);
    else
        print_calendar(question, calendar);
    return SIGNET_CTL_OK;
}

/* --- a fleet --- */

static guint32
peak_of(const GArray *hours, guint from, guint to)
{
    guint32 peak = 0;

    for (guint hour = from; hour < MIN(to, hours->len); hour++)
        peak = MAX(peak, g_array_index(hours, guint32, hour));
    return peak;
}

/* A row for several hours shows the busiest of them. The first hours, in which all enrol, would
 * leave no room for the rest: their bar is cut. */
static void
draw_load(const SignetFleetLoad *load)
{
    guint step = (load->hours->len + ROWS_MAX - 1) / ROWS_MAX;
    guint32 scale = MAX(peak_of(load->hours, load->settled / 2, load->hours->len), 1);

    for (guint hour = 0; hour < load->hours->len; hour += step) {
        guint32 peak = peak_of(load->hours, hour, hour + step);
        guint width = (guint)((guint64)MIN(peak, scale) * BAR_WIDTH / scale);
        g_autofree char *bar = g_strnfill(width, '#');

        g_print("  day %7.1f  %9u  %s%s\n", (double)hour / 24, peak, bar, peak > scale ? "…" : "");
    }
}

static void
print_load(const SignetCtl *ctl, const Question *question, const SignetFleetLoad *load)
{
    g_autofree char *within = signet_when_duration(question->within_s);
    g_autofree char *survival = signet_when_duration(question->survival_s);

    g_print("%d devices with '%s', enrolled within %s; the busiest hour at CA '%s' of each part:\n",
            ctl->simulate.fleet, question->name, within, question->ca);
    draw_load(load);
    g_print("After two periods: %.1f requests an hour, at most %u: %.2f times the mean.\n"
            "Each device survives %s without its CA.\n",
            load->mean, load->peak, load->mean > 0 ? load->peak / load->mean : 0, survival);
}

static void
print_load_json(const Question *question, const SignetFleetLoad *load)
{
    GVariantDict dict;

    g_variant_dict_init(&dict, NULL);
    g_variant_dict_insert(&dict, "identity", "s", question->name);
    g_variant_dict_insert(&dict, "mean", "d", load->mean);
    g_variant_dict_insert(&dict, "peak", "u", load->peak);
    g_variant_dict_insert(&dict, "settled_hour", "u", load->settled);
    g_variant_dict_insert_value(&dict, "hours",
                                g_variant_new_fixed_array(G_VARIANT_TYPE_UINT32, load->hours->data,
                                                          load->hours->len, sizeof(guint32)));
    signet_ctl_print_json(g_variant_dict_end(&dict), FALSE);
}

static SignetCtlExit
tell_fleet(const SignetCtl *ctl, const Question *question)
{
    const SignetFleet fleet = {
        .rotation = question->rotation,
        .lifetime_s = question->lifetime_s,
        .identity = question->name,
        .devices = (guint)ctl->simulate.fleet,
        .within_s = question->within_s,
        .periods = FLEET_PERIODS,
    };

    if (ctl->simulate.fleet < 0 || ctl->simulate.fleet > FLEET_MAX)
        return signet_ctl_refuse("cannot use '%d' as --fleet; write a number up to %d",
                                 ctl->simulate.fleet, FLEET_MAX);
    g_auto(SignetFleetLoad) load = signet_simulate_fleet(&fleet);

    if (ctl->is_json) {
        print_load_json(question, &load);
    } else if (ctl->simulate.is_csv) {
        g_print("hour,requests\n");
        for (guint hour = 0; hour < load.hours->len; hour++)
            g_print("%u,%u\n", hour, g_array_index(load.hours, guint32, hour));
    } else {
        print_load(ctl, question, &load);
    }
    return SIGNET_CTL_OK;
}

SignetCtlExit
signet_ctl_simulate(const SignetCtl *ctl, const char *identity)
{
    g_auto(SignetPolicyReading) reading = {0};
    Question question = {.name = identity};

    signet_policy_reading_init(&reading, ctl);
    if (!signet_policy_reading_is_good(&reading))
        return SIGNET_CTL_FAILED;
    if (!read_question(ctl, reading.policy, &question))
        return SIGNET_CTL_USAGE;
    return ctl->simulate.fleet ? tell_fleet(ctl, &question) : tell_device(ctl, &question);
}
