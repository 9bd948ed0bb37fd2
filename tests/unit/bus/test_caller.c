/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Who calls: asked of the bus once, forgotten when they leave. */

#include "agent/bus/caller.h"

#include <check.h>
#include <stdlib.h>
#include <unistd.h>

#include "fixture.h"

static Fixture fixture;
static SignetCallers *callers;

typedef struct {
    guint n_found;
    guint n_failed;
    guint n_gone;
    gboolean is_answered;
    gboolean is_gone;
    SignetCaller *last;
    guint64 client;
} Notes;
static Notes notes;

static void
on_found(SignetCaller *caller, const GError *error, gint64 id, gpointer data)
{
    ck_assert_int_ge(id, 1);
    ck_assert((caller == NULL) == (error != NULL));
    if (caller)
        notes.n_found++;
    else
        notes.n_failed++;
    notes.last = caller;
    notes.client = caller ? caller->client : 0;
    notes.is_answered = TRUE;
}

static void
on_gone(SignetCaller *caller, gpointer data)
{
    notes.n_gone++;
    notes.is_gone = TRUE;
    ck_assert_uint_eq(signet_peer_get_uid(caller->peer), getuid());
}

static void
setup(void)
{
    fixture_up(&fixture);
    callers = signet_callers_new(fixture.server, on_found, on_gone, NULL);
}

static void
teardown(void)
{
    g_clear_pointer(&callers, signet_callers_free);
    fixture_down(&fixture);
}

static const char *
client_name(void)
{
    return g_dbus_connection_get_unique_name(fixture.client);
}

static void
find(const char *name)
{
    notes.is_answered = FALSE;
    signet_callers_find(callers, name, 1);
    ck_assert(fixture_wait(&notes.is_answered));
}

START_TEST(a_caller_is_the_process_the_kernel_says)
{
    find(client_name());
    ck_assert_ptr_nonnull(notes.last);
    ck_assert_uint_eq(signet_peer_get_uid(notes.last->peer), getuid());
    ck_assert_int_eq(signet_peer_get_pid(notes.last->peer), getpid());
    ck_assert_str_eq(notes.last->name, client_name());
    ck_assert_uint_eq(signet_peer_get_policy_peer(notes.last->peer, FALSE)->gid, getgid());
}
END_TEST

START_TEST(a_known_caller_is_found_at_once)
{
    const SignetCaller *first = NULL;

    find(client_name());
    first = notes.last;
    notes.is_answered = FALSE;
    signet_callers_find(callers, client_name(), 2);
    ck_assert(notes.is_answered);
    ck_assert_ptr_eq(notes.last, first);
}
END_TEST

START_TEST(calls_that_come_together_are_all_answered)
{
    for (gint64 id = 1; id <= 5; id++)
        signet_callers_find(callers, client_name(), id);
    fixture_run(200);
    ck_assert_uint_eq(notes.n_found, 5);
}
END_TEST

START_TEST(callers_have_places_of_their_own_apart_from_the_socket)
{
    guint64 first = 0;

    find(client_name());
    first = notes.client;
    find(g_dbus_connection_get_unique_name(fixture.server));
    ck_assert_uint_ne(notes.client, first);
    ck_assert(first > G_MAXINT64 && notes.client > G_MAXINT64);
}
END_TEST

START_TEST(a_name_that_nobody_has_is_an_error)
{
    find(":1.99999");
    ck_assert_ptr_null(notes.last);
    ck_assert_uint_eq(notes.n_gone, 0);
    find(":1.99999"); /* and is not remembered */
    ck_assert_uint_eq(notes.n_failed, 2);
}
END_TEST

START_TEST(a_caller_that_leaves_is_forgotten)
{
    GDBusConnection *guest = fixture_connect(&fixture);
    g_autofree char *name = g_strdup(g_dbus_connection_get_unique_name(guest));

    find(name);
    ck_assert_ptr_nonnull(notes.last);
    (void)g_dbus_connection_close_sync(guest, NULL, NULL);
    g_object_unref(guest);
    ck_assert(fixture_wait(&notes.is_gone));
    find(name);
    ck_assert_ptr_null(notes.last);
}
END_TEST

START_TEST(freeing_while_the_bus_is_asked_calls_nobody)
{
    signet_callers_find(callers, client_name(), 1);
    g_clear_pointer(&callers, signet_callers_free);
    fixture_run(200);
    ck_assert_uint_eq(notes.n_found + notes.n_failed + notes.n_gone, 0);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("caller");
    TCase *tests = tcase_create("caller");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_set_timeout(tests, 30);
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, a_caller_is_the_process_the_kernel_says);
    tcase_add_test(tests, a_known_caller_is_found_at_once);
    tcase_add_test(tests, calls_that_come_together_are_all_answered);
    tcase_add_test(tests, callers_have_places_of_their_own_apart_from_the_socket);
    tcase_add_test(tests, a_name_that_nobody_has_is_an_error);
    tcase_add_test(tests, a_caller_that_leaves_is_forgotten);
    tcase_add_test(tests, freeing_while_the_bus_is_asked_calls_nobody);
    suite_add_tcase(suite, tests);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
