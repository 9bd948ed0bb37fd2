/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* What the module's tests share: one fake agent for all, a process per test (Check forks), and the
 * module loaded in each of them as an application would. */

#pragma once

#include <check.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <p11-kit/pkcs11.h>
#include <stdbool.h>
#include <sys/types.h>

struct kind {
    const char *name; /* of the identity */
    const char *type; /* as in Key= */
    bool is_rsa;
    bool is_eddsa;
    size_t width; /* bytes of a coordinate or the modulus */
};
#define KINDS 5
extern const struct kind kinds[KINDS];

/* The module's functions, after load_module(). */
extern CK_FUNCTION_LIST *p11;

#define ck_assert_rv(call, wanted)                                                     \
    do {                                                                               \
        CK_RV rv_ = (call);                                                            \
        ck_assert_msg(rv_ == (wanted), #call " gave 0x%lx, not 0x%lx", rv_, (wanted)); \
    } while (0)
#define ck_assert_ok(call) ck_assert_rv(call, CKR_OK)

/* Loads the module, not initialised. */
void load_module(void);
/* Loads and initialises it, and opens a session. */
CK_SESSION_HANDLE begin(void);
CK_SESSION_HANDLE open_session(void);

/* The one object of that class with that label. */
CK_OBJECT_HANDLE
find_one(CK_SESSION_HANDLE session, CK_OBJECT_CLASS class, const char *label);
/* How many there are; at most 64 handles in found. */
CK_ULONG
find_all(CK_SESSION_HANDLE session, CK_ATTRIBUTE *template, CK_ULONG count,
         CK_OBJECT_HANDLE *found);
/* The value, of at most 4096 bytes, in a buffer that the second next call reuses. */
const unsigned char *get_attribute(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object,
                                   CK_ATTRIBUTE_TYPE type, size_t *ret_size);
CK_ULONG get_number(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type);
bool get_flag(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type);

/* What the fake agent issued. */
X509 *load_cert(const char *name, unsigned generation);
X509 *load_ca(void);
/* A file in the tests' directory; valid until the fourth call after. */
const char *scratch(const char *file);
pid_t fake_agent_pid(void);

/* Lines of the fake agent's log that begin so. */
unsigned count_requests(const char *prefix);

/* Signs with this private key and verifies under the certificate of that generation. */
void assert_signs(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE key, const char *name,
                  unsigned generation);

Suite *token_suite(void);
Suite *objects_suite(void);
Suite *operations_suite(void);
Suite *processes_suite(void);
Suite *pairs_suite(void);
