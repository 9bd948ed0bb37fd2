/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* An identity's state in words. */

#include "agent/rotate/engine.h"
#include "agent/rotate/private.h"
#include "agent/rotate/rules.h"

static const char *
name_begin(SignetMachineState state)
{
    switch (state) {
    case SIGNET_MACHINE_ABSENT:
        return "enrol";
    case SIGNET_MACHINE_ACTIVE:
        return "renew";
    case SIGNET_MACHINE_FAILED:
    case SIGNET_MACHINE_WAITING_TOKEN:
        return "retry";
    case SIGNET_MACHINE_PENDING_CA:
        return "ask the CA again";
    case SIGNET_MACHINE_WAITING_CA:
        return "enrol when the CA is there";
    case SIGNET_MACHINE_BLOCKED:
        return "go on when the policy is corrected";
    case SIGNET_MACHINE_KEYGEN:
    case SIGNET_MACHINE_ENROLLING:
    case SIGNET_MACHINE_VERIFYING:
    case SIGNET_MACHINE_CANARY:
    case SIGNET_MACHINE_PROMOTING:
    case SIGNET_MACHINE_ROLLING_BACK:
        break;
    }
    return NULL;
}

/* A renewal in a month is not what happens next when an old generation goes tomorrow. */
static void
describe_next(SignetEntry *entry, SignetIdentityStatus *status)
{
    const SignetMachine *machine = &entry->machine;
    SignetMachineInput input = signet_entry_input(entry);
    gint64 now_s = signet_clock_now(entry->engine->context.clock);
    SignetMachineDeadlines deadlines = signet_machine_deadlines(machine, &input, now_s);
    gint64 begin_s = deadlines.begin_s == SIGNET_NEVER ? 0 : deadlines.begin_s;

    status->next = signet_rules_is_clock_set(&input, now_s) ? name_begin(machine->state)
                                                            : "go on when the clock is set";
    status->next_s = begin_s;
    if (machine->state != SIGNET_MACHINE_ACTIVE || deadlines.retire_number == 0 ||
        deadlines.tick_s > begin_s)
        return;
    g_snprintf(entry->next_text, sizeof(entry->next_text), "retire generation %u",
               deadlines.retire_number);
    status->next = entry->next_text;
    status->next_s = deadlines.tick_s;
}

gboolean
signet_engine_get_status(SignetEngine *engine, const char *identity,
                         SignetIdentityStatus *ret_status)
{
    SignetEntry *entry = g_hash_table_lookup(engine->entries, identity);
    const SignetMachine *machine;

    if (!entry)
        return FALSE;
    machine = &entry->machine;
    *ret_status = (SignetIdentityStatus) {
        .state = signet_machine_state_name(machine->state),
        .cause = machine->cause[0] != '\0' ? machine->cause : NULL,
        .since_s = machine->since_s,
        .attempt = machine->attempt,
        .current = machine->current,
        .pending = machine->pending,
        .not_after_s = machine->current ? machine->facts.not_after_s : 0,
    };
    if (entry->problem) {
        ret_status->state = signet_machine_state_name(SIGNET_MACHINE_FAILED);
        ret_status->cause = entry->problem;
    } else {
        describe_next(entry, ret_status);
    }
    return TRUE;
}
