/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Reads trust anchors and secrets. */

#include "agent/enroll/material.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/pem.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/base/error.h"
#include "agent/enroll/openssl.h"

#define TRUST_MAX   (64 * 1024)
#define ANCHORS_MAX (24 * 1024) /* with all the rest they have to fit a job */
#define SECRET_MAX  1024

typedef struct {
    const char *key; /* that names the file */
    const char *path;
    gsize max;
    gboolean is_secret;
} Source;

static gboolean
check_stat(const Source *source, const struct stat *st, GError **error)
{
    const char *fault = NULL;
    SignetErrorKind kind = SIGNET_ERROR_DENIED;

    if (!S_ISREG(st->st_mode)) {
        fault = "it is not a plain file";
        kind = SIGNET_ERROR_CORRUPT;
    } else if (st->st_uid != 0 && st->st_uid != geteuid()) {
        fault = "it belongs to another user; 'chown root' it";
    } else if (st->st_mode & (source->is_secret ? S_IRWXO | S_IWGRP : S_IWOTH)) {
        fault = source->is_secret ? "others may read or write it; 'chmod 600' it"
                                  : "everybody may write it; 'chmod o-w' it";
    }
    return !fault || signet_error_set(error, kind, "%s=%s: %s", source->key, source->path, fault);
}

/* ret_data: max + 1 bytes. The size, or -1. */
static gssize
read_all(const Source *source, char *ret_data, GError **error)
{
    struct stat st;
    gsize size = 0;
    gssize got = 0;
    /* Not blocking: the name might lead to a pipe. */
    int fd = open(source->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

    if (fd < 0 || fstat(fd, &st) < 0) {
        signet_error_set(error, errno == ENOENT ? SIGNET_ERROR_NOT_FOUND : SIGNET_ERROR_IO,
                         "cannot read %s=%s: %s", source->key, source->path, g_strerror(errno));
        if (fd >= 0)
            close(fd);
        return -1;
    }
    gboolean is_good = check_stat(source, &st, error);
    while (is_good && size <= source->max) {
        got = read(fd, ret_data + size, source->max + 1 - size);
        if (got <= 0 && !(got < 0 && errno == EINTR))
            break;
        size += (gsize)MAX(got, 0);
    }
    if (is_good && got < 0)
        is_good = signet_error_set(error, SIGNET_ERROR_IO, "cannot read %s=%s: %s", source->key,
                                   source->path, g_strerror(errno));
    close(fd);
    if (is_good && size > source->max)
        is_good = signet_error_set(error, SIGNET_ERROR_CORRUPT, "%s=%s is larger than %zu bytes",
                                   source->key, source->path, source->max);
    return is_good ? (gssize)size : -1;
}

/* --- anchors --- */

GBytes *
signet_material_anchors_from_pem(const char *pem, gsize size, GError **error)
{
    g_autoptr(BIO) bio = BIO_new_mem_buf(pem, (int)size);
    g_autoptr(GByteArray) all = g_byte_array_new();
    X509 *certificate;

    while ((certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL))) {
        guint8 *der = NULL;
        int der_size = i2d_X509(certificate, &der);

        if (der_size > 0)
            g_byte_array_append(all, der, (guint)der_size);
        OPENSSL_free(der);
        X509_free(certificate);
    }
    unsigned long code = ERR_peek_last_error();
    ERR_clear_error();
    if (all->len == 0 || (code && ERR_GET_REASON(code) != PEM_R_NO_START_LINE)) {
        signet_error_set(error, SIGNET_ERROR_CORRUPT,
                         all->len ? "one of its certificates cannot be read"
                                  : "there is no certificate in it (PEM)");
        return NULL;
    }
    if (all->len > ANCHORS_MAX) {
        signet_error_set(error, SIGNET_ERROR_CORRUPT,
                         "its certificates are more than %d bytes; name only those of the CA, or "
                         "write Trust=system",
                         ANCHORS_MAX);
        return NULL;
    }
    return g_byte_array_free_to_bytes(g_steal_pointer(&all));
}

static gboolean
read_anchors(SignetMaterial *material, const char *key, const char *path, GError **error)
{
    const Source source = {key, path, TRUST_MAX, FALSE};
    g_autofree char *pem = g_malloc(TRUST_MAX + 1);
    gssize size = read_all(&source, pem, error);

    if (size < 0)
        return FALSE;
    material->anchors = signet_material_anchors_from_pem(pem, (gsize)size, error);
    if (!material->anchors)
        g_prefix_error(error, "%s=%s: ", key, path);
    return material->anchors != NULL;
}

/* --- secret --- */

static gboolean
read_secret(SignetMaterial *material, const char *key, const char *path, GError **error)
{
    const Source source = {key, path, SECRET_MAX, TRUE};
    char text[SECRET_MAX + 1];
    gssize size = read_all(&source, text, error);

    /* an editor's newline at the end does not belong to it */
    while (size > 0 && (text[size - 1] == '\n' || text[size - 1] == '\r'))
        size--;
    if (size > 0)
        material->secret = signet_secret_new(text, (gsize)size);
    OPENSSL_cleanse(text, sizeof(text));
    if (size == 0)
        return signet_error_set(error, SIGNET_ERROR_CORRUPT, "%s=%s is empty", key, path);
    return size > 0;
}

/* systemd.exec(5), LoadCredential= */
static gboolean
read_credential(SignetMaterial *material, const char *key, const char *name, GError **error)
{
    const char *directory = g_getenv("CREDENTIALS_DIRECTORY");

    if (!directory)
        return signet_error_set(error, SIGNET_ERROR_NOT_FOUND,
                                "%s=%s: the agent was not given credentials; add "
                                "LoadCredential=%s:… to signetd.service",
                                key, name, name);
    g_autofree char *path = g_build_filename(directory, name, NULL);
    return read_secret(material, key, path, error);
}

gboolean
signet_material_read_anchors(SignetMaterial *material, const SignetCaProfile *ca, GError **error)
{
    const char *trust = ca->remote.trust;

    return !trust || g_str_equal(trust, "system") || read_anchors(material, "Trust", trust, error);
}

static gboolean
read_secret_of(SignetMaterial *material, const SignetCaRemote *remote, GError **error)
{
    if (remote->secret_file)
        return read_secret(material, "SecretFile", remote->secret_file, error);
    return !remote->secret_credential ||
           read_credential(material, "SecretCredential", remote->secret_credential, error);
}

gboolean
signet_material_read(SignetMaterial *material, const SignetCaProfile *ca, GError **error)
{
    g_autoptr(GError) failure = NULL;

    if (!signet_material_read_anchors(material, ca, error))
        return FALSE;
    if (read_secret_of(material, &ca->remote, &failure))
        return TRUE;
    if (!ca->remote.is_secret_kept && signet_error_is(failure, SIGNET_ERROR_NOT_FOUND)) {
        material->absent = g_steal_pointer(&failure);
        return TRUE;
    }
    g_propagate_error(error, g_steal_pointer(&failure));
    return FALSE;
}

gboolean
signet_material_read_canary(SignetMaterial *material, const SignetRotationProfile *rotation,
                            GError **error)
{
    if (rotation->canary_trust &&
        !read_anchors(material, "CanaryTrust", rotation->canary_trust, error))
        return FALSE;
    if (rotation->canary_secret_file)
        return read_secret(material, "CanarySecretFile", rotation->canary_secret_file, error);
    return !rotation->canary_secret_credential ||
           read_credential(material, "CanarySecretCredential", rotation->canary_secret_credential,
                           error);
}

void
signet_material_clear(SignetMaterial *material)
{
    g_clear_pointer(&material->anchors, g_bytes_unref);
    g_clear_pointer(&material->secret, signet_secret_unref);
    g_clear_error(&material->absent);
}
