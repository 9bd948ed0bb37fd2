/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* The table of functions that an application gets, and those of them that the token has no use for:
 * it makes no keys, takes none in, and leaves public keys, hashes and random numbers to software.
 */

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
PROTECTED(C_GenerateKey, Session a, CK_MECHANISM *b, CK_ATTRIBUTE *c, CK_ULONG d, Object *e)
PROTECTED(C_GenerateKeyPair, Session a, CK_MECHANISM *b, CK_ATTRIBUTE *c, CK_ULONG d,
          CK_ATTRIBUTE *e, CK_ULONG f, Object *g, Object *h)

REFUSE(CKR_RANDOM_NO_RNG, C_SeedRandom, Session a, Bytes b, CK_ULONG c)
REFUSE(CKR_RANDOM_NO_RNG, C_GenerateRandom, Session a, Bytes b, CK_ULONG c)
REFUSE(CKR_FUNCTION_NOT_PARALLEL, C_GetFunctionStatus, Session a)
REFUSE(CKR_FUNCTION_NOT_PARALLEL, C_CancelFunction, Session a)
/* clang-format on */

__attribute__((visibility("default"))) CK_RV
C_GetFunctionList(CK_FUNCTION_LIST **list)
{
    static CK_FUNCTION_LIST functions = {
        .version = {CRYPTOKI_VERSION_MAJOR, CRYPTOKI_VERSION_MINOR},
#define F(name) .name = name
        F(C_Initialize),
        F(C_Finalize),
        F(C_GetInfo),
        F(C_GetFunctionList),
        F(C_GetSlotList),
        F(C_GetSlotInfo),
        F(C_GetTokenInfo),
        F(C_GetMechanismList),
        F(C_GetMechanismInfo),
        F(C_InitToken),
        F(C_InitPIN),
        F(C_SetPIN),
        F(C_OpenSession),
        F(C_CloseSession),
        F(C_CloseAllSessions),
        F(C_GetSessionInfo),
        F(C_GetOperationState),
        F(C_SetOperationState),
        F(C_Login),
        F(C_Logout),
        F(C_CreateObject),
        F(C_CopyObject),
        F(C_DestroyObject),
        F(C_GetObjectSize),
        F(C_GetAttributeValue),
        F(C_SetAttributeValue),
        F(C_FindObjectsInit),
        F(C_FindObjects),
        F(C_FindObjectsFinal),
        F(C_EncryptInit),
        F(C_Encrypt),
        F(C_EncryptUpdate),
        F(C_EncryptFinal),
        F(C_DecryptInit),
        F(C_Decrypt),
        F(C_DecryptUpdate),
        F(C_DecryptFinal),
        F(C_DigestInit),
        F(C_Digest),
        F(C_DigestUpdate),
        F(C_DigestKey),
        F(C_DigestFinal),
        F(C_SignInit),
        F(C_Sign),
        F(C_SignUpdate),
        F(C_SignFinal),
        F(C_SignRecoverInit),
        F(C_SignRecover),
        F(C_VerifyInit),
        F(C_Verify),
        F(C_VerifyUpdate),
        F(C_VerifyFinal),
        F(C_VerifyRecoverInit),
        F(C_VerifyRecover),
        F(C_DigestEncryptUpdate),
        F(C_DecryptDigestUpdate),
        F(C_SignEncryptUpdate),
        F(C_DecryptVerifyUpdate),
        F(C_GenerateKey),
        F(C_GenerateKeyPair),
        F(C_WrapKey),
        F(C_UnwrapKey),
        F(C_DeriveKey),
        F(C_SeedRandom),
        F(C_GenerateRandom),
        F(C_GetFunctionStatus),
        F(C_CancelFunction),
        F(C_WaitForSlotEvent),
#undef F
    };
    if (list == NULL)
        return CKR_ARGUMENTS_BAD;
    *list = &functions;
    return CKR_OK;
}
