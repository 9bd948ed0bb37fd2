/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* tpm-proxy.py before a test's own software TPM: faults at will, commands counted. */

#pragma once

#include "tests/support/swtpm.h"

typedef struct {
    char *tcti; /* (owned) for signet_tpm_token_new() */
    char *log;  /* (owned) every command: tpm-proxy.py says how */
    GPid pid;
} TpmProxy;

/* latency: a table of tpm-proxy.py, "none". Aborts the test with a message when something fails. */
TpmProxy *tpm_proxy_new(const Swtpm *swtpm, const char *latency);
void tpm_proxy_free(TpmProxy *proxy);

/* The nth command from now on, 1 being the next one, meets the fault; those ordered before are
 * forgotten. */
void tpm_proxy_order(TpmProxy *proxy, guint nth, const char *fault);
/* … and all commands after it. */
void tpm_proxy_order_from(TpmProxy *proxy, guint nth, const char *fault);
/* Commands since the start. */
guint tpm_proxy_count(const TpmProxy *proxy);
/* Commands that met the fault since the start. */
guint tpm_proxy_count_faults(const TpmProxy *proxy);
