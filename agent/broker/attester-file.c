/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* A GKeyFile with base64 in it; the auth value is of no use without the store's other half, the
 * TPM. */

#include "agent/broker/attester-file.h"

#include <openssl/crypto.h>
#include <string.h>

#include "agent/base/error.h"

#define GROUP            "Attester"
#define VERSION          1
#define CERTIFICATES_MAX 16

static void
put_bytes(GKeyFile *file, const char *key, gconstpointer data, gsize size)
{
    g_autofree char *text = g_base64_encode(data, size);

    g_key_file_set_string(file, GROUP, key, text);
}

static void
put_certificates(GKeyFile *file, const GPtrArray *certificates)
{
    g_autoptr(GStrvBuilder) builder = g_strv_builder_new();
    g_auto(GStrv) list = NULL;

    for (guint i = 0; i < certificates->len; i++) {
        gsize size = 0;
        const guchar *data = g_bytes_get_data(certificates->pdata[i], &size);
        g_autofree char *text = g_base64_encode(data, size);

        g_strv_builder_add(builder, text);
    }
    list = g_strv_builder_end(builder);
    g_key_file_set_string_list(file, GROUP, "Certificates", (const char *const *)list,
                               g_strv_length(list));
}

GBytes *
signet_attester_file_encode(const SignetAttesterFile *file)
{
    g_autoptr(GKeyFile) text = g_key_file_new();
    const SignetKey *key = file->key;
    gsize size = 0;
    gconstpointer data = g_bytes_get_data(key->blob, &size);

    g_key_file_set_integer(text, GROUP, "Version", VERSION);
    g_key_file_set_string(text, GROUP, "Type", signet_key_type_name(key->type));
    put_bytes(text, "Key", data, size);
    data = g_bytes_get_data(key->spki, &size);
    put_bytes(text, "PublicKey", data, size);
    if (key->auth) {
        data = signet_secret_get(key->auth, &size);
        put_bytes(text, "Auth", data, size);
    }
    put_certificates(text, file->certificates);
    char *content = g_key_file_to_data(text, &size, NULL);
    return g_bytes_new_take(content, size);
}

static GBytes *
take_bytes(GKeyFile *file, const char *key)
{
    g_autofree char *text = g_key_file_get_string(file, GROUP, key, NULL);
    gsize size = 0;
    guchar *data = text ? g_base64_decode(text, &size) : NULL;

    return data ? g_bytes_new_take(data, size) : NULL;
}

static SignetSecret *
take_secret(GKeyFile *file)
{
    g_autoptr(GBytes) bytes = take_bytes(file, "Auth");
    gsize size = 0;
    gconstpointer data = bytes ? g_bytes_get_data(bytes, &size) : NULL;
    SignetSecret *secret = bytes ? signet_secret_new(data, size) : NULL;

    if (bytes)
        OPENSSL_cleanse((gpointer)data, size);
    return secret;
}

static void
take_certificates(GKeyFile *file, GPtrArray *certificates)
{
    g_auto(GStrv) list = g_key_file_get_string_list(file, GROUP, "Certificates", NULL, NULL);

    for (guint i = 0; list && list[i] && i < CERTIFICATES_MAX; i++) {
        gsize size = 0;
        guchar *data = g_base64_decode(list[i], &size);

        g_ptr_array_add(certificates, g_bytes_new_take(data, size));
    }
}

gboolean
signet_attester_file_decode(SignetAttesterFile *file, GBytes *content, GError **error)
{
    g_autoptr(GKeyFile) text = g_key_file_new();
    g_autofree char *type = NULL;
    g_autoptr(GBytes) blob = NULL;
    g_autoptr(GBytes) spki = NULL;

    if (!g_key_file_load_from_bytes(text, content, G_KEY_FILE_NONE, NULL) ||
        g_key_file_get_integer(text, GROUP, "Version", NULL) != VERSION)
        return signet_error_set(error, SIGNET_ERROR_CORRUPT,
                                "it is damaged, or of another version");
    type = g_key_file_get_string(text, GROUP, "Type", NULL);
    blob = take_bytes(text, "Key");
    spki = take_bytes(text, "PublicKey");
    if (!type || signet_key_type_from_name(type) == 0 || !blob || !spki)
        return signet_error_set(error, SIGNET_ERROR_CORRUPT, "it lacks the key");
    g_autoptr(SignetSecret) auth = take_secret(text);
    file->key = signet_key_new(signet_key_type_from_name(type), blob, auth, spki);
    take_certificates(text, file->certificates);
    return TRUE;
}

void
signet_attester_file_clear(SignetAttesterFile *file)
{
    g_clear_pointer(&file->key, signet_key_unref);
    if (file->certificates)
        g_ptr_array_set_size(file->certificates, 0);
}
