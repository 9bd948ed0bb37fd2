/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* What others say of the current certificate: when to look, and what follows. Pure. */

#include <string.h>

#include "agent/rotate/rules.h"

#define DAY_S ((gint64)86400)

gint64
signet_watch_lifetime(const SignetMachine *machine)
{
    return machine->facts.not_after_s - machine->facts.not_before_s;
}

gboolean
signet_machine_is_key_revoked(const SignetMachine *machine)
{
    guint32 made_for = machine->current_key ? machine->current_key : machine->current;

    return machine->current != 0 && made_for <= machine->revoked_key;
}

gboolean
signet_machine_is_revoked(const SignetMachine *machine)
{
    return machine->current != 0 &&
           (machine->current <= machine->revoked || signet_machine_is_key_revoked(machine));
}

guint32
signet_machine_revoked_until(const SignetMachine *machine)
{
    return signet_machine_is_revoked(machine) ? MAX(machine->current, machine->revoked)
                                              : machine->revoked;
}

gboolean
signet_watch_wants_new(const SignetMachine *machine, const SignetMachineInput *input)
{
    return signet_machine_is_revoked(machine) &&
           input->rotation->on_revoked != SIGNET_ON_REVOKED_NOTIFY;
}

void
signet_watch_reset(SignetMachine *machine, const SignetMachineInput *input, gint64 now_s)
{
    SignetWatch *watch = &machine->watch;
    gint64 lifetime_s = signet_watch_lifetime(machine);
    gint64 first_s =
        signet_schedule_check_first(input->rotation, lifetime_s, input->seed, machine->current);

    memset(watch, 0, sizeof(*watch));
    watch->number = machine->current;
    watch->last_s = watch->window_last_s = now_s;
    watch->next_s = now_s + first_s;
    watch->window_next_s = now_s + MIN(first_s, signet_schedule_window_after(lifetime_s, 0));
    machine->leaving_s = 0;
}

/* --- when to look --- */

/* Of what can be learned, what the policy wants to know. */
static guint
wanted_looks(const SignetMachine *machine, const SignetMachineInput *input)
{
    gint64 lifetime_s = signet_watch_lifetime(machine);
    guint looks = input->looks;

    if (!signet_schedule_checks_revocation(input->rotation, lifetime_s))
        looks &= ~(guint)SIGNET_LOOK_REVOCATION;
    /* what renews soon by itself sees a new issuer then */
    if (lifetime_s < DAY_S && !(looks & SIGNET_LOOK_REVOCATION))
        looks &= ~(guint)SIGNET_LOOK_AUTHORITIES;
    if (input->rotation->renew_kind != SIGNET_RENEW_AUTO)
        looks &= ~(guint)SIGNET_LOOK_WINDOW;
    return looks;
}

/* A policy that has become stricter counts at once, and so does a clock that was ahead. */
static gint64
bounded(gint64 next_s, gint64 last_s, gint64 period_s, gint64 now_s)
{
    return MIN(next_s, MIN(last_s, now_s) + period_s);
}

gint64
signet_watch_next_at(const SignetMachine *machine, const SignetMachineInput *input,
                     guint *ret_looks, gint64 now_s)
{
    const SignetWatch *watch = &machine->watch;
    guint looks = wanted_looks(machine, input);
    guint window = looks & SIGNET_LOOK_WINDOW, others = looks & ~(guint)SIGNET_LOOK_WINDOW;
    gint64 window_s = bounded(watch->window_next_s, watch->window_last_s, DAY_S, now_s);
    gint64 period_s =
        signet_schedule_check_after(input->rotation, signet_watch_lifetime(machine), input->seed);
    gint64 others_s = bounded(watch->next_s, watch->last_s, period_s, now_s);

    *ret_looks = 0;
    if (machine->current == 0 || machine->checking != 0)
        return SIGNET_NEVER;
    if (machine->is_check_asked) {
        *ret_looks = input->looks;
        return input->looks ? 0 : SIGNET_NEVER;
    }
    window_s = window ? window_s : SIGNET_NEVER;
    others_s = others ? others_s : SIGNET_NEVER;
    *ret_looks = (window_s <= now_s ? window : 0) | (others_s <= now_s ? others : 0);
    return MIN(window_s, others_s);
}

gint64
signet_watch_renew_at(const SignetMachine *machine, const SignetMachineInput *input)
{
    const SignetFindings *found = &machine->watch.found;

    if (!(wanted_looks(machine, input) & SIGNET_LOOK_WINDOW) || found->window_end_s == 0)
        return SIGNET_NEVER;
    return signet_schedule_window_moment(found->window_start_s, found->window_end_s, input->seed,
                                         machine->current);
}

gboolean
signet_watch_is_overdue(const SignetMachine *machine, const SignetMachineInput *input, gint64 now_s)
{
    return signet_watch_renew_at(machine, input) != SIGNET_NEVER &&
           machine->watch.found.window_end_s <= now_s;
}

gint64
signet_watch_leave_at(const SignetMachine *machine, const SignetMachineInput *input)
{
    if (machine->leaving_s == 0)
        return SIGNET_NEVER;
    return signet_schedule_leave_at(&machine->facts, machine->leaving_s, input->seed,
                                    machine->current);
}
