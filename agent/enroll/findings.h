/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* What was learned of a certificate, as text: an enroller's answer to a check, and a part of the
 * agent's journal. Pure. */

#pragma once

#include "agent/base/error.h"
#include "policy/findings.h"

/* The answer: group [Findings] alone. */
GBytes *signet_findings_to_text(const SignetFindings *findings);
/* BAD_REQUEST with the key that is wrong. */
gboolean signet_findings_from_text(GBytes *text, SignetFindings *ret_findings, GError **error);

/* As a group of a larger file. Reading: NULL, or the key that is wrong. A group that is not there
 * is what nobody has looked for. */
void signet_findings_to_file(const SignetFindings *findings, GKeyFile *file, const char *group);
const char *
signet_findings_from_file(SignetFindings *ret_findings, GKeyFile *file, const char *group);

/* Puts words into one of the fields, cut to fit, in one line. */
void signet_findings_set_words(char *field, const char *words);
