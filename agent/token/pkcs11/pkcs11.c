/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* The operations of a PKCS#11 token. */

#include "agent/token/pkcs11/pkcs11.h"

#include <openssl/crypto.h>
#include <string.h>

#include "agent/base/secret.h"
#include "agent/token/pkcs11/adopt.h"
#include "agent/token/pkcs11/error.h"
#include "agent/token/pkcs11/generate.h"
#include "agent/token/pkcs11/learn.h"
#include "agent/token/pkcs11/object.h"
#include "agent/token/pkcs11/public.h"
#include "agent/token/rsa.h"

#define OUTPUT_MAX 1024 /* RSA-8192 */

static gboolean
pkcs11_unlock(gpointer backend, const SignetTokenUnlock *unlock, SignetTokenInfo *ret_info,
              GError **error)
{
    SignetPkcs11 *p11 = backend;
    g_autoptr(GError) local = NULL;
    gboolean is_open = signet_pkcs11_unlock(p11, unlock, &local);

    if (is_open || signet_error_is(local, SIGNET_ERROR_PIN_NEEDED))
        *ret_info = (SignetTokenInfo) {.kind = "pkcs11",
                                       .protection = p11->protection,
                                       .description = p11->description,
                                       .sessions = signet_pkcs11_count_sessions(p11),
                                       .lock = p11->lock};
    if (local)
        g_propagate_error(error, g_steal_pointer(&local));
    return is_open;
}

static gboolean
pkcs11_open(gpointer backend, SignetTokenInfo *ret_info, GError **error)
{
    return pkcs11_unlock(backend, NULL, ret_info, error);
}

static void
pkcs11_lock(gpointer backend)
{
    signet_pkcs11_lock(backend);
}

static gboolean
pkcs11_learn(gpointer backend, SignetLesson lesson, SignetKey *key, GVariantDict *facts,
             GError **error)
{
    return signet_pkcs11_begin(backend, error) &&
           signet_pkcs11_learn(backend, lesson, key, facts, error);
}

static gpointer
pkcs11_attach(gpointer backend)
{
    return signet_pkcs11_attach(backend);
}

static void
pkcs11_enter(gpointer backend)
{
    signet_pkcs11_device_enter(((SignetPkcs11 *)backend)->device);
}

static void
pkcs11_leave(gpointer backend)
{
    signet_pkcs11_device_leave(((SignetPkcs11 *)backend)->device);
}

static gboolean
pkcs11_interrupt(gpointer backend)
{
    SignetPkcs11Isolate *isolate = ((SignetPkcs11 *)backend)->device->isolate;

    if (isolate)
        signet_pkcs11_isolate_kill(isolate);
    return isolate != NULL;
}

/* A module that crashed shows as a device that fails. */
static void
pkcs11_explain(gpointer backend, GError **error)
{
    SignetPkcs11 *p11 = backend;
    SignetPkcs11Isolate *isolate = p11->device->isolate;
    g_autofree char *end = NULL;

    if (isolate && signet_error_is(*error, SIGNET_ERROR_TOKEN_ABSENT))
        end = signet_pkcs11_isolate_explain(isolate);
    if (!end)
        return;
    g_clear_error(error);
    signet_error_set(error, SIGNET_ERROR_TOKEN_ABSENT,
                     "token '%s': %s; it is started again at the next use", p11->name, end);
}

static gboolean
pkcs11_check(gpointer backend, GError **error)
{
    const SignetPkcs11Device *device = ((SignetPkcs11 *)backend)->device;

    return !device->slot.functions || signet_pkcs11_slot_check(&device->slot, device->name, error);
}

static void
pkcs11_free(gpointer backend)
{
    signet_pkcs11_free(backend);
}

static SignetKey *
pkcs11_generate(gpointer backend, const SignetKeyTemplate *template, GError **error)
{
    return signet_pkcs11_begin(backend, error) ? signet_pkcs11_generate(backend, template, error)
                                               : NULL;
}

static SignetKey *
pkcs11_adopt(gpointer backend, GBytes *name, SignetSecret *auth, GBytes **ret_certificate,
             GError **error)
{
    return signet_pkcs11_begin(backend, error)
               ? signet_pkcs11_adopt(backend, name, ret_certificate, error)
               : NULL;
}

static gboolean
pkcs11_destroy(gpointer backend, SignetKey *key, GError **error)
{
    return signet_pkcs11_begin(backend, error) &&
           signet_pkcs11_destroy_objects(backend, key, error);
}

static gboolean
begin(SignetPkcs11 *p11, SignetKey *key, CK_OBJECT_HANDLE *ret_object, GError **error)
{
    return signet_pkcs11_begin(p11, error) && signet_pkcs11_bind(p11, key, ret_object, error);
}

/* --- one mechanism --- */

/* A private operation: signing, or decrypting. */
typedef struct {
    CK_MECHANISM mechanism;
    gboolean is_decryption;
    GBytes *in; /* (unowned): the caller's */
    guint8 out[OUTPUT_MAX];
    CK_ULONG out_size;
    GError *error; /* (owned, nullable) what the return value cannot say */
} Operation;

static CK_RV
finish(SignetPkcs11 *p11, Operation *operation)
{
    CK_FUNCTION_LIST *functions = p11->functions;
    gsize size;
    const guint8 *data = g_bytes_get_data(operation->in, &size);
    guint8 *in = (guint8 *)(data ? data : (const guint8 *)""); /* SoftHSM refuses NULL */

    operation->out_size = sizeof operation->out;
    return operation->is_decryption
               ? functions->C_Decrypt(p11->session, in, size, operation->out, &operation->out_size)
               : functions->C_Sign(p11->session, in, size, operation->out, &operation->out_size);
}

static CK_RV
run(SignetPkcs11 *p11, CK_OBJECT_HANDLE object, Operation *operation)
{
    CK_FUNCTION_LIST *functions = p11->functions;
    gboolean may_finish = TRUE;
    CK_RV rv = operation->is_decryption
                   ? functions->C_DecryptInit(p11->session, &operation->mechanism, object)
                   : functions->C_SignInit(p11->session, &operation->mechanism, object);

    if (rv != CKR_OK)
        return rv;
    if (g_hash_table_contains(p11->careful, (gpointer)object))
        may_finish = signet_pkcs11_log_in_for_operation(p11, &operation->error);
    /* Without the PIN too: the operation must end, or the session is of no use any more. */
    rv = finish(p11, operation);
    return may_finish || rv != CKR_OK ? rv : CKR_USER_NOT_LOGGED_IN;
}

static gboolean
is_removable(const SignetPkcs11 *p11)
{
    return (p11->slot.info.flags & CKF_REMOVABLE_DEVICE) != 0;
}

/* So says OpenSC of a card that is gone until pcscd has noticed. */
static void
report_doubt(SignetPkcs11 *p11, const char *what, CK_RV rv, GError **error)
{
    signet_pkcs11_device_let_settle(p11->device);
    signet_error_set(error, SIGNET_ERROR_TOKEN_ABSENT,
                     "token '%s' cannot %s: it was removed, or does not work; insert it (%s)",
                     p11->name, what, p11_kit_strerror(rv));
}

static void
report(SignetPkcs11 *p11, Operation *operation, const char *what, CK_RV rv, GError **error)
{
    if (operation->error)
        g_propagate_error(error, g_steal_pointer(&operation->error));
    else if (is_removable(p11) && (rv == CKR_GENERAL_ERROR || rv == CKR_FUNCTION_FAILED))
        report_doubt(p11, what, rv, error);
    else
        signet_pkcs11_error_set(error, p11->name, what, rv);
}

static GBytes *
run_to_bytes(SignetPkcs11 *p11, CK_OBJECT_HANDLE object, Operation *operation, GError **error)
{
    CK_RV rv = run(p11, object, operation);

    if (rv == CKR_OK)
        return g_bytes_new(operation->out, operation->out_size);
    report(p11, operation, "sign", rv, error);
    return NULL;
}

/* Other programs can put another key in the place of one on a card, and the module may not notice:
 * opening the token again answers that. */
static gboolean
report_mismatch(SignetPkcs11 *p11, GError **error)
{
    return signet_error_set(
        error, is_removable(p11) ? SIGNET_ERROR_TOKEN_ABSENT : SIGNET_ERROR_TOKEN_FAILED,
        "token '%s' returned a signature that does not verify; its key was replaced", p11->name);
}

/* --- ECDSA --- */

static GBytes *
sign_ecdsa(SignetPkcs11 *p11, SignetKey *key, GBytes *digest, GError **error)
{
    gsize size = MIN(g_bytes_get_size(digest), (signet_key_type_bits(key->type) + 7) / 8);
    /* ECDSA takes the leftmost bits anyway (FIPS 186-5, 6.4.1), but not all tokens cut. */
    g_autoptr(GBytes) cut = g_bytes_new_from_bytes(digest, 0, size);
    Operation operation = {.mechanism = {CKM_ECDSA, NULL, 0}, .in = cut};
    g_autoptr(GBytes) der = NULL;
    CK_OBJECT_HANDLE object;
    CK_RV rv;

    if (!begin(p11, key, &object, error))
        return NULL;
    rv = run(p11, object, &operation);
    if (rv != CKR_OK) {
        report(p11, &operation, "sign", rv, error);
        return NULL;
    }
    der = signet_pkcs11_ecdsa_der(operation.out, operation.out_size);
    if (!der) {
        signet_error_set(error, SIGNET_ERROR_TOKEN_FAILED,
                         "token '%s' returned a signature of %lu bytes, which is none of ECDSA",
                         p11->name, operation.out_size);
        return NULL;
    }
    if (is_removable(p11) && !signet_pkcs11_ecdsa_check(key->spki, cut, der)) {
        report_mismatch(p11, error);
        return NULL;
    }
    return g_steal_pointer(&der);
}

/* --- Ed25519 --- */

#define ED25519_SIGNATURE 64

static GBytes *
sign_eddsa(SignetPkcs11 *p11, SignetKey *key, GBytes *message, GError **error)
{
    Operation operation = {.mechanism = {CKM_EDDSA, NULL, 0}, .in = message};
    CK_OBJECT_HANDLE object;
    g_autoptr(GBytes) signature = NULL;

    if (!begin(p11, key, &object, error))
        return NULL;
    signature = run_to_bytes(p11, object, &operation, error);
    if (signature && g_bytes_get_size(signature) != ED25519_SIGNATURE) {
        signet_error_set(error, SIGNET_ERROR_TOKEN_FAILED,
                         "token '%s' returned a signature of %lu bytes, which is none of Ed25519",
                         p11->name, operation.out_size);
        return NULL;
    }
    return g_steal_pointer(&signature);
}

/* --- RSA --- */

static const struct {
    enum signet_hash hash;
    CK_MECHANISM_TYPE mechanism;
    CK_RSA_PKCS_MGF_TYPE mgf;
} HASHES[] = {
    {SIGNET_HASH_SHA1, CKM_SHA_1, CKG_MGF1_SHA1},
    {SIGNET_HASH_SHA224, CKM_SHA224, CKG_MGF1_SHA224},
    {SIGNET_HASH_SHA256, CKM_SHA256, CKG_MGF1_SHA256},
    {SIGNET_HASH_SHA384, CKM_SHA384, CKG_MGF1_SHA384},
    {SIGNET_HASH_SHA512, CKM_SHA512, CKG_MGF1_SHA512},
};

static CK_MECHANISM_TYPE
mechanism_of(guint32 hash)
{
    for (guint i = 0; i < G_N_ELEMENTS(HASHES); i++) {
        if (HASHES[i].hash == hash)
            return HASHES[i].mechanism;
    }
    return CKM_VENDOR_DEFINED;
}

static CK_RSA_PKCS_MGF_TYPE
mgf_of(const SignetKeyScheme *scheme)
{
    guint32 hash = scheme->mgf1_hash ? scheme->mgf1_hash : scheme->hash;

    for (guint i = 0; i < G_N_ELEMENTS(HASHES); i++) {
        if (HASHES[i].hash == hash)
            return HASHES[i].mgf;
    }
    return 0;
}

static gboolean
check_rsa(SignetPkcs11 *p11, SignetKey *key, GBytes *block, GBytes *signature, GError **error)
{
    return signet_rsa_check(key->spki, block, signature, NULL) || report_mismatch(p11, error);
}

static GBytes *
sign_raw(SignetPkcs11 *p11, CK_OBJECT_HANDLE object, GBytes *block, GError **error)
{
    Operation operation = {.mechanism = {CKM_RSA_X_509, NULL, 0}, .in = block};

    return run_to_bytes(p11, object, &operation, error);
}

/* The token's own padding; the agent's where the token has none, or not with these parameters. */
static GBytes *
sign_pss(SignetPkcs11 *p11, SignetKey *key, CK_OBJECT_HANDLE object, const SignetKeyScheme *scheme,
         GBytes *digest, GError **error)
{
    CK_RSA_PKCS_PSS_PARAMS params = {mechanism_of(scheme->hash), mgf_of(scheme), scheme->salt_len};
    Operation operation = {.mechanism = {CKM_RSA_PKCS_PSS, &params, sizeof params}, .in = digest};
    g_autoptr(GBytes) block = signet_rsa_pad(scheme, digest, key->spki, error);
    g_autoptr(GBytes) signature = NULL;
    CK_RV rv = CKR_MECHANISM_INVALID;

    if (!block)
        return NULL;
    if (p11->has_pss)
        rv = run(p11, object, &operation);
    if (rv == CKR_OK)
        return g_bytes_new(operation.out, operation.out_size);
    if (operation.error || !signet_pkcs11_is_unfit(rv) || !p11->has_raw_rsa) {
        report(p11, &operation, "sign with rsa-pss", rv, error);
        return NULL;
    }
    signature = sign_raw(p11, object, block, error);
    if (!signature || !check_rsa(p11, key, block, signature, error))
        return NULL;
    return g_steal_pointer(&signature);
}

static GBytes *
sign_pkcs1(SignetPkcs11 *p11, SignetKey *key, CK_OBJECT_HANDLE object,
           const SignetKeyScheme *scheme, GBytes *digest, GError **error)
{
    g_autoptr(GBytes) block = signet_rsa_pad(scheme, digest, key->spki, error);
    g_autoptr(GBytes) info = block ? signet_rsa_digest_info(scheme, digest) : NULL;
    Operation operation = {.mechanism = {CKM_RSA_PKCS, NULL, 0}, .in = info};
    g_autoptr(GBytes) signature = info ? run_to_bytes(p11, object, &operation, error) : NULL;

    if (!signature || !check_rsa(p11, key, block, signature, error))
        return NULL;
    return g_steal_pointer(&signature);
}

static GBytes *
pkcs11_sign(gpointer backend, SignetKey *key, const SignetKeyScheme *scheme, GBytes *digest,
            GError **error)
{
    gboolean is_rsa = signet_key_type_is_rsa(key->type);
    CK_OBJECT_HANDLE object;

    if (signet_key_type_is_ec(key->type) && scheme->scheme == SIGNET_SCHEME_ECDSA &&
        g_bytes_get_size(digest) > 0)
        return sign_ecdsa(backend, key, digest, error);
    if (key->type == SIGNET_KEY_ED25519 && scheme->scheme == SIGNET_SCHEME_EDDSA)
        return sign_eddsa(backend, key, digest, error);
    if (is_rsa && scheme->scheme == SIGNET_SCHEME_RSA_PKCS1)
        return begin(backend, key, &object, error)
                   ? sign_pkcs1(backend, key, object, scheme, digest, error)
                   : NULL;
    if (is_rsa && scheme->scheme == SIGNET_SCHEME_RSA_PSS)
        return begin(backend, key, &object, error)
                   ? sign_pss(backend, key, object, scheme, digest, error)
                   : NULL;
    signet_error_set(error, SIGNET_ERROR_UNSUPPORTED, "a key of type '%s' cannot sign with %s",
                     signet_key_type_name(key->type), signet_scheme_name(scheme->scheme));
    return NULL;
}

/* --- decryption --- */

static GBytes *
decrypt_raw(SignetPkcs11 *p11, CK_OBJECT_HANDLE object, const SignetKeyScheme *scheme,
            GBytes *ciphertext, GError **error)
{
    Operation operation = {
        .mechanism = {CKM_RSA_X_509, NULL, 0}, .is_decryption = TRUE, .in = ciphertext};
    gsize modulus = g_bytes_get_size(ciphertext);
    guint8 padded[OUTPUT_MAX] = {0};
    g_autoptr(GBytes) block = NULL;
    CK_RV rv = run(p11, object, &operation);

    /* Some tokens leave out the zeros at the beginning. */
    if (rv == CKR_OK && operation.out_size <= modulus) {
        memcpy(padded + modulus - operation.out_size, operation.out, operation.out_size);
        block = signet_secret_bytes_new(padded, modulus);
    } else {
        report(p11, &operation, "decrypt", rv == CKR_OK ? CKR_GENERAL_ERROR : rv, error);
    }
    OPENSSL_cleanse(&operation.out, sizeof operation.out);
    OPENSSL_cleanse(padded, sizeof padded);
    return block ? signet_rsa_unpad(scheme, block, error) : NULL;
}

static gboolean
is_about_ciphertext(CK_RV rv)
{
    return rv == CKR_ENCRYPTED_DATA_INVALID || rv == CKR_ENCRYPTED_DATA_LEN_RANGE ||
           rv == CKR_DATA_INVALID || rv == CKR_GENERAL_ERROR || rv == CKR_FUNCTION_FAILED;
}

static GBytes *
decrypt_with(SignetPkcs11 *p11, CK_OBJECT_HANDLE object, const SignetKeyScheme *scheme,
             Operation *operation, GError **error)
{
    GBytes *plain = NULL;
    CK_RV rv = run(p11, object, operation);

    if (rv == CKR_OK)
        plain = signet_secret_bytes_new(operation->out, operation->out_size);
    OPENSSL_cleanse(operation->out, sizeof operation->out);
    if (rv == CKR_OK)
        return plain;
    if (!operation->error && signet_pkcs11_is_unfit(rv) && rv != CKR_KEY_FUNCTION_NOT_PERMITTED &&
        p11->has_raw_rsa)
        return decrypt_raw(p11, object, scheme, operation->in, error);
    if (!operation->error && is_about_ciphertext(rv))
        signet_error_set(error, SIGNET_ERROR_BAD_REQUEST,
                         "the ciphertext was not made for this key and this padding");
    else
        report(p11, operation, "decrypt", rv, error);
    return NULL;
}

static GBytes *
decrypt_rsa(SignetPkcs11 *p11, SignetKey *key, const SignetKeyScheme *scheme, GBytes *ciphertext,
            GError **error)
{
    CK_RSA_PKCS_OAEP_PARAMS oaep = {mechanism_of(scheme->hash), mgf_of(scheme), 0, NULL, 0};
    Operation operation = {
        .mechanism = {CKM_RSA_PKCS, NULL, 0}, .is_decryption = TRUE, .in = ciphertext};
    CK_OBJECT_HANDLE object;

    if (!begin(p11, key, &object, error))
        return NULL;
    if (scheme->scheme == SIGNET_SCHEME_RSA_OAEP) {
        gsize size = 0;

        oaep.source = CKZ_DATA_SPECIFIED;
        oaep.pSourceData = scheme->label ? (void *)g_bytes_get_data(scheme->label, &size) : NULL;
        oaep.ulSourceDataLen = size;
        operation.mechanism = (CK_MECHANISM) {CKM_RSA_PKCS_OAEP, &oaep, sizeof oaep};
        if (!p11->has_oaep && p11->has_raw_rsa)
            return decrypt_raw(p11, object, scheme, ciphertext, error);
    }
    return decrypt_with(p11, object, scheme, &operation, error);
}

static GBytes *
pkcs11_decrypt(gpointer backend, SignetKey *key, const SignetKeyScheme *scheme, GBytes *ciphertext,
               GError **error)
{
    if (!signet_key_type_is_rsa(key->type) ||
        (scheme->scheme != SIGNET_SCHEME_RSA_PKCS1 && scheme->scheme != SIGNET_SCHEME_RSA_OAEP)) {
        signet_error_set(error, SIGNET_ERROR_UNSUPPORTED,
                         "a key of type '%s' cannot decrypt with %s",
                         signet_key_type_name(key->type), signet_scheme_name(scheme->scheme));
        return NULL;
    }
    if (g_bytes_get_size(ciphertext) != signet_key_type_bits(key->type) / 8) {
        signet_error_set(error, SIGNET_ERROR_BAD_REQUEST,
                         "%zu bytes are not what a key of type '%s' can decrypt",
                         g_bytes_get_size(ciphertext), signet_key_type_name(key->type));
        return NULL;
    }
    return decrypt_rsa(backend, key, scheme, ciphertext, error);
}

/* --- ECDH --- */

static GBytes *
take_secret(SignetPkcs11 *p11, CK_OBJECT_HANDLE secret, gsize field, GError **error)
{
    guint8 value[OUTPUT_MAX];
    CK_ATTRIBUTE attribute = {CKA_VALUE, value, sizeof value};
    guint8 padded[OUTPUT_MAX] = {0};
    GBytes *result = NULL;
    CK_RV rv = p11->functions->C_GetAttributeValue(p11->session, secret, &attribute, 1);

    if (rv == CKR_OK && attribute.ulValueLen <= field) {
        memcpy(padded + field - attribute.ulValueLen, value, attribute.ulValueLen);
        result = signet_secret_bytes_new(padded, field);
    } else {
        signet_pkcs11_error_set(error, p11->name, "derive a secret",
                                rv == CKR_OK ? CKR_GENERAL_ERROR : rv);
    }
    OPENSSL_cleanse(value, sizeof value);
    OPENSSL_cleanse(padded, sizeof padded);
    return result;
}

/* The secret is an object of the session for as long as it takes to read it. */
static GBytes *
derive(SignetPkcs11 *p11, CK_OBJECT_HANDLE object, GBytes *peer_point, gsize field, GError **error)
{
    CK_OBJECT_CLASS class = CKO_SECRET_KEY;
    CK_KEY_TYPE type = CKK_GENERIC_SECRET;
    CK_BBOOL yes = CK_TRUE, no = CK_FALSE;
    CK_ULONG length = field;
    CK_ATTRIBUTE template[] = {
        {CKA_CLASS, &class, sizeof class},   {CKA_KEY_TYPE, &type, sizeof type},
        {CKA_TOKEN, &no, sizeof no},         {CKA_SENSITIVE, &no, sizeof no},
        {CKA_EXTRACTABLE, &yes, sizeof yes}, {CKA_VALUE_LEN, &length, sizeof length},
    };
    gsize size;
    guint8 *point = (guint8 *)g_bytes_get_data(peer_point, &size);
    CK_ECDH1_DERIVE_PARAMS params = {CKD_NULL, 0, NULL, size, point};
    CK_MECHANISM mechanism = {CKM_ECDH1_DERIVE, &params, sizeof params};
    CK_OBJECT_HANDLE secret;
    GBytes *result;
    CK_RV rv = p11->functions->C_DeriveKey(p11->session, &mechanism, object, template,
                                           G_N_ELEMENTS(template), &secret);

    if (rv != CKR_OK) {
        signet_pkcs11_error_set(error, p11->name, "derive a secret", rv);
        return NULL;
    }
    result = take_secret(p11, secret, field, error);
    p11->functions->C_DestroyObject(p11->session, secret);
    return result;
}

static GBytes *
pkcs11_derive(gpointer backend, SignetKey *key, GBytes *peer_point, GError **error)
{
    CK_OBJECT_HANDLE object;

    if (!signet_pkcs11_is_point(key->type, peer_point)) {
        signet_error_set(error, SIGNET_ERROR_BAD_REQUEST,
                         "the peer's point is not an uncompressed one of the curve of '%s'",
                         signet_key_type_name(key->type));
        return NULL;
    }
    if (!begin(backend, key, &object, error))
        return NULL;
    return derive(backend, object, peer_point, (signet_key_type_bits(key->type) + 7) / 8, error);
}

SignetToken *
signet_pkcs11_token_new(const SignetTokenSettings *settings, const SignetPkcs11Settings *pkcs11)
{
    static const SignetTokenBackend vtable = {
        .attach = pkcs11_attach,
        .enter = pkcs11_enter,
        .leave = pkcs11_leave,
        .interrupt = pkcs11_interrupt,
        .explain = pkcs11_explain,
        .hang_advice =
            "its PKCS#11 module hangs; Isolate=yes gives the module a process of its own, "
            "which can be stopped and started again",
        .open = pkcs11_open,
        .unlock = pkcs11_unlock,
        .lock = pkcs11_lock,
        .generate = pkcs11_generate,
        .sign = pkcs11_sign,
        .decrypt = pkcs11_decrypt,
        .derive = pkcs11_derive,
        .adopt = pkcs11_adopt,
        .destroy = pkcs11_destroy,
        .check = pkcs11_check,
        .learn = pkcs11_learn,
        .free = pkcs11_free,
    };

    if (pkcs11->module_program)
        signet_pkcs11_isolate_prepare();

    SignetPkcs11Login *login =
        signet_pkcs11_login_new(settings->name, &pkcs11->pin, pkcs11->attempts);

    return signet_token_new(settings, &vtable,
                            signet_pkcs11_new(settings->name, pkcs11->uri, login,
                                              pkcs11->allow_extractable, pkcs11->max_sessions,
                                              pkcs11->module_program));
}
