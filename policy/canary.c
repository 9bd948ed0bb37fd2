/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* The peer of Canary=. */

#include "policy/canary.h"

#include <string.h>

#define HOST_SIZE_MAX 253
#define URL_PATH_MAX  1024

static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_:";

static gboolean
is_host(const char *host)
{
    gsize length = strlen(host);

    return length > 0 && length <= HOST_SIZE_MAX && host[strspn(host, letters)] == '\0';
}

static gboolean
is_path(const char *path)
{
    for (const char *p = path; *p; p++) {
        if (*p <= ' ' || *p >= 0x7f)
            return FALSE;
    }
    return strlen(path) <= URL_PATH_MAX;
}

/* "host:port", "[2001:db8::1]:443", "host" */
static gboolean
split_address(const char *text, const char *default_port, SignetCanary *canary)
{
    const char *end = text[0] == '[' ? strchr(text, ']') : NULL;
    const char *colon = strchr(end ? end : text, ':');
    guint64 port;

    if (text[0] == '[' && (!end || (end[1] != '\0' && end[1] != ':')))
        return FALSE;
    canary->host = end ? g_strndup(text + 1, (gsize)(end - text - 1))
                       : g_strndup(text, colon ? (gsize)(colon - text) : strlen(text));
    canary->port = g_strdup(colon ? colon + 1 : default_port);
    return is_host(canary->host) && canary->port &&
           g_ascii_string_to_unsigned(canary->port, 10, 1, G_MAXUINT16, &port, NULL);
}

static gboolean
split_url(const char *text, SignetCanary *canary)
{
    const char *path = strchr(text, '/');
    g_autofree char *address = path ? g_strndup(text, (gsize)(path - text)) : g_strdup(text);

    canary->path = g_strdup(path ? path : "/");
    return split_address(address, "443", canary) && is_path(canary->path);
}

gboolean
signet_canary_parse(const char *text, SignetCanary *ret_canary)
{
    static const struct {
        const char *prefix;
        SignetCanaryKind kind;
        const char *port; /* NULL: it must be written */
    } kinds[] = {
        {"tls:", SIGNET_CANARY_TLS, NULL},
        {"https://", SIGNET_CANARY_HTTPS, NULL},
        {"radius:", SIGNET_CANARY_RADIUS, "1812"},
        {"connect:", SIGNET_CANARY_CONNECT, NULL},
    };
    g_auto(SignetCanary) canary = {0};
    gsize row = 0;

    while (row < G_N_ELEMENTS(kinds) && !g_str_has_prefix(text, kinds[row].prefix))
        row++;
    if (row == G_N_ELEMENTS(kinds))
        return FALSE;
    text += strlen(kinds[row].prefix);
    canary.kind = kinds[row].kind;
    if (canary.kind == SIGNET_CANARY_HTTPS ? !split_url(text, &canary)
                                           : !split_address(text, kinds[row].port, &canary))
        return FALSE;
    *ret_canary = canary;
    canary = (SignetCanary) {0};
    return TRUE;
}

void
signet_canary_clear(SignetCanary *canary)
{
    g_clear_pointer(&canary->host, g_free);
    g_clear_pointer(&canary->port, g_free);
    g_clear_pointer(&canary->path, g_free);
}
