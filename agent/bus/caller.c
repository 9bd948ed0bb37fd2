/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Who calls on the bus: the credentials the bus daemon took from the kernel. */

#include "agent/bus/caller.h"

#include <gio/gunixfdlist.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "agent/base/error.h"

#define BUS_NAME   "org.freedesktop.DBus"
#define BUS_PATH   "/org/freedesktop/DBus"
#define TIMEOUT_MS 10000
/* The private socket numbers its connections from 1. */
#define CLIENT_BASE (G_GUINT64_CONSTANT(1) << 63)
#define NO_GROUP    ((gid_t)-1)

struct SignetCallers {
    GDBusConnection *connection; /* (owned) */
    GCancellable *stop;          /* (owned) cancelled when this is freed */
    GHashTable *entries;         /* (owned) unique name (in the entry) → Entry */
    SignetCallerFound found;
    SignetCallerGone gone;
    gpointer data;
    guint64 n_clients;
};

typedef struct {
    SignetCaller caller;         /* peer is NULL while the bus is asked */
    GArray *waiting;             /* (owned) of gint64: ids */
    GDBusConnection *connection; /* (owned) */
    guint subscription;
} Entry;

typedef struct {
    SignetCallers *callers; /* (unowned): not touched once stop is cancelled */
    GCancellable *stop;     /* (owned) */
    char *name;             /* (owned) */
} Search;

static void
entry_free(gpointer data)
{
    Entry *entry = data;

    g_dbus_connection_signal_unsubscribe(entry->connection, entry->subscription);
    g_object_unref(entry->connection);
    g_clear_pointer(&entry->caller.peer, signet_peer_unref);
    g_free(entry->caller.name);
    g_array_unref(entry->waiting);
    g_free(entry);
}

static void
search_free(Search *search)
{
    g_object_unref(search->stop);
    g_free(search->name);
    g_free(search);
}

SignetCallers *
signet_callers_new(GDBusConnection *connection, SignetCallerFound found, SignetCallerGone gone,
                   gpointer data)
{
    SignetCallers *callers = g_new0(SignetCallers, 1);

    callers->connection = g_object_ref(connection);
    callers->stop = g_cancellable_new();
    callers->entries = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, entry_free);
    callers->found = found;
    callers->gone = gone;
    callers->data = data;
    return callers;
}

void
signet_callers_free(SignetCallers *callers)
{
    if (!callers)
        return;
    g_cancellable_cancel(callers->stop);
    g_hash_table_unref(callers->entries);
    g_object_unref(callers->stop);
    g_object_unref(callers->connection);
    g_free(callers);
}

/* The bus daemon without ProcessFD tells a pid from when the caller connected. It may stand for
 * another process by now: then not even the user is likely to be the same. The owner of /proc/PID
 * would not do: it is root for what cannot be dumped. */
static gboolean
is_process_of(guint32 pid, uid_t uid)
{
    g_autofree char *path = g_strdup_printf("/proc/%u/status", pid);
    g_autofree char *text = NULL;
    const char *line = NULL;
    guint real = 0, effective = 0;

    if (pid == 0 || !g_file_get_contents(path, &text, NULL, NULL))
        return FALSE;
    line = strstr(text, "\nUid:");
    return line && sscanf(line, "\nUid: %u %u", &real, &effective) == 2 &&
           (uid == real || uid == effective);
}

/* The bus tells the groups sorted, not which one is the primary: the user's own if it is among
 * them. */
static gid_t
choose_group(uid_t uid, GVariant *groups)
{
    const struct passwd *entry = getpwuid(uid);
    gsize count = 0;
    const guint32 *gids =
        groups ? g_variant_get_fixed_array(groups, &count, sizeof(guint32)) : NULL;

    if (!gids || count == 0)
        return entry ? entry->pw_gid : NO_GROUP;
    for (gsize i = 0; entry && i < count; i++) {
        if (gids[i] == entry->pw_gid)
            return entry->pw_gid;
    }
    return gids[0];
}

static SignetPeer *
peer_from_credentials(GVariant *credentials, GUnixFDList *fds, GError **error)
{
    g_autoptr(GVariant) groups =
        g_variant_lookup_value(credentials, "UnixGroupIDs", G_VARIANT_TYPE("au"));
    guint32 uid = 0, pid = 0;
    gint32 handle = -1;
    int pidfd = -1;
    SignetPeer *peer = NULL;

    if (!g_variant_lookup(credentials, "UnixUserID", "u", &uid)) {
        signet_error_set(error, SIGNET_ERROR_DENIED, "the bus does not know the caller's user");
        return NULL;
    }
    (void)g_variant_lookup(credentials, "ProcessID", "u", &pid);
    if (fds && g_variant_lookup(credentials, "ProcessFD", "h", &handle))
        pidfd = g_unix_fd_list_get(fds, handle, NULL);
    if (pidfd < 0 && !is_process_of(pid, uid))
        pid = 0;
    peer = signet_peer_new((pid_t)pid, uid, choose_group(uid, groups), pidfd);
    if (pidfd >= 0)
        close(pidfd);
    return peer;
}

/* Empties the entry's list: a found function may search again. */
static void
answer_waiting(SignetCallers *callers, Entry *entry, SignetCaller *caller, const GError *error)
{
    g_autoptr(GArray) waiting = g_steal_pointer(&entry->waiting);

    entry->waiting = g_array_new(FALSE, FALSE, sizeof(gint64));
    for (guint i = 0; i < waiting->len; i++)
        callers->found(caller, error, g_array_index(waiting, gint64, i), callers->data);
}

static void
drop(SignetCallers *callers, const char *name, const GError *error)
{
    Entry *entry = NULL;

    if (!g_hash_table_steal_extended(callers->entries, name, NULL, (gpointer *)&entry))
        return;
    if (entry->caller.peer)
        callers->gone(&entry->caller, callers->data);
    answer_waiting(callers, entry, NULL, error);
    entry_free(entry);
}

static void
on_credentials(GObject *source, GAsyncResult *result, gpointer data)
{
    Search *search = data;
    g_autoptr(GError) error = NULL;
    g_autoptr(GUnixFDList) fds = NULL;
    g_autoptr(GVariant) reply = g_dbus_connection_call_with_unix_fd_list_finish(
        G_DBUS_CONNECTION(source), &fds, result, &error);
    g_autoptr(GVariant) credentials = reply ? g_variant_get_child_value(reply, 0) : NULL;
    Entry *entry = NULL;
    SignetPeer *peer = NULL;

    if (g_cancellable_is_cancelled(search->stop)) {
        search_free(search);
        return;
    }
    if (credentials)
        peer = peer_from_credentials(credentials, fds, &error);
    entry = g_hash_table_lookup(search->callers->entries, search->name);
    if (!peer) {
        g_prefix_error(&error, "cannot tell who is calling: ");
        drop(search->callers, search->name, error);
    } else if (!entry) {
        signet_peer_unref(peer); /* gone while the bus was asked; whoever waited was told */
    } else {
        entry->caller.peer = peer;
        answer_waiting(search->callers, entry, &entry->caller, NULL);
    }
    search_free(search);
}

static void
on_owner_changed(GDBusConnection *connection, const char *sender, const char *path,
                 const char *interface, const char *signal, GVariant *parameters, gpointer data)
{
    SignetCallers *callers = data;
    g_autoptr(GError) error = signet_error_new(SIGNET_ERROR_FAILED, "the caller has left the bus");
    const char *name = NULL, *old_owner = NULL, *new_owner = NULL;

    g_variant_get(parameters, "(&s&s&s)", &name, &old_owner, &new_owner);
    if (!*new_owner)
        drop(callers, name, error);
}

static Entry *
add_entry(SignetCallers *callers, const char *name)
{
    Entry *entry = g_new0(Entry, 1);

    entry->caller.name = g_strdup(name);
    entry->caller.client = CLIENT_BASE | ++callers->n_clients;
    entry->waiting = g_array_new(FALSE, FALSE, sizeof(gint64));
    entry->connection = g_object_ref(callers->connection);
    /* Before the question, so that a caller that leaves after the answer is noticed. */
    entry->subscription = g_dbus_connection_signal_subscribe(
        callers->connection, BUS_NAME, BUS_NAME, "NameOwnerChanged", BUS_PATH, name,
        G_DBUS_SIGNAL_FLAGS_NONE, on_owner_changed, callers, NULL);
    g_hash_table_insert(callers->entries, entry->caller.name, entry);
    return entry;
}

static void
ask_bus(SignetCallers *callers, const char *name)
{
    Search *search = g_new0(Search, 1);

    search->callers = callers;
    search->stop = g_object_ref(callers->stop);
    search->name = g_strdup(name);
    g_dbus_connection_call_with_unix_fd_list(
        callers->connection, BUS_NAME, BUS_PATH, BUS_NAME, "GetConnectionCredentials",
        g_variant_new("(s)", name), G_VARIANT_TYPE("(a{sv})"), G_DBUS_CALL_FLAGS_NONE, TIMEOUT_MS,
        NULL, callers->stop, on_credentials, search);
}

void
signet_callers_find(SignetCallers *callers, const char *name, gint64 id)
{
    Entry *entry = g_hash_table_lookup(callers->entries, name);

    if (entry && entry->caller.peer) {
        callers->found(&entry->caller, NULL, id, callers->data);
        return;
    }
    if (!entry) {
        entry = add_entry(callers, name);
        ask_bus(callers, name);
    }
    g_array_append_val(entry->waiting, id);
}
