/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Threads, forks, an agent that is not there, and a rotation. */

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/unit/pkcs11/common.h"

#define THREADS 8
#define ROUNDS  10

static void *
sign_often(void *argument)
{
    for (int i = 0; i < ROUNDS; i++) {
        CK_SESSION_HANDLE session = open_session();
        assert_signs(session, find_one(session, CKO_PRIVATE_KEY, "p256"), "p256", 2);
        ck_assert_ok(p11->C_CloseSession(session));
    }
    return NULL;
}

static void
run_threads(void)
{
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, sign_often, NULL), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
}

static void
await_child(pid_t child)
{
    int status = 0;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "child: 0x%x", status);
}

START_TEST(threads_work_side_by_side)
{
    begin();
    run_threads();
}
END_TEST

START_TEST(children_go_on_with_what_they_inherit)
{
    CK_SESSION_HANDLE session = begin();
    CK_OBJECT_HANDLE key = find_one(session, CKO_PRIVATE_KEY, "p384");
    pid_t child = fork();
    if (child == 0) {
        assert_signs(session, find_one(session, CKO_PRIVATE_KEY, "p256"), "p256", 2);
        _exit(key == find_one(session, CKO_PRIVATE_KEY, "p384") ? 0 : 1);
    }
    assert_signs(session, find_one(session, CKO_PRIVATE_KEY, "p256"), "p256", 2);
    await_child(child);
}
END_TEST

START_TEST(children_may_initialize_again)
{
    CK_SESSION_HANDLE session = begin();
    CK_OBJECT_HANDLE key = find_one(session, CKO_PRIVATE_KEY, "p256");
    pid_t child = fork();
    if (child == 0) {
        CK_SESSION_INFO info;
        ck_assert_ok(p11->C_Initialize(NULL));
        ck_assert_rv(p11->C_Initialize(NULL), CKR_CRYPTOKI_ALREADY_INITIALIZED);
        ck_assert_rv(p11->C_GetSessionInfo(session, &info), CKR_SESSION_HANDLE_INVALID);
        CK_SESSION_HANDLE own = open_session();
        assert_signs(own, find_one(own, CKO_PRIVATE_KEY, "p256"), "p256", 2);
        ck_assert_ok(p11->C_Finalize(NULL));
        _exit(0);
    }
    await_child(child);
    assert_signs(session, key, "p256", 2);
}
END_TEST

/* Without Check and libcrypto, whose locks a thread of the parent may have held: the module's are
 * the only ones that a child may count on. */
static bool
child_signs(bool again)
{
    CK_OBJECT_CLASS class = CKO_PRIVATE_KEY;
    CK_ATTRIBUTE template[] = {{CKA_CLASS, &class, sizeof(class)}, {CKA_ID, (void *)"p256", 4}};
    CK_MECHANISM mechanism = {CKM_ECDSA_SHA256, NULL, 0};
    CK_SESSION_HANDLE session;
    CK_OBJECT_HANDLE key;
    unsigned char signature[64];
    CK_ULONG count = 0, size = sizeof(signature);
    alarm(20);
    return (!again || p11->C_Initialize(NULL) == CKR_OK) &&
           p11->C_OpenSession(0, CKF_SERIAL_SESSION, NULL, NULL, &session) == CKR_OK &&
           p11->C_FindObjectsInit(session, template, 2) == CKR_OK &&
           p11->C_FindObjects(session, &key, 1, &count) == CKR_OK && count == 1 &&
           p11->C_SignInit(session, &mechanism, key) == CKR_OK &&
           p11->C_Sign(session, signature, 1, signature, &size) == CKR_OK && size == 64;
}

START_TEST(threads_may_fork_at_any_moment)
{
    pthread_t threads[THREADS];
    begin();
    for (int i = 0; i < THREADS; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, sign_often, NULL), 0);
    for (int i = 0; i < 20; i++) {
        pid_t child = fork();
        if (child == 0)
            _exit(child_signs(i % 2 == 0) ? 0 : 1);
        await_child(child);
    }
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
}
END_TEST

START_TEST(without_an_agent_the_token_is_there_and_its_keys_are_not)
{
    CK_TOKEN_INFO info;
    CK_SLOT_ID slot;
    load_module();
    setenv("SIGNET_SOCKET", scratch("nobody"), 1);
    ck_assert_ok(p11->C_Initialize(NULL));
    ck_assert_ok(p11->C_GetTokenInfo(0, &info));
    CK_SESSION_HANDLE session = open_session();
    ck_assert_rv(p11->C_FindObjectsInit(session, NULL, 0), CKR_DEVICE_REMOVED);
    ck_assert_rv(p11->C_FindObjectsFinal(session), CKR_OPERATION_NOT_INITIALIZED);
    ck_assert_rv(p11->C_WaitForSlotEvent(CKF_DONT_BLOCK, &slot, NULL), CKR_NO_EVENT);
}
END_TEST

START_TEST(handles_keep_their_generation_and_an_event_tells_of_the_next)
{
    CK_SESSION_HANDLE session = begin();
    CK_SLOT_ID slot = 9;
    CK_OBJECT_HANDLE before = find_one(session, CKO_PRIVATE_KEY, "p256"), after = before;
    ck_assert_rv(p11->C_WaitForSlotEvent(CKF_DONT_BLOCK, &slot, NULL), CKR_NO_EVENT);
    ck_assert_rv(p11->C_WaitForSlotEvent(CKF_DONT_BLOCK, &slot, NULL), CKR_NO_EVENT);
    kill(fake_agent_pid(), SIGUSR1);
    for (int i = 0; i < 300 && after == before; i++) {
        nanosleep(&(struct timespec) {0, 10000000}, NULL);
        after = find_one(session, CKO_PRIVATE_KEY, "p256");
    }
    ck_assert_uint_ne(after, before);
    ck_assert_ok(p11->C_WaitForSlotEvent(CKF_DONT_BLOCK, &slot, NULL));
    ck_assert_uint_eq(slot, 0);
    ck_assert_rv(p11->C_WaitForSlotEvent(CKF_DONT_BLOCK, &slot, NULL), CKR_NO_EVENT);
    assert_signs(session, before, "p256", 2);
    assert_signs(session, after, "p256", 1);
    kill(fake_agent_pid(), SIGUSR1); /* back */
}
END_TEST

/* libp11's engine searches for the key again in each child, for the certificate that its parent
 * has. */
START_TEST(a_child_that_initializes_again_finds_what_its_parent_had)
{
    CK_SESSION_HANDLE session = begin();
    find_one(session, CKO_PRIVATE_KEY, "p256");
    kill(fake_agent_pid(), SIGUSR1);
    nanosleep(&(struct timespec) {1, 100000000}, NULL);
    pid_t child = fork();
    if (child == 0) {
        ck_assert_ok(p11->C_Initialize(NULL));
        CK_SESSION_HANDLE own = open_session();
        assert_signs(own, find_one(own, CKO_PRIVATE_KEY, "p256"), "p256", 2);
        nanosleep(&(struct timespec) {1, 0}, NULL);
        assert_signs(own, find_one(own, CKO_PRIVATE_KEY, "p256"), "p256", 1);
        _exit(0);
    }
    await_child(child);
    assert_signs(session, find_one(session, CKO_PRIVATE_KEY, "p256"), "p256", 1);
    kill(fake_agent_pid(), SIGUSR1); /* back */
}
END_TEST

START_TEST(what_an_event_told_of_is_found_at_once)
{
    CK_SESSION_HANDLE session = begin();
    CK_SLOT_ID slot;
    CK_RV rv = CKR_NO_EVENT;
    find_one(session, CKO_CERTIFICATE, "p256");
    kill(fake_agent_pid(), SIGUSR1);
    for (int i = 0; i < 300 && rv == CKR_NO_EVENT; i++) {
        nanosleep(&(struct timespec) {0, 1000000}, NULL);
        rv = p11->C_WaitForSlotEvent(CKF_DONT_BLOCK, &slot, NULL);
    }
    ck_assert_ok(rv);
    assert_signs(session, find_one(session, CKO_PRIVATE_KEY, "p256"), "p256", 1);
    kill(fake_agent_pid(), SIGUSR1); /* back */
}
END_TEST

/* --- who waits for an event --- */

struct waiter {
    pthread_t thread;
    CK_SLOT_ID slot;
    CK_RV rv;
    atomic_bool is_back;
};

static void *
wait_for_event(void *argument)
{
    struct waiter *waiter = argument;
    waiter->rv = p11->C_WaitForSlotEvent(0, &waiter->slot, NULL);
    atomic_store(&waiter->is_back, true);
    return NULL;
}

/* Returns when it waits in the agent. */
static void
start_waiter(struct waiter *waiter)
{
    unsigned before = count_requests("watch 1");
    *waiter = (struct waiter) {.slot = 9};
    ck_assert_int_eq(pthread_create(&waiter->thread, NULL, wait_for_event, waiter), 0);
    while (count_requests("watch 1") == before)
        nanosleep(&(struct timespec) {0, 10000000}, NULL);
}

static bool
comes_back(struct waiter *waiter, int within_ms)
{
    for (int i = 0; i < within_ms / 10 && !atomic_load(&waiter->is_back); i++)
        nanosleep(&(struct timespec) {0, 10000000}, NULL);
    return atomic_load(&waiter->is_back);
}

START_TEST(a_blocked_wait_ends_with_the_next_rotation)
{
    struct waiter waiter;
    CK_SESSION_HANDLE session = begin();
    CK_OBJECT_HANDLE before = find_one(session, CKO_PRIVATE_KEY, "p256");
    start_waiter(&waiter);
    ck_assert(!comes_back(&waiter, 100));
    assert_signs(session, before, "p256", 2); /* others work meanwhile */
    kill(fake_agent_pid(), SIGUSR1);
    ck_assert(comes_back(&waiter, 2000));
    ck_assert_rv(waiter.rv, CKR_OK);
    ck_assert_uint_eq(waiter.slot, 0);
    pthread_join(waiter.thread, NULL);
    ck_assert_uint_ne(find_one(session, CKO_PRIVATE_KEY, "p256"), before);
    kill(fake_agent_pid(), SIGUSR1);
}
END_TEST

START_TEST(a_rotation_before_the_wait_but_after_a_search_is_told)
{
    CK_SLOT_ID slot = 9;
    CK_SESSION_HANDLE session = begin();
    find_one(session, CKO_CERTIFICATE, "p256");
    kill(fake_agent_pid(), SIGUSR1);
    nanosleep(&(struct timespec) {0, 50000000}, NULL);
    ck_assert_ok(p11->C_WaitForSlotEvent(0, &slot, NULL));
    ck_assert_uint_eq(slot, 0);
    kill(fake_agent_pid(), SIGUSR1);
    ck_assert_ok(p11->C_WaitForSlotEvent(0, &slot, NULL));
}
END_TEST

START_TEST(finalizing_ends_all_waits_at_once)
{
    struct waiter waiters[3];
    CK_SLOT_ID slot;
    begin();
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 3; i++)
            start_waiter(&waiters[i]);
        ck_assert_ok(p11->C_Finalize(NULL));
        for (int i = 0; i < 3; i++) {
            ck_assert(comes_back(&waiters[i], 100));
            ck_assert_rv(waiters[i].rv, CKR_CRYPTOKI_NOT_INITIALIZED);
            pthread_join(waiters[i].thread, NULL);
        }
        ck_assert_rv(p11->C_WaitForSlotEvent(0, &slot, NULL), CKR_CRYPTOKI_NOT_INITIALIZED);
        ck_assert_ok(p11->C_Initialize(NULL));
    }
}
END_TEST

START_TEST(a_wait_without_an_agent_can_be_ended_too)
{
    struct waiter waiter = {.slot = 9};
    load_module();
    setenv("SIGNET_SOCKET", scratch("nobody"), 1);
    ck_assert_ok(p11->C_Initialize(NULL));
    ck_assert_int_eq(pthread_create(&waiter.thread, NULL, wait_for_event, &waiter), 0);
    ck_assert(!comes_back(&waiter, 2500));
    ck_assert_ok(p11->C_Finalize(NULL));
    ck_assert(comes_back(&waiter, 1000));
    ck_assert_rv(waiter.rv, CKR_CRYPTOKI_NOT_INITIALIZED);
    pthread_join(waiter.thread, NULL);
}
END_TEST

START_TEST(a_child_neither_waits_nor_disturbs_who_waits)
{
    struct waiter waiter;
    begin();
    start_waiter(&waiter);
    for (int again = 0; again < 2; again++) {
        pid_t child = fork();
        if (child == 0)
            _exit(child_signs(again == 1) && p11->C_Finalize(NULL) == CKR_OK ? 0 : 1);
        await_child(child);
    }
    ck_assert(!comes_back(&waiter, 100));
    kill(fake_agent_pid(), SIGUSR1);
    ck_assert(comes_back(&waiter, 2000));
    ck_assert_rv(waiter.rv, CKR_OK);
    pthread_join(waiter.thread, NULL);
    kill(fake_agent_pid(), SIGUSR1);
}
END_TEST

Suite *
processes_suite(void)
{
    Suite *suite = suite_create("processes");
    TCase *tests = tcase_create("processes");
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, threads_work_side_by_side);
    tcase_add_test(tests, children_go_on_with_what_they_inherit);
    tcase_add_test(tests, children_may_initialize_again);
    tcase_add_test(tests, threads_may_fork_at_any_moment);
    tcase_add_test(tests, without_an_agent_the_token_is_there_and_its_keys_are_not);
    tcase_add_test(tests, handles_keep_their_generation_and_an_event_tells_of_the_next);
    tcase_add_test(tests, a_child_that_initializes_again_finds_what_its_parent_had);
    tcase_add_test(tests, what_an_event_told_of_is_found_at_once);
    tcase_add_test(tests, a_blocked_wait_ends_with_the_next_rotation);
    tcase_add_test(tests, a_rotation_before_the_wait_but_after_a_search_is_told);
    tcase_add_test(tests, finalizing_ends_all_waits_at_once);
    tcase_add_test(tests, a_wait_without_an_agent_can_be_ended_too);
    tcase_add_test(tests, a_child_neither_waits_nor_disturbs_who_waits);
    suite_add_tcase(suite, tests);
    return suite;
}
