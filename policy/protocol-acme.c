/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* The keys of ca.d/NAME.conf for Protocol=acme. */

#include "policy/protocol-acme.h"

#include <string.h>

#include "policy/value.h"

#define TEXT_MAX     256
#define CONTACTS_MAX 8

char *
signet_acme_check_text(const char *value)
{
    for (const char *p = value; *p; p++) {
        if (!g_ascii_isgraph(*p) || *p == '"' || *p == '\\')
            return g_strdup("it has a character that cannot stand there");
    }
    return *value && strlen(value) <= TEXT_MAX
               ? NULL
               : g_strdup_printf("write 1 to %d characters", TEXT_MAX);
}

/* "listen", "listen:8080", "program" */
char *
signet_acme_check_http(const char *value)
{
    const char *port = g_str_has_prefix(value, "listen:") ? value + strlen("listen:") : "80";
    guint64 number = 0;

    if (g_str_equal(value, "program"))
        return NULL;
    if ((g_str_equal(value, "listen") || g_str_has_prefix(value, "listen:")) &&
        g_ascii_string_to_unsigned(port, 10, 1, G_MAXUINT16, &number, NULL))
        return NULL;
    return g_strdup("write listen, listen:PORT or program");
}

char *
signet_acme_check_dns(const char *value)
{
    return g_str_equal(value, "program") ? NULL : g_strdup("write program, or leave it out");
}

char *
signet_acme_check_contacts(const char *value)
{
    g_auto(GStrv) items = signet_value_split_list(value);

    if (!items[0] || g_strv_length(items) > CONTACTS_MAX)
        return g_strdup_printf("write 1 to %d addresses", CONTACTS_MAX);
    for (char **item = items; *item; item++) {
        char *problem = signet_acme_check_text(*item);

        if (problem)
            return problem;
        if (!g_str_has_prefix(*item, "mailto:"))
            return g_strdup("write mailto:ADDRESS");
    }
    return NULL;
}

char *
signet_acme_check_agreement(const char *value)
{
    return g_str_equal(value, "yes") ? NULL : g_strdup("write yes, or leave it out");
}

/* draft-ietf-acme-device-attest: whatever a CA knows devices by. */
char *
signet_acme_check_permanent(const char *value)
{
    char *problem = signet_acme_check_text(value);

    return problem ? problem : signet_value_find_bad_placeholder(value);
}
