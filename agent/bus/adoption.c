/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* What a caller of Adopt hands over: bounded, and never waited for. */

#include "agent/bus/adoption.h"

#include <fcntl.h>
#include <gio/gunixfdlist.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/base/error.h"
#include "agent/store/pem.h"

#define SEALS (F_SEAL_WRITE | F_SEAL_SHRINK)

void
signet_bus_adoption_clear(SignetBusAdoption *adoption)
{
    g_clear_pointer(&adoption->adoption.name, g_bytes_unref);
    g_clear_pointer(&adoption->adoption.auth, signet_secret_unref);
    g_clear_pointer(&adoption->adoption.certificates, g_ptr_array_unref);
}

/* Only a sealed memfd is read at once whatever its owner does. */
static SignetSecret *
read_auth(int fd, GError **error)
{
    char buffer[SIGNET_BUS_AUTH_MAX];
    SignetSecret *auth = NULL;
    struct stat info;
    int seals = fcntl(fd, F_GET_SEALS);
    ssize_t size = -1;

    if (seals < 0 || (seals & SEALS) != SEALS || fstat(fd, &info) < 0)
        signet_error_set(error, SIGNET_ERROR_BAD_REQUEST,
                         "option 'auth' is no memfd sealed against writing and shrinking");
    else if (info.st_size > (off_t)sizeof buffer)
        signet_error_set(error, SIGNET_ERROR_BAD_REQUEST, "the password is longer than %zu bytes",
                         sizeof buffer);
    else
        size = pread(fd, buffer, sizeof buffer, 0);
    if (size >= 0)
        auth = signet_secret_new(buffer, (gsize)size);
    else if (error && !*error)
        signet_error_set(error, SIGNET_ERROR_BAD_REQUEST, "option 'auth' cannot be read");
    explicit_bzero(buffer, sizeof buffer);
    return auth;
}

static gboolean
take_auth(GDBusMethodInvocation *invocation, GVariant *value, SignetAdoption *adoption,
          GError **error)
{
    GDBusMessage *message = g_dbus_method_invocation_get_message(invocation);
    GUnixFDList *list = g_dbus_message_get_unix_fd_list(message);
    int fd = list ? g_unix_fd_list_get(list, g_variant_get_handle(value), NULL) : -1;

    if (fd < 0)
        return signet_error_set(error, SIGNET_ERROR_BAD_REQUEST, "option 'auth' came without a fd");
    g_clear_pointer(&adoption->auth, signet_secret_unref);
    adoption->auth = read_auth(fd, error);
    close(fd);
    return adoption->auth != NULL;
}

static gboolean
take_name(GBytes *bytes, const char *key, SignetAdoption *adoption, GError **error)
{
    g_autoptr(GBytes) owned = bytes;

    if (adoption->name)
        return signet_error_set(error, SIGNET_ERROR_BAD_REQUEST,
                                "options 'object' and 'key' name two keys; give one of them");
    if (g_bytes_get_size(owned) > SIGNET_BUS_KEY_MAX)
        return signet_error_set(error, SIGNET_ERROR_BAD_REQUEST,
                                "option '%s' is longer than %u bytes", key, SIGNET_BUS_KEY_MAX);
    adoption->name = g_steal_pointer(&owned);
    return TRUE;
}

static gboolean
take_certificates(GVariant *value, SignetAdoption *adoption, GError **error)
{
    g_autoptr(GBytes) text = g_variant_get_data_as_bytes(value);

    if (g_bytes_get_size(text) > SIGNET_BUS_CERTIFICATES_MAX)
        return signet_error_set(error, SIGNET_ERROR_BAD_REQUEST,
                                "option 'certificates' is longer than %u bytes",
                                SIGNET_BUS_CERTIFICATES_MAX);
    g_clear_pointer(&adoption->certificates, g_ptr_array_unref);
    adoption->certificates =
        signet_pem_parse_certificates(text, SIGNET_BUS_CERTIFICATES_MAX, error);
    if (!adoption->certificates)
        return FALSE;
    return adoption->certificates->len > 0 ||
           signet_error_set(error, SIGNET_ERROR_BAD_REQUEST,
                            "option 'certificates' holds no certificates (PEM)");
}

typedef struct {
    const char *key;
    const char *type;
} Option;

static const Option options[] = {
    {"object", "s"}, {"key", "ay"},      {"auth", "h"},    {"certificates", "ay"},
    {"enroll", "b"}, {"take_over", "b"}, {"no_wait", "b"},
};

static gboolean
check_option(const char *key, GVariant *value, GError **error)
{
    for (gsize i = 0; i < G_N_ELEMENTS(options); i++) {
        if (!g_str_equal(options[i].key, key))
            continue;
        return g_str_equal(g_variant_get_type_string(value), options[i].type) ||
               signet_error_set(error, SIGNET_ERROR_BAD_REQUEST,
                                "option '%s' cannot be of type '%s'", key,
                                g_variant_get_type_string(value));
    }
    return signet_error_set(error, SIGNET_ERROR_BAD_REQUEST, "there is no option '%s'", key);
}

static gboolean
take_option(GDBusMethodInvocation *invocation, const char *key, GVariant *value,
            SignetBusAdoption *parsed, GError **error)
{
    SignetAdoption *adoption = &parsed->adoption;
    const char *text;

    if (!check_option(key, value, error))
        return FALSE;
    if (g_str_equal(key, "object")) {
        text = g_variant_get_string(value, NULL);
        return take_name(g_bytes_new(text, strlen(text)), key, adoption, error);
    }
    if (g_str_equal(key, "key"))
        return take_name(g_variant_get_data_as_bytes(value), key, adoption, error);
    if (g_str_equal(key, "auth"))
        return take_auth(invocation, value, adoption, error);
    if (g_str_equal(key, "certificates"))
        return take_certificates(value, adoption, error);
    if (g_str_equal(key, "enroll"))
        adoption->is_enrolled = g_variant_get_boolean(value);
    else if (g_str_equal(key, "take_over"))
        adoption->is_ours = g_variant_get_boolean(value);
    else
        parsed->no_wait = g_variant_get_boolean(value);
    return TRUE;
}

gboolean
signet_bus_adoption_parse(GDBusMethodInvocation *invocation, SignetBusAdoption *ret_adoption,
                          GError **error)
{
    GVariant *parameters = g_dbus_method_invocation_get_parameters(invocation);
    g_autoptr(GVariant) dict = g_variant_get_child_value(parameters, 0);
    GVariantIter iter;
    const char *key = NULL;
    GVariant *value = NULL;
    gboolean ok = TRUE;

    g_variant_iter_init(&iter, dict);
    while (ok && g_variant_iter_next(&iter, "{&sv}", &key, &value)) {
        ok = take_option(invocation, key, value, ret_adoption, error);
        g_variant_unref(value);
    }
    if (ok && !ret_adoption->adoption.name)
        ret_adoption->adoption.name = g_bytes_new(NULL, 0);
    return ok;
}
