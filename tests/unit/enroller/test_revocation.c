/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Who says what of a certificate, and whether that is believed: revocation lists, OCSP answers, and
 * CAs that roll over. Seeds of the fuzz target are read once more here. */

#include <check.h>

#include "agent/base/error.h"
#include "agent/enroller/rollover.h"
#include "tests/support/revocation-pki.h"

static GBytes *
read_seed(const char *name)
{
    g_autofree char *path = g_build_filename(CORPUS, name, NULL);
    char *data = NULL;
    gsize size = 0;

    ck_assert(g_file_get_contents(path, &data, &size, NULL));
    return g_bytes_new_take(data, size);
}

/* --- lists --- */

static const struct {
    const char *seed; /* what the issuer has signed */
    gint64 now_s;
    SignetStanding standing; /* UNKNOWN: refused … */
    const char *words;       /* … with this, or NULL */
    guint reason;
} lists[] = {
    {"list-empty", PKI_NOW_S, SIGNET_STANDING_GOOD, NULL, 0},
    {"list-revoked", PKI_NOW_S, SIGNET_STANDING_REVOKED, NULL, 1},
    {"list-held", PKI_NOW_S, SIGNET_STANDING_HELD, NULL, 6},
    {"list-revoked", PKI_NOW_S + 86400, SIGNET_STANDING_UNKNOWN, "too old", 0},
    {"list-revoked", PKI_NOW_S - 301, SIGNET_STANDING_UNKNOWN, "of the future", 0},
    {"list-delta", PKI_NOW_S, SIGNET_STANDING_UNKNOWN, "not a complete one", 0},
    {"list-endless", PKI_NOW_S, SIGNET_STANDING_UNKNOWN, "until when it counts", 0},
    {"findings", PKI_NOW_S, SIGNET_STANDING_UNKNOWN, "malformed", 0},
};

static void
judge(GBytes *list, gint64 now_s, SignetStanding standing, const char *words, guint reason)
{
    SignetFindings found = {0};
    g_autoptr(GError) error = NULL;
    gboolean is_judged = signet_crl_judge(list, pki_certificate, pki_issuer, now_s, &found, &error);

    ck_assert_int_eq(found.standing, standing);
    ck_assert_uint_eq(found.reason, reason);
    ck_assert_int_eq(is_judged, words == NULL);
    if (words)
        ck_assert_ptr_nonnull(strstr(error->message, words));
    else
        ck_assert_int_eq(found.next_update_s, PKI_NOW_S + 86400);
}

START_TEST(a_list_says_what_it_says)
{
    g_autoptr(GBytes) seed = read_seed(lists[_i].seed);
    gsize size = 0;
    const guint8 *data = g_bytes_get_data(seed, &size);
    g_autoptr(GBytes) list = pki_sign(data, size);

    judge(list, lists[_i].now_s, lists[_i].standing, lists[_i].words, lists[_i].reason);
}
END_TEST

/* The names of the parts of a set of lists end up in the certificate's extension and in the list's;
 * one letter makes it another part. */
START_TEST(a_part_about_others_does_not_hide_a_revocation)
{
    g_autoptr(GBytes) seed = read_seed("list-held");
    gsize size = 0;
    guint8 *data = g_bytes_unref_to_data(g_steal_pointer(&seed), &size);
    guint8 *url = (guint8 *)g_strstr_len((char *)data, (gssize)size, "http://a/crl");

    if (!url) /* behind zeros */
        for (gsize i = 0; i + 12 <= size && !url; i++)
            url = memcmp(data + i, "http://a/crl", 12) == 0 ? data + i : NULL;
    ck_assert_ptr_nonnull(url);
    url[7] = 'b';
    g_autoptr(GBytes) list = pki_sign(data, size);
    judge(list, PKI_NOW_S, SIGNET_STANDING_UNKNOWN, "not a complete one", 0);
    g_free(data);
}
END_TEST

START_TEST(a_list_that_was_changed_counts_for_nothing)
{
    g_autoptr(GBytes) seed = read_seed("list-revoked");
    gsize size = 0, whole_size = 0;
    const guint8 *data = g_bytes_get_data(seed, &size);
    g_autoptr(GBytes) list = pki_sign(data, size);
    const guint8 *whole = g_bytes_get_data(list, &whole_size);

    for (gsize i = 0; i < whole_size; i++) {
        g_autofree guint8 *copy = g_memdup2(whole, whole_size);
        SignetFindings found = {0};

        copy[i] ^= 1;
        g_autoptr(GBytes) changed = g_bytes_new_static(copy, whole_size);
        ck_assert_msg(
            !signet_crl_judge(changed, pki_certificate, pki_issuer, PKI_NOW_S, &found, NULL),
            "byte %zu", i);
    }
}
END_TEST

#define MANY 700000u /* 15 MB */

/* A list with many others before ours. */
static GBytes *
make_large_list(void)
{
    static const guint8 head[] = {0x02, 0x01, 0x01, 0x30, 0x05, 0x06, 0x03, 0x2b,
                                  0x65, 0x70, 0x30, 0x0c, 0x31, 0x0a, 0x30, 0x08,
                                  0x06, 0x03, 0x55, 0x04, 0x03, 0x0c, 0x01, 'i'};
    static const char times[] = "\x17\x0d"
                                "270115080000Z"
                                "\x17\x0d"
                                "270116080000Z";
    g_autoptr(GByteArray) entries = g_byte_array_new(), list = g_byte_array_new(),
                          all = g_byte_array_new();
    guint8 entry[] = {0x30, 0x14, 0x02, 0x03, 0,   0,   0,   0x17, 0x0d, '2', '6',
                      '1',  '2',  '0',  '1',  '0', '0', '0', '0',  '0',  '0', 'Z'};
    static const guint8 ours[] = {0x30, 0x12, 0x02, 0x01, 5,   0x17, 0x0d, '2', '6', '1',
                                  '2',  '0',  '1',  '0',  '0', '0',  '0',  '0', '0', 'Z'};

    for (guint i = 0; i < MANY; i++) {
        entry[4] = (guint8)(0x10 + (i >> 16));
        entry[5] = (guint8)(i >> 8);
        entry[6] = (guint8)i;
        g_byte_array_append(entries, entry, sizeof(entry));
    }
    g_byte_array_append(entries, ours, sizeof(ours));
    g_byte_array_append(list, head, sizeof(head));
    g_byte_array_append(list, (const guint8 *)times, sizeof(times) - 1);
    pki_append_head(list, 0x30, entries->len);
    g_byte_array_append(list, entries->data, entries->len);
    pki_append_head(all, 0x30, list->len);
    g_byte_array_append(all, list->data, list->len);
    return pki_sign(all->data, all->len);
}

START_TEST(a_large_list_is_read_to_its_end)
{
    g_autoptr(GBytes) list = make_large_list();

    ck_assert_uint_gt(g_bytes_get_size(list), 15000000);
    ck_assert_uint_lt(g_bytes_get_size(list), SIGNET_CRL_MAX);
    judge(list, PKI_NOW_S, SIGNET_STANDING_REVOKED, NULL, 0);
}
END_TEST

START_TEST(only_http_and_https_are_asked)
{
    X509 *other = pki_make_certificate(6, "other", NID_crl_distribution_points,
                                       "URI:ldap://a/,URI:https://b/crl,URI:file:///etc/passwd");
    gboolean others = FALSE;
    g_auto(GStrv) urls = signet_crl_dup_urls(other, &others);

    ck_assert_uint_eq(g_strv_length(urls), 1);
    ck_assert_str_eq(urls[0], "https://b/crl");
    ck_assert(others);
    X509_free(other);
}
END_TEST

/* --- OCSP --- */

static const struct {
    const char *seed;
    gint64 now_s;
    SignetStanding standing;
    const char *words;
} answers[] = {
    {"ocsp-good", PKI_NOW_S, SIGNET_STANDING_GOOD, NULL},
    {"ocsp-revoked", PKI_NOW_S, SIGNET_STANDING_REVOKED, NULL},
    {"ocsp-revoked", PKI_NOW_S + 100 * 86400, SIGNET_STANDING_UNKNOWN, ""},
    {"ocsp-good", PKI_NOW_S - 365 * 86400, SIGNET_STANDING_UNKNOWN, ""},
    {"ocsp-unauthorized", PKI_NOW_S, SIGNET_STANDING_UNKNOWN, "'unauthorized'"},
    {"list-revoked", PKI_NOW_S, SIGNET_STANDING_UNKNOWN, "no OCSP response"},
};

START_TEST(a_responder_says_what_it_says)
{
    g_autoptr(GBytes) answer = read_seed(answers[_i].seed);
    SignetFindings found = {0};
    g_autoptr(GError) error = NULL;
    gboolean is_judged =
        signet_ocsp_judge(answer, pki_request, pki_issuer, answers[_i].now_s, &found, &error);

    ck_assert_int_eq(found.standing, answers[_i].standing);
    ck_assert_int_eq(is_judged, answers[_i].words == NULL);
    if (answers[_i].words)
        ck_assert_ptr_nonnull(strstr(error->message, answers[_i].words));
}
END_TEST

/* --- roll-over --- */

static X509 *
make_ca(const char *name, X509 *issuer, EVP_PKEY *key, EVP_PKEY *signer, long age_s)
{
    X509 *x509 = X509_new();
    X509_NAME *subject = X509_get_subject_name(x509);

    X509_set_version(x509, X509_VERSION_3);
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const guchar *)name, -1, -1, 0);
    X509_set_issuer_name(x509, issuer ? X509_get_subject_name(issuer) : subject);
    ASN1_TIME_set(X509_getm_notBefore(x509), PKI_NOW_S - age_s);
    ASN1_TIME_set(X509_getm_notAfter(x509), PKI_NOW_S + 1000000);
    X509_set_pubkey(x509, key);
    pki_add_extension(x509, NID_basic_constraints, "critical,CA:TRUE");
    ck_assert_int_gt(X509_sign(x509, signer, NULL), 0);
    return x509;
}

/* --- what an answer is signed with --- */

static GBytes *
make_answer(X509 *issuer, EVP_PKEY *key, OCSP_REQUEST *request, const EVP_MD *digest)
{
    OCSP_CERTID *id = OCSP_onereq_get0_id(OCSP_request_onereq_get0(request, 0));
    OCSP_BASICRESP *basic = OCSP_BASICRESP_new();
    ASN1_TIME *begin = ASN1_TIME_set(NULL, PKI_NOW_S - 10);
    ASN1_TIME *end = ASN1_TIME_set(NULL, PKI_NOW_S + 1000);
    guint8 *der = NULL;

    ck_assert_ptr_nonnull(
        OCSP_basic_add1_status(basic, id, V_OCSP_CERTSTATUS_GOOD, 0, NULL, begin, end));
    ck_assert_int_eq(OCSP_basic_sign(basic, issuer, key, digest, NULL, OCSP_NOTIME), 1);
    OCSP_RESPONSE *response = OCSP_response_create(OCSP_RESPONSE_STATUS_SUCCESSFUL, basic);
    int size = i2d_OCSP_RESPONSE(response, &der);
    GBytes *bytes = g_bytes_new(der, (gsize)size);
    OPENSSL_free(der);
    OCSP_RESPONSE_free(response);
    OCSP_BASICRESP_free(basic);
    ASN1_TIME_free(begin);
    ASN1_TIME_free(end);
    return bytes;
}

START_TEST(a_digest_that_others_can_meet_signs_no_answer)
{
    const EVP_MD *digests[] = {EVP_sha256(), EVP_sha1()};
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *issuer = make_ca("E", NULL, key, key, 10);
    X509 *leaf = make_ca("l", issuer, key, key, 5);
    ASN1_INTEGER_set(X509_get_serialNumber(leaf), 7);
    OCSP_REQUEST *request = signet_ocsp_make_request(leaf, issuer, NULL);
    g_autoptr(GBytes) answer = make_answer(issuer, key, request, digests[_i]);
    SignetFindings found = {0};
    g_autoptr(GError) error = NULL;

    gboolean is_judged = signet_ocsp_judge(answer, request, issuer, PKI_NOW_S, &found, &error);

    ck_assert_msg(is_judged == !_i, "%s", error ? error->message : "judged");
    ck_assert_int_eq(found.standing, _i ? SIGNET_STANDING_UNKNOWN : SIGNET_STANDING_GOOD);
    ck_assert(!_i || signet_error_is(error, SIGNET_ERROR_DENIED));
    OCSP_REQUEST_free(request);
    X509_free(leaf);
    X509_free(issuer);
    EVP_PKEY_free(key);
}
END_TEST

static void
end(X509 *x509, EVP_PKEY *signer, long after_s)
{
    ASN1_TIME_set(X509_getm_notAfter(x509), PKI_NOW_S + after_s);
    ck_assert_int_gt(X509_sign(x509, signer, NULL), 0);
}

static void
push(SignetX509Stack *stack, X509 *certificate)
{
    X509_up_ref(certificate);
    sk_X509_push(stack, certificate);
}

/* The leaf is 1000 s old; what a CA shows is written as letters: R, S its root and issuing CA; N, T
 * others, younger; O a new key of the root's name; P the issuing CA's certificate, made anew to
 * last longer; Q the same, but before the leaf. */
static const struct {
    const char *shown;
    gboolean is_leaving;
    const char *words;
} shows[] = {
    {"RS", FALSE, "goes on"},
    {"R", FALSE, "goes on"},    /* roots only, as many do */
    {"RSNT", FALSE, "goes on"}, /* announced */
    {"RNT", TRUE, "another CA certificate"},
    {"NT", TRUE, "other roots"},
    {"N", TRUE, "other roots"},
    {"RSO", FALSE, "goes on"}, /* a new key of the root, not of the issuer */
    {"RSP", TRUE, "lasts longer"},
    {"RSQ", FALSE, "goes on"},
};

START_TEST(an_issuer_on_its_way_out_is_seen)
{
    EVP_PKEY *keys[5];
    g_autoptr(SignetX509Stack) known = sk_X509_new_null();
    g_autoptr(SignetX509Stack) offered = sk_X509_new_null();
    SignetFindings found = {0};

    for (guint i = 0; i < G_N_ELEMENTS(keys); i++)
        keys[i] = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    g_autoptr(X509) root = make_ca("root", NULL, keys[0], keys[0], 9000);
    g_autoptr(X509) sub = make_ca("sub", root, keys[1], keys[0], 8000);
    g_autoptr(X509) leaf = make_ca("leaf", sub, keys[4], keys[1], 1000);
    g_autoptr(X509) prolonged = make_ca("sub", root, keys[1], keys[0], 200);
    g_autoptr(X509) prolonged_before = make_ca("sub", root, keys[1], keys[0], 2000);
    g_autoptr(X509) next = make_ca("next", NULL, keys[2], keys[2], 500);
    g_autoptr(X509) next_sub = make_ca("next sub", next, keys[3], keys[2], 400);
    g_autoptr(X509) renewed = make_ca("root", NULL, keys[3], keys[3], 300);

    end(sub, keys[0], 5000);
    end(prolonged, keys[0], 9000);
    end(prolonged_before, keys[0], 9000);
    end(leaf, keys[1], 6000);
    push(known, leaf);
    push(known, sub);
    push(known, root);
    for (const char *letter = shows[_i].shown; *letter; letter++)
        push(offered, *letter == 'R'   ? root
                      : *letter == 'S' ? sub
                      : *letter == 'N' ? next
                      : *letter == 'T' ? next_sub
                      : *letter == 'P' ? prolonged
                      : *letter == 'Q' ? prolonged_before
                                       : renewed);
    signet_rollover_judge(offered, known, &found);
    ck_assert_int_eq(found.is_leaving, shows[_i].is_leaving);
    ck_assert_ptr_nonnull(strstr(found.issuer_words, shows[_i].words));
    for (guint i = 0; i < G_N_ELEMENTS(keys); i++)
        EVP_PKEY_free(keys[i]);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("enroller/revocation");
    TCase *all = tcase_create("all");
    SRunner *runner = srunner_create(suite);

    tcase_set_timeout(all, 60);
    tcase_add_checked_fixture(all, pki_prepare, NULL);
    tcase_add_loop_test(all, a_list_says_what_it_says, 0, G_N_ELEMENTS(lists));
    tcase_add_test(all, a_part_about_others_does_not_hide_a_revocation);
    tcase_add_test(all, a_list_that_was_changed_counts_for_nothing);
    tcase_add_test(all, a_large_list_is_read_to_its_end);
    tcase_add_test(all, only_http_and_https_are_asked);
    tcase_add_loop_test(all, a_responder_says_what_it_says, 0, G_N_ELEMENTS(answers));
    tcase_add_loop_test(all, a_digest_that_others_can_meet_signs_no_answer, 0, 2);
    tcase_add_loop_test(all, an_issuer_on_its_way_out_is_seen, 0, G_N_ELEMENTS(shows));
    suite_add_tcase(suite, all);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
