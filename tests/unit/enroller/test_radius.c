/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Packets of RADIUS: what is sent, and which answers count. */

#include "agent/enroller/radius.h"

#include <check.h>
#include <stdlib.h>

#include "tests/support/radius.h"

#define SECRET "testing123"

static SignetSecret *secret;
static GByteArray *eap;
static SignetRadiusRequest request;
static GByteArray *answer; /* a good one: Access-Challenge with State, EAP-Message and words */

static void
append(GByteArray *packet, guint8 type, gconstpointer value, gsize size)
{
    const guint8 head[] = {type, (guint8)(size + 2)};

    g_byte_array_append(packet, head, sizeof(head));
    g_byte_array_append(packet, value, (guint)size);
}

static void
seal(GByteArray *packet)
{
    radius_seal(packet, request.authenticator, SECRET);
}

static void
setup(void)
{
    static const guint8 zeros[300];
    const guint8 head[20] = {SIGNET_RADIUS_CHALLENGE, 7};

    secret = signet_secret_new(SECRET, strlen(SECRET));
    eap = g_byte_array_new();
    g_byte_array_append(eap, zeros, sizeof(zeros));
    request = (SignetRadiusRequest) {.identifier = 7, .user = "host/app.test", .eap = eap};
    memset(request.authenticator, 0x55, sizeof(request.authenticator));
    answer = g_byte_array_new();
    g_byte_array_append(answer, head, sizeof(head));
    append(answer, 24, "state", 5);
    append(answer, 79, "half", 4);
    append(answer, 79, "more", 4);
    append(answer, 18, "a\x1bword", 6);
    append(answer, 80, zeros, 16);
    seal(answer);
}

static void
teardown(void)
{
    signet_secret_unref(secret);
    g_byte_array_unref(eap);
    g_byte_array_unref(answer);
}

static SignetRadiusVerdict
look(const GByteArray *packet)
{
    g_auto(SignetRadiusReply) reply = {0};

    return signet_radius_reply_read(NULL, packet->data, packet->len, &request, secret, &reply);
}

START_TEST(a_request_has_its_proof_first)
{
    g_autoptr(GByteArray) packet = signet_radius_request_make(NULL, &request, secret);
    guint8 given[16], mac[16];
    gsize size = 0;

    ck_assert_uint_eq(packet->data[0], 1);
    ck_assert_uint_eq((guint)packet->data[2] << 8 | packet->data[3], packet->len);
    ck_assert_uint_eq(packet->data[20], 80);
    memcpy(given, packet->data + 22, 16);
    memset(packet->data + 22, 0, 16);
    EVP_Q_mac(NULL, "HMAC", NULL, "MD5", NULL, SECRET, strlen(SECRET), packet->data, packet->len,
              mac, 16, &size);
    ck_assert_mem_eq(given, mac, 16);
}
END_TEST

START_TEST(what_does_not_fit_is_not_made)
{
    g_autofree char *user = g_strnfill(254, 'u');

    request.user = user;
    ck_assert_ptr_null(signet_radius_request_make(NULL, &request, secret));
    request.user = "user";
    g_byte_array_set_size(eap, 5000);
    memset(eap->data, 0, eap->len);
    ck_assert_ptr_null(signet_radius_request_make(NULL, &request, secret));
}
END_TEST

START_TEST(an_answer_is_taken_apart)
{
    g_auto(SignetRadiusReply) reply = {0};

    ck_assert_int_eq(
        signet_radius_reply_read(NULL, answer->data, answer->len, &request, secret, &reply),
        SIGNET_RADIUS_TAKEN);
    ck_assert_int_eq(reply.code, SIGNET_RADIUS_CHALLENGE);
    ck_assert_uint_eq(reply.eap->len, 8);
    ck_assert_mem_eq(reply.eap->data, "halfmore", 8);
    ck_assert_uint_eq(g_bytes_get_size(reply.state), 5);
    ck_assert_str_eq(reply.words->str, "a word");
}
END_TEST

START_TEST(no_bit_of_it_can_be_changed)
{
    for (guint bit = 0; bit < 8 * answer->len; bit++) {
        answer->data[bit / 8] ^= (guint8)(1 << bit % 8);
        ck_assert_int_ne(look(answer), SIGNET_RADIUS_TAKEN);
        answer->data[bit / 8] ^= (guint8)(1 << bit % 8);
    }
    ck_assert_int_eq(look(answer), SIGNET_RADIUS_TAKEN);
}
END_TEST

START_TEST(what_is_cut_short_is_none)
{
    for (guint size = 0; size < answer->len; size++) {
        g_autofree guint8 *copy = g_memdup2(answer->data, size);
        g_auto(SignetRadiusReply) reply = {0};

        ck_assert_int_eq(signet_radius_reply_read(NULL, copy, size, &request, secret, &reply),
                         SIGNET_RADIUS_MALFORMED);
    }
}
END_TEST

START_TEST(without_a_message_authenticator_it_proves_nothing)
{
    g_byte_array_set_size(answer, answer->len - 18);
    seal(answer);
    ck_assert_int_eq(look(answer), SIGNET_RADIUS_UNPROVED);
}
END_TEST

START_TEST(nor_with_another_secret)
{
    radius_seal(answer, request.authenticator, "another");
    ck_assert_int_eq(look(answer), SIGNET_RADIUS_UNPROVED);
}
END_TEST

START_TEST(the_answer_to_another_request_is_none)
{
    guint8 other[16] = {0};

    radius_seal(answer, other, SECRET);
    ck_assert_int_eq(look(answer), SIGNET_RADIUS_UNPROVED);
    seal(answer);
    request.identifier = 8;
    ck_assert_int_eq(look(answer), SIGNET_RADIUS_MALFORMED);
}
END_TEST

START_TEST(there_is_one_proof_and_one_state)
{
    static const guint8 zeros[16];

    append(answer, _i ? 24 : 80, zeros, 16);
    seal(answer);
    ck_assert_int_eq(look(answer), SIGNET_RADIUS_MALFORMED);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("enroller/radius");
    TCase *tests = tcase_create("radius");
    SRunner *runner = srunner_create(suite);

    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, a_request_has_its_proof_first);
    tcase_add_test(tests, what_does_not_fit_is_not_made);
    tcase_add_test(tests, an_answer_is_taken_apart);
    tcase_add_test(tests, no_bit_of_it_can_be_changed);
    tcase_add_test(tests, what_is_cut_short_is_none);
    tcase_add_test(tests, without_a_message_authenticator_it_proves_nothing);
    tcase_add_test(tests, nor_with_another_secret);
    tcase_add_test(tests, the_answer_to_another_request_is_none);
    tcase_add_loop_test(tests, there_is_one_proof_and_one_state, 0, 2);
    suite_add_tcase(suite, tests);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
