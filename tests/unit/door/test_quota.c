/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Who gives way when there are too many connections. */

#include <check.h>
#include <stdlib.h>

#include "agent/door/quota.h"

static const SignetQuotaLimits limits = {.total = 10, .kept = 4, .kept_per_user = 2};

typedef struct {
    SignetQuotaItem item;
    int number;
} Item;

static Item items[32];

static void
add(SignetQuota *quota, int number, guint32 uid)
{
    items[number].number = number;
    signet_quota_add(quota, &items[number].item, uid, &items[number]);
}

static void
remove_all(SignetQuota *quota)
{
    for (gsize i = 0; i < G_N_ELEMENTS(items); i++)
        signet_quota_remove(quota, &items[i].item);
}

static int
victim(SignetQuota *quota)
{
    Item *item = signet_quota_find_victim(quota);

    return item ? item->number : -1;
}

START_TEST(nobody_gives_way_while_there_is_room)
{
    g_autoptr(SignetQuota) quota = signet_quota_new(&limits);

    for (int i = 0; i < 5; i++)
        add(quota, i, 1000);
    for (int i = 5; i < 10; i++)
        add(quota, i, 0);
    ck_assert_int_eq(victim(quota), -1);
    ck_assert(!signet_quota_is_exceeded(quota));
    ck_assert_uint_eq(signet_quota_get_count(quota), 10);
    remove_all(quota);
}
END_TEST

START_TEST(one_user_cannot_have_more_than_its_share)
{
    g_autoptr(SignetQuota) quota = signet_quota_new(&limits);

    for (int i = 0; i < 6; i++)
        add(quota, i, 1000);
    ck_assert_int_eq(victim(quota), 0);
    signet_quota_remove(quota, &items[0].item);
    ck_assert_int_eq(victim(quota), -1);
    remove_all(quota);
}
END_TEST

START_TEST(root_may_have_all_there_is)
{
    g_autoptr(SignetQuota) quota = signet_quota_new(&limits);

    for (int i = 0; i < 10; i++)
        add(quota, i, 0);
    ck_assert(!signet_quota_is_exceeded(quota));
    add(quota, 10, 0);
    ck_assert_int_eq(victim(quota), 0);
    remove_all(quota);
}
END_TEST

START_TEST(the_idlest_of_the_user_with_the_most_gives_way)
{
    g_autoptr(SignetQuota) quota = signet_quota_new(&limits);

    for (int i = 0; i < 2; i++)
        add(quota, i, 33);
    for (int i = 2; i < 7; i++)
        add(quota, i, 1000);
    for (int i = 7; i < 11; i++)
        add(quota, i, 1001);
    ck_assert_int_eq(victim(quota), 2);
    signet_quota_set_idle(quota, &items[2].item, FALSE);
    ck_assert_int_eq(victim(quota), 3);
    signet_quota_set_idle(quota, &items[2].item, TRUE);
    ck_assert_int_eq(victim(quota), 3);
    remove_all(quota);
}
END_TEST

START_TEST(who_works_does_not_give_way)
{
    g_autoptr(SignetQuota) quota = signet_quota_new(&limits);

    for (int i = 0; i < 11; i++) {
        add(quota, i, 0);
        signet_quota_set_idle(quota, &items[i].item, FALSE);
    }
    ck_assert_int_eq(victim(quota), -1);
    ck_assert(signet_quota_is_exceeded(quota));
    remove_all(quota);
}
END_TEST

START_TEST(kept_ones_are_bounded_and_never_give_way)
{
    g_autoptr(SignetQuota) quota = signet_quota_new(&limits);

    for (int i = 0; i < 11; i++)
        add(quota, i, i < 5 ? 1000 : 0);
    ck_assert(signet_quota_keep(quota, &items[0].item));
    ck_assert(signet_quota_keep(quota, &items[1].item));
    ck_assert(!signet_quota_keep(quota, &items[1].item));
    ck_assert(!signet_quota_keep(quota, &items[2].item));
    ck_assert(signet_quota_keep(quota, &items[5].item));
    ck_assert(signet_quota_keep(quota, &items[6].item));
    ck_assert(!signet_quota_keep(quota, &items[7].item));
    ck_assert_int_eq(victim(quota), 7);
    signet_quota_remove(quota, &items[5].item);
    ck_assert(signet_quota_keep(quota, &items[7].item));
    remove_all(quota);
}
END_TEST

START_TEST(there_may_be_fewer_from_now_on)
{
    g_autoptr(SignetQuota) quota = signet_quota_new(&limits);
    Item *item;
    guint gone = 0;

    for (int i = 0; i < 10; i++)
        add(quota, i, i < 5 ? 1000 : 1001 + (guint32)i);
    signet_quota_set_total(quota, 6);
    for (; (item = signet_quota_find_victim(quota)); gone++)
        signet_quota_remove(quota, &item->item);
    ck_assert_uint_eq(gone, 4);
    ck_assert_ptr_nonnull(items[4].item.user);
    remove_all(quota);
}
END_TEST

static Suite *
quota_suite(void)
{
    Suite *suite = suite_create("quota");
    TCase *tcase = tcase_create("quota");

    tcase_add_test(tcase, nobody_gives_way_while_there_is_room);
    tcase_add_test(tcase, one_user_cannot_have_more_than_its_share);
    tcase_add_test(tcase, root_may_have_all_there_is);
    tcase_add_test(tcase, the_idlest_of_the_user_with_the_most_gives_way);
    tcase_add_test(tcase, who_works_does_not_give_way);
    tcase_add_test(tcase, kept_ones_are_bounded_and_never_give_way);
    tcase_add_test(tcase, there_may_be_fewer_from_now_on);
    suite_add_tcase(suite, tcase);
    return suite;
}

int
main(void)
{
    SRunner *runner = srunner_create(quota_suite());
    int failed;

    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
