/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Starting and stopping, the slot, the token, mechanisms and sessions. */

#include <string.h>

#include "tests/unit/pkcs11/common.h"

START_TEST(nothing_works_before_initialize)
{
    CK_ULONG count = 0;
    CK_SESSION_HANDLE session;
    load_module();
    ck_assert_rv(p11->C_GetSlotList(CK_TRUE, NULL, &count), CKR_CRYPTOKI_NOT_INITIALIZED);
    ck_assert_rv(p11->C_OpenSession(0, CKF_SERIAL_SESSION, NULL, NULL, &session),
                 CKR_CRYPTOKI_NOT_INITIALIZED);
    ck_assert_rv(p11->C_Finalize(NULL), CKR_CRYPTOKI_NOT_INITIALIZED);
    ck_assert_rv(p11->C_FindObjectsInit(1, NULL, 0), CKR_CRYPTOKI_NOT_INITIALIZED);
}
END_TEST

static CK_RV
no_mutex(void *mutex)
{
    return CKR_OK;
}

static CK_RV
create_no_mutex(void **mutex)
{
    return CKR_OK;
}

START_TEST(initialize_minds_its_arguments)
{
    load_module();
    CK_C_INITIALIZE_ARGS args = {.LockMutex = no_mutex};
    ck_assert_rv(p11->C_Initialize(&args), CKR_ARGUMENTS_BAD);
    args = (CK_C_INITIALIZE_ARGS) {create_no_mutex, no_mutex, no_mutex, no_mutex, 0, NULL};
    ck_assert_rv(p11->C_Initialize(&args), CKR_CANT_LOCK);
    args = (CK_C_INITIALIZE_ARGS) {.pReserved = &args};
    ck_assert_rv(p11->C_Initialize(&args), CKR_ARGUMENTS_BAD);
    args = (CK_C_INITIALIZE_ARGS) {.flags = CKF_OS_LOCKING_OK};
    ck_assert_ok(p11->C_Initialize(&args));
    ck_assert_rv(p11->C_Initialize(&args), CKR_CRYPTOKI_ALREADY_INITIALIZED);
    ck_assert_rv(p11->C_Finalize(&args), CKR_ARGUMENTS_BAD);
    ck_assert_ok(p11->C_Finalize(NULL));
    ck_assert_ok(p11->C_Initialize(NULL));
}
END_TEST

START_TEST(there_is_one_slot_with_a_token_that_wants_no_login)
{
    CK_SESSION_HANDLE session = begin();
    CK_SLOT_ID slots[2] = {9, 9};
    CK_ULONG count = 0;
    ck_assert_ok(p11->C_GetSlotList(CK_TRUE, NULL, &count));
    ck_assert_uint_eq(count, 1);
    count = 0;
    ck_assert_rv(p11->C_GetSlotList(CK_TRUE, slots, &count), CKR_BUFFER_TOO_SMALL);
    ck_assert_ok(p11->C_GetSlotList(CK_TRUE, slots, &count));
    CK_TOKEN_INFO info;
    ck_assert_ok(p11->C_GetTokenInfo(slots[0], &info));
    ck_assert_mem_eq(info.label, "Signet                          ", 32);
    ck_assert_mem_eq(info.serialNumber, "1               ", 16);
    ck_assert_uint_eq(info.flags, CKF_WRITE_PROTECTED | CKF_TOKEN_INITIALIZED);
    ck_assert_uint_eq(info.ulSessionCount, 1);
    ck_assert_rv(p11->C_GetTokenInfo(1, &info), CKR_SLOT_ID_INVALID);
    ck_assert_rv(p11->C_Login(session, CKU_USER, NULL, 0), CKR_USER_ALREADY_LOGGED_IN);
    ck_assert_rv(p11->C_Login(session, CKU_SO, NULL, 0), CKR_USER_TYPE_INVALID);
    unsigned char random[8];
    ck_assert_rv(p11->C_GenerateRandom(session, random, sizeof(random)), CKR_RANDOM_NO_RNG);
}
END_TEST

START_TEST(every_listed_mechanism_has_information)
{
    begin();
    CK_MECHANISM_TYPE list[64];
    CK_ULONG count = 3;
    ck_assert_rv(p11->C_GetMechanismList(0, list, &count), CKR_BUFFER_TOO_SMALL);
    ck_assert_uint_eq(count, 21);
    ck_assert_ok(p11->C_GetMechanismList(0, list, &count));
    for (CK_ULONG i = 0; i < count; i++) {
        CK_MECHANISM_INFO info;
        ck_assert_ok(p11->C_GetMechanismInfo(0, list[i], &info));
        ck_assert_uint_ne(info.flags & (CKF_SIGN | CKF_DECRYPT | CKF_DERIVE), 0);
        ck_assert_uint_eq(info.flags & (CKF_VERIFY | CKF_ENCRYPT | CKF_GENERATE_KEY_PAIR), 0);
        ck_assert_uint_le(info.ulMinKeySize, info.ulMaxKeySize);
    }
    CK_MECHANISM_INFO info;
    ck_assert_rv(p11->C_GetMechanismInfo(0, CKM_SHA256, &info), CKR_MECHANISM_INVALID);
}
END_TEST

START_TEST(sessions_are_counted_limited_and_closed)
{
    CK_SESSION_HANDLE first = begin(), last = 0, one_more;
    for (int i = 1; i < 1024; i++)
        last = open_session();
    ck_assert_rv(p11->C_OpenSession(0, CKF_SERIAL_SESSION, NULL, NULL, &one_more),
                 CKR_SESSION_COUNT);
    ck_assert_ok(p11->C_CloseSession(last));
    ck_assert_ok(p11->C_OpenSession(0, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &one_more));
    CK_SESSION_INFO info;
    ck_assert_ok(p11->C_GetSessionInfo(one_more, &info));
    ck_assert_uint_eq(info.state, CKS_RW_USER_FUNCTIONS);
    ck_assert_ok(p11->C_GetSessionInfo(first, &info));
    ck_assert_uint_eq(info.state, CKS_RO_USER_FUNCTIONS);
    ck_assert_rv(p11->C_GetSessionInfo(last, &info), CKR_SESSION_HANDLE_INVALID);
    ck_assert_rv(p11->C_OpenSession(0, 0, NULL, NULL, &last), CKR_SESSION_PARALLEL_NOT_SUPPORTED);
    ck_assert_ok(p11->C_CloseAllSessions(0));
    ck_assert_rv(p11->C_GetSessionInfo(first, &info), CKR_SESSION_HANDLE_INVALID);
}
END_TEST

Suite *
token_suite(void)
{
    Suite *suite = suite_create("token");
    TCase *tests = tcase_create("token");
    tcase_add_test(tests, nothing_works_before_initialize);
    tcase_add_test(tests, initialize_minds_its_arguments);
    tcase_add_test(tests, there_is_one_slot_with_a_token_that_wants_no_login);
    tcase_add_test(tests, every_listed_mechanism_has_information);
    tcase_add_test(tests, sessions_are_counted_limited_and_closed);
    suite_add_tcase(suite, tests);
    return suite;
}
