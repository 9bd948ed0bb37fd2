/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* What the agent keeps of its tokens: learned, measured, written down, and forgotten when it is
 * about another device. */

#include <check.h>
#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/facts.h"
#include "policy/parse.h"
#include "tests/support/fake-token.h"

#define QUIET_MS 100

static char *root;
static FakeTokenControl control;
static SignetStore *store;
static SignetTokens *tokens;
static SignetFactsKeeper *keeper;
static SignetPolicy *policy;
static guint changes;

static void
on_changed(SignetToken *token, gpointer data)
{
    changes++;
}

static void
on_token(SignetToken *token, gpointer data)
{
    signet_facts_keeper_on_token(keeper, token);
}

static SignetPolicy *
parse_policy(const char *text)
{
    SignetPolicyFile file = {"signet.conf", text, strlen(text)};
    g_autoptr(GPtrArray) problems = g_ptr_array_new_with_free_func(g_free);
    SignetPolicy *parsed = signet_policy_parse(&file, 1, problems);

    ck_assert_msg(parsed != NULL, "%s", problems->len ? (char *)problems->pdata[0] : "");
    return parsed;
}

/* A life of the agent. */
static void
begin_with(const char *text)
{
    const SignetTokenSettings settings = {.name = "tpm"};
    const FakeTokenOptions options = {.control = &control};
    SignetFactsContext context = {
        .clock = signet_clock_system(), .quiet_ms = QUIET_MS, .changed = on_changed};

    store = signet_store_open(root, NULL);
    ck_assert_ptr_nonnull(store);
    tokens = signet_tokens_new();
    signet_tokens_add(tokens, fake_token_new(&settings, &options));
    signet_tokens_set_listener(tokens, on_token, NULL);
    context.store = store;
    context.tokens = tokens;
    keeper = signet_facts_keeper_new(&context);
    policy = parse_policy(text);
    signet_facts_keeper_set_policy(keeper, policy);
    changes = 0;
}

static void
begin(void)
{
    begin_with("");
}

static void
end(void)
{
    g_clear_pointer(&keeper, signet_facts_keeper_free);
    g_clear_pointer(&tokens, signet_tokens_free);
    ck_assert(signet_token_wait_left(10000));
    g_clear_pointer(&store, signet_store_free);
    g_clear_pointer(&policy, signet_policy_unref);
}

static void
setup(void)
{
    g_autofree char *dir = g_dir_make_tmp("signet-facts-XXXXXX", NULL);

    root = g_build_filename(dir, "state", NULL);
    control = (FakeTokenControl) {.keys = "ec:P-256", .device = "one"};
}

static void
teardown(void)
{
    g_autofree char *command = g_strdup_printf("rm -rf '%s'", root);

    end();
    ck_assert_int_eq(system(command), 0);
    g_free(root);
}

static GVariant *
facts(void)
{
    return signet_token_get_facts(signet_tokens_get(tokens, "tpm"));
}

static gboolean
is_fresh(void)
{
    return signet_token_has_fresh_facts(signet_tokens_get(tokens, "tpm"));
}

static gboolean
is_measured(void)
{
    gint64 when_s;

    return facts() && g_variant_lookup(facts(), "measured", "x", &when_s);
}

static gboolean
never(void)
{
    return FALSE;
}

static gboolean
run_until(gboolean (*condition)(void), guint longest_ms)
{
    gint64 end_us = g_get_monotonic_time() + (gint64)longest_ms * 1000;

    while (!condition() && g_get_monotonic_time() < end_us) {
        g_main_context_iteration(NULL, FALSE);
        g_usleep(500);
    }
    return condition();
}

static void
open_token(void)
{
    signet_token_probe(signet_tokens_get(tokens, "tpm"), NULL, NULL, NULL);
}

/* The fake token says nothing of its protection, so it is not measured by itself. */
static void
measure(void)
{
    g_autoptr(GError) error = NULL;

    ck_assert_msg(signet_facts_keeper_measure(keeper, "tpm", &error), "%s",
                  error ? error->message : "");
    ck_assert(run_until(is_measured, 20000));
}

static char *
read_file(void)
{
    g_autofree char *path = g_build_filename(root, "facts", "tpm", NULL);
    char *text = NULL;

    g_file_get_contents(path, &text, NULL, NULL);
    return text;
}

START_TEST(a_token_that_nothing_is_known_of_is_opened_in_a_quiet_moment)
{
    begin();
    ck_assert(!run_until(is_fresh, QUIET_MS / 2));
    ck_assert(run_until(is_fresh, 20000));
    ck_assert_uint_ge(changes, 1);
}
END_TEST

START_TEST(a_token_is_asked_when_it_is_opened_and_what_it_says_is_written_down)
{
    g_autofree char *text = NULL;
    const char *place = NULL;

    begin();
    open_token();
    ck_assert(run_until(is_fresh, 20000));
    ck_assert(g_variant_lookup(facts(), "place", "&s", &place));
    ck_assert_str_eq(place, "device:/dev/tpmrm0");
    end();
    text = read_file();
    ck_assert(text && strstr(text, "device='one'") && strstr(text, "'ec:P-256'"));
}
END_TEST

START_TEST(what_was_written_down_is_shown_but_is_not_fresh)
{
    g_autoptr(GArray) known = NULL, now = NULL;

    begin();
    measure();
    end();
    begin();
    ck_assert(is_measured() && !is_fresh());
    known = signet_facts_keeper_list(keeper);
    ck_assert_uint_eq(known->len, 0);
    ck_assert(!run_until(is_fresh, 3 * QUIET_MS)); /* known: nothing to open it for */
    open_token();
    ck_assert(run_until(is_fresh, 20000));
    ck_assert(is_measured());
    now = signet_facts_keeper_list(keeper);
    ck_assert_uint_eq(now->len, 1);
}
END_TEST

START_TEST(another_device_behind_the_name_is_learned_and_measured_anew)
{
    const char *device = NULL;

    begin();
    measure();
    end();
    control.device = "two";
    begin();
    open_token();
    ck_assert(run_until(is_fresh, 20000));
    ck_assert(g_variant_lookup(facts(), "device", "&s", &device));
    ck_assert_str_eq(device, "two");
    ck_assert(!is_measured());
}
END_TEST

START_TEST(a_device_that_was_away_is_asked_again)
{
    g_autoptr(SignetKey) key = fake_token_make_key(SIGNET_KEY_EC_P256);

    begin();
    open_token();
    ck_assert(run_until(is_fresh, 20000));
    g_atomic_int_set(&control.absent, 1);
    open_token();
    signet_token_destroy(signet_tokens_get(tokens, "tpm"), NULL, key, NULL, NULL);
    run_until(never, 50);
    ck_assert(!is_fresh());
    control.keys = "ec:P-384";
    g_atomic_int_set(&control.absent, 0);
    run_until(never, 1100); /* as long as the worker waits */
    open_token();
    ck_assert(run_until(is_fresh, 20000));
}
END_TEST

START_TEST(a_damaged_file_is_learned_anew)
{
    g_autofree char *path = g_build_filename(root, "facts", "tpm", NULL);
    g_autofree char *text = NULL;

    begin();
    measure();
    end();
    ck_assert(g_file_set_contents(path, "[Facts]\nVersion=1\nkeys=[[[", -1, NULL));
    begin();
    ck_assert_ptr_null(facts());
    ck_assert(run_until(is_fresh, 20000));
    ck_assert(!is_measured());
    end();
    text = read_file();
    ck_assert_ptr_nonnull(strstr(text, "device='one'"));
}
END_TEST

START_TEST(what_it_says_it_makes_and_does_not_is_remembered)
{
    g_auto(GStrv) keys = NULL;

    control.keys = "ec:P-256";
    begin();
    /* it cannot say more than it makes: the file does */
    measure();
    end();
    {
        g_autofree char *path = g_build_filename(root, "facts", "tpm", NULL);
        g_autofree char *text = read_file();
        g_autoptr(GString) edited = g_string_new(text);

        g_string_replace(edited, "unmade=[]", "unmade=['ec:P-256']", 0);
        ck_assert(g_file_set_contents(path, edited->str, -1, NULL));
    }
    begin();
    open_token();
    ck_assert(run_until(is_fresh, 20000));
    ck_assert(g_variant_lookup(facts(), "keys", "^as", &keys));
    ck_assert_uint_eq(g_strv_length(keys), 0);
}
END_TEST

START_TEST(a_wish_to_measure_has_an_answer)
{
    g_autoptr(GError) unknown = NULL, busy = NULL;

    begin();
    ck_assert(!signet_facts_keeper_measure(keeper, "other", &unknown));
    ck_assert(signet_error_is(unknown, SIGNET_ERROR_NOT_FOUND));
    ck_assert(signet_facts_keeper_measure(keeper, "tpm", NULL));
    ck_assert(!signet_facts_keeper_measure(keeper, "tpm", &busy));
    ck_assert(signet_error_is(busy, SIGNET_ERROR_BUSY));
    ck_assert_str_eq(signet_facts_keeper_get_progress(keeper, "tpm"), "being measured");
    ck_assert(run_until(is_measured, 20000));
    ck_assert_ptr_null(signet_facts_keeper_get_progress(keeper, "tpm"));
    ck_assert_int_eq(control.generated, control.destroyed);
}
END_TEST

START_TEST(a_token_that_cannot_be_opened_fails_the_wish_in_words)
{
    control.absent = 1;
    begin();
    ck_assert(signet_facts_keeper_measure(keeper, "tpm", NULL));
    run_until(never, 200);
    ck_assert_str_eq(signet_facts_keeper_get_progress(keeper, "tpm"),
                     "token 'tpm' was removed; insert it");
}
END_TEST

START_TEST(without_measure_nothing_is_done_by_itself)
{
    begin_with("[Token tpm]\nMeasure=no\n");
    ck_assert(!run_until(is_fresh, 5 * QUIET_MS));
    ck_assert_int_eq(control.opened, 0);
}
END_TEST

static void
on_over(gpointer data)
{
    *(gboolean *)data = TRUE;
}

START_TEST(stopping_waits_until_no_key_is_left)
{
    gboolean is_over = FALSE;

    begin();
    control.delay_us = 2000;
    ck_assert(signet_facts_keeper_measure(keeper, "tpm", NULL));
    while (g_atomic_int_get(&control.signatures) == 0)
        g_main_context_iteration(NULL, TRUE);
    ck_assert_int_gt(control.generated, control.destroyed);
    signet_facts_keeper_stop(keeper, on_over, &is_over);
    while (!is_over)
        g_main_context_iteration(NULL, TRUE);
    ck_assert_int_eq(control.generated, control.destroyed);
    ck_assert_str_eq(signet_facts_keeper_get_progress(keeper, "tpm"),
                     "the measurement was stopped");
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("facts");
    TCase *tc = tcase_create("facts");
    SRunner *runner;
    int failed;

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, a_token_that_nothing_is_known_of_is_opened_in_a_quiet_moment);
    tcase_add_test(tc, a_token_is_asked_when_it_is_opened_and_what_it_says_is_written_down);
    tcase_add_test(tc, what_was_written_down_is_shown_but_is_not_fresh);
    tcase_add_test(tc, another_device_behind_the_name_is_learned_and_measured_anew);
    tcase_add_test(tc, a_device_that_was_away_is_asked_again);
    tcase_add_test(tc, a_damaged_file_is_learned_anew);
    tcase_add_test(tc, what_it_says_it_makes_and_does_not_is_remembered);
    tcase_add_test(tc, a_wish_to_measure_has_an_answer);
    tcase_add_test(tc, a_token_that_cannot_be_opened_fails_the_wish_in_words);
    tcase_add_test(tc, without_measure_nothing_is_done_by_itself);
    tcase_add_test(tc, stopping_waits_until_no_key_is_left);
    suite_add_tcase(suite, tc);
    runner = srunner_create(suite);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
