/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* What a crashed life left. */

#include "agent/store/sweep.h"

#include <string.h>

static void
sweep_identity(const SignetLayout *layout, const char *identity)
{
    guint32 current = signet_layout_get_current(layout, identity), number;
    g_auto(SignetFd) fd = signet_layout_open_identity(layout, identity, FALSE, NULL);
    g_auto(GStrv) names = NULL;

    if (fd < 0)
        return;
    signet_dir_sweep(fd, NULL);
    names = signet_dir_list(fd, NULL);
    for (guint i = 0; names && names[i]; i++) {
        if (!signet_layout_number_from_name(names[i], &number))
            continue;
        g_auto(SignetFd) generation_fd =
            signet_layout_open_generation(layout, identity, number, FALSE, NULL);
        if (generation_fd < 0)
            continue;
        signet_dir_sweep(generation_fd, NULL);
        if (signet_layout_lacks_record(generation_fd) && number != current)
            signet_dir_remove_tree(fd, names[i], NULL);
    }
}

static void
sweep_live_generation(const SignetLayout *layout, const char *name)
{
    g_autoptr(GError) error = NULL;
    const char *dot = strrchr(name, '.');
    g_autofree char *identity = dot ? g_strndup(name, (gsize)(dot - name)) : NULL;
    guint32 number;

    if (!identity || !signet_layout_number_from_name(dot + 1, &number))
        return;
    g_auto(SignetFd) fd = signet_layout_open_generation(layout, identity, number, FALSE, &error);
    gboolean is_garbage = fd >= 0 ? signet_layout_lacks_record(fd) : !error;
    if (is_garbage && number != signet_layout_get_current(layout, identity)) {
        signet_dir_remove_tree(layout->generations_fd, name, NULL);
        return;
    }
    g_auto(SignetFd) live_fd = signet_dir_open(layout->generations_fd, name, 0, NULL);
    if (live_fd >= 0)
        signet_dir_sweep(live_fd, NULL);
}

/* What cannot be removed now does no harm, and is tried again at the next start. */
void
signet_sweep(const SignetLayout *layout)
{
    g_auto(GStrv) identities = signet_dir_list(layout->identities_fd, NULL);
    g_auto(GStrv) live = signet_dir_list(layout->generations_fd, NULL);

    signet_dir_sweep(layout->root_fd, NULL);
    signet_dir_sweep(layout->identities_fd, NULL);
    signet_dir_sweep(layout->live_fd, NULL);
    signet_dir_sweep(layout->generations_fd, NULL);
    for (guint i = 0; identities && identities[i]; i++)
        sweep_identity(layout, identities[i]);
    for (guint i = 0; live && live[i]; i++)
        sweep_live_generation(layout, live[i]);
}
