/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* What must hold throughout a life, in tables: invariants after every event, and demands whenever
 * an effect is carried out. */

#include "agent/rotate/rules.h"
#include "tests/unit/rotate/life.h"

/* --- what holds after every event --- */

static gboolean
knows_what_is_current(const Life *life)
{
    return life->machine.current == life->live;
}

static gboolean
keeps_the_current(const Life *life)
{
    return !life->had_current || (life->live != 0 && life_has_key(life, life->live));
}

static gboolean
has_a_newer_pending(const Life *life)
{
    return life->machine.pending == 0 || life->machine.pending > life->machine.current;
}

static gboolean
gives_no_number_twice(const Life *life)
{
    return life->machine.pending <= life->machine.last_number &&
           life->machine.current <= life->machine.last_number;
}

static gboolean
is_named(const SignetMachine *machine, guint32 number)
{
    for (guint i = 0; i < machine->n_retired; i++) {
        if (machine->retired[i].number == number)
            return TRUE;
    }
    return number == machine->current || number == machine->pending;
}

static gboolean
names_every_key(const Life *life)
{
    for (guint i = 0; i < life->n_keys; i++) {
        if (!is_named(&life->machine, life->keys[i]))
            return FALSE;
    }
    return TRUE;
}

static gboolean
destroys_nothing_in_use(const Life *life)
{
    const SignetMachine *machine = &life->machine;

    for (guint i = 0; i < machine->n_retired; i++) {
        if (machine->retired[i].number == machine->current ||
            machine->retired[i].number == machine->pending)
            return FALSE;
    }
    return TRUE;
}

/* An old generation is destroyed by an effect under way, at a time, or after it was gone back to.
 */
static gboolean
retires_everything_old(const Life *life)
{
    const SignetMachine *machine = &life->machine;
    SignetMachineDeadlines deadlines = signet_machine_deadlines(machine, &life->input, life->now_s);

    if (machine->retiring != 0)
        return (life->effects & SIGNET_EFFECT_RETIRE) != 0;
    return machine->n_retired == 0 || machine->restoring != 0 || deadlines.tick_s != SIGNET_NEVER ||
           life->now_s < life->input.clock_floor_s;
}

/* What others say is looked at again and again, whatever they said. */
static gboolean
looks_again(const Life *life)
{
    const SignetMachine *machine = &life->machine;
    SignetMachineDeadlines deadlines = signet_machine_deadlines(machine, &life->input, life->now_s);

    if (machine->checking != 0)
        return (life->effects & SIGNET_EFFECT_CHECK) != 0;
    return machine->current == 0 || !(life->input.looks & SIGNET_LOOK_REVOCATION) ||
           life->input.rotation != &life_watched_profile || deadlines.check_s != SIGNET_NEVER ||
           life->now_s < life->input.clock_floor_s;
}

/* No terminal state: an outcome, a time, or a condition that the world can fulfil is waited for. */
static gboolean
waits_for_something(const Life *life)
{
    const SignetMachine *machine = &life->machine;
    SignetMachineDeadlines deadlines = signet_machine_deadlines(machine, &life->input, life->now_s);
    gboolean waits_for_ca = machine->state == SIGNET_MACHINE_WAITING_CA &&
                            !life->input.is_ca_ready && !life->input.blocked;
    gboolean waits_for_policy =
        machine->state == SIGNET_MACHINE_BLOCKED &&
        (life->input.blocked || life->input.no_new_key || machine->is_key_refused);

    if (signet_machine_is_working(machine))
        return (life->effects & ~(guint)SIGNET_EFFECTS_BESIDE) != 0;
    return deadlines.begin_s != SIGNET_NEVER || waits_for_ca || waits_for_policy ||
           life->now_s < life->input.clock_floor_s;
}

static gboolean
has_one_effect_at_most(const Life *life)
{
    guint effects = life->effects & ~(guint)SIGNET_EFFECTS_BESIDE;

    return (effects & (effects - 1)) == 0 &&
           (effects == 0 || signet_machine_is_working(&life->machine));
}

static const struct {
    gboolean (*holds)(const Life *life);
    const char *otherwise;
} invariants[] = {
    {keeps_the_current, "the current generation was lost"},
    {knows_what_is_current, "the machine does not know what is current"},
    {has_a_newer_pending, "the pending generation is not newer than the current one"},
    {gives_no_number_twice, "a number may be given away twice"},
    {names_every_key, "a key is an orphan"},
    {destroys_nothing_in_use, "what is in use will be destroyed"},
    {retires_everything_old, "an old generation stays for ever"},
    {waits_for_something, "nothing is waited for"},
    {looks_again, "a revocation would not be seen"},
    {has_one_effect_at_most, "two things are done at once, or something that nobody waits for"},
};

void
life_check(const Life *life)
{
    for (guint i = 0; i < G_N_ELEMENTS(invariants); i++) {
        if (!invariants[i].holds(life))
            life_abort(life, invariants[i].otherwise);
    }
}

/* --- what holds whenever an effect is carried out --- */

static gboolean
has_pending(const Life *life)
{
    return life->machine.pending != 0;
}

static gboolean
has_no_chain(const Life *life)
{
    return life->machine.pending != 0 && life->chain != life->machine.pending;
}

static gboolean
has_current_key(const Life *life)
{
    return has_no_chain(life) && life->live != 0;
}

static gboolean
has_pending_key(const Life *life)
{
    return life_has_key(life, life->machine.pending);
}

static gboolean
has_whole_pending(const Life *life)
{
    return has_pending_key(life) && life->chain == life->machine.pending;
}

static gboolean
has_whole_pending_and_current(const Life *life)
{
    return has_whole_pending(life) && life->live != 0;
}

static gboolean
has_what_is_restored(const Life *life)
{
    return life_has_key(life, life->machine.restoring) && life->machine.restoring != life->live;
}

static gboolean
retires_what_is_old(const Life *life)
{
    return life->machine.retiring != life->live && life->machine.retiring != life->machine.pending;
}

static const struct {
    SignetMachineEffect effect;
    gboolean (*holds)(const Life *life);
    const char *otherwise;
} demands[] = {
    {SIGNET_EFFECT_GENERATE, has_no_chain, "a key is made anew under its certificate"},
    {SIGNET_EFFECT_COPY_KEY, has_current_key, "copies a key that is not there"},
    {SIGNET_EFFECT_ADOPT, has_pending, "adopts for no generation"},
    {SIGNET_EFFECT_ENROLL, has_pending_key, "asks for a certificate without a key"},
    {SIGNET_EFFECT_VERIFY, has_whole_pending, "verifies a certificate that is not there"},
    {SIGNET_EFFECT_CANARY, has_whole_pending_and_current, "tries what need not be tried"},
    {SIGNET_EFFECT_PROMOTE, has_whole_pending, "promotes what is not there"},
    {SIGNET_EFFECT_RESTORE, has_what_is_restored, "goes back to what is gone"},
    {SIGNET_EFFECT_RETIRE, retires_what_is_old, "destroys a key in use"},
};

void
life_check_demands(const Life *life, SignetMachineEffect effect)
{
    for (guint i = 0; i < G_N_ELEMENTS(demands); i++) {
        if (demands[i].effect == effect && !demands[i].holds(life))
            life_abort(life, demands[i].otherwise);
    }
}

/* When an effect is called for, all that was said until then counts. */
void
life_check_wishes(const Life *life, guint effects)
{
    if (effects & SIGNET_EFFECT_COPY_KEY && life->is_bad[life->made_for[life->live]])
        life_abort(life, "a revoked key is kept");
    if (effects & SIGNET_EFFECT_ENROLL && life->is_bad[life->made_for[life->machine.pending]])
        life_abort(life, "a revoked key is to be certified again");
}
