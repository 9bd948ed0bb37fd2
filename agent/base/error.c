/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* The agent's errors: one domain, a closed set of kinds that callers act on. */

#include "agent/base/error.h"

#include <gio/gio.h>

#define DBUS_PREFIX "org.signet.Error."

G_DEFINE_QUARK(signet - error, signet_error)

gboolean
signet_error_set(GError **error, SignetErrorKind kind, const char *format, ...)
{
    va_list args;

    if (error) {
        g_return_val_if_fail(!*error, FALSE);
        va_start(args, format);
        *error = g_error_new_valist(SIGNET_ERROR, kind, format, args);
        va_end(args);
    }
    return FALSE;
}

GError *
signet_error_new(SignetErrorKind kind, const char *format, ...)
{
    GError *error;
    va_list args;

    va_start(args, format);
    error = g_error_new_valist(SIGNET_ERROR, kind, format, args);
    va_end(args);
    return error;
}

gboolean
signet_error_is(const GError *error, SignetErrorKind kind)
{
    return g_error_matches(error, SIGNET_ERROR, (int)kind);
}

SignetErrorKind
signet_error_kind(const GError *error)
{
    if (error && error->domain == SIGNET_ERROR)
        return (SignetErrorKind)error->code;
    if (error && (error->domain == G_FILE_ERROR || error->domain == G_IO_ERROR))
        return SIGNET_ERROR_IO;
    return SIGNET_ERROR_FAILED;
}

enum signet_wire_status
signet_error_wire_status(const GError *error)
{
    switch (signet_error_kind(error)) {
#define K(symbol, name, status) \
    case SIGNET_ERROR_##symbol: \
        return SIGNET_WIRE_STATUS_##status;
        SIGNET_ERROR_KINDS(K)
#undef K
    }
    return SIGNET_WIRE_STATUS_INTERNAL;
}

const char *
signet_error_dbus_name(SignetErrorKind kind)
{
    switch (kind) {
#define K(symbol, name, status) \
    case SIGNET_ERROR_##symbol: \
        return DBUS_PREFIX name;
        SIGNET_ERROR_KINDS(K)
#undef K
    }
    return DBUS_PREFIX "Failed";
}
