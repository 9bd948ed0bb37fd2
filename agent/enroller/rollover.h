/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* Is the issuer of a certificate on its way out? By what its CA shows of itself (RFC 7030 4.1.3,
 * RFC 4210 4.4). Pure. */

#pragma once

#include "agent/enroll/openssl.h"
#include "policy/findings.h"

/* offered: the CA's certificates as it shows them now, from a server that is believed. known: what
 * came with the certificate, itself first. Leaving: the CA shows none of the certificates above it
 * any more, but a root that did not come with it; or other issuing CAs, but not its issuer, and one
 * of them is younger than the certificate; or a successor of its issuer, of the same name, that is
 * younger than the certificate; or, where a certificate above it ends before it does, a younger one
 * of the same CA that lasts longer. A CA that goes on issuing as before is not left again and
 * again: what is issued then is younger, and knows the roots. Fills is_leaving and issuer_words. */
void signet_rollover_judge(const SignetX509Stack *offered, const SignetX509Stack *known,
                           SignetFindings *findings);
