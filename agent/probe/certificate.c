/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* The certificate that belongs to the key. */

#include "agent/probe/certificate.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <time.h>
#include <unistd.h>

#include "agent/probe/reach.h"
#include "agent/probe/say.h"

static int
no_passphrase(char *buffer, int size, int is_writing, void *data)
{
    return -1;
}

X509 *
signet_certificate_load(OSSL_LIB_CTX *library, const char *path)
{
    if (signet_reach("certificate", path, R_OK) != 0)
        return NULL;
    BIO *bio = BIO_new_file(path, "rb");
    X509 *certificate = X509_new_ex(library, NULL);
    if (bio == NULL || PEM_read_bio_X509(bio, &certificate, no_passphrase, NULL) == NULL) {
        X509_free(certificate);
        certificate = NULL;
        signet_say("certificate.error", "no certificate in '%s'", path);
    }
    ERR_clear_error();
    BIO_free(bio);
    return certificate;
}

void
signet_certificate_say(const X509 *certificate)
{
    struct tm when;
    char text[32];
    if (ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &when) &&
        strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S UTC", &when) > 0)
        signet_say("certificate.not_after", "%s", text);
    signet_say("certificate.expired", "%s",
               X509_cmp_current_time(X509_get0_notAfter(certificate)) < 0 ? "yes" : "no");
}
