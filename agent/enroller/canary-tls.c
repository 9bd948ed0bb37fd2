/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* A canary that speaks TLS, perhaps with HTTP inside; and one that is only connected to. */

#include "agent/enroller/canary-trial.h"

#include <arpa/inet.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#define CONNECT_S  10
#define LISTEN_S   3 /* an alert of TLS 1.3 comes after the handshake */
#define ANSWER_S   20
#define STATUS_LEN 12 /* "HTTP/1.1 200" */

static gboolean
judge(const SignetTrial *trial, const char *doing, GError **error)
{
    return signet_trial_judge(trial, ERR_peek_last_error(), doing, error);
}

static void
set_patience(SSL *ssl, int seconds)
{
    const struct timeval patience = {.tv_sec = seconds};

    (void)setsockopt(SSL_get_fd(ssl), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    (void)setsockopt(SSL_get_fd(ssl), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
}

/* Silence, data and an orderly end are all fine; an alert is not. */
static gboolean
listen_for_alert(SignetTrial *trial, SSL *ssl, GError **error)
{
    char byte;

    set_patience(ssl, LISTEN_S);
    if (SSL_read(ssl, &byte, 1) > 0)
        return TRUE;
    if (SSL_get_error(ssl, -1) == SSL_ERROR_SSL)
        return judge(trial, "broke the connection off", error);
    ERR_clear_error();
    return TRUE;
}

static gboolean
judge_status(const SignetTrial *trial, const char *line, GError **error)
{
    int status = strncmp(line, "HTTP/1.", 7) == 0 ? atoi(line + strlen("HTTP/1.1 ")) : 0;
    g_autofree char *what = g_strdup_printf("answers with HTTP status %d", status);

    if (status == 400 || status == 401 || status == 403)
        return signet_trial_fail(trial, error, SIGNET_ERROR_CA_REFUSED, what);
    if (status < 200 || status >= 500)
        return signet_trial_fail(trial, error, SIGNET_ERROR_CA_UNREACHABLE,
                                 status ? what : "does not answer in HTTP/1");
    return TRUE;
}

static gboolean
ask(SignetTrial *trial, SSL *ssl, GError **error)
{
    g_autofree char *request =
        g_strdup_printf("HEAD %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: signet\r\n"
                        "Connection: close\r\n\r\n",
                        trial->peer.path, trial->peer.host);
    char line[STATUS_LEN + 1] = "";
    int have = 0;

    set_patience(ssl, ANSWER_S);
    if (SSL_write(ssl, request, (int)strlen(request)) <= 0)
        return judge(trial, "cannot be asked", error);
    while (have < STATUS_LEN) {
        int n = SSL_read(ssl, line + have, STATUS_LEN - have);

        if (n <= 0)
            return judge(trial, "does not answer", error);
        have += n;
    }
    return judge_status(trial, line, error);
}

/* Whom we speak to; with CanaryTrust= it has to prove it. */
static gboolean
set_name(const SignetTrial *trial, SSL *ssl)
{
    X509_VERIFY_PARAM *wanted = SSL_get0_param(ssl);
    guint8 address[sizeof(struct in6_addr)];
    const char *host = trial->peer.host;

    if (inet_pton(AF_INET, host, address) == 1 || inet_pton(AF_INET6, host, address) == 1)
        return X509_VERIFY_PARAM_set1_ip_asc(wanted, host) == 1;
    return SSL_set_tlsext_host_name(ssl, host) == 1 && SSL_set1_host(ssl, host) == 1;
}

static gboolean
shake_hands(SignetTrial *trial, SSL *ssl, GError **error)
{
    if (!set_name(trial, ssl) || SSL_connect(ssl) != 1)
        return judge(trial, "does not complete a TLS handshake", error);
    if (trial->peer.path ? !ask(trial, ssl, error) : !listen_for_alert(trial, ssl, error))
        return FALSE;
    (void)SSL_shutdown(ssl);
    return trial->is_asked ||
           signet_trial_fail(
               trial, error, SIGNET_ERROR_CA_UNREACHABLE,
               "does not ask for a certificate, so that it proves nothing; correct Canary=");
}

/* (owned) Connected, blocking; NULL: why not. */
static BIO *
connect_to(const SignetTrial *trial, GError **error)
{
    BIO *bio = BIO_new(BIO_s_connect());

    if (bio && BIO_set_conn_hostname(bio, trial->peer.host) == 1 &&
        BIO_set_conn_port(bio, trial->peer.port) == 1 &&
        BIO_do_connect_retry(bio, CONNECT_S, 0) == 1 &&
        BIO_socket_nbio((int)BIO_get_fd(bio, NULL), 0) == 1)
        return bio;
    judge(trial, "cannot be reached", error);
    BIO_free_all(bio);
    return NULL;
}

gboolean
signet_trial_tls(SignetTrial *trial, GError **error)
{
    BIO *bio = connect_to(trial, error);
    SSL *ssl = bio ? SSL_new(trial->tls) : NULL;
    gboolean is_accepted = FALSE;

    if (ssl && SSL_set_fd(ssl, (int)BIO_get_fd(bio, NULL)) == 1) {
        set_patience(ssl, ANSWER_S);
        is_accepted = shake_hands(trial, ssl, error);
    } else if (bio) {
        judge(trial, "cannot be spoken to", error);
    }
    SSL_free(ssl);
    BIO_free_all(bio);
    return is_accepted;
}

/* --- without TLS --- */

/* What a client of TLS 1.3 signs (RFC 8446 4.4.3), with random bytes for the transcript's digest.
 */
static gboolean
make_message(const SignetTrial *trial, GByteArray *message)
{
    static const char context[] = "TLS 1.3, client CertificateVerify";
    guint8 digest[32];

    if (RAND_bytes_ex(signet_crypto_get_library(trial->context->crypto), digest, sizeof(digest),
                      0) <= 0)
        return FALSE;
    for (guint i = 0; i < 64; i++)
        g_byte_array_append(message, (const guint8 *)" ", 1);
    g_byte_array_append(message, (const guint8 *)context, sizeof(context));
    g_byte_array_append(message, digest, sizeof(digest));
    return TRUE;
}

static gboolean
verify(const SignetTrial *trial, const EVP_MD *digest, const GByteArray *message,
       const guint8 *signature, gsize size)
{
    EVP_PKEY *key = X509_get0_pubkey(sk_X509_value(trial->chain, 0));
    EVP_MD_CTX *verifying = EVP_MD_CTX_new();
    gboolean is_good =
        verifying &&
        EVP_DigestVerifyInit_ex(verifying, NULL, digest ? EVP_MD_get0_name(digest) : NULL,
                                signet_crypto_get_library(trial->context->crypto), NULL, key,
                                NULL) > 0 &&
        EVP_DigestVerify(verifying, signature, size, message->data, message->len) == 1;

    EVP_MD_CTX_free(verifying);
    return is_good;
}

/* As programs use it: through the provider, by the generation's number, for the certificate. */
static gboolean
try_signature(const SignetTrial *trial, GError **error)
{
    g_autoptr(GByteArray) message = g_byte_array_new();
    g_autoptr(EVP_MD_CTX) signing =
        signet_crypto_new_signing(trial->context->crypto, trial->key, error);
    guint8 signature[1024];
    gsize size = sizeof(signature);

    if (!signing)
        return FALSE;
    if (!make_message(trial, message) ||
        EVP_DigestSign(signing, signature, &size, message->data, message->len) <= 0)
        return signet_crypto_fail(error, "the new key makes no test signature");
    if (verify(trial, EVP_MD_CTX_get0_md(signing), message, signature, size))
        return TRUE;
    return signet_crypto_fail(error, "the new certificate does not fit the new key's signature");
}

gboolean
signet_trial_connect(SignetTrial *trial, GError **error)
{
    BIO *bio = try_signature(trial, error) ? connect_to(trial, error) : NULL;
    gboolean is_connected = bio != NULL;

    BIO_free_all(bio);
    return is_connected;
}
