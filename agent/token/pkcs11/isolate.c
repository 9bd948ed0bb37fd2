/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* The client connects, by a path that it reads from the environment when it is loaded. So each
 * process gets a listening socket in a directory of its own, whose path stands in the environment
 * just while the client is loaded. */

#include "agent/token/pkcs11/isolate.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/base/error.h"

#define CLIENT      "p11-kit-client.so" /* in p11-kit's directory of modules */
#define END_TRIES   20
#define END_WAIT_US 5000
#define VARIABLE    "P11_KIT_SERVER_ADDRESS"

struct SignetPkcs11Isolate {
    char *name;    /* (owned) of the token */
    char *program; /* (owned) */

    /* the device's one user */
    char *module; /* (owned, nullable) */
    char *dir;    /* (owned, nullable) of the socket */
    char *path;   /* (owned, nullable) of the socket */

    pthread_mutex_t mutex; /* guards pid: it is not reaped while it is killed */
    pid_t pid;             /* 0: none */
    gboolean was_killed;
};

/* Memory of the environment: its name never changes, its value only under address_mutex. */
static char address[sizeof(VARIABLE) + 256] = VARIABLE "=unix:path=/nonexistent";
static pthread_mutex_t address_mutex = PTHREAD_MUTEX_INITIALIZER;

void
signet_pkcs11_isolate_prepare(void)
{
    static gsize done;

    if (g_once_init_enter(&done)) {
        putenv(address);
        g_once_init_leave(&done, 1);
    }
}

SignetPkcs11Isolate *
signet_pkcs11_isolate_new(const char *name, const char *program)
{
    SignetPkcs11Isolate *isolate = g_new0(SignetPkcs11Isolate, 1);

    isolate->name = g_strdup(name);
    isolate->program = g_strdup(program);
    pthread_mutex_init(&isolate->mutex, NULL);
    return isolate;
}

static void
remove_socket(SignetPkcs11Isolate *isolate)
{
    if (isolate->path)
        unlink(isolate->path);
    if (isolate->dir)
        rmdir(isolate->dir);
    g_clear_pointer(&isolate->path, g_free);
    g_clear_pointer(&isolate->dir, g_free);
}

void
signet_pkcs11_isolate_kill(SignetPkcs11Isolate *isolate)
{
    pthread_mutex_lock(&isolate->mutex);
    if (isolate->pid)
        kill(isolate->pid, SIGKILL);
    isolate->was_killed = isolate->pid != 0;
    pthread_mutex_unlock(&isolate->mutex);
}

static void
stop(SignetPkcs11Isolate *isolate)
{
    pid_t pid;

    signet_pkcs11_isolate_kill(isolate);
    pthread_mutex_lock(&isolate->mutex);
    pid = isolate->pid;
    isolate->pid = 0;
    pthread_mutex_unlock(&isolate->mutex);
    while (pid && waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        ;
    remove_socket(isolate);
}

void
signet_pkcs11_isolate_free(SignetPkcs11Isolate *isolate)
{
    stop(isolate);
    pthread_mutex_destroy(&isolate->mutex);
    g_free(isolate->module);
    g_free(isolate->program);
    g_free(isolate->name);
    g_free(isolate);
}

/* --- start --- */

/* -1 with errno */
static int
listen_at(const char *path)
{
    struct sockaddr_un where = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return -1;
    if (g_strlcpy(where.sun_path, path, sizeof where.sun_path) < sizeof where.sun_path &&
        bind(fd, (const struct sockaddr *)&where, sizeof where) == 0 && listen(fd, 1) == 0)
        return fd;
    close(fd);
    return -1;
}

/* The service manager gives a directory that no other user can reach. */
static int
make_socket(SignetPkcs11Isolate *isolate)
{
    const char *base = g_getenv("RUNTIME_DIRECTORY");

    isolate->dir =
        g_build_filename(base && *base == '/' && !strchr(base, ':') ? base : g_get_tmp_dir(),
                         "signet-module-XXXXXX", NULL);
    if (!g_mkdtemp_full(isolate->dir, 0700)) {
        g_clear_pointer(&isolate->dir, g_free);
        return -1;
    }
    isolate->path = g_build_filename(isolate->dir, "socket", NULL);
    return listen_at(isolate->path);
}

static gboolean
spawn(SignetPkcs11Isolate *isolate, int listener, GError **error)
{
    const char *const argv[] = {isolate->program, isolate->module, NULL};
    g_autoptr(GError) local = NULL;
    GPid pid = 0;

    if (!g_spawn_async_with_fds(NULL, (char **)argv, NULL, G_SPAWN_DO_NOT_REAP_CHILD, NULL, NULL,
                                &pid, listener, -1, -1, &local))
        return signet_error_set(error, SIGNET_ERROR_TOKEN_FAILED,
                                "token '%s' cannot be opened: '%s' cannot be started: %s",
                                isolate->name, isolate->program, local->message);
    pthread_mutex_lock(&isolate->mutex);
    isolate->pid = pid;
    isolate->was_killed = FALSE;
    pthread_mutex_unlock(&isolate->mutex);
    return TRUE;
}

static CK_FUNCTION_LIST *
load_client(SignetPkcs11Isolate *isolate)
{
    g_autofree char *escaped = g_uri_escape_string(isolate->path, "/", FALSE);
    CK_FUNCTION_LIST *client;

    pthread_mutex_lock(&address_mutex);
    g_snprintf(address + strlen(VARIABLE "="), sizeof address - strlen(VARIABLE "="),
               "unix:path=%s", escaped);
    client = p11_kit_module_load(CLIENT, 0);
    pthread_mutex_unlock(&address_mutex);
    return client;
}

CK_FUNCTION_LIST *
signet_pkcs11_isolate_load(SignetPkcs11Isolate *isolate, const char *module, GError **error)
{
    CK_FUNCTION_LIST *client = NULL;
    int listener;

    stop(isolate);
    g_free(isolate->module);
    isolate->module = g_strdup(module);
    listener = make_socket(isolate);
    if (listener < 0) {
        signet_error_set(error, SIGNET_ERROR_TOKEN_FAILED,
                         "token '%s' cannot be opened: no socket for its module: %s", isolate->name,
                         g_strerror(errno));
        return NULL;
    }
    if (spawn(isolate, listener, error)) {
        client = load_client(isolate);
        if (!client)
            signet_error_set(error, SIGNET_ERROR_TOKEN_FAILED,
                             "token '%s' cannot be opened: Isolate=yes needs p11-kit's module '%s' "
                             "(package p11-kit-modules): %s",
                             isolate->name, CLIENT, p11_kit_message());
    }
    close(listener);
    return client;
}

/* --- end --- */

static gboolean
has_ended(SignetPkcs11Isolate *isolate, siginfo_t *ret_info)
{
    gboolean ended;

    pthread_mutex_lock(&isolate->mutex);
    ended = isolate->pid && !isolate->was_killed &&
            waitid(P_PID, (id_t)isolate->pid, ret_info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
            ret_info->si_pid == isolate->pid;
    pthread_mutex_unlock(&isolate->mutex);
    return ended;
}

/* The connection ends a moment before the process does. */
char *
signet_pkcs11_isolate_explain(SignetPkcs11Isolate *isolate)
{
    siginfo_t info = {0};
    gboolean ended = has_ended(isolate, &info);

    for (guint i = 0; i < END_TRIES && !ended; i++) {
        g_usleep(END_WAIT_US);
        ended = has_ended(isolate, &info);
    }
    if (!ended)
        return NULL;
    if (info.si_code == CLD_EXITED)
        return g_strdup_printf("its module '%s' ended with status %d", isolate->module,
                               info.si_status);
    return g_strdup_printf("its module '%s' crashed with signal %d (%s)", isolate->module,
                           info.si_status, g_strsignal(info.si_status));
}
