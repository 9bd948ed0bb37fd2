/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* The fake agent: one poll() loop. */

#include "tests/unit/channel/fake_agent.h"

#include <check.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PEERS_MAX 512

struct peer {
    int fd;
    uint32_t number;
    enum fake_kind kind;
    bool is_factory;
};

struct server {
    struct fake_agent *agent;
    struct peer peers[PEERS_MAX];
    size_t n_peers;
    uint32_t last_number;
};

struct request {
    struct signet_wire_header header;
    struct signet_wire_lookup_request lookup;
    struct ucred sender;
    int passed_fd;
};

static void
sleep_ms(unsigned ms)
{
    struct timespec pause = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L};
    nanosleep(&pause, NULL);
}

static void
add_peer(struct server *s, int fd, enum fake_kind kind)
{
    int on = 1;
    setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on));
    s->peers[s->n_peers++] = (struct peer) {.fd = fd, .kind = kind, .number = ++s->last_number};
}

static void
send_fd(int over, int fd)
{
    char byte = 0, control[CMSG_SPACE(sizeof(int))] = {0};
    struct iovec body = {.iov_base = &byte, .iov_len = 1};
    struct msghdr message = {.msg_iov = &body,
                             .msg_iovlen = 1,
                             .msg_control = control,
                             .msg_controllen = sizeof(control)};
    struct cmsghdr *c = CMSG_FIRSTHDR(&message);
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(c), &fd, sizeof(int));
    sendmsg(over, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
}

/* Size as recvmsg(); sets the credentials and the descriptor that came along. */
static ssize_t
receive(int fd, uint8_t *buffer, size_t capacity, struct request *ret)
{
    char control[256];
    struct iovec body = {.iov_base = buffer, .iov_len = capacity};
    struct msghdr message = {.msg_iov = &body,
                             .msg_iovlen = 1,
                             .msg_control = control,
                             .msg_controllen = sizeof(control)};
    ret->passed_fd = -1;
    ssize_t n = recvmsg(fd, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
    for (struct cmsghdr *c = n >= 0 ? CMSG_FIRSTHDR(&message) : NULL; c != NULL;
         c = CMSG_NXTHDR(&message, c)) {
        if (c->cmsg_type == SCM_RIGHTS)
            memcpy(&ret->passed_fd, CMSG_DATA(c), sizeof(int));
        else if (c->cmsg_type == SCM_CREDENTIALS)
            memcpy(&ret->sender, CMSG_DATA(c), sizeof(struct ucred));
    }
    return n;
}

static void
reply_text(const struct peer *p, const struct request *q, uint16_t status, const char *text)
{
    uint8_t packet[2048];
    struct signet_wire_writer w = {.data = packet, .capacity = sizeof(packet)};
    struct signet_wire_header header = q->header;
    header.status = status;
    signet_wire_put_header(&w, &header);
    if (status != SIGNET_WIRE_STATUS_OK)
        signet_wire_put_error_text(&w, text);
    send(p->fd, packet, w.size, MSG_NOSIGNAL);
}

static void
reply_lookup(const struct peer *p, const struct request *q, struct signet_wire_header header)
{
    uint8_t packet[2048];
    struct fake_origin origin = {.pid = (uint32_t)q->sender.pid, .connection = p->number};
    struct signet_wire_lookup_reply reply = {
        .generation = q->sender.uid,
        .key_type = p->kind,
        .spki = q->lookup.spki,
        .chain = {(const uint8_t *)&origin, sizeof(origin)},
    };
    struct signet_wire_writer w = {.data = packet, .capacity = sizeof(packet)};
    signet_wire_put_header(&w, &header);
    signet_wire_put_lookup_reply(&w, &reply);
    send(p->fd, packet, w.size, MSG_NOSIGNAL);
}

/* The replies that are none. False when the identity asks for no such thing. */
static bool
reply_nonsense(const struct peer *p, const struct request *q)
{
    static uint8_t longest[SIGNET_WIRE_PACKET_MAX + 1];
    static const uint8_t bad_refusal[] = {
        1, SIGNET_WIRE_OP_LOOKUP, 0, SIGNET_WIRE_STATUS_DENIED, 0, 0, 0, 0, 0, 9, 'x'};
    struct signet_bytes identity = q->lookup.identity;
    struct signet_wire_header header = q->header;
    if (signet_bytes_equal_string(identity, FAKE_SHORT)) {
        send(p->fd, longest, 5, MSG_NOSIGNAL);
    } else if (signet_bytes_equal_string(identity, FAKE_LONG)) {
        struct signet_wire_writer w = {.data = longest, .capacity = sizeof(longest)};
        signet_wire_put_header(&w, &header);
        send(p->fd, longest, sizeof(longest), MSG_NOSIGNAL);
    } else if (signet_bytes_equal_string(identity, FAKE_VERSION)) {
        header.version = 2;
        reply_lookup(p, q, header);
    } else if (signet_bytes_equal_string(identity, FAKE_WRONG_OP)) {
        header.op = SIGNET_WIRE_OP_LIST;
        reply_lookup(p, q, header);
    } else if (signet_bytes_equal_string(identity, FAKE_FUTURE)) {
        header.serial++;
        reply_lookup(p, q, header);
    } else if (signet_bytes_equal_string(identity, FAKE_STATUS)) {
        reply_text(p, q, 999, "unheard of");
    } else if (signet_bytes_equal_string(identity, FAKE_BAD_REFUSAL)) {
        uint8_t packet[sizeof(bad_refusal)];
        memcpy(packet, bad_refusal, sizeof(packet));
        packet[7] = (uint8_t)header.serial;
        send(p->fd, packet, sizeof(packet), MSG_NOSIGNAL);
    } else {
        return false;
    }
    return true;
}

static bool
take_refusal(struct server *s)
{
    unsigned left = atomic_load(&s->agent->counts->refusals_left);
    if (left != 0)
        atomic_store(&s->agent->counts->refusals_left, left - 1);
    return left != 0;
}

static void
reply_later(const struct peer *p, const struct request *q)
{
    if (fork() != 0)
        return;
    sleep_ms(300);
    reply_lookup(p, q, q->header);
    _exit(0);
}

/* False: the connection is to be closed. */
static bool
serve_lookup(struct server *s, const struct peer *p, const struct request *q)
{
    struct signet_bytes identity = q->lookup.identity;
    atomic_fetch_add(&s->agent->counts->requests, 1);
    if (signet_bytes_equal_string(identity, FAKE_SILENT) || reply_nonsense(p, q))
        return true;
    if (signet_bytes_equal_string(identity, FAKE_CLOSE) && take_refusal(s))
        return false;
    if (signet_bytes_equal_string(identity, FAKE_DIE) && take_refusal(s))
        _exit(1);
    if (signet_bytes_equal_string(identity, FAKE_SLOW))
        sleep_ms(300);
    if (signet_bytes_equal_string(identity, FAKE_BUSY) && take_refusal(s))
        reply_text(p, q, SIGNET_WIRE_STATUS_BUSY, "the queue is full");
    else if (signet_bytes_equal_string(identity, FAKE_DENIED))
        reply_text(p, q, SIGNET_WIRE_STATUS_DENIED, "'denied' is not for you");
    else if (signet_bytes_equal_string(identity, FAKE_LATE))
        reply_later(p, q);
    else
        reply_lookup(p, q, q->header);
    return true;
}

static bool
serve_hello(struct server *s, const struct peer *p, const struct request *q)
{
    uint8_t packet[128];
    struct signet_wire_hello_reply reply = {.version = SIGNET_WIRE_VERSION,
                                            .agent = signet_bytes_from_string("fake")};
    struct signet_wire_writer w = {.data = packet, .capacity = sizeof(packet)};
    atomic_fetch_add(&s->agent->counts->hellos, 1);
    if (atomic_load(&s->agent->counts->forbid_hello) != 0) {
        reply_text(p, q, SIGNET_WIRE_STATUS_UNSUPPORTED, "version 1 is too old");
        return true;
    }
    signet_wire_put_header(&w, &q->header);
    signet_wire_put_hello_reply(&w, &reply);
    send(p->fd, packet, w.size, MSG_NOSIGNAL);
    return true;
}

static bool
serve_factory(struct server *s, struct peer *p, const struct request *q)
{
    atomic_fetch_add(&s->agent->counts->factories, 1);
    p->is_factory = true;
    if (s->agent->store[0] >= 0)
        send_fd(s->agent->store[0], p->fd);
    if (atomic_load(&s->agent->counts->unanswered_left) > 0) {
        atomic_fetch_sub(&s->agent->counts->unanswered_left, 1);
        return true;
    }
    reply_text(p, q, SIGNET_WIRE_STATUS_OK, "");
    return true;
}

static bool
serve_adopt(struct server *s, const struct peer *p, const struct request *q)
{
    if (!p->is_factory || q->passed_fd < 0)
        return false;
    atomic_fetch_add(&s->agent->counts->adopted, 1);
    add_peer(s, q->passed_fd, FAKE_ADOPTED);
    return true;
}

/* False: the connection is to be closed. */
static bool
serve_packet(struct server *s, struct peer *p)
{
    static uint8_t buffer[SIGNET_WIRE_PACKET_MAX];
    struct request q = {0};
    ssize_t n = receive(p->fd, buffer, sizeof(buffer), &q);
    struct signet_wire_reader r = {.data = buffer, .size = n > 0 ? (size_t)n : 0};
    if (!signet_wire_get_header(&r, &q.header))
        return false;
    if (p->is_factory != (q.header.op == SIGNET_WIRE_OP_ADOPT))
        return false;
    struct signet_wire_hello_request hello;
    switch (q.header.op) {
    case SIGNET_WIRE_OP_HELLO:
        return signet_wire_get_hello_request(&r, &hello) && serve_hello(s, p, &q);
    case SIGNET_WIRE_OP_LOOKUP:
        return signet_wire_get_lookup_request(&r, &q.lookup) && serve_lookup(s, p, &q);
    case SIGNET_WIRE_OP_FACTORY:
        return signet_wire_get_end(&r) && serve_factory(s, p, &q);
    case SIGNET_WIRE_OP_ADOPT:
        return signet_wire_get_end(&r) && serve_adopt(s, p, &q);
    default:
        return false;
    }
}

static void
restore_factories(struct server *s)
{
    struct request q = {0};
    uint8_t byte;
    while (s->agent->store[1] >= 0 && receive(s->agent->store[1], &byte, 1, &q) > 0) {
        add_peer(s, q.passed_fd, FAKE_BY_PATH);
        s->peers[s->n_peers - 1].is_factory = true;
    }
    for (size_t i = 0; i < s->n_peers; i++)
        send_fd(s->agent->store[0], s->peers[i].fd);
}

static void
serve_ready(struct server *s, const struct pollfd *p, size_t n)
{
    if (p[0].revents & POLLIN) {
        int fd = accept4(s->agent->listen_fd, NULL, NULL, SOCK_CLOEXEC);
        if (fd >= 0)
            add_peer(s, fd, FAKE_BY_PATH);
        atomic_fetch_add(&s->agent->counts->accepted, fd >= 0);
    }
    for (size_t i = n; i-- > 0;) {
        if (p[i + 1].revents == 0 || serve_packet(s, &s->peers[i]))
            continue;
        close(s->peers[i].fd);
        s->peers[i] = s->peers[--s->n_peers];
    }
}

static void __attribute__((noreturn)) serve(struct fake_agent *agent)
{
    static struct server s;
    static struct pollfd p[PEERS_MAX + 1];
    s.agent = agent;
    restore_factories(&s);
    if (agent->inherited >= 0)
        add_peer(&s, agent->inherited, FAKE_INHERITED);
    for (;;) {
        p[0] = (struct pollfd) {.fd = agent->listen_fd, .events = POLLIN};
        for (size_t i = 0; i < s.n_peers; i++)
            p[i + 1] = (struct pollfd) {.fd = s.peers[i].fd, .events = POLLIN};
        size_t n = s.n_peers;
        poll(p, n + 1, -1);
        serve_ready(&s, p, n);
    }
}

void
fake_agent_init(struct fake_agent *agent)
{
    *agent = (struct fake_agent) {.directory = "/tmp/signet-channel-XXXXXX",
                                  .store = {-1, -1},
                                  .listen_fd = -1,
                                  .inherited = -1};
    ck_assert_ptr_nonnull(mkdtemp(agent->directory));
    ck_assert_int_eq(chmod(agent->directory, 0755), 0);
    snprintf(agent->path, sizeof(agent->path), "%s/agent.sock", agent->directory);
    agent->counts = mmap(NULL, sizeof(*agent->counts), PROT_READ | PROT_WRITE,
                         MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ck_assert_ptr_ne(agent->counts, MAP_FAILED);
    fake_agent_listen(agent);
}

void
fake_agent_listen(struct fake_agent *agent)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int on = 1;
    strcpy(address.sun_path, agent->path);
    agent->listen_fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    setsockopt(agent->listen_fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on));
    ck_assert_int_eq(bind(agent->listen_fd, (struct sockaddr *)&address, sizeof(address)), 0);
    ck_assert_int_eq(chmod(agent->path, 0666), 0);
    ck_assert_int_eq(listen(agent->listen_fd, 128), 0);
}

void
fake_agent_unlisten(struct fake_agent *agent)
{
    close(agent->listen_fd);
    agent->listen_fd = -1;
    unlink(agent->path);
}

void
fake_agent_start_after(struct fake_agent *agent, unsigned delay_ms)
{
    agent->pid = fork();
    ck_assert_int_ge(agent->pid, 0);
    if (agent->pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        signal(SIGCHLD, SIG_IGN);
        sleep_ms(delay_ms);
        if (agent->listen_fd < 0)
            fake_agent_listen(agent);
        serve(agent);
    }
}

void
fake_agent_start(struct fake_agent *agent)
{
    fake_agent_start_after(agent, 0);
}

void
fake_agent_stop(struct fake_agent *agent)
{
    if (agent->pid == 0)
        return;
    kill(agent->pid, SIGKILL);
    waitpid(agent->pid, NULL, 0);
    agent->pid = 0;
}

void
fake_agent_keep_factories(struct fake_agent *agent)
{
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, agent->store), 0);
}

void
fake_agent_clear(struct fake_agent *agent)
{
    fake_agent_stop(agent);
    if (agent->listen_fd >= 0)
        close(agent->listen_fd);
    unlink(agent->path);
    rmdir(agent->directory);
    munmap(agent->counts, sizeof(*agent->counts));
}
