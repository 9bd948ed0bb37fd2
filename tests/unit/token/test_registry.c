/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* The tokens follow the policy. */

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "agent/token/registry.h"
#include "policy/parse.h"
#include "tests/support/fake-token.h"

static SignetTokens *tokens;

static SignetPolicy *
policy_of(const char *text)
{
    const SignetPolicyFile file = {
        .path = (char *)"signet.conf", .data = text, .size = strlen(text)};
    g_autoptr(GPtrArray) problems = g_ptr_array_new_with_free_func(g_free);
    SignetPolicy *policy = signet_policy_parse(&file, 1, problems);

    ck_assert_msg(policy != NULL, "%s",
                  problems->len ? (char *)g_ptr_array_index(problems, 0) : "");
    return policy;
}

static void
apply(const char *text)
{
    g_autoptr(SignetPolicy) policy = policy_of(text);

    signet_tokens_apply(tokens, policy);
}

static void
setup(void)
{
    tokens = signet_tokens_new();
}

static void
teardown(void)
{
    g_clear_pointer(&tokens, signet_tokens_free);
}

START_TEST(what_has_not_changed_is_kept_and_what_is_gone_is_dropped)
{
    SignetToken *a, *b;
    g_autoptr(GPtrArray) list = NULL;

    apply("[Token b]\nType=tpm\nTcti=device:/b\n[Token a]\nType=tpm\nTcti=device:/a\n");
    a = signet_token_ref(signet_tokens_get(tokens, "a"));
    b = signet_token_ref(signet_tokens_get(tokens, "b"));
    list = signet_tokens_list(tokens);
    ck_assert_uint_eq(list->len, 2);
    ck_assert_ptr_eq(g_ptr_array_index(list, 0), a);

    apply("[Token a]\nType=tpm\nTcti=device:/a\n[Token b]\nType=tpm\nTcti=device:/other\n");
    ck_assert_ptr_eq(signet_tokens_get(tokens, "a"), a);
    ck_assert_ptr_ne(signet_tokens_get(tokens, "b"), b);

    apply("[Token b]\nType=tpm\nTcti=device:/other\n");
    ck_assert_ptr_null(signet_tokens_get(tokens, "a"));
    signet_token_unref(a);
    signet_token_unref(b);
}
END_TEST

START_TEST(a_token_made_elsewhere_is_left_alone)
{
    const SignetTokenSettings settings = {.name = "tpm"};
    SignetToken *fake = fake_token_new(&settings, NULL);

    signet_tokens_add(tokens, fake);
    apply("[Token tpm]\nType=tpm\nTcti=device:/dev/tpmrm0\n");
    ck_assert_ptr_eq(signet_tokens_get(tokens, "tpm"), fake);
    apply("[Token other]\nType=tpm\nTcti=device:/dev/tpmrm0\n");
    ck_assert_ptr_eq(signet_tokens_get(tokens, "tpm"), fake);
}
END_TEST

static guint changes;

static void
on_changed(SignetToken *token, gpointer data)
{
    ck_assert_str_eq(data, "listener");
    changes++;
}

static void
on_done(GBytes *result, const GError *error, gpointer data)
{
    *(gboolean *)data = TRUE;
}

START_TEST(the_listener_hears_of_tokens_of_the_future_too)
{
    const SignetTokenSettings settings = {.name = "fake"};
    gboolean done = FALSE;

    signet_tokens_set_listener(tokens, on_changed, (gpointer) "listener");
    signet_tokens_add(tokens, fake_token_new(&settings, NULL));
    signet_token_probe(signet_tokens_get(tokens, "fake"), NULL, on_done, &done);
    while (!done)
        g_main_context_iteration(NULL, TRUE);
    ck_assert_uint_eq(changes, 1);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("registry");
    TCase *tc = tcase_create("registry");
    SRunner *runner;
    int failed;

    g_log_set_always_fatal(G_LOG_LEVEL_CRITICAL | G_LOG_LEVEL_WARNING | G_LOG_FATAL_MASK);
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, what_has_not_changed_is_kept_and_what_is_gone_is_dropped);
    tcase_add_test(tc, a_token_made_elsewhere_is_left_alone);
    tcase_add_test(tc, the_listener_hears_of_tokens_of_the_future_too);
    suite_add_tcase(suite, tc);
    runner = srunner_create(suite);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
