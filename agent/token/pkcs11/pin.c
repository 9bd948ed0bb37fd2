/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* A refused PIN is remembered as a MAC under a random key: its text is nowhere. */

#include "agent/token/pkcs11/pin.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/base/error.h"

#define PIN_MAX       255
#define MAC_KEY_BYTES 32

void
signet_pkcs11_pin_init(SignetPkcs11Pin *pin, const char *path)
{
    pin->path = g_strdup(path);
    pin->key = signet_secret_new_random(MAC_KEY_BYTES);
    pin->refused = NULL;
}

void
signet_pkcs11_pin_clear(SignetPkcs11Pin *pin)
{
    g_clear_pointer(&pin->path, g_free);
    g_clear_pointer(&pin->key, signet_secret_unref);
    g_clear_pointer(&pin->refused, g_bytes_unref);
}

static GBytes *
fingerprint(const SignetPkcs11Pin *pin, const SignetSecret *value)
{
    guint8 mac[EVP_MAX_MD_SIZE];
    unsigned int mac_size = 0;
    gsize key_size, size;
    const void *key = signet_secret_get(pin->key, &key_size);
    const void *bytes = signet_secret_get(value, &size);

    HMAC(EVP_sha256(), key, (int)key_size, bytes, size, mac, &mac_size);
    return g_bytes_new(mac, mac_size);
}

/* NULL when it may be trusted, else what is wrong with it. */
static const char *
judge_file(const struct stat *st)
{
    if (!S_ISREG(st->st_mode))
        return "it is not a regular file";
    if (st->st_uid != 0 && st->st_uid != geteuid())
        return "it belongs to another user; chown it to root";
    if (st->st_mode & (S_IRWXG | S_IRWXO))
        return "others may read or write it; chmod it to 0600";
    if (st->st_size > PIN_MAX + 1)
        return "it is too long for a PIN";
    return NULL;
}

static SignetSecret *
read_fd(int fd)
{
    char text[PIN_MAX + 2];
    ssize_t size = TEMP_FAILURE_RETRY(read(fd, text, sizeof text));
    SignetSecret *secret = NULL;

    if (size > 0 && text[size - 1] == '\n')
        size--;
    if (size > 0 && text[size - 1] == '\r')
        size--;
    if (size > 0 && size <= PIN_MAX)
        secret = signet_secret_new(text, (gsize)size);
    OPENSSL_cleanse(text, sizeof text);
    return secret;
}

static SignetSecret *
read_file(const char *path, const char **ret_problem)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    SignetSecret *secret = NULL;
    struct stat st;

    if (fd < 0) {
        *ret_problem = g_strerror(errno);
        return NULL;
    }
    *ret_problem = fstat(fd, &st) < 0 ? g_strerror(errno) : judge_file(&st);
    if (!*ret_problem) {
        secret = read_fd(fd);
        if (!secret)
            *ret_problem = "there is no PIN in it";
    }
    close(fd);
    return secret;
}

SignetSecret *
signet_pkcs11_pin_read(const SignetPkcs11Pin *pin, const char *name, GError **error)
{
    const char *problem = NULL;
    g_autoptr(SignetSecret) secret = NULL;
    g_autoptr(GBytes) mac = NULL;

    if (!pin->path) {
        signet_error_set(error, SIGNET_ERROR_PIN_NEEDED,
                         "token '%s' cannot be opened: it wants a PIN; name a file that holds it "
                         "with PinFile=",
                         name);
        return NULL;
    }
    secret = read_file(pin->path, &problem);
    if (!secret) {
        signet_error_set(error, SIGNET_ERROR_PIN_NEEDED,
                         "token '%s' cannot be opened: cannot take the PIN from '%s': %s", name,
                         pin->path, problem);
        return NULL;
    }
    mac = fingerprint(pin, secret);
    if (pin->refused && g_bytes_equal(pin->refused, mac)) {
        signet_error_set(error, SIGNET_ERROR_PIN_NEEDED,
                         "token '%s' cannot be opened: it refused the PIN in '%s', which is not "
                         "sent again; write the right one into the file",
                         name, pin->path);
        return NULL;
    }
    return g_steal_pointer(&secret);
}

void
signet_pkcs11_pin_refused(SignetPkcs11Pin *pin, const SignetSecret *value)
{
    g_clear_pointer(&pin->refused, g_bytes_unref);
    pin->refused = fingerprint(pin, value);
}

void
signet_pkcs11_pin_accepted(SignetPkcs11Pin *pin)
{
    g_clear_pointer(&pin->refused, g_bytes_unref);
}
