/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* A canary that is a RADIUS server: EAP-TLS as a switch or an access point would carry it. */

#include <errno.h>
#include <netdb.h>
#include <openssl/rand.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent/base/error.h"
#include "agent/enroll/remote.h"
#include "agent/enroller/canary-trial.h"
#include "agent/enroller/eap-tls.h"
#include "agent/enroller/radius.h"

#define ROUNDS_MAX    100 /* a chain of 64 KiB in fragments of a KiB */
#define DATAGRAMS_MAX 64  /* that are no answer, for each request */
#define TIME_S        45

typedef struct {
    SignetTrial *trial;
    const SignetSecret *secret;
    OSSL_LIB_CTX *library;
    SignetEapTls *eap; /* (owned) */
    const char *user;
    int fd;
    guint8 identifier;
    GBytes *state; /* (owned, nullable) */
    gint64 deadline_us;
    gboolean is_nobody_there; /* the kernel says so */
    gboolean is_unproved;     /* somebody answered, without the secret */
} Talk;

static void
talk_clear(Talk *talk)
{
    signet_eap_tls_free(talk->eap);
    g_clear_pointer(&talk->state, g_bytes_unref);
    if (talk->fd >= 0)
        close(talk->fd);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Talk, talk_clear)

static gboolean
fail(const Talk *talk, GError **error, const char *what)
{
    return signet_trial_fail(talk->trial, error, SIGNET_ERROR_CA_UNREACHABLE, what);
}

/* --- one question --- */

/* Until the answer, or the time is over. TRUE: taken. */
static gboolean
await(Talk *talk, const SignetRadiusRequest *request, gint64 until_us, SignetRadiusReply *ret_reply)
{
    guint8 data[SIGNET_RADIUS_MAX];

    for (guint n = 0; n < DATAGRAMS_MAX && !talk->is_nobody_there; n++) {
        struct pollfd fd = {talk->fd, POLLIN, 0};
        gint64 left_ms = (MIN(until_us, talk->deadline_us) - g_get_monotonic_time()) / 1000;

        if (left_ms <= 0 || poll(&fd, 1, (int)left_ms) <= 0)
            return FALSE;
        ssize_t size = recv(talk->fd, data, sizeof(data), MSG_DONTWAIT | MSG_TRUNC);
        if (size < 0)
            talk->is_nobody_there = errno == ECONNREFUSED;
        if (size < 0 || size > (ssize_t)sizeof(data))
            continue;
        SignetRadiusVerdict verdict = signet_radius_reply_read(talk->library, data, (gsize)size,
                                                               request, talk->secret, ret_reply);
        if (verdict == SIGNET_RADIUS_TAKEN)
            return TRUE;
        talk->is_unproved |= verdict == SIGNET_RADIUS_UNPROVED;
    }
    return FALSE;
}

static gboolean
explain_silence(const Talk *talk, GError **error)
{
    if (talk->is_nobody_there)
        return fail(talk, error, "cannot be reached: nobody listens there");
    if (talk->is_unproved)
        return fail(talk, error,
                    "answers, but not with the shared secret, or without Message-Authenticator; "
                    "correct CanarySecretFile=");
    return fail(talk, error,
                "does not answer; is it there, does it know this machine as a client, and is the "
                "secret of CanarySecretFile= the right one?");
}

/* The same packet is sent again: RFC 2865 2.5, RFC 5080 2.2.1. */
static gboolean
exchange(Talk *talk, const GByteArray *eap, SignetRadiusReply *ret_reply, GError **error)
{
    static const int waits_s[] = {1, 2, 3, 4};
    SignetRadiusRequest request = {
        .identifier = talk->identifier++, .user = talk->user, .state = talk->state, .eap = eap};
    g_autoptr(GByteArray) packet = NULL;

    if (RAND_bytes_ex(talk->library, request.authenticator, sizeof(request.authenticator), 0) > 0)
        packet = signet_radius_request_make(talk->library, &request, talk->secret);
    if (!packet)
        return fail(talk, error, "cannot be asked: no packet of RADIUS can be made");
    for (gsize i = 0; i < G_N_ELEMENTS(waits_s) && !talk->is_nobody_there; i++) {
        gint64 until_us = g_get_monotonic_time() + waits_s[i] * G_USEC_PER_SEC;

        if (send(talk->fd, packet->data, packet->len, MSG_NOSIGNAL) < 0 && errno == ECONNREFUSED)
            talk->is_nobody_there = TRUE;
        else if (await(talk, &request, until_us, ret_reply))
            return TRUE;
    }
    return explain_silence(talk, error);
}

/* --- what it comes to --- */

static gboolean
judge_accept(Talk *talk, GError **error)
{
    if (signet_eap_tls_get_failure(talk->eap) || !signet_eap_tls_is_complete(talk->eap))
        return fail(talk, error, "accepts anybody: without a TLS handshake, or after a failed one");
    if (!signet_eap_tls_is_confirmed(talk->eap))
        return fail(talk, error,
                    "accepts, but without the sign of RFC 9190 2.1.1 that clients of TLS 1.3 wait "
                    "for; switch TLS 1.3 off there");
    return talk->trial->is_asked ||
           fail(talk, error,
                "does not ask for a certificate, so that it proves nothing; correct Canary=");
}

static gboolean
judge_reject(Talk *talk, const char *words, GError **error)
{
    const char *colon = *words ? ": " : "";
    g_autofree char *before =
        g_strdup_printf("rejects the user '%s' before it has seen the certificate%s%s; correct "
                        "CanaryUser=",
                        talk->user, colon, words);
    g_autofree char *after = g_strdup_printf(
        "does not accept the new certificate%s%s (Access-Reject without an alert of "
        "TLS: why is in its log)",
        colon, words);

    if (signet_eap_tls_get_failure(talk->eap))
        return signet_trial_judge(talk->trial, signet_eap_tls_get_failure(talk->eap),
                                  "does not complete a TLS handshake", error);
    if (!signet_eap_tls_is_complete(talk->eap) && !talk->trial->is_asked)
        return fail(talk, error, before);
    return signet_trial_fail(talk->trial, error, SIGNET_ERROR_CA_REFUSED, after);
}

static gboolean
converse(Talk *talk, GError **error)
{
    g_autoptr(GByteArray) response = g_byte_array_new();

    signet_eap_tls_begin(talk->eap, response);
    for (guint round = 0; round < ROUNDS_MAX; round++) {
        g_auto(SignetRadiusReply) reply = {0};
        g_autoptr(GError) fault = NULL;

        if (!exchange(talk, response, &reply, error))
            return FALSE;
        if (reply.code == SIGNET_RADIUS_ACCEPT)
            return judge_accept(talk, error);
        if (reply.code == SIGNET_RADIUS_REJECT)
            return judge_reject(talk, reply.words->str, error);
        if (!signet_eap_tls_answer(talk->eap, reply.eap, response, &fault))
            return fail(talk, error, fault->message);
        g_clear_pointer(&talk->state, g_bytes_unref);
        talk->state = g_steal_pointer(&reply.state);
    }
    return fail(talk, error, "does not come to an end");
}

/* A name may have several addresses: the first at which somebody listens. */
static gboolean
try_address(SignetTrial *trial, const struct addrinfo *address, const char *user,
            gboolean *ret_is_nobody_there, GError **error)
{
    g_auto(Talk) talk = {
        .trial = trial,
        .secret = trial->context->job->remote.secret,
        .library = signet_crypto_get_library(trial->context->crypto),
        .eap = signet_eap_tls_new(trial->tls, user),
        .user = user,
        .fd = socket(address->ai_family, SOCK_DGRAM | SOCK_CLOEXEC, 0),
        .deadline_us = g_get_monotonic_time() + TIME_S * G_USEC_PER_SEC,
    };
    gboolean is_accepted = FALSE;

    if (talk.fd < 0 || connect(talk.fd, address->ai_addr, address->ai_addrlen) < 0) {
        g_autofree char *what = g_strdup_printf("cannot be reached: %s", g_strerror(errno));

        *ret_is_nobody_there = TRUE;
        return fail(&talk, error, what);
    }
    is_accepted = converse(&talk, error);
    *ret_is_nobody_there = talk.is_nobody_there;
    return is_accepted;
}

gboolean
signet_trial_radius(SignetTrial *trial, GError **error)
{
    const SignetJobRemote *remote = &trial->context->job->remote;
    const char *user = signet_remote_get_option(remote, "User");
    const struct addrinfo wish = {.ai_socktype = SOCK_DGRAM, .ai_flags = AI_NUMERICSERV};
    struct addrinfo *addresses = NULL;
    gboolean is_nobody_there = TRUE;
    gboolean is_accepted = FALSE;

    if (!remote->secret || !user)
        return signet_error_set(error, SIGNET_ERROR_BAD_REQUEST,
                                "the job has no secret or no user for RADIUS");
    int rc = getaddrinfo(trial->peer.host, trial->peer.port, &wish, &addresses);
    if (rc != 0) {
        g_autofree char *what = g_strdup_printf("cannot be reached: %s", gai_strerror(rc));

        return signet_trial_fail(trial, error, SIGNET_ERROR_CA_UNREACHABLE, what);
    }
    for (struct addrinfo *one = addresses; one && is_nobody_there; one = one->ai_next) {
        g_clear_error(error);
        is_accepted = try_address(trial, one, user, &is_nobody_there, error);
    }
    freeaddrinfo(addresses);
    return is_accepted;
}
