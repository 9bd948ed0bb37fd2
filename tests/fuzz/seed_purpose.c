/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Writes the seed corpus of fuzz_purpose into the directory named: what OpenSSL signs in handshakes
 * of several kinds, and in a certificate and a request for one. */

#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/unit/broker/handshake.h"

static const struct {
    const char *name;
    HandshakeSpec spec;
} handshakes[] = {
    {"tls13", {TLS1_3_VERSION, FALSE, NULL, NULL}},
    {"tls12-x25519", {TLS1_2_VERSION, FALSE, "X25519:P-256", NULL}},
    {"tls12-p256", {TLS1_2_VERSION, FALSE, "P-256", NULL}},
    {"tls12-dhe", {TLS1_2_VERSION, TRUE, NULL, "DHE"}},
};

static void
save(const char *directory, const char *name, const char *suffix, const void *data, gsize size)
{
    g_autofree char *file_name = g_strconcat(name, suffix, NULL);
    g_autofree char *path = g_build_filename(directory, file_name, NULL);
    g_autoptr(GError) error = NULL;

    if (!g_file_set_contents(path, data, (gssize)size, &error))
        g_error("%s", error->message);
}

static void
save_documents(const char *directory)
{
    EVP_PKEY *key = handshake_make_key(FALSE);
    X509 *certificate = X509_new();
    X509_REQ *request = X509_REQ_new();
    unsigned char *der = NULL;
    int size;

    X509_set_version(certificate, X509_VERSION_3);
    X509_gmtime_adj(X509_getm_notBefore(certificate), 0);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 60);
    X509_set_pubkey(certificate, key);
    X509_sign(certificate, key, EVP_sha256());
    size = i2d_re_X509_tbs(certificate, &der);
    save(directory, "certificate", "", der, (gsize)size);
    OPENSSL_free(der);
    der = NULL;
    X509_REQ_set_pubkey(request, key);
    size = i2d_re_X509_REQ_tbs(request, &der);
    save(directory, "csr", "", der, (gsize)size);
    OPENSSL_free(der);
    X509_REQ_free(request);
    X509_free(certificate);
    EVP_PKEY_free(key);
}

int
main(int argc, char **argv)
{
    static const char ssh[] =
        "\0\0\0\x14session-of-20-bytes.\x32\0\0\0\4root\0\0\0\x0essh-connection"
        "\0\0\0\x09publickey\x01\0\0\0\7ssh-rsa\0\0\0\3key";

    if (argc != 2) {
        fprintf(stderr, "usage: seed-purpose DIRECTORY\n");
        return 2;
    }
    for (gsize i = 0; i < G_N_ELEMENTS(handshakes); i++) {
        HandshakeCapture capture = handshake_capture(&handshakes[i].spec);
        gsize size;
        const void *data = g_bytes_get_data(capture.client, &size);

        save(argv[1], handshakes[i].name, "-client", data, size);
        data = g_bytes_get_data(capture.server, &size);
        save(argv[1], handshakes[i].name, "-server", data, size);
        handshake_capture_clear(&capture);
    }
    save_documents(argv[1]);
    save(argv[1], "ssh", "", ssh, sizeof ssh - 1);
    return EXIT_SUCCESS;
}
