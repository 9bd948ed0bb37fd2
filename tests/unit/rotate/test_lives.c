/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Two million random lives of the pure machine, with failures, crashes and a changing world. What
 * must hold throughout stands in life-rules.c. After each life the world is kind again, and a
 * rotation has to finish. */

#include <stdlib.h>

#include "tests/unit/rotate/life.h"
#include "tests/unit/rotate/machines.h"

#define LIVES       2000000
#define PARTS       4 /* tests of a quarter each; a life's seed is its number */
#define MOMENTS_MIN 8
#define MOMENTS_MAX 60
#define EFFECT_BITS 14

static const char *const wishes[] = {"one", "two", "three"};

/* --- what happens --- */

/* What is fed into the machine now is known from then on. */
static void
note_bad_key(Life *life, const SignetMachineEvent *event)
{
    const SignetMachine *machine = &life->machine;
    gboolean is_seen = event->kind == SIGNET_EVENT_CHECKED && machine->checking != 0 &&
                       machine->checking == machine->current &&
                       machine->checking_looks & event->findings->looks & SIGNET_LOOK_REVOCATION;
    gboolean is_asked_for = event->kind == SIGNET_EVENT_REVOKED && machine->current != 0;

    if ((is_seen || is_asked_for) && machine->current > machine->revoked &&
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
    life_check_wishes(life, result.effects);
    life_check(life);
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
    feed(life,
         &(SignetMachineEvent) {
             .kind = SIGNET_EVENT_ADOPT,
             .origin = life_draw(life, 2) ? SIGNET_MACHINE_ADOPTED : SIGNET_MACHINE_ADOPTED_KEY,
         });
}

/* The CA has revoked the current certificate because somebody here wished it; whatever happens to
 * it at the time. */
static void
feed_revocation(Life *life)
{
    const SignetFindings findings = {.looks = SIGNET_LOOK_REVOCATION,
                                     .standing = SIGNET_STANDING_REVOKED,
                                     .reason = life_draw(life, 11),
                                     .revoked_s = life->now_s,
                                     .this_update_s = life->now_s};

    feed(life, &(SignetMachineEvent) {.kind = SIGNET_EVENT_REVOKED, .findings = &findings});
    life->n_revocations += life->machine.current != 0;
    if (life->machine.current != 0 && !signet_machine_is_revoked(&life->machine))
        life_abort(life, "what was revoked counts as good");
}

static SignetMachineEventKind
adopt(Life *life)
{
    life_add_key(life, life->machine.pending);
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

    life_add_key(life, pending);
    life->made_for[pending] =
        effect == SIGNET_EFFECT_COPY_KEY ? life->made_for[life->live] : (guint8)pending;
    return SIGNET_EVENT_KEY_MADE;
}

/* Whatever others may say. */
static SignetMachineEventKind
look(Life *life)
{
    gint64 start_s = life->now_s + (gint64)life_draw(life, 12000) - 4000;

    life->findings.looks = life_draw(life, 8) | (life_draw(life, 2) ? SIGNET_LOOK_REVOCATION : 0);
    life->findings.standing = (SignetStanding)life_draw(life, SIGNET_STANDING_REVOKED + 1);
    life->findings.reason = life_draw(life, 11);
    life->findings.next_update_s = life->now_s + (gint64)life_draw(life, 8000) - 100;
    life->findings.window_start_s = start_s;
    life->findings.window_end_s = start_s + 1 + life_draw(life, 4000);
    life->findings.retry_after_s = life_draw(life, 100000);
    life->findings.is_leaving = life_draw(life, 2) != 0;
    return SIGNET_EVENT_CHECKED;
}

/* An effect that succeeds changes the world; the event may still be lost in a crash. */
static SignetMachineEventKind
succeed(Life *life, SignetMachineEffect effect)
{
    life_check_demands(life, effect);
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
        life_remove_key(life, life->machine.retiring);
        return SIGNET_EVENT_RETIRED;
    }
    life_abort(life, "an effect that these lives do not know");
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
            return failures[i].ways[life_draw(life, 3)];
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
        life_abort(life, "cannot read its own journal");
    SignetMachine one = tidy(&journal), other = tidy(&forgotten);
    if (memcmp(&one, &other, sizeof(one)) != 0)
        life_abort(life, "the journal keeps something else than it should");
    return journal;
}

/* The process dies: only what is in the journal and on the disk is left. */
static void
crash(Life *life)
{
    SignetMachine journal = life_draw(life, 16) ? forget(&life->machine) : read_journal(life);
    SignetMachineDisk disk = {
        .current = life->live,
        .facts = {life->live_end_s - LIFETIME_S, life->live_end_s, life->live_end_s - LIFETIME_S},
        .numbers = life->keys,
        .n_numbers = life->n_keys,
        .has_chain = life->chain != 0 && life->chain == journal.pending,
    };
    life->effects = 0;
    life->machine = signet_machine_recover(&journal, &disk, &life->input, life->now_s);
    life_check(life);
}

/* --- a life --- */

static guint
pick_effect(Life *life)
{
    guint effect;

    do {
        effect = 1u << life_draw(life, EFFECT_BITS);
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
        life_draw(life, 100) < 75 ? succeed(life, effect) : go_wrong(life, effect);
    /* the process dies before it can take note of what it did */
    if (life_draw(life, 100) < 10)
        crash(life);
    else
        feed_outcome(life, kind);
}

/* Others are asked. */
static void
watch(Life *life)
{
    life->input.rotation = &life_watched_profile;
    life->input.looks = life_draw(life, 8) | SIGNET_LOOK_REVOCATION;
}

static void
change_world(Life *life)
{
    SignetMachineInput *input = &life->input;

    switch (life_draw(life, 13)) {
    case 0:
        input->wish = wishes[life_draw(life, 3)];
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
    guint dice = life_draw(life, 100);

    if (dice < 40)
        finish_effect(life);
    else if (dice < 63)
        feed_kind(life, SIGNET_EVENT_BEGIN);
    else if (dice < 70)
        feed_kind(life, SIGNET_EVENT_TICK);
    else if (dice < 73)
        feed_kind(life, dice < 72 ? SIGNET_EVENT_CHECK : SIGNET_EVENT_CHECK_NOW);
    else if (dice < 79)
        life->now_s += (gint64)life_draw(life, 4600) - 600;
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
    else if (dice < 97)
        feed_revocation(life);
    else /* anything at any time, as if it came late */
        feed_kind(life, anything[life_draw(life, 4)]);
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
        life_abort(life, "the rotation does not finish");
    if (life->machine.n_retired > 0)
        life_abort(life, "old generations stay");
    if (life->n_keys != 1 || life->keys[0] != life->live)
        life_abort(life, "there is another key than the current one");
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
    if (life_draw(life, 2) == 0)
        watch(life);
    if (life_draw(life, 4) == 0)
        life->machine = signet_machine_new(NOW_S);
    else
        begin_in_the_middle(life);
    guint n = MOMENTS_MIN + life_draw(life, MOMENTS_MAX - MOMENTS_MIN + 1);
    for (guint i = 0; i < n; i++)
        live_a_moment(life);
    live_happily(life);
}

START_TEST(no_random_life_loses_anything_or_gets_stuck)
{
    const char *only = g_getenv("SIGNET_LIFE");
    guint first = (guint)_i * (LIVES / PARTS), end = first + LIVES / PARTS;
    guint64 n_moments = 0;
    guint n_promotions = 0, n_rollbacks = 0, n_adoptions = 0, n_bad_keys = 0, n_revocations = 0;
    static Life life;

    for (guint i = only ? (guint)strtoul(only, NULL, 10) : first; i < end; i++) {
        live(&life, i);
        n_moments += life.n_moments;
        n_promotions += life.n_promotions;
        n_rollbacks += life.n_rollbacks;
        n_adoptions += life.n_adoptions;
        n_bad_keys += life.n_bad_keys;
        n_revocations += life.n_revocations;
        if (only)
            return;
    }
    g_printerr("# %u lives, %" G_GUINT64_FORMAT
               " events, %u promotions, %u rollbacks, %u adoptions, %u revoked keys, %u "
               "revocations asked for\n",
               LIVES / PARTS, n_moments, n_promotions, n_rollbacks, n_adoptions, n_bad_keys,
               n_revocations);
    ck_assert_uint_gt(n_promotions, LIVES / PARTS + LIVES / PARTS / 4);
    ck_assert_uint_gt(n_rollbacks, LIVES / PARTS / 10);
    ck_assert_uint_gt(n_adoptions, LIVES / PARTS / 5);
    ck_assert_uint_gt(n_bad_keys, LIVES / PARTS / 200);
    ck_assert_uint_gt(n_revocations, LIVES / PARTS / 10);
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
