/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Issues certificates with the key of a local CA. */

#include "agent/enroller/local.h"

#include <openssl/rand.h>

#include "agent/enroll/grant.h"
#include "agent/enroll/names.h"
#include "agent/enroll/parse.h"
#include "agent/enroller/request.h"

/* For peers whose clock is slow; within what the agent's grant allows. */
#define BACKDATE_S (SIGNET_GRANT_BACKDATE_S / 2)

/* RFC 5280 4.2.1.3 */
#define BIT_KEY_CERT_SIGN 5
#define BIT_CRL_SIGN      6

static gboolean
set_serial(X509 *certificate, OSSL_LIB_CTX *library, GError **error)
{
    guint8 bytes[16];

    if (RAND_bytes_ex(library, bytes, sizeof(bytes), 128) <= 0)
        return signet_crypto_fail(error, "cannot make a serial number");
    g_autoptr(BIGNUM) number = BN_bin2bn(bytes, sizeof(bytes), NULL);
    g_autoptr(ASN1_INTEGER) serial = number ? BN_to_ASN1_INTEGER(number, NULL) : NULL;
    if (!serial || !X509_set_serialNumber(certificate, serial))
        return signet_crypto_fail(error, "cannot make a serial number");
    return TRUE;
}

/* ca: nullable */
static gboolean
set_validity(X509 *certificate, X509 *ca, const SignetJobRequest *job, gint64 now_s, GError **error)
{
    gint64 not_before = now_s - BACKDATE_S;
    gint64 not_after = job->lifetime_s < G_MAXINT64 - now_s ? now_s + job->lifetime_s : G_MAXINT64;

    if (ca) {
        gint64 ca_not_before = signet_parse_time(X509_get0_notBefore(ca));
        gint64 ca_not_after = signet_parse_time(X509_get0_notAfter(ca));

        if (ca_not_before > now_s || ca_not_after <= now_s)
            return signet_error_set(
                error, SIGNET_ERROR_CA_REFUSED, "the certificate of '%s' is %s", job->ca_identity,
                ca_not_after <= now_s ? "expired: rotate it" : "not yet valid: check the clock");
        not_before = MAX(not_before, ca_not_before);
        not_after = MIN(not_after, ca_not_after);
    }
    if (not_after <= now_s)
        return signet_error_set(error, SIGNET_ERROR_BAD_REQUEST, "job: Lifetime= is 0");
    if (!ASN1_TIME_set(X509_getm_notBefore(certificate), (time_t)not_before) ||
        !ASN1_TIME_set(X509_getm_notAfter(certificate), (time_t)not_after))
        return signet_crypto_fail(error, "cannot write the certificate's validity");
    return TRUE;
}

static gboolean
add_extension(X509 *certificate, int nid, gpointer value, gboolean is_critical, GError **error)
{
    if (X509_add1_ext_i2d(certificate, nid, value, is_critical, X509V3_ADD_APPEND) == 1)
        return TRUE;
    return signet_crypto_fail(error, "cannot add an extension to the certificate");
}

static gboolean
add_subject_key_id(X509 *certificate, const SignetCrypto *crypto, GError **error)
{
    g_autoptr(ASN1_OCTET_STRING) id =
        signet_crypto_make_key_id(crypto, X509_get_X509_PUBKEY(certificate));

    return id ? add_extension(certificate, NID_subject_key_identifier, id, FALSE, error)
              : signet_crypto_fail(error, "cannot make the key's identifier");
}

static gboolean
add_authority_key_id(X509 *certificate, X509 *ca, GError **error)
{
    const ASN1_OCTET_STRING *id = X509_get0_subject_key_id(ca);
    g_autoptr(AUTHORITY_KEYID) authority = AUTHORITY_KEYID_new();

    if (!id)
        return TRUE;
    authority->keyid = ASN1_OCTET_STRING_dup(id);
    return add_extension(certificate, NID_authority_key_identifier, authority, FALSE, error);
}

static gboolean
add_basic_constraints(X509 *certificate, gboolean is_ca, GError **error)
{
    g_autoptr(BASIC_CONSTRAINTS) basic = BASIC_CONSTRAINTS_new();

    basic->ca = is_ca ? 0xff : 0;
    if (is_ca) {
        basic->pathlen = ASN1_INTEGER_new();
        ASN1_INTEGER_set(basic->pathlen, 0);
    }
    return add_extension(certificate, NID_basic_constraints, basic, TRUE, error);
}

static gboolean
add_ca_usage(X509 *certificate, GError **error)
{
    g_autoptr(ASN1_BIT_STRING) usage = ASN1_BIT_STRING_new();

    ASN1_BIT_STRING_set_bit(usage, BIT_KEY_CERT_SIGN, 1);
    ASN1_BIT_STRING_set_bit(usage, BIT_CRL_SIGN, 1);
    return add_extension(certificate, NID_key_usage, usage, TRUE, error);
}

static gboolean
add_leaf_usage(X509 *certificate, const SignetJobRequest *job, EVP_PKEY *public_key, GError **error)
{
    g_autoptr(SignetExtensions) extensions =
        signet_request_make_extensions(job, EVP_PKEY_is_a(public_key, "RSA"), error);

    if (!extensions)
        return FALSE;
    for (int i = 0; i < sk_X509_EXTENSION_num(extensions); i++)
        if (!X509_add_ext(certificate, sk_X509_EXTENSION_value(extensions, i), -1))
            return signet_crypto_fail(error, "cannot add an extension to the certificate");
    return TRUE;
}

/* Everything but the signature; ca: NULL for a CA's own. */
static X509 *
make_certificate(SignetCrypto *crypto, const SignetJobRequest *job, X509 *ca, gint64 now_s,
                 GError **error)
{
    OSSL_LIB_CTX *library = signet_crypto_get_library(crypto);
    g_autoptr(X509) certificate = X509_new_ex(library, NULL);
    g_autoptr(X509_NAME) subject = signet_names_parse_subject(job->subject, error);
    g_autoptr(EVP_PKEY) public_key =
        subject ? signet_crypto_read_public(crypto, job->spki, error) : NULL;

    if (!public_key)
        return NULL;
    if (!X509_set_version(certificate, X509_VERSION_3) ||
        !X509_set_subject_name(certificate, subject) ||
        !X509_set_issuer_name(certificate, ca ? X509_get_subject_name(ca) : subject) ||
        !X509_set_pubkey(certificate, public_key)) {
        signet_crypto_fail(error, "cannot make the certificate");
        return NULL;
    }
    if (!set_serial(certificate, library, error) ||
        !set_validity(certificate, ca, job, now_s, error) ||
        !add_basic_constraints(certificate, !ca, error) ||
        !add_subject_key_id(certificate, crypto, error))
        return NULL;
    gboolean is_used = ca ? add_leaf_usage(certificate, job, public_key, error) &&
                                add_authority_key_id(certificate, ca, error)
                          : add_ca_usage(certificate, error);
    return is_used ? g_steal_pointer(&certificate) : NULL;
}

static gboolean
sign_certificate(SignetCrypto *crypto, X509 *certificate, EVP_PKEY *key, const char *identity,
                 GError **error)
{
    g_autoptr(EVP_MD_CTX) signing = signet_crypto_new_signing(crypto, key, error);

    if (!signing)
        return FALSE;
    if (X509_sign_ctx(certificate, signing) <= 0) {
        g_autofree char *what =
            g_strdup_printf("cannot sign the certificate with the key of '%s'", identity);
        return signet_crypto_fail(error, what);
    }
    return TRUE;
}

static gboolean
append_der(GByteArray *out, X509 *certificate, GError **error)
{
    guint8 *der = NULL;
    int size = i2d_X509(certificate, &der);

    if (size <= 0)
        return signet_crypto_fail(error, "cannot write the certificate");
    g_byte_array_append(out, der, (guint)size);
    OPENSSL_free(der);
    return TRUE;
}

static gboolean
issue_ca(SignetCrypto *crypto, const SignetJobRequest *job, gint64 now_s,
         SignetEnrollerOutcome *outcome, GError **error)
{
    g_autoptr(X509) certificate = make_certificate(crypto, job, NULL, now_s, error);
    g_autoptr(EVP_PKEY) key =
        certificate ? signet_crypto_load_key(crypto, job->identity, job->new_generation, error)
                    : NULL;

    if (!key || !sign_certificate(crypto, certificate, key, job->identity, error))
        return FALSE;
    return append_der(outcome->chain, certificate, error) &&
           append_der(outcome->anchors, certificate, error);
}

static gboolean
issue_leaf(SignetCrypto *crypto, const SignetJobRequest *job, gint64 now_s,
           SignetEnrollerOutcome *outcome, GError **error)
{
    if (!job->ca_identity || !job->ca_certificate)
        return signet_error_set(error, SIGNET_ERROR_BAD_REQUEST,
                                "job: CaIdentity= or CaCertificate= is missing");

    g_autoptr(X509) ca = signet_parse_certificate(job->ca_certificate, error);
    /* Made, signed and verified although nobody else reads it: the proof that the new key works. */
    g_autoptr(X509_REQ) csr = ca ? signet_request_new(crypto, job, NULL, error) : NULL;
    g_autoptr(X509) certificate = csr ? make_certificate(crypto, job, ca, now_s, error) : NULL;
    g_autoptr(EVP_PKEY) key =
        certificate ? signet_crypto_load_key(crypto, job->ca_identity, 0, error) : NULL;
    if (!key || !sign_certificate(crypto, certificate, key, job->ca_identity, error))
        return FALSE;
    if (X509_verify(certificate, X509_get0_pubkey(ca)) != 1) {
        ERR_clear_error();
        return signet_error_set(error, SIGNET_ERROR_FAILED,
                                "the current key of '%s' is not the one of its certificate; trying "
                                "again helps if it was just "
                                "rotated",
                                job->ca_identity);
    }
    return append_der(outcome->chain, certificate, error) &&
           append_der(outcome->anchors, ca, error);
}

gboolean
signet_local_enroll(const SignetProtocolContext *context, SignetEnrollerOutcome *outcome,
                    GError **error)
{
    const SignetJobRequest *job = context->job;

    return job->is_ca ? issue_ca(context->crypto, job, context->now_s, outcome, error)
                      : issue_leaf(context->crypto, job, context->now_s, outcome, error);
}
