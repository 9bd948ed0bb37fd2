/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* softhsm2-util and a directory. */

#include "tests/support/softhsm.h"

#include <glib/gstdio.h>
#include <stdlib.h>

#define INIT_TOKEN                                              \
    "softhsm2-util --init-token --free --label '" SOFTHSM_LABEL \
    "' --so-pin 12345678 --pin " SOFTHSM_PIN

char *
softhsm_shell(const SoftHsm *hsm, const char *command)
{
    g_autofree char *line =
        g_strdup_printf("dir='%s' module='" SOFTHSM_MODULE "'; %s 2>&1", hsm->dir, command);
    const char *const argv[] = {"/bin/sh", "-c", line, NULL};
    g_auto(GStrv) env = g_environ_unsetenv(g_get_environ(), "OPENSSL_CONF");
    g_autoptr(GError) error = NULL;
    char *out = NULL;
    int status = -1;

    if (!g_spawn_sync(NULL, (char **)argv, env, 0, NULL, NULL, &out, NULL, &status, &error) ||
        !g_spawn_check_wait_status(status, &error))
        g_error("'%s': %s: %s", command, error->message, out ? out : "");
    return out;
}

static void
run(const SoftHsm *hsm, const char *command)
{
    g_free(softhsm_shell(hsm, command));
}

char *
softhsm_dup_uri(const SoftHsm *hsm, const char *module)
{
    return g_strdup_printf("pkcs11:token=signet%%20test?module-path=%s", module);
}

void
softhsm_write_pin(const SoftHsm *hsm, const char *text, guint mode)
{
    g_autoptr(GError) error = NULL;

    if (!g_file_set_contents(hsm->pin_file, text, -1, &error) ||
        g_chmod(hsm->pin_file, (int)mode) < 0)
        g_error("cannot write the PIN: %s", error ? error->message : "chmod");
}

SoftHsm *
softhsm_new(void)
{
    SoftHsm *hsm = g_new0(SoftHsm, 1);
    g_autofree char *config = NULL;
    g_autofree char *text = NULL;
    g_autoptr(GError) error = NULL;

    hsm->dir = g_dir_make_tmp("signet-softhsm.XXXXXX", &error);
    if (!hsm->dir)
        g_error("%s", error->message);
    hsm->pin_file = g_build_filename(hsm->dir, "pin", NULL);
    hsm->uri = softhsm_dup_uri(hsm, SOFTHSM_MODULE);
    config = g_build_filename(hsm->dir, "softhsm2.conf", NULL);
    text = g_strdup_printf("directories.tokendir = %s/tokens\nobjectstore.backend = file\n"
                           "log.level = ERROR\n",
                           hsm->dir);
    if (!g_file_set_contents(config, text, -1, &error))
        g_error("%s", error->message);
    g_setenv("SOFTHSM2_CONF", config, TRUE);
    run(hsm, "mkdir $dir/tokens");
    run(hsm, INIT_TOKEN);
    softhsm_write_pin(hsm, SOFTHSM_PIN "\n", 0600);
    return hsm;
}

void
softhsm_free(SoftHsm *hsm)
{
    run(hsm, "rm -rf \"$dir\"");
    g_free(hsm->dir);
    g_free(hsm->pin_file);
    g_free(hsm->uri);
    g_free(hsm);
}

void
softhsm_take_away(const SoftHsm *hsm)
{
    run(hsm, "mv $dir/tokens $dir/drawer && mkdir $dir/tokens");
}

void
softhsm_bring_back(const SoftHsm *hsm)
{
    run(hsm, "rmdir $dir/tokens && mv $dir/drawer $dir/tokens");
}

void
softhsm_add(const SoftHsm *hsm)
{
    run(hsm, INIT_TOKEN);
}

void
softhsm_replace(const SoftHsm *hsm)
{
    run(hsm, "rm -rf $dir/tokens && mkdir $dir/tokens");
    run(hsm, INIT_TOKEN);
}

void
softhsm_turn(const SoftHsm *hsm, const char *name, const char *text)
{
    g_autofree char *path = g_build_filename(hsm->dir, name, NULL);
    g_autoptr(GError) error = NULL;

    if (!text)
        (void)g_unlink(path);
    else if (!g_file_set_contents(path, text, -1, &error))
        g_error("%s", error->message);
}

char *
softhsm_read(const SoftHsm *hsm, const char *name)
{
    g_autofree char *path = g_build_filename(hsm->dir, name, NULL);
    char *text = NULL;

    (void)g_file_get_contents(path, &text, NULL, NULL);
    return text ? text : g_strdup("");
}
