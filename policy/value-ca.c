/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* The values of ca.d/NAME.conf for CAs that are reached over the network. */

#include "policy/value.h"

#include <string.h>

#include "policy/duration.h"

#define URL_MAX       1024
#define PINS_MAX      16
#define PIN_SIZE      32
#define TIMEOUT_MIN_S 5
#define TIMEOUT_MAX_S 600

char *
signet_value_set_ca_kind(const char *value, gpointer field)
{
    GString *known = g_string_new("not a protocol of this version; there are ");

#define C(symbol, name)                              \
    if (g_str_equal(value, name)) {                  \
        *(SignetCaKind *)field = SIGNET_CA_##symbol; \
        g_string_free(known, TRUE);                  \
        return NULL;                                 \
    }
    SIGNET_CA_KINDS(C)
#undef C
#define C(symbol, name) g_string_append_printf(known, "%s%s", SIGNET_CA_##symbol ? ", " : "", name);
    SIGNET_CA_KINDS(C)
#undef C
    return g_string_free(known, FALSE);
}

/* --- URLs --- */

/* What every URL here has to be: printable, with a host, and nothing secret in it. */
static char *
check_url(const char *value, GUri **ret_uri)
{
    g_autoptr(GUri) uri = NULL;

    for (const char *p = value; *p; p++) {
        if (!g_ascii_isgraph(*p))
            return g_strdup("not a URL: it has a character that must be percent-encoded");
    }
    uri = strlen(value) <= URL_MAX ? g_uri_parse(value, G_URI_FLAGS_ENCODED, NULL) : NULL;
    if (!uri || !g_uri_get_host(uri) || !*g_uri_get_host(uri))
        return g_strdup("not a URL; write for example https://ca.example.org");
    if (g_uri_get_userinfo(uri))
        return g_strdup("no user and no password may stand in it; use SecretFile=");
    if (g_uri_get_fragment(uri))
        return g_strdup("it has a '#'");
    *ret_uri = g_steal_pointer(&uri);
    return NULL;
}

static gboolean
has_scheme(GUri *uri, const char *scheme)
{
    return g_str_equal(g_uri_get_scheme(uri), scheme);
}

char *
signet_value_set_ca_url(const char *value, gpointer field)
{
    g_autoptr(GUri) uri = NULL;
    char *problem = check_url(value, &uri);

    if (problem)
        return problem;
    if (!has_scheme(uri, "https") && !has_scheme(uri, "http"))
        return g_strdup("it does not begin with https://");
    return signet_value_set_text(value, field);
}

char *
signet_value_set_proxy(const char *value, gpointer field)
{
    g_autoptr(GUri) uri = NULL;
    char *problem = check_url(value, &uri);

    if (problem)
        return problem;
    if (!has_scheme(uri, "http"))
        return g_strdup("it does not begin with http://");
    if (g_uri_get_port(uri) < 0)
        return g_strdup("it has no port; write http://HOST:PORT");
    return signet_value_set_text(value, field);
}

/* --- trust --- */

char *
signet_value_set_anchors(const char *value, gpointer field)
{
    if (!g_str_equal(value, "system") && *value != '/')
        return g_strdup("neither 'system' nor a path that begins with '/'");
    return signet_value_set_text(value, field);
}

static char *
to_hex(const guint8 *bytes)
{
    GString *hex = g_string_new(NULL);

    for (gsize i = 0; i < PIN_SIZE; i++)
        g_string_append_printf(hex, "%02x", bytes[i]);
    return g_string_free(hex, FALSE);
}

/* "sha256:" and 64 hexadecimal digits, with or without colons, or the base64 of the same. NULL when
 * it is neither. */
static char *
normalise_pin(const char *item)
{
    const char *value = g_str_has_prefix(item, "sha256:") ? item + strlen("sha256:") : "";
    g_autofree char *hex = g_ascii_strdown(value, -1);
    gsize length = 0;

    if (strlen(value) == 44 &&
        value[strspn(value, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                            "abcdefghijklmnopqrstuvwxyz0123456789+/=")] == '\0') {
        gsize size = 0;
        g_autofree guchar *bytes = g_base64_decode(value, &size);

        return size == PIN_SIZE ? to_hex(bytes) : NULL;
    }
    for (const char *p = hex; *p; p++) {
        if (*p != ':')
            hex[length++] = *p;
    }
    hex[length] = '\0';
    if (length != 2 * PIN_SIZE || hex[strspn(hex, "0123456789abcdef")] != '\0')
        return NULL;
    return g_steal_pointer(&hex);
}

char *
signet_value_set_pins(const char *value, gpointer field)
{
    g_auto(GStrv) items = signet_value_split_list(value);
    g_autoptr(GStrvBuilder) builder = g_strv_builder_new();

    if (!items[0] || g_strv_length(items) > PINS_MAX)
        return g_strdup_printf("write 1 to %d pins", PINS_MAX);
    for (char **item = items; *item; item++) {
        g_autofree char *pin = normalise_pin(*item);

        if (!pin)
            return g_strdup("not a pin; write sha256: and the SHA-256 of a SubjectPublicKeyInfo, "
                            "64 hexadecimal digits");
        g_strv_builder_add(builder, pin);
    }
    g_strfreev(*(char ***)field);
    *(char ***)field = g_strv_builder_end(builder);
    return NULL;
}

/* --- secrets and the ladder --- */

char *
signet_value_set_secret_use(const char *value, gpointer field)
{
    gboolean is_always = g_str_equal(value, "always");

    if (!is_always && !g_str_equal(value, "first"))
        return g_strdup("write first or always");
    *(gboolean *)field = is_always;
    return NULL;
}

char *
signet_value_set_rungs(const char *value, gpointer field)
{
    g_auto(GStrv) items = signet_value_split_list(value);
    guint rungs = 0;

    for (char **item = items; *item; item++) {
        guint rung = signet_rung_from_name(*item);

        if (rung == 0 || rungs >= rung)
            return g_strdup("write some of current;expired;identity;secret;approval, in this "
                            "order");
        rungs |= rung;
    }
    if (rungs == 0)
        return g_strdup("the list is empty");
    *(guint *)field = rungs;
    return NULL;
}

char *
signet_value_set_ca_timeout(const char *value, gpointer field)
{
    gint64 seconds;

    if (!signet_duration_parse(value, &seconds) || seconds < TIMEOUT_MIN_S ||
        seconds > TIMEOUT_MAX_S)
        return g_strdup_printf("not a duration from %ds to %dmin", TIMEOUT_MIN_S,
                               TIMEOUT_MAX_S / 60);
    *(gint64 *)field = seconds;
    return NULL;
}
