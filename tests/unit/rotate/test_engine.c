/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* The engine with a fake token, a fake CA and a clock of its own. */

#include <string.h>

#include "tests/unit/rotate/world.h"

typedef struct {
    gboolean is_done;
    guint32 generation;
    GError *error;
} Answer;

static World *world;
static SignetPolicy *policy;
static Answer answer;

static void
setup(void)
{
    world = world_new(NULL);
    policy = world_policy(NULL);
    answer = (Answer) {0};
}

static void
teardown(void)
{
    world_free(world);
    signet_policy_unref(policy);
    g_clear_error(&answer.error);
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
rotate(const char *identity)
{
    g_clear_error(&answer.error);
    answer = (Answer) {0};
    signet_engine_rotate(world->engine, identity, on_done, &answer);
    ck_assert(!answer.is_done);
    world_wait_flag(world, &answer.is_done);
}

static void
enrol(void)
{
    ck_assert(world_up(world, policy));
    world_wait_state(world, "wifi", "active");
}

START_TEST(a_new_identity_is_enrolled_by_itself)
{
    enrol();
    ck_assert_uint_eq(world_status(world, "wifi").current, 1);
    ck_assert_uint_eq(world_status(world, "ca.local").current, 1);
    ck_assert_str_eq(world_status(world, "wifi").next, "renew");
    ck_assert_int_eq(world_status(world, "wifi").not_after_s, WORLD_NOW_S + WORLD_LIFETIME_S);
    ck_assert_str_eq(world->events->str, "rotated ca.local 1\nrotated wifi 1\n");
    world_check_usable(world, "wifi");
    world_check_no_orphans(world, "wifi");
}
END_TEST

START_TEST(a_wish_rotates_with_overlap_and_retirement)
{
    enrol();
    rotate("wifi");
    ck_assert_ptr_null(answer.error);
    ck_assert_uint_eq(answer.generation, 2);
    world_settle(world);
    ck_assert_int_eq(signet_inventory_get_state(world->inventory, "wifi", 1),
                     SIGNET_GENERATION_RETIRED);
    ck_assert_ptr_nonnull(signet_inventory_get(world->inventory, "wifi", 1));
    ck_assert_str_eq(world_status(world, "wifi").next, "retire generation 1");
    world_check_usable(world, "wifi");
    world_advance(world, 299);
    world_settle(world);
    g_autofree char *during = world_numbers(world, "wifi");
    ck_assert_str_eq(during, "1 2");
    world_advance(world, 2);
    world_settle(world);
    g_autofree char *after = world_numbers(world, "wifi");
    ck_assert_str_eq(after, "2");
    ck_assert_ptr_null(signet_inventory_get(world->inventory, "wifi", 1));
    ck_assert_int_eq(world->token.destroyed, 1);
    ck_assert_ptr_nonnull(strstr(world->events->str, "retired wifi 1\n"));
    world_check_no_orphans(world, "wifi");
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("rotate/engine");
    TCase *life = tcase_create("life");
    SRunner *runner = srunner_create(suite);

    tcase_add_checked_fixture(life, setup, teardown);
    tcase_set_timeout(life, 60);
    tcase_add_test(life, a_new_identity_is_enrolled_by_itself);
    tcase_add_test(life, a_wish_rotates_with_overlap_and_retirement);
    suite_add_tcase(suite, life);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
