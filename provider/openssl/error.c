/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* The reasons as strings, and how an entry gets into the error queue of the libcrypto that loaded
 * us. */

#include "provider/openssl/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "provider/openssl/provider.h"

const OSSL_ITEM *
signet_reason_strings(void *context)
{
    static const OSSL_ITEM items[] = {
#define X(symbol, number, text) {number, (char *)(text)},
        SIGNET_REASONS(X)
#undef X
            {0, NULL}};
    return items;
}

__attribute__((format(printf, 3, 4))) static void
vset_error(const struct signet_provider *provider, enum signet_reason reason, const char *format,
           ...)
{
    va_list arguments;
    va_start(arguments, format);
    provider->core.vset_error(provider->handle, (uint32_t)reason, format, arguments);
    va_end(arguments);
}

void
signet_raise_at(const struct signet_provider *provider, struct signet_place place,
                enum signet_reason reason, const char *format, ...)
{
    char text[SIGNET_WIRE_TEXT_MAX + 128];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);

    provider->core.new_error(provider->handle);
    provider->core.set_error_debug(provider->handle, place.file, place.line, place.function);
    vset_error(provider, reason, "signet: %s", text);
}

static enum signet_reason
reason_from_status(enum signet_wire_status status)
{
    switch (status) {
    case SIGNET_WIRE_STATUS_BAD_REQUEST:
        return SIGNET_REASON_BAD_REQUEST;
    case SIGNET_WIRE_STATUS_NOT_FOUND:
        return SIGNET_REASON_NOT_FOUND;
    case SIGNET_WIRE_STATUS_DENIED:
        return SIGNET_REASON_DENIED;
    case SIGNET_WIRE_STATUS_TOKEN_ABSENT:
        return SIGNET_REASON_TOKEN_ABSENT;
    case SIGNET_WIRE_STATUS_PIN_NEEDED:
        return SIGNET_REASON_PIN_NEEDED;
    case SIGNET_WIRE_STATUS_BUSY:
        return SIGNET_REASON_BUSY;
    case SIGNET_WIRE_STATUS_TIMED_OUT:
        return SIGNET_REASON_TIMED_OUT;
    case SIGNET_WIRE_STATUS_UNSUPPORTED:
        return SIGNET_REASON_UNSUPPORTED;
    case SIGNET_WIRE_STATUS_TOKEN_FAILED:
        return SIGNET_REASON_TOKEN_FAILED;
    case SIGNET_WIRE_STATUS_OK:
    case SIGNET_WIRE_STATUS_CORRUPT:
    case SIGNET_WIRE_STATUS_INTERNAL:
        return SIGNET_REASON_AGENT_FAILED;
    }
    return SIGNET_REASON_AGENT_FAILED;
}

static enum signet_reason
reason_from_failure(const struct signet_channel_failure *failure)
{
    switch (failure->error) {
    case SIGNET_CHANNEL_UNREACHABLE:
        return SIGNET_REASON_UNREACHABLE;
    case SIGNET_CHANNEL_TIMED_OUT:
        return SIGNET_REASON_TIMED_OUT;
    case SIGNET_CHANNEL_REFUSED:
        return reason_from_status(failure->status);
    case SIGNET_CHANNEL_NO_MEMORY:
        return SIGNET_REASON_NO_MEMORY;
    case SIGNET_CHANNEL_OK:
    case SIGNET_CHANNEL_PROTOCOL:
        return SIGNET_REASON_PROTOCOL;
    }
    return SIGNET_REASON_PROTOCOL;
}

void
signet_raise_failure_at(const struct signet_provider *provider, struct signet_place place,
                        const char *identity, const struct signet_channel_failure *failure)
{
    char quoted[SIGNET_WIRE_NAME_MAX + 3];
    snprintf(quoted, sizeof(quoted), "'%s'", identity);
    enum signet_reason reason = reason_from_failure(failure);
    if (strstr(failure->text, quoted) != NULL)
        signet_raise_at(provider, place, reason, "%s", failure->text);
    else
        signet_raise_at(provider, place, reason, "identity %s: %s", quoted, failure->text);
}
