/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* How an openssl.cnf comes to activate the provider. */

#include "agent/ctl/openssl-plan.h"

#include <gio/gio.h>
#include <string.h>

#define HEAD                                                                                       \
    "# SPDX-FileCopyrightText: 2026 The Signet authors\n"                                          \
    "# SPDX-License-Identifier: Apache-2.0\n"                                                      \
    "#\n"                                                                                          \
    "# The keys of signetd for programs that use OpenSSL: included at the end of openssl.cnf by\n" \
    "# 'signetctl setup openssl'. 'default' comes first, and active: without it all TLS stops.\n"

#define MARK         "# signetctl setup openssl: "
#define MARK_UNENDED "# signetctl setup openssl, after a line without an end: "
#define MARK_TEXT    "'signetctl setup openssl --undo' takes these lines away\n"
#define INCLUDE      ".include "

/* Sections of our own, where the configuration has none. */
#define OUR_INIT      "signet_init"
#define OUR_PROVIDERS "signet_providers"
#define OUR_DEFAULT   "signet_default"
#define OUR_SIGNET    "signet_provider"

/* One provider of the list: "NAME SECTION yes|no". */
typedef struct {
    char *name, *section;
    gboolean is_active;
} Entry;

static void
entry_free(gpointer item)
{
    Entry *entry = item;

    g_free(entry->name);
    g_free(entry->section);
    g_free(entry);
}

static GPtrArray *
list_entries(const SignetProbeReport *findings)
{
    GPtrArray *entries = g_ptr_array_new_with_free_func(entry_free);
    guint position = 0;
    const char *value;

    while ((value = signet_probe_report_next(findings, "config.provider", &position))) {
        g_auto(GStrv) words = g_strsplit(value, " ", 4);
        Entry *entry;

        if (g_strv_length(words) < 3)
            continue;
        entry = g_new0(Entry, 1);
        entry->name = g_strdup(words[0]);
        entry->section = g_strdup(words[1]);
        entry->is_active = g_str_equal(words[2], "yes");
        g_ptr_array_add(entries, entry);
    }
    return entries;
}

static const Entry *
find_entry(const GPtrArray *entries, const char *name)
{
    for (guint i = 0; i < entries->len; i++) {
        const Entry *entry = g_ptr_array_index(entries, i);

        if (g_str_equal(entry->name, name))
            return entry;
    }
    return NULL;
}

static gboolean
is_active(const GPtrArray *entries, const char *name)
{
    const Entry *entry = find_entry(entries, name);

    return entry && entry->is_active;
}

/* One way of reading the file. */
typedef struct {
    const SignetProbeReport *findings;
    GPtrArray *entries;
    const char *init, *providers; /* (nullable) */
} Way;

/* --- refusals --- */

/* As libcrypto's reader of section names takes it in every release, without quoting. */
static gboolean
is_plain(const char *name)
{
    return !name ||
           (*name && name[strspn(name, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "_-.")] == '\0');
}

static gboolean
check_names(const Way *way, GError **error)
{
    const char *odd = is_plain(way->init) ? NULL : way->init;

    odd = is_plain(way->providers) ? odd : way->providers;
    for (guint i = 0; i < way->entries->len; i++) {
        const Entry *entry = g_ptr_array_index(way->entries, i);

        odd = is_plain(entry->section) ? odd : entry->section;
        odd = is_plain(entry->name) ? odd : entry->name;
    }
    if (!odd)
        return TRUE;
    g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED,
                "it names a section '%s', with letters that cannot be repeated safely; rename it",
                odd);
    return FALSE;
}

/* A machine that is to use validated cryptography only must not get 'default' from us. */
static gboolean
check_fips(const Way *way, GError **error)
{
    const char *properties = signet_probe_report_get(way->findings, "config.properties");
    g_autofree char *squeezed = g_strdup(properties ? properties : "");
    gsize size = 0;

    for (const char *from = squeezed; *from; from++)
        if (!g_ascii_isspace(*from))
            squeezed[size++] = *from;
    squeezed[size] = '\0';
    if (strstr(squeezed, "fips=yes") && !strstr(squeezed, "?fips=yes")) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED,
                    "it asks for default_properties = %s, and keys of a token are not OpenSSL's to "
                    "vouch for; write ?fips=yes (preferred) if that is allowed here",
                    properties);
        return FALSE;
    }
    if (is_active(way->entries, "fips") && !is_active(way->entries, "default")) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED,
                    "it activates 'fips' and not 'default', which the provider needs; activate "
                    "'default' by hand if that is allowed here");
        return FALSE;
    }
    return TRUE;
}

/* --- the file to include --- */

/* What is added to a list that the configuration has. TRUE: it needs a default of ours. */
static gboolean
append_to_list(GString *text, const GPtrArray *entries, const char *providers)
{
    const Entry *standard = find_entry(entries, "default");

    g_string_append_printf(text, "\n[%s]\n", providers);
    if (!standard) {
        /* naming the others again puts them behind it */
        g_string_append(text, "default = " OUR_DEFAULT "\n");
        for (guint i = 0; i < entries->len; i++) {
            const Entry *entry = g_ptr_array_index(entries, i);

            if (!g_str_equal(entry->name, "signet"))
                g_string_append_printf(text, "%s = %s\n", entry->name, entry->section);
        }
    }
    g_string_append(text, "signet = " OUR_SIGNET "\n");
    if (standard && !standard->is_active)
        g_string_append_printf(text, "\n[%s]\nactivate = 1\n", standard->section);
    return !standard;
}

static gboolean
is_done(const Way *way)
{
    return way->init && is_active(way->entries, "default") && is_active(way->entries, "signet");
}

/* What its list lacks, or that ours is its list. */
static void
append_way(GString *text, const Way *way, gboolean *needs_list, gboolean *needs_default)
{
    if (is_done(way))
        return;
    if (way->providers) {
        *needs_default |= append_to_list(text, way->entries, way->providers);
        return;
    }
    g_string_append_printf(text, "\n[%s]\nproviders = " OUR_PROVIDERS "\n",
                           way->init ? way->init : OUR_INIT);
    *needs_list = *needs_default = TRUE;
}

/* Node.js gets nothing of what other programs have there (engines, TLS settings) but what it needs:
 * it ends where others go on when a part of the configuration is wrong. */
static char *
write_plan(const Way *openssl, const Way *node, const char *module)
{
    GString *text = g_string_new(HEAD "\n[default]\n");
    gboolean needs_list = FALSE, needs_default = FALSE;
    gboolean is_shared = openssl->providers && g_strcmp0(openssl->providers, node->providers) == 0;

    g_string_append_printf(text, "openssl_conf = %s\nnodejs_conf = %s\n",
                           openssl->init ? openssl->init : OUR_INIT,
                           node->init ? node->init : OUR_INIT);
    append_way(text, openssl, &needs_list, &needs_default);
    if (!is_shared && g_strcmp0(openssl->init, node->init) != 0)
        append_way(text, node, &needs_list, &needs_default);
    if (needs_list)
        g_string_append(text, "\n[" OUR_PROVIDERS "]\ndefault = " OUR_DEFAULT
                              "\nsignet = " OUR_SIGNET "\n");
    if (needs_default)
        g_string_append(text, "\n[" OUR_DEFAULT "]\nactivate = 1\n");
    g_string_append_printf(text, "\n[" OUR_SIGNET "]\nmodule = %s\nactivate = 1\n", module);
    return g_string_free(text, FALSE);
}

char *
signet_openssl_plan(const SignetProbeReport *openssl, const SignetProbeReport *node,
                    const char *module, GError **error)
{
    g_autoptr(GPtrArray) entries = list_entries(openssl);
    g_autoptr(GPtrArray) node_entries = list_entries(node);
    const Way ways[] = {{openssl, entries, signet_probe_report_get(openssl, "config.init"),
                         signet_probe_report_get(openssl, "config.providers")},
                        {node, node_entries, signet_probe_report_get(node, "config.init"),
                         signet_probe_report_get(node, "config.providers")}};

    for (gsize i = 0; i < G_N_ELEMENTS(ways); i++) {
        if (!check_names(&ways[i], error))
            return NULL;
    }
    if (!check_fips(&ways[0], error))
        return NULL;
    if (is_done(&ways[0]) && is_done(&ways[1]))
        return g_strdup("");
    return write_plan(&ways[0], &ways[1], module);
}

/* --- the line that includes it --- */

static const char *
line_end(const GString *text)
{
    const char *first = memchr(text->str, '\n', text->len);

    return first && first > text->str && first[-1] == '\r' ? "\r\n" : "\n";
}

/* With an empty line before: it ends a last line that goes on ("\"), too. */
GString *
signet_openssl_add(const GString *text, const char *include)
{
    const char *end = line_end(text);
    gboolean is_unended = text->len > 0 && text->str[text->len - 1] != '\n';
    GString *result = g_string_new_len(text->str, (gssize)text->len);
    GString *lines = g_string_new(is_unended ? "\n" : "");

    g_string_append_printf(lines, "\n%s" MARK_TEXT INCLUDE "%s\n", is_unended ? MARK_UNENDED : MARK,
                           include);
    g_string_replace(lines, "\n", end, 0);
    g_string_append_len(result, lines->str, (gssize)lines->len);
    g_string_free(lines, TRUE);
    return result;
}

static gsize
line_size(const char *at, gsize left)
{
    const char *end = memchr(at, '\n', left);

    return end ? (gsize)(end - at) + 1 : left;
}

static gboolean
begins(const char *line, gsize size, const char *what)
{
    return size >= strlen(what) && memcmp(line, what, strlen(what)) == 0;
}

static void
drop_end(GString *text)
{
    if (text->len > 0 && text->str[text->len - 1] == '\n')
        g_string_truncate(text, text->len - 1);
    if (text->len > 0 && text->str[text->len - 1] == '\r')
        g_string_truncate(text, text->len - 1);
}

static gboolean
ends_with_empty_line(const GString *text)
{
    gsize size = text->len;

    if (size == 0 || text->str[size - 1] != '\n')
        return FALSE;
    size -= size > 1 && text->str[size - 2] == '\r' ? 2 : 1;
    return size == 0 || text->str[size - 1] == '\n';
}

GString *
signet_openssl_strip(const GString *text, char **ret_include)
{
    GString *result = g_string_new(NULL);
    gboolean is_ours = FALSE; /* the line before was the mark */

    if (ret_include)
        *ret_include = NULL;
    for (gsize at = 0, size; at < text->len; at += size) {
        const char *line = text->str + at;
        gboolean is_mark = FALSE, is_unended = FALSE;

        size = line_size(line, text->len - at);
        is_unended = begins(line, size, MARK_UNENDED);
        is_mark = is_unended || begins(line, size, MARK);
        if (is_mark && ends_with_empty_line(result))
            drop_end(result);
        if (is_unended)
            drop_end(result);
        if (is_ours && begins(line, size, INCLUDE) && ret_include && !*ret_include)
            *ret_include = g_strstrip(g_strndup(line + strlen(INCLUDE), size - strlen(INCLUDE)));
        if (!is_mark && !(is_ours && begins(line, size, INCLUDE)))
            g_string_append_len(result, line, (gssize)size);
        is_ours = is_mark;
    }
    return result;
}
