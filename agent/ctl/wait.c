/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Enroll, rotate and adopt: the call that takes as long as a CA takes, with its progress on stderr.
 */

#include "agent/ctl/wait.h"

#include <unistd.h>

#include "agent/ctl/table.h"

/* Longer than the agent itself waits, so that the answer is always the agent's. */
#define TIMEOUT_MS (330 * 1000)

typedef struct {
    SignetDbusIdentity1 *identity; /* (owned) */
    GMainLoop *loop;               /* (owned) */
    guint generation;
    GError *error; /* (owned, nullable) */
    char *last;    /* (owned, nullable) the progress shown last */
    gboolean is_tty;
} Wait;

static void
on_done(GObject *source, GAsyncResult *result, gpointer data)
{
    Wait *wait = data;
    g_autoptr(GVariant) reply = g_dbus_proxy_call_with_unix_fd_list_finish(
        G_DBUS_PROXY(source), NULL, result, &wait->error);

    if (reply)
        g_variant_get(reply, "(u)", &wait->generation);
    g_main_loop_quit(wait->loop);
}

/* A terminal shows one line that changes; a log gets one line for each state. */
static void
on_changed(GDBusProxy *proxy, GVariant *changed, const char *const *invalidated, gpointer data)
{
    Wait *wait = data;
    const char *state = signet_dbus_identity1_get_state(wait->identity);
    const char *cause = signet_dbus_identity1_get_cause(wait->identity);
    g_autofree char *line =
        g_strdup_printf("%s: %s%s%s", signet_dbus_identity1_get_name(wait->identity),
                        state ? state : "?", cause && *cause ? ": " : "", cause ? cause : "");
    g_autofree char *clean = signet_table_clean(line);

    if (g_strcmp0(clean, wait->last) == 0)
        return;
    if (wait->is_tty)
        g_printerr("\r\033[K%s …", clean);
    else
        g_printerr("%s\n", clean);
    g_free(wait->last);
    wait->last = g_steal_pointer(&clean);
}

static void
start(Wait *wait, const SignetCtlChange *change)
{
    g_dbus_proxy_call_with_unix_fd_list(
        G_DBUS_PROXY(wait->identity), change->method,
        g_variant_new("(@a{sv})", g_variant_dict_end(change->options)),
        G_DBUS_CALL_FLAGS_ALLOW_INTERACTIVE_AUTHORIZATION, TIMEOUT_MS, change->fds, NULL, on_done,
        wait);
}

static void
print_outcome(const SignetCtl *ctl, const Wait *wait, guint previous)
{
    const char *name = signet_dbus_identity1_get_name(wait->identity);
    g_autofree char *line = NULL;
    GVariantDict dict;

    if (ctl->is_json) {
        g_variant_dict_init(&dict, NULL);
        g_variant_dict_insert(&dict, "identity", "s", name);
        g_variant_dict_insert(&dict, "generation", "u", wait->generation);
        g_variant_dict_insert(&dict, "previous", "u", previous);
        signet_ctl_print_json(g_variant_dict_end(&dict), TRUE);
        return;
    }
    if (wait->generation == 0)
        line = g_strdup_printf("%s: started; see: signetctl watch\n", name);
    else if (wait->generation == previous)
        line = g_strdup_printf("%s: generation %u is current already\n", name, previous);
    else if (previous == 0)
        line = g_strdup_printf("%s: generation %u is current\n", name, wait->generation);
    else
        line = g_strdup_printf("%s: generation %u is current (was %u)\n", name, wait->generation,
                               previous);
    signet_ctl_print_text(line);
}

static SignetCtlExit
run(const SignetCtl *ctl, Wait *wait, const SignetCtlChange *change)
{
    guint previous = signet_dbus_identity1_get_current_generation(wait->identity);
    g_autofree char *doing =
        g_strdup_printf("%s '%s'", change->doing, signet_dbus_identity1_get_name(wait->identity));

    g_signal_connect(wait->identity, "g-properties-changed", G_CALLBACK(on_changed), wait);
    start(wait, change);
    g_main_loop_run(wait->loop);
    if (wait->is_tty && wait->last)
        g_printerr("\r\033[K");
    if (wait->error)
        return signet_ctl_report(wait->error, doing);
    print_outcome(ctl, wait, previous);
    return SIGNET_CTL_OK;
}

SignetCtlExit
signet_ctl_change_with(SignetCtl *ctl, const char *name, const SignetCtlChange *change)
{
    SignetCtlExit code = signet_ctl_connect(ctl);
    Wait wait = {.is_tty = isatty(STDERR_FILENO)};

    if (code != SIGNET_CTL_OK)
        return code;
    wait.identity = signet_ctl_find_identity(ctl, name);
    if (!wait.identity)
        return SIGNET_CTL_FAILED;
    if (ctl->is_no_wait)
        g_variant_dict_insert(change->options, "no_wait", "b", TRUE);
    wait.loop = g_main_loop_new(NULL, FALSE);
    code = run(ctl, &wait, change);
    g_signal_handlers_disconnect_by_data(wait.identity, &wait);
    g_main_loop_unref(wait.loop);
    g_object_unref(wait.identity);
    g_clear_error(&wait.error);
    g_free(wait.last);
    return code;
}

SignetCtlExit
signet_ctl_change(SignetCtl *ctl, const char *name, const char *method)
{
    g_autoptr(GVariantDict) options = g_variant_dict_new(NULL);
    g_autofree char *doing = g_ascii_strdown(method, -1);

    return signet_ctl_change_with(
        ctl, name, &(SignetCtlChange) {.method = method, .doing = doing, .options = options});
}
