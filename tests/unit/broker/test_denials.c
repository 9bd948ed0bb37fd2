/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* The log is told of refusals, and not flooded. */

#include <check.h>
#include <stdlib.h>

#include "agent/broker/denials.h"

#define S G_USEC_PER_SEC

START_TEST(a_refusal_repeated_within_the_interval_is_counted_only)
{
    g_autoptr(SignetDenials) denials = signet_denials_new();
    guint suppressed = 99;

    ck_assert(signet_denials_admit(denials, 1, "a", 0, &suppressed));
    ck_assert_uint_eq(suppressed, 0);
    ck_assert(!signet_denials_admit(denials, 1, "a", 1 * S, &suppressed));
    ck_assert(!signet_denials_admit(denials, 1, "a", 9 * S, &suppressed));
    ck_assert(signet_denials_admit(denials, 1, "a", 10 * S, &suppressed));
    ck_assert_uint_eq(suppressed, 2);
    ck_assert(signet_denials_admit(denials, 1, "a", 20 * S, &suppressed));
    ck_assert_uint_eq(suppressed, 0);
}
END_TEST

START_TEST(users_and_identities_are_told_apart)
{
    g_autoptr(SignetDenials) denials = signet_denials_new();
    guint suppressed;

    ck_assert(signet_denials_admit(denials, 1, "a", 0, &suppressed));
    ck_assert(signet_denials_admit(denials, 2, "a", 0, &suppressed));
    ck_assert(signet_denials_admit(denials, 1, "b", 0, &suppressed));
    ck_assert(signet_denials_admit(denials, 1, NULL, 0, &suppressed));
    ck_assert(!signet_denials_admit(denials, 1, NULL, 0, &suppressed));
}
END_TEST

START_TEST(more_users_than_can_be_remembered_are_not_told_of)
{
    g_autoptr(SignetDenials) denials = signet_denials_new();
    guint suppressed, told = 0;

    for (guint32 uid = 0; uid < 10 * SIGNET_DENIALS_MAX; uid++)
        told += signet_denials_admit(denials, uid, "a", 0, &suppressed) ? 1 : 0;
    ck_assert_uint_eq(told, SIGNET_DENIALS_MAX);
    ck_assert(signet_denials_admit(denials, 99999, "a", 11 * S, &suppressed));
}
END_TEST

static Suite *
denials_suite(void)
{
    Suite *suite = suite_create("denials");
    TCase *tcase = tcase_create("denials");

    tcase_add_test(tcase, a_refusal_repeated_within_the_interval_is_counted_only);
    tcase_add_test(tcase, users_and_identities_are_told_apart);
    tcase_add_test(tcase, more_users_than_can_be_remembered_are_not_told_of);
    suite_add_tcase(suite, tcase);
    return suite;
}

int
main(void)
{
    SRunner *runner = srunner_create(denials_suite());
    int failed;

    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
