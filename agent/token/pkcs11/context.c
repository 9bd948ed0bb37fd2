/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Opening, in steps. The PIN is in memory only while it is sent. */

#include "agent/token/pkcs11/context.h"

#include <stdlib.h>
#include <string.h>

#include "agent/base/error.h"
#include "agent/token/pkcs11/error.h"

SignetPkcs11 *
signet_pkcs11_new(const char *name, const char *uri, const char *pin_file,
                  gboolean allow_extractable)
{
    SignetPkcs11 *p11 = g_new0(SignetPkcs11, 1);

    p11->name = g_strdup(name);
    p11->uri_text = g_strdup(uri);
    p11->allow_extractable = allow_extractable;
    p11->keys = g_hash_table_new_full(g_bytes_hash, g_bytes_equal,
                                      (GDestroyNotify)(void (*)(void))g_bytes_unref, NULL);
    p11->careful = g_hash_table_new(NULL, NULL);
    p11->missing = g_hash_table_new_full(g_bytes_hash, g_bytes_equal,
                                         (GDestroyNotify)(void (*)(void))g_bytes_unref, NULL);
    signet_pkcs11_pin_init(&p11->pin, pin_file);
    return p11;
}

/* The login ends with the last session. */
static void
close_token(SignetPkcs11 *p11)
{
    if (p11->functions)
        p11->functions->C_CloseSession(p11->session);
    p11->functions = NULL;
    g_hash_table_remove_all(p11->keys);
    g_hash_table_remove_all(p11->careful);
    signet_pkcs11_slot_clear(&p11->slot);
}

void
signet_pkcs11_free(SignetPkcs11 *p11)
{
    close_token(p11);
    signet_pkcs11_pin_clear(&p11->pin);
    g_hash_table_unref(p11->keys);
    g_hash_table_unref(p11->careful);
    g_hash_table_unref(p11->missing);
    g_free(p11->description);
    g_free(p11->uri_text);
    g_free(p11->name);
    g_free(p11);
}

/* --- facts --- */

static char *
dup_padded(const unsigned char *text, gsize size)
{
    char *plain = p11_kit_space_strdup(text, size);
    char *copy = g_utf8_make_valid(plain, -1);

    free(plain);
    return copy;
}

/* A slot that does not claim to be hardware is none. */
static const char *
find_protection(const SignetPkcs11Slot *slot, const char *maker, const char *model)
{
    static const char *const software[] = {"SoftHSM", "Mozilla", "NSS", "Kryoptic", "Soft"};

    for (guint i = 0; i < G_N_ELEMENTS(software); i++) {
        if (g_str_has_prefix(maker, software[i]) || g_str_has_prefix(model, software[i]))
            return "software";
    }
    if (!(slot->info.flags & CKF_HW_SLOT))
        return "software";
    return slot->info.flags & CKF_REMOVABLE_DEVICE ? "smartcard" : "hsm";
}

static void
describe(SignetPkcs11 *p11)
{
    const CK_TOKEN_INFO *token = &p11->slot.token;
    g_autofree char *maker = dup_padded(token->manufacturerID, sizeof token->manufacturerID);
    g_autofree char *model = dup_padded(token->model, sizeof token->model);
    g_autofree char *serial = dup_padded(token->serialNumber, sizeof token->serialNumber);

    g_free(p11->description);
    p11->description = g_strdup_printf("%s %s, serial %s, firmware %u.%u", maker, model, serial,
                                       token->firmwareVersion.major, token->firmwareVersion.minor);
    p11->protection = find_protection(&p11->slot, maker, model);
}

static gboolean
has_mechanism(const SignetPkcs11 *p11, CK_MECHANISM_TYPE mechanism)
{
    CK_MECHANISM_INFO info;

    return p11->functions->C_GetMechanismInfo(p11->slot.id, mechanism, &info) == CKR_OK;
}

/* --- login --- */

/* Every start of the agent may send a PIN that this process has not seen refused, but never as the
 * last try. */
static const char *
find_danger(const CK_TOKEN_INFO *token)
{
    if (token->flags & CKF_USER_PIN_LOCKED)
        return "its PIN is locked; unlock it with the SO PIN or PUK";
    if (token->flags & CKF_USER_PIN_FINAL_TRY)
        return "only one try is left for its PIN, which the agent does not spend; log in once by "
               "hand (pkcs11-tool --login)";
    if (!(token->flags & CKF_USER_PIN_INITIALIZED))
        return "it has no user PIN yet; set one";
    return NULL;
}

static gboolean
send_pin(SignetPkcs11 *p11, CK_USER_TYPE user, GError **error)
{
    g_autoptr(SignetSecret) pin = signet_pkcs11_pin_read(&p11->pin, p11->name, error);
    gsize size;
    const void *bytes = pin ? signet_secret_get(pin, &size) : NULL;
    CK_RV rv;

    if (!pin)
        return FALSE;
    rv = p11->functions->C_Login(p11->session, user, (CK_UTF8CHAR_PTR)bytes, size);
    if (rv == CKR_OK || rv == CKR_USER_ALREADY_LOGGED_IN) {
        signet_pkcs11_pin_accepted(&p11->pin);
        return TRUE;
    }
    if (rv == CKR_PIN_INCORRECT || rv == CKR_PIN_INVALID || rv == CKR_PIN_LEN_RANGE ||
        rv == CKR_PIN_LOCKED) {
        signet_pkcs11_pin_refused(&p11->pin, pin);
        return signet_error_set(error, SIGNET_ERROR_PIN_NEEDED,
                                "token '%s' refused the PIN in '%s' (%s); it is not sent again: "
                                "write the right one into the file",
                                p11->name, p11->pin.path, p11_kit_strerror(rv));
    }
    return signet_pkcs11_error_set(error, p11->name, "log in", rv);
}

static gboolean
log_in(SignetPkcs11 *p11, GError **error)
{
    CK_SESSION_INFO session = {0};
    CK_TOKEN_INFO token;
    const char *danger;
    CK_RV rv = p11->functions->C_GetSessionInfo(p11->session, &session);

    /* Another token of this agent may be the same device. */
    if (rv == CKR_OK &&
        (session.state == CKS_RW_USER_FUNCTIONS || session.state == CKS_RO_USER_FUNCTIONS))
        return TRUE;
    rv = p11->functions->C_GetTokenInfo(p11->slot.id, &token);
    if (rv != CKR_OK)
        return signet_pkcs11_error_set(error, p11->name, "be opened", rv);
    if (!(token.flags & CKF_LOGIN_REQUIRED))
        return TRUE;
    danger = find_danger(&token);
    if (danger)
        return signet_error_set(error, SIGNET_ERROR_PIN_NEEDED, "token '%s' cannot be opened: %s",
                                p11->name, danger);
    return send_pin(p11, CKU_USER, error);
}

gboolean
signet_pkcs11_log_in_for_operation(SignetPkcs11 *p11, GError **error)
{
    CK_TOKEN_INFO token;
    CK_RV rv = p11->functions->C_GetTokenInfo(p11->slot.id, &token);
    const char *danger = rv == CKR_OK ? find_danger(&token) : NULL;

    if (rv != CKR_OK)
        return signet_pkcs11_error_set(error, p11->name, "log in", rv);
    if (danger)
        return signet_error_set(error, SIGNET_ERROR_PIN_NEEDED,
                                "token '%s' cannot get the PIN for its key: %s", p11->name, danger);
    return send_pin(p11, CKU_CONTEXT_SPECIFIC, error);
}

/* --- open --- */

static gboolean
open_session(SignetPkcs11 *p11, GError **error)
{
    CK_FUNCTION_LIST *functions = p11->slot.functions;
    CK_FLAGS writable = p11->slot.token.flags & CKF_WRITE_PROTECTED ? 0 : CKF_RW_SESSION;
    CK_RV rv = functions->C_OpenSession(p11->slot.id, CKF_SERIAL_SESSION | writable, NULL, NULL,
                                        &p11->session);

    if (rv != CKR_OK)
        return signet_pkcs11_error_set(error, p11->name, "open a session", rv);
    p11->functions = functions;
    return log_in(p11, error);
}

gboolean
signet_pkcs11_open(SignetPkcs11 *p11, GError **error)
{
    close_token(p11);
    if (!signet_pkcs11_slot_find(&p11->slot, p11->name, p11->uri_text, error) ||
        !open_session(p11, error)) {
        close_token(p11);
        return FALSE;
    }
    describe(p11);
    p11->has_pss = has_mechanism(p11, CKM_RSA_PKCS_PSS);
    p11->has_oaep = has_mechanism(p11, CKM_RSA_PKCS_OAEP);
    p11->has_raw_rsa = has_mechanism(p11, CKM_RSA_X_509);
    return TRUE;
}

gboolean
signet_pkcs11_begin(SignetPkcs11 *p11, GError **error)
{
    return p11->functions || signet_pkcs11_open(p11, error);
}

gboolean
signet_pkcs11_doubt(SignetPkcs11 *p11, GBytes *blob, GError **error)
{
    return g_hash_table_add(p11->missing, g_bytes_ref(blob)) && signet_pkcs11_open(p11, error);
}
