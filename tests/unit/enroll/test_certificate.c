/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* A CA's answer: what is taken, what is refused, and in which words. */

#include <check.h>
#include <stdlib.h>

#include "agent/enroll/certificate.h"
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

static GPtrArray *
list_of(GBytes *bytes)
{
    GPtrArray *list = g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref);

    g_ptr_array_add(list, g_bytes_ref(bytes));
    return list;
}

/* NULL when the check agrees. */
static char *
check(const SignetJobRequest *request, GPtrArray *chain, GPtrArray *anchors, SignetErrorKind kind)
{
    g_autoptr(GError) error = NULL;

    if (signet_certificate_check(request, chain, anchors, AUTHORITY_NOW_S, &error))
        return NULL;
    ck_assert_msg(signet_error_is(error, kind), "kind %d: %s", error->code, error->message);
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

static char *
check_one(const SignetJobRequest *request, const AuthorityOrder *order, SignetErrorKind kind)
{
    g_autoptr(X509) certificate = authority_issue(authority, order);
    g_autoptr(GBytes) der = authority_der(certificate);
    g_autoptr(GPtrArray) chain = list_of(der);
    g_autoptr(GPtrArray) anchors = list_of(authority->ca_der);

    return check(request, chain, anchors, kind);
}

static const struct {
    AuthorityOrder order;
    guint purposes; /* 0: tls-client */
    gint64 min_lifetime_s;
    const char *protocol; /* NULL: local */
    const char *words;    /* NULL: good */
} rows[] = {
    {{0}, .words = NULL},
    {{.extended = "clientAuth,serverAuth"}, .words = NULL},
    {{.extended = "clientAuth,serverAuth"}, .purposes = SIGNET_PURPOSE_ANY, .words = NULL},
    {{0}, .min_lifetime_s = 3600, .words = NULL},
    {{0},
     .min_lifetime_s = 3601,
     .words = "expires at 2027-01-15 09:00:00Z, before 2027-01-15 09:00:01Z"},
    {{.begin_s = -7200, .end_s = -1},
     .words = "is expired: it expires at 2027-01-15 07:59:59Z, before now"},
    {{.begin_s = 599, .end_s = 7200},
     .words = "not yet valid: it begins at 2027-01-15 08:09:59Z, this machine's clock says"},
    {{.begin_s = 601, .end_s = 7200},
     .words = "not yet valid: it begins at 2027-01-15 08:10:01Z, now is"},
    {{.extended = ""}, .words = "extended key usage lacks 'clientAuth': it has none"},
    {{.extended = "serverAuth"}, .words = "extended key usage lacks 'clientAuth'"},
    {{.extended = "clientAuth"},
     .purposes = SIGNET_PURPOSE_ANY,
     .words = "extended key usage lacks 'serverAuth'"},
    {{.alt = "DNS:host.example,IP:192.0.2.7,DNS:evil.example"},
     .words = "it names 'DNS:evil.example', which was not"},
    {{.alt = "DNS:host.example,IP:192.0.2.7,DNS:www.example"}, .protocol = "est", .words = NULL},
    {{.alt = "DNS:host.example"}, .words = "lacks the name 'IP Address:192.0.2.7'"},
    {{.alt = "DNS:host.example"},
     .protocol = "est",
     .words = "lacks the name 'IP Address:192.0.2.7'"},
    {{.alt = ""}, .words = "lacks the name"},
    {{.alt = "DNS:HOST.example,IP:192.0.2.7"}, .words = "it names 'DNS:HOST.example'"},
    {{.subject = "CN=other,O=Example"},
     .words = "its subject is 'CN=other,O=Example', asked for was 'CN=host,O=Example'"},
    {{.basic = "critical,CA:TRUE"}, .words = "is a CA's, asked for was none"},
    {{.usage = "critical,keyAgreement"}, .words = "key usage does not allow signatures"},
    {{.usage = ""}, .words = NULL},
    {{.basic = ""}, .words = NULL},
};

START_TEST(a_certificate_is_taken_or_refused_in_words)
{
    SignetJobRequest request = authority_request(authority);

    request.purposes = rows[_i].purposes ? rows[_i].purposes : request.purposes;
    request.min_lifetime_s = rows[_i].min_lifetime_s;
    request.protocol = rows[_i].protocol ? rows[_i].protocol : request.protocol;
    g_autofree char *found = check_one(&request, &rows[_i].order, SIGNET_ERROR_CA_REFUSED);
    assert_says(found, rows[_i].words);
}
END_TEST

START_TEST(a_certificate_for_another_key_is_refused)
{
    SignetJobRequest request = authority_request(authority);
    g_autoptr(EVP_PKEY) other = authority_make_key();
    AuthorityOrder order = {.key = other};
    g_autofree char *found = check_one(&request, &order, SIGNET_ERROR_CA_REFUSED);

    assert_says(found, "the certificate's public key is not the new key's");
}
END_TEST

START_TEST(a_signature_by_another_key_in_the_name_of_the_ca_is_refused)
{
    SignetJobRequest request = authority_request(authority);
    g_autoptr(EVP_PKEY) other = authority_make_key();
    AuthorityOrder order = {.signer = other};
    g_autofree char *found = check_one(&request, &order, SIGNET_ERROR_CA_REFUSED);

    assert_says(found, "the chain does not lead to an anchor: certificate signature failure");
}
END_TEST

START_TEST(a_chain_to_another_ca_is_refused)
{
    SignetJobRequest request = authority_request(authority);
    Authority *stranger = authority_new();
    AuthorityOrder order = {.key = authority->new_key,
                            .subject = "CN=Stranger",
                            .basic = "critical,CA:TRUE",
                            .usage = "critical,keyCertSign",
                            .alt = "",
                            .extended = ""};
    g_autoptr(X509) root = authority_issue(stranger, &order);
    AuthorityOrder leaf = {.issuer = root, .signer = stranger->ca_key};
    g_autofree char *found = check_one(&request, &leaf, SIGNET_ERROR_CA_REFUSED);

    assert_says(found, "the chain does not lead to an anchor");
    authority_free(stranger);
}
END_TEST

START_TEST(anchors_other_than_the_local_ca_are_refused)
{
    SignetJobRequest request = authority_request(authority);
    Authority *stranger = authority_new();
    AuthorityOrder order = {.key = authority->new_key};
    g_autoptr(X509) leaf = authority_issue(stranger, &order);
    g_autoptr(GBytes) der = authority_der(leaf);
    g_autoptr(GPtrArray) chain = list_of(der);
    g_autoptr(GPtrArray) anchors = list_of(stranger->ca_der);
    g_autofree char *found = check(&request, chain, anchors, SIGNET_ERROR_CA_REFUSED);

    assert_says(found, "anchor 1 is not the certificate of 'ca.local'");
    authority_free(stranger);
}
END_TEST

START_TEST(a_chain_with_an_intermediate_is_taken_only_with_it)
{
    SignetJobRequest request = authority_request(authority);
    g_autoptr(EVP_PKEY) key = authority_make_key();
    AuthorityOrder middle = {.key = key,
                             .subject = "CN=Issuing",
                             .basic = "critical,CA:TRUE",
                             .alt = "",
                             .extended = "",
                             .usage = "critical,keyCertSign"};
    AuthorityOrder root = {.key = authority->ca_key,
                           .subject = "CN=Test CA,O=Example",
                           .basic = "critical,CA:TRUE",
                           .alt = "",
                           .extended = "",
                           .usage = "critical,keyCertSign"};
    g_autoptr(X509) issuing = authority_issue(authority, &middle);
    g_autoptr(X509) anchor = authority_issue(authority, &root);
    AuthorityOrder order = {.issuer = issuing, .signer = key};
    g_autoptr(X509) leaf = authority_issue(authority, &order);
    g_autoptr(GBytes) leaf_der = authority_der(leaf);
    g_autoptr(GBytes) anchor_der = authority_der(anchor);
    g_autoptr(GPtrArray) chain = list_of(leaf_der);
    g_autoptr(GPtrArray) anchors = list_of(anchor_der);

    request.ca_certificate = NULL;
    request.protocol = "est";
    g_autofree char *alone = check(&request, chain, anchors, SIGNET_ERROR_CA_REFUSED);
    assert_says(alone, "the chain does not lead to an anchor");
    g_ptr_array_add(chain, authority_der(issuing));
    g_autofree char *whole = check(&request, chain, anchors, SIGNET_ERROR_CA_REFUSED);
    assert_says(whole, NULL);
}
END_TEST

START_TEST(a_ca_certificate_is_taken_when_one_was_asked_for)
{
    SignetJobRequest request = authority_request(authority);
    AuthorityOrder order = {.subject = "CN=New CA",
                            .alt = "",
                            .extended = "",
                            .basic = "critical,CA:TRUE,pathlen:0",
                            .usage = "critical,keyCertSign,cRLSign",
                            .signer = authority->new_key};

    request.is_ca = TRUE;
    request.ca_certificate = NULL;
    request.subject = "CN=New CA";
    request.dns = request.ip = NULL;
    g_autoptr(X509) other = authority_issue(authority, &order);
    order.issuer = other;
    g_autoptr(X509) certificate = authority_issue(authority, &order);
    g_autoptr(GBytes) der = authority_der(certificate);
    g_autoptr(GPtrArray) chain = list_of(der);
    g_autofree char *found = check(&request, chain, chain, SIGNET_ERROR_CA_REFUSED);
    assert_says(found, NULL);

    order.basic = "critical,CA:FALSE";
    g_autoptr(X509) leaf = authority_issue(authority, &order);
    g_autoptr(GBytes) leaf_der = authority_der(leaf);
    g_autoptr(GPtrArray) leaf_chain = list_of(leaf_der);
    g_autofree char *refused = check(&request, leaf_chain, leaf_chain, SIGNET_ERROR_CA_REFUSED);
    assert_says(refused, "is not a CA's, asked for was one");
}
END_TEST

START_TEST(too_many_certificates_are_refused_unread)
{
    SignetJobRequest request = authority_request(authority);
    g_autoptr(X509) certificate = authority_issue(authority, &(AuthorityOrder) {0});
    g_autoptr(GBytes) der = authority_der(certificate);
    g_autoptr(GPtrArray) chain = list_of(der);
    g_autoptr(GPtrArray) anchors = list_of(authority->ca_der);

    for (int i = 1; i < 200; i++)
        g_ptr_array_add(chain, g_bytes_ref(der));
    g_autofree char *found = check(&request, chain, anchors, SIGNET_ERROR_CORRUPT);
    assert_says(found, "a chain of 200 certificates, 1 to 10 are taken");
    g_ptr_array_set_size(chain, 0);
    g_autofree char *empty = check(&request, chain, anchors, SIGNET_ERROR_CORRUPT);
    assert_says(empty, "a chain of 0 certificates");
}
END_TEST

START_TEST(garbage_is_refused)
{
    SignetJobRequest request = authority_request(authority);
    g_autoptr(X509) certificate = authority_issue(authority, &(AuthorityOrder) {0});
    g_autoptr(GBytes) der = authority_der(certificate);
    g_autoptr(GByteArray) longer = g_byte_array_new();
    g_autoptr(GByteArray) huge = g_byte_array_new();
    g_autoptr(GPtrArray) anchors = list_of(authority->ca_der);

    g_byte_array_append(longer, g_bytes_get_data(der, NULL), (guint)g_bytes_get_size(der));
    g_byte_array_append(longer, (const guint8 *)"x", 1);
    g_byte_array_set_size(huge, 16385);
    const struct {
        GBytes *bytes;
        const char *words;
    } cases[] = {
        {g_bytes_new_static("not DER", 7),
         "a chain, certificate 1: it is not a certificate in DER"},
        {g_bytes_new_from_bytes(der, 0, g_bytes_get_size(der) - 1),
         "it is not a certificate in DER"},
        {g_bytes_new(longer->data, longer->len), "it is not a certificate in DER"},
        {g_bytes_new(huge->data, huge->len), "a certificate of 16385 bytes, 1 to 16384 are taken"},
        {g_bytes_new_static("", 0), "a certificate of 0 bytes"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GPtrArray) chain = list_of(cases[i].bytes);
        g_autofree char *found = check(&request, chain, anchors, SIGNET_ERROR_CORRUPT);
        assert_says(found, cases[i].words);
        g_bytes_unref(cases[i].bytes);
    }
}
END_TEST

/* No single damaged byte makes the check crash, and none that changes what is signed passes. */
START_TEST(no_damaged_certificate_passes)
{
    SignetJobRequest request = authority_request(authority);
    g_autoptr(X509) certificate = authority_issue(authority, &(AuthorityOrder) {0});
    g_autoptr(GBytes) der = authority_der(certificate);
    g_autoptr(GPtrArray) anchors = list_of(authority->ca_der);
    gsize size = 0;
    const guint8 *good = g_bytes_get_data(der, &size);

    for (gsize i = 0; i < size; i++) {
        g_autofree guint8 *bad = g_memdup2(good, size);
        g_autoptr(GError) error = NULL;

        bad[i] ^= (guint8)(1u << (i % 8));
        g_autoptr(GBytes) bytes = g_bytes_new(bad, size);
        g_autoptr(GPtrArray) chain = list_of(bytes);
        ck_assert_msg(!signet_certificate_check(&request, chain, anchors, AUTHORITY_NOW_S, &error),
                      "byte %zu", i);
        ck_assert_ptr_nonnull(error);
    }
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("enroll/certificate");
    TCase *tcase = tcase_create("certificate");
    SRunner *runner = srunner_create(suite);

    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, a_certificate_is_taken_or_refused_in_words, 0, G_N_ELEMENTS(rows));
    tcase_add_test(tcase, a_certificate_for_another_key_is_refused);
    tcase_add_test(tcase, a_signature_by_another_key_in_the_name_of_the_ca_is_refused);
    tcase_add_test(tcase, a_chain_to_another_ca_is_refused);
    tcase_add_test(tcase, anchors_other_than_the_local_ca_are_refused);
    tcase_add_test(tcase, a_chain_with_an_intermediate_is_taken_only_with_it);
    tcase_add_test(tcase, a_ca_certificate_is_taken_when_one_was_asked_for);
    tcase_add_test(tcase, too_many_certificates_are_refused_unread);
    tcase_add_test(tcase, garbage_is_refused);
    tcase_add_test(tcase, no_damaged_certificate_passes);
    suite_add_tcase(suite, tcase);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
