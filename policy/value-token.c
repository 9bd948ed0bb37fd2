/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* The values that describe tokens: their kind, a PKCS#11 token's URI (RFC 7512), and what goes with
 * it. */

#include "policy/value.h"

#include <string.h>

#include "policy/model.h"
#include "policy/problem.h"
#include "policy/text.h"

#define SESSIONS_MAX   1024
#define PCR_LAST       23
#define CREDENTIAL_MAX 255 /* bytes of a name, as of a file's */

char *
signet_value_set_token_kind(const char *value, gpointer field)
{
    SignetTokenKind *kind = field;

    if (g_str_equal(value, "tpm"))
        *kind = SIGNET_TOKEN_TPM;
    else if (g_str_equal(value, "pkcs11"))
        *kind = SIGNET_TOKEN_PKCS11;
    else
        return g_strdup("not a token type; there are tpm and pkcs11");
    return NULL;
}

/* --- URIs --- */

typedef struct {
    const char *name;
    gboolean is_query; /* behind the '?' */
    gsize max_size;    /* bytes, as PKCS#11 stores it; 0: no limit of its own */
} Attribute;

static const Attribute attributes[] = {
    {"token", FALSE, 32},    {"manufacturer", FALSE, 32}, {"serial", FALSE, 16},
    {"model", FALSE, 16},    {"module-name", TRUE, 0},    {"module-path", TRUE, 0},
    {"pin-source", TRUE, 0},
};

/* NULL: not percent-encoded text, or a control character. (owned by the caller) */
static char *
decode(const char *value)
{
    char *text = strpbrk(value, " \"<>\\^`{|}") ? NULL : g_uri_unescape_string(value, NULL);

    if (text && (!g_utf8_validate(text, -1, NULL) || signet_text_has_control(text)))
        g_clear_pointer(&text, g_free);
    return text;
}

/* The path that "file:/PATH", "file:///PATH" or "/PATH" means; NULL: none of these. */
static const char *
find_path(const char *source)
{
    if (g_str_has_prefix(source, "file:"))
        source += strlen("file:");
    if (g_str_has_prefix(source, "///"))
        source += strlen("//");
    return *source == '/' && source[1] != '/' ? source : NULL;
}

static char *
check_attribute(const Attribute *attribute, const char *value)
{
    g_autofree char *text = decode(value);

    if (!text)
        return g_strdup_printf("'%s' is not percent-encoded text (RFC 7512)", attribute->name);
    if (!*text)
        return g_strdup_printf("'%s' is empty", attribute->name);
    if (attribute->max_size && strlen(text) > attribute->max_size)
        return g_strdup_printf("'%s' has more than %zu bytes, which no token has", attribute->name,
                               attribute->max_size);
    if (g_str_equal(attribute->name, "module-path") && *text != '/')
        return g_strdup("'module-path' must begin with '/'");
    if (g_str_equal(attribute->name, "pin-source") && !find_path(text))
        return g_strdup("'pin-source' must be file:/PATH; no program is run for a PIN");
    return NULL;
}

static char *
explain_unknown(const char *name)
{
    g_autofree char *shown = signet_problem_quote(name);

    if (g_str_equal(name, "pin-value"))
        return g_strdup("a PIN does not belong in a configuration that everybody may read; use "
                        "PinFile= or PinCredential=");
    if (g_str_equal(name, "object") || g_str_equal(name, "id") || g_str_equal(name, "type"))
        return g_strdup_printf("'%s' names a key, but the URI must name a token", shown);
    return g_strdup_printf("'%s' is not an attribute that names a token; there are token, "
                           "manufacturer, serial, model, and behind '?' module-name, "
                           "module-path and pin-source",
                           shown);
}

/* seen: mask of attributes */
static char *
check_item(const char *item, gboolean is_query, guint *seen)
{
    const char *equals = strchr(item, '=');
    g_autofree char *name = equals ? g_strndup(item, (gsize)(equals - item)) : g_strdup(item);
    g_autofree char *shown = signet_problem_quote(name);

    if (!equals)
        return g_strdup_printf("'%s' has no '='", shown);
    for (guint i = 0; i < G_N_ELEMENTS(attributes); i++) {
        if (!g_str_equal(attributes[i].name, name))
            continue;
        if (attributes[i].is_query != is_query)
            return g_strdup_printf("'%s' belongs %s '?'", name, is_query ? "before" : "behind");
        if (*seen & 1u << i)
            return g_strdup_printf("'%s' is there twice", name);
        *seen |= 1u << i;
        return check_attribute(&attributes[i], equals + 1);
    }
    return explain_unknown(name);
}

static char *
check_items(const char *part, gboolean is_query, guint *seen)
{
    g_auto(GStrv) items = g_strsplit(part, is_query ? "&" : ";", -1);
    char *problem = NULL;

    for (char **item = items; *item && !problem; item++)
        problem = check_item(*item, is_query, seen);
    return problem;
}

char *
signet_value_set_token_uri(const char *value, gpointer field)
{
    g_auto(GStrv) parts = NULL;
    guint seen = 0;
    char *problem;

    if (!g_str_has_prefix(value, "pkcs11:"))
        return g_strdup("it does not begin with 'pkcs11:'");
    parts = g_strsplit(value + strlen("pkcs11:"), "?", 2);
    if (!parts[0] || !*parts[0])
        return g_strdup("it names no token; write pkcs11:token=LABEL");
    problem = check_items(parts[0], FALSE, &seen);
    if (!problem && parts[1])
        problem = check_items(parts[1], TRUE, &seen);
    return problem ? problem : signet_value_set_text(value, field);
}

char *
signet_value_dup_pin_source(const char *uri)
{
    const char *query = strchr(uri, '?');
    g_auto(GStrv) items = query ? g_strsplit(query + 1, "&", -1) : NULL;

    for (char **item = items; item && *item; item++) {
        g_autofree char *text = NULL;

        if (!g_str_has_prefix(*item, "pin-source="))
            continue;
        text = decode(*item + strlen("pin-source="));
        return text ? g_strdup(find_path(text)) : NULL;
    }
    return NULL;
}

/* --- what goes with it --- */

char *
signet_value_set_path(const char *value, gpointer field)
{
    if (*value != '/')
        return g_strdup("not a path that begins with '/'");
    return signet_value_set_text(value, field);
}

/* What systemd.exec(5) takes as the name of a credential. */
char *
signet_value_set_credential(const char *value, gpointer field)
{
    if (strlen(value) > CREDENTIAL_MAX || !g_str_is_ascii(value) || strpbrk(value, "/: ") ||
        g_str_equal(value, ".") || g_str_equal(value, ".."))
        return g_strdup("not the name of a credential: no path, no '/', ':' or space");
    return signet_value_set_text(value, field);
}

char *
signet_value_set_pin(const char *value, gpointer field)
{
    if (!g_str_equal(value, "ask"))
        return g_strdup("a PIN does not belong in a configuration that everybody may read; use "
                        "PinFile= or PinCredential=, or write 'ask'");
    *(gboolean *)field = TRUE;
    return NULL;
}

char *
signet_value_set_session_limit(const char *value, gpointer field)
{
    guint64 limit = 0;

    if (!g_ascii_string_to_unsigned(value, 10, 0, SESSIONS_MAX, &limit, NULL))
        return g_strdup_printf("not a number from 0 to %d", SESSIONS_MAX);
    *(guint *)field = (guint)limit;
    return NULL;
}

/* 0: no bank that we know */
static guint
find_bank(const char *name)
{
    static const struct {
        const char *name;
        guint bits;
    } banks[] = {{"sha1", 160}, {"sha256", 256}, {"sha384", 384}};

    for (gsize i = 0; i < G_N_ELEMENTS(banks); i++) {
        if (g_str_equal(banks[i].name, name))
            return banks[i].bits;
    }
    return 0;
}

char *
signet_value_set_pcrs(const char *value, gpointer field)
{
    g_auto(GStrv) halves = g_strsplit(value, ":", 2);
    g_auto(GStrv) numbers = halves[0] && halves[1] ? g_strsplit(halves[1], ",", -1) : NULL;
    SignetPcrs pcrs = {.bank = halves[0] ? find_bank(halves[0]) : 0};
    guint64 number = 0;

    if (pcrs.bank == 0 || !numbers || !numbers[0])
        return g_strdup("not a bank (sha1, sha256 or sha384) and registers; write for example "
                        "sha256:7");
    if (g_strv_length(numbers) > SIGNET_PCRS_MAX)
        return g_strdup_printf("more than %d registers", SIGNET_PCRS_MAX);
    for (guint i = 0; numbers[i]; i++) {
        if (!g_ascii_string_to_unsigned(numbers[i], 10, 0, PCR_LAST, &number, NULL))
            return g_strdup_printf("registers are numbers from 0 to %d", PCR_LAST);
        pcrs.mask |= 1u << number;
    }
    *(SignetPcrs *)field = pcrs;
    return NULL;
}
