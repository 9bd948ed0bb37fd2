/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Opening, in steps. */

#include "agent/token/pkcs11/context.h"

#include <stdlib.h>
#include <string.h>

#include "agent/base/error.h"
#include "agent/token/pkcs11/error.h"

#define SESSIONS_MAX 4 /* without MaxSessions= */

static SignetPkcs11 *
make(const char *name, gboolean allow_extractable, guint max_sessions)
{
    SignetPkcs11 *p11 = g_new0(SignetPkcs11, 1);

    p11->name = g_strdup(name);
    p11->allow_extractable = allow_extractable;
    p11->max_sessions = max_sessions;
    p11->keys = g_hash_table_new_full(g_bytes_hash, g_bytes_equal,
                                      (GDestroyNotify)(void (*)(void))g_bytes_unref, NULL);
    p11->careful = g_hash_table_new(NULL, NULL);
    p11->missing = g_hash_table_new_full(g_bytes_hash, g_bytes_equal,
                                         (GDestroyNotify)(void (*)(void))g_bytes_unref, NULL);
    return p11;
}

SignetPkcs11 *
signet_pkcs11_new(const char *name, const char *uri, SignetPkcs11Login *login,
                  gboolean allow_extractable, guint max_sessions, const char *program)
{
    SignetPkcs11 *p11 = make(name, allow_extractable, max_sessions);

    p11->device = signet_pkcs11_device_new(name, uri, login, program);
    return p11;
}

SignetPkcs11 *
signet_pkcs11_attach(SignetPkcs11 *p11)
{
    SignetPkcs11 *attached = make(p11->name, p11->allow_extractable, p11->max_sessions);

    attached->device = p11->device;
    attached->is_attached = TRUE;
    return attached;
}

/* The login ends with the last session. */
static void
close_session(SignetPkcs11 *p11)
{
    if (p11->functions && p11->epoch == p11->device->epoch)
        p11->functions->C_CloseSession(p11->session);
    p11->functions = NULL;
    g_hash_table_remove_all(p11->keys);
    g_hash_table_remove_all(p11->careful);
}

void
signet_pkcs11_free(SignetPkcs11 *p11)
{
    signet_pkcs11_device_enter(p11->device);
    close_session(p11);
    signet_pkcs11_device_leave(p11->device);
    if (!p11->is_attached)
        signet_pkcs11_device_free(p11->device);
    g_hash_table_unref(p11->keys);
    g_hash_table_unref(p11->careful);
    g_hash_table_unref(p11->missing);
    g_free(p11->description);
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

/* --- open --- */

static gboolean
log_in(SignetPkcs11 *p11, const SignetTokenUnlock *unlock, GError **error)
{
    SignetPkcs11Session session = {p11->functions, p11->slot.id, p11->session, {NULL, NULL}};
    gboolean is_logged_in = signet_pkcs11_log_in(p11->device->login, &session, unlock, error);

    p11->lock = session.lock;
    return is_logged_in;
}

static gboolean
open_session(SignetPkcs11 *p11, const SignetTokenUnlock *unlock, GError **error)
{
    SignetPkcs11Device *device = p11->device;
    CK_FLAGS writable = device->slot.token.flags & CKF_WRITE_PROTECTED ? 0 : CKF_RW_SESSION;
    CK_RV rv = device->slot.functions->C_OpenSession(device->slot.id, CKF_SERIAL_SESSION | writable,
                                                     NULL, NULL, &p11->session);

    if (rv != CKR_OK)
        return signet_pkcs11_error_set(error, p11->name, "open a session", rv);
    p11->slot = device->slot;
    p11->functions = device->slot.functions;
    p11->epoch = device->epoch;
    describe(p11);
    /* The PIN is for this token alone. */
    if (!signet_pkcs11_device_is_same(device))
        signet_pkcs11_error_set(error, p11->name, "be opened", CKR_TOKEN_NOT_RECOGNIZED);
    else if (log_in(p11, unlock, error))
        return TRUE;
    close_session(p11);
    return FALSE;
}

static gboolean
open_somehow(SignetPkcs11 *p11, const SignetTokenUnlock *unlock, GError **error)
{
    guint epoch = p11->device->epoch;
    gboolean is_lost = p11->functions && p11->epoch == epoch;
    g_autoptr(GError) local = NULL;

    close_session(p11);
    /* Unasked, OpenSC takes a card that was put in another's place for that one. */
    if (p11->device->slot.functions && !is_lost &&
        signet_pkcs11_slot_check(&p11->device->slot, p11->name, NULL)) {
        if (open_session(p11, unlock, &local))
            return TRUE;
        if (!signet_error_is(local, SIGNET_ERROR_TOKEN_ABSENT)) {
            g_propagate_error(error, g_steal_pointer(&local));
            return FALSE;
        }
    }
    return signet_pkcs11_device_restart(p11->device, epoch, error) &&
           open_session(p11, unlock, error);
}

gboolean
signet_pkcs11_unlock(SignetPkcs11 *p11, const SignetTokenUnlock *unlock, GError **error)
{
    if (!open_somehow(p11, unlock, error))
        return FALSE;
    p11->has_pss = has_mechanism(p11, CKM_RSA_PKCS_PSS);
    p11->has_oaep = has_mechanism(p11, CKM_RSA_PKCS_OAEP);
    p11->has_raw_rsa = has_mechanism(p11, CKM_RSA_X_509);
    return TRUE;
}

gboolean
signet_pkcs11_open(SignetPkcs11 *p11, GError **error)
{
    return signet_pkcs11_unlock(p11, NULL, error);
}

gboolean
signet_pkcs11_log_in_for_operation(SignetPkcs11 *p11, GError **error)
{
    SignetPkcs11Session session = {p11->functions, p11->slot.id, p11->session, {NULL, NULL}};

    return signet_pkcs11_login_for_operation(p11->device->login, &session, error);
}

void
signet_pkcs11_lock(SignetPkcs11 *p11)
{
    signet_pkcs11_login_forget(p11->device->login);
    if (p11->functions && p11->epoch == p11->device->epoch)
        p11->functions->C_Logout(p11->session);
    close_session(p11);
}

static CK_ULONG
token_limit(const CK_TOKEN_INFO *token)
{
    CK_ULONG limit =
        token->flags & CKF_WRITE_PROTECTED ? token->ulMaxSessionCount : token->ulMaxRwSessionCount;

    return limit == CK_EFFECTIVELY_INFINITE || limit == CK_UNAVAILABLE_INFORMATION ? G_MAXUINT
                                                                                   : limit;
}

guint
signet_pkcs11_count_sessions(const SignetPkcs11 *p11)
{
    guint wanted = p11->max_sessions;

    /* A card does one thing at a time, and others need its sessions too; so does signet-module. */
    if (wanted == 0)
        wanted = g_str_equal(p11->protection, "smartcard") || p11->device->isolate
                     ? 1
                     : MIN(g_get_num_processors(), SESSIONS_MAX);
    return (guint)MAX(MIN(wanted, token_limit(&p11->slot.token)), 1);
}

gboolean
signet_pkcs11_begin(SignetPkcs11 *p11, GError **error)
{
    return (p11->functions && p11->epoch == p11->device->epoch) || signet_pkcs11_open(p11, error);
}

gboolean
signet_pkcs11_doubt(SignetPkcs11 *p11, GBytes *blob, GError **error)
{
    return g_hash_table_add(p11->missing, g_bytes_ref(blob)) && signet_pkcs11_open(p11, error);
}
