/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Machines to begin with, for the tests of the pure machine. */

#pragma once

#include <check.h>
#include <string.h>

#include "agent/rotate/journal.h"
#include "agent/rotate/machine.h"

#define NOW_S      G_GINT64_CONSTANT(1800000000)
#define LIFETIME_S 3600

static const SignetRotationProfile profile G_GNUC_UNUSED = {
    .name = (char *)"default",
    .renew_kind = SIGNET_RENEW_PERCENT,
    .renew_percent = 50,
    .new_key = SIGNET_NEW_KEY_ALWAYS,
    .overlap_s = 300,
    .retry_first_s = 60,
    .retry_max_s = SIGNET_AUTO,
    .pending_timeout_s = 7 * 86400,
    .critical_remaining_s = SIGNET_AUTO,
};

static const SignetRotationProfile same_key_profile G_GNUC_UNUSED = {
    .name = (char *)"same-key",
    .renew_kind = SIGNET_RENEW_PERCENT,
    .renew_percent = 50,
    .new_key = SIGNET_NEW_KEY_NEVER,
    .overlap_s = 300,
    .retry_first_s = 60,
    .retry_max_s = SIGNET_AUTO,
    .pending_timeout_s = 600,
    .critical_remaining_s = SIGNET_AUTO,
};

static inline SignetMachineInput
good_input(void)
{
    return (SignetMachineInput) {
        .rotation = &profile,
        .seed = 7,
        .is_ca_ready = TRUE,
        .wish = "wish",
        .is_key_kept = TRUE,
    };
}

/* An identity with generation 3 current and 2 retired, certificate as of now. */
static inline SignetMachine
active_machine(void)
{
    SignetMachine machine = signet_machine_new(NOW_S);

    machine.state = SIGNET_MACHINE_ACTIVE;
    machine.current = machine.announced = machine.last_number = 3;
    machine.facts = (SignetCertificateFacts) {NOW_S, NOW_S + LIFETIME_S, NOW_S};
    g_strlcpy(machine.current_wish, "wish", sizeof(machine.current_wish));
    machine.retired[0] = (SignetRetired) {.number = 2, .retire_at_s = NOW_S + 300};
    machine.n_retired = 1;
    return machine;
}

/* The same in the middle of a rotation to 4. */
static inline SignetMachine
working_machine(SignetMachineState state)
{
    SignetMachine machine = active_machine();

    machine.state = state;
    machine.pending = machine.last_number = 4;
    machine.resume = state == SIGNET_MACHINE_PROMOTING ? SIGNET_MACHINE_VERIFYING : state;
    g_strlcpy(machine.pending_wish, "wish", sizeof(machine.pending_wish));
    g_strlcpy(machine.tried_wish, "wish", sizeof(machine.tried_wish));
    return machine;
}

static inline SignetMachineStep
step(const SignetMachine *machine, SignetMachineEventKind kind)
{
    SignetMachineInput input = good_input();
    SignetMachineEvent event = {
        .kind = kind,
        .cause = "because",
        .after_s = 100,
        .facts = {NOW_S, NOW_S + LIFETIME_S, NOW_S},
    };

    return signet_machine_step(machine, &event, &input, NOW_S);
}
