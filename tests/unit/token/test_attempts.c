/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* What is remembered of PINs that were sent, in one life of the agent and from one to the next. */

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "agent/token/attempts.h"

static SignetPinAttempts *attempts;
static GBytes *saved;
static guint n_saved;
static gboolean is_disk_full;

/* --- fixtures --- */

static GBytes *
load(gpointer data, GError **error)
{
    return saved ? g_bytes_ref(saved) : NULL;
}

static gboolean
save(GBytes *content, gpointer data, GError **error)
{
    if (is_disk_full)
        return signet_error_set(error, SIGNET_ERROR_IO, "the disk is full");
    g_clear_pointer(&saved, g_bytes_unref);
    saved = g_bytes_ref(content);
    n_saved++;
    return TRUE;
}

static const SignetPinRecord record = {.load = load, .save = save};

/* The agent's next life. */
static void
restart(void)
{
    g_autoptr(GError) error = NULL;

    g_clear_pointer(&attempts, signet_pin_attempts_unref);
    attempts = signet_pin_attempts_new(&record, &error);
    ck_assert_msg(attempts != NULL, "%s", error ? error->message : "");
}

static void
teardown(void)
{
    g_clear_pointer(&attempts, signet_pin_attempts_unref);
    g_clear_pointer(&saved, g_bytes_unref);
}

typedef struct {
    guint8 device;
    gboolean by_person;
    gboolean again;
} How;

static const How by_agent = {.device = 1};
static const How by_person = {.device = 1, .by_person = TRUE};

static SignetPinAttempt
attempt_of(const How *how, SignetSecret *pin)
{
    SignetPinAttempt attempt = {.pin = pin, .by_person = how->by_person, .again = how->again};

    attempt.device[0] = how->device;
    return attempt;
}

static SignetPinVerdict
begin(const How *how, const char *text)
{
    g_autoptr(SignetSecret) pin = text ? signet_secret_new(text, strlen(text)) : NULL;
    SignetPinAttempt attempt = attempt_of(how, pin);

    return signet_pin_attempts_begin(attempts, &attempt, NULL);
}

static void
try(const How *how, const char *text, SignetPinOutcome outcome)
{
    g_autoptr(SignetSecret) pin = text ? signet_secret_new(text, strlen(text)) : NULL;
    SignetPinAttempt attempt = attempt_of(how, pin);

    ck_assert_int_eq(signet_pin_attempts_begin(attempts, &attempt, NULL), SIGNET_PIN_MAY_BE_SENT);
    signet_pin_attempts_end(attempts, &attempt, outcome);
}

/* --- tests --- */

START_TEST(a_refused_pin_is_not_sent_again_in_any_life)
{
    try(&by_agent, "9999", SIGNET_PIN_REFUSED);
    ck_assert_int_eq(begin(&by_agent, "9999"), SIGNET_PIN_WAS_REFUSED);
    ck_assert_int_eq(begin(&by_person, "9999"), SIGNET_PIN_WAS_REFUSED);
    for (guint life = 0; life < 3; life++) {
        restart();
        ck_assert_int_eq(begin(&by_agent, "9999"), SIGNET_PIN_WAS_REFUSED);
    }
    try(&by_agent, "1234", SIGNET_PIN_ACCEPTED);
}
END_TEST

START_TEST(not_even_after_others_were_refused_meanwhile)
{
    try(&by_agent, "1111", SIGNET_PIN_REFUSED);
    try(&by_agent, "2222", SIGNET_PIN_REFUSED);
    ck_assert_int_eq(begin(&by_agent, "1111"), SIGNET_PIN_WAS_REFUSED);
    ck_assert_int_eq(begin(&by_agent, "2222"), SIGNET_PIN_WAS_REFUSED);
}
END_TEST

START_TEST(another_device_is_asked)
{
    const How other = {.device = 2};

    try(&by_agent, "9999", SIGNET_PIN_REFUSED);
    try(&other, "9999", SIGNET_PIN_ACCEPTED);
    restart();
    try(&other, "9999", SIGNET_PIN_ACCEPTED);
    ck_assert_int_eq(begin(&by_agent, "9999"), SIGNET_PIN_WAS_REFUSED);
}
END_TEST

START_TEST(a_person_may_insist)
{
    const How again = {.device = 1, .by_person = TRUE, .again = TRUE};

    try(&by_agent, "9999", SIGNET_PIN_REFUSED);
    try(&again, "9999", SIGNET_PIN_ACCEPTED);
    try(&by_agent, "9999", SIGNET_PIN_ACCEPTED);
}
END_TEST

START_TEST(after_two_wrong_ones_in_a_row_a_person_is_needed)
{
    try(&by_agent, "1111", SIGNET_PIN_REFUSED);
    try(&by_agent, "2222", SIGNET_PIN_REFUSED);
    ck_assert_int_eq(begin(&by_agent, "3333"), SIGNET_PIN_OTHERS_REFUSED);
    restart();
    ck_assert_int_eq(begin(&by_agent, "3333"), SIGNET_PIN_OTHERS_REFUSED);
    try(&by_person, "1234", SIGNET_PIN_ACCEPTED);
    try(&by_agent, "4444", SIGNET_PIN_REFUSED);
}
END_TEST

START_TEST(so_is_one_after_two_that_got_no_answer)
{
    try(&by_agent, "1234", SIGNET_PIN_UNKNOWN);
    try(&by_agent, "1234", SIGNET_PIN_UNKNOWN);
    ck_assert_int_eq(begin(&by_agent, "1234"), SIGNET_PIN_INTERRUPTED);
    restart();
    ck_assert_int_eq(begin(&by_agent, "5678"), SIGNET_PIN_INTERRUPTED);
    try(&by_person, "1234", SIGNET_PIN_ACCEPTED);
    restart();
    try(&by_agent, "1234", SIGNET_PIN_ACCEPTED);
}
END_TEST

START_TEST(an_end_of_the_agent_in_the_middle_counts_as_no_answer)
{
    ck_assert_int_eq(begin(&by_agent, "1234"), SIGNET_PIN_MAY_BE_SENT);
    restart();
    ck_assert_int_eq(begin(&by_agent, "1234"), SIGNET_PIN_MAY_BE_SENT);
    restart();
    ck_assert_int_eq(begin(&by_agent, "1234"), SIGNET_PIN_INTERRUPTED);
}
END_TEST

START_TEST(what_the_device_did_not_see_does_not_count)
{
    for (guint i = 0; i < 5; i++)
        try(&by_agent, "1234", SIGNET_PIN_NOT_SENT);
    restart();
    try(&by_agent, "1234", SIGNET_PIN_NOT_SENT);
}
END_TEST

START_TEST(a_pin_that_was_accepted_may_go_unanswered_and_is_not_written_down)
{
    guint before;

    try(&by_agent, "1234", SIGNET_PIN_ACCEPTED);
    before = n_saved;
    for (guint i = 0; i < 5; i++)
        try(&by_agent, "1234", SIGNET_PIN_UNKNOWN);
    try(&by_agent, "1234", SIGNET_PIN_ACCEPTED);
    ck_assert_uint_eq(n_saved, before);
    try(&by_agent, "1234", SIGNET_PIN_REFUSED); /* it was changed on the device */
    ck_assert_int_eq(begin(&by_agent, "1234"), SIGNET_PIN_WAS_REFUSED);
}
END_TEST

static gboolean
is_in_record(const char *text)
{
    gsize size;
    const char *bytes = g_bytes_get_data(saved, &size);

    return memmem(bytes, size, text, strlen(text)) != NULL;
}

START_TEST(the_record_holds_no_pin_and_nothing_of_an_accepted_one)
{
    try(&by_agent, "secret-pin", SIGNET_PIN_REFUSED);
    ck_assert(!is_in_record("secret-pin"));
    ck_assert(is_in_record("0100000000"));
    try(&by_agent, "1234", SIGNET_PIN_ACCEPTED);
    ck_assert(!is_in_record("0100000000"));
}
END_TEST

START_TEST(what_cannot_be_written_down_is_not_sent)
{
    is_disk_full = TRUE;
    ck_assert_int_eq(begin(&by_agent, "1234"), SIGNET_PIN_NOT_RECORDED);
    is_disk_full = FALSE;
    try(&by_agent, "1234", SIGNET_PIN_ACCEPTED);
    is_disk_full = TRUE;
    try(&by_agent, "1234", SIGNET_PIN_ACCEPTED); /* known to be good */
}
END_TEST

START_TEST(a_refusal_that_could_not_be_written_down_is_remembered)
{
    g_autoptr(SignetSecret) pin = signet_secret_new("9999", 4);
    SignetPinAttempt attempt = attempt_of(&by_agent, pin);

    ck_assert_int_eq(signet_pin_attempts_begin(attempts, &attempt, NULL), SIGNET_PIN_MAY_BE_SENT);
    is_disk_full = TRUE;
    signet_pin_attempts_end(attempts, &attempt, SIGNET_PIN_REFUSED);
    ck_assert_int_eq(begin(&by_agent, "9999"), SIGNET_PIN_WAS_REFUSED);
}
END_TEST

START_TEST(once_it_is_closed_nothing_is_sent_or_written)
{
    guint before = n_saved;

    signet_pin_attempts_close(attempts);
    ck_assert_int_eq(begin(&by_agent, "1234"), SIGNET_PIN_NOT_RECORDED);
    ck_assert_uint_eq(n_saved, before);
}
END_TEST

static gpointer
send_slowly(gpointer data)
{
    SignetPinAttempt *attempt = data;

    g_usleep(50 * 1000);
    signet_pin_attempts_end(attempts, attempt, SIGNET_PIN_REFUSED);
    return NULL;
}

START_TEST(two_threads_do_not_send_at_once)
{
    g_autoptr(SignetSecret) pin = signet_secret_new("9999", 4);
    SignetPinAttempt attempt = attempt_of(&by_agent, pin);
    GThread *thread;

    ck_assert_int_eq(signet_pin_attempts_begin(attempts, &attempt, NULL), SIGNET_PIN_MAY_BE_SENT);
    thread = g_thread_new("sender", send_slowly, &attempt);
    ck_assert_int_eq(begin(&by_agent, "9999"), SIGNET_PIN_LOOK_AGAIN);
    ck_assert_int_eq(begin(&by_agent, "9999"), SIGNET_PIN_WAS_REFUSED);
    g_thread_join(thread);
}
END_TEST

#define SALT   "00112233445566778899aabbccddeeff"
#define DEVICE "0100000000000000000000000000000000000000000000000000000000000000"

static const char *const DAMAGED[] = {
    "",
    "pins 2 " SALT "\n",
    "pins 1 0011\n",
    "pins 1 " SALT "\n" DEVICE "\n",
    "pins 1 " SALT "\n" DEVICE " -1\n",
    "pins 1 " SALT "\n" DEVICE " 1 00\n",
    "pins 1 " SALT "\n0x" DEVICE " 1\n",
    "pins 1 " SALT "\n" DEVICE " 1" /* nine refused ones */
    " " DEVICE " " DEVICE " " DEVICE " " DEVICE " " DEVICE " " DEVICE " " DEVICE " " DEVICE
    " " DEVICE "\n",
};

START_TEST(a_damaged_record_is_refused)
{
    g_autoptr(GError) error = NULL;

    saved = g_bytes_new_static(DAMAGED[_i], strlen(DAMAGED[_i]));
    ck_assert_ptr_null(signet_pin_attempts_new(&record, &error));
    ck_assert(signet_error_is(error, SIGNET_ERROR_CORRUPT));
}
END_TEST

START_TEST(a_hundred_devices_do_not_fill_the_record)
{
    How how = {0};

    for (guint i = 0; i < 100; i++, how.device++)
        try(&how, "9999", SIGNET_PIN_REFUSED);
    ck_assert_uint_lt(g_bytes_get_size(saved), SIGNET_PIN_RECORD_MAX);
    restart();
    how.device--;
    ck_assert_int_eq(begin(&how, "9999"), SIGNET_PIN_WAS_REFUSED);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("attempts");
    TCase *tc = tcase_create("attempts");
    SRunner *runner;
    int failed;

    g_log_set_always_fatal(G_LOG_LEVEL_CRITICAL | G_LOG_LEVEL_WARNING | G_LOG_FATAL_MASK);
    tcase_add_checked_fixture(tc, restart, teardown);
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, a_refused_pin_is_not_sent_again_in_any_life);
    tcase_add_test(tc, not_even_after_others_were_refused_meanwhile);
    tcase_add_test(tc, another_device_is_asked);
    tcase_add_test(tc, a_person_may_insist);
    tcase_add_test(tc, after_two_wrong_ones_in_a_row_a_person_is_needed);
    tcase_add_test(tc, so_is_one_after_two_that_got_no_answer);
    tcase_add_test(tc, an_end_of_the_agent_in_the_middle_counts_as_no_answer);
    tcase_add_test(tc, what_the_device_did_not_see_does_not_count);
    tcase_add_test(tc, a_pin_that_was_accepted_may_go_unanswered_and_is_not_written_down);
    tcase_add_test(tc, the_record_holds_no_pin_and_nothing_of_an_accepted_one);
    tcase_add_test(tc, what_cannot_be_written_down_is_not_sent);
    tcase_add_test(tc, a_refusal_that_could_not_be_written_down_is_remembered);
    tcase_add_test(tc, once_it_is_closed_nothing_is_sent_or_written);
    tcase_add_test(tc, two_threads_do_not_send_at_once);
    tcase_add_loop_test(tc, a_damaged_record_is_refused, 0, G_N_ELEMENTS(DAMAGED));
    tcase_add_test(tc, a_hundred_devices_do_not_fill_the_record);
    suite_add_tcase(suite, tc);
    runner = srunner_create(suite);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
