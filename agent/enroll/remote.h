/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* How a CA is reached, as a value and as the part of a job's text that says it. */

#pragma once

#include "agent/enroll/request.h"

/* Into memory of its own; what it held is overwritten, not freed. */
void signet_remote_copy(SignetJobRemote *remote, const SignetJobRemote *from);
void signet_remote_clear(SignetJobRemote *remote);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SignetJobRemote, signet_remote_clear)

/* Groups [Remote] and [Options]: all but the secret. */
void signet_remote_to_file(const SignetJobRemote *remote, GKeyFile *file);
/* The text, and the secret as a group of its own behind it; cleansed when freed. */
GBytes *signet_remote_append_secret(const SignetJobRemote *remote, const char *text, gsize size);
/* Fills an empty one. BAD_REQUEST with the key that is wrong. */
gboolean signet_remote_from_file(SignetJobRemote *remote, GKeyFile *file, GError **error);

/* A key of the protocol's own; NULL when the policy does not say it. Borrowed. */
const char *signet_remote_get_option(const SignetJobRemote *remote, const char *key);
