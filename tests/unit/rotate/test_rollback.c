/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* New certificates that do not work: the canary before the promotion, the way back after it. */

#include <check.h>
#include <string.h>

#include "tests/unit/rotate/world.h"

typedef struct {
    gboolean is_done;
    guint32 generation;
    GError *error; /* (owned, nullable) */
} Answer;

static World *world;
static SignetPolicy *policy;
static Answer answer;

static void
setup(void)
{
    world = world_new(NULL);
    policy = world_policy((const char *const[]) {
        "identities.d/wifi.conf", "[Identity]\nSubject=CN=wifi\n", "policy.d/60-canary.conf",
        "[Rotation default]\nCanary=tls:gateway.example:443\n", NULL});
    answer = (Answer) {0};
    ck_assert(world_up(world, policy));
    world_wait_state(world, "wifi", "active");
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
    ck_assert(!answer.is_done);
    answer.is_done = TRUE;
    answer.generation = generation;
    answer.error = error ? g_error_copy(error) : NULL;
}

static void
rotate(void)
{
    g_clear_error(&answer.error);
    answer = (Answer) {0};
    signet_engine_rotate(world->engine, "wifi", on_done, NULL);
    world_wait_flag(world, &answer.is_done);
}

static void
roll_back(const char *reason)
{
    g_clear_error(&answer.error);
    answer = (Answer) {0};
    signet_engine_rollback(world->engine, "wifi", reason, on_done, NULL);
    world_wait_flag(world, &answer.is_done);
}

START_TEST(the_first_certificate_needs_no_canary_and_the_second_one_does)
{
    ck_assert_uint_eq(world->ca.canaries, 0);
    rotate();
    ck_assert_ptr_null(answer.error);
    ck_assert_uint_eq(world->ca.canaries, 1);
    ck_assert_uint_eq(world_status(world, "wifi").current, 2);
}
END_TEST

START_TEST(what_the_canary_refuses_is_never_current)
{
    world->ca.canary = FAKE_CA_REFUSES;
    rotate();
    ck_assert_ptr_nonnull(answer.error);
    ck_assert_uint_eq(world_status(world, "wifi").current, 1);
    ck_assert_uint_eq(world_status(world, "wifi").pending, 2);
    ck_assert_str_eq(world_status(world, "wifi").state, "failed");
    ck_assert_str_eq(world_status(world, "wifi").cause, "not in the list");
    world_check_usable(world, "wifi");
    /* and the same certificate is accepted later */
    world->ca.canary = FAKE_CA_ISSUES;
    world_advance(world, 120);
    world_settle(world);
    ck_assert_uint_eq(world_status(world, "wifi").current, 2);
    world_check_no_orphans(world, "wifi");
}
END_TEST

START_TEST(a_person_gets_a_new_certificate_after_a_refused_one)
{
    world->ca.canary = FAKE_CA_REFUSES;
    rotate();
    world->ca.canary = FAKE_CA_ISSUES;
    rotate();
    ck_assert_ptr_null(answer.error);
    ck_assert_uint_eq(answer.generation, 3);
    world_settle(world);
    world_advance(world, 600);
    world_wait_only(world, "wifi", "3");
}
END_TEST

START_TEST(a_canary_that_cannot_be_asked_holds_back_until_little_is_left)
{
    world->ca.canary = FAKE_CA_FAILS;
    rotate();
    ck_assert_uint_eq(world_status(world, "wifi").current, 1);
    world_advance(world, WORLD_LIFETIME_S / 2);
    world_settle(world);
    ck_assert_uint_eq(world_status(world, "wifi").current, 1);
    world_advance(world, WORLD_LIFETIME_S / 2 - 60);
    world_settle(world);
    ck_assert_uint_ge(world_status(world, "wifi").current, 2);
}
END_TEST

START_TEST(a_rollback_brings_the_old_generation_back_and_makes_another)
{
    rotate();
    world_settle(world);
    roll_back("the gateway\nrefuses it");
    ck_assert_ptr_null(answer.error);
    ck_assert_uint_eq(answer.generation, 1);
    ck_assert_uint_eq(world_status(world, "wifi").current, 1);
    ck_assert_str_eq(world_status(world, "wifi").cause,
                     "rolled back from generation 2: the gateway refuses it");
    world_check_usable(world, "wifi");
    ck_assert_ptr_nonnull(signet_inventory_get(world->inventory, "wifi", 2));
    ck_assert_ptr_nonnull(strstr(world->events->str, "rotated wifi 1\nfailed wifi"));
    /* generation 1 is due long before generation 2 would have been */
    world_advance(world, WORLD_LIFETIME_S * 3 / 4);
    world_settle(world);
    ck_assert_uint_eq(world_status(world, "wifi").current, 3);
    world_advance(world, WORLD_LIFETIME_S / 4);
    world_settle(world);
    world_check_no_orphans(world, "wifi");
}
END_TEST

START_TEST(without_an_earlier_generation_the_answer_says_so)
{
    roll_back("it fails");
    ck_assert(signet_error_is(answer.error, SIGNET_ERROR_NOT_FOUND));
    rotate();
    world_settle(world);
    world_advance(world, 301); /* the overlap */
    world_settle(world);
    roll_back("it fails");
    ck_assert(signet_error_is(answer.error, SIGNET_ERROR_NOT_FOUND));
    ck_assert_uint_eq(world_status(world, "wifi").current, 2);
}
END_TEST

START_TEST(three_reports_of_the_current_generation_roll_it_back)
{
    rotate();
    world_settle(world);
    signet_engine_report(world->engine, "wifi", 1, "curl", "an old one");
    for (guint i = 0; i < 2; i++)
        signet_engine_report(world->engine, "wifi", 2, "curl", "unknown ca");
    world_settle(world);
    ck_assert_uint_eq(world_status(world, "wifi").current, 2);
    signet_engine_report(world->engine, "wifi", 2, "curl", "unknown ca");
    world_wait_state(world, "wifi", "failed");
    ck_assert_uint_eq(world_status(world, "wifi").current, 1);
    ck_assert_ptr_nonnull(strstr(world_status(world, "wifi").cause, "unknown ca"));
}
END_TEST

START_TEST(a_rollback_that_was_interrupted_is_done_again_at_the_start)
{
    rotate();
    world_settle(world);
    signet_engine_rollback(world->engine, "wifi", "it fails", NULL, NULL);
    world_down(world);
    ck_assert(world_up(world, policy));
    world_wait_state(world, "wifi", "failed");
    ck_assert_uint_eq(world_status(world, "wifi").current, 1);
    world_check_usable(world, "wifi");
    world_settle(world);
    world_check_no_orphans(world, "wifi");
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("rotate/rollback");
    TCase *cases = tcase_create("rollback");
    SRunner *runner = srunner_create(suite);

    tcase_add_checked_fixture(cases, setup, teardown);
    tcase_set_timeout(cases, 60);
    tcase_add_test(cases, the_first_certificate_needs_no_canary_and_the_second_one_does);
    tcase_add_test(cases, what_the_canary_refuses_is_never_current);
    tcase_add_test(cases, a_person_gets_a_new_certificate_after_a_refused_one);
    tcase_add_test(cases, a_canary_that_cannot_be_asked_holds_back_until_little_is_left);
    tcase_add_test(cases, a_rollback_brings_the_old_generation_back_and_makes_another);
    tcase_add_test(cases, without_an_earlier_generation_the_answer_says_so);
    tcase_add_test(cases, three_reports_of_the_current_generation_roll_it_back);
    tcase_add_test(cases, a_rollback_that_was_interrupted_is_done_again_at_the_start);
    suite_add_tcase(suite, cases);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
