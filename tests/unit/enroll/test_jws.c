/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* What the key of an ACME account may sign. */

#include <check.h>
#include <openssl/param_build.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/error.h"
#include "agent/enroll/base64url.h"
#include "agent/enroll/job.h"
#include "agent/enroll/jwk.h"
#include "agent/enroll/origin.h"
#include "tests/unit/enroll/authority.h"

static Authority *authority;

static void
set_up(void)
{
    authority = authority_new();
}

static void
tear_down(void)
{
    authority_free(authority);
}

static void
free_der(gpointer der)
{
    OPENSSL_free(der);
}

static EVP_PKEY *
make_rsa_key(GBytes *modulus)
{
    OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
    BIGNUM *n = BN_bin2bn(g_bytes_get_data(modulus, NULL), (int)g_bytes_get_size(modulus), NULL);
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
    EVP_PKEY *key = NULL;

    OSSL_PARAM_BLD_push_BN(build, "n", n);
    OSSL_PARAM_BLD_push_uint32(build, "e", 65537);
    OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(build);
    ck_assert(EVP_PKEY_fromdata_init(ctx) > 0 &&
              EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params) > 0);
    OSSL_PARAM_free(params);
    OSSL_PARAM_BLD_free(build);
    EVP_PKEY_CTX_free(ctx);
    BN_free(n);
    return key;
}

static SignetJobRequest
acme_request(void)
{
    static const char *const dns[] = {"a.example", "B.example", NULL};
    static const char *const ip[] = {"192.0.2.1", NULL};
    SignetJobRequest request = authority_request(authority);

    request.protocol = "acme";
    request.ca_identity = NULL;
    request.ca_certificate = NULL;
    request.dns = dns;
    request.ip = ip;
    request.remote =
        (SignetJobRemote) {.url = "https://ca.example/dir", .account_identity = "acme.ca"};
    return request;
}

static GBytes *
make_jws(const char *header, const char *payload)
{
    g_autofree char *head = signet_base64url_encode(header, strlen(header));
    g_autofree char *body = signet_base64url_encode(payload, strlen(payload));
    char *text = g_strconcat(head, ".", body, NULL);

    return g_bytes_new_take(text, strlen(text));
}

/* words: NULL: it is allowed. */
static void
check_message(const char *identity, GBytes *message, const char *words)
{
    SignetJobRequest request = acme_request();
    g_autoptr(SignetJob) job = signet_job_new(&request);
    g_autoptr(GError) error = NULL;
    gboolean is_allowed = signet_job_allows(job, identity, 3, 0, message, AUTHORITY_NOW_S, &error);

    ck_assert_msg(is_allowed == !words, "%s", error ? error->message : "it was allowed");
    if (words)
        ck_assert_msg(strstr(error->message, words) != NULL, "%s", error->message);
}

#define HEAD(rest) \
    "{\"alg\":\"ES256\",\"nonce\":\"n\",\"url\":\"https://ca.example/order\"" rest "}"
#define GOOD_HEAD HEAD(",\"kid\":\"https://ca.example/acct/1\"")
#define WITH_URL(u) \
    "{\"alg\":\"ES256\",\"nonce\":\"n\",\"kid\":\"https://ca.example/1\",\"url\":\"" u "\"}"

static const struct {
    const char *header;
    const char *payload;
    const char *words;
} messages[] = {
    {GOOD_HEAD, "", NULL},
    {GOOD_HEAD, "{}", NULL},
    {HEAD(",\"jwk\":{}"), "{\"termsOfServiceAgreed\":true,\"contact\":[\"mailto:a@b\"]}", NULL},
    {GOOD_HEAD, "{\"identifiers\":[{\"type\":\"dns\",\"value\":\"b.example\"}]}", NULL},
    {GOOD_HEAD, "{\"identifiers\":[{\"type\":\"ip\",\"value\":\"192.0.2.1\"}],\"replaces\":\"x\"}",
     NULL},
    {WITH_URL("https://CA.example:443/x"), "", NULL},
    /* names that nobody asked for */
    {GOOD_HEAD, "{\"identifiers\":[{\"type\":\"dns\",\"value\":\"evil.example\"}]}",
     "it orders 'evil.example'"},
    {GOOD_HEAD, "{\"identifiers\":[{\"type\":\"ip\",\"value\":\"a.example\"}]}", "it orders"},
    {GOOD_HEAD, "{\"identifiers\":[{\"type\":\"email\",\"value\":\"a.example\"}]}", "it orders"},
    {GOOD_HEAD, "{\"identifiers\":[\"a.example\"]}", "malformed"},
    /* what ends or changes an account, or a certificate */
    {GOOD_HEAD, "{\"status\":\"deactivated\"}", "'status' that no job needs"},
    {GOOD_HEAD, "{\"certificate\":\"MA\",\"reason\":1}", "that no job needs"},
    {GOOD_HEAD, "{\"protected\":\"e30\",\"payload\":\"e30\",\"signature\":\"AA\"}", "no job needs"},
    {GOOD_HEAD, "{\"account\":\"https://ca.example/1\",\"oldKey\":{}}", "that no job needs"},
    {GOOD_HEAD, "{\"csr\":\"MAA\"}", "its 'csr' is no request"},
    {GOOD_HEAD, "{\"csr\":5}", "that no job needs"},
    /* other servers */
    {WITH_URL("https://ca.example.evil/x"), "", "not for the job's CA"},
    {WITH_URL("https://ca.example:444/x"), "", "not for the job's CA"},
    {WITH_URL("http://ca.example/x"), "", "not for the job's CA"},
    {WITH_URL("https://u@ca.example/x"), "", "not for the job's CA"},
    {WITH_URL("https://evil\\\\@ca.example/x"), "", "not for the job's CA"},
    {HEAD(",\"kid\":\"https://evil.example/1\""), "", "not for the job's CA"},
    /* no request of ACME */
    {HEAD(""), "", "either a 'kid' or a 'jwk'"},
    {HEAD(",\"jwk\":{},\"kid\":\"https://ca.example/1\""), "", "either a 'kid' or a 'jwk'"},
    {HEAD(",\"kid\":\"https://ca.example/1\",\"b64\":false"), "", "'b64' that no job needs"},
    {"{\"alg\":\"ES256\",\"url\":\"https://ca.example/\"}", "", "no 'nonce'"},
    {"{\"alg\":\"RS256\",\"alg\":\"ES256\"}", "", "not an object"},
    {"[]", "", "not an object"},
    {GOOD_HEAD, "[]", "not an object"},
    {GOOD_HEAD, "{\"onlyReturnExisting\":true} x", "not an object"},
};

START_TEST(an_account_orders_what_the_job_is_for_and_does_nothing_else)
{
    g_autoptr(GBytes) message = make_jws(messages[_i].header, messages[_i].payload);

    check_message("acme.ca", message, messages[_i].words);
}
END_TEST

/* A job that proves a device by evidence. */
START_TEST(a_permanent_identifier_is_ordered_where_the_job_has_it)
{
    static const struct {
        const char *payload;
        const char *permanent;
        gboolean is_allowed;
    } rows[] = {
        {"{\"identifiers\":[{\"type\":\"permanent-identifier\",\"value\":\"serial-7\"}]}",
         "serial-7", TRUE},
        {"{\"identifiers\":[{\"type\":\"permanent-identifier\",\"value\":\"serial-7\"}]}", NULL,
         FALSE},
        {"{\"identifiers\":[{\"type\":\"permanent-identifier\",\"value\":\"serial-8\"}]}",
         "serial-7", FALSE},
        {"{\"identifiers\":[{\"type\":\"permanent-identifier\",\"value\":\"a.example\"}]}",
         "serial-7", FALSE},
        {"{\"attObj\":\"oA\"}", "serial-7", TRUE},
        {"{\"attObj\":\"oA\"}", NULL, FALSE},
    };
    SignetJobRequest request = acme_request();
    g_autoptr(GBytes) message = make_jws(GOOD_HEAD, rows[_i].payload);

    request.permanent = rows[_i].permanent;
    g_autoptr(SignetJob) job = signet_job_new(&request);
    ck_assert_int_eq(signet_job_allows(job, "acme.ca", 3, 0, message, AUTHORITY_NOW_S, NULL),
                     rows[_i].is_allowed);
}
END_TEST

START_TEST(evidence_is_for_a_job_that_needs_it_and_a_few_times)
{
    SignetJobRequest request = acme_request();
    g_autoptr(SignetJob) without = signet_job_new(&request);
    g_autoptr(GError) error = NULL;
    guint n = 0;

    ck_assert(!signet_job_allows_certification(without, &error));
    ck_assert(signet_error_is(error, SIGNET_ERROR_DENIED));
    request.permanent = "serial-7";
    g_autoptr(SignetJob) job = signet_job_new(&request);
    while (n < 100 && signet_job_allows_certification(job, NULL))
        n++;
    ck_assert_uint_eq(n, 8);
    request.protocol = "est";
    g_autoptr(SignetJob) other = signet_job_new(&request);
    ck_assert(!signet_job_allows_certification(other, NULL));
}
END_TEST

/* RFC 7638 3.1 has an RSA key and its thumbprint; the rest is SHA-256 of a text. */
START_TEST(evidence_is_made_for_one_account)
{
    static const char modulus[] =
        "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_"
        "BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_"
        "FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI"
        "4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw";
    static const char wanted[] = "tok.NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs";
    g_autoptr(GBytes) n = signet_base64url_decode(modulus, strlen(modulus));
    g_autoptr(EVP_PKEY) key = make_rsa_key(n);
    guint8 *der = NULL;
    int size = i2d_PUBKEY(key, &der);
    g_autoptr(GBytes) spki = g_bytes_new_with_free_func(der, (gsize)size, free_der, der);
    g_autoptr(GBytes) digest = signet_jwk_digest_authorization(spki, "tok", NULL);
    guint8 expected[32];

    ck_assert(EVP_Q_digest(NULL, "SHA256", NULL, wanted, strlen(wanted), expected, NULL));
    ck_assert_mem_eq(g_bytes_get_data(digest, NULL), expected, sizeof expected);
    ck_assert_ptr_null(signet_jwk_digest_authorization(spki, "", NULL));
    ck_assert_ptr_null(signet_jwk_digest_authorization(spki, "a.b", NULL));
    ck_assert_ptr_null(signet_jwk_digest_authorization(n, "tok", NULL));
}
END_TEST

START_TEST(only_the_key_of_the_account_signs_so)
{
    g_autoptr(GBytes) message = make_jws(GOOD_HEAD, "");

    check_message(authority_request(authority).identity, message, "may not sign");
    check_message("acme.other", message, "may not sign");
}
END_TEST

static const char *const raw[] = {"",     ".",     "e30",   "e30=.", "e30.e30.e30",
                                  "e31.", " e30.", "e30.\n"};

START_TEST(what_is_no_jws_is_not_signed)
{
    g_autoptr(GBytes) message = g_bytes_new(raw[_i], strlen(raw[_i]));

    check_message("acme.ca", message, "may not sign this");
}
END_TEST

START_TEST(base64url_has_one_way_to_be_written)
{
    g_autoptr(GBytes) bytes = signet_base64url_decode("-_8", 3);

    ck_assert_uint_eq(g_bytes_get_size(bytes), 2);
    g_autofree char *text = signet_base64url_encode(g_bytes_get_data(bytes, NULL), 2);
    ck_assert_str_eq(text, "-_8");
    ck_assert_ptr_null(signet_base64url_decode("-_9", 3));
    ck_assert_ptr_null(signet_base64url_decode("-_8=", 4));
    ck_assert_ptr_null(signet_base64url_decode("+/8", 3));
    ck_assert_ptr_null(signet_base64url_decode("A", 1));
    ck_assert_ptr_null(signet_base64url_decode("AA\0A", 4));
}
END_TEST

static const struct {
    const char *payload; /* %s: the certificate */
    const char *words;
} revocations[] = {
    {"{\"certificate\":\"%s\",\"reason\":4}", NULL},
    {"{\"onlyReturnExisting\":true}", NULL},
    {"{\"certificate\":\"%s\"}", "another reason"},
    {"{\"certificate\":\"%s\",\"reason\":1}", "another reason"},
    {"{\"certificate\":\"MAA\",\"reason\":4}", "another certificate"},
    {"{\"reason\":4}", "neither a revocation"},
    {"{\"contact\":[]}", "that no job needs"},
    {"{\"certificate\":\"%s\",\"reason\":4,\"csr\":\"\"}", "that no job needs"},
};

START_TEST(a_revocation_is_of_the_jobs_certificate)
{
    AuthorityOrder order = {0};
    g_autoptr(X509) certificate = authority_issue(authority, &order);
    g_autoptr(GBytes) der = authority_der(certificate);
    g_autofree char *text =
        signet_base64url_encode(g_bytes_get_data(der, NULL), g_bytes_get_size(der));
    g_auto(GStrv) parts = g_strsplit(revocations[_i].payload, "%s", 2);
    g_autofree char *payload = g_strjoinv(text, parts);
    g_autoptr(GBytes) message =
        make_jws("{\"alg\":\"ES256\",\"nonce\":\"n\",\"url\":\"https://ca.example/revoke\","
                 "\"kid\":\"https://ca.example/account\"}",
                 payload);
    SignetJobRequest request = acme_request();
    g_autoptr(GError) error = NULL;

    request.protocol = SIGNET_JOB_REVOKE;
    request.ca_protocol = "acme";
    request.certificates = der;
    request.reason = 4;
    g_autoptr(SignetJob) job = signet_job_new(&request);
    gboolean is_allowed = signet_job_allows(job, "acme.ca", 3, 0, message, AUTHORITY_NOW_S, &error);
    ck_assert_msg(is_allowed == !revocations[_i].words, "%s", error ? error->message : "allowed");
    if (error)
        ck_assert_msg(strstr(error->message, revocations[_i].words) != NULL, "%s", error->message);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("jws");
    TCase *tcase = tcase_create("grant");

    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_loop_test(tcase, an_account_orders_what_the_job_is_for_and_does_nothing_else, 0,
                        G_N_ELEMENTS(messages));
    tcase_add_loop_test(tcase, a_permanent_identifier_is_ordered_where_the_job_has_it, 0, 6);
    tcase_add_test(tcase, evidence_is_for_a_job_that_needs_it_and_a_few_times);
    tcase_add_test(tcase, evidence_is_made_for_one_account);
    tcase_add_test(tcase, only_the_key_of_the_account_signs_so);
    tcase_add_loop_test(tcase, what_is_no_jws_is_not_signed, 0, G_N_ELEMENTS(raw));
    tcase_add_test(tcase, base64url_has_one_way_to_be_written);
    tcase_add_loop_test(tcase, a_revocation_is_of_the_jobs_certificate, 0,
                        G_N_ELEMENTS(revocations));
    suite_add_tcase(suite, tcase);

    SRunner *runner = srunner_create(suite);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
