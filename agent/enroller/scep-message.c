/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Makes and reads SCEP's messages with libcrypto's CMS. */

#include "agent/enroller/scep-message.h"

#include <openssl/cms.h>
#include <openssl/pkcs7.h>
#include <string.h>

#include "agent/base/error.h"
#include "agent/enroller/answer.h"

#define OID_MESSAGE_TYPE    "2.16.840.1.113733.1.9.2"
#define OID_STATUS          "2.16.840.1.113733.1.9.3"
#define OID_FAIL_INFO       "2.16.840.1.113733.1.9.4"
#define OID_SENDER_NONCE    "2.16.840.1.113733.1.9.5"
#define OID_RECIPIENT_NONCE "2.16.840.1.113733.1.9.6"
#define OID_TRANSACTION     "2.16.840.1.113733.1.9.7"
#define CERT_REP            "3"
#define SOFTWARE            "provider=default"

G_DEFINE_AUTOPTR_CLEANUP_FUNC(CMS_ContentInfo, CMS_ContentInfo_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(EVP_CIPHER, EVP_CIPHER_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(EVP_MD, EVP_MD_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PKCS7, PKCS7_free)

static BIO *
read_from(GBytes *bytes)
{
    gsize size = 0;
    gconstpointer data = g_bytes_get_data(bytes, &size);

    return BIO_new_mem_buf(data, (int)size);
}

static GBytes *
bytes_of(BIO *bio)
{
    char *data = NULL;
    long size = BIO_get_mem_data(bio, &data);

    return g_bytes_new(data, (gsize)MAX(size, 0));
}

static GBytes *
to_der(const CMS_ContentInfo *cms)
{
    guint8 *der = NULL;
    int size = i2d_CMS_ContentInfo(cms, &der);
    GBytes *bytes = size > 0 ? g_bytes_new(der, (gsize)size) : NULL;

    OPENSSL_free(der);
    return bytes;
}

/* --- making --- */

static GBytes *
encrypt(const SignetScepSeal *seal, GBytes *content)
{
    OSSL_LIB_CTX *library = signet_crypto_get_library(seal->crypto);
    g_autoptr(EVP_CIPHER) cipher = EVP_CIPHER_fetch(library, seal->cipher, SOFTWARE);
    g_autoptr(BIO) in = read_from(content);
    STACK_OF(X509) *recipients = sk_X509_new_null();

    sk_X509_push(recipients, seal->recipient);
    g_autoptr(CMS_ContentInfo) cms =
        cipher ? CMS_encrypt_ex(recipients, in, cipher, CMS_BINARY, library, SOFTWARE) : NULL;
    sk_X509_free(recipients);
    return cms ? to_der(cms) : NULL;
}

static gboolean
add_text(CMS_SignerInfo *signer, const char *oid, const char *text)
{
    return CMS_signed_add1_attr_by_txt(signer, oid, V_ASN1_PRINTABLESTRING, text,
                                       (int)strlen(text)) == 1;
}

static gboolean
add_attributes(CMS_SignerInfo *signer, const SignetScepSeal *seal)
{
    return add_text(signer, OID_MESSAGE_TYPE, seal->type) &&
           add_text(signer, OID_TRANSACTION, seal->transaction) &&
           CMS_signed_add1_attr_by_txt(signer, OID_SENDER_NONCE, V_ASN1_OCTET_STRING, seal->nonce,
                                       SIGNET_SCEP_NONCE_SIZE) == 1;
}

GBytes *
signet_scep_message_make(const SignetScepSeal *seal, GBytes *content, GError **error)
{
    OSSL_LIB_CTX *library = signet_crypto_get_library(seal->crypto);
    g_autoptr(GBytes) envelope = encrypt(seal, content);
    g_autoptr(BIO) in = envelope ? read_from(envelope) : NULL;
    g_autoptr(EVP_MD) digest = EVP_MD_fetch(library, "SHA256", SOFTWARE);
    g_autoptr(CMS_ContentInfo) cms =
        in ? CMS_sign_ex(NULL, NULL, NULL, in, CMS_PARTIAL | CMS_BINARY, library, NULL) : NULL;
    GBytes *der = NULL;

    if (!envelope) {
        signet_crypto_fail(error, "cannot encrypt to the CA's certificate");
        return NULL;
    }
    CMS_SignerInfo *signer =
        cms ? CMS_add1_signer(cms, seal->signer, seal->key, digest, CMS_NOSMIMECAP | CMS_BINARY)
            : NULL;
    if (signer && add_attributes(signer, seal) && CMS_final(cms, in, NULL, CMS_BINARY) == 1)
        der = to_der(cms);
    if (!der)
        signet_crypto_fail(error, "cannot sign the message to the CA");
    return der;
}

/* --- reading --- */

void
signet_scep_reply_clear(SignetScepReply *reply)
{
    g_clear_pointer(&reply->fail_info, g_free);
    g_clear_pointer(&reply->envelope, g_bytes_unref);
}

/* The one value of a signed attribute; NULL: it is not there once, or of another type. */
static const ASN1_STRING *
get_attribute(CMS_SignerInfo *signer, const char *oid, int type)
{
    ASN1_OBJECT *object = OBJ_txt2obj(oid, 1);
    int at = CMS_signed_get_attr_by_OBJ(signer, object, -1);
    gboolean is_twice = at >= 0 && CMS_signed_get_attr_by_OBJ(signer, object, at) >= 0;
    X509_ATTRIBUTE *attribute = at >= 0 && !is_twice ? CMS_signed_get_attr(signer, at) : NULL;

    ASN1_OBJECT_free(object);
    if (!attribute || X509_ATTRIBUTE_count(attribute) != 1)
        return NULL;
    return X509_ATTRIBUTE_get0_data(attribute, 0, type, NULL);
}

static gboolean
is_bytes(const ASN1_STRING *value, const void *bytes, gsize size)
{
    return value && (gsize)ASN1_STRING_length(value) == size &&
           memcmp(ASN1_STRING_get0_data(value), bytes, size) == 0;
}

static gboolean
is_text(CMS_SignerInfo *signer, const char *oid, const char *text)
{
    return is_bytes(get_attribute(signer, oid, V_ASN1_PRINTABLESTRING), text, strlen(text));
}

/* RFC 8894 3.2.1.4 */
static char *
dup_fail_info(CMS_SignerInfo *signer)
{
    static const char *const words[] = {"the server does not know an algorithm",
                                        "the request's integrity check failed",
                                        "the transaction is not permitted (challenge password?)",
                                        "the time of signing is too far from the server's",
                                        "no certificate fits the request's criteria"};

    for (guint i = 0; i < G_N_ELEMENTS(words); i++) {
        const char number[] = {(char)('0' + i), '\0'};

        if (is_text(signer, OID_FAIL_INFO, number))
            return g_strdup(words[i]);
    }
    return NULL;
}

static gboolean
take_status(CMS_SignerInfo *signer, SignetScepReply *reply)
{
    reply->fail_info = dup_fail_info(signer);
    if (is_text(signer, OID_STATUS, "0"))
        reply->status = SIGNET_SCEP_SUCCESS;
    else if (is_text(signer, OID_STATUS, "2"))
        reply->status = SIGNET_SCEP_FAILURE;
    else if (is_text(signer, OID_STATUS, "3"))
        reply->status = SIGNET_SCEP_PENDING;
    else
        return FALSE;
    return TRUE;
}

static CMS_ContentInfo *
parse(OSSL_LIB_CTX *library, GBytes *message)
{
    gsize size = 0;
    const guint8 *at = g_bytes_get_data(message, &size);
    const guint8 *end = at + size;
    CMS_ContentInfo *cms = CMS_ContentInfo_new_ex(library, NULL);

    if (!d2i_CMS_ContentInfo(&cms, &at, (long)size))
        return NULL; /* it has been freed */
    if (at == end)
        return cms;
    CMS_ContentInfo_free(cms);
    return NULL;
}

/* The only signer there is; NULL: none, or several. */
static CMS_SignerInfo *
get_signer(CMS_ContentInfo *cms)
{
    STACK_OF(CMS_SignerInfo) *signers =
        OBJ_obj2nid(CMS_get0_type(cms)) == NID_pkcs7_signed ? CMS_get0_SignerInfos(cms) : NULL;

    return sk_CMS_SignerInfo_num(signers) == 1 ? sk_CMS_SignerInfo_value(signers, 0) : NULL;
}

gboolean
signet_scep_reply_read(OSSL_LIB_CTX *library, GBytes *message, SignetX509Stack *certificates,
                       const SignetScepSeal *seal, SignetScepReply *ret_reply, GError **error)
{
    const unsigned flags = CMS_NOINTERN | CMS_NO_SIGNER_CERT_VERIFY | CMS_BINARY;
    g_autoptr(CMS_ContentInfo) cms = parse(library, message);
    CMS_SignerInfo *signer = cms ? get_signer(cms) : NULL;
    g_autoptr(BIO) out = BIO_new(BIO_s_mem());
    g_autoptr(BIO) nothing = BIO_new_mem_buf("", 0);

    if (!signer) {
        ERR_clear_error();
        return signet_error_set(error, SIGNET_ERROR_CORRUPT,
                                "the answer is not a message of SCEP (CMS with one signer)");
    }
    /* RFC 8894 section 3: PENDING and FAILURE have no envelope, and some write no content at all */
    if (CMS_verify(cms, certificates, NULL, CMS_is_detached(cms) ? nothing : NULL, out, flags) !=
        1) {
        ERR_clear_error();
        return signet_error_set(error, SIGNET_ERROR_DENIED, "the answer is not signed by the CA");
    }
    if (!is_text(signer, OID_MESSAGE_TYPE, CERT_REP) ||
        !is_text(signer, OID_TRANSACTION, seal->transaction) ||
        !is_bytes(get_attribute(signer, OID_RECIPIENT_NONCE, V_ASN1_OCTET_STRING), seal->nonce,
                  SIGNET_SCEP_NONCE_SIZE))
        return signet_error_set(error, SIGNET_ERROR_DENIED, "the answer is to another request");
    if (!take_status(signer, ret_reply))
        return signet_error_set(error, SIGNET_ERROR_CORRUPT, "the answer has no status");
    ret_reply->envelope = ret_reply->status == SIGNET_SCEP_SUCCESS ? bytes_of(out) : NULL;
    return TRUE;
}

SignetX509Stack *
signet_scep_next_read(OSSL_LIB_CTX *library, GBytes *message, SignetX509Stack *authorities,
                      GError **error)
{
    const unsigned flags = CMS_NOINTERN | CMS_NO_SIGNER_CERT_VERIFY | CMS_BINARY;
    g_autoptr(CMS_ContentInfo) cms = parse(library, message);
    g_autoptr(BIO) out = BIO_new(BIO_s_mem());
    gboolean is_message = cms && get_signer(cms) && !CMS_is_detached(cms);

    if (is_message && CMS_verify(cms, authorities, NULL, NULL, out, flags) == 1) {
        g_autoptr(GBytes) inside = bytes_of(out);

        return signet_answer_read_certificates(library, inside, error);
    }
    ERR_clear_error();
    if (is_message)
        signet_error_set(error, SIGNET_ERROR_DENIED, "it is not signed by the CA as it is now");
    else
        signet_error_set(error, SIGNET_ERROR_CORRUPT, "it is not a message with one signer");
    return NULL;
}

/* NID of the cipher; NID_undef: it is no envelope. */
static int
find_cipher(OSSL_LIB_CTX *library, GBytes *envelope)
{
    gsize size = 0;
    const guint8 *at = g_bytes_get_data(envelope, &size);
    PKCS7 *owned = PKCS7_new_ex(library, NULL);
    g_autoptr(PKCS7) pkcs7 = d2i_PKCS7(&owned, &at, (long)size);

    ERR_clear_error();
    if (!pkcs7 || !PKCS7_type_is_enveloped(pkcs7) || !pkcs7->d.enveloped ||
        !pkcs7->d.enveloped->enc_data || !pkcs7->d.enveloped->enc_data->algorithm)
        return NID_undef;
    return OBJ_obj2nid(pkcs7->d.enveloped->enc_data->algorithm->algorithm);
}

GBytes *
signet_scep_reply_open(OSSL_LIB_CTX *library, GBytes *envelope, const SignetScepSeal *seal,
                       gboolean is_legacy_allowed, GError **error)
{
    int cipher = find_cipher(library, envelope);
    gboolean is_modern = cipher == NID_aes_128_cbc || cipher == NID_aes_256_cbc;
    gboolean is_legacy = cipher == NID_des_cbc || cipher == NID_des_ede3_cbc;
    g_autoptr(BIO) out = BIO_new(BIO_s_mem());

    if (is_legacy && !is_legacy_allowed) {
        signet_error_set(error, SIGNET_ERROR_POLICY,
                         "the CA encrypts its answer with %s; AllowLegacyCiphers=yes would take it",
                         OBJ_nid2sn(cipher));
        return NULL;
    }
    g_autoptr(CMS_ContentInfo) cms = is_modern || is_legacy ? parse(library, envelope) : NULL;
    if (!cms) {
        ERR_clear_error();
        signet_error_set(error, SIGNET_ERROR_CORRUPT,
                         "the answer holds no envelope that can be opened (AES-CBC, RSA)");
        return NULL;
    }
    /* The CA has signed it: whether a key decrypts tells nobody else anything, so that a failure
     * need not be hidden (RFC 3218). */
    if (CMS_decrypt(cms, seal->key, seal->signer, NULL, out, CMS_BINARY | CMS_DEBUG_DECRYPT) != 1) {
        signet_crypto_fail(error, "cannot decrypt the CA's answer");
        return NULL;
    }
    return bytes_of(out);
}
