/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* JSON that any parser reads. */

#include "agent/ctl/json.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>

static const struct {
    const char *variant; /* GVariant text */
    const char *json;
} rows[] = {
    {"'plain'", "\"plain\""},
    {"'quote \" backslash \\\\ newline \\n tab \\t bell \\u0007'",
     "\"quote \\\" backslash \\\\ newline \\u000a tab \\u0009 bell \\u0007\""},
    {"'Zürich ✓'", "\"Zürich ✓\""},
    {"''", "\"\""},
    {"true", "true"},
    {"false", "false"},
    {"byte 0xff", "255"},
    {"int16 -5", "-5"},
    {"uint16 65535", "65535"},
    {"int32 -2147483648", "-2147483648"},
    {"uint32 4294967295", "4294967295"},
    {"int64 -9223372036854775808", "-9223372036854775808"},
    {"uint64 18446744073709551615", "18446744073709551615"},
    {"1.5", "1.5"},
    {"objectpath '/a/b'", "\"/a/b\""},
    {"signature 'a{sv}'", "\"a{sv}\""},
    {"@as []", "[]"},
    {"['a', 'b']", "[\"a\", \"b\"]"},
    {"@a{sv} {}", "{}"},
    {"{'a': <1>, 'b': <'two'>}", "{\"a\": 1, \"b\": \"two\"}"},
    {"{'n\"': <{'deep': <[1, 2]>}>}", "{\"n\\\"\": {\"deep\": [1, 2]}}"},
    {"{'z': <1>, 'a': <{'y': <2>, 'b': <3>}>}", "{\"a\": {\"b\": 3, \"y\": 2}, \"z\": 1}"},
    {"(1, 'x', [true])", "[1, \"x\", [true]]"},
    {"()", "[]"},
    {"<<'inner'>>", "\"inner\""},
    {"@ms nothing", "null"},
    {"@mi 5", "5"},
    {"{1: 'number keys stay pairs'}", "[[1, \"number keys stay pairs\"]]"},
    {"[byte 1, 2]", "[1, 2]"},
    {"handle 3", "null"},
};

START_TEST(a_value_becomes_json)
{
    g_autoptr(GVariant) value = g_variant_parse(NULL, rows[_i].variant, NULL, NULL, NULL);
    g_autofree char *json = NULL;

    ck_assert_ptr_nonnull(value);
    json = signet_json_from_variant(value, FALSE);
    ck_assert_str_eq(json, rows[_i].json);
}
END_TEST

START_TEST(pretty_json_is_indented)
{
    g_autoptr(GVariant) value =
        g_variant_parse(NULL, "{'a': <[1, 2]>, 'b': <@as []>}", NULL, NULL, NULL);
    g_autofree char *json = signet_json_from_variant(value, TRUE);

    ck_assert_str_eq(json, "{\n  \"a\": [\n    1,\n    2\n  ],\n  \"b\": []\n}");
}
END_TEST

START_TEST(numbers_that_json_lacks_are_null)
{
    const double numbers[] = {NAN, INFINITY, -INFINITY};

    for (gsize i = 0; i < G_N_ELEMENTS(numbers); i++) {
        g_autoptr(GVariant) value = g_variant_ref_sink(g_variant_new_double(numbers[i]));
        g_autofree char *json = signet_json_from_variant(value, FALSE);

        ck_assert_str_eq(json, "null");
    }
}
END_TEST

START_TEST(property_names_become_lower_case)
{
    g_autofree char *two = signet_json_name("NotAfter");
    g_autofree char *one = signet_json_name("Ca");

    ck_assert_str_eq(two, "not_after");
    ck_assert_str_eq(one, "ca");
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("json");
    TCase *tests = tcase_create("json");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_loop_test(tests, a_value_becomes_json, 0, G_N_ELEMENTS(rows));
    tcase_add_test(tests, pretty_json_is_indented);
    tcase_add_test(tests, numbers_that_json_lacks_are_null);
    tcase_add_test(tests, property_names_become_lower_case);
    suite_add_tcase(suite, tests);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
