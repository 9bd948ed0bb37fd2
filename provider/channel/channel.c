/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Calls: which failures are worth another attempt, and until when. */

#include "provider/channel/channel.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "provider/channel/pool.h"

#define TIMEOUT_MS   20000u
#define PROGRAM_MAX  64u  /* PROTOCOL.md 4.2 */
#define PAUSE_MIN_MS 20u  /* between two attempts, doubled each time */
#define PAUSE_MAX_MS 200u /* up to this while nobody listens or the agent is busy */
#define PAUSE_BROKEN_MS \
    2000u /* up to this after a lost answer: our own request may be what the agent dies of */
#define REFACTORY_MS 1000u /* what a call may spend on a new factory */
/* An agent that dies between keeping a factory and answering leaves a connection that is open, and
 * never answered: another is asked for after this long. */
#define FACTORY_MS 2000u

struct signet_channel {
    char *socket; /* (owned) for messages */
    char program[PROGRAM_MAX + 1];
    unsigned timeout_ms;
    atomic_bool was_answered; /* there is an agent: wait for it */
    struct signet_pool pool;
};

/* One call on its way through its attempts. */
struct journey {
    const struct signet_channel_call *call;
    struct signet_connection *connection;
    int64_t start_ms;
    int64_t deadline_ms;
    unsigned pause_ms;
    bool is_new; /* its connection was made for it */
    struct signet_channel_reply reply;
    struct signet_channel_failure *failure; /* (unowned): the caller's */
};

enum verdict {
    VERDICT_DONE,
    VERDICT_FAILED,
    VERDICT_AGAIN,        /* at once */
    VERDICT_AGAIN_LATER,  /* until the deadline */
    VERDICT_AGAIN_AFTER,  /* until the deadline, with longer pauses */
    VERDICT_AGAIN_SHORTLY /* within the grace only */
};

static void __attribute__((format(printf, 3, 4)))
fail(struct journey *j, enum signet_channel_error error, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    j->failure->error = error;
    j->failure->status = SIGNET_WIRE_STATUS_OK;
    vsnprintf(j->failure->text, sizeof(j->failure->text), format, arguments);
    va_end(arguments);
}

static const char *
describe(int error)
{
    const char *text = strerrordesc_np(error);
    return error == 0 || text == NULL ? "it hung up" : text;
}

static const char *
advise(const struct signet_channel *channel, enum signet_pool_opened opened, int error)
{
    if (channel->pool.inherited_fd >= 0)
        return "this connection cannot be made again";
    if (opened == SIGNET_POOL_EXHAUSTED)
        return "raise the limit of open files";
    if (error == EACCES || error == EPERM)
        return "allow this user to connect to it";
    return error == ENAMETOOLONG ? "shorten the path" : "check that signetd runs";
}

static enum verdict
judge_open(struct signet_channel *channel, struct journey *j, enum signet_pool_opened opened)
{
    int error = errno;
    fail(j, SIGNET_CHANNEL_UNREACHABLE, "cannot reach the agent at '%s': %s; %s", channel->socket,
         describe(error), advise(channel, opened, error));
    switch (opened) {
    case SIGNET_POOL_ABSENT:
        return atomic_load(&channel->was_answered) ? VERDICT_AGAIN_LATER : VERDICT_AGAIN_SHORTLY;
    case SIGNET_POOL_AWAY:
        return VERDICT_AGAIN_LATER;
    case SIGNET_POOL_EXHAUSTED:
        return VERDICT_AGAIN_SHORTLY;
    case SIGNET_POOL_OPENED: /* interrupted */
    case SIGNET_POOL_FORBIDDEN:
        return VERDICT_FAILED;
    }
    return VERDICT_FAILED;
}

static enum verdict
refuse(struct signet_channel *channel, struct journey *j, struct signet_wire_reader *r,
       const struct signet_wire_header *header)
{
    uint16_t status = header->status;
    struct signet_wire_error_reply reply;
    bool is_known = strcmp(signet_wire_status_name(status), "unknown") != 0;
    bool is_whole = is_known && signet_wire_get_error_reply(r, &reply);
    if (!is_whole || header->serial != j->connection->serial)
        signet_pool_hang_up(&channel->pool, j->connection);
    if (!is_whole) {
        fail(j, SIGNET_CHANNEL_PROTOCOL, "the agent at '%s' answered %s with a malformed refusal",
             channel->socket, signet_wire_op_name(j->call->op));
        return VERDICT_FAILED;
    }
    fail(j, SIGNET_CHANNEL_REFUSED, "%.*s", (int)reply.message.size,
         (const char *)reply.message.data);
    j->failure->status = (enum signet_wire_status)status;
    return status == SIGNET_WIRE_STATUS_BUSY ? VERDICT_AGAIN_LATER : VERDICT_FAILED;
}

/* The answer is in the connection's buffer: copies it for the caller, and leaves no trace of it
 * there. */
static enum verdict
take_answer(struct signet_channel *channel, struct journey *j, const struct signet_exchange *x)
{
    uint8_t *buffer = j->connection->buffer;
    struct signet_wire_reader r = {
        .data = buffer, .size = x->size, .offset = SIGNET_WIRE_HEADER_SIZE};
    if (x->header.status != SIGNET_WIRE_STATUS_OK)
        return refuse(channel, j, &r, &x->header);

    enum verdict verdict = VERDICT_FAILED;
    uint8_t *packet = malloc(x->size);
    if (packet != NULL) {
        memcpy(packet, buffer, x->size);
        r.data = packet;
        j->reply = (struct signet_channel_reply) {.packet = packet, .size = x->size, .reader = r};
        verdict = VERDICT_DONE;
    } else {
        fail(j, SIGNET_CHANNEL_NO_MEMORY, "out of memory");
    }
    explicit_bzero(buffer, x->size);
    return verdict;
}

static enum verdict
judge_exchange(struct signet_channel *channel, struct journey *j, const struct signet_exchange *x,
               enum signet_exchange_result result)
{
    int error = errno;
    const char *op = signet_wire_op_name(j->call->op);
    bool is_inherited = channel->pool.inherited_fd >= 0;

    /* an inherited connection has no successor: a late answer is dropped by the next exchange */
    if (result == SIGNET_EXCHANGE_LOST || result == SIGNET_EXCHANGE_GARBAGE ||
        (result == SIGNET_EXCHANGE_LATE && !is_inherited))
        signet_pool_hang_up(&channel->pool, j->connection);
    switch (result) {
    case SIGNET_EXCHANGE_ANSWERED:
        atomic_store_explicit(&channel->was_answered, true, memory_order_relaxed);
        return take_answer(channel, j, x);
    case SIGNET_EXCHANGE_LOST:
        fail(j, SIGNET_CHANNEL_UNREACHABLE,
             "the agent at '%s' did not answer %s: %s; check its log", channel->socket, op,
             describe(error));
        return is_inherited ? VERDICT_FAILED : VERDICT_AGAIN_AFTER;
    case SIGNET_EXCHANGE_LATE:
        fail(j, SIGNET_CHANNEL_TIMED_OUT, "the agent at '%s' did not answer %s within %u ms",
             channel->socket, op, channel->timeout_ms);
        return x->deadline_ms < j->deadline_ms ? VERDICT_AGAIN : VERDICT_FAILED;
    case SIGNET_EXCHANGE_GARBAGE:
        fail(j, SIGNET_CHANNEL_PROTOCOL, "the agent at '%s' answered %s with a malformed packet",
             channel->socket, op);
        return VERDICT_FAILED;
    case SIGNET_EXCHANGE_UNSENDABLE:
        fail(j, SIGNET_CHANNEL_PROTOCOL, "a request for %s does not fit into a packet", op);
        return VERDICT_FAILED;
    }
    return VERDICT_FAILED;
}

static enum verdict
attempt(struct signet_channel *channel, struct journey *j)
{
    struct signet_connection *c = j->connection;
    bool was_idle = signet_socket_is_ours(&c->socket);
    if (!was_idle) {
        signet_pool_hang_up(&channel->pool, c);
        enum signet_pool_opened opened = signet_pool_open(&channel->pool, c, j->deadline_ms);
        if (opened != SIGNET_POOL_OPENED || atomic_load(&channel->pool.is_interrupted))
            return judge_open(channel, j, opened);
        j->is_new = true;
    }
    struct signet_exchange x = {.op = j->call->op,
                                .message = j->call->message,
                                .program = channel->program,
                                .deadline_ms = j->deadline_ms + j->call->patience_ms};
    int64_t soon_ms = signet_channel_now_ms() + FACTORY_MS;
    if (x.op == SIGNET_WIRE_OP_FACTORY && soon_ms < x.deadline_ms)
        x.deadline_ms = soon_ms;
    enum signet_exchange_result result = signet_connection_exchange(c, &x);
    enum verdict verdict = judge_exchange(channel, j, &x, result);
    /* that an idle connection has ended says nothing about the agent of now */
    return verdict == VERDICT_AGAIN_AFTER && was_idle ? VERDICT_AGAIN : verdict;
}

/* False when there is no time left for another attempt. */
static bool
pause_before(struct journey *j, enum verdict verdict)
{
    int64_t left_ms = j->deadline_ms - signet_channel_now_ms();
    if (verdict == VERDICT_AGAIN_SHORTLY && j->deadline_ms > j->start_ms + SIGNET_CHANNEL_GRACE_MS)
        left_ms -= j->deadline_ms - j->start_ms - SIGNET_CHANNEL_GRACE_MS;
    if (verdict == VERDICT_AGAIN)
        return left_ms > 0;
    if (left_ms <= PAUSE_MIN_MS)
        return false;

    unsigned longest = verdict == VERDICT_AGAIN_AFTER ? PAUSE_BROKEN_MS : PAUSE_MAX_MS;
    j->pause_ms = j->pause_ms == 0 ? PAUSE_MIN_MS : j->pause_ms * 2;
    if (j->pause_ms > longest)
        j->pause_ms = longest;
    /* leave the attempt that follows the time to be answered */
    int64_t pause_ms = j->pause_ms < left_ms / 2 ? j->pause_ms : left_ms / 2;
    struct timespec pause = {.tv_sec = pause_ms / 1000, .tv_nsec = pause_ms % 1000 * 1000000};
    nanosleep(&pause, NULL);
    return true;
}

/* On a connection that the caller releases. */
static bool
travel(struct signet_channel *channel, struct journey *j, bool fresh)
{
    enum verdict verdict;
    j->connection = signet_pool_acquire(&channel->pool, fresh, j->deadline_ms);
    if (j->connection == NULL && errno == ETIMEDOUT)
        fail(j, SIGNET_CHANNEL_TIMED_OUT, "others used the connection '%s' for %u ms",
             channel->socket, channel->timeout_ms);
    else if (j->connection == NULL)
        fail(j, SIGNET_CHANNEL_NO_MEMORY, "out of memory");
    if (j->connection == NULL)
        return false;
    do
        verdict = attempt(channel, j);
    while (verdict != VERDICT_DONE && verdict != VERDICT_FAILED && pause_before(j, verdict));

    /* who waits long hears of each restart of the agent, which is no reason not to wait for it */
    if (verdict != VERDICT_DONE && j->failure->error == SIGNET_CHANNEL_UNREACHABLE &&
        j->call->patience_ms == 0)
        atomic_store(&channel->was_answered, false);
    return verdict == VERDICT_DONE;
}

/* Makes a new connection by path, at most until the deadline, into a factory. */
static bool
open_factory(struct signet_channel *channel, struct journey *j)
{
    static const struct signet_channel_call factory = {.op = SIGNET_WIRE_OP_FACTORY};
    j->call = &factory;
    bool is_open = travel(channel, j, true);
    if (is_open)
        signet_pool_keep_factory(&channel->pool, j->connection);
    signet_pool_release(&channel->pool, j->connection);
    signet_channel_release(&j->reply);
    return is_open;
}

static struct journey
begin(unsigned timeout_ms, struct signet_channel_failure *failure)
{
    int64_t now = signet_channel_now_ms();
    return (struct journey) {.start_ms = now, .deadline_ms = now + timeout_ms, .failure = failure};
}

/* After an agent that nobody keeps a factory for has restarted: a process that reaches the new one
 * by path opens the next factory, for its own children. That may fail: it is tried again when the
 * next connection is made. */
static void
replace_factory(struct signet_channel *channel)
{
    if (!signet_pool_needs_factory(&channel->pool, false))
        return;
    struct signet_channel_failure ignored;
    struct journey j = begin(REFACTORY_MS, &ignored);
    (void)open_factory(channel, &j);
}

static bool
call(struct signet_channel *channel, struct journey *j)
{
    bool is_answered = travel(channel, j, false);
    bool is_new_by_path = is_answered && j->is_new && j->connection->is_by_path;
    signet_pool_release(&channel->pool, j->connection);
    if (is_new_by_path)
        replace_factory(channel);
    return is_answered;
}

/* The program's name as the protocol's TEXT takes it. */
static void
set_program(struct signet_channel *channel, const char *program)
{
    for (size_t i = 0; i < PROGRAM_MAX && program[i] != '\0'; i++)
        channel->program[i] = program[i] >= ' ' && program[i] <= '~' ? program[i] : '?';
}

struct signet_channel *
signet_channel_new(const struct signet_channel_settings *settings)
{
    struct signet_channel *channel = calloc(1, sizeof(*channel));
    char *socket = strdup(settings->socket);
    if (channel == NULL || socket == NULL) {
        free(channel);
        free(socket);
        return NULL;
    }
    channel->socket = socket;
    channel->timeout_ms = settings->timeout_ms != 0 ? settings->timeout_ms : TIMEOUT_MS;
    if (settings->program != NULL)
        set_program(channel, settings->program);
    signet_pool_init(&channel->pool, socket, channel->timeout_ms);
    return channel;
}

void
signet_channel_free(struct signet_channel *channel)
{
    if (channel == NULL)
        return;
    signet_pool_clear(&channel->pool);
    free(channel->socket);
    free(channel);
}

bool
signet_channel_prepare(struct signet_channel *channel, struct signet_channel_failure *ret_failure)
{
    int error = errno, cancel;
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel);
    signet_pool_check_fork(&channel->pool);
    struct journey j = begin(channel->timeout_ms, ret_failure);
    bool is_ready = !signet_pool_needs_factory(&channel->pool, true) || open_factory(channel, &j);
    pthread_setcancelstate(cancel, NULL);
    errno = error;
    return is_ready;
}

bool
signet_channel_call(struct signet_channel *channel, const struct signet_channel_call *request,
                    struct signet_channel_reply *ret_reply,
                    struct signet_channel_failure *ret_failure)
{
    int error = errno, cancel;
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel);
    signet_pool_check_fork(&channel->pool);
    struct journey j = begin(channel->timeout_ms, ret_failure);
    j.call = request;
    bool is_answered = call(channel, &j);
    if (is_answered)
        *ret_reply = j.reply;
    pthread_setcancelstate(cancel, NULL);
    errno = error;
    return is_answered;
}

void
signet_channel_interrupt(struct signet_channel *channel)
{
    signet_pool_check_fork(&channel->pool);
    signet_pool_interrupt(&channel->pool);
}

void
signet_channel_release(struct signet_channel_reply *reply)
{
    if (reply->packet != NULL)
        explicit_bzero(reply->packet, reply->size);
    free(reply->packet);
    *reply = (struct signet_channel_reply) {0};
}
