/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* The trial itself: load the key as a program would, sign what a TLS handshake signs, and check the
 * signature with the certificate. */

#pragma once

#include <stdbool.h>

struct signet_trial {
    const char *config;      /* (unowned): the openssl.cnf */
    const char *application; /* (unowned): "openssl_conf" or "nodejs_conf" */
    const char *reference;   /* (unowned): a path, or a signet: URI */
    const char *certificate; /* (unowned, nullable): NULL for a URI, whose store has it */
    const char *purpose;     /* (unowned): "tls-client", "tls-server", or "sign": a bare digest */
};

/* Is the agent's socket there? Says socket.path, and socket.error if not. */
bool signet_trial_socket(const char *path);
/* Says, as far as it gets: module.error; default.active; load.error with load.status; sign.error
 * with sign.status; certificate.error, certificate.not_after, certificate.expired; verified. A
 * status is the agent's (PROTOCOL.md section 5), "no answer", or "" for what does not concern it.
 * Blocks as long as the provider does. */
void signet_trial_run(const struct signet_trial *trial, const char *module);
