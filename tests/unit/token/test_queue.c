/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* The waiting room: order, fairness, bounds. */

#include <check.h>
#include <stdlib.h>

#include "agent/token/queue.h"

static SignetQueueItem items[64];

static SignetQueueItem *
item_of(guint number, guint64 client)
{
    items[number] = (SignetQueueItem) {.client = client, .deadline_us = number};
    return &items[number];
}

START_TEST(one_client_is_served_first_in_first_out)
{
    g_autoptr(SignetQueue) queue = signet_queue_new(64, 64);

    for (guint i = 0; i < 10; i++)
        ck_assert_int_eq(signet_queue_push(queue, item_of(i, 7)), SIGNET_QUEUE_ADDED);
    for (guint i = 0; i < 10; i++)
        ck_assert_ptr_eq(signet_queue_pop(queue), &items[i]);
    ck_assert_ptr_null(signet_queue_pop(queue));
}
END_TEST

START_TEST(clients_take_turns_however_much_one_has_waiting)
{
    g_autoptr(SignetQueue) queue = signet_queue_new(64, 64);
    const guint64 turns[] = {1, 2, 3, 1, 2, 1, 1, 1};

    for (guint i = 0; i < 5; i++)
        signet_queue_push(queue, item_of(i, 1));
    for (guint i = 5; i < 7; i++)
        signet_queue_push(queue, item_of(i, 2));
    signet_queue_push(queue, item_of(7, 3));

    for (guint i = 0; i < G_N_ELEMENTS(turns); i++)
        ck_assert_uint_eq(signet_queue_pop(queue)->client, turns[i]);
}
END_TEST

START_TEST(a_newcomer_waits_for_the_others_but_not_twice_for_who_was_just_served)
{
    g_autoptr(SignetQueue) queue = signet_queue_new(64, 64);

    for (guint i = 0; i < 20; i++)
        signet_queue_push(queue, item_of(i, i % 2));
    signet_queue_pop(queue);
    signet_queue_push(queue, item_of(20, 99));

    ck_assert_uint_eq(signet_queue_pop(queue)->client, 1);
    ck_assert_uint_eq(signet_queue_pop(queue)->client, 99);
    ck_assert_uint_eq(signet_queue_pop(queue)->client, 0);
}
END_TEST

START_TEST(newcomers_who_come_again_and_again_do_not_push_others_back)
{
    g_autoptr(SignetQueue) queue = signet_queue_new(64, 64);
    const guint64 turns[] = {1, 2, 3, 1, 2, 3, 1, 2, 3};

    for (guint i = 0; i < 20; i++)
        signet_queue_push(queue, item_of(i, 1));
    signet_queue_push(queue, item_of(20, 2));
    signet_queue_push(queue, item_of(21, 3));
    for (guint i = 0; i < G_N_ELEMENTS(turns); i++) {
        ck_assert_uint_eq(signet_queue_pop(queue)->client, turns[i]);
        if (turns[i] != 1) /* it has its answer, and asks again */
            signet_queue_push(queue, item_of(22 + i, turns[i]));
    }
}
END_TEST

START_TEST(more_than_the_limit_is_refused)
{
    g_autoptr(SignetQueue) queue = signet_queue_new(4, 4);

    for (guint i = 0; i < 4; i++)
        ck_assert_int_eq(signet_queue_push(queue, item_of(i, i)), SIGNET_QUEUE_ADDED);
    ck_assert_int_eq(signet_queue_push(queue, item_of(4, 4)), SIGNET_QUEUE_FULL);
    ck_assert_uint_eq(signet_queue_get_length(queue), 4);
    signet_queue_pop(queue);
    ck_assert_int_eq(signet_queue_push(queue, item_of(4, 4)), SIGNET_QUEUE_ADDED);
}
END_TEST

START_TEST(one_client_cannot_take_the_places_of_the_others)
{
    g_autoptr(SignetQueue) queue = signet_queue_new(8, 3);

    for (guint i = 0; i < 3; i++)
        ck_assert_int_eq(signet_queue_push(queue, item_of(i, 1)), SIGNET_QUEUE_ADDED);
    ck_assert_int_eq(signet_queue_push(queue, item_of(3, 1)), SIGNET_QUEUE_CLIENT_FULL);
    ck_assert_int_eq(signet_queue_push(queue, item_of(4, 2)), SIGNET_QUEUE_ADDED);
}
END_TEST

START_TEST(what_was_removed_does_not_come)
{
    g_autoptr(SignetQueue) queue = signet_queue_new(8, 8);

    for (guint i = 0; i < 3; i++)
        signet_queue_push(queue, item_of(i, 1));
    signet_queue_push(queue, item_of(3, 2));
    ck_assert(signet_queue_remove(queue, &items[0]));
    ck_assert(signet_queue_remove(queue, &items[3]));
    ck_assert(!signet_queue_remove(queue, &items[3]));

    ck_assert_ptr_eq(signet_queue_pop(queue), &items[1]);
    ck_assert(!signet_queue_remove(queue, &items[1]));
    ck_assert_ptr_eq(signet_queue_pop(queue), &items[2]);
    ck_assert_ptr_null(signet_queue_pop(queue));
    ck_assert_uint_eq(signet_queue_get_length(queue), 0);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("queue");
    TCase *tc = tcase_create("queue");
    SRunner *runner;
    int failed;

    tcase_add_test(tc, one_client_is_served_first_in_first_out);
    tcase_add_test(tc, clients_take_turns_however_much_one_has_waiting);
    tcase_add_test(tc, a_newcomer_waits_for_the_others_but_not_twice_for_who_was_just_served);
    tcase_add_test(tc, newcomers_who_come_again_and_again_do_not_push_others_back);
    tcase_add_test(tc, more_than_the_limit_is_refused);
    tcase_add_test(tc, one_client_cannot_take_the_places_of_the_others);
    tcase_add_test(tc, what_was_removed_does_not_come);
    suite_add_tcase(suite, tc);
    runner = srunner_create(suite);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
