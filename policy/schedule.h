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
    gint64 not_after_s; /* its end, or that of a certificate above it, whichever comes first */
    gint64 key_created_s;
    gint64 own_end_s; /* its own, where one above it ends before; 0: none does */
} SignetCertificateFacts;

/* When its replacement is due: renew_at (where a certificate above it ends first, of what is left
 * until then, but not before half of that and ten minutes are over: the next one may end in the
 * same moment), the age of the key (NewKey=age:…, but not before a tenth of the lifetime is over),
 * or RotateIfIssuedBefore=, spread by seed over RotateWithin=; whichever comes first. An emergency
 * is not for keys that are kept for ever (NewKey=never). */
gint64
signet_schedule_due_at(const SignetRotationProfile *profile, const SignetCertificateFacts *facts,
                       guint64 seed, guint32 generation);
/* The same without renew_at; G_MAXINT64: neither wants it. */
gint64 signet_schedule_key_at(const SignetRotationProfile *profile,
                              const SignetCertificateFacts *facts, guint64 seed);
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
/* When that begins for a certificate. Where one above it ends first it is as long as for the
 * certificate's own lifetime: those that follow live for less and less. */
gint64 signet_schedule_critical_at(const SignetRotationProfile *profile,
                                   const SignetCertificateFacts *facts);
/* Does this renewal need a new key? key_created: when the current key was made. Also when it was
 * made before RotateIfIssuedBefore=. */
gboolean
signet_schedule_needs_new_key(const SignetRotationProfile *profile, gint64 key_created, gint64 now);

/* --- what others say of a certificate in use --- */

/* From one look at it to the next: CheckRevocation=, or else a twenty-fourth of the lifetime, an
 * hour at least and a day at most; up to a tenth less by seed. Seconds ≥ 1. */
gint64
signet_schedule_check_after(const SignetRotationProfile *profile, gint64 lifetime_s, guint64 seed);
/* From the promotion to the first look: half of that and up to all of it, so that a fleet that was
 * renewed at once does not ask at once. */
gint64 signet_schedule_check_first(const SignetRotationProfile *profile, gint64 lifetime_s,
                                   guint64 seed, guint32 generation);
/* Certificates that live for less than a day are gone sooner than word of their revocation comes
 * round: 'auto' does not look. */
gboolean signet_schedule_checks_revocation(const SignetRotationProfile *profile, gint64 lifetime_s);
/* From one look at the CA's renewal information to the next (RFC 9773 4.2, 4.3): what it says in
 * Retry-After within a minute and a day; 0, it says nothing: a twenty-fourth of the lifetime within
 * ten minutes and six hours. */
gint64 signet_schedule_window_after(gint64 lifetime_s, gint64 retry_after_s);
/* The moment in the CA's window, by seed: the same as long as the window is (RFC 9773 4.2). */
gint64
signet_schedule_window_moment(gint64 start_s, gint64 end_s, guint64 seed, guint32 generation);
/* When to leave an issuer that is on its way out since leaving_s: within a quarter of what the
 * certificate has left, a week at most, by seed. */
gint64 signet_schedule_leave_at(const SignetCertificateFacts *facts, gint64 leaving_s, guint64 seed,
                                guint32 generation);
/* How long a revoked generation stays usable beside its successor: as long as programs need to load
 * that, and not at all with OnRevoked=disable. Never longer than the overlap. */
gint64 signet_schedule_revoked_overlap(const SignetRotationProfile *profile, gint64 overlap_s);
