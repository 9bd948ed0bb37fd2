/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* What an openssl.cnf says of providers, read by libcrypto's own reader. */

#pragma once

#include <stdbool.h>

#define SIGNET_CONFIG_NAME_MAX 256

struct signet_config {
    bool is_read;
    bool is_activated;                   /* signet's section says activate */
    char module[SIGNET_CONFIG_NAME_MAX]; /* of signet; empty: libcrypto's default, "signet" */
    char socket[SIGNET_CONFIG_NAME_MAX]; /* as configured; empty: not */
};

/* The file that a program reads: the one given, or what the environment or libcrypto names; to be
 * freed with OPENSSL_free(). */
char *signet_config_file(const char *given);
/* Reads it as a program that goes by this name in the default section does ("openssl_conf",
 * "nodejs_conf"), and says config.error (with config.line), or config.init, config.providers,
 * config.properties and for each provider in order config.provider "NAME SECTION yes|no". */
void
signet_config_read(const char *file, const char *application, struct signet_config *ret_config);
