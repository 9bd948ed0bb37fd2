/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Object paths: a name from the policy as one element of a D-Bus path. */

#include "agent/bus/path.h"

char *
signet_bus_path_new(const char *parent, const char *name)
{
    GString *path = g_string_new(parent);

    g_string_append_c(path, '/');
    if (!*name)
        g_string_append_c(path, '_');
    for (; *name; name++) {
        if (g_ascii_isalnum(*name))
            g_string_append_c(path, *name);
        else
            g_string_append_printf(path, "_%02x", (guint)(guint8)*name);
    }
    return g_string_free(path, FALSE);
}
