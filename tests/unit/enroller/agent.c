/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* The agent's end of one job. */

#include "tests/unit/enroller/agent.h"

#include <openssl/rsa.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent/broker/purpose.h"
#include "provider/wire/wire.h"

typedef struct {
    Agent *agent;
    struct signet_wire_header header;
    struct signet_wire_reader reader;
    struct signet_wire_writer writer;
} Exchange;

GBytes *
agent_dup_spki(EVP_PKEY *key)
{
    guint8 *der = NULL;
    int size = i2d_PUBKEY(key, &der);
    GBytes *bytes = g_bytes_new(der, (gsize)size);

    OPENSSL_free(der);
    return bytes;
}

static struct signet_bytes
bytes_of(GBytes *bytes)
{
    gsize size = 0;
    const guint8 *data = g_bytes_get_data(bytes, &size);

    return (struct signet_bytes) {data, size};
}

static void
put_header(Exchange *exchange, enum signet_wire_status status)
{
    const struct signet_wire_header header = {
        .version = SIGNET_WIRE_VERSION,
        .op = exchange->header.op,
        .status = (uint16_t)status,
        .serial = exchange->header.serial,
    };

    signet_wire_put_header(&exchange->writer, &header);
}

static void
refuse(Exchange *exchange, enum signet_wire_status status, const char *text)
{
    put_header(exchange, status);
    signet_wire_put_error_text(&exchange->writer, text);
}

static const AgentKey *
find_key(const Agent *agent, struct signet_bytes identity, guint32 generation)
{
    for (gsize i = 0; i < agent->n_keys; i++) {
        const AgentKey *key = &agent->keys[i];
        gboolean is_it = generation ? key->generation == generation : key->is_current;

        if (is_it && signet_bytes_equal_string(identity, key->identity))
            return key;
    }
    return NULL;
}

static guint8
type_of(EVP_PKEY *key)
{
    if (!EVP_PKEY_is_a(key, "EC"))
        return EVP_PKEY_get_bits(key) == 2048 ? SIGNET_KEY_RSA_2048 : SIGNET_KEY_RSA_3072;
    if (EVP_PKEY_get_bits(key) == 256)
        return SIGNET_KEY_EC_P256;
    return EVP_PKEY_get_bits(key) == 384 ? SIGNET_KEY_EC_P384 : SIGNET_KEY_EC_P521;
}

static void
serve_hello(Exchange *exchange)
{
    const struct signet_wire_hello_reply reply = {
        .version = SIGNET_WIRE_VERSION,
        .agent = signet_bytes_from_string("test"),
    };

    put_header(exchange, SIGNET_WIRE_STATUS_OK);
    signet_wire_put_hello_reply(&exchange->writer, &reply);
}

static void
serve_lookup(Exchange *exchange)
{
    struct signet_wire_lookup_request request;

    g_assert_true(signet_wire_get_lookup_request(&exchange->reader, &request));
    const AgentKey *key = find_key(exchange->agent, request.identity, request.generation);
    if (!key) {
        refuse(exchange, SIGNET_WIRE_STATUS_NOT_FOUND, "the test's agent has no such key");
        return;
    }
    g_autoptr(GBytes) spki = agent_dup_spki(key->key);
    const struct signet_wire_lookup_reply reply = {
        .generation = key->generation,
        .key_type = type_of(key->key),
        .spki = bytes_of(spki),
    };
    put_header(exchange, SIGNET_WIRE_STATUS_OK);
    signet_wire_put_lookup_reply(&exchange->writer, &reply);
}

static void
sign(Exchange *exchange, const AgentKey *key, const struct signet_wire_sign_request *request)
{
    g_autoptr(EVP_MD_CTX) context = EVP_MD_CTX_new();
    guint8 signature[SIGNET_WIRE_SIGNATURE_MAX];
    gsize size = sizeof(signature);

    g_assert_cmpint(EVP_DigestSignInit_ex(context, NULL, signet_hash_name(request->hash), NULL,
                                          NULL, key->key, NULL),
                    ==, 1);
    g_assert_cmpint(
        EVP_DigestSign(context, signature, &size, request->data.data, request->data.size), ==, 1);
    const struct signet_wire_sign_reply reply = {.signature = {signature, size}};
    put_header(exchange, SIGNET_WIRE_STATUS_OK);
    signet_wire_put_sign_reply(&exchange->writer, &reply);
    exchange->agent->n_signed++;
}

static void
serve_sign(Exchange *exchange)
{
    Agent *agent = exchange->agent;
    struct signet_wire_sign_request request;
    g_autoptr(GError) error = NULL;

    g_assert_true(signet_wire_get_sign_request(&exchange->reader, &request));
    const AgentKey *key = find_key(agent, request.identity, request.generation);
    g_assert_nonnull(key);
    g_autoptr(GBytes) message = g_bytes_new(request.data.data, request.data.size);
    SignetPurpose purpose = signet_purpose_recognise(request.data.data, request.data.size);
    gint64 now_s = g_get_real_time() / G_USEC_PER_SEC;

    if (!signet_job_allows(agent->job, key->identity, key->generation, purpose, message, now_s,
                           &error)) {
        agent->n_denied++;
        refuse(exchange, SIGNET_WIRE_STATUS_DENIED, error->message);
    } else if (agent->sign_error) {
        refuse(exchange, SIGNET_WIRE_STATUS_TOKEN_ABSENT, agent->sign_error);
    } else {
        sign(exchange, key, &request);
    }
}

static void
serve_job(Exchange *exchange)
{
    const char *text = exchange->agent->job_text;
    g_autoptr(GBytes) bytes =
        text ? g_bytes_new(text, strlen(text)) : signet_job_to_text(exchange->agent->job);
    const struct signet_wire_job_reply reply = {.job = bytes_of(bytes)};

    put_header(exchange, SIGNET_WIRE_STATUS_OK);
    signet_wire_put_job_reply(&exchange->writer, &reply);
    exchange->agent->n_jobs++;
}

/* DER, one after the other. */
static GPtrArray *
split(struct signet_bytes der)
{
    GPtrArray *list = g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref);
    const guint8 *at = der.data;

    while (at < der.data + der.size) {
        const guint8 *begin = at;
        g_autoptr(X509) certificate = d2i_X509(NULL, &at, der.data + der.size - at);

        g_assert_nonnull(certificate);
        g_ptr_array_add(list, g_bytes_new(begin, (gsize)(at - begin)));
    }
    return list;
}

static void
serve_result(Exchange *exchange)
{
    struct signet_wire_result_request request;

    g_assert_true(signet_wire_get_result_request(&exchange->reader, &request));
    g_assert_true((request.error.size == 0) == (request.chain.size > 0));
    g_autoptr(GPtrArray) chain = split(request.chain);
    g_autoptr(GPtrArray) anchors = split(request.anchors);
    g_autofree char *text = g_strndup((const char *)request.error.data, request.error.size);
    SignetOutcome failure = request.transient ? SIGNET_OUTCOME_FAILED : SIGNET_OUTCOME_REFUSED;
    gboolean is_issued = request.error.size == 0;

    exchange->agent->is_transient = request.transient;
    signet_job_set_result(exchange->agent->job, is_issued ? SIGNET_OUTCOME_ISSUED : failure, chain,
                          anchors, request.retry_after_s, is_issued ? NULL : text);
    put_header(exchange, SIGNET_WIRE_STATUS_OK);
}

static void
serve_packet(Exchange *exchange)
{
    switch (exchange->header.op) {
    case SIGNET_WIRE_OP_HELLO:
        serve_hello(exchange);
        break;
    case SIGNET_WIRE_OP_LOOKUP:
        serve_lookup(exchange);
        break;
    case SIGNET_WIRE_OP_SIGN_MESSAGE:
        serve_sign(exchange);
        break;
    case SIGNET_WIRE_OP_JOB:
        serve_job(exchange);
        break;
    case SIGNET_WIRE_OP_RESULT:
        serve_result(exchange);
        break;
    default:
        refuse(exchange, SIGNET_WIRE_STATUS_BAD_REQUEST,
               "the test's agent does not know this operation");
    }
}

static gpointer
serve(gpointer data)
{
    Agent *agent = data;
    g_autofree guint8 *in = g_malloc(SIGNET_WIRE_PACKET_MAX);
    g_autofree guint8 *out = g_malloc(SIGNET_WIRE_PACKET_MAX);
    ssize_t size;

    while ((size = recv(agent->fd, in, SIGNET_WIRE_PACKET_MAX, 0)) > 0) {
        Exchange exchange = {
            .agent = agent,
            .reader = {.data = in, .size = (size_t)size},
            .writer = {.data = out, .capacity = SIGNET_WIRE_PACKET_MAX},
        };

        g_assert_true(signet_wire_get_header(&exchange.reader, &exchange.header));
        serve_packet(&exchange);
        g_assert_false(exchange.writer.failed);
        send(agent->fd, out, exchange.writer.size, MSG_NOSIGNAL);
    }
    close(agent->fd);
    return NULL;
}

void
agent_serve(Agent *agent, int fd)
{
    agent->fd = fd;
    agent->thread = g_thread_new("agent", serve, agent);
}

void
agent_stop(Agent *agent)
{
    if (agent->thread)
        g_thread_join(g_steal_pointer(&agent->thread));
}
