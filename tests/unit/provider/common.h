/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* What the provider's tests share: one fake agent for all, a process per test (Check forks), and in
 * each of them an openssl.cnf that lists the providers in one order or the other. */

#pragma once

#include <check.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdbool.h>

struct kind {
    const char *name; /* of the identity and of its directory */
    const char *type; /* as in Key= */
    bool is_rsa;
    int bits;
    int nid;
    const char *algorithm; /* libcrypto's name */
    const char *signature; /* of our signature algorithm, behind "SIGNET-" */
    const char *oid;       /* in references */
    const char *digest;    /* its default; NULL: signs without one */
};

/* Rows of loop tests: every kind of key, with 'default' listed first and with 'signet' listed
 * first. */
#define ORDERS 2
#define KINDS  5
#define ROWS   (ORDERS * KINDS)
extern const struct kind kinds[KINDS];
/* The first of them sign digests. */
#define DIGEST_KINDS 4
#define DIGEST_ROWS  (ORDERS * DIGEST_KINDS)

/* Call it before anything of libcrypto in a test. Returns the row's kind of key. */
const struct kind *begin_row(int row);
const struct kind *begin_digest_row(int row);
/* Configures this process by hand: more lines for signet's section; the socket's path, NULL: the
 * fake agent's. */
void begin_with(const char *first, const char *socket, const char *more);

/* A file of the identity; valid until the fourth call after. */
const char *live(const struct kind *kind, unsigned generation, const char *file);
const char *scratch(const char *file);
const char *fake_agent_socket(void);
const char *provider_path(void);

EVP_PKEY *load_key(const struct kind *kind, unsigned generation);
X509 *load_cert(const struct kind *kind, unsigned generation);
X509 *load_ca(void);
EVP_PKEY *load_pem_key(const char *path);
/* The whole file; *ret_size set. Free with free(). */
unsigned char *read_file(const char *path, size_t *ret_size);
/* A key of this process, of the same kind, that the provider has nothing to do with. */
EVP_PKEY *generate_like(const struct kind *kind);

/* Lines of the fake agent's log that begin so. */
unsigned count_requests(const char *prefix);

/* The digest, or NULL for a key that signs without one. */
const EVP_MD *digest_for(const struct kind *kind, const EVP_MD *md);
/* Signs and verifies with software under the certificate of that generation. */
void assert_signs(EVP_PKEY *key, const struct kind *kind, unsigned generation);
void assert_no_errors(void);

Suite *rules_suite(void);
Suite *keys_suite(void);
Suite *operations_suite(void);
Suite *tls_suite(void);
Suite *bystanders_suite(void);
Suite *processes_suite(void);
Suite *generations_suite(void);
