/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* An identity whose keys are bound to the machine's boot state: who may bind it to another one. */

#include <string.h>

#include "tests/unit/rotate/world.h"

static World *world;
static SignetPolicy *policy;

static void
setup(void)
{
    world = world_new(NULL);
    policy = world_policy((const char *const[]) {
        "identities.d/wifi.conf", "[Identity]\nSubject=CN=%H\nPcr=sha256:7\n", "policy.d/60.conf",
        "[Rotation default]\nNewKey=never\n", NULL});
    ck_assert(world_up(world, policy));
    world_wait_state(world, "wifi", "active");
}

static void
teardown(void)
{
    world_free(world);
    signet_policy_unref(policy);
}

static void
reach_renewal(void)
{
    world_advance(world, WORLD_LIFETIME_S * 6 / 10);
    world_settle(world);
}

static GBytes *
current_blob(void)
{
    return signet_inventory_get(world->inventory, "wifi", 0)->key->blob;
}

START_TEST(a_renewal_in_the_same_state_makes_a_new_key)
{
    g_autoptr(GBytes) first = g_bytes_ref(current_blob());

    reach_renewal();
    world_wait_state(world, "wifi", "active");
    ck_assert_uint_eq(world_status(world, "wifi").current, 2);
    ck_assert(!g_bytes_equal(first, current_blob()));
}
END_TEST

START_TEST(a_renewal_in_another_state_waits_for_somebody_to_ask)
{
    g_autoptr(GBytes) first = g_bytes_ref(current_blob());
    int made = world->token.generated;

    world->token.strange = first;
    reach_renewal();
    world_wait_state(world, "wifi", "blocked-by-policy");
    ck_assert_uint_eq(world_status(world, "wifi").current, 1);
    ck_assert_ptr_nonnull(strstr(world_status(world, "wifi").cause, "PCR 7 changed"));
    ck_assert_ptr_nonnull(strstr(world_status(world, "wifi").cause, "signetctl rotate wifi"));
    ck_assert_int_eq(world->token.generated, made);
    world_down(world);
    ck_assert(world_up(world, policy));
    world_settle(world);
    world_wait_state(world, "wifi", "blocked-by-policy");
    ck_assert_int_eq(world->token.generated, made);
    signet_engine_rotate(world->engine, "wifi", NULL, NULL);
    world_settle(world);
    world_wait_state(world, "wifi", "active");
    ck_assert_uint_gt(world_status(world, "wifi").current, 1);
    ck_assert(!g_bytes_equal(first, current_blob()));
}
END_TEST

START_TEST(who_asked_once_has_not_asked_for_ever)
{
    g_autoptr(GBytes) second = NULL;

    signet_engine_rotate(world->engine, "wifi", NULL, NULL);
    world_settle(world);
    world_wait_state(world, "wifi", "active");
    second = g_bytes_ref(current_blob());
    world->token.strange = second;
    reach_renewal();
    world_wait_state(world, "wifi", "blocked-by-policy");
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("rotate/pcr");
    TCase *tests = tcase_create("pcr");
    SRunner *runner = srunner_create(suite);

    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 120);
    tcase_add_test(tests, a_renewal_in_the_same_state_makes_a_new_key);
    tcase_add_test(tests, a_renewal_in_another_state_waits_for_somebody_to_ask);
    tcase_add_test(tests, who_asked_once_has_not_asked_for_ever);
    suite_add_tcase(suite, tests);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
