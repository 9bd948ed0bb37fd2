/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Which descriptors become connections: one end of a pair that the sender made, and nothing else.
 */

#include <check.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/door/adopt.h"
#include "agent/door/visitors.h"

static struct ucred
myself(void)
{
    return (struct ucred) {.pid = getpid(), .uid = getuid(), .gid = getgid()};
}

static int
make_pair(int type)
{
    int ends[2];

    ck_assert_int_eq(socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, ends), 0);
    return ends[0]; /* the other end stays open */
}

static struct sockaddr_un
abstract_name(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    snprintf(address.sun_path + 1, sizeof address.sun_path - 1, "signet-test-adopt-%d", getpid());
    return address;
}

static int
make_listener(void)
{
    struct sockaddr_un address = abstract_name();
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

    ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    ck_assert_int_eq(listen(fd, 4), 0);
    return fd;
}

/* --- the cases --- */

static int
plain_file(void)
{
    return open("/dev/null", O_RDWR | O_CLOEXEC);
}

static int
pipe_end(void)
{
    int ends[2];

    ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
    return ends[0];
}

static int
inet_socket(void)
{
    return socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

static int
stream_pair(void)
{
    return make_pair(SOCK_STREAM);
}

static int
datagram_pair(void)
{
    return make_pair(SOCK_DGRAM);
}

static int
unconnected(void)
{
    return socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
}

/* The end that somebody else's service would have accepted: it has the service's name. */
static int
accepted_end(void)
{
    struct sockaddr_un address = abstract_name();
    int listener = make_listener();
    int client = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

    ck_assert_int_eq(connect(client, (struct sockaddr *)&address, sizeof address), 0);
    return accept4(listener, NULL, NULL, SOCK_CLOEXEC);
}

/* A connection to somebody else's service: the agent would speak to it as the agent. */
static int
connected_end(void)
{
    struct sockaddr_un address = abstract_name();
    int client = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

    make_listener();
    ck_assert_int_eq(connect(client, (struct sockaddr *)&address, sizeof address), 0);
    return client;
}

static int
bound_pair(void)
{
    struct sockaddr_un address = abstract_name();
    int fd = make_pair(SOCK_SEQPACKET);

    ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

static int
nothing(void)
{
    return -1;
}

static int
pair_of_another_process(void)
{
    int pipe_fds[2], ends[2], status;
    pid_t child;

    /* Made by the child, kept open by us through the copy that fork() cannot give: so it comes by
     * SCM_RIGHTS. */
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_DGRAM, 0, pipe_fds), 0);
    child = fork();
    if (child == 0) {
        union {
            struct cmsghdr header;
            char bytes[CMSG_SPACE(sizeof(int))];
        } control = {0};
        struct iovec vector = {(void *)"x", 1};
        struct msghdr message = {.msg_iov = &vector,
                                 .msg_iovlen = 1,
                                 .msg_control = &control,
                                 .msg_controllen = sizeof control};

        if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends) < 0)
            _exit(1);
        control.header = (struct cmsghdr) {CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS};
        memcpy(CMSG_DATA(&control.header), &ends[0], sizeof(int));
        _exit(sendmsg(pipe_fds[1], &message, 0) == 1 ? 0 : 1);
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
    {
        guint8 buffer[4];
        SignetPacket packet;

        ck_assert(signet_packet_receive(pipe_fds[0], buffer, sizeof buffer, &packet));
        return packet.fd;
    }
}

static const struct {
    const char *what;
    int (*make)(void);
    int error;
} rows[] = {
    {"no descriptor", nothing, SIGNET_ERROR_BAD_REQUEST},
    {"a file", plain_file, SIGNET_ERROR_BAD_REQUEST},
    {"a pipe", pipe_end, SIGNET_ERROR_BAD_REQUEST},
    {"a network socket", inet_socket, SIGNET_ERROR_BAD_REQUEST},
    {"a stream", stream_pair, SIGNET_ERROR_BAD_REQUEST},
    {"datagrams", datagram_pair, SIGNET_ERROR_BAD_REQUEST},
    {"a listening socket", make_listener, SIGNET_ERROR_BAD_REQUEST},
    {"not connected", unconnected, SIGNET_ERROR_BAD_REQUEST},
    {"an accepted end", accepted_end, SIGNET_ERROR_BAD_REQUEST},
    {"a connection to a service", connected_end, SIGNET_ERROR_BAD_REQUEST},
    {"an end with a name", bound_pair, SIGNET_ERROR_BAD_REQUEST},
    {"somebody else's pair", pair_of_another_process, SIGNET_ERROR_DENIED},
};

START_TEST(nothing_but_the_senders_own_pair_is_adopted)
{
    struct ucred sender = myself();
    g_autoptr(GError) error = NULL;

    ck_assert_msg(!signet_adopt_check(rows[_i].make(), &sender, &error), "%s", rows[_i].what);
    ck_assert_msg(signet_error_is(error, (SignetErrorKind)rows[_i].error), "%s: %s", rows[_i].what,
                  error->message);
}
END_TEST

START_TEST(one_end_of_the_senders_pair_is_adopted)
{
    struct ucred sender = myself();
    g_autoptr(GError) error = NULL;
    int fd = make_pair(SOCK_SEQPACKET);
    const int one = 1;

    setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &one, sizeof one);
    ck_assert_msg(signet_adopt_check(fd, &sender, &error), "%s", error ? error->message : "");
}
END_TEST

START_TEST(a_sender_that_the_kernel_does_not_name_is_refused)
{
    struct ucred sender = {.pid = 0, .uid = 65534, .gid = 65534};
    g_autoptr(GError) error = NULL;

    ck_assert(!signet_adopt_check(make_pair(SOCK_SEQPACKET), &sender, &error));
    ck_assert(signet_error_is(error, SIGNET_ERROR_DENIED));
}
END_TEST

/* --- visitors --- */

START_TEST(connections_of_one_process_share_one_peer)
{
    g_autoptr(SignetVisitors) visitors = signet_visitors_new();
    struct ucred me = myself(), other = {.pid = getpid(), .uid = 33, .gid = 33};
    SignetVisitor *a = signet_visitors_get(visitors, &me, SIGNET_PIDFD_NONE, 0);
    SignetVisitor *b = signet_visitors_get(visitors, &me, SIGNET_PIDFD_NONE, 1);
    SignetVisitor *c = signet_visitors_get(visitors, &other, SIGNET_PIDFD_NONE, 1);

    ck_assert_ptr_eq(a, b);
    ck_assert_ptr_ne(a, c);
    ck_assert_uint_eq(signet_visitors_get_count(visitors), 2);
    signet_visitor_unref(a);
    signet_visitor_unref(b);
    signet_visitor_unref(c);
    ck_assert_uint_eq(signet_visitors_get_count(visitors), 0);
}
END_TEST

START_TEST(a_visitor_is_looked_up_again_after_a_minute)
{
    g_autoptr(SignetVisitors) visitors = signet_visitors_new();
    struct ucred me = myself();
    SignetVisitor *old = signet_visitors_get(visitors, &me, SIGNET_PIDFD_NONE, 0);
    SignetVisitor *new =
        signet_visitors_get(visitors, &me, SIGNET_PIDFD_NONE, SIGNET_VISITOR_FRESH_US);

    ck_assert_ptr_ne(old, new);
    ck_assert(!signet_visitor_is_fresh(old, SIGNET_VISITOR_FRESH_US));
    signet_visitor_unref(old);
    ck_assert_uint_eq(signet_visitors_get_count(visitors), 1);
    signet_visitor_unref(new);
}
END_TEST

/* Its number may belong to another process by now, so nothing is asked by number. */
START_TEST(a_process_that_is_gone_is_nobody_in_particular)
{
    g_autoptr(SignetVisitors) visitors = signet_visitors_new();
    struct ucred me = myself();
    SignetVisitor *gone = signet_visitors_get(visitors, &me, SIGNET_PIDFD_GONE, 0);
    SignetVisitor *here = signet_visitors_get(visitors, &me, SIGNET_PIDFD_NONE, 0);

    ck_assert_ptr_ne(gone, here);
    ck_assert_int_eq(signet_peer_get_pid(gone->peer), 0);
    ck_assert_int_eq(signet_peer_get_pid(here->peer), getpid());
    ck_assert_uint_eq(signet_peer_get_uid(gone->peer), getuid());
    ck_assert_str_eq(signet_peer_get_program(gone->peer), "?");
    ck_assert(!signet_visitor_is(gone, &me, SIGNET_PIDFD_NONE, 0));
    signet_visitor_unref(gone);
    signet_visitor_unref(here);
}
END_TEST

static Suite *
adopt_suite(void)
{
    Suite *suite = suite_create("adopt");
    TCase *tcase = tcase_create("adopt");

    tcase_add_loop_test(tcase, nothing_but_the_senders_own_pair_is_adopted, 0, G_N_ELEMENTS(rows));
    tcase_add_test(tcase, one_end_of_the_senders_pair_is_adopted);
    tcase_add_test(tcase, a_sender_that_the_kernel_does_not_name_is_refused);
    tcase_add_test(tcase, connections_of_one_process_share_one_peer);
    tcase_add_test(tcase, a_visitor_is_looked_up_again_after_a_minute);
    tcase_add_test(tcase, a_process_that_is_gone_is_nobody_in_particular);
    suite_add_tcase(suite, tcase);
    return suite;
}

int
main(void)
{
    SRunner *runner = srunner_create(adopt_suite());
    int failed;

    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
