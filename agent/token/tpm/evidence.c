/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Certifying and activating. A TPM without a resource manager has three places for objects: the
 * parent's, and two more. */

#include "agent/token/tpm/evidence.h"

#include <openssl/crypto.h>
#include <string.h>
#include <tss2/tss2_mu.h>

#include "agent/base/secret.h"
#include "agent/token/tpm/context.h"
#include "agent/token/tpm/ek.h"
#include "agent/token/tpm/endorse.h"
#include "agent/token/tpm/error.h"

/* --- the attestation key --- */

/* Was it made under another parent than the one that is there now? */
static gboolean
is_of_another_time(SignetTpm *tpm, const SignetTpmKeyFile *file)
{
    TPM2B_NAME name = {0};
    ESYS_TR parent;

    if (signet_tpm_parent(tpm, file->parent, &parent) != TSS2_RC_SUCCESS ||
        signet_tpm_name(tpm, parent, &name) != TSS2_RC_SUCCESS)
        return FALSE;
    return name.size != file->parent_name.size ||
           memcmp(name.name, file->parent_name.name, name.size) != 0;
}

/* Loads it. With *ret_error set there is no point in trying again. */
static TSS2_RC
use_attester(SignetTpm *tpm, SignetTpmUse *use, ESYS_TR *ret_object, GError **ret_error)
{
    TSS2_RC rc = signet_tpm_use_key(tpm, use, ret_object);
    TSS2_RC plain = signet_tpm_plain_rc(rc);

    if (use->error)
        g_propagate_error(ret_error, g_steal_pointer(&use->error));
    else if ((plain == TPM2_RC_INTEGRITY || plain == TPM2_RC_BINDING) && use->file &&
             is_of_another_time(tpm, use->file))
        signet_error_set(ret_error, SIGNET_ERROR_NOT_FOUND,
                         "the attestation key of token '%s' is another TPM's, or the TPM was "
                         "cleared since it was made",
                         tpm->name);
    return rc;
}

static TSS2_RC
read_public(SignetTpm *tpm, ESYS_TR object, TPMT_PUBLIC *ret_public)
{
    TPM2B_PUBLIC *public = NULL;
    TSS2_RC rc = Esys_ReadPublic(tpm->esys, object, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
                                 &public, NULL, NULL);

    if (rc == TSS2_RC_SUCCESS)
        *ret_public = public->publicArea;
    Esys_Free(public);
    return rc;
}

static gboolean
is_itself(SignetTpm *tpm, ESYS_TR object)
{
    TPM2B_NAME known = {0};
    TPM2B_NAME *found = NULL;
    TSS2_RC rc = Esys_ReadPublic(tpm->esys, object, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, NULL,
                                 &found, NULL);
    gboolean is_same = rc == TSS2_RC_SUCCESS && signet_tpm_name(tpm, object, &known) == rc &&
                       found->size == known.size &&
                       memcmp(found->name, known.name, known.size) == 0;

    Esys_Free(found);
    return is_same;
}

/* A TPM that forgot its objects between our loading of the first and of the second gives the second
 * the first one's number. */
static TSS2_RC
judge(SignetTpm *tpm, TSS2_RC rc, ESYS_TR first, ESYS_TR second)
{
    gboolean is_final = signet_tpm_is_from_tpm(rc) && signet_tpm_fate(rc) == SIGNET_TPM_FATE_FINAL;

    return is_final && !(is_itself(tpm, first) && is_itself(tpm, second)) ? TPM2_RC_REFERENCE_H0
                                                                          : rc;
}

/* --- certify --- */

typedef struct {
    SignetTpmUse use;      /* of the key */
    SignetTpmUse attester; /* of the other one */
    TPM2B_DATA data;
    /* the result */
    TPM2B_ATTEST attestation;
    TPMT_SIGNATURE signature;
    TPMT_PUBLIC key_public;
    TPMT_PUBLIC attester_public;
    GVariant *certificates; /* (owned, nullable) */
    GVariant *issuers;      /* (owned, nullable) */
} CertifyCall;

/* Both loaded at once, whatever else is. */
static TSS2_RC
load_both(SignetTpm *tpm, CertifyCall *call, ESYS_TR *ret_key, ESYS_TR *ret_attester)
{
    TSS2_RC rc = signet_tpm_use_key(tpm, &call->use, ret_key);

    if (rc != TSS2_RC_SUCCESS)
        return rc;
    /* it may have been the key's parent, and is not needed any more */
    signet_tpm_drop_endorsement_primary(tpm);
    rc = use_attester(tpm, &call->attester, ret_attester, &call->use.error);
    if (rc != TSS2_RC_SUCCESS || call->use.error)
        return rc;
    *ret_key = signet_tpm_loaded_find(tpm->loaded, call->use.key->blob);
    return *ret_key == ESYS_TR_NONE ? TPM2_RC_OBJECT_MEMORY : TSS2_RC_SUCCESS;
}

/* Keys that are bound to registers too: the ADMIN role wants their auth value only (part 1, 19.2).
 */
static TSS2_RC
certify(SignetTpm *tpm, CertifyCall *call, ESYS_TR key, ESYS_TR attester)
{
    const TPMT_SIG_SCHEME of_key = {.scheme = TPM2_ALG_NULL};
    TPM2B_ATTEST *attestation = NULL;
    TPMT_SIGNATURE *signature = NULL;
    ESYS_TR session;
    TSS2_RC rc = signet_tpm_second_session(tpm, &session);

    if (rc == TSS2_RC_SUCCESS)
        rc = Esys_Certify(tpm->esys, key, attester, signet_tpm_auth(tpm, 0), session, ESYS_TR_NONE,
                          &call->data, &of_key, &attestation, &signature);
    if (rc == TSS2_RC_SUCCESS) {
        call->attestation = *attestation;
        call->signature = *signature;
    } else if (session != ESYS_TR_PASSWORD) {
        signet_tpm_flush(tpm, &session);
    }
    Esys_Free(attestation);
    Esys_Free(signature);
    return judge(tpm, rc, key, attester);
}

static TSS2_RC
read_endorsement(SignetTpm *tpm, CertifyCall *call)
{
    GVariant *certificates = NULL, *issuers = NULL;
    TSS2_RC rc = signet_tpm_ek_read(tpm, &certificates, &issuers);

    if (rc != TSS2_RC_SUCCESS)
        return rc;
    g_clear_pointer(&call->certificates, g_variant_unref);
    g_clear_pointer(&call->issuers, g_variant_unref);
    call->certificates = g_variant_ref_sink(certificates);
    call->issuers = g_variant_ref_sink(issuers);
    return TSS2_RC_SUCCESS;
}

static TSS2_RC
attempt_certify(SignetTpm *tpm, gpointer data)
{
    CertifyCall *call = data;
    ESYS_TR key, attester;
    TSS2_RC rc = load_both(tpm, call, &key, &attester);

    if (rc == TSS2_RC_SUCCESS)
        rc = certify(tpm, call, key, attester);
    if (rc == TSS2_RC_SUCCESS)
        rc = read_public(tpm, key, &call->key_public);
    if (rc == TSS2_RC_SUCCESS)
        rc = read_public(tpm, attester, &call->attester_public);
    if (rc == TSS2_RC_SUCCESS)
        rc = read_endorsement(tpm, call);
    return rc;
}

static void
add_bytes(GVariantDict *evidence, const char *word, gconstpointer bytes, gsize size)
{
    g_variant_dict_insert_value(evidence, word,
                                g_variant_new_fixed_array(G_VARIANT_TYPE_BYTE, bytes, size, 1));
}

static gboolean
add_public(GVariantDict *evidence, const char *word, const TPMT_PUBLIC *public)
{
    BYTE bytes[sizeof *public];
    size_t size = 0;

    if (Tss2_MU_TPMT_PUBLIC_Marshal(public, bytes, sizeof bytes, &size) != TSS2_RC_SUCCESS)
        return FALSE;
    add_bytes(evidence, word, bytes, size);
    return TRUE;
}

static gboolean
describe(const CertifyCall *call, GVariantDict *evidence)
{
    BYTE bytes[sizeof call->signature];
    size_t size = 0;

    if (Tss2_MU_TPMT_SIGNATURE_Marshal(&call->signature, bytes, sizeof bytes, &size) !=
            TSS2_RC_SUCCESS ||
        !add_public(evidence, SIGNET_EVIDENCE_KEY, &call->key_public) ||
        !add_public(evidence, SIGNET_EVIDENCE_ATTESTER, &call->attester_public))
        return FALSE;
    add_bytes(evidence, SIGNET_EVIDENCE_SIGNATURE, bytes, size);
    add_bytes(evidence, SIGNET_EVIDENCE_ATTESTATION, call->attestation.attestationData,
              call->attestation.size);
    g_variant_dict_insert_value(evidence, SIGNET_EVIDENCE_ENDORSEMENT, call->certificates);
    g_variant_dict_insert_value(evidence, SIGNET_EVIDENCE_ISSUERS, call->issuers);
    return TRUE;
}

gboolean
signet_tpm_certify(SignetTpm *tpm, SignetKey *attester, SignetKey *key, GBytes *data,
                   GVariantDict *evidence, GError **error)
{
    CertifyCall call = {.use.key = key, .attester.key = attester};
    gsize size;
    gconstpointer bytes = g_bytes_get_data(data, &size);
    gboolean ok = size <= SIGNET_EVIDENCE_DATA_MAX;

    if (!ok)
        return signet_error_set(error, SIGNET_ERROR_BAD_REQUEST,
                                "a TPM signs at most %u bytes along with what it says",
                                SIGNET_EVIDENCE_DATA_MAX);
    call.data.size = (UINT16)size;
    if (size > 0)
        memcpy(call.data.buffer, bytes, size);
    ok = signet_tpm_run(tpm, "certify the key", attempt_certify, &call, &call.use, error);
    if (ok && !describe(&call, evidence))
        ok = signet_error_set(error, SIGNET_ERROR_TOKEN_FAILED,
                              "what token '%s' says of the key cannot be written down", tpm->name);
    g_free(call.attester.file);
    g_clear_pointer(&call.certificates, g_variant_unref);
    g_clear_pointer(&call.issuers, g_variant_unref);
    return ok;
}

/* --- activate --- */

typedef struct {
    SignetTpmUse use; /* of the attester */
    GBytes *endorsement;
    TPM2B_ID_OBJECT credential;
    TPM2B_ENCRYPTED_SECRET secret;
    TPM2B_DIGEST answer; /* the result */
} ActivateCall;

static gboolean
is_about_challenge(TSS2_RC rc)
{
    TSS2_RC plain = signet_tpm_plain_rc(rc);

    return signet_tpm_is_from_tpm(rc) && signet_tpm_fate(rc) == SIGNET_TPM_FATE_FINAL &&
           (plain == TPM2_RC_INTEGRITY || plain == TPM2_RC_VALUE || plain == TPM2_RC_SIZE ||
            plain == TPM2_RC_INSUFFICIENT || plain == TPM2_RC_ECC_POINT);
}

static TSS2_RC
activate(SignetTpm *tpm, ActivateCall *call, ESYS_TR attester, ESYS_TR endorsement)
{
    TPM2B_DIGEST *answer = NULL;
    ESYS_TR session;
    TSS2_RC rc = signet_tpm_endorsement_session(tpm, endorsement, &session);

    if (rc != TSS2_RC_SUCCESS)
        return rc;
    rc = Esys_ActivateCredential(tpm->esys, attester, endorsement,
                                 signet_tpm_auth(tpm, TPMA_SESSION_ENCRYPT), session, ESYS_TR_NONE,
                                 &call->credential, &call->secret, &answer);
    if (rc == TSS2_RC_SUCCESS) {
        call->answer = *answer;
        OPENSSL_cleanse(answer, sizeof *answer);
    } else if (session != ESYS_TR_PASSWORD) {
        signet_tpm_flush(tpm, &session);
    }
    rc = judge(tpm, rc, attester, endorsement);
    if (is_about_challenge(rc))
        signet_error_set(&call->use.error, SIGNET_ERROR_BAD_REQUEST,
                         "the challenge was not made for the attestation key of token '%s', or is "
                         "damaged",
                         tpm->name);
    Esys_Free(answer);
    return rc;
}

static TSS2_RC
attempt_activate(SignetTpm *tpm, gpointer data)
{
    ActivateCall *call = data;
    ESYS_TR attester, endorsement;
    GError *problem = NULL;
    TSS2_RC rc = use_attester(tpm, &call->use, &attester, &problem);

    if (problem)
        call->use.error = problem;
    if (rc != TSS2_RC_SUCCESS || problem)
        return rc;
    signet_tpm_drop_endorsement_primary(tpm);
    signet_tpm_make_room_for_one(tpm);
    rc = signet_tpm_endorsement_key(tpm, call->endorsement, &endorsement);
    if (rc != TSS2_RC_SUCCESS)
        return rc;
    if (endorsement == ESYS_TR_NONE) {
        signet_error_set(&call->use.error, SIGNET_ERROR_BAD_REQUEST,
                         "the challenge is for an endorsement key that token '%s' does not have",
                         tpm->name);
        return TSS2_ESYS_RC_BAD_VALUE;
    }
    rc = activate(tpm, call, attester, endorsement);
    signet_tpm_flush(tpm, &endorsement);
    return rc;
}

static gboolean
read_challenge(const SignetTokenChallenge *challenge, ActivateCall *call)
{
    gsize credential_size, secret_size;
    const BYTE *credential = g_bytes_get_data(challenge->credential, &credential_size);
    const BYTE *secret = g_bytes_get_data(challenge->secret, &secret_size);
    size_t credential_used = 0, secret_used = 0;

    call->endorsement = challenge->endorsement;
    return credential && secret &&
           Tss2_MU_TPM2B_ID_OBJECT_Unmarshal(credential, credential_size, &credential_used,
                                             &call->credential) == TSS2_RC_SUCCESS &&
           Tss2_MU_TPM2B_ENCRYPTED_SECRET_Unmarshal(secret, secret_size, &secret_used,
                                                    &call->secret) == TSS2_RC_SUCCESS &&
           credential_used == credential_size && secret_used == secret_size;
}

GBytes *
signet_tpm_activate(SignetTpm *tpm, SignetKey *attester, const SignetTokenChallenge *challenge,
                    GError **error)
{
    ActivateCall call = {.use.key = attester};
    GBytes *answer = NULL;

    if (!read_challenge(challenge, &call)) {
        signet_error_set(error, SIGNET_ERROR_BAD_REQUEST, "the challenge is malformed");
        return NULL;
    }
    if (signet_tpm_run(tpm, "answer the challenge", attempt_activate, &call, &call.use, error))
        answer = signet_secret_bytes_new(call.answer.buffer, call.answer.size);
    OPENSSL_cleanse(&call.answer, sizeof call.answer);
    return answer;
}
