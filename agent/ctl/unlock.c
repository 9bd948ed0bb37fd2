/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* signetctl unlock TOKEN: hands the PIN of a token to the agent. */

#include <errno.h>
#include <fcntl.h>
#include <gio/gunixfdlist.h>
#include <string.h>
#include <unistd.h>

#include "agent/ctl/ask.h"
#include "agent/ctl/commands.h"

#define TIMEOUT_MS (150 * 1000)

static gboolean
is_typed_at_reader(SignetDbusToken1 *token)
{
    return g_strcmp0(signet_dbus_token1_get_unlock_by(token), "reader") == 0;
}

static gboolean
is_configured(SignetDbusToken1 *token)
{
    return g_strcmp0(signet_dbus_token1_get_unlock_by(token), "configuration") == 0;
}

static gboolean
ask_terminal(SignetDbusToken1 *token, SignetAsked *ret_asked)
{
    g_autofree char *question =
        g_strdup_printf("PIN of '%s'%s: ", signet_dbus_token1_get_name(token),
                        is_configured(token) ? " (nothing: the configured one again)" : "");
    int fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
    gboolean is_read;

    if (fd < 0)
        return signet_ask_terminal(STDIN_FILENO, question, ret_asked);
    is_read = signet_ask_terminal(fd, question, ret_asked);
    (void)close(fd);
    return is_read;
}

static gboolean
ask(SignetCtl *ctl, SignetDbusToken1 *token, SignetAsked *ret_asked)
{
    if (ctl->unlock.pin_fd >= 0)
        return signet_ask_fd(ctl->unlock.pin_fd, ret_asked);
    if (is_typed_at_reader(token)) {
        g_printerr("Type the PIN at the reader of '%s'.\n", signet_dbus_token1_get_name(token));
        return TRUE;
    }
    return isatty(STDIN_FILENO) ? ask_terminal(token, ret_asked)
                                : signet_ask_fd(STDIN_FILENO, ret_asked);
}

static gboolean
send_pin(SignetCtl *ctl, SignetDbusToken1 *token, int fd, GError **error)
{
    g_autoptr(GUnixFDList) fds = g_unix_fd_list_new();
    GVariantDict options;
    int index = g_unix_fd_list_append(fds, fd, error);

    if (index < 0)
        return FALSE;
    g_variant_dict_init(&options, NULL);
    if (ctl->unlock.is_last_try)
        g_variant_dict_insert(&options, "last_try", "b", TRUE);
    if (ctl->unlock.is_again)
        g_variant_dict_insert(&options, "again", "b", TRUE);
    return signet_dbus_token1_call_unlock_sync(
        token, g_variant_new_handle(index), g_variant_dict_end(&options),
        G_DBUS_CALL_FLAGS_ALLOW_INTERACTIVE_AUTHORIZATION, TIMEOUT_MS, fds, NULL, NULL, error);
}

static SignetCtlExit
report(SignetCtl *ctl, SignetDbusToken1 *token, const GError *error)
{
    const char *name = signet_dbus_token1_get_name(token);
    g_autofree char *doing = g_strdup_printf("unlock '%s'", name);
    g_autofree char *line = g_strdup_printf("Token '%s' is unlocked.\n", name);
    GVariantDict dict;

    if (error)
        return signet_ctl_report(error, doing);
    if (ctl->is_json) {
        g_variant_dict_init(&dict, NULL);
        g_variant_dict_insert(&dict, "unlocked", "s", name);
        signet_ctl_print_json(g_variant_dict_end(&dict), TRUE);
    } else {
        signet_ctl_print_text(line);
    }
    return SIGNET_CTL_OK;
}

static SignetCtlExit
unlock(SignetCtl *ctl, SignetDbusToken1 *token)
{
    SignetAsked asked = {.size = 0};
    g_autoptr(GError) error = NULL;
    int fd;

    if (!ask(ctl, token, &asked)) {
        explicit_bzero(&asked, sizeof asked);
        g_printerr("signetctl: cannot read the PIN: %s\n",
                   errno == EFBIG ? "it is too long for one" : g_strerror(errno));
        return SIGNET_CTL_FAILED;
    }
    fd = signet_ask_to_memfd(&asked);
    explicit_bzero(&asked, sizeof asked);
    if (fd < 0) {
        g_printerr("signetctl: cannot hand on the PIN: %s\n", g_strerror(errno));
        return SIGNET_CTL_FAILED;
    }
    (void)send_pin(ctl, token, fd, &error);
    (void)close(fd);
    return report(ctl, token, error);
}

SignetCtlExit
signet_ctl_unlock(SignetCtl *ctl, int argc, char **argv)
{
    SignetCtlExit code = signet_ctl_connect(ctl);
    g_autoptr(SignetDbusToken1) token = NULL;

    if (code != SIGNET_CTL_OK)
        return code;
    token = signet_ctl_find_token(ctl, argv[0]);
    if (!token)
        return SIGNET_CTL_FAILED;
    if (g_strcmp0(signet_dbus_token1_get_state(token), "ready") == 0) {
        g_printerr("Token '%s' is not locked.\n", argv[0]);
        return SIGNET_CTL_OK;
    }
    return unlock(ctl, token);
}
