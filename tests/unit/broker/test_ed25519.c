/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Ed25519 signs messages: its purposes hold, and there is no digest to hide behind. */

#include <check.h>
#include <stdlib.h>

#include "tests/unit/broker/ask.h"
#include "tests/unit/broker/world.h"

static World *world;
static SignetPeer *root;

static void
setup(void)
{
    world = world_new();
    root = peer_of(0);
}

static void
teardown(void)
{
    signet_peer_unref(root);
    world_free(world);
}

static void
sign(const char *identity, GBytes *message, Answer *ret_answer)
{
    SignetRequester requester = {.sender = root};
    SignetUse use = {.identity = identity, .scheme.scheme = SIGNET_SCHEME_EDDSA, .data = message};

    answer_ask(world->broker, signet_broker_sign, &requester, &use, ret_answer);
}

START_TEST(the_message_itself_is_signed)
{
    static const gsize sizes[] = {0, 1, 64, 61440};
    g_autofree char *text = g_strnfill(61440, 'x');

    for (guint i = 0; i < G_N_ELEMENTS(sizes); i++) {
        g_autoptr(GBytes) message = g_bytes_new_static(text, sizes[i]);
        g_auto(Answer) answer = {0};

        sign("ed25519", message, &answer);
        ck_assert(world_verify(world, "ed25519", 0, message, answer.result));
    }
}
END_TEST

START_TEST(only_listed_purposes_are_served)
{
    g_autoptr(GBytes) client = world_tls13_message("client");
    g_autoptr(GBytes) server = world_tls13_message("server");
    g_autoptr(GBytes) other = g_bytes_new_static("eyJhbGciOiJFZERTQSJ9.e30", 24);
    g_auto(Answer) signed_one = {0};
    g_auto(Answer) as_server = {0};
    g_auto(Answer) unknown = {0};

    sign("edge", client, &signed_one);
    ck_assert(world_verify(world, "edge", 0, client, signed_one.result));
    sign("edge", server, &as_server);
    ck_assert(signet_error_is(as_server.error, SIGNET_ERROR_DENIED));
    sign("edge", other, &unknown);
    ck_assert(signet_error_is(unknown.error, SIGNET_ERROR_DENIED));
}
END_TEST

static const struct {
    const char *identity;
    UseFunc func;
    guint32 scheme;
    guint32 hash;
    gsize size;
    gboolean is_digest;
} unfit[] = {
    {"all", signet_broker_sign, SIGNET_SCHEME_EDDSA, 0, 9, FALSE},
    {"own", signet_broker_sign, SIGNET_SCHEME_EDDSA, 0, 9, FALSE},
    {"ed25519", signet_broker_sign, SIGNET_SCHEME_EDDSA, SIGNET_HASH_SHA512, 9, FALSE},
    {"ed25519", signet_broker_sign, SIGNET_SCHEME_EDDSA, 0, 64, TRUE},
    {"ed25519", signet_broker_sign, SIGNET_SCHEME_ECDSA, SIGNET_HASH_SHA256, 9, FALSE},
    {"ed25519", signet_broker_decrypt, SIGNET_SCHEME_RSA_PKCS1, 0, 32, FALSE},
    {"ed25519", signet_broker_derive, SIGNET_SCHEME_ECDH, 0, 65, FALSE},
};

START_TEST(what_does_not_fit_the_key_never_reaches_the_token)
{
    SignetRequester requester = {.sender = root};
    g_autoptr(GBytes) data = g_bytes_new_take(g_malloc0(unfit[_i].size), unfit[_i].size);
    SignetUse use = {.identity = unfit[_i].identity,
                     .scheme = {.scheme = unfit[_i].scheme, .hash = unfit[_i].hash},
                     .data = data,
                     .is_digest = unfit[_i].is_digest};
    g_auto(Answer) answer = {0};

    answer_ask(world->broker, unfit[_i].func, &requester, &use, &answer);
    ck_assert(signet_error_is(answer.error, SIGNET_ERROR_BAD_REQUEST));
    ck_assert_int_eq(g_atomic_int_get(&world->control.signatures), 0);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("ed25519");
    TCase *tcase = tcase_create("ed25519");
    SRunner *runner;
    int failed;

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, the_message_itself_is_signed);
    tcase_add_test(tcase, only_listed_purposes_are_served);
    tcase_add_loop_test(tcase, what_does_not_fit_the_key_never_reaches_the_token, 0,
                        G_N_ELEMENTS(unfit));
    suite_add_tcase(suite, tcase);
    runner = srunner_create(suite);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
