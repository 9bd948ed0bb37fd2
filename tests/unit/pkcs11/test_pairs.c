/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* A key and its certificate, searched for one after the other, while an identity is rotated. */

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "provider/pkcs11/object.h"
#include "tests/unit/pkcs11/common.h"

#define THREADS   3
#define ROTATIONS 8
#define EVERY_MS  400 /* the module remembers four generations, and a lead lives for a second */

/* Returns when the other generation is current. Only a child waits for that: whom an event tells of
 * it finds that generation at once. */
static void
rotate(void)
{
    int status = 1;
    CK_SLOT_ID slot;
    pid_t child = fork();
    if (child == 0) {
        alarm(20);
        _exit(p11->C_WaitForSlotEvent(0, &slot, NULL) == CKR_OK ? 0 : 1);
    }
    kill(fake_agent_pid(), SIGUSR1);
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
}

START_TEST(a_certificate_and_its_key_are_of_one_generation_over_a_rotation)
{
    CK_SESSION_HANDLE session = begin();
    CK_OBJECT_HANDLE cert = find_one(session, CKO_CERTIFICATE, "p256");
    rotate();
    assert_signs(session, find_one(session, CKO_PRIVATE_KEY, "p256"), "p256", 2);
    ck_assert_uint_eq(find_one(session, CKO_CERTIFICATE, "p256"), cert);
    nanosleep(&(struct timespec) {1, 0}, NULL);
    ck_assert_uint_ne(find_one(session, CKO_CERTIFICATE, "p256"), cert);
    assert_signs(session, find_one(session, CKO_PRIVATE_KEY, "p256"), "p256", 1);
    kill(fake_agent_pid(), SIGUSR1); /* back */
}
END_TEST

/* A server that has its certificate from a file, reads it again and then searches for the key. */
START_TEST(without_a_search_for_the_certificate_a_key_is_the_current_one)
{
    CK_SESSION_HANDLE session = begin();
    CK_OBJECT_HANDLE before = find_one(session, CKO_PRIVATE_KEY, "p256");
    rotate();
    CK_OBJECT_HANDLE after = find_one(session, CKO_PRIVATE_KEY, "p256");
    ck_assert_uint_ne(after, before);
    assert_signs(session, after, "p256", 1);
    kill(fake_agent_pid(), SIGUSR1); /* back */
}
END_TEST

/* GnuTLS's gnutls_certificate_set_x509_key_file() (wget, libcurl): the key first. */
START_TEST(a_key_and_its_certificate_are_of_one_generation_over_a_rotation)
{
    CK_SESSION_HANDLE session = begin();
    CK_OBJECT_HANDLE key = find_one(session, CKO_PRIVATE_KEY, "p256");
    rotate();
    CK_SESSION_HANDLE other = open_session();
    CK_OBJECT_HANDLE certificate = find_one(other, CKO_CERTIFICATE, "p256");
    ck_assert_uint_eq(certificate >> SIGNET_PART_BITS, key >> SIGNET_PART_BITS);
    assert_signs(session, key, "p256", 2);
    nanosleep(&(struct timespec) {1, 0}, NULL);
    key = find_one(session, CKO_PRIVATE_KEY, "p256");
    ck_assert_uint_ne(certificate >> SIGNET_PART_BITS, key >> SIGNET_PART_BITS);
    assert_signs(session, key, "p256", 1);
    certificate = find_one(other, CKO_CERTIFICATE, "p256");
    ck_assert_uint_eq(certificate >> SIGNET_PART_BITS, key >> SIGNET_PART_BITS);
    kill(fake_agent_pid(), SIGUSR1); /* back */
}
END_TEST

/* libp11 looks for the key's public half after it. */
START_TEST(the_halves_of_a_key_are_of_one_generation)
{
    CK_SESSION_HANDLE session = begin();
    CK_OBJECT_HANDLE key = find_one(session, CKO_PRIVATE_KEY, "p256");
    rotate();
    CK_OBJECT_HANDLE half = find_one(session, CKO_PUBLIC_KEY, "p256");
    ck_assert_uint_eq(half >> SIGNET_PART_BITS, key >> SIGNET_PART_BITS);
    CK_OBJECT_HANDLE next = find_one(session, CKO_PRIVATE_KEY, "p256");
    ck_assert_uint_ne(next, key);
    half = find_one(session, CKO_PUBLIC_KEY, "p256");
    ck_assert_uint_eq(half >> SIGNET_PART_BITS, next >> SIGNET_PART_BITS);
    kill(fake_agent_pid(), SIGUSR1); /* back */
}
END_TEST

/* NSS lists the certificates, and then searches for the one that it has by what is in it. */
START_TEST(a_certificate_of_before_is_found_by_what_is_in_it_and_then_its_key)
{
    CK_SESSION_HANDLE session = begin();
    CK_OBJECT_HANDLE before = find_one(session, CKO_CERTIFICATE, "p256"), found[64];
    unsigned char value[4096];
    CK_ATTRIBUTE content = {CKA_VALUE, value, 0};
    memcpy(value, get_attribute(session, before, CKA_VALUE, &content.ulValueLen), sizeof(value));
    rotate();
    nanosleep(&(struct timespec) {1, 0}, NULL);
    ck_assert_uint_eq(find_all(session, &content, 1, found), 1);
    ck_assert_uint_eq(found[0], before);
    assert_signs(session, find_one(session, CKO_PRIVATE_KEY, "p256"), "p256", 2);
    ck_assert_uint_ne(find_one(session, CKO_CERTIFICATE, "p256"), before);
    assert_signs(session, find_one(session, CKO_PRIVATE_KEY, "p256"), "p256", 1);
    ck_assert_uint_eq(find_all(session, &content, 1, found), 1);
    ck_assert_uint_eq(found[0], before);
    kill(fake_agent_pid(), SIGUSR1); /* back */
}
END_TEST

/* What one thread of a client does that loads the pair for each of its connections. */
struct pairs {
    pthread_t thread;
    CK_OBJECT_CLASS first, second;
    unsigned mixed, changes;
};
static atomic_bool is_over;

static void *
find_pairs(void *argument)
{
    struct pairs *pairs = argument;
    CK_SESSION_HANDLE session = open_session();
    for (CK_OBJECT_HANDLE before = 0; !atomic_load(&is_over);) {
        CK_OBJECT_HANDLE first = find_one(session, pairs->first, "p256") >> SIGNET_PART_BITS;
        CK_OBJECT_HANDLE second = find_one(session, pairs->second, "p256") >> SIGNET_PART_BITS;
        pairs->mixed += first != second;
        pairs->changes += before != 0 && first != before;
        before = first;
    }
    ck_assert_ok(p11->C_CloseSession(session));
    return NULL;
}

START_TEST(pairs_that_threads_find_are_of_one_generation_over_many_rotations)
{
    CK_OBJECT_CLASS first = _i == 0 ? CKO_PRIVATE_KEY : CKO_CERTIFICATE;
    CK_OBJECT_CLASS second = _i == 0 ? CKO_CERTIFICATE : CKO_PRIVATE_KEY;
    struct pairs pairs[THREADS];
    begin();
    atomic_store(&is_over, false);
    for (int i = 0; i < THREADS; i++) {
        pairs[i] = (struct pairs) {.first = first, .second = second};
        ck_assert_int_eq(pthread_create(&pairs[i].thread, NULL, find_pairs, &pairs[i]), 0);
    }
    for (int i = 0; i < ROTATIONS; i++) {
        nanosleep(&(struct timespec) {0, EVERY_MS * 1000000L}, NULL);
        kill(fake_agent_pid(), SIGUSR1);
    }
    atomic_store(&is_over, true);
    for (int i = 0; i < THREADS; i++) {
        pthread_join(pairs[i].thread, NULL);
        ck_assert_uint_eq(pairs[i].mixed, 0);
        ck_assert_uint_ge(pairs[i].changes, 1);
    }
}
END_TEST

Suite *
pairs_suite(void)
{
    Suite *suite = suite_create("pairs");
    TCase *tests = tcase_create("pairs");
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, a_certificate_and_its_key_are_of_one_generation_over_a_rotation);
    tcase_add_test(tests, without_a_search_for_the_certificate_a_key_is_the_current_one);
    tcase_add_test(tests, a_key_and_its_certificate_are_of_one_generation_over_a_rotation);
    tcase_add_test(tests, the_halves_of_a_key_are_of_one_generation);
    tcase_add_test(tests, a_certificate_of_before_is_found_by_what_is_in_it_and_then_its_key);
    tcase_add_loop_test(tests, pairs_that_threads_find_are_of_one_generation_over_many_rotations, 0,
                        2);
    suite_add_tcase(suite, tests);
    return suite;
}
