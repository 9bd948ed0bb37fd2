/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* signetctl: a PIN from the person at the terminal, or from a descriptor. It is never on the
 * command line or in the environment. */

#pragma once

#include <glib.h>

#define SIGNET_ASK_MAX 255

/* The caller cleanses it. */
typedef struct {
    char text[SIGNET_ASK_MAX + 2];
    gsize size;
} SignetAsked;

/* Writes question to the terminal fd and reads a line without showing it. FALSE with errno: EINTR
 * when it was interrupted, EFBIG when it is longer than SIGNET_ASK_MAX. */
gboolean signet_ask_terminal(int fd, const char *question, SignetAsked *ret_asked);
/* All that fd gives, without the line's end. FALSE with errno as above. */
gboolean signet_ask_fd(int fd, SignetAsked *ret_asked);
/* A sealed memfd that holds it; -1 with errno. */
int signet_ask_to_memfd(const SignetAsked *asked);
