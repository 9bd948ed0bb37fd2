/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Secrets: what they hold, what the kernel keeps of them; and the clock. */

#include "agent/base/secret.h"

#include <check.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "agent/base/clock.h"

START_TEST(a_secret_is_a_copy)
{
    char password[] = "correct horse";
    g_autoptr(SignetSecret) secret = signet_secret_new(password, sizeof password);
    gsize size = 0;

    memset(password, 'x', sizeof password);
    ck_assert_str_eq(signet_secret_get(secret, &size), "correct horse");
    ck_assert_uint_eq(size, sizeof password);
}
END_TEST

START_TEST(any_size_will_do)
{
    static const gsize sizes[] = {0, 1, 32, 4095, 4096, 4097, 100000};
    g_autofree guint8 *bytes = g_malloc0(100000);

    for (guint i = 0; i < G_N_ELEMENTS(sizes); i++) {
        g_autoptr(SignetSecret) secret = signet_secret_new(bytes, sizes[i]);
        gsize size = 7;
        const void *data = signet_secret_get(secret, &size);

        ck_assert_ptr_nonnull(data);
        ck_assert_uint_eq(size, sizes[i]);
        ck_assert_int_eq(memcmp(data, bytes, size), 0);
    }
}
END_TEST

START_TEST(random_secrets_differ)
{
    g_autoptr(SignetSecret) one = signet_secret_new_random(32);
    g_autoptr(SignetSecret) two = signet_secret_new_random(32);

    ck_assert_int_ne(memcmp(signet_secret_get(one, NULL), signet_secret_get(two, NULL), 32), 0);
}
END_TEST

START_TEST(a_reference_keeps_it_alive)
{
    SignetSecret *secret = signet_secret_new("abc", 4);
    g_autoptr(SignetSecret) kept = signet_secret_ref(secret);

    signet_secret_unref(secret);
    ck_assert_str_eq(signet_secret_get(kept, NULL), "abc");
}
END_TEST

/* The flags of the mapping that holds an address: "rd wr … dd wf". */
static char *
mapping_flags(gconstpointer address)
{
    FILE *maps = fopen("/proc/self/smaps", "re");
    char line[512];
    gboolean is_inside = FALSE;
    char *flags = NULL;

    ck_assert_ptr_nonnull(maps);
    while (!flags && fgets(line, sizeof line, maps)) {
        unsigned long start, end;

        if (sscanf(line, "%lx-%lx ", &start, &end) == 2)
            is_inside = (gulong)address >= start && (gulong)address < end;
        else if (is_inside && g_str_has_prefix(line, "VmFlags:"))
            flags = g_strdup(line);
    }
    fclose(maps);
    return flags;
}

START_TEST(a_secret_is_in_no_core_dump)
{
    g_autoptr(SignetSecret) secret = signet_secret_new("abc", 4);
    g_autofree char *flags = mapping_flags(signet_secret_get(secret, NULL));

    ck_assert_ptr_nonnull(flags);
    ck_assert_msg(strstr(flags, " dd") != NULL, "%s", flags);
}
END_TEST

START_TEST(a_child_process_does_not_have_it)
{
    g_autoptr(SignetSecret) secret = signet_secret_new("abc", 4);
    int status = 0;
    pid_t child = fork();

    ck_assert_int_ge(child, 0);
    if (child == 0)
        _exit(memcmp(signet_secret_get(secret, NULL), "\0\0\0\0", 4) == 0 ? 0 : 1);
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
    ck_assert_str_eq(signet_secret_get(secret, NULL), "abc");
}
END_TEST

static gint64
fixed_now(gpointer data)
{
    return *(gint64 *)data;
}

START_TEST(a_clock_can_be_owned)
{
    gint64 now = 1785400000;
    SignetClock clock = {fixed_now, &now};

    ck_assert_int_eq(signet_clock_now(&clock), 1785400000);
    now++;
    ck_assert_int_eq(signet_clock_now(&clock), 1785400001);
    ck_assert_int_le(ABS(signet_clock_now(signet_clock_system()) - (gint64)time(NULL)), 1);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("base/secret");
    TCase *cases = tcase_create("secret");
    SRunner *runner;
    int failed;

    tcase_add_test(cases, a_secret_is_a_copy);
    tcase_add_test(cases, any_size_will_do);
    tcase_add_test(cases, random_secrets_differ);
    tcase_add_test(cases, a_reference_keeps_it_alive);
    tcase_add_test(cases, a_secret_is_in_no_core_dump);
    tcase_add_test(cases, a_child_process_does_not_have_it);
    tcase_add_test(cases, a_clock_can_be_owned);
    suite_add_tcase(suite, cases);
    runner = srunner_create(suite);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
