/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Subjects, alternative names and usages made from a request's text. */

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/error.h"
#include "agent/enroll/names.h"

static char *
print(const X509_NAME *name)
{
    BIO *out = BIO_new(BIO_s_mem());
    char *data = NULL;

    X509_NAME_print_ex(out, name, 0, XN_FLAG_RFC2253);
    long size = BIO_get_mem_data(out, &data);
    char *text = g_strndup(data ? data : "", (gsize)size);
    BIO_free(out);
    return text;
}

static const struct {
    const char *text;
    const char *printed; /* NULL: refused */
} subjects[] = {
    {"CN=host,O=Example", "CN=host,O=Example"},
    {"CN=host, O=Example , C=DE", "CN=host,O=Example,C=DE"},
    {"CN=a\\,b", "CN=a\\,b"},
    {"CN=50% of it", "CN=50% of it"},
    {"", ""},
    {"host", NULL},
    {"CN=", NULL},
    {"CN=a+O=b", NULL},
    {"C=Germany", NULL},
    {"1.2.3.4=x", NULL},
    {"CN=%0123456789012345678901234567890123456789012345678901234567890123456789", NULL},
};

START_TEST(a_subject_reads_back_as_it_was_written)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(X509_NAME) name = signet_names_parse_subject(subjects[_i].text, &error);

    if (!subjects[_i].printed) {
        ck_assert_ptr_null(name);
        ck_assert(signet_error_is(error, SIGNET_ERROR_BAD_REQUEST));
        ck_assert_ptr_nonnull(strstr(error->message, subjects[_i].text));
        return;
    }
    ck_assert_msg(name != NULL, "%s", error ? error->message : "");
    g_autofree char *printed = print(name);
    ck_assert_str_eq(printed, subjects[_i].printed);
}
END_TEST

START_TEST(what_is_written_last_comes_first_in_the_certificate)
{
    g_autoptr(X509_NAME) name = signet_names_parse_subject("CN=host,O=Example,C=DE", NULL);

    ck_assert_int_eq(X509_NAME_get_index_by_NID(name, NID_countryName, -1), 0);
    ck_assert_int_eq(X509_NAME_get_index_by_NID(name, NID_organizationName, -1), 1);
    ck_assert_int_eq(X509_NAME_get_index_by_NID(name, NID_commonName, -1), 2);
}
END_TEST

static const struct {
    const char *dns;
    const char *ip;
    const char *uri;
    const char *email;
    const char *words; /* NULL: good */
} alternatives[] = {
    {"host.example", NULL, NULL, NULL, NULL},
    {NULL, "2001:db8::7", NULL, NULL, NULL},
    {NULL, NULL, "urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6", "root@host.example", NULL},
    {"", NULL, NULL, NULL, "DNS name '' is empty"},
    {"höst.example", NULL, NULL, NULL, "xn--"},
    {"a b", NULL, NULL, NULL, "without blanks"},
    {NULL, "192.0.2", NULL, NULL, "'192.0.2' is no IP address"},
    {NULL, "host", NULL, NULL, "'host' is no IP address"},
    {NULL, NULL, NULL, "a\nb", "mail address"},
};

START_TEST(alternative_names_are_made_or_refused_in_words)
{
    const char *dns[] = {alternatives[_i].dns, NULL};
    const char *ip[] = {alternatives[_i].ip, NULL};
    const char *uri[] = {alternatives[_i].uri, NULL};
    const char *email[] = {alternatives[_i].email, NULL};
    const SignetJobRequest request = {.dns = dns, .ip = ip, .uri = uri, .email = email};
    g_autoptr(GError) error = NULL;
    g_autoptr(GENERAL_NAMES) names = signet_names_make_alt(&request, &error);

    if (!alternatives[_i].words) {
        ck_assert_msg(names != NULL, "%s", error ? error->message : "");
        ck_assert_int_eq(sk_GENERAL_NAME_num(names), !!dns[0] + !!ip[0] + !!uri[0] + !!email[0]);
        return;
    }
    ck_assert_ptr_null(names);
    ck_assert_ptr_nonnull(strstr(error->message, alternatives[_i].words));
}
END_TEST

static const struct {
    guint purposes;
    int n;
} usages[] = {
    {SIGNET_PURPOSE_TLS_CLIENT, 1},
    {SIGNET_PURPOSE_TLS_SERVER, 1},
    {SIGNET_PURPOSE_TLS_CLIENT | SIGNET_PURPOSE_TLS_SERVER, 2},
    {SIGNET_PURPOSE_ANY, 2},
    {SIGNET_PURPOSE_SIGN, 2},
    {SIGNET_PURPOSE_SIGN | SIGNET_PURPOSE_TLS_CLIENT, 1},
    {SIGNET_PURPOSE_SIGN | SIGNET_PURPOSE_TLS_SERVER, 1},
    {SIGNET_PURPOSE_SSH_USERAUTH, 0},
};

START_TEST(usages_follow_the_purposes)
{
    g_autoptr(EXTENDED_KEY_USAGE) made = signet_names_make_eku(usages[_i].purposes);

    ck_assert_int_eq(sk_ASN1_OBJECT_num(made), usages[_i].n);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("enroll/names");
    TCase *tcase = tcase_create("names");
    SRunner *runner = srunner_create(suite);

    tcase_add_loop_test(tcase, a_subject_reads_back_as_it_was_written, 0, G_N_ELEMENTS(subjects));
    tcase_add_test(tcase, what_is_written_last_comes_first_in_the_certificate);
    tcase_add_loop_test(tcase, alternative_names_are_made_or_refused_in_words, 0,
                        G_N_ELEMENTS(alternatives));
    tcase_add_loop_test(tcase, usages_follow_the_purposes, 0, G_N_ELEMENTS(usages));
    suite_add_tcase(suite, tcase);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
