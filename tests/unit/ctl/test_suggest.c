/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* A slip of the fingers finds its word; something else finds nothing. */

#include "agent/ctl/suggest.h"

#include <check.h>
#include <stdlib.h>

static const char *const words[] = {"status", "list", "show", "enroll", "rotate", "reload", NULL};

static const struct {
    const char *typed;
    const char *meant;
} rows[] = {
    {"stauts", "status"}, {"lst", "list"},  {"enrol", "enroll"}, {"rotat", "rotate"},
    {"relaod", "reload"}, {"shwo", "show"}, {"lists", "list"},   {"frobnicate", NULL},
    {"", NULL},           {"x", NULL},      {"delete", NULL},    {"wifi", NULL},
};

START_TEST(the_nearest_word_is_meant)
{
    const char *found = signet_suggest(rows[_i].typed, words);

    ck_assert_msg(g_strcmp0(found, rows[_i].meant) == 0, "'%s' gave '%s'", rows[_i].typed,
                  found ? found : "(nothing)");
}
END_TEST

START_TEST(a_very_long_word_finds_nothing)
{
    g_autofree char *typed = g_strnfill(5000, 'l');

    ck_assert_ptr_null(signet_suggest(typed, words));
}
END_TEST

START_TEST(no_words_suggest_nothing)
{
    const char *const none[] = {NULL};

    ck_assert_ptr_null(signet_suggest("list", none));
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("suggest");
    TCase *tests = tcase_create("suggest");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_loop_test(tests, the_nearest_word_is_meant, 0, G_N_ELEMENTS(rows));
    tcase_add_test(tests, a_very_long_word_finds_nothing);
    tcase_add_test(tests, no_words_suggest_nothing);
    suite_add_tcase(suite, tests);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
