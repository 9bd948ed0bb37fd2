/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Who is played: a user, or a unit's process as systemd and /proc tell of it. */

#include "agent/ctl/why.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <unistd.h>

#include "agent/ctl/child.h"
#include "agent/ctl/systemd.h"

#define GROUPS_MAX 1024

/* What of a program's environment decides what it loads; nothing else is taken over, least of all
 * what the loader heeds: it may be another user's. */
static const char *const variables[] = {"OPENSSL_CONF", "OPENSSL_MODULES", "SIGNET_SOCKET"};

void
signet_why_role_clear(SignetWhyRole *role)
{
    g_clear_pointer(&role->groups, g_free);
    g_clear_pointer(&role->user, g_free);
    g_clear_pointer(&role->environment, g_strfreev);
    g_clear_pointer(&role->unlike, g_ptr_array_unref);
}

static gboolean refuse(const char *format, ...) G_GNUC_PRINTF(1, 2);

static gboolean
refuse(const char *format, ...)
{
    g_autofree char *text = NULL;
    va_list args;

    va_start(args, format);
    text = g_strdup_vprintf(format, args);
    va_end(args);
    g_printerr("signetctl: %s\n", text);
    return FALSE;
}

/* environment: "NAME=VALUE"s, of the program that is played. */
static void
take_environment(SignetWhyRole *role, const char *const *environment)
{
    g_auto(GStrv) taken = g_strdupv((char *[]) {"PATH=" SIGNET_CHILD_PATH, "LANG=C.UTF-8", NULL});

    for (gsize i = 0; i < G_N_ELEMENTS(variables); i++) {
        const char *value = g_environ_getenv((char **)environment, variables[i]);

        if (value && g_utf8_validate(value, -1, NULL))
            taken = g_environ_setenv(g_steal_pointer(&taken), variables[i], value, TRUE);
    }
    g_strfreev(role->environment);
    role->environment = g_steal_pointer(&taken);
}

/* --- a user --- */

static void
take_groups(SignetWhyRole *role, const gid_t *groups, int count)
{
    GString *text = g_string_new(NULL);

    for (int i = 0; i < count; i++)
        g_string_append_printf(text, "%s%u", i ? "," : "", (guint)groups[i]);
    g_free(role->groups);
    role->groups = g_string_free(text, FALSE);
}

/* name: or a number. */
static gboolean
become_user(SignetWhyRole *role, const char *name)
{
    gid_t groups[GROUPS_MAX];
    int count = GROUPS_MAX;
    char *end = NULL;
    guint64 number = g_ascii_strtoull(name, &end, 10);
    const struct passwd *user = getpwnam(name);

    if (!user && *name && !*end && number < G_MAXUINT32)
        user = getpwuid((uid_t)number);
    if (!user)
        return refuse("there is no user '%s'", name);
    role->is_other = TRUE;
    role->uid = user->pw_uid;
    role->gid = user->pw_gid;
    g_free(role->user);
    role->user = g_strdup(user->pw_name);
    if (getgrouplist(user->pw_name, user->pw_gid, groups, &count) >= 0)
        take_groups(role, groups, count);
    return TRUE;
}

static void
stay_self(SignetWhyRole *role)
{
    const struct passwd *user = getpwuid(geteuid());

    role->uid = geteuid();
    role->gid = getegid();
    role->user = user ? g_strdup(user->pw_name) : g_strdup_printf("%u", role->uid);
}

/* --- a unit --- */

/* systemd's properties of a service; NULL: *ret_problem says why there are none. */
static GVariant *
ask_systemd(const SignetCtl *ctl, const char *unit, char **ret_problem)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GDBusConnection) bus = signet_ctl_open_bus(ctl, &error);
    GVariant *all = bus ? signet_systemd_get(bus, unit, "Service", &error) : NULL;

    if (all)
        return all;
    g_dbus_error_strip_remote_error(error);
    *ret_problem = g_strdup(error->message);
    return NULL;
}

/* "Uid:\t33\t33\t33\t33" → the effective one, the second. */
static gboolean
read_id(const char *status, const char *name, guint *ret_id)
{
    const char *line = strstr(status, name);
    g_auto(GStrv) words = line ? g_strsplit_set(line + strlen(name), "\t\n", 4) : NULL;

    if (!words || g_strv_length(words) < 3)
        return FALSE;
    *ret_id = (guint)g_ascii_strtoull(words[2], NULL, 10);
    return TRUE;
}

static void
note(SignetWhyRole *role, const char *text)
{
    g_ptr_array_add(role->unlike, g_strdup(text));
}

/* A user namespace of its own, in which root is root of nothing else. */
static gboolean
is_elsewhere(guint pid)
{
    g_autofree char *path = g_strdup_printf("/proc/%u/ns/user", pid);
    g_autofree char *theirs = g_file_read_link(path, NULL);
    g_autofree char *ours = g_file_read_link("/proc/self/ns/user", NULL);

    return g_strcmp0(theirs, ours) != 0;
}

static void
take_process_groups(SignetWhyRole *role, const char *status)
{
    const char *line = strstr(status, "\nGroups:");
    g_autofree char *text = NULL;

    if (!line)
        return;
    line += strlen("\nGroups:");
    text = g_strndup(line, strcspn(line, "\n"));
    g_free(role->groups);
    role->groups = g_strdelimit(g_strdup(g_strstrip(text)), " ", ',');
}

static void
take_process_environment(SignetWhyRole *role)
{
    g_autofree char *path = g_strdup_printf("/proc/%u/environ", role->pid);
    g_autofree char *text = NULL;
    g_autoptr(GPtrArray) entries = g_ptr_array_new();
    gsize size = 0;

    if (!g_file_get_contents(path, &text, &size, NULL))
        note(role, "its environment, which cannot be read");
    for (gsize at = 0; text && at < size; at += strlen(text + at) + 1)
        g_ptr_array_add(entries, text + at);
    g_ptr_array_add(entries, NULL);
    take_environment(role, (const char *const *)entries->pdata);
}

/* Of AppArmor, SELinux or Smack, where there is one that confines it. */
static void
note_label(SignetWhyRole *role)
{
    g_autofree char *path = g_strdup_printf("/proc/%u/attr/current", role->pid);
    g_autofree char *label = NULL;

    if (!g_file_get_contents(path, &label, NULL, NULL) || !*g_strstrip(label) ||
        g_str_equal(label, "unconfined"))
        return;
    g_ptr_array_add(role->unlike, g_strdup_printf("its security label '%s'", label));
}

/* A unit that runs: its process says who it is. */
static gboolean
become_process(SignetWhyRole *role, guint pid)
{
    g_autofree char *path = g_strdup_printf("/proc/%u/status", pid);
    g_autofree char *status = NULL;
    const struct passwd *user = NULL;

    if (!g_file_get_contents(path, &status, NULL, NULL) || !read_id(status, "\nUid:", &role->uid) ||
        !read_id(status, "\nGid:", &role->gid))
        return refuse("the process %u is gone; try again", pid);
    role->pid = pid;
    role->is_other = TRUE;
    user = getpwuid(role->uid);
    g_free(role->user);
    role->user = user ? g_strdup(user->pw_name) : g_strdup_printf("%u", role->uid);
    take_process_groups(role, status);
    take_process_environment(role);
    if (is_elsewhere(pid))
        note(role, "what it may do to files of its user namespace (PrivateUsers=); the agent sees "
                   "its user as it was tried");
    note_label(role);
    return TRUE;
}

/* A unit that does not run: what its settings say. */
static gboolean
become_settings(SignetWhyRole *role, GVariant *service)
{
    const char *user = NULL;
    g_autofree const char **environment = NULL;

    (void)g_variant_lookup(service, "User", "&s", &user);
    (void)g_variant_lookup(service, "Environment", "^a&s", &environment);
    take_environment(role, environment ? environment : (const char *const[]) {NULL});
    note(role, "its sandbox, since it does not run: start it, and ask again");
    return become_user(role, user && *user ? user : "root");
}

/* Without systemd: a process in a control group of that name, the first that was started. */
static guint
find_process(const char *unit)
{
    g_autoptr(GDir) processes = g_dir_open("/proc", 0, NULL);
    g_autofree char *end = g_strconcat("/", unit, "\n", NULL);
    const char *entry;
    guint first = 0;

    while (processes && (entry = g_dir_read_name(processes))) {
        guint pid = (guint)g_ascii_strtoull(entry, NULL, 10);
        g_autofree char *path = g_build_filename("/proc", entry, "cgroup", NULL);
        g_autofree char *text = NULL;

        if (pid && (!first || pid < first) && g_file_get_contents(path, &text, NULL, NULL) &&
            strstr(text, end))
            first = pid;
    }
    return first;
}

static gboolean
become_unit(const SignetCtl *ctl, SignetWhyRole *role, const char *name)
{
    g_autofree char *unit =
        strchr(name, '.') ? g_strdup(name) : g_strconcat(name, ".service", NULL);
    g_autofree char *problem = NULL;
    g_autoptr(GVariant) service = ask_systemd(ctl, unit, &problem);
    guint pid = 0;

    if (service)
        (void)g_variant_lookup(service, "MainPID", "u", &pid);
    else
        pid = find_process(unit);
    if (pid)
        return become_process(role, pid);
    if (service)
        return become_settings(role, service);
    return refuse(
        "cannot play unit '%s': systemd says: %s; and no process is in a control group of "
        "that name",
        unit, problem);
}

gboolean
signet_why_role_find(const SignetCtl *ctl, SignetWhyRole *ret_role)
{
    g_auto(GStrv) environment = g_get_environ();

    *ret_role = (SignetWhyRole) {.unlike = g_ptr_array_new_with_free_func(g_free)};
    if ((ctl->why.user || ctl->why.unit) && geteuid() != 0)
        return refuse("only root can try as another; without --user and --unit it is tried as "
                      "yourself");
    stay_self(ret_role);
    take_environment(ret_role, (const char *const *)environment);
    if (ctl->why.unit && !become_unit(ctl, ret_role, ctl->why.unit))
        return FALSE;
    return !ctl->why.user || become_user(ret_role, ctl->why.user);
}
