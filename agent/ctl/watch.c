/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* signetctl watch: what happens, line by line, until interrupted. */

#include "agent/ctl/commands.h"

#include <glib-unix.h>
#include <string.h>

#include "agent/ctl/json.h"
#include "agent/ctl/table.h"
#include "agent/ctl/when.h"

typedef struct {
    SignetCtl *ctl;
    GMainLoop *loop;     /* (owned) */
    gboolean is_running; /* the agent; its coming and going is not told object by object */
} Watch;

/* "identity", "token" or "agent" by the interface's name */
static const char *
kind_of(GDBusProxy *proxy)
{
    const char *interface = g_dbus_proxy_get_interface_name(proxy);

    if (g_str_equal(interface, SIGNET_CTL_IDENTITY))
        return "identity";
    return g_str_equal(interface, SIGNET_CTL_TOKEN) ? "token" : "agent";
}

static char *
dup_name(GDBusProxy *proxy)
{
    g_autoptr(GVariant) name = g_dbus_proxy_get_cached_property(proxy, "Name");

    return name ? g_variant_dup_string(name, NULL) : NULL;
}

/* detail: a vardict; sunk. words: for people. */
static void
tell(Watch *watch, GDBusProxy *proxy, const char *event, GVariant *detail, const char *words)
{
    g_autoptr(GVariant) held = g_variant_ref_sink(detail);
    g_autofree char *name = proxy ? dup_name(proxy) : NULL;
    g_autofree char *now = signet_when_local(signet_ctl_now());
    g_autofree char *clean = signet_table_clean(words);
    g_autofree char *line = NULL;
    GVariantDict dict;

    if (watch->ctl->is_json) {
        g_variant_dict_init(&dict, held);
        g_variant_dict_insert(&dict, "time", "x", signet_ctl_now());
        g_variant_dict_insert(&dict, "event", "s", event);
        g_variant_dict_insert(&dict, "kind", "s", proxy ? kind_of(proxy) : "agent");
        if (name)
            g_variant_dict_insert(&dict, "name", "s", name);
        signet_ctl_print_json(g_variant_dict_end(&dict), FALSE);
        return;
    }
    line = name ? g_strdup_printf("%s  %s '%s': %s\n", now, kind_of(proxy), name, clean)
                : g_strdup_printf("%s  agent: %s\n", now, clean);
    signet_ctl_print_text(line);
}

static void
on_signal(GDBusObjectManager *manager, GDBusObject *object, GDBusProxy *proxy, const char *sender,
          const char *signal, GVariant *parameters, gpointer data)
{
    g_autofree char *event = signet_json_name(signal);
    g_autofree char *arguments = signet_json_from_variant(parameters, FALSE);
    g_autofree char *words = g_strdup_printf("%s %s", event, arguments);
    GVariantDict dict;

    g_variant_dict_init(&dict, NULL);
    g_variant_dict_insert_value(&dict, "arguments", parameters);
    tell(data, proxy, event, g_variant_dict_end(&dict), words);
}

/* "enrolling, next retry in 20 seconds: the CA did not answer" */
static char *
describe_identity(GDBusProxy *proxy)
{
    SignetDbusIdentity1 *identity = SIGNET_DBUS_IDENTITY1(proxy);
    const char *cause = signet_dbus_identity1_get_cause(identity);
    const char *action = signet_dbus_identity1_get_next_action(identity);
    gint64 next_s = signet_dbus_identity1_get_next_time(identity);
    g_autofree char *when = next_s ? signet_when_relative(next_s, signet_ctl_now()) : NULL;
    const char *code = signet_dbus_identity1_get_device_code(identity);
    gboolean has_cause = cause && *cause, has_next = action && *action, has_code = code && *code;

    return g_strdup_printf("%s%s%s%s%s%s%s%s%s", signet_dbus_identity1_get_state(identity),
                           has_cause ? ": " : "", has_cause ? cause : "", has_next ? "; next " : "",
                           has_next ? action : "", when ? " " : "", when ? when : "",
                           has_code ? "; device code " : "", has_code ? code : "");
}

static char *
describe(GDBusProxy *proxy, GVariant *changed)
{
    if (SIGNET_DBUS_IS_IDENTITY1(proxy))
        return describe_identity(proxy);
    return signet_json_from_variant(changed, FALSE);
}

static GVariant *
rename_properties(GVariant *changed)
{
    GVariantDict properties, dict;
    GVariantIter iter;
    const char *key = NULL;
    GVariant *value = NULL;

    g_variant_dict_init(&properties, NULL);
    g_variant_iter_init(&iter, changed);
    while (g_variant_iter_next(&iter, "{&sv}", &key, &value)) {
        g_autofree char *name = signet_json_name(key);

        g_variant_dict_insert_value(&properties, name, value);
        g_variant_unref(value);
    }
    g_variant_dict_init(&dict, NULL);
    g_variant_dict_insert_value(&dict, "properties", g_variant_dict_end(&properties));
    return g_variant_dict_end(&dict);
}

static void
on_changed(GDBusObjectManager *manager, GDBusObject *object, GDBusProxy *proxy, GVariant *changed,
           const char *const *invalidated, gpointer data)
{
    g_autofree char *words = describe(proxy, changed);

    tell(data, proxy, "changed", rename_properties(changed), words);
}

static void
tell_object(Watch *watch, GDBusObject *object, const char *event)
{
    GList *interfaces = watch->is_running ? g_dbus_object_get_interfaces(object) : NULL;

    for (GList *item = interfaces; item; item = item->next) {
        GVariantDict dict;

        g_variant_dict_init(&dict, NULL);
        tell(watch, item->data, event, g_variant_dict_end(&dict), event);
    }
    g_list_free_full(interfaces, g_object_unref);
}

static void
on_added(GDBusObjectManager *manager, GDBusObject *object, gpointer data)
{
    tell_object(data, object, "added");
}

static void
on_removed(GDBusObjectManager *manager, GDBusObject *object, gpointer data)
{
    tell_object(data, object, "removed");
}

static void
on_owner(GObject *manager, GParamSpec *spec, gpointer data)
{
    Watch *watch = data;
    gboolean is_running = signet_ctl_is_agent_running(watch->ctl);
    GVariantDict dict;

    if (is_running == watch->is_running)
        return;
    watch->is_running = is_running;
    g_variant_dict_init(&dict, NULL);
    tell(watch, NULL, is_running ? "started" : "stopped", g_variant_dict_end(&dict),
         is_running ? "runs again" : "has stopped; waiting for it");
}

static gboolean
on_interrupt(gpointer data)
{
    Watch *watch = data;

    g_main_loop_quit(watch->loop);
    return G_SOURCE_CONTINUE;
}

SignetCtlExit
signet_ctl_watch(SignetCtl *ctl, int argc, char **argv)
{
    SignetCtlExit code = signet_ctl_connect(ctl);
    Watch watch = {.ctl = ctl, .is_running = TRUE};
    guint interrupt = 0;

    if (code != SIGNET_CTL_OK)
        return code;
    watch.loop = g_main_loop_new(NULL, FALSE);
    g_signal_connect(ctl->manager, "interface-proxy-signal", G_CALLBACK(on_signal), &watch);
    g_signal_connect(ctl->manager, "interface-proxy-properties-changed", G_CALLBACK(on_changed),
                     &watch);
    g_signal_connect(ctl->manager, "object-added", G_CALLBACK(on_added), &watch);
    g_signal_connect(ctl->manager, "object-removed", G_CALLBACK(on_removed), &watch);
    g_signal_connect(ctl->manager, "notify::name-owner", G_CALLBACK(on_owner), &watch);
    interrupt = g_unix_signal_add(SIGINT, on_interrupt, &watch);
    g_main_loop_run(watch.loop);
    g_source_remove(interrupt);
    g_signal_handlers_disconnect_by_data(ctl->manager, &watch);
    g_main_loop_unref(watch.loop);
    return SIGNET_CTL_OK;
}
