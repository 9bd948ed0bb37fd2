/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Operations 'job' and 'result' over the channel. */

#include "agent/enroller/link.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "provider/channel/channel.h"

#define TIMEOUT_MS 30000u

struct SignetLink {
    int fd; /* (owned) the same socket under a number that the provider does not know */
    struct signet_channel *channel; /* (owned) */
};

SignetLink *
signet_link_new(int fd, GError **error)
{
    g_autoptr(SignetLink) link = g_new0(SignetLink, 1);
    char socket[32];

    link->fd = fcntl(fd, F_DUPFD_CLOEXEC, fd + 1);
    if (link->fd < 0) {
        signet_error_set(
            error, SIGNET_ERROR_IO,
            "descriptor %d is not open: signet-enroll is started by signetd, not by hand", fd);
        return NULL;
    }
    g_snprintf(socket, sizeof(socket), "fd:%d", link->fd);
    const struct signet_channel_settings settings = {
        .socket = socket,
        .timeout_ms = TIMEOUT_MS,
        .program = "signet-enroll",
    };
    link->channel = signet_channel_new(&settings);
    if (!link->channel) {
        signet_error_set(error, SIGNET_ERROR_FAILED, "out of memory");
        return NULL;
    }
    return g_steal_pointer(&link);
}

void
signet_link_free(SignetLink *link)
{
    if (link->channel)
        signet_channel_free(link->channel);
    if (link->fd >= 0)
        close(link->fd);
    g_free(link);
}

SignetJob *
signet_link_get_job(SignetLink *link, GError **error)
{
    const struct signet_channel_call call = {.op = SIGNET_WIRE_OP_JOB};
    struct signet_channel_reply reply = {0};
    struct signet_channel_failure failure = {0};
    struct signet_wire_job_reply message = {0};

    if (!signet_channel_call(link->channel, &call, &reply, &failure)) {
        signet_error_set(error, SIGNET_ERROR_IO, "cannot get the job: %s", failure.text);
        return NULL;
    }
    gboolean is_read = signet_wire_get_job_reply(&reply.reader, &message);
    g_autoptr(GBytes) text = g_bytes_new(message.job.data, is_read ? message.job.size : 0);
    signet_channel_release(&reply);
    if (!is_read) {
        signet_error_set(error, SIGNET_ERROR_IO, "cannot get the job: the answer is malformed");
        return NULL;
    }
    return signet_job_new_from_text(text, error);
}

static GBytes *
copy_bytes(struct signet_bytes bytes)
{
    return g_bytes_new(bytes.data, bytes.size);
}

/* What no trying again changes. */
static SignetErrorKind
kind_of(enum signet_wire_status status)
{
    static const struct {
        enum signet_wire_status status;
        SignetErrorKind kind;
    } kinds[] = {
        {SIGNET_WIRE_STATUS_UNSUPPORTED, SIGNET_ERROR_UNSUPPORTED},
        {SIGNET_WIRE_STATUS_DENIED, SIGNET_ERROR_DENIED},
        {SIGNET_WIRE_STATUS_BAD_REQUEST, SIGNET_ERROR_BAD_REQUEST},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(kinds); i++) {
        if (kinds[i].status == status)
            return kinds[i].kind;
    }
    return SIGNET_ERROR_FAILED;
}

gboolean
signet_link_certify(SignetLink *link, const char *token, SignetLinkEvidence *evidence,
                    GError **error)
{
    struct signet_wire_certify_request message = {.challenge = signet_bytes_from_string(token)};
    const struct signet_channel_call call = {.op = SIGNET_WIRE_OP_CERTIFY, .message = &message};
    struct signet_channel_reply reply = {0};
    struct signet_channel_failure failure = {0};
    struct signet_wire_certify_reply answer = {0};

    if (!signet_channel_call(link->channel, &call, &reply, &failure))
        return signet_error_set(error, kind_of(failure.status), "there is no evidence: %s",
                                failure.text);
    gboolean is_read = signet_wire_get_certify_reply(&reply.reader, &answer);
    if (is_read)
        *evidence = (SignetLinkEvidence) {.attestation = copy_bytes(answer.attestation),
                                          .signature = copy_bytes(answer.signature),
                                          .key = copy_bytes(answer.key),
                                          .chain = copy_bytes(answer.chain)};
    signet_channel_release(&reply);
    return is_read || signet_error_set(error, SIGNET_ERROR_IO,
                                       "cannot get evidence: the agent's answer is malformed");
}

void
signet_link_evidence_clear(SignetLinkEvidence *evidence)
{
    g_clear_pointer(&evidence->attestation, g_bytes_unref);
    g_clear_pointer(&evidence->signature, g_bytes_unref);
    g_clear_pointer(&evidence->key, g_bytes_unref);
    g_clear_pointer(&evidence->chain, g_bytes_unref);
}

/* Worth another try without a change by somebody? */
static gboolean
is_transient(const GError *failure)
{
    switch (signet_error_kind(failure)) {
    case SIGNET_ERROR_BAD_REQUEST:
    case SIGNET_ERROR_NOT_FOUND:
    case SIGNET_ERROR_DENIED:
    case SIGNET_ERROR_UNSUPPORTED:
    case SIGNET_ERROR_CORRUPT:
    case SIGNET_ERROR_POLICY:
    case SIGNET_ERROR_CA_REFUSED:
        return FALSE;
    case SIGNET_ERROR_FAILED:
    case SIGNET_ERROR_TOKEN_ABSENT:
    case SIGNET_ERROR_TOKEN_FAILED:
    case SIGNET_ERROR_PIN_NEEDED:
    case SIGNET_ERROR_BUSY:
    case SIGNET_ERROR_TIMED_OUT:
    case SIGNET_ERROR_CA_PENDING:
    case SIGNET_ERROR_CA_UNREACHABLE:
    case SIGNET_ERROR_IO:
        return TRUE;
    }
    return TRUE;
}

/* Within TEXT's limits: UTF-8, one line, cut where it is too long. */
static char *
dup_text(const char *text)
{
    g_autofree char *valid = g_utf8_make_valid(text, -1);
    GString *line = g_string_new(NULL);

    for (const char *p = valid; *p; p = g_utf8_next_char(p)) {
        gunichar c = g_utf8_get_char(p);
        gsize size = (gsize)(g_utf8_next_char(p) - p);

        if (line->len + size > SIGNET_WIRE_TEXT_MAX)
            break;
        if (g_unichar_iscntrl(c))
            g_string_append_c(line, ' ');
        else
            g_string_append_len(line, p, (gssize)size);
    }
    return g_string_free(line, FALSE);
}

gboolean
signet_link_send_result(SignetLink *link, const SignetEnrollerOutcome *outcome,
                        const GError *failure, GError **error)
{
    g_autofree char *text = dup_text(failure ? failure->message : "");
    struct signet_wire_result_request message = {.error = signet_bytes_from_string(text)};
    struct signet_channel_reply reply = {0};
    struct signet_channel_failure lost = {0};

    if (failure) {
        message.transient = is_transient(failure);
    } else {
        message.chain = (struct signet_bytes) {outcome->chain->data, outcome->chain->len};
        message.anchors = (struct signet_bytes) {outcome->anchors->data, outcome->anchors->len};
        message.retry_after_s = outcome->retry_after_s;
    }
    if (outcome->state && (failure || outcome->chain->len == 0)) {
        gsize size = 0;
        const guint8 *data = g_bytes_get_data(outcome->state, &size);

        message.state = (struct signet_bytes) {data, size};
    }
    const struct signet_channel_call call = {.op = SIGNET_WIRE_OP_RESULT, .message = &message};
    /* The reply is waited for: once it is here, the agent has the result, and may see us go. */
    if (!signet_channel_call(link->channel, &call, &reply, &lost))
        return signet_error_set(error, SIGNET_ERROR_IO, "cannot hand over the result: %s",
                                lost.text);
    signet_channel_release(&reply);
    return TRUE;
}
