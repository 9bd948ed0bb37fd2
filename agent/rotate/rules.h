/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* What the steps of the machine and its recovery share. Pure; inside agent/rotate only. */

#pragma once

#include "agent/rotate/machine.h"

/* When the schedule wants a new generation, whatever the window. */
gint64 signet_rules_due_at(const SignetMachine *machine, const SignetMachineInput *input);
/* Has the clock been set? A device without a battery begins in 1970. */
gboolean signet_rules_is_clock_set(const SignetMachineInput *input, gint64 now_s);
/* Made while the clock was ahead of the world's by more than a day: a reason to rotate. */
gboolean signet_rules_is_not_valid_yet(const SignetMachine *machine, gint64 now_s);
/* Begin and alarm: SIGNET_NEVER when there is nothing to wait for. Begin waits for Window=, unless
 * CriticalRemaining= is reached, there is nothing to use yet, or a person asked. */
gint64
signet_rules_begin_at(const SignetMachine *machine, const SignetMachineInput *input, gint64 now_s);
gint64 signet_rules_alarm_at(const SignetMachine *machine, const SignetMachineInput *input);
/* When CriticalRemaining= of the current certificate is reached. */
gint64 signet_rules_critical_at(const SignetMachine *machine, const SignetMachineInput *input);
/* FALSE while the CA is not there: the fingerprint holds the CA's, which is not known then. */
gboolean signet_rules_is_wish_changed(const SignetMachineInput *input, const char *wish);

/* Must the next generation's key be made, or is the current one kept? */
gboolean signet_rules_needs_new_key(const SignetMachine *machine, const SignetMachineInput *input,
                                    gint64 now_s);
/* Why the policy cannot be served, in words; NULL when it can: Input.blocked, or the next key would
 * have to be made and may not. */
const char *signet_rules_blocked(const SignetMachine *machine, const SignetMachineInput *input);

/* watch.c: what others say of the current certificate. */
/* Of the current certificate, seconds. */
gint64 signet_watch_lifetime(const SignetMachine *machine);
/* Begins anew with the generation that has become current. */
void signet_watch_reset(SignetMachine *machine, const SignetMachineInput *input, gint64 now_s);
/* The next look, and at what. SIGNET_NEVER: nothing is to be looked at. */
gint64 signet_watch_next_at(const SignetMachine *machine, const SignetMachineInput *input,
                            guint *ret_looks, gint64 now_s);
/* When the CA wants it renewed (RFC 9773); SIGNET_NEVER: it says nothing, or is not asked. */
gint64 signet_watch_renew_at(const SignetMachine *machine, const SignetMachineInput *input);
/* Is the CA's window over? It may be about to revoke the certificate. */
gboolean signet_watch_is_overdue(const SignetMachine *machine, const SignetMachineInput *input,
                                 gint64 now_s);
/* When to leave its issuer; SIGNET_NEVER: not at all. */
gint64 signet_watch_leave_at(const SignetMachine *machine, const SignetMachineInput *input);
/* Is its revocation a reason for another one at once? */
gboolean signet_watch_wants_new(const SignetMachine *machine, const SignetMachineInput *input);

/* The list of old generations. */
gboolean signet_retired_has_place(const SignetMachine *machine, guint places);
/* Without a place the generation stays on disk unnamed, and the next start finds it. */
void signet_retired_add(SignetMachine *machine, guint32 number, guint tries, gint64 retire_at_s);
void signet_retired_drop(SignetMachine *machine, guint index);
/* NULL when it is not there, and for 0. */
SignetRetired *signet_retired_find(SignetMachine *machine, guint32 number);
