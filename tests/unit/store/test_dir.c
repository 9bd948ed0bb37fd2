/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Durable files: what is written, in which order, and what is refused. */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/store/dir.h"
#include "tests/unit/store/support.h"

/* Linked with --wrap: what the code asks of the kernel, in words, and one operation that may be
 * told to fail. */
static GString *trace;
static GString *steps; /* the same with the names of renamed files */
static const char *failing;

int __real_fsync(int fd);
int __real_renameat(int old_fd, const char *old, int new_fd, const char *new);
int __wrap_fsync(int fd);
int __wrap_renameat(int old_fd, const char *old, int new_fd, const char *new);

static gboolean
note(const char *what)
{
    if (trace)
        g_string_append_printf(trace, "%s;", what);
    errno = EIO;
    return !failing || !g_str_equal(failing, what);
}

int
__wrap_fsync(int fd)
{
    struct stat st;

    ck_assert_int_eq(fstat(fd, &st), 0);
    if (steps && S_ISDIR(st.st_mode))
        g_string_append(steps, "sync;");
    return note(S_ISDIR(st.st_mode) ? "fsync directory" : "fsync file") ? __real_fsync(fd) : -1;
}

int
__wrap_renameat(int old_fd, const char *old, int new_fd, const char *new)
{
    if (steps)
        g_string_append_printf(steps, "%s;", new);
    return note("rename") ? __real_renameat(old_fd, old, new_fd, new) : -1;
}

static void
setup(void)
{
    support_setup();
    trace = g_string_new(NULL);
    failing = NULL;
}

static void
teardown(void)
{
    g_string_free(trace, TRUE);
    trace = NULL;
    support_teardown();
}

static gboolean
write_text(const char *name, const char *text, GError **error)
{
    return signet_dir_write(support_fd, name, text, strlen(text), NULL, error);
}

START_TEST(a_write_is_synced_before_it_gets_its_name_and_the_name_after)
{
    ck_assert(write_text("a", "new", NULL));
    ck_assert_str_eq(trace->str, "fsync file;rename;fsync directory;");
    g_autofree char *text = support_read("a");
    ck_assert_str_eq(text, "new");
    g_autofree char *mode = support_mode("a");
    ck_assert_str_eq(mode, "0600");
}
END_TEST

START_TEST(several_files_are_named_first_and_synced_together)
{
    ck_assert(signet_dir_stage(support_fd, "a", "1", 1, NULL, NULL));
    ck_assert(signet_dir_stage(support_fd, "b", "2", 1, NULL, NULL));
    ck_assert(signet_dir_sync(support_fd, NULL));
    ck_assert_str_eq(trace->str, "fsync file;rename;fsync file;rename;fsync directory;");
}
END_TEST

START_TEST(an_owner_sets_the_mode)
{
    SignetDirOwner owner = {.mode = 0440, .uid = getuid(), .gid = -1};

    ck_assert(signet_dir_write(support_fd, "a", "x", 1, &owner, NULL));
    g_autofree char *mode = support_mode("a");
    ck_assert_str_eq(mode, "0440");
}
END_TEST

static const char *const write_failures[] = {"fsync file", "rename"};

START_TEST(a_write_that_fails_leaves_the_old_content_and_nothing_else)
{
    g_autoptr(GError) error = NULL;

    ck_assert(write_text("a", "old", NULL));
    failing = write_failures[_i];
    ck_assert(!write_text("a", "new", &error));
    ck_assert(signet_error_is(error, SIGNET_ERROR_IO));
    g_autofree char *text = support_read("a");
    ck_assert_str_eq(text, "old");
    ck_assert(!support_exists(".tmp.a"));
}
END_TEST

START_TEST(a_failed_sync_of_the_directory_is_an_error)
{
    g_autoptr(GError) error = NULL;

    failing = "fsync directory";
    ck_assert(!write_text("a", "new", &error));
    ck_assert(signet_error_is(error, SIGNET_ERROR_IO));
    g_clear_error(&error);
    ck_assert(!signet_dir_remove_file(support_fd, "a", &error));
    ck_assert(!support_exists("a"));
    g_clear_error(&error);
    ck_assert(!signet_dir_remove_tree(support_fd, "absent", &error));
}
END_TEST

START_TEST(a_stale_temporary_does_not_disturb)
{
    support_write(".tmp.a", "half");
    ck_assert(write_text("a", "new", NULL));
    ck_assert(!support_exists(".tmp.a"));
    g_autofree char *text = support_read("a");
    ck_assert_str_eq(text, "new");
}
END_TEST

static const char *const bad_names[] = {"", ".", "..", "a/b", "../a", "/a", ".tmp.a"};

START_TEST(what_is_no_single_component_is_refused)
{
    const char *name = bad_names[_i];
    g_autoptr(GError) error = NULL;

    ck_assert(!write_text(name, "x", &error));
    ck_assert(signet_error_is(error, SIGNET_ERROR_BAD_REQUEST));
    ck_assert_ptr_null(signet_dir_read(support_fd, name, 10, NULL));
    ck_assert_int_eq(signet_dir_open(support_fd, name, 0700, NULL), -1);
    ck_assert(!signet_dir_link(support_fd, name, "x", NULL));
    ck_assert(!signet_dir_remove_file(support_fd, name, NULL));
    ck_assert(!signet_dir_remove_tree(support_fd, name, NULL));
}
END_TEST

START_TEST(a_long_name_is_refused)
{
    g_autofree char *name = g_strnfill(241, 'a');

    ck_assert(!write_text(name, "x", NULL));
    name[240] = '\0';
    ck_assert(write_text(name, "x", NULL));
}
END_TEST

START_TEST(a_file_is_read_up_to_its_limit)
{
    g_autoptr(GError) error = NULL;

    support_write("a", "12345");
    g_autoptr(GBytes) bytes = signet_dir_read(support_fd, "a", 5, &error);
    ck_assert_uint_eq(g_bytes_get_size(bytes), 5);
    ck_assert_ptr_null(signet_dir_read(support_fd, "a", 4, &error));
    ck_assert(signet_error_is(error, SIGNET_ERROR_CORRUPT));
    g_clear_error(&error);
    support_write("empty", "");
    g_autoptr(GBytes) empty = signet_dir_read(support_fd, "empty", 0, &error);
    ck_assert_uint_eq(g_bytes_get_size(empty), 0);
    ck_assert_ptr_null(signet_dir_read(support_fd, "absent", 4, &error));
    ck_assert(signet_error_is(error, SIGNET_ERROR_NOT_FOUND));
}
END_TEST

START_TEST(only_plain_files_are_read)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *fifo = support_path("fifo");
    g_autofree char *link = support_path("link");

    support_write("target", "secret");
    ck_assert_int_eq(mkfifo(fifo, 0600), 0);
    ck_assert_int_eq(symlink("target", link), 0);
    const char *const names[] = {"fifo", "link"};
    for (guint i = 0; i < 2; i++) {
        ck_assert_ptr_null(signet_dir_read(support_fd, names[i], 100, &error));
        ck_assert(signet_error_is(error, SIGNET_ERROR_CORRUPT));
        g_clear_error(&error);
    }
}
END_TEST

START_TEST(a_directory_has_its_mode_whatever_the_umask)
{
    umask(0077);
    int fd = signet_dir_open(support_fd, "open", 0755, NULL);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_ne(fcntl(fd, F_GETFD) & FD_CLOEXEC, 0);
    close(fd);
    g_autofree char *mode = support_mode("open");
    ck_assert_str_eq(mode, "0755");
    ck_assert_str_eq(trace->str, "rename;fsync directory;");
    fd = signet_dir_open(support_fd, "open", 0700, NULL);
    close(fd);
    g_autofree char *again = support_mode("open");
    ck_assert_str_eq(again, "0755");
}
END_TEST

START_TEST(a_directory_is_not_made_by_looking)
{
    g_autoptr(GError) error = NULL;

    ck_assert_int_eq(signet_dir_open(support_fd, "absent", 0, &error), -1);
    ck_assert(signet_error_is(error, SIGNET_ERROR_NOT_FOUND));
    ck_assert(!support_exists("absent"));
}
END_TEST

START_TEST(a_link_is_replaced_in_one_step)
{
    g_autofree char *path = support_path("link");

    ck_assert(signet_dir_link(support_fd, "link", "one", NULL));
    g_string_truncate(trace, 0);
    ck_assert(signet_dir_link(support_fd, "link", "two", NULL));
    ck_assert_str_eq(trace->str, "rename;fsync directory;");
    g_autofree char *target = g_file_read_link(path, NULL);
    ck_assert_str_eq(target, "two");
    failing = "rename";
    ck_assert(!signet_dir_link(support_fd, "link", "three", NULL));
    g_autofree char *still = g_file_read_link(path, NULL);
    ck_assert_str_eq(still, "two");
    ck_assert(!support_exists(".tmp.link"));
}
END_TEST

START_TEST(a_tree_is_removed_but_links_are_not_followed)
{
    g_autofree char *link = support_path("tree/sub/link");

    support_write("kept/file", "x");
    support_write("tree/a", "x");
    support_write("tree/sub/.tmp.b", "x");
    ck_assert_int_eq(symlink("../../kept", link), 0);
    ck_assert(signet_dir_remove_tree(support_fd, "tree", NULL));
    ck_assert(!support_exists("tree"));
    ck_assert(support_exists("kept/file"));
    ck_assert(signet_dir_remove_tree(support_fd, "tree", NULL));
    support_write("deep/a/b/c", "x");
    ck_assert(!signet_dir_remove_tree(support_fd, "deep", NULL));
    ck_assert(support_exists("deep/a/b/c"));
}
END_TEST

START_TEST(temporaries_are_not_listed_and_swept)
{
    support_write("b", "x");
    support_write("a", "x");
    support_write(".tmp.c", "x");
    support_write(".tmp.d/file", "x");
    g_auto(GStrv) names = signet_dir_list(support_fd, NULL);
    g_autofree char *joined = g_strjoinv(" ", names);
    ck_assert_str_eq(joined, "a b");
    ck_assert(signet_dir_sweep(support_fd, NULL));
    ck_assert(!support_exists(".tmp.c"));
    ck_assert(!support_exists(".tmp.d"));
    ck_assert(support_exists("a"));
}
END_TEST

/* Not only after a killed process: after a power cut, too, a record means that the key is there. */
START_TEST(a_record_is_written_when_the_key_is_on_disk)
{
    g_autofree char *root = support_path("lib");
    g_autoptr(SignetStore) store = signet_store_open(root, NULL);
    g_autoptr(SignetKey) key = support_make_key(SIGNET_KEY_EC_P256);

    steps = g_string_new(NULL);
    ck_assert(signet_store_put_key(store, "wifi", 1, "tpm", key, 1, NULL));
    ck_assert_msg(g_str_has_suffix(steps->str, "sync;key;auth;sync;record;sync;"), "%s",
                  steps->str);
    g_string_free(steps, TRUE);
    steps = NULL;
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("store/dir");
    TCase *dir = tcase_create("dir");
    SRunner *runner = srunner_create(suite);

    tcase_add_checked_fixture(dir, setup, teardown);
    tcase_add_test(dir, a_write_is_synced_before_it_gets_its_name_and_the_name_after);
    tcase_add_test(dir, several_files_are_named_first_and_synced_together);
    tcase_add_test(dir, an_owner_sets_the_mode);
    tcase_add_loop_test(dir, a_write_that_fails_leaves_the_old_content_and_nothing_else, 0,
                        G_N_ELEMENTS(write_failures));
    tcase_add_test(dir, a_failed_sync_of_the_directory_is_an_error);
    tcase_add_test(dir, a_stale_temporary_does_not_disturb);
    tcase_add_loop_test(dir, what_is_no_single_component_is_refused, 0, G_N_ELEMENTS(bad_names));
    tcase_add_test(dir, a_long_name_is_refused);
    tcase_add_test(dir, a_file_is_read_up_to_its_limit);
    tcase_add_test(dir, only_plain_files_are_read);
    tcase_add_test(dir, a_directory_has_its_mode_whatever_the_umask);
    tcase_add_test(dir, a_directory_is_not_made_by_looking);
    tcase_add_test(dir, a_link_is_replaced_in_one_step);
    tcase_add_test(dir, a_tree_is_removed_but_links_are_not_followed);
    tcase_add_test(dir, temporaries_are_not_listed_and_swept);
    tcase_add_test(dir, a_record_is_written_when_the_key_is_on_disk);
    suite_add_tcase(suite, dir);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
