/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* The files of one generation, in a directory that is open already: identities/NAME/N and
 * live/.generations/NAME.N. Inside agent/store only; errors do not name the identity, the store
 * does. */

#pragma once

#include "agent/store/dir.h"
#include "agent/store/generation.h"

SignetGeneration *signet_files_read(int fd, guint32 number, GError **error);
/* The record is removed first and written last. */
gboolean signet_files_write_key(int fd, const char *token, const SignetKey *key, gint64 created_s,
                                GError **error);
gboolean
signet_files_write_chain(int fd, const GPtrArray *chain, const GPtrArray *anchors, GError **error);
gboolean signet_files_write_live(int fd, const char *identity, const SignetGeneration *generation,
                                 const SignetDirOwner *owner, GError **error);
