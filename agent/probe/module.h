/* SPDX-FileCopyrightText: 2026 The Signet authors
 * SPDX-License-Identifier: Apache-2.0 */

/* The same trial by the other door: through p11-kit and the PKCS#11 module, as GnuTLS's programs do
 * it. */

#pragma once

/* Says p11kit.error when p11-kit does not know the module, or what signet_trial_run() says of the
 * key: load.error, sign.error, signed, certificate.…, verified. certificate: nullable. */
void signet_module_run(const char *identity, const char *certificate);
