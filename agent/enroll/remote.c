/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Copies, writes and reads how a CA is reached. */

#include "agent/enroll/remote.h"

#include <openssl/crypto.h>
#include <string.h>

#include "agent/base/error.h"
#include "agent/base/registers.h"

#define GROUP         "Remote"
#define GROUP_OPTIONS "Options"
#define GROUP_SECRET  "Secret"
#define TIMEOUT_MAX_S 600
#define RUNGS_MAX     32

static const char *const *
dup_list(const char *const *list)
{
    static const char *const empty[] = {NULL};

    return (const char *const *)g_strdupv((char **)(list ? list : empty));
}

void
signet_remote_copy(SignetJobRemote *remote, const SignetJobRemote *from)
{
    *remote = *from;
    remote->url = g_strdup(from->url);
    remote->anchors = from->anchors ? g_bytes_ref(from->anchors) : NULL;
    remote->pins = dup_list(from->pins);
    remote->proxy = g_strdup(from->proxy);
    remote->bootstrap_identity = g_strdup(from->bootstrap_identity);
    remote->account_identity = g_strdup(from->account_identity);
    remote->secret = from->secret ? signet_secret_ref(from->secret) : NULL;
    remote->state = from->state ? g_bytes_ref(from->state) : NULL;
    remote->answer = from->answer ? g_bytes_ref(from->answer) : NULL;
    remote->options = dup_list(from->options);
}

void
signet_remote_clear(SignetJobRemote *remote)
{
    g_free((char *)remote->url);
    g_clear_pointer(&remote->anchors, g_bytes_unref);
    g_strfreev((char **)remote->pins);
    g_free((char *)remote->proxy);
    g_free((char *)remote->bootstrap_identity);
    g_free((char *)remote->account_identity);
    g_clear_pointer(&remote->secret, signet_secret_unref);
    g_clear_pointer(&remote->state, g_bytes_unref);
    g_clear_pointer(&remote->answer, g_bytes_unref);
    g_strfreev((char **)remote->options);
    *remote = (SignetJobRemote) {0};
}

/* --- writing --- */

static void
put_text(GKeyFile *file, const char *key, const char *text)
{
    if (text)
        g_key_file_set_string(file, GROUP, key, text);
}

static void
put_list(GKeyFile *file, const char *key, const char *const *list)
{
    if (list && list[0])
        g_key_file_set_string_list(file, GROUP, key, list, g_strv_length((char **)list));
}

static void
put_bytes(GKeyFile *file, const char *key, GBytes *bytes)
{
    if (!bytes)
        return;
    gsize size = 0;
    const guchar *data = g_bytes_get_data(bytes, &size);
    g_autofree char *text = g_base64_encode(data, size);
    g_key_file_set_string(file, GROUP, key, text);
}

static void
put_rungs(GKeyFile *file, guint rungs)
{
    const char *names[RUNGS_MAX];
    gsize n = 0;

    for (guint bit = 0; bit < RUNGS_MAX; bit++) {
        const char *name = rungs & (1u << bit) ? signet_rung_name((SignetRung)(1u << bit)) : NULL;

        if (name)
            names[n++] = name;
    }
    g_key_file_set_string_list(file, GROUP, "Rungs", names, n);
}

void
signet_remote_to_file(const SignetJobRemote *remote, GKeyFile *file)
{
    put_text(file, "Url", remote->url);
    put_bytes(file, "Anchors", remote->anchors);
    g_key_file_set_boolean(file, GROUP, "SystemAnchors", remote->is_system);
    put_list(file, "Pins", remote->pins);
    put_text(file, "Proxy", remote->proxy);
    g_key_file_set_uint64(file, GROUP, "Timeout", remote->timeout_s);
    put_rungs(file, remote->rungs);
    put_text(file, "BootstrapIdentity", remote->bootstrap_identity);
    put_text(file, "AccountIdentity", remote->account_identity);
    g_key_file_set_boolean(file, GROUP, "SecretAlways", remote->is_secret_kept);
    put_bytes(file, "State", remote->state);
    put_bytes(file, "Answer", remote->answer);
    for (const char *const *option = remote->options; option && *option; option++) {
        const char *equals = strchr(*option, '=');
        g_autofree char *key = g_strndup(*option, (gsize)(equals - *option));

        g_key_file_set_string(file, GROUP_OPTIONS, key, equals + 1);
    }
}

typedef struct {
    char *text;
    gsize size;
} Cleansed;

static void
cleansed_free(gpointer data)
{
    Cleansed *cleansed = data;

    OPENSSL_cleanse(cleansed->text, cleansed->size);
    g_free(cleansed->text);
    g_free(cleansed);
}

/* By hand, since a GKeyFile would leave copies behind. */
GBytes *
signet_remote_append_secret(const SignetJobRemote *remote, const char *text, gsize size)
{
    static const char head[] = "\n[" GROUP_SECRET "]\nValue=";
    Cleansed *cleansed = g_new0(Cleansed, 1);
    gsize secret_size = 0;
    const guchar *secret = remote->secret ? signet_secret_get(remote->secret, &secret_size) : NULL;
    char *base64 = secret_size ? g_base64_encode(secret, secret_size) : NULL;
    gsize base64_size = base64 ? strlen(base64) : 0;

    cleansed->size = size + (base64 ? sizeof(head) - 1 + base64_size + 1 : 0);
    cleansed->text = g_malloc(cleansed->size + 1);
    memcpy(cleansed->text, text, size);
    if (base64) {
        memcpy(cleansed->text + size, head, sizeof(head) - 1);
        memcpy(cleansed->text + size + sizeof(head) - 1, base64, base64_size);
        cleansed->text[cleansed->size - 1] = '\n';
        OPENSSL_cleanse(base64, base64_size);
        g_free(base64);
        signet_registers_cleanse();
    }
    return g_bytes_new_with_free_func(cleansed->text, cleansed->size, cleansed_free, cleansed);
}

/* --- reading --- */

static GBytes *
take_bytes(GKeyFile *file, const char *group, const char *key)
{
    g_autofree char *text = g_key_file_get_string(file, group, key, NULL);
    gsize size = 0;

    if (!text)
        return NULL;
    guchar *data = g_base64_decode(text, &size);
    return g_bytes_new_take(data, size);
}

static SignetSecret *
take_secret(GKeyFile *file)
{
    g_autoptr(GBytes) bytes = take_bytes(file, GROUP_SECRET, "Value");

    if (!bytes)
        return NULL;
    gsize size = 0;
    gconstpointer data = g_bytes_get_data(bytes, &size);
    SignetSecret *secret = signet_secret_new(data, size);
    OPENSSL_cleanse((gpointer)data, size);
    g_key_file_remove_group(file, GROUP_SECRET, NULL);
    return secret;
}

static const char *const *
take_options(GKeyFile *file)
{
    g_auto(GStrv) keys = g_key_file_get_keys(file, GROUP_OPTIONS, NULL, NULL);
    g_autoptr(GStrvBuilder) builder = g_strv_builder_new();

    for (char **key = keys; key && *key; key++) {
        g_autofree char *value = g_key_file_get_string(file, GROUP_OPTIONS, *key, NULL);
        g_autofree char *option = g_strconcat(*key, "=", value ? value : "", NULL);

        g_strv_builder_add(builder, option);
    }
    return (const char *const *)g_strv_builder_end(builder);
}

static gboolean
take_rungs(GKeyFile *file, guint *ret_rungs, GError **error)
{
    g_auto(GStrv) names = g_key_file_get_string_list(file, GROUP, "Rungs", NULL, NULL);

    for (char **name = names; name && *name; name++) {
        guint rung = signet_rung_from_name(*name);

        if (rung == 0)
            return signet_error_set(error, SIGNET_ERROR_BAD_REQUEST,
                                    "job: Rungs= names '%s', which is unknown", *name);
        *ret_rungs |= rung;
    }
    return TRUE;
}

gboolean
signet_remote_from_file(SignetJobRemote *remote, GKeyFile *file, GError **error)
{
    guint64 timeout_s = g_key_file_get_uint64(file, GROUP, "Timeout", NULL);

    remote->url = g_key_file_get_string(file, GROUP, "Url", NULL);
    remote->anchors = take_bytes(file, GROUP, "Anchors");
    remote->is_system = g_key_file_get_boolean(file, GROUP, "SystemAnchors", NULL);
    remote->pins = (const char *const *)g_key_file_get_string_list(file, GROUP, "Pins", NULL, NULL);
    remote->proxy = g_key_file_get_string(file, GROUP, "Proxy", NULL);
    remote->timeout_s = (guint)MIN(timeout_s, TIMEOUT_MAX_S);
    remote->bootstrap_identity = g_key_file_get_string(file, GROUP, "BootstrapIdentity", NULL);
    remote->account_identity = g_key_file_get_string(file, GROUP, "AccountIdentity", NULL);
    remote->is_secret_kept = g_key_file_get_boolean(file, GROUP, "SecretAlways", NULL);
    remote->secret = take_secret(file);
    remote->state = take_bytes(file, GROUP, "State");
    remote->answer = take_bytes(file, GROUP, "Answer");
    remote->options = take_options(file);
    return take_rungs(file, &remote->rungs, error);
}

const char *
signet_remote_get_option(const SignetJobRemote *remote, const char *key)
{
    gsize length = strlen(key);

    for (const char *const *option = remote->options; option && *option; option++) {
        if (strncmp(*option, key, length) == 0 && (*option)[length] == '=')
            return *option + length + 1;
    }
    return NULL;
}
