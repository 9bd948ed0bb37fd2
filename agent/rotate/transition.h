/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* One step of the machine under way, and what its files share. Pure; inside agent/rotate only. */

#pragma once

#include "agent/rotate/rules.h"

/* What every transition works on. */
typedef struct {
    SignetMachine *machine;
    const SignetMachineEvent *event;
    const SignetMachineInput *input;
    gint64 now_s;
    guint effects;
} SignetTransition;

/* Places in the list of old generations that an attempt may need: for the pending and the current
 * one. */
#define SIGNET_TRANSITION_SPARE 2

/* The pause after an attempt, by RetryFirst= and RetryMax=. */
gint64 signet_transition_retry_after(const SignetTransition *turn, guint attempt);
void signet_transition_set_cause(SignetMachine *machine, const char *cause);
/* The one way into a state. cause: nullable. */
void signet_transition_enter(SignetTransition *turn, SignetMachineState state, const char *cause);
/* FAILED, with the time of the next try. */
void signet_transition_fail(SignetTransition *turn, const char *cause);
void signet_transition_wait_for_token(SignetTransition *turn, const char *cause);
/* The pending generation will not be needed: its key is destroyed as any old one is. */
void signet_transition_discard_pending(SignetTransition *turn);
/* Has the pending generation the key of an earlier one, which is not to be certified any more? */
gboolean signet_transition_has_revoked_key(const SignetMachine *machine);
void signet_transition_take_number(SignetMachine *machine);

/* The states of work, each with its effect. */
void signet_transition_start_keygen(SignetTransition *turn);
void signet_transition_start_enrolling(SignetTransition *turn);
void signet_transition_start_verifying(SignetTransition *turn);
void signet_transition_start_canary(SignetTransition *turn);
void signet_transition_start_promoting(SignetTransition *turn);
void signet_transition_start_restoring(SignetTransition *turn);
gboolean signet_transition_is_canary_needed(const SignetTransition *turn);

/* look.c: the events CHECK and CHECK_NOW. */
void signet_transition_check(SignetTransition *turn);
/* CHECKED, CHECK_FAILED and REVOKED. */
void signet_transition_end_check(SignetTransition *turn);

/* begin.c: the events BEGIN and TICK. */
void signet_transition_begin(SignetTransition *turn);
void signet_transition_tick(SignetTransition *turn);
