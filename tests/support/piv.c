/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* reader.py as a child process, ordered about over its socket. */

#include "tests/support/piv.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <openssl/x509.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define START_TIMEOUT_US (20 * G_USEC_PER_SEC)
#define POLL_US          10000
#define ANSWER_MAX       8192

static void
die_with_parent(gpointer data)
{
    prctl(PR_SET_PDEATHSIG, SIGTERM);
}

static void
await_control(const Piv *piv)
{
    g_autofree char *control = g_build_filename(piv->dir, "control", NULL);
    gint64 end_us = g_get_monotonic_time() + START_TIMEOUT_US;

    while (!g_file_test(control, G_FILE_TEST_EXISTS)) {
        if (waitpid(piv->pid, NULL, WNOHANG) != 0)
            g_error("the PIV reader ended at once; see %s/pcscd.log", piv->dir);
        if (g_get_monotonic_time() > end_us)
            g_error("the PIV reader does not come up; see %s/pcscd.log", piv->dir);
        g_usleep(POLL_US);
    }
}

Piv *
piv_new(void)
{
    Piv *piv = g_new0(Piv, 1);
    char *argv[] = {PIV_READER, "serve", NULL, NULL};
    g_auto(GStrv) env = g_environ_unsetenv(g_get_environ(), "OPENSSL_CONF");
    g_autoptr(GError) error = NULL;
    g_autofree char *pcscd = NULL;
    g_autofree char *opensc = NULL;

    piv->dir = g_dir_make_tmp("signet-piv.XXXXXX", &error);
    if (!piv->dir)
        g_error("%s", error->message);
    piv->pin_file = g_build_filename(piv->dir, "pin", NULL);
    piv->uri = g_strdup("pkcs11:manufacturer=piv_II?module-path=" OPENSC_MODULE);
    pcscd = g_build_filename(piv->dir, "pcscd", "pcscd.comm", NULL);
    opensc = g_build_filename(piv->dir, "opensc.conf", NULL);
    g_setenv("PCSCLITE_CSOCK_NAME", pcscd, TRUE);
    g_setenv("OPENSC_CONF", opensc, TRUE);
    piv_write_pin(piv, PIV_PIN);
    argv[2] = piv->dir;
    if (!g_spawn_async(NULL, argv, env, G_SPAWN_DO_NOT_REAP_CHILD, die_with_parent, NULL, &piv->pid,
                       &error))
        g_error("cannot start the PIV reader: %s", error->message);
    await_control(piv);
    return piv;
}

void
piv_free(Piv *piv)
{
    char *argv[] = {"rm", "-rf", piv->dir, NULL};

    kill(piv->pid, SIGTERM);
    waitpid(piv->pid, NULL, 0);
    g_spawn_sync(NULL, argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL, NULL, NULL);
    g_free(piv->dir);
    g_free(piv->pin_file);
    g_free(piv->uri);
    g_free(piv);
}

/* --- orders --- */

static int
connect_to(const Piv *piv)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    g_snprintf(address.sun_path, sizeof address.sun_path, "%s/control", piv->dir);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) < 0)
        g_error("cannot reach the PIV reader: %s", g_strerror(errno));
    return fd;
}

char *
piv_ask(const Piv *piv, const char *order)
{
    g_autofree char *line = g_strconcat(order, "\n", NULL);
    g_autofree char *answer = g_malloc0(ANSWER_MAX);
    int fd = connect_to(piv);
    gsize size = 0;
    ssize_t n = write(fd, line, strlen(line));

    while (n > 0 && size < ANSWER_MAX - 1) {
        n = read(fd, answer + size, ANSWER_MAX - 1 - size);
        size += n > 0 ? (gsize)n : 0;
    }
    close(fd);
    if (size == 0 || g_str_has_prefix(answer, "error:"))
        g_error("the PIV reader does not '%s': %s", order, answer);
    return g_strdup(g_strstrip(answer));
}

void
piv_tell(const Piv *piv, const char *order)
{
    g_free(piv_ask(piv, order));
}

guint
piv_ask_number(const Piv *piv, const char *order)
{
    g_autofree char *answer = piv_ask(piv, order);

    return (guint)g_ascii_strtoull(answer, NULL, 10);
}

GBytes *
piv_read_spki(const Piv *piv, const char *slot)
{
    g_autofree char *order = g_strconcat("certificate ", slot, NULL);
    g_autofree char *hex = piv_ask(piv, order);
    long size = 0;
    unsigned char *der = OPENSSL_hexstr2buf(hex, &size);
    const unsigned char *p = der;
    X509 *certificate = d2i_X509(NULL, &p, size);
    unsigned char *spki = NULL;
    int spki_size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &spki);
    GBytes *bytes = g_bytes_new(spki, (gsize)spki_size);

    OPENSSL_free(spki);
    OPENSSL_free(der);
    X509_free(certificate);
    return bytes;
}

void
piv_write_pin(const Piv *piv, const char *pin)
{
    g_autoptr(GError) error = NULL;

    if (!g_file_set_contents(piv->pin_file, pin, -1, &error) || g_chmod(piv->pin_file, 0600) < 0)
        g_error("cannot write the PIN: %s", error ? error->message : "chmod");
}
