/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* A subject name as administrators write it, "CN=%H,O=Example", taken apart. Pure. */

#pragma once

#include <glib.h>

typedef struct {
    const char *type; /* (unowned): static; as OpenSSL's short names spell it: CN, O, OU, C, ST, L,
                         serialNumber, … */
    char *value;      /* (owned) UTF-8, escapes resolved; placeholders (%H …) still in it, for
                         signet_policy_expand() */
} SignetSubjectPart;

/* The syntax of RFC 4514 in the order as written (not reversed), with these limits: one attribute
 * per RDN (no '+'), no values in quotes or as #hex, types CN, O, OU, C, ST, L, serialNumber,
 * emailAddress, DC and UID in any case. Escapes: a backslash before one of , + " \ < > ; = # or a
 * space, or before two hexadecimal digits of a UTF-8 byte. Values keep to the lengths of RFC 5280
 * appendix A where no placeholder makes the length unknown. An array of SignetSubjectPart that owns
 * them; NULL, with *ret_problem set to what is wrong, when it cannot be read. */
GPtrArray *signet_policy_subject_parse(const char *subject, char **ret_problem);
