/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Threads, forks, and programs that give up their rights after they loaded a key. */

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/provider/common.h"

#define THREADS 8
#define ROUNDS  25

struct work {
    EVP_PKEY *key;
    EVP_PKEY *public;
    bool ok;
};

static bool
sign_once(const struct work *work)
{
    unsigned char signature[1024];
    size_t size = sizeof(signature);
    EVP_MD_CTX *sign = EVP_MD_CTX_new(), *verify = EVP_MD_CTX_new();
    const EVP_MD *md = EVP_PKEY_is_a(work->key, "ED25519") ? NULL : EVP_sha256();
    bool ok = EVP_DigestSignInit(sign, NULL, md, NULL, work->key) == 1 &&
              EVP_DigestSign(sign, signature, &size, (const unsigned char *)"abc", 3) == 1 &&
              EVP_DigestVerifyInit(verify, NULL, md, NULL, work->public) == 1 &&
              EVP_DigestVerify(verify, signature, size, (const unsigned char *)"abc", 3) == 1;
    EVP_MD_CTX_free(sign);
    EVP_MD_CTX_free(verify);
    return ok;
}

static void *
sign_often(void *argument)
{
    struct work *work = argument;
    work->ok = true;
    for (int i = 0; i < ROUNDS && work->ok; i++)
        work->ok = sign_once(work);
    return NULL;
}

START_TEST(threads_share_a_key)
{
    const struct kind *kind = begin_row(_i);
    EVP_PKEY *key = load_key(kind, 1);
    X509 *cert = load_cert(kind, 1);
    struct work works[THREADS];
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++) {
        works[i] = (struct work) {key, X509_get0_pubkey(cert), false};
        ck_assert_int_eq(pthread_create(&threads[i], NULL, sign_often, &works[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        ck_assert(works[i].ok);
    }
    X509_free(cert);
    EVP_PKEY_free(key);
}
END_TEST

static pid_t
fork_worker(struct work *work, void (*prepare)(void))
{
    pid_t pid = fork();
    if (pid != 0)
        return pid;
    prepare();
    sign_often(work);
    _exit(work->ok ? 0 : 1);
}

static void
assert_succeeds(pid_t pid)
{
    int status = 0;
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert(WIFEXITED(status));
    ck_assert_int_eq(WEXITSTATUS(status), 0);
}

static void
stay_as_we_are(void)
{
}

/* What haproxy and openvpn do between loading and signing. */
static void
give_up_rights(void)
{
    if (geteuid() != 0 && unshare(CLONE_NEWUSER) != 0)
        _exit(2);
    bool was_root = getuid() == 0;
    if (chroot(scratch("empty")) != 0 || chdir("/") != 0)
        _exit(3);
    if (was_root && (setgid(65534) != 0 || setuid(65534) != 0))
        _exit(4);
    if (access(fake_agent_socket(), F_OK) == 0)
        _exit(5);
}

static void
run_workers(int row, void (*prepare)(void))
{
    const struct kind *kind = begin_row(row);
    mkdir(scratch("empty"), 0755);
    EVP_PKEY *key = load_key(kind, 1);
    X509 *cert = load_cert(kind, 1);
    struct work work = {key, X509_get0_pubkey(cert), false};
    ck_assert(sign_once(&work));
    unsigned before = count_requests("adopt");
    pid_t workers[THREADS];
    for (int i = 0; i < THREADS; i++)
        workers[i] = fork_worker(&work, prepare);
    for (int i = 0; i < ROUNDS; i++)
        ck_assert(sign_once(&work));
    for (int i = 0; i < THREADS; i++)
        assert_succeeds(workers[i]);
    ck_assert_uint_ge(count_requests("adopt"), before + THREADS);
    X509_free(cert);
    EVP_PKEY_free(key);
}

START_TEST(children_and_their_parent_sign_at_once)
{
    run_workers(_i, stay_as_we_are);
}
END_TEST

START_TEST(children_without_rights_or_path_sign)
{
    run_workers(_i, give_up_rights);
}
END_TEST

START_TEST(a_childs_child_signs)
{
    const struct kind *kind = begin_row(_i);
    EVP_PKEY *key = load_key(kind, 1);
    X509 *cert = load_cert(kind, 1);
    struct work work = {key, X509_get0_pubkey(cert), false};
    pid_t child = fork();
    if (child == 0) {
        if (!sign_once(&work))
            _exit(1);
        pid_t grandchild = fork_worker(&work, stay_as_we_are);
        int status = 0;
        _exit(waitpid(grandchild, &status, 0) == grandchild && status == 0 ? 0 : 1);
    }
    assert_succeeds(child);
    X509_free(cert);
    EVP_PKEY_free(key);
}
END_TEST

Suite *
processes_suite(void)
{
    Suite *suite = suite_create("processes");
    TCase *rows = tcase_create("threads and forks");
    tcase_set_timeout(rows, 120);
    tcase_add_loop_test(rows, threads_share_a_key, 0, ROWS);
    tcase_add_loop_test(rows, children_and_their_parent_sign_at_once, 0, ROWS);
    tcase_add_loop_test(rows, children_without_rights_or_path_sign, 0, ROWS);
    tcase_add_loop_test(rows, a_childs_child_signs, 0, ROWS);
    suite_add_tcase(suite, rows);
    return suite;
}
