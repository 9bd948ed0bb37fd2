/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* What programs that signetctl runs may do to it. */

#include <check.h>
#include <glib.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "agent/ctl/child.h"

#define QUICK_US (20 * G_USEC_PER_SEC) /* what lives on does so three times as long */

static gint64
run(const char *script, guint timeout_s, SignetChild *child)
{
    gint64 begun_us = g_get_monotonic_time();

    ck_assert(signet_child_run((const char *const[]) {"/bin/sh", "-c", script, NULL}, NULL,
                               timeout_s, child, NULL));
    return g_get_monotonic_time() - begun_us;
}

/* child has said its number. */
static void
end(const SignetChild *child)
{
    pid_t pid = (pid_t)g_ascii_strtoull(child->output, NULL, 10);

    ck_assert_int_gt(pid, 1);
    ck_assert_int_eq(kill(pid, SIGKILL), 0);
}

START_TEST(what_it_says_and_how_it_ends_is_told)
{
    g_auto(SignetChild) child = {0};

    run("echo yes; echo >&2; echo no >&2; exit 3", 30, &child);
    ck_assert_str_eq(child.output, "yes\n");
    ck_assert_str_eq(child.problems, "no");
    ck_assert_int_eq(child.status, 3);
}
END_TEST

START_TEST(what_takes_too_long_is_ended)
{
    g_auto(SignetChild) child = {0};

    ck_assert_int_lt(run("echo yes; exec sleep 60", 1, &child), QUICK_US);
    ck_assert_str_eq(child.output, "yes\n");
    ck_assert_int_eq(child.status, -1);
}
END_TEST

START_TEST(what_it_leaves_behind_is_not_waited_for)
{
    g_auto(SignetChild) child = {0};

    ck_assert_int_lt(run("sleep 60 & echo $!", 30, &child), QUICK_US);
    ck_assert_int_eq(child.status, 0);
    end(&child);
}
END_TEST

START_TEST(what_it_leaves_behind_when_it_is_ended_is_not_waited_for)
{
    g_auto(SignetChild) child = {0};

    ck_assert_int_lt(run("sleep 60 & echo $!; wait", 1, &child), QUICK_US);
    ck_assert_int_eq(child.status, -1);
    end(&child);
}
END_TEST

START_TEST(a_flood_is_not_kept)
{
    g_auto(SignetChild) child = {0};
    struct rusage before, after;

    getrusage(RUSAGE_SELF, &before);
    run("head -c 200000000 /dev/zero | tr '\\0' x; echo end >&2", 60, &child);
    getrusage(RUSAGE_SELF, &after);
    ck_assert_uint_eq(strlen(child.output), 65536);
    ck_assert_str_eq(child.problems, "end");
    ck_assert_int_lt(after.ru_maxrss - before.ru_maxrss, 150000); /* KiB, of 200,000 */
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("ctl/child");
    TCase *tests = tcase_create("child");
    SRunner *runner = srunner_create(suite);

    tcase_set_timeout(tests, 120);
    tcase_add_test(tests, what_it_says_and_how_it_ends_is_told);
    tcase_add_test(tests, what_takes_too_long_is_ended);
    tcase_add_test(tests, what_it_leaves_behind_is_not_waited_for);
    tcase_add_test(tests, what_it_leaves_behind_when_it_is_ended_is_not_waited_for);
    tcase_add_test(tests, a_flood_is_not_kept);
    suite_add_tcase(suite, tests);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
