/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* The table of functions that an application gets, and those of them that the token has no use for:
 * it makes no keys, takes none in, and leaves public keys, hashes and random numbers to others. */

#include <p11-kit/pkcs11.h>
#include <stddef.h>

#define REFUSE(answer, name, ...) \
    CK_RV                         \
    name(__VA_ARGS__)             \
    {                             \
        return answer;            \
    }

typedef CK_SESSION_HANDLE Session;
typedef CK_OBJECT_HANDLE Object;
typedef unsigned char *Bytes;

/* clang-format off */
#define UNSUPPORTED(...) REFUSE(CKR_FUNCTION_NOT_SUPPORTED, __VA_ARGS__)
UNSUPPORTED(C_InitToken, CK_SLOT_ID a, Bytes b, CK_ULONG c, Bytes d)
UNSUPPORTED(C_InitPIN, Session a, Bytes b, CK_ULONG c)
UNSUPPORTED(C_SetPIN, Session a, Bytes b, CK_ULONG c, Bytes d, CK_ULONG e)
UNSUPPORTED(C_GetOperationState, Session a, Bytes b, CK_ULONG *c)
UNSUPPORTED(C_SetOperationState, Session a, Bytes b, CK_ULONG c, Object d, Object e)
UNSUPPORTED(C_GetObjectSize, Session a, Object b, CK_ULONG *c)
UNSUPPORTED(C_EncryptInit, Session a, CK_MECHANISM *b, Object c)
UNSUPPORTED(C_Encrypt, Session a, Bytes b, CK_ULONG c, Bytes d, CK_ULONG *e)
UNSUPPORTED(C_EncryptUpdate, Session a, Bytes b, CK_ULONG c, Bytes d, CK_ULONG *e)
UNSUPPORTED(C_EncryptFinal, Session a, Bytes b, CK_ULONG *c)
UNSUPPORTED(C_DecryptUpdate, Session a, Bytes b, CK_ULONG c, Bytes d, CK_ULONG *e)
UNSUPPORTED(C_DecryptFinal, Session a, Bytes b, CK_ULONG *c)
UNSUPPORTED(C_DigestInit, Session a, CK_MECHANISM *b)
UNSUPPORTED(C_Digest, Session a, Bytes b, CK_ULONG c, Bytes d, CK_ULONG *e)
UNSUPPORTED(C_DigestUpdate, Session a, Bytes b, CK_ULONG c)
UNSUPPORTED(C_DigestKey, Session a, Object b)
UNSUPPORTED(C_DigestFinal, Session a, Bytes b, CK_ULONG *c)
UNSUPPORTED(C_SignRecoverInit, Session a, CK_MECHANISM *b, Object c)
UNSUPPORTED(C_SignRecover, Session a, Bytes b, CK_ULONG c, Bytes d, CK_ULONG *e)
UNSUPPORTED(C_VerifyInit, Session a, CK_MECHANISM *b, Object c)
UNSUPPORTED(C_Verify, Session a, Bytes b, CK_ULONG c, Bytes d, CK_ULONG e)
UNSUPPORTED(C_VerifyUpdate, Session a, Bytes b, CK_ULONG c)
UNSUPPORTED(C_VerifyFinal, Session a, Bytes b, CK_ULONG c)
UNSUPPORTED(C_VerifyRecoverInit, Session a, CK_MECHANISM *b, Object c)
UNSUPPORTED(C_VerifyRecover, Session a, Bytes b, CK_ULONG c, Bytes d, CK_ULONG *e)
UNSUPPORTED(C_DigestEncryptUpdate, Session a, Bytes b, CK_ULONG c, Bytes d, CK_ULONG *e)
UNSUPPORTED(C_DecryptDigestUpdate, Session a, Bytes b, CK_ULONG c, Bytes d, CK_ULONG *e)
UNSUPPORTED(C_SignEncryptUpdate, Session a, Bytes b, CK_ULONG c, Bytes d, CK_ULONG *e)
UNSUPPORTED(C_DecryptVerifyUpdate, Session a, Bytes b, CK_ULONG c, Bytes d, CK_ULONG *e)
UNSUPPORTED(C_WrapKey, Session a, CK_MECHANISM *b, Object c, Object d, Bytes e, CK_ULONG *f)
UNSUPPORTED(C_UnwrapKey, Session a, CK_MECHANISM *b, Object c, Bytes d, CK_ULONG e,
            CK_ATTRIBUTE *f, CK_ULONG g, Object *h)

#define PROTECTED(...) REFUSE(CKR_TOKEN_WRITE_PROTECTED, __VA_ARGS__)
PROTECTED(C_CreateObject, Session a, CK_ATTRIBUTE *b, CK_ULONG c, Object *d)
PROTECTED(C_CopyObject, Session a, Object b, CK_ATTRIBUTE *c, CK_ULONG d, Object *e)
PROTECTED(C_SetAttributeValue, Session a, Object b, CK_ATTRIBUTE *c, CK_ULONG d)
PROTECTED(C_GenerateKey, Session a, CK_MECHANISM *b, CK_ATTRIBUTE *c, CK_ULONG d, Object *e)
PROTECTED(C_GenerateKeyPair, Session a, CK_MECHANISM *b, CK_ATTRIBUTE *c, CK_ULONG d,
          CK_ATTRIBUTE *e, CK_ULONG f, Object *g, Object *h)

REFUSE(CKR_RANDOM_NO_RNG, C_SeedRandom, Session a, Bytes b, CK_ULONG c)
REFUSE(CKR_RANDOM_NO_RNG, C_GenerateRandom, Session a, Bytes b, CK_ULONG c)
REFUSE(CKR_FUNCTION_NOT_PARALLEL, C_GetFunctionStatus, Session a)
REFUSE(CKR_FUNCTION_NOT_PARALLEL, C_CancelFunction, Session a)

/* All of them, in the standard's order. */
static CK_FUNCTION_LIST functions = {
    {CRYPTOKI_VERSION_MAJOR, CRYPTOKI_VERSION_MINOR},
    C_Initialize, C_Finalize, C_GetInfo, C_GetFunctionList, C_GetSlotList, C_GetSlotInfo,
    C_GetTokenInfo, C_GetMechanismList, C_GetMechanismInfo, C_InitToken, C_InitPIN, C_SetPIN,
    C_OpenSession, C_CloseSession, C_CloseAllSessions, C_GetSessionInfo, C_GetOperationState,
    C_SetOperationState, C_Login, C_Logout, C_CreateObject, C_CopyObject, C_DestroyObject,
    C_GetObjectSize, C_GetAttributeValue, C_SetAttributeValue, C_FindObjectsInit,
    C_FindObjects, C_FindObjectsFinal, C_EncryptInit, C_Encrypt, C_EncryptUpdate,
    C_EncryptFinal, C_DecryptInit, C_Decrypt, C_DecryptUpdate, C_DecryptFinal, C_DigestInit,
    C_Digest, C_DigestUpdate, C_DigestKey, C_DigestFinal, C_SignInit, C_Sign, C_SignUpdate,
    C_SignFinal, C_SignRecoverInit, C_SignRecover, C_VerifyInit, C_Verify, C_VerifyUpdate,
    C_VerifyFinal, C_VerifyRecoverInit, C_VerifyRecover, C_DigestEncryptUpdate,
    C_DecryptDigestUpdate, C_SignEncryptUpdate, C_DecryptVerifyUpdate, C_GenerateKey,
    C_GenerateKeyPair, C_WrapKey, C_UnwrapKey, C_DeriveKey, C_SeedRandom, C_GenerateRandom,
    C_GetFunctionStatus, C_CancelFunction, C_WaitForSlotEvent,
};
/* clang-format on */

__attribute__((visibility("default"))) CK_RV
C_GetFunctionList(CK_FUNCTION_LIST **list)
{
    if (list == NULL)
        return CKR_ARGUMENTS_BAD;
    *list = &functions;
    return CKR_OK;
}
