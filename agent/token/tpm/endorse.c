/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Templates of endorsement keys. */

#include "agent/token/tpm/endorse.h"

#include <string.h>

#include "agent/token/tpm/public.h"
#include "agent/token/spki.h"

/* TPM2_PolicySecret(endorsement hierarchy), SHA-256 */
static const BYTE POLICY_A[] = {0x83, 0x71, 0x97, 0x67, 0x44, 0x84, 0xb3, 0xf8, 0x1a, 0x90, 0xcc,
                                0x8d, 0x46, 0xa5, 0xd7, 0x24, 0xfd, 0x52, 0xd7, 0x6e, 0x06, 0x52,
                                0x0b, 0x64, 0xf2, 0xa1, 0xda, 0x1b, 0x33, 0x14, 0x69, 0xaa};
/* That, or what an NV index of the owner's says: SHA-256, SHA-384, SHA-512 */
static const BYTE POLICY_B_256[] = {
    0xca, 0x3d, 0x0a, 0x99, 0xa2, 0xb9, 0x39, 0x06, 0xf7, 0xa3, 0x34, 0x24, 0x14, 0xef, 0xcf, 0xb3,
    0xa3, 0x85, 0xd4, 0x4c, 0xd1, 0xfd, 0x45, 0x90, 0x89, 0xd1, 0x9b, 0x50, 0x71, 0xc0, 0xb7, 0xa0};
static const BYTE POLICY_B_384[] = {
    0xb2, 0x6e, 0x7d, 0x28, 0xd1, 0x1a, 0x50, 0xbc, 0x53, 0xd8, 0x82, 0xbc, 0xf5, 0xfd, 0x3a, 0x1a,
    0x07, 0x41, 0x48, 0xbb, 0x35, 0xd3, 0xb4, 0xe4, 0xcb, 0x1c, 0x0a, 0xd9, 0xbd, 0xe4, 0x19, 0xca,
    0xcb, 0x47, 0xba, 0x09, 0x69, 0x96, 0x46, 0x15, 0x0f, 0x9f, 0xc0, 0x00, 0xf3, 0xf8, 0x0e, 0x12};
static const BYTE POLICY_B_512[] = {
    0xb8, 0x22, 0x1c, 0xa6, 0x9e, 0x85, 0x50, 0xa4, 0x91, 0x4d, 0xe3, 0xfa, 0xa6, 0xa1, 0x8c, 0x07,
    0x2c, 0xc0, 0x12, 0x08, 0x07, 0x3a, 0x92, 0x8d, 0x5d, 0x66, 0xd5, 0x9e, 0xf7, 0x9e, 0x49, 0xa4,
    0x29, 0xc4, 0x1a, 0x6b, 0x26, 0x95, 0x71, 0xd5, 0x7e, 0xdb, 0x25, 0xfb, 0xdb, 0x18, 0x38, 0x42,
    0x56, 0x08, 0xb4, 0x13, 0xcd, 0x61, 0x6a, 0x5f, 0x6d, 0xb5, 0xb6, 0x07, 0x1a, 0xf9, 0x9b, 0xea};

#define UNIQUE_RSA 256
#define UNIQUE_ECC 32

/* The low range (L-1, L-2) has zeros as its unique field and no userWithAuth, the high one (H-1 …)
 * an empty field. */
static const struct {
    guint32 type; /* enum signet_key_type */
    gboolean is_low;
    TPMI_ALG_HASH hash;
    const BYTE *policy;
    UINT16 policy_size;
    TPMI_AES_KEY_BITS aes_bits;
} TEMPLATES[] = {
    {SIGNET_KEY_RSA_2048, TRUE, TPM2_ALG_SHA256, POLICY_A, sizeof POLICY_A, 128},
    {SIGNET_KEY_EC_P256, TRUE, TPM2_ALG_SHA256, POLICY_A, sizeof POLICY_A, 128},
    {SIGNET_KEY_RSA_2048, FALSE, TPM2_ALG_SHA256, POLICY_B_256, sizeof POLICY_B_256, 128},
    {SIGNET_KEY_EC_P256, FALSE, TPM2_ALG_SHA256, POLICY_B_256, sizeof POLICY_B_256, 128},
    {SIGNET_KEY_EC_P384, FALSE, TPM2_ALG_SHA384, POLICY_B_384, sizeof POLICY_B_384, 256},
    {SIGNET_KEY_EC_P521, FALSE, TPM2_ALG_SHA512, POLICY_B_512, sizeof POLICY_B_512, 256},
    {SIGNET_KEY_RSA_3072, FALSE, TPM2_ALG_SHA384, POLICY_B_384, sizeof POLICY_B_384, 256},
    {SIGNET_KEY_RSA_4096, FALSE, TPM2_ALG_SHA384, POLICY_B_384, sizeof POLICY_B_384, 256},
};

static void
set_symmetric(TPMT_SYM_DEF_OBJECT *symmetric, TPMI_AES_KEY_BITS bits)
{
    symmetric->algorithm = TPM2_ALG_AES;
    symmetric->keyBits.aes = bits;
    symmetric->mode.aes = TPM2_ALG_CFB;
}

static TPM2B_PUBLIC
make_template(guint nth)
{
    const SignetKeyTemplate like = {.type = TEMPLATES[nth].type};
    TPM2B_PUBLIC template;
    TPMT_PUBLIC *public = &template.publicArea;

    signet_tpm_template(&like, &template);
    public->nameAlg = TEMPLATES[nth].hash;
    public->objectAttributes = TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT |
                               TPMA_OBJECT_SENSITIVEDATAORIGIN | TPMA_OBJECT_ADMINWITHPOLICY |
                               TPMA_OBJECT_RESTRICTED | TPMA_OBJECT_DECRYPT |
                               (TEMPLATES[nth].is_low ? 0 : TPMA_OBJECT_USERWITHAUTH);
    public->authPolicy.size = TEMPLATES[nth].policy_size;
    memcpy(public->authPolicy.buffer, TEMPLATES[nth].policy, TEMPLATES[nth].policy_size);
    if (public->type == TPM2_ALG_RSA) {
        set_symmetric(&public->parameters.rsaDetail.symmetric, TEMPLATES[nth].aes_bits);
        public->unique.rsa.size = TEMPLATES[nth].is_low ? UNIQUE_RSA : 0;
    } else {
        set_symmetric(&public->parameters.eccDetail.symmetric, TEMPLATES[nth].aes_bits);
        public->unique.ecc.x.size = TEMPLATES[nth].is_low ? UNIQUE_ECC : 0;
        public->unique.ecc.y.size = public->unique.ecc.x.size;
    }
    return template;
}

/* *ret_key stays ESYS_TR_NONE when it is another key. */
static TSS2_RC
try_template(SignetTpm *tpm, guint nth, GBytes *spki, ESYS_TR *ret_key)
{
    const TPM2B_SENSITIVE_CREATE sensitive = {0};
    const TPM2B_PUBLIC template = make_template(nth);
    const TPM2B_DATA outside = {0};
    const TPML_PCR_SELECTION pcrs = {0};
    TPM2B_PUBLIC *public = NULL;
    g_autoptr(GBytes) found = NULL;
    TSS2_RC rc = Esys_CreatePrimary(tpm->esys, ESYS_TR_RH_ENDORSEMENT, ESYS_TR_PASSWORD,
                                    ESYS_TR_NONE, ESYS_TR_NONE, &sensitive, &template, &outside,
                                    &pcrs, ret_key, &public, NULL, NULL, NULL);

    if (rc != TSS2_RC_SUCCESS)
        return rc;
    found = signet_tpm_spki(&public->publicArea);
    if (!found || !g_bytes_equal(found, spki))
        signet_tpm_flush(tpm, ret_key);
    Esys_Free(public);
    return TSS2_RC_SUCCESS;
}

TSS2_RC
signet_tpm_endorsement_key(SignetTpm *tpm, GBytes *spki, ESYS_TR *ret_key)
{
    guint32 type = signet_spki_key_type(spki);
    TSS2_RC rc = TSS2_RC_SUCCESS;

    *ret_key = ESYS_TR_NONE;
    for (guint i = 0; i < G_N_ELEMENTS(TEMPLATES) && rc == TSS2_RC_SUCCESS; i++) {
        if (TEMPLATES[i].type == type && *ret_key == ESYS_TR_NONE)
            rc = try_template(tpm, i, spki, ret_key);
    }
    return rc;
}

static TSS2_RC
read_attributes(SignetTpm *tpm, ESYS_TR key, TPMA_OBJECT *ret_attributes)
{
    TPM2B_PUBLIC *public = NULL;
    TSS2_RC rc = Esys_ReadPublic(tpm->esys, key, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &public,
                                 NULL, NULL);

    if (rc == TSS2_RC_SUCCESS)
        *ret_attributes = public->publicArea.objectAttributes;
    Esys_Free(public);
    return rc;
}

TSS2_RC
signet_tpm_endorsement_session(SignetTpm *tpm, ESYS_TR key, ESYS_TR *ret_session)
{
    const TPMT_SYM_DEF none = {.algorithm = TPM2_ALG_NULL};
    ESYS_TR session = ESYS_TR_NONE;
    TPMA_OBJECT attributes = 0;
    TSS2_RC rc = read_attributes(tpm, key, &attributes);

    *ret_session = ESYS_TR_PASSWORD;
    if (rc != TSS2_RC_SUCCESS || attributes & TPMA_OBJECT_USERWITHAUTH)
        return rc;
    rc =
        Esys_StartAuthSession(tpm->esys, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
                              ESYS_TR_NONE, NULL, TPM2_SE_POLICY, &none, TPM2_ALG_SHA256, &session);
    if (rc == TSS2_RC_SUCCESS)
        rc = Esys_TRSess_SetAttributes(tpm->esys, session, 0, 0xff);
    if (rc == TSS2_RC_SUCCESS)
        rc = Esys_PolicySecret(tpm->esys, ESYS_TR_RH_ENDORSEMENT, session, ESYS_TR_PASSWORD,
                               ESYS_TR_NONE, ESYS_TR_NONE, NULL, NULL, NULL, 0, NULL, NULL);
    if (rc != TSS2_RC_SUCCESS)
        signet_tpm_flush(tpm, &session);
    *ret_session = session;
    return rc;
}
