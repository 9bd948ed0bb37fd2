/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* PINs from files and systemd credentials (systemd.exec(5)). */

#include "agent/token/pkcs11/pin.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

/* NULL when it may be trusted, else what is wrong with it. A credential's directory is closed to
 * others, and an ACL there may look like rights of the group. */
static const char *
judge_file(const struct stat *st, gboolean is_credential)
{
    mode_t closed_to = is_credential ? S_IRWXO : S_IRWXG | S_IRWXO;

    if (!S_ISREG(st->st_mode))
        return "it is not a regular file";
    if (st->st_uid != 0 && st->st_uid != geteuid())
        return "it belongs to another user; chown it to root";
    if (st->st_mode & closed_to)
        return "others may read or write it; chmod it to 0600";
    if (st->st_size > SIGNET_PKCS11_PIN_MAX + 2)
        return "it is too long for a PIN";
    return NULL;
}

static const char *
explain_errno(void)
{
    if (errno == ENODATA)
        return "there is no PIN in it";
    return errno == EFBIG ? "it is too long for a PIN" : g_strerror(errno);
}

static SignetSecret *
read_file(const char *path, gboolean is_credential, const char **ret_problem)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    SignetSecret *secret = NULL;
    struct stat st;

    if (fd < 0) {
        *ret_problem = g_strerror(errno);
        return NULL;
    }
    *ret_problem = fstat(fd, &st) < 0 ? g_strerror(errno) : judge_file(&st, is_credential);
    if (!*ret_problem) {
        secret = signet_secret_read(fd, SIGNET_PKCS11_PIN_MAX);
        if (!secret)
            *ret_problem = explain_errno();
    }
    close(fd);
    return secret;
}

static SignetSecret *
read_credential(const SignetPkcs11PinSource *source, const char *name, GError **error)
{
    g_autofree char *path = source->credentials_dir ? g_build_filename(source->credentials_dir,
                                                                       source->credential, NULL)
                                                    : NULL;
    const char *problem = NULL;
    SignetSecret *secret = NULL;

    if (!path || access(path, F_OK) < 0) {
        signet_error_set(error, SIGNET_ERROR_PIN_NEEDED,
                         "token '%s' is locked: the agent was not given the credential '%s'; write "
                         "LoadCredential=%s:/PATH under [Service] ('systemctl edit signetd') and "
                         "restart it",
                         name, source->credential, source->credential);
        return NULL;
    }
    secret = read_file(path, TRUE, &problem);
    if (!secret)
        signet_error_set(error, SIGNET_ERROR_PIN_NEEDED,
                         "token '%s' is locked: cannot take the PIN from the credential '%s': %s",
                         name, source->credential, problem);
    return secret;
}

gboolean
signet_pkcs11_pin_is_configured(const SignetPkcs11PinSource *source)
{
    return source->file || source->credential;
}

char *
signet_pkcs11_pin_describe(const SignetPkcs11PinSource *source)
{
    return source->credential
               ? g_strdup_printf("the PIN in the credential '%s'", source->credential)
               : g_strdup_printf("the PIN in '%s'", source->file);
}

SignetSecret *
signet_pkcs11_pin_read(const SignetPkcs11PinSource *source, const char *name, GError **error)
{
    const char *problem = NULL;
    SignetSecret *secret;

    if (source->credential)
        return read_credential(source, name, error);
    secret = read_file(source->file, FALSE, &problem);
    if (!secret)
        signet_error_set(error, SIGNET_ERROR_PIN_NEEDED,
                         "token '%s' is locked: cannot take the PIN from '%s': %s", name,
                         source->file, problem);
    return secret;
}
