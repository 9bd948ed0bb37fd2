/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* signetctl adopt IDENTITY: a key that exists already. Files are read here, with the caller's
 * rights; the password goes to the agent in sealed memory. */

#include "agent/ctl/commands.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <termios.h>
#include <unistd.h>

#include "agent/ctl/file.h"
#include "agent/ctl/wait.h"

#define KEY_MAX          16384u
#define CERTIFICATES_MAX 65536u
#define PASSWORD_MAX     64u

static gboolean
add_file(GVariantDict *options, const char *name, const char *path, gsize max)
{
    g_autofree char *buffer = g_malloc(max);
    gssize size = signet_ctl_read_file(path, buffer, max);

    if (size < 0)
        return FALSE;
    g_variant_dict_insert_value(
        options, name, g_variant_new_fixed_array(G_VARIANT_TYPE_BYTE, buffer, (gsize)size, 1));
    return TRUE;
}

/* --- the password --- */

static gssize
ask_password(char *buffer, gsize size)
{
    int fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
    struct termios before, quiet;
    ssize_t n = -1;

    if (fd < 0 || tcgetattr(fd, &before) < 0) {
        g_printerr("signetctl: there is no terminal to ask for the password; see "
                   "--password-file\n");
        if (fd >= 0)
            close(fd);
        return -1;
    }
    quiet = before;
    quiet.c_lflag &= ~(tcflag_t)ECHO;
    (void)tcsetattr(fd, TCSAFLUSH, &quiet);
    (void)!write(fd, "Password of the key: ", 21);
    n = read(fd, buffer, size);
    (void)tcsetattr(fd, TCSAFLUSH, &before);
    (void)!write(fd, "\n", 1);
    close(fd);
    return n;
}

static int
seal(const char *bytes, gsize size)
{
    int fd = memfd_create("signet-password", MFD_CLOEXEC | MFD_ALLOW_SEALING);

    if (fd >= 0 && write(fd, bytes, size) == (ssize_t)size &&
        fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) == 0)
        return fd;
    g_printerr("signetctl: cannot hand over the password: %s\n", g_strerror(errno));
    if (fd >= 0)
        close(fd);
    return -1;
}

/* Without the line's end. */
static gboolean
add_password(SignetCtlChange *change, const SignetCtl *ctl)
{
    char buffer[PASSWORD_MAX + 2];
    gssize size = ctl->adoption.is_password_asked
                      ? ask_password(buffer, sizeof buffer)
                      : signet_ctl_read_file(ctl->adoption.password_file, buffer, sizeof buffer);
    int fd = -1;

    if (size > 0 && buffer[size - 1] == '\n')
        size--;
    if (size > (gssize)PASSWORD_MAX)
        g_printerr("signetctl: the password is longer than %u bytes\n", PASSWORD_MAX);
    else if (size >= 0)
        fd = seal(buffer, (gsize)size);
    explicit_bzero(buffer, sizeof buffer);
    if (fd < 0)
        return FALSE;
    change->fds = g_unix_fd_list_new_from_array(&fd, 1);
    g_variant_dict_insert(change->options, "auth", "h", 0);
    return TRUE;
}

/* --- all --- */

static gboolean
add_options(SignetCtlChange *change, const SignetCtl *ctl)
{
    GVariantDict *options = change->options;

    if (ctl->adoption.object)
        g_variant_dict_insert(options, "object", "s", ctl->adoption.object);
    if (ctl->adoption.is_taken_over)
        g_variant_dict_insert(options, "take_over", "b", TRUE);
    if (ctl->adoption.is_enrolled)
        g_variant_dict_insert(options, "enroll", "b", TRUE);
    return (!ctl->adoption.key_file || add_file(options, "key", ctl->adoption.key_file, KEY_MAX)) &&
           (!ctl->adoption.cert_file ||
            add_file(options, "certificates", ctl->adoption.cert_file, CERTIFICATES_MAX)) &&
           ((!ctl->adoption.password_file && !ctl->adoption.is_password_asked) ||
            add_password(change, ctl));
}

SignetCtlExit
signet_ctl_adopt(SignetCtl *ctl, int argc, char **argv)
{
    g_autoptr(GVariantDict) options = g_variant_dict_new(NULL);
    SignetCtlChange change = {.method = "Adopt", .doing = "adopt a key for", .options = options};
    SignetCtlExit code = SIGNET_CTL_FAILED;

    if (ctl->adoption.key_file && ctl->adoption.object)
        return signet_ctl_refuse("--key and --object name two keys; give one of them");
    if (add_options(&change, ctl))
        code = signet_ctl_change_with(ctl, argv[0], &change);
    g_clear_object(&change.fds);
    return code;
}
