/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* A token over the fake backend: answers, deadlines, cancelling, losing and finding the device. */

#include <check.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/fake-token.h"

static FakeTokenControl control;
static SignetToken *token;

/* What the callbacks saw. */
typedef struct {
    guint answers;
    guint order; /* of the answer among all */
    SignetErrorKind kind;
    gboolean failed;
    char *message;
    GBytes *result;
    SignetKey *key;
} Answer;

static guint answered;

static void
note(Answer *answer, const GError *error)
{
    answer->answers++;
    answer->order = ++answered;
    answer->failed = error != NULL;
    if (error) {
        answer->kind = signet_error_kind(error);
        g_free(answer->message);
        answer->message = g_strdup(error->message);
    }
}

static void
on_done(GBytes *result, const GError *error, gpointer data)
{
    Answer *answer = data;

    note(answer, error);
    answer->result = result ? g_bytes_ref(result) : NULL;
}

static void
on_key(SignetKey *key, const GError *error, gpointer data)
{
    Answer *answer = data;

    note(answer, error);
    answer->key = key ? signet_key_ref(key) : NULL;
}

static void
answer_clear(Answer *answer)
{
    g_free(answer->message);
    g_clear_pointer(&answer->result, g_bytes_unref);
    g_clear_pointer(&answer->key, signet_key_unref);
    *answer = (Answer) {0};
}

static void
run_until(const guint *count, guint wanted)
{
    while (*count < wanted)
        g_main_context_iteration(NULL, TRUE);
}

static void
make(guint queue_limit, guint client_limit, gboolean costs_nothing)
{
    const SignetTokenSettings settings = {
        .name = "test", .queue_limit = queue_limit, .client_limit = client_limit};
    const FakeTokenOptions options = {.costs_nothing = costs_nothing, .control = &control};

    token = fake_token_new(&settings, &options);
}

static void
setup(void)
{
    control = (FakeTokenControl) {0};
    answered = 0;
    make(0, 0, FALSE);
}

static void
teardown(void)
{
    g_clear_pointer(&token, signet_token_unref);
    ck_assert(signet_token_wait_left(10000));
}

static GBytes *
digest(void)
{
    static const guint8 bytes[32] = {1, 2, 3};

    return g_bytes_new_static(bytes, sizeof bytes);
}

/* So that the rest is running. */
static void
wait_until_waiting(guint wanted)
{
    while (signet_token_get_counts(token).waiting != wanted)
        g_usleep(1000);
}

static const SignetKeyScheme ecdsa = {.scheme = SIGNET_SCHEME_ECDSA, .hash = SIGNET_HASH_SHA256};

static guint64
sign(SignetKey *key, guint64 client, guint timeout_ms, Answer *answer)
{
    const SignetTokenWait wait = {.client = client, .timeout_ms = timeout_ms};
    g_autoptr(GBytes) data = digest();

    return signet_token_sign(token, &wait, key, &ecdsa, data, on_done, answer);
}

START_TEST(a_generated_key_signs_what_its_public_key_verifies)
{
    const SignetKeyTemplate template = {.type = SIGNET_KEY_EC_P256};
    Answer made = {0}, signature = {0};
    g_autoptr(GBytes) data = digest();
    const unsigned char *der;
    EVP_PKEY *pkey;
    EVP_PKEY_CTX *ctx;

    signet_token_generate(token, NULL, &template, on_key, &made);
    ck_assert_uint_eq(made.answers, 0);
    run_until(&made.answers, 1);
    ck_assert(!made.failed);
    sign(made.key, 0, 0, &signature);
    run_until(&signature.answers, 1);
    ck_assert(!signature.failed);

    der = g_bytes_get_data(made.key->spki, NULL);
    pkey = d2i_PUBKEY(NULL, &der, (long)g_bytes_get_size(made.key->spki));
    ctx = EVP_PKEY_CTX_new(pkey, NULL);
    EVP_PKEY_verify_init(ctx);
    ck_assert_int_eq(EVP_PKEY_verify(ctx, g_bytes_get_data(signature.result, NULL),
                                     g_bytes_get_size(signature.result),
                                     g_bytes_get_data(data, NULL), g_bytes_get_size(data)),
                     1);
    EVP_PKEY_CTX_free(ctx);
    EVP_PKEY_free(pkey);
    answer_clear(&made);
    answer_clear(&signature);
}
END_TEST

START_TEST(clients_are_served_in_turns)
{
    g_autoptr(SignetKey) key = fake_token_make_key(SIGNET_KEY_EC_P256);
    Answer greedy[20] = {0}, modest = {0};

    control.delay_us = 2000;
    for (guint i = 0; i < 20; i++)
        sign(key, 1, 0, &greedy[i]);
    sign(key, 2, 0, &modest);
    run_until(&answered, 21);

    /* One of the first client's may be running already, one more has its turn first. */
    ck_assert_uint_le(modest.order, 3);
    answer_clear(&modest);
    for (guint i = 0; i < 20; i++) {
        ck_assert(!greedy[i].failed);
        answer_clear(&greedy[i]);
    }
}
END_TEST

START_TEST(a_full_queue_answers_busy_at_once_but_not_from_within)
{
    g_autoptr(SignetKey) key = fake_token_make_key(SIGNET_KEY_EC_P256);
    Answer answers[8] = {0};
    guint busy = 0;

    teardown();
    make(4, 4, FALSE);
    control.delay_us = 50000;
    for (guint i = 0; i < 8; i++)
        sign(key, i, 0, &answers[i]);
    ck_assert_uint_eq(answered, 0);
    run_until(&answered, 8);

    for (guint i = 0; i < 8; i++) {
        if (answers[i].failed) {
            ck_assert_int_eq(answers[i].kind, SIGNET_ERROR_BUSY);
            ck_assert_ptr_nonnull(strstr(answers[i].message, "'test' is busy"));
            ck_assert_uint_le(answers[i].order, 4);
            busy++;
        }
        answer_clear(&answers[i]);
    }
    ck_assert_uint_ge(busy, 3);
    ck_assert_uint_eq(signet_token_get_counts(token).refused_busy, busy);
}
END_TEST

START_TEST(what_expired_in_the_queue_never_reaches_the_token)
{
    g_autoptr(SignetKey) key = fake_token_make_key(SIGNET_KEY_EC_P256);
    Answer slow = {0}, late = {0}, after = {0};

    control.delay_us = 600000;
    sign(key, 1, 0, &slow);
    sign(key, 2, 20, &late);
    run_until(&late.answers, 1);
    ck_assert_int_eq(late.kind, SIGNET_ERROR_TIMED_OUT);
    ck_assert_uint_eq(slow.answers, 0);

    run_until(&slow.answers, 1);
    control.delay_us = 0;
    sign(key, 1, 0, &after);
    run_until(&after.answers, 1);
    ck_assert_uint_eq(late.answers, 1);
    ck_assert_int_eq(control.signatures, 2);
    ck_assert_uint_eq(signet_token_get_counts(token).timed_out, 1);
    answer_clear(&slow);
    answer_clear(&late);
    answer_clear(&after);
}
END_TEST

START_TEST(what_runs_too_long_is_answered_at_its_deadline_and_once)
{
    g_autoptr(SignetKey) key = fake_token_make_key(SIGNET_KEY_EC_P256);
    Answer slow = {0}, after = {0};
    gint64 began_us = g_get_monotonic_time();

    g_atomic_int_set(&control.delay_us, 800000);
    sign(key, 1, 30, &slow);
    run_until(&slow.answers, 1);
    ck_assert_int_lt(g_get_monotonic_time() - began_us, 600000);
    ck_assert_int_eq(slow.kind, SIGNET_ERROR_TIMED_OUT);
    ck_assert_ptr_nonnull(strstr(slow.message, "did not finish"));

    g_atomic_int_set(&control.delay_us, 0);
    sign(key, 1, 0, &after);
    run_until(&after.answers, 1);
    ck_assert(!after.failed);
    ck_assert_uint_eq(slow.answers, 1);
    answer_clear(&slow);
    answer_clear(&after);
}
END_TEST

START_TEST(what_was_cancelled_is_not_answered)
{
    g_autoptr(SignetKey) key = fake_token_make_key(SIGNET_KEY_EC_P256);
    Answer running = {0}, waiting = {0}, last = {0};
    guint64 ids[2];

    control.delay_us = 200000;
    ids[0] = sign(key, 1, 0, &running);
    ids[1] = sign(key, 1, 0, &waiting);
    sign(key, 1, 0, &last);
    wait_until_waiting(2);
    signet_token_cancel(token, ids[0]);
    signet_token_cancel(token, ids[1]);
    signet_token_cancel(token, ids[1]);
    signet_token_cancel(token, 4711);
    run_until(&last.answers, 1);

    ck_assert_uint_eq(running.answers, 0);
    ck_assert_uint_eq(waiting.answers, 0);
    ck_assert_int_eq(control.signatures, 2);
    answer_clear(&last);
}
END_TEST

START_TEST(an_answer_that_is_on_its_way_can_still_be_cancelled)
{
    g_autoptr(SignetKey) key = fake_token_make_key(SIGNET_KEY_EC_P256);
    Answer gone = {0}, last = {0};
    guint64 id = sign(key, 1, 0, &gone);

    while (g_atomic_int_get(&control.signatures) == 0)
        g_usleep(1000);
    g_usleep(10000);
    signet_token_cancel(token, id);
    sign(key, 1, 0, &last);
    run_until(&last.answers, 1);
    ck_assert_uint_eq(gone.answers, 0);
    answer_clear(&last);
}
END_TEST

START_TEST(a_key_that_nobody_waits_for_is_destroyed)
{
    const SignetKeyTemplate template = {.type = SIGNET_KEY_EC_P256};
    Answer gone = {0};
    guint64 id;

    control.delay_us = 200000;
    id = signet_token_generate(token, NULL, &template, on_key, &gone);
    wait_until_waiting(0);
    g_usleep(50000);
    signet_token_cancel(token, id);
    teardown();
    ck_assert_uint_eq(gone.answers, 0);
    ck_assert_int_eq(control.generated, 1);
    ck_assert_int_eq(control.destroyed, 1);
}
END_TEST

START_TEST(the_last_reference_waits_for_a_cancelled_operation)
{
    g_autoptr(SignetKey) key = fake_token_make_key(SIGNET_KEY_EC_P256);
    Answer gone = {0};
    guint64 id;

    control.delay_us = 200000;
    id = sign(key, 1, 0, &gone);
    wait_until_waiting(0);
    signet_token_cancel(token, id);
    teardown();
    ck_assert_uint_eq(gone.answers, 0);
    ck_assert_int_eq(control.signatures, 1);
}
END_TEST

START_TEST(a_pending_request_keeps_the_token_alive)
{
    g_autoptr(SignetKey) key = fake_token_make_key(SIGNET_KEY_EC_P256);
    Answer answer = {0};

    control.delay_us = 10000;
    sign(key, 1, 0, &answer);
    teardown();
    run_until(&answer.answers, 1);
    ck_assert(!answer.failed);
    answer_clear(&answer);
}
END_TEST

static guint changes;
static SignetTokenState last_state;

static void
on_changed(SignetToken *changed, gpointer data)
{
    changes++;
    last_state = signet_token_get_state(changed);
}

START_TEST(a_device_that_went_away_is_found_again)
{
    g_autoptr(SignetKey) key = fake_token_make_key(SIGNET_KEY_EC_P256);
    Answer answer = {0};

    changes = 0;
    signet_token_set_listener(token, on_changed, NULL);
    ck_assert_int_eq(signet_token_get_state(token), SIGNET_TOKEN_STATE_UNKNOWN);
    control.absent = 1;
    sign(key, 1, 0, &answer);
    run_until(&answer.answers, 1);
    ck_assert_int_eq(answer.kind, SIGNET_ERROR_TOKEN_ABSENT);
    ck_assert_int_eq(last_state, SIGNET_TOKEN_STATE_ABSENT);
    ck_assert_str_eq(signet_token_get_problem(token), answer.message);

    g_atomic_int_set(&control.absent, 0);
    sign(key, 1, 0, &answer); /* within the second: the same answer, no attempt */
    run_until(&answer.answers, 2);
    ck_assert(answer.failed);
    ck_assert_int_eq(control.opened, 0);

    g_usleep(1100000);
    sign(key, 1, 0, &answer);
    run_until(&answer.answers, 3);
    ck_assert(!answer.failed);
    ck_assert_int_eq(last_state, SIGNET_TOKEN_STATE_READY);
    ck_assert_uint_eq(changes, 2);
    ck_assert_ptr_null(signet_token_get_problem(token));
    ck_assert_str_eq(signet_token_get_info(token).protection, "software");
    answer_clear(&answer);
}
END_TEST

START_TEST(a_probe_opens_the_device)
{
    Answer answer = {0};

    signet_token_probe(token, NULL, on_done, &answer);
    run_until(&answer.answers, 1);
    ck_assert(!answer.failed);
    ck_assert_int_eq(control.opened, 1);
    ck_assert_int_eq(signet_token_get_state(token), SIGNET_TOKEN_STATE_READY);
    answer_clear(&answer);
}
END_TEST

typedef struct {
    guint left;
    guint done;
    SignetKey *key;
} Chain;

static void
on_chain(GBytes *result, const GError *error, gpointer data)
{
    static const SignetTokenWait wait = {.client = 5};
    Chain *chain = data;
    g_autoptr(GBytes) bytes = digest();

    ck_assert_ptr_null(error);
    chain->done++;
    if (--chain->left > 0)
        signet_token_sign(token, &wait, chain->key, &ecdsa, bytes, on_chain, chain);
}

START_TEST(requests_made_in_callbacks_are_served)
{
    static const SignetTokenWait wait = {.client = 5};
    g_autoptr(SignetKey) key = fake_token_make_key(SIGNET_KEY_EC_P256);
    Chain chain = {.left = 20000, .key = key};
    g_autoptr(GBytes) bytes = digest();
    gint64 began_us;

    teardown();
    make(0, 0, TRUE);
    began_us = g_get_monotonic_time();
    signet_token_sign(token, &wait, key, &ecdsa, bytes, on_chain, &chain);
    run_until(&chain.done, 20000);
    printf("# one request through the queue: %.2f us\n",
           (double)(g_get_monotonic_time() - began_us) / 20000);
    ck_assert_uint_eq(signet_token_get_counts(token).done, 20000);
}
END_TEST

static void
on_timed(GBytes *result, const GError *error, gpointer data)
{
    ck_assert_ptr_null(error);
    *(gint64 *)data = signet_token_get_duration_us(token);
}

START_TEST(durations_are_of_the_token_and_not_of_the_queue)
{
    g_autoptr(SignetKey) key = fake_token_make_key(SIGNET_KEY_EC_P256);
    g_autoptr(GBytes) data = digest();
    gint64 durations_us[3] = {0};
    g_autoptr(GVariant) rows = NULL;
    gint64 begun_us = g_get_monotonic_time(), all_us;
    guint64 p50, p95;
    guint n;

    control.delay_us = 30000;
    for (guint i = 0; i < 3; i++)
        signet_token_sign(token, NULL, key, &ecdsa, data, on_timed, &durations_us[i]);
    while (durations_us[2] == 0)
        g_main_context_iteration(NULL, TRUE);
    all_us = g_get_monotonic_time() - begun_us;
    ck_assert(durations_us[2] >= 30000 && durations_us[2] <= all_us - 2 * 30000);
    rows = g_variant_ref_sink(signet_timings_to_variant(signet_token_get_timings(token)));
    ck_assert(g_variant_lookup(rows, "ec:P-256 sign", "(ttu)", &p50, &p95, &n));
    ck_assert_uint_eq(n, 3);
    ck_assert(p50 > 27000 && p50 < (guint64)all_us - 2 * 27000);
}
END_TEST

START_TEST(a_trial_leaves_no_trace)
{
    const SignetTokenWait trial = {.client = 9, .is_trial = TRUE};
    const SignetTokenWait hasty = {.client = 9, .is_trial = TRUE, .timeout_ms = 20};
    g_autoptr(SignetKey) key = fake_token_make_key(SIGNET_KEY_EC_P256);
    g_autoptr(GBytes) data = digest();
    g_autoptr(GVariant) rows = NULL;
    Answer done = {0}, late = {0};

    signet_token_sign(token, &trial, key, &ecdsa, data, on_done, &done);
    run_until(&done.answers, 1);
    control.delay_us = 100000;
    signet_token_sign(token, &hasty, key, &ecdsa, data, on_done, &late);
    run_until(&late.answers, 1);
    ck_assert(!done.failed && late.kind == SIGNET_ERROR_TIMED_OUT);
    ck_assert_uint_eq(signet_token_get_counts(token).done, 0);
    ck_assert_uint_eq(signet_token_get_counts(token).timed_out, 0);
    rows = g_variant_ref_sink(signet_timings_to_variant(signet_token_get_timings(token)));
    ck_assert_uint_eq(g_variant_n_children(rows), 0);
    answer_clear(&done);
    answer_clear(&late);
}
END_TEST

START_TEST(a_lesson_gives_facts_and_they_can_be_kept)
{
    Answer learned = {0};
    g_autoptr(GVariant) facts = NULL;
    g_auto(GStrv) keys = NULL;

    control.keys = "ec:P-256;rsa:2048";
    signet_token_learn(token, NULL, SIGNET_LESSON_CAPABILITIES, NULL, on_done, &learned);
    run_until(&learned.answers, 1);
    ck_assert(!learned.failed);
    facts = signet_token_facts_from_bytes(learned.result);
    ck_assert(g_variant_lookup(facts, "keys", "^as", &keys));
    ck_assert_str_eq(keys[1], "rsa:2048");
    ck_assert_ptr_null(signet_token_get_facts(token));
    signet_token_set_facts(token, facts, TRUE);
    ck_assert_ptr_eq(signet_token_get_facts(token), facts);
    ck_assert(signet_token_has_fresh_facts(token));
    answer_clear(&learned);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("token");
    TCase *tc = tcase_create("token");
    SRunner *runner;
    int failed;

    g_log_set_always_fatal(G_LOG_LEVEL_CRITICAL | G_LOG_LEVEL_WARNING | G_LOG_FATAL_MASK);
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, a_generated_key_signs_what_its_public_key_verifies);
    tcase_add_test(tc, clients_are_served_in_turns);
    tcase_add_test(tc, a_full_queue_answers_busy_at_once_but_not_from_within);
    tcase_add_test(tc, what_expired_in_the_queue_never_reaches_the_token);
    tcase_add_test(tc, what_runs_too_long_is_answered_at_its_deadline_and_once);
    tcase_add_test(tc, what_was_cancelled_is_not_answered);
    tcase_add_test(tc, an_answer_that_is_on_its_way_can_still_be_cancelled);
    tcase_add_test(tc, a_key_that_nobody_waits_for_is_destroyed);
    tcase_add_test(tc, the_last_reference_waits_for_a_cancelled_operation);
    tcase_add_test(tc, a_pending_request_keeps_the_token_alive);
    tcase_add_test(tc, a_device_that_went_away_is_found_again);
    tcase_add_test(tc, a_probe_opens_the_device);
    tcase_add_test(tc, durations_are_of_the_token_and_not_of_the_queue);
    tcase_add_test(tc, a_trial_leaves_no_trace);
    tcase_add_test(tc, a_lesson_gives_facts_and_they_can_be_kept);
    tcase_add_test(tc, requests_made_in_callbacks_are_served);
    suite_add_tcase(suite, tc);
    runner = srunner_create(suite);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
