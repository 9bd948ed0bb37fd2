/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* What the agent holds in memory: generations and their users. */

#include <string.h>

#include "agent/store/inventory.h"
#include "tests/unit/store/support.h"

static SignetInventory *inventory;

static void
setup(void)
{
    inventory = signet_inventory_new();
}

static void
teardown(void)
{
    signet_inventory_free(inventory);
}

static void
put(const char *identity, guint32 number, const char *public)
{
    g_autoptr(GBytes) blob = g_bytes_new_static("blob", 4);
    g_autoptr(GBytes) spki = g_bytes_new(public, strlen(public));
    g_autoptr(SignetKey) key = signet_key_new(SIGNET_KEY_EC_P256, blob, NULL, spki);
    g_autoptr(SignetGeneration) generation =
        signet_generation_new(number, "tpm", key, 1, NULL, NULL);

    signet_inventory_put(inventory, identity, generation);
}

START_TEST(generations_are_pending_current_or_retired_by_number)
{
    put("wifi", 3, "c");
    put("wifi", 1, "a");
    put("wifi", 2, "b");
    ck_assert_ptr_null(signet_inventory_get(inventory, "wifi", 0));
    signet_inventory_set_current(inventory, "wifi", 2);
    ck_assert_uint_eq(signet_inventory_get(inventory, "wifi", 0)->number, 2);
    ck_assert_uint_eq(signet_inventory_get(inventory, "wifi", 1)->number, 1);
    ck_assert_ptr_null(signet_inventory_get(inventory, "wifi", 4));
    ck_assert_ptr_null(signet_inventory_get(inventory, "vpn", 0));
    ck_assert_str_eq(signet_generation_state_name(signet_inventory_get_state(inventory, "wifi", 1)),
                     "retired");
    ck_assert_str_eq(signet_generation_state_name(signet_inventory_get_state(inventory, "wifi", 2)),
                     "current");
    ck_assert_str_eq(signet_generation_state_name(signet_inventory_get_state(inventory, "wifi", 3)),
                     "pending");
    g_autoptr(GPtrArray) list = signet_inventory_list(inventory, "wifi");
    ck_assert_uint_eq(list->len, 3);
    for (guint i = 0; i < 3; i++)
        ck_assert_uint_eq(((SignetGeneration *)list->pdata[i])->number, i + 1);
}
END_TEST

START_TEST(a_generation_that_is_removed_is_not_found_any_more)
{
    put("wifi", 1, "a");
    put("vpn", 1, "b");
    signet_inventory_set_current(inventory, "wifi", 1);
    signet_inventory_remove(inventory, "wifi", 1);
    signet_inventory_remove(inventory, "wifi", 1);
    ck_assert_ptr_null(signet_inventory_get(inventory, "wifi", 0));
    ck_assert_ptr_null(signet_inventory_get(inventory, "wifi", 1));
    g_auto(GStrv) names = signet_inventory_list_identities(inventory);
    ck_assert_uint_eq(g_strv_length(names), 1);
    ck_assert_str_eq(names[0], "vpn");
}
END_TEST

START_TEST(a_public_key_finds_its_generation_and_the_current_one_first)
{
    put("wifi", 1, "a");
    put("wifi", 2, "same");
    put("wifi", 3, "same");
    put("wifi", 4, "same");
    signet_inventory_set_current(inventory, "wifi", 3);
    ck_assert_uint_eq(signet_inventory_find_spki(inventory, "wifi", (const guint8 *)"a", 1)->number,
                      1);
    ck_assert_uint_eq(
        signet_inventory_find_spki(inventory, "wifi", (const guint8 *)"same", 4)->number, 3);
    ck_assert_ptr_null(signet_inventory_find_spki(inventory, "wifi", (const guint8 *)"sam", 3));
    ck_assert_ptr_null(signet_inventory_find_spki(inventory, "wifi", (const guint8 *)"", 0));
    ck_assert_ptr_null(signet_inventory_find_spki(inventory, "vpn", (const guint8 *)"a", 1));
}
END_TEST

START_TEST(users_are_counted_and_listed_by_time)
{
    put("wifi", 1, "a");
    signet_inventory_note_use(inventory, "wifi", 1, 33, "nginx", 100);
    signet_inventory_note_use(inventory, "wifi", 1, 0, "curl", 200);
    signet_inventory_note_use(inventory, "wifi", 1, 33, "nginx", 300);
    signet_inventory_note_use(inventory, "wifi", 2, 33, "nginx", 300);
    signet_inventory_note_use(inventory, "vpn", 1, 33, "nginx", 300);
    g_autoptr(GArray) users = signet_inventory_list_users(inventory, "wifi", 1);
    ck_assert_uint_eq(users->len, 2);
    const SignetUser *first = &g_array_index(users, SignetUser, 0);
    ck_assert_str_eq(first->program, "nginx");
    ck_assert_uint_eq(first->count, 2);
    ck_assert_int_eq(first->last_s, 300);
    ck_assert_str_eq(g_array_index(users, SignetUser, 1).program, "curl");
}
END_TEST

START_TEST(the_least_recent_user_gives_way)
{
    put("wifi", 1, "a");
    for (guint i = 0; i < SIGNET_USERS_MAX + 3; i++)
        signet_inventory_note_use(inventory, "wifi", 1, i, "x", 1000 + i);
    g_autoptr(GArray) users = signet_inventory_list_users(inventory, "wifi", 1);
    ck_assert_uint_eq(users->len, SIGNET_USERS_MAX);
    ck_assert_uint_eq(g_array_index(users, SignetUser, 0).uid, SIGNET_USERS_MAX + 2);
    ck_assert_uint_eq(g_array_index(users, SignetUser, SIGNET_USERS_MAX - 1).uid, 3);
}
END_TEST

START_TEST(users_survive_a_new_object_of_their_generation)
{
    put("wifi", 1, "a");
    signet_inventory_note_use(inventory, "wifi", 1, 33, "nginx", 100);
    put("wifi", 1, "a");
    g_autoptr(GArray) users = signet_inventory_list_users(inventory, "wifi", 1);
    ck_assert_uint_eq(users->len, 1);
}
END_TEST

START_TEST(users_are_saved_and_restored)
{
    put("wifi", 1, "a");
    put("wifi", 2, "b");
    signet_inventory_note_use(inventory, "wifi", 1, 33, "a b\n\"c\xff", 100);
    signet_inventory_note_use(inventory, "wifi", 2, 4294967295u, "", -5);
    g_autoptr(GBytes) saved = signet_inventory_save_users(inventory, "wifi");
    signet_inventory_remove(inventory, "wifi", 1);
    signet_inventory_remove(inventory, "wifi", 2);
    put("wifi", 1, "a");
    put("wifi", 2, "b");
    signet_inventory_restore_users(inventory, "wifi", saved);
    g_autoptr(GBytes) again = signet_inventory_save_users(inventory, "wifi");
    ck_assert(g_bytes_equal(saved, again));
    g_autoptr(GArray) users = signet_inventory_list_users(inventory, "wifi", 1);
    ck_assert_str_eq(g_array_index(users, SignetUser, 0).program, "a b?\"c?");
}
END_TEST

static const char *const garbage[] = {
    "",
    "signet-users 2\n1 2 3 4 x\n",
    "signet-users 1\n1 2 3 x\n",
    "signet-users 1\n0 2 3 4 x\n",
    "signet-users 1\n1 -2 3 4 x\n",
    "signet-users 1\n1 2 3 4 x\n\n1 2 3 4 y\n",
    "signet-users 1\n1 2 3 4 0123456789abcdef\n",
    "signet-users 1\n1 2 3 4 x\ngarbage",
};

START_TEST(garbage_restores_nothing)
{
    g_autoptr(GBytes) saved = g_bytes_new_static(garbage[_i], strlen(garbage[_i]));

    put("wifi", 1, "a");
    signet_inventory_restore_users(inventory, "wifi", saved);
    signet_inventory_restore_users(inventory, "vpn", saved);
    g_autoptr(GArray) users = signet_inventory_list_users(inventory, "wifi", 1);
    ck_assert_uint_eq(users->len, 0);
}
END_TEST

START_TEST(changed_users_are_named_once)
{
    put("wifi", 1, "a");
    put("vpn", 1, "a");
    signet_inventory_note_use(inventory, "wifi", 1, 33, "nginx", 100);
    g_auto(GStrv) changed = signet_inventory_steal_changed_users(inventory);
    ck_assert_uint_eq(g_strv_length(changed), 1);
    ck_assert_str_eq(changed[0], "wifi");
    g_auto(GStrv) again = signet_inventory_steal_changed_users(inventory);
    ck_assert_uint_eq(g_strv_length(again), 0);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("store/inventory");
    TCase *all = tcase_create("inventory");
    SRunner *runner = srunner_create(suite);

    tcase_add_checked_fixture(all, setup, teardown);
    tcase_add_test(all, generations_are_pending_current_or_retired_by_number);
    tcase_add_test(all, a_generation_that_is_removed_is_not_found_any_more);
    tcase_add_test(all, a_public_key_finds_its_generation_and_the_current_one_first);
    tcase_add_test(all, users_are_counted_and_listed_by_time);
    tcase_add_test(all, the_least_recent_user_gives_way);
    tcase_add_test(all, users_survive_a_new_object_of_their_generation);
    tcase_add_test(all, users_are_saved_and_restored);
    tcase_add_loop_test(all, garbage_restores_nothing, 0, G_N_ELEMENTS(garbage));
    tcase_add_test(all, changed_users_are_named_once);
    suite_add_tcase(suite, all);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
