/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* The private socket under nonsense and load: it answers, or ends the connection, and goes on
 * serving others. */

#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "tests/unit/door/house.h"

#define FLOOD 10000

/* --- who wants to be served --- */

static int
compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return x < y ? -1 : x > y;
}

static double
now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static int
citizen(void *data)
{
    double times[300];
    int fd;

    house_become(WORLD_NOBODY);
    fd = client_connect(house.path);
    for (size_t i = 0; i < G_N_ELEMENTS(times); i++) {
        double start_ms = now_ms();

        EXPECT(client_sign(fd, "app") == OK);
        times[i] = now_ms() - start_ms;
        usleep(1000);
    }
    qsort(times, G_N_ELEMENTS(times), sizeof times[0], compare_doubles);
    fprintf(stderr, "# a signature: median %.2f ms, worst %.2f ms\n",
            times[G_N_ELEMENTS(times) / 2], times[G_N_ELEMENTS(times) - 1]);
    EXPECT(times[G_N_ELEMENTS(times) / 2] < 50);
    return 0;
}

/* --- nonsense --- */

static int
babbler(void *data)
{
    static uint8_t packet[SIGNET_WIRE_PACKET_MAX + 1];
    int fd = client_connect(house.path);
    const int large = 400000;
    size_t size = client_put_sign(packet, SIGNET_WIRE_OP_SIGN_MESSAGE, "own");
    static ClientReply reply;

    for (size_t cut = SIGNET_WIRE_HEADER_SIZE; cut < size; cut++) {
        client_send(fd, packet, cut);
        client_receive(fd, &reply);
        EXPECT(reply.size > 0 && reply.header.status == SIGNET_WIRE_STATUS_BAD_REQUEST);
    }
    EXPECT(client_bare(fd, (enum signet_wire_op)200) == SIGNET_WIRE_STATUS_BAD_REQUEST);
    EXPECT(client_bare(fd, SIGNET_WIRE_OP_JOB) == SIGNET_WIRE_STATUS_BAD_REQUEST);
    EXPECT(client_bare(fd, SIGNET_WIRE_OP_RESULT) == SIGNET_WIRE_STATUS_BAD_REQUEST);
    EXPECT(client_bare(fd, SIGNET_WIRE_OP_CERTIFY) == SIGNET_WIRE_STATUS_BAD_REQUEST);
    EXPECT(client_bare(fd, SIGNET_WIRE_OP_ADOPT) == SIGNET_WIRE_STATUS_BAD_REQUEST);
    packet[3] = 1; /* a status in a request */
    client_send(fd, packet, size);
    client_receive(fd, &reply);
    EXPECT(reply.header.status == SIGNET_WIRE_STATUS_BAD_REQUEST);
    EXPECT(client_sign(fd, "own") == OK);

    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &large, sizeof large);
    client_send(fd, packet, sizeof packet);
    client_receive(fd, &reply);
    EXPECT(reply.size == 0);
    return 0;
}

static int
foreigner(void *data)
{
    uint8_t packet[512];
    static ClientReply reply;

    for (size_t size = 1; size < SIGNET_WIRE_HEADER_SIZE; size++) {
        int fd = client_connect(house.path);

        client_put_bare(packet, SIGNET_WIRE_OP_HELLO);
        client_send(fd, packet, size);
        client_receive(fd, &reply);
        EXPECT(reply.size == 0);
    }
    for (int version = 0; version < 256; version++) {
        int fd = client_connect(house.path);
        size_t size = client_put_lookup(packet, "own", 0);

        packet[0] = (uint8_t)version;
        client_send(fd, packet, size);
        client_receive(fd, &reply);
        EXPECT((reply.size > 0) == (version == SIGNET_WIRE_VERSION));
        close(fd);
    }
    return 0;
}

START_TEST(nonsense_is_answered_or_ends_the_connection)
{
    static const HouseProgram programs[] = {babbler, foreigner};

    house_serve(programs[_i], NULL);
}
END_TEST

static guint
count_open_fds(void)
{
    DIR *dir = opendir("/proc/self/fd");
    guint count = 0;

    while (readdir(dir))
        count++;
    closedir(dir);
    return count;
}

static int
giver(void *data)
{
    uint8_t packet[512];
    static ClientReply reply;
    int fds[32], fd = client_connect(house.path), factory = client_connect(house.path);

    for (size_t i = 0; i < G_N_ELEMENTS(fds); i++)
        fds[i] = open("/dev/null", O_RDONLY | O_CLOEXEC);
    for (size_t n = 1; n <= G_N_ELEMENTS(fds); n++) {
        client_send_fds(fd, packet, client_put_lookup(packet, "own", 0), fds, n);
        client_receive(fd, &reply);
        EXPECT(reply.header.status == OK);
    }
    EXPECT(client_bare(factory, SIGNET_WIRE_OP_FACTORY) == OK);
    for (size_t n = 1; n <= G_N_ELEMENTS(fds); n++)
        client_send_fds(factory, packet, client_put_bare(packet, SIGNET_WIRE_OP_ADOPT), fds, n);
    EXPECT(client_sign(client_adopt(factory), "own") == OK);
    return 0;
}

START_TEST(descriptors_that_nobody_asked_for_are_closed)
{
    guint before, after;

    house_serve(citizen, NULL); /* whatever is opened once and for all */
    house_settle();
    before = count_open_fds();
    house_serve(giver, NULL);
    house_settle();
    after = count_open_fds();
    ck_assert_uint_eq(after, before);
}
END_TEST

/* --- load --- */

static int
slow_reader(void *data)
{
    uint8_t packet[512];
    size_t size = client_put_lookup(packet, "own", 0);
    int slow = client_connect(house.path), quick = client_connect(house.path);
    static ClientReply reply;
    int sent = 0;

    for (int pause = 0; pause < 100; pause++) {
        while (send(slow, packet, size, MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)size)
            sent++;
        EXPECT(errno == EAGAIN);
        usleep(2000);
        EXPECT(client_sign(quick, "own") == OK);
    }
    EXPECT(sent > 100);
    for (int i = 0; i < sent; i++) {
        client_receive(slow, &reply);
        EXPECT(reply.size > 0 && reply.header.status == OK);
    }
    EXPECT(client_sign(slow, "own") == OK);
    return 0;
}

START_TEST(who_does_not_read_waits_alone_and_loses_nothing)
{
    house_serve(slow_reader, NULL);
}
END_TEST

static int
hasty(void *data)
{
    uint8_t packet[512];
    size_t size = client_put_sign(packet, SIGNET_WIRE_OP_SIGN_MESSAGE, "own");

    for (int i = 0; i < 50; i++) {
        int fd = client_connect(house.path);

        client_send(fd, packet, size);
        client_send(fd, packet, size);
        close(fd);
    }
    return 0;
}

START_TEST(who_leaves_before_the_answer_leaves_nothing_behind)
{
    g_atomic_int_set(&house.world->control.delay_us, 2000);
    house_serve(hasty, NULL);
    for (int i = 0; i < 200 && signet_door_get_n_connections(house.door) > 0; i++)
        house_settle();
    ck_assert_uint_eq(signet_door_get_n_connections(house.door), 0);
    house_serve(citizen, NULL);
}
END_TEST

static int
hoarder(void *data)
{
    int fds[12];
    static ClientReply reply;

    for (size_t i = 0; i < G_N_ELEMENTS(fds); i++) {
        fds[i] = client_connect(house.path);
        EXPECT(client_lookup(fds[i], "own") == OK);
        if (i >= 1)
            EXPECT(client_lookup(fds[0], "own") == OK);
    }
    client_receive(fds[1], &reply);
    EXPECT(reply.size == 0);
    EXPECT(client_lookup(fds[11], "own") == OK);
    EXPECT(client_lookup(fds[0], "own") == OK);
    return 0;
}

START_TEST(the_idlest_connection_gives_way)
{
    signet_door_free(house.door);
    house_open_door(8);
    house_serve(hoarder, NULL);
}
END_TEST

static int
flooder(void *data)
{
    HouseGate *gate = data;
    struct rlimit files;
    uint8_t packet[512];
    size_t size = client_put_lookup(packet, "app", 0);
    char byte = 0;
    int opened = 0;

    getrlimit(RLIMIT_NOFILE, &files);
    house_become(STRANGER);
    for (; opened < FLOOD && opened < (int)files.rlim_cur - 64; opened++) {
        int fd = client_connect(house.path);

        client_send(fd, packet, size);
        if (opened == 100)
            EXPECT(write(gate->ready[1], &byte, 1) == 1);
    }
    fprintf(stderr, "# %d connections of one stranger\n", opened);
    EXPECT(read(gate->go[0], &byte, 1) == 1);
    return 0;
}

START_TEST(a_flood_of_connections_leaves_others_served)
{
    HouseGate gate;
    char byte = 0;
    pid_t child;

    house_gate_open(&gate);
    child = house_start(flooder, &gate, gate.ready[1], gate.go[0]);
    house_serve_until_readable(gate.ready[0]);
    house_serve(citizen, NULL); /* while they come */
    house_serve(citizen, NULL); /* and while they are there */
    fprintf(stderr, "# %u connections at the agent\n", signet_door_get_n_connections(house.door));
    ck_assert_uint_le(signet_door_get_n_connections(house.door), 8192 / 2 + 1);
    ck_assert_int_eq(write(gate.go[1], &byte, 1), 1);
    house_serve_until_end(child);
    for (int i = 0; i < 500 && signet_door_get_n_connections(house.door) > 0; i++)
        house_settle();
    ck_assert_uint_eq(signet_door_get_n_connections(house.door), 0);
}
END_TEST

START_TEST(running_out_of_descriptors_is_survived)
{
    HouseGate gate;
    char byte = 0;
    pid_t child;
    struct rlimit files;

    house_gate_open(&gate);
    child = house_start(flooder, &gate, gate.ready[1], gate.go[0]);
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = 200;
    setrlimit(RLIMIT_NOFILE, &files);
    house_serve_until_readable(gate.ready[0]);
    house_serve(citizen, NULL);
    ck_assert_int_eq(write(gate.go[1], &byte, 1), 1);
    house_serve_until_end(child);
}
END_TEST

static Suite *
load_suite(void)
{
    Suite *suite = suite_create("load");
    TCase *tcase = tcase_create("load");

    tcase_add_checked_fixture(tcase, house_setup, house_teardown);
    tcase_set_timeout(tcase, 120);
    tcase_add_loop_test(tcase, nonsense_is_answered_or_ends_the_connection, 0, 2);
    tcase_add_test(tcase, descriptors_that_nobody_asked_for_are_closed);
    tcase_add_test(tcase, who_does_not_read_waits_alone_and_loses_nothing);
    tcase_add_test(tcase, who_leaves_before_the_answer_leaves_nothing_behind);
    tcase_add_test(tcase, the_idlest_connection_gives_way);
    tcase_add_test(tcase, a_flood_of_connections_leaves_others_served);
    tcase_add_test(tcase, running_out_of_descriptors_is_survived);
    suite_add_tcase(suite, tcase);
    return suite;
}

int
main(void)
{
    SRunner *runner = srunner_create(load_suite());
    int failed;

    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
