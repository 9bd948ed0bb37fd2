/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* What a packet asks for, and the answer. */

#include "agent/door/serve.h"

#include <errno.h>
#include <string.h>

#include "agent/base/registers.h"
#include "agent/base/secret.h"
#include "agent/door/adopt.h"
#include "agent/door/chain.h"

#define AGENT_NAME "signetd"

/* One request, as its handler sees it. */
typedef struct {
    SignetConnection *connection;
    SignetRequester requester;
    struct signet_wire_reader reader; /* behind the header */
} Request;

/* --- replies --- */

static struct signet_wire_writer
begin_reply(SignetConnection *connection, enum signet_wire_status status)
{
    struct signet_wire_writer w = {.data = connection->hall->out,
                                   .capacity = sizeof connection->hall->out};
    struct signet_wire_header header = {.version = SIGNET_WIRE_VERSION,
                                        .op = connection->request.op,
                                        .status = (uint16_t)status,
                                        .serial = connection->request.serial};

    signet_wire_put_header(&w, &header);
    return w;
}

static void
reply_error(SignetConnection *connection, enum signet_wire_status status, const char *text)
{
    struct signet_wire_writer w = begin_reply(connection, status);

    signet_wire_put_error_text(&w, text);
    signet_hall_reply(connection, w.data, w.size);
}

static void
reply_gerror(SignetConnection *connection, const GError *error)
{
    reply_error(connection, signet_error_wire_status(error), error->message);
}

static void
reply(SignetConnection *connection, const struct signet_wire_writer *w)
{
    if (w->failed)
        reply_error(connection, SIGNET_WIRE_STATUS_INTERNAL,
                    "the agent's answer does not fit a packet");
    else
        signet_hall_reply(connection, w->data, w->size);
}

/* A plaintext, a shared secret, or a CA's secret was in it. */
static void
cleanse(guint8 *packet, gsize size)
{
    explicit_bzero(packet, size);
    signet_registers_cleanse();
}

static void
reply_malformed(Request *request)
{
    g_autofree char *text = g_strdup_printf("malformed %s request",
                                            signet_wire_op_name(request->connection->request.op));

    reply_error(request->connection, SIGNET_WIRE_STATUS_BAD_REQUEST, text);
}

static struct signet_bytes
bytes_of(GBytes *bytes)
{
    gsize size;
    const guint8 *data = g_bytes_get_data(bytes, &size);

    return (struct signet_bytes) {data, size};
}

/* FALSE: answered already. */
static gboolean
take_name(Request *request, struct signet_bytes bytes, char ret_name[SIGNET_WIRE_NAME_MAX + 1])
{
    if (bytes.size == 0) {
        reply_error(request->connection, SIGNET_WIRE_STATUS_BAD_REQUEST, "no identity was named");
        return FALSE;
    }
    memcpy(ret_name, bytes.data,
           bytes.size); /* the codec keeps names within SIGNET_WIRE_NAME_MAX */
    ret_name[bytes.size] = '\0';
    return TRUE;
}

/* --- looking --- */

static void
serve_hello(Request *request)
{
    struct signet_wire_hello_request message;
    struct signet_wire_writer w;
    struct signet_wire_hello_reply answer = {.version = SIGNET_WIRE_VERSION,
                                             .agent = signet_bytes_from_string(AGENT_NAME)};

    if (!signet_wire_get_hello_request(&request->reader, &message)) {
        reply_malformed(request);
        return;
    }
    if (message.version < SIGNET_WIRE_VERSION) {
        reply_error(request->connection, SIGNET_WIRE_STATUS_UNSUPPORTED,
                    "this agent speaks version 1 of the protocol");
        return;
    }
    w = begin_reply(request->connection, SIGNET_WIRE_STATUS_OK);
    signet_wire_put_hello_reply(&w, &answer);
    reply(request->connection, &w);
}

static void
serve_list(Request *request)
{
    struct signet_wire_list_request message;
    char after[SIGNET_WIRE_NAME_MAX + 1] = "";
    guint8 names[SIGNET_WIRE_LIST_MAX * (SIGNET_WIRE_NAME_MAX + 1)];
    struct signet_wire_writer w, list = {.data = names, .capacity = sizeof names};
    struct signet_wire_list_reply answer;
    g_auto(GStrv) all = NULL;
    guint count = 0;

    if (!signet_wire_get_list_request(&request->reader, &message)) {
        reply_malformed(request);
        return;
    }
    if (message.after.size > 0)
        memcpy(after, message.after.data, message.after.size);
    all = signet_broker_list(request->connection->hall->settings.broker, &request->requester);
    for (char **name = all; *name && count < SIGNET_WIRE_LIST_MAX; name++) {
        if (strcmp(*name, after) <= 0)
            continue;
        signet_wire_put_list_name(&list, *name);
        count++;
    }
    answer.names = (struct signet_bytes) {names, list.size};
    w = begin_reply(request->connection, SIGNET_WIRE_STATUS_OK);
    signet_wire_put_list_reply(&w, &answer);
    w.failed |= list.failed;
    reply(request->connection, &w);
}

static void
reply_generation(SignetConnection *connection, const SignetGeneration *generation)
{
    struct signet_wire_writer w = begin_reply(connection, SIGNET_WIRE_STATUS_OK);
    g_autoptr(GBytes) chain = signet_chain_join(generation->chain);
    struct signet_wire_lookup_reply answer = {.generation = generation->number,
                                              .key_type = (uint8_t)generation->key->type,
                                              .spki = bytes_of(generation->key->spki),
                                              .chain = bytes_of(chain)};

    signet_wire_put_lookup_reply(&w, &answer);
    reply(connection, &w);
}

static void
serve_lookup(Request *request)
{
    struct signet_wire_lookup_request message;
    char name[SIGNET_WIRE_NAME_MAX + 1];
    SignetBroker *broker = request->connection->hall->settings.broker;
    g_autoptr(GBytes) spki = NULL;
    g_autoptr(GError) error = NULL;
    SignetGeneration *found;

    if (!signet_wire_get_lookup_request(&request->reader, &message)) {
        reply_malformed(request);
        return;
    }
    if (!take_name(request, message.identity, name))
        return;
    if (message.spki.size > 0)
        spki = g_bytes_new(message.spki.data, message.spki.size);
    found =
        signet_broker_lookup(broker, &request->requester, name, message.generation, spki, &error);
    if (found)
        reply_generation(request->connection, found);
    else
        reply_gerror(request->connection, error);
}

/* --- watching --- */

static void
answer_watch(SignetConnection *connection, guint64 sum)
{
    guint64 state = GUINT64_TO_BE(sum);
    struct signet_wire_watch_reply answer = {{(const uint8_t *)&state, sizeof state}};
    struct signet_wire_writer w = begin_reply(connection, SIGNET_WIRE_STATUS_OK);

    signet_wire_put_watch_reply(&w, &answer);
    reply(connection, &w);
}

static void
serve_watch(Request *request)
{
    SignetConnection *connection = request->connection;
    struct signet_wire_watch_request message;
    guint64 sum, seen = 0;

    if (!signet_wire_get_watch_request(&request->reader, &message)) {
        reply_malformed(request);
        return;
    }
    sum = signet_broker_sum_up(connection->hall->settings.broker, &request->requester);
    if (message.seen.size == sizeof seen)
        memcpy(&seen, message.seen.data, sizeof seen);
    connection->seen = GUINT64_FROM_BE(seen);
    if (message.seen.size != sizeof seen || connection->seen != sum) {
        answer_watch(connection, sum);
        return;
    }
    connection->is_watching = TRUE;
    signet_hall_wait(connection);
}

void
signet_serve_watchers(SignetHall *hall)
{
    GList *next;

    for (GList *link = hall->open.head; link; link = next) {
        SignetConnection *connection = link->data;
        SignetRequester requester = signet_hall_get_requester(connection);
        guint64 sum;

        next = link->next; /* an answer may close the connection */
        if (!connection->is_watching)
            continue;
        sum = signet_broker_sum_up(hall->settings.broker, &requester);
        if (sum != connection->seen)
            answer_watch(connection, sum);
    }
}

/* --- using --- */

static void
on_used(GBytes *result, const GError *error, gpointer data)
{
    SignetConnection *connection = data;
    struct signet_wire_writer w;
    struct signet_wire_sign_reply signature;
    struct signet_wire_decrypt_reply plaintext;
    struct signet_wire_derive_reply secret;

    connection->use_id = 0;
    if (error) {
        reply_gerror(connection, error);
        return;
    }
    w = begin_reply(connection, SIGNET_WIRE_STATUS_OK);
    if (connection->request.op == SIGNET_WIRE_OP_DECRYPT) {
        plaintext.plaintext = bytes_of(result);
        signet_wire_put_decrypt_reply(&w, &plaintext);
    } else if (connection->request.op == SIGNET_WIRE_OP_DERIVE) {
        secret.secret = bytes_of(result);
        signet_wire_put_derive_reply(&w, &secret);
    } else {
        signature.signature = bytes_of(result);
        signet_wire_put_sign_reply(&w, &signature);
    }
    reply(connection, &w);
    cleanse(w.data, w.size);
}

static void
serve_sign(Request *request)
{
    SignetConnection *connection = request->connection;
    struct signet_wire_sign_request message;
    char name[SIGNET_WIRE_NAME_MAX + 1];
    g_autoptr(GBytes) data = NULL;
    SignetUse use = {.identity = name};

    if (!signet_wire_get_sign_request(&request->reader, &message)) {
        reply_malformed(request);
        return;
    }
    if (!take_name(request, message.identity, name))
        return;
    /* a request to a CA may hold its challenge password */
    data = signet_secret_bytes_new(message.data.data, message.data.size);
    use.generation = message.generation;
    use.scheme = (SignetKeyScheme) {.scheme = message.scheme,
                                    .hash = message.hash,
                                    .mgf1_hash = message.mgf1_hash,
                                    .salt_len = message.salt_len};
    use.data = data;
    use.is_digest = connection->request.op == SIGNET_WIRE_OP_SIGN_DIGEST;
    connection->use_id = signet_broker_sign(connection->hall->settings.broker, &request->requester,
                                            &use, on_used, connection);
}

static void
serve_decrypt(Request *request)
{
    SignetConnection *connection = request->connection;
    struct signet_wire_decrypt_request message;
    char name[SIGNET_WIRE_NAME_MAX + 1];
    g_autoptr(GBytes) data = NULL;
    g_autoptr(GBytes) label = NULL;
    SignetUse use = {.identity = name};

    if (!signet_wire_get_decrypt_request(&request->reader, &message)) {
        reply_malformed(request);
        return;
    }
    if (!take_name(request, message.identity, name))
        return;
    data = g_bytes_new(message.ciphertext.data, message.ciphertext.size);
    if (message.label.size > 0)
        label = g_bytes_new(message.label.data, message.label.size);
    use.generation = message.generation;
    use.scheme = (SignetKeyScheme) {.scheme = message.scheme,
                                    .hash = message.hash,
                                    .mgf1_hash = message.mgf1_hash,
                                    .label = label};
    use.data = data;
    connection->use_id = signet_broker_decrypt(connection->hall->settings.broker,
                                               &request->requester, &use, on_used, connection);
}

static void
serve_derive(Request *request)
{
    SignetConnection *connection = request->connection;
    struct signet_wire_derive_request message;
    char name[SIGNET_WIRE_NAME_MAX + 1];
    g_autoptr(GBytes) data = NULL;
    SignetUse use = {.identity = name};

    if (!signet_wire_get_derive_request(&request->reader, &message)) {
        reply_malformed(request);
        return;
    }
    if (!take_name(request, message.identity, name))
        return;
    data = g_bytes_new(message.peer.data, message.peer.size);
    use.generation = message.generation;
    use.scheme.scheme = SIGNET_SCHEME_ECDH;
    use.data = data;
    connection->use_id = signet_broker_derive(connection->hall->settings.broker,
                                              &request->requester, &use, on_used, connection);
}

/* --- factories and jobs --- */

static void
serve_factory(Request *request)
{
    struct signet_wire_writer w;

    if (!signet_wire_get_end(&request->reader)) {
        reply_malformed(request);
        return;
    }
    /* First, so that who has the reply knows that the connection outlives us. */
    signet_hall_make_factory(request->connection, NULL);
    w = begin_reply(request->connection, SIGNET_WIRE_STATUS_OK);
    reply(request->connection, &w);
}

static void
serve_job(Request *request)
{
    SignetConnection *connection = request->connection;
    struct signet_wire_writer w;
    struct signet_wire_job_reply answer;
    g_autoptr(GBytes) text = NULL;

    if (!signet_wire_get_end(&request->reader)) {
        reply_malformed(request);
        return;
    }
    text = signet_job_to_text(connection->job);
    if (!text) {
        reply_error(connection, SIGNET_WIRE_STATUS_INTERNAL, "the job does not fit a packet");
        return;
    }
    answer.job = bytes_of(text);
    w = begin_reply(connection, SIGNET_WIRE_STATUS_OK);
    signet_wire_put_job_reply(&w, &answer);
    reply(connection, &w);
    cleanse(w.data, w.size);
}

static GBytes *
take_evidence(GVariant *evidence, const char *word)
{
    g_autoptr(GVariant) value = g_variant_lookup_value(evidence, word, G_VARIANT_TYPE_BYTESTRING);

    return value ? g_variant_get_data_as_bytes(value) : g_bytes_new(NULL, 0);
}

static GBytes *
join_attesters(GVariant *evidence)
{
    g_autoptr(GVariant) list =
        g_variant_lookup_value(evidence, SIGNET_EVIDENCE_ATTESTERS, G_VARIANT_TYPE("aay"));
    GByteArray *chain = g_byte_array_new();

    for (gsize i = 0; list && i < g_variant_n_children(list); i++) {
        g_autoptr(GVariant) item = g_variant_get_child_value(list, i);

        g_byte_array_append(chain, g_variant_get_data(item), (guint)g_variant_get_size(item));
    }
    return g_byte_array_free_to_bytes(chain);
}

static void
on_certified(GVariant *evidence, const GError *error, gpointer data)
{
    SignetConnection *connection = data;
    struct signet_wire_writer w;
    struct signet_wire_certify_reply answer;

    connection->certification = 0;
    if (error) {
        reply_gerror(connection, error);
        return;
    }
    g_autoptr(GBytes) attestation = take_evidence(evidence, SIGNET_EVIDENCE_ATTESTATION);
    g_autoptr(GBytes) signature = take_evidence(evidence, SIGNET_EVIDENCE_SIGNATURE);
    g_autoptr(GBytes) key = take_evidence(evidence, SIGNET_EVIDENCE_KEY);
    g_autoptr(GBytes) chain = join_attesters(evidence);
    answer = (struct signet_wire_certify_reply) {.attestation = bytes_of(attestation),
                                                 .signature = bytes_of(signature),
                                                 .key = bytes_of(key),
                                                 .chain = bytes_of(chain)};
    w = begin_reply(connection, SIGNET_WIRE_STATUS_OK);
    signet_wire_put_certify_reply(&w, &answer);
    reply(connection, &w);
}

static void
serve_certify(Request *request)
{
    SignetConnection *connection = request->connection;
    struct signet_wire_certify_request message;
    g_autofree char *token = NULL;
    g_autoptr(GError) error = NULL;

    if (!signet_wire_get_certify_request(&request->reader, &message)) {
        reply_malformed(request);
        return;
    }
    token = g_strndup((const char *)message.challenge.data, message.challenge.size);
    connection->certification =
        signet_broker_certify(connection->hall->settings.broker, connection->job, token,
                              on_certified, connection, &error);
    if (error)
        reply_gerror(connection, error);
}

/* A chain, or why there is none, or when to ask again. */
static gboolean
is_one_answer(const struct signet_wire_result_request *message)
{
    if (message->chain.size > 0)
        return message->error.size == 0 && message->retry_after_s == 0 && message->state.size == 0;
    return message->error.size > 0 || message->retry_after_s > 0;
}

static SignetOutcome
outcome_of(const struct signet_wire_result_request *message)
{
    if (message->chain.size > 0)
        return SIGNET_OUTCOME_ISSUED;
    if (message->retry_after_s > 0)
        return SIGNET_OUTCOME_PENDING;
    return message->transient ? SIGNET_OUTCOME_FAILED : SIGNET_OUTCOME_REFUSED;
}

static void
serve_result(Request *request)
{
    SignetConnection *connection = request->connection;
    struct signet_wire_result_request message;
    struct signet_wire_writer w;
    g_autoptr(GPtrArray) chain = NULL;
    g_autoptr(GPtrArray) anchors = NULL;
    g_autofree char *text = NULL;

    if (!signet_wire_get_result_request(&request->reader, &message) || !is_one_answer(&message)) {
        reply_malformed(request);
        return;
    }
    if (signet_job_get_outcome(connection->job) != SIGNET_OUTCOME_NONE) {
        reply_error(connection, SIGNET_WIRE_STATUS_BAD_REQUEST, "the job has its result already");
        return;
    }
    chain = signet_chain_split(message.chain.data, message.chain.size);
    anchors = signet_chain_split(message.anchors.data, message.anchors.size);
    if (!chain || !anchors) {
        reply_error(connection, SIGNET_WIRE_STATUS_BAD_REQUEST, "the certificates are not DER");
        return;
    }
    text = message.error.size > 0 ? g_strndup((const char *)message.error.data, message.error.size)
                                  : NULL;
    if (message.state.size > 0) {
        g_autoptr(GBytes) state = g_bytes_new(message.state.data, message.state.size);

        signet_job_set_state(connection->job, state);
    }
    signet_job_set_result(connection->job, outcome_of(&message), chain, anchors,
                          message.retry_after_s, text);
    w = begin_reply(connection, SIGNET_WIRE_STATUS_OK);
    reply(connection, &w);
}

/* --- dispatch --- */

#define ON_PLAIN (1 << SIGNET_CONNECTION_PLAIN)
#define ON_JOB   (1 << SIGNET_CONNECTION_JOB)

static const struct {
    guint8 op;
    guint8 kinds;
    void (*serve)(Request *request);
} operations[] = {
    {SIGNET_WIRE_OP_HELLO, ON_PLAIN | ON_JOB, serve_hello},
    {SIGNET_WIRE_OP_LIST, ON_PLAIN, serve_list},
    {SIGNET_WIRE_OP_LOOKUP, ON_PLAIN | ON_JOB, serve_lookup},
    {SIGNET_WIRE_OP_SIGN_MESSAGE, ON_PLAIN | ON_JOB, serve_sign},
    {SIGNET_WIRE_OP_SIGN_DIGEST, ON_PLAIN | ON_JOB, serve_sign},
    {SIGNET_WIRE_OP_DECRYPT, ON_PLAIN | ON_JOB, serve_decrypt},
    {SIGNET_WIRE_OP_DERIVE, ON_PLAIN, serve_derive},
    {SIGNET_WIRE_OP_FACTORY, ON_PLAIN, serve_factory},
    {SIGNET_WIRE_OP_JOB, ON_JOB, serve_job},
    {SIGNET_WIRE_OP_CERTIFY, ON_JOB, serve_certify},
    {SIGNET_WIRE_OP_RESULT, ON_JOB, serve_result},
    {SIGNET_WIRE_OP_WATCH, ON_PLAIN, serve_watch},
};

static void
dispatch(Request *request)
{
    SignetConnection *connection = request->connection;
    g_autofree char *text = NULL;

    for (gsize i = 0; connection->request.status == 0 && i < G_N_ELEMENTS(operations); i++) {
        if (operations[i].op != connection->request.op ||
            !(operations[i].kinds & 1 << connection->kind))
            continue;
        operations[i].serve(request);
        return;
    }
    text = g_strdup_printf("operation %u (%s) with status %u is not served on this connection",
                           connection->request.op, signet_wire_op_name(connection->request.op),
                           connection->request.status);
    reply_error(connection, SIGNET_WIRE_STATUS_BAD_REQUEST, text);
}

/* No reply, whatever comes of it: a refusal shows as the end of the connection that was not
 * adopted. */
static void
serve_adopt(SignetConnection *factory, SignetPacket *packet, struct signet_wire_reader *reader)
{
    gboolean ok = factory->request.op == SIGNET_WIRE_OP_ADOPT && factory->request.status == 0 &&
                  signet_wire_get_end(reader);

    if (!ok) {
        signet_hall_close(factory);
        return;
    }
    if (signet_adopt_check(packet->fd, &packet->credentials, NULL)) {
        signet_hall_admit(factory->hall, packet->fd, NULL);
        packet->fd = -1;
    }
}

static void
serve_packet(SignetConnection *connection, SignetPacket *packet)
{
    Request request = {.connection = connection,
                       .reader = {.data = connection->hall->in, .size = packet->size}};

    if (packet->is_oversize || !signet_wire_get_header(&request.reader, &connection->request)) {
        signet_hall_close(connection);
        return;
    }
    if (connection->kind == SIGNET_CONNECTION_FACTORY) {
        serve_adopt(connection, packet, &request.reader);
        return;
    }
    signet_hall_begin(connection);
    if (signet_hall_identify(connection, packet, &request.requester))
        dispatch(&request);
    else
        reply_error(connection, SIGNET_WIRE_STATUS_DENIED,
                    "the kernel does not say who sent this request; is the sender in a process "
                    "namespace of its own?");
}

void
signet_serve(SignetConnection *connection)
{
    g_auto(SignetPacket) packet = {.pidfd = SIGNET_PIDFD_NONE, .fd = -1};
    guint8 *in = connection->hall->in;

    if (signet_packet_receive(connection->fd, in, sizeof connection->hall->in, &packet)) {
        serve_packet(connection, &packet);
        cleanse(in, packet.size);
    } else if (errno != EAGAIN) {
        signet_hall_close(connection);
    }
}
