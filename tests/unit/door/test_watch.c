/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Clients that wait for a change: they hear of what they may see, of nothing else, and at once. */

#include <check.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/door/house.h"

#define NOTHING_MS 200 /* long enough for an answer that should not come */

static size_t
put_watch(uint8_t *packet, const void *seen, size_t size)
{
    struct signet_wire_header header = {
        .version = SIGNET_WIRE_VERSION, .op = SIGNET_WIRE_OP_WATCH, .serial = 7};
    struct signet_wire_watch_request request = {{seen, size}};
    struct signet_wire_writer w = {.data = packet, .capacity = 64};

    signet_wire_put_header(&w, &header);
    signet_wire_put_watch_request(&w, &request);
    return w.size;
}

static gboolean
receive_state(int fd, guint64 *ret_state)
{
    static ClientReply reply;
    struct signet_wire_watch_reply answer;

    client_receive(fd, &reply);
    if (reply.size == 0 || reply.header.status != OK ||
        !signet_wire_get_watch_reply(&reply.reader, &answer) ||
        answer.state.size != sizeof *ret_state)
        return FALSE;
    memcpy(ret_state, answer.state.data, sizeof *ret_state);
    return TRUE;
}

static gboolean
is_silent(int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};

    return poll(&p, 1, NOTHING_MS) == 0;
}

/* One byte each way: our parent has done something. */
static gboolean
take_turns(HouseGate *gate)
{
    char byte = 0;

    return write(gate->ready[1], &byte, 1) == 1 && read(gate->go[0], &byte, 1) == 1;
}

static int
watcher(void *data)
{
    HouseGate *gate = data;
    uint8_t packet[64];
    guint64 first = 0, second = 0;
    int fd;

    house_become(WORLD_NOBODY);
    fd = client_connect(house.path);
    client_send(fd, packet, put_watch(packet, NULL, 0));
    EXPECT(receive_state(fd, &first));
    client_send(fd, packet, put_watch(packet, &first, sizeof first));
    EXPECT(is_silent(fd));
    EXPECT(take_turns(gate)); /* something of others has changed */
    EXPECT(is_silent(fd));
    EXPECT(take_turns(gate)); /* now something of ours */
    EXPECT(receive_state(fd, &second));
    EXPECT(second != first);
    /* what was seen is long past: answered at once, and the connection goes on */
    client_send(fd, packet, put_watch(packet, &first, sizeof first));
    EXPECT(receive_state(fd, &first));
    EXPECT(first == second);
    EXPECT(client_sign(fd, "app") == OK);
    return 0;
}

static void
await_turn(HouseGate *gate)
{
    char byte;

    house_serve_until_readable(gate->ready[0]);
    ck_assert_int_eq(read(gate->ready[0], &byte, 1), 1);
    house_settle();
}

static void
give_turn(HouseGate *gate)
{
    char byte = 0;

    signet_door_look_again(house.door);
    ck_assert_int_eq(write(gate->go[1], &byte, 1), 1);
}

START_TEST(a_change_is_told_to_those_who_may_see_it)
{
    HouseGate gate;
    pid_t child;

    house_gate_open(&gate);
    child = house_start(watcher, &gate, gate.ready[1], gate.go[0]);
    await_turn(&gate);
    signet_inventory_set_current(house.world->inventory, "own", 0);
    give_turn(&gate);
    await_turn(&gate);
    signet_inventory_set_current(house.world->inventory, "app", 3);
    give_turn(&gate);
    house_serve_until_end(child);
}
END_TEST

static int
leaver(void *data)
{
    uint8_t packet[64];
    guint64 state = 0;
    int fd = client_connect(house.path);

    client_send(fd, packet, put_watch(packet, NULL, 0));
    EXPECT(receive_state(fd, &state));
    client_send(fd, packet, put_watch(packet, &state, sizeof state));
    EXPECT(is_silent(fd));
    return 0;
}

START_TEST(who_leaves_while_waiting_leaves_nothing)
{
    house_serve(leaver, NULL);
    house_settle();
    ck_assert_uint_eq(signet_door_get_n_connections(house.door), 0);
    signet_inventory_set_current(house.world->inventory, "app", 3);
    signet_door_look_again(house.door);
    house_settle();
}
END_TEST

/* Whoever waits gives way like an idle connection, and may come again. */
static int
crowd(void *data)
{
    uint8_t packet[64];
    guint64 state = 0;
    int fds[8];

    for (gsize i = 0; i < G_N_ELEMENTS(fds); i++) {
        fds[i] = client_connect(house.path);
        client_send(fds[i], packet, put_watch(packet, NULL, 0));
        EXPECT(receive_state(fds[i], &state));
        client_send(fds[i], packet, put_watch(packet, &state, sizeof state));
    }
    EXPECT(client_sign(client_connect(house.path), "app") == OK);
    EXPECT(!is_silent(fds[0]));
    return 0;
}

START_TEST(who_waits_gives_way_when_there_are_too_many)
{
    signet_door_free(house.door);
    house_open_door(4);
    house_serve(crowd, NULL);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("watch");
    TCase *tcase = tcase_create("watch");
    SRunner *runner;
    int failed;

    tcase_add_checked_fixture(tcase, house_setup, house_teardown);
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, a_change_is_told_to_those_who_may_see_it);
    tcase_add_test(tcase, who_leaves_while_waiting_leaves_nothing);
    tcase_add_test(tcase, who_waits_gives_way_when_there_are_too_many);
    suite_add_tcase(suite, tcase);
    runner = srunner_create(suite);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
