/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Fuzz target of SCEP: what a job may sign, and what a CA answers. */

#include <stdlib.h>

#include "agent/enroll/grant-scep.h"
#include "agent/enroller/scep-message.h"
#include "tests/fuzz/fuzz.h"

/* Made once: no answer fits it, but every envelope is tried with it. */
static EVP_PKEY *key;
static X509 *certificate;

static void
make_key(void)
{
    if (key)
        return;
    key = EVP_RSA_gen(1024);
    certificate = X509_new();
    if (!key || !certificate || !X509_set_version(certificate, X509_VERSION_3) ||
        !X509_set_pubkey(certificate, key) ||
        !X509_gmtime_adj(X509_getm_notBefore(certificate), 0) ||
        !X509_gmtime_adj(X509_getm_notAfter(certificate), 86400) ||
        X509_sign(certificate, key, EVP_sha256()) <= 0)
        abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const guint8 nonce[SIGNET_SCEP_NONCE_SIZE];
    g_autoptr(GBytes) bytes = g_bytes_new_static(data, size);
    g_autoptr(SignetX509Stack) certificates = sk_X509_new_null();
    g_auto(SignetScepReply) reply = {0};

    make_key();
    const SignetScepSeal seal = {
        .transaction = "0", .nonce = nonce, .signer = certificate, .key = key};
    X509_up_ref(certificate);
    sk_X509_push(certificates, certificate);
    signet_grant_is_scep_attributes(data, size, NULL);
    signet_scep_reply_read(NULL, bytes, certificates, &seal, &reply, NULL);
    g_autoptr(SignetX509Stack) next = signet_scep_next_read(NULL, bytes, certificates, NULL);
    if (next)
        abort(); /* nobody has the key */
    g_autoptr(GBytes) inside G_GNUC_UNUSED = signet_scep_reply_open(NULL, bytes, &seal, TRUE, NULL);
    ERR_clear_error();
    return 0;
}
