/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* The TPM backend over each way to a TPM: swtpm's socket, a device, and the resource manager
 * tpm2-abrmd on a bus of its own. */

#include <check.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/token/tpm/tpm.h"
#include "tests/support/swtpm.h"
#include "tests/support/token-calls.h"

static const SignetKeyScheme ecdsa = {.scheme = SIGNET_SCHEME_ECDSA, .hash = SIGNET_HASH_SHA256};
static const SignetKeyScheme pss = {.scheme = SIGNET_SCHEME_RSA_PSS,
                                    .hash = SIGNET_HASH_SHA256,
                                    .mgf1_hash = SIGNET_HASH_SHA256,
                                    .salt_len = 32};

static Swtpm *swtpm;
static SignetToken *token;
static char *tcti;
static GPid bus, between; /* 0: it does not run */

/* --- what stands between --- */

static void
die_with_parent(gpointer data)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
}

static GPid
spawn(const char *const *argv)
{
    g_autoptr(GError) error = NULL;
    GPid pid = 0;

    ck_assert_msg(g_spawn_async(NULL, (char **)argv, NULL,
                                G_SPAWN_SEARCH_PATH | G_SPAWN_DO_NOT_REAP_CHILD |
                                    G_SPAWN_STDOUT_TO_DEV_NULL | G_SPAWN_STDERR_TO_DEV_NULL,
                                die_with_parent, NULL, &pid, &error),
                  "%s", error ? error->message : "");
    return pid;
}

static void
stop(GPid *pid)
{
    if (*pid == 0)
        return;
    kill(*pid, SIGTERM);
    waitpid(*pid, NULL, 0);
    *pid = 0;
}

static void
wait_for(const char *command)
{
    for (guint i = 0; i < 200; i++) {
        g_autofree char *out = swtpm_shell(swtpm, command);

        if (out && strstr(out, "yes"))
            return;
        g_usleep(50 * 1000);
    }
    ck_abort_msg("did not come up: %s", command);
}

static void
start_device(void)
{
    g_autofree char *socket = g_build_filename(swtpm->dir, "tpm", NULL);
    g_autofree char *device = g_build_filename(swtpm->dir, "tpmrm0", NULL);
    const char *const argv[] = {TPM_DEVICE, socket, device, NULL};

    g_unlink(device);
    between = spawn(argv);
    wait_for("test -c \"$dir/tpmrm0\" && echo yes; true");
    if (!tcti)
        tcti = g_strconcat("device:", device, NULL);
}

static void
start_bus(void)
{
    g_autofree char *address = g_strdup_printf("unix:path=%s/bus", swtpm->dir);
    const char *const argv[] = {"dbus-daemon", "--session", "--nofork", "--nopidfile",
                                "--address",   address,     NULL};

    bus = spawn(argv);
    g_setenv("DBUS_SESSION_BUS_ADDRESS", address, TRUE);
    wait_for("test -S \"$dir/bus\" && echo yes; true");
    tcti = g_strdup("tabrmd:bus_type=session");
}

static void
start_abrmd(void)
{
    g_autofree char *conf = g_strdup_printf("--tcti=%s", swtpm->tcti);
    const char *const argv[] = {"tpm2-abrmd", "--session", "--allow-root", conf, NULL};

    if (!bus)
        start_bus();
    between = spawn(argv);
    wait_for("dbus-send --session --print-reply --dest=org.freedesktop.DBus / "
             "org.freedesktop.DBus.NameHasOwner string:com.intel.tss2.Tabrmd | "
             "grep -q true && echo yes; true");
}

static void
start_nothing(void)
{
    if (!tcti)
        tcti = g_strdup(swtpm->tcti);
}

static const struct {
    const char *name;
    void (*start)(void);
} ways[] = {{"swtpm", start_nothing}, {"device", start_device}, {"tabrmd", start_abrmd}};

/* --- fixtures --- */

static void
open_token(void)
{
    token = signet_tpm_token_new(&(SignetTokenSettings) {.name = "tpm"}, tcti, TRUE);
}

static void
setup(void)
{
    swtpm = swtpm_new();
}

static void
teardown(void)
{
    signet_token_unref(token);
    stop(&between);
    stop(&bus);
    swtpm_free(swtpm);
    g_free(tcti);
}

static SignetKey *
generate(guint32 type)
{
    g_autoptr(GError) error = NULL;
    SignetKey *key = token_generate(token, type, FALSE, &error);

    ck_assert_msg(key != NULL, "%s", error ? error->message : "");
    return key;
}

START_TEST(keys_are_made_and_sign)
{
    ways[_i].start();
    open_token();
    g_autoptr(SignetKey) ec = generate(SIGNET_KEY_EC_P256);
    g_autoptr(SignetKey) rsa = generate(SIGNET_KEY_RSA_2048);

    for (guint i = 0; i < 3; i++) {
        token_assert_signs(token, ec, &ecdsa, 32);
        token_assert_signs(token, rsa, &pss, 32);
    }
    g_clear_pointer(&token, signet_token_unref);
    open_token();
    token_assert_signs(token, ec, &ecdsa, 32);
}
END_TEST

/* More keys than fit into the TPM: the resource manager swaps, or the agent does. */
START_TEST(many_keys_are_used_in_turn)
{
    SignetKey *keys[12];

    ways[_i].start();
    open_token();
    for (guint i = 0; i < G_N_ELEMENTS(keys); i++)
        keys[i] = generate(SIGNET_KEY_EC_P256);
    for (guint i = 0; i < 3 * G_N_ELEMENTS(keys); i++)
        token_assert_signs(token, keys[i % G_N_ELEMENTS(keys)], &ecdsa, 32);
    for (guint i = 0; i < G_N_ELEMENTS(keys); i++)
        signet_key_unref(keys[i]);
}
END_TEST

START_TEST(what_stands_between_may_be_restarted)
{
    ways[_i].start();
    open_token();
    g_autoptr(SignetKey) key = generate(SIGNET_KEY_EC_P256);

    for (guint i = 0; i < 3; i++) {
        token_assert_signs(token, key, &ecdsa, 32);
        stop(&between);
        ways[_i].start();
        token_assert_signs(token, key, &ecdsa, 32);
    }
}
END_TEST

START_TEST(while_it_is_away_the_token_is_and_then_is_back)
{
    g_autoptr(GBytes) digest = token_digest(32);
    g_autoptr(GError) error = NULL;

    ways[_i].start();
    open_token();
    g_autoptr(SignetKey) key = generate(SIGNET_KEY_EC_P256);
    stop(&between);
    ck_assert_ptr_null(token_sign(token, key, &ecdsa, digest, &error));
    ck_assert_msg(signet_error_is(error, SIGNET_ERROR_TOKEN_ABSENT), "%s", error->message);
    ck_assert_msg(strstr(error->message, tcti) != NULL, "%s", error->message);
    ways[_i].start();
    g_usleep(1100 * 1000); /* a token that is absent is not asked again for a second */
    token_assert_signs(token, key, &ecdsa, 32);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("token/tpm_tcti");
    TCase *tests = tcase_create("tcti");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 120);
    tcase_add_loop_test(tests, keys_are_made_and_sign, 0, G_N_ELEMENTS(ways));
    tcase_add_loop_test(tests, many_keys_are_used_in_turn, 0, G_N_ELEMENTS(ways));
    tcase_add_loop_test(tests, what_stands_between_may_be_restarted, 1, G_N_ELEMENTS(ways));
    tcase_add_loop_test(tests, while_it_is_away_the_token_is_and_then_is_back, 1,
                        G_N_ELEMENTS(ways));
    suite_add_tcase(suite, tests);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
