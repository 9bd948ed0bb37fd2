/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* What a job may sign of CMP: messages that libcrypto's client really sends, and others. */

#include <check.h>
#include <openssl/cmp.h>
#include <stdlib.h>
#include <string.h>

#include "agent/enroll/grant.h"
#include "agent/enroll/job.h"
#include "provider/wire/der.h"
#include "tests/unit/enroll/authority.h"

static Authority *authority;
static GBytes *sent;  /* the last message */
static X509 *revoked; /* that the last one was about */

static void
set_up(void)
{
    authority = authority_new();
}

static void
tear_down(void)
{
    g_clear_pointer(&sent, g_bytes_unref);
    g_clear_pointer(&revoked, X509_free);
    authority_free(authority);
}

/* --- messages --- */

static OSSL_CMP_MSG *
swallow(OSSL_CMP_CTX *cmp, const OSSL_CMP_MSG *message)
{
    g_autoptr(BIO) bio = BIO_new(BIO_s_mem());
    char *data = NULL;

    i2d_OSSL_CMP_MSG_bio(bio, message);
    long size = BIO_get_mem_data(bio, &data);
    g_clear_pointer(&sent, g_bytes_unref);
    sent = g_bytes_new(data, (gsize)size);
    return NULL;
}

#define REVOKE (-1)
#define ASK    (-2)

typedef struct {
    int type;
    const char *subject;
    const char *alt;
    gboolean is_other_key;
    int reason;
    const char *infos[3]; /* ASK: object identifiers */
    gboolean has_value;   /* they come with a certificate */
} Order;

static X509_NAME *
make_name(const char *common_name)
{
    X509_NAME *name = X509_NAME_new();

    X509_NAME_add_entry_by_txt(name, "O", MBSTRING_ASC, (const guint8 *)"Example", -1, -1, 0);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const guint8 *)common_name, -1, -1, 0);
    return name;
}

static void
ask_for(OSSL_CMP_CTX *cmp, const Order *order)
{
    g_autoptr(X509_NAME) subject = make_name(order->subject ? order->subject : "host");
    EVP_PKEY *key = order->is_other_key ? authority->ca_key : authority->new_key;
    X509_EXTENSIONS *extensions = sk_X509_EXTENSION_new_null();

    sk_X509_EXTENSION_push(extensions,
                           X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name,
                                               order->alt ? order->alt : "DNS:host.example"));
    OSSL_CMP_CTX_set1_subjectName(cmp, subject);
    OSSL_CMP_CTX_set0_reqExtensions(cmp, extensions);
    EVP_PKEY_up_ref(key);
    OSSL_CMP_CTX_set0_newPkey(cmp, 1, key);
}

/* The current certificate signs. */
static OSSL_CMP_CTX *
make_client(const Order *order)
{
    OSSL_CMP_CTX *cmp = OSSL_CMP_CTX_new(NULL, NULL);
    g_autoptr(EVP_PKEY) key = authority_make_key();
    AuthorityOrder current = {.key = key};
    g_autoptr(X509) certificate = authority_issue(authority, &current);

    OSSL_CMP_CTX_set_transfer_cb(cmp, swallow);
    OSSL_CMP_CTX_set1_cert(cmp, certificate);
    OSSL_CMP_CTX_set1_pkey(cmp, key);
    ask_for(cmp, order);
    return cmp;
}

/* What the key that authenticates signs: ProtectedPart ::= SEQUENCE { header, body }. */
static GBytes *
protected_part(void)
{
    gsize size = 0;
    const guint8 *data = g_bytes_get_data(sent, &size);
    struct signet_bytes rest = {data, size};
    struct signet_der message, header, body;

    ck_assert(signet_der_expect(&rest, SIGNET_DER_SEQUENCE, &message));
    ck_assert(signet_der_next(&message.content, &header));
    ck_assert(signet_der_next(&message.content, &body));
    gsize length = header.whole.size + body.whole.size;
    ck_assert(length >= 0x80 && length < 0x10000);
    guint8 head[] = {SIGNET_DER_SEQUENCE, 0x82, (guint8)(length >> 8), (guint8)length};
    guint8 short_head[] = {SIGNET_DER_SEQUENCE, 0x81, (guint8)length};
    gboolean is_short = length < 0x100;
    GByteArray *part = g_byte_array_new();
    g_byte_array_append(part, is_short ? short_head : head,
                        is_short ? sizeof(short_head) : sizeof(head));
    g_byte_array_append(part, header.whole.data, (guint)header.whole.size);
    g_byte_array_append(part, body.whole.data, (guint)body.whole.size);
    return g_byte_array_free_to_bytes(part);
}

#define CA_CERTS  "1.3.6.1.5.5.7.4.17"
#define ROOT_CERT "1.3.6.1.5.5.7.4.20"

static void
push_infos(OSSL_CMP_CTX *cmp, const Order *order)
{
    for (const char *const *info = order->infos; *info; info++) {
        ASN1_TYPE *value = NULL;
        gsize size = 0;
        const guint8 *der = g_bytes_get_data(authority->ca_der, &size);

        if (order->has_value)
            value = d2i_ASN1_TYPE(NULL, &der, (long)size);
#if OPENSSL_VERSION_PREREQ(3, 2)
        if (order->has_value && g_str_equal(*info, ROOT_CERT)) {
            ASN1_TYPE_free(value);
            OSSL_CMP_CTX_push0_genm_ITAV(cmp, OSSL_CMP_ITAV_new_rootCaCert(authority->ca));
            continue;
        }
#endif
        OSSL_CMP_CTX_push0_genm_ITAV(cmp, OSSL_CMP_ITAV_create(OBJ_txt2obj(*info, 1), value));
    }
}

static GBytes *
make_part(const Order *order)
{
    OSSL_CMP_CTX *cmp = make_client(order);
    AuthorityOrder old = {0};

    g_clear_pointer(&revoked, X509_free);
    revoked = authority_issue(authority, &old);
    OSSL_CMP_CTX_set1_oldCert(cmp, revoked);
    if (order->reason)
        OSSL_CMP_CTX_set_option(cmp, OSSL_CMP_OPT_REVOCATION_REASON, order->reason);
    push_infos(cmp, order);
    if (order->type == REVOKE)
        OSSL_CMP_exec_RR_ses(cmp);
    else if (order->type == ASK)
        sk_OSSL_CMP_ITAV_free(OSSL_CMP_exec_GENM_ses(cmp));
    else
        OSSL_CMP_exec_certreq(cmp, order->type, NULL);
    OSSL_CMP_CTX_free(cmp);
    ck_assert_ptr_nonnull(sent);
    return protected_part();
}

/* What the new key signs. */
static GBytes *
make_cert_request(const Order *order)
{
    OSSL_CMP_CTX *cmp = make_client(order);
    OSSL_CRMF_MSG *crm = OSSL_CMP_CTX_setup_CRM(cmp, order->type == OSSL_CMP_KUR, 0);
    guint8 *der = NULL;
    int size = i2d_OSSL_CRMF_MSG(crm, &der);
    struct signet_bytes rest = {der, (size_t)MAX(size, 0)};
    struct signet_der message, request;

    ck_assert(signet_der_expect(&rest, SIGNET_DER_SEQUENCE, &message));
    ck_assert(signet_der_expect(&message.content, SIGNET_DER_SEQUENCE, &request));
    GBytes *bytes = g_bytes_new(request.whole.data, request.whole.size);
    OPENSSL_free(der);
    OSSL_CRMF_MSG_free(crm);
    OSSL_CMP_CTX_free(cmp);
    return bytes;
}

/* --- asking --- */

static SignetJobRequest
cmp_request(void)
{
    SignetJobRequest request = authority_request(authority);

    request.protocol = SIGNET_JOB_CMP;
    request.ca_identity = NULL;
    request.ca_certificate = NULL;
    request.current_generation = 7;
    return request;
}

/* NULL: allowed. */
static char *
ask(guint32 generation, SignetPurpose purpose, GBytes *message)
{
    SignetJobRequest request = cmp_request();
    g_autoptr(SignetJob) job = signet_job_new(&request);
    g_autoptr(GError) error = NULL;

    if (signet_job_allows(job, "wifi", generation, purpose, message, AUTHORITY_NOW_S, &error))
        return NULL;
    ck_assert(signet_error_is(error, SIGNET_ERROR_DENIED));
    return g_strdup(error->message);
}

static void
assert_says(const char *found, const char *words)
{
    if (words)
        ck_assert_msg(found && strstr(found, words), "'%s' was expected, found '%s'", words,
                      found ? found : "no error");
    else
        ck_assert_msg(!found, "unexpected: %s", found);
}

static const struct {
    Order order;
    const char *words;
} rows[] = {
    {{.type = OSSL_CMP_IR}, NULL},
    {{.type = OSSL_CMP_CR}, NULL},
    {{.type = OSSL_CMP_KUR}, NULL},
    {{.type = OSSL_CMP_IR, .is_other_key = TRUE}, "its public key is not the new key's"},
    {{.type = OSSL_CMP_KUR, .is_other_key = TRUE}, "its public key is not the new key's"},
    {{.type = OSSL_CMP_CR, .subject = "admin"}, "its subject is 'CN=admin,O=Example'"},
    {{.type = OSSL_CMP_IR, .alt = "DNS:other.example"}, "it names 'DNS:other.example'"},
};

START_TEST(the_new_key_signs_requests_for_itself)
{
    g_autoptr(GBytes) message = make_cert_request(&rows[_i].order);
    g_autofree char *found = ask(8, 0, message);
    g_autofree char *by_other = ask(7, 0, message);

    assert_says(found, rows[_i].words);
    assert_says(by_other, "it is not the protected part of a CMP message");
}
END_TEST

START_TEST(the_current_key_signs_messages_with_such_requests)
{
    g_autoptr(GBytes) message = make_part(&rows[_i].order);
    g_autofree char *found = ask(7, 0, message);
    g_autofree char *by_other = ask(8, 0, message);

    assert_says(found, rows[_i].words);
    assert_says(by_other, "may not sign this request");
}
END_TEST

START_TEST(nothing_is_revoked)
{
    Order revoke = {.type = REVOKE};
    g_autoptr(GBytes) revocation = make_part(&revoke);
    g_autofree char *found = ask(7, 0, revocation);

    assert_says(found, "its body is of a kind that no job needs");
}
END_TEST

/* NULL: a check may sign it. */
static char *
ask_checking(guint32 generation, GBytes *message, const char *ca_protocol)
{
    SignetJobRequest request = cmp_request();
    g_autoptr(GError) error = NULL;

    request.protocol = SIGNET_JOB_CHECK;
    request.ca_protocol = ca_protocol;
    g_autoptr(SignetJob) job = signet_job_new(&request);
    if (signet_job_allows(job, "wifi", generation, 0, message, AUTHORITY_NOW_S, &error))
        return NULL;
    return g_strdup(error->message);
}

static const struct {
    Order order;
    const char *words;
} questions[] = {
    {{.type = ASK, .infos = {CA_CERTS}}, NULL},
    {{.type = ASK, .infos = {ROOT_CERT}, .has_value = TRUE}, NULL},
    {{.type = ASK}, "it is not one question"},
    {{.type = ASK, .infos = {CA_CERTS, CA_CERTS}}, "it is not one question"},
    {{.type = ASK, .infos = {"1.3.6.1.5.5.7.4.2"}}, "something else than certificates of the CA"},
    {{.type = ASK, .infos = {"1.3.6.1.4.1.99999.20"}, .has_value = TRUE}, "something else than"},
    {{.type = ASK, .infos = {ROOT_CERT}}, "it names no root"},
};

START_TEST(what_is_asked_is_which_certificates_the_ca_has)
{
    g_autoptr(GBytes) message = make_part(&questions[_i].order);
    g_autofree char *found = ask(7, 0, message);
    g_autofree char *by_check = ask_checking(7, message, SIGNET_JOB_CMP);
    g_autofree char *by_new = ask_checking(8, message, SIGNET_JOB_CMP);
    g_autofree char *elsewhere = ask_checking(7, message, "est");

    assert_says(found, questions[_i].words);
    assert_says(by_check, questions[_i].words);
    assert_says(by_new, "may not sign with generation 8");
    assert_says(elsewhere, "may not sign with generation 7");
}
END_TEST

START_TEST(a_check_does_nothing_but_ask)
{
    g_autoptr(GBytes) message = make_part(&rows[_i].order);
    g_autofree char *found = ask_checking(7, message, SIGNET_JOB_CMP);

    assert_says(found, "its body is not a question");
}
END_TEST

/* NULL: a revocation of that certificate may sign it. */
static char *
ask_revoking(GBytes *certificate, guint reason, guint32 generation, GBytes *message)
{
    SignetJobRequest request = cmp_request();
    g_autoptr(GError) error = NULL;

    request.protocol = SIGNET_JOB_REVOKE;
    request.ca_protocol = SIGNET_JOB_CMP;
    request.certificates = certificate;
    request.reason = reason;
    g_autoptr(SignetJob) job = signet_job_new(&request);
    if (signet_job_allows(job, "wifi", generation, 0, message, AUTHORITY_NOW_S, &error))
        return NULL;
    return g_strdup(error->message);
}

/* The same with another number. */
static GBytes *
renumber(X509 *certificate)
{
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), 4711);
    ck_assert_int_gt(X509_sign(certificate, authority->ca_key, EVP_sha256()), 0);
    return authority_der(certificate);
}

START_TEST(a_revocation_is_of_one_certificate)
{
    Order revoke = {.type = REVOKE};
    g_autoptr(GBytes) message = make_part(&revoke);
    g_autoptr(GBytes) certificate = authority_der(revoked);
    AuthorityOrder again = {0};
    g_autoptr(X509) another = authority_issue(authority, &again);
    g_autoptr(GBytes) other = renumber(another);
    g_autofree char *right = ask_revoking(certificate, 0, 7, message);
    g_autofree char *wrong = ask_revoking(other, 0, 7, message);
    g_autofree char *by_new = ask_revoking(certificate, 0, 8, message);
    g_autofree char *of_none = ask_revoking(NULL, 0, 7, message);

    assert_says(right, NULL);
    assert_says(wrong, "it would revoke another certificate than the job's");
    assert_says(by_new, "may not sign with generation 8");
    assert_says(of_none, "it would revoke another certificate than the job's");
}
END_TEST

START_TEST(a_revocation_has_the_jobs_reason)
{
    Order revoke = {.type = REVOKE, .reason = 4};
    g_autoptr(GBytes) message = make_part(&revoke);
    g_autoptr(GBytes) certificate = authority_der(revoked);
    g_autofree char *right = ask_revoking(certificate, 4, 7, message);
    g_autofree char *wrong = ask_revoking(certificate, 1, 7, message);
    revoke.reason = 0;
    g_autoptr(GBytes) silent = make_part(&revoke);
    g_autofree char *unsaid = ask_revoking(certificate, 1, 7, silent);

    assert_says(right, NULL);
    assert_says(wrong, "it has another reason than the job's");
    assert_says(unsaid, "it has another reason than the job's");
}
END_TEST

START_TEST(a_job_that_revokes_does_nothing_else)
{
    g_autoptr(GBytes) message = make_part(&rows[_i].order);
    g_autoptr(GBytes) certificate = authority_der(revoked);
    g_autofree char *found = ask_revoking(certificate, 0, 7, message);

    assert_says(found, "its body is not a wish for a revocation");
}
END_TEST

/* Every bit of it: what is still allowed names the same certificate. */
START_TEST(a_damaged_revocation_is_of_the_same_certificate)
{
    Order revoke = {.type = REVOKE, .reason = 1};
    g_autoptr(GBytes) good = make_part(&revoke);
    g_autoptr(GBytes) certificate = authority_der(revoked);
    const ASN1_INTEGER *serial = X509_get0_serialNumber(revoked);
    gsize size = 0;
    const guint8 *data = g_bytes_get_data(good, &size);

    for (gsize bit = 0; bit < size * 8; bit++) {
        g_autofree guint8 *copy = g_memdup2(data, size);

        copy[bit / 8] ^= (guint8)(1 << bit % 8);
        g_autoptr(GBytes) message = g_bytes_new(copy, size);
        g_autofree char *found = ask_revoking(certificate, 1, 7, message);
        ck_assert(found || memmem(copy, size, ASN1_STRING_get0_data(serial),
                                  (size_t)ASN1_STRING_length(serial)));
    }
}
END_TEST

START_TEST(no_tls_handshake_is_signed)
{
    g_autoptr(GBytes) message = g_bytes_new_static("x", 1);
    g_autofree char *found = ask(7, SIGNET_PURPOSE_TLS_CLIENT, message);

    assert_says(found, "may not sign with generation 7 of 'wifi' for purpose 'tls-client'");
}
END_TEST

START_TEST(other_protocols_do_not_sign_these)
{
    SignetJobRequest request = cmp_request();
    g_autoptr(GBytes) message = make_part(&rows[0].order);
    g_autoptr(GError) error = NULL;

    request.protocol = "est";
    g_autoptr(SignetJob) job = signet_job_new(&request);
    ck_assert(!signet_job_allows(job, "wifi", 7, 0, message, AUTHORITY_NOW_S, &error));
}
END_TEST

/* Every bit of it, and every length: what is still allowed has the same key and names. */
START_TEST(a_damaged_message_is_never_for_another_key_or_name)
{
    g_autoptr(GBytes) good = make_cert_request(&rows[0].order);
    gsize size = 0;
    const guint8 *data = g_bytes_get_data(good, &size);
    gsize spki_size = 0;
    const guint8 *spki = g_bytes_get_data(authority->spki, &spki_size);

    for (gsize bit = 0; bit < size * 8; bit++) {
        g_autofree guint8 *copy = g_memdup2(data, size);

        copy[bit / 8] ^= (guint8)(1 << bit % 8);
        g_autoptr(GBytes) message = g_bytes_new(copy, size);
        g_autofree char *found = ask(8, 0, message);
        ck_assert(found || memmem(copy, size, spki + 3, spki_size - 3));
        ck_assert(found || memmem(copy, size, "host.example", 12));
    }
    for (gsize length = 0; length < size; length++) {
        g_autoptr(GBytes) message = g_bytes_new(data, length);
        g_autofree char *found = ask(8, 0, message);

        ck_assert_ptr_nonnull(found);
    }
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("enroll/cmp");
    TCase *tcase = tcase_create("cmp");
    SRunner *runner = srunner_create(suite);

    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, the_new_key_signs_requests_for_itself, 0, G_N_ELEMENTS(rows));
    tcase_add_loop_test(tcase, the_current_key_signs_messages_with_such_requests, 0,
                        G_N_ELEMENTS(rows));
    tcase_add_test(tcase, nothing_is_revoked);
    tcase_add_loop_test(tcase, what_is_asked_is_which_certificates_the_ca_has, 0,
                        G_N_ELEMENTS(questions));
    tcase_add_loop_test(tcase, a_check_does_nothing_but_ask, 0, G_N_ELEMENTS(rows));
    tcase_add_test(tcase, a_revocation_is_of_one_certificate);
    tcase_add_test(tcase, a_revocation_has_the_jobs_reason);
    tcase_add_loop_test(tcase, a_job_that_revokes_does_nothing_else, 0, 3);
    tcase_add_test(tcase, a_damaged_revocation_is_of_the_same_certificate);
    tcase_add_test(tcase, no_tls_handshake_is_signed);
    tcase_add_test(tcase, other_protocols_do_not_sign_these);
    tcase_add_test(tcase, a_damaged_message_is_never_for_another_key_or_name);
    suite_add_tcase(suite, tcase);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
