/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* What is in a file that a program was given as its key? */

#include "agent/probe/reference.h"

#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/probe/say.h"
#include "provider/wire/reference.h"

#define FILE_MAX 65536

/* What PEM labels say of private keys. */
static const struct {
    const char *label, *kind;
} labels[] = {
    {"TSS2 PRIVATE KEY", "tss2"}, {"TSS2 KEY BLOB", "tss2"},
    {"EC PRIVATE KEY", "key"},    {"RSA PRIVATE KEY", "key"},
    {"DSA PRIVATE KEY", "key"},   {"OPENSSH PRIVATE KEY", "key"},
    {"PRIVATE KEY", "key"},       {"ENCRYPTED PRIVATE KEY", "encrypted"},
};

/* Only what a PKCS#8 of ours could be is asked; the rest is somebody else's. */
static const char *
classify_der(const unsigned char *der, size_t size)
{
    struct signet_reference reference;
    size_t consumed;
    switch (signet_reference_from_der(der, size, &reference, &consumed)) {
    case SIGNET_REFERENCE_OURS:
        signet_say("reference.identity", "%s", reference.identity);
        signet_say("reference.generation", "%u", reference.generation);
        return "reference";
    case SIGNET_REFERENCE_BROKEN:
        return "broken";
    case SIGNET_REFERENCE_FOREIGN:
        break;
    }
    return "key";
}

static const char *
classify_label(const char *label, const unsigned char *der, long size)
{
    if (strcmp(label, "PRIVATE KEY") == 0)
        return classify_der(der, (size_t)size);
    for (size_t i = 0; i < sizeof(labels) / sizeof(labels[0]); i++)
        if (strcmp(label, labels[i].label) == 0)
            return labels[i].kind;
    return strstr(label, "KEY") != NULL && strstr(label, "PUBLIC") == NULL ? "label" : NULL;
}

/* The first block that is, or claims to be, a private key decides. */
static const char *
classify_pem(BIO *bio, bool *ret_has_certificate)
{
    char *label, *header;
    unsigned char *der;
    long size;
    const char *kind = NULL;
    while (PEM_read_bio(bio, &label, &header, &der, &size)) {
        if (strcmp(label, "CERTIFICATE") == 0)
            *ret_has_certificate = true;
        else if (kind == NULL && (kind = classify_label(label, der, size)) != NULL)
            signet_say("file.label", "%s", label);
        OPENSSL_free(label);
        OPENSSL_free(header);
        OPENSSL_clear_free(der, (size_t)size);
    }
    ERR_clear_error();
    return kind == NULL && *ret_has_certificate ? "certificate" : kind;
}

static const char *
classify(const unsigned char *data, size_t size, bool *ret_has_certificate)
{
    if (size == 0)
        return "empty";
    if (data[0] == 0x30 && memmem(data, size, "-----BEGIN", 10) == NULL)
        return classify_der(data, size);
    BIO *bio = BIO_new_mem_buf(data, (int)size);
    const char *kind = bio == NULL ? NULL : classify_pem(bio, ret_has_certificate);
    BIO_free(bio);
    return kind == NULL ? "nothing" : kind;
}

bool
signet_probe_reference(const char *path, bool *ret_has_certificate)
{
    static unsigned char data[FILE_MAX];
    struct stat status;
    const char *kind;
    *ret_has_certificate = false;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 || fstat(fd, &status) != 0)
        kind = "unreadable";
    else if (S_ISDIR(status.st_mode))
        kind = "directory";
    else {
        ssize_t size = read(fd, data, sizeof(data));
        kind = size < 0 ? "unreadable" : classify(data, (size_t)size, ret_has_certificate);
        OPENSSL_cleanse(data, sizeof(data));
    }
    if (fd >= 0)
        close(fd);
    signet_say("file.kind", "%s", kind);
    return strcmp(kind, "reference") == 0;
}
