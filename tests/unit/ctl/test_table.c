/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Columns line up, and nothing from outside drives the terminal. */

#include "agent/ctl/table.h"

#include <check.h>
#include <stdlib.h>

START_TEST(columns_are_as_wide_as_their_widest_cell)
{
    g_autoptr(SignetTable) table = signet_table_new(SIGNET_TABLE_ROW("NAME", "STATE", "KEY"), 3);
    g_autofree char *text = NULL;

    signet_table_add(table, SIGNET_TABLE_ROW("a-long-name", "ok", "x"));
    signet_table_add(table, SIGNET_TABLE_ROW("b", "enrolling", "yy"));
    text = signet_table_to_text(table, 0);
    ck_assert_str_eq(text, "NAME         STATE      KEY\n"
                           "a-long-name  ok         x\n"
                           "b            enrolling  yy\n");
}
END_TEST

START_TEST(letters_count_not_bytes)
{
    g_autoptr(SignetTable) table = signet_table_new(NULL, 2);
    g_autofree char *text = NULL;

    signet_table_add(table, SIGNET_TABLE_ROW("Zürich", "1"));
    signet_table_add(table, SIGNET_TABLE_ROW("Berlin", "2"));
    text = signet_table_to_text(table, 2);
    ck_assert_str_eq(text, "  Zürich  1\n  Berlin  2\n");
}
END_TEST

START_TEST(an_empty_cell_is_a_dash)
{
    g_autoptr(SignetTable) table = signet_table_new(NULL, 3);
    g_autofree char *text = NULL;

    signet_table_add(table, SIGNET_TABLE_ROW(NULL, "", "x"));
    text = signet_table_to_text(table, 0);
    ck_assert_str_eq(text, "-  -  x\n");
}
END_TEST

START_TEST(control_characters_do_not_reach_the_terminal)
{
    g_autofree char *clean = signet_table_clean("a\033[31mred\nnext\r\xc2\x9b"
                                                "8m\x7f");

    ck_assert_str_eq(clean, "a?[31mred?next??8m?");
}
END_TEST

START_TEST(broken_utf8_is_made_whole)
{
    g_autofree char *clean = signet_table_clean("x\xff\xfe");

    ck_assert(g_utf8_validate(clean, -1, NULL));
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("table");
    TCase *tests = tcase_create("table");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_test(tests, columns_are_as_wide_as_their_widest_cell);
    tcase_add_test(tests, letters_count_not_bytes);
    tcase_add_test(tests, an_empty_cell_is_a_dash);
    tcase_add_test(tests, control_characters_do_not_reach_the_terminal);
    tcase_add_test(tests, broken_utf8_is_made_whole);
    suite_add_tcase(suite, tests);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
