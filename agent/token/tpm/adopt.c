/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* What is demanded of a key that others made with this TPM. */

#include "agent/token/tpm/adopt.h"

#include "agent/token/spki.h"
#include "agent/token/tpm/context.h"
#include "agent/token/tpm/public.h"

/* --- may it be used --- */

typedef struct {
    TPMA_OBJECT attribute;
    gboolean wanted;
    const char *fault;
} Demand;

static const Demand demands[] = {
    {TPMA_OBJECT_FIXEDTPM, TRUE, "may be moved to another TPM (not fixedTPM)"},
    {TPMA_OBJECT_FIXEDPARENT, TRUE, "may be moved to another parent (not fixedParent)"},
    {TPMA_OBJECT_SENSITIVEDATAORIGIN, TRUE,
     "was not made by the TPM (not sensitiveDataOrigin): copies of it may exist"},
    {TPMA_OBJECT_USERWITHAUTH, TRUE, "can be used by a policy only (not userWithAuth)"},
    {TPMA_OBJECT_SIGN_ENCRYPT, TRUE, "cannot sign"},
    {TPMA_OBJECT_RESTRICTED, FALSE, "signs only what the TPM itself has made (restricted)"},
};

/* Ours are padded by the agent and signed by the raw private operation. */
static const char *
find_rsa_fault(const TPMT_PUBLIC *public)
{
    if (!(public->objectAttributes & TPMA_OBJECT_DECRYPT))
        return "is an RSA key without the right to decrypt, by which the agent signs";
    if (public->parameters.rsaDetail.scheme.scheme != TPM2_ALG_NULL)
        return "is an RSA key bound to one padding";
    return NULL;
}

static const char *
find_fault(const TPMT_PUBLIC *public)
{
    for (guint i = 0; i < G_N_ELEMENTS(demands); i++) {
        gboolean has = (public->objectAttributes & demands[i].attribute) != 0;

        if (has != demands[i].wanted)
            return demands[i].fault;
    }
    return public->type == TPM2_ALG_RSA ? find_rsa_fault(public) : NULL;
}

static const char *
find_parent_fault(TPM2_HANDLE parent)
{
    if (parent == TPM2_RH_NULL)
        return "is of the null hierarchy, and gone with the next reset of the TPM";
    if (parent == TPM2_RH_PLATFORM)
        return "is of the platform hierarchy, which is the firmware's";
    return NULL;
}

static gboolean
check(const SignetTpm *tpm, const SignetTpmKeyFile *file, GError **error)
{
    const char *fault = find_fault(&file->public.publicArea);

    if (!fault)
        fault = find_parent_fault(file->parent);
    if (fault)
        return signet_error_set(error, SIGNET_ERROR_POLICY,
                                "token '%s' does not adopt the key: it %s", tpm->name, fault);
    return TRUE;
}

/* --- once through the TPM --- */

typedef struct {
    SignetTpmUse use;
    SignetTpmKeyFile file;
} AdoptCall;

static TSS2_RC
attempt_adopt(SignetTpm *tpm, gpointer data)
{
    AdoptCall *call = data;
    ESYS_TR object, parent;
    TSS2_RC rc = signet_tpm_use_key(tpm, &call->use, &object);

    if (rc == TSS2_RC_SUCCESS)
        rc = signet_tpm_parent(tpm, call->file.parent, &parent);
    if (rc == TSS2_RC_SUCCESS)
        rc = signet_tpm_name(tpm, parent, &call->file.parent_name);
    if (rc == TSS2_RC_SUCCESS)
        rc = signet_tpm_identify(tpm);
    call->file.tpm_name = tpm->identity;
    return rc;
}

static SignetKey *
write_down(SignetTpm *tpm, const AdoptCall *call, GError **error)
{
    g_autoptr(GBytes) blob = signet_tpm_key_file_encode(&call->file);
    SignetKey *key;

    if (blob) {
        key = signet_key_new_adopted(call->use.key->type, blob, call->use.key->auth,
                                     call->use.key->spki);
        /* it may be loaded already, with another password */
        signet_tpm_forget_key(tpm, key);
        return key;
    }
    signet_error_set(error, SIGNET_ERROR_TOKEN_FAILED, "token '%s': the key cannot be written down",
                     tpm->name);
    return NULL;
}

static SignetKey *
run(SignetTpm *tpm, SignetKey *given, const SignetTpmKeyFile *file, GError **error)
{
    AdoptCall call = {.use.key = given, .file = *file};
    gboolean is_loaded =
        signet_tpm_run(tpm, "adopt the key", attempt_adopt, &call, &call.use, error);

    signet_tpm_forget_key(tpm, given);
    return is_loaded ? write_down(tpm, &call, error) : NULL;
}

SignetKey *
signet_tpm_adopt(SignetTpm *tpm, GBytes *name, SignetSecret *auth, GError **error)
{
    SignetTpmKeyFile file;
    g_autoptr(SignetKey) given = NULL;
    g_autoptr(GBytes) spki = NULL;

    if (g_bytes_get_size(name) == 0 || !signet_tpm_key_file_decode(name, &file, NULL)) {
        signet_error_set(error, SIGNET_ERROR_BAD_REQUEST,
                         "token '%s' is a TPM: its keys are named by a TSS2 PRIVATE KEY (PEM, as "
                         "tpm2_encodeobject and tpm2-openssl write it)",
                         tpm->name);
        return NULL;
    }
    if (!check(tpm, &file, error))
        return NULL;
    spki = signet_tpm_spki(&file.public.publicArea);
    if (!spki || signet_spki_key_type(spki) == 0) {
        signet_error_set(error, SIGNET_ERROR_UNSUPPORTED,
                         "the key is of a type that cannot be used");
        return NULL;
    }
    /* tpm2-tools 5.4 writes down the opposite of what is so */
    file.empty_auth = auth == NULL;
    given = signet_key_new(signet_spki_key_type(spki), name, auth, spki);
    return run(tpm, given, &file, error);
}
