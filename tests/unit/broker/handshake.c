/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* What OpenSSL itself signs in a handshake: rebuilt from the messages that a client saw, and proved
 * by the signatures it saw. */

#include "tests/unit/broker/handshake.h"

#include <openssl/dh.h>
#include <openssl/rsa.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <string.h>

#define MESSAGE_SERVER_KEY_EXCHANGE 12
#define MESSAGE_CERTIFICATE_VERIFY  15

typedef struct {
    GByteArray *transcript; /* handshake messages so far, headers included */
    GBytes *client_signed;
    GBytes *client_message; /* its CertificateVerify */
    GBytes *server_signed;
    GBytes *server_message; /* CertificateVerify or ServerKeyExchange */
    int version;
} Recorder;

EVP_PKEY *
handshake_make_key(gboolean is_rsa)
{
    return is_rsa ? EVP_RSA_gen(2048) : EVP_EC_gen("P-256");
}

static X509 *
make_certificate(EVP_PKEY *key)
{
    X509 *certificate = X509_new();
    X509_NAME *name = X509_get_subject_name(certificate);

    X509_set_version(certificate, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate), -60);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const guint8 *)"test", -1, -1, 0);
    X509_set_issuer_name(certificate, name);
    X509_set_pubkey(certificate, key);
    g_assert_cmpint(X509_sign(certificate, key, EVP_sha256()), >, 0);
    return certificate;
}

static GBytes *
transcript_hash_input(const Recorder *recorder, SSL *ssl, gboolean of_server)
{
    guint8 hash[EVP_MAX_MD_SIZE];
    unsigned size;
    const EVP_MD *md = SSL_CIPHER_get_handshake_digest(SSL_get_current_cipher(ssl));
    GByteArray *input = g_byte_array_new();
    const char *context =
        of_server ? "TLS 1.3, server CertificateVerify" : "TLS 1.3, client CertificateVerify";

    g_assert_true(
        EVP_Digest(recorder->transcript->data, recorder->transcript->len, hash, &size, md, NULL));
    for (int i = 0; i < 64; i++)
        g_byte_array_append(input, (const guint8 *)" ", 1);
    g_byte_array_append(input, (const guint8 *)context, (guint)strlen(context) + 1);
    g_byte_array_append(input, hash, size);
    return g_byte_array_free_to_bytes(input);
}

/* The bytes of the ServerKeyExchange before its signature: RFC 8422 5.4, RFC 5246 7.4.3. */
static gsize
params_size(const guint8 *body, gboolean is_ecdh)
{
    gsize offset = 0;

    if (is_ecdh)
        return 4 + (gsize)body[3];
    for (int i = 0; i < 3; i++)
        offset += 2 + ((gsize)body[offset] << 8 | body[offset + 1]);
    return offset;
}

static GBytes *
key_exchange_input(SSL *ssl, const guint8 *body)
{
    guint8 randoms[64];
    gboolean is_ecdh = SSL_CIPHER_get_kx_nid(SSL_get_pending_cipher(ssl)) == NID_kx_ecdhe;
    GByteArray *input = g_byte_array_new();

    SSL_get_client_random(ssl, randoms, 32);
    SSL_get_server_random(ssl, randoms + 32, 32);
    g_byte_array_append(input, randoms, sizeof randoms);
    g_byte_array_append(input, body, (guint)params_size(body, is_ecdh));
    return g_byte_array_free_to_bytes(input);
}

/* Called for each handshake message that the client sends or gets, in order. */
static void
on_message(int is_write, int version, int content_type, const void *data, size_t size, SSL *ssl,
           void *arg)
{
    Recorder *recorder = arg;
    const guint8 *message = data;

    if (content_type != SSL3_RT_HANDSHAKE)
        return;
    if (message[0] == MESSAGE_CERTIFICATE_VERIFY && recorder->version == TLS1_2_VERSION) {
        recorder->client_signed =
            g_bytes_new(recorder->transcript->data, recorder->transcript->len);
        recorder->client_message = g_bytes_new(message + 4, size - 4);
    } else if (message[0] == MESSAGE_CERTIFICATE_VERIFY) {
        GBytes *input = transcript_hash_input(recorder, ssl, !is_write);

        *(is_write ? &recorder->client_signed : &recorder->server_signed) = input;
        *(is_write ? &recorder->client_message : &recorder->server_message) =
            g_bytes_new(message + 4, size - 4);
    } else if (message[0] == MESSAGE_SERVER_KEY_EXCHANGE) {
        gsize params;

        recorder->server_signed = key_exchange_input(ssl, message + 4);
        params = g_bytes_get_size(recorder->server_signed) - 64;
        recorder->server_message = g_bytes_new(message + 4 + params, size - 4 - params);
    }
    g_byte_array_append(recorder->transcript, message, (guint)size);
}

static SSL_CTX *
make_context(const HandshakeSpec *spec, const SSL_METHOD *method, EVP_PKEY *key, X509 *certificate)
{
    SSL_CTX *ctx = SSL_CTX_new(method);

    SSL_CTX_set_min_proto_version(ctx, spec->version);
    SSL_CTX_set_max_proto_version(ctx, spec->version);
    SSL_CTX_set_dh_auto(ctx, 1);
    if (spec->groups)
        g_assert_true(SSL_CTX_set1_groups_list(ctx, spec->groups));
    if (spec->ciphers)
        g_assert_true(SSL_CTX_set_cipher_list(ctx, spec->ciphers));
    g_assert_true(SSL_CTX_use_certificate(ctx, certificate));
    g_assert_true(SSL_CTX_use_PrivateKey(ctx, key));
    X509_STORE_add_cert(SSL_CTX_get_cert_store(ctx), certificate);
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    return ctx;
}

static void
shake_hands(SSL *client, SSL *server)
{
    BIO *a, *b;
    int client_rc = 0, server_rc = 0;

    g_assert_true(BIO_new_bio_pair(&a, 65536, &b, 65536));
    SSL_set_bio(client, a, a);
    SSL_set_bio(server, b, b);
    SSL_set_connect_state(client);
    SSL_set_accept_state(server);
    for (int i = 0; i < 20 && (client_rc != 1 || server_rc != 1); i++) {
        client_rc = SSL_do_handshake(client);
        server_rc = SSL_do_handshake(server);
    }
    g_assert_cmpint(client_rc, ==, 1);
    g_assert_cmpint(server_rc, ==, 1);
}

/* message: SignatureScheme, length, signature: RFC 8446 4.2.3 */
static void
prove(EVP_PKEY *key, GBytes *input, GBytes *message)
{
    const guint8 *m = g_bytes_get_data(message, NULL);
    gboolean is_pss = m[0] == 8;
    guint8 hash = is_pss ? m[1] : m[0]; /* both count sha256, sha384, sha512 as 4, 5, 6 */
    const EVP_MD *md = hash == 4 ? EVP_sha256() : hash == 5 ? EVP_sha384() : EVP_sha512();
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    EVP_PKEY_CTX *pkey_ctx;

    g_assert_true(EVP_DigestVerifyInit(ctx, &pkey_ctx, md, NULL, key));
    if (is_pss) {
        EVP_PKEY_CTX_set_rsa_padding(pkey_ctx, RSA_PKCS1_PSS_PADDING);
        EVP_PKEY_CTX_set_rsa_pss_saltlen(pkey_ctx, RSA_PSS_SALTLEN_DIGEST);
    }
    g_assert_cmpint(EVP_DigestVerify(ctx, m + 4, (gsize)m[2] << 8 | m[3],
                                     g_bytes_get_data(input, NULL), g_bytes_get_size(input)),
                    ==, 1);
    EVP_MD_CTX_free(ctx);
}

HandshakeCapture
handshake_capture(const HandshakeSpec *spec)
{
    EVP_PKEY *key = handshake_make_key(spec->is_rsa);
    X509 *certificate = make_certificate(key);
    SSL_CTX *client_ctx = make_context(spec, TLS_client_method(), key, certificate);
    SSL_CTX *server_ctx = make_context(spec, TLS_server_method(), key, certificate);
    SSL *client = SSL_new(client_ctx), *server = SSL_new(server_ctx);
    Recorder recorder = {.transcript = g_byte_array_new(), .version = spec->version};

    SSL_set_msg_callback(client, on_message);
    SSL_set_msg_callback_arg(client, &recorder);
    shake_hands(client, server);
    prove(key, recorder.client_signed, recorder.client_message);
    prove(key, recorder.server_signed, recorder.server_message);

    g_bytes_unref(recorder.client_message);
    g_bytes_unref(recorder.server_message);
    g_byte_array_unref(recorder.transcript);
    SSL_free(client);
    SSL_free(server);
    SSL_CTX_free(client_ctx);
    SSL_CTX_free(server_ctx);
    X509_free(certificate);
    EVP_PKEY_free(key);
    return (HandshakeCapture) {recorder.client_signed, recorder.server_signed};
}

void
handshake_capture_clear(HandshakeCapture *capture)
{
    g_bytes_unref(capture->client);
    g_bytes_unref(capture->server);
}
