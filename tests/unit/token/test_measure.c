/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Measuring on a token in memory: what is found, who is let in between, and that no key is left. */

#include <check.h>
#include <stdlib.h>

#include "agent/token/measure.h"
#include "tests/support/fake-token.h"

static FakeTokenControl control;
static SignetToken *token;
static GVariant *found;
static GError *failure;
static guint over;

static void
setup(void)
{
    const SignetTokenSettings settings = {.name = "test"};
    const FakeTokenOptions options = {.control = &control};

    control = (FakeTokenControl) {.keys = "ec:P-256;rsa:2048"};
    over = 0;
    token = fake_token_new(&settings, &options);
}

static void
teardown(void)
{
    g_clear_pointer(&found, g_variant_unref);
    g_clear_error(&failure);
    g_clear_pointer(&token, signet_token_unref);
    ck_assert(signet_token_wait_left(10000));
}

static void
on_measured(GVariant *result, const GError *error, gpointer data)
{
    ck_assert((result == NULL) == (error != NULL));
    found = result ? g_variant_ref(result) : NULL;
    failure = error ? g_error_copy(error) : NULL;
    over++;
}

static SignetMeasurement *
begin(const char *facts, const SignetMeasurementPlan *plan)
{
    g_autoptr(GVariant) value = g_variant_parse(G_VARIANT_TYPE_VARDICT, facts, NULL, NULL, NULL);

    return signet_measurement_new(token, value, plan, on_measured, NULL);
}

#define BOTH                                                                           \
    "{'keys': <['ec:P-256', 'rsa:2048']>, 'decrypt': <['rsa:2048']>, 'derive': <['ec:" \
    "P-256']>}"

static const SignetMeasurementPlan at_once = {.is_thorough = FALSE};

static void
run_until_over(void)
{
    while (!over)
        g_main_context_iteration(NULL, TRUE);
}

static void
assert_row(const char *name, guint wanted)
{
    g_autoptr(GVariant) times = g_variant_lookup_value(found, "times", G_VARIANT_TYPE("a{s(ttu)}"));
    guint64 p50, p95;
    guint n = 0;

    g_variant_lookup(times, name, "(ttu)", &p50, &p95, &n);
    ck_assert_msg(n == wanted, "%s: %u instead of %u", name, n, wanted);
}

START_TEST(every_operation_of_every_key_has_its_times)
{
    g_autoptr(SignetMeasurement) measurement G_GNUC_UNUSED = begin(BOTH, &at_once);
    const char *pss = NULL;

    run_until_over();
    ck_assert_ptr_nonnull(found);
    assert_row("ec:P-256 generate", 3);
    assert_row("ec:P-256 sign", 8);
    assert_row("ec:P-256 derive", 4);
    assert_row("rsa:2048 generate", 1);
    assert_row("rsa:2048 decrypt", 4);
    ck_assert(g_variant_lookup(found, "pss", "&s", &pss));
    ck_assert_int_eq(control.generated, 4);
    ck_assert_int_eq(control.destroyed, 4);
    ck_assert_uint_eq(signet_token_get_counts(token).done, 0);
}
END_TEST

START_TEST(a_key_that_it_says_it_makes_and_does_not_is_left_out)
{
    g_autoptr(SignetMeasurement) measurement G_GNUC_UNUSED =
        begin("{'keys': <['ec:P-384', 'ec:P-256']>}", &at_once);
    g_auto(GStrv) keys = NULL, unmade = NULL;

    run_until_over();
    ck_assert(g_variant_lookup(found, "keys", "^as", &keys));
    ck_assert_uint_eq(g_strv_length(keys), 1);
    ck_assert_str_eq(keys[0], "ec:P-256");
    ck_assert(g_variant_lookup(found, "unmade", "^as", &unmade));
    ck_assert_str_eq(unmade[0], "ec:P-384");
    assert_row("ec:P-256 derive", 0);
}
END_TEST

static gboolean
set_flag(gpointer data)
{
    *(gboolean *)data = TRUE;
    return G_SOURCE_REMOVE;
}

static void
on_signed(GBytes *result, const GError *error, gpointer data)
{
    ck_assert_ptr_null(error);
    ++*(guint *)data;
}

static const SignetKeyScheme ecdsa = {.scheme = SIGNET_SCHEME_ECDSA, .hash = SIGNET_HASH_SHA256};

START_TEST(it_waits_until_nobody_has_used_the_token_for_a_while)
{
    /* twenty times as long as what lies between uses: a busy machine makes that longer */
    const SignetMeasurementPlan patient = {.quiet_ms = 1000};
    g_autoptr(SignetMeasurement) measurement G_GNUC_UNUSED = begin(BOTH, &patient);
    g_autoptr(SignetKey) key = fake_token_make_key(SIGNET_KEY_EC_P256);
    g_autoptr(GBytes) digest = g_bytes_new_static("0123456789abcdef0123456789abcdef", 32);
    gint64 end_us = g_get_monotonic_time() + 1500 * 1000;
    guint signatures = 0;

    while (g_get_monotonic_time() < end_us) {
        gboolean is_late = FALSE;

        signet_token_sign(token, NULL, key, &ecdsa, digest, on_signed, &signatures);
        g_timeout_add(50, set_flag, &is_late);
        while (!is_late)
            g_main_context_iteration(NULL, TRUE);
    }
    ck_assert_int_eq(control.generated, 0);
    run_until_over();
    ck_assert_int_eq(control.generated, 4);
}
END_TEST

START_TEST(who_is_in_a_hurry_does_not_wait_and_gets_more)
{
    const SignetMeasurementPlan patient = {.quiet_ms = 3600 * 1000};
    g_autoptr(SignetMeasurement) measurement = begin(BOTH, &patient);

    g_main_context_iteration(NULL, FALSE);
    ck_assert_int_eq(control.generated, 0);
    signet_measurement_hurry(measurement);
    run_until_over();
    assert_row("ec:P-256 sign", 32);
}
END_TEST

static gint
compare(gconstpointer a, gconstpointer b)
{
    return *(const gint64 *)a < *(const gint64 *)b ? -1 : 1;
}

/* Each costs 20 ms; in turns with one client nobody usually waits for more than its own operation
 * and the one that runs. */
START_TEST(others_take_turns_with_it)
{
    const SignetTokenWait client = {.client = 7};
    g_autoptr(SignetKey) key = fake_token_make_key(SIGNET_KEY_EC_P256);
    g_autoptr(GBytes) digest = g_bytes_new_static("0123456789abcdef0123456789abcdef", 32);
    g_autoptr(SignetMeasurement) measurement G_GNUC_UNUSED =
        begin("{'keys': <['ec:P-256']>}", &at_once);
    gint64 waits_us[9];

    control.delay_us = 20000;
    for (guint i = 0; i < G_N_ELEMENTS(waits_us); i++) {
        guint signatures = 0;

        waits_us[i] = -g_get_monotonic_time();
        signet_token_sign(token, &client, key, &ecdsa, digest, on_signed, &signatures);
        while (!signatures)
            g_main_context_iteration(NULL, TRUE);
        waits_us[i] += g_get_monotonic_time();
        ck_assert_uint_eq(over, 0);
    }
    qsort(waits_us, G_N_ELEMENTS(waits_us), sizeof waits_us[0], compare);
    ck_assert_int_lt(waits_us[G_N_ELEMENTS(waits_us) / 2], 20000 * 4);
    control.delay_us = 0;
    run_until_over();
}
END_TEST

START_TEST(a_stopped_measurement_leaves_no_key)
{
    g_autoptr(SignetMeasurement) measurement = begin(BOTH, &at_once);

    while (control.signatures < 1)
        g_main_context_iteration(NULL, TRUE);
    signet_measurement_stop(measurement);
    run_until_over();
    ck_assert_ptr_nonnull(failure);
    ck_assert_int_eq(control.generated, control.destroyed);
    ck_assert_int_lt(control.generated, 4);
}
END_TEST

START_TEST(a_token_that_goes_away_fails_it_and_the_key_is_destroyed_when_it_is_back)
{
    g_autoptr(SignetMeasurement) measurement G_GNUC_UNUSED = begin(BOTH, &at_once);
    gint64 end_us;

    control.delay_us = 1000;
    while (control.signatures < 1)
        g_main_context_iteration(NULL, TRUE);
    g_atomic_int_set(&control.absent, 1);
    end_us = g_get_monotonic_time() + 500 * 1000;
    while (g_get_monotonic_time() < end_us)
        g_main_context_iteration(NULL, FALSE);
    ck_assert_uint_eq(over, 0);
    g_atomic_int_set(&control.absent, 0);
    run_until_over();
    ck_assert(signet_error_is(failure, SIGNET_ERROR_TOKEN_ABSENT));
    ck_assert_int_eq(control.generated, control.destroyed);
}
END_TEST

START_TEST(without_keys_it_is_over_at_once)
{
    g_autoptr(SignetMeasurement) measurement G_GNUC_UNUSED = begin("{}", &at_once);

    ck_assert_uint_eq(over, 0);
    run_until_over();
    ck_assert_ptr_nonnull(found);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("measure");
    TCase *tc = tcase_create("measure");
    SRunner *runner;
    int failed;

    g_log_set_always_fatal(G_LOG_LEVEL_CRITICAL | G_LOG_LEVEL_WARNING | G_LOG_FATAL_MASK);
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, every_operation_of_every_key_has_its_times);
    tcase_add_test(tc, a_key_that_it_says_it_makes_and_does_not_is_left_out);
    tcase_add_test(tc, it_waits_until_nobody_has_used_the_token_for_a_while);
    tcase_add_test(tc, who_is_in_a_hurry_does_not_wait_and_gets_more);
    tcase_add_test(tc, others_take_turns_with_it);
    tcase_add_test(tc, a_stopped_measurement_leaves_no_key);
    tcase_add_test(tc, a_token_that_goes_away_fails_it_and_the_key_is_destroyed_when_it_is_back);
    tcase_add_test(tc, without_keys_it_is_over_at_once);
    suite_add_tcase(suite, tc);
    runner = srunner_create(suite);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
