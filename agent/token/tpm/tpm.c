/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* The operations of a TPM token. */

#include "agent/token/tpm/tpm.h"

#include <openssl/crypto.h>
#include <openssl/ecdsa.h>
#include <string.h>

#include "agent/base/secret.h"
#include "agent/token/rsa.h"
#include "agent/token/tpm/adopt.h"
#include "agent/token/tpm/context.h"
#include "agent/token/tpm/error.h"
#include "agent/token/tpm/evidence.h"
#include "agent/token/tpm/learn.h"
#include "agent/token/tpm/public.h"
#include "agent/token/tpm/recycle.h"

#define AUTH_RANDOM_BYTES 24 /* 32 characters of base64 */

G_DEFINE_AUTOPTR_CLEANUP_FUNC(ECDSA_SIG, ECDSA_SIG_free)

static gboolean
tpm_open(gpointer backend, SignetTokenInfo *ret_info, GError **error)
{
    SignetTpm *tpm = backend;

    if (!signet_tpm_open(tpm, error))
        return FALSE;
    *ret_info = (SignetTokenInfo) {
        .kind = "tpm", .protection = tpm->facts.protection, .description = tpm->facts.description};
    return TRUE;
}

static gboolean
tpm_learn(gpointer backend, SignetLesson lesson, SignetKey *key, GVariantDict *facts,
          GError **error)
{
    return signet_tpm_learn(backend, lesson, key, facts, error);
}

static void
tpm_free(gpointer backend)
{
    signet_tpm_free(backend);
}

/* --- generate --- */

typedef struct {
    TPM2B_PUBLIC template;
    TPM2B_SENSITIVE_CREATE sensitive;
    gboolean unsupported;
    gboolean lacks_bank;
    SignetTpmKeyFile file; /* the result; its pcrs say what to bind the key to */
} GenerateCall;

/* To the present values: a TPM that was reset meanwhile has others. */
static TSS2_RC
bind_to_pcrs(SignetTpm *tpm, GenerateCall *call)
{
    TPMT_PUBLIC *public = &call->template.publicArea;
    TSS2_RC rc;

    if (call->file.pcrs.selection.count == 0)
        return TSS2_RC_SUCCESS;
    rc = signet_tpm_pcrs_read(tpm->esys, &call->file.pcrs, &call->lacks_bank);
    if (rc == TSS2_RC_SUCCESS && call->lacks_bank)
        return TSS2_ESYS_RC_BAD_VALUE;
    public->objectAttributes &= ~TPMA_OBJECT_USERWITHAUTH;
    public->authPolicy = signet_tpm_pcrs_policy(&call->file.pcrs);
    return rc;
}

static TSS2_RC
attempt_generate(SignetTpm *tpm, gpointer data)
{
    const TPM2B_DATA outside = {0};
    const TPML_PCR_SELECTION pcrs = {0};
    GenerateCall *call = data;
    TPMT_PUBLIC_PARMS parameters = {.type = call->template.publicArea.type,
                                    .parameters = call->template.publicArea.parameters};
    TPM2B_PUBLIC *public = NULL;
    TPM2B_PRIVATE *private = NULL;
    ESYS_TR parent;
    TSS2_RC rc;

    rc = Esys_TestParms(tpm->esys, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &parameters);
    call->unsupported = (signet_tpm_plain_rc(rc) & TPM2_RC_FMT1) != 0;
    if (rc != TSS2_RC_SUCCESS)
        return rc;
    rc = bind_to_pcrs(tpm, call);
    if (rc != TSS2_RC_SUCCESS)
        return rc;
    call->file.parent = signet_tpm_default_parent(tpm);
    rc = signet_tpm_identify(tpm);
    call->file.tpm_name = tpm->identity;
    if (rc == TSS2_RC_SUCCESS)
        rc = signet_tpm_parent(tpm, call->file.parent, &parent);
    if (rc == TSS2_RC_SUCCESS)
        rc = signet_tpm_name(tpm, parent, &call->file.parent_name);
    if (rc == TSS2_RC_SUCCESS)
        rc = Esys_Create(tpm->esys, parent, signet_tpm_auth(tpm, TPMA_SESSION_DECRYPT),
                         ESYS_TR_NONE, ESYS_TR_NONE, &call->sensitive, &call->template, &outside,
                         &pcrs, &private, &public, NULL, NULL, NULL);
    if (rc == TSS2_RC_SUCCESS) {
        call->file.public = *public;
        call->file.private = *private;
    }
    Esys_Free(public);
    Esys_Free(private);
    return rc;
}

/* Printable, so that a person can type it into tpm2-openssl; never ends in a zero byte, which TPMs
 * strip. */
static SignetSecret *
make_auth(void)
{
    g_autoptr(SignetSecret) random = signet_secret_new_random(AUTH_RANDOM_BYTES);
    SignetSecret *auth;
    g_autofree char *text = NULL;
    gsize size;
    gconstpointer bytes = signet_secret_get(random, &size);

    text = g_base64_encode(bytes, size);
    auth = signet_secret_new(text, strlen(text));
    OPENSSL_cleanse(text, strlen(text));
    return auth;
}

static SignetKey *
tpm_generate(gpointer backend, const SignetKeyTemplate *template, GError **error)
{
    SignetTpm *tpm = backend;
    GenerateCall call = {0};
    g_autoptr(SignetSecret) auth = make_auth();
    g_autoptr(GBytes) blob = NULL;
    g_autoptr(GBytes) spki = NULL;
    g_autoptr(GError) local = NULL;
    gboolean made;

    call.unsupported = !signet_tpm_template(template, &call.template);
    call.lacks_bank = template->pcrs &&
                      !signet_tpm_pcrs_select(template->pcr_bank, template->pcrs, &call.file.pcrs);
    signet_tpm_copy_auth(auth, &call.sensitive.sensitive.userAuth);
    made = !call.unsupported && !call.lacks_bank &&
           signet_tpm_run(tpm, "generate a key", attempt_generate, &call, NULL, &local);
    OPENSSL_cleanse(&call.sensitive, sizeof call.sensitive);
    if (call.lacks_bank) {
        signet_error_set(error, SIGNET_ERROR_UNSUPPORTED,
                         "token '%s' keeps no PCRs with digests of %u bits", tpm->name,
                         template->pcr_bank);
        return NULL;
    }
    if (call.unsupported) {
        signet_error_set(error, SIGNET_ERROR_UNSUPPORTED, "token '%s' has no keys of type '%s'",
                         tpm->name, signet_key_type_name(template->type));
        return NULL;
    }
    if (!made) {
        g_propagate_error(error, g_steal_pointer(&local));
        return NULL;
    }

    blob = signet_tpm_key_file_encode(&call.file);
    spki = signet_tpm_spki(&call.file.public.publicArea);
    if (!blob || !spki) {
        signet_error_set(error, SIGNET_ERROR_TOKEN_FAILED,
                         "token '%s' made a key that cannot be written down", tpm->name);
        return NULL;
    }
    return signet_key_new(template->type, blob, auth, spki);
}

/* --- ECDSA --- */

typedef struct {
    SignetTpmUse use;
    TPM2B_DIGEST digest;
    TPMI_ALG_HASH hash;
    TPMT_SIGNATURE signature; /* the result */
} EcdsaCall;

static TSS2_RC
attempt_ecdsa(SignetTpm *tpm, gpointer data)
{
    const TPMT_TK_HASHCHECK no_ticket = {.tag = TPM2_ST_HASHCHECK, .hierarchy = TPM2_RH_NULL};
    EcdsaCall *call = data;
    const TPMT_SIG_SCHEME scheme = {.scheme = TPM2_ALG_ECDSA, .details.ecdsa.hashAlg = call->hash};
    TPMT_SIGNATURE *signature = NULL;
    ESYS_TR object, session;
    TSS2_RC rc = signet_tpm_use_key(tpm, &call->use, &object);

    if (rc == TSS2_RC_SUCCESS)
        rc = signet_tpm_begin_use(tpm, &call->use, 0, &session);
    if (rc == TSS2_RC_SUCCESS)
        rc = signet_tpm_end_use(tpm, &call->use,
                                Esys_Sign(tpm->esys, object, session, ESYS_TR_NONE, ESYS_TR_NONE,
                                          &call->digest, &scheme, &no_ticket, &signature));
    if (rc == TSS2_RC_SUCCESS)
        call->signature = *signature;
    Esys_Free(signature);
    return rc;
}

/* A TPM wants as many bytes as the named hash has. ECDSA takes the leftmost bits up to the order's
 * length as a number (FIPS 186-5, 6.4.1), so cutting a longer digest and putting zeros before a
 * shorter one change nothing. */
static gboolean
fit_digest(const SignetTpm *tpm, guint curve_bits, GBytes *digest, EcdsaCall *call)
{
    static const struct {
        enum signet_hash hash;
        TPMI_ALG_HASH algorithm;
        gsize size;
    } hashes[] = {
        {SIGNET_HASH_SHA256, TPM2_ALG_SHA256, 32},
        {SIGNET_HASH_SHA384, TPM2_ALG_SHA384, 48},
        {SIGNET_HASH_SHA512, TPM2_ALG_SHA512, 64},
    };
    gsize size;
    const guint8 *bytes = g_bytes_get_data(digest, &size);

    if (size == 0)
        return FALSE;
    size = MIN(size, curve_bits / 8);
    for (guint i = 0; i < G_N_ELEMENTS(hashes); i++) {
        if (hashes[i].size < size || hashes[i].size * 8 > curve_bits ||
            !(tpm->facts.hashes & 1u << hashes[i].hash))
            continue;
        call->hash = hashes[i].algorithm;
        call->digest.size = (UINT16)hashes[i].size;
        memset(call->digest.buffer, 0, hashes[i].size);
        memcpy(call->digest.buffer + hashes[i].size - size, bytes, size);
        return TRUE;
    }
    return FALSE;
}

static GBytes *
ecdsa_der(const TPMS_SIGNATURE_ECC *ecc)
{
    g_autoptr(ECDSA_SIG) sig = ECDSA_SIG_new();
    BIGNUM *r = BN_bin2bn(ecc->signatureR.buffer, ecc->signatureR.size, NULL);
    BIGNUM *s = BN_bin2bn(ecc->signatureS.buffer, ecc->signatureS.size, NULL);
    unsigned char der[2 * TPM2_MAX_ECC_KEY_BYTES + 16];
    unsigned char *end = der;
    int size;

    ECDSA_SIG_set0(sig, r, s);
    size = i2d_ECDSA_SIG(sig, &end);
    return g_bytes_new(der, (gsize)size);
}

static GBytes *
sign_ecdsa(SignetTpm *tpm, SignetKey *key, GBytes *digest, GError **error)
{
    EcdsaCall call = {.use.key = key};
    gboolean ok;

    if (!fit_digest(tpm, signet_key_type_bits(key->type), digest, &call)) {
        signet_error_set(error, SIGNET_ERROR_UNSUPPORTED,
                         "token '%s' cannot sign a digest of %zu bytes with a key of type '%s'",
                         tpm->name, g_bytes_get_size(digest), signet_key_type_name(key->type));
        return NULL;
    }
    ok = signet_tpm_run(tpm, "sign", attempt_ecdsa, &call, &call.use, error);
    return ok ? ecdsa_der(&call.signature.signature.ecdsa) : NULL;
}

/* --- RSA --- */

typedef struct {
    SignetTpmUse use;
    TPMA_SESSION secrecy;
    TPM2B_PUBLIC_KEY_RSA in;
    TPM2B_PUBLIC_KEY_RSA out; /* the result */
} RsaCall;

static TSS2_RC
attempt_rsa(SignetTpm *tpm, gpointer data)
{
    const TPMT_RSA_DECRYPT raw = {.scheme = TPM2_ALG_NULL};
    const TPM2B_DATA no_label = {0};
    RsaCall *call = data;
    TPM2B_PUBLIC_KEY_RSA *out = NULL;
    ESYS_TR object, session;
    TSS2_RC rc = signet_tpm_use_key(tpm, &call->use, &object);

    if (rc == TSS2_RC_SUCCESS)
        rc = signet_tpm_begin_use(tpm, &call->use, call->secrecy, &session);
    if (rc == TSS2_RC_SUCCESS)
        rc = signet_tpm_end_use(tpm, &call->use,
                                Esys_RSA_Decrypt(tpm->esys, object, session, ESYS_TR_NONE,
                                                 ESYS_TR_NONE, &call->in, &raw, &no_label, &out));
    if (rc == TSS2_RC_SUCCESS) {
        call->out = *out;
        OPENSSL_cleanse(out, sizeof *out);
    }
    Esys_Free(out);
    return rc;
}

/* The private operation on a number as long as the modulus: a signature, or a plaintext that is
 * secret. */
static GBytes *
rsa_raw(SignetTpm *tpm, SignetKey *key, gboolean is_secret, GBytes *block, GError **error)
{
    RsaCall call = {.use.key = key, .secrecy = is_secret ? TPMA_SESSION_ENCRYPT : 0};
    const char *what = is_secret ? "decrypt" : "sign";
    gsize modulus = signet_key_type_bits(key->type) / 8;
    guint8 padded[sizeof call.out.buffer] = {0};
    GBytes *result = NULL;
    gsize size;
    const guint8 *bytes = g_bytes_get_data(block, &size);

    if (size != modulus || size > sizeof call.in.buffer) {
        signet_error_set(error, SIGNET_ERROR_BAD_REQUEST,
                         "%zu bytes are not what a key of type '%s' can %s", size,
                         signet_key_type_name(key->type), what);
        return NULL;
    }
    call.in.size = (UINT16)size;
    memcpy(call.in.buffer, bytes, size);
    if (signet_tpm_run(tpm, what, attempt_rsa, &call, &call.use, error) &&
        call.out.size <= modulus) {
        memcpy(padded + modulus - call.out.size, call.out.buffer, call.out.size);
        result = signet_secret_bytes_new(padded, modulus);
    }
    OPENSSL_cleanse(padded, sizeof padded);
    OPENSSL_cleanse(&call.out, sizeof call.out);
    return result;
}

static GBytes *
sign_rsa(SignetTpm *tpm, SignetKey *key, const SignetKeyScheme *scheme, GBytes *digest,
         GError **error)
{
    g_autoptr(GBytes) block = signet_rsa_pad(scheme, digest, key->spki, error);
    g_autoptr(GBytes) signature = block ? rsa_raw(tpm, key, FALSE, block, error) : NULL;

    if (!signature || !signet_rsa_check(key->spki, block, signature, error))
        return NULL;
    return g_steal_pointer(&signature);
}

static GBytes *
tpm_sign(gpointer backend, SignetKey *key, const SignetKeyScheme *scheme, GBytes *digest,
         GError **error)
{
    SignetTpm *tpm = backend;

    if (signet_key_type_is_ec(key->type) && scheme->scheme == SIGNET_SCHEME_ECDSA)
        return sign_ecdsa(tpm, key, digest, error);
    if (signet_key_type_is_rsa(key->type) &&
        (scheme->scheme == SIGNET_SCHEME_RSA_PKCS1 || scheme->scheme == SIGNET_SCHEME_RSA_PSS))
        return sign_rsa(tpm, key, scheme, digest, error);
    signet_error_set(error, SIGNET_ERROR_UNSUPPORTED, "a key of type '%s' cannot sign with %s",
                     signet_key_type_name(key->type), signet_scheme_name(scheme->scheme));
    return NULL;
}

static GBytes *
tpm_decrypt(gpointer backend, SignetKey *key, const SignetKeyScheme *scheme, GBytes *ciphertext,
            GError **error)
{
    g_autoptr(GBytes) block = NULL;

    if (!signet_key_type_is_rsa(key->type)) {
        signet_error_set(error, SIGNET_ERROR_UNSUPPORTED, "a key of type '%s' cannot decrypt",
                         signet_key_type_name(key->type));
        return NULL;
    }
    block = rsa_raw(backend, key, TRUE, ciphertext, error);
    return block ? signet_rsa_unpad(scheme, block, error) : NULL;
}

/* --- ECDH --- */

typedef struct {
    SignetTpmUse use;
    TPM2B_ECC_POINT peer;
    TPM2B_ECC_POINT shared; /* the result */
} EcdhCall;

static TSS2_RC
attempt_ecdh(SignetTpm *tpm, gpointer data)
{
    EcdhCall *call = data;
    TPM2B_ECC_POINT *shared = NULL;
    ESYS_TR object, session;
    TSS2_RC rc = signet_tpm_use_key(tpm, &call->use, &object);

    if (rc == TSS2_RC_SUCCESS)
        rc = signet_tpm_begin_use(tpm, &call->use, TPMA_SESSION_ENCRYPT, &session);
    if (rc == TSS2_RC_SUCCESS)
        rc = signet_tpm_end_use(tpm, &call->use,
                                Esys_ECDH_ZGen(tpm->esys, object, session, ESYS_TR_NONE,
                                               ESYS_TR_NONE, &call->peer, &shared));
    if (rc == TSS2_RC_SUCCESS) {
        call->shared = *shared;
        OPENSSL_cleanse(shared, sizeof *shared);
    }
    Esys_Free(shared);
    return rc;
}

static void
set_coordinate(TPM2B_ECC_PARAMETER *field, const guint8 *bytes, gsize size)
{
    field->size = (UINT16)size;
    memcpy(field->buffer, bytes, size);
}

static GBytes *
tpm_derive(gpointer backend, SignetKey *key, GBytes *peer_point, GError **error)
{
    SignetTpm *tpm = backend;
    EcdhCall call = {.use.key = key};
    gsize field = (signet_key_type_bits(key->type) + 7) / 8;
    guint8 padded[sizeof call.shared.point.x.buffer] = {0};
    const TPM2B_ECC_PARAMETER *x = &call.shared.point.x;
    GBytes *result = NULL;
    gsize size;
    const guint8 *bytes = g_bytes_get_data(peer_point, &size);

    if (!signet_key_type_is_ec(key->type) || size != 1 + 2 * field || bytes[0] != 4) {
        signet_error_set(error, SIGNET_ERROR_BAD_REQUEST,
                         "the peer's point is not an uncompressed one of the curve of '%s'",
                         signet_key_type_name(key->type));
        return NULL;
    }
    set_coordinate(&call.peer.point.x, bytes + 1, field);
    set_coordinate(&call.peer.point.y, bytes + 1 + field, field);
    if (signet_tpm_run(tpm, "derive a secret", attempt_ecdh, &call, &call.use, error) &&
        x->size <= field) {
        memcpy(padded + field - x->size, x->buffer, x->size);
        result = signet_secret_bytes_new(padded, field);
    }
    OPENSSL_cleanse(padded, sizeof padded);
    OPENSSL_cleanse(&call.shared, sizeof call.shared);
    return result;
}

static SignetKey *
tpm_adopt(gpointer backend, GBytes *name, SignetSecret *auth, GBytes **ret_certificate,
          GError **error)
{
    return signet_tpm_adopt(backend, name, auth, error);
}

static gboolean
tpm_certify(gpointer backend, SignetKey *attester, SignetKey *key, GBytes *data,
            GVariantDict *evidence, GError **error)
{
    return signet_tpm_certify(backend, attester, key, data, evidence, error);
}

static GBytes *
tpm_activate(gpointer backend, SignetKey *attester, const SignetTokenChallenge *challenge,
             GError **error)
{
    return signet_tpm_activate(backend, attester, challenge, error);
}

/* The TPM keeps nothing but what is loaded. */
static gboolean
tpm_destroy(gpointer backend, SignetKey *key, GError **error)
{
    signet_tpm_forget_key(backend, key);
    return TRUE;
}

SignetToken *
signet_tpm_token_new(const SignetTokenSettings *settings, const char *tcti, gboolean bus_encryption)
{
    static const SignetTokenBackend vtable = {
        .open = tpm_open,
        .generate = tpm_generate,
        .sign = tpm_sign,
        .decrypt = tpm_decrypt,
        .derive = tpm_derive,
        .adopt = tpm_adopt,
        .destroy = tpm_destroy,
        .learn = tpm_learn,
        .certify = tpm_certify,
        .activate = tpm_activate,
        .free = tpm_free,
    };

    g_setenv("TSS2_LOG", "all+NONE", FALSE);
    signet_tpm_recycle_contexts();
    return signet_token_new(
        settings, &vtable,
        signet_tpm_new(settings->name, tcti ? tcti : "device:/dev/tpmrm0", bus_encryption));
}
