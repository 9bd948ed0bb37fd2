/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* When to renew, retry, and retire. Pure: the time and the seed are arguments. */

#include "policy/schedule.h"

#include <string.h>

#define MINUTE_S ((gint64)60)
#define HOUR_S   (60 * MINUTE_S)
#define DAY_S    (24 * HOUR_S)

#define DAY_MIN       ((gint64)24 * 60)
#define WEEK_MIN      (7 * DAY_MIN)
#define EPOCH_WEEKDAY 3 /* 1970-01-01 was a Thursday; Monday is 0 */
#define YEAR_9999_S   G_GINT64_CONSTANT(253402300800)

/* Certificates come from outside; times at the ends of the range must not overflow. */
#define LIFETIME_MAX_S (10000 * 366 * DAY_S)

/* splitmix64's finaliser: neighbouring inputs give unrelated outputs. */
static guint64
mix(guint64 x)
{
    x += G_GUINT64_CONSTANT(0x9e3779b97f4a7c15);
    x = (x ^ (x >> 30)) * G_GUINT64_CONSTANT(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * G_GUINT64_CONSTANT(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

/* In [0, 1): the 53 bits that a double holds exactly. */
static double
fraction(guint64 seed)
{
    return (double)(mix(seed) >> 11) / (double)(G_GUINT64_CONSTANT(1) << 53);
}

static gint64
lifetime_of(gint64 not_before, gint64 not_after)
{
    gint64 lifetime;

    if (not_after <= not_before)
        return 0;
    if (__builtin_sub_overflow(not_after, not_before, &lifetime))
        return LIFETIME_MAX_S;
    return MIN(lifetime, LIFETIME_MAX_S);
}

static gint64
part_of(gint64 lifetime, double percent)
{
    return (gint64)((double)lifetime * percent / 100);
}

gint64
signet_schedule_renew_age(const SignetRotationProfile *profile, gint64 lifetime_s)
{
    gint64 lifetime = CLAMP(lifetime_s, 0, LIFETIME_MAX_S);

    switch (profile->renew_kind) {
    case SIGNET_RENEW_PERCENT:
        return part_of(lifetime, profile->renew_percent);
    case SIGNET_RENEW_BEFORE:
        if (profile->renew_before_s < lifetime)
            return lifetime - profile->renew_before_s;
        break;
    case SIGNET_RENEW_AUTO:
        break;
    }
    return lifetime < 10 * DAY_S ? lifetime / 2 : lifetime / 3 * 2;
}

/* How much earlier than that. The whole period of the first two is the mean one of the later ones,
 * so that the spread has no seam at which the load is doubled. */
static gint64
renew_early(const SignetRotationProfile *profile, gint64 lifetime, guint64 seed, guint32 generation)
{
    double jitter = (double)lifetime * profile->jitter_percent / 100;
    double period = (double)signet_schedule_renew_age(profile, lifetime) - jitter / 2;

    if (jitter > 0 && (generation == 1 || generation == 2))
        return (gint64)(MAX(period, 0) / 2 * fraction(seed));
    return (gint64)(jitter * fraction(seed + generation));
}

guint64
signet_schedule_seed(const char *machine_id, const char *identity)
{
    g_autoptr(GChecksum) checksum = g_checksum_new(G_CHECKSUM_SHA256);
    guint8 digest[32];
    gsize size = sizeof digest;
    guint64 seed = 0;

    /* The zero between keeps ("ab", "c") and ("a", "bc") apart. */
    g_checksum_update(checksum, (const guchar *)machine_id, (gssize)strlen(machine_id) + 1);
    g_checksum_update(checksum, (const guchar *)identity, (gssize)strlen(identity));
    g_checksum_get_digest(checksum, digest, &size);
    for (gsize i = 0; i < sizeof seed; i++)
        seed = seed << 8 | digest[i];
    return seed;
}

gint64
signet_schedule_renew_at(const SignetRotationProfile *profile, gint64 not_before, gint64 not_after,
                         guint64 seed, guint32 generation)
{
    gint64 lifetime = lifetime_of(not_before, not_after);
    gint64 age = signet_schedule_renew_age(profile, lifetime);

    return not_before + CLAMP(age - renew_early(profile, lifetime, seed, generation), 0, lifetime);
}

static gboolean
is_recalled(const SignetRotationProfile *profile, gint64 key_created_s)
{
    return profile->issued_before_s != 0 && profile->new_key != SIGNET_NEW_KEY_NEVER &&
           key_created_s < profile->issued_before_s;
}

gint64
signet_schedule_recall_at(const SignetRotationProfile *profile, const SignetCertificateFacts *facts,
                          guint64 seed)
{
    if (!is_recalled(profile, facts->key_created_s))
        return G_MAXINT64;
    return profile->issued_before_s + (gint64)((double)profile->within_s * fraction(seed));
}

gint64
signet_schedule_key_at(const SignetRotationProfile *profile, const SignetCertificateFacts *facts,
                       guint64 seed)
{
    gint64 lifetime = lifetime_of(facts->not_before_s, facts->not_after_s);
    gint64 old_s = G_MAXINT64;

    if (profile->new_key == SIGNET_NEW_KEY_AGE)
        old_s =
            MAX(facts->key_created_s + profile->new_key_age_s, facts->not_before_s + lifetime / 10);
    return MIN(old_s, signet_schedule_recall_at(profile, facts, seed));
}

/* As long as its CA has no other issuer each certificate ends with this one: asked for when half is
 * over, and half of the rest again, it is no storm. */
static gint64
issuer_pause(const SignetCertificateFacts *facts)
{
    return MAX(lifetime_of(facts->not_before_s, facts->not_after_s) / 2, 10 * MINUTE_S);
}

gint64
signet_schedule_due_at(const SignetRotationProfile *profile, const SignetCertificateFacts *facts,
                       guint64 seed, guint32 generation)
{
    gint64 due_s = signet_schedule_renew_at(profile, facts->not_before_s, facts->not_after_s, seed,
                                            generation);

    if (facts->own_end_s)
        due_s = MIN(MAX(due_s, facts->not_before_s + issuer_pause(facts)),
                    signet_schedule_renew_at(profile, facts->not_before_s, facts->own_end_s, seed,
                                             generation));
    return MIN(due_s, signet_schedule_key_at(profile, facts, seed));
}

/* Minutes from minute_of_week until the window; 0: within it. */
static gint64
minutes_until(const SignetWindow *window, gint64 minute_of_week)
{
    gint64 length = window->end_min - window->begin_min;
    gint64 nearest = G_MAXINT64;

    if (length <= 0)
        length += DAY_MIN;
    for (gint64 day = 0; day < 7; day++) {
        gint64 ahead = (day * DAY_MIN + window->begin_min - minute_of_week + WEEK_MIN) % WEEK_MIN;

        if (!(window->days & 1u << day))
            continue;
        if (ahead == 0 || WEEK_MIN - ahead < length)
            return 0;
        nearest = MIN(nearest, ahead);
    }
    return nearest;
}

gint64
signet_schedule_window_at(const SignetRotationProfile *profile, gint64 at_s, gint64 utc_offset_s)
{
    gint64 local_s = CLAMP(at_s, 0, YEAR_9999_S) + utc_offset_s;
    gint64 minute_of_week = (local_s / MINUTE_S + EPOCH_WEEKDAY * DAY_MIN) % WEEK_MIN;
    gint64 nearest = G_MAXINT64;

    for (guint i = 0; profile->windows && i < profile->windows->len; i++)
        nearest = MIN(nearest, minutes_until(&g_array_index(profile->windows, SignetWindow, i),
                                             minute_of_week));
    if (nearest == 0 || nearest == G_MAXINT64)
        return at_s;
    return at_s - local_s % MINUTE_S + nearest * MINUTE_S;
}

gint64
signet_schedule_retry_after(const SignetRotationProfile *profile, gint64 lifetime_s, guint attempt,
                            guint64 seed)
{
    gint64 pause = MAX(profile->retry_first_s, 1);
    gint64 longest = profile->retry_max_s;
    double spread;

    if (longest == SIGNET_AUTO && lifetime_s <= 0)
        longest = 6 * HOUR_S;
    else if (longest == SIGNET_AUTO)
        longest = CLAMP(part_of(MIN(lifetime_s, LIFETIME_MAX_S), 4), MINUTE_S, 6 * HOUR_S);
    longest = MAX(longest, pause);

    for (guint i = 1; i < attempt && pause < longest; i++)
        pause = pause > longest / 2 ? longest : pause * 2;

    spread = 0.9 + 0.2 * fraction(seed + attempt);
    return MAX((gint64)((double)pause * spread), 1);
}

gint64
signet_schedule_overlap(const SignetRotationProfile *profile, gint64 old_not_after, gint64 now)
{
    gint64 left = lifetime_of(now, old_not_after);

    if (profile->overlap_s == SIGNET_AUTO)
        return MIN(DAY_S, left / 10);
    return CLAMP(profile->overlap_s, 0, left);
}

gint64
signet_schedule_critical(const SignetRotationProfile *profile, gint64 not_before, gint64 not_after)
{
    gint64 lifetime = lifetime_of(not_before, not_after);

    if (profile->critical_remaining_s != SIGNET_AUTO)
        return MIN(profile->critical_remaining_s, lifetime);
    return MIN(MAX(lifetime / 10, 15 * MINUTE_S), lifetime / 4);
}

gint64
signet_schedule_critical_at(const SignetRotationProfile *profile,
                            const SignetCertificateFacts *facts)
{
    gint64 own_end_s = facts->own_end_s ? facts->own_end_s : facts->not_after_s;

    return facts->not_after_s - signet_schedule_critical(profile, facts->not_before_s, own_end_s);
}

gboolean
signet_schedule_needs_new_key(const SignetRotationProfile *profile, gint64 key_created, gint64 now)
{
    if (is_recalled(profile, key_created))
        return TRUE;
    switch (profile->new_key) {
    case SIGNET_NEW_KEY_ALWAYS:
        return TRUE;
    case SIGNET_NEW_KEY_AGE:
        return lifetime_of(key_created, now) >= profile->new_key_age_s;
    case SIGNET_NEW_KEY_NEVER:
        return FALSE;
    }
    return TRUE;
}

/* --- what others say of a certificate in use --- */

#define CHECK_PART   24 /* looks in a lifetime */
#define GRACE_S      MINUTE_S
#define LEAVE_MAX_S  (7 * DAY_S)
#define WINDOW_FIRST 0x77696e646f77 /* other fractions than those of the jitter */
#define CHECK_FIRST  0x636865636b

static gint64
check_period(const SignetRotationProfile *profile, gint64 lifetime_s)
{
    if (profile->check_s > 0)
        return profile->check_s;
    return CLAMP(lifetime_s / CHECK_PART, HOUR_S, DAY_S);
}

gint64
signet_schedule_check_after(const SignetRotationProfile *profile, gint64 lifetime_s, guint64 seed)
{
    double period = (double)check_period(profile, lifetime_s);

    return MAX((gint64)(period * (1 - 0.1 * fraction(seed + CHECK_FIRST))), 1);
}

gint64
signet_schedule_check_first(const SignetRotationProfile *profile, gint64 lifetime_s, guint64 seed,
                            guint32 generation)
{
    double period = (double)check_period(profile, lifetime_s);

    return MAX((gint64)(period * (0.5 + 0.5 * fraction(seed + CHECK_FIRST + generation))), 1);
}

gboolean
signet_schedule_checks_revocation(const SignetRotationProfile *profile, gint64 lifetime_s)
{
    if (profile->check_s == SIGNET_AUTO)
        return lifetime_s >= DAY_S;
    return profile->check_s != SIGNET_CHECK_NEVER;
}

gint64
signet_schedule_window_after(gint64 lifetime_s, gint64 retry_after_s)
{
    if (retry_after_s > 0)
        return CLAMP(retry_after_s, MINUTE_S, DAY_S);
    return CLAMP(lifetime_s / CHECK_PART, 10 * MINUTE_S, 6 * HOUR_S);
}

gint64
signet_schedule_window_moment(gint64 start_s, gint64 end_s, guint64 seed, guint32 generation)
{
    return start_s + (gint64)((double)lifetime_of(start_s, end_s) *
                              fraction(seed + WINDOW_FIRST + generation));
}

gint64
signet_schedule_leave_at(const SignetCertificateFacts *facts, gint64 leaving_s, guint64 seed,
                         guint32 generation)
{
    gint64 spread = MIN(lifetime_of(leaving_s, facts->not_after_s) / 4, LEAVE_MAX_S);

    return leaving_s + (gint64)((double)spread * fraction(seed + WINDOW_FIRST + generation));
}

gint64
signet_schedule_revoked_overlap(const SignetRotationProfile *profile, gint64 overlap_s)
{
    return profile->on_revoked == SIGNET_ON_REVOKED_DISABLE ? 0 : MIN(overlap_s, GRACE_S);
}
