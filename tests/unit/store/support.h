/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Temporary directories, keys and certificates for the tests of the store. */

#pragma once

#include <check.h>

#include "agent/store/store.h"

/* Fixture: an empty directory of its own, and its fd. */
extern char *support_root;
extern int support_fd;
void support_setup(void);
void support_teardown(void);

char *support_path(const char *sub);
/* The text of a file below the root; fails the test when it is not there. */
char *support_read(const char *sub);
/* "0755"; "----" when absent. */
char *support_mode(const char *sub);
void support_write(const char *sub, const char *text);
gboolean support_exists(const char *sub);

SignetKey *support_make_key(guint32 type);
/* A self-signed certificate, DER, valid from..to. */
GPtrArray *support_make_chain(guint n, gint64 from_s, gint64 to_s);
