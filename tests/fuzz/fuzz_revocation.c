/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Fuzz target of what is said of a certificate: revocation lists, OCSP answers, findings. A list is
 * read as it is, and once more with the input as the part that its issuer has signed: else nothing
 * behind the signature would be reached. */

#include <stdlib.h>
#include <string.h>

#include "agent/enroll/findings.h"
#include "agent/enroller/crl.h"
#include "agent/enroller/ocsp.h"
#include "tests/fuzz/fuzz.h"

#define NOW_S 1800000000

static EVP_PKEY *key;
static X509 *issuer, *certificate;
static OCSP_REQUEST *request;

static void
require(gboolean is_true)
{
    if (!is_true)
        abort();
}

static void
add_extension(X509 *x509, int nid, const char *value)
{
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, nid, value);

    require(extension && X509_add_ext(x509, extension, -1));
    X509_EXTENSION_free(extension);
}

static X509 *
make_certificate(long serial, const char *name, int nid, const char *value)
{
    X509 *x509 = X509_new();
    X509_NAME *subject = X509_get_subject_name(x509);

    X509_set_version(x509, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(x509), serial);
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const guchar *)name, -1, -1, 0);
    X509_set_issuer_name(x509, issuer ? X509_get_subject_name(issuer) : subject);
    ASN1_TIME_set(X509_getm_notBefore(x509), NOW_S - 1000);
    ASN1_TIME_set(X509_getm_notAfter(x509), NOW_S + 100000);
    X509_set_pubkey(x509, key);
    add_extension(x509, nid, value);
    require(X509_sign(x509, key, NULL) > 0);
    return x509;
}

static void
prepare(void)
{
    guint8 raw[32];

    if (key)
        return;
    memset(raw, 1, sizeof(raw));
    key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, raw, sizeof(raw));
    require(key != NULL);
    issuer = make_certificate(1, "i", NID_key_usage, "critical,keyCertSign,cRLSign");
    certificate = make_certificate(5, "leaf", NID_crl_distribution_points, "URI:http://a/crl");
    request = signet_ocsp_make_request(certificate, issuer, NULL);
    require(request != NULL);
}

static void
append_head(GByteArray *out, guint8 tag, gsize size)
{
    const guint8 head[] = {tag, 0x83, (guint8)(size >> 16), (guint8)(size >> 8), (guint8)size};
    const guint8 small[] = {tag, (guint8)size}, middle[] = {tag, 0x81, (guint8)size};
    const guint8 large[] = {tag, 0x82, (guint8)(size >> 8), (guint8)size};

    if (size < 0x80)
        g_byte_array_append(out, small, sizeof(small));
    else if (size < 0x100)
        g_byte_array_append(out, middle, sizeof(middle));
    else if (size < 0x10000)
        g_byte_array_append(out, large, sizeof(large));
    else
        g_byte_array_append(out, head, sizeof(head));
}

static GBytes *
sign(const uint8_t *data, size_t size)
{
    static const guint8 algorithm[] = {0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70};
    static const guint8 unused_bits = 0;
    g_autoptr(EVP_MD_CTX) signing = EVP_MD_CTX_new();
    g_autoptr(GByteArray) body = g_byte_array_new();
    GByteArray *all = g_byte_array_new();
    guint8 signature[64];
    size_t length = sizeof(signature);

    require(EVP_DigestSignInit(signing, NULL, NULL, NULL, key) > 0 &&
            EVP_DigestSign(signing, signature, &length, data, size) > 0);
    g_byte_array_append(body, data, (guint)size);
    g_byte_array_append(body, algorithm, sizeof(algorithm));
    append_head(body, 0x03, sizeof(signature) + 1);
    g_byte_array_append(body, &unused_bits, 1);
    g_byte_array_append(body, signature, sizeof(signature));
    append_head(all, 0x30, body->len);
    g_byte_array_append(all, body->data, body->len);
    return g_byte_array_free_to_bytes(all);
}

static void
check(gboolean is_judged, const SignetFindings *findings)
{
    require(is_judged ? findings->standing >= SIGNET_STANDING_GOOD && findings->reason <= 10 &&
                            findings->revoked_s >= 0
                      : findings->standing == SIGNET_STANDING_UNKNOWN);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autoptr(GBytes) bytes = g_bytes_new_static(data, size);
    SignetFindings list = {0}, signed_list = {0}, answer = {0}, read = {0}, again = {0};

    prepare();
    check(signet_crl_judge(bytes, certificate, issuer, NOW_S, &list, NULL), &list);
    check(signet_ocsp_judge(bytes, request, issuer, NOW_S, &answer, NULL), &answer);
    if (size > 0) {
        g_autoptr(GBytes) whole = sign(data, size);

        check(signet_crl_judge(whole, certificate, issuer, NOW_S, &signed_list, NULL),
              &signed_list);
    }
    if (signet_findings_from_text(bytes, &read, NULL)) {
        g_autoptr(GBytes) text = signet_findings_to_text(&read);

        require(signet_findings_from_text(text, &again, NULL));
        require(read.next_update_s == again.next_update_s && g_str_equal(read.words, again.words));
    }
    ERR_clear_error();
    return 0;
}
