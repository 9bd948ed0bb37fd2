/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Response codes of the TPM (TCG TPM 2.0 Library part 2, 6.6) and of the layers above it. */

#include "agent/token/tpm/error.h"

#include <tss2/tss2_rc.h>
#include <tss2/tss2_tpm2_types.h>

#include "agent/base/error.h"

#define FORMAT_ONE_MASK \
    0xbfu /* the format bit and the number; the rest says which parameter, handle or session */
#define POSITION_MASK 0x7u /* warnings REFERENCE_H0…H6 and S0…S6: which one */

gboolean
signet_tpm_is_from_tpm(TSS2_RC rc)
{
    return (rc & TSS2_RC_LAYER_MASK) == TSS2_TPM_RC_LAYER ||
           (rc & TSS2_RC_LAYER_MASK) == TSS2_RESMGR_TPM_RC_LAYER;
}

TSS2_RC
signet_tpm_plain_rc(TSS2_RC rc)
{
    TSS2_RC number = rc & ~TSS2_RC_LAYER_MASK;

    if (!signet_tpm_is_from_tpm(rc))
        return rc;
    return number & TPM2_RC_FMT1 ? number & FORMAT_ONE_MASK : number;
}

static SignetTpmFate
fate_of_tpm(TSS2_RC plain)
{
    switch (plain) {
    case TPM2_RC_OBJECT_MEMORY:
    case TPM2_RC_OBJECT_HANDLES:
    case TPM2_RC_MEMORY:
        return SIGNET_TPM_FATE_MAKE_ROOM;
    case TPM2_RC_RETRY:
    case TPM2_RC_YIELDED:
    case TPM2_RC_TESTING:
    case TPM2_RC_NV_RATE:
    case TPM2_RC_NV_UNAVAILABLE:
        return SIGNET_TPM_FATE_AGAIN;
    case TPM2_RC_INITIALIZE:
    case TPM2_RC_CONTEXT_GAP:
    case TPM2_RC_SESSION_MEMORY:
    case TPM2_RC_SESSION_HANDLES:
    case TPM2_RC_HANDLE:
    case TPM2_RC_NONCE:
    case TPM2_RC_EXPIRED:
        return SIGNET_TPM_FATE_REOPEN;
    default: /* not an enum of ours */
        break;
    }
    if ((plain & ~POSITION_MASK) == TPM2_RC_REFERENCE_H0 ||
        (plain & ~POSITION_MASK) == TPM2_RC_REFERENCE_S0)
        return SIGNET_TPM_FATE_REOPEN;
    return SIGNET_TPM_FATE_FINAL;
}

/* "value 1 of the sessions is wrong": the session's handle is not what it was. Its auth value,
 * wrong as well, is another code. */
static gboolean
is_about_session(TSS2_RC rc)
{
    return (rc & TPM2_RC_FMT1) && !(rc & TPM2_RC_P) && (rc & TPM2_RC_S) &&
           (signet_tpm_plain_rc(rc) == TPM2_RC_VALUE || signet_tpm_plain_rc(rc) == TPM2_RC_HANDLE);
}

SignetTpmFate
signet_tpm_fate(TSS2_RC rc)
{
    if (rc == TSS2_RC_SUCCESS)
        return SIGNET_TPM_FATE_OK;
    if (signet_tpm_is_from_tpm(rc) && is_about_session(rc))
        return SIGNET_TPM_FATE_REOPEN;
    if (signet_tpm_is_from_tpm(rc))
        return fate_of_tpm(signet_tpm_plain_rc(rc));
    if ((rc & TSS2_RC_LAYER_MASK) == TSS2_TCTI_RC_LAYER)
        return SIGNET_TPM_FATE_LOST;

    switch (rc & ~TSS2_RC_LAYER_MASK) {
    case TSS2_BASE_RC_IO_ERROR:
    case TSS2_BASE_RC_NO_CONNECTION:
        return SIGNET_TPM_FATE_LOST;
    case TSS2_BASE_RC_RSP_AUTH_FAILED:
    case TSS2_BASE_RC_BAD_SEQUENCE:
    case TSS2_BASE_RC_BAD_TR:
    case TSS2_BASE_RC_MALFORMED_RESPONSE:
    case TSS2_BASE_RC_INSUFFICIENT_RESPONSE:
        return SIGNET_TPM_FATE_REOPEN;
    default: /* not an enum of ours */
        return SIGNET_TPM_FATE_FINAL;
    }
}

/* What people can do about it. */
static const struct {
    TSS2_RC rc;
    SignetErrorKind kind;
    const char *advice;
} ADVICE[] = {
    {TPM2_RC_LOCKOUT, SIGNET_ERROR_BUSY,
     "the TPM is locked after wrong passwords; wait for its recovery time, or run "
     "'tpm2_dictionarylockout --clear-lockout' (the time: tpm2_getcap properties-variable)"},
    {TPM2_RC_FAILURE, SIGNET_ERROR_TOKEN_FAILED,
     "the TPM is in failure mode; switch the machine off and on again"},
    {TPM2_RC_UPGRADE, SIGNET_ERROR_TOKEN_FAILED,
     "the TPM is in the middle of a firmware update; finish it"},
    {TPM2_RC_REBOOT, SIGNET_ERROR_TOKEN_FAILED, "the TPM asks for a restart of the machine"},
    {TPM2_RC_INTEGRITY, SIGNET_ERROR_CORRUPT,
     "the key was not made by this TPM, or the TPM was cleared since, or the stored key is "
     "damaged; enrol the identity again"},
    {TPM2_RC_HIERARCHY, SIGNET_ERROR_TOKEN_FAILED,
     "the owner hierarchy is switched off; switch it on in the firmware setup"},
    {TPM2_RC_DISABLED, SIGNET_ERROR_TOKEN_FAILED, "the command is switched off in this TPM"},
    {TPM2_RC_BAD_AUTH, SIGNET_ERROR_TOKEN_FAILED,
     "the auth value was refused: the password of an adopted key is wrong, the stored key is "
     "damaged, or the owner hierarchy has a "
     "password (then make a storage key: tpm2_createprimary -C o -c p.ctx "
     "-a 'fixedtpm|fixedparent|sensitivedataorigin|userwithauth|noda|restricted|decrypt'; "
     "tpm2_evictcontrol "
     "-C o -c p.ctx 0x81000001)"},
    {TPM2_RC_AUTH_FAIL, SIGNET_ERROR_TOKEN_FAILED,
     "the auth value was refused: the password of an adopted key is wrong, or the stored key is "
     "damaged"},
    {TPM2_RC_ECC_POINT, SIGNET_ERROR_BAD_REQUEST, "the peer's point is not on the key's curve"},
    {TPM2_RC_ATTRIBUTES, SIGNET_ERROR_UNSUPPORTED, "the key was not made for this"},
    {TPM2_RC_COMMAND_CODE, SIGNET_ERROR_UNSUPPORTED, "the TPM does not know the command"},
    {TPM2_RC_OBJECT_MEMORY, SIGNET_ERROR_TOKEN_FAILED,
     "the TPM has no room left for a key although nothing of ours is loaded; use its resource "
     "manager (device:/dev/tpmrm0)"},
};

gboolean
signet_tpm_error_set(GError **error, const char *name, const char *what, TSS2_RC rc)
{
    TSS2_RC plain = signet_tpm_plain_rc(rc);

    if (signet_tpm_fate(rc) == SIGNET_TPM_FATE_LOST)
        return signet_error_set(error, SIGNET_ERROR_TOKEN_ABSENT,
                                "token '%s' cannot %s: the connection to the TPM broke (%s)", name,
                                what, Tss2_RC_Decode(rc));
    for (guint i = 0; i < G_N_ELEMENTS(ADVICE); i++) {
        if (ADVICE[i].rc == plain)
            return signet_error_set(error, ADVICE[i].kind, "token '%s' cannot %s: %s (%s)", name,
                                    what, ADVICE[i].advice, Tss2_RC_Decode(rc));
    }
    return signet_error_set(error, SIGNET_ERROR_TOKEN_FAILED, "token '%s' cannot %s: %s (0x%x)",
                            name, what, Tss2_RC_Decode(rc), rc);
}
