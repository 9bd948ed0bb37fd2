/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* The provider gets into any openssl.cnf, with 'default' before it, and out again without a trace.
 */

#include "agent/ctl/openssl-plan.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static char *
plan(const char *openssl, const char *node, GError **error)
{
    g_autoptr(SignetProbeReport) one = signet_probe_report_new(openssl, strlen(openssl));
    g_autoptr(SignetProbeReport) other = signet_probe_report_new(node, strlen(node));

    return signet_openssl_plan(one, other, "signet.so", error);
}

/* The text contains the lines, one after the other. */
static void
assert_has(const char *text, const char *lines)
{
    ck_assert_msg(text && strstr(text, lines), "no \"%s\" in:\n%s", lines, text);
}

START_TEST(an_empty_file_gets_everything)
{
    g_autofree char *text = plan("", "", NULL);

    assert_has(text, "[default]\nopenssl_conf = signet_init\nnodejs_conf = signet_init\n");
    assert_has(text, "[signet_init]\nproviders = signet_providers\n");
    assert_has(text, "[signet_providers]\ndefault = signet_default\nsignet = signet_provider\n");
    assert_has(text, "[signet_default]\nactivate = 1\n");
    assert_has(text, "[signet_provider]\nmodule = signet.so\nactivate = 1\n");
}
END_TEST

START_TEST(names_that_are_there_are_used)
{
    g_autofree char *text =
        plan("config.init main\nconfig.providers list\nconfig.provider default d no\n", "", NULL);

    assert_has(text, "openssl_conf = main\nnodejs_conf = signet_init\n");
    assert_has(text, "[list]\nsignet = signet_provider\n\n[d]\nactivate = 1\n");
    assert_has(text, "[signet_init]\nproviders = signet_providers\n");
}
END_TEST

START_TEST(an_active_default_is_left_alone)
{
    const char *found = "config.init main\nconfig.providers list\nconfig.provider default d yes\n";
    g_autofree char *text = plan(found, found, NULL);

    assert_has(text, "[list]\nsignet = signet_provider\n\n[signet_provider]\n");
    ck_assert_ptr_null(strstr(text, "[d]"));
}
END_TEST

START_TEST(a_missing_default_comes_first)
{
    const char *found = "config.init main\nconfig.providers list\nconfig.provider tpm2 t yes\n";
    g_autofree char *text = plan(found, found, NULL);

    assert_has(text, "[list]\ndefault = signet_default\ntpm2 = t\nsignet = signet_provider\n");
}
END_TEST

START_TEST(nothing_is_planned_where_both_are_active)
{
    const char *found = "config.init main\nconfig.providers list\nconfig.provider default d yes\n"
                        "config.provider signet s yes\n";
    g_autofree char *text = plan(found, found, NULL);

    ck_assert_str_eq(text, "");
}
END_TEST

START_TEST(signet_without_default_is_repaired)
{
    const char *found = "config.init main\nconfig.providers list\nconfig.provider signet s yes\n";
    g_autofree char *text = plan(found, found, NULL);

    assert_has(text, "[list]\ndefault = signet_default\nsignet = signet_provider\n");
}
END_TEST

static const struct {
    const char *found, *reason;
} refused[] = {
    {"config.init main\nconfig.properties fips=yes\n", "default_properties"},
    {"config.init main\nconfig.properties provider=x, fips = yes\n", "default_properties"},
    {"config.init main\nconfig.providers l\nconfig.provider fips f yes\n", "activates 'fips'"},
    {"config.init a b\n", "'a b'"},
    {"config.init main\nconfig.providers x]y\n", "'x]y'"},
    {"config.init main\nconfig.providers l\nconfig.provider tpm2 t\"q no\n", "'t\"q'"},
};

START_TEST(what_should_not_be_done_is_refused)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *text = plan(refused[_i].found, "", &error);

    ck_assert_ptr_null(text);
    ck_assert_ptr_nonnull(error);
    assert_has(error->message, refused[_i].reason);
}
END_TEST

static const struct {
    const char *text;
    gsize size;
} files[] = {
#define F(text)                \
    {                          \
        text, sizeof(text) - 1 \
    }
    F(""),       F("a = b"),      F("a = b\n"),       F("a = b\n\n"),     F("\n"),
    F("\n\n"),   F("a\r\nb\r\n"), F("a\r\nb"),        F("a = b\\"),       F("a = b\\\n"),
    F("x\0y\n"), F("\r\n"),       F("# signetctl\n"), F(".include /x\n"),
#undef F
};

START_TEST(what_is_added_is_taken_away_to_the_byte)
{
    GString *text = g_string_new_len(files[_i].text, (gssize)files[_i].size);
    GString *with = signet_openssl_add(text, "/usr/share/signet/openssl.cnf");
    g_autofree char *include = NULL;
    GString *without = signet_openssl_strip(with, &include);

    ck_assert(g_string_equal(text, without));
    ck_assert_str_eq(include, "/usr/share/signet/openssl.cnf");
    g_string_free(text, TRUE);
    g_string_free(with, TRUE);
    g_string_free(without, TRUE);
}
END_TEST

START_TEST(what_is_not_ours_is_not_taken_away)
{
    GString *text = g_string_new_len(files[_i].text, (gssize)files[_i].size);
    char *include = NULL;
    GString *same = signet_openssl_strip(text, &include);

    ck_assert(g_string_equal(text, same));
    ck_assert_ptr_null(include);
    g_string_free(text, TRUE);
    g_string_free(same, TRUE);
}
END_TEST

START_TEST(findings_are_lines_of_two_words)
{
    const char text[] = "a 1\nno-value\n\n leading\na 2\nb x y\xff\n";
    g_autoptr(SignetProbeReport) found = signet_probe_report_new(text, sizeof(text) - 1);
    guint position = 0;

    ck_assert_str_eq(signet_probe_report_next(found, "a", &position), "1");
    ck_assert_str_eq(signet_probe_report_next(found, "a", &position), "2");
    ck_assert_ptr_null(signet_probe_report_next(found, "a", &position));
    ck_assert_str_eq(signet_probe_report_get(found, "b"), "x y\xef\xbf\xbd");
    ck_assert_ptr_null(signet_probe_report_get(found, "no-value"));
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("ctl/openssl-plan");
    TCase *tcase = tcase_create("plan");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_test(tcase, an_empty_file_gets_everything);
    tcase_add_test(tcase, names_that_are_there_are_used);
    tcase_add_test(tcase, an_active_default_is_left_alone);
    tcase_add_test(tcase, a_missing_default_comes_first);
    tcase_add_test(tcase, nothing_is_planned_where_both_are_active);
    tcase_add_test(tcase, signet_without_default_is_repaired);
    tcase_add_loop_test(tcase, what_should_not_be_done_is_refused, 0, G_N_ELEMENTS(refused));
    tcase_add_loop_test(tcase, what_is_added_is_taken_away_to_the_byte, 0, G_N_ELEMENTS(files));
    tcase_add_loop_test(tcase, what_is_not_ours_is_not_taken_away, 0, G_N_ELEMENTS(files));
    tcase_add_test(tcase, findings_are_lines_of_two_words);
    suite_add_tcase(suite, tcase);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
