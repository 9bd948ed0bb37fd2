/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* What is found, and that its attributes are what libcrypto reads in the same certificates. */

#include <openssl/core_names.h>
#include <string.h>

#include "tests/unit/pkcs11/common.h"

static void
assert_attribute(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type,
                 const void *wanted, size_t wanted_size)
{
    size_t size;
    const unsigned char *value = get_attribute(session, object, type, &size);
    ck_assert_msg(size == wanted_size, "attribute 0x%lx has %zu bytes, not %zu", type, size,
                  wanted_size);
    ck_assert_msg(memcmp(value, wanted, size) == 0, "attribute 0x%lx differs", type);
}

#define assert_der(session, object, type, i2d, thing)         \
    do {                                                      \
        unsigned char *der_ = NULL;                           \
        int size_ = i2d(thing, &der_);                        \
        assert_attribute(session, object, type, der_, size_); \
        OPENSSL_free(der_);                                   \
    } while (0)

START_TEST(an_identity_has_two_keys_its_certificate_and_the_chain)
{
    CK_SESSION_HANDLE session = begin();
    CK_OBJECT_HANDLE found[64];
    ck_assert_uint_eq(find_all(session, NULL, 0, found), 6 * 4);
    CK_ATTRIBUTE id = {CKA_ID, (void *)"p256", 4};
    ck_assert_uint_eq(find_all(session, &id, 1, found), 3);
    CK_ATTRIBUTE chain = {CKA_ID, (void *)"p256/1", 6};
    ck_assert_uint_eq(find_all(session, &chain, 1, found), 1);
    CK_ATTRIBUTE denied = {CKA_LABEL, (void *)"forbidden", 9};
    ck_assert_uint_eq(find_all(session, &denied, 1, found), 0);
}
END_TEST

START_TEST(a_search_asks_for_no_more_than_it_needs)
{
    CK_SESSION_HANDLE session = begin();
    CK_OBJECT_HANDLE found[64];
    CK_OBJECT_CLASS data = CKO_DATA;
    CK_ATTRIBUTE class = {CKA_CLASS, &data, sizeof(data)};
    unsigned lists = count_requests("list"), lookups = count_requests("lookup");
    ck_assert_uint_eq(find_all(session, &class, 1, found), 0);
    ck_assert_uint_eq(count_requests("list"), lists);
    find_one(session, CKO_PRIVATE_KEY, "p256");
    ck_assert_uint_eq(count_requests("lookup"), lookups + 1);
}
END_TEST

START_TEST(a_search_follows_the_rules)
{
    CK_SESSION_HANDLE session = begin();
    CK_OBJECT_HANDLE one;
    CK_ULONG count;
    CK_ATTRIBUTE broken = {CKA_LABEL, NULL, 4};
    ck_assert_rv(p11->C_FindObjects(session, &one, 1, &count), CKR_OPERATION_NOT_INITIALIZED);
    ck_assert_rv(p11->C_FindObjectsFinal(session), CKR_OPERATION_NOT_INITIALIZED);
    ck_assert_rv(p11->C_FindObjectsInit(session, &broken, 1), CKR_ATTRIBUTE_VALUE_INVALID);
    ck_assert_ok(p11->C_FindObjectsInit(session, NULL, 0));
    ck_assert_rv(p11->C_FindObjectsInit(session, NULL, 0), CKR_OPERATION_ACTIVE);
    unsigned found = 0;
    do {
        ck_assert_ok(p11->C_FindObjects(session, &one, 1, &count));
        found += (unsigned)count;
    } while (count > 0);
    ck_assert_uint_eq(found, 24);
    ck_assert_ok(p11->C_FindObjectsFinal(session));
}
END_TEST

START_TEST(private_keys_say_that_they_never_leave)
{
    const struct kind *kind = &kinds[_i];
    CK_SESSION_HANDLE session = begin();
    CK_OBJECT_HANDLE key = find_one(session, CKO_PRIVATE_KEY, kind->name);
    static const CK_ATTRIBUTE_TYPE on[] = {
        CKA_TOKEN, CKA_SENSITIVE, CKA_ALWAYS_SENSITIVE, CKA_NEVER_EXTRACTABLE, CKA_SIGN, CKA_LOCAL};
    static const CK_ATTRIBUTE_TYPE off[] = {CKA_EXTRACTABLE, CKA_ALWAYS_AUTHENTICATE,
                                            CKA_MODIFIABLE,  CKA_UNWRAP,
                                            CKA_PRIVATE,     CKA_SIGN_RECOVER};
    for (size_t i = 0; i < sizeof(on) / sizeof(on[0]); i++)
        ck_assert_msg(get_flag(session, key, on[i]), "0x%lx is not set", on[i]);
    for (size_t i = 0; i < sizeof(off) / sizeof(off[0]); i++)
        ck_assert_msg(!get_flag(session, key, off[i]), "0x%lx is set", off[i]);
    ck_assert_int_eq(get_flag(session, key, CKA_DECRYPT), kind->is_rsa);
    ck_assert_int_eq(get_flag(session, key, CKA_DERIVE), !kind->is_rsa && !kind->is_eddsa);
    ck_assert_uint_eq(get_number(session, key, CKA_KEY_TYPE), kind->is_rsa     ? CKK_RSA
                                                              : kind->is_eddsa ? CKK_EC_EDWARDS
                                                                               : CKK_EC);
    assert_attribute(session, key, CKA_ID, kind->name, strlen(kind->name));
    unsigned char room[512];
    CK_ATTRIBUTE secrets[] = {{CKA_VALUE, room, sizeof(room)},
                              {CKA_PRIVATE_EXPONENT, room, sizeof(room)},
                              {CKA_PRIME_1, NULL, 0}};
    for (int i = 0; i < 3; i++) {
        ck_assert_rv(p11->C_GetAttributeValue(session, key, &secrets[i], 1),
                     CKR_ATTRIBUTE_SENSITIVE);
        ck_assert_uint_eq(secrets[i].ulValueLen, CK_UNAVAILABLE_INFORMATION);
    }
}
END_TEST

START_TEST(public_keys_are_those_of_the_certificates)
{
    const struct kind *kind = &kinds[_i];
    CK_SESSION_HANDLE session = begin();
    CK_OBJECT_HANDLE key = find_one(session, CKO_PUBLIC_KEY, kind->name);
    X509 *cert = load_cert(kind->name, 2);
    EVP_PKEY *public = X509_get0_pubkey(cert);
    assert_der(session, key, CKA_PUBLIC_KEY_INFO, i2d_PUBKEY, public);
    unsigned char number[512];
    if (kind->is_rsa) {
        BIGNUM *n = NULL, *e = NULL;
        ck_assert(EVP_PKEY_get_bn_param(public, OSSL_PKEY_PARAM_RSA_N, &n));
        ck_assert(EVP_PKEY_get_bn_param(public, OSSL_PKEY_PARAM_RSA_E, &e));
        assert_attribute(session, key, CKA_MODULUS, number, (size_t)BN_bn2bin(n, number));
        assert_attribute(session, key, CKA_PUBLIC_EXPONENT, number, (size_t)BN_bn2bin(e, number));
        ck_assert_uint_eq(get_number(session, key, CKA_MODULUS_BITS), 2048);
        BN_free(n);
        BN_free(e);
    } else {
        ASN1_OCTET_STRING *point = ASN1_OCTET_STRING_new();
        size_t size;
        ck_assert(EVP_PKEY_get_octet_string_param(public, OSSL_PKEY_PARAM_PUB_KEY, number,
                                                  sizeof(number), &size));
        ASN1_OCTET_STRING_set(point, number, (int)size);
        assert_der(session, key, CKA_EC_POINT, i2d_ASN1_OCTET_STRING, point);
        ASN1_OCTET_STRING_free(point);
        static const int nids[] = {NID_X9_62_prime256v1, NID_secp384r1, NID_secp521r1, 0,
                                   NID_ED25519};
        assert_der(session, key, CKA_EC_PARAMS, i2d_ASN1_OBJECT, OBJ_nid2obj(nids[_i]));
    }
    X509_free(cert);
}
END_TEST

static void
assert_certificate(CK_SESSION_HANDLE session, const char *label, X509 *cert, CK_ULONG category)
{
    CK_OBJECT_HANDLE object = find_one(session, CKO_CERTIFICATE, label);
    assert_der(session, object, CKA_VALUE, i2d_X509, cert);
    assert_der(session, object, CKA_SUBJECT, i2d_X509_NAME, X509_get_subject_name(cert));
    assert_der(session, object, CKA_ISSUER, i2d_X509_NAME, X509_get_issuer_name(cert));
    assert_der(session, object, CKA_SERIAL_NUMBER, i2d_ASN1_INTEGER, X509_get_serialNumber(cert));
    assert_der(session, object, CKA_PUBLIC_KEY_INFO, i2d_PUBKEY, X509_get0_pubkey(cert));
    assert_attribute(session, object, CKA_ID, label, strlen(label));
    ck_assert_uint_eq(get_number(session, object, CKA_CERTIFICATE_TYPE), CKC_X_509);
    ck_assert_uint_eq(get_number(session, object, CKA_CERTIFICATE_CATEGORY), category);
    ck_assert(!get_flag(session, object, CKA_TRUSTED));
    X509_free(cert);
}

START_TEST(certificates_are_taken_apart_rightly)
{
    char label[16];
    CK_SESSION_HANDLE session = begin();
    assert_certificate(session, kinds[_i].name, load_cert(kinds[_i].name, 2), 1);
    snprintf(label, sizeof(label), "%s/1", kinds[_i].name);
    assert_certificate(session, label, load_ca(), 2);
}
END_TEST

START_TEST(attributes_are_read_by_the_rules)
{
    CK_SESSION_HANDLE session = begin();
    CK_OBJECT_HANDLE key = find_one(session, CKO_PUBLIC_KEY, "p256");
    unsigned char small[3], large[64];
    CK_ATTRIBUTE list[] = {{CKA_LABEL, small, sizeof(small)},
                           {CKA_MODULUS, large, sizeof(large)},
                           {CKA_LABEL, large, sizeof(large)}};
    ck_assert_rv(p11->C_GetAttributeValue(session, key, list, 1), CKR_BUFFER_TOO_SMALL);
    ck_assert_uint_eq(list[0].ulValueLen, CK_UNAVAILABLE_INFORMATION);
    list[0] = (CK_ATTRIBUTE) {CKA_LABEL, NULL, 0};
    ck_assert_rv(p11->C_GetAttributeValue(session, key, list, 3), CKR_ATTRIBUTE_TYPE_INVALID);
    ck_assert_uint_eq(list[0].ulValueLen, 4);
    ck_assert_uint_eq(list[1].ulValueLen, CK_UNAVAILABLE_INFORMATION);
    ck_assert_uint_eq(list[2].ulValueLen, 4);
    ck_assert_mem_eq(large, "p256", 4);
    ck_assert_rv(p11->C_GetAttributeValue(session, 12345, list, 1), CKR_OBJECT_HANDLE_INVALID);
    ck_assert_rv(p11->C_GetAttributeValue(session, key | 31, list, 1), CKR_OBJECT_HANDLE_INVALID);
}
END_TEST

START_TEST(the_token_cannot_be_written)
{
    CK_SESSION_HANDLE session = begin();
    CK_OBJECT_HANDLE key = find_one(session, CKO_PRIVATE_KEY, "p256"), other;
    CK_ATTRIBUTE label = {CKA_LABEL, (void *)"x", 1};
    ck_assert_rv(p11->C_DestroyObject(session, key), CKR_ACTION_PROHIBITED);
    ck_assert_rv(p11->C_SetAttributeValue(session, key, &label, 1), CKR_TOKEN_WRITE_PROTECTED);
    ck_assert_rv(p11->C_CreateObject(session, &label, 1, &other), CKR_TOKEN_WRITE_PROTECTED);
    ck_assert_rv(p11->C_CopyObject(session, key, &label, 1, &other), CKR_TOKEN_WRITE_PROTECTED);
    ck_assert_rv(p11->C_DestroyObject(session, 12345), CKR_OBJECT_HANDLE_INVALID);
}
END_TEST

Suite *
objects_suite(void)
{
    Suite *suite = suite_create("objects");
    TCase *tests = tcase_create("objects");
    tcase_add_test(tests, an_identity_has_two_keys_its_certificate_and_the_chain);
    tcase_add_test(tests, a_search_asks_for_no_more_than_it_needs);
    tcase_add_test(tests, a_search_follows_the_rules);
    tcase_add_loop_test(tests, private_keys_say_that_they_never_leave, 0, KINDS);
    tcase_add_loop_test(tests, public_keys_are_those_of_the_certificates, 0, KINDS);
    tcase_add_loop_test(tests, certificates_are_taken_apart_rightly, 0, KINDS);
    tcase_add_test(tests, attributes_are_read_by_the_rules);
    tcase_add_test(tests, the_token_cannot_be_written);
    suite_add_tcase(suite, tests);
    return suite;
}
