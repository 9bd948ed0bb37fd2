/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* A CA whose key is known to everybody, for tests and the fuzz target of what is said of a
 * certificate: issuer 'i', and its certificate of serial number 5 with http://a/crl as distribution
 * point. */

#pragma once

#include <stdlib.h>
#include <string.h>

#include "agent/enroller/crl.h"
#include "agent/enroller/ocsp.h"

#define PKI_NOW_S 1800000000

static EVP_PKEY *pki_key;
static X509 *pki_issuer, *pki_certificate;
static OCSP_REQUEST *pki_request;

static inline void
pki_require(gboolean is_true)
{
    if (!is_true)
        abort();
}

static inline void
pki_add_extension(X509 *x509, int nid, const char *value)
{
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, nid, value);

    pki_require(extension && X509_add_ext(x509, extension, -1));
    X509_EXTENSION_free(extension);
}

static inline X509 *
pki_make_certificate(long serial, const char *name, int nid, const char *value)
{
    X509 *x509 = X509_new();
    X509_NAME *subject = X509_get_subject_name(x509);

    X509_set_version(x509, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(x509), serial);
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const guchar *)name, -1, -1, 0);
    X509_set_issuer_name(x509, pki_issuer ? X509_get_subject_name(pki_issuer) : subject);
    ASN1_TIME_set(X509_getm_notBefore(x509), PKI_NOW_S - 1000);
    ASN1_TIME_set(X509_getm_notAfter(x509), PKI_NOW_S + 100000);
    X509_set_pubkey(x509, pki_key);
    pki_add_extension(x509, nid, value);
    pki_require(X509_sign(x509, pki_key, NULL) > 0);
    return x509;
}

static inline void
pki_prepare(void)
{
    guint8 raw[32];

    if (pki_key)
        return;
    memset(raw, 1, sizeof(raw));
    pki_key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, raw, sizeof(raw));
    pki_require(pki_key != NULL);
    pki_issuer = pki_make_certificate(1, "i", NID_key_usage, "critical,keyCertSign,cRLSign");
    pki_certificate =
        pki_make_certificate(5, "leaf", NID_crl_distribution_points, "URI:http://a/crl");
    pki_request = signet_ocsp_make_request(pki_certificate, pki_issuer, NULL);
    pki_require(pki_request != NULL);
}

static inline void
pki_append_head(GByteArray *out, guint8 tag, gsize size)
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

static inline GBytes *
pki_sign(const uint8_t *data, size_t size)
{
    static const guint8 algorithm[] = {0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70};
    static const guint8 unused_bits = 0;
    g_autoptr(EVP_MD_CTX) signing = EVP_MD_CTX_new();
    g_autoptr(GByteArray) body = g_byte_array_new();
    GByteArray *all = g_byte_array_new();
    guint8 signature[64];
    size_t length = sizeof(signature);

    pki_require(EVP_DigestSignInit(signing, NULL, NULL, NULL, pki_key) > 0 &&
                EVP_DigestSign(signing, signature, &length, data, size) > 0);
    g_byte_array_append(body, data, (guint)size);
    g_byte_array_append(body, algorithm, sizeof(algorithm));
    pki_append_head(body, 0x03, sizeof(signature) + 1);
    g_byte_array_append(body, &unused_bits, 1);
    g_byte_array_append(body, signature, sizeof(signature));
    pki_append_head(all, 0x30, body->len);
    g_byte_array_append(all, body->data, body->len);
    return g_byte_array_free_to_bytes(all);
}
