/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* How an openssl.cnf comes to activate the provider: one line that includes a file in which all of
 * it stands. So what goes with the package goes as a whole: a file that is missing is skipped by
 * libcrypto, while a section that is missing stops every program. Pure. */

#pragma once

#include "agent/ctl/probe-report.h"

/* The whole text of the file to include, for a configuration of which signet-probe found this, read
 * as OpenSSL's programs and as Node.js read it. module: of the provider. Returns "" when signet and
 * default are active already. NULL: error says why it should not be done. */
char *signet_openssl_plan(const SignetProbeReport *openssl, const SignetProbeReport *node,
                          const char *module, GError **error);

/* The text with the lines that include that file at its end. */
GString *signet_openssl_add(const GString *text, const char *include);
/* The text as it was before signet_openssl_add(), whatever else was changed since; ret_include
 * (nullable): the file that was included, NULL when there were no such lines. */
GString *signet_openssl_strip(const GString *text, char **ret_include);
