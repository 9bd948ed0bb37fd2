/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* What is recognised, and above all what is not. */

#include <check.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

#include "agent/broker/purpose.h"
#include "tests/unit/broker/handshake.h"

static SignetPurpose
recognise(GBytes *message)
{
    gsize size;
    const guint8 *data = g_bytes_get_data(message, &size);

    return signet_purpose_recognise(data, size);
}

/* A copy of exactly that size, so that the sanitizer sees every byte read beyond it. */
static SignetPurpose
recognise_copy(const guint8 *data, gsize size)
{
    guint8 *copy = malloc(size ? size : 1);
    SignetPurpose purpose;

    if (size > 0)
        memcpy(copy, data, size);
    purpose = signet_purpose_recognise(copy, size);
    free(copy);
    return purpose;
}

/* --- real handshakes --- */

static const HandshakeSpec handshakes[] = {
    {TLS1_3_VERSION, FALSE, NULL, NULL},          {TLS1_3_VERSION, TRUE, NULL, NULL},
    {TLS1_3_VERSION, FALSE, "P-521", NULL},       {TLS1_2_VERSION, FALSE, NULL, NULL},
    {TLS1_2_VERSION, FALSE, "P-256", NULL},       {TLS1_2_VERSION, FALSE, "P-384:P-256", NULL},
    {TLS1_2_VERSION, FALSE, "P-521:P-256", NULL}, {TLS1_2_VERSION, FALSE, "X448:P-256", NULL},
    {TLS1_2_VERSION, TRUE, "X25519", NULL},       {TLS1_2_VERSION, TRUE, NULL, "DHE"},
};

START_TEST(what_openssl_signs_in_a_handshake_is_recognised)
{
    HandshakeCapture capture = handshake_capture(&handshakes[_i]);

    ck_assert_int_eq(recognise(capture.client), SIGNET_PURPOSE_TLS_CLIENT);
    ck_assert_int_eq(recognise(capture.server), SIGNET_PURPOSE_TLS_SERVER);
    handshake_capture_clear(&capture);
}
END_TEST

/* A TLS 1.3 message only says how long its hash is by its own length. */
static gboolean
may_be_cut_to(const HandshakeSpec *spec, gsize size)
{
    return spec->version == TLS1_3_VERSION && (size == 98 + 32 || size == 98 + 48);
}

static void
check_lengths(const HandshakeSpec *spec, GBytes *message)
{
    gsize size;
    const guint8 *data = g_bytes_get_data(message, &size);
    g_autofree guint8 *longer = g_malloc0(size + 1);

    for (gsize cut = 0; cut < size; cut++)
        ck_assert(may_be_cut_to(spec, cut) || recognise_copy(data, cut) == 0);
    memcpy(longer, data, size);
    ck_assert_int_eq(recognise_copy(longer, size + 1), 0);
}

START_TEST(a_byte_more_or_less_is_recognised_as_nothing)
{
    HandshakeCapture capture = handshake_capture(&handshakes[_i]);

    check_lengths(&handshakes[_i], capture.client);
    check_lengths(&handshakes[_i], capture.server);
    handshake_capture_clear(&capture);
}
END_TEST

static void
check_changes(GBytes *message)
{
    SignetPurpose purpose = recognise(message);
    gsize size;
    g_autofree guint8 *data =
        g_memdup2(g_bytes_get_data(message, &size), g_bytes_get_size(message));

    size = g_bytes_get_size(message);
    for (gsize i = 0; i < size; i++) {
        for (int bit = 0; bit < 8; bit++) {
            SignetPurpose changed;

            data[i] ^= (guint8)(1 << bit);
            changed = recognise_copy(data, size);
            ck_assert(changed == purpose || changed == 0);
            data[i] ^= (guint8)(1 << bit);
        }
    }
}

START_TEST(no_changed_bit_makes_one_purpose_look_like_another)
{
    HandshakeCapture capture = handshake_capture(&handshakes[_i]);

    check_changes(capture.client);
    check_changes(capture.server);
    handshake_capture_clear(&capture);
}
END_TEST

static GBytes *
swap_context(const char *word)
{
    GByteArray *message = g_byte_array_new();
    g_autofree char *context = g_strdup_printf("TLS 1.3, %s CertificateVerify", word);
    guint8 hash[32] = {0};

    for (int i = 0; i < 64; i++)
        g_byte_array_append(message, (const guint8 *)" ", 1);
    g_byte_array_append(message, (const guint8 *)context, (guint)strlen(context) + 1);
    g_byte_array_append(message, hash, sizeof hash);
    return g_byte_array_free_to_bytes(message);
}

START_TEST(only_the_two_contexts_of_tls_1_3_count)
{
    static const struct {
        const char *word;
        int purpose;
    } rows[] = {
        {"client", SIGNET_PURPOSE_TLS_CLIENT},
        {"server", SIGNET_PURPOSE_TLS_SERVER},
        {"Client", 0},
        {"clients", 0},
        {"xlient", 0},
        {"", 0},
    };
    g_autoptr(GBytes) message = swap_context(rows[_i].word);

    ck_assert_int_eq(recognise(message), rows[_i].purpose);
}
END_TEST

/* --- TLS 1.2 transcripts by hand --- */

static void
add_message(GByteArray *out, guint8 type, const void *body, gsize size)
{
    const guint8 header[] = {type, (guint8)(size >> 16), (guint8)(size >> 8), (guint8)size};

    g_byte_array_append(out, header, sizeof header);
    g_byte_array_append(out, body, (guint)size);
}

static const guint8 client_hello[] = {3, 3, [2 ... 33] = 7, 0, 0, 2, 0xc0, 0x2b, 1, 0};
static const guint8 server_hello[] = {3, 3, [2 ... 33] = 8, 0, 0xc0, 0x2b, 0};
static const guint8 certificates[] = {0, 0, 5, 0, 0, 2, 0x30, 0};
static const guint8 no_certificates[] = {0, 0, 0};
static const guint8 certificate_request[] = {1, 64, 0, 2, 4, 3, 0, 0};
static const guint8 something[] = {1, 2, 3};

typedef struct {
    guint8 type;
    const guint8 *body;
    gsize size;
} Piece;

#define PIECE(type, body)       \
    {                           \
        type, body, sizeof body \
    }
#define NOTHING(type) \
    {                 \
        type, NULL, 0 \
    }

typedef struct {
    const char *what;
    gboolean is_client;
    Piece pieces[14];
} TranscriptRow;

static const TranscriptRow transcripts[] = {
    {"the least there is",
     TRUE,
     {PIECE(1, client_hello), PIECE(2, server_hello), PIECE(11, certificates),
      PIECE(13, certificate_request), NOTHING(14), PIECE(11, certificates), PIECE(16, something)}},
    {"all there may be",
     TRUE,
     {PIECE(1, client_hello), PIECE(2, server_hello), PIECE(23, something), PIECE(11, certificates),
      PIECE(22, something), PIECE(12, something), PIECE(13, certificate_request), NOTHING(14),
      PIECE(23, something), PIECE(11, certificates), PIECE(16, something)}},
    {"no client hello",
     FALSE,
     {PIECE(2, server_hello), PIECE(11, certificates), PIECE(13, certificate_request), NOTHING(14),
      PIECE(11, certificates), PIECE(16, something)}},
    {"no request for a certificate",
     FALSE,
     {PIECE(1, client_hello), PIECE(2, server_hello), PIECE(11, certificates), NOTHING(14),
      PIECE(11, certificates), PIECE(16, something)}},
    {"an empty list of certificates",
     FALSE,
     {PIECE(1, client_hello), PIECE(2, server_hello), PIECE(11, certificates),
      PIECE(13, certificate_request), NOTHING(14), PIECE(11, no_certificates),
      PIECE(16, something)}},
    {"messages in another order",
     FALSE,
     {PIECE(1, client_hello), PIECE(2, server_hello), PIECE(11, certificates), NOTHING(14),
      PIECE(13, certificate_request), PIECE(11, certificates), PIECE(16, something)}},
    {"no key exchange at the end",
     FALSE,
     {PIECE(1, client_hello), PIECE(2, server_hello), PIECE(11, certificates),
      PIECE(13, certificate_request), NOTHING(14), PIECE(11, certificates)}},
    {"a message after the key exchange",
     FALSE,
     {PIECE(1, client_hello), PIECE(2, server_hello), PIECE(11, certificates),
      PIECE(13, certificate_request), NOTHING(14), PIECE(11, certificates), PIECE(16, something),
      PIECE(20, something)}},
    {"something in server hello done",
     FALSE,
     {PIECE(1, client_hello), PIECE(2, server_hello), PIECE(11, certificates),
      PIECE(13, certificate_request), PIECE(14, something), PIECE(11, certificates),
      PIECE(16, something)}},
    {"a client hello that is none",
     FALSE,
     {PIECE(1, something), PIECE(2, server_hello), PIECE(11, certificates),
      PIECE(13, certificate_request), NOTHING(14), PIECE(11, certificates), PIECE(16, something)}},
};

START_TEST(a_tls_1_2_transcript_has_its_messages_in_their_order)
{
    GByteArray *out = g_byte_array_new();
    int expected = transcripts[_i].is_client ? SIGNET_PURPOSE_TLS_CLIENT : 0;

    for (const Piece *piece = transcripts[_i].pieces; piece->type; piece++)
        add_message(out, piece->type, piece->body, piece->size);
    ck_assert_msg((int)recognise_copy(out->data, out->len) == expected, "%s", transcripts[_i].what);
    g_byte_array_unref(out);
}
END_TEST

/* --- ServerKeyExchange by hand --- */

typedef struct {
    const char *what;
    gboolean is_server;
    guint8 curve_type;
    guint16 group;
    guint8 said;  /* size of the point, as written */
    guint8 real;  /* … as sent */
    guint8 first; /* byte of the point */
} ExchangeRow;

static const ExchangeRow exchanges[] = {
    {"P-256", TRUE, 3, 23, 65, 65, 4},
    {"X25519", TRUE, 3, 29, 32, 32, 9},
    {"compressed point", FALSE, 3, 23, 33, 33, 2},
    {"P-256 with the size of P-384", FALSE, 3, 23, 97, 97, 4},
    {"unknown group", FALSE, 3, 4242, 65, 65, 4},
    {"explicit curve", FALSE, 1, 23, 65, 65, 4},
    {"point cut short", FALSE, 3, 23, 65, 64, 4},
    {"something behind the point", FALSE, 3, 23, 65, 66, 4},
};

START_TEST(a_key_exchange_is_one_known_group_and_nothing_else)
{
    const ExchangeRow *row = &exchanges[_i];
    guint8 message[256] = {0};

    memset(message, 0xab, 64);
    message[64] = row->curve_type;
    message[65] = (guint8)(row->group >> 8);
    message[66] = (guint8)row->group;
    message[67] = row->said;
    message[68] = row->first;
    ck_assert_msg((recognise_copy(message, 68 + (gsize)row->real) == SIGNET_PURPOSE_TLS_SERVER) ==
                      row->is_server,
                  "%s", row->what);
}
END_TEST

/* SET { OCTET STRING (60 bytes), OCTET STRING (…) } whose tail reads as ServerECDHParams of X25519:
 * a CMS signer's attributes could be built like that. */
START_TEST(a_document_that_ends_like_a_key_exchange_is_not_one)
{
    guint8 message[100] = {0x31, 98, 0x04, 58, [4 ... 61] = 1, 0x04, 36,
                           3,    0,  29,   32, [68 ... 99] = 9};

    ck_assert_int_eq(recognise_copy(message, sizeof message), 0);
    message[0] = 0x77; /* no document any more: the same bytes are a key exchange then */
    message[1] = 0xff;
    ck_assert_int_eq(recognise_copy(message, sizeof message), SIGNET_PURPOSE_TLS_SERVER);
}
END_TEST

/* --- documents --- */

static GBytes *
make_csr(void)
{
    EVP_PKEY *key = handshake_make_key(FALSE);
    X509_REQ *request = X509_REQ_new();
    guint8 *der = NULL;
    GBytes *bytes;
    int size;

    X509_REQ_set_version(request, X509_REQ_VERSION_1);
    X509_NAME_add_entry_by_txt(X509_REQ_get_subject_name(request), "CN", MBSTRING_ASC,
                               (const guint8 *)"x", -1, -1, 0);
    X509_REQ_set_pubkey(request, key);
    size = i2d_re_X509_REQ_tbs(request, &der);
    ck_assert_int_gt(size, 0);
    bytes = g_bytes_new(der, (gsize)size);
    OPENSSL_free(der);
    X509_REQ_free(request);
    EVP_PKEY_free(key);
    return bytes;
}

static GBytes *
make_tbs_certificate(long version)
{
    EVP_PKEY *key = handshake_make_key(FALSE);
    X509 *certificate = X509_new();
    X509_ALGOR *algorithm = NULL;
    guint8 *der = NULL;
    GBytes *bytes;
    int size;

    X509_set_version(certificate, version);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate), 0);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 60);
    X509_set_pubkey(certificate, key);
    X509_sign(certificate, key, EVP_sha256());
    size = i2d_re_X509_tbs(certificate, &der);
    ck_assert_int_gt(size, 0);
    bytes = g_bytes_new(der, (gsize)size);
    X509_ALGOR_free(algorithm);
    OPENSSL_free(der);
    X509_free(certificate);
    EVP_PKEY_free(key);
    return bytes;
}

START_TEST(a_request_for_a_certificate_is_recognised)
{
    g_autoptr(GBytes) csr = make_csr();

    ck_assert_int_eq(recognise(csr), SIGNET_PURPOSE_CSR);
    check_lengths(&handshakes[3], csr);
    check_changes(csr);
}
END_TEST

START_TEST(a_certificate_is_recognised)
{
    g_autoptr(GBytes) v1 = make_tbs_certificate(X509_VERSION_1);
    g_autoptr(GBytes) v3 = make_tbs_certificate(X509_VERSION_3);

    ck_assert_int_eq(recognise(v1), SIGNET_PURPOSE_CERTIFICATE);
    ck_assert_int_eq(recognise(v3), SIGNET_PURPOSE_CERTIFICATE);
    check_lengths(&handshakes[3], v3);
    check_changes(v3);
}
END_TEST

/* --- ssh --- */

static void
add_string(GByteArray *out, const void *data, guint8 size)
{
    const guint8 header[] = {0, 0, 0, size};

    g_byte_array_append(out, header, sizeof header);
    g_byte_array_append(out, data, size);
}

static GByteArray *
make_ssh(guint8 type, const char *service, const char *method, gboolean has_host_key)
{
    GByteArray *out = g_byte_array_new();
    guint8 session[32] = {1}, flag = 1;

    add_string(out, session, sizeof session);
    g_byte_array_append(out, &type, 1);
    add_string(out, "root", 4);
    add_string(out, service, (guint8)strlen(service));
    add_string(out, method, (guint8)strlen(method));
    g_byte_array_append(out, &flag, 1);
    add_string(out, "ecdsa-sha2-nistp256", 19);
    add_string(out, session, sizeof session);
    if (has_host_key)
        add_string(out, session, sizeof session);
    return out;
}

START_TEST(a_login_by_ssh_is_recognised)
{
    static const struct {
        guint8 type;
        const char *service, *method;
        gboolean has_host_key;
        int purpose;
    } rows[] = {
        {50, "ssh-connection", "publickey", FALSE, SIGNET_PURPOSE_SSH_USERAUTH},
        {50, "ssh-connection", "publickey-hostbound-v00@openssh.com", TRUE,
         SIGNET_PURPOSE_SSH_USERAUTH},
        {50, "ssh-connection", "publickey", TRUE, 0},
        {50, "ssh-connection", "publickey-hostbound-v00@openssh.com", FALSE, 0},
        {50, "ssh-connection", "hostbased", FALSE, 0},
        {50, "other", "publickey", FALSE, 0},
        {51, "ssh-connection", "publickey", FALSE, 0},
    };
    GByteArray *message =
        make_ssh(rows[_i].type, rows[_i].service, rows[_i].method, rows[_i].has_host_key);

    ck_assert_int_eq(recognise_copy(message->data, message->len), rows[_i].purpose);
    g_byte_array_unref(message);
}
END_TEST

/* --- everything else --- */

START_TEST(what_is_nothing_is_recognised_as_nothing)
{
    static const char jwt[] = "eyJhbGciOiJFUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0";
    guint8 *large = g_malloc0(60 * 1024);

    ck_assert_int_eq(signet_purpose_recognise(NULL, 0), 0);
    ck_assert_int_eq(recognise_copy((const guint8 *)jwt, strlen(jwt)), 0);
    ck_assert_int_eq(recognise_copy((const guint8 *)"sshsig text", 11), 0);
    for (int fill = 0; fill < 256; fill++) {
        memset(large, fill, 60 * 1024);
        ck_assert_int_eq(recognise_copy(large, 60 * 1024), 0);
        ck_assert_int_eq(recognise_copy(large, 32), 0);
        ck_assert_int_eq(recognise_copy(large, 133), 0);
    }
    g_free(large);
}
END_TEST

START_TEST(random_bytes_are_recognised_as_nothing)
{
    GRand *random = g_rand_new_with_seed(7);
    guint8 data[512];

    for (int round = 0; round < 20000; round++) {
        gsize size = (gsize)g_rand_int_range(random, 0, sizeof data);

        for (gsize i = 0; i < size; i++)
            data[i] = (guint8)g_rand_int(random);
        ck_assert_int_eq(recognise_copy(data, size), 0);
    }
    g_rand_free(random);
}
END_TEST

static Suite *
purpose_suite(void)
{
    Suite *suite = suite_create("purpose");
    TCase *tls = tcase_create("tls");
    TCase *documents = tcase_create("documents");

    tcase_set_timeout(tls, 120);
    tcase_add_loop_test(tls, what_openssl_signs_in_a_handshake_is_recognised, 0,
                        G_N_ELEMENTS(handshakes));
    tcase_add_loop_test(tls, a_byte_more_or_less_is_recognised_as_nothing, 0,
                        G_N_ELEMENTS(handshakes));
    tcase_add_loop_test(tls, no_changed_bit_makes_one_purpose_look_like_another, 0,
                        G_N_ELEMENTS(handshakes));
    tcase_add_loop_test(tls, only_the_two_contexts_of_tls_1_3_count, 0, 6);
    tcase_add_loop_test(tls, a_tls_1_2_transcript_has_its_messages_in_their_order, 0,
                        G_N_ELEMENTS(transcripts));
    tcase_add_loop_test(tls, a_key_exchange_is_one_known_group_and_nothing_else, 0,
                        G_N_ELEMENTS(exchanges));
    tcase_add_test(tls, a_document_that_ends_like_a_key_exchange_is_not_one);
    suite_add_tcase(suite, tls);

    tcase_set_timeout(documents, 120);
    tcase_add_test(documents, a_request_for_a_certificate_is_recognised);
    tcase_add_test(documents, a_certificate_is_recognised);
    tcase_add_loop_test(documents, a_login_by_ssh_is_recognised, 0, 7);
    tcase_add_test(documents, what_is_nothing_is_recognised_as_nothing);
    tcase_add_test(documents, random_bytes_are_recognised_as_nothing);
    suite_add_tcase(suite, documents);
    return suite;
}

int
main(void)
{
    SRunner *runner = srunner_create(purpose_suite());
    int failed;

    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
