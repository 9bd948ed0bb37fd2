/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Keys that others made: what the machine does with them, and the engine with a fake token and a
 * fake CA. */

#include <string.h>

#include "agent/rotate/journal.h"
#include "tests/unit/rotate/world.h"

#define DAY_S 86400

/* --- the machine --- */

static const SignetRotationProfile always = {
    .name = (char *)"default",
    .renew_kind = SIGNET_RENEW_PERCENT,
    .renew_percent = 50,
    .new_key = SIGNET_NEW_KEY_ALWAYS,
    .overlap_s = 300,
    .retry_first_s = 60,
    .retry_max_s = SIGNET_AUTO,
    .pending_timeout_s = 7 * DAY_S,
    .critical_remaining_s = SIGNET_AUTO,
};

static SignetMachineInput
good_input(void)
{
    return (SignetMachineInput) {
        .rotation = &always, .is_ca_ready = TRUE, .wish = "wish", .is_key_kept = TRUE};
}

static SignetMachine
active_machine(void)
{
    SignetMachine machine = signet_machine_new(WORLD_NOW_S);

    machine.state = SIGNET_MACHINE_ACTIVE;
    machine.current = machine.last_number = 3;
    machine.facts = (SignetCertificateFacts) {WORLD_NOW_S, WORLD_NOW_S + 3600, WORLD_NOW_S};
    g_strlcpy(machine.current_wish, "wish", sizeof(machine.current_wish));
    return machine;
}

static SignetMachineStep
step_with(const SignetMachine *machine, const SignetMachineInput *input,
          SignetMachineEventKind kind, SignetMachineOrigin origin)
{
    const SignetMachineEvent event = {
        .kind = kind,
        .cause = "because",
        .after_s = 100,
        .facts = {WORLD_NOW_S, WORLD_NOW_S + 3600, WORLD_NOW_S},
        .origin = origin,
    };

    return signet_machine_step(machine, &event, input, WORLD_NOW_S);
}

static SignetMachineStep
step(const SignetMachine *machine, SignetMachineEventKind kind)
{
    SignetMachineInput input = good_input();

    return step_with(machine, &input, kind, SIGNET_MACHINE_OURS);
}

static SignetMachine
adopting_machine(SignetMachineOrigin origin)
{
    SignetMachine machine = active_machine();
    SignetMachineInput input = good_input();
    SignetMachineStep result = step_with(&machine, &input, SIGNET_EVENT_ADOPT, origin);

    ck_assert_uint_eq(result.effects, SIGNET_EFFECT_ADOPT);
    ck_assert_int_eq(result.machine.state, SIGNET_MACHINE_KEYGEN);
    return result.machine;
}

START_TEST(a_whole_adoption_goes_straight_to_the_check)
{
    SignetMachine machine = adopting_machine(SIGNET_MACHINE_ADOPTED);
    SignetMachineStep result = step(&machine, SIGNET_EVENT_ISSUED);

    ck_assert_uint_eq(machine.pending, 4);
    ck_assert_uint_eq(result.effects, SIGNET_EFFECT_VERIFY);
    result = step(&result.machine, SIGNET_EVENT_VERIFIED);
    ck_assert_uint_eq(result.effects, SIGNET_EFFECT_PROMOTE);
    result = step(&result.machine, SIGNET_EVENT_PROMOTED);
    ck_assert_uint_eq(result.machine.current, 4);
    ck_assert_int_eq(result.machine.origin, SIGNET_MACHINE_OURS);
    ck_assert_str_eq(result.machine.current_wish, "wish");
}
END_TEST

START_TEST(an_adopted_key_without_a_certificate_is_enrolled)
{
    SignetMachine machine = adopting_machine(SIGNET_MACHINE_ADOPTED_KEY);

    ck_assert_uint_eq(step(&machine, SIGNET_EVENT_ISSUED).effects, 0);
    ck_assert_uint_eq(step(&machine, SIGNET_EVENT_KEY_MADE).effects, SIGNET_EFFECT_ENROLL);
}
END_TEST

START_TEST(an_adoption_is_late_while_a_rotation_works)
{
    SignetMachine machine = adopting_machine(SIGNET_MACHINE_ADOPTED);
    SignetMachineStep result = step(&machine, SIGNET_EVENT_ADOPT);

    ck_assert_uint_eq(result.effects, 0);
    ck_assert_uint_eq(result.machine.pending, 4);
}
END_TEST

static const struct {
    SignetMachineOrigin origin;
    SignetMachineEventKind before; /* TICK: nothing */
    SignetMachineEventKind event;
    guint32 pending; /* afterwards */
} ends[] = {
    {SIGNET_MACHINE_ADOPTED, SIGNET_EVENT_TICK, SIGNET_EVENT_FAILED, 0},
    {SIGNET_MACHINE_ADOPTED_KEY, SIGNET_EVENT_TICK, SIGNET_EVENT_FAILED, 0},
    {SIGNET_MACHINE_ADOPTED, SIGNET_EVENT_ISSUED, SIGNET_EVENT_REJECTED, 0},
    {SIGNET_MACHINE_ADOPTED, SIGNET_EVENT_ISSUED, SIGNET_EVENT_KEY_BAD, 0},
    {SIGNET_MACHINE_ADOPTED, SIGNET_EVENT_ISSUED, SIGNET_EVENT_TOKEN_MISSING, 4},
    {SIGNET_MACHINE_ADOPTED_KEY, SIGNET_EVENT_KEY_MADE, SIGNET_EVENT_FAILED, 4},
};

START_TEST(an_adoption_that_fails_is_over_and_a_key_at_the_ca_waits)
{
    SignetMachine machine = adopting_machine(ends[_i].origin);

    machine = step(&machine, ends[_i].before).machine;
    machine = step(&machine, ends[_i].event).machine;
    ck_assert_uint_eq(machine.pending, ends[_i].pending);
    ck_assert_uint_eq(machine.n_retired, ends[_i].pending ? 0 : 1);
    ck_assert_uint_eq(machine.current, 3);
}
END_TEST

START_TEST(an_adopted_key_at_the_ca_outlives_a_change_of_the_policy)
{
    SignetMachine machine = adopting_machine(SIGNET_MACHINE_ADOPTED_KEY);
    SignetMachineInput input = good_input();

    machine = step(&machine, SIGNET_EVENT_KEY_MADE).machine;
    machine = step(&machine, SIGNET_EVENT_CA_PENDING).machine;
    input.wish = "another";
    SignetMachineStep result = step_with(&machine, &input, SIGNET_EVENT_BEGIN, SIGNET_MACHINE_OURS);
    ck_assert_uint_eq(result.effects, SIGNET_EFFECT_ENROLL);
    ck_assert_uint_eq(result.machine.pending, 4);
    ck_assert_str_eq(result.machine.pending_wish, "another");
}
END_TEST

START_TEST(no_key_is_made_where_none_may_be)
{
    SignetMachine machine = signet_machine_new(WORLD_NOW_S);
    SignetMachineInput input = good_input();

    input.no_new_key = "adopt one";
    machine = step_with(&machine, &input, SIGNET_EVENT_BEGIN, SIGNET_MACHINE_OURS).machine;
    ck_assert_int_eq(machine.state, SIGNET_MACHINE_BLOCKED);
    ck_assert_str_eq(machine.cause, "adopt one");
    ck_assert_int_eq(signet_machine_deadlines(&machine, &input, WORLD_NOW_S).begin_s, SIGNET_NEVER);
    SignetMachineStep result =
        step_with(&machine, &input, SIGNET_EVENT_ADOPT, SIGNET_MACHINE_ADOPTED);
    ck_assert_uint_eq(result.effects, SIGNET_EFFECT_ADOPT);
    input.no_new_key = NULL;
    ck_assert_int_eq(signet_machine_deadlines(&machine, &input, WORLD_NOW_S).begin_s, 0);
}
END_TEST

START_TEST(where_no_key_may_be_made_the_current_one_is_kept)
{
    SignetMachine machine = active_machine();
    SignetMachineInput input = good_input();

    machine.is_requested = TRUE;
    input.no_new_key = "adopt one";
    SignetMachineStep result = step_with(&machine, &input, SIGNET_EVENT_BEGIN, SIGNET_MACHINE_OURS);
    ck_assert_uint_eq(result.effects, SIGNET_EFFECT_COPY_KEY);
    input.is_key_kept = FALSE;
    result = step_with(&machine, &input, SIGNET_EVENT_BEGIN, SIGNET_MACHINE_OURS);
    ck_assert_int_eq(result.machine.state, SIGNET_MACHINE_BLOCKED);
}
END_TEST

START_TEST(a_token_that_cannot_make_the_key_is_not_asked_again_and_again)
{
    SignetRotationProfile never = always;
    SignetMachine machine = active_machine();
    SignetMachineInput input = good_input();

    machine.is_requested = TRUE;
    machine = step(&machine, SIGNET_EVENT_BEGIN).machine;
    machine = step(&machine, SIGNET_EVENT_KEY_REFUSED).machine;
    ck_assert_int_eq(machine.state, SIGNET_MACHINE_BLOCKED);
    ck_assert_str_eq(machine.cause, "because");
    ck_assert_int_eq(signet_machine_deadlines(&machine, &input, WORLD_NOW_S).begin_s, SIGNET_NEVER);
    SignetMachine asked = step(&machine, SIGNET_EVENT_ROTATE).machine;
    ck_assert_uint_eq(step(&asked, SIGNET_EVENT_BEGIN).effects, SIGNET_EFFECT_GENERATE);
    never.new_key = SIGNET_NEW_KEY_NEVER;
    input.rotation = &never;
    ck_assert_int_eq(signet_machine_deadlines(&machine, &input, WORLD_NOW_S).begin_s, 0);
    input = good_input();
    input.wish = "another";
    ck_assert_int_eq(signet_machine_deadlines(&machine, &input, WORLD_NOW_S).begin_s, 0);
}
END_TEST

static const struct {
    SignetMachineOrigin origin;
    gboolean has_key;
    gboolean has_chain;
    guint32 pending;
    SignetMachineState resume;
} crashes[] = {
    {SIGNET_MACHINE_ADOPTED, FALSE, FALSE, 0, SIGNET_MACHINE_KEYGEN},
    {SIGNET_MACHINE_ADOPTED, TRUE, FALSE, 0, SIGNET_MACHINE_KEYGEN},
    {SIGNET_MACHINE_ADOPTED, TRUE, TRUE, 4, SIGNET_MACHINE_VERIFYING},
    {SIGNET_MACHINE_ADOPTED_KEY, FALSE, FALSE, 0, SIGNET_MACHINE_KEYGEN},
    {SIGNET_MACHINE_ADOPTED_KEY, TRUE, FALSE, 4, SIGNET_MACHINE_ENROLLING},
};

START_TEST(after_a_crash_an_adoption_is_whole_or_was_never_asked_for)
{
    SignetMachine machine = adopting_machine(crashes[_i].origin), back;
    SignetMachineInput input = good_input();
    const guint32 numbers[] = {3, 4};
    const SignetMachineDisk disk = {
        .current = 3,
        .facts = machine.facts,
        .numbers = numbers,
        .n_numbers = crashes[_i].has_key ? 2 : 1,
        .has_chain = crashes[_i].has_chain,
    };
    g_autoptr(GBytes) journal = signet_journal_encode(&machine);

    ck_assert(signet_journal_decode(journal, &back, NULL));
    ck_assert_int_eq(back.origin, crashes[_i].origin);
    machine = signet_machine_recover(&back, &disk, &input, WORLD_NOW_S);
    ck_assert_uint_eq(machine.pending, crashes[_i].pending);
    ck_assert_int_eq(machine.resume, crashes[_i].resume);
    ck_assert_uint_eq(machine.n_retired, crashes[_i].has_key && crashes[_i].pending == 0);
    ck_assert_int_eq(machine.is_requested, crashes[_i].pending != 0);
}
END_TEST

START_TEST(a_journal_from_before_adoption_is_read)
{
    SignetMachine machine = active_machine(), back;
    g_autoptr(GBytes) good = signet_journal_encode(&machine);
    g_autofree char *text = g_strndup(g_bytes_get_data(good, NULL), g_bytes_get_size(good));
    g_autoptr(GString) old = g_string_new(text);

    ck_assert_uint_eq(g_string_replace(old, "Origin=ours\n", "", 1), 1);
    g_autoptr(GBytes) bytes = g_bytes_new(old->str, old->len);
    ck_assert(signet_journal_decode(bytes, &back, NULL));
    ck_assert_int_eq(back.origin, SIGNET_MACHINE_OURS);
}
END_TEST

/* --- the engine --- */

typedef struct {
    gboolean is_done;
    guint32 generation;
    GError *error;
} Answer;

static World *world;
static SignetPolicy *policy;
static Answer answer;
static SignetKey *key; /* on the token already */

static SignetPolicy *
make_policy(const char *wifi)
{
    return world_policy((const char *const[]) {"identities.d/wifi.conf", wifi,
                                               "identities.d/guest.conf",
                                               "[Identity]\nSubject=CN=guest\n", NULL});
}

static void
setup_with(const char *wifi)
{
    world = world_new(NULL);
    policy = make_policy(wifi);
    key = fake_token_make_key(SIGNET_KEY_EC_P256);
    answer = (Answer) {0};
    ck_assert(world_up(world, policy));
    world_wait_state(world, "guest", "active");
}

static void
setup(void)
{
    setup_with("[Identity]\nSubject=CN=%H\nGenerate=no\n");
    world_wait_state(world, "wifi", "blocked-by-policy");
}

static void
teardown(void)
{
    g_clear_pointer(&world->token.certificate, g_bytes_unref);
    world_free(world);
    signet_policy_unref(policy);
    signet_key_unref(key);
    g_clear_error(&answer.error);
}

static void
change_policy(const char *wifi)
{
    SignetPolicy *old = policy;

    policy = make_policy(wifi);
    signet_engine_set_policy(world->engine, policy);
    signet_policy_unref(old);
}

static void
on_done(const char *identity, guint32 generation, const GError *error, gpointer data)
{
    Answer *to = data;

    ck_assert(!to->is_done);
    to->is_done = TRUE;
    to->generation = generation;
    to->error = error ? g_error_copy(error) : NULL;
}

static void
adopt_with(const char *identity, const SignetAdoption *adoption)
{
    g_clear_error(&answer.error);
    answer = (Answer) {0};
    signet_engine_adopt(world->engine, identity, adoption, on_done, &answer);
    ck_assert(!answer.is_done);
    world_wait_flag(world, &answer.is_done);
}

static void
adopt(const char *identity)
{
    adopt_with(identity, &(SignetAdoption) {.name = key->blob});
}

static void
rotate(const char *identity)
{
    g_clear_error(&answer.error);
    answer = (Answer) {0};
    signet_engine_rotate(world->engine, identity, on_done, &answer);
    world_wait_flag(world, &answer.is_done);
}

static void
assert_adopted(guint32 generation)
{
    const SignetGeneration *current = signet_inventory_get(world->inventory, "wifi", 0);

    ck_assert_msg(!answer.error, "%s", answer.error ? answer.error->message : "");
    ck_assert_uint_eq(answer.generation, generation);
    ck_assert_uint_eq(current->number, generation);
    ck_assert(g_bytes_equal(current->key->spki, key->spki));
    world_check_usable(world, "wifi");
}

static void
assert_refused(SignetErrorKind kind, const char *words)
{
    ck_assert_ptr_nonnull(answer.error);
    ck_assert_msg(signet_error_is(answer.error, kind) && strstr(answer.error->message, words),
                  "'%s' was expected, found: %s", words, answer.error->message);
}

START_TEST(a_key_is_adopted_and_enrolled)
{
    adopt("wifi");
    assert_adopted(1);
    ck_assert_uint_eq(world->ca.started, 3);
    ck_assert(signet_inventory_get(world->inventory, "wifi", 0)->key->is_adopted);
}
END_TEST

START_TEST(a_key_is_adopted_with_its_certificate)
{
    world->token.certificate = world_certify(key, DAY_S);
    adopt("wifi");
    assert_adopted(1);
    ck_assert_uint_eq(world->ca.started, 2);
    ck_assert(g_bytes_equal(signet_inventory_get(world->inventory, "wifi", 0)->chain->pdata[0],
                            world->token.certificate));
    ck_assert_int_eq(world_status(world, "wifi").not_after_s, WORLD_NOW_S + DAY_S);
}
END_TEST

START_TEST(the_policy_renews_what_was_adopted_with_the_same_key)
{
    world->token.certificate = world_certify(key, 3600);
    adopt("wifi");
    world_advance(world, 3000);
    world_settle(world);
    world_wait_state(world, "wifi", "active");
    ck_assert_uint_gt(world_status(world, "wifi").current, 1);
    const SignetGeneration *current = signet_inventory_get(world->inventory, "wifi", 0);
    ck_assert(g_bytes_equal(current->key->spki, key->spki));
    ck_assert(!g_bytes_equal(current->chain->pdata[0], world->token.certificate));
    world_check_usable(world, "wifi");
}
END_TEST

static void
rotate_away(void)
{
    change_policy("[Identity]\nSubject=CN=%H\n");
    rotate("wifi");
    ck_assert_uint_eq(answer.generation, 2);
    ck_assert(!signet_inventory_get(world->inventory, "wifi", 0)->key->is_adopted);
    world_advance(world, 301);
    world_wait_only(world, "wifi", "2");
}

START_TEST(an_adopted_key_is_not_destroyed_with_its_generation)
{
    adopt("wifi");
    assert_adopted(1);
    rotate_away();
    ck_assert_int_eq(world->token.destroyed, 0);
}
END_TEST

START_TEST(a_key_that_was_taken_over_is_destroyed)
{
    adopt_with("wifi", &(SignetAdoption) {.name = key->blob, .is_ours = TRUE});
    assert_adopted(1);
    rotate_away();
    ck_assert_int_eq(world->token.destroyed, 1);
}
END_TEST

/* What a token has made of a key whose making failed is found by its name, whatever came between.
 */
START_TEST(an_adoption_does_not_orphan_what_was_made_before_it)
{
    g_autofree char *dir = g_build_filename(world->root, "keys", NULL);

    world->token.dir = dir;
    world->token.fault = FAKE_TOKEN_LOST;
    g_atomic_int_set(&world->token.fail_at, 1);
    rotate("guest");
    ck_assert_ptr_nonnull(answer.error);
    ck_assert_uint_eq(fake_token_count_keys(dir), 1);
    world->token.dir = NULL; /* where the adopted key and those before are not */
    adopt_with("guest", &(SignetAdoption) {.name = key->blob, .is_enrolled = TRUE});
    ck_assert_ptr_null(answer.error);
    world->token.dir = dir;
    rotate("guest");
    ck_assert_ptr_null(answer.error);
    ck_assert_uint_eq(fake_token_count_keys(dir), 1);
    world->token.dir = NULL;
}
END_TEST

START_TEST(what_was_adopted_is_known_after_a_restart)
{
    adopt("wifi");
    world_down(world);
    ck_assert(world_up(world, policy));
    world_wait_state(world, "wifi", "active");
    ck_assert(signet_inventory_get(world->inventory, "wifi", 0)->key->is_adopted);
}
END_TEST

START_TEST(what_does_not_fit_is_refused_and_nothing_changes)
{
    g_autoptr(SignetKey) rsa = fake_token_make_key(SIGNET_KEY_RSA_2048);
    g_autoptr(GBytes) nothing = g_bytes_new_static("x", 1);
    SignetKey *theirs = signet_inventory_get(world->inventory, "guest", 0)->key;

    adopt_with("wifi", &(SignetAdoption) {.name = rsa->blob});
    assert_refused(SIGNET_ERROR_POLICY, "is of type 'rsa:2048', and Key= of 'wifi'");
    adopt_with("wifi", &(SignetAdoption) {.name = nothing});
    assert_refused(SIGNET_ERROR_NOT_FOUND, "no such key");
    adopt_with("wifi", &(SignetAdoption) {.name = theirs->blob});
    assert_refused(SIGNET_ERROR_POLICY, "the key is the one of identity 'guest'");
    adopt("ca.local");
    assert_refused(SIGNET_ERROR_POLICY, "makes its CA's key itself");
    adopt("nobody");
    assert_refused(SIGNET_ERROR_NOT_FOUND, "there is no identity 'nobody'");
    ck_assert_str_eq(world_status(world, "wifi").state, "blocked-by-policy");
    ck_assert_uint_eq(world_status(world, "wifi").pending, 0);
    rotate("wifi");
    assert_refused(SIGNET_ERROR_POLICY, "signetctl adopt wifi");
}
END_TEST

START_TEST(a_certificate_that_cannot_be_used_is_refused_unless_the_ca_is_asked)
{
    world->token.certificate = world_certify(key, -1);
    adopt("wifi");
    assert_refused(SIGNET_ERROR_CA_REFUSED, "could be enrolled at CA 'local' instead");
    ck_assert_uint_eq(world_status(world, "wifi").pending, 0);
    adopt_with("wifi", &(SignetAdoption) {.name = key->blob, .is_enrolled = TRUE});
    assert_adopted(1);
}
END_TEST

START_TEST(a_key_that_does_not_sign_is_refused_and_nothing_changes)
{
    world->token.strange = key->blob;
    adopt("wifi");
    assert_refused(SIGNET_ERROR_POLICY, "cannot sign");
    world->token.strange = NULL;
    ck_assert_str_eq(world_status(world, "wifi").state, "blocked-by-policy");
    ck_assert_uint_eq(world_status(world, "wifi").pending, 0);
    adopt("wifi");
    assert_adopted(1);
}
END_TEST

START_TEST(a_token_that_is_away_is_said)
{
    g_atomic_int_set(&world->token.absent, 1);
    adopt("wifi");
    assert_refused(SIGNET_ERROR_TOKEN_ABSENT, "insert it");
    g_atomic_int_set(&world->token.absent, 0);
}
END_TEST

START_TEST(a_second_wish_waits_for_the_first)
{
    const SignetAdoption adoption = {.name = key->blob};
    Answer second = {0};

    g_atomic_int_set(&world->token.delay_us, 20000);
    signet_engine_adopt(world->engine, "wifi", &adoption, on_done, &answer);
    signet_engine_adopt(world->engine, "wifi", &adoption, on_done, &second);
    world_wait_flag(world, &second.is_done);
    ck_assert(signet_error_is(second.error, SIGNET_ERROR_BUSY));
    g_clear_error(&second.error);
    world_wait_flag(world, &answer.is_done);
    assert_adopted(1);
}
END_TEST

START_TEST(an_identity_or_the_engine_may_go_meanwhile)
{
    const SignetAdoption adoption = {.name = key->blob};
    g_autoptr(SignetPolicy) other = world_policy(
        (const char *const[]) {"identities.d/guest.conf", "[Identity]\nSubject=CN=guest\n", NULL});

    g_atomic_int_set(&world->token.delay_us, 20000);
    signet_engine_adopt(world->engine, "wifi", &adoption, on_done, &answer);
    signet_engine_set_policy(world->engine, other);
    ck_assert(answer.is_done);
    assert_refused(SIGNET_ERROR_NOT_FOUND, "not in the policy any more");
    signet_engine_set_policy(world->engine, policy);
    world_wait_state(world, "wifi", "blocked-by-policy");
    signet_engine_adopt(world->engine, "wifi", &adoption, NULL, NULL);
    world_down(world);
    g_atomic_int_set(&world->token.delay_us, 0);
    ck_assert(world_up(world, policy));
    world_wait_state(world, "wifi", "blocked-by-policy");
}
END_TEST

START_TEST(a_token_that_makes_no_keys_blocks_and_can_be_given_one)
{
    change_policy("[Identity]\nSubject=CN=%H\n");
    world_wait_state(world, "wifi", "active");
    g_atomic_int_set(&world->token.cannot_generate, 1);
    rotate("wifi");
    assert_refused(SIGNET_ERROR_POLICY, "has no keys of type");
    ck_assert_str_eq(world_status(world, "wifi").state, "blocked-by-policy");
    ck_assert_uint_eq(world_status(world, "wifi").current, 1);
    world_check_usable(world, "wifi");
    adopt("wifi");
    assert_adopted(3);
}
END_TEST

static TCase *
make_machine(void)
{
    TCase *machine = tcase_create("machine");

    tcase_add_test(machine, a_whole_adoption_goes_straight_to_the_check);
    tcase_add_test(machine, an_adopted_key_without_a_certificate_is_enrolled);
    tcase_add_test(machine, an_adoption_is_late_while_a_rotation_works);
    tcase_add_loop_test(machine, an_adoption_that_fails_is_over_and_a_key_at_the_ca_waits, 0,
                        G_N_ELEMENTS(ends));
    tcase_add_test(machine, an_adopted_key_at_the_ca_outlives_a_change_of_the_policy);
    tcase_add_test(machine, no_key_is_made_where_none_may_be);
    tcase_add_test(machine, where_no_key_may_be_made_the_current_one_is_kept);
    tcase_add_test(machine, a_token_that_cannot_make_the_key_is_not_asked_again_and_again);
    tcase_add_loop_test(machine, after_a_crash_an_adoption_is_whole_or_was_never_asked_for, 0,
                        G_N_ELEMENTS(crashes));
    tcase_add_test(machine, a_journal_from_before_adoption_is_read);
    return machine;
}

static TCase *
make_engine(void)
{
    TCase *engine = tcase_create("engine");

    tcase_add_checked_fixture(engine, setup, teardown);
    tcase_set_timeout(engine, 120);
    tcase_add_test(engine, a_key_is_adopted_and_enrolled);
    tcase_add_test(engine, a_key_is_adopted_with_its_certificate);
    tcase_add_test(engine, the_policy_renews_what_was_adopted_with_the_same_key);
    tcase_add_test(engine, an_adopted_key_is_not_destroyed_with_its_generation);
    tcase_add_test(engine, a_key_that_was_taken_over_is_destroyed);
    tcase_add_test(engine, an_adoption_does_not_orphan_what_was_made_before_it);
    tcase_add_test(engine, what_was_adopted_is_known_after_a_restart);
    tcase_add_test(engine, what_does_not_fit_is_refused_and_nothing_changes);
    tcase_add_test(engine, a_certificate_that_cannot_be_used_is_refused_unless_the_ca_is_asked);
    tcase_add_test(engine, a_key_that_does_not_sign_is_refused_and_nothing_changes);
    tcase_add_test(engine, a_token_that_is_away_is_said);
    tcase_add_test(engine, a_second_wish_waits_for_the_first);
    tcase_add_test(engine, an_identity_or_the_engine_may_go_meanwhile);
    tcase_add_test(engine, a_token_that_makes_no_keys_blocks_and_can_be_given_one);
    return engine;
}

int
main(void)
{
    Suite *suite = suite_create("rotate/adopt");
    SRunner *runner = srunner_create(suite);

    suite_add_tcase(suite, make_machine());
    suite_add_tcase(suite, make_engine());
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
