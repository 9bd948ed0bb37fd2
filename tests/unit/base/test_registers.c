/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* What a copy leaves in the registers, and that it goes. A signal shows it: the kernel writes all
 * registers to the stack of its handler. */

#include "agent/base/registers.h"

#include <check.h>
#include <glib.h>
#include <signal.h>
#include <string.h>

#include "agent/base/secret.h"

#define STACK_SIZE (256 * 1024)
#define PIECE      16 /* bytes: as much as the smallest vector register has */

static guint8 stack[STACK_SIZE];
static volatile gsize sizes[] = {32, 48, 64, 100, 128, 200, 256, 500, 1000, 4000, 60000};

static void
on_signal(int number)
{
}

static void
setup(void)
{
    const stack_t other = {.ss_sp = stack, .ss_size = sizeof stack};
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_ONSTACK};

    ck_assert_int_eq(sigaltstack(&other, NULL), 0);
    ck_assert_int_eq(sigaction(SIGUSR1, &action, NULL), 0);
}

/* Any piece of the pattern, 0x80 to 0xbf again and again, that fills a register. */
static gboolean
is_pattern_in_registers(void)
{
    guint n = 0;

    memset(stack, 0, sizeof stack);
    raise(SIGUSR1);
    for (gsize i = 1; i < sizeof stack && n < PIECE - 1; i++)
        n = stack[i] >= 0x80 && (stack[i] & 0x3f) == ((stack[i - 1] + 1) & 0x3f) ? n + 1 : 0;
    return n >= PIECE - 1;
}

static guint8 *
make_pattern(gsize size)
{
    guint8 *pattern = g_malloc(size);

    for (gsize i = 0; i < size; i++)
        pattern[i] = 0x80 | (i & 0x3f);
    return pattern;
}

/* Which sizes do depends on processor and C library; without any, the other tests show nothing. */
START_TEST(a_copy_leaves_its_end_in_the_registers)
{
    guint n_left = 0;

    for (gsize i = 0; i < G_N_ELEMENTS(sizes); i++) {
        g_autofree guint8 *pattern = make_pattern(sizes[i]);
        g_autofree guint8 *copy = g_malloc(sizes[i]);

        memcpy(copy, pattern, sizes[i]);
        n_left += is_pattern_in_registers();
    }
    ck_assert_uint_gt(n_left, 0);
}
END_TEST

START_TEST(which_goes_when_they_are_cleansed)
{
    g_autofree guint8 *pattern = make_pattern(sizes[_i]);
    g_autofree guint8 *copy = g_malloc(sizes[_i]);

    memcpy(copy, pattern, sizes[_i]);
    signet_registers_cleanse();
    ck_assert(!is_pattern_in_registers());
}
END_TEST

START_TEST(making_a_secret_leaves_none_of_it)
{
    g_autofree guint8 *pattern = make_pattern(sizes[_i]);
    g_autoptr(SignetSecret) secret = signet_secret_new(pattern, sizes[_i]);
    gsize size = 0;

    ck_assert(!is_pattern_in_registers());
    signet_secret_get(secret, &size);
    ck_assert_uint_eq(size, sizes[_i]);
    g_autoptr(GBytes) bytes = signet_secret_bytes_new(pattern, sizes[_i]);
    ck_assert(!is_pattern_in_registers());
    ck_assert_uint_eq(g_bytes_get_size(bytes), sizes[_i]);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("base/registers");
    TCase *cases = tcase_create("registers");
    SRunner *runner;
    int failed;

    tcase_add_checked_fixture(cases, setup, NULL);
    tcase_add_test(cases, a_copy_leaves_its_end_in_the_registers);
    tcase_add_loop_test(cases, which_goes_when_they_are_cleansed, 0, G_N_ELEMENTS(sizes));
    tcase_add_loop_test(cases, making_a_secret_leaves_none_of_it, 0, G_N_ELEMENTS(sizes));
    suite_add_tcase(suite, cases);
    runner = srunner_create(suite);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
