/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* What the channel's tests share. */

#include "tests/unit/channel/common.h"

#include <dirent.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define NOBODY 65534

struct fake_agent agent;
struct signet_channel *channel;

void
common_setup(void)
{
    fake_agent_init(&agent);
    fake_agent_start(&agent);
    channel = new_channel(agent.path, COMMON_TIMEOUT_MS);
}

void
common_teardown(void)
{
    signet_channel_free(channel);
    fake_agent_clear(&agent);
}

struct signet_channel *
new_channel(const char *socket, unsigned timeout_ms)
{
    struct signet_channel_settings settings = {
        .socket = socket, .timeout_ms = timeout_ms, .program = "test"};
    struct signet_channel *new = signet_channel_new(&settings);
    ck_assert_ptr_nonnull(new);
    return new;
}

bool
ask(struct signet_channel *through, const char *identity, const char *payload,
    struct answer *ret_answer, struct signet_channel_failure *ret_failure)
{
    struct signet_wire_lookup_request request = {.identity = signet_bytes_from_string(identity),
                                                 .spki = signet_bytes_from_string(payload)};
    struct signet_channel_call call = {.op = SIGNET_WIRE_OP_LOOKUP, .message = &request};
    struct signet_channel_reply reply;
    struct signet_wire_lookup_reply lookup;
    if (!signet_channel_call(through, &call, &reply, ret_failure))
        return false;
    bool is_right = signet_wire_get_lookup_reply(&reply.reader, &lookup) &&
                    signet_bytes_equal_string(lookup.spki, payload) &&
                    lookup.chain.size == sizeof(struct fake_origin);
    if (is_right) {
        ret_answer->uid = lookup.generation;
        ret_answer->kind = (enum fake_kind)lookup.key_type;
        memcpy(&ret_answer->origin, lookup.chain.data, sizeof(ret_answer->origin));
    } else {
        snprintf(ret_failure->text, sizeof(ret_failure->text), "somebody else's answer");
    }
    signet_channel_release(&reply);
    return is_right;
}

struct answer
ask_well(const char *identity)
{
    struct answer answer = {0};
    struct signet_channel_failure failure;
    ck_assert_msg(ask(channel, identity, "payload", &answer, &failure), "%s", failure.text);
    return answer;
}

struct signet_channel_failure
ask_in_vain(struct signet_channel *through, const char *identity)
{
    struct answer answer;
    struct signet_channel_failure failure;
    ck_assert(!ask(through, identity, "payload", &answer, &failure));
    return failure;
}

void *
work_on(void *data)
{
    struct work *work = data;
    for (unsigned i = 0; i < work->repeats; i++) {
        char payload[64];
        struct answer answer;
        struct signet_channel_failure failure;
        snprintf(payload, sizeof(payload), "thread %u question %u", work->number, i);
        if (!ask(work->channel, work->identity, payload, &answer, &failure))
            work->n_failed++;
    }
    return NULL;
}

unsigned
run_threads(struct signet_channel *through, const char *identity, unsigned n, unsigned repeats)
{
    pthread_t threads[32];
    struct work work[32];
    unsigned n_failed = 0;
    for (unsigned i = 0; i < n; i++) {
        work[i] = (struct work) {
            .channel = through, .identity = identity, .repeats = repeats, .number = i};
        ck_assert_int_eq(pthread_create(&threads[i], NULL, work_on, &work[i]), 0);
    }
    for (unsigned i = 0; i < n; i++) {
        pthread_join(threads[i], NULL);
        n_failed += work[i].n_failed;
    }
    return n_failed;
}

int64_t
now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void
pause_ms(unsigned ms)
{
    struct timespec pause = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L};
    nanosleep(&pause, NULL);
}

size_t
count_open_fds(void)
{
    size_t n = 0;
    DIR *directory = opendir("/proc/self/fd");
    ck_assert_ptr_nonnull(directory);
    while (readdir(directory) != NULL)
        n++;
    closedir(directory);
    return n;
}

pid_t
start_child(int (*body)(void))
{
    fflush(NULL);
    pid_t pid = fork();
    ck_assert_int_ge(pid, 0);
    if (pid == 0)
        _exit(body());
    return pid;
}

int
wait_child(pid_t pid)
{
    int status;
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int
in_child(int (*body)(void))
{
    return wait_child(start_child(body));
}

void
enter_empty_chroot_as_nobody(void)
{
    char directory[] = "/tmp/signet-chroot-XXXXXX";
    ck_assert_msg(getuid() == 0, "this test must run as root: it calls chroot() and setuid()");
    ck_assert_ptr_nonnull(mkdtemp(directory));
    ck_assert_int_eq(chdir(directory), 0);
    rmdir(directory);
    ck_assert_int_eq(chroot("."), 0);
    ck_assert_int_eq(setgid(NOBODY), 0);
    ck_assert_int_eq(setuid(NOBODY), 0);
}
