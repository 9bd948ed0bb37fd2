/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Two million random lives of the pure machine, with failures, crashes and a changing world. What
 * must hold throughout stands in two tables: invariants, after every event, and demands, whenever
 * an effect is carried out. After each life the world is kind again, and a rotation has to finish.
 */

#include <stdlib.h>

#include "tests/unit/rotate/machines.h"

#define LIVES       2000000
#define PARTS       4 /* tests of a quarter each; a life's seed is its number */
#define MOMENTS_MIN 8
#define MOMENTS_MAX 60
#define KEYS_MAX    64
#define EFFECT_BITS 14
#define NUMBERS     255 /* more than a life gives away */

/* The world beside the machine: what the effects have really done. */
typedef struct {
    guint number;
    guint64 random;
    SignetMachine machine;
    SignetMachineInput input;
    gint64 now_s;
    guint32 keys[KEYS_MAX]; /* generations whose key exists, ascending */
    guint n_keys;
    guint32
        chain; /* the generation whose certificate is there, beside current's and retired ones */
    guint32 live;
    gint64 live_end_s;
    guint effects; /* under way */
    SignetFindings findings;
    guint8 made_for[NUMBERS]; /* for which generation the key of each was made */
    guint8 is_bad[NUMBERS];   /* TRUE: and is known to be in question */
    gboolean had_current;
    guint n_moments;
    guint n_promotions;
    guint n_rollbacks;
    guint n_adoptions;
    guint n_bad_keys;
} Life;

static const char *const wishes[] = {"one", "two", "three"};

static const SignetRotationProfile watched_profile = {
    .name = (char *)"watched",
    .renew_kind = SIGNET_RENEW_AUTO,
    .new_key = SIGNET_NEW_KEY_NEVER,
    .overlap_s = 300,
    .retry_first_s = 60,
    .retry_max_s = SIGNET_AUTO,
    .pending_timeout_s = 600,
    .critical_remaining_s = SIGNET_AUTO,
    .check_s = 600,
};

/* Check's assertions cost a system call each, and there are millions here. SIGNET_LIFE=NUMBER lives
 * that one again. */
static void
abort_life(const Life *life, const char *why)
{
    ck_abort_msg("life %u, after %u events, in state %s: %s", life->number, life->n_moments,
                 signet_machine_state_name(life->machine.state), why);
}

/* xorshift64*: GRand costs more than the machine. 0 … below - 1. */
static guint
draw(Life *life, guint below)
{
    life->random ^= life->random >> 12;
    life->random ^= life->random << 25;
    life->random ^= life->random >> 27;
    return (guint)(((life->random * G_GUINT64_CONSTANT(2685821657736338717)) >> 32) % below);
}

static gboolean
has_key(const Life *life, guint32 number)
{
    for (guint i = 0; i < life->n_keys; i++) {
        if (life->keys[i] == number)
            return TRUE;
    }
    return FALSE;
}

static void
add_key(Life *life, guint32 number)
{
    if (has_key(life, number))
        return;
    if (life->n_keys == KEYS_MAX || (life->n_keys && life->keys[life->n_keys - 1] > number))
        abort_life(life, "more keys than a machine can name, or a number that was used before");
    life->keys[life->n_keys++] = number;
}

static void
remove_key(Life *life, guint32 number)
{
    guint n = 0;

    for (guint i = 0; i < life->n_keys; i++) {
        if (life->keys[i] != number)
            life->keys[n++] = life->keys[i];
    }
    life->n_keys = n;
}

/* --- what holds after every event --- */

static gboolean
knows_what_is_current(const Life *life)
{
    return life->machine.current == life->live;
}

static gboolean
keeps_the_current(const Life *life)
{
    return !life->had_current || (life->live != 0 && has_key(life, life->live));
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
           life->input.rotation != &watched_profile || deadlines.check_s != SIGNET_NEVER ||
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

static void
check_life(const Life *life)
{
    for (guint i = 0; i < G_N_ELEMENTS(invariants); i++) {
        if (!invariants[i].holds(life))
            abort_life(life, invariants[i].otherwise);
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
    return has_key(life, life->machine.pending);
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
    return has_key(life, life->machine.restoring) && life->machine.restoring != life->live;
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

static void
check_demands(const Life *life, SignetMachineEffect effect)
{
    for (guint i = 0; i < G_N_ELEMENTS(demands); i++) {
        if (demands[i].effect == effect && !demands[i].holds(life))
            abort_life(life, demands[i].otherwise);
    }
}

/* --- what happens --- */

/* When an effect is called for, all that was said until then counts. */
static void
check_wishes(const Life *life, guint effects)
{
    if (effects & SIGNET_EFFECT_COPY_KEY && life->is_bad[life->made_for[life->live]])
        abort_life(life, "a revoked key is kept");
    if (effects & SIGNET_EFFECT_ENROLL && life->is_bad[life->made_for[life->machine.pending]])
        abort_life(life, "a revoked key is to be certified again");
}

/* What is fed into the machine now is known from then on. */
static void
note_bad_key(Life *life, const SignetMachineEvent *event)
{
    const SignetMachine *machine = &life->machine;

    if (event->kind == SIGNET_EVENT_CHECKED && machine->checking != 0 &&
        machine->checking == machine->current && machine->current > machine->revoked &&
        machine->checking_looks & event->findings->looks & SIGNET_LOOK_REVOCATION &&
        event->findings->standing == SIGNET_STANDING_REVOKED &&
        signet_revocation_concerns_key(event->findings->reason)) {
        life->is_bad[life->made_for[life->live]] = TRUE;
        life->n_bad_keys++;
    }
}

static void
feed(Life *life, const SignetMachineEvent *event)
{
    note_bad_key(life, event);
    SignetMachineStep result =
        signet_machine_step(&life->machine, event, &life->input, life->now_s);

    life->machine = result.machine;
    life->effects |= result.effects & SIGNET_EFFECTS_TO_DO;
    life->n_moments++;
    check_wishes(life, result.effects);
    check_life(life);
}

static void
feed_kind(Life *life, SignetMachineEventKind kind)
{
    feed(life, &(SignetMachineEvent) {.kind = kind, .cause = "random", .after_s = 500});
}

static void
feed_outcome(Life *life, SignetMachineEventKind kind)
{
    feed(life, &(SignetMachineEvent) {
                   .kind = kind,
                   .cause = "random",
                   .after_s = 500,
                   .facts = {life->now_s, life->now_s + LIFETIME_S, life->now_s},
                   .findings = &life->findings,
               });
}

static void
feed_adoption(Life *life)
{
    feed(life, &(SignetMachineEvent) {
                   .kind = SIGNET_EVENT_ADOPT,
                   .origin = draw(life, 2) ? SIGNET_MACHINE_ADOPTED : SIGNET_MACHINE_ADOPTED_KEY,
               });
}

static SignetMachineEventKind
adopt(Life *life)
{
    add_key(life, life->machine.pending);
    life->made_for[life->machine.pending] = (guint8)life->machine.pending;
    life->n_adoptions++;
    if (life->machine.origin == SIGNET_MACHINE_ADOPTED_KEY)
        return SIGNET_EVENT_KEY_MADE;
    life->chain = life->machine.pending;
    return SIGNET_EVENT_ISSUED;
}

static SignetMachineEventKind
promote(Life *life)
{
    life->live = life->machine.pending;
    life->live_end_s = life->now_s + LIFETIME_S;
    life->had_current = TRUE;
    life->n_promotions++;
    return SIGNET_EVENT_PROMOTED;
}

static SignetMachineEventKind
make_key(Life *life, SignetMachineEffect effect)
{
    guint32 pending = life->machine.pending;

    add_key(life, pending);
    life->made_for[pending] =
        effect == SIGNET_EFFECT_COPY_KEY ? life->made_for[life->live] : (guint8)pending;
    return SIGNET_EVENT_KEY_MADE;
}

/* Whatever others may say. */
static SignetMachineEventKind
look(Life *life)
{
    gint64 start_s = life->now_s + (gint64)draw(life, 12000) - 4000;

    life->findings.looks = draw(life, 8) | (draw(life, 2) ? SIGNET_LOOK_REVOCATION : 0);
    life->findings.standing = (SignetStanding)draw(life, SIGNET_STANDING_REVOKED + 1);
    life->findings.reason = draw(life, 11);
    life->findings.next_update_s = life->now_s + (gint64)draw(life, 8000) - 100;
    life->findings.window_start_s = start_s;
    life->findings.window_end_s = start_s + 1 + draw(life, 4000);
    life->findings.retry_after_s = draw(life, 100000);
    life->findings.is_leaving = draw(life, 2) != 0;
    return SIGNET_EVENT_CHECKED;
}

/* An effect that succeeds changes the world; the event may still be lost in a crash. */
static SignetMachineEventKind
succeed(Life *life, SignetMachineEffect effect)
{
    check_demands(life, effect);
    switch ((guint)effect) {
    case SIGNET_EFFECT_GENERATE:
    case SIGNET_EFFECT_COPY_KEY:
        return make_key(life, effect);
    case SIGNET_EFFECT_CHECK:
        return look(life);
    case SIGNET_EFFECT_ADOPT:
        return adopt(life);
    case SIGNET_EFFECT_ENROLL:
        life->chain = life->machine.pending;
        return SIGNET_EVENT_ISSUED;
    case SIGNET_EFFECT_VERIFY:
        return SIGNET_EVENT_VERIFIED;
    case SIGNET_EFFECT_CANARY:
        return SIGNET_EVENT_CANARY_PASSED;
    case SIGNET_EFFECT_PROMOTE:
        return promote(life);
    case SIGNET_EFFECT_RESTORE:
        life->live = life->machine.restoring;
        life->n_rollbacks++;
        return SIGNET_EVENT_RESTORED;
    case SIGNET_EFFECT_RETIRE:
        remove_key(life, life->machine.retiring);
        return SIGNET_EVENT_RETIRED;
    }
    abort_life(life, "an effect that these lives do not know");
    return SIGNET_EVENT_FAILED;
}

/* How each effect fails, beside FAILED, which all but RETIRE may. */
static const struct {
    SignetMachineEffect effect;
    SignetMachineEventKind ways[3];
} failures[] = {
    {SIGNET_EFFECT_GENERATE,
     {SIGNET_EVENT_FAILED, SIGNET_EVENT_TOKEN_MISSING, SIGNET_EVENT_KEY_REFUSED}},
    {SIGNET_EFFECT_ENROLL,
     {SIGNET_EVENT_FAILED, SIGNET_EVENT_TOKEN_MISSING, SIGNET_EVENT_CA_PENDING}},
    {SIGNET_EFFECT_VERIFY,
     {SIGNET_EVENT_TOKEN_MISSING, SIGNET_EVENT_REJECTED, SIGNET_EVENT_KEY_BAD}},
    {SIGNET_EFFECT_CANARY,
     {SIGNET_EVENT_FAILED, SIGNET_EVENT_TOKEN_MISSING, SIGNET_EVENT_CANARY_REFUSED}},
    {SIGNET_EFFECT_RETIRE,
     {SIGNET_EVENT_RETIRE_FAILED, SIGNET_EVENT_RETIRE_FAILED, SIGNET_EVENT_RETIRE_FAILED}},
    {SIGNET_EFFECT_CHECK,
     {SIGNET_EVENT_CHECK_FAILED, SIGNET_EVENT_CHECK_FAILED, SIGNET_EVENT_CHECK_FAILED}},
};

static SignetMachineEventKind
go_wrong(Life *life, SignetMachineEffect effect)
{
    for (guint i = 0; i < G_N_ELEMENTS(failures); i++) {
        if (failures[i].effect == effect)
            return failures[i].ways[draw(life, 3)];
    }
    return SIGNET_EVENT_FAILED;
}

/* --- a crash --- */

/* What a journal does not keep (machine.h). */
static SignetMachine
forget(const SignetMachine *machine)
{
    SignetMachine journal = *machine;

    journal.current = 0;
    memset(&journal.facts, 0, sizeof(journal.facts));
    memset(journal.tried_wish, 0, sizeof(journal.tried_wish));
    journal.retiring = journal.checking = journal.checking_looks = 0;
    journal.is_check_asked = FALSE;
    journal.is_requested = journal.is_asked = journal.is_key_refused = FALSE;
    return journal;
}

static void
pad(char *text, gsize size)
{
    gsize used = strlen(text);

    memset(text + used, 0, size - used);
}

/* Behind the ends of the texts stands what was there before. */
static SignetMachine
tidy(const SignetMachine *machine)
{
    SignetMachine copy = *machine;

    pad(copy.cause, sizeof(copy.cause));
    pad(copy.current_wish, sizeof(copy.current_wish));
    pad(copy.pending_wish, sizeof(copy.pending_wish));
    pad(copy.tried_wish, sizeof(copy.tried_wish));
    pad(copy.key_name, sizeof(copy.key_name));
    pad(copy.watch.found.words, sizeof(copy.watch.found.words));
    pad(copy.watch.found.window_words, sizeof(copy.watch.found.window_words));
    pad(copy.watch.found.issuer_words, sizeof(copy.watch.found.issuer_words));
    return copy;
}

/* By way of the text that is on the disk. It costs as much as fifty events: one crash in sixteen
 * goes that way, and shows that forget() says the same. */
static SignetMachine
read_journal(const Life *life)
{
    g_autoptr(GBytes) text = signet_journal_encode(&life->machine);
    SignetMachine forgotten = forget(&life->machine), journal;

    if (!signet_journal_decode(text, &journal, NULL))
        abort_life(life, "cannot read its own journal");
    SignetMachine one = tidy(&journal), other = tidy(&forgotten);
    if (memcmp(&one, &other, sizeof(one)) != 0)
        abort_life(life, "the journal keeps something else than it should");
    return journal;
}

/* The process dies: only what is in the journal and on the disk is left. */
static void
crash(Life *life)
{
    SignetMachine journal = draw(life, 16) ? forget(&life->machine) : read_journal(life);
    SignetMachineDisk disk = {
        .current = life->live,
        .facts = {life->live_end_s - LIFETIME_S, life->live_end_s, life->live_end_s - LIFETIME_S},
        .numbers = life->keys,
        .n_numbers = life->n_keys,
        .has_chain = life->chain != 0 && life->chain == journal.pending,
    };
    life->effects = 0;
    life->machine = signet_machine_recover(&journal, &disk, &life->input, life->now_s);
    check_life(life);
}

/* --- a life --- */

static guint
pick_effect(Life *life)
{
    guint effect;

    do {
        effect = 1u << draw(life, EFFECT_BITS);
    } while (!(life->effects & effect));
    return effect;
}

static void
finish_effect(Life *life)
{
    if (life->effects == 0)
        return;
    guint effect = pick_effect(life);
    life->effects &= ~effect;
    SignetMachineEventKind kind =
        draw(life, 100) < 75 ? succeed(life, effect) : go_wrong(life, effect);
    /* the process dies before it can take note of what it did */
    if (draw(life, 100) < 10)
        crash(life);
    else
        feed_outcome(life, kind);
}

/* Others are asked. */
static void
watch(Life *life)
{
    life->input.rotation = &watched_profile;
    life->input.looks = draw(life, 8) | SIGNET_LOOK_REVOCATION;
}

static void
change_world(Life *life)
{
    SignetMachineInput *input = &life->input;

    switch (draw(life, 13)) {
    case 0:
        input->wish = wishes[draw(life, 3)];
        break;
    case 1:
        input->blocked = input->blocked ? NULL : "blocked";
        break;
    case 2:
        input->is_ca_ready = !input->is_ca_ready;
        break;
    case 3:
        input->rotation = input->rotation == &profile ? &same_key_profile : &profile;
        break;
    case 4:
        input->is_key_kept = !input->is_key_kept;
        break;
    case 5:
        input->has_canary = !input->has_canary;
        break;
    case 6:
        input->no_new_key = input->no_new_key ? NULL : "no new key";
        break;
    case 7: /* the clock has not been set, or is again */
        input->clock_floor_s = input->clock_floor_s ? 0 : life->now_s + 100;
        break;
    case 8:
        watch(life);
        break;
    default: /* and all is well for a while */
        *input = good_input();
    }
}

static void
live_a_moment(Life *life)
{
    static const SignetMachineEventKind anything[] = {
        SIGNET_EVENT_CHECK, SIGNET_EVENT_TICK, SIGNET_EVENT_ROLLBACK, SIGNET_EVENT_TOKEN_BACK};
    guint dice = draw(life, 100);

    if (dice < 40)
        finish_effect(life);
    else if (dice < 63)
        feed_kind(life, SIGNET_EVENT_BEGIN);
    else if (dice < 70)
        feed_kind(life, SIGNET_EVENT_TICK);
    else if (dice < 73)
        feed_kind(life, dice < 72 ? SIGNET_EVENT_CHECK : SIGNET_EVENT_CHECK_NOW);
    else if (dice < 79)
        life->now_s += (gint64)draw(life, 4600) - 600;
    else if (dice < 83)
        feed_kind(life, dice < 81 ? SIGNET_EVENT_ROTATE : SIGNET_EVENT_ROLLBACK);
    else if (dice < 85)
        feed_adoption(life);
    else if (dice < 87)
        feed_kind(life, SIGNET_EVENT_TOKEN_BACK);
    else if (dice < 91)
        change_world(life);
    else if (dice < 96)
        crash(life);
    else /* anything at any time, as if it came late */
        feed_kind(life, anything[dice % 4]);
}

static void
finish_everything(Life *life)
{
    for (guint effect = 1; effect < 1u << EFFECT_BITS; effect <<= 1) {
        if (!(life->effects & effect))
            continue;
        life->effects &= ~effect;
        feed_outcome(life, succeed(life, effect));
    }
}

/* When the world is kind again, the identity gets there, whatever has been. */
static void
live_happily(Life *life)
{
    guint before = life->n_promotions;

    life->input = good_input();
    crash(life);
    feed_kind(life, SIGNET_EVENT_ROTATE);
    for (guint i = 0; i < 100 && (life->n_promotions == before || life->machine.n_retired > 0);
         i++) {
        life->now_s += 150;
        feed_kind(life, SIGNET_EVENT_TICK);
        feed_kind(life, SIGNET_EVENT_BEGIN);
        finish_everything(life);
    }
    if (life->n_promotions == before || life->machine.state != SIGNET_MACHINE_ACTIVE)
        abort_life(life, "the rotation does not finish");
    if (life->machine.n_retired > 0)
        abort_life(life, "old generations stay");
    if (life->n_keys != 1 || life->keys[0] != life->live)
        abort_life(life, "there is another key than the current one");
}

/* Most of what can happen happens to those who have a certificate already. */
static void
begin_in_the_middle(Life *life)
{
    life->machine = active_machine();
    life->keys[life->n_keys++] = 2;
    life->keys[life->n_keys++] = life->live = 3;
    life->made_for[2] = 2;
    life->made_for[3] = 3;
    life->live_end_s = NOW_S + LIFETIME_S;
    life->had_current = TRUE;
}

static void
live(Life *life, guint number)
{
    memset(life, 0, sizeof(*life));
    life->number = number;
    life->random = ((guint64)number + 1) * G_GUINT64_CONSTANT(0x9e3779b97f4a7c15);
    life->input = good_input();
    life->now_s = NOW_S;
    if (draw(life, 2) == 0)
        watch(life);
    if (draw(life, 4) == 0)
        life->machine = signet_machine_new(NOW_S);
    else
        begin_in_the_middle(life);
    guint n = MOMENTS_MIN + draw(life, MOMENTS_MAX - MOMENTS_MIN + 1);
    for (guint i = 0; i < n; i++)
        live_a_moment(life);
    live_happily(life);
}

START_TEST(no_random_life_loses_anything_or_gets_stuck)
{
    const char *only = g_getenv("SIGNET_LIFE");
    guint first = (guint)_i * (LIVES / PARTS), end = first + LIVES / PARTS;
    guint64 n_moments = 0;
    guint n_promotions = 0, n_rollbacks = 0, n_adoptions = 0, n_bad_keys = 0;
    static Life life;

    for (guint i = only ? (guint)strtoul(only, NULL, 10) : first; i < end; i++) {
        live(&life, i);
        n_moments += life.n_moments;
        n_promotions += life.n_promotions;
        n_rollbacks += life.n_rollbacks;
        n_adoptions += life.n_adoptions;
        n_bad_keys += life.n_bad_keys;
        if (only)
            return;
    }
    g_printerr("# %u lives, %" G_GUINT64_FORMAT
               " events, %u promotions, %u rollbacks, %u adoptions, %u revoked keys\n",
               LIVES / PARTS, n_moments, n_promotions, n_rollbacks, n_adoptions, n_bad_keys);
    ck_assert_uint_gt(n_promotions, LIVES / PARTS + LIVES / PARTS / 4);
    ck_assert_uint_gt(n_rollbacks, LIVES / PARTS / 10);
    ck_assert_uint_gt(n_adoptions, LIVES / PARTS / 5);
    ck_assert_uint_gt(n_bad_keys, LIVES / PARTS / 200);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("rotate/lives");
    TCase *lives = tcase_create("lives");
    SRunner *runner = srunner_create(suite);

    tcase_set_timeout(lives, 500);
    tcase_add_loop_test(lives, no_random_life_loses_anything_or_gets_stuck, 0, PARTS);
    suite_add_tcase(suite, lives);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
