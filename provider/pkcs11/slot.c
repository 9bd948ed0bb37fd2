/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Cryptoki's general functions, the one slot with the one token, and sessions. */

#include <stdlib.h>
#include <string.h>

#include "provider/pkcs11/agent.h"
#include "provider/pkcs11/state.h"

#define SLOT_ID 0u
#define LABEL   "Signet" /* and the manufacturer */
#define MODEL   "Signet agent"
#define SERIAL  "1" /* part of what OpenVPN calls a key: never to change */

static const CK_VERSION version = {SIGNET_VERSION_MAJOR, SIGNET_VERSION_MINOR};

/* Fixed width, filled up with spaces, no NUL at the end. */
#define PAD(field, text) pad(field, sizeof(field), text)
static void
pad(unsigned char *to, size_t size, const char *text)
{
    memset(to, ' ', size);
    memcpy(to, text, strlen(text));
}

/* CKR_OK when the module is initialised, the slot is ours and there is somewhere to answer. */
static CK_RV
check_slot(CK_SLOT_ID slot, const void *answer)
{
    CK_RV rv = signet_state_lock();
    if (rv != CKR_OK)
        return rv;
    signet_state_unlock();
    if (slot != SLOT_ID)
        return CKR_SLOT_ID_INVALID;
    return answer == NULL ? CKR_ARGUMENTS_BAD : CKR_OK;
}

CK_RV
C_Initialize(void *arguments)
{
    const CK_C_INITIALIZE_ARGS *args = arguments;
    if (args == NULL)
        return signet_state_start();
    unsigned given = (args->CreateMutex != NULL) + (args->DestroyMutex != NULL) +
                     (args->LockMutex != NULL) + (args->UnlockMutex != NULL);
    if (args->pReserved != NULL || given % 4 != 0)
        return CKR_ARGUMENTS_BAD;
    if (given != 0 && (args->flags & CKF_OS_LOCKING_OK) == 0)
        return CKR_CANT_LOCK;
    return signet_state_start();
}

CK_RV
C_Finalize(void *reserved)
{
    return reserved != NULL ? CKR_ARGUMENTS_BAD : signet_state_stop();
}

CK_RV
C_GetInfo(CK_INFO *info)
{
    CK_RV rv = check_slot(SLOT_ID, info);
    if (rv != CKR_OK)
        return rv;
    *info = (CK_INFO) {.cryptokiVersion = {CRYPTOKI_VERSION_MAJOR, CRYPTOKI_VERSION_MINOR},
                       .libraryVersion = version};
    PAD(info->manufacturerID, LABEL);
    PAD(info->libraryDescription, "Keys of the Signet agent");
    return CKR_OK;
}

CK_RV
C_GetSlotList(CK_BBOOL with_token, CK_SLOT_ID *slots, CK_ULONG *count)
{
    CK_RV rv = check_slot(SLOT_ID, count);
    if (rv != CKR_OK)
        return rv;
    bool is_too_small = slots != NULL && *count < 1;
    *count = 1;
    if (is_too_small)
        return CKR_BUFFER_TOO_SMALL;
    if (slots != NULL)
        slots[0] = SLOT_ID;
    return CKR_OK;
}

CK_RV
C_GetSlotInfo(CK_SLOT_ID slot, CK_SLOT_INFO *info)
{
    CK_RV rv = check_slot(slot, info);
    if (rv != CKR_OK)
        return rv;
    *info = (CK_SLOT_INFO) {.flags = CKF_TOKEN_PRESENT, .firmwareVersion = version};
    PAD(info->slotDescription, "Signet agent");
    PAD(info->manufacturerID, LABEL);
    return CKR_OK;
}

CK_RV
C_GetTokenInfo(CK_SLOT_ID slot, CK_TOKEN_INFO *info)
{
    CK_RV rv = check_slot(slot, info);
    if (rv != CKR_OK || (rv = signet_state_lock()) != CKR_OK)
        return rv;
    *info = (CK_TOKEN_INFO) {
        .flags = CKF_WRITE_PROTECTED | CKF_TOKEN_INITIALIZED,
        .ulSessionCount = signet_session_count(),
        .ulMaxSessionCount = SIGNET_SESSIONS_MAX,
        .ulMaxRwSessionCount = SIGNET_SESSIONS_MAX,
        .ulRwSessionCount = CK_UNAVAILABLE_INFORMATION,
        .ulTotalPublicMemory = CK_UNAVAILABLE_INFORMATION,
        .ulFreePublicMemory = CK_UNAVAILABLE_INFORMATION,
        .ulTotalPrivateMemory = CK_UNAVAILABLE_INFORMATION,
        .ulFreePrivateMemory = CK_UNAVAILABLE_INFORMATION,
        .firmwareVersion = version,
    };
    signet_state_unlock();
    PAD(info->label, LABEL);
    PAD(info->manufacturerID, LABEL);
    PAD(info->model, MODEL);
    PAD(info->serialNumber, SERIAL);
    PAD(info->utcTime, "");
    return CKR_OK;
}

CK_RV
C_GetMechanismList(CK_SLOT_ID slot, CK_MECHANISM_TYPE *list, CK_ULONG *count)
{
    CK_RV rv = check_slot(slot, count);
    if (rv != CKR_OK)
        return rv;
    bool is_too_small = list != NULL && *count < signet_mechanism_count;
    *count = signet_mechanism_count;
    if (is_too_small)
        return CKR_BUFFER_TOO_SMALL;
    for (size_t i = 0; list != NULL && i < signet_mechanism_count; i++)
        list[i] = signet_mechanisms[i].type;
    return CKR_OK;
}

CK_RV
C_GetMechanismInfo(CK_SLOT_ID slot, CK_MECHANISM_TYPE type, CK_MECHANISM_INFO *info)
{
    CK_RV rv = check_slot(slot, info);
    const struct signet_mechanism *mechanism = signet_mechanism_find(type);
    if (rv != CKR_OK || mechanism == NULL)
        return rv != CKR_OK ? rv : CKR_MECHANISM_INVALID;
    bool is_rsa = signet_scheme_family(mechanism->scheme) == SIGNET_FAMILY_RSA;
    info->ulMinKeySize = is_rsa ? 2048 : 256;
    info->ulMaxKeySize = is_rsa ? 4096 : mechanism->scheme == SIGNET_SCHEME_EDDSA ? 256 : 521;
    info->flags = mechanism->flags | CKF_HW; /* not done in this library */
    return CKR_OK;
}

CK_RV
C_OpenSession(CK_SLOT_ID slot, CK_FLAGS flags, void *application, CK_NOTIFY notify,
              CK_SESSION_HANDLE *session)
{
    CK_RV rv = check_slot(slot, session);
    if (rv == CKR_OK && (flags & CKF_SERIAL_SESSION) == 0)
        rv = CKR_SESSION_PARALLEL_NOT_SUPPORTED;
    if (rv != CKR_OK || (rv = signet_state_lock()) != CKR_OK)
        return rv;
    rv = signet_session_open(flags & (CKF_SERIAL_SESSION | CKF_RW_SESSION), session);
    signet_state_unlock();
    return rv;
}

CK_RV
C_CloseSession(CK_SESSION_HANDLE handle)
{
    struct signet_session *session;
    CK_RV rv = signet_session_lock(handle, &session);
    if (rv != CKR_OK)
        return rv;
    signet_session_close(session);
    signet_state_unlock();
    return CKR_OK;
}

CK_RV
C_CloseAllSessions(CK_SLOT_ID slot)
{
    CK_RV rv = check_slot(slot, &slot);
    if (rv != CKR_OK || (rv = signet_state_lock()) != CKR_OK)
        return rv;
    signet_session_close_all();
    signet_state_unlock();
    return CKR_OK;
}

CK_RV
C_GetSessionInfo(CK_SESSION_HANDLE handle, CK_SESSION_INFO *info)
{
    struct signet_session *session;
    CK_RV rv = signet_session_lock(handle, &session);
    if (rv != CKR_OK)
        return rv;
    bool may_write = (session->flags & CKF_RW_SESSION) != 0;
    if (info != NULL)
        *info = (CK_SESSION_INFO) {
            .slotID = SLOT_ID,
            .state = may_write ? CKS_RW_USER_FUNCTIONS : CKS_RO_USER_FUNCTIONS,
            .flags = session->flags,
        };
    signet_state_unlock();
    return info == NULL ? CKR_ARGUMENTS_BAD : CKR_OK;
}

/* The kernel says who the user is; there is nothing to log in to. */
static CK_RV
answer_session(CK_SESSION_HANDLE handle, CK_RV answer)
{
    struct signet_session *session;
    CK_RV rv = signet_session_lock(handle, &session);
    if (rv != CKR_OK)
        return rv;
    signet_state_unlock();
    return answer;
}

CK_RV
C_Login(CK_SESSION_HANDLE handle, CK_USER_TYPE user, unsigned char *pin, CK_ULONG size)
{
    return answer_session(handle,
                          user == CKU_USER ? CKR_USER_ALREADY_LOGGED_IN : CKR_USER_TYPE_INVALID);
}

CK_RV
C_Logout(CK_SESSION_HANDLE handle)
{
    return answer_session(handle, CKR_OK);
}
