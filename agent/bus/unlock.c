/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Unlock and Lock of a token: a PIN comes in a pipe or a memfd, and never stands in a message. */

#include "agent/bus/token.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gunixfdlist.h>
#include <glib-unix.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/base/log.h"
#include "agent/bus/options.h"

#define PIN_MAX    255
#define TIMEOUT_MS 120000 /* somebody may be typing at the reader */

/* --- the PIN --- */

/* Neither kind can make us wait: a memfd is memory, and a pipe can be told not to block. */
static gboolean
make_ready(int fd, GError **error)
{
    struct stat st;

    if (fstat(fd, &st) == 0 && S_ISFIFO(st.st_mode) && g_unix_set_fd_nonblocking(fd, TRUE, NULL))
        return TRUE;
    if (fcntl(fd, F_GET_SEALS) >= 0 && lseek(fd, 0, SEEK_SET) == 0)
        return TRUE;
    return signet_error_set(error, SIGNET_ERROR_BAD_REQUEST,
                            "the PIN must come in a pipe or a memfd");
}

/* NULL without error: nothing was written. */
static SignetSecret *
read_pin(int fd, GError **error)
{
    SignetSecret *pin = make_ready(fd, error) ? signet_secret_read(fd, PIN_MAX) : NULL;

    if (pin || (error && *error) || errno == ENODATA)
        return pin;
    if (errno == EAGAIN)
        signet_error_set(error, SIGNET_ERROR_BAD_REQUEST,
                         "the pipe with the PIN is open for writing; write the PIN and close it "
                         "before the call");
    else if (errno == EFBIG)
        signet_error_set(error, SIGNET_ERROR_BAD_REQUEST, "a PIN has at most %d bytes", PIN_MAX);
    else
        signet_error_set(error, SIGNET_ERROR_BAD_REQUEST, "the PIN cannot be read: %s",
                         g_strerror(errno));
    return NULL;
}

static int
take_fd(SignetBusCall *call, gint32 index, GError **error)
{
    GDBusMessage *message = g_dbus_method_invocation_get_message(call->invocation);
    GUnixFDList *fds = g_dbus_message_get_unix_fd_list(message);

    if (fds && index >= 0 && index < g_unix_fd_list_get_length(fds))
        return g_unix_fd_list_get(fds, index, error);
    signet_error_set(error, SIGNET_ERROR_BAD_REQUEST, "no descriptor came along");
    return -1;
}

static gboolean
take_unlock(SignetBusCall *call, SignetTokenUnlock *ret_unlock, GError **error)
{
    GVariant *parameters = g_dbus_method_invocation_get_parameters(call->invocation);
    g_autoptr(GVariant) options = g_variant_get_child_value(parameters, 1);
    g_autoptr(GError) local = NULL;
    gint32 index;
    int fd;

    g_variant_get_child(parameters, 0, "h", &index);
    if (!signet_unlock_options_parse(options, ret_unlock, error))
        return FALSE;
    fd = take_fd(call, index, error);
    if (fd < 0)
        return FALSE;
    ret_unlock->pin = read_pin(fd, &local);
    close(fd);
    if (!local)
        return TRUE;
    g_propagate_error(error, g_steal_pointer(&local));
    return FALSE;
}

/* --- the calls --- */

static void
log_done(const SignetBusCall *call)
{
    const char *name = signet_token_get_name(call->token);
    const char *method = call->row->method;
    g_autofree char *uid = g_strdup_printf("%u", (guint)signet_peer_get_uid(call->caller->peer));

    signet_log(
        LOG_NOTICE,
        SIGNET_LOG_FIELDS("SIGNET_TOKEN", name, "SIGNET_METHOD", method, "SIGNET_PEER_UID", uid),
        "token '%s' was %s by %s (uid %s)", name,
        g_str_equal(method, "Lock") ? "locked" : "unlocked",
        signet_peer_get_program(call->caller->peer), uid);
}

/* The call is there: whoever ends it cancels the request. */
static void
on_done(GBytes *result, const GError *error, gpointer data)
{
    SignetBusCall *call = data;

    call->request = 0;
    if (error) {
        signet_bus_call_fail(call, error);
        return;
    }
    log_done(call);
    signet_bus_call_reply(call, g_variant_new("()"));
}

void
signet_bus_token_unlock(SignetBusCall *call)
{
    const SignetTokenWait wait = {.timeout_ms = TIMEOUT_MS};
    SignetTokenUnlock unlock = {0};
    g_autoptr(GError) error = NULL;

    if (signet_bus_token_find(call, &error) && take_unlock(call, &unlock, &error))
        call->request = signet_token_unlock(call->token, &wait, &unlock, on_done, call);
    g_clear_pointer(&unlock.pin, signet_secret_unref);
    if (error)
        signet_bus_call_fail(call, error);
}

void
signet_bus_token_lock(SignetBusCall *call)
{
    const SignetTokenWait wait = {.timeout_ms = TIMEOUT_MS};
    g_autoptr(GError) error = NULL;

    if (signet_bus_token_find(call, &error))
        call->request = signet_token_lock(call->token, &wait, on_done, call);
    else
        signet_bus_call_fail(call, error);
}
