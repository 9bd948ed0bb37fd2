/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* An agent without doors. */

#include "tests/unit/rotate/world.h"

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/rotate/private.h"
#include "policy/parse.h"
#include "provider/wire/reference.h"
#include "tests/unit/rotate/apart.h"

static const char ca_text[] = "[Ca]\nProtocol=local\nLifetime=1h\nSubject=CN=Test CA\n";
static const char rotation_text[] = "[Rotation default]\nOverlap=5min\nJitter=0%\nRenewAt=50%\n";
static const char wifi_text[] = "[Identity]\nSubject=CN=%H\nDns=%H.example\n";

static gint64
now(gpointer data)
{
    const World *world = data;

    return world->now_s;
}

World *
world_new(const char *root)
{
    World *world = g_new0(World, 1);

    world->root = root ? g_strdup(root) : apart_make_directory("signet-rotate");
    world->is_root_kept = root != NULL;
    world->now_s = WORLD_NOW_S;
    world->clock = (SignetClock) {now, world};
    world->events = g_string_new(NULL);
    world->problems = g_ptr_array_new_with_free_func(g_free);
    world->ca.order = g_ptr_array_new_with_free_func(g_free);
    return world;
}

void
world_free(World *world)
{
    world_down(world);
    if (!world->is_root_kept)
        apart_remove(world->root);
    g_ptr_array_unref(world->ca.order);
    g_ptr_array_unref(world->problems);
    g_string_free(world->events, TRUE);
    g_free(world->root);
    g_free(world);
}

SignetPolicy *
world_policy(const char *const *texts)
{
    static const char *const only_wifi[] = {"identities.d/wifi.conf", wifi_text, NULL};
    g_autoptr(GPtrArray) problems = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GArray) files = g_array_new(FALSE, TRUE, sizeof(SignetPolicyFile));
    const SignetPolicyFile fixed[] = {
        {"signet.conf", "[Token tpm]\nType=tpm\n", strlen("[Token tpm]\nType=tpm\n")},
        {"ca.d/local.conf", ca_text, strlen(ca_text)},
        {"policy.d/50.conf", rotation_text, strlen(rotation_text)},
    };

    g_array_append_vals(files, fixed, G_N_ELEMENTS(fixed));
    for (texts = texts ? texts : only_wifi; *texts; texts += 2) {
        SignetPolicyFile file = {texts[0], texts[1], strlen(texts[1])};

        g_array_append_val(files, file);
    }
    SignetPolicy *policy =
        signet_policy_parse((const SignetPolicyFile *)(gpointer)files->data, files->len, problems);
    ck_assert_msg(policy != NULL, "%s", problems->len ? (char *)problems->pdata[0] : "?");
    return policy;
}

static void
on_event(const char *identity, SignetEngineEvent event, guint32 generation, gpointer data)
{
    static const char *const names[] = {
        [SIGNET_ENGINE_ROTATED] = "rotated",   [SIGNET_ENGINE_FAILED] = "failed",
        [SIGNET_ENGINE_EXPIRING] = "expiring", [SIGNET_ENGINE_RETIRED] = "retired",
        [SIGNET_ENGINE_REVOKED] = "revoked",
    };
    World *world = data;

    if (event == SIGNET_ENGINE_CHANGED)
        world->n_changed++;
    else
        g_string_append_printf(world->events, "%s %s %u\n", names[event], identity, generation);
}

gboolean
world_up(World *world, SignetPolicy *policy)
{
    g_autoptr(GError) error = NULL;
    SignetTokenSettings settings = {.name = "tpm", .queue_limit = 1024};
    FakeTokenOptions options = {.control = &world->token};

    world->store = signet_store_open(world->root, &error);
    if (!world->store)
        return FALSE;
    world->inventory = signet_inventory_new();
    world->tokens = signet_tokens_new();
    signet_tokens_add(world->tokens, fake_token_new(&settings, &options));
    world->ca.inventory = world->inventory;
    world->ca.clock = &world->clock;
    world->enroll = signet_enroll_new(NULL, NULL, &world->ca);
    world->engine = signet_engine_new(&(SignetEngineContext) {
        .store = world->store,
        .inventory = world->inventory,
        .tokens = world->tokens,
        .enroll = world->enroll,
        .clock = &world->clock,
        .host_name = "host",
        .machine_id = "0123456789abcdef",
    });
    signet_engine_set_listener(world->engine, on_event, world);
    signet_tokens_set_listener(world->tokens, signet_engine_on_token, world->engine);
    g_ptr_array_set_size(world->problems, 0);
    ck_assert(signet_engine_start(world->engine, policy, world->problems, &error));
    return TRUE;
}

void
world_down(World *world)
{
    g_clear_pointer(&world->engine, signet_engine_free);
    g_clear_pointer(&world->enroll, signet_enroll_free);
    g_clear_pointer(&world->tokens, signet_tokens_free);
    g_clear_pointer(&world->inventory, signet_inventory_free);
    g_clear_pointer(&world->store, signet_store_free);
}

SignetIdentityStatus
world_status(World *world, const char *identity)
{
    SignetIdentityStatus status = {0};

    ck_assert(signet_engine_get_status(world->engine, identity, &status));
    return status;
}

static gboolean
on_late(gpointer data)
{
    *(gboolean *)data = TRUE;
    return G_SOURCE_CONTINUE;
}

void
world_wait_state(World *world, const char *identity, const char *state)
{
    gboolean is_late = FALSE;
    guint source = g_timeout_add_seconds(20, on_late, &is_late);
    SignetIdentityStatus status = world_status(world, identity);

    while (!is_late && !g_str_equal(status.state, state)) {
        g_main_context_iteration(NULL, TRUE);
        status = world_status(world, identity);
    }
    g_source_remove(source);
    ck_assert_msg(g_str_equal(status.state, state), "'%s' is '%s' (%s), not '%s'", identity,
                  status.state, status.cause ? status.cause : "", state);
}

void
world_wait_flag(World *world, const gboolean *flag)
{
    gboolean is_late = FALSE;
    guint source = g_timeout_add_seconds(20, on_late, &is_late);

    while (!is_late && !*flag)
        g_main_context_iteration(NULL, TRUE);
    g_source_remove(source);
    ck_assert_msg(*flag, "waited in vain");
}

/* Something will come back to the main loop without anybody asking for it. */
static gboolean
is_busy(const SignetEngine *engine)
{
    for (guint i = 0; i < engine->order->len; i++) {
        const SignetEntry *entry = engine->order->pdata[i];

        if (entry->token_id || entry->retire_token_id || entry->job || entry->machine.retiring ||
            entry->machine.checking || signet_machine_is_working(&entry->machine))
            return TRUE;
    }
    return FALSE;
}

/* Everything that has been given to the disk, and what that leads to. */
static void
let_disk_finish(World *world)
{
    signet_disk_thread_flush(world->engine->disk);
    while (g_main_context_iteration(NULL, FALSE))
        continue;
}

void
world_settle(World *world)
{
    gboolean is_late = FALSE, is_quiet = FALSE;
    guint source = g_timeout_add_seconds(20, on_late, &is_late);

    while (!is_quiet && !is_late) {
        if (is_busy(world->engine))
            g_main_context_iteration(NULL, TRUE);
        else
            let_disk_finish(world);
        is_quiet = !is_busy(world->engine);
        if (is_quiet)
            let_disk_finish(world);
        is_quiet = is_quiet && !is_busy(world->engine);
    }
    g_source_remove(source);
    ck_assert_msg(is_quiet, "the engine does not come to rest");
}

void
world_advance(World *world, gint64 seconds)
{
    world->now_s += seconds;
    signet_engine_wake(world->engine);
}

/* --- what must hold --- */

/* The reference in key.pem names this very generation. */
static void
check_reference(const char *live, const char *identity, guint32 number)
{
    g_autofree char *path = g_build_filename(live, "key.pem", NULL);
    g_autofree char *text = NULL;
    struct signet_reference reference;
    gsize size, consumed;

    ck_assert(g_file_get_contents(path, &text, NULL, NULL));
    char *begin = strstr(text, "-----BEGIN PRIVATE KEY-----\n");
    ck_assert_ptr_nonnull(begin);
    begin += strlen("-----BEGIN PRIVATE KEY-----\n");
    *strstr(begin, "-----END") = '\0';
    g_autofree guchar *der = g_base64_decode(begin, &size);
    ck_assert_int_eq(signet_reference_from_der(der, size, &reference, &consumed),
                     SIGNET_REFERENCE_OURS);
    ck_assert_str_eq(reference.identity, identity);
    ck_assert_uint_eq(reference.generation, number);
}

void
world_check_usable(World *world, const char *identity)
{
    g_autoptr(GError) error = NULL;
    guint32 number = signet_store_get_current(world->store, identity);
    g_autofree char *live = signet_store_dup_live_path(world->store, identity);

    ck_assert_msg(number != 0, "'%s' has no current generation", identity);
    g_autoptr(SignetGeneration) generation =
        signet_store_load_generation(world->store, identity, number, &error);
    ck_assert_msg(generation != NULL, "%s", error ? error->message : "");
    ck_assert_uint_gt(generation->chain->len, 0);
    ck_assert_int_gt(generation->not_after_s, world->now_s);
    check_reference(live, identity, number);
    ck_assert_ptr_nonnull(signet_inventory_get(world->inventory, identity, number));
    ck_assert_ptr_nonnull(signet_inventory_get(world->inventory, identity, 0));
    /* the inventory is never behind the link */
    ck_assert_int_ne(signet_inventory_get_state(world->inventory, identity, number),
                     SIGNET_GENERATION_PENDING);
}

char *
world_numbers(World *world, const char *identity)
{
    g_autoptr(GArray) numbers = signet_store_list_generations(world->store, identity, NULL);
    GString *text = g_string_new(NULL);

    ck_assert_ptr_nonnull(numbers);

    for (guint i = 0; i < numbers->len; i++)
        g_string_append_printf(text, "%s%u", i > 0 ? " " : "", g_array_index(numbers, guint32, i));
    return g_string_free(text, FALSE);
}

typedef struct {
    guint n;
    gboolean has_temporary;
} Names;

static Names
count_names(const char *root, const char *sub, const char *prefix)
{
    g_autofree char *path = g_build_filename(root, sub, NULL);
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    const char *name;
    Names names = {0};

    while (dir && (name = g_dir_read_name(dir))) {
        names.has_temporary |= g_str_has_prefix(name, ".tmp.");
        names.n += *prefix ? g_str_has_prefix(name, prefix) : g_ascii_isdigit(name[0]);
    }
    return names;
}

/* NULL when there is none. */
static const char *
find_orphan(World *world, const char *identity)
{
    g_autoptr(GArray) numbers = signet_store_list_generations(world->store, identity, NULL);
    g_autoptr(GPtrArray) known = signet_inventory_list(world->inventory, identity);
    g_autofree char *directory = g_build_filename("identities", identity, NULL);
    g_autofree char *prefix = g_strconcat(identity, ".", NULL);
    Names keys = count_names(world->root, directory, "");
    Names live = count_names(world->root, "live/.generations", prefix);
    Names links = count_names(world->root, "live", "x");

    if (keys.has_temporary || live.has_temporary || links.has_temporary)
        return "a temporary file was left";
    if (numbers->len != known->len)
        return "a key on disk is not in the inventory";
    if (keys.n != known->len)
        return "a directory in identities/ belongs to no generation";
    if (live.n > known->len)
        return "a directory in live/ belongs to no generation";
    for (guint i = 0; i < known->len; i++) {
        if (((const SignetGeneration *)known->pdata[i])->number !=
            g_array_index(numbers, guint32, i))
            return "disk and inventory hold different generations";
    }
    return NULL;
}

void
world_check_no_orphans(World *world, const char *identity)
{
    gint64 end_us = g_get_monotonic_time() + 20 * G_USEC_PER_SEC;
    const char *orphan = find_orphan(world, identity);

    /* the disk thread may be in the middle of a write */
    while (orphan && g_get_monotonic_time() < end_us) {
        if (!g_main_context_iteration(NULL, FALSE))
            g_usleep(200);
        orphan = find_orphan(world, identity);
    }
    ck_assert_msg(!orphan, "'%s': %s", identity, orphan);
}

void
world_wait_only(World *world, const char *identity, const char *expected)
{
    gint64 end_us = g_get_monotonic_time() + 20 * G_USEC_PER_SEC;
    g_autofree char *numbers = world_numbers(world, identity);

    while (!g_str_equal(numbers, expected) && g_get_monotonic_time() < end_us) {
        if (!g_main_context_iteration(NULL, FALSE))
            g_usleep(200);
        g_free(numbers);
        numbers = world_numbers(world, identity);
    }
    ck_assert_msg(g_str_equal(numbers, expected), "generations '%s' of '%s' on disk, not '%s'",
                  numbers, identity, expected);
    world_check_no_orphans(world, identity);
}

GBytes *
world_certify(const SignetKey *of, gint64 end_s)
{
    gsize size;
    const unsigned char *der = g_bytes_get_data(of->blob, &size);
    EVP_PKEY *pkey = d2i_AutoPrivateKey(NULL, &der, (long)size);
    X509 *x509 = X509_new();
    X509_NAME *name = X509_get_subject_name(x509);
    unsigned char *out = NULL;

    ck_assert(X509_set_version(x509, X509_VERSION_3));
    ck_assert(ASN1_INTEGER_set(X509_get_serialNumber(x509), 77));
    ck_assert(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
                                         (const unsigned char *)"elsewhere", -1, -1, 0));
    ck_assert(X509_set_issuer_name(x509, name));
    ck_assert_ptr_nonnull(ASN1_TIME_set(X509_getm_notBefore(x509), (time_t)(WORLD_NOW_S - 60)));
    ck_assert_ptr_nonnull(ASN1_TIME_set(X509_getm_notAfter(x509), (time_t)(WORLD_NOW_S + end_s)));
    ck_assert(X509_set_pubkey(x509, pkey));
    ck_assert_int_gt(X509_sign(x509, pkey, EVP_sha256()), 0);
    int out_size = i2d_X509(x509, &out);
    GBytes *bytes = g_bytes_new(out, (gsize)out_size);
    OPENSSL_free(out);
    X509_free(x509);
    EVP_PKEY_free(pkey);
    return bytes;
}
