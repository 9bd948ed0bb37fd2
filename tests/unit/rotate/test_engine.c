/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* The engine with a fake token, a fake CA and a clock of its own. */

#include <string.h>
#include <unistd.h>

#include "tests/unit/rotate/world.h"

typedef struct {
    gboolean is_done;
    guint32 generation;
    GError *error;
} Answer;

static World *world;
static SignetPolicy *policy;
static Answer answer;

static void
setup(void)
{
    world = world_new(NULL);
    policy = world_policy(NULL);
    answer = (Answer) {0};
}

static void
teardown(void)
{
    world_free(world);
    signet_policy_unref(policy);
    g_clear_error(&answer.error);
}

static void
on_done(const char *identity, guint32 generation, const GError *error, gpointer data)
{
    Answer *to = data;

    ck_assert(!to->is_done);
    to->is_done = TRUE;
    to->generation = generation;
    to->error = error ? g_error_copy(error) : NULL;
}

static void
rotate(const char *identity)
{
    g_clear_error(&answer.error);
    answer = (Answer) {0};
    signet_engine_rotate(world->engine, identity, on_done, &answer);
    ck_assert(!answer.is_done);
    world_wait_flag(world, &answer.is_done);
}

static void
enrol(void)
{
    ck_assert(world_up(world, policy));
    world_wait_state(world, "wifi", "active");
}

/* A little of everything, without waiting for anything in particular. */
static void
turn(void)
{
    if (!g_main_context_iteration(NULL, FALSE))
        g_usleep(100);
}

/* A token that is absent is not asked again for a second, whatever our clock says. */
static void
bring_token_back(void)
{
    g_atomic_int_set(&world->token.absent, 0);
    g_usleep(1100 * 1000);
}

START_TEST(a_new_identity_is_enrolled_by_itself)
{
    enrol();
    ck_assert_uint_eq(world_status(world, "wifi").current, 1);
    ck_assert_uint_eq(world_status(world, "ca.local").current, 1);
    ck_assert_str_eq(world_status(world, "wifi").next, "renew");
    ck_assert_int_eq(world_status(world, "wifi").not_after_s, WORLD_NOW_S + WORLD_LIFETIME_S);
    ck_assert_str_eq(world->events->str, "rotated ca.local 1\nrotated wifi 1\n");
    world_check_usable(world, "wifi");
    world_check_no_orphans(world, "wifi");
}
END_TEST

START_TEST(a_wish_rotates_with_overlap_and_retirement)
{
    enrol();
    rotate("wifi");
    ck_assert_ptr_null(answer.error);
    ck_assert_uint_eq(answer.generation, 2);
    world_settle(world);
    ck_assert_int_eq(signet_inventory_get_state(world->inventory, "wifi", 1),
                     SIGNET_GENERATION_RETIRED);
    ck_assert_ptr_nonnull(signet_inventory_get(world->inventory, "wifi", 1));
    ck_assert_str_eq(world_status(world, "wifi").next, "retire generation 1");
    world_check_usable(world, "wifi");
    world_advance(world, 299);
    world_settle(world);
    g_autofree char *during = world_numbers(world, "wifi");
    ck_assert_str_eq(during, "1 2");
    world_advance(world, 2);
    world_settle(world);
    g_autofree char *after = world_numbers(world, "wifi");
    ck_assert_str_eq(after, "2");
    ck_assert_ptr_null(signet_inventory_get(world->inventory, "wifi", 1));
    ck_assert_int_eq(world->token.destroyed, 1);
    ck_assert_ptr_nonnull(strstr(world->events->str, "retired wifi 1\n"));
    world_check_no_orphans(world, "wifi");
}
END_TEST

START_TEST(a_rotation_in_the_overlap_of_another_is_nothing_special)
{
    enrol();
    rotate("wifi");
    world_advance(world, 100);
    rotate("wifi");
    world_advance(world, 100);
    rotate("wifi");
    world_wait_only(world, "wifi", "1 2 3 4");
    for (guint i = 1; i <= 4; i++)
        ck_assert_ptr_nonnull(signet_inventory_get(world->inventory, "wifi", i));
    world_advance(world, 150);
    world_wait_only(world, "wifi", "2 3 4");
    world_advance(world, 300);
    world_wait_only(world, "wifi", "4");
    world_check_usable(world, "wifi");
}
END_TEST

START_TEST(time_rotates_by_itself)
{
    enrol();
    ck_assert_int_eq(world_status(world, "wifi").next_s, WORLD_NOW_S + WORLD_LIFETIME_S / 2);
    world_advance(world, WORLD_LIFETIME_S / 2 - 1);
    world_settle(world);
    ck_assert_uint_eq(world_status(world, "wifi").current, 1);
    world_advance(world, 1);
    world_settle(world);
    world_wait_state(world, "wifi", "active");
    ck_assert_uint_eq(world_status(world, "wifi").current, 2);
}
END_TEST

START_TEST(a_restart_changes_nothing)
{
    enrol();
    rotate("wifi");
    signet_inventory_note_use(world->inventory, "wifi", 1, 33, "nginx", world->now_s);
    world_down(world);
    ck_assert(world_up(world, policy));
    ck_assert_uint_eq(world->problems->len, 0);
    ck_assert_str_eq(world_status(world, "wifi").state, "active");
    ck_assert_uint_eq(world_status(world, "wifi").current, 2);
    ck_assert_str_eq(world_status(world, "wifi").next, "retire generation 1");
    g_autoptr(GArray) users = signet_inventory_list_users(world->inventory, "wifi", 1);
    ck_assert_uint_eq(users->len, 1);
    ck_assert_str_eq(g_array_index(users, SignetUser, 0).program, "nginx");
    world_settle(world);
    ck_assert_uint_eq(world_status(world, "wifi").current, 2);
    ck_assert_int_eq(world->token.generated, 3);
}
END_TEST

/* --- failures --- */

static const struct {
    FakeCaMood mood;
    const char *state;
    const char *cause;
    const char *event;
} moods[] = {
    {FAKE_CA_FAILS, "failed", "no route to host", "failed wifi 2\n"},
    {FAKE_CA_REFUSES, "failed", "not in the list", "failed wifi 2\n"},
    {FAKE_CA_WRONG_KEY, "failed", "public key", "failed wifi 2\n"},
    {FAKE_CA_GARBAGE, "failed", "cannot be read", "failed wifi 2\n"},
    {FAKE_CA_PENDING, "pending-ca", "code 4711", ""},
};

START_TEST(a_ca_that_does_not_issue_leaves_the_old_generation_in_use)
{
    enrol();
    g_string_truncate(world->events, 0);
    world->ca.mood = moods[_i].mood;
    rotate("wifi");
    ck_assert_ptr_nonnull(answer.error);
    ck_assert_ptr_nonnull(strstr(answer.error->message, moods[_i].cause));
    SignetIdentityStatus status = world_status(world, "wifi");
    ck_assert_str_eq(status.state, moods[_i].state);
    ck_assert_ptr_nonnull(strstr(status.cause, moods[_i].cause));
    ck_assert_uint_eq(status.current, 1);
    ck_assert_uint_eq(status.pending, 2);
    ck_assert_int_gt(status.next_s, world->now_s);
    ck_assert_str_eq(world->events->str, moods[_i].event);
    world_check_usable(world, "wifi");
    world->ca.mood = FAKE_CA_ISSUES;
    world_advance(world, 3601);
    world_settle(world);
    world_wait_state(world, "wifi", "active");
    ck_assert_uint_eq(world_status(world, "wifi").current, 2);
    ck_assert_uint_eq(world_status(world, "wifi").attempt, 0);
}
END_TEST

START_TEST(a_failure_is_tried_again_after_a_pause_that_grows)
{
    world->ca.mood = FAKE_CA_FAILS;
    ck_assert(world_up(world, policy));
    world_wait_state(world, "wifi", "failed");
    gint64 first_s = world_status(world, "wifi").next_s - world->now_s;
    ck_assert_int_ge(first_s, 54);
    ck_assert_int_le(first_s, 66);
    world_advance(world, first_s);
    world_settle(world);
    world_wait_state(world, "wifi", "failed");
    ck_assert_uint_eq(world_status(world, "wifi").attempt, 2);
    ck_assert_int_gt(world_status(world, "wifi").next_s - world->now_s, first_s + 30);
    /* one key for both attempts, and one for the CA */
    ck_assert_int_eq(world->token.generated, 2);
}
END_TEST

START_TEST(a_token_that_is_removed_is_waited_for)
{
    world->token.absent = 1;
    ck_assert(world_up(world, policy));
    world_wait_state(world, "ca.local", "waiting-token");
    world_wait_state(world, "wifi", "waiting-ca");
    ck_assert_ptr_nonnull(strstr(world_status(world, "ca.local").cause, "removed"));
    bring_token_back();
    world_advance(world, 300);
    world_wait_state(world, "wifi", "active");
}
END_TEST

static void
on_probed(GBytes *result, const GError *error, gpointer data)
{
    *(gboolean *)data = TRUE;
}

START_TEST(a_token_that_comes_back_is_used_at_once)
{
    gboolean is_probed = FALSE;

    enrol();
    g_atomic_int_set(&world->token.absent, 1);
    rotate("wifi");
    ck_assert(signet_error_is(answer.error, SIGNET_ERROR_TOKEN_ABSENT));
    ck_assert_str_eq(world_status(world, "wifi").state, "waiting-token");
    bring_token_back();
    signet_token_probe(signet_tokens_get(world->tokens, "tpm"), &(SignetTokenWait) {0}, on_probed,
                       &is_probed);
    world_wait_flag(world, &is_probed);
    world_wait_state(world, "wifi", "active");
    ck_assert_uint_eq(world_status(world, "wifi").current, 2);
}
END_TEST

START_TEST(a_token_that_fails_is_tried_again)
{
    enrol();
    g_atomic_int_set(&world->token.fail, 1);
    rotate("wifi");
    ck_assert_str_eq(world_status(world, "wifi").state, "failed");
    world_check_usable(world, "wifi");
    g_atomic_int_set(&world->token.fail, 0);
    rotate("wifi");
    ck_assert_ptr_null(answer.error);
}
END_TEST

START_TEST(an_old_key_that_cannot_be_destroyed_is_useless_and_tried_again)
{
    enrol();
    rotate("wifi");
    g_atomic_int_set(&world->token.fail, 1);
    world_advance(world, 301);
    world_settle(world);
    ck_assert_ptr_null(signet_inventory_get(world->inventory, "wifi", 1));
    g_autofree char *during = world_numbers(world, "wifi");
    ck_assert_str_eq(during, "1 2");
    world_down(world);
    ck_assert(world_up(world, policy));
    ck_assert_ptr_null(signet_inventory_get(world->inventory, "wifi", 1));
    g_atomic_int_set(&world->token.fail, 0);
    world_advance(world, 100);
    world_wait_only(world, "wifi", "2");
}
END_TEST

START_TEST(the_alarm_sounds_when_the_end_is_near)
{
    enrol();
    world->ca.mood = FAKE_CA_FAILS;
    world_advance(world, WORLD_LIFETIME_S - 60);
    world_settle(world);
    ck_assert_ptr_nonnull(strstr(world->events->str, "expiring wifi 1\n"));
    g_string_truncate(world->events, 0);
    world_advance(world, 10);
    world_settle(world);
    ck_assert_ptr_null(strstr(world->events->str, "expiring"));
}
END_TEST

/* --- wishes --- */

START_TEST(a_wish_for_nobody_is_refused)
{
    enrol();
    rotate("vpn");
    ck_assert(signet_error_is(answer.error, SIGNET_ERROR_NOT_FOUND));
}
END_TEST

START_TEST(a_second_wish_is_refused_while_the_first_is_under_way)
{
    Answer first = {0};

    enrol();
    signet_engine_rotate(world->engine, "wifi", on_done, &first);
    rotate("wifi");
    ck_assert(signet_error_is(answer.error, SIGNET_ERROR_BUSY));
    world_wait_flag(world, &first.is_done);
    ck_assert_ptr_null(first.error);
    ck_assert_uint_eq(first.generation, 2);
}
END_TEST

START_TEST(an_engine_may_go_at_any_moment)
{
    for (guint i = 0; i < 60; i++) {
        ck_assert(world_up(world, policy));
        signet_engine_rotate(world->engine, "wifi", NULL, NULL);
        signet_engine_rotate(world->engine, "vpn", on_done, &answer);
        for (guint j = 0; j < i; j++)
            turn();
        world_down(world);
        g_clear_error(&answer.error);
        answer = (Answer) {0};
        world->now_s += 30; /* not more old generations than an overlap has room for */
    }
    ck_assert(world_up(world, policy));
    world_wait_state(world, "wifi", "active");
    world_check_usable(world, "wifi");
}
END_TEST

/* --- the policy --- */

static void
change_policy(const char *const *texts)
{
    signet_policy_unref(policy);
    policy = world_policy(texts);
    signet_engine_set_policy(world->engine, policy);
}

START_TEST(another_name_in_the_policy_rotates)
{
    enrol();
    change_policy((const char *const[]) {"identities.d/wifi.conf",
                                         "[Identity]\nSubject=CN=another\nDns=b.example\n", NULL});
    world_settle(world);
    world_wait_state(world, "wifi", "active");
    ck_assert_uint_eq(world_status(world, "wifi").current, 2);
    world_check_usable(world, "wifi");
}
END_TEST

START_TEST(another_profile_in_the_policy_does_not_rotate)
{
    enrol();
    change_policy((const char *const[]) {
        "identities.d/wifi.conf",
        "[Identity]\nSubject=CN=%H\nDns=%H.example\n[Access]\nAllow=user:nobody\n",
        "policy.d/60.conf", "[Rotation default]\nRenewAt=60%\n", NULL});
    world_settle(world);
    ck_assert_uint_eq(world_status(world, "wifi").current, 1);
    ck_assert_int_eq(world_status(world, "wifi").next_s, WORLD_NOW_S + WORLD_LIFETIME_S * 6 / 10);
}
END_TEST

START_TEST(another_type_of_key_makes_a_new_key)
{
    enrol();
    change_policy((const char *const[]) {
        "identities.d/wifi.conf", "[Identity]\nSubject=CN=%H\nKey=rsa:2048\n", "policy.d/60.conf",
        "[Rotation default]\nNewKey=never\n", NULL});
    world_settle(world);
    world_wait_state(world, "wifi", "active");
    ck_assert_uint_eq(world_status(world, "wifi").current, 2);
    ck_assert_uint_eq(signet_inventory_get(world->inventory, "wifi", 0)->key->type,
                      SIGNET_KEY_RSA_2048);
}
END_TEST

START_TEST(a_key_that_is_kept_is_not_destroyed_with_its_old_generation)
{
    enrol();
    change_policy((const char *const[]) {
        "identities.d/wifi.conf", "[Identity]\nSubject=CN=%H\nDns=%H.example\n", "policy.d/60.conf",
        "[Rotation default]\nNewKey=never\n", NULL});
    rotate("wifi");
    ck_assert_ptr_null(answer.error);
    const SignetGeneration *old = signet_inventory_get(world->inventory, "wifi", 1);
    const SignetGeneration *new = signet_inventory_get(world->inventory, "wifi", 2);
    ck_assert(g_bytes_equal(old->key->spki, new->key->spki));
    ck_assert_int_eq(new->created_s, old->created_s);
    world_advance(world, 301);
    world_wait_only(world, "wifi", "2");
    ck_assert_int_eq(world->token.destroyed, 0);
    world_check_usable(world, "wifi");
}
END_TEST

START_TEST(the_renewal_of_a_ca_keeps_its_key_and_disturbs_nobody)
{
    enrol();
    rotate("ca.local");
    ck_assert_ptr_null(answer.error);
    world_settle(world);
    ck_assert_uint_eq(world_status(world, "ca.local").current, 2);
    ck_assert_uint_eq(world_status(world, "wifi").current, 1);
    rotate("wifi");
    ck_assert_ptr_null(answer.error);
    const SignetGeneration *wifi = signet_inventory_get(world->inventory, "wifi", 0);
    const SignetGeneration *ca = signet_inventory_get(world->inventory, "ca.local", 0);
    ck_assert(g_bytes_equal(wifi->anchors->pdata[0], ca->chain->pdata[0]));
}
END_TEST

START_TEST(an_identity_that_goes_keeps_its_key_and_may_come_back)
{
    enrol();
    change_policy(
        (const char *const[]) {"identities.d/vpn.conf", "[Identity]\nSubject=CN=v\n", NULL});
    SignetIdentityStatus status;
    ck_assert(!signet_engine_get_status(world->engine, "wifi", &status));
    ck_assert_ptr_null(signet_inventory_get(world->inventory, "wifi", 0));
    world_wait_state(world, "vpn", "active");
    ck_assert_uint_eq(signet_store_get_current(world->store, "wifi"), 1);
    ck_assert_int_eq(world->token.destroyed, 0);
    world_down(world);
    ck_assert(world_up(world, policy));
    ck_assert_uint_eq(world->problems->len, 1);
    ck_assert_ptr_nonnull(strstr(world->problems->pdata[0], "'wifi'"));
    change_policy(NULL);
    ck_assert_str_eq(world_status(world, "wifi").state, "active");
    world_settle(world);
    ck_assert_uint_eq(world_status(world, "wifi").current, 1);
    world_check_usable(world, "wifi");
}
END_TEST

START_TEST(an_identity_that_goes_takes_its_enroller_along)
{
    enrol();
    world->ca.mood = FAKE_CA_SILENT;
    signet_engine_rotate(world->engine, "wifi", on_done, &answer);
    world_wait_state(world, "wifi", "enrolling");
    while (world->ca.running == 0)
        turn();
    change_policy((const char *const[]) {NULL});
    ck_assert_uint_eq(world->ca.running, 0);
    ck_assert(answer.is_done);
    ck_assert(signet_error_is(answer.error, SIGNET_ERROR_NOT_FOUND));
}
END_TEST

START_TEST(an_identity_may_go_and_come_at_any_moment)
{
    static const char *const none[] = {"identities.d/vpn.conf", "[Identity]\nSubject=CN=v\n", NULL};

    enrol();
    for (guint i = 0; i < 60; i++) {
        signet_engine_rotate(world->engine, "wifi", NULL, NULL);
        for (guint j = 0; j < i; j++)
            turn();
        change_policy(none);
        if (i % 2)
            g_main_context_iteration(NULL, FALSE);
        change_policy(NULL);
        world_advance(world, 30);
    }
    world_wait_state(world, "wifi", "active");
    while (world_status(world, "wifi").pending != 0)
        turn();
    world_check_usable(world, "wifi");
    world_advance(world, 301);
    g_autofree char *last = g_strdup_printf("%u", world_status(world, "wifi").current);
    world_wait_only(world, "wifi", last);
}
END_TEST

START_TEST(an_unknown_owner_is_said_in_words)
{
    enrol();
    change_policy((const char *const[]) {
        "identities.d/wifi.conf", "[Identity]\nSubject=CN=another\nOwner=nobody-of-that-name\n",
        NULL});
    world_settle(world);
    world_wait_state(world, "wifi", "failed");
    ck_assert_ptr_nonnull(
        strstr(world_status(world, "wifi").cause, "no user 'nobody-of-that-name'"));
    world_check_usable(world, "wifi");
}
END_TEST

/* --- what is found at start --- */

START_TEST(a_key_that_nobody_names_is_destroyed)
{
    g_autoptr(SignetKey) key = fake_token_make_key(SIGNET_KEY_EC_P256);

    enrol();
    ck_assert(signet_store_put_key(world->store, "wifi", 9, "tpm", key, 1, NULL));
    world_down(world);
    ck_assert(world_up(world, policy));
    ck_assert_ptr_null(signet_inventory_get(world->inventory, "wifi", 9));
    world_wait_only(world, "wifi", "1");
    ck_assert_int_eq(world->token.destroyed, 1);
    rotate("wifi");
    ck_assert_uint_eq(answer.generation, 10);
}
END_TEST

START_TEST(a_lost_journal_costs_nothing)
{
    g_autofree char *path = NULL;

    enrol();
    rotate("wifi");
    world_down(world);
    path = g_build_filename(world->root, "identities", "wifi", "journal", NULL);
    ck_assert(_i == 0 ? unlink(path) == 0 : g_file_set_contents(path, "garbage", -1, NULL));
    ck_assert(world_up(world, policy));
    ck_assert_uint_eq(world->problems->len, (guint)_i);
    world_settle(world);
    ck_assert_uint_eq(world_status(world, "wifi").current, 2);
    world_check_usable(world, "wifi");
    world_advance(world, 301);
    world_wait_only(world, "wifi", "2");
}
END_TEST

START_TEST(a_link_that_was_removed_is_restored)
{
    g_autofree char *path = NULL;

    enrol();
    rotate("wifi");
    path = signet_store_dup_live_path(world->store, "wifi");
    world_down(world);
    ck_assert_int_eq(unlink(path), 0);
    ck_assert(world_up(world, policy));
    ck_assert_uint_eq(world->problems->len, 1);
    ck_assert_uint_eq(world_status(world, "wifi").current, 2);
    ck_assert_str_eq(world_status(world, "wifi").state, "active");
    world_check_usable(world, "wifi");
    ck_assert_ptr_nonnull(signet_inventory_get(world->inventory, "wifi", 1));
    world_settle(world);
    ck_assert_int_eq(world->token.destroyed, 0);
}
END_TEST

START_TEST(a_damaged_identity_is_left_alone_and_the_others_go_on)
{
    g_autofree char *path = NULL;

    enrol();
    path = g_build_filename(world->root, "identities", "wifi", "1", "record", NULL);
    world_down(world);
    ck_assert(g_file_set_contents(path, "garbage", -1, NULL));
    signet_policy_unref(policy);
    policy = world_policy((const char *const[]) {
        "identities.d/wifi.conf", "[Identity]\nSubject=CN=%H\nDns=%H.example\n",
        "identities.d/vpn.conf", "[Identity]\nSubject=CN=v\n", NULL});
    ck_assert(world_up(world, policy));
    ck_assert_uint_ge(world->problems->len, 1);
    world_wait_state(world, "vpn", "active");
    ck_assert_str_eq(world_status(world, "wifi").state, "failed");
    ck_assert_ptr_nonnull(strstr(world_status(world, "wifi").cause, "cannot be read"));
    ck_assert(g_file_test(path, G_FILE_TEST_EXISTS));
    rotate("wifi");
    ck_assert(signet_error_is(answer.error, SIGNET_ERROR_CORRUPT));
}
END_TEST

START_TEST(a_journal_of_a_newer_agent_is_not_touched)
{
    g_autofree char *path = NULL;
    g_autofree char *text = NULL;

    enrol();
    path = g_build_filename(world->root, "identities", "wifi", "journal", NULL);
    world_down(world);
    ck_assert(g_file_set_contents(path, "[Journal]\nVersion=2\n", -1, NULL));
    ck_assert(world_up(world, policy));
    ck_assert_uint_eq(world->problems->len, 1);
    world_advance(world, WORLD_LIFETIME_S / 2);
    world_settle(world);
    ck_assert(g_file_get_contents(path, &text, NULL, NULL));
    ck_assert_str_eq(text, "[Journal]\nVersion=2\n");
}
END_TEST

/* --- many --- */

#define MANY 1000

START_TEST(a_thousand_identities_are_enrolled_four_at_a_time_and_the_ca_first)
{
    g_autoptr(GPtrArray) texts = g_ptr_array_new_with_free_func(g_free);

    for (guint i = 0; i < MANY; i++) {
        g_ptr_array_add(texts, g_strdup_printf("identities.d/id%04u.conf", i));
        g_ptr_array_add(texts, g_strdup_printf("[Identity]\nSubject=CN=id%u\n", i));
    }
    g_ptr_array_add(texts, NULL);
    signet_policy_unref(policy);
    policy = world_policy((const char *const *)texts->pdata);
    ck_assert(world_up(world, policy));
    gint64 end_us = g_get_monotonic_time() + 200 * G_USEC_PER_SEC;
    for (guint n = 0; n < MANY && g_get_monotonic_time() < end_us;) {
        g_autofree char *name = g_strdup_printf("id%04u", n);

        if (g_str_equal(world_status(world, name).state, "active"))
            n++;
        else
            g_main_context_iteration(NULL, TRUE);
    }
    ck_assert_str_eq(world_status(world, "id0999").state, "active");
    ck_assert_str_eq(world->ca.order->pdata[0], "ca.local");
    ck_assert_uint_eq(world->ca.started, MANY + 1);
    ck_assert_uint_le(world->ca.most_running, 4);
}
END_TEST

static TCase *
make_life(void)
{
    TCase *life = tcase_create("life");

    tcase_add_checked_fixture(life, setup, teardown);
    tcase_set_timeout(life, 120);
    tcase_add_test(life, a_new_identity_is_enrolled_by_itself);
    tcase_add_test(life, a_wish_rotates_with_overlap_and_retirement);
    tcase_add_test(life, a_rotation_in_the_overlap_of_another_is_nothing_special);
    tcase_add_test(life, time_rotates_by_itself);
    tcase_add_test(life, a_restart_changes_nothing);
    tcase_add_test(life, a_wish_for_nobody_is_refused);
    tcase_add_test(life, a_second_wish_is_refused_while_the_first_is_under_way);
    tcase_add_test(life, an_engine_may_go_at_any_moment);
    return life;
}

static TCase *
make_failures(void)
{
    TCase *failures = tcase_create("failures");

    tcase_add_checked_fixture(failures, setup, teardown);
    tcase_set_timeout(failures, 120);
    tcase_add_loop_test(failures, a_ca_that_does_not_issue_leaves_the_old_generation_in_use, 0,
                        G_N_ELEMENTS(moods));
    tcase_add_test(failures, a_failure_is_tried_again_after_a_pause_that_grows);
    tcase_add_test(failures, a_token_that_is_removed_is_waited_for);
    tcase_add_test(failures, a_token_that_comes_back_is_used_at_once);
    tcase_add_test(failures, a_token_that_fails_is_tried_again);
    tcase_add_test(failures, an_old_key_that_cannot_be_destroyed_is_useless_and_tried_again);
    tcase_add_test(failures, the_alarm_sounds_when_the_end_is_near);
    return failures;
}

static TCase *
make_policies(void)
{
    TCase *policies = tcase_create("policies");

    tcase_add_checked_fixture(policies, setup, teardown);
    tcase_set_timeout(policies, 120);
    tcase_add_test(policies, another_name_in_the_policy_rotates);
    tcase_add_test(policies, another_profile_in_the_policy_does_not_rotate);
    tcase_add_test(policies, another_type_of_key_makes_a_new_key);
    tcase_add_test(policies, a_key_that_is_kept_is_not_destroyed_with_its_old_generation);
    tcase_add_test(policies, the_renewal_of_a_ca_keeps_its_key_and_disturbs_nobody);
    tcase_add_test(policies, an_identity_that_goes_keeps_its_key_and_may_come_back);
    tcase_add_test(policies, an_identity_that_goes_takes_its_enroller_along);
    tcase_add_test(policies, an_identity_may_go_and_come_at_any_moment);
    tcase_add_test(policies, an_unknown_owner_is_said_in_words);
    return policies;
}

static TCase *
make_starts(void)
{
    TCase *starts = tcase_create("starts");

    tcase_add_checked_fixture(starts, setup, teardown);
    tcase_set_timeout(starts, 300);
    tcase_add_test(starts, a_key_that_nobody_names_is_destroyed);
    tcase_add_loop_test(starts, a_lost_journal_costs_nothing, 0, 2);
    tcase_add_test(starts, a_link_that_was_removed_is_restored);
    tcase_add_test(starts, a_damaged_identity_is_left_alone_and_the_others_go_on);
    tcase_add_test(starts, a_journal_of_a_newer_agent_is_not_touched);
    tcase_add_test(starts, a_thousand_identities_are_enrolled_four_at_a_time_and_the_ca_first);
    return starts;
}

int
main(void)
{
    Suite *suite = suite_create("rotate/engine");
    SRunner *runner = srunner_create(suite);

    suite_add_tcase(suite, make_life());
    suite_add_tcase(suite, make_failures());
    suite_add_tcase(suite, make_policies());
    suite_add_tcase(suite, make_starts());
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
