/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Random lives of the pure machine, with failures, crashes and a changing world, in which nothing
 * may ever be lost. */

#include "tests/unit/rotate/machines.h"

#define EFFECT_BITS 13

/* The world beside the machine: what the effects have really done. */
typedef struct {
    GRand *rand;
    SignetMachine machine;
    SignetMachineInput input;
    gint64 now_s;
    GArray *keys;  /* generations whose key exists, ascending */
    guint32 chain; /* the pending generation's certificate is there */
    guint32 live;
    gint64 live_end_s;
    guint effects; /* under way */
    gboolean had_current;
    guint n_promotions;
    guint n_rollbacks;
} Life;

static const char *const wishes[] = {"one", "two", "three"};

static void
remove_key(Life *life, guint32 number)
{
    for (guint i = 0; i < life->keys->len; i++) {
        if (g_array_index(life->keys, guint32, i) == number) {
            g_array_remove_index(life->keys, i);
            return;
        }
    }
}

static gboolean
has_key(const Life *life, guint32 number)
{
    for (guint i = 0; i < life->keys->len; i++) {
        if (g_array_index(life->keys, guint32, i) == number)
            return TRUE;
    }
    return FALSE;
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

/* No terminal state: an outcome, a time, or a condition that the world can fulfil is waited for. */
static gboolean
is_stuck(const Life *life)
{
    const SignetMachine *machine = &life->machine;
    SignetMachineDeadlines deadlines = signet_machine_deadlines(machine, &life->input, life->now_s);
    gboolean waits_for_ca = machine->state == SIGNET_MACHINE_WAITING_CA &&
                            !life->input.is_ca_ready && !life->input.blocked;
    gboolean waits_for_policy = machine->state == SIGNET_MACHINE_BLOCKED && life->input.blocked;

    if (machine->retiring != 0 && !(life->effects & SIGNET_EFFECT_RETIRE))
        return TRUE;
    if (machine->retiring == 0 && machine->n_retired > 0 && machine->restoring == 0 &&
        deadlines.tick_s == SIGNET_NEVER)
        return TRUE;
    if (signet_machine_is_working(machine))
        return (life->effects & ~(guint)SIGNET_EFFECT_RETIRE) == 0;
    return (deadlines.begin_s == SIGNET_NEVER) != (waits_for_ca || waits_for_policy);
}

static const char *
find_violation(const Life *life)
{
    const SignetMachine *machine = &life->machine;

    if (machine->current != life->live)
        return "the machine does not know what is current";
    if (life->had_current && (life->live == 0 || !has_key(life, life->live)))
        return "the current generation was lost";
    if (machine->pending != 0 && machine->pending <= machine->current)
        return "the pending generation is not newer than the current one";
    if (machine->pending > machine->last_number || machine->current > machine->last_number)
        return "a number may be given away twice";
    for (guint i = 0; i < life->keys->len; i++) {
        if (!is_named(machine, g_array_index(life->keys, guint32, i)))
            return "a key is an orphan";
    }
    for (guint i = 0; i < machine->n_retired; i++) {
        if (machine->retired[i].number == machine->current ||
            machine->retired[i].number == machine->pending)
            return "what is in use will be destroyed";
    }
    return is_stuck(life) ? "nothing is waited for" : NULL;
}

/* Check's assertions cost a system call each, and there are millions here. */
static void
check_life(const Life *life)
{
    const char *violation = find_violation(life);

    if (violation)
        ck_abort_msg("%s, in state %s", violation, signet_machine_state_name(life->machine.state));
}

static void
feed(Life *life, const SignetMachineEvent *event)
{
    SignetMachineStep result =
        signet_machine_step(&life->machine, event, &life->input, life->now_s);

    life->machine = result.machine;
    life->effects |= result.effects & SIGNET_EFFECTS_TO_DO;
    check_life(life);
}

static void
feed_kind(Life *life, SignetMachineEventKind kind)
{
    feed(life, &(SignetMachineEvent) {.kind = kind, .cause = "random", .after_s = 500});
}

/* An effect that succeeds changes the world; the event may still be lost in a crash. */
static SignetMachineEventKind
succeed(Life *life, SignetMachineEffect effect)
{
    guint32 pending = life->machine.pending;

    if (effect == SIGNET_EFFECT_GENERATE || effect == SIGNET_EFFECT_COPY_KEY) {
        if (!has_key(life, pending))
            g_array_append_val(life->keys, pending);
        life->chain = 0;
        return SIGNET_EVENT_KEY_MADE;
    }
    if (effect == SIGNET_EFFECT_ENROLL) {
        if (!has_key(life, pending))
            ck_abort_msg("asked for a certificate without a key");
        life->chain = pending;
        return SIGNET_EVENT_ISSUED;
    }
    if (effect == SIGNET_EFFECT_VERIFY) {
        if (life->chain != pending)
            ck_abort_msg("verifies a certificate that is not there");
        return SIGNET_EVENT_VERIFIED;
    }
    if (effect == SIGNET_EFFECT_PROMOTE) {
        life->live = pending;
        life->live_end_s = life->now_s + LIFETIME_S;
        life->had_current = TRUE;
        life->n_promotions++;
        return SIGNET_EVENT_PROMOTED;
    }
    if (effect == SIGNET_EFFECT_CANARY) {
        if (life->chain != pending || life->live == 0)
            ck_abort_msg("tries what is not there, or need not be tried");
        return SIGNET_EVENT_CANARY_PASSED;
    }
    if (effect == SIGNET_EFFECT_RESTORE) {
        if (!has_key(life, life->machine.restoring))
            ck_abort_msg("goes back to what is gone");
        life->live = life->machine.restoring;
        life->n_rollbacks++;
        return SIGNET_EVENT_RESTORED;
    }
    if (life->machine.retiring == life->live)
        ck_abort_msg("destroys the current key");
    remove_key(life, life->machine.retiring);
    return SIGNET_EVENT_RETIRED;
}

static SignetMachineEventKind
fail_randomly(Life *life, SignetMachineEffect effect)
{
    guint dice = (guint)g_rand_int_range(life->rand, 0, 4);

    if (effect == SIGNET_EFFECT_RETIRE)
        return SIGNET_EVENT_RETIRE_FAILED;
    if (dice < 2 && effect == SIGNET_EFFECT_CANARY)
        return SIGNET_EVENT_CANARY_REFUSED;
    if (dice == 0 && effect != SIGNET_EFFECT_PROMOTE && effect != SIGNET_EFFECT_RESTORE &&
        effect != SIGNET_EFFECT_COPY_KEY)
        return SIGNET_EVENT_TOKEN_MISSING;
    if (dice == 1 && effect == SIGNET_EFFECT_ENROLL)
        return SIGNET_EVENT_CA_PENDING;
    if (dice == 1 && effect == SIGNET_EFFECT_VERIFY)
        return SIGNET_EVENT_REJECTED;
    if (dice == 2 && effect == SIGNET_EFFECT_VERIFY)
        return SIGNET_EVENT_KEY_BAD;
    return SIGNET_EVENT_FAILED;
}

/* The process dies: only what is in the journal and on the disk is left. */
static void
crash(Life *life)
{
    g_autoptr(GBytes) text = signet_journal_encode(&life->machine);
    SignetMachine journal;

    if (!signet_journal_decode(text, &journal, NULL))
        ck_abort_msg("cannot read its own journal");
    SignetMachineDisk disk = {
        .current = life->live,
        .facts = {life->live_end_s - LIFETIME_S, life->live_end_s, life->live_end_s - LIFETIME_S},
        .numbers = (const guint32 *)(gpointer)life->keys->data,
        .n_numbers = life->keys->len,
        .has_chain = life->chain != 0 && life->chain == journal.pending,
    };
    life->effects = 0;
    life->machine = signet_machine_recover(&journal, &disk, &life->input, life->now_s);
    check_life(life);
}

static void
finish_effect(Life *life)
{
    guint effect = 1;

    if (life->effects == 0)
        return;
    do {
        effect = 1u << g_rand_int_range(life->rand, 0, EFFECT_BITS);
    } while (!(life->effects & effect));
    life->effects &= ~effect;
    gboolean is_good = g_rand_int_range(life->rand, 0, 100) < 75;
    SignetMachineEventKind kind = is_good ? succeed(life, effect) : fail_randomly(life, effect);
    /* the process dies before it can take note of what it did */
    if (g_rand_int_range(life->rand, 0, 100) < 10) {
        crash(life);
        return;
    }
    feed(life, &(SignetMachineEvent) {
                   .kind = kind,
                   .cause = "random",
                   .after_s = 500,
                   .facts = {life->now_s, life->now_s + LIFETIME_S, life->now_s},
               });
}

static void
change_world(Life *life)
{
    switch (g_rand_int_range(life->rand, 0, 6)) {
    case 0:
        life->input.wish = wishes[g_rand_int_range(life->rand, 0, 3)];
        break;
    case 1:
        life->input.blocked = life->input.blocked ? NULL : "blocked";
        break;
    case 2:
        life->input.is_ca_ready = !life->input.is_ca_ready;
        break;
    case 3:
        life->input.rotation = life->input.rotation == &profile ? &same_key_profile : &profile;
        break;
    case 4:
        life->input.is_key_kept = !life->input.is_key_kept;
        break;
    case 5:
        life->input.has_canary = !life->input.has_canary;
        break;
    }
}

static void
live_a_moment(Life *life)
{
    guint dice = (guint)g_rand_int_range(life->rand, 0, 100);

    if (dice < 35)
        finish_effect(life);
    else if (dice < 60)
        feed_kind(life, SIGNET_EVENT_BEGIN);
    else if (dice < 72)
        feed_kind(life, SIGNET_EVENT_TICK);
    else if (dice < 80)
        life->now_s += g_rand_int_range(life->rand, -600, 4000);
    else if (dice < 84)
        feed_kind(life, dice < 82 ? SIGNET_EVENT_ROTATE : SIGNET_EVENT_ROLLBACK);
    else if (dice < 87)
        feed_kind(life, SIGNET_EVENT_TOKEN_BACK);
    else if (dice < 91)
        change_world(life);
    else if (dice < 96)
        crash(life);
    else /* anything at any time, as if it came late */
        feed_kind(life, (SignetMachineEventKind[]) {SIGNET_EVENT_BEGIN, SIGNET_EVENT_TICK,
                                                    SIGNET_EVENT_ROLLBACK,
                                                    SIGNET_EVENT_TOKEN_BACK}[dice % 4]);
}

/* When the world is kind again, the identity gets there, whatever has been. */
static void
live_happily(Life *life)
{
    SignetMachineInput input = good_input();
    guint before = life->n_promotions;

    life->input = input;
    crash(life);
    feed_kind(life, SIGNET_EVENT_ROTATE);
    for (guint i = 0; i < 200 && (life->n_promotions == before || life->machine.n_retired > 0);
         i++) {
        life->now_s += 50;
        feed_kind(life, SIGNET_EVENT_TICK);
        feed_kind(life, SIGNET_EVENT_BEGIN);
        for (guint effect = 1; effect < 1u << EFFECT_BITS; effect <<= 1) {
            if (!(life->effects & effect))
                continue;
            life->effects &= ~effect;
            SignetMachineEventKind kind = succeed(life, effect);
            feed(life,
                 &(SignetMachineEvent) {
                     .kind = kind, .facts = {life->now_s, life->now_s + LIFETIME_S, life->now_s}});
        }
    }
    if (life->n_promotions == before || life->machine.state != SIGNET_MACHINE_ACTIVE)
        ck_abort_msg("the rotation does not finish");
    if (life->machine.n_retired > 0)
        ck_abort_msg("old generations stay");
}

#define LIVES   100000
#define MOMENTS 60

START_TEST(no_random_life_loses_anything_or_gets_stuck)
{
    g_autoptr(GRand) rand = g_rand_new_with_seed(20260730);
    guint n_promotions = 0, n_rollbacks = 0;

    for (guint i = 0; i < LIVES; i++) {
        Life life = {
            .rand = rand,
            .machine = signet_machine_new(NOW_S),
            .input = good_input(),
            .now_s = NOW_S,
            .keys = g_array_new(FALSE, FALSE, sizeof(guint32)),
        };

        for (guint j = 0; j < MOMENTS; j++)
            live_a_moment(&life);
        live_happily(&life);
        n_promotions += life.n_promotions;
        n_rollbacks += life.n_rollbacks;
        g_array_unref(life.keys);
    }
    ck_assert_uint_gt(n_promotions, LIVES + LIVES / 2);
    ck_assert_uint_gt(n_rollbacks, LIVES / 200);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("rotate/lives");
    TCase *lives = tcase_create("lives");
    SRunner *runner = srunner_create(suite);

    tcase_set_timeout(lives, 500);
    tcase_add_test(lives, no_random_life_loses_anything_or_gets_stuck);
    suite_add_tcase(suite, lives);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
