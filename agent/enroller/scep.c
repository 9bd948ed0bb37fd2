/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* A client of SCEP. */

#include "agent/enroller/scep.h"

#include <openssl/provider.h>
#include <openssl/rand.h>
#include <string.h>

#include "agent/base/error.h"
#include "agent/enroll/names.h"
#include "agent/enroll/remote.h"
#include "agent/enroller/answer.h"
#include "agent/enroller/chain.h"
#include "agent/enroller/request.h"
#include "agent/enroller/scep-ca.h"
#include "agent/enroller/scep-message.h"
#include "provider/wire/limits.h"

#define PKCS_REQ      "19"
#define RENEWAL_REQ   "17"
#define CERT_POLL     "20"
#define RETRY_AFTER_S 300
#define OWN_DAYS      7 /* RFC 8894 2.3: of the certificate by which a key says that it is itself */

G_DEFINE_AUTOPTR_CLEANUP_FUNC(OSSL_PROVIDER, OSSL_PROVIDER_unload)

typedef struct {
    const SignetProtocolContext *context;
    const SignetJobRemote *remote;
    OSSL_LIB_CTX *library;
    SignetScepCa ca;
    gboolean is_legacy_allowed;
    char *transaction; /* (owned) */
    X509 *signer;      /* (owned) */
    EVP_PKEY *key;     /* (owned) of signer */
    guint8 nonce[SIGNET_SCEP_NONCE_SIZE];
} Scep;

static void
scep_clear(Scep *scep)
{
    signet_scep_ca_clear(&scep->ca);
    g_free(scep->transaction);
    X509_free(scep->signer);
    EVP_PKEY_free(scep->key);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Scep, scep_clear)

/* --- the request --- */

static gboolean
add_password(X509_REQ *csr, SignetSecret *secret)
{
    gsize size = 0;
    const guchar *text = signet_secret_get(secret, &size);

    return X509_REQ_add1_attr_by_NID(csr, NID_pkcs9_challengePassword, MBSTRING_UTF8, text,
                                     (int)size) == 1;
}

static GBytes *
make_request(const Scep *scep, SignetSecret *password, GError **error)
{
    const SignetProtocolContext *context = scep->context;
    guint8 *der = NULL;
    g_autoptr(X509_REQ) csr = signet_request_new(context->crypto, context->job, NULL, error);
    g_autoptr(EVP_PKEY) key = csr && password
                                  ? signet_crypto_load_key(context->crypto, context->job->identity,
                                                           context->job->new_generation, error)
                                  : NULL;
    g_autoptr(EVP_MD_CTX) signing =
        key ? signet_crypto_new_signing(context->crypto, key, error) : NULL;

    if (!csr || (password && !signing))
        return NULL;
    if (password && (!add_password(csr, password) || X509_REQ_sign_ctx(csr, signing) <= 0)) {
        signet_crypto_fail(error, "cannot add the challenge password to the request");
        return NULL;
    }
    int size = i2d_X509_REQ(csr, &der);
    GBytes *bytes = size > 0 ? g_bytes_new(der, (gsize)size) : NULL;
    OPENSSL_cleanse(der, (gsize)MAX(size, 0));
    OPENSSL_free(der);
    return bytes;
}

/* --- who signs --- */

static gboolean
fill_own(const Scep *scep, X509 *certificate, GError **error)
{
    const SignetJobRequest *job = scep->context->job;
    g_autoptr(X509_NAME) subject = signet_names_parse_subject(job->subject, error);
    g_autoptr(EVP_PKEY) key =
        subject ? signet_crypto_read_public(scep->context->crypto, job->spki, error) : NULL;
    guint64 serial = 0;

    if (!key)
        return FALSE;
    RAND_bytes_ex(scep->library, (guint8 *)&serial, sizeof(serial), 0);
    return (X509_set_version(certificate, X509_VERSION_3) &&
            ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate), serial >> 1 | 1) &&
            X509_set_subject_name(certificate, subject) &&
            X509_set_issuer_name(certificate, subject) && X509_set_pubkey(certificate, key) &&
            X509_time_adj_ex(X509_getm_notBefore(certificate), 0, -300, NULL) &&
            X509_time_adj_ex(X509_getm_notAfter(certificate), OWN_DAYS, 0, NULL)) ||
           signet_crypto_fail(error, "cannot make the new key's own certificate");
}

/* The new key, by a certificate of its own making: what was signed before stays so. */
static gboolean
sign_as_new(Scep *scep, GError **error)
{
    const SignetProtocolContext *context = scep->context;
    gsize size = 0;
    const guint8 *at = scep->remote->state ? g_bytes_get_data(scep->remote->state, &size) : NULL;

    g_clear_pointer(&scep->key, EVP_PKEY_free);
    g_clear_pointer(&scep->signer, X509_free);
    scep->key = signet_crypto_load_key(context->crypto, context->job->identity,
                                       context->job->new_generation, error);
    if (!scep->key)
        return FALSE;
    scep->signer = size > 0 ? d2i_X509(NULL, &at, (long)size) : NULL;
    if (scep->signer)
        return TRUE;
    ERR_clear_error();
    scep->signer = X509_new_ex(scep->library, NULL);
    g_autoptr(EVP_MD_CTX) signing = signet_crypto_new_signing(context->crypto, scep->key, error);
    if (!signing || !fill_own(scep, scep->signer, error))
        return FALSE;
    return X509_sign_ctx(scep->signer, signing) > 0 ||
           signet_crypto_fail(error, "cannot sign the new key's own certificate");
}

static gboolean
is_issued_by(X509 *leaf, const SignetX509Stack *issuers)
{
    gboolean is_it = FALSE;

    for (int i = 0; !is_it && i < sk_X509_num(issuers); i++) {
        EVP_PKEY *issuer = X509_get0_pubkey(sk_X509_value(issuers, i));

        is_it = issuer && X509_verify(leaf, issuer) == 1;
    }
    ERR_clear_error();
    return is_it;
}

/* TRUE: the current certificate is one of this CA's, as it is or was, and can sign and decrypt. */
static gboolean
sign_as_current(Scep *scep)
{
    const SignetJobRequest *job = scep->context->job;
    g_autoptr(SignetX509Stack) chain = NULL;

    if (!(scep->remote->rungs & SIGNET_RUNG_CURRENT) || job->current_generation == 0 ||
        !signet_crypto_load_identity(scep->context->crypto, job->identity, job->current_generation,
                                     &scep->key, &chain, NULL))
        return FALSE;
    X509 *leaf = sk_X509_value(chain, 0);
    gboolean is_theirs =
        is_issued_by(leaf, scep->ca.certificates) || is_issued_by(leaf, scep->ca.former);

    if (!is_theirs || !EVP_PKEY_is_a(scep->key, "RSA"))
        return FALSE;
    X509_up_ref(leaf);
    scep->signer = leaf;
    return TRUE;
}

/* --- the exchange --- */

static gboolean
send_message(const Scep *scep, GBytes *message, SignetHttpResponse *response, GError **error)
{
    gsize size = 0;
    const guint8 *data = g_bytes_get_data(message, &size);
    g_autofree char *base64 = scep->ca.has_post ? NULL : g_base64_encode(data, size);
    g_autofree char *url = signet_scep_make_url(scep->remote, "PKIOperation", base64);
    const SignetHttpRequest request = {.url = url,
                                       .body = scep->ca.has_post ? message : NULL,
                                       .content_type = "application/x-pki-message",
                                       .is_plain_enough = TRUE};

    if (!signet_http_do(scep->context->http, &request, response, error))
        return FALSE;
    return response->status == 200 ||
           signet_error_set(error,
                            response->status >= 500 ? SIGNET_ERROR_CA_UNREACHABLE
                                                    : SIGNET_ERROR_CA_REFUSED,
                            "the server answers PKIOperation with status %ld", response->status);
}

static SignetScepSeal
make_seal(Scep *scep, const char *type)
{
    RAND_bytes_ex(scep->library, scep->nonce, sizeof(scep->nonce), 0);
    return (SignetScepSeal) {.crypto = scep->context->crypto,
                             .type = type,
                             .transaction = scep->transaction,
                             .nonce = scep->nonce,
                             .signer = scep->signer,
                             .key = scep->key,
                             .recipient = signet_scep_ca_get_recipient(&scep->ca),
                             .cipher = scep->ca.has_aes ? "AES-128-CBC" : "DES-EDE3-CBC"};
}

static gboolean
take_certificates(const Scep *scep, const SignetScepReply *reply, const SignetScepSeal *seal,
                  SignetEnrollerOutcome *outcome, GError **error)
{
    g_autoptr(GBytes) inside = signet_scep_reply_open(scep->library, reply->envelope, seal,
                                                      scep->is_legacy_allowed, error);
    g_autoptr(SignetX509Stack) found =
        inside ? signet_answer_read_certificates(scep->library, inside, error) : NULL;

    if (!found)
        return FALSE;
    /* A root that the policy names stays: what a CA has announced is known by it. */
    g_autoptr(SignetX509Stack) authorities = X509_chain_up_ref(scep->ca.certificates);
    for (int i = 0; i < sk_X509_num(scep->ca.named); i++) {
        if (X509_up_ref(sk_X509_value(scep->ca.named, i)))
            sk_X509_push(authorities, sk_X509_value(scep->ca.named, i));
    }
    return signet_chain_build(scep->context->job, found, authorities, outcome, error);
}

static gboolean
set_pending(const Scep *scep, SignetEnrollerOutcome *outcome, GError **error)
{
    guint8 *der = NULL;
    int size = i2d_X509(scep->signer, &der);

    if (size > 0 && size <= (int)SIGNET_WIRE_STATE_MAX)
        outcome->state = g_bytes_new(der, (gsize)size);
    OPENSSL_free(der);
    outcome->retry_after_s = RETRY_AFTER_S;
    return outcome->state || signet_crypto_fail(error, "cannot keep what was asked");
}

static gboolean
exchange(Scep *scep, const char *type, GBytes *content, SignetEnrollerOutcome *outcome,
         GError **error)
{
    const SignetScepSeal seal = make_seal(scep, type);
    g_autoptr(GBytes) message = signet_scep_message_make(&seal, content, error);
    g_auto(SignetHttpResponse) response = {0};
    g_auto(SignetScepReply) reply = {0};

    if (!message || !send_message(scep, message, &response, error))
        return FALSE;
    g_autoptr(GBytes) answer = g_bytes_new(response.body->data, response.body->len);
    if (!signet_scep_reply_read(scep->library, answer, scep->ca.certificates, &seal, &reply, error))
        return FALSE;
    switch (reply.status) {
    case SIGNET_SCEP_SUCCESS:
        return take_certificates(scep, &reply, &seal, outcome, error);
    case SIGNET_SCEP_PENDING:
        return set_pending(scep, outcome, error);
    case SIGNET_SCEP_FAILURE:
        break;
    }
    return signet_error_set(error, SIGNET_ERROR_CA_REFUSED, "the CA refuses: %s",
                            reply.fail_info ? reply.fail_info : "it does not say why");
}

/* RFC 8894 3.3.3: the issuer, and the subject that is asked for. */
static GBytes *
make_poll(const Scep *scep, GError **error)
{
    X509 *ca = signet_scep_ca_get_recipient(&scep->ca);
    g_autoptr(X509_NAME) wanted = signet_names_parse_subject(scep->context->job->subject, error);
    guint8 *names[2] = {NULL, NULL};

    if (!wanted)
        return NULL;
    int issuer = i2d_X509_NAME(X509_get_subject_name(ca), &names[0]);
    int subject = i2d_X509_NAME(wanted, &names[1]);
    int body = MAX(issuer, 0) + MAX(subject, 0);
    int total = ASN1_object_size(1, body, V_ASN1_SEQUENCE);
    guint8 *der = g_malloc((gsize)total);
    guint8 *at = der;

    ASN1_put_object(&at, 1, body, V_ASN1_SEQUENCE, V_ASN1_UNIVERSAL);
    memcpy(at, names[0], (gsize)MAX(issuer, 0));
    memcpy(at + MAX(issuer, 0), names[1], (gsize)MAX(subject, 0));
    OPENSSL_free(names[0]);
    OPENSSL_free(names[1]);
    return g_bytes_new_take(der, (gsize)total);
}

/* --- the ladder --- */

/* Whose certificate signed what waits: the current one, as long as it is that, or the new key's. */
static gboolean
sign_as_before(Scep *scep, GError **error)
{
    gsize size;
    const guint8 *at = g_bytes_get_data(scep->remote->state, &size);
    g_autoptr(X509) before = d2i_X509(NULL, &at, (long)size);

    if (before && sign_as_current(scep) && X509_cmp(scep->signer, before) == 0)
        return TRUE;
    g_autoptr(EVP_PKEY) new_key =
        signet_crypto_read_public(scep->context->crypto, scep->context->job->spki, error);
    if (!new_key)
        return FALSE;
    if (before && EVP_PKEY_eq(X509_get0_pubkey(before), new_key) == 1)
        return sign_as_new(scep, error);
    ERR_clear_error();
    return signet_error_set(error, SIGNET_ERROR_CA_REFUSED,
                            "what waits at the CA was asked for by a certificate that is not in "
                            "use any more");
}

static gboolean
poll_again(Scep *scep, SignetEnrollerOutcome *outcome, GError **error)
{
    if (!sign_as_before(scep, error))
        return FALSE;
    g_autoptr(GBytes) content = make_poll(scep, error);
    return content && exchange(scep, CERT_POLL, content, outcome, error);
}

static gboolean
renew(Scep *scep, SignetEnrollerOutcome *outcome, GError **error)
{
    g_autoptr(GBytes) csr = make_request(scep, NULL, error);

    return csr && exchange(scep, RENEWAL_REQ, csr, outcome, error);
}

static gboolean
ask_anew(Scep *scep, SignetEnrollerOutcome *outcome, GError **error)
{
    guint rungs = scep->remote->rungs;
    SignetSecret *password = rungs & SIGNET_RUNG_SECRET ? scep->remote->secret : NULL;

    if (!password && !(rungs & SIGNET_RUNG_APPROVAL))
        return signet_error_set(error, SIGNET_ERROR_BAD_REQUEST,
                                "nothing of Bootstrap= is there to authenticate with: no valid "
                                "certificate, no secret");
    if (!sign_as_new(scep, error))
        return FALSE;
    g_autoptr(GBytes) csr = make_request(scep, password, error);
    return csr && exchange(scep, PKCS_REQ, csr, outcome, error);
}

static gboolean
climb(Scep *scep, SignetEnrollerOutcome *outcome, GError **error)
{
    g_autoptr(GError) refusal = NULL;

    if (scep->remote->state)
        return poll_again(scep, outcome, error);
    if (scep->ca.has_renewal && sign_as_current(scep)) {
        if (renew(scep, outcome, &refusal))
            return TRUE;
        if (!signet_error_is(refusal, SIGNET_ERROR_CA_REFUSED) || !scep->remote->secret) {
            g_propagate_error(error, g_steal_pointer(&refusal));
            return FALSE;
        }
    }
    if (ask_anew(scep, outcome, error))
        return TRUE;
    if (refusal)
        g_prefix_error(error, "renewal: %s; first request: ", refusal->message);
    return FALSE;
}

static gboolean
check_key(const Scep *scep, GError **error)
{
    g_autoptr(EVP_PKEY) key =
        signet_crypto_read_public(scep->context->crypto, scep->context->job->spki, error);

    if (!key || EVP_PKEY_is_a(key, "RSA"))
        return key != NULL;
    return signet_error_set(error, SIGNET_ERROR_POLICY,
                            "SCEP is for RSA keys only: write Key=rsa:2048");
}

static gboolean
check_ciphers(const Scep *scep, GError **error)
{
    if ((scep->ca.has_aes && scep->ca.has_sha256) || scep->is_legacy_allowed)
        return TRUE;
    return signet_error_set(error, SIGNET_ERROR_POLICY,
                            "the server does not say that it knows AES and SHA-256; "
                            "AllowLegacyCiphers=yes would do with less");
}

gboolean
signet_scep_enroll(const SignetProtocolContext *context, SignetEnrollerOutcome *outcome,
                   GError **error)
{
    const SignetJobRemote *remote = &context->job->remote;
    OSSL_LIB_CTX *library = signet_crypto_get_library(context->crypto);
    g_auto(Scep) scep = {.context = context, .remote = remote, .library = library};
    g_autoptr(OSSL_PROVIDER) legacy = NULL;

    if (!remote->url)
        return signet_error_set(error, SIGNET_ERROR_BAD_REQUEST, "job: Url= is missing");
    scep.is_legacy_allowed =
        g_strcmp0(signet_remote_get_option(remote, "AllowLegacyCiphers"), "yes") == 0;
    scep.transaction = g_compute_checksum_for_bytes(G_CHECKSUM_SHA256, context->job->spki);
    if (scep.is_legacy_allowed)
        legacy = OSSL_PROVIDER_load(library, "legacy");
    ERR_clear_error();
    return check_key(&scep, error) && signet_scep_ca_ask(context, &scep.ca, error) &&
           check_ciphers(&scep, error) && climb(&scep, outcome, error);
}
