/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* The private socket as its clients see it: real processes with other credentials, factories, jobs,
 * restarts. */

#include <check.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/door/house.h"

/* --- who --- */

static int
allowed_user(void *data)
{
    int fd;

    house_become(WORLD_NOBODY);
    fd = client_connect(house.path);
    EXPECT(client_lookup(fd, "app") == OK);
    EXPECT(client_sign(fd, "app") == OK);
    EXPECT(client_sign(fd, "app") == OK);
    EXPECT(client_sign(fd, "web") == SIGNET_WIRE_STATUS_NOT_FOUND);
    return 0;
}

START_TEST(an_allowed_user_looks_up_and_signs)
{
    house_serve(allowed_user, NULL);
    ck_assert_int_eq(house.world->control.signatures, 2);
}
END_TEST

static int
stranger(void *data)
{
    static const char *const names[] = {"app",  "web",  "all",      "own",
                                        "unit", "gone", "ca.local", "x"};
    uint8_t packet[64];
    static ClientReply reply;
    struct signet_wire_list_reply list;
    struct signet_wire_writer w = {.data = packet, .capacity = sizeof packet};
    struct signet_wire_list_request request = {0};
    struct signet_wire_header header = {.version = 1, .op = SIGNET_WIRE_OP_LIST, .serial = 7};
    int fd;

    house_become(STRANGER);
    fd = client_connect(house.path);
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        EXPECT(client_lookup(fd, names[i]) == SIGNET_WIRE_STATUS_NOT_FOUND);
        EXPECT(client_sign(fd, names[i]) == SIGNET_WIRE_STATUS_NOT_FOUND);
    }
    signet_wire_put_header(&w, &header);
    signet_wire_put_list_request(&w, &request);
    client_send(fd, packet, w.size);
    client_receive(fd, &reply);
    EXPECT(reply.header.status == OK);
    EXPECT(signet_wire_get_list_reply(&reply.reader, &list) && list.names.size == 0);
    return 0;
}

START_TEST(a_stranger_gets_nothing)
{
    house_serve(stranger, NULL);
    ck_assert_int_eq(house.world->control.signatures, 0);
}
END_TEST

static int
heir_who_is_a_stranger(void *data)
{
    int fd = client_connect(house.path);

    EXPECT(client_sign(fd, "app") == OK);
    EXPECT(client_sign(fd, "own") == OK);
    house_become(STRANGER);
    EXPECT(client_sign(fd, "app") == SIGNET_WIRE_STATUS_NOT_FOUND);
    EXPECT(client_lookup(fd, "own") == SIGNET_WIRE_STATUS_NOT_FOUND);
    return 0;
}

static int
heir_who_is_allowed(void *data)
{
    int fd = client_connect(house.path);
    int status;

    EXPECT(client_sign(fd, "own") == OK);
    if (fork() == 0) {
        house_become(WORLD_NOBODY);
        _exit(client_sign(fd, "own") == SIGNET_WIRE_STATUS_NOT_FOUND && client_sign(fd, "app") == OK
                  ? 0
                  : 1);
    }
    wait(&status);
    EXPECT(status == 0);
    EXPECT(client_sign(fd, "own") == OK);
    return 0;
}

/* The other way round: an effective uid at connect() does not lend its connection to the real one.
 */
static int
borrower(void *data)
{
    int fd;

    if (seteuid(STRANGER) < 0)
        abort();
    fd = client_connect(house.path);
    EXPECT(client_sign(fd, "own") == SIGNET_WIRE_STATUS_NOT_FOUND);
    return 0;
}

START_TEST(an_inherited_connection_lends_no_rights)
{
    static const HouseProgram programs[] = {heir_who_is_a_stranger, heir_who_is_allowed, borrower};

    house_serve(programs[_i], NULL);
}
END_TEST

/* --- factories --- */

static int
factory_user(void *data)
{
    int factory = client_connect(house.path);
    int fd;

    EXPECT(client_bare(factory, SIGNET_WIRE_OP_FACTORY) == OK);
    house_become_chrooted(WORLD_NOBODY);
    fd = client_adopt(factory);
    EXPECT(client_sign(fd, "app") == OK);
    EXPECT(client_sign(fd, "own") == SIGNET_WIRE_STATUS_NOT_FOUND);
    EXPECT(client_sign(client_adopt(factory), "app") == OK);
    return 0;
}

static int
factory_abuser(void *data)
{
    int factory = client_connect(house.path), other = client_connect(house.path);
    int end = client_adopt(other);
    uint8_t packet[64];
    int file = open("/dev/null", O_RDONLY);

    EXPECT(client_bare(other, SIGNET_WIRE_OP_HELLO) != ENDED); /* adopt was no request there */
    EXPECT(client_sign(end, "app") == ENDED);
    EXPECT(client_bare(factory, SIGNET_WIRE_OP_FACTORY) == OK);
    client_send_fds(factory, packet, client_put_bare(packet, SIGNET_WIRE_OP_ADOPT), &file, 1);
    EXPECT(client_sign(client_adopt(factory), "app") == OK);
    EXPECT(client_sign(factory, "app") == ENDED);
    return 0;
}

static int
adopted_factory_user(void *data)
{
    int first = client_connect(house.path);
    int second;

    EXPECT(client_bare(first, SIGNET_WIRE_OP_FACTORY) == OK);
    second = client_adopt(first);
    EXPECT(client_bare(second, SIGNET_WIRE_OP_FACTORY) == OK);
    close(first);
    EXPECT(client_sign(client_adopt(second), "app") == OK);
    return 0;
}

/* Packets that were sent before anybody asked for credentials name nobody; the overflow uid is no
 * ground for anything. */
static int
forerunner(void *data)
{
    int factory = client_connect(house.path), ends[2];
    uint8_t packet[512];
    static ClientReply reply;

    EXPECT(client_bare(factory, SIGNET_WIRE_OP_FACTORY) == OK);
    EXPECT(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends) == 0);
    client_send(ends[1], packet, client_put_sign(packet, SIGNET_WIRE_OP_SIGN_MESSAGE, "app"));
    client_send_fds(factory, packet, client_put_bare(packet, SIGNET_WIRE_OP_ADOPT), &ends[0], 1);
    client_receive(ends[1], &reply);
    EXPECT(reply.header.status == SIGNET_WIRE_STATUS_DENIED);
    EXPECT(client_sign(ends[1], "app") == OK);
    return 0;
}

/* Only who made the pair may send it. */
static int
reseller(void *data)
{
    int factory = client_connect(house.path), ends[2];
    uint8_t packet[64];
    const int one = 1;

    EXPECT(client_bare(factory, SIGNET_WIRE_OP_FACTORY) == OK);
    EXPECT(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends) == 0);
    setsockopt(ends[0], SOL_SOCKET, SO_PASSCRED, &one, sizeof one);
    if (fork() == 0) {
        close(ends[1]);
        client_send_fds(factory, packet, client_put_bare(packet, SIGNET_WIRE_OP_ADOPT), ends, 1);
        _exit(0);
    }
    wait(NULL);
    close(ends[0]);
    EXPECT(client_sign(ends[1], "app") == ENDED);
    return 0;
}

START_TEST(factories_adopt_and_do_nothing_else)
{
    static const HouseProgram programs[] = {factory_user, factory_abuser, adopted_factory_user,
                                            forerunner, reseller};

    house_serve(programs[_i], NULL);
}
END_TEST

static int
outliver(void *data)
{
    HouseGate *gate = data;
    int factory = client_connect(house.path);
    char byte = 0;

    EXPECT(client_bare(factory, SIGNET_WIRE_OP_FACTORY) == OK);
    house_become_chrooted(WORLD_NOBODY);
    EXPECT(write(gate->ready[1], &byte, 1) == 1);
    EXPECT(read(gate->go[0], &byte, 1) == 1);
    /* nobody is there now: packets and descriptors wait in the factory that the manager holds */
    EXPECT(client_sign(client_adopt(factory), "app") == OK);
    EXPECT(client_sign(client_adopt(factory), "app") == OK);
    return 0;
}

START_TEST(a_kept_factory_outlives_the_agent)
{
    HouseGate gate;
    char byte = 0;
    pid_t child;
    g_autoptr(GError) error = NULL;

    house_gate_open(&gate);
    child = house_start(outliver, &gate, gate.ready[1], gate.go[0]);
    house_serve_until_readable(gate.ready[0]);
    ck_assert_uint_eq(house.n_kept, 1);
    ck_assert(g_str_has_prefix(house.kept[0].name, "factory-"));
    signet_door_free(house.door);
    ck_assert_uint_eq(house.n_forgotten, 0);
    ck_assert_int_eq(write(gate.go[1], &byte, 1), 1);
    g_usleep(50000);
    house_open_door(0);
    ck_assert(
        signet_door_restore_factory(house.door, dup(house.kept[0].fd), house.kept[0].name, &error));
    house_serve_until_end(child);
    house_settle();
    ck_assert_uint_eq(house.n_kept, 1);
    ck_assert_uint_eq(house.n_forgotten, 1);
    ck_assert_uint_eq(signet_door_get_n_connections(house.door), 0);
}
END_TEST

/* --- jobs --- */

static SignetJob *
make_job(void)
{
    static const char *const none[] = {NULL};
    SignetJobRequest request = {
        .identity = "app",
        .new_generation = 3,
        .current_generation = 2,
        .protocol = "local",
        .subject = "CN=app",
        .dns = none,
        .ip = none,
        .uri = none,
        .email = none,
        .purposes = SIGNET_PURPOSE_TLS_CLIENT,
        .spki = signet_inventory_get(house.world->inventory, "app", 3)->key->spki,
        .lifetime_s = 3600,
    };

    return signet_job_new(&request);
}

static int
send_result(int fd, const struct signet_wire_result_request *result)
{
    uint8_t packet[1024];
    static ClientReply reply;
    struct signet_wire_writer w = {.data = packet, .capacity = sizeof packet};
    struct signet_wire_header header = {.version = 1, .op = SIGNET_WIRE_OP_RESULT, .serial = 7};

    signet_wire_put_header(&w, &header);
    signet_wire_put_result_request(&w, result);
    client_send(fd, packet, w.size);
    client_receive(fd, &reply);
    return reply.size > 0 ? reply.header.status : ENDED;
}

static int
ask_for_evidence(int fd)
{
    uint8_t packet[64];
    static ClientReply reply;
    struct signet_wire_writer w = {.data = packet, .capacity = sizeof packet};
    struct signet_wire_header header = {.version = 1, .op = SIGNET_WIRE_OP_CERTIFY, .serial = 7};
    struct signet_wire_certify_request request = {.challenge = signet_bytes_from_string("token")};

    signet_wire_put_header(&w, &header);
    signet_wire_put_certify_request(&w, &request);
    client_send(fd, packet, w.size);
    client_receive(fd, &reply);
    return reply.size > 0 ? reply.header.status : ENDED;
}

static int
enroller(void *data)
{
    int fd = *(int *)data;
    struct signet_wire_result_request broken = {.chain = {(const uint8_t *)"\x30\x05", 2}};
    struct signet_wire_result_request both = {.error = signet_bytes_from_string("no"),
                                              .chain = {(const uint8_t *)"\x30\0", 2}};
    struct signet_wire_result_request good = {.chain = {(const uint8_t *)"\x30\0\x30\0", 4},
                                              .anchors = {(const uint8_t *)"\x30\0", 2}};

    house_become(STRANGER); /* the descriptor is the permission */
    EXPECT(client_bare(fd, SIGNET_WIRE_OP_JOB) == OK);
    EXPECT(client_lookup(fd, "app") == OK);
    EXPECT(client_lookup(fd, "web") == SIGNET_WIRE_STATUS_NOT_FOUND);
    EXPECT(client_sign(fd, "app") == OK);
    EXPECT(client_sign(fd, "own") == SIGNET_WIRE_STATUS_NOT_FOUND);
    EXPECT(client_bare(fd, SIGNET_WIRE_OP_LIST) == SIGNET_WIRE_STATUS_BAD_REQUEST);
    EXPECT(client_bare(fd, SIGNET_WIRE_OP_DECRYPT) == SIGNET_WIRE_STATUS_BAD_REQUEST);
    EXPECT(client_bare(fd, SIGNET_WIRE_OP_FACTORY) == SIGNET_WIRE_STATUS_BAD_REQUEST);
    EXPECT(client_bare(fd, SIGNET_WIRE_OP_CERTIFY) == SIGNET_WIRE_STATUS_BAD_REQUEST);
    EXPECT(ask_for_evidence(fd) == SIGNET_WIRE_STATUS_DENIED);
    EXPECT(send_result(fd, &broken) == SIGNET_WIRE_STATUS_BAD_REQUEST);
    EXPECT(send_result(fd, &both) == SIGNET_WIRE_STATUS_BAD_REQUEST);
    EXPECT(send_result(fd, &good) == OK);
    EXPECT(send_result(fd, &good) == SIGNET_WIRE_STATUS_BAD_REQUEST);
    return 0;
}

START_TEST(an_enroller_has_its_job_and_nothing_else)
{
    g_autoptr(SignetJob) job = make_job();
    int ends[2];
    pid_t child;

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
    signet_door_attach_job(ends[0], job, house.door);
    child = house_start(enroller, &ends[1], ends[1], -1);
    close(ends[1]);
    house_serve_until_end(child);
    ck_assert_int_eq(signet_job_get_outcome(job), SIGNET_OUTCOME_ISSUED);
    ck_assert_uint_eq(signet_job_get_chain(job)->len, 2);
    ck_assert_uint_eq(signet_job_get_anchors(job)->len, 1);
    house_settle();
    ck_assert_uint_eq(signet_door_get_n_connections(house.door), 0);
}
END_TEST

static const struct {
    struct signet_wire_result_request result;
    const char *error;
    SignetOutcome outcome;
} outcomes[] = {
    {{.transient = 1}, "no network", SIGNET_OUTCOME_FAILED},
    {{.transient = 0}, "the CA said no", SIGNET_OUTCOME_REFUSED},
    {{.retry_after_s = 60}, "wait", SIGNET_OUTCOME_PENDING},
    {{.retry_after_s = 60}, NULL, SIGNET_OUTCOME_PENDING},
};

typedef struct {
    int fd;
    int row;
} Verdict;

static int
judge(void *data)
{
    const Verdict *verdict = data;
    struct signet_wire_result_request result = outcomes[verdict->row].result;

    if (outcomes[verdict->row].error)
        result.error = signet_bytes_from_string(outcomes[verdict->row].error);
    EXPECT(send_result(verdict->fd, &result) == OK);
    return 0;
}

START_TEST(an_enrollers_answer_has_an_outcome)
{
    g_autoptr(SignetJob) job = make_job();
    int ends[2];
    Verdict verdict;

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
    signet_door_attach_job(ends[0], job, house.door);
    verdict = (Verdict) {ends[1], _i};
    house_serve_until_end(house_start(judge, &verdict, ends[1], -1));
    ck_assert_int_eq(signet_job_get_outcome(job), outcomes[_i].outcome);
    ck_assert_uint_eq(signet_job_get_retry_after(job), outcomes[_i].result.retry_after_s);
    close(ends[1]);
}
END_TEST

static Suite *
door_suite(void)
{
    Suite *suite = suite_create("door");
    TCase *tcase = tcase_create("door");

    tcase_add_checked_fixture(tcase, house_setup, house_teardown);
    tcase_set_timeout(tcase, 120);
    tcase_add_test(tcase, an_allowed_user_looks_up_and_signs);
    tcase_add_test(tcase, a_stranger_gets_nothing);
    tcase_add_loop_test(tcase, an_inherited_connection_lends_no_rights, 0, 3);
    tcase_add_loop_test(tcase, factories_adopt_and_do_nothing_else, 0, 5);
    tcase_add_test(tcase, a_kept_factory_outlives_the_agent);
    tcase_add_test(tcase, an_enroller_has_its_job_and_nothing_else);
    tcase_add_loop_test(tcase, an_enrollers_answer_has_an_outcome, 0, G_N_ELEMENTS(outcomes));
    suite_add_tcase(suite, tcase);
    return suite;
}

int
main(void)
{
    SRunner *runner = srunner_create(door_suite());
    int failed;

    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
