/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* The enroller's process: however it behaves, the job ends, once, and nothing is left behind. */

#include <check.h>
#include <glib-unix.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/enroll/enroll.h"

static struct {
    GMainLoop *loop;
    SignetEnroll *enroll;
    SignetJob *job;
    int fd; /* the agent's end; -1 before attach */
    guint source;
    guint n_done;
    guint n_attached;
    gboolean has_credentials;
    char heard[256];
} world;

/* Plays the door: any packet is an answer, and is answered. */
static gboolean
on_packet(gint fd, GIOCondition condition, gpointer data)
{
    union {
        char space[CMSG_SPACE(sizeof(struct ucred))];
        struct cmsghdr align;
    } control;
    struct iovec vector = {world.heard, sizeof(world.heard) - 1};
    struct msghdr header = {.msg_iov = &vector,
                            .msg_iovlen = 1,
                            .msg_control = &control,
                            .msg_controllen = sizeof(control)};
    ssize_t size = recvmsg(fd, &header, 0);

    if (size <= 0) {
        world.source = 0;
        return G_SOURCE_REMOVE;
    }
    const struct cmsghdr *first = CMSG_FIRSTHDR(&header);
    if (first && first->cmsg_type == SCM_CREDENTIALS) {
        struct ucred credentials;
        memcpy(&credentials, CMSG_DATA(first), sizeof(credentials));
        world.has_credentials = credentials.pid > 1 && credentials.pid != getpid();
    }
    signet_job_set_result(world.job, SIGNET_OUTCOME_ISSUED, NULL, NULL, 0, NULL);
    send(fd, "ok", 2, MSG_NOSIGNAL);
    return G_SOURCE_CONTINUE;
}

static void
on_attach(int fd, SignetJob *job, gpointer data)
{
    ck_assert_ptr_eq(data, &world);
    ck_assert_ptr_eq(job, world.job);
    world.fd = fd;
    world.n_attached++;
    world.source = g_unix_fd_add(fd, G_IO_IN | G_IO_HUP, on_packet, NULL);
}

static void
on_done(SignetJob *job, gpointer data)
{
    ck_assert_ptr_eq(job, world.job);
    world.n_done++;
    g_main_loop_quit(world.loop);
}

static void
set_up(void)
{
    SignetJobRequest request = {
        .identity = "wifi", .new_generation = 1, .protocol = "local", .subject = "CN=x"};

    memset(&world, 0, sizeof(world));
    world.fd = -1;
    world.loop = g_main_loop_new(NULL, FALSE);
    world.job = signet_job_new(&request);
}

static void
tear_down(void)
{
    if (world.source)
        g_source_remove(world.source);
    if (world.fd >= 0)
        close(world.fd);
    if (world.enroll)
        signet_enroll_free(world.enroll);
    signet_job_unref(world.job);
    g_main_loop_unref(world.loop);
}

static void
start(const char *program, const char *mode, guint timeout_ms)
{
    const SignetEnrollSettings settings = {
        .program = program, .provider = mode, .timeout_ms = timeout_ms};

    world.enroll = signet_enroll_new(&settings, on_attach, &world);
    signet_enroll_start(world.enroll, world.job, on_done, &world);
    ck_assert_uint_eq(world.n_done, 0);
}

static gboolean
quit(gpointer data)
{
    g_main_loop_quit(world.loop);
    return G_SOURCE_REMOVE;
}

static void
run_for(guint ms)
{
    g_timeout_add(ms, quit, NULL);
    g_main_loop_run(world.loop);
}

static void
assert_no_child(void)
{
    ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1);
    ck_assert_int_eq(errno, ECHILD);
}

static void
assert_failed(const char *words)
{
    ck_assert_uint_eq(world.n_done, 1);
    ck_assert_int_eq(signet_job_get_outcome(world.job), SIGNET_OUTCOME_FAILED);
    ck_assert_msg(strstr(signet_job_get_message(world.job), words) != NULL,
                  "'%s' was expected, found '%s'", words, signet_job_get_message(world.job));
    assert_no_child();
}

static const struct {
    const char *mode;
    guint timeout_ms;
    const char *words;
} rows[] = {
    {"hang", 300, "did not answer within 1 s and was killed"},
    {"crash", 5000, "was killed by signal 6"},
    {"silent", 5000, "ended with status 0 and without an answer"},
    {"fail", 5000, "ended with status 7 and without an answer"},
    {"flood", 5000, "ended with status 9 and without an answer"},
    {"orphan", 4000, "ended with status 3 and without an answer"},
};

START_TEST(a_process_that_misbehaves_is_a_failure_in_words)
{
    start(STAND_IN, rows[_i].mode, rows[_i].timeout_ms);
    g_main_loop_run(world.loop);
    assert_failed(rows[_i].words);
    ck_assert_uint_eq(world.n_attached, 1);
}
END_TEST

START_TEST(a_program_that_does_not_exist_is_a_failure_in_words)
{
    start("/nonexistent/signet-enroll", NULL, 1000);
    g_main_loop_run(world.loop);
    assert_failed("cannot start '/nonexistent/signet-enroll': ");
    ck_assert_uint_eq(world.n_attached, 0);
}
END_TEST

START_TEST(an_answer_counts_and_carries_credentials)
{
    start(STAND_IN, "answer", 5000);
    g_main_loop_run(world.loop);
    ck_assert_uint_eq(world.n_done, 1);
    ck_assert_int_eq(signet_job_get_outcome(world.job), SIGNET_OUTCOME_ISSUED);
    ck_assert(world.has_credentials);
    assert_no_child();
}
END_TEST

START_TEST(an_answer_counts_although_the_process_then_hangs)
{
    start(STAND_IN, "answer-and-hang", 500);
    g_main_loop_run(world.loop);
    ck_assert_uint_eq(world.n_done, 1);
    ck_assert_int_eq(signet_job_get_outcome(world.job), SIGNET_OUTCOME_ISSUED);
    assert_no_child();
}
END_TEST

START_TEST(the_process_inherits_one_descriptor_and_three_variables)
{
    start(STAND_IN, "inherit", 5000);
    g_main_loop_run(world.loop);
    ck_assert_str_eq(world.heard, "open=0 variables=3 socket=fd:3");
}
END_TEST

START_TEST(a_cancelled_job_is_killed_and_silent)
{
    start(STAND_IN, "hang", 60000);
    run_for(100);
    signet_enroll_cancel(world.enroll, world.job);
    run_for(300);
    ck_assert_uint_eq(world.n_done, 0);
    ck_assert_int_eq(signet_job_get_outcome(world.job), SIGNET_OUTCOME_NONE);
    assert_no_child();
}
END_TEST

START_TEST(freeing_kills_what_runs)
{
    start(STAND_IN, "hang", 60000);
    signet_enroll_free(g_steal_pointer(&world.enroll));
    run_for(300);
    ck_assert_uint_eq(world.n_done, 0);
    assert_no_child();
}
END_TEST

static void
count_down(SignetJob *job, gpointer data)
{
    guint *left = data;

    ck_assert_int_eq(signet_job_get_outcome(job), SIGNET_OUTCOME_FAILED);
    if (--*left == 0)
        g_main_loop_quit(world.loop);
}

static void
attach_and_close(int fd, SignetJob *job, gpointer data)
{
    close(fd);
}

START_TEST(many_jobs_end_each_on_its_own)
{
    const SignetEnrollSettings settings = {
        .program = STAND_IN, .provider = "fail", .timeout_ms = 20000};
    guint left = 30;

    world.enroll = signet_enroll_new(&settings, attach_and_close, NULL);
    for (guint i = left; i > 0; i--) {
        g_autoptr(SignetJob) job = signet_job_new(signet_job_get_request(world.job));
        signet_enroll_start(world.enroll, job, count_down, &left);
    }
    g_main_loop_run(world.loop);
    ck_assert_uint_eq(left, 0);
    assert_no_child();
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("enroll/enroll");
    TCase *tcase = tcase_create("enroll");
    SRunner *runner = srunner_create(suite);

    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, a_process_that_misbehaves_is_a_failure_in_words, 0,
                        G_N_ELEMENTS(rows));
    tcase_add_test(tcase, a_program_that_does_not_exist_is_a_failure_in_words);
    tcase_add_test(tcase, an_answer_counts_and_carries_credentials);
    tcase_add_test(tcase, an_answer_counts_although_the_process_then_hangs);
    tcase_add_test(tcase, the_process_inherits_one_descriptor_and_three_variables);
    tcase_add_test(tcase, a_cancelled_job_is_killed_and_silent);
    tcase_add_test(tcase, freeing_kills_what_runs);
    tcase_add_test(tcase, many_jobs_end_each_on_its_own);
    suite_add_tcase(suite, tcase);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
