/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Calls from processes that fork, chroot, change their user or close descriptors, and the factory
 * that lets them. */

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "provider/channel/pool.h"
#include "tests/unit/channel/common.h"

#define CHILDREN 8
#define NOBODY   65534

/* The connection that the parent used last, for its children to compare with theirs. */
static struct answer parents;
/* What a child waits on for its parent. */
static int go[2];

static void
prepare_well(void)
{
    struct signet_channel_failure failure;
    ck_assert_msg(signet_channel_prepare(channel, &failure), "%s", failure.text);
}

static int
expect_own_adopted_connection(void)
{
    struct answer mine = ask_well("wifi");
    return mine.kind == FAKE_ADOPTED && mine.origin.pid == (uint32_t)getpid() &&
                   mine.origin.connection != parents.origin.connection
               ? 0
               : 1;
}

START_TEST(a_child_makes_its_own_connection_through_the_factory)
{
    prepare_well();
    parents = ask_well("wifi");
    ck_assert_int_eq(in_child(expect_own_adopted_connection), 0);
    ck_assert_uint_eq(atomic_load(&agent.counts->adopted), 1);
    ck_assert_uint_eq(ask_well("wifi").origin.connection, parents.origin.connection);
    ck_assert_uint_eq(atomic_load(&agent.counts->accepted), 2);
}
END_TEST

static int
expect_own_connection_by_path(void)
{
    struct answer mine = ask_well("wifi");
    return mine.kind == FAKE_BY_PATH && mine.origin.connection != parents.origin.connection ? 0 : 1;
}

START_TEST(without_a_factory_a_child_uses_the_path)
{
    parents = ask_well("wifi");
    ck_assert_int_eq(in_child(expect_own_connection_by_path), 0);
    ck_assert_uint_eq(ask_well("wifi").origin.connection, parents.origin.connection);
}
END_TEST

START_TEST(a_child_made_without_fork_handlers_makes_its_own_connection)
{
    parents = ask_well("wifi");
    pid_t pid = _Fork();
    if (pid == 0)
        _exit(expect_own_connection_by_path());
    ck_assert_int_eq(wait_child(pid), 0);
    ck_assert_uint_eq(ask_well("wifi").origin.connection, parents.origin.connection);
}
END_TEST

static int
count_sockets(void)
{
    int n = 0;
    for (int fd = 0; fd < 64; fd++) {
        struct stat status;
        n += fd != agent.listen_fd && fstat(fd, &status) == 0 && S_ISSOCK(status.st_mode);
    }
    return n;
}

START_TEST(a_child_has_only_the_factory_from_the_start)
{
    int before = count_sockets();
    prepare_well();
    ask_well("wifi");
    ck_assert_int_eq(count_sockets() - before, 2);
    ck_assert_int_eq(in_child(count_sockets) - before, 1);
}
END_TEST

START_TEST(preparing_twice_opens_one_factory)
{
    prepare_well();
    prepare_well();
    ck_assert_uint_eq(atomic_load(&agent.counts->factories), 1);
}
END_TEST

static void *
ask_often(void *n_failed)
{
    for (int i = 0; i < 50; i++) {
        struct answer answer;
        struct signet_channel_failure failure;
        char payload[64];
        snprintf(payload, sizeof(payload), "%d %p %d", getpid(), (void *)pthread_self(), i);
        bool is_fine = ask(channel, "wifi", payload, &answer, &failure) &&
                       answer.origin.pid == (uint32_t)getpid();
        atomic_fetch_add((atomic_uint *)n_failed, is_fine ? 0 : 1);
    }
    return NULL;
}

static int
ask_in_threads(void)
{
    pthread_t threads[4];
    atomic_uint n_failed = 0;
    for (int i = 0; i < 4; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, ask_often, &n_failed), 0);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    return atomic_load(&n_failed) == 0 ? 0 : 1;
}

START_TEST(eight_children_with_threads_get_their_own_answers)
{
    pid_t pids[CHILDREN];
    prepare_well();
    ask_well("wifi");
    for (int i = 0; i < CHILDREN; i++)
        pids[i] = start_child(ask_in_threads);
    for (int i = 0; i < CHILDREN; i++)
        ck_assert_int_eq(wait_child(pids[i]), 0);
    ck_assert_uint_ge(atomic_load(&agent.counts->adopted), CHILDREN);
}
END_TEST

static atomic_bool is_enough;

static void *
ask_until_enough(void *n_failed)
{
    while (!atomic_load(&is_enough))
        ask_often(n_failed);
    return NULL;
}

static int
ask_once(void)
{
    ask_well("wifi");
    return 0;
}

START_TEST(forks_while_threads_are_calling_work)
{
    pthread_t threads[4];
    atomic_uint n_failed = 0;
    prepare_well();
    for (int i = 0; i < 4; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, ask_until_enough, &n_failed), 0);
    for (int i = 0; i < 50; i++)
        ck_assert_int_eq(in_child(ask_once), 0);
    atomic_store(&is_enough, true);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    ck_assert_uint_eq(atomic_load(&n_failed), 0);
}
END_TEST

static int
ask_from_chroot(void)
{
    enter_empty_chroot_as_nobody();
    struct answer answer = ask_well("wifi");
    return answer.kind == FAKE_ADOPTED && answer.uid == NOBODY ? 0 : 1;
}

START_TEST(a_child_in_a_chroot_as_another_user_is_served_as_that_user)
{
    pid_t pids[CHILDREN];
    prepare_well();
    ask_well("wifi");
    for (int i = 0; i < CHILDREN; i++)
        pids[i] = start_child(ask_from_chroot);
    for (int i = 0; i < CHILDREN; i++)
        ck_assert_int_eq(wait_child(pids[i]), 0);
}
END_TEST

static int
prepare_and_ask_from_chroot(void)
{
    prepare_well();
    return ask_from_chroot();
}

START_TEST(the_process_that_prepared_is_served_in_a_chroot)
{
    ck_assert_int_eq(in_child(prepare_and_ask_from_chroot), 0);
}
END_TEST

static int
ask_before_and_after_go(void)
{
    char byte;
    enter_empty_chroot_as_nobody();
    ask_well("wifi");
    ck_assert_int_eq(write(go[1], "r", 1), 1);
    ck_assert_int_eq(read(go[1], &byte, 1), 1);
    ask_well("wifi");
    return 0;
}

/* A child that has asked once from its chroot and waits. */
static pid_t
start_waiting_child(int (*body)(void))
{
    char byte;
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, go), 0);
    pid_t pid = start_child(body);
    ck_assert_int_eq(read(go[0], &byte, 1), 1);
    return pid;
}

START_TEST(a_kept_factory_serves_a_chroot_after_the_agents_death)
{
    fake_agent_keep_factories(&agent);
    fake_agent_stop(&agent);
    fake_agent_start(&agent);
    prepare_well();
    pid_t pid = start_waiting_child(ask_before_and_after_go);
    fake_agent_stop(&agent);
    ck_assert_int_eq(write(go[0], "g", 1), 1);
    pause_ms(100);
    fake_agent_start_after(&agent, 100);
    ck_assert_int_eq(wait_child(pid), 0);
    ck_assert_uint_eq(atomic_load(&agent.counts->factories), 1);
}
END_TEST

START_TEST(a_factory_that_is_kept_but_not_answered_is_asked_for_again)
{
    fake_agent_keep_factories(&agent);
    fake_agent_stop(&agent);
    fake_agent_start(&agent);
    atomic_store(&agent.counts->unanswered_left, 1);
    int64_t start = now_ms();
    prepare_well();
    ck_assert_int_le(now_ms() - start, 5000);
    ck_assert_uint_eq(atomic_load(&agent.counts->factories), 2);
    ck_assert_int_eq(in_child(ask_from_chroot), 0);
}
END_TEST

START_TEST(an_agent_that_never_answers_for_a_factory_is_given_up_at_the_deadline)
{
    struct signet_channel_failure failure;
    signet_channel_free(channel);
    channel = new_channel(agent.path, 3000);
    atomic_store(&agent.counts->unanswered_left, 1000);
    int64_t start = now_ms();
    ck_assert(!signet_channel_prepare(channel, &failure));
    ck_assert_int_eq(failure.error, SIGNET_CHANNEL_TIMED_OUT);
    ck_assert_int_ge(now_ms() - start, 2900);
    ck_assert_int_le(now_ms() - start, 4500);
    ck_assert_uint_le(atomic_load(&agent.counts->factories), 3);
}
END_TEST

static int
fail_after_go(void)
{
    char byte;
    enter_empty_chroot_as_nobody();
    ask_well("wifi");
    ck_assert_int_eq(write(go[1], "r", 1), 1);
    ck_assert_int_eq(read(go[1], &byte, 1), 1);
    struct signet_channel_failure failure = ask_in_vain(channel, "wifi");
    return failure.error == SIGNET_CHANNEL_UNREACHABLE ? 0 : 1;
}

START_TEST(a_lost_factory_in_a_chroot_is_an_error_in_time)
{
    signet_channel_free(channel);
    channel = new_channel(agent.path, 800);
    prepare_well();
    pid_t pid = start_waiting_child(fail_after_go);
    fake_agent_stop(&agent);
    fake_agent_start(&agent);
    int64_t start = now_ms();
    ck_assert_int_eq(write(go[0], "g", 1), 1);
    ck_assert_int_eq(wait_child(pid), 0);
    ck_assert_int_le(now_ms() - start, 2500);
}
END_TEST

START_TEST(a_lost_factory_is_opened_again_by_the_next_call_by_path)
{
    prepare_well();
    ask_well("wifi");
    fake_agent_stop(&agent);
    fake_agent_start(&agent);
    ask_well("wifi");
    ck_assert_uint_eq(atomic_load(&agent.counts->factories), 2);
    ck_assert_int_eq(in_child(ask_from_chroot), 0);
}
END_TEST

static int
ask_twice_then_from_grandchild_in_chroot(void)
{
    char byte;
    ask_well("wifi");
    ck_assert_int_eq(write(go[1], "r", 1), 1);
    ck_assert_int_eq(read(go[1], &byte, 1), 1);
    if (ask_well("wifi").kind != FAKE_BY_PATH)
        return 1;
    return in_child(ask_from_chroot);
}

START_TEST(a_child_whose_factory_is_lost_opens_its_own)
{
    prepare_well();
    pid_t pid = start_waiting_child(ask_twice_then_from_grandchild_in_chroot);
    fake_agent_stop(&agent);
    fake_agent_start(&agent);
    ck_assert_int_eq(write(go[0], "g", 1), 1);
    ck_assert_int_eq(wait_child(pid), 0);
}
END_TEST

START_TEST(a_factory_that_could_not_be_opened_is_opened_later)
{
    struct signet_channel_failure failure;
    fake_agent_stop(&agent);
    fake_agent_unlisten(&agent);
    signet_channel_free(channel);
    channel = new_channel(agent.path, 300);
    ck_assert(!signet_channel_prepare(channel, &failure));
    fake_agent_listen(&agent);
    fake_agent_start(&agent);
    ask_well("wifi");
    ck_assert_uint_eq(atomic_load(&agent.counts->factories), 1);
    ck_assert_int_eq(in_child(ask_from_chroot), 0);
}
END_TEST

static int
fail_for_lack_of_permission(void)
{
    ck_assert_int_eq(setuid(NOBODY), 0);
    int64_t start = now_ms();
    struct signet_channel_failure failure = ask_in_vain(channel, "wifi");
    return failure.error == SIGNET_CHANNEL_UNREACHABLE && now_ms() - start < 900 &&
                   strstr(failure.text, "Permission denied") != NULL
               ? 0
               : 1;
}

START_TEST(lack_of_permission_is_reported_at_once)
{
    ck_assert_int_eq(chmod(agent.directory, 0700), 0);
    ck_assert_int_eq(in_child(fail_for_lack_of_permission), 0);
}
END_TEST

/* The program closes everything behind our back and opens files of its own. */
static int
reuse_descriptors(void)
{
    int files[32], n_disturbed = 0;
    prepare_well();
    ask_well("wifi");
    closefrom(STDERR_FILENO + 1);
    for (int i = 0; i < 32; i++)
        files[i] = i % 2 == 0 ? open(agent.directory, O_TMPFILE | O_RDWR, 0600)
                              : socket(AF_UNIX, SOCK_SEQPACKET, 0);
    struct answer answer;
    struct signet_channel_failure failure;
    bool is_answered = ask(channel, "wifi", "x", &answer, &failure);
    signet_channel_free(channel);
    for (int i = 0; i < 32; i++) {
        struct stat status;
        bool is_as_before = files[i] >= 0 && fstat(files[i], &status) == 0 && status.st_size == 0;
        n_disturbed += !is_as_before;
    }
    return is_answered ? n_disturbed : 100;
}

START_TEST(reused_descriptors_are_not_disturbed)
{
    ck_assert_int_eq(in_child(reuse_descriptors), 0);
}
END_TEST

static int
ask_without_standard_descriptors(void)
{
    close(STDIN_FILENO);
    close(STDOUT_FILENO);
    close(STDERR_FILENO);
    prepare_well();
    ask_well("wifi");
    bool are_free = fcntl(0, F_GETFD) < 0 && fcntl(1, F_GETFD) < 0 && fcntl(2, F_GETFD) < 0;
    return are_free ? 0 : 1;
}

START_TEST(the_standard_descriptors_are_never_ours)
{
    ck_assert_int_eq(in_child(ask_without_standard_descriptors), 0);
}
END_TEST

static int
fail_on_inherited(void)
{
    return ask_in_vain(channel, "wifi").error == SIGNET_CHANNEL_UNREACHABLE ? 0 : 1;
}

START_TEST(an_inherited_connection_is_not_shared_with_children)
{
    int pair[2];
    char name[16];
    fake_agent_stop(&agent);
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
    agent.inherited = pair[1];
    fake_agent_start(&agent);
    snprintf(name, sizeof(name), "fd:%d", pair[0]);
    signet_channel_free(channel);
    channel = new_channel(name, 500);
    ask_well("wifi");
    ck_assert_int_eq(in_child(fail_on_inherited), 0);
    ask_well("wifi");
}
END_TEST

/* In a child of the one that opened the factory, while the agent is stopped: opens until the
 * factory is full. */
static int
fill_the_factory(struct signet_pool *pool)
{
    static struct signet_connection connections[600];
    int64_t start = now_ms();
    for (int i = 0; i < 600; i++) {
        connections[i].socket.fd = -1;
        enum signet_pool_opened opened =
            signet_pool_open(pool, &connections[i], signet_channel_now_ms() + 1000);
        if (opened != SIGNET_POOL_OPENED)
            return i > 0 && opened == SIGNET_POOL_AWAY && now_ms() - start < 900 ? 0 : 1;
    }
    return 2;
}

START_TEST(a_full_factory_does_not_block)
{
    struct signet_pool pool;
    signet_pool_init(&pool, agent.path, 1000);
    struct signet_connection *c = signet_pool_acquire(&pool, true, signet_channel_now_ms() + 1000);
    ck_assert_int_eq(signet_pool_open(&pool, c, signet_channel_now_ms() + 1000),
                     SIGNET_POOL_OPENED);
    signet_pool_keep_factory(&pool, c);
    signet_pool_release(&pool, c);
    kill(agent.pid, SIGSTOP);
    unlink(agent.path);

    pid_t pid = fork();
    if (pid == 0)
        _exit(fill_the_factory(&pool));
    ck_assert_int_eq(wait_child(pid), 0);
    kill(agent.pid, SIGCONT);
    signet_pool_clear(&pool);
}
END_TEST

Suite *
processes_suite(void)
{
    Suite *suite = suite_create("channel processes");
    TCase *tc = tcase_create("processes");
    tcase_add_checked_fixture(tc, common_setup, common_teardown);
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, a_child_makes_its_own_connection_through_the_factory);
    tcase_add_test(tc, without_a_factory_a_child_uses_the_path);
    tcase_add_test(tc, a_child_made_without_fork_handlers_makes_its_own_connection);
    tcase_add_test(tc, a_child_has_only_the_factory_from_the_start);
    tcase_add_test(tc, preparing_twice_opens_one_factory);
    tcase_add_test(tc, eight_children_with_threads_get_their_own_answers);
    tcase_add_test(tc, forks_while_threads_are_calling_work);
    tcase_add_test(tc, a_child_in_a_chroot_as_another_user_is_served_as_that_user);
    tcase_add_test(tc, the_process_that_prepared_is_served_in_a_chroot);
    tcase_add_test(tc, a_kept_factory_serves_a_chroot_after_the_agents_death);
    tcase_add_test(tc, a_factory_that_is_kept_but_not_answered_is_asked_for_again);
    tcase_add_test(tc, an_agent_that_never_answers_for_a_factory_is_given_up_at_the_deadline);
    tcase_add_test(tc, a_lost_factory_in_a_chroot_is_an_error_in_time);
    tcase_add_test(tc, a_lost_factory_is_opened_again_by_the_next_call_by_path);
    tcase_add_test(tc, a_child_whose_factory_is_lost_opens_its_own);
    tcase_add_test(tc, a_factory_that_could_not_be_opened_is_opened_later);
    tcase_add_test(tc, lack_of_permission_is_reported_at_once);
    tcase_add_test(tc, reused_descriptors_are_not_disturbed);
    tcase_add_test(tc, the_standard_descriptors_are_never_ours);
    tcase_add_test(tc, an_inherited_connection_is_not_shared_with_children);
    tcase_add_test(tc, a_full_factory_does_not_block);
    suite_add_tcase(suite, tc);
    return suite;
}
