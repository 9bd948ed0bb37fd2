/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* After a start: the journal and the disk become a machine again. */

#include "agent/rotate/rules.h"

#include <string.h>

static gboolean
is_on_disk(const SignetMachineDisk *disk, guint32 number)
{
    for (gsize i = 0; i < disk->n_numbers; i++) {
        if (disk->numbers[i] == number)
            return TRUE;
    }
    return FALSE;
}

static void
forget_pending(SignetMachine *machine)
{
    machine->pending = 0;
    machine->pending_wish[0] = '\0';
    machine->pending_since_s = 0;
    machine->resume = SIGNET_MACHINE_KEYGEN;
    machine->origin = SIGNET_MACHINE_OURS;
    machine->pending_key = 0;
}

/* What was to be adopted and is not whole on disk is gone: only the one who asked has it. */
static gboolean
is_adoption_lost(const SignetMachine *machine, const SignetMachineDisk *disk)
{
    switch (machine->origin) {
    case SIGNET_MACHINE_OURS:
        return FALSE;
    case SIGNET_MACHINE_ADOPTED_KEY:
        return !is_on_disk(disk, machine->pending);
    case SIGNET_MACHINE_ADOPTED:
        return !is_on_disk(disk, machine->pending) || !disk->has_chain;
    }
    return FALSE;
}

/* What was current when the journal was written is gone back to no more if its key is revoked: a
 * generation that is old does not say any more for which one its key was made. */
static void
close_revoked(SignetMachine *machine)
{
    SignetMachine before = *machine;

    before.current = machine->watch.number;
    if (signet_machine_is_revoked(&before))
        machine->revoked = MAX(machine->revoked, before.current);
}

static void
recover_pending(SignetMachine *machine, const SignetMachineDisk *disk)
{
    gboolean was_enrolling =
        machine->state == SIGNET_MACHINE_ENROLLING || machine->origin == SIGNET_MACHINE_ADOPTED;

    if (machine->pending == machine->current) {
        /* promoted, and then it was dark */
        close_revoked(machine);
        memcpy(machine->current_wish, machine->pending_wish, sizeof(machine->current_wish));
        machine->current_key = machine->pending_key;
        machine->attempt = 0;
        machine->state = SIGNET_MACHINE_ACTIVE;
    }
    if (machine->pending <= machine->current || is_adoption_lost(machine, disk)) {
        forget_pending(machine);
    } else if (!is_on_disk(disk, machine->pending)) {
        machine->resume = SIGNET_MACHINE_KEYGEN;
    } else if (disk->has_chain && (was_enrolling || machine->resume == SIGNET_MACHINE_VERIFYING)) {
        machine->resume = SIGNET_MACHINE_VERIFYING;
    } else {
        machine->resume = SIGNET_MACHINE_ENROLLING;
    }
}

/* An effect that was under way begins again at its turn. */
static void
recover_state(SignetMachine *machine, gint64 now_s)
{
    SignetMachineState rest = machine->current ? SIGNET_MACHINE_ACTIVE : SIGNET_MACHINE_ABSENT;

    if (signet_machine_is_working(machine) || machine->state == SIGNET_MACHINE_ABSENT ||
        machine->state == SIGNET_MACHINE_ACTIVE) {
        if (machine->state != rest)
            machine->since_s = now_s;
        machine->state = rest;
        machine->next_s = 0;
        machine->is_requested = machine->pending != 0;
    }
}

/* The link says how far a rollback came; one that has not come there is done again. */
static void
recover_restoring(SignetMachine *machine, const SignetMachineDisk *disk, gint64 now_s)
{
    if (machine->restoring == 0)
        return;
    if (machine->current != machine->restoring && is_on_disk(disk, machine->restoring))
        return;
    if (machine->current == machine->restoring) {
        machine->current_key = 0;
        machine->state = SIGNET_MACHINE_FAILED;
        machine->attempt++;
        machine->next_s = now_s;
    }
    machine->restoring = 0;
}

static void
recover_retired(SignetMachine *machine, const SignetMachineDisk *disk,
                const SignetMachineInput *input, gint64 now_s)
{
    gint64 overlap_s = signet_schedule_overlap(input->rotation, machine->facts.not_after_s, now_s);

    for (guint i = machine->n_retired; i > 0; i--) {
        guint32 number = machine->retired[i - 1].number;

        if (!is_on_disk(disk, number) || number == machine->current || number == machine->pending)
            signet_retired_drop(machine, i - 1);
    }
    for (gsize i = 0; i < disk->n_numbers; i++) {
        guint32 number = disk->numbers[i];

        if (number == machine->current || number == machine->pending ||
            signet_retired_find(machine, number))
            continue;
        if (number < machine->current)
            signet_retired_add(machine, number, 0, now_s + overlap_s);
        else
            signet_retired_add(machine, number, 1, now_s);
    }
}

SignetMachine
signet_machine_recover(const SignetMachine *journal, const SignetMachineDisk *disk,
                       const SignetMachineInput *input, gint64 now_s)
{
    SignetMachine machine = *journal;

    machine.current = disk->current;
    machine.facts = disk->facts;
    machine.retiring = 0;
    machine.checking = machine.checking_looks = 0;
    machine.is_check_asked = FALSE;
    machine.is_requested = FALSE;
    machine.is_asked = FALSE;
    memcpy(machine.tried_wish, machine.pending_wish, sizeof(machine.tried_wish));
    machine.last_number = MAX(machine.last_number, MAX(machine.current, machine.pending));
    if (disk->n_numbers > 0)
        machine.last_number = MAX(machine.last_number, disk->numbers[disk->n_numbers - 1]);
    if (machine.pending)
        recover_pending(&machine, disk);
    recover_state(&machine, now_s);
    recover_restoring(&machine, disk, now_s);
    recover_retired(&machine, disk, input, now_s);
    if (machine.watch.number != machine.current)
        signet_watch_reset(&machine, input, now_s);
    /* the journal was lost: what is there counts as what is wanted */
    if (machine.current && machine.current_wish[0] == '\0' && input->is_ca_ready)
        g_strlcpy(machine.current_wish, input->wish, sizeof(machine.current_wish));
    return machine;
}
