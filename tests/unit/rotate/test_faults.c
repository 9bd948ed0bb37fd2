/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Every protocol's first enrolment and rotation, with a CA that thinks about each request, and
 * everything that may break under them: the agent dies between any two writes, the disk fails, the
 * token fails, the enroller dies. Afterwards the identity has always been usable, has got where it
 * was going by itself, and nothing is left over: on the disk, on the token, at the CA.
 *
 * A death leaves behind what is on the disk, on the token and in the CA's books. That is copied
 * before and after each write of one undisturbed life, and another agent goes on with each of the
 * copies.
 *
 * SIGNET_FAULTS=all: failures of the disk at every operation, not at one in SAMPLE. */

#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "policy/parse.h"
#include "tests/unit/rotate/apart.h"
#include "tests/unit/rotate/disk-hook.h"
#include "tests/unit/rotate/remote-ca.h"
#include "tests/unit/rotate/world.h"

#define SAMPLE      13
#define OVERLAP_S   300
#define ROUNDS_MAX  40
#define STEP_S      150
#define HEALED      8 /* the round in which a full disk gets room again */
#define NOT_REACHED 3 /* exit status: the fault was ordered for later than the end */
#define STOCK       8 /* RSA keys: they cost more than all the rest */

#define A_PIN "Pin=sha256:00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\n"

typedef struct {
    const char *name;
    const char *ca;      /* ca.d/NAME.conf; @ is the test's directory */
    const char *key;     /* Key= */
    const char *other;   /* (nullable) an identity of the agent's own that belongs to it */
    gboolean has_person; /* who brings the certificates */
} Protocol;

static const Protocol protocols[] = {
    {"local", "[Ca]\nProtocol=local\nLifetime=1d\nSubject=CN=Test CA\n", "ec:P-256", "ca.local",
     FALSE},
    {"est", "[Ca]\nProtocol=est\nUrl=https://ca.example\n" A_PIN, "ec:P-256", NULL, FALSE},
    {"cmp", "[Ca]\nProtocol=cmp\nUrl=https://ca.example\nTrust=@/anchors.pem\n", "ec:P-256", NULL,
     FALSE},
    {"scep", "[Ca]\nProtocol=scep\nUrl=https://ca.example\n" A_PIN, "rsa:2048", NULL, FALSE},
    {"acme", "[Ca]\nProtocol=acme\nUrl=https://ca.example\nHttp01=listen:80\n" A_PIN, "ec:P-256",
     "acme.acme", FALSE},
    {"exec", "[Ca]\nProtocol=exec\nProgram=/bin/true\n", "ec:P-256", NULL, FALSE},
    {"manual", "[Ca]\nProtocol=manual\n", "ec:P-256", NULL, TRUE},
};

static char *base;
static char *root; /* of the life that is lived now */
static const Protocol *protocol;
static GPtrArray *stock;

static void
choose(int number)
{
    protocol = &protocols[number];
    for (guint i = 0; i < STOCK && g_str_has_prefix(protocol->key, "rsa"); i++)
        g_ptr_array_add(stock, fake_token_make_key(SIGNET_KEY_RSA_2048));
}

/* --- files --- */

static void
copy_file(const char *from, const char *to)
{
    g_autofree char *content = NULL;
    gsize size;

    if (!g_file_get_contents(from, &content, &size, NULL))
        return; /* the token, or the CA, has just removed it */
    if (!g_file_set_contents_full(to, content, (gssize)size, G_FILE_SET_CONTENTS_NONE, 0600, NULL))
        g_error("cannot copy %s", from);
}

static void
copy_tree(const char *from, const char *to)
{
    g_autofree char *target = g_file_read_link(from, NULL);
    g_autoptr(GDir) dir = target ? NULL : g_dir_open(from, 0, NULL);
    GStatBuf st;
    const char *name;

    if (target && symlink(target, to) != 0)
        g_error("cannot copy %s", from);
    if (target || !dir) {
        if (!target)
            copy_file(from, to);
        return;
    }
    if (g_stat(from, &st) != 0 || g_mkdir(to, st.st_mode & 07777) != 0)
        g_error("cannot copy %s", from);
    while ((name = g_dir_read_name(dir))) {
        g_autofree char *one = g_build_filename(from, name, NULL);
        g_autofree char *other = g_build_filename(to, name, NULL);

        copy_tree(one, other);
    }
}

/* --- a world --- */

static SignetPolicy *
make_policy(void)
{
    g_autoptr(GPtrArray) problems = g_ptr_array_new_with_free_func(g_free);
    g_autofree char *ca_path = g_strdup_printf("ca.d/%s.conf", protocol->name);
    g_auto(GStrv) parts = g_strsplit(protocol->ca, "@", -1);
    g_autofree char *ca = g_strjoinv(base, parts);
    g_autofree char *identity =
        g_strdup_printf("[Identity]\nCa=%s\nKey=%s\nSubject=CN=%%H\nDns=%%H.example\n",
                        protocol->name, protocol->key);
    static const char token[] = "[Token tpm]\nType=tpm\n";
    static const char rotation[] = "[Rotation default]\nOverlap=5min\nJitter=0%\nRenewAt=50%\n";
    const SignetPolicyFile files[] = {
        {"signet.conf", token, strlen(token)},
        {ca_path, ca, strlen(ca)},
        {"policy.d/50.conf", rotation, strlen(rotation)},
        {"identities.d/wifi.conf", identity, strlen(identity)},
    };
    SignetPolicy *policy = signet_policy_parse(files, G_N_ELEMENTS(files), problems);

    ck_assert_msg(policy != NULL, "%s: %s", protocol->name,
                  problems->len ? (char *)problems->pdata[0] : "?");
    return policy;
}

typedef struct {
    World *world;
    RemoteCa ca;
    char *keys;  /* (owned) the directory that is the token */
    char *books; /* (owned) of the CA */
    gboolean had_current;
    guint n_copies;
    guint last_copy; /* what was to be seen then */
    /* the fault */
    gboolean is_disk_bad;
} Life;

static Life life;

static void
open_life(void)
{
    g_autoptr(SignetPolicy) policy = make_policy();
    g_autofree char *now_path = g_build_filename(root, "now", NULL);
    g_autofree char *now = NULL;

    life.keys = g_build_filename(root, "keys", NULL);
    life.books = g_build_filename(root, "books", NULL);
    life.world = world_new(root);
    if (g_file_get_contents(now_path, &now, NULL, NULL))
        life.world->now_s = g_ascii_strtoll(now, NULL, 10);
    life.world->token.dir = life.keys;
    life.world->token.stock = stock;
    life.ca.books = life.books;
    life.ca.clock = &life.world->clock;
    life.world->ca.remote = remote_ca_answer;
    life.world->ca.remote_data = &life.ca;
    ck_assert(world_up(life.world, policy));
    life.ca.inventory = life.world->inventory;
    ck_assert_uint_eq(life.world->problems->len, 0);
}

/* --- what must hold --- */

static gboolean
has_live(void)
{
    g_autofree char *link = g_build_filename(root, "live", "wifi", NULL);

    return g_file_test(link, G_FILE_TEST_EXISTS);
}

/* Once there was one: a whole generation, whose key is on the token. */
static void
check_usable(void)
{
    life.had_current |= has_live();
    if (!life.had_current)
        return;
    world_check_usable(life.world, "wifi");
    const SignetGeneration *current = signet_inventory_get(life.world->inventory, "wifi", 0);
    ck_assert_msg(fake_token_has_key(life.keys, current->key->blob),
                  "the current key is not on the token");
}

static void
check_books(gboolean is_disturbed)
{
    RemoteBooks books = remote_ca_read(life.books);

    if (g_str_equal(protocol->name, "local"))
        return;
    ck_assert_msg(books.n_keys == 2, "%u keys were shown to the CA, not 2", books.n_keys);
    ck_assert_msg(books.n_orders >= 2 && books.n_orders <= (is_disturbed ? 3 : 2),
                  "the CA has %u requests for 2 certificates", books.n_orders);
    ck_assert_uint_ge(books.n_issued, 2);
    ck_assert_msg(books.n_accounts == (g_str_equal(protocol->name, "acme") ? 1 : 0),
                  "the CA has %u accounts", books.n_accounts);
}

static void
check_end(gboolean is_disturbed)
{
    guint n_keys = protocol->other ? 2 : 1;

    check_usable();
    world_check_no_orphans(life.world, "wifi");
    if (protocol->other)
        world_wait_only(life.world, protocol->other, "1");
    ck_assert_msg(fake_token_count_keys(life.keys) == n_keys, "%u keys are on the token, not %u",
                  fake_token_count_keys(life.keys), n_keys);
    check_books(is_disturbed);
}

/* --- from whatever there is to generation 2, alone --- */

static void
bring_answer(void)
{
    g_autoptr(GBytes) answer = g_bytes_new_static("certificates", 12);

    signet_engine_import(life.world->engine, "wifi", answer, NULL, NULL);
}

static gboolean
is_finished(const SignetIdentityStatus *status)
{
    g_autofree char *numbers = world_numbers(life.world, "wifi");

    return status->current == 2 && g_str_equal(status->state, "active") && !status->pending &&
           g_str_equal(numbers, "2");
}

/* A token that was absent is left alone for a quarter of a second, whatever our clock says. */
static void
let_time_pass(void)
{
    SignetToken *token = signet_tokens_get(life.world->tokens, "tpm");

    if (signet_token_get_state(token) == SIGNET_TOKEN_STATE_ABSENT)
        g_usleep(G_USEC_PER_SEC * 26 / 100);
    world_advance(life.world, STEP_S);
}

static void
go_on(const SignetIdentityStatus *status)
{
    if (status->current == 1 && status->pending == 0 && g_str_equal(status->state, "active"))
        signet_engine_rotate(life.world->engine, "wifi", NULL, NULL);
    else if (protocol->has_person && g_str_equal(status->state, "pending-ca"))
        bring_answer();
    else
        let_time_pass();
}

static void
finish(void)
{
    SignetIdentityStatus status;
    guint round = 0;

    do {
        if (round == HEALED && disk_hook.mode == DISK_FAIL_ON)
            disk_hook.is_armed = FALSE;
        world_settle(life.world);
        check_usable();
        status = world_status(life.world, "wifi");
        if (is_finished(&status) && (disk_hook.mode != DISK_FAIL_ON || !disk_hook.is_armed))
            return;
        go_on(&status);
    } while (round++ < ROUNDS_MAX);
    ck_abort_msg("it does not get there: generation %u, in state %s: %s", status.current,
                 status.state, status.cause ? status.cause : "");
}

static void
close_life(void)
{
    world_down(life.world);
    disk_hook.is_armed = FALSE;
    world_free(life.world);
    g_free(life.keys);
    g_free(life.books);
}

/* --- deaths --- */

/* Called by the disk's thread before and after each operation, so nothing changes there meanwhile.
 * What looks as it did the last time is not copied again. */
static void
copy_what_a_death_leaves(void)
{
    guint seen = disk_hook_get_count() + (guint)g_atomic_int_get(&life.world->token.generated) +
                 (guint)g_atomic_int_get(&life.world->token.destroyed) + life.ca.n_jobs;
    g_autofree char *copy = NULL;
    g_autofree char *now_path = NULL;
    g_autofree char *now = NULL;

    if (seen == life.last_copy)
        return;
    life.last_copy = seen;
    copy = g_strdup_printf("%s/copy.%u", base, ++life.n_copies);
    copy_tree(root, copy);
    now_path = g_build_filename(copy, "now", NULL);
    now = g_strdup_printf("%" G_GINT64_FORMAT, life.world->now_s);
    g_file_set_contents_full(now_path, now, -1, G_FILE_SET_CONTENTS_NONE, 0600, NULL);
}

static void
live_and_copy(void)
{
    disk_hook = (DiskHook) {.mode = DISK_COUNT};
    open_life();
    disk_hook.watch = copy_what_a_death_leaves;
    disk_hook.is_armed = TRUE;
    finish();
    check_end(FALSE);
    close_life();
}

static void
go_on_after_death(void)
{
    disk_hook = (DiskHook) {0};
    open_life();
    check_usable(); /* before anything is done */
    finish();
    check_end(TRUE);
    close_life();
}

START_TEST(an_agent_that_died_at_any_moment_is_followed_by_one_that_finishes)
{
    g_autofree char *undisturbed = g_build_filename(base, "root", NULL);
    guint n = 0;

    choose(_i);
    root = undisturbed;
    ck_assert_int_eq(apart_run(live_and_copy), 0);
    for (;; n++) {
        g_autofree char *copy = g_strdup_printf("%s/copy.%u", base, n + 1);

        if (!g_file_test(copy, G_FILE_TEST_IS_DIR))
            break;
        root = copy;
        ck_assert_msg(apart_run(go_on_after_death) == 0, "%s: after a death at moment %u",
                      protocol->name, n + 1);
        apart_remove(copy);
    }
    ck_assert_uint_gt(n, 100);
    g_printerr("# %s: died at %u moments\n", protocol->name, n);
}
END_TEST

/* --- a disk that fails --- */

static DiskHook order;

static void
live_on_a_bad_disk(void)
{
    disk_hook = order;
    open_life();
    disk_hook.is_armed = TRUE;
    finish();
    if (disk_hook_get_count() < order.at)
        _exit(NOT_REACHED);
    check_usable();
    check_books(TRUE);
    close_life();
}

static guint
get_sample(void)
{
    return g_strcmp0(g_getenv("SIGNET_FAULTS"), "all") == 0 ? 1 : SAMPLE;
}

static const DiskHook disk_faults[] = {
    {.mode = DISK_FAIL_ONCE, .error = EIO},
    {.mode = DISK_FAIL_ON, .error = ENOSPC},
};

START_TEST(a_disk_that_fails_at_any_write_costs_time_only)
{
    g_autofree char *path = g_build_filename(base, "root", NULL);
    guint step = get_sample(), n = 0;
    int end = 0;

    choose(_i / (int)G_N_ELEMENTS(disk_faults));
    root = path;
    order = disk_faults[_i % (int)G_N_ELEMENTS(disk_faults)];
    for (order.at = 1 + (guint)_i * 5 % step; end == 0; order.at += step) {
        end = apart_run(live_on_a_bad_disk);
        ck_assert_msg(end == 0 || end == NOT_REACHED, "%s: %s at operation %u", protocol->name,
                      g_strerror(order.error), order.at);
        if (end == 0) {
            /* a failing disk may leave a temporary file behind: the next start removes it */
            ck_assert_msg(apart_run(go_on_after_death) == 0, "%s: after %s at operation %u",
                          protocol->name, g_strerror(order.error), order.at);
            n++;
        }
        apart_remove(path);
    }
    ck_assert_uint_gt(n, 100 / step);
    g_printerr("# %s: %s at %u operations\n", protocol->name, g_strerror(order.error), n);
}
END_TEST

/* --- a token that fails, an enroller that dies --- */

static guint fault_at;
static FakeTokenFault token_fault;
static RemoteFault remote_fault;

static void
live_with_a_bad_token(void)
{
    disk_hook = (DiskHook) {0};
    life.ca = (RemoteCa) {0};
    open_life();
    life.world->token.fault = token_fault;
    g_atomic_int_set(&life.world->token.fail_at, (int)fault_at);
    finish();
    if (g_atomic_int_get(&life.world->token.fail_at) > 0)
        _exit(NOT_REACHED);
    check_end(TRUE);
    close_life();
}

static void
live_with_a_dying_enroller(void)
{
    disk_hook = (DiskHook) {0};
    life.ca = (RemoteCa) {.fault = remote_fault, .at = fault_at};
    open_life();
    finish();
    if (life.ca.n_jobs < fault_at)
        _exit(NOT_REACHED);
    check_end(TRUE);
    close_life();
}

/* Returns how often it was hit. */
static guint
hit_every(void (*work)(void), const char *what)
{
    g_autofree char *path = g_build_filename(base, "root", NULL);
    int end = 0;

    root = path;
    for (fault_at = 1; end == 0; fault_at++) {
        end = apart_run(work);
        ck_assert_msg(end == 0 || end == NOT_REACHED, "%s: %s number %u", protocol->name, what,
                      fault_at);
        apart_remove(path);
    }
    return fault_at - 2;
}

START_TEST(a_token_that_fails_at_any_command_leaves_no_key_behind)
{
    static const char *const words[] = {"a failed command", "a missing token", "a lost answer"};
    guint n;

    choose(_i / 3);
    token_fault = (FakeTokenFault[]) {FAKE_TOKEN_FAILS, FAKE_TOKEN_ABSENT, FAKE_TOKEN_LOST}[_i % 3];
    n = hit_every(live_with_a_bad_token, words[_i % 3]);
    ck_assert_uint_ge(n, 5); /* two keys, two test signatures, one key's end */
    g_printerr("# %s: %s %u times\n", protocol->name, words[_i % 3], n);
}
END_TEST

START_TEST(an_enroller_that_dies_at_any_conversation_is_followed_by_one_that_asks_again)
{
    guint n;

    choose(1 + _i / 2); /* a local CA keeps no books */
    remote_fault = _i % 2 ? REMOTE_DIES_AFTER : REMOTE_DIES_BEFORE;
    n = hit_every(live_with_a_dying_enroller, "a dead enroller");
    ck_assert_uint_ge(n, 4); /* asked, and asked again, twice */
    g_printerr("# %s: the enroller died in %u conversations\n", protocol->name, n);
}
END_TEST

static void
make_everything(void)
{
    base = apart_make_directory("signet-faults");
    g_autofree char *anchors = g_build_filename(base, "anchors.pem", NULL);
    remote_ca_make_key(anchors);
    stock = g_ptr_array_new_with_free_func((GDestroyNotify)signet_key_unref);
}

static void
remove_everything(void)
{
    apart_remove(base);
    g_free(base);
    g_ptr_array_unref(stock);
    remote_ca_free_key();
}

int
main(void)
{
    Suite *suite = suite_create("rotate/faults");
    TCase *cases = tcase_create("faults");
    SRunner *runner = srunner_create(suite);
    int n = (int)G_N_ELEMENTS(protocols);

    tcase_add_checked_fixture(cases, make_everything, remove_everything);
    tcase_set_timeout(cases, 1700);
    tcase_add_loop_test(cases, an_agent_that_died_at_any_moment_is_followed_by_one_that_finishes, 0,
                        n);
    tcase_add_loop_test(cases, a_disk_that_fails_at_any_write_costs_time_only, 0,
                        n * (int)G_N_ELEMENTS(disk_faults));
    tcase_add_loop_test(cases, a_token_that_fails_at_any_command_leaves_no_key_behind, 0, n * 3);
    tcase_add_loop_test(
        cases, an_enroller_that_dies_at_any_conversation_is_followed_by_one_that_asks_again, 0,
        (n - 1) * 2);
    suite_add_tcase(suite, cases);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
