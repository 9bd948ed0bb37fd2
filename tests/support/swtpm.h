/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* A software TPM of its own for a test: state and sockets in a private directory, gone with the
 * process that started it. */

#pragma once

#include <glib.h>

typedef struct {
    char *dir;  /* (owned) */
    char *tcti; /* (owned) for signet_tpm_token_new() */
    GPid pid;   /* 0 while it does not run */
} Swtpm;

/* Abort the test with a message when something fails. */
Swtpm *swtpm_new(void);
void swtpm_free(Swtpm *swtpm);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Swtpm, swtpm_free)

/* Runs it on the same state: after swtpm_kill(), a machine that was off. */
void swtpm_start(Swtpm *swtpm);
void swtpm_kill(Swtpm *swtpm);
/* TPM reset without TPM2_Startup; connections stay. */
void swtpm_reset(Swtpm *swtpm);
/* Another TPM: stops it and throws its state away. */
void swtpm_replace(Swtpm *swtpm);
/* Runs a shell command with $dir, and TPM2TOOLS_TCTI and TPM2OPENSSL_TCTI set, Signet's own
 * environment not; its standard output (free with g_free()), NULL when it failed. */
char *swtpm_shell(const Swtpm *swtpm, const char *command);
