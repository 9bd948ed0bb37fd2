/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Makes the PKCS#10 request of a job. */

#include "agent/enroller/request.h"

#include "agent/enroll/names.h"
#include "agent/enroll/parse.h"

void
signet_extensions_free(SignetExtensions *extensions)
{
    sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
}

static gboolean
add_extension(SignetExtensions **extensions, int nid, gpointer value, gboolean is_critical,
              GError **error)
{
    if (X509V3_add1_i2d(extensions, nid, value, is_critical, X509V3_ADD_APPEND) == 1)
        return TRUE;
    return signet_crypto_fail(error, "cannot add an extension");
}

/* RFC 5280 4.2.1.3: bit 0 digitalSignature, bit 2 keyEncipherment (TLS 1.2 with RSA key exchange)
 */
static ASN1_BIT_STRING *
make_key_usage(const SignetJobRequest *job, gboolean is_rsa)
{
    ASN1_BIT_STRING *usage = ASN1_BIT_STRING_new();

    ASN1_BIT_STRING_set_bit(usage, 0, 1);
    if (is_rsa &&
        (job->purposes & (SIGNET_PURPOSE_TLS_SERVER | SIGNET_PURPOSE_DECRYPT | SIGNET_PURPOSE_ANY)))
        ASN1_BIT_STRING_set_bit(usage, 2, 1);
    return usage;
}

SignetExtensions *
signet_request_make_extensions(const SignetJobRequest *job, gboolean is_rsa, GError **error)
{
    g_autoptr(SignetExtensions) extensions = sk_X509_EXTENSION_new_null();
    g_autoptr(ASN1_BIT_STRING) usage = make_key_usage(job, is_rsa);
    g_autoptr(EXTENDED_KEY_USAGE) extended = signet_names_make_eku(job->purposes);
    g_autoptr(GENERAL_NAMES) names = signet_names_make_alt(job, error);

    if (!names || !add_extension(&extensions, NID_key_usage, usage, TRUE, error))
        return NULL;
    if (sk_ASN1_OBJECT_num(extended) > 0 &&
        !add_extension(&extensions, NID_ext_key_usage, extended, FALSE, error))
        return NULL;
    /* RFC 5280 4.2.1.6: critical where the subject is empty */
    gboolean has_subject = job->subject && job->subject[0];
    if (sk_GENERAL_NAME_num(names) > 0 &&
        !add_extension(&extensions, NID_subject_alt_name, names, !has_subject, error))
        return NULL;
    return g_steal_pointer(&extensions);
}

static gboolean
set_usage(SignetExtensions **extensions, guint bits, GError **error)
{
    g_autoptr(ASN1_BIT_STRING) usage = ASN1_BIT_STRING_new();

    for (int bit = SIGNET_KU_DIGITAL_SIGNATURE; bit <= SIGNET_KU_KEY_AGREEMENT; bit++) {
        if (bits & 1u << bit)
            ASN1_BIT_STRING_set_bit(usage, bit, 1);
    }
    return X509V3_add1_i2d(extensions, NID_key_usage, usage, TRUE, X509V3_ADD_REPLACE) == 1 ||
           signet_crypto_fail(error, "cannot set the key usage");
}

static gboolean
add_wishes(const SignetCrypto *crypto, X509_REQ *csr, SignetExtensions **extensions,
           const SignetRequestWishes *wishes, GError **error)
{
    g_autoptr(BASIC_CONSTRAINTS) basic = BASIC_CONSTRAINTS_new();

    if (wishes->key_usage && !set_usage(extensions, wishes->key_usage, error))
        return FALSE;
    if (wishes->has_constraints &&
        !add_extension(extensions, NID_basic_constraints, basic, TRUE, error))
        return FALSE;
    if (wishes->has_key_id) {
        g_autoptr(ASN1_OCTET_STRING) id =
            signet_crypto_make_key_id(crypto, X509_REQ_get_X509_PUBKEY(csr));

        if (!id || !add_extension(extensions, NID_subject_key_identifier, id, FALSE, error))
            return signet_crypto_fail(error, "cannot add the key's identifier");
    }
    if (wishes->challenge &&
        X509_REQ_add1_attr_by_NID(csr, NID_pkcs9_challengePassword, MBSTRING_ASC,
                                  (const guint8 *)wishes->challenge, -1) != 1)
        return signet_crypto_fail(error, "cannot add the challenge password");
    return TRUE;
}

static gboolean
fill(SignetCrypto *crypto, X509_REQ *csr, const SignetJobRequest *job,
     const SignetRequestWishes *wishes, GError **error)
{
    g_autoptr(EVP_PKEY) public_key = signet_crypto_read_public(crypto, job->spki, error);
    g_autoptr(X509_NAME) subject =
        public_key ? signet_names_parse_subject(job->subject, error) : NULL;
    g_autoptr(SignetExtensions) extensions =
        subject ? signet_request_make_extensions(job, EVP_PKEY_is_a(public_key, "RSA"), error)
                : NULL;

    if (!extensions)
        return FALSE;
    if (!X509_REQ_set_version(csr, 0) || !X509_REQ_set_subject_name(csr, subject) ||
        !X509_REQ_set_pubkey(csr, public_key))
        return signet_crypto_fail(error, "cannot make the request");
    if (wishes && !add_wishes(crypto, csr, &extensions, wishes, error))
        return FALSE;
    return X509_REQ_add_extensions(csr, extensions) ||
           signet_crypto_fail(error, "cannot make the request");
}

static gboolean
sign(SignetCrypto *crypto, X509_REQ *csr, const SignetJobRequest *job, const char *digest,
     GError **error)
{
    g_autoptr(EVP_PKEY) key =
        signet_crypto_load_key(crypto, job->identity, job->new_generation, error);
    g_autoptr(EVP_MD_CTX) signing =
        key ? signet_crypto_new_signing_with(crypto, key, digest, error) : NULL;

    return signing && (X509_REQ_sign_ctx(csr, signing) > 0 ||
                       signet_crypto_fail(error, "cannot sign the request with the new key"));
}

X509_REQ *
signet_request_new(SignetCrypto *crypto, const SignetJobRequest *job,
                   const SignetRequestWishes *wishes, GError **error)
{
    OSSL_LIB_CTX *library = signet_crypto_get_library(crypto);
    g_autoptr(X509_REQ) csr = X509_REQ_new_ex(library, NULL);
    g_autoptr(EVP_PKEY) public_key = signet_crypto_read_public(crypto, job->spki, error);
    const char *digest = wishes ? wishes->digest : NULL;

    if (!public_key || !fill(crypto, csr, job, wishes, error))
        return NULL;
    /* A token need not have the digest that a CA would like best. */
    if (!(digest && sign(crypto, csr, job, digest, NULL)) && !sign(crypto, csr, job, NULL, error))
        return NULL;
    if (X509_REQ_verify_ex(csr, public_key, library, "provider=default") != 1) {
        signet_crypto_fail(error, "the new key's signature does not fit its public key");
        return NULL;
    }
    return g_steal_pointer(&csr);
}

static GBytes *
dup_former(const SignetJobRequest *job, GBytes *former)
{
    gsize size = 0;
    const guint8 *data = g_bytes_get_data(former, &size);
    const guint8 *at = data;
    g_autoptr(X509_REQ) csr = d2i_X509_REQ(NULL, &at, (long)size);
    g_autoptr(GBytes) spki = csr ? signet_parse_dup_spki(X509_REQ_get_X509_PUBKEY(csr)) : NULL;

    ERR_clear_error();
    return spki && g_bytes_equal(spki, job->spki) ? g_bytes_new(data, (gsize)(at - data)) : NULL;
}

GBytes *
signet_request_make_der(SignetCrypto *crypto, const SignetJobRequest *job,
                        const SignetRequestWishes *wishes, GBytes *former, GError **error)
{
    GBytes *bytes = former ? dup_former(job, former) : NULL;
    guint8 *der = NULL;

    if (bytes)
        return bytes;
    g_autoptr(X509_REQ) csr = signet_request_new(crypto, job, wishes, error);
    if (!csr)
        return NULL;
    int size = i2d_X509_REQ(csr, &der);
    if (size > 0)
        bytes = g_bytes_new(der, (gsize)size);
    else
        signet_crypto_fail(error, "cannot write the request");
    OPENSSL_free(der);
    return bytes;
}

gboolean
signet_request_has_names(const SignetJobRequest *job, X509 *certificate)
{
    gboolean is_broken = FALSE;
    g_autoptr(GENERAL_NAMES) alt =
        signet_parse_extension(X509_get0_extensions(certificate), NID_subject_alt_name, &is_broken);
    g_autofree char *difference = signet_names_dup_difference(
        job, X509_get_subject_name(certificate), alt, SIGNET_NAMES_EXACT);

    return !is_broken && !difference;
}
