/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Where things are in the tree: names, numbers and open directories. Inside agent/store only. */

#pragma once

#include "agent/store/dir.h"

#define SIGNET_LAYOUT_GENERATIONS ".generations"

typedef struct {
    int root_fd;
    int identities_fd;
    int live_fd;
    int generations_fd; /* live/.generations */
} SignetLayout;

gboolean signet_layout_check_identity(const char *identity, GError **error);
void signet_layout_number_to_name(guint32 number, char name[16]);
/* Only what signet_layout_number_to_name() writes: no sign, no leading zero. */
gboolean signet_layout_number_from_name(const char *name, guint32 *ret_number);
char *signet_layout_live_name(const char *identity, guint32 number);

/* An fd; -1 without an error when make is FALSE and it is absent. */
int signet_layout_open_identity(const SignetLayout *layout, const char *identity, gboolean make,
                                GError **error);
int signet_layout_open_generation(const SignetLayout *layout, const char *identity, guint32 number,
                                  gboolean make, GError **error);
gboolean signet_layout_has_record(int generation_fd);
/* FALSE too when it cannot be said: what may be a key is not removed because of an error. */
gboolean signet_layout_lacks_record(int generation_fd);
/* What live/NAME points at; 0: nothing of ours. */
guint32 signet_layout_get_current(const SignetLayout *layout, const char *identity);
