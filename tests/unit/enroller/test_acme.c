/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* What ACME servers say, and what is said to whoever asks for http-01. */

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/error.h"
#include "agent/enroller/acme-order.h"
#include "agent/enroller/acme-read.h"
#include "agent/enroller/attestation.h"
#include "agent/enroller/jose.h"
#include "agent/enroller/responder.h"

static GBytes *
bytes_of(const char *text)
{
    return g_bytes_new_static(text, strlen(text));
}

#define ORDER(rest)                                                                                \
    "{\"status\":\"pending\",\"finalize\":\"https://ca/f\",\"authorizations\":[\"https://ca/a\"]," \
    "\"identifiers\":[{\"type\":\"dns\",\"value\":\"a.example\"}]" rest "}"

START_TEST(an_order_is_read)
{
    g_auto(SignetAcmeOrder) order = {0};
    g_autoptr(GBytes) json = bytes_of(
        ORDER(",\"error\":{\"type\":\"urn:ietf:params:acme:error:rejectedIdentifier\","
              "\"detail\":\"no\\nsuch\",\"subproblems\":[{\"type\":\"x\",\"detail\":\"caa\","
              "\"identifier\":{\"type\":\"dns\",\"value\":\"a.example\"}}]}"));

    ck_assert(signet_acme_order_read(&order, json, NULL));
    ck_assert_int_eq(order.status, SIGNET_ACME_PENDING);
    ck_assert_str_eq(order.identifiers[0], "dns:a.example");
    ck_assert_str_eq(order.authorizations[0], "https://ca/a");
    ck_assert_str_eq(order.problem, "rejectedIdentifier: no such; a.example: x: caa");
}
END_TEST

static const char *const bad_orders[] = {
    "",
    "[]",
    "{}",
    "null",
    "{\"status\":\"pending\"}",
    ORDER("") "x",
    ORDER(",\"status\":\"valid\""),
    "{\"status\":\"valid\",\"finalize\":\"https://ca/f\",\"authorizations\":[\"https://ca/a\"],"
    "\"identifiers\":[{\"type\":\"dns\",\"value\":\"a\"}]}",
    "{\"status\":\"mad\",\"finalize\":\"https://ca/f\",\"authorizations\":[\"https://ca/a\"],"
    "\"identifiers\":[{\"type\":\"dns\",\"value\":\"a\"}]}",
    "{\"status\":\"ready\",\"finalize\":\"https://ca/ f\",\"authorizations\":[\"https://ca/a\"],"
    "\"identifiers\":[{\"type\":\"dns\",\"value\":\"a\"}]}",
    "{\"status\":\"ready\",\"finalize\":\"https://ca/f\",\"authorizations\":[],"
    "\"identifiers\":[{\"type\":\"dns\",\"value\":\"a\"}]}",
    "{\"status\":\"ready\",\"finalize\":\"https://ca/f\",\"authorizations\":[7],"
    "\"identifiers\":[{\"type\":\"dns\",\"value\":\"a\"}]}",
};

START_TEST(a_malformed_order_is_none)
{
    g_auto(SignetAcmeOrder) order = {0};
    g_autoptr(GBytes) json = bytes_of(bad_orders[_i]);
    g_autoptr(GError) error = NULL;

    ck_assert(!signet_acme_order_read(&order, json, &error));
    ck_assert(signet_error_is(error, SIGNET_ERROR_CORRUPT));
}
END_TEST

static const struct {
    const char *token;
    gboolean is_good;
} tokens[] = {{"abc-_9", TRUE}, {"../x", FALSE}, {"a b", FALSE}, {"a.b", FALSE}, {"a/b", FALSE}};

START_TEST(a_token_is_no_path)
{
    g_auto(SignetAcmeAuthorization) authorization = {0};
    g_autofree char *text = g_strdup_printf(
        "{\"status\":\"pending\",\"identifier\":{\"type\":\"dns\",\"value\":\"a\"},\"challenges\":["
        "{\"type\":\"http-01\",\"url\":\"https://ca/c\",\"status\":\"pending\",\"token\":\"%s\"}]}",
        tokens[_i].token);
    g_autoptr(GBytes) json = bytes_of(text);

    ck_assert_int_eq(signet_acme_authorization_read(&authorization, json, NULL),
                     tokens[_i].is_good);
    if (tokens[_i].is_good)
        ck_assert_str_eq(signet_acme_authorization_find(&authorization, "http-01")->token,
                         tokens[_i].token);
}
END_TEST

START_TEST(a_problem_that_is_none_has_no_words)
{
    g_auto(SignetAcmeProblem) problem = {0};
    g_autoptr(GBytes) json = bytes_of("<html>");

    signet_acme_problem_read(&problem, json);
    ck_assert_str_eq(problem.type, "");
    ck_assert_str_eq(problem.words, "");
}
END_TEST

START_TEST(a_window_begins_before_it_ends)
{
    gint64 start_s = 0, end_s = 0;
    g_autoptr(GBytes) good = bytes_of("{\"suggestedWindow\":{\"start\":\"2025-01-02T04:00:00Z\","
                                      "\"end\":\"2025-01-03T04:00:00+02:00\"}}");
    g_autoptr(GBytes) bad = bytes_of("{\"suggestedWindow\":{\"start\":\"2025-01-04T04:00:00Z\","
                                     "\"end\":\"2025-01-03T04:00:00Z\"}}");

    ck_assert(signet_acme_window_read(good, &start_s, &end_s, NULL, NULL));
    ck_assert_int_eq(start_s, 1735790400);
    ck_assert_int_eq(end_s, 1735869600);
    ck_assert(!signet_acme_window_read(bad, &start_s, &end_s, NULL, NULL));
}
END_TEST

START_TEST(a_certificate_is_named_as_rfc_9773_does)
{
    static const guint8 key_id[] = {0x69, 0x88, 0x5b, 0x6b, 0x87, 0x46, 0x40, 0x41, 0xe1, 0xb3,
                                    0x7b, 0x84, 0x7b, 0xa0, 0xae, 0x2c, 0xde, 0x01, 0xc8, 0xd4};
    g_autoptr(X509) certificate = X509_new();
    g_autoptr(X509) other = X509_new();
    g_autoptr(AUTHORITY_KEYID) id = AUTHORITY_KEYID_new();

    ck_assert_ptr_null(signet_acme_certificate_id(other));
    X509_set_version(certificate, X509_VERSION_3);
    id->keyid = ASN1_OCTET_STRING_new();
    ASN1_OCTET_STRING_set(id->keyid, key_id, sizeof(key_id));
    X509_add1_ext_i2d(certificate, NID_authority_key_identifier, id, 0, X509V3_ADD_APPEND);
    ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate), 0x87654321);
    g_autofree char *text = signet_acme_certificate_id(certificate);
    ck_assert_str_eq(text, "aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE");
}
END_TEST

START_TEST(numbers_of_a_signature_keep_their_length)
{
    static const guint8 der[] = {0x30, 0x07, 0x02, 0x01, 0x05, 0x02, 0x02, 0x00, 0x80};
    g_autoptr(GBytes) both = signet_jose_unwrap_ecdsa(der, sizeof(der), 2);

    ck_assert_mem_eq(g_bytes_get_data(both, NULL), "\x00\x05\x00\x80", 4);
    ck_assert_ptr_null(signet_jose_unwrap_ecdsa(der, sizeof(der) - 1, 2));
    ck_assert_ptr_null(signet_jose_unwrap_ecdsa((const guint8 *)"\x30\x08\x02\x02\x01\x05\x02\x02"
                                                                "\x00\x80",
                                                10, 1));
}
END_TEST

static const struct {
    const char *request;
    const char *answer;
} visits[] = {
    {"GET /.well-known/acme-challenge/tok HTTP/1.1\r\n\r\n", "tok.print"},
    {"GET /.well-known/acme-challenge/other HTTP/1.1\r\n\r\n", NULL},
    {"GET /.well-known/acme-challenge/tok", NULL},
    {"GET /.well-known/acme-challenge/", NULL},
    {"GET /.well-known/acme-challenge/tok/.. HTTP/1.1\r\n\r\n", NULL},
    {"POST /.well-known/acme-challenge/tok HTTP/1.1\r\n\r\n", NULL},
    {"GET / HTTP/1.1\r\n\r\n", NULL},
    {"", NULL},
};

START_TEST(whoever_asks_gets_the_proof_and_nothing_else)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(SignetResponder) responder = signet_responder_new(0, &error);

    ck_assert_msg(responder != NULL, "%s", error ? error->message : "");
    signet_responder_add(responder, "tok", "tok.print");
    g_autofree char *answer =
        signet_responder_answer(responder, visits[_i].request, strlen(visits[_i].request));
    ck_assert_pstr_eq(answer, visits[_i].answer);
}
END_TEST

/* RFC 8949 by hand: {"fmt": "tpm", "attStmt": {"alg": -7, "sig": …, "ver": "2.0", "x5c": [], …}} */
START_TEST(evidence_is_written_in_cbor)
{
    static const guint8 signature[] = {0, 0x18, 0, 0x0b, 0x2a};
    static const char head[] = "\xa2\x63"
                               "fmt\x63tpm\x67"
                               "attStmt\xa6\x63"
                               "alg\x26\x63sig\x45";
    g_autoptr(X509) certificate = X509_new();
    g_autoptr(EVP_PKEY) key = EVP_EC_gen("P-256");
    guint8 *der = NULL;

    X509_gmtime_adj(X509_getm_notBefore(certificate), 0);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 60);
    X509_set_pubkey(certificate, key);
    X509_sign(certificate, key, EVP_sha256());
    int size = i2d_X509(certificate, &der);
    g_auto(SignetLinkEvidence) evidence = {.attestation = g_bytes_new("att", 3),
                                           .signature = g_bytes_new(signature, sizeof signature),
                                           .key = g_bytes_new("key", 3),
                                           .chain = g_bytes_new(der, (gsize)MAX(size, 0))};
    g_autoptr(GError) error = NULL;
    g_autoptr(GBytes) object = signet_attestation_encode(&evidence, &error);
    gsize length = 0;

    OPENSSL_free(der);
    ck_assert_msg(object != NULL, "%s", error ? error->message : "");
    const char *data = g_bytes_get_data(object, &length);
    ck_assert_mem_eq(data, head, sizeof head - 1);
    ck_assert_mem_eq(data + length - 13,
                     "\x68"
                     "certInfo\x43"
                     "att",
                     13);
}
END_TEST

static const struct {
    const char *signature;
    const char *chain;
    SignetErrorKind kind;
} unwritable[] = {
    {"\x18", "", SIGNET_ERROR_POLICY},
    {"\x18", "no certificate", SIGNET_ERROR_CORRUPT},
};

START_TEST(what_is_no_evidence_is_not_written)
{
    g_auto(SignetLinkEvidence) evidence = {
        .attestation = bytes_of("att"),
        .signature = bytes_of(unwritable[_i].signature),
        .key = bytes_of("key"),
        .chain = bytes_of(unwritable[_i].chain),
    };
    g_autoptr(GError) error = NULL;

    ck_assert_ptr_null(signet_attestation_encode(&evidence, &error));
    ck_assert_msg(signet_error_is(error, unwritable[_i].kind), "%s", error->message);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("acme");
    TCase *tcase = tcase_create("answers");

    tcase_add_test(tcase, an_order_is_read);
    tcase_add_loop_test(tcase, a_malformed_order_is_none, 0, G_N_ELEMENTS(bad_orders));
    tcase_add_loop_test(tcase, a_token_is_no_path, 0, G_N_ELEMENTS(tokens));
    tcase_add_test(tcase, a_problem_that_is_none_has_no_words);
    tcase_add_test(tcase, a_window_begins_before_it_ends);
    tcase_add_test(tcase, evidence_is_written_in_cbor);
    tcase_add_loop_test(tcase, what_is_no_evidence_is_not_written, 0, G_N_ELEMENTS(unwritable));
    tcase_add_test(tcase, a_certificate_is_named_as_rfc_9773_does);
    tcase_add_test(tcase, numbers_of_a_signature_keep_their_length);
    tcase_add_loop_test(tcase, whoever_asks_gets_the_proof_and_nothing_else, 0,
                        G_N_ELEMENTS(visits));
    suite_add_tcase(suite, tcase);

    SRunner *runner = srunner_create(suite);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
