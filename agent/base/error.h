/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* The agent's errors: one domain, a closed set of kinds that callers act on. */

#pragma once

#include <glib.h>

#include "provider/wire/catalogue.h"

/* K(SYMBOL, "D-Bus name behind org.signet.Error.", wire status) */
#define SIGNET_ERROR_KINDS(K)                    \
    K(FAILED, "Failed", INTERNAL)                \
    K(BAD_REQUEST, "BadRequest", BAD_REQUEST)    \
    K(NOT_FOUND, "NotFound", NOT_FOUND)          \
    K(DENIED, "Denied", DENIED)                  \
    K(TOKEN_ABSENT, "TokenAbsent", TOKEN_ABSENT) \
    K(TOKEN_FAILED, "TokenFailed", TOKEN_FAILED) \
    K(PIN_NEEDED, "PinNeeded", PIN_NEEDED)       \
    K(BUSY, "Busy", BUSY)                        \
    K(TIMED_OUT, "TimedOut", TIMED_OUT)          \
    K(UNSUPPORTED, "Unsupported", UNSUPPORTED)   \
    K(CORRUPT, "Corrupt", CORRUPT)               \
    K(POLICY, "Policy", BAD_REQUEST)             \
    K(CA_REFUSED, "CaRefused", INTERNAL)         \
    K(CA_PENDING, "CaPending", BUSY)             \
    K(CA_UNREACHABLE, "CaUnreachable", INTERNAL) \
    K(IO, "Io", INTERNAL)

typedef enum {
#define K(symbol, name, status) SIGNET_ERROR_##symbol,
    SIGNET_ERROR_KINDS(K)
#undef K
} SignetErrorKind;

#define SIGNET_ERROR (signet_error_quark())
GQuark signet_error_quark(void);

/* The only ways to make one, so that the domain cannot be wrong. set returns FALSE for 'return
 * signet_error_set(…)'. */
gboolean
signet_error_set(GError **error, SignetErrorKind kind, const char *format, ...) G_GNUC_PRINTF(3, 4);
GError *signet_error_new(SignetErrorKind kind, const char *format, ...) G_GNUC_PRINTF(2, 3);
gboolean signet_error_is(const GError *error, SignetErrorKind kind);
/* A foreign error (GIO …) becomes FAILED, or IO for G_FILE_ERROR and G_IO_ERROR. */
SignetErrorKind signet_error_kind(const GError *error);
enum signet_wire_status signet_error_wire_status(const GError *error);
/* "org.signet.Error.Denied"; static */
const char *signet_error_dbus_name(SignetErrorKind kind);
