/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* The power goes, or the disk fails, at every single operation of a whole rotation: counted first,
 * then each one. */

#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/rotate/apart.h"
#include "tests/unit/rotate/disk-hook.h"
#include "tests/unit/rotate/world.h"

#define OVERLAP_S 300

/* A directory with 'wifi' active in generation 2 and 1 still in its overlap; each test works on a
 * copy. */
static char *template_root;
static char *root;
static SignetPolicy *policy;
/* A key that is on the token already, and its certificate. */
static SignetKey *theirs;
static GBytes *certificate;

static void
run_cp(const char *from, const char *to)
{
    const char *const argv[] = {"cp", "-a", from, to, NULL};
    int status = -1;

    ck_assert(g_spawn_sync(NULL, (char **)argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL,
                           &status, NULL));
    ck_assert_int_eq(status, 0);
}

static void
wait_event(World *world, const char *event)
{
    gint64 end_us = g_get_monotonic_time() + 20 * G_USEC_PER_SEC;

    while (!strstr(world->events->str, event) && g_get_monotonic_time() < end_us)
        g_main_context_iteration(NULL, TRUE);
    ck_assert_msg(strstr(world->events->str, event) != NULL, "there was no '%s'", event);
}

static void
wait_current(World *world, guint32 current)
{
    gint64 end_us = g_get_monotonic_time() + 20 * G_USEC_PER_SEC;

    while (world_status(world, "wifi").current != current && g_get_monotonic_time() < end_us)
        g_main_context_iteration(NULL, TRUE);
    world_wait_state(world, "wifi", "active");
    ck_assert_msg(world_status(world, "wifi").current == current, "current is %u, not %u: %s",
                  world_status(world, "wifi").current, current, world_status(world, "wifi").cause);
}

/* --- the rotation that is disturbed --- */

/* At every instant: live/wifi leads to a whole directory, and its key is there. */
static void
watch_live(void)
{
    g_autofree char *link = g_build_filename(root, "live", "wifi", NULL);
    g_autofree char *target = g_file_read_link(link, NULL);
    g_autofree char *key = g_build_filename(link, "key.pem", NULL);
    g_autofree char *full = g_build_filename(link, "identity.pem", NULL);
    const char *number = target ? strrchr(target, '.') : NULL;
    g_autofree char *record =
        number ? g_build_filename(root, "identities", "wifi", number + 1, "record", NULL) : NULL;

    if (!record || access(key, R_OK) != 0 || access(full, R_OK) != 0 || access(record, R_OK) != 0) {
        g_printerr("nothing usable at live/wifi before or after operation %u\n",
                   disk_hook_get_count());
        _exit(1);
    }
}

static void
make_template(void)
{
    World *world = world_new(template_root);

    ck_assert(world_up(world, policy));
    world_wait_state(world, "wifi", "active");
    signet_engine_rotate(world->engine, "wifi", NULL, NULL);
    wait_current(world, 2);
    world_settle(world);
    world_free(world);
}

/* From the wish to the end of everything that was before: makes 3, retires 1 and 2. */
static void
rotate_wholly(void)
{
    World *world = world_new(root);

    ck_assert(world_up(world, policy));
    disk_hook.watch = watch_live;
    disk_hook.is_armed = TRUE;
    signet_engine_rotate(world->engine, "wifi", NULL, NULL);
    wait_current(world, 3);
    world_advance(world, OVERLAP_S + 1);
    wait_event(world, "retired wifi 2\n");
    world_check_usable(world, "wifi");
    world_check_no_orphans(world, "wifi");
    /* the last journal is written before the engine is gone */
    world_down(world);
    disk_hook.is_armed = FALSE;
    world_free(world);
}

/* The same, but 3 has a key and a certificate that were there before. */
static void
adopt_wholly(void)
{
    World *world = world_new(root);

    world->token.certificate = certificate;
    ck_assert(world_up(world, policy));
    disk_hook.watch = watch_live;
    disk_hook.is_armed = TRUE;
    signet_engine_adopt(world->engine, "wifi", &(SignetAdoption) {.name = theirs->blob}, NULL,
                        NULL);
    wait_current(world, 3);
    world_advance(world, OVERLAP_S + 1);
    wait_event(world, "retired wifi 2\n");
    world_check_usable(world, "wifi");
    world_check_no_orphans(world, "wifi");
    world_down(world);
    disk_hook.is_armed = FALSE;
    world_free(world);
}

/* From nothing: the tree, the CA, the first certificate. */
static void
enrol_wholly(void)
{
    World *world = world_new(root);

    disk_hook.is_armed = TRUE;
    ck_assert(world_up(world, policy));
    wait_event(world, "rotated wifi 1\n");
    world_check_usable(world, "wifi");
    world_check_no_orphans(world, "wifi");
    world_down(world);
    disk_hook.is_armed = FALSE;
    world_free(world);
}

/* --- afterwards --- */

/* A new life on what is left: usable before anything is done, and the rotation finishes. */
static void
live_again(void)
{
    World *world = world_new(root);

    disk_hook = (DiskHook) {0};
    ck_assert(world_up(world, policy));
    ck_assert_uint_eq(world->problems->len, 0);
    world_check_usable(world, "wifi");
    world_wait_state(world, "wifi", "active");
    world_settle(world);
    world_check_usable(world, "wifi");
    /* the wish itself may have been lost before anything of it was written */
    if (world_status(world, "wifi").current == 2 && world_status(world, "wifi").pending == 0)
        signet_engine_rotate(world->engine, "wifi", NULL, NULL);
    wait_current(world, 3);
    world_check_usable(world, "wifi");
    world_advance(world, OVERLAP_S + 1);
    world_wait_only(world, "wifi", "3");
    world_check_usable(world, "wifi");
    world_free(world);
}

/* The adoption is finished, or it was never asked for; a half of it is never used. */
static void
live_with_adopted(void)
{
    World *world = world_new(root);

    disk_hook = (DiskHook) {0};
    world->token.certificate = certificate;
    ck_assert(world_up(world, policy));
    ck_assert_uint_eq(world->problems->len, 0);
    world_check_usable(world, "wifi");
    world_settle(world);
    world_wait_state(world, "wifi", "active");
    world_check_usable(world, "wifi");
    if (world_status(world, "wifi").current == 2) {
        ck_assert_uint_eq(world_status(world, "wifi").pending, 0);
        signet_engine_adopt(world->engine, "wifi", &(SignetAdoption) {.name = theirs->blob}, NULL,
                            NULL);
        wait_event(world, "rotated wifi ");
    }
    const SignetGeneration *current = signet_inventory_get(world->inventory, "wifi", 0);
    ck_assert(g_bytes_equal(current->key->spki, theirs->spki));
    ck_assert(g_bytes_equal(current->chain->pdata[0], certificate));
    ck_assert(current->key->is_adopted);
    g_autofree char *only = g_strdup_printf("%u", current->number);
    world_advance(world, OVERLAP_S + 1);
    world_wait_only(world, "wifi", only);
    world_check_usable(world, "wifi");
    world_free(world);
}

static void
live_at_last(void)
{
    World *world = world_new(root);

    disk_hook = (DiskHook) {0};
    ck_assert(world_up(world, policy));
    ck_assert_uint_eq(world->problems->len, 0);
    wait_current(world, 1);
    world_check_usable(world, "wifi");
    world_check_usable(world, "ca.local");
    world_wait_only(world, "wifi", "1");
    world_wait_only(world, "ca.local", "1");
    world_free(world);
}

typedef struct {
    gboolean has_template;
    void (*work)(void);
    void (*again)(void);
} Scene;

static const Scene rotation = {TRUE, rotate_wholly, live_again};
static const Scene adoption = {TRUE, adopt_wholly, live_with_adopted};
static const Scene enrolment = {FALSE, enrol_wholly, live_at_last};
static const Scene *counted;

static void
begin_scene(const Scene *scene)
{
    if (scene->has_template)
        run_cp(template_root, root);
}

static void
count_operations(void)
{
    g_autofree char *path = g_strconcat(root, ".count", NULL);
    g_autofree char *text = NULL;

    counted->work();
    text = g_strdup_printf("%u", disk_hook_get_count());
    ck_assert(g_file_set_contents(path, text, -1, NULL));
}

static guint
measure(const Scene *scene)
{
    g_autofree char *path = g_strconcat(root, ".count", NULL);
    g_autofree char *text = NULL;

    begin_scene(scene);
    counted = scene;
    disk_hook = (DiskHook) {.mode = DISK_COUNT};
    ck_assert_int_eq(apart_run(count_operations), 0);
    ck_assert(g_file_get_contents(path, &text, NULL, NULL));
    g_remove(path);
    apart_remove(root);
    return (guint)strtoul(text, NULL, 10);
}

static void
make_everything(void)
{
    g_autofree char *base = apart_make_directory("signet-kill");

    template_root = g_build_filename(base, "template", NULL);
    root = g_build_filename(base, "root", NULL);
    policy = world_policy(NULL);
    theirs = fake_token_make_key(SIGNET_KEY_EC_P256);
    certificate = world_certify(theirs, 86400);
    ck_assert_int_eq(apart_run(make_template), 0);
}

static void
remove_everything(void)
{
    g_autofree char *base = g_path_get_dirname(root);

    apart_remove(base);
    g_free(template_root);
    g_free(root);
    signet_key_unref(theirs);
    g_bytes_unref(certificate);
    signet_policy_unref(policy);
}

static const Scene *const scenes[] = {&rotation, &adoption, &enrolment};

/* Before each operation, which is after the one before it, and after the last: nothing but these
 * operations outlives the process here. */
START_TEST(a_death_at_any_operation_loses_nothing)
{
    const Scene *scene = scenes[_i];
    guint n = measure(scene);

    ck_assert_uint_gt(n, 50);
    for (guint at = 1; at <= n + 1; at++) {
        begin_scene(scene);
        disk_hook = (DiskHook) {.mode = DISK_DIE, .at = at};
        ck_assert_msg(apart_run(scene->work) == (at <= n ? DISK_DEAD : 0),
                      "did not die at operation %u of %u", at, n);
        ck_assert_msg(apart_run(scene->again) == 0, "after a death at operation %u of %u", at, n);
        apart_remove(root);
    }
    g_printerr("# died at each of %u operations\n", n);
}
END_TEST

/* --- a disk that fails --- */

/* The world goes on with what it has; when the disk is well again, the rotation finishes. */
static void
rotate_on_a_bad_disk(void)
{
    World *world = world_new(root);
    SignetIdentityStatus status;

    ck_assert(world_up(world, policy));
    disk_hook.is_armed = TRUE;
    signet_engine_rotate(world->engine, "wifi", NULL, NULL);
    for (guint i = 0; i < 4; i++) {
        world_settle(world);
        world_check_usable(world, "wifi");
        world_advance(world, OVERLAP_S / 3 + 1);
    }
    disk_hook.is_armed = FALSE;
    status = world_status(world, "wifi");
    if (status.current == 2 && status.pending == 0 && g_str_equal(status.state, "active"))
        signet_engine_rotate(world->engine, "wifi", NULL, NULL);
    for (guint i = 0; i < 4; i++) {
        world_settle(world);
        world_check_usable(world, "wifi");
        world_advance(world, OVERLAP_S + 1);
    }
    wait_current(world, 3);
    wait_event(world, "retired wifi 2\n");
    world_check_usable(world, "wifi");
    world_free(world);
}

/* A failing disk may leave a temporary file behind: the next start removes it. */
static void
start_once_more(void)
{
    World *world = world_new(root);

    disk_hook = (DiskHook) {0};
    ck_assert(world_up(world, policy));
    ck_assert_uint_eq(world->problems->len, 0);
    world_wait_state(world, "wifi", "active");
    world_wait_only(world, "wifi", "3");
    world_check_usable(world, "wifi");
    world_free(world);
}

static const struct {
    DiskMode mode;
    int error;
} faults[] = {
    {DISK_FAIL_ONCE, EIO},
    {DISK_FAIL_ON, ENOSPC},
};

START_TEST(a_disk_that_fails_at_any_operation_leaves_the_old_generation_in_use)
{
    guint n = measure(&rotation);

    for (guint at = 1; at <= n; at++) {
        run_cp(template_root, root);
        disk_hook = (DiskHook) {.mode = faults[_i].mode, .at = at, .error = faults[_i].error};
        ck_assert_msg(apart_run(rotate_on_a_bad_disk) == 0, "failure at operation %u of %u", at, n);
        ck_assert_msg(apart_run(start_once_more) == 0, "after a failure at operation %u of %u", at,
                      n);
        apart_remove(root);
    }
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("rotate/kill");
    TCase *power = tcase_create("power");
    TCase *disk = tcase_create("disk");
    SRunner *runner = srunner_create(suite);

    tcase_add_checked_fixture(power, make_everything, remove_everything);
    tcase_set_timeout(power, 900);
    tcase_add_loop_test(power, a_death_at_any_operation_loses_nothing, 0, G_N_ELEMENTS(scenes));
    tcase_add_checked_fixture(disk, make_everything, remove_everything);
    tcase_set_timeout(disk, 900);
    tcase_add_loop_test(disk, a_disk_that_fails_at_any_operation_leaves_the_old_generation_in_use,
                        0, G_N_ELEMENTS(faults));
    suite_add_tcase(suite, power);
    suite_add_tcase(suite, disk);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
