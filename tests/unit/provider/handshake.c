/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Two SSL objects, two BIO pairs, and somebody who carries the bytes. */

#include "tests/unit/provider/handshake.h"

#include <string.h>

#include "tests/unit/provider/common.h"

SSL_CTX *
handshake_context(const SSL_METHOD *method)
{
    SSL_CTX *context = SSL_CTX_new(method);
    ck_assert_ptr_nonnull(context);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    X509 *ca = load_ca();
    ck_assert_int_eq(X509_STORE_add_cert(SSL_CTX_get_cert_store(context), ca), 1);
    X509_free(ca);
    return context;
}

static SSL *
end_new(const struct handshake *handshake, SSL_CTX *context)
{
    SSL *end = SSL_new(context);
    ck_assert_int_eq(SSL_set_min_proto_version(end, handshake->version), 1);
    ck_assert_int_eq(SSL_set_max_proto_version(end, handshake->version), 1);
    if (handshake->groups != NULL)
        ck_assert_int_eq((int)SSL_set1_groups_list(end, handshake->groups), 1);
    if (handshake->ciphers != NULL)
        ck_assert_int_eq(SSL_set_cipher_list(end, handshake->ciphers), 1);
    return end;
}

static bool
goes_on(SSL *end, int result)
{
    int error = SSL_get_error(end, result);
    return result == 1 || error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE;
}

bool
handshake_run(const struct handshake *handshake)
{
    SSL *server = end_new(handshake, handshake->server);
    SSL *client = end_new(handshake, handshake->client);
    BIO *a = NULL, *b = NULL;
    ck_assert_int_eq(BIO_new_bio_pair(&a, 65536, &b, 65536), 1);
    SSL_set_bio(server, a, a);
    SSL_set_bio(client, b, b);
    SSL_set_accept_state(server);
    SSL_set_connect_state(client);
    bool ok = true;
    for (int i = 0; i < 20 && ok && !(SSL_is_init_finished(server) && SSL_is_init_finished(client));
         i++)
        ok = goes_on(client, SSL_do_handshake(client)) && goes_on(server, SSL_do_handshake(server));
    char text[8] = "";
    ok = ok && SSL_write(client, "hello", 5) == 5 && SSL_read(server, text, sizeof(text)) == 5 &&
         memcmp(text, "hello", 5) == 0;
    SSL_free(server);
    SSL_free(client);
    return ok;
}
