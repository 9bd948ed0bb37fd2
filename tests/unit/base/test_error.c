/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Error kinds and their names on both doors; log lines. */

#include "agent/base/error.h"

#include <check.h>
#include <errno.h>
#include <gio/gio.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/base/log.h"

START_TEST(set_makes_an_error_of_our_domain_and_returns_false)
{
    g_autoptr(GError) error = NULL;

    ck_assert(!signet_error_set(&error, SIGNET_ERROR_DENIED, "no '%s'", "x"));
    ck_assert(signet_error_is(error, SIGNET_ERROR_DENIED));
    ck_assert(!signet_error_is(error, SIGNET_ERROR_FAILED));
    ck_assert(!signet_error_is(NULL, SIGNET_ERROR_FAILED));
    ck_assert_str_eq(error->message, "no 'x'");
    ck_assert(!signet_error_set(NULL, SIGNET_ERROR_DENIED, "nobody listens"));
}
END_TEST

START_TEST(foreign_errors_have_a_kind_too)
{
    g_autoptr(GError) file = g_error_new_literal(G_FILE_ERROR, G_FILE_ERROR_NOSPC, "full");
    g_autoptr(GError) io = g_error_new_literal(G_IO_ERROR, G_IO_ERROR_CLOSED, "closed");
    g_autoptr(GError) other = g_error_new_literal(G_KEY_FILE_ERROR, 3, "other");

    ck_assert_int_eq(signet_error_kind(file), SIGNET_ERROR_IO);
    ck_assert_int_eq(signet_error_kind(io), SIGNET_ERROR_IO);
    ck_assert_int_eq(signet_error_kind(other), SIGNET_ERROR_FAILED);
    ck_assert_int_eq(signet_error_kind(NULL), SIGNET_ERROR_FAILED);
}
END_TEST

static const struct {
    SignetErrorKind kind;
    const char *dbus_name;
    enum signet_wire_status status;
} kinds[] = {
    {SIGNET_ERROR_FAILED, "org.signet.Error.Failed", SIGNET_WIRE_STATUS_INTERNAL},
    {SIGNET_ERROR_NOT_FOUND, "org.signet.Error.NotFound", SIGNET_WIRE_STATUS_NOT_FOUND},
    {SIGNET_ERROR_DENIED, "org.signet.Error.Denied", SIGNET_WIRE_STATUS_DENIED},
    {SIGNET_ERROR_BUSY, "org.signet.Error.Busy", SIGNET_WIRE_STATUS_BUSY},
    {SIGNET_ERROR_TOKEN_ABSENT, "org.signet.Error.TokenAbsent", SIGNET_WIRE_STATUS_TOKEN_ABSENT},
    {SIGNET_ERROR_CA_PENDING, "org.signet.Error.CaPending", SIGNET_WIRE_STATUS_BUSY},
    {SIGNET_ERROR_IO, "org.signet.Error.Io", SIGNET_WIRE_STATUS_INTERNAL},
};

START_TEST(each_kind_has_its_names)
{
    g_autoptr(GError) error = signet_error_new(kinds[_i].kind, "x");

    ck_assert_str_eq(signet_error_dbus_name(kinds[_i].kind), kinds[_i].dbus_name);
    ck_assert_int_eq(signet_error_wire_status(error), kinds[_i].status);
}
END_TEST

static const struct {
    int priority;
    const char *message;
    const char *field;
    const char *line;
} lines[] = {
    {LOG_WARNING, "cannot reload 'nginx'", NULL,
     "2026-07-30T12:00:01.250Z warning cannot reload 'nginx'\n"},
    {LOG_INFO, "rotated", "wifi", "2026-07-30T12:00:01.250Z info rotated [SIGNET_IDENTITY=wifi]\n"},
    {LOG_ERR, "a\nb\tc\033[31md\177", "e\nf", /* one line, whatever comes */
     "2026-07-30T12:00:01.250Z error a b c?[31md? [SIGNET_IDENTITY=e f]\n"},
    {LOG_DEBUG, "g\xc3\xa4h \xff \xc2\x85 \xe2\x80\xa8", NULL,
     "2026-07-30T12:00:01.250Z debug g\xc3\xa4h \xef\xbf\xbd ? ?\n"},
    {99, "", NULL, "2026-07-30T12:00:01.250Z debug \n"},
};

START_TEST(a_record_is_one_readable_line)
{
    const char *const *fields = SIGNET_LOG_FIELDS("SIGNET_IDENTITY", lines[_i].field);
    g_autofree char *line = signet_log_format(
        lines[_i].priority, G_GINT64_CONSTANT(1785412801250000), fields, lines[_i].message);

    ck_assert_str_eq(line, lines[_i].line);
}
END_TEST

START_TEST(a_missing_value_leaves_only_its_own_field_out)
{
    g_autofree char *line =
        signet_log_format(LOG_INFO, 0, SIGNET_LOG_FIELDS("A", "1", "B", NULL, "C", "3"), "m");

    ck_assert_str_eq(line, "1970-01-01T00:00:00.000Z info m [A=1 C=3]\n");
}
END_TEST

/* Writes one record with a pipe as stderr and returns what came out. */
static char *
log_through_pipe(gboolean claims_journal)
{
    g_autofree char *text = g_malloc0(512);
    g_autofree char *stream = NULL;
    struct stat st;
    int ends[2];

    ck_assert_int_eq(pipe(ends), 0);
    ck_assert_int_eq(dup2(ends[1], STDERR_FILENO), STDERR_FILENO);
    ck_assert_int_eq(fstat(STDERR_FILENO, &st), 0);
    stream = claims_journal ? g_strdup_printf("%llu:%llu", (unsigned long long)st.st_dev,
                                              (unsigned long long)st.st_ino + 1)
                            : g_strdup("");
    g_setenv("JOURNAL_STREAM", stream, TRUE);
    errno = ENOENT;
    signet_log(LOG_NOTICE, SIGNET_LOG_FIELDS("A", "1"), "hello %d", 5);
    ck_assert_int_eq(errno, ENOENT);
    ck_assert_int_gt(read(ends[0], text, 511), 0);
    return g_steal_pointer(&text);
}

START_TEST(records_go_to_stderr_when_it_is_not_the_journals_stream)
{
    g_autofree char *text = log_through_pipe(_i == 1);

    ck_assert(g_str_has_suffix(text, "Z notice hello 5 [A=1]\n"));
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("base/error");
    TCase *cases = tcase_create("error");
    SRunner *runner;
    int failed;

    tcase_add_test(cases, set_makes_an_error_of_our_domain_and_returns_false);
    tcase_add_test(cases, foreign_errors_have_a_kind_too);
    tcase_add_loop_test(cases, each_kind_has_its_names, 0, G_N_ELEMENTS(kinds));
    tcase_add_loop_test(cases, a_record_is_one_readable_line, 0, G_N_ELEMENTS(lines));
    tcase_add_test(cases, a_missing_value_leaves_only_its_own_field_out);
    tcase_add_loop_test(cases, records_go_to_stderr_when_it_is_not_the_journals_stream, 0, 2);
    suite_add_tcase(suite, cases);
    runner = srunner_create(suite);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
