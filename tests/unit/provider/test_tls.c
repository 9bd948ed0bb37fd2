/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Mutual TLS with our keys at either end, at both, and at neither. */

#include <string.h>

#include "tests/unit/provider/common.h"
#include "tests/unit/provider/handshake.h"

static SSL_CTX *
context_with(const SSL_METHOD *method, const struct kind *kind)
{
    SSL_CTX *context = handshake_context(method);
    ck_assert_int_eq(SSL_CTX_use_certificate_chain_file(context, live(kind, 1, "fullchain.pem")),
                     1);
    ck_assert_int_eq(
        SSL_CTX_use_PrivateKey_file(context, live(kind, 1, "key.pem"), SSL_FILETYPE_PEM), 1);
    return context;
}

/* rows: order, server's kind, client's kind, version */
#define HANDSHAKES (ORDERS * KINDS * KINDS * 2)

START_TEST(both_ends_hold_keys_of_the_agent)
{
    int order = _i % 2, version = _i / 2 % 2;
    begin_row(order * KINDS);
    const struct kind *server = &kinds[_i / 4 % KINDS], *client = &kinds[_i / 4 / KINDS];
    struct handshake handshake = {.version = version == 0 ? TLS1_2_VERSION : TLS1_3_VERSION,
                                  .server = context_with(TLS_server_method(), server),
                                  .client = context_with(TLS_client_method(), client)};
    unsigned before = count_requests("sign-message");
    ck_assert(handshake_run(&handshake));
    ck_assert_uint_eq(count_requests("sign-message"), before + 2);
    ck_assert_uint_eq(ERR_peek_error(), 0);
    SSL_CTX_free(handshake.server);
    SSL_CTX_free(handshake.client);
}
END_TEST

/* P-256 always, since TLS 1.2 also asks for the certificate's curve among the groups */
static const char *const groups[] = {"P-256", "P-384:P-256", "P-521:P-256", "X25519:P-256"};

START_TEST(every_group_can_be_agreed_on)
{
    const struct kind *kind = begin_row(_i % 2 * KINDS + (_i / 4 % 2) * 3);
    struct handshake handshake = {.version = _i / 2 % 2 == 0 ? TLS1_2_VERSION : TLS1_3_VERSION,
                                  .groups = groups[_i / 8],
                                  .server = context_with(TLS_server_method(), kind),
                                  .client = context_with(TLS_client_method(), kind)};
    unsigned before = count_requests("derive");
    ck_assert(handshake_run(&handshake));
    ck_assert_uint_eq(count_requests("derive"), before);
    SSL_CTX_free(handshake.server);
    SSL_CTX_free(handshake.client);
}
END_TEST

/* It would make the agent a decryption oracle for whoever can connect. */
START_TEST(rsa_key_exchange_is_refused_before_the_agent_hears_of_it)
{
    begin_row(_i * KINDS);
    struct handshake handshake = {.version = TLS1_2_VERSION,
                                  .ciphers = "kRSA",
                                  .server = context_with(TLS_server_method(), &kinds[3]),
                                  .client = context_with(TLS_client_method(), &kinds[0])};
    unsigned before = count_requests("decrypt rsa");
    ck_assert(!handshake_run(&handshake));
    ck_assert_uint_eq(count_requests("decrypt rsa"), before);
    SSL_CTX_free(handshake.server);
    SSL_CTX_free(handshake.client);
}
END_TEST

START_TEST(a_server_may_hold_an_ec_and_an_rsa_key)
{
    begin_row(_i * KINDS);
    SSL_CTX *server = context_with(TLS_server_method(), &kinds[0]);
    ck_assert_int_eq(
        SSL_CTX_use_certificate_chain_file(server, live(&kinds[3], 1, "fullchain.pem")), 1);
    ck_assert_int_eq(
        SSL_CTX_use_PrivateKey_file(server, live(&kinds[3], 1, "key.pem"), SSL_FILETYPE_PEM), 1);
    SSL_CTX *client = context_with(TLS_client_method(), &kinds[1]);
    static const char *const ciphers[] = {"ECDHE-ECDSA-AES128-GCM-SHA256",
                                          "ECDHE-RSA-AES128-GCM-SHA256"};
    for (int i = 0; i < 2; i++) {
        struct handshake handshake = {
            .version = TLS1_2_VERSION, .ciphers = ciphers[i], .server = server, .client = client};
        ck_assert(handshake_run(&handshake));
    }
    SSL_CTX_free(server);
    SSL_CTX_free(client);
}
END_TEST

Suite *
tls_suite(void)
{
    Suite *suite = suite_create("tls");
    TCase *rows = tcase_create("handshakes");
    tcase_set_timeout(rows, 60);
    tcase_add_loop_test(rows, both_ends_hold_keys_of_the_agent, 0, HANDSHAKES);
    tcase_add_loop_test(rows, every_group_can_be_agreed_on, 0, 32);
    tcase_add_loop_test(rows, rsa_key_exchange_is_refused_before_the_agent_hears_of_it, 0, ORDERS);
    tcase_add_loop_test(rows, a_server_may_hold_an_ec_and_an_rsa_key, 0, ORDERS);
    suite_add_tcase(suite, rows);
    return suite;
}
