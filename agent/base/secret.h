/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Bytes that must not leak: locked in memory where the limit allows, cleansed when freed, never
 * printable. */

#pragma once

#include <glib.h>

typedef struct SignetSecret SignetSecret;

/* Copies; the caller cleanses its own. */
SignetSecret *signet_secret_new(gconstpointer data, gsize size);
/* From the kernel's generator. */
SignetSecret *signet_secret_new_random(gsize size);
/* All that fd gives, without the line's end, from 1 to max_size (at most 1024) bytes. NULL with
 * errno: ENODATA when there is nothing, EFBIG when there is more, EAGAIN when the writer of a pipe
 * that does not block has not closed it. */
SignetSecret *signet_secret_read(int fd, gsize max_size);
SignetSecret *signet_secret_ref(SignetSecret *secret);
void signet_secret_unref(SignetSecret *secret);
gconstpointer signet_secret_get(const SignetSecret *secret, gsize *ret_size);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SignetSecret, signet_secret_unref)

/* GBytes for what may be secret and travels (plaintexts, shared secrets, messages): a copy, which
 * is cleansed when the last reference goes. The caller cleanses its own. */
GBytes *signet_secret_bytes_new(gconstpointer data, gsize size);
