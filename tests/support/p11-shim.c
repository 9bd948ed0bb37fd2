/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* A PKCS#11 module over SoftHSM that has the faults and habits of other tokens. Files in the
 * directory $P11_SHIM_DIR switch them on, at any time:
 *   tries        how many are left for the PIN: a wrong one takes one, and shows in the flags
 *   out          the token is removed; its sessions stay dead after it is back
 *   extractable  every key says that it is extractable
 *   imported     … that it was not made here
 *   no-pss       RSA-PSS is not known
 *   edwards      Ed25519 has a curve's name instead of an OID, and bare points (PKCS#11 3.0)
 *   hardware     the slot is a device's, made by Example
 *   removable    … a reader's
 *   two          there are two such tokens
 *   keypad       the PIN is typed at the reader: what the file holds; empty: somebody cancels
 *   mute         C_Login gives no answer that tells anything, right PIN or wrong
 *   hang         a signature does not return as long as the file is there
 *   crash        … ends the process
 *   crash-once   … does so once
 *   crash-start  so does the module's start
 *   kill-generated  a kill -9 as soon as the next key is made
 *   sessions     how many there may be at once
 * Each C_Login adds a line to the file logins. */

#include <dlfcn.h>
#include <p11-kit/pkcs11.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MODULE    "/usr/lib/softhsm/libsofthsm2.so"
#define TRIES_MAX 3

/* CKA_EC_PARAMS of Ed25519 */
#define EDWARDS_OID      "\x06\x03\x2b\x65\x70"
#define EDWARDS_OID_SIZE 5
#define EDWARDS_NAME \
    "\x13\x0c"       \
    "edwards25519"
#define EDWARDS_NAME_SIZE 14

static CK_FUNCTION_LIST *real;
static CK_FUNCTION_LIST ours;
static atomic_bool sessions_dead;
static atomic_int sessions_open;

CK_RV C_GetFunctionList(CK_FUNCTION_LIST_PTR_PTR list);

/* --- the directory --- */

static void
path_of(const char *name, char *path, size_t size)
{
    const char *dir = getenv("P11_SHIM_DIR");

    snprintf(path, size, "%s/%s", dir ? dir : "/nonexistent", name);
}

static int
is_on(const char *name)
{
    char path[4096];

    path_of(name, path, sizeof path);
    return access(path, F_OK) == 0;
}

/* A sanitizer's handler would make an exit of it. */
static void
crash(void)
{
    signal(SIGSEGV, SIG_DFL);
    raise(SIGSEGV);
}

static int
is_out(void)
{
    if (!is_on("out"))
        return 0;
    sessions_dead = 1;
    return 1;
}

static void
write_file(const char *name, const char *mode, const char *text)
{
    char path[4096];
    FILE *file;

    path_of(name, path, sizeof path);
    file = fopen(path, mode);
    if (!file)
        abort();
    fputs(text, file);
    fclose(file);
}

static int
read_number(const char *name, int missing)
{
    char path[4096];
    int number = missing;
    FILE *file;

    path_of(name, path, sizeof path);
    file = fopen(path, "r");
    if (!file)
        return missing;
    if (fscanf(file, "%d", &number) != 1)
        abort();
    fclose(file);
    return number;
}

/* TRIES_MAX where nobody counts. */
static int
read_tries(void)
{
    return read_number("tries", TRIES_MAX);
}

static void
write_tries(int tries)
{
    char text[16];

    if (!is_on("tries"))
        return;
    snprintf(text, sizeof text, "%d", tries);
    write_file("tries", "w", text);
}

/* --- what is different --- */

static CK_RV
get_slot_list(CK_BBOOL present, CK_SLOT_ID_PTR ids, CK_ULONG_PTR n)
{
    CK_RV rv;

    if (is_out() && present) {
        *n = 0;
        return CKR_OK;
    }
    rv = real->C_GetSlotList(present, ids, n);
    if (rv != CKR_OK || !is_on("two"))
        return rv;
    *n += 1;
    if (ids)
        ids[*n - 1] = ids[0];
    return CKR_OK;
}

static CK_RV
get_slot_info(CK_SLOT_ID id, CK_SLOT_INFO_PTR info)
{
    CK_RV rv = real->C_GetSlotInfo(id, info);

    info->flags |= is_on("hardware") ? CKF_HW_SLOT : 0;
    info->flags |= is_on("removable") ? CKF_REMOVABLE_DEVICE : 0;
    return rv;
}

static CK_RV
get_token_info(CK_SLOT_ID id, CK_TOKEN_INFO_PTR info)
{
    CK_RV rv = is_out() ? CKR_TOKEN_NOT_PRESENT : real->C_GetTokenInfo(id, info);
    int tries = read_tries();

    if (rv != CKR_OK)
        return rv;
    if (is_on("hardware")) {
        memset(info->manufacturerID, ' ', sizeof info->manufacturerID);
        memcpy(info->manufacturerID, "Example", 7);
        memset(info->model, ' ', sizeof info->model);
        memcpy(info->model, "Card", 4);
    }
    info->flags |= tries < TRIES_MAX ? CKF_USER_PIN_COUNT_LOW : 0;
    info->flags |= tries == 1 ? CKF_USER_PIN_FINAL_TRY : 0;
    info->flags |= tries == 0 ? CKF_USER_PIN_LOCKED : 0;
    info->flags |= is_on("keypad") ? CKF_PROTECTED_AUTHENTICATION_PATH : 0;
    return CKR_OK;
}

static CK_RV
get_mechanism_info(CK_SLOT_ID id, CK_MECHANISM_TYPE type, CK_MECHANISM_INFO_PTR info)
{
    if (type == CKM_RSA_PKCS_PSS && is_on("no-pss"))
        return CKR_MECHANISM_INVALID;
    return real->C_GetMechanismInfo(id, type, info);
}

static CK_RV
open_session(CK_SLOT_ID id, CK_FLAGS flags, void *data, CK_NOTIFY notify,
             CK_SESSION_HANDLE_PTR session)
{
    CK_RV rv;

    if (is_out())
        return CKR_TOKEN_NOT_PRESENT;
    if (sessions_open >= read_number("sessions", 1000))
        return CKR_SESSION_COUNT;
    /* They go for good, and with them the login. */
    if (atomic_exchange(&sessions_dead, 0))
        real->C_CloseAllSessions(id);
    rv = real->C_OpenSession(id, flags, data, notify, session);
    sessions_open += rv == CKR_OK;
    return rv;
}

static CK_RV
close_session(CK_SESSION_HANDLE session)
{
    sessions_open--;
    return real->C_CloseSession(session);
}

static CK_RV
finalize(void *reserved)
{
    sessions_open = 0;
    return real->C_Finalize(reserved);
}

static void
misbehave(void)
{
    char path[4096];

    while (is_on("hang"))
        usleep(10000);
    path_of("crash-once", path, sizeof path);
    if (is_on("crash") || unlink(path) == 0)
        crash();
}

static CK_ULONG
read_keypad(CK_UTF8CHAR_PTR pin, CK_ULONG max)
{
    char path[4096];
    FILE *file;
    size_t size;

    path_of("keypad", path, sizeof path);
    file = fopen(path, "r");
    if (!file)
        return 0;
    size = fread(pin, 1, max, file);
    fclose(file);
    return size;
}

static CK_RV
login(CK_SESSION_HANDLE session, CK_USER_TYPE user, CK_UTF8CHAR_PTR pin, CK_ULONG size)
{
    CK_UTF8CHAR typed[64];
    int tries = read_tries();
    CK_RV rv;

    if (!pin) {
        pin = typed;
        size = read_keypad(typed, sizeof typed);
        if (size == 0)
            return CKR_FUNCTION_CANCELED;
    }
    rv = tries == 0 ? CKR_PIN_LOCKED : real->C_Login(session, user, pin, size);
    write_file("logins", "a", rv == CKR_OK ? "right\n" : "wrong\n");
    if (rv == CKR_PIN_INCORRECT || rv == CKR_PIN_LEN_RANGE)
        write_tries(tries - 1);
    if (rv == CKR_OK)
        write_tries(TRIES_MAX);
    if (!is_on("mute"))
        return rv;
    if (rv == CKR_OK)
        real->C_Logout(session);
    return CKR_GENERAL_ERROR;
}

static CK_RV
find_init(CK_SESSION_HANDLE session, CK_ATTRIBUTE_PTR template, CK_ULONG n)
{
    if (is_out() || sessions_dead)
        return CKR_SESSION_HANDLE_INVALID;
    return real->C_FindObjectsInit(session, template, n);
}

static CK_RV
sign_init(CK_SESSION_HANDLE session, CK_MECHANISM_PTR mechanism, CK_OBJECT_HANDLE key)
{
    misbehave();
    if (is_out())
        return CKR_DEVICE_REMOVED;
    if (sessions_dead)
        return CKR_SESSION_HANDLE_INVALID;
    if (mechanism->mechanism == CKM_RSA_PKCS_PSS && is_on("no-pss"))
        return CKR_MECHANISM_INVALID;
    return real->C_SignInit(session, mechanism, key);
}

static CK_RV
generate_key_pair(CK_SESSION_HANDLE session, CK_MECHANISM_PTR mechanism, CK_ATTRIBUTE_PTR public,
                  CK_ULONG public_n, CK_ATTRIBUTE_PTR private, CK_ULONG private_n,
                  CK_OBJECT_HANDLE_PTR public_key, CK_OBJECT_HANDLE_PTR private_key)
{
    CK_ATTRIBUTE changed[16];
    char path[4096];
    CK_RV rv;

    if (public_n > 16)
        return CKR_ARGUMENTS_BAD;
    memcpy(changed, public, public_n * sizeof changed[0]);
    for (CK_ULONG i = 0; i < public_n && is_on("edwards"); i++) {
        if (changed[i].type != CKA_EC_PARAMS)
            continue;
        if (changed[i].ulValueLen != EDWARDS_NAME_SIZE ||
            memcmp(changed[i].pValue, EDWARDS_NAME, EDWARDS_NAME_SIZE) != 0)
            return CKR_CURVE_NOT_SUPPORTED;
        changed[i].pValue = (void *)EDWARDS_OID;
        changed[i].ulValueLen = EDWARDS_OID_SIZE;
    }
    rv = real->C_GenerateKeyPair(session, mechanism, changed, public_n, private, private_n,
                                 public_key, private_key);
    path_of("kill-generated", path, sizeof path);
    if (rv == CKR_OK && unlink(path) == 0)
        raise(SIGKILL);
    return rv;
}

/* The value is in the caller's own buffer, which has room for more. */
static void
change_edwards(CK_ATTRIBUTE_PTR attribute)
{
    if (!attribute->pValue)
        return;
    if (attribute->type == CKA_EC_PARAMS && attribute->ulValueLen == EDWARDS_OID_SIZE) {
        memcpy(attribute->pValue, EDWARDS_NAME, EDWARDS_NAME_SIZE);
        attribute->ulValueLen = EDWARDS_NAME_SIZE;
    }
    if (attribute->type == CKA_EC_POINT && attribute->ulValueLen == 34) {
        memmove(attribute->pValue, (char *)attribute->pValue + 2, 32);
        attribute->ulValueLen = 32;
    }
}

static CK_RV
get_attribute_value(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_PTR template,
                    CK_ULONG n)
{
    CK_RV rv = real->C_GetAttributeValue(session, object, template, n);

    for (CK_ULONG i = 0; rv == CKR_OK && i < n; i++) {
        if (template[i].type == CKA_EXTRACTABLE && is_on("extractable"))
            *(CK_BBOOL *)template[i].pValue = CK_TRUE;
        if (template[i].type == CKA_LOCAL && is_on("imported"))
            *(CK_BBOOL *)template[i].pValue = CK_FALSE;
        if (is_on("edwards"))
            change_edwards(&template[i]);
    }
    return rv;
}

__attribute__((visibility("default"))) CK_RV
C_GetFunctionList(CK_FUNCTION_LIST_PTR_PTR list)
{
    void *module = dlopen(MODULE, RTLD_NOW | RTLD_LOCAL);
    CK_C_GetFunctionList get =
        module ? (CK_C_GetFunctionList)dlsym(module, "C_GetFunctionList") : NULL;

    if (!get || get(&real) != CKR_OK)
        return CKR_GENERAL_ERROR;
    if (is_on("crash-start"))
        crash();
    ours = *real;
    ours.C_GetFunctionList = C_GetFunctionList;
    ours.C_GetSlotList = get_slot_list;
    ours.C_GetSlotInfo = get_slot_info;
    ours.C_GetTokenInfo = get_token_info;
    ours.C_GetMechanismInfo = get_mechanism_info;
    ours.C_OpenSession = open_session;
    ours.C_CloseSession = close_session;
    ours.C_Finalize = finalize;
    ours.C_Login = login;
    ours.C_FindObjectsInit = find_init;
    ours.C_GenerateKeyPair = generate_key_pair;
    ours.C_SignInit = sign_init;
    ours.C_GetAttributeValue = get_attribute_value;
    *list = &ours;
    return CKR_OK;
}
