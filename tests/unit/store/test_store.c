/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* The tree on disk: what it looks like, what survives, what is refused. */

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "provider/wire/limits.h"
#include "provider/wire/reference.h"
#include "tests/unit/store/support.h"

#define FROM_S G_GINT64_CONSTANT(1800000000)
#define TO_S   G_GINT64_CONSTANT(1800003600)

static char *root;
static SignetStore *store;

static void
reopen(void)
{
    g_autoptr(GError) error = NULL;

    g_clear_pointer(&store, signet_store_free);
    store = signet_store_open(root, &error);
    ck_assert_msg(store != NULL, "%s", error ? error->message : "");
}

static void
setup(void)
{
    umask(0077);
    support_setup();
    root = support_path("lib");
    reopen();
}

static void
teardown(void)
{
    g_clear_pointer(&store, signet_store_free);
    g_free(root);
    support_teardown();
}

static void
put_key(const char *identity, guint32 number)
{
    g_autoptr(SignetKey) key = support_make_key(SIGNET_KEY_EC_P256);
    g_autoptr(GError) error = NULL;

    ck_assert_msg(signet_store_put_key(store, identity, number, "tpm", key, 42, &error), "%s",
                  error ? error->message : "");
}

static void
put_whole(const char *identity, guint32 number)
{
    g_autoptr(GPtrArray) chain = support_make_chain(2, FROM_S, TO_S);
    g_autoptr(GPtrArray) anchors = support_make_chain(1, FROM_S, TO_S);
    g_autoptr(GError) error = NULL;

    put_key(identity, number);
    ck_assert(signet_store_put_chain(store, identity, number, chain, anchors, &error));
    g_autoptr(SignetGeneration) generation =
        signet_store_load_generation(store, identity, number, &error);
    ck_assert(signet_store_publish(store, identity, generation, NULL, &error));
}

static void
put_current(const char *identity, guint32 number)
{
    put_whole(identity, number);
    ck_assert(signet_store_promote(store, identity, number, NULL));
}

static char *
numbers(const char *identity)
{
    g_autoptr(GArray) list = signet_store_list_generations(store, identity, NULL);
    GString *text = g_string_new(NULL);

    for (guint i = 0; i < list->len; i++)
        g_string_append_printf(text, "%u ", g_array_index(list, guint32, i));
    return g_string_free(text, FALSE);
}

/* --- opening --- */

static const struct {
    const char *path;
    const char *mode;
} modes[] = {
    {"lib", "0755"},
    {"lib/version", "0600"},
    {"lib/identities", "0700"},
    {"lib/identities/wifi", "0700"},
    {"lib/identities/wifi/7", "0700"},
    {"lib/identities/wifi/7/key", "0600"},
    {"lib/identities/wifi/7/auth", "0600"},
    {"lib/identities/wifi/7/record", "0600"},
    {"lib/identities/wifi/7/chain.pem", "0600"},
    {"lib/live", "0755"},
    {"lib/live/.generations", "0755"},
    {"lib/live/.generations/wifi.7", "0755"},
    {"lib/live/.generations/wifi.7/key.pem", "0444"},
    {"lib/live/.generations/wifi.7/ca.pem", "0444"},
};

START_TEST(only_live_can_be_read_by_others)
{
    put_current("wifi", 7);
    for (guint i = 0; i < G_N_ELEMENTS(modes); i++) {
        g_autofree char *mode = support_mode(modes[i].path);

        ck_assert_msg(g_str_equal(mode, modes[i].mode), "'%s' is %s, not %s", modes[i].path, mode,
                      modes[i].mode);
    }
}
END_TEST

START_TEST(identities_that_were_opened_to_others_are_closed_again)
{
    g_autofree char *path = support_path("lib/identities");

    ck_assert_int_eq(chmod(path, 0755), 0);
    reopen();
    g_autofree char *mode = support_mode("lib/identities");
    ck_assert_str_eq(mode, "0700");
}
END_TEST

START_TEST(another_version_is_refused)
{
    g_autoptr(GError) error = NULL;

    g_clear_pointer(&store, signet_store_free);
    support_write("lib/version", "2\n");
    ck_assert_ptr_null(signet_store_open(root, &error));
    ck_assert(signet_error_is(error, SIGNET_ERROR_UNSUPPORTED));
    ck_assert_ptr_nonnull(strstr(error->message, "version '2'"));
}
END_TEST

START_TEST(a_tree_without_a_version_is_refused)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *path = support_path("lib/version");

    g_clear_pointer(&store, signet_store_free);
    ck_assert_int_eq(unlink(path), 0);
    ck_assert_ptr_null(signet_store_open(root, &error));
    ck_assert(signet_error_is(error, SIGNET_ERROR_CORRUPT));
}
END_TEST

START_TEST(a_second_agent_is_refused)
{
    g_autoptr(GError) error = NULL;

    ck_assert_ptr_null(signet_store_open(root, &error));
    ck_assert(signet_error_is(error, SIGNET_ERROR_BUSY));
    reopen();
}
END_TEST

START_TEST(a_missing_parent_is_reported)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *path = support_path("no/such/place");

    ck_assert_ptr_null(signet_store_open(path, &error));
    ck_assert(signet_error_is(error, SIGNET_ERROR_IO));
}
END_TEST

/* The tree as version 1 wrote it, checked in: whatever comes later must read it. */
START_TEST(the_tree_of_version_1_is_read)
{
    g_autofree char *copy = support_path("v1");
    const char *const command[] = {"cp", "-a", FIXTURES "/v1", copy, NULL};
    g_autoptr(GError) error = NULL;

    ck_assert(g_spawn_sync(NULL, (char **)command, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL,
                           NULL, NULL, NULL));
    g_autoptr(SignetStore) old = signet_store_open(copy, &error);
    ck_assert_msg(old != NULL, "%s", error ? error->message : "");
    ck_assert_uint_eq(signet_store_get_current(old, "wifi"), 7);
    g_autoptr(SignetGeneration) generation = signet_store_load_generation(old, "wifi", 7, &error);
    ck_assert_msg(generation != NULL, "%s", error ? error->message : "");
    ck_assert_str_eq(generation->token, "tpm");
    ck_assert_uint_eq(generation->key->type, SIGNET_KEY_EC_P256);
    ck_assert_int_eq(generation->created_s, 42);
    ck_assert_uint_eq(generation->chain->len, 2);
    ck_assert_uint_eq(generation->anchors->len, 1);
    ck_assert_int_eq(generation->not_after_s, TO_S);
    g_autoptr(GBytes) journal = signet_store_get_file(old, "wifi", "journal", &error);
    ck_assert_ptr_nonnull(journal);
}
END_TEST

/* --- generations --- */

START_TEST(a_key_is_read_back_as_it_was_written)
{
    gsize size;

    put_key("wifi", 3);
    reopen();
    g_autoptr(SignetGeneration) generation = signet_store_load_generation(store, "wifi", 3, NULL);
    ck_assert_uint_eq(generation->number, 3);
    ck_assert_str_eq(generation->token, "tpm");
    ck_assert_int_eq(generation->created_s, 42);
    ck_assert_uint_eq(generation->chain->len, 0);
    ck_assert_int_eq(generation->not_after_s, 0);
    ck_assert_uint_eq(generation->key->type, SIGNET_KEY_EC_P256);
    ck_assert_int_eq(memcmp(g_bytes_get_data(generation->key->blob, NULL), "blob", 4), 0);
    ck_assert_int_eq(memcmp(g_bytes_get_data(generation->key->spki, NULL), "public", 6), 0);
    ck_assert_int_eq(memcmp(signet_secret_get(generation->key->auth, &size), "secret", 6), 0);
    ck_assert_uint_eq(size, 6);
}
END_TEST

START_TEST(a_key_without_a_secret_has_none)
{
    g_autoptr(GBytes) blob = g_bytes_new_static("pkcs11:object=x", 15);
    g_autoptr(GBytes) spki = g_bytes_new_static("public", 6);
    g_autoptr(SignetKey) key = signet_key_new(SIGNET_KEY_RSA_2048, blob, NULL, spki);

    /* a first attempt with one, which failed later */
    put_key("wifi", 3);
    ck_assert(signet_store_put_key(store, "wifi", 3, "card", key, 42, NULL));
    g_autoptr(SignetGeneration) generation = signet_store_load_generation(store, "wifi", 3, NULL);
    ck_assert_ptr_null(generation->key->auth);
    ck_assert_str_eq(generation->token, "card");
}
END_TEST

START_TEST(a_chain_is_read_back_with_its_validity)
{
    g_autoptr(GPtrArray) chain = support_make_chain(3, FROM_S, TO_S);

    put_key("wifi", 3);
    ck_assert(signet_store_put_chain(store, "wifi", 3, chain, NULL, NULL));
    g_autoptr(SignetGeneration) generation = signet_store_load_generation(store, "wifi", 3, NULL);
    ck_assert_uint_eq(generation->chain->len, 3);
    ck_assert_uint_eq(generation->anchors->len, 0);
    ck_assert_int_eq(generation->not_before_s, FROM_S);
    ck_assert_int_eq(generation->not_after_s, TO_S);
    for (guint i = 0; i < 3; i++)
        ck_assert(g_bytes_equal(generation->chain->pdata[i], chain->pdata[i]));
}
END_TEST

/* Each of its certificates is named as its issuer is. */
START_TEST(the_first_end_above_the_leaf_is_known)
{
    g_autoptr(GPtrArray) chain = support_make_chain(1, FROM_S, TO_S);
    g_autoptr(GPtrArray) above = support_make_chain(1, FROM_S, TO_S - 100);
    g_autoptr(GPtrArray) anchors = support_make_chain(1, FROM_S, TO_S - 200);
    g_autoptr(GPtrArray) others = support_make_chain(1, FROM_S, TO_S - 50);
    g_autoptr(SignetKey) key = support_make_key(SIGNET_KEY_EC_P256);

    g_autoptr(SignetGeneration) alone = signet_generation_new(1, "card", key, 0, chain, NULL);
    ck_assert_int_eq(alone->issuer_after_s, 0);
    g_ptr_array_add(chain, g_bytes_ref(above->pdata[0]));
    g_autoptr(SignetGeneration) two = signet_generation_new(1, "card", key, 0, chain, NULL);
    ck_assert_int_eq(two->issuer_after_s, TO_S - 100);
    g_autoptr(SignetGeneration) rooted = signet_generation_new(1, "card", key, 0, chain, anchors);
    ck_assert_int_eq(rooted->issuer_after_s, TO_S - 200);
    g_ptr_array_add(anchors, g_bytes_ref(others->pdata[0]));
    g_autoptr(SignetGeneration) both = signet_generation_new(1, "card", key, 0, chain, anchors);
    ck_assert_int_eq(both->issuer_after_s, TO_S - 100);
    ck_assert_int_eq(both->not_after_s, TO_S);
}
END_TEST

START_TEST(a_chain_that_could_not_be_used_is_refused)
{
    g_autoptr(GPtrArray) garbage = g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref);
    g_autoptr(GPtrArray) large = support_make_chain(1, FROM_S, TO_S);
    g_autoptr(GError) error = NULL;

    put_key("wifi", 3);
    ck_assert(!signet_store_put_chain(store, "wifi", 3, garbage, NULL, &error));
    g_clear_error(&error);
    g_ptr_array_add(garbage, g_bytes_new_static("garbage", 7));
    ck_assert(!signet_store_put_chain(store, "wifi", 3, garbage, NULL, &error));
    ck_assert(signet_error_is(error, SIGNET_ERROR_CORRUPT));
    g_clear_error(&error);
    g_ptr_array_add(large,
                    g_bytes_new_take(g_malloc0(SIGNET_WIRE_CHAIN_MAX), SIGNET_WIRE_CHAIN_MAX));
    ck_assert(!signet_store_put_chain(store, "wifi", 3, large, NULL, &error));
    ck_assert(signet_error_is(error, SIGNET_ERROR_CORRUPT));
    g_clear_error(&error);
    g_ptr_array_set_size(large, 1);
    ck_assert(!signet_store_put_chain(store, "wifi", 4, large, NULL, &error));
    ck_assert(signet_error_is(error, SIGNET_ERROR_NOT_FOUND));
}
END_TEST

START_TEST(generations_are_listed_by_number)
{
    put_key("wifi", 10);
    put_key("wifi", 9);
    put_key("wifi", 4294967295u);
    g_autofree char *text = numbers("wifi");
    ck_assert_str_eq(text, "9 10 4294967295 ");
    g_autofree char *none = numbers("vpn");
    ck_assert_str_eq(none, "");
    g_auto(GStrv) identities = signet_store_list_identities(store, NULL);
    ck_assert_str_eq(identities[0], "wifi");
    ck_assert_ptr_null(identities[1]);
}
END_TEST

static const struct {
    const char *file;
    const char *text;
} damages[] = {
    {"record", "garbage"},
    {"record", "[Key]\nToken=tpm\nType=ec:P-256\nCreated=1\n"},
    {"record", "[Key]\nToken=tpm\nType=ec:P-999\nCreated=1\nSpki=cHVibGlj\n"},
    {"record", "[Key]\nToken=tpm\nType=ec:P-256\nCreated=x\nSpki=cHVibGlj\n"},
    {"record", "[Key]\nToken=tpm\nType=ec:P-256\nCreated=1\nSpki=\n"},
    {"chain.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"},
    {"chain.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n"},
    {"anchors.pem", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"},
};

START_TEST(a_damaged_generation_is_reported_as_such)
{
    g_autofree char *path = g_build_filename("lib/identities/wifi/3", damages[_i].file, NULL);
    g_autoptr(GError) error = NULL;

    put_whole("wifi", 3);
    support_write(path, damages[_i].text);
    ck_assert_ptr_null(signet_store_load_generation(store, "wifi", 3, &error));
    ck_assert_msg(signet_error_is(error, SIGNET_ERROR_CORRUPT), "%s", error->message);
    ck_assert_ptr_nonnull(strstr(error->message, "generation 3 of 'wifi'"));
}
END_TEST

static const char *const bad_identities[] = {"", "..", "a/b", "Wifi", ".hidden", "-x", "a b", "ä"};

START_TEST(what_is_no_identity_is_refused_everywhere)
{
    const char *name = bad_identities[_i];
    g_autoptr(SignetKey) key = support_make_key(SIGNET_KEY_EC_P256);
    g_autoptr(GBytes) content = g_bytes_new_static("x", 1);
    g_autoptr(GError) error = NULL;

    ck_assert(!signet_store_put_key(store, name, 1, "tpm", key, 1, &error));
    ck_assert(signet_error_is(error, SIGNET_ERROR_BAD_REQUEST));
    ck_assert(!signet_store_put_file(store, name, "journal", content, NULL));
    ck_assert(!signet_store_promote(store, name, 1, NULL));
    ck_assert(!signet_store_remove_generation(store, name, 1, NULL));
    ck_assert(!signet_store_remove_identity(store, name, NULL));
    ck_assert_ptr_null(signet_store_load_generation(store, name, 1, NULL));
    ck_assert_uint_eq(signet_store_get_current(store, name), 0);
}
END_TEST

/* --- live/ --- */

START_TEST(the_live_files_hold_what_their_names_say)
{
    put_current("wifi", 7);
    g_autofree char *cert = support_read("lib/live/wifi/cert.pem");
    g_autofree char *chain = support_read("lib/live/wifi/chain.pem");
    g_autofree char *full = support_read("lib/live/wifi/fullchain.pem");
    g_autofree char *both = g_strconcat(cert, chain, NULL);
    ck_assert_str_eq(full, both);
    ck_assert(g_str_has_prefix(cert, "-----BEGIN CERTIFICATE-----\n"));
    g_autofree char *key = support_read("lib/live/wifi/key.pem");
    g_autofree char *identity = support_read("lib/live/wifi/identity.pem");
    g_autofree char *key_and_full = g_strconcat(key, full, NULL);
    ck_assert_str_eq(identity, key_and_full);
    g_autofree char *ca = support_read("lib/live/wifi/ca.pem");
    ck_assert(g_str_has_prefix(ca, "-----BEGIN CERTIFICATE-----\n"));
    g_autofree char *path = signet_store_dup_live_path(store, "wifi");
    g_autofree char *expected = support_path("lib/live/wifi");
    ck_assert_str_eq(path, expected);
}
END_TEST

START_TEST(the_reference_explains_itself_and_names_its_generation)
{
    struct signet_reference reference;
    gsize size, consumed;

    put_current("wifi", 7);
    g_autofree char *text = support_read("lib/live/wifi/key.pem");
    ck_assert(g_str_has_prefix(text, "Signet key reference: identity 'wifi', generation 7."));
    ck_assert_ptr_eq(strstr(text, "\n-----BEGIN"), strchr(text, '\n'));
    char *begin = strstr(text, "-----BEGIN PRIVATE KEY-----\n") + 28;
    *strstr(begin, "-----END PRIVATE KEY-----\n") = '\0';
    g_autofree guchar *der = g_base64_decode(begin, &size);
    ck_assert_int_eq(signet_reference_from_der(der, size, &reference, &consumed),
                     SIGNET_REFERENCE_OURS);
    ck_assert_str_eq(reference.identity, "wifi");
    ck_assert_uint_eq(reference.generation, 7);
    ck_assert_uint_eq(reference.family, SIGNET_FAMILY_EC);
}
END_TEST

START_TEST(a_promotion_moves_the_link_only)
{
    put_current("wifi", 7);
    put_whole("wifi", 8);
    ck_assert_uint_eq(signet_store_get_current(store, "wifi"), 7);
    ck_assert(signet_store_promote(store, "wifi", 8, NULL));
    ck_assert_uint_eq(signet_store_get_current(store, "wifi"), 8);
    ck_assert(support_exists("lib/live/.generations/wifi.7/key.pem"));
    ck_assert(signet_store_promote(store, "wifi", 7, NULL));
    ck_assert_uint_eq(signet_store_get_current(store, "wifi"), 7);
}
END_TEST

START_TEST(what_is_not_published_is_not_promoted)
{
    g_autoptr(GError) error = NULL;

    put_current("wifi", 7);
    put_key("wifi", 8);
    ck_assert(!signet_store_promote(store, "wifi", 8, &error));
    ck_assert(signet_error_is(error, SIGNET_ERROR_NOT_FOUND));
    ck_assert_uint_eq(signet_store_get_current(store, "wifi"), 7);
}
END_TEST

static const char *const strange_links[] = {
    "/etc",
    ".generations/wifi",
    ".generations/wifi.",
    ".generations/wifi.07",
    ".generations/wifi.0",
    ".generations/vpn.7",
    "../live/.generations/wifi.7",
};

START_TEST(a_strange_link_means_no_generation)
{
    g_autofree char *path = support_path("lib/live/wifi");

    put_current("wifi", 7);
    ck_assert_int_eq(unlink(path), 0);
    ck_assert_int_eq(symlink(strange_links[_i], path), 0);
    ck_assert_uint_eq(signet_store_get_current(store, "wifi"), 0);
}
END_TEST

START_TEST(an_owner_decides_about_the_live_files)
{
    SignetDirOwner owner = {.mode = 0400, .uid = getuid(), .gid = getgid()};

    put_whole("wifi", 7);
    g_autoptr(SignetGeneration) generation = signet_store_load_generation(store, "wifi", 7, NULL);
    ck_assert(signet_store_publish(store, "wifi", generation, &owner, NULL));
    g_autofree char *mode = support_mode("lib/live/.generations/wifi.7/identity.pem");
    ck_assert_str_eq(mode, "0400");
}
END_TEST

START_TEST(anchors_that_are_gone_leave_no_file)
{
    g_autoptr(GPtrArray) chain = support_make_chain(1, FROM_S, TO_S);

    put_whole("wifi", 7);
    ck_assert(support_exists("lib/live/.generations/wifi.7/ca.pem"));
    ck_assert(signet_store_put_chain(store, "wifi", 7, chain, NULL, NULL));
    g_autoptr(SignetGeneration) generation = signet_store_load_generation(store, "wifi", 7, NULL);
    ck_assert_uint_eq(generation->anchors->len, 0);
    ck_assert(signet_store_publish(store, "wifi", generation, NULL, NULL));
    ck_assert(!support_exists("lib/live/.generations/wifi.7/ca.pem"));
}
END_TEST

/* --- removing --- */

START_TEST(a_removed_generation_leaves_nothing)
{
    put_whole("wifi", 6);
    put_current("wifi", 7);
    ck_assert(signet_store_remove_generation(store, "wifi", 6, NULL));
    ck_assert(!support_exists("lib/identities/wifi/6"));
    ck_assert(!support_exists("lib/live/.generations/wifi.6"));
    ck_assert(signet_store_remove_generation(store, "wifi", 6, NULL));
    ck_assert(signet_store_remove_generation(store, "vpn", 6, NULL));
}
END_TEST

START_TEST(the_current_generation_is_not_removed)
{
    g_autoptr(GError) error = NULL;

    put_current("wifi", 7);
    ck_assert(!signet_store_remove_generation(store, "wifi", 7, &error));
    ck_assert(signet_error_is(error, SIGNET_ERROR_BAD_REQUEST));
    ck_assert(support_exists("lib/live/wifi/key.pem"));
}
END_TEST

START_TEST(a_removed_identity_leaves_nothing)
{
    g_autoptr(GBytes) content = g_bytes_new_static("x", 1);

    put_whole("wifi", 6);
    put_current("wifi", 7);
    put_current("wifi.2", 7);
    ck_assert(signet_store_put_file(store, "wifi", "journal", content, NULL));
    ck_assert(signet_store_remove_identity(store, "wifi", NULL));
    ck_assert(!support_exists("lib/identities/wifi"));
    ck_assert(!support_exists("lib/live/wifi"));
    ck_assert(!support_exists("lib/live/.generations/wifi.7"));
    ck_assert(support_exists("lib/live/wifi.2/key.pem"));
    ck_assert(signet_store_remove_identity(store, "wifi", NULL));
}
END_TEST

START_TEST(what_a_crash_left_is_swept_at_the_next_start)
{
    put_current("wifi", 7);
    support_write("lib/.tmp.version", "x");
    support_write("lib/live/.tmp.wifi", "x");
    support_write("lib/identities/wifi/.tmp.journal", "x");
    support_write("lib/identities/wifi/7/.tmp.key", "x");
    support_write("lib/identities/wifi/8/key", "a key without a record");
    support_write("lib/live/.generations/wifi.6/key.pem", "x");
    support_write("lib/live/.generations/wifi.7/.tmp.key.pem", "x");
    support_write("lib/live/.generations/gone.1/key.pem", "x");
    reopen();
    ck_assert(!support_exists("lib/.tmp.version"));
    ck_assert(!support_exists("lib/live/.tmp.wifi"));
    ck_assert(!support_exists("lib/identities/wifi/.tmp.journal"));
    ck_assert(!support_exists("lib/identities/wifi/7/.tmp.key"));
    ck_assert(!support_exists("lib/identities/wifi/8"));
    ck_assert(!support_exists("lib/live/.generations/wifi.6"));
    ck_assert(!support_exists("lib/live/.generations/wifi.7/.tmp.key.pem"));
    ck_assert(!support_exists("lib/live/.generations/gone.1"));
    ck_assert(support_exists("lib/live/wifi/key.pem"));
}
END_TEST

START_TEST(the_current_generation_is_never_swept)
{
    g_autofree char *record = support_path("lib/identities/wifi/7/record");

    put_current("wifi", 7);
    ck_assert_int_eq(unlink(record), 0);
    reopen();
    ck_assert(support_exists("lib/identities/wifi/7/key"));
    ck_assert(support_exists("lib/live/wifi/key.pem"));
    ck_assert_uint_eq(signet_store_get_current(store, "wifi"), 7);
}
END_TEST

/* --- small files --- */

START_TEST(a_small_file_is_read_back)
{
    g_autoptr(GBytes) content = g_bytes_new_static("hello", 5);
    g_autoptr(GError) error = NULL;

    ck_assert_ptr_null(signet_store_get_file(store, "wifi", "journal", &error));
    ck_assert_ptr_null(error);
    ck_assert(signet_store_put_file(store, "wifi", "journal", content, &error));
    g_autoptr(GBytes) back = signet_store_get_file(store, "wifi", "journal", &error);
    ck_assert(g_bytes_equal(back, content));
}
END_TEST

START_TEST(a_large_file_is_refused_both_ways)
{
    g_autoptr(GBytes) large = g_bytes_new_take(g_malloc0(65537), 65537);
    g_autofree char *text = g_strnfill(65537, 'x');
    g_autoptr(GError) error = NULL;

    ck_assert(!signet_store_put_file(store, "wifi", "journal", large, &error));
    ck_assert(signet_error_is(error, SIGNET_ERROR_BAD_REQUEST));
    g_clear_error(&error);
    support_write("lib/identities/wifi/journal", text);
    ck_assert_ptr_null(signet_store_get_file(store, "wifi", "journal", &error));
    ck_assert(signet_error_is(error, SIGNET_ERROR_CORRUPT));
}
END_TEST

START_TEST(facts_are_read_back_and_open_to_all)
{
    g_autoptr(GBytes) content = g_bytes_new_static("[Facts]\n", 8);
    g_autoptr(GError) error = NULL;
    g_autoptr(GBytes) none = signet_store_get_facts(store, "tpm", &error);
    g_autoptr(GBytes) again = NULL;
    g_autofree char *dir_mode = NULL, *mode = NULL;

    ck_assert(!none && !error);
    ck_assert(signet_store_put_facts(store, "tpm", content, &error));
    reopen();
    again = signet_store_get_facts(store, "tpm", &error);
    ck_assert(again && g_bytes_equal(again, content));
    dir_mode = support_mode("lib/facts");
    mode = support_mode("lib/facts/tpm");
    ck_assert_str_eq(dir_mode, "0755");
    ck_assert_str_eq(mode, "0644");
}
END_TEST

START_TEST(facts_that_are_too_large_or_named_badly_are_refused)
{
    g_autofree char *large = g_strnfill(64 * 1024 + 1, 'x');
    g_autoptr(GBytes) content = g_bytes_new_static(large, 64 * 1024 + 1);
    g_autoptr(GBytes) small = g_bytes_new_static("x", 1);
    g_autoptr(GError) error = NULL, bad = NULL, too_large = NULL;

    ck_assert(!signet_store_put_facts(store, "tpm", content, &error));
    ck_assert_ptr_nonnull(error);
    ck_assert(!signet_store_put_facts(store, "../tpm", small, &bad));
    ck_assert(signet_error_is(bad, SIGNET_ERROR_BAD_REQUEST));
    ck_assert(signet_store_put_facts(store, "tpm", small, NULL));
    support_write("lib/facts/tpm", large);
    ck_assert_ptr_null(signet_store_get_facts(store, "tpm", &too_large));
    ck_assert(signet_error_is(too_large, SIGNET_ERROR_CORRUPT));
}
END_TEST

static TCase *
make_opening(void)
{
    TCase *opening = tcase_create("opening");

    tcase_add_checked_fixture(opening, setup, teardown);
    tcase_add_test(opening, only_live_can_be_read_by_others);
    tcase_add_test(opening, identities_that_were_opened_to_others_are_closed_again);
    tcase_add_test(opening, another_version_is_refused);
    tcase_add_test(opening, a_tree_without_a_version_is_refused);
    tcase_add_test(opening, a_second_agent_is_refused);
    tcase_add_test(opening, a_missing_parent_is_reported);
    tcase_add_test(opening, the_tree_of_version_1_is_read);
    return opening;
}

static TCase *
make_generations(void)
{
    TCase *generations = tcase_create("generations");

    tcase_add_checked_fixture(generations, setup, teardown);
    tcase_add_test(generations, a_key_is_read_back_as_it_was_written);
    tcase_add_test(generations, a_key_without_a_secret_has_none);
    tcase_add_test(generations, a_chain_is_read_back_with_its_validity);
    tcase_add_test(generations, the_first_end_above_the_leaf_is_known);
    tcase_add_test(generations, a_chain_that_could_not_be_used_is_refused);
    tcase_add_test(generations, generations_are_listed_by_number);
    tcase_add_loop_test(generations, a_damaged_generation_is_reported_as_such, 0,
                        G_N_ELEMENTS(damages));
    tcase_add_loop_test(generations, what_is_no_identity_is_refused_everywhere, 0,
                        G_N_ELEMENTS(bad_identities));
    return generations;
}

static TCase *
make_live(void)
{
    TCase *live = tcase_create("live");

    tcase_add_checked_fixture(live, setup, teardown);
    tcase_add_test(live, the_live_files_hold_what_their_names_say);
    tcase_add_test(live, the_reference_explains_itself_and_names_its_generation);
    tcase_add_test(live, a_promotion_moves_the_link_only);
    tcase_add_test(live, what_is_not_published_is_not_promoted);
    tcase_add_loop_test(live, a_strange_link_means_no_generation, 0, G_N_ELEMENTS(strange_links));
    tcase_add_test(live, an_owner_decides_about_the_live_files);
    tcase_add_test(live, anchors_that_are_gone_leave_no_file);
    return live;
}

static TCase *
make_removing(void)
{
    TCase *removing = tcase_create("removing");

    tcase_add_checked_fixture(removing, setup, teardown);
    tcase_add_test(removing, a_removed_generation_leaves_nothing);
    tcase_add_test(removing, the_current_generation_is_not_removed);
    tcase_add_test(removing, a_removed_identity_leaves_nothing);
    tcase_add_test(removing, what_a_crash_left_is_swept_at_the_next_start);
    tcase_add_test(removing, the_current_generation_is_never_swept);
    tcase_add_test(removing, a_small_file_is_read_back);
    tcase_add_test(removing, a_large_file_is_refused_both_ways);
    tcase_add_test(removing, facts_are_read_back_and_open_to_all);
    tcase_add_test(removing, facts_that_are_too_large_or_named_badly_are_refused);
    return removing;
}

int
main(void)
{
    Suite *suite = suite_create("store/store");
    SRunner *runner = srunner_create(suite);

    suite_add_tcase(suite, make_opening());
    suite_add_tcase(suite, make_generations());
    suite_add_tcase(suite, make_live());
    suite_add_tcase(suite, make_removing());
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
