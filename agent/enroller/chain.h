/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Puts the certificates of an answer in order. */

#pragma once

#include "agent/enroller/protocol.h"

/* found: what the CA issued, with or without its chain; authorities (nullable): its own
 * certificates. The outcome gets the certificate for the job's key, the intermediates that lead
 * from it to a self-signed one, and the self-signed authorities as anchors. CA_REFUSED when none of
 * found is for the job's key, CORRUPT when it is too much. The agent checks it all again. */
gboolean
signet_chain_build(const SignetJobRequest *job, SignetX509Stack *found,
                   SignetX509Stack *authorities, SignetEnrollerOutcome *outcome, GError **error);
/* The same for an answer that came with what leads to its root, or to one that the job knows the CA
 * by. CORRUPT also when there is no root. */
gboolean signet_chain_build_given(const SignetJobRequest *job, SignetX509Stack *found,
                                  SignetEnrollerOutcome *outcome, GError **error);
/* The roots among them, as many as fit an outcome's anchors. */
void signet_chain_append_roots(GByteArray *out, SignetX509Stack *authorities);
/* Of what others may have written into: what a second message can be found for signs nothing. */
gboolean signet_chain_is_strong(const X509_ALGOR *algorithm);
