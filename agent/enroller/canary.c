/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Protocol 'canary': does a peer accept the new certificate? */

#include "agent/enroller/canary.h"

#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "agent/base/error.h"
#include "policy/canary.h"

#define CONNECT_S  20
#define LISTEN_S   3 /* an alert of TLS 1.3 comes after the handshake */
#define ANSWER_S   20
#define STATUS_LEN 12 /* "HTTP/1.1 200" */

G_DEFINE_AUTOPTR_CLEANUP_FUNC(SSL_CTX, SSL_CTX_free)

typedef struct {
    SignetCanary peer;
    gboolean is_asked; /* the peer wanted a certificate */
} Trial;

static int
on_asked(SSL *ssl, void *data)
{
    Trial *trial = data;

    trial->is_asked = TRUE;
    return 1;
}

static SSL_CTX *
new_context(const SignetProtocolContext *context, Trial *trial, SignetEnrollerOutcome *outcome,
            GError **error)
{
    g_autoptr(EVP_PKEY) key = NULL;
    g_autoptr(SignetX509Stack) chain = NULL;
    g_autoptr(SSL_CTX) tls = NULL;
    unsigned char *der = NULL;
    int size;

    if (!signet_crypto_load_identity(context->crypto, context->job->identity,
                                     context->job->new_generation, &key, &chain, error))
        return NULL;
    tls = SSL_CTX_new_ex(signet_crypto_get_library(context->crypto), NULL, TLS_client_method());
    if (!tls || sk_X509_num(chain) < 1 ||
        SSL_CTX_use_cert_and_key(tls, sk_X509_value(chain, 0), key, NULL, 1) != 1) {
        signet_crypto_fail(error, "the new certificate cannot be used for TLS");
        return NULL;
    }
    for (int i = 1; i < sk_X509_num(chain); i++)
        (void)SSL_CTX_add1_chain_cert(tls, sk_X509_value(chain, i));
    SSL_CTX_set_verify(tls, SSL_VERIFY_NONE, NULL);
    SSL_CTX_set_cert_cb(tls, on_asked, trial);
    size = i2d_X509(sk_X509_value(chain, 0), &der);
    if (size > 0)
        g_byte_array_append(outcome->chain, der, (guint)size);
    OPENSSL_free(der);
    return g_steal_pointer(&tls);
}

static gboolean
fail(const Trial *trial, GError **error, SignetErrorKind kind, const char *what)
{
    return signet_error_set(error, kind, "canary '%s:%s' %s", trial->peer.host, trial->peer.port,
                            what);
}

/* What libcrypto queued last; a fatal alert of the peer has a number of its own. */
static gboolean
judge_error(const Trial *trial, const char *doing, GError **error)
{
    unsigned long code = ERR_peek_last_error();
    gboolean is_alert = ERR_GET_LIB(code) == ERR_LIB_SSL &&
                        ERR_GET_REASON(code) > SSL_AD_REASON_OFFSET &&
                        ERR_GET_REASON(code) < SSL_AD_REASON_OFFSET + 256;
    const char *reason = ERR_reason_error_string(code);
    g_autofree char *what =
        g_strdup_printf(is_alert ? "does not accept the new certificate%s: %s" : "%s: %s",
                        is_alert ? "" : doing, reason ? reason : "the connection was closed");

    ERR_clear_error();
    return fail(trial, error,
                is_alert && trial->is_asked ? SIGNET_ERROR_CA_REFUSED : SIGNET_ERROR_CA_UNREACHABLE,
                what);
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
listen_for_alert(Trial *trial, SSL *ssl, GError **error)
{
    char byte;

    set_patience(ssl, LISTEN_S);
    if (SSL_read(ssl, &byte, 1) > 0)
        return TRUE;
    if (SSL_get_error(ssl, -1) == SSL_ERROR_SSL)
        return judge_error(trial, "broke the connection off", error);
    ERR_clear_error();
    return TRUE;
}

static gboolean
judge_status(const Trial *trial, const char *line, GError **error)
{
    int status = strncmp(line, "HTTP/1.", 7) == 0 ? atoi(line + strlen("HTTP/1.1 ")) : 0;
    g_autofree char *what = g_strdup_printf("answers with HTTP status %d", status);

    if (status == 400 || status == 401 || status == 403)
        return fail(trial, error, SIGNET_ERROR_CA_REFUSED, what);
    if (status < 200 || status >= 500)
        return fail(trial, error, SIGNET_ERROR_CA_UNREACHABLE,
                    status ? what : "does not answer in HTTP/1");
    return TRUE;
}

static gboolean
ask(Trial *trial, SSL *ssl, GError **error)
{
    g_autofree char *request =
        g_strdup_printf("HEAD %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: signet\r\n"
                        "Connection: close\r\n\r\n",
                        trial->peer.path, trial->peer.host);
    char line[STATUS_LEN + 1] = "";
    int have = 0;

    set_patience(ssl, ANSWER_S);
    if (SSL_write(ssl, request, (int)strlen(request)) <= 0)
        return judge_error(trial, "cannot be asked", error);
    while (have < STATUS_LEN) {
        int n = SSL_read(ssl, line + have, STATUS_LEN - have);

        if (n <= 0)
            return judge_error(trial, "does not answer", error);
        have += n;
    }
    return judge_status(trial, line, error);
}

static gboolean
shake_hands(Trial *trial, SSL *ssl, GError **error)
{
    if (SSL_set_tlsext_host_name(ssl, trial->peer.host) != 1 || SSL_connect(ssl) != 1)
        return judge_error(trial, "does not complete a TLS handshake", error);
    if (trial->peer.path ? !ask(trial, ssl, error) : !listen_for_alert(trial, ssl, error))
        return FALSE;
    (void)SSL_shutdown(ssl);
    return trial->is_asked ||
           fail(trial, error, SIGNET_ERROR_CA_UNREACHABLE,
                "does not ask for a certificate, so that it proves nothing; correct Canary=");
}

static gboolean
try(Trial *trial, SSL_CTX *tls, GError **error)
{
    BIO *bio = BIO_new(BIO_s_connect());
    SSL *ssl = SSL_new(tls);
    gboolean is_connected = bio && ssl && BIO_set_conn_hostname(bio, trial->peer.host) == 1 &&
                            BIO_set_conn_port(bio, trial->peer.port) == 1 &&
                            BIO_do_connect_retry(bio, CONNECT_S, 0) == 1;
    gboolean is_accepted = FALSE;

    if (is_connected) {
        int fd = (int)BIO_get_fd(bio, NULL);

        is_accepted = SSL_set_fd(ssl, fd) == 1 && BIO_socket_nbio(fd, 0) == 1;
        set_patience(ssl, ANSWER_S);
        is_accepted = is_accepted && shake_hands(trial, ssl, error);
    } else {
        judge_error(trial, "cannot be reached", error);
    }
    SSL_free(ssl);
    BIO_free_all(bio);
    return is_accepted;
}

gboolean
signet_canary_try(const SignetProtocolContext *context, SignetEnrollerOutcome *outcome,
                  GError **error)
{
    Trial trial = {.is_asked = FALSE};
    const char *url = context->job->remote.url;
    gboolean is_accepted = FALSE;

    if (!url || !signet_canary_parse(url, &trial.peer))
        return signet_error_set(error, SIGNET_ERROR_BAD_REQUEST,
                                "the job names no peer of a canary");
    g_autoptr(SSL_CTX) tls = new_context(context, &trial, outcome, error);
    is_accepted = tls && try(&trial, tls, error);
    signet_canary_clear(&trial.peer);
    return is_accepted;
}
