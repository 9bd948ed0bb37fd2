/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* The words of the private socket's protocol, as data. PROTOCOL.md says what they mean; numbers
 * never change once released. libc only: linked by applications and by the agent. */

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SIGNET_WIRE_VERSION 1u

/* operations: X(SYMBOL, number, "name") */
#define SIGNET_WIRE_OPS(X)             \
    X(HELLO, 1, "hello")               \
    X(LIST, 2, "list")                 \
    X(LOOKUP, 3, "lookup")             \
    X(SIGN_MESSAGE, 4, "sign-message") \
    X(SIGN_DIGEST, 5, "sign-digest")   \
    X(DECRYPT, 6, "decrypt")           \
    X(DERIVE, 7, "derive")             \
    X(FACTORY, 8, "factory")           \
    X(ADOPT, 9, "adopt")               \
    X(JOB, 10, "job")                  \
    X(RESULT, 11, "result")            \
    X(WATCH, 12, "watch")              \
    X(CERTIFY, 13, "certify")

/* statuses of a reply: X(SYMBOL, number, "name"). With every status but OK the reply's body is one
 * text for people. */
#define SIGNET_WIRE_STATUSES(X)         \
    X(OK, 0, "ok")                      \
    X(BAD_REQUEST, 1, "bad request")    \
    X(NOT_FOUND, 2, "not found")        \
    X(DENIED, 3, "denied")              \
    X(TOKEN_ABSENT, 4, "token absent")  \
    X(PIN_NEEDED, 5, "PIN needed")      \
    X(BUSY, 6, "busy")                  \
    X(TIMED_OUT, 7, "timed out")        \
    X(UNSUPPORTED, 8, "unsupported")    \
    X(CORRUPT, 9, "corrupt")            \
    X(TOKEN_FAILED, 10, "token failed") \
    X(INTERNAL, 11, "internal error")

/* families of keys: X(SYMBOL, number, "OpenSSL name"); the number is the last arc of the OID in a
 * reference to such a key */
#define SIGNET_FAMILIES(X) \
    X(EC, 1, "EC")         \
    X(RSA, 2, "RSA")       \
    X(ED25519, 3, "ED25519")
#define SIGNET_FAMILY_MAX 3

/* key types: X(SYMBOL, number, "name as in Key=", family, bits, longest signature in bytes (DER for
 * EC)) */
#define SIGNET_KEY_TYPES(X)                     \
    X(EC_P256, 1, "ec:P-256", EC, 256, 72)      \
    X(EC_P384, 2, "ec:P-384", EC, 384, 104)     \
    X(EC_P521, 3, "ec:P-521", EC, 521, 139)     \
    X(ED25519, 8, "ed25519", ED25519, 256, 64)  \
    X(RSA_2048, 16, "rsa:2048", RSA, 2048, 256) \
    X(RSA_3072, 17, "rsa:3072", RSA, 3072, 384) \
    X(RSA_4096, 18, "rsa:4096", RSA, 4096, 512)

/* digests: X(SYMBOL, number, "OpenSSL name", bytes) */
#define SIGNET_HASHES(X)         \
    X(NONE, 0, "NONE", 0)        \
    X(SHA1, 1, "SHA1", 20)       \
    X(SHA224, 2, "SHA2-224", 28) \
    X(SHA256, 3, "SHA2-256", 32) \
    X(SHA384, 4, "SHA2-384", 48) \
    X(SHA512, 5, "SHA2-512", 64)

/* paddings and schemes: X(SYMBOL, number, "name", family of the keys it is for) */
#define SIGNET_SCHEMES(X)                                                                       \
    X(ECDSA, 1, "ecdsa", EC) /* FIPS 186-5; signature is DER ECDSA-Sig-Value, RFC 3279 2.2.3 */ \
    X(RSA_PKCS1, 2, "rsa-pkcs1", RSA) /* RFC 8017 8.2 (signature), 7.2 (decryption) */          \
    X(RSA_PSS, 3, "rsa-pss", RSA)     /* RFC 8017 8.1 */                                        \
    X(RSA_OAEP, 4, "rsa-oaep", RSA)   /* RFC 8017 7.1 */                                        \
    X(ECDH, 5, "ecdh", EC)            /* SP 800-56A 5.7.1.2; result is the x coordinate */      \
    X(EDDSA, 6, "eddsa", ED25519)     /* Ed25519 of RFC 8032: no digest, no context */

enum signet_wire_op {
#define X(symbol, number, name) SIGNET_WIRE_OP_##symbol = number,
    SIGNET_WIRE_OPS(X)
#undef X
};

enum signet_wire_status {
#define X(symbol, number, name) SIGNET_WIRE_STATUS_##symbol = number,
    SIGNET_WIRE_STATUSES(X)
#undef X
};

enum signet_family {
#define X(symbol, number, name) SIGNET_FAMILY_##symbol = number,
    SIGNET_FAMILIES(X)
#undef X
};

enum signet_key_type {
#define X(symbol, number, name, family, bits, sig_max) SIGNET_KEY_##symbol = number,
    SIGNET_KEY_TYPES(X)
#undef X
};

enum signet_hash {
#define X(symbol, number, name, bytes) SIGNET_HASH_##symbol = number,
    SIGNET_HASHES(X)
#undef X
};

enum signet_scheme {
#define X(symbol, number, name, family) SIGNET_SCHEME_##symbol = number,
    SIGNET_SCHEMES(X)
#undef X
};

/* Names for logs and messages; "unknown" for a number that is not in the table. Never NULL. */
const char *signet_wire_op_name(uint32_t op);
const char *signet_wire_status_name(uint32_t status);
const char *signet_family_name(uint32_t family);
const char *signet_key_type_name(uint32_t type);
const char *signet_scheme_name(uint32_t scheme);
const char *signet_hash_name(uint32_t hash);

/* 0 when the name or number is unknown. */
uint32_t signet_key_type_from_name(const char *name);
unsigned signet_key_type_bits(uint32_t type);
size_t signet_key_type_signature_max(uint32_t type);
uint32_t signet_key_type_family(uint32_t type);
bool signet_key_type_is_rsa(uint32_t type);
bool signet_key_type_is_ec(uint32_t type);
uint32_t signet_scheme_family(uint32_t scheme);
size_t signet_hash_size(uint32_t hash);
/* The digest with so many bytes; SIGNET_HASH_NONE when none has. */
uint32_t signet_hash_from_size(size_t size);
/* "SHA256", "SHA2-256", "sha256" → SIGNET_HASH_SHA256; SIGNET_HASH_NONE when unknown. */
uint32_t signet_hash_from_name(const char *name);
