/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Fuzz target of CMP: what a job may sign of it, and what is read of an answer. */

#include <openssl/cmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/enroll/grant.h"
#include "agent/enroller/answer.h"
#include "agent/enroller/cmp-genp.h"
#include "agent/enroller/cmp-words.h"
#include "tests/fuzz/fuzz.h"

/* The key of the corpus; nobody has its private half. */
static const guint8 spki[] = {
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a,
    0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04, 0xf6, 0xd0, 0x5d, 0x59, 0x1f,
    0xa0, 0x16, 0x22, 0xa5, 0xbc, 0x9d, 0x69, 0xb6, 0x37, 0xc4, 0x9e, 0xca, 0x01, 0x0b, 0x63, 0x2d,
    0x83, 0xf3, 0x63, 0xfd, 0x28, 0x85, 0x5b, 0x63, 0x20, 0x7f, 0x3e, 0x18, 0x43, 0xad, 0xe0, 0xaf,
    0xe7, 0xcd, 0xb8, 0xc2, 0xce, 0xd1, 0xd8, 0xa2, 0x7b, 0x92, 0xf8, 0x5c, 0xb2, 0x33, 0x0c, 0x72,
    0x17, 0x0e, 0xd1, 0x1e, 0x59, 0xc3, 0x76, 0x16, 0x60, 0x5a, 0x1c};

static void
require(gboolean holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "does not hold: %s\n", what);
    abort();
}

/* What is allowed cannot do without the new key. */
static void
check_grants(GBytes *message)
{
    static const char *const dns[] = {"host.example", NULL};
    static const char *const none[] = {NULL};
    gsize size = 0;
    const guint8 *data = g_bytes_get_data(message, &size);
    g_autoptr(GBytes) key = g_bytes_new_static(spki, sizeof(spki));
    const SignetJobRequest request = {.identity = "fuzz",
                                      .subject = "CN=host,O=Example",
                                      .dns = dns,
                                      .ip = none,
                                      .uri = none,
                                      .email = none,
                                      .purposes = SIGNET_PURPOSE_TLS_CLIENT,
                                      .spki = key};
    g_autoptr(GError) error = NULL;
    gboolean is_allowed = signet_grant_allows_cert_request(&request, message, &error);

    require(is_allowed == (error == NULL), "allowed, or a reason");
    require(!is_allowed || memmem(data, size, spki + 2, sizeof(spki) - 2), "the new key is in it");
    g_clear_error(&error);
    is_allowed = signet_grant_allows_pki_message(&request, message, &error);
    require(is_allowed == (error == NULL), "allowed, or a reason");
    require(ERR_peek_error() == 0, "nothing left in the error queue");
}

static void
check_answer(const guint8 *data, gsize size)
{
    g_autofree char *words = signet_cmp_words_of_error(data, size);
    g_autoptr(BIO) bio = BIO_new_mem_buf(data, (int)size);
    OSSL_CMP_MSG *message = size > 0 ? d2i_OSSL_CMP_MSG_bio(bio, NULL) : NULL;

    require(!words || g_utf8_validate(words, -1, NULL), "words for people");
    require(!words || strlen(words) < 4096, "not too many of them");
    OSSL_CMP_MSG_free(message);
    ERR_clear_error();
}

/* A root that nobody's message can prove: its key is made here and thrown away. */
static void
check_general(const guint8 *data, gsize size)
{
    static X509 *known;
    const struct signet_bytes message = {data, size};
    struct signet_bytes value;

    if (!known) {
        g_autoptr(EVP_PKEY) key = EVP_EC_gen("P-256");

        known = X509_new();
        X509_set_pubkey(known, key);
        X509_sign(known, key, EVP_sha256());
    }
    if (signet_cmp_genp_find(message, SIGNET_CMP_CA_CERTS, &value)) {
        g_autoptr(SignetX509Stack) found = signet_cmp_genp_read_certificates(value);

        require(value.data >= data && value.data + value.size <= data + size, "it is in there");
        require(sk_X509_num(found) <= SIGNET_ANSWER_CERTIFICATES_MAX, "no more than that");
    }
    if (signet_cmp_genp_find(message, SIGNET_CMP_ROOT_KEY_UPDATE, &value))
        require(!signet_cmp_genp_prove_root(value, known, 1800000000), "nothing is proven");
    require(ERR_peek_error() == 0, "nothing left in the error queue");
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autoptr(GBytes) message = g_bytes_new(data, size);

    check_grants(message);
    check_answer(data, size);
    check_general(data, size);
    return 0;
}
