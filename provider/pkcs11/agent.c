/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Requests and replies. */

#include "provider/pkcs11/agent.h"

#include <stdlib.h>
#include <string.h>

/* A connection that waits is made anew so often, in case the other end has gone without a word. */
#define WATCH_PATIENCE_MS (10u * 60 * 1000)

/* The agent's refusals; signet-pkcs11(7) lists them. */
static const CK_RV codes_of_statuses[] = {
    [SIGNET_WIRE_STATUS_OK] = CKR_GENERAL_ERROR,
    [SIGNET_WIRE_STATUS_BAD_REQUEST] = CKR_FUNCTION_FAILED,
    [SIGNET_WIRE_STATUS_NOT_FOUND] = CKR_KEY_HANDLE_INVALID,
    [SIGNET_WIRE_STATUS_DENIED] = CKR_FUNCTION_REJECTED,
    [SIGNET_WIRE_STATUS_TOKEN_ABSENT] = CKR_DEVICE_REMOVED,
    [SIGNET_WIRE_STATUS_PIN_NEEDED] = CKR_USER_NOT_LOGGED_IN,
    [SIGNET_WIRE_STATUS_BUSY] = CKR_DEVICE_ERROR,
    [SIGNET_WIRE_STATUS_TIMED_OUT] = CKR_DEVICE_ERROR,
    [SIGNET_WIRE_STATUS_UNSUPPORTED] = CKR_MECHANISM_INVALID,
    [SIGNET_WIRE_STATUS_CORRUPT] = CKR_DEVICE_ERROR,
    [SIGNET_WIRE_STATUS_TOKEN_FAILED] = CKR_DEVICE_ERROR,
    [SIGNET_WIRE_STATUS_INTERNAL] = CKR_FUNCTION_FAILED,
};

static CK_RV
code_of(const struct signet_channel_failure *failure)
{
    switch (failure->error) {
    case SIGNET_CHANNEL_OK:
        return CKR_GENERAL_ERROR;
    case SIGNET_CHANNEL_UNREACHABLE:
        return CKR_DEVICE_REMOVED;
    case SIGNET_CHANNEL_TIMED_OUT:
    case SIGNET_CHANNEL_PROTOCOL:
        return CKR_DEVICE_ERROR;
    case SIGNET_CHANNEL_REFUSED:
        return codes_of_statuses[failure->status];
    case SIGNET_CHANNEL_NO_MEMORY:
        return CKR_HOST_MEMORY;
    }
    return CKR_GENERAL_ERROR;
}

/* One page of the list, appended. */
static CK_RV
append_names(struct signet_bytes names, struct signet_name *to, size_t *count)
{
    struct signet_bytes name;
    size_t offset = 0, before = *count;
    while (*count < SIGNET_AGENT_NAMES_MAX && signet_wire_next_list_name(names, &offset, &name)) {
        if (name.size == 0 || name.size > SIGNET_WIRE_NAME_MAX)
            return CKR_DEVICE_ERROR;
        memcpy(to[*count].text, name.data, name.size);
        to[*count].text[name.size] = '\0';
        /* also what keeps an agent that repeats itself from keeping us here */
        if (*count > 0 && strcmp(to[*count].text, to[*count - 1].text) <= 0)
            return CKR_DEVICE_ERROR;
        (*count)++;
    }
    return names.size > 0 && *count == before ? CKR_DEVICE_ERROR : CKR_OK;
}

CK_RV
signet_agent_list(struct signet_channel *channel, struct signet_name **ret_names, size_t *ret_count)
{
    struct signet_name *names = malloc(SIGNET_AGENT_NAMES_MAX * sizeof(*names));
    if (names == NULL)
        return CKR_HOST_MEMORY;
    CK_RV rv = CKR_OK;
    size_t count = 0;
    bool is_last = false;
    while (rv == CKR_OK && !is_last && count < SIGNET_AGENT_NAMES_MAX) {
        const char *after = count == 0 ? "" : names[count - 1].text;
        struct signet_wire_list_request request = {signet_bytes_from_string(after)};
        struct signet_channel_call call = {SIGNET_WIRE_OP_LIST, &request, 0};
        struct signet_channel_reply reply = {0};
        struct signet_channel_failure failure;
        struct signet_wire_list_reply message;
        if (!signet_channel_call(channel, &call, &reply, &failure)) {
            rv = code_of(&failure);
        } else if (!signet_wire_get_list_reply(&reply.reader, &message)) {
            rv = CKR_DEVICE_ERROR;
        } else {
            is_last = message.names.size == 0;
            rv = append_names(message.names, names, &count);
        }
        signet_channel_release(&reply);
    }
    if (rv != CKR_OK) {
        free(names);
        return rv;
    }
    *ret_names = names;
    *ret_count = count;
    return CKR_OK;
}

static bool
is_hidden(const struct signet_channel_failure *failure)
{
    return failure->error == SIGNET_CHANNEL_REFUSED &&
           (failure->status == SIGNET_WIRE_STATUS_NOT_FOUND ||
            failure->status == SIGNET_WIRE_STATUS_DENIED);
}

CK_RV
signet_agent_look_up(struct signet_channel *channel, const char *name,
                     struct signet_identity **ret_identity)
{
    struct signet_bytes bytes = signet_bytes_from_string(name);
    struct signet_wire_lookup_request request = {.identity = bytes};
    struct signet_channel_call call = {SIGNET_WIRE_OP_LOOKUP, &request, 0};
    struct signet_channel_reply reply = {0};
    struct signet_channel_failure failure;
    struct signet_wire_lookup_reply message;
    *ret_identity = NULL;
    if (!signet_channel_call(channel, &call, &reply, &failure))
        return is_hidden(&failure) ? CKR_OK : code_of(&failure);
    CK_RV rv = CKR_DEVICE_ERROR;
    bool is_malformed = true;
    if (signet_wire_get_lookup_reply(&reply.reader, &message)) {
        *ret_identity = signet_identity_new(bytes, &message, &is_malformed);
        rv = *ret_identity != NULL || is_malformed ? CKR_OK : CKR_HOST_MEMORY;
    }
    signet_channel_release(&reply);
    return rv;
}

/* What it means that the agent could make nothing of a request. */
static CK_RV
bad_request(enum signet_wire_op op)
{
    return op == SIGNET_WIRE_OP_DECRYPT  ? CKR_ENCRYPTED_DATA_INVALID
           : op == SIGNET_WIRE_OP_DERIVE ? CKR_MECHANISM_PARAM_INVALID
           : op == SIGNET_WIRE_OP_WATCH  ? CKR_FUNCTION_NOT_SUPPORTED
                                         : CKR_FUNCTION_FAILED;
}

CK_RV
signet_agent_use(struct signet_channel *channel, const struct signet_channel_call *call,
                 uint8_t *to, size_t *size)
{
    struct signet_channel_reply reply = {0};
    struct signet_channel_failure failure;
    if (!signet_channel_call(channel, call, &reply, &failure)) {
        bool is_bad = failure.error == SIGNET_CHANNEL_REFUSED &&
                      failure.status == SIGNET_WIRE_STATUS_BAD_REQUEST;
        return is_bad ? bad_request(call->op) : code_of(&failure);
    }
    struct signet_bytes answer;
    bool ok = signet_wire_get_result(&reply.reader, call->op, &answer) && answer.size <= *size;
    if (ok) {
        memcpy(to, answer.data, answer.size);
        *size = answer.size;
    }
    signet_channel_release(&reply);
    return ok ? CKR_OK : CKR_DEVICE_ERROR;
}

CK_RV
signet_agent_watch(struct signet_channel *channel, const struct signet_view *seen,
                   struct signet_view *ret_view)
{
    struct signet_wire_watch_request request = {{seen->data, seen->size}};
    struct signet_channel_call call = {SIGNET_WIRE_OP_WATCH, &request,
                                       seen->size > 0 ? WATCH_PATIENCE_MS : 0};
    ret_view->size = sizeof(ret_view->data);
    return signet_agent_use(channel, &call, ret_view->data, &ret_view->size);
}
