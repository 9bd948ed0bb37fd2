/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Stands in for signet-enroll and misbehaves: 'stand-in --provider MODE'. */

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

extern char **environ;

/* What the agent's end must see: that this is a socket, and nothing else was handed down. */
static int
report_inheritance(void)
{
    char text[256];
    int n_open = 0;

    for (int fd = 4; fd < 256; fd++)
        n_open += fcntl(fd, F_GETFD) >= 0;
    int n_variables = 0;
    while (environ[n_variables])
        n_variables++;
    const char *socket_name = getenv("SIGNET_SOCKET");
    int size = snprintf(text, sizeof(text), "open=%d variables=%d socket=%s", n_open, n_variables,
                        socket_name ? socket_name : "");
    return send(3, text, (size_t)size, 0) == size ? 0 : 1;
}

static int
wait_for_reply(void)
{
    char buffer[16];

    return recv(3, buffer, sizeof(buffer), 0) > 0 ? 0 : 1;
}

int
main(int argc, char **argv)
{
    const char *mode = argc == 3 ? argv[2] : "";

    if (strcmp(mode, "hang") == 0) {
        signal(SIGTERM, SIG_IGN);
        for (;;)
            pause();
    }
    if (strcmp(mode, "crash") == 0)
        abort();
    if (strcmp(mode, "silent") == 0)
        return 0;
    if (strcmp(mode, "fail") == 0) {
        fputs("stand-in: no luck today\n", stderr);
        return 7;
    }
    if (strcmp(mode, "flood") == 0) {
        for (int i = 0; i < 100000; i++)
            puts("all work and no play makes a dull process");
        return 9;
    }
    if (strcmp(mode, "answer") == 0)
        return send(3, "result", 6, 0) == 6 ? wait_for_reply() : 1;
    if (strcmp(mode, "answer-and-hang") == 0) {
        send(3, "result", 6, 0);
        for (;;)
            pause();
    }
    if (strcmp(mode, "inherit") == 0)
        return report_inheritance() == 0 ? wait_for_reply() : 1;
    /* A grandchild that keeps the pipe and the socket open must not keep the job open. */
    if (strcmp(mode, "orphan") == 0) {
        if (fork() == 0) {
            sleep(5);
            _exit(0);
        }
        return 3;
    }
    return 100;
}
