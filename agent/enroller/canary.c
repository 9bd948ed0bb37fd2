/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Protocol 'canary': does a peer accept the new certificate? */

#include "agent/enroller/canary.h"

#include "agent/enroller/canary-trial.h"
#include "agent/enroller/http-tls.h"

static int
on_asked(SSL *ssl, void *data)
{
    SignetTrial *trial = data;

    trial->is_asked = TRUE;
    return 1;
}

static gboolean
load(SignetTrial *trial, GError **error)
{
    const SignetJobRequest *job = trial->context->job;
    SignetCrypto *crypto = trial->context->crypto;

    if (!signet_crypto_load_identity(crypto, job->identity, job->new_generation, &trial->key,
                                     &trial->chain, error))
        return FALSE;
    trial->tls = SSL_CTX_new_ex(signet_crypto_get_library(crypto), NULL, TLS_client_method());
    if (!trial->tls || sk_X509_num(trial->chain) < 1 ||
        SSL_CTX_use_cert_and_key(trial->tls, sk_X509_value(trial->chain, 0), trial->key, NULL, 1) !=
            1)
        return signet_crypto_fail(error, "the new certificate cannot be used for TLS");
    for (int i = 1; i < sk_X509_num(trial->chain); i++)
        (void)SSL_CTX_add1_chain_cert(trial->tls, sk_X509_value(trial->chain, i));
    SSL_CTX_set_cert_cb(trial->tls, on_asked, trial);
    return TRUE;
}

/* CanaryTrust= */
static gboolean
set_trust(SignetTrial *trial, GError **error)
{
    SignetHttpTls reader = {.anchors = sk_X509_new_null()};
    GBytes *anchors = trial->context->job->remote.anchors;
    gboolean is_set = TRUE;

    SSL_CTX_set_verify(trial->tls, anchors ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, NULL);
    if (anchors)
        is_set = signet_http_tls_add_anchors(&reader, anchors, error);
    for (int i = 0; is_set && i < sk_X509_num(reader.anchors); i++)
        X509_STORE_add_cert(SSL_CTX_get_cert_store(trial->tls), sk_X509_value(reader.anchors, i));
    X509_STORE_set_flags(SSL_CTX_get_cert_store(trial->tls), X509_V_FLAG_PARTIAL_CHAIN);
    signet_x509_stack_free(reader.anchors);
    return is_set;
}

static gboolean
try(SignetTrial *trial, GError **error)
{
    switch (trial->peer.kind) {
    case SIGNET_CANARY_TLS:
    case SIGNET_CANARY_HTTPS:
        return signet_trial_tls(trial, error);
    case SIGNET_CANARY_RADIUS:
        return signet_trial_radius(trial, error);
    case SIGNET_CANARY_CONNECT:
        return signet_trial_connect(trial, error);
    }
    return FALSE;
}

static void
report(const SignetTrial *trial, SignetEnrollerOutcome *outcome)
{
    unsigned char *der = NULL;
    int size = i2d_X509(sk_X509_value(trial->chain, 0), &der);

    if (size > 0)
        g_byte_array_append(outcome->chain, der, (guint)size);
    OPENSSL_free(der);
}

gboolean
signet_canary_try(const SignetProtocolContext *context, SignetEnrollerOutcome *outcome,
                  GError **error)
{
    SignetTrial trial = {.context = context};
    const char *url = context->job->remote.url;
    gboolean is_accepted = FALSE;

    if (!url || !signet_canary_parse(url, &trial.peer))
        return signet_error_set(error, SIGNET_ERROR_BAD_REQUEST,
                                "the job names no peer of a canary");
    is_accepted = load(&trial, error) && set_trust(&trial, error) && try(&trial, error);
    if (is_accepted)
        report(&trial, outcome);
    SSL_CTX_free(trial.tls);
    EVP_PKEY_free(trial.key);
    signet_x509_stack_free(trial.chain);
    signet_canary_clear(&trial.peer);
    return is_accepted;
}
