/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Where things are in the tree. */

#include "agent/store/layout.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "provider/wire/wire.h"

gboolean
signet_layout_check_identity(const char *identity, GError **error)
{
    if (signet_wire_name_is_valid(identity, strlen(identity)))
        return TRUE;
    return signet_error_set(error, SIGNET_ERROR_BAD_REQUEST, "'%s' is no name of an identity",
                            identity);
}

void
signet_layout_number_to_name(guint32 number, char name[16])
{
    g_snprintf(name, 16, "%u", number);
}

gboolean
signet_layout_number_from_name(const char *name, guint32 *ret_number)
{
    guint64 number;

    if (*name == '0' || !g_ascii_string_to_unsigned(name, 10, 1, G_MAXUINT32, &number, NULL))
        return FALSE;
    *ret_number = (guint32)number;
    return TRUE;
}

char *
signet_layout_live_name(const char *identity, guint32 number)
{
    return g_strdup_printf("%s.%u", identity, number);
}

/* Without making it, what is absent is no error. */
static int
open_below(int parent_fd, const char *name, gboolean make, GError **error)
{
    g_autoptr(GError) local = NULL;
    int fd = signet_dir_open(parent_fd, name, make ? 0700 : 0, &local);

    if (fd < 0 && !signet_error_is(local, SIGNET_ERROR_NOT_FOUND))
        g_propagate_error(error, g_steal_pointer(&local));
    return fd;
}

int
signet_layout_open_identity(const SignetLayout *layout, const char *identity, gboolean make,
                            GError **error)
{
    if (!signet_layout_check_identity(identity, error))
        return -1;
    return open_below(layout->identities_fd, identity, make, error);
}

int
signet_layout_open_generation(const SignetLayout *layout, const char *identity, guint32 number,
                              gboolean make, GError **error)
{
    char name[16];
    g_auto(SignetFd) fd = signet_layout_open_identity(layout, identity, make, error);

    signet_layout_number_to_name(number, name);
    return fd < 0 ? -1 : open_below(fd, name, make, error);
}

gboolean
signet_layout_has_record(int generation_fd)
{
    return faccessat(generation_fd, "record", F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

gboolean
signet_layout_lacks_record(int generation_fd)
{
    return !signet_layout_has_record(generation_fd) && errno == ENOENT;
}

guint32
signet_layout_get_current(const SignetLayout *layout, const char *identity)
{
    char target[128];
    guint32 number;

    if (!signet_layout_check_identity(identity, NULL))
        return 0;
    ssize_t size = readlinkat(layout->live_fd, identity, target, sizeof(target) - 1);
    if (size < 0)
        return 0;
    target[size] = '\0';
    g_autofree char *stem = g_strdup_printf(SIGNET_LAYOUT_GENERATIONS "/%s.", identity);
    if (!g_str_has_prefix(target, stem) ||
        !signet_layout_number_from_name(target + strlen(stem), &number))
        return 0;
    return number;
}
