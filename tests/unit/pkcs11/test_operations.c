/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Every mechanism, checked with libcrypto, and the rules for buffers and parts. */

#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/rsa.h>
#include <string.h>

#include "tests/unit/pkcs11/common.h"

#define MESSAGE_MAX 61440u /* of one request */

/* A mechanism and what libcrypto calls it. */
struct row {
    CK_MECHANISM_TYPE type;
    const char *digest;
    bool is_rsa;
    bool is_pss;
    bool is_bare; /* the application hashes */
    bool is_info; /* ... and wraps it in a DigestInfo */
    bool is_eddsa;
};
static const struct row rows[] = {
    {CKM_ECDSA, "SHA1", false, false, true, false, false},
    {CKM_ECDSA, "SHA224", false, false, true, false, false},
    {CKM_ECDSA, "SHA256", false, false, true, false, false},
    {CKM_ECDSA, "SHA384", false, false, true, false, false},
    {CKM_ECDSA, "SHA512", false, false, true, false, false},
    {CKM_ECDSA_SHA1, "SHA1", false, false, false, false, false},
    {CKM_ECDSA_SHA224, "SHA224", false, false, false, false, false},
    {CKM_ECDSA_SHA256, "SHA256", false, false, false, false, false},
    {CKM_ECDSA_SHA384, "SHA384", false, false, false, false, false},
    {CKM_ECDSA_SHA512, "SHA512", false, false, false, false, false},
    {CKM_RSA_PKCS, "SHA1", true, false, true, true, false},
    {CKM_RSA_PKCS, "SHA224", true, false, true, true, false},
    {CKM_RSA_PKCS, "SHA256", true, false, true, true, false},
    {CKM_RSA_PKCS, "SHA384", true, false, true, true, false},
    {CKM_RSA_PKCS, "SHA512", true, false, true, true, false},
    {CKM_RSA_PKCS, NULL, true, false, true, false, false},
    {CKM_SHA1_RSA_PKCS, "SHA1", true, false, false, false, false},
    {CKM_SHA224_RSA_PKCS, "SHA224", true, false, false, false, false},
    {CKM_SHA256_RSA_PKCS, "SHA256", true, false, false, false, false},
    {CKM_SHA384_RSA_PKCS, "SHA384", true, false, false, false, false},
    {CKM_SHA512_RSA_PKCS, "SHA512", true, false, false, false, false},
    {CKM_RSA_PKCS_PSS, "SHA256", true, true, true, false, false},
    {CKM_RSA_PKCS_PSS, "SHA512", true, true, true, false, false},
    {CKM_SHA1_RSA_PKCS_PSS, "SHA1", true, true, false, false, false},
    {CKM_SHA224_RSA_PKCS_PSS, "SHA224", true, true, false, false, false},
    {CKM_SHA256_RSA_PKCS_PSS, "SHA256", true, true, false, false, false},
    {CKM_SHA384_RSA_PKCS_PSS, "SHA384", true, true, false, false, false},
    {CKM_SHA512_RSA_PKCS_PSS, "SHA512", true, true, false, false, false},
    {CKM_EDDSA, NULL, false, false, false, false, true},
};
#define ROWS ((int)(sizeof(rows) / sizeof(rows[0])))

static CK_RSA_PKCS_PSS_PARAMS
pss_params(const char *digest)
{
    static const struct {
        const char *name;
        CK_RSA_PKCS_PSS_PARAMS params;
    } all[] = {
        {"SHA1", {CKM_SHA_1, CKG_MGF1_SHA1, 20}},
        {"SHA224", {CKM_SHA224, CKG_MGF1_SHA224, 28}},
        {"SHA256", {CKM_SHA256, CKG_MGF1_SHA256, 32}},
        {"SHA384", {CKM_SHA384, CKG_MGF1_SHA384, 48}},
        {"SHA512", {CKM_SHA512, CKG_MGF1_SHA512, 64}},
    };
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
        if (strcmp(all[i].name, digest) == 0)
            return all[i].params;
    ck_abort_msg("no such digest: %s", digest);
}

/* DigestInfo made by libcrypto. */
static size_t
wrap(const char *digest, const unsigned char *hash, size_t size, unsigned char *to)
{
    X509_SIG *info = X509_SIG_new();
    X509_ALGOR *algorithm;
    ASN1_OCTET_STRING *octets;
    X509_SIG_getm(info, &algorithm, &octets);
    X509_ALGOR_set0(algorithm, OBJ_txt2obj(digest, 0), V_ASN1_NULL, NULL);
    ASN1_OCTET_STRING_set(octets, hash, (int)size);
    int length = i2d_X509_SIG(info, &to);
    X509_SIG_free(info);
    return (size_t)length;
}

/* What C_Sign gets for this message. */
static size_t
prepare(const struct row *row, const unsigned char *message, size_t size, unsigned char *to)
{
    unsigned char hash[EVP_MAX_MD_SIZE];
    unsigned hash_size = 0;
    if (!row->is_bare || row->digest == NULL) {
        memcpy(to, message, size);
        return size;
    }
    EVP_Digest(message, size, hash, &hash_size, EVP_get_digestbyname(row->digest), NULL);
    if (row->is_info)
        return wrap(row->digest, hash, hash_size, to);
    memcpy(to, hash, hash_size);
    return hash_size;
}

static bool
verifies(EVP_PKEY *key, const struct row *row, const unsigned char *hash, size_t hash_size,
         const unsigned char *signature, size_t size)
{
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(key, NULL);
    ck_assert_int_eq(EVP_PKEY_verify_init(context), 1);
    if (row->is_rsa)
        ck_assert_int_gt(EVP_PKEY_CTX_set_rsa_padding(context, row->is_pss ? RSA_PKCS1_PSS_PADDING
                                                                           : RSA_PKCS1_PADDING),
                         0);
    if (row->digest != NULL)
        ck_assert_int_gt(EVP_PKEY_CTX_set_signature_md(context, EVP_get_digestbyname(row->digest)),
                         0);
    if (row->is_pss)
        ck_assert_int_gt(EVP_PKEY_CTX_set_rsa_pss_saltlen(context, RSA_PSS_SALTLEN_DIGEST), 0);
    bool ok = EVP_PKEY_verify(context, signature, size, hash, hash_size) == 1;
    EVP_PKEY_CTX_free(context);
    return ok;
}

static bool
verifies_message(EVP_PKEY *key, const unsigned char *message, size_t message_size,
                 const unsigned char *signature, size_t size)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    ck_assert_int_eq(EVP_DigestVerifyInit(context, NULL, NULL, NULL, key), 1);
    bool ok = EVP_DigestVerify(context, signature, size, message, message_size) == 1;
    EVP_MD_CTX_free(context);
    return ok;
}

static void
assert_signature(const struct kind *kind, const struct row *row, const unsigned char *message,
                 size_t message_size, const unsigned char *signature, size_t size)
{
    unsigned char hash[EVP_MAX_MD_SIZE], der[256], *end = der;
    unsigned hash_size = (unsigned)message_size;
    X509 *cert = load_cert(kind->name, 2);
    ck_assert_uint_eq(size, kind->is_rsa ? kind->width : 2 * kind->width);
    if (row->is_eddsa) {
        EVP_PKEY *key = X509_get0_pubkey(cert);
        ck_assert(verifies_message(key, message, message_size, signature, size));
        ck_assert(!verifies_message(key, message, message_size - 1, signature, size));
        X509_free(cert);
        return;
    }
    if (row->digest == NULL)
        memcpy(hash, message, message_size);
    else
        EVP_Digest(message, message_size, hash, &hash_size, EVP_get_digestbyname(row->digest),
                   NULL);
    if (!kind->is_rsa) {
        ECDSA_SIG *pair = ECDSA_SIG_new();
        int half = (int)size / 2;
        ck_assert(ECDSA_SIG_set0(pair, BN_bin2bn(signature, half, NULL),
                                 BN_bin2bn(signature + half, half, NULL)));
        size = (size_t)i2d_ECDSA_SIG(pair, &end);
        signature = der;
        ECDSA_SIG_free(pair);
    }
    ck_assert(verifies(X509_get0_pubkey(cert), row, hash, hash_size, signature, size));
    hash[0] ^= 1;
    ck_assert(!verifies(X509_get0_pubkey(cert), row, hash, hash_size, signature, size));
    X509_free(cert);
}

static void
sign_init(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE key, const struct row *row)
{
    CK_RSA_PKCS_PSS_PARAMS params;
    CK_MECHANISM mechanism = {row->type, NULL, 0};
    if (row->is_pss) {
        params = pss_params(row->digest);
        mechanism = (CK_MECHANISM) {row->type, &params, sizeof(params)};
    }
    ck_assert_ok(p11->C_SignInit(session, &mechanism, key));
}

START_TEST(every_mechanism_signs)
{
    const struct row *row = &rows[_i];
    unsigned char message[] = "what is signed", data[256], signature[512];
    CK_SESSION_HANDLE session = begin();
    size_t data_size = prepare(row, message, sizeof(message), data);
    for (int k = 0; k < KINDS; k++) {
        if (kinds[k].is_rsa != row->is_rsa || kinds[k].is_eddsa != row->is_eddsa)
            continue;
        CK_OBJECT_HANDLE key = find_one(session, CKO_PRIVATE_KEY, kinds[k].name);
        CK_ULONG size = sizeof(signature);
        sign_init(session, key, row);
        ck_assert_ok(p11->C_Sign(session, data, data_size, signature, &size));
        assert_signature(&kinds[k], row, message, sizeof(message), signature, size);
    }
}
END_TEST

START_TEST(hashing_mechanisms_take_parts)
{
    const struct row *row = &rows[_i];
    if (row->is_bare)
        return;
    const struct kind *kind = row->is_rsa ? &kinds[3] : row->is_eddsa ? &kinds[4] : &kinds[0];
    static unsigned char message[MESSAGE_MAX];
    unsigned char signature[512];
    CK_ULONG size = sizeof(signature);
    CK_SESSION_HANDLE session = begin();
    CK_OBJECT_HANDLE key = find_one(session, CKO_PRIVATE_KEY, kind->name);
    memset(message, 'x', sizeof(message));
    sign_init(session, key, row);
    ck_assert_ok(p11->C_SignUpdate(session, message, 1));
    ck_assert_ok(p11->C_SignUpdate(session, NULL, 0));
    ck_assert_ok(p11->C_SignUpdate(session, message + 1, sizeof(message) - 1));
    ck_assert_rv(p11->C_Sign(session, message, 1, signature, &size), CKR_OPERATION_ACTIVE);
    ck_assert_ok(p11->C_SignFinal(session, signature, &size));
    assert_signature(kind, row, message, sizeof(message), signature, size);
}
END_TEST

START_TEST(purposes_are_told_from_the_message_whenever_there_is_one)
{
    unsigned char data[32] = {0}, signature[512];
    CK_SESSION_HANDLE session = begin();
    CK_OBJECT_HANDLE key = find_one(session, CKO_PRIVATE_KEY, "p256");
    unsigned messages = count_requests("sign-message p256 2"),
             digests = count_requests("sign-digest p256 2");
    static const CK_MECHANISM_TYPE types[] = {CKM_ECDSA_SHA256, CKM_ECDSA};
    for (int i = 0; i < 2; i++) {
        CK_MECHANISM mechanism = {types[i], NULL, 0};
        CK_ULONG size = sizeof(signature);
        ck_assert_ok(p11->C_SignInit(session, &mechanism, key));
        ck_assert_ok(p11->C_Sign(session, data, sizeof(data), signature, &size));
    }
    ck_assert_uint_eq(count_requests("sign-message p256 2"), messages + 1);
    ck_assert_uint_eq(count_requests("sign-digest p256 2"), digests + 1);
}
END_TEST

START_TEST(data_that_does_not_fit_is_refused_here)
{
    static unsigned char data[MESSAGE_MAX + 1];
    unsigned char signature[512];
    CK_SESSION_HANDLE session = begin();
    static const struct {
        CK_MECHANISM_TYPE type;
        const char *name;
        size_t size;
    } wrong[] = {{CKM_ECDSA, "p256", 31},
                 {CKM_ECDSA, "p256", 0},
                 {CKM_ECDSA_SHA256, "p256", MESSAGE_MAX + 1},
                 {CKM_RSA_PKCS, "rsa", 256 - 10}};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        CK_MECHANISM mechanism = {wrong[i].type, NULL, 0};
        CK_ULONG size = sizeof(signature);
        CK_OBJECT_HANDLE key = find_one(session, CKO_PRIVATE_KEY, wrong[i].name);
        ck_assert_ok(p11->C_SignInit(session, &mechanism, key));
        ck_assert_rv(p11->C_Sign(session, data, wrong[i].size, signature, &size),
                     CKR_DATA_LEN_RANGE);
        ck_assert_rv(p11->C_Sign(session, data, 1, signature, &size),
                     CKR_OPERATION_NOT_INITIALIZED);
        ck_assert_ok(p11->C_SignInit(session, &mechanism, key));
        ck_assert_ok(p11->C_SignUpdate(session, data, 1));
        ck_assert_rv(p11->C_SignUpdate(session, data, MESSAGE_MAX), CKR_DATA_LEN_RANGE);
        ck_assert_rv(p11->C_SignUpdate(session, data, 1), CKR_OPERATION_NOT_INITIALIZED);
    }
}
END_TEST

START_TEST(mechanisms_and_keys_must_fit)
{
    CK_SESSION_HANDLE session = begin();
    CK_OBJECT_HANDLE ec = find_one(session, CKO_PRIVATE_KEY, "p256"),
                     rsa = find_one(session, CKO_PRIVATE_KEY, "rsa"),
                     ed25519 = find_one(session, CKO_PRIVATE_KEY, "ed25519"),
                     public = find_one(session, CKO_PUBLIC_KEY, "rsa");
    CK_RSA_PKCS_PSS_PARAMS other = pss_params("SHA384");
    CK_MECHANISM pkcs = {CKM_SHA256_RSA_PKCS, NULL, 0}, raw = {CKM_RSA_X_509, NULL, 0},
                 oaep = {CKM_RSA_PKCS_OAEP, NULL, 0}, pss = {CKM_RSA_PKCS_PSS, NULL, 0},
                 mixed = {CKM_SHA256_RSA_PKCS_PSS, &other, sizeof(other)},
                 with = {CKM_ECDSA, &other, sizeof(other)};
    ck_assert_rv(p11->C_SignInit(session, &pkcs, ec), CKR_KEY_TYPE_INCONSISTENT);
    ck_assert_rv(p11->C_SignInit(session, &pkcs, public), CKR_KEY_HANDLE_INVALID);
    ck_assert_rv(p11->C_SignInit(session, &pkcs, 12345), CKR_KEY_HANDLE_INVALID);
    ck_assert_rv(p11->C_SignInit(session, &raw, rsa), CKR_MECHANISM_INVALID);
    ck_assert_rv(p11->C_SignInit(session, &oaep, rsa), CKR_MECHANISM_INVALID);
    ck_assert_rv(p11->C_DecryptInit(session, &oaep, rsa), CKR_MECHANISM_PARAM_INVALID);
    ck_assert_rv(p11->C_DecryptInit(session, &pkcs, rsa), CKR_MECHANISM_INVALID);
    ck_assert_rv(p11->C_SignInit(session, &pss, rsa), CKR_MECHANISM_PARAM_INVALID);
    ck_assert_rv(p11->C_SignInit(session, &mixed, rsa), CKR_MECHANISM_PARAM_INVALID);
    ck_assert_rv(p11->C_SignInit(session, &with, ec), CKR_MECHANISM_PARAM_INVALID);
    CK_MECHANISM ecdsa = {CKM_ECDSA, NULL, 0}, eddsa = {CKM_EDDSA, NULL, 0};
    ck_assert_rv(p11->C_SignInit(session, &ecdsa, ed25519), CKR_KEY_TYPE_INCONSISTENT);
    ck_assert_rv(p11->C_SignInit(session, &eddsa, ec), CKR_KEY_TYPE_INCONSISTENT);
    eddsa.pParameter = &other; /* those of Ed25519ph or with a context */
    eddsa.ulParameterLen = sizeof(other);
    ck_assert_rv(p11->C_SignInit(session, &eddsa, ed25519), CKR_MECHANISM_PARAM_INVALID);
    ck_assert_ok(p11->C_SignInit(session, &pkcs, rsa));
    ck_assert_rv(p11->C_SignInit(session, &pkcs, rsa), CKR_OPERATION_ACTIVE);
}
END_TEST

START_TEST(lengths_are_told_without_asking_the_agent)
{
    unsigned char data[32] = {0}, signature[512];
    CK_SESSION_HANDLE session = begin();
    for (int k = 0; k < KINDS; k++) {
        CK_MECHANISM mechanism = {kinds[k].is_rsa     ? CKM_SHA256_RSA_PKCS
                                  : kinds[k].is_eddsa ? CKM_EDDSA
                                                      : CKM_ECDSA_SHA256,
                                  NULL, 0};
        size_t wanted = kinds[k].is_rsa ? kinds[k].width : 2 * kinds[k].width;
        CK_ULONG size = 0;
        ck_assert_ok(p11->C_SignInit(session, &mechanism,
                                     find_one(session, CKO_PRIVATE_KEY, kinds[k].name)));
        unsigned before = count_requests("sign");
        ck_assert_ok(p11->C_Sign(session, data, sizeof(data), NULL, &size));
        ck_assert_uint_eq(size, wanted);
        size = wanted - 1;
        ck_assert_rv(p11->C_Sign(session, data, sizeof(data), signature, &size),
                     CKR_BUFFER_TOO_SMALL);
        ck_assert_uint_eq(size, wanted);
        ck_assert_uint_eq(count_requests("sign"), before);
        ck_assert_ok(p11->C_Sign(session, data, sizeof(data), signature, &size));
        ck_assert_uint_eq(count_requests("sign"), before + 1);
    }
}
END_TEST

static size_t
encrypt(int padding, const char *label, const unsigned char *plain, size_t size, unsigned char *to)
{
    X509 *cert = load_cert("rsa", 2);
    size_t to_size = 256;
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(X509_get0_pubkey(cert), NULL);
    ck_assert_int_eq(EVP_PKEY_encrypt_init(context), 1);
    ck_assert_int_gt(EVP_PKEY_CTX_set_rsa_padding(context, padding), 0);
    if (label != NULL) {
        ck_assert_int_gt(EVP_PKEY_CTX_set_rsa_oaep_md(context, EVP_sha256()), 0);
        ck_assert_int_gt(EVP_PKEY_CTX_set_rsa_mgf1_md(context, EVP_sha1()), 0);
        ck_assert_int_gt(
            EVP_PKEY_CTX_set0_rsa_oaep_label(context, OPENSSL_strdup(label), (int)strlen(label)),
            0);
    }
    ck_assert_int_eq(EVP_PKEY_encrypt(context, to, &to_size, plain, size), 1);
    EVP_PKEY_CTX_free(context);
    X509_free(cert);
    return to_size;
}

START_TEST(both_paddings_decrypt)
{
    CK_RSA_PKCS_OAEP_PARAMS params = {CKM_SHA256, CKG_MGF1_SHA1, CKZ_DATA_SPECIFIED, (void *)"tag",
                                      3};
    CK_MECHANISM mechanism = {CKM_RSA_PKCS, NULL, 0};
    unsigned char secret[] = "a secret", cipher[256], plain[256];
    CK_SESSION_HANDLE session = begin();
    CK_OBJECT_HANDLE key = find_one(session, CKO_PRIVATE_KEY, "rsa");
    if (_i == 1)
        mechanism = (CK_MECHANISM) {CKM_RSA_PKCS_OAEP, &params, sizeof(params)};
    encrypt(_i == 1 ? RSA_PKCS1_OAEP_PADDING : RSA_PKCS1_PADDING, _i == 1 ? "tag" : NULL, secret,
            sizeof(secret), cipher);
    ck_assert_ok(p11->C_DecryptInit(session, &mechanism, key));
    CK_ULONG size = 0;
    ck_assert_ok(p11->C_Decrypt(session, cipher, sizeof(cipher), NULL, &size));
    ck_assert_uint_eq(size, 256);
    size = 2;
    ck_assert_rv(p11->C_Decrypt(session, cipher, sizeof(cipher), plain, &size),
                 CKR_BUFFER_TOO_SMALL);
    ck_assert_uint_eq(size, sizeof(secret));
    ck_assert_ok(p11->C_Decrypt(session, cipher, sizeof(cipher), plain, &size));
    ck_assert_uint_eq(size, sizeof(secret));
    ck_assert_mem_eq(plain, secret, sizeof(secret));
    ck_assert_rv(p11->C_Decrypt(session, cipher, sizeof(cipher), plain, &size),
                 CKR_OPERATION_NOT_INITIALIZED);
    ck_assert_ok(p11->C_DecryptInit(session, &mechanism, key));
    ck_assert_rv(p11->C_Decrypt(session, cipher, 255, plain, &size), CKR_ENCRYPTED_DATA_LEN_RANGE);
    memset(cipher, 0xff, sizeof(cipher)); /* above the modulus */
    size = sizeof(plain);
    ck_assert_ok(p11->C_DecryptInit(session, &mechanism, key));
    ck_assert_rv(p11->C_Decrypt(session, cipher, sizeof(cipher), plain, &size),
                 CKR_ENCRYPTED_DATA_INVALID);
}
END_TEST

/* What libcrypto agrees on with the identity's public key; the peer's point in *point. */
static size_t
agree(const struct kind *kind, unsigned char *point, size_t *point_size, unsigned char *secret)
{
    X509 *cert = load_cert(kind->name, 2);
    EVP_PKEY *mine = EVP_EC_gen(kind->type + strlen("ec:"));
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(mine, NULL);
    unsigned char *encoded = NULL;
    size_t size = 66;
    ck_assert_int_eq(EVP_PKEY_derive_init(context), 1);
    ck_assert_int_eq(EVP_PKEY_derive_set_peer(context, X509_get0_pubkey(cert)), 1);
    ck_assert_int_eq(EVP_PKEY_derive(context, secret, &size), 1);
    *point_size = EVP_PKEY_get1_encoded_public_key(mine, &encoded);
    memcpy(point, encoded, *point_size);
    OPENSSL_free(encoded);
    EVP_PKEY_CTX_free(context);
    EVP_PKEY_free(mine);
    X509_free(cert);
    return size;
}

START_TEST(a_derived_secret_can_be_read_and_destroyed)
{
    const struct kind *kind = &kinds[_i];
    unsigned char point[140], secret[66];
    size_t point_size, value_size;
    CK_SESSION_HANDLE session = begin();
    CK_OBJECT_HANDLE key = find_one(session, CKO_PRIVATE_KEY, kind->name), derived;
    size_t size = agree(kind, point, &point_size, secret);
    CK_ECDH1_DERIVE_PARAMS params = {CKD_NULL, 0, NULL, point_size, point};
    CK_MECHANISM mechanism = {CKM_ECDH1_DERIVE, &params, sizeof(params)};
    CK_KEY_TYPE type = CKK_GENERIC_SECRET;
    CK_ULONG length = 16;
    CK_ATTRIBUTE template[] = {{CKA_KEY_TYPE, &type, sizeof(type)},
                               {CKA_LABEL, (void *)"agreed", 6},
                               {CKA_VALUE_LEN, &length, sizeof(length)}};
    ck_assert_ok(p11->C_DeriveKey(session, &mechanism, key, template, 2, &derived));
    const unsigned char *value = get_attribute(session, derived, CKA_VALUE, &value_size);
    ck_assert_uint_eq(value_size, size);
    ck_assert_mem_eq(value, secret, size);
    ck_assert_uint_eq(find_one(session, CKO_SECRET_KEY, "agreed"), derived);
    ck_assert_ok(p11->C_DestroyObject(session, derived));
    CK_ATTRIBUTE again = {CKA_VALUE, NULL, 0};
    ck_assert_rv(p11->C_GetAttributeValue(session, derived, &again, 1), CKR_OBJECT_HANDLE_INVALID);

    ck_assert_ok(p11->C_DeriveKey(session, &mechanism, key, template, 3, &derived));
    value = get_attribute(session, derived, CKA_VALUE, &value_size);
    ck_assert_uint_eq(value_size, 16);
    ck_assert_mem_eq(value, secret + size - 16, 16);
    CK_SESSION_HANDLE other = open_session();
    ck_assert_ok(p11->C_CloseSession(session));
    ck_assert_rv(p11->C_GetAttributeValue(other, derived, &again, 1), CKR_OBJECT_HANDLE_INVALID);
}
END_TEST

START_TEST(a_derivation_minds_its_arguments)
{
    unsigned char point[140], secret[66];
    size_t point_size;
    CK_SESSION_HANDLE session = begin();
    CK_OBJECT_HANDLE key = find_one(session, CKO_PRIVATE_KEY, "p256"), derived;
    agree(&kinds[0], point + 2, &point_size, secret);
    point[0] = 0x04; /* as an OCTET STRING */
    point[1] = (unsigned char)point_size;
    CK_ECDH1_DERIVE_PARAMS params = {CKD_NULL, 0, NULL, point_size + 2, point};
    CK_MECHANISM mechanism = {CKM_ECDH1_DERIVE, &params, sizeof(params)};
    ck_assert_ok(p11->C_DeriveKey(session, &mechanism, key, NULL, 0, &derived));
    CK_BBOOL yes = CK_TRUE;
    CK_ULONG length = 33;
    CK_ATTRIBUTE token = {CKA_TOKEN, &yes, 1}, sensitive = {CKA_SENSITIVE, &yes, 1},
                 long_one = {CKA_VALUE_LEN, &length, sizeof(length)};
    ck_assert_rv(p11->C_DeriveKey(session, &mechanism, key, &token, 1, &derived),
                 CKR_TOKEN_WRITE_PROTECTED);
    ck_assert_rv(p11->C_DeriveKey(session, &mechanism, key, &sensitive, 1, &derived),
                 CKR_TEMPLATE_INCONSISTENT);
    ck_assert_rv(p11->C_DeriveKey(session, &mechanism, key, &long_one, 1, &derived),
                 CKR_KEY_SIZE_RANGE);
    point[40] ^= 1; /* not on the curve */
    ck_assert_rv(p11->C_DeriveKey(session, &mechanism, key, NULL, 0, &derived),
                 CKR_MECHANISM_PARAM_INVALID);
    params.kdf = CKD_SHA1_KDF;
    ck_assert_rv(p11->C_DeriveKey(session, &mechanism, key, NULL, 0, &derived),
                 CKR_MECHANISM_PARAM_INVALID);
    key = find_one(session, CKO_PRIVATE_KEY, "rsa");
    ck_assert_rv(p11->C_DeriveKey(session, &mechanism, key, NULL, 0, &derived),
                 CKR_KEY_TYPE_INCONSISTENT);
}
END_TEST

Suite *
operations_suite(void)
{
    Suite *suite = suite_create("operations");
    TCase *tests = tcase_create("operations");
    tcase_set_timeout(tests, 30);
    tcase_add_loop_test(tests, every_mechanism_signs, 0, ROWS);
    tcase_add_loop_test(tests, hashing_mechanisms_take_parts, 0, ROWS);
    tcase_add_test(tests, purposes_are_told_from_the_message_whenever_there_is_one);
    tcase_add_test(tests, data_that_does_not_fit_is_refused_here);
    tcase_add_test(tests, mechanisms_and_keys_must_fit);
    tcase_add_test(tests, lengths_are_told_without_asking_the_agent);
    tcase_add_loop_test(tests, both_paddings_decrypt, 0, 2);
    tcase_add_loop_test(tests, a_derived_secret_can_be_read_and_destroyed, 0, 3);
    tcase_add_test(tests, a_derivation_minds_its_arguments);
    suite_add_tcase(suite, tests);
    return suite;
}
