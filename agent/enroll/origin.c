/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Compares the servers of URLs. */

#include "agent/enroll/origin.h"

#include <string.h>

#define URL_MAX    2048
#define HTTPS_PORT 443

static GUri *
parse(const char *url)
{
    for (const char *p = url; *p; p++) {
        if (!g_ascii_isgraph(*p) || *p == '\\')
            return NULL;
    }
    return strlen(url) <= URL_MAX ? g_uri_parse(url, G_URI_FLAGS_ENCODED, NULL) : NULL;
}

static int
port_of(GUri *uri)
{
    return g_uri_get_port(uri) < 0 ? HTTPS_PORT : g_uri_get_port(uri);
}

gboolean
signet_origin_has(const char *base, const char *url)
{
    g_autoptr(GUri) ours = parse(base);
    g_autoptr(GUri) theirs = parse(url);

    return ours && theirs && !g_uri_get_userinfo(theirs) && !g_uri_get_fragment(theirs) &&
           g_str_equal(g_uri_get_scheme(theirs), "https") &&
           g_str_equal(g_uri_get_scheme(ours), "https") && g_uri_get_host(ours) &&
           g_uri_get_host(theirs) &&
           g_ascii_strcasecmp(g_uri_get_host(ours), g_uri_get_host(theirs)) == 0 &&
           port_of(ours) == port_of(theirs);
}
