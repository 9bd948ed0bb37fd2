/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* What will happen, told beforehand: the life of one identity as a calendar, and the load of a
 * fleet on its CA. Pure: the agent's own schedule, run over a time that is given. Times are seconds
 * since 1970, UTC. */

#pragma once

#include "policy/schedule.h"

typedef struct {
    const SignetRotationProfile *rotation;
    gint64 lifetime_s; /* that the CA gives each certificate; at least 1 */
    guint64 seed;
    gint64 enrol_s;      /* when the first certificate is asked for */
    gint64 to_s;         /* nothing is told of what comes later */
    gint64 issuer_end_s; /* when the certificate ends that the CA issues by, which has no successor
                            before; 0: later than everything else */
    gint64 ca_away_s;    /* from then on the CA cannot be reached … */
    gint64 ca_back_s;    /* … until then; not later than ca_away_s: it always can */
    GTimeZone *zone;     /* (unowned, nullable) of the windows; NULL: UTC */
} SignetSimulation;

/* K(SYMBOL, "name") */
#define SIGNET_CALENDAR_KINDS(K)                                                \
    K(ENROLLED, "enrolled") /* the first certificate */                         \
    K(RENEWED, "renewed")   /* a new certificate for the current key */         \
    K(ROTATED, "rotated")   /* a new certificate for a new key */               \
    K(RETIRED, "retired")   /* the generation before is not usable any more */  \
    K(CA_AWAY, "ca-away")   /* a first attempt that fails, the CA being away */ \
    K(EXPIRING, "expiring") /* CriticalRemaining= is reached: the alarm */      \
    K(EXPIRED, "expired")   /* no usable certificate any more */

typedef enum {
#define K(symbol, name) SIGNET_CALENDAR_##symbol,
    SIGNET_CALENDAR_KINDS(K)
#undef K
} SignetCalendarKind;

const char *signet_calendar_kind_name(SignetCalendarKind kind);

typedef struct {
    SignetCalendarKind kind;
    gint64 at_s;
    guint32 generation; /* that it is about; 0: none */
    gint64 not_after_s; /* of its certificate, or of its issuer's, if that is sooner */
    guint attempts;     /* that it took, for ENROLLED, RENEWED and ROTATED */
} SignetCalendarEntry;

/* Entries in the order of their times; free with g_array_unref(). At most SIGNET_CALENDAR_MAX. */
GArray *signet_simulate_calendar(const SignetSimulation *simulation);
#define SIGNET_CALENDAR_MAX 100000

/* How long an identity surely stays usable when its CA goes away at the worst moment, just before a
 * renewal. */
gint64 signet_simulate_survival_s(const SignetRotationProfile *rotation, gint64 lifetime_s);

typedef struct {
    const SignetRotationProfile *rotation;
    gint64 lifetime_s;
    const char *identity;
    guint devices;
    gint64 within_s; /* all are enrolled within this time, evenly */
    guint periods;   /* of renew_age, that are told */
} SignetFleet;

typedef struct {
    GArray *hours; /* (owned) of guint32: requests to the CA in each hour, enrolments too */
    guint settled; /* the first hour after two periods: what is then is how it stays */
    guint32 peak;  /* of an hour from then on */
    double mean;   /* likewise */
} SignetFleetLoad;

SignetFleetLoad signet_simulate_fleet(const SignetFleet *fleet);
void signet_fleet_load_clear(SignetFleetLoad *load);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SignetFleetLoad, signet_fleet_load_clear)
