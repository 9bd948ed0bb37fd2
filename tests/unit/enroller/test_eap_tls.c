/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* EAP-TLS with a server in memory: both versions of TLS, fragments, alerts, and what is out of
 * turn. */

#include "agent/enroller/eap-tls.h"

#include <check.h>
#include <openssl/err.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

#define ROUNDS_MAX 200

static EVP_PKEY *key;
static X509 *certificate;
static SSL_CTX *client_context, *server_context;
static SSL *server;
static SignetEapTls *peer;
static GByteArray *response; /* of the peer, the last one */
static guint8 identifier;
static guint fragment; /* of the server's messages */

static SSL_CTX *
context_new(const SSL_METHOD *method)
{
    SSL_CTX *context = SSL_CTX_new(method);

    ck_assert_int_eq(SSL_CTX_use_certificate(context, certificate), 1);
    ck_assert_int_eq(SSL_CTX_use_PrivateKey(context, key), 1);
    return context;
}

static void
setup(void)
{
    key = EVP_EC_gen("P-256");
    certificate = X509_new();
    X509_set_version(certificate, X509_VERSION_3);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_ASC,
                               (const guint8 *)"peer", -1, -1, 0);
    X509_set_issuer_name(certificate, X509_get_subject_name(certificate));
    X509_set_pubkey(certificate, key);
    X509_gmtime_adj(X509_getm_notBefore(certificate), -60);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
    ck_assert_int_gt(X509_sign(certificate, key, EVP_sha256()), 0);
    client_context = context_new(TLS_client_method());
    server_context = context_new(TLS_server_method());
    SSL_CTX_set_verify(server_context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    X509_STORE_add_cert(SSL_CTX_get_cert_store(server_context), certificate);
    response = g_byte_array_new();
    identifier = 40;
    fragment = 60000;
}

static void
teardown(void)
{
    g_clear_pointer(&peer, signet_eap_tls_free);
    SSL_free(server);
    SSL_CTX_free(client_context);
    SSL_CTX_free(server_context);
    X509_free(certificate);
    EVP_PKEY_free(key);
    g_byte_array_unref(response);
    ERR_clear_error();
}

static void
begin(int version)
{
    SSL_CTX_set_min_proto_version(server_context, version);
    SSL_CTX_set_max_proto_version(server_context, version);
    server = SSL_new(server_context);
    SSL_set_bio(server, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    SSL_set_accept_state(server);
    peer = signet_eap_tls_new(client_context, "user");
}

static GByteArray *
request_new(guint8 type, const guint8 *data, gsize size)
{
    GByteArray *packet = g_byte_array_new();
    guint length = 5 + (guint)size;
    const guint8 head[] = {1, ++identifier, (guint8)(length >> 8), (guint8)length, type};

    g_byte_array_append(packet, head, sizeof(head));
    g_byte_array_append(packet, data, (guint)size);
    return packet;
}

static gboolean
ask(guint8 type, const guint8 *data, gsize size)
{
    g_autoptr(GByteArray) packet = request_new(type, data, size);
    g_autoptr(GError) error = NULL;
    gboolean is_answered = signet_eap_tls_answer(peer, packet, response, &error);

    ck_assert(is_answered == (error == NULL));
    if (is_answered) {
        ck_assert_uint_eq(response->data[0], 2);
        ck_assert_uint_eq(response->data[1], identifier);
    }
    return is_answered;
}

static gboolean
ask_tls(guint8 flags, const char *data, gsize size)
{
    g_autoptr(GByteArray) body = g_byte_array_new();

    g_byte_array_append(body, &flags, 1);
    g_byte_array_append(body, (const guint8 *)data, (guint)size);
    return ask(13, body->data, body->len);
}

/* All of the peer's message to the server; how many fragments it came in. */
static guint
take_message(void)
{
    guint n = 1;

    for (;; n++) {
        guint8 flags = response->data[5];
        guint skip = flags & 0x80 ? 10 : 6;

        ck_assert_uint_le(response->len, 1400);
        if (response->len > skip)
            BIO_write(SSL_get_rbio(server), response->data + skip, (int)(response->len - skip));
        if (!(flags & 0x40))
            return n;
        ck_assert(ask_tls(0, NULL, 0));
    }
}

/* All of the server's message to the peer. */
static void
give_message(const char *data, gsize size)
{
    for (gsize at = 0; at == 0 || at < size; at += fragment) {
        gsize part = MIN(size - at, fragment);

        ck_assert(ask_tls(at + part < size ? 0x40 : 0, data + at, part));
    }
}

static guint most_fragments;

/* As an authenticator would, until the server is content or has failed, and the peer was told. */
static void
run(gboolean has_indication)
{
    gboolean is_told = FALSE;

    ck_assert(ask_tls(0x20, NULL, 0));
    for (guint round = 0; round < ROUNDS_MAX; round++) {
        char *data = NULL;
        guint n = take_message();
        int rc = SSL_do_handshake(server);

        most_fragments = MAX(most_fragments, n);
        if (rc == 1 && !is_told && has_indication) {
            is_told = TRUE;
            SSL_write(server, "\0", 1);
        }
        long size = BIO_get_mem_data(SSL_get_wbio(server), &data);
        g_autofree char *copy = g_memdup2(data, (gsize)size);
        (void)BIO_reset(SSL_get_wbio(server));
        ERR_clear_error();
        if (size == 0)
            return;
        give_message(copy, (gsize)size);
    }
    ck_abort_msg("it does not come to an end");
}

static const struct {
    int version;
    guint fragment;
} ways[] = {
    {TLS1_2_VERSION, 60000}, {TLS1_2_VERSION, 100}, {TLS1_2_VERSION, 7},
    {TLS1_3_VERSION, 60000}, {TLS1_3_VERSION, 100}, {TLS1_3_VERSION, 7},
};

START_TEST(a_server_that_trusts_is_convinced)
{
    fragment = ways[_i].fragment;
    begin(ways[_i].version);
    run(ways[_i].version == TLS1_3_VERSION);
    ck_assert(signet_eap_tls_is_complete(peer));
    ck_assert(signet_eap_tls_is_confirmed(peer));
    ck_assert_uint_eq(signet_eap_tls_get_failure(peer), 0);
    ck_assert_int_eq(SSL_is_init_finished(server), 1);
    ck_assert_ptr_nonnull(SSL_get0_peer_certificate(server));
}
END_TEST

START_TEST(an_alert_is_heard)
{
    X509_STORE *empty = X509_STORE_new();

    SSL_CTX_set_cert_store(server_context, empty);
    SSL_CTX_clear_extra_chain_certs(server_context);
    fragment = ways[_i].fragment;
    begin(ways[_i].version);
    run(FALSE);
    ck_assert_int_eq(ERR_GET_REASON(signet_eap_tls_get_failure(peer)),
                     SSL_R_TLSV1_ALERT_UNKNOWN_CA);
    ck_assert(!signet_eap_tls_is_confirmed(peer));
}
END_TEST

START_TEST(without_the_sign_of_rfc_9190_it_is_not_confirmed)
{
    begin(TLS1_3_VERSION);
    run(FALSE);
    ck_assert(signet_eap_tls_is_complete(peer));
    ck_assert(!signet_eap_tls_is_confirmed(peer));
}
END_TEST

START_TEST(a_server_that_is_not_trusted_is_told)
{
    SSL_CTX_set_verify(client_context, SSL_VERIFY_PEER, NULL);
    begin(ways[_i].version);
    run(FALSE);
    ck_assert(!signet_eap_tls_is_complete(peer));
    ck_assert_int_eq(ERR_GET_REASON(signet_eap_tls_get_failure(peer)),
                     SSL_R_CERTIFICATE_VERIFY_FAILED);
    ck_assert_ptr_null(SSL_get0_peer_certificate(server));
}
END_TEST

START_TEST(a_long_message_goes_in_fragments)
{
    for (guint i = 0; i < 60; i++)
        SSL_CTX_add1_chain_cert(client_context, certificate);
    SSL_CTX_set_max_cert_list(server_context, 1 << 20);
    begin(TLS1_2_VERSION);
    most_fragments = 0;
    run(FALSE);
    ck_assert_uint_gt(most_fragments, 10);
    ck_assert(signet_eap_tls_is_complete(peer));
}
END_TEST

START_TEST(other_requests_are_answered)
{
    begin(TLS1_3_VERSION);
    signet_eap_tls_begin(peer, response);
    ck_assert_uint_eq(response->len, 9);
    ck_assert_mem_eq(response->data + 4, "\1user", 5);
    ck_assert(ask(1, (const guint8 *)"who?", 4));
    ck_assert_mem_eq(response->data + 4, "\1user", 5);
    ck_assert(ask(2, (const guint8 *)"hello", 5));
    ck_assert_uint_eq(response->data[4], 2);
    ck_assert(ask(4, (const guint8 *)"md5", 3));
    ck_assert_mem_eq(response->data + 4, "\3\15", 2);
}
END_TEST

START_TEST(what_is_out_of_turn_is_refused)
{
    begin(TLS1_3_VERSION);
    ck_assert(!ask_tls(0, "x", 1)); /* without a start */
    ck_assert(ask_tls(0x20, NULL, 0));
    ck_assert(!ask_tls(0x20, NULL, 0)); /* twice */
}
END_TEST

START_TEST(an_acknowledgement_holds_nothing)
{
    for (guint i = 0; i < 60; i++)
        SSL_CTX_add1_chain_cert(client_context, certificate);
    begin(TLS1_2_VERSION);
    ck_assert(ask_tls(0x20, NULL, 0));
    take_message();
    SSL_do_handshake(server);
    char *data = NULL;
    long size = BIO_get_mem_data(SSL_get_wbio(server), &data);
    give_message(data, (gsize)size);
    ck_assert_uint_ne(response->data[5] & 0x40, 0);
    ck_assert(!ask_tls(0, "x", 1));
}
END_TEST

START_TEST(a_message_has_an_end)
{
    g_autofree char *data = g_malloc0(1000);
    guint n = 0;

    begin(TLS1_3_VERSION);
    ck_assert(ask_tls(0x20, NULL, 0));
    while (n < 200 && ask_tls(0x40, data, 1000))
        n++;
    ck_assert_uint_eq(n, 65);
    ck_assert(!ask_tls(0xc0, "\x7f\xff\xff\xff", 4));
}
END_TEST

static const char *const malformed[] = {
    "",
    "\1\1\0\4",          /* no type */
    "\1\1\0\6\15\x20x",  /* longer than it says */
    "\1\1\0\7\15\x20",   /* shorter */
    "\1\1\0\5\15",       /* no flags */
    "\1\1\0\7\15\x80\1", /* no length */
    "\2\1\0\6\15\x20",   /* a response */
    "\3\1\0\4",          /* success */
};
static const gsize malformed_sizes[] = {0, 4, 7, 6, 5, 7, 6, 4};

START_TEST(what_is_no_request_is_refused)
{
    g_autoptr(GByteArray) packet = g_byte_array_new();
    g_autoptr(GError) error = NULL;

    begin(TLS1_3_VERSION);
    g_byte_array_append(packet, (const guint8 *)malformed[_i], (guint)malformed_sizes[_i]);
    ck_assert(!signet_eap_tls_answer(peer, packet, response, &error));
    ck_assert(signet_error_is(error, SIGNET_ERROR_CORRUPT));
}
END_TEST

static void
add_tests(TCase *tests)
{
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_loop_test(tests, a_server_that_trusts_is_convinced, 0, G_N_ELEMENTS(ways));
    tcase_add_loop_test(tests, an_alert_is_heard, 0, G_N_ELEMENTS(ways));
    tcase_add_test(tests, without_the_sign_of_rfc_9190_it_is_not_confirmed);
    tcase_add_loop_test(tests, a_server_that_is_not_trusted_is_told, 0, G_N_ELEMENTS(ways));
    tcase_add_test(tests, a_long_message_goes_in_fragments);
    tcase_add_test(tests, other_requests_are_answered);
    tcase_add_test(tests, what_is_out_of_turn_is_refused);
    tcase_add_test(tests, an_acknowledgement_holds_nothing);
    tcase_add_test(tests, a_message_has_an_end);
    tcase_add_loop_test(tests, what_is_no_request_is_refused, 0, G_N_ELEMENTS(malformed));
}

int
main(void)
{
    Suite *suite = suite_create("enroller/eap-tls");
    TCase *tests = tcase_create("eap-tls");
    SRunner *runner = srunner_create(suite);

    add_tests(tests);
    suite_add_tcase(suite, tests);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
