/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* What a CA says of itself by CMP: a new root is one that the old root has signed, and no other. */

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "agent/enroller/answer.h"
#include "agent/enroller/cmp-genp.h"

#define NOW_S 1800000000L

/* Keys by letter: O the old root's, N the new one's, X somebody else's. */
static EVP_PKEY *keys[3];
static const char letters[] = "ONX";

static void
set_up(void)
{
    for (guint i = 0; i < G_N_ELEMENTS(keys); i++)
        keys[i] = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
}

static void
tear_down(void)
{
    for (guint i = 0; i < G_N_ELEMENTS(keys); i++)
        EVP_PKEY_free(keys[i]);
}

static EVP_PKEY *
key_of(char letter)
{
    return keys[strchr(letters, letter) - letters];
}

typedef struct {
    const char *name;
    const char *issuer;
    char key;
    char signer;
    gboolean is_leaf;
    long begin_s; /* 0: a day ago */
    long end_s;   /* 0: in a day */
} Order;

static X509_NAME *
make_name(const char *text)
{
    X509_NAME *name = X509_NAME_new();

    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const guint8 *)text, -1, -1, 0);
    return name;
}

static X509 *
make(const Order *order)
{
    X509 *x509 = X509_new();
    g_autoptr(X509_NAME) name = make_name(order->name);
    g_autoptr(X509_NAME) issuer = make_name(order->issuer);
    X509_EXTENSION *basic = X509V3_EXT_conf_nid(NULL, NULL, NID_basic_constraints,
                                                order->is_leaf ? "CA:FALSE" : "critical,CA:TRUE");

    X509_set_version(x509, X509_VERSION_3);
    X509_set_subject_name(x509, name);
    X509_set_issuer_name(x509, issuer);
    ASN1_TIME_set(X509_getm_notBefore(x509), NOW_S + (order->begin_s ? order->begin_s : -86400));
    ASN1_TIME_set(X509_getm_notAfter(x509), NOW_S + (order->end_s ? order->end_s : 86400));
    X509_set_pubkey(x509, key_of(order->key));
    X509_add_ext(x509, basic, -1);
    X509_EXTENSION_free(basic);
    ck_assert_int_gt(X509_sign(x509, key_of(order->signer), NULL), 0);
    return x509;
}

/* An element around what is there. */
static void
wrap(GByteArray *content, int tag, int class)
{
    guint8 head[16];
    guint8 *at = head;

    ASN1_put_object(&at, 1, (int)content->len, tag, class);
    g_byte_array_prepend(content, head, (guint)(at - head));
}

static void
append(GByteArray *out, X509 *certificate)
{
    guint8 *der = NULL;
    int size = i2d_X509(certificate, &der);

    g_byte_array_append(out, der, (guint)size);
    OPENSSL_free(der);
}

static GByteArray *
make_update(const Order *root, const Order *link)
{
    g_autoptr(X509) new_with_new = make(root);
    GByteArray *out = g_byte_array_new();

    append(out, new_with_new);
    if (link->name) {
        g_autoptr(X509) new_with_old = make(link);
        g_autoptr(GByteArray) tagged = g_byte_array_new();

        append(tagged, new_with_old);
        wrap(tagged, 0, V_ASN1_CONTEXT_SPECIFIC);
        g_byte_array_append(out, tagged->data, tagged->len);
    }
    wrap(out, V_ASN1_SEQUENCE, V_ASN1_UNIVERSAL);
    return out;
}

static const Order old = {.name = "old", .issuer = "old", .key = 'O', .signer = 'O'};
#define ROOT .name = "new", .issuer = "new", .key = 'N', .signer = 'N'
#define LINK .name = "new", .issuer = "old", .key = 'N', .signer = 'O'

static const struct {
    Order root;
    Order link;
    gboolean is_proven;
} rows[] = {
    {{ROOT}, {LINK}, TRUE},
    /* the same name with another key, as RFC 9810 has it */
    {{.name = "old", .issuer = "old", .key = 'N', .signer = 'N'},
     {.name = "old", .issuer = "old", .key = 'N', .signer = 'O'},
     TRUE},
    {{ROOT}, {0}, FALSE},
    {{ROOT}, {.name = "new", .issuer = "old", .key = 'N', .signer = 'X'}, FALSE},
    {{ROOT}, {.name = "new", .issuer = "old", .key = 'N', .signer = 'N'}, FALSE},
    {{ROOT}, {.name = "new", .issuer = "other", .key = 'N', .signer = 'O'}, FALSE},
    {{ROOT}, {.name = "other", .issuer = "old", .key = 'N', .signer = 'O'}, FALSE},
    {{ROOT}, {.name = "new", .issuer = "old", .key = 'X', .signer = 'O'}, FALSE},
    {{ROOT}, {LINK, .is_leaf = TRUE}, FALSE},
    {{ROOT, .is_leaf = TRUE}, {LINK}, FALSE},
    {{ROOT}, {LINK, .end_s = -1}, FALSE},
    {{ROOT}, {LINK, .begin_s = 60}, FALSE},
    {{ROOT, .end_s = -1}, {LINK}, FALSE},
    {{ROOT, .begin_s = 60}, {LINK}, FALSE},
    {{.name = "new", .issuer = "new", .key = 'N', .signer = 'X'}, {LINK}, FALSE},
    {{.name = "new", .issuer = "old", .key = 'N', .signer = 'O'}, {LINK}, FALSE},
    {{.name = "old", .issuer = "old", .key = 'O', .signer = 'O'},
     {.name = "old", .issuer = "old", .key = 'O', .signer = 'O'},
     FALSE},
};

START_TEST(a_root_is_new_if_the_old_one_has_signed_it)
{
    g_autoptr(X509) known = make(&old);
    g_autoptr(GByteArray) update = make_update(&rows[_i].root, &rows[_i].link);
    g_autoptr(X509) root =
        signet_cmp_genp_prove_root((struct signet_bytes) {update->data, update->len}, known, NOW_S);

    ck_assert_msg((root != NULL) == rows[_i].is_proven, "row %d", _i);
}
END_TEST

START_TEST(what_is_cut_short_proves_nothing)
{
    g_autoptr(X509) known = make(&old);
    g_autoptr(GByteArray) update = make_update(&rows[0].root, &rows[0].link);

    for (guint size = 0; size < update->len; size++)
        ck_assert_ptr_null(
            signet_cmp_genp_prove_root((struct signet_bytes) {update->data, size}, known, NOW_S));
}
END_TEST

/* PKIMessage with an empty header, and one piece of information for each number. */
static GByteArray *
make_message(const guint8 *numbers, guint n, int body)
{
    GByteArray *out = g_byte_array_new();
    static const guint8 header[] = {0x30, 0};

    for (guint i = 0; i < n; i++) {
        const guint8 info[] = {0x30, 12, 6, 8, 0x2b, 6, 1, 5, 5, 7, 4, numbers[i], 0x30, 0};

        g_byte_array_append(out, info, sizeof(info));
    }
    wrap(out, V_ASN1_SEQUENCE, V_ASN1_UNIVERSAL);
    wrap(out, body, V_ASN1_CONTEXT_SPECIFIC);
    g_byte_array_prepend(out, header, sizeof(header));
    wrap(out, V_ASN1_SEQUENCE, V_ASN1_UNIVERSAL);
    return out;
}

START_TEST(an_information_is_found_among_others)
{
    static const guint8 numbers[] = {5, SIGNET_CMP_CA_CERTS};
    struct signet_bytes value = {0};
    g_autoptr(GByteArray) message = make_message(numbers, 2, 22);
    g_autoptr(GByteArray) other = make_message(numbers, 2, 21);
    const struct signet_bytes bytes = {message->data, message->len};

    ck_assert(signet_cmp_genp_find(bytes, SIGNET_CMP_CA_CERTS, &value));
    ck_assert_uint_eq(value.size, 2);
    ck_assert(!signet_cmp_genp_find(bytes, SIGNET_CMP_ROOT_KEY_UPDATE, &value));
    ck_assert(!signet_cmp_genp_find((struct signet_bytes) {other->data, other->len},
                                    SIGNET_CMP_CA_CERTS, &value));
}
END_TEST

START_TEST(so_many_certificates_are_read_and_no_more)
{
    g_autoptr(X509) one = make(&old);
    g_autoptr(GByteArray) list = g_byte_array_new();

    for (int i = 0; i < SIGNET_ANSWER_CERTIFICATES_MAX + _i; i++)
        append(list, one);
    wrap(list, V_ASN1_SEQUENCE, V_ASN1_UNIVERSAL);
    g_autoptr(SignetX509Stack) read =
        signet_cmp_genp_read_certificates((struct signet_bytes) {list->data, list->len});
    ck_assert_int_eq(read ? sk_X509_num(read) : 0, _i ? 0 : SIGNET_ANSWER_CERTIFICATES_MAX);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("enroller/genp");
    TCase *tcase = tcase_create("general");
    SRunner *runner = srunner_create(suite);

    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_loop_test(tcase, a_root_is_new_if_the_old_one_has_signed_it, 0, G_N_ELEMENTS(rows));
    tcase_add_test(tcase, what_is_cut_short_proves_nothing);
    tcase_add_test(tcase, an_information_is_found_among_others);
    tcase_add_loop_test(tcase, so_many_certificates_are_read_and_no_more, 0, 2);
    suite_add_tcase(suite, tcase);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
