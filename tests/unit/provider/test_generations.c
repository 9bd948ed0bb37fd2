/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* A rotation between a program's reading of the certificate and of the key. */

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/provider/common.h"
#include "tests/unit/provider/handshake.h"

static unsigned
questions(const struct kind *kind)
{
    char prefix[64];
    snprintf(prefix, sizeof(prefix), "lookup %s 0 spki", kind->name);
    return count_requests(prefix);
}

START_TEST(a_key_stays_with_its_generation)
{
    const struct kind *kind = begin_row(_i);
    unsigned before = questions(kind);
    for (unsigned generation = 1; generation <= 2; generation++) {
        EVP_PKEY *key = load_key(kind, generation);
        X509 *cert = load_cert(kind, generation);
        ck_assert_int_eq(X509_check_private_key(cert, key), 1);
        assert_signs(key, kind, generation);
        X509_free(cert);
        EVP_PKEY_free(key);
    }
    ck_assert_uint_eq(questions(kind), before);
}
END_TEST

START_TEST(a_key_follows_the_certificate_it_is_compared_with)
{
    const struct kind *kind = begin_row(_i);
    for (unsigned read = 1; read <= 2; read++) {
        unsigned other = 3 - read, before = questions(kind);
        EVP_PKEY *key = load_key(kind, read);
        X509 *cert = load_cert(kind, other);
        ck_assert_int_eq(X509_check_private_key(cert, key), 1);
        ck_assert_int_eq(X509_check_private_key(cert, key), 1);
        assert_no_errors();
        ck_assert_uint_eq(questions(kind), before + 1);
        assert_signs(key, kind, other);
        /* its reference, written back, is that of the generation it now is */
        size_t size;
        unsigned char *reference = read_file(live(kind, other, "key.der"), &size), *der = NULL;
        ck_assert_int_eq(i2d_PrivateKey(key, &der), (int)size);
        ck_assert_mem_eq(der, reference, size);
        OPENSSL_free(der);
        free(reference);
        X509_free(cert);
        EVP_PKEY_free(key);
    }
}
END_TEST

START_TEST(a_key_follows_once_and_asks_once)
{
    const struct kind *kind = begin_row(_i);
    EVP_PKEY *key = load_key(kind, 1);
    X509 *first = load_cert(kind, 1), *second = load_cert(kind, 2);
    unsigned before = questions(kind);
    ck_assert_int_eq(X509_check_private_key(second, key), 1);
    ck_assert_int_eq(X509_check_private_key(first, key), 0);
    ck_assert_int_eq(X509_check_private_key(second, key), 1);
    ck_assert_uint_eq(questions(kind), before + 1);
    assert_signs(key, kind, 2);
    X509_free(first);
    X509_free(second);
    EVP_PKEY_free(key);
}
END_TEST

/* A server that takes a new certificate into its context has connections that began with the old
 * one. */
START_TEST(a_key_that_has_its_certificate_follows_no_other)
{
    const struct kind *kind = begin_row(_i);
    EVP_PKEY *key = load_key(kind, 1);
    X509 *first = load_cert(kind, 1), *second = load_cert(kind, 2);
    unsigned before = questions(kind);
    ck_assert_int_eq(X509_check_private_key(first, key), 1);
    ck_assert_int_eq(X509_check_private_key(second, key), 0);
    ck_assert_int_eq(X509_check_private_key(first, key), 1);
    ck_assert_uint_eq(questions(kind), before);
    assert_signs(key, kind, 1);
    X509_free(first);
    X509_free(second);
    EVP_PKEY_free(key);
}
END_TEST

START_TEST(a_stranger_is_refused_after_one_question)
{
    const struct kind *kind = begin_row(_i);
    EVP_PKEY *key = load_key(kind, 1), *stranger = generate_like(kind);
    X509 *cert = load_cert(kind, 1);
    ck_assert_int_eq(X509_set_pubkey(cert, stranger), 1);
    unsigned before = questions(kind);
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(X509_check_private_key(cert, key), 0);
    ck_assert_uint_eq(questions(kind), before + 1);
    assert_signs(key, kind, 1);
    X509_free(cert);
    EVP_PKEY_free(stranger);
    EVP_PKEY_free(key);
}
END_TEST

START_TEST(another_kind_of_key_is_refused_without_a_question)
{
    const struct kind *kind = begin_row(_i), *other = &kinds[(_i + 1) % KINDS];
    EVP_PKEY *key = load_key(kind, 1);
    X509 *cert = load_cert(other, 1);
    unsigned before = count_requests("");
    ck_assert_int_eq(X509_check_private_key(cert, key), 0);
    ck_assert_uint_eq(count_requests(""), before);
    X509_free(cert);
    EVP_PKEY_free(key);
}
END_TEST

/* Another identity's certificate with a key of the same kind is a mismatch, too. */
START_TEST(another_identity_is_refused)
{
    const struct kind *kind = begin_row(_i * KINDS);
    static const struct kind other = {"other", "ec:P-256", false, 256, EVP_PKEY_EC};
    EVP_PKEY *key = load_key(kind, 1);
    X509 *cert = load_cert(&other, 1);
    ck_assert_int_eq(X509_check_private_key(cert, key), 0);
    assert_signs(key, kind, 1);
    X509_free(cert);
    EVP_PKEY_free(key);
}
END_TEST

/* certificate of one generation, key of the other, loaded in this order or that */
START_TEST(a_program_caught_by_a_rotation_does_tls)
{
    const struct kind *kind = begin_row(_i);
    for (int i = 0; i < 4; i++) {
        unsigned cert = 1 + (unsigned)i % 2, key = 3 - cert;
        bool key_first = i / 2 == 1;
        SSL_CTX *ends[2];
        for (int end = 0; end < 2; end++) {
            ends[end] = handshake_context(end == 0 ? TLS_server_method() : TLS_client_method());
            for (int step = 0; step < 2; step++) {
                if ((step == 0) == key_first)
                    ck_assert_int_eq(SSL_CTX_use_PrivateKey_file(
                                         ends[end], live(kind, key, "key.pem"), SSL_FILETYPE_PEM),
                                     1);
                else
                    ck_assert_int_eq(SSL_CTX_use_certificate_chain_file(
                                         ends[end], live(kind, cert, "fullchain.pem")),
                                     1);
            }
            ck_assert_int_eq(SSL_CTX_check_private_key(ends[end]), 1);
        }
        struct handshake handshake = {
            .version = TLS1_3_VERSION, .server = ends[0], .client = ends[1]};
        ck_assert(handshake_run(&handshake));
        SSL_CTX_free(ends[0]);
        SSL_CTX_free(ends[1]);
    }
}
END_TEST

struct comparison {
    EVP_PKEY *key;
    X509 *cert;
    int result;
};

static void *
compare(void *argument)
{
    struct comparison *c = argument;
    c->result = X509_check_private_key(c->cert, c->key);
    return NULL;
}

START_TEST(threads_that_compare_at_once_all_get_the_answer)
{
    const struct kind *kind = begin_row(_i);
    EVP_PKEY *key = load_key(kind, 1);
    unsigned before = questions(kind);
    struct comparison comparisons[8];
    pthread_t threads[8];
    for (int i = 0; i < 8; i++) {
        comparisons[i] = (struct comparison) {key, load_cert(kind, 2), 0};
        ck_assert_int_eq(pthread_create(&threads[i], NULL, compare, &comparisons[i]), 0);
    }
    for (int i = 0; i < 8; i++) {
        pthread_join(threads[i], NULL);
        ck_assert_int_eq(comparisons[i].result, 1);
        X509_free(comparisons[i].cert);
    }
    ck_assert_uint_eq(questions(kind), before + 1);
    EVP_PKEY_free(key);
}
END_TEST

Suite *
generations_suite(void)
{
    Suite *suite = suite_create("generations");
    TCase *rows = tcase_create("rotation race");
    tcase_set_timeout(rows, 60);
    tcase_add_loop_test(rows, a_key_stays_with_its_generation, 0, ROWS);
    tcase_add_loop_test(rows, a_key_follows_the_certificate_it_is_compared_with, 0, ROWS);
    tcase_add_loop_test(rows, a_key_follows_once_and_asks_once, 0, ROWS);
    tcase_add_loop_test(rows, a_key_that_has_its_certificate_follows_no_other, 0, ROWS);
    tcase_add_loop_test(rows, a_stranger_is_refused_after_one_question, 0, ROWS);
    tcase_add_loop_test(rows, another_kind_of_key_is_refused_without_a_question, 0, ROWS);
    tcase_add_loop_test(rows, another_identity_is_refused, 0, ORDERS);
    tcase_add_loop_test(rows, a_program_caught_by_a_rotation_does_tls, 0, ROWS);
    tcase_add_loop_test(rows, threads_that_compare_at_once_all_get_the_answer, 0, ROWS);
    suite_add_tcase(suite, rows);
    return suite;
}
