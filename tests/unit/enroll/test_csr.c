/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* What beside one extension request may stand in a request that an enroller has signed. */

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "agent/enroll/grant.h"
#include "tests/unit/enroll/authority.h"

#define LINK "AAECAwQFBgcICQoL"

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

static const struct {
    const char *protocol;
    int type;
    const char *password;
    int size; /* -1: all of it, with MBSTRING_ASC */
    gboolean is_allowed;
} rows[] = {
    {"est", MBSTRING_ASC, LINK, -1, TRUE},
    {"est", V_ASN1_PRINTABLESTRING, LINK, 16, TRUE},
    {"est", V_ASN1_OCTET_STRING, LINK, 16, FALSE},
    {"est", MBSTRING_ASC, "AAECAwQFBgcICQo=", -1, FALSE},
    {"est", MBSTRING_ASC, "AAECAwQFBgcICQoLDA==", -1, FALSE},
    {"est", MBSTRING_ASC, "AAECAwQFBgcICQo!", -1, FALSE},
    {"est", MBSTRING_ASC, LINK " ", -1, FALSE},
    {"est", V_ASN1_UTF8STRING, LINK "\0x", 18, FALSE},
    {"est", MBSTRING_ASC, "s3cret", -1, FALSE},
    {"cmp", MBSTRING_ASC, LINK, -1, FALSE},
    {"acme", MBSTRING_ASC, LINK, -1, FALSE},
};

static GBytes *
make_info(int row, int n_values)
{
    g_autoptr(X509_REQ) csr = X509_REQ_new();
    g_autoptr(X509_NAME) subject = X509_NAME_new();
    X509_ATTRIBUTE *attribute = X509_ATTRIBUTE_create_by_NID(
        NULL, NID_pkcs9_challengePassword, rows[row].type, rows[row].password, rows[row].size);
    guint8 *der = NULL;

    X509_REQ_set_subject_name(csr, subject);
    X509_REQ_set_pubkey(csr, authority->new_key);
    for (int i = 1; i < n_values; i++)
        X509_ATTRIBUTE_set1_data(attribute, rows[row].type, rows[row].password, rows[row].size);
    ck_assert(X509_REQ_add1_attr(csr, attribute));
    X509_ATTRIBUTE_free(attribute);
    int size = i2d_re_X509_REQ_tbs(csr, &der);
    GBytes *info = g_bytes_new(der, (gsize)size);
    OPENSSL_free(der);
    return info;
}

/* RFC 7030 3.5: twelve bytes that a connection has, and no place for others. */
START_TEST(an_est_request_may_be_tied_to_its_connection)
{
    SignetJobRequest request = authority_request(authority);
    g_autoptr(GBytes) info = make_info(_i, 1);
    g_autoptr(GError) error = NULL;

    request.protocol = rows[_i].protocol;
    ck_assert_int_eq(signet_grant_allows_csr(&request, info, &error), rows[_i].is_allowed);
    ck_assert(rows[_i].is_allowed || strstr(error->message, "it has an attribute other than"));
}
END_TEST

START_TEST(but_not_to_two)
{
    SignetJobRequest request = authority_request(authority);
    g_autoptr(GBytes) info = make_info(0, 2);
    g_autoptr(GError) error = NULL;

    request.protocol = "est";
    ck_assert(!signet_grant_allows_csr(&request, info, &error));
    ck_assert_ptr_nonnull(strstr(error->message, "it has an attribute other than"));
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("enroll/csr");
    TCase *tcase = tcase_create("attributes");
    SRunner *runner = srunner_create(suite);

    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_loop_test(tcase, an_est_request_may_be_tied_to_its_connection, 0, G_N_ELEMENTS(rows));
    tcase_add_test(tcase, but_not_to_two);
    suite_add_tcase(suite, tcase);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
