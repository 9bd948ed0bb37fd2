/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* PCRs and their policy; the digests are made here, so that no trial session is needed. */

#include "agent/token/tpm/pcr.h"

#include <openssl/evp.h>
#include <string.h>
#include <tss2/tss2_mu.h>

#define PCRS 24

static TPMI_ALG_HASH
find_bank(guint bits)
{
    return bits == 160   ? TPM2_ALG_SHA1
           : bits == 256 ? TPM2_ALG_SHA256
           : bits == 384 ? TPM2_ALG_SHA384
                         : TPM2_ALG_NULL;
}

gboolean
signet_tpm_pcrs_select(guint bank, guint32 pcrs, SignetTpmPcrs *ret_pcrs)
{
    TPMS_PCR_SELECTION *selection = &ret_pcrs->selection.pcrSelections[0];

    *ret_pcrs = (SignetTpmPcrs) {.selection.count = 1};
    selection->hash = find_bank(bank);
    selection->sizeofSelect = PCRS / 8;
    for (guint i = 0; i < PCRS; i++)
        selection->pcrSelect[i / 8] |= (BYTE)(pcrs >> i & 1 ? 1 << i % 8 : 0);
    return selection->hash != TPM2_ALG_NULL;
}

guint
signet_tpm_pcrs_list(const SignetTpmPcrs *pcrs, guint *ret_numbers, guint max)
{
    const TPMS_PCR_SELECTION *selection = &pcrs->selection.pcrSelections[0];
    guint n = 0;

    for (guint i = 0; i < 8u * selection->sizeofSelect && i < PCRS && n < max; i++) {
        if (selection->pcrSelect[i / 8] >> i % 8 & 1)
            ret_numbers[n++] = i;
    }
    return n;
}

static void
hash(const void *first, gsize first_size, const void *second, gsize second_size,
     TPM2B_DIGEST *ret_digest)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    unsigned size = 0;

    if (!EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) || !EVP_DigestUpdate(ctx, first, first_size) ||
        !EVP_DigestUpdate(ctx, second, second_size) ||
        !EVP_DigestFinal_ex(ctx, ret_digest->buffer, &size))
        g_error("libcrypto cannot compute SHA-256");
    ret_digest->size = (UINT16)size;
    EVP_MD_CTX_free(ctx);
}

static void
make_digest(SignetTpmPcrs *pcrs)
{
    g_autoptr(GByteArray) all = g_byte_array_new();

    for (guint i = 0; i < pcrs->values.count; i++)
        g_byte_array_append(all, pcrs->values.digests[i].buffer, pcrs->values.digests[i].size);
    hash(all->data, all->len, "", 0, &pcrs->digest);
}

TSS2_RC
signet_tpm_pcrs_read(ESYS_CONTEXT *esys, SignetTpmPcrs *pcrs, gboolean *ret_is_absent)
{
    TPML_DIGEST *values = NULL;
    guint numbers[G_N_ELEMENTS(pcrs->values.digests)];
    TSS2_RC rc = Esys_PCR_Read(esys, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &pcrs->selection,
                               NULL, NULL, &values);

    *ret_is_absent = FALSE;
    if (rc != TSS2_RC_SUCCESS)
        return rc;
    pcrs->values = *values;
    *ret_is_absent = values->count != signet_tpm_pcrs_list(pcrs, numbers, G_N_ELEMENTS(numbers));
    Esys_Free(values);
    make_digest(pcrs);
    return TSS2_RC_SUCCESS;
}

/* policyDigest := H(policyDigest || command || what) */
static void
extend(TPM2B_DIGEST *policy, TPM2_CC command, const guint8 *what, gsize size)
{
    guint8 head[sizeof policy->buffer + 4];
    guint32 code = GUINT32_TO_BE(command);

    memcpy(head, policy->buffer, policy->size);
    memcpy(head + policy->size, &code, sizeof code);
    hash(head, policy->size + sizeof code, what, size, policy);
}

TPM2B_DIGEST
signet_tpm_pcrs_policy(const SignetTpmPcrs *pcrs)
{
    TPM2B_DIGEST policy = {.size = 32};
    guint8 what[sizeof(TPML_PCR_SELECTION) + sizeof(TPM2B_DIGEST)];
    size_t size = 0;

    if (Tss2_MU_TPML_PCR_SELECTION_Marshal(&pcrs->selection, what, sizeof what, &size) !=
        TSS2_RC_SUCCESS)
        return (TPM2B_DIGEST) {0};
    memcpy(what + size, pcrs->digest.buffer, pcrs->digest.size);
    extend(&policy, TPM2_CC_PolicyPCR, what, size + pcrs->digest.size);
    extend(&policy, TPM2_CC_PolicyAuthValue, NULL, 0);
    return policy;
}

char *
signet_tpm_pcrs_describe_change(const SignetTpmPcrs *before, const SignetTpmPcrs *now)
{
    guint numbers[G_N_ELEMENTS(before->values.digests)];
    guint n = signet_tpm_pcrs_list(before, numbers, G_N_ELEMENTS(numbers));
    GString *text = g_string_new("PCR ");

    for (guint i = 0; i < n; i++) {
        const TPM2B_DIGEST *old = &before->values.digests[i], *new = &now->values.digests[i];

        if (i < before->values.count && i < now->values.count &&
            old->size == new->size &&memcmp(old->buffer, new->buffer, old->size) == 0)
            continue;
        g_string_append_printf(text, "%s%u", text->len > 4 ? ", " : "", numbers[i]);
    }
    return g_string_free(text, FALSE);
}
