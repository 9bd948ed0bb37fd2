/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Every state says why, who has to act, what happens next and until when. */

#include <string.h>

#include "agent/rotate/private.h"
#include "tests/unit/rotate/world.h"

static World *world;
static SignetPolicy *policy;

static void
setup(void)
{
    world = world_new(NULL);
    policy = world_policy(NULL);
    ck_assert(world_up(world, policy));
    world_wait_state(world, "wifi", "active");
}

static void
teardown(void)
{
    world_free(world);
    signet_policy_unref(policy);
}

static SignetMachine *
machine_of(const char *identity)
{
    SignetEntry *entry = g_hash_table_lookup(world->engine->entries, identity);

    return &entry->machine;
}

static const SignetMachineState states[] = {
#define S(symbol, name) SIGNET_MACHINE_##symbol,
    SIGNET_MACHINE_STATES(S)
#undef S
};

static void
check_complete(const SignetIdentityStatus *status)
{
    const char *const texts[] = {status->why, status->responsible, status->next, status->deadline};

    for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
        ck_assert_msg(texts[i] != NULL, "text %zu of %s is missing", i, status->state);
        ck_assert_uint_gt(strlen(texts[i]), 1);
    }
}

/* As if the engine had come there by itself, and put back for the teardown. */
static SignetIdentityStatus
look_at(SignetMachineState state, gboolean has_current)
{
    SignetMachine *machine = machine_of("wifi");
    const SignetMachine before = *machine;

    machine->state = state;
    machine->since_s = world->now_s;
    machine->pending = 2;
    machine->pending_since_s = state == SIGNET_MACHINE_PENDING_CA ? world->now_s : 0;
    if (!has_current)
        machine->current = 0;
    SignetIdentityStatus status = world_status(world, "wifi");
    *machine = before;
    return status;
}

START_TEST(no_state_leaves_anything_unsaid)
{
    SignetIdentityStatus status = look_at(states[_i], TRUE);

    check_complete(&status);
    ck_assert_int_gt(status.deadline_s, world->now_s);
    ck_assert_int_le(status.deadline_s, status.not_after_s);
}
END_TEST

START_TEST(nor_without_a_certificate)
{
    SignetIdentityStatus status = look_at(states[_i], FALSE);

    check_complete(&status);
    ck_assert_int_eq(status.not_after_s, 0);
}
END_TEST

START_TEST(a_long_cause_is_why)
{
    SignetMachine *machine = machine_of("wifi");

    g_strlcpy(machine->cause, "because", sizeof(machine->cause));
    ck_assert_str_eq(world_status(world, "wifi").why, "because");
    machine->cause[0] = '\0';
    ck_assert_ptr_null(world_status(world, "wifi").cause);
    ck_assert_str_eq(world_status(world, "wifi").why,
                     "its certificate is valid, and not yet due for renewal");
}
END_TEST

START_TEST(a_failure_becomes_the_administrators)
{
    SignetMachine *machine = machine_of("wifi");

    machine->state = SIGNET_MACHINE_FAILED;
    machine->attempt = 2;
    ck_assert_str_eq(world_status(world, "wifi").responsible, "agent");
    machine->attempt = 3;
    ck_assert_str_eq(world_status(world, "wifi").responsible, "administrator");
    machine->attempt = 1;
    world->now_s += WORLD_LIFETIME_S * 95 / 100;
    ck_assert_str_eq(world_status(world, "wifi").responsible, "administrator");
}
END_TEST

START_TEST(a_clock_that_is_not_set_is_the_administrators)
{
    world->now_s = 1000;
    ck_assert_str_eq(world_status(world, "wifi").responsible, "administrator");
    ck_assert_str_eq(world_status(world, "wifi").next, "go on when the clock is set");
}
END_TEST

START_TEST(a_waiting_request_has_a_code)
{
    const SignetGeneration *pending = NULL;
    g_autofree char *code = NULL;

    ck_assert_ptr_null(world_status(world, "wifi").device_code);
    world->ca.mood = FAKE_CA_PENDING;
    signet_engine_rotate(world->engine, "wifi", NULL, NULL);
    world_wait_state(world, "wifi", "pending-ca");
    SignetIdentityStatus status = world_status(world, "wifi");
    pending = signet_inventory_get(world->inventory, "wifi", status.pending);
    code = signet_device_code(g_bytes_get_data(pending->key->spki, NULL),
                              g_bytes_get_size(pending->key->spki));
    ck_assert_str_eq(status.device_code, code);
    ck_assert_str_eq(status.responsible, "ca");
    world->ca.mood = FAKE_CA_ISSUES;
    world_advance(world, 3600);
    world_settle(world);
    world_wait_state(world, "wifi", "active");
    ck_assert_ptr_null(world_status(world, "wifi").device_code);
}
END_TEST

START_TEST(what_is_damaged_is_the_administrators)
{
    SignetEntry *entry = g_hash_table_lookup(world->engine->entries, "wifi");
    SignetIdentityStatus status;

    entry->problem = g_strdup("its files cannot be read");
    status = world_status(world, "wifi");
    check_complete(&status);
    ck_assert_str_eq(status.responsible, "administrator");
    g_clear_pointer(&entry->problem, g_free);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("rotate/status");
    TCase *tests = tcase_create("status");
    SRunner *runner = srunner_create(suite);

    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 120);
    tcase_add_loop_test(tests, no_state_leaves_anything_unsaid, 0, G_N_ELEMENTS(states));
    tcase_add_loop_test(tests, nor_without_a_certificate, 0, G_N_ELEMENTS(states));
    tcase_add_test(tests, a_long_cause_is_why);
    tcase_add_test(tests, a_failure_becomes_the_administrators);
    tcase_add_test(tests, a_clock_that_is_not_set_is_the_administrators);
    tcase_add_test(tests, a_waiting_request_has_a_code);
    tcase_add_test(tests, what_is_damaged_is_the_administrators);
    suite_add_tcase(suite, tests);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
