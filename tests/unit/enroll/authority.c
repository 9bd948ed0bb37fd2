/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* A CA in memory. */

#include "tests/unit/enroll/authority.h"

#include <openssl/ec.h>

#include "agent/enroll/names.h"

#define CA_SUBJECT "CN=Test CA,O=Example"

static const char *const dns[] = {"host.example", NULL};
static const char *const ip[] = {"192.0.2.7", NULL};

EVP_PKEY *
authority_make_key(void)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");

    g_assert_nonnull(key);
    return key;
}

GBytes *
authority_spki(EVP_PKEY *key)
{
    guint8 *der = NULL;
    int size = i2d_PUBKEY(key, &der);
    GBytes *bytes = g_bytes_new(der, (gsize)size);

    OPENSSL_free(der);
    return bytes;
}

GBytes *
authority_der(X509 *certificate)
{
    guint8 *der = NULL;
    int size = i2d_X509(certificate, &der);
    GBytes *bytes = g_bytes_new(der, (gsize)size);

    OPENSSL_free(der);
    return bytes;
}

GBytes *
authority_tbs(X509 *certificate)
{
    guint8 *der = NULL;
    int size = i2d_re_X509_tbs(certificate, &der);
    GBytes *bytes = g_bytes_new(der, (gsize)size);

    OPENSSL_free(der);
    return bytes;
}

static void
push(STACK_OF(X509_EXTENSION) * stack, int nid, const char *value, const char *usual)
{
    const char *text = value ? value : usual;

    if (!text || !text[0])
        return;
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, nid, text);
    g_assert_nonnull(extension);
    sk_X509_EXTENSION_push(stack, extension);
}

static STACK_OF(X509_EXTENSION) * make_extensions(const AuthorityOrder *order)
{
    STACK_OF(X509_EXTENSION) *stack = sk_X509_EXTENSION_new_null();

    push(stack, NID_basic_constraints, order->basic, "critical,CA:FALSE");
    push(stack, NID_key_usage, order->usage, "critical,digitalSignature");
    push(stack, NID_ext_key_usage, order->extended, "clientAuth");
    push(stack, NID_subject_alt_name, order->alt, "DNS:host.example,IP:192.0.2.7");
    push(stack, NID_netscape_comment, order->additional, NULL);
    return stack;
}

static X509_NAME *
make_name(const char *text)
{
    X509_NAME *name = signet_names_parse_subject(text, NULL);

    g_assert_nonnull(name);
    return name;
}

X509 *
authority_issue(const Authority *authority, const AuthorityOrder *order)
{
    X509 *certificate = X509_new();
    g_autoptr(X509_NAME) subject = make_name(order->subject ? order->subject : "CN=host,O=Example");
    g_autoptr(X509_NAME) ca_name = make_name(CA_SUBJECT);
    STACK_OF(X509_EXTENSION) *extensions = make_extensions(order);

    X509_set_version(certificate, order->version ? order->version - 1 : X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), 77);
    X509_set_subject_name(certificate, subject);
    X509_set_issuer_name(certificate,
                         order->issuer ? X509_get_subject_name(order->issuer) : ca_name);
    ASN1_TIME_set(X509_getm_notBefore(certificate),
                  AUTHORITY_NOW_S + (order->begin_s ? order->begin_s : -300));
    ASN1_TIME_set(X509_getm_notAfter(certificate),
                  AUTHORITY_NOW_S + (order->end_s ? order->end_s : 3600));
    X509_set_pubkey(certificate, order->key ? order->key : authority->new_key);
    for (int i = 0; i < sk_X509_EXTENSION_num(extensions); i++)
        X509_add_ext(certificate, sk_X509_EXTENSION_value(extensions, i), -1);
    sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
    g_assert_cmpint(
        X509_sign(certificate, order->signer ? order->signer : authority->ca_key, EVP_sha256()), >,
        0);
    if (order->version) /* OpenSSL 3.5 makes it 3 while it signs */
        X509_set_version(certificate, order->version - 1);
    return certificate;
}

GBytes *
authority_csr_info(const Authority *authority, const AuthorityOrder *order)
{
    g_autoptr(X509_REQ) csr = X509_REQ_new();
    g_autoptr(X509_NAME) subject = make_name(order->subject ? order->subject : "CN=host,O=Example");
    STACK_OF(X509_EXTENSION) *extensions = make_extensions(order);
    guint8 *der = NULL;

    X509_REQ_set_subject_name(csr, subject);
    X509_REQ_set_pubkey(csr, order->key ? order->key : authority->new_key);
    if (sk_X509_EXTENSION_num(extensions) > 0)
        X509_REQ_add_extensions(csr, extensions);
    sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
    int size = i2d_re_X509_REQ_tbs(csr, &der);
    GBytes *bytes = g_bytes_new(der, (gsize)size);
    OPENSSL_free(der);
    return bytes;
}

Authority *
authority_new(void)
{
    Authority *authority = g_new0(Authority, 1);
    AuthorityOrder order = {
        .subject = CA_SUBJECT,
        .alt = "",
        .extended = "",
        .basic = "critical,CA:TRUE,pathlen:0",
        .usage = "critical,keyCertSign,cRLSign",
        .begin_s = -86400,
        .end_s = 86400 * 100,
    };

    authority->ca_key = authority_make_key();
    authority->new_key = authority_make_key();
    authority->spki = authority_spki(authority->new_key);
    order.key = authority->ca_key;
    authority->ca = authority_issue(authority, &order);
    authority->ca_der = authority_der(authority->ca);
    return authority;
}

void
authority_free(Authority *authority)
{
    EVP_PKEY_free(authority->ca_key);
    EVP_PKEY_free(authority->new_key);
    X509_free(authority->ca);
    g_bytes_unref(authority->ca_der);
    g_bytes_unref(authority->spki);
    g_free(authority);
}

SignetJobRequest
authority_request(const Authority *authority)
{
    return (SignetJobRequest) {
        .identity = "wifi",
        .new_generation = 8,
        .current_generation = 7,
        .ca_identity = "ca.local",
        .ca_certificate = authority->ca_der,
        .protocol = "local",
        .subject = "CN=host,O=Example",
        .dns = dns,
        .ip = ip,
        .purposes = SIGNET_PURPOSE_TLS_CLIENT,
        .spki = authority->spki,
        .lifetime_s = 3600,
    };
}
