/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Return values of Cryptoki (PKCS #11 2.40, 5.1). */

#include "agent/token/pkcs11/error.h"

#include "agent/base/error.h"

static const struct {
    CK_RV rv;
    SignetErrorKind kind;
    const char *advice; /* (nullable) what p11-kit's words lack */
} ADVICE[] = {
    {CKR_TOKEN_NOT_PRESENT, SIGNET_ERROR_TOKEN_ABSENT, "it is not in its slot; insert it"},
    {CKR_DEVICE_REMOVED, SIGNET_ERROR_TOKEN_ABSENT, "it was removed; insert it"},
    {CKR_TOKEN_NOT_RECOGNIZED, SIGNET_ERROR_TOKEN_ABSENT,
     "it was removed, or another one is in its slot; insert it"},
    {CKR_SLOT_ID_INVALID, SIGNET_ERROR_TOKEN_ABSENT, "its slot is gone; connect the device"},
    {CKR_SESSION_HANDLE_INVALID, SIGNET_ERROR_TOKEN_ABSENT, "it closed the session"},
    {CKR_SESSION_CLOSED, SIGNET_ERROR_TOKEN_ABSENT, "it closed the session"},
    {CKR_USER_NOT_LOGGED_IN, SIGNET_ERROR_TOKEN_ABSENT, "it forgot the login"},
    /* OpenSC, of a login for one operation after the login for all has ended */
    {CKR_OPERATION_NOT_INITIALIZED, SIGNET_ERROR_TOKEN_ABSENT, "it forgot the login"},
    {CKR_OBJECT_HANDLE_INVALID, SIGNET_ERROR_TOKEN_ABSENT, "the key is not there any more"},
    {CKR_KEY_HANDLE_INVALID, SIGNET_ERROR_TOKEN_ABSENT, "the key is not there any more"},
    {CKR_CRYPTOKI_NOT_INITIALIZED, SIGNET_ERROR_TOKEN_ABSENT, "its module was shut down"},
    {CKR_DEVICE_ERROR, SIGNET_ERROR_TOKEN_ABSENT, "the device or its reader does not work"},
    {CKR_PIN_INCORRECT, SIGNET_ERROR_PIN_NEEDED, "the PIN is wrong"},
    {CKR_PIN_INVALID, SIGNET_ERROR_PIN_NEEDED, "the PIN has characters that it cannot have"},
    {CKR_PIN_LEN_RANGE, SIGNET_ERROR_PIN_NEEDED, "the PIN is too short or too long"},
    {CKR_PIN_EXPIRED, SIGNET_ERROR_PIN_NEEDED, "the PIN has expired; set another one"},
    {CKR_PIN_LOCKED, SIGNET_ERROR_PIN_NEEDED,
     "the PIN is locked; unlock it with the SO PIN or PUK"},
    {CKR_USER_PIN_NOT_INITIALIZED, SIGNET_ERROR_PIN_NEEDED, "it has no user PIN yet; set one"},
    {CKR_FUNCTION_CANCELED, SIGNET_ERROR_PIN_NEEDED, "somebody cancelled it at its reader"},
    {CKR_FUNCTION_REJECTED, SIGNET_ERROR_PIN_NEEDED, "somebody declined it at its reader"},
    {CKR_DEVICE_MEMORY, SIGNET_ERROR_TOKEN_FAILED,
     "it is full; delete objects that nobody needs (pkcs11-tool --list-objects)"},
    {CKR_SESSION_COUNT, SIGNET_ERROR_BUSY, "others use all of its sessions"},
    {CKR_TOKEN_WRITE_PROTECTED, SIGNET_ERROR_TOKEN_FAILED, "it is write-protected"},
    {CKR_SESSION_READ_ONLY, SIGNET_ERROR_TOKEN_FAILED, "it is write-protected"},
    {CKR_KEY_FUNCTION_NOT_PERMITTED, SIGNET_ERROR_UNSUPPORTED, "the key was not made for this"},
    {CKR_KEY_TYPE_INCONSISTENT, SIGNET_ERROR_UNSUPPORTED, "the key was not made for this"},
    {CKR_KEY_SIZE_RANGE, SIGNET_ERROR_UNSUPPORTED, "it has no keys of this size"},
    {CKR_ATTRIBUTE_VALUE_INVALID, SIGNET_ERROR_UNSUPPORTED, "it has no such keys"},
    {CKR_TEMPLATE_INCONSISTENT, SIGNET_ERROR_UNSUPPORTED, "it has no such keys"},
    {CKR_CURVE_NOT_SUPPORTED, SIGNET_ERROR_UNSUPPORTED, "it does not know the curve"},
    {CKR_DOMAIN_PARAMS_INVALID, SIGNET_ERROR_UNSUPPORTED, "it does not know the curve"},
    {CKR_MECHANISM_INVALID, SIGNET_ERROR_UNSUPPORTED, NULL},
    {CKR_MECHANISM_PARAM_INVALID, SIGNET_ERROR_UNSUPPORTED, NULL},
    {CKR_FUNCTION_NOT_SUPPORTED, SIGNET_ERROR_UNSUPPORTED, NULL},
};

gboolean
signet_pkcs11_is_lost(CK_RV rv)
{
    for (guint i = 0; i < G_N_ELEMENTS(ADVICE); i++) {
        if (ADVICE[i].rv == rv)
            return ADVICE[i].kind == SIGNET_ERROR_TOKEN_ABSENT;
    }
    return FALSE;
}

gboolean
signet_pkcs11_is_unfit(CK_RV rv)
{
    return rv == CKR_MECHANISM_INVALID || rv == CKR_MECHANISM_PARAM_INVALID ||
           rv == CKR_FUNCTION_NOT_SUPPORTED || rv == CKR_ARGUMENTS_BAD ||
           rv == CKR_KEY_FUNCTION_NOT_PERMITTED || rv == CKR_KEY_TYPE_INCONSISTENT ||
           rv == CKR_DATA_LEN_RANGE;
}

gboolean
signet_pkcs11_error_set(GError **error, const char *name, const char *what, CK_RV rv)
{
    for (guint i = 0; i < G_N_ELEMENTS(ADVICE); i++) {
        if (ADVICE[i].rv != rv)
            continue;
        if (ADVICE[i].advice)
            return signet_error_set(error, ADVICE[i].kind, "token '%s' cannot %s: %s (%s)", name,
                                    what, ADVICE[i].advice, p11_kit_strerror(rv));
        return signet_error_set(error, ADVICE[i].kind, "token '%s' cannot %s: %s", name, what,
                                p11_kit_strerror(rv));
    }
    return signet_error_set(error, SIGNET_ERROR_TOKEN_FAILED,
                            "token '%s' cannot %s: its module says: %s (0x%lx)", name, what,
                            p11_kit_strerror(rv), rv);
}
