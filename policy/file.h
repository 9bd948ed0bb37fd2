/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* What the parser is given. */

#pragma once

#include <glib.h>

/* One file as read: its path relative to the configuration directory decides what it is:
 * signet.conf, ca.d/NAME.conf, identities.d/NAME.conf, policy.d/ANY.conf. */
typedef struct {
    const char *path;
    const char *data;
    gsize size;
} SignetPolicyFile;

/* At most this many bytes in one file; more is an error. */
#define SIGNET_POLICY_FILE_MAX (256 * 1024)
