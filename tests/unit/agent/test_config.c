/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Which policy files are read, and which are not trusted. */

#include <check.h>
#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/config.h"

static char *root;
static GPtrArray *problems;

static void
put(const char *path, const char *text)
{
    g_autofree char *full = g_build_filename(root, path, NULL);
    g_autofree char *parent = g_path_get_dirname(full);

    ck_assert_int_eq(g_mkdir_with_parents(parent, 0755), 0);
    ck_assert(g_file_set_contents(full, text, -1, NULL));
    ck_assert_int_eq(chmod(full, 0644), 0);
}

static char *
at(const char *path)
{
    return g_build_filename(root, path, NULL);
}

static void
setup(void)
{
    root = g_dir_make_tmp("signet-config.XXXXXX", NULL);
    ck_assert_ptr_nonnull(root);
    problems = g_ptr_array_new_with_free_func(g_free);
}

static void
teardown(void)
{
    const char *const argv[] = {"rm", "-rf", root, NULL};

    g_spawn_sync(NULL, (char **)argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL, NULL,
                 NULL);
    g_ptr_array_unref(problems);
    g_free(root);
}

static const char *
only_problem(void)
{
    ck_assert_uint_eq(problems->len, 1);
    return problems->pdata[0];
}

START_TEST(an_empty_directory_is_a_policy_without_identities_of_its_own)
{
    g_autoptr(SignetPolicy) policy = signet_config_read(root, problems);

    ck_assert_ptr_nonnull(policy);
    ck_assert_uint_eq(problems->len, 0);
    ck_assert_ptr_nonnull(signet_policy_get_token(policy, "tpm"));
}
END_TEST

START_TEST(files_that_end_in_conf_are_read_and_no_others)
{
    g_autoptr(SignetPolicy) policy = NULL;

    put("signet.conf", "[Token tpm]\nType=tpm\n");
    put("identities.d/a.conf", "[Identity]\nKey=ec:P-256\n");
    put("identities.d/b.conf.old", "nonsense");
    put("identities.d/.c.conf", "nonsense");
    put("other.d/d.conf", "nonsense");
    policy = signet_config_read(root, problems);
    ck_assert_ptr_nonnull(policy);
    ck_assert_ptr_nonnull(signet_policy_get_identity(policy, "a"));
    ck_assert_ptr_null(signet_policy_get_identity(policy, "b"));
}
END_TEST

START_TEST(a_copy_is_the_same_policy)
{
    g_autoptr(GArray) nothing = g_array_new(FALSE, FALSE, sizeof(SignetTokenFacts));
    g_autoptr(SignetPolicy) policy = NULL;
    g_autoptr(SignetPolicy) again = NULL;
    g_autoptr(GBytes) copy = NULL;

    put("signet.conf", "[Token tpm]\nType=tpm\n");
    put("identities.d/a.conf", "[Identity]\nKey=ec:P-384\n");
    policy = signet_config_read_for(root, nothing, &copy, problems);
    ck_assert_ptr_nonnull(policy);
    put("identities.d/a.conf", "nonsense");
    again = signet_config_read_copy(copy, problems);
    ck_assert_ptr_nonnull(again);
    ck_assert_uint_eq(problems->len, 0);
    ck_assert_str_eq(signet_policy_get_identity(again, "a")->key, "ec:P-384");
}
END_TEST

START_TEST(a_damaged_copy_is_no_policy)
{
    g_autoptr(GArray) nothing = g_array_new(FALSE, FALSE, sizeof(SignetTokenFacts));
    g_autoptr(SignetPolicy) policy = NULL;
    g_autoptr(GBytes) copy = NULL;

    put("signet.conf", "[Token tpm]\nType=tpm\n");
    policy = signet_config_read_for(root, nothing, &copy, problems);
    for (gsize size = 1; size < g_bytes_get_size(copy); size++) {
        g_autoptr(GBytes) part = g_bytes_new_from_bytes(copy, 0, size);

        g_ptr_array_set_size(problems, 0);
        ck_assert_ptr_null(signet_config_read_copy(part, problems));
        ck_assert_uint_ge(problems->len, 1);
    }
}
END_TEST

START_TEST(a_name_in_other_letters_is_copied_too)
{
    g_autoptr(GArray) nothing = g_array_new(FALSE, FALSE, sizeof(SignetTokenFacts));
    g_autoptr(GBytes) copy = NULL;

    g_log_set_always_fatal(G_LOG_LEVEL_CRITICAL | G_LOG_LEVEL_ERROR);
    put("policy.d/50-caf\xe9.conf", "[Rotation default]\nOverlap=5min\n"); /* Latin-1 */
    ck_assert_ptr_null(signet_config_read_for(root, nothing, &copy, problems));
    guint n_mistakes = problems->len;
    ck_assert_uint_ge(n_mistakes, 1);
    ck_assert_ptr_null(signet_config_read_copy(copy, problems));
    ck_assert_uint_eq(problems->len, 2 * n_mistakes);
}
END_TEST

START_TEST(every_mistake_is_told)
{
    put("identities.d/a.conf", "[Identity]\nKey=ec:P-257\n");
    put("identities.d/b.conf", "[Identity]\nColour=red\n");
    ck_assert_ptr_null(signet_config_read(root, problems));
    ck_assert_uint_ge(problems->len, 2);
}
END_TEST

START_TEST(a_missing_directory_is_a_mistake)
{
    g_autofree char *nowhere = at("nowhere");

    ck_assert_ptr_null(signet_config_read(nowhere, problems));
    ck_assert_ptr_nonnull(strstr(only_problem(), "nowhere"));
}
END_TEST

static void
make_pipe(const char *path)
{
    ck_assert_int_eq(mkfifo(path, 0600), 0);
}

static void
make_directory(const char *path)
{
    ck_assert_int_eq(mkdir(path, 0755), 0);
}

static void
make_dangling_link(const char *path)
{
    ck_assert_int_eq(symlink("nowhere", path), 0);
}

static void
make_writable(const char *path)
{
    put("identities.d/x.conf", "[Identity]\n");
    ck_assert_int_eq(chmod(path, 0666), 0);
}

static void
make_foreign(const char *path)
{
    put("identities.d/x.conf", "[Identity]\n");
    ck_assert_int_eq(chown(path, 12345, 12345), 0);
}

static void
make_large(const char *path)
{
    put("identities.d/x.conf", "[Identity]\n");
    ck_assert_int_eq(truncate(path, SIGNET_POLICY_FILE_MAX + 1), 0);
}

static const struct {
    void (*make)(const char *path);
    const char *words;
} untrusted[] = {
    {make_pipe, "not a plain file"}, {make_directory, "not a plain file"},
    {make_dangling_link, "No such"}, {make_writable, "written by everybody"},
    {make_foreign, "another user"},  {make_large, "too large"},
};

START_TEST(what_cannot_be_trusted_is_a_mistake_and_blocks_nothing)
{
    g_autofree char *path = at("identities.d/x.conf");

    put("identities.d/a.conf", "[Identity]\n");
    untrusted[_i].make(path);
    ck_assert_ptr_null(signet_config_read(root, problems));
    ck_assert_ptr_nonnull(strstr(only_problem(), "identities.d/x.conf"));
    ck_assert_msg(strstr(only_problem(), untrusted[_i].words) != NULL, "%s", only_problem());
}
END_TEST

START_TEST(a_link_to_a_plain_file_is_fine)
{
    g_autofree char *path = at("identities.d/x.conf");
    g_autoptr(SignetPolicy) policy = NULL;

    put("identities.d/a.conf", "[Identity]\n");
    ck_assert_int_eq(symlink("a.conf", path), 0);
    policy = signet_config_read(root, problems);
    ck_assert(policy && signet_policy_get_identity(policy, "x"));
}
END_TEST

static Suite *
config_suite(void)
{
    Suite *suite = suite_create("config");
    TCase *tcase = tcase_create("config");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, an_empty_directory_is_a_policy_without_identities_of_its_own);
    tcase_add_test(tcase, files_that_end_in_conf_are_read_and_no_others);
    tcase_add_test(tcase, a_copy_is_the_same_policy);
    tcase_add_test(tcase, a_damaged_copy_is_no_policy);
    tcase_add_test(tcase, a_name_in_other_letters_is_copied_too);
    tcase_add_test(tcase, every_mistake_is_told);
    tcase_add_test(tcase, a_missing_directory_is_a_mistake);
    tcase_add_loop_test(tcase, what_cannot_be_trusted_is_a_mistake_and_blocks_nothing, 0,
                        G_N_ELEMENTS(untrusted));
    tcase_add_test(tcase, a_link_to_a_plain_file_is_fine);
    suite_add_tcase(suite, tcase);
    return suite;
}

int
main(void)
{
    SRunner *runner = srunner_create(config_suite());
    int failed;

    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
