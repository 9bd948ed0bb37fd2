/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* What is in a file that a program was given as its key? */

#pragma once

#include <stdbool.h>

/* Says file.kind: reference (with reference.identity and reference.generation), broken (our OID,
 * but damaged), tss2, encrypted, key (somebody's private key), label (file.label is none that
 * programs know), certificate, empty, nothing, directory, unreadable. True for a reference.
 * ret_has_certificate: a certificate is in the same file. */
bool signet_probe_reference(const char *path, bool *ret_has_certificate);
