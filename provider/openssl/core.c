/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Upcalls, and how an entry gets into the error queue of the libcrypto that loaded us. */

#include "provider/openssl/core.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

bool
signet_core_init(struct signet_core *core, const OSSL_CORE_HANDLE *handle, const OSSL_DISPATCH *in)
{
    core->handle = handle;
    for (; in->function_id != 0; in++) {
        switch (in->function_id) {
#define TAKE(ID, field, name)               \
    case OSSL_FUNC_##ID:                    \
        core->field = OSSL_FUNC_##name(in); \
        break
            TAKE(CORE_GET_PARAMS, get_params, core_get_params);
            TAKE(CORE_GET_LIBCTX, get_libctx, core_get_libctx);
            TAKE(CORE_NEW_ERROR, new_error, core_new_error);
            TAKE(CORE_SET_ERROR_DEBUG, set_error_debug, core_set_error_debug);
            TAKE(CORE_VSET_ERROR, vset_error, core_vset_error);
            TAKE(BIO_READ_EX, bio_read_ex, BIO_read_ex);
            TAKE(BIO_WRITE_EX, bio_write_ex, BIO_write_ex);
            TAKE(CRYPTO_MALLOC, crypto_malloc, CRYPTO_malloc);
#undef TAKE
        }
    }
    return core->get_params != NULL && core->get_libctx != NULL && core->new_error != NULL &&
           core->set_error_debug != NULL && core->vset_error != NULL && core->bio_read_ex != NULL &&
           core->bio_write_ex != NULL && core->crypto_malloc != NULL;
}

const OSSL_ITEM *
signet_reason_strings(void *context)
{
    static const OSSL_ITEM items[] = {
#define X(symbol, number, text) {number, (char *)(text)},
        SIGNET_REASONS(X)
#undef X
#define X(symbol, number, text) {SIGNET_REASON_AGENT + (number), (char *)(text)},
            SIGNET_WIRE_STATUSES(X)
#undef X
                {0, NULL}};
    return items;
}

__attribute__((format(printf, 3, 4))) static void
vset_error(const struct signet_core *core, int reason, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    core->vset_error(core->handle, (uint32_t)reason, format, arguments);
    va_end(arguments);
}

void
signet_raise_at(const struct signet_core *core, struct signet_place place, int reason,
                const char *format, ...)
{
    char text[SIGNET_WIRE_TEXT_MAX + 128];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);

    core->new_error(core->handle);
    core->set_error_debug(core->handle, place.file, place.line, place.function);
    vset_error(core, reason, "signet: %s", text);
}

static int
reason_of(const struct signet_channel_failure *failure)
{
    static const int reasons[] = {
        [SIGNET_CHANNEL_OK] = SIGNET_REASON_PROTOCOL,
        [SIGNET_CHANNEL_UNREACHABLE] = SIGNET_REASON_UNREACHABLE,
        [SIGNET_CHANNEL_TIMED_OUT] = SIGNET_REASON_TIMED_OUT,
        [SIGNET_CHANNEL_PROTOCOL] = SIGNET_REASON_PROTOCOL,
        [SIGNET_CHANNEL_NO_MEMORY] = SIGNET_REASON_NO_MEMORY,
    };
    return failure->error == SIGNET_CHANNEL_REFUSED ? SIGNET_REASON_AGENT + (int)failure->status
                                                    : reasons[failure->error];
}

void
signet_raise_failure_at(const struct signet_core *core, struct signet_place place,
                        const char *identity, const struct signet_channel_failure *failure)
{
    char quoted[SIGNET_WIRE_NAME_MAX + 3];
    snprintf(quoted, sizeof(quoted), "'%s'", identity);
    if (strstr(failure->text, quoted) != NULL)
        signet_raise_at(core, place, reason_of(failure), "%s", failure->text);
    else
        signet_raise_at(core, place, reason_of(failure), "identity %s: %s", quoted, failure->text);
}
