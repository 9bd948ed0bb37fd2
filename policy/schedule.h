/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* When to renew, retry, and retire. Pure: the time and the seed are arguments. Times are seconds
 * since 1970, UTC. */

#pragma once

#include "policy/model.h"

/* A seed from the machine id and the identity's name: a fleet spreads by itself, one device is
 * stable. */
guint64 signet_schedule_seed(const char *machine_id, const char *identity);

/* How long after not_before a certificate of this lifetime is renewed at the latest: 66.7 % of the
 * lifetime (50 % below ten days) or as RenewAt= says. A certificate that does not live as long as
 * RenewAt=21d asks for is renewed as by 'auto': renewing at once, for ever, would help nobody. */
gint64 signet_schedule_renew_age(const SignetRotationProfile *profile, gint64 lifetime_s);
/* The moment to renew a certificate: not_before + renew_age, minus the jitter, which differs from
 * one generation to the next. Never before not_before, never after not_after. The lifetime is
 * not_after - not_before.
 *
 * Generations 1 and 2 are renewed up to half their age early, each by the same part: a fleet that
 * was installed within an hour is spread over the whole period after its second renewal, which the
 * jitter alone would take years to do. Jitter=0% turns that off too. */
gint64 signet_schedule_renew_at(const SignetRotationProfile *profile, gint64 not_before,
                                gint64 not_after, guint64 seed, guint32 generation);
/* Pause before attempt number 'attempt' (1 = first retry): doubling from RetryFirst= to RetryMax=,
 * ± 10 % by seed. Seconds ≥ 1. lifetime_s: of the certificate in use, 0 when there is none yet
 * (RetryMax=auto is 6 h then). */
gint64 signet_schedule_retry_after(const SignetRotationProfile *profile, gint64 lifetime_s,
                                   guint attempt, guint64 seed);

/* What is known of the certificate in use. */
typedef struct {
    gint64 not_before_s;
    gint64 not_after_s;
    gint64 key_created_s;
} SignetCertificateFacts;

/* When its replacement is due: renew_at, the age of the key (NewKey=age:…, but not before a tenth
 * of the lifetime is over), or RotateIfIssuedBefore=, spread by seed over RotateWithin=; whichever
 * comes first. An emergency is not for keys that are kept for ever (NewKey=never). */
gint64
signet_schedule_due_at(const SignetRotationProfile *profile, const SignetCertificateFacts *facts,
                       guint64 seed, guint32 generation);
/* When RotateIfIssuedBefore= wants it, or G_MAXINT64. */
gint64 signet_schedule_recall_at(const SignetRotationProfile *profile,
                                 const SignetCertificateFacts *facts, guint64 seed);
/* The first moment from at_s on that lies in a window of Window=. utc_offset_s: of local time, at
 * that moment. */
gint64
signet_schedule_window_at(const SignetRotationProfile *profile, gint64 at_s, gint64 utc_offset_s);
/* How long the old generation stays usable after promotion; never longer than its certificate is
 * valid. */
gint64
signet_schedule_overlap(const SignetRotationProfile *profile, gint64 old_not_after, gint64 now);
/* Remaining lifetime below which windows are ignored and the alarm sounds. 'auto' is never more
 * than a quarter of the lifetime, so that it begins after the regular renewal even when
 * certificates live for minutes. */
gint64
signet_schedule_critical(const SignetRotationProfile *profile, gint64 not_before, gint64 not_after);
/* Does this renewal need a new key? key_created: when the current key was made. Also when it was
 * made before RotateIfIssuedBefore=. */
gboolean
signet_schedule_needs_new_key(const SignetRotationProfile *profile, gint64 key_created, gint64 now);
