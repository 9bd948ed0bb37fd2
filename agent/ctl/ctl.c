/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* signetctl: what its commands share: the connection to the agent, output, errors and exit codes.
 */

#include "agent/ctl/ctl.h"

#include <stdio.h>

#include "agent/ctl/json.h"
#include "agent/ctl/start.h"
#include "agent/ctl/suggest.h"
#include "agent/ctl/table.h"

#define AGENT_NAME "org.signet.Agent1"
#define ROOT_PATH  "/org/signet"

#define PING_TIMEOUT_MS 3000

static SignetCtlExit
report_absent(const SignetCtl *ctl)
{
    g_printerr("signetctl: the agent does not run%s; start it: systemctl start signetd\n",
               ctl->bus_address ? " on this bus" : "");
    return SIGNET_CTL_UNREACHABLE;
}

static SignetCtlExit
report_unstarted(const SignetCtl *ctl, const GError *error)
{
    if (g_error_matches(error, G_DBUS_ERROR, G_DBUS_ERROR_SERVICE_UNKNOWN))
        return report_absent(ctl);
    if (!g_error_matches(error, G_DBUS_ERROR, G_DBUS_ERROR_TIMED_OUT))
        return signet_ctl_report(error, "start the agent");
    g_printerr("signetctl: the agent does not start; see: systemctl status signetd, signetctl "
               "policy check; when the cause is gone: systemctl start signetd\n");
    return SIGNET_CTL_UNREACHABLE;
}

GDBusConnection *
signet_ctl_open_bus(const SignetCtl *ctl, GError **error)
{
    if (!ctl->bus_address)
        return g_bus_get_sync(G_BUS_TYPE_SYSTEM, NULL, error);
    return g_dbus_connection_new_for_address_sync(
        ctl->bus_address,
        G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT |
            G_DBUS_CONNECTION_FLAGS_MESSAGE_BUS_CONNECTION,
        NULL, NULL, error);
}

gboolean
signet_ctl_is_agent_running(const SignetCtl *ctl)
{
    g_autofree char *owner =
        g_dbus_object_manager_client_get_name_owner(G_DBUS_OBJECT_MANAGER_CLIENT(ctl->manager));

    return owner != NULL;
}

SignetCtlExit
signet_ctl_connect(SignetCtl *ctl)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GDBusConnection) connection = signet_ctl_open_bus(ctl, &error);

    if (!connection) {
        g_printerr("signetctl: cannot reach the system bus: %s; is dbus running?\n",
                   error->message);
        return SIGNET_CTL_UNREACHABLE;
    }
    g_dbus_connection_set_exit_on_close(connection, FALSE);
    if (!signet_ctl_start_agent(connection, &error))
        return report_unstarted(ctl, error);
    ctl->manager = signet_dbus_object_manager_client_new_sync(
        connection, G_DBUS_OBJECT_MANAGER_CLIENT_FLAGS_DO_NOT_AUTO_START, AGENT_NAME, ROOT_PATH,
        NULL, &error);
    if (!ctl->manager)
        return signet_ctl_report(error, "ask the agent");
    return signet_ctl_is_agent_running(ctl) ? SIGNET_CTL_OK : report_absent(ctl);
}

/* One that hangs is not waited for as long as one that works. */
static gboolean
answers(GDBusConnection *connection)
{
    g_autoptr(GVariant) pong = g_dbus_connection_call_sync(
        connection, AGENT_NAME, ROOT_PATH, "org.freedesktop.DBus.Peer", "Ping", NULL, NULL,
        G_DBUS_CALL_FLAGS_NO_AUTO_START, PING_TIMEOUT_MS, NULL, NULL);

    return pong != NULL;
}

gboolean
signet_ctl_is_there(SignetCtl *ctl)
{
    g_autoptr(GDBusConnection) connection = ctl->manager ? NULL : signet_ctl_open_bus(ctl, NULL);

    if (connection && answers(connection)) {
        g_dbus_connection_set_exit_on_close(connection, FALSE);
        ctl->manager = signet_dbus_object_manager_client_new_sync(
            connection, G_DBUS_OBJECT_MANAGER_CLIENT_FLAGS_DO_NOT_AUTO_START, AGENT_NAME, ROOT_PATH,
            NULL, NULL);
    }
    return ctl->manager && signet_ctl_is_agent_running(ctl);
}

static char *
dup_name(GDBusProxy *proxy)
{
    g_autoptr(GVariant) name = g_dbus_proxy_get_cached_property(proxy, "Name");

    return name && g_variant_is_of_type(name, G_VARIANT_TYPE_STRING)
               ? g_variant_dup_string(name, NULL)
               : g_strdup("");
}

static int
compare_names(gconstpointer a, gconstpointer b)
{
    g_autofree char *name_a = dup_name(*(GDBusProxy *const *)a);
    g_autofree char *name_b = dup_name(*(GDBusProxy *const *)b);

    return g_strcmp0(name_a, name_b);
}

GPtrArray *
signet_ctl_list_proxies(const SignetCtl *ctl, const char *interface)
{
    GList *objects = g_dbus_object_manager_get_objects(ctl->manager);
    GPtrArray *proxies = g_ptr_array_new_with_free_func(g_object_unref);

    for (GList *item = objects; item; item = item->next) {
        GDBusInterface *proxy = g_dbus_object_get_interface(item->data, interface);

        if (proxy)
            g_ptr_array_add(proxies, proxy);
    }
    g_list_free_full(objects, g_object_unref);
    g_ptr_array_sort(proxies, compare_names);
    return proxies;
}

SignetDbusAgent1 *
signet_ctl_get_agent(const SignetCtl *ctl)
{
    g_autoptr(GPtrArray) proxies = signet_ctl_list_proxies(ctl, SIGNET_CTL_AGENT);

    if (proxies->len > 0)
        return g_object_ref(g_ptr_array_index(proxies, 0));
    g_printerr("signetctl: the agent shows nothing; may this user ask it (bus policy)?\n");
    return NULL;
}

/* what: "identity" */
static GDBusProxy *
find(const SignetCtl *ctl, const char *interface, const char *what, const char *name)
{
    g_autoptr(GPtrArray) proxies = signet_ctl_list_proxies(ctl, interface);
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    const char *near = NULL;

    for (guint i = 0; i < proxies->len; i++) {
        char *found = dup_name(g_ptr_array_index(proxies, i));

        g_ptr_array_add(names, found);
        if (g_str_equal(found, name))
            return g_object_ref(g_ptr_array_index(proxies, i));
    }
    g_ptr_array_add(names, NULL);
    near = signet_suggest(name, (const char *const *)names->pdata);
    if (near)
        g_printerr("signetctl: there is no %s '%s'; did you mean '%s'?\n", what, name, near);
    else
        g_printerr("signetctl: there is no %s '%s'; see: signetctl %s\n", what, name,
                   g_str_equal(what, "token") ? "token" : "list");
    return NULL;
}

SignetDbusIdentity1 *
signet_ctl_find_identity(const SignetCtl *ctl, const char *name)
{
    GDBusProxy *proxy = find(ctl, SIGNET_CTL_IDENTITY, "identity", name);

    return proxy ? SIGNET_DBUS_IDENTITY1(proxy) : NULL;
}

SignetDbusToken1 *
signet_ctl_find_token(const SignetCtl *ctl, const char *name)
{
    GDBusProxy *proxy = find(ctl, SIGNET_CTL_TOKEN, "token", name);

    return proxy ? SIGNET_DBUS_TOKEN1(proxy) : NULL;
}

void
signet_ctl_add_properties(GVariantDict *dict, GDBusProxy *proxy)
{
    g_auto(GStrv) names = g_dbus_proxy_get_cached_property_names(proxy);

    for (char **name = names; name && *name; name++) {
        g_autoptr(GVariant) value = g_dbus_proxy_get_cached_property(proxy, *name);
        g_autofree char *key = signet_json_name(*name);

        g_variant_dict_insert_value(dict, key, value);
    }
}

void
signet_ctl_print_text(const char *text)
{
    (void)fputs(text, stdout);
    (void)fflush(stdout);
}

void
signet_ctl_print_json(GVariant *value, gboolean is_pretty)
{
    g_autoptr(GVariant) held = g_variant_ref_sink(value);
    g_autofree char *text = signet_json_from_variant(held, is_pretty);

    signet_ctl_print_text(text);
    signet_ctl_print_text("\n");
}

static SignetCtlExit
exit_for(const char *remote, const GError *error)
{
    if (g_strcmp0(remote, "org.signet.Error.Denied") == 0 ||
        g_error_matches(error, G_DBUS_ERROR, G_DBUS_ERROR_ACCESS_DENIED))
        return SIGNET_CTL_DENIED;
    if (g_error_matches(error, G_DBUS_ERROR, G_DBUS_ERROR_SERVICE_UNKNOWN) ||
        g_error_matches(error, G_DBUS_ERROR, G_DBUS_ERROR_NAME_HAS_NO_OWNER) ||
        g_error_matches(error, G_DBUS_ERROR, G_DBUS_ERROR_NO_REPLY) ||
        g_error_matches(error, G_DBUS_ERROR, G_DBUS_ERROR_DISCONNECTED) ||
        g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CLOSED))
        return SIGNET_CTL_UNREACHABLE;
    return SIGNET_CTL_FAILED;
}

static const char *
next_step(SignetCtlExit code, const char *remote)
{
    if (code == SIGNET_CTL_UNREACHABLE)
        return "; see: systemctl status signetd";
    if (g_strcmp0(remote, "org.signet.Error.Busy") == 0)
        return "; see: signetctl watch";
    return "";
}

SignetCtlExit
signet_ctl_report(const GError *error, const char *doing)
{
    g_autofree char *remote = g_dbus_error_get_remote_error(error);
    g_autoptr(GError) stripped = g_error_copy(error);
    g_autofree char *message = NULL;
    SignetCtlExit code = exit_for(remote, error);

    g_dbus_error_strip_remote_error(stripped);
    message = signet_table_clean(stripped->message);
    g_printerr("signetctl: cannot %s: %s%s\n", doing, message, next_step(code, remote));
    return code;
}

SignetCtlExit
signet_ctl_refuse(const char *format, ...)
{
    g_autofree char *text = NULL;
    va_list args;

    va_start(args, format);
    text = g_strdup_vprintf(format, args);
    va_end(args);
    g_printerr("signetctl: %s\n", text);
    return SIGNET_CTL_USAGE;
}

gint64
signet_ctl_now(void)
{
    return g_get_real_time() / G_USEC_PER_SEC;
}
