/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* signetctl: a PIN from the person at the terminal, or from a descriptor. */

#include "agent/ctl/ask.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <termios.h>
#include <unistd.h>

/* --- reading --- */

/* At most one byte more than may be. FALSE with errno. */
static gboolean
read_text(int fd, gboolean is_line, SignetAsked *ret_asked)
{
    gsize size = 0;

    while (size < sizeof ret_asked->text &&
           !(is_line && size && ret_asked->text[size - 1] == '\n')) {
        gssize got = read(fd, ret_asked->text + size, sizeof ret_asked->text - size);

        if (got == 0)
            break;
        if (got < 0 && (errno != EINTR || is_line))
            return FALSE;
        if (got > 0)
            size += (gsize)got;
    }
    if (size > 0 && ret_asked->text[size - 1] == '\n')
        size--;
    if (size > SIGNET_ASK_MAX) {
        errno = EFBIG;
        return FALSE;
    }
    ret_asked->size = size;
    return TRUE;
}

gboolean
signet_ask_fd(int fd, SignetAsked *ret_asked)
{
    return read_text(fd, FALSE, ret_asked);
}

/* --- the terminal --- */

static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP};
static volatile sig_atomic_t caught;

static void
on_signal(int number)
{
    caught = number;
}

static void
catch_signals(struct sigaction *before)
{
    struct sigaction action = {.sa_handler = on_signal}; /* no SA_RESTART: read() shall end */

    sigemptyset(&action.sa_mask);
    caught = 0;
    for (gsize i = 0; i < G_N_ELEMENTS(signals); i++)
        sigaction(signals[i], &action, &before[i]);
}

static void
release_signals(const struct sigaction *before)
{
    for (gsize i = 0; i < G_N_ELEMENTS(signals); i++)
        sigaction(signals[i], &before[i], NULL);
}

static void
write_text(int fd, const char *text)
{
    (void)!write(fd, text, strlen(text));
}

/* Whatever happens, the terminal shows again what is typed. */
gboolean
signet_ask_terminal(int fd, const char *question, SignetAsked *ret_asked)
{
    struct sigaction before[G_N_ELEMENTS(signals)];
    struct termios shown, hidden;
    gboolean is_read;
    int saved_errno;

    if (tcgetattr(fd, &shown) < 0)
        return FALSE;
    hidden = shown;
    hidden.c_lflag &= ~(tcflag_t)ECHO;
    catch_signals(before);
    (void)tcsetattr(fd, TCSAFLUSH, &hidden);
    write_text(fd, question);
    is_read = read_text(fd, TRUE, ret_asked);
    saved_errno = errno;
    (void)tcsetattr(fd, TCSAFLUSH, &shown);
    write_text(fd, "\n");
    release_signals(before);
    if (caught)
        (void)raise(caught);
    errno = saved_errno;
    return is_read;
}

/* --- handing it on --- */

int
signet_ask_to_memfd(const SignetAsked *asked)
{
    int fd = memfd_create("pin", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    int saved_errno;

    if (fd < 0)
        return -1;
    if (write(fd, asked->text, asked->size) == (gssize)asked->size &&
        fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) == 0)
        return fd;
    saved_errno = errno;
    (void)close(fd);
    errno = saved_errno;
    return -1;
}
