/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* signet-module: keeps one PKCS#11 module out of signetd's address space. */

#define P11_KIT_FUTURE_UNSTABLE_API
#include <p11-kit/remote.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define EXIT_USAGE 2

/* The agent's threads leave signals to its main thread; here nobody else takes them. */
static void
unblock_signals(void)
{
    sigset_t none;

    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

/* The PIN and whatever the module keeps shall be on no disk and in no debugger's hands. */
static int
harden(void)
{
    const struct rlimit no_core = {0, 0};

    umask(077);
    return setrlimit(RLIMIT_CORE, &no_core) == 0 && prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0 &&
           prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0;
}

/* One connection, and no way to another. */
static int
take_connection(void)
{
    int fd = accept4(STDIN_FILENO, NULL, NULL, SOCK_CLOEXEC);

    if (fd >= 0)
        close(STDIN_FILENO);
    return fd;
}

int
main(int argc, char **argv)
{
    CK_FUNCTION_LIST *module;
    int fd, rc;

    if (argc != 2 || argv[1][0] != '/') {
        fprintf(stderr, "usage: signet-module /PATH/OF/MODULE, started by signetd\n");
        return EXIT_USAGE;
    }
    unblock_signals();
    unsetenv("P11_KIT_SERVER_ADDRESS");
    if (!harden() || (fd = take_connection()) < 0) {
        fprintf(stderr, "signet-module: cannot start: %s\n", strerror(errno));
        return EXIT_FAILURE;
    }
    module = p11_kit_module_load(argv[1], 0);
    if (!module) {
        fprintf(stderr, "signet-module: module '%s' cannot be loaded: %s\n", argv[1],
                p11_kit_message());
        return EXIT_FAILURE;
    }
    rc = p11_kit_remote_serve_module(module, fd, fd);
    p11_kit_module_release(module);
    return rc == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
